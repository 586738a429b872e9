"""Who is served where, if room is limited: as a linear programme for given sites, as an integer one to choose them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Found", "Task", "assigned", "cheapest", "most_valuable"]

# Counts, so that answers do not change. HiGHS stops at this share between choice and bound; both are stated.
_BRANCHES, _GAP = 2_000, 1e-9


class Task(NamedTuple):
    """Weight of each demand, room at each site, and what a unit served is worth, in the order of the pairs' costs."""

    pairs: Pairs
    value: Floats
    weight: Floats
    room: Floats

    @property
    def demand(self) -> Longs:
        """The demand of each pair."""
        return np.repeat(np.arange(self.pairs.demands), np.diff(self.pairs.demand_ptr))


class Found(NamedTuple):
    """Sites, None where no choice was found, the bound, and whether no choice is better."""

    chosen: Bools | None
    bound: float
    proved: bool


class _Rows(NamedTuple):
    """Rows of a programme: at most `most`, over variables for the sites that are free and then for pairs."""

    rows: Any
    most: Floats
    sites: Longs
    at: Longs


def assigned(task: Task, chosen: Bools) -> Floats:
    """What each pair serves, for the most value, if these sites are open: a transport problem.

    Whole weights and rooms are assigned in whole numbers.
    """
    from scipy.optimize import linprog

    flow = np.zeros(len(task.value))
    model = _rows(task, np.zeros(task.pairs.sites, dtype=np.bool_), chosen, strong=False)
    if len(model.at) == 0:
        return flow
    # The simplex method ends in a corner, and the corners of a transport problem are whole.
    found = linprog(-task.value[model.at], A_ub=model.rows, b_ub=model.most, bounds=(0, None), method="highs-ds")
    flow[model.at] = found.x
    return _feasible(task, flow)


def _feasible(task: Task, flow: Floats) -> Floats:
    """Without what rounding makes a sum surpass its limit."""
    weight, room = task.weight, task.room
    if np.all(weight == np.round(weight)) and np.all(room == np.round(room)):
        return np.maximum(np.round(flow), 0.0)
    flow = np.maximum(flow, 0.0)
    for index, limit in ((task.demand, weight), (task.pairs.site, room)):
        total = np.bincount(index, weights=flow, minlength=len(limit))
        over = total > limit
        share = np.ones(len(limit))
        share[over] = limit[over] / total[over] * (1 - 1e-12)
        flow *= share[index]
    return flow


def most_valuable(task: Task, means: Spending, free: Bools, sure: Bools) -> Found:
    """Among the free sites, beside those that are sure, the ones that serve most value."""
    from scipy.sparse import csr_array, vstack

    model = _rows(task, free, sure, strong=True)
    n, m = len(model.sites), len(model.at)
    price = csr_array(np.append(means.cost[model.sites], np.zeros(m))[None, :])
    left = means.budget - means.cost[sure].sum()
    if left < 0:
        return Found(None, -np.inf, proved=True)
    if n + m == 0:
        return Found(sure.copy(), 0.0, proved=True)
    gain = np.append(np.zeros(n), -task.value[model.at])
    found = _solved(gain, n, vstack((model.rows, price)), np.append(model.most, left))
    return _choice(found, model, sure, -1.0)


def cheapest(task: Task, cost: Floats, free: Bools, sure: Bools, needed: float) -> Found:
    """Among the free sites, beside those that are sure, the cheapest that serve as much as is needed."""
    from scipy.sparse import csr_array, vstack

    model = _rows(task, free, sure, strong=True)
    n, m = len(model.sites), len(model.at)
    if n + m == 0:
        return Found(sure.copy() if needed <= 0 else None, float(cost[sure].sum()), proved=True)
    serve = csr_array(np.append(np.zeros(n), -np.ones(m))[None, :])
    price = np.append(cost[model.sites], np.zeros(m))
    found = _solved(price, n, vstack((model.rows, serve)), np.append(model.most, -needed))
    found = _choice(found, model, sure, 1.0)
    return found._replace(bound=found.bound + float(cost[sure].sum()))


def _solved(price: Floats, whole: int, rows: Any, most: Floats) -> Any:
    from scipy.optimize import Bounds, LinearConstraint, milp

    upper = np.full(len(price), np.inf)
    upper[:whole] = 1
    return milp(
        price,
        integrality=np.arange(len(price)) < whole,
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(rows, -np.inf, most),
        options={"node_limit": _BRANCHES, "mip_rel_gap": _GAP},
    )


def _choice(found: Any, model: _Rows, sure: Bools, sign: float) -> Found:
    bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
    if found.x is None:
        return Found(None, sign * bound, proved=False)
    chosen = sure.copy()
    chosen[model.sites[found.x[: len(model.sites)] > 0.5]] = True
    return Found(chosen, sign * bound, proved=found.status == 0)


def _rows(task: Task, free: Bools, sure: Bools, *, strong: bool) -> _Rows:
    """No demand is served more than it weighs, and no site serves more than it has room for, if it is open.

    Strong rows say of each pair that a site which is not open serves nothing of that demand: the same, but a better
    bound.
    """
    from scipy.sparse import csr_array

    at = np.flatnonzero((free | sure)[task.pairs.site])
    demand, site = task.demand[at], task.pairs.site[at].astype(np.int64)
    sites = np.flatnonzero(free)
    n, m, demands = len(sites), len(at), task.pairs.demands
    number, line = np.cumsum(free) - 1, np.cumsum(free | sure) - 1
    room = np.minimum(task.room, np.bincount(site, weights=task.weight[demand], minlength=len(free)))
    opened = np.flatnonzero(free | sure)
    linked = np.flatnonzero(free[site]) if strong else np.empty(0, np.int64)
    column, base = n + np.arange(m), demands + len(opened)
    row = np.concatenate((demand, demands + line[site], demands + line[sites], *[base + np.arange(len(linked))] * 2))
    col = np.concatenate((column, column, np.arange(n), column[linked], number[site[linked]]))
    entry = np.concatenate((np.ones(2 * m), -room[sites], np.ones(len(linked)), -task.weight[demand[linked]]))
    most = np.concatenate((task.weight, np.where(sure, room, 0.0)[opened], np.zeros(len(linked))))
    return _Rows(csr_array((entry, (row, col)), shape=(base + len(linked), n + m)), most, sites, at)
