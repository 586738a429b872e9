"""Demand: what the homes still want of each category, and which sites would give it, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.siting.sites.ground import reach_within
from gridmap.siting.solve.pairs import Pairs, make_pairs, pairs_by_demand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.sites.candidates import Candidates
    from gridmap.siting.sites.ground import Ground
    from gridmap.siting.sites.question import Question

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Demand", "find_demand"]


@dataclass(frozen=True)
class Demand:
    """One demand a building and category; those of weight 0 are left out.

    Attributes
    ----------
    building, category
        Rows of each demand.
    weight
        How much it counts.
    base
        Cost to the nearest existing facility of the category; inf where there is none.
    pairs
        Which sites are within the limit of which demand.
    """

    building: Longs
    category: Longs
    weight: Floats
    base: Floats
    pairs: Pairs


def find_demand(
    question: Question,
    ground: Ground,
    candidates: Candidates,
    weight: Floats,
    base: Floats,
    *,
    wanting: NDArray[np.bool_],
    executor: Any = None,
) -> Demand:
    """The demand of the buildings that want something, and who could meet it.

    Parameters
    ----------
    question
        Categories, measure and limits.
    ground, candidates
        Who is where.
    weight
        Of each building.
    base
        Cost to the nearest existing facility, shape (buildings, categories).
    wanting
        Which buildings are to be asked for which category, of the same shape.
    executor
        Anything with a `map`.
    """
    rows = np.flatnonzero(wanting.any(axis=1) & (weight > 0))
    limits = question.reach
    ptr, place, cost = reach_within(
        ground, ground.candidates, rows, question.measure, float(limits.max()), executor=executor
    )
    size = np.diff(ptr)
    building, category, parts, lengths = [], [], [], []
    for column, limit in enumerate(limits):
        asked = wanting[rows, column]
        keep = np.repeat(asked, size) & (cost <= limit)
        counted = np.bincount(np.repeat(np.arange(len(rows)), size)[keep], minlength=len(rows))[asked]
        building.append(rows[asked])
        category.append(np.full(int(asked.sum()), column))
        parts.append((place[keep], cost[keep]))
        lengths.append(counted)
    where, kind = np.concatenate(building), np.concatenate(category)
    places, costs = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    pointers = np.zeros(len(where) + 1, dtype=np.int64)
    np.cumsum(np.concatenate(lengths), out=pointers[1:])
    pairs = _pairs(pointers, places, costs, candidates)
    return Demand(where, kind, weight[where], base[where, kind], pairs)


def _pairs(pointers: Longs, place: NDArray[np.int32], cost: Floats, candidates: Candidates) -> Pairs:
    """Pairs of demand and site; a site with several places is as near as its nearest one."""
    if len(candidates) == len(candidates.table):
        return pairs_by_demand(pointers, place, cost, len(candidates))
    demand = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    return make_pairs(demand, candidates.site[place], cost, len(pointers) - 1, len(candidates))
