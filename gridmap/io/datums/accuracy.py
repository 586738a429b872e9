"""How far off a table may be once it is turned into WGS 84: never silent where PROJ has no parameters for a datum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS, Transformer
from pyproj.transformer import AreaOfInterest, TransformerGroup

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["datum_remark"]

# Datums that are WGS 84 to within a metre: CGCS2000 differs by the motion of the plates since 2000, about 3 cm a year
# (Wei Ziqing, 2008, on CGCS2000: coordinates of one epoch agree to centimetres).
_AS_GOOD = ("World Geodetic System 1984", "China 2000")
_MARGIN = 0.001
_BALLPARK = "Ballpark geographic offset"


def datum_remark(table: gpd.GeoDataFrame) -> str | None:
    """What to know of the datum of a table before it is laid over data in WGS 84, or None where there is nothing.

    PROJ has parameters from Beijing 1954 to WGS 84 for a few oil fields and basins only, and none from Xian 1980:
    elsewhere it keeps latitude and longitude as they are, and says so only to those who ask.
    """
    crs = CRS.from_user_input(table.crs)
    datum = _datum_name(crs)
    bounds = np.asarray(table.total_bounds, dtype=np.float64)
    if not datum or any(name in datum for name in _AS_GOOD) or not np.isfinite(bounds).all():
        return None
    lonlat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform_bounds(*bounds)
    if not np.isfinite(lonlat).all():
        return None
    best = _best(crs, lonlat)
    if best is None:
        return (
            f"{datum}: there are no public parameters from it to WGS 84 here, so latitudes and longitudes are kept as "
            "they are; against data in WGS 84 or CGCS2000 the table may lie some 100 m off. Have the surveying office "
            "convert it to CGCS2000."
        )
    if best.accuracy > 1:
        return (
            f"{datum}: turned into WGS 84 to about {best.accuracy:g} m, by PROJ's {best.description.split(' + ')[1]}."
        )
    return None


def _best(crs: CRS, lonlat: tuple[float, ...]) -> Transformer | None:
    """The best way to WGS 84 whose area holds all of the data, or None where PROJ would only guess."""
    west, south, east, north = lonlat
    # PROJ finds nothing for an area without extent
    around = AreaOfInterest(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    for way in TransformerGroup(crs, 4326, always_xy=True, area_of_interest=around).transformers:
        area = way.area_of_use
        holds = area is not None and area.west <= west and area.south <= south
        if holds and east <= area.east and north <= area.north and _BALLPARK not in way.description:
            return way
    return None


def _datum_name(crs: Any) -> str:
    geodetic = crs.geodetic_crs
    return "" if geodetic is None or geodetic.datum is None else str(geodetic.datum.name)
