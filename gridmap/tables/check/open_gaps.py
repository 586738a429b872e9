"""Open gaps: borders of two units that run side by side without touching, so narrowly that nobody lives between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.check.measures import narrow
from gridmap.tables.mouths import mouth_lids

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["open_gaps"]

# m. The grid that lids are joined to the rim on, as for the repair.
_GRID = 1e-6


def open_gaps(shapes: NDArray[np.object_], land: Any, least: float, width: float) -> NDArray[np.object_]:
    """Land outside all units, from `least` m² on and narrower than `width`, that closing the mouths of cracks encloses.

    Gaps that units enclose are none of these, nor are notches between units that touch within `width` of the mouth.

    Parameters
    ----------
    shapes
        Valid polygons, in metres.
    land
        Their union.
    least
        m².
    width
        m.
    """
    present = shapes[~shapely.is_empty(shapes)]
    lids = mouth_lids(present, present, lambda same: same, width, land)
    if not len(lids):
        return np.empty(0, dtype=object)
    rims = shapely.get_exterior_ring(shapely.get_parts(land))
    lines = shapely.union_all(np.r_[rims, lids], grid_size=_GRID)
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))), dtype=object)
    bodies = shapely.STRtree(shapely.polygons(rims))
    inside = bodies.query(shapely.point_on_surface(faces), predicate="intersects")[0]
    outside = np.delete(faces, inside)
    outside = outside[(shapely.area(outside) >= least)]
    return outside[narrow(outside, width)]
