"""Gains: what each site brings, in the order in which they bring most, and each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.siting.sites.answer import held_today

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.sites.demand import Demand
    from gridmap.siting.sites.question import Question
    from gridmap.siting.solve.pairs import Pairs

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Gains", "order_by_gain", "worth_of"]


class Gains(NamedTuple):
    """Sites in their order, what each brings after those before it, and what it would bring alone."""

    site: Longs
    gain: Floats
    alone: Floats


def worth_of(question: Question, demand: Demand) -> Floats:
    """What each pair brings a unit of weight, in the order of ``pairs.site``: 1, or what of the way is saved."""
    if question.covers:
        return np.ones(len(demand.pairs.site))
    each = np.repeat(np.arange(demand.pairs.demands), np.diff(demand.pairs.demand_ptr))
    return np.maximum(held_today(question, demand)[each] - demand.pairs.cost, 0.0)


def order_by_gain(pairs: Pairs, weight: Floats, worth: Floats, tier: NDArray[np.int8], most: int) -> Gains:
    """Up to so many sites, each next one that which brings most; a lower tier before a higher one, ties by row.

    Parameters
    ----------
    pairs, weight
        The demand within reach of sites, and how much each counts.
    worth
        What each pair brings a unit of weight; a demand gets the best of its sites.
    tier
        Of each site; -1 for those that are not to be taken.
    most
        How many at most.
    """
    rows = np.flatnonzero(tier >= 0)
    place = np.full(pairs.sites, -1)
    place[rows] = np.arange(len(rows))
    here = np.flatnonzero(tier[pairs.site] >= 0)
    column, worth = place[pairs.site[here]], worth[here]
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))[here]
    mass, held = weight[demand], np.zeros(pairs.demands)
    alone = np.bincount(column, weights=mass * worth, minlength=len(rows)).astype(np.float64)
    ready = tier[rows].astype(np.float64)
    order, gains = [], []
    for _ in range(min(most, len(rows))):
        more = np.bincount(column, weights=mass * np.maximum(worth - held[demand], 0.0), minlength=len(rows))
        best = int(np.argmax(np.where(ready == ready.min(), more, -1.0)))
        ready[best] = np.inf
        order.append(best)
        gains.append(float(more[best]))
        own = column == best
        held[demand[own]] = np.maximum(held[demand[own]], worth[own])
    index = np.array(order, dtype=np.int64)
    return Gains(rows[index], np.array(gains, dtype=np.float64), alone[index])
