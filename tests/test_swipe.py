"""Before and after on one map: what each side shows and counts, the divider, and the tables of who gained."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from conftest import REPOSITORY
from map_town import HOSTILE, make_town
from test_edits import grid, held, town
from test_map_in_browser import DAY, click_map, fact, opened, text_of, wait  # noqa: F401

from gridmap.coverage.counting.compare import compare
from gridmap.coverage.counting.cover import cover
from gridmap.errors import OptionError
from gridmap.maps import sheet
from gridmap.maps.explore import explore
from gridmap.maps.swipe_words import SWIPE_WORDS
from gridmap.maps.words import words

ASSETS = REPOSITORY / "gridmap" / "maps" / "assets"


@pytest.fixture(scope="module")
def plans():
    before = town()
    return before, before.move(["a0-2"], grid(1)).merge([grid(1), grid(3)])


@pytest.fixture(scope="module")
def covers():
    made = make_town()
    metres = {"clinic": 60.0, "kindergarten": 200.0, "market": 300.0}
    after = cover(made["buildings"], made["facilities"], metres=metres, how="straight")
    return made, after


def divider_at(page, share):
    page.execute_script(
        """
        const bar = document.getElementById('gm-swipe');
        bar.focus();
        bar.dispatchEvent(new KeyboardEvent('keydown', {key: 'Home', bubbles: true}));
        for (let k = 0; k < arguments[0]; k++) bar.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}));
        """,
        round(100 * share),
    )


def edges_of_sides(page):
    """Where the one side ends and the other begins, in per cent of the width of the map."""
    return page.execute_script(
        """
        const map = gridmap.app.map, at = pane => {
          const points = getComputedStyle(map.getPane(pane)).clipPath.match(/-?[\\d.e+]+(?=px)/g);
          return points.map(Number).filter((v, k) => k % 2 === 0);
        };
        const seen = x => 100 * map.layerPointToContainerPoint([x, 0]).x / map.getSize().x;
        return [seen(Math.max(...at('gm-before'))), seen(Math.min(...at('gm-map')))];
        """
    )


def cell_texts(page, selector):
    return page.execute_script(
        "return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText.trim())", selector
    )


def test_what_both_sides_share_is_made_once(covers, monkeypatch):
    """Two plans on the same tables: each is encoded once; the page is the same as of copies of them."""
    plan, encoded, encode = covers[0]["plan"], [], sheet.encode_shapes
    names = ("communities", "buildings", "streets", "compounds", "barriers", "entrances")
    copied = replace(plan, **{name: getattr(plan, name).copy() for name in names})

    def counted(shapes, *arguments, **options):
        encoded.append(len(shapes))
        return encode(shapes, *arguments, **options)

    monkeypatch.setattr(sheet, "encode_shapes", counted)
    shared = explore(plan, replace(plan), swipe=True, date=DAY).payload
    once = len(encoded)
    assert explore(plan, copied, swipe=True, date=DAY).payload == shared
    assert len(encoded) - 2 * once == len(names)
    # circles that reach farther on one side move the corner from which its places are counted
    circles = covers[0]["circles"]
    wider = circles, circles.set_geometry(circles.buffer(500))
    pages = [explore(plan, other, *wider, swipe=True, date=DAY).payload for other in (replace(plan), copied)]
    assert pages[0] == pages[1]
    assert pages[0]["before"]["frame"] != pages[0]["frame"]


def test_each_side_shows_its_own_plan(opened, plans):  # noqa: F811
    before, after = plans
    page = opened(before, after, swipe=True)
    spot = before.atoms.set_index("atom_id").to_crs(4326).geometry["a0-2"].representative_point()
    page.execute_script("gridmap.app.show('buildings', false)")
    divider_at(page, 1)
    click_map(page, spot.x, spot.y)
    wait(page, "return !!gridmap.app.state.selected")
    assert fact(page, "headline") == f"{held(before)[grid(2)]:g}" == "400"
    assert text_of(page, ".gm-side") == "Before"
    divider_at(page, 0)
    click_map(page, spot.x, spot.y)
    wait(page, "return !gridmap.app.state.selected.side")
    assert fact(page, "headline") == f"{held(after)[grid(1)]:g}" == "900"
    assert text_of(page, ".gm-side") == "After"
    came = dict(zip(*[iter(re.split(r"\n", "\n".join(cell_texts(page, ".gm-came li"))))] * 2, strict=True))
    rows = before.compare(after)
    rows = rows[(rows["grid_to"] == grid(1)) & (rows["grid_from"] != grid(1))]
    assert came == {g: f"{n:g} households" for g, n in zip(rows["grid_from"], rows["households"], strict=True)}


def test_the_divider_follows_keys_mouse_and_finger(opened, plans):  # noqa: F811
    from selenium.webdriver import ActionChains, Keys

    page = opened(*plans, swipe=True)
    bar = page.find_element("id", "gm-swipe")
    now = lambda: int(bar.get_attribute("aria-valuenow"))  # noqa: E731
    assert now() == 50
    page.execute_script("arguments[0].focus()", bar)
    ActionChains(page).send_keys(Keys.ARROW_LEFT).perform()
    assert now() == 49
    ActionChains(page).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
    assert now() == 59
    assert edges_of_sides(page) == pytest.approx([59, 59], abs=0.2)
    centre = page.execute_script("return [gridmap.app.map.getCenter().lat, gridmap.app.map.getCenter().lng]")
    box = page.execute_script("return gridmap.app.map.getContainer().getBoundingClientRect().toJSON()")
    middle = int(box["top"] + box["height"] / 2)

    actions = ActionChains(page)
    actions.w3c_actions.pointer_action.move_to_location(int(box["left"] + 0.59 * box["width"]), middle)
    actions.w3c_actions.pointer_action.pointer_down()
    actions.w3c_actions.pointer_action.move_to_location(int(box["left"] + 0.25 * box["width"]), middle)
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()
    assert abs(now() - 25) <= 1
    assert edges_of_sides(page) == pytest.approx([now(), now()], abs=0.6)

    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, share in (("touchStart", 0.25), ("touchMove", 0.5), ("touchMove", 0.75), ("touchEnd", None)):
        point = [] if share is None else [{"x": box["left"] + share * box["width"], "y": middle}]
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": point})
    assert abs(now() - 75) <= 1
    assert page.execute_script("return [gridmap.app.map.getCenter().lat, gridmap.app.map.getCenter().lng]") == centre


def test_both_sides_pan_and_zoom_under_a_divider_that_stays(opened, plans):  # noqa: F811
    page = opened(*plans, swipe=True)
    for step in ("panBy([70, 40], {animate: false})", "setZoom(17.25, {animate: false})"):
        page.execute_script(f"gridmap.app.map.{step}")
        edges = edges_of_sides(page)
        assert edges == pytest.approx([50, 50], abs=0.2)
    boxes = page.execute_script(
        """
        return ['gm-before', 'gm-map'].map(p => {
          const b = gridmap.app.map.getPane(p).querySelector('canvas').getBoundingClientRect();
          return [b.left, b.top, b.width, b.height];
        });
        """
    )
    assert boxes[0] == boxes[1]


def test_the_legend_names_what_either_side_shows(opened, plans):  # noqa: F811
    page = opened(*reversed(plans), swipe=True)
    legend = text_of(page, '.gm-layer[data-layer="grids"] .gm-classes')
    assert re.findall(r"(?:\d+–\d+|Above \d+|Below \d+) households", legend) == [
        "200–299 households", "300–400 households", "Above 667 households",
    ]  # fmt: skip
    assert "Counts are those of: After" in legend


def test_the_table_of_who_gained_is_that_of_compare(opened, covers):  # noqa: F811
    made, after = covers
    page = opened(made["plan"], made["cover"], after, swipe=True)
    whole = compare(made["cover"], after).set_index("category")
    assert (whole["gained"] > 0).any()
    assert (whole["lost"] > 0).any()
    for category, row in whole.iterrows():
        cells = cell_texts(page, f".gm-gains tr[data-category='{category}'] td")
        rates = [f"{100 * row[f'rate_{when}']:.1f} %" for when in ("before", "after")]
        gains = [f"{sign}{row[name]:,.0f}" if row[name] else "0" for sign, name in (("+", "gained"), ("−", "lost"))]
        assert cells == [" → ".join(rates), *gains]
    by_grid = compare(made["cover"], after, by=made["plan"])
    owner = made["grids"].set_index("grid_id")["community_id"]
    by = by_grid.groupby([by_grid["unit_id"].map(owner), "category"])[["gained", "lost"]].sum()
    page.execute_script("gridmap.app.setCategory(gridmap.app.data.categories.findIndex(c => c.id === 'clinic'))")
    for community in made["communities"]["community_id"]:
        row = by.loc[(community, "clinic")]
        cells = cell_texts(page, f".gm-gains tr[data-community='{community}'] td")
        assert cells[1:] == [f"{s}{row[n]:,.0f}" if row[n] else "0" for s, n in (("+", "gained"), ("−", "lost"))]
    page.execute_script("gridmap.app.select('communities', 0)")
    row = by.loc[(made["communities"]["community_id"][0], "market")]
    cells = cell_texts(page, ".gm-gains tr[data-category='market'] td")
    assert cells[1:] == [f"{s}{row[n]:,.0f}" if row[n] else "0" for s, n in (("+", "gained"), ("−", "lost"))]


def test_without_a_plan_communities_are_counted_by_their_outlines(covers):
    made, after = covers
    payload = explore(made["cover"], after, made["communities"], swipe=True, date=DAY).payload
    table = compare(made["cover"], after, by=made["communities"]).set_index(["category", "unit_id"])
    ids = payload["layers"]["communities"]["id"]
    for name in ("total", "covered_before", "covered_after", "gained", "lost", "rate_before", "rate_after"):
        for k, row in enumerate(payload["categories"]):
            if row["id"] in after.thresholds:
                expected = [table.loc[(row["id"], i), name] for i in ids]
                assert payload["gains"]["covers"]["communities"][name][k] == pytest.approx(expected, abs=1e-4)


def test_blind_spots_are_those_of_each_side(opened, covers):  # noqa: F811
    made, after = covers
    page = opened(made["plan"], made["cover"], after, swipe=True)
    reached = page.execute_script(
        """
        const app = gridmap.app, c = app.data.categories.findIndex(x => x.id === 'clinic');
        const out = [];
        for (const x of [0, app.map.getSize().x]) {
          const side = app.sideAt(app.map.containerPointToLatLng([x ? x - 1 : 0, 10]));
          const ids = side.data.layers.buildings.id, codes = side.reach(c);
          out.push(Object.fromEntries(ids.map((id, f) => [id, codes[f] < 0x8000])));
        }
        return out;
        """
    )
    for counted, shown in zip((made["cover"], after), reached, strict=True):
        rows = counted.reach[(counted.reach["category"] == "clinic") & (counted.reach["rank"] == 1)]
        assert shown == dict(zip(rows["building_id"], rows["covered"].astype(bool), strict=True))
    assert reached[0] != reached[1]


def test_the_table_of_plans_is_that_of_their_comparison(opened, plans):  # noqa: F811
    before, after = plans
    page = opened(before, after, swipe=("Today", "Proposal"))
    assert cell_texts(page, ".gm-swipe-name") == ["Today", "Proposal"]
    summary = before.compare(after).attrs["summary"]
    for name in ("households_moved", "buildings_moved", "grids_untouched", "grids_changed", "grids_new", "grids_gone"):
        assert text_of(page, f"[data-change='{name}']") == f"{summary[name]:g}"
    cells = {c: cell_texts(page, f"tr[data-community='{c}'] td") for c in before.communities["community_id"]}
    for side, plan in enumerate((before, after)):
        for community, rows in plan.grids.groupby("community_id"):
            assert cells[community][0].split(" → ")[side] == str(len(rows))
            assert cells[community][1].split(" → ")[side] == str((rows["status"] == "legal").sum())
    assert sum(float(c[2]) for c in cells.values()) == summary["households_moved"]


def test_both_sides_change_their_language(opened, plans):  # noqa: F811
    page = opened(*plans, swipe=({"en": "Today", "zh": "现状"}, {"en": "Proposal", "zh": "方案"}), lang=("en", "zh"))
    spoken = """
        const side = gridmap.app.sideAt(gridmap.app.map.containerPointToLatLng([0, 0]));
        return side.data.themes[0].label + side.data.themes[0].classes.map(c => c.label).join()
          + document.getElementById('gm-swipe').getAttribute('aria-label')
          + document.getElementById('gm-swipe').innerText
          + Array.from(document.querySelectorAll('.gm-gains, .gm-side'), e => e.innerText).join();
    """
    english = page.execute_script(spoken)
    page.execute_script("document.querySelector('.gm-language').click()")
    chinese = page.execute_script(spoken)
    names = "".join(plans[0].communities["name"])
    assert set(re.findall("[\u4e00-\u9fff]", english)) <= set(names)
    assert re.findall("[A-Za-z]{2,}", chinese) == []
    assert "现状" in chinese
    page.execute_script("document.querySelector('.gm-language').click()")
    assert page.execute_script(spoken) == english


def test_hostile_names_of_sides_stay_names(opened, plans):  # noqa: F811
    page = opened(*plans, swipe=(HOSTILE[0], HOSTILE[5]))
    assert text_of(page, ".gm-swipe-before") == HOSTILE[0]
    assert page.execute_script("return window.broken") is None
    assert page.execute_script("return document.querySelectorAll('#gm-app img, #gm-app script').length") == 0
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_words_are_in_both_languages_and_used():
    scripts = "".join((ASSETS / f"{name}.js").read_text("utf-8") for name in ("swipe", "gains"))
    for key, both in SWIPE_WORDS.items():
        assert all(both)
        assert sorted(re.findall(r"\{\w+\}", both[0])) == sorted(re.findall(r"\{\w+\}", both[1])), key
        assert f'"{key}"' in scripts, key
    asked = set(re.findall(r'"((?:gains|changes|swipe)\.[a-z_]+)"', scripts))
    assert asked <= set(SWIPE_WORDS) | set(words("en"))


def test_what_cannot_be_compared_is_told(plans, covers):
    made, after = covers
    for layers in ((plans[0],), (plans[0], made["cover"]), (made["circles"], made["circles"])):
        with pytest.raises(OptionError, match="two plans or two covers"):
            explore(*layers, swipe=True)
    with pytest.raises(OptionError, match="there are 3 of plan"):
        explore(*plans, plans[0], swipe=True)
    with pytest.raises(OptionError, match="with swipe=True it takes two"):
        explore(*plans)
    with pytest.raises(OptionError, match="do not go together"):
        explore(*plans, swipe=True, edit=True)
    assert 'id="gm-data"' in explore(after, made["cover"], swipe=True, date=DAY).get_root().render()
    assert "gm-swipe" not in explore(made["plan"], date=DAY).get_root().render()
