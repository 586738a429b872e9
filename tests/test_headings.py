"""Headings: which column is meant, which others would have fitted, and in which row they stand."""

from __future__ import annotations

import csv
import zipfile
from importlib import resources

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridmap as gm
from gridmap.errors import ReadError
from gridmap.io.read import unfinished_cells as unfinished_cells_module
from gridmap.io.read.heading_rows import leave_totals_out
from gridmap.io.read.headings import match_headings, other_headings, plain, stated_datum
from gridmap.io.read.readers import read_plain_table
from gridmap.io.read.record import Reading
from gridmap.tables.contracts import CONTRACTS

LISTED = list(
    csv.DictReader(resources.files("gridmap.io.read").joinpath("headings.csv").read_text("utf-8").splitlines())
)


def sheet(path, *rows):
    path.write_text("\n".join(",".join(row) if isinstance(row, list) else row for row in rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("table", CONTRACTS)
def test_every_heading_listed_stands_for_one_column(table):
    columns = {c.name for c in CONTRACTS[table].columns}
    rows = [r for r in LISTED if r["table"] == table or (r["table"] == "any" and r["column"] in columns)]
    by_heading = {}
    for row in rows:
        matched = match_headings([row["heading"]], table, None, "x")
        assert list(matched.values()) == [row["heading"]], row
        by_heading.setdefault(plain(row["heading"]), set()).add(next(iter(matched)))
    assert {h: c for h, c in by_heading.items() if len(c) > 1} == {}


def test_the_list_is_documented_and_has_no_row_twice():
    assert len(LISTED) > 300
    keys = [(r["table"], r["column"], plain(r["heading"])) for r in LISTED]
    assert len(set(keys)) == len(keys)
    assert {r["table"] for r in LISTED} <= {"any", "place", "category", *CONTRACTS}


# By what the words mean: what people own, who is registered, who is there and how many homes there are differ.
@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("总户数", "households"), ("常住户数", "households"), ("户数", "households"), ("总户数（户）", "households"),
        ("户籍户数", None), ("住宅套数", "dwellings"), ("常住人口", "residents"), ("户籍人口", "registered"),
        ("总人口", None), ("实有人口", None), ("入住户数", None), ("空置套数", None), ("出租户数", None),
        ("住宅建筑面积", None), ("地下层数", None), ("60岁以上", "elderly"), ("80岁以上", "elderly_80"),
        ("儿童", "children"), ("商铺数", "shops"), ("企业数", "enterprises"), ("建筑层数", "floors"),
        ("总层数", "floors"), ("建筑面积(㎡)", "floor_area_m2"), ("小区名称", "compound_name"), ("幢号", "number"),
        ("楼号", "number"), ("单元", "unit"), ("楼栋编号", "building_id"), ("Total_Households", "households"),
        ("population", "residents"), ("GFA", "floor_area_m2"),
    ],
)  # fmt: skip
def test_what_headings_mean(heading, column):
    matched = match_headings([heading], "buildings", None, "x")
    assert matched == ({} if column is None else {column: heading})


def test_the_first_listed_is_taken_and_the_others_are_told(tmp_path):
    path = sheet(
        tmp_path / "a.csv", "id,经度,纬度,户籍户数,常住户数,总户数,住宅套数,65岁以上,60岁以上", "a,116.3,40,1,2,3,4,5,6"
    )
    read = gm.read_buildings(path)
    reading = read.attrs["reading"]
    assert reading["also_fits"] == {"households": ["常住户数"], "elderly": ["65岁以上"]}
    assert (reading["households_from"], reading["elderly_from"]) == ("总户数", "60岁以上")
    assert read[["households", "dwellings", "elderly", "户籍户数", "常住户数"]].to_numpy().tolist() == [[3, 4, 6, 1, 2]]
    said = gm.read_buildings(path, columns={"households": "户籍户数"})
    assert said["households"].tolist() == [1]
    assert said.attrs["reading"]["also_fits"]["households"] == ["总户数", "常住户数"]
    assert other_headings(["总户数"], "buildings", {"households": "总户数"}) == {}


