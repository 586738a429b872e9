"""Maximum coverage: the sites that cover as much weight as a number of sites, or a budget, allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.siting.solve.pairs import Choice
from gridmap.siting.solve.reduce import merge_demands, take_demands, take_sites, undominated_sites
from gridmap.siting.solve.spending import spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Bools, Floats, Ints, Longs, Pairs

__all__ = ["CoverProblem", "covered_by", "max_cover", "reduce_cover"]

# Kicks of the swap search, for each pair of open sites, and between which numbers.
_KICKS, _FEWEST_KICKS, _MOST_KICKS = 0.75, 100, 8000
# Subgradient steps of the bound, and the lengths of the first and the last as shares of the gap.
_STEPS, _LENGTHS = 600, (0.1, 0.0003)
# Work that a proof may cost when it is neither asked for nor forbidden: subgradient steps times pairs.
_AFFORDABLE = 50_000_000_000


class CoverProblem(NamedTuple):
    """What is left to choose: sites with their cost, and the demands that they reach, both ways."""

    cost: Floats
    site_ptr: Longs
    demand: Ints
    demand_ptr: Longs
    site: Ints
    weight: Floats


def max_cover(
    pairs: Pairs,
    weight: NDArray[np.float64] | NDArray[np.int64],
    *,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
    seed: int = 0,
) -> Choice:
    """Choose the sites that together cover most weight; a demand counts once, however many sites reach it.

    Parameters
    ----------
    pairs
        Which demand each site reaches.
    weight
        Weight of each demand, 0 or more.
    count
        How many sites may be open. One that would add nothing stays closed.
    cost, budget
        Instead of a count: what each site costs, 0 or more, and what all open ones may cost together.
    fixed
        Sites that are open anyway. They count towards `count`, and their cost towards `budget`: give those that exist
        a cost of 0.
    exact
        True to search until no choice can be better, however long that takes; False for the swap search with its bound;
        None to search for a proof as far as that is affordable, about a minute.
    seed
        Of the random numbers of the swap search. The same arguments give the same choice.

    Returns
    -------
    Choice
        `value` is the weight covered, `bound` what no choice can surpass.

    Raises
    ------
    OptionError
        Neither a count nor a budget is given, or both; a weight or cost is negative or no number; fixed sites exceed
        the count or the budget.

    Notes
    -----
    The problem is that of Church and ReVelle (1974). Demands with the same sites are made one, and sites are dropped
    where another reaches all of theirs and costs no more: neither changes the best value.
    """
    weight = np.asarray(weight, dtype=np.float64)
    means = spending(pairs.sites, count=count, cost=cost, budget=budget, fixed=fixed)
    if not (np.all(np.isfinite(weight)) and np.all(weight >= 0)):
        raise OptionError("A weight is negative or no number; give every demand 0 or more.")
    fares, opened = means.cost, means.fixed.copy()
    room = means.budget - float(fares[opened].sum())
    opened |= fares == 0
    covered = covered_by(pairs, opened)
    kept, problem = reduce_cover(pairs, np.where(covered, 0.0, weight), fares, room, opened)
    chosen, bound, proved, method = _solve(problem, room, exact, seed)
    opened[kept[chosen]] = True
    base = float(weight[covered].sum())
    value = float(weight[covered_by(pairs, opened)].sum())
    return Choice(opened, value, value if proved else max(value, base + bound), proved, method)


def covered_by(pairs: Pairs, opened: Bools) -> Bools:
    """Which demands the open sites reach."""
    out = np.zeros(pairs.demands, dtype=np.bool_)
    out[pairs.demand[np.repeat(opened, np.diff(pairs.site_ptr))]] = True
    return out


def reduce_cover(pairs: Pairs, weight: Floats, cost: Floats, room: float, without: Bools) -> tuple[Longs, CoverProblem]:
    """The sites worth a choice, and the problem on them alone.

    Parameters
    ----------
    weight
        Of each demand; those of weight 0 are dropped.
    cost, room
        Of each site, and what may be spent; sites that cost more are dropped.
    without
        Sites to drop.
    """
    kept = np.flatnonzero(~without & (cost <= room))
    left, weight = _merged(take_sites(pairs, kept), weight)
    stay = np.flatnonzero(undominated_sites(left, cost[kept]))
    left, weight = _merged(take_sites(left, stay), weight)
    kept = kept[stay]
    return kept, CoverProblem(cost[kept], *left[:4], weight)


def _merged(pairs: Pairs, weight: Floats) -> tuple[Pairs, Floats]:
    """Demands that count and are reached, those with the same sites made one."""
    rows = np.flatnonzero((weight > 0) & (np.diff(pairs.demand_ptr) > 0))
    merged = merge_demands(take_demands(pairs, rows), weight[rows])
    return merged.pairs, merged.weight


def _solve(problem: CoverProblem, room: float, exact: bool | None, seed: int) -> tuple[Bools, float, bool, str]:
    """Which sites of a reduced problem to open, the bound, whether that is proved, and how it was found."""
    from gridmap.siting.solve.max_cover_kernel import covered_weight, greedy, improve

    by_site = problem.site_ptr, problem.demand
    pairs = max(len(problem.demand), 1)
    starts = [greedy(room, per_cost, *problem) for per_cost in (False, True)]
    start = max(starts, key=lambda opened: covered_weight(opened, *by_site, problem.weight))
    kicks = int(np.clip(_KICKS * int(start.sum()) ** 2, _FEWEST_KICKS, _MOST_KICKS))
    opened = improve(start, room, kicks, seed, *problem)
    value = covered_weight(opened, *by_site, problem.weight)
    grain = _grain(problem.weight)
    bound, met, reached = _relax(problem, room, value, grain)
    if reached > value:
        opened, value = met, reached
    if bound < value + grain:
        return opened, value, True, "swaps, proved by the Lagrangian bound"
    if exact is not False:
        from gridmap.siting.solve.max_cover_search import search

        work = None if exact else _AFFORDABLE // pairs
        opened, bound, proved = search(problem, room, opened, grain, work)
        return opened, bound, proved, "branch and bound" if proved else "branch and bound, ended early"
    return opened, bound, False, "swaps"


def _relax(problem: CoverProblem, room: float, value: float, grain: float) -> tuple[float, Bools, float]:
    """The Lagrangian bound; the best choice met on the way, and its value."""
    from gridmap.siting.solve.max_cover_bound_kernel import relax

    weight, sites = problem.weight, len(problem.cost)
    if not sites:
        return 0.0, np.zeros(0, dtype=np.bool_), 0.0
    pull, barred = np.ones(len(weight)), np.zeros(sites, dtype=np.bool_)
    reach = problem.site_ptr, problem.demand
    out = relax(
        weight,
        weight,
        pull,
        weight / 2,
        problem.cost,
        room,
        *reach,
        barred,
        value,
        value + grain,
        np.zeros(sites),
        _STEPS,
        *_LENGTHS,
    )
    return min(out[0], float(weight.sum())), out[3], out[2]


def _grain(weight: Floats) -> float:
    """By how much a better value is better at least: the common divisor of the weights, where they have one."""
    tiny = 1e-9 * max(1.0, float(weight.sum()))
    if np.any(weight != np.rint(weight)) or not len(weight):
        return tiny
    return max(float(np.gcd.reduce(weight.astype(np.int64))) - tiny, tiny)
