"""Atoms: they tile each community, hold whole footprints, touch where the adjacency says, and lose no household."""

from __future__ import annotations

import multiprocessing
from concurrent import futures

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, affinity, box

from gridmap.division.ground.atoms import make_atoms
from gridmap.division.plans.cuts import footprints_cut

CRS = 32650
# A footprint may be cut by no more than this: two that lie over each other less deeply are told apart.
DEPTH = 0.025
EAST, NORTH = 440_000.0, 4_420_000.0


def town(communities, buildings, streets=(), compounds=(), barriers=(), households=None):
    """Tables from bare geometries; ids by position."""

    def table(shapes, **columns):
        moved = [affinity.translate(shape, EAST, NORTH) for shape in shapes]
        return gpd.GeoDataFrame(columns, geometry=moved, crs=CRS)

    n = len(buildings)
    return {
        "communities": table(communities, community_id=[f"K{i}" for i in range(len(communities))]),
        "buildings": table(
            buildings,
            building_id=[f"B{i:03}" for i in range(n)],
            households=list(range(1, n + 1)) if households is None else households,
        ),
        "streets": table(streets, **{"class": ["residential"] * len(streets)}),
        "compounds": table(compounds, compound_id=[f"C{i}" for i in range(len(compounds))]),
        "barriers": table(barriers, kind=["wall"] * len(barriers)),
    }


def ground_of(tables, **options):
    return make_atoms(
        tables["communities"],
        tables["buildings"],
        tables["streets"],
        compounds=tables["compounds"],
        barriers=tables["barriers"],
        **options,
    )


def check(tables, ground):
    """What holds for every town."""
    atoms, pairs, rows = ground.atoms, ground.adjacency, ground.assignment
    communities = tables["communities"].set_index("community_id").geometry
    buildings = tables["buildings"].set_index("building_id")
    assert atoms["atom_id"].is_unique
    assert atoms["kind"].isin(["building", "compound", "land"]).all()
    assert atoms.is_valid.all()
    assert set(atoms["community_id"]) == set(communities.index)
    for community_id, of in atoms.groupby("community_id"):
        shapes = np.asarray(of.geometry.array)
        area = communities[community_id]
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(area.area, rel=1e-6)
        assert shapely.area(shapely.symmetric_difference(shapely.union_all(shapes), area)) <= 1e-6 * area.area + 1e-3

    assert not unshared(atoms)

    inside = [b for b, at in buildings.geometry.representative_point().items() if communities.intersects(at).any()]
    assert sorted(rows["building_id"]) == sorted(inside)
    assert rows["households"].sum() == buildings.loc[inside, "households"].sum() == atoms["households"].sum()
    by_atom = rows.groupby("atom_id")["households"].sum().reindex(atoms["atom_id"], fill_value=0)
    assert by_atom.tolist() == atoms["households"].tolist()
    outside = ground.findings.loc[ground.findings["rule"] == "building_outside_communities", "ids"].sum() or []
    assert sorted(outside) == sorted(set(buildings.index) - set(inside))

    shape_of = atoms.set_index("atom_id").geometry
    kind_of = atoms.set_index("atom_id")["kind"]
    for row in rows.itertuples():
        if kind_of[row.atom_id] == "compound" and overlaps_another_compound(row, rows, buildings.geometry, kind_of):
            continue
        home = communities[row.community_id]
        assert shape_of[row.atom_id].area > 0
        left = buildings.geometry[row.building_id].intersection(home).difference(shape_of[row.atom_id].buffer(1e-4))
        assert 2 * left.area <= DEPTH * max(left.length, 1e-9), row

    assert (pairs["atom_a"] < pairs["atom_b"]).all()
    assert not pairs.duplicated(["atom_a", "atom_b"]).any()
    assert (pairs["on_street"] <= pairs["metres"] + 1e-6).all()
    of = atoms.set_index("atom_id")["community_id"]
    assert (of[pairs["atom_a"]].to_numpy() == of[pairs["atom_b"]].to_numpy()).all()
    touch = pairs[(pairs["metres"] + pairs["barrier"] > 0) | (pairs["kind"] == "border")]
    found = {
        (a, b): m for a, b, m in zip(touch["atom_a"], touch["atom_b"], touch["metres"] + touch["barrier"], strict=True)
    }
    assert found == pytest.approx(brute_borders(atoms), abs=1e-5)


