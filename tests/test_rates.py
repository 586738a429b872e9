"""Rates and completeness by unit: households conserved, nothing left out, every kind of unit."""

from __future__ import annotations

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, ORIGIN, random_town

from gridmap.coverage.counting.cover import cover
from gridmap.errors import OptionError

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=30, deadline=None, derandomize=True)


def straight_cover(seed=1, metres=90, **options):
    homes, services, _ = random_town(seed, **options)
    return cover(homes, services, metres=metres, how="straight")


def squares(side=2, size=200.0, column="grid_id"):
    """Square units over the town, named so that their ids do not follow their rows."""
    names = [f"g{(i * 7 + 3) % (side * side)}" for i in range(side * side)]
    low = np.array([[i % side, i // side] for i in range(side * side)]) * size + ORIGIN - 50
    return gpd.GeoDataFrame({column: names}, geometry=shapely.box(*low.T, *(low + size).T), crs=CRS)


def plan_like(result, seed):
    """Something with an assignment: some buildings split between grids, some in none."""
    rng = np.random.default_rng(seed)
    rows = []
    for building in result.buildings.itertuples():
        if rng.random() < 0.1:
            continue
        parts = int(rng.integers(1, 4))
        shares = rng.multinomial(building.households, np.full(parts, 1 / parts))
        rows += [(building.building_id, f"u{i}", f"g{rng.integers(3)}", None, share) for i, share in enumerate(shares)]
    columns = ["building_id", "unit_id", "grid_id", "area_id", "households"]
    return SimpleNamespace(assignment=pd.DataFrame(rows, columns=columns))


@few
@given(seed=seeds)
def test_rates_add_up_whatever_the_units(seed):
    result = straight_cover(seed)
    whole = result.rate().set_index("category")
    series = pd.Series(np.random.default_rng(seed).choice(["x", "y"], 25), index=result.buildings["building_id"])
    for by in ("community_id", series, squares(), plan_like(result, seed)):
        rate = result.rate(by=by)
        outside = rate.attrs["outside"]["households"]
        for category, rows in rate.groupby("category"):
            assert rows["total"].sum() + outside == pytest.approx(whole.loc[category, "total"])
            assert rows["covered"].sum() <= whole.loc[category, "covered"] + 1e-9
            assert whole.loc[category, "covered"] <= rows["covered"].sum() + outside + 1e-9
        assert (rate["covered"] <= rate["total"] + 1e-9).all()
        known = rate["total"] > 0
        assert rate.loc[known, "rate"].between(0, 1).all()
        np.testing.assert_allclose(rate.loc[known, "rate"], rate.loc[known, "covered"] / rate.loc[known, "total"])
        assert rate.loc[~known, "rate"].isna().all()


@few
@given(seed=seeds)
def test_rate_of_a_plan_equals_counting_unit_by_unit(seed):
    result = straight_cover(seed)
    plan = plan_like(result, seed)
    rate = result.rate(by=plan).set_index(["unit_id", "category"])
    covered = result.reach.set_index(["building_id", "category"])["covered"]
    for (grid, category), row in rate.iterrows():
        parts = plan.assignment[plan.assignment["grid_id"] == grid]
        assert row["total"] == pytest.approx(parts["households"].sum())
        reached = [covered[building, category] for building in parts["building_id"]]
        assert row["covered"] == pytest.approx((parts["households"] * reached).sum())


def test_a_unit_with_nothing_covered_shows_zero():
    result = straight_cover(metres=1)
    rate = result.rate(by="community_id")
    assert len(rate) == 6
    assert (rate["rate"] == 0).all()
    assert (rate["covered"] == 0).all()


def test_a_unit_without_households_shows_nan_and_is_a_row():
    result = straight_cover()
    units = pd.concat(
        [squares(), gpd.GeoDataFrame({"grid_id": ["empty"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=CRS)],
        ignore_index=True,
    )
    rate = result.rate(by=units).set_index("unit_id")
    assert rate.loc["empty", "rate"].isna().all()
    assert (rate.loc["empty", "total"] == 0).all()


def test_units_come_in_order_of_their_ids_whatever_the_rows():
    result = straight_cover()
    units = squares()
    rate = result.rate(by=units)
    assert rate["unit_id"].drop_duplicates().tolist() == sorted(units["grid_id"])
    assert_frame_equal(rate, result.rate(by=units.iloc[::-1]))


def test_overlapping_units_give_a_building_to_the_first_id():
    result = straight_cover()
    box = shapely.box(*(ORIGIN - 100), *(ORIGIN + 600))
    units = gpd.GeoDataFrame({"grid_id": ["b", "a"]}, geometry=[box, box], crs=CRS)
    rate = result.rate(by=units).set_index("unit_id")
    assert rate.loc["a", "total"].unique() == [result.buildings["households"].sum()]
    assert (rate.loc["b", "total"] == 0).all()


def test_the_parts_of_one_unit_may_stand_in_several_rows():
    result = straight_cover()
    units = squares()
    merged = units.assign(grid_id=["m", "m", "n", "n"])
    together = result.rate(by=merged).groupby("category")["total"].sum()
    assert together.tolist() == result.rate(by=units).groupby("category")["total"].sum().tolist()
    assert result.rate(by=merged)["unit_id"].nunique() == 2


def test_units_in_another_crs_and_without_an_id_column():
    result = straight_cover()
    units = squares()
    named = result.rate(by=units.set_index("grid_id").to_crs(4326))
    assert_frame_equal(named, result.rate(by=units))


def test_buildings_outside_all_units_are_counted():
    result = straight_cover()
    one = squares().iloc[[0]]
    rate = result.rate(by=one)
    inside = result.buildings.within(one.geometry.iloc[0])
    outside = rate.attrs["outside"]
    assert outside["buildings"] == (~inside).sum() > 0
    assert outside["households"] == result.buildings.loc[~inside, "households"].sum()
    assert outside["ids"] == result.buildings.loc[~inside, "building_id"].tolist()[:20]
    assert rate["total"].unique() == [result.buildings.loc[inside, "households"].sum()]


def test_facilities_are_counted_where_they_stand_apart_from_the_rate():
    result = straight_cover(metres=1)
    units = squares(side=2)
    rate = result.rate(by=units)
    expected = [
        int((result.facilities.within(shape) & (result.facilities["category"] == category)).sum())
        for shape in units.sort_values("grid_id").geometry
        for category in ("clinic", "school")
    ]
    assert rate["facilities"].tolist() == expected
    assert sum(expected) > 0
    assert result.rate()["facilities"].tolist() == [3, 3]
    assert result.rate(by="community_id")["facilities"].isna().all()


def test_another_weight_counts_and_empty_cells_are_told():
    homes, services, _ = random_town(6)
    homes["elderly"] = np.where(np.arange(25) < 5, np.nan, 2.0)
    result = cover(homes, services, metres=90, how="straight")
    rate = result.rate(weight="elderly")
    assert (rate["total"] == 40).all()
    assert rate.attrs["rows_without_count"] == 5
    assert rate.attrs["denominator"] == "elderly"


def test_the_denominator_says_how_much_is_estimated():
    homes, services, _ = random_town(6)
    homes["households_estimated"] = np.arange(25) < 12
    rate = cover(homes, services, metres=90, how="straight").rate()
    share = homes["households"][:12].sum() / homes["households"].sum()
    assert rate.attrs["denominator"] == f"households ({share:.0%} estimated)"


def test_split_building_without_households_keeps_its_other_counts():
    homes, services, _ = random_town(6)
    homes["households"] = 0
    homes["residents"] = 10
    result = cover(homes, services, metres=90, how="straight")
    table = pd.DataFrame({"building_id": np.repeat(homes["building_id"], 2), "grid_id": ["a", "b"] * 25})
    rate = result.rate(by=SimpleNamespace(assignment=table.assign(households=0)), weight="residents")
    assert (rate["total"] == 125).all()


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("street", "no column of buildings"),
        (17, "must be a GridPlan"),
        (pd.Series(["x", "y"], index=["b000", "b000"]), "more than once"),
        (pd.Series(["x"], index=["elsewhere"]), "no building of this cover"),
        (gpd.GeoDataFrame({"grid_id": ["p"]}, geometry=[shapely.Point(0, 0)], crs=CRS), "other geometries"),
        (gpd.GeoDataFrame({"grid_id": [None]}, geometry=[shapely.box(0, 0, 1, 1)], crs=CRS), "without grid_id"),
    ],
)
def test_units_that_cannot_be_are_refused(by, words):
    with pytest.raises(OptionError, match=words):
        straight_cover().rate(by=by)


@pytest.mark.parametrize("weight", ["residents", "community_id"])
def test_weights_that_cannot_be_are_refused(weight):
    with pytest.raises(OptionError, match="no column of numbers"):
        straight_cover().rate(weight=weight)


@few
@given(seed=seeds)
def test_completeness_counts_categories(seed):
    result = straight_cover(seed, categories=("clinic", "school", "canteen"))
    table = result.completeness()
    counted = result.reach.groupby("building_id")["covered"].sum()
    assert table.set_index("building_id")["reached"].to_dict() == counted.to_dict()
    by_unit = result.completeness(by="community_id").set_index("unit_id")
    for unit, homes in result.buildings.groupby("community_id"):
        reached = homes["building_id"].map(counted)
        row = by_unit.loc[unit]
        assert row["total"] == homes["households"].sum()
        for number in range(4):
            assert row[f"reach_{number}"] == homes["households"][reached == number].sum()
        assert row["all"] == row["reach_3"]
        if row["total"] > 0:
            assert row["mean"] == pytest.approx((homes["households"] * reached).sum() / row["total"])
            assert row["all_rate"] == pytest.approx(row["all"] / row["total"])
