"""Transport: everybody to a site with places for all, at the least total distance; split at will, or each as a whole.

F. L. Hitchcock, "The distribution of a product from several sources to numerous localities", Journal of Mathematics and
Physics 20, 1941; with each demand whole, the generalised assignment problem of G. T. Ross, R. M. Soland, Mathematical
Programming 8, 1975. Both are solved by HiGHS through scipy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Flows", "least_cost", "penalty_of", "whole_at_least_cost"]

# Pairs up to which whole demands are tried exactly, and the nodes of the search tree that may take: counted, not timed.
# Where places are short it takes half a minute for 1,000 pairs to place one in a hundred more than rounding does.
_EXACT_PAIRS, _NODES = 200, 500
# Parts of a demand smaller than this share of it are rounding.
_ROUNDING = 1e-9
# Pairs of each demand to begin with, and how much one left out has to save for one person to come in.
_FIRST, _PAYS = 4, 1e-7


class Flows(NamedTuple):
    """How many of each demand go to each of its sites, in the order of the pairs; what they cost and how many go."""

    flow: Floats
    cost: float
    placed: float


def penalty_of(pairs: Pairs) -> float:
    """What it costs to leave one without a place: more than any chain of moves that would give it one."""
    return (pairs.sites + 1) * max(float(pairs.cost.max(initial=0.0)), 1.0)


def least_cost(pairs: Pairs, weight: Floats, capacity: Floats) -> Flows:
    """As many as possible to a site, and of all ways to do so the cheapest; demands may be split.

    Parameters
    ----------
    pairs
        Which sites each demand reaches, and the cost for each one who goes there.
    weight
        (demands,) how many each demand is.
    capacity
        (sites,) how many each site takes.
    """
    demand = _demand(pairs)
    used = (weight[demand] > 0) & (capacity[pairs.site] > 0)
    flow = np.zeros(len(used))
    # a place is worth the penalty, so that none is left empty for being far
    worth = pairs.cost - penalty_of(pairs)
    taken = used & _nearest(pairs, used)
    while taken.any():
        flow[:], price = 0.0, np.zeros(pairs.demands + pairs.sites)
        flow[taken], price = _solve(pairs, taken, worth[taken], np.concatenate((weight, capacity)))
        # a pair left out that would pay at these prices comes in; where none would, nothing is better
        pays = used & ~taken & (worth - price[demand] - price[pairs.demands + pairs.site] < -_PAYS)
        if not pays.any():
            break
        taken |= pays
    flow[flow <= _ROUNDING * np.maximum(weight[demand], 1.0)] = 0.0
    return Flows(flow, float((flow * pairs.cost).sum()), float(flow.sum()))


def _solve(pairs: Pairs, taken: NDArray[np.bool_], worth: Floats, limit: Floats) -> tuple[Floats, Floats]:
    """The best flow on some of the pairs, and the price of each demand and each site there."""
    from scipy.optimize import linprog

    found = linprog(worth, A_ub=_rows(pairs, taken, np.ones(len(worth))), b_ub=limit, method="highs")
    if found.x is None:
        raise AssertionError(f"transport has no solution: {found.message}")
    return found.x, found.ineqlin.marginals


def _nearest(pairs: Pairs, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cheapest few pairs of each demand: most of those that the best flow uses."""
    demand = _demand(pairs)
    order = np.lexsort((pairs.site, pairs.cost, ~used, demand))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - pairs.demand_ptr[demand]
    return rank < _FIRST


def whole_at_least_cost(
    pairs: Pairs, weight: Floats, capacity: Floats, best: Flows | None = None
) -> tuple[Longs, bool]:
    """Site of each demand, -1 without, all of it to one site; and whether nothing better is possible.

    Small cases are solved exactly. In large ones whole demands of the split solution stay, and each of the few that it
    splits goes to the cheapest site with room, largest first; `best` is that solution where it is known.
    """
    if len(pairs.site) <= _EXACT_PAIRS:
        site = _exactly(pairs, weight, capacity)
        if site is not None:
            return site, True
    flow = (best or least_cost(pairs, weight, capacity)).flow
    site = np.full(pairs.demands, -1, dtype=np.int64)
    whole = flow >= weight[_demand(pairs)] * (1 - 1e-6)
    whole &= weight[_demand(pairs)] > 0
    site[_demand(pairs)[whole]] = pairs.site[whole]
    room = capacity - np.bincount(site[site >= 0], weights=weight[site >= 0], minlength=pairs.sites)
    for demand in np.lexsort((np.arange(pairs.demands), -weight)):
        if site[demand] >= 0 or weight[demand] == 0:
            continue
        own = slice(pairs.demand_ptr[demand], pairs.demand_ptr[demand + 1])
        fits = room[pairs.site[own]] >= weight[demand] - _slack(weight[demand])
        if fits.any():
            site[demand] = pairs.site[own][np.argmin(np.where(fits, pairs.cost[own], np.inf))]
            room[site[demand]] -= weight[demand]
    return site, False


def _slack(weight: float) -> float:
    return _ROUNDING * max(weight, 1.0)


def _exactly(pairs: Pairs, weight: Floats, capacity: Floats) -> Longs | None:
    """The best whole assignment, None where the search tree grows too large."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    demand = _demand(pairs)
    used = weight[demand] > 0
    site = np.full(pairs.demands, -1, dtype=np.int64)
    if not used.any():
        return site
    heavy = weight[demand[used]]
    rows = _rows(pairs, used, np.ones(len(heavy)), heavy)
    limits = [LinearConstraint(rows, ub=np.concatenate((np.ones(pairs.demands), capacity)))]
    # first as many as possible, then these at the least cost: in one sum the one would drown the other
    for worth in (-heavy, heavy * pairs.cost[used]):
        found = milp(
            worth, constraints=limits, integrality=np.ones(len(heavy)), bounds=Bounds(0, 1),
            options={"node_limit": _NODES, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.status != 0 or found.x is None:
            return None
        chosen = found.x > 0.5
        limits.append(LinearConstraint(heavy[None, :], lb=heavy[chosen].sum() * (1 - _ROUNDING)))
    site[demand[used][chosen]] = pairs.site[used][chosen]
    load = np.bincount(site[site >= 0], weights=weight[site >= 0], minlength=pairs.sites)
    return site if (load <= capacity * (1 + _ROUNDING) + _ROUNDING).all() else None


def _rows(pairs: Pairs, used: NDArray[np.bool_], by_demand: Floats, by_site: Floats | None = None) -> object:
    """Constraints: one a demand, then one a site; what each pair counts in its two."""
    from scipy.sparse import coo_array

    count = int(used.sum())
    columns = np.tile(np.arange(count), 2)
    rows = np.concatenate((_demand(pairs)[used], pairs.demands + pairs.site[used]))
    values = np.concatenate((by_demand, by_demand if by_site is None else by_site))
    return coo_array((values, (rows, columns)), shape=(pairs.demands + pairs.sites, count)).tocsr()


def _demand(pairs: Pairs) -> Longs:
    """Demand of each pair."""
    return np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
