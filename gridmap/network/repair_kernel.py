"""Kernels: labels of a sweep put right after a change of the graph, where the change reaches and nowhere else.

A label is (cost, target, other), compared in that order, as in every search here. It *hangs on* the label of a
neighbour when it is that label plus the arc between them, to the last digit.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.heap_kernel import drop_first, push, room


@compiled
def repair(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    seed_node: np.ndarray,
    seed_cost: np.ndarray,
    seed_other: np.ndarray,
    seed_target: np.ndarray,
    lost: np.ndarray,
    wake: np.ndarray,
    cost: np.ndarray,
    other: np.ndarray,
    target: np.ndarray,
) -> int:
    """Put labels right in place.

    After Ramalingam and Reps (1996), "On the computational complexity of dynamic graph problems". Every label that
    hangs on a lost one is lost, through any number of nodes; more than need be where several support it, which costs
    time but no truth. The search then goes on from the labels around them, from the seeds, and from the nodes to wake.

    Parameters
    ----------
    indptr, arc_node, arc_cost, arc_other
        Arcs of the changed graph, with the cost of coming from the neighbour to the node, infinite where the direction
        is forbidden (int64, int32, float64, float64).
    seed_node, seed_cost, seed_other, seed_target
        All seeds after the change (int32, float64, float64, int32).
    lost
        Nodes whose label hung on an arc or a seed that is gone (int64).
    wake
        Nodes at the ends of new arcs (int32).
    cost, other, target
        Labels before the change (float64, float64, int32), infinite and -1 for none, -2 as the target where it is gone
        (such nodes are among the lost); changed in place.

    Returns
    -------
    How many labels were lost.
    """
    gone = np.zeros(len(cost), dtype=np.bool_)
    queue = np.empty(len(cost), dtype=np.int64)
    count = 0
    for i in range(len(lost)):
        v = lost[i]
        if not gone[v] and cost[v] < np.inf:
            gone[v] = True
            queue[count] = v
            count += 1
    done = 0
    while done < count:
        v = queue[done]
        done += 1
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            if gone[w] or target[w] != target[v]:
                continue
            if cost[v] + arc_cost[a] == cost[w] and other[v] + arc_other[a] == other[w]:
                gone[w] = True
                queue[count] = w
                count += 1
    for i in range(count):
        v = queue[i]
        cost[v], other[v], target[v] = np.inf, np.inf, -1
    heap_cost = np.empty(1024, dtype=np.float64)
    heap_node = np.empty(1024, dtype=np.int32)
    size = 0
    for i in range(count):
        v = queue[i]
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            if target[w] >= 0:
                heap_cost, heap_node = room(heap_cost, size + 1), room(heap_node, size + 1)
                push(heap_cost, heap_node, size, cost[w], w)
                size += 1
    for i in range(len(wake)):
        w = wake[i]
        if target[w] >= 0:
            heap_cost, heap_node = room(heap_cost, size + 1), room(heap_node, size + 1)
            push(heap_cost, heap_node, size, cost[w], w)
            size += 1
    for s in range(len(seed_node)):
        v, c = seed_node[s], seed_cost[s]
        if c > cost[v] or c == np.inf:
            continue
        if c == cost[v] and (seed_target[s] > target[v] or (seed_target[s] == target[v] and seed_other[s] >= other[v])):
            continue
        cost[v], other[v], target[v] = c, seed_other[s], seed_target[s]
        heap_cost, heap_node = room(heap_cost, size + 1), room(heap_node, size + 1)
        push(heap_cost, heap_node, size, c, v)
        size += 1
    while size > 0:
        c, v = heap_cost[0], heap_node[0]
        size -= 1
        drop_first(heap_cost, heap_node, size)
        if c > cost[v]:
            continue
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            d = c + arc_cost[a]
            if d > cost[w] or d == np.inf:
                continue
            o = other[v] + arc_other[a]
            if d == cost[w] and (target[v] > target[w] or (target[v] == target[w] and o >= other[w])):
                continue
            cost[w], other[w], target[w] = d, o, target[v]
            heap_cost, heap_node = room(heap_cost, size + 1), room(heap_node, size + 1)
            push(heap_cost, heap_node, size, d, w)
            size += 1
    return count


@compiled
def stale(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_cost: np.ndarray,
    arc_other: np.ndarray,
    old_cost: np.ndarray,
    old_other: np.ndarray,
    old_target: np.ndarray,
    cost: np.ndarray,
    other: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """Nodes whose label hangs on one that is no more, though no better one reached them.

    This happens where a label got better by so little that the sum with an arc rounds to what it was: a search of the
    whole graph would never have seen the former label, nor its target.

    Parameters
    ----------
    indptr, arc_node, arc_cost, arc_other
        Arcs of the changed graph.
    old_cost, old_other, old_target, cost, other, target
        Labels before and after `repair`; those of new nodes, which come last, may be left out before.

    Returns
    -------
    Nodes (int64).
    """
    found = np.empty(16, dtype=np.int64)
    count = 0
    for v in range(len(old_cost)):
        if not cost[v] < old_cost[v] or old_target[v] < 0:
            continue
        for a in range(indptr[v], indptr[v + 1]):
            w = arc_node[a]
            if target[w] != old_target[v] or cost[w] != old_cost[v] + arc_cost[a]:
                continue
            if other[w] == old_other[v] + arc_other[a] and cost[w] == cost[v] + arc_cost[a]:
                found = room(found, count + 1)
                found[count] = w
                count += 1
    return found[:count]
