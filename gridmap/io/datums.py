"""GCJ-02 and BD-09, the shifted coordinates of Chinese web maps, to and from WGS 84.

GCJ-02 (Amap, Tencent) moves WGS 84 by 300 to 700 m with a formula that has been public since 2010; BD-09 (Baidu) moves
GCJ-02 once more. The formulas have no closed inverse: it is found by iteration, here to below 1 mm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["SHIFTED", "bd09_to_wgs84", "gcj02_to_wgs84", "shifted_name", "to_wgs84", "wgs84_to_bd09", "wgs84_to_gcj02"]

# Krasovsky 1940, as the published formula has it.
_A = 6378245.0
_EE = 0.00669342162296594323
_BAIDU_PI = np.pi * 3000 / 180
# Outside this box around China the formula is not applied (lon, lat in degrees).
_BOX = (72.004, 137.8347, 0.8293, 55.8271)
# 1e-10 degrees is 0.01 mm; the iteration gains more than two digits a step.
_ENOUGH = 1e-10
_STEPS = 30


def wgs84_to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 longitudes and latitudes in degrees as GCJ-02; unchanged outside China.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(np.array([116.3975]), np.array([39.9087]))
    >>> bool(abs(lon[0] - 116.40374) < 1e-5), bool(abs(lat[0] - 39.91010) < 1e-5)
    (True, True)
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    d_lat += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    d_lat += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    d_lon += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    d_lon += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    d_lat *= 180 / ((_A * (1 - _EE)) / (magic * np.sqrt(magic)) * np.pi)
    d_lon *= 180 / (_A / np.sqrt(magic) * np.cos(phi) * np.pi)
    inside = (lon > _BOX[0]) & (lon < _BOX[1]) & (lat > _BOX[2]) & (lat < _BOX[3])
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def wgs84_to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 longitudes and latitudes in degrees as BD-09."""
    return _gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def gcj02_to_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """GCJ-02 longitudes and latitudes in degrees as WGS 84, to below 1 mm."""
    return _inverse(wgs84_to_gcj02, lon, lat)


def bd09_to_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """BD-09 longitudes and latitudes in degrees as WGS 84, to below 1 mm."""
    return gcj02_to_wgs84(*_inverse(_gcj02_to_bd09, lon, lat))


#: Names of the shifted datums, as `crs=` takes them, and the way back to WGS 84.
SHIFTED: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {"GCJ-02": gcj02_to_wgs84, "BD-09": bd09_to_wgs84}


def shifted_name(crs: object) -> str | None:
    """``"GCJ-02"`` or ``"BD-09"`` when `crs` names one of them, in whatever spelling, else None."""
    text = crs.upper().replace("-", "").replace("_", "").replace(" ", "") if isinstance(crs, str) else ""
    return {"GCJ02": "GCJ-02", "GCJ2": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}.get(text)


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


def _gcj02_to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _inverse(forward: Callable[[Array, Array], tuple[Array, Array]], lon: Array, lat: Array) -> tuple[Array, Array]:
    """Where `forward` leads to (lon, lat): move by what is missing until nothing is."""
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    at_lon, at_lat = lon.copy(), lat.copy()
    for _ in range(_STEPS):
        now_lon, now_lat = forward(at_lon, at_lat)
        off_lon, off_lat = lon - now_lon, lat - now_lat
        at_lon, at_lat = at_lon + off_lon, at_lat + off_lat
        if not len(lon) or max(np.nanmax(np.abs(off_lon)), np.nanmax(np.abs(off_lat))) < _ENOUGH:
            break
    return at_lon, at_lat
