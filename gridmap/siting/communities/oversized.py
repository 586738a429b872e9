"""Oversized communities: which they are, how badly they fit, and what they could be divided into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.coverage.counting.units import find_units
from gridmap.division.divide import divide
from gridmap.errors import GridmapError, OptionError
from gridmap.siting.communities.mismatch import check_communities, mismatch
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.crs import to_metric
from gridmap.tables.findings import AttachedFindings, finding, findings_table, join_findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gridmap.division.plans.plan import GridPlan

__all__ = ["oversized_communities", "propose_communities"]

# What a division says about its grids in words of its own is told here of the communities.
_TOLD_HERE = ("band", "household_band", "community_code")
_CARRIED = ("kind", "subdistrict", "district", "city")
_FIRST = ("community_id", "name", *_CARRIED, "code", "previous_id", "proposed", "households", "status")


def oversized_communities(
    communities: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, *, households: float = 4000, **options: Any
) -> gpd.GeoDataFrame:
    """The communities of a number of households or more, the worst fit first.

    Parameters
    ----------
    communities, buildings
        As for `gridmap.mismatch`.
    households
        From how many on a community is oversized; 4,000 is common practice, not a national standard. It is also the
        `limit` of the index.
    **options
        Of the index: cover, centres, workers, radius, per_worker, weights; see `gridmap.mismatch`.

    Returns
    -------
    GeoDataFrame
        Rows of `gridmap.mismatch` in order of the index, with their rank. ``attrs["findings"]`` has one finding each.

    Raises
    ------
    OptionError, TableError
        As `gridmap.mismatch`.
    """
    if "limit" in options:
        raise OptionError("limit= is the number of households from which a community is oversized; give households=.")
    table = mismatch(communities, buildings, limit=households, **options)
    worst = table[table["households"] >= households].sort_values(
        ["index", "households", "community_id"], ascending=[False, False, True], ignore_index=True
    )
    worst.insert(0, "rank", np.arange(1, len(worst) + 1))
    told = [
        finding(
            "warning", "community_oversized",
            f"Community {row.community_id} has {row.households:,.0f} households, {households:,.0f} or more.",
            cure="Divide it: gridmap.propose_communities shows how.",
            ids=[row.community_id], certificate={"total": row.households, "index": round(row.index_, 4)},
            geometry=row.geometry,
        )
        for row in worst.rename(columns={"index": "index_"}).itertuples()
    ]  # fmt: skip
    found = join_findings([findings_table(told, crs=table.crs), table.attrs["findings"]], crs=table.crs)
    worst.attrs = table.attrs | {"findings": AttachedFindings(found)}
    return worst


def propose_communities(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: Any = None,
    *,
    households: float = 4000,
    which: Iterable[str] | None = None,
    lower: float = 1500,
    upper: float | None = None,
    **options: Any,
) -> gpd.GeoDataFrame:
    """All communities as they would be with the oversized ones divided along streets; a proposal, not a decision.

    Parameters
    ----------
    communities, buildings, streets
        As for `gridmap.divide`.
    households
        From how many on a community is divided.
    which
        Ids of the communities to divide in place of all that are oversized.
    lower, upper
        Households of a proposed community, both ends included; by default up to just below `households`.
    **options
        Of `gridmap.divide`: compounds, barriers, units, together, apart, split_large, effort, seed, executor.

    Returns
    -------
    GeoDataFrame
        One row a community, in the order given, those proposed in place of the one they come from, in the CRS of
        `communities`: community_id (that of the former with -1, -2 ...), name, kind, subdistrict, district and city of
        the former, code (empty where proposed: a new one is to be issued), previous_id, proposed, households (counted
        from the buildings), status (kept; legal, above or below the band), what else is known of those kept, area_m2.
        It can be given to `gridmap.divide` as it is. ``attrs["findings"]`` says what was divided and why one is
        outside the band, with its certificate.

    Raises
    ------
    OptionError
        When an option cannot work, or `which` names no community.
    TableError
        When a table breaks its contract.
    """
    table = check_communities(communities)
    homes = check_table(buildings, "buildings", needs=("households",))
    sizes = mismatch(table, homes, limit=households)
    size = sizes.set_index("community_id")["households"]
    chosen = _chosen(table, size, households, which)
    upper = households - 1 if upper is None else upper
    if not 0 < lower <= upper:
        raise OptionError(f"lower={lower!r} and upper={upper!r} are no band; 0 < lower <= upper.")
    kept = _kept(table[~chosen], size)
    if not chosen.any():
        return _joined([kept], table, sizes.attrs["findings"])
    former = table[chosen].reset_index(drop=True)
    inside = _inside(table, homes, set(former["community_id"]))
    plan = divide(
        former, homes[inside], streets, lower=lower, upper=upper, **_only(options, set(homes["building_id"][~inside]))
    )
    proposed = _proposed(plan, former)
    if not np.isclose(proposed["households"].sum(), size[former["community_id"]].sum()):
        raise GridmapError(
            f"internal: proposed communities hold {proposed['households'].sum()} of "
            f"{size[former['community_id']].sum()} households; please report this"
        )
    found = join_findings([_findings(plan, proposed, size, lower, upper), sizes.attrs["findings"]], crs=table.crs)
    return _joined([kept, proposed], table, found)


def _chosen(table: gpd.GeoDataFrame, size: pd.Series, households: float, which: Iterable[str] | None) -> pd.Series:
    if which is None:
        return table["community_id"].map(size) >= households
    ids = clean_ids(pd.Series([which] if isinstance(which, str) else list(which), dtype=object))
    unknown = sorted(set(ids) - set(table["community_id"]))
    if unknown:
        raise OptionError(f"which: there is no community {', '.join(map(repr, unknown))}.")
    return table["community_id"].isin(ids)


def _inside(table: gpd.GeoDataFrame, homes: gpd.GeoDataFrame, chosen: set[str]) -> NDArray[np.bool_]:
    """Which buildings lie in one of the communities chosen."""
    units = find_units(table[["community_id", "geometry"]], homes, homes.iloc[:0])
    inside = np.zeros(len(homes), dtype=bool)
    inside[units.building] = np.isin(np.array(units.ids, dtype=object)[units.unit], list(chosen))
    return inside


def _only(options: dict[str, Any], elsewhere: set[str]) -> dict[str, Any]:
    """The options of a division without buildings of the communities that stay."""
    out = dict(options)
    if out.get("units") is not None:
        out["units"] = out["units"][~clean_ids(out["units"]["building_id"]).isin(elsewhere)]
    for name in ("together", "apart"):
        if out.get(name) is not None:
            groups = [[building for building in group if str(building) not in elsewhere] for group in out[name]]
            out[name] = [group for group in groups if len(group) > 1]
    return out


def _kept(table: gpd.GeoDataFrame, size: pd.Series) -> gpd.GeoDataFrame:
    return table.assign(
        previous_id=table["community_id"],
        proposed=False,
        households=table["community_id"].map(size),
        status="kept",
    )


def _proposed(plan: GridPlan, former: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The grids of a division as communities."""
    grids = plan.grids.sort_values(["community_id", "grid_id"], ignore_index=True)
    number = (grids.groupby("community_id").cumcount() + 1).astype(str)
    alone = grids.groupby("community_id")["grid_id"].transform("size") == 1
    suffix = ("-" + number).where(~alone, "")
    out = gpd.GeoDataFrame(
        {
            "community_id": grids["community_id"] + suffix,
            "previous_id": grids["community_id"],
            "grid_id": grids["grid_id"],
            "proposed": ~alone,
            "households": grids["households"].astype("float64"),
            "status": grids["status"].astype(str),
        },
        geometry=grids.geometry.to_numpy(),
        crs=grids.crs,
    )
    known = former.set_index("community_id")
    for column in _CARRIED:
        if column in known.columns:
            out[column] = out["previous_id"].map(known[column])
    if "name" in known.columns:
        name = out["previous_id"].map(known["name"])
        out["name"] = (name.astype(str) + suffix).where(name.notna(), None)
    if "code" in known.columns:
        out["code"] = out["previous_id"].map(known["code"].astype(object))
        out.loc[~alone, "code"] = None
    return out


