"""Lists without coordinates: names brought to one spelling, rows matched to buildings, and no household lost."""

from __future__ import annotations

import doctest

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

import gridmap
from gridmap.errors import OptionError, TableError
from gridmap.tables.counts import attach_counts as attach_module
from gridmap.tables.counts import names as names_module
from gridmap.tables.counts import spread as spread_module
from gridmap.tables.counts.names import building_number, compound_name, loose_name, split_name, unit_number
from gridmap.tables.counts.spread import spread

attach_counts = gridmap.attach_counts
X, Y = 500_000.0, 4_400_000.0
ON = {"compound": "小区", "building": "楼号", "unit": "单元", "households": "户数"}


def houses(*names, **columns) -> gpd.GeoDataFrame:
    """Buildings b0, b1 ... of 10 × 10 m with these names (compound and number in one)."""
    data = {"building_id": [f"b{i}" for i in range(len(names))], "name": list(names), **columns}
    return gpd.GeoDataFrame(
        data, geometry=[box(X + 20 * i, Y, X + 20 * i + 10, Y + 10) for i in range(len(names))], crs=32650
    )


def listed(*rows) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["小区", "楼号", "单元", "户数"])


def given_and_found(buildings, counts, unmatched):
    attached = buildings.loc[buildings["count_match"].notna(), "households"].sum()
    return counts["户数"].sum(), attached + unmatched["households"].sum()


def test_numbers_typed_as_text_are_read_as_the_readers_read_cells():
    names = ["阳光花园1号楼", "阳光花园2号楼", "阳光花园3号楼", "阳光花园4号楼", "阳光花园5号楼"]
    table = listed(
        *[("阳光花园", f"{i}号楼", "", typed) for i, typed in enumerate(["１２", "1,020户", "约30", "无", 7], 1)]
    )
    out, unmatched = attach_counts(houses(*names), table, on=ON, totals={"阳光花园": "1,069户"})
    assert out["households"].fillna(-1).tolist() == [12, 1020, 30, -1, 7]
    assert unmatched["status"].tolist() == ["no_count"]
    assert out.attrs["counts"]["numbers_read"] == {"about": 1, "separators": 1, "unit": 1}
    # the stated total is what the list sums to
    assert "counts_differ_from_total" not in set(out.attrs["findings"]["rule"])
    for wrong in ("120人", "35%", "许多", "-5"):
        with pytest.raises(TableError, match=f"'{wrong}'; expected a number, 0 or more"):
            attach_counts(houses(*names), listed(("阳光花园", "1号楼", "", wrong)), on=ON)


def test_rows_of_one_label_are_read_apart():
    table = listed(("阳光花园", "1号楼", "", "12户"), ("阳光花园", "2号楼", "", "9户")).set_index(pd.Index([4, 4]))
    out, _ = attach_counts(houses("阳光花园1号楼", "阳光花园2号楼"), table, on=ON)
    assert out["households"].tolist() == [12, 9]


def test_what_is_no_table_is_refused_at_the_door(tmp_path):
    table = houses("阳光花园1号楼")
    good = listed(("阳光花园", "1号楼", "", 4))
    for wrong in (tmp_path / "台账.xlsx", "台账.xlsx", [1]):
        with pytest.raises(
            OptionError, match=r"counts= is a table, not \w+: read a file with gridmap.read_counts\(path\)"
        ):
            attach_counts(table, wrong, on=ON)
    for wrong in ("许多", None, float("nan"), "5%", -3):
        with pytest.raises(OptionError, match=r"totals\['阳光花园'\]=.*give a number of households"):
            attach_counts(table, good, on=ON, totals={"阳光花园": wrong})
    for option, reader in (("zones", "read_communities"), ("cells", "read_raster")):
        with pytest.raises(OptionError, match=rf"{option}= is a GeoDataFrame, not str: .*gridmap.{reader}"):
            gridmap.estimate_households(table, **{option: "x.gpkg"})
    with pytest.raises(OptionError, match="this GeoDataFrame has no step, rule"):
        gridmap.undo_repair(table, table)


