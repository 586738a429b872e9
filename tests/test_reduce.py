"""Reductions of siting instances: what is merged and left out, against the table of who reaches whom."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from gridmap.siting.solve.pairs import make_pairs
from gridmap.siting.solve.reduce import implied_demands, merge_demands, take_demands, take_sites, undominated_sites


@st.composite
def tables(draw):
    """Who reaches whom, bool (demands, sites)."""
    shape = draw(st.tuples(st.integers(1, 10), st.integers(1, 8)))
    return draw(nps.arrays(np.bool_, shape))


def pairs_of(table):
    demand, site = np.nonzero(table)
    return make_pairs(demand, site, np.zeros(len(demand)), *table.shape)


def table_of(pairs):
    """The same in both orders of the pairs."""
    by_demand = np.zeros((pairs.demands, pairs.sites), bool)
    by_demand[np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)), pairs.site] = True
    by_site = np.zeros_like(by_demand)
    by_site[pairs.demand, np.repeat(np.arange(pairs.sites), np.diff(pairs.site_ptr))] = True
    assert (by_demand == by_site).all()
    return by_demand


@settings(max_examples=200, deadline=None)
@given(tables(), st.data())
def test_demands_of_one_group_with_equal_sites_become_one(table, data):
    weight = data.draw(nps.arrays(np.float64, len(table), elements=st.integers(0, 9)))
    group = data.draw(nps.arrays(np.int32, len(table), elements=st.integers(0, 1)))
    merged = merge_demands(pairs_of(table), weight, group)
    assert (table_of(merged.pairs)[merged.member] == table).all()
    assert (merged.group[merged.member] == group).all()
    kinds = {(row.tobytes(), int(one)) for row, one in zip(table, group, strict=True)}
    assert len(merged.weight) == merged.pairs.demands == len(kinds)
    for i, total in enumerate(merged.weight):
        assert total == weight[merged.member == i].sum()


@settings(max_examples=200, deadline=None)
@given(tables(), st.data())
def test_a_site_falls_away_only_where_another_stands_in(table, data):
    sites = table.shape[1]
    cost = data.draw(nps.arrays(np.float64, sites, elements=st.integers(1, 3)))
    kept = data.draw(nps.arrays(np.bool_, sites))
    stays = undominated_sites(pairs_of(table), cost, kept)
    assert stays[kept].all()
    for s in np.flatnonzero(~stays):
        within = ~(table[:, [s]] & ~table[:, stays]).any(axis=0)
        assert not table[:, s].any() or (within & (kept[stays] | (cost[stays] <= cost[s]))).any()
    for s in np.flatnonzero(stays & ~kept):
        others = np.flatnonzero(stays & (np.arange(sites) != s))
        within = ~(table[:, [s]] & ~table[:, others]).any(axis=0)
        assert table[:, s].any()
        assert not (within & (kept[others] | (cost[others] <= cost[s]))).any()


@settings(max_examples=200, deadline=None)
@given(tables(), st.data())
def test_a_demand_is_implied_by_one_that_must_be_covered(table, data):
    must = data.draw(nps.arrays(np.bool_, len(table))) & table.any(axis=1)
    told = implied_demands(pairs_of(table), must)
    for d in range(len(table)):
        others = must & ~told & (np.arange(len(table)) != d)
        implied = bool((~(table[others] & ~table[d]).any(axis=1)).any())
        assert told[d] == implied


@settings(max_examples=100, deadline=None)
@given(tables(), st.data())
def test_taking_demands_and_sites_takes_their_pairs(table, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(table) - 1), unique=True)), dtype=np.int64)
    columns = np.flatnonzero(data.draw(nps.arrays(np.bool_, table.shape[1])))
    assert (table_of(take_demands(pairs_of(table), rows)) == table[rows]).all()
    assert (table_of(take_sites(pairs_of(table), columns)) == table[:, columns]).all()


def test_unlike_demands_with_one_fingerprint_stay_apart(monkeypatch):
    class Same:
        def integers(self, *_args, **_named):
            return np.zeros(3, dtype=np.uint64)

    monkeypatch.setattr("gridmap.siting.solve.reduce.np.random.default_rng", lambda _seed: Same())
    merged = merge_demands(pairs_of(np.eye(3, dtype=bool)), np.ones(3))
    assert (table_of(merged.pairs)[merged.member] == np.eye(3)).all()
