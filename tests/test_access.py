"""Access: legs against Shapely, as the design (section 6, "Coverage") words them."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import network_oracle as oracle
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, Point, Polygon, box

from gridmap.errors import OptionError
from gridmap.io.read.readers import read_streets
from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork

CRS = 32650
CORNER = np.array([500_000.0, 4_400_000.0])
EXACT = 1e-6


def moved(shape):
    return shapely.transform(shape, lambda xy: xy + CORNER)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=[moved(s) for s in shapes], crs=CRS)


def gates_of(*gates, **columns):
    """Entrances from (compound, point)."""
    rows = {"entrance_id": [f"g{i}" for i in range(len(gates))], "of": "compound", "of_id": [c for c, _ in gates]}
    return frame([Point(p) for _, p in gates], **rows, **columns)


def compounds_of(*polygons):
    return frame(polygons, compound_id=[f"c{i}" for i in range(len(polygons))])


def network_of(lines, **options):
    return StreetNetwork.from_streets(frame([LineString(line) for line in lines]), **options)


def legs(network, places, kind="building"):
    """Legs by place: sorted places on the ground where they end, with their lengths."""
    access = network.access([moved(p) for p in places], kind=kind)
    ends = [network.place_at(access.edge, t) - CORNER for t in (access.t0, access.t1)]
    out = []
    for i in range(len(access)):
        rows = slice(access.owner_ptr[i], access.owner_ptr[i + 1])
        out.append(
            sorted(
                (*np.round(a, 5).tolist(), *np.round(b, 5).tolist(), round(leg, 5))
                for a, b, leg in zip(ends[0][rows], ends[1][rows], access.leg[rows].tolist(), strict=True)
            )
        )
    return out, access.status.tolist()


def metres(network, home, service):
    found = nearest(
        network, network.access([moved(service)], kind="facility"), network.access([moved(home)]), by="metres"
    )
    return float(found.metres[0, 0])


STREET = [(0, 0), (200, 0)]


def test_all_edges_in_range_are_reached_and_no_others():
    network = network_of([STREET, [(0, 40), (200, 40)], [(0, 71), (200, 71)]])
    found, status = legs(network, [Point(50, 20), Point(50, 20.5)])
    assert found[0] == [(50, 0, 50, 0, 20), (50, 40, 50, 40, 20)]
    assert [f[4] for f in found[1]] == [20.5, 19.5]
    assert legs(network, [Point(50, 21)])[0][0][-1] == (50, 71, 50, 71, 50)
    assert status == ["ok", "ok"]


def test_where_none_is_in_range_the_nearest_is_taken_and_reported():
    network = network_of([STREET, [(0, 300), (200, 300)]])
    found, status = legs(network, [Point(50, 120), Point(50, 49)])
    assert found[0] == [(50, 0, 50, 0, 120)]
    assert status == ["far", "ok"]
    findings = network.access([moved(Point(50, 120))], ids=["home"]).findings
    assert findings["rule"].tolist() == ["building_far"]
    assert findings["ids"].tolist() == [["home"]]


def test_with_a_range_of_nothing_the_nearest_edge_alone():
    network = network_of([STREET, [(0, 30), (200, 30)]], access_metres=0)
    found, status = legs(network, [Point(50, 10), Point(50, 15), Point(50, -51)])
    assert found[0] == [(50, 0, 50, 0, 10)]
    assert len(found[1]) == 2  # equally near
    assert status == ["ok", "ok", "far"]


def test_a_leg_does_not_cross_a_barrier_but_may_end_on_it():
    river = frame([LineString([(-10, 10), (210, 10)])])
    network = network_of([STREET, [(0, 30), (200, 30)], [(100, 0), (100, 10)]], barriers=river)
    assert legs(network, [Point(50, 5)])[0][0] == [(50, 0, 50, 0, 5), (100, 5, 100, 5, 50)]
    assert legs(network, [Point(50, 15)]) == ([[(50, 30, 50, 30, 15)]], ["ok"])
    assert legs(network_of([STREET, [(0, 30), (200, 30)]], barriers=river.assign(hard=False)), [Point(50, 5)])[0] == [
        [(50, 0, 50, 0, 5), (50, 30, 50, 30, 25)]
    ]


def test_where_the_nearest_is_barred_the_nearest_that_is_not():
    wall = frame([LineString([(-500, 10), (500, 10)])])
    network = network_of([STREET, [(0, 400), (200, 400)]], barriers=wall)
    assert legs(network, [Point(50, 11)]) == ([[(50, 400, 50, 400, 389)]], ["far"])


def test_a_facility_in_the_river_reaches_nothing():
    river = frame([box(-50, 10, 300, 90)])
    network = network_of([STREET, [(0, 100), (200, 100)]], barriers=river)
    assert legs(network, [Point(50, 50), Point(50, 5)]) == ([[], [(50, 0, 50, 0, 5)]], ["unsnapped", "ok"])
    boat = network.access([moved(Point(50, 50)), moved(box(40, 40, 60, 60))], kind="facility", ids=["boat", "raft"])
    assert boat.findings.loc[0, ["rule", "ids"]].tolist() == ["facility_unsnapped", ["boat", "raft"]]


YARD = box(50, 10, 150, 90)


def test_a_compound_whose_only_gate_is_on_the_far_side():
    # the street at y=0 runs 10 m from the wall, the gate is in the wall at y=90
    network = network_of(
        [STREET, [(0, 100), (200, 100)], [(0, 0), (0, 100)]],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 90))),
    )  # fmt: skip
    home = Point(100, 12)
    assert legs(network, [home])[0][0] == [(100, 100, 100, 100, 78 + 10)]
    assert metres(network, home, Point(100, 0)) == pytest.approx(88 + 100 + 100 + 100)
    # somebody in the street outside, 10 m from the wall, is not let in either
    assert metres(network, Point(100, 0), home) == pytest.approx(388)


def test_inside_edges_and_gates_are_both_reached():
    yard_path = [(100, 60), (100, 90), (100, 100)]
    network = network_of(
        [STREET, [(0, 100), (200, 100)], yard_path],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 90))),
    )  # fmt: skip
    assert network.findings["rule"].tolist() == ["street_islands"]
    found = legs(network, [Point(80, 70)])[0][0]
    assert (100, 70, 100, 70, 20) in found
    assert (100, 100, 100, 100, round(float(np.hypot(20, 20)), 5) + 10) in found
    assert all(end[1] > 0 for end in found)


def test_an_edge_that_crosses_the_wall_is_cut_and_its_ends_do_not_join():
    through = [(0, 50), (100, 50), (200, 50)]
    free, walled = (
        network_of([through], compounds=compounds_of(YARD), entrances=entrances)
        for entrances in (None, gates_of(("c0", (100, 90))))
    )
    assert free.graph.n_edges == 2
    assert walled.graph.n_edges == 4
    assert walled.summary["islands"] == 3
    assert walled.graph.edge_length.sum() == pytest.approx(200)
    assert "street_cut_by_wall" in walled.findings["rule"].tolist()
    assert metres(free, Point(0, 50), Point(200, 50)) == pytest.approx(200)
    assert metres(walled, Point(0, 50), Point(200, 50)) == np.inf
    ends = walled.graph.node_xy - CORNER
    assert sorted(map(tuple, ends.round(6).tolist())) == [
        (0, 50), (50, 50), (50, 50), (100, 50), (150, 50), (150, 50), (200, 50),
    ]  # fmt: skip


@pytest.mark.parametrize(("off", "islands"), [(0.0, 2), (0.9, 2), (1.1, 3)])
def test_a_gate_opens_its_wall_one_metre_around_it(off, islands):
    network = network_of(
        [[(0, 50), (100, 50), (200, 50)]],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (50, 50 + off)), ("c0", (100, 90))),
    )  # fmt: skip
    assert network.summary["islands"] == islands


def test_a_wall_through_a_vertex_parts_the_streets_there():
    network = network_of(
        [[(0, 50), (50, 50), (100, 50)], [(50, 0), (50, 50), (50, 100)]],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 90))),
    )  # fmt: skip
    # the street on the wall is outside and stays whole; the path into the yard comes off it
    assert network.summary["islands"] == 2
    assert metres(network, Point(0, 50), Point(50, 100)) == pytest.approx(100)
    opened = network_of(
        [[(0, 50), (50, 50), (100, 50)], [(50, 0), (50, 50), (50, 100)]],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (50, 50))),
    )  # fmt: skip
    assert opened.summary["islands"] == 1


def test_a_path_that_touches_the_wall_from_inside_is_not_cut():
    network = network_of(
        [[(60, 50), (50, 60), (60, 70)], STREET],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 10))),
    )  # fmt: skip
    assert network.summary["islands"] == 2


def test_compounds_without_gates_are_snapped_as_before_and_counted():
    network = network_of([STREET], compounds=compounds_of(YARD, box(300, 0, 400, 50)), entrances=gates_of())
    assert legs(network, [Point(100, 20)])[0][0] == [(100, 0, 100, 0, 20)]
    row = network.findings.iloc[0]
    assert (row["rule"], row["ids"]) == ("compound_without_gates", ["c0", "c1"])


def test_a_compound_whose_gates_are_all_shut_lets_nobody_out():
    network = network_of(
        [STREET, [(60, 50), (140, 50)]],
        compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 10)), open=[False]),
    )  # fmt: skip
    assert network.findings["rule"].tolist()[0] == "compound_shut"
    assert legs(network, [Point(100, 20)])[0][0] == [(100, 50, 100, 50, 30)]
    assert metres(network, Point(100, 20), Point(100, 0)) == np.inf
    sealed = network_of([STREET], compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 10)), open=["no"]))
    assert legs(sealed, [Point(100, 20)]) == ([[]], ["unsnapped"])


def test_gates_for_vehicles_do_not_open_for_walkers():
    entrances = gates_of(("c0", (100, 10)), ("c0", (100, 90)), modes=["drive", "walk;cycle"])
    network = network_of([STREET, [(0, 100), (200, 100)]], compounds=compounds_of(YARD), entrances=entrances)
    assert legs(network, [Point(100, 12)])[0][0] == [(100, 100, 100, 100, 88)]


def test_gates_off_their_wall_are_moved_onto_it_and_strays_reported():
    network = network_of(
        [STREET], compounds=compounds_of(YARD), entrances=gates_of(("c0", (100, 30)), ("nowhere", (0, 0)))
    )
    assert (network.walls.gate_xy - CORNER).round(6).tolist() == [[100, 10]]
    rules = dict(zip(network.findings["rule"], network.findings["ids"], strict=True))
    assert rules["gate_off_wall"] == ["g0"]
    assert rules["gate_of_unknown_compound"] == ["g1"]


def test_a_gate_within_another_compound_leads_on_through_its_gates():
    outer, inner = box(0, 10, 200, 200), box(80, 80, 120, 120)
    network = network_of(
        [STREET], compounds=compounds_of(outer, inner),
        entrances=gates_of(("c0", (100, 10)), ("c1", (100, 80))),
    )  # fmt: skip
    assert legs(network, [Point(100, 100)])[0][0] == [(100, 0, 100, 0, 100)]


def test_entrances_of_buildings_and_facilities_count_and_only_open_ones():
    doors = frame(
        [Point(150, 5), Point(20, 5), Point(100, 6)], entrance_id=["a", "b", "c"],
        of=["building", "building", "facility"], of_id=["h", "h", "h"], open=[True, False, None],
    )  # fmt: skip
    network = network_of([STREET], entrances=doors)
    place = moved(box(10, 5, 160, 100))
    home, park = network.access([place], ids=["h"]), network.access([place], kind="facility", ids=["h"])
    assert (home.t0 * 200).round(6).tolist() == [150]
    assert (park.t0 * 200).round(6).tolist() == [100]
    shut = network_of([STREET], entrances=doors.assign(open=False))
    assert shut.access([place], ids=["h"]).status.tolist() == ["unsnapped"]


def test_a_polygon_is_reached_at_its_edge_and_a_building_from_within():
    network = network_of([[(0, 0), (30, 0)]])
    park = Polygon([(50, 5), (80, 30), (80, -30)])
    found, _ = legs(network, [park], kind="facility")
    assert found == [[(30, 0, 30, 0, round(float(np.hypot(20, 5)), 5))]] or found[0][0][4] == pytest.approx(
        park.distance(Point(30, 0)), abs=1e-5
    )
    assert legs(network, [park])[0][0][0][4] > 40


def test_an_edge_beside_a_polygon_is_reached_along_the_whole_stretch():
    network = network_of([STREET])
    found, _ = legs(network, [box(40, 10, 90, 60)], kind="facility")
    assert (40, 0, 90, 0, 10) in found[0]
    # whichever way the street is drawn
    assert (90, 0, 40, 0, 10) in legs(network_of([STREET[::-1]]), [box(40, 10, 90, 60)], kind="facility")[0][0]


def test_edges_enter_a_polygon():
    network = network_of([STREET, [(100, -30), (100, 60)]])
    found, _ = legs(network, [box(40, -20, 120, 20)], kind="facility")
    assert found[0] == [(40, 0, 120, 0, 0), (100, -20, 100, 20, 0)]
    holed = Polygon(box(40, -20, 120, 20).exterior, [box(60, -5, 80, 5).exterior])
    assert legs(network, [holed], kind="facility")[0][0] == [
        (40, 0, 60, 0, 0), (80, 0, 120, 0, 0), (100, -20, 100, 20, 0),
    ]  # fmt: skip


def test_polygons_alone_keep_their_own_edges():
    # edges that enter a polygon are found apart from those beside it, so the rows have to be put in order
    network = network_of([[(0, 0), (100, 0)], [(0, 30), (100, 30)]])
    parks = frame([box(0, -5, 40, 5), box(60, 25, 90, 35)], facility_id=["a", "b"])
    access = network.access(parks, kind="facility")
    assert [access.leg[a:b].tolist() for a, b in pairwise(access.owner_ptr)] == [[0.0, 25.0], [25.0, 0.0]]
    assert access.take(np.array([1])).leg.tolist() == network.access(parks[1:], kind="facility").leg.tolist()


def test_a_far_polygon_takes_the_nearest_edge_that_no_wall_bars():
    wall = frame([LineString([(-900, 100), (900, 100)])])
    streets = [STREET, [(0, 900), (200, 900)]]
    park = box(50, 200, 60, 210)
    assert legs(network_of(streets), [park], kind="facility") == ([[(50, 0, 60, 0, 200)]], ["far"])
    assert legs(network_of(streets, barriers=wall), [park], kind="facility") == ([[(50, 900, 60, 900, 690)]], ["far"])
    ring = frame([box(0, 150, 100, 260)])
    assert legs(network_of(streets, barriers=ring), [park], kind="facility") == ([[]], ["unsnapped"])


def test_small_islands_are_reported():
    network = network_of([[(0, 0), (5000, 0)], [(100, 300), (130, 300)]])
    access = network.access([moved(Point(110, 290)), moved(Point(110, 10))], kind="facility", ids=["cut off", "fine"])
    assert access.isolated.tolist() == [True, False]
    assert access.findings["rule"].tolist() == ["facility_isolated"]
    assert access.findings["ids"].tolist() == [["cut off"]]


def test_missing_and_infinite_places_are_unsnapped():
    network = network_of([STREET])
    access = network.access([None, Point(), Point(np.inf, 0), moved(Point(5, 5))])
    assert access.status.tolist() == ["unsnapped", "unsnapped", "unsnapped", "ok"]


def test_a_place_in_another_crs_and_ids_from_its_table():
    network = network_of([STREET])
    homes = frame([Point(50, 5)], building_id=["b7"]).to_crs(4326)
    access = network.access(homes)
    assert access.ids.tolist() == ["b7"]
    assert access.leg[0] == pytest.approx(5, abs=1e-3)


def test_wrong_arguments_are_refused():
    network = network_of([STREET])
    with pytest.raises(OptionError, match="kind"):
        network.access([Point(0, 0)], kind="tree")
    with pytest.raises(OptionError, match="ids"):
        network.access([Point(0, 0)], ids=["a", "b"])


def test_take_keeps_the_access_points_of_each_owner():
    network = network_of([STREET, [(0, 40), (200, 40)]])
    access = network.access([moved(Point(x, y)) for x, y in ((10, 20), (20, -300), (30, 5))], ids=list("abc"))
    part = access.take(np.array([2, 0]))
    assert part.ids.tolist() == ["c", "a"]
    assert part.owner_ptr.tolist() == [0, 2, 4]
    assert sorted(part.leg.round(6).tolist()) == [5, 20, 20, 35]
    assert part.status.tolist() == ["ok", "ok"]


def random_ground(seed):
    """Streets, compounds, gates, barriers and places in general position, plus the same for the oracle."""
    rng = np.random.default_rng(seed)
    nodes = rng.uniform(0, 300, (int(rng.integers(5, 14)), 2))
    lines = [LineString(nodes[rng.choice(len(nodes), int(rng.integers(2, 4)), replace=False)]) for _ in range(9)]
    yards = [Polygon([(60, 60), (140, 70), (130, 150), (100, 100), (55, 140)]), box(190.5, 170.25, 260.5, 250.75)]
    walls, gates = [], []
    for i, yard in enumerate(yards):
        places = [yard.exterior.interpolate(float(d)) for d in rng.uniform(0, yard.exterior.length, rng.integers(0, 4))]
        crossings = [
            p
            for line in lines
            for p in MultiPoint(points(line.intersection(yard.exterior))).geoms
            if rng.random() < 0.4
        ]
        opened = [p for p in [*places, *crossings] if rng.random() < 0.8]
        gates += [(f"c{i}", p, p in opened) for p in [*places, *crossings]]
        if places or crossings:
            walls.append(oracle.Wall(yard, opened))
    barriers = [LineString(rng.uniform(0, 300, (3, 2))) for _ in range(rng.integers(0, 3))]
    spots = [Point(p) for p in rng.uniform(0, 300, (8, 2))] + [Point(100, 90), Point(65, 120), Point(220, 200)]
    return lines, yards, walls, gates, barriers, spots


def points(shape):
    return [p for p in getattr(shape, "geoms", [shape]) if not p.is_empty]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 25.0, 50.0]))
def test_equal_to_shapely_and_networkx_with_walls_gates_and_barriers(seed, reach):
    lines, yards, walls, gates, barriers, spots = random_ground(seed)
    entrances = gates_of(*[(c, (p.x, p.y)) for c, p, _ in gates], open=[o for _, _, o in gates]) if gates else None
    network = StreetNetwork.from_streets(
        frame(lines), compounds=compounds_of(*yards), entrances=entrances, access_metres=reach,
        barriers=frame(barriers) if barriers else None,
    )  # fmt: skip
    edges = oracle.cut(oracle.edges_of(lines), walls)
    wanted_legs = [oracle.legs(p, edges, reach, walls, barriers) for p in spots]
    wanted = oracle.distances(edges, wanted_legs, wanted_legs)
    places = [moved(p) for p in spots]
    homes, services = network.access(places), network.access(places, kind="facility")
    assert (homes.status == "unsnapped").tolist() == [not found for found in wanted_legs]
    for j in range(len(spots)):
        found = nearest(network, services.take(np.array([j])), homes, by="metres").metres[:, 0]
        assert np.array_equal(np.isfinite(found), np.isfinite(wanted[:, j]))
        there = np.isfinite(found)
        assert np.abs(found[there] - wanted[there, j]).max(initial=0) <= EXACT


def test_legs_in_las_palmas_are_those_of_the_design(data_dir):
    folder = data_dir / "las_palmas"
    network = StreetNetwork.from_streets(
        read_streets(folder / "las_palmas_20230221.osm.pbf"),
        compounds=gpd.read_file(folder / "compounds.gpkg"),
        entrances=gpd.read_file(folder / "entrances.gpkg"),
    )
    compounds = network.walls.compounds
    walls = [
        oracle.Wall(polygon, [Point(xy) for xy in network.walls.gate_xy[network.walls.gate_compound == i]])
        for i, polygon in enumerate(compounds)
    ]
    rng = np.random.default_rng(3)
    some = rng.choice(len(compounds), 50, replace=False)
    inside = shapely.point_on_surface(compounds[some])
    outside = shapely.points(shapely.get_coordinates(inside) + rng.uniform(-150, 150, (50, 2)))
    places = np.concatenate((inside, outside))
    access = network.access(places)
    tree = shapely.STRtree(network.edge_lines)
    near_walls = shapely.STRtree(compounds)
    compared = 0
    for i, place in enumerate(places):
        around = [walls[w] for w in near_walls.query(place, predicate="dwithin", distance=200)]
        home = oracle.yard_of(place, around)
        from_where = MultiPoint([place, *(home.gates if home else [])])
        near = np.sort(tree.query(from_where, predicate="dwithin", distance=80))
        edges = [(None, None, line) for line in network.edge_lines[near]]
        wanted = np.array(
            [
                (*edges[edge][2].interpolate(t, normalized=True).coords[0], leg)
                for edge, t, leg in oracle.legs(place, edges, 50, around)
            ]
        )
        if access.status[i] != "ok":
            continue
        rows = slice(access.owner_ptr[i], access.owner_ptr[i + 1])
        found = np.column_stack((network.place_at(access.edge[rows], access.t0[rows]), access.leg[rows]))
        same_end = np.hypot(*(found[:, None, :2] - wanted[None, :, :2]).T).T < EXACT
        # every leg of the one is one of the other, or is beaten by another to the same end; what ends on a wall is left
        # out, since streets that run along a wall lie on either side of it by less than can be told
        fences = shapely.union_all([w.polygon.exterior for w in around])
        on_wall = [shapely.distance(shapely.points(legs[:, :2]), fences) < 0.01 for legs in (found, wanted)]
        equal = same_end & (np.abs(found[:, None, 2] - wanted[None, :, 2]) < EXACT)
        assert (equal.any(axis=1) | on_wall[0]).all()
        assert ((same_end & (found[:, None, 2] < wanted[None, :, 2] + EXACT)).any(axis=0) | on_wall[1]).all()
        compared += 1
    assert compared > 60
