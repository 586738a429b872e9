"""Contracts: which columns each table has, what they may hold, and one error that lists all that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "CONTRACTS",
    "Column",
    "Contract",
    "check_table",
    "clean_ids",
    "finite",
    "refuse_repeated_columns",
    "violation",
]

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
POINTS = ("Point",)

_REMEDIES = {
    "households": "Fill them with gridmap.estimate_households(buildings), or give 0 to what is not lived in.",
    "geometry": "Give each row a geometry, or leave the row out.",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, what it holds, and whether a table is refused without it.

    `kind` is ``"id"`` (text, unique, never empty), ``"key"`` (text that names a row of another table, never empty),
    ``"text"``, ``"count"`` (a finite number, 0 or more), or ``"flag"`` (true or false).
    """

    name: str
    kind: str
    required: bool = False


@dataclass(frozen=True)
class Contract:
    """What a table holds: geometry types and columns. Columns not named here pass through untouched."""

    name: str
    geometry: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def id(self) -> str | None:
        """Name of the id column, or None for a table whose rows have no id."""
        return next((c.name for c in self.columns if c.kind == "id"), None)


def _contract(table: str, geometry: tuple[str, ...], /, **columns: str) -> Contract:
    """A contract from ``column="kind"`` pairs; a kind with ``!`` is required."""
    return Contract(
        table, geometry, tuple(Column(column, kind.rstrip("!"), kind.endswith("!")) for column, kind in columns.items())
    )


#: The tables of the design by name.
CONTRACTS: dict[str, Contract] = {
    c.name: c
    for c in (
        _contract(
            "communities", POLYGONS,
            community_id="id!", name="text", kind="text", subdistrict="text", district="text", code="text",
        ),
        _contract(
            "buildings", POINTS + POLYGONS,
            building_id="id!", households="count", residents="count", registered="count", dwellings="count",
            elderly="count", elderly_80="count", children="count", shops="count", enterprises="count",
            floors="count", floor_area_m2="count", use="text", compound_id="text",
            compound_name="text", number="text", unit="text", group="text",
        ),
        _contract("units", (), building_id="key!", unit_id="key!", households="count!"),
        _contract("households", (), building_id="key!", households="count!"),
        _contract(
            "counts", (),
            building_id="text", community="text", compound="text", building="text", unit="text", name="text",
            households="count",
        ),
        _contract("bands", (), kind="text", lower="count", upper="count", weight="text", level="text"),
        _contract("compounds", POLYGONS, compound_id="id!", name="text", households="count"),
        _contract(
            "entrances", POINTS, entrance_id="id!", of="key!", of_id="key!", modes="text", open="flag", kind="text",
        ),
        _contract(
            "streets", LINES,
            **{"class": "text"}, name="text", oneway="text", access="text", speed_kmh="count", layer="text",
            bridge="flag", tunnel="flag", stairs="flag", crossing_delay_s="count",
        ),
        _contract("barriers", LINES + POLYGONS, kind="text", hard="flag"),
        _contract(
            "facilities", POINTS + POLYGONS,
            facility_id="id!", category="key!", name="text", tier="text", capacity="count", floor_area_m2="count",
            public="flag", opening_hours="text", status="text", operator="text", address="text", phone="text",
            photo="text",
        ),
        _contract(
            "candidates", POINTS + POLYGONS,
            facility_id="id!", category="text", name="text", capacity="count", cost="count", status="text",
            address="text",
        ),
        _contract("zones", POLYGONS, zone_id="id!", households="count", residents="count"),
        _contract("grids", POLYGONS, grid_id="id!", community_id="text", kind="text", name="text", responsible="text"),
    )
}  # fmt: skip


