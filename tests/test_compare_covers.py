"""Comparison of two covers: who gains and who loses, with totals that add up."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString
from small_towns import CRS, at, random_town

import gridmap as gm
from gridmap.errors import OptionError


def two_covers(seed, measure="metres"):
    rng = np.random.default_rng(seed)
    homes, services, streets = random_town(seed, facilities=8)
    streets["street_id"] = [f"s{i}" for i in range(len(streets))]
    limit = {measure: 160 if measure == "metres" else 2}
    before = gm.cover(homes, services, gm.StreetNetwork.from_streets(streets, access_metres=25), **limit)
    bridge = gpd.GeoDataFrame(geometry=[LineString(at(rng.uniform(0, 280, (2, 2))))], crs=CRS)
    after = before.with_changes(
        close_facilities=[services["facility_id"][0]], add_streets=bridge, close_streets=["s1", "s2"]
    )
    return before, after


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([None, "community_id"]), st.sampled_from(["metres", "minutes"]))
def test_totals_add_up_and_equal_counting_building_by_building(seed, by, measure):
    before, after = two_covers(seed, measure)
    table = gm.compare(before, after, by=by)
    assert np.allclose(table["net"], table["gained"] - table["lost"])
    for when, cover in (("before", before), ("after", after)):
        rates = cover.rate(by)
        assert table[["unit_id", "category"]].equals(rates[["unit_id", "category"]])
        assert np.allclose(table[f"covered_{when}"], rates["covered"])
        assert np.allclose(table[f"rate_{when}"], rates["rate"], equal_nan=True)
    homes = before.buildings
    reach = [cover.reach.set_index(["building_id", "category"]) for cover in (before, after)]
    for row in table.itertuples():
        inside = homes if by is None else homes[homes["community_id"] == row.unit_id]
        gained = lost = nearer = farther = affected = saved = 0.0
        for home in inside.itertuples():
            old, new = (r.loc[(home.building_id, row.category)] for r in reach)
            gained += home.households * (new["covered"] and not old["covered"])
            lost += home.households * (old["covered"] and not new["covered"])
            a, b = (np.inf if np.isnan(r[measure]) else r[measure] for r in (old, new))
            nearer += home.households * (b < a - 1e-6)
            farther += home.households * (b > a + 1e-6)
            if np.isfinite(a) and np.isfinite(b) and abs(a - b) > 1e-6:
                affected += home.households
                saved += home.households * (a - b)
        assert (row.gained, row.lost, row.nearer, row.farther) == pytest.approx((gained, lost, nearer, farther))
        assert row.saved == pytest.approx(saved / affected if affected else np.nan, nan_ok=True)


def test_a_comparison_with_itself_and_the_other_way_round():
    before, after = two_covers(3)
    same = gm.compare(before, before)
    assert (same[["gained", "lost", "net", "nearer", "farther"]] == 0).all(axis=None)
    assert same["saved"].isna().all()
    one, other = gm.compare(before, after), gm.compare(after, before)
    assert one["gained"].tolist() == other["lost"].tolist()
    assert one["nearer"].tolist() == other["farther"].tolist()
    assert np.allclose(one["saved"], -other["saved"], equal_nan=True)
    assert one["lost"].sum() > 0


def test_other_thresholds_categories_and_buildings():
    before, _ = two_covers(3)
    wider = gm.compare(before, before.with_thresholds(metres=300))
    assert wider["gained"].sum() > 0
    assert (wider["lost"] == 0).all()
    assert (wider["nearer"] == 0).all()
    fewer = gm.compare(before, before.with_thresholds(metres={"clinic": 160}))
    assert fewer.attrs["only_before"] == ["school"]
    school = fewer.set_index("category").loc["school"]
    assert school["lost"] == school["covered_before"] > 0
    bank = gpd.GeoDataFrame({"facility_id": ["b"], "category": ["bank"]}, geometry=[before.facilities.geometry[0]],
                            crs=CRS)  # fmt: skip
    more = gm.compare(before, before.with_changes(add_facilities=bank))
    assert more.attrs["only_after"] == ["bank"]
    assert more.set_index("category")["gained"]["bank"] > 0
    half = gm.cover(before.buildings.iloc[5:], before.facilities, before.network, metres=160)
    part = gm.compare(before, half)
    assert part.attrs["left_out"] == {"before": 5, "after": 0}
    assert part["total"].iloc[0] == before.buildings["households"].iloc[5:].sum()
    assert (part["net"] == 0).all()


def test_what_cannot_be_compared_is_refused():
    before, _ = two_covers(3)
    with pytest.raises(OptionError, match="by metres and the other by minutes"):
        gm.compare(before, gm.cover(before.buildings, before.facilities, before.network, minutes=5))
    homes = before.buildings
    more = homes.assign(households=homes["households"] + 1)
    others = homes.assign(building_id=[f"x{i}" for i in range(len(homes))])
    for table, words in ((more, "another households"), (others, "no building in common")):
        cover = gm.cover(table, before.facilities, before.network, metres=160)
        with pytest.raises(OptionError, match=words):
            gm.compare(before, cover)
    with pytest.raises(OptionError, match="must be a Cover"):
        gm.compare(before, before.rate())
    with pytest.raises(OptionError, match="weight"):
        gm.compare(before, before, weight="dogs")
