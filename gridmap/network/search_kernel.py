"""Kernels: sweeps from all targets at once over a hierarchy, and the best target of each origin.

A *label* is (cost, target, other): what it costs to reach the target, which target it is, and the other measure along
the same path. Labels are compared in that order, so that of equally near targets the one of lower index wins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.touch_kernel import most_touched, touch_place


@compiled
def sweep(
    order: np.ndarray,
    ptr: np.ndarray,
    up_node: np.ndarray,
    in_cost: np.ndarray,
    in_other: np.ndarray,
    out_cost: np.ndarray,
    out_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    seed_target: np.ndarray,
    seed_column: np.ndarray,
    columns: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every node and column the best label among the seeds of that column.

    Parameters
    ----------
    order, ptr, up_node, in_cost, in_other, out_cost, out_other
        The hierarchy (int32, int64, int32, float64 ...); see `gridmap.network.hierarchy.Hierarchy`.
    seed_node, seed_cost, seed_other, seed_target, seed_column
        Where targets touch the graph (int32, float64, float64, int32, int32).
    columns
        Number of columns: kinds of target that do not compete.

    Returns
    -------
    cost (n, columns) float64, infinite where nothing is reached; other likewise; target int32, -1 for none.
    """
    n = len(order)
    cost, other = np.full((n, columns), np.inf), np.full((n, columns), np.inf)
    target = np.full((n, columns), -1, dtype=np.int32)
    for s in range(len(seed_node)):
        v, j, c, o, t = seed_node[s], seed_column[s], seed_cost[s], seed_other[s], seed_target[s]
        if c < cost[v, j] or (c == cost[v, j] and (t < target[v, j] or (t == target[v, j] and o < other[v, j]))):
            cost[v, j], other[v, j], target[v, j] = c, o, t
    for i in range(n):
        x = order[i]
        for j in range(columns):
            c, o, t = cost[x, j], other[x, j], target[x, j]
            if c == np.inf:
                continue
            for a in range(ptr[i], ptr[i + 1]):
                y, d = up_node[a], c + in_cost[a]
                if d > cost[y, j]:
                    continue
                e = o + in_other[a]
                if d == cost[y, j] and (t > target[y, j] or (t == target[y, j] and e >= other[y, j])):
                    continue
                cost[y, j], other[y, j], target[y, j] = d, e, t
    for i in range(n - 1, -1, -1):
        x = order[i]
        for a in range(ptr[i], ptr[i + 1]):
            y, way = up_node[a], out_cost[a]
            for j in range(columns):
                d = way + cost[y, j]
                if d > cost[x, j]:
                    continue
                e, t = out_other[a] + other[y, j], target[y, j]
                if d == cost[x, j] and (t > target[x, j] or (t == target[x, j] and e >= other[x, j])):
                    continue
                cost[x, j], other[x, j], target[x, j] = d, e, t
    return cost, other, target


@compiled
def join(
    row: np.ndarray,
    places: tuple[Any, ...],
    pace: tuple[float, float],
    streets: tuple[Any, ...],
    node_cost: np.ndarray,
    node_other: np.ndarray,
    node_target: np.ndarray,
    limit: float,
    cost: np.ndarray,
    other: np.ndarray,
    target: np.ndarray,
) -> None:
    """The best label of every place and column through the nodes that it touches.

    Parameters
    ----------
    row
        (n,) int64: some of the places, in the order in which they follow the ground.
    places, pace, streets
        See `gridmap.network.touch_kernel`.
    node_cost, node_other, node_target
        (nodes, columns) labels of a sweep.
    limit
        No label costs more.
    cost, other, target
        What is filled: (all places, columns) float64, infinite for none; int32, -1 for none.
    """
    nodes, columns = node_cost.shape
    slot, room = np.zeros(nodes, dtype=np.int64), most_touched(row, places)
    leg_node, leg_cost, leg_other = np.empty(room, dtype=np.int32), np.empty(room), np.empty(room)
    best, best_other, best_target = np.empty(columns), np.empty(columns), np.empty(columns, dtype=np.int32)
    for i in row:
        legs = touch_place(i, places, pace, streets, 0, slot, leg_node, leg_cost, leg_other)
        # the costs alone first, which a processor compares several at once
        for j in range(columns):
            best[j], best_other[j], best_target[j] = np.inf, np.inf, -1
        for r in range(legs):
            v, leg = leg_node[r], leg_cost[r]
            for j in range(columns):
                best[j] = min(best[j], leg + node_cost[v, j])
        for j in range(columns):
            if best[j] > limit:
                best[j] = np.inf
        for r in range(legs):
            v, leg = leg_node[r], leg_cost[r]
            for j in range(columns):
                if leg + node_cost[v, j] != best[j]:
                    continue
                t, e = node_target[v, j], leg_other[r] + node_other[v, j]
                if t >= 0 and (best_target[j] < 0 or t < best_target[j] or (t == best_target[j] and e < best_other[j])):
                    best_other[j], best_target[j] = e, t
        for j in range(columns):
            cost[i, j], other[i, j], target[i, j] = best[j], best_other[j], best_target[j]


