"""Findings: one row for each thing a user should know about a result, in one table shape for all of gridmap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

__all__ = [
    "COLUMNS", "SEVERITIES", "AttachedFindings", "AttachedTable", "finding", "findings_sheet", "findings_table",
    "join_findings",
]  # fmt: skip

# A cell with more ids is read by nobody.
_SHOWN_IDS = 20
SEVERITIES = ("error", "warning", "info")
COLUMNS = ("severity", "rule", "status", "message", "cure", "ids", "certificate", "geometry")


class AttachedFindings(gpd.GeoDataFrame):  # type: ignore[misc]
    """Findings that hang in the `attrs` of another table.

    pandas compares `attrs` when it joins two tables, even to print a long one, and a plain table has no truth value:
    two of these are equal when all their values are.
    """

    @property
    def _constructor(self) -> Any:
        return AttachedFindings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, gpd.GeoDataFrame) and bool(self.equals(other))

    __hash__ = None  # type: ignore[assignment]


class AttachedTable(pd.DataFrame):
    """A plain table that hangs in the `attrs` of another one, comparable as `AttachedFindings` are."""

    @property
    def _constructor(self) -> Any:
        return AttachedTable

    def __eq__(self, other: object) -> Any:
        return isinstance(other, pd.DataFrame) and bool(self.equals(other))

    __hash__ = None


def finding(
    severity: str,
    rule: str,
    message: str,
    *,
    status: str = "",
    cure: str = "",
    ids: Iterable[object] = (),
    certificate: Mapping[str, Any] | None = None,
    geometry: BaseGeometry | None = None,
) -> dict[str, Any]:
    """One finding as a row for `findings_table`.

    Parameters
    ----------
    severity
        ``"error"`` (the result breaks a rule), ``"warning"`` (it may mislead) or ``"info"`` (it is worth knowing).
    rule
        Short snake_case name of the rule, the same wherever that rule is checked.
    message, cure
        One sentence each, for a planner: what is so, and what would change it.
    status
        State within the rule, for example ``"above"``, ``"certified"``.
    ids
        Ids of the rows concerned.
    certificate
        Evidence that someone else can check; stored as JSON.
    geometry
        Where it is, in the CRS of the table.
    """
    return {
        "severity": severity,
        "rule": rule,
        "status": status,
        "message": message,
        "cure": cure,
        "ids": [str(i) for i in ids],
        "certificate": "" if certificate is None else json.dumps(certificate, ensure_ascii=False, sort_keys=True),
        "geometry": geometry,
    }


def findings_table(rows: Iterable[Mapping[str, Any]], *, crs: object = None) -> gpd.GeoDataFrame:
    """Rows made by `finding` as a table with the columns of `COLUMNS`; an empty table when there are none."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    frame["geometry"] = gpd.array.from_shapely(frame["geometry"].tolist(), crs=crs)
    return gpd.GeoDataFrame(frame)


def join_findings(tables: Iterable[gpd.GeoDataFrame], *, crs: object = None) -> gpd.GeoDataFrame:
    """Several findings tables below one another, in the order given, in one CRS."""
    rows: list[Mapping[str, Any]] = []
    for table in tables:
        moved = table.to_crs(crs) if crs is not None and table.crs is not None and len(table) else table
        rows.extend(moved.to_dict("records"))
    return findings_table(rows, crs=crs)


def findings_sheet(findings: gpd.GeoDataFrame) -> pd.DataFrame:
    """Findings for a sheet: without shapes, but with longitude and latitude of a point in each place, and its size.

    Columns: severity, rule, status, message, cure, ids (the first 20), n_ids, lon, lat, area_m2, households.
    """
    out = pd.DataFrame(findings[["severity", "rule", "status", "message", "cure"]])
    ids = [list(own) for own in findings["ids"]]
    out["ids"] = [", ".join(own[:_SHOWN_IDS]) + (" …" if len(own) > _SHOWN_IDS else "") for own in ids]
    out["n_ids"] = [len(own) for own in ids]
    places = findings.geometry.representative_point()
    if findings.crs is not None:
        places = places.to_crs(4326)
    out["lon"], out["lat"] = places.x.round(6), places.y.round(6)
    sizes = [json.loads(text) if text else {} for text in findings["certificate"]]
    for key in ("area_m2", "households"):
        out[key] = pd.Series([size.get(key) for size in sizes], index=out.index, dtype="float64")
    return out