def test_beds_and_school_places_are_capacity_and_it_is_said_which(tmp_path):
    path = sheet(
        tmp_path / "a.csv",
        "设施名称,设施类型,经度,纬度,学位,营业时间,电话",
        "柳岸小学,小学,116.3,40,900,8:00-17:00,010-1",
    )
    read = gm.read_facilities(path)
    assert read[["name", "capacity", "opening_hours", "phone"]].to_numpy().tolist() == [
        ["柳岸小学", 900, "8:00-17:00", "010-1"]
    ]
    assert read.attrs["reading"]["capacity_from"] == "学位"


def test_headings_that_name_a_datum_are_not_taken_for_wgs84(tmp_path):
    assert [stated_datum(h) for h in ("经度(GCJ02)", "高德经度", "lng_bd09", "经度", "lng")] == [
        "GCJ-02", "GCJ-02", "BD-09", None, None,
    ]  # fmt: skip
    path = sheet(tmp_path / "a.csv", "id,经度(GCJ02),纬度(GCJ02)", "a,116.3,40")
    with pytest.raises(ReadError, match=r"heading '经度\(GCJ02\)' says GCJ-02. Pass crs='GCJ-02'"):
        gm.read_buildings(path)
    assert len(gm.read_buildings(path, crs="GCJ-02")) == 1


@pytest.mark.parametrize(
    ("lon", "lat", "datum"),
    [
        ("经度GCJ02", "纬度GCJ02", "GCJ-02"), ("lon_gcj02", "lat_gcj02", "GCJ-02"), ("gcj_lng", "gcj_lat", "GCJ-02"),
        ("百度经度", "百度纬度", "BD-09"), ("bd_lng", "bd_lat", "BD-09"), ("高德经度", "高德纬度", "GCJ-02"),
    ],
)  # fmt: skip
def test_pairs_that_name_a_datum_are_coordinates_in_it(tmp_path, lon, lat, datum):
    path = sheet(tmp_path / "a.csv", f"id,{lon},{lat}", "a,116.3,40")
    with pytest.raises(ReadError, match=f"the heading '{lon}' says {datum}. Pass crs='{datum}'"):
        gm.read_buildings(path)
    name = {"GCJ-02": "火星坐标", "BD-09": "百度"}[datum]
    there = gm.read_buildings(path, crs=name).geometry.iloc[0]
    plainly = gm.read_buildings(sheet(tmp_path / "b.csv", "id,lon,lat", "a,116.3,40"), crs=datum).geometry.iloc[0]
    assert there == plainly
    for other in {"GCJ-02", "BD-09", 4326} - {datum}:
        with pytest.raises(ReadError, match=f"the heading '{lon}' says {datum}, crs= says {other}"):
            gm.read_buildings(path, crs=other)


