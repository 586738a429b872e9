"""Search for sites with limited room, with a bound on what any others could be worth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.siting.solve.room_model import assigned
from gridmap.siting.solve.saving_search import Bound, bound_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.room_model import Task
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["cheap_choice", "cost_bound", "valuable_choice"]

# Effort: looks at the multipliers and their steps each, exchanges tried, rounds of refilling, halvings of a budget.
_LOOKS, _STEPS, _TRIALS, _ROUNDS, _HALVINGS = 8, 50, 400, 10, 16
# How many sites, of those that serve least, each other one is tried for.
_WORST = 4
_SHORT, _ROUNDING = 1e-5, 1e-9


def valuable_choice(task: Task, means: Spending) -> tuple[Bools, Bound]:
    """Sites that serve much value, and a bound.

    Greedily first; then the best sites at the multipliers of a Lagrangian bound are tried; then exchanges, of the sites
    that serve least value for their cost against those that are worth most at the bound.
    """
    chosen, _ = _greedy(task, means, np.inf)
    most = float(task.value @ assigned(task, chosen))
    chosen, most, bound, worth = _bounded(task, means, chosen, most)
    if bound.value > most * (1 + _ROUNDING):
        other = _swapped(task, means, chosen, worth)
        if task.value @ assigned(task, other) > most:
            chosen = other
    return chosen, bound


def cheap_choice(task: Task, means: Spending, needed: float) -> Bools:
    """Sites that serve what is needed, all sites doing so: greedily, and then without those that can be spared."""
    _, order = _greedy(task, means, needed)
    rest = np.setdiff1d(np.flatnonzero(~means.fixed), order)
    order = np.concatenate((order, rest[np.argsort(means.cost[rest], kind="stable")]))
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if assigned(task, _with(means.fixed, order[:middle])).sum() >= needed:
            high = middle
        else:
            low = middle + 1
    chosen = _with(means.fixed, order[:low])
    for site in sorted(order[:low], key=lambda s: -means.cost[s]):
        chosen[site] = False
        if assigned(task, chosen).sum() < needed:
            chosen[site] = True
    return chosen


def cost_bound(task: Task, means: Spending, needed: float) -> float:
    """A cost below which no choice serves what is needed: a budget for which the bound of what is served is too low."""
    low, high = float(means.cost[means.fixed].sum()), means.budget
    whole = bool(np.all(means.cost == np.round(means.cost)))
    for _ in range(_HALVINGS):
        if high - low <= (1.0 if whole else _ROUNDING * high):
            break
        middle = np.floor((low + high) / 2) if whole else (low + high) / 2
        bound = _bounded(task, means._replace(budget=float(middle)), means.fixed, 0.0, enough=needed)[2]
        if bound.value < needed * (1 - _ROUNDING):
            low = float(middle)
        else:
            high = float(middle)
    if low <= means.cost[means.fixed].sum():
        return float(low)
    return low + 1.0 if whole else low


def _bounded(
    task: Task, means: Spending, chosen: Bools, most: float, *, enough: float | None = None
) -> tuple[Bools, float, Bound, Floats]:
    """A Lagrangian bound, what was found better on the way, and what each site is worth there.

    With `enough` only until the bound is below that.
    """
    from gridmap.siting.solve.saving_kernel import multipliers

    pairs, saving = task.pairs, task.value * task.weight[task.demand]
    there = saving[np.argsort(pairs.site, kind="stable")]
    price, step, lowest = np.zeros(pairs.demands), 0.5, np.inf
    worth = share = np.zeros(pairs.sites)
    goal = most if enough is None else enough * (1 - 2 * _ROUNDING)
    for _ in range(_LOOKS):
        value, price, here, part, step = multipliers(
            pairs.site_ptr, pairs.demand, there, task.weight, task.room, means.cost, means.budget, means.fixed,
            goal, price, np.zeros(pairs.demands), step, _STEPS,
        )  # fmt: skip
        if value < lowest:
            lowest, worth, share = value, here, part
        if step < _SHORT or lowest <= goal * (1 + _ROUNDING):
            break
        other = means.fixed | (part >= 1)
        if enough is None and means.allows(other) and (other != chosen).any():
            better = float(task.value @ assigned(task, other))
            if better > most * (1 + _ROUNDING):
                chosen, most, goal = other, better, better
    return chosen, most, bound_at(max(lowest, most), worth, share, means), worth


def _greedy(task: Task, means: Spending, goal: float) -> tuple[Bools, Longs]:
    """Sites opened greedily, and those in their order."""
    from gridmap.siting.solve.room_kernel import fill_greedily

    chosen, order = means.fixed.copy(), np.zeros(task.pairs.sites, dtype=np.int64)
    count = fill_greedily(chosen, order, means.cost, means.budget, goal, *_state(task))
    return chosen, order[:count]


def _swapped(task: Task, means: Spending, chosen: Bools, worth: Floats) -> Bools:
    """Exchange a site for another while the sites, filled directly, serve more value."""
    (most, each), tried = _settled(task, chosen), 0
    candidates = np.argsort(-worth / np.maximum(means.cost, 1e-12), kind="stable")
    improved = True
    while improved:
        improved = False
        loose = np.flatnonzero(chosen & ~means.fixed)
        least = loose[np.argsort(each[loose] / np.maximum(means.cost[loose], 1e-12), kind="stable")][:_WORST]
        for site, out in itertools.product(candidates[~chosen[candidates]], least):
            other = chosen.copy()
            other[site], other[out] = True, False
            if tried >= _TRIALS or not means.allows(other):
                continue
            tried += 1
            better, parts = _settled(task, other)
            if better > most * (1 + _ROUNDING):
                chosen, most, each, improved = other, better, parts, True
                break
    return chosen


def _settled(task: Task, chosen: Bools) -> tuple[float, Floats]:
    """What these sites serve at least, filled directly, one after the other; in all, and each of them."""
    from gridmap.siting.solve.room_kernel import settle

    state = _state(task)
    arguments: tuple[Any, ...] = (chosen, *state, _ROUNDS)
    total = settle(*arguments)
    return total, np.bincount(task.pairs.site, state[-1] * task.value, task.pairs.sites).astype(np.float64)


def _state(task: Task) -> tuple[Any, ...]:
    """The arguments of the kernels for nothing served as yet."""
    pairs = task.pairs
    pair = np.argsort(pairs.site, kind="stable")
    return (
        pairs.site_ptr, pairs.demand, pair, task.value, pairs.demand_ptr, pairs.site,
        task.room.copy(), task.weight.copy(), np.zeros(len(task.value)),
    )  # fmt: skip


def _with(fixed: Bools, sites: Longs) -> Bools:
    chosen = fixed.copy()
    chosen[sites] = True
    return chosen
