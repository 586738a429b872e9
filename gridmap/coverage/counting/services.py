"""Services: which facilities count, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.network.profiles import flag

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["is_counted", "is_existing", "is_planned", "is_public", "rows_by_category"]


def is_counted(facilities: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which facilities serve the public today: those that exist and of which `public` does not say no."""
    return is_existing(facilities) & is_public(facilities)


def is_public(facilities: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which facilities are open to the public: all but those whose `public` says no, as of institutions for their own.

    An empty cell says nothing, and counts as open.
    """
    return flag(facilities, "public", absent=True)


def is_existing(facilities: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which facilities stand today: all but those whose status is planned or candidate."""
    return ~_has_status(facilities, "planned", "candidate")


def is_planned(facilities: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which facilities are planned: they do not stand yet, and are more than candidates."""
    return _has_status(facilities, "planned")


def _has_status(facilities: gpd.GeoDataFrame, *wanted: str) -> NDArray[np.bool_]:
    if "status" not in facilities.columns:
        return np.zeros(len(facilities), dtype=bool)
    status = facilities["status"].astype(object).fillna("").astype(str).str.strip().str.lower()
    return np.asarray(status.isin(wanted), dtype=bool)


def rows_by_category(
    facilities: gpd.GeoDataFrame, counted: NDArray[np.bool_], categories: list[str]
) -> list[NDArray[np.int64]]:
    """Rows of the counted facilities of each category in order of their ids, so that ties do not hang on row order."""
    order = np.argsort(facilities["facility_id"].to_numpy(dtype=str), kind="stable")
    order = order[counted[order]]
    of = facilities["category"].to_numpy(dtype=object)[order]
    return [order[of == category] for category in categories]
