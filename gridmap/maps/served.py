"""Served: which facility is nearest to most of a grid, how far it is, and whom each facility serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.maps.facts import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["facilities_of_units", "served_by_facility"]


def facilities_of_units(
    cover: Cover, assignment: pd.DataFrame, units: Sequence[str], facilities: Sequence[str], categories: Sequence[str]
) -> dict[str, list[Any]]:
    """By category and unit: the facility nearest to most households, and the mean way to the nearest one.

    Parameters
    ----------
    cover
        Who reaches what; the mean is over households that reach any, in the measure of the cover.
    assignment
        Columns building_id, grid_id, households.
    units
        Ids of the units, in the order of the page.
    facilities
        Ids of the facilities, in the order of the page.
    categories
        Categories in the order of the page.

    Returns
    -------
    dict
        ``nearest``: row of the facility plus one, 0 for none; ``distance``: the mean, None for none.
    """
    row = pd.Index(cover.buildings["building_id"].astype(str)).get_indexer(
        pd.Index(assignment["building_id"].astype(str))
    )
    unit = pd.Index(units).get_indexer(pd.Index(assignment["grid_id"].astype(str)))
    weight = pd.to_numeric(assignment["households"], errors="coerce").fillna(0).to_numpy(dtype=float)
    known = (row >= 0) & (unit >= 0) & (weight > 0)
    row, unit, weight = row[known], unit[known], weight[known]
    cost = cover.nearest.cost(cover.measure)[:, :, 0]
    shown = _shown(cover, facilities)
    names, nearest, distance = list(cover.thresholds), [], []
    for category in categories:
        if category not in names:
            nearest.append([0] * len(units))
            distance.append([None] * len(units))
            continue
        k = names.index(category)
        facility = cover.nearest.facility[row, k, 0]
        there = facility >= 0
        most = _heaviest(unit[there], facility[there], weight[there], len(units))
        total = np.bincount(unit[there], weights=weight[there], minlength=len(units))
        way = np.bincount(unit[there], weights=(weight * np.where(there, cost[row, k], 0))[there], minlength=len(units))
        mean = np.divide(way, total, out=np.full(len(units), np.nan), where=total > 0)
        nearest.append(shown[most].tolist())
        distance.append(listed(mean, 1))
    return {"nearest": nearest, "distance": distance}


def served_by_facility(cover: Cover, facilities: Sequence[str]) -> dict[str, list[Any]]:
    """Buildings and households that have each facility as the nearest of its category, and those of them within reach.

    Parameters
    ----------
    cover
        Who reaches what.
    facilities
        Ids of the facilities, in the order of the page; None for those that were not counted.
    """
    households = pd.to_numeric(cover.buildings["households"], errors="coerce").fillna(0).to_numpy(dtype=float)
    count = len(cover.facilities)
    sums = {name: np.zeros(count) for name in ("near", "near_households", "served", "served_households")}
    for k in range(len(cover.thresholds)):
        facility, within = cover.nearest.facility[:, k, 0], cover.covered[:, k]
        lived = (facility >= 0) & (households > 0)
        for name, rows in (("near", lived), ("served", lived & within)):
            sums[name] += np.bincount(facility[rows], minlength=count)
            sums[f"{name}_households"] += np.bincount(facility[rows], weights=households[rows], minlength=count)
    row = pd.Index(cover.facilities["facility_id"].astype(str)).get_indexer(pd.Index(facilities))
    known = (row >= 0) & cover.counted[row]
    return {name: listed(np.where(known, values[row], np.nan), 2) for name, values in sums.items()}


def _shown(cover: Cover, facilities: Sequence[str]) -> NDArray[np.int64]:
    """Row on the page plus one of each facility of the cover; the last entry is what -1 finds."""
    return np.append(pd.Index(facilities).get_indexer(pd.Index(cover.facilities["facility_id"].astype(str))) + 1, 0)


def _heaviest(
    group: NDArray[np.int64], item: NDArray[np.integer], weight: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """The item of most weight in each group, of equal ones the lower; -1 for none."""
    size = int(item.max(initial=0)) + 1
    key, at = np.unique(group * size + item, return_inverse=True)
    total = np.bincount(at, weights=weight, minlength=len(key))
    order = np.lexsort((key, -total, key // size))
    own = key[order] // size
    first = np.ones(len(order), dtype=bool)
    first[1:] = own[1:] != own[:-1]
    out = np.full(count, -1)
    out[own[first]] = (key % size)[order][first]
    return out
