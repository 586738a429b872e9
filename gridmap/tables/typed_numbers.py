"""Numbers as people type them: with units, separators, full-width digits, 万, 约, and words for nothing."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MISSING", "number_of"]

#: What stands in a cell where nothing is known.
MISSING = frozenset(
    ("", "-", "--", "---", "—", "——", "/", "\\", "无", "暂无", "未知", "不详", "不明", "缺", "空", "无数据", "未填",
     "n/a", "na", "#n/a", "nan", "null", "none", "nil", "?", "？", "…", "...", "*")
)  # fmt: skip
# What may stand behind a number of each column. A number of people is no number of households.
_PEOPLE = ("人", "名", "位", "口", "people", "persons", "person")
_AREA = ("m2", "m^2", "平方米", "平米", "平方", "平", "sqm")
_UNITS: dict[str, tuple[str, ...]] = {
    "households": ("户", "家庭", "households", "household", "hh"),
    **dict.fromkeys(("residents", "registered", "elderly", "elderly_80", "children"), _PEOPLE),
    "dwellings": ("套", "units", "dwellings"),
    "floors": ("层", "楼", "f", "storeys", "floors", "levels"),
    "shops": ("家", "个", "间", "户", "处"),
    "enterprises": ("家", "个", "户", "处"),
    "capacity": ("张", "床", "个", "座", "席", "人", "名", "位", "beds", "places", "seats"),
    "floor_area_m2": _AREA,
    "speed_kmh": ("km/h", "kmh", "公里/小时", "公里/时"),
}
_TIMES = {"千": 1e3, "万": 1e4, "亿": 1e8}
_ABOUT = re.compile(r"^(?:约为?|大约|大概|近|将近|≈|~|ca\.?|about|approx\.?)|(?:左右|上下|余|多)$")
_NUMBER = re.compile(
    r"(?P<digits>\d{1,3}(?:[,' ]\d{3})+|\d+)(?P<part>\.\d+)?(?P<times>[千万亿])?(?P<more>余|多)?(?P<rest>.*)"
)


def number_of(text: str, column: str = "") -> tuple[float | None, str]:
    """A cell as a number, and what had to be done to read it.

    Parameters
    ----------
    text
        The cell.
    column
        Which column it is of: units that do not fit it are refused, so that 120人 is no number of households.

    Returns
    -------
    float or None
        None where nothing is known, or where it is not certainly a number.
    str
        ``""`` (a plain number), ``"missing"``, ``"separators"``, ``"unit"``, ``"万"``, ``"about"``, ``"percent"``, or
        ``"no number"``.

    Examples
    --------
    >>> number_of("１，２００户", "households"), number_of("1.2万", "residents"), number_of("3,200 m²", "floor_area_m2")
    ((1200.0, 'unit'), (12000.0, '万'), (3200.0, 'unit'))
    >>> number_of("约300", "households"), number_of("无"), number_of("35%"), number_of("120人", "households")
    ((300.0, 'about'), (None, 'missing'), (0.35, 'percent'), (None, 'no number'))
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in MISSING or text.strip() in MISSING:
        return None, "missing"
    bare = _ABOUT.sub("", plain).strip()
    found = _NUMBER.fullmatch(bare)
    if found is None:
        return None, "no number"
    value = float(re.sub(r"[,' ]", "", found["digits"]) + (found["part"] or ""))
    rest = found["rest"].strip()
    if rest == "%" and not found["times"]:
        return value / 100, "percent"
    if rest and rest not in _UNITS.get(column, ()):
        return None, "no number"
    if bare != plain or found["more"]:
        remark = "about"
    elif found["times"]:
        remark = "万"
    elif rest:
        remark = "unit"
    else:
        remark = "" if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text.strip()) else "separators"
    return round(value * _TIMES.get(found["times"] or "", 1.0), 6), remark
