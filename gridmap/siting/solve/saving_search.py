"""Search for the sites that save most, with a bound on what any others could save.

Each demand is saved as much as the chosen site that saves it most. With ``saving = weight * (limit - cost)`` that is
the p-median with costs cut off at a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.siting.solve.pairs import make_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Bound", "Savings", "bound_at", "exchange", "filled", "saved", "savings_of", "search"]

# Effort: random starts before and after the bound, looks at the multipliers and their steps each, passes of exchanges.
_FIRST_SHAKES, _SHAKES, _LOOKS, _STEPS, _PASSES = 8, 12, 12, 50, 100
# Share of the chosen sites that a random start exchanges, and the share of the distance that is too short a step.
_SHAKEN, _SHORT = 8, 1e-5
_ROUNDING = 1e-9


class Savings(NamedTuple):
    """Pairs that save anything, with what they save: `here` in the order of demands, `there` in the order of sites."""

    pairs: Pairs
    here: Floats
    there: Floats


class Bound(NamedTuple):
    """No choice saves more than `value`; none with a site more than that less `less_in`; none without, `less_out`."""

    value: float
    less_in: Floats
    less_out: Floats

    def undecided(self, known: float, means: Spending) -> tuple[Bools, Bools]:
        """Which sites may, and which have to be in a choice that saves more than is known; those that must not go."""
        sure = means.fixed | (self.value - self.less_out <= known)
        return ~sure & (self.value - self.less_in > known), sure


def savings_of(pairs: Pairs, weight: Floats, worst: Floats) -> Savings:
    """What each pair saves: weight times how much its cost is below the worst that its demand has anyway.

    Parameters
    ----------
    pairs
        Who reaches whom.
    weight, worst
        (demands,).
    """
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    here = weight[demand] * (worst[demand] - pairs.cost)
    useful = here > 0
    left = make_pairs(demand[useful], pairs.site[useful], pairs.cost[useful], pairs.demands, pairs.sites)
    here = here[useful]
    return Savings(left, here, here[np.argsort(left.site, kind="stable")])


def saved(savings: Savings, chosen: Bools) -> float:
    """What these sites save in all."""
    return float(_saved_each(savings, chosen).sum())


def filled(savings: Savings, means: Spending, chosen: Bools) -> Bools:
    """The sites chosen, and greedily those that save most beside them, as long as one can be paid and saves more."""
    from gridmap.siting.solve.saving_kernel import greedy

    pairs, more = savings.pairs, chosen.copy()
    best = _saved_each(savings, chosen)
    greedy(pairs.site_ptr, pairs.demand, savings.there, means.cost, means.budget, more, best)
    return more


def exchange(savings: Savings, means: Spending, chosen: Bools) -> float:
    """Exchange sites, in place, while that saves more; what is saved then."""
    from gridmap.siting.solve.saving_kernel import interchange

    pairs = savings.pairs
    return interchange(
        pairs.site_ptr, pairs.demand, savings.there, pairs.demand_ptr, pairs.site, savings.here,
        means.cost, means.budget, means.fixed, chosen, _PASSES,
    )  # fmt: skip


def search(savings: Savings, means: Spending, rng: np.random.Generator) -> tuple[Bools, Bound]:
    """Sites that save much, and a bound.

    Greedy and exchanges first; then a Lagrangian bound, at whose multipliers the best sites are a start as well; and
    random exchanges of an eighth of the sites.

    Parameters
    ----------
    savings
        What each pair saves.
    means
        What may be spent.
    rng
        For the random starts.
    """
    chosen = filled(savings, means, means.fixed)
    most = exchange(savings, means, chosen)
    chosen, most = _shaken(savings, means, chosen, most, rng, _FIRST_SHAKES)
    chosen, most, bound = _bounded(savings, means, chosen, most)
    if bound.value > most * (1 + _ROUNDING):
        chosen, most = _shaken(savings, means, chosen, most, rng, _SHAKES)
    return chosen, bound


def _bounded(savings: Savings, means: Spending, chosen: Bools, most: float) -> tuple[Bools, float, Bound]:
    """A Lagrangian bound, and what was found better on the way."""
    from gridmap.siting.solve.saving_kernel import multipliers

    pairs = savings.pairs
    # Somewhat below the prices at which the sites chosen are worth nothing.
    price, step, lowest = 0.9 * _saved_each(savings, chosen), 0.5, np.inf
    worth = share = np.zeros(pairs.sites)
    nothing, endless = np.zeros(pairs.demands), np.full(pairs.sites, np.inf)
    for _ in range(_LOOKS):
        value, price, here, part, step = multipliers(
            pairs.site_ptr, pairs.demand, savings.there, nothing, endless, means.cost, means.budget, means.fixed,
            most, price, np.zeros(pairs.demands), step, _STEPS,
        )  # fmt: skip
        if value < lowest:
            lowest, worth, share = value, here, part
        other = part >= 1
        if means.allows(other):
            better = exchange(savings, means, other)
            if better > most * (1 + _ROUNDING):
                chosen, most = other, better
        if step < _SHORT or lowest <= most * (1 + _ROUNDING):
            break
    return chosen, most, bound_at(max(lowest, most), worth, share, means)


def bound_at(value: float, worth: Floats, share: Floats, means: Spending) -> Bound:
    """What forcing a site in, or out, takes off the bound: it takes the place of the worst, or leaves it to the next.

    The sites taken are those of the most worth for their cost, one of them perhaps in part, and nothing is displaced
    where not all is spent.
    """
    ratio = worth / np.maximum(means.cost, 1e-12)
    loose = ~means.fixed
    taken, partly = loose & (share > 0), (share > 0) & (share < 1)
    full = partly.any() or share @ means.cost >= means.budget * (1 - _ROUNDING)
    last = ratio[taken].min() if full and taken.any() else 0.0
    next_ = ratio[partly | (loose & ~taken)].max(initial=0.0)
    less_in = np.where(share > 0, 0.0, np.maximum(0.0, last * means.cost - worth))
    less_out = share * np.maximum(0.0, worth - next_ * means.cost)
    return Bound(value, less_in, less_out)


def _shaken(
    savings: Savings, means: Spending, chosen: Bools, most: float, rng: np.random.Generator, shakes: int
) -> tuple[Bools, float]:
    """The best of some starts that have a part of the sites exchanged at random."""
    for _ in range(shakes):
        loose = np.flatnonzero(chosen & ~means.fixed)
        spare = np.flatnonzero(~chosen)
        if len(loose) == 0 or len(spare) == 0:
            break
        other = chosen.copy()
        other[rng.choice(loose, min(len(loose), 1 + len(loose) // _SHAKEN), replace=False)] = False
        order = rng.permutation(spare)
        spent = means.cost[other].sum() + np.cumsum(means.cost[order])
        other[order[spent <= means.budget]] = True
        better = exchange(savings, means, other)
        if better > most * (1 + _ROUNDING):
            chosen, most = other, better
    return chosen, most


def _saved_each(savings: Savings, chosen: Bools) -> Floats:
    pairs = savings.pairs
    best = np.zeros(pairs.demands)
    open_ = np.repeat(chosen, np.diff(pairs.site_ptr))
    np.maximum.at(best, pairs.demand[open_], savings.there[open_])
    return best
