"""The measures of an audit against cases worked by hand and against slow, obvious computations."""

from __future__ import annotations

import itertools
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.affinity import translate

from gridmap.division.ground.borders import along, inner_borders, neighbour_table
from gridmap.division.plans.audit import MEASURES, polsby_popper
from gridmap.division.plans.cuts import footprints_cut, split_compounds
from gridmap.division.plans.plan import GridPlan
from gridmap.division.plans.tiling import extra_pieces, gaps, largest_share, outside, overlaps
from gridmap.division.plans.walks import street_walks, tours
from gridmap.errors import OptionError

CRS = "EPSG:32650"
WEST, SOUTH = 500_000.0, 4_400_000.0
EMPTY_LAND = np.zeros(0, dtype=object)


def shapes(*items):
    return np.array(items, dtype=object)


def frame(key, items, **columns):
    moved = [translate(s, WEST, SOUTH) for s in items.values()]
    return gpd.GeoDataFrame({key: list(items), **columns}, geometry=moved, crs=CRS)


def hand_drawn(**ground):
    """Two grids of 200 x 100 m in one community, one in another; doors along the southern side."""
    towns = frame("community_id", {"A": box(0, 0, 400, 100), "B": box(400, 0, 600, 100)})
    grids = frame("grid_id", {"1": box(0, 0, 200, 100), "2": box(200, 0, 400, 100), "3": box(400, 0, 600, 100)})
    doors = {f"{x}": Point(x, 50) for x in (20, 120, 180, 220, 420)}
    buildings = frame("building_id", doors, households=[100.0, 200, 100, 550, 300])
    return GridPlan.from_grids(grids, towns, buildings, **{k: frame(*v) for k, v in ground.items()})


def values(plan):
    return plan.audit().set_index("measure")["value"]


def test_an_audit_has_one_row_for_each_measure():
    audit = hand_drawn().audit()
    assert audit.columns.tolist() == ["measure", "value", "unit", "meaning"]
    assert audit["measure"].tolist() == list(MEASURES)
    assert audit["value"].dtype == "float64"
    with pytest.raises(OptionError, match="'grid'"):
        hand_drawn().audit(by="street")


def test_the_band_by_hand():
    found = values(hand_drawn())
    assert found["grids"] == found["grids_counted"] == 3
    assert found["in_band_share"] == pytest.approx(2 / 3)
    assert found["outside_band"] == 50
    assert found["balance"] == pytest.approx(np.std([400, 550, 300]) / np.mean([400, 550, 300]))
    assert found["polsby_popper"] == pytest.approx(np.mean([4 * np.pi * 2e4 / 600**2] * 2 + [4 * np.pi * 2e4 / 600**2]))


def test_the_inner_border_is_that_between_grids_of_one_community():
    found = values(hand_drawn())
    assert found["inner_border"] == pytest.approx(100)
    assert np.isnan(found["street_border_share"])
    assert np.isnan(found["longest_walk_mean"])
    assert np.isnan(found["compounds_split"])


@pytest.mark.parametrize(
    ("ground", "share"),
    [
        # along the lower 40 m of the border and 3 m farther, as the distance goes round its end
        ({"streets": ("street_id", {"s": LineString([(202.9, 0), (202.9, 40)])})}, 0.4),
        ({"streets": ("street_id", {"s": LineString([(203.1, 0), (203.1, 40)])})}, 0.0),
        ({"compounds": ("compound_id", {"c": box(202, 0, 300, 70)})}, 0.7),
        ({"compounds": ("compound_id", {"c": box(150, 20, 250, 80)})}, 0.12),
        ({"barriers": ("kind", {"river": box(150, 20, 250, 80)})}, 0.6),
        ({"barriers": ("kind", {"wall": LineString([(198, 90), (198, 200)])})}, 0.1),
    ],
)
def test_the_share_of_border_along_streets_and_walls(ground, share):
    found = values(hand_drawn(**ground))
    assert found["street_border_share"] == pytest.approx(share, abs=0.06)
    assert found["street_border_share"] >= share - 0.026


