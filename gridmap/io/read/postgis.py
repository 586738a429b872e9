"""PostGIS: a table, or what one SELECT gives, as a frame; read in one transaction that can change nothing."""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from gridmap.errors import ReadError
from gridmap.io.database import dotted, identifier, postgis_schema, transaction
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from gridmap.io.database import Address
    from gridmap.io.read.record import Reading

__all__ = ["database_tables", "read_postgis"]

_SHAPES = ("geometry", "geography")
# What the driver hands over as it is; money, for one, would come as cents.
_PLAIN = (
    "int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "bpchar", "name", "date", "timestamp",
    "timestamptz", "_int4", "_int8", "_text", "_varchar",
)  # fmt: skip
# A float keeps this many digits of any decimal number.
_EXACT_DIGITS = 15
_TABLES = """
SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid) FROM pg_class c JOIN pg_namespace n
ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname !~ '^pg_'
AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
_TYPE = """
(SELECT coalesce(b.typname, t.typname)::text FROM pg_type t LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.oid = pg_typeof(q.{}))
"""
_KEY = """
SELECT a.attname::text FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place), pg_attribute a
WHERE i.indisprimary AND i.indrelid = $1::regclass AND a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place
"""


def read_postgis(address: Address, table: str, reading: Reading, *, crs_stated: bool = False) -> pd.DataFrame:
    """A table or query as a GeoDataFrame, or a DataFrame where it has no geometry.

    Rows come in the order of the primary key where there is one, else as the table stores them.

    Parameters
    ----------
    address
        Without a layer or an SQL text the table is taken that is called as ours is.
    table
        Which of our tables is read.
    crs_stated
        Whether the user says what the coordinates are in, so that an SRID of 0 will do.

    Raises
    ------
    ReadError
        When the server, the database or the table cannot be reached, or its geometry is not of one column, one SRID
        and the types our table takes.
    """
    with transaction(address, ReadError) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # a scan that joins another one begins anywhere in the table, and one shared by workers has no order
        cursor.execute("SET LOCAL synchronize_seqscans = off")
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        inner, order = _query(cursor, address, table)
        fields = _fields(cursor, inner, address)
        shape = _one_shape(fields, address)
        postgis = postgis_schema(cursor) if shape else None
        wanted = ", ".join(_selected(name, kind, postgis) for name, kind in fields)
        cursor.execute(f"SELECT {wanted} FROM ({inner}\n) q{order}")  # noqa: S608 - quoted, and in a read-only transaction
        decimals = [name for name, kind in fields if kind in ("numeric", "money")]
        frame = _rows(cursor, shape, decimals, address)
        reading.note(format="PostGIS")
        return frame if shape is None else _placed(frame, shape, cursor, postgis, address, table, crs_stated=crs_stated)


def database_tables(cursor: Any) -> list[tuple[str, str, bool]]:
    """Schema and name of the tables and views of the database, and whether they are found without naming the schema."""
    cursor.execute(_TABLES)
    return cursor.fetchall()


def _query(cursor: Any, address: Address, table: str) -> tuple[str, str]:
    """What stands in FROM, and the ORDER BY clause."""
    if address.sql is not None:
        return address.sql.strip().rstrip(";"), ""
    schema, name = address.relation(table)
    tables = database_tables(cursor)
    found = [t for t in tables if t[1] == name and (t[0] == schema if schema else t[2])]
    if not found:
        raise ReadError(f"{address.shown}: {_no_table(schema, name, tables)}")
    relation = identifier(*found[0][:2])
    cursor.execute(_KEY, (relation,))
    keys = ", ".join(identifier(row[0]) for row in cursor.fetchall())
    return f"SELECT * FROM {relation}", f" ORDER BY {keys}" if keys else ""  # noqa: S608 - quoted


def _no_table(schema: str | None, name: str, tables: list[tuple[str, str, bool]]) -> str:
    """What is wrong with a name, and the nearest ones that there are, as they are to be written."""
    wanted = dotted(schema, name) if schema else dotted(name)
    by_name: dict[str, list[str]] = {}
    for home, other, _ in tables:
        by_name.setdefault(other.lower(), []).append(dotted(home, other))
    close = [name.lower()] if name.lower() in by_name else difflib.get_close_matches(name.lower(), by_name, cutoff=0.5)
    near = [address for other in close for address in by_name[other]]
    if near:
        return f"there is no table {wanted}; did you mean {' or '.join(near[:3])}? Write |layer={near[0]}."
    known = [dotted(*t[:2]) for t in tables]
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"there is no table {wanted}; the database has {shown or 'no tables'}. Write |layer=schema.table."


def _fields(cursor: Any, query: str, address: Address) -> list[tuple[str, str]]:
    """Name and type of each column, as the server calls it, found without running the query."""
    # as a part of a query, so that nothing but one SELECT will do
    whole = f"(SELECT * FROM ({query}\n) q) q"  # noqa: S608 - in a read-only transaction
    names = [field.name for field in cursor.adbc_execute_schema(f"SELECT * FROM {whole}")]  # noqa: S608 - the same
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ReadError(f"{address.shown}: several columns are called {repeated[0]!r}. Rename them with AS.")
    if not names:
        raise ReadError(f"{address.shown}: there are no columns. Name another table.")
    kinds = ", ".join(_TYPE.format(identifier(name)) for name in names)
    cursor.execute(f"SELECT {kinds} FROM (SELECT 1) one LEFT JOIN {whole} ON false")  # noqa: S608 - the same
    return list(zip(names, cursor.fetchone(), strict=True))


def _one_shape(fields: list[tuple[str, str]], address: Address) -> str | None:
    shapes = [name for name, kind in fields if kind in _SHAPES]
    if len(shapes) > 1:
        place = "the query" if address.sql else "the table"
        raise ReadError(
            f"{address.shown}: {place} has {len(shapes)} geometry columns: {', '.join(shapes)}. Choose one: "  # noqa: S608
            f"'postgresql://...|sql=SELECT id, households, {identifier(shapes[0])} FROM ...'."
        )
    return shapes[0] if shapes else None


def _selected(name: str, kind: str, postgis: str | None) -> str:
    column = identifier(name)
    if kind in _SHAPES:
        # extended WKB carries the SRID of each row; arcs become lines, as our geometry library has none
        flat = f"{postgis}.ST_Force2D({postgis}.ST_CurveToLine({column}::{postgis}.geometry))"
        return f"{postgis}.ST_AsEWKB({flat}) AS {column}"
    if kind in _PLAIN:
        return column
    return f"{column}::numeric::text AS {column}" if kind == "money" else f"{column}::text AS {column}"


def _rows(cursor: Any, shape: str | None, decimals: list[str], address: Address) -> pd.DataFrame:
    """All rows; geometry is made batch by batch, so that it is not held twice."""
    parts = []
    reader = cursor.fetch_record_batch()
    for batch in chain(reader, [reader.schema.empty_table()]):
        part = batch.to_pandas()
        if shape is not None:
            try:
                part[shape] = np.asarray(shapely.from_wkb(part[shape].to_numpy(dtype=object)), dtype=object)
            except (shapely.errors.ShapelyError, TypeError) as error:
                raise ReadError(
                    f"{address.shown}: {shape} holds geometry that cannot be read ({error}). Turn it into points, "
                    "lines or polygons, for example with ST_MakeValid or ST_CollectionExtract in |sql=SELECT ..."
                ) from error
        parts.append(part)
    frame = pd.concat([p for p in parts if len(p)] or parts[-1:], ignore_index=True)
    for name in decimals:
        digits = frame[name].dropna().str.count(r"\d").max()
        if not digits > _EXACT_DIGITS:
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame


def _placed(
    frame: pd.DataFrame, shape: str, cursor: Any, postgis: str | None, address: Address, table: str, *, crs_stated: bool
) -> gpd.GeoDataFrame:
    """The frame with its CRS, once its geometry is of one SRID and of the types our table takes."""
    shapes = frame[shape].to_numpy(dtype=object)
    present = shapes[~shapely.is_missing(shapes)]
    srids, counts = np.unique(shapely.get_srid(present), return_counts=True)
    if len(srids) > 1:
        told = ", ".join(f"{srid} ({count} rows)" for srid, count in zip(srids, counts, strict=True))
        raise ReadError(
            f"{address.shown}: {shape} mixes the SRIDs {told}. Bring them into one: "  # noqa: S608
            f"'postgresql://...|sql=SELECT ..., ST_Transform({identifier(shape)}, {srids[-1]}) AS geom FROM ...'."
        )
    _refuse_mixed(present, shape, address, table)
    srid = int(srids[0]) if len(srids) else 0
    if srid == 0 and len(present) and not crs_stated:
        raise ReadError(
            f"{address.shown}: {shape} has the SRID 0, which does not say what its coordinates are in. Pass crs=, for "
            "example crs='EPSG:4490', or tell the database: SELECT UpdateGeometrySRID('schema', 'table', "
            f"'{shape}', 4490)."
        )
    # the SRID of each row would go into what is written from it
    frame[shape] = shapely.set_srid(shapes, 0)
    return gpd.GeoDataFrame(frame, geometry=shape, crs=_crs(cursor, srid, postgis, address))


def _refuse_mixed(shapes: np.ndarray, name: str, address: Address, table: str) -> None:
    allowed = {kind.removeprefix("Multi") for kind in CONTRACTS[table].geometry}
    kinds = Counter(kind.removeprefix("Multi") for kind in gpd.array.GeometryArray(shapes).geom_type)
    if allowed and len(kinds) > 1 and not set(kinds) <= allowed:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        raise ReadError(
            f"{address.shown}: {name} mixes {told}; {table} are {' or '.join(sorted(allowed))}. Take one kind: "  # noqa: S608
            f"'postgresql://...|sql=SELECT * FROM ... WHERE ST_Dimension({identifier(name)}) = "
            f"{_dimension(allowed)}'."
        )


def _dimension(kinds: set[str]) -> int:
    return max({"Point": 0, "LineString": 1, "Polygon": 2}[kind] for kind in kinds)


def _crs(cursor: Any, srid: int, postgis: str | None, address: Address) -> CRS | None:
    if srid == 0:
        return None
    cursor.execute(
        f"SELECT auth_name, auth_srid, srtext FROM {postgis}.spatial_ref_sys WHERE srid = $1",  # noqa: S608 - quoted
        (srid,),
    )
    row = cursor.fetchone()
    for meant in [] if row is None else [f"{row[0]}:{row[1]}" if row[0] else None, row[2]]:
        try:
            return CRS.from_user_input(meant)
        except CRSError:
            continue
    raise ReadError(
        f"{address.shown}: the SRID {srid} of its geometry is not known. Bring it into a known one: "  # noqa: S608
        "'postgresql://...|sql=SELECT ..., ST_SetSRID(geom, 4490) AS geom FROM ...'."
    )
