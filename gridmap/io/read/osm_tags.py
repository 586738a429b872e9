"""Which OpenStreetMap tags make a street, a building, a facility ...: one rule a table, from tags to a row.

Each rule takes the tags of one element and returns the row's columns, a `LeftOut` with the reason when the element
looks like one but is not taken, or None when it is something else. No geometry here, and no files.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gridmap.tables.categories import facility_categories

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KEYS", "RULES", "LeftOut"]

Tags = dict[str, str]
Row = dict[str, Any]

_NOT_BUILT = {"construction", "proposed", "planned", "razed", "abandoned", "demolished", "disused", "no", "dismantled"}
_NOT_STREETS = {"platform", "rest_area", "services", "bus_stop", "elevator", "emergency_bay", "street_lamp"}
_GATES = {
    "gate", "lift_gate", "swing_gate", "sliding_gate", "wicket_gate", "kissing_gate", "entrance", "turnstile",
    "full-height_turnstile", "hampshire_gate", "sally_port",
}  # fmt: skip
_WALLS = {"wall", "city_wall", "fence", "retaining_wall", "hedge"}
_HARD = {"river", "canal", "water", "railway"}
_RAILWAYS = {"rail", "light_rail", "subway", "narrow_gauge", "monorail", "funicular"}
_WATERWAYS = {"river", "canal"}
_ORNAMENTAL_WATER = {"fountain", "pool", "reflecting_pool"}
_PLACES = {"suburb", "quarter", "neighbourhood", "city_block", "village", "hamlet"}
_MPH = 1.609344


class LeftOut(NamedTuple):
    """Why an element is not taken."""

    reason: str


def street(tags: Tags) -> Row | LeftOut | None:
    """Every way with ``highway=*``, walkable or not, but for areas and what is not built."""
    kind = tags.get("highway")
    if kind is None:
        return None
    if kind in _NOT_BUILT:
        return LeftOut("highway that is not built or no longer there")
    if kind in _NOT_STREETS:
        return LeftOut("highway=* that is no way to go along (platform, rest area ...)")
    if tags.get("area") == "yes" and kind != "pedestrian":
        return LeftOut("highway drawn as an area; only pedestrian squares are kept, as their ring")
    return {
        "class": kind,
        "name": tags.get("name"),
        "oneway": _oneway(tags),
        "access": tags.get("access"),
        "foot": tags.get("foot"),
        "bicycle": tags.get("bicycle"),
        "motor_vehicle": tags.get("motor_vehicle"),
        "motorcar": tags.get("motorcar"),
        "service": tags.get("service"),
        # what decides who may use a street in which direction: `usable_streets` and `street_directions`
        "area": tags.get("area"),
        "junction": tags.get("junction"),
        "cycleway": tags.get("cycleway"),
        "oneway:bicycle": tags.get("oneway:bicycle"),
        "oneway:foot": tags.get("oneway:foot"),
        "speed_kmh": _speed(tags.get("maxspeed")),
        "layer": tags.get("layer"),
        "bridge": tags.get("bridge", "no") != "no",
        # a passage through a building is at ground level: it bounds land like any street
        "tunnel": tags.get("tunnel", "no") not in ("no", "building_passage"),
        "stairs": kind == "steps",
        "ford": tags.get("ford", "no") != "no",
        "covered": tags.get("covered", "no") != "no" or tags.get("tunnel") == "building_passage",
    }


def building(tags: Tags) -> Row | None:
    """Everything with ``building=*`` but ``no``."""
    kind = tags.get("building")
    if kind is None or kind == "no":
        return None
    return {
        "use": _use(tags),
        "floors": _number(tags.get("building:levels")),
        "dwellings": _number(tags.get("building:flats")),
        "name": tags.get("name"),
        "address": _address(tags),
    }


def compound(tags: Tags) -> Row | None:
    """``landuse=residential`` that has a name or a barrier of its own: the nearest OpenStreetMap has to a compound."""
    if tags.get("landuse") != "residential" or not ("name" in tags or "barrier" in tags):
        return None
    return {"name": tags.get("name"), "barrier": tags.get("barrier")}


def entrance(tags: Tags) -> Row | None:
    """Gates (``barrier=gate`` and the like) and doors (``entrance=*``)."""
    gate, door = tags.get("barrier"), tags.get("entrance", "no")
    if gate not in _GATES and door == "no":
        return None
    shut = tags.get("access") == "no" or tags.get("locked") == "yes" or tags.get("foot") == "no"
    return {"kind": gate if gate in _GATES else "door", "open": not shut, "name": tags.get("name")}


def barrier(tags: Tags) -> Row | LeftOut | None:
    """Rivers and canals, water, railways on the surface, walls, fences and hedges."""
    kind = _barrier_kind(tags)
    if kind is None:
        return None
    if tags.get("tunnel", "no") != "no" or tags.get("location") == "underground" or tags.get("covered") == "yes":
        return LeftOut("barrier below ground")
    # One walks below a viaduct. Walls and fences part plots, and their gates are seldom mapped: taken as hard, those of
    # Las Palmas would shut in 7,243 of 128,421 households and cut its communities into 247 pieces too small for a grid.
    hard = kind in _HARD and not (kind == "railway" and tags.get("bridge", "no") != "no")
    return {"kind": kind, "hard": hard, "name": tags.get("name")}


def facility(tags: Tags) -> Row | None:
    """What categories.csv lists; an element in several categories takes the one listed first."""
    by_tag = facility_categories()[1]
    found = [pair for pair in tags.items() if pair in by_tag]
    if not found:
        return None
    order = _facility_order()
    first = min(found, key=order.__getitem__)
    return {
        "category": by_tag[first],
        "name": tags.get("name"),
        "address": _address(tags),
        "phone": tags.get("phone") or tags.get("contact:phone"),
        "opening_hours": tags.get("opening_hours"),
        "operator": tags.get("operator"),
        "public": tags.get("access") not in ("private", "no"),
        "status": "existing",
    }


def community(tags: Tags) -> Row | None:
    """Administrative areas, and named places that are drawn as areas."""
    level = tags.get("admin_level", "")
    if tags.get("boundary") == "administrative" and level.isdigit():
        return {"name": tags.get("name"), "kind": None, "admin_level": int(level)}
    if tags.get("place") in _PLACES and "name" in tags:
        return {"name": tags.get("name"), "kind": None, "admin_level": 0}
    return None


#: The rule of each table.
RULES: dict[str, Callable[[Tags], Row | LeftOut | None]] = {
    "streets": street,
    "buildings": building,
    "compounds": compound,
    "entrances": entrance,
    "barriers": barrier,
    "facilities": facility,
    "communities": community,
}

#: The keys without which an element cannot be part of a table: what a file is filtered by.
KEYS: Mapping[str, tuple[str, ...]] = {
    "streets": ("highway",),
    "buildings": ("building",),
    "compounds": ("landuse",),
    "entrances": ("barrier", "entrance"),
    "barriers": ("waterway", "natural", "landuse", "railway", "barrier"),
    "facilities": tuple(dict.fromkeys(key for key, _ in facility_categories()[1])),
    "communities": ("boundary", "place"),
}


@cache
def _facility_order() -> dict[tuple[str, str], int]:
    return {pair: i for i, pair in enumerate(facility_categories()[1])}


def _barrier_kind(tags: Tags) -> str | None:
    if tags.get("waterway") in _WATERWAYS:
        return "river" if tags["waterway"] == "river" else "canal"
    if tags.get("natural") == "water" or tags.get("waterway") == "riverbank" or tags.get("landuse") == "reservoir":
        return None if tags.get("water") in _ORNAMENTAL_WATER else "water"
    if tags.get("railway") in _RAILWAYS:
        return "railway"
    wall = tags.get("barrier")
    return wall if wall in _WALLS else None


def _oneway(tags: Tags) -> str | None:
    value = tags.get("oneway")
    if value in ("true", "1"):
        return "yes"
    if value == "reverse":
        return "-1"
    if value is None and (tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"):
        return "yes"
    return value


def _use(tags: Tags) -> str | None:
    """The use of a building: the value of ``building`` where that says something, else of what is in it."""
    kind = tags["building"]
    if kind != "yes":
        return kind
    if "amenity" in tags:
        return tags["amenity"]
    if "shop" in tags:
        return "retail"
    for key in ("office", "industrial", "leisure", "tourism", "man_made", "power", "healthcare", "railway"):
        if tags.get(key, "no") != "no":
            return key if tags[key] == "yes" or key == "office" else tags[key]
    return None


def _address(tags: Tags) -> str | None:
    if "addr:full" in tags:
        return tags["addr:full"]
    street_name = tags.get("addr:street") or tags.get("addr:place")
    if street_name is None:
        return None
    return " ".join(filter(None, (street_name, tags.get("addr:housenumber"))))


def _number(text: str | None) -> float | None:
    """The largest plain number in a list such as ``"4;6"``; None where there is none above 0."""
    values = [float(part) for part in re.findall(r"\d+(?:\.\d+)?", text or "")] if text and "-" not in text else []
    return max((v for v in values if v > 0), default=None)


def _speed(text: str | None) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/h)?", text or "")
    if match is None:
        return None
    return float(match[1]) * (_MPH if match[2] == "mph" else 1.0)