def test_a_list_is_read_and_attached_without_naming_its_columns(tmp_path):
    path = tmp_path / "台账.csv"
    path.write_text(
        "柳岸社区台账\n小区名称,楼号,单元,总户数\n阳光花园,3号楼,1,12户\n阳光花园,3号楼,2,约8\n合计,,,20\n", "utf-8"
    )
    counts = gridmap.read_counts(path)
    out, unmatched = attach_counts(houses("阳光花园3号楼"), counts)
    assert out["households"].tolist() == [20]
    assert len(unmatched) == 0
    assert out.attrs["units"]["households"].tolist() == [12, 8]
    own = gridmap.read_counts(pd.DataFrame({"where": ["阳光花园3栋"], "户数": [5]}), columns={"name": "where"})
    assert attach_counts(houses("阳光花园3号楼"), own)[0]["households"].tolist() == [5]
    by_id = gridmap.read_counts(pd.DataFrame({"楼栋编号": ["b0"], "户数": [5]}))
    assert attach_counts(houses("阳光花园3号楼"), by_id)[0]["count_match"].tolist() == ["id"]
    with pytest.raises(OptionError, match="at least one of building_id"):
        attach_counts(houses("阳光花园3号楼"), pd.DataFrame({"households": [5]}))


# ---- names -----------------------------------------------------------------------------------------------------------

# Each line is one building in every spelling that planners use for it; spellings of two lines are two buildings. By
# what the words mean, not by what the code gives: 栋, 幢, 座, 号楼, # are one thing; a letter, a stem (甲), a side
# (东), a second number or a list make another building; 3A and A3, 12 and 12-3, 乙3 and 3乙, 13 and 3 are not the same.
NUMBERS = [
    ["3", "03", "003", "3.0", "３", "3号楼", "3#楼", "3#", "3＃", "3栋", "3幢", "3座", "3楼",
     "第3栋", "第三栋", "三号楼", "三栋", "叁号楼", "叁幢", "參號樓", "３号楼", " 3 号楼 ", "3號樓",
     "No.3", "NO 3", "③", "3棟", "Building 3", "三"],
    ["13", "十三", "拾叁栋", "13号楼", "第十三幢", "一三栋"],
    ["30", "三十", "叁拾号楼", "30#"],
    ["23", "二十三号楼", "贰拾叁", "23栋"],
    ["108", "一百零八号楼", "一〇八栋", "108#"],
    ["110", "一百一十号", "110幢"],
    ["10", "十", "十号楼", "一十", "拾", "10.0"],
    ["A座", "a座", "Ａ座", "A栋", "A"],
    ["B座", "b栋"],
    ["A3", "A-3", "A3栋", "a3#", "A－3号楼", "A 3", "A_3", "A03"],
    ["3A", "3-A", "3号楼A座", "3a栋"],
    ["12-3", "12—3", "12–3", "１２－３", "12栋3号", "12-03", "12 3"],
    ["12", "12号楼", "十二栋"],
    ["123", "一百二十三号楼"],
    ["3-12", "3—12"],
    ["乙3号", "乙3号楼", "乙三号", "乙3"],
    ["3号乙", "3乙"],
    ["甲3号", "甲3"],
    ["附3号", "附三号"],
    ["3号楼东", "3东"],
    ["东3号楼", "东3"],
    ["1、2号楼", "1,2号楼", "1，2", "1/2号楼"],
    ["1-2", "1-2号楼"],
    ["1~2号楼"],
    ["综合楼", "综合"],
    ["东楼", "东座", "东"],
    ["-1号楼"],
    ["1号楼", "壹号楼", "一栋", "1"],
    ["3月1日"],
    ["3-1"],
]  # fmt: skip


