"""Compiled: choose sites that cover as much weight as a budget allows, by greedy choice and swaps.

Swaps follow Teitz and Bart (1968), each weighed as by Resende and Werneck (2004): what an open site alone covers is
kept up to date, so that the best site to give up for a new one takes one look at the new one's demand. Where no swap
helps, some are made at random and the search goes on from there (Lourenço, Martin and Stützle 2003), back to the best
when nothing came of it.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled
from gridmap.division.search.anneal_kernel import random_unit

# Swaps made at random before each new search: one to so many.
_KICK = 3
# Sites looked at in vain before a swap is given up.
_LOOKS = 50


@compiled
def greedy(
    room: float,
    per_cost: bool,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """Open the site that adds most weight, or most for its cost, until none that adds any can be paid for."""
    sites = len(site_ptr) - 1
    opened, covered = np.zeros(sites, np.bool_), np.zeros(len(weight), np.bool_)
    gain = np.zeros(sites)
    for s in range(sites):
        for i in range(site_ptr[s], site_ptr[s + 1]):
            gain[s] += weight[demand[i]]
    while True:
        best, most = -1, 0.0
        for s in range(sites):
            worth = gain[s] / cost[s] if per_cost else gain[s]
            if not opened[s] and cost[s] <= room and worth > most:
                best, most = s, worth
        if best < 0:
            return opened
        opened[best] = True
        room -= cost[best]
        for i in range(site_ptr[best], site_ptr[best + 1]):
            d = demand[i]
            if not covered[d]:
                covered[d] = True
                for k in range(demand_ptr[d], demand_ptr[d + 1]):
                    gain[site[k]] -= weight[d]


@compiled
def covered_weight(opened: np.ndarray, site_ptr: np.ndarray, demand: np.ndarray, weight: np.ndarray) -> float:
    """Weight that the open sites cover."""
    covered = np.zeros(len(weight), np.bool_)
    for s in range(len(site_ptr) - 1):
        if opened[s]:
            for i in range(site_ptr[s], site_ptr[s + 1]):
                covered[demand[i]] = True
    total = 0.0
    for d in range(len(weight)):
        if covered[d]:
            total += weight[d]
    return total


@compiled
def _open(
    s: int,
    opened: np.ndarray,
    times: np.ndarray,
    keeper: np.ndarray,
    loss: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    weight: np.ndarray,
) -> float:
    """Open a site; what it adds. `keeper` sums the open sites of a demand: where `times` is 1, it is the only one."""
    opened[s] = True
    gain = 0.0
    for i in range(site_ptr[s], site_ptr[s + 1]):
        d = demand[i]
        if times[d] == 0:
            gain += weight[d]
        elif times[d] == 1:
            loss[keeper[d]] -= weight[d]
        times[d] += 1
        keeper[d] += s
    loss[s] = gain
    return gain


@compiled
def _close(
    s: int,
    opened: np.ndarray,
    times: np.ndarray,
    keeper: np.ndarray,
    loss: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    weight: np.ndarray,
) -> float:
    """Close a site; what it takes away."""
    opened[s] = False
    lost = 0.0
    for i in range(site_ptr[s], site_ptr[s + 1]):
        d = demand[i]
        times[d] -= 1
        keeper[d] -= s
        if times[d] == 0:
            lost += weight[d]
        elif times[d] == 1:
            loss[keeper[d]] += weight[d]
    loss[s] = 0.0
    return lost


@compiled
def _mark(
    s: int,
    stale: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
) -> None:
    """Mark the sites that reach what site s reaches."""
    for i in range(site_ptr[s], site_ptr[s + 1]):
        for k in range(demand_ptr[demand[i]], demand_ptr[demand[i] + 1]):
            stale[site[k]] = True


@compiled
def _swaps(
    value: float,
    room: float,
    everywhere: bool,
    least: float,
    stale: np.ndarray,
    cost: np.ndarray,
    opened: np.ndarray,
    times: np.ndarray,
    keeper: np.ndarray,
    loss: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, float]:
    """Open sites, each for the one it best replaces or for what room there is, until none gains `least`.

    Only stale sites are looked at; a swap makes those near it stale, or all.
    """
    sites = len(site_ptr) - 1
    shared, chosen, count = np.zeros(sites), np.zeros(sites, np.int64), 0
    for s in range(sites):
        if opened[s]:
            chosen[count] = s
            count += 1
    s, idle = 0, 0
    while idle < sites:
        if stale[s] and not opened[s]:
            gain = 0.0
            for i in range(site_ptr[s], site_ptr[s + 1]):
                d = demand[i]
                if times[d] == 0:
                    gain += weight[d]
                elif times[d] == 1:
                    shared[keeper[d]] += weight[d]
            place, most = -1, gain - least
            if cost[s] <= room and most > 0:
                place = count
            for k in range(count):
                o = chosen[k]
                if cost[s] > room and loss[o] - shared[o] < most and cost[s] - cost[o] <= room:
                    place, most = k, loss[o] - shared[o]
                shared[o] = 0.0
            if place >= 0:
                if place < count:
                    o = chosen[place]
                    value -= _close(o, opened, times, keeper, loss, site_ptr, demand, weight)
                    room += cost[o]
                    _mark(o, stale, site_ptr, demand, demand_ptr, site)
                else:
                    count += 1
                value += _open(s, opened, times, keeper, loss, site_ptr, demand, weight)
                room -= cost[s]
                chosen[place] = s
                _mark(s, stale, site_ptr, demand, demand_ptr, site)
                stale |= everywhere
                idle = 0
        stale[s] = False
        s = s + 1 if s + 1 < sites else 0
        idle += 1
    return value, room


@compiled
def _near(
    s: int,
    state: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
) -> int:
    """A site taken at random that reaches a demand, taken at random, which site s reaches."""
    d = demand[site_ptr[s] + int(random_unit(state) * (site_ptr[s + 1] - site_ptr[s]))]
    return site[demand_ptr[d] + int(random_unit(state) * (demand_ptr[d + 1] - demand_ptr[d]))]


@compiled
def _kick(
    out: int,
    value: float,
    room: float,
    state: np.ndarray,
    stale: np.ndarray,
    cost: np.ndarray,
    opened: np.ndarray,
    times: np.ndarray,
    keeper: np.ndarray,
    loss: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, float]:
    """Close an open site and open one near it that can then be paid for, where such a one is met."""
    value -= _close(out, opened, times, keeper, loss, site_ptr, demand, weight)
    room += cost[out]
    _mark(out, stale, site_ptr, demand, demand_ptr, site)
    for _ in range(_LOOKS):
        s = _near(out, state, site_ptr, demand, demand_ptr, site)
        if s != out and not opened[s] and cost[s] <= room:
            value += _open(s, opened, times, keeper, loss, site_ptr, demand, weight)
            room -= cost[s]
            _mark(s, stale, site_ptr, demand, demand_ptr, site)
            break
    return value, room


@compiled
def improve(
    first: np.ndarray,
    room: float,
    kicks: int,
    seed: int,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """Better open sites than the first ones, by swaps and so many kicks.

    Parameters
    ----------
    first
        bool, open at the start; they can be paid for.
    room
        What all open sites together may cost.
    kicks, seed
        How often the search starts again from its best, changed at random; which random numbers.
    """
    sites = len(site_ptr) - 1
    opened, loss = np.zeros(sites, np.bool_), np.zeros(sites)
    times, keeper = np.zeros(len(weight), np.int32), np.zeros(len(weight), np.int64)
    state = np.full(1, 0x9E3779B97F4A7C15, np.uint64) + np.uint64(seed)
    least = 1e-9 * np.sum(weight)
    value = 0.0
    for s in range(sites):
        if first[s]:
            value += _open(s, opened, times, keeper, loss, site_ptr, demand, weight)
            room -= cost[s]
    stale = np.ones(sites, np.bool_)
    value, room = _swaps(
        value, room, True, least, stale, cost, opened, times, keeper, loss, site_ptr, demand, demand_ptr, site, weight
    )
    best, most = opened.copy(), value
    if not np.any(opened):
        return best
    for _ in range(kicks):
        # the kicks of one search are near each other: what one opens, the next may close
        chosen = np.flatnonzero(opened)
        out = chosen[int(random_unit(state) * len(chosen))]
        for _ in range(1 + int(random_unit(state) * _KICK)):
            value, room = _kick(
                out, value, room, state, stale, cost, opened, times, keeper, loss, site_ptr, demand, demand_ptr, site,
                weight,
            )  # fmt: skip
            for _ in range(_LOOKS):
                s = _near(out, state, site_ptr, demand, demand_ptr, site)
                if opened[s]:
                    break
            if not opened[s]:
                break
            out = s
        value, room = _swaps(
            value, room, False, least, stale, cost, opened, times, keeper, loss, site_ptr, demand, demand_ptr, site,
            weight,
        )  # fmt: skip
        if value > most + least:
            most = value
            best[:] = opened
        elif value < most:
            for s in range(sites):
                if opened[s] and not best[s]:
                    value -= _close(s, opened, times, keeper, loss, site_ptr, demand, weight)
                    room += cost[s]
            for s in range(sites):
                if best[s] and not opened[s]:
                    value += _open(s, opened, times, keeper, loss, site_ptr, demand, weight)
                    room -= cost[s]
    return best
