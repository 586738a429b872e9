"""Faces: the land of polygons cut along all their borders, who owns each piece, and who lies beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = ["Faces", "cut_into_faces", "reassigned"]


@dataclass(frozen=True)
class Faces:
    """Pieces of land that no border crosses.

    Attributes
    ----------
    shapes
        The pieces, in the CRS of the polygons. Neighbours share every vertex.
    metric
        The same in metres.
    face, owner
        Pairs: this face lies in that polygon. A face without a pair is a gap.
    left, right, metres
        Faces that share a border, each pair both ways round, and the length of it.
    """

    shapes: Shapes
    metric: Shapes
    face: Ints
    owner: Ints
    left: Ints
    right: Ints
    metres: NDArray[np.float64]


def cut_into_faces(shapes: Shapes, chosen: Ints, to_metric: Callable[[Shapes], Shapes], more: Shapes) -> Faces:
    """The faces of the chosen polygons; those that lie in another polygon, as in a hole of theirs, are left out.

    Parameters
    ----------
    shapes
        Valid polygons.
    chosen
        Rows of those whose borders are cut.
    to_metric
        Moves shapes into metres, vertex by vertex.
    more
        Lines to cut along besides the borders.
    """
    borders = shapely.union_all(np.r_[shapely.boundary(shapes[chosen]), more])
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(borders))), dtype=object)
    face, owner = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    strange = np.zeros(len(faces), dtype=bool)
    strange[face[~np.isin(owner, chosen)]] = True
    number = np.cumsum(~strange) - 1
    kept = ~strange[face]
    faces, face, owner = faces[~strange], number[face[kept]], owner[kept]
    order = np.lexsort((owner, face))
    metric = to_metric(faces)
    return Faces(faces, metric, face[order], owner[order], *_shared_borders(faces, metric))


def reassigned(faces: Faces, taker: Ints) -> tuple[Ints, Ints]:
    """Pairs of face and owner once every face with a taker (a row, or -1 for none) is its alone."""
    stay = taker[faces.face] < 0
    given = np.flatnonzero(taker >= 0)
    return np.r_[faces.face[stay], given], np.r_[faces.owner[stay], taker[given]]


def _shared_borders(faces: Shapes, metric: Shapes) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Pairs of faces with a common border, both ways round, and its length: edges with the same two ends are one."""
    rings, face = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    lengths = np.hypot(*np.diff(shapely.get_coordinates(shapely.get_rings(metric)), axis=0).T)
    inside = ring[1:] == ring[:-1]
    node = np.unique(xy, axis=0, return_inverse=True)[1].ravel()
    low, high = np.minimum(node[:-1], node[1:])[inside], np.maximum(node[:-1], node[1:])[inside]
    of, metres = face[ring[:-1][inside]], lengths[inside]
    order = np.lexsort((of, high, low))
    low, high, of, metres = low[order], high[order], of[order], metres[order]
    same = np.flatnonzero((low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (of[1:] != of[:-1]))
    left, right = np.r_[of[same], of[same + 1]], np.r_[of[same + 1], of[same]]
    pair, which = np.unique(np.c_[left, right], axis=0, return_inverse=True)
    length = np.asarray(np.bincount(which.ravel(), np.r_[metres[same], metres[same]], len(pair)), dtype=np.float64)
    return pair[:, 0], pair[:, 1], length
