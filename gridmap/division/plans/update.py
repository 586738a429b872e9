"""Update: a plan after counts changed, repaired by moving as few households as can be found to do it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ledger import building_weights, row_shares
from gridmap.division.plans.assemble import building_table
from gridmap.division.plans.codes import kept_codes, next_codes, reading_order
from gridmap.division.plans.drawn_atoms import with_atoms
from gridmap.division.plans.mend import mend
from gridmap.division.plans.new_borders import with_communities
from gridmap.division.plans.outlines import outlines
from gridmap.division.plans.plan_arrays import (
    PlanArrays,
    fixed_grids,
    plan_arrays,
    plan_unit,
    rule_in,
    text_ids,
)
from gridmap.division.plans.redraw import redraw
from gridmap.division.rules.bands import rule_weights
from gridmap.division.rules.villager_groups import merge_small
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table, join_findings

if TYPE_CHECKING:
    from gridmap.division.plans.plan import GridPlan

__all__ = ["update_plan"]

# A building that has not moved farther is in the place where it was, in metres.
_SAME_PLACE = 1.0


def update_plan(plan: GridPlan, buildings: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None = None) -> GridPlan:
    """The plan with new counts, and grids that they put outside the band mended.

    Parameters
    ----------
    plan
        As it was.
    buildings
        All buildings as they are now. A building keeps its atom; a new one, or one that stands elsewhere now, is in
        the atom that it stands in; one that is gone leaves its atom as land. A building that was split keeps the shares
        of its units.
    communities
        All communities as they are now; atoms of those whose borders changed are made anew, and start in the grid that
        held most of them. By default they are the same.

    Raises
    ------
    TableError
        When the buildings break their contract, or lack the column that the band counts.
    """
    plan = with_atoms(plan)
    buildings = _weighed(plan, buildings)
    before, wanted, changed = plan, None, list[str]()
    if communities is not None:
        plan, wanted, changed = with_communities(plan, check_table(communities, "communities"), buildings)
    counted, found, recount = _counted(plan, buildings)
    arrays = plan_arrays(counted)
    start = text_ids(arrays.atoms["grid_id"])
    if wanted is not None:
        start[arrays.ids.get_indexer(wanted.index)] = wanted.to_numpy()
    grid, highest = _mended(arrays, start)
    if not (text_ids(arrays.atoms["grid_id"]) != grid).any() and not len(recount) and not changed:
        return before if plan.communities.equals(before.communities) else plan
    parameters = {"highest_numbers": highest}
    after = redraw(arrays, grid, parameters, recount=[*recount, *changed])
    stale = ["building_new", "building_gone", "grids_mended"]
    if plan.parameters.get("source") != "grids":
        found += _outside(counted)
        stale.append("building_outside_communities")
    kept = after.findings[~after.findings["rule"].isin(stale)]
    rows = findings_table([*_told(arrays, start, grid), *found], crs=plan.communities.crs)
    return replace(after, findings=join_findings([rows, kept], crs=plan.communities.crs))


def _weighed(plan: GridPlan, buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The buildings, checked; where bands count different things, with what that of their community counts."""
    unit = plan_unit(plan)
    if "counted" not in plan.grids or unit in (counted := set(plan.grids["counted"])):
        return check_table(buildings, "buildings", needs={"households", unit})
    buildings = check_table(buildings, "buildings", needs={"households", *counted})
    rules = [rule_in(plan, c) for c in plan.communities["community_id"]]
    of = pd.Series(np.arange(len(rules)), index=plan.communities["community_id"].to_numpy())
    weights = rule_weights(rules, of, plan.communities, buildings, "households")
    return buildings.assign(**{unit: weights.to_numpy()})


