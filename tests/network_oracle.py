"""Slow and obvious: legs by Shapely and distances by networkx, as the design (section 6) words them."""

from __future__ import annotations

import bisect
import itertools
import math

import networkx as nx
import numpy as np
import shapely
import shapely.ops
from shapely import LineString, Point

# Metres: how wide a gate opens its wall; how near to a wall is on it.
GATE, TOUCH = 1.0, 1e-3


class Wall:
    """A compound with its open gates."""

    def __init__(self, polygon, gates=()):
        self.polygon = polygon
        self.gates = [Point(g) for g in gates]


def edges_of(lines):
    """Straight edges between consecutive vertices; vertices at equal places are one node."""
    return [(a, b) for line in lines for a, b in itertools.pairwise(line.coords) if a != b]


def cut(edges, walls):
    """Edges as (node, node, line), cut where they cross a wall away from its gates; loose ends are new nodes."""
    out = []
    for number, (a, b) in enumerate(edges):
        line = LineString([a, b])
        cuts = []
        for wall in walls:
            met = line.intersection(wall.polygon.exterior)
            cuts += [
                line.project(p)
                for p in getattr(met, "geoms", [met])
                if not p.is_empty and all(p.distance(g) > GATE for g in wall.gates)
            ]
        marks = [0.0, *sorted(cuts), line.length]
        names = [a, *[f"cut {number} {i}" for i in range(len(cuts))], b]
        for i in range(len(marks) - 1):
            begin = names[i] if i == 0 else f"{names[i]} after"
            part = LineString([line.interpolate(marks[i]), line.interpolate(marks[i + 1])])
            out.append((begin, names[i + 1], part))
    return out


def ordinary_legs(place, edges, reach, walls, barriers, gate_of=None):
    """(edge, t, leg) of a point or polygon without regard to gates: all in range, else the nearest."""
    home = None if gate_of else yard_of(place.representative_point(), walls)
    found = []
    for number, (_, _, line) in enumerate(edges):
        leg = shapely.shortest_line(place, line)
        end = Point(leg.coords[-1])
        along = line.project(end)
        side = side_of(line, along, walls)
        through = gate_of is not None and leg.length <= GATE and side is gate_of
        if (side is home or through) and leg_is_free(leg, walls, barriers, gate_of):
            found.append((number, along / line.length if line.length else 0.0, leg.length))
    near = [f for f in found if f[2] <= reach]
    if near and reach > 0:
        return near
    least = min((f[2] for f in found), default=math.inf)
    return [f for f in found if f[2] <= least + 1e-9]


def side_of(line, along, walls):
    """The walled compound that a street lies in at some place, by the middle of its stretch between two walls."""
    marks = [0.0, line.length]
    for wall in walls:
        met = line.intersection(wall.polygon.exterior)
        at = [line.project(p) for p in getattr(met, "geoms", [met]) if p.geom_type == "Point" and not p.is_empty]
        marks += [m for m in at if TOUCH < m < line.length - TOUCH]
    marks.sort()
    i = min(max(bisect.bisect_right(marks, along), 1), len(marks) - 1)
    return yard_of(line.interpolate((marks[i - 1] + marks[i]) / 2), walls)


def yard_of(point, walls):
    """The walled compound around a point; what lies on the wall is outside."""
    around = (w for w in walls if w.polygon.contains(point) and w.polygon.exterior.distance(point) > TOUCH)
    return next(around, None)


def leg_is_free(leg, walls, barriers, gate_of):
    """Whether a leg crosses nothing; to touch a wall with its end is not to cross it."""
    if leg.length <= 2 * TOUCH:
        return True
    inner = shapely.ops.substring(leg, TOUCH, leg.length - TOUCH)
    if any(inner.intersects(b) for b in barriers):
        return False
    start = Point(leg.coords[0])
    for wall in walls:
        if leg.within(wall.polygon.exterior.buffer(TOUCH)):
            continue  # along the wall is not through it
        met = inner.intersection(wall.polygon.exterior)
        crossings = [p for p in getattr(met, "geoms", [met]) if not p.is_empty]
        if wall is gate_of:
            # it leaves through the gate: it does not run on inside, nor through the wall elsewhere
            crossings = [p for p in crossings if p.distance(start) > GATE]
            if leg.length > GATE and leg.intersection(wall.polygon).length > GATE:
                return False
        if crossings:
            return False
    return True


def legs(place, edges, reach, walls=(), barriers=()):
    """All legs of a place, those through gates among them, each (edge, t, metres)."""
    home = yard_of(place.representative_point(), walls)
    if home is None or not home.gates:
        return ordinary_legs(place, edges, reach, walls, barriers)
    inner = ordinary_legs(place, edges, reach, walls, barriers)
    inner = [f for f in inner if f[2] <= reach or reach == 0]
    through = []
    for gate in home.gates:
        line = shapely.shortest_line(place, gate)
        if not any(line.crosses(b) for b in barriers):
            through += [
                (e, t, line.length + leg)
                for e, t, leg in ordinary_legs(gate, edges, reach, walls, barriers, gate_of=home)
            ]
    return inner + through


def join(graph, one, other, length):
    """An edge, unless there is a shorter one."""
    if graph.get_edge_data(one, other, {"w": math.inf})["w"] > length:
        graph.add_edge(one, other, w=length)


def distances(edges, origins, targets, oneway=()):
    """Matrix of least lengths from each origin to each target, both lists of legs, on a graph split at all of them.

    `edges` are (node, node, length or line); `oneway` the numbers of edges open from the first node to the second only.
    """
    graph = nx.DiGraph()
    stops = {number: [(0.0, ("node", a)), (1.0, ("node", b))] for number, (a, b, _) in enumerate(edges)}
    for kind, owners in (("o", origins), ("t", targets)):
        for i, j, (edge, t, leg) in ((i, j, leg) for i, owner in enumerate(owners) for j, leg in enumerate(owner)):
            stops[edge].append((t, (kind, i, j)))
            one, other = (("from", i), ("o", i, j)) if kind == "o" else (("t", i, j), ("to", i))
            graph.add_edge(one, other, w=leg)
    for number, (_, _, size) in enumerate(edges):
        length = size if isinstance(size, float) else size.length
        in_order = sorted(stops[number], key=lambda stop: (stop[0], stop[0] == 1.0 and stop[1][0] == "node"))
        for (s, one), (t, other) in itertools.pairwise(in_order):
            join(graph, one, other, (t - s) * length)
            # a place at an end of an edge is that node, whatever the direction of the street
            if number not in oneway or t == s:
                join(graph, other, one, (t - s) * length)
    out = np.full((len(origins), len(targets)), np.inf)
    for i in range(len(origins)):
        if ("from", i) in graph:
            found = nx.single_source_dijkstra_path_length(graph, ("from", i), weight="w")
            for j in range(len(targets)):
                out[i, j] = found.get(("to", j), np.inf)
    return out
