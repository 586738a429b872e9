"""What an estimate could not place, or placed by less than floor area, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.tables.findings import AttachedFindings, finding, findings_table, join_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

__all__ = ["estimate_findings"]

_SHOWN_PAIRS = 3


def estimate_findings(estimated: gpd.GeoDataFrame) -> AttachedFindings:
    """Findings on ``attrs["assumptions"]`` of an estimate, below those that its buildings already had."""
    told = estimated.attrs["assumptions"]
    zones = told.get("zones", {})
    found = [_overlaps(zones["overlapping"])] if zones and zones["overlapping"]["pairs"] else []
    found += _about(
        zones.get("without_floor_area"),
        "warning",
        "zone_without_homes",
        "zones hold no building that anyone lives in: {households:,.0f} households of theirs are in no building.",
        "Add the buildings of these zones, or correct the uses or outlines.",
    )
    found += _about(
        zones.get("known_above_total"),
        "warning",
        "zone_known_above_total",
        "zones have buildings whose known households are {households:,.0f} more than the total of the zone.",
        "Correct the total, or the households known.",
    )
    found += _about(
        zones.get("without_total"),
        "info",
        "zone_without_total",
        "zones have no total; their buildings keep the estimate from floor area.",
        "Give the households of these zones.",
    )
    found += _about(
        zones.get("alike"),
        "info",
        "zone_shared_alike",
        "zones have no building of known size: their {households:,.0f} households go to all buildings alike.",
        "Give outlines, dwellings or floors of their buildings.",
    )
    found += _about(
        zones.get("buildings_in_no_zone"),
        "warning",
        "building_in_no_zone",
        "buildings lie in no zone and keep the estimate from floor area.",
        "Extend the zones to them, or leave these buildings out.",
    )
    found += _about(
        told["unknown_points"],
        "warning",
        "point_of_unknown_size",
        "points have neither dwellings nor floors: they were given 0 households.",
        "Give their dwellings, floors or outlines, or the totals of zones.",
    )
    table = findings_table(found, crs=estimated.crs)
    before = estimated.attrs.get("findings")
    return AttachedFindings(table if before is None else join_findings([before, table], crs=estimated.crs))


def _about(group: Mapping[str, Any] | None, severity: str, rule: str, words: str, cure: str) -> list[dict[str, Any]]:
    """One finding on a group that is not empty; `words` follow how many there are."""
    if group is None or not group["count"]:
        return []
    sizes = {key: group[key] for key in ("households",) if key in group}
    message = f"{group['count']:,} {words.format(**sizes)}"
    return [finding(severity, rule, message, cure=cure, ids=group["ids"], certificate=sizes)]


def _overlaps(group: dict[str, Any]) -> dict[str, Any]:
    pairs = group["pairs"]
    zones = list(dict.fromkeys(name for a, b, _ in pairs for name in (a, b)))
    named = "; ".join(f"{a} and {b} by {area:,.0f} m²" for a, b, area in pairs[:_SHOWN_PAIRS])
    more = f"; and {len(pairs) - _SHOWN_PAIRS:,} more pairs" if len(pairs) > _SHOWN_PAIRS else ""
    lost = f" {group['households']:,.0f} households are in no building." if group["households"] else ""
    message = f"{len(zones):,} zones overlap: {named}{more}. What stands there is in several of them.{lost}"
    cure = "Keep one of zones drawn twice; correct the borders of the others."
    sizes = {"pairs": pairs[:20], **({"households": group["households"]} if group["households"] else {})}
    return finding("error", "zones_overlap", message, cure=cure, ids=zones, certificate=sizes)
