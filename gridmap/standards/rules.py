"""Rules: the kinds of requirement there are, and what a row of each kind must hold."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["COLUMNS", "RULES", "STATES", "TIERS", "Rule", "clean_tier", "parse_per"]

#: How well a requirement is verified: the standard's own wording was seen; a paper, a notice or an encyclopedia says
#: so; sources differ (`conflicting` has the other values); nobody reliable says so.
STATES = ("text", "secondary", "conflict", "unverified")
#: Tiers of residential areas in falling order: 十五分钟, 十分钟 and 五分钟生活圈居住区, 居住街坊.
TIERS = ("15min", "10min", "5min", "block")
#: Columns of a standard; those of a local file may be fewer, see `NEEDED`.
COLUMNS = (
    "requirement_id", "category", "tier", "rule", "value", "value_max", "unit", "per", "applies_to", "clause", "source",
    "row", "quote", "verification", "conflicting", "note",
)  # fmt: skip

_TIER_WORDS = {
    "15min": ("15", "15分钟", "十五分钟", "15-minute", "15 minutes"),
    "10min": ("10", "10分钟", "十分钟", "10-minute", "10 minutes"),
    "5min": ("5", "5分钟", "五分钟", "5-minute", "5 minutes"),
    "block": ("街坊", "居住街坊", "residential block"),
}
_BY_WORD = {word: tier for tier, words in _TIER_WORDS.items() for word in (tier, *words)}
_ENDINGS = ("生活圈居住区", "社区生活圈", "生活圈", "级")
_PER = re.compile(r"\s*(\d+(?:\.\d+)?)\s+(households|residents|dwellings|elderly|elderly_80|children)\s*")


class Rule(NamedTuple):
    """A kind of requirement.

    Attributes
    ----------
    units
        Units its value may have; none where it has no value.
    column
        The column of facilities it looks at, ``""`` where it only counts them.
    per
        Whether `per` may be given (``"may"``), must be (``"must"``) or must not (``""``).
    of_facilities
        Whether it asks for facilities of a category; the others say what a tier is.
    """

    units: tuple[str, ...]
    column: str = ""
    per: str = ""
    of_facilities: bool = True


#: ``reach``: people within so many minutes, metres along the streets, or metres in a straight line (``radius``) of one.
#: ``count``: so many in the unit, or so many per people. ``floor_area``, ``site_area``, ``classes``, ``width``: one
#: in the unit is at least so large. ``floor_area_norm``, ``site_area_norm``: all in the unit together, per people.
#: ``tier_*``: what a tier is. ``tiers_apart``: facilities of one tier do not stand in for those of another.
#: ``tiers_include_lower``: who reaches the population of a tier needs what the lower ones need as well.
RULES = {
    "reach": Rule(("minutes", "metres", "radius")),
    "count": Rule(("facilities",), per="may"),
    "floor_area": Rule(("m2",), "floor_area_m2"),
    "site_area": Rule(("m2",), "site_area_m2"),
    "classes": Rule(("classes",), "classes"),
    "width": Rule(("metres",), "width_m"),
    "floor_area_norm": Rule(("m2",), "floor_area_m2", per="must"),
    "site_area_norm": Rule(("m2",), "site_area_m2", per="must"),
    "tier_minutes": Rule(("minutes",), of_facilities=False),
    "tier_distance": Rule(("metres",), of_facilities=False),
    "tier_population": Rule(("residents",), of_facilities=False),
    "tier_dwellings": Rule(("dwellings",), of_facilities=False),
    "tiers_apart": Rule((), of_facilities=False),
    "tiers_include_lower": Rule((), of_facilities=False),
}


def clean_tier(text: object) -> str:
    """A tier as it is called here, ``""`` for nothing; what is no tier stays as it is.

    Examples
    --------
    >>> clean_tier("15 min"), clean_tier("五分钟生活圈"), clean_tier("居住街坊"), clean_tier(""), clean_tier("city")
    ('15min', '5min', 'block', '', 'city')
    """
    plain = str(text).strip().casefold()
    for ending in _ENDINGS:
        plain = plain.removesuffix(ending)
    plain = plain.strip()
    return _BY_WORD.get(plain) or _BY_WORD.get(plain.replace(" ", ""), plain)


def parse_per(text: str) -> tuple[float, str] | None:
    """``"100 households"`` as a number and a column of buildings; None where it is not that.

    Examples
    --------
    >>> parse_per("100 households"), parse_per("1000 residents"), parse_per("a while")
    ((100.0, 'households'), (1000.0, 'residents'), None)
    """
    found = _PER.fullmatch(text)
    return None if found is None or float(found[1]) == 0 else (float(found[1]), found[2])
