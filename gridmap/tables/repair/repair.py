"""`repair`: the safe repairs of one table, in order, and their log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import OptionError
from gridmap.tables.check.layers import drawn_ids, recognise
from gridmap.tables.check.tolerances import Tolerances
from gridmap.tables.contracts import finite, refuse_repeated_columns
from gridmap.tables.crs import known_crs, metric_crs, to_crs
from gridmap.tables.repair.doubles import remove_doubles
from gridmap.tables.repair.log import log_table
from gridmap.tables.repair.tiling import mend_tiling
from gridmap.tables.rings import mend_rings

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

__all__ = ["repair"]

# Polygons that share no borders with each other.
_NO_LEVEL = ("buildings", "facilities", "barriers", "streets", "entrances")
# Polygons that may stand apart: only their overlaps are mended.
_APART = ("compounds", "dedicated")


def repair(
    table: gpd.GeoDataFrame, *, name: str | None = None, sliver_width: float = 1.0
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Mend what is certainly a slip of drawing, and log every change so that `undo_repair` can take it back.

    In this order: invalid polygons that can be read in one way only; vertices that repeat the one before; in units of
    one level, slivers of gap and overlap, which go to the neighbour (of an overlap: the owner) with the longest border
    along them, and borders that only one side has the vertices of; buildings that are there twice with the same
    footprint and nothing known to differ. What takes a decision is left as it is, for `check` to tell: overlaps and
    gaps wider than a sliver, rings that could mean two things, buildings whose households differ.

    Parameters
    ----------
    table
        GeoDataFrame; it is not changed.
    name
        What it is, where its columns do not say: a table of the design, or any name for polygons that tile land.
    sliver_width
        m. What is narrower than this everywhere is a sliver; see `check`.

    Returns
    -------
    table
        A copy, mended in its own CRS. Coordinates of what was sound are the same to the last bit.
    log
        One row a change, in order: ``step``, ``rule``, ``what``, ``id`` and ``position`` (from 0, in the table given)
        of the row, ``column``, ``before`` and ``after`` (shapes as hexadecimal WKB, other cells as JSON; for a removed
        row ``before`` holds the whole of it), ``area_change_m2``, ``households_change``.
        ``attrs`` has the sums of these two.

    Raises
    ------
    OptionError
        When the table is not recognised, is no GeoDataFrame, or the width is not positive.
    TableError
        When it has no CRS, or two columns of one name.

    Examples
    --------
    >>> from shapely import box
    >>> drawn = gpd.GeoDataFrame(
    ...     {"community_id": ["a", "b"]}, geometry=[box(500000, 0, 500100, 100), box(500099.5, 0, 500200, 100)],
    ...     crs=32650,
    ... )
    >>> mended, log = repair(drawn)
    >>> mended.area.tolist(), log[["rule", "id", "area_change_m2"]].values.tolist()
    ([10000.0, 10000.0], [['units_sliver', 'b', -50.0]])
    """
    if not isinstance(table, gpd.GeoDataFrame):
        raise OptionError(f"only a GeoDataFrame can be repaired, not {type(table).__name__}")
    Tolerances(sliver_width=sliver_width)
    name = name or recognise(table, call="repair")
    refuse_repeated_columns(table, name)
    known_crs(table, name)
    ids = drawn_ids(name, table)[0]
    to_metric = _mover(table)
    shapes = np.array(table.geometry.array, dtype=object)
    log: list[dict[str, Any]] = []
    for mend in (_rings, _vertices):
        after, told = mend(shapes)
        log += _changes(table.geometry.name, ids, shapes, after, told, to_metric)
        shapes = after
    if name not in _NO_LEVEL:
        after, told = _tiling(shapes, to_metric, sliver_width, gaps=name not in _APART)
        log += _changes(table.geometry.name, ids, shapes, after, told, to_metric)
        shapes = after
    out = table.copy()
    if log:
        out[table.geometry.name] = gpd.GeoSeries(shapes, index=table.index, crs=table.crs)
    if name == "buildings":
        out, rows = remove_doubles(out)
        log += rows
    out.attrs = dict(table.attrs)
    steps = log_table(log)
    steps.attrs = {column: float(steps[column].sum()) for column in ("area_change_m2", "households_change")}
    return out, steps


