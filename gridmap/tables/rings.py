"""Rings: invalid polygons mended where they can be read in one way only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mend_rings"]

# Two readings of a ring are one when their land differs by no more than this part of it: the rounding of crossings.
_SAME = 1e-9


def mend_rings(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Valid polygons in place of invalid ones; None for those that could mean two things.

    Rings and pieces drawn twice are dropped first. Then GEOS reads the rings in both ways it knows: by their lines
    (land inside an odd number of rings) and by their structure (shells less holes). Where both give the same land,
    and all of it within the shells, the shape is certain: a bow-tie, a spike, a vertex touched twice. Else, as with a
    loop that covers land twice or a hole outside its shell, nobody but its author knows.

    Parameters
    ----------
    shapes
        Polygons and MultiPolygons. Other shapes give None.
    """
    out = np.full(len(shapes), None, dtype=object)
    areal = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6)))
    plain = _without_doubles(shapes[areal])
    by_structure = shapely.make_valid(plain, method="structure", keep_collapsed=False)
    by_lines = _areas(shapely.make_valid(plain, method="linework"))
    land = shapely.area(by_structure)
    differ = shapely.area(shapely.symmetric_difference(by_structure, by_lines))
    astray = shapely.area(shapely.difference(by_structure, _shells(plain)))
    certain = (land > 0) & (differ <= _SAME * land) & (astray <= _SAME * land)
    out[areal[certain]] = by_structure[certain]
    return out


def _shells(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The land within the outer rings of each shape."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    filled = shapely.polygons(shapely.get_exterior_ring(parts))
    filled = shapely.make_valid(filled, method="structure", keep_collapsed=False)
    return np.array([shapely.union_all(filled[row == i]) for i in range(len(shapes))], dtype=object)


def _areas(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The polygons of each shape as one; lines and points, which have no area, are dropped."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    inner, of = shapely.get_parts(parts, return_index=True)
    areal = shapely.get_dimensions(inner) == 2
    out = np.full(len(shapes), shapely.MultiPolygon(), dtype=object)
    return np.asarray(shapely.multipolygons(inner[areal], indices=row[of[areal]], out=out))


def _without_doubles(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Each shape without the pieces, and the holes of a piece, that repeat an earlier one."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    hole = np.r_[False, part[1:] == part[:-1]] if len(part) else np.zeros(0, dtype=bool)
    double_part = _repeated(parts, row)
    double_hole = _repeated(np.asarray(shapely.polygons(rings)), np.where(hole, part, -1 - part))
    out = shapes.copy()
    for i in np.union1d(row[double_part], row[part[double_hole]]).tolist():
        own = []
        for p in np.flatnonzero((row == i) & ~double_part):
            first, *more = np.flatnonzero((part == p) & ~double_hole)
            own.append(shapely.Polygon(rings[first], list(rings[more])))
        out[i] = own[0] if len(own) == 1 else shapely.MultiPolygon(own)
    return out


def _repeated(shapes: NDArray[np.object_], owner: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether the same shape of the same owner stands further up, wherever its ring starts and however it runs."""
    keys = pd.DataFrame({"owner": owner, "key": shapely.to_wkb(shapely.normalize(shapes))})
    return keys.duplicated().to_numpy()
