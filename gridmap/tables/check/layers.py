"""Layers: the tables of an audit with names, ids as text, and shapes that are valid and in one metric CRS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.tables.contracts import CONTRACTS, clean_ids, finite, refuse_repeated_columns
from gridmap.tables.crs import known_crs, metric_crs, to_crs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from pyproj import CRS

__all__ = ["LEVELS", "Layer", "drawn_ids", "layers_of", "recognise", "sound"]

#: Tables whose rows tile land, from small to large. Each is checked against the next larger one given.
LEVELS = ("grids", "communities", "subdistricts", "districts")
# By what a table is told when it comes without a name: the first of these whose columns it has.
_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("units", ("building_id", "unit_id")),
    ("entrances", ("entrance_id",)),
    ("facilities", ("facility_id",)),
    ("grids", ("grid_id",)),
    ("buildings", ("building_id",)),
    ("compounds", ("compound_id",)),
    ("communities", ("community_id",)),
    ("streets", ("street_id",)),
    ("streets", ("class",)),
    ("barriers", ("barrier_id",)),
    ("barriers", ("hard",)),
    ("subdistricts", ("subdistrict",)),
)
_KINDS_OF_ID = ("id", "code", "name")


@dataclass(frozen=True)
class Layer:
    """One table of an audit.

    Attributes
    ----------
    name
        What it is called: a table of the design, a level above the community, or the user's own name for it.
    table
        As it was given.
    ids
        Text that names each row: its id, else a code or name; rows that share one are told apart by their number.
    id_column
        The column of true ids, None where there is none.
    shapes
        Valid shapes in the audit's CRS; missing ones are empty. An empty array where the table has no geometry.
    """

    name: str
    table: pd.DataFrame
    ids: NDArray[np.object_]
    id_column: str | None
    shapes: NDArray[np.object_]

    @property
    def names(self) -> NDArray[np.object_]:
        """The ids as they stand in messages: with the number of the row where several rows have one."""
        twice = pd.Series(self.ids).duplicated(keep=False).to_numpy()
        rows = np.array([f"{own} (row {n})" for n, own in enumerate(self.ids, start=1)], dtype=object)
        return np.where(twice, rows, self.ids)

    @property
    def polygons(self) -> bool:
        """Whether any row is a polygon."""
        return bool((shapely.get_dimensions(self.shapes) == 2).any())


def layers_of(tables: Iterable[Any], named: Mapping[str, Any]) -> tuple[dict[str, Layer], CRS | None]:
    """The tables as layers by name, and the metric CRS of their shapes; None when no table has shapes.

    Raises
    ------
    OptionError
        When a table cannot be recognised, comes twice, or is no table.
    TableError
        When a table with geometry has no CRS.
    """
    by_name: dict[str, pd.DataFrame] = {}
    for position, table in enumerate(tables, start=1):
        name = recognise(table, f"table {position}")
        if name in by_name or name in named:
            raise OptionError(
                f"two tables were taken for {name}; give at least one of them by name, for example check({name}=..., "
                f"other_{name}=...)"
            )
        by_name[name] = table
    for name, table in named.items():
        if table is None:
            continue
        if not isinstance(table, pd.DataFrame):
            raise OptionError(f"{name} must be a GeoDataFrame or DataFrame, not {type(table).__name__}")
        by_name[name] = table
    if not by_name:
        raise OptionError("nothing to check: give at least one table")
    for name, table in by_name.items():
        refuse_repeated_columns(table, name)
    crs = _common_crs(by_name)
    return {name: _layer(name, table, crs) for name, table in by_name.items()}, crs


def recognise(table: Any, what: str = "the table", call: str = "check") -> str:
    """The name of a table, told by its columns or by the kind of its shapes.

    Raises
    ------
    OptionError
        When nothing in the table says what it is.

    Examples
    --------
    >>> recognise(pd.DataFrame({"building_id": ["a"], "unit_id": ["1"], "households": [12]}))
    'units'
    """
    if not isinstance(table, pd.DataFrame):
        raise OptionError(f"{what} must be a GeoDataFrame or DataFrame, not {type(table).__name__}")
    nearly = ""
    for name, columns in _MARKS:
        contract = CONTRACTS.get(name)
        if set(columns) <= set(table.columns):
            if contract is None or _fits(table, contract.geometry):
                return name
            shapes = f"its shapes are not {' or '.join(contract.geometry)}" if _is_drawn(table) else "no shapes"
            nearly = nearly or f" (it has the columns of {name}, but {shapes})"
    pattern = "repair(table, name='{}')" if call == "repair" else "check({}=table)"
    raise OptionError(
        f"{what} was not recognised by its columns ({', '.join(map(str, table.columns))}){nearly}; give it by name, "
        f"for example {pattern.format('communities')}, or any name of yours for other polygons: "
        f"{pattern.format('zones')}"
    )


def _fits(table: pd.DataFrame, kinds: tuple[str, ...]) -> bool:
    """Whether the shapes are of a kind that the contract takes; a table without any fits where none are wanted."""
    if not _is_drawn(table):
        return not kinds
    shapes = np.asarray(table.geometry.array)
    present = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    dimensions = {"Point": 0, "LineString": 1, "Polygon": 2}
    wanted = [dimensions[kind] for kind in kinds if kind in dimensions]
    return len(present) == 0 or bool(np.isin(shapely.get_dimensions(present), wanted).any())


def sound(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes to measure with: missing ones empty, invalid ones mended by their structure, lines and points dropped."""
    out = np.array(shapes, dtype=object)
    out[~finite(out)] = shapely.Polygon()
    wrong = ~shapely.is_valid(out)
    out[wrong] = shapely.make_valid(out[wrong], method="structure", keep_collapsed=False)
    return shapely.force_2d(out)


