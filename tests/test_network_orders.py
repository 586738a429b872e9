"""Orders of places and cells of the ground, against slow and obvious ways to the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, box

from gridmap.network.ground_index import index_segments
from gridmap.network.orders import ground_order, grouped, order_by
from gridmap.network.put_back import put_back

few = st.integers(0, 4)


@given(st.lists(st.tuples(few, few, few)))
def test_whole_numbers_and_then_the_ties(rows):
    key, one, two = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    found = order_by(key, one, two.astype(float)).tolist()
    assert found == sorted(range(len(rows)), key=lambda i: (*rows[i], i))


@given(st.lists(st.tuples(few, few)))
def test_the_order_of_the_ground_does_not_depend_on_the_order_given(places):
    xy = np.array(places, dtype=float).reshape(-1, 2)
    again = xy[::-1]
    assert np.array_equal(xy[ground_order(xy)], again[ground_order(again)])
    assert sorted(ground_order(xy)) == list(range(len(xy)))


def test_the_order_of_the_ground_goes_quarter_by_quarter():
    xy = np.array([(x, y) for x in range(4) for y in range(4)], dtype=float)
    along = xy[ground_order(xy)]
    assert [set(map(tuple, along[i : i + 4] // 2)) for i in range(0, 16, 4)] == [{(0, 0)}, {(1, 0)}, {(0, 1)}, {(1, 1)}]


@given(st.lists(few))
def test_groups_keep_the_order_of_what_is_equal(keys):
    ptr, order = grouped(np.array(keys, dtype=np.int32), 5)
    rows = [order[ptr[k] : ptr[k + 1]].tolist() for k in range(5)]
    assert rows == [[i for i, key in enumerate(keys) if key == k] for k in range(5)]


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1), st.randoms(), st.integers(1, 4))
def test_what_was_found_in_another_order_is_put_back(finds, random, count):
    order = list(range(len(finds)))
    random.shuffle(order)
    parts = []
    for rows in np.array_split(order, count):
        ptr = np.cumsum([0, *(len(finds[row]) for row in rows)])
        values = [value % 1000 for row in rows for value in finds[row]]
        parts.append((ptr, np.array(values, dtype=np.int32), np.array(values, dtype=float)))
    ptr, whole, real = put_back(np.array(order), parts)
    assert [whole[a:b].tolist() for a, b in pairwise(ptr)] == [[v % 1000 for v in f] for f in finds]
    assert real.tolist() == whole.tolist()


coordinate = st.one_of(st.integers(-3, 9).map(float), st.floats(-3, 9))


@given(st.lists(st.tuples(*[coordinate] * 4), min_size=1, max_size=8))
def test_a_segment_stands_in_every_cell_that_it_touches(segments):
    ends = np.array(segments) * 10
    index = index_segments(ends[:, :2], ends[:, 2:], 10.0)
    for c in range(index.nx * index.ny):
        x, y = index.x0 + c % index.nx * index.side, index.y0 + c // index.nx * index.side
        cell = box(x, y, x + index.side, y + index.side)
        found = index.item[index.start[c] : index.start[c + 1]].tolist()
        assert found == sorted(set(found))
        lines = [LineString([end[:2], end[2:]]) for end in ends]
        touching = {i for i, line in enumerate(lines) if line.distance(cell) < 1e-9}
        near = {i for i, line in enumerate(lines) if line.distance(cell) < index.side * 1.5}
        assert touching <= set(found) <= near
