"""Holdings: how many facilities stand in each unit, how large the largest is, and how large all are together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.tables.crs import to_metric
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["count_in", "largest_in", "sizes_of", "sum_in"]


def sizes_of(facilities: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    """A size of each facility, NaN where it is not known.

    Of the site, where its column is empty, the area of a polygon: ground or footprint, never more than the site.
    """
    sizes = number_column(facilities, column)
    if column == "site_area_m2":
        areas = shapely.area(np.asarray(to_metric(facilities).geometry.array))
        sizes = np.where(np.isnan(sizes) & (areas > 0), areas, sizes)
    return sizes


def count_in(unit: NDArray[np.int64], of: NDArray[np.bool_], units: int) -> NDArray[np.float64]:
    """How many facilities stand in each unit.

    Parameters
    ----------
    unit
        Row of the unit of each facility, -1 for none.
    of
        Which facilities to count.
    units
        How many units there are.
    """
    return np.bincount(unit[of & (unit >= 0)], minlength=units).astype(float)


def largest_in(
    unit: NDArray[np.int64], of: NDArray[np.bool_], sizes: NDArray[np.float64], units: int
) -> NDArray[np.float64]:
    """The largest size in each unit, 0 where there is none that is known."""
    out = np.zeros(units)
    rows = of & (unit >= 0) & ~np.isnan(sizes)
    np.maximum.at(out, unit[rows], sizes[rows])
    return out


def sum_in(
    unit: NDArray[np.int64], of: NDArray[np.bool_], sizes: NDArray[np.float64], units: int
) -> NDArray[np.float64]:
    """All sizes in each unit together, those that are not known as 0."""
    rows = of & (unit >= 0)
    return np.bincount(unit[rows], weights=np.nan_to_num(sizes[rows]), minlength=units).astype(float)
