"""The division engine: against exhaustive enumeration on small instances, and by its invariants on larger ones."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import box

from gridmap.division.search import engine, shape
from gridmap.division.search.anneal_kernel import anneal
from gridmap.division.search.partition import lots_from_borders, partition, partition_lots
from gridmap.division.search.shape import NO_STOPS, shape_cost, stops_at
from gridmap.errors import OptionError


def lots_on_a_board(households, columns):
    """Square lots of 50 m, row by row."""
    geometry = [box(50 * (i % columns), 50 * (i // columns), 50 * (i % columns) + 50, 50 * (i // columns) + 50)
                for i in range(len(households))]  # fmt: skip
    return gpd.GeoDataFrame({"households": households}, geometry=geometry, crs=32650)


def matrix(n, pairs):
    a, b = np.array(pairs, dtype=int).reshape(-1, 2).T
    return coo_array((np.full(2 * len(a), 50.0), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()


def legal_plan_exists(weights, pairs, lower, upper):  # noqa: C901
    """Enumerate: take the first free atom, try every connected legal part that holds it, recurse."""
    n = len(weights)
    near = [0] * n
    for a, b in pairs:
        near[a] |= 1 << b
        near[b] |= 1 << a

    def connected(mask):
        seen = mask & -mask
        while True:
            grown = seen
            for i in range(n):
                if seen >> i & 1:
                    grown |= near[i] & mask
            if grown == seen:
                return seen == mask
            seen = grown

    total = [sum(weights[i] for i in range(n) if mask >> i & 1) for mask in range(1 << n)]

    @cache
    def solve(free):
        if free == 0:
            return True
        first = free & -free
        rest = free ^ first
        sub = rest
        while True:
            part = sub | first
            if lower <= total[part] <= upper and connected(part) and solve(free ^ part):
                return True
            if sub == 0:
                return False
            sub = (sub - 1) & rest

    return solve((1 << n) - 1)


@st.composite
def small_towns(draw):
    columns = draw(st.integers(1, 4))
    n = draw(st.integers(1, 9))
    lumpy = st.one_of(st.integers(0, 120), st.integers(100, 480), st.just(0))
    weights = draw(st.lists(lumpy, min_size=n, max_size=n))
    pairs = [(i, j) for i in range(n) for j in (i + 1, i + columns) if j < n and (j != i + 1 or j % columns)]
    kept = [pair for pair in pairs if draw(st.integers(0, 9)) < 8]
    return weights, kept, columns


@settings(max_examples=300, deadline=None)
@given(small_towns())
def test_legal_wherever_enumeration_finds_a_legal_plan(town):
    weights, pairs, columns = town
    lots = lots_on_a_board(weights, columns)
    part = partition(lots, adjacency=matrix(len(weights), pairs))
    sums = lots.households.groupby(part).sum()
    legal = sums.between(300, 500).all()
    assert legal == legal_plan_exists(tuple(weights), tuple(pairs), 300, 500)
    assert len(part.attrs["findings"]) == (~sums.between(300, 500)).sum()


@settings(max_examples=60, deadline=None)
@given(small_towns(), st.integers(0, 3))
def test_parts_are_connected_and_hold_every_lot_once(town, seed):
    weights, pairs, columns = town
    adjacency = matrix(len(weights), pairs)
    part = partition(lots_on_a_board(weights, columns), adjacency=adjacency, seed=seed)
    assert sorted(part.unique()) == list(range(part.max() + 1))
    for label in part.unique():
        inside = np.flatnonzero(part == label)
        assert connected_components(adjacency[inside][:, inside], directed=False)[0] == 1


def random_lots(seed, side=16):
    rng = np.random.default_rng(seed)
    return lots_on_a_board(np.clip(rng.lognormal(3.4, 0.9, side * side), 0, 400).astype(int), side)


def test_many_lots_are_all_in_the_band():
    lots = random_lots(1)
    part = partition(lots)
    sums = lots.households.groupby(part).sum()
    assert sums.between(300, 500).all()
    assert sums.sum() == lots.households.sum()
    assert len(part.attrs["findings"]) == 0


def test_same_seed_same_parts_and_row_labels_do_not_matter():
    lots = random_lots(2)
    first, second = partition(lots, seed=5), partition(lots, seed=5)
    pd.testing.assert_series_equal(first, second)
    renamed = partition(lots.set_axis([f"lot {i}" for i in lots.index]), seed=5)
    assert renamed.tolist() == first.tolist()


def test_more_effort_gives_a_better_shape():
    """Measured on the dissolved polygons, apart from the engine's own sums."""
    lots = random_lots(3)

    def cost(effort):
        parts = lots.dissolve(partition(lots, effort=effort), aggfunc="sum")
        roundness = 4 * np.pi * parts.area / parts.length**2
        return (1 - roundness + shape.BALANCE * ((parts.households - 400) / 200) ** 2).mean()

    assert cost("high") < cost("low")


