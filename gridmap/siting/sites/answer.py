"""The answer: the demand and the question given to the solver of its objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.sites.demand import Demand
    from gridmap.siting.sites.question import Question
    from gridmap.siting.solve.pairs import Choice

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Standing", "answer", "held_today", "standing", "still_needed"]

# A share that is reached but for the last digits of a sum is reached.
_SLACK = 1e-9


class Standing(NamedTuple):
    """By category: weight in all, covered today, and that could be covered if every candidate were built."""

    total: Floats
    covered: Floats
    reachable: Floats


def standing(question: Question, demand: Demand, weight: Floats, base: Floats) -> Standing:
    """Where each category stands today, and what the candidates could bring at most.

    Parameters
    ----------
    question, demand
        What was asked, and the demand it leads to.
    weight
        Of each building.
    base
        Cost to the nearest existing facility, shape (buildings, categories).
    """
    limits = question.reach
    today = (base <= limits) & np.isfinite(base)
    open_yet = ~today[demand.building, demand.category] & (np.diff(demand.pairs.demand_ptr) > 0)
    more = np.bincount(demand.category[open_yet], weights=demand.weight[open_yet], minlength=len(limits))
    covered = weight @ today
    return Standing(np.full(len(limits), weight.sum()), covered, covered + more)


def answer(
    question: Question,
    demand: Demand,
    now: Standing,
    *,
    cost: Floats | None,
    fixed: Bools,
    exact: bool | None,
    seed: int,
) -> Choice:
    """The sites to choose, by the solver of the objective.

    Parameters
    ----------
    question, demand, now
        What is asked for, of whom, and where it stands.
    cost
        Of each site; None where they cost the same.
    fixed
        Sites that are chosen in any case.
    exact
        None for a proof where it is affordable, True to insist, False for the heuristic alone.
    seed
        Of the heuristic.
    """
    spend: dict[str, Any] = {"count": question.count}
    if question.budget is not None:
        spend = {"cost": cost, "budget": question.budget}
    if question.objective == "max_coverage":
        from gridmap.siting.solve.max_cover import max_cover

        return max_cover(demand.pairs, demand.weight, **spend, fixed=fixed, exact=exact, seed=seed)
    if question.objective == "set_cover":
        from gridmap.siting.solve.set_cover import set_cover

        needed, group = still_needed(question, now), demand.category.astype(np.int32)
        return set_cover(demand.pairs, demand.weight, needed, group=group, cost=cost, fixed=fixed, exact=exact)
    if question.objective == "p_center":
        from gridmap.siting.solve.p_center import p_center

        base = np.where(demand.base <= question.reach[demand.category], demand.base, np.inf)
        return p_center(demand.pairs, demand.weight, **spend, base=base, fixed=fixed, exact=exact)
    from gridmap.siting.solve.p_median import p_median

    held = held_today(question, demand)
    # who nobody reaches stands at the limit of its category, which `held` already says
    limit = float(held.max(initial=0.0)) or 1.0
    return p_median(demand.pairs, demand.weight, limit=limit, **spend, base=held, fixed=fixed, exact=exact, seed=seed)


def still_needed(question: Question, now: Standing) -> Floats:
    """The weight of each category that new sites must cover; no more than they can."""
    share = np.array([(question.target or {})[name] for name in question.categories])
    wanted = share * now.total * (1 - _SLACK) - now.covered
    return np.clip(wanted, 0, np.maximum(now.reachable - now.covered, 0) * (1 - _SLACK))


def held_today(question: Question, demand: Demand) -> Floats:
    """What each demand costs today, in the measure of the question.

    That of the nearest existing facility; without one within the limit the limit itself, or the longest of all ways
    where no limit is set.
    """
    limits = question.reach[demand.category]
    if not np.isfinite(limits).all():
        ways = np.concatenate((demand.pairs.cost, demand.base[np.isfinite(demand.base)]))
        limits = np.minimum(limits, ways.max(initial=0.0))
    return np.minimum(demand.base, limits)
