"""Both coordinates in one cell: recognised by heading and content, in the order that heading, letters or range tell."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridmap as gm
from gridmap.errors import ReadError, TableError
from gridmap.io.audit_sources import read_audit_sources
from gridmap.io.read import headings


def houses(*cells, heading="坐标", **options):
    return gm.read_buildings(pd.DataFrame({"id": range(len(cells)), heading: cells}), **options)


def at(table):
    return list(zip(table.geometry.x.round(9), table.geometry.y.round(9), strict=True))


def test_examples_of_headings_run():
    failed, tried = doctest.testmod(headings)
    assert tried
    assert not failed


@pytest.mark.parametrize(
    "cell",
    [
        "116.305,39.905",
        "116.305，39.905",
        "116.305;39.905",
        "116.305；39.905",
        "116.305 39.905",
        "116.305\t39.905",
        "116.305、39.905",
        "（116.305，39.905）",
        "[116.305, 39.905]",
        "１１６．３０５，３９．９０５",
        "116.305,39.905,45.2",
        "116,305;39,905",
        "116°18′18″,39°54′18″",
        "116°18′18″ 39°54′18″",
        "116° 18' 18\" E, 39° 54' 18\" N",
        "东经116°18′18″北纬39°54′18″",
        "东经116.305度，北纬39.905度",
        "经度：116.305，纬度：39.905",
        '{"lng":116.305,"lat":39.905}',
        "39.905,116.305",
        "39.905 N 116.305 E",
        "N39.905 E116.305",
        "N39°54′18″E116°18′18″",
        "纬度:39.905 经度:116.305",
    ],
)
def test_a_place_in_china_is_read_in_either_order(cell):
    assert at(houses(cell)) == [(116.305, 39.905)]


@pytest.mark.parametrize(
    "heading",
    ["location", "坐标", "经纬度", "lnglat", "位置坐标", "经纬度坐标", "Location", "经度,纬度", "LngLat", "lng, lat",
     "坐标（经度，纬度）", "GPS坐标", "wgs84坐标"],
)  # fmt: skip
def test_headings_of_pairs_are_known(heading):
    table = houses("116.305,39.905", "116.5,40", heading=heading)
    assert at(table) == [(116.305, 39.905), (116.5, 40.0)]
    assert heading not in table.columns
    told = table.attrs["reading"]["coordinates"]
    assert (told["from"], told["first"]) == (heading, "longitude or east")


def test_what_told_the_order_is_reported():
    assert houses("39.9,116.3", "39.91,116.31").attrs["reading"]["coordinates"] == {
        "from": "坐标",
        "first": "latitude or north",
        "told_by": "the range of 2 of 2 pairs",
    }
    assert houses("39.9,116.3", heading="latlng").attrs["reading"]["coordinates"]["told_by"] == (
        "its heading or columns="
    )


@pytest.mark.parametrize("heading", ["纬度经度", "latlng", "Lat, Lng", "坐标（纬度,经度）"])
def test_a_heading_says_the_order_where_the_range_cannot(heading):
    # in Portugal either may be either
    assert at(houses("41.15,-8.61", heading=heading)) == [(-8.61, 41.15)]


def test_columns_win_and_say_the_order():
    sheet = pd.DataFrame({"id": ["a"], "lon": [1.0], "lat": [2.0], "位置": ["41.15,-8.61"]})
    assert at(gm.read_buildings(sheet)) == [(1.0, 2.0)]
    assert at(gm.read_buildings(sheet, columns={"latlng": "位置"})) == [(-8.61, 41.15)]
    assert at(gm.read_buildings(sheet, columns={"lnglat": "位置"})) == [(41.15, -8.61)]


@pytest.mark.parametrize("columns", [{"x": "哪里", "y": "哪里"}, {"geometry": "哪里"}])
def test_the_one_column_may_be_named_twice_or_as_geometry(columns):
    assert at(houses("39.9,116.3", heading="哪里", columns=columns)) == [(116.3, 39.9)]


def test_an_order_that_nothing_tells_is_asked_for():
    with pytest.raises(ReadError, match="does not say whether longitude or latitude comes first"):
        houses("41.15,-8.61")
    with pytest.raises(ReadError, match=r"latitude first in 1 \(row 1: 39.9,116.3\)"):
        houses("116.3,39.9", "39.9,116.3")


def test_a_heading_that_the_numbers_belie_is_refused():
    with pytest.raises(ReadError, match=r"Exchange them: columns=\{'lnglat': 'latlng'\}"):
        houses("116.3,39.9", heading="latlng")


def test_cells_that_are_no_pairs_are_named_and_empty_ones_are_missing():
    with pytest.raises(TableError) as caught:
        houses("116.3,39.9", "116.3", None, "无", "116.4,40", "N39,N40", "116.5,40")
    found = caught.value.violations
    assert found["row"].tolist() == [2, 3, 1, 5]
    assert found["column"].tolist() == ["geometry", "geometry", "坐标", "坐标"]
    assert found["expected"].iloc[-1] == "two coordinates, such as 116.305,39.905"


def test_an_address_is_no_pair():
    sheet = pd.DataFrame(
        {"id": ["a", "b"], "location": ["柳岸路1号", "柳岸路3,5号"], "lon": [116.3] * 2, "lat": [40.0] * 2}
    )
    table = gm.read_buildings(sheet)
    assert table["location"].tolist() == ["柳岸路1号", "柳岸路3,5号"]
    with pytest.raises(TableError, match="no geometry column"):
        gm.read_buildings(sheet.drop(columns=["lon", "lat"]))


def test_a_long_text_is_no_pair():
    with pytest.raises(TableError, match="no geometry column"):
        houses("116.3 " * 20_000, heading="location")


@pytest.mark.parametrize(
    "cell", [[116.305, 39.905], (116.305, 39.905), {"lng": 116.305, "lat": 39.905}, np.array([116.305, 39.905])]
)
def test_tables_from_json_hold_lists_and_mappings(cell):
    table = pd.DataFrame({"id": ["a", "b"], "location": pd.Series([cell, None], dtype=object)})
    with pytest.raises(TableError, match="row 1: geometry = missing") as caught:
        gm.read_buildings(table)
    assert len(caught.value.violations) == 1
    assert at(gm.read_buildings(table[:1])) == [(116.305, 39.905)]
    flat = pd.DataFrame({"id": ["a"], "location.lng": [116.305], "location.lat": [39.905]})
    assert at(gm.read_buildings(flat)) == [(116.305, 39.905)]


def test_such_a_column_may_hold_well_known_text():
    assert at(houses("POINT (116.305 39.905)", heading="位置坐标", crs=4490)) == [(116.305, 39.905)]


@pytest.mark.parametrize(
    ("east", "north"), [("坐标X", "坐标Y"), ("POINT_X", "POINT_Y"), ("横坐标", "纵坐标"), ("x坐标", "y坐标")]
)
def test_headings_of_metres_are_known(east, north):
    sheet = pd.DataFrame({"id": ["a"], east: ["500,123.5"], north: ["4,419,800.25"]})
    assert at(gm.read_buildings(sheet, crs=4548)) == [(500_123.5, 4_419_800.25)]


@pytest.mark.parametrize(("east", "north"), [("JD", "WD"), ("中心经度", "中心纬度")])
def test_headings_of_degrees_are_known(east, north):
    assert at(gm.read_buildings(pd.DataFrame({"id": ["a"], east: [116.305], north: [39.905]}))) == [(116.305, 39.905)]


def test_metres_in_one_cell_need_a_system():
    assert at(houses("500123.5,4419800.25", crs=4548)) == [(500_123.5, 4_419_800.25)]
    with pytest.raises(TableError, match="no CRS"):
        houses("500123.5,4419800.25")
    with pytest.raises(ReadError, match=r"columns=\{'latlng': '坐标'\}"):
        houses("4419800.25,500123.5", crs=4548)
    assert at(houses("4419800.25,500123.5", crs=4548, columns={"latlng": "坐标"})) == [(500_123.5, 4_419_800.25)]


def test_the_datum_in_a_heading_counts():
    with pytest.raises(ReadError, match="says GCJ-02"):
        houses("116.305,39.905", heading="高德坐标")
    shifted = houses("116.305,39.905", heading="高德坐标", crs="GCJ-02")
    assert 0.001 < abs(shifted.geometry.x[0] - 116.305) < 0.01
    both = pd.DataFrame({"id": ["a"], "高德坐标": ["116.31,39.91"], "wgs84坐标": ["116.305,39.905"]})
    assert at(gm.read_buildings(both)) == [(116.305, 39.905)]


def test_a_sheet_of_pairs_is_known_to_the_audit(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('设施编号,类别,location\n1,药店,"116.305,39.905"\n', encoding="utf-8")
    assert at(read_audit_sources([str(path)])["facilities"]) == [(116.305, 39.905)]


@given(
    st.lists(st.tuples(st.floats(74, 134), st.floats(17, 53)), min_size=1, max_size=20),
    st.sampled_from((",", "，", ";", " ")),
    st.booleans(),
)
def test_no_place_in_china_is_ever_exchanged(places, separator, latitude_first):
    cells = [separator.join(f"{v:.6f}" for v in (place[::-1] if latitude_first else place)) for place in places]
    table = houses(*cells)
    assert at(table) == [(round(lon, 6), round(lat, 6)) for lon, lat in places]
