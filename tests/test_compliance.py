"""Compliance: tiers, every kind of requirement by hand, a recount by loops, and what may never be met in silence."""

from __future__ import annotations

import doctest
import importlib
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box
from small_towns import CRS, ORIGIN, at, coordinates, plain_distances, random_town

import gridmap as gm
from gridmap.standards.rules import RULES, TIERS
from gridmap.tables.categories import facility_categories
from gridmap.view.compliance_table import STATUSES

RANK = {"not_met": 0, "partly": 1, "met": 2}


def rows(*requirements, **common):
    """Requirements as a table: (id, category, rule, value, unit) and more by name."""
    names = ("requirement_id", "category", "rule", "value", "unit")
    return pd.DataFrame([dict(zip(names, r[:5], strict=True)) | dict(r[5:]) | common for r in requirements])


def homes(*places, **columns):
    table = pd.DataFrame({"building_id": [f"b{i}" for i in range(len(places))], "households": 100, **columns})
    return gpd.GeoDataFrame(table, geometry=[Point(at(xy)) for xy in places], crs=CRS)


def places(*rows_, crs=CRS):
    """Facilities: (category, x, y) and more by name."""
    table = pd.DataFrame([{"facility_id": f"f{i}", "category": r[0], **dict(r[3:])} for i, r in enumerate(rows_)])
    return gpd.GeoDataFrame(table, geometry=[Point(at((r[1], r[2]))) for r in rows_], crs=crs)


def straight(buildings, facilities, **options):
    return gm.cover(buildings, facilities, metres=500, how="straight", **options)


def status(cover, standard, **options):
    """Status of each requirement in the one unit of a cover."""
    table = cover.compliance(standard, **options)
    return dict(zip(table["requirement_id"], table["status"], strict=True))


# ---------------------------------------------------------------- tiers

TWO_TIERS = rows(
    ("culture-15", "cultural", "reach", 1000, "metres", ("tier", "15min")),
    ("culture-5", "cultural", "reach", 300, "metres", ("tier", "5min")),
)


def test_a_15_minute_facility_does_not_satisfy_the_5_minute_tier():
    """GB 50180-2018, notes on chapter 5: facilities of an upper tier do not cover those of a lower one."""
    cover = straight(homes((0, 0), (0, 50)), places(("cultural", 100, 0, ("tier", "15min"))))
    # what a tool says that looks at distances alone
    naive = cover.with_thresholds(metres=300).rate()
    assert naive["rate"].tolist() == [1.0]
    table = cover.compliance(TWO_TIERS).set_index("requirement_id")
    assert table["status"].to_dict() == {"culture-15": "met", "culture-5": "not_met"}
    assert table.loc["culture-5", "reachable"] == 0
    # without tiers in the standard, it is the tier that makes the difference
    assert set(status(cover, TWO_TIERS.drop(columns="tier")).values()) == {"met"}
    # and with a facility of its own each tier is served
    both = straight(
        homes((0, 0)), places(("cultural", 100, 0, ("tier", "15min")), ("cultural", 0, 9, ("tier", "5分钟")))
    )
    assert set(status(both, TWO_TIERS).values()) == {"met"}


def test_a_lower_tier_does_not_stand_in_for_an_upper_one_either():
    cover = straight(homes((0, 0)), places(("cultural", 100, 0, ("tier", "5min"))))
    assert status(cover, TWO_TIERS) == {"culture-15": "not_met", "culture-5": "met"}


def test_without_a_tier_it_counts_where_one_tier_alone_asks():
    cover = straight(homes((0, 0)), places(("cultural", 100, 0), ("kindergarten", 100, 0)))
    standard = pd.concat([TWO_TIERS, rows(("kg", "kindergarten", "reach", 300, "metres", ("tier", "5min")))])
    assert status(cover, standard) == {"culture-15": "no_data", "culture-5": "no_data", "kg": "met"}
    found = cover.compliance(standard).attrs["findings"].set_index("rule")
    assert found.loc["compliance_tier_missing", "ids"] == ["f0"]
    assert "count for none" in found.loc["compliance_tier_missing", "message"]


