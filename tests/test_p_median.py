"""The p-median: every small instance by trying all choices, larger ones by an independent programme."""

from __future__ import annotations

import numpy as np
import pytest
from choices import LIMIT, costs_of, every_choice, instances, means
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridmap.errors import OptionError
from gridmap.siting.solve.p_median import _without_idle, p_median
from gridmap.siting.solve.pairs import make_pairs
from gridmap.siting.solve.saving_levels import most_saved
from gridmap.siting.solve.saving_search import saved, savings_of, search
from gridmap.siting.solve.spending import spending


def cost_of(pairs, weight, chosen, base=None, limit=LIMIT):
    nearest = np.where(chosen, costs_of(pairs), np.inf).min(axis=1)
    if base is not None:
        nearest = np.minimum(nearest, base)
    return float(weight @ np.minimum(nearest, limit))


def town(demands, sites, limit, seed=0):
    """Homes and sites at random in a square of 1000 m."""
    rng = np.random.default_rng(seed)
    home, site = rng.uniform(0, 1000, (demands, 2)), rng.uniform(0, 1000, (sites, 2))
    table = np.hypot(*(home[:, None] - site[None]).transpose(2, 0, 1))
    demand, at = np.nonzero(table <= limit)
    return make_pairs(demand, at, table[demand, at], demands, sites), rng.integers(1, 9, demands).astype(float)


