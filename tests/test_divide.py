"""`divide`: the steps together, by what a plan must keep whatever the ground."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, box

import gridmap as gm

CRS = 32650
# Near the central meridian, where the projection is true to scale and work is done in it.
EAST, NORTH = 500_000, 4_400_000


def rectangle(west, south, east, north):
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points):
    return LineString([(EAST + x, NORTH + y) for x, y in points])


def town(seed=0, columns=12, rows=10, heavy=60):
    """Houses on a lattice with streets every fourth plot, in two communities side by side."""
    rng = np.random.default_rng(seed)
    cells = [(i, j) for j in range(rows) for i in range(columns)]
    plots = [rectangle(30 * i + 6, 30 * j + 6, 30 * i + 6 + rng.integers(8, 18), 30 * j + 22) for i, j in cells]
    houses = gpd.GeoDataFrame(
        {"building_id": [f"b{k:03d}" for k in range(len(plots))], "households": rng.integers(0, heavy, len(plots))},
        geometry=plots,
        crs=CRS,
    )
    half, wide, high = 30 * (columns // 2), 30 * columns, 30 * rows
    communities = gpd.GeoDataFrame(
        {"community_id": ["A", "B"], "code": ["110101001001", "110101001002"]},
        geometry=[rectangle(0, 0, half, high), rectangle(half, 0, wide, high)],
        crs=CRS,
    )
    lines = [line((0, y), (wide, y)) for y in range(0, high + 1, 120)]
    lines += [line((x, 0), (x, high)) for x in range(0, wide + 1, 120)]
    streets = gpd.GeoDataFrame({"class": ["residential"] * len(lines)}, geometry=lines, crs=CRS)
    return communities, houses, streets


def same(first, second):
    pd.testing.assert_frame_equal(first.assignment, second.assignment)
    assert first.plan_hash == second.plan_hash


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.sampled_from([30, 60, 150, 400]))
def test_grids_tile_their_community_and_hold_every_household_once(seed, heavy):
    communities, houses, streets = town(seed, heavy=heavy)
    plan = gm.divide(communities, houses, streets, effort="low")
    assert plan.grids["households"].sum() == houses["households"].sum()
    assert plan.assignment["building_id"].tolist() == sorted(houses["building_id"])
    for name, land in zip(communities["community_id"], communities.geometry, strict=True):
        grids = plan.grids[plan.grids["community_id"] == name].geometry
        assert grids.area.sum() == pytest.approx(land.area, rel=1e-9)
        assert shapely.union_all(grids.to_numpy()).symmetric_difference(land).area < 1e-6 * land.area
        assert set(grids.geom_type) == {"Polygon"}
    inside = houses.set_index("building_id").representative_point()
    holder = plan.grids.set_index("grid_id").geometry
    where = plan.assignment.set_index("building_id")["grid_id"]
    assert inside.loc[where.index].within(gpd.GeoSeries(holder.loc[where].to_numpy(), index=where.index, crs=CRS)).all()
    band = plan.findings[plan.findings["rule"] == "household_band"]
    assert len(band) == plan.grids["status"].isin(["above", "below"]).sum()
    assert (band["certificate"] != "").all()


def test_the_plan_does_not_depend_on_row_order_or_workers():
    communities, houses, streets = town(3)
    plan = gm.divide(communities, houses, streets)
    mixed = houses.sample(frac=1, random_state=1)
    same(plan, gm.divide(communities[::-1], mixed, streets[::-1]))
    with ThreadPoolExecutor(2) as executor:
        same(plan, gm.divide(communities, houses, streets, executor=executor))


def test_a_prepared_network_serves_as_streets():
    communities, houses, streets = town(4)
    same(
        gm.divide(communities, houses, streets), gm.divide(communities, houses, gm.StreetNetwork.from_streets(streets))
    )


def test_compounds_stay_whole_unless_they_exceed_the_limit():
    communities, houses, streets = town(5)
    small, large = rectangle(2, 2, 88, 88), rectangle(182, 2, 358, 298)
    compounds = gpd.GeoDataFrame({"compound_id": ["small", "large"]}, geometry=[small, large], crs=CRS)
    plan = gm.divide(communities, houses, streets, compounds=compounds)
    grid_of = plan.assignment.set_index("building_id")["grid_id"]
    in_small = houses.loc[houses.within(small), "building_id"]
    in_large = houses.loc[houses.within(large), "building_id"]
    assert houses.set_index("building_id").loc[in_large, "households"].sum() > 500
    assert len(set(grid_of[in_small])) == 1
    assert len(set(grid_of[in_large])) > 1


def test_no_grid_crosses_a_hard_barrier():
    communities, houses, streets = town(6)
    railway = line((0, 150), (360, 150))
    barriers = gpd.GeoDataFrame({"kind": ["railway"], "hard": [True]}, geometry=[railway], crs=CRS)
    # a street over the railway would join what lies at its ends
    streets = streets[~streets.intersects(railway)]
    plan = gm.divide(communities, houses, streets, barriers=barriers)
    south = plan.grids.representative_point().y < NORTH + 150
    assert (plan.grids[south].bounds["maxy"] <= NORTH + 150.001).all()
    assert (plan.grids[~south].bounds["miny"] >= NORTH + 149.999).all()
    assert south.any()
    assert (~south).any()


def test_dedicated_areas_are_grids_of_their_own():
    communities, houses, streets = town(7)
    campus = gpd.GeoDataFrame({"name": ["Campus"]}, geometry=[rectangle(0, 0, 120, 120)], crs=CRS)
    plan = gm.divide(communities, houses, streets, dedicated=campus)
    (own,) = plan.grids[plan.grids["kind"] == "dedicated"].to_dict("records")
    assert own["status"] == "dedicated"
    assert own["name"] == "Campus"
    assert own["geometry"].symmetric_difference(rectangle(0, 0, 120, 120)).area < 1e-3
    with pytest.raises(gm.OptionError, match="dedicated names compounds that there are not: moon"):
        gm.divide(communities, houses, streets, dedicated=["moon"])


def test_a_tower_is_certified_and_the_rest_is_legal():
    communities, houses, streets = town(8)
    houses["households"] = houses["households"].astype(float)
    houses.loc[0, "households"] = 812
    plan = gm.divide(communities, houses, streets)
    (found,) = plan.findings[plan.findings["rule"] == "household_band"].to_dict("records")
    assert '"atom_above_upper"' in found["certificate"]
    assert "812" in found["message"]
    assert (plan.grids["status"] == "legal").sum() == len(plan.grids) - 1


def test_codes_are_kept_when_little_changes():
    communities, houses, streets = town(9)
    plan = gm.divide(communities, houses, streets)
    houses.loc[0, "households"] += 1
    again = gm.divide(communities, houses, streets, previous=plan)
    kept = plan.assignment.merge(again.assignment, on="building_id")
    best = kept.groupby("grid_id_x")["grid_id_y"].agg(lambda ids: ids.mode()[0])
    assert (best == best.index).mean() > 0.5


def test_points_do_and_degrees_do():
    communities, houses, streets = town(10)
    points = houses.set_geometry(houses.representative_point())
    plan = gm.divide(*(t.to_crs(4326) for t in (communities, points, streets)))
    assert plan.grids.crs == "EPSG:4326"
    assert plan.grids["households"].sum() == houses["households"].sum()
    assert plan.grids["area_m2"].sum() == pytest.approx(communities.area.sum(), rel=1e-3)


def test_units_of_unknown_buildings_are_named():
    communities, houses, streets = town(12)
    units = pd.DataFrame({"building_id": ["b000", "moon"], "unit_id": ["1", "1"], "households": [3, 4]})
    with pytest.raises(gm.TableError, match="row 1: building_id = 'moon'"):
        gm.divide(communities, houses, streets, units=units)
