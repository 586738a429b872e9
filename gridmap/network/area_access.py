"""Access of polygons: where edges enter them, and the nearest places on edges around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.network.points import FAR, OK, UNSNAPPED, Points, join_points
from gridmap.network.snapping import USUAL_METRES, blocked

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
_CHUNK = 2_000_000


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
    found = _within(network, polygons, np.arange(len(polygons)), side, radius) if radius > 0 else Points.none()
    status = np.full(len(polygons), UNSNAPPED, dtype=np.int8)
    status[found.owner] = OK
    parts = [found]
    width = np.linalg.norm(np.ptp(network.graph.node_xy, axis=0)) if network.graph.n_nodes else 0.0
    low, high = network.graph.node_xy.min(axis=0), network.graph.node_xy.max(axis=0)
    box = shapely.bounds(polygons).reshape(-1, 4)
    off = np.hypot(*np.maximum(np.maximum(low - box[:, 2:], box[:, :2] - high), 0).T)
    # where nothing is in range, the range grows until something is
    wide = max(2 * radius, 2 * USUAL_METRES)
    waiting = np.flatnonzero((status == UNSNAPPED) & (reach > radius))
    while len(waiting):
        tried = _within(network, polygons, waiting, side, wide)
        nearest = np.full(len(polygons), np.inf)
        np.minimum.at(nearest, tried.owner, tried.leg)
        kept = tried.take(tried.leg <= nearest[tried.owner] + _TIE)
        parts.append(kept)
        status[kept.owner] = np.where(kept.leg > (radius if radius > 0 else USUAL_METRES), FAR, OK)
        waiting = waiting[(status[waiting] == UNSNAPPED) & (wide < np.minimum(reach, off + width)[waiting])]
        wide *= 4
    return join_points(parts), status


def _within(network: StreetNetwork, polygons: Shapes, rows: Longs, side: Ints, metres: float) -> Points:
    """Access points of some of the polygons on all edges within a distance that a leg reaches."""
    row, edge = network.edge_tree.query(polygons[rows], predicate="dwithin", distance=metres)
    owner, edge = rows[row], edge.astype(np.int64)
    lines = network.edge_lines
    apart = np.asarray(shapely.distance(polygons[owner], lines[edge]))
    enters = apart == 0
    inner = _entering(network, polygons, owner[enters], edge[enters])
    outer = _beside(network, polygons, owner[~enters], edge[~enters], apart[~enters])
    points = join_points((inner, outer))
    at = np.minimum((points.t0 + points.t1) / 2, 1.0)
    return points.take(network.side_at(points.edge, at) == side[points.owner])


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
    outlines, start = _outline_segments(polygons, np.unique(owner))
    work = np.cumsum(np.diff(start)[owner]) // _CHUNK
    chunks = np.split(np.arange(len(owner)), np.flatnonzero(np.diff(work)) + 1)
    return join_points(_beside_some(network, owner[c], edge[c], apart[c], outlines, start) for c in chunks)


def _beside_some(
    network: StreetNetwork, owner: Longs, edge: Longs, apart: Floats, outlines: Floats, start: Longs
) -> Points:
    count = start[owner + 1] - start[owner]
    pair = np.repeat(np.arange(len(owner)), count)
    at = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count) + start[owner][pair]
    c, d = outlines[at, :2], outlines[at, 2:]
    graph = network.graph
    a, b = graph.node_xy[graph.edge_u[edge]][pair], graph.node_xy[graph.edge_v[edge]][pair]
    # two segments that do not meet are nearest at an end of one of them: the place on the edge, and that on the outline
    t_c, t_d = _foot(c, a, b), _foot(d, a, b)
    s_a, s_b = _foot(a, c, d), _foot(b, c, d)
    on_edge = np.stack((np.zeros(len(pair)), np.ones(len(pair)), t_c, t_d))
    on_outline = np.stack((_at(c, d, s_a), _at(c, d, s_b), c, d))
    reached = np.stack((a, b, _at(a, b, t_c), _at(a, b, t_d)))
    near = np.hypot(*np.moveaxis(reached - on_outline, 2, 0)) <= apart[pair] + _TIE
    which, column = np.nonzero(near)
    free = ~blocked(network.walls, on_outline[which, column], reached[which, column])
    which, column = which[free], column[free]
    low, high = np.full(len(pair), np.inf), np.full(len(pair), -np.inf)
    np.minimum.at(low, column, on_edge[which, column])
    np.maximum.at(high, column, on_edge[which, column])
    some = np.isfinite(low)
    return Points(owner[pair[some]], edge[pair[some]].astype(np.int32), low[some], high[some], apart[pair[some]])


def _outline_segments(polygons: Shapes, rows: Longs) -> tuple[Floats, Longs]:
    """Outlines of some polygons as segments (s, 4), and where those of each polygon begin."""
    rings, ring_row = shapely.get_parts(shapely.boundary(polygons[rows]), return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    start = np.zeros(len(polygons) + 1, dtype=np.int64)
    owner = rows[ring_row[ring[:-1][joined]]]
    np.cumsum(np.bincount(owner, minlength=len(polygons)), out=start[1:])
    return np.hstack((xy[:-1], xy[1:]))[joined], start


def _foot(point: Floats, a: Floats, b: Floats) -> Floats:
    """How far along a to b (0 to 1) the place nearest to each point is."""
    along = b - a
    square = (along**2).sum(axis=1)
    share = ((point - a) * along).sum(axis=1)
    foot: Floats = np.clip(np.divide(share, square, out=np.zeros(len(square)), where=square > 0), 0.0, 1.0)
    return foot


def _at(a: Floats, b: Floats, t: Floats) -> Floats:
    return a + t[:, None] * (b - a)
