"""The mismatch index: how badly the size and shape of a community fit its households, its workers and its services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.counting.units import find_units
from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.crs import to_crs, to_metric
from gridmap.tables.findings import AttachedFindings, finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.coverage.counting.units import Units

    Floats = NDArray[np.float64]

__all__ = ["FORMULA", "check_communities", "mismatch"]

#: What the columns of `mismatch` are made of.
FORMULA = (
    "index = (w_load load_part + w_manageability manageability_part + w_outside outside_part) / sum of the weights of "
    "the parts that are known; load_part = max(0, 1 - limit / households); manageability_part = mean of the known "
    "among shape_part = 1 - compactness, distance_part = distance_m / (distance_m + radius), worker_part = max(0, 1 - "
    "per_worker / households_per_worker); outside_part = outside"
)
_PARTS = ("load", "manageability", "outside")


def mismatch(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    limit: float = 4000,
    cover: Cover | None = None,
    centres: gpd.GeoDataFrame | None = None,
    workers: pd.Series | str | None = None,
    radius: float = 500,
    per_worker: float = 500,
    weights: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """How little each community fits its households, ease of management and services: the mismatch index.

    The index runs from 0 (nothing speaks against the community) towards 1. It is a convention of this library and of
    no standard, so every part of it is a column of its own, and `weights` are arguments.

    Parameters
    ----------
    communities
        Polygons with ``community_id``.
    buildings
        Points or polygons with ``building_id`` and ``households``; each counts where its point on surface lies.
    limit
        Households from which a community is loaded beyond what is meant.
    cover
        Who reaches what (`gridmap.cover`); without it the share outside is not known.
    centres
        Points with ``community_id``: where each community is run from. Without one for a community, the mean place of
        its households stands for it.
    workers
        Grid workers by community: a column of `communities`, or a Series by community id.
    radius
        Mean distance in metres from the centre at which `distance_part` is one half. Secondary sources
        give 500 m as the walking distance of the ten-minute tier of GB 50180-2018 (table 3.0.4; not verified).
    per_worker
        Households up to which a worker's load counts as 0: the upper end of the band of a grid.
    weights
        Of ``load``, ``manageability`` and ``outside``; what is left out weighs 1.

    Returns
    -------
    GeoDataFrame
        One row a community in the order given: community_id, name (where there is one), households, compactness
        (Polsby-Popper, 4 pi area / outline²), distance_m (mean distance of households from the centre in a straight
        line), workers, households_per_worker, outside (share of households beyond the limits of the cover, mean of its
        categories), load_part, shape_part, distance_part, worker_part, manageability_part, outside_part, index,
        geometry. What is not known is NaN, and its weight goes to the other parts. ``attrs["formula"]`` says how the
        index is made; ``attrs["findings"]`` counts buildings in no community.

    Raises
    ------
    OptionError
        When an option cannot work.
    TableError
        When a table breaks its contract.
    """
    share = _weights(weights)
    for name, value in (("limit", limit), ("radius", radius), ("per_worker", per_worker)):
        if not (np.isfinite(value) and value > 0):
            raise OptionError(f"{name}={value!r} must be a number above 0.")
    table = check_communities(communities)
    homes = check_table(buildings, "buildings", needs=("households",))
    units = find_units(table[["community_id", "geometry"]], homes, homes.iloc[:0])
    row = pd.Index(units.ids).get_indexer(pd.Index(table["community_id"]))
    households = units.total(homes["households"].to_numpy(dtype=np.float64))[row]
    metric = to_metric(table)
    out = table[[c for c in ("community_id", "name", "geometry") if c in table.columns]].copy()
    out["households"] = households
    out["compactness"] = 4 * np.pi * metric.area / metric.length**2
    out["distance_m"] = _distance(metric, homes, units, row, centres)
    out["workers"] = _workers(workers, table)
    out["households_per_worker"] = out["households"] / out["workers"].where(out["workers"] > 0)
    out["outside"] = _outside(cover, table)
    out["load_part"] = np.maximum(0, 1 - limit / out["households"].where(households > 0)).fillna(0.0)
    out["shape_part"] = 1 - out["compactness"]
    out["distance_part"] = out["distance_m"] / (out["distance_m"] + radius)
    out["worker_part"] = (1 - per_worker / out["households_per_worker"]).clip(lower=0)
    out["manageability_part"] = out[["shape_part", "distance_part", "worker_part"]].mean(axis=1)
    out["outside_part"] = out["outside"]
    parts = out[[f"{name}_part" for name in _PARTS]].to_numpy(dtype=np.float64)
    known = ~np.isnan(parts) * np.array([share[name] for name in _PARTS])
    with np.errstate(invalid="ignore"):
        out["index"] = (np.nan_to_num(parts) * known).sum(axis=1) / known.sum(axis=1)
    out = out[[*(c for c in out.columns if c != "geometry"), "geometry"]]
    out.attrs["formula"] = FORMULA
    out.attrs["weights"] = share
    out.attrs["findings"] = AttachedFindings(_findings(homes, units, table.crs))
    return out


def check_communities(communities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The communities, checked, with their geometry in a column of that name."""
    table = check_table(communities, "communities")
    return table if table.geometry.name == "geometry" else table.rename_geometry("geometry")


