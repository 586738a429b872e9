"""Responsibility areas: the land of one villager group in one grid each, numbered below it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.plans.codes import reading_order
from gridmap.division.plans.outlines import outlines
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from gridmap.division.plans.plan import GridPlan

__all__ = ["with_areas"]


def with_areas(plan: GridPlan) -> GridPlan:
    """The plan with responsibility areas: the land of one villager group in one grid each.

    Areas tile the grids they lie in; they are named after the group and numbered after their grid. Which group an
    atom belongs to stands in ``plan.atoms["group"]``; grids whose atoms have none have no areas.

    Parameters
    ----------
    plan
        With atoms.
    """
    atoms = plan.atoms
    if atoms is None or "group" not in atoms or not atoms["group"].notna().any():
        return plan
    known = atoms[atoms["group"].notna() & atoms["grid_id"].notna()].reset_index(drop=True)
    metric = to_crs(known, metric_crs(plan.communities))
    label, pairs = pd.factorize(pd.MultiIndex.from_frame(known[["grid_id", "group"]]), sort=True)
    shapes = outlines(metric, label)
    named = pd.DataFrame(list(pairs), columns=["grid_id", "group"]).loc[shapes.index]
    areas = gpd.GeoDataFrame(named, geometry=shapes.to_numpy(), crs=metric.crs)
    grid = to_crs(plan.grids, metric.crs).set_index("grid_id").geometry
    areas.geometry = _within_grids(areas, grid)
    order = reading_order(areas.rename(columns={"grid_id": "community_id"}))
    number = (areas["grid_id"].loc[order].groupby(areas["grid_id"].loc[order]).cumcount() + 1).reindex(areas.index)
    areas.insert(0, "area_id", areas["grid_id"] + "-" + number.astype(str).str.zfill(2))
    area_of = pd.Series(areas["area_id"].reindex(label).to_numpy(), index=known["atom_id"])
    rows = plan.assignment.assign(area_id=plan.assignment["atom_id"].map(area_of))
    rows["area_id"] = rows["area_id"].astype(object).where(rows["area_id"].notna(), None)
    sums = rows.groupby("area_id").agg(households=("households", "sum"), buildings=("building_id", "nunique"))
    community = known.groupby("grid_id")["community_id"].first()
    table = areas.assign(
        community_id=areas["grid_id"].map(community),
        kind="responsibility",
        households=areas["area_id"].map(sums["households"]).fillna(0.0),
        buildings=areas["area_id"].map(sums["buildings"]).fillna(0).astype("int64"),
        area_m2=shapely.area(areas.geometry.to_numpy()),
        name=areas["group"],
    )
    columns = ["area_id", "grid_id", "community_id", "kind", "households", "buildings", "area_m2", "name", "geometry"]
    table = to_crs(table[columns].sort_values("area_id").reset_index(drop=True), plan.grids.crs)
    return replace(plan, assignment=rows, areas=table)


def _within_grids(areas: gpd.GeoDataFrame, grids: gpd.GeoSeries) -> np.ndarray:
    """Areas cut at the outline of their grid, which may be straighter than its atoms.

    What is left over goes to the area it borders on.
    """
    shapes = np.asarray(areas.geometry.array).copy()
    owner = areas["grid_id"].to_numpy()
    for name in np.unique(owner):
        at = np.flatnonzero(owner == name)
        grid = grids.loc[name]
        if len(at) == 1:
            shapes[at] = grid
            continue
        shapes[at] = [_polygons(shape) for shape in shapely.intersection(shapes[at], grid)]
        left = shapely.get_parts(_polygons(shapely.difference(grid, shapely.union_all(shapes[at]))))
        for piece in left[shapely.area(left) > 0]:
            metres = shapely.length(shapely.intersection(shapely.boundary(piece), shapes[at]))
            near = metres if metres.max() > 0 else -shapely.distance(piece, shapes[at])
            to = at[np.argmax(near)]
            shapes[to] = shapely.union(shapes[to], piece)
    return shapes


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
