"""Blocks: the land of one community between streets, barriers and walls, and what of it is built on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.division.sides import Sides, node_lines, sides

__all__ = ["Blocks", "Land", "find_blocks", "is_block_street", "place"]

# Empty land narrower than this on average (the strip between two carriageways), or smaller (a roundabout), is no block
# of its own: it goes to the neighbour across its longest street.
THIN_METRES = 12.0
SMALL_M2 = 300.0

# Drawn as a line in the streets table, but nothing on the ground that one walks along, or under it.
_NO_LINE = ("construction", "proposed", "abandoned", "razed", "raceway", "bus_stop", "corridor", "elevator", "platform")


@dataclass(frozen=True)
class Land:
    """One community as plain arrays in metres: what the land is made of and whose it is.

    Attributes
    ----------
    area
        Polygon or MultiPolygon of the community.
    footprints, owner
        Buildings cut at the community border (Polygon, MultiPolygon or Point), and the number of the owner of each.
        Buildings of one owner (a compound, footprints on top of each other) are never parted.
    walls, wall_owner
        Polygons of compounds that stay whole, and the owner of each.
    owners
        How many owners there are; their numbers run from 0.
    cuts
        Lines that bound blocks and may be crossed: streets, soft barriers.
    fixed
        Lines that bound blocks and that no block is grown across: hard barriers, outlines of other compounds.
    water
        Polygons of hard barriers.
    """

    area: shapely.Geometry
    footprints: np.ndarray
    owner: np.ndarray
    walls: np.ndarray
    wall_owner: np.ndarray
    owners: int
    cuts: np.ndarray
    fixed: np.ndarray
    water: np.ndarray


@dataclass(frozen=True)
class Blocks:
    """The land of a community cut along every line and footprint.

    Attributes
    ----------
    edges
        The lines, noded: each stretch between two nodes once.
    faces
        Polygons enclosed by them; together they are the community.
    owner
        Owner of a face that is built on or walled in, else -1.
    block
        Number of the block of an open face, else -1. Open faces with the same number count as one.
    wet
        Whether a face lies in a hard barrier.
    site_share
        Part of its footprint that a built face holds; 1 for walled faces.
    sides
        Segments between the faces.
    """

    edges: np.ndarray
    faces: np.ndarray
    owner: np.ndarray
    block: np.ndarray
    wet: np.ndarray
    site_share: np.ndarray
    sides: Sides


def is_block_street(streets: object) -> np.ndarray:
    """Which rows of a streets table bound blocks: all that lie on the ground, lanes and paths too."""
    import pandas as pd

    assert isinstance(streets, pd.DataFrame)
    keep = np.ones(len(streets), dtype=bool)
    if "class" in streets:
        keep &= ~streets["class"].isin(_NO_LINE).to_numpy()
    if "tunnel" in streets:
        text = streets["tunnel"].astype(str).str.lower()
        keep &= text.isin(("", "no", "none", "nan", "false", "0", "<na>", "building_passage", "0.0")).to_numpy()
    return keep


def find_blocks(land: Land) -> Blocks:
    """Cut a community along its lines and footprints, and number the blocks of open land."""
    whole = shapely.get_type_id(land.footprints) != 0
    inside = _covered(land.footprints, land.walls)
    lines = [
        np.atleast_1d(shapely.boundary(land.area)),
        land.cuts,
        land.fixed,
        shapely.boundary(land.water),
        shapely.boundary(land.walls),
        shapely.boundary(land.footprints[whole & ~inside]),
    ]
    edges = node_lines(np.concatenate(lines))
    faces = shapely.get_parts(shapely.polygonize(edges))
    shapely.prepare(land.area)
    at = shapely.point_on_surface(faces)
    faces, at = _take(faces, at, shapely.intersects(land.area, at))
    owner, share = _owners(land, faces, at, whole & ~inside)
    wet = place(at, land.water) >= 0
    parts = sides(faces)
    block = _group(land, faces, owner, wet, parts)
    return Blocks(edges, faces, owner, block, wet, share, parts)


def place(points: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """Index of the first polygon that each point lies in or on, -1 where there is none."""
    out = np.full(len(points), len(polygons), dtype=np.int64)
    if len(polygons):
        point, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
        np.minimum.at(out, point, polygon)
    out[out == len(polygons)] = -1
    return out


def _take(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    *rest, mask = arrays
    return tuple(a[mask] for a in rest)


def _covered(shapes: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    out = np.zeros(len(shapes), dtype=bool)
    if len(polygons) and len(shapes):
        out[shapely.STRtree(polygons).query(shapes, predicate="covered_by")[0]] = True
    return out


def _owners(land: Land, faces: np.ndarray, at: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    owner = np.full(len(faces), -1, dtype=np.int64)
    share = np.ones(len(faces))
    walled = place(at, land.walls)
    owner[walled >= 0] = land.wall_owner[walled[walled >= 0]]
    footprints, of = land.footprints[drawn], land.owner[drawn]
    built = place(at, footprints)
    on = built >= 0
    owner[on] = of[built[on]]
    share[on] = shapely.area(faces[on]) / shapely.area(footprints[built[on]])
    return owner, share


def _group(land: Land, faces: np.ndarray, owner: np.ndarray, wet: np.ndarray, parts: Sides) -> np.ndarray:
    """Number open faces; thin or small ones without a building join the neighbour across the longest crossable border."""
    open_ = owner < 0
    block = np.where(open_, np.arange(len(faces)), -1)
    area, perimeter = shapely.area(faces), shapely.length(faces)
    inner = parts.take(parts.right >= 0)
    length = inner.length
    built_beside = np.zeros(len(faces), dtype=bool)
    one_built = (owner[inner.left] >= 0) != (owner[inner.right] >= 0)
    for side in (inner.left, inner.right):
        built_beside[side[one_built]] = True
    _mark_points(land, faces, built_beside)
    spare = open_ & ~built_beside & ~wet & ((2 * area < THIN_METRES * perimeter) | (area < SMALL_M2))
    if not spare.any():
        return block
    crossable = open_[inner.left] & open_[inner.right] & (wet[inner.left] == wet[inner.right])
    crossable &= ~on_lines(inner, land.fixed)
    a, b, length = inner.left[crossable], inner.right[crossable], length[crossable]
    while spare.any():
        ga, gb = block[a], block[b]
        apart = ga != gb
        pairs, total = _sum_pairs(np.r_[ga[apart], gb[apart]], np.r_[gb[apart], ga[apart]], np.r_[length[apart]] * 1.0)
        pairs, total = _only(pairs, total, spare)
        if not len(pairs):
            break
        # A neighbour that is a block already is preferred to another strip, else strips join to ever longer strips.
        rank = np.lexsort((pairs[:, 1], -total, spare[pairs[:, 1]], pairs[:, 0]))
        pairs = pairs[rank]
        first = np.r_[True, pairs[1:, 0] != pairs[:-1, 0]]
        chosen = pairs[first]
        settled = chosen[~spare[chosen[:, 1]]]
        if not len(settled):
            # Only strips beside strips: join them along one border and look again.
            settled = chosen[:1]
            spare[settled[0, 1]] |= False
        target = np.arange(len(faces))
        target[settled[:, 0]] = settled[:, 1]
        block = np.where(block >= 0, target[block], -1)
        spare[settled[:, 0]] = False
    return block


def _mark_points(land: Land, faces: np.ndarray, built: np.ndarray) -> None:
    points = land.footprints[shapely.get_type_id(land.footprints) == 0]
    if len(points):
        at = place(points, faces)
        built[at[at >= 0]] = True


def _sum_pairs(a: np.ndarray, b: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = np.r_[length, length] if len(length) * 2 == len(a) else length
    n = int(max(a.max(initial=0), b.max(initial=0))) + 1
    key, inverse = np.unique(a * n + b, return_inverse=True)
    return np.c_[key // n, key % n], np.bincount(inverse, weights=length, minlength=len(key))


def _only(pairs: np.ndarray, total: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep = wanted[pairs[:, 0]]
    return pairs[keep], total[keep]


def on_lines(parts: Sides, lines: np.ndarray, tolerance: float = 0.01) -> np.ndarray:
    """Which segments run along one of the lines."""
    out = np.zeros(len(parts.start), dtype=bool)
    if len(lines):
        middle = shapely.points((parts.start + parts.end) / 2)
        out[shapely.STRtree(lines).query(middle, predicate="dwithin", distance=tolerance)[0]] = True
    return out
