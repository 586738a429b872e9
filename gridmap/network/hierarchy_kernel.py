"""Kernel: take the nodes out one by one, and join the neighbours of each by what it costs to go through it."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def _put(
    bucket: int,
    x: int | np.int64,
    head: np.ndarray,
    tail: np.ndarray,
    after: np.ndarray,
    before: np.ndarray,
) -> None:
    """Put a node last in a bucket; a bucket is a list linked both ways, -1 at its ends."""
    last = tail[bucket]
    after[x], before[x] = -1, last
    if last >= 0:
        after[last] = x
    else:
        head[bucket] = x
    tail[bucket] = x


@compiled
def _take(
    bucket: int,
    x: int | np.int64,
    head: np.ndarray,
    tail: np.ndarray,
    after: np.ndarray,
    before: np.ndarray,
) -> None:
    """Take a node out of its bucket."""
    if before[x] >= 0:
        after[before[x]] = after[x]
    else:
        head[bucket] = after[x]
    if after[x] >= 0:
        before[after[x]] = before[x]
    else:
        tail[bucket] = before[x]


@compiled
def _improve(
    way: np.ndarray,
    b: int,
    j: int,
    cost: float,
    other: float,
) -> None:
    """Put cost and other measure into columns j and j + 1 of row b where they are less; cost goes first."""
    if cost < way[b, j] or (cost == way[b, j] and other < way[b, j + 1]):
        way[b, j], way[b, j + 1] = cost, other


@compiled
def eliminate(
    indptr: np.ndarray,
    arc_node: np.ndarray,
    arc_way: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take out all nodes, always one of those with the fewest neighbours left.

    Parameters
    ----------
    indptr, arc_node
        The arcs at each node (int64, int32).
    arc_way
        (arcs, 4) float64: cost and other measure of coming from the neighbour, cost and other measure of going to it;
        infinite where the direction is forbidden. Of equal costs the lesser other measure is kept.

    Returns
    -------
    order (n,) int32
        The nodes as they went out.
    ptr (n + 1,) int64; up_node (m,) int32; up_way (m, 4) float64
        What was left around node ``order[i]`` when it went out, at ``ptr[i]:ptr[i + 1]``: the neighbour, and as in
        `arc_way` what it costs to come from it and to go to it through nodes that went out before.
    """
    n = len(indptr) - 1
    # the neighbours of node x are first[x]:first[x] + size[x] of a pool, with room for space[x]
    first, size, space = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    room = 2 * len(arc_node) + 4 * n + 16
    node, way = np.empty(room, dtype=np.int32), np.empty((room, 4), dtype=np.float64)
    # where a node stands in the list that is looked at, whose mark it then bears
    at, mark = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    used, token = 0, 0
    for x in range(n):
        first[x], space[x] = used, indptr[x + 1] - indptr[x] + 2
        token += 1
        for a in range(indptr[x], indptr[x + 1]):
            y = arc_node[a]
            if y == x or (arc_way[a, 0] == np.inf and arc_way[a, 2] == np.inf):
                continue
            if mark[y] != token:
                mark[y], at[y] = token, used + size[x]
                size[x] += 1
                node[at[y]] = y
                for j in range(4):
                    way[at[y], j] = np.inf
            _improve(way, at[y], 0, arc_way[a, 0], arc_way[a, 1])
            _improve(way, at[y], 2, arc_way[a, 2], arc_way[a, 3])
        used += space[x]
    head, tail = np.full(n + 1, -1, dtype=np.int64), np.full(n + 1, -1, dtype=np.int64)
    after, before = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for x in range(n):
        _put(size[x], x, head, tail, after, before)
    order, ptr = np.empty(n, dtype=np.int32), np.zeros(n + 1, dtype=np.int64)
    least = 0
    for i in range(n):
        while head[least] < 0:
            least += 1
        x = head[least]
        _take(least, x, head, tail, after, before)
        order[i], ptr[i + 1] = x, ptr[i] + size[x]
        for p in range(first[x], first[x] + size[x]):
            y = np.int64(node[p])  # of the type that x has
            old = size[y]
            # room for all that may be joined to y
            if old + size[x] > space[y]:
                space[y] = 2 * (old + size[x])
                if used + space[y] > room:
                    room = 2 * (used + space[y])
                    more_node, more_way = np.empty(room, dtype=np.int32), np.empty((room, 4), dtype=np.float64)
                    for b in range(used):
                        more_node[b] = node[b]
                        for j in range(4):
                            more_way[b, j] = way[b, j]
                    node, way = more_node, more_way
                for b in range(old):
                    node[used + b] = node[first[y] + b]
                    for j in range(4):
                        way[used + b, j] = way[first[y] + b, j]
                first[y] = used
                used += space[y]
            # x goes from the list of y, and the last takes its place
            token += 1
            end = first[y] + old - 1
            for b in range(first[y], end):
                if node[b] == x:
                    node[b] = node[end]
                    for j in range(4):
                        way[b, j] = way[end, j]
                mark[node[b]], at[node[b]] = token, b
            for q in range(first[x], first[x] + size[x]):
                z = node[q]
                come, go = way[p, 2] + way[q, 0], way[p, 0] + way[q, 2]
                if z == y or (come == np.inf and go == np.inf):
                    continue
                if mark[z] != token:
                    mark[z], at[z] = token, end
                    node[end] = z
                    for j in range(4):
                        way[end, j] = np.inf
                    end += 1
                _improve(way, at[z], 0, come, way[p, 3] + way[q, 1])
                _improve(way, at[z], 2, go, way[p, 1] + way[q, 3])
            size[y] = end - first[y]
            if size[y] != old:
                _take(old, y, head, tail, after, before)
                _put(size[y], y, head, tail, after, before)
                least = min(least, size[y])
    up_node, up_way = np.empty(ptr[n], dtype=np.int32), np.empty((ptr[n], 4), dtype=np.float64)
    for i in range(n):
        for b in range(ptr[i + 1] - ptr[i]):
            up_node[ptr[i] + b] = node[first[order[i]] + b]
            for j in range(4):
                up_way[ptr[i] + b, j] = way[first[order[i]] + b, j]
    return order, ptr, up_node, up_way
