"""What a set cover asks, and the same question on fewer sites and demands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.siting.solve.reduce import (
    implied_demands,
    merge_demands,
    take_demands,
    take_sites,
    undominated_sites,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["SUM_ERROR", "Question", "among", "apart", "posed", "reduced", "suffices", "with_open"]

#: What sums of weights may differ by, as a share, because they were added in another order.
SUM_ERROR = 1e-9


class Question(NamedTuple):
    """The cheapest sites that cover every demand that must be, and enough weight of each group.

    `site` is the number each site had at first, `cost` (sites,) its cost. `weight` and `group` (demands,); `must`
    (demands,) those without which too little is left; `needed` (groups,) the weight to be covered among the others.
    """

    pairs: Pairs
    weight: Floats
    group: Ints
    must: Bools
    needed: Floats
    site: Longs
    cost: Floats


def posed(pairs: Pairs, weight: Floats, group: Ints, needed: Floats, cost: Floats) -> Question:
    """The question on all sites: of what no site reaches nothing is asked, of the rest no more than there is.

    Where weights are whole numbers the weight needed is one too.
    """
    reached = np.diff(pairs.demand_ptr) > 0
    whole = bool(np.all(weight == np.round(weight)))
    total = np.bincount(group[reached], weights=weight[reached], minlength=len(needed))
    asked = np.clip(needed, 0.0, total)
    error = SUM_ERROR * np.maximum(total, 1.0 if whole else 0.0)
    asked = np.where(asked >= total - error, total, asked)
    asked = np.ceil(asked - error) if whole else asked
    must = np.zeros(pairs.demands, dtype=np.bool_)
    question = Question(pairs, weight, group, must, asked, np.arange(pairs.sites), cost)
    return _with_demands(question, np.flatnonzero(reached & (weight > 0) & (asked > 0)[group]))


def reduced(question: Question) -> tuple[Question, Longs]:
    """The same question on fewer sites and demands, and the sites that every answer to it has.

    Rounds of: demands whose weight is more than may be left out must be covered; what is covered with another demand
    is not asked for; a site that alone reaches a demand that must be covered is taken; equal demands are merged; sites
    that another one can stand in for fall away.
    """
    taken: list[Longs] = []
    before = (-1, -1)
    while before != (question.pairs.demands, question.pairs.sites):
        before = (question.pairs.demands, question.pairs.sites)
        question = _merged(_with_musts(question))
        question = _covered(question, implied_demands(question.pairs, question.must))
        alone = question.must & (np.diff(question.pairs.demand_ptr) == 1)
        needed = np.zeros(question.pairs.sites, dtype=np.bool_)
        needed[question.pairs.site[question.pairs.demand_ptr[:-1][alone]]] = True
        taken.append(question.site[needed])
        question = with_open(question, needed)
        question = _without_sites(question, ~undominated_sites(question.pairs, question.cost))
    return question, np.concatenate(taken)


def with_open(question: Question, which: Bools) -> Question:
    """The question on the other sites that is left when some are open."""
    return _without_sites(_covered(question, _reached_by(question.pairs, which)), which)


def among(question: Question, which: Bools) -> Question | None:
    """The question on some of the sites; None where these do not suffice for it."""
    if not suffices(question, which):
        return None
    left = _without_sites(question, ~which)
    return _with_demands(left, np.flatnonzero(np.diff(left.pairs.demand_ptr) > 0))


def suffices(question: Question, chosen: Bools) -> bool:
    """Whether the chosen sites cover all that must be covered, and enough of the rest."""
    reached = _reached_by(question.pairs, chosen)
    free = reached & ~question.must
    won = np.bincount(question.group[free], weights=question.weight[free], minlength=len(question.needed))
    return bool(reached[question.must].all() and (won >= question.needed * (1 - SUM_ERROR)).all())


def apart(question: Question) -> list[Question]:
    """Parts of the question that have nothing to do with one another: each can be answered alone.

    Demands that share a site belong together, and so do those of one group among which there is a choice.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs, n = question.pairs, question.pairs.demands
    size = n + pairs.sites + len(question.needed)
    demand = np.repeat(np.arange(n), np.diff(pairs.demand_ptr))
    free = np.flatnonzero(~question.must)
    source = np.concatenate((demand, free))
    target = np.concatenate((n + pairs.site, n + pairs.sites + question.group[free]))
    links = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(size, size))
    label = connected_components(links, directed=False)[1]
    parts = []
    for number in np.unique(label[:n]):
        part = _without_sites(question, label[n : n + pairs.sites] != number)
        part = _with_demands(part, np.flatnonzero(label[:n] == number))
        held = np.bincount(part.group[~part.must], minlength=len(part.needed)) > 0
        parts.append(part._replace(needed=np.where(held, part.needed, 0.0)))
    return parts


def _reached_by(pairs: Pairs, chosen: Bools) -> Bools:
    """Demands that one of the chosen sites reaches."""
    reached = np.zeros(pairs.demands, dtype=np.bool_)
    reached[pairs.demand[np.repeat(chosen, np.diff(pairs.site_ptr))]] = True
    return reached


def _with_musts(question: Question) -> Question:
    """Those demands must be covered without which too little is left."""
    free = ~question.must
    total = np.bincount(question.group[free], weights=question.weight[free], minlength=len(question.needed))
    spare = total - question.needed + SUM_ERROR * total
    must = question.must | (question.weight > spare[question.group])
    fresh = must & free
    return _freed(question._replace(must=must, needed=_less(question, fresh)))


def _covered(question: Question, which: Bools) -> Question:
    """The question that is left when some demands are known to be covered."""
    if not which.any():
        return question
    question = question._replace(needed=_less(question, which & ~question.must))
    return _freed(_with_demands(question, np.flatnonzero(~which)))


def _less(question: Question, which: Bools) -> Floats:
    """What is needed beyond the weight of some demands."""
    won = np.bincount(question.group[which], weights=question.weight[which], minlength=len(question.needed))
    return np.where(question.needed - won > SUM_ERROR * question.needed, question.needed - won, 0.0)


def _freed(question: Question) -> Question:
    """Without demands that need not be covered, in groups that need nothing more."""
    return _with_demands(question, np.flatnonzero(question.must | (question.needed > 0)[question.group]))


def _with_demands(question: Question, rows: Longs) -> Question:
    """The question on some demands."""
    if len(rows) == question.pairs.demands:
        return question
    return question._replace(
        pairs=take_demands(question.pairs, rows),
        weight=question.weight[rows],
        group=question.group[rows],
        must=question.must[rows],
    )


def _without_sites(question: Question, which: Bools) -> Question:
    """The question on the other sites; they need not suffice for it."""
    if not which.any():
        return question
    left = np.flatnonzero(~which)
    return question._replace(pairs=take_sites(question.pairs, left), site=question.site[left], cost=question.cost[left])


def _merged(question: Question) -> Question:
    """With demands as one that the same sites reach, those that must be covered apart from those that need not."""
    groups = len(question.needed)
    group = np.where(question.must, groups, question.group).astype(np.int32)
    merged = merge_demands(question.pairs, question.weight, group)
    must = merged.group == groups
    return question._replace(
        pairs=merged.pairs, weight=merged.weight, group=np.where(must, 0, merged.group).astype(np.int32), must=must
    )