def test_spellings_of_a_number_fall_into_the_classes_that_people_mean():
    assert sum(map(len, NUMBERS)) >= 90
    canonical = [{building_number(text) for text in group} for group in NUMBERS]
    assert [(group, found) for group, found in zip(NUMBERS, canonical, strict=True) if len(found) != 1] == []
    of = {}
    for group, (key,) in zip(NUMBERS, canonical, strict=True):
        assert key not in of, (group, of[key])
        of[key] = group


COMPOUNDS = [
    ["阳光花园一期", "阳光花园1期", "阳光花园（一期）", "阳光花园(1期)", "阳光花园第一期", "阳光花园Ⅰ期",
     "阳光花园 一期", "陽光花園I期", "阳光花园·一期", "阳光花园小区一期"],
    ["阳光花园二期", "阳光花园2期", "阳光花园Ⅱ期", "阳光花园II期"],
    ["阳光花园", "阳光花园小区", "阳光花园 小区", "阳光花园住宅小区"],
    ["阳光花园A区", "阳光花园a区", "阳光花园小区Ａ区"],
    ["阳光花园东区", "阳光花园（东区）"],
    ["华润二十四城", "华润24城"],
    ["新村三小区", "新村3小区", "新村第三小区"],
    ["新村四小区"],
    ["三里屯", "3里屯"],
    ["人民路12号院", "人民路十二号院", "人民路１２号院"],
    ["人民路1-2号院", "人民路1—2号院"],
    ["SOHO现代城", "soho现代城"],
]  # fmt: skip


def test_spellings_of_a_compound_fall_into_the_classes_that_people_mean():
    canonical = [{loose_name(text) for text in group} for group in COMPOUNDS]
    assert [(group, found) for group, found in zip(COMPOUNDS, canonical, strict=True) if len(found) != 1] == []
    assert len(set().union(*canonical)) == len(COMPOUNDS)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("阳光花园3号楼", ("阳光花园", "3", "")),
        ("阳光花园一期第三栋2单元", ("阳光花园1期", "3", "2")),
        ("阳光花园A座", ("阳光花园", "A", "")),
        ("阳光花园12-3号楼", ("阳光花园", "12-3", "")),
        ("人民路12号院3号楼", ("人民路12号院", "3", "")),
        ("人民路12号院乙3号楼甲单元", ("人民路12号院", "乙-3", "甲")),
        ("长宁路5弄3号", ("长宁路5弄", "3", "")),
        ("金色1号公馆3栋", ("金色1号公馆", "3", "")),
        ("阳光花园3号楼A座", ("阳光花园", "3-A", "")),
        ("3号楼", ("", "3", "")),
        ("绿地23城", ("绿地23城", "", "")),
        ("综合市场", ("综合市场", "", "")),
        ("地铁5号线", ("地铁5号线", "", "")),
        ("", ("", "", "")),
    ],
)
def test_names_are_taken_apart(text, parts):
    compound, number, unit = split_name(text)
    assert (compound_name(compound), building_number(number), unit_number(unit)) == parts


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.sampled_from("第三3十拾叁百零〇0.号楼栋幢座#-—A１ ab乙东期I小区（）单元、~_花园") | st.characters(),
        max_size=12,
    )
)
def test_bringing_to_one_spelling_twice_changes_nothing(text):
    for rule in (building_number, compound_name, loose_name, unit_number):
        assert rule(rule(text)) == rule(text)


def test_examples_run():
    for module in (names_module, spread_module, attach_module):
        failed, tried = doctest.testmod(module)
        assert tried
        assert not failed


# ---- matching --------------------------------------------------------------------------------------------------------