def test_only_streets_of_the_listed_classes_count():
    line = LineString([(200, 0), (200, 100)])
    towns = frame("community_id", {"A": box(0, 0, 400, 100)})
    grids = frame("grid_id", {"1": box(0, 0, 200, 100), "2": box(200, 0, 400, 100)})
    people = frame("building_id", {"b": Point(1, 1)}, households=[1.0])
    for kind, share in (("residential", 1), ("footway", 0), ("pedestrian", 1), ("motorway", 0)):
        streets = frame("street_id", {"s": line}, **{"class": [kind]})
        assert values(GridPlan.from_grids(grids, towns, people, streets))["street_border_share"] == share


def test_by_grid_adds_up_to_the_plan():
    plan = hand_drawn(streets=("street_id", {"s": LineString([(0, 50), (600, 50)])}))
    table = plan.audit(by="grid")
    found = values(plan)
    assert table["grid_id"].tolist() == ["1", "2", "3"]
    assert table["inner_border_m"].sum() / 2 == pytest.approx(found["inner_border"])
    assert table["doors"].tolist() == [3, 1, 1]
    # from 20 to 180 and back
    assert table["tour_m"].tolist() == pytest.approx([320, 0, 0])
    assert table["longest_walk_m"].tolist() == pytest.approx([160, 0, 0], abs=1e-6)
    assert found["tour_mean"] == pytest.approx(320 / 3)
    assert found["longest_walk_max"] == table["longest_walk_m"].max()
    assert found["doors_unreachable_share"] == 0


def test_doors_are_the_entrances_where_these_are_known():
    entrances = {"e1": Point(20, 80), "e2": Point(30, 80), "e3": Point(0, 0)}
    plan = hand_drawn()
    doors = frame("entrance_id", entrances, of="building", of_id=["20", "20", "unknown"])
    plan = GridPlan(**{**vars(plan), "entrances": doors})
    assert plan.audit(by="grid")["doors"].tolist() == [4, 1, 1]


def test_a_wrong_assignment_is_seen():
    plan = hand_drawn()
    wrong = plan.assignment.assign(grid_id=plan.assignment["grid_id"].replace({"3": "1"}))
    found = values(GridPlan(**{**vars(plan), "assignment": wrong}))
    assert found["buildings_outside_grid"] == 1
    lost = plan.assignment.iloc[1:]
    found = values(
        GridPlan(**{**vars(plan), "assignment": lost, "grids": plan.grids.assign(households=[300, 550, 300])})
    )
    assert found["households_lost"] == 100


def test_atoms_that_do_not_hang_together_are_seen():
    plan = hand_drawn()
    edges = {"a": (0, 50), "b": (50, 200), "c": (200, 400), "d": (400, 600)}
    atoms = frame(
        "atom_id",
        {name: box(a, 0, b, 100) for name, (a, b) in edges.items()},
        grid_id=["1", "1", "2", "3"],
        households=[100.0, 200.0, 300.0, 200.0],
    )
    for metres, kind, expected in ((100, "border", 0), (2.9, "border", 1), (0, "piece", 0), (0, "bridge", 0)):
        adjacency = pd.DataFrame({"atom_a": ["a", "b"], "atom_b": ["b", "c"], "metres": metres, "kind": kind})
        found = values(GridPlan(**{**vars(plan), "atoms": atoms, "adjacency": adjacency}))
        assert found["grids_not_joined"] == expected
    for metres in ([2.9, 100], [2.9, 2.9]):
        adjacency = pd.DataFrame({"atom_a": ["a", "a"], "atom_b": ["b", "c"], "metres": metres, "kind": "border"})
        empty = atoms.assign(households=[0.0, 300.0, 300.0, 200.0])
        found = values(GridPlan(**{**vars(plan), "atoms": empty, "adjacency": adjacency}))
        assert found["grids_not_joined"] == (metres[1] >= 3), "land of nobody counts where it could be elsewhere"
    assert np.isnan(values(plan)["grids_not_joined"])


def test_polsby_popper():
    assert polsby_popper([box(0, 0, 2, 2)])[0] == pytest.approx(np.pi / 4)
    assert polsby_popper([Point(0, 0).buffer(10, quad_segs=500)])[0] == pytest.approx(1, abs=1e-5)
    assert polsby_popper([box(0, 0, 99, 1)])[0] == pytest.approx(4 * np.pi * 99 / 200**2)


