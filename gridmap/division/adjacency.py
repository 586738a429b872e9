"""Adjacency: which atoms touch, how long their border is, and how much of it follows given lines."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.division.sides import Sides

__all__ = ["metres_near", "sum_by_pair"]


def metres_near(parts: Sides, lines: np.ndarray, distance: float) -> np.ndarray:
    """Metres of each segment that lie within a distance of the lines: exact, not sampled.

    What is near one straight stretch of a line is convex, so each stretch is near an interval of the segment; the
    intervals of all stretches are joined.
    """
    out = np.zeros(len(parts.start))
    if not len(lines) or not len(out):
        return out
    p, q = _stretches(lines)
    boxes = shapely.box(
        np.minimum(p, q)[:, 0] - distance, np.minimum(p, q)[:, 1] - distance,
        np.maximum(p, q)[:, 0] + distance, np.maximum(p, q)[:, 1] + distance,
    )  # fmt: skip
    segments = shapely.linestrings(np.stack([parts.start, parts.end], axis=1))
    at, line = shapely.STRtree(boxes).query(segments)
    low, high = _near_interval(parts.start[at], parts.end[at], p[line], q[line], distance)
    hit = high > low
    at, low, high = at[hit], low[hit], high[hit]
    out[: at.max(initial=-1) + 1] = _joined_length(at, low, high)
    return np.asarray(out * parts.length)


def sum_by_pair(a: np.ndarray, b: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sums of values by unordered pair: lower, higher, then one array a value; pairs in order."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    n = int(high.max(initial=0)) + 1
    key, inverse = np.unique(low * n + high, return_inverse=True)
    sums = (np.bincount(inverse.ravel(), weights=v, minlength=len(key)) for v in values)
    return key // n, key % n, *sums


def _stretches(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = shapely.get_parts(lines)
    kinds = shapely.get_type_id(parts)
    rings = shapely.get_rings(parts[kinds == 3])
    xy, line = shapely.get_coordinates(np.r_[parts[(kinds == 1) | (kinds == 2)], rings], return_index=True)
    same = line[1:] == line[:-1]
    return xy[:-1][same], xy[1:][same]


def _near_interval(
    a: np.ndarray, b: np.ndarray, p: np.ndarray, q: np.ndarray, r: float
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of t in [0, 1] for which a + t (b - a) is within r of the segment p q; empty when high <= low."""
    d, along = b - a, q - p
    size = np.maximum(np.hypot(*along.T), 1e-12)
    u = along / size[:, None]
    v = np.c_[-u[:, 1], u[:, 0]]
    x0, dx = ((a - p) * u).sum(axis=1), (d * u).sum(axis=1)
    y0, dy = ((a - p) * v).sum(axis=1), (d * v).sum(axis=1)
    band_low, band_high = _slab(y0, dy, -r, r)
    box_low, box_high = _slab(x0, dx, 0.0, size)
    pieces = (
        (np.maximum(band_low, box_low), np.minimum(band_high, box_high)),
        _disc(x0, y0, dx, dy, r),
        _disc(x0 - size, y0, dx, dy, r),
    )
    low, high = np.full(len(a), np.inf), np.full(len(a), -np.inf)
    for piece in pieces:
        first, last = np.maximum(piece[0], 0.0), np.minimum(piece[1], 1.0)
        some = last >= first
        low[some] = np.minimum(low[some], first[some])
        high[some] = np.maximum(high[some], last[some])
    return low, high


def _slab(
    x: np.ndarray, dx: np.ndarray, low: float | np.ndarray, high: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    still = np.abs(dx) < 1e-15
    step = np.where(still, 1.0, dx)
    one, two = (low - x) / step, (high - x) / step
    inside = (x >= low) & (x <= high)
    first = np.where(still, np.where(inside, -np.inf, np.inf), np.minimum(one, two))
    last = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(one, two))
    return first, last


def _disc(x: np.ndarray, y: np.ndarray, dx: np.ndarray, dy: np.ndarray, r: float) -> tuple[np.ndarray, np.ndarray]:
    a = np.maximum(dx * dx + dy * dy, 1e-24)
    half = (x * dx + y * dy) / a
    under = half * half - (x * x + y * y - r * r) / a
    root = np.sqrt(np.maximum(under, 0.0))
    return np.where(under >= 0, -half - root, np.inf), np.where(under >= 0, -half + root, -np.inf)


def _joined_length(at: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Length of the union of the intervals of each row `at`."""
    order = np.lexsort((low, at))
    at, low, high = at[order], low[order], high[order]
    # Rows lie two apart, so that one running maximum serves all of them.
    reach = np.maximum.accumulate(2.0 * at + high)
    before = np.r_[-np.inf, reach[:-1]]
    gain = np.maximum(0.0, 2.0 * at + high - np.maximum(before, 2.0 * at + low))
    return np.asarray(np.bincount(at, weights=gain))