@compiled
def _place(
    cost: np.ndarray,
    other: np.ndarray,
    target: np.ndarray,
    c: float,
    t: int,
    o: float,
) -> bool:
    """Put a label into one row of k labels with distinct targets, kept in order; returns whether it got in."""
    k = len(cost)
    at = k
    for i in range(k):
        if target[i] == t:
            if c > cost[i] or (c == cost[i] and o >= other[i]):
                return False
            at = i
            break
    if at == k:
        at = k - 1
        if c > cost[at] or (c == cost[at] and target[at] >= 0 and t > target[at]):
            return False
    while at > 0 and (c < cost[at - 1] or (c == cost[at - 1] and t < target[at - 1])):
        cost[at], other[at], target[at] = cost[at - 1], other[at - 1], target[at - 1]
        at -= 1
    cost[at], other[at], target[at] = c, o, t
    return True


@compiled
def sweep_k(
    order: np.ndarray,
    ptr: np.ndarray,
    up_node: np.ndarray,
    in_cost: np.ndarray,
    in_other: np.ndarray,
    out_cost: np.ndarray,
    out_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    seed_target: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `sweep` with one column, the k best labels with distinct targets for every node; results are (n, k), in order.

    What is not among the k best of a node is not among those of any other that is reached through it.
    """
    n = len(order)
    cost, other, target = np.full((n, k), np.inf), np.full((n, k), np.inf), np.full((n, k), -1, dtype=np.int32)
    for s in range(len(seed_node)):
        v = seed_node[s]
        _place(cost[v], other[v], target[v], seed_cost[s], seed_target[s], seed_other[s])
    for i in range(n):
        x = order[i]
        for a in range(ptr[i], ptr[i + 1]):
            y = up_node[a]
            for j in range(k):
                d = cost[x, j] + in_cost[a]
                if d == np.inf or d > cost[y, k - 1]:
                    break
                _place(cost[y], other[y], target[y], d, target[x, j], other[x, j] + in_other[a])
    for i in range(n - 1, -1, -1):
        x = order[i]
        for a in range(ptr[i], ptr[i + 1]):
            y = up_node[a]
            for j in range(k):
                d = cost[y, j] + out_cost[a]
                if d == np.inf or d > cost[x, k - 1]:
                    break
                _place(cost[x], other[x], target[x], d, target[y, j], other[y, j] + out_other[a])
    return cost, other, target


@compiled
def join_k(
    row: np.ndarray,
    places: tuple[Any, ...],
    pace: tuple[float, float],
    streets: tuple[Any, ...],
    node_cost: np.ndarray,
    node_other: np.ndarray,
    node_target: np.ndarray,
    limit: float,
    cost: np.ndarray,
    other: np.ndarray,
    target: np.ndarray,
) -> None:
    """As `join` for one column: of every place the k best labels with distinct targets, (all places, k), in order."""
    nodes, k = node_cost.shape
    slot, room = np.zeros(nodes, dtype=np.int64), most_touched(row, places)
    leg_node, leg_cost, leg_other = np.empty(room, dtype=np.int32), np.empty(room), np.empty(room)
    for i in row:
        legs = touch_place(i, places, pace, streets, 0, slot, leg_node, leg_cost, leg_other)
        for j in range(k):
            cost[i, j], other[i, j], target[i, j] = np.inf, np.inf, -1
        for r in range(legs):
            v = leg_node[r]
            for j in range(k):
                # the labels of a node stand in order, so what follows one that is too dear is too dear as well
                d = leg_cost[r] + node_cost[v, j]
                if d > limit or d == np.inf or d > cost[i, k - 1]:
                    break
                _place(cost[i], other[i], target[i], d, node_target[v, j], leg_other[r] + node_other[v, j])


@compiled
def join_direct(
    origin: np.ndarray,
    target: np.ndarray,
    way_cost: np.ndarray,
    way_other: np.ndarray,
    column: np.ndarray,
    limit: float,
    all_cost: np.ndarray,
    all_other: np.ndarray,
    all_target: np.ndarray,
) -> None:
    """Put direct ways along shared edges among the labels of the origins.

    Parameters
    ----------
    origin, target, way_cost, way_other, column
        (m,) int32, int32, float64, float64, int32: each way.
    limit
        No label costs more.
    all_cost, all_other, all_target
        (n, columns, k) labels of the origins: float64, float64, int32.
    """
    for s in range(len(origin)):
        if way_cost[s] <= limit:
            i, j = origin[s], column[s]
            _place(all_cost[i, j], all_other[i, j], all_target[i, j], way_cost[s], target[s], way_other[s])
