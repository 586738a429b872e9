"""Served: which facility is nearest to most of a grid, how far it is, and whom each facility serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.counting.medians import weighted_medians
from gridmap.maps.facts import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["NearestOfUnits", "facilities_of_units", "nearest_of_units", "served_by_facility"]


class NearestOfUnits(NamedTuple):
    """What is nearest to units, by unit and category of a cover, shape (units, categories).

    `facility` is the row in the cover's facilities of that which is nearest to most households, -1 for none; `distance`
    is what half of the households have to go at most, in the measure of the cover, NaN where more than half have no
    way.
    """

    facility: NDArray[np.int64]
    distance: NDArray[np.float64]


def nearest_of_units(cover: Cover, assignment: pd.DataFrame, units: Sequence[str]) -> NearestOfUnits:
    """The facility nearest to most households of each unit, and the median way to the nearest one, over households.

    Parameters
    ----------
    cover
        Who reaches what.
    assignment
        Columns building_id, grid_id, households.
    units
        Ids of the units, in order.
    """
    row = pd.Index(cover.buildings["building_id"].astype(str)).get_indexer(
        pd.Index(assignment["building_id"].astype(str))
    )
    unit = pd.Index(units).get_indexer(pd.Index(assignment["grid_id"].astype(str)))
    weight = pd.to_numeric(assignment["households"], errors="coerce").fillna(0).to_numpy(dtype=float)
    known = (row >= 0) & (unit >= 0) & (weight > 0)
    row, unit, weight = row[known], unit[known], weight[known]
    shape = (len(units), len(cover.thresholds))
    facility, distance, far = np.full(shape, -1), np.full(shape, np.nan), cover.distance
    for k in range(shape[1]):
        distance[:, k] = weighted_medians(unit, far[row, k], weight, len(units))
        own = cover.nearest.facility[row, k, 0]
        there = own >= 0
        facility[:, k] = _heaviest(unit[there], own[there], weight[there], len(units))
    return NearestOfUnits(facility, distance)


def facilities_of_units(
    cover: Cover, assignment: pd.DataFrame, units: Sequence[str], facilities: Sequence[str], categories: Sequence[str]
) -> dict[str, list[Any]]:
    """What `nearest_of_units` finds, by category and unit of the page.

    Parameters
    ----------
    cover, assignment
        See `nearest_of_units`.
    units, facilities, categories
        Ids of the units and of the facilities, and categories, in the order of the page.

    Returns
    -------
    dict
        ``nearest``: row of the facility plus one, 0 for none; ``distance``: the median, None for none.
    """
    found, shown = nearest_of_units(cover, assignment, units), _shown(cover, facilities)
    names, none = list(cover.thresholds), len(cover.thresholds)
    column = [names.index(category) if category in names else none for category in categories]
    # the last column is that of categories that were not counted
    nearest = np.column_stack((shown[found.facility], np.zeros(len(units), dtype=np.int64)))
    distance = np.column_stack((found.distance, np.full(len(units), np.nan)))
    return {
        "nearest": [nearest[:, k].tolist() for k in column],
        "distance": [listed(distance[:, k], 1) for k in column],
    }


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
