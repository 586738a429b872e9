"""Put back: what was found for things in another order, part by part, in the order of the things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Longs = npt.NDArray[np.int64]

__all__ = ["put_back"]


def put_back(order: npt.NDArray[np.integer], parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What was found for some things in another order.

    Parameters
    ----------
    order
        (n,): the things in the order in which they were looked at.
    parts
        For each part of them a pointer and columns: what was found for its i-th thing is ``ptr[i]:ptr[i + 1]``.

    Returns
    -------
    Pointer (n + 1,) and columns: what belongs to thing i is ``ptr[i]:ptr[i + 1]``.

    Examples
    --------
    >>> ptr, column = put_back(np.array([1, 0]), [(np.array([0, 2, 3]), np.array([7.0, 8.0, 9.0]))])
    >>> ptr.tolist(), column.tolist()
    ([0, 1, 3], [9.0, 7.0, 8.0])
    """
    ends = np.cumsum([len(part[0]) - 1 for part in parts])
    rows = np.split(order, ends[:-1])
    ptr = np.zeros(len(order) + 1, dtype=np.int64)
    for row, part in zip(rows, parts, strict=True):
        ptr[row + 1] = np.diff(part[0])
    np.cumsum(ptr, out=ptr)
    columns = [np.empty(ptr[-1], dtype=values.dtype) for values in parts[0][1:]]
    map_tasks(_put, [(ptr[row], part, columns) for row, part in zip(rows, parts, strict=True)])
    return ptr, *columns


def _put(task: Any) -> None:
    from gridmap.network.put_back_kernel import put_runs

    begin, (ptr, *found), columns = task
    for values, column in zip(found, columns, strict=True):
        put_runs(begin, ptr, values, column)
