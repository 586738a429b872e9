"""Household estimates: each rule by hand, what is kept, what is said."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from gridmap.errors import OptionError, TableError
from gridmap.tables.households.estimate import estimate_households
from gridmap.tables.households.uses import BY_USE, NON_RESIDENTIAL

CRS = 32650
X, Y = 500_000.0, 4_400_000.0


def building(area=1100.0, *, point=False, **columns) -> gpd.GeoDataFrame:
    side = area**0.5
    shape = Point(X, Y) if point else box(X, Y, X + side, Y + side)
    data = {"building_id": ["b"], **{name: [value] for name, value in columns.items()}}
    return gpd.GeoDataFrame(data, geometry=[shape], crs=CRS)


@pytest.mark.parametrize(
    ("columns", "households", "rule"),
    [
        ({}, 30, "floor_area"),  # 1100 m2 x 3 floors / 110 m2
        ({"floors": 6}, 60, "floor_area"),
        ({"floors": 0}, 30, "floor_area"),  # no floors said
        ({"use": "apartments"}, 60, "floor_area"),
        ({"use": "apartments", "floors": 10}, 100, "floor_area"),
        ({"use": "house"}, 15, "floor_area"),  # 1100 x 2 / 150 = 14.7
        ({"use": "普通住宅"}, 60, "floor_area"),
        ({"use": "yes"}, 30, "floor_area"),
        ({"use": "house;shop"}, 15, "floor_area"),
        ({"use": "School"}, 0, "non_residential"),
        ({"use": "school;house"}, 0, "non_residential"),
        ({"use": "办公楼"}, 0, "non_residential"),
        ({"use": "商住"}, 30, "floor_area"),
        ({"use": "商业住宅"}, 60, "floor_area"),
        ({"dwellings": 44, "floors": 6}, 44, "dwellings"),
        ({"dwellings": 44, "use": "office"}, 0, "non_residential"),
        ({"area": 20.0}, 0, "small_footprint"),
        ({"area": 26.0, "floors": 1}, 1, "floor_area"),
        ({"point": True, "floors": 6}, 12, "floors_of_a_point"),
        ({"point": True, "dwellings": 7}, 7, "dwellings"),
        ({"point": True}, 0, "unknown_point"),
    ],
)
def test_each_rule(columns, households, rule):
    done = estimate_households(building(**columns))
    assert done["households"].tolist() == [households]
    assert done["households_estimated"].tolist() == [True]
    rows = done.attrs["assumptions"]["rows"]
    assert {name for name, count in rows.items() if count} == {rule}


def test_arguments_are_assumptions_and_kept():
    done = estimate_households(
        building(use="loft"), floor_area_per_household=55, default_floors=2, by_use={"loft": {"floors": 4}}
    )
    assert done["households"].tolist() == [80]
    told = done.attrs["assumptions"]
    assert (told["floor_area_per_household"], told["default_floors"]) == (55, 2)
    assert told["by_use"]["loft"] == {"floors": 4}
    assert told["by_use"]["apartments"] == dict(BY_USE["apartments"])
    assert estimate_households(building(use="office"), non_residential=["shop"])["households"].tolist() == [30]
    assert estimate_households(building(area=20), minimum_footprint=0)["households"].tolist() == [1]


def test_counts_are_kept_unless_overwritten():
    table = gpd.GeoDataFrame(
        {"building_id": ["a", "b", "c"], "households": [7.0, np.nan, 0.0]},
        geometry=[box(X + i * 50, Y, X + i * 50 + 20, Y + 55) for i in range(3)],
        crs=CRS,
    )
    before = table.copy()
    done = estimate_households(table)
    assert done["households"].tolist() == [7, 30, 0]
    assert done["households_estimated"].tolist() == [False, True, False]
    assert done.attrs["assumptions"]["kept"] == 2
    assert done.attrs["assumptions"]["estimated_households"] == 30
    again = estimate_households(table, overwrite=True)
    assert again["households"].tolist() == [30, 30, 30]
    assert again["households_estimated"].all()
    assert table.equals(before)
    # a second call finds all rows filled
    assert not estimate_households(done)["households_estimated"].any()


def test_area_is_true_whatever_the_crs():
    table = building()
    for crs in (4326, 3857, 4490):
        assert estimate_households(table.to_crs(crs))["households"].tolist() == [30]


def test_what_is_unknown_is_told():
    tables = [building(point=True, use=None), building(use="spaceport", point=False)]
    told = estimate_households(tables[0]).attrs["assumptions"]
    assert told["unknown_points"] == {"count": 1, "ids": ["b"]}
    told = estimate_households(tables[1]).attrs["assumptions"]
    assert told["unrecognised_uses"] == {"spaceport": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"floor_area_per_household": 0}, "floor_area_per_household=0"),
        ({"default_floors": float("nan")}, "default_floors"),
        ({"minimum_footprint": -1}, "minimum_footprint=-1"),
        ({"by_use": {"x": {"storeys": 3}}}, "storeys; known are floors, floor_area"),
        ({"by_use": {"x": {"floors": 0}}}, r"by_use\['x'\]\['floors'\]=0"),
    ],
)
def test_bad_assumptions_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        estimate_households(building(), **options)


def test_negative_households_are_refused():
    with pytest.raises(TableError, match="households = -1"):
        estimate_households(building(households=-1))


def test_no_use_is_both_lived_in_and_not():
    assert not set(BY_USE) & NON_RESIDENTIAL
    assert not any(word in use for word in NON_RESIDENTIAL if not word.isascii() for use in BY_USE)


@settings(max_examples=40, deadline=None)
@given(
    areas=st.lists(st.floats(30, 5000), min_size=1, max_size=8),
    floors=st.integers(1, 40),
)
def test_more_floors_never_mean_fewer_households(areas, floors):
    shapes = [box(X + 100 * i, Y, X + 100 * i + a**0.5, Y + a**0.5) for i, a in enumerate(areas)]
    table = gpd.GeoDataFrame({"building_id": [str(i) for i in range(len(areas))]}, geometry=shapes, crs=CRS)
    fewer = estimate_households(table.assign(floors=floors))["households"]
    more = estimate_households(table.assign(floors=floors + 1))["households"]
    assert (more >= fewer).all()
    assert (fewer >= 1).all()
    assert (fewer == np.floor(fewer)).all()
