"""Profiles: how fast somebody moves, and which streets of a mode may be used in which direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MODES", "PROFILES", "Profile", "as_profile", "street_directions", "street_pace", "usable_streets"]

MODES = ("walk", "cycle", "drive")


@dataclass(frozen=True)
class Profile:
    """A named speed set.

    Parameters
    ----------
    name
        Its name, for results and messages.
    mode
        ``"walk"``, ``"cycle"`` or ``"drive"``.
    kmh
        Speed on any street that `class_kmh` does not name, km/h.
    leg_kmh
        Speed on the straight leg between a place and the street, km/h; always on foot.
    stairs
        Factor on the speed along steps (class ``steps``, or ``stairs`` true).
    class_kmh
        Speeds by street class, km/h. When driving, the `speed_kmh` of a street goes before them.
    """

    name: str
    mode: str = "walk"
    kmh: float = 4.8
    leg_kmh: float = 4.8
    stairs: float = 0.5
    class_kmh: Mapping[str, float] = field(default_factory=dict)


# Free flow in a city with its lights, not the limit; round figures that a user replaces by measured ones.
_CAR_KMH = {
    "motorway": 80.0, "motorway_link": 50.0, "trunk": 60.0, "trunk_link": 40.0, "primary": 40.0, "primary_link": 35.0,
    "secondary": 35.0, "secondary_link": 30.0, "tertiary": 30.0, "tertiary_link": 25.0, "residential": 20.0,
    "living_street": 10.0, "service": 10.0,
}  # fmt: skip

#: The profiles by name. 4.8 km/h is the 80 m a minute that planning guides count with; the elderly walk at 1 m/s.
PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile("adult"),
        Profile("elderly", kmh=3.6, leg_kmh=3.6, stairs=0.4),
        Profile("child", kmh=4.0, leg_kmh=4.0),
        # a cyclist pushes the bicycle where people walk
        Profile("cyclist", "cycle", kmh=15.0, class_kmh={"footway": 4.8, "pedestrian": 4.8, "steps": 4.8}, stairs=0.3),
        Profile("car", "drive", kmh=25.0, class_kmh=_CAR_KMH),
    )
}
_DEFAULT_OF_MODE = {"walk": "adult", "cycle": "cyclist", "drive": "car"}

# Which OSM values shut a street to a mode: the choice of OSMnx ("walk", "bike", "drive_service"), with two differences:
# `access=no` shuts like `access=private`, and a mode's own tag opens what `access` shuts.
_NEVER = frozenset((
    "abandoned", "bus_guideway", "construction", "corridor", "elevator", "escalator", "motor", "no", "planned",
    "platform", "proposed", "raceway", "razed", "rest_area", "services",
))  # fmt: skip
_SHUT_CLASSES = {
    "walk": _NEVER | {"cycleway", "motorway", "motorway_link"},
    "cycle": _NEVER | {"footway", "steps", "motorway", "motorway_link"},
    "drive": _NEVER | {"bridleway", "busway", "cycleway", "footway", "path", "pedestrian", "steps", "track"},
}
_OWN_TAG = {"walk": ("foot",), "cycle": ("bicycle",), "drive": ("motorcar", "motor_vehicle")}
_OPENING = frozenset(("yes", "designated", "permissive", "destination"))
_SHUTTING = frozenset(("no", "private"))
_SHUT_SERVICES = {
    "walk": frozenset(("private",)),
    "cycle": frozenset(("private",)),
    "drive": frozenset(("private", "emergency_access", "parking", "parking_aisle")),
}
# Classes that a mode may use only where its own tag says so.
_BY_TAG_ONLY = {"walk": frozenset[str](), "cycle": frozenset(("footway",)), "drive": frozenset[str]()}


def as_profile(profile: str | Profile | Mapping[str, object], mode: str | None = None) -> Profile:
    """The profile of a name, a mapping or itself.

    Parameters
    ----------
    profile
        A name of `PROFILES`; or a mapping with any of the fields of `Profile`, and optionally ``base``, the name of the
        profile it changes.
    mode
        The mode it must have. With ``"cycle"`` and ``"drive"`` the general default ``"adult"`` means the cyclist and
        the car.

    Raises
    ------
    OptionError
        When the name or a field is unknown, a speed is not positive, or the profile is of another mode.

    Examples
    --------
    >>> as_profile("elderly").kmh
    3.6
    >>> as_profile({"base": "adult", "kmh": 4.0}).stairs
    0.5
    """
    if mode is not None and mode not in MODES:
        raise OptionError(f"mode={mode!r} is unknown; use one of {', '.join(map(repr, MODES))}")
    found = _read_profile(profile, mode)
    speeds = [found.kmh, found.leg_kmh, found.stairs, *found.class_kmh.values()]
    if not all(isinstance(s, (int, float)) and np.isfinite(s) and s > 0 for s in speeds):
        raise OptionError(f"profile {found.name!r}: every speed and factor must be a number above 0, got {speeds}")
    if mode is not None and found.mode != mode:
        raise OptionError(
            f"profile {found.name!r} is for mode {found.mode!r}, not {mode!r}; give mode={found.mode!r}, or a profile "
            f"for {mode!r} such as {_DEFAULT_OF_MODE[mode]!r}"
        )
    return found


def _read_profile(profile: str | Profile | Mapping[str, object], mode: str | None) -> Profile:
    if isinstance(profile, Profile):
        return profile
    if isinstance(profile, str):
        name = _DEFAULT_OF_MODE[mode] if profile == "adult" and mode is not None else profile
        if name not in PROFILES:
            raise OptionError(f"profile={profile!r} is unknown; use one of {', '.join(PROFILES)}, or a mapping")
        return PROFILES[name]
    if not isinstance(profile, Mapping):
        raise OptionError(f"profile must be a name or a mapping, not {type(profile).__name__}")
    fields = dict(profile)
    base = PROFILES.get(str(fields.pop("base", _DEFAULT_OF_MODE[str(fields.get("mode", mode or "walk"))])))
    unknown = sorted(set(fields) - set(Profile.__dataclass_fields__))
    if base is None or unknown:
        raise OptionError(
            f"profile has unknown fields {unknown} or base; fields are {', '.join(Profile.__dataclass_fields__)} and "
            f"base, one of {', '.join(PROFILES)}"
        )
    if "kmh" in fields and "leg_kmh" not in fields and base.mode == "walk":
        fields["leg_kmh"] = fields["kmh"]
    return replace(base, **{"name": "custom", **fields})  # type: ignore[arg-type]


def usable_streets(streets: pd.DataFrame, mode: str) -> npt.NDArray[np.bool_]:
    """Which streets a mode may use, by class and access tags; columns that are absent shut nothing.

    Shut are the classes, `access`, own tags and `service` values that OSMnx leaves out for the mode, and ``area=yes``,
    except that pedestrian squares are walked along their outline; `access` ``no`` and ``private`` shut a street unless
    the mode's own tag (`foot`, `bicycle`, `motor_vehicle`) opens it. On the extracts of Las Palmas and Porto the
    walking choice without the squares gives 83,327 and 303,643 nodes.
    """
    kind = _text(streets, "class")
    own = _own_tag(streets, mode)
    opened = own.isin(_OPENING)
    shut = kind.isin(_SHUT_CLASSES[mode]) & ~(opened & kind.isin(_BY_TAG_ONLY[mode]))
    shut |= (_text(streets, "area") == "yes") & ~((kind == "pedestrian") & (mode == "walk"))
    shut |= _text(streets, "service").isin(_SHUT_SERVICES[mode])
    shut |= own.isin(_SHUTTING)
    shut |= _text(streets, "access").isin(_SHUTTING) & ~opened
    return np.asarray(~shut, dtype=np.bool_)


def street_directions(streets: pd.DataFrame, mode: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each street may be used along, and against, the order of its vertices.

    Walking ignores `oneway` and obeys ``oneway:foot`` alone. Cycling obeys `oneway` unless ``oneway:bicycle=no`` or a
    `cycleway` that runs opposite. Driving obeys `oneway`; a roundabout and a motorway are one-way unless they say no.
    """
    if mode == "walk":
        value = _text(streets, "oneway:foot")
    else:
        value = _text(streets, "oneway")
        implied = _text(streets, "junction").isin(("roundabout", "circular")) | (_text(streets, "class") == "motorway")
        value = value.mask((value == "") & implied, "yes")
    if mode == "cycle":
        own = _text(streets, "oneway:bicycle")
        value = value.mask(own != "", own)
        value = value.mask(_text(streets, "cycleway").str.startswith("opposite"), "no")
    forward = ~value.isin(("-1", "reverse"))
    backward = ~value.isin(("yes", "true", "1", "1.0", "true"))
    return np.asarray(forward, dtype=np.bool_), np.asarray(backward, dtype=np.bool_)


