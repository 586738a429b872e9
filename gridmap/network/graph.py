"""The graph as arrays: nodes, straight edges between them, and the arcs at each node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.network.hierarchy import Hierarchy, build_hierarchy
from gridmap.network.orders import ground_order, order_by

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Arcs", "Graph", "build_graph"]


class Arcs(NamedTuple):
    """The arcs at each node: those of node i are ``indptr[i]:indptr[i + 1]``.

    `node` is the neighbour and `edge` the edge. `metres_in`, `seconds_in` are the cost of coming from the neighbour to
    the node, as a sweep from targets needs; `metres_out`, `seconds_out` that of going to it. Infinite where one-way
    forbids it; in an undirected graph in and out are the same arrays.
    """

    indptr: npt.NDArray[np.int64]
    node: Ints
    edge: Ints
    metres_in: Floats
    seconds_in: Floats
    metres_out: Floats
    seconds_out: Floats


# An island with less than this share of the longest one's streets is a small isolated piece.
SMALL_ISLAND = 0.1


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes and straight edges. An edge is one segment between two consecutive vertices of a street.

    Parameters
    ----------
    node_xy
        (n, 2) metres.
    edge_u, edge_v
        Node at each end of each edge, in the direction of the street.
    edge_length, edge_seconds
        Metres and seconds along the whole edge.
    edge_street
        Row of the street in the table the network was made from.
    edge_forward, edge_backward
        Whether the edge may be used from u to v, and from v to u.
    """

    node_xy: Floats
    edge_u: Ints
    edge_v: Ints
    edge_length: Floats
    edge_seconds: Floats
    edge_street: Ints
    edge_forward: Flags
    edge_backward: Flags

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            getattr(self, name).setflags(write=False)

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return f"<Graph: {self.n_nodes:,} nodes, {self.n_edges:,} edges, {kind}>"

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_xy)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.edge_u)

    @cached_property
    def directed(self) -> bool:
        """Whether any edge is one-way."""
        return not (self.edge_forward.all() and self.edge_backward.all())

    @cached_property
    def arcs(self) -> Arcs:
        """The arcs at each node."""
        tail = np.concatenate((self.edge_u, self.edge_v))
        order = np.argsort(tail, kind="stable")
        indptr = np.zeros(self.n_nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(tail, minlength=self.n_nodes), out=indptr[1:])
        edge = np.tile(np.arange(self.n_edges, dtype=np.int32), 2)[order]
        node = np.concatenate((self.edge_v, self.edge_u))[order]
        metres, seconds = self.edge_length[edge], self.edge_seconds[edge]
        if not self.directed:
            return Arcs(indptr, node, edge, metres, seconds, metres, seconds)
        goes = np.concatenate((self.edge_forward, self.edge_backward))[order]
        comes = np.concatenate((self.edge_backward, self.edge_forward))[order]
        return Arcs(
            indptr, node, edge,
            np.where(comes, metres, np.inf), np.where(comes, seconds, np.inf),
            np.where(goes, metres, np.inf), np.where(goes, seconds, np.inf),
        )  # fmt: skip

    @cached_property
    def by_metres(self) -> Hierarchy:
        """The order in which searches for the shortest ways go."""
        return build_hierarchy(self.arcs, "metres")

    @cached_property
    def by_minutes(self) -> Hierarchy:
        """The order in which searches for the quickest ways go."""
        return build_hierarchy(self.arcs, "minutes")

    @cached_property
    def component(self) -> Ints:
        """For each node which island it lies on, one-way ignored; 0 is the longest, then by falling length."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ones = np.ones(self.n_edges, dtype=np.int8)
        pairs = coo_array((ones, (self.edge_u, self.edge_v)), shape=(self.n_nodes, self.n_nodes))
        count, label = connected_components(pairs, directed=False)
        length = np.bincount(label[self.edge_u], weights=self.edge_length, minlength=count)
        rank = np.empty(count, dtype=np.int32)
        rank[np.argsort(-length, kind="stable")] = np.arange(count, dtype=np.int32)
        return rank[label]

    @cached_property
    def component_length(self) -> Floats:
        """Metres of street on each island."""
        count = int(self.component.max(initial=-1)) + 1
        return np.bincount(self.component[self.edge_u], self.edge_length, count).astype(np.float64)

    @cached_property
    def on_small_island(self) -> Flags:
        """Whether each node lies on a small isolated piece: one far shorter than the longest."""
        length = self.component_length
        small: Flags = length < SMALL_ISLAND * length.max(initial=0.0)
        return small[self.component]


def build_graph(
    node_xy: Floats,
    u: npt.NDArray[np.int64],
    v: npt.NDArray[np.int64],
    length: Floats,
    seconds: Floats,
    street: npt.NDArray[np.int64],
    forward: Flags,
    backward: Flags,
) -> tuple[Graph, npt.NDArray[np.int64]]:
    """A graph with nodes and edges in an order that follows the ground, whatever the order of the streets.

    Returns
    -------
    Graph, and for each of its edges which one it was among those given.
    """
    order = ground_order(node_xy)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    u, v = rank[u], rank[v]
    by = order_by(np.minimum(u, v) * len(order) + np.maximum(u, v), length, seconds, street)
    graph = Graph(
        np.ascontiguousarray(node_xy[order]),
        u[by].astype(np.int32),
        v[by].astype(np.int32),
        length[by],
        seconds[by],
        street[by].astype(np.int32),
        forward[by],
        backward[by],
    )
    return graph, by
