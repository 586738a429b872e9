"""Crossings: where people walk over or under a hard barrier, and which pieces of land that joins."""

from __future__ import annotations

import numpy as np
import shapely

__all__ = ["crossings"]

# A barrier drawn as a line is taken for this much land on either side of it; metres.
_HALF_WIDTH = 0.1
# How far from the barrier it is asked on whose land somebody has arrived; metres.
_STEP = 0.1
_SAME = 1e-3


def crossings(
    shapes: np.ndarray, ways: np.ndarray, hard: np.ndarray, rivers: np.ndarray, facing: np.ndarray
) -> np.ndarray:
    """Pairs of polygons that a street leads between across a hard barrier, each once, the lower row first.

    A street that may be walked crosses whatever it is drawn across, tagged as a bridge or not, as in the walking
    network. It may branch on its way, or be drawn in several parts. Where it is the border of the polygons on either
    bank, those that face each other are joined and not the others, or two grids might cross in an X.

    Parameters
    ----------
    shapes
        Atoms of one community.
    ways
        Lines that people may walk along.
    hard, rivers
        Hard barriers as lines (outlines of polygons among them), and those that are polygons.
    facing
        Pairs of polygons that have a barrier as their border, shape (n, 2), the lower row first.
    """
    zone = shapely.union_all(np.r_[rivers, shapely.buffer(hard, _HALF_WIDTH, cap_style="flat")])
    shapely.prepare(zone)
    ways = ways[shapely.intersects(zone, ways)]
    over, dry = _lines(shapely.intersection(ways, zone)), _lines(shapely.difference(ways, zone))
    if not len(over) or not len(dry):
        return np.empty((0, 2), dtype=np.int64)
    tree = shapely.STRtree(over)
    passage = _groups(tree, over)
    end = np.r_[shapely.get_point(dry, 0), shapely.get_point(dry, -1)]
    step = np.minimum(_STEP, shapely.length(dry) / 2)
    arrived = np.r_[shapely.line_interpolate_point(dry, step), shapely.line_interpolate_point(dry, -step)]
    at, met = tree.query(end, predicate="dwithin", distance=_SAME)
    # A street is often the border of two atoms: it leads to both.
    landing, shape = shapely.STRtree(shapes).query(arrived[at], predicate="dwithin", distance=_SAME)
    at, met = at[landing], passage[met[landing]]
    found = np.unique(np.c_[met, at, shape], axis=0)
    pairs = _pairs(found[:, 0])
    one, other = found[pairs[:, 0]], found[pairs[:, 1]]
    lines = shapely.linestrings(
        np.stack([shapely.get_coordinates(arrived[one[:, 1]]), shapely.get_coordinates(arrived[other[:, 1]])], axis=1)
    )
    barred = np.zeros(len(lines), dtype=bool)
    barred[shapely.STRtree(hard).query(lines, predicate="intersects")[0]] = True
    barred &= one[:, 2] != other[:, 2]
    joined = np.unique(np.c_[one[:, 0], np.sort(np.c_[one[:, 2], other[:, 2]], axis=1)][barred], axis=0)
    return np.unique(joined[~_diagonal(joined, facing, len(shapes)), 1:], axis=0)


def _diagonal(joined: np.ndarray, facing: np.ndarray, n: int) -> np.ndarray:
    """Which rows (passage, two of n polygons) join polygons that both face another one at that passage."""
    passage, a, b = joined.T
    face = np.isin(a * n + b, facing[:, 0] * n + facing[:, 1])
    held = np.r_[(passage * n + a)[face], (passage * n + b)[face]]
    return np.asarray(~face & np.isin(passage * n + a, held) & np.isin(passage * n + b, held))


def _lines(shapes: np.ndarray) -> np.ndarray:
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return np.asarray(parts[(shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)])


def _groups(tree: shapely.STRtree, lines: np.ndarray) -> np.ndarray:
    """Number of the connected group of lines that each belongs to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = tree.query(lines, predicate="dwithin", distance=_SAME)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(lines), len(lines)))
    return np.asarray(connected_components(graph, directed=False)[1])


def _pairs(group: np.ndarray) -> np.ndarray:
    """Every two rows of the same group, given the group of each row in order."""
    count = np.bincount(group)
    first = np.cumsum(count) - count
    some = [np.array(np.triu_indices(n, 1)).T + start for n, start in zip(count, first, strict=True) if n > 1]
    return np.concatenate(some) if some else np.empty((0, 2), dtype=np.int64)
