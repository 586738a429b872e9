"""Straight borders: teeth go, and nothing else changes sides."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from gridmap.division.ground.atoms import make_atoms
from gridmap.division.ground.borders import along, guide_lines, inner_borders
from gridmap.division.plans.outlines import outlines, straight_outlines
from gridmap.division.plans.straighten import straighten

CRS = 32650
NONE = np.empty(0, dtype=object)


def shapes(*parts):
    return np.array(parts, dtype=object)


def halves(middle, width=200.0, height=200.0):
    """Two grids, west and east of a border from south to north; and the land of both."""
    west = Polygon([(0, 0), *middle, (0, height)])
    east = Polygon([*middle, (width, height), (width, 0)])
    return shapes(west, east)


def straight(grids, *, community=None, solid=NONE, walls=NONE, lines=NONE, guides=None):
    community = np.zeros(len(grids), dtype=np.int64) if community is None else community
    return straighten(grids, community, solid=solid, walls=walls, lines=lines, guides=guides)


def saw(depth):
    return [(100 + depth * (-1) ** k * (0 < k < 10), 20.0 * k) for k in range(11)]


SAW = saw(3.0)


def test_saw_teeth_over_open_land_go():
    west, east = straight(halves(SAW))
    assert west.equals(box(0, 0, 100, 200))
    assert east.equals(box(100, 0, 200, 200))
    assert shapely.get_num_coordinates(west) == 5


def test_a_footprint_is_gone_round():
    # the tooth at y = 120 is there because of a house of the western grid
    house = box(97, 119.5, 102.5, 120.5)
    west, east = straight(halves(SAW), solid=shapes(house))
    assert west.contains(house)
    assert shapely.area(east.intersection(house)) == 0
    # of the nine teeth those are left that hold the border off the house
    assert shapely.get_num_coordinates(west) <= 5 + 2
    assert west.area + east.area == pytest.approx(40_000, rel=1e-12)


def test_a_building_known_as_a_point_stays_on_its_side():
    west, _ = straight(halves(SAW), solid=shapes(Point(102, 120), Point(50, 50)))
    assert west.contains(Point(102, 120))


def test_a_border_stays_on_its_wall_and_its_street():
    bend = [(100.0, 0.0), (100.0, 80.0), (104.0, 100.0), (100.0, 120.0), (100.0, 200.0)]
    wall = shapes(LineString([(100, 80), (104, 100), (100, 120)]))
    free = straight(halves(bend))[0]
    assert free.equals(box(0, 0, 100, 200))
    assert straight(halves(bend), walls=wall)[0].equals(halves(bend)[0])
    assert straight(halves(bend), lines=wall)[0].equals(halves(bend)[0])
    # a wall that a tooth would be cut at is not crossed either
    barrier = shapes(LineString([(102, 50), (102, 150)]))
    assert straight(halves(bend), walls=barrier)[0].equals(halves(bend)[0])


def test_beside_a_street_a_border_may_be_straightened_but_not_leave_it():
    street = shapes(LineString([(100, 0), (100, 200)]))
    assert straight(halves(saw(2.5)), guides=street)[0].equals(box(0, 0, 100, 200))
    corner = [(100.0, 0.0), (100.0, 190.0), (103.9, 200.0)]
    assert straight(halves(corner))[0].equals(Polygon([(0, 0), (100, 0), (103.9, 200), (0, 200)]))
    assert straight(halves(corner), guides=street)[0].equals(halves(corner)[0])


def test_other_communities_and_corners_of_three_stay():
    grids = halves(saw(2.0))
    assert [g.equals(h) for g, h in zip(straight(grids, community=np.array([0, 1])), grids, strict=True)] == [True] * 2
    south, north = (shapely.intersection(grids[0], box(0, a, 200, a + 100)) for a in (0, 100))
    assert south.touches(Point(98, 100))
    three = straight(shapes(south, north, grids[1]))
    assert shapely.coverage_is_valid(three)
    assert three[2].intersects(Point(98, 100)), "where three grids meet"
    assert [shapely.get_num_coordinates(g) for g in three] == [5, 5, 6]


def test_a_thin_grid_without_buildings_does_not_vanish():
    lens = Polygon([(100, 0), (103, 100), (100, 200), (97, 100)])
    west = Polygon([(0, 0), (100, 0), (97, 100), (100, 200), (0, 200)])
    east = Polygon([(200, 0), (100, 0), (103, 100), (100, 200), (200, 200)])
    out = straight(shapes(west, lens, east))
    assert shapely.area(out[1]) > 0
    assert shapely.is_valid(out).all()
    assert shapely.coverage_is_valid(out)


def test_a_grid_around_another_keeps_its_hole():
    ring = shapely.Point(100, 100).buffer(40, quad_segs=30)
    out = straight(shapes(box(0, 0, 200, 200).difference(ring), ring))
    assert shapely.is_valid(out).all()
    assert shapely.area(out).sum() == pytest.approx(40_000, rel=1e-12)
    assert len(out[0].interiors) == 1
    assert shapely.get_num_coordinates(out[1]) < 60
    assert shapely.area(out[1]) == pytest.approx(ring.area, rel=0.15)


EAST, NORTH = 500_000, 4_400_000


def town(seed):
    """One community of houses, streets and a compound."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 280, (50, 2)).round(2)
    houses = [box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, rng.uniform(4, 15, (50, 2)), strict=True)]
    streets = [LineString(rng.uniform(0, 300, (3, 2))) for _ in range(4)]
    side = rng.uniform(20, 80, 4)
    wall = box(side[0], side[1], side[0] + side[2] + 20, side[1] + side[3] + 20)
    tables = {
        "communities": gpd.GeoDataFrame({"community_id": ["K"]}, geometry=[box(0, 0, 300, 300)], crs=CRS),
        "buildings": gpd.GeoDataFrame(
            {"building_id": [f"b{i:02d}" for i in range(50)], "households": 1}, geometry=houses, crs=CRS
        ),
        "streets": gpd.GeoDataFrame(
            {"class": ["residential", "footway", "primary", "path"]}, geometry=streets, crs=CRS
        ),
        "compounds": gpd.GeoDataFrame(
            {"compound_id": ["c"]},
            geometry=[wall],
            crs=CRS,
        ),
    }
    return {name: table.set_geometry(table.translate(EAST, NORTH)) for name, table in tables.items()}


