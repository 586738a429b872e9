"""Coordinates as people type them: 116°18′18″, 39°54.3′N, 北纬39.905, １１６．３０５, 116.305°, 116,305.

What can be read without doubt is; what cannot is left to be told, row by row.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.tables.typed_numbers import MISSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Typed", "TypedColumn", "parts_thousands", "plain_marks", "read_coordinates", "typed_coordinate"]

# Marks of degrees, minutes and seconds, before NFKC takes º for a letter o.
_MARKS = str.maketrans({
    **dict.fromkeys("º˚∘度", "°"), **dict.fromkeys("′’‘´`ˊ分", "'"), **dict.fromkeys("″”“〃秒", '"'), "−": "-",
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\ufeff"),
})  # fmt: skip
# Words for a hemisphere; and labels, which say the axis and nothing of the sign: Λ for longitude, Φ for latitude.
_LETTERS = tuple(
    (re.compile(rf"[\"']?(?:{words})[\"']?\s*[:：=＝]?\s*"), letter)
    for words, letter in (
        ("东经", "E"), ("西经", "W"), ("北纬", "N"), ("南纬", "S"),
        ("LONGITUDE|LNG|LON|经度", "Λ"), ("LATITUDE|LAT|纬度", "Φ"),
    )
)  # fmt: skip
_AXIS = {"E": "lon", "W": "lon", "Λ": "lon", "N": "lat", "S": "lat", "Φ": "lat", "": ""}
_ONE = re.compile(
    r"(?P<before>[NSEWΛΦ]?)(?P<sign>[-+]?)(?P<whole>\d+)(?P<part>\.\d+)?"
    r"(?P<marks>°(?:(?P<minutes>\d+(?:\.\d+)?)(?:'(?:(?P<seconds>\d+(?:\.\d+)?)\"?)?)?)?)?(?P<after>[NSEW]?)"
)
_THREE = re.compile(r"([NSEWΛΦ]?[-+]?\d{1,3})[: ](\d{1,2})[: ](\d{1,2}(?:\.\d+)?)([NSEW]?)")
_DECIMAL_COMMA = re.compile(r"([NSEWΛΦ]?[-+]?\d+),(\d+)(°?[NSEW]?)")
_THOUSANDS = re.compile(r"([-+]?\d{1,3}(?:[, ]\d{3})+)(\.\d+)?")


_LONGEST = 200


class Typed(NamedTuple):
    """A coordinate: its value, the axis that a letter beside it says (``"lon"``, ``"lat"`` or ``""``), and a remark."""

    value: float
    axis: str
    remark: str


class TypedColumn(NamedTuple):
    """A column of coordinates: numbers (NaN where there is none), unreadable rows, and rows by what was done."""

    numbers: NDArray[np.float64]
    unreadable: pd.Index
    remarks: dict[str, pd.Index]


_REMARKS = {
    "minutes": "degrees, minutes and seconds worked out",
    "marks": "signs of degrees and letters of the hemisphere read",
    "comma": "decimal commas read",
    "thousands": "separators of thousands left out",
    "plain": "full-width digits and blanks made plain",
}


def plain_marks(text: str) -> str:
    """A text with plain digits, marks of minutes and seconds, and letters N S E W (Λ and Φ for labels of an axis)."""
    plain = text.upper()
    for word, letter in _LETTERS:
        plain = word.sub(letter, plain)
    plain = unicodedata.normalize("NFKC", plain.translate(_MARKS)).replace("''", '"')
    return re.sub(r"\s+", " ", plain).strip()


def typed_coordinate(text: str, *, degrees: bool = True, thousands: bool = False) -> Typed | None:
    """One coordinate, or None where it cannot certainly be read.

    Parameters
    ----------
    text
        The cell.
    degrees
        Whether it is of a column of degrees, in which a comma is a decimal point and 116 18 18 are minutes and seconds.
    thousands
        Whether other cells show that commas part thousands.

    Examples
    --------
    >>> [round(typed_coordinate(t).value, 4) for t in ("116°18′18″", "N39°54.3'", "１１６．３０５", "西经8°30′")]
    [116.305, 39.905, 116.305, -8.5]
    >>> typed_coordinate("116°75′") is None, typed_coordinate("500,123", degrees=False) is None
    (True, True)
    """
    if len(text) > _LONGEST:
        return None
    plain = re.sub(r" ?([°'\"NSEWΛΦ]) ?", r"\1", plain_marks(text))
    remark = "plain"
    if degrees:
        plain = _THREE.sub(r"""\1°\2'\3"\4""", plain) if _THREE.fullmatch(plain) else plain
        comma = _DECIMAL_COMMA.fullmatch(plain)
    else:
        grouped = _THOUSANDS.fullmatch(plain)
        # 500,123 may be either
        if grouped is not None and (thousands or "." in plain or len(re.split("[, ]", plain)) > 2):
            return Typed(float(re.sub("[, ]", "", plain)), "", "thousands")
        comma = None if grouped is not None else _DECIMAL_COMMA.fullmatch(plain)
    if comma is not None:
        plain, remark = f"{comma[1]}.{comma[2]}{comma[3]}", "comma"
    found = _ONE.fullmatch(plain)
    return None if found is None else _worked_out(found, remark)


