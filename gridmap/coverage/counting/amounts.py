"""Amounts: how much each facility offers: one, or its places, or its floor area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["amounts_of"]

# More ids than this in a message help nobody.
_SHOWN = 10


def amounts_of(
    facilities: gpd.GeoDataFrame,
    column: str | None,
    default: float | Mapping[str, float] | None = None,
    *,
    counted: NDArray[np.bool_],
    option: str = "default_capacity",
) -> NDArray[np.float64]:
    """What each facility offers.

    Parameters
    ----------
    facilities
        Checked table.
    column
        A column of numbers, or None for one each.
    default
        What a facility with an empty cell offers: one number, or one a category; None means that no cell may be empty.
    counted
        Which rows must have an amount; the others may get NaN.
    option
        What the caller calls `default`, for the message.

    Raises
    ------
    OptionError
        When there is no such column of numbers, a value is negative or infinite, or one is missing.
    """
    if column is None:
        return np.ones(len(facilities))
    if column not in facilities.columns or not pd.api.types.is_numeric_dtype(facilities[column]):
        if default is None or column in facilities.columns:
            numeric = [str(c) for c in facilities.columns if pd.api.types.is_numeric_dtype(facilities[c])]
            raise OptionError(
                f"{column!r} is no column of numbers of facilities; there are: {', '.join(numeric) or 'none'}. "
                f"Fill it in, or give {option}= for what each facility offers."
            )
        amounts = np.full(len(facilities), np.nan)
    else:
        amounts = facilities[column].to_numpy(dtype=np.float64, na_value=np.nan).copy()
    if default is not None:
        amounts = np.where(np.isnan(amounts), _defaults(facilities["category"], default, option), amounts)
    wrong = counted & ((amounts < 0) | np.isinf(amounts))
    if wrong.any():
        raise OptionError(f"{column} of facilities {_ids(facilities, wrong)} is not a finite number of 0 or more.")
    missing = counted & np.isnan(amounts)
    if missing.any():
        categories = ", ".join(sorted(set(facilities.loc[missing, "category"])))
        raise OptionError(
            f"{column} is missing for {missing.sum():,} of {counted.sum():,} facilities ({categories}): "
            f"{_ids(facilities, missing)}. Fill it in, or give {option}=, one number or one a category."
        )
    return amounts


def _defaults(category: pd.Series, default: float | Mapping[str, float], option: str) -> NDArray[np.float64]:
    given = default if isinstance(default, Mapping) else dict.fromkeys(category.unique(), default)
    try:
        numbers = {str(name): float(value) for name, value in given.items()}
    except (TypeError, ValueError):
        raise OptionError(f"{option} must be a number or a mapping from category to number, not {default!r}.") from None
    return np.asarray(category.map(numbers), dtype=np.float64)


def _ids(facilities: gpd.GeoDataFrame, rows: NDArray[np.bool_]) -> str:
    ids = sorted(facilities.loc[rows, "facility_id"])
    return ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else "")