def check_table(
    table: pd.DataFrame | gpd.GeoDataFrame,
    name: str,
    *,
    needs: Iterable[str] = (),
    allow_empty: bool = False,
) -> Any:
    """The table with ids as strings, or one `TableError` that lists everything wrong with it.

    Parameters
    ----------
    table
        The table to check; it is not changed.
    name
        Which contract of `CONTRACTS` it must keep.
    needs
        Optional columns that the caller cannot do without; they must then be present and filled in every row.
    allow_empty
        Whether a table without rows will do.

    Returns
    -------
    GeoDataFrame or DataFrame
        A copy that shares unchanged columns, its ids and keys as strings (``51.0`` read as a number becomes ``"51"``).

    Raises
    ------
    TableError
        When the contract is broken: a column is missing, an id is empty or repeated, a count is negative, missing or
        infinite, a geometry is missing, empty, of another type or invalid, or the CRS is missing.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> buildings = gpd.GeoDataFrame({"building_id": [1, 2]}, geometry=[Point(0, 0), Point(1, 1)], crs=32650)
    >>> check_table(buildings, "buildings").building_id.tolist()
    ['1', '2']
    """
    contract = CONTRACTS[name]
    needs = set(needs)
    if not isinstance(table, pd.DataFrame):
        raise OptionError(
            f"{name} must be a {'GeoDataFrame' if contract.geometry else 'DataFrame'}, not {type(table).__name__}; "
            f"read a file with gridmap.read_{name}(path)"
        )
    refuse_repeated_columns(table, name)
    found: list[dict[str, Any]] = []
    out = table.copy(deep=False)
    if len(table) == 0 and not allow_empty:
        found.append(violation(None, "table", "no rows", "at least one row", "Check the source and any filter on it."))
    for column in contract.columns:
        needed = column.required or column.name in needs
        if column.name in table.columns:
            out[column.name], wrong = _check_column(table[column.name], column, needed=needed)
            found += wrong
        elif needed:
            found.append(_missing_column(column.name, table))
    found += [
        _missing_column(n, table) for n in sorted(needs - {c.name for c in contract.columns} - set(table.columns))
    ]
    if contract.geometry:
        found += _check_geometry(table, contract)
    if found:
        raise TableError(name, pd.DataFrame(found))
    return out


def refuse_repeated_columns(table: pd.DataFrame, name: str) -> None:
    """Raise `TableError` where two columns have the same heading: nobody knows which one is meant."""
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        remedy = "Rename one of them, or drop it: table.loc[:, ~table.columns.duplicated()] keeps the first."
        wrong = [violation(None, str(c), "several columns", "one column of that name", remedy) for c in twice]
        raise TableError(name, pd.DataFrame(wrong))


def finite(shapes: Any) -> NDArray[np.bool_]:
    """Whether a shape has coordinates, and all are numbers; the bounds of a shape do not tell, for they leave out NaN.

    Examples
    --------
    >>> finite(shapely.from_wkt(["LINESTRING (0 0, 1 1)", "LINESTRING (0 0, NaN 1)", "POINT EMPTY"])).tolist()
    [True, False, False]
    """
    xy, shape = shapely.get_coordinates(shapes, return_index=True)
    good = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    good[shape[~np.isfinite(xy).all(axis=1)]] = False
    return np.asarray(good, dtype=bool)


def clean_ids(values: pd.Series) -> pd.Series:
    """Ids as text: whole floats lose their ``.0``, blanks at the ends go, leading zeros stay, missing stays missing."""
    if pd.api.types.is_float_dtype(values):
        whole = values.notna() & (values == np.floor(values)) & np.isfinite(values)
        text = values.astype(object)
        text[whole] = values[whole].astype("int64").astype(str)
        text[~whole & values.notna()] = values[~whole & values.notna()].astype(str)
    else:
        text = values.astype(object)
        known = values.notna()
        text[known] = values[known].astype(str).str.strip()
    return text.where(values.notna(), None)


def violation(row: object, column: str, value: object, expected: str, remedy: str) -> dict[str, Any]:
    """One row of the violations that a `TableError` lists."""
    return {"row": row, "column": column, "value": value, "expected": expected, "remedy": remedy}


def _missing_column(name: str, table: pd.DataFrame) -> dict[str, Any]:
    present = ", ".join(str(c) for c in table.columns) or "none"
    remedy = _REMEDIES.get(name, f"Name the column that holds it: columns={{'{name}': 'your heading'}}.")
    return violation(None, name, "no such column", f"a column {name!r} among: {present}", remedy)


def _check_column(values: pd.Series, column: Column, *, needed: bool) -> tuple[pd.Series, list[dict[str, Any]]]:
    if column.kind in ("id", "key"):
        return _check_ids(values, column)
    if column.kind == "count":
        return _check_counts(values, column.name, needed=needed)
    if column.kind == "text" and needed:
        blank = values.isna() | (values.astype(str).str.strip() == "")
        return values, [violation(row, column.name, "missing", "a text", "Fill it in.") for row in values.index[blank]]
    if column.kind == "text" and not pd.api.types.is_string_dtype(values):
        return clean_ids(values), []
    return values, []


