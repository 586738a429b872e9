"""Cells as people type them: what is read, what is left as it is, and what is refused."""

from __future__ import annotations

import doctest

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridmap as gm
from gridmap.errors import ReadError, TableError
from gridmap.io.read import values as values_module
from gridmap.io.read.record import Reading
from gridmap.io.read.values import code_of, tidy
from gridmap.tables.typed_numbers import number_of


def test_examples_run():
    failed, tried = doctest.testmod(values_module)
    assert tried
    assert not failed


@pytest.mark.parametrize(
    ("text", "column", "number", "remark"),
    [
        ("120", "households", 120, ""),
        ("120.5", "floor_area_m2", 120.5, ""),
        ("120户", "households", 120, "unit"),
        ("120 户", "households", 120, "unit"),
        ("120 households", "households", 120, "unit"),
        ("3,200 m²", "floor_area_m2", 3200, "unit"),
        ("3200㎡", "floor_area_m2", 3200, "unit"),
        ("3200.5平方米", "floor_area_m2", 3200.5, "unit"),
        ("18层", "floors", 18, "unit"),
        ("18F", "floors", 18, "unit"),
        ("1,234,567", "residents", 1_234_567, "separators"),
        ("1 234", "residents", 1234, "separators"),
        ("1，234", "residents", 1234, "separators"),
        ("１２３", "residents", 123, "separators"),
        ("\u3000123\u3000", "residents", 123, ""),
        ("1.2万", "residents", 12_000, "万"),
        ("1.2万人", "residents", 12_000, "万"),
        ("3千", "residents", 3000, "万"),
        ("约300", "households", 300, "about"),
        ("约300户", "households", 300, "about"),
        ("大约 300", "households", 300, "about"),
        ("~300", "households", 300, "about"),
        ("300余户", "households", 300, "about"),
        ("300户左右", "households", 300, "about"),
        ("1.15万", "households", 11_500, "万"),
        ("35%", "", 0.35, "percent"),
        ("３５％", "", 0.35, "percent"),
        *[(text, "households", None, "missing") for text in
          ("-", "—", "无", "/", "NA", "N/A", "#N/A", " － ", "暂无", "null")],
        # another quantity, a range, a bound, a comma that may be a decimal point, words, errors of a spreadsheet, dates
        *[(text, "households", None, "no number") for text in
          ("120人", "120套", "100-120", "300以上", ">300", "1,5", "12,34", "三百", "#REF!", "2024-03-01", "3月1日",
           "120户3", "1..2", "-5")],
        ("120户", "residents", None, "no number"),
        ("120公顷", "floor_area_m2", None, "no number"),
    ],
)  # fmt: skip
def test_counts_as_people_type_them(text, column, number, remark):
    assert number_of(text, column) == (number, remark)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["{:,}", "{}户", "{:,} 户", "约{}", "{}", "\u3000{}"]))
def test_every_whole_number_is_read_back(number, form):
    assert number_of(form.format(number), "households")[0] == number


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12))
def test_nothing_raises_and_nothing_is_made_up(text):
    number, remark = number_of(text, "households")
    assert (number is None) == (remark in ("missing", "no number"))
    if number is not None:
        assert any(character.isnumeric() for character in text)
    code, _ = code_of(text)
    assert code is None or code_of(code)[0] == code


@pytest.mark.parametrize(
    ("text", "code", "remark"),
    [
        ("510107001002", "510107001002", ""),
        ("510107001002.0", "510107001002", "decimals"),
        ("5.10107001002E+11", "510107001002", "scientific"),
        ("5.10107001002e11", "510107001002", "scientific"),
        ("5.10107E+11", None, "lost"),
        ("007", "007", ""),
        ("007.0", "007", "decimals"),
        ("3.1", "3.1", ""),
        ("1E5", "1E5", ""),
        ("12E", "12E", ""),
        ("way/123", "way/123", ""),
        ("Ａ－０１", "A-01", "full width"),
        (" B2 ", "B2", ""),
    ],
)
def test_codes_as_a_spreadsheet_leaves_them(text, code, remark):
    assert code_of(text) == (code, remark)


def sheet(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sheet_is_tidied_and_says_what_was_done(tmp_path):
    text = (
        "楼栋编号,经度,纬度,户数,常住人口\n"
        '510107001.0,116.3,40,120户,"1,200"\n510107002.0,116.3,40.1,约300,1.2万\n510107003.0,116.3,40.2,无,-\n'
    )
    read = gm.read_buildings(sheet(tmp_path / "a.csv", text))
    assert read["building_id"].tolist() == ["510107001", "510107002", "510107003"]
    assert read["households"].fillna(-1).tolist() == [120, 300, -1]
    assert read["residents"].fillna(-1).tolist() == [1200, 12_000, -1]
    told = {entry["what"]: (entry["count"], entry["ids"]) for entry in read.attrs["reading"]["mended"]}
    assert told["households: units left out"] == (1, ["2"])
    assert told["households: approximate numbers taken as they are"] == (1, ["3"])
    assert told["households: taken as missing"] == (1, ["4"])
    assert told["residents: taken as missing"] == (1, ["4"])
    assert told["building_id: the .0 of a spreadsheet taken off codes"] == (3, ["2", "3", "4"])


def test_lost_digits_are_refused_with_their_rows(tmp_path):
    text = '社区编码,wkt\n5.10107E+11,"POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))"\n'
    with pytest.raises(ReadError, match=r"1 codes in community_id lost .*row 2: 5\.10107E\+11.*as text"):
        gm.read_communities(sheet(tmp_path / "a.csv", text), crs=32650)


def test_people_are_no_households_and_the_cell_is_shown(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,经度,纬度,户数\na,116.3,40,120人\nb,116.3,40.1,5户\n")
    with pytest.raises(TableError, match=r"1 violation.*\n.*row 2: households = '120人'"):
        gm.read_buildings(path)


def test_house_numbers_that_became_dates_are_told(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,经度,纬度,name\na,116.3,40,3月1日\nb,116.3,40.1,1-Mar\nc,116.3,40.2,3-1\n")
    told = gm.read_buildings(path).attrs["reading"]["dates"]["name"]
    assert (told["count"], told["rows"], told["examples"]) == (2, ["2", "3"], ["3月1日", "1-Mar"])
    assert "as text" in told["remedy"]


def test_a_number_with_a_point_of_its_own_stays():
    frame = pd.DataFrame({"building_id": ["3.0", "3.1", "3.2"], "households": ["1", "2", "3"]})
    assert tidy(frame, "households", Reading("x"))["building_id"].tolist() == ["3.0", "3.1", "3.2"]


def test_frames_are_not_changed_and_numbers_stay_numbers():
    frame = pd.DataFrame({"building_id": ["1.0", "2.0"], "households": [1, 2], "unit_id": ["１", "2"]})
    before = frame.copy(deep=True)
    reading = Reading("x")
    out = tidy(frame, "units", reading)
    pd.testing.assert_frame_equal(frame, before)
    assert out["households"].dtype == before["households"].dtype
    assert out["unit_id"].tolist() == ["1", "2"]
    assert len(reading.notes["mended"]) == 2
