"""Compiled: cheap sites that cover enough weight of each group, by greedy choice and then by exchange."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

_EVEN = 1e-12


@compiled
def cheap_cover(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray,
    needed: np.ndarray,
    cost: np.ndarray,
    goal: float,
    steps: int,
) -> np.ndarray:
    """Sites that cover what is needed, at a low cost.

    The greedy choice opens the site that covers most of what is missing for its cost. From there on, whenever enough is
    covered the site that matters least for its cost is closed; when too little is, sites are exchanged one by one. What
    has just been opened or closed stays so for some steps; of equal ones the site that stayed as it is longest.

    Parameters
    ----------
    site_ptr, demand, demand_ptr, site
        As in `Pairs`.
    weight, group
        float64 and int32 (demands,).
    needed
        float64 (groups,), weight to cover; all sites together cover as much.
    cost
        float64 (sites,), above 0.
    goal
        A cost at which the search may end, because none is lower.
    steps
        How many sites are opened and closed after the greedy choice.

    Returns
    -------
    ndarray
        bool (sites,).
    """
    sites, groups = len(site_ptr) - 1, len(needed)
    chosen, best = np.zeros(sites, np.bool_), np.ones(sites, np.bool_)
    # how many chosen sites reach each demand, and the sum of their numbers: of a single one it is the number
    times, holders = np.zeros(len(weight), np.int32), np.zeros(len(weight), np.int64)
    # what opening a closed site would win, and closing an open one would lose
    matters = np.zeros((sites, groups))
    for d in range(len(weight)):
        for i in range(demand_ptr[d], demand_ptr[d + 1]):
            matters[site[i], group[d]] += weight[d]
    missing, scale = needed.copy(), np.maximum(needed, _EVEN)
    changed, stays = np.full(sites, -1, np.int64), np.zeros(sites, np.int64)
    lowest, total = np.inf, 0.0
    step = 0
    while step < steps:
        enough = (missing <= 0).all()
        if enough and total < lowest - _EVEN:
            best[:], lowest = chosen, total
            if lowest <= goal + _EVEN:
                break
        greedy = lowest == np.inf
        step += 0 if greedy else 1
        pick, worth = -1, 0.0
        if not enough:
            for s in range(sites):
                if chosen[s] or stays[s] > step or not total + cost[s] < lowest - _EVEN:
                    continue
                gain = 0.0
                for g in range(groups):
                    if missing[g] > 0:
                        gain += min(matters[s, g], missing[g]) / scale[g]
                gain /= cost[s]
                if gain > worth + _EVEN or (pick >= 0 and gain > worth - _EVEN and changed[s] < changed[pick]):
                    pick, worth = s, gain
        if pick >= 0:
            total += cost[pick]
            stays[pick] = step + 2 + step % 5
        else:
            worth = np.inf
            for s in range(sites):
                if not chosen[s] or stays[s] > step:
                    continue
                loss = 0.0
                for g in range(groups):
                    loss += max(matters[s, g] + min(missing[g], 0.0), 0.0) / scale[g]
                loss /= cost[s]
                if loss < worth - _EVEN or (pick >= 0 and loss < worth + _EVEN and changed[s] < changed[pick]):
                    pick, worth = s, loss
            if pick < 0:
                if greedy:
                    break
                continue
            total -= cost[pick]
            stays[pick] = step + 4 + step % 11
        changed[pick] = step
        _turn(pick, chosen, site_ptr, demand, demand_ptr, site, weight, group, times, holders, matters, missing)
    return best


@compiled
def _turn(
    turned: int,
    chosen: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray,
    times: np.ndarray,
    holders: np.ndarray,
    matters: np.ndarray,
    missing: np.ndarray,
) -> None:
    """Open a closed site, or close an open one, and keep what depends on it."""
    sign = -1 if chosen[turned] else 1
    chosen[turned] = not chosen[turned]
    for i in range(site_ptr[turned], site_ptr[turned + 1]):
        d = demand[i]
        before = times[d]
        times[d] += sign
        if before == 0 or times[d] == 0:
            # its first site, or no more: for the others there is less to win here, or more
            missing[group[d]] -= sign * weight[d]
            for j in range(demand_ptr[d], demand_ptr[d + 1]):
                if site[j] != turned:
                    matters[site[j], group[d]] -= sign * weight[d]
        if sign == 1 and before == 1:
            matters[holders[d], group[d]] -= weight[d]
        holders[d] += sign * turned
        if sign == -1 and times[d] == 1:
            matters[holders[d], group[d]] += weight[d]
