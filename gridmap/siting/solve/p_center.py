"""The p-center: sites from which the demand that is farthest off is nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.siting.solve.affordable_cover import affordable_cover
from gridmap.siting.solve.pairs import Choice, make_pairs
from gridmap.siting.solve.saving_search import exchange, filled, savings_of
from gridmap.siting.solve.spending import spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["p_center"]

_ROUNDING = 1e-6
# Nodes of branch and bound for each radius.
_NODES = 1_000


def p_center(
    pairs: Pairs,
    weight: Floats,
    *,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    base: Floats | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
) -> Choice:
    """Choose the sites with the least cost from the farthest demand to its nearest one.

    Demands that weigh nothing, or that neither a pair nor `base` reaches, are left aside: name them to whoever asks.

    The least cost is one of those of the pairs: it is found by bisection, and whether the sites that may be chosen
    reach everybody within a cost is a set cover (E. Minieka (1970), SIAM Review 12 (1), 138-139). Of the choices that
    do, one is taken from which exchanging a site, or adding one, saves no weight times cost.

    Parameters
    ----------
    pairs
        Who reaches whom.
    weight
        (demands,), 0 or more.
    count
        How many sites may be chosen, those that are fixed among them; or
    cost, budget
        (sites,), what each costs, and what they may cost together.
    base
        (demands,), cost to the nearest facility that is there already, infinite where there is none.
    fixed
        (sites,), which are chosen in any case.
    exact
        Whether to go on until the best is proved; None: for a number of steps that does not depend on the machine;
        False: not at all.

    Returns
    -------
    Choice
        `value` is the greatest cost, `bound` what no choice comes below. Where no choice reaches all that are not left
        aside, both are infinite, and the sites chosen reach many of them.

    Raises
    ------
    OptionError
        Where what may be spent makes no sense.
    """
    means = spending(pairs.sites, count=count, cost=cost, budget=budget, fixed=fixed)
    there = np.full(pairs.demands, np.inf) if base is None else np.asarray(base, dtype=np.float64)
    counts = (weight > 0) & ((np.diff(pairs.demand_ptr) > 0) | np.isfinite(there))
    if not counts.any():
        return Choice(means.fixed.copy(), 0.0, 0.0, proved=True, method="nobody to serve")
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    asked = counts[demand]
    pairs = make_pairs(demand[asked], pairs.site[asked], pairs.cost[asked], pairs.demands, pairs.sites)
    there = np.where(counts, there, 0.0)
    radii = _radii(pairs, there)
    chosen, most = _quickly(pairs, there, radii, means)
    chosen, least, most = _surely(pairs, there, radii, means, chosen, most, exact=exact)
    radii = np.append(radii, np.inf)
    chosen = _nearer(pairs, np.where(counts, weight, 0.0), there, min(radii[most], radii[-2]), means, chosen)
    value, bound = float(radii[most]), float(radii[least])
    return Choice(chosen, value, bound, proved=least == most, method="bisection")


def _radii(pairs: Pairs, there: Floats) -> Floats:
    """Costs that the greatest one may be, rising: none is less than that of some demand to its nearest site of all."""
    nearest = there.copy()
    np.minimum.at(nearest, np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)), pairs.cost)
    radii = np.unique(np.concatenate([pairs.cost, there[np.isfinite(there)]]))
    return radii[radii >= nearest.max()]


def _within(pairs: Pairs, there: Floats, radius: float) -> tuple[Pairs, Floats]:
    """Pairs within a cost, and 1 for each demand that has to be served by one of them, else 0."""
    needs = (there > radius).astype(np.float64)
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    near = (pairs.cost <= radius) & (needs[demand] > 0)
    return make_pairs(demand[near], pairs.site[near], pairs.cost[near], pairs.demands, pairs.sites), needs


def _quickly(pairs: Pairs, there: Floats, radii: Floats, means: Spending) -> tuple[Bools, int]:
    """A choice and its place among the radii; their number, where what is found at the largest reaches not all."""
    low, high = 0, len(radii)
    chosen, _ = _reaching(pairs, there, radii[-1], means)
    while low < high:
        middle = (low + high) // 2
        other, enough = _reaching(pairs, there, radii[middle], means)
        if enough:
            high, chosen = middle, other
        else:
            low = middle + 1
    return chosen, high


def _reaching(pairs: Pairs, there: Floats, radius: float, means: Spending) -> tuple[Bools, bool]:
    """Sites that reach many demands within a cost, by greedy and exchanges, and whether they reach all."""
    near, needs = _within(pairs, there, radius)
    alike = savings_of(near._replace(cost=np.zeros(len(near.cost))), needs, np.ones(near.demands))
    chosen = filled(alike, means, means.fixed)
    return chosen, exchange(alike, means, chosen) >= needs.sum() - _ROUNDING


def _surely(
    pairs: Pairs, there: Floats, radii: Floats, means: Spending, chosen: Bools, high: int, *, exact: bool | None
) -> tuple[Bools, int, int]:
    """Bisection with a set cover: the choice, the place of the least radius not ruled out, and that of the choice."""
    nodes = {True: None, None: _NODES, False: 0}[exact]
    least, low = 0, 0
    while low < high:
        middle = (low + high) // 2
        near, needs = _within(pairs, there, radii[middle])
        answer, other = affordable_cover(near, needs, means, nodes=nodes)
        if other is not None:
            high, chosen = middle, other
            continue
        low = middle + 1
        if answer is False:
            least = low
    return chosen, least, high


def _nearer(pairs: Pairs, weight: Floats, there: Floats, radius: float, means: Spending, chosen: Bools) -> Bools:
    """Sites added and exchanged for less weight times cost, with as many demands within the radius as before.

    To be within it saves each demand that needs it more than all of them can save beside that.
    """
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    near = pairs.cost <= radius
    left = make_pairs(demand[near], pairs.site[near], pairs.cost[near], pairs.demands, pairs.sites)
    worst = np.minimum(there, radius)
    all_there_is = float(weight @ worst) + 1.0
    served = np.divide(all_there_is, weight, out=np.zeros(len(weight)), where=(weight > 0) & (there > radius))
    savings = savings_of(left, weight, worst + served)
    more = filled(savings, means, chosen)
    exchange(savings, means, more)
    return more
