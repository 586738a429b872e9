"""Kernel: what lies between places and the nodes at the ends of the edges that they reach."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def touch_nodes(
    row: np.ndarray,
    owner_ptr: np.ndarray,
    edge: np.ndarray,
    t0: np.ndarray,
    t1: np.ndarray,
    leg: np.ndarray,
    pace: tuple[float, float],
    edge_u: np.ndarray,
    edge_v: np.ndarray,
    edge_cost: np.ndarray,
    edge_other: np.ndarray,
    open_u: np.ndarray,
    open_v: np.ndarray,
    n_nodes: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Leg and share of the edge, added up; of several ways to one node the least.

    Parameters
    ----------
    row
        (n,) int64: the places, in the order in which they are looked at.
    owner_ptr, edge, t0, t1, leg
        Access points of the places: those of place i are ``owner_ptr[i]:owner_ptr[i + 1]`` (int64); edge (int32), from
        where to where along it (0 to 1), and the leg in metres (float64).
    pace
        Cost and other measure of a metre of leg.
    edge_u, edge_v, edge_cost, edge_other
        The edges (int32, int32, float64, float64).
    open_u, open_v
        (edges,) bool: whether one may go between a place on the edge and its u, its v; at the end itself one may.
    n_nodes
        Number of nodes.

    Returns
    -------
    ptr (n + 1,) int64; node int32, cost float64, other float64: those of place ``row[i]`` are ``ptr[i]:ptr[i + 1]``,
    each node once. Left out is a node behind the other end of an edge that is reached at that end.
    """
    n = len(row)
    ptr = np.zeros(n + 1, dtype=np.int64)
    room = 0
    for i in range(n):
        room += 2 * (owner_ptr[row[i] + 1] - owner_ptr[row[i]])
    node = np.empty(room, dtype=np.int32)
    cost, other = np.empty(room, dtype=np.float64), np.empty(room, dtype=np.float64)
    slot = np.full(n_nodes, -1, dtype=np.int64)
    total = 0
    for i in range(n):
        begin = total
        for r in range(owner_ptr[row[i]], owner_ptr[row[i] + 1]):
            e = edge[r]
            for end in range(2):
                if end == 0:
                    v, share, goes, beyond = edge_u[e], t0[r], open_u[e], t0[r] == 1.0
                else:
                    v, share, goes, beyond = edge_v[e], 1.0 - t1[r], open_v[e], t1[r] == 0.0
                if beyond or (share > 0.0 and not goes):
                    continue
                c, o = leg[r] * pace[0] + share * edge_cost[e], leg[r] * pace[1] + share * edge_other[e]
                at = slot[v]
                if at < begin:
                    slot[v] = total
                    node[total], cost[total], other[total] = v, c, o
                    total += 1
                elif c < cost[at] or (c == cost[at] and o < other[at]):
                    cost[at], other[at] = c, o
        ptr[i + 1] = total
    return ptr, node[:total].copy(), cost[:total].copy(), other[:total].copy()
