"""Faces: the polygons that lines enclose, traced from segment to segment, and what lies on either side of each.

At the end of every segment the walk turns to the next one clockwise, so that it goes around the face on its left
(M. de Berg et al., Computational Geometry, chapter 2: the doubly-connected edge list).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridmap.division.ground.sides import Sides, vertex_numbers

__all__ = ["Faces", "dissolve", "enclosed"]


@dataclass(frozen=True)
class Faces:
    """A coverage: polygons, and the segments between them with the polygon on either side."""

    shapes: np.ndarray
    sides: Sides

    def take(self, keep: np.ndarray) -> Faces:
        """The faces chosen by a mask; what lay on the other side of theirs is outside."""
        number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
        return Faces(self.shapes[keep], _turned(self.sides, number[self.sides.left], number[self.sides.right]))


@dataclass(frozen=True)
class _Walks:
    """Closed walks around faces.

    Segment i is two half-edges: i from its start to its end, and i + n back. `of` is the walk of each; `ring` and
    `half` list the half-edges of each ring one after another: a walk that touches itself in a point is several rings.
    """

    of: np.ndarray
    ring: np.ndarray
    half: np.ndarray
    component: np.ndarray


def enclosed(lines: Any) -> Faces:
    """Polygons that noded lines enclose: what leads nowhere, or from one outline to another, is left out."""
    start, end, walks = _walk(*_segments(lines))
    shapes, face = _polygons(np.r_[start, end], walks)
    left, right = face[walks.of].reshape(2, -1)
    return Faces(shapes, _turned(Sides(start, end, left, right), left, right))


def dissolve(parts: Sides, label: np.ndarray) -> Faces:
    """Polygons of the faces of each label 0, 1, 2 ..., and the segments between labels.

    Parameters
    ----------
    parts
        Segments of a coverage, with the geometry of its faces on their sides.
    label
        Of each face. A label in several pieces gives a MultiPolygon.
    """
    number = np.append(label, -1)
    apart = number[parts.left] != number[parts.right]
    rim = parts.take(apart)
    left, right = number[rim.left], number[rim.right]
    start, end, walks = _walk(rim.start, rim.end)
    pieces, face = _polygons(np.r_[start, end], walks)
    of = np.full(len(pieces), -1)
    piece = face[walks.of]
    of[piece[piece >= 0]] = np.r_[left, right][piece >= 0]
    order = np.flatnonzero(of >= 0)
    order = order[np.argsort(of[order], kind="stable")]
    _, first, count = np.unique(of[order], return_index=True, return_counts=True)
    shapes = pieces[order[first]]
    for i in np.flatnonzero(count > 1):
        shapes[i] = shapely.multipolygons(pieces[order[first[i] : first[i] + count[i]]])
    return Faces(shapes, Sides(start, end, left, right))


def _segments(lines: Any) -> tuple[np.ndarray, np.ndarray]:
    """Straight pieces of lines, each once."""
    parts = shapely.get_parts(np.atleast_1d(lines))
    xy, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    start, end = xy[:-1][same], xy[1:][same]
    long = (start != end).any(axis=1)
    return start[long], end[long]


def _turned(parts: Sides, left: np.ndarray, right: np.ndarray) -> Sides:
    """Segments with these faces on their sides, the outside on the right; those beside no face are left out."""
    keep = (left >= 0) | (right >= 0)
    start, end, left, right = parts.start[keep], parts.end[keep], left[keep], right[keep]
    turn = left < 0
    flip = turn[:, None]
    return Sides(
        np.where(flip, end, start), np.where(flip, start, end), np.where(turn, right, left), np.where(turn, left, right)
    )


def _walk(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Walks]:
    """Walks around all faces, and the segments but for those that have the same walk on both sides."""
    number = vertex_numbers(np.r_[start, end])
    way = np.r_[end - start, start - end]
    order = np.lexsort((np.arctan2(way[:, 1], way[:, 0]), number))
    while True:
        n = len(start)
        if n == 0:
            none = np.empty(0, dtype=np.int64)
            return start, end, _Walks(none, none, none, none)
        following = _following(order, number)
        of = _connected(np.arange(2 * n), following, 2 * n)
        parts = of[:n] != of[n:]
        if parts.all():
            break
        # What remains keeps its order around each vertex.
        both = np.r_[parts, parts]
        order = (np.cumsum(both) - 1)[order[both[order]]]
        start, end, number = start[parts], end[parts], number[both]
    component = _connected(number[:n], number[n:], number.max() + 1)[number]
    ring, half = _rings(of, following, number)
    return start, end, _Walks(of, ring, half, component)


def _following(order: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Half-edge after each one on its walk; `order` lists them by origin and then counter-clockwise."""
    origin = number[order]
    first = np.flatnonzero(np.r_[True, origin[1:] != origin[:-1]])
    before = np.roll(order, 1)
    before[first] = order[np.r_[first[1:], len(order)] - 1]
    clockwise = np.empty(len(order), dtype=np.int64)
    clockwise[order] = before
    return np.roll(clockwise, len(order) // 2)


def _connected(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _rings(of: np.ndarray, following: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ring and half-edge, one ring after another, each half-edge before the one that follows it."""
    count = np.bincount(of)
    head = np.empty(len(count), dtype=np.int64)
    head[of[::-1]] = np.arange(len(of))[::-1]
    # Steps to the head of the walk, by leaps that double in length.
    steps, leap = np.ones(len(of), dtype=np.int64), following.copy()
    steps[head], leap[head] = 0, head
    while (leap != head[of]).any():
        steps += steps[leap]
        leap = leap[leap]
    offset = np.cumsum(count) - count
    half = np.empty(len(of), dtype=np.int64)
    half[offset[of] + np.where(steps > 0, count[of] - steps, 0)] = np.arange(len(of))
    ring = np.repeat(np.arange(len(count)), count)
    # Only where two segments or more begin that have the walk on their left does it come by twice.
    width = int(number.max(initial=0)) + 1
    busy = np.bincount(number)[number[half]] > 3
    met, times = np.unique(ring[busy] * width + number[half[busy]], return_counts=True)
    top = len(count)
    for walk in np.unique(met[times > 1] // width):
        here = slice(offset[walk], offset[walk] + count[walk])
        half[here], ring[here], top = _split(half[here], number[half[here]], walk, top)
    return ring, half


def _split(half: np.ndarray, vertex: np.ndarray, walk: int, top: int) -> tuple[np.ndarray, np.ndarray, int]:
    """A walk that comes by a vertex twice in rings that do not: the last keeps the number of the walk."""
    stack: list[tuple[int, int]] = []
    open_: dict[int, int] = {}
    halves: list[int] = []
    rings: list[int] = []
    for edge, at in zip(half.tolist(), vertex.tolist(), strict=True):
        if at in open_:
            loop = stack[open_[at] :]
            del stack[open_[at] :]
            for _, passed in loop:
                del open_[passed]
            halves += [e for e, _ in loop]
            rings += [top] * len(loop)
            top += 1
        open_[at] = len(stack)
        stack.append((edge, at))
    halves += [e for e, _ in stack]
    rings += [walk] * len(stack)
    return np.array(halves), np.array(rings), top


def _polygons(origin: np.ndarray, walks: _Walks) -> tuple[np.ndarray, np.ndarray]:
    """Polygon of each face, and the face of each walk, -1 outside."""
    if not len(walks.half):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    xy = origin[walks.half]
    new = np.r_[True, walks.ring[1:] != walks.ring[:-1]]
    rings = shapely.linearrings(xy, indices=np.cumsum(new) - 1)
    first = walks.half[new]
    walk, component = walks.of[first], walks.component[first]
    shell = np.flatnonzero(shapely.is_ccw(rings))
    shapes = shapely.polygons(rings[shell])
    face = np.full(walk.max() + 1, -1)
    face[walk[shell]] = np.arange(len(shell))
    # A walk with no shell goes around something that lies within a face, or around everything.
    alone = np.flatnonzero(face[walk] < 0)
    face[walk[alone]] = _around(xy[new][alone], component[alone], shapes, component[shell])
    hole = np.setdiff1d(np.flatnonzero(face[walk] >= 0), shell)
    hole = hole[np.argsort(face[walk[hole]], kind="stable")]
    holed, begin, count = np.unique(face[walk[hole]], return_index=True, return_counts=True)
    for number in np.unique(count):
        some = np.flatnonzero(count == number)
        inner = rings[hole[begin[some, None] + np.arange(number)]]
        shapes[holed[some]] = shapely.polygons(rings[shell[holed[some]]], holes=inner)
    return shapes, face


def _around(xy: np.ndarray, component: np.ndarray, shapes: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Smallest shape of another component around each point, -1 where there is none; `of` is that of each shape."""
    point, shape = shapely.STRtree(shapes).query(shapely.points(xy), predicate="within")
    other = component[point] != of[shape]
    point, shape = point[other], shape[other]
    order = np.lexsort((-shapely.area(shapes)[shape], point))
    out = np.full(len(xy), -1)
    out[point[order]] = shape[order]
    return out
