"""Chosen sites: a plan of sites as what the map draws: facilities that are chosen, and who is newly covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.maps.facts import RATE_DIGITS, listed
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.maps.sheet import Sheet

__all__ = ["NEWLY", "newly_covered", "sites_payload", "with_sites"]

#: Name of the layer of the buildings that the sites cover and nobody did.
NEWLY: Mapping[str, str] = {"en": "Newly covered buildings", "zh": "新增覆盖建筑"}


def with_sites(facilities: gpd.GeoDataFrame | None, sites: Any) -> gpd.GeoDataFrame:
    """The facilities with the chosen sites among them, their status, ``site_rank`` and ``site_gain``.

    A site that is in the table with its category, as a candidate or because the cover is that of afterwards, is marked
    there; any other is put below.

    Parameters
    ----------
    facilities
        Those of the map, or None.
    sites
        A plan of sites.
    """
    chosen = sites.facilities.assign(status="chosen")
    told = sites.sites.drop_duplicates("facility_id").set_index("facility_id")
    place = _places(chosen)
    chosen["site_rank"] = told["rank"].reindex(place).to_numpy(dtype=np.float64)
    chosen["site_gain"] = told["gain"].reindex(place).to_numpy(dtype=np.float64)
    if facilities is None:
        return chosen
    table = facilities.reset_index(drop=True)
    known = pd.MultiIndex.from_arrays([table["facility_id"].astype(str), table["category"].astype(str)])
    row = known.get_indexer(pd.MultiIndex.from_arrays([chosen["facility_id"], chosen["category"]]))
    for column in ("site_rank", "site_gain"):
        table[column] = np.nan
        table.loc[row[row >= 0], column] = chosen.loc[row >= 0, column].to_numpy()
    status = table["status"].astype(object) if "status" in table.columns else pd.Series("existing", index=table.index)
    table["status"] = status.where(~table.index.isin(row[row >= 0]), "chosen")
    new = to_crs(chosen[row < 0], table.crs)
    if not len(new):
        return table
    taken = new["facility_id"].isin(table["facility_id"])
    new = new.assign(facility_id=new["facility_id"].where(~taken, new["facility_id"] + " (new)"))
    if new.geometry.name != table.geometry.name:
        new = new.rename_geometry(table.geometry.name)
    joined = pd.concat((table.dropna(axis=1, how="all"), new.dropna(axis=1, how="all")), ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry=table.geometry.name, crs=table.crs)


def _places(chosen: gpd.GeoDataFrame) -> list[str]:
    """Ids of the places of chosen sites; of several categories what stands before the category."""
    return [i.removesuffix(f"/{c}") for i, c in zip(chosen["facility_id"], chosen["category"], strict=True)]


def newly_covered(sites: Any) -> gpd.GeoDataFrame:
    """The buildings that are covered in some category and were not."""
    homes = sites.buildings
    new = homes[homes["building_id"].isin(sites.newly_covered["building_id"])]
    return gpd.GeoDataFrame(geometry=new.geometry.array, crs=new.crs)


def sites_payload(sheet: Sheet) -> dict[str, Any]:
    """The chosen sites by rank, as rows of the facilities, and the coverage before and after; nothing without sites."""
    sites = sheet.content.sites
    if sites is None:
        return {}
    ranked = sheet.content.tables["facilities"].reset_index(drop=True)
    ranked = ranked[ranked["site_rank"].notna()].sort_values("site_rank", kind="stable")
    # a site of several categories is one line
    ranked = ranked.drop_duplicates("site_rank")
    rates = sites.rates
    payload = {
        "row": ranked.index.tolist(),
        "place": _places(ranked),
        "rank": ranked["site_rank"].astype(int).tolist(),
        "gain": listed(ranked["site_gain"], 1),
        "category": pd.Index(sheet.categories).get_indexer(pd.Index(rates["category"].astype(str))).tolist(),
        **{name: listed(rates[name], RATE_DIGITS) for name in ("rate_before", "rate_after", "rate_reachable")},
        "proved": bool(sites.summary["proved"]),
        "gap": float(sites.summary["gap"]),
        "unit": "covered" if sites.siting.question.covers else "saved",
    }
    return {"sites": payload}
