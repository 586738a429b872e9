"""Sites with limited room: most served, served at the least cost, or the cheapest sites that serve enough.

The weight of a demand may be split between sites. Facilities that are there already are sites too, fixed ones, with the
room they have; where they cost nothing more, give a budget with a cost of 0 for them, or count them in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.siting.solve.pairs import Choice, make_pairs
from gridmap.siting.solve.room_model import Task, assigned, cheapest, most_valuable
from gridmap.siting.solve.room_search import cheap_choice, cost_bound, valuable_choice
from gridmap.siting.solve.spending import Spending, spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Assignment", "capacitated_cover", "capacitated_coverage", "capacitated_median"]

# Pairs up to which a choice is solved exactly unasked, and shares that are rounding.
_LARGEST, _ROUNDING = 8_000, 1e-9


class Assignment(NamedTuple):
    """Who is served where.

    `flow`, for each pair in the order of ``pairs.cost``, is the weight of its demand that its site serves; `served`
    (demands,) is that of each demand in all, `load` (sites,) what each site serves: never more than its capacity.
    """

    flow: Floats
    served: Floats
    load: Floats


def capacitated_coverage(
    pairs: Pairs,
    weight: Floats,
    capacity: Floats,
    *,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
) -> tuple[Choice, Assignment]:
    """Choose the sites that serve the most weight within their capacities.

    Parameters
    ----------
    pairs
        Who may be served where.
    weight, capacity
        (demands,) and (sites,), 0 or more, in the same unit: people, pupils, beds.
    count
        How many sites may be chosen, those that are fixed among them; or
    cost, budget
        (sites,), what each costs, and what they may cost together.
    fixed
        (sites,), which are chosen in any case.
    exact
        Whether to solve exactly what the bound leaves open: True in any case, False never, None where it is small.

    Returns
    -------
    choice, assignment
        The value is the weight served, the bound what no choice serves more than.

    Raises
    ------
    OptionError
        Where a capacity, or what may be spent, makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from gridmap.siting.solve.pairs import make_pairs
    >>> home, site = np.array([0, 0, 1]), np.array([0, 1, 1])
    >>> pairs = make_pairs(home, site, np.array([1.0, 2, 1]), 2, 2)
    >>> choice, assignment = capacitated_coverage(pairs, np.array([30.0, 40]), np.array([50.0, 60]), count=1)
    >>> choice.chosen, choice.value, assignment.flow
    (array([False,  True]), 60.0, array([ 0., 20., 40.]))
    """
    means = spending(pairs.sites, count=count, cost=cost, budget=budget, fixed=fixed)
    task, kept = _task(pairs, weight, capacity, np.ones(len(pairs.cost)))
    choice, flow = _most(task, means, exact=exact)
    return choice, _assignment(pairs, kept, flow)


def capacitated_median(
    pairs: Pairs,
    weight: Floats,
    capacity: Floats,
    *,
    limit: float,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
) -> tuple[Choice, Assignment]:
    """Choose the sites that serve all at the least cost within their capacities; who finds no place costs `limit`.

    Parameters
    ----------
    limit
        What a unit costs that is not served; nobody is served where that costs more.
    pairs, weight, capacity, count, cost, budget, fixed, exact
        As for `capacitated_coverage`.

    Returns
    -------
    choice, assignment
        The value is the sum of weight times cost, the bound what no choice comes below.

    Raises
    ------
    OptionError
        Where a capacity, the limit, or what may be spent makes no sense.
    """
    if not np.isfinite(limit) or limit < 0:
        raise OptionError("limit= is what a demand costs at most: a number of 0 or more.")
    means = spending(pairs.sites, count=count, cost=cost, budget=budget, fixed=fixed)
    task, kept = _task(pairs, weight, capacity, limit - pairs.cost)
    choice, flow = _most(task, means, exact=exact)
    whole = limit * float(np.asarray(weight, dtype=np.float64).sum())
    value = max(0.0, whole - choice.value)
    bound = value if choice.proved else min(value, max(0.0, whole - choice.bound))
    return choice._replace(value=value, bound=bound), _assignment(pairs, kept, flow)


def capacitated_cover(
    pairs: Pairs,
    weight: Floats,
    capacity: Floats,
    needed: float,
    *,
    cost: Floats | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
) -> tuple[Choice, Assignment]:
    """Choose the fewest sites, or the cheapest, that serve as much weight as is needed within their capacities.

    Where all sites together serve less than that, the answer is the cheapest choice that serves as much as they do;
    ``assignment.served`` tells.

    Parameters
    ----------
    needed
        Weight to be served.
    pairs, weight, capacity, fixed, exact
        As for `capacitated_coverage`.
    cost
        (sites,), 0 or more; None where all cost 1.

    Returns
    -------
    choice, assignment
        The value is the number of sites, or their cost, those that are fixed among them; the bound what no choice costs
        less than.

    Raises
    ------
    OptionError
        Where a capacity or a cost makes no sense.
    """
    price = np.ones(pairs.sites) if cost is None else np.asarray(cost, dtype=np.float64)
    means = spending(pairs.sites, cost=price, budget=float(price.sum()), fixed=fixed)
    task, kept = _task(pairs, weight, capacity, np.ones(len(pairs.cost)))
    everybody = assigned(task, np.ones(pairs.sites, dtype=np.bool_)).sum()
    asked = min(float(needed), float(everybody)) * (1 - _ROUNDING)
    chosen = cheap_choice(task, means, asked)
    method, value, least, proved = "exchange", float(price[chosen].sum()), 0.0, False
    if exact or (exact is None and len(task.value) <= _LARGEST):
        found = cheapest(task, price, ~means.fixed, means.fixed, asked)
        method, least = "milp", max(0.0, found.bound)
        if found.chosen is not None and assigned(task, found.chosen).sum() >= asked * (1 - _ROUNDING):
            proved = found.proved
            chosen = found.chosen if price[found.chosen].sum() < value or proved else chosen
    else:
        least = cost_bound(task, means, asked)
    value = float(price[chosen].sum())
    flow = assigned(task, chosen)
    proved = proved or least >= value - _ROUNDING * max(value, 1.0)
    return Choice(chosen, value, value if proved else min(least, value), proved, method), _assignment(pairs, kept, flow)


def _task(pairs: Pairs, weight: Floats, capacity: Floats, value: Floats) -> tuple[Task, Bools]:
    """The pairs that are worth anything, and which these are."""
    weight, room = (np.asarray(of, dtype=np.float64) for of in (weight, capacity))
    if np.isnan(room).any() or (room < 0).any():
        raise OptionError("Capacities must be numbers of 0 or more.")
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    kept = (weight[demand] > 0) & (room[pairs.site] > 0) & (value > 0)
    left = make_pairs(demand[kept], pairs.site[kept], pairs.cost[kept], pairs.demands, pairs.sites)
    # More room than there is demand makes no difference, and is a number where it was infinite.
    return Task(left, value[kept], weight, np.minimum(room, np.ceil(weight.sum()))), kept


def _most(task: Task, means: Spending, *, exact: bool | None) -> tuple[Choice, Floats]:
    """The choice of the most value, with what each pair serves."""
    chosen, bound = valuable_choice(task, means)
    flow = assigned(task, chosen)
    value = float(task.value @ flow)
    method, most, proved = "exchange", max(bound.value, value), False
    if most - value <= _ROUNDING * most:
        proved = True
    else:
        free, sure = bound.undecided(value, means)
        small = (free | sure)[task.pairs.site].sum() <= _LARGEST
        if exact or (exact is None and small):
            found = most_valuable(task, means, free, sure)
            method, proved = "milp", found.proved
            if not (found.chosen is None and found.proved):
                most = max(value, min(most, found.bound))
            if found.chosen is not None and means.allows(found.chosen):
                other = assigned(task, found.chosen)
                if task.value @ other > value:
                    chosen, flow, value = found.chosen, other, float(task.value @ other)
    return Choice(chosen, value, value if proved else max(value, most), proved, method), flow


def _assignment(pairs: Pairs, kept: Bools, flow: Floats) -> Assignment:
    every = np.zeros(len(pairs.cost))
    every[kept] = flow
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    served = np.bincount(demand, weights=every, minlength=pairs.demands).astype(np.float64)
    load = np.bincount(pairs.site, weights=every, minlength=pairs.sites).astype(np.float64)
    return Assignment(every, served, load)
