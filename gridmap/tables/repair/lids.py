"""Lids on cracks: the lines that cut a narrow gap where other polygons begin, and close it where it opens outwards."""

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

__all__ = ["lids"]


def lids(shapes: Shapes, to_metric: Callable[[Shapes], Shapes], width: float) -> Shapes:
    """Lines across cracks narrower than `width`, in the CRS of the polygons, so that each stretch has two neighbours.

    Cracks around several polygons hang together; as one face they would all go to one neighbour, far from its land.
    A lid leaves a vertex that lies within `width` of three polygons, for those it does not touch. Another leaves each
    mouth: a vertex of the rim of all land from which an edge leads out of the crack between two polygons.
    Where these two touch within `width` of the mouth it is a notch at most, and left open.

    Parameters
    ----------
    shapes
        Valid polygons.
    to_metric
        Moves shapes into metres, vertex by vertex.
    width
        m.
    """
    metric = to_metric(shapes)
    xy = np.unique(shapely.get_coordinates(shapes), axis=0)
    corners = shapely.points(xy)
    near = _near(to_metric(corners), metric, width)
    several = np.bincount(near[0], minlength=len(xy)) > 2
    place, row = near[:, several[near[0]]]
    lines = [_lines(corners, place, row, shapes, metric, to_metric)]
    rings = shapely.get_rings(shapely.get_parts(shapely.union_all(shapes)))
    rim, ring = shapely.get_coordinates(rings, return_index=True)
    if len(rim):
        points = shapely.points(rim)
        places = to_metric(points)
        near = _near(places, metric, width)
        mouth = _mouths(near, places, ring, metric, width)
        place, row = near[:, mouth[near[0]]]
        gaping = _gaping(place, row, places, metric, width)
        lines.append(_lines(points, place[gaping], row[gaping], shapes, metric, to_metric))
    return np.concatenate(lines)


def _near(points: Shapes, metric: Shapes, width: float) -> Ints:
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
    edge, row = _near(shapely.points((ends[start] + ends[start + 1]) / 2), metric, width)
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


def _lines(
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
