"""A plan with other grids on the same ground: only what changed is drawn, counted and judged again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ledger import COUNTS, building_weights, grid_status, grid_sums
from gridmap.division.plans.areas import with_areas
from gridmap.division.plans.assemble import empty_finding, out_of_band
from gridmap.division.plans.codes import SCHEMES
from gridmap.division.plans.outlines import outlines, straight_outlines
from gridmap.division.plans.plan_arrays import fixed_grids, plan_unit, rule_in, text_ids
from gridmap.division.rules.labels import certified
from gridmap.division.rules.pairs import PAIR_RULES, broken_pairs
from gridmap.division.rules.villager_groups import PARTED, parted_groups
from gridmap.errors import GridmapError
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import findings_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gridmap.division.plans.plan import GridPlan
    from gridmap.division.plans.plan_arrays import PlanArrays

__all__ = ["redraw"]

# Where bands differ, a grid carries its own.
_LIMITS = ("lower", "upper", "counted")
_BAND_RULES = ("household_band", "band")
# Findings on grids drawn by hand that an audit of their plan cannot make again.
_OF_THE_INPUT = ("geometry", "community_id")


def redraw(
    arrays: PlanArrays, grid_ids: np.ndarray, parameters: Mapping[str, Any], *, recount: Collection[str] = ()
) -> GridPlan:
    """The plan with its atoms in other grids.

    Parameters
    ----------
    arrays
        The plan as arrays.
    grid_ids
        Grid of each atom, object (n,): ids of grids that the plan has, or new ones; None for land in no grid.
    parameters
        What to write down in place of what the plan says.
    recount
        Communities whose buildings hold something else than the grids say.

    Notes
    -----
    Grids that keep their atoms keep their row; their outline changes only beside those that do not, where a border is
    drawn straight between other corners. Findings on the band are made anew for the communities concerned, those on
    pairs of buildings and on villager groups for what is broken or kept now; all others stay. The result depends on the
    grids of the atoms alone, not on the way there.
    """
    plan = arrays.plan
    before = text_ids(arrays.atoms["grid_id"])
    moved = before != grid_ids
    if not moved.any() and not len(recount):
        return replace(plan, parameters={**plan.parameters, **parameters})
    touched = [g for g in pd.unique(np.r_[before[moved], grid_ids[moved]]) if g is not None]
    # a grid drawn by hand may reach into another community
    near = np.isin(arrays.community, pd.unique(arrays.community[moved | np.isin(before, touched)]))
    concerned = np.array(sorted({*arrays.community[near], *recount}), dtype=object)
    atoms = arrays.atoms.assign(grid_id=_like(arrays.atoms["grid_id"], grid_ids))
    assignment = _assignment(plan.assignment, arrays.ids[moved], grid_ids[moved], touched)

    land = atoms[near & atoms["grid_id"].notna().to_numpy()]
    counted = {*touched, *plan.grids.loc[plan.grids["community_id"].isin(concerned), "grid_id"]}
    of = arrays.ids.get_indexer(pd.Index(assignment["atom_id"]))
    inside = np.isin(arrays.community, concerned)
    rows = assignment[(inside[of] & (of >= 0)) | assignment["grid_id"].isin(counted).to_numpy()]
    weights = building_weights(plan.buildings, plan_unit(plan))
    grids = _grids(plan, land, rows, weights, touched, counted)
    if plan.parameters.get("source") == "grids":
        findings = _drawn_again(plan, grids, assignment)
    else:
        findings = _judged_again(arrays, grids, rows, weights, grid_ids, concerned)
        findings = _paired_again(plan, findings, assignment)
        findings = _grouped_again(plan, findings, atoms)
    if not np.isclose(grids["households"].sum(), _housed(assignment), rtol=1e-9, atol=1e-6):
        raise GridmapError("internal: grids do not hold the households of their buildings; please report this")
    return with_areas(
        replace(
            plan,
            grids=grids,
            assignment=assignment,
            atoms=atoms,
            findings=findings,
            parameters={**plan.parameters, **parameters},
        )
    )


def _housed(assignment: pd.DataFrame) -> float:
    return float(assignment["households"].to_numpy()[assignment["grid_id"].notna()].sum())


def _assignment(table: pd.DataFrame, atoms: pd.Index, grid_ids: np.ndarray, touched: list[str]) -> pd.DataFrame:
    """The assignment after some atoms got another grid."""
    at = atoms.get_indexer(pd.Index(table["atom_id"]))
    ids = text_ids(table["grid_id"])
    ids[at >= 0] = grid_ids[at[at >= 0]]
    # a grid drawn out of its community is cut back to it, and holds no longer what lies outside every community
    ids[table["atom_id"].isna().to_numpy() & np.isin(ids, touched)] = None
    return table.assign(grid_id=_like(table["grid_id"], ids))


def _like(column: pd.Series, values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=column.index, dtype=column.dtype)


def _grids(
    plan: GridPlan,
    atoms: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    weights: pd.Series,
    touched: list[str],
    counted: Collection[str],
) -> gpd.GeoDataFrame:
    """The table of grids: those touched drawn anew from the atoms of their communities, those counted counted anew."""
    unit = plan_unit(plan)
    table = plan.grids.set_index("grid_id")
    outline = _drawn(plan, atoms, touched)
    drawn = outline.loc[outline.index.isin(touched)]
    gone = table.index.intersection(touched).difference(drawn.index)
    index = drawn.index.union(table.index.intersection(list(counted))).difference(gone)
    owner = _owners(table, atoms).reindex(index)
    # the shares of a building that is split count all its rows, in whatever grid
    sums = grid_sums(rows, rows["grid_id"], plan.buildings, weights).reindex(index)
    new = drawn.index.difference(table.index)
    kept = table.drop(index=gone)
    shapes = table.geometry.reindex(index)
    shapes.loc[drawn.index] = drawn.geometry
    fresh = gpd.GeoDataFrame(index=index, geometry=shapes.to_numpy(), crs=plan.grids.crs)
    for column in table.columns.drop("geometry"):
        fresh[column] = table[column].reindex(index)
    fresh["community_id"] = owner
    fresh.loc[new, "kind"] = "basic"
    fresh.loc[new, "name"] = _names(plan, owner.loc[new])
    for column in _LIMITS:
        if column in table:
            fresh.loc[new, column] = owner.loc[new].map(table.groupby("community_id")[column].first())
    fresh["households"] = sums["households"].fillna(0)
    for column in COUNTS:
        if column in table and column in sums:
            fresh[column] = sums[column]
    fresh[unit] = sums["weight"].fillna(0)
    fresh["buildings"] = sums["buildings"].fillna(0)
    fresh.loc[drawn.index, "area_m2"] = drawn["area_m2"]
    all_rows = pd.concat([kept.drop(index=index.intersection(kept.index)), fresh])
    fresh["status"] = grid_status(
        fresh[unit],
        *(fresh[c] if c in fresh else plan.parameters[c] for c in ("lower", "upper")),
        community_weight=owner.map(all_rows.groupby("community_id")[unit].sum()),
        dedicated=fresh.index[fresh["kind"] == "dedicated"],
    )
    all_rows.loc[fresh.index, "status"] = fresh["status"]
    locked = [g for g, why in fixed_grids(plan).items() if why == "locked"]
    beside = outline.index.difference(drawn.index).difference(locked)
    old, new_shape = (shapely.normalize(t.loc[beside].geometry.to_numpy()) for t in (table, outline))
    beside = beside[~shapely.equals_identical(old, new_shape)]
    all_rows.loc[beside, ["geometry", "area_m2"]] = outline.loc[beside, ["geometry", "area_m2"]]
    out = all_rows.sort_index(kind="stable").rename_axis("grid_id").reset_index()[plan.grids.columns]
    types = {c: t for c, t in plan.grids.dtypes.items() if c != "geometry"}
    return gpd.GeoDataFrame(out.astype(types), geometry="geometry", crs=plan.grids.crs)


def _owners(table: gpd.GeoDataFrame, atoms: gpd.GeoDataFrame) -> pd.Series:
    """Community of each grid: as it was, that of its atoms for new ones."""
    found = atoms.groupby("grid_id")["community_id"].first()
    return table["community_id"].combine_first(found)


def _drawn(plan: GridPlan, atoms: gpd.GeoDataFrame, touched: list[str]) -> gpd.GeoDataFrame:
    """Shape and area_m2 of all grids that the atoms lie in, for their borders hang together; in the CRS of the plan.

    Grids drawn by hand are not drawn straight; of those only the ones touched are drawn at all.
    """
    by_hand = plan.parameters.get("source") == "grids"
    if not touched:
        return gpd.GeoDataFrame({"area_m2": []}, geometry=[], crs=plan.grids.crs)
    if by_hand:
        atoms = atoms[atoms["grid_id"].isin(touched)]
    there = to_crs(atoms, metric_crs(plan.communities))
    labels = there["grid_id"].to_numpy()
    if by_hand:
        shapes = outlines(there, labels)
    else:
        shapes = straight_outlines(
            there, labels, buildings=plan.buildings, streets=plan.streets, compounds=plan.compounds,
            barriers=plan.barriers,
        )  # fmt: skip
    table = gpd.GeoDataFrame({"area_m2": shapes.area}, geometry=shapes)
    if there is not atoms:
        table = table.set_geometry(_moved_back(shapes.to_numpy(), there, atoms), crs=atoms.crs)
    return table


def _moved_back(shapes: np.ndarray, there: gpd.GeoDataFrame, here: gpd.GeoDataFrame) -> np.ndarray:
    """Shapes with each vertex where the atoms have it: going to another CRS and back would move it a little."""
    key = shapely.get_coordinates(there.geometry.to_numpy())
    places = pd.MultiIndex.from_arrays(key.T)
    first = ~places.duplicated()
    places, target = places[first], shapely.get_coordinates(here.geometry.to_numpy())[first]
    xy = shapely.get_coordinates(shapes)
    at = places.get_indexer(pd.MultiIndex.from_arrays(xy.T))
    back = target[at]
    if (at < 0).any():
        corners = gpd.GeoSeries.from_xy(*xy[at < 0].T, crs=there.crs).to_crs(here.crs)
        back[at < 0] = shapely.get_coordinates(corners.to_numpy())
    return np.asarray(shapely.set_coordinates(shapes.copy(), back))


def _names(plan: GridPlan, owner: pd.Series) -> pd.Series:
    """Names of new grids: the community's, and the number at the end of the code."""
    communities = plan.communities
    ids = communities["community_id"]
    titles = communities.get("name", ids)
    title = pd.Series(titles.where(titles.notna(), ids).to_numpy(), index=ids)
    digits = SCHEMES[plan.parameters.get("code", "15")]
    return owner.map(title).astype(str) + " " + pd.Series(owner.index.str[-digits:], owner.index)


