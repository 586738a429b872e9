"""Access of polygons: where edges enter them, and the nearest places on edges around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.points import FAR, OK, UNSNAPPED, Points, join_points
from gridmap.network.snapping import USUAL_METRES, blocked
from gridmap.network.walls import ON_WALL

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["snap_areas"]

# Places whose distance differs by less are equally near. Metres.
_TIE = 1e-9
# How far around a polygon the nearest edge is looked for before the whole network is.
_SEARCH_METRES = (100.0, 400.0)


def snap_areas(
    network: StreetNetwork, polygons: Shapes, side: Ints, reach: Floats
) -> tuple[Points, npt.NDArray[np.int8]]:
    """Every edge within range of each polygon, at the places nearest to it, else the nearest edge.

    Parameters
    ----------
    network
        The network; its `access_metres` is the range.
    polygons
        In the CRS of the network.
    side
        The walled compound that each polygon lies in, or `OUTSIDE`.
    reach
        Metres: how far the nearest edge is looked for; 0 for not at all.
    """
    radius = network.access_metres
    usual = radius if radius > 0 else USUAL_METRES
    found = _within(network, polygons, np.arange(len(polygons)), side, radius) if radius > 0 else Points.none()
    status = np.full(len(polygons), UNSNAPPED, dtype=np.int8)
    status[found.owner] = OK
    parts = [found]
    for row in np.flatnonzero((status == UNSNAPPED) & (reach > radius)).tolist():
        nearest = _nearest(network, polygons, row, side, float(reach[row]))
        if len(nearest.owner):
            parts.append(nearest)
            status[row] = FAR if nearest.leg[0] > usual else OK
    return join_points(parts), status


def _nearest(network: StreetNetwork, polygons: Shapes, row: int, side: Ints, reach: float) -> Points:
    """The nearest edge that a leg from one polygon reaches, wherever it is; edges equally near are all taken."""
    polygon = polygons[row]
    done = -1.0
    for metres in (*_SEARCH_METRES, np.inf):
        if metres < np.inf:
            edge: Longs = network.edge_tree.query(polygon, predicate="dwithin", distance=metres)
        else:
            enclosed = _same_enclosure(network, polygon, done)
            edge = np.arange(network.graph.n_edges) if enclosed is None else enclosed
        apart = np.asarray(shapely.distance(polygon, network.edge_lines[edge]))
        new = (apart > done) & (apart <= reach)
        owner = np.full(int(new.sum()), row, dtype=np.int64)
        found = _reached(network, polygons, owner, edge[new], apart[new], side)
        if len(found.owner):
            return found.take(found.leg <= found.leg.min() + _TIE)
        if metres >= reach:
            break
        done = metres
    return Points.none()


def _same_enclosure(network: StreetNetwork, polygon: Any, metres: float) -> Longs | None:
    """Edges in the same enclosure of walls as a polygon; None where no ring of walls is closed around it nearby.

    What is shut in by walls reaches nothing beyond them, so that not every edge of a city need be tried.
    """
    walls = network.walls
    if not len(walls.segments[0]):
        return None
    near = walls.segment_tree.query(polygon, predicate="dwithin", distance=metres)
    faces = np.array(shapely.polygonize([shapely.union_all(walls.segment_lines[near])]).geoms, dtype=object)
    around = shapely.union_all(faces[shapely.intersects(faces, polygon)])
    if not around.contains_properly(polygon):
        return None
    # a leg may end on the wall itself
    return np.asarray(network.edge_tree.query(around, predicate="dwithin", distance=2 * ON_WALL), dtype=np.int64)


def _within(network: StreetNetwork, polygons: Shapes, rows: Longs, side: Ints, metres: float) -> Points:
    """Access points of some of the polygons on all edges within a distance that a leg reaches."""
    row, edge = network.edge_tree.query(polygons[rows], predicate="dwithin", distance=metres)
    owner, edge = rows[row], edge.astype(np.int64)
    apart = np.asarray(shapely.distance(polygons[owner], network.edge_lines[edge]))
    return _reached(network, polygons, owner, edge, apart, side)


def _reached(network: StreetNetwork, polygons: Shapes, owner: Longs, edge: Longs, apart: Floats, side: Ints) -> Points:
    """Access points of pairs of a polygon and an edge, as far as both lie on one side of the walls."""
    enters = apart == 0
    inner = _entering(network, polygons, owner[enters], edge[enters])
    outer = _beside(network, polygons, owner[~enters], edge[~enters], apart[~enters])
    points = join_points((inner, outer))
    return points.take(network.side_at(points.edge, (points.t0 + points.t1) / 2) == side[points.owner])


def _entering(network: StreetNetwork, polygons: Shapes, owner: Longs, edge: Longs) -> Points:
    """The parts of edges inside polygons, each with a leg of nothing."""
    inside, pair = shapely.get_parts(shapely.intersection(network.edge_lines[edge], polygons[owner]), return_index=True)
    xy, part = shapely.get_coordinates(inside, return_index=True)
    t = network.fraction(edge[pair[part]], xy)
    low, high = np.full(len(inside), np.inf), np.full(len(inside), -np.inf)
    np.minimum.at(low, part, t)
    np.maximum.at(high, part, t)
    return Points(owner[pair], edge[pair].astype(np.int32), low, high, np.zeros(len(inside)))


def _beside(network: StreetNetwork, polygons: Shapes, owner: Longs, edge: Longs, apart: Floats) -> Points:
    """The places of edges that are nearest to a polygon they do not enter; stretches where they run beside it."""
    from gridmap.network.area_kernel import shortest_legs

    if not len(owner):
        return Points.none()
    outlines, start = _outline_segments(polygons, np.unique(owner))
    which, legs = shortest_legs(owner, edge, apart + _TIE, network.edge_xy, start, outlines)
    free = ~blocked(network.walls, legs[:, 1:], network.place_at(edge[which[:, 0]], legs[:, 0]))
    which, t = which[free], legs[free, 0]
    if not len(t):
        return Points.none()
    # legs that begin at one side of the polygon are the ends of one stretch
    first = np.flatnonzero(np.concatenate(([True], (which[1:] != which[:-1]).any(axis=1))))
    pair = which[first, 0]
    low, high = np.minimum.reduceat(t, first), np.maximum.reduceat(t, first)
    # the sides of a polygon that meet at a corner each report it: keep only stretches not within a longer one
    order = np.lexsort((-high, low, pair))
    pair, low, high = pair[order], low[order], high[order]
    reached = np.maximum.accumulate(4.0 * pair + high)
    own = np.ones(len(pair), dtype=np.bool_)
    own[1:] = 4.0 * pair[1:] + high[1:] > reached[:-1]
    pair, low, high = pair[own], low[own], high[own]
    return Points(owner[pair], edge[pair].astype(np.int32), low, high, apart[pair])


def _outline_segments(polygons: Shapes, rows: Longs) -> tuple[Floats, Longs]:
    """Outlines of some polygons as segments (s, 4), and where those of each polygon begin."""
    rings, ring_row = shapely.get_parts(shapely.boundary(polygons[rows]), return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    start = np.zeros(len(polygons) + 1, dtype=np.int64)
    owner = rows[ring_row[ring[:-1][joined]]]
    np.cumsum(np.bincount(owner, minlength=len(polygons)), out=start[1:])
    return np.hstack((xy[:-1], xy[1:]))[joined], start