@given(instances(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_choice_is_nearer(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    base = data.draw(st.none() | st.lists(st.sampled_from([0.0, 2.5, 7.0, np.inf]), min_size=9, max_size=9))
    base = None if base is None else np.array(base[: pairs.demands])
    best = min(cost_of(pairs, weight, c, base) for c in every_choice(pairs.sites, **asked))
    choice = p_median(pairs, weight, limit=LIMIT, base=base, **asked)
    assert choice.proved
    assert choice.value == pytest.approx(best)
    assert choice.bound == choice.value
    assert choice.value == pytest.approx(cost_of(pairs, weight, choice.chosen, base))
    assert any((c == choice.chosen).all() for c in every_choice(pairs.sites, **asked))
    quick = p_median(pairs, weight, limit=LIMIT, base=base, exact=False, **asked)
    assert quick.bound - 1e-6 <= best <= quick.value + 1e-6
    assert quick.gap <= 1


@given(instances(), st.data())
@settings(max_examples=80, deadline=None)
def test_bound_holds_with_each_site_in_and_out(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    savings = savings_of(pairs, weight, np.full(pairs.demands, LIMIT))
    _, bound = search(savings, spending(pairs.sites, **asked), np.random.default_rng(0))
    for chosen in every_choice(pairs.sites, **asked):
        here = saved(savings, chosen)
        assert here <= (bound.value - bound.less_in[chosen]).min(initial=np.inf) + 1e-6
        assert here <= (bound.value - bound.less_out[~chosen]).min(initial=np.inf) + 1e-6


@given(instances(), st.data())
@settings(max_examples=60, deadline=None)
def test_levels_alone_find_what_saves_most(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    savings, paid = savings_of(pairs, weight, np.full(pairs.demands, LIMIT)), spending(pairs.sites, **asked)
    found = most_saved(savings, paid, ~paid.fixed, paid.fixed, anyway=True)
    best = max(saved(savings, c) for c in every_choice(pairs.sites, **asked))
    assert found.proved
    assert paid.allows(found.chosen)
    assert saved(savings, found.chosen) == pytest.approx(best)
    assert found.bound == pytest.approx(best)


@given(instances(), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_a_further_candidate_never_worsens_it(instance, count):
    pairs, weight = instance
    without = pairs.site < pairs.sites - 1
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    fewer = make_pairs(demand[without], pairs.site[without], pairs.cost[without], pairs.demands, pairs.sites)
    more = p_median(pairs, weight, count=count, limit=LIMIT)
    assert more.value <= p_median(fewer, weight, count=count, limit=LIMIT).value + 1e-9


def test_same_as_a_programme_with_a_variable_for_each_pair():
    """Whole distances from a table, as in the lists of OR-Library: relaxed, the strong programme bounds the value."""
    pairs, weight = town(60, 12, 2000.0)
    table, (n, m) = costs_of(pairs), (60, 12)
    columns = m + n * m
    links, once = np.zeros((n * m, columns)), np.zeros((n, columns))
    for d in range(n):
        once[d, m + d * m : m + (d + 1) * m] = 1
        for s in range(m):
            links[d * m + s, m + d * m + s], links[d * m + s, s] = 1, -1
    number = np.zeros((1, columns))
    number[0, :m] = 1
    solved = linprog(
        np.r_[np.zeros(m), (weight[:, None] * table).ravel()],
        A_ub=np.r_[links, number],
        b_ub=np.r_[np.zeros(n * m), 3],
        A_eq=once,
        b_eq=np.ones(n),
        bounds=(0, 1),
        integrality=np.r_[np.ones(m), np.zeros(n * m)],
    )
    choice = p_median(pairs, weight, count=3, limit=2000.0)
    assert choice.proved
    assert choice.value == pytest.approx(solved.fun)
    assert p_median(pairs, weight, count=3, limit=2000.0, exact=False).bound <= solved.fun * (1 + 1e-9)


def test_what_the_multipliers_leave_open_is_solved():
    pairs, weight = town(600, 80, 250.0)
    quick = p_median(pairs, weight, count=10, limit=250.0, exact=False)
    choice = p_median(pairs, weight, count=10, limit=250.0)
    assert not quick.proved
    assert choice.proved
    assert choice.method == "milp"
    assert quick.bound <= choice.value <= quick.value
    assert quick.gap < 0.02


def test_whoever_is_not_reached_stands_at_the_limit():
    pairs = make_pairs(np.array([0]), np.array([0]), np.array([3.0]), 3, 2)
    choice = p_median(pairs, np.array([1.0, 2, 4]), count=1, limit=LIMIT)
    assert choice.value == 3 + 2 * LIMIT + 4 * LIMIT
    assert choice.chosen.tolist() == [True, False]
    nobody = p_median(pairs, np.zeros(3), count=1, limit=LIMIT)
    assert nobody.value == nobody.bound == 0
    assert nobody.gap == 0


@given(instances(), st.data())
@settings(max_examples=40, deadline=None)
def test_no_site_is_chosen_in_vain(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    choice = p_median(pairs, weight, limit=LIMIT, **asked)
    for site in np.flatnonzero(choice.chosen & ~asked["fixed"]):
        without = choice.chosen & (np.arange(pairs.sites) != site)
        assert cost_of(pairs, weight, without) > choice.value
    savings, paid = savings_of(pairs, weight, np.full(pairs.demands, LIMIT)), spending(pairs.sites, **asked)
    everyone = np.ones(pairs.sites, bool)
    left = _without_idle(savings, paid, everyone)
    assert saved(savings, left) == saved(savings, everyone)
    assert left[paid.fixed].all()
    for site in np.flatnonzero(left & ~paid.fixed):
        assert saved(savings, left & (np.arange(pairs.sites) != site)) < saved(savings, left)


def test_same_seed_same_choice():
    pairs, weight = town(300, 50, 300.0)
    first, second = (p_median(pairs, weight, count=6, limit=300.0, seed=5) for _ in range(2))
    assert (first.chosen == second.chosen).all()
    assert first[1:] == second[1:]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "either count= or budget="),
        ({"count": 1, "budget": 2.0}, "either count= or budget="),
        ({"count": 0, "fixed": np.array([True, False])}, "less than the 1 fixed"),
        ({"budget": 1.0}, "needs cost="),
        ({"budget": 1.0, "cost": np.array([-1.0, 1])}, "0 or more"),
        ({"budget": 1.0, "cost": np.array([2.0, 1]), "fixed": np.array([True, False])}, "more than budget=1"),
        ({"count": 1, "limit": np.inf}, "limit="),
    ],
)
def test_what_makes_no_sense_is_refused(asked, told):
    pairs = make_pairs(np.array([0]), np.array([0]), np.array([3.0]), 1, 2)
    with pytest.raises(OptionError, match=told):
        p_median(pairs, np.ones(1), **{"limit": LIMIT} | asked)
