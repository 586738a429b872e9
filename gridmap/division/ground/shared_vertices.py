"""Polygons that touch along their borders made to share every vertex there."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gridmap.division.ground.sides import GRID, Sides, sides

__all__ = ["share_vertices"]


def share_vertices(shapes: Any, rim: Sides | None = None) -> np.ndarray:
    """The polygons, each with the vertices that its neighbours have on its border.

    Borders that coincide in a plane part by a hair once they are projected, unless both sides have the same vertices.

    Parameters
    ----------
    shapes
        Polygons and MultiPolygons that tile some land, in metres; where neighbours do not share their vertices these
        lie within 0.02 mm of the other's border.
    rim
        The segments that no neighbour has, with the polygon on the left, when they are known.

    Notes
    -----
    Only segments that no neighbour has are looked at, so that a coverage that is sound already costs next to nothing.
    """
    shapes = np.array(shapes, dtype=object)
    if rim is None:
        parts = sides(shapes)
        rim = parts.take(parts.right < 0)
    if not len(rim.left):
        return shapes
    segment, place, along = _met(rim)
    new = _new(shapes, rim.left[segment], place)
    segment, place, along = segment[new], place[new], along[new]
    rows, shape = np.unique(rim.left[segment], return_inverse=True)
    if len(rows):
        shapes[rows] = _with_vertices(shapes[rows], shape.ravel(), rim.take(segment), place, along)
    return shapes


def _met(rim: Sides) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices that lie on a segment but at its ends: the segment, the vertex, how far along it lies (0 to 1)."""
    lines = shapely.linestrings(np.stack((rim.start, rim.end), axis=1))
    places = np.unique(np.r_[rim.start, rim.end], axis=0)
    point, line = shapely.STRtree(lines).query(shapely.points(places), predicate="dwithin", distance=2 * GRID)
    place, start, end = places[point], rim.start[line], rim.end[line]
    along = ((place - start) * (end - start)).sum(axis=1) / ((end - start) ** 2).sum(axis=1)
    inside = (along > 0) & (along < 1)
    point, line, place, along = point[inside], line[inside], place[inside], along[inside]
    # A needle is that thin itself: it passes a vertex once, at the nearest segment, or it would touch itself.
    off = np.hypot(*(rim.start[line] + along[:, None] * (rim.end[line] - rim.start[line]) - place).T)
    order = np.lexsort((off, point, rim.left[line]))
    once = order[np.unique((rim.left[line] * len(places) + point)[order], return_index=True)[1]]
    return line[once], place[once], along[once]


def _new(shapes: np.ndarray, shape: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Which places are no vertex of their shape yet."""
    which = np.unique(shape)
    xy, of = shapely.get_coordinates(shapes[which], return_index=True)
    rows = np.r_[np.c_[which[of], xy], np.c_[shape, place]]
    number = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    return np.asarray(~np.isin(number[len(xy) :], number[: len(xy)]))


def _with_vertices(
    shapes: np.ndarray, shape: np.ndarray, parts: Sides, place: np.ndarray, along: np.ndarray
) -> np.ndarray:
    """Polygons with a vertex put at each place, which lies in a segment of the polygon `shape`, so far `along` it."""
    kind, xy, offsets = shapely.to_ragged_array(shapes)
    ring = np.repeat(np.arange(len(offsets[0]) - 1), np.diff(offsets[0]))
    owner = np.arange(len(shapes))
    for level in offsets[:0:-1]:
        owner = np.repeat(owner, np.diff(level))
    first = np.flatnonzero(ring[1:] == ring[:-1])
    edges = np.c_[owner[ring[first]], xy[first], xy[first + 1]]
    # The segment may run with the ring or against it.
    either = np.r_[edges, np.c_[shape, parts.start, parts.end], np.c_[shape, parts.end, parts.start]]
    number = np.unique(either, axis=0, return_inverse=True)[1].ravel()
    edge_of = np.full(number.max() + 1, -1)
    edge_of[number[: len(edges)]] = first
    with_ring, against = edge_of[number[len(edges) :]].reshape(2, -1)
    after = np.where(with_ring >= 0, with_ring, against)
    step = np.where(with_ring >= 0, along, 1 - along)
    order = np.lexsort((np.r_[np.zeros(len(xy)), step], np.r_[np.arange(len(xy)), after]))
    count = np.bincount(np.r_[ring, ring[after]], minlength=len(offsets[0]) - 1)
    out = shapely.from_ragged_array(kind, np.r_[xy, place][order], (np.r_[0, np.cumsum(count)], *offsets[1:]))
    single = (shapely.get_type_id(out) == 6) & (shapely.get_num_geometries(out) == 1)
    out[single] = shapely.get_geometry(out[single], 0)
    return np.asarray(out)
