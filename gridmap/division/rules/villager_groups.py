"""Villager groups: nodes and grids made of whole ones, where no ceiling holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.division.rules.pairs import Joins, tie
from gridmap.division.search.engine import arcs_of
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Collection

    from gridmap.division.search.engine import Lots

__all__ = ["PARTED", "atom_groups", "group_findings", "group_nodes", "merge_small", "parted_groups"]

#: Rule of the finding on groups that hand edits have cut.
PARTED = "group_parted"


def atom_groups(rows: pd.DataFrame, atom: np.ndarray, group: pd.Series, joins: Joins) -> np.ndarray:
    """Villager group of each atom: that of most households in it, elsewhere that of the nearest atom with one.

    Parameters
    ----------
    rows, atom
        building_id and households, one row a building or unit, and the position of its atom.
    group
        Villager group by building_id; missing or empty where none is known.
    joins
        Which atoms join: land without a group goes to the group that is nearest over these joins.

    Returns
    -------
    ndarray
        object (atoms,): ``None`` in communities without any group. Groups of two communities are two groups even when
        they have one name.
    """
    named = rows["building_id"].map(group)
    held = pd.DataFrame({"atom": atom, "group": named, "households": rows["households"]})
    held = held[held["group"].notna() & (held["group"] != "")]
    sums = held.groupby(["atom", "group"])["households"].agg(["sum", "size"]).reset_index()
    sums = sums.sort_values(["atom", "sum", "size", "group"], ascending=[True, False, False, True], kind="stable")
    first = sums.drop_duplicates("atom")
    out = np.full(len(joins.weight), None)
    out[first["atom"].to_numpy()] = first["group"].to_numpy()
    return _grown(out, joins)


def _grown(group: np.ndarray, joins: Joins) -> np.ndarray:
    """Atoms without a group get that of the nearest one: over the joins, else as the crow flies."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    known = np.flatnonzero(pd.notna(group))
    if not len(known):
        return group
    here = np.isin(joins.community, joins.community[known])
    bare = np.flatnonzero(pd.isna(group) & here)
    metres = np.maximum(np.hypot(*(joins.xy[joins.a] - joins.xy[joins.b]).T), 1.0)
    n = len(group)
    pairs = pd.DataFrame({"a": joins.a, "b": joins.b, "metres": metres}).drop_duplicates(["a", "b"])
    graph = coo_array((pairs["metres"], (pairs["a"], pairs["b"])), shape=(n, n)).tocsr()
    far, _, source = dijkstra(graph, directed=False, indices=known, min_only=True, return_predecessors=True)
    out = group.copy()
    reached = bare[np.isfinite(far[bare])]
    out[reached] = group[source[reached]]
    for one in bare[~np.isfinite(far[bare])]:
        near = known[joins.community[known] == joins.community[one]]
        out[one] = group[near[np.argmin(np.hypot(*(joins.xy[near] - joins.xy[one]).T))]]
    return out


def group_nodes(group: np.ndarray, cluster: np.ndarray, joins: Joins) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Nodes in which no villager group is cut, and the groups (community, name) that the ground cuts all the same.

    A group in several places becomes one node with what lies between them, other groups included, since those must
    not be cut either.

    Parameters
    ----------
    group
        By atom; atoms without one keep their node.
    cluster
        Node of each atom so far.
    joins
        Which atoms join.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(group)
    free = pd.notna(group) & ~joins.fixed
    of = np.full(n, -1)
    of[free] = pd.factorize(pd.MultiIndex.from_arrays([joins.community[free], group[free]]), sort=True)[0]
    same = (of[joins.a] >= 0) & (of[joins.a] == of[joins.b])
    a, b = joins.a[same], joins.b[same]
    place = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)[1]
    first = np.unique(place, return_index=True)[1]
    out = np.where(free, first[place], cluster)
    cut = []
    for one in range(int(of.max(initial=-1)) + 1):
        atoms = np.flatnonzero(of == one)
        starts = np.unique(first[place[atoms]])
        # Empty land on its own is no reason to tie anything.
        starts = starts[[joins.weight[atoms][first[place[atoms]] == s].sum() > 0 for s in starts]]
        if len(np.unique(out[starts])) < 2:
            continue
        tied = tie(starts, out, joins)
        if tied is None:
            cut.append((str(joins.community[atoms[0]]), str(group[atoms[0]])))
        else:
            out = tied
    return out, cut


