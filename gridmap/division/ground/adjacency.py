"""Adjacency: which atoms touch, how long their border is, and how much of it follows given lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import NEAR, SHORTEST_JOIN
from gridmap.division.ground.crossings import crossings
from gridmap.division.ground.land import place

if TYPE_CHECKING:
    from gridmap.division.ground.faces import Faces
    from gridmap.division.ground.land import Land
    from gridmap.division.ground.sides import Sides

# A border runs along a line when it is no farther from it than this: rounding, not drawing.
_ALONG = 0.01
_COLUMNS = ("a", "b", "metres", "on_street", "soft", "barrier", "kind")

__all__ = ["borders", "gather", "longest", "metres_near", "piece_pairs", "sum_by_pair"]


def borders(land: Land, cells: Faces, wet: np.ndarray) -> pd.DataFrame:
    """Pairs of atoms of one community that touch.

    Parameters
    ----------
    land
        The community: lines that borders are measured along.
    cells
        Atoms.
    wet
        Which of them are empty land inside a hard barrier.

    Returns
    -------
    DataFrame
        a, b (rows of `cells`, a < b), metres that join, on_street (of those, within 3 m of a street or wall), soft
        (on a soft barrier), barrier (on a hard one, not among `metres`), kind: ``"border"``, ``"piece"`` for the
        nearest atoms of two pieces of the community, or ``"bridge"`` for those that a street joins across a hard
        barrier.

    Notes
    -----
    Land inside a hard barrier, such as a river, hangs on one bank: each atom of it is joined to one neighbour, so that
    no path leads across but by a bridge.
    """
    shapes, parts = cells.shapes, cells.sides
    inner = parts.take(parts.right >= 0)
    length, barred = inner.length, metres_near(inner, land.hard, _ALONG)
    followed = np.clip(metres_near(inner, land.followed, NEAR) - barred, 0.0, length - barred)
    a, b, length, followed, soft, barred = sum_by_pair(
        inner.left, inner.right, length, followed, metres_near(inner, land.soft, _ALONG), barred
    )
    in_water = wet[a] | wet[b]
    if in_water.any():
        low, high, metres = a[in_water], b[in_water], length[in_water]
        _, parent = gather(~wet, shapely.area(shapes), np.r_[low, high], np.r_[high, low], np.r_[metres, metres])
        hangs = in_water & ((parent[a] == b) | (parent[b] == a))
        barred = np.where(hangs, 0.0, np.where(in_water, length, barred))
        followed = np.where(in_water, 0.0, followed)
    table = pd.DataFrame(
        dict(zip(_COLUMNS, (a, b, length - barred, followed, soft, barred, "border"), strict=True)),
        columns=list(_COLUMNS),
    )
    table.loc[table["metres"] < 1e-9, "metres"] = 0.0
    joined = pd.concat(
        [each for each in (_bridges(land, shapes, table), piece_pairs(land, shapes)) if len(each)] or [table[:0]]
    )
    if not len(joined):
        return table
    # Those that a bridge joins, or a compound in two pieces, may have a border too; a long one joins by itself.
    long = table[table["metres"] >= SHORTEST_JOIN].set_index(["a", "b"]).index
    joined = joined[~pd.MultiIndex.from_frame(joined[["a", "b"]]).isin(long) | (joined["kind"] == "piece")]
    return pd.concat([joined, table]).groupby(["a", "b"], as_index=False, sort=True).agg(
        {"metres": "max", "on_street": "max", "soft": "max", "barrier": "max", "kind": "first"}
    )  # fmt: skip


def _bridges(land: Land, shapes: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """Atoms that a street joins across a hard barrier, given the borders between them."""
    pairs = np.empty((0, 2), dtype=np.int64)
    if len(land.ways):
        facing = table.loc[table["barrier"] > 0, ["a", "b"]].to_numpy()
        pairs = crossings(shapes, land.ways, land.hard, land.rivers, facing)
    table = pd.DataFrame(0.0, index=range(len(pairs)), columns=list(_COLUMNS))
    return table.assign(a=pairs[:, 0], b=pairs[:, 1], kind="bridge")


def piece_pairs(land: Land, shapes: np.ndarray) -> pd.DataFrame:
    """The nearest atoms of each two pieces of a community, unless a hard barrier lies between them."""
    pieces = shapely.get_parts(land.area)
    if len(pieces) == 1:
        return pd.DataFrame([], columns=list(_COLUMNS))
    middle = shapely.point_on_surface(shapes)
    piece = place(middle, pieces)
    members = [np.flatnonzero(piece == k) for k in range(len(pieces))]
    rows = []
    for number, others in enumerate(members):
        tree = shapely.STRtree(shapes[others])
        for ours in members[:number]:
            if not len(ours) or not len(others):
                continue
            left, right = tree.query_nearest(shapes[ours])
            one, other = ours[left], others[right]
            gap = shapely.distance(shapes[one], shapes[other])
            best = np.lexsort((other, one, gap))[0]
            low, high = sorted((int(one[best]), int(other[best])))
            if not shapely.intersects(land.hard, shapely.shortest_line(shapes[low], shapes[high])).any():
                rows.append((low, high, 0.0, 0.0, 0.0, 0.0, "piece"))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


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


def longest(source: np.ndarray, target: np.ndarray, border: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each source once, with the target of its longest border; ties go to the lower target."""
    order = np.lexsort((target, -border, source))
    source, target = source[order], target[order]
    first = np.r_[True, source[1:] != source[:-1]] if len(source) else np.empty(0, dtype=bool)
    return source[first], target[first]


def gather(
    settled: np.ndarray, size: np.ndarray, source: np.ndarray, target: np.ndarray, border: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join whatever is not settled to a settled neighbour, along the longest border, ring by ring.

    Parameters
    ----------
    settled
        What stays as it is, shape (n,).
    size
        Where nothing settled is in reach, what is larger than all its neighbours stands for itself.
    source, target, border
        Every border from either side, with its length.

    Returns
    -------
    root, parent
        For each of the n, the settled one it belongs to, and the neighbour it was joined to: itself where settled.
    """
    settled = settled.copy()
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.lexsort((np.arange(len(size)), -size))] = np.arange(len(size))
    root, parent = np.arange(len(size)), np.arange(len(size))
    while not settled.all():
        beside = ~settled[source] & settled[target]
        if beside.any():
            one, other = longest(source[beside], target[beside], border[beside])
            root[one], parent[one] = root[other], other
            settled[one] = True
            continue
        loose = ~settled[source] & (rank[target] < rank[source])
        smaller = np.zeros(len(size), dtype=bool)
        smaller[source[loose]] = True
        settled |= ~smaller
    return root, parent


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