def test_shared_borders_shorter_than_three_metres_do_not_join():
    squares = [box(0, 0, 50, 50), box(50, 48, 100, 98)]
    lots = gpd.GeoDataFrame({"households": [200, 200]}, geometry=squares, crs=32650)
    assert partition(lots).tolist() == [0, 1]
    touching = lots.set_geometry([squares[0], box(50, 46, 100, 96)], crs=32650)
    assert partition(touching).tolist() == [0, 0]


def certificates(part):
    return [json.loads(c) for c in part.attrs["findings"].certificate]


def test_a_tower_above_the_limit_is_certified():
    part = partition(lots_on_a_board([812, 200, 200, 350], 4))
    sums = {812, 400, 350}
    assert set(lots_on_a_board([812, 200, 200, 350], 4).households.groupby(part).sum()) == sums
    (certificate,) = certificates(part)
    assert certificate["kind"] == "atom_above_upper"
    assert certificate["atom_weight"] == 812


def test_long_results_print_and_join():
    """Pandas compares attrs to do so, and a table in them must not stand in its way."""
    lots = random_lots(4)
    part = partition(lots)
    assert len(repr(part)) > 100
    joined = pd.concat([part[:10], part[10:]])
    pd.testing.assert_frame_equal(pd.DataFrame(joined.attrs["findings"]), pd.DataFrame(part.attrs["findings"]))
    assert lots.join(part)["part"].tolist() == part.tolist()


def test_two_towers_are_not_put_together_to_save_a_grid():
    lots = lots_on_a_board([600, 700, 400], 3)
    assert partition(lots).nunique() == 3


def test_550_is_one_grid_of_550_not_two_of_275():
    part = partition(lots_on_a_board([110] * 5, 5))
    assert set(part) == {0}
    (certificate,) = certificates(part)
    assert certificate == certificate | {"kind": "component_total", "total": 550.0, "weight": 550.0}


def test_lots_without_households_are_one_part_and_no_violation_is_hidden():
    part = partition(lots_on_a_board([0, 0, 0], 3))
    assert part.tolist() == [0, 0, 0]
    assert part.attrs["findings"].status.tolist() == ["below"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lower": 500, "upper": 300}, "0 <= lower <= upper"),
        ({"weight": "people"}, "lots have no column 'people'"),
        ({"effort": "heroic"}, "effort must be one of low, normal, high"),
        ({"adjacency": np.eye(4)}, r"scipy sparse matrix of shape \(4, 4\)"),
    ],
)
def test_options_that_cannot_work_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        partition(lots_on_a_board([200, 200, 200, 200], 4), **options)


def test_negative_and_missing_weights_are_named():
    lots = lots_on_a_board([200, -1, 200, np.nan], 4)
    with pytest.raises(OptionError, match="2 are not, in rows 1, 3"):
        partition(lots)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 620), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_a_tree_is_cut_as_well_as_it_can_be(weights, random):
    """On a tree, cuts are subsets of its edges: try them all."""
    from gridmap.division.search.tree_kernel import OUTSIDE, cut_tree

    m = len(weights)
    parent = np.array([-1] + [random.randrange(i) for i in range(1, m)], np.int32)
    depth = [0] * m
    for i in range(1, m):
        depth[i] = depth[parent[i]] + 1
    order = np.array(sorted(range(m), key=lambda i: depth[i]), np.int32)
    close = engine._closing_costs(300, 500, 400)
    part, _, parts = cut_tree(order, parent, np.array(weights, np.int32), 500, close, OUTSIDE)

    def violation(label):
        return engine.outside_band(label, np.array(weights), engine.Band(300, 500))

    best = min(violation(np.unique(roots(parent, order, cuts), return_inverse=True)[1]) for cuts in range(1 << (m - 1)))
    assert violation(part) == best
    assert sorted(set(part)) == list(range(parts))


def roots(parent, order, cuts):
    label = np.zeros(len(parent), int)
    for i in order:
        above = parent[i]
        label[i] = i if above < 0 or cuts >> (i - 1) & 1 else label[above]
    return label


def test_the_adjacency_decides_even_where_lots_touch():
    lots = lots_on_a_board([150, 150, 150, 150], 4)
    part = partition(lots, adjacency=matrix(4, [(0, 1), (2, 3)]))
    assert part.tolist() == [0, 0, 1, 1]
    apart = partition(lots, adjacency=matrix(4, [(1, 2)]))
    assert apart[1] == apart[2]
    assert apart.nunique() == 3


