"""Arcs: land that is divided into pieces as the borders between them, each border once, with the piece on either side.

A page draws any grouping of the pieces from these without a library: the outline of a group is made of the arcs that
have one side in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.maps.encode import STEP, encode_lines, pack_varints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.maps.encode import Frame

__all__ = ["encode_arcs"]


def encode_arcs(shapes: NDArray[Any], frame: Frame, *, tolerance: float) -> tuple[dict[str, Any], NDArray[np.intp]]:
    """Polygons that tile land as arcs for the page, and the pairs of pieces that share one.

    Parameters
    ----------
    shapes
        Polygons in EPSG:4326 that share each vertex of their common borders.
    frame
        Corner and step of the whole numbers.
    tolerance
        Simplification of each arc for display, in metres; its ends stay.

    Returns
    -------
    dict
        ``left`` (differences) and ``right`` (what is added to `left`, 0 for none): the pieces beside each arc;
        ``sizes`` and ``xy`` of its points as `encode_shapes` has them.
    ndarray
        The pairs of pieces that have an arc in common, sorted, intp (n, 2).
    """
    ends, owner = _segments(shapes, frame)
    segment, left, right = _sides(ends, owner)
    lines, left, right = _merged(segment, left, right)
    metres = shapely.transform(lines, lambda xy: xy * STEP)
    thin = np.where(shapely.is_closed(lines), metres, shapely.simplify(metres, tolerance, preserve_topology=False))
    pairs = np.unique(np.column_stack([left, right])[right >= 0], axis=0)
    encoded = {
        "left": pack_varints(np.diff(left, prepend=0)),
        "right": pack_varints(np.where(right >= 0, right - left, 0)),
        **encode_lines(thin),
    }
    return encoded, pairs


def _segments(shapes: NDArray[Any], frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Both ends of each side of the polygons in whole steps, int64 (n, 2, 2), and whose it is."""
    metres = shapely.transform(shapes, frame.to_metres)
    parts, owner = shapely.get_parts(metres, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.rint(xy / STEP).astype(np.int64)
    along = (ring[1:] == ring[:-1]) & (steps[1:] != steps[:-1]).any(axis=1)
    ends = np.stack([steps[:-1][along], steps[1:][along]], axis=1)
    return ends, owner[part[ring[:-1][along]]]


def _sides(
    ends: NDArray[np.int64], owner: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.intp]]:
    """Each side once, with the piece on either side of it: -1 where there is none.

    Rounding can fold a side back on itself: what a piece has twice, it does not have.
    """
    first = (ends[:, 0, 0] < ends[:, 1, 0]) | ((ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] <= ends[:, 1, 1]))
    ends = np.where(first[:, None, None], ends, ends[:, ::-1])
    rows, times = np.unique(np.column_stack([ends.reshape(-1, 4), owner]), axis=0, return_counts=True)
    rows = rows[times % 2 == 1]
    same = np.r_[False, (rows[1:, :4] == rows[:-1, :4]).all(axis=1)]
    start = np.flatnonzero(~same)
    # the second, fourth ... owner of a side is the other side of the one before it
    rank = np.arange(len(rows)) - np.repeat(start, np.diff(np.r_[start, len(rows)]))
    left = np.flatnonzero(rank % 2 == 0)
    partner = np.minimum(left + 1, len(rows) - 1)
    paired = (rank[partner] % 2 == 1) & (partner > left)
    right = np.where(paired, rows[partner, 4], -1)
    return rows[left, :4].reshape(-1, 2, 2), rows[left, 4].astype(np.intp), right.astype(np.intp)


def _merged(
    segment: NDArray[np.int64], left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """The sides between the same two pieces joined to lines, sorted by these."""
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    new = np.r_[True, (left[1:] != left[:-1]) | (right[1:] != right[:-1])]
    group = np.cumsum(new) - 1
    pieces = shapely.linestrings(segment[order].astype(float))
    lines, of = shapely.get_parts(
        shapely.line_merge(shapely.multilinestrings(pieces, indices=group)), return_index=True
    )
    return lines, left[new][of], right[new][of]
