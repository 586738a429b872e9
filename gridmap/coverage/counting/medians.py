"""Medians: the middle value of each group, where each value counts for as many as live there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["weighted_medians"]

# Sums in two orders differ in their last digits; half of a weight must not hang on these.
_ROUNDING = 1e-9


def weighted_medians(
    group: NDArray[np.integer], values: NDArray[np.float64], weights: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Of each group the least value that at least half of its weight does not exceed.

    Parameters
    ----------
    group
        Number of the group of each value.
    values, weights
        Those without a value (NaN) come last: where more than half of the weight has none, neither has the group.
    count
        How many groups there are.

    Returns
    -------
    ndarray
        float64 (count,), NaN for a group without rows.

    Examples
    --------
    >>> weighted_medians(np.array([0, 0, 0, 1]), np.array([9.0, 2.0, 4.0, 7.0]), np.array([1.0, 1.0, 2.0, 1.0]), 3)
    array([ 4.,  7., nan])
    """
    order = np.lexsort((values, group))
    group, values, weights = group[order], values[order], weights[order]
    whole = np.bincount(group, weights, count)
    before = np.concatenate(([0.0], np.cumsum(whole)))[group]
    reached = np.cumsum(weights) - before >= whole[group] * (0.5 - _ROUNDING)
    found, first = np.unique(group[reached], return_index=True)
    out = np.full(count, np.nan)
    out[found] = values[reached][first]
    return out