def test_a_missing_tier_leaves_nothing_open_that_it_cannot_change():
    far = straight(homes((0, 0)), places(("cultural", 5000, 0), ("cultural", 10, 0, ("tier", "15min"))))
    # the one that is known meets the upper tier, and the unknown one is too far for the lower
    assert status(far, TWO_TIERS) == {"culture-15": "met", "culture-5": "not_met"}


def test_a_tier_that_is_none_is_told():
    cover = straight(homes((0, 0)), places(("cultural", 100, 0, ("tier", "市级"))))
    found = cover.compliance(TWO_TIERS).attrs["findings"]
    assert {"compliance_tier_unread", "compliance_tier_missing"} <= set(found["rule"])


@pytest.mark.parametrize(
    ("residents", "asked"),
    [
        (60_000, ["15min", "10min", "5min", "block"]),
        (50_000, ["15min", "10min", "5min", "block"]),
        (49_999, ["10min", "5min", "block"]),
        (15_000, ["10min", "5min", "block"]),
        (14_999, ["5min", "block"]),
        (5_000, ["5min", "block"]),
        (4_999, ["block"]),
        (999, []),
    ],
)
def test_a_tier_that_is_reached_needs_the_lower_ones_as_well(residents, asked):
    """GB 50180-2018: beside the facilities of its own tier those of every lower tier."""
    own = rows(*((f"own-{tier}", "canteen", "count", 1, "facilities", ("tier", tier)) for tier in TIERS))
    standard = gm.read_standard(["GB 50180-2018", own])
    cover = straight(homes((0, 0), residents=residents), places(("canteen", 10, 0, ("tier", "10min"))))
    found = status(cover, standard)
    expected = {
        f"own-{tier}": "does_not_apply" if tier not in asked else "met" if tier == "10min" else "not_met"
        for tier in TIERS
    }
    assert {key: found[key] for key in expected} == expected
    # distances are asked of everybody
    assert found["gb50180-kindergarten-reach"] == "not_met"


def test_the_tier_goes_by_dwellings_where_residents_are_not_known():
    own = rows(("own", "canteen", "count", 1, "facilities", ("tier", "10min")))
    standard = gm.read_standard(["GB 50180-2018", own])
    known = straight(homes((0, 0), dwellings=5000), places(("canteen", 10, 0)))
    assert status(known, standard)["own"] == "met"
    assert (
        status(straight(homes((0, 0), dwellings=4999), places(("canteen", 10, 0))), standard)["own"] == "does_not_apply"
    )
    unknown = straight(homes((0, 0)), places(("canteen", 10, 0)))
    assert status(unknown, standard)["own"] == "no_data"
    assert "compliance_people_missing" in set(unknown.compliance(standard).attrs["findings"]["rule"])
    # 100 households are no 15,000 people, however many are to a household
    assert status(unknown, standard, persons_per_household=3)["own"] == "does_not_apply"


def test_a_distance_may_be_that_of_its_tier():
    own = rows(("own-library", "library", "reach", None, "", ("tier", "15min")))
    cover = straight(homes((0, 0)), places(("library", 900, 0)))
    table = cover.compliance(["GB 50180-2018", own]).set_index("requirement_id")
    assert table.loc["own-library", ["limit", "status"]].tolist() == [1000, "met"]
    with pytest.raises(gm.OptionError, match="own-library names no distance"):
        cover.compliance(own)


# ---------------------------------------------------------------- each kind of requirement

SIZES = {"floor_area_m2": 700.0, "site_area_m2": 3500.0, "classes": 6, "width_m": 12.0}


@pytest.mark.parametrize(
    ("rule", "unit", "least", "more"),
    [
        ("floor_area", "m2", 700, {}),
        ("site_area", "m2", 3500, {}),
        ("classes", "classes", 6, {}),
        ("width", "metres", 12, {}),
        ("floor_area_norm", "m2", 700, {"per": "200 households"}),
        ("site_area_norm", "m2", 7, {"per": "1 residents"}),
        ("count", "facilities", 1, {}),
        ("count", "facilities", 1, {"per": "500 residents"}),
    ],
)
def test_each_kind_just_met_just_missed_absent_and_unknown(rule, unit, least, more):
    lived = homes((0, 0), (0, 10), residents=250)
    one = places(("kindergarten", 5, 0, *SIZES.items()))

    def of(facilities, value):
        return status(straight(lived, facilities), rows(("r", "kindergarten", rule, value, unit), **more))["r"]

    assert of(one, least) == "met"
    assert of(one, least + 1) == "partly"
    assert of(places(("bank", 5, 0)), least) == "not_met"
    if RULES[rule].column:
        # all in the unit is smaller than what is asked for, but for one of which nobody knows
        blank = pd.concat([one, places(("kindergarten", 6, 0)).assign(facility_id="g")], ignore_index=True)
        assert of(blank, least) == "met"
        assert of(blank, least + 1) == "no_data"
        assert of(one.drop(columns=RULES[rule].column), least) == "no_data"