def _drawn_again(plan: GridPlan, grids: gpd.GeoDataFrame, assignment: pd.DataFrame) -> gpd.GeoDataFrame:
    """Findings on grids drawn by hand: all those of an audit, after those of the drawing as it came."""
    from gridmap.division.plans.drawn_findings import drawn_findings

    table, limits = plan.findings, (plan.parameters["lower"], plan.parameters["upper"])
    found = drawn_findings(
        grids, plan.communities, plan.buildings, assignment, plan.compounds, *limits, plan_unit(plan)
    )  # fmt: skip
    kept = table[table["rule"].isin(_OF_THE_INPUT)].to_dict("records")
    return findings_table([*kept, *found], crs=table.crs)


def _judged_again(
    arrays: PlanArrays,
    grids: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    weights: pd.Series,
    grid_ids: np.ndarray,
    concerned: np.ndarray,
) -> gpd.GeoDataFrame:
    """The plan's findings, those on the band of the communities concerned made anew: by grid id, empty grids last."""
    plan, table = arrays.plan, arrays.plan.findings
    inside = np.flatnonzero(np.isin(arrays.community, concerned))
    band = out_of_band(
        gpd.GeoDataFrame(grids[grids["community_id"].isin(concerned)]),
        # the atoms of a community have no border with those of another
        arrays.borders[np.isin(arrays.community[arrays.a], concerned)],
        pd.Series(grid_ids[inside], index=arrays.ids[inside]),
        rows,
        weights,
        plan.communities,
        lower=plan.parameters["lower"],
        upper=plan.parameters["upper"],
        unit=plan_unit(plan),
        certificates=_certificates(arrays, inside, grid_ids[inside]),
    )
    owner = plan.grids.set_index("grid_id")["community_id"]
    first = table["ids"].map(lambda ids: ids[0] if len(ids) else "")
    of_band = table["rule"].isin(_BAND_RULES)
    stale = of_band & (first.map(owner).isin(list(concerned)) | ~first.isin(grids["grid_id"]))
    told_empty = table["rule"] == "empty_community"
    empty = grids[grids["status"] == "empty"]
    found = [
        *table[~of_band & ~told_empty].to_dict("records"),
        *sorted([*table[of_band & ~stale].to_dict("records"), *band], key=lambda row: str(row["ids"][0])),
        *([empty_finding(empty["community_id"], empty["grid_id"])] if told_empty.any() else []),
    ]
    return findings_table(found, crs=table.crs)


