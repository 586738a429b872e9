"""Chosen sites as people see them: on the map, in the report, in the workbook, in a notebook."""

from __future__ import annotations

from html import unescape

import geopandas as gpd
import openpyxl
import pytest
from map_town import make_town
from shapely import LineString
from test_map_in_browser import click_map, opened, text_of  # noqa: F401
from test_report import DAY, Text

import gridmap as gm
from gridmap.io.write.workbook import write_workbook
from gridmap.maps.chosen_sites import sites_payload, with_sites
from gridmap.maps.layers import sort_layers
from gridmap.maps.sheet import Sheet


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module")
def plan(town):
    """One site of the category ``"canteen"``, which nobody offers, at the building whose neighbours hold most."""
    homes = town["buildings"]
    corners = homes.geometry.centroid
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * len(homes)},
        geometry=[LineString([(p.x, p.y), (p.x, p.y + 5)]) for p in corners],
        crs=homes.crs,
    )
    # every home has a street of its own, so a site serves the home it stands at alone
    candidates = homes.iloc[[8, 0]][["building_id", "geometry"]].assign(
        name_en=["North <b>", "South"], name=["北", "南"]
    )
    return gm.locate(homes, candidates, streets, category="canteen", metres=50, count=1)


def test_the_site_that_gains_most_stands_among_the_facilities(town, plan):
    table = with_sites(town["facilities"], plan)
    site = table[table["site_rank"] == 1]
    assert site["facility_id"].tolist() == ["b008"]
    assert site["status"].tolist() == ["chosen"]
    assert site["site_gain"].tolist() == [town["buildings"]["households"].iloc[8]]
    # those that were there are as they were
    assert table["facility_id"].tolist()[:-1] == town["facilities"]["facility_id"].tolist()
    assert len(table) == len(town["facilities"]) + 1


def test_a_candidate_of_the_table_is_marked_where_it_is(plan):
    known = plan.facilities.assign(status="candidate")
    assert with_sites(known, plan)["status"].tolist() == ["chosen"]
    # a facility of the same id and another category is another thing
    other = with_sites(known.assign(category="shop"), plan)
    assert other["facility_id"].tolist() == ["b008", "b008 (new)"]
    assert other["status"].tolist() == ["candidate", "chosen"]


def test_the_map_lists_the_sites_and_what_they_bring(opened, town, plan):  # noqa: F811
    page = opened(town["cover"], plan, lang="en")
    households = town["buildings"]["households"]
    assert text_of(page, ".gm-tabled h3") == "Chosen sites"
    assert text_of(page, ".gm-tabled table:nth-of-type(2) th[scope=row]") == "1. North <b>"
    assert text_of(page, ".gm-tabled table:nth-of-type(2) td") == f"{households.iloc[8]:,.0f}"
    rates = text_of(page, ".gm-tabled table tbody tr")
    assert f"0.0 % → {100 * households.iloc[8] / households.sum():.1f} %" in rates
    page.execute_script("document.querySelector('.gm-tabled table:nth-of-type(2) .gm-link').click()")
    panel = text_of(page, ".gm-facts")
    assert "Chosen" in panel
    assert "Rank by gain" in panel


def test_a_site_without_a_name_is_called_by_its_place(opened, town, plan):  # noqa: F811
    siting = plan.siting
    places = siting.candidates.table[["facility_id", "geometry"]]
    both = gm.locate(
        siting.buildings, places, siting.ground.network, category=["canteen", "laundry"], metres=50, count=1
    )
    page = opened(town["cover"], both, lang="en")
    assert text_of(page, ".gm-tabled table:nth-of-type(2) th[scope=row]") == "1. b008"


def test_chosen_sites_are_seen_and_found_from_afar_among_hundreds_of_facilities(opened, town, plan):  # noqa: F811
    many = town["facilities"].iloc[[0] * 301].assign(facility_id=[f"F{i}" for i in range(301)])
    page = opened(town["communities"], many, plan, lang="en")
    page.execute_script("gridmap.app.map.setZoom(13, { animate: false })")
    place = plan.sites.to_crs(4326).representative_point().iloc[0]
    click_map(page, place.x, place.y)
    assert "Rank by gain" in text_of(page, ".gm-facts")


