"""Compiled: a short closed tour through the doors of each grid."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

__all__ = ["shorten_tours"]


@compiled
def shorten_tours(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, tour: np.ndarray, window: int, rounds: int
) -> np.ndarray:
    """Length of the closed tour through the points of each group, after 2-opt on the order given.

    Two legs of a tour are exchanged for the two that undo their crossing as long as that shortens it, for legs at most
    `window` stops apart, in at most `rounds` rounds: linear in the number of points.

    Parameters
    ----------
    x, y
        Points, float64 (n,), metres.
    start
        First place in `tour` of each group, int64 (groups + 1,).
    tour
        Points in the order of the tour, group after group, int64 (n,); changed in place.
    window, rounds
        int64.

    Returns
    -------
    float64 (groups,): metres; 0 for a group of fewer than two points.
    """
    groups = len(start) - 1
    length = np.zeros(groups)
    for g in range(groups):
        first, n = start[g], start[g + 1] - start[g]
        if n < 2:
            continue
        for _ in range(rounds):
            better = False
            for i in range(n - 2):
                last = min(i + window, n - 1)
                for j in range(i + 2, last + 1):
                    a, b = tour[first + i], tour[first + i + 1]
                    c, d = tour[first + j], tour[first + (j + 1) % n]
                    if a == d:
                        continue
                    now = np.hypot(x[a] - x[b], y[a] - y[b]) + np.hypot(x[c] - x[d], y[c] - y[d])
                    then = np.hypot(x[a] - x[c], y[a] - y[c]) + np.hypot(x[b] - x[d], y[b] - y[d])
                    if then < now - 1e-9:
                        low, high = first + i + 1, first + j
                        while low < high:
                            tour[low], tour[high] = tour[high], tour[low]
                            low += 1
                            high -= 1
                        better = True
            if not better:
                break
        for i in range(n):
            a, b = tour[first + i], tour[first + (i + 1) % n]
            length[g] += np.hypot(x[a] - x[b], y[a] - y[b])
    return length
