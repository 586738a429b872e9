"""Compiled: the best division of a few atoms, by dynamic programming over their subsets.

A subset is a whole number whose bit i says whether atom i is in it. The best division of a subset is a connected part
that holds its lowest atom, and the best division of the others: 3^n steps in all for n atoms.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

_ROUNDING = 1e-9


@compiled
def connected_subsets(near: np.ndarray) -> np.ndarray:
    """Which subsets of n atoms are connected: bool (2^n,); `near` is int64 (n,), the neighbours of each as a subset."""
    n = len(near)
    connected = np.zeros(1 << n, np.bool_)
    for mask in range(1, 1 << n):
        seen, grown = mask & -mask, mask & -mask
        while grown:
            around = grown & 0
            for i in range(n):
                if (grown >> i) & 1:
                    around |= near[i]
            grown = around & mask & ~seen
            seen |= grown
        connected[mask] = seen == mask
    return connected


@compiled
def best_division(connected: np.ndarray, illegal: np.ndarray, outside: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Divide all atoms at the least cost: illegal parts, then weight outside the band, then parts, then shape.

    Parameters
    ----------
    connected
        bool (2^n,), which subsets may be a part.
    illegal
        int64 (2^n,), how many illegal parts each counts as.
    outside, shape
        float64 (2^n,), weight outside the band, and what it costs in shape.

    Returns
    -------
    ndarray
        int64 (2^n,): of the best division of each subset, the part that holds its lowest atom.
    """
    count = len(connected)
    part = np.zeros(count, np.int64)
    best_illegal, best_parts = np.zeros(count, np.int64), np.zeros(count, np.int64)
    best_outside, best_shape = np.zeros(count, np.float64), np.zeros(count, np.float64)
    for mask in range(1, count):
        rest = mask & (mask - 1)
        first = mask ^ rest
        sub = rest
        while True:
            one = first | sub
            if connected[one]:
                other = mask ^ one
                bad = illegal[one] + best_illegal[other]
                off = outside[one] + best_outside[other]
                parts = best_parts[other] + 1
                cost = shape[one] + best_shape[other]
                better = part[mask] == 0
                if not better:
                    if bad != best_illegal[mask]:
                        better = bad < best_illegal[mask]
                    elif abs(off - best_outside[mask]) > _ROUNDING:
                        better = off < best_outside[mask]
                    elif parts != best_parts[mask]:
                        better = parts < best_parts[mask]
                    else:
                        better = cost < best_shape[mask] - _ROUNDING
                if better:
                    part[mask] = one
                    best_illegal[mask], best_outside[mask] = bad, off
                    best_parts[mask], best_shape[mask] = parts, cost
            if sub == 0:
                break
            sub = (sub - 1) & rest
    return part
