"""Set cover: the fewest or cheapest sites that cover enough weight of every group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.siting.solve.pairs import Choice
from gridmap.siting.solve.set_cover_model import Relaxed, Searched, relax, search
from gridmap.siting.solve.set_cover_question import SUM_ERROR, among, apart, posed, reduced, suffices, with_open

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.set_cover_question import Question

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["reachable_weight", "set_cover"]

#: More pairs than these, after all reductions, are not searched through unless asked for.
_MOST_PAIRS = 400_000
#: How many steps the exchange of sites takes, and how many nodes a search may visit, times the pairs of each.
_STEPS, _EFFORT = 5_000, 20_000_000
#: How often sites are ruled out by a bound at most, and what must be left of the pairs at most for one more time.
_ROUNDS, _SHRINKS = 8, 0.98
_METHODS = ("reduction", "linear bound", "branch and bound", "heuristic")
#: What a linear programme may be wrong by.
_ROUNDING = 1e-6
_LARGEST_WHOLE = 2.0**53


def reachable_weight(pairs: Pairs, weight: Floats, group: Ints | None = None, groups: int | None = None) -> Floats:
    """The weight of each group that all sites together cover: no choice covers more.

    Parameters
    ----------
    pairs
        Who reaches whom.
    weight, group
        (demands,), and to which group each belongs, from 0; None for a single group.
    groups
        How many there are; None for as many as `group` names.
    """
    numbers = _groups(pairs, group)
    count = groups if groups is not None else int(numbers.max(initial=0)) + 1
    reached = np.diff(pairs.demand_ptr) > 0
    return np.bincount(numbers[reached], weights=weight[reached], minlength=count).astype(np.float64)


def set_cover(
    pairs: Pairs,
    weight: Floats,
    needed: ArrayLike,
    *,
    group: Ints | None = None,
    cost: Floats | None = None,
    fixed: Bools | None = None,
    exact: bool | None = None,
) -> Choice:
    """Choose the fewest sites, or the cheapest, that cover enough weight of every group.

    Parameters
    ----------
    pairs
        Who reaches whom. What existing facilities cover is left out, or weighs 0.
    weight
        (demands,), 0 or more.
    needed
        Weight to be covered, one number or one a group. Where it is more than `reachable_weight`, the answer is the
        cheapest choice that covers all that can be covered.
    group
        (demands,), from 0; None for a single group. One site serves the demands of every group that it reaches.
    cost
        (sites,), 0 or more; None where all cost 1.
    fixed
        (sites,), which are open anyway. They are among the chosen and in the value.
    exact
        Whether to search until the best choice is proved where the bound of the linear relaxation does not prove it;
        None: where this is not too large, and up to a number of steps that does not depend on the machine; False: not.

    Returns
    -------
    Choice
        Its value is the number of sites, or their cost, its bound what no choice can do with less of. Where costs are
        no whole numbers, a millionth of the largest is no difference.
    """
    price = np.ones(pairs.sites) if cost is None else np.asarray(cost, dtype=np.float64)
    unit, whole = _unit(price)
    chosen = np.zeros(pairs.sites, dtype=np.bool_) if fixed is None else np.array(fixed, dtype=np.bool_)
    asked = np.asarray(needed, dtype=np.float64).reshape(-1)
    question = posed(pairs, np.asarray(weight, dtype=np.float64), _groups(pairs, group), asked, price / unit)
    left, taken = reduced(with_open(question, chosen))
    chosen[taken] = True
    bound, how = _cost(question, chosen), 0
    for part in apart(left):
        answer = _answer(part, whole=whole, exact=exact)
        chosen[part.site[answer.chosen]] = True
        bound, how = bound + answer.bound, max(how, answer.how)
    chosen = _without_idle(question, chosen, fixed)
    value = _cost(question, chosen)
    proved = value <= bound + _ROUNDING
    return Choice(chosen, value * unit, (value if proved else bound) * unit, proved, _METHODS[how])


class _Answer(NamedTuple):
    """The sites chosen for a part, what no choice costs less than, and how it was found, as a place in `_METHODS`."""

    chosen: Bools
    bound: float
    how: int


def _answer(part: Question, *, whole: bool, exact: bool | None) -> _Answer:
    """The best sites of a part: a bound, a choice by heuristics, and a search where the two do not meet."""
    relaxed = relax(part)
    bound = _lifted(relaxed.bound, whole=whole)
    chosen = _by_swaps(part, bound)
    step = 1.0 if whole else 0.0  # what a better answer costs less at least
    numbered = part._replace(site=np.arange(part.pairs.sites))
    if _cost(part, chosen) > bound + _ROUNDING:
        # good answers are among the sites that the bound is made of
        core = among(numbered, chosen | (relaxed.share > _ROUNDING))
        assert core is not None, "the sites chosen are among them"  # noqa: S101
        chosen, _ = _searched(part, chosen, reduced(core), _cost(part, chosen) - step, exact=exact)
    value = _cost(part, chosen)
    if value <= bound + _ROUNDING:
        return _Answer(chosen, value, 1)
    if exact is False:
        return _Answer(chosen, bound, 3)
    left = _narrowed(numbered, relaxed, value - step)
    if left is None:
        return _Answer(chosen, value, 1)
    if exact is None and len(left[0].pairs.site) > _MOST_PAIRS:
        return _Answer(chosen, bound, 3)
    chosen, least = _searched(part, chosen, left, value - step, exact=exact)
    value, bound = _cost(part, chosen), max(bound, _lifted(least, whole=whole))
    return _Answer(chosen, value if value <= bound + _ROUNDING else bound, 2)


def _narrowed(question: Question, relaxed: Relaxed, below: float) -> tuple[Question, Longs] | None:
    """The question on the sites that an answer within a cost can have, and those it must have; None: there is none.

    A site is in no such answer if the bound with it is above that cost, and in every one if the bound without it is.
    The bound of what is left has other such sites, and so in rounds.
    """
    taken: list[Longs] = []
    for _ in range(_ROUNDS):
        before = len(question.pairs.site)
        spare = below - relaxed.bound + _ROUNDING
        must = question.site[relaxed.extra < -spare]
        left = among(question, relaxed.extra <= spare)
        if left is None:
            return None
        below -= float(left.cost[np.isin(left.site, must)].sum())
        question, more = reduced(with_open(left, np.isin(left.site, must)))
        below -= float(left.cost[np.isin(left.site, more)].sum())
        taken += [must, more]
        if not question.pairs.demands or len(question.pairs.site) > _SHRINKS * before:
            break
        relaxed = relax(question)
        if relaxed.bound > below + _ROUNDING:
            return None
    return question, np.concatenate(taken)


def _searched(
    part: Question, chosen: Bools, left: tuple[Question, Longs], below: float, *, exact: bool | None
) -> tuple[Bools, float]:
    """The cheapest choice within a cost, else what is chosen; and what no choice costs less than, as far as known.

    `left` is the question that is left and the sites already taken, both by their numbers in the part.
    """
    question, taken = left
    other = np.zeros_like(chosen)
    other[taken] = True
    spent = _cost(part, other)
    found = Searched(np.zeros(question.pairs.sites, dtype=np.bool_), 0.0)
    if question.pairs.demands:
        nodes = None if exact else _EFFORT // len(question.pairs.site)
        found = search(question, below=below - spent + _ROUNDING, nodes=nodes)
    if found.chosen is not None:
        other[question.site[found.chosen]] = True
        if suffices(part, other) and _cost(part, other) < _cost(part, chosen):
            chosen = other
    return chosen, spent + found.bound


def _cost(part: Question, chosen: Bools) -> float:
    return float(part.cost[chosen].sum())


def _by_swaps(part: Question, goal: float) -> Bools:
    """A choice by the compiled search, for which the demands that must be covered are one more group."""
    from gridmap.siting.solve.set_cover_kernel import cheap_cover

    groups = len(part.needed)
    group = np.where(part.must, groups, part.group).astype(np.int32)
    needed = np.append(part.needed, part.weight[part.must].sum())
    enough = needed - SUM_ERROR * np.bincount(group, weights=part.weight, minlength=groups + 1)
    cost = np.maximum(part.cost, _ROUNDING)
    arguments: tuple[Any, ...] = (*part.pairs[:4], part.weight, group, enough, cost, goal, _STEPS)
    return cheap_cover(*arguments)


def _without_idle(question: Question, chosen: Bools, fixed: Bools | None) -> Bools:
    """Without sites that cost nothing and are not needed."""
    free = chosen & (question.cost == 0) if fixed is None else chosen & (question.cost == 0) & ~np.asarray(fixed)
    for site in np.flatnonzero(free):
        chosen[site] = False
        chosen[site] = not suffices(question, chosen)
    return chosen


def _unit(price: Floats) -> tuple[float, bool]:
    """What costs are counted in, and whether all are whole numbers of it: their largest divisor, else the largest."""
    largest = float(price.max(initial=0.0))
    if largest == 0:
        return 1.0, True
    if largest < _LARGEST_WHOLE and np.all(price == np.round(price)):
        return float(np.gcd.reduce(price.astype(np.int64))), True
    return largest, False


def _lifted(bound: float, *, whole: bool) -> float:
    """The next cost that there can be."""
    return float(np.ceil(bound - _ROUNDING)) if whole else bound


def _groups(pairs: Pairs, group: Ints | None) -> Ints:
    return np.zeros(pairs.demands, dtype=np.int32) if group is None else np.asarray(group, dtype=np.int32)
