"""Workers: the same work on several arguments, side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["map_tasks"]


def map_tasks(work: Callable[[Any], Any], tasks: Sequence[Any], executor: Any = None) -> list[Any]:
    """What the work gives for each task, in their order.

    Parameters
    ----------
    work
        A function of one argument; at the top of a file, so that any executor can carry it.
    tasks
        The arguments.
    executor
        Anything with a `map`; None for as many threads as there are processors, which is enough for compiled kernels.
    """
    if executor is not None:
        return list(executor.map(work, tasks))
    workers = min(os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        return [work(task) for task in tasks]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, tasks))
