"""Contours: polygons of where a raster is below a level, with borders between its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Frame", "frame_around", "polygons_below"]


@dataclass(frozen=True)
class Frame:
    """Where a raster lies: centre of its cell (0, 0), side of a cell in metres, rows (northwards) and columns."""

    left: float
    bottom: float
    side: float
    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.columns

    def part(self, rows: slice, columns: slice) -> Frame:
        """The frame of a rectangle of cells."""
        return Frame(
            self.left + columns.start * self.side,
            self.bottom + rows.start * self.side,
            self.side,
            rows.stop - rows.start,
            columns.stop - columns.start,
        )

    def cell_of(self, xy: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the cell whose centre is nearest; may lie outside the raster."""
        column = np.rint((xy[:, 0] - self.left) / self.side).astype(np.int64)
        return np.rint((xy[:, 1] - self.bottom) / self.side).astype(np.int64), column


def frame_around(bounds: NDArray[np.float64] | tuple[float, ...], side: float, margin: float) -> Frame:
    """The raster over a box and a margin; its cells lie on multiples of the side, whatever the box."""
    first_column, first_row = (int(np.floor((low - margin) / side)) for low in bounds[:2])
    last_column, last_row = (int(np.ceil((high + margin) / side)) for high in bounds[2:])
    return Frame(first_column * side, first_row * side, side, last_row - first_row + 1, last_column - first_column + 1)


def polygons_below(
    raster: NDArray[np.floating[Any]], frame: Frame, level: float, *, leap: float = np.inf
) -> NDArray[np.object_]:
    """Polygons, valid and apart from one another, of where a raster of shape (rows, columns) is below a level.

    Between cell centres the values are taken as linear along the lines that join them. Outside the raster they are
    above the level.

    Parameters
    ----------
    raster, frame
        The values, and where they lie.
    level
        What values must be below.
    leap
        Values farther than this from the level count as so far from it: where neighbours lie that far apart on either
        side, the border runs midway.
    """
    from gridmap.coverage.land.contour_kernel import trace_outlines

    below = raster < level
    if not below.any():
        return np.empty(0, dtype=object)
    rows, columns = (_extent(np.any(below, axis=axis)) for axis in (1, 0))
    # one cell more on each side: the neighbours that the border runs between
    inner = (slice(max(rows.start - 1, 0), rows.stop + 1), slice(max(columns.start - 1, 0), columns.stop + 1))
    z = np.ascontiguousarray(raster[inner], dtype=np.float32)
    pads = [
        (int(rows.start == 0), int(rows.stop == raster.shape[0])),
        (int(columns.start == 0), int(columns.stop == raster.shape[1])),
    ]
    if not np.isfinite(leap):
        leap = float(np.abs(z[np.isfinite(z)] - level).max())
    if any(map(any, pads)):
        z = np.pad(z, pads, constant_values=np.inf)
    xy, start, polygon = trace_outlines(z, float(level), float(leap))
    corner = frame.part(slice(inner[0].start - pads[0][0], 0), slice(inner[1].start - pads[1][0], 0))
    xy = xy * frame.side + [corner.left, corner.bottom]
    # holes behind the outlines that they belong to
    order = np.argsort(polygon, kind="stable")
    size = np.diff(start)[order]
    ring = np.append(0, np.cumsum(size))
    at = np.arange(len(xy)) + np.repeat(start[:-1][order] - ring[:-1], size)
    first = np.append(0, np.cumsum(np.bincount(polygon)))
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy[at], (ring, first)), dtype=object)


def _extent(filled: NDArray[np.bool_]) -> slice:
    """From the first to the last true value."""
    where = np.flatnonzero(filled)
    return slice(int(where[0]), int(where[-1]) + 1)
