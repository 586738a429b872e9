"""Service circles: the level set of what is counted, nested, valid, never across a barrier."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, ORIGIN, at, grid_city, random_town

from gridmap.coverage.circles import service_circles
from gridmap.coverage.contours import Frame, frame_around, polygons_below
from gridmap.coverage.cover import cover
from gridmap.coverage.homes import Homes
from gridmap.coverage.land import lay_ground, paint_land
from gridmap.errors import OptionError
from gridmap.network.search import nearest, node_costs
from gridmap.network.streets import StreetNetwork

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def compound_and_wall():
    """A compound with one gate in its south wall, and a free-standing wall, for the random town."""
    compounds = gpd.GeoDataFrame(
        {"compound_id": ["k"]}, geometry=[shapely.box(*(at([90, 80])), *(at([190, 200])))], crs=CRS
    )
    gates = gpd.GeoDataFrame(
        {"entrance_id": ["g"], "of": ["compound"], "of_id": ["k"]},
        geometry=[shapely.Point(at([150, 80]))],
        crs=CRS,
    )
    walls = gpd.GeoDataFrame(
        {"hard": [True]}, geometry=[shapely.linestrings(at([[-20, 40], [130, 50], [250, 20]]))], crs=CRS
    )
    return {"compounds": compounds, "entrances": gates, "barriers": walls}


@few
@given(seed=seeds, walled=st.booleans(), access=st.sampled_from([0.0, 20.0, 50.0]))
def test_the_painted_land_is_the_counted_distance(seed, walled, access):
    _, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets, access_metres=access, **(compound_and_wall() if walled else {}))
    targets = network.access(services.geometry.to_numpy(), kind="facility")
    frame = frame_around(services.total_bounds, 15.0, 120.0)
    ground = lay_ground(network, frame, 2000.0, "metres")
    costs = node_costs(network, targets, by="metres", limit=5000.0)
    values, labels, window = paint_land(
        network, ground, targets, costs.cost, costs.target, margin=2000.0, labelled=True
    )
    row, column = (index.ravel() for index in np.indices(values.shape))
    xy = np.column_stack([window.left + column * window.side, window.bottom + row * window.side])
    cells = network.access(shapely.points(xy), kind="building")
    counted = nearest(network, targets, cells, by="metres", limit=5000.0)
    same = np.isclose(values.ravel(), counted.metres[:, 0], rtol=0, atol=0.01)
    near = cells.status == "ok"
    if access > 0:
        assert same[near].all()
        assert len(near) > 100
    # beyond reach the nearest street is found by spreading, which may take a street as near but for a hair
    assert same.mean() > 0.97
    agreed = same & (counted.target[:, 0] >= 0)
    ties = np.abs(labels.ravel()[agreed] - counted.target[:, 0][agreed]) > 0
    assert ties.mean() < 0.02


def test_deviation_is_only_resolution():
    homes, clinics, streets = grid_city()
    circles = service_circles(clinics, streets, buildings=homes, metres=(300, 500, 800))
    assert (circles["covered"] > 500).all()
    assert (circles["deviation"] <= [0.03, 0.02, 0.02]).all()
    finer = service_circles(clinics, streets, buildings=homes, metres=(300, 500, 800), cell_metres=4)
    assert finer["deviation"].mean() <= circles["deviation"].mean()
    counted = [cover(homes, clinics, streets, metres=m).rate().loc[0, "covered"] for m in (300, 500, 800)]
    assert circles["covered"].tolist() == counted


def test_deviation_is_counted_as_the_design_says():
    homes, clinics, streets = grid_city(blocks=8)
    circles = service_circles(clinics, streets, buildings=homes, metres=250, cell_metres=20)
    covered = cover(homes, clinics, streets, metres=250).covered[:, 0]
    inside = homes.within(circles.geometry[0]).to_numpy()
    households = homes["households"].to_numpy()
    row = circles.loc[0]
    assert row["covered"] == households[covered].sum()
    assert row["covered_outside"] == households[covered & ~inside].sum()
    assert row["uncovered_inside"] == households[inside & ~covered].sum()
    assert row["deviation"] == (row["covered_outside"] + row["uncovered_inside"]) / row["covered"]
    assert row["deviation"] > 0


@few
@given(seed=seeds, given_homes=st.booleans(), walled=st.booleans())
def test_circles_nest_and_are_valid(seed, given_homes, walled):
    homes, services, streets = random_town(seed)
    tables = compound_and_wall() if walled else {}
    circles = service_circles(
        services, streets, buildings=homes if given_homes else None, metres=[60, 100, 200, 260], **tables
    )
    assert circles.is_valid.all()
    assert circles.groupby("category").size().tolist() == [4, 4]
    for _, rows in circles.groupby("category"):
        shapes = rows.sort_values("metres").geometry.to_numpy()
        for smaller, larger in pairwise(shapes):
            assert shapely.difference(smaller, larger).area < 1e-6


def test_the_three_overlap_modes_agree():
    homes, clinics, streets = grid_city(blocks=10)
    network = StreetNetwork.from_streets(streets)
    one, each, split = (
        service_circles(clinics, network, buildings=homes, metres=(200, 450), overlap=mode)
        for mode in ("dissolve", "overlap", "split")
    )
    assert one.columns.tolist().count("facility_id") == 0
    assert each["facility_id"].tolist() == ["f1", "f1", "f2", "f2", "f3", "f3"]
    for metres in (200, 450):
        whole = one.geometry[one["metres"] == metres].iloc[0]
        singles = each.geometry[each["metres"] == metres]
        parts = split.geometry[split["metres"] == metres]
        # every facility's own land, together, is the land of the category, but for cells beside the borders
        assert shapely.union_all(singles.to_numpy()).symmetric_difference(whole).area < 0.01 * whole.area
        assert shapely.union_all(parts.to_numpy()).symmetric_difference(whole).area < 1e-6 * whole.area
        assert parts.area.sum() == pytest.approx(whole.area, rel=1e-9)
        assert (parts.area.to_numpy() <= singles.area.to_numpy() * 1.01).all()
        assert split["covered"][split["metres"] == metres].sum() == one["covered"][one["metres"] == metres].iloc[0]
    assert split["deviation"].max() < 0.06


def test_split_gives_each_home_to_its_nearest_facility():
    homes, clinics, streets = grid_city(blocks=10)
    split = service_circles(clinics, streets, metres=2000, overlap="split")
    reach = cover(homes, clinics, streets, metres=2000).reach
    shapes = split.set_index("facility_id").geometry
    right = [
        shapes[row.facility_id].covers(point) for row, point in zip(reach.itertuples(), homes.geometry, strict=True)
    ]
    assert np.mean(right) > 0.98


def test_never_across_water():
    homes, clinics, streets = grid_city(blocks=8)
    low, high = at([100, 380]), at([700, 410])
    river = gpd.GeoDataFrame({"hard": [True], "kind": ["river"]}, geometry=[shapely.box(*low, *high)], crs=CRS)
    circles = service_circles(clinics, streets, buildings=homes, metres=(300, 600), barriers=river)
    assert (circles.intersection(river.geometry.iloc[0]).area < 1e-6).all()
    assert circles.is_valid.all()


def test_a_wall_without_a_way_around_stops_a_circle():
    streets = gpd.GeoDataFrame(
        {"class": ["residential"]}, geometry=[shapely.linestrings(at([[0, 0], [1000, 0]]))], crs=CRS
    )
    clinic = gpd.GeoDataFrame(
        {"facility_id": ["f"], "category": ["clinic"]}, geometry=[shapely.Point(at([500, 0]))], crs=CRS
    )
    wall = gpd.GeoDataFrame({"hard": [True]}, geometry=[shapely.linestrings(at([[-100, 20], [1100, 20]]))], crs=CRS)
    free = service_circles(clinic, streets, metres=200, far_metres=300).geometry[0]
    barred = service_circles(clinic, streets, metres=200, far_metres=300, barriers=wall).geometry[0]
    behind = shapely.box(*(at([-100, 25.1])), *(at([1100, 300])))
    assert free.intersection(behind).area > 5000
    assert barred.intersection(behind).area == 0
    assert barred.area > 5000
    # an open street: |x| + |y| <= 200, a diamond
    assert free.area == pytest.approx(2 * 200**2, rel=0.02)


def test_holes_without_uncovered_households_are_filled():
    ring = shapely.linestrings(at([[0, 0], [400, 0], [400, 400], [0, 400], [0, 0]]))
    streets = gpd.GeoDataFrame({"class": ["residential"]}, geometry=[ring], crs=CRS)
    clinic = gpd.GeoDataFrame({"facility_id": ["f"], "category": ["clinic"]}, geometry=[shapely.Point(ORIGIN)], crs=CRS)
    home = gpd.GeoDataFrame(
        {"building_id": ["b"], "households": [8]}, geometry=[shapely.Point(at([200, 205]))], crs=CRS
    )
    options = {"metres": 850, "far_metres": 100}
    bare = service_circles(clinic, streets, **options).geometry[0]
    assert len(bare.geoms[0].interiors) == 1
    # counted by the nearest street, 195 m away: 195 + 600 m is within 850 m, so nobody in the hole is uncovered
    filled = service_circles(clinic, streets, buildings=home, **options).loc[0]
    assert len(filled.geometry.geoms[0].interiors) == 0
    assert filled["deviation"] == 0
    fence = gpd.GeoDataFrame(
        {"hard": [True]}, geometry=[shapely.LineString(shapely.Point(at([200, 205])).buffer(20).exterior)], crs=CRS
    )
    kept = service_circles(clinic, streets, buildings=home, barriers=fence, **options).loc[0]
    assert kept["covered"] == 0
    assert len(kept.geometry.geoms[0].interiors) == 1
    nobody = home.assign(households=0)
    empty = service_circles(clinic, streets, buildings=nobody, barriers=fence, **options).loc[0]
    assert len(empty.geometry.geoms[0].interiors) == 0


def test_row_order_does_not_matter():
    homes, services, streets = random_town(11, buildings=40)
    for mode in ("dissolve", "overlap", "split"):
        first = service_circles(services, streets, buildings=homes, metres=(80, 160), overlap=mode)
        second = service_circles(
            services.iloc[::-1], streets.iloc[::-1], buildings=homes.iloc[::-1], metres=(80, 160), overlap=mode
        )
        assert_frame_equal(first.drop(columns="geometry"), second.drop(columns="geometry"), rtol=1e-6)
        assert (first.symmetric_difference(second).area < 0.5).all()


def test_default_thresholds_columns_and_crs():
    _, services, streets = random_town(1)
    circles = service_circles(services.to_crs(4326), streets)
    assert circles.columns.tolist() == [
        "category", "minutes", "facilities", "area_m2", "covered", "covered_outside", "uncovered_inside", "deviation",
        "geometry",
    ]  # fmt: skip
    assert circles["minutes"].tolist() == [5, 10, 15] * 2
    assert circles["category"].tolist() == ["clinic"] * 3 + ["school"] * 3
    assert circles.crs == 4326
    assert circles["covered"].isna().all()
    assert circles.attrs["cell_metres"] == 10


def test_thresholds_by_category_and_planned_facilities():
    _, services, streets = random_town(1)
    services["status"] = ["planned"] + ["existing"] * 5
    circles = service_circles(services, streets, minutes={"school": [2, 4], "clinic": 3, "canteen": 1})
    assert list(zip(circles["category"], circles["minutes"], strict=True)) == [
        ("school", 2), ("school", 4), ("clinic", 3), ("canteen", 1),
    ]  # fmt: skip
    assert circles["facilities"].tolist() == [3, 3, 2, 0]
    assert circles.geometry.iloc[3].is_empty
    assert circles.attrs["left_out"] == {"facilities": 1, "not_existing": 1}


def test_land_farther_than_the_limit_is_not_drawn():
    _, services, streets = random_town(1)
    lines = shapely.union_all(streets.geometry.to_numpy())
    near = service_circles(services, streets, minutes=15, far_metres=60)
    assert near.within(lines.buffer(60 + 15)).all()
    assert (service_circles(services, streets, minutes=15).area > near.area).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"overlap": "none"}, "overlap must be one of"),
        ({"minutes": 5, "metres": 500}, "at most one"),
        ({"minutes": []}, "empty"),
        ({"minutes": {}}, "empty"),
        ({"metres": [300, 0]}, "above 0"),
        ({"cell_metres": 0}, "cell_metres"),
        ({"far_metres": -1}, "far_metres"),
    ],
)
def test_wrong_options_are_refused(options, words):
    _, services, streets = random_town(1)
    with pytest.raises(OptionError, match=words):
        service_circles(services, streets, **options)


@few
@given(seed=seeds)
def test_contours_hold_the_cells_below_the_level(seed):
    rng = np.random.default_rng(seed)
    raster = rng.integers(-2, 3, (rng.integers(1, 9), rng.integers(1, 9))).astype(np.float32)
    frame = Frame(3.0, 5.0, 2.0, *raster.shape)
    parts = polygons_below(raster, frame, 0.0)
    assert shapely.is_valid(parts).all()
    whole = shapely.union_all(parts) if len(parts) else shapely.MultiPolygon()
    assert whole.area == pytest.approx(shapely.area(parts).sum())
    row, column = np.indices(raster.shape)
    inside = shapely.intersects_xy(whole, 3 + 2.0 * column, 5 + 2.0 * row)
    assert (inside == (raster < 0)).all()


def test_deviation_is_small_on_a_real_extract(data_dir):
    from gridmap.io.readers import read_buildings, read_facilities, read_streets

    path = data_dir / "beijing_tsinghua" / "map.osm.pbf"
    homes = read_buildings(path).to_crs(CRS).assign(households=10)
    services = read_facilities(path)
    services = services[services["category"].isin(services["category"].value_counts().index[:4])].to_crs(CRS)
    circles = service_circles(services, read_streets(path), buildings=homes, metres=(400, 800))
    counted = circles[circles["covered"] >= 500]
    assert len(counted) >= 4
    assert pd.Series(counted["deviation"]).median() <= 0.015
    assert counted["deviation"].max() <= 0.05


def test_filling_a_hole_takes_in_the_islands_that_stood_in_it():
    donut = shapely.box(0, 0, 90, 90).difference(shapely.box(10, 10, 40, 40)).difference(shapely.box(50, 50, 80, 80))
    parts = np.array([donut, shapely.box(20, 20, 30, 30), shapely.box(60, 60, 70, 70)])
    homes = Homes(None, np.array([[12.0, 12.0], [52.0, 52.0], [200.0, 200.0]]), np.ones(3), None)
    filled = homes.fill_holes(parts, np.array([False, True, True]))
    assert shapely.is_valid(shapely.multipolygons(filled))
    assert shapely.union_all(filled).equals(shapely.box(0, 0, 90, 90) - (shapely.box(50, 50, 80, 80) - parts[2]))
    assert homes.fill_holes(parts, np.array([True, True, True])) is parts
    assert shapely.area(homes.fill_holes(parts, np.zeros(3, dtype=bool))).tolist() == [8100]


@pytest.mark.parametrize("mode", ["dissolve", "overlap", "split"])
def test_facilities_that_reach_nothing_have_empty_circles(mode):
    homes, services, streets = random_town(1)
    fences = gpd.GeoDataFrame(
        {"hard": True}, geometry=services.geometry.buffer(0.2).boundary, crs=CRS, index=services.index
    )
    circles = service_circles(services, streets, buildings=homes, overlap=mode, minutes=3, barriers=fences)
    assert circles.geometry.is_empty.all()
    assert len(circles) == (2 if mode == "dissolve" else 6)
    assert (circles["covered"] == 0).all()
    assert circles["deviation"].isna().all()
    none = service_circles(
        services.assign(status="planned"), streets, buildings=homes, overlap=mode, minutes={"clinic": 3}
    )
    assert len(none) == (1 if mode == "dissolve" else 0)


@pytest.mark.parametrize("mode", ["dissolve", "overlap", "split"])
def test_a_facility_farther_from_its_street_than_the_threshold_has_an_empty_circle(mode):
    homes, clinics, streets = grid_city(blocks=4)
    # in the middle of a block: 45 m from every street
    clinics = clinics.assign(geometry=shapely.points(at([[45, 45], [135, 45], [135, 135]])))
    circles = service_circles(clinics, streets, buildings=homes, metres=[20, 200], overlap=mode)
    near = circles["metres"] == 20
    assert circles.geometry[near].is_empty.all()
    assert (circles["covered"][near] == 0).all()
    assert (circles.geometry[~near].area > 0).all()
