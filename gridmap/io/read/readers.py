"""The readers: one a table, each taking whatever the table comes in and giving it back checked."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from gridmap.errors import OptionError, ReadError, TableError
from gridmap.io.database import Address, is_database
from gridmap.io.datums import shifted_name
from gridmap.io.datums.names import known_crs
from gridmap.io.read import headings
from gridmap.io.read.facility_categories import categories_with, with_categories
from gridmap.io.read.failures import is_there
from gridmap.io.read.osm import is_osm, read_osm
from gridmap.io.read.own_columns import with_ids, with_owner, with_types
from gridmap.io.read.places import PLACE_KEYS, coordinate_headings, with_crs, with_geometry, with_proposals
from gridmap.io.read.postgis import read_postgis
from gridmap.io.read.record import Reading
from gridmap.io.read.sheets import SHEET_SUFFIXES, numbers_where_plain, read_sheet
from gridmap.io.read.values import tidy
from gridmap.io.read.vector import read_vector
from gridmap.tables.contracts import CONTRACTS, check_table, clean_ids

__all__ = [
    "read_barriers",
    "read_buildings",
    "read_communities",
    "read_compounds",
    "read_entrances",
    "read_facilities",
    "read_plain_table",
    "read_streets",
    "read_table",
    "refuse_empty_osm",
    "refuse_for_osm",
]  # fmt: skip

Source = str | PathLike[str] | pd.DataFrame
Columns = Mapping[str, str]

# A table without these says nothing; one without the others is merely short of them.
_NEVER_EMPTY = ("communities", "buildings", "streets", "facilities")
# Columns that headings of several quantities are taken for: which it was is said on its own.
_SEVERAL_QUANTITIES = ("households", "residents", "elderly", "capacity", "shops", "floors")
# How rows are called in messages.
_BY_LABEL, _BY_SHEET, _BY_POSITION = "row = index label", "row = row of the sheet", "row = position in the file, from 1"


def read_communities(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Communities: the areas that are divided into grids. Sources, arguments and errors as in `read_buildings`."""
    return read_table("communities", source, crs=crs, columns=columns, layer=layer)


