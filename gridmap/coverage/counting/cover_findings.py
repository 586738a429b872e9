"""Findings of a cover: what a planner should know before trusting its rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.coverage.counting.services import is_counted, is_existing, is_public, rows_by_category
from gridmap.tables.findings import finding, findings_table, join_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.coverage.counting.reach import Nearest
    from gridmap.network.access import Access

__all__ = [
    "category_findings",
    "findings_of_cover",
    "join_rows",
    "snapping_findings",
    "table_findings",
    "unreachable_findings",
]


def findings_of_cover(cover: Cover) -> gpd.GeoDataFrame:
    """All findings of a cover: on its tables, its categories, and how everything got onto the streets."""
    homes, services = cover.buildings, cover.facilities
    found = [*table_findings(homes, services), *category_findings(services, is_counted(services), cover.thresholds)]
    if cover.network is None or cover.accesses is None:
        return join_rows(found, homes.crs)
    origins, targets = cover.accesses
    # in the order of their ids
    rows = rows_by_category(services, cover.counted, list(cover.thresholds))
    counted, metres = np.concatenate([*rows, np.empty(0, dtype=np.int64)]), cover.network.access_metres
    found += [
        *snapping_findings(services.iloc[counted], targets.take(counted), metres),
        *snapping_findings(homes, origins, metres),
        *unreachable_findings(homes, cover.nearest, cover.snapped, list(cover.thresholds)),
    ]
    return join_findings([join_rows(found, homes.crs), cover.network.findings], crs=homes.crs)


def table_findings(buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Counts that are estimates, and facilities that do not exist yet or are not for the public."""
    rows = []
    existing, public = is_existing(facilities), is_public(facilities)
    if "households_estimated" in buildings.columns:
        estimated = buildings["households_estimated"].fillna(value=False).astype(bool).to_numpy()
        if estimated.any():
            held = buildings["households"].to_numpy()[estimated].sum()
            rows.append(
                finding(
                    "info", "households_estimated",
                    f"The households of {estimated.sum()} of {len(buildings)} buildings ({held:,.0f} households) are "
                    "estimates; so are the rates that rest on them.",
                    cure="Replace the estimates with counts where there are any (attach_counts).",
                    certificate={"buildings": int(estimated.sum()), "households": float(held)},
                )
            )  # fmt: skip
    if not existing.all():
        rows.append(
            _about(
                facilities, ~existing, "info", "facilities_not_existing",
                "{n} facilities are planned or candidates; they cover nobody yet.",
                "Set their status to 'existing' to see what they would cover.",
            )
        )  # fmt: skip
    if not public[existing].all():
        rows.append(
            _about(
                facilities, existing & ~public, "info", "facilities_not_public",
                "{n} facilities are not open to the public; they cover nobody.",
                "Correct `public`, or see what opening them would bring (Cover.with_changes).",
            )
        )  # fmt: skip
    return rows


def category_findings(
    facilities: gpd.GeoDataFrame, existing: NDArray[np.bool_], thresholds: dict[str, float]
) -> list[dict[str, Any]]:
    """Categories asked for that nobody offers, and categories offered that nobody asked for."""
    offered = set(facilities.loc[existing, "category"])
    rows = [
        finding(
            "warning", "category_not_offered",
            f"No existing facility offers category {category!r}; nobody reaches it.",
            cure="Check the spelling of the category, or add its facilities.",
            status=category,
        )
        for category in thresholds
        if category not in offered
    ]  # fmt: skip
    ignored = sorted(offered - set(thresholds))
    if ignored:
        left = existing & facilities["category"].isin(ignored).to_numpy()
        rows.append(
            _about(
                facilities, left, "info", "category_not_asked",
                f"{{n}} facilities of {len(ignored)} categories without a threshold are not counted: "
                f"{', '.join(ignored)}.",
                "Give these categories a threshold to count them.",
            )
        )  # fmt: skip
    return rows


def snapping_findings(table: gpd.GeoDataFrame, access: Access, access_metres: float) -> list[dict[str, Any]]:
    """Buildings or facilities far from any street, without one, or on a piece of network apart from the main one.

    Parameters
    ----------
    table, access
        The rows concerned, and how each got onto the streets.
    access_metres
        Beyond this a street is far.
    """
    of_facilities = access.kind == "facility"
    what = "facilities" if of_facilities else "buildings"
    status, isolated = access.status, access.isolated
    cut_off = "only the same piece reaches them" if of_facilities else "they reach only what lies on the same piece"
    reports = (
        (
            status == "unsnapped", "error" if of_facilities else "warning", "unsnapped",
            f"{{n}} {what} find no street at all{{held}}.",
            "Check their place, the walls and barriers around them, and whether the streets there were read.",
        ),
        (
            status == "far", "warning" if of_facilities else "info", "far",
            f"{{n}} {what} are over {access_metres:g} m from any street they may use{{held}}; the nearest is used.",
            "Check their place, add the missing path, or raise access_metres.",
        ),
        (
            isolated, "warning", "isolated",
            f"{{n}} {what} stand on streets that do not join the main network{{held}}; {cut_off}.",
            "Join the streets there, or check the place.",
        ),
    )  # fmt: skip
    return [
        _about(table, rows, severity, f"{what}_{rule}", message, cure)
        for rows, severity, rule, message, cure in reports
        if rows.any()
    ]


def unreachable_findings(
    buildings: gpd.GeoDataFrame, found: Nearest, snapped: NDArray[np.bool_], categories: Sequence[str]
) -> list[dict[str, Any]]:
    """Buildings that no way leads from to any facility of a category that is offered."""
    missing = (found.facility[:, :, 0] < 0) & snapped[:, None]
    offered = (found.facility[:, :, 0] >= 0).any(axis=0)
    missing = missing[:, offered]
    if not missing.any():
        return []
    names = np.array(list(categories))[offered]
    return [
        _about(
            buildings, np.any(missing, axis=1), "warning", "buildings_unreachable",
            "From {n} buildings no way leads to some category that is offered{held}.",
            "Join their streets to the main network; see which categories in the certificate.",
            {str(c): int(m) for c, m in zip(names, missing.sum(axis=0), strict=True) if m},
        )
    ]  # fmt: skip


def join_rows(rows: list[dict[str, Any]], crs: object) -> gpd.GeoDataFrame:
    """The findings as a table, the most severe first."""
    order = {"error": 0, "warning": 1, "info": 2}
    return findings_table(sorted(rows, key=lambda row: order[row["severity"]]), crs=crs)


def _about(
    table: gpd.GeoDataFrame,
    rows: NDArray[np.bool_],
    severity: str,
    rule: str,
    message: str,
    cure: str,
    certificate: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A finding on rows of a table; ``{n}`` and ``{held}`` in the message become their number and households."""
    held = ""
    if "households" in table.columns:
        households = float(table["households"].to_numpy(dtype=np.float64, na_value=0.0)[rows].sum())
        held = f" ({households:,.0f} households)"
        certificate = {"households": households, **(certificate or {})}
    ids = table["building_id" if "building_id" in table.columns else "facility_id"]
    return finding(
        severity, rule, message.replace("{n}", f"{rows.sum():,}").replace("{held}", held),
        cure=cure,
        ids=ids[rows],
        certificate=certificate,
        geometry=shapely.multipoints(shapely.point_on_surface(np.asarray(table.geometry.array)[rows])),
    )  # fmt: skip