def _counted(plan: GridPlan, buildings: gpd.GeoDataFrame) -> tuple[GridPlan, list[dict[str, Any]], list[str]]:
    """The plan with the new buildings in its old grids, findings on who came and went, and communities concerned."""
    unit = plan_unit(plan)
    metric, crs = metric_crs(plan.communities), plan.communities.crs
    table = building_table(buildings, building_weights(buildings, unit), unit, crs)
    atom = _atoms_of(plan, table, metric)
    rows, come, gone = _rows(plan, table, atom)
    atoms = plan.atoms
    assert atoms is not None  # noqa: S101 -- `with_atoms` saw to it
    held = rows.groupby("atom_id")["households"].sum().reindex(atoms["atom_id"]).fillna(0.0).to_numpy()
    stale = _changed(plan, table, rows)
    owner = pd.Series(atoms["community_id"].to_numpy(), index=atoms["atom_id"])
    concerned = sorted({*owner.reindex(stale).dropna()})
    if not len(stale) and plan.buildings[["building_id"]].equals(table[["building_id"]]):
        return plan, [], []
    counted = replace(
        plan,
        buildings=table,
        assignment=rows,
        atoms=atoms.assign(households=held.astype(atoms["households"].dtype)),
    )
    found = []
    for rule, ids, told, cure in (
        ("building_new", come, "are new, or stand elsewhere now; each is in the grid that it stands in",
         "Divide again where atoms of their own matter."),
        ("building_gone", gone, "are gone; their land stays where it was", "Check that they are gone for good."),
    ):  # fmt: skip
        if len(ids):
            here = (table if rule == "building_new" else plan.buildings).set_index("building_id")
            households = here.loc[ids, "households"].sum()
            message = f"{len(ids):,} buildings with {households:,.0f} households {told}."
            found.append(finding("info", rule, message, cure=cure, ids=ids))
    return counted, found, concerned


def _atoms_of(plan: GridPlan, table: gpd.GeoDataFrame, metric: Any) -> pd.Series:
    """Atom that each building stands in, by building id; None outside all."""
    point = shapely.point_on_surface(to_crs(table, metric).geometry.to_numpy())
    assert plan.atoms is not None  # noqa: S101
    shapes = to_crs(plan.atoms, metric).geometry.to_numpy()
    row, atom = shapely.STRtree(shapes).query(point, predicate="intersects")
    order = np.lexsort((atom, row))
    row, atom = row[order], atom[order]
    first = np.r_[True, row[1:] != row[:-1]] if len(row) else np.zeros(0, bool)
    out = np.full(len(table), None, dtype=object)
    out[row[first]] = plan.atoms["atom_id"].to_numpy(dtype=object)[atom[first]]
    return pd.Series(out, index=table["building_id"])


