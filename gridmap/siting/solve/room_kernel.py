"""Compiled: sites with limited room, filled directly with what they serve best."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def refill(
    s: int,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    pair: np.ndarray,
    value: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    spare: np.ndarray,
    left: np.ndarray,
    flow: np.ndarray,
    dry: bool,
) -> float:
    """Give the spare room of a site to what gains most by it: demand that nobody serves, or another site serves worse.

    Parameters
    ----------
    s
        The site.
    site_ptr, demand, pair
        As in `Pairs`, with the place of each pair in the order of demands.
    value, demand_ptr, site
        What serving one unit is worth, in the order of demands, and the pairs in that order.
    spare, left, flow
        float64 (sites,), (demands,) and (pairs,): room left, weight left, and what each pair serves; changed in place.
    dry
        Change nothing.

    Returns
    -------
    float
        What is gained.
    """
    most = 0
    for i in range(site_ptr[s], site_ptr[s + 1]):
        most += 1 + demand_ptr[demand[i] + 1] - demand_ptr[demand[i]]
    gain, amount = np.empty(most), np.empty(most)
    at, source = np.empty(most, np.int64), np.empty(most, np.int64)
    count = 0
    for i in range(site_ptr[s], site_ptr[s + 1]):
        d, here = demand[i], pair[i]
        if left[d] > 0 and value[here] > 0:
            gain[count], amount[count], at[count], source[count] = value[here], left[d], i, -1
            count += 1
        for k in range(demand_ptr[d], demand_ptr[d + 1]):
            if flow[k] > 0 and value[here] > value[k] and site[k] != s:
                gain[count], amount[count], at[count], source[count] = value[here] - value[k], flow[k], i, k
                count += 1
    total, room = 0.0, spare[s]
    for j in np.argsort(-gain[:count], kind="mergesort"):
        if room <= 0:
            break
        moved = min(room, amount[j])
        total += moved * gain[j]
        room -= moved
        if dry:
            continue
        spare[s] -= moved
        flow[pair[at[j]]] += moved
        k = source[j]
        if k < 0:
            left[demand[at[j]]] -= moved
        else:
            flow[k] -= moved
            spare[site[k]] += moved
    return total


@compiled
def settle(
    chosen: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    pair: np.ndarray,
    value: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    spare: np.ndarray,
    left: np.ndarray,
    flow: np.ndarray,
    rounds: int,
) -> float:
    """Refill all chosen sites in turn until nothing is gained; the arguments are those of `refill`."""
    total = 0.0
    for _ in range(rounds):
        gained = 0.0
        for s in range(len(chosen)):
            if chosen[s] and spare[s] > 0:
                gained += refill(s, site_ptr, demand, pair, value, demand_ptr, site, spare, left, flow, False)
        total += gained
        if gained <= 1e-9 * total:
            break
    return total


@compiled
def fill_greedily(
    chosen: np.ndarray,
    order: np.ndarray,
    cost: np.ndarray,
    budget: float,
    goal: float,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    pair: np.ndarray,
    value: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    spare: np.ndarray,
    left: np.ndarray,
    flow: np.ndarray,
) -> int:
    """Open the site that gains most for its cost, as long as one can be paid, gains anything, and the goal is not met.

    Parameters
    ----------
    chosen, order
        bool (sites,) and int64 (sites,): what is open, and written, the sites opened, in their order.
    cost, budget, goal
        float64 (sites,); what may be spent; the sum of gains at which to stop.

    Returns
    -------
    int
        How many were opened. The other arguments are those of `refill`.
    """
    sites = len(chosen)
    gain, known = np.full(sites, np.inf), np.zeros(sites, np.int64)
    spent, met, count = 0.0, 0.0, 0
    for s in range(sites):
        if chosen[s]:
            spent += cost[s]
    met = settle(chosen, site_ptr, demand, pair, value, demand_ptr, site, spare, left, flow, 20)
    while met < goal:
        top, most = -1, 0.0
        for s in range(sites):
            if not chosen[s] and gain[s] > 0 and spent + cost[s] <= budget:
                worth = gain[s] / max(cost[s], 1e-12)
                if worth > most:
                    top, most = s, worth
        if top < 0:
            break
        if known[top] < count + 1:
            gain[top] = refill(top, site_ptr, demand, pair, value, demand_ptr, site, spare, left, flow, True)
            known[top] = count + 1
            continue
        chosen[top] = True
        order[count] = top
        count += 1
        spent += cost[top]
        met += refill(top, site_ptr, demand, pair, value, demand_ptr, site, spare, left, flow, False)
        met += settle(chosen, site_ptr, demand, pair, value, demand_ptr, site, spare, left, flow, 3)
    return count