def _worked_out(found: re.Match[str], remark: str) -> Typed | None:
    letters = found["before"] + found["after"]
    minutes, seconds = float(found["minutes"] or 0), float(found["seconds"] or 0)
    odd = (found["minutes"] and found["part"]) or (found["seconds"] and "." in found["minutes"])
    # S-39.9 may be meant either way
    if odd or minutes >= 60 or seconds >= 60 or len(letters) > 1 or (letters in ("S", "W") and found["sign"]):
        return None
    value = float(found["whole"] + (found["part"] or "")) + minutes / 60 + seconds / 3600
    below = found["sign"] == "-" or letters in ("S", "W")
    if found["minutes"]:
        remark = "minutes"
    elif found["marks"] or letters:
        remark = "marks"
    return Typed(-value if below else value, _AXIS[letters], remark)


def read_coordinates(cells: pd.Series, axis: str, *, thousands: bool = False) -> TypedColumn:
    """A column of coordinates as numbers; words for nothing are NaN, what cannot be read is told.

    Parameters
    ----------
    cells
        Numbers or text.
    axis
        ``"lon"`` or ``"lat"`` of degrees, ``"x"`` or ``"y"`` of anything. A letter that says the other axis makes the
        cell unreadable.
    thousands
        As in `typed_coordinate`.
    """
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan).copy()
    odd = ~np.isfinite(numbers) & cells.notna().to_numpy(dtype=bool)
    numbers[odd] = np.nan
    text = cells[odd].astype(str).str.strip()
    found = {one: _of_axis(one, axis, thousands=thousands) for one in text.unique()}
    read = text.map({one: typed for one, typed in found.items() if typed is not None}).to_numpy(dtype=object)
    known = np.array([isinstance(typed, Typed) for typed in read], dtype=bool)
    numbers[np.flatnonzero(odd)[known]] = [typed.value for typed in read[known]]
    nothing = text.map({one: _plain_word(one) in MISSING for one in found}).to_numpy(dtype=bool)
    said = np.array([typed.remark for typed in read[known]], dtype=object)
    rows = text.index[known]
    remarks = {words: rows[said == key] for key, words in _REMARKS.items() if (said == key).any()}
    return TypedColumn(numbers, text.index[~known & ~nothing], remarks)


def _plain_word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


def _of_axis(text: str, axis: str, *, thousands: bool) -> Typed | None:
    typed = typed_coordinate(text, degrees=axis in ("lon", "lat"), thousands=thousands)
    wanted = {"x": "lon", "y": "lat"}.get(axis, axis)
    return None if typed is None or typed.axis not in ("", wanted) else typed


def parts_thousands(cells: Any) -> bool:
    """Whether some cell shows that its commas part thousands: 4,419,800 or 500,123.4."""
    text = cells.dropna().astype(str)
    return bool(text.str.contains(r"^\s*[-+]?\d{1,3}(?:[,，]\d{3})+(?:[,，]\d{3}|\.\d+)\s*$", regex=True).any())