def test_extra_pieces():
    island = MultiPolygon([box(0, 0, 10, 10), box(20, 0, 30, 10)])
    land = shapes(island, box(0, 20, 30, 30))
    grids = shapes(
        MultiPolygon([box(0, 0, 5, 10), box(20, 0, 25, 10)]),  # one piece on each island: forced
        MultiPolygon([box(5, 0, 6, 10), box(7, 0, 8, 10), box(25, 0, 26, 10)]),  # two on the first: one extra
        MultiPolygon([box(0, 20, 5, 30), box(5, 5, 6, 6)]),  # one on the other community: extra
        MultiPolygon([box(6, 20, 7, 25), box(7, 25, 8, 30)]),  # touching in a point
        box(10, 20, 20, 30),
    )
    assert extra_pieces(grids, land, np.array([0, 0, 1, 1, 1])).tolist() == [0, 1, 1, 1, 0]


polygons = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=7
).map(lambda rows: shapes(*(box(x, y, x + w, y + h) for x, y, w, h in rows)))


@given(polygons, polygons)
@settings(max_examples=60, deadline=None)
def test_tiling_against_set_arithmetic(grids, land):
    pairs = {
        (i, j) for i, j in itertools.combinations(range(len(grids)), 2) if grids[i].intersection(grids[j]).area > 0
    }
    found = overlaps(grids)
    assert {(int(i), int(j)) for i, j in zip(found.first, found.second, strict=True)} == pairs
    for i, j, shape in zip(*found, strict=True):
        assert shape.equals(grids[i].intersection(grids[j]))
    everything = shapely.union_all(grids)
    assert shapely.area(gaps(land, grids)).tolist() == pytest.approx([s.difference(everything).area for s in land])
    share = largest_share(grids, land)
    for grid, best in zip(grids, share, strict=True):
        areas = [grid.intersection(s).area for s in land]
        assert best == (int(np.argmax(areas)) if max(areas) > 0 else -1)
    out = outside(grids, land, share)
    expected = [g.area if k < 0 else g.difference(land[k]).area for g, k in zip(grids, share, strict=True)]
    assert shapely.area(out).tolist() == pytest.approx(expected)


@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 6), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_inner_borders_of_a_coverage_are_its_shared_lines(rows, columns, parts, random):
    side = 20.0
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    label = {cell: random.randrange(parts) for cell in cells}
    names = sorted(set(label.values()))
    square = {(r, c): box(c * side, r * side, (c + 1) * side, (r + 1) * side) for r, c in cells}
    grids = shapes(*(shapely.coverage_union_all([square[k] for k in cells if label[k] == n]) for n in names))
    land = shapes(shapely.union_all(grids))
    owner = np.zeros(len(grids), dtype=np.intp)
    table = neighbour_table(inner_borders(grids, owner, land), np.array([str(n) for n in names]))
    expected = {}
    for (r, c), (dr, dc) in itertools.product(cells, ((0, 1), (1, 0))):
        a, b = label[r, c], label.get((r + dr, c + dc))
        if b is not None and a != b:
            pair = tuple(sorted((str(a), str(b))))
            expected[pair] = expected.get(pair, 0) + side
    got = {(a, b): m for a, b, m in table.itertuples(index=False)}
    assert got == pytest.approx(expected)


def test_neighbours_drawn_by_hand_may_miss_each_other_a_little():
    grids = shapes(box(0, 0, 99.6, 100), box(100.2, 0, 200, 100), box(202, 0, 300, 100))
    land = shapes(box(0, 0, 300, 100))
    table = neighbour_table(inner_borders(grids, np.zeros(3, dtype=np.intp), land), np.array(["a", "b", "c"]))
    assert table[["grid_a", "grid_b"]].to_numpy().tolist() == [["a", "b"]]
    assert table["metres"].tolist() == pytest.approx([100], rel=0.03)


