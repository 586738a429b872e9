"""Files that are not what their name says, or not whole."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pandas as pd

from gridmap.errors import ReadError
from museum.exhibits import exhibit, geojson, houses, square, text

if TYPE_CHECKING:
    from pathlib import Path

_FORMATS = (
    "Export it again, as GeoPackage (.gpkg), GeoJSON, Shapefile, FlatGeobuf (.fgb), GeoParquet, KML, File Geodatabase "
    "(.gdb) or DXF; Shapefiles and geodatabases zipped, too."
)
_NO_VECTOR = f"<path>: not a vector file that can be read (<why>). {_FORMATS}"
_NO_EXTRACT = "<path>: not a whole OpenStreetMap file (<why>). Download or export it again, as .osm.pbf or .osm."


@exhibit("buildings", ReadError, "<path>: there is no such file. Check the path.")
def file_that_is_not_there(folder: Path) -> Path:
    return folder / "buildings.gpkg"


@exhibit("buildings", ReadError, "<path>: there is no such file (nor a folder <folder>). Check the path.")
def folder_that_is_not_there(folder: Path) -> Path:
    return folder / "maps" / "buildings.gpkg"


@exhibit("buildings", ReadError, "<path>: a folder, in which no vector file is named. Name the file in it.")
def folder_for_a_file(folder: Path) -> Path:
    (folder / "town").mkdir()
    return folder / "town"


@exhibit("buildings", ReadError, "<path>: the file is empty (0 bytes). Export or copy it again.")
def copy_that_broke_off_at_once(folder: Path) -> Path:
    return text(folder / "buildings.geojson", "")


@exhibit(
    "buildings",
    ReadError,
    f"<path>: not a vector file that can be read (what is in it is not what .gpkg says). {_FORMATS}",
)
def text_called_geopackage(folder: Path) -> Path:
    return text(folder / "buildings.gpkg", "building_id,households\n1,2\n")


@exhibit("buildings", ReadError, _NO_VECTOR)
def geopackage_cut_short(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    houses().to_file(path)
    path.write_bytes(path.read_bytes()[:30_000])
    return path


@exhibit("buildings", ReadError, _NO_VECTOR)
def database_that_is_no_geopackage(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    connection = sqlite3.connect(path)
    connection.execute("create table buildings (building_id text)")
    connection.commit()
    connection.close()
    return path


@exhibit("buildings", ReadError, _NO_VECTOR)
def geojson_cut_short(folder: Path) -> Path:
    path = geojson(folder / "buildings.geojson", square())
    return text(path, path.read_text()[:-40])


@exhibit(
    "buildings",
    ReadError,
    f"<path>: not a vector file that can be read (what is in it is not what .geojson says). {_FORMATS}",
)
def web_page_saved_as_geojson(folder: Path) -> Path:
    return text(folder / "buildings.geojson", "<!DOCTYPE html><html><body>登录</body></html>")


@exhibit("buildings", ReadError, f"{_NO_VECTOR} A Shapefile needs its .shx and .dbf beside it.")
def shapefile_without_its_shx(folder: Path) -> Path:
    path = folder / "buildings.shp"
    houses().to_file(path)
    path.with_suffix(".shx").unlink()
    return path


@exhibit("buildings", ReadError, "<path>: not a Parquet file that can be read (<why>). Write it again.")
def geoparquet_cut_short(folder: Path) -> Path:
    path = folder / "buildings.parquet"
    houses().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    return path


@exhibit("buildings", ReadError, "<path>: not an Excel file that can be read (<why>). Save it again as .xlsx.")
def text_called_excel(folder: Path) -> Path:
    return text(folder / "buildings.xlsx", "building_id,households\n1,2\n")


@exhibit("buildings", ReadError, "<path>: not an Excel file that can be read (<why>). Save it again as .xlsx.")
def excel_cut_short(folder: Path) -> Path:
    path = folder / "buildings.xlsx"
    pd.DataFrame({"id": range(100)}).to_excel(path)
    path.write_bytes(path.read_bytes()[:2_000])
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: the old Excel format cannot be read. Open it in Excel and save it as .xlsx or CSV.",
)
def excel_of_before_2007(folder: Path) -> Path:
    path = folder / "buildings.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: this is not text, whatever its name says. Save the sheet as CSV (UTF-8) or .xlsx.",
)
def excel_called_csv(folder: Path) -> Path:
    path = folder / "buildings.csv"
    pd.DataFrame({"building_id": ["1"]}).to_excel(folder / "b.xlsx")
    shutil.move(folder / "b.xlsx", path)
    return path


@exhibit("buildings", ReadError, "<path>: neither UTF-8 nor GB 18030 text. Save the sheet as CSV (UTF-8) or .xlsx.")
def text_in_no_encoding(folder: Path) -> Path:
    path = folder / "buildings.csv"
    path.write_bytes(b"building_id,lon,lat,name\n1,116.3,40.0,\xff\xff\x81\n")
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: the file holds no text. It needs a row of headings and at least one row below it.",
)
def sheet_of_blanks(folder: Path) -> Path:
    return text(folder / "buildings.csv", " \n \n")


@exhibit("buildings", ReadError, "<path>: the sheet 'Sheet1' has no headings. Its first row must hold them.")
def workbook_without_anything(folder: Path) -> Path:
    path = folder / "buildings.xlsx"
    pd.DataFrame().to_excel(path, index=False)
    return path


@exhibit("streets", ReadError, _NO_EXTRACT)
def extract_cut_short(folder: Path) -> Path:
    path = folder / "streets.osm.pbf"
    path.write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x80\x01")
    return path


@exhibit("streets", ReadError, _NO_EXTRACT)
def extract_with_a_tag_left_open(folder: Path) -> Path:
    return text(folder / "streets.osm", '<osm version="0.6"><node id="1" lat="40" lon="116"')


@exhibit("streets", ReadError, _NO_EXTRACT)
def drawing_called_extract(folder: Path) -> Path:
    return text(folder / "streets.osm.pbf", "0\nSECTION\n2\nENTITIES\n0\nENDSEC\n0\nEOF\n")


@exhibit(
    "streets",
    ReadError,
    "<path>: no streets in this extract (nothing is tagged so). Read them from another source.",
)
def extract_without_streets(folder: Path) -> Path:
    return text(folder / "town.osm", '<osm version="0.6"><node id="1" version="1" lat="40" lon="116"/></osm>')


@exhibit(
    "buildings",
    ReadError,
    "<path>: OpenStreetMap files have no headings. Leave columns= out.",
    columns={"households": "户数"},
)
def extract_with_headings_named(folder: Path) -> Path:
    return text(folder / "town.osm", '<osm version="0.6"></osm>')


@exhibit(
    "buildings",
    ReadError,
    "<path>: OpenStreetMap is always in EPSG:4326. Leave crs= out, and use .to_crs() afterwards.",
    crs="GCJ-02",
)
def extract_said_to_be_shifted(folder: Path) -> Path:
    return text(folder / "town.osm", '<osm version="0.6"></osm>')


@exhibit(
    "buildings",
    ReadError,
    "<path>: files ending in '.dwg' are not read. Export it as GeoPackage (.gpkg), GeoJSON, Shapefile, FlatGeobuf "
    "(.fgb), GeoParquet, KML, File Geodatabase (.gdb) or DXF; Shapefiles and geodatabases zipped, too.",
)
def drawing_of_another_format(folder: Path) -> Path:
    path = folder / "buildings.dwg"
    path.write_bytes(b"AC1032" + bytes(100))
    return path


@exhibit(
    "buildings", ReadError, "<path>: a folder without any table of a File Geodatabase. Copy the whole .gdb folder."
)
def geodatabase_copied_without_its_tables(folder: Path) -> Path:
    path = folder / "town.gdb"
    path.mkdir()
    return path
