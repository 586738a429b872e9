"""Kernel: the cells of a uniform grid that segments touch."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

# A hair's breadth more, so that rounding cannot put a segment into a cell beside its own. Metres.
HAIR = 1e-7


@compiled
def _cell(at: float, low: float, side: float, count: int) -> int:
    """The row or column of cells that a coordinate lies in."""
    return min(max(int(np.floor((at - low) / side)), 0), count - 1)


@compiled
def cells_of_segments(
    a: np.ndarray, b: np.ndarray, frame: tuple[float, float, float], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The segments of each cell.

    Parameters
    ----------
    a, b
        (n, 2) float64 metres: the ends of each segment.
    frame, shape
        x0, y0, side and nx, ny of the cells; see `gridmap.network.ground_index.GroundIndex`.

    Returns
    -------
    start (nx * ny + 1,) int64, item (m,) int32: the segments of cell c are ``item[start[c]:start[c + 1]]``, rising.
    """
    x0, y0, side = frame
    nx, ny = shape
    start = np.zeros(nx * ny + 2, dtype=np.int64)
    item = np.empty(0, dtype=np.int32)
    last = np.full(nx * ny, -1, dtype=np.int64)
    # counted first and filled then; where a cell begins is moved on as it is filled, and stands one further back
    for filling in (False, True):
        if filling:
            for c in range(nx * ny + 1):
                start[c + 1] += start[c]
            item = np.empty(start[nx * ny + 1], dtype=np.int32)
            last[:] = -1
        for s in range(len(a)):
            dx, dy = b[s, 0] - a[s, 0], b[s, 1] - a[s, 1]
            # cut into pieces no longer than a cell: the box of such a piece touches at most two cells each way
            pieces = max(int(np.ceil(np.sqrt(dx * dx + dy * dy) / side)), 1)
            for k in range(pieces):
                x, y = a[s, 0] + dx * (k / pieces), a[s, 1] + dy * (k / pieces)
                u, v = a[s, 0] + dx * ((k + 1) / pieces), a[s, 1] + dy * ((k + 1) / pieces)
                for j in range(_cell(min(y, v) - HAIR, y0, side, ny), _cell(max(y, v) + HAIR, y0, side, ny) + 1):
                    for i in range(_cell(min(x, u) - HAIR, x0, side, nx), _cell(max(x, u) + HAIR, x0, side, nx) + 1):
                        c = j * nx + i
                        if last[c] == s:
                            continue
                        last[c] = s
                        if filling:
                            item[start[c + 1]] = s
                            start[c + 1] += 1
                        else:
                            start[c + 2] += 1
    return start[: nx * ny + 1], item
