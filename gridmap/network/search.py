"""Search: from places to the nearest of other places, or to all within a limit, over the network."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.network.access import Access
from gridmap.network.touch import Touch, as_measures, shared_edges, touch_nodes
from gridmap.workers import deal, map_tasks, put_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gridmap.network.hierarchy import Hierarchy
    from gridmap.network.streets import StreetNetwork
    from gridmap.network.touch import SharedEdges

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = [
    "Nearest",
    "NodeCosts",
    "NodesWithin",
    "Within",
    "nearest",
    "nearest_of_each_kind",
    "node_costs",
    "node_costs_of_each_kind",
    "nodes_within",
    "within",
]

# At most so many kinds of target are searched for together: their labels share what is read of the graph.
_TOGETHER = 10

# Sums of lengths in two orders differ in their last digits; a limit must not decide by these.
_SLACK = 1e-9


class Nearest(NamedTuple):
    """The nearest targets of each origin, (n_origins, k): target index (-1 for none), metres and minutes (infinite).

    With several kinds of target (n_origins, kinds, k).
    """

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
    kind = np.zeros(len(targets), dtype=np.int32)
    found = nearest_of_each_kind(network, targets, kind, origins, kinds=1, by=by, limit=limit, k=k)
    return Nearest(found.target[:, 0], found.metres[:, 0], found.minutes[:, 0])


def nearest_of_each_kind(
    network: StreetNetwork,
    targets: Access,
    kind: npt.NDArray[np.integer],
    origins: Access,
    *,
    kinds: int,
    by: str = "minutes",
    limit: float | None = None,
    k: int = 1,
    executor: Any = None,
) -> Nearest:
    """The k nearest targets of each kind from each origin: as `nearest` for each kind, in one go.

    Parameters
    ----------
    network, targets, origins, by, limit, k
        As for `nearest`.
    kind
        Which of the `kinds` each target is of, from 0.
    kinds
        How many kinds there are, those included that no target is of.
    executor
        Anything with a `map`; None for threads. The result is the same.

    Returns
    -------
    Nearest
        Arrays of (n_origins, kinds, k), nearest first.
    """
    _check(by, limit, k)
    bound = _bound(by, limit)
    rows = _ground_rows(network, origins)
    dealt = [(network, origins, by, rows[first:last]) for first, last in deal(len(rows), 1024)]
    legs = _joined(map_tasks(_touch_some, dealt))
    shared = shared_edges(network, targets, origins, by)
    seeds = touch_nodes(network, targets, by, leaving=False)
    hierarchy = _hierarchy(network, by)
    groups = _column_groups(kinds, k)
    # threads fill one set of arrays; what goes elsewhere comes back in parts
    out = _nothing(len(origins), kinds, k) if executor is None else None
    tasks = []
    for first, last in groups:
        own, near = _seeds_of(seeds, kind, first, last), _direct_of(shared, kind, first, last)
        tasks.append((hierarchy, own, (first, last), k, rows, legs, near, bound, by, out))
    parts = map_tasks(_search_kinds, tasks, executor)
    if out is None:
        out = Nearest(*(np.concatenate(values, axis=1) for values in zip(*parts, strict=True)))
    return out


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
    kind = np.zeros(len(targets), dtype=np.int32)
    found = node_costs_of_each_kind(network, targets, kind, kinds=1, by=by, limit=limit)
    return NodeCosts(found.cost[:, 0], found.other[:, 0], found.target[:, 0])


def node_costs_of_each_kind(
    network: StreetNetwork,
    targets: Access,
    kind: npt.NDArray[np.integer],
    *,
    kinds: int,
    by: str = "minutes",
    limit: float | None = None,
    executor: Any = None,
) -> NodeCosts:
    """As `node_costs` for each kind of target, in one go; arrays of (nodes, kinds).

    Parameters
    ----------
    network, targets, kind, kinds, by, limit, executor
        As for `nearest_of_each_kind`.
    """
    _check(by, limit, 1)
    seeds = touch_nodes(network, targets, by, leaving=False)
    groups = _column_groups(kinds, 1)
    hierarchy, bound = _hierarchy(network, by), _bound(by, limit)
    tasks = [(hierarchy, _seeds_of(seeds, kind, first, last), last - first, bound, by) for first, last in groups]
    parts = map_tasks(_sweep_kinds, tasks, executor)
    return parts[0] if len(parts) == 1 else NodeCosts(*(np.hstack(values) for values in zip(*parts, strict=True)))


def _touch_some(task: Any) -> Touch:
    network, origins, by, rows = task
    return touch_nodes(network, origins, by, leaving=True, rows=rows)


def _search_kinds(task: Any) -> Nearest:
    """Some columns of `nearest_of_each_kind`; at the top of a file, so that any executor can carry it."""
    from gridmap.network.search_kernel import join, join_k, sweep, sweep_k

    hierarchy, seeds, (first, last), k, rows, legs, direct, bound, by, out = task
    if out is None:
        first, last, out = 0, last - first, _nothing(len(rows), last - first, k)
    measures = as_measures(by, out.metres, out.minutes)
    if k == 1:
        swept: tuple[Any, ...] = (*hierarchy, *seeds, last - first)
        whole = (values[:, :, 0] for values in (*measures, out.target))
        joined: tuple[Any, ...] = (rows, *legs, *sweep(*swept), *direct, bound, first, *whole)
        join(*joined)
    else:  # one column, which need not be named
        swept = (*hierarchy, *seeds[:-1], k)
        joined = (rows, *legs, *sweep_k(*swept), *direct[:-1], bound, first, *measures, out.target)
        join_k(*joined)
    out.minutes[:, first:last] /= 60
    return out


def _nothing(origins: int, kinds: int, k: int) -> Nearest:
    """Room for what is found."""
    shape = (origins, kinds, k)
    return Nearest(np.empty(shape, dtype=np.int32), np.empty(shape), np.empty(shape))


def _sweep_kinds(task: Any) -> NodeCosts:
    """Some columns of `node_costs_of_each_kind`."""
    from gridmap.network.search_kernel import sweep

    hierarchy, seeds, columns, bound, by = task
    arguments: tuple[Any, ...] = (*hierarchy, *seeds, columns)
    cost, other, target = sweep(*arguments)
    beyond = cost > bound
    cost[beyond], other[beyond], target[beyond] = np.inf, np.inf, -1
    return NodeCosts(*_as_told(by, cost, other), target)


def _hierarchy(network: StreetNetwork, by: str) -> Hierarchy:
    return network.graph.by_minutes if by == "minutes" else network.graph.by_metres


def _ground_rows(network: StreetNetwork, places: Access) -> npt.NDArray[np.int64]:
    """The places in the order of the ground, in which neighbours find in the cache what they share."""
    first = np.append(places.edge, np.int32(0))[places.owner_ptr[:-1]]
    edge = np.where(np.diff(places.owner_ptr) > 0, first, 0).astype(np.int32)
    return _grouped(edge, network.graph.n_edges)[1]


def _column_groups(kinds: int, k: int) -> list[tuple[int, int]]:
    """From where to where the columns are searched together: a few, whose labels then lie together in memory."""
    count = kinds if k > 1 else max(-(-kinds // _TOGETHER), min(kinds, os.cpu_count() or 1), 1)
    ends = np.linspace(0, kinds, count + 1).astype(np.int64).tolist()
    return list(pairwise(ends))


def _seeds_of(seeds: Touch, kind: npt.NDArray[np.integer], first: int, last: int) -> tuple[Any, ...]:
    """The seeds of some kinds, as `sweep` takes them."""
    target = seeds.owner
    column = kind[target].astype(np.int32) - np.int32(first)
    own = (column >= 0) & (column < last - first)
    return seeds.node[own], seeds.cost[own], seeds.other[own], target[own], column[own]


def _direct_of(shared: SharedEdges, kind: npt.NDArray[np.integer], first: int, last: int) -> tuple[Any, ...]:
    """The direct ways to some kinds, as `join` takes them."""
    column = kind[shared.target].astype(np.int32) - np.int32(first)
    own = (column >= 0) & (column < last - first)
    return shared.origin[own], shared.cost[own], shared.other[own], shared.target[own], column[own]


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
    rows = _ground_rows(network, home)
    here = touch_nodes(network, home, by, leaving=not from_targets, rows=rows)
    shared = shared_edges(network, targets, origins, by)
    row, place = (shared.target, shared.origin) if from_targets else (shared.origin, shared.target)
    near_ptr, order = _grouped(np.argsort(rows).astype(np.int32)[row], len(home))
    direct = [values[order] for values in (place, shared.cost, shared.other)]
    at_ptr, order = _grouped(there.node, network.graph.n_nodes)
    at = Touch(at_ptr, there.owner[order], there.cost[order], there.other[order])
    arcs, bound = _arcs(network, by, inwards=from_targets), _bound(by, limit)
    tasks = []
    for first, last in deal(len(home)):
        part = slice(near_ptr[first], near_ptr[last])
        near = (near_ptr[first : last + 1] - near_ptr[first], *(values[part] for values in direct))
        tasks.append((arcs, _part_of(here, first, last), bound, at, near, len(away)))
    ptr, found, cost, other = _joined(map_tasks(_search_places, tasks, executor))
    searched = np.repeat(rows.astype(np.int32), np.diff(ptr))
    origin, target = (found, searched) if from_targets else (searched, found)
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
    inwards: bool = False,
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
    inwards
        Whether the ways lead from the nodes to the origins; where streets are one-way this is not the same.
    executor
        Anything with a `map`; None for threads. The result is the same.

    Raises
    ------
    OptionError
        When `by` is unknown or `limit` not a number of 0 or more.
    """
    _check(by, limit, 1)
    if isinstance(origins, Access):
        rows = _ground_rows(network, origins)
        here = touch_nodes(network, origins, by, leaving=not inwards, rows=rows)
    else:
        _, rows = _grouped(np.asarray(origins).astype(np.int32), network.graph.n_nodes)
        nowhere = np.zeros(len(rows))
        here = Touch(np.arange(len(rows) + 1), np.asarray(origins).astype(np.int32)[rows], nowhere, nowhere)
    arcs, bound = _arcs(network, by, inwards=inwards), _bound(by, limit)
    tasks = [(arcs, _part_of(here, first, last), bound) for first, last in deal(len(rows))]
    ptr, node, cost, other = _joined(map_tasks(_search_nodes, tasks, executor))
    ptr, at = put_back(rows, np.diff(ptr))
    return NodesWithin(ptr, node[at], *_as_told(by, cost[at], other[at]))


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


def _part_of(touch: Touch, first: int, last: int) -> Touch:
    rows = slice(touch.ptr[first], touch.ptr[last])
    return Touch(touch.ptr[first : last + 1] - touch.ptr[first], touch.node[rows], touch.cost[rows], touch.other[rows])


def _joined(parts: Sequence[tuple[Any, ...]]) -> tuple[npt.NDArray[np.int64], Ints, Floats, Floats]:
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
