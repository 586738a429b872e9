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
    # cut into pieces no longer than a cell: the box of such a piece touches at most two cells each way
    pieces = np.maximum(np.ceil(np.hypot(*(b - a).T) / side), 1).astype(np.int64)
    owner = np.repeat(np.arange(n), pieces)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    delta = (b - a)[owner]
    first = a[owner] + delta * (step / pieces[owner])[:, None]
    last = a[owner] + delta * ((step + 1) / pieces[owner])[:, None]
    limit = np.array([nx - 1, ny - 1])
    # a hair's breadth more, so that rounding cannot put a piece into a cell beside its own
    from_cell = np.clip(((np.minimum(first, last) - low - 1e-7) / side).astype(np.int64), 0, limit)
    to_cell = np.clip(((np.maximum(first, last) - low + 1e-7) / side).astype(np.int64), 0, limit)
    keys = []
    for di in (0, 1):
        for dj in (0, 1):
            i, j = from_cell[:, 0] + di, from_cell[:, 1] + dj
            inside = (i <= to_cell[:, 0]) & (j <= to_cell[:, 1])
            keys.append((j[inside] * nx + i[inside]) * n + owner[inside])
    # several times faster than np.unique, which hashes
    key = np.sort(np.concatenate(keys))
    key = key[np.concatenate(([True], key[1:] != key[:-1]))]
    start = np.zeros(nx * ny + 1, dtype=np.int64)
    np.cumsum(np.bincount(key // n, minlength=nx * ny), out=start[1:])
    return GroundIndex(float(low[0]), float(low[1]), float(side), nx, ny, start, (key % n).astype(np.int32))
