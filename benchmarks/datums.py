"""Packages that undo GCJ-02 and BD-09 beside our own: processor seconds for a million points, and worst error in mm.

Run with ``python benchmarks/datums.py``; what is not installed is left out. To have all of them:
``pip install coord-convert coordTransform eviltransform geocoordinates-rs prcoords``.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Geod

from gridmap.io import datums

if TYPE_CHECKING:
    from collections.abc import Callable

#: Points for a package that takes one at a time; its time is scaled to a million.
ONE_BY_ONE = 10_000
MANY = 1_000_000


def _swapped(function: Callable[[float, float], Any]) -> Callable[[float, float], tuple[float, float]]:
    """A function of latitude and longitude as one of longitude and latitude."""

    def call(lon: float, lat: float) -> tuple[float, float]:
        north, east = function(lat, lon)
        return east, north

    return call


def _geocoordinates(module: Any) -> Callable[[float, float], tuple[float, float]]:
    def call(lon: float, lat: float) -> tuple[float, float]:
        place = module.gcj02_to_wgs84_refined(module.Gcj02(lat=lat, lon=lon))
        return place.lon, place.lat

    return call


#: Package, its module, the inverse of GCJ-02 made from it, and whether it takes arrays.
PEERS: tuple[tuple[str, str, Callable[[Any], Any], bool], ...] = (
    ("coord-convert 0.2.1", "coord_convert.transform", lambda m: m.gcj2wgs, False),
    ("coordTransform 0.2.1", "coordTransform", lambda m: m.gcj02_to_wgs84, True),
    ("eviltransform 0.1.1", "eviltransform", lambda m: _swapped(m.gcj2wgs_exact), False),
    ("geocoordinates-rs 0.14.2", "geocoordinates_ffi", _geocoordinates, False),
    ("prcoords 1.0.2", "prcoords", lambda m: _swapped(lambda lat, lon: m.gcj_wgs_bored((lat, lon))), False),
)


def _measure(call: Callable[[Any, Any], Any], truth: np.ndarray, shifted: np.ndarray, *, arrays: bool) -> None:
    began = time.process_time()
    if arrays:
        back = np.column_stack(call(shifted[:, 0].copy(), shifted[:, 1].copy()))
    else:
        back = np.array([call(lon, lat) for lon, lat in shifted.tolist()])
    seconds = (time.process_time() - began) * MANY / len(truth)
    off = np.asarray(Geod(ellps="WGS84").inv(*truth.T, *back.T)[2])
    print(f"{seconds:9.2f} {off.max() * 1000:14.4f}")


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    truth = np.column_stack([rng.uniform(75, 133, MANY), rng.uniform(18, 53, MANY)])
    print(f"{'inverse':<34} {'s/million':>9} {'worst, mm':>14}")
    for name, there, back in (
        ("GCJ-02, gridmap", datums.wgs84_to_gcj02, datums.gcj02_to_wgs84),
        ("BD-09, gridmap", datums.wgs84_to_bd09, datums.bd09_to_wgs84),
    ):
        print(f"{name:<34}", end=" ")
        _measure(back, truth, np.column_stack(there(*truth.T)), arrays=True)
    for package, module, inverse, arrays in PEERS:
        print(f"{'GCJ-02, ' + package:<34}", end=" ")
        try:
            call = inverse(import_module(module))
        except ImportError:
            print(f"{'not installed':>24}")
            continue
        some = truth if arrays else truth[:ONE_BY_ONE]
        _measure(call, some, np.column_stack(datums.wgs84_to_gcj02(*some.T)), arrays=arrays)


if __name__ == "__main__":
    main()
