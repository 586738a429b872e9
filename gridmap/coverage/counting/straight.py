"""Straight-line distance, for rules that are written as a service radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nearest_straight"]


def nearest_straight(
    points: NDArray[np.object_], facilities: NDArray[np.object_], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k facilities nearest to each point as the crow flies, to the nearest point of an area; ties by lower row.

    Parameters
    ----------
    points
        Points in metres.
    facilities
        Points or polygons in metres.
    k
        How many.

    Returns
    -------
    tuple
        Rows of the facilities and metres, both of shape (points, k); -1 and inf where there are fewer than k.
    """
    from scipy.spatial import KDTree

    target = np.full((len(points), k), -1, dtype=np.int64)
    metres = np.full((len(points), k), np.inf)
    take = min(k, len(facilities))
    if take == 0 or len(points) == 0:
        return target, metres
    # a point of each facility bounds its distance from above: the k-th of those bounds the k-th we look for
    inner = shapely.get_coordinates(shapely.point_on_surface(facilities))
    bound, _ = KDTree(inner).query(shapely.get_coordinates(points), k=[take])
    reach = bound[:, 0] * (1 + 1e-9) + 1e-6
    point, facility = shapely.STRtree(facilities).query(points, predicate="dwithin", distance=reach)
    distance = shapely.distance(points[point], facilities[facility])
    order = np.lexsort((facility, distance, point))
    point, facility, distance = point[order], facility[order], distance[order]
    rank = np.arange(len(point)) - np.searchsorted(point, point)
    kept = rank < take
    target[point[kept], rank[kept]] = facility[kept]
    metres[point[kept], rank[kept]] = distance[kept]
    return target, metres
