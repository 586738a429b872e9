"""Repair: what every node knows of its nearest target, put right after a change of streets or targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.network.measures import as_measures
from gridmap.network.touch import shared_edges, touch_arguments, touch_nodes

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.changes import Change
    from gridmap.network.streets import StreetNetwork

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["Labels", "join_labels", "label_nodes", "repair_labels"]


class Labels(NamedTuple):
    """For every node the cost of reaching the nearest target, the other measure along the same way, and the target.

    In metres or seconds; infinite and -1 where nothing is reached.
    """

    cost: Floats
    other: Floats
    target: Ints

    def copy(self) -> Labels:
        """The same in arrays of their own."""
        return Labels(self.cost.copy(), self.other.copy(), self.target.copy())


def label_nodes(network: StreetNetwork, targets: Access, by: str) -> Labels:
    """The labels of all nodes: none, put right by all targets."""
    n = network.graph.n_nodes
    labels = Labels(np.full(n, np.inf), np.full(n, np.inf), np.full(n, -1, dtype=np.int32))
    _repair(network, labels, _seeds(network, targets, by), np.empty(0, np.int64), np.empty(0, np.int32), by)
    return labels


def repair_labels(
    before: StreetNetwork,
    change: Change | None,
    labels: Labels,
    targets: tuple[Access, Access],
    rank: Longs,
    moved: Longs,
    by: str,
) -> tuple[Labels, Longs]:
    """The labels after a change, as a sweep would find them, and the nodes that have another one.

    Parameters
    ----------
    before
        The network that `labels` are of.
    change
        What became of it; None where the streets are the same.
    labels
        Labels of the old targets, with costs in the measure `by`.
    targets
        Old targets on the old network, and new ones on the new.
    rank
        New index of each old target, -1 for one that is gone; those that stay keep their order.
    moved
        New indices of the targets that stay and touch the network at other places than before.
    by
        ``"minutes"`` or ``"metres"``.
    """
    from gridmap.network.repair_kernel import stale

    network = before if change is None else change.network
    seeds = _seeds(network, targets[1], by)
    lost, wake = [], np.empty(0, dtype=np.int32)
    if change is not None:
        lost.append(_hanging_on_edges(before, change, labels, by))
        wake = np.unique(np.concatenate((network.graph.edge_u[change.added], network.graph.edge_v[change.added])))
    lost.append(_hanging_on_seeds(before, change, labels, targets[0], rank, moved, seeds, by))
    old, new = _carried(labels, change, network.graph.n_nodes, rank)
    lost.append(np.flatnonzero(old.target == -2))
    gone = np.unique(np.concatenate(lost)).astype(np.int64)
    last = old
    while True:
        _repair(network, new, seeds, gone, wake, by)
        gone = stale(*_arcs(network, by), *last, *new)
        if not len(gone):
            break
        last, wake = new.copy(), wake[:0]
    n = len(old.cost)
    same = (new.cost[:n] == old.cost) & (new.target[:n] == old.target) & (new.other[:n] == old.other)
    return new, np.concatenate((np.flatnonzero(~same), np.arange(n, len(new.cost))))


def join_labels(
    network: StreetNetwork, labels: Labels, targets: Access, origins: Access, by: str
) -> tuple[Ints, Floats, Floats]:
    """The nearest target of each origin (-1 for none), metres and minutes; as `search.nearest` finds them."""
    from gridmap.network.search_kernel import join, join_direct

    n = len(origins)
    legs = touch_arguments(network, origins, by, leaving=True)
    direct = shared_edges(network, targets, origins, by)
    cost, other, target = np.empty((n, 1)), np.empty((n, 1)), np.empty((n, 1), dtype=np.int32)
    join(
        np.arange(n), *legs, labels.cost[:, None], labels.other[:, None], labels.target[:, None],
        np.inf, cost, other, target,
    )  # fmt: skip
    only = np.zeros(len(direct.origin), dtype=np.int32)
    join_direct(*direct, only, np.inf, cost[:, :, None], other[:, :, None], target[:, :, None])
    metres, seconds = as_measures(by, cost[:, 0], other[:, 0])
    return target[:, 0], metres, seconds / 60


def _repair(
    network: StreetNetwork, labels: Labels, seeds: tuple[Ints, Floats, Floats, Ints], lost: Longs, wake: Ints, by: str
) -> None:
    from gridmap.network.repair_kernel import repair

    repair(*_arcs(network, by), *seeds, lost, wake, *labels)


def _arcs(network: StreetNetwork, by: str) -> tuple[Longs, Ints, Floats, Floats]:
    """The arcs as kernels take them."""
    arcs = network.graph.arcs
    cost, other = as_measures(by, arcs.metres_in, arcs.seconds_in)
    return arcs.indptr, arcs.node, cost, other


def _seeds(network: StreetNetwork, targets: Access, by: str) -> tuple[Ints, Floats, Floats, Ints]:
    """Where targets touch the graph: nodes, both measures from there, and the targets."""
    touch = touch_nodes(network, targets, by, leaving=False)
    return touch.node, touch.cost, touch.other, touch.owner


def _carried(labels: Labels, change: Change | None, n_nodes: int, rank: Longs) -> tuple[Labels, Labels]:
    """The old labels on the new nodes, with the new indices of targets, -2 for one that is gone; and again, to change.

    Where all old nodes keep their numbers, the former hold these alone.
    """
    same = np.array_equal(rank, np.arange(len(rank)))
    # the last entry is what the index -1, no target, finds
    name = np.append(np.where(rank < 0, -2, rank), -1).astype(np.int32)
    old = Labels(labels.cost, labels.other, labels.target if same else name[labels.target])
    if change is None:
        return old, old.copy()
    new = Labels(np.empty(n_nodes), np.empty(n_nodes), np.empty(n_nodes, dtype=np.int32))
    first = len(change.node_rank) if change.keeps_nodes else 0
    new.cost[first:], new.other[first:], new.target[first:] = np.inf, np.inf, -1
    if change.keeps_nodes:
        new.cost[:first], new.other[:first], new.target[:first] = old
        return old, new
    stays = change.node_rank >= 0
    at = change.node_rank[stays]
    new.cost[at], new.other[at], new.target[at] = old.cost[stays], old.other[stays], old.target[stays]
    return new.copy(), new


def _hanging_on_edges(before: StreetNetwork, change: Change, labels: Labels, by: str) -> Longs:
    """New nodes whose label hangs on an edge that is gone."""
    graph, edge = before.graph, change.removed
    costs, others = as_measures(by, graph.edge_length[edge], graph.edge_seconds[edge])
    found = []
    for head, tail, goes in (
        (graph.edge_u[edge], graph.edge_v[edge], graph.edge_forward[edge]),
        (graph.edge_v[edge], graph.edge_u[edge], graph.edge_backward[edge]),
    ):
        hangs = goes & (labels.target[head] >= 0) & (labels.target[head] == labels.target[tail])
        hangs &= labels.cost[tail] + costs == labels.cost[head]
        hangs &= labels.other[tail] + others == labels.other[head]
        found.append(change.node_rank[head[hangs]])
    nodes = np.concatenate(found)
    return nodes[nodes >= 0]


def _hanging_on_seeds(
    before: StreetNetwork,
    change: Change | None,
    labels: Labels,
    targets: Access,
    rank: Longs,
    moved: Longs,
    seeds: tuple[Ints, Floats, Floats, Ints],
    by: str,
) -> Longs:
    """New nodes whose label is a seed, of a target that stays, which is there no more."""
    if not len(moved):
        return np.empty(0, dtype=np.int64)
    node, cost, other, target = _seeds(before, targets, by)
    mine = np.isin(rank[target], moved)
    node, cost, other, target = node[mine], cost[mine], other[mine], target[mine]
    hangs = (labels.target[node] == target) & (labels.cost[node] == cost) & (labels.other[node] == other)
    at = node if change is None else change.node_rank[node]
    hangs &= at >= 0
    now = np.isin(seeds[3], moved)
    there = set(zip(*(values[now].tolist() for values in seeds), strict=True))
    rows = zip(
        at[hangs].tolist(), cost[hangs].tolist(), other[hangs].tolist(), rank[target[hangs]].tolist(), strict=True
    )
    return np.array([row[0] for row in rows if row not in there], dtype=np.int64)
