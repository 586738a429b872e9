"""Where the headings of a sheet stand: below titles, over two rows, above total rows and notes that are no data."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from gridmap.errors import ReadError
from gridmap.io.read.headings import LATITUDE, LONGITUDE, WKT, X, Y, known_headings, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from gridmap.io.read.record import Reading

__all__ = ["ROWS_LOOKED_AT", "find_headings", "known_in_a_row", "leave_totals_out"]

# Headings stand among the first rows, or nowhere.
_SEARCHED = 12
#: Headings in the last of these may be merged with the row below.
ROWS_LOOKED_AT = _SEARCHED + 1
_TOLD = 20
_LONGEST = 20
# What a cell says in a row of totals, once blanks, points and what is in brackets are gone: 合计, 本页合计, 社区合计.
# A whole cell: a building may be called 共计大厦 or 合计路3号.
_TOTAL = (
    r"(?:以上|本页|本表|本栋|本楼|本单元|本小区|本社区|本街道|本组|每页|全页|全表|全部|全镇|全村|全区|各项|累计"
    r"|页|栋|幢|楼|楼栋|单元|小区|院落|网格|社区|街道|乡镇|村|组|区|户数|人数|人口)*"
    r"(?:合计|总计|共计|总和|总合|小计|累计|合计数|总计数|小计数|共计数)(?:户数|人数|数|户|人)?"
)
_ENGLISH_TOTAL = r"(?:grand|sub|page)?totals?|sum"
_PLACES = frozenset((*LONGITUDE, *LATITUDE, *X, *Y, *WKT))
_SIGNS = r"[(（\[【].*?[)）\]】]|[\s:：、.,，。;；=＝*]+"
_NOTES = (
    "注:",
    "注：",
    "备注",
    "说明",
    "填表",
    "制表",
    "填报",
    "审核",
    "负责人",
    "联系人",
    "单位负责人",
    "数据来源",
    "note:",
    "source:",
)


def find_headings(
    rows: Sequence[Sequence[str]], said: Iterable[str], source: str, reading: Reading
) -> tuple[list[str], int]:
    """The headings of a sheet, and how many of its rows are not data.

    The row, or pair of rows, of the first twelve that holds most of the headings known; the first row where none holds
    any. Of a pair, as merged cells make it, the lower heading stands below the upper: 常住 below 户数 is 常住户数.

    Parameters
    ----------
    rows
        The first rows as text, ``""`` for an empty cell.
    said
        Headings that the user names with ``columns=``.
    source, reading
        Named in messages; where what was found is recorded.

    Raises
    ------
    ReadError
        When the first row looks like a title and no other row like headings.
    """
    known = known_headings() | {plain(heading) for heading in said}
    width = max((len(row) for row in rows), default=0)
    top = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in rows[:_SEARCHED]]
    one_row = [(i, i, row) for i, row in enumerate(top)]
    two_rows = [(i, i + 1, _below(row, below, known)) for i, (row, below) in enumerate(pairwise(top))]
    found, first, last, headings = (0, 0), 0, 0, top[0] if top else []
    for start, end, names in one_row + two_rows:
        score = len({plain(name) for name in names} & known), sum(map(bool, names))
        if score[0] and score > found:
            found, first, last, headings = score, start, end, names
    if found[0] == 0 and _is_title(top):
        raise ReadError(
            f"{source}: the first row looks like a title ({_only(top[0])!r}), and no row below has a known heading. "
            "Delete the rows above the headings, or name a heading: columns={'name': 'your heading'}."
        )
    above = [i for i in range(first) if any(top[i])]
    reading.leave_out("row above the headings", [i + 1 for i in above])
    if last > first:
        reading.note(headings_in_rows=[first + 1, last + 1])
    return headings, last + 1


def known_in_a_row(rows: Sequence[Sequence[str]], said: Iterable[str]) -> int:
    """How many known headings stand in the one of the first rows that has most; one that the user names is enough."""
    named = {plain(heading) for heading in said}
    known = known_headings()
    found = [{plain(cell) for cell in row} for row in rows[:_SEARCHED]]
    return max((len(words & known) + 2 * len(words & named) for words in found), default=0)


def leave_totals_out(frame: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """The rows that are data: without rows of totals (合计, 小计) and notes beside the table; both are counted."""
    if frame.empty:
        return frame
    filled = frame.notna()
    first = frame.bfill(axis=1).iloc[:, 0].astype(str)
    totals = _says_total(frame)
    # a row of one cell at the foot that starts like a note, or any such row that says who filled the sheet in
    lone = (filled.sum(axis=1) <= 2) & (len(frame.columns) > 2)
    notes = lone & first.str.startswith(_NOTES) & ~totals
    if totals.any():
        reading.leave_out("row of totals", frame.index[totals])
        told = frame[totals].head(_TOLD)
        reading.note(totals={str(row): told.loc[row].dropna().to_dict() for row in told.index})
    reading.leave_out("note beside the table", frame.index[notes])
    return frame[~(totals | notes)]


def _says_total(frame: pd.DataFrame) -> pd.Series:
    """Rows with a cell that says they are totals, in whichever column."""
    placed = frame[[name for name in frame.columns if plain(name) in _PLACES]].notna().any(axis=1)
    out = placed.astype(bool) & False
    for place in range(len(frame.columns)):
        cells = frame.iloc[:, place]
        # few cells are so short and hold one of these; only they are looked at closely
        maybe = cells[
            cells.str.contains("计|总和|总合|total|sum", case=False, na=False) & (cells.str.len() <= _LONGEST)
        ]
        word = maybe.str.replace(_SIGNS, "", regex=True).str.casefold()
        said = word.str.fullmatch(_TOTAL)
        # a filling station called Total has its place
        english = word.str.fullmatch(_ENGLISH_TOTAL) & ~placed[word.index]
        out |= (said | english).reindex(out.index, fill_value=False).astype(bool)
    return out


def _below(upper: list[str], lower: list[str], known: frozenset[str]) -> list[str]:
    """One heading a column from two rows of which the upper may be merged across; nothing where the lower is data."""
    if any(_is_number(cell) for cell in lower) or not any(lower):
        return []
    names, over = [], ""
    for top, bottom in zip(upper, lower, strict=True):
        over = top or (over if bottom else "")
        choices = (bottom, bottom + over, over + bottom) if bottom else (top,)
        names.append(next((c for c in choices if plain(c) in known), f"{over} {bottom}".strip()))
    return names


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).removeprefix("-").isdecimal()


def _is_title(top: list[list[str]]) -> bool:
    """Whether the first row has one cell and the rows below it several."""
    return len(top) > 1 and len(set(filter(None, top[0]))) == 1 and max(sum(map(bool, row)) for row in top[1:]) > 2


def _only(row: list[str]) -> str:
    return next(filter(None, row), "")
