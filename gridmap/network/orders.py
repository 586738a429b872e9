"""Orders: things sorted by whole numbers, and places in the order of the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

__all__ = ["ground_order", "grouped", "order_by"]


def grouped(key: npt.NDArray[np.int32], count: int) -> tuple[Longs, Longs]:
    """Where each of so many keys begins once sorted, and the order that sorts them, equal ones as they were.

    Examples
    --------
    >>> ptr, order = grouped(np.array([1, 0, 1], dtype=np.int32), 2)
    >>> ptr.tolist(), order.tolist()
    ([0, 1, 3], [1, 0, 2])
    """
    from scipy.sparse import csr_array

    # a matrix of one column a key, whose transposition counts and does not compare
    whole = csr_array((np.arange(len(key)), key, np.array([0, len(key)])), shape=(1, max(count, 1))).tocsc()
    ptr = np.zeros(count + 1, dtype=np.int64)
    ptr[1:] = whole.indptr[1 : count + 1]
    return ptr, whole.data


def order_by(key: npt.NDArray[np.integer], *ties: npt.NDArray[np.generic]) -> Longs:
    """The order by whole numbers, and by `ties` in turn where these are equal; quick where they seldom are.

    Examples
    --------
    >>> order_by(np.array([2, 1, 2]), np.array([9.0, 5.0, 8.0])).tolist()
    [1, 2, 0]
    """
    order = np.argsort(key)
    here = key[order]
    same = here[1:] == here[:-1]
    tied = np.flatnonzero(np.concatenate((same, [False])) | np.concatenate(([False], same)))
    if len(tied):
        rows = np.sort(order[tied])
        order[tied] = rows[np.lexsort((*(values[rows] for values in reversed(ties)), key[rows]))]
    return order


def ground_order(xy: Floats) -> Longs:
    """Order of points (n, 2) along a Z-shaped curve over the ground, ties by x and y.

    Neighbours on the ground are then neighbours in memory, which a search feels.
    """
    if not len(xy):
        return np.empty(0, dtype=np.int64)
    low = xy.min(axis=0)
    side = max(float((xy.max(axis=0) - low).max()), 1e-9)
    cell = np.minimum((xy - low) / side * 65536, 65535).astype(np.int64)
    return order_by(_spread(cell[:, 0]) | (_spread(cell[:, 1]) << 1), xy[:, 0], xy[:, 1])


def _spread(bits: Longs) -> Longs:
    """16 bits with an empty bit after each."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << shift)) & mask
    return bits
