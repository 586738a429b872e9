"""Compiled: a spanning tree over some atoms, and the best way to cut that very tree into parts within a band.

On a tree the cut is exact. The state of a subtree is the weight of its part that is still open at the root; each child
is either closed there or joined, so two children combine by a (min, +) convolution over 0 ... upper. Two extra states
stand for every weight above `upper`, one for parts that hold a giant, an atom above `upper` by itself, one for those
that do not; their excess is in the cost. Each giant costs one illegal part even where several share a part, so that two
towers are never put together to save a grid.

Costs are whole numbers in float64, in lexicographic order: illegal parts, then households outside the band, then
imbalance.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

ILLEGAL = 1e13
OUTSIDE = 1e7
INFINITE = 1e300


@compiled
def _find(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def spanning_tree(left: np.ndarray, right: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Spanning tree of m connected nodes that takes the arcs in the order given (Kruskal 1956).

    Parameters
    ----------
    left, right
        int32, both ends of each arc, each pair once.
    m
        Number of nodes.

    Returns
    -------
    order, parent
        int32 (m,): nodes from the root down, and each one's parent (-1 at the root).
    """
    root = np.arange(m).astype(np.int32)
    taken_a, taken_b = np.empty(m, np.int32), np.empty(m, np.int32)
    start = np.zeros(m + 1, np.int32)
    taken = 0
    for e in range(len(left)):
        i, j = _find(root, left[e]), _find(root, right[e])
        if i != j:
            root[i] = j
            taken_a[taken], taken_b[taken] = left[e], right[e]
            start[left[e] + 1] += 1
            start[right[e] + 1] += 1
            taken += 1
    for i in range(m):
        start[i + 1] += start[i]
    fill = start.copy()
    tree = np.empty(2 * taken, np.int32)
    for e in range(taken):
        tree[fill[taken_a[e]]] = taken_b[e]
        fill[taken_a[e]] += 1
        tree[fill[taken_b[e]]] = taken_a[e]
        fill[taken_b[e]] += 1
    order, parent = np.empty(m, np.int32), np.empty(m, np.int32)
    order[0], parent[0] = 0, -1
    count, head = 1, 0
    while head < count:
        i = order[head]
        head += 1
        for e in range(start[i], start[i + 1]):
            j = tree[e]
            if j != parent[i]:
                parent[j] = i
                order[count] = j
                count += 1
    return order, parent


@compiled
def _best_close(f: np.ndarray, close: np.ndarray) -> tuple[float, int]:
    best, at = INFINITE, 0
    for b in range(len(f)):
        if f[b] < INFINITE and f[b] + close[b] < best:
            best, at = f[b] + close[b], b
    return best, at


@compiled
def _join(a: int, b: int, upper: int, outside: float) -> tuple[int, float]:
    """State of two joined states, and the cost of what lies above `upper`: an over state stands for `upper` itself."""
    weight = min(a, upper) + min(b, upper)
    if a <= upper and b <= upper and weight <= upper:
        return weight, 0.0
    return max(a, b, upper + 1), outside * (weight - upper)


@compiled
def _merge(f: np.ndarray, g: np.ndarray, out: np.ndarray, closed: float, upper: int, outside: float) -> None:
    """(min, +) convolution of two open parts into `out`; `closed` is the cost of closing the second instead."""
    some, count = np.empty(len(g), np.int64), 0
    for b in range(len(g)):
        if g[b] < INFINITE:
            some[count] = b
            count += 1
    for a in range(len(f)):
        out[a] = f[a] + closed if f[a] < INFINITE else INFINITE
    for a in range(len(f)):
        if f[a] < INFINITE:
            for k in range(count):
                state, cost = _join(a, some[k], upper, outside)
                out[state] = min(out[state], f[a] + g[some[k]] + cost)


@compiled
def cut_tree(
    order: np.ndarray, parent: np.ndarray, weight: np.ndarray, upper: int, close: np.ndarray, outside: float
) -> tuple[np.ndarray, float, int]:
    """Cut a tree into connected parts at the least cost.

    Parameters
    ----------
    order, parent
        As `spanning_tree` returns them.
    weight
        int32 (m,), weight of each tree position.
    upper
        Upper limit of a part's weight.
    close
        float64 (upper + 3,), cost of closing a part by its state.
    outside
        Cost of each unit of weight above `upper`.

    Returns
    -------
    part, cost, parts
        int32 (m,) part of each position (0 ... parts - 1), the cost, and the number of parts.
    """
    m = len(order)
    f = np.full((m, upper + 3), INFINITE)
    before = np.empty((m, upper + 3), np.float64)
    closed, closed_at = np.empty(m, np.float64), np.empty(m, np.int32)
    for i in range(m):
        if weight[i] > upper:
            f[i, upper + 2] = ILLEGAL + outside * (weight[i] - upper)
        else:
            f[i, weight[i]] = 0.0
    for k in range(m - 1, 0, -1):
        v = order[k]
        p = parent[v]
        closed[v], closed_at[v] = _best_close(f[v], close)
        for w in range(upper + 3):
            before[v, w] = f[p, w]
        _merge(before[v], f[v], f[p], closed[v], upper, outside)
    cost, at = _best_close(f[order[0]], close)

    # Walk down again: `want` is the state each subtree must have, `part` the part it is open in.
    want, part = np.empty(m, np.int64), np.full(m, -1, np.int32)
    want[order[0]], part[order[0]] = at, 0
    parts = 1
    child, sibling = np.full(m, -1, np.int32), np.full(m, -1, np.int32)
    for k in range(m - 1, 0, -1):
        # Pushed in merge order, so a node's list starts with the child merged last.
        v = order[k]
        sibling[v] = child[parent[v]]
        child[parent[v]] = v
    for k in range(m):
        p = order[k]
        w = want[p]
        v = child[p]
        while v >= 0:
            rest = before[v]
            a, b, joined = _split(rest, f[v], w, upper, outside)
            if rest[w] + closed[v] <= joined:
                want[v], part[v] = closed_at[v], parts
                parts += 1
            else:
                w, want[v], part[v] = a, b, part[p]
            v = sibling[v]
    return part, cost, parts


@compiled
def _split(f: np.ndarray, g: np.ndarray, want: int, upper: int, outside: float) -> tuple[int, int, float]:
    """States a and b that join to `want` at the least cost, and that cost (INFINITE when there are none)."""
    best, at_a, at_b = INFINITE, 0, 0
    for a in range(len(f)):
        if f[a] < INFINITE:
            first, last = (want - a, want - a) if want <= upper else (0, len(g) - 1)
            for b in range(max(first, 0), last + 1):
                if g[b] < INFINITE:
                    state, cost = _join(a, b, upper, outside)
                    if state == want and f[a] + g[b] + cost < best:
                        best, at_a, at_b = f[a] + g[b] + cost, a, b
    return at_a, at_b, best
