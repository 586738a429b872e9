"""Kernel: a binary heap of nodes by cost, in two arrays that grow."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def push(
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
def drop_first(
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
def room(
    values: np.ndarray,
    size: int,
) -> np.ndarray:
    """`values` with room for at least so many entries."""
    if size <= len(values):
        return values
    more = np.empty(2 * size, dtype=values.dtype)
    for i in range(len(values)):  # a slice put into a slice takes far longer to compile
        more[i] = values[i]
    return more
