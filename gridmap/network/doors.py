"""Doors: which entrances are open to a mode, and the walls, gates and barriers of the tables as `Walls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.network.profiles import flag
from gridmap.network.walls import GATE_METRES, Walls
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]

__all__ = ["open_doors", "read_walls"]

_MODE_WORDS = {
    "walk": ("walk", "foot", "pedestrian", "all"),
    "cycle": ("cycle", "bicycle", "bike", "all"),
    "drive": ("drive", "car", "motor", "vehicle", "all"),
}


def open_doors(entrances: pd.DataFrame, mode: str) -> npt.NDArray[np.bool_]:
    """Which entrances the mode may use: open unless `open` says no, and `modes`, where filled in, names the mode."""
    is_open = flag(entrances, "open", absent=True)
    if "modes" not in entrances:
        return is_open
    words = entrances["modes"].astype(object).where(entrances["modes"].notna(), "").astype(str).str.lower()
    named = words.str.contains("|".join(_MODE_WORDS[mode]), regex=True)
    allowed: npt.NDArray[np.bool_] = is_open & (named | (words.str.strip() == "")).to_numpy()
    return allowed


def read_walls(
    compounds: gpd.GeoDataFrame | None,
    entrances: gpd.GeoDataFrame | None,
    barriers: gpd.GeoDataFrame | None,
    mode: str,
    crs: Any,
) -> tuple[Walls, gpd.GeoDataFrame | None, list[dict[str, Any]]]:
    """The walls and barriers of the tables, the entrances with `x`, `y` and whether they are `usable`, and findings.

    Parameters
    ----------
    compounds, entrances, barriers
        Tables of the design, or None.
    mode
        The mode that gates must be open to.
    crs
        Metric CRS of what is returned.

    Raises
    ------
    TableError
        When a table breaks its contract.
    """
    doors = None
    if entrances is not None:
        doors = to_crs(check_table(entrances, "entrances", allow_empty=True), crs)
        doors = doors.assign(
            of=doors["of"].str.lower(), x=doors.geometry.x, y=doors.geometry.y, usable=open_doors(doors, mode)
        )
    rows: list[dict[str, Any]] = []
    hard = np.empty(0, dtype=object)
    if barriers is not None:
        table = to_crs(check_table(barriers, "barriers", allow_empty=True), crs)
        hard = np.asarray(table.geometry.array, dtype=object)[flag(table, "hard", absent=True)]
    ids, shapes = np.empty(0, dtype=object), np.empty(0, dtype=object)
    gate_xy, gate_compound = np.empty((0, 2)), np.empty(0, dtype=np.int32)
    if compounds is not None:
        table = to_crs(check_table(compounds, "compounds", allow_empty=True), crs)
        gates = _gates(doors)
        ids, shapes, rows = _walled(table, gates)
        usable = gates[gates["usable"] & gates["of_id"].isin(ids)]
        gate_compound = pd.Index(ids).get_indexer(pd.Index(usable["of_id"])).astype(np.int32)
        gate_xy, moved = onto_walls(usable[["x", "y"]].to_numpy(dtype=float), shapes[gate_compound])
        if moved.any():
            rows.append(
                finding(
                    "warning", "gate_off_wall",
                    f"{moved.sum():,} gates lie more than 1 m from the wall of their compound and were moved onto it.",
                    cure="Correct their places.", ids=usable["entrance_id"][moved],
                )
            )  # fmt: skip
        order = np.lexsort((gate_xy[:, 1], gate_xy[:, 0], gate_compound))
        gate_xy, gate_compound = gate_xy[order], gate_compound[order]
    return Walls(ids, shapes, gate_xy, gate_compound, hard), doors, rows


def _gates(doors: gpd.GeoDataFrame | None) -> pd.DataFrame:
    if doors is None:
        return pd.DataFrame({"entrance_id": [], "of_id": [], "x": [], "y": [], "usable": np.empty(0, dtype=bool)})
    return pd.DataFrame(doors.loc[doors["of"] == "compound", ["entrance_id", "of_id", "x", "y", "usable"]])


def _walled(compounds: gpd.GeoDataFrame, gates: pd.DataFrame) -> tuple[Shapes, Shapes, list[dict[str, Any]]]:
    """Ids and polygons of the compounds that have gates, in order of their ids, and what is odd about the others."""
    known = compounds["compound_id"].isin(gates["of_id"])
    opened = compounds["compound_id"].isin(gates.loc[gates["usable"], "of_id"])
    stray = gates[~gates["of_id"].isin(compounds["compound_id"])]
    rows = []
    for ids, severity, rule, message, cure in (
        (
            compounds["compound_id"][~known], "info", "compound_without_gates",
            "compounds have no known gate; their walls do not count, so people leave them anywhere.",
            "Give their gates in `entrances` (of = compound, of_id = their id).",
        ),
        (
            compounds["compound_id"][known & ~opened], "warning", "compound_shut",
            "compounds have gates, but none that is open to this mode; nobody gets in or out.",
            "Check `open` and `modes` of their entrances.",
        ),
        (
            stray["entrance_id"], "warning", "gate_of_unknown_compound",
            "gates name a compound that is not in `compounds` and were left out.",
            "Correct `of_id`, or add the compound.",
        ),
    ):  # fmt: skip
        if len(ids):
            rows.append(finding(severity, rule, f"{len(ids):,} {message}", cure=cure, ids=sorted(ids)))
    walled = compounds[known].sort_values("compound_id")
    return walled["compound_id"].to_numpy(dtype=object), np.asarray(walled.geometry.array, dtype=object), rows


def onto_walls(xy: npt.NDArray[np.float64], shapes: Shapes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Gates further than 1 m from their wall moved to the nearest place on it; and which these are."""
    points = shapely.points(xy)
    outlines = shapely.boundary(shapes)
    moved = np.asarray(shapely.distance(points, outlines) > GATE_METRES, dtype=np.bool_)
    place = shapely.get_coordinates(shapely.shortest_line(outlines[moved], points[moved]))[::2]
    xy = xy.copy()
    xy[moved] = place
    return xy, moved
