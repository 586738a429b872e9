"""Pairs: buildings that must share a grid, and buildings that must not.

Those that must are tied: their atoms become one node, with the atoms between them where they do not touch. The engine
then cannot part them. Those that must not are passed on to the engine, and looked at once more in the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "PAIR_RULES", "Joins", "apart_findings", "apart_pairs", "broken_pairs", "building_groups", "tie", "tie_together",
]  # fmt: skip

#: Rules of the findings on pairs.
PAIR_RULES = ("together_impossible", "apart_impossible")

# A path of equal households goes the shorter way: a metre counts as this many households.
_HOUSEHOLDS_A_METRE = 1e-3


@dataclass(frozen=True)
class Joins:
    """What a tie may run along: `a`, `b` are atoms that join, the rest is one value an atom.

    `xy` is its place in metres, `fixed` whether it is in a dedicated or locked grid.
    """

    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    xy: np.ndarray
    fixed: np.ndarray
    community: np.ndarray


def building_groups(groups: Iterable[Iterable[str]] | None, option: str, known: pd.Series) -> list[list[str]]:
    """Groups of building ids as lists of two or more, in an order that does not depend on the one given.

    Raises
    ------
    OptionError
        When there is no such building, or the option is not made of groups.
    """
    found = []
    for group in groups if groups is not None else ():
        if isinstance(group, str):
            raise OptionError(f"{option} takes groups of building ids, such as [('b1', 'b2')], not the text {group!r}")
        ids = sorted({str(i) for i in group})
        if len(ids) > 1:
            found.append(ids)
    unknown = sorted({i for ids in found for i in ids} - set(known))
    if unknown:
        raise OptionError(
            f"{option} names {len(unknown)} buildings that there are not: {', '.join(unknown[:10])}; "
            "correct the ids, or leave them out"
        )
    return sorted(found)


def tie_together(
    groups: list[list[str]],
    rows: pd.DataFrame,
    atom: np.ndarray,
    cluster: np.ndarray,
    joins: Joins,
    limit: np.ndarray,
    apart: np.ndarray,
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Tie the atoms of each group of buildings, one group after another.

    Parameters
    ----------
    groups
        As `building_groups` returns them.
    rows, atom
        building_id, one row a building or unit, and the position of its atom.
    cluster
        Node of each atom so far.
    joins
        See `Joins`.
    limit
        By atom, the weight that no grid there may exceed.
    apart
        (k, 2), atoms that must not share a grid.

    Returns
    -------
    cluster, findings
        The nodes with all ties that can be kept, and a finding for each group that cannot be.
    """
    where = pd.Series(atom, index=rows["building_id"].to_numpy())
    found = []
    for ids in groups:
        missing = [i for i in ids if i not in where.index]
        atoms = np.unique(where[where.index.isin(ids)].to_numpy())
        reason = f"{', '.join(missing[:5])} in no community" if missing else _no_way(atoms, joins)
        if not reason and not (joins.fixed[atoms].all() and len(np.unique(cluster[atoms])) == 1):
            if joins.fixed[atoms].any():
                reason = "some of them are in a dedicated or locked grid"
            else:
                tied = tie(atoms, cluster, joins)
                reason = _refused(tied, atoms, joins, limit, apart)
                cluster = cluster if reason or tied is None else tied
        if reason:
            found.append(
                finding(
                    "warning", "together_impossible",
                    f"Buildings {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''} cannot be in one grid: {reason}.",
                    status="refused", ids=ids,
                    cure="Leave the group out, make it smaller, or change what keeps it apart.",
                )
            )  # fmt: skip
    return cluster, found