def test_what_is_short_is_told():
    lived = homes((0, 0), (0, 10), residents=[300, 200])
    standard = rows(
        ("norm", "elderly_care", "floor_area_norm", 20, "m2", ("per", "100 households")),
        ("hall", "community_centre", "floor_area", 800, "m2"),
        ("beds", "clinic", "count", 2, "facilities", ("per", "400 residents")),
        ("walk", "clinic", "reach", 8, "metres"),
    )
    offered = places(
        ("elderly_care", 1, 0, ("floor_area_m2", 25)),
        ("community_centre", 1, 0, ("floor_area_m2", 500)),
        ("clinic", 5, 0),
    )
    table = straight(lived, offered).compliance(standard).set_index("requirement_id")
    # 200 households at 20 m² a hundred; 500 people at 2 for each 400, rounded up
    assert table["needed"].tolist() == [40, 800, 3, 200]
    assert table["present"].tolist() == [25, 500, 1, 100]
    assert table["area_short_m2"].tolist()[:2] == [15, 300]
    assert table["area_short_m2"].isna().tolist() == [False, False, True, True]
    assert table["places_short"].isna().tolist() == [True, True, False, True]
    assert table.loc["beds", "places_short"] == 2
    assert table["reachable"].isna().tolist() == [True, True, True, False]
    assert table.loc["walk", ["reachable", "status"]].tolist() == [0.5, "partly"]


def test_the_share_is_an_argument_and_stated():
    cover = straight(homes((0, 0), (400, 0), (450, 0)), places(("clinic", 0, 0)))
    standard = rows(("r", "clinic", "reach", 420, "metres"))
    assert cover.compliance(standard).attrs["share"] == 1
    assert status(cover, standard) == {"r": "partly"}
    # two of three households, which no float holds exactly
    assert status(cover, standard, share=2 / 3) == {"r": "met"}
    assert cover.compliance(standard, share=0.5)["needed"].tolist() == [150]


def test_a_polygon_is_at_least_its_site():
    ground = places(("park", 0, 0))
    ground.geometry = [box(*(ORIGIN - 20), *(ORIGIN + 30))]
    cover = straight(homes((0, 0)), ground)
    assert status(cover, rows(("r", "park", "site_area", 2500, "m2"))) == {"r": "met"}
    assert status(cover, rows(("r", "park", "site_area", 2501, "m2"))) == {"r": "partly"}


def test_minutes_metres_and_a_straight_line_are_each_measured_so():
    """Round a corner: 500 m along the streets, 361 m as the crow flies, 6.25 min at 4.8 km/h."""
    line = shapely.linestrings([at((0, 0)), at((300, 0)), at((300, 200))])
    streets = gpd.GeoDataFrame({"class": ["residential"]}, geometry=[line], crs=CRS)
    network = gm.StreetNetwork.from_streets(streets, access_metres=0)
    ground = homes((0, 0)), places(("clinic", 300, 200)), network
    by_rules = gm.cover(*ground, rules={"near": {"category": "clinic", "minutes": 1}})
    for cover in (gm.cover(*ground, minutes=1), by_rules):
        for unit, limits in {"metres": (499, 501), "radius": (360, 361), "minutes": (6.24, 6.26)}.items():
            found = [status(cover, rows(("r", "clinic", "reach", n, unit)))["r"] for n in limits]
            assert found == ["not_met", "met"], unit


