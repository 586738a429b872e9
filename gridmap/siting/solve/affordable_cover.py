"""Whether a budget pays for sites that reach everybody: less to find out than the cheapest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.siting.solve.set_cover_model import relax, search
from gridmap.siting.solve.set_cover_question import among, posed, reduced, with_open

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.set_cover_question import Question
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["affordable_cover"]

# What a linear programme may be wrong by, as a share of the budget.
_ROUNDING = 1e-6
# Exchanges tried.
_STEPS = 5_000


def affordable_cover(
    pairs: Pairs, needs: Floats, means: Spending, *, nodes: int | None
) -> tuple[bool | None, Bools | None]:
    """Look for sites that reach every demand and can be paid.

    The linear relaxation tells most covers that cannot be paid; for the others any that can will do.

    Parameters
    ----------
    pairs
        Who reaches whom; all demands that need it have to be reached by some site.
    needs
        (demands,), more than 0 for those that have to be reached.
    means
        What may be spent.
    nodes
        Of branch and bound, after how many to give up: 0 for no search, None for never.

    Returns
    -------
    answer, chosen
        False where there is no such choice, None where that was not found out; the sites where it is True.
    """
    unit = means.budget if means.budget > 0 else 1.0
    question = posed(pairs, needs, np.zeros(pairs.demands, np.int32), np.array([needs.sum()]), means.cost / unit)
    chosen = means.fixed.copy()
    left, taken = reduced(with_open(question, chosen))
    chosen[taken] = True
    spare = means.budget / unit - float(question.cost[chosen].sum())
    if spare < -_ROUNDING:
        return False, None
    if left.pairs.demands:
        answer, sites = _within(left, spare, nodes)
        if sites is None:
            return answer, None
        chosen[sites] = True
    return (True, chosen) if means.allows(chosen) else (None, None)


def _within(question: Question, spare: float, nodes: int | None) -> tuple[bool | None, Longs | None]:
    """Sites, by their first numbers, that reach all for what there is to spare."""
    relaxed = relax(question)
    if relaxed.bound > spare + _ROUNDING:
        return False, None
    found = _cheap(question, spare)
    if question.cost[found].sum() <= spare + _ROUNDING / 10:
        return True, question.site[found]
    if nodes == 0:
        return None, None
    # A site is in no choice that can be paid if the bound with it is above that.
    smaller = among(question, relaxed.bound + relaxed.extra <= spare + _ROUNDING)
    if smaller is None:
        return False, None
    answer = search(smaller, below=spare + _ROUNDING / 10, nodes=nodes, first=True)
    if answer.chosen is None:
        return (False if answer.bound == np.inf else None), None
    return True, smaller.site[answer.chosen]


def _cheap(question: Question, goal: float) -> Bools:
    """Sites that reach all, found by exchanges."""
    from gridmap.siting.solve.set_cover_kernel import cheap_cover

    pairs, cost = question.pairs, np.maximum(question.cost, _ROUNDING)
    enough = np.array([question.weight.sum() * (1 - _ROUNDING / max(pairs.demands, 1))])
    arguments: tuple[Any, ...] = (
        *pairs[:4], question.weight, np.zeros(pairs.demands, np.int32), enough, cost, goal, _STEPS
    )  # fmt: skip
    return cheap_cover(*arguments)
