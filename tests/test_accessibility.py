"""Access beyond yes or no: against the definitions written out pair by pair, PySAL's access, and what must add up."""

from __future__ import annotations

import doctest
import math
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, at, coordinates, plain_distances, random_town

import gridmap.coverage.access.accessibility
from gridmap.coverage.access.accessibility import METHODS, accessibility
from gridmap.coverage.access.decay import DECAYS
from gridmap.coverage.counting.cover import cover
from gridmap.coverage.counting.unit_means import mean_by_unit
from gridmap.errors import OptionError, TableError

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=12, deadline=None, derandomize=True)
LIMIT = 250.0


def town(seed=1, **options):
    homes, services, streets = random_town(seed, **options)
    services["capacity"] = np.random.default_rng(seed).integers(0, 100, len(services)).astype(float)
    return homes, services, streets


def slow_decay(name, metres, limit):
    """The weight of one facility at some metres, by the papers' words."""
    if name is None:
        return 1.0
    if name == "zones":
        return 1.0 if metres <= limit / 3 else 0.68 if metres <= limit * 2 / 3 else 0.22
    if name == "gaussian":
        return (math.exp(-((metres / limit) ** 2) / 2) - math.exp(-1 / 2)) / (1 - math.exp(-1 / 2))
    if name == "exponential":
        return math.exp(math.log(0.01) * metres / limit)
    if name == "power":
        return 1.0 if metres <= limit / 10 else (limit / 10 / metres) ** 2
    return 1 - metres / limit


def slow_access(method, metres, capacity, households, limit, decay):
    """The value of each home by loops over pairs; `metres` is (homes, facilities)."""
    homes, places = metres.shape
    near = [[j for j in range(places) if metres[i, j] <= limit] for i in range(homes)]
    weight = [{j: slow_decay(decay, metres[i, j], limit) for j in near[i]} for i in range(homes)]
    if method in ("cumulative", "gravity"):
        return [sum(weight[i].values()) for i in range(homes)]
    if method == "3sfca":
        for i in range(homes):
            whole = sum(weight[i].values())
            weight[i] = {j: w * w / whole for j, w in weight[i].items() if w > 0}
    asked = [sum(weight[i].get(j, 0) * households[i] for i in range(homes)) for j in range(places)]
    ratio = [capacity[j] / asked[j] if asked[j] > 0 else 0 for j in range(places)]
    return [sum(w * ratio[j] for j, w in weight[i].items()) for i in range(homes)]


@few
@given(seed=seeds, method=st.sampled_from(sorted(METHODS)))
def test_values_are_those_of_the_definition_on_networkx_distances(seed, method):
    homes, services, streets = town(seed, categories=("clinic",))
    lines = [np.asarray(line.coords) for line in streets.geometry]
    metres = plain_distances(coordinates(homes), coordinates(services), lines)
    decay = METHODS[method].decay
    expected = slow_access(method, metres, services["capacity"], homes["households"], LIMIT, decay)
    table = accessibility(homes, services, streets, method=method, metres=LIMIT, per=1)
    np.testing.assert_allclose(table["value"], expected, rtol=1e-9, atol=1e-12)
    assert table["facilities"].tolist() == (metres <= LIMIT).sum(axis=1).tolist()


@few
@given(seed=seeds, decay=st.sampled_from(sorted(DECAYS)))
def test_decays_are_those_of_the_papers(seed, decay):
    homes, services, streets = town(seed, categories=("clinic",), buildings=8)
    lines = [np.asarray(line.coords) for line in streets.geometry]
    metres = plain_distances(coordinates(homes), coordinates(services), lines)
    expected = slow_access("gravity", metres, None, None, LIMIT, decay)
    table = accessibility(homes, services, streets, method="gravity", decay=decay, metres=LIMIT)
    np.testing.assert_allclose(table["value"], expected, rtol=1e-7, atol=1e-9)


@few
@given(seed=seeds, method=st.sampled_from([name for name, method in METHODS.items() if method.shared]))
def test_what_is_shared_out_is_what_is_offered(seed, method):
    homes, services, streets = town(seed)
    table = accessibility(homes, services, streets, method=method, minutes={"clinic": 3, "school": 5})
    total = table.merge(homes, on="building_id").eval("value / 1000 * households").groupby(table["category"]).sum()
    for category, supply in table.attrs["supply"].items():
        assert total[category] == pytest.approx(supply["reached"])
        of = services[services["category"] == category]
        lost = of[of["facility_id"].isin(supply["unreached"])]
        assert supply["offered"] == of["capacity"].sum()
        assert supply["reached"] == pytest.approx(of["capacity"].sum() - lost["capacity"].sum())
    # and so does the mean of everybody: places over people
    mean = mean_by_unit(table, homes).set_index("category")
    for category, supply in table.attrs["supply"].items():
        assert mean.loc[category, "value"] == pytest.approx(1000 * supply["reached"] / homes["households"].sum())


