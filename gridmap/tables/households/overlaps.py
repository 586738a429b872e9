"""Zones that hold the same land twice: their households cannot both go to what stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["overlapping"]

# Two drawings of one border differ by less: 1 m² and this part of the smaller zone. A choice, from no standard.
_LEAST_AREA, _LEAST_SHARE = 1.0, 0.01


def overlapping(areas: NDArray[Any], ids: NDArray[Any]) -> list[tuple[str, str, float]]:
    """Pairs of ids whose polygons, in metres, share land, and how many m²; the largest first.

    Examples
    --------
    >>> zones = np.array([shapely.box(0, 0, 10, 10), shapely.box(8, 0, 20, 10), shapely.box(20, 0, 30, 10)])
    >>> overlapping(zones, np.array(["a", "b", "c"], dtype=object))
    [('a', 'b', 20.0)]
    """
    first, second = shapely.STRtree(areas).query(areas)
    once = first < second
    first, second = first[once], second[once]
    area, bounds = shapely.area(areas), shapely.bounds(areas)
    least = np.maximum(_LEAST_SHARE * np.minimum(area[first], area[second]), _LEAST_AREA)
    # the boxes share at least as much as the polygons: neighbours, and cells of a raster, need no overlay
    low, high = np.maximum(bounds[first, :2], bounds[second, :2]), np.minimum(bounds[first, 2:], bounds[second, 2:])
    likely = np.prod(np.clip(high - low, 0, None), axis=1) >= least
    first, second, least = first[likely], second[likely], least[likely]
    common = shapely.area(shapely.intersection(areas[first], areas[second]))
    much = common >= least
    first, second, common = first[much], second[much], common[much]
    order = np.lexsort((second, first, -common))
    return [(str(ids[first[i]]), str(ids[second[i]]), round(float(common[i]), 1)) for i in order]
