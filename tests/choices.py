"""Every choice among a few sites, the plain way, and small instances to try them on."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from gridmap.siting.solve.pairs import make_pairs

LIMIT = 10.0


def every_choice(sites, *, count=None, cost=None, budget=None, fixed=None):
    """All choices that a count or a budget pays for."""
    must = np.zeros(sites, bool) if fixed is None else fixed
    price, most = (np.ones(sites), count) if budget is None else (cost, budget)
    for bits in itertools.product([False, True], repeat=sites):
        chosen = np.array(bits)
        if chosen[must].all() and price[chosen].sum() <= most + 1e-9:
            yield chosen


def costs_of(pairs):
    """Dense costs (demands, sites), infinite where no pair is."""
    table = np.full((pairs.demands, pairs.sites), np.inf)
    table[np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)), pairs.site] = pairs.cost
    return table


@st.composite
def instances(draw, most_sites=7, most_demands=9):
    """Pairs and weights, with every demand reached by some sites or none; costs up to the limit."""
    sites, demands = draw(st.integers(1, most_sites)), draw(st.integers(1, most_demands))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    whole = draw(st.booleans())
    table = rng.integers(0, 13, (demands, sites)) if whole else rng.uniform(0, 13, (demands, sites))
    demand, site = np.nonzero(table <= LIMIT)
    pairs = make_pairs(demand, site, table[demand, site].astype(float), demands, sites)
    weight = rng.integers(0, 6, demands).astype(float)
    return pairs, weight if draw(st.booleans()) else weight * rng.uniform(0.5, 1, demands)


@st.composite
def means(draw, sites):
    """A count or a budget, and sites that are fixed, as the arguments of a solver."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    fixed = rng.random(sites) < draw(st.sampled_from([0.0, 0.3]))
    if draw(st.booleans()):
        return {"count": int(fixed.sum()) + draw(st.integers(0, 3)), "fixed": fixed}
    cost = rng.integers(0, 5, sites).astype(float)
    return {"cost": cost, "budget": cost[fixed].sum() + draw(st.integers(0, 8)), "fixed": fixed}
