"""Combined rules: several categories, each by its own measure, all or any or some of them."""

from __future__ import annotations

import tomllib

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from small_towns import CRS, at, random_town

import gridmap as gm
from gridmap.coverage.counting.rules import Criterion, read_rules
from gridmap.errors import OptionError

CLINIC = {"category": "clinic", "minutes": 2.5}
SCHOOL = {"category": "school", "metres": 180}
PARK = {"category": "park", "radius": 120}
NEAR = {"category": "clinic", "minutes": 1}


def town(seed):
    homes, services, streets = random_town(seed, facilities=7, categories=("clinic", "school", "park"))
    return homes, services, gm.StreetNetwork.from_streets(streets, access_metres=25)


def leaves(homes, services, network):
    """Each criterion counted on its own."""
    single = {
        "clinic (2.5 min)": gm.cover(homes, services, network, minutes={"clinic": 2.5}),
        "school": gm.cover(homes, services, network, metres={"school": 180}),
        "park": gm.cover(homes, services, network, metres={"park": 120}, how="straight"),
        "clinic (1 min)": gm.cover(homes, services, network, minutes={"clinic": 1}),
    }
    return {name: cover.covered[:, 0] for name, cover in single.items()}


RULES = {
    "daily": {"all": [CLINIC, SCHOOL]},
    "either": {"any": [PARK, SCHOOL]},
    "two of three": {"at_least": 2, "of": [NEAR, PARK, SCHOOL]},
    "nested": {"all": [{"any": [NEAR, PARK]}, CLINIC]},
    "plain": PARK,
}


def expected(single):
    clinic, school, park, near = (single[n] for n in ("clinic (2.5 min)", "school", "park", "clinic (1 min)"))
    return {
        "daily": clinic & school,
        "either": park | school,
        "two of three": near.astype(int) + park + school >= 2,
        "nested": (near | park) & clinic,
        "plain": park,
    }


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_rules_are_met_where_their_criteria_are(seed):
    homes, services, network = town(seed)
    cover = gm.cover(homes, services, network, rules=RULES)
    single = leaves(homes, services, network)
    assert list(cover.thresholds) == ["clinic (2.5 min)", "school", "park", "clinic (1 min)"]
    for column, name in enumerate(cover.thresholds):
        assert np.array_equal(cover.covered[:, column], single[name])
    wanted = expected(single)
    rates = cover.rate("community_id").set_index(["unit_id", "category"])
    households = homes["households"].to_numpy()
    for name, met in wanted.items():
        assert np.array_equal(cover.met[:, cover.names.index(name)], met)
        for unit in sorted(homes["community_id"].unique()):
            inside = (homes["community_id"] == unit).to_numpy()
            assert rates.loc[(unit, name), "covered"] == (households * met)[inside].sum()
            assert rates.loc[(unit, name), "total"] == households[inside].sum()
    complete = cover.completeness()
    assert complete["reached"].tolist() == np.sum(list(wanted.values()), axis=0).tolist()
    assert set(complete["categories"]) == {5}
    gaps = cover.gaps()
    for name, met in wanted.items():
        assert gaps.loc[gaps["category"] == name, "households"].sum() == (households * ~met).sum()
    reach = cover.reach
    assert len(reach) == len(homes) * 4
    assert reach["covered"].to_numpy().reshape(len(homes), 4).tolist() == cover.covered.tolist()


def test_rules_are_plain_data_as_toml_has_it():
    text = """
    [rules.daily]
    all = [{category = "clinic", minutes = 15}, {category = "canteen", minutes = 10}]

    [rules.food]
    any = [{category = "supermarket", metres = 500}, {category = "market", radius = 300}]
    """
    rules = read_rules(tomllib.loads(text)["rules"])
    assert list(rules.expressions) == ["daily", "food"]
    assert rules.criteria["market"] == Criterion("market", "radius", 300)
    assert rules.measures == ["minutes", "minutes", "metres", "metres"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "must map the name"),
        ({}, "must map the name"),
        ({"a": "clinic"}, r"rules\['a'\] is 'clinic'"),
        ({"a": {}}, "has nothing"),
        ({"a": {"all": []}}, r"rules\['a'\].all must be a list"),
        ({"a": {"all": [{"category": "x"}]}}, r"rules\['a'\].all\[0\] needs exactly one"),
        ({"a": {"category": "x", "minutes": 5, "metres": 3}}, "has metres, minutes"),
        ({"a": {"category": "x", "minutes": 0}}, "above 0"),
        ({"a": {"category": "x", "minutes": True}}, "above 0"),
        ({"a": {"at_least": 3, "of": [CLINIC, PARK]}}, "from 1 to 2"),
        ({"a": {"some": [CLINIC]}}, "has some"),
        ({"clinic": CLINIC}, "called like a category"),
    ],
)
def test_what_is_no_rule_is_refused(rules, words):
    with pytest.raises(OptionError, match=words):
        read_rules(rules)


def test_rules_in_a_straight_line_need_no_streets():
    homes, services, network = town(3)
    alone = gm.cover(homes, services, rules={"plain": PARK})
    assert np.array_equal(alone.met, gm.cover(homes, services, network, rules={"plain": PARK}).met)
    straight = gm.cover(homes, services, how="straight", rules={"daily": {"all": [SCHOOL, PARK]}})
    school = gm.cover(homes, services, how="straight", metres={"school": 180}).covered[:, 0]
    park = gm.cover(homes, services, how="straight", metres={"park": 120}).covered[:, 0]
    assert np.array_equal(straight.met[:, 2], school & park)
    with pytest.raises(OptionError, match="needs streets"):
        gm.cover(homes, services, rules={"daily": {"all": [SCHOOL, PARK]}})


def test_findings_scenarios_comparisons_and_what_is_shown(tmp_path):
    homes, services, network = town(4)
    rules = {"daily": {"all": [CLINIC, {"category": "bank", "metres": 100}]}}
    cover = gm.cover(homes, services, network, rules=rules)
    found = cover.findings.set_index("rule")
    assert "bank" in found.loc["category_not_offered", "message"]
    assert found.loc["category_not_asked", "ids"] == sorted(services["facility_id"][services["category"] != "clinic"])
    assert cover.rate().set_index("category")["covered"]["daily"] == 0
    assert "1 rules" in repr(cover)
    assert "daily" in cover._repr_html_()
    bank = gpd.GeoDataFrame(
        {"facility_id": ["b"], "category": ["bank"]}, geometry=[shapely.Point(at([140, 140]))], crs=CRS
    )
    after = cover.with_changes(add_facilities=bank)
    table = gm.compare(cover, after).set_index("category")
    assert table["gained"]["daily"] == after.rate().set_index("category")["covered"]["daily"] > 0
    assert table["net"]["clinic"] == 0
    with pytest.raises(OptionError, match="combined rules"):
        cover.with_thresholds(minutes=5)
    with pytest.raises(OptionError, match="combined rules"):
        cover.rate(weight="area")
    from gridmap.io.write.workbook import write_workbook

    write_workbook(tmp_path / "rules.xlsx", cover=cover)