def _rows(plan: GridPlan, table: gpd.GeoDataFrame, atom: pd.Series) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The new assignment, and the ids of buildings that came (or moved) and went."""
    old = plan.assignment
    known = pd.Index(plan.buildings["building_id"])
    metric = metric_crs(plan.communities)
    was, now = (to_crs(t, metric).set_index("building_id").geometry for t in (plan.buildings, table))
    both = now.index.intersection(known)
    far = shapely.distance(shapely.centroid(was.loc[both].to_numpy()), shapely.centroid(now.loc[both].to_numpy()))
    stays = both[far <= _SAME_PLACE]
    come = now.index.difference(stays)
    kept = old[old["building_id"].isin(stays)]
    households = table.set_index("building_id")["households"].fillna(0)
    kept = kept.assign(households=row_shares(kept) * kept["building_id"].map(households).astype("float64"))
    fresh = pd.DataFrame({"building_id": come}).reindex(columns=old.columns)
    fresh["atom_id"] = atom.reindex(come).to_numpy()
    assert plan.atoms is not None  # noqa: S101
    of = pd.Series(text_ids(plan.atoms["grid_id"]), index=plan.atoms["atom_id"])
    fresh["grid_id"] = fresh["atom_id"].map(of)
    fresh["households"] = households.reindex(come).to_numpy(np.float64)
    rows = pd.concat([kept, fresh.astype(object)]) if len(fresh) else kept
    for column in rows.columns.difference(["households"]):
        rows[column] = rows[column].astype(object).where(rows[column].notna(), None)
    rows = rows.sort_values(["building_id", "unit_id"], kind="stable").reset_index(drop=True)
    rows = rows.astype({c: old[c].dtype for c in old.columns})
    return rows, sorted(come), sorted(known.difference(now.index))


def _outside(plan: GridPlan) -> list[dict[str, Any]]:
    """A finding on buildings in no atom."""
    rows = plan.assignment[plan.assignment["atom_id"].isna()]
    if rows.empty:
        return []
    ids = rows["building_id"].unique()
    message = (
        f"{len(ids):,} buildings with {rows['households'].sum():,.0f} households lie outside every community and "
        "are in no grid."
    )
    cure = "Extend a community over them, or leave them out of the input."
    return [finding("warning", "building_outside_communities", message, status="left out", cure=cure, ids=ids)]


def _changed(plan: GridPlan, table: gpd.GeoDataFrame, rows: pd.DataFrame) -> list[str]:
    """Atoms with a building of which anything is new."""
    columns = [c for c in table.columns if c in plan.buildings and c != "geometry"]
    old = plan.buildings.set_index("building_id")[columns[1:]]
    new = table.set_index("building_id")[columns[1:]]
    both = old.index.intersection(new.index)
    a, b = old.loc[both], new.loc[both]
    same = ((a == b) | (a.isna() & b.isna())).all(axis=1)
    changed = {*both[~same], *old.index.symmetric_difference(new.index)}
    here = pd.concat([plan.assignment, rows])
    moved = plan.assignment[["building_id", "atom_id"]].merge(
        rows[["building_id", "atom_id"]], how="outer", indicator=True
    )
    changed |= set(moved.loc[moved["_merge"] != "both", "building_id"])
    return here.loc[here["building_id"].isin(changed), "atom_id"].dropna().unique().tolist()


def _mended(arrays: PlanArrays, before: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """Grid of each atom after mending, community by community, and the highest numbers given out."""
    plan = arrays.plan
    grid = before.copy()
    highest = dict(plan.parameters.get("highest_numbers") or {})
    fixed = list(fixed_grids(plan))
    home = plan.grids.set_index("grid_id")["community_id"]
    for community in pd.unique(arrays.community):
        free = np.flatnonzero((arrays.community == community) & ~np.isin(before, fixed))
        if not len(free) or arrays.weight[free].sum() <= 0:
            continue
        own = set(home.index[home == community])
        label, names = _labels(arrays, free, before[free], own)
        held = np.bincount(label, arrays.weight[free])
        rule = rule_in(plan, community)
        # empty land that was in no grid, or in one of another community, stays so unless it is in the way
        spare = [k for k in range(len(names), len(held)) if held[k] <= 0]
        inside = (held >= rule.lower - 1e-9) & (held <= rule.upper + 1e-9)
        inside[spare] = True
        if inside.all() and len(held) - len(spare) == len(names):
            continue
        households, seed = arrays.households[free], int(plan.parameters.get("seed", 0))
        if rule.open:
            # whole grids are joined, so that no villager group is cut
            new = merge_small(label, arrays.lots(free), rule.lower)
        else:
            new = mend(arrays.lots(free), rule.band, label, households, spare=spare, seed=seed)
        # a part that was cut may have got the number of spare land that it took in
        idle = np.isin(new, spare) & (np.bincount(new, arrays.weight[free])[new] <= 0)
        rest = free[~idle]
        grid[rest] = _named(arrays, community, rest, label[~idle], new[~idle], names, highest)
    return _without_outposts(arrays, grid), highest


def _without_outposts(arrays: PlanArrays, grid: np.ndarray) -> np.ndarray:
    """Empty land of a grid that has none left in its own community goes to the neighbour of the longest border."""
    home = arrays.plan.grids.set_index("grid_id")["community_id"]
    known = pd.Series(grid, dtype=object).map(home).to_numpy(dtype=object)
    rooted = set(grid[known == arrays.community])
    lost = np.array([g in home.index and g not in rooted for g in grid], dtype=bool)
    grid = grid.copy()
    while lost.any():
        ends = np.r_[arrays.a, arrays.b], np.r_[arrays.b, arrays.a]
        beside = lost[ends[0]] & ~lost[ends[1]] & (arrays.joins[np.arange(len(ends[0])) % len(arrays.a)])
        taker = grid[ends[1]]
        beside &= np.array([g is not None for g in taker])
        if not beside.any():
            grid[lost] = None
            return grid
        at = np.flatnonzero(beside)
        metres = arrays.metres[at % len(arrays.a)]
        order = at[np.lexsort((ends[1][at], -metres, ends[0][at]))]
        atoms, first = np.unique(ends[0][order], return_index=True)
        grid[atoms] = taker[order[first]]
        lost[atoms] = False
    return grid


def _labels(arrays: PlanArrays, atoms: np.ndarray, ids: np.ndarray, own: set[str]) -> tuple[np.ndarray, list[str]]:
    """Numbers for the grids of a community, and their ids; then numbers for connected land in others, or in none."""
    label, names = pd.factorize(pd.Series([g if g in own else None for g in ids], dtype=object))
    label = np.asarray(label).astype(np.int64)
    alone = np.flatnonzero(label < 0)
    if len(alone):
        keys = pd.MultiIndex.from_arrays([arrays.pieces(atoms[alone]), pd.Series(ids[alone], dtype=object).fillna("")])
        label[alone] = len(names) + pd.factorize(keys)[0]
    return label, list(names)


def _named(
    arrays: PlanArrays,
    community: str,
    atoms: np.ndarray,
    label: np.ndarray,
    new: np.ndarray,
    names: list[str],
    highest: dict[str, int],
) -> np.ndarray:
    """Grid ids for mended labels: of most of its households where a grid keeps them, else new numbers."""
    plan = arrays.plan
    old = pd.Series([names[k] if k < len(names) else None for k in label], dtype=object)
    same = {k for k in np.unique(new) if k < len(names) and ((new == k) == (label == k)).all()}
    id_of: dict[int, str] = {int(k): names[k] for k in same}
    rest = ~np.isin(new, list(same))
    kept = kept_codes(old[rest], pd.Series(new)[rest], pd.Series(arrays.households[atoms])[rest])
    id_of |= {int(k): g for k, g in kept.items()}
    if not rest.any():
        return old.to_numpy()
    table = to_crs(arrays.atoms.iloc[atoms[rest]], metric_crs(plan.communities))
    shapes = outlines(table, new[rest])
    order = reading_order(gpd.GeoDataFrame({"community_id": community}, index=shapes.index, geometry=shapes))
    fresh = [int(k) for k in order if int(k) not in id_of]
    codes, highest[community] = next_codes(
        community, len(fresh), plan.communities, highest=highest.get(community, 0),
        taken=set(plan.grids["grid_id"]), scheme=plan.parameters.get("code", "15"),
        object_code=plan.parameters.get("object_code", "000000"),
    )  # fmt: skip
    id_of |= dict(zip(fresh, codes, strict=True))
    out = np.empty(len(new), dtype=object)
    out[:] = [id_of[int(k)] for k in new]
    return out


def _told(arrays: PlanArrays, before: np.ndarray, grid: np.ndarray) -> list[dict[str, Any]]:
    """A finding on what was mended."""
    moved = before != grid
    if not moved.any():
        return []
    ids = sorted({g for g in np.r_[before[moved], grid[moved]] if g is not None})
    households = arrays.households[moved].sum()
    return [
        finding(
            "info",
            "grids_mended",
            f"{len(ids)} grids were redrawn to bring grids into the band; {households:,.0f} households are in another "
            "grid than before.",
            status="mended",
            cure="Compare the plan with the one before, and move atoms by hand where you know better.",
            ids=ids,
        )
    ]
