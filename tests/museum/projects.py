"""Projects: a PROJECT.toml that cannot be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.errors import ReadError, TableError
from museum.exhibits import exhibit, houses, text

if TYPE_CHECKING:
    from pathlib import Path


def _project(folder: Path, content: str) -> Path:
    houses().to_file(folder / "houses.gpkg")
    text(folder / "counts.csv", "building_id,households\n001,-3\n")
    return text(folder / "town.toml", content)


@exhibit(
    "project", ReadError, "<path>: there is no such project file. Check the path; `gridmap demo` shows an example."
)
def project_that_is_not_there(folder: Path) -> Path:
    return folder / "town.toml"


@exhibit("project", ReadError, "<path>: not valid TOML: <why>. Texts stand in quotes, one key a line.")
def project_with_a_quote_left_open(folder: Path) -> Path:
    return _project(folder, '[inputs]\nbuildings = "houses.gpkg\n')


@exhibit("project", ReadError, "<path>: cannot be read (<why>). Save it again as UTF-8 text.")
def project_in_another_encoding(folder: Path) -> Path:
    path = _project(folder, "")
    path.write_bytes('[project]\nname = "黄庄"\n'.encode("gbk"))
    return path


@exhibit("project", ReadError, "<path>: input is not a section; did you mean inputs?")
def section_of_another_name(folder: Path) -> Path:
    return _project(folder, '[input]\nbuildings = "houses.gpkg"\n')


@exhibit("project", ReadError, "<path>: inputs.building is not a table; did you mean inputs.buildings?")
def table_of_another_name(folder: Path) -> Path:
    return _project(folder, '[inputs]\nbuilding = "houses.gpkg"\n')


@exhibit(
    "project",
    ReadError,
    "<path>: [inputs] is missing or empty. Name the tables there, for example buildings = 'x.gpkg'.",
)
def project_without_inputs(folder: Path) -> Path:
    return _project(folder, '[project]\nname = "town"\n')


@exhibit("project", ReadError, "<path>: project.lang is 'jp'; it is one of en, zh, both.")
def project_in_an_unknown_language(folder: Path) -> Path:
    return _project(folder, '[project]\nlang = "jp"\n[inputs]\nbuildings = "houses.gpkg"\n')


@exhibit(
    "project",
    ReadError,
    "<path>: '${GRIDMAP_NO_SUCH_FOLDER}/houses.gpkg' needs the environment variable GRIDMAP_NO_SUCH_FOLDER, which is "
    "not set. Set it to the folder meant, or write the path out.",
)
def variable_that_is_not_set(folder: Path) -> Path:
    return _project(folder, '[inputs]\nbuildings = "${GRIDMAP_NO_SUCH_FOLDER}/houses.gpkg"\n')


@exhibit("project", ReadError, "<folder>/house.gpkg: there is no such file. Check the path.")
def input_that_is_not_there(folder: Path) -> Path:
    return _project(folder, '[inputs]\nbuildings = "house.gpkg"\n')


@exhibit("project", ReadError, "<path>: inputs.facilities.counts: only buildings take counts. Leave it out.")
def counts_of_facilities(folder: Path) -> Path:
    return _project(folder, '[inputs]\nfacilities = {path = "houses.gpkg", counts = "counts.csv"}\n')


@exhibit(
    "project",
    TableError,
    "counts (<folder>/counts.csv; row = row of the sheet): 1 violation of the table's contract\n"
    "  row 2: households = -3; expected a number, 0 or more. Correct the value, or leave the cell empty.",
)
def counts_below_none(folder: Path) -> Path:
    return _project(folder, '[inputs]\nbuildings = {path = "houses.gpkg", counts = "counts.csv"}\n')
