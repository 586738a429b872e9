"""The tools of the coverage benchmark answer the questions that it says they answer."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely
from conftest import REPOSITORY
from small_towns import CRS, grid_city

from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import coverage_peers
import coverage_tools
from coverage_tools import LIMIT, TOOLS, Case


def small_case():
    """A city of 30 blocks a side, wider than the limit; 200 points and three categories of five facilities."""
    _, _, streets = grid_city(30)
    network = StreetNetwork.from_streets(streets)
    rng = np.random.default_rng(1)
    points, facilities = (coverage_peers._along_edges(network, count, rng) for count in (200, 15))
    graph = network.graph
    sources = rng.choice(graph.n_nodes, 20, replace=False)
    return network, Case(
        "small", CRS, streets, graph.node_xy, graph.edge_u, graph.edge_v, graph.edge_length, points, facilities,
        np.repeat([0, 1, 2], 5), sources, (shapely.points(points), shapely.points(facilities)),
    )  # fmt: skip


def test_points_are_drawn_beside_the_edges():
    network, case = small_case()
    apart = shapely.distance(case.shapes[0], shapely.multilinestrings(list(network.edge_lines)))
    assert apart.max() <= 40
    assert 10 < apart.mean() < 25


@pytest.mark.parametrize("name", ["gridmap", "gridmap, from tables", "scipy", "networkx"])
def test_tools_agree_with_each_other_and_with_gridmap(name):
    network, case = small_case()
    tool = TOOLS[name]
    state = tool.setup(case)
    homes, services = network.access(case.shapes[0]), network.access(case.shapes[1], kind="facility")
    if tool.package == "gridmap":
        nodes = shapely.points(case.xy)
        rows = [np.flatnonzero(case.category == c) for c in range(3)]
        wanted = [nearest(network, services.take(r), homes, by="metres").metres[:, 0] for r in rows]
        assert np.array_equal(tool.table(case, state), np.column_stack(wanted) <= LIMIT)
        at_nodes = tool.nearest(case, state, 3)
        # a place at a node may also step over to another street nearby
        walked = nearest(network, services, network.access(nodes), by="metres").metres[:, 0]
        assert (walked <= at_nodes.min(axis=1) + 1e-9).all()
    else:
        reference = TOOLS["scipy"].setup(case)
        full = coverage_tools.scipy_nearest(case, reference, 3)
        np.testing.assert_allclose(tool.nearest(case, state, 3), full, atol=1e-6)
        nearest_node = coverage_tools.nearest_nodes(case, case.points)
        assert np.array_equal(tool.table(case, state), full[nearest_node] <= LIMIT)
    assert tool.bounded(case, state, case.sources) == coverage_tools.scipy_bounded(
        case, TOOLS["scipy"].setup(case), case.sources
    )


def test_a_line_of_the_table_counts_the_set_up():
    _, case = small_case()
    ours = {
        "setup": 1.0,
        "setup for bounded": 0.5,
        "nearest": 1.0,
        "bounded": 3.0,
        "table": 2.0,
        "found": 7,
        "peak_mb": 100.0,
    }
    ours["covered"] = np.packbits(np.zeros((200, 3), dtype=bool))
    wrong = np.zeros((200, 3), dtype=bool)
    wrong[:6, 0] = True
    theirs = {**ours, "setup": 5.0, "setup for bounded": 5.0, "covered": np.packbits(wrong)}
    cells = [cell.strip() for cell in coverage_peers.row("pandana", theirs, ours, case).strip("|").split("|")]
    assert cells[2:] == ["5.00", "5.00", "1.00", "3.0", "3.00", "2.3", "2.00", "2.3", "7", "1.00%", "100"]
