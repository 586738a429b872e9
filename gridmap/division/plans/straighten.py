"""Straight borders: vertices taken out of the borders between grids, where no building, wall or street stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.division.ground.borders import NEAR, pieces
from gridmap.division.ground.sides import GRID, vertex_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["straighten"]

# What may change sides at once: a tooth of this many m², and of this share of the smaller grid.
_TOOTH_M2, _TOOTH_SHARE = 1000.0, 0.02
# A border within this of a line runs on it.
_ON = 0.75
# Less than these is rounding where a border runs along a line: metres off it, metres along it, m² of a footprint.
_OFF, _ALONG, _CUT_M2 = 0.01, 0.05, 1e-3
# Along streets a border is sampled every so many metres, long stretches at so many points.
_STEP, _MOST = 2.0, 24


def straighten(
    shapes: Shapes, community: Ints, *, solid: Shapes, walls: Shapes, lines: Shapes, guides: Shapes | None
) -> Shapes:
    """Grids with straighter borders between those of one community; all other borders stay as they are.

    Vertices are taken out one by one, the smallest tooth first, so that neighbours go on sharing their borders and
    borders never cross. A vertex stays where three grids meet, where the community ends, and where without it

    - a footprint would be cut, or a building known as a point would change sides,
    - the border would leave a wall or a barrier that it runs on, or cross it,
    - a smaller share of it would lie within 3 m of the streets and walls that the audit asks for, or within 0.75 m
      of a street or lane of any kind,
    - 1000 m², or 2 % of the smaller grid, would change sides at once.

    Parameters
    ----------
    shapes
        Grids as a coverage, in metres: Polygons or MultiPolygons.
    community
        Number of the community of each, from 0.
    solid
        Footprints, and points of buildings.
    walls
        Lines: outlines of compounds, barriers.
    lines
        Streets and lanes of all kinds.
    guides
        Lines and polygons that the share of border along streets and walls is measured with; None for none.

    Returns
    -------
    ndarray
        The grids, still a coverage of the same land. A border depends only on what is beside it in its community.

    References
    ----------
    Visvalingam and Whyatt (1993), Line generalisation by repeated elimination of points, The Cartographic Journal 30.
    """
    rings = _Rings.of(shapes, community)
    chains = _Chains.of(shapes, rings, community)
    if (chains.beside < 0).all():
        return shapes
    none = np.empty(0, dtype=object)
    trees = (shapely.STRtree(pieces(none if each is None else each)) for each in (walls, lines, guides))
    _thin_out(chains, _Ground(shapely.STRtree(solid), *trees))
    return rings.drawn(shapes, chains.there)


class _Ground(NamedTuple):
    """What a border must respect: what it does not cut, walls it stays on, lines it runs on, lines it runs beside."""

    solid: shapely.STRtree
    walls: shapely.STRtree
    lines: shapely.STRtree
    guides: shapely.STRtree


@dataclass(frozen=True)
class _Rings:
    """The rings of polygons, without closing vertices.

    `xy`, `vertex` (its number, the same where grids of one community meet) and `ring` by vertex in a ring; `part` by
    ring; `shape` by part.
    """

    xy: Floats
    vertex: Ints
    ring: Ints
    part: Ints
    shape: Ints

    @classmethod
    def of(cls, shapes: Shapes, community: Ints) -> _Rings:
        """The rings of Polygons and MultiPolygons."""
        parts, shape = shapely.get_parts(shapes, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        open_ = np.r_[ring[1:] == ring[:-1], False]
        xy, ring = xy[open_], ring[open_]
        place = vertex_numbers(xy) * len(shapes) + community[shape[part[ring]]]
        vertex = np.unique(place, return_inverse=True)[1].astype(np.int64)
        return cls(xy, vertex, ring, part, shape)

    def beside(self) -> tuple[Ints, Ints]:
        """The vertices before and after each in its ring."""
        first = np.r_[True, self.ring[1:] != self.ring[:-1]]
        last = np.roll(first, -1)
        before, after = np.roll(self.vertex, 1), np.roll(self.vertex, -1)
        before[first], after[last] = self.vertex[last], self.vertex[first]
        return before, after

    def drawn(self, shapes: Shapes, there: Bools) -> Shapes:
        """The shapes without the vertices that are no longer there; those that lose none as they are."""
        gone = ~there[self.vertex]
        if not gone.any():
            return shapes
        changed = np.unique(self.shape[self.part[self.ring[gone]]])
        keep = ~gone & np.isin(self.shape[self.part[self.ring]], changed)
        which, ring = np.unique(self.ring[keep], return_inverse=True)
        rings = shapely.linearrings(self.xy[keep], indices=ring)
        parts, number = np.unique(self.part[which], return_inverse=True)
        drawn = shapely.polygons(rings, indices=number)
        out = shapes.copy()
        for shape, own in zip(changed, np.split(drawn, np.searchsorted(self.shape[parts], changed[1:])), strict=True):
            out[shape] = own[0] if len(own) == 1 else shapely.multipolygons(own)
        return out


@dataclass
class _Chains:
    """The vertices of all borders.

    `xy` (n, 2); `community`, its number; `beside` (n, 2), the two neighbours of a vertex that may go, -1 for one that
    stays; `area`, how large the tooth may be that it is the tip of; `there`; `fixed`, the segments between two that
    stay, as n times the lower number plus the higher.
    """

    xy: Floats
    community: Ints
    beside: Ints
    area: Floats
    there: Bools
    fixed: Ints

    @classmethod
    def of(cls, shapes: Shapes, rings: _Rings, community: Ints) -> _Chains:
        """Those may go that have two neighbours, and a grid of the community on both sides."""
        n = int(rings.vertex.max(initial=-1)) + 1
        xy = np.zeros((n, 2))
        xy[rings.vertex] = rings.xy
        before, after = rings.beside()
        pair = np.unique(np.r_[rings.vertex * n + before, rings.vertex * n + after])
        grid = rings.shape[rings.part[rings.ring]]
        one, other = np.full(n, len(community)), np.full(n, -1)
        np.minimum.at(one, rings.vertex, grid)
        np.maximum.at(other, rings.vertex, grid)
        met = np.bincount(rings.vertex, minlength=n)
        free = (np.bincount(pair // n, minlength=n) == 2) & (met == 2) & (one != other)
        beside = np.full((n, 2), -1)
        beside[free] = (pair[free[pair // n]] % n).reshape(-1, 2)
        fixed = pair[~free[pair // n] & ~free[pair % n] & (pair // n < pair % n)]

        size = shapely.area(shapes)
        area = np.minimum(_TOOTH_M2, _TOOTH_SHARE * np.minimum(size[one], size[other]))
        return cls(xy, community[one], beside, area, np.ones(n, dtype=bool), fixed)


def _thin_out(chains: _Chains, ground: _Ground) -> None:
    """Take vertices out, round by round: in each the ones whose tooth is smaller than those beside them."""
    n = len(chains.xy)
    free = np.flatnonzero(chains.beside[:, 0] >= 0)
    vertices = shapely.STRtree(shapely.points(chains.xy))
    refused = np.zeros(n, dtype=bool)
    while True:
        a, c = chains.beside[free].T
        area, height = _tooth(chains.xy[a], chains.xy[free], chains.xy[c])
        small = (area < chains.area[free]) & ~refused[free]
        rank = np.full(n, n)
        order = np.lexsort((chains.xy[free, 1], chains.xy[free, 0], area))
        order = order[small[order]]
        rank[free[order]] = np.arange(len(order))
        first = small & (rank[free] < rank[a]) & (rank[free] < rank[c])
        if not first.any():
            return
        asked = free[first]
        may = _may_go(chains, asked, area[first], height[first], vertices, ground)
        refused[asked[~may]] = True
        gone = asked[may]
        a, c = chains.beside[gone].T
        for one, other in ((a, c), (c, a)):
            slot = (chains.beside[one, 1] == gone).astype(np.int64)
            stays = chains.beside[one, 0] < 0
            chains.beside[one[~stays], slot[~stays]] = other[~stays]
            refused[one] = False
        chains.there[gone] = False
        free = free[chains.there[free]]


def _tooth(a: Floats, b: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Area of the triangle, and how far its middle vertex is from the line through the others."""
    (x, y), (u, v) = (b - a).T, (c - a).T
    area = np.abs(x * v - y * u) / 2
    base = np.hypot(u, v)
    return area, 2 * area / np.maximum(base, 1e-12)


