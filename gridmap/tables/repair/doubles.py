"""Buildings that were entered twice taken out once, where nothing known of them is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.check.doubles import same_outline
from gridmap.tables.contracts import clean_ids
from gridmap.tables.number_column import number_column
from gridmap.tables.repair.log import as_text

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["remove_doubles"]


def remove_doubles(buildings: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Buildings without those whose footprint, and all that is known of them, an earlier one has; and rows of the log.

    Of a set with the same footprint one is kept when in every column but the id all values agree or are missing; what
    only a removed row knows is written to the one that stays. Where any value differs, households above all, every row
    stays: they may be two. Points are never taken out: buildings are often listed at the centre of their compound.
    """
    shapes = np.asarray(buildings.geometry.array, dtype=object)
    areal = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes))
    outline = same_outline(shapes[areal])
    again = pd.Series(outline).duplicated(keep=False).to_numpy()
    rows: list[dict[str, Any]] = []
    gone = np.zeros(len(buildings), dtype=bool)
    out = buildings.copy()
    changes: dict[str, dict[int, Any]] = {}
    for _, members in pd.Series(areal[again]).groupby(outline[again]):
        kept, *others = members.tolist()
        filled = _agreed(buildings, members.to_numpy())
        if filled is None:
            continue
        for column, value in filled.items():
            changes.setdefault(column, {})[kept] = value
        gone[others] = True
        rows += _log(buildings, kept, others, filled)
    for column, cells in changes.items():
        values = list(out[column])
        for at, value in cells.items():
            values[at] = value
        out[column] = pd.Series(values, index=out.index, dtype=out[column].dtype)
    return out[~gone], rows


def _agreed(buildings: gpd.GeoDataFrame, rows: NDArray[np.intp]) -> dict[str, Any] | None:
    """What the first of these rows must be told by the others, by column; None when two of them differ."""
    filled: dict[str, Any] = {}
    for column in buildings.columns:
        if column == buildings.geometry.name:
            continue
        cells = list(buildings[column].iloc[rows])
        try:
            texts = [as_text(cell) for cell in cells]
        except TypeError:
            return None
        if column == "building_id":
            continue
        known = [i for i, cell in enumerate(cells) if not _missing(cell)]
        if len({texts[i] for i in known}) > 1:
            return None
        if known and known[0] != 0:
            filled[str(column)] = cells[known[0]]
    return filled


def _log(buildings: gpd.GeoDataFrame, kept: int, others: list[int], filled: dict[str, Any]) -> list[dict[str, Any]]:
    name = clean_ids(buildings["building_id"]) if "building_id" in buildings else pd.Series(buildings.index.astype(str))
    ids = name.tolist()
    households = np.nan_to_num(number_column(buildings, "households"))
    rows = [
        {
            "rule": "cell_filled", "what": f"{column} taken from a row with the same footprint", "id": ids[kept],
            "position": kept, "column": column, "before": as_text(buildings[column].iloc[kept]),
            "after": as_text(value), "area_change_m2": 0.0,
            "households_change": float(value) - households[kept] if column == "households" else 0.0,
        }
        for column, value in filled.items()
    ]  # fmt: skip
    geometry = buildings.geometry.name
    for at in others:
        row = buildings.iloc[at]
        cells = {
            str(c): shapely.to_wkb(row[c], hex=True, include_srid=True) if c == geometry else as_text(row[c])
            for c in buildings.columns
        }
        rows.append(
            {
                "rule": "row_removed", "what": f"the same building as {ids[kept]}, which stays", "id": ids[at],
                "position": at, "column": "", "before": json.dumps(
                    {"label": as_text(buildings.index[at]), "cells": cells}, ensure_ascii=False
                ),
                "after": "", "area_change_m2": 0.0,
                "households_change": -float(households[at]),
            }
        )  # fmt: skip
    return rows


def _missing(cell: Any) -> bool:
    return not isinstance(cell, list | dict | np.ndarray) and bool(pd.isna(cell))
