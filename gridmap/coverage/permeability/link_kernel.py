"""Kernel: what a short cut at each place could be worth, summed over the homes that come by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.compiled import compiled

if TYPE_CHECKING:
    import numpy as np


@compiled
def potential(
    home_ptr: np.ndarray,
    place: np.ndarray,
    cost: np.ndarray,
    weight: np.ndarray,
    now: np.ndarray,
    onwards: np.ndarray,
    limit: np.ndarray,
    saving: bool,
    worth: np.ndarray,
) -> None:
    """Add to `worth` what the homes gain that could go on from each place at the cost given there.

    Parameters
    ----------
    home_ptr, place, cost
        Places that each home reaches, and at which cost (int64, int32, float64).
    weight, now
        (h,) and (h, c) float64: households of each home, and its cost to each category today, infinite beyond the
        limit.
    onwards
        (p, c) float64: least cost from each place through a new link to each category, infinite where none helps.
    limit
        (c,) float64.
    saving
        Whether cost saved up to the limit is summed, or households that come within the limit.
    worth
        (p, c) float64, added to.
    """
    for home in range(len(home_ptr) - 1):
        for i in range(home_ptr[home], home_ptr[home + 1]):
            p = place[i]
            for c in range(len(limit)):
                then = cost[i] + onwards[p, c]
                if then > limit[c]:
                    continue
                if saving:
                    saved = min(now[home, c], limit[c]) - then
                    if saved > 0.0:
                        worth[p, c] += weight[home] * saved
                elif now[home, c] > limit[c]:
                    worth[p, c] += weight[home]
