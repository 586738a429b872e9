"""Cells merged downwards in an Excel sheet: the compound's name that stands once beside all its buildings."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["column_place", "fill_merged", "merged_downwards"]

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]{0,40}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_CHUNK = 2**20
_OVERLAP = 128


def merged_downwards(path: Path, member: str) -> list[tuple[int, int, int]]:
    """The cells merged within one column, as column, first and last row, all from 0.

    Parameters
    ----------
    path
        The Excel file, already found to be a safe one.
    member
        Name of the sheet within it, for example ``"xl/worksheets/sheet1.xml"``.
    """
    found: set[tuple[bytes, ...]] = set()
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            text = tail + chunk
            found.update(_MERGED.findall(text))
            tail = text[-_OVERLAP:]
    ranges = (
        (column_place(left), int(top) - 1, int(bottom) - 1) for left, top, right, bottom in found if left == right
    )
    return sorted(ranges)


def fill_merged(frame: pd.DataFrame, ranges: list[tuple[int, int, int]], above: int, reading: Reading) -> pd.DataFrame:
    """The cells below the headings filled with the text they were merged into; how many is recorded.

    Numbers are not repeated: households that stand once beside three buildings are those of all three.

    Parameters
    ----------
    frame
        The sheet as text, its columns and rows as in the file.
    ranges
        As `merged_downwards` gives them.
    above
        Rows that headings and titles take.
    reading
        Where it is recorded.
    """
    if not ranges:
        return frame
    cells = frame.to_numpy(dtype=object, copy=True)
    filled: list[int] = []
    numbers: list[int] = []
    for column, first, last in ranges:
        if first < above or first >= cells.shape[0] or column >= cells.shape[1]:
            continue
        text = cells[first, column]
        if not isinstance(text, str):
            continue
        if pd.notna(pd.to_numeric(text, errors="coerce")):
            numbers.append(first + 1)
            continue
        cells[first + 1 : last + 1, column] = text
        filled += range(first + 2, min(last + 1, len(cells)) + 1)
    reading.mended("merged cells: the text repeated in each row", sorted(filled))
    if numbers:
        reading.note(merged_numbers={"rows": sorted(numbers)[:20], "count": len(numbers), "remedy": _SHARED})
    return pd.DataFrame(cells, index=frame.index, columns=frame.columns)


_SHARED = "A number in merged cells is kept in the first row only. Give each row its own, or list it as a total."


def column_place(letters: bytes) -> int:
    """A column's place from 0: A is 0, AA is 26."""
    place = 0
    for letter in letters.decode():
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1