def unshared(atoms):
    """Vertices of one community that lie on the border of another and are no vertices of it."""
    areas = [shapely.union_all(np.asarray(of.geometry.array)) for _, of in atoms.groupby("community_id")]
    corners = [shapely.get_coordinates(np.asarray(of.geometry.array)) for _, of in atoms.groupby("community_id")]
    out = []
    for one in range(len(areas)):
        own = set(map(tuple, corners[one].tolist()))
        for other in range(len(areas)):
            on = shapely.distance(shapely.points(corners[other]), shapely.boundary(areas[one])) < 1e-5
            out += [xy for xy in corners[other][on].tolist() if tuple(xy) not in own]
    return out


def overlaps_another_compound(row, rows, shapes, kind_of):
    """Whether a building lies over one of another compound: compounds are not joined, so one of the two is cut."""
    others = rows.loc[(rows["atom_id"] != row.atom_id) & (rows["atom_id"].map(kind_of) == "compound"), "building_id"]
    return shapes[others].intersection(shapes[row.building_id]).area.sum() > 0


def brute_borders(atoms):
    """Length of the intersection of every two atoms of a community, where there is any."""
    out = {}
    for _, of in atoms.groupby("community_id"):
        shapes, ids = np.asarray(of.geometry.array), of["atom_id"].to_numpy()
        a, b = np.triu_indices(len(of), 1)
        length = shapely.length(shapely.intersection(shapes[a], shapes[b]))
        out |= {tuple(sorted((ids[i], ids[j]))): m for i, j, m in zip(a, b, length, strict=True) if m > 1e-5}
    return out


def atom_of(ground, building_id):
    return ground.assignment.set_index("building_id")["atom_id"][building_id]


# ---------------------------------------------------------------- random towns


def rectangles(size, least=2.0, most=30.0, angles=(0, 0, 17, 45)):
    return st.builds(
        lambda x, y, w, h, angle: affinity.rotate(box(x, y, x + w, y + h), angle),
        st.floats(-10, size), st.floats(-10, size), st.floats(least, most), st.floats(least, most),
        st.sampled_from(angles),
    )  # fmt: skip


