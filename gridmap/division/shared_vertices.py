"""Polygons that touch along their borders made to share every vertex there."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gridmap.division.sides import GRID, sides

__all__ = ["share_vertices"]


def share_vertices(shapes: Any) -> np.ndarray:
    """The polygons, each with the vertices that its neighbours have on its border.

    Parameters
    ----------
    shapes
        Polygons and MultiPolygons that tile some land, in metres; where neighbours do not share their vertices these
        lie within 0.02 mm of the other's border.

    Notes
    -----
    Only segments that no neighbour has are looked at, so that a coverage that is sound already costs next to nothing.
    """
    shapes = np.array(shapes, dtype=object)
    parts = sides(shapes)
    alone = parts.take(parts.right < 0)
    if not len(alone.left):
        return shapes
    lines = shapely.linestrings(np.stack((alone.start, alone.end), axis=1))
    places = np.unique(np.r_[alone.start, alone.end], axis=0)
    point, line = shapely.STRtree(lines).query(shapely.points(places), predicate="dwithin", distance=2 * GRID)
    start, way = alone.start[line], (alone.end - alone.start)[line]
    along = ((places[point] - start) * way).sum(axis=1) / (way**2).sum(axis=1)
    inside = (along > 0) & (along < 1)
    inside &= (places[point] != start).any(axis=1) & (places[point] != alone.end[line]).any(axis=1)
    point, line, along = point[inside], line[inside], along[inside]
    for shape in np.unique(alone.left[line]):
        mine = alone.left[line] == shape
        shapes[shape] = _with_vertices(
            shapes[shape], alone.start[line[mine]], alone.end[line[mine]], places[point[mine]], along[mine]
        )
    return shapes


def _with_vertices(
    shape: Any, start: np.ndarray, end: np.ndarray, place: np.ndarray, along: np.ndarray
) -> shapely.Geometry:
    """The polygon with a vertex at each place, which lies on its segment from `start` to `end`, so far `along` it."""
    extra: dict[tuple[complex, complex], list[tuple[float, tuple[float, float]]]] = {}
    for a, b, p, t in zip(start @ [1, 1j], end @ [1, 1j], place.tolist(), along.tolist(), strict=True):
        extra.setdefault((a, b), []).append((t, tuple(p)))
        extra.setdefault((b, a), []).append((1 - t, tuple(p)))
    parts = []
    for part in shapely.get_parts(shape):
        shell, *holes = (_ring(ring, extra) for ring in shapely.get_rings(part))
        parts.append(shapely.polygons(shell, holes or None))
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _ring(ring: Any, extra: dict[tuple[complex, complex], list[tuple[float, tuple[float, float]]]]) -> Any:
    xy = shapely.get_coordinates(ring)
    z = xy @ [1, 1j]
    out = []
    for k in range(len(xy) - 1):
        out.append(tuple(xy[k]))
        out += [p for _, p in sorted(extra.get((z[k], z[k + 1]), ()))]
    return shapely.linearrings([*out, out[0]])
