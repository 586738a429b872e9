"""Straight-line distance, for rules that are written as a service radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.coverage.counting.reach import Nearest
from gridmap.network.profiles import as_profile
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.profiles import Profile
    from gridmap.network.streets import StreetNetwork

__all__ = ["nearest_straight", "speed_of", "straight_by_category"]


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


def straight_by_category(
    homes: gpd.GeoDataFrame,
    services: gpd.GeoDataFrame,
    rows: list[NDArray[np.int64]],
    k: int,
    kmh: float,
) -> Nearest:
    """The facilities of each category nearest to every building as the crow flies; minutes at a speed.

    Parameters
    ----------
    homes, services
        Checked tables.
    rows
        Rows of the facilities of each category.
    k
        How many of each.
    kmh
        Kilometres an hour.
    """
    crs = metric_crs(homes)
    points = shapely.point_on_surface(np.asarray(to_crs(homes, crs).geometry.array))
    shapes = np.asarray(to_crs(services, crs).geometry.array)
    nearest = Nearest.none(len(homes), len(rows), k)
    for column, row in enumerate(rows):
        target, metres = nearest_straight(points, shapes[row], k)
        nearest.facility[:, column] = np.where(target >= 0, np.append(row, -1)[target], -1)
        nearest.metres[:, column] = metres
    nearest.minutes[:] = nearest.metres / (kmh * 1000 / 60)
    return nearest


def speed_of(network: StreetNetwork | None, profile: Any) -> Profile:
    """The speeds asked for; None means those of the network, else of a walking adult."""
    if profile is None:
        return as_profile("adult") if network is None else network.profile
    return as_profile(profile)
