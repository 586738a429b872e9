"""Compiled: what no choice of sites can surpass, by Lagrangian relaxation.

Each row (a demand, or a group of sites of which one must open) has a multiplier; a site is worth the sum of those of
its rows, and the sites worth most for their cost are taken, the last one in part. What they are worth, with what the
multipliers leave of each weight, is an upper bound for any multipliers between 0 and the weight (Galvão and ReVelle
1996). Subgradient steps, deflected by those before them (Camerini, Fratta and Maffioli 1975), lower it.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

# What stays of the former direction, and of the former average of what is open, at each step.
_KEPT = 0.97
_MEMORY = 0.97


@compiled
def take(
    worth: np.ndarray, cost: np.ndarray, room: float, barred: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, float, float, float]:
    """Sites worth most for their cost, as far as the room goes; `order` is brought up to date, from nearly right.

    Returns
    -------
    tuple
        The share of each site that is taken, what they are worth, and the worth for cost of the last one taken and of
        the first one left.
    """
    rate = worth / cost
    for i in range(1, len(order)):
        s, j = order[i], i
        while j > 0 and rate[order[j - 1]] < rate[s]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = s
    share = np.zeros(len(worth))
    total, last, left = 0.0, 0.0, 0.0
    for s in order:
        if barred[s]:
            continue
        if worth[s] <= 0:
            break
        if room <= 0:
            left = rate[s]
            break
        share[s] = min(1.0, room / cost[s])
        total += share[s] * worth[s]
        room -= share[s] * cost[s]
        last = rate[s]
        if share[s] < 1:
            return share, total, last, last
    return share, total, (last if room <= 0 else 0.0), left


@compiled
def turned(ptr: np.ndarray, index: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same pairs the other way round: pointers and lists of the `count` things that the lists name."""
    out_ptr = np.zeros(count + 1, np.int64)
    for i in index:
        out_ptr[i + 1] += 1
    out_ptr = np.cumsum(out_ptr)
    place, out = out_ptr[:-1].copy(), np.zeros(len(index), np.uint32)
    for s in range(len(ptr) - 1):
        for i in range(ptr[s], ptr[s + 1]):
            out[place[index[i]]] = s
            place[index[i]] += 1
    return out_ptr, out


@compiled
def relax(
    weight: np.ndarray,
    cap: np.ndarray,
    pull: np.ndarray,
    mult: np.ndarray,
    cost: np.ndarray,
    room: float,
    site_ptr: np.ndarray,
    row: np.ndarray,
    barred: np.ndarray,
    lower: float,
    enough: float,
    average: np.ndarray,
    steps: int,
    first: float,
    last: float,
) -> tuple[float, np.ndarray, float, np.ndarray]:
    """Lower the bound by subgradient steps.

    Parameters
    ----------
    weight, cap
        Weight of each row, and the most that its multiplier may be: the weight of a demand, infinite for a group.
    pull
        How much faster than that of a demand the multiplier of the row moves.
    mult
        Multipliers to start from; those of the least bound afterwards.
    barred
        Sites that must not open.
    lower, enough
        Value that is known to be reached; bound at which the steps end.
    average
        How far each site is open, to start from; that on the average of the last steps afterwards.
    steps, first, last
        Number of steps, and the lengths of the first and the last, as shares of the way to `lower`.

    Returns
    -------
    tuple
        Least bound; what the sites are worth there; the most weight that sites taken on the way cover, and those sites.
    """
    rows, sites = len(weight), len(site_ptr) - 1
    best, best_worth = mult.copy(), np.zeros(sites)
    best_open, most = np.zeros(sites, np.bool_), -1.0
    order, before = np.arange(sites), np.zeros(rows)
    row_ptr, row_site = turned(site_ptr, row, rows)
    worth, times, direction = np.zeros(sites), np.zeros(rows), np.zeros(rows)
    least, scale, shrink = np.inf, first, (last / first) ** (1 / max(steps, 1))
    if np.any(average > 0):
        direction[:] = -1.0
        for s in range(sites):
            for i in range(site_ptr[s], site_ptr[s + 1]):
                direction[row[i]] += average[s]
    for step in range(steps):
        value, real = 0.0, 0.0
        for d in range(rows):
            value += weight[d] - mult[d]
            times[d] = -1.0
        for d in range(rows):
            change = mult[d] - before[d]
            if change != 0:
                for k in range(row_ptr[d], row_ptr[d + 1]):
                    worth[row_site[k]] += change
                before[d] = mult[d]
        if step == 0:
            order = np.argsort(-worth / cost)
        share, total, _, _ = take(worth, cost, room, barred, order)
        value += total
        for s in range(sites):
            average[s] = _MEMORY * average[s] + (1 - _MEMORY) * share[s]
            if share[s] > 0:
                for i in range(site_ptr[s], site_ptr[s + 1]):
                    times[row[i]] += share[s]
        for d in range(rows):
            if times[d] > -1 + 1e-9:
                real += weight[d]
        if real > most and np.all((share == 0) | (share == 1)):
            most = real
            best_open[:] = share == 1
        if value < least:
            least = value
            best[:] = mult
            best_worth[:] = worth
            if least < enough:
                break
        scale *= shrink
        norm = 0.0
        for d in range(rows):
            direction[d] = _KEPT * direction[d] + (1 - _KEPT) * times[d]
            if (direction[d] < 0 and mult[d] < cap[d]) or (direction[d] > 0 and mult[d] > 0):
                norm += pull[d] * direction[d] * direction[d]
        if norm == 0:
            break
        length = scale * max(value - lower, 1e-9 * abs(value)) / norm
        for d in range(rows):
            mult[d] = min(cap[d], max(0.0, mult[d] - length * pull[d] * direction[d]))
    mult[:] = best
    return least, best_worth, most, best_open


@compiled
def settle(
    bound: float, enough: float, worth: np.ndarray, cost: np.ndarray, room: float, barred: np.ndarray
) -> np.ndarray:
    """Sites that any choice better than `enough` opens (1) or leaves (-1), by what they are worth at the bound."""
    out = np.zeros(len(worth), np.int8)
    share, _, last, left = take(worth, cost, room, barred, np.argsort(-worth / cost))
    for s in range(len(worth)):
        if barred[s] or (share[s] == 0 and bound - (last * cost[s] - worth[s]) < enough):
            out[s] = -1
        elif share[s] == 1 and bound - (worth[s] - left * cost[s]) < enough:
            out[s] = 1
    return out