def test_what_is_planned_or_not_public_does_not_count():
    offered = places(("clinic", 0, 0, ("status", "planned")), ("clinic", 1, 0, ("public", False)))
    assert set(
        status(
            straight(homes((0, 0)), offered),
            rows(("a", "clinic", "reach", 99, "metres"), ("b", "clinic", "count", 1, "facilities")),
        ).values()
    ) == {"not_met"}


def test_several_keys_of_one_thing_are_one_thing():
    offered = places(("secondary_school", 0, 0), ("food_market", 0, 0))
    standard = rows(
        ("a", "middle_school", "reach", 99, "metres"), ("b", "market|supermarket", "count", 1, "facilities")
    )
    assert status(straight(homes((0, 0)), offered), standard) == {"a": "met", "b": "met"}


# ---------------------------------------------------------------- what is not known is never met in silence


def test_a_school_may_be_a_primary_school_or_not():
    cover = straight(homes((0, 0)), places(("school", 10, 0), ("school", 9000, 0)))
    standard = rows(("near", "primary_school", "reach", 500, "metres"), ("far", "primary_school", "reach", 5, "metres"))
    # none of them is near enough for the second one, whatever they are
    assert status(cover, standard) == {"near": "no_data", "far": "not_met"}
    found = cover.compliance(standard).attrs["findings"]
    assert found["rule"].tolist() == ["compliance_category_unclear", "compliance_unverified"]
    assert status(cover, standard, categories={"primary_school": "school"})["near"] == "met"
    with pytest.raises(gm.OptionError, match="the standard asks for none such"):
        cover.compliance(standard, categories={"library": "school"})
    with pytest.raises(gm.OptionError, match="facilities have no 'schol'"):
        cover.compliance(standard, categories={"primary_school": "schol"})


def test_a_category_that_nobody_offers_is_not_met_and_told():
    cover = straight(homes((0, 0)), places(("bank", 10, 0)))
    table = cover.compliance(rows(("r", "hospital", "reach", 500, "metres")))
    assert table["status"].tolist() == ["not_met"]
    assert table.attrs["findings"]["rule"].tolist() == ["compliance_category_absent", "compliance_unverified"]


@pytest.mark.parametrize("column", ["residents", "elderly", "children"])
def test_people_that_are_not_known_make_no_requirement_met(column):
    standard = rows(("r", "clinic", "floor_area_norm", 1, "m2", ("per", f"1000 {column}")))
    offered = places(("clinic", 0, 0, ("floor_area_m2", 9999)))
    assert status(straight(homes((0, 0)), offered), standard) == {"r": "no_data"}
    # an empty cell of a building that is lived in is enough
    half = homes((0, 0), (1, 0), **{column: [100, np.nan]})
    assert status(straight(half, offered), standard) == {"r": "no_data"}
    found = (
        straight(half, offered)
        .compliance(standard)
        .attrs["findings"]
        .set_index("rule")
        .loc["compliance_people_missing"]
    )
    assert found["status"] == column
    assert column in found["cure"]
    assert status(straight(homes((0, 0), (1, 0), **{column: 100}), offered), standard) == {"r": "met"}


def test_persons_per_household_make_residents_where_there_are_none():
    standard = rows(("r", "clinic", "floor_area_norm", 10, "m2", ("per", "100 residents")))
    cover = straight(homes((0, 0), (1, 0), residents=[300, np.nan]), places(("clinic", 0, 0, ("floor_area_m2", 9))))
    table = cover.compliance(standard, persons_per_household=2.5)
    assert table["needed"].tolist() == [(300 + 250) / 100 * 10]
    with pytest.raises(gm.OptionError, match="above 0"):
        cover.compliance(standard, persons_per_household=0)


def test_a_requirement_of_new_areas_waits_for_what_the_unit_is():
    cover = straight(homes((0, 0), (1, 0), community=["u", "v"]), places(("bank", 0, 0), ("bank", 1, 0)))
    standard = rows(("new", "bank", "reach", 9, "metres", ("applies_to", "new")), ("all", "bank", "reach", 9, "metres"))

    def of(**options):
        table = cover.compliance(standard, by="community", **options)
        return table["status"].tolist()

    assert of() == ["no_data", "met"] * 2
    assert "compliance_area_unknown" in set(cover.compliance(standard).attrs["findings"]["rule"])
    assert of(areas="new") == ["met"] * 4
    assert of(areas={"u": "new|inner ring", "v": "built"}) == ["met", "met", "does_not_apply", "met"]
    assert of(areas=pd.Series({"u": "built"})) == ["does_not_apply", "met", "no_data", "met"]
    with pytest.raises(gm.OptionError, match="areas is a text"):
        cover.compliance(standard, areas=3)