def test_rows_of_units_are_summed_and_kept():
    counts = listed(
        ("阳光花园1期", "第3栋", "1单元", 12),
        ("阳光花园1期", "三号楼", "2单元", 14),
        ("阳光花园1期", "4#", "一单元", 10),
    )
    out, unmatched = attach_counts(
        houses("阳光花园（一期）3号楼", "阳光花园一期4幢", "阳光花园二期3号楼"), counts, on=ON
    )
    assert out["households"].tolist()[:2] == [26, 10]
    assert np.isnan(out["households"].iloc[2])
    assert unmatched.empty
    assert out.attrs["units"].to_numpy().tolist() == [["b0", "1", 12], ["b0", "2", 14], ["b1", "1", 10]]
    assert out["count_match"].fillna("").tolist() == ["normalised", "normalised", ""]
    assert out.attrs["counts"]["matched"] == {"normalised": {"rows": 3, "households": 36.0}}
    assert out.attrs["findings"].empty


def test_how_sure_a_match_is_is_told():
    counts = listed(
        ("翠湖居", "1号楼", "", 1), ("翠湖居", "2栋", "", 2), ("万科金域兰湾", "1", "", 4), ("万科金域兰湾", "2", "", 8)
    )
    buildings = houses("", "", "", "", 小区名称=["翠湖居", "翠湖居", "万科金域蓝湾", "万科金域蓝湾"],
                       楼号=["1号楼", "2号楼", "1号楼", "9号楼"])  # fmt: skip
    out, unmatched = attach_counts(buildings, counts, on=ON)
    assert out["count_match"].fillna("").tolist() == ["exact", "normalised", "fuzzy", ""]
    # five of six characters in common on both sides
    assert out["count_score"].tolist()[:3] == [100, 100, round(100 * 10 / 12, 1)]
    # the number of a building is never matched by likeness
    assert unmatched[["number", "status"]].to_numpy().tolist() == [["2", "no_number"]]
    assert out.attrs["findings"]["rule"].tolist() == ["counts_unmatched", "counts_by_likeness"]
    strict, _ = attach_counts(buildings, counts, on=ON, minimum_score=101)
    assert strict["count_match"].fillna("").tolist() == ["exact", "normalised", "", ""]


@pytest.mark.parametrize(
    ("name", "known", "status"),
    [
        # one character apart, and two places
        ("金地东苑新村", ["金地西苑新村"], "no_compound"),
        ("中海国际社区2期", ["中海国际社区1期"], "no_compound"),
        ("新都汇锦云天城", ["都汇锦云天城"], "no_compound"),
        ("阳光花园", ["阳光家园"], "no_compound"),
        # two that are as much alike
        ("万科金域兰湾", ["万科金域蓝湾", "万科金域澜湾"], "ambiguous_compound"),
        # 东风 could be both of these
        ("东风", ["东风小区", "东风住宅小区"], "ambiguous_compound"),
    ],
)
def test_in_doubt_nothing_is_attached(name, known, status):
    buildings = houses(*[f"{k}1号楼" for k in known])
    out, unmatched = attach_counts(buildings, listed((name, "1", "", 7)), on=ON)
    assert out["households"].isna().all()
    assert unmatched[["status", "households"]].to_numpy().tolist() == [[status, 7]]
    assert set(unmatched["candidates"].iloc[0]) == set(known) or status == "no_compound"


def test_likeness_never_takes_what_another_name_of_the_list_means():
    buildings = houses("万科金域蓝湾1号楼", "万科金域蓝湾2号楼")
    both = listed(("万科金域蓝湾", "1", "", 5), ("万科金域兰湾", "2", "", 6))
    out, unmatched = attach_counts(buildings, both, on=ON)
    assert out["households"].fillna(-1).tolist() == [5, -1]
    assert unmatched["candidates"].tolist() == [["万科金域蓝湾"]]
    rivals = listed(("万科金域兰湾", "1", "", 5), ("万科金域澜湾", "2", "", 6))
    assert attach_counts(buildings, rivals, on=ON)[1]["status"].tolist() == ["ambiguous_compound"] * 2


