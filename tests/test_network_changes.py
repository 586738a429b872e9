"""Changed networks: every distance is that of a network made from the changed streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from gridmap.errors import OptionError, TableError
from gridmap.io.read.readers import read_streets
from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork

CRS = 32650
CORNER = np.array([500_000.0, 4_400_000.0])
EXACT = 1e-6


def at(x, y):
    return Point(CORNER[0] + x, CORNER[1] + y)


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.transform(s, lambda xy: xy + CORNER) for s in shapes], crs=CRS)


def streets_of(lines, **columns):
    return frame(*map(LineString, lines), street_id=[f"s{i}" for i in range(len(lines))], **columns)


def all_metres(network, places):
    origins, targets = network.access(places), network.access(places, kind="facility")
    return np.column_stack(
        [nearest(network, targets.take(np.array([j])), origins, by="metres").metres[:, 0] for j in range(len(places))]
    )


def assert_same_network(changed, places, **options):
    """The changed network is the one made from its streets, in what it holds and in every distance."""
    made = StreetNetwork.from_streets(changed.lines, **options)
    summary = {key: value for key, value in changed.summary.items() if key != "km"}
    assert summary == {key: value for key, value in made.summary.items() if key != "km"}
    one, other = changed.graph, made.graph
    assert np.abs(np.sort(one.edge_length) - np.sort(other.edge_length)).max(initial=0) <= EXACT
    assert np.abs(np.sort(one.edge_seconds) - np.sort(other.edge_seconds)).max(initial=0) <= EXACT
    assert len(changed.pieces[0]) == len(made.pieces[0])
    a, b = all_metres(changed, places), all_metres(made, places)
    there = np.isfinite(a)
    assert np.array_equal(there, np.isfinite(b))
    assert np.abs(a[there] - b[there]).max(initial=0) <= EXACT
    assert changed.streets["metres"].tolist() == pytest.approx(made.streets["metres"].tolist())
    return made


PLACE = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda p: (p[0] * 23.0, p[1] * 23.0))
LINE = st.lists(PLACE, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
# ends that nearly meet something as well as ends that do
OFF = st.tuples(st.sampled_from([0.0, 0.3, -0.7, 5.0]), st.sampled_from([0.0, 0.4, -0.6]))
DRAWN = st.tuples(LINE, OFF).map(lambda d: [(d[0][0][0] + d[1][0], d[0][0][1] + d[1][1]), *d[0][1:]])
SPOT = st.tuples(st.floats(-20, 200), st.floats(-20, 200))
LAYER = st.sampled_from([None, None, "1"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(LINE, LAYER), min_size=1, max_size=9),
    st.lists(st.tuples(DRAWN, LAYER), max_size=3),
    st.sets(st.integers(0, 8), max_size=3),
    st.lists(SPOT, min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_equal_to_a_network_made_anew(lines, drawn, closing, spots, walled, with_ids):
    streets = streets_of([line for line, _ in lines], layer=[layer for _, layer in lines])
    if with_ids:
        # an id for every place of a layer, so that what crosses in the air stays apart
        number = {}
        streets["node_ids"] = [
            np.array([number.setdefault((place, layer), len(number)) for place in line]) for line, layer in lines
        ]
    options = {}
    if walled:
        # a wall through vertices and edges, with one gate
        options["compounds"] = frame(box(46, 40, 115, 92), compound_id=["c"])
        options["entrances"] = frame(Point(69, 40), entrance_id=["g"], of=["compound"], of_id=["c"])
    network = StreetNetwork.from_streets(streets, **options)
    closing = [f"s{i}" for i in closing if i < len(lines)]
    if len(closing) == len(lines):
        closing = closing[1:]
    more = None
    if drawn:
        more = frame(*[LineString(line) for line, _ in drawn], layer=[layer for _, layer in drawn])
    changed = network.with_changes(add=more, close=closing)
    places = [at(*p) for p in spots]
    assert_same_network(changed, places, **options)
    # and on from there
    again = changed.with_changes(close=["s0"]) if len(closing) + 1 < len(lines) and "s0" not in closing else changed
    assert_same_network(again, places, **options)


def test_a_footbridge_drawn_by_hand_joins_the_streets_it_nearly_touches():
    streets = streets_of([[(0, 0), (100, 0)], [(0, 60), (100, 60)]])
    network = StreetNetwork.from_streets(streets, access_metres=5)
    bridge = frame(LineString([(50, 0.8), (50, 59.5)]))
    changed = network.with_changes(add=bridge)
    metres = all_metres(changed, [at(10, 0), at(10, 60)])
    assert metres[0, 1] == pytest.approx(40 + 60 + 40)
    assert "added_street_loose_end" not in set(changed.findings["rule"])
    assert np.isinf(all_metres(network, [at(10, 0), at(10, 60)])[0, 1])
    assert network.graph.n_edges == 2
    far = network.with_changes(add=frame(LineString([(50, 1.2), (50, 59.5)])))
    assert np.isinf(all_metres(far, [at(10, 0), at(10, 60)])[0, 1])
    assert far.findings.set_index("rule")["ids"]["added_street_loose_end"] == ["0"]


def test_added_streets_join_one_another_and_in_any_crs():
    network = StreetNetwork.from_streets(streets_of([[(0, 0), (100, 0)]]))
    lanes = frame(LineString([(50, 0), (50, 80)]), LineString([(50.5, 40), (90, 40)])).to_crs(4326)
    changed = network.with_changes(add=lanes)
    assert all_metres(changed, [at(0, 0), at(90, 40)])[0, 1] == pytest.approx(50 + 40 + 40, abs=1e-3)


def test_node_ids_join_wherever_they_lie():
    streets = streets_of([[(0, 0), (100, 0)], [(0, 60), (100, 60)]])
    streets["node_ids"] = [np.array([1, 2]), np.array([3, 4])]
    lift = frame(LineString([(40, 20), (40, 30)]))
    lift["node_ids"] = [np.array([2, 3])]
    network = StreetNetwork.from_streets(streets)
    changed = network.with_changes(add=lift)
    assert changed.summary["islands"] == 1
    assert_same_network(changed, [at(50, 0), at(50, 60)])


def test_what_cannot_be_is_refused():
    network = StreetNetwork.from_streets(streets_of([[(0, 0), (100, 0)], [(0, 0), (0, 60)]]))
    with pytest.raises(OptionError, match=r"close: 2 ids are not among the streets of the network: nowhere, s9"):
        network.with_changes(close=["s0", "s9", "nowhere"])
    with pytest.raises(OptionError, match="no street is left"):
        network.with_changes(close=["s0", "s1"])
    with pytest.raises(TableError, match="Point"):
        network.with_changes(add=gpd.GeoDataFrame(geometry=[at(0, 0)], crs=CRS))
    with pytest.raises(OptionError, match="open_gates"):
        network.with_changes(open_gates=["g"])
    shut = network.with_changes(add=frame(LineString([(0, 0), (50, 50)]), **{"class": ["motorway"]}))
    assert shut.findings["rule"].tolist() == ["added_street_unusable"]
    assert len(shut.lines) == 3
    assert shut.graph.n_edges == 2


def test_an_opened_wall():
    # the lane through the yard is cut where it crosses the wall, until a gate opens it there
    streets = streets_of([[(0, 0), (100, 0)], [(50, 0), (50, 100)], [(0, 0), (0, 100), (50, 100)]])
    yard = frame(box(20, 20, 80, 60), compound_id=["y"])
    gates = frame(
        Point(50, 60), Point(50, 20), entrance_id=["north", "south"], of="compound", of_id="y", open=[True, False]
    )
    options = {"compounds": yard, "entrances": gates}
    network = StreetNetwork.from_streets(streets, **options)
    places = [at(50, 40), at(50, 0), at(70, 30)]
    before = all_metres(network, places)
    assert before[0, 1] > 200
    made = StreetNetwork.from_streets(streets, compounds=yard, entrances=gates.assign(open=True))
    for how in (["south"], frame(Point(50, 20), entrance_id=["new"], of=["compound"], of_id=["y"])):
        changed = network.with_changes(open_gates=how)
        assert all_metres(changed, places)[0, 1] == pytest.approx(40)
        assert np.allclose(all_metres(changed, places), all_metres(made, places), atol=EXACT)
        assert changed.summary["open_gates"] == 2
        assert changed.graph.n_edges == made.graph.n_edges
    with pytest.raises(OptionError, match="no compound with a wall"):
        network.with_changes(open_gates=frame(Point(0, 0), entrance_id=["x"], of=["compound"], of_id=["z"]))


def test_a_network_from_networkx_changes_too():
    made = StreetNetwork.from_streets(streets_of([[(0, 0), (100, 0)], [(100, 0), (100, 100)]]))
    network = StreetNetwork.from_networkx(made.to_networkx())
    changed = network.with_changes(add=frame(LineString([(0, 0), (0, 100), (100, 100)])), close=["s1"])
    assert all_metres(changed, [at(50, 0), at(100, 90)])[0, 1] == pytest.approx(50 + 100 + 100 + 10)


def test_directions_and_speeds_of_added_streets():
    streets = streets_of([[(0, 0), (100, 0)], [(100, 0), (100, 100)]])
    network = StreetNetwork.from_streets(streets, mode="drive", access_metres=5)
    lane = frame(LineString([(100, 100), (0, 100), (0, 0)]), oneway=["yes"], **{"class": ["residential"]})
    changed = network.with_changes(add=lane)
    there = all_metres(changed, [at(0, 50), at(0, 0)])
    assert there[0, 1] == pytest.approx(50)
    assert there[1, 0] == pytest.approx(100 + 100 + 100 + 50)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_a_network_made_anew_in_las_palmas(data_dir, seed):
    folder = data_dir / "las_palmas"
    streets = read_streets(folder / "las_palmas_20230221.osm.pbf").to_crs(32628)
    # a quarter of the town
    middle = shapely.box(*streets.total_bounds).centroid
    west, south, east, north = streets.total_bounds
    window = box(west + 0.6 * (east - west), south + 0.6 * (north - south), east, north)
    streets = streets[streets.intersects(window)].reset_index(drop=True)
    assert len(streets) > 500, middle
    options = {
        "compounds": gpd.read_file(folder / "compounds.gpkg"), "entrances": gpd.read_file(folder / "entrances.gpkg"),
    }  # fmt: skip
    network = StreetNetwork.from_streets(streets, **options)
    rng = np.random.default_rng(seed)
    nodes = network.graph.node_xy[rng.choice(network.graph.n_nodes, 6)]
    links = [LineString([a, a + rng.uniform(-150, 150, 2)]) for a in nodes[:3]]
    # a bridge from one edge's middle to another's
    ends = network.place_at(rng.choice(network.graph.n_edges, 2), np.array([0.5, 0.3])) + rng.uniform(-0.5, 0.5, (2, 2))
    links.append(LineString(ends))
    gone = rng.choice(network.streets["street_id"].unique(), 8, replace=False)
    changed = network.with_changes(add=gpd.GeoDataFrame(geometry=links, crs=32628), close=gone)
    places = shapely.points(np.vstack((nodes, ends)) + rng.uniform(-20, 20, (8, 2)))
    assert_same_network(changed, places, **options)
    assert not set(gone) & set(changed.lines["street_id"].dropna())
    assert pd.isna(changed.lines["street_id"]).sum() == 4
