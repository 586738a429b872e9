"""Kernels: one sweep from all targets at once, and the best target of each origin.

A *label* is (cost, target, other): what it costs to reach the target, which target it is, and the other measure along
the same path. Labels are compared in that order, so that of equally near targets the one of lower index wins.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

FORWARD, BACKWARD = 1, 2


@compiled
def _push(
    heap_cost: np.ndarray,
    heap_node: np.ndarray,
    size: int,
    cost: float,
    node: int,
) -> None:
    """Add an entry to a binary heap; the caller has seen to the room."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if heap_cost[parent] <= cost:
            break
        heap_cost[i], heap_node[i] = heap_cost[parent], heap_node[parent]
        i = parent
    heap_cost[i], heap_node[i] = cost, node


@compiled
def _drop_first(
    heap_cost: np.ndarray,
    heap_node: np.ndarray,
    size: int,
) -> None:
    """Close the gap that the first entry leaves; `size` is the number of entries without it."""
    cost, node = heap_cost[size], heap_node[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap_cost[child + 1] < heap_cost[child]:
            child += 1
        if heap_cost[child] >= cost:
            break
        heap_cost[i], heap_node[i] = heap_cost[child], heap_node[child]
        i = child
    heap_cost[i], heap_node[i] = cost, node


@compiled
def _room(
    values: np.ndarray,
    size: int,
) -> np.ndarray:
    """`values` with room for at least one entry beyond `size`."""
    if size < len(values):
        return values
    more = np.empty(2 * len(values) + 16, dtype=values.dtype)
    for i in range(size):  # a slice put into a slice takes far longer to compile
        more[i] = values[i]
    return more


@compiled
def sweep(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    seed_target: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every node the best label among all seeds, by Dijkstra's search with a binary heap.

    Parameters
    ----------
    indptr, arc_node, arc_cost, arc_other
        Arcs at each node with the cost of coming from the neighbour to the node (int64, int32, float64, float64); the
        cost is infinite where the direction is forbidden.
    seed_node, seed_cost, seed_other, seed_target
        Where targets touch the graph (int32, float64, float64, int32).
    limit
        No label costs more.

    Returns
    -------
    cost (n,) float64, infinite where nothing is reached; other (n,) float64; target (n,) int32, -1 for none.
    """
    n = len(indptr) - 1
    cost, other, target = np.empty(n), np.empty(n), np.empty(n, dtype=np.int32)
    for i in range(n):
        cost[i], other[i], target[i] = np.inf, np.inf, -1
    heap_cost = np.empty(len(seed_node) + 1024, dtype=np.float64)
    heap_node = np.empty(len(seed_node) + 1024, dtype=np.int32)
    size = 0
    for s in range(len(seed_node)):
        v, c = seed_node[s], seed_cost[s]
        if c > limit or c > cost[v]:
            continue
        if c == cost[v] and (seed_target[s] > target[v] or (seed_target[s] == target[v] and seed_other[s] >= other[v])):
            continue
        cost[v], other[v], target[v] = c, seed_other[s], seed_target[s]
        _push(heap_cost, heap_node, size, c, v)
        size += 1
    while size > 0:
        c, v = heap_cost[0], heap_node[0]
        size -= 1
        _drop_first(heap_cost, heap_node, size)
        if c > cost[v]:
            continue
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            d = c + arc_cost[a]
            if d > cost[w] or d > limit:
                continue
            o = other[v] + arc_other[a]
            # an equal cost changes a label only where its target or its other measure is better: this ends
            if d == cost[w] and (target[v] > target[w] or (target[v] == target[w] and o >= other[w])):
                continue
            cost[w], other[w], target[w] = d, o, target[v]
            heap_cost, heap_node = _room(heap_cost, size), _room(heap_node, size)
            _push(heap_cost, heap_node, size, d, w)
            size += 1
    return cost, other, target


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
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    seed_target: np.ndarray,
    limit: float,
    k: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `sweep`, the k best labels with distinct targets for every node; results are (n, k), in order."""
    n = len(indptr) - 1
    cost, other, target = np.empty((n, k)), np.empty((n, k)), np.empty((n, k), dtype=np.int32)
    for i in range(n):
        for j in range(k):
            cost[i, j], other[i, j], target[i, j] = np.inf, np.inf, -1
    # an entry of the heap is one label: its cost, and its place in the list of labels ever made
    room = len(seed_node) + 1024
    heap_cost = np.empty(room, dtype=np.float64)
    heap_label = np.empty(room, dtype=np.int32)
    label_node = np.empty(room, dtype=np.int32)
    label_target = np.empty(room, dtype=np.int32)
    label_other = np.empty(room, dtype=np.float64)
    size = 0
    made = 0
    for s in range(len(seed_node)):
        v = seed_node[s]
        if seed_cost[s] <= limit and _place(cost[v], other[v], target[v], seed_cost[s], seed_target[s], seed_other[s]):
            label_node[made], label_target[made], label_other[made] = v, seed_target[s], seed_other[s]
            _push(heap_cost, heap_label, size, seed_cost[s], made)
            made += 1
            size += 1
    while size > 0:
        c, label = heap_cost[0], heap_label[0]
        size -= 1
        _drop_first(heap_cost, heap_label, size)
        v, t, o = label_node[label], label_target[label], label_other[label]
        current = False
        for i in range(k):
            current = current or (target[v, i] == t and cost[v, i] == c and other[v, i] == o)
        if not current:
            continue
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            d, e = c + arc_cost[a], o + arc_other[a]
            if d > limit or d == np.inf or not _place(cost[w], other[w], target[w], d, t, e):
                continue
            heap_cost, heap_label = _room(heap_cost, size), _room(heap_label, size)
            label_node, label_target = _room(label_node, made), _room(label_target, made)
            label_other = _room(label_other, made)
            label_node[made], label_target[made], label_other[made] = w, t, e
            _push(heap_cost, heap_label, size, d, made)
            made += 1
            size += 1
    return cost, other, target


@compiled
def _along(
    share: float,
    whole: float,
) -> float:
    """Cost of a share of an edge; nothing costs nothing, also where the direction is forbidden."""
    return share * whole if share > 0.0 else 0.0


@compiled
def join_origins(
    owner_ptr: np.ndarray,
    at_edge: np.ndarray,
    at_t0: np.ndarray,
    at_t1: np.ndarray,
    at_cost: np.ndarray,
    at_other: np.ndarray,
    edge_u: np.ndarray,
    edge_v: np.ndarray,
    edge_cost: np.ndarray,
    edge_other: np.ndarray,
    edge_ways: np.ndarray,
    node_cost: np.ndarray,
    node_other: np.ndarray,
    node_target: np.ndarray,
    target_ptr: np.ndarray,
    target_t0: np.ndarray,
    target_t1: np.ndarray,
    target_cost: np.ndarray,
    target_other: np.ndarray,
    target_index: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k best labels of every origin, through the nodes at both ends of its edges and along a shared edge.

    Parameters
    ----------
    owner_ptr, at_edge, at_t0, at_t1, at_cost, at_other
        Access points of the origins: those of origin i are ``owner_ptr[i]:owner_ptr[i + 1]``; edge, from where to where
        along it (0 to 1), and the leg in both measures.
    edge_u, edge_v, edge_cost, edge_other, edge_ways
        The edges; `edge_ways` (uint8) is the sum of `FORWARD` and `BACKWARD`.
    node_cost, node_other, node_target
        (n, k) labels of a sweep.
    target_ptr, target_t0, target_t1, target_cost, target_other, target_index
        Access points of the targets by edge: those on edge e are ``target_ptr[e]:target_ptr[e + 1]``.
    limit
        No label costs more.

    Returns
    -------
    cost, other (n_origins, k) float64, infinite for none; target (n_origins, k) int32, -1 for none.
    """
    n, k = len(owner_ptr) - 1, node_cost.shape[1]
    cost, other, target = np.empty((n, k)), np.empty((n, k)), np.empty((n, k), dtype=np.int32)
    for i in range(n):
        for j in range(k):
            cost[i, j], other[i, j], target[i, j] = np.inf, np.inf, -1
    for i in range(n):
        best_cost, best_other, best = cost[i], other[i], target[i]
        bound = limit
        for r in range(owner_ptr[i], owner_ptr[i + 1]):
            e = at_edge[r]
            forward, backward = edge_ways[e] & FORWARD, edge_ways[e] & BACKWARD
            for end in range(2):
                if end == 0:
                    node, share, goes = edge_u[e], at_t0[r], backward
                else:
                    node, share, goes = edge_v[e], 1.0 - at_t1[r], forward
                if share > 0.0 and not goes:
                    continue
                way = at_cost[r] + _along(share, edge_cost[e])
                for j in range(k):
                    c = way + node_cost[node, j]
                    # the labels of a node stand in order, so what follows one that is too dear is too dear as well
                    if c > bound or c == np.inf:
                        break
                    o = at_other[r] + _along(share, edge_other[e]) + node_other[node, j]
                    _place(best_cost, best_other, best, c, node_target[node, j], o)
                    bound = min(bound, best_cost[k - 1])
            for s in range(target_ptr[e], target_ptr[e + 1]):
                share = 0.0
                if target_t0[s] > at_t1[r]:
                    share, goes = target_t0[s] - at_t1[r], forward
                elif target_t1[s] < at_t0[r]:
                    share, goes = at_t0[r] - target_t1[s], backward
                if share > 0.0 and not goes:
                    continue
                c = at_cost[r] + share * edge_cost[e] + target_cost[s]
                if c <= bound:
                    o = at_other[r] + share * edge_other[e] + target_other[s]
                    _place(best_cost, best_other, best, c, target_index[s], o)
                    bound = min(bound, best_cost[k - 1])
    return cost, other, target
