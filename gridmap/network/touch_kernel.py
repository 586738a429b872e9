"""Kernel: what lies between places and the nodes at the ends of the edges that they reach.

- ``places``: owner_ptr int64 (n + 1,), edge int32, t0, t1, leg float64: the access points of place i are
  ``owner_ptr[i]:owner_ptr[i + 1]``; the edge, from where to where along it (0 to 1), and the leg in metres.
- ``pace``: cost and other measure of a metre of leg.
- ``streets``: edge_u, edge_v int32, cost, other float64, open_u, open_v bool: the edges, and whether one may go between
  a place on the edge and its u, its v; at the end itself one may.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridmap.compiled import compiled


@compiled
def most_touched(row: np.ndarray, places: tuple[Any, ...]) -> int:
    """How many nodes one of the places may touch at most."""
    most = 0
    for i in row:
        most = max(most, 2 * (places[0][i + 1] - places[0][i]))
    return most


@compiled
def touch_place(
    i: int,
    places: tuple[Any, ...],
    pace: tuple[float, float],
    streets: tuple[Any, ...],
    begin: int,
    slot: np.ndarray,
    node: np.ndarray,
    cost: np.ndarray,
    other: np.ndarray,
) -> int:
    """Leg and share of the edge, added up, for each node that place i touches; of several ways to one node the least.

    Left out is a node behind the other end of an edge that is reached at that end.

    Parameters
    ----------
    places, pace, streets
        See above.
    begin, node, cost, other
        What is filled, from `begin` on: int32, float64, float64.
    slot
        (nodes,) int64, whatever it holds: where a node was put.

    Returns
    -------
    Where it ends.
    """
    owner_ptr, edge, t0, t1, leg = places
    edge_u, edge_v, edge_cost, edge_other, open_u, open_v = streets
    total = begin
    for r in range(owner_ptr[i], owner_ptr[i + 1]):
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
            if at < begin or at >= total or node[at] != v:
                slot[v] = total
                node[total], cost[total], other[total] = v, c, o
                total += 1
            elif c < cost[at] or (c == cost[at] and o < other[at]):
                cost[at], other[at] = c, o
    return total


@compiled
def touch_nodes(
    row: np.ndarray, places: tuple[Any, ...], pace: tuple[float, float], streets: tuple[Any, ...], n_nodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `touch_place` finds for several places.

    Parameters
    ----------
    row
        (n,) int64: the places, in the order in which they are looked at.
    places, pace, streets
        See above.
    n_nodes
        Number of nodes.

    Returns
    -------
    ptr (n + 1,) int64; node int32, cost float64, other float64: those of place ``row[i]`` are ``ptr[i]:ptr[i + 1]``,
    each node once.
    """
    n = len(row)
    ptr = np.zeros(n + 1, dtype=np.int64)
    room = 0
    for i in row:
        room += 2 * (places[0][i + 1] - places[0][i])
    node = np.empty(room, dtype=np.int32)
    cost, other = np.empty(room, dtype=np.float64), np.empty(room, dtype=np.float64)
    slot = np.zeros(n_nodes, dtype=np.int64)
    for p in range(n):
        ptr[p + 1] = touch_place(row[p], places, pace, streets, ptr[p], slot, node, cost, other)
    total = ptr[n]
    return ptr, node[:total].copy(), cost[:total].copy(), other[:total].copy()
