"""Route tree: the ways from one place to all others within reach, by one search."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.network.bounded import nodes_within
from gridmap.network.touch import costs_of, direct_ways, edge_ends

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

__all__ = ["Way", "find_ways"]

# Sums of lengths in two orders differ in their last digits.
_SLACK = 1e-9
_NONE = np.empty(0, dtype=np.int64)


class Way(NamedTuple):
    """The way to one target: its row and cost, the access points at both ends, and the nodes and edges between."""

    target: int
    cost: float
    first: int
    last: int
    nodes: Longs
    edges: Longs


class _Ends(NamedTuple):
    """The best end of the way to each target.

    Its cost, access point, and the node before it; where that is -1, the access point of the origin on the same edge.
    """

    cost: Floats
    last: Longs
    node: Longs
    first: Longs


def find_ways(network: StreetNetwork, origin: Access, targets: Access, *, by: str, limit: float) -> list[Way]:
    """The best way from one origin to every target within a limit, the nearest first, equally near ones by row.

    Parameters
    ----------
    network
        The network that both accesses were made with.
    origin
        The access of one place.
    targets
        The places sought.
    by
        ``"minutes"`` or ``"metres"``: what is least.
    limit
        In the measure of `by`.
    """
    found = nodes_within(network, origin, by=by, limit=limit)
    cost = np.full(network.graph.n_nodes, np.inf)
    cost[found.node] = found.cost
    measure, pace = costs_of(network, by)
    ends = _best_ends(network, origin, targets, cost, measure, pace)
    chosen = np.flatnonzero(ends.cost <= limit * (1 + _SLACK) + _SLACK)
    chosen = chosen[np.lexsort((chosen, ends.cost[chosen]))]
    before, edge_to, leave = _tree(network, origin, cost, found.node.astype(np.int64), measure, pace)
    ways = []
    for row in chosen.tolist():
        if ends.node[row] < 0:
            ways.append(Way(row, float(ends.cost[row]), int(ends.first[row]), int(ends.last[row]), _NONE, _NONE))
            continue
        nodes, edges = [int(ends.node[row])], []
        while before[nodes[-1]] >= 0:
            edges.append(edge_to[nodes[-1]])
            nodes.append(before[nodes[-1]])
        ways.append(
            Way(
                row, float(ends.cost[row]), int(leave[nodes[-1]]), int(ends.last[row]),
                np.array(nodes[::-1], dtype=np.int64), np.array(edges[::-1], dtype=np.int64),
            )
        )  # fmt: skip
    return ways


def _best_ends(
    network: StreetNetwork, origin: Access, targets: Access, cost: Floats, measure: Floats, pace: float
) -> _Ends:
    graph = network.graph
    edge, whole, leg = targets.edge, measure[targets.edge], targets.leg * pace
    every = np.arange(len(edge))
    # summed in the order of the way, so that the ways over both ends to a place at one of them stay equally long
    forward, backward = graph.edge_forward[edge], graph.edge_backward[edge]
    from_u = np.where(forward | (targets.t0 == 0), cost[graph.edge_u[edge]] + targets.t0 * whole + leg, np.inf)
    from_v = np.where(backward | (targets.t1 == 1), cost[graph.edge_v[edge]] + (1 - targets.t1) * whole + leg, np.inf)
    at, to, direct = direct_ways(graph, origin, targets, measure, pace)
    costs = np.concatenate((direct, from_u, from_v))
    last = np.concatenate((to, every, every))
    none = np.full(len(to), -1, dtype=np.int64)
    node = np.concatenate((none, graph.edge_u[edge], graph.edge_v[edge]))
    first = np.concatenate((at, np.full(2 * len(edge), -1, dtype=np.int64)))
    owner = targets.owner[last]
    # of equally long ways the one that goes furthest by street
    order = np.lexsort((targets.leg[last], costs, owner))
    order = order[np.isfinite(costs[order])]
    best = order[np.concatenate(([True], np.diff(owner[order]) > 0))] if len(order) else order
    n = len(targets)
    out = _Ends(np.full(n, np.inf), np.full(n, -1), np.full(n, -1), np.full(n, -1))
    for values, found in zip(out, (costs, last, node, first), strict=True):
        values[owner[best]] = found[best]
    return out


def _tree(
    network: StreetNetwork, origin: Access, cost: Floats, reached: Longs, measure: Floats, pace: float
) -> tuple[Longs, Longs, Longs]:
    """For each node the one before it, -1 where the way begins; the edge from there; the access point it begins at."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    graph, n = network.graph, network.graph.n_nodes
    leave = _leaves(network, origin, cost, measure, pace)
    arcs = graph.arcs
    tail = np.repeat(np.arange(n), np.diff(arcs.indptr))
    head = arcs.node.astype(np.int64)
    step = np.where(np.isfinite(arcs.metres_out), measure[arcs.edge], np.inf)
    with np.errstate(invalid="ignore"):
        tight = np.isfinite(cost[tail]) & (cost[tail] + step <= cost[head] + _SLACK * np.maximum(1.0, cost[head]))
    tight &= np.isfinite(cost[head]) & (leave[head] < 0)
    # breadth first, so that arcs of no length lead into no circle; the last node stands for the origin
    rows = np.flatnonzero(tight)
    order = np.lexsort((step[rows], head[rows], tail[rows]))
    rows = rows[order]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (tail[rows][1:] != tail[rows][:-1]) | (head[rows][1:] != head[rows][:-1])
    rows = rows[new]
    begin = reached[leave[reached] >= 0]
    pairs = csr_array(
        (
            np.ones(len(rows) + len(begin)),
            (np.concatenate((tail[rows], np.full(len(begin), n))), np.concatenate((head[rows], begin))),
        ),
        shape=(n + 1, n + 1),
    )
    _, before = breadth_first_order(pairs, n, directed=True, return_predecessors=True)
    before = before[:n].astype(np.int64)
    before[(before < 0) | (before == n)] = -1
    edge_to = np.full(n, -1, dtype=np.int64)
    follows = before >= 0
    key = tail[rows] * np.int64(n) + head[rows]
    at = np.searchsorted(key, before[follows] * np.int64(n) + np.flatnonzero(follows))
    edge_to[follows] = arcs.edge[rows[at]]
    return before, edge_to, leave


def _leaves(network: StreetNetwork, origin: Access, cost: Floats, measure: Floats, pace: float) -> Longs:
    """The access point by which the origin reaches each node straight, where no other way is shorter; else -1."""
    graph = network.graph
    ends = edge_ends(graph, origin, measure, pace, leaving=True)
    node, way = ends.node.T.ravel(), ends.cost.T.ravel()
    point = np.tile(np.arange(len(origin.edge)), 2)
    straight = np.isfinite(way) & (way <= cost[node] + _SLACK * np.maximum(1.0, cost[node]))
    leave = np.full(graph.n_nodes, -1, dtype=np.int64)
    order = np.flatnonzero(straight)
    order = order[np.lexsort((point[order], way[order]))][::-1]
    leave[node[order]] = point[order]
    return leave
