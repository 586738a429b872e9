"""Kernel: which points lie inside which closed lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["points_in_rings"]


@compiled
def points_in_rings(
    ring_xy: NDArray[np.float64],
    start: NDArray[np.int64],
    xy: NDArray[np.float64],
    asked: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Points inside an odd number of rings, and rings that hold a point asked for.

    A ray from each point to the left meets a ring an odd number of times if the point is inside. The points are found
    by their y, so that the short segments of contours meet few of them.

    Parameters
    ----------
    ring_xy, start
        Vertices (v, 2), the first one repeated at the end: those of ring r are ``start[r]:start[r + 1]``.
    xy
        Points (p, 2), sorted by y.
    asked
        (p,): the points that rings are asked about.

    Returns
    -------
    odd (p,), holds (r,)
    """
    n = len(xy)
    odd = np.zeros(n, dtype=np.bool_)
    within = np.zeros(n, dtype=np.bool_)
    holds = np.zeros(len(start) - 1, dtype=np.bool_)
    for r in range(len(start) - 1):
        first_met, last_met = n, 0
        for i in range(start[r], start[r + 1] - 1):
            ax, ay, bx, by = ring_xy[i, 0], ring_xy[i, 1], ring_xy[i + 1, 0], ring_xy[i + 1, 1]
            low, high = min(ay, by), max(ay, by)
            # the first point that is not below the segment
            k, end = 0, n
            while k < end:
                middle = (k + end) // 2
                if xy[middle, 1] < low:
                    k = middle + 1
                else:
                    end = middle
            first_met = min(first_met, k)
            while k < n and xy[k, 1] < high:
                if ax + (xy[k, 1] - ay) / (by - ay) * (bx - ax) < xy[k, 0]:
                    within[k] = not within[k]
                k += 1
            last_met = max(last_met, k)
        for k in range(first_met, last_met):
            if within[k]:
                odd[k] = not odd[k]
                holds[r] = holds[r] or asked[k]
                within[k] = False
    return odd, holds
