"""Names of compounds, numbers of buildings and units as people write them, brought to one spelling.

第3栋, 3#楼, 三号楼, 3幢 and 叁号楼 are building ``3``; 阳光花园（一期） and 阳光花园1期 are one compound. What may be
something else stays apart: ``12-3`` is neither 12 nor 3, and 3A is not 3.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["building_number", "compound_name", "each", "loose_name", "signature", "split_name", "unit_number"]

_DIGITS = {
    character: str(value)
    for value, characters in enumerate(
        ("零〇○", "一壹", "二贰貳", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
_NUMERAL = re.compile(f"[{''.join(_DIGITS)}{''.join(_TENS)}]+")
_TRADITIONAL = str.maketrans("號樓棟單區園陽門華東", "号楼栋单区园阳门华东")
_DASHES = re.compile(r"[—–―‐‑‒−﹣－]+")
# A list of buildings is not one building: 1、2号楼 must not become 12.
_LISTING = re.compile(r"[,，、/&+;；|\\]+")
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_SIDES = "东西南北中"
_MARKS = r"(?:[号#](?:楼|栋|幢|座)?|栋|幢|座|楼)"
_ATOM = rf"(?:[A-Z]{{1,2}}\d*|\d+[A-Z]?|附\d+|[{_STEMS}{_SIDES}]\d*)"
_WHOLE = re.compile(
    rf"(?P<compound>.*?)"
    # 12号院 and 5号线 are part of a name, not building 12 or 5
    rf"(?P<number>第?{_ATOM}(?:-{_ATOM})*{_MARKS}(?![院线路弄巷里店地小大公])(?:[A-Z{_STEMS}{_SIDES}]座)?)?"
    rf"(?P<unit>第?(?:\d+|[A-Z{_STEMS}{_SIDES}])(?:单元|门|梯))?"
)
_ROMAN = {
    "I": "1",
    "II": "2",
    "III": "3",
    "IV": "4",
    "V": "5",
    "VI": "6",
    "VII": "7",
    "VIII": "8",
    "IX": "9",
    "X": "10",
}
# What tells compounds apart that are otherwise spelt alike: 东苑 and 西苑, 1期 and 2期, A区 and B区.
_TELLING = re.compile(rf"\d+|[A-Z]+|[{_STEMS}{_SIDES}上下前后左右内外新老旧大小]")


def each(values: pd.Series, rule: Callable[[str], str]) -> pd.Series:
    """A rule for one text applied to a column, once for each value that occurs; missing is ``""``."""
    text = values.astype(object).where(values.notna(), "").astype(str)
    return text.map({value: rule(value) for value in text.unique()}).astype(object)


def compound_name(text: str) -> str:
    """A compound's name without case, blanks, brackets and width, its numerals as digits.

    Examples
    --------
    >>> compound_name("阳光花园（一期）"), compound_name("陽光花園Ⅰ期"), compound_name("第三新村")
    ('阳光花园1期', '阳光花园1期', '3新村')
    """
    out = _bare(text)
    out = re.sub(r"(?<![A-Z])(VIII|VII|VI|IV|IX|III|II|I|V|X)(?=期)", lambda m: _ROMAN[m[1]], out)
    return _settled(compound_name, text, re.sub(r"第(?=\d)", "", out))


def loose_name(text: str) -> str:
    """A compound's name, also without a 小区 that only says what it is: 东风小区 is 东风, 第三小区 stays.

    Examples
    --------
    >>> loose_name("东风小区"), loose_name("东风小区二期"), loose_name("新村三小区")
    ('东风', '东风2期', '新村3小区')
    """
    out = re.sub(rf"(?<=[^\d][^\d])(?:住宅)?(?:小区)+(?=$|\d+期|[A-Z\d{_SIDES}]区)", "", compound_name(text))
    return _settled(loose_name, text, out)


def building_number(text: str) -> str:
    """A building's number as its parts, joined by ``-``: without 第, 号楼, 栋, 幢, 座, # and leading zeros.

    Examples
    --------
    >>> [building_number(t) for t in ("第3栋", "3#楼", "三号楼", "３幢", "叁号楼", "03", "3.0", "No. 3")]
    ['3', '3', '3', '3', '3', '3', '3', '3']
    >>> [building_number(t) for t in ("A座", "A3", "12-3", "乙3号", "3号楼东", "1、2号楼", "综合楼")]
    ['A', 'A-3', '12-3', '乙-3', '3-东', '1-、-2', '综合']
    """
    below_ground = re.sub(r"^-(?=\d)", "负", _written(text))
    worded = re.sub(r"(?<![A-Z])(?:NO|BUILDING|BLDG|BLOCK|TOWER)(?![A-Z])", "-", below_ground)
    return _settled(building_number, text, _parts(worded, _MARKS))


def unit_number(text: str) -> str:
    """A unit's number as `building_number` gives a building's: without 第, 单元, 门, 梯.

    Examples
    --------
    >>> unit_number("第二单元"), unit_number("02"), unit_number("甲单元")
    ('2', '2', '甲')
    """
    worded = re.sub(r"(?<![A-Z])UNIT(?![A-Z])", "-", _written(text))
    return _settled(unit_number, text, _parts(worded, "(?:单元|门|梯)"))


def split_name(text: str) -> tuple[str, str, str]:
    """Compound, building and unit of a name that says them in one; what it does not say is ``""``.

    Examples
    --------
    >>> split_name("阳光花园一期3号楼2单元"), split_name("人民路12号院乙3号楼"), split_name("综合市场")
    (('阳光花园1期', '3号楼', '2单元'), ('人民路12号院', '乙3号楼', ''), ('综合市场', '', ''))
    """
    found = _WHOLE.fullmatch(_written(text))
    if found is None:
        return text, "", ""
    compound, number, unit = (found[part] or "" for part in ("compound", "number", "unit"))
    return compound.strip("-"), number, unit


def signature(name: str) -> tuple[str, ...]:
    """The numbers, letters and words like 东, 新 of a name, in order: names that differ in them are two compounds."""
    return tuple(_TELLING.findall(name))


def _settled(rule: Callable[[str], str], before: str, after: str) -> str:
    """What a rule gives once it changes nothing more, so that a spelling brought to one stays."""
    return after if after == before else rule(after)


def _written(text: str) -> str:
    """One spelling of the characters: half width, capitals, digits for numerals, dashes, no blanks."""
    out = unicodedata.normalize("NFKC", text).translate(_TRADITIONAL).upper()
    out = _NUMERAL.sub(lambda m: _numeral(m[0]), unicodedata.normalize("NFKC", out))
    out = _LISTING.sub("、", _DASHES.sub("-", out))
    # a mark between digits keeps them apart; elsewhere it says nothing
    out = re.sub(r"(?<=\d)[^\w.、~#-]+(?=\d)|(?<=\d)\.(?=\.)", "-", out)
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^\w.、~#-]+|_", "", out)


def _bare(text: str) -> str:
    """As `_written`, without marks other than a dash between digits."""
    return re.sub(r"(?<=\d)-(?=\d)|[^\w]", lambda m: "-" if m[0] == "-" and _between(m) else "", _written(text))


def _between(match: re.Match[str]) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    return before[-1:].isdecimal() and after[:1].isdecimal()


def _parts(text: str, marks: str) -> str:
    """What is left of a number without its marks, in parts joined by a dash."""
    out = re.sub(r"\.0+(?!\d)", "", text)
    out = re.sub(rf"第(?=[\dA-Z{_STEMS}])", "", out)
    cut = re.sub(marks, "-", out)
    # a number and what is no number are two parts
    cut = re.sub(r"(?<=\d)(?=[^\d.-])|(?<=[^\d.-])(?=\d)", "-", cut)
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in cut.split("-") if part]
    return "-".join(parts) or out


def _numeral(text: str) -> str:
    """Chinese numerals as digits: 二十三 is 23, 二三 is 23, 一百零八 is 108."""
    if not set(text) & set(_TENS):
        return "".join(_DIGITS[c] for c in text)
    total, current = 0, None
    for character in text:
        if character in _TENS:
            total += (1 if current is None else current) * _TENS[character]
            current = None
        else:
            current = int(_DIGITS[character])
    return str(total + (current or 0))
