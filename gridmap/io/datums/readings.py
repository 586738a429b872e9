"""What bare numbers may mean: every system of China in which they fall in China.

A surveyor's file often says nothing of its system. Its numbers say a lot: degrees or metres, which axis comes first
(Chinese surveying writes X for north), the zone in front of an easting of eight digits. What they cannot say is the
zone of an easting of six digits, or whether degrees are shifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS, Transformer

from gridmap.io.datums.names import SIX_DEGREE_ZONES, THREE_DEGREE_ZONES, gauss_kruger
from gridmap.io.datums.shifted import SHIFTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["DATUMS_ALIKE", "Reading", "in_china", "parameter", "readings_of", "share_in_china", "to_lonlat"]

#: Projected systems of the older datums have the same numbers but for some 100 m.
DATUMS_ALIKE = "Beijing 1954 and Xian 1980 give the same numbers to some 100 m"

# Area of use of CGCS2000 in the EPSG registry (EPSG:4490): west, south, east, north in degrees.
_CHINA = (73.62, 16.7, 134.77, 53.56)
# Stray rows, such as coordinates of 0, must not hide what the others are.
# Eight digits are the most that an easting has.
_LARGEST = 1e8
_MOST = 0.95
# Eastings of a zone: 500 km on its meridian, and on either side half its width and a tenth for overlap, at the south of
# China (1.65 and 3.3 degrees of 105 km).
_HALF = {3: 175_000.0, 6: 350_000.0}


@dataclass(frozen=True)
class Reading:
    """One way to read the numbers.

    `crs` is what a reader's ``crs=`` takes, `swapped` whether north comes first, `lonlat` where the points then are;
    `hidden` is the shifted datum of the degrees that were projected, if any.
    """

    crs: str
    name: str
    swapped: bool
    lonlat: Array
    hidden: str | None = None

    def place(self, xy: Array) -> Array:
        """Coordinates of the table as WGS 84 longitudes and latitudes."""
        lonlat = to_lonlat(xy[:, ::-1] if self.swapped else xy, self.crs)
        return to_lonlat(lonlat, self.hidden) if self.hidden else lonlat


def readings_of(xy: Array, stated: Any = None) -> list[Reading]:
    """All readings that put the points into China, the system that is `stated` first, then the plainest.

    Parameters
    ----------
    xy
        Coordinates, one row a point; rows that no system has (not finite, above 1e8) are left out.
    stated
        What the file says they are in, or None.
    """
    xy = xy[(np.abs(xy) <= _LARGEST).all(axis=1)]
    stated = None if stated is None else CRS.from_user_input(stated)
    found: list[Reading] = []
    for swapped in (False, True):
        numbers = xy[:, ::-1] if swapped else xy
        for crs, name in _candidates(numbers, stated):
            lonlat = to_lonlat(numbers, crs)
            if share_in_china(lonlat) >= _MOST:
                found.append(Reading(crs, name, swapped, lonlat))
    return found


def to_lonlat(xy: Array, crs: str) -> Array:
    """Coordinates as WGS 84 longitudes and latitudes."""
    if crs in SHIFTED:
        return np.column_stack(SHIFTED[crs](xy[:, 0], xy[:, 1]))
    return np.column_stack(_to_wgs84(crs).transform(*xy.T))


@lru_cache(maxsize=128)
def _to_wgs84(crs: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(crs), 4326, always_xy=True)


def _candidates(xy: Array, stated: Any) -> list[tuple[str, str]]:
    """Systems whose range of numbers fits, as ``(crs, name)``."""
    if not len(xy):
        return []
    east, north = np.median(xy, axis=0)
    out: list[tuple[str, str]] = []
    if stated is not None and _fits(stated, east):
        out.append((_text(stated), f"{stated.name}, as stated"))
    if abs(east) <= 180 and abs(north) <= 90:
        out += [("EPSG:4326", "WGS 84 or CGCS2000 degrees"), ("GCJ-02", "GCJ-02 degrees"), ("BD-09", "BD-09 degrees")]
    elif 0 < north < 6_500_000:
        out += _with_zone(east) + _without_zone(east, stated)
    if abs(east) > 8_000_000:
        out.append(("EPSG:3857", "Web Mercator"))
    return list({crs: (crs, name) for crs, name in reversed(out)}.values())[::-1]


def _with_zone(east: float) -> list[tuple[str, str]]:
    """The zone that the first two of eight digits are."""
    zone, rest = int(east // 1_000_000), east % 1_000_000
    for width, zones in ((3, THREE_DEGREE_ZONES), (6, SIX_DEGREE_ZONES)):
        if zone in zones and abs(rest - 500_000) <= _HALF[width]:
            crs = gauss_kruger("CGCS2000", width, zone, prefix=True)
            return [(_text(crs), f"CGCS2000 {width}-degree zone {zone}, with the zone in the easting")]
    return []


def _without_zone(east: float, stated: Any) -> list[tuple[str, str]]:
    """All central meridians, that of the stated zone first; narrow zones have those of wide ones too."""
    if abs(east - 500_000) > _HALF[6]:
        return []
    width = 3 if abs(east - 500_000) <= _HALF[3] else 6
    meridians = list(range(75, 136, width))
    meant = parameter(stated, "Longitude of natural origin")
    meridians.sort(key=lambda m: (m != meant, m))
    plain = [
        (_text(gauss_kruger("CGCS2000", width, m, prefix=False)), f"CGCS2000 {width}-degree, central meridian {m}")
        for m in meridians
    ]
    return plain + [(f"EPSG:{32600 + zone}", f"WGS 84 UTM zone {zone}") for zone in range(43, 54)]


def _fits(crs: CRS, east: float) -> bool:
    # a projection far outside its zone still gives some place or other
    origin = parameter(crs, "False easting")
    return origin is None or abs(east - origin) <= _HALF[6]


def parameter(crs: Any, name: str) -> float | None:
    """A parameter of a transverse Mercator projection; None of any other system, or where a damaged one lacks it."""
    operation = None if crs is None else CRS.from_user_input(crs).coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator":
        return None
    return next((float(p.value) for p in operation.params if p.name == name), None)


@lru_cache(maxsize=128)
def _text(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def share_in_china(lonlat: Array) -> float:
    """Share of longitudes and latitudes within the area of use of CGCS2000."""
    return float(in_china(lonlat).mean())


def in_china(lonlat: Array) -> NDArray[np.bool_]:
    """Which longitudes and latitudes are within the area of use of CGCS2000."""
    west, south, east, north = _CHINA
    lon, lat = lonlat.T
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
