"""Outlines of locked grids: the very ones of the earlier plan, with the neighbours drawn to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.division.plans.plan import GridPlan

__all__ = ["locked_shapes", "with_shapes", "with_walls"]

# Two outlines that differ by less are the same but for the last digits.
_ROUNDING_M2 = 0.01


def locked_shapes(locked: Mapping[Any, str], previous: GridPlan) -> gpd.GeoSeries:
    """Outlines of the locked grids by label."""
    before = previous.grids.set_index("grid_id").geometry
    return gpd.GeoSeries(before.loc[list(locked.values())].to_numpy(), index=list(locked), crs=previous.grids.crs)


def with_walls(
    ground: Mapping[str, gpd.GeoDataFrame | None], shapes: gpd.GeoSeries | None
) -> Mapping[str, gpd.GeoDataFrame | None]:
    """The ground with some outlines among its barriers, so that no border near them is drawn anew."""
    if shapes is None:
        return ground
    given = ground["barriers"]
    lines = gpd.GeoDataFrame(geometry=shapes.boundary.to_numpy(), crs=shapes.crs)
    walls = lines if given is None else pd.concat([given[["geometry"]], to_crs(lines, given.crs)], ignore_index=True)
    return {**ground, "barriers": walls}


def with_shapes(grids: gpd.GeoDataFrame, shapes: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """The grids, those of some labels with other outlines; what they lose or gain, their neighbours gain or lose."""
    out = grids.geometry.copy()
    crs = metric_crs(grids)
    metres = to_crs(grids[["geometry"]], crs).geometry.to_numpy()
    wanted = to_crs(shapes.to_frame("geometry"), crs).geometry
    changed = np.zeros(len(grids), dtype=bool)
    for label, shape in wanted.items():
        at = grids.index.get_loc(label)
        if shapely.area(shapely.symmetric_difference(metres[at], shape)) <= _ROUNDING_M2:
            continue
        others = np.flatnonzero((grids["community_id"] == grids["community_id"].iloc[at]).to_numpy())
        others = others[others != at]
        over = others[shapely.area(shapely.intersection(metres[others], shape)) > 0]
        metres[over] = shapely.difference(metres[over], shape)
        changed[over] = True
        left = shapely.get_parts(shapely.difference(metres[at], shape))
        for piece in left[(shapely.area(left) > 0) & (len(others) > 0)]:
            border = shapely.length(shapely.intersection(shapely.boundary(piece), metres[others]))
            to = others[np.argmax(border)]
            metres[to] = shapely.union(metres[to], piece)
            changed[to] = True
    moved = to_crs(gpd.GeoDataFrame(geometry=metres, index=grids.index, crs=crs), grids.crs).geometry
    out = out.where(~changed, moved)
    exact = to_crs(shapes.to_frame("geometry"), grids.crs).geometry
    out.loc[exact.index] = exact
    return grids.set_geometry(out)
