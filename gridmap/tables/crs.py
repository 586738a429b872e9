"""The CRS that metric work is done in: the data's own where it is true to scale, else UTM or Gauss-Krüger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS, Proj, Transformer

from gridmap.errors import TableError
from gridmap.tables.contracts import violation

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["known_crs", "metric_crs", "to_crs", "to_metric"]

# DESIGN, section 3: a projection is used as it is when lengths are within 0.2 % of true over the data.
_SCALE_TOLERANCE = 0.002
# CGCS2000 / 3-degree Gauss-Krüger CM 75E ... 135E are EPSG 4534 ... 4554 (EPSG registry).
_GAUSS_KRUGER_FIRST, _GAUSS_KRUGER_MERIDIAN = 4534, 75
_CGCS2000_NAMES = ("China Geodetic Coordinate System 2000", "China 2000", "CGCS2000", "China_2000")


def metric_crs(table: gpd.GeoDataFrame) -> CRS:
    """CRS in metres for a table: its own when true to scale over the data, else one chosen from the data.

    A projected CRS in metres whose scale is within 0.2 % of true at the corners and the centre of the data is kept
    (EPSG:3857 is not). Else CGCS2000 3-degree Gauss-Krüger when the data is on that datum, or WGS 84 UTM.

    Parameters
    ----------
    table
        Any table with a CRS and at least one geometry.

    Raises
    ------
    TableError
        When the table has no CRS.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> metric_crs(gpd.GeoSeries([Point(116.4, 39.9)], crs=4326).to_frame("geometry")).to_epsg()
    32650
    >>> metric_crs(gpd.GeoSeries([Point(116.4, 39.9)], crs=4490).to_frame("geometry")).to_epsg()
    4548
    """
    crs = CRS.from_user_input(known_crs(table))
    bounds = table.total_bounds
    if not np.isfinite(bounds).all():
        return crs
    if _true_to_scale(crs, bounds):
        return crs
    geographic = Transformer.from_crs(crs, 4326, always_xy=True)
    lon, lat = geographic.transform((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    datum = crs.geodetic_crs.datum.name if crs.geodetic_crs is not None and crs.geodetic_crs.datum else ""
    if any(name in datum for name in _CGCS2000_NAMES):
        zone = round((lon - _GAUSS_KRUGER_MERIDIAN) / 3)
        return CRS.from_epsg(_GAUSS_KRUGER_FIRST + int(np.clip(zone, 0, 20)))
    utm = int(np.floor((lon + 180) / 6)) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + utm)


def to_metric(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table in the CRS of `metric_crs`; itself when that is already so."""
    return to_crs(table, metric_crs(table))


def to_crs(table: gpd.GeoDataFrame, crs: object) -> gpd.GeoDataFrame:
    """The table in another CRS; itself, not a copy, when it is already in that one.

    Raises
    ------
    TableError
        When the table has no CRS.
    """
    return table if CRS.from_user_input(known_crs(table)) == CRS.from_user_input(crs) else table.to_crs(crs)


def known_crs(table: gpd.GeoDataFrame, name: str = "table") -> object:
    """The CRS of a table.

    Raises
    ------
    TableError
        When it has none.
    """
    if table.crs is None:
        import pandas as pd

        row = violation(
            None, "geometry", "no CRS", "a coordinate reference system",
            "Pass crs= to the reader, or use .set_crs() when you know which one it is.",
        )  # fmt: skip
        raise TableError(name, pd.DataFrame([row]))
    return table.crs


def _true_to_scale(crs: CRS, bounds: np.ndarray) -> bool:
    if not crs.is_projected or any(axis.unit_name not in ("metre", "meter") for axis in crs.axis_info[:2]):
        return False
    x = np.array([bounds[0], bounds[0], bounds[2], bounds[2], (bounds[0] + bounds[2]) / 2])
    y = np.array([bounds[1], bounds[3], bounds[1], bounds[3], (bounds[1] + bounds[3]) / 2])
    projection = Proj(crs)
    lon, lat = projection(x, y, inverse=True)
    factors = projection.get_factors(lon, lat)
    scales = np.r_[factors.meridional_scale, factors.parallel_scale]
    return bool(np.isfinite(scales).all() and (np.abs(scales - 1) <= _SCALE_TOLERANCE).all())
