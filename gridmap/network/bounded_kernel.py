"""Kernels: bounded searches from many places, each ending at the limit, and what they come upon.

Dijkstra's search with a binary heap. Each kernel has one set of arrays over the nodes for all its searches: `stamp`
says which search a label is of, so that nothing need be cleared between them, and time and memory grow with the finds.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.heap_kernel import drop_first, push, room


@compiled
def _spread(
    mark: int,
    first: int,
    last: int,
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    limit: float,
    stamp: np.ndarray,
    cost: np.ndarray,
    other: np.ndarray,
    reached: np.ndarray,
    heap_cost: np.ndarray,
    heap_node: np.ndarray,
) -> tuple[int, np.ndarray, np.ndarray]:
    """One search from the seeds ``first:last``: fills `cost`, `other` and `reached`.

    Only nodes where streets meet go through the heap. Through bends the search runs on until it comes to such a node,
    to the limit, or to where it is reached for less from the other side.
    Returns how many nodes it reached, and the heap, which may have grown.
    """
    count, size = 0, 0
    for s in range(first, last):
        v, c, o = seed_node[s], seed_cost[s], seed_other[s]
        if c > limit:
            continue
        if stamp[v] != mark:
            stamp[v] = mark
            reached[count] = v
            count += 1
        elif c > cost[v] or (c == cost[v] and o >= other[v]):
            continue
        cost[v], other[v] = c, o
        heap_cost, heap_node = room(heap_cost, size + 1), room(heap_node, size + 1)
        push(heap_cost, heap_node, size, c, v)
        size += 1
    while size > 0:
        c, v = heap_cost[0], heap_node[0]
        size -= 1
        drop_first(heap_cost, heap_node, size)
        if c > cost[v]:
            continue
        heap_cost = room(heap_cost, size + indptr[v + 1] - indptr[v])
        heap_node = room(heap_node, size + indptr[v + 1] - indptr[v])
        for start in range(indptr[v], indptr[v + 1]):
            a, before, d, o = start, v, c, other[v]
            while True:
                w = arc_node[a]
                d, o = d + arc_cost[a], o + arc_other[a]
                if d > limit:
                    break
                if stamp[w] != mark:
                    stamp[w] = mark
                    reached[count] = w
                    count += 1
                elif d > cost[w] or (d == cost[w] and o >= other[w]):
                    break
                cost[w], other[w] = d, o
                a = indptr[w]
                arcs = indptr[w + 1] - a
                if arcs != 2:
                    if arcs > 2:
                        push(heap_cost, heap_node, size, d, w)
                        size += 1
                    break
                if arc_node[a] == before:
                    a += 1
                before = w
    return count, heap_cost, heap_node


@compiled
def nodes_within(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_ptr: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every node within the limit of each place.

    Parameters
    ----------
    indptr, arc_node, arc_cost, arc_other
        Arcs at each node, in the direction of the search (int64, int32, float64, float64); the cost is infinite where
        the direction is forbidden.
    seed_ptr, seed_node, seed_cost, seed_other
        Where places touch the graph: place i at ``seed_ptr[i]:seed_ptr[i + 1]`` (int64, int32, float64, float64).
    limit
        No node that is found costs more.

    Returns
    -------
    ptr (places + 1,) int64; node int32, cost float64, other float64, those of place i at ``ptr[i]:ptr[i + 1]``, each
    node once, in no order.
    """
    n, places = len(indptr) - 1, len(seed_ptr) - 1
    stamp, reached = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int32)
    cost, other = np.empty(n, dtype=np.float64), np.empty(n, dtype=np.float64)
    heap_cost, heap_node = np.empty(1024, dtype=np.float64), np.empty(1024, dtype=np.int32)
    ptr = np.zeros(places + 1, dtype=np.int64)
    out_node = np.empty(1024, dtype=np.int32)
    out_cost, out_other = np.empty(1024, dtype=np.float64), np.empty(1024, dtype=np.float64)
    total = 0
    for i in range(places):
        count, heap_cost, heap_node = _spread(
            i + 1, seed_ptr[i], seed_ptr[i + 1], indptr, arc_node, arc_cost, arc_other,
            seed_node, seed_cost, seed_other, limit, stamp, cost, other, reached, heap_cost, heap_node,
        )  # fmt: skip
        out_node, out_cost = room(out_node, total + count), room(out_cost, total + count)
        out_other = room(out_other, total + count)
        for r in range(count):
            v = reached[r]
            out_node[total], out_cost[total], out_other[total] = v, cost[v], other[v]
            total += 1
        ptr[i + 1] = total
    return ptr, out_node[:total], out_cost[:total], out_other[:total]