def tie(atoms: np.ndarray, cluster: np.ndarray, joins: Joins) -> np.ndarray | None:
    """Nodes after some atoms, and what joins them by the fewest households, have become one; None where nothing does.

    From the first atom a path runs to the nearest of the others, from both to the next, and so on.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    inside = np.flatnonzero((joins.community == joins.community[atoms[0]]) & ~joins.fixed)
    names, node = np.unique(cluster[inside], return_inverse=True)
    position = np.full(len(cluster), -1)
    position[inside] = node
    a, b = position[joins.a], position[joins.b]
    there = (a >= 0) & (b >= 0) & (a != b)
    a, b = a[there], b[there]
    metres = np.hypot(*(joins.xy[joins.a[there]] - joins.xy[joins.b[there]]).T)
    weight = np.bincount(node, joins.weight[inside])
    source, target = np.r_[a, b], np.r_[b, a]
    order = np.lexsort((np.r_[metres, metres], target, source))
    source, target, metres = source[order], target[order], np.r_[metres, metres][order]
    first = np.r_[True, (np.diff(source) != 0) | (np.diff(target) != 0)] if len(source) else np.empty(0, dtype=bool)
    source, target, metres = source[first], target[first], metres[first]
    cost = weight[target] + _HOUSEHOLDS_A_METRE * np.maximum(metres, 1.0)
    graph = coo_array((cost, (source, target)), shape=(len(names), len(names))).tocsr()
    wanted = np.unique(position[atoms])
    reached = wanted[:1]
    while not np.isin(wanted, reached).all():
        far, before, _ = dijkstra(graph, indices=reached, min_only=True, return_predecessors=True)
        left = np.setdiff1d(wanted, reached)
        nearest = left[np.argmin(far[left] - weight[left])]
        if not np.isfinite(far[nearest]):
            return None
        path = [nearest]
        while before[path[-1]] >= 0:
            path.append(before[path[-1]])
        reached = np.union1d(reached, path)
    out = cluster.copy()
    out[np.isin(cluster, names[reached])] = names[reached].min()
    return out


def apart_pairs(groups: list[list[str]], rows: pd.DataFrame, atom: np.ndarray) -> pd.DataFrame:
    """building_a, building_b, atom_a, atom_b: each two buildings that must not share a grid, and their atoms."""
    where = pd.DataFrame({"building_id": rows["building_id"].to_numpy(), "atom": atom}).drop_duplicates()
    pairs = pd.DataFrame(
        sorted({pair for ids in groups for pair in combinations(ids, 2)}), columns=["building_a", "building_b"]
    )
    for side in "ab":
        pairs = pairs.merge(where.add_suffix(f"_{side}").rename(columns={f"building_id_{side}": f"building_{side}"}))
    return pairs


def apart_findings(pairs: pd.DataFrame, labels: np.ndarray, cluster: np.ndarray) -> list[dict[str, Any]]:
    """A finding for each two buildings that share a grid all the same."""
    a, b = pairs["atom_a"].to_numpy(dtype=np.int64), pairs["atom_b"].to_numpy(dtype=np.int64)
    shared = labels[a] == labels[b]
    one = np.where(a == b, "they are in one atom", np.where(cluster[a] == cluster[b], "they are tied together", ""))
    table = pairs.assign(reason=one)[shared].drop_duplicates(["building_a", "building_b"])
    return [
        finding(
            "warning", "apart_impossible",
            f"Buildings {first} and {other} share a grid, though they should not: "
            f"{reason or 'no legal division parts them, or none was found'}.",
            status="not kept", ids=(first, other),
            cure="Leave the pair out" + (", or open their compound." if reason else ", or try effort='high'."),
        )
        for first, other, reason in table[["building_a", "building_b", "reason"]].itertuples(index=False)
    ]  # fmt: skip


def broken_pairs(
    together: Iterable[Iterable[str]], apart: Iterable[Iterable[str]], rows: pd.DataFrame
) -> list[dict[str, Any]]:
    """A finding for each group in several grids and each pair in one, whatever put them there.

    Parameters
    ----------
    together, apart
        As `building_groups` returns them; buildings that are gone count no longer.
    rows
        building_id and grid_id, one row a building or unit.
    """
    groups, pairs = list(map(list, together)), sorted({pair for ids in apart for pair in combinations(ids, 2)})
    named = {i for ids in (*groups, *pairs) for i in ids}
    rows = rows[rows["building_id"].isin(named)]
    grids = rows["grid_id"].astype(object).where(rows["grid_id"].notna(), "no grid")
    of: dict[str, set[str]] = {}
    for building, grid in zip(rows["building_id"], grids, strict=True):
        of.setdefault(building, set()).add(grid)
    found = []
    for ids in groups:
        where = sorted(set().union(*(of.get(i, set()) for i in ids)))
        if len(where) > 1:
            found.append(
                finding(
                    "warning", "together_impossible",
                    f"Buildings {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''} should share a grid and are in "
                    f"{', '.join(where)}.",
                    status="not kept", ids=ids,
                    cure="Move them to one of these grids, or leave the group out.",
                )
            )  # fmt: skip
    for first, other in pairs:
        shared = sorted((of.get(first, set()) & of.get(other, set())) - {"no grid"})
        if shared:
            found.append(
                finding(
                    "warning", "apart_impossible",
                    f"Buildings {first} and {other} share grid {', '.join(shared)}, though they should not.",
                    status="not kept", ids=(first, other),
                    cure="Move one of them to another grid, or leave the pair out.",
                )
            )  # fmt: skip
    return found


def _no_way(atoms: np.ndarray, joins: Joins) -> str:
    communities = np.unique(joins.community[atoms].astype(str))
    if len(communities) > 1:
        return f"they are in communities {', '.join(communities[:5])}"
    return ""


def _refused(tied: np.ndarray | None, atoms: np.ndarray, joins: Joins, limit: np.ndarray, apart: np.ndarray) -> str:
    """Why a tie cannot be kept; empty when it can."""
    if tied is None:
        return "nothing joins them, a barrier or another grid lies between"
    total = joins.weight[tied == tied[atoms[0]]].sum()
    if total > limit[atoms[0]] * (1 + 1e-9):
        return f"with what lies between they count {total:,.0f}, more than {limit[atoms[0]]:,.0f}"
    if len(apart) and (tied[apart[:, 0]] == tied[apart[:, 1]])[(apart[:, 0] != apart[:, 1])].any():
        return "two of them, or what lies between, must be apart"
    return ""
