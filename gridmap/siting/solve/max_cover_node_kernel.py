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

# Lengths of the first step at the root and below it, where the multipliers are good already.
_ROOT_SCALE = 0.1
_SCALE = 0.03
# Steps to find out what a split is worth.
_TRIAL_STEPS = 12


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
def explore(
    state: np.ndarray,
    mult: np.ndarray,
    group_ptr: np.ndarray,
    group_site: np.ndarray,
    group_mult: np.ndarray,
    lower: float,
    grain: float,
    steps: int,
    tries: int,
    root: bool,
    alike: np.ndarray,
    room: float,
    cost: np.ndarray,
    site_ptr: np.ndarray,
    demand: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, np.ndarray, float, float, np.ndarray]:
    """Bound of a node, what is settled in it, and the group to split it on.

    `state` (0 free, 1 open, -1 closed), `mult` and `group_mult` are brought up to date in place.

    Returns
    -------
    tuple
        Bound; sites of the group, none where the node is done; first multiplier of that group where one of it opens;
        value of the best choice met, and that choice.
    """
    sites, demands = len(site_ptr) - 1, len(weight)
    none = np.zeros(0, np.int64)
    enough = lower + grain
    if not _open_last(state, group_ptr, group_site):
        return -np.inf, none, 0.0, -1.0, state == 1
    base, opened = 0.0, np.zeros(demands, np.bool_)
    for s in range(sites):
        if state[s] == 1:
            room -= cost[s]
            for i in range(site_ptr[s], site_ptr[s + 1]):
                if not opened[demand[i]]:
                    base += weight[demand[i]]
                    opened[demand[i]] = True
    choice = state == 1
    if room < -1e-9 * (1 + abs(room)):
        return -np.inf, none, 0.0, -1.0, choice
    for s in range(sites):
        if state[s] == 0 and cost[s] > room * (1 + 1e-12):
            state[s] = -1
    free, left, groups, ptr, row = compact(state, group_ptr, group_site, site_ptr, demand, demands)
    asked = len(groups)
    if len(free) == 0:
        return (-np.inf if asked else base), none, 0.0, base, choice
    rows = len(left) + asked
    light, cap, pull, m = np.zeros(rows), np.full(rows, np.inf), np.ones(rows), np.zeros(rows)
    for d in range(len(left)):
        light[d] = weight[left[d]]
        cap[d] = light[d]
        m[d] = mult[left[d]]
    pull[len(left) :] = len(row) / len(free)
    for g in range(asked):
        m[len(left) + g] = group_mult[groups[g]]
    fare, barred = cost[free], np.zeros(len(free), np.bool_)
    bound, worth, average, most, taken = relax(
        light,
        cap,
        pull,
        m,
        fare,
        room,
        ptr,
        row,
        barred,
        lower - base,
        enough - base,
        steps,
        _ROOT_SCALE if root else _SCALE,
    )
    bound += base
    for d in range(len(left)):
        mult[left[d]] = m[d]
    for g in range(asked):
        group_mult[groups[g]] = m[len(left) + g]
    for f in range(len(free)):
        choice[free[f]] = taken[f]
    if bound < enough:
        return bound, none, 0.0, most + base, choice
    settled = settle(bound - base, enough - base, worth, fare, room, barred)
    for f in range(len(free)):
        state[free[f]] = settled[f]
        if settled[f] == -1:
            barred[f] = True
    best, group, start = -1.0, none, 0.0
    for trial in _candidates(np.where(settled == 0, average, -1.0), free, alike, tries):
        if _asked_already(free[trial], groups, group_ptr, group_site, state):
            continue
        down = barred.copy()
        down[trial] = True
        closed = (
            relax(
                light,
                cap,
                pull,
                m.copy(),
                fare,
                room,
                ptr,
                row,
                down,
                lower - base,
                enough - base,
                _TRIAL_STEPS,
                _SCALE,
            )[0]
            + base
        )
        up_ptr, up_row = _with_row(ptr, row, trial, rows)
        more = np.append(m, 0.0)
        one = (
            relax(
                np.append(light, 0.0),
                np.append(cap, np.inf),
                np.append(pull, pull[rows - 1] if asked else len(row) / len(free)),
                more,
                fare,
                room,
                up_ptr,
                up_row,
                barred,
                lower - base,
                enough - base,
                _TRIAL_STEPS,
                _SCALE,
            )[0]
            + base
        )
        a, b = max(bound - max(closed, enough), 1e-6 * grain), max(bound - max(one, enough), 1e-6 * grain)
        if a * b > best:
            best, group, start = a * b, free[trial], more[rows]
    if len(group) == 0:
        # nothing is between open and closed: split on the free site worth most
        top = -1.0
        for f in range(len(free)):
            if settled[f] == 0 and worth[f] > top:
                top = worth[f]
                group = free[f : f + 1]
    return bound, group, start, most + base, choice


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
