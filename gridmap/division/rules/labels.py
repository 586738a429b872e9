"""Labels: which grid each atom goes to, under all rules at once.

Atoms that must not be parted (tied buildings, villager groups) become one node; fixed land is a grid of its own; the
rest is divided rule by rule; land without households goes to a neighbour in the end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import SHORTEST_JOIN
from gridmap.division.ground.slices import tie_slices
from gridmap.division.ledger import row_shares
from gridmap.division.rules.empty_land import attach_empty_land
from gridmap.division.rules.pairs import Joins, apart_findings, apart_pairs, tie_together
from gridmap.division.rules.villager_groups import atom_groups, group_findings, group_nodes, merge_small
from gridmap.division.search.certificates import certify
from gridmap.division.search.partition import lots_from_borders, partition_lots
from gridmap.division.search.shape import stops_at

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import geopandas as gpd

    from gridmap.division.rules.bands import Rule, Rules
    from gridmap.division.search.engine import Effort, Lots

__all__ = ["Labelled", "certified", "label_atoms"]


class Labelled(NamedTuple):
    """Grid label of each atom, certificates by label, rows for the findings, villager group of each atom or None."""

    labels: np.ndarray
    certificates: dict[int, dict[str, Any]]
    findings: list[dict[str, Any]]
    group: np.ndarray


def label_atoms(
    ground: Any,
    buildings: gpd.GeoDataFrame,
    rules: Rules,
    fixed: np.ndarray,
    *,
    together: list[list[str]],
    apart: list[list[str]],
    effort: Effort,
    seed: int,
    executor: Executor | None,
) -> Labelled:
    """Divide the atoms of all communities.

    Parameters
    ----------
    ground
        Atoms, adjacency and assignment.
    buildings
        With building_id, and group where villager groups are known.
    rules
        The rule of each community, and what each building counts.
    fixed
        By atom, the dedicated or locked compound that it is; None for land that is to be divided.
    together, apart
        Groups of building ids (`pairs.building_groups`).
    effort, seed, executor
        See `gridmap.divide`.
    """
    atoms, rows = ground.atoms, ground.assignment
    position = pd.Series(np.arange(len(atoms)), index=atoms["atom_id"])
    atom = position[rows["atom_id"]].to_numpy()
    held = (row_shares(rows) * rows["building_id"].map(rules.weights)).to_numpy()
    weight = np.bincount(atom, held, minlength=len(atoms))
    community = atoms["community_id"].to_numpy(dtype=object)
    rule = rules.of.reindex(community).to_numpy()
    joins = _joins(ground, position, weight, pd.notna(fixed))

    cluster = _fixed_land(fixed, community)
    group, cluster, found = _villages(rows, atom, buildings, rules, rule, cluster, joins)
    pairs = apart_pairs(apart, rows, atom)
    parted = pairs[["atom_a", "atom_b"]].to_numpy(dtype=np.int64)
    limit = np.array([r.upper for r in rules.rules])[rule]
    cluster, refused = tie_together(together, rows, atom, cluster, joins, limit, parted)

    land = _Land(community, rule, group, joins.fixed)
    nodes = _nodes(ground, position, joins, cluster, parted)
    coarse = tie_slices(atoms["atom_id"].to_numpy(dtype=object), rows, cluster, weight, limit)
    how = {"effort": effort, "seed": seed, "executor": executor}
    if (coarse == cluster).all():
        labels = _divide_nodes(nodes, land, rules, np.ones(len(atoms), dtype=bool), **how)
    else:
        labels = _few_slices(nodes, _nodes(ground, position, joins, coarse, parted), land, rules, weight, **how)
    ids = atoms["atom_id"].to_numpy(dtype=object)
    certificates = _certificates(labels, nodes, land, rules, ids)
    return Labelled(labels, certificates, [*found, *refused, *apart_findings(pairs, labels, nodes.node)], group)


class _Land(NamedTuple):
    """By atom: community, number of its rule, villager group or None, whether it is fixed."""

    community: np.ndarray
    rule: np.ndarray
    group: np.ndarray
    fixed: np.ndarray


class _Nodes(NamedTuple):
    """Atoms that are not parted: first atom of each node, node of each atom, and the nodes as lots."""

    first: np.ndarray
    node: np.ndarray
    lots: Lots


def _nodes(ground: Any, position: pd.Series, joins: Joins, cluster: np.ndarray, parted: np.ndarray) -> _Nodes:
    first, node = np.unique(cluster, return_index=True, return_inverse=True)[1:]
    pairs = node[parted]
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    stops = np.column_stack([np.bincount(node, column) for column in stops_at(joins.weight, joins.xy).T])
    lots = replace(_lots(ground, position, joins.weight, node), apart=pairs.astype(np.int32), stops=stops)
    return _Nodes(first, node, lots)


def _divide_nodes(nodes: _Nodes, land: _Land, rules: Rules, use: np.ndarray, **how: Any) -> np.ndarray:
    """Label of each atom; of those not in `use`, which are whole communities, -1."""
    first, lots = nodes.first, nodes.lots
    fixed, here = land.fixed[first], use[first]
    labels = np.full(len(first), -1, dtype=np.int64)
    own = np.flatnonzero(fixed & here)
    labels[own] = np.arange(len(own))
    for number, rule in enumerate(rules.rules):
        for grouped in (False, True):
            free = here & ~fixed & (land.rule[first] == number) & (pd.notna(land.group[first]) == grouped)
            at = np.flatnonzero(free)
            if len(at):
                labels[at] = _divided(lots.part(at), rule, grouped, **how) + labels.max() + 1
    at = np.flatnonzero(here)
    labels[at] = attach_empty_land(labels[at], lots.part(at), land.community[first[at]], fixed[at])
    return labels[nodes.node]


def _few_slices(nodes: _Nodes, coarse: _Nodes, land: _Land, rules: Rules, weight: np.ndarray, **how: Any) -> np.ndarray:
    """Labels with split buildings in as few pieces as can be, and in finer ones where a community needs that."""
    labels = _divide_nodes(coarse, land, rules, np.ones(len(weight), dtype=bool), **how)
    tied = nodes.first[nodes.node] != coarse.first[coarse.node]
    off = _outside(labels, land, rules, weight)
    again = off.index[(off["grids"] > 0) & off.index.isin(land.community[tied].astype(str))]
    use = np.isin(land.community.astype(str), again)
    if not use.any():
        return labels
    finer = _divide_nodes(nodes, land, rules, use, **how)
    now = _outside(np.where(use, finer, labels.max() + 1), land, rules, weight)
    better = [c for c in again if tuple(now.loc[c]) < tuple(off.loc[c])]
    take = np.isin(land.community.astype(str), better)
    return np.where(take, finer + labels.max() + 1, labels)


def _outside(labels: np.ndarray, land: _Land, rules: Rules, weight: np.ndarray) -> pd.DataFrame:
    """Grids and weight outside the band by community."""
    lower = np.array([r.lower for r in rules.rules])[land.rule]
    upper = np.array([r.upper for r in rules.rules])[land.rule]
    table = pd.DataFrame(
        {"community": land.community.astype(str), "label": labels, "weight": weight, "lower": lower, "upper": upper}
    )[~land.fixed]
    grids = table.groupby(["community", "label"]).agg(
        weight=("weight", "sum"), lower=("lower", "first"), upper=("upper", "first")
    )
    off = (grids["lower"] - grids["weight"]).clip(lower=0) + (grids["weight"] - grids["upper"]).clip(lower=0)
    by = off.groupby(level="community")
    return pd.DataFrame({"grids": by.agg(lambda values: (values > 1e-6).sum()), "weight": by.sum()})


def _certificates(
    labels: np.ndarray, nodes: _Nodes, land: _Land, rules: Rules, ids: np.ndarray
) -> dict[int, dict[str, Any]]:
    """Why grids are out of their band, by label."""
    out: dict[int, dict[str, Any]] = {}
    first = nodes.first
    for number, rule in enumerate(rules.rules):
        members = np.flatnonzero(land.rule[first] == number)
        names, may = ids[first[members]], ~land.fixed[first[members]]
        out |= certified(labels[first[members]], nodes.lots.part(members), rule, names, may)
    _name_ties(out, labels[first], ids, nodes.node, land.community)
    return out


def _joins(ground: Any, position: pd.Series, weight: np.ndarray, fixed: np.ndarray) -> Joins:
    pairs = ground.adjacency[_joining(ground.adjacency)]
    middle = shapely.get_coordinates(shapely.point_on_surface(ground.atoms.geometry.to_numpy()))
    return Joins(
        position[pairs["atom_a"]].to_numpy(),
        position[pairs["atom_b"]].to_numpy(),
        weight,
        middle,
        fixed,
        ground.atoms["community_id"].to_numpy(dtype=object),
    )


def _joining(adjacency: pd.DataFrame) -> np.ndarray:
    """Which borders join: long ones, and those of a kind that joins at any length."""
    joins = adjacency["metres"] >= SHORTEST_JOIN
    if "kind" in adjacency:
        joins |= adjacency["kind"].isin(["piece", "bridge"])
    return joins.to_numpy()


def _fixed_land(fixed: np.ndarray, community: np.ndarray) -> np.ndarray:
    """Node of each atom: its own, but one for all atoms of a fixed compound in a community."""
    out = np.arange(len(fixed))
    at = np.flatnonzero(pd.notna(fixed))
    if len(at):
        key = pd.factorize(pd.MultiIndex.from_arrays([community[at], fixed[at]]))[0]
        out[at] = at[np.unique(key, return_index=True)[1][key]]
    return out


def _villages(
    rows: pd.DataFrame,
    atom: np.ndarray,
    buildings: gpd.GeoDataFrame,
    rules: Rules,
    rule: np.ndarray,
    cluster: np.ndarray,
    joins: Joins,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Villager group of each atom where a rule asks for it, the nodes with whole groups, and findings."""
    open_ = np.array([r.open for r in rules.rules])[rule]
    asked = open_ | np.array([r.areas for r in rules.rules])[rule]
    group = np.full(len(cluster), None)
    if not asked.any():
        return group, cluster, []
    mine = asked[atom]
    rows, atom = rows[mine], atom[mine]
    named = pd.Series(None, index=buildings["building_id"], dtype=object)
    if "group" in buildings:
        text = buildings["group"].astype(object)
        named[:] = text.where(text.notna(), None).to_numpy()
    group = atom_groups(rows, atom, named, joins)
    bound = group.copy()
    bound[~open_] = None
    cluster, cut = group_nodes(bound, cluster, joins)
    return group, cluster, group_findings(rows, atom, named, group, cut)