def test_of_several_pairs_that_of_the_datum_is_taken(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,lon_gcj02,lat_gcj02,lon_wgs84,lat_wgs84", "a,116.306,40.001,116.3,40")
    assert gm.read_buildings(path).geometry.x.tolist() == [116.3]
    assert gm.read_buildings(path, crs="高德").geometry.x.iloc[0] == pytest.approx(116.3, abs=5e-4)


# ---- rows ------------------------------------------------------------------------------------------------------------

TITLE = "柳岸社区楼栋信息表,,,"
HEAD = "楼栋编号,经度,纬度,总户数"
DATA = ["007,116.3,40,5", "008,116.31,40,6"]


@pytest.mark.parametrize(
    "above",
    [[], [TITLE], ["柳岸社区楼栋信息表"], [TITLE, "填报单位：柳岸社区,,,2024年3月"], ["", TITLE, ""]],
)
def test_titles_above_the_headings_are_left_out_and_counted(tmp_path, above):
    read = gm.read_buildings(sheet(tmp_path / "a.csv", *above, HEAD, *DATA))
    assert read["building_id"].tolist() == ["007", "008"]
    assert read["households"].tolist() == [5, 6]
    left = read.attrs["reading"]["left_out"]
    assert sum(e["count"] for e in left if e["reason"] == "row above the headings") == sum(bool(a) for a in above)


def test_rows_are_called_as_in_the_sheet_below_titles(tmp_path):
    path = sheet(tmp_path / "a.csv", TITLE, HEAD, "007,116.3,40,x")
    with pytest.raises(gm.TableError, match="row 3: households = 'x'"):
        gm.read_buildings(path)


def test_merged_headings_of_two_rows(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    page = book.active
    page.append(["柳岸社区楼栋信息表"])
    page.append(["楼栋编号", "坐标", None, "户数", None, None, "人口", None, "备注"])
    page.append([None, "经度", "纬度", "总", "常住", "户籍", "常住", "户籍", None])
    page.append(["007", 116.3, 40, 5, 4, 3, 12, 9, None])
    page.append(["008", 116.31, 40, 6, 5, 4, 15, 8, "新建"])
    page.append(["合计", None, None, 11, 9, 7, 27, 17, None])
    page.append(["填表人：张三", None, None, None, None, None, None, None, None])
    for cells in ("A1:I1", "A2:A3", "B2:C2", "D2:F2", "G2:H2", "I2:I3"):
        page.merge_cells(cells)
    book.save(path)
    read = gm.read_buildings(path)
    assert read[["building_id", "households", "residents", "registered"]].to_numpy().tolist() == [
        ["007", 5, 12, 9], ["008", 6, 15, 8],
    ]  # fmt: skip
    assert read.geometry.x.tolist() == [116.3, 116.31]
    reading = read.attrs["reading"]
    assert (reading["headings_in_rows"], reading["households_from"]) == ([2, 3], "总户数")
    assert reading["also_fits"] == {"households": ["常住户数"]}
    assert {(e["reason"], e["count"], *e["ids"]) for e in reading["left_out"]} == {
        ("row above the headings", 1, "1"), ("row of totals", 1, "6"), ("note beside the table", 1, "7"),
    }  # fmt: skip
    assert reading["totals"]["6"]["总户数"] == "11"
    assert (reading["rows_read"], reading["rows_kept"]) == (5, 2)


@pytest.mark.parametrize(
    "word",
    [
        "合计",
        "合 计",
        "总计",
        "小计：",
        "Total",
        "SUBTOTAL",
        "共计",
        "本页合计",
        "社区合计",
        "合计（户）",
        "合计(户数)",
        "总计：户",
    ],
)
def test_totals_are_left_out(tmp_path, word):
    read = gm.read_buildings(sheet(tmp_path / "a.csv", HEAD, *DATA, f"{word},,,11"))
    assert read["households"].sum() == 11
    assert read.attrs["reading"]["left_out"] == [{"reason": "row of totals", "count": 1, "ids": ["4"]}]


@pytest.mark.parametrize("row", ["3,合计,,,30", ",合计,,,30", "合计,,,,30", ",,,小计,30", "3,本页合计：,,,30"])
def test_totals_are_told_in_whichever_column_they_stand(tmp_path, row):
    rows = ["1,柳岸里1号楼,116.3,40,10", "2,柳岸里2号楼,116.31,40,20", row]
    read = gm.read_buildings(sheet(tmp_path / "a.csv", "序号,名称,经度,纬度,户数", *rows))
    assert read["households"].tolist() == [10, 20]
    assert read.attrs["reading"]["totals"]["4"]["户数"] == "30"


def test_subtotals_of_a_building_are_no_unit_of_it(tmp_path):
    units = read_plain_table(
        "units", sheet(tmp_path / "a.csv", "楼栋编号,单元编号,户数", "1,1,10", "1,2,20", "1,小计,30")
    )
    assert units["households"].tolist() == [10, 20]


@settings(deadline=None)
@given(
    word=st.sampled_from(["合计", "总计", "共计", "小计", "累计", "本页合计", "社区合计", "total", "Sum"]),
    before=st.sampled_from(["", "柳岸", "新", "3号"]),
    after=st.sampled_from(["大厦", "路3号", "里", "1号楼", "小区", "村", "花园", "设计院", " House"]),
)
def test_names_that_hold_such_words_are_no_totals(word, before, after):
    frame = pd.DataFrame({"名称": [before + word + after, after + word + after], "户数": ["1", "2"]}, index=[2, 3])
    reading = Reading("a.csv")
    assert leave_totals_out(frame, reading).equals(frame)
    assert reading.left_out == []


def test_what_only_looks_like_a_total_or_note_stays(tmp_path):
    text = ["名称,经度,纬度,总户数", "合计里1号楼,116.3,40,5", "注册大厦,116.3,40,5", "备注楼,116.3,40,5"]
    assert len(gm.read_buildings(sheet(tmp_path / "a.csv", *text))) == 3
    stations = sheet(tmp_path / "b.csv", "名称,类型,经度,纬度", "Total,加油站,116.3,40", "Total,,,")
    assert gm.read_facilities(stations)["name"].tolist() == ["Total"]


def test_headings_that_the_user_names_are_found_below_a_title(tmp_path):
    path = sheet(tmp_path / "a.csv", "some title", "gx,gy,hh", "116.3,40,5")
    read = gm.read_buildings(path, columns={"x": "gx", "y": "gy", "households": "hh"}, crs=4326)
    assert read["households"].tolist() == [5]
    strange = sheet(tmp_path / "b.csv", "柳岸表,,,", "甲,乙,丙,丁", "1,2,3,4")
    with pytest.raises(ReadError, match=r"first row looks like a title \('柳岸表'\).*Delete the rows above"):
        gm.read_buildings(strange)


def test_unknown_headings_of_a_plain_sheet_stay_in_the_first_row(tmp_path):
    path = sheet(tmp_path / "a.csv", "gx,gy,zz", "name,40,5", "b,41,6")
    read = gm.read_buildings(path, columns={"x": "zz", "y": "gy"}, crs=4326)
    assert read["gx"].tolist() == ["name", "b"]


def test_a_list_without_places_is_a_table_of_counts(tmp_path):
    path = sheet(
        tmp_path / "a.csv",
        "柳岸社区住户清单",
        "小区名称,楼号,单元,户数",
        "阳光花园,3号楼,1,12户",
        "阳光花园,4号楼,,",
        "合计,,,12",
    )
    counts = read_plain_table("counts", path)
    assert counts[["compound", "building", "unit"]].fillna("").to_numpy().tolist() == [
        ["阳光花园", "3号楼", "1"], ["阳光花园", "4号楼", ""],
    ]  # fmt: skip
    assert counts["households"].fillna(-1).tolist() == [12, -1]
    assert isinstance(counts, pd.DataFrame)


def test_text_merged_downwards_is_repeated_and_numbers_are_not(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.create_sheet("封面", 0).append(["柳岸社区"])
    page = book["Sheet"]
    for row in (
        ["小区名称", "楼号", "户数"],
        ["阳光花园", "1栋", 30],
        [None, "2栋", None],
        [None, "3栋", 12],
        ["翠湖居", "1栋", 8],
    ):
        page.append(row)
    page.merge_cells("A2:A4")
    page.merge_cells("C2:C3")
    book.save(path)
    counts = read_plain_table("counts", path, layer="Sheet")
    assert counts["compound"].tolist() == ["阳光花园", "阳光花园", "阳光花园", "翠湖居"]
    assert "empty_below" not in counts.attrs["reading"]
    # 30 households of two buildings must not become 60
    assert counts["households"].fillna(-1).tolist() == [30, -1, 12, 8]
    reading = counts.attrs["reading"]
    assert reading["mended"] == [{"what": "merged cells: the text repeated in each row", "count": 2, "ids": ["3", "4"]}]
    assert (reading["merged_numbers"]["rows"], reading["merged_numbers"]["count"]) == ([2], 1)


def test_compounds_that_a_csv_leaves_empty_below_one_are_told(tmp_path):
    rows = ["小区名称,楼号,户数", ",9栋,3", "阳光花园,1栋,30", ",2栋,12", "翠湖居,1栋,8", ",2栋,9"]
    counts = read_plain_table("counts", sheet(tmp_path / "a.csv", *rows))
    # whether they were merged is known to the planner alone
    assert counts["compound"].isna().tolist() == [True, False, True, False, True]
    told = counts.attrs["reading"]["empty_below"]["compound"]
    assert (told["what"], told["count"], told["rows"]) == ("empty below 阳光花园", 2, ["4", "6"])


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_formulas_without_a_value_are_refused_where_they_are_read(tmp_path):
    rows = (
        ["楼栋编号", "户数", "甲"],
        ["1", "=1+1", 3],
        ["=A2", "=B2", "=C2"],
        ["3", "#N/A", 1],
        ["合计", "=SUM(B2:B4)", 4],
    )
    with pytest.raises(ReadError) as caught:
        read_plain_table("households", workbook(tmp_path / "a.xlsx", *rows))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "row 2, 户数", "row 3, 楼栋编号", "row 3, 户数", "row 4, 户数",
    ]  # fmt: skip
    # in totals, and in columns that nothing is taken from, they do no harm; the latter is said
    good = ["楼栋编号", "户数", "甲"], ["1", 2, "=1+1"], ["3", 4, "#DIV/0!"], ["合计", "=SUM(B2:B3)", None]
    counts = read_plain_table("households", workbook(tmp_path / "b.xlsx", *good))
    assert counts["households"].tolist() == [2, 4]
    assert counts.attrs["reading"]["cells_without_value"]["count"] == 2
    with pytest.raises(ReadError, match="row 2, 甲: a formula"):
        read_plain_table("households", tmp_path / "b.xlsx", columns={"households": "甲"})


def test_the_only_sheet_with_known_headings_is_taken(tmp_path):
    book = openpyxl.Workbook()
    pages = {
        "说明": [["填表说明"], ["名称", "要求"], ["户数", "整数"]],
        "数据": [["柳岸社区"], ["楼栋编号", "户数"], ["1", 30]],
        "空": [],
    }
    for name, rows in pages.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.remove(book["Sheet"])
    book.save(tmp_path / "a.xlsx")
    counts = read_plain_table("households", tmp_path / "a.xlsx")
    reading = counts.attrs["reading"]
    assert counts["households"].tolist() == [30]
    assert (reading["sheet"], reading["other_sheets"]) == ("数据", ["说明", "空"])
    # the empty sheets that Excel adds take nothing from the first, whatever its headings
    path = workbook(tmp_path / "b.xlsx", ["甲", "户数"], ["1", 2])
    again = openpyxl.load_workbook(path)
    again.create_sheet("Sheet2")
    again.save(path)
    assert read_plain_table("counts", path).attrs["reading"]["sheet"] == "Sheet"


@pytest.mark.parametrize(
    ("cell", "unfinished"),
    [
        ("<c r='B2'><f>1+1</f><v>2</v></c>", None),
        ("<c r='B2' t='str'><f>T(A2)</f><v></v></c>", None),
        ("<c r='B2' s='1'/>", None),
        ("<c r='B2'><f>1+1</f></c>", ""),
        ("<c s='1' r='B2'><f t='shared' si='0'/></c>", ""),
        ("<x:c r='B2'><x:f>1+1</x:f><x:v/></x:c>", ""),
        ("<c r='B2' t='e'><f>1/0</f><v>#DIV/0!</v></c>", "#DIV/0!"),
    ],
)
def test_cells_without_a_value_are_found_as_any_program_writes_them(tmp_path, monkeypatch, cell, unfinished):
    text = f"<sheetData><row r='1'><c r='A1'/></row><row r='2'><c r='A2'/>{cell}</row></sheetData>".replace("'", '"')
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("sheet1.xml", text)
    # wherever the pieces end in which the sheet is read
    for size in (1, 7, 30, 2**20):
        monkeypatch.setattr(unfinished_cells_module, "_CHUNK", size)
        found = unfinished_cells_module.unfinished_cells(tmp_path / "a.xlsx", "sheet1.xml")
        assert found == ([] if unfinished is None else [(2, 1, unfinished)])
