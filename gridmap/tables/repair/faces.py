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

__all__ = ["Faces", "cut_into_faces", "fine_grid", "reassigned"]

# m. Borders are cut on a grid this fine, so that what lies nearer is one: far above the rounding of coordinates, far
# below what anybody draws.
_GRID = 1e-6
# A vertex is rounded by half the grid at most, and the rounding of that.
_HALF = 0.501


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


def cut_into_faces(
    shapes: Shapes, chosen: Ints, to_metric: Callable[[Shapes], Shapes], more: Shapes, grid: float
) -> Faces:
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
    grid
        What lies nearer than this, in the unit of the shapes, is one. The borders are rounded to it where they are cut,
        so that no crossing is missed; vertices that were drawn come back to the last bit.
    """
    borders = shapely.union_all(np.r_[shapely.boundary(shapes[chosen]), more], grid_size=grid)
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(borders))), dtype=object)
    faces = _with_own_vertices(faces, shapely.get_coordinates(shapes[chosen]), grid)
    face, owner = shapely.STRtree(shapes).query(shapely.point_on_surface(faces), predicate="intersects")
    strange = np.zeros(len(faces), dtype=bool)
    strange[face[~np.isin(owner, chosen)]] = True
    number = np.cumsum(~strange) - 1
    kept = ~strange[face]
    faces, face, owner = faces[~strange], number[face[kept]], owner[kept]
    order = np.lexsort((owner, face))
    metric = to_metric(faces)
    return Faces(faces, metric, face[order], owner[order], *_shared_borders(faces, metric))


def fine_grid(shapes: Shapes, to_metric: Callable[[Shapes], Shapes]) -> float:
    """A millionth of a metre, or somewhat less, in the unit of the shapes."""
    frame = np.array([shapely.box(*shapely.total_bounds(shapes))], dtype=object)
    metres = shapely.length(to_metric(frame))[0] / shapely.length(frame)[0]
    return float(10.0 ** np.floor(np.log10(_GRID / metres)))


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


def _with_own_vertices(faces: Shapes, drawn: NDArray[np.float64], grid: float) -> Shapes:
    """Faces cut on a grid, with the vertices that were drawn in place of what they were rounded to.

    Where faces would cross each other then, their vertices stay on the grid.
    """
    from scipy.spatial import cKDTree

    drawn = np.unique(drawn, axis=0)
    on_grid = shapely.get_coordinates(faces)
    away, nearest = cKDTree(drawn).query(on_grid, p=np.inf, distance_upper_bound=_HALF * grid)
    known = np.isfinite(away)
    while known.any():
        xy = on_grid.copy()
        xy[known] = drawn[nearest[known]]
        out = np.asarray(shapely.set_coordinates(faces.copy(), xy), dtype=object)
        crossed = known & _among(xy, _crossed(out))
        if not crossed.any():
            return out
        known &= ~crossed
    return faces


def _crossed(faces: Shapes) -> NDArray[np.float64]:
    """Vertices of the edges that cross another face, or of a face that is invalid: needles as thin as the grid."""
    wrong = faces[~shapely.is_valid(faces)]
    return shapely.get_coordinates(wrong if len(wrong) else shapely.coverage_invalid_edges(faces))


def _among(xy: NDArray[np.float64], some: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each vertex is one of some."""
    node = np.unique(np.r_[some, xy], axis=0, return_inverse=True)[1].ravel()
    return np.isin(node[len(some) :], node[: len(some)])
