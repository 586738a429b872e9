"""A uniform grid over segments: which of them may lie near a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["GroundIndex", "index_segments"]


class GroundIndex(NamedTuple):
    """Segments by square cells of the ground.

    Cell (i, j) covers ``x0 + i * side`` to the next in x and likewise in y; its segments are
    ``item[start[c]:start[c + 1]]`` with ``c = j * nx + i``. A segment stands in every cell that it touches.
    """

    x0: float
    y0: float
    side: float
    nx: int
    ny: int
    start: npt.NDArray[np.int64]
    item: npt.NDArray[np.int32]


def index_segments(a: Floats, b: Floats, side: float) -> GroundIndex:
    """Index of segments a[i] to b[i], both (n, 2) metres, in cells of about `side` metres.

    Cells grow where the ground is so wide that they would outnumber the segments many times.
    """
    n = len(a)
    if n == 0:
        return GroundIndex(0.0, 0.0, side, 1, 1, np.zeros(2, dtype=np.int64), np.empty(0, dtype=np.int32))
    low = np.minimum(a, b).min(axis=0)
    high = np.maximum(a, b).max(axis=0)
    while np.prod((high - low) / side + 1) > 8 * n + 1_000_000:
        side *= 2
    nx, ny = (((high - low) // side).astype(np.int64) + 1).tolist()
    from gridmap.network.ground_index_kernel import cells_of_segments

    start, item = cells_of_segments(
        np.ascontiguousarray(a), np.ascontiguousarray(b), (float(low[0]), float(low[1]), float(side)), (nx, ny)
    )
    return GroundIndex(float(low[0]), float(low[1]), float(side), nx, ny, start, item)
