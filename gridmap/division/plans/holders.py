"""Who holds a point: the first of the polygons around it, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["first_holder", "homes", "rank"]


def rank(ids: pd.Series) -> Ints:
    """Place of each id in sorted order."""
    place = np.empty(len(ids), dtype=np.intp)
    place[np.argsort(ids.to_numpy(dtype=str), kind="stable")] = np.arange(len(ids))
    return place


def first_holder(point: Shapes, shapes: Shapes, rank: Ints) -> Ints:
    """Position of the polygon that holds each point, the one of lowest rank where several do; -1 for none."""
    shape, row = shapely.STRtree(point).query(shapes, predicate="intersects")
    return _first(len(point), row, shape, rank[shape])


def homes(point: Shapes, building_owner: Ints, shapes: Shapes, owner: Ints, rank: Ints) -> Ints:
    """Position of the grid of each point: of its own community first, then the lower grid id; -1 for none."""
    grid, row = shapely.STRtree(point).query(shapes, predicate="intersects")
    stranger = owner[grid] != building_owner[row]
    return _first(len(point), row, grid, stranger * len(shapes) + rank[grid])


def _first(size: int, row: Ints, value: Ints, rank: Ints) -> Ints:
    order = np.lexsort((rank, row))
    which, first = np.unique(row[order], return_index=True)
    out = np.full(size, -1, dtype=np.intp)
    out[which] = value[order[first]]
    return out
