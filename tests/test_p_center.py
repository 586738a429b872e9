"""The p-center: every small instance by trying all choices, and what is told where nothing reaches."""

from __future__ import annotations

import numpy as np
import pytest
from choices import LIMIT, costs_of, every_choice, instances, means
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import OptionError
from gridmap.siting.solve import p_center as p_center_file
from gridmap.siting.solve.p_center import p_center
from gridmap.siting.solve.pairs import make_pairs


def greatest_cost(pairs, weight, chosen, base=None):
    """Of the demands that weigh anything and are reached by some site or the base."""
    table = costs_of(pairs)
    there = np.full(pairs.demands, np.inf) if base is None else base
    counts = (weight > 0) & np.isfinite(np.minimum(table.min(axis=1), there))
    nearest = np.minimum(np.where(chosen, table, np.inf).min(axis=1), there)
    return float(nearest[counts].max(initial=0.0))


@given(instances(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_choice_has_everybody_nearer(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    base = data.draw(st.none() | st.lists(st.sampled_from([0.0, 2.5, 7.0, 30.0, np.inf]), min_size=9, max_size=9))
    base = None if base is None else np.array(base[: pairs.demands])
    best = min(greatest_cost(pairs, weight, c, base) for c in every_choice(pairs.sites, **asked))
    choice = p_center(pairs, weight, base=base, **asked)
    assert choice.proved
    assert choice.value == choice.bound == best
    assert choice.gap == 0
    assert any((c == choice.chosen).all() for c in every_choice(pairs.sites, **asked))
    assert greatest_cost(pairs, weight, choice.chosen, base) == best
    quick = p_center(pairs, weight, base=base, exact=False, **asked)
    assert quick.bound <= best <= quick.value
    assert 0 <= quick.gap <= 1


@given(instances(), st.data())
@settings(max_examples=150, deadline=None)
def test_large_instances_are_bounded_without_a_search(instance, data):
    pairs, weight = instance
    asked = data.draw(means(pairs.sites))
    base = data.draw(st.none() | st.lists(st.sampled_from([0.0, 2.5, 7.0, 30.0, np.inf]), min_size=9, max_size=9))
    base = None if base is None else np.array(base[: pairs.demands])
    best = min(greatest_cost(pairs, weight, c, base) for c in every_choice(pairs.sites, **asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(p_center_file, "_LARGE", -1)
        rough = p_center(pairs, weight, base=base, **asked)
    assert rough.bound <= best <= rough.value
    assert rough.proved == (rough.bound == rough.value)
    assert any((c == rough.chosen).all() for c in every_choice(pairs.sites, **asked))
    assert greatest_cost(pairs, weight, rough.chosen, base) <= rough.value


@given(instances(), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_a_further_candidate_never_worsens_it(instance, count):
    """As long as it reaches nobody whom no other one reaches: such a demand would have been left aside."""
    pairs, weight = instance
    table = costs_of(pairs)
    weight = np.where(np.isfinite(table[:, :-1]).any(axis=1), weight, 0)
    demand, site = np.nonzero(np.isfinite(table[:, :-1]))
    fewer = make_pairs(demand, site, table[demand, site], pairs.demands, pairs.sites)
    assert p_center(pairs, weight, count=count).value <= p_center(fewer, weight, count=count).value


def test_of_equal_centers_the_one_that_saves_most():
    """Any site brings the third home within 9, so that the others decide."""
    table = np.array([[9.0, 4, 5], [9.0, 1, 5], [9.0, 9, 9], [9.0, 9, 2]])
    demand, site = np.divmod(np.arange(12), 3)
    pairs = make_pairs(demand, site, table.ravel(), 4, 3)
    choice = p_center(pairs, np.array([1.0, 9, 1, 1]), count=1)
    assert choice.value == 9
    assert choice.chosen.tolist() == [False, True, False]
    assert p_center(pairs, np.array([1.0, 9, 1, 1]), count=2).chosen.tolist() == [False, True, True]


def test_where_no_choice_reaches_all():
    """Three homes far apart with a site each, and two sites may be chosen."""
    pairs = make_pairs(np.arange(3), np.arange(3), np.array([1.0, 2, 3]), 4, 3)
    choice = p_center(pairs, np.ones(4), count=2)
    assert (choice.value, choice.bound, choice.proved, choice.gap) == (np.inf, np.inf, True, 0.0)
    assert choice.chosen.sum() == 2
    # the fourth home, which no site reaches, is left aside
    assert p_center(pairs, np.ones(4), count=3).value == 3


def test_nobody_to_serve():
    pairs = make_pairs(np.arange(0), np.arange(0), np.zeros(0), 2, 2)
    choice = p_center(pairs, np.ones(2), count=1, fixed=np.array([False, True]))
    assert choice.chosen.tolist() == [False, True]
    assert (choice.value, choice.proved) == (0.0, True)
    reached = make_pairs(np.array([0]), np.array([0]), np.array([LIMIT]), 2, 2)
    assert p_center(reached, np.array([0.0, 1]), count=1).value == 0
    with pytest.raises(OptionError, match="either count= or budget="):
        p_center(reached, np.ones(2))