grid_rectangles = st.builds(
    lambda x, y, w, h: box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h)),
    st.integers(0, 18), st.integers(0, 18), st.integers(1, 3), st.integers(1, 3),
)  # fmt: skip
grid_points = st.builds(lambda x, y: Point(10 * x, 10 * y), st.integers(0, 20), st.integers(0, 20))
lines = st.lists(st.tuples(st.floats(-20, 220), st.floats(-20, 220)), min_size=2, max_size=4, unique=True).map(
    LineString
)
grounds = st.sampled_from(
    [
        [box(0, 0, 200, 200)],
        [box(0, 0, 100, 200), box(100, 0, 200, 200)],
        [box(0, 0, 200, 200) - box(60, 60, 120, 140)],
        [box(0, 0, 200, 200) - box(60, 60, 120, 140), box(60, 60, 120, 140)],
        [MultiPolygon([box(0, 0, 90, 90), box(110, 110, 200, 200), box(0, 150, 30, 200)])],
        [Polygon([(0, 0), (200, 10), (170, 200), (90, 60), (20, 190)])],
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    grounds,
    st.lists(st.one_of(rectangles(200), grid_rectangles, grid_points), max_size=12),
    st.lists(lines, max_size=4),
    st.lists(rectangles(150, 20, 90), max_size=4),
    st.lists(st.one_of(lines, rectangles(150, 10, 90)), max_size=2),
)
def test_any_town(communities, buildings, streets, compounds, barriers):
    tables = town(communities, buildings, streets, compounds, barriers)
    check(tables, ground_of(tables, upper=20))


@settings(max_examples=10, deadline=None)
@given(
    grounds,
    st.lists(st.one_of(rectangles(200), grid_points), min_size=2, max_size=8),
    st.lists(lines, max_size=3),
    st.randoms(),
)
def test_row_order_does_not_matter(communities, buildings, streets, random):
    tables = town(communities, buildings, streets)
    shuffled = {}
    for name, table in tables.items():
        order = list(range(len(table)))
        random.shuffle(order)
        shuffled[name] = table.iloc[order]
    one, other = ground_of(tables), ground_of(shuffled)
    first, second = (g.atoms.set_index("atom_id").sort_index() for g in (one, other))
    assert first.index.tolist() == second.index.tolist()
    assert first["households"].tolist() == second["households"].tolist()
    assert np.asarray(first.symmetric_difference(second).area).max(initial=0) < 1e-6
    columns = ["building_id", "atom_id"]
    pd.testing.assert_frame_equal(
        one.assignment[columns].sort_values(columns, ignore_index=True),
        other.assignment[columns].sort_values(columns, ignore_index=True),
    )


# ---------------------------------------------------------------- traps


def test_one_building_takes_its_community():
    tables = town([box(0, 0, 30, 30)], [box(10, 10, 20, 20)])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.atoms["atom_id"].tolist() == ["b:B000"]
    assert ground.adjacency.empty


def test_no_building_at_all():
    tables = town([box(0, 0, 400, 300)], [])
    ground = ground_of(tables)
    check(tables, ground)
    assert len(ground.atoms) > 5
    assert (ground.atoms["kind"] == "land").all()


def test_without_streets_a_community_is_one_block():
    tables = town([box(0, 0, 60, 20)], [box(5, 5, 15, 15), box(45, 5, 55, 15)])
    ground = make_atoms(tables["communities"], tables["buildings"])
    check(tables, ground)
    west, east = ground.atoms.set_index("atom_id").geometry[["b:B000", "b:B001"]]
    assert west.symmetric_difference(affinity.translate(box(0, 0, 30, 20), EAST, NORTH)).area < 1
    assert east.area == pytest.approx(600, abs=1)


def test_borders_follow_the_street():
    tables = town([box(0, 0, 60, 40)], [box(5, 5, 15, 15), box(30, 5, 55, 15)], [LineString([(20, -5), (20, 45)])])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.adjacency[["metres", "on_street"]].to_numpy() == pytest.approx(40)
    assert ground.atoms.set_index("atom_id").geometry["b:B000"].area == pytest.approx(20 * 40)


def test_terraced_houses_part_at_their_common_wall():
    tables = town([box(0, 0, 40, 30)], [box(10, 10, 20, 20), box(20, 10, 30, 20)])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.adjacency["metres"].tolist() == pytest.approx([30], abs=0.01)


def test_a_footprint_across_a_street_stays_whole():
    arcade = box(10, 15, 20, 40)
    tables = town([box(0, 0, 60, 60)], [arcade, box(40, 40, 50, 50)], [LineString([(-5, 30), (65, 30)])])
    ground = ground_of(tables)
    check(tables, ground)
    shape = ground.atoms.set_index("atom_id").geometry["b:B000"]
    assert shape.geom_type == "Polygon"
    assert shape.covers(affinity.translate(arcade, EAST, NORTH).buffer(-0.001))
    # It reaches well beyond the street, and has land there.
    assert shape.intersection(affinity.translate(box(0, 40.1, 60, 60), EAST, NORTH)).area > 100


def test_a_corner_over_the_street_line_takes_no_land_beyond():
    tables = town([box(0, 0, 60, 60)], [box(10, 12, 30, 31), box(40, 40, 50, 50)], [LineString([(-5, 30), (65, 30)])])
    ground = ground_of(tables)
    check(tables, ground)
    shape = ground.atoms.set_index("atom_id").geometry["b:B000"]
    assert shape.area == pytest.approx(60 * 30 + 20 * 1, abs=0.1)


def test_a_footprint_across_a_community_border_is_cut_there():
    across = box(45, 20, 60, 30)
    tables = town([box(0, 0, 50, 50), box(50, 0, 100, 50)], [across, box(10, 10, 20, 20)])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.assignment.set_index("building_id")["community_id"]["B000"] == "K1"
    assert ground.findings.set_index("rule")["ids"]["footprint_across_communities"] == ["B000"]


def test_stacked_and_doubled_footprints_share_an_atom():
    tables = town(
        [box(0, 0, 90, 40)], [box(10, 10, 20, 20), box(10, 10, 20, 20), box(50, 5, 80, 35), box(60, 15, 70, 25)]
    )
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.atoms.set_index("atom_id")["households"].to_dict() == {"b:B000": 3, "b:B002": 7}
    assert ground.findings.set_index("rule")["ids"]["footprints_overlap"] == ["B000", "B001", "B002", "B003"]


def test_coincident_points_share_an_atom():
    tables = town([box(0, 0, 40, 40)], [Point(10, 10), Point(10, 10), Point(30, 30)])
    ground = ground_of(tables)
    check(tables, ground)
    assert atom_of(ground, "B000") == atom_of(ground, "B001") == "b:B000"
    assert ground.atoms["kind"].tolist() == ["building", "building"]


def test_buildings_known_as_points_share_the_land_by_distance():
    tables = town([box(0, 0, 90, 30)], [Point(15, 15), Point(45, 15), Point(75, 15)])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.atoms.area.tolist() == pytest.approx([900] * 3, rel=1e-3)


def test_a_footprint_too_small_for_the_grid_still_has_an_atom():
    speck = box(30, 30, 30.00002, 30.00002)
    tables = town([box(0, 0, 40, 40)], [box(10, 10, 20, 20), speck])
    assert atom_of(ground_of(tables), "B001") in {"b:B000", "b:B001"}


def test_two_enclaves_and_a_ring():
    whole = box(0, 0, 300, 200)
    enclaves = [box(50, 50, 100, 100), box(200, 100, 250, 150)]
    tables = town(
        [whole - enclaves[0] - enclaves[1], *enclaves],
        [box(10, 10, 30, 30), box(60, 60, 80, 80), box(270, 170, 290, 190)],
    )
    check(tables, ground_of(tables))


def test_pieces_of_a_community_are_joined_at_their_nearest_atoms():
    pieces = MultiPolygon([box(0, 0, 50, 50), box(80, 0, 130, 50), box(80, 90, 130, 140)])
    houses = [box(x, y, x + 10, y + 10) for x, y in ((5, 20), (35, 20), (85, 20), (115, 20), (100, 100))]
    tables = town([pieces], houses)
    ground = ground_of(tables)
    check(tables, ground)
    joined = ground.adjacency[ground.adjacency["kind"] == "piece"]
    assert set(zip(joined["atom_a"], joined["atom_b"], strict=True)) >= {("b:B001", "b:B002")}
    assert len(joined) == 3
    assert (joined["metres"] == 0).all()


def test_a_hard_barrier_between_pieces_keeps_them_apart():
    pieces = MultiPolygon([box(0, 0, 50, 50), box(80, 0, 130, 50)])
    tables = town([pieces], [box(5, 20, 15, 30), box(100, 20, 110, 30)], barriers=[LineString([(65, -50), (65, 100)])])
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.adjacency.empty


def test_a_border_on_a_hard_barrier_joins_nothing():
    tables = town(
        [box(0, 0, 60, 40)], [box(5, 5, 15, 15), box(40, 5, 55, 15)], barriers=[LineString([(20, -5), (20, 45)])]
    )
    ground = ground_of(tables)
    check(tables, ground)
    assert ground.adjacency[["metres", "barrier", "soft"]].to_numpy().tolist() == [pytest.approx([0, 40, 0])]
    tables["barriers"]["hard"] = False
    soft = ground_of(tables).adjacency
    assert soft[["metres", "barrier", "soft"]].to_numpy().tolist() == [pytest.approx([40, 0, 40])]


def test_a_river_hangs_on_one_bank():
    tables = town([box(0, 0, 300, 220)], BANKS, barriers=[RIVER])
    ground = ground_of(tables)
    check(tables, ground)
    walk = joined(ground)
    assert not nx.has_path(walk, "b:B000", "b:B002")
    assert nx.has_path(walk, "b:B000", "b:B001")
    assert set(walk) == set(ground.atoms["atom_id"])


RIVER = Polygon([(-10, 90), (310, 90), (310, 130), (-10, 130)])
BANKS = [box(20, 20, 40, 40), box(250, 20, 270, 40), box(120, 170, 140, 190)]


def joined(ground):
    """Which atoms hang together."""
    pairs = ground.adjacency
    some = pairs[(pairs["metres"] >= 3) | pairs["kind"].isin(["piece", "bridge"])]
    graph = nx.from_pandas_edgelist(some, "atom_a", "atom_b")
    graph.add_nodes_from(ground.atoms["atom_id"])
    return graph


@pytest.mark.parametrize(
    ("ways", "classes", "over"),
    [
        ([[(100, -5), (100, 225)]], ["residential"], True),
        ([[(100, -5), (100, 225)]], ["motorway"], False),
        ([[(100, -5), (100, 110)], [(100, 110), (100, 225)]], ["footway", "path"], True),
        ([[(100, 60), (100, 90)], [(100, 90), (90, 110), (100, 130)], [(100, 130), (100, 160)]], ["steps"] * 3, True),
        ([[(100, -5), (100, 120)]], ["residential"], False),
        ([[(-5, 85), (305, 85)]], ["residential"], False),
        ([[(100, 60), (100, 110), (200, 110), (200, 60)]], ["footway"], False),
    ],
)
def test_a_street_over_a_river_joins_its_banks(ways, classes, over):
    tables = town([box(0, 0, 300, 220)], BANKS, [LineString(way) for way in ways], barriers=[RIVER])
    tables["streets"]["class"] = classes
    ground = ground_of(tables)
    check(tables, ground)
    bridges = ground.adjacency[ground.adjacency["kind"] == "bridge"]
    assert (len(bridges) > 0) == over
    assert (bridges["metres"] < 3).all()
    assert nx.has_path(joined(ground), "b:B000", "b:B002") == over
    if over:
        shape = ground.atoms.set_index("atom_id").geometry
        place = affinity.translate(Point(100, 110), EAST, NORTH)
        assert (shape[bridges["atom_a"]].distance(place) < 21).all()
        assert (shape[bridges["atom_b"]].distance(place) < 21).all()


def test_a_level_crossing_joins_across_a_railway():
    rail = LineString([(-10, 110), (310, 110)])
    houses = [box(180, 80, 190, 90), box(20, 130, 30, 140), box(205, 125, 215, 135)]
    tables = town([box(0, 0, 300, 220)], houses, [LineString([(200, 80), (200, 140)])], barriers=[rail])
    ground = ground_of(tables)
    check(tables, ground)
    bridges = ground.adjacency[ground.adjacency["kind"] == "bridge"]
    assert bridges["barrier"].min() > 0
    assert {frozenset(pair) for pair in zip(bridges["atom_a"], bridges["atom_b"], strict=True)} == {
        frozenset({"b:B000", "b:B002"})
    }


def test_a_bridge_joins_the_pieces_of_a_community():
    pieces = MultiPolygon([box(0, 0, 300, 90), box(0, 130, 300, 220)])
    tables = town([pieces], BANKS, [LineString([(100, -5), (100, 225)])], barriers=[RIVER])
    ground = ground_of(tables)
    check(tables, ground)
    assert set(ground.adjacency["kind"]) == {"border", "bridge"}


@pytest.mark.parametrize("off", [0.004, -0.004, 0.015])
def test_a_street_that_all_but_runs_along_the_community_border_leaves_no_hair(off):
    """The border bends where the street has no vertex, and the street where the border has none."""
    area = Polygon([(0, 0), (100, 0.003), (300, 0), (300, 220), (0, 220)])
    street = LineString([(0, off), (60, off), (160, off / 2), (230, off), (230, 120)])
    houses = [box(x, y, x + 12, y + 12) for x in (20, 90, 180, 250) for y in (1, 60)]
    tables = town([area], houses, [street, LineString([(60, off), (60, 219.99)])])
    ground = ground_of(tables)
    check(tables, ground)
    atoms = np.asarray(ground.atoms.geometry.array)
    cores, atom = shapely.get_parts(shapely.buffer(atoms, -0.02, join_style="mitre"), return_index=True)
    assert np.bincount(atom, minlength=len(atoms)).tolist() == [1] * len(atoms)
    assert (shapely.length(atoms) <= shapely.length(cores) + 1).all()


def test_neighbours_share_an_atom_when_the_audit_would_count_their_common_strip_as_a_cut():
    """Walls 40 m long that lie over each other by 4 mm: 0.16 m² that one of the two would lose."""
    houses = [box(50, 50, 90, 70), box(50, 69.996, 90, 90), box(50, 89.9995, 90, 110)]
    tables = town([box(0, 0, 300, 220)], houses)
    ground = ground_of(tables)
    check(tables, ground)
    assert atom_of(ground, "B000") == atom_of(ground, "B001") != atom_of(ground, "B002")
    grids = ground.atoms.set_index("atom_id").geometry
    home = ground.assignment["atom_id"].map(pd.Series(range(len(grids)), index=grids.index)).to_numpy()
    shapes = tables["buildings"].set_index("building_id").geometry[ground.assignment["building_id"]].to_numpy()
    assert not footprints_cut(shapes, home, grids.to_numpy(), np.zeros(len(grids), dtype=int)).any()


def test_a_wall_that_ends_within_a_block_parts_nothing():
    houses = [box(x, y, x + 12, y + 12) for x in (20, 70, 120, 170) for y in (20, 80)]
    walls = [LineString([(-5, 56), (140, 56)]), LineString([(95, 100), (95, 30)]), LineString([(150, 10), (160, 100)])]
    tables = town([box(0, 0, 200, 112)], houses, barriers=walls)
    ground = ground_of(tables)
    check(tables, ground)
    assert set(ground.atoms["kind"]) == {"building"}
    assert nx.is_connected(joined(ground))


def test_overlapping_communities_are_found_and_the_lower_id_gets_the_buildings():
    tables = town([box(0, 0, 60, 50), box(50, 0, 100, 50)], [box(51, 10, 59, 20), box(80, 10, 90, 20)])
    ground = ground_of(tables)
    found = ground.findings.set_index("rule").loc["communities_overlap"]
    assert found["ids"] == ["K0", "K1"]
    assert found["geometry"].area == pytest.approx(500)
    assert ground.assignment.set_index("building_id")["community_id"].to_dict() == {"B000": "K0", "B001": "K1"}


def same(one, other):
    """Whether two grounds are equal to the last bit."""
    pd.testing.assert_frame_equal(one.atoms.drop(columns="geometry"), other.atoms.drop(columns="geometry"))
    pd.testing.assert_frame_equal(one.adjacency, other.adjacency)
    pd.testing.assert_frame_equal(one.assignment, other.assignment)
    return (one.atoms.geometry.to_wkb() == other.atoms.geometry.to_wkb()).all()


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_workers_do_not_change_the_atoms(workers):
    houses = [box(x, y, x + 8, y + 8) for x in range(5, 290, 20) for y in range(5, 90, 25)]
    tables = town(
        [box(0, 0, 60, 100), box(60, 0, 200, 100), box(200, 0, 300, 100)], houses, [LineString([(-5, 50), (305, 50)])]
    )
    if workers == "threads":
        pool = futures.ThreadPoolExecutor(2)
    else:
        pool = futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        assert same(ground_of(tables), ground_of(tables, executor=pool))


# ---------------------------------------------------------------- compounds


def test_a_compound_is_one_atom_until_it_is_too_large():
    houses = [box(12, 12, 22, 22), box(30, 12, 40, 22), box(60, 12, 70, 22)]
    tables = town([box(0, 0, 80, 40)], houses, compounds=[box(10, 10, 50, 30)], households=[30, 40, 5])
    ground = ground_of(tables, upper=70)
    check(tables, ground)
    assert ground.atoms.set_index("atom_id").loc["c:C0", ["kind", "households", "compound_id"]].tolist() == [
        "compound",
        70,
        "C0",
    ]
    assert atom_of(ground, "B000") == atom_of(ground, "B001") == "c:C0"
    ground = ground_of(tables, upper=69)
    check(tables, ground)
    assert ground.atoms["compound_id"].fillna("").groupby(ground.atoms["atom_id"]).first().to_dict() == {
        "b:B000": "C0", "b:B001": "C0", "b:B002": "",
    }  # fmt: skip
    assert atom_of(ground_of(tables, upper=69, whole=["C0"]), "B000") == "c:C0"


def test_the_atom_of_a_compound_goes_to_its_wall_or_to_the_street_beyond():
    tables = town(
        [box(0, 0, 80, 60)], [box(12, 12, 22, 22), box(60, 12, 70, 22)], [LineString([(-5, 40), (85, 40)])],
        compounds=[box(10, 10, 50, 30)],
    )  # fmt: skip
    ground = ground_of(tables)
    check(tables, ground)
    assert (
        ground.atoms.set_index("atom_id").geometry["c:C0"].covers(affinity.translate(box(10, 10, 50, 30), EAST, NORTH))
    )


def test_a_compound_across_a_community_border_is_two():
    tables = town(
        [box(0, 0, 50, 50), box(50, 0, 100, 50)],
        [box(30, 20, 40, 30), box(60, 20, 70, 30)],
        compounds=[box(20, 10, 80, 40)],
    )
    ground = ground_of(tables)
    check(tables, ground)
    assert sorted(ground.atoms.loc[ground.atoms["kind"] == "compound", "atom_id"]) == ["c:C0@K0", "c:C0@K1"]


def test_what_compounds_claim_is_compared_with_what_they_hold():
    tables = town([box(0, 0, 80, 40)], [box(12, 12, 22, 22), box(60, 12, 70, 22)], compounds=[box(10, 10, 50, 30)])
    tables["compounds"]["households"] = 100
    tables["buildings"]["compound_id"] = ["C0", "C0"]
    found = ground_of(tables).findings.set_index("rule")
    assert found.loc["compound_households", "ids"] == ["C0"]
    assert "99" in found.loc["compound_households", "message"]
    assert found.loc["compound_elsewhere", "ids"] == ["B001"]


# ---------------------------------------------------------------- a real city


@pytest.fixture(scope="module")
def las_palmas(data_dir):
    """Ragged communities of Las Palmas that hold awkward ground: several pieces, cut compounds, dense terraces."""
    from gridmap.io.read.readers import read_buildings, read_streets

    folder = data_dir / "las_palmas"
    communities = gpd.read_file(folder / "communities_ragged.gpkg")
    several = communities[shapely.get_num_geometries(np.asarray(communities.geometry.array)) > 1].head(2)
    communities = pd.concat([several, communities.drop(several.index).head(1)])
    source = next(folder.glob("*.osm.pbf"))
    counts = pd.read_csv(folder / "households.csv").set_index("building_id")["households"]
    buildings = read_buildings(source).to_crs(communities.crs)
    buildings["households"] = buildings["building_id"].map(counts).fillna(0)
    streets = read_streets(source).to_crs(communities.crs)
    reach = box(*communities.total_bounds).buffer(50)
    compounds = gpd.read_file(folder / "compounds.gpkg")
    return {
        "communities": communities,
        "buildings": buildings[buildings.intersects(reach)],
        "streets": streets[streets.intersects(reach)],
        "compounds": compounds[compounds.intersects(reach)],
        "barriers": gpd.GeoDataFrame({"kind": []}, geometry=[], crs=communities.crs),
    }


def test_real_communities(las_palmas):
    ground = ground_of(las_palmas)
    atoms, pairs = ground.atoms, ground.adjacency
    for community_id, of in atoms.groupby("community_id"):
        area = las_palmas["communities"].set_index("community_id").geometry[community_id]
        assert shapely.coverage_is_valid(np.asarray(of.geometry.array))
        assert of.area.sum() == pytest.approx(area.area, rel=1e-6)
    assert ground.assignment["households"].sum() == atoms["households"].sum() > 3000

    shapes = las_palmas["buildings"].set_index("building_id").geometry[ground.assignment["building_id"]].to_numpy()
    homes = las_palmas["communities"].set_index("community_id").geometry[ground.assignment["community_id"]].to_numpy()
    held = atoms.set_index("atom_id").geometry[ground.assignment["atom_id"]].to_numpy()
    left = shapely.difference(shapely.intersection(shapes, homes), held)
    assert (2 * shapely.area(left) <= DEPTH * np.maximum(shapely.length(left), 1e-9)).all()

    # Every atom has a neighbour it can be joined to, and most of what parts two blocks follows a street.
    joins = pairs[(pairs["metres"] >= 3) | (pairs["kind"] == "piece")]
    assert set(atoms["atom_id"]) == set(joins["atom_a"]) | set(joins["atom_b"])
    assert (atoms.geom_type == "Polygon").mean() > 0.999
    assert 0.1 < pairs["on_street"].sum() / pairs["metres"].sum() < 0.9
