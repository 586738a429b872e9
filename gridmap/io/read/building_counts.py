"""Counts of a project's buildings: by building id, or a list by compound and number that is joined to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmap.errors import ReadError
from gridmap.io.read.readers import read_plain_table
from gridmap.tables.counts.attach_counts import attach_counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import geopandas as gpd

__all__ = ["read_building_counts", "read_counts"]

_NAMES = ("compound", "building", "name")


def read_counts(
    source: str | PathLike[str] | pd.DataFrame, *, columns: Mapping[str, str] | None = None, layer: str | None = None
) -> pd.DataFrame:
    """A list of households without coordinates, for `gridmap.attach_counts`.

    Parameters
    ----------
    source
        Path of a sheet (CSV, TSV, Excel) or vector file, or a DataFrame; ``"list.xlsx|layer=2023"`` names a sheet.
    columns
        ``{our name: heading in the source}``, for headings that are not recognised. It always wins.
    layer
        Sheet to read, as an alternative to ``|layer=``.

    Returns
    -------
    DataFrame
        Of building_id, community, compound, building (its number), unit, name (all in one) and households those that
        some heading says (小区名称, 楼号, 单元, 户数 ...), and the other columns as they are. ``attrs["reading"]`` says
        which heading was taken for what, which cells had to be read, and which rows were left out.

    Raises
    ------
    ReadError
        When the source is missing, empty or broken, no heading says whose the households are, or none says how many.
    TableError
        When a number of households is none.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> from shapely import Point
    >>> from gridmap import attach_counts
    >>> sheet = pd.DataFrame({"小区名称": ["阳光花园"], "楼号": ["3栋"], "总户数": ["1,020户"]})
    >>> houses = gpd.GeoDataFrame({"building_id": ["a"], "name": ["阳光花园3号楼"]}, geometry=[Point(0, 0)], crs=32650)
    >>> attached, unmatched = attach_counts(houses, read_counts(sheet))
    >>> attached["households"].tolist(), len(unmatched)
    ([1020.0], 0)
    """
    listed = read_plain_table("counts", source, columns=columns, layer=layer)
    shown = "the table" if isinstance(source, pd.DataFrame) else source
    present = ", ".join(map(str, listed.columns))
    if not {"building_id", *_NAMES} & set(listed.columns):
        raise ReadError(
            f"{shown}: no column says whose the households are, among: {present}. Head it 小区名称, 楼号 or "
            "building_id, or say columns={'compound': 'heading'}."
        )
    if "households" not in listed.columns:
        raise _without_households(shown, present)
    return listed


def _without_households(source: object, present: str) -> ReadError:
    return ReadError(f"{source}: no column of households among: {present}. Head it 总户数 or households.")


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
    listed = read_plain_table("counts", source)
    named = [name for name in _NAMES if name in listed.columns]
    if "building_id" in listed.columns or not named:
        return read_plain_table("households", source), buildings
    if "households" not in listed.columns:
        raise _without_households(source, ", ".join(map(str, listed.columns)))
    usable = compounds if compounds is not None and len(compounds) and "name" in compounds.columns else None
    joined, unmatched = attach_counts(buildings, listed, compounds=usable)
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
