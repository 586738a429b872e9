"""Gains of a new link: who comes within reach through it, on shortest paths; first a bound for all, then exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.permeability.link_places import Places
    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Gain", "Links", "Today", "bounds", "gains", "helpful"]

# Homes searched from at a time: what they reach is held in memory.
_HOMES = 512


@dataclass(frozen=True)
class Today:
    """How things stand before any link.

    `homes` is the access of the homes and `weight` (h,) how many people each is; `home_cost` (h, c) and `place_cost`
    (p, c) the cost from each home and each place to the nearest facility of each category, infinite beyond the limit;
    `limit` (c,). All costs in one measure, minutes or metres.
    """

    network: StreetNetwork
    measure: str
    homes: Access
    weight: Floats
    home_cost: Floats
    places: Places
    place_cost: Floats
    limit: Floats


class Links(NamedTuple):
    """Links between pairs of places, and the cost of walking each."""

    u: Longs
    v: Longs
    cost: Floats

    def take(self, rows: Longs | Flags) -> Links:
        """Some of the links."""
        return Links(self.u[rows], self.v[rows], self.cost[rows])


class Gain(NamedTuple):
    """What a link brings: people newly within reach by category (c,), and in any; cost saved up to the limits."""

    by_category: Floats
    people: float
    saved: float


def helpful(today: Today, links: Links, slack: Floats) -> Flags:
    """Which links shorten the way from one of their ends to some category, and could reach somebody by that.

    `slack` (p, c): least cost from each place to a home that could gain, in a straight line.
    """
    out = np.zeros(len(links.u), dtype=np.bool_)
    for column, limit in enumerate(today.limit):
        cost = today.place_cost[:, column]
        for near, far in ((links.u, links.v), (links.v, links.u)):
            through = links.cost + cost[far]
            out |= (through < cost[near]) & (through + slack[near, column] <= limit)
    return out


def bounds(today: Today, links: Links, *, saving: bool) -> Floats:
    """For each link what it brings at most: as if each end could use the best of all links that begin there."""
    from gridmap.coverage.permeability.link_kernel import potential
    from gridmap.network.bounded import within

    onwards = np.full(today.place_cost.shape, np.inf)
    for column in range(len(today.limit)):
        cost = today.place_cost[:, column]
        for near, far in ((links.u, links.v), (links.v, links.u)):
            through = links.cost + cost[far]
            helps = through < cost[near]
            np.minimum.at(onwards[:, column], near[helps], through[helps])
    active = np.flatnonzero(np.isfinite(onwards).any(axis=1))
    worth = np.zeros((len(active), len(today.limit)))
    if len(active):
        ends, least = today.places.access.take(active), np.ascontiguousarray(onwards[active])
        reach = float((today.limit - least.min(axis=0)).max())
        wanted = np.flatnonzero(could_gain(today, saving=saving).any(axis=1))
        for first in range(0, len(wanted), _HOMES):
            rows = wanted[first : first + _HOMES]
            found = within(today.network, ends, today.homes.take(rows), by=today.measure, limit=max(reach, 0.0))
            potential(
                found.origin_ptr, found.target, found.cost, today.weight[rows], today.home_cost[rows],
                least, today.limit, saving, worth,
            )  # fmt: skip
    whole = np.zeros(today.place_cost.shape)
    whole[active] = worth
    out = np.zeros(len(links.u))
    for column in range(len(today.limit)):
        cost = today.place_cost[:, column]
        for near, far in ((links.u, links.v), (links.v, links.u)):
            out += np.where(links.cost + cost[far] < cost[near], whole[near, column], 0.0)
    return out


def could_gain(today: Today, *, saving: bool) -> Flags:
    """Which homes, (h, c), have anything to gain: people, and a way too long or long enough to be shortened."""
    lived_in = today.weight[:, None] > 0
    return lived_in & (today.home_cost > 0 if saving else np.isinf(today.home_cost))


def gains(today: Today, links: Links) -> list[Gain]:
    """What each of a few links brings exactly: a home goes to its end, along it, and on from the other end.

    People step onto a link at its ends alone, as on a bridge or through a gate.
    """
    from gridmap.network.bounded import within

    ends = np.unique(np.concatenate((links.u, links.v)))
    found = within(
        today.network, today.places.access.take(ends), today.homes, by=today.measure, limit=float(today.limit.max())
    )
    order = np.argsort(found.target, kind="stable")
    start = np.searchsorted(found.target[order], np.arange(len(ends) + 1))
    home, cost = found.origin[order], found.cost[order]
    out = []
    for u, v, link in zip(links.u, links.v, links.cost, strict=True):
        then = {}
        for near, far in ((u, v), (v, u)):
            rows = slice(*start[np.searchsorted(ends, near) + np.array([0, 1])])
            onwards = np.where(
                link + today.place_cost[far] < today.place_cost[near], link + today.place_cost[far], np.inf
            )
            then[near] = home[rows], cost[rows, None] + onwards
        out.append(_gain(today, then[u], then[v]))
    return out


def _gain(today: Today, *ways: tuple[NDArray[np.int32], Floats]) -> Gain:
    """The gain from the costs of some homes through a link, one way and the other."""
    homes = np.unique(np.concatenate([home for home, _ in ways]))
    then = today.home_cost[homes].copy()
    for home, cost in ways:
        at = np.searchsorted(homes, home)
        then[at] = np.minimum(then[at], cost)
    weight, now, limit = today.weight[homes, None], today.home_cost[homes], today.limit
    newly = (now > limit) & (then <= limit)
    saved = np.minimum(now, limit) - np.minimum(then, limit)
    return Gain((weight * newly).sum(axis=0), float(weight[newly.any(axis=1)].sum()), float((weight * saved).sum()))
