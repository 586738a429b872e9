"""Names of coordinate systems as planners write them: "CGCS2000 3度带 117", "北京54", "EPSG:4548".

Zones run both ways in use: 3-degree zones 25 to 45 and 6-degree zones 13 to 23 cover China, and a number from 75 to 135
is a central meridian. A zone stands in front of the easting (39 500 123 m); with a central meridian it does not.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError

from gridmap.errors import OptionError

__all__ = ["SIX_DEGREE_ZONES", "THREE_DEGREE_ZONES", "gauss_kruger", "known_crs"]

#: Zones of China. Central meridians: 3 x zone, and 6 x zone - 3 degrees east.
THREE_DEGREE_ZONES = range(25, 46)
SIX_DEGREE_ZONES = range(13, 24)

# Name in the EPSG registry, code of the degrees, and spellings once blanks and signs are gone.
_DATUMS = {
    "CGCS2000": (4490, r"CGCS2000|GCS2000|国家2000|2000国家大地坐标系?|国家大地2000|大地2000|中国大地坐标系2000"),
    "Beijing 1954": (4214, r"BEIJING(?:19)?54|BJ(?:19)?54|(?:19)?54北京(?:坐标系)?|北京(?:19)?54(?:坐标系)?"),
    "Xian 1980": (4610, r"XIAN(?:19)?80|(?:19)?80西安(?:坐标系)?|西安(?:19)?80(?:坐标系)?"),
}
_GAUSS = r"(?:GAUSSKRUGER|GAUSSKRÜGER|GK|高斯克吕格|高斯投影|高斯)?"
_KINDS = (
    rf"{_GAUSS}(?:(?P<width>[36])(?:度带|度|DEGREES?|DEG))?{_GAUSS}"
    r"(?P<kind>ZONE|CM|带号|带|中央经线|中央子午线|L0)?(?P<number>\d+)(?:°|度)?E?(?P<after>带)?"
)


def known_crs(crs: Any) -> CRS:
    """What `crs` stands for: anything pyproj takes, or one of the names above.

    Raises
    ------
    OptionError
        When it is neither, or a zone that China does not have.

    Examples
    --------
    >>> [known_crs(name).to_epsg() for name in ("CGCS2000", "CGCS2000 3度带 117", "CGCS2000 3度带 39带", "北京54")]
    [4490, 4548, 4527, 4214]
    """
    if isinstance(crs, str):
        return _by_name(crs)
    return _by_pyproj(crs)


@lru_cache(maxsize=256)
def _by_name(text: str) -> CRS:
    # names of the registry, "CGCS2000 / Gauss-Kruger CM 117E", have a code of their own
    if "/" in text:
        with suppress(OptionError):
            return _by_pyproj(text)
    squeezed = re.sub(r"[\s\-_/'’·,，:：()（）.第]+", "", text.upper())
    for datum, (code, spellings) in _DATUMS.items():
        match = re.match(f"(?:{spellings})(?P<rest>.*)$", squeezed)
        if match is None:
            continue
        rest = match["rest"]
        if not rest:
            return CRS.from_epsg(code)
        zone = re.fullmatch(_KINDS, rest)
        if zone is not None:
            return _zone(text, datum, zone)
    return _by_pyproj(text)


def _zone(text: str, datum: str, zone: re.Match[str]) -> CRS:
    number, kind = int(zone["number"]), zone["kind"] or zone["after"]
    meridian = kind in ("CM", "中央经线", "中央子午线", "L0") or (kind not in ("ZONE", "带号", "带") and number >= 75)
    width = int(zone["width"] or _only_width(text, number, meridian=meridian))
    return gauss_kruger(datum, width, number, prefix=not meridian)


def _only_width(text: str, number: int, *, meridian: bool) -> int:
    """3 or 6, where the number alone tells."""
    if meridian:
        # on one meridian the projection is the same; the narrow zones have all the meridians of the wide ones
        return 3
    widths = [w for w, zones in ((3, THREE_DEGREE_ZONES), (6, SIX_DEGREE_ZONES)) if number in zones]
    if not widths:
        raise OptionError(f"crs={text!r}: China has 3-degree zones 25 to 45 and 6-degree zones 13 to 23, not {number}.")
    return widths[0]


@lru_cache(maxsize=256)
def gauss_kruger(datum: str, width: int, number: int, *, prefix: bool) -> CRS:
    """The Gauss-Krüger projection of a zone, with the zone in front of the easting, or of a central meridian, without.

    Parameters
    ----------
    datum
        ``"CGCS2000"``, ``"Beijing 1954"`` or ``"Xian 1980"``.
    width
        3 or 6 degrees.
    number
        The zone with a `prefix`, the central meridian in degrees east without.
    prefix
        Whether eastings begin with the zone.

    Raises
    ------
    OptionError
        When there is no such zone in China.
    """
    zones = THREE_DEGREE_ZONES if width == 3 else SIX_DEGREE_ZONES
    meridians = range(75, 136, width)
    if number not in (zones if prefix else meridians):
        known = f"zones {zones[0]} to {zones[-1]} and central meridians 75, {75 + width}, ... 135"
        raise OptionError(f"{datum} {width}-degree Gauss-Krüger has {known} in China; {number} is none of them.")
    where = f"zone {number}" if prefix else f"CM {number}E"
    return CRS.from_user_input(f"{datum} / {'3-degree ' if width == 3 else ''}Gauss-Kruger {where}")


def _by_pyproj(crs: Any) -> CRS:
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        raise OptionError(
            f"crs={crs!r} is not a coordinate reference system; give for example 'EPSG:4490', 'EPSG:32650', "
            "'CGCS2000 3度带 117' or 'GCJ-02'."
        ) from error
