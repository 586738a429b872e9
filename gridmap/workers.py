"""Workers: the same work on several arguments, side by side; and how things are dealt out to them."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["deal", "map_tasks"]

# Work on many things is dealt out in so many parts, enough for what workers there are to be done at about one time.
_PARTS = 16


def deal(count: int, least: int = 1) -> list[tuple[int, int]]:
    """From where to where the parts of so many things go; none has fewer than `least`, but for a single one.

    Examples
    --------
    >>> deal(10, least=4)
    [(0, 5), (5, 10)]
    """
    parts = min(_PARTS, max(count // least, 1))
    return list(pairwise(part * count // parts for part in range(parts + 1)))


def map_tasks(work: Callable[[Any], Any], tasks: Sequence[Any], executor: Any = None) -> list[Any]:
    """What the work gives for each task, in their order.

    Parameters
    ----------
    work
        A function of one argument; at the top of a file, so that any executor can carry it.
    tasks
        The arguments.
    executor
        Anything with a `map`; None for as many threads as there are processors, since GEOS and compiled kernels release
        the lock of the interpreter.
    """
    if executor is not None:
        return list(executor.map(work, tasks))
    workers = min(os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        return [work(task) for task in tasks]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, tasks))
