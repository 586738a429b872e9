"""How polygons tile the ground: where they overlap, what they leave open, where they stick out, in how many pieces."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["Overlaps", "extra_pieces", "gaps", "largest_share", "outside", "overlaps", "polygonal"]


class Overlaps(NamedTuple):
    """Pairs of polygons with a common area: which two, and the common part."""

    first: Ints
    second: Ints
    shape: Shapes


def polygonal(shapes: Any) -> Shapes:
    """The polygons in each geometry, without the lines and points that an overlay leaves where borders only touch."""
    shapes = np.asarray(shapes, dtype=object)
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    plain = np.where(shapely.get_dimensions(shapes) == 2, shapes, shapely.Polygon())
    for i in mixed:
        parts = shapely.get_parts(shapes[i])
        plain[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return plain


def overlaps(shapes: Shapes, *, least: float = 0.0) -> Overlaps:
    """Pairs of polygons that share more than `least` square metres, in order of their positions."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    common = polygonal(shapely.intersection(shapes[first], shapes[second]))
    found = np.flatnonzero(shapely.area(common) > least)
    found = found[np.lexsort((second[found], first[found]))]
    return Overlaps(first[found], second[found], common[found])


def gaps(land: Shapes, shapes: Shapes) -> Shapes:
    """The part of each piece of land that no polygon covers; an empty polygon where none is left."""
    owner, shape = shapely.STRtree(shapes).query(land, predicate="intersects")
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(land) + 1))
    covered = np.array(
        [shapely.union_all(shapes[shape[order[a:b]]]) for a, b in pairwise(bounds)],
        dtype=object,
    )
    return polygonal(shapely.difference(land, covered)) if len(land) else covered


def outside(shapes: Shapes, land: Shapes, owner: Ints) -> Shapes:
    """The part of each polygon that lies outside its own land; all of it where `owner` is -1."""
    known = owner >= 0
    out = shapes.copy()
    out[known] = polygonal(shapely.difference(shapes[known], land[owner[known]]))
    return out


def largest_share(shapes: Shapes, land: Shapes) -> Ints:
    """Position of the piece of land that holds most of each polygon, ties by position; -1 where none holds any."""
    shape, owner = shapely.STRtree(land).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[shape], land[owner]))
    order = np.lexsort((owner, -area, shape))
    order = order[area[order] > 0]
    best = np.full(len(shapes), -1, dtype=np.intp)
    which, first = np.unique(shape[order], return_index=True)
    best[which] = owner[order[first]]
    return best


def extra_pieces(shapes: Shapes, land: Shapes, owner: Ints) -> Ints:
    """How many pieces each polygon has beyond one in each piece of its own land.

    A community in two pieces forces a grid that spans both into two; such are not extra. Pieces that touch in a point
    are two, and a piece outside the community is extra.

    Parameters
    ----------
    shapes
        Polygons and MultiPolygons.
    land, owner
        Communities, and which of them each polygon belongs to; -1 for none.
    """
    parts, shape = shapely.get_parts(shapes, return_index=True)
    pieces, piece_owner = shapely.get_parts(land, return_index=True)
    part, piece = shapely.STRtree(pieces).query(shapely.point_on_surface(parts), predicate="intersects")
    own = piece_owner[piece] == owner[shape[part]]
    home = np.full(len(parts), -1, dtype=np.intp)
    # in reverse, so that the first piece wins where communities overlap themselves
    home[part[own][::-1]] = piece[own][::-1]
    at_home = home >= 0
    forced = np.unique(np.column_stack((shape[at_home], home[at_home])), axis=0)[:, 0]
    allowed = np.maximum(1, np.bincount(forced, minlength=len(shapes)))
    counted: Ints = np.maximum(0, np.bincount(shape, minlength=len(shapes)) - allowed)
    return counted
