"""Shapefile, KML, DXF and sheets: what they cannot keep is refused, and no failure harms a former file."""

from __future__ import annotations

import csv
import os
import sys
import zipfile
from pathlib import Path

import ezdxf
import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import LineString, Point, box

import gridmap as gm
from gridmap.errors import OptionError, WriteError
from gridmap.io.read.readers import read_buildings, read_communities, read_plain_table
from gridmap.io.write.tables import write_table

CRS = 4548
X, Y = 500_000.0, 4_400_000.0
NAMES = ["a.fgb", "a.shp", "a.kml", "a.kmz", "a.dxf", "a.csv", "a.tsv", "a.xlsx"]
RISKY = ["=1+1", "+86 10", "-a", "@sum(A1)", "\t=1", "'=x", '=HYPERLINK("x")']


def grids(**columns) -> gpd.GeoDataFrame:
    shapes = [box(X + 200 * i, Y, X + 200 * i + 100, Y + 100) for i in range(2)]
    return gpd.GeoDataFrame({"grid_id": ["001", "002"], "households": [420, 380], **columns}, geometry=shapes, crs=CRS)


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_leaves_the_former_file_and_no_other(tmp_path, name, monkeypatch):
    write_table(grids(), tmp_path / name)
    before = content(tmp_path)

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError, match=rf"{name}: could not be written.*No space left.*former file"):
        write_table(grids(households=[1, 2]), tmp_path / name)
    assert content(tmp_path) == before
    monkeypatch.undo()
    with pytest.raises(WriteError, match=r"no folder .*absent\. Make it first"):
        write_table(grids(), tmp_path / "absent" / name)


@pytest.mark.parametrize("name", ["a.fgb", "a.shp", "a.kml", "a.dxf", "a.geojson"])
def test_tables_without_shapes_are_refused_by_the_name_asked_for(tmp_path, name):
    with pytest.raises(WriteError, match=r"without geometry cannot be") as caught:
        write_table(pd.DataFrame({"a": [1]}), tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.kml", "a.dxf"])
def test_rows_without_shape_and_tables_without_crs_are_refused(tmp_path, name):
    with pytest.raises(WriteError, match=r"no CRS.*set_crs"):
        write_table(grids().set_crs(None, allow_override=True), tmp_path / name)
    table = grids()
    table.geometry = [table.geometry[0], None]
    with pytest.raises(WriteError, match="no shape"):
        write_table(table, tmp_path / name)


# ---- Shapefile -------------------------------------------------------------------------------------------------------


def test_shapefile_has_all_parts_and_says_what_its_fields_are(tmp_path):
    table = grids(community_id=["c1", "c2"], community_name=["柳岸", None], 所属街道=["东", "西"], open=[True, False])
    path = write_table(table, tmp_path / "网格.shp")
    assert {p.name.removeprefix("网格") for p in tmp_path.iterdir()} == {
        ".shp", ".shx", ".dbf", ".prj", ".cpg", ".fields.csv",
    }  # fmt: skip
    assert path.with_suffix(".cpg").read_text() == "UTF-8"
    noted = dict(csv.reader((tmp_path / "网格.fields.csv").read_text(encoding="utf-8").splitlines()))
    assert noted["community_"] == "community_id"
    assert len(set(noted)) == len(noted) == 7
    assert all(len(field.encode()) <= 10 for field in noted)
    assert set(gpd.read_file(path).columns) - {"geometry"} == set(noted) - {"field"}
    read = read_communities(path)
    assert read["community_id"].tolist() == ["c1", "c2"]
    assert read["community_name"].iloc[0] == "柳岸"
    assert read["subdistrict"].tolist() == ["东", "西"]
    assert read["open"].tolist() == [True, False]


def test_shapefile_that_needs_no_mapping_has_none(tmp_path):
    write_table(grids(community_name=["a", "b"]), tmp_path / "a.shp")
    (tmp_path / "a.sbn").write_bytes(b"index of the former shapes")
    write_table(grids(), tmp_path / "a.shp")
    assert {p.suffix for p in tmp_path.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"name": ["柳" * 85, "b"]}, r"row 0, 'name' holds a text of more than 254 bytes.*\(1 rows\)\. Shorten it"),
        ({"n": [1, 10**16]}, r"row 1, 'n' holds a number of more than 15 digits"),
        ({"n": [np.inf, 0.5]}, r"row 0, 'n' holds a number of more than 15 digits"),
        ({"geometry": [Point(X, Y), LineString([(X, Y), (X, Y + 1)])]}, "one kind of shapes.*LineString, Point"),
    ],
)
def test_shapefile_refuses_what_it_cannot_keep(tmp_path, columns, message):
    table = grids()
    for name, values in columns.items():
        table[name] = gpd.GeoSeries(values, crs=CRS) if name == "geometry" else values
    with pytest.raises(WriteError, match=message):
        write_table(table, tmp_path / "a.shp")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("broken", range(6))
