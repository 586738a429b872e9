"""Negotiating grids in a real browser: what the page shows is what `GridPlan.apply` makes of its file."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import REPOSITORY
from map_town import HOSTILE, make_town
from test_edits import grid, grids_of, held, town
from test_map_in_browser import click_map, opened, text_of, wait  # noqa: F401

from gridmap.division.divide import divide
from gridmap.division.plans.edits import _edited, _sketch
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import EditError, OptionError
from gridmap.io.project import read_project
from gridmap.maps.edit_words import EDIT_WORDS
from gridmap.maps.explore import explore

ASSETS = REPOSITORY / "gridmap" / "maps" / "assets"
LAYER = "gridmap.app.layers.find(l => l.key === 'edit')"
STATE = f"{LAYER}.state"
# random moves of one atom and of what it would cut off, merges and splits; undone and done again now and then
WALK = """
const s = STATE, count = arguments[0];
let seed = arguments[1];
const random = n => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 2147483648 * n); };
const land = gm => Array.from(gm);
let did = {move: 0, merge: 0, split: 0, no: 0, undo: 0, breaks: 0, mends: 0, mistold: 0};
const extra = (some, others) => some.filter(r => !others.includes(r));
const same = (some, others) => some.length === others.length && !extra(some, others).length;
for (let k = 0; k < count; k++) {
  const a = random(s.grid.length), g = s.grid[a], kind = random(10);
  if (g < 0) continue;
  let result = {ok: false};
  const before = s.broken();
  if (kind < 6) {
    const to = s.neighbours([a]).filter(h => h !== g);
    if (to.length) {
      const h = to[random(to.length)], check = s.canMove([a], h);
      result = s.move(check.ok ? [a] : Array.from(new Set([a, ...check.atoms])), h);
    }
  } else if (kind === 6) {
    const near = s.neighbours(land(s.members(g)));
    if (near.length) result = s.merge([g, near[random(near.length)]]);
  } else if (kind < 9) {
    const parts = window.gridmap.splitInTwo(s, gridmap.app.layers.find(l => l.key === 'edit').land, g, k);
    if (parts) result = s.split(g, parts);
  } else if (s.done.length) { s.undo(); did.undo++; if (random(2)) s.redo(); continue; }
  did[result.ok === false ? 'no' : result.edit.op]++;
  if (result.ok === false) continue;
  const after = s.broken();
  did.breaks += result.breaks.length;
  did.mends += result.mends.length;
  if (!same(result.breaks, extra(after, before)) || !same(result.mends, extra(before, after))) did.mistold++;
}
gridmap.app.layers.find(l => l.key === 'edit').refresh();
return did;
""".replace("STATE", STATE)


@pytest.fixture(scope="module")
def tables(sample_dir):
    return read_project(sample_dir / "project.toml").tables


@pytest.fixture(scope="module")
def sample_plan(tables):
    """The sample town: one community counts residents against a band of its own, one is made of villager groups."""
    ground = {k: tables[k] for k in ("compounds", "units", "barriers", "entrances", "dedicated") if k in tables}
    bands = pd.DataFrame(
        [
            {"kind": "", "lower": 300, "upper": 500, "weight": "households"},
            {"kind": "resettlement", "lower": 900, "upper": 1500, "weight": "residents"},
            {"kind": "rural", "lower": 150, "level": "grid"},
            {"kind": "rural", "level": "area"},
        ]
    )
    plan = divide(
        tables["communities"], tables["buildings"], tables["streets"], bands=bands, effort="low", locked=None, **ground
    )
    return replace(plan, parameters={**plan.parameters, **random_groups(plan)})


def random_groups(plan):
    """Buildings of one community to be together or apart, near one another, so that edits break and mend them."""
    random = np.random.default_rng(5)
    homes = plan.assignment.dropna(subset=["grid_id"]).drop_duplicates("building_id")
    homes = homes.merge(plan.atoms[["atom_id", "community_id"]])
    groups = []
    for _, rows in homes.groupby("community_id"):
        ids = sorted(rows["building_id"])
        groups += [sorted(random.choice(ids, size, replace=False).tolist()) for size in (2, 2, 3, 2, 2, 4)]
    outside = plan.assignment.loc[plan.assignment["grid_id"].isna(), "building_id"]
    groups += [[outside.iloc[0], groups[0][0]]] if len(outside) else []
    return {"together": groups[::2], "apart": groups[1::2]}


@pytest.fixture(scope="module")
def drawn_plan(tables):
    """The present grids of the sample town, drawn by hand, and a compound that they cut."""
    grids = tables["grids"]
    here = grids[grids["community_id"] == grids["community_id"].iloc[0]].geometry.array
    border = here[0].boundary.intersection(shapely.union_all(here[1:]))
    yard = gpd.GeoDataFrame({"compound_id": ["CUT"]}, geometry=[border.centroid.buffer(40)], crs=grids.crs)
    return GridPlan.from_grids(grids, tables["communities"], tables["buildings"], tables["streets"], compounds=yard)


@pytest.fixture
def downloads(browser, tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    return folder


def begin(page):
    page.find_element("id", "gm-edit-start").click()


def press(page, selector):
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def click_atom(page, plan, atom_id):
    spot = plan.atoms.set_index("atom_id").to_crs(4326).geometry[atom_id].representative_point()
    click_map(page, spot.x, spot.y)


def saved(page, folder):
    press(page, '[data-action="save"]')
    end = time.monotonic() + 10
    while not (folder / "edits.json").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    return folder / "edits.json"


def shown(page):
    """By grid id what the page counts, its status; and the grid of each atom."""
    counts, atoms = page.execute_script(
        f"""
        const s = {STATE};
        const there = s.grids.map((g, k) => k).filter(k => s.isThere(k));
        return [there.map(k => [s.grids[k].id, s.count(k).households, s.count(k).status]),
                Array.from(s.grid, (g, a) => [s.atomId[a], g < 0 ? null : s.grids[g].id])];
        """
    )
    return pd.DataFrame(counts, columns=["grid_id", "households", "status"]).set_index("grid_id"), dict(atoms)


def broken_in_page(page):
    """What the page says is not kept, as (kind, names)."""
    rules = page.execute_script(
        f"""
        const compounds = gridmap.app.data.layers.compounds;
        return {STATE}.broken().map(r => [r.kind, r.kind === "compound" ? [compounds.id[r.name]] : [r.name].flat()]);
        """
    )
    return sorted((kind, *names) for kind, names in rules)


def broken_in_plan(plan):
    """What the findings of a plan say of it, and its atoms of compounds."""
    found = plan.findings
    kinds = {"together_impossible": "together", "apart_impossible": "apart"}
    told = [(kinds[r], *i) for r, i in zip(found["rule"], found["ids"], strict=True) if r in kinds]
    told += [("group", name) for ids in found.loc[found["rule"] == "group_parted", "ids"] for name in ids]
    atoms = plan.atoms.dropna(subset=["compound_id"])
    parted = atoms.groupby(["compound_id", "community_id"])["grid_id"].nunique()
    return sorted([*told, *(("compound", c) for c, _ in parted.index[parted > 1])])


def compounds_told(plan):
    """The compounds that the findings on grids drawn by hand say are split."""
    split = plan.findings.loc[plan.findings["rule"] == "compound_split", "ids"]
    return sorted(("compound", ids[0]) for ids in split)


def assert_same(page, plan):
    counts, atoms = shown(page)
    table = plan.grids.set_index("grid_id")
    assert sorted(counts.index) == sorted(table.index)
    assert counts["households"].to_dict() == pytest.approx(table["households"].to_dict(), abs=1e-6)
    assert counts["status"].to_dict() == table["status"].to_dict()
    assert atoms == grids_of(plan).astype(object).where(plan.atoms["grid_id"].notna().to_numpy(), None).to_dict()


def file_with(folder, plan, edits, plan_hash=None):
    path = folder / "given.json"
    path.write_text(json.dumps({"plan_hash": plan_hash or plan.plan_hash, "edits": edits}), encoding="utf-8")
    return path


def give_file(page, path):
    page.execute_script("document.querySelector('.gm-edit-told').textContent = ''")
    page.find_element("id", "gm-edit-file").send_keys(str(path))
    wait(page, "return document.querySelector('.gm-edit-told').textContent !== ''")
    return text_of(page, ".gm-edit-told")


def test_a_click_gives_a_piece_to_the_neighbour(opened, downloads):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    click_atom(page, plan, "a0-2")
    wait(page, "return document.querySelector('.gm-give')")
    assert "100 households" in text_of(page, "[data-fact='selected']")
    rows = page.execute_script(
        "const own = `.gm-give[data-to='${arguments[0]}'] .gm-change`;"
        "return Array.from(document.querySelectorAll(own), e => e.innerText)",
        grid(1),
    )
    assert [r.replace("\n", " ") for r in rows] == [
        "槐树社区 002 400 → 300 Within the band",
        "槐树社区 001 400 → 500 Within the band",
    ]
    press(page, f".gm-give[data-to='{grid(1)}']")
    after = plan.move(["a0-2"], grid(1))
    assert text_of(page, f"[data-count='{grid(1)}']") == f"{held(after)[grid(1)]:g}" == "500"
    assert text_of(page, f"[data-count='{grid(2)}']") == f"{held(after)[grid(2)]:g}" == "300"
    assert_same(page, plan.apply(saved(page, downloads)))


@pytest.mark.parametrize(
    ("which", "seed"),
    [
        ("sample_plan", 1),
        pytest.param("sample_plan", 2, marks=pytest.mark.full),
        ("drawn_plan", 3),
        ("CJ/T 349", 4),
    ],
)
def test_any_edits_give_the_same_plan_in_python(opened, downloads, request, which, seed):  # noqa: F811
    if which == "CJ/T 349":
        plan = town(labels=("000011", "000011"), owners="AAAABB", code="CJ/T 349")
    else:
        plan = request.getfixturevalue(which)
    page = opened(plan, edit=True)
    assert_same(page, plan)
    if which == "drawn_plan":
        assert broken_in_page(page) == compounds_told(plan) == [("compound", "CUT")]
    begin(page)
    did = page.execute_script(WALK, 150, seed)
    assert min(did["move"], did["merge"], did["split"], did["undo"]) > 2, did
    assert did["mistold"] == 0
    after = plan.apply(saved(page, downloads))
    assert_same(page, after)
    assert broken_in_page(page) == broken_in_plan(after)
    if which == "drawn_plan":
        assert compounds_told(after) == broken_in_page(page)
    if which == "sample_plan":
        assert min(did["breaks"], did["mends"]) > 2, did
        assert {kind for kind, *_ in broken_in_page(page)} >= {"together", "apart", "group"}
    before = shown(page)[1]
    while page.execute_script(f"return {STATE}.undo()"):
        pass
    assert_same(page, plan)
    assert "edits read" in give_file(page, downloads / "edits.json")
    assert shown(page)[1] == before


@pytest.mark.parametrize(
    ("lang", "breaks", "keeps"),
    [
        ("en", "No longer kept: buildings b0-2, b1-2 belong in one grid", "Kept again: buildings"),
        ("zh", "不再满足：建筑 b0-2、b1-2 应在同一网格", "恢复满足：建筑"),
    ],
)
def test_what_a_move_or_a_split_breaks_is_said_before_it_is_done(opened, lang, breaks, keeps):  # noqa: F811
    plan = town(parameters={"together": [["b0-2", "b1-2"]], "apart": [["b0-1", "b0-2"], ["b2-0", "b0-5"]]})
    page = opened(plan, edit=True, lang=lang)
    begin(page)
    assert not page.execute_script("return document.querySelector('.gm-breaks')")
    click_atom(page, plan, "a0-2")
    give = f".gm-give[data-to='{grid(1)}'] .gm-breaks"
    wait(page, f"return document.querySelector({json.dumps(give)})")
    said = page.execute_script("return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)", give)
    assert said[0] == breaks
    assert ("b0-1, b0-2 must not" if lang == "en" else "b0-1、b0-2 不得") in said[1]
    assert breaks in text_of(page, "[data-alone]")
    press(page, f".gm-give[data-to='{grid(1)}']")
    assert breaks in text_of(page, ".gm-edit-result")
    click_atom(page, plan, "a1-2")
    assert keeps in text_of(page, f".gm-give[data-to='{grid(1)}']")
    page.execute_script("gridmap.app.editing.click({lat: 0, lng: 0}, {})")
    kinds = page.execute_script("return Array.from(document.querySelectorAll('[data-rule]'), e => e.dataset.rule)")
    assert kinds == ["together", "apart"]
    assert broken_in_page(page) == broken_in_plan(plan.move("a0-2", grid(1)))


@pytest.mark.parametrize("which", ["sample_plan", pytest.param("drawn_plan", marks=pytest.mark.full)])
def test_what_the_page_refuses_python_refuses_too(opened, request, which):  # noqa: F811
    plan = request.getfixturevalue(which)
    page = opened(plan, edit=True)
    random = np.random.default_rng(7)
    ids, grids = plan.atoms["atom_id"].to_numpy(object), plan.grids["grid_id"].to_numpy(object)
    sketch = _sketch(plan)
    there = plan.atoms.set_index("atom_id")["grid_id"]
    borders = plan.adjacency
    across = borders[borders["atom_a"].map(there) != borders["atom_b"].map(there)]
    moves = []
    for _ in range(250):
        table = across if random.random() < 0.9 else borders
        one = table.iloc[random.integers(len(table))]
        atoms = [one["atom_a"], *([random.choice(ids)] if random.random() < 0.15 else [])]
        to = there[one["atom_b"]] if random.random() < 0.9 else random.choice(grids)
        if isinstance(to, str):
            moves.append({"op": "move", "atoms": list(dict.fromkeys(atoms)), "to": to})
    answers = page.execute_script(
        f"""
        const s = {STATE}, at = new Map(s.atomId.map((id, a) => [id, a]));
        return arguments[0].map(m => s.canMove(m.atoms.map(id => at.get(id)), s.gridOf(m.to)).ok);
        """,
        moves,
    )
    expected = []
    for move in moves:
        try:
            _edited(sketch, move)
            expected.append(True)
        except EditError:
            expected.append(False)
    assert answers == expected
    assert 20 < sum(expected) < len(expected) - 20


def test_a_torn_grid_is_told_and_mended(opened, downloads):  # noqa: F811
    plan = town(labels=("0111", "0000", "2220"), owners="AAAA")
    page = opened(plan, edit=True)
    begin(page)
    click_atom(page, plan, "a1-0")
    wait(page, "return document.querySelector('.gm-refused')")
    refused = f".gm-refused[data-to='{grid(3)}']"
    assert "would fall apart: 1 pieces with 100 households" in text_of(page, refused)
    press(page, f"{refused} button")
    assert "200 households" in text_of(page, "[data-fact='selected']")
    press(page, f".gm-give[data-to='{grid(3)}']")
    assert_same(page, plan.apply(saved(page, downloads)))


def test_several_pieces_go_together(opened, downloads):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    click_atom(page, plan, "a0-2")
    press(page, "[data-action='several']")
    click_atom(page, plan, "a1-2")
    wait(page, "return document.querySelector('[data-fact=selected]').innerText.includes('200')")
    press(page, f".gm-give[data-to='{grid(1)}']")
    assert held(plan.apply(saved(page, downloads)))[grid(1)] == 600
    assert text_of(page, f".gm-edit-grid[data-grid='{grid(1)}'] .gm-chip") == "▲ 100 over 500"
    assert text_of(page, f".gm-edit-grid[data-grid='{grid(2)}'] .gm-chip") == "▼ 100 short of 300"


def test_a_selection_becomes_a_grid_of_its_own(opened, downloads):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    click_atom(page, plan, "a2-0")
    press(page, "[data-alone]")
    after = plan.apply(saved(page, downloads))
    assert held(after)[grid(4)] == 100
    assert_same(page, after)


def test_the_other_language_keeps_what_was_done(opened):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True, lang=("en", "zh"))
    begin(page)
    click_atom(page, plan, "a0-2")
    press(page, f".gm-give[data-to='{grid(1)}']")
    english = text_of(page, ".gm-edit-body")
    press(page, ".gm-language")
    chinese = text_of(page, ".gm-edit-body")
    assert "500" in chinese
    assert re.findall(r"[A-Za-z]{2,}", re.sub(r"\bb\d-\d\b", "", chinese)) == []
    assert_same(page, plan.move(["a0-2"], grid(1)))
    press(page, ".gm-language")
    assert text_of(page, ".gm-edit-body") == english
    press(page, "[data-action='undo']")
    assert_same(page, plan)
    press(page, "[data-action='finish']")
    assert page.execute_script("return gridmap.app.editing === null && document.getElementById('gm-edit').hidden")


def test_keys_undo_redo_and_select(opened):  # noqa: F811
    from selenium.webdriver import ActionChains, Keys

    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    spot = plan.atoms.set_index("atom_id").to_crs(4326).geometry["a0-2"].centroid
    page.execute_script(
        "const map = gridmap.app.map; map.setView([arguments[1], arguments[0]], 17, {animate: false});"
        "map.getContainer().focus()",
        spot.x,
        spot.y,
    )
    ActionChains(page).send_keys(Keys.ENTER).perform()
    wait(page, "return document.querySelector('.gm-give')")
    page.execute_script("document.querySelector(`.gm-give[data-to='${arguments[0]}']`).focus()", grid(1))
    ActionChains(page).send_keys(Keys.ENTER).perform()
    after = plan.move(["a0-2"], grid(1))
    assert_same(page, after)
    ActionChains(page).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    assert_same(page, plan)
    ActionChains(page).key_down(Keys.CONTROL).send_keys("y").key_up(Keys.CONTROL).perform()
    assert_same(page, after)
    ActionChains(page).key_down(Keys.CONTROL).key_down(Keys.SHIFT).send_keys("z").key_up(Keys.SHIFT).key_up(
        Keys.CONTROL
    ).perform()
    assert_same(page, after)


def test_merge_and_split_by_their_buttons(opened, downloads):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    page.execute_script("gridmap.app.select('grids', 0)")
    press(page, "[data-action='merge']")
    assert "800" in text_of(page, f"[data-merge='{grid(2)}']")
    press(page, f"[data-merge='{grid(2)}']")
    assert "300 over 500" in text_of(page, f".gm-edit-grid[data-grid='{grid(1)}']")
    page.execute_script("gridmap.app.select('grids', 0)")
    press(page, "[data-action='split']")
    parts = page.execute_script(
        "return Array.from(document.querySelectorAll('.gm-proposal .gm-change-count'), e => +e.innerText)"
    )
    assert sum(parts) == 800
    assert all(300 <= p <= 500 for p in parts)
    press(page, "[data-action='split-this']")
    after = plan.apply(saved(page, downloads))
    assert_same(page, after)
    assert sorted(held(after)[g] for g in (grid(1), grid(4)) if g in held(after)) != []
    assert page.execute_script("return document.querySelectorAll('.gm-edit-list > li').length") == 2


def test_a_file_that_does_not_fit_changes_nothing(opened, tmp_path):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    begin(page)
    good = {"op": "move", "atoms": ["a0-2"], "to": grid(1)}
    wrong = {"op": "move", "atoms": ["a0-0"], "to": grid(2)}
    assert "1 edits read" in give_file(page, file_with(tmp_path, plan, [good]))
    after = plan.apply([good])
    assert_same(page, after)
    assert "made on another plan" in give_file(page, file_with(tmp_path, plan, [good], plan_hash="0" * 16))
    assert "Edit 2 of 2 of the file does not fit" in give_file(page, file_with(tmp_path, plan, [good, wrong]))
    assert "split that only the program" in give_file(
        page, file_with(tmp_path, plan, [{"op": "split", "grid_id": grid(1), "parts": 2}])
    )
    (tmp_path / "given.json").write_text("{]", encoding="utf-8")
    assert "not a file of edits" in give_file(page, tmp_path / "given.json")
    assert_same(page, after)


def test_leaving_with_unsaved_edits_is_warned_of(opened, downloads):  # noqa: F811
    plan = town()
    page = opened(plan, edit=True)
    warned = """
        const e = new Event('beforeunload', {cancelable: true});
        window.dispatchEvent(e);
        return e.defaultPrevented;
    """
    begin(page)
    assert not page.execute_script(warned)
    page.execute_script(f"{STATE}.move([{STATE}.atomId.indexOf('a0-2')], 0)")
    assert page.execute_script(warned)
    page.execute_script(f"{LAYER}.refresh()")
    saved(page, downloads)
    assert not page.execute_script(warned)
    page.execute_script(f"{STATE}.undo()")
    assert page.execute_script(warned)
    page.execute_script(f"{STATE}.redo()")
    assert not page.execute_script(warned)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_panel_speaks_one_language(opened, lang):  # noqa: F811
    plan = town(labels=("0111", "0000", "2220"), owners="AAAA")
    if lang == "en":
        plan.communities["name"], plan.grids["name"] = "Elm", ["Elm 001", "Elm 002", "Elm 003"]
    page = opened(plan, edit=True, lang=lang)
    begin(page)
    said = [text_of(page, "#gm-edit"), text_of(page, "#gm-edit-start")]
    for atom in ("a1-0", "a0-1"):
        click_atom(page, plan, atom)
        press(page, "[data-action='merge']")
        said.append(text_of(page, "#gm-edit"))
        press(page, "[data-action='split']")
        said.append(text_of(page, "#gm-edit"))
        page.execute_script("gridmap.app.editing.click({lat: 0, lng: 0}, {})")
    press(page, ".gm-edit-off button") if lang else None
    press(page, "[data-action='split']")
    press(page, "[data-action='split-this']")
    said.append(text_of(page, "#gm-edit"))
    text = "\n".join(said)
    assert not re.search(r"\{\w+\}|undefined|edit\.\w+", text)
    if lang == "zh":
        left = re.sub(r"控制键加字母键“Z”撤销，加“Y”重做|\bb\d-\d\b|edits\.json", "", text)
        assert re.findall(r"[A-Za-z]{2,}", left) == []
    else:
        assert re.findall("[\u4e00-\u9fff]", text) == []


def test_every_word_is_in_both_languages_and_used():
    scripts = "".join(path.read_text("utf-8") for path in ASSETS.glob("edit*.js"))
    built = (
        "edit.how.",
        "edit.rule.",
        "edit.no.",
        "edit.stays_",
        "edit.building",
        "edit.compound",
        "edit.land",
        "edit.merge",
        "edit.split",
    )
    for key, both in EDIT_WORDS.items():
        assert all(both)
        assert sorted(re.findall(r"\{\w+\}", both[0])) == sorted(re.findall(r"\{\w+\}", both[1])), key
        assert f'"{key}"' in scripts or key.startswith(built), key
    asked = set(re.findall(r'(?:say|no)\("(edit\.[a-z_.0-9]+[a-z0-9])"', scripts))
    assert asked <= set(EDIT_WORDS)


def test_hostile_names_stay_names_while_negotiating(opened):  # noqa: F811
    plan = town()
    plan.communities["name"] = HOSTILE[:2]
    plan.grids["name"] = [HOSTILE[k % 6] for k in range(len(plan.grids))]
    page = opened(plan, edit=True)
    begin(page)
    for atom in ("a0-2", "a2-5"):
        click_atom(page, plan, atom)
        wait(page, "return document.querySelector('.gm-edit-selected')")
    press(page, ".gm-give")
    assert page.execute_script("return window.broken") is None
    assert page.execute_script("return document.querySelectorAll('#gm-app img, #gm-app script').length") == 0
    wide = page.execute_script("const e = document.querySelector('.gm-edit'); return e.scrollWidth - e.clientWidth")
    assert wide <= 1


def test_a_grid_keeps_the_colour_of_its_status_while_negotiating(opened):  # noqa: F811
    """The most frequent colour in the middle of the first piece of each grid: legend and panel name one for both."""
    households = [[110, 110, 150, 150, 0, 0]] * 2 + [[90, 90, 120, 120, 0, 0]]
    plan = town(households=households, labels=("001144", "001144", "332244"), dedicated=["3"])
    assert set(plan.grids["status"]) == {"legal", "above", "below", "empty", "dedicated"}
    page = opened(plan, edit=True)
    first = plan.atoms.drop_duplicates("grid_id").set_index("grid_id").geometry.to_crs(4326)
    spots = [list(first[own].centroid.coords[0]) for own in plan.grids["grid_id"]]
    look = """
        const canvas = document.querySelector('.leaflet-gm-map-pane canvas'), map = gridmap.app.map;
        const box = canvas.getBoundingClientRect(), screen = map.getContainer().getBoundingClientRect();
        return arguments[0].map(spot => {
          const at = map.latLngToContainerPoint([spot[1], spot[0]]), many = {}, r = canvas.width / box.width;
          const x = (at.x + screen.left - box.left) * r, y = (at.y + screen.top - box.top) * r;
          const data = canvas.getContext('2d').getImageData(x - 20, y - 20, 40, 40).data;
          for (let i = 0; i < data.length; i += 4) {
            const name = data.slice(i, i + 3).join();
            many[name] = (many[name] || 0) + 1;
          }
          return Object.keys(many).reduce((a, b) => many[a] >= many[b] ? a : b);
        });
        """
    wait(page, "return !gridmap.app.busy()")
    before = page.execute_script(look, spots)
    begin(page)
    wait(page, "return !gridmap.app.busy()")
    assert page.execute_script(look, spots) == before
    assert len(set(before)) == len(spots)


def test_only_a_plan_with_atoms_can_be_negotiated():
    made = make_town()
    with pytest.raises(OptionError, match="edit=True needs a plan"):
        explore(made["grids"], edit=True)
    plan = town()
    with pytest.raises(OptionError, match="leave out the other table of grids"):
        explore(plan.merge([grid(1), grid(2)]).grids, plan, edit=True)
    assert "plan_hash" not in explore(plan).get_root().render()
