"""Local moves: whole pieces of ground change sites one by one, where wanted so that each site's pieces hang together.

From an assignment that ignores the ground, each site keeps the heaviest part of its catchment that hangs together.
What it lets go is taken by catchments beside it that have room, the nearest first. Then single pieces change sides,
and a piece moves on to let in another one that has no place, as long as that places more or brings people nearer.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from gridmap.siting.solve.pairs import Pairs

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Question", "settle"]

# Rounds of changing sides after which it ends in any case.
_ROUNDS = 30
_LEAST_GAIN = 1e-9
# Starts in a random order: so many, and no more than so many pieces of them together.
_STARTS, _WORK = 30, 20_000


@dataclass(frozen=True)
class Question:
    """Pieces of ground, the sites that each reaches at which cost for one of its people, and which touch.

    `weight` (pieces,) people of each, 0 for land that only joins; `capacity` (sites,); `beside` the neighbours of each
    piece, None where catchments need not hang together; `penalty` what it costs to leave one person without a place.
    """

    pairs: Pairs
    weight: Floats
    capacity: Floats
    beside: Sequence[Sequence[int]] | None
    penalty: float


class _Catchments:
    """Who is where, while it changes: site of each piece (-1 for none), room left, members of each site."""

    def __init__(self, question: Question, start: Longs) -> None:
        self.question = question
        pairs = question.pairs
        self.anywhere = question.beside is None
        self.beside: Sequence[Sequence[int]] = [()] * pairs.demands if question.beside is None else question.beside
        self.weight = question.weight.tolist()
        self.cost = [
            dict(zip(pairs.site[a:b].tolist(), pairs.cost[a:b].tolist(), strict=True))
            for a, b in zip(pairs.demand_ptr[:-1].tolist(), pairs.demand_ptr[1:].tolist(), strict=True)
        ]
        self.site = [-1] * pairs.demands
        self.room = question.capacity.tolist()
        self.members: list[set[int]] = [set() for _ in range(pairs.sites)]
        for piece, site in enumerate(start.tolist()):
            if site >= 0:
                self.put(piece, site)

    def put(self, piece: int, site: int) -> None:
        """Move a piece to a site, or to none."""
        before = self.site[piece]
        if before >= 0:
            self.members[before].discard(piece)
            self.room[before] += self.weight[piece]
        if site >= 0:
            self.members[site].add(piece)
            self.room[site] -= self.weight[piece]
        self.site[piece] = site

    def fits(self, piece: int, site: int) -> bool:
        """Whether the site has room for the piece."""
        return self.room[site] >= self.weight[piece] - 1e-9

    def touches(self, piece: int, site: int) -> bool:
        """Whether the catchment of the site lies beside the piece, or has nothing yet."""
        if self.anywhere or not self.members[site]:
            return True
        return any(self.site[other] == site for other in self.beside[piece])

    def worth(self, piece: int, site: int) -> float:
        """What it costs to have the piece at a site, or at none."""
        return self.weight[piece] * (self.question.penalty if site < 0 else self.cost[piece][site])

    def joined_without(self, piece: int) -> bool:
        """Whether the catchment of a piece still hangs together when the piece leaves it."""
        site = self.site[piece]
        near = [other for other in self.beside[piece] if self.site[other] == site]
        if len(near) < 2:
            return True
        wanted, seen, stack = set(near[1:]), {piece, near[0]}, [near[0]]
        while stack and wanted:
            for other in self.beside[stack.pop()]:
                if other not in seen and self.site[other] == site:
                    seen.add(other)
                    wanted.discard(other)
                    stack.append(other)
        return not wanted


def settle(question: Question, start: Longs) -> Longs:
    """Site of each piece, -1 without, after moves; the pieces of each site hang together where the question says so.

    Parameters
    ----------
    question
        What is asked.
    start
        Site of each piece to begin with, within the capacities.
    """
    if question.beside is None:
        return _settled(question, start, None)
    # catchments that grow from nothing end elsewhere than those that keep what an assignment without ground gave them
    nobody = np.full(len(start), -1, dtype=np.int64)
    rng = np.random.default_rng(0)
    tries = [_settled(question, start, None), _settled(question, nobody, -question.weight)]
    orders = [rng.random(len(start)) for _ in range(min(_STARTS, _WORK // max(len(start), 1)))]
    tries += [_settled(question, nobody, order) for order in orders]
    return min(tries, key=lambda sites: _cost(question, sites))


def _settled(question: Question, start: Longs, order: Floats | None) -> Longs:
    """Sites of the pieces after moves from one start; catchments first grow in an order of pieces, or by nearness."""
    now = _Catchments(question, start)
    if not now.anywhere:
        for site in range(question.pairs.sites):
            _keep_heaviest(now, site)
    for turn in range(_ROUNDS):
        _grow(now, order if turn == 0 else None)
        changed = [_move_best(now, piece) for piece in range(question.pairs.demands)]
        let_in = [_let_in(now, piece) for piece in range(question.pairs.demands) if _without(now, piece)]
        if not any(changed) and not any(let_in):
            break
    return np.array(now.site, dtype=np.int64)


def _cost(question: Question, sites: Longs) -> float:
    """What it costs to have everybody there, those without a place at the penalty."""
    now = _Catchments(question, sites)
    return sum(now.worth(piece, site) for piece, site in enumerate(sites.tolist()))


def _without(now: _Catchments, piece: int) -> bool:
    return now.site[piece] < 0 and now.weight[piece] > 0 and bool(now.cost[piece])


def _keep_heaviest(now: _Catchments, site: int) -> None:
    """Let go what does not hang together with the heaviest piece of a catchment."""
    left = set(now.members[site])
    found: list[list[int]] = []
    for first in sorted(left):
        if first not in left:
            continue
        left.discard(first)
        part = [first]
        for piece in part:
            for other in now.beside[piece]:
                if other in left:
                    left.discard(other)
                    part.append(other)
        found.append(part)
    found.sort(key=lambda part: (-sum(now.weight[piece] for piece in part), -len(part), min(part)))
    for part in found[1:]:
        for piece in part:
            now.put(piece, -1)


def _grow(now: _Catchments, order: Floats | None) -> None:
    """Catchments with room take what lies beside them and has none, the nearest first; empty ones begin anywhere.

    With an order of the pieces those come first that have the least there.
    """
    heap: list[tuple[float, int, int]] = []

    def offer(piece: int, sites: Iterable[int]) -> None:
        for site in sites:
            if site in now.cost[piece]:
                first = now.cost[piece][site] if order is None else float(order[piece])
                heapq.heappush(heap, (first, piece, site))

    for piece, site in enumerate(now.site):
        if site < 0:
            offer(piece, {s for s in now.cost[piece] if now.touches(piece, s)})
    while heap:
        _, piece, site = heapq.heappop(heap)
        if now.site[piece] >= 0 or not now.fits(piece, site) or not now.touches(piece, site):
            continue
        now.put(piece, site)
        for other in now.beside[piece]:
            if now.site[other] < 0:
                offer(other, (site,))


def _move_best(now: _Catchments, piece: int) -> bool:
    """Move a piece to where it costs least, if that is less than now; whether it moved."""
    here = now.site[piece]
    best, least = here, now.worth(piece, here) - _LEAST_GAIN
    for site in now.cost[piece]:
        if site != here and now.worth(piece, site) < least and now.fits(piece, site) and now.touches(piece, site):
            best, least = site, now.worth(piece, site)
    if best == here or (here >= 0 and not now.joined_without(piece)):
        return False
    now.put(piece, best)
    return True


def _let_in(now: _Catchments, piece: int) -> bool:
    """Move one piece of a full catchment on to another site, so that one without a place gets its room."""
    options = sorted(
        (extra + now.worth(piece, site), site, other, there)
        for site in now.cost[piece]
        if now.question.capacity[site] >= now.weight[piece] and now.touches(piece, site)
        for extra, other, there in _ways_out(now, site, now.weight[piece] - now.room[site])
    )
    for cost, site, other, there in options:
        if cost >= now.worth(piece, -1) - _LEAST_GAIN:
            break
        if not now.joined_without(other):
            continue
        now.put(other, there)
        if now.touches(piece, site):
            now.put(piece, site)
            return True
        now.put(other, site)
    return False


def _ways_out(now: _Catchments, site: int, least: float) -> Iterator[tuple[float, int, int]]:
    """What it costs to move a piece of at least so many people from a site to another one: (cost, piece, there)."""
    for other in now.members[site]:
        if now.weight[other] < least - 1e-9:
            continue
        for there in now.cost[other]:
            if there != site and now.fits(other, there) and now.touches(other, there):
                yield now.worth(other, there) - now.worth(other, site), other, there
