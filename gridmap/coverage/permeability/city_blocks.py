"""City blocks: the land that the streets people walk on enclose, and how large it is in each unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.coverage.counting.medians import weighted_medians
from gridmap.coverage.permeability.shared_ground import share_areas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

__all__ = ["block_sizes", "city_blocks"]

# A block counts as one of a unit's large ones where the unit holds this share of it, or it this share of the unit:
# what a border cuts off by a hair's breadth does not.
_PART = 0.01


def city_blocks(lines: Shapes, least_width: float) -> tuple[Shapes, int]:
    """The faces between lines in which a circle of some width fits, and the number of those that are narrower.

    Seen from above: lines that cross enclose land between them, whether they join or not. What is narrower is the
    ground between a pavement and its carriageway, or within a crossing.

    Parameters
    ----------
    lines
        Lines, metres.
    least_width
        Diameter of the circle, metres.
    """
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines))))
    wide = ~shapely.is_empty(shapely.buffer(faces, -least_width / 2, quad_segs=2)) if least_width > 0 else None
    if wide is None:
        return faces, 0
    return faces[wide], int((~wide).sum())


def block_sizes(blocks: Shapes, units: Shapes) -> dict[str, Floats]:
    """Number and size of the blocks of each unit, in hectares.

    A block that units divide counts in each by the share of its land there, and with its whole size: a unit within a
    superblock has less than one block, as large as that. The numbers of all units add up to the blocks they hold.

    Returns
    -------
    ``blocks``, ``block_ha_mean``, ``block_ha_median``, ``block_ha_largest``, each (units,), NaN without blocks; and
    ``block_land_share``, how much of the unit's land lies in blocks.
    """
    parts = share_areas(blocks, units)
    count, hectares, land = len(units), shapely.area(blocks) / 1e4, shapely.area(units) / 1e4
    number = parts.total(np.ones(len(blocks)), count)
    held = parts.total(hectares, count)
    size = hectares[parts.thing]
    large = (parts.share >= _PART) | (parts.share * size >= _PART * land[parts.unit])
    largest = np.full(count, -np.inf)
    np.maximum.at(largest, parts.unit[large], size[large])
    return {
        "blocks": number,
        "block_ha_mean": np.divide(held, number, out=np.full(count, np.nan), where=number > 0),
        "block_ha_median": weighted_medians(parts.unit, size, parts.share, count),
        "block_ha_largest": np.where(np.isfinite(largest), largest, np.nan),
        "block_land_share": held / land,
    }
