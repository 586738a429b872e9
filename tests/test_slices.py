"""Buildings above the limit, split by unit: households, slices, and what the plan becomes."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box
from test_divide import CRS, rectangle, town

import gridmap as gm
from gridmap.division.ground.slices import free_room, slice_across, tie_slices

LOBES = Polygon([(0, 0), (60, 0), (60, 40), (48, 40), (48, 12), (12, 12), (12, 40), (0, 40)])  # a U
SHAPES = {
    "bar": box(0, 0, 60, 12),
    "square": box(0, 0, 20, 20),
    "u": LOBES,
    "ring": box(0, 0, 50, 50) - box(9, 9, 41, 41),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 359), st.lists(st.integers(0, 300), min_size=2, max_size=8))
def test_slices_tile_the_footprint_and_hang_together(name, degrees, weights):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = shapely.transform(SHAPES[name], lambda xy: xy @ turn + (4e5, 4e6))
    slices, of = slice_across(shape, np.array(weights, dtype=float))
    assert set(of) == set(range(len(weights)))
    assert shapely.area(slices).sum() == pytest.approx(shape.area, rel=1e-6)
    whole = shapely.union_all(slices, grid_size=0.001)
    assert whole.symmetric_difference(shape).area < 0.5
    for one in set(of):
        piece = shapely.union_all(slices[of == one], grid_size=0.001)
        assert piece.geom_type == "Polygon"


def test_a_bar_is_cut_across_by_weight():
    slices, of = slice_across(box(0, 0, 10, 50), np.array([100.0, 300.0]))
    assert of.tolist() == [0, 1]
    assert [s.bounds for s in slices] == [
        pytest.approx((0, 0, 10, 12.5), abs=1e-6),
        pytest.approx((0, 12.5, 10, 50), abs=1e-6),
    ]


def with_tower(seed, households, **columns):
    communities, houses, streets = town(seed)
    houses["households"] = houses["households"].astype(float)
    houses.loc[40, "households"] = households
    for name, value in columns.items():
        houses[name] = np.nan
        houses.loc[40, name] = value
    return communities, houses, streets


def tower_rows(plan):
    return plan.assignment[plan.assignment["building_id"] == "b040"]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(501, 2400), st.sampled_from([np.nan, 7.0, 33.0]))
def test_a_tower_becomes_rows_that_hold_its_households(seed, households, floors):
    communities, houses, streets = with_tower(seed, households, floors=floors)
    plan = gm.divide(communities, houses, streets, split_large=True, effort="low")
    rows = tower_rows(plan)
    assert rows["households"].sum() == households
    assert rows["unit_id"].is_unique
    assert rows["unit_id"].notna().all()
    assert (rows["households"] % 1 == 0).all()
    # what a piece may hold: the room, or a storey where one is more than that, and a household of rounding
    room = free_room(300, 500) if np.isnan(floors) else max(free_room(300, 500), households / floors)
    assert rows["households"].max() <= room + 1
    assert plan.grids["households"].sum() == houses["households"].sum()
    for name, land in zip(communities["community_id"], communities.geometry, strict=True):
        grids = plan.grids[plan.grids["community_id"] == name].geometry
        assert shapely.union_all(grids.to_numpy()).symmetric_difference(land).area < 1e-6 * land.area
    held = plan.atoms.set_index("atom_id").loc[rows["atom_id"].unique(), "households"]
    assert held.sum() == households


def test_units_given_are_kept_and_their_sum_is_checked():
    communities, houses, streets = with_tower(8, 800)
    units = pd.DataFrame(
        {"building_id": "b040", "unit_id": [f"{i}" for i in (10, 2, 1, 3)], "households": [100, 100, 100, 100]}
    )
    plan = gm.divide(communities, houses, streets, units=units, split_large=True)
    rows = tower_rows(plan)
    assert rows["unit_id"].tolist() == ["1", "10", "2", "3"]
    assert rows["households"].tolist() == [200.0] * 4
    (found,) = plan.findings[plan.findings["rule"] == "unit_households"].to_dict("records")
    assert "1 building: 800 households, but 400 in the units" in found["message"]
    assert plan.grids["status"].eq("legal").all()
    # the order along the house is that of the numbers: 1, 2, 3, 10
    shapes = plan.atoms.set_index("atom_id").geometry
    order = rows.set_index("unit_id")["atom_id"].map(lambda a: shapes[a].centroid.x)
    assert order[["1", "2", "3", "10"]].is_monotonic_increasing


def test_a_single_unit_above_the_limit_stays_with_its_certificate():
    communities, houses, streets = with_tower(8, 800)
    units = pd.DataFrame({"building_id": ["b040"] * 2, "unit_id": ["a", "b"], "households": [700, 100]})
    plan = gm.divide(communities, houses, streets, units=units, split_large=True)
    (found,) = plan.findings[plan.findings["rule"] == "household_band"].to_dict("records")
    assert '"atom": "b:b040#1"' in found["certificate"]
    assert plan.audit().set_index("measure")["value"]["households_lost"] == 0


@pytest.mark.parametrize("kind", ["points", "stacked"])
def test_points_and_overlapping_footprints_are_split_too(kind):
    communities, houses, streets = with_tower(8, 900)
    if kind == "points":
        houses = houses.set_geometry(houses.representative_point())
    else:
        podium = houses.loc[[40]].assign(
            building_id="podium", households=20.0, geometry=[houses.geometry[40].buffer(3)]
        )
        houses = pd.concat([houses, podium], ignore_index=True)
    plan = gm.divide(communities, houses, streets, split_large=True)
    assert plan.grids["status"].eq("legal").all()
    assert tower_rows(plan)["households"].sum() == 900
    assert plan.grids["households"].sum() == houses["households"].sum()
    audit = plan.audit().set_index("measure")["value"]
    assert audit["extra_pieces"] == 0
    assert audit["footprints_cut"] == 0
    assert audit["buildings_outside_grid"] == 0


def test_a_compound_above_the_limit_is_opened_and_its_tower_split_but_a_dedicated_one_stays():
    communities, houses, streets = with_tower(8, 900)
    yard = gpd.GeoDataFrame({"compound_id": ["yard"]}, geometry=[houses.geometry[40].buffer(9)], crs=CRS)
    plan = gm.divide(communities, houses, streets, compounds=yard, split_large=True)
    assert len(tower_rows(plan)) == 5
    own = gm.divide(communities, houses, streets, compounds=yard, dedicated="yard", split_large=True)
    assert tower_rows(own)["unit_id"].isna().all()


def test_the_split_does_not_depend_on_row_order():
    communities, houses, streets = with_tower(8, 900)
    plan = gm.divide(communities, houses, streets, split_large=True)
    again = gm.divide(communities[::-1], houses[::-1], streets[::-1], split_large=True)
    pd.testing.assert_frame_equal(plan.assignment, again.assignment)


def test_a_tower_goes_to_as_few_grids_as_it_must_and_to_more_where_that_alone_is_legal():
    communities, houses, streets = with_tower(8, 1200)
    plan = gm.divide(communities, houses, streets, split_large=True)
    assert plan.grids["status"].eq("legal").all()
    assert len(tower_rows(plan)["grid_id"].unique()) == 3
    # 990 alone would be two grids of 495; what hangs on either side of it makes that three
    land = gpd.GeoDataFrame({"community_id": ["A"]}, geometry=[rectangle(0, 0, 160, 30)], crs=CRS)
    row = gpd.GeoDataFrame(
        {"building_id": ["west", "b040", "east"], "households": [60, 990, 60], "floors": [2, 33, 2]},
        geometry=[rectangle(5, 5, 25, 25), rectangle(35, 5, 125, 25), rectangle(135, 5, 155, 25)],
        crs=CRS,
    )
    tight = gm.divide(land, row, split_large=True)
    assert tight.grids["status"].eq("legal").all()
    assert len(tight.grids) == 3


@given(st.lists(st.integers(1, 400), min_size=1, max_size=9))
def test_slices_are_tied_into_the_fewest_even_pieces(weights):
    weight = np.array(weights, dtype=float)
    ids = np.array([f"b:x#{i + 1}" for i in range(len(weight))], dtype=object)
    rows = pd.DataFrame({"atom_id": ids, "unit_id": "u"})
    tied = tie_slices(ids, rows, np.arange(len(weight)), weight, np.full(len(weight), 500.0))
    held = np.bincount(tied, weight)
    cuts = [c for k in range(len(weight)) for c in combinations(range(1, len(weight)), k)]
    sums = {c: [p.sum() for p in np.split(weight, c)] for c in cuts}
    fewest = min(len(s) for s in sums.values() if max(s) <= 500)
    assert (held > 0).sum() == fewest
    assert held.max() == min(max(s) for s in sums.values() if len(s) == fewest)
    assert (np.diff(tied) >= 0).all()


def test_the_audit_counts_what_was_split_apart_from_what_was_cut():
    communities, houses, streets = with_tower(8, 1200)
    plan = gm.divide(communities, houses, streets, split_large=True)
    assert len(tower_rows(plan)["grid_id"].unique()) > 1
    audit = plan.audit().set_index("measure")["value"]
    assert audit["footprints_split"] == 1
    assert audit["footprints_cut"] == 0


def test_no_tower_of_las_palmas_is_left_out_of_band(data_dir):
    folder = data_dir / "las_palmas"
    communities = gm.read_communities(folder / "communities_4000.gpkg")
    communities = communities[communities["community_id"] == "350016001024"]
    source = folder / "las_palmas_20230221.osm.pbf"
    area = communities.to_crs(4326).union_all()
    houses = gm.read_buildings(source)
    houses = houses[houses.representative_point().within(area)]
    streets = gm.read_streets(source)
    streets = streets[streets.intersects(area)]
    counts = pd.read_csv(folder / "households.csv", dtype={"building_id": str}).set_index("building_id")["households"]
    houses["households"] = houses["building_id"].map(counts).fillna(0)
    towers = houses.loc[houses["households"] > 500, "building_id"]
    assert len(towers) == 2
    plan = gm.divide(communities, houses, streets, split_large=True)
    assert plan.grids["status"].eq("legal").all()
    split = plan.assignment.loc[plan.assignment["unit_id"].notna(), "building_id"].unique()
    assert sorted(split) == sorted(towers)
    assert plan.grids["households"].sum() == houses["households"].sum()
