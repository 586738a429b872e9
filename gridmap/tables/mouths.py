"""Mouths of cracks: where a narrow gap between polygons opens to the land outside, and the lines that close it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]
    Flags = NDArray[np.bool_]

__all__ = ["lines_across", "mouth_lids", "near_pairs"]


def mouth_lids(
    shapes: Shapes, metric: Shapes, to_metric: Callable[[Shapes], Shapes], width: float, land: shapely.Geometry
) -> Shapes:
    """Lines across the mouths of cracks narrower than `width`, in the CRS of the polygons.

    A line leaves each vertex of the rim of all land from which an edge leads out of the crack between two polygons, for
    the one that it is not on. Where these two touch within `width` of the mouth it is a notch at most, and left open.

    Parameters
    ----------
    shapes, metric
        Valid polygons, and the same in metres.
    to_metric
        Moves shapes into metres, vertex by vertex.
    width
        m.
    land
        The union of the shapes.
    """
    rings = shapely.get_rings(shapely.get_parts(land))
    rim, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(rim):
        return np.empty(0, dtype=object)
    points = shapely.points(rim)
    places = to_metric(points)
    near = near_pairs(places, metric, width)
    mouth = _mouths(near, places, ring, metric, width)
    place, row = near[:, mouth[near[0]]]
    gaping = _gaping(place, row, places, metric, width)
    return lines_across(points, place[gaping], row[gaping], shapes, metric, to_metric)


def near_pairs(points: Shapes, metric: Shapes, width: float) -> Ints:
    """Pairs of a point and a polygon within `width`, by point; asked the other way round, for polygons are prepared."""
    row, point = shapely.STRtree(points).query(metric, predicate="dwithin", distance=width)
    order = np.lexsort((row, point))
    return np.stack([point[order], row[order]])


def _mouths(near: Ints, places: Shapes, ring: Ints, metric: Shapes, width: float) -> Flags:
    """Vertices of the rim within `width` of two polygons, from which an edge leads out of the crack between them.

    An edge stays in a crack when both its ends and its middle are within `width` of the same two polygons: where it
    leads along the rim from one crack to the next, its ends are close to two each, but not to the same.
    """
    size = len(metric)
    start = np.flatnonzero(ring[1:] == ring[:-1])
    ends = shapely.get_coordinates(places)
    edge, row = near_pairs(shapely.points((ends[start] + ends[start + 1]) / 2), metric, width)
    keys = near[0].astype(np.int64) * size + near[1]
    common = np.isin(start[edge] * size + row, keys) & np.isin((start[edge] + 1) * size + row, keys)
    within = np.zeros(len(ring), dtype=bool)
    within[start] = np.bincount(edge[common], minlength=len(start)) > 1
    # a ring ends where it starts: its last vertex has the edges of its first
    first = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    last = np.r_[first[1:], len(ring)] - 1
    within[last] = within[first]
    before = np.roll(within, 1)
    before[first] = within[last - 1]
    return np.asarray((np.bincount(near[0], minlength=len(ring)) > 1) & ~(within & before))


def _gaping(place: Ints, row: Ints, places: Shapes, metric: Shapes, width: float) -> Flags:
    """Whether the polygon of each pair keeps away from the one that the place is on, as far as `width` around it."""
    touching = shapely.distance(places[place], metric[row]) == 0
    own = np.zeros(len(places), dtype=np.intp)
    own[place[touching]] = row[touching]
    touch = shapely.intersection(metric[own[place]], metric[row])
    return np.asarray(~touching & ~(shapely.distance(touch, places[place]) <= width))


def lines_across(
    points: Shapes,
    place: Ints,
    row: Ints,
    shapes: Shapes,
    metric: Shapes,
    to_metric: Callable[[Shapes], Shapes],
) -> Shapes:
    """The shortest line from each point to the polygon paired with it, where it leads over no polygon's land."""
    lines = shapely.shortest_line(points[place], shapes[row])
    lines = lines[shapely.length(lines) > 0]
    if not len(lines):
        return np.empty(0, dtype=object)
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    covered = np.zeros(len(lines), dtype=bool)
    covered[shapely.STRtree(metric).query(to_metric(middle), predicate="intersects")[0]] = True
    return np.asarray(lines[~covered], dtype=object)
