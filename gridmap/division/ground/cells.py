"""Cells: open land shared out to the nearest footprint, so that no cell border cuts a footprint.

In each block the walls that face open land are sampled, the samples are triangulated, and a border runs where two
owners are equally far (the ridges of their Voronoi diagram).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.division.ground.adjacency import longest
from gridmap.division.ground.blocks import Blocks, on_lines
from gridmap.division.ground.land import Land, place
from gridmap.division.ground.sides import GRID

__all__ = ["Sites", "find_sites", "nearest_owner", "ridges"]

# Samples along walls are this far apart, and details smaller than the second are not looked at.
SPACING = 4.0
DETAIL = 0.8
# Samples beside a corner that two owners share keep this distance from it, so that the border starts at the corner.
INSET = 0.2
# Open land farther than the first from every wall of its block gets sites of its own, the second apart. Farther from
# all walls than the third times their distance they are twice as far apart. Land without walls gets about so many.
FAR, LATTICE, GRADE, MOST = 40.0, 80.0, 1.5, 200
# Borders are straightened within this many metres between the points where three cells meet.
STRAIGHTEN = 0.4
# How far an end is moved to tell on which side of the outline it lies, and how far the outline is looked for.
_NUDGE, _REACH = 0.05, 60.0
# Farther than any block is wide: keeps blocks apart when they share one search tree.
_APART = 1e7
# A light well smaller than this is not shared out: it goes to whoever has the longest wall to it.
WELL_M2 = 40.0
# A part of a footprint that a street line cuts off is not given land beyond the street when it is smaller than this.
_MINOR = 0.3


@dataclass(frozen=True)
class Sites:
    """Points that open land is shared out to, with owner and block of each, and the corners that two owners share."""

    xy: np.ndarray
    owner: np.ndarray
    block: np.ndarray
    owners: int
    corners: np.ndarray
    corner_block: np.ndarray


def find_sites(land: Land, blocks: Blocks) -> Sites:
    """Sites of every block: samples of walls, buildings known as points, and a lattice on large empty land.

    Each point of the lattice is an owner of its own, numbered after those of `land`.
    """
    start, end, owner, block = _facing(land, blocks)
    xy, of, corners = _sample(start, end, owner, block)
    sites = [(xy, owner[of], block[of])]
    sites.append(_point_sites(land, blocks))
    xy, owner, block = (np.concatenate(part) for part in zip(*sites, strict=True))
    lattice, lattice_block = _lattice(blocks, xy, block)
    new = land.owners + np.arange(len(lattice))
    return Sites(
        np.r_[xy, lattice],
        np.r_[owner, new].astype(np.int64),
        np.r_[block, lattice_block].astype(np.int64),
        land.owners + len(lattice),
        corners[0],
        corners[1],
    )


def nearest_owner(sites: Sites, xy: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Owner of the nearest site of the same block."""
    from scipy.spatial import cKDTree

    if not len(xy):
        return np.empty(0, dtype=np.int64)
    tree = cKDTree(np.c_[sites.xy, sites.block * _APART])
    return np.asarray(sites.owner[tree.query(np.c_[xy, block * _APART])[1]])


def ridges(sites: Sites, blocks: Blocks) -> np.ndarray:
    """Lines between cells of different owners, clipped to their blocks and straightened."""
    several = _blocks_of_several(sites)
    use = np.isin(sites.block, several)
    if not use.any():
        return np.empty(0, dtype=object)
    xy, owner, block = sites.xy[use], sites.owner[use], sites.block[use]
    order = np.argsort(block, kind="stable")
    xy, owner, block = xy[order], owner[order], block[order]
    start, end, low, high, of = _equidistant(xy, owner, block)
    lines, row = _clip(start, end, of, blocks, several)
    return _chains(lines, low[row], high[row], of[row], sites)


def _facing(land: Land, blocks: Blocks) -> tuple[np.ndarray, ...]:
    """Segments of walls and footprints that face open land: start, end, owner, block.

    A wall drawn along a street, as that of a campus often is, faces the street and not the block across it.
    """
    parts = blocks.sides.take(blocks.sides.right >= 0)
    parts = parts.take((blocks.owner[parts.left] >= 0) != (blocks.owner[parts.right] >= 0))
    parts = parts.take(~on_lines(parts, np.r_[land.cuts, land.fixed]))
    out = []
    for near, far in ((parts.left, parts.right), (parts.right, parts.left)):
        at = (blocks.block[near] >= 0) & (blocks.owner[far] >= 0)
        out.append((parts.start[at], parts.end[at], blocks.owner[far[at]], blocks.block[near[at]], far[at]))
    start, end, owner, block, face = (np.concatenate(part) for part in zip(*out, strict=True))
    minor = blocks.site_share[face] < _MINOR
    only_minor = ~np.isin(block, block[~minor])
    keep = (~minor | only_minor) & _shares_in(blocks, start, end, owner, block)
    return start[keep], end[keep], owner[keep], block[keep]


