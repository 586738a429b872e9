"""Kernel: the outlines of where a raster is below a level, by marching squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["trace_outlines"]

# A border keeps this share of the way between two cells away from either, so that no two of its corners meet.
_HAIR = 1e-6


@compiled
def _share(
    low: float,
    high: float,
    level: float,
    leap: float,
) -> float:
    """How far from a cell to the next one, on either side of the level, the border lies."""
    a = min(max(low - level, -leap), leap)
    b = min(max(high - level, -leap), leap)
    return min(max(a / (a - b), _HAIR), 1.0 - _HAIR)


@compiled
def _way_out(
    values: NDArray[np.float32],
    row: int,
    column: int,
    entry: int,
    level: float,
    leap: float,
) -> int:
    """By which side a border that enters a square of four cells leaves it.

    Sides and corners go around: side 0 is that from corner 0 (south-west) to corner 1 (south-east). A border has the
    land below the level to its left, so that it enters between a corner below and the next one above.
    """
    # the corners beyond the side that it enters by
    far = (entry + 2) % 4
    last = (entry + 3) % 4
    far_below = values[row + (far >= 2), column + (far == 1 or far == 2)] < level
    last_below = values[row + (last >= 2), column + (last == 1 or last == 2)] < level
    if not far_below:
        return far if last_below else last
    if last_below:
        return (entry + 1) % 4
    # two corners below across from each other: they are joined where the middle is below
    middle = 0.0
    for i in range(2):
        for j in range(2):
            middle += min(max(values[row + i, column + j] - level, -leap), leap)
    return (entry + 1) % 4 if middle < 0.0 else last


@compiled
def trace_outlines(
    values: NDArray[np.float32],
    level: float,
    leap: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Closed lines around the cells below a level.

    Parameters
    ----------
    values
        (rows, columns); those along the edge are not below the level.
    level
        What values must be below.
    leap
        Values farther than this from the level count as so far from it; finite.

    Returns
    -------
    xy (v, 2) float64
        Corners in columns and rows, the first of each line repeated at its end. Outlines go counter-clockwise, holes
        clockwise.
    start (r + 1,) int64
        Those of line r are ``start[r]:start[r + 1]``.
    polygon (r,) int64
        Which polygon it bounds; the first line of each is its outline, the others are its holes.
    """
    rows, columns = values.shape
    upright, level_lines = 0, 0
    for row in range(rows - 1):
        for column in range(columns - 1):
            below = values[row, column] < level
            upright += below != (values[row, column + 1] < level)
            level_lines += below != (values[row + 1, column] < level)
    # every closed line passes between two cells of a row at least twice, and repeats its first corner
    xy = np.empty((upright + level_lines + upright // 2, 2), dtype=np.float64)
    start = np.zeros(upright // 2 + 1, dtype=np.int64)
    polygon = np.empty(upright // 2, dtype=np.int64)
    # the line that passes between a cell and the next in its row, counted from 1
    line_at = np.zeros((rows, columns), dtype=np.int32)
    lines, polygons, corners = 0, 0, 0
    for first_row in range(rows - 1):
        left_line = 0
        for first_column in range(columns - 1):
            below = values[first_row, first_column] < level
            if below == (values[first_row, first_column + 1] < level):
                continue
            if line_at[first_row, first_column] == 0:
                # met first from outside it is an outline, from within the hole of what the line to its left bounds
                if below:
                    polygon[lines] = polygon[left_line - 1]
                else:
                    polygon[lines] = polygons
                    polygons += 1
                lines += 1
                row, column, side = (first_row, first_column, 0) if below else (first_row - 1, first_column, 2)
                begin = corners
                while True:
                    if side == 0 or side == 2:
                        at = row + side // 2
                        if line_at[at, column] != 0:
                            break
                        line_at[at, column] = lines
                        xy[corners, 0] = column + _share(values[at, column], values[at, column + 1], level, leap)
                        xy[corners, 1] = at
                    else:
                        at = column + (side == 1)
                        xy[corners, 0] = at
                        xy[corners, 1] = row + _share(values[row, at], values[row + 1, at], level, leap)
                    corners += 1
                    side = _way_out(values, row, column, side, level, leap)
                    # on into the next square, by the side across
                    row += (side == 2) - (side == 0)
                    column += (side == 1) - (side == 3)
                    side = (side + 2) % 4
                xy[corners, 0], xy[corners, 1] = xy[begin, 0], xy[begin, 1]
                corners += 1
                start[lines] = corners
            left_line = line_at[first_row, first_column]
    return xy[:corners], start[: lines + 1], polygon[:lines]
