"""Smaller instances with the same answer: equal demands as one, none implied, no site that another stands in for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.siting.solve.pairs import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["Merged", "implied_demands", "merge_demands", "take_demands", "take_sites", "undominated_sites"]


class Merged(NamedTuple):
    """Demands of one group that the same sites reach, as one.

    `pairs`, `weight` and `group` of the demands that are left; `member`, for each demand before, which one it is now.
    The cost of a pair is that of the first demand merged: for questions of who is reached, not of how far.
    """

    pairs: Pairs
    weight: Floats
    group: Ints
    member: Longs


def merge_demands(pairs: Pairs, weight: Floats, group: Ints | None = None) -> Merged:
    """Merge the demands of one group that the same sites reach; those that nothing reaches become one as well.

    Parameters
    ----------
    pairs
        Who reaches whom.
    weight
        (demands,); added up.
    group
        (demands,), None for a single group.
    """
    group = np.zeros(pairs.demands, dtype=np.int32) if group is None else np.asarray(group, dtype=np.int32)
    first = _first_alike(pairs, group)
    head = np.flatnonzero(first == np.arange(pairs.demands))
    member = np.searchsorted(head, first)
    total = np.bincount(member, weights=weight, minlength=len(head)).astype(np.float64)
    return Merged(take_demands(pairs, head), total, group[head], member)


def undominated_sites(pairs: Pairs, cost: Floats | None = None, kept: Bools | None = None) -> Bools:
    """Sites that are needed for a best choice, wherever reaching more demands is never worse.

    A site falls away where another one reaches all that it reaches at no higher cost; of equal sites the first stays.
    So does a site that reaches nothing.

    Parameters
    ----------
    pairs
        Who reaches whom; leave out demands that count for nothing, and fewer sites are left.
    cost
        (sites,), None where all cost the same.
    kept
        (sites,), which stay whatever they reach (because they are open anyway, say); others may fall to them.

    Returns
    -------
    ndarray
        bool (sites,).
    """
    from gridmap.siting.solve.reduce_kernel import dominated

    price = np.ones(pairs.sites) if cost is None else np.asarray(cost, dtype=np.float64)
    must = np.zeros(pairs.sites, dtype=np.bool_) if kept is None else np.asarray(kept, dtype=np.bool_)
    arguments: tuple[Any, ...] = (*pairs[:4], price, must)
    return must | ~dominated(*arguments)


def implied_demands(pairs: Pairs, must: Bools) -> Bools:
    """Demands that are covered whenever all that must be are: every site of one of those reaches them too.

    Parameters
    ----------
    pairs
        Who reaches whom.
    must
        (demands,), which have to be covered; of those with equal sites the first implies the others.

    Returns
    -------
    ndarray
        bool (demands,).
    """
    from gridmap.siting.solve.reduce_kernel import implied

    rows = np.flatnonzero(must)
    rows = rows[np.argsort(np.diff(pairs.demand_ptr)[rows], kind="stable")]
    arguments: tuple[Any, ...] = (*pairs[:4], rows)
    return implied(*arguments)


def take_demands(pairs: Pairs, rows: Longs) -> Pairs:
    """The pairs of some demands, in the order of `rows`, as demands 0, 1, 2 …; the sites stay."""
    ptr, at = _rows_of(pairs.demand_ptr, rows)
    return _paired(ptr, pairs.site[at], pairs.cost[at], pairs.sites)


def take_sites(pairs: Pairs, sites: Longs) -> Pairs:
    """The pairs of some sites, rising, as sites 0, 1, 2 …; the demands stay."""
    number = np.full(pairs.sites, -1, dtype=np.int32)
    number[sites] = np.arange(len(sites), dtype=np.int32)
    site = number[pairs.site]
    left = site >= 0
    before = np.concatenate(([0], np.cumsum(left)))
    return _paired(before[pairs.demand_ptr], site[left], pairs.cost[left], len(sites))


def _paired(demand_ptr: Longs, site: Ints, cost: Floats, sites: int) -> Pairs:
    """Pairs in both orders, from those in the order of demands."""
    demand = np.repeat(np.arange(len(demand_ptr) - 1, dtype=np.int32), np.diff(demand_ptr))
    site_ptr = np.concatenate(([0], np.cumsum(np.bincount(site, minlength=sites)))).astype(np.int64)
    return Pairs(site_ptr, demand[np.argsort(site, kind="stable")], demand_ptr, site, cost)


def _rows_of(ptr: Longs, rows: Longs) -> tuple[Longs, Longs]:
    """Pointer over some rows of a list of lists, and where each of their entries stands."""
    size = np.diff(ptr)[rows]
    taken = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    return taken, np.arange(taken[-1]) + np.repeat(ptr[:-1][rows] - taken[:-1], size)


def _first_alike(pairs: Pairs, group: Ints) -> Longs:
    """For each demand the first one of its group with the same sites.

    Rows are sorted by a sum of random numbers of their sites and then compared entry by entry, so that two unlike rows
    with one sum are not taken for alike.
    """
    size = np.diff(pairs.demand_ptr)
    number = np.random.default_rng(0).integers(0, 2**63, pairs.sites, dtype=np.uint64)
    before = np.concatenate((np.zeros(1, np.uint64), np.cumsum(number[pairs.site], dtype=np.uint64)))
    total = before[pairs.demand_ptr[1:]] - before[pairs.demand_ptr[:-1]]
    order = np.lexsort((np.arange(len(size)), total, size, group))
    starts = np.ones(len(size), dtype=np.bool_)
    starts[1:] = np.any([np.diff(key[order]) != 0 for key in (group, size, total)], axis=0)
    first = np.empty(len(size), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(size)), 0))]
    _, there = _rows_of(pairs.demand_ptr, first)
    unlike = np.flatnonzero(pairs.site != pairs.site[there])
    lone = np.searchsorted(pairs.demand_ptr, unlike, side="right") - 1
    first[lone] = lone
    return first