def test_units_without_a_place_hold_no_facilities_that_could_be_told():
    cover = straight(homes((0, 0)), places(("bank", 0, 0)))
    standard = rows(("in", "bank", "count", 1, "facilities"), ("near", "bank", "reach", 9, "metres"))
    table = cover.compliance(standard, by=pd.Series({"b0": "u"}))
    assert table["status"].tolist() == ["no_data", "met"]
    assert "compliance_units_without_place" in set(table.attrs["findings"]["rule"])


def test_nobody_needs_nothing():
    lived = homes((0, 0), (500, 0), households=[0, 100], residents=[0, 300])
    units = gpd.GeoDataFrame(
        {"unit_id": ["empty", "lived"]},
        geometry=[box(*at((-9, -9)), *at((99, 99))), box(*at((400, -9)), *at((600, 99)))],
        crs=CRS,
    )
    offered = places(("bank", 0, 0), ("bank", 500, 0, ("floor_area_m2", 9)))
    standard = pd.concat(
        [
            rows(
                (
                    rule,
                    "bank",
                    rule,
                    1,
                    RULES[rule].units[0],
                    ("per", "1 residents" if RULES[rule].per == "must" else ""),
                )
            )
            for rule in RULES
            if RULES[rule].of_facilities
        ]
    )
    table = straight(lived, offered).compliance(standard, by=units)
    assert set(table.loc[table["unit_id"] == "empty", "status"]) == {"does_not_apply"}
    assert "does_not_apply" not in set(table.loc[table["unit_id"] == "lived", "status"])


# ---------------------------------------------------------------- verification, arguments, words


def test_requirements_in_some_states_alone():
    cover = straight(homes((0, 0), residents=20_000), places(("kindergarten", 0, 0)))
    every = cover.compliance("GB 50180-2018")
    assert set(every["verification"]) == {"text", "secondary", "conflict", "unverified"}
    some = cover.compliance("GB 50180-2018", states=["text", "secondary"])
    assert set(some["verification"]) == {"text", "secondary"}
    assert some.attrs["states"] == ["secondary", "text"]
    weak = every.attrs["findings"].set_index("rule").loc["compliance_unverified", "ids"]
    assert set(weak) == set(every["requirement_id"]) - set(some["requirement_id"])
    with pytest.raises(gm.OptionError, match="text, secondary"):
        cover.compliance("GB 50180-2018", states=["sure"])
    with pytest.raises(gm.OptionError, match="no requirement of facilities"):
        cover.compliance("Chengdu Qingyang", states="text")


