"""Settling: every face gets an owner that it hangs together with; slivers and stray pieces go to a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.division.ground.adjacency import gather, longest, sum_by_pair

if TYPE_CHECKING:
    from gridmap.division.ground.sides import Sides

__all__ = ["ACROSS", "absorb_unjoined", "settle"]

# A border on a street or a wall counts this much when a stray piece chooses the neighbour to go to.
ACROSS = 1e-3


def settle(
    owner: np.ndarray,
    anchored: np.ndarray,
    area: np.ndarray,
    parts: Sides,
    crossing: np.ndarray,
    dead_end: np.ndarray,
    smallest: float,
) -> np.ndarray:
    """Label of each face, so that the faces of a label hang together.

    Parameters
    ----------
    owner
        Whom each face was given to, shape (faces,).
    anchored
        Whether it may not be given to another: it is built on.
    area
        Of each face, in square metres.
    parts
        Segments between faces.
    crossing
        Whether a segment lies on a line that bounds blocks.
    dead_end
        Whether it lies on a street that ends in its block: what has the same owner on both sides is not connected
        across it, so that the border between two owners comes to lie on the street.
    smallest
        Empty pieces below this area go to a neighbour.

    Returns
    -------
    ndarray
        `owner`, but for pieces that are not connected to the rest of their owner's: those go to the neighbour along
        the longest border, preferably in the same block. A piece without a neighbour keeps a label of its own.
    """
    inner = parts.take(parts.right >= 0)
    piece = _pieces(owner, parts.take((parts.right >= 0) & ~dead_end))
    count = int(piece.max(initial=-1)) + 1
    of = np.zeros(count, dtype=np.int64)
    of[piece] = owner
    size = np.bincount(piece, weights=area, minlength=count)
    settled = np.bincount(piece, weights=anchored, minlength=count) > 0
    held = np.unique(of[settled])
    largest = np.lexsort((-size, of))
    largest = largest[np.r_[True, of[largest][1:] != of[largest][:-1]]] if count else largest
    settled[largest[~np.isin(of[largest], held) & (size[largest] >= smallest)]] = True

    a, b = piece[inner.left], piece[inner.right]
    apart = a != b
    weight = inner.length * np.where((crossing | dead_end)[parts.right >= 0], ACROSS, 1.0)
    low, high, border = sum_by_pair(a[apart], b[apart], weight[apart])
    source, target, border = np.r_[low, high], np.r_[high, low], np.r_[border, border]
    root, _ = gather(settled, size, source, target, border)
    # A piece that stands for itself though its owner has another one gets a label of its own.
    alone = np.flatnonzero((root == np.arange(count)) & ~settled)
    of[alone] = max(int(owner.max(initial=-1)), -1) + 1 + np.arange(len(alone))
    return np.asarray(of[root[piece]])


def absorb_unjoined(
    label: np.ndarray, parts: Sides, joins: np.ndarray, may_go: np.ndarray, may_take: np.ndarray, shortest: float
) -> np.ndarray:
    """Labels after those with no border as long as `shortest` have joined the neighbour of their longest one.

    `joins` masks the segments that can join, `may_go` and `may_take` say by label what may be absorbed and absorb.
    """
    inner = parts.take((parts.right >= 0) & joins)
    while True:
        a, b = label[inner.left], label[inner.right]
        apart = a != b
        low, high, border = sum_by_pair(a[apart], b[apart], inner.length[apart])
        source, target, border = np.r_[low, high], np.r_[high, low], np.r_[border, border]
        best = np.zeros(len(may_go))
        np.maximum.at(best, source, border)
        can = may_go[source] & (best[source] < shortest) & may_take[target]
        if not can.any():
            return label
        source, target = longest(source[can], target[can], border[can])
        # Who is chosen by another stays this round, unless both chose each other: then the higher goes.
        mutual = np.isin(target * len(may_go) + source, source * len(may_go) + target)
        goes = np.where(mutual, source > target, ~np.isin(source, target))
        if not goes.any():
            goes[0] = True
        change = np.arange(len(may_go))
        change[source[goes]] = target[goes]
        label = change[label]


def _pieces(owner: np.ndarray, inner: Sides) -> np.ndarray:
    """Connected pieces of faces of one owner."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    same = owner[inner.left] == owner[inner.right]
    a, b = inner.left[same], inner.right[same]
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(owner), len(owner)))
    return np.asarray(connected_components(graph, directed=False)[1]).astype(np.int64)
