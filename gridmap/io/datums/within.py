"""Whether a table lies where its projected system is used: what is stated wrongly puts it elsewhere on Earth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS, Transformer

from gridmap.io.datums.readings import share_in_china

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj.aoi import AreaOfUse

    Array = NDArray[np.float64]

__all__ = ["why_not_there"]

# Degrees round the area of use: a city at a border keeps to the neighbouring zone, 3 degrees further.
_MARGIN = 3.5


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
    bounds = shapely.bounds(np.asarray(table.geometry.array))
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if crs is None or not crs.is_projected or not len(bounds):
        return ""
    xy = (bounds[:, :2] + bounds[:, 2:]) / 2
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    numbers = f"from ({west:.10g}, {south:.10g}) to ({east:.10g}, {north:.10g})"
    if max(share_in_china(xy), share_in_china(xy[:, ::-1])) > 0.5:
        return f"but the numbers, {numbers}, are degrees"
    area = crs.area_of_use
    if area is None or _share_within(_lonlat(xy, crs), area) >= 0.5:
        return ""
    return (
        f"which is used from {area.west:g} to {area.east:g} degrees east and {area.south:g} to {area.north:g} north, "
        f"but that is not where it puts coordinates {numbers}"
    )


def _lonlat(xy: Array, crs: CRS) -> Array:
    return np.column_stack(Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy.T))


def _share_within(lonlat: Array, area: AreaOfUse) -> float:
    """Share of the points near the area, which may cross the date line; what no projection reaches is not."""
    lon, lat = np.where(np.isfinite(lonlat), lonlat, 999.0).T
    width = (area.east - area.west) % 360 or 360.0
    beyond_west = (lon - area.west + _MARGIN) % 360
    near = (beyond_west <= width + 2 * _MARGIN) & (lat >= area.south - _MARGIN) & (lat <= area.north + _MARGIN)
    return float(near.mean())
