"""A column as numbers, NaN where a cell holds none or the table has no such column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_numbers", "number_column"]


def number_column(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """The numbers of a column, float64, shape (rows,).

    Examples
    --------
    >>> number_column(pd.DataFrame({"floors": ["6", None]}), "floors").tolist()
    [6.0, nan]
    """
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return as_numbers(table[name])


def as_numbers(values: pd.Series) -> NDArray[np.float64]:
    """The same of a column by itself, or of what was made of one."""
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
