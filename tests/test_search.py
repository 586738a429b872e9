"""Search: least distances against networkx on a graph split at every access point."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import network_oracle as oracle
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from gridmap.errors import OptionError
from gridmap.io.read.readers import read_buildings, read_facilities, read_streets
from gridmap.network.bounded import nodes_within, within
from gridmap.network.search import nearest, nearest_of_each_kind, node_costs, node_costs_of_each_kind
from gridmap.network.streets import StreetNetwork

CRS = 32650
CORNER = np.array([500_000.0, 4_400_000.0])
EXACT = 1e-6


def at(x, y):
    return Point(CORNER[0] + x, CORNER[1] + y)


def table(*lines, **columns):
    shapes = [shapely.transform(LineString(line), lambda xy: xy + CORNER) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def network_of(*lines, columns=None, **options):
    return StreetNetwork.from_streets(table(*lines, **(columns or {})), **options)


def all_pairs(network, origins, targets, by="metres"):
    """Distance of every origin to every target, by one search for each target."""
    out = np.empty((len(origins), len(targets)))
    for j in range(len(targets)):
        found = nearest(network, targets.take(np.array([j])), origins, by=by)
        out[:, j] = (found.metres if by == "metres" else found.minutes)[:, 0]
    return out


def points_of(access, i):
    rows = slice(access.owner_ptr[i], access.owner_ptr[i + 1])
    assert np.array_equal(access.t0[rows], access.t1[rows])
    return list(zip(access.edge[rows].tolist(), access.t0[rows].tolist(), access.leg[rows].tolist(), strict=True))


def oracle_pairs(network, origins, targets, weight=None):
    graph = network.graph
    weight = graph.edge_length if weight is None else weight
    against = ~graph.edge_forward
    ends = np.where(against, graph.edge_v, graph.edge_u), np.where(against, graph.edge_u, graph.edge_v)
    edges = list(zip(ends[0].tolist(), ends[1].tolist(), weight.tolist(), strict=True))
    oneway = set(np.flatnonzero(against | ~graph.edge_backward).tolist())
    sides = [
        [[(e, 1 - t if against[e] else t, leg) for e, t, leg in points_of(a, i)] for i in range(len(a))]
        for a in (origins, targets)
    ]
    return oracle.distances(edges, *sides, oneway=oneway)


def assert_same(found, wanted):
    assert np.array_equal(np.isfinite(found), np.isfinite(wanted))
    there = np.isfinite(wanted)
    assert np.abs(found[there] - wanted[there]).max(initial=0) <= EXACT


def within_matrix(network, origins, targets, limit, by="metres", **options):
    """What `within` finds as a matrix, infinite where it finds nothing; and that its rows are in order."""
    found = within(network, targets, origins, by=by, limit=limit, **options)
    assert found.origin_ptr[0] == 0
    assert len(found.origin_ptr) == len(origins) + 1
    out = np.full((len(origins), len(targets)), np.inf)
    for i in range(len(origins)):
        rows = slice(found.origin_ptr[i], found.origin_ptr[i + 1])
        assert (np.diff(found.target[rows]) > 0).all()
        out[i, found.target[rows]] = found.cost[rows]
    return out


PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda p: (p[0] * 17.0, p[1] * 17.0))
LINE = st.lists(PLACE, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
SPOT = st.tuples(st.floats(-30, 240), st.floats(-30, 240)) | PLACE


@settings(max_examples=120, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=10),
    st.lists(SPOT, min_size=1, max_size=6),
    st.lists(SPOT, min_size=1, max_size=6),
    st.sampled_from([0, 20, 50]),
    st.booleans(),
)
def test_equal_to_networkx_on_random_streets(lines, homes, services, reach, directed):
    # vertices on a lattice: loops, parallel and zero-length edges, coincident places and ties come by themselves
    columns = {"oneway": [("yes", None, "-1")[i % 3] for i in range(len(lines))]}
    network = network_of(*lines, columns=columns, mode="cycle" if directed else "walk", access_metres=reach)
    origins = network.access([at(*p) for p in homes])
    targets = network.access([at(*p) for p in services], kind="facility")
    wanted = oracle_pairs(network, origins, targets)
    assert_same(all_pairs(network, origins, targets), wanted)

    k = len(services)
    several = nearest(network, targets, origins, by="metres", k=k)
    assert_same(several.metres, np.sort(wanted, axis=1))
    for i, row in enumerate(several.target):
        reached = row[row >= 0]
        assert len(set(reached.tolist())) == len(reached) == np.isfinite(wanted[i]).sum()
        assert np.abs(several.metres[i, : len(reached)] - wanted[i, reached]).max(initial=0) <= EXACT
    one = nearest(network, targets, origins, by="metres")
    assert np.array_equal(one.target[:, 0], several.target[:, 0])
    assert_same(one.metres[:, 0], wanted.min(axis=1))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=10),
    st.lists(SPOT, min_size=1, max_size=6),
    st.lists(SPOT, min_size=1, max_size=6),
    st.sampled_from([0, 20, 50]),
    st.booleans(),
    st.floats(0, 400),
    st.sampled_from(["metres", "minutes"]),
)
def test_all_within_a_limit_equal_networkx(lines, homes, services, reach, directed, metres, by):
    columns = {
        "oneway": [("yes", None, "-1")[i % 3] for i in range(len(lines))],
        "stairs": [i % 2 for i in range(len(lines))],
    }
    network = network_of(*lines, columns=columns, mode="cycle" if directed else "walk", access_metres=reach)
    origins = network.access([at(*p) for p in homes])
    targets = network.access([at(*p) for p in services], kind="facility")
    if by == "metres":
        limit, wanted = metres, oracle_pairs(network, origins, targets)
    else:
        limit, timed = metres / 80, (_timed(origins, network), _timed(targets, network))
        wanted = oracle_pairs(network, *timed, network.graph.edge_seconds / 60)
    found = within_matrix(network, origins, targets, limit, by)
    sure = np.abs(wanted - limit) > EXACT
    assert_same(found[sure], np.where(wanted <= limit, wanted, np.inf)[sure])
    # each pair is what the search for the nearest finds, the measure that is not minimised among it
    for j in range(len(targets)):
        one = nearest(network, targets.take(np.array([j])), origins, by=by, limit=limit)
        pairs = within(network, targets.take(np.array([j])), origins, by=by, limit=limit)
        reached = one.target[:, 0] >= 0
        assert np.array_equal(pairs.origin, np.flatnonzero(reached))
        cost, other = (one.minutes, one.metres) if by == "minutes" else (one.metres, one.minutes)
        assert_same(pairs.cost, cost[reached, 0])
        assert_same(pairs.other, other[reached, 0])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 20]), st.booleans(), st.integers(1, 4))
def test_equal_to_networkx_on_graphs_with_edges_of_no_length(seed, reach, directed, k):
    # nodes at one place, edges of no length between them, parallel edges and loops: as a graph may come from outside
    rng = np.random.default_rng(seed)
    plain = nx.MultiDiGraph(crs=CRS) if directed else nx.MultiGraph(crs=CRS)
    n = int(rng.integers(2, 9))
    places = CORNER + rng.integers(0, 4, (n, 2)) * 30.0
    for node, (x, y) in enumerate(places):
        plain.add_node(node, x=x, y=y)
    for u, v in rng.integers(0, n, (int(rng.integers(1, 16)), 2)).tolist():
        corners = [places[u], CORNER + rng.uniform(0, 90, 2), places[v]] if u == v or rng.random() < 0.3 else None
        bent = {} if corners is None else {"geometry": LineString(corners)}
        plain.add_edge(u, v, length=float(rng.choice([0.0, 10.0, 30.0, 47.3])), **bent)
    network = StreetNetwork.from_networkx(plain, mode="drive" if directed else "walk", access_metres=reach)
    spots = [Point(p) for p in np.concatenate((places, CORNER + rng.uniform(-20, 110, (5, 2))))]
    origins, targets = network.access(spots), network.access(spots, kind="facility")
    wanted = oracle_pairs(network, origins, targets)
    assert_same(all_pairs(network, origins, targets), wanted)
    several = nearest(network, targets, origins, by="metres", k=k)
    assert_same(several.metres, np.sort(wanted, axis=1)[:, :k])
    found = within_matrix(network, origins, targets, 60.0)
    sure = np.abs(wanted - 60) > EXACT
    assert_same(found[sure], np.where(wanted <= 60, wanted, np.inf)[sure])


def random_streets(seed):
    """A network with one-way streets, 90 homes and 25 services."""
    rng = np.random.default_rng(seed)
    lines = [[tuple(p) for p in rng.uniform(0, 900, (3, 2))] for _ in range(40)]
    lines += [[(0, y), (900, y)] for y in range(0, 901, 150)]
    network = network_of(*lines, columns={"oneway": ["yes", None] * 23 + [None]}, mode="cycle")
    homes = network.access([at(*p) for p in rng.uniform(0, 900, (90, 2))])
    services = network.access([at(*p) for p in rng.uniform(0, 900, (25, 2))], kind="facility")
    return network, homes, services


@pytest.mark.parametrize(("k", "together", "at_once"), [(1, 10, 40), (1, 3, 4), (2, 10, 40)])
@pytest.mark.parametrize("by", ["metres", "minutes"])
def test_all_kinds_at_once_are_what_they_are_one_by_one(by, k, together, at_once, monkeypatch):
    monkeypatch.setattr("gridmap.network.search._TOGETHER", together)
    monkeypatch.setattr("gridmap.network.search._AT_ONCE", at_once)
    network, homes, services = random_streets(8)
    kind = np.arange(25) % 13  # with another one, 13, that nobody is of
    options = {"kinds": 14, "by": by, "k": k, "limit": 900 if by == "metres" else 4}
    found = nearest_of_each_kind(network, services, kind, homes, **options)
    assert found.target.shape == (90, 14, k)
    reached = 0
    for column in range(14):
        rows = np.flatnonzero(kind == column)
        one = nearest(network, services.take(rows), homes, by=by, k=k, limit=options["limit"])
        assert np.array_equal(found.target[:, column], np.append(rows, -1)[one.target])
        assert np.array_equal(found.metres[:, column], one.metres)
        assert np.array_equal(found.minutes[:, column], one.minutes)
        reached += int((one.target >= 0).sum())
    assert 100 < reached < found.target.size
    with ThreadPoolExecutor(3) as threads:
        for pool in (threads, _OneAfterTheOther()):
            again = nearest_of_each_kind(network, services, kind, homes, executor=pool, **options)
            assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
    order = np.random.default_rng(1).permutation(90)
    shuffled = nearest_of_each_kind(network, services, kind, homes.take(order), **options)
    assert all(np.array_equal(a[order], b) for a, b in zip(found, shuffled, strict=True))


def test_node_costs_of_all_kinds_are_what_they_are_one_by_one():
    network, _, services = random_streets(9)
    kind = np.arange(25) % 12
    found = node_costs_of_each_kind(network, services, kind, kinds=12, limit=3)
    for column in range(12):
        rows = np.flatnonzero(kind == column)
        one = node_costs(network, services.take(rows), limit=3)
        free = node_costs(network, services.take(rows))
        near = free.cost <= 3
        assert 0 < near.sum() < len(near)
        assert np.array_equal(one.cost, np.where(near, free.cost, np.inf))
        assert np.array_equal(one.other, np.where(near, free.other, np.inf))
        assert np.array_equal(found.cost[:, column], one.cost)
        assert np.array_equal(found.other[:, column], one.other)
        assert np.array_equal(found.target[:, column], np.append(rows, -1)[one.target])


def test_within_is_the_same_from_either_side_and_on_any_number_of_workers():
    network, many, few = random_streets(5)
    whole = within_matrix(network, many, few, 700)
    assert 100 < np.isfinite(whole).sum() < whole.size
    by_ten = [within_matrix(network, many.take(np.arange(i, i + 10)), few, 700) for i in range(0, 90, 10)]
    assert_same(np.vstack(by_ten), whole)  # ten origins are fewer than the targets: searched from the other side
    alone = within(network, few, many, by="metres", limit=700)
    with ThreadPoolExecutor(3) as threads:
        for pool in (threads, _OneAfterTheOther()):
            together = within(network, few, many, by="metres", limit=700, executor=pool)
            assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    order = np.random.default_rng(1).permutation(90)
    assert np.array_equal(within_matrix(network, many.take(order), few, 700), whole[order])


class _OneAfterTheOther:
    map = staticmethod(map)


@settings(max_examples=40, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=10), st.floats(0, 300), st.booleans())
def test_nodes_within_a_limit_equal_networkx(lines, limit, directed):
    columns = {"oneway": ["yes"] * len(lines)}
    network = network_of(*lines, columns=columns, mode="drive" if directed else "walk")
    graph = network.graph
    plain = nx.DiGraph()
    for u, v, w in zip(graph.edge_u.tolist(), graph.edge_v.tolist(), graph.edge_length.tolist(), strict=True):
        oracle.join(plain, u, v, w)
        if not directed:
            oracle.join(plain, v, u, w)
    assert_nodes(nodes_within(network, np.arange(graph.n_nodes), by="metres", limit=limit), plain, limit)
    places = network.access(shapely.points(graph.node_xy[:3] + 3.0))
    first = graph.n_nodes
    for i in range(len(places)):
        for e, t, leg in points_of(places, i):
            oracle.join(plain, first + i, int(graph.edge_v[e]), leg + (1 - t) * graph.edge_length[e])
            if not directed or t == 0:
                oracle.join(plain, first + i, int(graph.edge_u[e]), leg + t * graph.edge_length[e])
    found = nodes_within(network, places, by="metres", limit=limit)
    assert_nodes(found, plain, limit, first)


def assert_nodes(found, plain, limit, first=0):
    """What `nodes_within` finds from places that are nodes `first` and so on of a plain graph."""
    for i in range(len(found.origin_ptr) - 1):
        wanted = nx.single_source_dijkstra_path_length(plain, first + i, cutoff=limit + 1, weight="w")
        wanted = {n: cost for n, cost in wanted.items() if n < first or first == 0}
        rows = slice(found.origin_ptr[i], found.origin_ptr[i + 1])
        costs = dict(zip(found.node[rows].tolist(), found.cost[rows].tolist(), strict=True))
        assert len(costs) == found.origin_ptr[i + 1] - found.origin_ptr[i]
        for n in set(costs) | set(wanted):
            if abs(wanted.get(n, np.inf) - limit) > EXACT:
                assert (n in costs) == (wanted.get(n, np.inf) <= limit)
            if n in costs:
                assert costs[n] == pytest.approx(wanted[n], abs=EXACT)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.lists(SPOT, min_size=2, max_size=6), st.sampled_from([0, 50]))
def test_walking_is_symmetric(lines, places, reach):
    network = network_of(*lines, access_metres=reach)
    points = [at(*p) for p in places]
    one, other = network.access(points), network.access(points, kind="facility")
    there = all_pairs(network, one, other)
    assert_same(there, there.T)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=8),
    st.lists(SPOT, min_size=1, max_size=5),
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_moving_a_facility_along_its_edge_changes_no_distance_by_more(lines, homes, pick, s, t):
    network = network_of(*lines, access_metres=0)
    edge = pick % network.graph.n_edges
    places = network.place_at(np.array([edge, edge]), np.array([s, t]))
    moved = float(np.hypot(*(places[0] - places[1])))
    targets = network.access(shapely.points(places), kind="facility")
    # where streets cross without joining, a place on the one is as near to the other
    graph = network.graph
    nodes = np.where(targets.t0 == 0, graph.edge_u[targets.edge], graph.edge_v[targets.edge])
    own = {int(graph.edge_u[edge]), int(graph.edge_v[edge])}
    at_node = (targets.t0 == 0) | (targets.t0 == 1)
    assume(all(e == edge or (n in own and a) for e, n, a in zip(targets.edge, nodes, at_node, strict=True)))
    found = all_pairs(network, network.access([at(*p) for p in homes]), targets)
    assert np.array_equal(np.isfinite(found[:, 0]), np.isfinite(found[:, 1]))
    there = np.isfinite(found[:, 0])
    assert np.abs(found[there, 0] - found[there, 1]).max(initial=0) <= moved + EXACT


@settings(max_examples=40, deadline=None)
@given(
    st.lists(LINE, min_size=2, max_size=8), st.lists(SPOT, min_size=1, max_size=5), st.randoms(use_true_random=False)
)
def test_results_do_not_depend_on_the_order_of_streets_or_places(lines, places, random):
    points = [at(*p) for p in places]
    rows, order = list(range(len(lines))), list(range(len(points)))
    random.shuffle(rows)
    random.shuffle(order)
    one, other = network_of(*lines), network_of(*[lines[r] for r in rows])
    a = all_pairs(one, one.access(points), one.access(points, kind="facility"))
    shuffled = [points[i] for i in order]
    b = all_pairs(other, other.access(shuffled), other.access(points, kind="facility"))
    assert np.array_equal(a[order], b)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(LINE, min_size=2, max_size=8),
    st.lists(SPOT, min_size=1, max_size=6),
    st.lists(SPOT, min_size=1, max_size=3),
)
def test_a_new_street_never_lengthens_a_way_from_where_an_edge_was_in_range(lines, homes, services):
    before, after = network_of(*lines[1:]), network_of(*lines)
    points, goals = [at(*p) for p in homes], [at(*p) for p in services]
    a = before.access(points), before.access(goals, kind="facility")
    b = after.access(points), after.access(goals, kind="facility")
    there = all_pairs(before, *a)
    usual = (a[0].status == "ok")[:, None] & (a[1].status == "ok")[None, :]
    assert (all_pairs(after, *b)[usual] <= there[usual] + EXACT).all()


SQUARE = [[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]


def test_the_direct_way_along_a_shared_edge():
    network = network_of([(0, 0), (100, 0)])
    home, shop = network.access([at(30, 4)]), network.access([at(80, -3)], kind="facility")
    assert nearest(network, shop, home, by="metres").metres[0, 0] == pytest.approx(57, abs=EXACT)


def test_the_way_round_may_beat_the_legs_on_the_nearest_edge():
    # the shop is nearest to a dead end whose way is long; an edge further off, in range, leads there sooner
    network = network_of([(0, 0), (200, 0)], [(150, 20), (150, 400), (0, 400), (0, 0)])
    home, shop = network.access([at(10, -1)]), network.access([at(150, 18)], kind="facility")
    assert nearest(network, shop, home, by="metres").metres[0, 0] == pytest.approx(1 + 140 + 18, abs=EXACT)


def test_nothing_between_pieces_that_do_not_join():
    network = network_of([(0, 0), (100, 0)], [(0, 500), (100, 500)])
    home, shop = network.access([at(10, 0)]), network.access([at(10, 500)], kind="facility")
    found = nearest(network, shop, home)
    assert found.target.tolist() == [[-1]]
    assert np.isinf(found.metres).all()
    assert np.isinf(found.minutes).all()


def test_coincident_places_are_as_far_apart_as_their_legs():
    network = network_of([(0, 0), (100, 0)])
    both = network.access([at(40, 0), at(40, 7)]), network.access([at(40, 0), at(40, 7)], kind="facility")
    assert_same(all_pairs(network, *both), np.array([[0.0, 7.0], [7.0, 14.0]]))


def test_equally_near_targets_are_taken_by_their_order():
    network = network_of(*SQUARE)
    home = network.access([at(0, 0)])
    twins = network.access([at(100, 100), at(100, 100), at(100, 0), at(0, 100)], kind="facility")
    assert nearest(network, twins, home, by="metres", k=4).target.tolist() == [[2, 3, 0, 1]]
    assert node_costs(network, twins, by="metres").target[home.edge[0]] in (2, 3)


def test_at_a_node_the_target_of_lower_index_wins_whatever_the_edges_run_like():
    star = [[(0, 0), (50, 0)], [(-50, 0), (0, 0)], [(0, 0), (0, 50)], [(0, -50), (0, 0)]]
    network = network_of(*star, access_metres=0)
    middle = int(np.flatnonzero((network.graph.node_xy == CORNER).all(axis=1))[0])
    around = [at(25, 0), at(-25, 0), at(0, 25), at(0, -25)]  # halfway, so that sums are equal to the last digit
    for order in itertools.permutations(around):
        shops = network.access(list(order), kind="facility")
        assert node_costs(network, shops, by="metres").target[middle] == 0
        home = network.access([at(0, 0)])
        assert nearest(network, shops, home, by="metres", k=4).target.tolist() == [[0, 1, 2, 3]]


def test_the_other_measure_is_that_of_the_same_way():
    # by steps it is short and slow, by the street long and quick
    lines = [[(0, 0), (0, 100)], [(0, 0), (100, 0), (100, 100), (0, 100)]]
    network = network_of(*lines, columns={"class": ["steps", "residential"], "stairs": [True, False]},
                         profile={"kmh": 6.0, "stairs": 0.1})  # fmt: skip
    home, shop = network.access([at(0, 0)]), network.access([at(0, 100)], kind="facility")
    short, quick = (nearest(network, shop, home, by=by) for by in ("metres", "minutes"))
    assert (short.metres[0, 0], short.minutes[0, 0]) == pytest.approx((100, 10))
    assert (quick.metres[0, 0], quick.minutes[0, 0]) == pytest.approx((300, 3))


def test_a_limit_hides_what_lies_beyond_and_changes_nothing_else():
    network = network_of(*SQUARE)
    home = network.access([at(0, 0)])
    shops = network.access([at(60, 0), at(100, 100)], kind="facility")
    found = nearest(network, shops, home, by="metres", k=2, limit=60)
    assert found.target.tolist() == [[0, -1]]
    assert found.metres[0, 0] == pytest.approx(60)
    minutes = nearest(network, shops, home, k=2, limit=60 / 80)
    assert minutes.target.tolist() == [[0, -1]]


def test_one_way_leads_from_origin_to_target():
    network = network_of(*SQUARE, columns={"oneway": ["yes"] * 4}, mode="drive")
    a, b = [at(10, 0)], [at(60, 0)]
    ahead = nearest(network, network.access(b, kind="facility"), network.access(a), by="metres")
    round_trip = nearest(network, network.access(a, kind="facility"), network.access(b), by="metres")
    assert ahead.metres[0, 0] == pytest.approx(50)
    assert round_trip.metres[0, 0] == pytest.approx(350)
    assert nearest(
        network_of(*SQUARE, columns={"oneway": ["yes"] * 4}),
        network.access(a, kind="facility"),
        network.access(b),
        by="metres",
    ).metres[0, 0] == pytest.approx(50)


def test_an_edge_inside_a_polygon_is_reached_anywhere():
    network = network_of([(0, 0), (100, 0)])
    park = network.access([shapely.transform(box(20, -10, 60, 10), lambda xy: xy + CORNER)], kind="facility")
    homes = network.access([at(0, 0), at(30, 0), at(100, 0)])
    assert nearest(network, park, homes, by="metres").metres[:, 0].tolist() == pytest.approx([20, 0, 40])


def test_node_costs_are_those_of_the_nearest_target():
    network = network_of(*SQUARE)
    shop = network.access([at(0, 5), at(100, 60)], kind="facility")
    cost, other, target = node_costs(network, shop, by="metres")
    homes = network.access(shapely.points(network.graph.node_xy))
    direct = nearest(network, shop, homes, by="metres")
    assert_same(cost, direct.metres[:, 0])
    assert_same(other, direct.minutes[:, 0])
    assert np.array_equal(target, direct.target[:, 0])


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf")])
def test_impossible_limits_are_refused(limit):
    network = network_of(*SQUARE)
    access = network.access([at(0, 0)])
    with pytest.raises(OptionError, match="limit"):
        within(network, access, access, limit=limit)


@pytest.mark.parametrize("options", [{"by": "hours"}, {"limit": -1}, {"limit": float("nan")}, {"k": 0}])
def test_impossible_options_are_refused(options):
    network = network_of(*SQUARE)
    access = network.access([at(0, 0)])
    with pytest.raises(OptionError):
        nearest(network, access, access, **options)


def test_no_targets_and_no_origins():
    network = network_of(*SQUARE)
    none, home = network.access([]), network.access([at(0, 0)])
    assert nearest(network, none, home).target.tolist() == [[-1]]
    assert nearest(network, home, none, k=2).metres.shape == (0, 2)
    for targets, origins in ((none, home), (home, none), (none, none)):
        found = within(network, targets, origins, limit=5)
        assert found.origin_ptr.tolist() == [0] * (len(origins) + 1)
        assert len(found.target) == len(found.cost) == len(found.other) == 0


@pytest.mark.parametrize("extract", ["beijing_cau", "beijing_tsinghua"])
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_equal_to_networkx_in_beijing(data_dir, extract, mode):
    source = data_dir / extract / "map.osm.pbf"
    network = StreetNetwork.from_streets(read_streets(source), mode=mode)
    homes = read_buildings(source)
    services = read_facilities(source)
    rng = np.random.default_rng(1)
    origins = network.access(homes.iloc[rng.choice(len(homes), 60, replace=False)])
    points = services[services.geom_type == "Point"]
    targets = network.access(points.iloc[rng.choice(len(points), 25, replace=False)], kind="facility")
    assert_same(all_pairs(network, origins, targets), oracle_pairs(network, origins, targets))
    by_time = oracle_pairs(network, _timed(origins, network), _timed(targets, network), network.graph.edge_seconds / 60)
    assert_same(all_pairs(network, origins, targets, by="minutes"), by_time)
    three = nearest(network, targets, origins, k=3)
    assert_same(three.minutes, np.sort(by_time, axis=1)[:, :3])


def _timed(access, network):
    """The access with legs in minutes."""
    from dataclasses import replace

    return replace(access, leg=access.leg * 0.06 / network.profile.leg_kmh)


def test_equal_to_networkx_in_las_palmas(data_dir):
    folder = data_dir / "las_palmas"
    source = folder / "las_palmas_20230221.osm.pbf"
    network = StreetNetwork.from_streets(
        read_streets(source),
        compounds=gpd.read_file(folder / "compounds.gpkg"),
        entrances=gpd.read_file(folder / "entrances.gpkg"),
    )
    rng = np.random.default_rng(2)
    compounds = network.walls.compounds
    inside = shapely.point_on_surface(compounds[rng.choice(len(compounds), 60, replace=False)])
    spots = network.graph.node_xy[rng.choice(network.graph.n_nodes, 132, replace=False)]
    spots += rng.uniform(-30, 30, spots.shape)
    origins = network.access(np.concatenate((inside[:12], shapely.points(spots[:12]))))
    targets = network.access(np.concatenate((inside, shapely.points(spots[12:] + 200))), kind="facility")
    assert (origins.status == "ok").sum() > 18
    wanted = oracle_pairs(network, origins, targets)
    assert np.isfinite(wanted).sum() > 3000
    assert_same(all_pairs(network, origins, targets), wanted)
    limit = float(np.median(wanted))
    assert_same(within_matrix(network, origins, targets, limit), np.where(wanted <= limit, wanted, np.inf))
    assert_same(nearest(network, targets, origins, by="metres", k=20).metres, np.sort(wanted, axis=1)[:, :20])


def test_repeated_searches_are_the_same():
    network = network_of(*SQUARE)
    home = network.access([at(x, y) for x, y in itertools.product((0, 30, 70), (0, 40, 100))])
    first, second = (nearest(network, home, home, k=3) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
