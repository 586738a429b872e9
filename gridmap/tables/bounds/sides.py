"""The sides of a written description: its text taken apart, and the lines that each side's names stand for."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.bounds.names import match_names, simplified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["COMPASS", "Leg", "Reading", "bounds_from_text", "read_sides", "readings"]

#: The four sides clockwise, with the way each lies from the middle.
COMPASS = {"north": (0.0, 1.0), "east": (1.0, 0.0), "south": (0.0, -1.0), "west": (-1.0, 0.0)}
_CHINESE = {"东": "east", "西": "west", "南": "south", "北": "north"}
_NAME_COLUMNS = ("name", "name_en", "name_zh", "name:en", "name:zh", "alt_name", "old_name", "official_name", "ref")
# So many readings of misspelt names are tried, the surest first.
_MOST_READINGS = 24

_SIDE = (
    r"([东西南北](?:[、,和与及]?[东西南北])*)(?:面|侧|边|部|方|界|向|端|起)?"
    r"(?:至|到|起|临|邻|紧邻|毗邻|接|靠|抵|以|沿|为|是|连|:|=)+"
)
_WORDS = r"\b(east|west|south|north)(?:ern)?(?:\s+(?:side|boundary|bound|limit))?\s*(?:to|by|is|along|:|=|-)+\s*"
_MARKS = (
    re.compile(rf"(?:^|(?<=[\s,;。.:、\n]))(?:{_SIDE}|{_WORDS})", re.IGNORECASE),
    re.compile(f"{_SIDE}|{_WORDS}", re.IGNORECASE),
)
_LEADING = re.compile(r"^(?:[\s,;:。、.]|至|到|沿着?|以|紧?邻|临|靠|及)+")
_TRAILING = re.compile(
    r"(?:[\s,;:。、.]|为界|为止|止|一线|(?:道路)?(?:中心线|中线|红线|边线)|以?[东西南北]侧|以[东西南北](?:面|边|方)?|的|(?:^|(?<=[,;\s]))and)+$",
    re.IGNORECASE,
)
# What may follow the last side and is no name.
_MORE = re.compile(r"[。;\n]|[,\s](?=总?面积|占地|约|共|总|辖|其中|详见|the area|area\b)", re.IGNORECASE)
# 金银路以西: what lies west of a street has it on its east.
_BEYOND = re.compile(r"(?:位于|处于|地处|在)?([^\s,;:。、]+?)以([东西南北])(?:侧|面|边|方)?")
_OPPOSITE = {"东": "west", "西": "east", "南": "north", "北": "south"}
_BETWEEN = re.compile(r"\s*(?:、|,|/|\+|→|(?<=[路街道巷弄线河渠江胡同])(?:和|与|及|转|接|至|—+|-)|\s(?:and|then)\s)\s*")


class Leg(NamedTuple):
    """A stretch of the boundary: the side or sides it makes, the name asked for, the names found, and their lines."""

    sides: tuple[str, ...]
    wanted: str
    names: tuple[str, ...]
    score: float
    lines: NDArray[np.object_]


#: One way to read a description: its legs, clockwise from the north.
Reading = list[Leg]


def bounds_from_text(text: str) -> dict[str, list[str]]:
    """The four sides of a written description of bounds (四至).

    Understands 东至 … 西至 … 南至 … 北至 … in any order, with 到, 临, 邻, 接, 以 … 为界, 面, 侧 and a colon in place of
    至, one name for two sides (东、南至…), several names in order for one side (A路、B街), and ``east: …; west: …``.
    Of A路以西、B路以东、C路以南、D路以北, A路 is the east, B路 the west, C路 the north and D路 the south.

    Parameters
    ----------
    text
        The description.

    Returns
    -------
    dict
        Names in order by side: ``east``, ``west``, ``south``, ``north``.

    Raises
    ------
    OptionError
        When a side is absent, empty, or told twice.

    Examples
    --------
    >>> bounds_from_text("四至：东至黑甲山前街，西至金银路，南以和平路为界，北至北环路、锦绣街。")
    {'east': ['黑甲山前街'], 'west': ['金银路'], 'south': ['和平路'], 'north': ['北环路', '锦绣街']}
    """
    plain = simplified(text)
    best: dict[str, list[str]] = {}
    for mark in _MARKS:
        found = _sides_by(mark, plain, text)
        best = max(best, found, key=len)
        if len(best) == len(COMPASS):
            break
    if len(best) < len(COMPASS):
        best = max(best, _sides_beyond(plain), key=len)
    absent = [side for side in ("east", "west", "south", "north") if not best.get(side)]
    if absent:
        raise OptionError(
            f"text={text!r} does not say where the {' and the '.join(absent)} of the community is; write it as "
            "'东至…，西至…，南至…，北至…' or 'east: …; west: …; south: …; north: …'."
        )
    return {side: best[side] for side in ("east", "west", "south", "north")}


def _sides_by(mark: re.Pattern[str], plain: str, text: str) -> dict[str, list[str]]:
    marks = list(mark.finditer(plain))
    found: dict[str, list[str]] = {}
    for this, following in itertools.zip_longest(marks, marks[1:]):
        names = _names_of(plain[this.end() : following.start() if following else len(plain)])
        sides = [_CHINESE[c] for c in this[1] if c in _CHINESE] if this[1] else [this[2].lower()]
        for side in sides:
            if side in found and found[side] != names:
                raise OptionError(
                    f"text={text!r} tells the {side} twice: {'、'.join(found[side])} and {'、'.join(names)}; "
                    "give the names of one side together, in order."
                )
            found[side] = names
    return found


def _sides_beyond(plain: str) -> dict[str, list[str]]:
    """The sides by the streets beyond which the community does not reach; streets of one side in order."""
    found: dict[str, list[str]] = {}
    for name, way in _BEYOND.findall(plain):
        found.setdefault(_OPPOSITE[way], []).extend(_names_of(name))
    return found


def _names_of(part: str) -> list[str]:
    part = _MORE.split(part.strip(" ,;。\n"))[0]
    names = (_TRAILING.sub("", _LEADING.sub("", name)) for name in _BETWEEN.split(part))
    return [name for name in names if name]


def read_sides(text: str | None, given: Mapping[str, str | Iterable[str] | None]) -> dict[str, list[str]]:
    """Names in order by side, clockwise from the north, from a text or from arguments.

    Raises
    ------
    OptionError
        When a side has no name, or both a text and sides are given.
    """
    told = {
        side: [value] if isinstance(value, str) else list(value) for side, value in given.items() if value is not None
    }
    if text is not None:
        if told:
            raise OptionError(f"text= already tells the sides; leave out {', '.join(f'{s}=' for s in told)}.")
        told = bounds_from_text(text)
    out = {}
    for side in COMPASS:
        names = told.get(side, [])
        if not names or not all(isinstance(name, str) and name.strip() for name in names):
            raise OptionError(
                f"{side}={given.get(side)!r} names no street; give a name, or a list of names in order, for each of "
                "east, west, south and north, or the whole description as text=."
            )
        out[side] = names
    return out


def readings(sides: Mapping[str, list[str]], tables: Iterable[gpd.GeoDataFrame]) -> Iterator[Reading]:
    """The ways to read a description, the surest first; names in order are also tried in the opposite order.

    Raises
    ------
    OptionError
        When a name agrees with none in the tables.
    """
    names, lines = _named_lines(tables)
    if not len(names):
        raise OptionError("streets: no row has a name, so no side can be found; give a table with a column name.")
    all_names = names.unique()
    matches = {wanted: match_names(wanted, all_names) for wanted in dict.fromkeys(itertools.chain(*sides.values()))}
    unknown = [
        f"{side} {wanted!r} (nearest: {', '.join(matches[wanted][1]) or 'none'})"
        for side, asked in sides.items()
        for wanted in asked
        if not matches[wanted][0]
    ]
    if unknown:
        raise OptionError(
            f"no street or barrier is called: {'; '.join(unknown)}. Correct the name, or give the table that has it "
            "(streets, or barriers= for rivers, railways and walls)."
        )
    wanted = list(matches)
    ways = sorted(
        itertools.product(*(matches[name][0] for name in wanted)),
        key=lambda way: -sum(match.score for match in way),
    )
    for way in itertools.islice(ways, _MOST_READINGS):
        of = dict(zip(wanted, way, strict=True))
        for turned in itertools.product(
            *([names, names[::-1]] if len(names) > 1 else [names] for names in sides.values())
        ):
            legs = [
                Leg((side,), name, of[name].names, of[name].score, lines[names.isin(of[name].names).to_numpy()])
                for side, asked in zip(sides, turned, strict=True)
                for name in asked
            ]
            yield _joined(legs)


def _joined(legs: list[Leg]) -> list[Leg]:
    """Legs beside each other that are one street become one leg."""
    out: list[Leg] = []
    for leg in legs:
        if out and out[-1].names == leg.names:
            out[-1] = _both(out[-1], leg)
        else:
            out.append(leg)
    if len(out) > 1 and out[0].names == out[-1].names:
        out = [_both(out[-1], out[0]), *out[1:-1]]
    return out


def _both(a: Leg, b: Leg) -> Leg:
    return a._replace(sides=tuple(dict.fromkeys(a.sides + b.sides)), score=min(a.score, b.score))


def _each_name(text: str) -> list[str]:
    """A name, or each of several with a semicolon between, and all of them as they stand."""
    parts = [part.strip() for part in re.split("[;；]", text)]
    return parts if len(parts) == 1 else [*parts, text.strip()]


def _named_lines(tables: Iterable[gpd.GeoDataFrame]) -> tuple[pd.Series[str], NDArray[np.object_]]:
    """Each name with its line, a line with several names several times; of a polygon its outline."""
    import shapely

    names, lines = [], []
    for table in tables:
        shapes = np.asarray(table.geometry.array)
        shapes = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
        for column in _NAME_COLUMNS:
            if column not in table.columns:
                continue
            known = table[column].notna().to_numpy()
            parts = table.loc[known, column].astype(str).map(_each_name)
            at = np.repeat(np.flatnonzero(known), parts.str.len())
            names.append(pd.Series(parts.explode().to_numpy(dtype=object)))
            lines.append(shapes[at])
    if not names:
        return pd.Series([], dtype=object), np.array([], dtype=object)
    every, shape = pd.concat(names, ignore_index=True), np.concatenate(lines)
    good = (every != "").to_numpy()
    return every[good].reset_index(drop=True), shape[good]
