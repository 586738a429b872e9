"""The readers: one a table, each taking whatever the table comes in and giving it back checked."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gridmap.errors import OptionError, ReadError, TableError
from gridmap.io.database import Address, is_database
from gridmap.io.datums import shifted_name, to_wgs84
from gridmap.io.datums.accuracy import datum_remark
from gridmap.io.datums.names import known_crs
from gridmap.io.datums.propose import proposals_in_words
from gridmap.io.read import headings
from gridmap.io.read.facility_categories import categories_with, with_categories
from gridmap.io.read.osm import is_osm, read_osm
from gridmap.io.read.postgis import read_postgis
from gridmap.io.read.record import Reading
from gridmap.io.read.sheets import SHEET_SUFFIXES, numbers_where_plain, read_sheet
from gridmap.io.read.values import tidy
from gridmap.io.read.vector import read_vector
from gridmap.io.read.vector_kinds import GEOJSON_SUFFIXES
from gridmap.io.read.well_known import shapes_from_text
from gridmap.tables.contracts import CONTRACTS, check_table, clean_ids

__all__ = [
    "read_barriers", "read_buildings", "read_communities", "read_compounds", "read_counts", "read_entrances",
    "read_facilities", "read_streets", "read_table", "refuse_empty_osm", "refuse_for_osm",
]  # fmt: skip

Source = str | PathLike[str] | pd.DataFrame
Columns = Mapping[str, str]

# A table without these says nothing; one without the others is merely short of them.
_NEVER_EMPTY = ("communities", "buildings", "streets", "facilities")
_OTHER_IDS = {"streets": "street_id", "barriers": "barrier_id"}
_TRUE = {"1", "true", "t", "yes", "y", "是", "有", "开"}
_FALSE = {"0", "false", "f", "no", "n", "否", "无", "关", "-1"}
# What a flag is where nothing is said: gates are open, barriers hard.
_FLAG_DEFAULTS = {"open": True, "hard": True, "public": True}
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
        ``{our name: heading in the source}``, for headings that are not recognised; coordinates too, as ``x``, ``y``
        or ``geometry`` (WKT). It always wins.
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
    Pharmacy), in the types and type codes of Amap and Baidu (医疗保健服务;医药保健销售店;药房, 090601) and in
    OpenStreetMap's tags. What is not recognised keeps its own words, and is counted in
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


def read_counts(
    table: str, source: Source, *, columns: Columns | None = None, layer: str | None = None
) -> pd.DataFrame:
    """A table without geometry: ``"households"``, ``"units"`` or ``"bands"``; from a sheet, vector file or frame.

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
        refuse_for_osm(path, crs=crs, columns=columns, categories=categories)
        frame = read_osm(path, [table])[table]
        refuse_empty_osm(path, table, frame)
        return frame
    reading, frame, rows = _load(table, source, layer, columns, crs_stated=crs is not None)
    frame, place = _rename(frame, table, columns, reading, drawn=_is_drawn(frame))
    if reading.notes.get("format") == "PostGIS" and not place and not _is_drawn(frame):
        raise _without_geometry(reading.source, frame)
    frame = tidy(frame, table, reading)
    if table == "facilities":
        frame = with_categories(frame, categories_with(categories), reading)
    out = _with_geometry(frame, place, reading.source)
    out = _with_crs(out, crs, place, reading)
    out = _with_ids(out, table, reading)
    if table == "entrances":
        out = _with_owner(out)
    return _checked(table, out, reading, rows, refuse=checked)


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
    if not path.exists():
        folder = path.parent
        hint = "" if folder.exists() else f" (nor a folder {folder})"
        raise ReadError(f"{path}: there is no such file{hint}. Check the path.")
    if path.is_file() and path.stat().st_size == 0:
        raise ReadError(f"{path}: the file is empty (0 bytes). Export or copy it again.")


def _checked(table: str, frame: Any, reading: Reading, rows: str, *, refuse: bool = True) -> Any:
    """The table, typed and checked, with its record; its index starts anew unless it came as a frame.

    Unless told to `refuse`, only a table without shapes or CRS is refused.
    """
    out = _with_types(frame, table)
    if reading.text_cells:
        kept = {c.name for c in CONTRACTS[table].columns if c.kind != "count"} | {"name", "geometry", "node_ids"}
        out = numbers_where_plain(out, kept)
    name = CONTRACTS[table].id
    if rows == _BY_POSITION and name in out.columns and out[name].notna().all() and out[name].is_unique:
        rows = f"row = {name}"
        out = out.set_axis(clean_ids(out[name]).to_numpy(), axis=0)
    try:
        out = check_table(out, table)
    except TableError as error:
        # the user must know which file, and how its rows are called
        named = TableError(f"{table} ({reading.source}; {rows})", _with_proposals(error.violations, out))
        named.table = table
        if refuse or not _is_drawn(out) or out.crs is None:
            raise named from None
    if rows != _BY_LABEL:
        out = out.reset_index(drop=True)
    out.attrs["reading"] = reading.as_dict(len(out))
    return out