def _may_go(
    chains: _Chains, asked: Ints, area: Floats, height: Floats, vertices: shapely.STRtree, ground: _Ground
) -> Bools:
    """Whether the border may run straight past each of the vertices."""
    a, c = chains.beside[asked].T
    xy = chains.xy
    triangle = shapely.polygons(np.stack((xy[a], xy[asked], xy[c], xy[a]), axis=1))
    may = ~_doubles(chains, a, c)
    # as long as no vertex lies in the triangle, no border crosses it
    row, vertex = vertices.query(triangle, predicate="intersects")
    own = (vertex == a[row]) | (vertex == asked[row]) | (vertex == c[row])
    rival = chains.there[vertex] & ~own & (chains.community[vertex] == chains.community[asked[row]])
    may[row[rival]] = False

    bent = np.flatnonzero(may & (area > _CUT_M2))
    may[bent[_cuts(triangle[bent], ground.solid)]] = False
    bent = np.flatnonzero(may & (height > 2 * GRID))
    may[bent[_leaves(triangle[bent], ground.walls)]] = False
    bent = bent[may[bent] & (height[bent] > _OFF)]
    may[bent[_drifts(xy[a[bent]], xy[asked[bent]], xy[c[bent]], ((ground.lines, _ON), (ground.guides, NEAR)))]] = False
    return may