def test_candidates_are_near_numbers_and_buildings_told_twice():
    buildings = houses("翠湖居12号楼", "翠湖居3号楼", "翠湖居5号楼", "翠湖居5栋")
    out, unmatched = attach_counts(buildings, listed(("翠湖居", "12-3", "", 9), ("翠湖居", "5#", "", 4)), on=ON)
    assert out["households"].isna().all()
    assert unmatched["status"].tolist() == ["no_number", "ambiguous_number"]
    assert unmatched["candidates"].tolist() == [["b0", "b1"], ["b2", "b3"]]
    # spelt just as the list has it, one of the two is meant
    out, _ = attach_counts(buildings.assign(number=["12号楼", "3号楼", "5号楼", "5栋"], 小区="翠湖居"),
                           listed(("翠湖居", "5栋", "", 4)), on=ON)  # fmt: skip
    assert out["households"].fillna(-1).tolist() == [-1, -1, -1, 4]


def test_ids_win_over_names():
    counts = pd.DataFrame({"building_id": [" b1", "b9", "b0"], "households": [3, 4, 5], "unit_id": ["1", "1", "1"]})
    out, unmatched = attach_counts(houses("甲小区1栋", "甲小区2栋", households=[90, 91]), counts, on="id")
    assert out["households"].tolist() == [5, 3]
    assert unmatched[["row", "status"]].to_numpy().tolist() == [[1, "no_id"]]
    counts = counts.assign(name=["甲小区1栋", "甲小区1栋", "甲小区1栋"])
    out, unmatched = attach_counts(
        houses("甲小区1栋", "甲小区2栋"), counts, on={"building_id": "building_id", "name": "name"}
    )
    assert out["households"].tolist() == [9, 3]
    assert out["count_match"].tolist() == ["exact", "id"]


def test_buildings_outside_the_list_keep_what_they_have():
    out, _ = attach_counts(houses("甲园1栋", "甲园2栋", households=[90, 91]), listed(("甲园", "2", "", 1)), on=ON)
    assert out["households"].tolist() == [90, 1]
    assert out["count_match"].isna().tolist() == [True, False]


def test_compounds_give_their_names_by_id_or_by_outline():
    buildings = houses("1号楼", "1号楼", "1号楼", compound_id=["c1", None, "c9"])
    outlines = gpd.GeoDataFrame(
        {"compound_id": ["c1", "c2"], "name": ["柳岸", "荷塘"]},
        geometry=[box(X, Y, X + 15, Y + 15), box(X + 15, Y, X + 35, Y + 15)],
        crs=32650,
    )
    counts = listed(("柳岸小区", "一栋", "", 5), ("荷塘", "1", "", 6), ("c9", "1", "", 7))
    out, unmatched = attach_counts(buildings, counts, on=ON, compounds=outlines.to_crs(4326))
    assert out["households"].tolist() == [5, 6, 7]
    assert unmatched.empty


def test_numbers_may_say_the_compound_and_the_unit_too():
    counts = listed(
        ("翠湖居", "翠湖居3号楼2单元", "", 5), ("", "翠湖居3号楼1单元", "", 6), ("翠湖居", "3号楼3单元", "", 7)
    )
    out, _ = attach_counts(houses("翠湖居3号楼"), counts, on=ON)
    assert out["households"].tolist() == [18]
    assert out.attrs["units"]["unit_id"].tolist() == ["1", "2", "3"]


# ---- totals ----------------------------------------------------------------------------------------------------------