def read_buildings(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Buildings, with their households where the source has them.

    Parameters
    ----------
    source
        Path of a vector file (GeoPackage, GeoJSON, Shapefile, FlatGeobuf, GeoParquet, KML, File Geodatabase, DXF; also
        in a .zip or .kmz), of a sheet with coordinates or well-known text (CSV, TSV, Excel), or of an OpenStreetMap
        extract (.pbf, .osm, .osm.gz, .osm.bz2); or a GeoDataFrame, or a DataFrame with coordinates.
        ``"city.gpkg|layer=houses"`` names a layer, an Excel sheet, a folder of a KML file, a layer of a drawing, or one
        of several files in a zip. A PostGIS table is
        ``"postgresql://user@host:5432/city|layer=schema.houses"``, or ``"...|sql=SELECT ..."``; the password is best
        left to ``~/.pgpass`` or ``PGPASSWORD``, and is shown and kept nowhere where it stands in the address.
    crs
        What the coordinates are in, where the source does not say so: anything pyproj takes, a name such as
        ``"CGCS2000 3度带 117"`` or ``"北京54"``, or ``"GCJ-02"`` or ``"BD-09"``, which are turned into WGS 84. Columns
        headed lon/lat (经度/纬度) are WGS 84 unless stated.
    columns
        ``{our name: heading in the source}``, for headings that are not recognised; coordinates too, as ``x`` and
        ``y``, as ``geometry`` (WKT), or in one cell as ``lnglat`` (longitude or east first) or ``latlng``. It always
        wins.
    layer
        Layer or sheet to read, as an alternative to ``|layer=``.

    Returns
    -------
    GeoDataFrame
        In the CRS of the source (WGS 84 for shifted datums), with ``building_id`` as text and the columns of the
        source. ``attrs["reading"]`` says which headings were taken for what, where ids and ``households`` come from,
        and what was left out.

    Raises
    ------
    ReadError
        When the source is missing, empty, broken, or `columns` names a heading it does not have.
    TableError
        When the table breaks its contract; every violation is listed.

    Examples
    --------
    >>> import pandas as pd
    >>> sheet = pd.DataFrame({"楼栋编号": ["007"], "经度": [116.33], "纬度": [40.0], "总户数": [96]})
    >>> buildings = read_buildings(sheet)
    >>> buildings[["building_id", "households"]].values.tolist(), buildings.attrs["reading"]["households_from"]
    ([['007', 96]], '总户数')
    """
    return read_table("buildings", source, crs=crs, columns=columns, layer=layer)


def read_compounds(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Compounds: gated sets of buildings. Sources, arguments and errors as in `read_buildings`."""
    return read_table("compounds", source, crs=crs, columns=columns, layer=layer)


def read_entrances(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Entrances and gates, each ``of`` a building, compound or facility. Sources and errors as in `read_buildings`.

    Where ``of`` is absent and there is one column ``compound_id``, ``building_id`` or ``facility_id``, that says it.
    """
    return read_table("entrances", source, crs=crs, columns=columns, layer=layer)


def read_barriers(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Barriers: rivers, railways, walls. ``hard`` is true where nothing is said. As in `read_buildings` otherwise.

    From OpenStreetMap, water and railways on the ground are hard; walls and fences are not, as their gates are seldom
    mapped.
    """
    return read_table("barriers", source, crs=crs, columns=columns, layer=layer)


def read_facilities(
    source: Source,
    *,
    crs: Any = None,
    columns: Columns | None = None,
    layer: str | None = None,
    categories: Mapping[str, str] | str | PathLike[str] | pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Facilities by category. Sources, arguments and errors as in `read_buildings`.

    The categories are those of ``gridmap/tables/categories.csv``. They are recognised in plain words (菜市场,
    Pharmacy), in the types and type codes of Amap and Baidu (医疗保健服务;医药保健销售店;药房, 090601; also as columns
    大类, 中类, 小类) and in OpenStreetMap's tags. What is not recognised keeps its own words, and is counted in
    ``attrs["reading"]["categories"]``.

    Parameters
    ----------
    source, crs, columns, layer
        As in `read_buildings`.
    categories
        Further words, which win over the list: ``{word: category}``, or a sheet with the columns ``category``,
        ``value`` and, if it is no plain word, ``scheme`` (as in categories.csv). A category may be a new one. Not for
        OpenStreetMap extracts.

    Examples
    --------
    >>> import pandas as pd
    >>> sheet = pd.DataFrame({"type": ["医疗;药店", "钓鱼店"], "lng": [116.3, 116.4], "lat": [40, 40]})
    >>> read_facilities(sheet)["category"].tolist()
    ['pharmacy', '钓鱼店']
    >>> read_facilities(sheet, categories={"钓鱼店": "sports"})["category"].tolist()
    ['pharmacy', 'sports']
    """
    return read_table("facilities", source, crs=crs, columns=columns, layer=layer, categories=categories)


def read_streets(
    source: Source, *, crs: Any = None, columns: Columns | None = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Streets, walkable or not. Sources, arguments and errors as in `read_buildings`.

    From OpenStreetMap they carry ``node_ids``, the id of every vertex, by which they join; a text column of that name
    (as `gridmap.io.write.tables.write_table` writes it) is turned back into arrays.
    """
    return read_table("streets", source, crs=crs, columns=columns, layer=layer)


def read_plain_table(
    table: str, source: Source, *, columns: Columns | None = None, layer: str | None = None
) -> pd.DataFrame:
    """A table without geometry, ``"households"``, ``"units"``, ``"bands"`` or the lists that are ``"counts"``.

    From a sheet, vector file or frame.

    Raises
    ------
    ReadError, TableError
        As in `read_buildings`.
    """
    reading, frame, rows = _load(table, source, layer, columns)
    frame, _ = _rename(
        pd.DataFrame(frame).drop(columns="geometry", errors="ignore"), table, columns, reading, drawn=True
    )
    return _checked(table, tidy(frame, table, reading), reading, rows)


def read_table(
    table: str,
    source: Source,
    *,
    crs: Any = None,
    columns: Columns | None = None,
    layer: str | None = None,
    categories: Any = None,
    checked: bool = True,
) -> gpd.GeoDataFrame:
    """A table by its name; what the public readers share.

    With ``checked=False`` rows that break the contract come along, for `gridmap.check` to tell.
    """
    if isinstance(source, (str, PathLike)) and is_osm(Path(source)):
        path = Path(source)
        if table == "candidates":
            raise ReadError(f"{path}: an OpenStreetMap extract does not say where to build. Give a file of places.")
        refuse_for_osm(path, crs=crs, columns=columns, categories=categories)
        frame = read_osm(path, [table])[table]
        refuse_empty_osm(path, table, frame)
        return frame
    reading, frame, rows = _load(table, source, layer, columns, crs_stated=crs is not None)
    frame, place = _rename(frame, table, columns, reading, drawn=_is_drawn(frame), crs=crs)
    if reading.notes.get("format") == "PostGIS" and not place and not _is_drawn(frame):
        raise _without_geometry(reading.source, frame)
    frame = tidy(frame, table, reading)
    if table == "facilities":
        frame = with_categories(frame, categories_with(categories), reading, said="category" in (columns or {}))
    out, place, unplaced = with_geometry(frame, place, reading)
    out = with_crs(out, crs, place, reading)
    out = with_ids(out, table, reading)
    if table == "entrances":
        out = with_owner(out)
    return _checked(table, out, reading, rows, place, unplaced, refuse=checked)


def refuse_for_osm(path: Path, *, crs: Any, columns: Columns | None, categories: Any = None) -> None:
    """Refuse what makes no sense for an OpenStreetMap extract."""
    if categories is not None:
        raise ReadError(f"{path}: OpenStreetMap's tags are taken as categories.csv has them. Leave categories= out.")
    if columns:
        raise ReadError(f"{path}: OpenStreetMap files have no headings. Leave columns= out.")
    if crs is not None and (shifted_name(crs) or known_crs(crs) != CRS(4326)):
        raise ReadError(f"{path}: OpenStreetMap is always in EPSG:4326. Leave crs= out, and use .to_crs() afterwards.")


def refuse_empty_osm(path: Path, table: str, frame: gpd.GeoDataFrame) -> None:
    """Refuse an extract that holds nothing of a table that says nothing when it is empty."""
    if frame.empty and table in _NEVER_EMPTY:
        left = frame.attrs["reading"]["left_out"]
        why = "; ".join(f"{entry['count']} left out: {entry['reason']}" for entry in left) or "nothing is tagged so"
        raise ReadError(f"{path}: no {table} in this extract ({why}). Read them from another source.")


def _load(
    table: str, source: Source, layer: str | None, columns: Columns | None, *, crs_stated: bool = False
) -> tuple[Reading, pd.DataFrame, str]:
    """The source as a frame, and how its rows are called in messages."""
    if isinstance(source, pd.DataFrame):
        kind = "a GeoDataFrame" if isinstance(source, gpd.GeoDataFrame) else "a DataFrame"
        return Reading(kind), source, _BY_LABEL
    if not isinstance(source, (str, PathLike)):
        raise OptionError(
            f"{table} are read from a path, a GeoDataFrame or a DataFrame with coordinates, not {type(source).__name__}"
        )
    if is_database(source):
        address = Address.parse(source, layer=layer)
        reading = Reading(address.shown)
        frame = read_postgis(address, table, reading, crs_stated=crs_stated)
        return reading, frame.set_axis(pd.RangeIndex(1, len(frame) + 1)), _BY_POSITION
    path, layer = _split_layer(source, layer)
    _check_file(path)
    reading = Reading(str(path))
    if path.suffix.lower() in SHEET_SUFFIXES:
        return reading, read_sheet(path, layer, reading, (columns or {}).values()), _BY_SHEET
    frame = read_vector(path, layer, table, reading)
    if reading.text_cells:
        # the rows of a drawing are called by their place in it, whatever was left out
        return reading, frame, _BY_POSITION
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return reading, frame, _BY_POSITION


def _split_layer(source: str | PathLike[str], layer: str | None) -> tuple[Path, str | None]:
    path, _, named = str(source).partition("|layer=")
    return Path(path), layer or named or None


def _without_geometry(source: str, frame: pd.DataFrame) -> ReadError:
    present = ", ".join(map(str, frame.columns)) or "none"
    return ReadError(
        f"{source}: there is no geometry column, nor columns of coordinates, among: {present}. Name the table that has "
        "it, or say which columns hold the coordinates: columns={'x': 'longitude column', 'y': 'latitude column'}."
    )


def _check_file(path: Path) -> None:
    if not is_there(path):
        folder = path.parent
        hint = "" if folder.exists() else f" (nor a folder {folder})"
        raise ReadError(f"{path}: there is no such file{hint}. Check the path.")
    if path.is_file() and path.stat().st_size == 0:
        raise ReadError(f"{path}: the file is empty (0 bytes). Export or copy it again.")


def _checked(
    table: str,
    frame: Any,
    reading: Reading,
    rows: str,
    place: dict[str, str] | None = None,
    unplaced: list[dict[str, Any]] | None = None,
    *,
    refuse: bool = True,
) -> Any:
    """The table, typed and checked, with its record; its index starts anew unless it came as a frame.

    Coordinates that are unreadable (`unplaced`) are told in place of the geometry that is missing for them. Unless told
    to `refuse`, only a table without shapes or CRS is refused.
    """
    out, neither = with_types(frame, table)
    unplaced = unplaced or []
    if reading.text_cells:
        kept = {c.name for c in CONTRACTS[table].columns if c.kind != "count"} | {"name", "geometry", "node_ids"}
        out = numbers_where_plain(out, kept)
    name = CONTRACTS[table].id
    if rows == _BY_POSITION and name in out.columns and out[name].notna().all() and out[name].is_unique:
        rows = f"row = {name}"
        names = clean_ids(out[name])
        neither, unplaced = ([{**cell, "row": names[cell["row"]]} for cell in told] for told in (neither, unplaced))
        out = out.set_axis(names.to_numpy(), axis=0)
    found: list[Any] = [*unplaced, *neither]
    try:
        out = check_table(out, table)
    except TableError as error:
        broken = error.violations
        missing = (broken["column"] == "geometry") & (broken["value"] == "missing")
        broken = broken[~(missing & broken["row"].isin([cell["row"] for cell in unplaced]))]
        found = with_proposals(broken, out, place or {}).to_dict("records") + found
    if found and (refuse or not _is_drawn(out) or out.crs is None):
        # the user must know which file, and how its rows are called
        named = TableError(f"{table} ({reading.source}; {rows})", pd.DataFrame(found, dtype=object))
        named.table = table
        raise named
    for kind, told in (("neither_yes_nor_no", neither), ("unreadable_coordinates", unplaced)):
        if told:
            reading.note(**{kind: _examples(told)})
    if rows != _BY_LABEL:
        out = out.reset_index(drop=True)
    out.attrs["reading"] = reading.as_dict(len(out))
    return out


def _examples(told: list[dict[str, Any]]) -> dict[str, Any]:
    """How many cells there are, and the first of them."""
    cells = [f"row {cell['row']}: {cell['column']} = {cell['value']}" for cell in told[:20]]
    return {"count": len(told), "rows": [str(cell["row"]) for cell in told[:20]], "cells": cells}


def _is_drawn(frame: pd.DataFrame) -> bool:
    return isinstance(frame, gpd.GeoDataFrame) and frame._geometry_column_name in frame.columns  # noqa: SLF001


def _rename(
    frame: pd.DataFrame, table: str, columns: Columns | None, reading: Reading, *, drawn: bool, crs: Any = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame under our column names, and the headings of coordinates, as ``{"lon": heading, "lat": heading}``.

    Coordinates are not looked for in what is `drawn`, that is has geometry or needs none.
    """
    source = reading.source
    out = frame.copy(deep=False)
    out.attrs = {}
    if isinstance(frame, gpd.GeoDataFrame) and drawn and frame.geometry.name != "geometry":
        out = out.drop(columns="geometry", errors="ignore")
        out = gpd.GeoDataFrame(out).rename_geometry("geometry")
    names = [c for c in out.columns if not (drawn and c == "geometry")]
    said = dict(columns or {})
    looked_for = not drawn or not set(PLACE_KEYS).isdisjoint(said)
    cells = pd.DataFrame(out).drop(columns="geometry") if drawn and "geometry" in out.columns else out
    place = coordinate_headings(cells, said, source, crs) if looked_for else {}
    for key in PLACE_KEYS:
        said.pop(key, None)
    matched = headings.match_headings(names, table, said, source, but=place.values())
    # a column that already bears one of our names but was not chosen keeps its content under another name
    clash = {ours: f"{ours} (source)" for ours, theirs in matched.items() if ours != theirs and ours in names}
    clash = {ours: other for ours, other in clash.items() if ours not in matched.values()}
    out = out.rename(columns={**clash, **{theirs: ours for ours, theirs in matched.items()}})
    reading.note(columns=matched)
    others = headings.other_headings(names, table, matched)
    if others:
        reading.note(also_fits=others)
    reading.note(**{f"{ours}_from": matched[ours] for ours in _SEVERAL_QUANTITIES if ours in matched})
    return out, place
