"""Sheets (CSV, TSV, Excel): every cell read as text, so that ``007`` stays ``007``, then turned into what it is."""

from __future__ import annotations

import csv
import warnings
from functools import partial
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from gridmap.errors import ReadError
from gridmap.io.read.heading_rows import ROWS_LOOKED_AT, find_headings, known_in_a_row, leave_totals_out
from gridmap.io.read.headings import plain
from gridmap.io.read.merged_cells import fill_merged, merged_downwards
from gridmap.io.read.unfinished_cells import Unfinished, refuse_unfinished, unfinished_cells
from gridmap.io.read.workbook_safety import check_workbook
from gridmap.io.write.formulas import unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["EXCEL_SUFFIXES", "SHEET_SUFFIXES", "numbers_where_plain", "read_sheet"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm")
SHEET_SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, ".xls")
# As many known headings as make sure that a row is one of headings.
_SURE = 2
_ID_ENDINGS = ("id", "code", "号", "编码", "代码", "电话", "phone")


class _Sheet(NamedTuple):
    """The rows below the headings, how many rows stand above them, and the cells of an Excel sheet without a value."""

    rows: pd.DataFrame
    above: int
    headings: list[str]
    unfinished: list[Unfinished]


def read_sheet(path: Path, sheet: str | None, reading: Reading, said: Iterable[str] = ()) -> pd.DataFrame:
    """A sheet as text; the index counts as the sheet does, so that the row below headings in the first row is 2.

    `said` are headings that the user names, by which the row of headings is found below titles.

    Raises
    ------
    ReadError
        When the file is not what its name says, has no headings or no sheet of that name, or formulas and errors
        stand where values should.
    """
    reading.text_cells = True
    said = list(said)
    read = _read_text if path.suffix.lower() not in EXCEL_SUFFIXES else partial(_read_excel, sheet=sheet)
    found = read(path, reading=reading, said=said)
    frame = found.rows
    frame.columns = [str(c).strip().lstrip("\ufeff") for c in frame.columns]
    frame.index = pd.RangeIndex(found.above + 1, len(frame) + found.above + 1)
    for name in frame.columns:
        frame[name] = frame[name].str.strip().replace("", None)
    blank = frame.isna().all(axis=1)
    out = leave_totals_out(frame[~blank], reading)
    # a row of formulas alone looks blank
    refuse_unfinished(found.unfinished, found.headings, [*out.index, *frame.index[blank]], said, reading)
    reading.leave_out("blank row", frame.index[blank])
    return out


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


def _read_text(path: Path, *, reading: Reading, said: list[str]) -> _Sheet:
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
    if not text.strip():
        raise ReadError(f"{path}: the file holds no text. It needs a row of headings and at least one row below it.")
    # a title has no separator; in the rows below it a cell of coordinates may have other ones
    heading = next((line for line in text.split("\n", 20)[:20] if any(c in line for c in "\t;,")), "")
    separator = max("\t;,", key=heading.count)
    reading.note(format="text", encoding=encoding, separator=separator)
    text, above = _from_headings(text, separator, said, str(path), reading)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # blank lines are kept so that rows count as they do in an editor; they are left out, counted, later
            frame = pd.read_csv(
                StringIO(text), sep=separator, dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False
            )
    except pd.errors.ParserWarning as error:
        raise ReadError(
            f"{path}: rows have more cells than there are headings. Give each column a heading, or put texts that hold "
            f"{separator!r} in quotes."
        ) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError(f"{path}: the rows do not fit the headings ({error}). Save the sheet as CSV again.") from error
    frame.columns = unmarked(pd.Series(frame.columns, dtype="str"))
    return _Sheet(frame.apply(unmarked), above, [], [])


def _from_headings(text: str, separator: str, said: list[str], source: str, reading: Reading) -> tuple[str, int]:
    """The text from its headings on, these in one row, and how many rows they and what stands above them take."""
    rows, lines = [], []
    cells = csv.reader(StringIO(text), delimiter=separator)
    try:
        for row in islice(cells, 13):
            rows.append(row)
            lines.append(cells.line_num)
    except csv.Error:
        # pandas says what is wrong with it
        return text, 1
    names, above = find_headings(rows, said, source, reading)
    if above == 1:
        return text, 1
    whole = StringIO(text)
    for _ in range(lines[above - 1]):
        whole.readline()
    head = StringIO()
    csv.writer(head, delimiter=separator, lineterminator="\n").writerow(_told_apart(names))
    return head.getvalue() + whole.read(), above


