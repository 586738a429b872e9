"""What the command `gridmap check` reads: a project, or files whose name or columns say what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from gridmap.errors import OptionError, ReadError
from gridmap.io.project import INPUTS, read_project
from gridmap.io.read.category_columns import category_columns
from gridmap.io.read.headings import match_headings
from gridmap.io.read.osm import is_osm, read_osm
from gridmap.io.read.places import coordinate_headings, with_crs
from gridmap.io.read.readers import read_plain_table, read_table
from gridmap.io.read.record import Reading
from gridmap.io.read.sheets import SHEET_SUFFIXES, read_sheet
from gridmap.io.read.vector import read_vector
from gridmap.io.stated import WITHOUT_PLACE, stated_options
from gridmap.tables.check.layers import LEVELS, recognise
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_audit_sources"]

# What is read of an OpenStreetMap extract.
_OF_OSM = ("buildings", "compounds", "entrances", "facilities", "streets")
# By what headings a sheet is told: the first of these that it has.
_HEADINGS = (
    ("units", ("building_id", "unit_id")),
    ("households", ("building_id", "households")),
    ("entrances", ("entrance_id",)),
    ("facilities", ("facility_id",)),
    ("buildings", ("building_id",)),
    ("compounds", ("compound_id",)),
    ("communities", ("community_id",)),
    ("facilities", ("category",)),
    ("buildings", ("households",)),
    ("buildings", ("floors",)),
)


def read_audit_sources(
    sources: Iterable[str], *, crs: Iterable[str] | None = None, columns: Iterable[str] | None = None
) -> dict[str, Any]:
    """Tables by name, faults and all.

    Parameters
    ----------
    sources
        Each a PROJECT.toml, a project GeoPackage, an OpenStreetMap extract, a file whose name begins with that of a
        table (``communities_2000.gpkg``) or whose columns tell it, or ``NAME=FILE``.
    crs, columns
        What is stated of the files, as `stated_options` takes it; projects and extracts say it themselves.

    Raises
    ------
    ReadError
        When a file is missing, broken, or does not say what it holds.
    OptionError
        When two sources hold the same table, or something is stated of a table that is in no single file.
    """
    tables: dict[str, Any] = {}
    files: dict[str, str] = {}
    for source in sources:
        whole, single = _tables(source)
        for name in (*whole, *single):
            if name in tables or name in files:
                raise OptionError(f"{source}: {name} were read already; give one of them a name of its own, NAME=FILE")
        tables |= whole
        files |= single
        # told in the order of the sources
        tables |= dict.fromkeys(single)
    stated = stated_options(crs, columns, list(files))
    for name, file in files.items():
        tables[name] = _one(name, file, stated[name])
    return tables


def _tables(source: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The tables of a source that holds many, or the file of a single one by its name."""
    name, equals, rest = source.partition("=")
    if equals and name.isidentifier() and not Path(source).exists():
        return {}, {name: rest}
    path = Path(source.partition("|layer=")[0])
    if path.suffix.lower() == ".toml":
        return dict(read_project(path, checked=False).tables), {}
    if not path.exists():
        raise ReadError(f"{path}: there is no such file. Check the path.")
    if is_osm(path):
        return {name: table for name, table in read_osm(path, _OF_OSM).items() if len(table)}, {}
    if path.suffix.lower() == ".gpkg" and "|layer=" not in source and _layers(path) & set(INPUTS):
        return dict(read_project(path, checked=False).tables), {}
    return {}, {_name_of(path, source): source}


def _layers(path: Path) -> set[str]:
    import pyogrio

    try:
        return {str(name) for name in pyogrio.list_layers(path)[:, 0]}
    except (RuntimeError, ValueError) as error:
        raise ReadError(f"{path}: not a GeoPackage that can be read ({error}). Export it again.") from error


def _name_of(path: Path, source: str) -> str:
    """The table that a file holds: told by the beginning of its name, else by its columns."""
    stem = path.stem.lower()
    begun = [name for name in (*INPUTS, *LEVELS) if stem.startswith(name)]
    if begun:
        return begun[0]
    try:
        if path.suffix.lower() in SHEET_SUFFIXES:
            return _of_sheet(path, source.partition("|layer=")[2] or None)
        return recognise(_shapes("", source), path.name)
    except (OptionError, ReadError) as error:
        raise ReadError(
            f"{path}: neither its name nor its columns say what it holds ({error}). Say so: gridmap check "
            f"buildings={source}"
        ) from None


def _of_sheet(path: Path, sheet: str | None) -> str:
    """The table that the headings of a sheet are those of, by ids first, then by what only one table has."""
    frame = read_sheet(path, sheet, Reading(str(path)))
    names = list(frame.columns)
    placed = bool(coordinate_headings(frame, {}, str(path)))
    for table, columns in _HEADINGS:
        if placed != bool(CONTRACTS[table].geometry):
            continue
        known = {*match_headings(names, table, None, str(path)), *(["category"] if category_columns(names) else [])}
        if set(columns) <= known:
            return table
    raise OptionError(f"its headings are {', '.join(names)}")


def _one(name: str, source: str, stated: dict[str, Any]) -> Any:
    if name in WITHOUT_PLACE:
        return read_plain_table(name, source, **stated)
    if name in CONTRACTS:
        return read_table(name, source, checked=False, **stated)
    if "columns" in stated:
        raise OptionError(
            f"--columns {name}.{next(iter(stated['columns']))}: {name} are read as they are. Leave it out."
        )
    shapes = _shapes(name, source)
    return with_crs(shapes, stated["crs"], {}, Reading(source)) if stated else shapes


def _shapes(name: str, source: str) -> gpd.GeoDataFrame:
    path, _, layer = source.partition("|layer=")
    if not Path(path).exists():
        raise ReadError(f"{path}: there is no such file. Check the path.")
    frame = read_vector(Path(path), layer or None, name, Reading(path))
    if not isinstance(frame, gpd.GeoDataFrame):
        raise ReadError(f"{path}: {name} must have shapes. Export the file with its geometry.")
    return frame
