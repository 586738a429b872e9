"""Inputs: what a run needs and a project may lack, made whole, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from shapely import box

from gridmap.errors import ReadError
from gridmap.tables.contracts import clean_ids
from gridmap.tables.crs import to_metric
from gridmap.tables.findings import finding
from gridmap.tables.households.estimate import estimate_households

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["community_around", "complete_households", "left_out"]

# A community made from the data's bounds gets this much land around the outermost buildings, in metres.
_MARGIN = 20.0


def left_out(readings: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the readers left out of each table, as findings: the reason, how many rows, and the first ids."""
    return [
        finding(
            "info",
            "rows_left_out",
            f"{name}: {_rows(entry['count'])} left out: {entry['reason']}.",
            status=name,
            ids=entry.get("ids", ()),
        )
        for name, reading in readings.items()
        for entry in reading.get("left_out", ())
    ]


def complete_households(
    buildings: gpd.GeoDataFrame, counts: pd.DataFrame | None = None
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Buildings with households in every row, from counts by building id, else estimated; and findings on both.

    Parameters
    ----------
    buildings
        The buildings; a `households` column of theirs is used as it is when no counts are given.
    counts
        Columns building_id and households. A building without a row has 0 households.

    Raises
    ------
    ReadError
        When `counts` lacks one of its columns.
    """
    if counts is not None:
        return _with_counts(buildings, counts)
    if "households" in buildings.columns and buildings["households"].notna().all():
        return buildings, []
    estimated = estimate_households(buildings)
    rows = estimated["households_estimated"].to_numpy(dtype=bool)
    message = (
        f"{int(rows.sum())} of {len(rows)} buildings have no count of households; "
        f"{estimated['households'][rows].sum():.0f} households were estimated for them from footprint, floors and use."
    )
    ids = estimated["building_id"][rows].head(20)
    cure = "Give counts: a households column, or [inputs] households = 'counts.csv' with building_id and households."
    told_before = len(buildings.attrs.get("findings", ()))
    of_the_estimate = estimated.attrs["findings"].iloc[told_before:].to_dict("records")
    return estimated, [finding("info", "households_estimated", message, cure=cure, ids=ids), *of_the_estimate]


def community_around(buildings: gpd.GeoDataFrame, name: str) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """One community over the bounds of the buildings, and the finding that says so."""
    metric = to_metric(buildings)
    west, south, east, north = metric.total_bounds
    area = box(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    columns = {"community_id": ["area"], "name": [name]}
    community = gpd.GeoDataFrame(columns, geometry=[area], crs=metric.crs).to_crs(buildings.crs)
    message = "The project has no communities: the bounds of its buildings were taken as one community."
    cure = "Give communities in [inputs] for grids that keep to real borders."
    return community, [finding("warning", "community_from_bounds", message, cure=cure, ids=["area"])]


def _with_counts(buildings: gpd.GeoDataFrame, counts: pd.DataFrame) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    lacking = [c for c in ("building_id", "households") if c not in counts.columns]
    if lacking:
        present = ", ".join(map(str, counts.columns))
        raise ReadError(f"the counts of households have no column {' and no column '.join(lacking)} among: {present}")
    numbers = pd.Series(counts["households"].to_numpy(), index=clean_ids(counts["building_id"]).to_numpy())
    numbers = numbers.groupby(level=0).sum(min_count=1)
    ids = clean_ids(buildings["building_id"])
    households = ids.map(numbers)
    blank, unknown = households.isna(), numbers.index.difference(pd.Index(ids))
    out = buildings.assign(households=households.fillna(0).astype("float64"))
    found = []
    if blank.any():
        message = f"{int(blank.sum())} of {len(blank)} buildings are not in the counts and have 0 households."
        found.append(finding("info", "buildings_without_count", message, ids=ids[blank].head(20)))
    if len(unknown):
        message = f"{numbers[unknown].sum():.0f} households of {len(unknown)} rows of the counts have no building."
        cure = "Correct the building ids of the counts, or add the buildings."
        found.append(finding("warning", "counts_without_building", message, cure=cure, ids=unknown[:20]))
    return out, found


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count} rows were"