def _check_ids(values: pd.Series, column: Column) -> tuple[pd.Series, list[dict[str, Any]]]:
    text = clean_ids(values)
    empty = text.isna() | (text == "")
    found = [
        violation(row, column.name, "missing", "an id, never empty", "Give the row an id, or leave the row out.")
        for row in text.index[empty]
    ]
    if column.kind == "id":
        repeated = text.duplicated(keep="first") & ~empty
        found += [
            violation(row, column.name, repr(value), "an id that no other row has", "Rename or merge the rows.")
            for row, value in text[repeated].items()
        ]
    return text, found


def _check_counts(values: pd.Series, name: str, *, needed: bool) -> tuple[pd.Series, list[dict[str, Any]]]:
    correct = "Correct the value." if needed else "Correct the value, or leave the cell empty."
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    not_number = numbers.isna() & values.notna()
    missing = values.isna() if needed else pd.Series(data=False, index=values.index)
    wrong = (
        (not_number, "a number, 0 or more", correct),
        (missing, "a number in every row", _REMEDIES.get(name, "Fill it in.")),
        (numbers < 0, "a number, 0 or more", correct),
        (np.isinf(numbers), "a finite number", correct),
    )
    found = [
        violation(row, name, "missing" if pd.isna(value) else repr(value), expected, remedy)
        for mask, expected, remedy in wrong
        for row, value in values[mask].items()
    ]
    return (values if found or pd.api.types.is_numeric_dtype(values) else numbers), found


def _check_geometry(table: pd.DataFrame, contract: Contract) -> list[dict[str, Any]]:
    if not isinstance(table, gpd.GeoDataFrame) or table._geometry_column_name not in table.columns:  # noqa: SLF001
        return [
            violation(
                None, "geometry", "no geometry column", " or ".join(contract.geometry),
                "Give coordinates: columns={'x': 'your longitude heading', 'y': 'your latitude heading'}.",
            )
        ]  # fmt: skip
    found = []
    geometry = np.asarray(table.geometry.array)
    if table.crs is None:
        found.append(
            violation(
                None, "geometry", _no_crs(geometry), "a coordinate reference system",
                "Pass crs= to the reader, for example crs='EPSG:4490'; for Amap data crs='GCJ-02'.",
            )
        )  # fmt: skip
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    found += [
        violation(row, "geometry", "missing", "a geometry", _REMEDIES["geometry"]) for row in table.index[missing]
    ]
    kinds = table.geometry.geom_type.to_numpy()
    other = ~missing & ~np.isin(kinds, contract.geometry)
    found += [
        violation(row, "geometry", kind, " or ".join(contract.geometry), _as_drawn(kind, contract.geometry))
        for row, kind in zip(table.index[other], kinds[other], strict=True)
    ]
    infinite = ~missing & ~finite(geometry)
    found += [
        violation(row, "geometry", "infinite or NaN coordinates", "finite coordinates", "Correct the coordinates.")
        for row in table.index[infinite]
    ]
    invalid = ~missing & ~infinite & ~shapely.is_valid(geometry)
    found += [
        violation(
            row, "geometry", shapely.is_valid_reason(shape), "a valid geometry",
            "Draw the ring again, or mend the table: table.geometry = table.geometry.make_valid().",
        )
        for row, shape in zip(table.index[invalid], geometry[invalid], strict=True)
    ]  # fmt: skip
    return found


def _as_drawn(kind: str, wanted: tuple[str, ...]) -> str:
    """What to do with a shape of another kind; a line where an area is wanted was most likely never closed."""
    if kind in LINES and "Polygon" in wanted:
        return "Close the line in the drawing, or draw it as an area there; or leave the row out."
    return "Convert it, or leave the row out."


def _no_crs(geometry: np.ndarray) -> str:
    """That there is no CRS, and where the coordinates lie: the range tells degrees from metres, and zones apart."""
    west, south, east, north = shapely.total_bounds(geometry) if len(geometry) else [np.nan] * 4
    if not np.isfinite([west, south, east, north]).all():
        return "no CRS"
    return f"no CRS (x from {west:.10g} to {east:.10g}, y from {south:.10g} to {north:.10g})"
