"""The atlas: one page a grid, whose roster adds up, whose numbers are those of the cover; it asks for nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from map_town import HOSTILE, make_city, make_town
from test_report import Text

import gridmap as gm
from gridmap.errors import OptionError, WriteError
from gridmap.maps.explore import explore
from gridmap.maps.report.ground import ground_of
from gridmap.maps.report.report_words import REPORT_WORDS
from gridmap.maps.report.roster import nearest_by_grid, rosters

DAY = "2025-06-01"
REPORT = Path(gm.__file__).parent / "maps" / "report"


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module")
def plain_town():
    return make_town(
        names=("One", "Two", "Three", "Four", "Empty", "Campus"), facility_names=tuple(f"Place {i}" for i in range(8))
    )


@pytest.fixture(scope="module")
def page(town, tmp_path_factory):
    path = tmp_path_factory.mktemp("atlas") / "atlas.html"
    assert gm.atlas(path, town["plan"], cover=town["cover"], date=DAY) == [path]
    return path.read_text("utf-8")


def sheets(page: str) -> list[str]:
    return re.findall(r"<section>.*?</section>", page, re.DOTALL)


def test_every_grid_has_one_page_after_that_of_its_community(page, town):
    titles = re.findall(r"<h1>(.*?)</h1>", page)
    expected = []
    for name in ("Happiness", "Peace"):
        expected += [f"{name}: 3 grids", *(f"Grid {n:03d} · {name}" for n in (1, 2, 3))]
    assert titles == expected
    assert len(sheets(page)) == 8
    for sheet, code in zip(sheets(page)[1:4], town["grids"]["grid_id"][:3], strict=True):
        assert f"Code: {code}" in sheet


def test_the_roster_adds_up_to_the_grid(town):
    lists = rosters(ground_of(town["plan"], None, "en"))
    for roster, grid in zip(lists, town["grids"].to_dict("records"), strict=True):
        assert roster.households.sum() == grid["households"]
        lived = roster.number[roster.number > 0]
        assert lived.tolist() == list(range(1, len(lived) + 1))
        assert (roster.households[: len(lived)] > 0).all()
        own = town["plan"].assignment
        assert set(town["buildings"]["building_id"].iloc[roster.row]) == set(
            own["building_id"][own["grid_id"] == grid["grid_id"]]
        )


def test_a_split_building_counts_in_each_of_its_grids(town):
    plan = town["plan"]
    half = plan.assignment.copy()
    half.loc[0, "households"] = 50.0
    other = half.iloc[[0]].assign(grid_id=town["grids"]["grid_id"][1], households=53.0)
    split = gm.GridPlan(
        grids=plan.grids, assignment=pd.concat([half, other], ignore_index=True), findings=plan.findings,
        communities=plan.communities, buildings=plan.buildings, parameters=plan.parameters,
    )  # fmt: skip
    lists = rosters(ground_of(split, None, "en"))
    assert lists[0].households[lists[0].split].tolist() == [50.0]
    assert lists[1].households[lists[1].split].tolist() == [53.0]


def one_household_at_a_time(cover, assignment, grid, category):
    """What half of the households have to go at most, and how many have each facility as the nearest, by counting."""
    reach = cover.reach[(cover.reach["category"] == category) & (cover.reach["rank"] == 1)]
    way = {row.building_id: (getattr(row, cover.measure), row.facility_id) for row in reach.itertuples()}
    everyone, nearest = [], Counter()
    for row in assignment[assignment["grid_id"] == grid].itertuples():
        metres, facility = way.get(row.building_id, (np.nan, None))
        for _ in range(int(row.households)):
            everyone.append(np.inf if np.isnan(metres) else metres)
            nearest.update([] if np.isnan(metres) else [facility])
    if not everyone:
        return np.nan, nearest
    middle = sorted(everyone)[(len(everyone) + 1) // 2 - 1]
    return (np.nan if np.isinf(middle) else middle), nearest


def test_the_nearest_facilities_are_those_of_the_cover(town):
    """Map and atlas alike, against a count of each household; the streets leave some buildings without a way."""
    plan, random = town["plan"], np.random.default_rng(11)
    streets = town["streets"].iloc[1:]
    for cover in (town["cover"], gm.cover(town["buildings"], town["facilities"], streets, minutes=3)):
        for _ in range(8):
            homes = plan.assignment["building_id"].sample(40, replace=True, random_state=random)
            mixed = pd.DataFrame({"building_id": homes.to_numpy(), "households": random.integers(0, 9, 40)})
            mixed["grid_id"] = random.choice([*plan.grids["grid_id"][:5], None], 40)
            changed = replace(plan, assignment=mixed.assign(unit_id=None, area_id=None))
            atlas = nearest_by_grid(ground_of(changed, cover, "en"))
            payload = explore(changed, cover, date=DAY).payload
            page, ids = payload["coverage"]["grids"], payload["layers"]["facilities"]["id"]
            column = [row["id"] for row in payload["categories"]]
            for g, grid in enumerate(plan.grids["grid_id"]):
                for c, category in enumerate(atlas.categories):
                    far, nearest = one_household_at_a_time(cover, mixed, grid, category)
                    assert atlas.distance[g, c] == pytest.approx(far, nan_ok=True)
                    shown = page["distance"][column.index(category)][g]
                    assert (np.nan if shown is None else shown) == pytest.approx(far, abs=0.051, nan_ok=True)
                    named = page["nearest"][column.index(category)][g] - 1
                    if not nearest:
                        assert atlas.facility[g, c] == named == -1
                        continue
                    assert ids[named] == cover.facilities["facility_id"].iloc[atlas.facility[g, c]]
                    assert nearest[ids[named]] == max(nearest.values())


def test_the_page_says_what_was_counted(page, town):
    sheet = Text(sheets(page)[1])
    clinic = town["cover"].rate(by=town["plan"]).set_index(["unit_id", "category"])
    rate = clinic.loc[(town["grids"]["grid_id"][0], "clinic"), "rate"]
    row = next(r for r in sheet.rows if r[0] == "Clinic")
    assert row[1] == f"{100 * rate:.0f} %"
    assert "4 buildings with 412 households." in " ".join(sheet.words)
    numbers = [int(r[i]) for r in sheet.rows for i in range(0, len(r), 4) if len(r) == 19 and r[i].isdigit()]
    assert sorted(numbers) == [1, 2, 3, 4]


def test_the_map_names_streets_neighbours_and_compounds(page):
    words = re.findall(r"<text[^>]*>(.*?)</text>", sheets(page)[1])
    assert "002" in words  # its neighbour in the same community
    assert "Peace 001" in words  # and that across the border
    assert {"长安街", "幸福路", "幸福小区"} <= set(words)
    assert {"1", "2", "3", "4"} <= set(words)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyError("grid")])
def test_several_files_are_written_all_or_none(tmp_path, town, monkeypatch, fault):
    from gridmap.maps.report import atlas as module

    files = gm.atlas(tmp_path / "a.html", town["plan"], by="community", date=DAY)
    assert len(files) == 2
    files[1].unlink()
    before = files[0].read_bytes()
    make, made = module.page_content, []

    def second_fails(path, *args, **options):
        made.append(path)
        if len(made) == 2:
            raise fault
        return make(path, *args, **options)

    monkeypatch.setattr(module, "page_content", second_fails)
    with pytest.raises(WriteError if isinstance(fault, OSError) else KeyError):
        gm.atlas(tmp_path / "a.html", town["plan"], by="community", title="Another", date=DAY)
    assert made == files
    assert list(tmp_path.iterdir()) == files[:1]
    assert files[0].read_bytes() == before


def test_one_file_a_community(tmp_path, town):
    files = gm.atlas(tmp_path / "a.html", town["plan"], by="community", date=DAY)
    assert [f.name for f in files] == ["a-110101001001.html", "a-110101001002.html"]
    assert [len(sheets(f.read_text("utf-8"))) for f in files] == [4, 4]
    with pytest.raises(OptionError, match="subdistrict"):
        gm.atlas(tmp_path / "b.html", town["plan"], by="subdistrict")
    plan = town["plan"]
    placed = plan.communities.assign(subdistrict=["../../a/b", "a/b"])
    two = gm.GridPlan(
        grids=plan.grids, assignment=plan.assignment, findings=plan.findings, communities=placed,
        buildings=plan.buildings, parameters=plan.parameters,
    )  # fmt: skip
    files = gm.atlas(tmp_path / "c.html", two, by="subdistrict", date=DAY)
    assert {f.parent for f in files} == {tmp_path}
    assert len(set(files)) == 2


def test_a_long_roster_stands_overleaf(tmp_path):
    plan, cover, _ = make_city(buildings=600, side=2, categories=2)
    made = gm.atlas(tmp_path / "a.html", plan, cover=cover, date=DAY)[0].read_text("utf-8")
    assert len(sheets(made)) == 1 + 2 * 4
    for roster in sheets(made)[2::2]:
        assert "<svg" not in roster
        assert "Buildings of the grid" in roster


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_page_is_longer_than_its_sheet(browser, tmp_path, town, lang):
    path = gm.atlas(tmp_path / "a.html", town["plan"], cover=town["cover"], lang=lang, date=DAY)[0]
    browser.get(path.as_uri())
    assert browser.execute_script("return window.broken") is None
    tall = """
        return [...document.querySelectorAll('section')].map(s => {
            const last = s.lastElementChild.getBoundingClientRect().bottom - s.getBoundingClientRect().top;
            return last / (297 * 96 / 25.4);
        });
    """
    # the lower margin is 16 of 297 mm
    assert max(browser.execute_script(tall)) < 1 - 16 / 297
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    urls = [
        m["params"]["request"]["url"]
        for m in (json.loads(e["message"])["message"] for e in browser.get_log("performance"))
        if m["method"] == "Network.requestWillBeSent"
    ]
    assert [u for u in urls if not u.startswith(("file:", "data:", "chrome:"))] == []


def test_hostile_names_stay_words(tmp_path):
    town = make_town(names=HOSTILE[:6])
    streets = town["streets"].assign(name=list(HOSTILE[:3]))
    compounds = town["compounds"].assign(name=HOSTILE[1])
    plan = town["plan"]
    hostile = gm.GridPlan(
        grids=plan.grids, assignment=plan.assignment, findings=plan.findings,
        communities=plan.communities.assign(name=HOSTILE[0], name_en=None, subdistrict=HOSTILE[3]),
        buildings=plan.buildings.assign(name=HOSTILE[1]), parameters=plan.parameters, streets=streets,
        compounds=compounds,
    )  # fmt: skip
    for suffix in ("html", "pdf"):
        path = gm.atlas(tmp_path / f"a.{suffix}", hostile, cover=town["cover"], title=HOSTILE[0], date=DAY)[0]
    assert path.read_bytes().startswith(b"%PDF")
    page = Text((tmp_path / "a.html").read_text("utf-8"))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object", "embed"})
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_no_page_mixes_languages(tmp_path, plain_town):
    english = gm.atlas(tmp_path / "en.html", plain_town["plan"], cover=plain_town["cover"], date=DAY)[0]
    words = " ".join(Text(english.read_text("utf-8")).words)
    for name in ("长安街", "幸福路", "幸福小区", "菜鸟驿站"):  # the data has them in Chinese only
        words = words.replace(name, "")
    assert not re.search("[\u4e00-\u9fff]", words)
    chinese = gm.atlas(tmp_path / "zh.html", plain_town["plan"], cover=plain_town["cover"], lang="zh", date=DAY)[0]
    words = " ".join(Text(chinese.read_text("utf-8")).words)
    for name in ("One", "Two", "Three", "Four", "Empty", "Campus", "Place"):
        words = words.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", re.sub(r"gridmap [\d.]+|按 A4|b\d{3}", "", words)) == []


def test_every_word_is_said_somewhere():
    code = "".join(p.read_text("utf-8") for p in REPORT.glob("*.py") if p.name != "report_words.py")
    starts = tuple(re.findall(r'f"([a-z]+\.(?:[a-z]+_)?)\{', code))
    assert [k for k in REPORT_WORDS if f'"{k}"' not in code and not k.startswith(starts)] == []
    said = set(re.findall(r'\bsay\(\s*"([\w.]+)"', code))
    assert len(said) > 60
    assert said <= set(REPORT_WORDS), said - set(REPORT_WORDS)


def test_what_cannot_be_made_is_refused(tmp_path, town):
    with pytest.raises(OptionError, match="'community'"):
        gm.atlas(tmp_path / "a.html", town["plan"], by="street")
    with pytest.raises(OptionError, match=r"\.html or \.pdf"):
        gm.atlas(tmp_path / "a", town["plan"])
    with pytest.raises(OptionError, match="'zh'"):
        gm.atlas(tmp_path / "a.html", town["plan"], lang="de")
    with pytest.raises(WriteError, match="no folder"):
        gm.atlas(tmp_path / "absent" / "a.html", town["plan"])
    assert list(tmp_path.iterdir()) == []


def test_grids_are_called_alike_on_the_map_and_on_paper(plain_town, tmp_path):
    """Short codes where a community's id is not its code, and names that begin with its name in another language."""
    ids = dict(zip(plain_town["communities"]["community_id"], ("happy", "peace"), strict=True))
    communities = plain_town["communities"].assign(code=list(ids), community_id=list(ids.values()))
    owner = plain_town["grids"]["community_id"].map(ids)
    names = ["Happiness · East", "幸福社区-西", "Happiness", "Hill", "peace", "和平社区 2"]
    grids = plain_town["grids"].assign(community_id=owner, name=names)
    plan = replace(plain_town["plan"], communities=communities, grids=grids)
    short, called = ["001", "002", "003"] * 2, ["East", "西", "Happiness", "Hill", "peace", "2"]
    ground = ground_of(plan, None, "en")
    assert (ground.codes, ground.grid_names) == (short, called)
    layer = explore(plan, date=DAY).payload["layers"]["grids"]
    assert (layer["label"], layer["name"]) == (short, called)
    path = tmp_path / "atlas.html"
    gm.atlas(path, plan, date=DAY)
    assert "<h1>Grid 001 · Happiness</h1>" in path.read_text("utf-8")


def test_an_english_atlas_of_data_with_english_names_has_no_chinese(tmp_path, sample_dir):
    town = gm.read_project(sample_dir / "project.toml").tables
    ground = {name: town[name] for name in ("compounds", "dedicated", "entrances")}
    plan = gm.divide(town["communities"], town["buildings"], town["streets"], effort="low", **ground)
    (file,) = gm.atlas(tmp_path / "a.html", plan, date=DAY)
    page = file.read_text("utf-8")
    assert "Example District Jinhe Subdistrict Jinhua Community" in page
    assert "Jinhe Normal College" in page
    assert re.findall("[\u4e00-\u9fff]+", page) == []
