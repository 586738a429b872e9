"""Noding: what joins and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString

from gridmap.network.graph import build_graph
from gridmap.network.noding import node_lines


def components(*lines, node_ids=None, layers=None):
    """How many pieces lines fall into, and how many nodes they have."""
    nodes = node_lines(
        np.array(lines, dtype=object), node_ids, None if layers is None else np.array(layers, dtype=object)
    )
    parent = list(range(len(nodes.node_xy)))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for u, v in zip(nodes.u.tolist(), nodes.v.tolist(), strict=True):
        parent[root(u)] = root(v)
    return len({root(i) for i in range(len(parent))}), len(parent)


EAST = LineString([(-10, 0), (0, 0), (10, 0)])
NORTH = LineString([(0, -10), (0, 0), (0, 10)])


def test_crossing_without_a_shared_vertex_does_not_join():
    assert components(LineString([(-10, 0), (10, 0)]), LineString([(0, -10), (0, 10)])) == (2, 4)


def test_a_shared_inner_vertex_joins():
    assert components(EAST, NORTH) == (1, 5)


def test_a_vertex_on_the_other_line_does_not_join():
    assert components(LineString([(-10, 0), (10, 0)]), NORTH) == (2, 5)


@pytest.mark.parametrize(("gap", "pieces"), [(0.0009, 1), (0.0011, 2), (0.0, 1)])
def test_vertices_join_to_one_millimetre(gap, pieces):
    # both sides of a rounding boundary, so that rounding to a grid would not do
    here = LineString([(0, 0), (10.0004, 0)])
    assert components(here, LineString([(10.0004 + gap, 0), (20, 0)]))[0] == pieces


def test_different_layers_stay_apart_where_they_cross():
    assert components(EAST, NORTH, layers=[None, "1"])[0] == 2
    assert components(EAST, NORTH, layers=["1", 1.0])[0] == 1
    assert components(EAST, NORTH, layers=[0, float("nan")])[0] == 1


def test_a_bridge_comes_down_where_its_layer_ends():
    bridge = LineString([(0, 0), (5, 20)])
    assert components(EAST, bridge, layers=[0, 1])[0] == 1


def test_two_halves_of_a_bridge_do_not_join_the_street_below():
    halves = LineString([(0, -10), (0, 0)]), LineString([(0, 0), (0, 10)])
    assert components(EAST, *halves, layers=[0, 1, 1])[0] == 2


def test_node_ids_join_and_only_they():
    ids = [np.array([1, 2, 3]), np.array([4, 5, 6])]
    assert components(EAST, NORTH, node_ids=ids)[0] == 2
    ids = [np.array([1, 2, 3]), "4 2 6"]
    assert components(EAST, NORTH, node_ids=ids) == (1, 5)


def test_a_line_without_ids_joins_one_that_has_them():
    assert components(EAST, NORTH, node_ids=[np.array([1, 2, 3]), None]) == (1, 5)
    assert components(EAST, NORTH, node_ids=[np.array([1, 2, 3]), None], layers=[0, 1])[0] == 2
    # a place shared by two nodes with ids is not bridged over by a third line elsewhere
    far = LineString([(50, 0), (60, 0)])
    assert components(EAST, NORTH, far, node_ids=[np.array([1, 2, 3]), np.array([4, 5, 6]), None])[0] == 3


def test_ids_that_do_not_fit_are_reported_and_not_used():
    lines = np.array([EAST, NORTH], dtype=object)
    found = node_lines(lines, [np.array([1, 2]), np.array([4, 5, 6])])
    assert found.mismatched.tolist() == [0]
    assert components(EAST, NORTH, node_ids=[np.array([1, 2]), np.array([4, 5, 6])])[0] == 1


def test_zero_length_loop_and_parallel_edges():
    loop = LineString([(0, 0), (10, 0), (10, 10), (0, 0)])
    still = LineString([(3, 3), (3, 3)])
    repeated = LineString([(0, 0), (0, 0), (10, 0)])
    found = node_lines(np.array([loop, still, repeated], dtype=object))
    assert len(found.node_xy) == 3
    assert sorted(found.line.tolist()) == [0, 0, 0, 2]


def test_parts_of_a_multiline_are_not_joined_end_to_start():
    parts = MultiLineString([[(0, 0), (10, 0)], [(20, 0), (30, 0)]])
    assert components(parts) == (2, 4)


POINTS = st.tuples(st.integers(0, 4), st.integers(0, 4))
LINES = st.lists(st.lists(POINTS, min_size=2, max_size=4).map(LineString), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(LINES, st.randoms(use_true_random=False))
def test_the_graph_does_not_depend_on_the_order_of_lines(lines, random):
    def graph(rows):
        found = node_lines(np.array([lines[r] for r in rows], dtype=object))
        length = np.hypot(*(found.node_xy[found.u] - found.node_xy[found.v]).T)
        ones = np.ones(len(length), dtype=bool)
        return build_graph(found.node_xy, found.u, found.v, length, length, found.line, ones, ones)[0]

    rows = list(range(len(lines)))
    one = graph(rows)
    random.shuffle(rows)
    other = graph(rows)
    assert np.array_equal(one.node_xy, other.node_xy)
    ends = [np.sort(np.column_stack((g.edge_u, g.edge_v)), axis=1) for g in (one, other)]
    assert np.array_equal(*ends)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_every_segment_is_an_edge_and_every_vertex_a_node(lines):
    found = node_lines(np.array(lines, dtype=object))
    want = sorted(
        tuple(sorted((a, b)))
        for line in lines
        for a, b in zip(line.coords[:-1], line.coords[1:], strict=True)
        if a != b
    )
    xy = list(map(tuple, found.node_xy.tolist()))
    have = sorted(tuple(sorted((xy[u], xy[v]))) for u, v in zip(found.u, found.v, strict=True))
    assert have == want
    assert len(set(xy)) == len(xy) == len({p for pair in want for p in pair})
