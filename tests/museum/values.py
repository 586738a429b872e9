"""Cells: what stands in them is no count, no id, or not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.errors import ReadError, TableError
from museum.exhibits import exhibit, houses, table_message, text

if TYPE_CHECKING:
    from pathlib import Path

_SHEET = "row of the sheet"
_FILL = "Fill them with gridmap.estimate_households(buildings), or give 0 to what is not lived in."
_COUNT = "Correct the value, or leave the cell empty."


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", "building_id", f"row 002: households = -20.0; expected a number, 0 or more. {_COUNT}"),
)
def fewer_than_no_households(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    houses(households=[10.0, -20.0, 30.0]).to_file(path)
    return path


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", _SHEET, f"row 3: households = '许多'; expected a number, 0 or more. {_COUNT}"),
)
def households_in_words(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,lon,lat,户数\n1,116.3,40,12\n2,116.3,40.1,许多\n")


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", "building_id", "row 003: floors = inf; expected a finite number. " + _COUNT),
)
def building_of_infinite_floors(folder: Path) -> Path:
    path = folder / "buildings.parquet"
    houses(floors=[6.0, 6.0, float("inf")]).to_parquet(path)
    return path


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings", _SHEET,
        "row 3: building_id = missing; expected an id, never empty. Give the row an id, or leave the row out.",
    ),
)  # fmt: skip
def building_without_an_id(folder: Path) -> Path:
    return text(folder / "buildings.csv", "building_id,lon,lat\n1,116.3,40\n,116.3,40.1\n")


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings", _SHEET,
        "row 4: building_id = '001'; expected an id that no other row has. Rename or merge the rows.",
    ),
)  # fmt: skip
def two_buildings_of_one_id(folder: Path) -> Path:
    return text(folder / "buildings.csv", "building_id,lon,lat\n001,116.3,40\n01,116.3,40.1\n001,116.3,40.2\n")


@exhibit(
    "units",
    TableError,
    table_message(
        "units", _SHEET,
        f"row 3: households = missing; expected a number in every row. {_FILL}",
    ),
)  # fmt: skip
def unit_of_unknown_households(folder: Path) -> Path:
    return text(folder / "units.csv", "building_id,unit_id,households\n1,1,12\n1,2,\n")


@exhibit(
    "households",
    TableError,
    table_message(
        "households", _SHEET,
        "row 2: building_id = missing; expected an id, never empty. Give the row an id, or leave the row out.",
    ),
)  # fmt: skip
def count_of_no_building(folder: Path) -> Path:
    return text(folder / "counts.csv", "building_id,households\n,12\n")


@exhibit(
    "facilities",
    TableError,
    table_message(
        "facilities", _SHEET,
        "row 3: category = missing; expected an id, never empty. Give the row an id, or leave the row out.",
    ),
)  # fmt: skip
def facility_of_blank_category(folder: Path) -> Path:
    return text(folder / "facilities.csv", "设施编号,类别,lon,lat\n1,药店,116.3,40\n2,,116.3,40.1\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: 2 codes in building_id lost their last digits to a spreadsheet (row 2: 5.10107E+11, row 3: 5.10108E+11). "
    "Format the column as text in the original file, and enter or paste the codes again.",
)
def codes_that_a_spreadsheet_cut(folder: Path) -> Path:
    return text(folder / "buildings.csv", "楼栋编号,lon,lat\n5.10107E+11,116.3,40\n5.10108E+11,116.3,40.1\n")


@exhibit(
    "counts",
    ReadError,
    "<path>: no column says whose the households are, among: households, 备注. Head it 小区名称, 楼号 or building_id, "
    "or say columns={'compound': 'heading'}.",
)
def list_of_nobodys_households(folder: Path) -> Path:
    """A list of households that does not say where they are."""
    return text(folder / "list.csv", "户数,备注\n12,甲\n9,乙\n")


@exhibit(
    "counts", ReadError,
    "<path>: no column of households among: compound, building. Head it 总户数 or households.",
)  # fmt: skip
def list_without_households(folder: Path) -> Path:
    """A list of buildings that says nothing of households."""
    return text(folder / "list.csv", "小区名称,楼号\n阳光花园,1\n阳光花园,2\n")
