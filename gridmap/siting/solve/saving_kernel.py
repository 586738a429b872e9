"""Compiled: which sites save most, where each demand is saved as much as its best chosen site saves it."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def greedy(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    saving: np.ndarray,
    cost: np.ndarray,
    budget: float,
    chosen: np.ndarray,
    best: np.ndarray,
) -> None:
    """Add the site that saves most for what it costs, as long as one fits and saves anything.

    What a site adds only falls as others are added, so that an old figure is a bound for the present one.

    Parameters
    ----------
    site_ptr, demand, saving
        As in `Pairs`, with the saving of each pair in the order of sites.
    cost, budget
        float64 (sites,), and what may be spent on all.
    chosen, best
        bool (sites,) and float64 (demands,): what is chosen and what each demand is saved; both changed in place.
    """
    sites = len(site_ptr) - 1
    gain = np.zeros(sites)
    known = np.zeros(sites, np.int64)
    spent, step = 0.0, 1
    for s in range(sites):
        if chosen[s]:
            spent += cost[s]
        gain[s] = np.inf
    while True:
        top, most = -1, 0.0
        for s in range(sites):
            if not chosen[s] and gain[s] > 0 and spent + cost[s] <= budget:
                worth = gain[s] / max(cost[s], 1e-12)
                if worth > most:
                    top, most = s, worth
        if top < 0:
            return
        if known[top] < step:
            total = 0.0
            for k in range(site_ptr[top], site_ptr[top + 1]):
                total += max(0.0, saving[k] - best[demand[k]])
            gain[top], known[top] = total, step
            continue
        chosen[top] = True
        spent += cost[top]
        step += 1
        for k in range(site_ptr[top], site_ptr[top + 1]):
            best[demand[k]] = max(best[demand[k]], saving[k])


@compiled
def _two_best(
    d: int,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    saving: np.ndarray,
    chosen: np.ndarray,
    first: np.ndarray,
    best: np.ndarray,
    second: np.ndarray,
    next_best: np.ndarray,
) -> None:
    first[d], best[d], second[d], next_best[d] = -1, 0.0, -1, 0.0
    for k in range(demand_ptr[d], demand_ptr[d + 1]):
        s = site[k]
        if chosen[s]:
            if saving[k] > best[d]:
                second[d], next_best[d] = first[d], best[d]
                first[d], best[d] = s, saving[k]
            elif saving[k] > next_best[d]:
                second[d], next_best[d] = s, saving[k]


@compiled
def interchange(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    saving: np.ndarray,
    demand_ptr: np.ndarray,
    site: np.ndarray,
    saving_here: np.ndarray,
    cost: np.ndarray,
    budget: float,
    fixed: np.ndarray,
    chosen: np.ndarray,
    passes: int,
) -> float:
    """Add a site, or put it in the place of another, as long as that saves more.

    The profit of every place that a site may take is known from one look at its demands, as in R. A. Whitaker (1983),
    INFOR 21 (2), 95-108, and M. G. C. Resende and R. F. Werneck (2007), Annals of Operations Research 150, 205-230:
    what is lost without a chosen site is kept up to date, and what a new site makes good of it is added.

    Parameters
    ----------
    site_ptr, demand, saving
        As in `Pairs`, with the saving of each pair in the order of sites.
    demand_ptr, site, saving_here
        The same in the order of demands.
    cost, budget, fixed
        float64 (sites,); what may be spent; bool (sites,), which stay.
    chosen
        bool (sites,), changed in place.
    passes
        How often to go through all sites at most.

    Returns
    -------
    float
        What is saved in all.
    """
    sites, demands = len(site_ptr) - 1, len(demand_ptr) - 1
    first, second = np.full(demands, -1, np.int32), np.full(demands, -1, np.int32)
    best, next_best = np.zeros(demands), np.zeros(demands)
    loss, regained = np.zeros(sites), np.zeros(sites)
    total, spent = 0.0, 0.0
    for s in range(sites):
        if chosen[s]:
            spent += cost[s]
    for d in range(demands):
        _two_best(d, demand_ptr, site, saving_here, chosen, first, best, second, next_best)
        total += best[d]
        if first[d] >= 0:
            loss[first[d]] += best[d] - next_best[d]
    idle, s = 0, -1
    for _ in range(passes * sites):
        s = (s + 1) % sites
        idle += 1
        if idle > sites:
            break
        if chosen[s]:
            continue
        gain = 0.0
        for k in range(site_ptr[s], site_ptr[s + 1]):
            d = demand[k]
            if saving[k] > best[d]:
                gain += saving[k] - best[d]
                if first[d] >= 0:
                    regained[first[d]] += best[d] - next_best[d]
            elif saving[k] > next_best[d]:
                regained[first[d]] += saving[k] - next_best[d]
        out, profit = -1, 1e-10 * total
        if spent + cost[s] <= budget:
            if gain > profit:
                out, profit = s, gain
        else:
            for r in range(sites):
                if chosen[r] and not fixed[r] and spent - cost[r] + cost[s] <= budget:
                    here = gain - loss[r] + regained[r]
                    if here > profit:
                        out, profit = r, here
        for k in range(site_ptr[s], site_ptr[s + 1]):
            if first[demand[k]] >= 0:
                regained[first[demand[k]]] = 0.0
        if out < 0:
            continue
        idle = 0
        total += profit
        spent += cost[s]
        chosen[s] = True
        for k in range(site_ptr[s], site_ptr[s + 1]):
            d = demand[k]
            if saving[k] > next_best[d]:
                if first[d] >= 0:
                    loss[first[d]] -= best[d] - next_best[d]
                if saving[k] > best[d]:
                    second[d], next_best[d] = first[d], best[d]
                    first[d], best[d] = s, saving[k]
                else:
                    second[d], next_best[d] = s, saving[k]
                loss[first[d]] += best[d] - next_best[d]
        if out == s:
            continue
        spent -= cost[out]
        chosen[out] = False
        for k in range(site_ptr[out], site_ptr[out + 1]):
            d = demand[k]
            if first[d] == out or second[d] == out:
                loss[first[d]] -= best[d] - next_best[d]
                _two_best(d, demand_ptr, site, saving_here, chosen, first, best, second, next_best)
                if first[d] >= 0:
                    loss[first[d]] += best[d] - next_best[d]
        loss[out] = 0.0
    return total


@compiled
def multipliers(
    site_ptr: np.ndarray,
    demand: np.ndarray,
    saving: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    cost: np.ndarray,
    budget: float,
    fixed: np.ndarray,
    known: float,
    price: np.ndarray,
    toward: np.ndarray,
    step: float,
    rounds: int,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, float]:
    """A Lagrangian bound: each demand may be served as often as it likes, for a price, and the prices are adjusted.

    At any prices, ``sum(price)`` and what the sites are worth at them, ``sum(max(0, saving - price))`` each, as many as
    the budget pays for (the last one in part), are together no less than what any choice saves. A site without room
    for all serves those, or the parts of them, that are worth most.

    Parameters
    ----------
    site_ptr, demand, saving, cost, budget, fixed
        As for `interchange`.
    weight, room
        float64 (demands,) and (sites,): room that each demand takes, and that each site has.
    known
        What the best choice known saves: the step is as long as the bound is far from it.
    price, toward
        float64 (demands,): where to start, and where the last step went; both changed in place.
    step
        How much of the distance a step is made for.
    rounds
        How many steps.

    Returns
    -------
    bound, price, worth, share, step
        The lowest bound, with the prices, the worth of each site and how much of it is taken there; the next step.
    """
    sites, demands = len(site_ptr) - 1, len(price)
    lowest, idle = np.inf, 0
    kept, kept_worth, kept_share = price.copy(), np.zeros(sites), np.zeros(sites)
    worth, share, slope = np.zeros(sites), np.zeros(sites), np.zeros(demands)
    part = np.zeros(len(demand))
    for _ in range(rounds):
        for s in range(sites):
            worth[s] = _serve(site_ptr[s], site_ptr[s + 1], demand, saving, price, weight, room[s], part)
        bound = price.sum() + _filled(worth, cost, budget, fixed, share)
        if bound < lowest - 1e-7 * abs(lowest - known):
            idle = 0
        else:
            idle += 1
        if bound < lowest:
            lowest = bound
            kept[:], kept_worth[:], kept_share[:] = price, worth, share
        if lowest <= known:
            break
        if idle >= 12:
            step, idle = step * 0.6, 0
            price[:] = kept
            toward[:] = 0.0
        slope[:] = 1.0
        for s in range(sites):
            if share[s] > 0:
                for k in range(site_ptr[s], site_ptr[s + 1]):
                    slope[demand[k]] -= share[s] * part[k]
        length = 0.0
        for d in range(demands):
            toward[d] = 0.7 * toward[d] + 0.3 * slope[d]
            if price[d] <= 0 and toward[d] > 0:
                toward[d] = 0.0
            length += toward[d] * toward[d]
        if length <= 0:
            break
        far = step * (bound - known) / length
        for d in range(demands):
            price[d] = max(0.0, price[d] - far * toward[d])
    return lowest, kept, kept_worth, kept_share, step


@compiled
def _serve(
    start: int,
    end: int,
    demand: np.ndarray,
    saving: np.ndarray,
    price: np.ndarray,
    weight: np.ndarray,
    room: float,
    part: np.ndarray,
) -> float:
    """What one site is worth at the prices; `part` says how much of the demand of each of its pairs it serves."""
    total, taken = 0.0, 0.0
    for k in range(start, end):
        more = saving[k] - price[demand[k]]
        part[k] = 1.0 if more > 0 else 0.0
        if more > 0:
            total += more
            taken += weight[demand[k]]
    if taken <= room:
        return total
    ratio = np.empty(end - start)
    for k in range(start, end):
        ratio[k - start] = -(saving[k] - price[demand[k]]) / weight[demand[k]]
        part[k] = 0.0
    total = 0.0
    for i in np.argsort(ratio, kind="mergesort"):
        size = weight[demand[start + i]]
        part[start + i] = min(1.0, room / size)
        total -= part[start + i] * size * ratio[i]
        room -= part[start + i] * size
        if room <= 0:
            break
    return total


@compiled
def _filled(worth: np.ndarray, cost: np.ndarray, budget: float, fixed: np.ndarray, share: np.ndarray) -> float:
    """Most worth that a budget pays for, the last site in part; `share` is written."""
    total, left = 0.0, budget
    ratio = np.empty(len(worth))
    for s in range(len(worth)):
        share[s] = 0.0
        if fixed[s]:
            share[s] = 1.0
            total += worth[s]
            left -= cost[s]
            ratio[s] = -1.0
        else:
            ratio[s] = worth[s] / max(cost[s], 1e-12)
    order = np.argsort(-ratio, kind="mergesort")
    for s in order:
        if fixed[s] or worth[s] <= 0:
            continue
        part = 1.0 if cost[s] <= left else max(0.0, left / cost[s])
        share[s] = part
        total += part * worth[s]
        left -= part * cost[s]
        if part < 1.0:
            break
    return total
