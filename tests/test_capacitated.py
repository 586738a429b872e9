"""Sites with limited room: every small instance by trying all choices, and no site ever over its capacity."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from choices import LIMIT, costs_of, every_choice, instances, means
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import OptionError
from gridmap.siting.solve.capacitated import capacitated_cover, capacitated_coverage, capacitated_median
from gridmap.siting.solve.p_median import p_median
from gridmap.siting.solve.pairs import make_pairs
from gridmap.siting.solve.room_model import Task
from gridmap.siting.solve.room_search import cost_bound
from gridmap.siting.solve.spending import spending


@st.composite
def tasks(draw, most_sites=5):
    """Pairs, whole weights and capacities."""
    pairs, weight = draw(instances(most_sites, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return pairs, np.ceil(weight), rng.integers(0, 13, pairs.sites).astype(float)


def served(pairs, weight, capacity, chosen):
    """Most flow and, of such flows, the least cost: an independent solver on graphs, in whole numbers."""
    graph = nx.DiGraph()
    graph.add_nodes_from(["from", "to"])
    table = costs_of(pairs)
    for d, s in zip(*np.nonzero(np.isfinite(table) & chosen), strict=True):
        graph.add_edge("from", f"d{d}", capacity=int(weight[d]), weight=0)
        graph.add_edge(f"d{d}", f"s{s}", capacity=int(weight[d]), weight=round(table[d, s] * 1000))
        graph.add_edge(f"s{s}", "to", capacity=int(capacity[s]), weight=0)
    flow = nx.max_flow_min_cost(graph, "from", "to")
    return sum(flow["from"].values()), nx.cost_of_flow(graph, flow) / 1000


def check(pairs, weight, capacity, choice, assignment):
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    assert (assignment.flow >= 0).all()
    assert (np.bincount(pairs.site, assignment.flow, pairs.sites) <= np.where(choice.chosen, capacity, 0)).all()
    assert (np.bincount(demand, assignment.flow, pairs.demands) <= weight).all()
    assert (assignment.load == np.bincount(pairs.site, assignment.flow, pairs.sites)).all()


@given(tasks(), st.data())
@settings(max_examples=40, deadline=None)
def test_no_choice_serves_more(task, data):
    pairs = task[0]
    asked = data.draw(means(pairs.sites))
    best = max(served(*task, c)[0] for c in every_choice(pairs.sites, **asked))
    choice, assignment = capacitated_coverage(*task, **asked)
    check(*task, choice, assignment)
    assert choice.proved
    assert choice.value == choice.bound == best == assignment.flow.sum()
    assert any((c == choice.chosen).all() for c in every_choice(pairs.sites, **asked))
    quick, assignment = capacitated_coverage(*task, **asked, exact=False)
    check(*task, quick, assignment)
    assert quick.value <= best <= quick.bound + 1e-6


@given(tasks(), st.data())
@settings(max_examples=40, deadline=None)
def test_no_choice_costs_less(task, data):
    """At the limit nobody is served for less than it costs not to be, so that as many as can be are."""
    pairs, weight, _ = task
    asked = data.draw(means(pairs.sites))
    best = np.inf
    for chosen in every_choice(pairs.sites, **asked):
        many, spent = served(*task, chosen)
        # a limit far above all costs: serving one more always pays
        best = min(best, spent + 1000 * (weight.sum() - many))
    choice, assignment = capacitated_median(*task, limit=1000.0, **asked)
    check(*task, choice, assignment)
    assert choice.proved
    assert choice.value == pytest.approx(best, abs=0.01)
    quick, _ = capacitated_median(*task, limit=1000.0, **asked, exact=False)
    assert quick.bound - 0.01 <= best <= quick.value + 0.01


@given(tasks(), st.floats(0, 1.2), st.data())
@settings(max_examples=40, deadline=None)
def test_no_cheaper_choice_serves_enough(task, share, data):
    pairs, weight, _ = task
    asked = data.draw(means(pairs.sites))
    cost, fixed = asked.get("cost", np.ones(pairs.sites)), asked["fixed"]
    reachable = served(*task, np.ones(pairs.sites, bool))[0]
    needed = min(np.ceil(share * weight.sum()), reachable)
    every = every_choice(pairs.sites, count=pairs.sites, fixed=fixed)
    best = min(cost[c].sum() for c in every if served(*task, c)[0] >= needed)
    choice, assignment = capacitated_cover(*task, np.ceil(share * weight.sum()), cost=cost, fixed=fixed)
    check(*task, choice, assignment)
    assert choice.chosen[fixed].all()
    assert assignment.served.sum() >= needed
    assert choice.proved
    assert choice.value == choice.bound == best
    quick, assignment = capacitated_cover(*task, needed, cost=cost, fixed=fixed, exact=False)
    check(*task, quick, assignment)
    assert assignment.served.sum() >= needed
    assert quick.bound - 1e-6 <= best <= quick.value
    paid = spending(pairs.sites, cost=cost, budget=cost.sum(), fixed=fixed)
    same = Task(pairs, np.ones(len(pairs.cost)), weight, task[2])
    assert cost_bound(same, paid, needed) <= best + 1e-6


@given(tasks(), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_further_candidate_never_worsens_it(task, count):
    pairs, weight, capacity = task
    without = np.append(capacity[:-1], 0.0)
    more, _ = capacitated_coverage(pairs, weight, capacity, count=count)
    fewer, _ = capacitated_coverage(pairs, weight, without, count=count)
    assert more.value >= fewer.value


@given(instances(5, 7), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_with_room_for_all_it_is_the_p_median(instance, count):
    pairs, weight = instance
    choice, assignment = capacitated_median(pairs, weight, np.full(pairs.sites, np.inf), limit=LIMIT, count=count)
    assert choice.value == pytest.approx(p_median(pairs, weight, limit=LIMIT, count=count).value)
    assert (assignment.served <= weight).all()


def test_a_site_too_small_sends_the_rest_elsewhere():
    """Two schools: the near one takes 30 of 50 pupils; the far home has 20 and no other school within the limit."""
    pairs = make_pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([100.0, 400, 300]), 2, 2)
    choice, assignment = capacitated_median(pairs, np.array([50.0, 20]), np.array([30.0, 25]), limit=1000.0, count=2)
    assert assignment.flow.tolist() == [30, 5, 20]
    assert choice.value == 30 * 100 + 5 * 400 + 20 * 300 + 15 * 1000
    assert assignment.served.tolist() == [35, 20]
    with pytest.raises(OptionError, match="Capacities"):
        capacitated_coverage(pairs, np.ones(2), np.array([-1.0, 2]), count=1)


def test_larger_choices_state_their_gap():
    rng = np.random.default_rng(1)
    home, site = rng.uniform(0, 3000, (900, 2)), rng.uniform(0, 3000, (60, 2))
    table = np.hypot(*(home[:, None] - site[None]).transpose(2, 0, 1))
    demand, at = np.nonzero(table <= 700)
    pairs = make_pairs(demand, at, table[demand, at], 900, 60)
    weight, capacity = rng.integers(1, 60, 900).astype(float), rng.integers(500, 2500, 60).astype(float)
    for choice, assignment in (
        capacitated_coverage(pairs, weight, capacity, count=12, exact=False),
        capacitated_median(pairs, weight, capacity, limit=700.0, count=12, exact=False),
        capacitated_cover(pairs, weight, capacity, 0.7 * weight.sum(), exact=False),
    ):
        check(pairs, weight, capacity, choice, assignment)
        assert choice.gap < 0.1