def _joined(parts: list[gpd.GeoDataFrame], table: gpd.GeoDataFrame, findings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    wanted = dict.fromkeys((*_FIRST, *table.columns.drop(["geometry", "area_m2"], errors="ignore")))
    columns = [c for c in wanted if any(c in part.columns for part in parts)]
    rows = [part.reindex(columns=[*columns, "geometry"]) for part in parts if len(part)]
    out = gpd.GeoDataFrame(pd.concat(rows, ignore_index=True), geometry="geometry", crs=table.crs)
    place = {community: k for k, community in enumerate(table["community_id"])}
    order = out["previous_id"].map(place).sort_values(kind="stable").index
    out = out.loc[order].reset_index(drop=True)
    out.insert(len(out.columns) - 1, "area_m2", to_metric(out).area.round(1))
    out.attrs["findings"] = AttachedFindings(findings)
    return out


def _findings(
    plan: GridPlan, proposed: gpd.GeoDataFrame, size: pd.Series, lower: float, upper: float
) -> gpd.GeoDataFrame:
    name_of = dict(zip(proposed["grid_id"], proposed["community_id"], strict=True))
    told = []
    for former, own in proposed.groupby("previous_id", sort=True):
        split = ", ".join(f"{h:,.0f}" for h in own["households"])
        whole = f"Community {former} of {size[former]:,.0f} households"
        if len(own) == 1:
            told.append(
                finding("warning", "community_undivided", f"{whole} stays whole; no division was found.", ids=[former])
            )
            continue
        told.append(
            finding(
                "info", "community_divided", f"{whole} is proposed as {len(own)} of {split}.",
                ids=[former, *own["community_id"]],
                certificate={"total": float(size[former]), "parts": len(own)},
            )
        )  # fmt: skip
    said = plan.findings[plan.findings["rule"].isin(_TOLD_HERE)]
    why = {str(ids[0]): (text, cure) for ids, text, cure in said[["ids", "certificate", "cure"]].to_numpy() if ids}
    for row in proposed[proposed["status"].isin(("above", "below"))].itertuples():
        text, cure = why.get(row.grid_id, ("", ""))
        entry = finding(
            "warning", "community_out_of_band",
            f"Community {row.community_id} would have {row.households:,.0f} households, {row.status} "
            f"{upper if row.status == 'above' else lower:,.0f}.",
            cure=_renamed(cure, name_of), status=row.status, ids=[row.community_id], geometry=row.geometry,
        )  # fmt: skip
        told.append(entry | {"certificate": text})
    rest = plan.findings[~plan.findings["rule"].isin(_TOLD_HERE)].to_dict("records")
    told += [
        row
        | {
            "message": _renamed(row["message"], name_of),
            "cure": _renamed(row["cure"], name_of),
            "ids": [name_of.get(i, i) for i in row["ids"]],
        }
        for row in rest
    ]
    return findings_table(told, crs=plan.grids.crs)


def _renamed(text: str, name_of: dict[str, str]) -> str:
    for grid, community in name_of.items():
        text = text.replace(grid, community)
    return text
