"""Provision and means by unit: amounts and people conserved, the denominator named, nothing missing unsaid."""

from __future__ import annotations

import doctest

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import random_town
from test_rates import plan_like, squares

import gridmap.coverage.access.provision
import gridmap.coverage.counting.unit_means
from gridmap.coverage.access.provision import provision
from gridmap.coverage.counting.cover import cover
from gridmap.coverage.counting.unit_means import mean_by_unit
from gridmap.errors import OptionError

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None, derandomize=True)


def town(seed=1):
    homes, services, _ = random_town(seed, facilities=12)
    rng = np.random.default_rng(seed)
    homes["residents"] = homes["households"] * 3
    services["capacity"] = rng.integers(0, 100, len(services)).astype(float)
    services["status"] = rng.choice(["existing", "existing", "planned", None], len(services))
    return homes, services


@few
@given(seed=seeds)
def test_provision_is_what_stands_in_a_unit_over_who_lives_there(seed):
    homes, services = town(seed)
    units = squares()
    table = provision(homes, services, units, amount="capacity").set_index(["unit_id", "category"])
    exists = services["status"] != "planned"
    for unit in units.itertuples():
        lives = homes.loc[homes.within(unit.geometry), "residents"].sum()
        for category in services.loc[exists, "category"].unique():
            here = services[exists & services.within(unit.geometry) & (services["category"] == category)]
            row = table.loc[unit.grid_id, category]
            assert (row["total"], row["facilities"], row["amount"]) == (lives, len(here), here["capacity"].sum())
            if lives:
                assert row["per_1000"] == pytest.approx(here["capacity"].sum() / lives * 1000)
            else:
                assert np.isnan(row["per_1000"])


@few
@given(seed=seeds)
def test_what_stands_in_units_and_outside_adds_up(seed):
    homes, services = town(seed)
    exists = services["status"] != "planned"
    for by in (None, squares(side=1), squares().iloc[[0, 2]]):
        table = provision(homes, services, by, amount="capacity")
        outside = table.attrs["outside"]
        assert table["facilities"].sum() + outside["facilities"] == exists.sum()
        assert table["amount"].sum() + outside["amount"] == services.loc[exists, "capacity"].sum()
        assert table.groupby("category")["total"].sum().iloc[0] + outside["residents"] == homes["residents"].sum()


def test_facilities_are_counted_where_no_amount_is_named():
    homes, services = town()
    table = provision(homes, services, weight="households")
    assert (table["amount"] == table["facilities"]).all()
    assert table.attrs["unit"] == "facilities"
    assert table.attrs["denominator"] == "households"
    estimated = homes.assign(households_estimated=True)
    assert provision(estimated, services, weight="households").attrs["denominator"] == "households (100% estimated)"


def test_a_unit_without_a_facility_shows_zero():
    homes, services = town()
    west = services[services.within(squares().geometry.iloc[0])]
    table = provision(homes, west, squares())
    elsewhere = table["unit_id"] != squares()["grid_id"].iloc[0]
    assert (table.loc[elsewhere & (table["total"] > 0), "per_1000"] == 0).all()
    assert elsewhere.sum() == 3 * west["category"].nunique()


def test_a_missing_amount_is_named_or_filled():
    homes, services = town()
    services["status"] = "existing"
    services.loc[3, "capacity"] = np.nan
    with pytest.raises(
        OptionError, match=r"capacity is missing for 1 of 12 facilities \(school\): f003.*default_amount"
    ):
        provision(homes, services, amount="capacity")
    filled = provision(homes, services, amount="capacity", default_amount={"school": 50})
    assert_frame_equal(filled, provision(homes, services.fillna({"capacity": 50}), amount="capacity"))
    with pytest.raises(OptionError, match="capacity is missing"):
        provision(homes, services, amount="capacity", default_amount={"clinic": 50})
    with pytest.raises(OptionError, match="'floor_area_m2' is no column of numbers"):
        provision(homes, services, amount="floor_area_m2")
    with pytest.raises(OptionError, match="default_amount must be a number"):
        provision(homes, services, amount="capacity", default_amount={"school": "many"})
    services.loc[3, "status"] = "planned"
    assert provision(homes, services, amount="capacity")["facilities"].sum() == 11


