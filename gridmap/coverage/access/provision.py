"""Provision: how much of each category stands in a unit for every thousand of its people (千人指标)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.counting.amounts import amounts_of
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted
from gridmap.coverage.counting.units import find_units
from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

__all__ = ["provision"]

# More ids than this in `.attrs` help nobody; the count beside them is of all.
_SHOWN = 20


def provision(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    by: Any = None,
    weight: str = "residents",
    *,
    amount: str | None = None,
    default_amount: float | Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Facilities, places or floor area of each category per 1,000 people of each unit.

    What stands in a unit counts for that unit alone, whoever uses it: provision says what a unit has, `cover` and
    `accessibility` what its people reach.

    Parameters
    ----------
    buildings
        The buildings, with the weight.
    facilities
        Those whose ``status`` is planned or candidate, or that are not public, are not counted.
    by
        Units as for `Cover.rate`, as long as they have a place: None (one unit), a plan with its grids, a column that
        buildings and facilities share, or polygons.
    weight
        The denominator: residents, households, elderly, ...; empty cells count as 0.
    amount
        None counts facilities; else a column of numbers of facilities: ``"capacity"``, ``"floor_area_m2"``.
    default_amount
        What a facility with an empty cell has, one number or one a category; None means that none may be empty.

    Returns
    -------
    DataFrame
        One row a unit and category, none left out: ``unit_id``, ``category``, ``total`` (of the denominator),
        ``facilities``, ``amount``, ``per_1000`` (NaN where the total is 0). ``.attrs`` names the ``denominator``, the
        ``unit`` of the amount, and what lies ``outside`` all units.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When a column is absent, an amount missing, or the units have no place.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "residents": [1500, 500]}, geometry=[Point(0, 0), Point(9, 0)], crs=32650
    ... )
    >>> schools = gpd.GeoDataFrame(
    ...     {"facility_id": ["s"], "category": ["school"], "capacity": [90]}, geometry=[Point(3, 4)], crs=32650
    ... )
    >>> provision(homes, schools, amount="capacity")[["category", "total", "amount", "per_1000"]]
      category   total  amount  per_1000
    0   school  2000.0    90.0      45.0
    """
    homes = check_table(buildings, "buildings")
    services = check_table(facilities, "facilities")
    counted = is_counted(services)
    counts, missing = weights_of(homes, weight)
    amounts = amounts_of(services, amount, default_amount, counted=counted, option="default_amount")
    units = find_units(by, homes, services)
    if units.facilities is None:
        raise OptionError("by gives units without a place, so nobody knows what stands in them; give polygons.")
    categories = sorted(services.loc[counted, "category"].unique())
    column = pd.Index(categories).get_indexer(pd.Index(services["category"]))
    inside = counted & (units.facilities >= 0)
    shape = (len(units.ids), len(categories))
    number, sums = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    np.add.at(number, (units.facilities[inside], column[inside]), 1)
    # in order of ids, so that sums do not depend on the order of rows
    order = np.argsort(services["facility_id"].to_numpy(dtype=str)[inside], kind="stable")
    np.add.at(sums, (units.facilities[inside][order], column[inside][order]), amounts[inside][order])
    total = np.repeat(units.total(counts), len(categories))
    out = pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(units.ids, dtype=object), len(categories)),
            "category": np.tile(np.array(categories, dtype=object), len(units.ids)),
            "total": total,
            "facilities": number.ravel(),
            "amount": sums.ravel(),
            "per_1000": np.divide(1000 * sums.ravel(), total, out=np.full(len(total), np.nan), where=total > 0),
        }
    )
    outside = counted & ~inside
    out.attrs.update(
        denominator=denominator_of(homes, weight),
        unit="facilities" if amount is None else amount,
        outside={
            "buildings": len(units.outside),
            weight: float(counts[units.outside].sum()),
            "facilities": int(outside.sum()),
            "amount": float(amounts[outside].sum()),
            "ids": services.loc[outside, "facility_id"].iloc[:_SHOWN].tolist(),
        },
        rows_without_count=missing,
    )
    return out