def street_pace(streets: pd.DataFrame, profile: Profile, length: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Seconds per metre on each street.

    A `crossing_delay_s` is spread evenly along its street, so that a part of the street costs its part of the delay.

    Parameters
    ----------
    streets
        The streets.
    profile
        The speeds.
    length
        Length of each street, metres.
    """
    kind = _text(streets, "class")
    kmh = kind.map(dict(profile.class_kmh)).astype("float64").fillna(profile.kmh).to_numpy(copy=True)
    if profile.mode == "drive" and "speed_kmh" in streets:
        limit = pd.to_numeric(streets["speed_kmh"], errors="coerce").to_numpy("float64", copy=True)
        kmh = np.where(np.isfinite(limit) & (limit > 0), limit, kmh)
    steps = (kind == "steps").to_numpy() | flag(streets, "stairs")
    pace: npt.NDArray[np.float64] = 3.6 / np.where(steps, kmh * profile.stairs, kmh)
    if "crossing_delay_s" in streets:
        delay = pd.to_numeric(streets["crossing_delay_s"], errors="coerce").fillna(0.0).to_numpy("float64")
        pace = pace + np.divide(delay, length, out=np.zeros(len(length)), where=length > 0)
    return pace


def flag(table: pd.DataFrame, column: str, *, absent: bool = False) -> npt.NDArray[np.bool_]:
    """A column of true and false, also where it was written ``yes`` or ``1``; `absent` where it says nothing."""
    text = _text(table, column)
    no = text.isin(("no", "false", "0", "0.0"))
    return np.asarray(~no & ((text != "") | absent), dtype=np.bool_)


def _own_tag(streets: pd.DataFrame, mode: str) -> pd.Series:
    """The most particular tag of the mode that each street carries, else an empty text."""
    value = pd.Series("", index=streets.index, dtype=object)
    for name in reversed(_OWN_TAG[mode]):
        tag = _text(streets, name)
        value = value.mask(tag != "", tag)
    return value


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as lower-case text, empty where it is missing or absent."""
    if column not in table:
        return pd.Series("", index=table.index, dtype=object)
    values = table[column]
    if values.isna().all():
        return pd.Series("", index=table.index, dtype=object)
    return values.astype(object).where(values.notna(), "").astype(str).str.strip().str.lower().astype(object)