@given(
    st.lists(st.tuples(*[st.floats(0, 50)] * 4), min_size=1, max_size=6),
    st.lists(st.tuples(*[st.floats(0, 50)] * 2), min_size=1),
)
@settings(max_examples=50, deadline=None)
def test_along_is_a_distance_of_three_metres(lines, points):
    lines = shapes(*(LineString([(a, b), (c, d + 1e-3)]) for a, b, c, d in lines), box(10, 10, 20, 20))
    points = shapes(*(Point(p) for p in points))
    expected = [min(line.distance(p) for line in lines) <= 3 for p in points]
    assert along(points, lines).tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 18), st.integers(0, 18), st.integers(1, 5)), min_size=1, max_size=10),
    st.lists(st.integers(1, 19), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_footprints_cut_are_those_a_border_runs_through(squares, cuts):
    edges = [0, *sorted(cuts), 24]
    grids = shapes(*(box(a, 0, b, 24) for a, b in itertools.pairwise(edges)))
    owner = np.array([0, 0, 1, 1][: len(grids)])
    footprints = shapes(*(box(x, y, x + w, y + w) for x, y, w in squares))
    home = np.array([next(k for k, g in enumerate(grids) if g.intersects(f.centroid)) for f in footprints])
    borders = [a for k, a in enumerate(edges[1:-1]) if owner[k] == owner[k + 1]]
    other = [a for k, a in enumerate(edges[1:-1]) if owner[k] != owner[k + 1]]
    got = footprints_cut(footprints, home, grids, owner)
    for (x, _, w), cut, k in zip(squares, got, home, strict=True):
        # what lies beyond a community border belongs to the other community and is no cut
        low = max([x, *(b for b in other if b <= edges[k])])
        high = min([x + w, *(b for b in other if b >= edges[k + 1])])
        assert cut == any(low < b < high for b in borders)


def test_a_border_that_wavers_along_a_wall_splits_no_compound():
    land = shapes(box(0, 0, 100, 100), box(100, 0, 200, 100))
    grids = shapes(box(0, 0, 50, 100), box(50, 0, 100, 100), box(100, 0, 200, 100))
    compounds = shapes(box(49.2, 0, 60, 60), box(40, 60, 60, 80), box(90, 0, 150, 50), box(45, 80, 150, 100))
    split = split_compounds(compounds, grids, np.array([0, 0, 1]), land)
    assert split["compound"].tolist() == [1, 3]
    assert split["grids"].tolist() == [[0, 1], [0, 1]]
    assert split["geometry"].iloc[1].equals(box(45, 80, 100, 100)), "each side of a community border is one compound"


def test_a_split_compound_is_large_by_the_limit_of_its_own_grids():
    plan = hand_drawn(compounds=("compound_id", {"c": box(150, 0, 210, 100)}))
    assert values(plan)[["compounds_split", "large_compounds_split"]].tolist() == [1, 0]
    own = plan.grids.assign(lower=[50.0, 50, 300], upper=[90.0, 90, 500])
    found = values(replace(plan, grids=own))
    assert found[["compounds_split", "large_compounds_split"]].tolist() == [0, 1], "100 households, 90 at most"
    assert values(replace(plan, grids=own.assign(upper=np.nan)))["large_compounds_split"] == 0


def closed(points, order):
    return sum(np.hypot(*(points[a] - points[b])) for a, b in zip(order, [*order[1:], order[0]], strict=True))


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=7, unique=True))
@settings(max_examples=60, deadline=None)
def test_tours_are_near_the_shortest(points):
    points = np.array(points, dtype=float)
    best = min(closed(points, order) for order in itertools.permutations(range(len(points))))
    found = tours(np.vstack((points, points)), np.zeros(2 * len(points), dtype=np.intp), 2)
    assert found[1] == 0
    assert best - 1e-6 <= found[0] <= 1.25 * best + 1e-6


def test_tours_of_several_grids_do_not_mix():
    rng = np.random.default_rng(0)
    points, grid = rng.uniform(0, 500, (300, 2)), rng.integers(0, 5, 300)
    together = tours(points, grid, 5)
    apart = [tours(points[grid == g], np.zeros((grid == g).sum(), dtype=np.intp), 1)[0] for g in range(5)]
    # the curve is laid over all points, so that the start differs a little
    assert together == pytest.approx(apart, rel=0.15)
    # a random tour of n points in area A is about 0.7124 sqrt(n A) (Beardwood, Halton, Hammersley)
    assert together.sum() == pytest.approx(sum(0.7124 * np.sqrt((grid == g).sum() * 500**2) for g in range(5)), rel=0.3)


