"""Kernel: where edges come nearest to polygons that they do not enter."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.snap_kernel import TIE, crosses


@compiled
def _foot(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """How far along a to b (0 to 1) the place nearest to p is."""
    ex, ey = bx - ax, by - ay
    square = ex * ex + ey * ey
    if square == 0.0:
        return 0.0
    return min(max(((px - ax) * ex + (py - ay) * ey) / square, 0.0), 1.0)


@compiled
def nearest_stretches(
    owner: np.ndarray,
    edge: np.ndarray,
    apart: np.ndarray,
    edge_xy: np.ndarray,
    outline_start: np.ndarray,
    outline: np.ndarray,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    wall_frame: np.ndarray,
    wall_shape: np.ndarray,
    wall_start: np.ndarray,
    wall_item: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The stretches of edges that lie nearest to polygons, as far as no wall stands between.

    Parameters
    ----------
    owner, edge, apart
        Pairs of a polygon and an edge, and how far they are apart, more than 0 metres (int64, int64, float64).
    edge_xy
        (e, 4) float64: both ends of every edge.
    outline_start, outline
        Outline of polygon i as segments ``outline[outline_start[i]:outline_start[i + 1]]``, (s, 4) float64.
    wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item
        As in `snap_kernel`.

    Returns
    -------
    pair int64, from where and to where along the edge (0 to 1) float64; a pair may have several stretches or none.
    """
    room = 2 * len(owner) + 16
    pair_out = np.empty(room, dtype=np.int64)
    low_out = np.empty(room, dtype=np.float64)
    high_out = np.empty(room, dtype=np.float64)
    total = 0
    t = np.empty(4)
    x = np.empty(4)
    y = np.empty(4)
    for i in range(len(owner)):
        ax, ay, bx, by = edge_xy[edge[i]]
        limit = apart[i] + TIE
        for s in range(outline_start[owner[i]], outline_start[owner[i] + 1]):
            cx, cy, dx, dy = outline[s]
            if (
                max(cx, dx) < min(ax, bx) - limit
                or min(cx, dx) > max(ax, bx) + limit
                or max(cy, dy) < min(ay, by) - limit
                or min(cy, dy) > max(ay, by) + limit
            ):
                continue
            # segments that do not meet are nearest at an end of one of them
            f, g = _foot(ax, ay, cx, cy, dx, dy), _foot(bx, by, cx, cy, dx, dy)
            t[0], x[0], y[0] = 0.0, cx + f * (dx - cx), cy + f * (dy - cy)
            t[1], x[1], y[1] = 1.0, cx + g * (dx - cx), cy + g * (dy - cy)
            t[2], x[2], y[2] = _foot(cx, cy, ax, ay, bx, by), cx, cy
            t[3], x[3], y[3] = _foot(dx, dy, ax, ay, bx, by), dx, dy
            low, high = 2.0, -1.0
            for k in range(4):
                qx, qy = ax + t[k] * (bx - ax), ay + t[k] * (by - ay)
                if np.hypot(qx - x[k], qy - y[k]) > limit:
                    continue
                if not crosses(x[k], y[k], qx, qy, -1, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item):
                    low, high = min(low, t[k]), max(high, t[k])
            if high < 0.0:
                continue
            if total == room:
                room *= 2
                pairs, lows, highs = np.empty(room, dtype=np.int64), np.empty(room), np.empty(room)
                pairs[:total], lows[:total], highs[:total] = pair_out, low_out, high_out
                pair_out, low_out, high_out = pairs, lows, highs
            pair_out[total], low_out[total], high_out[total] = i, low, high
            total += 1
    return pair_out[:total].copy(), low_out[:total].copy(), high_out[:total].copy()
