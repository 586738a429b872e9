"""Whether a table lies where its system is used: what is stated wrongly puts it elsewhere on Earth."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from pyproj import CRS, Transformer

from gridmap.io.datums.propose import proposals_in_words
from gridmap.io.datums.readings import parameter, share_in_china

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["why_doubtful", "why_not_there"]

# Degrees round the area of use: a city at a border keeps to the neighbouring zone, 3 degrees further.
_MARGIN = 3.5
# Degrees on either side of the meridian of a projection that no registry knows: half of the widest zones.
_HALF_ZONE = 3.0
_POINTS = 5_000
# A system used on more than so many degrees is one of the whole Earth.
_WORLD = 350.0
# A system that is none of the registry's is taken for the one that it is as good as (per cent, as PROJ counts).
_AS_GOOD = 70


class _Area(NamedTuple):
    west: float
    south: float
    east: float
    north: float


def why_not_there(table: gpd.GeoDataFrame) -> str:
    """Why most of a table cannot be in its projected CRS, in words; nothing where it may be, or nothing is known.

    The area of use is that of the EPSG registry, with 3.5 degrees round it. Numbers that are degrees of China are never
    metres, whatever the area.

    Examples
    --------
    >>> import geopandas as gpd
    >>> degrees = gpd.GeoDataFrame(geometry=gpd.points_from_xy([116.3], [40.0]), crs=4548)
    >>> why_not_there(degrees)
    'but the numbers, from (116.3, 40) to (116.3, 40), are degrees'
    >>> why_not_there(degrees.set_crs(4326, allow_override=True).to_crs(4548))
    ''
    """
    crs = table.crs
    if crs is None or not crs.is_projected:
        return ""
    xy = _middles(table)
    if not len(xy):
        return ""
    if max(share_in_china(xy), share_in_china(xy[:, ::-1])) > 0.5:
        return f"but the numbers, {_numbers(table)}, are degrees"
    area = _area(crs)
    if area is None or _share_within(_lonlat(xy, crs), area) >= 0.5:
        return ""
    return f"{_used(area)}, but that is not where it puts coordinates {_numbers(table)}"


def why_doubtful(table: gpd.GeoDataFrame) -> str:
    """Why most of a table is not likely where its CRS puts it, though it may be, in words; nothing where all is well.

    Degrees lie outside the area of use of their system, or lie in China only once their axes are exchanged; or metres
    of a system of the whole Earth lie outside China, and read as another system lie in it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> why_doubtful(gpd.GeoDataFrame(geometry=gpd.points_from_xy([43.8], [87.6]), crs=4326))
    'puts the table round 43.8 east, 87.6 north; with its axes exchanged it lies in China'
    """
    crs, xy = table.crs, _middles(table)
    area = None if crs is None else _area(crs)
    if area is None or not len(xy):
        return ""
    lonlat = xy if crs.is_geographic else _lonlat(xy, crs)
    lon, lat = np.median(lonlat, axis=0)
    where = f"puts the table round {lon:.4g} east, {lat:.4g} north"
    if share_in_china(lonlat) > 0.5:
        return ""
    if crs.is_geographic and share_in_china(xy[:, ::-1]) > 0.5:
        return f"{where}; with its axes exchanged it lies in China"
    if crs.is_geographic and _share_within(lonlat, area) < 0.5:
        return f"{where}, outside where it is used: it {_used(area).removeprefix('which ')}"
    words = proposals_in_words(table) if crs.is_projected and area.east - area.west > _WORLD else ""
    return f"{where}. If that is not so: {words}" if words else ""


def _middles(table: gpd.GeoDataFrame) -> Array:
    """The middles of shapes from all over the table, of a large one only some: where most of it lies needs no more."""
    shapes = np.asarray(table.geometry.array)
    shapes = shapes[~shapely.is_missing(shapes)]
    bounds = _finite_bounds(shapes[:: max(len(shapes) // _POINTS, 1)])
    middles: Array = (bounds[:, :2] + bounds[:, 2:]) / 2
    return middles


def _numbers(table: gpd.GeoDataFrame) -> str:
    bounds = _finite_bounds(np.asarray(table.geometry.array))
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    return f"from ({west:.10g}, {south:.10g}) to ({east:.10g}, {north:.10g})"


def _finite_bounds(shapes: NDArray[np.object_]) -> Array:
    bounds = shapely.bounds(shapes)
    finite: Array = bounds[np.isfinite(bounds).all(axis=1)]
    return finite


def _used(area: _Area) -> str:
    return f"which is used from {area.west:g} to {area.east:g} degrees east and {area.south:g} to {area.north:g} north"


def _area(crs: CRS) -> _Area | None:
    """Where a system is used: as the registry says, else round the meridian of its projection."""
    area = crs.area_of_use
    if area is None:
        code = crs.to_epsg(min_confidence=_AS_GOOD)
        area = None if code is None else CRS.from_epsg(code).area_of_use
    if area is not None:
        return _Area(area.west, area.south, area.east, area.north)
    meridian = parameter(crs, "Longitude of natural origin")
    return None if meridian is None else _Area(meridian - _HALF_ZONE, -90.0, meridian + _HALF_ZONE, 90.0)


def _lonlat(xy: Array, crs: CRS) -> Array:
    return np.column_stack(Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy.T))


def _share_within(lonlat: Array, area: _Area) -> float:
    """Share of the points near the area, which may cross the date line; what no projection reaches is not."""
    lon, lat = np.where(np.isfinite(lonlat), lonlat, 999.0).T
    width = (area.east - area.west) % 360 or 360.0
    beyond_west = (lon - area.west + _MARGIN) % 360
    near = (beyond_west <= width + 2 * _MARGIN) & (lat >= area.south - _MARGIN) & (lat <= area.north + _MARGIN)
    return float(near.mean())
