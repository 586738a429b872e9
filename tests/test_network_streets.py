"""StreetNetwork: what it refuses, what it reports, and that it stays as it was made."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, Point, Polygon, box

import gridmap
from gridmap.errors import OptionError, TableError
from gridmap.io.read.readers import read_streets
from gridmap.network.graph import build_graph
from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork, as_network

CRS = 32650
CORNER = np.array([500_000.0, 4_400_000.0])


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.transform(s, lambda xy: xy + CORNER) for s in shapes], crs=CRS)


def at(x, y):
    return Point(CORNER[0] + x, CORNER[1] + y)


STREETS = frame(
    LineString([(0, 0), (100, 0)]), LineString([(100, 0), (100, 100)]), LineString([(0, 0), (0, 100), (100, 100)]),
    street_id=["a", "b", "c"], name=["East", None, "North"],
    **{"class": ["residential", "steps", "primary"]},
)  # fmt: skip


def test_a_node_without_edges_is_a_small_island():
    ends, way = np.array([0, 1]), np.ones(2, dtype=bool)
    metres = np.array([100.0, 100.0])
    xy = np.array([(0.0, 0.0), (100.0, 0.0), (200.0, 0.0), (900.0, 900.0)])
    graph, _ = build_graph(xy, ends, ends + 1, metres, metres, ends, way, way)
    assert graph.component_length.tolist() == [200.0, 0.0]
    assert dict(zip(graph.node_xy[:, 0], graph.on_small_island, strict=True)) == {
        0: False,
        100: False,
        200: False,
        900: True,
    }


def test_what_it_says_of_itself():
    network = StreetNetwork.from_streets(STREETS)
    assert repr(network) == "<StreetNetwork: walk (adult), 4 nodes, 4 edges, 0.4 km, EPSG:32650>"
    assert network.summary["islands"] == 1
    assert network.summary["longest_island_share"] == 1
    assert repr(network.graph) == "<Graph: 4 nodes, 4 edges, undirected>"
    assert "1 of kind" not in repr(network.access([]))
    assert len(network.findings) == 0


def test_it_cannot_be_changed():
    network = StreetNetwork.from_streets(STREETS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.access_metres = 0
    for values in (network.graph.node_xy, network.graph.edge_seconds, *network.pieces):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "fly"}, "mode"),
        ({"profile": "giant"}, "giant"),
        ({"profile": {"kmh": -1}}, "above 0"),
        ({"profile": {"speed": 3}}, "unknown fields"),
        ({"profile": 4.8}, "name or a mapping"),
        ({"profile": "car"}, "mode='drive'"),
        ({"access_metres": -1}, "access_metres"),
        ({"access_metres": float("nan")}, "access_metres"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        StreetNetwork.from_streets(STREETS, **options)


def test_tables_that_break_their_contract_are_refused():
    with pytest.raises(TableError, match="no CRS"):
        StreetNetwork.from_streets(STREETS.set_crs(None, allow_override=True))
    with pytest.raises(TableError, match="no rows"):
        StreetNetwork.from_streets(STREETS[:0])
    with pytest.raises(TableError, match="Point"):
        StreetNetwork.from_streets(STREETS.set_geometry(STREETS.centroid))
    with pytest.raises(TableError, match="compound_id"):
        StreetNetwork.from_streets(STREETS, compounds=frame(box(0, 0, 1, 1)))
    with pytest.raises(TableError, match="of_id"):
        StreetNetwork.from_streets(STREETS, entrances=frame(Point(0, 0), entrance_id=["e"], of=["compound"]))
    with pytest.raises(OptionError, match="none of the 3 streets"):
        StreetNetwork.from_streets(STREETS.assign(access="private"))
    with pytest.raises(OptionError, match="shorter than 1 mm"):
        StreetNetwork.from_streets(frame(LineString([(0, 0), (0.0001, 0)])))
    with pytest.raises(OptionError, match="GeoDataFrame"):
        StreetNetwork.from_streets("streets.gpkg")


def test_streets_in_degrees_are_measured_in_metres():
    network = StreetNetwork.from_streets(STREETS.to_crs(4326))
    assert network.crs.to_epsg() == CRS
    assert network.graph.edge_length.sum() == pytest.approx(400, abs=0.01)


def test_streets_over_barriers_without_a_bridge_are_counted():
    river = frame(box(-20, 40, 120, 60))
    network = StreetNetwork.from_streets(STREETS, barriers=river)
    row = network.findings.iloc[0]
    assert row["rule"] == "street_over_barrier"
    assert row["ids"] == ["b", "c"]
    assert network.summary["islands"] == 1
    bridged = StreetNetwork.from_streets(STREETS.assign(bridge=[False, True, "yes"]), barriers=river)
    assert len(bridged.findings) == 0
    assert len(StreetNetwork.from_streets(STREETS, barriers=river.assign(hard=False)).findings) == 0


def test_streets_without_length_and_wrong_ids_are_reported():
    streets = pd.concat([STREETS, frame(LineString([(5, 5), (5, 5.0001)]), street_id=["dot"])]).reset_index(drop=True)
    streets["node_ids"] = pd.Series([np.array([1, 2]), np.array([9]), None, None], dtype=object)
    rules = StreetNetwork.from_streets(streets).findings.set_index("rule")["ids"]
    assert rules["street_without_length"] == ["dot"]
    assert rules["street_node_ids"] == ["b"]


def test_islands_are_reported():
    apart = frame(LineString([(0, 0), (10, 0)]), LineString([(50, 0), (90, 0)]))
    network = StreetNetwork.from_streets(apart)
    assert network.findings["rule"].tolist() == ["street_islands"]
    assert "20.0%" in network.findings["message"][0]
    assert network.graph.component_length.tolist() == [40, 10]


def test_steps_and_delays_take_time():
    network = StreetNetwork.from_streets(STREETS.assign(crossing_delay_s=[30.0, None, 0.0]), profile={"kmh": 3.6})
    seconds = {network.streets["street_id"][s]: 0.0 for s in network.graph.edge_street}
    for street, cost in zip(network.graph.edge_street, network.graph.edge_seconds, strict=True):
        seconds[network.streets["street_id"][street]] += cost
    assert seconds == pytest.approx({"a": 100 + 30, "b": 200, "c": 200})


def test_other_speeds_on_a_prepared_network():
    network = StreetNetwork.from_streets(STREETS)
    slow = network.with_profile("elderly")
    made = StreetNetwork.from_streets(STREETS, profile="elderly")
    assert np.allclose(slow.graph.edge_seconds, made.graph.edge_seconds)
    assert slow.profile.name == "elderly"
    assert network.profile.name == "adult"
    assert network.with_profile("adult") is network
    with pytest.raises(OptionError, match="mode"):
        network.with_profile("car")
    pair = [n.access([at(0, 10)]) for n in (network, slow)], [n.access([at(100, 10)]) for n in (network, slow)]
    quick, late = (nearest(n, b, a).minutes[0, 0] for n, a, b in zip((network, slow), *pair, strict=True))
    assert late > quick


def test_a_prepared_network_passes_through():
    network = StreetNetwork.from_streets(STREETS)
    assert as_network(network) is network
    assert as_network(network, barriers=None) is network
    assert as_network(network, "elderly").profile.name == "elderly"
    assert as_network(STREETS, "car").mode == "drive"
    assert as_network(STREETS, access_metres=10).access_metres == 10
    with pytest.raises(OptionError, match="barriers"):
        as_network(network, barriers=frame(box(0, 0, 1, 1)))


def test_everything_is_found_again_whatever_the_order_of_compounds_gates_and_barriers():
    yard, court = box(10, 10, 60, 60), Polygon([(70, 20), (95, 20), (95, 90), (70, 60)])
    compounds = frame(yard, court, compound_id=["x", "y"])
    entrances = frame(
        Point(30, 10), Point(95, 50), Point(80, 20),
        entrance_id=["1", "2", "3"], of="compound", of_id=["x", "y", "y"],
    )  # fmt: skip
    barriers = frame(LineString([(0, 65), (60, 65)]), LineString([(65, 0), (65, 100)]))
    places = [at(20, 20), at(80, 40), at(50, 80)]

    def result(order):
        network = StreetNetwork.from_streets(
            STREETS, compounds=compounds[::order], entrances=entrances[::order], barriers=barriers[::order]
        )
        access = network.access(places)
        found = [nearest(network, access.take(np.array([j])), access).metres for j in range(3)]
        return network.findings.drop(columns="geometry").to_dict("records"), access.leg, found

    one, other = result(1), result(-1)
    assert one[0] == other[0]
    assert np.array_equal(one[1], other[1])
    assert np.array_equal(one[2], other[2])


def test_the_walking_networks_have_the_size_they_should(data_dir):
    for extract, nodes in (("beijing_cau", 1369), ("las_palmas", 83_327)):
        source = next((data_dir / extract).glob("*.osm.pbf"))
        streets = read_streets(source)
        # the reader keeps pedestrian squares as rings; the figures in the data's README leave areas out
        rings = shapely.is_closed(streets.geometry.array) & (streets["class"] == "pedestrian")
        network = StreetNetwork.from_streets(streets[~rings])
        assert network.graph.n_nodes == pytest.approx(nodes, rel=0.002)


def test_importing_the_library_does_not_load_numba():
    import subprocess
    import sys

    code = "import sys, gridmap.network.streets; assert not {'numba', 'scipy', 'networkx'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=gridmap.__path__[0] + "/.."
    )
    assert done.returncode == 0, done.stderr
