"""Spreading: a total shared out in whole numbers, by weights, nothing lost and nothing made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
        Of each member, 0 or more; where a group has none, its members share alike. Of remainders equal to a millionth
        the first member's is served first: put the members into an order that means something.

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
    share = whole[group] * weight / np.bincount(group, weight, count)[group]
    # what is whole but for rounding is whole
    out = np.floor(share + 1e-9)
    left = whole - np.bincount(group, out, count)
    order = np.lexsort((np.arange(len(group)), np.round(out - share, 6), group))
    first = np.searchsorted(group[order], np.arange(count))
    rank = np.empty(len(group))
    rank[order] = np.arange(len(group)) - first[group[order]]
    out += rank < left[group]
    largest = np.lexsort((np.arange(len(group)), -np.round(share, 6), group))
    start = np.searchsorted(group[largest], np.arange(count))
    filled = np.bincount(group, minlength=count) > 0
    out[largest[start[filled]]] += (totals - whole)[filled]
    return out
