"""Facility categories: one list (categories.csv) of their names for people and of what other sources call them.

categories.csv has a row for each word: the category, the scheme, the value, a note. Schemes:

``en``, ``zh``
    Names for people; every category has both, and both are words for it.
``osm``
    A tag of OpenStreetMap, ``key=value``; the values of amenity, shop, leisure and highway are also words for it.
``tag``
    A tag that is understood in tables of tags only, not taken from extracts.
``amap``
    A type code of Amap (高德地图POI分类编码, six digits: class, group, kind), or the first four for a whole group.
``word``
    A word, in Chinese or English, that stands alone or in a path such as 医疗保健服务;医药保健销售店;药房.
``ending``
    A word that also counts at the end of a name: 药房 in 柳岸大药房. Of several the longest counts.

A row without a category says what is none of them, such as 宠物医院, so that no shorter ending takes it for one.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pandas as pd

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "SCHEMES", "Categories", "Category", "Rows", "categories", "facility_categories", "recognise", "recognise_tags",
]  # fmt: skip

#: Rows of the list: category, scheme, value.
Rows = tuple[tuple[str, str, str], ...]
K = TypeVar("K")
V = TypeVar("V")

SCHEMES = ("en", "zh", "osm", "tag", "amap", "word", "ending")
_PATH = re.compile(r"[;；>＞]+")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_LONGEST = 40
# Keys of OpenStreetMap whose values say what they are without the key.
_SPEAKING = ("amenity", "shop", "leisure", "highway")


class Category(NamedTuple):
    """A facility category: its key and its names for people."""

    category: str
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class Categories:
    """The list, ready to be looked up in: each from what a source says to a category, ``""`` for none of ours."""

    names: Mapping[str, Category]
    osm: Mapping[tuple[str, str], str]
    tags: Mapping[tuple[str, str], str]
    codes: Mapping[str, str]
    words: Mapping[str, str]
    endings: Mapping[str, str]


@cache
def facility_categories() -> tuple[dict[str, Category], dict[tuple[str, str], str]]:
    """The categories by key, and the category of each OpenStreetMap (key, value), in file order."""
    listed = categories()
    return dict(listed.names), dict(listed.osm)


@cache
def categories(more: Rows = ()) -> Categories:
    """The categories of categories.csv, with further rows (category, scheme, value) that win over it.

    Raises
    ------
    OptionError
        When a further row has an unknown scheme, or no value.
    """
    wrong = next((row for row in more if row[1] not in SCHEMES or not row[2]), None)
    if wrong is not None:
        known = ", ".join(SCHEMES)
        raise OptionError(f"categories: the row {', '.join(wrong)} must have a value, and a scheme of {known}")
    text = resources.files("gridmap.tables").joinpath("categories.csv").read_text(encoding="utf-8")
    listed = [(r["category"], r["scheme"], r["value"]) for r in csv.DictReader(text.splitlines())]
    # the first that says a word has it, so further rows go first; but new categories are told after those listed
    rows = [*more, *listed]
    by_scheme = {scheme: [(key, value) for key, of, value in rows if of == scheme] for scheme in SCHEMES}
    english, chinese = (_first((key, value) for key, value in by_scheme[lang]) for lang in ("en", "zh"))
    keys = dict.fromkeys([key for key, *_ in listed] + [key for key, *_ in more])
    osm = _first((_tag(value), key) for key, value in by_scheme["osm"])
    endings = _first((_plain(value), key) for key, value in by_scheme["ending"])
    said = _first((_plain(value), key) for key, scheme, value in rows if scheme in ("word", "ending", "en", "zh"))
    values: dict[str, set[str]] = {}
    for (of, value), key in osm.items():
        if of in _SPEAKING:
            values.setdefault(value, set()).add(key)
    alone = {value: next(iter(of)) for value, of in values.items() if len(of) == 1}
    return Categories(
        names={key: Category(key, english.get(key, key), chinese.get(key, key)) for key in keys if key},
        osm=osm,
        tags={**_first((_tag(value), key) for key, value in by_scheme["tag"]), **osm},
        codes=_first((value, key) for key, value in by_scheme["amap"]),
        words={**alone, **said},
        endings=endings,
    )


def recognise(values: pd.Series, listed: Categories | None = None) -> pd.Series:
    """The category of each text, ``""`` where it is none that is known.

    A text may be a category, a word for one, a type code of Amap, or a path of types as Amap and Baidu give them, the
    last part of which that is known counts; several are parted by ``|``, and the first that is known counts.

    Examples
    --------
    >>> said = ["医疗保健服务;医药保健销售店;药房", "090601", "医疗;药店", "柳岸菜市场", "Drugstore", "宠物医院"]
    >>> recognise(pd.Series(said)).tolist()
    ['pharmacy', 'pharmacy', 'pharmacy', 'market', 'pharmacy', '']
    """
    listed = listed or categories()
    text = values.astype(object).where(values.notna(), "").astype(str)
    return text.map({one: _category(one, listed) for one in text.unique()}).astype(object)


def recognise_tags(tags: pd.DataFrame, listed: Categories | None = None) -> pd.Series:
    """The category of each row of tags, a column a key; of several the one listed first counts.

    Examples
    --------
    >>> recognise_tags(pd.DataFrame({"amenity": ["bank", None], "shop": [None, "supermarket"]})).tolist()
    ['bank', 'supermarket']
    """
    known = (listed or categories()).tags
    order = {pair: rank for rank, pair in enumerate(known)}
    best = pd.Series(len(order), index=tags.index)
    for key in tags.columns:
        rank = tags[key].map({value: rank for (of, value), rank in order.items() if of == key})
        best = best.where(~(rank < best), rank)
    found = {rank: known[pair] for pair, rank in order.items()}
    return best.map(found).fillna("").astype(object)


def _category(text: str, listed: Categories) -> str:
    for one in text.split("|"):
        plain = _plain(one)
        if plain in listed.names:
            return plain
        if plain.removesuffix(".0").isdecimal():
            found = _by_code(plain.removesuffix(".0"), listed)
        else:
            path = [part for part in map(_plain, _PATH.split(one)) if part]
            found = _by_path(path, listed) if len(path) > 1 else _by_name(plain, listed)
        if found:
            return found
    return ""


def _by_code(code: str, listed: Categories) -> str:
    """By a type code; one of five digits has lost its leading zero."""
    code = code.zfill(6)
    return listed.codes.get(code, listed.codes.get(code[:4], "")) if len(code) == 6 else ""


def _by_path(path: list[str], listed: Categories) -> str:
    """By the last part that is known. The first part is a whole class, such as 餐饮, and says too little."""
    for part in reversed(path[1:]):
        if part in listed.words:
            return listed.words[part]
    return ""


def _by_name(name: str, listed: Categories) -> str:
    """By the whole word, by what stands in brackets, or by how a name ends."""
    if name in listed.words:
        return listed.words[name]
    for inside in _BRACKETS.findall(name):
        if listed.words.get(inside):
            return listed.words[inside]
    bare = _BRACKETS.sub("", name).strip()
    if len(bare) > _LONGEST:
        return ""
    # the longest ending first
    return next((listed.endings[bare[i:]] for i in range(len(bare)) if bare[i:] in listed.endings), "")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _tag(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def _first(pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """The first value of each key."""
    out: dict[K, V] = {}
    for key, value in pairs:
        out.setdefault(key, value)
    return out