def town_with_stops(seed, side=12):
    """Lots on a board, half of the land empty, as arrays of the engine."""
    rng = np.random.default_rng(seed)
    n = side * side
    weight = np.where(rng.random(n) < 0.5, 0.0, rng.integers(20, 120, n))
    xy = np.column_stack((np.arange(n) % side, np.arange(n) // side)) * 50.0 + rng.uniform(5, 45, (n, 2))
    pairs = [(i, j) for i in range(n) for j in (i + 1, i + side) if j < n and (j != i + 1 or j % side)]
    a, b = np.array(pairs).T
    metres = np.full(len(a), 50.0)
    made = (weight, np.full(n, 2500.0), np.full(n, 200.0), a, b, metres, metres, metres > 0)
    return lots_from_borders(*made, stops=stops_at(weight, xy)), np.round(xy - np.floor(xy.min(axis=0)))


def estimated_tours(weight, xy, label):
    """Of each part, from its stops one by one."""
    stops = [xy[(label == part) & (weight > 0)] for part in range(label.max() + 1)]
    return np.array([np.sqrt(2 * np.pi * ((s - s.mean(axis=0)) ** 2).sum()) if len(s) else 0.0 for s in stops])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.4, 5.0]))
def test_energy_kept_from_move_to_move_is_that_worked_out_anew(seed, tours):
    lots, xy = town_with_stops(seed)
    band = engine.Band(300, 500)
    start = engine.divide_component(lots, band, effort="low", seed=seed)
    label, n = start.copy(), int(start.max()) + 1
    nobody = np.zeros(len(label) + 1, np.int32), np.zeros(0, np.int32)
    kept = anneal(
        label, n, lots.weight, lots.area, lots.perimeter, lots.indptr, lots.source, lots.neighbour, lots.twin,
        lots.border, lots.off_street, lots.joins, lots.block, lots.stops, *nobody, 300.0, 500.0, 400.0, 0.1, 0.5,
        tours, 20_000, 0.3, 0.2, np.array([seed + 1], np.uint64),
    )  # fmt: skip
    assert (label != start).any()
    held = np.bincount(label, lots.weight, n)
    there = np.bincount(label, minlength=n) > 0
    cut = label[lots.source] != label[lots.neighbour]
    inner = np.bincount(label[lots.source[~cut]], lots.border[~cut], n)
    outline = np.bincount(label, lots.perimeter, n) - inner
    area = np.bincount(label, lots.area, n)
    shape = 1 - 4 * np.pi * area[there] / outline[there] ** 2 + 0.1 * ((held[there] - 400) / 200) ** 2
    even = np.sqrt((lots.weight > 0).sum() / n * lots.area.sum() / n)
    wanted = shape.sum() + tours * estimated_tours(lots.weight, xy, label).sum() / even
    assert kept == pytest.approx(wanted, rel=1e-9)


def test_tours_are_shorter_where_stops_are_known():
    band = engine.Band(300, 500)
    known, unknown = [], []
    for seed in range(6):
        lots, xy = town_with_stops(seed)
        for lengths, given_lots in ((known, lots), (unknown, replace(lots, stops=NO_STOPS))):
            label = np.unique(partition_lots(given_lots, band, seed=seed), return_inverse=True)[1]
            assert np.bincount(label, lots.weight).min() >= 300
            lengths.append(estimated_tours(lots.weight, xy, label).sum())
    assert sum(known) < sum(unknown)


def test_without_stops_tours_count_nothing(monkeypatch):
    lots = replace(town_with_stops(3)[0], stops=NO_STOPS)
    band = engine.Band(300, 500)
    before, cost = partition_lots(lots, band), shape_cost(lots, np.zeros(len(lots.weight), int), band)
    monkeypatch.setattr(engine, "TOURS", 50.0)
    monkeypatch.setattr(shape, "TOURS", 50.0)
    assert np.array_equal(partition_lots(lots, band), before)
    assert shape_cost(lots, np.zeros(len(lots.weight), int), band) == cost


@given(st.integers(0, 10**6), st.integers(-500_000, 500_000))
def test_sums_of_stops_do_not_depend_on_order_or_origin(seed, shift):
    rng = np.random.default_rng(seed)
    weight, xy = rng.integers(0, 3, 40), rng.uniform(0, 20_000, (40, 2)).round(2)
    order = rng.permutation(40)
    stops, moved = stops_at(weight, xy), stops_at(weight[order], xy[order] + shift)
    assert np.array_equal(stops[order].sum(axis=0), stops.sum(axis=0))
    assert stops[:, 0].sum() == (weight > 0).sum()
    assert np.abs(stops[order] - moved)[:, :3].max() <= 1
