"""Pairs: which demand each site reaches, as index lists both ways, and what a choice among the sites is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.network.orders import grouped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["Choice", "Pairs", "make_pairs", "pairs_by_demand"]


class Pairs(NamedTuple):
    """Who reaches whom, within a limit; no pair twice, memory that of the pairs.

    The demand of site s is ``demand[site_ptr[s]:site_ptr[s + 1]]``, rising; the sites of demand d are
    ``site[demand_ptr[d]:demand_ptr[d + 1]]``, rising, and `cost` is that of each pair in this second order.
    """

    site_ptr: Longs
    demand: Ints
    demand_ptr: Longs
    site: Ints
    cost: Floats

    @property
    def sites(self) -> int:
        """Number of sites, those that reach nothing as well."""
        return len(self.site_ptr) - 1

    @property
    def demands(self) -> int:
        """Number of demands, those that nothing reaches as well."""
        return len(self.demand_ptr) - 1


class Choice(NamedTuple):
    """Which sites are chosen, what that is worth, and what no choice can surpass.

    `chosen` (sites,); `value` in the measure of the objective; `bound` is the proved limit of it (an upper one where
    more is better, else a lower one); `proved` when no choice is better, `bound` then being `value`; `method` says how
    it was found.
    """

    chosen: Bools
    value: float
    bound: float
    proved: bool
    method: str

    @property
    def gap(self) -> float:
        """How far the value may be from the best possible, as a share of the bound or the value, the larger one."""
        if self.value == self.bound:
            return 0.0
        if self.bound == self.value:
            return 0.0
        largest = max(abs(self.value), abs(self.bound))
        if np.isinf(largest):
            return 1.0
        return abs(self.bound - self.value) / largest


def make_pairs(demand: Longs | Ints, site: Longs | Ints, cost: Floats, demands: int, sites: int) -> Pairs:
    """Pairs in both orders; where one comes several times its least cost counts.

    Parameters
    ----------
    demand, site, cost
        One entry a pair, in any order.
    demands, sites
        How many there are of each.
    """
    order = np.lexsort((cost, site, demand))
    demand, site, cost = demand[order], site[order], cost[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (demand[1:] != demand[:-1]) | (site[1:] != site[:-1])
    demand_ptr = np.zeros(demands + 1, dtype=np.int64)
    np.cumsum(np.bincount(demand[first], minlength=demands), out=demand_ptr[1:])
    return pairs_by_demand(demand_ptr, site[first].astype(np.int32), cost[first], sites)


def pairs_by_demand(demand_ptr: Longs, site: Ints, cost: Floats, sites: int) -> Pairs:
    """Pairs that are sorted by demand and then site, each once, with their other order.

    Parameters
    ----------
    demand_ptr, site, cost
        As in `Pairs`.
    sites
        How many sites there are.
    """
    site_ptr, order = grouped(site, sites)
    demand = np.repeat(np.arange(len(demand_ptr) - 1, dtype=np.int32), np.diff(demand_ptr))
    return Pairs(site_ptr, demand[order], demand_ptr, site, cost)