def _told_apart(names: list[str]) -> list[str]:
    """Names for columns without one, and a number behind those that are there twice, as pandas gives them."""
    seen: dict[str, int] = {}
    out = []
    for i, name in enumerate(names):
        count = seen.get(name, 0)
        seen[name] = count + 1
        out.append(f"Unnamed: {i}" if not name else f"{name}.{count}" if count else name)
    return out


def _read_excel(path: Path, *, sheet: str | None, reading: Reading, said: list[str]) -> _Sheet:
    from zipfile import BadZipFile

    check_workbook(path)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of cell validation and print settings that play no part here
            warnings.simplefilter("ignore", UserWarning)
            with pd.ExcelFile(path, engine="openpyxl") as book:
                names = [str(name) for name in book.sheet_names]
                if sheet is not None and sheet not in names:
                    there = ", ".join(names)
                    raise ReadError(f"{path}: there is no sheet {sheet!r}; the sheets are {there}. Name one of them.")
                chosen = sheet or _sheet_of_data(book, names, said, path)
                frame: pd.DataFrame = _cells(book, chosen)
                # where the sheet lies in the file is known to openpyxl alone
                member = getattr(book.book[chosen], "_worksheet_path", None)
                member = member.lstrip("/") if member else ""
                merged = merged_downwards(path, member) if member else []
                unfinished = unfinished_cells(path, member) if member else []
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise ReadError(f"{path}: not an Excel file that can be read ({error}). Save it again as .xlsx.") from error
    if not len(frame.columns):
        raise ReadError(f"{path}: the sheet {chosen!r} has no headings. Its first row must hold them.")
    reading.note(format="excel", sheet=chosen)
    if len(names) > 1:
        reading.note(other_sheets=[name for name in names if name != chosen])
    headings, above = find_headings(_top(frame), said, str(path), reading)
    headings = _told_apart(headings)
    frame = fill_merged(frame, merged, above, reading).iloc[above:].set_axis(headings, axis=1)
    empty = [name for name in frame.columns if name.startswith("Unnamed: ") and frame[name].isna().all()]
    return _Sheet(frame.drop(columns=empty).astype("str"), above, headings, unfinished)


def _cells(book: pd.ExcelFile, sheet: str, rows: int | None = None) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_excel(
        book, sheet, header=None, dtype=str, keep_default_na=False, na_values=[""], nrows=rows
    )
    return frame


def _top(frame: pd.DataFrame) -> list[list[str]]:
    """The rows in which headings are looked for, as text."""
    return [
        [cell if isinstance(cell, str) else "" for cell in row]
        for row in frame.head(ROWS_LOOKED_AT).to_numpy(object).tolist()
    ]


def _sheet_of_data(book: pd.ExcelFile, names: list[str], said: list[str], path: Path) -> str:
    """The first sheet where it has headings that are known; else the only one that has: 数据 behind 说明."""
    if len(names) == 1:
        return names[0]
    tops = {name: _top(_cells(book, name, ROWS_LOOKED_AT)) for name in names}
    known = {name: known_in_a_row(top, said) for name, top in tops.items()}
    # one alone says little: a sheet of explanations has a 名称 or 备注, too
    sure = [name for name in names if known[name] >= _SURE]
    if names[0] in sure or len(sure) == 1:
        return names[0] if names[0] in sure else sure[0]
    if not sure and (known[names[0]] or not any(tops[name] for name in names[1:])):
        return names[0]
    which = f"{' and '.join(sure)} have" if sure else "nor has any other"
    raise ReadError(
        f"{path}: the first of the sheets {', '.join(names)} has no known headings; {which}. Say which one it is: "
        f"'{path.name}|layer={(sure or names)[-1]}'."
    )
