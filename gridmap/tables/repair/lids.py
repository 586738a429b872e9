"""Lids on cracks: the lines that cut a narrow gap where other polygons begin, and close it where it opens outwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]
    Flags = NDArray[np.bool_]

__all__ = ["lids"]

# A lid reaches beyond the border it ends on, so that it surely meets it: by this many units of the last place of its
# coordinates, a millionth of a metre or less.
_BEYOND = 1024


def lids(shapes: Shapes, to_metric: Callable[[Shapes], Shapes], width: float) -> Shapes:
    """Lines across cracks narrower than `width`, in the CRS of the polygons, so that each stretch has two neighbours.

    Cracks around several polygons hang together; as one face they would all go to one neighbour, far from its land.
    A lid leaves a vertex that lies within `width` of three polygons, for those it does not touch. Another leaves each
    mouth: a vertex of the rim of all land within `width` of two polygons, while the vertex before or after it is not.
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
    tree = shapely.STRtree(metric)
    xy = np.unique(shapely.get_coordinates(shapes), axis=0)
    corners = shapely.points(xy)
    near = tree.query(to_metric(corners), predicate="dwithin", distance=width)
    several = np.bincount(near[0], minlength=len(xy)) > 2
    place, row = near[:, several[near[0]]]
    lines = [_lines(corners, place, row, shapes, metric, to_metric)]
    rings = shapely.get_rings(shapely.get_parts(shapely.union_all(shapes)))
    rim, ring = shapely.get_coordinates(rings, return_index=True)
    if len(rim):
        points = shapely.points(rim)
        places = to_metric(points)
        near = tree.query(places, predicate="dwithin", distance=width)
        close = np.bincount(near[0], minlength=len(rim)) > 1
        mouth = close & ~(_shifted(close, ring, 1) & _shifted(close, ring, -1))
        place, row = near[:, mouth[near[0]]]
        gaping = _gaping(place, row, places, metric, width)
        lines.append(_lines(points, place[gaping], row[gaping], shapes, metric, to_metric))
    return np.concatenate(lines)


def _gaping(place: NDArray[np.intp], row: NDArray[np.intp], places: Shapes, metric: Shapes, width: float) -> Flags:
    """Whether the polygon of each pair keeps away from the one that the place is on, as far as `width` around it."""
    touching = shapely.distance(places[place], metric[row]) == 0
    own = np.zeros(len(places), dtype=np.intp)
    own[place[touching]] = row[touching]
    touch = shapely.intersection(metric[own[place]], metric[row])
    return np.asarray(~touching & ~(shapely.distance(touch, places[place]) <= width))


def _lines(
    points: Shapes,
    place: NDArray[np.intp],
    row: NDArray[np.intp],
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
    ends = shapely.get_coordinates(lines[~covered]).reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    beyond = _BEYOND * np.spacing(np.abs(ends).max(axis=(1, 2), initial=0)) / np.hypot(*along.T)
    ends[:, 1] += beyond[:, None] * along
    return np.asarray(shapely.linestrings(ends), dtype=object) if len(ends) else np.empty(0, dtype=object)


def _shifted(close: Flags, ring: NDArray[np.intp], step: int) -> Flags:
    """The flag of the vertex before (1) or after (-1) each one; a ring ends where it starts."""
    first = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    last = np.r_[first[1:], len(ring)] - 1
    out = np.roll(close, step)
    if step == 1:
        out[first] = close[last - 1]
    else:
        out[last] = close[first + 1]
    return out
