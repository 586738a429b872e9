"""Shared ground: which unit things on the map lie in, and what lies on a border is shared between both sides.

Units end in the middle of streets, so that a street on a border would belong to both or, by a hair's breadth, to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Shapes = NDArray[np.object_]

__all__ = ["BORDER_METRES", "Parts", "share_areas", "share_lines", "share_points"]

# What lies this near to a border lies on it: drawn borders follow the middle of a street no better.
BORDER_METRES = 1.0


class Parts(NamedTuple):
    """Parts of things in units: row of the thing, row of the unit, and how much of the thing it is, 0 to 1."""

    thing: Longs
    unit: Longs
    share: Floats

    def total(self, amount: Floats, units: int) -> Floats:
        """Amounts of the things summed by unit."""
        out = np.bincount(self.unit, weights=self.share * amount[self.thing], minlength=units)
        return out.astype(np.float64)


def share_points(xy: Floats, units: Shapes) -> Parts:
    """Points, (n, 2), in polygons; one on a border is shared equally."""
    tree = shapely.STRtree(shapely.points(xy))
    unit, point = tree.query(units, predicate="dwithin", distance=BORDER_METRES)
    order = np.lexsort((unit, point))
    unit, point = unit[order], point[order]
    return Parts(point, unit, 1 / np.bincount(point, minlength=len(xy))[point])


def share_lines(lines: Shapes, tree: shapely.STRtree, units: Shapes) -> Parts:
    """Lines in polygons, by length; what runs along a border is shared. `tree` is one over the lines."""
    return _share(tree, shapely.buffer(units, BORDER_METRES, quad_segs=2), lines, shapely.length)


def share_areas(areas: Shapes, units: Shapes) -> Parts:
    """Polygons in polygons, by area."""
    return _share(shapely.STRtree(areas), units, areas, shapely.area)


def _share(tree: shapely.STRtree, units: Shapes, things: Shapes, size: np.ufunc) -> Parts:
    """Things in polygons by some size; where polygons overlap, each gets its part of what they hold together."""
    shapely.prepare(units)
    unit, thing = tree.query(units, predicate="intersects")
    whole_unit, whole = tree.query(units, predicate="contains_properly")
    number = len(things)
    cut = ~np.isin(unit * number + thing, whole_unit * number + whole)
    share = np.ones(len(thing))
    full = size(things)
    part = size(shapely.intersection(things[thing[cut]], units[unit[cut]]))
    share[cut] = np.divide(part, full[thing[cut]], out=np.zeros(len(part)), where=full[thing[cut]] > 0)
    order = np.lexsort((unit, thing))
    unit, thing, share = unit[order], thing[order], share[order]
    held = np.bincount(thing, weights=share, minlength=number)
    kept = share > 0
    share = share / np.maximum(held, 1.0)[thing]
    return Parts(thing[kept], unit[kept], share[kept])
