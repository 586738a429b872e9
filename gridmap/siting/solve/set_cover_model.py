"""A set cover as a linear programme: its bound, what each site is worth there, and its best answer by HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.set_cover_question import Question

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Relaxed", "Searched", "relax", "search"]

#: How `milp` says that there is no answer.
_INFEASIBLE = 2


class Relaxed(NamedTuple):
    """The answer in which sites may be opened in part.

    `bound` is its cost, below which there is no answer; `share` (sites,) how far each is open; `extra` (sites,) by how
    much the bound would rise at least if the site were opened as a whole (negative: by how much if it were closed).
    """

    bound: float
    share: Floats
    extra: Floats


class Searched(NamedTuple):
    """The best answer found, None where none was, and the proved limit; infinite where there is no answer."""

    chosen: Bools | None
    bound: float


def relax(question: Question) -> Relaxed:
    """The linear relaxation; there has to be an answer."""
    from scipy.optimize import linprog

    rows, least, price = _model(question)
    found: Any = linprog(price, A_ub=-rows, b_ub=-least, bounds=(0.0, 1.0), method="highs")
    sites = question.pairs.sites
    # HiGHS told the derivative of the cost by the right hand side, negative here
    extra = price + rows.T @ found.ineqlin.marginals
    return Relaxed(float(found.fun), found.x[:sites], extra[:sites])


def search(question: Question, *, below: float, nodes: int | None, first: bool = False) -> Searched:
    """Branch and bound: an answer that costs no more than a limit.

    Parameters
    ----------
    question
        There need not be an answer.
    below
        What it may cost at most.
    nodes
        After how many nodes to stop; None: when it is proved.
    first
        Stop at the first answer.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    rows, least, price = _model(question)
    sites = question.pairs.sites
    whole = np.arange(len(price)) < sites
    limit = csr_array(price[None, :])
    limits = LinearConstraint(
        vstack((rows, limit)), np.append(least, -np.inf), np.append(np.full(len(least), np.inf), below)
    )
    options: dict[str, Any] = {"mip_rel_gap": float(first)} | ({} if nodes is None else {"node_limit": nodes})
    found: Any = milp(
        price, constraints=limits, bounds=Bounds(0.0, 1.0), integrality=whole.astype(int), options=options
    )
    if found.status == _INFEASIBLE:
        return Searched(None, np.inf)
    bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
    return Searched(None if found.x is None else found.x[:sites] > 0.5, bound)


def _model(question: Question) -> tuple[Any, Floats, Floats]:
    """Rows, their least values, and the price of each variable, all from 0 to 1: sites, then demands free to choose.

    A demand that must be covered: the sites that reach it come to 1. One that need not be: they come to its variable.
    A group: the weights of its variables come to what is needed, both as shares of the largest weight.
    """
    from scipy.sparse import csr_array

    pairs, n, sites = question.pairs, question.pairs.demands, question.pairs.sites
    free = np.flatnonzero(~question.must)
    groups = np.flatnonzero(question.needed > 0)
    largest = np.zeros(len(question.needed))
    np.maximum.at(largest, question.group[free], question.weight[free])
    column = sites + np.arange(len(free))
    row_of = np.searchsorted(groups, question.group[free])
    demand = np.repeat(np.arange(n), np.diff(pairs.demand_ptr))
    row = np.concatenate((demand, free, n + row_of))
    col = np.concatenate((pairs.site, column, column))
    share = question.weight[free] / largest[question.group[free]]
    value = np.concatenate((np.ones(len(demand)), np.full(len(free), -1.0), share))
    rows = csr_array((value, (row, col)), shape=(n + len(groups), sites + len(free)))
    least = np.concatenate((question.must.astype(np.float64), question.needed[groups] / largest[groups]))
    return rows, least, np.concatenate((question.cost, np.zeros(len(free))))
