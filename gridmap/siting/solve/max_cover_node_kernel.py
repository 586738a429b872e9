"""Compiled: what a node of the exact search learns, and the group of sites it is split on.

A node is the sites that are open and closed in it, and groups of sites of which at least one must open. It is split on
a group of sites that reach much the same, of which the relaxation opens about half a one: none of them is open, or at
least one is. Relaxations spread a facility over neighbours; so split, both sides lose, where a single site would leave
one side as it was.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled
from gridmap.siting.solve.max_cover_bound_kernel import relax, settle
from gridmap.siting.solve.max_cover_kernel import covered_weight


@compiled
def compact(
    state: np.ndarray,
    group_ptr: np.ndarray,
    group_site: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    demands: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What is still open to choice: free sites, demands that they reach and no open site does, groups not yet served.

    Returns
    -------
    tuple
        Free sites; demands; groups; pointers and rows of the free sites, the groups after the demands.
    """
    sites = len(site_ptr) - 1
    place = np.full(demands, -1, np.int64)
    for s in range(sites):
        if state[s] == 1:
            for i in range(site_ptr[s], site_ptr[s + 1]):
                place[demand[i]] = -2
    free = np.flatnonzero(state == 0)
    pairs, rows = 0, 0
    left = np.zeros(demands, np.int64)
    for f in range(len(free)):
        s = free[f]
        for i in range(site_ptr[s], site_ptr[s + 1]):
            d = int(demand[i])
            if place[d] == -1:
                place[d] = rows
                left[rows] = d
                rows += 1
            if place[d] >= 0:
                pairs += 1
    groups, asked = np.zeros(len(group_ptr) - 1, np.int64), 0
    member = np.zeros(len(group_site), np.bool_)
    for g in range(len(group_ptr) - 1):
        served = False
        for i in range(group_ptr[g], group_ptr[g + 1]):
            served |= state[group_site[i]] == 1
        if not served:
            groups[asked] = g
            asked += 1
            for i in range(group_ptr[g], group_ptr[g + 1]):
                member[i] = state[group_site[i]] == 0
    pairs += int(np.sum(member))
    heads = np.full(sites, -1, np.int64)
    after = np.full(len(group_site), -1, np.int64)
    of = np.zeros(len(group_site), np.int64)
    for k in range(asked):
        for i in range(group_ptr[groups[k]], group_ptr[groups[k] + 1]):
            if member[i]:
                of[i] = rows + k
                after[i] = heads[group_site[i]]
                heads[group_site[i]] = i
    ptr, row = np.zeros(len(free) + 1, np.int64), np.zeros(pairs, np.int32)
    end = 0
    for f in range(len(free)):
        s = free[f]
        for i in range(site_ptr[s], site_ptr[s + 1]):
            if place[demand[i]] >= 0:
                row[end] = place[demand[i]]
                end += 1
        i = heads[s]
        while i >= 0:
            row[end] = of[i]
            end += 1
            i = after[i]
        ptr[f + 1] = end
    return free, left[:rows], groups[:asked], ptr, row


@compiled
def _group(centre: int, average: np.ndarray, place: np.ndarray, alike: np.ndarray) -> tuple[np.ndarray, float]:
    """Free sites most alike a site, so many of them that half a one is open; and how much of them is open."""
    out, count, total = np.zeros(alike.shape[1], np.int64), 0, 0.0
    for k in range(alike.shape[1]):
        if alike[centre, k] < 0:
            break
        f = place[alike[centre, k]]
        if f < 0:
            continue
        if count and total + average[f] - 0.5 > 0.5 - total:
            break
        out[count] = f
        count += 1
        total += average[f]
        if total >= 0.5:
            break
    return out[:count], total


@compiled
def _candidates(average: np.ndarray, free: np.ndarray, alike: np.ndarray, most: int) -> list[np.ndarray]:
    """Groups to try, those of which nearest to half a one is open, in the fewest sites, first; no two much the same."""
    place = np.full(alike.shape[0], -1, np.int64)
    for f in range(len(free)):
        if average[f] >= 0:
            place[free[f]] = f
    score = np.full(len(free), np.inf)
    for f in range(len(free)):
        if average[f] > 1e-3:
            group, total = _group(free[f], average, place, alike)
            score[f] = abs(total - 0.5) + 0.01 * len(group)
    out = [np.zeros(0, np.int64)]
    taken = np.zeros(len(free), np.bool_)
    for f in np.argsort(score):
        if len(out) > most or score[f] == np.inf:
            break
        group, _ = _group(free[f], average, place, alike)
        if 2 * np.sum(taken[group]) <= len(group):
            out.append(group)
            taken[group] = True
    return out[1:]


