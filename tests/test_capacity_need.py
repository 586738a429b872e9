"""Places needed: counted again unit by unit in plain Python, nothing lost, growth compounded, options refused."""

from __future__ import annotations

import doctest
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import Point
from small_towns import CRS, random_town
from test_rates import squares

import gridmap as gm
import gridmap.siting.capacity.need
from gridmap.errors import OptionError

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None, derandomize=True)


def town(seed=1):
    homes, services, _ = random_town(seed, facilities=14)
    rng = np.random.default_rng(seed)
    homes["children"] = homes["households"] // 3
    homes["rate"] = rng.uniform(-0.1, 0.1, len(homes))
    services["capacity"] = rng.integers(0, 100, len(services)).astype(float)
    services["status"] = rng.choice(["existing", "planned", "candidate", None], len(services))
    services["public"] = rng.random(len(services)) < 0.8
    return homes, services


@few
@given(seed=seeds, share=st.sampled_from([0.0, 0.35, 1.0, 1.2]), growth=st.sampled_from([0.0, 0.03, -0.2, "rate"]))
def test_needs_and_places_are_those_of_counting_them_one_by_one(seed, share, growth):
    homes, services = town(seed)
    units, years = squares(), (2026, 2027, 2035)
    need = gm.capacity_need(
        homes, services, category="school", by=units, share=share, growth=growth, years=years
    ).set_index(["unit_id", "year"])
    assert len(need) == len(units) * 3
    own = services[(services["category"] == "school") & services["public"]]
    for unit in units.itertuples():
        here = own[own.within(unit.geometry)]
        present = here.loc[here["status"].isin(["existing"]) | here["status"].isna(), "capacity"].sum()
        planned = here.loc[here["status"] == "planned", "capacity"].sum()
        for year in years:
            people = sum(
                home.children * (1 + (home.rate if growth == "rate" else growth)) ** (year - 2026)
                for home in homes[homes.within(unit.geometry)].itertuples()
            )
            row = need.loc[(unit.grid_id, year)]
            assert row["people"] == pytest.approx(people)
            assert row["needed"] == math.ceil(round(people * share, 6) - 1e-6)
            assert (row["present"], row["planned"]) == (present, planned)
            assert row["shortfall"] == max(0, row["needed"] - present)
            assert row["shortfall_with_planned"] == max(0, row["needed"] - present - planned)


@few
@given(seed=seeds)
def test_people_and_places_add_up(seed):
    homes, services = town(seed)
    need = gm.capacity_need(homes, services, category="clinic", by=squares(), per_1000=700)
    outside = need.attrs["outside"]
    own = services[(services["category"] == "clinic") & services["public"]]
    stands = own["status"].isna() | (own["status"] == "existing")
    assert need["people"].sum() + outside["children"] == homes["children"].sum()
    assert need["present"].sum() + outside["present"] == own.loc[stands, "capacity"].sum()
    assert need["planned"].sum() + outside["planned"] == own.loc[own["status"] == "planned", "capacity"].sum()
    # each place is needed or spare, and each need met or lacking
    assert (need["needed"] - need["shortfall"] == need["present"] - need["spare"]).all()
    whole = gm.capacity_need(homes, services, category="clinic", per_1000=700)
    assert whole["needed"].item() == math.ceil(0.7 * homes["children"].sum() - 1e-6)
    assert whole["needed"].item() <= need["needed"].sum() + math.ceil(0.7 * outside["children"])
    other = gm.capacity_need(homes.iloc[::-1], services.iloc[::-1], category="clinic", by=squares(), share=0.7)
    assert_frame_equal(other, need)


def test_units_of_a_column_and_factors_by_year():
    homes, services = town()
    services["community_id"] = "c2"
    need = gm.capacity_need(
        homes,
        services,
        category="school",
        by="community_id",
        share=0.5,
        growth={2030: 1.5, 2040: 0},
        years=(2025, 2030, 2040),
    )
    people = need.pivot_table(index="unit_id", columns="year", values="people")
    np.testing.assert_allclose(people[2030], 1.5 * people[2025])
    assert (people[2040] == 0).all()
    assert need.loc[need["unit_id"] != "c2", "present"].eq(0).all()
    assert people[2025].sum() + need.attrs["outside"]["children"] == pytest.approx(homes["children"].sum())


def test_a_category_that_nobody_offers_lacks_all_places():
    homes, services = town()
    need = gm.capacity_need(homes, services, category="nursery", share=1)
    assert need["shortfall"].item() == homes["children"].sum()
    assert pd.isna(need["year"].item())
    assert need.attrs["findings"]["rule"].tolist() == ["category_not_offered"]


def test_whole_numbers_of_places_are_not_rounded_up_by_a_hair():
    homes = gpd.GeoDataFrame({"building_id": ["a"], "children": [1000]}, geometry=[Point(5e5, 0)], crs=CRS)
    _, services = town()
    # 1000 × 0.07 is 70.00000000000001 in floating point
    assert gm.capacity_need(homes, services, category="school", share=0.07)["needed"].item() == 70
    assert gm.capacity_need(homes, services, category="school", share=0.0701)["needed"].item() == 71


def test_an_empty_capacity_needs_a_default():
    homes, services = town()
    row = services.index[(services["category"] == "school") & services["public"]][0]
    services.loc[row, ["capacity", "status"]] = [np.nan, "planned"]
    with pytest.raises(OptionError, match=rf"capacity is missing for 1 .*{services.loc[row, 'facility_id']}"):
        gm.capacity_need(homes, services, category="school", share=1)
    filled = services.assign(capacity=services["capacity"].fillna(40))
    assert_frame_equal(
        gm.capacity_need(homes, services, category="school", share=1, default_capacity=40),
        gm.capacity_need(homes, filled, category="school", share=1),
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one"),
        ({"share": 1, "per_1000": 2}, "exactly one"),
        ({"share": -1}, "share=-1"),
        ({"per_1000": float("nan")}, "per_1000"),
        ({"share": 1, "growth": 0.1}, "years"),
        ({"share": 1, "growth": -1, "years": [2026]}, "above -1"),
        ({"share": 1, "growth": "fast", "years": [2026]}, "fast"),
        ({"share": 1, "growth": {2026: 1}, "years": [2026, 2027]}, "2027"),
        ({"share": 1, "growth": {2026: -1}, "years": [2026]}, "factors"),
        ({"share": 1, "years": [2027, 2026]}, "rising"),
        ({"share": 1, "years": []}, "rising"),
        ({"share": 1, "weight": "elderly"}, "elderly"),
        ({"share": 1, "capacity": "beds"}, "beds"),
        ({"share": 1, "by": "street"}, "street"),
    ],
)
def test_impossible_options_are_refused(options, words):
    homes, services = town()
    with pytest.raises(OptionError, match=words):
        gm.capacity_need(homes, services, category="school", **options)


def test_units_without_a_place_are_refused():
    homes, services = town()
    by = pd.Series("x", index=homes["building_id"])
    with pytest.raises(OptionError, match="without a place"):
        gm.capacity_need(homes, services, category="school", share=1, by=by)


def test_examples():
    failed, tried = doctest.testmod(gridmap.siting.capacity.need)
    assert (failed, tried > 0) == (0, True)
