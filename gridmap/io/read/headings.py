"""Headings: which column of a file is which column of a table, in English and Chinese, by the list in headings.csv.

headings.csv has a row for each heading: the table it counts in (``any``: every table that has the column; ``place``
and ``category``: columns that together say where or what something is), our column, the heading, and a note. Where
several headings of a column are there, the one listed first is taken, and the others are reported. Registered (户籍),
resident (常住) and total (总户数) households and dwellings (套数) are different quantities: each heading stands for one
column only. What is not listed is named by the user with ``columns=``, which always wins.
"""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from gridmap.errors import ReadError
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "CATEGORY_LEVELS", "CATEGORY_TAGS", "CERTAIN_IDS", "LATITUDE", "LATLNG", "LNGLAT", "LONGITUDE", "PAIR", "WKT", "X",
    "Y", "id_candidates", "known_headings", "match_headings", "other_headings", "pair_names", "plain", "stated_datum",
    "without_datum",
]  # fmt: skip

CERTAIN_IDS = ("id", "编号", "编码")
_IDS = ("id", "fid", "ogc_fid", "objectid", "gid", "uid", "osm_id", "编号", "编码", "number")
_DATUMS = (
    ("GCJ-02", r"gcj|火星|高德|amap|腾讯|tencent"),
    ("BD-09", r"bd[-_ ]?09|^bd[-_ ]?l|百度|baidu"),
    ("WGS 84", r"wgs"),
)
# What is left of the heading of a coordinate without them is that of a longitude or latitude: 经度GCJ02, bd_lat.
_DATUM_WORDS = re.compile(
    r"gcj(?:02)?|bd09(?:ll)?|^bd|wgs(?:84)?|(?:火星|高德|百度|腾讯)(?:坐标系?)?|amap|baidu|tencent"
)
# Names that readers know beside those of the contracts; and how alike a slip of the pen is: housholds 0.95, whereas
# elderly_65 is 0.8 like elderly_80, and a column in its own right.
_PASSED_ON = ("name", "node_ids", "street_id", "barrier_id")
_ALIKE = 0.85


def plain(heading: object) -> str:
    """A heading without case, blanks, underscores and what is in brackets: ``"Floors (No.)"`` is ``"floors"``."""
    text = re.sub(r"[(（\[【].*?[)）\]】]", "", str(heading).casefold())
    return re.sub(r"[\s_\-.]+", "", text.lstrip("\ufeff"))


def id_candidates(headings: Iterable[object]) -> list[str]:
    """Headings that are clearly an id, the most certain first."""
    by_name = {plain(h): str(h) for h in reversed(list(headings))}
    return [by_name[plain(name)] for name in _IDS if plain(name) in by_name]


def match_headings(
    headings: Iterable[object],
    table: str,
    columns: Mapping[str, str] | None,
    source: str,
    *,
    but: Collection[str] = (),
) -> dict[str, str]:
    """Heading of each column of a table, as ``{our name: their heading}``.

    Parameters
    ----------
    headings
        The headings present.
    table
        Name of the table, for example ``"buildings"``.
    columns
        What the user said, ``{our name: their heading}``; it wins.
    source
        Named in messages.
    but
        Headings that are taken already: those of coordinates.

    Raises
    ------
    ReadError
        When `columns` names a heading that is not there, or a column that is nearly one of ours.
    """
    present = [str(h) for h in headings]
    said = dict(columns or {})
    absent = {ours: theirs for ours, theirs in said.items() if theirs not in present}
    if absent:
        named = ", ".join(f"{theirs!r} for {ours}" for ours, theirs in absent.items())
        raise ReadError(
            f"{source}: columns= names {named}, but the headings present are: {', '.join(present) or 'none'}. "
            "Correct the name; it must be spelt as in the file."
        )
    for ours in said:
        near = difflib.get_close_matches(ours, _known(table), n=1, cutoff=_ALIKE)
        if near and ours not in (*_known(table), *_PASSED_ON):
            raise ReadError(
                f"{source}: columns= names {ours!r}, which is no column of {table}: did you mean {near[0]!r}? Our name "
                "comes first, the heading of the source second."
            )
    matched = dict(said)
    taken = {*said.values(), *but}
    free: dict[str, list[str]] = {}
    for heading in present:
        free.setdefault(plain(heading), []).append(heading)
    for ours, names in _known(table).items():
        if ours in matched:
            continue
        if ours in present and ours not in taken:
            matched[ours] = ours
            taken.add(ours)
            continue
        choices = next((free[plain(n)] for n in names if set(free.get(plain(n), ())) - taken), [])
        if len(choices) > 1:
            raise ReadError(
                f"{source}: the headings {', '.join(map(repr, choices))} could all be {ours}. "
                f"Say which one: columns={{{ours!r}: {choices[0]!r}}}."
            )
        if choices:
            matched[ours] = choices[0]
            taken.add(choices[0])
    return matched


