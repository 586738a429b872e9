"""Cells as people type them: counts with units and separators, words for nothing, codes that a spreadsheet spoilt.

What can be read without doubt is, and counted; what cannot stays as it is, for the table's contract to refuse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmap.errors import ReadError
from gridmap.tables.contracts import CONTRACTS
from gridmap.tables.typed_numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridmap.io.read.record import Reading

__all__ = ["code_of", "tidy"]

_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?e\+?(\d+)", re.IGNORECASE)
# Full-width letters, digits and dash, at the same place of their block as the plain ones.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if chr(wide - 0xFEE0).isalnum() or wide == 0xFF0D}
_SPOILT = re.compile(r"\d+\.0+")
_DATES = re.compile(
    r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?: 00:00:00)?|\d{1,2}月\d{1,2}日"
    r"|\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d\d?",
    re.IGNORECASE,
)
# Columns of codes and of house numbers, beside those a contract calls an id or a key.
_CODES = ("code", "compound_id", "community_id", "phone", "previous_id", "street_id", "barrier_id")
_COMPOUNDS = ("compound", "compound_id", "compound_name")
_HOUSE_NUMBERS = ("number", "building", "unit", "unit_id", "building_id", "name")


def code_of(text: str) -> tuple[str | None, str]:
    """A code or id as it was before a spreadsheet took it for a number, and what had to be done.

    Returns
    -------
    str or None
        None where digits were lost.
    str
        ``""``, ``"decimals"``, ``"scientific"``, ``"full width"`` or ``"lost"``.

    Examples
    --------
    >>> code_of("510107001002.0"), code_of("5.10107001002E+11"), code_of("5.10107E+11"), code_of("Ａ０１")
    (('510107001002', 'decimals'), ('510107001002', 'scientific'), (None, 'lost'), ('A01', 'full width'))
    """
    plain = text.translate(_NARROW).strip()
    scientific = _SCIENTIFIC.fullmatch(plain)
    if scientific is not None:
        first, rest, power = scientific[1], scientific[2] or "", int(scientific[3])
        # 1E5 may well be the number of a building; all digits of a code are there only where as many are written
        if len(rest) == power and power > 0:
            return first + rest, "scientific"
        return (None, "lost") if rest and len(rest) < power else (plain, "")
    if _SPOILT.fullmatch(plain):
        return plain.partition(".")[0], "decimals"
    return plain, "full width" if plain != text.strip() else ""


def tidy(frame: pd.DataFrame, table: str, reading: Reading) -> pd.DataFrame:
    """The text columns of a table with counts as plain numbers and codes as they were; all that was done is recorded.

    Raises
    ------
    ReadError
        When digits of a code are lost for good.
    """
    out = frame.copy(deep=False)
    contract = {column.name: column.kind for column in CONTRACTS[table].columns}
    for name in frame.columns:
        values = frame[name]
        if name == "geometry" or not (pd.api.types.is_string_dtype(values) or values.dtype == object):
            continue
        kind = contract.get(name, "")
        if kind == "count":
            out[name] = _counts(values, name, reading)
        elif kind in ("id", "key") or name in _CODES:
            out[name] = _codes(values, name, reading)
        if name in _COMPOUNDS and reading.text_cells:
            _tell_blanks(values, name, reading)
        if name in _HOUSE_NUMBERS and kind != "count":
            _tell_dates(values, name, reading)
    return out


_DONE = {
    "missing": "taken as missing",
    "separators": "separators and full-width digits read",
    "unit": "units left out",
    "万": "thousands, ten thousands or hundred millions (千, 万, 亿) worked out",
    "about": "approximate numbers taken as they are",
    "decimals": "the .0 of a spreadsheet taken off codes",
    "scientific": "codes in scientific notation written out",
    "full width": "full-width letters and digits made plain",
}


_DATED = (
    "These look like house numbers, such as 3-1, that a spreadsheet turned into dates. Format the column as text and "
    "enter them again."
)
_EMPTY_BELOW = (
    "Where these cells were merged in the sheet, read it as .xlsx, or unmerge them and fill the name down; a CSV does "
    "not say what was merged."
)


def _counts(values: pd.Series, column: str, reading: Reading) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    odd = numbers.isna() & values.notna()

    def rule(text: str) -> tuple[object, str]:
        value, remark = number_of(text, column)
        # a share is no count, and what is no number is told by the contract, as it stands in the cell
        if remark in ("percent", "no number", ""):
            return text, ""
        return None if value is None else f"{value:.15g}", remark

    return _replaced(values, odd, rule, column, reading)


def _codes(values: pd.Series, column: str, reading: Reading) -> pd.Series:
    text = values.astype("string").str.strip()
    spoilt = text.str.fullmatch(r"\d+\.0+").fillna(value=False).astype(bool)
    # 3.0 beside 3.1 is a number of its own, not a 3 that a spreadsheet spoilt
    if spoilt.any() and not text.str.fullmatch(r"\d+\.\d*[1-9]\d*").any():
        values = values.astype(object).where(~spoilt, text.str.replace(r"\.0+$", "", regex=True).astype(object))
        reading.mended(f"{column}: {_DONE['decimals']}", values.index[spoilt])
    odd = text.str.contains(r"^\d(?:\.\d+)?[eE]\+?\d+$|[０-９Ａ-Ｚａ-ｚ－]").fillna(value=False).astype(bool)

    def rule(text: str) -> tuple[object, str]:
        value, remark = code_of(text)
        return (text, "") if remark == "decimals" else (text if value is None else value, remark)

    return _replaced(values, odd, rule, column, reading)


def _replaced(
    values: pd.Series, odd: pd.Series, rule: Callable[[str], tuple[object, str]], column: str, reading: Reading
) -> pd.Series:
    """The values with a rule applied to the odd ones, each distinct one once; what it did is recorded."""
    if not odd.any():
        return values
    text = values[odd].astype(str)
    found = {one: rule(one) for one in text.unique()}
    remarks = text.map({one: remark for one, (_, remark) in found.items()})
    lost = text[remarks == "lost"]
    if len(lost):
        rows = ", ".join(f"row {row}: {value}" for row, value in lost.head(5).items())
        raise ReadError(
            f"{reading.source}: {len(lost)} codes in {column} lost their last digits to a spreadsheet ({rows}). "
            "Format the column as text in the original file, and enter or paste the codes again."
        )
    for remark in sorted(set(remarks) - {""}):
        rows_of = text.index[remarks == remark]
        reading.mended(f"{column}: {_DONE[remark]}", rows_of)
    changed = remarks[remarks != ""].index
    out = values.astype(object)
    cells: dict[str, Any] = {one: value for one, (value, _) in found.items()}
    out.loc[changed] = text.loc[changed].map(cells).astype(object)
    return out.where(out.notna(), None)


def _tell_blanks(values: pd.Series, column: str, reading: Reading) -> None:
    """Say where a compound is empty below a filled one, as merged cells become when a sheet is saved as text."""
    blank = values.isna()
    below = blank & values.notna().cummax()
    if below.any():
        first = below.idxmax()
        fact = {
            "what": f"empty below {values.loc[:first].dropna().iloc[-1]}",
            "count": int(below.sum()),
            "rows": [str(row) for row in below.index[below][:20]],
            "remedy": _EMPTY_BELOW,
        }
        reading.note_of("empty_below", column, fact)


def _tell_dates(values: pd.Series, column: str, reading: Reading) -> None:
    """Say which house numbers a spreadsheet turned into dates: 3-1 becomes 3月1日."""
    text = values.dropna().astype(str).str.strip()
    text = text[text.str.contains(r"[-/.月]", na=False)]
    dates = text[text.str.fullmatch(_DATES.pattern, flags=re.IGNORECASE)] if len(text) else text
    if len(dates):
        fact = {
            "count": len(dates),
            "rows": [str(row) for row in dates.index[:20]],
            "examples": dates.unique()[:5].tolist(),
            "remedy": _DATED,
        }
        reading.note_of("dates", column, fact)
