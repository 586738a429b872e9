"""Compiled: what no choice of sites can surpass, by Lagrangian relaxation.

Each row (a demand, or a group of sites of which one must open) has a multiplier; a site is worth the sum of those of
its rows, and the sites worth most for their cost are taken, the last one in part. What they are worth, with what the
multipliers leave of each weight, is an upper bound for any multipliers between 0 and the weight (Galvão and ReVelle
1996). Subgradient steps, deflected by those before them (Camerini, Fratta and Maffioli 1975), lower it.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

# Steps: the share of the former direction that stays; steps without gain until they shorten, and by how much; the
# length below which they end. Tuned on 3,000 demands and 400 sites.
_KEPT = 0.97
_PATIENCE = 10
_SHRINK = 0.7
_SHORTEST = 1e-5
# How much of the former average of what is open stays at each step.
_MEMORY = 0.9


@compiled
def take(
    worth: np.ndarray, cost: np.ndarray, room: float, barred: np.ndarray
) -> tuple[np.ndarray, float, float, float]:
    """Sites worth most for their cost, as far as the room goes.

    Returns
    -------
    tuple
        The share of each site that is taken, what they are worth, and the worth for cost of the last one taken and of
        the first one left.
    """
    share = np.zeros(len(worth))
    order = np.argsort(-worth / cost)
    total, last, left = 0.0, 0.0, 0.0
    for s in order:
        if barred[s]:
            continue
        if worth[s] <= 0:
            break
        if room <= 0:
            left = worth[s] / cost[s]
            break
        share[s] = min(1.0, room / cost[s])
        total += share[s] * worth[s]
        room -= share[s] * cost[s]
        last = worth[s] / cost[s]
        if share[s] < 1:
            return share, total, last, last
    return share, total, (last if room <= 0 else 0.0), left


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
    steps: int,
    scale: float,
) -> tuple[float, np.ndarray, np.ndarray, float, np.ndarray]:
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
    steps, scale
        Number of steps, and length of the first.

    Returns
    -------
    tuple
        Least bound; what the sites are worth there; how far each site is open on the average of the last steps; the
        most weight that sites taken on the way cover, and those sites.
    """
    rows, sites = len(weight), len(site_ptr) - 1
    best, best_worth, average = mult.copy(), np.zeros(sites), np.zeros(sites)
    best_open, most = np.zeros(sites, np.bool_), -1.0
    worth, times, direction = np.zeros(sites), np.zeros(rows), np.zeros(rows)
    least, idle = np.inf, 0
    for step in range(steps):
        value, real = 0.0, 0.0
        for d in range(rows):
            value += weight[d] - mult[d]
            times[d] = -1.0
        for s in range(sites):
            total = 0.0
            if not barred[s]:
                for i in range(site_ptr[s], site_ptr[s + 1]):
                    total += mult[row[i]]
            worth[s] = total
        share, total, _, _ = take(worth, cost, room, barred)
        value += total
        kept = _MEMORY if step else 0.0
        for s in range(sites):
            average[s] = kept * average[s] + (1 - kept) * share[s]
            if share[s] > 0:
                for i in range(site_ptr[s], site_ptr[s + 1]):
                    times[row[i]] += share[s]
        for d in range(rows):
            if times[d] > -1 + 1e-9:
                real += weight[d]
        if real > most and np.all((share == 0) | (share == 1)):
            most = real
            best_open[:] = share == 1
        idle = 0 if value < least - 1e-5 * abs(least) or step == 0 else idle + 1
        if value < least:
            least = value
            best[:] = mult
            best_worth[:] = worth
            if least < enough:
                break
        if idle >= _PATIENCE:
            scale *= _SHRINK
            idle = 0
            if scale < _SHORTEST:
                break
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
    return least, best_worth, average, most, best_open


@compiled
def settle(
    bound: float, enough: float, worth: np.ndarray, cost: np.ndarray, room: float, barred: np.ndarray
) -> np.ndarray:
    """Sites that any choice better than `enough` opens (1) or leaves (-1), by what they are worth at the bound."""
    out = np.zeros(len(worth), np.int8)
    share, _, last, left = take(worth, cost, room, barred)
    for s in range(len(worth)):
        if barred[s] or (share[s] == 0 and bound - (last * cost[s] - worth[s]) < enough):
            out[s] = -1
        elif share[s] == 1 and bound - (worth[s] - left * cost[s]) < enough:
            out[s] = 1
    return out
