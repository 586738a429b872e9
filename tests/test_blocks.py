"""Blocks: lines and footprints cut the land; strips and roundabouts are no blocks of their own."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, affinity, box

from gridmap.division.ground.adjacency import gather, longest, metres_near, sum_by_pair
from gridmap.division.ground.blocks import find_blocks, on_lines
from gridmap.division.ground.land import Land, Lines, place
from gridmap.division.ground.settle import absorb_unjoined, settle
from gridmap.division.ground.sides import Sides, sides


def shapes(*given):
    out = np.empty(len(given), dtype=object)
    out[:] = given
    return out


def land(area, footprints=(), streets=(), fixed=(), water=(), walls=(), followed=()):
    n = len(footprints)
    return Land(
        area=area, footprints=shapes(*footprints), owner=np.arange(n), walls=shapes(*walls),
        wall_owner=n + np.arange(len(walls)), owners=n + len(walls), cuts=shapes(*streets), fixed=shapes(*fixed),
        water=shapes(*water), hard=shapes(), soft=shapes(), followed=shapes(*followed), ways=shapes(), rivers=shapes(),
    )  # fmt: skip


def blocks_of(blocks):
    """Area of each block."""
    open_ = blocks.block >= 0
    of = np.unique(blocks.block[open_], return_inverse=True)[1]
    return sorted(np.bincount(of, weights=shapely.area(blocks.faces[open_])).tolist())


def test_streets_make_blocks():
    cross = [LineString([(100, -5), (100, 205)]), LineString([(-5, 50), (205, 50)])]
    blocks = find_blocks(land(box(0, 0, 200, 200), streets=cross))
    assert blocks_of(blocks) == pytest.approx([5000, 5000, 15000, 15000])


def test_a_dead_end_makes_no_block():
    assert len(blocks_of(find_blocks(land(box(0, 0, 200, 200), streets=[LineString([(0, 50), (150, 50)])])))) == 1


def test_a_dead_end_is_carried_on_to_what_lies_close_ahead():
    assert blocks_of(
        find_blocks(land(box(0, 0, 200, 200), streets=[LineString([(0, 50), (170, 50)])]))
    ) == pytest.approx([200 * 50, 200 * 150])
    house = box(160, 40, 180, 60)
    blocks = find_blocks(land(box(0, 0, 200, 200), [house], [LineString([(0, 50), (150, 50)])]))
    assert blocks_of(blocks) == pytest.approx([200 * 200 - 400])
    assert shapely.union_all(blocks.edges).intersection(box(150, 49, 159, 51)).length == pytest.approx(9)


def test_a_street_that_ends_at_a_street_is_no_dead_end():
    streets = [LineString([(0, 50), (100, 50)]), LineString([(100, 0), (100, 60), (100, 200)])]
    assert blocks_of(find_blocks(land(box(0, 0, 130, 200), streets=streets))) == pytest.approx([5000, 6000, 15000])


def test_a_footprint_is_whole_and_owned():
    blocks = find_blocks(land(box(0, 0, 100, 100), [box(20, 20, 40, 40)], [LineString([(30, 0), (30, 100)])]))
    built = blocks.owner == 0
    assert shapely.area(blocks.faces[built]).sum() == pytest.approx(400)
    assert blocks.site_share[built].tolist() == pytest.approx([0.5, 0.5])
    assert (blocks.block[built] == -1).all()
    assert blocks_of(blocks) == pytest.approx([2800, 6800])


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_strip_between_two_carriageways_goes_to_one_side_all_along(turn):
    lanes = [LineString([(0, 96), (200, 96)]), LineString([(0, 104), (200, 104)])]
    crossings = [LineString([(x, 0), (x, 200)]) for x in (30, 110, 150)]
    streets = [affinity.rotate(line, turn, origin=(100, 100)) for line in lanes + crossings]
    areas = blocks_of(find_blocks(land(box(0, 0, 200, 200), streets=streets)))
    widths = (30, 80, 40, 50)
    assert areas == pytest.approx(sorted([96 * w for w in widths] + [104 * w for w in widths]))


def test_the_strip_between_a_street_and_its_footway_leaves_the_border_on_the_street():
    for footway in (94, 106):
        street, path = (LineString([(0, y), (200, y)]) for y in (100, footway))
        blocks = find_blocks(land(box(0, 0, 200, 200), streets=[street, path], followed=[street]))
        assert blocks_of(blocks) == pytest.approx([100 * 200, 100 * 200])


def test_a_strip_with_a_house_is_a_block():
    lanes = [LineString([(0, 100), (200, 100)]), LineString([(0, 108), (200, 108)])]
    for house in (box(50, 101, 60, 107), Point(50, 104)):
        assert len(blocks_of(find_blocks(land(box(0, 0, 200, 200), [house], lanes)))) == 3


def test_no_strip_joins_across_a_fixed_line():
    lines = [LineString([(0, 100), (200, 100)]), LineString([(0, 108), (200, 108)])]
    assert len(blocks_of(find_blocks(land(box(0, 0, 200, 200), fixed=lines)))) == 3


def test_strips_beside_nothing_but_strips_stand_for_themselves():
    lanes = [LineString([(0, y), (200, y)]) for y in (4, 8, 12)]
    assert blocks_of(find_blocks(land(box(0, 0, 200, 16), streets=lanes))) == pytest.approx([200 * 16])


def test_water_is_wet_and_no_part_of_the_blocks_beside_it():
    blocks = find_blocks(land(box(0, 0, 200, 200), water=[box(0, 90, 200, 100)]))
    assert shapely.area(blocks.faces[blocks.wet]).tolist() == pytest.approx([2000])
    assert len(blocks_of(blocks)) == 3


def test_tunnels_and_things_that_are_no_ground_bound_nothing():
    rows = gpd.GeoDataFrame(
        {
            "class": ["residential", "residential", "footway", "construction", None],
            "tunnel": [None, "yes", "no", None, ""],
        },
        geometry=[LineString([(0, i), (1, i)]) for i in range(5)],
        crs=32650,
    )
    lines = Lines.of(rows, None)
    assert [line.coords[0][1] for line in lines.streets.geometries] == [0, 2, 4]
    assert [line.coords[0][1] for line in lines.followed.geometries] == [0, 1]


def test_place_takes_the_first_polygon():
    polygons = shapes(box(0, 0, 2, 2), box(1, 1, 3, 3))
    assert place(shapely.points([[1.5, 1.5], [2.5, 2.5], [9, 9], [0, 0]]), polygons).tolist() == [0, 1, -1, 0]
    assert place(shapely.points([[0, 0]]), shapes()).tolist() == [-1]


# ---------------------------------------------------------------- sides and lengths


def test_sides_of_a_coverage():
    found = sides([box(0, 0, 1, 1), box(1, 0, 2, 1)])
    assert len(found.left) == 7
    inner = found.take(found.right >= 0)
    assert (inner.left.tolist(), inner.right.tolist(), inner.length.tolist()) == ([0], [1], [1.0])
    assert len(sides(shapes()).left) == 0


def sampled(a, b, lines, distance, n=20_000):
    at = np.asarray(a) + (np.arange(n) + 0.5)[:, None] / n * (np.asarray(b) - np.asarray(a))
    near = np.zeros(n, dtype=bool)
    for line in lines:
        near |= shapely.distance(shapely.points(at), line) <= distance
    return near.mean() * np.hypot(*(np.asarray(b) - np.asarray(a)))


spots = st.tuples(st.integers(0, 20), st.integers(0, 20))
paths = st.lists(spots, min_size=2, max_size=4, unique=True).map(LineString)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(spots, spots).filter(lambda ab: ab[0] != ab[1]), min_size=1, max_size=3),
    st.lists(paths, max_size=4),
)
def test_metres_near_lines_are_those_of_a_sample(segments, lines):
    start, end = (np.array([s[k] for s in segments], dtype=float) for k in (0, 1))
    none = np.zeros(len(segments), dtype=np.int64)
    found = metres_near(Sides(start, end, none, none - 1), shapes(*lines), 3.0)
    expected = [sampled(a, b, lines, 3.0) for a, b in segments]
    assert found.tolist() == pytest.approx(expected, abs=0.02)


def test_metres_near_polygons_are_those_near_their_outline():
    one = Sides(np.array([[0.0, 5.0]]), np.array([[100.0, 5.0]]), np.zeros(1, dtype=int), np.zeros(1, dtype=int))
    assert metres_near(one, shapes(box(20, 0, 60, 10)), 3.0).tolist() == pytest.approx([12.0])


def test_on_lines():
    found = sides([box(0, 0, 1, 1)])
    assert on_lines(found, shapes(LineString([(0, 0), (1, 0)]))).sum() == 1
    assert on_lines(found, shapes()).sum() == 0


# ---------------------------------------------------------------- joining pieces


def test_longest_and_sums():
    a, b, total = sum_by_pair(np.array([1, 0, 2]), np.array([0, 1, 1]), np.array([1.0, 2.0, 5.0]))
    assert (a.tolist(), b.tolist(), total.tolist()) == ([0, 1], [1, 2], [3.0, 5.0])
    one, other = longest(np.array([0, 0, 1]), np.array([2, 1, 0]), np.array([4.0, 4.0, 1.0]))
    assert (one.tolist(), other.tolist()) == ([0, 1], [1, 0])


def test_gather_goes_ring_by_ring_and_stands_alone_where_nothing_is_settled():
    low, high = np.array([0, 1, 3]), np.array([1, 2, 4])
    length = np.array([5.0, 1.0, 1.0])
    settled = np.array([True, False, False, False, False, False])
    size = np.array([1.0, 9, 9, 2, 3, 1])
    root, parent = gather(settled, size, np.r_[low, high], np.r_[high, low], np.r_[length, length])
    assert root.tolist() == [0, 0, 0, 4, 4, 5]
    assert parent.tolist() == [0, 0, 1, 4, 4, 5]


def row_of_boxes(n):
    faces = shapes(*(box(10 * i, 0, 10 * i + 10, 10) for i in range(n)))
    return faces, sides(faces)


def test_settle_gives_stray_pieces_to_the_neighbour():
    faces, parts = row_of_boxes(5)
    owner = np.array([0, 0, 1, 0, 2])
    anchored = np.array([True, False, True, False, True])
    crossing = np.zeros(len(parts.left), dtype=bool)
    none = np.zeros(len(parts.left), dtype=bool)
    label = settle(owner, anchored, shapely.area(faces), parts, crossing, none, 25.0)
    assert label.tolist() == [0, 0, 1, 1, 2]
    # Across a street only when there is nobody else.
    crossing[(parts.left == 2) & (parts.right == 3)] = True
    assert settle(owner, anchored, shapely.area(faces), parts, crossing, none, 25.0).tolist() == [0, 0, 1, 2, 2]


def test_settle_never_moves_what_is_built_on():
    faces, parts = row_of_boxes(3)
    owner = np.array([0, 1, 0])
    none = np.zeros(len(parts.left), dtype=bool)
    label = settle(owner, np.ones(3, dtype=bool), shapely.area(faces), parts, none, none, 25.0)
    assert label.tolist() == [0, 1, 0]


def test_absorb_unjoined_joins_only_what_nothing_joins():
    corner = shapely.Polygon([(0, 0), (10, 0), (10, 2), (10, 10), (0, 10)])
    parts = sides(shapes(corner, box(10, 0, 12, 2), box(0, 10, 10, 20)))
    everything = np.ones(3, dtype=bool)
    label = absorb_unjoined(np.arange(3), parts, np.ones(len(parts.left), bool), everything, everything, 3.0)
    assert label.tolist() == [0, 0, 2]
