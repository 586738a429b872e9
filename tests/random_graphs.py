"""Small random planar graphs with lumpy weights, and what enumeration says of them: shared by tests of the division."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.spatial import Delaunay
from shapely import box

LOWER, UPPER = 300, 500


def random_graph(seed, most=12):
    """Weights and pairs: a triangulation, a tree, a board with gaps, or two clusters with one atom between them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, most + 1))
    kind = rng.integers(4)
    if kind == 0 and n >= 4:
        corners = Delaunay(rng.random((n, 2))).simplices.tolist()
        pairs = {(min(a, b), max(a, b)) for t in corners for a in t for b in t if a != b}
    elif kind == 1:
        pairs = {(int(rng.integers(i)), i) for i in range(1, n)}
    elif kind == 2:
        wide = int(rng.integers(1, 5))
        pairs = {(i, j) for i in range(n) for j in (i + 1, i + wide) if j < n and (j != i + 1 or j % wide)}
    else:
        half = n // 2
        pairs = {(i, i + 1) for i in range(n - 1)}
        pairs |= {(i, i + 2) for i in range(n - 2) if not i < half < i + 2}
    kept = rng.choice([1.0, 0.85, 0.6])
    pairs = sorted(p for p in pairs if kind == 1 or rng.random() < kept)
    weights = [
        rng.integers(0, 200, n),
        np.clip(rng.lognormal(4.6, 1, n), 0, 480).astype(int),
        rng.choice([0, 0, 50, 150, 160, 290, 310, 450, 480], n),
        rng.choice([0, 30, 120, 200, 400, 560, 812], n),
    ][rng.integers(4)]
    return weights.tolist(), pairs


def as_lots(weights):
    """Lots in a row; who is whose neighbour is for the adjacency to say."""
    squares = [box(50 * i, 0, 50 * i + 50, 50) for i in range(len(weights))]
    names = [f"a{i}" for i in range(len(weights))]
    return gpd.GeoDataFrame({"households": weights}, geometry=squares, crs=32650, index=names)


def as_matrix(n, pairs):
    a, b = np.array(pairs, dtype=int).reshape(-1, 2).T
    return coo_array((np.full(2 * len(a), 50.0), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()


def as_tables(weights, pairs):
    """Atoms and adjacency as a plan has them."""
    names = np.array([f"a{i}" for i in range(len(weights))], dtype=object)
    a, b = np.array(pairs, dtype=int).reshape(-1, 2).T
    borders = pd.DataFrame({"atom_a": names[a], "atom_b": names[b], "metres": 50.0, "kind": "border"})
    return pd.DataFrame({"atom_id": names, "households": weights}), borders


def connected_sets(n, pairs):
    """Every connected set of atoms, as the bits of a number."""
    near = [0] * n
    for a, b in pairs:
        near[a] |= 1 << b
        near[b] |= 1 << a
    found, waiting = set(), [1 << i for i in range(n)]
    while waiting:
        mask = waiting.pop()
        if mask not in found:
            found.add(mask)
            around = 0
            for i in range(n):
                if mask >> i & 1:
                    around |= near[i]
            waiting += [mask | 1 << i for i in range(n) if (around & ~mask) >> i & 1]
    return found


def violation(weights):
    """Illegal parts that one part counts as, and its weight outside the band: each tower counts as one."""
    total, towers = sum(weights), sum(w > UPPER for w in weights)
    off = max(LOWER - total, total - UPPER, 0)
    return max(int(off > 0), towers), off


def least_violation(weights, pairs):
    """Enumerate: give the lowest atom left every connected part that holds it and is free, recurse."""
    n = len(weights)
    by_lowest = [[] for _ in range(n)]
    for mask in connected_sets(n, pairs):
        cost = violation([weights[i] for i in range(n) if mask >> i & 1])
        by_lowest[(mask & -mask).bit_length() - 1].append((mask, *cost))

    @cache
    def best(free):
        if free == 0:
            return 0, 0
        options = []
        for mask, illegal, off in by_lowest[(free & -free).bit_length() - 1]:
            if mask & ~free == 0:
                others = best(free & ~mask)
                options.append((illegal + others[0], off + others[1]))
        return min(options)

    return best((1 << n) - 1)


def can_be_covered(weights, pairs, place):
    """Whether disjoint connected parts within the band hold every atom of a place."""
    n = len(weights)
    legal = [
        mask
        for mask in connected_sets(n, pairs)
        if LOWER <= sum(weights[i] for i in range(n) if mask >> i & 1) <= UPPER
    ]
    goal = sum(1 << i for i in place)

    @cache
    def cover(used):
        left = goal & ~used
        if left == 0:
            return True
        first = left & -left
        return any(cover(used | mask) for mask in legal if mask & first and not mask & used)

    return cover(0)
