"""Geometry in the cells of a sheet: well-known text and binary, with and without an SRID."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely
from shapely import Point

from gridmap.errors import ReadError, TableError
from gridmap.io.read.readers import read_buildings

SHAPE = Point(116.3, 40)


@pytest.mark.parametrize(
    "cell",
    [
        "SRID=4490;POINT (116.3 40)",
        "srid = 4490 ; POINT (116.3 40)",
        shapely.to_wkb(shapely.set_srid(SHAPE, 4490), hex=True, include_srid=True),
        shapely.to_wkb(shapely.set_srid(SHAPE, 4490), hex=True, include_srid=True, byte_order=0).lower(),
    ],
)
def test_ewkt_and_hexadecimal_wkb(tmp_path, cell):
    path = tmp_path / "a.csv"
    path.write_text(f"id,geom\na,{cell}\nb, {cell}\n")
    read = read_buildings(path)
    assert read.crs == 4490
    assert [p.coords[0] for p in read.geometry] == [(116.3, 40)] * 2
    with pytest.raises(ReadError, match="crs= says EPSG:4326, but the source says it is in EPSG:4490"):
        read_buildings(path, crs=4326)


def test_wkt_and_wkb_without_srid_need_a_crs(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"id,geom\na,POINT (116.3 40)\nb,{shapely.to_wkb(SHAPE, hex=True)}\n")
    with pytest.raises(TableError, match="no CRS"):
        read_buildings(path)
    assert read_buildings(path, crs=4326).geometry.x.tolist() == [116.3, 116.3]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["SRID=4490;POINT (1 2)", "POINT (1 2)"], r"several coordinate reference systems \(SRID none, 4490\)"),
        (["SRID=999999;POINT (1 2)"], "SRID=999999 is not a known EPSG code"),
        (["POINT (1 2)", "POINT (1"], r"row 3, 'geom': 'POINT \(1' is not well-known text"),
        (["0101000000ffff"], "row 2, 'geom'.*nor WKB"),
    ],
)
def test_wkt_that_cannot_be_read(tmp_path, cells, message):
    path = tmp_path / "a.csv"
    path.write_text("id,geom\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    with pytest.raises(ReadError, match=message):
        read_buildings(path, crs=4326)


def test_bytes_in_a_table_without_a_note_on_geometry(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"building_id": ["007"], "geometry": [shapely.to_wkb(SHAPE)]}).to_parquet(path)
    assert read_buildings(path, crs=4490).geometry.tolist() == [SHAPE]


def test_wkt_in_frames_with_repeated_labels():
    frame = pd.DataFrame({"id": ["a", "b", "c"], "wkt": ["POINT (1 2)", None, "POINT (3 4)"]}, index=[5, 5, 6])
    with pytest.raises(TableError, match="geometry = missing"):
        read_buildings(frame, crs=4326)
    read = read_buildings(frame.dropna(), crs=4326)
    assert read.geometry.x.tolist() == [1, 3]