def on_and_off_guides(grids, tables):
    """Metres of border between grids that lie within 3 m of streets and walls, and of the rest."""
    land = tables["communities"].geometry.to_numpy()
    borders = inner_borders(grids, np.zeros(len(grids), dtype=np.intp), land, step=0.5)
    if not len(borders.length):
        return np.zeros(2)
    near = along(borders.middle, guide_lines(tables["streets"], tables["compounds"], None))
    return np.array([borders.length[near].sum(), borders.length[~near].sum()])


def grown(ground, parts, rng):
    """Labels of connected parts: seeds that grow from atom to atom."""
    names = ground.atoms["atom_id"].tolist()
    beside = {name: set() for name in names}
    for a, b in ground.adjacency.query("metres >= 3")[["atom_a", "atom_b"]].itertuples(index=False):
        beside[a].add(b)
        beside[b].add(a)
    label = {str(name): k for k, name in enumerate(rng.choice(names, parts, replace=False))}
    while True:
        open_ = sorted({(b, a) for a in label for b in beside[a] if b not in label})
        if not open_:
            break
        one, other = open_[rng.integers(len(open_))]
        label[one] = label[other]
    return np.array([label.get(name, parts) for name in names])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.integers(2, 7))
def test_nothing_but_teeth_changes_sides(seed, parts):
    tables = town(seed)
    ground = make_atoms(**tables, upper=1000)
    labels = grown(ground, parts, np.random.default_rng(seed))
    exact = outlines(ground.atoms, labels)
    given_ = {name: tables[name] for name in ("buildings", "streets", "compounds")}
    drawn = straight_outlines(ground.atoms, labels, **given_)
    old, new = exact.to_numpy(), drawn.to_numpy()
    assert drawn.index.equals(exact.index)
    assert shapely.is_valid(new).all()
    assert shapely.coverage_is_valid(new)
    assert shapely.union_all(new).symmetric_difference(tables["communities"].geometry[0]).area < 0.05
    assert (shapely.get_num_geometries(new) == shapely.get_num_geometries(old)).all()
    assert shapely.get_num_coordinates(new).sum() <= shapely.get_num_coordinates(old).sum()
    for thing in [*tables["buildings"].geometry, tables["compounds"].geometry[0]]:
        before, after = (shapely.area(shapely.intersection(all_, thing)) for all_ in (old, new))
        if (before > 0.01).sum() == 1 or thing in list(tables["buildings"].geometry):
            assert after == pytest.approx(before, abs=0.05)
    # the share of the whole border on guides may fall, where it grows shorter on them; what lies off them does not grow
    # by more than the two metres between the points that a border is judged by
    before, after = (on_and_off_guides(grids, tables) for grids in (old, new))
    assert after[1] <= before[1] + 2
    assert after.sum() <= before.sum() + 0.01


def test_borders_of_many_towns_stay_on_their_guides():
    before, after = np.zeros(2), np.zeros(2)
    for seed in range(25):
        tables = town(seed)
        ground = make_atoms(**tables, upper=1000)
        labels = grown(ground, 2 + seed % 6, np.random.default_rng(seed))
        given_ = {name: tables[name] for name in ("buildings", "streets", "compounds")}
        before += on_and_off_guides(outlines(ground.atoms, labels).to_numpy(), tables)
        after += on_and_off_guides(straight_outlines(ground.atoms, labels, **given_).to_numpy(), tables)
    assert after[0] / after.sum() >= before[0] / before.sum()
    assert after.sum() < 0.995 * before.sum()


def test_what_is_far_away_does_not_matter():
    first, second = (make_atoms(**town(seed), upper=1000) for seed in (1, 2))
    moved = second.atoms.assign(community_id="L", geometry=second.atoms.translate(300, 0))
    both = gpd.GeoDataFrame(pd.concat([first.atoms, moved], ignore_index=True), crs=CRS)
    labels = [grown(g, 4, np.random.default_rng(0)) for g in (first, second)]
    tables = town(1)
    given_ = {name: tables[name] for name in ("buildings", "streets", "compounds")}
    alone = straight_outlines(first.atoms, labels[0], **given_)
    together = straight_outlines(both, np.r_[labels[0], labels[1] + 10], **given_)
    assert shapely.equals_identical(alone.to_numpy(), together.loc[alone.index].to_numpy()).all()