def test_units_without_a_place_are_refused():
    homes, services = town()
    series = pd.Series("x", index=homes["building_id"])
    with pytest.raises(OptionError, match="without a place"):
        provision(homes, services, series)


def test_the_order_of_rows_does_not_count():
    homes, services = town()
    services["capacity"] += np.random.default_rng(1).random(len(services))
    again = provision(
        homes.iloc[::-1], services.sample(frac=1, random_state=2), squares().iloc[::-1], amount="capacity"
    )
    assert_frame_equal(again, provision(homes, services, squares(), amount="capacity"), check_exact=True)


@few
@given(seed=seeds)
def test_means_are_those_of_the_people_of_each_unit(seed):
    homes, _ = town(seed)
    rng = np.random.default_rng(seed)
    long = pd.DataFrame(
        {"building_id": np.repeat(homes["building_id"], 2), "category": ["a", "b"] * len(homes)}
    ).assign(value=rng.random(2 * len(homes)))
    long.loc[rng.random(len(long)) < 0.1, "value"] = np.nan
    plan = plan_like(cover(homes, town(seed)[1], metres=90, how="straight"), seed)
    table = mean_by_unit(long.sample(frac=1, random_state=1), homes, plan).set_index(["unit_id", "category"])
    value = long.set_index(["building_id", "category"])["value"]
    for (grid, category), row in table.iterrows():
        parts = plan.assignment[plan.assignment["grid_id"] == grid]
        each = np.array([value[building, category] for building in parts["building_id"]])
        weight = parts["households"].to_numpy() * ~np.isnan(each)
        assert row["total"] == pytest.approx(parts["households"].sum())
        assert row["known"] == pytest.approx(weight.sum())
        if weight.sum():
            assert row["value"] == pytest.approx((weight * np.nan_to_num(each)).sum() / weight.sum())
        else:
            assert np.isnan(row["value"])


def test_the_mean_way_to_the_nearest_comes_from_the_reach_table():
    homes, services = town()
    result = cover(homes, services, metres=500, how="straight", k=2)
    mean = mean_by_unit(result.reach, homes, "community_id", value="metres")
    first = result.reach[(result.reach["rank"] == 1) & (result.reach["category"] == "clinic")]
    joined = homes.merge(first, on="building_id")
    for row in mean[mean["category"] == "clinic"].itertuples():
        here = joined[joined["community_id"] == row.unit_id]
        assert row.value == pytest.approx(np.average(here["metres"], weights=here["households"]))
    assert mean.attrs["denominator"] == "households"


def test_values_that_do_not_fit_the_buildings_are_refused():
    homes, _ = town()
    long = pd.DataFrame({"building_id": homes["building_id"], "category": "a", "value": 1.0})
    with pytest.raises(OptionError, match="twice"):
        mean_by_unit(pd.concat([long, long]), homes)
    with pytest.raises(OptionError, match="1 buildings that buildings does not hold, 'b000'"):
        mean_by_unit(long, homes.iloc[1:])
    with pytest.raises(OptionError, match="no column 'metres'"):
        mean_by_unit(long, homes, value="metres")


def test_people_outside_all_units_are_named():
    homes, _ = town()
    long = pd.DataFrame({"building_id": homes["building_id"], "category": "a", "value": 1.0})
    one = squares().iloc[[0]]
    mean = mean_by_unit(long, homes, one)
    inside = homes.within(one.geometry.iloc[0])
    assert isinstance(one, gpd.GeoDataFrame)
    assert mean.attrs["outside"]["households"] == homes.loc[~inside, "households"].sum()
    assert mean["total"].tolist() == [homes.loc[inside, "households"].sum()]


@pytest.mark.parametrize("module", [gridmap.coverage.access.provision, gridmap.coverage.counting.unit_means])
def test_examples(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
