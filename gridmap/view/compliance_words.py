"""What a requirement asks for, and how far it is met, in words of either language."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gridmap.tables.categories import facility_categories

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "amount_word",
    "category_words",
    "clause_words",
    "column_word",
    "requirement_words",
    "state_word",
    "status_word",
    "unmet_words",
]

_LANGUAGES = ("en", "zh")
#: (English, Chinese)
_STATUS = {
    "met": ("met", "达标"), "partly": ("partly", "部分达标"), "not_met": ("not met", "未达标"),
    "no_data": ("no data", "数据不足"), "does_not_apply": ("does not apply", "不适用"),
}  # fmt: skip
_STATE = {
    "text": ("standard's wording", "标准原文"), "secondary": ("secondary source", "二手来源"),
    "conflict": ("sources differ", "来源不一"), "unverified": ("not verified", "未核实"),
}  # fmt: skip
_TIER = {
    "15min": ("15-minute tier", "十五分钟生活圈"), "10min": ("10-minute tier", "十分钟生活圈"),
    "5min": ("5-minute tier", "五分钟生活圈"), "block": ("block", "居住街坊"),
}  # fmt: skip
_AREA = {
    "new": ("new areas", "新建区"), "built": ("built-up areas", "已建区"),
    "inner ring": ("inside the inner ring", "内环内"),
    "beyond the inner ring": ("beyond the inner ring", "内环外"), "subdistrict": ("a subdistrict", "街道级"),
}  # fmt: skip
_RULES = {
    "reach minutes": ("within {n} min", "步行{n}分钟可达"),
    "reach metres": ("within {n} m", "{n}米内可达"),
    "reach radius": ("within {n} m, straight line", "半径{n}米内"),
    "count": ("at least {n}", "不少于{n}处"),
    "floor_area": ("floor area {n} m² or more", "建筑面积不小于{n}平方米"),
    "site_area": ("site of {n} m² or more", "用地面积不小于{n}平方米"),
    "classes": ("{n} classes or more", "不少于{n}班"),
    "width": ("{n} m wide or more", "宽度不小于{n}米"),
    "floor_area_norm": ("floor area {n} m²", "建筑面积{n}平方米"),
    "site_area_norm": ("site area {n} m²", "用地面积{n}平方米"),
}
_PER = {
    "households": ("household", "户"), "residents": ("resident", "人"), "dwellings": ("dwelling", "套住宅"),
    "elderly": ("older person", "位老年人"), "elderly_80": ("person over 80", "位80岁以上老人"),
    "children": ("child", "名儿童"),
}  # fmt: skip
#: What columns hold, as a sentence calls it.
_COLUMNS = {
    "floor_area_m2": ("floor area", "建筑面积"), "site_area_m2": ("site area", "用地面积"),
    "classes": ("number of classes", "班数"), "width_m": ("width", "宽度"), "households": ("households", "户数"),
    "residents": ("residents", "常住人口"), "dwellings": ("dwellings", "住宅套数"),
    "elderly": ("older people", "老年人口"), "elderly_80": ("people over 80", "80岁以上人口"),
    "children": ("children", "儿童人口"),
}  # fmt: skip
# Parts of guides are counted in Chinese numerals.
_NUMERALS = str.maketrans("一二三四五六七八九", "123456789")
_PLURALS = {"child": "children", "older person": "older people", "person over 80": "people over 80"}


def status_word(status: str, lang: str) -> str:
    """A status in words."""
    return _word(_STATUS, status, lang)


def state_word(state: str, lang: str) -> str:
    """How well a requirement is verified, in words."""
    return _word(_STATE, state, lang)


def column_word(column: str, lang: str) -> str:
    """What a column holds, as a sentence calls it."""
    return _word(_COLUMNS, column, lang)


def category_words(category: str, lang: str) -> str:
    """The category of a requirement; several that will do are parted by a stroke."""
    known = facility_categories()[0]
    names = []
    for one in category.split("|"):
        own = known.get(one)
        names.append(one if own is None else own.name_zh if lang == "zh" else own.name_en)
    first, *others = dict.fromkeys(names)
    shown = [first, *(name[:1].lower() + name[1:] if lang == "en" else name for name in others)]
    return ("／" if lang == "zh" else " or ").join(shown)


def requirement_words(row: Mapping[Any, Any], lang: str, *, category: bool = True) -> str:
    """What a row of a compliance table asks for: category, number, tier, and where it holds.

    Parameters
    ----------
    row
        With ``category``, ``rule``, ``limit``, ``unit``, ``per``, ``tier``, ``applies_to``.
    lang
        ``"en"`` or ``"zh"``.
    category
        Whether to begin with the category.

    Examples
    --------
    >>> row = {"category": "elderly_care", "rule": "floor_area_norm", "limit": 20.0, "unit": "m2",
    ...        "per": "100 households", "tier": "", "applies_to": "new"}
    >>> requirement_words(row, "en"), requirement_words(row, "zh")
    ('Elderly care: floor area 20 m² per 100 households (new areas)', '养老服务设施：每百户建筑面积20平方米（新建区）')
    """
    rule = f"reach {row['unit'] or 'metres'}" if row["rule"] == "reach" else row["rule"]
    text = _word(_RULES, rule, lang).format(n=f"{row['limit']:,.10g}" if lang == "en" else f"{row['limit']:.10g}")
    per = _per_words(row["per"], lang)
    if per:
        text = f"{text} {per}" if lang == "en" else f"{per}{text}"
    notes = [_word(_TIER, row["tier"], lang) if row["tier"] else "", _word(_AREA, row["applies_to"], lang)]
    notes = [note for note in notes if note]
    if notes:
        text += f" ({', '.join(notes)})" if lang == "en" else f"（{'，'.join(notes)}）"
    if not category:
        return text
    return f"{category_words(row['category'], lang)}{': ' if lang == 'en' else '：'}{text}"


def unmet_words(row: Mapping[Any, Any], lang: str) -> str:
    """What is missing, of a row that is not met or met in part; of other rows its status.

    Examples
    --------
    >>> row = {"status": "partly", "rule": "reach", "reachable": 0.314, "needed": 40.0, "present": 12.6}
    >>> unmet_words(row, "en"), unmet_words(row, "zh")
    ('31 % within reach', '31%可达')
    """
    if row["status"] not in ("partly", "not_met"):
        return status_word(row["status"], lang)
    if row["rule"] == "reach":
        # a share that rounds to all is not all
        share = min(math.floor(100 * row["reachable"] + 0.5), 99) if row["reachable"] < 1 else 100
        return f"{share} % within reach" if lang == "en" else f"{share}%可达"
    key = "area" if row["rule"] in ("floor_area", "site_area", "floor_area_norm", "site_area_norm") else row["rule"]
    words = {
        "area": ("{p} of {n} m²", "{p}平方米，应有{n}平方米"),
        "count": ("{p} of {n}", "{p}处，应有{n}处"),
        "classes": ("{p} of {n} classes", "{p}班，应有{n}班"),
        "width": ("{p} of {n} m", "宽{p}米，应为{n}米"),
    }
    return _word(words, key, lang).format(p=f"{row['present']:,.0f}", n=f"{row['needed']:,.0f}")


def amount_word(rule: str, lang: str) -> str:
    """In what a requirement counts what is needed and what there is."""
    words = {
        "reach": ("households", "户"), "count": ("facilities", "处"), "classes": ("classes", "班"),
        "width": ("m", "米"),
    }  # fmt: skip
    return _word(words, rule, lang) if rule in words else {"en": "m²", "zh": "平方米"}[lang]


def clause_words(clause: str, lang: str) -> str:
    """A clause as it is cited.

    Examples
    --------
    >>> clause_words("tab 4.0.4", "en"), clause_words("tab 4.0.4", "zh"), clause_words("一(一)", "en")
    ('table 4.0.4', '表4.0.4', '1(1)')
    """
    if lang == "zh":
        return clause.replace("tab ", "表")
    return clause.replace("tab ", "table ").translate(_NUMERALS)


def _per_words(per: str, lang: str) -> str:
    if not per:
        return ""
    number, _, of = per.partition(" ")
    count = float(number)
    word = _word(_PER, of, lang)
    if lang == "en":
        plural = _PLURALS.get(word, f"{word}s")
        return f"per {word}" if count == 1 else f"per {count:,.10g} {plural}"
    shown = {1.0: "每", 100.0: "每百", 1000.0: "每千", 10_000.0: "每万"}.get(count, f"每{count:.10g}")
    return f"{shown}{word}"


def _word(words: Mapping[str, tuple[str, str]], key: str, lang: str) -> str:
    """The word of a language; what is none of ours stays as it is."""
    pair = words.get(key)
    return str(key) if pair is None else pair[_LANGUAGES.index(lang)]