def other_headings(headings: Iterable[object], table: str, matched: Mapping[str, str]) -> dict[str, list[str]]:
    """Headings that could have been a column for which another was taken, in order of preference."""
    free: dict[str, list[str]] = {}
    for heading in map(str, headings):
        if heading not in matched.values():
            free.setdefault(plain(heading), []).append(heading)
    known = _known(table)
    fits = {ours: [h for n in known.get(ours, ()) for h in free.get(plain(n), ())] for ours in matched}
    return {ours: list(dict.fromkeys(others)) for ours, others in fits.items() if others}


def known_headings() -> frozenset[str]:
    """Every heading that some table knows, as `plain` has it."""
    return frozenset(plain(heading) for _, _, heading in _listed()) | frozenset(map(plain, _IDS))


def stated_datum(heading: str) -> str | None:
    """The datum that the heading of a coordinate says it is in: 经度(GCJ-02), 百度经度."""
    return next((name for name, words in _DATUMS if re.search(words, heading.casefold())), None)


def without_datum(heading: str) -> str:
    """A heading, as `plain` has it, without the datum that it names: 经度GCJ02 is 经度.

    Examples
    --------
    >>> [without_datum(name) for name in ("lon_gcj02", "bd_lat", "百度经度", "纬度（火星）")]
    ['lon', 'lat', '经度', '纬度']
    """
    return _DATUM_WORDS.sub("", plain(heading))


def pair_names(heading: str) -> list[str]:
    """What a heading of both coordinates may be listed as: what is in its brackets first, for it says the order.

    Examples
    --------
    >>> pair_names("坐标（纬度，经度）"), pair_names("高德坐标"), pair_names("Lat, Lng")
    (['纬度经度', '坐标'], ['坐标'], ['latlng'])
    """
    inside = re.findall(r"[(（\[【](.*?)[)）\]】]", heading)
    parts = [re.sub(r"[,，、/;；&+和|]+", "", without_datum(part)) for part in (*inside, heading)]
    # 高德坐标 is a datum's name as a whole
    named = "坐标" if not parts[-1] and "坐标" in heading else parts[-1]
    return [part for part in (*parts[:-1], named) if part]


@cache
def _listed() -> tuple[tuple[str, str, str], ...]:
    """Table, column and heading of each row of headings.csv."""
    text = resources.files("gridmap.io.read").joinpath("headings.csv").read_text(encoding="utf-8")
    return tuple((r["table"], r["column"], r["heading"]) for r in csv.DictReader(text.splitlines()))


def _place(column: str, of: str = "place") -> tuple[str, ...]:
    return tuple(heading for table, ours, heading in _listed() if table == of and ours == column)


@cache
def _known(table: str) -> dict[str, tuple[str, ...]]:
    """Headings known for each column of a table: its own ones first."""
    # 编号 alone is an id, so `id_candidates` has it; a foreign key such as community_id is only taken where it belongs
    columns = [c.name for c in CONTRACTS[table].columns]
    own = [(ours, heading) for of, ours, heading in _listed() if of == table]
    shared = [(ours, heading) for of, ours, heading in _listed() if of == "any"]
    names = dict.fromkeys([*columns, *(ours for ours, _ in own)])
    return {n: (n, *(h for ours, h in (*own, *shared) if ours == n)) for n in names}


LONGITUDE, LATITUDE, X, Y, WKT = (_place(column) for column in ("lon", "lat", "x", "y", "wkt"))
#: Headings of columns of categories: of classes from whole to fine, and of tags and codes.
CATEGORY_LEVELS = tuple(_place(level, "category") for level in ("1", "2", "3"))
CATEGORY_TAGS = (*_place("tag", "category"), *_place("code", "category"))
PAIR, LNGLAT, LATLNG = (_place(column) for column in ("pair", "lnglat", "latlng"))
