"""Cells: open land goes to the nearest footprint, and borders between cells run straight."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box
from test_blocks import land, shapes

from gridmap.division.ground import cells
from gridmap.division.ground.blocks import find_blocks
from gridmap.division.ground.cells import find_sites, nearest_owner, ridges


def cut(given):
    blocks = find_blocks(given)
    sites = find_sites(given, blocks)
    return blocks, sites, ridges(sites, blocks)


def test_two_houses_part_half_way():
    _, sites, lines = cut(land(box(0, 0, 60, 20), [box(0, 5, 10, 15), box(40, 5, 50, 15)]))
    assert sites.owners == 2
    assert shapely.hausdorff_distance(shapely.union_all(lines), LineString([(25, 0), (25, 20)])) < 0.05


def test_a_narrow_gap_is_parted_down_its_middle_without_teeth():
    _, _, lines = cut(land(box(0, 0, 41, 60), [box(0, 0, 20, 60), box(21, 3, 41, 57)]))
    inside = shapely.intersection(shapely.union_all(lines), box(20, 6, 21, 54))
    assert inside.length == pytest.approx(48, abs=0.1)
    assert shapely.hausdorff_distance(inside, LineString([(20.5, 6), (20.5, 54)])) < 0.1


def test_a_border_begins_at_the_corner_two_houses_share():
    _, _, lines = cut(land(box(0, 0, 40, 30), [box(10, 10, 20, 20), box(20, 10, 30, 20)]))
    ends = shapely.get_coordinates(lines)
    assert {(20.0, 10.0), (20.0, 20.0)} <= {tuple(map(float, end)) for end in ends}
    assert abs(ends[:, 0] - 20).max() < 0.01


def test_blocks_do_not_see_each_other():
    houses = [box(5, 5, 15, 15), box(5, 60, 15, 70)]
    _, _, lines = cut(land(box(0, 0, 20, 100), houses, [LineString([(0, 30), (20, 30)])]))
    assert len(lines) == 0


def test_large_empty_land_has_sites_of_its_own_sparser_the_farther():
    given = land(box(0, 0, 1500, 1500), [box(10, 10, 30, 30)])
    _, sites, _ = cut(given)
    lattice = sites.xy[sites.owner >= 1]
    distance = shapely.distance(shapely.points(lattice), given.footprints[0])
    assert distance.min() >= cells.FAR
    assert len(np.unique(sites.owner)) == len(lattice) + 1
    # Wherever one stands, the next site is as near as the walls are, or nearer.
    spots = np.random.default_rng(1).uniform(0, 1500, (500, 2))
    to_wall = shapely.distance(shapely.points(spots), given.footprints[0])
    to_site = np.hypot(*(spots[:, None] - lattice[None, :]).transpose(2, 0, 1)).min(axis=1)
    assert (to_site[to_wall > 2 * cells.FAR] < to_wall[to_wall > 2 * cells.FAR]).all()
    assert len(lattice) < 1500**2 / cells.LATTICE**2 / 4


def test_vast_land_has_no_more_sites_than_it_needs():
    _, sites, _ = cut(land(box(0, 0, 20_000, 20_000)))
    assert 0.5 * cells.MOST < sites.owners < 1.5 * cells.MOST


def test_a_block_without_anything_has_one_site():
    _, sites, lines = cut(land(box(0, 0, 30, 30)))
    assert (sites.owners, len(lines)) == (1, 0)


def test_a_light_well_is_not_shared_out():
    houses = [box(0, 0, 20, 50) - box(18, 20, 20, 23), box(20, 0, 40, 50) - box(20, 20, 21, 23)]
    _, sites, lines = cut(land(box(0, 0, 40, 50), houses))
    assert len(lines) == 0
    assert set(sites.owner) == {0}


boxes = st.builds(
    lambda x, y, w, h: box(x, y, x + w, y + h),
    st.integers(0, 90), st.integers(0, 90), st.integers(4, 20), st.integers(4, 20),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(boxes, min_size=2, max_size=6),
    st.lists(st.tuples(st.floats(0, 110), st.floats(0, 110)), min_size=1, max_size=20),
)
def test_land_goes_to_the_nearest_house(houses, spots):
    apart = [h for i, h in enumerate(houses) if all(h.distance(o) > 0.5 for o in houses[:i])]
    given_land = land(box(-1, -1, 111, 111), apart)
    blocks, sites, lines = cut(given_land)
    xy = np.array(spots)
    distance = shapely.distance(shapely.points(xy)[:, None], np.array(apart)[None, :])
    near = np.sort(distance, axis=1)
    # A point as near to two houses as samples are far apart may go to either.
    clear = (near[:, 0] > 0) & ((near[:, 1] if len(apart) > 1 else np.inf) - near[:, 0] > 0.6 * cells.SPACING)
    found = nearest_owner(sites, xy, np.full(len(xy), blocks.block.max()))
    far = found >= len(apart)
    assert (found[clear & ~far] == distance.argmin(axis=1)[clear & ~far]).all()
    assert (near[far, 0] > cells.FAR / 2 - cells.SPACING).all()
    if len(lines):
        # No border within a house, but for what straightening takes from a corner.
        inner = shapely.buffer(np.array(apart), -2 * cells.STRAIGHTEN)
        assert shapely.length(shapely.intersection(shapely.union_all(lines), shapely.union_all(inner))) < 1e-6


def test_points_share_land_like_a_voronoi_diagram():
    rng = np.random.default_rng(3)
    at = rng.uniform(5, 95, (12, 2))
    given = land(box(0, 0, 100, 100), [Point(p) for p in at])
    blocks, _, lines = cut(given)
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapes(*lines, *shapely.boundary(blocks.faces)))]))
    expected = shapely.intersection(
        shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(at), extend_to=given.area)), given.area
    )
    assert len(faces) == len(expected)
    match = shapely.area(shapely.intersection(faces[:, None], expected[None, :])).max(axis=1)
    assert match == pytest.approx(shapely.area(faces), rel=0.03)
