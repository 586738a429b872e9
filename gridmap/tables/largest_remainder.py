"""The largest remainder: shares as whole numbers that add up, nothing lost and nothing made (Hamilton's method)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["largest_remainder"]

# Decimals to which remainders are compared: order of summation must not decide who gets a household.
_EQUAL = 9


def largest_remainder(weight: Array, group: Ints, totals: Ints | None = None) -> Ints:
    """Whole numbers in proportion to the weights of each group that add up to its total.

    Each gets the whole part of its share, and the largest remainders one more; of equal ones the first. Without
    `totals` the weights are the shares, and each group's total is their sum, rounded.

    Examples
    --------
    >>> largest_remainder(np.array([1.0, 1.0, 1.0]), np.array([0, 0, 0]), np.array([10])).tolist()
    [4, 3, 3]
    """
    count = int(group.max()) + 1 if len(group) else 0
    sums = np.bincount(group, weight, count)
    if totals is None:
        share, wanted = weight, np.floor(sums + 0.5).astype(np.int64)
    else:
        wanted = np.where(sums > 0, totals[:count], 0)
        share = weight / np.where(sums > 0, sums, 1.0)[group] * wanted[group]
    share = np.round(share, _EQUAL)
    out = np.floor(share).astype(np.int64)
    lacking = wanted - np.bincount(group, out, count).astype(np.int64)
    # within each group, the largest remainders first
    order = np.lexsort((np.arange(len(group)), np.round(out - share, _EQUAL), group))
    first = np.r_[0, np.cumsum(np.bincount(group, minlength=count))[:-1]] if count else np.zeros(0, dtype=np.int64)
    place = np.arange(len(group)) - first[group[order]].astype(np.int64)
    out[order[place < lacking[group[order]]]] += 1
    return out
