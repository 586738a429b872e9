"""Siting through its public face: every objective against all choices there are, and what a planner may get wrong."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

import gridmap as gm

CRS = 32650
WEST, SIZE, STEP = 500_000, 5, 200


def streets() -> gpd.GeoDataFrame:
    """A grid of streets 200 m apart, and an island that nothing joins."""
    side = (SIZE - 1) * STEP
    lines = [LineString([(WEST, y), (WEST + side, y)]) for y in range(0, side + 1, STEP)]
    lines += [LineString([(x, 0), (x, side)]) for x in range(WEST, WEST + side + 1, STEP)]
    lines.append(LineString([(WEST + 9_000, 0), (WEST + 9_400, 0)]))
    return gpd.GeoDataFrame({"class": ["residential"] * len(lines)}, geometry=lines, crs=CRS)


NETWORK = gm.StreetNetwork.from_streets(streets())


def homes_at(places: list[tuple[int, int]], households: list[int]) -> gpd.GeoDataFrame:
    ids = [f"b{i}" for i in range(len(places))]
    return gpd.GeoDataFrame({"building_id": ids, "households": households}, geometry=_points(places), crs=CRS)


def sites_at(places: list[tuple[int, int]], **columns: object) -> gpd.GeoDataFrame:
    ids = [f"s{i}" for i in range(len(places))]
    return gpd.GeoDataFrame({"facility_id": ids, **columns}, geometry=_points(places), crs=CRS)


def _points(places: list[tuple[int, int]]) -> list[Point]:
    return [Point(WEST + x, y) for x, y in places]


def ways(homes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    """Metres from every home to every site, by one cover for each site alone."""
    columns = []
    for row in range(len(sites)):
        one = sites.iloc[[row]].assign(category="x")
        reach = gm.cover(homes, one[["facility_id", "category", "geometry"]], NETWORK, metres=10).reach
        columns.append(reach["metres"].fillna(np.inf).to_numpy())
    return np.column_stack(columns)


place = st.tuples(st.integers(0, 800), st.integers(0, 800))
island = st.tuples(st.integers(9_000, 9_400), st.just(0))


@st.composite
def towns(draw):
    """Homes with their households, candidates, existing clinics, and a limit in metres."""
    homes = draw(st.lists(st.one_of(place, place, place, island), min_size=1, max_size=8))
    households = draw(st.lists(st.integers(0, 9), min_size=len(homes), max_size=len(homes)))
    sites = draw(st.lists(st.one_of(place, place, island), min_size=2, max_size=6))
    clinics = draw(st.lists(place, max_size=2))
    existing = sites_at(clinics, category="clinic")
    existing["facility_id"] = [f"c{i}" for i in range(len(clinics))]
    return homes_at(homes, households), sites_at(sites), existing, draw(st.sampled_from([150, 400, 700]))


def nearest(distance: np.ndarray, base: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    return np.minimum(base, distance[:, list(chosen)].min(axis=1, initial=np.inf))


def _base(homes: gpd.GeoDataFrame, existing: gpd.GeoDataFrame) -> np.ndarray:
    return ways(homes, existing).min(axis=1) if len(existing) else np.full(len(homes), np.inf)


@settings(max_examples=25, deadline=None)
@given(towns(), st.integers(1, 3))
def test_most_coverage_is_that_of_the_best_of_all_choices(town, count):
    homes, sites, existing, metres = town
    plan = gm.locate(homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, count=count)
    distance, base, weight = ways(homes, sites), _base(homes, existing), homes["households"].to_numpy()
    best = max(
        weight[nearest(distance, base, chosen) <= metres].sum()
        for chosen in itertools.combinations(range(len(sites)), min(count, len(sites)))
    )
    row = plan.rates.iloc[0]
    assert row["covered_after"] == best
    assert row["covered_before"] == weight[base <= metres].sum()
    assert row["reachable"] == weight[nearest(distance, base, tuple(range(len(sites)))) <= metres].sum()
    assert plan.summary["proved"]
    assert len(plan.sites) <= count
    assert plan.sites["gain"].sum() == row["covered_after"] - row["covered_before"]
    assert plan.newly_covered["households"].sum() == plan.sites["gain"].sum()
    assert plan.sites["gain"].is_monotonic_decreasing


@settings(max_examples=25, deadline=None)
@given(towns(), st.sampled_from([0.5, 0.8, 1.0]))
def test_fewest_sites_that_reach_a_target(town, target):
    homes, sites, existing, metres = town
    plan = gm.locate(homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, target=target)
    distance, base, weight = ways(homes, sites), _base(homes, existing), homes["households"].to_numpy()

    def covered(chosen: tuple[int, ...]) -> float:
        return weight[nearest(distance, base, chosen) <= metres].sum()

    every = tuple(range(len(sites)))
    asked = min(target * weight.sum(), covered(every)) - 1e-6
    fewest = next(
        size
        for size in range(len(sites) + 1)
        if any(covered(chosen) >= asked for chosen in itertools.combinations(every, size))
    )
    assert len(plan.sites) == fewest
    assert plan.rates["covered_after"].iloc[0] >= asked
    told = (plan.findings["rule"] == "target_out_of_reach").any()
    assert told == (covered(every) < target * weight.sum() - 1e-6)
    if target < 1:
        more = gm.locate(homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, target=1.0)
        assert len(more.sites) >= fewest


@settings(max_examples=25, deadline=None)
@given(towns(), st.integers(1, 3))
def test_least_way_in_all(town, count):
    homes, sites, existing, metres = town
    plan = gm.locate(
        homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, count=count, objective="p_median"
    )
    distance, base, weight = ways(homes, sites), _base(homes, existing), homes["households"].to_numpy()
    size = min(count, len(sites))
    least = min(
        (weight * np.minimum(nearest(distance, base, chosen), metres)).sum()
        for chosen in itertools.combinations(range(len(sites)), size)
    )
    assert plan.summary["value"] == pytest.approx(least, abs=1e-6)
    assert plan.summary["proved"]


@settings(max_examples=25, deadline=None)
@given(towns(), st.integers(1, 3))
def test_least_longest_way(town, count):
    homes, sites, existing, _ = town
    plan = gm.locate(
        homes, sites, NETWORK, category="clinic", existing=existing, metres=5_000, count=count, objective="p_center"
    )
    distance, base, weight = ways(homes, sites), _base(homes, existing), homes["households"].to_numpy()
    some = (weight > 0) & (np.minimum(distance.min(axis=1), base) <= 5_000)
    size = min(count, len(sites))
    if not some.any():
        assert plan.summary["value"] == 0
        return
    least = min(
        nearest(distance, base, chosen)[some].max() for chosen in itertools.combinations(range(len(sites)), size)
    )
    if np.isfinite(least):
        assert plan.summary["value"] == pytest.approx(least, abs=1e-6)
    else:
        # the island and the mainland cannot both be served by so few
        assert plan.summary["value"] >= 5_000


@settings(max_examples=15, deadline=None)
@given(towns(), place)
def test_another_candidate_never_worsens(town, extra):
    homes, sites, existing, metres = town
    both = pd.concat([sites, sites_at([extra]).assign(facility_id="extra")], ignore_index=True)
    options = {"category": "clinic", "existing": existing, "metres": metres, "count": 2}
    few, many = (gm.locate(homes, table, NETWORK, **options) for table in (sites, both))
    assert many.rates["covered_after"].iloc[0] >= few.rates["covered_after"].iloc[0]


def test_the_cover_afterwards_is_what_the_plan_says():
    homes = homes_at([(0, 0), (800, 800), (400, 400)], [30, 20, 10])
    existing = sites_at([(400, 400)], category="clinic").assign(facility_id="c0")
    plan = gm.locate(
        homes, sites_at([(0, 0), (800, 700)]), NETWORK, category="clinic", existing=existing, metres=300, count=1
    )
    before = gm.cover(homes, existing, NETWORK, metres={"clinic": 300})
    change = gm.compare(before, plan.after(before)).iloc[0]
    assert change["covered_before"] == plan.rates["covered_before"].iloc[0] == 10
    assert change["covered_after"] == plan.rates["covered_after"].iloc[0] == 40
    assert plan.sites["facility_id"].tolist() == ["s0"]
    assert plan.newly_covered["building_id"].tolist() == ["b0"]


def test_a_site_of_the_id_of_a_facility_gets_one_of_its_own_afterwards():
    homes = homes_at([(0, 0)], [30])
    shops = sites_at([(0, 0)], category="shop")
    plan = gm.locate(homes, shops, NETWORK, category="clinic", metres=300, count=1)
    after = plan.after(gm.cover(homes, shops, NETWORK, metres={"clinic": 300}))
    assert after.rate()["rate"].tolist() == [1.0]
    assert after.facilities["facility_id"].tolist() == ["s0", "s0 (new)"]


def test_several_categories_share_a_site():
    homes = homes_at([(0, 0), (800, 800)], [10, 30])
    existing = sites_at([(800, 800)], category="clinic").assign(facility_id="c0")
    plan = gm.locate(
        homes, sites_at([(0, 0), (800, 700)]), NETWORK, category=["clinic", "canteen"], existing=existing, metres=300,
        count=1,
    )  # fmt: skip
    # at s0 a clinic and a canteen for 10 each; at s1 a canteen for 30, who have a clinic
    assert plan.sites["facility_id"].tolist() == ["s1"]
    assert plan.sites["gain"].tolist() == [30]
    assert plan.rates["covered_after"].tolist() == [30, 30]
    assert plan.facilities[["facility_id", "category"]].to_numpy().tolist() == [
        ["s1/clinic", "clinic"], ["s1/canteen", "canteen"],
    ]  # fmt: skip


def test_one_centre_may_have_several_places():
    homes = homes_at([(0, 0), (800, 800), (400, 400)], [10, 10, 15])
    sites = sites_at([(0, 0), (800, 800), (400, 400)], centre=["A", "A", "B"])
    plan = gm.locate(homes, sites, NETWORK, category="clinic", metres=100, count=1, together="centre")
    assert plan.sites["facility_id"].tolist() == ["s0", "s1"]
    assert plan.sites["rank"].tolist() == [1, 1]
    assert plan.rates["covered_after"].iloc[0] == 20


def test_costs_and_a_budget():
    homes = homes_at([(0, 0), (800, 800), (400, 400)], [10, 12, 15])
    sites = sites_at([(0, 0), (800, 800), (400, 400)], price=[2, 2, 4])
    plan = gm.locate(homes, sites, NETWORK, category="clinic", metres=100, budget=4, cost="price")
    assert sorted(plan.sites["facility_id"]) == ["s0", "s1"]
    assert plan.summary["cost"] == 4
    cheapest = gm.locate(homes, sites, NETWORK, category="clinic", metres=100, target=0.5, cost="price")
    assert sorted(cheapest.sites["facility_id"]) == ["s0", "s1"]


def test_weights_of_several_columns():
    homes = homes_at([(0, 0), (800, 800)], [10, 10]).assign(elderly=[1.0, np.nan], children=[0, 3])
    options = {"category": "clinic", "metres": 100, "count": 1}
    sites = sites_at([(0, 0), (800, 800)])
    assert gm.locate(homes, sites, NETWORK, weight="elderly", **options).sites["facility_id"].tolist() == ["s0"]
    both = gm.locate(homes, sites, NETWORK, weight={"elderly": 2, "children": 1}, **options)
    assert both.sites["facility_id"].tolist() == ["s1"]
    assert both.sites["gain"].tolist() == [3]


def test_nobody_to_serve_is_told_and_needs_no_site():
    plan = gm.locate(homes_at([(0, 0)], [0]), sites_at([(0, 0)]), NETWORK, category="clinic", metres=100, count=1)
    assert len(plan.sites) == 0
    assert "nobody to serve" in repr(plan)
    assert np.isnan(plan.rates["rate_after"].iloc[0])


def test_fixed_sites_are_built_first():
    homes = homes_at([(0, 0), (800, 800)], [10, 30])
    sites = sites_at([(0, 0), (800, 800)])
    plan = gm.locate(homes, sites, NETWORK, category="clinic", metres=100, count=1, fixed=["s0"])
    assert plan.sites["facility_id"].tolist() == ["s0"]
    assert plan.sites["fixed"].tolist() == [True]


def test_who_stays_out_of_reach_is_told():
    homes = homes_at([(0, 0), (9_200, 0)], [10, 7])
    plan = gm.locate(homes, sites_at([(0, 0), (50, 0)]), NETWORK, category="clinic", metres=300, count=2)
    lost = plan.findings[plan.findings["rule"] == "demand_out_of_reach"].iloc[0]
    assert lost["ids"] == ["b1"]
    assert "7 households" in lost["message"]
    # the second site would add nothing
    assert len(plan.sites) == 1
    assert (plan.findings["rule"] == "fewer_sites_than_asked").any()


def test_candidates_marked_for_something_else_are_left_out():
    homes = homes_at([(0, 0), (800, 800)], [10, 30])
    sites = sites_at([(0, 0), (800, 800)], category=["clinic", "canteen"], status="candidate")
    plan = gm.locate(homes, sites, NETWORK, category="clinic", metres=300, count=1)
    assert plan.sites["facility_id"].tolist() == ["s0"]
    assert plan.findings.set_index("rule").loc["candidates_for_other_categories", "ids"] == ["s1"]
    free = gm.locate(homes, sites.assign(status="existing"), NETWORK, category="clinic", metres=300, count=1)
    assert free.sites["facility_id"].tolist() == ["s1"]


def test_parcels_buildings_and_atoms_are_candidates():
    homes = homes_at([(0, 0), (800, 800)], [10, 30])
    parcels = sites_at([(0, 0)]).rename(columns={"facility_id": "parcel_id"})
    options = {"category": "clinic", "metres": 300, "count": 1}
    assert gm.locate(homes, parcels, NETWORK, **options).sites["facility_id"].tolist() == ["s0"]
    assert gm.locate(homes, homes, NETWORK, **options).sites["facility_id"].tolist() == ["b1"]
    # what a place belongs to is not its name
    within = homes.assign(compound_id="k", community_id="c")
    assert gm.locate(homes, within, NETWORK, **options).sites["facility_id"].tolist() == ["b1"]


def test_every_atom_of_a_plan_is_a_candidate():
    homes = homes_at([(30, 30), (230, 30), (30, 230)], [300, 310, 320])
    area = gpd.GeoDataFrame({"community_id": ["c"]}, geometry=[box(WEST, 0, WEST + 400, 400)], crs=CRS)
    plan = gm.divide(area, homes, streets(), effort="low")
    sited = gm.locate(homes, plan, NETWORK, category="clinic", metres=150, count=1)
    assert set(sited.sites["facility_id"]) <= set(plan.atoms["atom_id"])
    assert sited.rates["reachable"].iloc[0] == 930


def test_the_curve_tells_what_each_further_site_brings():
    homes = homes_at([(0, 0), (800, 800), (0, 800)], [10, 30, 5])
    sites = sites_at([(0, 0), (800, 800), (0, 800)])
    curve = gm.locate(homes, sites, NETWORK, category="clinic", metres=100, count=2).curve
    assert curve["k"].tolist() == [0, 1, 2, 3]
    assert curve["gain"].tolist() == [0, 30, 10, 5]
    assert curve["covered"].tolist() == [0, 30, 40, 45]
    assert curve["chosen"].tolist() == [True, True, True, False]


def test_robustness_when_nothing_changes_and_when_speed_decides():
    homes = homes_at([(0, 0), (400, 0), (800, 800)], [20, 20, 30])
    # s0 lies between two homes 200 m away each, s1 at the third
    sites = sites_at([(200, 0), (800, 800)])
    plan = gm.locate(homes, sites, NETWORK, category="clinic", metres=210, count=1)
    assert plan.sites["facility_id"].tolist() == ["s0"]
    same = plan.robustness(speeds=(1.0,), counts=0, draws=2)
    assert same["stays"].tolist() == [1.0]
    slow = plan.robustness(speeds=(0.8,), draws=0)
    assert slow["stays_speed"].tolist() == [0.0]
    assert slow.attrs["scenarios"]["kept"].tolist() == [0.0]
    assert slow.attrs["scenarios"]["best"].tolist() == [30.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one of count, target and budget"),
        ({"count": 1, "target": 0.9}, "exactly one"),
        ({"count": 0}, "whole number"),
        ({"count": 1, "objective": "best"}, "max_coverage, set_cover"),
        ({"count": 1, "objective": "set_cover"}, "target, not count"),
        ({"target": 0.9, "objective": "p_median"}, "count or budget, not target"),
        ({"target": 90}, "share above 0"),
        ({"budget": 3}, "needs cost="),
        ({"budget": 3, "cost": "price"}, "no column of candidates"),
        ({"count": 1, "minutes": 5, "metres": 5}, "at most one"),
        ({"count": 1, "minutes": {"school": 5}}, "no limit for clinic"),
        ({"count": 1, "fixed": ["nowhere"]}, "not among the candidates"),
        ({"count": 1, "fixed": ["s0", "s1"]}, "more than count=1"),
        ({"count": 1, "weight": "elderly"}, "no column of numbers"),
        ({"count": 1, "together": "centre"}, "no column of candidates"),
        ({"count": 1, "category": []}, "names no category"),
        ({"count": 1, "category": None}, "names no category"),
        ({"count": 1, "category": ["a", "a"]}, "more than once"),
    ],
)
def test_what_cannot_be_asked(options, words):
    homes, sites = homes_at([(0, 0)], [10]), sites_at([(0, 0), (50, 0)])
    with pytest.raises(gm.OptionError, match=words):
        gm.locate(homes, sites, NETWORK, **{"category": "clinic", **options})


def test_candidates_need_an_id_and_one_place_at_least():
    homes, sites = homes_at([(0, 0)], [10]), sites_at([(0, 0)])
    with pytest.raises(gm.OptionError, match="candidates have no id"):
        gm.locate(homes, sites.drop(columns="facility_id"), NETWORK, category="clinic", count=1)
    with pytest.raises(gm.OptionError, match="no candidate"):
        gm.locate(homes, sites.iloc[:0], NETWORK, category="clinic", count=1)
    with pytest.raises(gm.TableError, match="households"):
        gm.locate(homes.drop(columns="households"), sites, NETWORK, category="clinic", count=1)


def test_where_so_few_sites_cannot_serve_all_it_is_told():
    homes = homes_at([(0, 0), (9_200, 0)], [10, 7])
    sites = sites_at([(0, 0), (9_200, 0)])
    plan = gm.locate(homes, sites, NETWORK, category="clinic", count=1, objective="p_center")
    assert plan.summary["value"] == np.inf
    assert plan.summary["gap"] == 0
    assert (plan.findings["rule"] == "sites_too_few").any()
    both = gm.locate(homes, sites, NETWORK, category="clinic", count=2, objective="p_center")
    assert both.summary["value"] == pytest.approx(0, abs=1e-6)
    assert not (both.findings["rule"] == "sites_too_few").any()
