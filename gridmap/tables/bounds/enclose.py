"""Rings of named lines: what legs, in order, enclose, with gaps bridged and every crossing of two legs tried."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry import LineString, Polygon
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = ["Gap", "Ring", "enclose"]

# Lines are noded on a grid of a millimetre, so that what touches within rounding has a node there.
_GRID = 0.001
# A way over a gap costs this times its length: lines that meet a little farther on are preferred to a jump.
_DEAR = 3.0
# Two legs that meet more often than this are tried at the crossings that need the shortest gaps.
_MOST_CROSSINGS = 8
_MOST_POINTS = 12
_MOST_DETOURS = 12
_LEAST_AREA = 100.0


class Gap(NamedTuple):
    """A stretch where no line runs: between two legs, or in one where both are the same."""

    legs: tuple[int, int]
    line: LineString


class Ring(NamedTuple):
    """A closed way along all legs in order: what it encloses, its path on each leg, and the gaps it bridges."""

    polygon: Polygon
    paths: list[LineString]
    gaps: list[Gap]


@dataclass
class _Graph:
    """The lines of one leg as a graph on the nodes of all legs; `jump` marks edges that bridge a gap."""

    tail: Ints
    head: Ints
    cost: Floats
    shape: Shapes
    jump: NDArray[np.bool_]
    size: int

    def costs(self, without: Ints | None = None) -> coo_array:
        kept = np.ones(len(self.tail), dtype=bool)
        if without is not None:
            kept[without] = False
        tail, head, cost = self.tail[kept], self.head[kept], self.cost[kept]
        # of parallel edges the shortest counts; a sparse array would add them up
        order = np.lexsort((cost, np.maximum(tail, head), np.minimum(tail, head)))
        pair = np.c_[np.minimum(tail, head), np.maximum(tail, head)][order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (pair[1:] != pair[:-1]).any(axis=1)
        pair, cost = pair[first], cost[order][first]
        return coo_array((cost, (pair[:, 0], pair[:, 1])), shape=(self.size, self.size)).tocsr()


class _Corner(NamedTuple):
    """Where one leg passes into the next, in one crossing: nodes on both, the length of the gap, and its line."""

    on: Ints
    onto: Ints
    gap: Floats
    line: Shapes


def enclose(legs: Sequence[Shapes], *, max_gap: float, crossing: float) -> list[Ring]:
    """Every ring that runs along the legs in order, the cheapest way between each choice of crossings.

    Parameters
    ----------
    legs
        Lines of each leg, in metres.
    max_gap
        Gaps of up to this length in metres are bridged: in a leg, and between a leg and the next. What is joined is
        the nearest points of two pieces, and each loose end with the nearest point of the other leg.
    crossing
        Points where two legs meet, no farther apart than this in a chain, are one crossing: those of two roads with
        separate carriageways.
    """
    merged = [_noded(lines) for lines in legs]
    if len(merged) == 1:
        return _ring_road(merged[0], max_gap)
    turns = [(k, (k + 1) % len(merged)) for k in range(len(merged))]
    within = [_jumps_within(line, max_gap) for line in merged]
    between = [_jumps_between(merged[a], merged[b], max_gap) for a, b in turns]
    edges = shapely.get_parts(shapely.union_all([*merged, *itertools.chain(*within, *between)], grid_size=_GRID))
    nodes, graphs = _graphs(edges, merged, within)
    corners = [
        _crossings(graphs[a], graphs[b], jumps, nodes, crossing) for (a, b), jumps in zip(turns, between, strict=True)
    ]
    if not all(corners):
        return []
    return [*_faces(merged), *_rings(graphs, corners, crossing)]


def _noded(lines: Shapes) -> BaseGeometry:
    return shapely.line_merge(shapely.union_all(lines, grid_size=_GRID))


def _ring_road(line: BaseGeometry, max_gap: float) -> list[Ring]:
    """What one street encloses that is all four sides: each ring of it."""
    jumps = _jumps_within(line, max_gap)
    ends = shapely.get_parts(shapely.union_all([line, *jumps], grid_size=_GRID))
    land = shapely.union_all(shapely.polygonize(ends))
    out = []
    for part in shapely.get_parts(land):
        polygon = shapely.Polygon(part.exterior)
        used = [j for j in jumps if polygon.boundary.distance(shapely.line_interpolate_point(j, 0.5, True)) < 2 * _GRID]
        out.append(Ring(polygon, [polygon.exterior], [Gap((0, 0), j) for j in used]))
    return out


def _pieces(line: BaseGeometry) -> Shapes:
    """Its connected pieces."""
    parts = shapely.get_parts(line)
    tree = shapely.STRtree(parts)
    a, b = tree.query(parts, predicate="dwithin", distance=_GRID / 2)
    _, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(parts), len(parts))))
    return np.array([shapely.union_all(parts[label == k]) for k in range(label.max() + 1)], dtype=object)


def _loose_ends(line: BaseGeometry) -> Shapes:
    """Points where exactly one part of a noded line ends."""
    parts = shapely.get_parts(line)
    ends = np.r_[
        shapely.get_coordinates(shapely.get_point(parts, 0)), shapely.get_coordinates(shapely.get_point(parts, -1))
    ]
    key, first, count = np.unique(
        np.round(ends / _GRID).astype(np.int64), axis=0, return_index=True, return_counts=True
    )
    return shapely.points(ends[first[count == 1]]) if len(key) else np.array([], dtype=object)


def _jumps_within(line: BaseGeometry, max_gap: float) -> Shapes:
    """Lines that join the pieces of one leg."""
    pieces = _pieces(line)
    if len(pieces) < 2:
        return np.array([], dtype=object)
    found = [shapely.shortest_line(a, b) for a, b in itertools.combinations(pieces, 2) if a.distance(b) <= max_gap]
    if np.isfinite(max_gap):
        for piece, others in ((p, [q for q in pieces if q is not p]) for p in pieces):
            for end in _loose_ends(shapely.line_merge(piece)):
                found += [shapely.shortest_line(end, other) for other in others if end.distance(other) <= max_gap]
    return _lines(found)


def _jumps_between(one: BaseGeometry, other: BaseGeometry, max_gap: float) -> Shapes:
    """Lines from one leg to another that it does not touch there; each runs from the first to the second."""
    a, b = _pieces(one), _pieces(other)
    found = [shapely.shortest_line(p, q) for p, q in itertools.product(a, b) if 0 < p.distance(q) <= max_gap]
    found += [shapely.shortest_line(end, other) for end in _loose_ends(one) if 0 < end.distance(other) <= max_gap]
    found += [shapely.shortest_line(one, end) for end in _loose_ends(other) if 0 < end.distance(one) <= max_gap]
    return _lines(found)


def _lines(found: list[LineString]) -> Shapes:
    snapped = shapely.set_precision(np.array(found, dtype=object), _GRID, mode="pointwise")
    return np.array(list({line.wkb: line for line in snapped if line.length > _GRID}.values()), dtype=object)


def _faces(merged: list[BaseGeometry]) -> Iterator[Ring]:
    """The faces between the lines that have each leg on their outline: rings without a gap, whatever their way."""
    edges = shapely.get_parts(shapely.union_all(merged, grid_size=_GRID))
    for face in shapely.get_parts(shapely.polygonize(edges)):
        outline = shapely.Polygon(face.exterior)
        if outline.area >= _LEAST_AREA and max(outline.distance(line) for line in merged) < _GRID:
            band = shapely.buffer(outline.exterior, 2 * _GRID, quad_segs=1)
            paths = [shapely.intersection(line, band) for line in merged]
            if min(path.length for path in paths) >= 1:
                yield Ring(outline, paths, [])


def _graphs(
    edges: Shapes, merged: list[BaseGeometry], within: list[Shapes]
) -> tuple[dict[tuple[int, int], int], list[_Graph]]:
    """All lines noded together, as one graph a leg on common nodes."""
    ends = np.stack(
        [_key(shapely.get_coordinates(shapely.get_point(edges, at))) for at in (0, -1)], axis=1
    )  # edge, end, xy
    places, at = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    at = at.reshape(-1, 2)
    nodes = {(int(x), int(y)): k for k, (x, y) in enumerate(places)}
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    graphs = []
    for line, jumps in zip(merged, within, strict=True):
        shapely.prepare(line)
        own = shapely.dwithin(middle, line, 2 * _GRID)
        jump = np.zeros(len(edges), dtype=bool)
        if len(jumps):
            jump = shapely.dwithin(middle, shapely.multilinestrings(list(jumps)), 2 * _GRID) & ~own
        kept = np.flatnonzero(own | jump)
        length = shapely.length(edges[kept]) * np.where(jump[kept], _DEAR, 1.0)
        graphs.append(_Graph(at[kept, 0], at[kept, 1], length, edges[kept], jump[kept], len(places)))
    return nodes, graphs


def _key(xy: Floats) -> NDArray[np.int64]:
    return np.round(xy / _GRID).astype(np.int64)


def _crossings(
    a: _Graph, b: _Graph, jumps: Shapes, nodes: dict[tuple[int, int], int], crossing: float
) -> list[_Corner]:
    """Where one leg meets the next, points near one another together, those that need no gap first."""
    met = np.intersect1d(np.r_[a.tail[~a.jump], a.head[~a.jump]], np.r_[b.tail[~b.jump], b.head[~b.jump]])
    place = {k: xy for xy, k in nodes.items()}
    on, onto = [*met.tolist()], [*met.tolist()]
    lines: list[LineString | None] = [None] * len(met)
    spots = [np.array(place[k]) * _GRID for k in met.tolist()]
    for jump in jumps:
        start, end = (nodes.get((int(x), int(y))) for x, y in _key(shapely.get_coordinates(jump)[[0, -1]]))
        if start is not None and end is not None:
            on.append(start)
            onto.append(end)
            lines.append(jump)
            spots.append(shapely.get_coordinates(jump).mean(axis=0))
    if not on:
        return []
    gap = np.array([0.0 if line is None else line.length for line in lines])
    points = shapely.points(np.array(spots))
    i, j = shapely.STRtree(points).query(points, predicate="dwithin", distance=crossing)
    _, label = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(len(on), len(on))))
    out = []
    shape = np.array(lines, dtype=object)
    for k in range(label.max() + 1):
        rows = np.flatnonzero(label == k)
        if (gap[rows] == 0).any():
            # where they meet no gap is bridged
            rows = rows[gap[rows] == 0]
        rows = rows[np.argsort(gap[rows], kind="stable")][:_MOST_POINTS]
        out.append(_Corner(np.array(on)[rows], np.array(onto)[rows], gap[rows], shape[rows]))
    return sorted(out, key=lambda corner: float(corner.gap.min()))[:_MOST_CROSSINGS]


def _rings(graphs: list[_Graph], corners: list[list[_Corner]], crossing: float) -> Iterator[Ring]:
    count = len(graphs)
    starts = [np.unique(np.concatenate([c.onto for c in corners[k - 1]])) for k in range(count)]
    reach = [dijkstra(graph.costs(), directed=False, indices=starts[k]) for k, graph in enumerate(graphs)]
    found = []
    for choice in itertools.product(*corners):
        cost, points = _cheapest(choice, starts, reach)
        if np.isfinite(cost):
            found.append((cost, choice, points))
    found.sort(key=lambda row: row[0])
    for rank, (_, choice, points) in enumerate(found):
        ways = []
        for k, graph in enumerate(graphs):
            start = int(choice[k - 1].onto[points[k - 1]])
            end = int(choice[k].on[points[k]])
            ways.append(_ways(graph, start, end, crossing, detour=rank < _MOST_DETOURS))
        bridges = [
            Gap((k, (k + 1) % count), corner.line[point])
            for k, (corner, point) in enumerate(zip(choice, points, strict=True))
            if corner.line[point] is not None
        ]
        for paths in itertools.product(*ways):
            ring = _ring(list(paths), bridges)
            if ring is not None:
                yield ring


def _cheapest(choice: tuple[_Corner, ...], starts: list[Ints], reach: list[Floats]) -> tuple[float, list[int]]:
    """The cheapest closed way through one crossing for each turn: its cost, and the point taken in each crossing."""
    # the last turn leads onto leg 0, so the way is closed when it comes back to the point it began at
    steps = []
    for k, corner in enumerate(choice):
        rows = np.searchsorted(starts[k], choice[k - 1].onto)
        step = reach[k][np.ix_(rows, corner.on)]
        # a leg without length has no part in what is enclosed
        steps.append(np.where(step > 0, step, np.inf) + _DEAR * corner.gap[None, :])
    total, back = steps[0], []
    for step in steps[1:]:
        sums = total[:, :, None] + step[None, :, :]
        back.append(sums.argmin(axis=1))
        total = sums.min(axis=1)
    closed = np.diagonal(total)
    best = int(closed.argmin())
    points = [best]
    for choose in reversed(back):
        points.append(int(choose[best, points[-1]]))
    return float(closed[best]), points[::-1]


def _ways(
    graph: _Graph, start: int, end: int, crossing: float, *, detour: bool
) -> list[tuple[LineString, list[LineString]]]:
    """The cheapest path on a leg and, where the street goes round, the other way; each with the gaps it bridges."""
    first = _path(graph, start, end)
    if first is None:
        return []
    out = [first[:2]]
    if detour and first[2].size:
        second = _path(graph, start, end, without=first[2])
        if second is not None and not second[1] and second[0].hausdorff_distance(first[0]) > crossing:
            out.append(second[:2])
    return out


def _path(
    graph: _Graph, start: int, end: int, without: Ints | None = None
) -> tuple[LineString, list[LineString], Ints] | None:
    costs = graph.costs(without)
    distance, before = dijkstra(costs, directed=False, indices=start, return_predecessors=True)
    if not np.isfinite(distance[end]):
        return None
    way = [end]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    if len(way) == 1:
        return shapely.LineString(), [], np.array([], dtype=np.intp)
    used, coordinates = [], []
    for a, b in zip(way[::-1], way[-2::-1], strict=False):
        same = np.flatnonzero(((graph.tail == a) & (graph.head == b)) | ((graph.tail == b) & (graph.head == a)))
        if without is not None:
            same = np.setdiff1d(same, without)
        edge = int(same[graph.cost[same].argmin()])
        used.append(edge)
        xy = shapely.get_coordinates(graph.shape[edge])
        coordinates.append(xy if graph.tail[edge] == a else xy[::-1])
    gaps = [graph.shape[e] for e in used if graph.jump[e]]
    return shapely.LineString(np.concatenate(coordinates)), gaps, np.array(used, dtype=np.intp)


def _ring(paths: list[tuple[LineString, list[LineString]]], bridges: list[Gap]) -> Ring | None:
    """What paths enclose; nothing where a leg has no part in it."""
    lines = [path for path, _ in paths]
    if any(line.is_empty for line in lines):
        return None
    coordinates = np.concatenate([shapely.get_coordinates(line) for line in lines])
    if len(coordinates) < 3:
        return None
    polygon = shapely.Polygon(coordinates)
    if not polygon.is_valid:
        mended = shapely.get_parts(shapely.make_valid(polygon, method="structure", keep_collapsed=False))
        solid = [part for part in mended if part.geom_type == "Polygon"]
        if not solid:
            return None
        polygon = max(solid, key=lambda part: part.area)
    polygon = shapely.remove_repeated_points(shapely.Polygon(polygon.exterior), _GRID)
    if polygon.area < _LEAST_AREA:
        return None
    edge = shapely.buffer(polygon.exterior, 2 * _GRID, quad_segs=1)
    on = [shapely.intersection(line, edge) for line in lines]
    if min(part.length for part in on) < 1:
        return None
    within = [Gap((k, k), line) for k, (_, gaps) in enumerate(paths) for line in gaps]
    return Ring(polygon, on, [*within, *bridges])
