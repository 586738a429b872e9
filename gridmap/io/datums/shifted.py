"""GCJ-02 and BD-09, the shifted coordinates of Chinese web maps, to and from WGS 84.

GCJ-02 (Amap, Tencent) moves WGS 84 by 300 to 700 m with a formula that has been public since 2010; BD-09 (Baidu) moves
GCJ-02 once more. The formulas have no closed inverse: it is found by iteration, here to below 0.5 mm.

The code is our own because none of the packages tried (eviltransform, coord-convert, prcoords, coordTransform,
geocoordinates-rs) both inverts to a millimetre and takes arrays: they need 14 to 44 s for a million points, or are
metres off (``python benchmarks/datums.py`` prints the table). Other datums are left to PROJ.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Formula = Callable[[Array, Array], tuple[Array, Array]]

__all__ = ["SHIFTED", "bd09_to_wgs84", "gcj02_to_wgs84", "shifted_name", "to_wgs84", "wgs84_to_bd09", "wgs84_to_gcj02"]

# Krasovsky 1940, as the published formula has it.
_A = 6378245.0
_EE = 0.00669342162296594323
_BAIDU_PI = np.pi * 3000 / 180
_BAIDU_MOVE = (0.0065, 0.006)
# Outside this box around China the formula is not applied (lon, lat in degrees).
_BOX = (72.004, 137.8347, 0.8293, 55.8271)
# The iteration stops once what was missing before its last step is below this (degrees; 1e-7 is 1 cm). A step leaves
# less than 0.6 % of that for GCJ-02, whose shift changes by at most 600 m a degree, and 2 % for BD-09: 0.06 and 0.2 mm.
_ENOUGH = 1e-7
_STEPS = 10
# Points worked on at a time: a dozen arrays of them fit into the cache of a processor, which halves the time.
_AT_ONCE = 16_384


def wgs84_to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 longitudes and latitudes in degrees as GCJ-02; unchanged outside China.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(np.array([116.3975]), np.array([39.9087]))
    >>> bool(abs(lon[0] - 116.40374) < 1e-5), bool(abs(lat[0] - 39.91010) < 1e-5)
    (True, True)
    """
    return _in_pieces(_to_gcj02, lon, lat)