def street_table(*lines):
    return gpd.GeoDataFrame({"class": "residential"}, geometry=list(lines), crs=CRS, index=range(len(lines)))


def test_a_door_that_only_a_detour_outside_reaches():
    grid = shapes(box(0, 0, 300, 100), box(300, 0, 600, 100))
    streets = street_table(
        LineString([(0, 20), (100, 20), (100, 300), (250, 300), (250, 20), (290, 20)]),  # leaves the grid to come back
        LineString([(310, 50), (590, 50)]),
    )
    doors = np.array([(10, 20), (90, 20), (280, 20), (320, 50), (580, 40)], dtype=float)
    walks = street_walks(doors, np.array([0, 0, 0, 1, 1]), grid, streets)
    assert walks.unreachable.tolist() == [1, 0]
    assert walks.longest.tolist() == pytest.approx([80, 270])


def test_a_border_street_belongs_to_both_sides():
    grid = shapes(box(0, 0, 300, 100), box(0, 100, 300, 200))
    streets = street_table(LineString([(0, 100), (300, 100)]))
    doors = np.array([(15, 90), (285, 90), (30, 130), (270, 130)], dtype=float)
    walks = street_walks(doors, np.array([0, 0, 1, 1]), grid, streets)
    assert walks.unreachable.tolist() == [0, 0]
    assert walks.longest.tolist() == pytest.approx([290, 300])


def test_walks_without_streets_or_doors():
    grid = shapes(box(0, 0, 300, 100), box(300, 0, 600, 100))
    nowhere = street_table(LineString([(5000, 0), (6000, 0)]))
    doors = np.array([(10, 20), (90, 20), (320, 50)], dtype=float)
    walks = street_walks(doors, np.array([0, 0, 1]), grid, nowhere)
    assert walks.unreachable.tolist() == [2, 0], "one door alone reaches all others"
    assert walks.longest.tolist() == [0, 0]
    none = street_walks(np.zeros((0, 2)), np.zeros(0, dtype=np.intp), grid, nowhere)
    assert none.unreachable.tolist() == [0, 0]


@given(st.integers(2, 5), st.integers(2, 4), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_longest_walk_against_all_pairs(columns, rows, random):
    """On street nets with lengths under one step the nodes are the crossings, as in the plain computation."""
    side = 12.0
    net = nx.grid_2d_graph(columns, rows)
    net.remove_edges_from([e for e in list(net.edges) if random.random() < 0.35])
    tree = random.random() < 0.5
    if tree:
        net = nx.Graph(nx.minimum_spanning_tree(net).edges)
    if not net.edges:
        return
    main = max(nx.connected_components(net), key=lambda part: net.subgraph(part).number_of_edges())
    sizes = [net.subgraph(p).number_of_edges() for p in nx.connected_components(net)]
    if sizes.count(max(sizes)) > 1:
        return
    streets = street_table(*(LineString([np.multiply(a, side), np.multiply(b, side)]) for a, b in net.edges))
    nodes = sorted(main)
    picked = random.sample(nodes, min(len(nodes), random.randint(1, 6)))
    doors = np.array([np.multiply(n, side) for n in picked])
    grid = shapes(box(-5, -5, columns * side, rows * side))
    walks = street_walks(doors, np.zeros(len(doors), dtype=np.intp), grid, streets)
    length = dict(nx.all_pairs_shortest_path_length(net))
    exact = max(length[a][b] for a in picked for b in picked) * side
    assert walks.unreachable.tolist() == [0]
    assert walks.longest[0] <= exact + 1e-6
    assert walks.longest[0] >= (exact if tree else exact / 2) - 1e-6


def test_a_triangle_cut_out_of_the_plan_is_a_gap_and_nothing_else():
    towns = frame("community_id", {"A": box(0, 0, 100, 100)})
    hole = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(40, 40), (60, 40), (50, 60)]])
    people = frame("building_id", {"b": Point(1, 1)}, households=[400.0])
    found = values(GridPlan.from_grids(frame("grid_id", {"1": hole}), towns, people))
    assert found["gap_share"] == pytest.approx(200 / 10_000)
    assert found["overlap_share"] == 0
    assert found["extra_pieces"] == 0
    assert found["in_band_share"] == 1