@compiled
def _open_last(state: np.ndarray, group_ptr: np.ndarray, group_site: np.ndarray) -> bool:
    """Open the site that alone is left to a group; False where none is left to one."""
    for g in range(len(group_ptr) - 1):
        served, count, last = False, 0, -1
        for i in range(group_ptr[g], group_ptr[g + 1]):
            s = group_site[i]
            served |= state[s] == 1
            if state[s] == 0:
                count += 1
                last = s
        if not served and count == 0:
            return False
        if not served and count == 1:
            state[last] = 1
    return True


@compiled
def _asked_already(
    trial: np.ndarray, groups: np.ndarray, group_ptr: np.ndarray, group_site: np.ndarray, state: np.ndarray
) -> bool:
    """Whether a group of the node lies in a group to try, which is then sure to have an open site."""
    inside = np.zeros(len(state), np.bool_)
    inside[trial] = True
    for g in groups:
        within = True
        for i in range(group_ptr[g], group_ptr[g + 1]):
            within &= inside[group_site[i]] or state[group_site[i]] == -1
        if within:
            return True
    return False


@compiled
def _spread(
    average: np.ndarray,
    free: np.ndarray,
    group_ptr: np.ndarray,
    group_site: np.ndarray,
    groups: np.ndarray,
    cost: np.ndarray,
    room: float,
) -> np.ndarray:
    """How far free sites may be open: as in the node before, with a whole site in each group that asks for one."""
    part = average.copy()
    for g in groups:
        total = 0.0
        for i in range(group_ptr[g], group_ptr[g + 1]):
            total += average[group_site[i]]
        if 0 < total < 1:
            for i in range(group_ptr[g], group_ptr[g + 1]):
                part[group_site[i]] /= total
    share = part[free]
    spent = np.sum(share * cost)
    if spent > 0:
        share *= room / spent
    return np.minimum(share, 1.0)


@compiled
def _enter(
    state: np.ndarray,
    group_ptr: np.ndarray,
    group_site: np.ndarray,
    room: float,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    weight: np.ndarray,
) -> tuple[bool, float, float]:
    """Settle what follows at once; whether the node can hold a choice, the room left, the weight covered already."""
    if not _open_last(state, group_ptr, group_site):
        return False, room, 0.0
    room -= np.sum(cost[state == 1])
    if room < -1e-9 * (1 + np.sum(cost[state == 1])):
        return False, room, 0.0
    for s in range(len(state)):
        if state[s] == 0 and cost[s] > room * (1 + 1e-12):
            state[s] = -1
    return True, room, covered_weight(state == 1, site_ptr, demand, weight)


