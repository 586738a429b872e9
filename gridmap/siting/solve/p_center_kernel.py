"""Compiled: covers within a radius, found and ruled out quickly, for the p-center."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

__all__ = ["count_within", "farthest_first", "open_within", "packing"]


@compiled
def farthest_first(
    demand_ptr: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    cost_there: np.ndarray,
    way: np.ndarray,
    price: np.ndarray,
    spare: float,
    chosen: np.ndarray,
) -> float:
    """Open the site nearest to the demand that is farthest off, as long as one can be paid; what is farthest then.

    T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38, 1985.

    Parameters
    ----------
    demand_ptr, site, cost
        Pairs by demand; `cost` (pairs,).
    site_ptr, demand, cost_there
        The same by site.
    way
        (demands,), what each costs with what is open, which is changed; minus infinity where it does not count.
    price, spare
        (sites,), and what may be spent.
    chosen
        bool (sites,), which is changed.
    """
    while True:
        d = np.argmax(way)
        best, least = -1, way[d]
        for i in range(demand_ptr[d], demand_ptr[d + 1]):
            s = site[i]
            if not chosen[s] and price[s] <= spare and cost[i] < least:
                best, least = s, cost[i]
        if best < 0:
            return float(way[d])
        chosen[best] = True
        spare -= price[best]
        for i in range(site_ptr[best], site_ptr[best + 1]):
            way[demand[i]] = min(way[demand[i]], cost_there[i])


@compiled
def count_within(radius: float, demand_ptr: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """How many pairs of each demand cost no more than a radius: int64 (demands,)."""
    out = np.zeros(len(demand_ptr) - 1, np.int64)
    for d in range(len(out)):
        for i in range(demand_ptr[d], demand_ptr[d + 1]):
            if cost[i] <= radius:
                out[d] += 1
    return out


@compiled
def open_within(
    radius: float,
    order: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    cost_there: np.ndarray,
    open_yet: np.ndarray,
    price: np.ndarray,
    spare: float,
    chosen: np.ndarray,
) -> bool:
    """Open sites until every demand is within a radius; whether what may be spent was enough.

    Parameters
    ----------
    radius, order
        How far, and the demands in the order in which they are looked at: those with the fewest sites first.
    demand_ptr, site, cost, site_ptr, demand, cost_there, price, spare
        As for `farthest_first`.
    open_yet
        bool (demands,): those that no open site is within reach of, which is changed.
    chosen
        bool (sites,), which is changed.
    """
    for d in order:
        if not open_yet[d]:
            continue
        best, most = -1, 0
        for i in range(demand_ptr[d], demand_ptr[d + 1]):
            s = site[i]
            if cost[i] > radius or price[s] > spare:
                continue
            gain = 0
            for k in range(site_ptr[s], site_ptr[s + 1]):
                if cost_there[k] <= radius and open_yet[demand[k]]:
                    gain += 1
            if gain > most:
                best, most = s, gain
        if best < 0:
            return False
        chosen[best] = True
        spare -= price[best]
        for k in range(site_ptr[best], site_ptr[best + 1]):
            if cost_there[k] <= radius:
                open_yet[demand[k]] = False
    return True


@compiled
def packing(
    radius: float, order: np.ndarray, demand_ptr: np.ndarray, site: np.ndarray, cost: np.ndarray, price: np.ndarray
) -> float:
    """What no cover within a radius costs less than: demands that share no site need one each.

    Parameters
    ----------
    radius, order
        How far, and the demands that need a site, in the order in which they are looked at.
    demand_ptr, site, cost, price
        As for `farthest_first`.
    """
    blocked = np.zeros(len(price), np.bool_)
    total = 0.0
    for d in order:
        least, free = np.inf, True
        for i in range(demand_ptr[d], demand_ptr[d + 1]):
            if cost[i] <= radius:
                if blocked[site[i]]:
                    free = False
                    break
                least = min(least, price[site[i]])
        if free:
            total += least
            for i in range(demand_ptr[d], demand_ptr[d + 1]):
                if cost[i] <= radius:
                    blocked[site[i]] = True
    return total