@compiled
def places_within(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_ptr: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    limit: float,
    at_ptr: np.ndarray,
    at_place: np.ndarray,
    at_cost: np.ndarray,
    at_other: np.ndarray,
    near_ptr: np.ndarray,
    near_place: np.ndarray,
    near_cost: np.ndarray,
    near_other: np.ndarray,
    n_places: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every place of another kind within the limit of each place.

    Parameters
    ----------
    indptr, arc_node, arc_cost, arc_other, seed_ptr, seed_node, seed_cost, seed_other, limit
        As for `nodes_within`.
    at_ptr, at_place, at_cost, at_other
        The places sought, by the node that they touch: those at node v are ``at_ptr[v]:at_ptr[v + 1]`` (int64, int32,
        float64, float64).
    near_ptr, near_place, near_cost, near_other
        The places sought that share an edge with place i, and the direct way there: ``near_ptr[i]:near_ptr[i + 1]``.
    n_places
        How many places are sought.

    Returns
    -------
    As for `nodes_within`, with places in place of nodes.
    """
    n, places = len(indptr) - 1, len(seed_ptr) - 1
    stamp, reached = np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int32)
    cost, other = np.empty(n, dtype=np.float64), np.empty(n, dtype=np.float64)
    heap_cost, heap_node = np.empty(1024, dtype=np.float64), np.empty(1024, dtype=np.int32)
    # where in the output a place stands; of this search when it is not before its beginning
    slot = np.full(n_places, -1, dtype=np.int64)
    ptr = np.zeros(places + 1, dtype=np.int64)
    out_place = np.empty(1024, dtype=np.int32)
    out_cost, out_other = np.empty(1024, dtype=np.float64), np.empty(1024, dtype=np.float64)
    total = 0
    for i in range(places):
        begin = total
        count, heap_cost, heap_node = _spread(
            i + 1, seed_ptr[i], seed_ptr[i + 1], indptr, arc_node, arc_cost, arc_other,
            seed_node, seed_cost, seed_other, limit, stamp, cost, other, reached, heap_cost, heap_node,
        )  # fmt: skip
        for r in range(count + 1):
            # after the nodes the direct ways
            if r < count:
                v = reached[r]
                first, last, to_cost, to_other = at_ptr[v], at_ptr[v + 1], cost[v], other[v]
            else:
                first, last, to_cost, to_other = near_ptr[i], near_ptr[i + 1], 0.0, 0.0
            for s in range(first, last):
                if r < count:
                    place, c, o = at_place[s], to_cost + at_cost[s], to_other + at_other[s]
                else:
                    place, c, o = near_place[s], near_cost[s], near_other[s]
                if c > limit:
                    continue
                at = slot[place]
                if at < begin:
                    out_place, out_cost = room(out_place, total + 1), room(out_cost, total + 1)
                    out_other = room(out_other, total + 1)
                    slot[place] = total
                    out_place[total], out_cost[total], out_other[total] = place, c, o
                    total += 1
                elif c < out_cost[at] or (c == out_cost[at] and o < out_other[at]):
                    out_cost[at], out_other[at] = c, o
        ptr[i + 1] = total
    return ptr, out_place[:total], out_cost[:total], out_other[:total]
