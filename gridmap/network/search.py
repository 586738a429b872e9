"""Search: from places, or from all nodes, to the nearest of other places over the network."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.network.measures import as_measures, as_told, bound_of, check_measure
from gridmap.network.touch import ground_rows, shared_edges, touch_arguments, touch_nodes
from gridmap.workers import deal, map_tasks

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.hierarchy import Hierarchy
    from gridmap.network.streets import StreetNetwork
    from gridmap.network.touch import Touch

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["Nearest", "NodeCosts", "nearest", "nearest_of_each_kind", "node_costs", "node_costs_of_each_kind"]

# At most so many kinds of target are searched for together: their labels share what is read of the graph.
_TOGETHER = 10
# At most about so many labels of each node are in memory at one time.
_AT_ONCE = 40


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
        Anything with a `map`, in which the sweeps over the network run; None for threads. The result is the same.

    Returns
    -------
    Nearest
        Arrays of (n_origins, kinds, k), nearest first.
    """
    check_measure(by, limit)
    if k < 1:
        raise OptionError(f"k={k!r} must be at least 1")
    seeds = touch_nodes(network, targets, by, leaving=False)
    hierarchy, bound, groups = _hierarchy(network, by), bound_of(by, limit), _column_groups(kinds, k)
    shape = (len(origins), kinds, k)
    out = Nearest(np.empty(shape, dtype=np.int32), np.empty(shape), np.empty(shape))
    found = (*as_measures(by, out.metres, out.minutes), out.target)
    legs, rows = touch_arguments(network, origins, by, leaving=True), ground_rows(network, origins)
    dealt = [rows[first:last] for first, last in deal(len(rows), 1024)]
    for some in _batches(groups, k):
        tasks = [(hierarchy, _seeds_of(seeds, kind, first, last), last - first, k) for first, last in some]
        labels = map_tasks(_sweep_kinds, tasks, executor)
        if k == 1:
            labels = [_side_by_side(labels)]
        columns = [values[:, some[0][0] : some[-1][1]] for values in found]
        map_tasks(_join_some, [(own, legs, labels, bound, columns) for own in dealt])
    _join_shared(shared_edges(network, targets, origins, by), kind, bound, found)
    np.divide(out.minutes, 60, out=out.minutes)
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
    check_measure(by, limit)
    seeds = touch_nodes(network, targets, by, leaving=False)
    hierarchy, bound, groups = _hierarchy(network, by), bound_of(by, limit), _column_groups(kinds, 1)
    tasks = [(hierarchy, _seeds_of(seeds, kind, first, last), last - first, 1) for first, last in groups]
    labels = map_tasks(_sweep_kinds, tasks, executor)
    cost, other, target = _side_by_side(labels)
    if limit is not None:
        beyond = cost > bound
        cost[beyond], other[beyond], target[beyond] = np.inf, np.inf, -1
    return NodeCosts(*as_told(by, cost, other), target)


def _sweep_kinds(task: Any) -> tuple[Floats, Floats, Ints]:
    """Labels of all nodes for some kinds, (nodes, kinds), or (nodes, k) for a single one with k of them.

    At the top of a file, so that any executor can carry it.
    """
    from gridmap.network.search_kernel import sweep, sweep_k

    hierarchy, seeds, columns, k = task
    arguments: tuple[Any, ...] = (*hierarchy, *seeds, columns) if k == 1 else (*hierarchy, *seeds[:-1], k)
    labels: tuple[Floats, Floats, Ints] = sweep(*arguments) if k == 1 else sweep_k(*arguments)
    return labels


def _side_by_side(labels: list[tuple[Any, ...]]) -> tuple[Floats, Floats, Ints]:
    """Labels of several groups of columns as those of one; the list is emptied, so that few are in memory twice."""
    if len(labels) == 1:
        return labels.pop()
    parts = [list(values) for values in zip(*labels, strict=True)]
    labels.clear()
    whole = []
    for columns in parts:
        whole.append(np.hstack(columns))
        columns.clear()
    cost, other, target = whole
    return cost, other, target


def _join_some(task: Any) -> None:
    """The best labels of some origins, put into arrays of (n_origins, kinds, k): costs, other measures, targets."""
    from gridmap.network.search_kernel import join, join_k

    rows, legs, labels, bound, out = task
    if out[0].shape[2] == 1:
        arguments: tuple[Any, ...] = (rows, *legs, *labels[0], bound, *(values[:, :, 0] for values in out))
        join(*arguments)
        return
    for column, own in enumerate(labels):
        arguments = (rows, *legs, *own, bound, *(values[:, column] for values in out))
        join_k(*arguments)


def _join_shared(shared: Any, kind: npt.NDArray[np.integer], bound: float, out: tuple[Any, ...]) -> None:
    """What the direct ways along shared edges improve."""
    from gridmap.network.search_kernel import join_direct

    arguments: tuple[Any, ...] = (*shared, kind[shared.target].astype(np.int32), bound, *out)
    join_direct(*arguments)


def _hierarchy(network: StreetNetwork, by: str) -> Hierarchy:
    return network.graph.by_minutes if by == "minutes" else network.graph.by_metres


def _column_groups(kinds: int, k: int) -> list[tuple[int, int]]:
    """From where to where the columns are searched together: a few, whose labels then lie together in memory."""
    count = kinds if k > 1 else max(-(-kinds // _TOGETHER), min(kinds, os.cpu_count() or 1), 1)
    ends = np.linspace(0, kinds, count + 1).astype(np.int64).tolist()
    return list(pairwise(ends))


def _batches(groups: list[tuple[int, int]], k: int) -> list[list[tuple[int, int]]]:
    """The groups of columns whose labels of all nodes are in memory at one time."""
    if not groups:
        return []
    width = k * max(groups[0][1] - groups[0][0], 1)
    size = max(_AT_ONCE // width, os.cpu_count() or 1)
    return [groups[first : first + size] for first in range(0, len(groups), size)]


def _seeds_of(seeds: Touch, kind: npt.NDArray[np.integer], first: int, last: int) -> tuple[Any, ...]:
    """The seeds of some kinds, as `sweep` takes them."""
    target = seeds.owner
    column = kind[target].astype(np.int32) - np.int32(first)
    own = (column >= 0) & (column < last - first)
    return seeds.node[own], seeds.cost[own], seeds.other[own], target[own], column[own]