def _lots(ground: Any, position: pd.Series, weight: np.ndarray, node: np.ndarray) -> Lots:
    """The nodes as arrays of the engine."""
    pairs = ground.adjacency
    table = pd.DataFrame(
        {
            "a": node[position[pairs["atom_a"]].to_numpy()],
            "b": node[position[pairs["atom_b"]].to_numpy()],
            "metres": pairs["metres"].to_numpy(np.float64),
            "on_street": pairs["on_street"].to_numpy(np.float64),
            "joins": _joining(pairs),
        }
    )
    perimeter = np.bincount(node, ground.atoms.length)
    if len(perimeter) < len(node):
        within = table[table["a"] == table["b"]]
        perimeter -= 2 * np.bincount(within["a"], within["metres"], minlength=len(perimeter))
        table = table[table["a"] != table["b"]]
        ends = np.sort(table[["a", "b"]].to_numpy(), axis=1)
        by = table.assign(a=ends[:, 0], b=ends[:, 1]).groupby(["a", "b"])
        table = by.agg(metres=("metres", "sum"), on_street=("on_street", "sum"), joins=("joins", "any")).reset_index()
    return lots_from_borders(
        np.bincount(node, weight),
        np.bincount(node, ground.atoms.area),
        perimeter,
        *(table[c].to_numpy() for c in ("a", "b", "metres", "on_street", "joins")),
    )


