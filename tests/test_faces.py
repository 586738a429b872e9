"""Faces: what lines enclose, against GEOS's polygonizer; what lies beside each segment, against the polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, box

from gridmap.division.ground.faces import dissolve, enclosed
from gridmap.division.ground.sides import node_lines, sides


def noded(*lines):
    return node_lines(np.array(lines, dtype=object))


def in_order(polygons):
    plain = shapely.normalize(np.asarray(polygons))
    return plain[np.argsort(shapely.to_wkb(plain).astype(object))]


def check(lines):
    """Faces are those of GEOS; their sides are those of the polygons, with the left one on the left."""
    found = enclosed(lines)
    expected = shapely.get_parts(shapely.polygonize([lines]))
    assert shapely.is_valid(found.shapes).all()
    assert len(found.shapes) == len(expected)
    assert (shapely.equals(in_order(found.shapes), in_order(expected))).all()
    plain = sides(found.shapes)

    def rows(parts):
        ends = np.sort(np.c_[parts.start @ [1, 1j], parts.end @ [1, 1j]], axis=1)
        both = np.sort(np.c_[parts.left, parts.right], axis=1)
        return sorted(map(tuple, np.c_[ends, both].tolist()), key=str)

    assert rows(found.sides) == rows(plain)
    parts = found.sides
    assert (parts.left >= 0).all()
    way = parts.end - parts.start
    length = np.hypot(*way.T)
    beside = np.c_[-way[:, 1], way[:, 0]] / length[:, None] * 1e-6
    middle = (parts.start + parts.end) / 2
    assert shapely.intersects_xy(found.shapes[parts.left], *(middle + beside).T).all()
    inner = parts.right >= 0
    assert shapely.intersects_xy(found.shapes[parts.right[inner]], *(middle - beside)[inner].T).all()
    return found


spots = st.tuples(st.integers(0, 12), st.integers(0, 12))
paths = st.lists(spots, min_size=2, max_size=5, unique=True).map(LineString)
frames = st.builds(
    lambda x, y, w, h: box(x, y, x + w, y + h).exterior,
    st.integers(0, 10), st.integers(0, 10), st.integers(1, 6), st.integers(1, 6),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(paths, frames), min_size=1, max_size=10))
def test_faces_are_those_of_geos(lines):
    check(noded(*lines))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(paths, frames), min_size=1, max_size=10), st.lists(st.integers(0, 3), min_size=1))
def test_dissolved_faces_are_unions(lines, colours):
    found = enclosed(noded(*lines))
    if not len(found.shapes):
        return
    colour = np.resize(colours, len(found.shapes))
    label = np.unique(colour, return_inverse=True)[1].ravel()
    merged = dissolve(found.sides, label)
    assert len(merged.shapes) == label.max() + 1
    for number, shape in enumerate(merged.shapes):
        assert shape.is_valid
        assert shape.equals(shapely.union_all(found.shapes[label == number]))
    parts = merged.sides
    assert (parts.left != parts.right).all()
    border = np.bincount(parts.left, parts.length, len(merged.shapes))
    border += np.bincount(parts.right[parts.right >= 0], parts.length[parts.right >= 0], len(merged.shapes))
    assert border == pytest.approx(shapely.length(merged.shapes))


def test_a_dead_end_and_a_bridge_bound_nothing():
    found = check(noded(box(0, 0, 10, 10).exterior, box(4, 4, 6, 6).exterior, LineString([(10, 5), (6, 5)])))
    assert sorted(shapely.area(found.shapes)) == [4, 96]
    found = check(noded(box(0, 0, 10, 10).exterior, LineString([(10, 5), (6, 5), (6, 7)])))
    assert shapely.area(found.shapes).tolist() == [100]


def test_islands_within_islands():
    frames = [box(i, i, 20 - i, 20 - i).exterior for i in range(0, 10, 2)]
    found = check(noded(*frames))
    assert sorted(shapely.area(found.shapes)) == [16, 16 * 3, 16 * 5, 16 * 7, 16 * 9]


def test_rings_that_touch_in_a_point():
    inside = [box(0, 0, 4, 4).exterior, box(4, 4, 8, 8).exterior, box(8, 8, 12, 12).exterior]
    found = check(noded(box(0, 0, 20, 20).exterior, *inside))
    assert sorted(shapely.area(found.shapes)) == [16, 16, 16, 400 - 48]
    assert len(check(noded(*inside)).shapes) == 3


def test_nothing_encloses_nothing():
    assert len(enclosed(MultiLineString()).shapes) == 0
    assert len(enclosed(LineString([(0, 0), (1, 0), (1, 1)])).sides.left) == 0


def test_what_is_taken_borders_on_the_outside():
    found = enclosed(noded(box(0, 0, 1, 1).exterior, box(1, 0, 2, 1).exterior))
    east = shapely.intersects(found.shapes, Point(1.5, 0.5))
    kept = found.take(east)
    assert shapely.area(kept.shapes).tolist() == [1]
    assert (kept.sides.left.tolist(), kept.sides.right.tolist()) == ([0] * 4, [-1] * 4)
    assert kept.sides.length.sum() == 4
