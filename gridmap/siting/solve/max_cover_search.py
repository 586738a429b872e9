"""Exact search for the choice that covers most: branch and bound over the nodes of `max_cover_node_kernel`.

The nodes of the highest bounds come first, some at a time and side by side; what is found does not depend on how many
workers there are.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.max_cover import CoverProblem
    from gridmap.siting.solve.pairs import Bools, Floats, Ints, Longs

__all__ = ["search"]

# Subgradient steps and groups of sites tried at the root, and at the nodes below it.
_ROOT_STEPS, _ROOT_TRIES = 1500, 20
_STEPS, _TRIES = 120, 4
# Nodes looked at side by side; and how many may wait before the lowest bounds come first, which keeps memory small.
_BATCH, _WAITING = 16, 20_000
# How many sites most like each other one are known.
_ALIKE = 60


class _Node(NamedTuple):
    """What is settled, the multipliers to start from, and the groups of which a site must open."""

    bound: float
    state: NDArray[np.int8]
    mult: NDArray[np.float32]
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
    state = np.zeros(len(problem.cost), dtype=np.int8)
    root = _Node(float(problem.weight.sum()), state, (problem.weight / 2).astype(np.float32), (), ())
    waiting, number, spent = [(-root.bound, 0, root)], 0, 0
    while waiting and (work is None or spent < work):
        batch = [heappop(waiting)[2] for _ in range(min(_BATCH, len(waiting)))]
        tasks = [(node, number == 0, lower, grain, room, alike, problem) for node in batch]
        for children, value, choice in map_tasks(_look, tasks):
            if value > lower:
                best, lower = choice, value
            for child in children:
                number += 1
                heappush(waiting, (_rank(child, len(waiting)), number, child))
        spent += len(batch) * _STEPS if number > 2 else _ROOT_STEPS
        waiting = [entry for entry in waiting if entry[2].bound >= lower + grain]
        heapify(waiting)
    bound = max((entry[2].bound for entry in waiting), default=lower)
    return best, max(bound, lower), not waiting


def _rank(node: _Node, waiting: int) -> float:
    return -node.bound if waiting < _WAITING else node.bound - 1e18


def _look(task: tuple[_Node, bool, float, float, float, Ints, CoverProblem]) -> tuple[list[_Node], float, Bools]:
    """The nodes that a node is split into, none where nothing in it is better; the value met, and its choice."""
    from gridmap.siting.solve.max_cover_node_kernel import explore

    node, first, lower, grain, room, alike, problem = task
    ptr = np.zeros(len(node.groups) + 1, dtype=np.int64)
    np.cumsum([len(group) for group in node.groups], out=ptr[1:])
    members = np.concatenate([*node.groups, np.zeros(0, dtype=np.int64)])
    state, mult, group_mult = node.state.copy(), node.mult.astype(np.float64), np.array(node.group_mult, dtype=float)
    steps, tries = (_ROOT_STEPS, _ROOT_TRIES) if first else (_STEPS, _TRIES)
    bound, group, start, value, choice = explore(
        state,
        mult,
        ptr,
        members,
        group_mult,
        lower,
        grain,
        steps,
        tries,
        first,
        alike,
        room,
        problem.cost,
        problem.site_ptr,
        problem.demand,
        problem.weight,
    )
    bound = min(bound, node.bound)
    if bound < lower + grain:
        return [], value, choice
    after = _Node(bound, state, mult.astype(np.float32), node.groups, tuple(group_mult))
    return _split(after, group, start), value, choice


def _split(node: _Node, group: Longs, start: float) -> list[_Node]:
    """The node with the group closed, and with one of it to open; itself, all settled, where there is no group."""
    if not len(group):
        return [node]
    closed = node.state.copy()
    closed[group] = -1
    one = node._replace(groups=(*node.groups, group), group_mult=(*node.group_mult, start))
    return [node._replace(state=closed), one]


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
