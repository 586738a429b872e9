"""A given number of connected parts of about equal weight."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gridmap.division.search.engine import Band, divide_component

if TYPE_CHECKING:
    from gridmap.division.search.engine import Lots

__all__ = ["equal_shares"]

# How far from equal the shares may be, in turn, until the engine finds some.
_SLACK = (0.03, 0.1, 0.25, 0.45)
# As fair as this, they are taken for the engine's better shapes.
_FAIR = 0.1
# Random trees tried for each cut where it finds none.
_TREES = 20


def equal_shares(lots: Lots, parts: int, *, seed: int = 0) -> np.ndarray:
    """A part (0 ... parts - 1) for each of some connected lots, all of about the same weight.

    Parameters
    ----------
    lots
        Connected; where they weigh nothing, area is shared out.
    parts
        2 or more, and no more than there are lots.
    seed
        Of the random numbers.

    Notes
    -----
    The engine is asked for parts within a narrow band around the mean, then within wider ones. Where lots are too few
    or too lumpy for the narrow ones, random spanning trees are cut in two where it is fairest, and the halves again;
    that always gives parts, and the fairest of all are taken.
    """
    weight = lots.weight if lots.weight.sum() > 0 else lots.area
    mean = weight.sum() / parts
    evened = replace(lots, weight=weight * (1000 / mean))
    found = []
    for slack in _SLACK:
        label = divide_component(evened, Band(1000 * (1 - slack), 1000 * (1 + slack)), seed=seed)
        if label.max() + 1 == parts:
            found.append(label)
            if _unfairness(label, evened) <= 1000 * _FAIR:
                return label
    found.append(_bisected(evened, np.arange(len(weight)), parts, np.random.default_rng(seed)))
    return min(found, key=lambda label: round(_unfairness(label, evened), 6))


def _unfairness(label: np.ndarray, lots: Lots) -> float:
    """How far the part that is farthest off is from the mean, which is 1000."""
    return float(abs(np.bincount(label, lots.weight) - 1000).max())


def _bisected(lots: Lots, atoms: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Parts of the lots listed, by cutting in two the fairest tree, as often as needed."""
    label = np.zeros(len(atoms), np.int32)
    if parts == 1:
        return label
    first = parts // 2
    side = _halves(lots.part(atoms), first, parts - first, rng)
    label[side] = _bisected(lots, atoms[side], first, rng)
    label[~side] = first + _bisected(lots, atoms[~side], parts - first, rng)
    return label


def _halves(lots: Lots, small: int, large: int, rng: np.random.Generator) -> np.ndarray:
    """Which lots are on one side of the fairest cut, with room for `small` parts there and `large` on the other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    n, total = len(lots.weight), lots.weight.sum()
    source, other = lots.source[lots.joins], lots.neighbour[lots.joins]
    once = source < other
    source, other = source[once], other[once]
    best, side = np.inf, np.zeros(n, bool)
    for _ in range(_TREES):
        cost = 1 + rng.random(len(source))
        tree = minimum_spanning_tree(coo_array((cost, (source, other)), shape=(n, n)).tocsr())
        order, parent = breadth_first_order(tree, 0, directed=False)
        held, count = lots.weight.copy(), np.ones(n, np.int64)
        for v in order[:0:-1]:
            held[parent[v]] += held[v]
            count[parent[v]] += count[v]
        for few, many in ((small, large), (large, small)):
            room = (count >= few) & (n - count >= many)
            room[order[0]] = False
            off = np.where(room, abs(held - total * few / (few + many)), np.inf)
            if off.min() < best:
                best, root = off.min(), int(off.argmin())
                inside = np.zeros(n, bool)
                inside[root] = True
                for v in order:
                    if parent[v] >= 0 and inside[parent[v]]:
                        inside[v] = True
                side = inside if few == small else ~inside
    return side
