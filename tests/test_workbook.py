"""The workbook: every grid and rate is in it, nothing is a formula, estimates are said to be estimates."""

from __future__ import annotations

import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from map_town import make_town
from shapely import box

from gridmap.errors import OptionError, WriteError
from gridmap.io.write.workbook import write_workbook
from gridmap.io.write.workbook_words import WORDS
from gridmap.tables.findings import finding, findings_table
from gridmap.view.compliance_table import LIGHTS, requirements_of
from gridmap.view.compliance_words import requirement_words, status_word

CRS = 32650
SHEETS = {
    "en": ["Summary", "Grid ledger", "Coverage by grid", "Coverage by community", "Facilities by community", "Coverage",
           "Findings", "Assumptions and sources"],
    "zh": ["概览", "网格台账", "网格覆盖率", "社区覆盖率", "社区设施数", "全域覆盖率", "问题清单", "假设与来源"],
}  # fmt: skip


class StubCover:
    """As much of a Cover as the workbook asks for: two categories, known rates."""

    measure = "minutes"

    def __init__(self, buildings):
        self.buildings = buildings
        self.thresholds = {"pharmacy": 15.0, "our own": 10.0}
        self.parameters = {"how": "network", "profile": None, "minutes": 15}
        self.findings = findings_table([finding("info", "not_offered", "nobody offers it", ids=["our own"])], crs=CRS)

    def rate(self, by=None):
        units = ["all"] if by is None else ["c"] if isinstance(by, gpd.GeoDataFrame) else by.grids["grid_id"].tolist()
        rows = [
            {"unit_id": u, "category": c, "total": 10.0, "covered": 5.0 * (c == "pharmacy"), "facilities": 3.0}
            for u in units
            for c in self.thresholds
        ]
        table = pd.DataFrame(rows).assign(rate=lambda t: t["covered"] / t["total"])
        table.loc[table["unit_id"] == "330106001001002", "rate"] = np.nan
        table.attrs["denominator"] = "households"
        return table


def make(estimated=(True, False), name="柳岸 001"):
    shapes = [box(0, 0, 100, 100), box(100, 0, 200, 100)]
    grids = gpd.GeoDataFrame(
        {
            "grid_id": ["330106001001001", "330106001001002"], "community_id": "c", "kind": "basic",
            "households": [420.0, 160.0], "residents": [1000.0, np.nan], "elderly": np.nan, "buildings": [3, 1],
            "area_m2": 10_000.0, "status": ["legal", "below"], "name": [name, "=1+1"], "responsible": "Mr Wang",
        },
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    buildings = gpd.GeoDataFrame({"building_id": ["a", "b"], "households": [420.0, 160.0]}, geometry=shapes, crs=CRS)
    if estimated is not None:
        buildings["households_estimated"] = list(estimated)
    buildings.attrs["assumptions"] = {"floor_area_per_household": 110.0, "by_use": {"house": {"floors": 2}}}
    buildings.attrs["reading"] = {"source": "/home/wang/secret/b.gpkg", "rows_read": 2, "left_out": []}
    plan = SimpleNamespace(
        grids=grids,
        assignment=pd.DataFrame({"building_id": ["a", "b"], "grid_id": grids["grid_id"], "households": [420.0, 160.0]}),
        communities=gpd.GeoDataFrame(
            {"community_id": ["c"], "name": ["柳岸社区"]}, geometry=[box(0, 0, 200, 100)], crs=CRS
        ),
        buildings=buildings,
        parameters={"lower": 300, "upper": 500},
        findings=findings_table(
            [
                finding("warning", "grid_size", "=HYPERLINK(x) is small", status="below", ids=["330106001001002"]),
                finding("error", "other", "worse"),
            ],
            crs=CRS,
        ),
    )
    return plan, StubCover(buildings)


def cells(sheet):
    return [[c.value for c in row] for row in sheet.iter_rows()]


def text_of(book):
    return "\n".join(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None)


@pytest.fixture
def written(tmp_path):
    plan, cover = make()
    path = write_workbook(tmp_path / "ledger.xlsx", plan=plan, cover=cover)
    return openpyxl.load_workbook(path), path


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sheets_and_headings_are_in_one_language(tmp_path, lang):
    plan, cover = make()
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover, lang=lang))
    assert book.sheetnames == SHEETS[lang]
    headings = [c.value for sheet in book.worksheets[1:] for c in sheet[1]]
    chinese = [any("\u4e00" <= letter <= "\u9fff" for letter in heading) for heading in headings]
    expected = [lang == "zh" and heading != "our own" for heading in headings]
    assert chinese == expected