def test_the_map_rounds_a_share_once(town, plan):
    homes = town["buildings"].assign(households=[109_711 if i == 0 else 12_666 if i == 8 else 0 for i in range(24)])
    places = plan.siting.candidates.table.iloc[:1]
    sites = gm.locate(homes, places, plan.siting.ground.network, category="canteen", metres=50, count=1)
    share = sites_payload(Sheet(sort_layers((sites,)), "WGS 84"))["sites"]["rate_after"][0]
    # 12,666 of 122,377 are 10.34998 %: 10.3, though of 10.3500 a page makes 10.4
    assert share < 0.1035


def test_the_map_speaks_chinese(opened, town, plan):  # noqa: F811
    page = opened(town["cover"], plan, lang="zh")
    assert text_of(page, ".gm-tabled h3") == "选址方案"
    assert "已证明备选点中没有更优的方案" in text_of(page, ".gm-tabled")
    assert "新增覆盖建筑" in page.execute_script("return document.body.innerText")


def test_the_report_says_what_the_sites_bring(tmp_path, town, plan):
    path = gm.report(tmp_path / "report.html", cover=town["cover"], sites=plan, lang="en", date=DAY)
    page = Text(path.read_text("utf-8"))
    households = town["buildings"]["households"]
    assert ["1", "North <b>", f"{households.iloc[8]:,.0f}", f"{households.iloc[8]:,.0f}", ""] in page.rows
    row = next(row for row in page.rows if row[0] == "Community canteen")
    assert row[1:] == [
        f"{households.sum():,.0f}", f"{households.iloc[8]:,.0f}", "0.0 %",
        f"{100 * households.iloc[8] / households.sum():.1f} %",
        f"{100 * households.iloc[[0, 8]].sum() / households.sum():.1f} %",
    ]  # fmt: skip
    call = "gm.locate(buildings, candidates, streets, category='canteen', metres=50, count=1"
    assert call in unescape(path.read_text("utf-8"))


def test_a_report_of_sites_alone(tmp_path, plan):
    page = gm.report(tmp_path / "sites.html", sites=plan, lang="zh", date=DAY).read_text("utf-8")
    assert "设施选址方案报告" in page
    assert "选址方案" in page


def test_the_project_file_holds_the_sites(tmp_path, town, plan):
    gm.write_project(tmp_path / "all.gpkg", cover=town["cover"], sites=plan)
    back = gpd.read_file(tmp_path / "all.gpkg", layer="sites")
    assert back["facility_id"].tolist() == ["b008"]
    rates = gpd.read_file(tmp_path / "all.gpkg", layer="sites_rates")
    assert rates["covered_after"].tolist() == [town["buildings"]["households"].iloc[8]]


def test_the_workbook_has_the_sites_and_the_rates(tmp_path, town, plan):
    path = write_workbook(tmp_path / "all.xlsx", cover=town["cover"], sites=plan, lang="zh")
    book = openpyxl.load_workbook(path)
    held = town["buildings"]["households"].iloc[8]
    rows = [[cell.value for cell in row] for row in book["选址方案"].iter_rows()]
    assert rows == [
        ["序号", "位置编号", "名称", "设施类别", "新增覆盖", "单独建设的效益"],
        [1, "b008", "北", "社区食堂", held, held],
    ]  # fmt: skip
    rates = [[cell.value for cell in row] for row in book["选址前后覆盖"].iter_rows()]
    assert rates[1][:4] == ["社区食堂", town["buildings"]["households"].sum(), 0, held]


def test_a_notebook_shows_sites_and_rates(plan):
    html = plan._repr_html_()
    assert "b008" in html
    assert "with every candidate" in html
    assert "proved optimal" in repr(plan)


def test_a_workbook_of_sites_alone(tmp_path, plan):
    book = openpyxl.load_workbook(write_workbook(tmp_path / "sites.xlsx", sites=plan))
    assert book.sheetnames[:3] == ["Summary", "Chosen sites", "Coverage with the sites"]
