"""Compounds: a wall with gates, rows of slabs or towers, and the paths between them, in the frame of the block."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import affinity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString, Point, Polygon


@dataclass(frozen=True)
class Style:
    """A kind of building: metres of depth, of one unit's width, units in a row, and flats on a floor of a unit."""

    depth: float
    unit: float
    units: tuple[int, int]
    flats: int
    gap: float
    space: float  # clear distance between rows at 6 floors; grows with height
    notch: float = 0.0


STYLES = {
    "slab": Style(12.0, 14.4, (2, 5), 2, 7.0, 15.0),
    "old_slab": Style(10.4, 12.6, (2, 5), 2, 5.0, 11.5),
    "high_slab": Style(14.0, 19.0, (1, 3), 2, 11.0, 19.0, 2.2),
    "tower": Style(19.0, 26.0, (1, 1), 4, 13.0, 20.5, 4.5),
    "campus": Style(16.0, 19.0, (2, 4), 0, 20.0, 24.0),
}


@dataclass
class Compound:
    """What was built behind one wall."""

    wall: Polygon
    buildings: list[Polygon] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    roads: list[LineString] = field(default_factory=list)
    paths: list[LineString] = field(default_factory=list)
    gates: list[Point] = field(default_factory=list)


def angle_of(parcel: Polygon) -> float:
    """Turn of a parcel in degrees, between -45 and 45, from its smallest box."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(parcel))
    edge = np.diff(box[:3], axis=0)[np.argmax(np.hypot(*np.diff(box[:3], axis=0).T))]
    return float((np.degrees(np.arctan2(edge[1], edge[0])) + 45) % 90 - 45)


def part_of(parcel: Polygon, part: Sequence[float], angle: float) -> Polygon:
    """The share (u0, v0, u1, v1) of the parcel's box, turned by `angle`, that lies in the parcel."""
    origin = parcel.centroid
    turned = affinity.rotate(parcel, -angle, origin)
    x0, y0, x1, y1 = turned.bounds
    w, h = x1 - x0, y1 - y0
    piece = shapely.box(x0 + part[0] * w, y0 + part[1] * h, x0 + part[2] * w, y0 + part[3] * h) & turned
    return affinity.rotate(largest(piece), angle, origin)


def largest(shape: Polygon) -> Polygon:
    """The largest polygon of a geometry."""
    parts = shapely.get_parts(shape)
    return parts[np.argmax(shapely.area(parts))]


def build(
    parcel: Polygon,
    *,
    style: str,
    floors: int,
    gates: str,
    angle: float,
    streets: LineString,
    keep_out: Sequence[Polygon] = (),
    rng: np.random.Generator,
    lines: int = 1,
) -> Compound:
    """A compound on a parcel: rows of buildings of one style, a road from each gate, paths between the rows.

    `gates` names the sides that have one ("S", "SN", "SEW" ...); `lines` is the number of roads that cross the rows.
    """
    s = STYLES[style]
    origin = parcel.centroid
    if not keep_out:
        turns = _angles(parcel, angle)
        angle = max(turns, key=lambda a: (_best_rows(_frame(parcel, a), s, floors, ())[0], -abs(a - angle)))
    wall = affinity.rotate(parcel, -angle, origin)
    inner = wall.buffer(-4.0, join_style="mitre")
    if keep_out:
        inner = largest(inner - affinity.rotate(shapely.union_all(list(keep_out)), -angle, origin))
    x0, _, x1, _ = inner.bounds
    if lines == 1 and x1 - x0 < 92:  # a narrow compound has its road along one wall, and longer rows
        spines = [_beside_wall(inner, west=rng.random() < 0.5)]
    else:
        spines = [x0 + (x1 - x0) * (k + 1) / (lines + 1) + rng.uniform(-6, 6) for k in range(lines)]
    _, ys = _best_rows(inner, s, floors, spines)
    made = Compound(wall)
    for row, y in enumerate(ys):
        for a, b in _free(inner, y, y + s.depth, spines):
            for shape, units in _pack(a, b, y, s, rng, stagger=row % 2):
                made.buildings.append(shape)
                made.units.append(units)
    between = [(a + s.depth + b) / 2 for a, b in pairwise(ys)]
    levels = between or [ys[0] - 4.0]
    _roads(made, inner, spines, levels, gates)
    back = {"origin": origin}
    made.wall = parcel
    made.buildings = [affinity.rotate(b, angle, **back) for b in made.buildings]
    made.roads = [affinity.rotate(r, angle, **back) for r in made.roads]
    made.paths = [affinity.rotate(r, angle, **back) for r in made.paths]
    made.gates = [affinity.rotate(g, angle, **back) for g in made.gates]
    _reach_street(made, streets)
    return made


