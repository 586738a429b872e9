"""Lids on cracks: the lines that cut a narrow gap where other polygons begin, and close it where it opens outwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.tables.mouths import lines_across, mouth_lids, near_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

__all__ = ["lids"]


def lids(shapes: Shapes, to_metric: Callable[[Shapes], Shapes], width: float) -> Shapes:
    """Lines across cracks narrower than `width`, in the CRS of the polygons, so that each stretch has two neighbours.

    Cracks around several polygons hang together; as one face they would all go to one neighbour, far from its land.
    A lid leaves a vertex that lies within `width` of three polygons, for those it does not touch. Others close the
    mouths.

    Parameters
    ----------
    shapes
        Valid polygons.
    to_metric
        Moves shapes into metres, vertex by vertex.
    width
        m.
    """
    metric = to_metric(shapes)
    xy = np.unique(shapely.get_coordinates(shapes), axis=0)
    corners = shapely.points(xy)
    near = near_pairs(to_metric(corners), metric, width)
    several = np.bincount(near[0], minlength=len(xy)) > 2
    place, row = near[:, several[near[0]]]
    across = lines_across(corners, place, row, shapes, metric, to_metric)
    return np.r_[across, mouth_lids(shapes, metric, to_metric, width, shapely.union_all(shapes))]
