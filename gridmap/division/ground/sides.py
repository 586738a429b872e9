"""Sides: polygons that share borders vertex by vertex, taken apart into segments with what lies on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

__all__ = ["Sides", "node_lines", "sides", "vertex_numbers"]

# Lines are noded on a grid of a hundredth of a millimetre: fine enough that rounding moves the area of two hectares by
# less than a millionth, coarse enough that lines which are the same but for the last digits fall together.
GRID = 1e-5


@dataclass(frozen=True)
class Sides:
    """The segments of a coverage, each once, with what lies on either side of it.

    Attributes
    ----------
    start, end
        Coordinates of the ends, shape (n, 2), in metres.
    left, right
        Index of the polygon on each side, shape (n,); `right` is -1 on the outer border.
    """

    start: np.ndarray
    end: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Length of each segment in metres."""
        return np.asarray(np.hypot(*(self.end - self.start).T))

    def take(self, which: np.ndarray) -> Sides:
        """The segments chosen by a mask or by indices."""
        return Sides(self.start[which], self.end[which], self.left[which], self.right[which])


def sides(polygons: Any) -> Sides:
    """Segments of a coverage with the polygon on either side.

    Parameters
    ----------
    polygons
        Polygons or MultiPolygons that share borders vertex by vertex and do not overlap.

    Notes
    -----
    A segment belongs to its first polygon as `left`, whatever the direction of its ring. Interior is found by
    equality of coordinates, never by distance, so it is exact.
    """
    rings, polygon_of_ring = _rings(polygons)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    start, end, polygon = xy[:-1][same], xy[1:][same], polygon_of_ring[ring[:-1][same]]
    vertex = vertex_numbers(np.r_[start, end])
    a, b = vertex[: len(start)], vertex[len(start) :]
    key = np.minimum(a, b) * (vertex.max(initial=0) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.r_[True, key[1:] != key[:-1]] if len(key) else np.empty(0, dtype=bool)
    head = np.flatnonzero(first)
    twin = np.minimum(head + 1, len(key) - 1)
    paired = (twin > head) & (key[twin] == key[head]) if len(key) else np.empty(0, dtype=bool)
    left = polygon[order[head]]
    right = np.where(paired, polygon[order[twin]], -1) if len(key) else left
    return Sides(start[order[head]], end[order[head]], left, right)


def node_lines(lines: Any, *, on_grid: bool = True) -> Any:
    """Lines cut where they meet, each stretch once, as one geometry: ready to be walked around.

    On the grid, lines that nearly coincide fall together. Off it, in a third of the time, they must not.
    """
    return shapely.union_all(np.asarray(lines), grid_size=GRID if on_grid else None)


def _rings(polygons: Any) -> tuple[np.ndarray, np.ndarray]:
    parts, polygon_of_part = shapely.get_parts(np.asarray(polygons), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    return rings, polygon_of_part[part_of_ring]


def vertex_numbers(xy: np.ndarray) -> np.ndarray:
    """Number of each vertex, the same where the coordinates are the same: in order of x, then y."""
    """A number for each different place among the points, shape (n, 2), in order of appearance."""
    return np.asarray(pd.factorize(xy[:, 0] + 1j * xy[:, 1])[0])
