"""Sheets (CSV, TSV, Excel): every cell read as text, so that ``007`` stays ``007``, then turned into what it is."""

from __future__ import annotations

import warnings
from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd

from gridmap.errors import ReadError
from gridmap.io.read.headings import plain
from gridmap.io.read.workbook_safety import check_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["EXCEL_SUFFIXES", "SHEET_SUFFIXES", "numbers_where_plain", "read_sheet"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm")
SHEET_SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, ".xls")
_ID_ENDINGS = ("id", "code", "号", "编码", "代码", "电话", "phone")


def read_sheet(path: Path, sheet: str | None, reading: Reading) -> pd.DataFrame:
    """A sheet as text; the index counts as the sheet does, so that the row below the headings is 2.

    Raises
    ------
    ReadError
        When the file is not what its name says, has no headings, or has no sheet of that name.
    """
    reading.text_cells = True
    frame = _read_excel(path, sheet, reading) if path.suffix.lower() in EXCEL_SUFFIXES else _read_text(path, reading)
    frame.columns = [str(c).strip().lstrip("\ufeff") for c in frame.columns]
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    for name in frame.columns:
        frame[name] = frame[name].str.strip().replace("", None)
    blank = frame.isna().all(axis=1)
    reading.leave_out("blank row", frame.index[blank])
    return frame[~blank]


def numbers_where_plain(frame: pd.DataFrame, keep: set[str]) -> pd.DataFrame:
    """Columns of nothing but numbers as numbers; not those in `keep`, nor what looks like codes (``007``, ``楼号``)."""
    out = frame.copy(deep=False)
    for name in frame.columns:
        values = frame[name].dropna()
        if name in keep or plain(name).endswith(_ID_ENDINGS) or not len(values):
            continue
        if values.str.fullmatch(r"0\d+").any():
            continue
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.notna().sum() == len(values):
            out[name] = numbers
    return out


def _read_text(path: Path, reading: Reading) -> pd.DataFrame:
    if path.suffix.lower() == ".xls":
        raise ReadError(f"{path}: the old Excel format cannot be read. Open it in Excel and save it as .xlsx or CSV.")
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in data[:4096]:
        raise ReadError(f"{path}: this is not text, whatever its name says. Save the sheet as CSV (UTF-8) or .xlsx.")
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise ReadError(f"{path}: neither UTF-8 nor GB 18030 text. Save the sheet as CSV (UTF-8) or .xlsx.")
    heading = text.lstrip().partition("\n")[0]
    if not heading.strip():
        raise ReadError(f"{path}: the file holds no text. It needs a row of headings and at least one row below it.")
    separator = max("\t;,", key=heading.count)
    reading.note(format="text", encoding=encoding, separator=separator)
    try:
        # blank lines are kept so that rows count as they do in an editor; they are left out, counted, later
        return pd.read_csv(
            StringIO(text), sep=separator, dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError(f"{path}: the rows do not fit the headings ({error}). Save the sheet as CSV again.") from error


def _read_excel(path: Path, sheet: str | None, reading: Reading) -> pd.DataFrame:
    from zipfile import BadZipFile

    check_workbook(path)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of cell validation and print settings that play no part here
            warnings.simplefilter("ignore", UserWarning)
            with pd.ExcelFile(path, engine="openpyxl") as book:
                names = [str(name) for name in book.sheet_names]
                if sheet is not None and sheet not in names:
                    raise ReadError(f"{path}: there is no sheet {sheet!r}; the sheets are {', '.join(names)}.")
                frame: pd.DataFrame = pd.read_excel(
                    book, sheet or names[0], dtype=str, keep_default_na=False, na_values=[""]
                )
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise ReadError(f"{path}: not an Excel file that can be read ({error}). Save it again as .xlsx.") from error
    if not len(frame.columns):
        raise ReadError(f"{path}: the sheet {sheet or names[0]!r} has no headings. Its first row must hold them.")
    reading.note(format="excel", sheet=sheet or names[0])
    return frame.astype("str")
