"""Crumbs: thin pieces that lose the land which joined them to their unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.tables.check.measures import narrow
from gridmap.tables.repair.faces import reassigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.repair.faces import Faces

    Ints = NDArray[np.intp]

__all__ = ["give_crumbs"]


def give_crumbs(faces: Faces, taker: Ints, rows: int, width: float) -> Ints:
    """The takers, with those of the crumbs that the other takers leave behind.

    A crumb is a body of faces of one row, narrower than `width`, that hung together with wider land of its row before.
    It goes to the neighbour with the longest border along it. Thin pieces that were drawn apart are not touched.

    Parameters
    ----------
    faces
        The land.
    taker
        Row that each face goes to, -1 for faces that stay.
    rows
        Number of polygons.
    width
        m.
    """
    thin = narrow(faces.metric, width)
    before = _bodies(faces, faces.face, faces.owner, rows)
    broad = np.isin(before, before[~thin[faces.face]])
    joined = np.unique(_key(faces.face[broad], faces.owner[broad], rows))
    face, owner = reassigned(faces, taker)
    body = _bodies(faces, face, owner, rows)
    # a body with one wide face is no crumb, nor one that was a piece of its own before
    whole = np.bincount(body, ~thin[face]) > 0
    whole[body[~np.isin(_key(face, owner, rows), joined) & (taker[face] < 0)]] = True
    out = taker.copy()
    lone = np.bincount(face, minlength=len(faces.shapes)) == 1
    of = np.full(len(faces.shapes), -1, dtype=np.intp)
    of[face] = owner
    for crumb in np.unique(body[~whole[body]]).tolist():
        own = face[body == crumb]
        if not lone[own].all() or not narrow([shapely.coverage_union_all(faces.metric[own])], width)[0]:
            continue
        beside = np.isin(faces.left, own) & ~np.isin(faces.right, own) & lone[faces.right]
        beside &= of[faces.right] != of[own[0]]
        if beside.any():
            metres = np.bincount(of[faces.right[beside]], faces.metres[beside])
            out[own] = int(np.argmax(np.round(metres, 6)))
    return out


def _bodies(faces: Faces, face: Ints, owner: Ints, rows: int) -> Ints:
    """Number of the body that each pair of face and owner belongs to: faces of one owner that share borders."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    key = _key(face, owner, rows)
    order = np.argsort(key)
    # a pair is joined to each neighbouring face that the same owner has
    by_face = np.argsort(faces.left, kind="stable")
    left, right = faces.left[by_face], faces.right[by_face]
    low, high = np.searchsorted(left, face), np.searchsorted(left, face, side="right")
    pair = np.repeat(np.arange(len(face)), high - low)
    steps = np.arange(len(pair)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
    neighbour = _key(right[low[pair] + steps], owner[pair], rows)
    at = np.searchsorted(key[order], neighbour)
    hit = (at < len(key)) & (key[order][np.minimum(at, len(key) - 1)] == neighbour)
    start, end = pair[hit], order[at[hit]]
    joins = coo_array((np.ones(len(start), dtype=bool), (start, end)), shape=(len(face), len(face)))
    return np.asarray(connected_components(joins, directed=False)[1], dtype=np.intp)


def _key(face: Ints, owner: Ints, rows: int) -> NDArray[np.int64]:
    return np.asarray(face.astype(np.int64) * rows + owner)
