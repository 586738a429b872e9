"""Compliance on the map: the numbers and words are those of the table, and a click tells what is not met."""

from __future__ import annotations

import re

import pytest
from map_town import make_town
from test_map_in_browser import opened, text_of  # noqa: F401

import gridmap as gm
from gridmap.maps.compliance_lights import said_compliance
from gridmap.maps.explore import explore
from gridmap.maps.layers import sort_layers
from gridmap.maps.sheet import Sheet
from gridmap.view.compliance_words import requirement_words, unmet_words

STANDARDS = ["GB 50180-2018", "city check", "complete community 2020"]


@pytest.fixture(scope="module")
def town():
    return make_town()


def tables(town):
    plan, cover = town["plan"], town["cover"]
    units = {"grids": plan, "communities": plan.communities, "city": None}
    return {kind: cover.compliance(STANDARDS, by=by) for kind, by in units.items()}


@pytest.mark.parametrize("kind", ["grids", "communities", "city"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_said_of_each_unit_is_what_the_table_has(town, kind, lang):
    table = tables(town)[kind]
    said = said_compliance(Sheet(sort_layers([town["plan"], town["cover"], table])), lang)
    assert list(said) == [kind]
    ids = {"grids": "grid_id", "communities": "community_id"}
    units = ["all"] if kind == "city" else getattr(town["plan"], kind)[ids[kind]].astype(str).tolist()
    for i, unit in enumerate(units):
        own = table[table["unit_id"] == unit]
        counts = own["status"].value_counts()
        assert said[kind]["met"][i] == counts.get("met", 0)
        assert said[kind]["judged"][i] == sum(counts.get(s, 0) for s in ("met", "partly", "not_met"))
        assert said[kind]["open"][i] == counts.get("no_data", 0)
        unmet = own[own["status"].isin(("partly", "not_met"))].to_dict("records")
        expected = {(requirement_words(row, lang), unmet_words(row, lang)) for row in unmet}
        assert {(what, missing) for what, missing, _ in said[kind]["unmet"][i]} == expected
        for what, missing, _ in said[kind]["unmet"][i]:
            assert bool(re.search("[\u4e00-\u9fff]", what + missing)) == (lang == "zh")
            assert "_" not in what + missing


@pytest.mark.parametrize("kind", ["grids", "communities"])
def test_grids_are_coloured_by_the_share_met(town, kind):
    table = tables(town)[kind]
    payload = explore(town["plan"], town["cover"], table).payload
    theme = next(theme for theme in payload["themes"] if theme["key"] == "compliance")
    grids = town["plan"].grids
    for row, (grid, community) in enumerate(zip(grids["grid_id"], grids["community_id"], strict=True)):
        own = table[table["unit_id"] == (grid if kind == "grids" else community)]["status"]
        judged = own.isin(("met", "partly", "not_met")).sum()
        label = theme["classes"][theme["of"][row]]["label"]
        if not judged:
            assert label == "Not judged"
        else:
            low, high = (float(n) for n in re.findall(r"\d+", label))
            assert low <= 100 * (own == "met").sum() / judged <= high


def test_findings_are_among_those_of_the_map(town):
    table = tables(town)["grids"]
    content = sort_layers([town["plan"], town["cover"], table])
    assert set(table.attrs["findings"]["rule"]) <= set(content.tables["findings"]["rule"])


def test_units_that_the_map_does_not_have_are_refused(town):
    table = town["cover"].compliance("city check", by="building_id")
    with pytest.raises(gm.OptionError, match="no grids or communities of the map"):
        explore(town["plan"], town["cover"], table)
    with pytest.raises(gm.OptionError, match="compliance is of one state"):
        explore(town["cover"], town["cover"], tables(town)["city"], swipe=True)
    with pytest.raises(gm.OptionError, match="one compliance"):
        explore(town["cover"], tables(town)["city"], tables(town)["city"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_click_tells_what_is_not_met(opened, town, lang):  # noqa: F811
    table = tables(town)["grids"]
    page = opened(town["plan"], town["cover"], table, lang=("en", "zh"))
    if lang == "zh":
        page.find_element("css selector", ".gm-language").click()
    page.execute_script("gridmap.app.select('grids', 2, true)")
    grid = str(town["plan"].grids["grid_id"].iloc[2])
    unmet = table[(table["unit_id"] == grid) & table["status"].isin(("partly", "not_met"))]
    shown = text_of(page, ".gm-compliance")
    assert len(unmet) == len(page.find_elements("css selector", ".gm-compliance .gm-finding")) > 3
    for row in unmet.to_dict("records"):
        assert requirement_words(row, lang) in shown
        assert unmet_words(row, lang) in shown
    page.execute_script("gridmap.app.select('communities', 0, true)")
    assert page.find_elements("css selector", ".gm-compliance") == []
