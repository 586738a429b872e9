"""Touch: where places touch the graph, and where two places lie on one edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.network.measures import as_measures
from gridmap.network.orders import grouped

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.graph import Graph
    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = [
    "Ends",
    "SharedEdges",
    "Touch",
    "costs_of",
    "direct_ways",
    "edge_ends",
    "ground_rows",
    "shared_edges",
    "touch_arguments",
    "touch_nodes",
]


class Touch(NamedTuple):
    """What lies between places and nodes: those of the i-th place are ``ptr[i]:ptr[i + 1]``, each node once.

    `cost` is in metres or seconds, `other` in the other of the two.
    """

    ptr: Longs
    node: Ints
    cost: Floats
    other: Floats

    @property
    def owner(self) -> Ints:
        """Row of the place in each row."""
        return np.repeat(np.arange(len(self.ptr) - 1, dtype=np.int32), np.diff(self.ptr))


class SharedEdges(NamedTuple):
    """Direct ways along an edge that an origin and a target share; a pair may have several."""

    origin: Ints
    target: Ints
    cost: Floats
    other: Floats


class Ends(NamedTuple):
    """What lies between access points and both ends of their edges, shape (points, 2): costs, and the nodes there.

    A cost is infinite where one-way forbids to go.
    """

    cost: Floats
    node: Longs


def costs_of(network: StreetNetwork, by: str) -> tuple[Floats, float]:
    """Cost of each edge, and of a metre of leg, in minutes or metres, whichever `by` is."""
    graph = network.graph
    return (graph.edge_length, 1.0) if by == "metres" else (graph.edge_seconds / 60, 0.06 / network.profile.leg_kmh)


def edge_ends(graph: Graph, places: Access, measure: Floats, pace: float, *, leaving: bool) -> Ends:
    """What lies between each access point and the ends of its edge, legs included.

    Parameters
    ----------
    graph, places
        The graph, and places on it.
    measure, pace
        As `costs_of` has them.
    leaving
        Whether the way leads from the places to the nodes; else from the nodes to the places.
    """
    edge = places.edge
    ahead, back = graph.edge_forward[edge], graph.edge_backward[edge]
    to_u, to_v = (back, ahead) if leaving else (ahead, back)
    whole, foot = measure[edge], places.leg * pace
    by_u = np.where(to_u | (places.t0 == 0), foot + places.t0 * whole, np.inf)
    by_v = np.where(to_v | (places.t1 == 1), foot + (1 - places.t1) * whole, np.inf)
    node = np.column_stack((graph.edge_u[edge], graph.edge_v[edge])).astype(np.int64)
    return Ends(np.column_stack((by_u, by_v)), node)


def touch_nodes(network: StreetNetwork, places: Access, by: str, *, leaving: bool, rows: Longs | None = None) -> Touch:
    """What lies between places and the nodes at the ends of their edges.

    Parameters
    ----------
    network, places
        The network, and places on it.
    by
        ``"minutes"`` or ``"metres"``: which measure is the cost.
    leaving
        Whether the way leads from the places to the nodes; else from the nodes to the places.
    rows
        The places in another order; None for their own.
    """
    from gridmap.network.touch_kernel import touch_nodes as kernel

    order = np.arange(len(places)) if rows is None else rows
    return Touch(*kernel(order, *touch_arguments(network, places, by, leaving=leaving), network.graph.n_nodes))


def touch_arguments(network: StreetNetwork, places: Access, by: str, *, leaving: bool) -> tuple[Any, Any, Any]:
    """Places, pace and streets, as kernels take them; see `gridmap.network.touch_kernel`."""
    graph = network.graph
    open_u, open_v = graph.edge_forward, graph.edge_backward
    if leaving:
        open_u, open_v = open_v, open_u
    seconds = 3.6 / network.profile.leg_kmh
    return (
        (places.owner_ptr, places.edge, places.t0, places.t1, places.leg),
        (seconds, 1.0) if by == "minutes" else (1.0, seconds),
        (graph.edge_u, graph.edge_v, *as_measures(by, graph.edge_length, graph.edge_seconds), open_u, open_v),
    )


def ground_rows(network: StreetNetwork, places: Access) -> npt.NDArray[np.int64]:
    """The places in the order of the ground, in which neighbours find in the cache what they share."""
    first = np.append(places.edge, np.int32(0))[places.owner_ptr[:-1]]
    edge = np.where(np.diff(places.owner_ptr) > 0, first, 0).astype(np.int32)
    return grouped(edge, network.graph.n_edges)[1]


def shared_edges(network: StreetNetwork, targets: Access, origins: Access, by: str) -> SharedEdges:
    """The direct ways from origins to targets, where both reach one edge."""
    graph = network.graph
    at, to, share = _points_on_one_edge(graph, origins, targets)
    edge = origins.edge[at]
    cost, other = (
        leg + share * whole[edge] + end
        for leg, whole, end in zip(
            _legs(network, origins.leg[at], by),
            as_measures(by, graph.edge_length, graph.edge_seconds),
            _legs(network, targets.leg[to], by),
            strict=True,
        )
    )
    return SharedEdges(origins.owner[at].astype(np.int32), targets.owner[to].astype(np.int32), cost, other)


def direct_ways(
    graph: Graph, origins: Access, targets: Access, measure: Floats, pace: float
) -> tuple[Longs, Longs, Floats]:
    """Access points that lie on one edge, those of origins and of targets, and what the way along it costs.

    `measure` and `pace` are as `costs_of` has them.
    """
    at, to, share = _points_on_one_edge(graph, origins, targets)
    return at, to, origins.leg[at] * pace + share * measure[origins.edge[at]] + targets.leg[to] * pace


def _points_on_one_edge(graph: Graph, origins: Access, targets: Access) -> tuple[Longs, Longs, Floats]:
    """Access points of origins and of targets that lie on one edge, and which share of it lies between them.

    Pairs between which a one-way street forbids to go are left out.
    """
    order = np.argsort(targets.edge, kind="stable")
    on_edge = np.bincount(targets.edge, minlength=graph.n_edges)
    row = np.flatnonzero(on_edge[origins.edge])
    count, first = on_edge[origins.edge[row]], (np.cumsum(on_edge) - on_edge)[origins.edge[row]]
    at = np.repeat(row, count)
    to = order[np.arange(len(at)) + np.repeat(first - np.cumsum(count) + count, count)]
    edge = origins.edge[at]
    ahead, back = targets.t0[to] - origins.t1[at], origins.t0[at] - targets.t1[to]
    may = ((ahead <= 0) | graph.edge_forward[edge]) & ((back <= 0) | graph.edge_backward[edge])
    return at[may], to[may], np.maximum(np.maximum(ahead, back)[may], 0.0)


def _legs(network: StreetNetwork, leg: Floats, by: str) -> tuple[Floats, Floats]:
    """Legs, in metres, in both measures."""
    return as_measures(by, leg, leg * (3.6 / network.profile.leg_kmh))
