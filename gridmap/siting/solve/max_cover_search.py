"""Exact search for the choice that covers most: branch and bound over the nodes of `max_cover_node_kernel`.

The nodes of the highest bounds come first, some at a time and side by side; what is found does not depend on how many
workers there are.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.max_cover import CoverProblem
    from gridmap.siting.solve.pairs import Bools, Floats, Ints, Longs

__all__ = ["search"]

# At the root, high in the tree and low in it, below a share of the gap of the root: subgradient steps for the node, for
# each side of a split that is tried, and splits to try. Tuned on 3,000 demands, 400 sites and 20 to open, where long
# steps on few nodes prove soonest.
_ROOT, _HIGH, _LOW, _LOW_BELOW = (1000, 300, 20), (140, 140, 4), (140, 140, 2), 0.15
# Lengths of the first and the last of the steps, at the root and below it, as shares of the gap of the root.
_ROOT_LENGTHS, _LENGTHS = (0.1, 0.0003), (0.03, 0.0003)
# Nodes looked at side by side; and the bytes that waiting ones may take until the nearest to its end comes first.
_BATCH, _BYTES = 16, 200_000_000
# How many sites most like each other one are known.
_ALIKE = 60


class _Node(NamedTuple):
    """What is settled, the multipliers to start from, and the groups of which a site must open."""

    bound: float
    state: NDArray[np.int8]
    mult: NDArray[np.float32]
    average: NDArray[np.float32]
    groups: tuple[Longs, ...]
    group_mult: tuple[float, ...]


def search(
    problem: CoverProblem, room: float, opened: Bools, grain: float, work: int | None
) -> tuple[Bools, float, bool]:
    """The choice that covers most.

    Parameters
    ----------
    problem, room
        What to choose from, and what may be spent.
    opened
        A good choice to start from.
    grain
        By how much a better one is better at least.
    work
        Subgradient steps after which to stop; None for no end.

    Returns
    -------
    tuple
        The best choice met, the bound, and whether nothing is better.
    """
    from gridmap.siting.solve.max_cover_kernel import covered_weight

    alike = _most_alike(problem)
    best, lower = opened, covered_weight(opened, problem.site_ptr, problem.demand, problem.weight)
    most_waiting = _BYTES // (5 * len(problem.cost) + 4 * len(problem.weight))
    root = _root(problem)
    gap, seen, spent = root.bound - lower, 0, 0
    waiting = [((1.0, -root.bound), 0, root)]
    number = 0
    while waiting and (work is None or spent < work):
        batch = [heappop(waiting)[2] for _ in range(min(_BATCH, len(waiting)))]
        efforts = [_effort(node, gap, lower) for node in batch]
        tasks = [
            (node, effort, lower, grain, room, alike, problem) for node, effort in zip(batch, efforts, strict=True)
        ]
        for sides, value, choice in map_tasks(_look, tasks):
            if value > lower:
                best, lower = choice, value
            for side in sides:
                number += 1
                rank = (1.0, -side.bound) if len(waiting) < most_waiting else (0.0, side.bound)
                heappush(waiting, (rank, number, side))
        waiting = [entry for entry in waiting if entry[2].bound >= lower + grain]
        heapify(waiting)
        bound = max((node.bound for _, _, node in waiting), default=lower)
        gap = gap if seen else bound - lower
        seen += len(batch)
        spent += sum(steps + 2 * trial * tries for _, (steps, trial, tries), _ in efforts)
    return best, max(lower, bound), not waiting


def _root(problem: CoverProblem) -> _Node:
    sites, weight = len(problem.cost), problem.weight
    nothing = np.zeros(sites, dtype=np.int8), (weight / 2).astype(np.float32), np.zeros(sites, dtype=np.float32)
    return _Node(float(weight.sum()), *nothing, (), ())


def _effort(node: _Node, gap: float, lower: float) -> tuple[float, tuple[int, int, int], tuple[float, float]]:
    """The value that steps go towards, their numbers, and their lengths.

    That value is as far from the bound as at the root, so that steps do not shorten where the search comes to its end.
    """
    aim = node.bound - gap
    if not node.average.any():
        return aim, _ROOT, _ROOT_LENGTHS
    return aim, _HIGH if node.bound - lower > _LOW_BELOW * gap else _LOW, _LENGTHS


def _look(task: tuple[Any, ...]) -> tuple[list[_Node], float, Bools]:
    """The nodes that a node is split into, none where nothing in it is better; the value met, and its choice."""
    from gridmap.siting.solve.max_cover_node_kernel import explore

    node, (aim, (steps, trial_steps, tries), lengths), lower, grain, room, alike, problem = task
    ptr = np.zeros(len(node.groups) + 1, dtype=np.int64)
    np.cumsum([len(group) for group in node.groups], out=ptr[1:])
    members = np.concatenate([*node.groups, np.zeros(0, dtype=np.int64)])
    state, mult, average = node.state.copy(), node.mult.astype(np.float64), node.average.astype(np.float64)
    bound, group, bounds, mults, averages, group_mults, value, choice = explore(
        state, mult, average, ptr, members, np.array(node.group_mult, dtype=np.float64), lower, grain, aim, steps,
        trial_steps, tries, lengths, alike, room, problem.cost, problem.site_ptr, problem.demand, problem.weight,
    )  # fmt: skip
    bound = min(bound, node.bound)
    if bound < lower + grain:
        return [], value, choice
    sides = [
        _Node(
            min(bound, float(bounds[side])), state.copy(), mults[side].astype(np.float32),
            averages[side].astype(np.float32), node.groups, tuple(group_mults[side][:-1]),
        )
        for side in range(2)
    ]  # fmt: skip
    if not len(group):
        return sides[:1], value, choice
    sides[0].state[group] = -1
    sides[1] = sides[1]._replace(groups=(*node.groups, group), group_mult=tuple(group_mults[1]))
    return [side for side in sides if side.bound >= lower + grain], value, choice


def _most_alike(problem: CoverProblem) -> Ints:
    """For each site those that reach most of what it reaches, itself first: by the weight of both in that of either."""
    from scipy.sparse import csc_array, diags_array

    sites = len(problem.cost)
    reach = csc_array(
        (np.ones(len(problem.demand)), problem.demand, problem.site_ptr), shape=(len(problem.weight), sites)
    )
    both = (reach.T @ diags_array(problem.weight) @ reach).tocsr()
    own: Floats = both.diagonal()
    out = np.full((sites, _ALIKE), -1, dtype=np.int32)
    for s in range(sites):
        other, shared = (
            both.indices[both.indptr[s] : both.indptr[s + 1]],
            both.data[both.indptr[s] : both.indptr[s + 1]],
        )
        order = np.lexsort((other, -shared / (own[s] + own[other] - shared)))[:_ALIKE]
        out[s, : len(order)] = other[order]
    return out
