"""Counts of a project's buildings: by building id, or a list by compound and number that is joined to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmap.errors import ReadError
from gridmap.io.read.readers import read_counts
from gridmap.tables.counts.attach_counts import attach_counts

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["read_building_counts"]

_NAMES = ("compound", "building", "name")


def read_building_counts(
    source: str, buildings: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame | None = None
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Households by building id, and the buildings with how each was matched.

    A sheet with ids of buildings is taken as it is. One with names (小区名称, 楼号, 单元 or all in one) is joined by
    `attach_counts`; its rows without a building are left out of the counts, by reason, in ``attrs["reading"]``.

    Parameters
    ----------
    source
        The sheet.
    buildings, compounds
        What the names are looked for in.

    Raises
    ------
    ReadError
        When the sheet has neither ids nor names, or no number of households.
    TableError
        When a number of households is none.
    """
    listed = read_counts("counts", source)
    named = [name for name in _NAMES if name in listed.columns]
    if "building_id" in listed.columns or not named:
        return read_counts("households", source), buildings
    if "households" not in listed.columns:
        present = ", ".join(map(str, listed.columns))
        raise ReadError(f"{source}: no column of households among: {present}. Head it 总户数 or households.")
    on = {role: role for role in (*named, "unit", "community", "households") if role in listed.columns}
    usable = compounds if compounds is not None and len(compounds) and "name" in compounds.columns else None
    joined, unmatched = attach_counts(buildings, listed, on=on, compounds=usable)
    has = joined["count_match"].notna()
    counts = joined.loc[has, ["building_id", "households"]].reset_index(drop=True)
    counts = pd.DataFrame(counts)
    counts.attrs["reading"] = _reading(listed.attrs["reading"], unmatched, joined.attrs["counts"])
    kept = buildings.assign(count_match=joined["count_match"], count_score=joined["count_score"])
    return counts, kept


def _reading(reading: dict[str, Any], unmatched: pd.DataFrame, summary: dict[str, Any]) -> dict[str, Any]:
    """The record of the sheet, with the rows that found no building among those left out."""
    lost = [
        {
            "reason": f"{reason} ({rows['households'].sum():g} households)",
            "count": len(rows),
            "ids": [
                " ".join(filter(None, row)) for row in rows[["compound", "number", "unit"]].head(20).to_numpy().tolist()
            ],
        }
        for reason, rows in unmatched.groupby("reason", sort=True)
    ]
    return {
        **reading,
        "rows_kept": reading["rows_kept"] - len(unmatched),
        "left_out": [*reading["left_out"], *lost],
        "counts": summary,
    }
