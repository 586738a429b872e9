"""The p-center: sites from which the demand that is farthest off is nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.network.orders import grouped
from gridmap.siting.solve.affordable_cover import affordable_cover
from gridmap.siting.solve.pairs import Choice, pairs_by_demand
from gridmap.siting.solve.saving_search import exchange, filled, savings_of
from gridmap.siting.solve.spending import spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["p_center"]

_ROUNDING = 1e-6
# Nodes of branch and bound for each radius.
_NODES = 1_000
# More pairs than these are not searched through unless asked for; a bound is then told instead.
_LARGE = 1_000_000


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
    pairs = _only(pairs, np.repeat(counts, np.diff(pairs.demand_ptr)))
    there = np.where(counts, there, 0.0)
    if exact is not True and len(pairs.site) > _LARGE:
        return _roughly(pairs, there, counts, means)
    radii = _radii(pairs, there)
    chosen, most = _quickly(pairs, there, radii, means)
    chosen, least, most = _surely(pairs, there, radii, means, chosen, most, exact=exact)
    radii = np.append(radii, np.inf)
    chosen = _nearer(pairs, np.where(counts, weight, 0.0), there, min(radii[most], radii[-2]), means, chosen)
    value, bound = float(radii[most]), float(radii[least])
    return Choice(chosen, value, bound, proved=least == most, method="bisection")


def _roughly(pairs: Pairs, there: Floats, counts: Bools, means: Spending) -> Choice:
    """Bisection by covers that are found, and ruled out, without a search: a value and what no choice comes below."""
    from gridmap.siting.solve.p_center_kernel import farthest_first

    by_site, cost_there = _costs_by_site(pairs)
    chosen, spare = means.fixed.copy(), means.budget - float(means.cost[means.fixed].sum())
    way = np.where(counts, there, -np.inf)
    fixed = np.repeat(means.fixed, np.diff(pairs.site_ptr))
    np.minimum.at(way, pairs.demand[fixed], cost_there[fixed])
    base = way.copy()
    arguments = (pairs.demand_ptr, pairs.site, pairs.cost, pairs.site_ptr, by_site)
    value = float(farthest_first(*arguments, cost_there, way, means.cost, spare, chosen))
    nearest = base.copy()
    np.minimum.at(nearest, np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)), pairs.cost)
    radii = np.unique(np.concatenate((pairs.cost, base[np.isfinite(base)])))
    radii = radii[(radii >= nearest.max()) & (radii <= value)]
    low, high = 0, len(radii) - 1 if np.isfinite(value) else len(radii)
    while low < high:
        middle = (low + high) // 2
        other = _opened(pairs, by_site, cost_there, base, radii[middle], means, spare)
        if other is None:
            low = middle + 1
        else:
            high, chosen, value = middle, other, float(radii[middle])
    bound = _ruled_out(pairs, base, radii, high, means, spare)
    return Choice(chosen, value, min(bound, value), proved=bound >= value, method="bisection, bounded")


def _costs_by_site(pairs: Pairs) -> tuple[NDArray[np.int32], Floats]:
    """The demand of each pair and its cost, in the order of the sites."""
    _, order = grouped(pairs.site, pairs.sites)
    return pairs.demand, pairs.cost[order]


def _needing(pairs: Pairs, base: Floats, radius: float) -> Longs:
    """Demands that need a site within a radius, those first that have the fewest."""
    from gridmap.siting.solve.p_center_kernel import count_within

    number = count_within(radius, pairs.demand_ptr, pairs.cost)
    rows = np.flatnonzero(base > radius)
    return rows[np.argsort(number[rows], kind="stable")]


def _opened(
    pairs: Pairs, by_site: NDArray[np.int32], cost_there: Floats, base: Floats, radius: float, means: Spending,
    spare: float,
) -> Bools | None:  # fmt: skip
    """Sites that bring everybody within a radius; None where none were found."""
    from gridmap.siting.solve.p_center_kernel import open_within

    chosen = means.fixed.copy()
    enough = open_within(
        radius, _needing(pairs, base, radius), pairs.demand_ptr, pairs.site, pairs.cost, pairs.site_ptr, by_site,
        cost_there, base > radius, means.cost, spare, chosen,
    )  # fmt: skip
    return chosen if enough else None


def _ruled_out(pairs: Pairs, base: Floats, radii: Floats, high: int, means: Spending, spare: float) -> float:
    """The least radius that is not ruled out by demands which share no site."""
    from gridmap.siting.solve.p_center_kernel import packing

    low, last = 0, high
    while low < last:
        middle = (low + last) // 2
        order = _needing(pairs, base, radii[middle])
        if packing(radii[middle], order, pairs.demand_ptr, pairs.site, pairs.cost, means.cost) > spare + _ROUNDING:
            low = middle + 1
        else:
            last = middle
    return float(radii[low]) if low < len(radii) else np.inf


def _radii(pairs: Pairs, there: Floats) -> Floats:
    """Costs that the greatest one may be, rising: none is less than that of some demand to its nearest site of all."""
    nearest = there.copy()
    np.minimum.at(nearest, np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)), pairs.cost)
    radii = np.unique(np.concatenate([pairs.cost, there[np.isfinite(there)]]))
    return radii[radii >= nearest.max()]


def _only(pairs: Pairs, kept: Bools) -> Pairs:
    """Some of the pairs, which stay in their order."""
    if kept.all():
        return pairs
    before = np.concatenate(([0], np.cumsum(kept)))
    return pairs_by_demand(before[pairs.demand_ptr], pairs.site[kept], pairs.cost[kept], pairs.sites)


def _within(pairs: Pairs, there: Floats, radius: float) -> tuple[Pairs, Floats]:
    """Pairs within a cost, and 1 for each demand that has to be served by one of them, else 0."""
    needs = (there > radius).astype(np.float64)
    near = (pairs.cost <= radius) & np.repeat(needs > 0, np.diff(pairs.demand_ptr))
    return _only(pairs, near), needs


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
    left = _only(pairs, pairs.cost <= radius)
    worst = np.minimum(there, radius)
    all_there_is = float(weight @ worst) + 1.0
    served = np.divide(all_there_is, weight, out=np.zeros(len(weight)), where=(weight > 0) & (there > radius))
    savings = savings_of(left, weight, worst + served)
    more = filled(savings, means, chosen)
    exchange(savings, means, more)
    return more
