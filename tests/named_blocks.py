"""Real blocks whose four streets are known, found by brute force: faces of all named streets with four names around."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.crs import to_metric

GRID = 0.001
BEARINGS = {"south": -90, "east": 0, "north": 90, "west": 180}


def named_blocks(streets, *, least=3000):
    """Blocks of at least `least` m² in metres, each with the name of its street in each of the four directions."""
    named = to_metric(streets[streets["name"].notna()])
    shapes = named.geometry.to_numpy()
    edges = shapely.get_parts(shapely.union_all(shapes, grid_size=GRID))
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, row = shapely.STRtree(shapes).query(middle, predicate="dwithin", distance=3 * GRID)
    name_of = pd.Series(named["name"].to_numpy()[row], index=edge).groupby(level=0).first().reindex(range(len(edges)))
    tree = shapely.STRtree(middle)
    blocks = []
    for face in shapely.get_parts(shapely.polygonize(edges)):
        if face.area < least:
            continue
        around = tree.query(face.exterior, predicate="dwithin", distance=3 * GRID)
        around = around[np.argsort(shapely.line_locate_point(face.exterior, middle[around]))]
        names = name_of.iloc[around].tolist()
        changes = sum(a != b for a, b in zip(names, [*names[1:], names[0]], strict=True))
        if changes == len(set(names)) == 4:
            blocks.append((face, _sides(face, edges[around], np.array(names, dtype=object))))
    return named.crs, blocks


def _sides(face, edges, names):
    """Which of four names lies where: the turn of the ring of names that fits the compass best."""
    centre = face.centroid
    angle = {}
    for name in dict.fromkeys(names):
        at = shapely.union_all(edges[names == name]).centroid
        angle[name] = np.degrees(np.arctan2(at.y - centre.y, at.x - centre.x))
    ring = sorted(angle, key=angle.get)

    def fit(turn):
        pairs = zip(ring[turn:] + ring[:turn], BEARINGS.values(), strict=True)
        return sum(np.cos(np.radians(angle[name] - bearing)) for name, bearing in pairs)

    turn = max(range(4), key=fit)
    return dict(zip(BEARINGS, ring[turn:] + ring[:turn], strict=True))


def alike(a, b):
    """Area of what two polygons have in common, as a share of what they cover together."""
    return a.intersection(b).area / a.union(b).area
