"""Spreading: a total shared out in whole numbers, by weights, nothing lost and nothing made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.tables.largest_remainder import largest_remainder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["spread"]


def spread(totals: NDArray[np.float64], group: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each group's total shared among its members by weight, by the method of the largest remainder (Hamilton's).

    Parameters
    ----------
    totals
        Of each group, shape (groups,), 0 or more. The part of a total that is not whole goes to the largest share.
    group
        Group of each member, shape (members,).
    weight
        Of each member, 0 or more; where a group has none, its members share alike. Of equal remainders the
        first member's is served first: put the members into an order that means something.

    Returns
    -------
    ndarray
        Shape (members,): whole numbers where the totals are; each group sums to its total.

    Examples
    --------
    >>> spread(np.array([10.0]), np.array([0, 0, 0]), np.array([1.0, 1.0, 1.0])).tolist()
    [4.0, 3.0, 3.0]
    """
    count = len(totals)
    none = np.bincount(group, weight, count) <= 0
    weight = np.where(none[group], 1.0, weight)
    whole = np.floor(totals)
    out = largest_remainder(weight, group, whole.astype(np.int64)).astype(np.float64)
    largest = np.lexsort((np.arange(len(group)), -weight, group))
    start = np.searchsorted(group[largest], np.arange(count))
    filled = np.bincount(group, minlength=count) > 0
    out[largest[start[filled]]] += (totals - whole)[filled]
    return out
