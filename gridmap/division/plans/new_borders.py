"""Communities whose borders changed: their atoms made anew, each in the grid that held most of it before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gridmap.division.ground.atoms import Ground, make_atoms
from gridmap.division.ledger import building_weights
from gridmap.division.plans.assemble import COMMUNITY_COLUMNS, building_table, kept_columns
from gridmap.division.plans.plan_arrays import plan_unit, text_ids
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from gridmap.division.plans.plan import GridPlan

__all__ = ["with_communities"]

# Borders that part no more of a community than this are the same.
_SAME = 1e-6


def with_communities(
    plan: GridPlan, communities: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame
) -> tuple[GridPlan, pd.Series, list[str]]:
    """The plan on other communities, with atoms of those that changed made anew and in no grid yet.

    Parameters
    ----------
    plan
        With atoms.
    communities, buildings
        As checked tables.

    Returns
    -------
    plan
        With the buildings, and without the grids of communities that are gone. Findings are those of before.
    wanted
        By atom_id, the grid that each new atom was in before: that of most households in it, else that of its place.
        A grid keeps its id in its own community; what others got of it bears that id and ``@`` and theirs.
    changed
        Ids of the communities that changed, are new, or are gone.
    """
    crs = plan.communities.crs
    communities = kept_columns(to_crs(communities, crs), COMMUNITY_COLUMNS)
    changed = _changed(plan, communities)
    gone = plan.communities.loc[~plan.communities["community_id"].isin(communities["community_id"]), "community_id"]
    stale = [*changed, *gone]
    if not stale:
        return replace(plan, communities=communities), pd.Series([], dtype=object), []
    atoms, rows = plan.atoms, plan.assignment
    assert atoms is not None  # noqa: S101
    assert plan.adjacency is not None  # noqa: S101
    unit = plan_unit(plan)
    table = building_table(buildings, building_weights(buildings, unit), unit, crs)
    metric = metric_crs(plan.communities)
    kept = atoms[~atoms["community_id"].isin(stale)]
    inside = rows["atom_id"].isin(kept["atom_id"])
    free = table[~table["building_id"].isin(rows.loc[inside, "building_id"])]
    streets, compounds, barriers = (
        None if t is None else to_crs(t, metric) for t in (plan.streets, plan.compounds, plan.barriers)
    )
    # a community that is only gone needs no atoms, but the step wants some land
    land = communities[communities["community_id"].isin(changed)] if changed else communities.iloc[:1]
    ground = make_atoms(
        to_crs(land, metric), to_crs(free, metric), streets,
        compounds=compounds, barriers=barriers, upper=plan.parameters["upper"], weight=unit,
    )  # fmt: skip
    if not changed:
        ground = Ground(*(t.iloc[:0] for t in (ground.atoms, ground.adjacency, ground.assignment, ground.findings)))
    made = to_crs(ground.atoms, crs).assign(grid_id=None)
    wanted = _wanted(plan, ground.assignment, made)
    fresh = ground.assignment.reindex(columns=rows.columns).assign(grid_id=None)
    known = set(ground.assignment["building_id"])
    outside = pd.DataFrame({"building_id": [i for i in free["building_id"] if i not in known]})
    outside["households"] = outside["building_id"].map(table.set_index("building_id")["households"]).fillna(0)
    new_rows = pd.concat([rows[inside], fresh, outside.reindex(columns=rows.columns)], ignore_index=True)
    for column in new_rows.columns.difference(["households"]):
        new_rows[column] = new_rows[column].astype(object).where(new_rows[column].notna(), None)
    new_rows["households"] = new_rows["households"].astype("float64")
    borders = plan.adjacency[plan.adjacency["atom_a"].isin(kept["atom_id"])]
    new_atoms = pd.concat([kept, made.reindex(columns=atoms.columns)], ignore_index=True)
    new_atoms["grid_id"] = text_ids(new_atoms["grid_id"])
    staying = plan.grids["community_id"].isin(communities["community_id"]) & (
        ~plan.grids["community_id"].isin(changed) | plan.grids["grid_id"].isin(wanted)
    )
    after = replace(
        plan,
        communities=communities,
        grids=plan.grids[staying].reset_index(drop=True),
        atoms=gpd.GeoDataFrame(new_atoms, geometry="geometry", crs=crs),
        adjacency=pd.concat([borders, ground.adjacency], ignore_index=True),
        assignment=new_rows.sort_values(["building_id", "unit_id"], kind="stable").reset_index(drop=True),
        buildings=plan.buildings if inside.all() else _with_rows(plan.buildings, free),
    )
    return after, wanted, stale


def _with_rows(old: gpd.GeoDataFrame, free: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The buildings, those in communities that changed as they are now."""
    rest = old[~old["building_id"].isin(free["building_id"])]
    return gpd.GeoDataFrame(pd.concat([rest, free.reindex(columns=old.columns)], ignore_index=True), crs=old.crs)


def _changed(plan: GridPlan, communities: gpd.GeoDataFrame) -> list[str]:
    """Communities that are new, or whose area is another."""
    old = plan.communities.set_index("community_id").geometry
    new = communities.set_index("community_id").geometry
    both = new.index[new.index.isin(old.index)]
    a, b = old.loc[both].to_numpy(), new.loc[both].to_numpy()
    other = shapely.area(shapely.symmetric_difference(a, b)) > _SAME * shapely.area(a)
    return sorted([*both[other], *new.index[~new.index.isin(old.index)]])


def _wanted(plan: GridPlan, rows: pd.DataFrame, atoms: gpd.GeoDataFrame) -> pd.Series:
    """The grid that each atom was in before, by atom_id."""
    before = plan.assignment.dropna(subset=["grid_id"])
    grid_of = before.drop_duplicates("building_id").set_index("building_id")["grid_id"]
    held = rows.assign(grid_id=rows["building_id"].map(grid_of)).dropna(subset=["grid_id"])
    sums = held.groupby(["atom_id", "grid_id"])["households"].sum().reset_index()
    sums = sums.sort_values(["atom_id", "households", "grid_id"], ascending=[True, False, True], kind="stable")
    best = sums.drop_duplicates("atom_id").set_index("atom_id")["grid_id"]
    point = shapely.point_on_surface(atoms.geometry.to_numpy())
    shapes = plan.grids.geometry.to_numpy()
    row, near = shapely.STRtree(shapes).query_nearest(point, all_matches=False)
    place = pd.Series(plan.grids["grid_id"].to_numpy()[near], index=atoms["atom_id"].to_numpy()[row])
    wanted = pd.Series(atoms["atom_id"].map(best).to_numpy(dtype=object), index=atoms["atom_id"])
    wanted = wanted.where(wanted.notna(), place.reindex(wanted.index))
    home = wanted.map(plan.grids.set_index("grid_id")["community_id"])
    here = pd.Series(atoms["community_id"].to_numpy(), index=atoms["atom_id"])
    return wanted.where(home == here, wanted.astype(str) + "@" + here)
