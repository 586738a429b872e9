"""Compiled: a random spanning tree over some atoms, and the best way to cut that very tree into parts within a band.

On a tree the cut is exact. The state of a subtree is the weight of its part that is still open at the root; each child
is either closed there or joined, so two children combine by a (min, +) convolution over 0 ... upper. One extra state
stands for every weight above `upper`: such a part is illegal whatever else it takes, only its excess still counts.

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
def random_unit(state: np.ndarray) -> float:
    """Next number in [0, 1) of a xorshift64* generator (Vigna 2016); `state` is uint64 (1,), changed in place."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def _find(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def spanning_tree(
    atoms: np.ndarray,
    local: np.ndarray,
    indptr: np.ndarray,
    neighbour: np.ndarray,
    joins: np.ndarray,
    ease: np.ndarray,
    state: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Random spanning tree of the atoms listed, which must be connected.

    Parameters
    ----------
    atoms
        int32 (m,), the atoms of the tree.
    local
        int32 (n,), position in `atoms`, -1 for atoms outside.
    indptr, neighbour, joins
        Adjacency of all n atoms as CSR; only arcs with `joins` may carry the tree.
    ease
        float32, one an arc; the tree takes arcs of low (random + ease) first, so that those of high ease get cut.
    state
        uint64 (1,), the random state.

    Returns
    -------
    order, parent
        int32 (m,): positions in `atoms` from the root down, and the position of each one's parent (-1 at the root).
    """
    m = len(atoms)
    arcs = 0
    for a in atoms:
        for e in range(indptr[a], indptr[a + 1]):
            if joins[e] and neighbour[e] > a and local[neighbour[e]] >= 0:
                arcs += 1
    left, right, key = np.empty(arcs, np.int32), np.empty(arcs, np.int32), np.empty(arcs, np.float64)
    arcs = 0
    for i in range(m):
        a = atoms[i]
        for e in range(indptr[a], indptr[a + 1]):
            if joins[e] and neighbour[e] > a and local[neighbour[e]] >= 0:
                left[arcs], right[arcs] = i, local[neighbour[e]]
                key[arcs] = random_unit(state) + ease[e]
                arcs += 1
    root = np.arange(m, dtype=np.int32)
    taken_a, taken_b = np.empty(m, np.int32), np.empty(m, np.int32)
    degree = np.zeros(m + 1, np.int32)
    taken = 0
    for e in np.argsort(key):
        i, j = _find(root, left[e]), _find(root, right[e])
        if i != j:
            root[i] = j
            taken_a[taken], taken_b[taken] = left[e], right[e]
            degree[left[e]] += 1
            degree[right[e]] += 1
            taken += 1
    start = np.zeros(m + 1, np.int32)
    for i in range(m):
        start[i + 1] = start[i] + degree[i]
    fill = start[:m].copy()
    tree = np.empty(2 * taken, np.int32)
    for e in range(taken):
        tree[fill[taken_a[e]]] = taken_b[e]
        fill[taken_a[e]] += 1
        tree[fill[taken_b[e]]] = taken_a[e]
        fill[taken_b[e]] += 1
    order, parent = np.empty(m, np.int32), np.full(m, -1, np.int32)
    order[0], count = 0, 1
    head = 0
    while head < count:
        i = order[head]
        head += 1
        for e in range(start[i], start[i + 1]):
            j = tree[e]
            if j != parent[i]:
                parent[j] = i
                order[count] = j
                count += 1
    return order[:count], parent


@compiled
def closing_costs(lower: int, upper: int, target: int) -> np.ndarray:
    """Cost of closing a part by its weight 0 ... upper, and last that of one above upper (its excess is counted apart)."""
    cost = np.empty(upper + 2, np.float64)
    width = max(upper - lower, 1)
    for b in range(upper + 1):
        if b < lower:
            cost[b] = ILLEGAL + OUTSIDE * (lower - b)
        else:
            cost[b] = np.floor(100.0 * (b - target) * (b - target) / (width * width))
    cost[upper + 1] = ILLEGAL
    return cost


@compiled
def _best_close(f: np.ndarray, close: np.ndarray) -> tuple[float, int]:
    best, at = INFINITE, 0
    for b in range(len(f)):
        if f[b] < INFINITE and f[b] + close[b] < best:
            best, at = f[b] + close[b], b
    return best, at


@compiled
def _merge(f: np.ndarray, g: np.ndarray, out: np.ndarray, closed: float) -> None:
    """(min, +) convolution of two open parts into `out`; `closed` is the cost of closing the second instead."""
    over = len(f) - 1
    upper = over - 1
    g_at, g_count = np.empty(over, np.int32), 0
    for b in range(over):
        if g[b] < INFINITE:
            g_at[g_count] = b
            g_count += 1
    for a in range(over + 1):
        out[a] = f[a] + closed if f[a] < INFINITE else INFINITE
    for a in range(over):
        if f[a] >= INFINITE:
            continue
        for k in range(g_count):
            b = g_at[k]
            cost = f[a] + g[b]
            w = a + b
            if w <= upper:
                out[w] = min(out[w], cost)
            else:
                out[over] = min(out[over], cost + OUTSIDE * (w - upper))
        if g[over] < INFINITE:
            out[over] = min(out[over], f[a] + g[over] + OUTSIDE * a)
    if f[over] < INFINITE:
        for k in range(g_count):
            b = g_at[k]
            out[over] = min(out[over], f[over] + g[b] + OUTSIDE * b)
        if g[over] < INFINITE:
            out[over] = min(out[over], f[over] + g[over] + OUTSIDE * upper)


@compiled
def cut_tree(
    order: np.ndarray, parent: np.ndarray, weight: np.ndarray, lower: int, upper: int, close: np.ndarray
) -> tuple[np.ndarray, float, int]:
    """Cut a tree into connected parts at the least cost.

    Parameters
    ----------
    order, parent
        As `spanning_tree` returns them.
    weight
        int32 (m,), weight of each tree position.
    lower, upper
        The band.
    close
        As `closing_costs` returns it.

    Returns
    -------
    part, cost, parts
        int32 (m,) part of each position (0 ... parts - 1), the cost, and the number of parts.
    """
    m = len(order)
    over = upper + 1
    f = np.full((m, upper + 2), INFINITE)
    before = np.empty((m, upper + 2), np.float64)
    closed, closed_at = np.empty(m, np.float64), np.empty(m, np.int32)
    for i in range(m):
        if weight[i] > upper:
            f[i, over] = OUTSIDE * (weight[i] - upper)
        else:
            f[i, weight[i]] = 0.0
    for k in range(m - 1, 0, -1):
        v = order[k]
        p = parent[v]
        closed[v], closed_at[v] = _best_close(f[v], close)
        before[v] = f[p]
        _merge(before[v], f[v], f[p], closed[v])
    cost, at = _best_close(f[order[0]], close)

    # Walk down again: `want` is the state each subtree must have, `part` the part it is open in.
    want, part = np.empty(m, np.int32), np.full(m, -1, np.int32)
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
            total = _after(rest, f[v], closed[v], w, over)
            if rest[w] < INFINITE and rest[w] + closed[v] == total:
                want[v], part[v] = closed_at[v], parts
                parts += 1
            else:
                w, want[v] = _split(rest, f[v], w, over, total)
                part[v] = part[p]
            v = sibling[v]
    return part, cost, parts


@compiled
def _after(rest: np.ndarray, g: np.ndarray, closed: float, w: int, over: int) -> float:
    """Least cost of state `w` after a merge, recomputed for the walk down."""
    best = rest[w] + closed if rest[w] < INFINITE else INFINITE
    a, b = _split(rest, g, w, over, -1.0)
    if a >= 0:
        best = min(best, _joined(rest, g, a, b, over))
    return best


@compiled
def _joined(f: np.ndarray, g: np.ndarray, a: int, b: int, over: int) -> float:
    upper = over - 1
    cost = f[a] + g[b]
    if a == over and b == over:
        return cost + OUTSIDE * upper
    if a == over:
        return cost + OUTSIDE * b
    if b == over:
        return cost + OUTSIDE * a
    return cost + OUTSIDE * (a + b - upper) if a + b > upper else cost


@compiled
def _split(f: np.ndarray, g: np.ndarray, w: int, over: int, goal: float) -> tuple[int, int]:
    """States a and b that join to w at the least cost, or at the cost `goal`; (-1, -1) when there are none."""
    best, at_a, at_b = INFINITE, -1, -1
    for a in range(over + 1):
        if f[a] >= INFINITE:
            continue
        if w < over:
            if a <= w and g[w - a] < INFINITE and f[a] + g[w - a] < best:
                best, at_a, at_b = f[a] + g[w - a], a, w - a
        else:
            first = 0 if a == over else over - a
            for b in range(first, over + 1):
                if g[b] < INFINITE:
                    cost = _joined(f, g, a, b, over)
                    if cost < best:
                        best, at_a, at_b = cost, a, b
        if best == goal:
            break
    return at_a, at_b
