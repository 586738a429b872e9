"""Cells of an Excel sheet that hold no value: formulas that were never calculated, and errors such as #REF!."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from gridmap.errors import ReadError
from gridmap.io.read.headings import known_headings, plain
from gridmap.io.read.merged_cells import column_place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["Unfinished", "refuse_unfinished", "unfinished_cells"]

_CHUNK = 2**20
_LONGEST_ROW = 2**24
_TOLD = 10
_FORMULA = rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)"
# A formula whose text is empty, t="str", has its value: "".
_NO_VALUE = re.compile(
    rb'<(?:\w+:)?c (?![^>]{0,80}\bt="str")[^>]{0,80}?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*'
    + _FORMULA
    + rb"\s*(?:<(?:\w+:)?v\s*/>\s*|<(?:\w+:)?v>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>()"
)
_ERROR = re.compile(
    rb'<(?:\w+:)?c (?=[^>]{0,80}\bt="e")[^>]{0,80}?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*(?:'
    + _FORMULA
    + rb")?\s*<(?:\w+:)?v>([^<]{1,20})</"
)
_NOT_CALCULATED = "a formula without a value; open the file in Excel, let it calculate, and save it again"


class Unfinished(NamedTuple):
    """A cell without a value: its row as the sheet counts, its column from 0, and the error it shows, if any."""

    row: int
    column: int
    error: str


def unfinished_cells(path: Path, member: str) -> list[Unfinished]:
    """The cells without a value, from top to bottom, found without parsing the sheet.

    Parameters
    ----------
    path
        The Excel file, already found to be a safe one.
    member
        Name of the sheet within it, for example ``"xl/worksheets/sheet1.xml"``.
    """
    found: set[tuple[bytes, ...]] = set()
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            whole, end, rest = (rest + chunk).rpartition(b"row>")
            found.update(_found(whole + end))
            rest = rest[-_LONGEST_ROW:]
        found.update(_found(rest))
    cells = (Unfinished(int(row), column_place(letters), error.decode()) for letters, row, error in found)
    return sorted(cells)


def refuse_unfinished(
    cells: Iterable[Unfinished], headings: list[str], rows: Iterable[int], said: Iterable[str], reading: Reading
) -> None:
    """Refuse a sheet that has no value where a column that is read should have one.

    Parameters
    ----------
    cells
        As `unfinished_cells` gives them.
    headings
        Of each column of the sheet.
    rows
        The rows that are data.
    said
        Headings that the user names, which are read as those that are known.
    reading
        Names the file; keeps count of such cells in other columns.

    Raises
    ------
    ReadError
        With rows, columns and the remedy.
    """
    data, known = set(rows), known_headings() | set(map(plain, said))
    there = [cell for cell in cells if cell.row in data and cell.column < len(headings)]
    read = [cell for cell in there if plain(headings[cell.column]) in known]
    if read:
        told = [_told(cell, headings[cell.column]) for cell in read[:_TOLD]]
        more = f"\n  ... and {len(read) - _TOLD} more" if len(read) > _TOLD else ""
        noun = "cell has" if len(read) == 1 else "cells have"
        raise ReadError(f"{reading.source}: {len(read)} {noun} no value\n  " + "\n  ".join(told) + more)
    if there:
        examples = [_told(cell, headings[cell.column]) for cell in there[:_TOLD]]
        reading.note(cells_without_value={"count": len(there), "examples": examples})


def _found(text: bytes) -> list[tuple[bytes, ...]]:
    formulas = _NO_VALUE.findall(text) if b"<f" in text or b":f" in text else []
    return formulas + (_ERROR.findall(text) if b't="e"' in text else [])


def _told(cell: Unfinished, heading: str) -> str:
    why = f"the error {cell.error}; correct it in Excel, or empty the cell" if cell.error else _NOT_CALCULATED
    return f"row {cell.row}, {heading}: {why}"