def test_shapefile_of_which_a_part_cannot_be_moved_is_put_back(tmp_path, broken, monkeypatch):
    write_table(grids(community_name=["a", "b"]), tmp_path / "a.shp")
    before = content(tmp_path)
    replace, calls = Path.replace, []

    def fail(self, target):
        calls.append(target)
        if len(calls) == broken + 1:
            raise PermissionError(13, "The file is open elsewhere")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WriteError, match="open elsewhere"):
        write_table(grids(another_name=["c", "d"]), tmp_path / "a.shp")
    assert content(tmp_path) == before


# ---- sheets ----------------------------------------------------------------------------------------------------------


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    table = pd.DataFrame(
        {"building_id": [f"b{i}" for i in range(len(RISKY))], "households": 3, "=note": RISKY, "n": -1.5}
    )
    path = write_table(table, tmp_path / "a.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r")) and c != "-1.5"]
    read = read_plain_table("households", path)
    # cells are read without blanks at their ends, and a tab is one
    assert read["=note"].tolist() == [text.strip() for text in RISKY]
    assert read["n"].tolist() == [-1.5] * len(RISKY)


def test_no_cell_of_a_workbook_is_a_formula(tmp_path):
    table = pd.DataFrame({"building_id": [f"b{i}" for i in range(len(RISKY))], "households": 3, "=note": RISKY})
    path = write_table(table, tmp_path / "a.xlsx", layer="楼栋")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["楼栋"]
    for row in book.active.iter_rows():
        for cell in row:
            assert cell.data_type != "f"
            if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@", "\t")):
                assert cell.quotePrefix
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert read_plain_table("households", path)["=note"].tolist() == [text.strip() for text in RISKY]