def _weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    given = dict(weights or {})
    unknown = sorted(set(given) - set(_PARTS))
    if unknown:
        raise OptionError(f"weights: {', '.join(unknown)} is no part of the index; there are {', '.join(_PARTS)}.")
    share = {name: float(given.get(name, 1.0)) for name in _PARTS}
    if not all(np.isfinite(w) and w >= 0 for w in share.values()) or not any(share.values()):
        raise OptionError(f"weights={given!r} must be numbers of 0 or more, one of them above 0.")
    return share


def _distance(
    metric: gpd.GeoDataFrame,
    homes: gpd.GeoDataFrame,
    units: Units,
    row: NDArray[np.integer],
    centres: gpd.GeoDataFrame | None,
) -> Floats:
    """Mean distance of the households of each community from its centre, in metres."""
    xy = shapely.get_coordinates(shapely.point_on_surface(to_crs(homes, metric.crs).geometry.array))[units.building]
    count = homes["households"].to_numpy(dtype=np.float64)[units.building] * units.share
    total = np.bincount(units.unit, weights=count, minlength=len(units.ids))
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.stack(
            [np.bincount(units.unit, weights=count * xy[:, k], minlength=len(total)) / total for k in (0, 1)], axis=1
        )
        if centres is not None:
            if "community_id" not in centres.columns:
                raise OptionError("centres need a column community_id that says which community each belongs to.")
            at = pd.Index(units.ids).get_indexer(pd.Index(clean_ids(centres["community_id"])))
            places = shapely.get_coordinates(shapely.centroid(to_crs(centres, metric.crs).geometry.array))
            middle[at[at >= 0]] = places[at >= 0]
        far = np.hypot(*(xy - middle[units.unit]).T)
        mean: Floats = np.bincount(units.unit, weights=far * count, minlength=len(total)) / total
    return mean[row]


def _workers(workers: pd.Series | str | None, table: gpd.GeoDataFrame) -> pd.Series:
    if workers is None:
        return pd.Series(np.nan, index=table.index)
    if isinstance(workers, str):
        if workers not in table.columns:
            raise OptionError(f"workers={workers!r} is no column of communities.")
        return pd.to_numeric(table[workers], errors="coerce").astype("float64")
    by_id = pd.Series(workers.to_numpy(dtype=np.float64), index=clean_ids(pd.Series(workers.index)).to_numpy())
    return table["community_id"].map(by_id).astype("float64")


def _outside(cover: Cover | None, table: gpd.GeoDataFrame) -> pd.Series:
    """Share of households beyond the limits, mean of the categories."""
    if cover is None:
        return pd.Series(np.nan, index=table.index)
    rate = cover.rate(by=table[["community_id", "geometry"]]).groupby("unit_id")["rate"].mean()
    return 1 - table["community_id"].map(rate).astype("float64")


def _findings(homes: gpd.GeoDataFrame, units: Units, crs: object) -> gpd.GeoDataFrame:
    outside: list[dict[str, Any]] = []
    if len(units.outside):
        ids = homes["building_id"].iloc[units.outside].tolist()
        lost = homes["households"].iloc[units.outside].sum()
        outside.append(
            finding(
                "warning", "building_outside",
                f"{len(ids)} buildings with {lost:,.0f} households lie in no community.",
                cure="Add the community they belong to, or leave them out.", ids=ids,
            )
        )  # fmt: skip
    return findings_table(outside, crs=crs)