def wgs84_to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 longitudes and latitudes in degrees as BD-09."""
    return _in_pieces(lambda x, y: _gcj02_to_bd09(*_to_gcj02(x, y)), lon, lat)


def gcj02_to_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """GCJ-02 longitudes and latitudes in degrees as WGS 84, to below 0.1 mm."""
    return _in_pieces(_from_gcj02, lon, lat)


def bd09_to_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """BD-09 longitudes and latitudes in degrees as WGS 84, to below 0.5 mm."""
    return _in_pieces(lambda x, y: _from_gcj02(*_bd09_to_gcj02(x, y)), lon, lat)


#: Names of the shifted datums, as `crs=` takes them, and the way back to WGS 84.
SHIFTED: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {"GCJ-02": gcj02_to_wgs84, "BD-09": bd09_to_wgs84}

_SPELLINGS = {"GCJ02": "GCJ-02", "GCJ2": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}
_MAPS = {"火星": "GCJ-02", "国测局": "GCJ-02", "高德": "GCJ-02", "腾讯": "GCJ-02", "百度": "BD-09"}
_SPELLINGS |= {
    f"{name}{kind}": datum for name, datum in _MAPS.items() for kind in ("", "坐标", "坐标系", "地图", "经纬度")
}


def shifted_name(crs: object) -> str | None:
    """``"GCJ-02"`` or ``"BD-09"`` when `crs` names one of them, in whatever spelling, else None."""
    text = crs.upper().replace("-", "").replace("_", "").replace(" ", "") if isinstance(crs, str) else ""
    return _SPELLINGS.get(text)


def to_wgs84(table: gpd.GeoDataFrame, datum: str) -> gpd.GeoDataFrame:
    """A table whose coordinates are GCJ-02 or BD-09 degrees, in EPSG:4326.

    Raises
    ------
    OptionError
        When `datum` is not one of `SHIFTED`.
    """
    name = shifted_name(datum)
    if name is None:
        raise OptionError(f"{datum!r} is not a shifted datum; those are {', '.join(SHIFTED)}.")
    undo = SHIFTED[name]
    shape = shapely.transform(table.geometry.to_numpy(), lambda xy: np.column_stack(undo(xy[:, 0], xy[:, 1])))
    return table.set_geometry(gpd.GeoSeries(shape, index=table.index, crs=4326))


def _to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    # sin(6 pi x), sin(pi x) and sin(pi y) come from the sines of a third of their angles
    double, third_x, third_y = np.sin(2 * np.pi * x), np.sin(np.pi / 3 * x), np.sin(np.pi / 3 * y)
    wave = 20 * _triple(double) + 20 * double
    north = wave + 20 * _triple(third_y) + 40 * third_y + 160 * np.sin(np.pi / 12 * y) + 320 * np.sin(np.pi / 30 * y)
    east = wave + 20 * _triple(third_x) + 40 * third_x + 150 * np.sin(np.pi / 12 * x) + 300 * np.sin(np.pi / 30 * x)
    north = north * (2 / 3) - 100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = east * (2 / 3) + 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    sine = np.sin(np.radians(lat))
    magic = 1 - _EE * sine * sine
    lengthwise = np.sqrt(magic)
    inside = (lon > _BOX[0]) & (lon < _BOX[1]) & (lat > _BOX[2]) & (lat < _BOX[3])
    # metres to degrees; the cosine is never 0 inside the box
    to_lat = np.degrees(magic * lengthwise) / (_A * (1 - _EE))
    to_lon = np.degrees(lengthwise) / (_A * np.sqrt(np.where(inside, 1 - sine * sine, 1.0)))
    return np.where(inside, lon + east * to_lon, lon), np.where(inside, lat + north * to_lat, lat)


def _triple(sine: Array) -> Array:
    """The sine of three times the angle."""
    return sine * (3 - 4 * sine * sine)


def _gcj02_to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Baidu's shift: farther from (0, 0) by up to 2e-5 degrees, turned about it by up to 3e-6, and moved."""
    farther = 1 + 0.00002 * np.sin(lat * _BAIDU_PI) / np.sqrt(lon * lon + lat * lat)
    turn = 0.000003 * np.cos(lon * _BAIDU_PI)
    # cosine and sine of an angle so small, exact to the last digit
    cosine, sine = 1 - turn * turn / 2, turn - turn**3 / 6
    return farther * (lon * cosine - lat * sine) + _BAIDU_MOVE[0], farther * (lat * cosine + lon * sine) + _BAIDU_MOVE[
        1
    ]


def _bd09_to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    return _inverse(_gcj02_to_bd09, lon, lat, start=(lon - _BAIDU_MOVE[0], lat - _BAIDU_MOVE[1]))


def _from_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    return _inverse(_to_gcj02, lon, lat, start=(lon, lat))


def _inverse(forward: Formula, lon: Array, lat: Array, *, start: tuple[Array, Array]) -> tuple[Array, Array]:
    """Where `forward` leads to (lon, lat): move by what is missing until next to nothing is."""
    at_lon, at_lat = start
    for _ in range(_STEPS):
        now_lon, now_lat = forward(at_lon, at_lat)
        off_lon, off_lat = lon - now_lon, lat - now_lat
        at_lon, at_lat = at_lon + off_lon, at_lat + off_lat
        # not-a-number is never above the limit
        if not ((np.abs(off_lon) > _ENOUGH) | (np.abs(off_lat) > _ENOUGH)).any():
            break
    return at_lon, at_lat


def _in_pieces(formula: Formula, lon: Array, lat: Array) -> tuple[Array, Array]:
    lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    out_lon, out_lat = np.empty_like(flat_lon), np.empty_like(flat_lat)

    def work(first: int) -> None:
        piece = slice(first, first + _AT_ONCE)
        # infinite coordinates become not-a-number
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            out_lon[piece], out_lat[piece] = formula(flat_lon[piece], flat_lat[piece])

    firsts = range(0, len(flat_lon), _AT_ONCE)
    if len(firsts) > 1:
        # numpy lets other threads run while it counts
        with ThreadPoolExecutor() as threads:
            list(threads.map(work, firsts))
    elif firsts:
        work(0)
    return out_lon.reshape(lon.shape), out_lat.reshape(lat.shape)
