"""Borders drawn twice made one: slivers of gap and overlap go to one neighbour, and both sides share their vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.tables.check.measures import narrow
from gridmap.tables.repair.crumbs import give_crumbs
from gridmap.tables.repair.faces import Faces, cut_into_faces, fine_grid, reassigned
from gridmap.tables.repair.lids import lids
from gridmap.tables.repair.needless import drop_needless_vertices

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = ["Mended", "mend_tiling"]


class Mended(NamedTuple):
    """Polygons after the repair, and which rows took land of a gap, took or gave land of an overlap (m²)."""

    shapes: Shapes
    took_gap: NDArray[np.float64]
    gave_overlap: NDArray[np.float64]


def mend_tiling(shapes: Shapes, to_metric: Callable[[Shapes], Shapes], width: float, *, gaps: bool = True) -> Mended:
    """Close gaps and part overlaps that are narrower than `width` everywhere; nothing wider is touched.

    The land is cut along all borders into faces. A narrow face of several owners goes to that one of them, and a narrow
    face of none to that neighbour, with which it shares the longest border (the first row where two are equal), but
    the tip of an acute corner stays where it was; then the faces of each owner are joined again, so that both sides of
    every border have the same vertices, where they had them, bit by bit. A polygon that would lose all its land keeps
    it.

    Parameters
    ----------
    shapes
        Valid polygons in any CRS, empty ones where a row takes no part.
    to_metric
        Moves shapes into metres, vertex by vertex.
    width
        m.
    gaps
        Whether narrow gaps are closed; compounds may stand apart.

    Notes
    -----
    The rule of the longest border is that of GEOS's coverage cleaner, which cannot serve here: it parts every overlap,
    however large, and moves vertices (GEOS 3.14, CoverageCleaner).
    """
    nothing = np.zeros(len(shapes))
    chosen = _parted(to_metric(shapes), width)
    if not len(chosen):
        return Mended(shapes, nothing, nothing)
    flat = shapely.force_2d(shapes)
    more = lids(flat[chosen], to_metric, width) if gaps else flat[:0]
    grid = fine_grid(flat[chosen], to_metric)
    faces = cut_into_faces(flat, chosen, to_metric, more, grid)
    owners = np.bincount(faces.face, minlength=len(faces.shapes))
    thin = narrow(faces.metric, width) & ((owners > 1) | ((owners == 0) & gaps))
    taker = _nobody_vanishes(faces, _takers(faces, owners, thin, len(shapes)))
    taker = _nobody_retreats(faces, taker, width)
    taker = give_crumbs(faces, taker, len(shapes), width)
    face, owner = reassigned(faces, taker)
    out = shapes.copy()
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], [chosen, chosen + 1])
    for row, low, high in zip(chosen.tolist(), *bounds.tolist(), strict=True):
        out[row] = _joined(faces.shapes[face[order[low:high]]], shapes[row])
    out[chosen] = _unless_same(drop_needless_vertices(out[chosen], shapes[chosen], grid), shapes[chosen])
    area = shapely.area(faces.metric)
    given = np.flatnonzero(taker >= 0)
    from_gap = given[owners[given] == 0]
    lost = (taker[faces.face] >= 0) & (taker[faces.face] != faces.owner)
    return Mended(
        out,
        _sums(taker[from_gap], area[from_gap], len(shapes)),
        _sums(faces.owner[lost], area[faces.face[lost]], len(shapes)),
    )


def _sums(rows: Ints, values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(rows, values, count), dtype=np.float64)


def _parted(metric: Shapes, width: float) -> Ints:
    """Rows whose borders part from a neighbour's by less than `width`, or overlap it, and all that touch those."""
    rows = np.flatnonzero(~shapely.is_empty(metric))
    edges = shapely.coverage_invalid_edges(metric[rows], gap_width=width)
    wrong = rows[shapely.length(edges) > 0]
    beside = shapely.STRtree(metric).query(metric[wrong], predicate="dwithin", distance=width)[1]
    return np.union1d(wrong, beside)


