"""Kernel: where edges come nearest to polygons that they do not enter."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def _foot(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """How far along a to b (0 to 1) the place nearest to p is."""
    ex, ey = bx - ax, by - ay
    square = ex * ex + ey * ey
    if square == 0.0:
        return 0.0
    return min(max(((px - ax) * ex + (py - ay) * ey) / square, 0.0), 1.0)


@compiled
def shortest_legs(
    owner: np.ndarray,
    edge: np.ndarray,
    limit: np.ndarray,
    edge_xy: np.ndarray,
    outline_start: np.ndarray,
    outline: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The shortest legs from polygons to edges outside them.

    Parameters
    ----------
    owner, edge, limit
        Pairs of a polygon and an edge, and how long their shortest leg is, metres (int64, int64, float64).
    edge_xy
        (e, 4) float64: both ends of every edge.
    outline_start, outline
        Outline of polygon i as segments ``outline[outline_start[i]:outline_start[i + 1]]``, (s, 4) float64.

    Returns
    -------
    which (m, 2) int64
        The pair, and the segment of the outline. Two segments that do not meet are nearest at an end of one of them, or
        between two such ends where they run side by side.
    legs (m, 3) float64
        How far along the edge (0 to 1) the leg ends; x and y of its beginning.
    """
    room = 4 * len(owner) + 16
    which = np.empty((room, 2), dtype=np.int64)
    legs = np.empty((room, 3), dtype=np.float64)
    total = 0
    for i in range(len(owner)):
        e = edge[i]
        ax, ay, bx, by = edge_xy[e, 0], edge_xy[e, 1], edge_xy[e, 2], edge_xy[e, 3]
        west, east, south, north = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for s in range(outline_start[owner[i]], outline_start[owner[i] + 1]):
            cx, cy, dx, dy = outline[s, 0], outline[s, 1], outline[s, 2], outline[s, 3]
            if max(cx, dx) < west - limit[i] or min(cx, dx) > east + limit[i]:
                continue
            if max(cy, dy) < south - limit[i] or min(cy, dy) > north + limit[i]:
                continue
            if total + 4 > room:
                room *= 2
                more_which, more_legs = np.empty((room, 2), dtype=np.int64), np.empty((room, 3), dtype=np.float64)
                for r in range(total):
                    more_which[r, 0], more_which[r, 1] = which[r, 0], which[r, 1]
                    more_legs[r, 0], more_legs[r, 1], more_legs[r, 2] = legs[r, 0], legs[r, 1], legs[r, 2]
                which, legs = more_which, more_legs
            for k in range(4):
                if k < 2:
                    t = float(k)
                    share = _foot(ax + t * (bx - ax), ay + t * (by - ay), cx, cy, dx, dy)
                    x, y = cx + share * (dx - cx), cy + share * (dy - cy)
                else:
                    x, y = cx + (k - 2) * (dx - cx), cy + (k - 2) * (dy - cy)
                    t = _foot(x, y, ax, ay, bx, by)
                if np.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y) <= limit[i]:
                    which[total, 0], which[total, 1] = i, s
                    legs[total, 0], legs[total, 1], legs[total, 2] = t, x, y
                    total += 1
    return which[:total], legs[:total]
