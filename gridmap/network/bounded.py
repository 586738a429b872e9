"""Bounded searches: all places, or all nodes, within a limit of each place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.network.access import Access
from gridmap.network.measures import as_measures, as_told, bound_of, check_measure
from gridmap.network.orders import grouped
from gridmap.network.put_back import put_back
from gridmap.network.touch import Touch, ground_rows, shared_edges, touch_nodes
from gridmap.workers import deal, map_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["NodesWithin", "Within", "nodes_within", "within"]


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
    check_measure(by, limit)
    if not np.isfinite(limit):
        raise OptionError(f"limit={limit!r} must be a number; with None, use nearest")
    from_targets = len(targets) < len(origins)
    away, home = (origins, targets) if from_targets else (targets, origins)
    there = touch_nodes(network, away, by, leaving=from_targets)
    rows = ground_rows(network, home)
    here = touch_nodes(network, home, by, leaving=not from_targets, rows=rows)
    shared = shared_edges(network, targets, origins, by)
    row, place = (shared.target, shared.origin) if from_targets else (shared.origin, shared.target)
    near_ptr, order = grouped(np.argsort(rows).astype(np.int32)[row], len(home))
    direct = [values[order] for values in (place, shared.cost, shared.other)]
    at_ptr, order = grouped(there.node, network.graph.n_nodes)
    at = Touch(at_ptr, there.owner[order], there.cost[order], there.other[order])
    arcs, bound = _arcs(network, by, inwards=from_targets), bound_of(by, limit)
    tasks = []
    for first, last in deal(len(home)):
        part = slice(near_ptr[first], near_ptr[last])
        near = (near_ptr[first : last + 1] - near_ptr[first], *(values[part] for values in direct))
        tasks.append((arcs, _part_of(here, first, last), bound, at, near, len(away)))
    ptr, found, cost, other = _joined(map_tasks(_search_places, tasks, executor))
    searched = np.repeat(rows.astype(np.int32), np.diff(ptr))
    origin, target = (found, searched) if from_targets else (searched, found)
    _, order = grouped(target, len(targets))
    origin, target, cost, other = origin[order], target[order], cost[order], other[order]
    ptr, order = grouped(origin, len(origins))
    return Within(ptr, target[order], *as_told(by, cost[order], other[order]))


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
    check_measure(by, limit)
    if isinstance(origins, Access):
        rows = ground_rows(network, origins)
        here = touch_nodes(network, origins, by, leaving=not inwards, rows=rows)
    else:
        _, rows = grouped(np.asarray(origins).astype(np.int32), network.graph.n_nodes)
        nowhere = np.zeros(len(rows))
        here = Touch(np.arange(len(rows) + 1), np.asarray(origins).astype(np.int32)[rows], nowhere, nowhere)
    arcs, bound = _arcs(network, by, inwards=inwards), bound_of(by, limit)
    tasks = [(arcs, _part_of(here, first, last), bound) for first, last in deal(len(rows))]
    ptr, node, cost, other = put_back(rows, map_tasks(_search_nodes, tasks, executor))
    return NodesWithin(ptr, node, *as_told(by, cost, other))


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


def _arcs(network: StreetNetwork, by: str, *, inwards: bool) -> tuple[Any, ...]:
    """The arcs at each node, with cost and other measure of coming to it, or of leaving it."""
    arcs = network.graph.arcs
    metres, seconds = (arcs.metres_in, arcs.seconds_in) if inwards else (arcs.metres_out, arcs.seconds_out)
    return (arcs.indptr, arcs.node, *as_measures(by, metres, seconds))
