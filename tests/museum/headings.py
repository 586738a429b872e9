"""Layers, sheets and headings: what is meant cannot be told, or is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pandas as pd

from gridmap.errors import ReadError, TableError
from museum.exhibits import exhibit, houses, table_message, text

if TYPE_CHECKING:
    from pathlib import Path

_SHEET = "row of the sheet"


@exhibit(
    "buildings",
    ReadError,
    "<path>: the file has 2 layers (houses, other), none of them called 'buildings'. "
    "Say which one: 'city.gpkg|layer=houses'.",
)
def two_layers_neither_named(folder: Path) -> Path:
    path = folder / "city.gpkg"
    houses().to_file(path, layer="houses")
    houses().to_file(path, layer="other")
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: there is no layer 'nope'; the layers are houses, other. Name one of them.",
    layer="nope",
)
def layer_of_another_name(folder: Path) -> Path:
    return two_layers_neither_named(folder)


@exhibit(
    "buildings", ReadError, "<path>: there is no sheet '楼栋'; the sheets are Sheet1. Name one of them.", layer="楼栋"
)
def sheet_of_another_name(folder: Path) -> Path:
    path = folder / "buildings.xlsx"
    pd.DataFrame({"经度": [116.3], "纬度": [40.0]}).to_excel(path, index=False)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: the headings '总户数', '总户数(户)' could all be households. Say which one: "
    "columns={'households': '总户数'}.",
)
def two_headings_for_households(folder: Path) -> Path:
    return text(folder / "buildings.csv", "lon,lat,总户数,总户数(户)\n116.3,40,1,2\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: columns= names 'hh' for households, but the headings present are: lon, lat, 户. "
    "Correct the name; it must be spelt as in the file.",
    columns={"households": "hh"},
)
def heading_that_the_user_misspelt(folder: Path) -> Path:
    return text(folder / "buildings.csv", "lon,lat,户\n116.3,40,1\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: columns= names 'east' for coordinates, but the headings present are: id, e, n. Correct the name.",
    columns={"x": "east", "y": "n"},
)
def coordinates_that_the_user_misspelt(folder: Path) -> Path:
    return text(folder / "buildings.csv", "id,e,n\n1,500000,4400000\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: columns= names x but not y. Name both, columns={'x': 'east or longitude heading', 'y': 'north or latitude "
    "heading'}.",
    columns={"x": "e"},
)
def only_one_coordinate_named(folder: Path) -> Path:
    return text(folder / "buildings.csv", "id,e,n,lon,lat\n1,500000,4400000,116.3,40\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: columns= names 'housholds', which is no column of buildings: did you mean 'households'? Our name comes "
    "first, the heading of the source second.",
    columns={"housholds": "户"},
)
def column_of_ours_misspelt(folder: Path) -> Path:
    return text(folder / "buildings.csv", "lon,lat,户\n116.3,40,1\n")


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings", _SHEET,
        "geometry: no geometry column; expected Point or Polygon or MultiPolygon. Give coordinates: "
        "columns={'x': 'your longitude heading', 'y': 'your latitude heading'}.",
    ),
)  # fmt: skip
def list_without_coordinates(folder: Path) -> Path:
    return text(folder / "buildings.csv", "building_id,households\n1,2\n")


@exhibit(
    "facilities",
    TableError,
    table_message(
        "facilities", _SHEET,
        "category: no such column; expected a column 'category' among: 说明, geometry, facility_id. "
        "Name the column that holds it: columns={'category': 'your heading'}.",
    ),
)  # fmt: skip
def facilities_of_no_category(folder: Path) -> Path:
    return text(folder / "facilities.csv", "lon,lat,说明\n116.3,40,甲\n")


@exhibit(
    "entrances",
    TableError,
    table_message(
        "entrances", _SHEET,
        "of: no such column; expected a column 'of' among: compound_id, building_id, geometry, entrance_id. "
        "Name the column that holds it: columns={'of': 'your heading'}.",
        "of_id: no such column; expected a column 'of_id' among: compound_id, building_id, geometry, entrance_id. "
        "Name the column that holds it: columns={'of_id': 'your heading'}.",
    ),
)  # fmt: skip
def gates_of_two_owners(folder: Path) -> Path:
    return text(folder / "entrances.csv", "lon,lat,compound_id,building_id\n116.3,40,A,7\n")


@exhibit(
    "units",
    TableError,
    table_message(
        "units", _SHEET,
        "unit_id: no such column; expected a column 'unit_id' among: building_id, households. "
        "Name the column that holds it: columns={'unit_id': 'your heading'}.",
    ),
)  # fmt: skip
def units_without_a_number(folder: Path) -> Path:
    return text(folder / "units.csv", "building_id,households\n1,2\n")


@exhibit(
    "communities",
    TableError,
    table_message(
        "communities", _SHEET,
        "table: no rows; expected at least one row. Check the source and any filter on it.",
        "geometry: no CRS; expected a coordinate reference system. Pass crs= to the reader, for example "
        "crs='EPSG:4490'; for Amap data crs='GCJ-02'.",
    ),
)  # fmt: skip
def headings_and_nothing_below(folder: Path) -> Path:
    return text(folder / "communities.csv", "社区编号,名称,wkt\n")


@exhibit(
    "households",
    ReadError,
    "<path>: 2 cells have no value\n"
    "  row 2, 户数: a formula without a value; open the file in Excel, let it calculate, and save it again\n"
    "  row 3, 户数: the error #REF!; correct it in Excel, or empty the cell",
)
def formulas_that_were_never_calculated(folder: Path) -> Path:
    path = folder / "households.xlsx"
    book = openpyxl.Workbook()
    for row in (["楼栋编号", "户数"], ["1", "=B4+1"], ["2", "#REF!"], ["3", 5]):
        book.active.append(row)
    book.save(path)
    return path


@exhibit(
    "households",
    ReadError,
    "<path>: the first of the sheets 说明, 一期, 二期 has no known headings; 一期 and 二期 have. Say which one it is: "
    "'households.xlsx|layer=二期'.",
)
def two_sheets_behind_an_explanation(folder: Path) -> Path:
    path = folder / "households.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"说明": ["每栋一行"]}).to_excel(book, sheet_name="说明", index=False)
        for name in ("一期", "二期"):
            pd.DataFrame({"楼栋编号": ["1"], "户数": [30]}).to_excel(book, sheet_name=name, index=False)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: '坐标' does not say whether longitude or latitude comes first (row 2: 41.15,-8.61). Pass "
    "columns={'lnglat': '坐标'} for longitude first, {'latlng': '坐标'} for latitude first.",
)
def pairs_of_unknown_order(folder: Path) -> Path:
    return text(folder / "buildings.csv", '编号,坐标\n1,"41.15,-8.61"\n')


@exhibit(
    "facilities",
    ReadError,
    "<path>: 'location' has longitude first in 2 rows (row 2: 116.305,39.905) and latitude first in 1 (row 4: "
    "39.905,116.306). Write all of them in one order.",
)
def pairs_in_two_orders(folder: Path) -> Path:
    rows = '药店,"116.305,39.905"\n药店,"116.306,39.906"\n药店,"39.905,116.306"\n'
    return text(folder / "facilities.csv", f"类别,location\n{rows}")


@exhibit(
    "facilities",
    TableError,
    table_message(
        "facilities", _SHEET,
        "row 3: location = '116.306'; expected two coordinates, such as 116.305,39.905. Correct the cell, or leave it "
        "empty.",
    ),
)  # fmt: skip
def pair_of_one(folder: Path) -> Path:
    return text(folder / "facilities.csv", '类别,location\n药店,"116.305,39.905"\n药店,116.306\n药店,"116.3,39.9"\n')


@exhibit(
    "buildings",
    ReadError,
    "<path>: coordinates from (39.905, 116.305) to (39.905, 116.305) are not degrees. Longitude and latitude look "
    "exchanged. Exchange them: columns={'lnglat': '纬度经度'}.",
)
def latitude_first_that_is_a_longitude(folder: Path) -> Path:
    return text(folder / "buildings.csv", '编号,纬度经度\n1,"116.305,39.905"\n')
