"""Maximum coverage: the sites that cover as much weight as a number of sites, or a budget, allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.errors import OptionError
from gridmap.siting.solve.pairs import Choice

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
    fares, room = _prices(pairs.sites, count, cost, budget)
    if not (np.all(np.isfinite(weight)) and np.all(weight >= 0)):
        msg = "a weight is negative or no number: give every demand 0 or more"
        raise OptionError(msg)
    opened = np.zeros(pairs.sites, dtype=np.bool_) if fixed is None else np.array(fixed, dtype=np.bool_)
    room -= float(fares[opened].sum())
    if room < -1e-9 * (1 + float(fares[opened].sum())):
        msg = "the fixed sites alone exceed the count or the budget: raise it, or fix fewer"
        raise OptionError(msg)
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
    from scipy.sparse import csr_array

    from gridmap.siting.solve.max_cover_kernel import dominated

    reach = csr_array(
        (np.ones(len(pairs.site), np.int8), pairs.site, pairs.demand_ptr), shape=(pairs.demands, pairs.sites)
    )
    kept = np.flatnonzero(~without & (cost <= room))
    reach, weight = _merge(reach[:, kept], weight)
    stay = ~dominated(cost[kept], *_both_ways(reach))
    kept = kept[stay]
    reach, weight = _merge(reach[:, stay], weight)
    return kept, CoverProblem(cost[kept], *_both_ways(reach), weight)


def _prices(sites: int, count: int | None, cost: Floats | None, budget: float | None) -> tuple[Floats, float]:
    """Cost of each site, and what may be spent: a count is a budget of sites that cost 1."""
    if (count is None) == (budget is None) or (cost is None) != (budget is None):
        msg = "give either a count, or a cost of each site and a budget"
        raise OptionError(msg)
    fares = np.ones(sites) if cost is None else np.asarray(cost, dtype=np.float64)
    room = float(count if budget is None else budget)  # type: ignore[arg-type]
    if not (np.all(np.isfinite(fares)) and np.all(fares >= 0) and np.isfinite(room) and room >= 0):
        msg = "the count, the budget or a cost is negative or no number: give 0 or more"
        raise OptionError(msg)
    return fares, room


def _merge(reach: Any, weight: Floats) -> tuple[Any, Floats]:
    """Rows of demands that count and are reached, those with the same sites made one."""
    reach = reach.tocsr()
    reach.sort_indices()
    first: dict[bytes, int] = {}
    rows: list[int] = []
    which = np.zeros(len(weight), dtype=np.int64)
    some = np.flatnonzero((weight > 0) & (np.diff(reach.indptr) > 0))
    for d in some:
        key = reach.indices[reach.indptr[d] : reach.indptr[d + 1]].tobytes()
        if key not in first:
            first[key] = len(rows)
            rows.append(int(d))
        which[d] = first[key]
    merged = np.bincount(which[some], weight[some], len(rows)).astype(np.float64)
    return reach[np.array(rows, dtype=np.int64)], merged


def _both_ways(reach: Any) -> tuple[Longs, Ints, Longs, Ints]:
    by_site = reach.tocsc()
    by_site.sort_indices()
    return (
        by_site.indptr.astype(np.int64),
        by_site.indices.astype(np.int32),
        reach.indptr.astype(np.int64),
        reach.indices.astype(np.int32),
    )


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
