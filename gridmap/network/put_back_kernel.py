"""Kernel: runs of values put where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.compiled import compiled

if TYPE_CHECKING:
    import numpy as np


@compiled
def put_runs(begin: np.ndarray, ptr: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Put the run ``ptr[i]:ptr[i + 1]`` of `values` into `out` from ``begin[i]`` on.

    `begin` (n,) and `ptr` (n + 1,) int64; `values` and `out` of one type.
    """
    for i in range(len(begin)):
        shift = begin[i] - ptr[i]
        for k in range(ptr[i], ptr[i + 1]):
            out[shift + k] = values[k]