def _shares_in(blocks: Blocks, start: np.ndarray, end: np.ndarray, owner: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Whether a wall gets part of its block: in a light well only those of the owner with the longest walls do."""
    open_ = blocks.block >= 0
    area = np.bincount(blocks.block[open_], weights=shapely.area(blocks.faces[open_]), minlength=len(blocks.faces))
    wide = int(owner.max(initial=0)) + 1
    key, of = np.unique(block * wide + owner, return_inverse=True)
    length = np.bincount(of.ravel(), weights=np.hypot(*(end - start).T), minlength=len(key))
    first, most = longest(key // wide, key % wide, length)
    best = np.isin(key, first * wide + most)
    return np.asarray((best | (area[key // wide] >= WELL_M2))[of.ravel()])


def _sample(
    start: np.ndarray, end: np.ndarray, owner: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Points along segments and the segment of each, and the corners (with block) that two owners share."""
    ends = np.r_[start, end]
    _, vertex = np.unique(ends[:, 0] + 1j * ends[:, 1], return_inverse=True)
    _, corner = np.unique(np.c_[vertex.ravel(), np.r_[block, block]], axis=0, return_inverse=True)
    corner = corner.ravel()
    both = np.r_[owner, owner]
    lowest = np.full(corner.max(initial=-1) + 1, np.iinfo(np.int64).max)
    highest = np.full(len(lowest), -1)
    np.minimum.at(lowest, corner, both)
    np.maximum.at(highest, corner, both)
    shared = (lowest != highest)[corner]
    at_start, at_end = shared[: len(start)], shared[len(start) :]
    length = np.hypot(*(end - start).T)
    inset = np.minimum(INSET, length / 3)
    first = np.where(at_start, inset, 0.0)
    last = length - np.where(at_end, inset, 0.0)
    count = np.ceil((last - first) / SPACING).astype(np.int64)
    # Each segment gives its start and what lies between; its end is the start of the next, unless two owners meet.
    number = np.maximum(count, 1) + at_end
    of = np.repeat(np.arange(len(start)), number)
    step = np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number)
    along = first[of] + step * ((last - first) / np.maximum(count, 1))[of]
    xy = start[of] + (end - start)[of] * (along / np.maximum(length, 1e-12)[of])[:, None]
    beside = (at_start[of] & (step == 0)) | (at_end[of] & (step == number[of] - 1))
    keep = _thinned(xy, owner[of], block[of], beside)
    xy, of = xy[keep], of[keep]
    once = np.unique(corner[shared], return_index=True)[1]
    return xy, of, (ends[shared][once], np.r_[block, block][shared][once])


def _thinned(xy: np.ndarray, owner: np.ndarray, block: np.ndarray, needed: np.ndarray) -> np.ndarray:
    """Indices of the needed points, and of one of each owner in every square of `DETAIL`."""
    square = np.round(xy / DETAIL).astype(np.int64)
    square -= square.min(axis=0, initial=np.iinfo(np.int64).max)
    place_of = np.unique(np.c_[owner, block], axis=0, return_inverse=True)[1].ravel()
    wide, high = (int(n) + 1 for n in square.max(axis=0, initial=0))
    key = (place_of * wide + square[:, 0]) * high + square[:, 1]
    chosen = np.unique(key, return_index=True)[1]
    return np.union1d(chosen, np.flatnonzero(needed))