def _with_proposals(violations: pd.DataFrame, frame: Any) -> pd.DataFrame:
    """A missing CRS with what the coordinates look like."""
    nameless = violations["value"].astype(str).str.startswith("no CRS")
    words = proposals_in_words(frame) if nameless.any() else ""
    if not words:
        return violations
    out = violations.copy()
    out.loc[nameless, "remedy"] = f"Pass crs= to the reader. {words}"
    return out


def _is_drawn(frame: pd.DataFrame) -> bool:
    return isinstance(frame, gpd.GeoDataFrame) and frame._geometry_column_name in frame.columns  # noqa: SLF001


def _rename(
    frame: pd.DataFrame, table: str, columns: Columns | None, reading: Reading, *, drawn: bool
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
    place = {} if drawn and not {"x", "y", "geometry"} & set(said) else _place(names, said, source)
    for key in ("x", "y", "geometry"):
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


def _place(names: list[Any], said: dict[str, str], source: str) -> dict[str, str]:
    """Which headings hold the coordinates: as the user said, lon and lat, x and y, or WKT."""
    wanted = {key: said[key] for key in ("x", "y", "geometry") if key in said}
    absent = [heading for heading in wanted.values() if heading not in names]
    if absent:
        raise ReadError(
            f"{source}: columns= names {', '.join(map(repr, absent))} for coordinates, but the headings present are: "
            f"{', '.join(map(str, names)) or 'none'}. Correct the name."
        )
    if "geometry" in wanted:
        return {"wkt": wanted["geometry"]}
    if len(wanted) == 2:
        degrees = headings.plain(wanted["x"]) in headings.LONGITUDE and headings.plain(wanted["y"]) in headings.LATITUDE
        return dict(zip(("lon", "lat") if degrees else ("x", "y"), (wanted["x"], wanted["y"]), strict=True))
    by_name = {headings.plain(n): str(n) for n in reversed(names)}
    for keys, pair in (
        (("lon", "lat"), (headings.LONGITUDE, headings.LATITUDE)),
        (("x", "y"), (headings.X, headings.Y)),
    ):
        found = [next((by_name[h] for h in known if h in by_name), None) for known in pair]
        if found[0] is not None and found[1] is not None:
            return {keys[0]: found[0], keys[1]: found[1]}
    wkt = next((by_name[h] for h in headings.WKT if h in by_name), None)
    return {"wkt": wkt} if wkt is not None else {}


def _with_geometry(frame: pd.DataFrame, place: dict[str, str], source: str) -> gpd.GeoDataFrame:
    """The frame with flat, single-part points where it can; rows without coordinates keep no geometry."""
    srid = None
    if "wkt" in place:
        shape, srid = shapes_from_text(frame[place["wkt"]], source)
        frame = frame.drop(columns=place["wkt"])
    elif place:
        x, y = (pd.to_numeric(frame[h], errors="coerce").to_numpy(dtype=np.float64) for h in place.values())
        shape = np.asarray(shapely.points(x, y), dtype=object)
        shape[~(np.isfinite(x) & np.isfinite(y))] = None
        frame = frame.drop(columns=list(place.values()))
    elif isinstance(frame, gpd.GeoDataFrame) and "geometry" in frame.columns:
        shape = frame.geometry.to_numpy().copy()
    else:
        # check_table says what is missing, beside all else that is wrong
        return gpd.GeoDataFrame(frame)
    shape = shapely.force_2d(shape)
    single = (shapely.get_type_id(shape) == 4) & (shapely.get_num_geometries(shape) == 1)
    shape[single] = shapely.get_geometry(shape[single], 0)
    crs = frame.crs if isinstance(frame, gpd.GeoDataFrame) else srid
    plain = pd.DataFrame(frame).drop(columns="geometry", errors="ignore")
    return gpd.GeoDataFrame(plain, geometry=gpd.GeoSeries(shape, index=frame.index, crs=crs))


def _with_crs(frame: gpd.GeoDataFrame, crs: Any, place: dict[str, str], reading: Reading) -> gpd.GeoDataFrame:
    """State, or check, what the coordinates are in."""
    source = reading.source
    if "geometry" not in frame.columns:
        return frame
    shifted = shifted_name(crs)
    if crs is None and frame.crs is None and "lon" in place:
        _refuse_stated_datum(place, source)
        reading.note(crs_from="headings of longitude and latitude")
        frame = frame.set_crs(4326)
    elif shifted:
        if frame.crs is not None and not frame.crs.is_geographic:
            raise ReadError(
                f"{source}: crs={crs!r} is in degrees, but the source says it is in {_name(frame.crs)}. Leave crs= out."
            )
        _check_degrees(frame, source)
        reading.note(crs_from=f"{shifted}, turned into WGS 84")
        return to_wgs84(frame, shifted)
    elif crs is not None:
        stated = known_crs(crs)
        if frame.crs is not None and frame.crs != stated and not source.lower().endswith(GEOJSON_SUFFIXES):
            raise ReadError(
                f"{source}: crs= says {_name(stated)}, but the source says it is in {_name(frame.crs)}. crs= states "
                "what the coordinates are in; it does not convert them. Leave it out, and use .to_crs() on the result."
            )
        reading.note(crs_from="crs=")
        frame = frame.set_crs(stated, allow_override=True)
    if frame.crs is not None:
        if frame.crs.is_geographic:
            _check_degrees(frame, source)
        remark = datum_remark(frame)
        if remark is not None:
            reading.note(datum=remark)
    return frame


def _name(crs: Any) -> str:
    known = CRS.from_user_input(crs)
    authority = known.to_authority()
    return ":".join(authority) if authority else str(known.name)


def _check_degrees(frame: gpd.GeoDataFrame, source: str) -> None:
    low_x, low_y, high_x, high_y = frame.total_bounds if len(frame) else (0, 0, 0, 0)
    if not np.isfinite([low_x, low_y, high_x, high_y]).all():
        return
    if max(-low_x, high_x) > 180 or max(-low_y, high_y) > 90:
        swapped = max(-low_x, high_x) <= 90 and max(-low_y, high_y) <= 180
        remedy = (
            "Longitude and latitude look exchanged: columns={'x': longitude heading, 'y': latitude heading}."
            if swapped
            else proposals_in_words(frame) or "They look like metres: pass the projected crs=, for example 'EPSG:4548'."
        )
        raise ReadError(
            f"{source}: coordinates from ({low_x:g}, {low_y:g}) to ({high_x:g}, {high_y:g}) are not degrees. {remedy}"
        )


def _refuse_stated_datum(place: dict[str, str], source: str) -> None:
    datum = headings.stated_datum(place["lon"]) or headings.stated_datum(place["lat"])
    if datum:
        raise ReadError(f"{source}: the heading {place['lon']!r} says {datum}. Pass crs={datum!r} if that is so.")


def _with_ids(frame: gpd.GeoDataFrame, table: str, reading: Reading) -> gpd.GeoDataFrame:
    """Where a source has no id of its own, take a column that clearly is one, else number the rows."""
    name = _OTHER_IDS.get(table) or CONTRACTS[table].id
    if name is None or name in frame.columns:
        return frame
    out = frame.copy(deep=False)
    for heading in headings.id_candidates(frame.columns):
        values = frame[heading]
        if headings.plain(heading) == "osmid" and "osm_type" in frame.columns:
            values = frame["osm_type"].astype(str) + "/" + values.astype(str)
        # a column called id with a few repeated ones is a fault to be told; one that says the same everywhere is no id
        certain = headings.plain(heading) in headings.CERTAIN_IDS and len(values.dropna().unique()) > 1
        if certain or (values.notna().all() and values.is_unique):
            out[name] = values
            reading.note(ids_from=heading)
            return out
    out[name] = [str(i) for i in range(1, len(frame) + 1)]
    reading.note(ids_from="position in the source, from 1: there is no column of ids")
    return out


def _with_owner(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    owners = [of for of in ("compound", "building", "facility") if f"{of}_id" in frame.columns]
    if "of" in frame.columns or "of_id" in frame.columns or len(owners) != 1:
        return frame
    return frame.assign(of=owners[0], of_id=frame[f"{owners[0]}_id"])


def _with_types(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Flags as booleans, node ids as arrays."""
    out = frame.copy(deep=False)
    for column in CONTRACTS[table].columns:
        if column.kind == "flag" and column.name in out.columns:
            out[column.name] = _flags(out[column.name], default=_FLAG_DEFAULTS.get(column.name, False))
    if table == "barriers" and "hard" not in out.columns:
        out["hard"] = True
    if table == "streets" and "node_ids" in out.columns:
        out["node_ids"] = pd.Series([_node_ids(v) for v in out["node_ids"]], index=out.index, dtype=object)
    return out


def _flags(values: pd.Series, *, default: bool) -> pd.Series:
    """True or false; what is missing takes the default. A word that is neither, such as bridge=viaduct, is a yes."""
    if pd.api.types.is_bool_dtype(values) and not values.isna().any():
        return values.astype(bool)
    text = values.astype(str).str.strip().str.lower().str.removesuffix(".0")
    flags = ~text.isin(_FALSE)
    return flags.where(values.notna() & (text != ""), default).astype(bool)


def _node_ids(value: Any) -> Any:
    if isinstance(value, str):
        return np.array(value.split(), dtype=np.int64)
    return value if isinstance(value, np.ndarray) else None