def _takers(faces: Faces, owners: Ints, thin: NDArray[np.bool_], rows: int) -> Ints:
    """The row that each thin face goes to; -1 for faces that stay as they are.

    A face between thin faces only waits until one of them has found its owner.
    """
    sure = np.full(len(faces.shapes), -1, dtype=np.intp)
    lone = owners[faces.face] == 1
    sure[faces.face[lone]] = faces.owner[lone]
    may = np.zeros(0, dtype=np.int64)
    if len(faces.face):
        may = faces.face.astype(np.int64) * rows + faces.owner
    taker = np.full(len(sure), -1, dtype=np.intp)
    open_ones = thin.copy()
    while open_ones.any():
        known = np.where(taker >= 0, taker, sure)
        near = open_ones[faces.left] & (known[faces.right] >= 0)
        face, row, metres = faces.left[near], known[faces.right[near]], faces.metres[near]
        key = face.astype(np.int64) * rows + row
        fit = (owners[face] == 0) | np.isin(key, may)
        key, place = np.unique(key[fit], return_inverse=True)
        length = np.bincount(place.ravel(), metres[fit], len(key))
        face, row = key // rows, key % rows
        # lengths are sums of many edges: what is equal on paper must not hang on their last bits
        order = np.lexsort((row, -np.round(length, 6), face))
        face, first = np.unique(face[order], return_index=True)
        if not len(face):
            break
        taker[face] = row[order][first]
        open_ones[face] = False
    return taker


def _nobody_vanishes(faces: Faces, taker: Ints) -> Ints:
    """Take back what would leave a row without any land."""
    taker = taker.copy()
    while True:
        gone = np.setdiff1d(faces.owner, reassigned(faces, taker)[1])
        if not len(gone):
            return taker
        taker[faces.face[np.isin(faces.owner, gone)]] = -1


def _nobody_retreats(faces: Faces, taker: Ints, width: float) -> Ints:
    """Leave an acute corner to its row: slivers along both its sides would take more than `width` of its tip.

    Where the other owner would lose a tip in turn, the longer border decides as before.
    """
    lost = _retreats(faces, taker, width)
    if not lost.any():
        return taker
    kept = taker.copy()
    kept[faces.face[lost]] = faces.owner[lost]
    disputed = faces.face[_retreats(faces, kept, width)]
    kept[disputed] = taker[disputed]
    return kept


def _retreats(faces: Faces, taker: Ints, width: float) -> NDArray[np.bool_]:
    """Whether each pair of face and owner is parted, and that owner draws back from the face by more than `width`."""
    parted = (taker[faces.face] >= 0) & (taker[faces.face] != faces.owner)
    lost, kept = np.flatnonzero(parted), np.flatnonzero(~parted & np.isin(faces.owner, faces.owner[parted]))
    xy, pair = shapely.get_coordinates(faces.metric[faces.face[lost]], return_index=True)
    tree = shapely.STRtree(shapely.points(xy))
    land, point = tree.query(faces.metric[faces.face[kept]], predicate="dwithin", distance=width)
    near = np.zeros(len(xy), dtype=bool)
    near[point[faces.owner[kept[land]] == faces.owner[lost[pair[point]]]]] = True
    out = np.zeros(len(parted), dtype=bool)
    out[lost[pair[~near]]] = True
    return out


def _joined(faces: Shapes, before: shapely.Geometry) -> shapely.Geometry:
    """The faces of one row as one shape, of its former type where it can be."""
    after = shapely.coverage_union_all(faces)
    if not shapely.is_valid(after):
        after = shapely.union_all(faces)
    if shapely.get_type_id(before) == 6 and shapely.get_type_id(after) == 3:
        return shapely.multipolygons([after])
    return after


def _unless_same(after: Shapes, before: Shapes) -> Shapes:
    """The new shapes; the former ones, with their rings as they were drawn, where the vertices are the same."""
    same = shapely.equals_exact(shapely.normalize(after), shapely.normalize(shapely.force_2d(before)))
    return np.where(same, before, after)
