"""Sheets: a table as CSV or as an Excel file, with no cell that a spreadsheet would compute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError, WriteError
from gridmap.io.write.formulas import marked
from gridmap.io.write.tables import flat
from gridmap.io.write.workbook_sheet import Column, add_table, clean

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_csv", "write_excel"]

# Limits of Excel (Microsoft, "Excel specifications and limits"): rows with that of the headings, columns, digits.
_ROWS, _COLUMNS, _DIGITS = 1_048_576, 16_384, 10**15
_TITLE, _NOT_IN_TITLES = 31, re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def write_csv(frame: pd.DataFrame, path: Path, *, geometry: str | None, separator: str = ",") -> None:
    """Write a table in UTF-8 with a byte order mark, by which Excel knows it; texts marked against formulas."""
    table = _plain(frame, path, geometry)
    for name in table.columns:
        if not _is_number(table[name]):
            table[name] = marked(table[name].astype(object).where(table[name].notna(), None).astype("str"))
    table.columns = marked(pd.Series(table.columns.astype(str), dtype="str")).to_list()
    table.to_csv(path, index=False, sep=separator, encoding="utf-8-sig")


def write_excel(frame: pd.DataFrame, path: Path, *, geometry: str | None, sheet: str) -> None:
    """Write a table as an Excel file of one sheet: headings in sight, numbers as numbers, text as text.

    Raises
    ------
    WriteError
        When the table is too large for a sheet, or a text too long for a cell or not to be written.
    """
    from openpyxl import Workbook

    table = _plain(frame, path, geometry)
    if len(table) >= _ROWS or len(table.columns) > _COLUMNS:
        raise WriteError(
            f"{path}: {len(table):,} rows and {len(table.columns):,} columns; a sheet of Excel has 1,048,576 and "
            "16,384. Write .csv, .parquet or .gpkg."
        )
    columns = []
    for name in table.columns:
        values = table[name]
        if _is_number(values) and not values.abs().ge(_DIGITS).any():
            kind = "count" if values.dtype.kind in "iu" else "decimal"
            columns.append(Column(str(name), values.tolist(), kind))
            continue
        texts = [None if pd.isna(v) else str(v) for v in values]
        for row, text in zip(table.index, texts, strict=True):
            if text is not None and clean(text) != text:
                raise WriteError(
                    f"{path}: row {row}, {name!r}: the text is longer than the 32,767 characters of a cell, or holds "
                    "control characters. Write .csv, .parquet or .gpkg, or leave the column out."
                )
        columns.append(Column(str(name), texts, "text"))
    book = Workbook()
    book.remove(book.active)
    title = _NOT_IN_TITLES.sub("_", sheet)[:_TITLE]
    add_table(book, title, columns, lang="en", header=title)
    book.save(path)


def _plain(frame: pd.DataFrame, path: Path, geometry: str | None) -> pd.DataFrame:
    """The table without shapes, or with them as text."""
    if geometry not in (None, "wkt", "ewkt"):
        raise OptionError(f"geometry={geometry!r} is not a way to write shapes in a sheet; say 'wkt', 'ewkt' or None")
    table = flat(frame)
    if not isinstance(frame, gpd.GeoDataFrame):
        return pd.DataFrame(table)
    shapes = np.asarray(frame.geometry.array)
    out = pd.DataFrame(table).drop(columns=frame.geometry.name)
    if geometry is not None:
        out["geometry"] = _texts(frame, shapes, path, with_srid=geometry == "ewkt")
    return out


def _texts(frame: gpd.GeoDataFrame, shapes: Any, path: Path, *, with_srid: bool) -> pd.Series:
    texts = pd.Series(shapely.to_wkt(shapes, rounding_precision=-1), index=frame.index, dtype="str")
    if not with_srid:
        return texts
    code = frame.crs.to_epsg() if frame.crs is not None else None
    if code is None:
        raise WriteError(f"{path}: EWKT needs a CRS that has an EPSG code. Use .to_crs() first, or geometry='wkt'.")
    return f"SRID={code};" + texts


def _is_number(values: pd.Series) -> bool:
    return values.dtype.kind in "iuf"