def test_every_word_is_in_both_languages():
    assert all(len(pair) == 2 and all(pair) for pair in WORDS.values())
    assert [
        key
        for key, (en, _) in WORDS.items()
        if not en.replace("–", "").replace("²", "").replace("“", "").replace("”", "").isascii()
    ] == []


def test_ledger_has_one_row_a_grid_and_types(written):
    book, path = written
    rows = cells(book["Grid ledger"])
    assert rows[0][:6] == ["Grid code", "Name", "Community code", "Community", "Kind", "Status"]
    assert [row[0] for row in rows[1:]] == ["330106001001001", "330106001001002"]
    at = {heading: i for i, heading in enumerate(rows[0])}
    assert [row[at["Households"]] for row in rows[1:]] == [420, 160]
    assert [row[at["of which estimated"]] for row in rows[1:]] == [420, 0]
    assert [row[at["Residents"]] for row in rows[1:]] == [1000, None]
    assert [row[at["Area (ha)"]] for row in rows[1:]] == [1, 1]
    assert [row[at["Status"]] for row in rows[1:]] == ["in the band", "below"]
    assert rows[2][at["Remark"]] == "=HYPERLINK(x) is small"
    # nothing known of the elderly: no empty column; the person responsible is for no export
    assert "Elderly" not in at
    assert "Mr Wang" not in text_of(book)
    sheet = book["Grid ledger"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet.cell(2, at["Households"] + 1).number_format == "#,##0"
    assert sheet.cell(2, at["Status"] + 1).fill.fgColor.rgb != sheet.cell(3, at["Status"] + 1).fill.fgColor.rgb
    again = pd.read_excel(path, sheet_name="Grid ledger", dtype=str)
    assert again["Grid code"].tolist() == ["330106001001001", "330106001001002"]


def test_rates_and_facilities_are_apart(written):
    book, _ = written
    by_grid = cells(book["Coverage by grid"])
    assert by_grid[0] == ["Grid code", "Community", "Households", "Pharmacy", "our own"]
    assert by_grid[1] == ["330106001001001", "柳岸社区", 10, 0.5, 0]
    # nobody lives there: no rate, which is not 0
    assert by_grid[2][3:] == [None, None]
    assert book["Coverage by grid"]["D2"].number_format == "0.0%"
    assert cells(book["Facilities by community"])[1] == ["c", "柳岸社区", 3, 3]
    assert cells(book["Coverage"])[1] == ["Pharmacy", 15, 10, 5, 0.5, 3]
    assert cells(book["Coverage by community"])[1] == ["c", "柳岸社区", 10, 0.5, 0]


def test_findings_by_severity(written):
    rows = cells(written[0]["Findings"])
    assert [row[0] for row in rows[1:]] == ["error", "warning", "info"]
    assert rows[2][5] == "330106001001002"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\x07=1", "a\x00b"])
def test_no_cell_is_ever_a_formula(tmp_path, start):
    plan, cover = make(name=start)
    plan.communities["name"] = start
    path = write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover, title=start)
    book = openpyxl.load_workbook(path)
    kinds = {c.data_type for sheet in book for row in sheet.iter_rows() for c in row}
    assert "f" not in kinds
    shown = start.replace("\x07", "").replace("\x00", "")
    cell = book["Grid ledger"]["B2"]
    assert cell.value == shown
    assert cell.quotePrefix == (shown[0] in "=+-@")
    assert book["Summary"]["A1"].value == shown


