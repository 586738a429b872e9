"""Search: from places to the nearest of other places, over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.errors import OptionError

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.graph import Graph
    from gridmap.network.profiles import Profile
    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["Nearest", "NodeCosts", "nearest", "node_costs"]

# Sums of lengths in two orders differ in their last digits; a limit must not decide by these.
_SLACK = 1e-9


class Nearest(NamedTuple):
    """The nearest targets of each origin, (n_origins, k): target index (-1 for none), metres and minutes (infinite)."""

    target: Ints
    metres: Floats
    minutes: Floats


class NodeCosts(NamedTuple):
    """For every node the cost of reaching the nearest target, in the measure searched by; the other one; the target."""

    cost: Floats
    other: Floats
    target: Ints


def nearest(
    network: StreetNetwork,
    targets: Access,
    origins: Access,
    *,
    by: str = "minutes",
    limit: float | None = None,
    k: int = 1,
) -> Nearest:
    """The k nearest targets of each origin.

    Distance is the minimum over the access points of both of leg, path and leg, the direct way along a shared edge
    among them. The search minimises the measure asked for; the other one is measured along that same path. Of equally
    near targets the one of lower index is taken. Where streets are one-way the way leads from origin to target.

    Parameters
    ----------
    network
        The prepared network that both accesses were made with.
    targets, origins
        What is sought, and from where.
    by
        ``"minutes"`` or ``"metres"``.
    limit
        Targets beyond it are not found; None for no limit. In the measure of `by`.
    k
        How many different targets.

    Returns
    -------
    Nearest
        ``target``, ``metres``, ``minutes``, each (n_origins, k), nearest first.
    """
    _check(by, limit, k)
    from gridmap.network.search_kernel import join_origins

    graph, profile = network.graph, network.profile
    bound = _bound(by, limit)
    cost, other, target = _sweep(network, targets, by, bound, k)
    order, ptr = _by_edge(targets, graph.n_edges)
    edge_cost, edge_other = _measures(by, graph.edge_length, graph.edge_seconds)
    found_cost, found_other, found = join_origins(
        origins.owner_ptr, origins.edge, origins.t0, origins.t1, *_legs(by, origins.leg, profile),
        graph.edge_u, graph.edge_v, edge_cost, edge_other, _ways(graph),
        cost, other, target,
        ptr, targets.t0[order], targets.t1[order], *_legs(by, targets.leg[order], profile),
        targets.owner[order].astype(np.int32),
        bound,
    )  # fmt: skip
    metres, seconds = _measures(by, found_cost, found_other)
    return Nearest(found, metres, seconds / 60)


def node_costs(
    network: StreetNetwork, targets: Access, *, by: str = "minutes", limit: float | None = None
) -> NodeCosts:
    """Cost of reaching the nearest target from every node, the leg at the target included.

    Parameters
    ----------
    network, targets, by, limit
        As for `nearest`.

    Returns
    -------
    NodeCosts
        ``cost`` in the measure of `by`, ``other`` in the other one along the same path (both infinite where no target
        is reached), ``target`` (-1 there).
    """
    _check(by, limit, 1)
    costs, others, found = _sweep(network, targets, by, _bound(by, limit), 1)
    cost, other, target = costs[:, 0], others[:, 0], found[:, 0]
    return NodeCosts(cost / 60, other, target) if by == "minutes" else NodeCosts(cost, other / 60, target)


def _check(by: str, limit: float | None, k: int) -> None:
    if by not in ("minutes", "metres"):
        raise OptionError(f"by={by!r} is unknown; use 'minutes' or 'metres'")
    if limit is not None and not limit >= 0:
        raise OptionError(f"limit={limit!r} must be 0 or more, or None")
    if k < 1:
        raise OptionError(f"k={k!r} must be at least 1")


def _bound(by: str, limit: float | None) -> float:
    """The limit in metres or seconds."""
    if limit is None:
        return np.inf
    return float(limit) * (60 if by == "minutes" else 1) * (1 + _SLACK) + _SLACK


def _measures(by: str, metres: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Cost and other measure; undoes itself."""
    return (seconds, metres) if by == "minutes" else (metres, seconds)


def _legs(by: str, leg: Floats, profile: Profile) -> tuple[Floats, Floats]:
    return _measures(by, leg, leg * (3.6 / profile.leg_kmh))


def _ways(graph: Graph) -> npt.NDArray[np.uint8]:
    return graph.edge_forward.astype(np.uint8) + 2 * graph.edge_backward.astype(np.uint8)


def _by_edge(access: Access, n_edges: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Order of access points by edge, and where those of each edge begin."""
    ptr = np.zeros(n_edges + 1, dtype=np.int64)
    np.cumsum(np.bincount(access.edge, minlength=n_edges), out=ptr[1:])
    return np.argsort(access.edge, kind="stable"), ptr


def _sweep(network: StreetNetwork, targets: Access, by: str, bound: float, k: int) -> tuple[Floats, Floats, Ints]:
    """The k best labels of each node, (n, k)."""
    from gridmap.network.search_kernel import sweep, sweep_k

    arcs = network.graph.arcs
    arc_cost, arc_other = _measures(by, arcs.metres_in, arcs.seconds_in)
    seeds = _seeds(network, targets, by)
    if k > 1:
        return sweep_k(arcs.indptr, arcs.node, arc_cost, arc_other, *seeds, bound, k)
    cost, other, target = sweep(arcs.indptr, arcs.node, arc_cost, arc_other, *seeds, bound)
    return cost[:, None], other[:, None], target[:, None]


def _seeds(network: StreetNetwork, targets: Access, by: str) -> tuple[Ints, Floats, Floats, Ints]:
    """Where targets touch the graph: from the nodes at both ends of their edges, as far as one-way lets them."""
    graph = network.graph
    edge = targets.edge
    leg_cost, leg_other = _legs(by, targets.leg, network.profile)
    edge_cost, edge_other = _measures(by, graph.edge_length[edge], graph.edge_seconds[edge])
    owner = targets.owner.astype(np.int32)
    from_u = graph.edge_forward[edge] | (targets.t0 == 0)
    from_v = graph.edge_backward[edge] | (targets.t1 == 1)
    u_share, v_share = targets.t0[from_u], 1 - targets.t1[from_v]
    return (
        np.concatenate((graph.edge_u[edge][from_u], graph.edge_v[edge][from_v])),
        np.concatenate(
            (leg_cost[from_u] + u_share * edge_cost[from_u], leg_cost[from_v] + v_share * edge_cost[from_v])
        ),
        np.concatenate(
            (leg_other[from_u] + u_share * edge_other[from_u], leg_other[from_v] + v_share * edge_other[from_v])
        ),
        np.concatenate((owner[from_u], owner[from_v])),
    )
