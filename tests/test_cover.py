"""Who reaches what, compared with a plain networkx computation, and what a cover says about its inputs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, ORIGIN, at, coordinates, plain_distances, random_town

from gridmap.coverage.counting.cover import cover
from gridmap.coverage.counting.reach import COLUMNS
from gridmap.errors import OptionError, TableError
from gridmap.maps.explore import explore
from gridmap.network.profiles import usable_streets
from gridmap.network.streets import StreetNetwork

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def by_column(result, value):
    """Reach table as (buildings, facilities of rank 1 a category)."""
    table = result.reach[result.reach["rank"] == 1]
    return table.pivot_table(index="building_id", columns="category", values=value, dropna=False, aggfunc="first")


@few
@given(seed=seeds, access=st.sampled_from([0.0, 15.0, 50.0, 120.0]))
def test_metres_equal_plain_networkx_on_random_towns(seed, access):
    homes, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets, access_metres=access)
    result = cover(homes, services, network, metres=300)
    plain = plain_distances(
        coordinates(homes), coordinates(services), [shapely.get_coordinates(g) for g in streets.geometry],
        access_metres=access,
    )  # fmt: skip
    for category in ("clinic", "school"):
        columns = np.flatnonzero((services["category"] == category).to_numpy())
        expected = plain[:, columns].min(axis=1)
        rows = result.reach[result.reach["category"] == category]
        found = rows["metres"].fillna(np.inf).to_numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert (rows["covered"].to_numpy() == (found <= 300)).all()
        status = np.where(expected <= 300, "ok", np.where(np.isfinite(expected), "beyond", "unreachable"))
        assert rows["status"].tolist() == status.tolist()
        for home, facility in enumerate(rows["facility_id"]):
            if np.isfinite(expected[home]):
                there = columns[services["facility_id"].iloc[columns] == facility]
                assert plain[home, there[0]] == pytest.approx(expected[home], abs=1e-6)


@few
@given(seed=seeds)
def test_minutes_equal_plain_networkx_with_stairs(seed):
    homes, services, streets = random_town(seed)
    result = cover(homes, services, streets, minutes=4)
    # adults walk 80 m a minute, half as fast on stairs
    plain = plain_distances(
        coordinates(homes), coordinates(services), [shapely.get_coordinates(g) for g in streets.geometry],
        paces=np.where(streets["stairs"], 2.0, 1.0),
    )  # fmt: skip
    for category in ("clinic", "school"):
        expected = plain[:, (services["category"] == category).to_numpy()].min(axis=1) / 80
        rows = result.reach[result.reach["category"] == category]
        np.testing.assert_allclose(rows["minutes"].fillna(np.inf), expected, rtol=0, atol=1e-8)
        # the metres of that same path: no shorter than the shortest, no longer than so many minutes allow
        assert (rows["metres"].fillna(0) <= rows["minutes"].fillna(0) * 80 + 1e-6).all()


@few
@given(seed=seeds, k=st.integers(1, 5))
def test_k_nearest_are_the_k_least_of_all_pairs(seed, k):
    homes, services, streets = random_town(seed)
    result = cover(homes, services, streets, metres=250, k=k)
    plain = plain_distances(
        coordinates(homes), coordinates(services), [shapely.get_coordinates(g) for g in streets.geometry]
    )
    assert len(result.reach) == len(homes) * 2 * k
    for column, category in enumerate(("clinic", "school")):
        pairs = np.sort(plain[:, (services["category"] == category).to_numpy()], axis=1)
        expected = np.full((len(homes), k), np.inf)
        expected[:, : pairs.shape[1]] = pairs[:, :k]
        found = result.reach["metres"].fillna(np.inf).to_numpy().reshape(len(homes), 2, k)[:, column]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def extract(folder, count, seed):
    """Buildings, facilities and streets of a real extract; of the first two a sample."""
    from gridmap.io.read.readers import read_buildings, read_facilities, read_streets

    path = folder / "map.osm.pbf"
    buildings = read_buildings(path)
    homes = buildings.sample(count, random_state=seed).assign(households=10)
    homes = homes.set_geometry(homes.geometry.to_crs(CRS).representative_point())
    services = read_facilities(path).to_crs(CRS)
    services = services.set_geometry(services.geometry.representative_point())
    common = services["category"].value_counts().index[:3]
    services = services[services["category"].isin(common)].groupby("category").head(6)
    return homes[["building_id", "households", "geometry"]], services, read_streets(path).to_crs(CRS)


@pytest.mark.parametrize("name", ["beijing_tsinghua", "beijing_cau"])
def test_real_buildings_equal_plain_networkx(data_dir, name):
    homes, services, streets = extract(data_dir / name, 60, seed=3)
    result = cover(homes, services, StreetNetwork.from_streets(streets), metres=600)
    usable = streets[usable_streets(streets, "walk")]
    plain = plain_distances(
        coordinates(homes), coordinates(services), [shapely.get_coordinates(g) for g in usable.geometry],
        node_ids=usable["node_ids"].tolist(),
    )  # fmt: skip
    compared = 0
    for category, rows in result.reach.groupby("category"):
        expected = plain[:, (services["category"] == category).to_numpy()].min(axis=1)
        np.testing.assert_allclose(rows["metres"].fillna(np.inf), expected, rtol=0, atol=1e-6)
        compared += int(np.isfinite(expected).sum())
    assert compared > 100


@few
@given(seed=seeds, less=st.floats(0.5, 8), more=st.floats(0, 8))
def test_monotone_in_minutes(seed, less, more):
    homes, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets)
    near = cover(homes, services, network, minutes=less).covered
    far = cover(homes, services, network, minutes=less + more).covered
    assert (near <= far).all()


@few
@given(seed=seeds)
def test_adding_a_facility_never_lowers(seed):
    homes, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets)
    before = cover(homes, services.iloc[:-2], network, minutes=3)
    after = cover(homes, services, network, minutes=3)
    assert (before.covered <= after.covered).all()
    assert (after.rate()["covered"] >= before.rate()["covered"]).all()


@few
@given(seed=seeds)
def test_row_order_does_not_matter(seed):
    homes, services, streets = random_town(seed)
    # two facilities at one place: the tie goes to the lower id, not to the first row
    services.loc[2, "geometry"] = services.loc[0, "geometry"]
    rng = np.random.default_rng(seed)
    first = cover(homes, services, streets, minutes=3, k=2)
    mixed = cover(
        *(table.iloc[rng.permutation(len(table))] for table in (homes, services, streets)), minutes=3, k=2
    )  # fmt: skip
    order = ["building_id", "category", "rank"]
    assert_frame_equal(
        first.reach.sort_values(order, ignore_index=True), mixed.reach.sort_values(order, ignore_index=True), rtol=1e-12
    )
    assert_frame_equal(first.rate(by="community_id"), mixed.rate(by="community_id"))


def test_workers_do_not_change_the_result():
    homes, services, streets = random_town(5, buildings=60, facilities=20, categories=tuple("abcdef"))
    alone = cover(homes, services, streets, minutes=3)
    with ThreadPoolExecutor(2) as pool:
        together = cover(homes, services, streets, minutes=3, executor=pool)
    assert_frame_equal(alone.reach, together.reach)


@few
@given(seed=seeds, first=st.floats(0.5, 8), second=st.floats(0.5, 8), k=st.integers(1, 2))
def test_other_thresholds_without_another_search(seed, first, second, k):
    homes, services, streets = random_town(seed)
    network = StreetNetwork.from_streets(streets)
    one = cover(homes, services, network, minutes=first, k=k)
    afresh = cover(homes, services, network, minutes={"school": second}, k=k)
    again = one.with_thresholds(minutes={"school": second})
    assert_frame_equal(again.reach, afresh.reach)
    assert_frame_equal(again.rate(by="community_id"), afresh.rate(by="community_id"))
    assert one.with_thresholds(minutes=second).thresholds == {"clinic": second, "school": second}
    assert one.thresholds == {"clinic": first, "school": first}
    with pytest.raises(OptionError, match="searched by minutes"):
        one.with_thresholds(metres=300)
    with pytest.raises(OptionError, match="canteen"):
        one.with_thresholds(minutes={"canteen": 5})


def test_rates_gaps_and_maps_do_without_the_reach_table():
    homes, services, streets = random_town(4)
    result = cover(homes, services, streets, minutes=3)
    result.rate()
    result.gaps()
    result.completeness()
    explore(result)
    assert "reach" not in vars(result)


def test_reach_has_the_columns_of_the_design():
    homes, services, streets = random_town(1)
    result = cover(homes, services, streets)
    assert tuple(result.reach.columns) == COLUMNS
    assert result.thresholds == {"clinic": 15.0, "school": 15.0}
    assert result.reach["building_id"].tolist() == np.repeat(homes["building_id"], 2).tolist()
    assert set(result.reach["status"]) <= {"ok", "beyond", "unreachable", "unsnapped"}
    assert result.reach["covered"].equals(result.reach["status"] == "ok")


@few
@given(seed=seeds, k=st.integers(1, 4))
def test_straight_line_equals_all_pairs(seed, k):
    homes, services, _ = random_town(seed)
    services.loc[1, "geometry"] = services.loc[1, "geometry"].buffer(40)
    result = cover(homes, services, metres=100, how="straight", k=k)
    for column, category in enumerate(("clinic", "school")):
        shapes = services.geometry[services["category"] == category]
        pairs = np.sort([[home.distance(shape) for shape in shapes] for home in homes.geometry], axis=1)
        expected = np.full((len(homes), k), np.inf)
        expected[:, : pairs.shape[1]] = pairs[:, :k]
        found = result.reach["metres"].fillna(np.inf).to_numpy().reshape(len(homes), 2, k)[:, column]
        np.testing.assert_allclose(found, expected, atol=1e-9)
    finite = result.reach["metres"].notna()
    np.testing.assert_allclose(result.reach.loc[finite, "minutes"] * 80, result.reach.loc[finite, "metres"])


def test_a_mapping_sets_thresholds_and_names_what_it_leaves_out():
    homes, services, streets = random_town(2)
    result = cover(homes, services, streets, minutes={"clinic": 2, "canteen": 10})
    assert result.thresholds == {"clinic": 2.0, "canteen": 10.0}
    canteen = result.reach[result.reach["category"] == "canteen"]
    assert set(canteen["status"]) == {"unreachable"}
    assert not canteen["covered"].any()
    assert canteen["facility_id"].isna().all()
    rules = result.findings.set_index("rule")
    assert "canteen" in rules.loc["category_not_offered", "message"]
    assert rules.loc["category_not_asked", "ids"] == services["facility_id"][services["category"] == "school"].tolist()
    rate = result.rate()
    assert rate.loc[rate["category"] == "canteen", "rate"].tolist() == [0.0]
    assert "school" not in set(rate["category"])


def test_planned_facilities_cover_nobody():
    homes, services, streets = random_town(3)
    services["status"] = ["planned", "candidate", None, "existing", "Planned", "existing"]
    result = cover(homes, services, streets)
    assert set(result.reach["facility_id"].dropna()) <= {"f002", "f003", "f005"}
    row = result.findings.set_index("rule").loc["facilities_not_existing"]
    assert row["ids"] == ["f000", "f001", "f004"]
    assert result.rate()["facilities"].tolist() == [1, 2]


def test_findings_name_what_is_far_isolated_and_unreachable():
    line = shapely.linestrings
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * 3},
        geometry=[line([[0, 0], [1000, 0]]), line([[1000, 0], [9000, 0]]), line([[0, 500], [40, 500]])],
        crs=CRS,
    )
    streets.geometry = streets.geometry.translate(*ORIGIN)
    homes = gpd.GeoDataFrame(
        {
            "building_id": ["near", "far", "island"],
            "households": [5, 7, 9],
            "households_estimated": [True, False, False],
        },
        geometry=shapely.points(at([[10, 10], [20, 90], [10, 495]])),
        crs=CRS,
    )
    services = gpd.GeoDataFrame(
        {"facility_id": ["main", "lost", "away"], "category": ["clinic", "school", "school"]},
        geometry=shapely.points(at([[300, 5], [30, 505], [500, 200]])),
        crs=CRS,
    )
    result = cover(homes, services, streets)
    found = result.findings.set_index("rule")
    assert found.loc["buildings_far", "ids"] == ["far"]
    assert found.loc["buildings_isolated", "ids"] == ["island"]
    assert found.loc["facilities_isolated", "ids"] == ["lost"]
    assert found.loc["facilities_far", "ids"] == ["away"]
    assert found.loc["buildings_unreachable", "ids"] == ["island"]
    assert '"clinic": 1' in found.loc["buildings_unreachable", "certificate"]
    assert "5 households" in found.loc["households_estimated", "message"]
    assert "7 households" in found.loc["buildings_far", "message"]
    assert result.findings.crs == homes.crs
    status = result.reach.set_index(["building_id", "category"])["status"]
    assert status["island", "clinic"] == "unreachable"
    assert status["island", "school"] == "ok"


def test_no_leg_crosses_a_barrier():
    line = shapely.linestrings
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * 2},
        geometry=[line(at([[0, 0], [0, 400]])), line(at([[0, 400], [40, 400], [40, 0]]))],
        crs=CRS,
    )
    homes = gpd.GeoDataFrame(
        {"building_id": ["west"], "households": [4]}, geometry=[shapely.Point(at([10, 0]))], crs=CRS
    )
    clinic = gpd.GeoDataFrame(
        {"facility_id": ["east"], "category": ["clinic"]}, geometry=[shapely.Point(at([40, 0]))], crs=CRS
    )
    river = gpd.GeoDataFrame({"hard": [True]}, geometry=[line(at([[20, -900], [20, 300]]))], crs=CRS)
    assert cover(homes, clinic, streets).reach.loc[0, "metres"] == pytest.approx(30)
    assert cover(homes, clinic, streets, barriers=river).reach.loc[0, "metres"] == pytest.approx(10 + 400 + 40 + 400)


def test_two_measures_are_refused():
    homes, services, streets = random_town(1)
    with pytest.raises(OptionError, match="minutes and metres"):
        cover(homes, services, streets, minutes=15, metres=800)
    with pytest.raises(OptionError, match="metres and rules"):
        cover(homes, services, streets, metres=800, rules={"a": {"category": "clinic", "minutes": 15}})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"minutes": 0}, "above 0"),
        ({"minutes": -5}, "above 0"),
        ({"metres": float("nan")}, "above 0"),
        ({"minutes": "soon"}, "above 0"),
        ({"minutes": True}, "above 0"),
        ({"minutes": {}}, "empty mapping"),
        ({"minutes": {"clinic": "x"}}, "clinic"),
        ({"how": "drive"}, "how must be"),
        ({"k": 0}, "k must be"),
        ({"k": 1.5}, "k must be"),
    ],
)
def test_wrong_options_are_refused(options, words):
    homes, services, streets = random_town(1)
    with pytest.raises(OptionError, match=words):
        cover(homes, services, streets, **options)


def test_streets_are_needed_along_the_network_only():
    homes, services, _ = random_town(1)
    with pytest.raises(OptionError, match="how='straight'"):
        cover(homes, services)
    assert len(cover(homes, services, how="straight").reach) == 50


def test_tables_come_too_late_for_a_prepared_network():
    homes, services, streets = random_town(1)
    barriers = gpd.GeoDataFrame({"hard": [True]}, geometry=[streets.geometry[0]], crs=CRS)
    with pytest.raises(OptionError, match="barriers come too late"):
        cover(homes, services, StreetNetwork.from_streets(streets), barriers=barriers)


def test_households_are_needed_and_the_remedy_is_named():
    homes, services, streets = random_town(1)
    with pytest.raises(TableError, match="estimate_households"):
        cover(homes.drop(columns="households"), services, streets)
    with pytest.raises(TableError, match="row 3: households"):
        cover(homes.assign(households=homes["households"].where(homes.index != 3, -1)), services, streets)


def test_other_crs_give_the_same_result():
    homes, services, streets = random_town(4)
    first = cover(homes, services, streets, metres=250)
    second = cover(homes.to_crs(4326), services.to_crs(4326), streets, metres=250)
    np.testing.assert_allclose(first.reach["metres"], second.reach["metres"], atol=1e-3)
    assert second.findings.crs is None or second.findings.crs == 4326


def test_summaries_are_short():
    homes, services, streets = random_town(1)
    services.loc[0, "category"] = "<b>clinic</b>"
    result = cover(homes, services, streets)
    assert "25 buildings" in repr(result)
    assert "15 min along streets" in repr(result)
    html = result._repr_html_()
    assert "&lt;b&gt;clinic" in html
    assert "<svg" in html
    assert len(html) < 8000


def test_no_category_at_all_is_an_empty_cover():
    homes, services, streets = random_town(1)
    result = cover(homes, services.assign(status="planned"), streets)
    assert len(result.reach) == len(result.rate()) == len(result.gaps()) == 0
    assert (result.completeness()["reached"] == 0).all()
    assert "0 categories" in repr(result)
    assert result._repr_html_().count("<tr>") == 1