def test_a_total_is_shared_by_what_all_buildings_of_the_compound_have():
    names = ["甲园1栋", "甲园2栋", "甲园3栋", "乙园1栋", "乙园2栋", "丙园1栋", "丙园2栋", "丁园1栋", "丁园2栋"]
    buildings = houses(
        *names,
        dwellings=[10, 20, 30, 5, None, None, None, None, None],
        floors=[1, 1, 1, 3, 6, None, 4, None, None],
        use=["住宅", "住宅", "商业", None, None, None, None, None, None],
    )
    buildings.geometry = [*buildings.geometry[:7], Point(X + 300, Y), Point(X + 320, Y)]
    counts = pd.DataFrame({"小区": ["甲园", "乙园", "丙园", "丁园小区", "戊园"], "户数": [61, 9, 7, 3, 2]})
    out, unmatched = attach_counts(buildings, counts, on={"compound": "小区", "households": "户数"})
    # 甲园: a shop has none, 61 by 10 : 20; 乙园: equal footprints × 3 : 6 floors; 丙园: footprint; 丁园: points, alike
    assert out["households"].tolist() == [20, 41, 0, 3, 6, 4, 3, 2, 1]
    assert set(out["count_match"]) == {"shared"}
    assert out.attrs["counts"]["shared_by"] == {"alike": 1, "dwellings": 1, "footprint": 1, "footprint × floors": 1}
    assert unmatched[["compound", "status"]].to_numpy().tolist() == [["戊园", "no_compound"]]


def test_a_total_beside_its_buildings_is_not_counted_twice():
    counts = listed(("甲园", "1", "", 5), ("甲园", "", "", 12), ("甲园", "2", "", 6))
    out, unmatched = attach_counts(houses("甲园1栋", "甲园2栋"), counts, on=ON)
    assert out["households"].tolist() == [5, 6]
    assert unmatched[["households", "status"]].to_numpy().tolist() == [[12, "beside_buildings"]]


def test_stated_totals_are_checked_and_nothing_is_corrected():
    counts = listed(("甲园", "1", "", 5), ("甲园", "2", "", 6), ("乙园", "1", "", 3)).assign(社区="柳岸社区")
    totals = {"甲园小区": 11, "甲园": 12, "柳岸社区": 14, "乙园": 3, "丙园": 4}
    del totals["甲园小区"]
    out, _ = attach_counts(
        houses("甲园1栋", "甲园2栋", "乙园1栋"), counts, on={**ON, "community": "社区"}, totals=totals
    )
    assert out["households"].tolist() == [5, 6, 3]
    found = out.attrs["findings"].set_index("rule")
    assert found.loc["counts_differ_from_total", "ids"] == ["甲园"]
    assert found.loc["counts_differ_from_total", "certificate"] == '{"listed": 11.0, "stated": 12.0}'
    assert found.loc["total_of_unknown", "ids"] == ["丙园"]
    assert len(found) == 2
    with pytest.raises(OptionError, match="totals= is a mapping"):
        attach_counts(houses("甲园1栋"), counts, on=ON, totals=[3])


def test_rows_that_are_there_twice_are_told():
    counts = listed(("甲园", "1", "1", 5), ("甲园", "一栋", "一单元", 5), ("甲园", "2", "", 6))
    out, _ = attach_counts(houses("甲园1栋", "甲园2栋"), counts, on=ON)
    assert out["households"].tolist() == [10, 6]
    told = out.attrs["findings"].set_index("rule").loc["counts_repeated"]
    assert told["ids"] == ["b0"]


def test_empty_cells_are_unmatched_and_bad_ones_refused():
    counts = listed(("甲园", "1", "", None), ("甲园", "2", "", 6))
    out, unmatched = attach_counts(houses("甲园1栋", "甲园2栋"), counts, on=ON)
    assert out["households"].fillna(-1).tolist() == [-1, 6]
    assert unmatched["status"].tolist() == ["no_count"]
    with pytest.raises(TableError, match=r"(?s)counts: 2 violations.*row 0: 户数 = -1.*row 1: 户数 = 'x'"):
        attach_counts(houses("甲园1栋"), listed(("甲园", "1", "", -1), ("甲园", "2", "", "x")), on=ON)


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("name", "give 'id', or a mapping"),
        (3, "not int"),
        ({"house": "楼号"}, "on= names 'house'; known are"),
        ({"compound": "院落", "households": "户数"}, "takes compound from '院落', but the columns"),
        ({"compound": "小区"}, "takes households from 'households'"),
        ({"unit": "单元", "households": "户数"}, "at least one of"),
    ],
)
def test_what_on_says_must_be_there(on, message):
    with pytest.raises(OptionError, match=message):
        attach_counts(houses("甲园1栋"), listed(("甲园", "1", "", 1)), on=on)