@compiled
def explore(
    state: np.ndarray,
    mult: np.ndarray,
    average: np.ndarray,
    group_ptr: np.ndarray,
    group_site: np.ndarray,
    group_mult: np.ndarray,
    lower: float,
    grain: float,
    aim: float,
    steps: int,
    trial_steps: int,
    tries: int,
    lengths: tuple[float, float],
    alike: np.ndarray,
    room: float,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, np.ndarray]:
    """Bound of a node, what is settled in it, the group to split it on, and what its two sides start from.

    Parameters
    ----------
    state, mult, average
        Of each site whether it is free (0), open (1) or closed (-1), brought up to date in place; multipliers of the
        demands and shares of the sites to start from.
    group_ptr, group_site, group_mult
        Groups of which one site must open, and their multipliers.
    lower, grain
        Value that is known to be reached, and by how much a better one is better at least.
    aim
        Value towards which the subgradient steps go.
    steps, trial_steps, tries, lengths
        Subgradient steps for the node and for each side of a split; splits to try; lengths of the first and last step.
    alike
        Sites most like each one, itself first.

    Returns
    -------
    tuple
        Bound; sites of the group, none where the node is done; for the side where it is closed and that where one of it
        opens: bounds, multipliers, shares, and multipliers of the groups, the new one last; value of the best choice
        met, and that choice.
    """
    none, enough, choice = np.zeros(0, np.int64), lower + grain, state == 1
    bounds, mults, averages = np.full(2, -np.inf), np.zeros((2, len(weight))), np.zeros((2, len(cost)))
    more = np.zeros((2, len(group_mult) + 1))
    sound, room, base = _enter(state, group_ptr, group_site, room, cost, site_ptr, demand, weight)
    if not sound:
        return -np.inf, none, bounds, mults, averages, more, -1.0, choice
    choice = state == 1
    free, left, groups, ptr, row = compact(state, group_ptr, group_site, site_ptr, demand, len(weight))
    if len(free) == 0:
        return (-np.inf if len(groups) else base), none, bounds, mults, averages, more, base, choice
    part = weight[left]
    light = np.append(part, np.zeros(len(groups) + 1))
    cap = np.append(part, np.full(len(groups) + 1, np.inf))
    pull = np.append(np.ones(len(part)), np.full(len(groups) + 1, len(row) / len(free)))
    # what is stored in single precision may exceed the weight, and would then be no bound
    m = np.minimum(np.append(mult[left], group_mult[groups]), cap[:-1])
    rows, fare, barred = len(m), cost[free], np.zeros(len(free), np.bool_)
    share = _spread(average, free, group_ptr, group_site, groups, fare, room)
    bound, worth, most, taken = relax(
        light[:rows], cap[:rows], pull[:rows], m, fare, room, ptr, row, barred, aim - base, enough - base, share,
        steps, lengths[0], lengths[1],
    )  # fmt: skip
    choice[free] = taken
    if bound + base < enough:
        return bound + base, none, bounds, mults, averages, more, most + base, choice
    settled = settle(bound, enough - base, worth, fare, room, barred)
    state[free] = settled
    barred = settled == -1
    best, group = -1.0, none
    for trial in _candidates(np.where(settled == 0, share, -1.0), free, alike, tries):
        if _asked_already(free[trial], groups, group_ptr, group_site, state):
            continue
        without, some = barred.copy(), share.copy()
        without[trial], some[trial] = True, 0.0
        closed_mult = m.copy()
        closed, _, _, _ = relax(
            light[:rows], cap[:rows], pull[:rows], closed_mult, fare, room, ptr, row, without, aim - base,
            enough - base, some, trial_steps, lengths[0], lengths[1],
        )  # fmt: skip
        more_ptr, more_row = _with_row(ptr, row, trial, rows)
        other, one_mult = share.copy(), np.append(m, 0.0)
        other[trial] /= np.sum(share[trial])
        one, _, _, _ = relax(
            light, cap, pull, one_mult, fare, room, more_ptr, more_row, barred, aim - base, enough - base, other,
            trial_steps, lengths[0], lengths[1],
        )  # fmt: skip
        lost = max(bound - max(closed, enough - base), grain) * max(bound - max(one, enough - base), grain)
        if lost > best:
            best, group = lost, free[trial]
            bounds[0], bounds[1] = closed + base, one + base
            for side, now, open_share in ((0, closed_mult, some), (1, one_mult, other)):
                mults[side] = mult
                mults[side][left] = now[: len(left)]
                averages[side][free] = open_share
                more[side][groups] = now[len(left) : rows]
            more[1, -1] = one_mult[rows]
    if len(group) == 0:
        # Nothing is between open and closed, or all is asked for already: split on the free site worth most.
        rest = np.where(settled == 0, worth, -1.0)
        if np.max(rest) >= 0:
            group = free[np.argmax(rest) : np.argmax(rest) + 1]
        bounds[:] = bound + base
        for side in range(2):
            mults[side] = mult
            mults[side][left] = m[: len(left)]
            averages[side][free] = share
            more[side][groups] = m[len(left) :]
    return bound + base, group, bounds, mults, averages, more, most + base, choice


@compiled
def _with_row(ptr: np.ndarray, row: np.ndarray, members: np.ndarray, new: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of sites with one more row, which some of them reach."""
    inside = np.zeros(len(ptr) - 1, np.bool_)
    inside[members] = True
    out_ptr, out = np.zeros_like(ptr), np.zeros(len(row) + len(members), row.dtype)
    end = 0
    for f in range(len(ptr) - 1):
        for i in range(ptr[f], ptr[f + 1]):
            out[end] = row[i]
            end += 1
        if inside[f]:
            out[end] = new
            end += 1
        out_ptr[f + 1] = end
    return out_ptr, out
