"""The main job on a tiny town: what it returns and writes, and what it says about bad input."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import LineString, Point, Polygon, box
from test_explore import payload_of

import gridmap as gm
from gridmap.errors import GridmapError, OptionError, ReadError, TableError
from gridmap.job import community_around, complete_households, run_project
from gridmap.maps.words import WORDS
from gridmap.tables.findings import finding, findings_table

CRS = 32650
X, Y = 500_000.0, 4_400_000.0
BLOCKS, SIDE = 5, 100.0
WEST, EAST = "330106001001", "330106001002"


def tiny_town() -> dict[str, gpd.GeoDataFrame]:
    """5 x 5 blocks of 100 m with four buildings of 12 households each, in two communities of 480 and 720."""
    corners = np.arange(BLOCKS + 1) * SIDE
    end = corners[-1]
    lines = [LineString([(X + c, Y + v) for v in corners]) for c in corners]
    lines += [LineString([(X + v, Y + c) for v in corners]) for c in corners]
    houses = [
        box(X + i * SIDE + a, Y + j * SIDE + b, X + i * SIDE + a + 20, Y + j * SIDE + b + 20)
        for i in range(BLOCKS)
        for j in range(BLOCKS)
        for a in (20, 60)
        for b in (20, 60)
    ]
    border = X + 2 * SIDE
    return {
        "communities": frame(
            [box(X, Y, border, Y + end), box(border, Y, X + end, Y + end)],
            community_id=[WEST, EAST],
            code=[WEST, EAST],
            name=["柳岸社区", "East"],
        ),
        "buildings": frame(houses, building_id=[f"b{i:03}" for i in range(len(houses))], households=12),
        "streets": frame(lines, **{"class": "residential"}),
        "facilities": frame(
            [Point(X + 10, Y + 10), Point(X + end - 5, Y + end - 5)],
            facility_id=["f1", "f2"],
            category=["pharmacy", "nursery"],
        ),
    }


def frame(shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS, index=range(len(shapes)))


def write_town(folder, tables, more="") -> str:
    """The tables as GeoJSON-free GeoPackages and a PROJECT.toml beside them; its path."""
    lines = ['[project]\nname = "Tiny"\n', "[inputs]"]
    for name, table in tables.items():
        table.to_file(folder / f"{name}.gpkg")
        lines.append(f'{name} = "{name}.gpkg"')
    path = folder / "PROJECT.toml"
    path.write_text("\n".join([*lines, more]), encoding="utf-8")
    return str(path)


def run(folder, tables, more="", **options):
    return run_project(write_town(folder, tables, more), folder / "out", **options)


def rules(result) -> list[str]:
    return result.findings["rule"].tolist()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    stages = []
    folder = tmp_path_factory.mktemp("tiny")
    result = run(folder, tiny_town(), '[outputs]\ngeojson = "grids.geojson"', on_stage=stages.append)
    return result, folder / "out", stages


def test_grids_are_legal_and_hold_all_households(tiny):
    result, _, _ = tiny
    grids = result.plan.grids
    assert grids.groupby("community_id").households.sum().to_dict() == {WEST: 480, EAST: 720}
    assert (grids.status == "legal").all()
    assert grids.households.between(300, 500).all()
    assert grids.grid_id.str[:12].tolist() == grids.community_id.tolist()


def test_coverage_counts_every_household(tiny):
    result, _, _ = tiny
    rates = result.cover.rate().set_index("category")
    assert rates.total.tolist() == [1200, 1200]
    # the farthest walk in this town is 1,000 m and 60 m of legs, 13.3 minutes at 4.8 km/h
    assert rates.rate.to_dict() == {"nursery": 1.0, "pharmacy": 1.0}


def test_all_outputs_are_there_and_nothing_else(tiny):
    result, out, _ = tiny
    assert {p.name for p in out.iterdir()} == {
        *("map.html", "grids.gpkg", "ledger.xlsx", "provenance.json", "grids.geojson")
    }
    assert set(result.files.values()) == set(out.iterdir())
    written = gpd.read_file(out / "grids.geojson")
    assert sorted(written.grid_id) == sorted(result.plan.grids.grid_id)
    assert len(gpd.read_file(out / "grids.gpkg", layer="grids")) == len(result.plan.grids)
    sheets = pd.read_excel(out / "ledger.xlsx", sheet_name=None)
    assert any(len(sheet) == len(result.plan.grids) for sheet in sheets.values())
    assert "柳岸社区" in (out / "map.html").read_text(encoding="utf-8") or (out / "map.html").stat().st_size > 100_000


def test_every_stage_is_timed_and_announced(tiny):
    result, _, stages = tiny
    assert stages == list(result.seconds)
    assert {"read", "divide", "network", "cover", "circles", "map", "write"} <= set(stages)
    assert all(seconds >= 0 for seconds in result.seconds.values())


def test_same_input_same_files(tiny, tmp_path):
    result, _, _ = tiny
    again = run(tmp_path, tiny_town())
    assert again.plan.plan_hash == result.plan.plan_hash
    pd.testing.assert_frame_equal(again.cover.reach, result.cover.reach)


def test_households_are_estimated_and_said_so(tmp_path):
    tables = tiny_town()
    tables["buildings"] = tables["buildings"].drop(columns="households").assign(floors=6)
    result = run(tmp_path, tables)
    assert "households_estimated" in rules(result)
    assert result.plan.grids.households.sum() > 0


def test_counts_are_joined_by_id():
    buildings = tiny_town()["buildings"].drop(columns="households")
    counts = pd.DataFrame({"building_id": ["b000", "b001", "b001", "zzz"], "households": [5, 6, 7, 8]})
    filled, found = complete_households(buildings, counts)
    assert filled.households.iloc[:3].tolist() == [5, 13, 0]
    assert filled.households.sum() == 18
    assert {f["rule"]: f["ids"][:1] for f in found} == {
        "buildings_without_count": ["b002"],
        "counts_without_building": ["zzz"],
    }
    with pytest.raises(ReadError, match="no column households"):
        complete_households(buildings, counts[["building_id"]])


def test_points_of_unknown_size_are_told_with_the_estimate():
    buildings = tiny_town()["buildings"].drop(columns="households")
    buildings["geometry"] = buildings.representative_point()
    buildings["floors"] = 6.0
    buildings.loc[buildings.index[1], "floors"] = None
    buildings.attrs["findings"] = findings_table([finding("info", "told_before", "so")])
    filled, found = complete_households(buildings)
    assert filled["households"].iloc[1] == 0
    assert [(f["rule"], f["severity"]) for f in found] == [
        ("households_estimated", "info"), ("point_of_unknown_size", "warning"),
    ]  # fmt: skip
    assert found[1]["ids"] == ["b001"]


def test_present_counts_are_kept():
    buildings = tiny_town()["buildings"]
    filled, found = complete_households(buildings)
    assert filled is buildings
    assert found == []


def test_community_is_made_from_bounds(tmp_path):
    tables = tiny_town()
    del tables["communities"]
    result = run(tmp_path, tables)
    assert "community_from_bounds" in rules(result)
    assert result.plan.grids.households.sum() == 1200
    community, _ = community_around(tables["buildings"], "Tiny")
    assert community.geometry.iloc[0].contains(box(*tables["buildings"].total_bounds))


def test_present_grids_are_audited(tmp_path):
    tables = tiny_town()
    end = BLOCKS * SIDE
    shapes = [box(X, Y, X + end, Y + 2 * SIDE), box(X, Y + 2 * SIDE, X + end, Y + end)]
    tables["grids"] = frame(shapes, grid_id=["g1", "g2"], community_id=[EAST, EAST])
    result = run(tmp_path, tables)
    assert result.present is not None
    assert result.present.grids.set_index("grid_id").households.sum() == 1200
    assert len(result.present.findings)


@pytest.mark.parametrize("lacking", ["facilities", "streets"])
def test_without_facilities_or_streets_there_are_grids_only(tmp_path, lacking):
    tables = tiny_town()
    del tables[lacking]
    result = run(tmp_path, tables)
    assert result.cover is None
    assert "no_coverage" in rules(result)
    assert (tmp_path / "out" / "map.html").is_file()


# ---- bad input: a message with rows and remedy and nothing written, or a counted finding -----------------------------


def outside(tables):
    far = frame([box(X - 900, Y, X - 880, Y + 20)], building_id=["far"], households=12)
    tables["buildings"] = pd.concat([tables["buildings"], far], ignore_index=True)


def overlapping(tables):
    shapes = tables["communities"].geometry.tolist()
    tables["communities"].geometry = [shapes[0].buffer(30, join_style="mitre"), shapes[1]]


def empty_community(tables):
    land = frame([box(X - 300, Y, X, Y + 500)], community_id=["330106001003"], code=["330106001003"], name=["Empty"])
    tables["communities"] = pd.concat([tables["communities"], land], ignore_index=True)


def far_facility(tables):
    tables["facilities"].geometry = [Point(X - 3000, Y), tables["facilities"].geometry.iloc[1]]


def island(tables):
    line = frame([LineString([(X - 500, Y), (X - 600, Y)])], **{"class": "residential"})
    shop = frame([Point(X - 550, Y + 5)], facility_id=["f9"], category=["bank"])
    tables["streets"] = pd.concat([tables["streets"], line], ignore_index=True)
    tables["facilities"] = pd.concat([tables["facilities"], shop], ignore_index=True)


@pytest.mark.parametrize("spoil", [outside, overlapping, empty_community, far_facility, island])
def test_odd_input_is_a_counted_finding(tmp_path, spoil):
    tables = tiny_town()
    usual = set(rules(run(make(tmp_path / "usual"), tiny_town())))
    spoil(tables)
    result = run(make(tmp_path / "odd"), tables)
    more = result.findings[~result.findings.rule.isin(usual)]
    assert len(more)
    assert (more.message.str.len() > 20).all()
    if spoil is outside:
        assert any("far" in ids for ids in more.ids)
        assert "far" not in set(result.cover.reach.building_id)
    if spoil is empty_community:
        assert result.plan.grids.set_index("community_id").status["330106001003"] == "empty"


def bowtie(tables):
    bow = Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    tables["communities"].geometry = [bow, tables["communities"].geometry.iloc[1]]


def negative(tables):
    tables["buildings"].loc[7, "households"] = -3


def no_id(tables):
    tables["facilities"] = tables["facilities"].drop(columns="category")


def repeated(tables):
    tables["buildings"].loc[7, "building_id"] = "b000"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(bowtie, ["Self-intersection"]), (negative, ["7", "-3"]), (no_id, ["category"]), (repeated, ["b000"])],
)
def test_broken_tables_are_refused_with_rows_and_nothing_is_written(tmp_path, spoil, words):
    tables = tiny_town()
    spoil(tables)
    with pytest.raises(TableError) as caught:
        run(tmp_path, tables)
    assert all(word in str(caught.value) for word in words)
    assert len(caught.value.violations)
    assert not list((tmp_path / "out").glob("*"))


def test_table_without_crs_is_refused(tmp_path):
    tables = tiny_town()
    path = write_town(tmp_path, tables)
    tables["streets"].to_file(tmp_path / "streets.shp")
    (tmp_path / "streets.prj").unlink()
    text = (tmp_path / "PROJECT.toml").read_text(encoding="utf-8").replace("streets.gpkg", "streets.shp")
    (tmp_path / "PROJECT.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GridmapError, match="CRS"):
        run_project(path, tmp_path / "out")


def test_absent_and_empty_files_are_refused(tmp_path):
    path = write_town(tmp_path, tiny_town())
    (tmp_path / "streets.gpkg").write_bytes(b"")
    with pytest.raises(GridmapError, match="streets"):
        run_project(path, tmp_path / "out")
    (tmp_path / "streets.gpkg").unlink()
    with pytest.raises(GridmapError, match="streets"):
        run_project(path, tmp_path / "out")
    with pytest.raises(ReadError, match="absent"):
        run_project(tmp_path / "absent.toml", tmp_path / "out")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ("[divide]\nlowest = 3", "lowest.*known are.*lower"),
        ("[cover]\nminute = 3", "minute.*known are.*minutes"),
        ("[outputs]\npdf = 'x.pdf'", "pdf.*known are.*map"),
        ("[compliance]\nstandard = 'city check'\nshares = 1", "shares.*known are.*share"),
        ("[compliance]\nshare = 0.9", "needs standard"),
        ("[compliance]\nstandard = []", "needs standard"),
        ("[compliance]\nstandard = 'city check'\nby = 'blocks'", "communities, grids"),
        ("[outputs]\nmap = '../map.html'", "plain file names"),
        ("[outputs]\nreport = 'report.docx'", "html or .pdf"),
        ("[outputs]\natlas = 'a.html'\natlas_by = 'street'", "community"),
        ("[cover]\nminutes = 10\nmetres = 500", "minutes"),
    ],
)
def test_unknown_options_are_named(tmp_path, more, match):
    with pytest.raises(OptionError, match=match):
        run(tmp_path, tiny_town(), more)
    assert not list((tmp_path / "out").glob("*"))


def test_failure_while_writing_keeps_former_files(tmp_path, monkeypatch):
    out = make(tmp_path / "out")
    (out / "map.html").write_text("former", encoding="utf-8")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridmap.outputs.write_workbook", full)
    with pytest.raises(GridmapError, match="No space left"):
        run(tmp_path, tiny_town())
    assert [p.name for p in out.iterdir()] == ["map.html"]
    assert (out / "map.html").read_text(encoding="utf-8") == "former"


def make(folder):
    folder.mkdir(parents=True)
    return folder


def test_report_and_atlas_are_written_where_the_project_asks_for_them(tmp_path):
    more = '[outputs]\nreport = "report.html"\natlas = "atlas.html"\nworkbook = false\nlang = "zh"'
    result = run(tmp_path, tiny_town(), more)
    assert {"report.html", "atlas.html"} < {p.name for p in (tmp_path / "out").iterdir()}
    assert "pages" in result.seconds
    report, atlas = (result.files[kind].read_text("utf-8") for kind in ("report", "atlas"))
    assert "1,200 户" in report
    assert atlas.count("<h1>") >= len(result.plan.grids) + 2


COMPLIANCE = """
[compliance]
standard = ["quarter-hour circle 2021", "local.csv"]
by = "{by}"
share = 0.9
categories = {{ childcare = "nursery" }}

