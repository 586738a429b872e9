"""networkx graphs: out, back in, and those that OSMnx makes."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from shapely import LineString, Point

from gridmap.errors import OptionError
from gridmap.io.read.readers import read_streets
from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork

CORNER = np.array([500_000.0, 4_400_000.0])


def frame(*lines, **columns):
    return gpd.GeoDataFrame(columns, geometry=[LineString(np.array(line) + CORNER) for line in lines], crs=32650)


STREETS = frame(
    [(0, 0), (100, 0)], [(100, 0), (100, 50), (100, 100)], [(100, 100), (0, 100), (0, 0)],
    street_id=["a", "b", "c"], name=["East", None, "North"], oneway=["yes", None, None],
    **{"class": ["residential", "steps", "primary"]},
)  # fmt: skip


def pairs(network, *, by="metres"):
    spots = shapely.points(np.array([(10, 3), (95, 80), (50, 104), (-4, 40)]) + CORNER)
    access = network.access(spots), network.access(spots, kind="facility")
    found = nearest(network, access[1], access[0], by=by, k=4)
    order = np.argsort(found.target, axis=1)
    values = found.metres if by == "metres" else found.minutes
    return np.take_along_axis(values, order, axis=1)


@pytest.mark.parametrize("mode", ["walk", "cycle"])
def test_out_and_back_in(mode):
    network = StreetNetwork.from_streets(STREETS, mode=mode, profile={"kmh": 4.0, "stairs": 0.3, "base": "adult"}
                                         if mode == "walk" else "cyclist")  # fmt: skip
    graph = network.to_networkx()
    assert isinstance(graph, nx.MultiDiGraph if mode == "cycle" else nx.MultiGraph)
    back = StreetNetwork.from_networkx(graph)
    assert back.profile == network.profile
    assert back.mode == mode
    assert np.array_equal(back.graph.node_xy, network.graph.node_xy)
    assert back.graph.n_edges == network.graph.n_edges
    assert back.graph.directed == network.graph.directed
    for by in ("metres", "minutes"):
        assert np.allclose(pairs(back, by=by), pairs(network, by=by), atol=1e-9)


def test_what_networkx_measures_is_what_the_network_measures():
    network = StreetNetwork.from_streets(STREETS.assign(**{"class": "primary"}), mode="cycle", access_metres=0)
    graph = network.to_networkx()
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph, weight="length"))
    nodes = (
        network.access(shapely.points(network.graph.node_xy)),
        network.access(shapely.points(network.graph.node_xy), kind="facility"),
    )
    for j in range(network.graph.n_nodes):
        found = nearest(network, nodes[1].take(np.array([j])), nodes[0], by="metres").metres[:, 0]
        assert found.tolist() == pytest.approx([lengths[i].get(j, np.inf) for i in range(network.graph.n_nodes)])


def osmnx_like():
    """A simplified directed graph in degrees, as OSMnx downloads: both directions, geometry on curved edges."""
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for name, (x, y) in {11: (116.3, 39.9), 22: (116.302, 39.9), 33: (116.302, 39.902)}.items():
        graph.add_node(name, x=x, y=y)
    bend = LineString([(116.3, 39.9), (116.301, 39.901), (116.302, 39.9)])
    graph.add_edge(11, 22, osmid=1, highway="residential", name="Bend", length=280.0, geometry=bend, oneway=False)
    graph.add_edge(22, 11, osmid=1, highway="residential", name="Bend", length=280.0, geometry=bend.reverse())
    graph.add_edge(22, 33, osmid=[2, 3], highway=["steps", "footway"], name=["Up", "Over"], length=222.0)
    return graph


def test_a_graph_as_osmnx_makes_it():
    network = StreetNetwork.from_networkx(osmnx_like())
    assert network.crs.to_epsg() == 32650
    assert network.graph.n_nodes == 4
    assert network.graph.n_edges == 3
    assert not network.graph.directed
    assert network.graph.edge_length.sum() == pytest.approx(502)
    assert sorted(network.streets["name"]) == ["Bend", "Up"]
    driving = StreetNetwork.from_networkx(osmnx_like(), profile="car")
    assert driving.mode == "drive"
    assert (~driving.graph.edge_backward).sum() == 1


def test_an_undirected_edge_whose_geometry_runs_backwards():
    graph = nx.Graph(crs=32650)
    graph.add_node("a", x=500_000, y=4_400_000)
    graph.add_node("b", x=500_100, y=4_400_000)
    graph.add_edge("a", "b", geometry=LineString([(500_100, 4_400_000), (500_050, 4_400_040), (500_000, 4_400_000)]))
    graph.add_node("c", x=500_300, y=4_400_000)
    graph.add_edge("b", "c")
    network = StreetNetwork.from_networkx(graph)
    assert network.graph.n_nodes == 4
    ends = network.access([Point(500_000, 4_400_000), Point(500_300, 4_400_000)])
    found = nearest(network, ends, ends, by="metres", k=2)
    assert found.metres[:, 1].tolist() == pytest.approx([2 * np.hypot(50, 40) + 200] * 2)


def test_graphs_that_cannot_be_used_are_refused():
    graph = osmnx_like()
    with pytest.raises(OptionError, match="no edges"):
        StreetNetwork.from_networkx(nx.Graph(crs=4326))
    with pytest.raises(OptionError, match="no CRS"):
        StreetNetwork.from_networkx(nx.path_graph(3))
    del graph.nodes[33]["x"]
    with pytest.raises(OptionError, match="33"):
        StreetNetwork.from_networkx(graph)


def test_a_real_network_out_and_back_in(data_dir):
    network = StreetNetwork.from_streets(read_streets(data_dir / "beijing_cau" / "map.osm.pbf"), mode="drive")
    back = StreetNetwork.from_networkx(network.to_networkx())
    rng = np.random.default_rng(0)
    spots = network.graph.node_xy[rng.choice(network.graph.n_nodes, 50)] + rng.uniform(-40, 40, (50, 2))
    results = []
    for one in (network, back):
        access = one.access(shapely.points(spots))
        results.append(nearest(one, access.take(np.arange(5)), access, k=5))
    assert np.allclose(results[0].minutes, results[1].minutes, atol=1e-9)


def test_nodes_that_lie_at_one_place_stay_two():
    graph = nx.Graph(crs=32650)
    for name, x in (("a", 0), ("b", 100), ("c", 100), ("d", 200)):
        graph.add_node(name, x=500_000 + x, y=4_400_000)
    graph.add_edges_from([("a", "b"), ("c", "d")])
    network = StreetNetwork.from_networkx(graph)
    assert network.summary["islands"] == 2
    assert network.access([Point(500_000, 4_400_000)]).status.tolist() == ["ok"]
