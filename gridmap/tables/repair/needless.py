"""Vertices that cutting and joining left on straight borders, and that nobody had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

__all__ = ["drop_needless_vertices"]


def drop_needless_vertices(after: Shapes, before: Shapes, grid: float) -> Shapes:
    """Shapes without vertices that are new in each of the shapes that have them, and lie on a straight line in each.

    What one shape had before stays in all, so that neighbours go on sharing every vertex.

    Parameters
    ----------
    after, before
        Polygons and MultiPolygons of the same rows.
    grid
        How far a crossing may lie off the line it is on, in the unit of the shapes: it was rounded to this grid.
    """
    rings, row, part, inner = _rings(after)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.r_[ring[1:] != ring[:-1], True]
    first = np.r_[True, last[:-1]]
    opened = ~last
    xy, ring, first = xy[opened], ring[opened], first[opened]
    starts = np.flatnonzero(first)
    ends = np.r_[starts[1:], len(xy)] - 1
    ahead, behind = np.arange(len(xy)) + 1, np.arange(len(xy)) - 1
    ahead[ends], behind[starts] = starts, ends
    was, of = shapely.get_coordinates(before, return_index=True)
    node = np.unique(np.r_[xy, was], axis=0, return_inverse=True)[1].ravel()
    count = int(node.max(initial=-1)) + 1
    own = row[ring] * count + node[: len(xy)]
    needed = np.isin(own, of * count + node[len(xy) :]) | ~_straight(xy, xy[behind], xy[ahead], grid)
    drop = ~_kept(node[: len(xy)], needed, ring, len(rings))
    if not drop.any():
        return after
    out = after.copy()
    for i in np.unique(row[ring[drop]]).tolist():
        bodies = []
        for p in np.unique(part[row == i]).tolist():
            own_rings = [
                (inner[r], shapely.LinearRing(xy[starts[r] : ends[r] + 1][~drop[starts[r] : ends[r] + 1]]))
                for r in np.flatnonzero(part == p)
            ]
            shell = next(line for hole, line in own_rings if not hole)
            bodies.append(shapely.Polygon(shell, [line for hole, line in own_rings if hole]))
        out[i] = shapely.MultiPolygon(bodies) if shapely.get_type_id(after[i]) == 6 else bodies[0]
    return out


def _kept(node: NDArray[np.intp], needed: NDArray[np.bool_], ring: NDArray[np.intp], rings: int) -> NDArray[np.bool_]:
    """The vertices to keep: those needed in any ring, and all of a ring that would have fewer than three left."""
    kept = needed
    while True:
        kept = np.isin(node, node[kept])
        short = np.bincount(ring[kept], minlength=rings) < 3
        more = kept | short[ring]
        if (more == kept).all():
            return kept
        kept = more


def _rings(shapes: Shapes) -> tuple[Shapes, NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Rings of all shapes, and of each the shape, the part, and whether it is a hole."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.r_[False, part[1:] == part[:-1]] if len(part) else np.zeros(0, dtype=bool)
    return rings, shape[part], part, inner


def _straight(
    xy: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64], grid: float
) -> NDArray[np.bool_]:
    """Whether a vertex lies between two others on the line through them, but for rounding."""
    along, out = after - before, xy - before
    length = np.hypot(*along.T)
    off = np.abs(along[:, 0] * out[:, 1] - along[:, 1] * out[:, 0])
    place = np.divide((along * out).sum(axis=1), length**2, out=np.full(len(xy), -1.0), where=length > 0)
    return np.asarray((off <= grid * length) & (place > 0) & (place < 1))
