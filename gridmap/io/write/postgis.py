"""Write tables to PostGIS: all of them or none, each in the place of a former one only when all are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from gridmap.errors import WriteError, first_line
from gridmap.io.database import identifier, postgis_schema, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gridmap.io.database import Address

__all__ = ["write_postgis"]

_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KINDS = {"v": "a view", "m": "a materialised view", "f": "a foreign table", "p": "a partitioned table"}


def write_postgis(
    layers: Mapping[str, pd.DataFrame],
    address: Address,
    flat: Callable[[pd.DataFrame], Any],
) -> None:
    """Write tables in one transaction, which other sessions see as a whole or not at all.

    A table of the same columns and types is emptied and filled, so that its rights, indexes and views stay; another one
    is replaced. Geometry columns get an index. The schema of ``|schema=`` is made where it is absent.

    Parameters
    ----------
    layers
        Tables by name. Where `address` names a layer, the one table gets that name instead.
    flat
        Turns cells that a file cannot hold into texts.

    Raises
    ------
    WriteError
        When the database cannot be reached or refuses, or a table does not fit into it.
    """
    import pyarrow as pa

    with transaction(address, WriteError) as cursor:
        if address.schema:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(address.schema)}")
        postgis = postgis_schema(cursor)
        made = []
        for number, (name, frame) in enumerate(layers.items()):
            schema, plain = (address.schema, name) if address.schema else address.relation(name)
            home = _schema_of(cursor, schema, address)
            try:
                table, shape = _arrow(frame, flat)
            except (pa.ArrowException, ValueError, TypeError) as error:
                raise WriteError(
                    f"{address.shown}: {plain} does not fit into a table of PostgreSQL ({first_line(error)})."
                ) from error
            target, former = _former(cursor, home, plain, address)
            staged, fresh = f"gridmap_staged_{number}", identifier(home, f"gridmap_new_{number}")
            cursor.adbc_ingest(staged, table, mode="create", temporary=True)
            wanted = ", ".join(
                identifier(c) if c != shape else f"{_cast(cursor, frame, c, postgis, address)} AS {identifier(c)}"
                for c in table.column_names
            )
            cursor.execute(f"CREATE TABLE {fresh} AS SELECT {wanted} FROM pg_temp.{staged}")  # noqa: S608 - quoted
            cursor.execute(f"DROP TABLE pg_temp.{staged}")
            made.append((target, plain, fresh, shape, former))
        for target, plain, fresh, shape, former in made:
            _put_in_place(cursor, target, plain, fresh, shape, former=former)


def _schema_of(cursor: Any, schema: str | None, address: Address) -> str:
    if schema is None:
        cursor.execute("SELECT current_schema()::text")
    else:
        cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname = $1", (schema,))
    row = cursor.fetchone()
    if row is None or row[0] is None:
        wanted = "a schema to write to" if schema is None else f"schema {schema!r}"
        raise WriteError(f"{address.shown}: there is no {wanted}. Make it first (CREATE SCHEMA), or name another one.")
    return str(row[0])


def _former(cursor: Any, schema: str, name: str, address: Address) -> tuple[str, bool]:
    """The quoted name of the table to write, and whether there is one already."""
    cursor.execute(
        "SELECT c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2",
        (schema, name),
    )
    row = cursor.fetchone()
    if row is not None and row[0] != "r":
        kind = _KINDS.get(row[0], "not a table")
        raise WriteError(f"{address.shown}: {schema}.{name} is {kind}, which is not replaced. Choose another name.")
    return identifier(schema, name), row is not None


def _arrow(frame: pd.DataFrame, flat: Callable[[pd.DataFrame], Any]) -> tuple[Any, str | None]:
    """The table as Arrow columns, geometry as WKB; and the name of the geometry column."""
    import pyarrow as pa

    shapes = [str(c) for c in frame.columns if isinstance(frame[c].dtype, gpd.array.GeometryDtype)]
    if len(shapes) > 1:
        raise ValueError(f"it has {len(shapes)} geometry columns, {', '.join(shapes)}; drop all but one")
    out = pd.DataFrame(flat(frame))
    out.columns = out.columns.astype(str)
    for name in shapes:
        out[name] = gpd.GeoSeries(frame[name]).to_wkb()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.CategoricalDtype):
            out[name] = out[name].astype(object)
    table = pa.Table.from_pandas(out, preserve_index=False)
    # a column without any value has no type
    plain = [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in table.schema]
    return table.cast(pa.schema(plain)).replace_schema_metadata(), shapes[0] if shapes else None


def _cast(cursor: Any, frame: gpd.GeoDataFrame, shape: str, postgis: str | None, address: Address) -> str:
    """SQL for a geometry column of one SRID and, where all rows have the same, one type."""
    if postgis is None:
        raise WriteError(
            f"{address.shown}: the database has no PostGIS, and the table has geometry. Run CREATE EXTENSION postgis "
            "in it, as its owner."
        )
    srid = _srid(cursor, frame[shape].crs, postgis, address)
    kinds = frame[shape].geom_type.dropna().unique()
    kind = kinds[0] if len(kinds) == 1 else "Geometry"
    column = identifier(shape)
    return f"{postgis}.ST_GeomFromWKB({column}, {srid})::{postgis}.geometry({kind}, {srid})"


def _srid(cursor: Any, crs: Any, postgis: str, address: Address) -> int:
    if crs is None:
        return 0
    authority = crs.to_authority()
    if authority is not None:
        cursor.execute(
            f"SELECT srid FROM {postgis}.spatial_ref_sys WHERE auth_name = $1 AND auth_srid = $2::int",  # noqa: S608
            (authority[0], str(authority[1])),
        )
        row = cursor.fetchone()
        if row is not None:
            return int(row[0])
    raise WriteError(
        f"{address.shown}: the database does not know the CRS {crs.name!r}. Bring the table into one that it knows "
        "first, for example with .to_crs(4490)."
    )


def _put_in_place(cursor: Any, target: str, name: str, fresh: str, shape: str | None, *, former: bool) -> None:
    if former and _columns(cursor, target) == _columns(cursor, fresh):
        cursor.execute(f"TRUNCATE {target}")
        cursor.execute(f"INSERT INTO {target} SELECT * FROM {fresh}")  # noqa: S608 - quoted
        cursor.execute(f"DROP TABLE {fresh}")
        return
    if former:
        cursor.execute(f"DROP TABLE {target}")
    cursor.execute(f"ALTER TABLE {fresh} RENAME TO {identifier(name)}")
    if shape is not None:
        # after the renaming, as the index is called after the table
        cursor.execute(f"CREATE INDEX ON {target} USING gist ({identifier(shape)})")


def _columns(cursor: Any, table: str) -> list[tuple[str, str]]:
    cursor.execute(_COLUMNS, (table,))
    return cursor.fetchall()
