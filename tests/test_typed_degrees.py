"""Coordinates as people type them: minutes and seconds, letters, full-width digits; what is unreadable is told."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridmap as gm
from gridmap.errors import TableError
from gridmap.io.read import typed_degrees
from gridmap.io.read.typed_degrees import typed_coordinate


def test_examples_run():
    failed, tried = doctest.testmod(typed_degrees)
    assert tried
    assert not failed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("116°18′00″", 116.3),
        ("116°18'00\"E", 116.3),
        ("116º18´00´´", 116.3),
        ("116° 18' 0\" E", 116.3),
        ("116度18分0秒", 116.3),
        ("116 18 00", 116.3),
        ("116:18:00", 116.3),
        ("东经116°18′", 116.3),
        ("经度：116.3", 116.3),
        ("１１６．３０５", 116.305),
        ("116.305°", 116.305),
        ("116.305\xa0 \u200b", 116.305),
        ("116,305", 116.305),
        ("-8°30′", -8.5),
        ("W8°30′", -8.5),
        ("西经8.5°", -8.5),
    ],
)
def test_a_longitude_is_read_however_it_is_typed(text, value):
    sheet = pd.DataFrame({"id": ["a"], "经度": [text], "纬度": ["北纬39°54.3'"]})
    houses = gm.read_buildings(sheet)
    assert (houses.geometry.x[0], houses.geometry.y[0]) == pytest.approx((value, 39.905), abs=1e-12)
    assert {entry["what"].split(": ")[0] for entry in houses.attrs["reading"]["mended"]} == {"经度", "纬度"}


@pytest.mark.parametrize(
    "text", ["116°60′00″", "116°18′60″", "116.5°30′", "E116.3W", "S-8", "--8", "116.3.4", "1,2,3", "N", "inf", "12a"]
)
def test_what_is_doubtful_is_unreadable(text):
    assert typed_coordinate(text) is None


@given(st.floats(-180, 180), st.sampled_from(("°′″", "°'\"", "度分秒")))
def test_minutes_and_seconds_are_the_same_place(value, marks):
    tenths = round(abs(value) * 36_000)
    degrees, rest = divmod(tenths, 36_000)
    minutes, seconds = divmod(rest, 600)
    text = f"{degrees}{marks[0]}{minutes:02}{marks[1]}{seconds / 10:04.1f}{marks[2]}"
    text += "W" if value < 0 else "E"
    assert typed_coordinate(text).value == pytest.approx(np.sign(value) * tenths / 36_000, abs=1e-10)


def test_metres_keep_their_thousands_where_another_cell_tells_them():
    sheet = pd.DataFrame({"id": ["a", "b"], "x": ["500,123", "500,456.5"], "y": ["4,419,800", "4 419 900"]})
    houses = gm.read_buildings(sheet, crs=4548)
    assert houses.geometry.x.tolist() == [500_123, 500_456.5]
    assert houses.geometry.y.tolist() == [4_419_800, 4_419_900]


def test_unreadable_cells_are_named_and_empty_ones_are_missing():
    sheet = pd.DataFrame({"id": list("abc"), "经度": ["116.3", "东经", "无"], "纬度": ["39.9"] * 3})
    with pytest.raises(TableError) as caught:
        gm.read_buildings(sheet)
    found = caught.value.violations
    assert sorted(zip(found["row"], found["column"], found["value"], strict=True)) == [
        (1, "经度", "'东经'"), (2, "geometry", "missing"),
    ]  # fmt: skip


def test_a_column_that_holds_the_other_axis_is_told():
    sheet = pd.DataFrame({"id": ["a"], "lon": ["39°54′N"], "lat": ["116°18′E"]})
    with pytest.raises(TableError, match="lon = '39°54′N'; expected a longitude"):
        gm.read_buildings(sheet)