def _beside_wall(inner: Polygon, *, west: bool) -> float:
    """Where a road along the west or east wall lies, so far in that a slanting wall leaves nearly all of it inside."""
    x0, y0, x1, y1 = inner.bounds
    for inset in np.arange(4.5, 13.0, 1.0):
        x = x0 + inset if west else x1 - inset
        if (inner & shapely.linestrings([(x, y0), (x, y1)])).length > 0.85 * (y1 - y0):
            break
    return float(x)


def _frame(parcel: Polygon, angle: float) -> Polygon:
    return affinity.rotate(parcel, -angle, parcel.centroid).buffer(-4.0, join_style="mitre")


def _angles(parcel: Polygon, angle: float) -> list[float]:
    """Turns that rows may take: the block's, and those of the parcel's long sides that lie within 8 degrees of it."""
    corners = shapely.get_coordinates(parcel.simplify(4))
    edges = np.diff(corners, axis=0)
    turns = np.degrees(np.arctan2(edges[:, 1], edges[:, 0]))
    turns = (turns + 45) % 90 - 45
    keep = (np.hypot(*edges.T) > 30) & (np.abs(turns - angle) < 8)
    return [angle, *turns[keep].tolist()]


def _best_rows(inner: Polygon, s: Style, floors: int, spines: Sequence[float]) -> tuple[int, list[float]]:
    """Where rows start so that most units fit; then as far apart as still gives that many."""
    _, y0, _, y1 = inner.bounds
    least = s.depth + s.space * (0.55 + 0.075 * min(floors, 14))
    best: tuple[int, float, list[float]] = (0, 0.0, [(y0 + y1 - s.depth) / 2])
    for stretch in (1.25, 1.12, 1.0):
        pitch = least * stretch
        for start in np.linspace(y0 + 0.5, y0 + 0.5 + pitch, 7):
            ys = np.arange(start, y1 - s.depth - 0.4, pitch).tolist()
            units = sum(_units(b - a, s) for y in ys for a, b in _free(inner, y, y + s.depth, spines))
            if ys and units > best[0]:
                best = (units, pitch, ys)
    return best[0], best[2]


def _units(length: float, s: Style) -> int:
    total = 0
    while _length(total + 1, s) <= length:
        total += 1
    return total if total >= s.units[0] else 0


def _free(inner: Polygon, low: float, high: float, spines: Sequence[float]) -> list[tuple[float, float]]:
    """The stretches along a row where a building of that depth stays inside and leaves the roads free."""
    rings = [shapely.get_coordinates(ring) for ring in (inner.exterior, *inner.interiors)]
    edges = np.vstack([np.hstack([ring[:-1], ring[1:]]) for ring in rings])
    free = [(-np.inf, np.inf)]
    for y in np.linspace(low, high, 5):
        free = _both(free, _stretches(edges, y))
    for x in spines:
        free = _both(free, [(-np.inf, x - 4.0), (x + 4.0, np.inf)])
    return [(a, b) for a, b in free if b - a > 1]


def _stretches(edges: np.ndarray, y: float) -> list[tuple[float, float]]:
    """Where a level line runs inside a polygon of those edges (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = edges.T
    cut = (y0 <= y) != (y1 <= y)
    xs = np.sort(x0[cut] + (y - y0[cut]) / (y1[cut] - y0[cut]) * (x1[cut] - x0[cut])).tolist()
    return list(zip(xs[::2], xs[1::2], strict=True))


def _both(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What lies in a stretch of both lists."""
    common = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return [(a, b) for a, b in common if a < b]


