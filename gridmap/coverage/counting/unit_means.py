"""Means by unit: a value of each building, such as its access or its way to the nearest clinic, over people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.units import find_units
from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table, clean_ids

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["mean_by_unit"]

# More ids than this in `.attrs` help nobody; the count beside them is of all.
_SHOWN = 20


def mean_by_unit(
    values: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    by: Any = None,
    weight: str = "households",
    *,
    value: str = "value",
) -> pd.DataFrame:
    """The mean of a value over the people of each unit, category by category.

    Parameters
    ----------
    values
        One row a building and category, as `accessibility` returns them; of the reach table of a cover, its first rank
        (``value="metres"`` is then the mean way to the nearest facility).
    buildings
        The buildings, with the weight.
    by
        Units as for `Cover.rate`: None (one unit), a plan, a column of buildings, a Series, or polygons.
    weight
        The column of buildings to weigh by: households, residents, elderly, ...; empty cells count as 0.
    value
        The column of `values` to average.

    Returns
    -------
    DataFrame
        One row a unit and category, none left out: ``unit_id``, ``category``, ``total`` (the weight), ``known`` (that
        of the buildings that have a value), ``value`` (mean over these; NaN where there are none). ``.attrs`` holds
        those of `values` and names the ``denominator``, what lies ``outside`` all units, and ``rows_without_count``.

    Raises
    ------
    OptionError
        When `by`, `weight` or `value` names nothing there is, or a building has two values of one category.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 10]}, geometry=[Point(0, 0), Point(9, 0)], crs=32650
    ... )
    >>> access = pd.DataFrame({"building_id": ["a", "b"], "category": "school", "value": [1.0, 3.0]})
    >>> mean_by_unit(access, homes)[["unit_id", "category", "total", "value"]]
      unit_id category  total  value
    0     all   school   40.0    1.5
    """
    homes = check_table(buildings, "buildings")
    counts, missing = weights_of(homes, weight)
    categories, table = _wide(values, homes, value)
    units = find_units(by, homes, homes.iloc[:0])
    known = ~np.isnan(table)
    weights = counts[:, None] * known
    total = units.total(counts)
    of = units.total(weights)
    with np.errstate(invalid="ignore"):
        mean = np.where(of > 0, units.total(weights * np.where(known, table, 0.0)) / of, np.nan)
    out = pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(units.ids, dtype=object), len(categories)),
            "category": np.tile(np.array(categories, dtype=object), len(units.ids)),
            "total": np.repeat(total, len(categories)),
            "known": of.ravel(),
            "value": mean.ravel(),
        }
    )
    out.attrs = dict(values.attrs)
    out.attrs.update(
        denominator=denominator_of(homes, weight),
        outside={
            "buildings": len(units.outside),
            weight: float(counts[units.outside].sum()),
            "ids": homes["building_id"].iloc[units.outside[:_SHOWN]].tolist(),
        },
        rows_without_count=missing,
    )
    return out


def _wide(values: pd.DataFrame, buildings: gpd.GeoDataFrame, value: str) -> tuple[list[str], NDArray[np.float64]]:
    """Categories in order of first appearance, and the values, (buildings, categories), NaN where there is none."""
    absent = [c for c in ("building_id", "category", value) if c not in values.columns]
    if absent:
        raise OptionError(f"values has no column {absent[0]!r}; there are: {', '.join(map(str, values.columns))}.")
    rows = values[values["rank"] == 1] if "rank" in values.columns else values
    building = pd.Index(buildings["building_id"]).get_indexer(pd.Index(clean_ids(rows["building_id"])))
    if (building < 0).any():
        raise OptionError(
            f"values speaks of {(building < 0).sum():,} buildings that buildings does not hold, "
            f"{rows['building_id'].to_numpy()[building < 0][0]!r} the first; give the same buildings."
        )
    column, names = pd.factorize(rows["category"])
    if len(np.unique(building * max(len(names), 1) + column)) < len(rows):
        raise OptionError("values has a building twice in one category; give one value each.")
    table = np.full((len(buildings), len(names)), np.nan)
    table[building, column] = rows[value].to_numpy(dtype=np.float64, na_value=np.nan)
    return [str(name) for name in names], table
