"""The p-median: sites from which all demands together are nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import OptionError
from gridmap.siting.solve.pairs import Choice
from gridmap.siting.solve.saving_levels import most_saved
from gridmap.siting.solve.saving_search import saved, savings_of, search
from gridmap.siting.solve.spending import spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.saving_search import Savings
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["p_median", "weighted_cost"]

# Smaller than this share of the whole, a gap is rounding.
_ROUNDING = 1e-9


def p_median(
    pairs: Pairs,
    weight: Floats,
    *,
    limit: float,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    base: Floats | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
    seed: int = 0,
) -> Choice:
    """Choose the sites with the least sum of weight times cost to the nearest one.

    A demand that nothing reaches within `limit` counts as if it stood at the limit, so that no choice is worth nothing
    and none has to reach everybody.

    Sites are added greedily and exchanged, from several starts; a Lagrangian bound says how far that may be from the
    best, and shows which sites are in every better choice or in none. What is left is solved exactly where it is small
    enough.

    Parameters
    ----------
    pairs
        Who reaches whom; what costs `limit` or more makes no difference.
    weight
        (demands,), 0 or more.
    limit
        What a demand costs at most.
    count
        How many sites may be chosen, those that are fixed among them; or
    cost, budget
        (sites,), what each costs, and what they may cost together.
    base
        (demands,), cost to the nearest facility that is there already, infinite where there is none.
    fixed
        (sites,), which are chosen in any case.
    exact
        Whether to solve what is left exactly: True in any case, False never, None where it is small enough.
    seed
        Of the random starts.

    Returns
    -------
    Choice
        `value` is the sum, `bound` what no choice comes below.

    Raises
    ------
    OptionError
        Where `limit` or what may be spent makes no sense.

    Examples
    --------
    Four homes in a row, 100 m apart, and sites at the first, second and fourth of them:

    >>> import numpy as np
    >>> from gridmap.siting.solve.pairs import make_pairs
    >>> home, site = np.divmod(np.arange(12), 3)
    >>> pairs = make_pairs(home, site, 100.0 * abs(home - np.array([0, 1, 3])[site]), 4, 3)
    >>> choice = p_median(pairs, np.array([1.0, 1, 1, 5]), count=1, limit=500.0)
    >>> choice.chosen, choice.value, choice.proved
    (array([False, False,  True]), 600.0, True)
    """
    if not np.isfinite(limit) or limit < 0:
        raise OptionError("limit= is what a demand costs at most: a number of 0 or more.")
    means = spending(pairs.sites, count=count, cost=cost, budget=budget, fixed=fixed)
    worst = np.full(pairs.demands, float(limit)) if base is None else np.minimum(base, limit)
    weight = np.asarray(weight, dtype=np.float64)
    savings = savings_of(pairs, weight, worst)
    chosen, bound = search(savings, means, np.random.default_rng(seed))
    method, most, proved = "exchange", bound.value, False
    known = saved(savings, chosen)
    if most - known <= _ROUNDING * most:
        proved = True
    elif exact is not False:
        # What any choice that saves more than this one has to hold, and what it cannot hold.
        free, sure = bound.undecided(known, means)
        found = most_saved(savings, means, free, sure, anyway=exact is True)
        if found is not None:
            method, proved = "milp", found.proved and means.allows(found.chosen)
            most = max(known, min(most, found.bound))
            if means.allows(found.chosen) and saved(savings, found.chosen) > known:
                chosen = found.chosen
    chosen = _without_idle(savings, means, chosen)
    value = weighted_cost(pairs, weight, worst, chosen)
    least = value if proved else min(value, max(0.0, float(weight @ worst) - most))
    return Choice(chosen, value, least, proved, method)


def _without_idle(savings: Savings, means: Spending, chosen: Bools) -> Bools:
    """Without sites that are nobody's nearest."""
    pairs = savings.pairs
    open_ = chosen[pairs.site]
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))[open_]
    site, saving = pairs.site[open_], savings.here[open_]

    def total(sites: Bools) -> float:
        best, left = np.zeros(pairs.demands), sites[site]
        np.maximum.at(best, demand[left], saving[left])
        return float(best.sum())

    most = total(chosen)
    for one in np.flatnonzero(chosen & ~means.fixed):
        other = chosen.copy()
        other[one] = False
        if total(other) >= most:
            chosen = other
    return chosen


def weighted_cost(pairs: Pairs, weight: Floats, worst: Floats, chosen: Bools) -> float:
    """Sum of weight times cost to the nearest chosen site, at most `worst` of each demand."""
    nearest = worst.copy()
    open_ = chosen[pairs.site]
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    np.minimum.at(nearest, demand[open_], pairs.cost[open_])
    return float(weight @ nearest)