@pytest.mark.parametrize("text", ["x" * 32_768, "bell\a"])
def test_texts_that_excel_would_cut_are_refused(tmp_path, text):
    with pytest.raises(WriteError, match=r"a\.xlsx: row 1, 'note': the text is longer than the 32,767"):
        write_table(grids(note=["a", text]), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(OptionError, match=r"a table is written, not (Posix|Windows)Path"):
        write_table(tmp_path, tmp_path / "a.gpkg")
    with pytest.raises(OptionError, match="is a table, not str: read a file first"):
        gm.write_project(tmp_path / "a.gpkg", tables={"buildings": "a.shp"})
    with pytest.raises(OptionError, match="is a table, not str: read a file first"):
        gm.provenance(inputs={"buildings": "a.shp"})
    assert list(tmp_path.iterdir()) == []


def test_a_tsv_has_tabs_and_no_formulas(tmp_path):
    path = write_table(
        pd.DataFrame({"building_id": ["a\tb", "b"], "households": 3, "note": ["=1+1", "x"]}), tmp_path / "a.tsv"
    )
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "building_id\thouseholds\tnote"
    assert lines[2] == "b\t3\tx"
    assert read_plain_table("households", path)["note"].tolist() == ["=1+1", "x"]


def test_a_geodatabase_is_refused_with_what_can_be_written(tmp_path):
    with pytest.raises(OptionError, match=r"\.gpkg, .*choose one.* A File Geodatabase is a folder"):
        write_table(grids(), tmp_path / "a.gdb")
    assert list(tmp_path.iterdir()) == []


def test_columns_that_differ_in_case_alone_are_told(tmp_path):
    with pytest.raises(WriteError, match=r"'name' and 'Name' of a differ in case alone.*Rename one"):
        write_table(grids(name="a", Name="b"), tmp_path / "a.gpkg")
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_excel_would_round_stay_texts(tmp_path):
    path = write_table(pd.DataFrame({"a": [10**17 + 1, 5]}), tmp_path / "a.xlsx")
    assert [c.value for c in openpyxl.load_workbook(path).active["A"]] == ["a", "100000000000000001", "5"]


def test_names_that_no_sheet_can_have(tmp_path):
    path = write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.xlsx", layer="grids [2026/11]: " + "x" * 40)
    assert openpyxl.load_workbook(path).sheetnames == ["grids _2026_11__ " + "x" * 14]


def test_tables_larger_than_a_sheet_are_refused(tmp_path):
    with pytest.raises(WriteError, match=r"1,048,576 rows and 1 columns"):
        write_table(pd.DataFrame({"a": np.zeros(1_048_576)}), tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.xlsx"])
def test_shapes_in_sheets_are_there_on_request(tmp_path, name):
    table = grids().rename(columns={"grid_id": "building_id"})
    assert "geometry" not in read_plain_table("households", write_table(table, tmp_path / name)).columns
    assert read_buildings(write_table(table, tmp_path / name, geometry="wkt"), crs=CRS).geom_equals(table).all()
    assert read_buildings(write_table(table, tmp_path / name, geometry="ewkt")).crs == CRS
    with pytest.raises(OptionError, match=r"geometry='geojson'.*'wkt', 'ewkt' or None"):
        write_table(table, tmp_path / name, geometry="geojson")
    nowhere = table.set_crs("+proj=tmerc +lon_0=116.3", allow_override=True)
    with pytest.raises(WriteError, match="EWKT needs a CRS that has an EPSG code"):
        write_table(nowhere, tmp_path / name, geometry="ewkt")


# ---- KML, DXF --------------------------------------------------------------------------------------------------------


def test_kml_refuses_what_xml_cannot_hold(tmp_path):
    with pytest.raises(WriteError, match=r"a\.kml: 'bell\\x07' holds a control character"):
        write_table(grids(name=["a", "bell\a"]), tmp_path / "a.kml")


def test_drawing_in_metres_with_codes_and_households_inside(tmp_path):
    table = grids(kind=["basic", None]).to_crs(4326)
    table.geometry = [table.geometry[0].difference(table.geometry[0].centroid.buffer(1e-4)), table.geometry[1]]
    document = ezdxf.readfile(write_table(table, tmp_path / "a.dxf", layer="grids"))
    assert document.units == ezdxf.units.M
    assert not document.audit().errors
    lines = {line.dxf.layer: line for line in document.modelspace().query("LWPOLYLINE")}
    assert set(lines) == {"grids_basic", "grids_basic_holes", "grids"}
    assert all(line.closed for line in lines.values())
    # EPSG:4326 has no metres: UTM zone 50 was chosen, whose scale is 0.9996 in the middle
    corners = np.array([p[:2] for p in lines["grids"].get_points()])
    assert np.ptp(corners, axis=0) == pytest.approx([100, 100], rel=2e-3)
    texts = [(t.dxf.layer, t.dxf.text) for t in document.modelspace().query("TEXT")]
    assert sorted(texts) == [("grid_id", "001"), ("grid_id", "002"), ("households", "380"), ("households", "420")]
    outlines = gpd.GeoSeries(table.to_crs(32650).geometry.values)
    for number, text in enumerate(document.modelspace().query("TEXT")):
        assert outlines[number // 2].contains(Point(text.dxf.insert.x, text.dxf.insert.y))


def test_drawing_without_ezdxf(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezdxf", None)
    with pytest.raises(WriteError, match=r"a\.dxf: DXF needs ezdxf.*gridmap-planner\[dxf\]"):
        write_table(grids(), tmp_path / "a.dxf")


def test_layers_of_drawings_have_names_that_cad_takes(tmp_path):
    path = write_table(grids(kind=['a/b:"c"', "x"]), tmp_path / "a.dxf")
    assert {line.dxf.layer for line in ezdxf.readfile(path).modelspace().query("LWPOLYLINE")} == {"a_a_b__c_", "a_x"}