def _pack(
    a: float, b: float, y: float, s: Style, rng: np.random.Generator, *, stagger: int
) -> list[tuple[Polygon, int]]:
    """Buildings side by side between a and b, as many units as fit, in buildings of `s.units`."""
    high = s.units[1]
    total = _units(b - a, s)
    if not total:
        return []
    groups = -(-total // high)
    counts = rng.permutation([total // groups + (k < total % groups) for k in range(groups)])
    unit = s.unit * min(1.12, 1 + (b - a - _length(total, s)) / (total * s.unit))
    slack = (b - a) - total * unit - (groups - 1) * s.gap
    extra = min(slack / groups, 10.0)
    x = a + (slack - extra * (groups - 1)) * (0.3 if stagger else 0.7)
    out = []
    for k in counts:
        out.append((_shape(x, y, k * unit, s, k), int(k)))
        x += k * unit + s.gap + extra
    return out


def _length(total: int, s: Style) -> float:
    """Metres that so many units take side by side."""
    return total * s.unit + (-(-total // s.units[1]) - 1) * s.gap


def _shape(x: float, y: float, width: float, s: Style, units: int) -> Polygon:
    """A footprint: a bar, or with notches between its flats on both long sides."""
    if not s.notch:
        return shapely.box(x, y, x + width, y + s.depth)
    unit = width / units
    steps = []
    for k in range(units):
        left = x + k * unit
        steps += [
            (left, 0.0),
            (left + unit * 0.36, 0.0),
            (left + unit * 0.36, 1.0),
            (left + unit * 0.64, 1.0),
            (left + unit * 0.64, 0.0),
            (left + unit, 0.0),
        ]
    lower = [(px, y + d * s.notch) for px, d in steps]
    upper = [(px, y + s.depth - d * s.notch) for px, d in reversed(steps)]
    return shapely.polygons([*lower, *upper]).normalize().simplify(0.0)


def _roads(made: Compound, inner: Polygon, spines: Sequence[float], levels: Sequence[float], gates: str) -> None:
    """Roads and gates in the frame: roads cross the rows, paths run between them, gates lie on the wall."""
    wall = made.wall
    main = levels[len(levels) // 2]
    x0, y0, x1, y1 = wall.bounds
    low, high = min(levels), max(levels)
    for i, x in enumerate(spines):
        hits = shapely.get_coordinates(wall.exterior & shapely.linestrings([(x, y0 - 5), (x, y1 + 5)]))[:, 1]
        south, north = hits.min(), hits.max()
        bottom, top = low, high
        if "S" in gates and i == 0:
            bottom = south
            made.gates.append(shapely.Point(x, south))
        if "N" in gates and i == len(spines) - 1:
            top = north
            made.gates.append(shapely.Point(x, north))
        if top - bottom > 1:
            made.roads.append(shapely.linestrings([(x, bottom), (x, top)]))
    for y in levels:
        line = shapely.linestrings([(x0 - 5, y), (x1 + 5, y)])
        parts = shapely.get_parts(shapely.intersection(inner.buffer(2.5), line))
        parts = [p for p in parts if any(p.bounds[0] <= x <= p.bounds[2] for x in spines)]
        west = min([p.bounds[0] for p in parts] + list(spines))
        east = max([p.bounds[2] for p in parts] + list(spines))
        ends = shapely.get_coordinates(wall.exterior & line)[:, 0]
        if y == main and "W" in gates:
            west = ends.min()
            made.gates.append(shapely.Point(west, y))
        if y == main and "E" in gates:
            east = ends.max()
            made.gates.append(shapely.Point(east, y))
        kind = made.roads if y == main else made.paths
        if east - west < 1:
            continue
        kind.append(shapely.linestrings([(west, y), (east, y)]))


def _reach_street(made: Compound, streets: LineString) -> None:
    """A road from each gate to the nearest street, straight out of the wall where that meets one."""
    for gate in made.gates:
        made.roads.append(shapely.shortest_line(gate, streets))
