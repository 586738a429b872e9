"""Route forest: for every category the next step from each node towards its nearest facility, and how buildings begin.

The search of the cover knows how far each node has to go and to whom; the way is the arc along which that distance
falls by just the length of the arc. Nothing is searched again, and a way cannot differ from the minutes of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.coverage.counting.services import rows_by_category
from gridmap.network.search import node_costs_of_each_kind
from gridmap.network.touch import costs_of, direct_ways, edge_ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.network.access import Access
    from gridmap.network.graph import Graph
    from gridmap.network.touch import Ends

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["END", "NO_WAY", "Forest", "Tree", "grow_forest"]

#: Where a node leads nowhere, and where it is left for the facility.
NO_WAY, END = -1, -2
# Sums in two orders differ in their last digits; the shortest edge takes ten thousand times this.
_SLACK = 1e-9


class Tree(NamedTuple):
    """The ways of one category.

    Parameters
    ----------
    follow
        By node of the network: the next node, `END`, or `NO_WAY`.
    end
        By node at an end: the access point by which the facility is left for, else -1.
    start, side
        By building: its access point, -1 for no way; and which end of that edge it goes to, 0 or 1, or 2 where the
        facility lies on the same edge.
    goal
        By building whose `side` is 2: how far along the edge the facility is left for, else NaN.
    """

    follow: Longs
    end: Longs
    start: Longs
    side: Longs
    goal: Floats


class Forest(NamedTuple):
    """One tree for each category of a cover, in its order, and the accesses of buildings and of facilities they name.

    `targets` are the counted facilities in the order of the categories.
    """

    trees: list[Tree]
    origins: Access
    targets: Access


def grow_forest(cover: Cover) -> Forest | None:
    """The ways from all buildings to their nearest facilities; None where the cover was not counted along streets."""
    network = cover.network
    if network is None or cover.accesses is None or cover.how != "network" or cover.rules is not None:
        return None
    origins, services = cover.accesses
    rows = rows_by_category(cover.facilities, cover.counted, list(cover.thresholds))
    order = np.concatenate([*rows, np.empty(0, dtype=np.int64)]).astype(np.int64)
    kind = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    targets = services.take(order)
    by = cover.measure
    costs = node_costs_of_each_kind(network, targets, kind, kinds=len(rows), by=by)
    measure, leg = costs_of(network, by)
    leaving = edge_ends(network.graph, origins, measure, leg, leaving=True)
    arriving = edge_ends(network.graph, targets, measure, leg, leaving=False)
    pairs = direct_ways(network.graph, origins, targets, measure, leg)
    rank_of = np.full(len(cover.facilities) + 1, -1, dtype=np.int64)
    rank_of[order] = np.arange(len(order))
    kind_of_point, kind_of_pair = kind[targets.owner], kind[targets.owner[pairs[1]]]
    trees = []
    for column in range(len(rows)):
        cost, target = costs.cost[:, column], costs.target[:, column].astype(np.int64)
        wanted = rank_of[cover.nearest.facility[:, column, 0]]
        points = np.flatnonzero(kind_of_point == column)
        near = np.flatnonzero(kind_of_pair == column)
        near = near[wanted[origins.owner[pairs[0][near]]] == targets.owner[pairs[1][near]]]
        direct = pairs[0][near], pairs[1][near], pairs[2][near]
        follow, end = _follow(network.graph, cost, target, targets.owner, arriving, points, by)
        start, side, goal = _begin(origins, leaving, cost, target, wanted, direct, targets)
        trees.append(Tree(follow, end, start, side, goal))
    return Forest(trees, origins, targets)


def _follow(
    graph: Graph, cost: Floats, target: Longs, owner: Longs, arriving: Ends, points: Longs, by: str
) -> tuple[Longs, Longs]:
    """The next node of each node, and for those at an end the access point by which the facility is left for."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    arcs, n = graph.arcs, graph.n_nodes
    reached = np.isfinite(cost)
    bound = np.where(reached, cost + _SLACK * np.maximum(1.0, np.where(reached, cost, 0.0)), -1.0)
    node, way = arriving.node[points].ravel(), arriving.cost[points].ravel()
    way = np.where(target[node] == np.repeat(owner[points], 2), way, np.inf)
    best = _least(way, node, n)
    at_end = np.flatnonzero(best >= 0)
    at_end = at_end[way[best[at_end]] <= bound[at_end]]
    tail, head = np.repeat(np.arange(n), np.diff(arcs.indptr)), arcs.node
    step = arcs.metres_out if by == "metres" else arcs.seconds_out / 60
    tight = np.flatnonzero((step + cost[head] <= bound[tail]) & (target[head] == target[tail]))
    # breadth first from the facilities, so that arcs of no length lead into no circle; the last node stands for them
    ones = np.ones(len(tight) + len(at_end), dtype=np.int8)
    pairs = np.concatenate((head[tight], np.full(len(at_end), n))), np.concatenate((tail[tight], at_end))
    _, before = breadth_first_order(csr_array((ones, pairs), shape=(n + 1, n + 1)), n, return_predecessors=True)
    follow = before[:n].astype(np.int64)
    follow[follow < 0] = NO_WAY
    follow[follow == n] = END
    end = np.full(n, -1)
    ended = np.flatnonzero(follow == END)
    end[ended] = points[best[ended] // 2]
    return follow, end


def _begin(
    origins: Access, leaving: Ends, cost: Floats, target: Longs, wanted: Longs,
    direct: tuple[Longs, Longs, Floats], targets: Access,
) -> tuple[Longs, Longs, Floats]:  # fmt: skip
    """How each building begins; see `Tree`."""
    n, owner = len(origins), origins.owner
    way = leaving.cost + cost[leaving.node]
    way[(target[leaving.node] != wanted[owner][:, None]) | (wanted[owner] < 0)[:, None]] = np.inf
    side = way.argmin(axis=1)
    way = np.minimum(way[:, 0], way[:, 1])
    start = _least_of_sorted(way, origins.owner_ptr)
    cheapest = np.where(start >= 0, way[start], np.inf)
    side, goal = np.where(start >= 0, side[start], 0), np.full(n, np.nan)
    at, to, length = direct
    near = _least(length, owner[at], n)
    rows = np.flatnonzero(near >= 0)
    rows = rows[length[near[rows]] <= cheapest[rows] + _SLACK]
    start[rows], side[rows] = at[near[rows]], 2
    # from the part of the edge that the one lies on to that of the other
    place, there = start[rows], to[near[rows]]
    from_t = np.clip(targets.t0[there], origins.t0[place], origins.t1[place])
    goal[rows] = np.clip(from_t, targets.t0[there], targets.t1[there])
    return start, side, goal


def _least_of_sorted(values: Floats, ptr: Longs) -> Longs:
    """Row of the least finite value of each group ``ptr[i]:ptr[i + 1]``, -1 where there is none."""
    out = np.full(len(ptr) - 1, -1)
    held = np.flatnonzero(np.diff(ptr) > 0)
    if not len(held):
        return out
    least = np.minimum.reduceat(values, ptr[held])
    rows = np.flatnonzero((values == np.repeat(least, np.diff(ptr)[held])) & np.isfinite(values))[::-1]
    out[np.searchsorted(ptr, rows, side="right") - 1] = rows
    return out


def _least(values: Floats, group: Longs, count: int) -> Longs:
    """Row of the least finite value of each group, -1 where there is none."""
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[np.lexsort((rows, values[rows], group[rows]))]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = group[rows][1:] != group[rows][:-1]
    out = np.full(count, -1)
    out[group[rows[first]]] = rows[first]
    return out
