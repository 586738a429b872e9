"""Joining: rows of one table put below those of another."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap.tables.crs import to_crs

__all__ = ["put_below"]


def put_below(table: gpd.GeoDataFrame, more: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Both tables, in the CRS and with the geometry column of the first, rows numbered anew."""
    name = table.geometry.name
    if more.geometry.name != name:
        more = more.rename_geometry(name)
    # columns without a value would change the type of those they meet
    joined = pd.concat([table, to_crs(more, table.crs).dropna(axis=1, how="all")], ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry=name, crs=table.crs)