@pytest.mark.parametrize("share", [0, 1.1, True, "all", float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(gm.OptionError, match="share must be"):
        straight(homes((0, 0)), places(("bank", 0, 0))).compliance("city check", share=share)


def test_the_table_for_people_is_in_one_language():
    cover = straight(homes((0, 0), residents=20_000), places(("kindergarten", 0, 0)))
    for name in gm.list_standards()["standard"]:
        table = cover.compliance(name)
        chinese, english = gm.compliance_table(table, "zh"), gm.compliance_table(table, "en")
        assert chinese.shape == english.shape == (1, table["requirement_id"].nunique())
        for heading in chinese.columns:
            assert not any(c.isascii() and c.isalpha() for c in heading), heading
        assert all(heading.replace("²", "").isascii() and "_" not in heading for heading in english.columns)
        assert english.columns.is_unique
    with pytest.raises(gm.OptionError, match="one of en, zh"):
        gm.compliance_table(table, "fr")


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_units_are_called_by_the_names_given(kind):
    reach = straight(homes((0, 0), (900, 0)).assign(side=["west", "east"]), places(("bank", 0, 0)))
    table = reach.compliance("city check", by="side")
    assert gm.compliance_table(table, names=kind({"east": "Dongcun"})).index.tolist() == ["Dongcun", "west"]


def test_every_row_is_there_and_summed_up():
    town, services, streets = random_town(3, buildings=30)
    cover = gm.cover(town, services, streets, minutes=5)
    table = cover.compliance(["GB 50180-2018", "city check"], by="community_id")
    requirements = table["requirement_id"].unique()
    assert len(table) == 3 * len(requirements)
    assert table["unit_id"].tolist() == [u for u in ("c1", "c2", "c3") for _ in requirements]
    assert set(table["status"]) <= set(STATUSES)
    summary = table.attrs["summary"]
    assert summary[list(STATUSES)].sum(axis=1).eq(3).all()
    assert table.attrs["standards"]["GB 50180-2018"]["zh"] == "GB 50180-2018 城市居住区规划设计标准"
    assert list(table.attrs["standards"]) == ["GB 50180-2018", "city check"]


def test_examples_run():
    for name in (
        "coverage.compliance.offers",
        "standards.read",
        "standards.rules",
        "view.compliance_table",
        "view.compliance_words",
    ):
        failed, tried = doctest.testmod(importlib.import_module(f"gridmap.{name}"))
        assert (failed, tried > 0) == (0, True), name


# ---------------------------------------------------------------- a recount by loops


def recount(town, services, streets, units, standard):
    """Status by unit and requirement, by loops over plain distances; tiers and sizes as the tables have them."""
    lines = [shapely.get_coordinates(line) for line in streets.geometry]
    metres = plain_distances(coordinates(town), coordinates(services), lines)
    crow = np.hypot(*(coordinates(town)[:, None] - coordinates(services)[None]).transpose(2, 0, 1))
    out = {}
    for unit in units:
        inside = [i for i, own in enumerate(town["community_id"]) if own == unit]
        local = [j for j, own in enumerate(services["community_id"]) if own == unit]
        lived = sum(town["households"].iloc[i] for i in inside)
        people = sum(town["residents"].iloc[i] for i in inside)
        for row in standard.itertuples():
            good = [
                j for j, (kind, tier) in enumerate(zip(services["category"], services["tier"], strict=True))
                if kind in row.category.split("|") and (not row.tier or tier == row.tier)
            ]  # fmt: skip
            if row.rule == "reach":
                cost = {"metres": metres, "radius": crow, "minutes": metres / 80}[row.unit]
                have = sum(town["households"].iloc[i] for i in inside if any(cost[i, j] <= row.value for j in good))
                need = lived
            elif row.rule == "count":
                have, need = len([j for j in good if j in local]), row.value
            elif row.rule == "floor_area":
                have = max([services["floor_area_m2"].iloc[j] for j in good if j in local], default=0)
                need = row.value
            else:
                number, of = row.per.split()
                base = {"households": lived, "residents": people}[of]
                have = sum(services["floor_area_m2"].iloc[j] for j in good if j in local)
                need = row.value * base / float(number)
            word = "met" if have >= need - 1e-6 else "partly" if have > 0 else "not_met"
            out[unit, row.requirement_id] = "does_not_apply" if lived == 0 else word
    return out


MIXED = rows(
    ("walk", "clinic", "reach", 160, "metres"),
    ("walk-5", "school", "reach", 150, "metres", ("tier", "5min")),
    ("walk-15", "school", "reach", 220, "metres", ("tier", "15min")),
    ("crow", "clinic|school", "reach", 90, "radius"),
    ("time", "clinic", "reach", 1.9, "minutes"),
    ("one", "clinic", "count", 2, "facilities"),
    ("hall", "school", "floor_area", 400, "m2"),
    ("norm", "school|clinic", "floor_area_norm", 150, "m2", ("per", "100 households")),
    ("head", "school", "floor_area_norm", 900, "m2", ("per", "1000 residents"), ("tier", "5min")),
)


def a_town(seed, facilities):
    rng = np.random.default_rng(seed)
    town, services, streets = random_town(seed, buildings=20, facilities=facilities, keep=0.9)
    streets["stairs"] = False
    town["residents"] = town["households"] * rng.integers(1, 4, len(town))
    services["community_id"] = rng.choice(["c1", "c2", "c3"], facilities)
    services["tier"] = rng.choice(["15min", "5min"], facilities)
    services["floor_area_m2"] = rng.integers(1, 900, facilities)
    return town, services, streets


@given(seed=st.integers(0, 10_000), facilities=st.integers(1, 8))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_same_as_by_loops(seed, facilities):
    town, services, streets = a_town(seed, facilities)
    table = gm.cover(town, services, streets, minutes=5).compliance(MIXED, by="community_id")
    expected = recount(town, services, streets, sorted(town["community_id"].unique()), gm.read_standard(MIXED))
    found = {(u, r): s for u, r, s in table[["unit_id", "requirement_id", "status"]].itertuples(index=False)}
    assert found == expected


@given(seed=st.integers(0, 10_000), blank=st.floats(0, 1))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_more_facilities_never_make_anything_worse(seed, blank):
    """Also where tiers and sizes are missing: what was judged stays at least as good, or is left open."""
    rng = np.random.default_rng(seed)
    town, services, _ = a_town(seed, 8)
    town["residents"] = town["residents"].where(rng.random(len(town)) > blank / 9)
    services["tier"] = services["tier"].where(rng.random(8) > blank, None)
    services["floor_area_m2"] = services["floor_area_m2"].where(rng.random(8) > blank)
    few = services.iloc[: rng.integers(1, 8)]
    before, after = (straight(town, part).compliance(MIXED, by="community_id") for part in (few, services))
    for one, other in zip(before.itertuples(), after.itertuples(), strict=True):
        assert other.present >= one.present or math.isnan(one.present)
        if one.status == "met":
            assert other.status == "met"
        if one.status in RANK and other.status in RANK:
            assert RANK[other.status] >= RANK[one.status]


@pytest.mark.full
def test_las_palmas_in_communities_of_4000(data_dir):
    """Every requirement of distance against a cover of its own, and what stands in each community by a loop."""
    folder = data_dir / "las_palmas"
    extract = next(folder.glob("*.osm.pbf"))
    communities = gm.read_communities(folder / "communities_4000.gpkg")
    buildings = gm.read_buildings(extract)
    buildings = gm.estimate_households(buildings)
    facilities, streets = gm.read_facilities(extract), gm.read_streets(extract)
    network = gm.StreetNetwork.from_streets(streets)
    cover = gm.cover(buildings, facilities, network, minutes=15)
    standard = gm.read_standard(["GB 50180-2018", "complete community 2020", "city check", "quarter-hour circle 2021"])
    table = cover.compliance(standard, by=communities).set_index(["requirement_id", "unit_id"])
    known = facility_categories()[0]
    inside = gpd.sjoin(
        facilities.assign(geometry=facilities.representative_point()), communities.to_crs(facilities.crs)
    ).drop_duplicates("facility_id")
    looked_at = 0
    for row in standard[standard["rule"].isin(("reach", "count"))].itertuples():
        kinds = [k for k in facilities["category"].unique() if k in row.category.split("|")]
        own = facilities[facilities["category"].isin(kinds)].assign(category="x")
        if not len(own) or any(
            known[k].name_zh == known[c].name_zh
            for k in set(facilities["category"]) - set(kinds)
            for c in row.category.split("|")
        ):
            continue
        measure = "minutes" if row.unit == "minutes" else "metres"
        how = "straight" if row.unit == "radius" else "network"
        alone = gm.cover(buildings, own, network, how=how, **{measure: {"x": row.value}})
        rate = alone.rate(by=communities).set_index("unit_id")
        ours = table.loc[row.requirement_id]
        assert ours["reachable"].fillna(0).to_numpy() == pytest.approx(rate["rate"].fillna(0).to_numpy(), abs=1e-12)
        expected = np.where(
            rate["total"] == 0,
            "does_not_apply",
            np.where(rate["rate"] == 1, "met", np.where(rate["rate"] > 0, "partly", "not_met")),
        )
        assert ours["status"].tolist() == expected.tolist()
        looked_at += len(ours)
    assert looked_at > 10 * len(communities)
    # no facility of the extract says its floor area, so that a supermarket hall is never met
    halls = table.loc["cc2020-supermarket-floor-area"]
    there = inside.loc[inside["category"] == "supermarket", "community_id"].astype(str)
    for unit, found in halls["status"].items():
        assert found in ("no_data" if unit in set(there) else "not_met", "does_not_apply")