@pytest.mark.parametrize(
    ("estimated", "lang", "words"),
    [
        ((True, True), "en", "All households are estimates"),
        ((True, False), "en", "72.4% of the households (420 of 580) are estimates"),
        ((False, False), "en", "none were estimated here"),
        (None, "en", "none were estimated here"),
        ((True, False), "zh", "72.4%的户数（580户中420户）为估算值"),
    ],
)
def test_title_says_what_is_estimated(tmp_path, estimated, lang, words):
    plan, cover = make(estimated)
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover, lang=lang))
    assert words in book.worksheets[0]["A2"].value
    assert words in book.worksheets[1].oddHeader.center.text


def test_assumptions_and_sources_without_folders(written):
    book, _ = written
    rows = {(row[0], row[1]): row[2] for row in cells(book["Assumptions and sources"])[1:]}
    assert rows["Division", "Lower limit (households)"] == "300"
    assert rows["Coverage", "Within (minutes): Pharmacy"] == "15"
    assert rows["Household estimate", "Floor area per household (m²)"] == "110"
    assert rows["Household estimate", "By use: house"] == "floors 2"
    assert rows["Source: Buildings", "Source"] == "b.gpkg"
    assert "secret" not in text_of(book)
    assert rows["Coverage", "Denominator of the rates"] == "households"


def test_summary_counts(written):
    rows = {row[0]: row[1] for row in cells(written[0]["Summary"]) if row[0] and row[1] is not None}
    assert rows["Grids"] == 2
    assert rows["Share in the band"] == 0.5
    assert rows["Households"] == 580
    assert rows["Band (households)"] == "300–500"
    assert rows["Coverage rate: Pharmacy, within 15 min"] == 0.5


def test_plan_or_cover_alone(tmp_path):
    plan, cover = make()
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", plan=plan))
    assert book.sheetnames == ["Summary", "Grid ledger", "Findings", "Assumptions and sources"]
    book = openpyxl.load_workbook(write_workbook(tmp_path / "b.xlsx", cover=cover))
    assert book.sheetnames == ["Summary", "Coverage", "Findings", "Assumptions and sources"]


def test_findings_given_take_the_place_of_those_of_the_plan(tmp_path):
    plan, cover = make()
    mine = findings_table([finding("info", "mine", "only this")], crs=CRS)
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover, findings=mine))
    assert [row[1] for row in cells(book["Findings"])[1:]] == ["mine"]


