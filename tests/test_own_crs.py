"""What a file itself says it is in: refused where it cannot be, remarked where it is not likely, replaced by crs=."""

from __future__ import annotations

import doctest

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

import gridmap as gm
from gridmap.errors import ReadError
from gridmap.io.datums import within
from gridmap.io.reading_findings import reading_findings


def houses(x, y, crs, side=20.0) -> gpd.GeoDataFrame:
    shapes = [box(x, y, x + side, y + side), box(x + 2 * side, y, x + 3 * side, y + side)]
    return gpd.GeoDataFrame({"building_id": ["1", "2"]}, geometry=shapes, crs=crs)


def test_examples_run():
    failed, tried = doctest.testmod(within)
    assert tried
    assert not failed


@pytest.mark.parametrize(
    ("table", "remedy"),
    [
        (houses(39_500_100, 4_429_000, 4548), "EPSG:4527"),
        (houses(116.3, 39.9, 4548, 1e-4), "EPSG:4326"),
        (houses(500_100, 4_429_000, 4326), "EPSG:4548"),
        # a projection that no registry knows lies round its meridian as well
        (houses(39_500_100, 4_429_000, "+proj=tmerc +lon_0=117 +x_0=500000 +ellps=GRS80"), "EPSG:4527"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_cannot_be_is_refused_and_the_remedy_works(tmp_path, table, remedy):
    table.to_file(tmp_path / "buildings.shp")
    with pytest.raises(ReadError, match="look like"):
        gm.read_buildings(tmp_path / "buildings.shp")
    read = gm.read_buildings(tmp_path / "buildings.shp", crs=remedy)
    assert read.crs == remedy
    assert read.total_bounds.tolist() == pytest.approx(table.total_bounds.tolist())
    assert "the source says" in read.attrs["reading"]["crs_left_out"]


def test_degrees_in_a_file_of_metres_may_be_said_to_be_shifted(tmp_path):
    houses(116.3, 39.9, 4548, 1e-4).to_file(tmp_path / "buildings.gpkg")
    read = gm.read_buildings(tmp_path / "buildings.gpkg", crs="GCJ-02")
    assert read.crs == "EPSG:4326"
    assert 0.001 < abs(read.total_bounds[0] - 116.3) < 0.01


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (houses(500_100, 4_429_000, 3857), "round 4.493 east, 36.93 north. If that is not so: They look like metres"),
        (houses(43.8, 87.6, 4326, 1e-4), "with its axes exchanged it lies in China"),
        (houses(-8.6, 41.1, 4490, 1e-4), "outside where it is used: it is used from 73.62 to 134.77 degrees east"),
    ],
)
def test_what_is_not_likely_is_remarked_and_found(table, words):
    read = gm.read_buildings(table)
    assert words in read.attrs["reading"]["crs_doubt"]
    (found,) = reading_findings({"buildings": read})
    assert (found["rule"], words in found["message"]) == ("crs_doubtful", True)


def test_an_export_of_amap_is_not_taken_for_wgs84_in_silence():
    listed = pd.DataFrame({"type": ["医疗保健服务;药房;药房"], "typecode": ["090601"], "adcode": ["110106"]})
    listed["location"] = "116.305,39.905"
    read = gm.read_facilities(listed)
    assert "the columns typecode, adcode are those of an Amap export" in read.attrs["reading"]["crs_doubt"]
    assert "crs_doubt" not in gm.read_facilities(listed, crs="GCJ-02").attrs["reading"]
    converted = listed.rename(columns={"location": "wgs84坐标"})
    assert "crs_doubt" not in gm.read_facilities(converted).attrs["reading"]


@pytest.mark.parametrize(
    "table",
    [
        houses(500_100, 4_429_000, 4548),
        houses(39_500_100, 4_429_000, 4527),
        houses(116.3, 39.9, 4490, 1e-4),
        # abroad, in systems that are used there
        houses(-8.6, 41.1, 4326, 1e-4),
        houses(-8.6, 41.1, 4326, 1e-4).to_crs(3857),
        houses(440_000, 4_474_000, 32630),
        # at the border of a zone a city keeps to the neighbouring one
        houses(120.5, 31.3, 4490, 1e-4).to_crs(4548),
    ],
)
def test_what_is_sound_is_left_alone(table):
    reading = gm.read_buildings(table).attrs["reading"]
    assert not {"crs_doubt", "crs_left_out"} & set(reading)