def _point_sites(land: Land, blocks: Blocks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    is_point = shapely.get_type_id(land.footprints) == 0
    points, owner = land.footprints[is_point], land.owner[is_point]
    face = place(points, blocks.faces)
    keep = face >= 0
    keep[keep] = blocks.block[face[keep]] >= 0
    return shapely.get_coordinates(points[keep]), owner[keep], blocks.block[face[keep]]


def _lattice(blocks: Blocks, xy: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sites on open land far from every wall, the sparser the farther, and one at least in each block that has none."""
    from scipy.spatial import cKDTree

    open_ = np.flatnonzero(blocks.block >= 0)
    area = np.bincount(blocks.block[open_], weights=shapely.area(blocks.faces[open_]))
    large = open_[area[blocks.block[open_]] > FAR * FAR]
    points, of = np.empty((0, 2)), np.empty(0, dtype=np.int64)
    if len(large):
        points = _graded(shapely.total_bounds(blocks.faces[large]), xy)
        face = place(shapely.points(points), blocks.faces[large])
        points, of = points[face >= 0], blocks.block[large[face[face >= 0]]]
    if len(xy) and len(points):
        tree = cKDTree(np.c_[xy, block * _APART])
        near = tree.query(np.c_[points, of * _APART], distance_upper_bound=FAR)[0]
        points, of = points[np.isinf(near)], of[np.isinf(near)]
    numbers = np.flatnonzero(area)
    bare = numbers[~np.isin(numbers, np.r_[block, of])]
    middle = shapely.get_coordinates(shapely.point_on_surface(_shapes(blocks, bare)))
    return np.r_[points, middle], np.r_[of, bare]


def _graded(bounds: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """Points over a box: `LATTICE` apart near the walls, twice as far farther off, and so on."""
    from scipy.spatial import cKDTree

    if not len(walls):
        width, height = bounds[2:] - bounds[:2]
        return _lattice_points(bounds, max(LATTICE, np.sqrt(width * height / MOST)))
    tree = cKDTree(walls)
    out, spacing, near = [], LATTICE, 0.0
    while True:
        points = _lattice_points(bounds, spacing)
        distance = tree.query(points)[0]
        far = GRADE * spacing
        out.append(points[(distance >= near) & (distance < far)])
        if not (distance >= far).any():
            return np.concatenate(out)
        spacing, near = 2 * spacing, far


def _lattice_points(bounds: np.ndarray, spacing: float) -> np.ndarray:
    """Corners of equal triangles over a box, the same ones whatever the box."""
    left, bottom, right, top = bounds
    height = spacing * np.sqrt(0.75)
    rows = np.arange(np.floor(bottom / height), np.ceil(top / height) + 1)
    columns = np.arange(np.floor(left / spacing), np.ceil(right / spacing) + 1)
    x, y = np.meshgrid((columns + 1 / 3) * spacing, (rows + 1 / 3) * height)
    x = (x + np.where(rows % 2, spacing / 2, 0.0)[:, None]).ravel()
    y = y.ravel()
    within = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    return np.c_[x, y][within]


def _blocks_of_several(sites: Sites) -> np.ndarray:
    pairs = np.unique(np.c_[sites.block, sites.owner], axis=0)
    numbers, count = np.unique(pairs[:, 0], return_counts=True)
    return np.asarray(numbers[count > 1])


def _shapes(blocks: Blocks, numbers: np.ndarray) -> np.ndarray:
    """Polygon of each block."""
    at = np.flatnonzero(np.isin(blocks.block, numbers))
    at = at[np.argsort(blocks.block[at], kind="stable")]
    _, first, count = np.unique(blocks.block[at], return_index=True, return_counts=True)
    out = blocks.faces[at[first]].copy()
    for i in np.flatnonzero(count > 1):
        out[i] = shapely.coverage_union_all(blocks.faces[at[first[i] : first[i] + count[i]]])
    return np.asarray(out)


def _equidistant(xy: np.ndarray, owner: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, ...]:
    """Segments of points about equally far from two owners: start, end, lower and higher owner, block.

    A border passes each edge of the triangulation that joins two owners at the point of its Voronoi edge nearest to
    its middle; so it runs straight between two parallel walls however coarsely they are sampled. Where three owners
    meet, and towards the frame, it goes by the centre of the circle through the three sites.
    """
    xy, owner, block = _with_frames(xy, owner, block)
    numbers, index = np.unique(block, return_inverse=True)
    triangles = shapely.delaunay_triangles(shapely.multipoints(xy, indices=index.ravel()))
    # a million triangles are quicker as numbers than as shapes
    rings, of = shapely.get_coordinates(triangles, return_index=True)
    corners, of = rings.reshape(-1, 4, 2)[:, :3], of[::4]
    site = _look_up(xy, corners.reshape(-1, 2)).reshape(-1, 3)
    whose = owner[site]
    parts = (whose != np.roll(whose, -1, axis=1)) & (whose >= 0) & (np.roll(whose, -1, axis=1) >= 0)
    some = parts.any(axis=1)
    corners, site, whose, parts, of = corners[some], site[some], whose[some], parts[some], of[some]
    centre = _circumcentres(corners)
    pass_at = _passes(xy, site, centre, parts)
    twice = parts.sum(axis=1) == 2
    first = np.argmax(parts, axis=1)
    second = 2 - np.argmax(parts[:, ::-1], axis=1)
    rows = np.flatnonzero(twice)
    spoke, corner = np.nonzero(parts & ~twice[:, None])
    start = np.r_[pass_at[rows, first[rows]], pass_at[spoke, corner]]
    end = np.r_[pass_at[rows, second[rows]], centre[spoke]]
    at, edge = np.r_[rows, spoke], np.r_[first[rows], corner]
    one, other = whose[at, edge], whose[at, (edge + 1) % 3]
    long = (start != end).any(axis=1)
    out = (start, end, np.minimum(one, other), np.maximum(one, other), numbers[of[at]])
    return tuple(values[long] for values in out)


def _passes(xy: np.ndarray, site: np.ndarray, centre: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Where the border passes each edge of each triangle, shape (n, 3, 2): the same for both triangles of an edge."""
    out = np.zeros((*site.shape, 2))
    row, corner = np.nonzero(parts)
    a, b = site[row, corner], site[row, (corner + 1) % 3]
    key = np.minimum(a, b) * len(xy) + np.maximum(a, b)
    _, edge = np.unique(key, return_inverse=True)
    edge = edge.ravel()
    low, high = np.empty(edge.max(initial=-1) + 1, dtype=np.int64), np.empty(edge.max(initial=-1) + 1, dtype=np.int64)
    low[edge[::-1]], high[edge] = row[::-1], row
    p, q = centre[low], centre[high]
    p, q, middle = p[edge], q[edge], (xy[a] + xy[b]) / 2
    # Both triangles must come to the same bits, so the ends are taken in one order: p from the lower triangle.
    along = ((middle - p) * (q - p)).sum(axis=1) / np.maximum(((q - p) ** 2).sum(axis=1), 1e-12)
    at = p + np.clip(along, 0.0, 1.0)[:, None] * (q - p)
    out[row, corner] = np.round(at / GRID) * GRID
    return out


def _with_frames(xy: np.ndarray, owner: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, ...]:
    """Add eight points of no owner around the sites of each block, so that every border between owners is finite."""
    first = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    low, high = np.minimum.reduceat(xy, first), np.maximum.reduceat(xy, first)
    middle, reach = (low + high) / 2, 3 * (high - low).max(axis=1) + 200.0
    angle = np.arange(8) * np.pi / 4
    ring = middle[:, None] + reach[:, None, None] * np.c_[np.cos(angle), np.sin(angle)]
    numbers = np.repeat(block[first], 8)
    xy, owner, block = np.r_[xy, ring.reshape(-1, 2)], np.r_[owner, np.full(len(numbers), -1)], np.r_[block, numbers]
    order = np.argsort(block, kind="stable")
    return xy[order], owner[order], block[order]


def _look_up(xy: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of `xy` that equals each wanted point."""
    table = xy[:, 0] + 1j * xy[:, 1]
    order = np.argsort(table, kind="stable")
    return np.asarray(order[np.searchsorted(table[order], wanted[:, 0] + 1j * wanted[:, 1])])


def _circumcentres(corners: np.ndarray) -> np.ndarray:
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    d = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    d = np.where(np.abs(d) < 1e-9, np.where(d < 0, -1e-9, 1e-9), d)
    bb, cc = (b * b).sum(axis=1), (c * c).sum(axis=1)
    shift = np.c_[c[:, 1] * bb - b[:, 1] * cc, b[:, 0] * cc - c[:, 0] * bb] / d[:, None]
    # A sliver on the outer ring may have its centre anywhere; nothing beyond the frame matters.
    # On the grid, so that borders that meet still meet once all lines are rounded to it.
    return np.asarray(np.round((a + np.clip(shift, -1e6, 1e6)) / GRID) * GRID)


def _clip(
    start: np.ndarray, end: np.ndarray, block: np.ndarray, blocks: Blocks, several: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Segments cut at the outline of the block of each, and the row each came from.

    A segment with both ends inside may leave in between, across a footprint: that does no harm, a footprint is whole.
    """
    shapes = _shapes(blocks, several)[np.searchsorted(several, block)]
    shapely.prepare(shapes)
    # An end may lie on the outline, where two houses meet; what matters is to which side the segment leaves it.
    length = np.hypot(*(end - start).T)
    nudge = (end - start) * (np.minimum(_NUDGE, length / 2) / length)[:, None]
    first, last = (shapely.contains_xy(shapes, at[:, 0], at[:, 1]) for at in (start + nudge, end - nudge))
    start, end = np.where(last & ~first, end.T, start.T).T, np.where(last & ~first, start.T, end.T).T
    leaves = np.flatnonzero(first != last)
    hit = _way_out(
        start[leaves], end[leaves], np.where(last & ~first, -1, 1)[leaves, None] * nudge[leaves], block[leaves], blocks
    )
    end[leaves] = np.where(np.isnan(hit), end[leaves], hit)
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    far = np.zeros(len(lines), dtype=bool)
    far[leaves] = np.isnan(hit[:, 0])
    neither = ~first & ~last
    far[neither] = shapely.intersects(shapes[neither], lines[neither])
    rows = np.flatnonzero(far)
    pieces, of = shapely.get_parts(shapely.intersection(lines[rows], shapes[rows]), return_index=True)
    good = shapely.get_type_id(pieces) == 1
    whole = np.flatnonzero((first | last) & ~far)
    return np.r_[lines[whole], pieces[good]], np.r_[whole, rows[of[good]]]


def _way_out(start: np.ndarray, end: np.ndarray, nudge: np.ndarray, block: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Where segments that start inside their block first meet its outline; NaN where not within `_REACH`."""
    parts = blocks.sides
    outer = np.append(blocks.block, -1)
    a, b = outer[parts.left], outer[parts.right]
    rim = a != b
    p, q, left, right = parts.start[rim], parts.end[rim], a[rim], b[rim]
    length = np.hypot(*(end - start).T)
    tip = start + (end - start) * np.minimum(1.0, _REACH / length)[:, None]
    rays = shapely.linestrings(np.stack([start + nudge, tip], axis=1))
    tree = shapely.STRtree(shapely.linestrings(np.stack([p, q], axis=1)))
    ray, wall = tree.query(rays)
    own = (left[wall] == block[ray]) | (right[wall] == block[ray])
    ray, wall = ray[own], wall[own]
    along = _crossing(start[ray] + nudge[ray], tip[ray], p[wall], q[wall])
    nearest = np.full(len(start), np.inf)
    np.minimum.at(nearest, ray, along)
    nearest[np.isinf(nearest)] = np.nan
    return start + nudge + (tip - start - nudge) * nearest[:, None]


def _crossing(a: np.ndarray, b: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Share of the way from a to b at which it crosses the segment p q; infinite where it does not."""
    d, e, f = b - a, q - p, p - a
    area = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    area = np.where(np.abs(area) < 1e-12, np.nan, area)
    t = (f[:, 0] * e[:, 1] - f[:, 1] * e[:, 0]) / area
    u = (f[:, 0] * d[:, 1] - f[:, 1] * d[:, 0]) / area
    return np.where((t >= 0) & (t <= 1) & (u >= -1e-9) & (u <= 1 + 1e-9), t, np.inf)


def _chains(lines: np.ndarray, low: np.ndarray, high: np.ndarray, block: np.ndarray, sites: Sites) -> np.ndarray:
    """Segments of the same two owners joined, their ends tied to walls, and straightened."""
    order = np.lexsort((high, low, block))
    lines, key = lines[order], np.c_[block, low, high][order]
    first = np.r_[True, (key[1:] != key[:-1]).any(axis=1)] if len(key) else np.empty(0, dtype=bool)
    group = np.cumsum(first) - 1
    merged, of = shapely.get_parts(
        shapely.line_merge(shapely.multilinestrings(lines, indices=group)), return_index=True
    )
    merged = _tie(merged, block[order][first][of], sites)
    return np.asarray(shapely.simplify(merged, STRAIGHTEN))


def _tie(lines: np.ndarray, block: np.ndarray, sites: Sites) -> np.ndarray:
    """Move ends near a corner that two owners share onto it; draw other loose ends out, to meet what they touch."""
    from scipy.spatial import cKDTree

    xy, line = shapely.get_coordinates(lines, return_index=True)
    ends = np.cumsum(np.bincount(line, minlength=len(lines)))
    tips = xy[np.r_[0, ends[:-1], ends - 1]] if len(lines) else xy
    _, which, met = np.unique(tips[:, 0] + 1j * tips[:, 1], return_inverse=True, return_counts=True)
    loose = np.zeros(len(xy), dtype=bool)
    loose[np.r_[0, ends[:-1], ends - 1]] = met[which.ravel()] == 1
    for at, inner in ((np.r_[0, ends[:-1]], 1), (ends - 1, -1)):
        outward = xy[at] - xy[at + inner]
        outward = outward / np.maximum(np.hypot(*outward.T), 1e-9)[:, None]
        moved = np.where(loose[at][:, None], xy[at] + 0.02 * outward, xy[at])
        if len(sites.corners):
            tree = cKDTree(np.c_[sites.corners, sites.corner_block * _APART])
            distance, corner = tree.query(np.c_[xy[at], block * _APART], distance_upper_bound=INSET)
            near = np.isfinite(distance) & loose[at]
            moved[near] = sites.corners[corner[near]]
        xy[at] = moved
    return np.asarray(shapely.linestrings(xy, indices=line))