def drawn_ids(name: str, table: pd.DataFrame) -> tuple[NDArray[np.object_], str | None]:
    """Text that names each row of a table, and the column of true ids where it has one."""
    single = name.removesuffix("s") if not name.endswith("ies") else name.removesuffix("ies") + "y"
    contract = CONTRACTS.get(name)
    own = contract.id if contract is not None else f"{single}_id"
    id_column = own if own in table.columns else None
    candidates = [own, f"{single}_id", *(f"{single}_{kind}" for kind in _KINDS_OF_ID), *_KINDS_OF_ID, single]
    chosen = next((c for c in candidates if c in table.columns), None)
    rows = np.array([f"row {i}" for i in range(1, len(table) + 1)], dtype=object)
    if chosen is None:
        return rows, None
    text = clean_ids(table[chosen])
    known = (text.notna() & (text != "")).to_numpy(dtype=bool)
    ids = np.where(known, text.to_numpy(dtype=object), rows)
    if id_column is None:
        twice = pd.Series(ids).duplicated(keep=False).to_numpy()
        ids[twice] = [f"{label} ({row})" for label, row in zip(ids[twice], rows[twice], strict=True)]
    return ids, id_column


def _layer(name: str, table: pd.DataFrame, crs: CRS | None) -> Layer:
    ids, id_column = drawn_ids(name, table)
    shapes = np.empty(0, dtype=object)
    if crs is not None and _is_drawn(table):
        placed = to_crs(table[[table.geometry.name]], crs)
        shapes = sound(np.asarray(placed.geometry.array))
    return Layer(name, table, ids, id_column, shapes)


def _common_crs(tables: Mapping[str, pd.DataFrame]) -> CRS | None:
    """The metric CRS of the first table with shapes."""
    crs = None
    for name, table in tables.items():
        if not _is_drawn(table):
            continue
        known_crs(table, name)
        if crs is None and np.isfinite(table.total_bounds).all():
            crs = metric_crs(gpd.GeoDataFrame(table))
    return crs


def _is_drawn(table: pd.DataFrame) -> bool:
    return isinstance(table, gpd.GeoDataFrame) and table._geometry_column_name in table.columns  # noqa: SLF001
