"""Options that several commands take, and the tables that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridmap.errors import TableError

__all__ = [
    "Columns", "Crs", "Effort", "Lang", "OutFile", "OutFolder", "Seed", "Sheet", "Table", "given", "read_all",
    "read_units",
]  # fmt: skip

OutFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made when absent.")]
OutFile = Annotated[Path, typer.Option("--out", "-o", help="File to write; its suffix says the format.")]
Lang = Annotated[
    str | None, typer.Option(help="Language: en, zh or both (the map with a switch, other files one each).")
]
Effort = Annotated[str | None, typer.Option(help="How long the division searches: low, normal or high.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the division's search.")]
Table = Annotated[
    Path | None, typer.Option(help="A vector file, a CSV or Excel sheet with coordinates, or an OSM .pbf.")
]
Sheet = Annotated[Path | None, typer.Option(help="A CSV or Excel sheet.")]
Crs = Annotated[
    list[str] | None,
    typer.Option("--crs", metavar="[TABLE=]CRS", help="What coordinates are in, such as buildings=GCJ-02; repeatable."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="TABLE.COLUMN=HEADING",
        help="A heading that is not recognised, such as buildings.households=总户数; repeatable.",
    ),
]


def given(**options: Any) -> dict[str, Any]:
    """The options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def read_all(crs: list[str] | None, columns: list[str] | None, **paths: Path | None) -> dict[str, Any]:
    """The tables of the files given, each as the options state it."""
    from gridmap.io.read.readers import read_plain_table, read_table
    from gridmap.io.stated import WITHOUT_PLACE, stated_options

    files = given(**paths)
    stated = stated_options(crs, columns, list(files))
    return {
        name: (read_plain_table if name in WITHOUT_PLACE else read_table)(name, path, **stated[name])
        for name, path in files.items()
    }


def read_units(path: Path) -> Any:
    """Polygons to report by: grids where they have a grid_id, else communities."""
    from gridmap.io.read.readers import read_table

    try:
        return read_table("grids", path)
    except TableError:
        return read_table("communities", path)
