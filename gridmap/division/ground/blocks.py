"""Blocks: the land of one community between streets, barriers and walls, and what of it is built on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.division.ground.adjacency import gather, sum_by_pair
from gridmap.division.ground.faces import enclosed
from gridmap.division.ground.land import Land, place
from gridmap.division.ground.settle import ACROSS
from gridmap.division.ground.sides import Sides, node_lines

__all__ = ["Blocks", "find_blocks", "on_lines"]

# Empty land narrower than this on average (the strip between two carriageways), or smaller (a roundabout), is no block
# of its own: it goes to the neighbour across its longest street.
THIN_METRES = 20.0
SMALL_M2 = 300.0
# A dead end is carried on to what lies ahead of it within this distance.
CARRIED_METRES = 40.0
_TOUCHING = 0.02
# Where a strip may go either way, it goes that way: to a side that no street of a rectangular town runs along.
_SIDE = np.array([0.94, 0.34])


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

    edges: shapely.Geometry
    faces: np.ndarray
    owner: np.ndarray
    block: np.ndarray
    wet: np.ndarray
    site_share: np.ndarray
    sides: Sides


def find_blocks(land: Land) -> Blocks:
    """Cut a community along its lines and footprints, and number the blocks of open land."""
    whole = shapely.get_type_id(land.footprints) != 0
    walled = _covered(land.footprints, land.walls)
    lines = [
        np.atleast_1d(shapely.boundary(land.area)),
        land.cuts,
        land.fixed,
        shapely.boundary(land.water),
        shapely.boundary(land.walls),
        shapely.boundary(land.footprints[whole & ~walled]),
    ]
    lines.append(_carried_on(land.cuts, np.concatenate(lines)))
    edges = node_lines(np.concatenate(lines))
    found = enclosed(edges)
    shapely.prepare(land.area)
    at = shapely.point_on_surface(found.shapes)
    inside = shapely.intersects(land.area, at)
    found, at = found.take(inside), at[inside]
    faces, parts = found.shapes, found.sides
    owner, share = _owners(land, faces, at, whole & ~walled)
    wet = place(at, land.water) >= 0
    block = _number(land, faces, owner, wet, parts)
    return Blocks(edges, faces, owner, block, wet, share, parts)


def _carried_on(streets: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Dead ends carried on straight to the first line ahead, so that a lane parts the land on its two sides."""
    xy, line = shapely.get_coordinates(streets, return_index=True)
    vertex, times = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True, return_counts=True)[1:]
    once = times[vertex.ravel()] == 1
    turn = np.diff(line) > 0
    first, last = np.flatnonzero(once & np.append(True, turn)[: len(xy)]), np.flatnonzero(once & np.append(turn, True))
    tip, before = np.r_[first, last], np.r_[first + 1, last - 1]
    ahead = xy[tip] - xy[before]
    ahead = ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    ends = shapely.points(xy[tip])
    rays = _arrows(xy[tip] + _TOUCHING * ahead, ahead * CARRIED_METRES)
    tree = shapely.STRtree(lines)
    # An end that touches something is no dead end: the side of a street, a wall, the border of the community.
    end, other = tree.query(ends, predicate="dwithin", distance=_TOUCHING)
    touches = np.zeros(len(tip), dtype=bool)
    touches[end[~shapely.equals_exact(lines[other], streets[line[tip[end]]])]] = True
    ray, met = tree.query(rays, predicate="intersects")
    gap = np.full(len(tip), np.inf)
    np.minimum.at(gap, ray, shapely.distance(ends[ray], shapely.intersection(rays[ray], lines[met])))
    dead = ~touches & np.isfinite(gap)
    return _arrows(xy[tip[dead]], ahead[dead] * (gap[dead] + _TOUCHING)[:, None])


def _arrows(start: np.ndarray, way: np.ndarray) -> np.ndarray:
    return np.asarray(shapely.linestrings(np.stack([start, start + way], axis=1)))


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
    footprints, part_of = shapely.get_parts(land.footprints[drawn], return_index=True)
    of = land.owner[drawn][part_of]
    built = place(at, footprints)
    on = built >= 0
    owner[on] = of[built[on]]
    share[on] = shapely.area(faces[on]) / shapely.area(footprints[built[on]])
    return owner, share


def _number(land: Land, faces: np.ndarray, owner: np.ndarray, wet: np.ndarray, parts: Sides) -> np.ndarray:
    """Block of each open face; thin or small empty ones join the neighbour across the longest line.

    Best across one that no border is meant to follow: so the strip between a street and its footway joins the land
    beyond the footway, and the border stays on the street. Of two carriageways it is the one on the same side all along
    the street.
    """
    inner = parts.take(parts.right >= 0)
    a, b = inner.left, inner.right
    empty = owner < 0
    beside_wall = (owner[a] < 0) != (owner[b] < 0)
    empty[a[beside_wall]] = empty[b[beside_wall]] = False
    points = land.footprints[shapely.get_type_id(land.footprints) == 0]
    at = place(points, faces)
    empty[at[at >= 0]] = False
    area, perimeter = shapely.area(faces), shapely.length(faces)
    spare = empty & ~wet & ((2 * area < THIN_METRES * perimeter) | (area < SMALL_M2))
    crossable = (owner[a] < 0) & (owner[b] < 0) & (wet[a] == wet[b]) & (spare[a] | spare[b])
    crossable[crossable] = ~on_lines(inner.take(crossable), land.fixed)
    strip = inner.take(crossable)
    cost = np.where(on_lines(strip, land.followed), ACROSS, 1.0)
    middle = (strip.start + strip.end) / 2 @ _SIDE
    low, high, border, metres, at = sum_by_pair(
        a[crossable], b[crossable], strip.length * cost, strip.length, strip.length * middle
    )
    own = shapely.get_coordinates(shapely.centroid(faces)) @ _SIDE
    source, target = np.r_[low, high], np.r_[high, low]
    beyond = np.tile(at / metres, 2) > own[source]
    root, _ = gather(~spare, area, source, target, np.where(beyond, 2.0, 1.0) * np.tile(border, 2))
    return np.where(owner < 0, root, -1)


def on_lines(parts: Sides, lines: np.ndarray, tolerance: float = 0.01) -> np.ndarray:
    """Which segments run along one of the lines."""
    out = np.zeros(len(parts.start), dtype=bool)
    if len(lines):
        middle = shapely.points((parts.start + parts.end) / 2)
        out[shapely.STRtree(lines).query(middle, predicate="dwithin", distance=tolerance)[0]] = True
    return out