@few
@given(seed=seeds)
def test_who_reaches_anything_is_who_is_covered(seed):
    homes, services, streets = town(seed)
    reach = cover(homes, services, streets, minutes=3).reach
    table = accessibility(homes, services, streets, method="cumulative", minutes=3)
    assert table["building_id"].tolist() == reach["building_id"].tolist()
    assert table["category"].tolist() == reach["category"].tolist()
    assert ((table["value"] > 0) == reach["covered"]).all()


@few
@given(seed=seeds)
def test_cumulative_opportunities_grow_with_the_threshold_and_with_facilities(seed):
    homes, services, streets = town(seed)

    def value(places, metres):
        return accessibility(homes, places, streets, method="cumulative", capacity="capacity", metres=metres)["value"]

    limits = {"clinic": 200, "school": 200}
    assert (value(services, 150) <= value(services, 300)).all()
    assert (value(services.iloc[:-2], limits) <= value(services, limits)).all()


@pytest.mark.parametrize("method", METHODS)
def test_neither_the_order_of_rows_nor_workers_change_a_digit(method):
    homes, services, streets = town(3, buildings=60, facilities=14)
    homes["households"] += np.random.default_rng(1).random(len(homes))
    plain = accessibility(homes, services, streets, method=method, metres=LIMIT)
    with ThreadPoolExecutor(2) as pool:
        other = accessibility(
            homes.iloc[::-1],
            services.sample(frac=1, random_state=1),
            streets,
            method=method,
            metres=LIMIT,
            executor=pool,
        )
    keys = ["building_id", "category"]
    assert_frame_equal(
        plain.sort_values(keys, ignore_index=True), other.sort_values(keys, ignore_index=True), check_exact=True
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # what access calls pandas ends
def test_values_equal_those_of_pysal():
    access = pytest.importorskip("access")

    homes, services, streets = town(5, buildings=40, facilities=9, categories=("clinic",))
    homes["households"] += 1
    lines = [np.asarray(line.coords) for line in streets.geometry]
    metres = plain_distances(coordinates(homes), coordinates(services), lines)
    home, place = np.nonzero(metres <= LIMIT)
    cost = pd.DataFrame(
        {
            "origin": homes["building_id"].to_numpy()[home],
            "dest": services["facility_id"].to_numpy()[place],
            "cost": metres[home, place],
        }
    )
    peer = access.Access(
        demand_df=homes[["building_id", "households"]].rename(columns={"building_id": "geoid"}),
        demand_index="geoid",
        demand_value="households",
        supply_df=services[["facility_id", "capacity"]].rename(columns={"facility_id": "geoid"}),
        supply_index="geoid",
        supply_value="capacity",
        cost_df=cost,
        cost_origin="origin",
        cost_dest="dest",
        cost_name="cost",
    )
    zones = access.weights.step_fn({LIMIT / 3: 1, LIMIT * 2 / 3: 0.68, LIMIT: 0.22})
    theirs = {
        "cumulative": peer.weighted_catchment(name="all", max_cost=LIMIT),
        "2sfca": peer.two_stage_fca(name="two", max_cost=LIMIT),
        "e2sfca": peer.enhanced_two_stage_fca(name="enhanced", max_cost=LIMIT, weight_fn=zones),
        "3sfca": peer.three_stage_fca(name="three", max_cost=LIMIT, weight_fn=zones),
    }
    for method, table in theirs.items():
        ours = accessibility(homes, services, streets, method=method, capacity="capacity", metres=LIMIT, per=1)
        other = table.iloc[:, 0].reindex(homes["building_id"]).fillna(0)
        np.testing.assert_allclose(ours["value"], other, rtol=1e-9)
        assert (ours["value"] > 0).sum() > 20


def test_decays_may_be_functions_zones_or_one_a_category():
    homes, services, streets = town(2)
    options = {"method": "gravity", "metres": LIMIT}

    def value(decay):
        return accessibility(homes, services, streets, decay=decay, **options).set_index("category")["value"]

    half = value([(LIMIT / 2, 1.0)])
    near = accessibility(homes, services, streets, method="cumulative", metres=LIMIT / 2).set_index("category")["value"]
    assert half.tolist() == near.tolist()
    np.testing.assert_allclose(value(lambda metres: 1 - metres / LIMIT), value("linear"), atol=1e-12)
    mixed = value({"clinic": "linear", "school": "power"})
    assert mixed["clinic"].tolist() == value("linear")["clinic"].tolist()
    assert mixed["school"].tolist() == value("power")["school"].tolist()


def test_a_facility_that_only_empty_buildings_reach_serves_nobody_and_is_named():
    street = gpd.GeoDataFrame(geometry=[shapely.LineString(at([[0, 0], [1000, 0]]))], crs=CRS)
    homes = gpd.GeoDataFrame(
        {"building_id": ["a", "b"], "households": [10, 0]},
        geometry=shapely.points(at([[0, 5], [1000, 5]])),
        crs=CRS,
    )
    services = gpd.GeoDataFrame(
        {"facility_id": ["f", "g", "h"], "category": "clinic", "capacity": [5, 7, 9]},
        geometry=shapely.points(at([[10, 5], [990, 5], [500, 5]])),
        crs=CRS,
    )
    table = accessibility(homes, services, street, metres=100)
    assert table["value"].tolist() == [500.0, 0.0]
    assert table["facilities"].tolist() == [1, 1]
    assert table.attrs["supply"] == {"clinic": {"offered": 21.0, "reached": 5.0, "unreached": ["g", "h"]}}
    assert table.attrs["meaning"] == "capacity per 1,000 households of all who have it within 100 metres"


def test_what_lies_just_at_the_threshold_is_reached():
    street = gpd.GeoDataFrame(geometry=[shapely.LineString(at([[0, 0], [1000, 0]]))], crs=CRS)
    home = gpd.GeoDataFrame({"building_id": ["a"], "households": [10]}, geometry=shapely.points(at([[0, 0]])), crs=CRS)
    places = shapely.points(at([[256, 0], [257, 0]]))
    services = gpd.GeoDataFrame({"facility_id": ["f", "g"], "category": "clinic"}, geometry=places, crs=CRS)
    table = accessibility(home, services, street, method="cumulative", metres=256)
    assert table["value"].tolist() == [1]


def test_planned_facilities_and_other_categories_do_not_count_and_findings_say_so():
    homes, services, streets = town(4)
    services["status"] = ["planned", *["existing"] * 5]
    table = accessibility(homes, services, streets, metres={"clinic": LIMIT, "bank": LIMIT})
    bare = accessibility(homes, services[services["category"] == "clinic"].iloc[1:], streets, metres=LIMIT)
    assert table.loc[table["category"] == "clinic", "value"].tolist() == bare["value"].tolist()
    assert (table.loc[table["category"] == "bank", "value"] == 0).all()
    rules = set(table.attrs["findings"]["rule"])
    assert {"facilities_not_existing", "category_not_offered", "category_not_asked"} <= rules


def test_missing_capacities_are_named_or_filled():
    homes, services, streets = town(4)
    services.loc[2, "capacity"] = np.nan
    with pytest.raises(
        OptionError, match=r"capacity is missing for 1 of 6 facilities \(clinic\): f002.*default_capacity"
    ):
        accessibility(homes, services, streets)
    filled = accessibility(homes, services, streets, default_capacity={"clinic": 30})
    assert_frame_equal(filled, accessibility(homes, services.fillna({"capacity": 30}), streets))
    # what is not asked for may lack it
    only = accessibility(homes, services, streets, minutes={"school": 15})
    assert only["category"].unique().tolist() == ["school"]
    ones = accessibility(homes, services, streets, capacity=1)
    assert_frame_equal(ones, accessibility(homes, services.assign(capacity=1.0), streets))


def test_demand_may_be_another_count():
    homes, services, streets = town(4)
    homes["elderly"] = np.arange(len(homes)) % 4
    table = accessibility(homes.drop(columns="households"), services, streets, weight="elderly")
    other = accessibility(homes.assign(households=homes["elderly"]), services, streets)
    assert table["value"].tolist() == other["value"].tolist()
    assert table.attrs["demand"] == "elderly"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "huff"}, "unknown"),
        ({"method": "cumulative", "decay": "linear"}, "'gravity'"),
        ({"method": "2sfca", "decay": "linear"}, "'e2sfca'"),
        ({"method": "gravity", "decay": "steep"}, "'steep' is unknown"),
        ({"method": "gravity", "decay": [(10, 1), (5, 0.5)]}, "rising limits"),
        ({"method": "gravity", "decay": {"clinic": "linear"}}, "'school'"),
        ({"method": "gravity", "decay": lambda d: d[:1]}, "one finite weight"),
        ({"method": "gravity", "decay": lambda d: d - 1e6}, "one finite weight"),
        ({"minutes": 5, "metres": 400}, "at most one"),
        ({"capacity": "places"}, "'places' is no column"),
        ({"capacity": 0}, "above 0"),
        ({"per": 0}, "above 0"),
        ({"capacity": 2, "default_capacity": 3}, "empty cells of a column"),
        ({"weight": "children"}, "'children'"),
    ],
)
def test_options_that_contradict_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        accessibility(*town(1), **options)


def test_demand_by_households_needs_them():
    homes, services, streets = town(1)
    with pytest.raises(TableError, match="estimate_households"):
        accessibility(homes.drop(columns="households"), services, streets)


def test_examples():
    failed, tried = doctest.testmod(gridmap.coverage.access.accessibility)
    assert (failed, tried > 0) == (0, True)