def _doubles(chains: _Chains, a: Ints, c: Ints) -> Bools:
    """Whether there is a segment from a to c already, or will be two."""
    n = len(chains.xy)
    free = np.flatnonzero((chains.beside[:, 0] >= 0) & chains.there)
    old = np.concatenate([np.minimum(free, other) * n + np.maximum(free, other) for other in chains.beside[free].T])
    new = np.minimum(a, c) * n + np.maximum(a, c)
    _, at, count = np.unique(new, return_inverse=True, return_counts=True)
    return np.isin(new, np.r_[old, chains.fixed]) | (count[at] > 1)


def _cuts(triangle: Shapes, solid: shapely.STRtree) -> Ints:
    """Triangles that hold a point, or more than rounding of a polygon."""
    row, thing = solid.query(triangle, predicate="intersects")
    things = solid.geometries[thing]
    cut = shapely.get_dimensions(things) == 0
    flat = np.flatnonzero(~cut)
    cut[flat] = shapely.area(shapely.intersection(triangle[row[flat]], things[flat])) > _CUT_M2
    return np.unique(row[cut])


def _leaves(triangle: Shapes, walls: shapely.STRtree) -> Ints:
    """Triangles that a wall runs through, or along a side of."""
    row, wall = walls.query(triangle, predicate="dwithin", distance=_OFF)
    metres = shapely.length(shapely.intersection(shapely.buffer(triangle[row], _OFF), walls.geometries[wall]))
    return np.unique(row[metres > _ALONG])


def _drifts(a: Floats, b: Floats, c: Floats, lines: Iterable[tuple[shapely.STRtree, float]]) -> Bools:
    """Whether from a to c a smaller share of the way is near any of the lines than by b; judged by points on the way.

    `lines` are pairs of lines and the distance that is near to them.
    """
    start, end = np.concatenate((a, b, a)), np.concatenate((b, c, c))
    length = np.hypot(*(end - start).T)
    count = np.clip(np.ceil(length / _STEP), 1, _MOST).astype(np.int64)
    segment = np.repeat(np.arange(len(count)), count)
    share = (np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[segment]
    points = shapely.points(start[segment] + share[:, None] * (end - start)[segment])
    to, on, straight = length.reshape(3, -1)
    worse = np.zeros(len(a), dtype=bool)
    for tree, distance in lines:
        near = np.zeros(len(points), dtype=bool)
        near[tree.query(points, predicate="dwithin", distance=distance)[0]] = True
        first, second, past = (length * np.bincount(segment, near, len(count)) / count).reshape(3, -1)
        worse |= past * (to + on) < (first + second) * straight * (1 - 1e-9)
    return worse
