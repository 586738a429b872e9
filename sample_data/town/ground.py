"""The ground: smooth lines, streets noded at equal vertices, blocks between them, communities from blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from town import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString, Polygon

#: All coordinates are whole centimetres, so that equal vertices are equal in every file.
CENTIMETRE = 0.01
_STEP = 14.0  # metres between the vertices of a curve
_DANGLE = 45.0  # a drawn line that overshoots a junction by less is cut back to it


def smooth(points: Sequence[tuple[float, float]], step: float = _STEP) -> LineString:
    """A Catmull-Rom curve through the points."""
    p = np.asarray(points, dtype="float64")
    if len(p) == 2:
        return shapely.linestrings(p)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        n = max(1, int(np.hypot(*(c - b)) / step))
        t = np.arange(n)[:, None] / n
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return shapely.linestrings(np.vstack([*parts, p[-2:-1]]).round(2))


def river() -> tuple[LineString, Polygon]:
    """Centre line and water of the river."""
    line = smooth(plan.RIVER)
    return line, line.buffer(plan.RIVER_HALF_WIDTH, cap_style="flat", quad_segs=2)


def railway() -> LineString:
    """The railway's centre line."""
    return smooth(plan.RAILWAY, 30)


def drawn_streets() -> gpd.GeoDataFrame:
    """The drawn streets, lanes and paths as rows, not yet noded; `kind` tells their width."""
    water = river()[0]
    banks = [
        ("滨河北路", "Binhe North Road", "tertiary", _clip(water.offset_curve(33), 44, 1310)),
        ("滨河南路", "Binhe South Road", "tertiary", _clip(water.offset_curve(-35), 452, 1344)),
    ]
    rows = [
        {"name": s.name, "name_en": s.name_en, "kind": s.kind, "lanes": s.lanes,
         "geometry": shapely.linestrings(s.points) if s.straight else smooth(s.points), "level": 0}
        for s in [*plan.STREETS, plan.OLD_STREET, *plan.LANES]
    ]  # fmt: skip
    rows += [
        {"name": zh, "name_en": en, "kind": kind, "lanes": 2, "geometry": line, "level": 0}
        for zh, en, kind, line in banks
    ]
    rows += [
        {"name": s.name, "name_en": s.name_en, "kind": s.kind, "lanes": 1, "geometry": smooth(s.points), "level": 1}
        for s in plan.PATHS
    ]
    rows += _riverside(water)
    return gpd.GeoDataFrame(rows, geometry="geometry")


def _riverside(water: LineString) -> list[dict[str, object]]:
    """The walk below the north embankment, in two lengths that do not pass under the bridges, and its steps."""
    walk, road = water.offset_curve(22), water.offset_curve(33)
    rows = [
        {"name": "河滨步道", "name_en": "Riverside Walk", "kind": "footway", "lanes": 1, "level": 1,
         "geometry": _clip(walk, west, east)}
        for west, east in ((210, 572), (628, 1040))
    ]  # fmt: skip
    for x in (240, 420, 545, 660, 860, 1015):
        low, high = (_clip(line, x - 3, x + 3).interpolate(0.5, normalized=True) for line in (walk, road))
        rows.append({"name": "河滨台阶", "name_en": "Riverside Steps", "kind": "steps", "lanes": 1, "level": 1,
                     "geometry": shapely.linestrings([low.coords[0], high.coords[0]])})  # fmt: skip
    return rows


def _clip(line: LineString, west: float, east: float) -> LineString:
    return shapely.clip_by_rect(line, west, -1e4, east, 1e4)


def node(streets: gpd.GeoDataFrame, limits: Sequence[LineString] = ()) -> gpd.GeoDataFrame:
    """Streets cut wherever they meet one another or a limit; pieces carry the columns of the row they came from.

    Pieces of `limits` come back too, with `name` None. Lines that overshoot a junction a little are cut back.
    """
    lines = np.concatenate([np.asarray(streets.geometry.array), np.asarray(list(limits), dtype=object)])
    pieces = shapely.get_parts(shapely.unary_union(lines, grid_size=CENTIMETRE))
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    tree = shapely.STRtree(lines)
    piece, line = tree.query(middles, predicate="dwithin", distance=0.05)
    source = pd.Series(line).groupby(piece).min().reindex(range(len(pieces))).to_numpy()
    columns = [c for c in streets.columns if c != "geometry"]
    table = streets[columns].reindex(source).reset_index(drop=True)
    out = gpd.GeoDataFrame(table.assign(source=source), geometry=pieces)
    return _trim(out)


def _trim(pieces: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Without the short overshoots of drawn streets (`level` 0) beyond their last junction."""
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(pieces.geometry.array, i)) for i in (0, -1)]
    ).round(2)
    _, inverse = np.unique(ends, axis=0, return_inverse=True)
    degree = np.bincount(inverse.ravel())[inverse.ravel()].reshape(2, -1)
    loose = (degree == 1).any(axis=0) & (pieces.geometry.length < _DANGLE) & (pieces["level"] == 0)
    return pieces[~loose].reset_index(drop=True)


def merge(pieces: gpd.GeoDataFrame, by: Sequence[str]) -> gpd.GeoDataFrame:
    """Pieces of equal attributes joined again to long lines; the order does not depend on how they were cut."""
    rows = []
    for values, group in pieces.sort_values("source", kind="stable").groupby(list(by), sort=False, dropna=False):
        shapes = shapely.normalize(shapely.get_parts(shapely.line_merge(shapely.union_all(group.geometry.to_numpy()))))
        shapes = shapes[np.lexsort(shapely.get_coordinates(shapely.get_point(shapes, 0)).T)]
        rows += [{**dict(zip(by, values, strict=True)), "geometry": line} for line in shapes]
    return gpd.GeoDataFrame(rows, geometry="geometry")


def faces(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The pieces of land between noded lines, with the community each belongs to; land outside the town is left out."""
    shapes = shapely.get_parts(shapely.polygonize(np.asarray(lines.geometry.array)))
    middles = shapely.point_on_surface(shapes)
    community = np.full(len(shapes), None, dtype=object)
    for c in reversed(plan.COMMUNITIES):
        community[shapely.contains(shapely.Polygon(c.outline), middles)] = c.id
    table = gpd.GeoDataFrame({"community_id": community}, geometry=shapes)
    return table[table.community_id.notna()].reset_index(drop=True)


def right_of_way(lines: gpd.GeoDataFrame) -> Polygon:
    """The land that streets take."""
    half = lines["kind"].map(plan.HALF_WIDTH).to_numpy(dtype="float64")
    return shapely.union_all(shapely.buffer(np.asarray(lines.geometry.array), half, quad_segs=3))