def merge_small(labels: np.ndarray, lots: Lots, lower: float) -> np.ndarray:
    """Labels after parts below `lower` have joined a neighbour, the smallest first, each the lightest beside it.

    Parameters
    ----------
    labels
        int (n,), part of each node.
    lots
        The nodes; those that must be apart are not brought together.
    lower
        What a part should hold at least.
    """
    labels = labels.copy()
    stuck: set[int] = set()
    while True:
        held = np.bincount(labels, lots.weight)
        there = np.bincount(labels) > 0
        small = [p for p in np.flatnonzero(there & (held < lower * (1 - 1e-9))).tolist() if p not in stuck]
        if not small:
            return labels
        part = min(small, key=lambda p: (held[p], p))
        arcs = arcs_of(lots.indptr, np.flatnonzero(labels == part).astype(np.int32))
        arcs = arcs[lots.joins[arcs] & (labels[lots.neighbour[arcs]] != part)]
        metres = np.bincount(labels[lots.neighbour[arcs]], lots.border[arcs], minlength=len(held))
        beside = np.unique(labels[lots.neighbour[arcs]])
        ends = labels[lots.apart]
        banned = np.r_[ends[ends[:, 0] == part, 1], ends[ends[:, 1] == part, 0]]
        beside = beside[~np.isin(beside, banned)]
        if len(beside):
            labels[labels == part] = min(beside, key=lambda q: (held[q], -metres[q], q))
            stuck.clear()
        else:
            stuck.add(part)


def group_findings(
    rows: pd.DataFrame, atom: np.ndarray, group: pd.Series, of_atom: np.ndarray, cut: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Buildings without a villager group, buildings counted with another one, and groups that are cut.

    Parameters
    ----------
    rows, atom
        Buildings of the communities that villager groups matter in, and the position of the atom of each.
    group
        Villager group by building_id.
    of_atom
        Group of each atom.
    cut
        As `group_nodes` returns them.
    """
    named = rows["building_id"].map(group)
    known = (named.notna() & (named != "")).to_numpy()
    lived_in = rows["households"].to_numpy() > 0
    counted = of_atom[atom]
    found = []
    without = rows["building_id"][~known & lived_in].unique()
    if len(without):
        found.append(
            finding(
                "warning", "without_group",
                f"{len(without):,} lived-in buildings have no villager group and were counted with the nearest one, "
                "where there is any.",
                cure="Fill the column group of buildings.", ids=without,
            )
        )  # fmt: skip
    elsewhere = rows["building_id"][known & (named.to_numpy() != counted)].unique()
    if len(elsewhere):
        found.append(
            finding(
                "warning", "group_elsewhere",
                f"{len(elsewhere):,} buildings share a compound, or a footprint, with more households of another "
                "villager group, and were counted with that.",
                cure="Correct their group, or leave the compound out.", ids=elsewhere,
            )
        )  # fmt: skip
    if cut:
        found.append(
            finding(
                "warning", "group_cut",
                f"{len(cut):,} villager groups lie on both sides of a barrier, or of a dedicated or locked grid, and "
                f"are in more than one grid: {', '.join(name for _, name in cut[:5])}.",
                cure="Correct their buildings, or let the barrier be crossed.", ids=[name for _, name in cut],
            )
        )  # fmt: skip
    return found


def parted_groups(atoms: pd.DataFrame, whole: Collection[str]) -> list[dict[str, Any]]:
    """A finding on the villager groups that lie in several grids, whatever put them there.

    Parameters
    ----------
    atoms
        community_id, group and grid_id.
    whole
        The communities whose grids are made of whole groups.
    """
    here = atoms[atoms["community_id"].isin(whole) & atoms["group"].notna()]
    grids = here.groupby(["community_id", "group"])["grid_id"].nunique()
    names = [str(name) for _, name in grids.index[grids > 1]]
    if not names:
        return []
    return [
        finding(
            "warning", PARTED, f"{len(names):,} villager groups are in more than one grid: {', '.join(names[:5])}.",
            cure="Move the rest of each group into the grid that holds most of it, where no barrier lies between.",
            ids=names,
        )
    ]  # fmt: skip
