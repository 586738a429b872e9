"""Columns: values of tables as short lists for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.maps import facts
from gridmap.maps.encode import pack_varints

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["coded", "in_language", "is_private", "numbers", "plain_values", "rows_of", "sequence", "texts", "texts_in"]


def rows_of(keys: pd.Series | None, table: pd.DataFrame | None, column: str, length: int) -> NDArray[np.int64]:
    """Row of each key in a table, -1 for none."""
    if keys is None or table is None:
        return np.full(length, -1)
    return pd.Index(table[column].astype(str)).get_indexer(pd.Index(keys.astype(str)))


def is_private(column: str) -> bool:
    """Whether a column tells who is responsible for a grid, in whichever language; no public page says it."""
    return column == "responsible" or column.startswith("responsible_")


def in_language(table: pd.DataFrame, column: str, lang: str) -> pd.Series | None:
    """A column in a language where the data has it (name_en, name_zh), else the column itself."""
    plain, own = table.get(column), table.get(f"{column}_{lang}")
    if own is None or plain is None:
        return plain if own is None else own
    return own.where(own.notna() & (own != ""), plain)


def texts(values: pd.Series | None, length: int = 0) -> list[str]:
    """Text of each row, empty where missing."""
    if values is None:
        return [""] * length
    return ["" if missing else str(value) for value, missing in zip(values.tolist(), values.isna(), strict=True)]


def texts_in(table: pd.DataFrame, column: str, lang: str) -> list[str]:
    """Text of each row of a column in a language, see `in_language`; empty where missing."""
    return texts(in_language(table, column, lang), len(table))


def coded(values: pd.Series | NDArray[Any] | None) -> dict[str, Any]:
    """Repeated texts as a list of the different ones and a number for each row; 0 is none."""
    if values is None:
        return {"of": [], "code": ""}
    column = pd.Series(values)
    # as objects: a column of texts turns None back into a number that is none
    plain = [None if missing else str(v) for v, missing in zip(column.tolist(), column.isna(), strict=True)]
    codes, different = pd.factorize(np.array(plain, dtype=object))
    return {"of": [str(d) for d in different], "code": pack_varints(codes + 1)}


def numbers(table: pd.DataFrame, column: str, digits: int | None = None) -> list[Any]:
    """A column of numbers; empty where no row has one."""
    return facts.listed(table[column], digits) if column in table and table[column].notna().any() else []


def plain_values(column: pd.Series) -> list[Any]:
    """A column as `plain_value` has each of its values."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return ["" if number is None else number for number in facts.listed(column)]
    return [plain_value(value) for value in column.tolist()]


def plain_value(value: Any) -> Any:
    """A value that JSON can hold: a number, a truth, or a text of at most 500 letters."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        number = facts.listed([value])[0]
        return "" if number is None else number
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value)[:500]


def sequence(value: Any) -> list[Any]:
    """One value or several as a list; nothing as an empty one."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return []
    if isinstance(value, str):
        return [value] if value else []
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