def test_what_cannot_be_written(tmp_path, monkeypatch):
    plan, cover = make()
    with pytest.raises(OptionError, match="nothing to write"):
        write_workbook(tmp_path / "a.xlsx")
    with pytest.raises(OptionError, match="lang='fr'"):
        write_workbook(tmp_path / "a.xlsx", plan=plan, lang="fr")
    with pytest.raises(OptionError, match=r"written as \.xlsx"):
        write_workbook(tmp_path / "a.xls", plan=plan)
    with pytest.raises(WriteError, match="no folder"):
        write_workbook(tmp_path / "absent" / "a.xlsx", plan=plan)
    path = write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover)
    before = path.read_bytes()

    def fail(_book, filename):
        filename.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openpyxl.Workbook, "save", fail)
    with pytest.raises(WriteError, match="No space left"):
        write_workbook(path, plan=plan)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_blind_spots_have_a_sheet_in_their_order(tmp_path, lang):
    town = make_town()
    gaps = town["cover"].gaps()
    path = write_workbook(tmp_path / "a.xlsx", plan=town["plan"], cover=town["cover"], gaps=gaps, lang=lang)
    sheet = pd.read_excel(path, sheet_name={"en": "Blind spots", "zh": "服务盲区"}[lang])
    rows = sheet[pd.to_numeric(sheet.iloc[:, 0], errors="coerce").notna()]
    assert rows.iloc[:, 0].astype(int).tolist() == gaps["rank"].tolist()
    assert rows.iloc[:, 3].astype(float).tolist() == gaps["households"].tolist()
    names = set(town["communities"]["name"])
    for place, area in zip(rows.iloc[:, 2], gaps.geometry, strict=True):
        inside = town["communities"].set_index("name").geometry
        assert place in names
        assert inside[place].intersects(area)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    ("by", "standards"),
    [
        ("plan", ["GB 50180-2018", "city check", "quarter-hour circle 2021", "complete community 2020"]),
        ("communities", ["GB 50180-2018", "city check", "quarter-hour circle 2021"]),
        ("plan", ["Shanghai 2016"]),
    ],
)
def test_compliance_has_a_traffic_light_the_requirements_and_the_figures(tmp_path, lang, by, standards):
    town = make_town()
    plan, cover = town["plan"], town["cover"]
    units = plan if by == "plan" else plan.communities
    compliance = cover.compliance(standards, by=units, share=0.85)
    path = write_workbook(tmp_path / "a.xlsx", plan=plan, cover=cover, compliance=compliance, lang=lang)
    book = openpyxl.load_workbook(path)
    names = {"en": ["Compliance", "Requirements", "Compliance in figures"], "zh": ["达标表", "标准要求", "达标明细"]}[
        lang
    ]
    at = book.sheetnames.index(names[0])
    assert book.sheetnames[at : at + 3] == names
    lights, requirements, figures = (book[name] for name in names)
    # units and requirements, the more numerous as rows; each cell on the colour of its status
    wide = compliance.pivot_table(index="unit_id", columns="requirement_id", values="status", aggfunc="first")
    wide = wide[compliance["requirement_id"].unique()]
    turned = len(wide) < wide.shape[1]
    expected = wide.T if turned else wide
    shown = list(lights.iter_rows(min_row=2))
    first = len(shown[0]) - expected.shape[1]
    words = [requirement_words(row, lang) for row in requirements_of(compliance).to_dict("records")]
    assert [row[0].value for row in shown] == (words if turned else wide.index.tolist())
    for row, statuses in zip(shown, expected.to_numpy(), strict=True):
        for cell, status in zip(row[first:], statuses, strict=True):
            assert cell.value == status_word(status, lang)
            assert (cell.fill.fgColor.rgb or "")[2:] == LIGHTS.get(status, "000000")
    # the counts of the requirements are those of the lights
    table = cells(requirements)
    assert [row[2] for row in table[1:]] == (wide == "met").sum().tolist()
    assert len(cells(figures)) == len(compliance) + 1
    # one language, and no name of a column
    said = [
        text
        for sheet in (lights, requirements, figures)
        for row in cells(sheet)
        for text in row
        if isinstance(text, str)
    ]
    sources = {row[-1] for row in table[1:]}
    for text in (
        set(said) - set(wide.index) - sources - {row[0] for row in cells(figures)} - {row[1].value for row in shown}
    ):
        assert "_" not in text
        assert bool(re.search("[\u4e00-\u9fff]", text)) == (lang == "zh" and text not in ("", "4.0.7")), text
    assert "85%" in text_of(book)


def test_findings_of_compliance_stand_with_the_others(tmp_path):
    town = make_town()
    compliance = town["cover"].compliance("city check")
    path = write_workbook(tmp_path / "a.xlsx", cover=town["cover"], compliance=compliance)
    rules = [row[1] for row in cells(openpyxl.load_workbook(path)["Findings"])]
    assert {"compliance_category_absent"} <= set(rules)
    assert set(compliance.attrs["findings"]["rule"]) <= set(rules)