def _mover(table: gpd.GeoDataFrame) -> Callable[[Shapes], Shapes]:
    """Moves shapes from the table's CRS into metres."""
    crs = metric_crs(table)

    def moved(shapes: Shapes) -> Shapes:
        frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=table.crs))
        return np.asarray(to_crs(frame, crs).geometry.array, dtype=object)

    return moved


def _rings(shapes: Shapes) -> tuple[Shapes, dict[int, tuple[str, str]]]:
    """Valid shapes where that is certain, and what was done to which row."""
    wrong = np.flatnonzero(~shapely.is_valid(shapes) & finite(shapes))
    out = shapes.copy()
    told = {}
    for row, new, reason in zip(
        wrong.tolist(), mend_rings(shapes[wrong]), shapely.is_valid_reason(shapes[wrong]), strict=True
    ):
        if new is not None:
            out[row] = new
            told[row] = ("ring_invalid", f"made valid: {reason}")
    return out, told


def _vertices(shapes: Shapes) -> tuple[Shapes, dict[int, tuple[str, str]]]:
    drawn = shapes.copy()
    drawn[(shapely.get_dimensions(shapes) < 1) | ~finite(shapes)] = None
    plain = shapely.remove_repeated_points(drawn)
    fewer = shapely.get_num_coordinates(drawn) - shapely.get_num_coordinates(plain)
    out = np.where(fewer > 0, plain, shapes)
    words = {1: "1 vertex repeated the one before it"}
    return out, {
        row: ("vertices_repeated", words.get(int(fewer[row]), f"{fewer[row]} vertices repeated the one before them"))
        for row in np.flatnonzero(fewer > 0).tolist()
    }


def _tiling(
    shapes: Shapes, to_metric: Callable[[Shapes], Shapes], width: float, *, gaps: bool
) -> tuple[Shapes, dict[int, tuple[str, str]]]:
    fit = shapely.is_valid(shapes) & np.isin(shapely.get_type_id(shapes), (3, 6)) & finite(shapes)
    fit[fit] = finite(to_metric(shapes[fit]))
    mended = mend_tiling(np.where(fit, shapes, shapely.Polygon()), to_metric, width, gaps=gaps)
    out = np.where(fit, mended.shapes, shapes)
    told = {}
    for row in np.flatnonzero(out != shapes).tolist():
        took, gave = mended.took_gap[row], mended.gave_overlap[row]
        did = [f"took {took:,.4g} m² of gap"] if took > 0 else []
        did += [f"left {gave:,.4g} m² of overlap to a neighbour"] if gave > 0 else []
        rule = "units_sliver" if did else "borders_unmatched"
        told[row] = (rule, "; ".join([*did, "border shares its vertices with the neighbours"]))
    return out, told


def _changes(
    column: str,
    ids: NDArray[np.object_],
    before: Shapes,
    after: Shapes,
    told: dict[int, tuple[str, str]],
    to_metric: Callable[[Shapes], Shapes],
) -> list[dict[str, Any]]:
    """Rows of the log for shapes that changed; an area that was read in one way only has not changed."""
    rows = np.array(sorted(told), dtype=np.intp)
    if not len(rows):
        return []
    was = before[rows].copy()
    wrong = ~shapely.is_valid(was)
    was[wrong] = shapely.make_valid(was[wrong], method="structure", keep_collapsed=False)
    change = shapely.area(to_metric(after[rows])) - shapely.area(to_metric(was))
    old, new = (shapely.to_wkb(shapes[rows], hex=True, include_srid=True) for shapes in (before, after))
    return [
        {
            "rule": told[row][0], "what": told[row][1], "id": str(ids[row]), "position": row, "column": column,
            "before": old[i], "after": new[i], "area_change_m2": float(change[i]), "households_change": 0.0,
        }
        for i, row in enumerate(rows.tolist())
    ]  # fmt: skip
