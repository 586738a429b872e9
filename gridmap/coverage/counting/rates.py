"""Rates: which share of each unit's households, or of another count, each category reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.counting.units import Units, find_units
from gridmap.errors import OptionError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pandas.arrays import IntegerArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["denominator_of", "rate_cover", "weights_of"]

# More ids than this in `.attrs` help nobody; the count beside them is of all.
_SHOWN = 20


def rate_cover(cover: Cover, by: Any = None, weight: str = "households") -> pd.DataFrame:
    """Coverage by unit and category; see `Cover.rate`."""
    if weight == "area":
        return _area_table(cover, by)
    counts, missing = weights_of(cover.buildings, weight)
    units = find_units(by, cover.buildings, cover.facilities)
    total = units.total(counts)
    covered = units.total(counts[:, None] * cover.met)
    table = _long(cover, units, cover.names, total, covered)
    table.attrs.update(
        denominator=denominator_of(cover.buildings, weight),
        outside={
            "buildings": len(units.outside),
            weight: float(counts[units.outside].sum()),
            "ids": cover.buildings["building_id"].iloc[units.outside[:_SHOWN]].tolist(),
        },
        rows_without_count=missing,
    )
    return table


def _long(
    cover: Cover, units: Units, categories: list[str], total: NDArray[np.float64], covered: NDArray[np.float64]
) -> pd.DataFrame:
    """One row a unit and category, none left out."""
    with np.errstate(invalid="ignore"):
        share = np.where(total[:, None] > 0, covered / total[:, None], np.nan)
    facilities = _facilities_by_unit(cover, units, categories)
    return pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(units.ids, dtype=object), len(categories)),
            "category": np.tile(np.array(categories, dtype=object), len(units.ids)),
            "total": np.repeat(total, len(categories)),
            "covered": covered.ravel(),
            "rate": np.clip(share, 0, 1).ravel(),
            "facilities": facilities,
            "institutional": pd.Series(facilities).gt(0),
        }
    )


def _area_table(cover: Cover, by: Any) -> pd.DataFrame:
    """Coverage of the land of the units."""
    if cover.rules is not None:
        raise OptionError("area is rated by category, not by combined rules; give minutes or metres.")
    from gridmap.coverage.counting.area_rates import covered_areas

    ids, area, covered = covered_areas(cover, by)
    units = find_units(by, cover.buildings, cover.facilities)
    if units.ids != ids:
        raise AssertionError(f"units {units.ids} have land {ids}")
    table = _long(cover, units, list(cover.thresholds), area, covered)
    table.attrs.update(denominator="area in m²")
    return table


def weights_of(buildings: gpd.GeoDataFrame, weight: str) -> tuple[NDArray[np.float64], int]:
    """The counts of a column, 0 where it is empty, and in how many rows it is.

    Raises
    ------
    OptionError
        When buildings have no such column of numbers.
    """
    if weight not in buildings.columns or not pd.api.types.is_numeric_dtype(buildings[weight]):
        numeric = [str(c) for c in buildings.columns if pd.api.types.is_numeric_dtype(buildings[c])]
        raise OptionError(
            f"weight={weight!r} is no column of numbers of buildings; there are: {', '.join(numeric) or 'none'}."
        )
    counts = buildings[weight].to_numpy(dtype=np.float64, na_value=np.nan)
    if (counts < 0).any():
        raise OptionError(f"weight={weight!r} has negative values; give counts of 0 or more.")
    return np.nan_to_num(counts, nan=0.0), int(np.isnan(counts).sum())


def _facilities_by_unit(cover: Cover, units: Units, categories: list[str]) -> IntegerArray:
    """How many counted facilities of each category stand in each unit, by unit and then category; empty for rules."""
    if units.facilities is None:
        return pd.array([pd.NA] * (len(units.ids) * len(categories)), dtype="Int64")
    if cover.rules is not None:
        of = [cover.rules.criteria[name].category if name in cover.thresholds else None for name in categories]
        offered = cover.facilities["category"].to_numpy(dtype=object)
        unit = units.facilities[cover.counted & (units.facilities >= 0)]
        kind = offered[cover.counted & (units.facilities >= 0)]
        counts = np.column_stack([np.bincount(unit[kind == c], minlength=len(units.ids)) for c in of])
        return pd.array(
            [None if c is None else n for row in counts for c, n in zip(of, row, strict=True)], dtype="Int64"
        )
    column = pd.Index(categories).get_indexer(pd.Index(cover.facilities["category"]))
    counted = cover.counted & (column >= 0) & (units.facilities >= 0)
    out = np.zeros((len(units.ids), len(categories)), dtype=np.int64)
    np.add.at(out, (units.facilities[counted], column[counted]), 1)
    return pd.array(out.ravel(), dtype="Int64")


def denominator_of(buildings: gpd.GeoDataFrame, weight: str) -> str:
    """The name of what the rate is a share of, with how much of it is an estimate."""
    if weight != "households" or "households_estimated" not in buildings.columns:
        return weight
    estimated = buildings["households_estimated"].fillna(value=False).astype(bool)
    share = buildings.loc[estimated, "households"].sum() / max(buildings["households"].sum(), 1e-9)
    return f"households ({share:.0%} estimated)" if estimated.any() else "households"
