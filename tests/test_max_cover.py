"""Maximum coverage beside every choice there is, and its kernels beside plain numpy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import OptionError
from gridmap.siting.solve import max_cover_kernel
from gridmap.siting.solve.max_cover import covered_by, max_cover, reduce_cover
from gridmap.siting.solve.max_cover_bound_kernel import relax, settle
from gridmap.siting.solve.max_cover_search import search
from gridmap.siting.solve.pairs import make_pairs


def pairs_of(reach):
    """Pairs of a boolean matrix, demands by sites."""
    demand, site = np.nonzero(reach)
    return make_pairs(demand, site, np.zeros(len(demand)), *reach.shape)


def best_of_all(reach, weight, cost, room, fixed):
    """The slow obvious way: try every set of sites."""
    sites = reach.shape[1]
    best = 0.0
    for size in range(sites + 1):
        for chosen in combinations(range(sites), size):
            if set(fixed) <= set(chosen) and cost[list(chosen)].sum() <= room + 1e-9:
                best = max(best, weight[reach[:, list(chosen)].any(axis=1)].sum())
    return best


@st.composite
def problems(draw):
    sites, demands = draw(st.integers(1, 9)), draw(st.integers(1, 14))
    reach = np.array(draw(st.lists(st.booleans(), min_size=sites * demands, max_size=sites * demands)))
    weights = st.integers(0, 9) if draw(st.booleans()) else st.sampled_from([0.25, 1.1, 2.7, 3.3])
    weight = np.array(draw(st.lists(weights, min_size=demands, max_size=demands)), dtype=float)
    return reach.reshape(demands, sites), weight


def spread(seed, demands=160, sites=40, radius=0.17):
    """A lot like those of the benchmark, small: points in a square, weights 1 to 100."""
    rng = np.random.default_rng(seed)
    apart = rng.uniform(size=(demands, 1, 2)) - rng.uniform(size=(1, sites, 2))
    return np.hypot(*apart.transpose(2, 0, 1)) <= radius, rng.integers(1, 101, demands).astype(float)


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 5), st.data())
def test_a_count_is_as_good_as_every_choice_tried(problem, count, data):
    reach, weight = problem
    fixed = data.draw(st.sets(st.integers(0, reach.shape[1] - 1), max_size=count))
    mask = np.isin(np.arange(reach.shape[1]), list(fixed))
    optimum = best_of_all(reach, weight, np.ones(reach.shape[1]), count, fixed)
    choice = max_cover(pairs_of(reach), weight, count=count, fixed=mask, exact=True)
    assert choice.proved
    assert choice.value == pytest.approx(optimum)
    assert choice.bound == choice.value
    assert choice.chosen.sum() <= count
    assert choice.chosen[mask].all()
    quick = max_cover(pairs_of(reach), weight, count=count, fixed=mask, exact=False)
    assert quick.value <= optimum + 1e-9
    assert quick.bound >= optimum - 1e-9


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_a_budget_is_as_good_as_every_choice_tried(problem, data):
    reach, weight = problem
    sites = reach.shape[1]
    fares = st.sampled_from([0.0, 0.3, 0.7, 1.0, 1.9, 3.0])
    cost = np.array(data.draw(st.lists(fares, min_size=sites, max_size=sites)))
    fixed = data.draw(st.sets(st.integers(0, sites - 1), max_size=2))
    mask = np.isin(np.arange(sites), list(fixed))
    budget = float(cost[mask].sum()) + data.draw(st.sampled_from([0.0, 1.0, 2.2, 4.9]))
    optimum = best_of_all(reach, weight, cost, budget, fixed)
    choice = max_cover(pairs_of(reach), weight, cost=cost, budget=budget, fixed=mask, exact=True)
    assert choice.proved
    assert choice.value == pytest.approx(optimum)
    assert cost[choice.chosen].sum() <= budget + 1e-9
    assert choice.chosen[mask].all()
    quick = max_cover(pairs_of(reach), weight, cost=cost, budget=budget, fixed=mask, exact=False)
    assert quick.value <= optimum + 1e-9 <= quick.bound + 2e-9


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(1, 3))
def test_one_more_candidate_never_makes_it_worse(problem, count):
    reach, weight = problem
    all_sites = max_cover(pairs_of(reach), weight, count=count, exact=True).value
    without_last = max_cover(pairs_of(reach[:, :-1]), weight, count=count, exact=True).value
    assert all_sites >= without_last - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_search_agrees_with_highs(seed):
    from scipy.optimize import Bounds, LinearConstraint, milp

    reach, weight = spread(seed)
    demands, sites = reach.shape
    covers = np.hstack([-reach.astype(float), np.eye(demands)])
    spends = np.concatenate([np.ones(sites), np.zeros(demands)])
    rows = LinearConstraint(np.vstack([covers, spends]), -np.inf, np.append(np.zeros(demands), 7))
    highs = milp(np.concatenate([np.zeros(sites), -weight]), constraints=rows, bounds=Bounds(0, 1), integrality=spends)
    choice = max_cover(pairs_of(reach), weight, count=7, exact=True)
    assert choice.proved
    assert choice.value == pytest.approx(-highs.fun)


@pytest.mark.parametrize("seed", range(10, 16))
def test_the_search_needs_no_good_start(seed):
    reach, weight = spread(seed, demands=80, sites=14, radius=0.25)
    _, problem = reduce_cover(pairs_of(reach), weight, np.ones(14), 4.0, np.zeros(14, bool))
    nothing = np.zeros(len(problem.cost), bool)
    opened, bound, proved = search(problem, 4.0, nothing, 1 - 1e-6, None)
    assert proved
    assert opened.sum() <= 4
    assert bound == best_of_all(reach, weight, np.ones(14), 4, set())


def test_the_same_arguments_give_the_same_choice():
    reach, weight = spread(9)
    first, second = (max_cover(pairs_of(reach), weight, count=6, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.chosen, second.chosen)
    assert first[1:] == second[1:]


def test_swaps_leave_no_swap_that_helps():
    reach, weight = spread(2)
    _, problem = reduce_cover(pairs_of(reach), weight, np.ones(40), 6.0, np.zeros(40, bool))
    start = max_cover_kernel.greedy(6.0, False, *problem)
    opened = max_cover_kernel.improve(start, 6.0, 0, 0, *problem)
    matrix = np.zeros((len(problem.weight), len(problem.cost)), bool)
    matrix[problem.demand, np.repeat(np.arange(len(problem.cost)), np.diff(problem.site_ptr))] = True

    def worth(chosen):
        return problem.weight[matrix[:, chosen].any(axis=1)].sum()

    reached = worth(opened)
    assert reached >= worth(start)
    for out in np.flatnonzero(opened):
        for new in np.flatnonzero(~opened):
            other = opened.copy()
            other[[out, new]] = False, True
            assert worth(other) <= reached + 1e-6


def test_greedy_takes_the_most_each_time():
    reach, weight = spread(5)
    _, problem = reduce_cover(pairs_of(reach), weight, np.ones(40), 5.0, np.zeros(40, bool))
    matrix = np.zeros((len(problem.weight), len(problem.cost)), bool)
    matrix[problem.demand, np.repeat(np.arange(len(problem.cost)), np.diff(problem.site_ptr))] = True
    opened, covered = np.zeros(len(problem.cost), bool), np.zeros(len(problem.weight), bool)
    for _ in range(5):
        best = np.argmax(problem.weight @ (matrix & ~covered[:, None]))
        opened[best] = True
        covered |= matrix[:, best]
    np.testing.assert_array_equal(max_cover_kernel.greedy(5.0, False, *problem), opened)


def test_any_multipliers_give_a_bound():
    reach, weight = spread(7, demands=60, sites=12, radius=0.3)
    pairs = pairs_of(reach)
    optimum = best_of_all(reach, weight, np.ones(12), 3, set())
    for share in (0.1, 0.5, 1.0):
        mult = share * weight
        plain = (weight - mult).sum() + np.sort(mult @ reach)[-3:].sum()
        least, *_ = relax(
            weight, weight, np.ones(60), mult.copy(), np.ones(12), 3.0, pairs.site_ptr, pairs.demand,
            np.zeros(12, bool), 0.0, 0.0, np.zeros(12), 1, 0.1, 0.1,
        )  # fmt: skip
        assert least == pytest.approx(plain)
        assert least >= optimum


def test_what_is_settled_holds_in_every_good_choice():
    settled_at_all = 0
    for seed in range(20, 28):
        reach, weight = spread(seed, demands=60, sites=12, radius=0.22)
        pairs, barred = pairs_of(reach), np.zeros(12, bool)
        worths = {c: weight[reach[:, c].any(axis=1)].sum() for c in combinations(range(12), 3)}
        enough = 0.97 * max(worths.values())
        steps = np.zeros(12), 200, 0.1, 0.001
        bound, worth, *_ = relax(
            weight, weight, np.ones(60), weight / 2, np.ones(12), 3.0, pairs.site_ptr, pairs.demand, barred, enough,
            0.0, *steps,
        )  # fmt: skip
        settled = settle(bound, enough, worth, np.ones(12), 3.0, barred)
        settled_at_all += np.count_nonzero(settled)
        for chosen, value in worths.items():
            if value >= enough:
                assert set(np.flatnonzero(settled == 1)) <= set(chosen)
                assert not set(np.flatnonzero(settled == -1)) & set(chosen)
    assert settled_at_all > 0


def test_reducing_merges_alike_demands_and_drops_the_lesser_site():
    #                 site 0 reaches all of site 1; demands 0 and 1 are alike once site 1 is gone; demand 3 none reaches
    reach = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    kept, problem = reduce_cover(pairs_of(reach), np.array([2.0, 3.0, 4.0, 5.0]), np.ones(3), 2.0, np.zeros(3, bool))
    assert kept.tolist() == [0, 2]
    assert sorted(problem.weight) == [4.0, 5.0]


def test_no_site_is_opened_for_nothing():
    reach = np.array([[1, 1, 1]], dtype=bool)
    choice = max_cover(pairs_of(reach), np.ones(1), count=3)
    assert choice.chosen.tolist() == [True, False, False]
    assert choice.proved
    assert covered_by(pairs_of(reach), choice.chosen).all()


def test_what_nobody_reaches_is_worth_nothing():
    choice = max_cover(pairs_of(np.zeros((3, 2), bool)), np.ones(3), count=1)
    assert choice == (pytest.approx(np.zeros(2, bool)), 0.0, 0.0, True, choice.method)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either count="),
        ({"count": 1, "budget": 2.0}, "either count="),
        ({"budget": 2.0}, "needs cost="),
        ({"count": -1}, "0 or more"),
        ({"cost": np.array([-1.0, 1.0]), "budget": 2.0}, "0 or more"),
        ({"count": 1, "fixed": np.ones(2, bool)}, "fixed sites"),
    ],
)
def test_options_that_cannot_work(options, words):
    with pytest.raises(OptionError, match=words):
        max_cover(pairs_of(np.ones((2, 2), bool)), np.ones(2), **options)


def test_a_weight_below_nothing_is_refused():
    with pytest.raises(OptionError, match="weight"):
        max_cover(pairs_of(np.ones((2, 2), bool)), np.array([1.0, -1.0]), count=1)