[outputs]
report = true
lang = "both"
"""
LOCAL = """requirement_id,category,rule,value,unit,per
local-childcare,childcare,reach,100,metres,
quarterhour-pharmacy,pharmacy,reach,300,metres,
local-area,pharmacy,floor_area_norm,10,m2,100 households
"""


@pytest.mark.parametrize("by", ["communities", "grids"])
def test_units_are_held_against_the_standards_of_the_project(tmp_path, by):
    (tmp_path / "local.csv").write_text(LOCAL, encoding="utf-8")
    result = run(tmp_path, tiny_town(), COMPLIANCE.format(by=by))
    units = result.plan.grids["grid_id"] if by == "grids" else result.plan.communities["community_id"]
    table = result.compliance
    assert set(table["unit_id"]) == set(units)
    # the local file adds two and replaces one
    assert set(table.loc[table["standard"] == "local", "requirement_id"]) == {
        "local-childcare", "quarterhour-pharmacy", "local-area",
    }  # fmt: skip
    assert table.attrs["share"] == 0.9
    assert "compliance" in result.seconds
    assert set(table.attrs["findings"]["rule"]) <= set(rules(result))
    # a part of the households reach it: each building that is near enough, and none that is not
    reach = gm.cover(result.cover.buildings, result.cover.facilities, result.cover.network, metres={"nursery": 100})
    expected = reach.rate(by=result.plan if by == "grids" else result.plan.communities).set_index("unit_id")["rate"]
    own = table[table["requirement_id"] == "local-childcare"].set_index("unit_id")["reachable"]
    assert own.to_dict() == pytest.approx(expected.to_dict())
    assert 0 < own.max() < 1
    # everywhere that it is to be found
    files = result.files
    stored = gpd.read_file(files["geopackage"], layer="compliance")
    assert stored["status"].tolist() == table["status"].tolist()
    assert {"达标表", "标准要求", "达标明细"} <= set(openpyxl.load_workbook(files["workbook"]).sheetnames)
    assert "Compliance" in openpyxl.load_workbook(files["workbook_en"]).sheetnames
    assert "标准达标情况" in files["report"].read_text("utf-8")
    assert "Compliance with standards" in files["report_en"].read_text("utf-8")
    payload = payload_of(files["map"].read_text("utf-8"))
    assert list(payload["compliance"]) == [by]


def test_a_standard_that_is_not_there_is_refused_before_the_work(tmp_path):
    with pytest.raises(ReadError, match=r"absent\.csv: neither a shipped standard nor"):
        run(tmp_path, tiny_town(), "[compliance]\nstandard = ['city check', 'absent.csv']")
    assert not (tmp_path / "out").exists()


def test_without_streets_compliance_is_not_measured_and_told(tmp_path):
    tables = tiny_town()
    del tables["facilities"]
    result = run(tmp_path, tables, "[compliance]\nstandard = 'city check'")
    assert result.compliance is None
    messages = result.findings.loc[result.findings["rule"] == "no_coverage", "message"].tolist()
    assert messages == ["Coverage and compliance were not measured: the project has no facilities."]


def test_a_chinese_workbook_tells_its_findings_in_chinese(tmp_path):
    tables = tiny_town()
    tables["buildings"] = tables["buildings"].drop(columns="households")
    result = run(tmp_path, tables, '[outputs]\nlang = "zh"')
    assert len(result.findings)
    sheet = pd.read_excel(result.files["workbook"], sheet_name="问题清单", header=None).astype(str)
    said = sheet[sheet.apply(lambda row: row.str.contains("估算值").any(), axis=1)]
    assert len(said) >= 1
    assert not sheet.apply(lambda row: row.str.contains("households were estimated").any(), axis=1).any()


@pytest.mark.parametrize("how", ["project", "argument"])
def test_both_languages_are_one_map_and_two_of_every_other_page(tmp_path, how):
    title = 'title = {zh = "柳岸网格", en = "Willow grids"}\nlang = "both"' if how == "project" else ""
    asked = {"title": {"zh": "柳岸网格", "en": "Willow grids"}, "lang": "both"} if how == "argument" else {}
    path = Path(write_town(tmp_path, tiny_town(), '[outputs]\nreport = "r.html"\natlas = "a.html"'))
    path.write_text(path.read_text("utf-8").replace('name = "Tiny"', f'name = "Tiny"\n{title}'), encoding="utf-8")
    note = {"zh": "本例为虚构。", "en": "This town is made up."}
    result = run_project(path, tmp_path / "out", notes=[note], **asked)
    pages = ("r.html", "r-en.html", "a.html", "a-en.html", "ledger.xlsx", "ledger-en.xlsx")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"map.html", "grids.gpkg", "provenance.json", *pages}
    assert result.lang == "zh"
    assert {p.name for p in result.files.values()} == {"map.html", "grids.gpkg", "provenance.json", *pages}
    shown = payload_of(result.files["map"].read_text("utf-8"))
    assert (shown["lang"], shown["title"], shown["other"]["lang"]) == ("zh", "柳岸网格", "en")
    assert shown["other"]["title"] == "Willow grids"
    assert note["zh"] in shown["notes"]
    assert note["en"] in shown["other"]["notes"]
    for kind, chinese, english in [("report", "1,200 户", "1,200"), ("atlas", "户", "households")]:
        zh, en = (result.files[key].read_text("utf-8") for key in (kind, f"{kind}_en"))
        assert 'lang="zh' in zh[:200]
        assert 'lang="en' in en[:200]
        assert chinese in zh
        assert english in en
    for key, heading in [("workbook", "柳岸网格"), ("workbook_en", "Willow grids")]:
        assert pd.read_excel(result.files[key], header=None).iloc[0, 0] == heading


def test_a_title_in_one_language_does_not_head_a_page_in_the_other(tmp_path):
    path = Path(write_town(tmp_path, tiny_town(), '[outputs]\ngeopackage = false\nreport = "r.html"'))
    path.write_text(path.read_text("utf-8").replace('"Tiny"', '"Tiny"\ntitle = "柳岸网格"\nlang = "zh"'), "utf-8")
    result = run_project(path, tmp_path / "out", lang="both")
    shown = payload_of(result.files["map"].read_text("utf-8"))
    assert shown["title"] == "柳岸网格"
    assert shown["other"]["title"] == WORDS["title.default"][0]
    report = result.files["report_en"].read_text("utf-8")
    assert "柳岸网格" not in report
    with pytest.raises(OptionError, match="'both'"):
        run_project(path, tmp_path / "out", lang="fr")


def test_the_map_is_for_negotiating_and_another_swipes_where_the_project_asks_for_it(tmp_path):
    tables = tiny_town()
    tables["grids"] = tables["communities"][["geometry"]].assign(grid_id=["g1", "g2"], community_id=[WEST, EAST])
    more = "[outputs]\nedit = true\nswipe = true\ngeojson = true\ngeopackage = false\nworkbook = false"
    result = run(tmp_path, tables, more, lang="both")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "map.html",
        "swipe.html",
        "grids.geojson",
        "provenance.json",
    }
    edited, swiped = (payload_of(result.files[kind].read_text("utf-8")) for kind in ("map", "swipe"))
    assert edited["edit"]["plan_hash"] == result.plan.plan_hash
    assert "before" not in edited
    # the project says no language: its name heads the page in both
    assert edited["title"] == "Tiny"
    assert "title" not in edited["other"]
    assert "edit" not in swiped
    assert swiped["before"]["layers"]["grids"]["id"] == ["g1", "g2"]
    assert sorted(swiped["layers"]["grids"]["id"]) == sorted(result.plan.grids["grid_id"])


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ("[outputs]\nswipe = true", "present grids.*grids = 'present.gpkg'"),
        ("[outputs]\nedit = 'yes'", "edit = 'yes'; write true"),
        ("[outputs]\nswipe = 3", "plain file names"),
    ],
)
def test_outputs_that_cannot_be_made_are_refused_before_the_work(tmp_path, more, match):
    stages = []
    with pytest.raises(OptionError, match=match):
        run(tmp_path, tiny_town(), more, on_stage=stages.append)
    assert stages == ["read"]
