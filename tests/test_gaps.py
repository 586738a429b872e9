"""Gaps: uncovered households as areas, none lost, the worst first."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_towns import CRS, ORIGIN, at, random_town

from gridmap.coverage.counting.cover import cover

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None, derandomize=True)


@few
@given(seed=seeds)
def test_every_uncovered_household_is_in_one_gap(seed):
    homes, services, _ = random_town(seed)
    result = cover(homes, services, metres=60, how="straight")
    for by in (None, "community_id"):
        gaps = result.gaps(by=by)
        rate = result.rate(by=by)
        held = gaps.groupby("category")["households"].sum()
        for category, rows in rate.groupby("category"):
            assert held.get(category, 0) == pytest.approx((rows["total"] - rows["covered"]).sum())
        assert gaps["households"].is_monotonic_decreasing
        assert gaps["rank"].tolist() == list(range(1, len(gaps) + 1))
        assert gaps.is_valid.all()
    uncovered = result.reach[~result.reach["covered"]]
    for category, rows in uncovered.groupby("category"):
        points = homes[homes["building_id"].isin(rows["building_id"]) & (homes["households"] > 0)]
        land = gaps_of(result, category)
        assert points.intersects(land).all()


def gaps_of(result, category):
    gaps = result.gaps()
    return shapely.union_all(gaps.geometry[gaps["category"] == category].to_numpy())


def two_hamlets():
    """Ten homes in the west, three in the east, a clinic far from both, and one home nobody lives in."""
    west = [[i * 40, 0] for i in range(10)]
    east = [[3000 + i * 40, 0] for i in range(3)]
    homes = gpd.GeoDataFrame(
        {
            "building_id": [f"b{i:02d}" for i in range(14)],
            "households": [5] * 13 + [0],
            "side": ["w"] * 5 + ["v"] * 5 + ["e"] * 4,
        },
        geometry=shapely.points(np.array([*west, *east, [6000, 0]]) + ORIGIN),
        crs=CRS,
    )
    clinic = gpd.GeoDataFrame(
        {"facility_id": ["f"], "category": ["clinic"]}, geometry=[shapely.Point(at([1500, 0]))], crs=CRS
    )
    return cover(homes, clinic, metres=500, how="straight")


def test_gaps_are_spots_ranked_by_households():
    gaps = two_hamlets().gaps()
    assert gaps["households"].tolist() == [50, 15]
    assert gaps["buildings"].tolist() == [10, 3]
    assert gaps["metres_max"].tolist() == [1500, 1580]
    # the median household of the west: 25 of its 50 are no farther than the fifth home from the clinic
    assert gaps["metres"].tolist() == [1500 - 5 * 40, 1500 + 40]
    assert gaps.crs == CRS
    # a row of homes 360 m long, widened by about 60 m
    assert gaps.geometry.area.iloc[0] == pytest.approx(360 * 120 + np.pi * 60**2, rel=0.15)
    assert gaps.geometry.geom_type.tolist() == ["Polygon", "Polygon"]


def test_gaps_do_not_span_units():
    gaps = two_hamlets().gaps(by="side")
    assert gaps.set_index("unit_id")["households"].to_dict() == {"v": 25, "w": 25, "e": 15}


def test_without_gaps_the_table_is_empty_and_has_its_columns():
    homes, services, _ = random_town(1)
    gaps = cover(homes, services, metres=9000, how="straight").gaps()
    assert len(gaps) == 0
    assert {"rank", "category", "unit_id", "households", "metres", "geometry"} <= set(gaps.columns)
    assert gaps.crs == CRS


def test_a_category_nobody_offers_is_a_gap_without_distance():
    homes, services, _ = random_town(1)
    gaps = cover(homes, services, metres={"canteen": 500}, how="straight").gaps()
    assert gaps["households"].sum() == homes["households"].sum()
    assert gaps["metres"].isna().all()
    assert gaps["metres_max"].isna().all()


def test_row_order_does_not_matter():
    homes, services, _ = random_town(9, buildings=60)
    first = cover(homes, services, metres=60, how="straight").gaps()
    second = cover(homes.iloc[::-1], services.iloc[::-1], metres=60, how="straight").gaps()
    assert_frame_equal(first.drop(columns="geometry"), second.drop(columns="geometry"))
    assert first.geometry.area.tolist() == pytest.approx(second.geometry.area.tolist())