def _paired_again(plan: GridPlan, findings: gpd.GeoDataFrame, assignment: pd.DataFrame) -> gpd.GeoDataFrame:
    """The findings, those on buildings that belong together or apart as they are now; a reason told before is kept."""
    together, apart = (plan.parameters.get(option) or [] for option in ("together", "apart"))
    of_pairs = findings["rule"].isin(PAIR_RULES)
    now = {(row["rule"], *row["ids"]): row for row in broken_pairs(together, apart, assignment)}
    keys = [(rule, *ids) for rule, ids in zip(findings["rule"], findings["ids"], strict=True)]
    holds = ~of_pairs | np.array([key in now for key in keys], dtype=bool)
    fresh = [row for key, row in now.items() if key not in set(keys)]
    if holds.all() and not fresh:
        return findings
    return findings_table([*fresh, *findings[holds].to_dict("records")], crs=findings.crs)


def _grouped_again(plan: GridPlan, findings: gpd.GeoDataFrame, atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The findings, that on villager groups in several grids as they are now."""
    if "group" not in atoms:
        return findings
    whole = [c for c in pd.unique(atoms.loc[atoms["group"].notna(), "community_id"]) if rule_in(plan, c).open]
    kept = findings[findings["rule"] != PARTED].to_dict("records")
    return findings_table([*parted_groups(atoms, whole), *kept], crs=findings.crs)


def _certificates(arrays: PlanArrays, inside: np.ndarray, grid_ids: np.ndarray) -> dict[str, dict[str, Any]]:
    """Why grids of whole communities are out of the band."""
    plan = arrays.plan
    out: dict[str, dict[str, Any]] = {}
    free = ~np.isin(grid_ids, list(fixed_grids(plan)))
    for community in pd.unique(arrays.community[inside]):
        here = arrays.community[inside] == community
        atoms = inside[here]
        labels, names = pd.factorize(pd.Series(grid_ids[here], dtype=object))
        ids = arrays.ids[atoms].to_numpy(dtype=object)
        proofs = certified(labels, arrays.lots(atoms), rule_in(plan, community), ids, free[here])
        out |= {names[label]: proof for label, proof in proofs.items()}
    return out
