"""Search: from places to the nearest of other places, or to all within a limit, over the network."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.network.access import Access
from gridmap.network.touch import Touch, as_measures, shared_edges, touch_nodes
from gridmap.network.workers import map_tasks

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.graph import Graph
    from gridmap.network.profiles import Profile
    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["Nearest", "NodeCosts", "NodesWithin", "Within", "nearest", "node_costs", "nodes_within", "within"]

# Searches are dealt out in so many parts, however many workers there are.
_PARTS = 16

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


class Within(NamedTuple):
    """Every target within a limit of each origin: those of origin i are ``origin_ptr[i]:origin_ptr[i + 1]``.

    `target` is its index, rising within an origin; `cost` in the measure searched by, `other` in the other one along
    the same path (minutes, metres).
    """

    origin_ptr: npt.NDArray[np.int64]
    target: Ints
    cost: Floats
    other: Floats

    @property
    def origin(self) -> Ints:
        """Index of the origin of each pair."""
        return np.repeat(np.arange(len(self.origin_ptr) - 1, dtype=np.int32), np.diff(self.origin_ptr))


class NodesWithin(NamedTuple):
    """Every node within a limit of each origin: those of origin i are ``origin_ptr[i]:origin_ptr[i + 1]``.

    `node` in no order; `cost` and `other` as in `Within`.
    """

    origin_ptr: npt.NDArray[np.int64]
    node: Ints
    cost: Floats
    other: Floats


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


def within(
    network: StreetNetwork,
    targets: Access,
    origins: Access,
    *,
    by: str = "minutes",
    limit: float,
    executor: Any = None,
) -> Within:
    """Every target within a limit of each origin, with the distance that `nearest` measures.

    One bounded search from each origin, or from each target where these are fewer; the memory is that of the pairs
    found.

    Parameters
    ----------
    network, targets, origins, by
        As for `nearest`.
    limit
        In the measure of `by`.
    executor
        Anything with a `map`; None for threads. The result is the same.

    Raises
    ------
    OptionError
        When `by` is unknown or `limit` not a number of 0 or more.
    """
    _check(by, limit, 1)
    if not np.isfinite(limit):
        raise OptionError(f"limit={limit!r} must be a number; with None, use nearest")
    from_targets = len(targets) < len(origins)
    away, home = (origins, targets) if from_targets else (targets, origins)
    there = touch_nodes(network, away, by, leaving=from_targets)
    here = touch_nodes(network, home, by, leaving=not from_targets)
    shared = shared_edges(network, targets, origins, by)
    row, place = (shared.target, shared.origin) if from_targets else (shared.origin, shared.target)
    near_ptr, order = _grouped(row, len(home))
    direct = [values[order] for values in (place, shared.cost, shared.other)]
    at_ptr, order = _grouped(there.node, network.graph.n_nodes)
    at = Touch(at_ptr, there.owner[order], there.cost[order], there.other[order])
    arcs, bound = _arcs(network, by, inwards=from_targets), _bound(by, limit)
    tasks = []
    for first, last in _parts(len(home)):
        rows = slice(near_ptr[first], near_ptr[last])
        near = (near_ptr[first : last + 1] - near_ptr[first], *(values[rows] for values in direct))
        tasks.append((arcs, _part_of(here, first, last), bound, at, near, len(away)))
    ptr, found, cost, other = _joined(map_tasks(_search_places, tasks, executor))
    searched = np.repeat(np.arange(len(home), dtype=np.int32), np.diff(ptr))
    origin, target = (found, searched) if from_targets else (searched, found)
    if not from_targets:
        _, order = _grouped(target, len(targets))
        origin, target, cost, other = origin[order], target[order], cost[order], other[order]
    ptr, order = _grouped(origin, len(origins))
    return Within(ptr, target[order], *_as_told(by, cost[order], other[order]))


def nodes_within(
    network: StreetNetwork,
    origins: Access | npt.NDArray[np.integer],
    *,
    by: str = "minutes",
    limit: float,
    executor: Any = None,
) -> NodesWithin:
    """Every node within a limit of each origin, by one bounded search each.

    Parameters
    ----------
    network, by
        As for `nearest`.
    origins
        Places, or numbers of nodes.
    limit
        In the measure of `by`.
    executor
        Anything with a `map`; None for threads. The result is the same.

    Raises
    ------
    OptionError
        When `by` is unknown or `limit` not a number of 0 or more.
    """
    _check(by, limit, 1)
    if isinstance(origins, Access):
        here = touch_nodes(network, origins, by, leaving=True)
    else:
        nodes = np.asarray(origins).astype(np.int32)
        here = Touch(np.arange(len(nodes) + 1), nodes, np.zeros(len(nodes)), np.zeros(len(nodes)))
    arcs, bound = _arcs(network, by, inwards=False), _bound(by, limit)
    tasks = [(arcs, _part_of(here, first, last), bound) for first, last in _parts(len(here.ptr) - 1)]
    ptr, node, cost, other = _joined(map_tasks(_search_nodes, tasks, executor))
    return NodesWithin(ptr, node, *_as_told(by, cost, other))


def _search_places(task: Any) -> tuple[Any, ...]:
    """One part of `within`; a function of one argument at the top of a file, so that any executor can carry it."""
    from gridmap.network.bounded_kernel import places_within as kernel

    arcs, here, limit, at, near, count = task
    arguments: tuple[Any, ...] = (*arcs, *here, limit, *at, *near, count)
    found: tuple[Any, ...] = kernel(*arguments)
    return found


def _search_nodes(task: Any) -> tuple[Any, ...]:
    """One part of `nodes_within`."""
    from gridmap.network.bounded_kernel import nodes_within as kernel

    arcs, here, limit = task
    arguments: tuple[Any, ...] = (*arcs, *here, limit)
    found: tuple[Any, ...] = kernel(*arguments)
    return found


def _parts(count: int) -> list[tuple[int, int]]:
    """From where to where the parts of so many searches go."""
    ends = np.linspace(0, count, min(_PARTS, max(count, 1)) + 1).astype(np.int64).tolist()
    return list(pairwise(ends))


def _part_of(touch: Touch, first: int, last: int) -> Touch:
    rows = slice(touch.ptr[first], touch.ptr[last])
    return Touch(touch.ptr[first : last + 1] - touch.ptr[first], touch.node[rows], touch.cost[rows], touch.other[rows])


def _joined(parts: list[tuple[Any, ...]]) -> tuple[npt.NDArray[np.int64], Ints, Floats, Floats]:
    """What the parts found, below one another; each with a pointer, an index and two measures."""
    size = np.concatenate([np.diff(part[0]) for part in parts])
    ptr = np.zeros(len(size) + 1, dtype=np.int64)
    np.cumsum(size, out=ptr[1:])
    index, cost, other = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    return ptr, index, cost, other


def _grouped(key: Ints, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each of so many keys begins once sorted, and the order that sorts them, equal ones as they were."""
    from scipy.sparse import csr_array

    # a matrix of one column a key, whose transposition counts and does not compare
    whole = csr_array((np.arange(len(key)), key, np.array([0, len(key)])), shape=(1, max(count, 1))).tocsc()
    ptr = np.zeros(count + 1, dtype=np.int64)
    ptr[1:] = whole.indptr[1 : count + 1]
    return ptr, whole.data


def _arcs(network: StreetNetwork, by: str, *, inwards: bool) -> tuple[Any, ...]:
    """The arcs at each node, with cost and other measure of coming to it, or of leaving it."""
    arcs = network.graph.arcs
    metres, seconds = (arcs.metres_in, arcs.seconds_in) if inwards else (arcs.metres_out, arcs.seconds_out)
    return (arcs.indptr, arcs.node, *as_measures(by, metres, seconds))


def _as_told(by: str, cost: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Cost and other measure in metres and minutes."""
    return (cost / 60, other) if by == "minutes" else (cost, other / 60)


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