def test_columns_of_the_buildings_can_be_named():
    buildings = houses("x", "y", yard=["甲园", "甲园"], no=["1", "2"])
    out, _ = attach_counts(
        buildings, listed(("甲园", "2#", "", 3)), on=ON, names={"compound": "yard", "building": "no"}
    )
    assert out["households"].fillna(0).tolist() == [0, 3]
    with pytest.raises(OptionError, match="names= says 'court'"):
        attach_counts(buildings, listed(("甲园", "2#", "", 3)), on=ON, names={"compound": "court"})
    with pytest.raises(OptionError, match="known are compound"):
        attach_counts(buildings, listed(("甲园", "2#", "", 3)), on=ON, names={"house": "no"})


NAMES = st.sampled_from(
    ["阳光花园", "阳光花园小区", "阳光花园一期", "万科金域蓝湾", "万科金域兰湾", "翠湖居", "东风", ""]
)
CELLS = st.sampled_from(["1", "一号楼", "2栋", "A座", "12-3", "12", "", "综合楼"])
ROWS = st.lists(
    st.tuples(NAMES, CELLS, st.sampled_from(["", "1", "二单元"]), st.integers(0, 500)), min_size=1, max_size=14
)
BUILDINGS = st.lists(st.tuples(NAMES, CELLS), min_size=1, max_size=10)


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, there=BUILDINGS, seed=st.integers(0, 99))
def test_no_household_is_lost_and_order_plays_no_part(rows, there, seed):
    counts = listed(*rows)
    buildings = houses(*[""] * len(there), compound_name=[c for c, _ in there], number=[n for _, n in there])
    out, unmatched = attach_counts(buildings, counts, on=ON)
    given_, found = given_and_found(out, counts, unmatched)
    assert given_ == found
    assert (out["households"].dropna() % 1 == 0).all()
    assert set(unmatched["row"]) <= set(counts.index)
    shuffle = np.random.default_rng(seed)
    mixed = counts.iloc[shuffle.permutation(len(counts))]
    turned = buildings.iloc[shuffle.permutation(len(buildings))]
    again, left = attach_counts(turned, mixed, on=ON)
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.sort_index().drop(columns="geometry")), pd.DataFrame(out.drop(columns="geometry"))
    )
    pd.testing.assert_frame_equal(
        left.sort_values("row", ignore_index=True), unmatched.sort_values("row", ignore_index=True)
    )
    units = out.attrs["units"]
    assert units["households"].sum() <= given_
    assert set(units["building_id"]) <= set(out.loc[out["count_match"].notna(), "building_id"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1e6, allow_subnormal=False)), min_size=4, max_size=30),
    st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
)
def test_shares_are_whole_sum_to_the_total_and_keep_their_quota(members, totals):
    group = np.array([0, 1, 2, 3, *[g for g, _ in members]])
    weight = np.array([1.0, 0.0, 2.0, 3.0, *[w for _, w in members]])
    out = spread(np.array(totals, dtype=float), group, weight)
    assert np.bincount(group, out, 4).tolist() == totals
    assert (out % 1 == 0).all()
    sums = np.bincount(group, weight, 4)
    even = 1 / np.bincount(group, minlength=4)
    quota = np.array(totals)[group] * np.where(
        sums[group] > 0, weight / np.where(sums > 0, sums, 1)[group], even[group]
    )
    # Hamilton's method: nobody gets less than the quota rounded down or more than rounded up
    assert (np.abs(out - quota) < 1 + 1e-6).all()


def test_a_part_of_a_household_goes_to_the_largest_share():
    assert spread(np.array([7.5]), np.array([0, 0]), np.array([1.0, 3.0])).tolist() == [2, 5.5]
