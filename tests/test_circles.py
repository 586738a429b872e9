"""Service circles: the level set of what is counted, nested, valid, never across a barrier."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, ORIGIN, at, grid_city, random_town

from gridmap.coverage.circles.circles import service_circles
from gridmap.coverage.circles.homes import Homes
from gridmap.coverage.circles.inside_kernel import points_in_rings
from gridmap.coverage.counting.cover import cover
from gridmap.coverage.land.contours import Frame, frame_around, polygons_below
from gridmap.coverage.land.land import lay_ground, paint_land
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
@given(
    seed=seeds,
    walled=st.booleans(),
    access=st.sampled_from([0.0, 20.0, 50.0]),
    measure=st.sampled_from(["metres", "minutes"]),
)
@example(seed=754, walled=True, access=20.0, measure="metres")
def test_the_painted_land_is_the_counted_distance(seed, walled, access, measure):
    _, services, streets = random_town(seed)
    # by bicycle, so that one-way streets and the slower leg count
    streets["oneway"] = np.random.default_rng(seed).choice(["yes", "no", "-1"], len(streets), p=[0.2, 0.7, 0.1])
    network = StreetNetwork.from_streets(
        streets, mode="cycle", profile="cyclist", access_metres=access, **(compound_and_wall() if walled else {})
    )
    targets = network.access(services.geometry.to_numpy(), kind="facility")
    frame = frame_around(services.total_bounds, 15.0, 120.0)
    ground = lay_ground(network, frame, 2000.0, measure)
    costs = node_costs(network, targets, by=measure, limit=5000.0)
    values, labels, window = paint_land(
        network, ground, targets, costs.cost, costs.target, margin=2000.0, labelled=True
    )
    row, column = (index.ravel() for index in np.indices(values.shape))
    xy = np.column_stack([window.left + column * window.side, window.bottom + row * window.side])
    cells = network.access(shapely.points(xy), kind="building")
    counted = nearest(network, targets, cells, by=measure, limit=5000.0)
    same = np.isclose(
        values.ravel(), getattr(counted, measure)[:, 0], rtol=0, atol=0.01 if measure == "metres" else 1e-4
    )
    near = cells.status == "ok"
    if access > 0:
        assert same[near].all()
        assert len(near) > 100
    # beyond reach the nearest street is found by spreading, which may take a street as near but for a hair
    assert same.mean() > 0.97
    agreed = same & (counted.target[:, 0] >= 0)
    ties = np.abs(labels.ravel()[agreed] - counted.target[:, 0][agreed]) > 0
    assert ties.mean() < 0.02


def test_the_nearest_street_counts_even_when_it_leads_nowhere():
    line = shapely.linestrings
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * 2},
        geometry=[line(at([[0, 0], [600, 0]])), line(at([[250, 160], [350, 160]]))],
        crs=CRS,
    )
    clinic = gpd.GeoDataFrame(
        {"facility_id": ["f"], "category": ["clinic"]}, geometry=[shapely.Point(at([300, 0]))], crs=CRS
    )
    home = gpd.GeoDataFrame({"building_id": ["b"], "households": [8]}, geometry=[shapely.Point(at([300, 95]))], crs=CRS)
    # 95 m from the street and 65 m from one that is cut off: counted by the latter, so nobody reaches the clinic
    circle = service_circles(clinic, streets, buildings=home, metres=250).loc[0]
    assert circle["covered"] == cover(home, clinic, streets, metres=250).rate().loc[0, "covered"] == 0
    assert circle["uncovered_inside"] == 0
    assert circle.geometry.covers(shapely.Point(at([300, 70])))
    assert not circle.geometry.intersects(home.geometry[0])


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
    from gridmap.io.read.readers import read_buildings, read_facilities, read_streets

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


@few
@given(seed=seeds, walled=st.booleans(), mode=st.sampled_from(["dissolve", "overlap", "split"]))
def test_deviation_is_that_of_a_plain_count(seed, walled, mode):
    homes, services, streets = random_town(seed, buildings=80)
    tables = compound_and_wall() if walled else {}
    network = StreetNetwork.from_streets(streets, **tables)
    circles = service_circles(services, network, buildings=homes, metres=(90, 200), overlap=mode)
    reach = cover(homes, services, network, metres=1e6, k=6).reach
    households = homes["households"].to_numpy()
    for row in circles.itertuples():
        offered = reach[(reach["category"] == row.category) & (reach["metres"] <= row.metres)]
        if mode == "overlap":
            offered = offered[offered["facility_id"] == row.facility_id]
        if mode == "split":
            offered = offered[(offered["rank"] == 1) & (offered["facility_id"] == row.facility_id)]
        covered = homes["building_id"].isin(offered["building_id"]).to_numpy()
        inside = np.array([row.geometry.contains(point) for point in homes.geometry])
        assert row.covered == households[covered].sum()
        assert row.covered_outside == households[covered & ~inside].sum()
        assert row.uncovered_inside == households[inside & ~covered].sum()


@few
@given(seed=seeds, walled=st.booleans())
def test_split_circles_make_up_the_dissolved_one(seed, walled):
    homes, services, streets = random_town(seed)
    tables = compound_and_wall() if walled else {}
    network = StreetNetwork.from_streets(streets, **tables)
    whole, parts = (
        service_circles(services, network, buildings=homes, metres=(90, 200), overlap=mode)
        for mode in ("dissolve", "split")
    )
    assert parts.is_valid.all()
    for row in whole.itertuples():
        own = parts[(parts["category"] == row.category) & (parts["metres"] == row.metres)]
        assert own.area.sum() == pytest.approx(row.geometry.area, rel=1e-9, abs=1e-6)
        assert shapely.union_all(own.geometry.to_numpy()).symmetric_difference(row.geometry).area < 1e-3


@few
@given(seed=seeds, walled=st.booleans())
def test_places_off_the_border_are_on_the_right_side(seed, walled):
    _, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets, **(compound_and_wall() if walled else {}))
    circles = service_circles(services, network, metres=(80, 160), cell_metres=5)
    low, high = at([-60, -60]), at([340, 340])
    places = shapely.points(np.random.default_rng(seed).uniform(low, high, (400, 2)))
    access = network.access(places)
    for row in circles.itertuples():
        facilities = services.geometry[services["category"] == row.category].to_numpy()
        metres = nearest(network, network.access(facilities, kind="facility"), access, by="metres").metres[:, 0]
        clear = shapely.distance(row.geometry.boundary, places) > 10
        wrong = shapely.contains(row.geometry, places) != (metres <= row.metres)
        # what is thinner than a cell is not drawn
        assert wrong[clear].mean() <= 0.01


@pytest.mark.parametrize("mode", ["dissolve", "overlap", "split"])
def test_workers_do_not_change_the_circles(mode):
    homes, services, streets = random_town(9, buildings=60, facilities=20, categories=tuple("abcde"))
    drawn = []
    for workers in (1, 3):
        with ThreadPoolExecutor(workers) as pool:
            drawn.append(
                service_circles(services, streets, buildings=homes, metres=(80, 160), overlap=mode, executor=pool)
            )
    drawn.append(service_circles(services, streets, buildings=homes, metres=(80, 160), overlap=mode))
    for other in drawn[1:]:
        assert_frame_equal(drawn[0].drop(columns="geometry"), other.drop(columns="geometry"))
        assert shapely.equals_exact(drawn[0].geometry.to_numpy(), other.geometry.to_numpy()).all()


@few
@given(seed=seeds)
def test_points_in_rings_are_those_of_shapely(seed):
    rng = np.random.default_rng(seed)
    discs = shapely.buffer(shapely.points(rng.uniform(0, 100, (12, 2))), rng.uniform(3, 25, 12), quad_segs=3)
    whole = shapely.union_all(discs).difference(shapely.box(20, 30, 45, 60)).difference(shapely.box(70, 0, 71, 100))
    rings = shapely.get_rings(shapely.get_parts(whole))
    xy = rng.uniform(0, 100, (300, 2))
    xy = xy[np.argsort(xy[:, 1])]
    asked = rng.random(300) < 0.3
    start = np.append(0, np.cumsum(shapely.get_num_coordinates(rings)))
    odd, holds = points_in_rings(shapely.get_coordinates(rings), start, xy, asked)
    assert odd.tolist() == shapely.contains_xy(whole, xy).tolist()
    wanted = [shapely.contains_xy(shapely.polygons(ring), xy[asked]).any() for ring in rings]
    assert holds.tolist() == wanted


@few
@given(seed=seeds)
def test_contours_of_rough_ground_are_valid_and_hold_their_holes(seed):
    rng = np.random.default_rng(seed)
    raster = rng.normal(0, 1, (30, 40)).astype(np.float32)
    frame = Frame(0.0, 0.0, 10.0, 30, 40)
    parts = polygons_below(raster, frame, 0.2, leap=0.5)
    # corners of squares where four borders meet included: parts neither overlap nor share a line
    assert shapely.is_valid(shapely.multipolygons(parts))
    row, column = np.indices(raster.shape)
    inside = shapely.contains_xy(shapely.multipolygons(parts), 10.0 * column, 10.0 * row)
    assert (inside == (raster < 0.2)).all()


def test_a_contour_lies_where_the_level_is():
    row, column = np.indices((81, 81))
    cone = np.hypot(row - 40, column - 40).astype(np.float32)
    disc = shapely.multipolygons(polygons_below(cone, Frame(-40.0, -40.0, 1.0, 81, 81), 30.0))
    assert shapely.hausdorff_distance(disc.boundary, shapely.Point(0, 0).buffer(30, quad_segs=90).boundary) < 0.02
    # where nobody knows between which two cells the value leaps, the border runs midway
    step = np.where((abs(row - 40) <= 10) & (abs(column - 40) <= 10), 0.0, np.inf).astype(np.float32)
    block = shapely.multipolygons(polygons_below(step, Frame(-40.0, -40.0, 1.0, 81, 81), 30.0, leap=15.0))
    assert block.bounds == pytest.approx((-10.5, -10.5, 10.5, 10.5))
    assert block.area == pytest.approx(21**2 - 4 * 0.5**2 / 2)


@pytest.mark.full
@pytest.mark.parametrize("walled", [False, True])
def test_few_households_of_las_palmas_are_on_the_wrong_side(data_dir, walled):
    from gridmap.io.read.readers import (
        read_barriers,
        read_buildings,
        read_compounds,
        read_entrances,
        read_facilities,
        read_streets,
    )

    folder = data_dir / "las_palmas"
    path = folder / "las_palmas_20230221.osm.pbf"
    compounds = read_compounds(folder / "compounds.gpkg")
    counts = pd.read_csv(folder / "households.csv", dtype={"building_id": str}).set_index("building_id")["households"]
    homes = read_buildings(path).to_crs(compounds.crs)
    homes["households"] = homes["building_id"].map(counts).fillna(0)
    walls = {
        "compounds": compounds,
        "entrances": read_entrances(folder / "entrances.gpkg"),
        "barriers": read_barriers(path).to_crs(compounds.crs),
    }
    network = StreetNetwork.from_streets(read_streets(path).to_crs(compounds.crs), **(walls if walled else {}))
    circles = service_circles(read_facilities(path).to_crs(compounds.crs), network, buildings=homes, metres=(400, 800))
    assert circles.is_valid.all()
    counted = circles[circles["covered"] >= 500].groupby("metres")["deviation"]
    assert (counted.size() >= 20).all()
    assert (counted.median() <= [0.015, 0.01]).all()
    assert (counted.max() <= [0.05, 0.03]).all()