def _divided(
    lots: Lots, rule: Rule, grouped: bool, *, effort: Effort, seed: int, executor: Executor | None
) -> np.ndarray:
    """A part for each node: whole villager groups merged up to `lower`, else what the engine finds."""
    if rule.open and grouped:
        return merge_small(np.arange(len(lots.weight)), lots, rule.lower)
    if rule.open and rule.lower <= 0:
        return np.asarray(lots.components()[1], dtype=np.int64)
    labels = np.asarray(partition_lots(lots, rule.band, effort=effort, seed=seed, executor=executor), dtype=np.int64)
    return merge_small(labels, lots, rule.lower) if rule.open else labels


def certified(
    labels: np.ndarray, lots: Lots, rule: Rule, names: np.ndarray, free: np.ndarray
) -> dict[int, dict[str, Any]]:
    """Why parts are out of the band, by label."""
    values, part = np.unique(labels, return_inverse=True)
    if not rule.open:
        return {int(values[p]): c for p, c in certify(part, lots, rule.band, names, free=free).items()}
    values, part = np.unique(labels[free], return_inverse=True)
    names, lots = names[free], lots.part(np.flatnonzero(free))
    # Without a ceiling a part can only be too small, and then it is all of its component: else it had been merged.
    held = np.bincount(part, lots.weight)
    component = lots.components()[1]
    totals = np.bincount(component, lots.weight)
    out: dict[int, dict[str, Any]] = {}
    for p in np.flatnonzero(held < rule.lower):
        inside = np.flatnonzero(part == p)
        home = component[inside[np.argmax(lots.weight[inside])]]
        certificate: dict[str, Any] = {"lower": rule.lower, "upper": None, "weight": float(held[p])}
        if totals[home] < rule.lower:
            atoms = [str(n) for n in names[component == home]]
            certificate |= {"kind": "component_total", "total": float(totals[home]), "atoms": atoms}
        else:
            certificate |= {"kind": "not_found"}
        out[int(values[p])] = certificate
    return out


def _name_ties(
    certificates: dict[int, dict[str, Any]],
    labels: np.ndarray,
    ids: np.ndarray,
    node: np.ndarray,
    community: np.ndarray,
) -> None:
    """Add to each certificate the atoms of its community that are tied together, which it presupposes.

    A certificate names tied atoms after the first. Where it lists all atoms of a place, the others are added.
    """
    first = np.unique(node, return_index=True)[1]
    several = np.flatnonzero(np.bincount(node) > 1)
    members = {ids[first[n]]: ids[node == n].tolist() for n in several}
    for label, certificate in certificates.items():
        here = community[first[labels == label][0]]
        tied = {ids[first[n]]: members[ids[first[n]]] for n in several if community[first[n]] == here}
        if tied and "atoms" in certificate:
            certificate["atoms"] = [a for name in certificate["atoms"] for a in tied.get(name, [name])]
            # A total is what it is, however its atoms hang together.
            if certificate["kind"] != "component_total":
                certificate["tied"] = list(tied.values())
