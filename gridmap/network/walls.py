"""Walls: what a leg may not cross, the gates in it, and the edges that it cuts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.network.ground_index import GroundIndex, index_segments

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["OUTSIDE", "Cut", "Walls", "cut_edges"]

OUTSIDE = -1
# A gate opens its wall this far around it; DESIGN, section 6. Metres.
GATE_METRES = 1.0
# What lies this close to a wall lies on it, which is outside. Metres.
ON_WALL = 1e-3
_CELL_METRES = 50.0


@dataclass(frozen=True, eq=False)
class Walls:
    """The walls of compounds with gates, their open gates, and hard barriers; all in metres.

    Parameters
    ----------
    compound_ids, compounds
        The compounds that have gates, open or not; only these have walls.
    gate_xy, gate_compound
        The open gates, (g, 2), and the row of the compound that each belongs to.
    barriers
        Lines and polygons; of a polygon the outline bars.
    """

    compound_ids: Shapes
    compounds: Shapes
    gate_xy: Floats
    gate_compound: Ints
    barriers: Shapes

    def __repr__(self) -> str:
        return (
            f"<Walls: {len(self.compounds):,} compounds with {len(self.gate_xy):,} open gates, "
            f"{len(self.barriers):,} hard barriers>"
        )

    def with_gates(self, xy: Floats, compound: Ints) -> Walls:
        """The same walls with more open gates, each (g, 2) place on the wall of a compound."""
        xy, compound = np.vstack((self.gate_xy, xy)), np.concatenate((self.gate_compound, compound))
        order = np.lexsort((xy[:, 1], xy[:, 0], compound))
        walls = replace(self, gate_xy=xy[order], gate_compound=compound[order])
        # what is kept once asked for does not hang on gates
        vars(walls).update({name: value for name, value in vars(self).items() if name not in vars(walls)})
        return walls

    @cached_property
    def segments(self) -> tuple[Floats, Ints]:
        """All walls as straight pieces, (w, 4), and the compound of each, `OUTSIDE` for a barrier."""
        areal = shapely.get_dimensions(self.barriers) == 2
        outlines = (self.outlines, shapely.boundary(self.barriers[areal]), self.barriers[~areal])
        owner = np.full(sum(map(len, outlines)), OUTSIDE, dtype=np.int32)
        owner[: len(self.compounds)] = np.arange(len(self.compounds))
        parts, part_line = shapely.get_parts(np.concatenate(outlines), return_index=True)
        xy, part = shapely.get_coordinates(parts, return_index=True)
        joined = part[:-1] == part[1:]
        return np.hstack((xy[:-1], xy[1:]))[joined], owner[part_line[part[:-1][joined]]]

    @cached_property
    def index(self) -> GroundIndex:
        """Ground index over `segments`."""
        xy, _ = self.segments
        return index_segments(xy[:, :2], xy[:, 2:], _CELL_METRES)

    @cached_property
    def only_barriers(self) -> Walls:
        """The same without compounds."""
        none = np.empty(0, dtype=object)
        return Walls(none, none, np.empty((0, 2)), np.empty(0, dtype=np.int32), self.barriers)

    @cached_property
    def segment_lines(self) -> Shapes:
        """`segments` as LineStrings."""
        return np.asarray(shapely.linestrings(self.segments[0].reshape(-1, 2, 2)), dtype=object)

    @cached_property
    def segment_tree(self) -> shapely.STRtree:
        """Tree over `segment_lines`."""
        return shapely.STRtree(self.segment_lines)

    @cached_property
    def outlines(self) -> Shapes:
        """Outline of each compound."""
        return np.asarray(shapely.boundary(self.compounds), dtype=object)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree over the compounds."""
        shapely.prepare(self.compounds)
        return shapely.STRtree(self.compounds)

    @cached_property
    def diameter(self) -> Floats:
        """Diagonal of each compound's box: no leg inside it is longer."""
        low_x, low_y, high_x, high_y = shapely.bounds(self.compounds).reshape(-1, 4).T
        return np.hypot(high_x - low_x, high_y - low_y)

    def inside(self, points: Shapes) -> tuple[Longs, Longs]:
        """Pairs (point, compound) of what lies inside what; on the wall is outside."""
        if not len(self.compounds):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        point, compound = self.tree.query(points, predicate="within")
        deep = shapely.distance(self.outlines[compound], points[point]) > ON_WALL
        return point[deep], compound[deep]

    def side_of(self, points: Shapes) -> Ints:
        """The compound that each point lies in, the smallest where several do, else `OUTSIDE`."""
        point, compound = self.inside(points)
        return self.innermost(len(points), point, compound)

    def innermost(self, n: int, thing: Longs, compound: Longs) -> Ints:
        """For each of n things the smallest compound among its pairs, else `OUTSIDE`."""
        side = np.full(n, OUTSIDE, dtype=np.int32)
        largest_first = np.lexsort((compound, -shapely.area(self.compounds)[compound]))
        side[thing[largest_first]] = compound[largest_first]
        return side

    def at_gate(self, xy: Floats, compound: npt.NDArray[np.integer]) -> Flags:
        """Whether each place is within 1 m of an open gate of the compound named with it."""
        near = np.zeros(len(xy), dtype=np.bool_)
        if len(xy) and len(self.gate_xy):
            gates = shapely.STRtree(shapely.points(self.gate_xy))
            place, gate = gates.query(shapely.points(xy), predicate="dwithin", distance=GATE_METRES)
            near[place[self.gate_compound[gate] == compound[place]]] = True
        return near


class Cut(NamedTuple):
    """Edges after the walls have cut them.

    `node_xy`, `u`, `v` as before, with the loose ends at walls added; `origin` (m,) which edge each was part of.
    An edge that passes a gate is one edge with several sides, so the sides are told by pieces: `piece_edge` (p,),
    `piece_part` (p, 2) from where to where along the edge, `piece_side` (p,) the compound it lies in or `OUTSIDE`.
    `places` is the number of places where a wall cut the streets.
    """

    node_xy: Floats
    u: Longs
    v: Longs
    origin: Longs
    piece_edge: Longs
    piece_part: Floats
    piece_side: Ints
    places: int


class _Pieces(NamedTuple):
    """Edges split wherever they cross a wall: edge, part of it, side, and whether the wall cuts it off before."""

    edge: Longs
    low: Floats
    high: Floats
    side: Ints
    cut: Flags


def cut_edges(node_xy: Floats, u: Longs, v: Longs, walls: Walls) -> Cut:
    """Cut every edge where it crosses the wall of a compound more than 1 m from an open gate of that compound.

    Both parts stay, with loose ends that do not join. Where a node lies on the wall, the edges inside and those outside
    come apart at it likewise.

    Parameters
    ----------
    node_xy
        (n, 2) metres.
    u, v
        (m,) nodes of each edge.
    walls
        The walls and gates.
    """
    if not len(walls.compounds):
        every = np.arange(len(u))
        whole = np.tile((0.0, 1.0), (len(u), 1))
        return Cut(node_xy, u, v, every, every, whole, np.full(len(u), OUTSIDE, dtype=np.int32), 0)
    pieces = _split(node_xy[u], node_xy[v], walls)
    node_xy, u, v, origin, part = _join_uncut(node_xy, u, v, pieces)
    edge = _edge_of_piece(pieces)
    first, last = _first_and_last(edge)
    node_xy, u, v, parted = _part_nodes(node_xy, u, v, pieces.side[first], pieces.side[last], walls)
    return Cut(node_xy, u, v, origin, edge, part, pieces.side, int(pieces.cut.sum()) + parted)


def _split(a: Floats, b: Floats, walls: Walls) -> _Pieces:
    """Pieces of the edges a[i] to b[i], in order along each edge."""
    n = len(a)
    lines = shapely.linestrings(np.stack((a, b), axis=1))
    edge, compound = walls.tree.query(lines, predicate="intersects")
    wholly = shapely.contains_properly(walls.compounds[compound], lines[edge])
    x_edge, x_compound, x_t = _crossings(a, b, lines, edge[~wholly], compound[~wholly], walls)
    low_all = np.concatenate((np.zeros(n), x_t))
    edge_all = np.concatenate((np.arange(n), x_edge))
    at = a[x_edge] + x_t[:, None] * (b[x_edge] - a[x_edge])
    barred = np.concatenate((np.zeros(n, dtype=np.bool_), ~walls.at_gate(at, x_compound)))
    # one piece from each different place; it is cut off where any wall there bars the way
    order = np.lexsort((low_all, edge_all))
    edge_all, low_all, barred = edge_all[order], low_all[order], barred[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (edge_all[1:] != edge_all[:-1]) | (low_all[1:] > low_all[:-1])
    cut = np.bincount(np.cumsum(new) - 1, weights=barred) > 0
    piece_edge, low = edge_all[new], low_all[new]
    high = np.ones(len(low))
    same = piece_edge[1:] == piece_edge[:-1]
    high[:-1][same] = low[1:][same]
    # most edges meet no compound, or lie wholly in one; only the others are looked at piece by piece
    mixed = np.zeros(n, dtype=np.bool_)
    mixed[edge[~wholly]] = True
    side = walls.innermost(n, edge[wholly], compound[wholly])[piece_edge]
    look = np.flatnonzero(mixed[piece_edge])
    middle = (low + high)[look, None] / 2
    side[look] = walls.side_of(shapely.points(a[piece_edge[look]] * (1 - middle) + b[piece_edge[look]] * middle))
    return _Pieces(piece_edge, low, high, side, cut)


def _crossings(
    a: Floats, b: Floats, lines: Shapes, edge: Longs, compound: Longs, walls: Walls
) -> tuple[Longs, Longs, Floats]:
    """Where edges go from one side of a wall to the other: edge, compound, and how far along the edge (0 to 1).

    Touching a wall or running along it is no crossing.
    """
    met = shapely.intersection(lines[edge], walls.outlines[compound])
    xy, pair = shapely.get_coordinates(met, return_index=True)
    along = b[edge] - a[edge]
    square = np.maximum((along**2).sum(axis=1), 1e-300)
    t = ((xy - a[edge][pair]) * along[pair]).sum(axis=1) / square[pair]
    # all stretches between meetings, each inside or not
    # meetings closer to an end, or to one another, than a wall is thin are one
    thin = 2 * ON_WALL / np.sqrt(square)
    t = np.where(t < thin[pair], 0.0, np.where(t > 1 - thin[pair], 1.0, t))
    pairs = np.arange(len(edge))
    pair = np.concatenate((pairs, pairs, pair))
    t = np.concatenate((np.zeros(len(edge)), np.ones(len(edge)), t))
    order = np.lexsort((t, pair))
    pair, t = pair[order], t[order]
    kept = (t == 0) | (t == 1)
    kept[1:] |= (pair[1:] != pair[:-1]) | (t[1:] - t[:-1] > thin[pair[1:]])
    pair, t = pair[kept], t[kept]
    stretch = np.flatnonzero((pair[1:] == pair[:-1]) & (t[1:] > t[:-1]))
    middle = (t[stretch] + t[stretch + 1])[:, None] / 2
    owner = pair[stretch]
    points = shapely.points(a[edge[owner]] * (1 - middle) + b[edge[owner]] * middle)
    polygons = compound[owner]
    inside = shapely.contains(walls.compounds[polygons], points)
    inside &= shapely.distance(walls.outlines[polygons], points) > ON_WALL
    changes = np.flatnonzero((owner[1:] == owner[:-1]) & (inside[1:] != inside[:-1])) + 1
    return edge[owner[changes]], compound[owner[changes]], t[stretch[changes]]


def _edge_of_piece(pieces: _Pieces) -> Longs:
    """The edge that each piece belongs to once pieces that no wall parts are one again."""
    starts = np.ones(len(pieces.edge), dtype=np.bool_)
    starts[1:] = (pieces.edge[1:] != pieces.edge[:-1]) | pieces.cut[1:]
    return np.cumsum(starts) - 1


def _first_and_last(edge: Longs) -> tuple[Longs, Longs]:
    """First and last piece of each edge."""
    first = np.flatnonzero(np.concatenate(([True], edge[1:] != edge[:-1])))
    return first, np.append(first[1:], len(edge)) - 1


def _join_uncut(node_xy: Floats, u: Longs, v: Longs, pieces: _Pieces) -> tuple[Floats, Longs, Longs, Longs, Floats]:
    """Nodes, both ends and origin of the edges between cuts; and the part of its edge that each piece is."""
    edge = _edge_of_piece(pieces)
    first, last = _first_and_last(edge)
    low, high = pieces.low[first], pieces.high[last]
    origin = pieces.edge[first]
    a, b = node_xy[u[origin]], node_xy[v[origin]]
    begins, ends = pieces.cut[first], high < 1.0
    new_u, new_v = u[origin].copy(), v[origin].copy()
    n = len(node_xy)
    new_u[begins] = n + np.arange(begins.sum())
    new_v[ends] = n + begins.sum() + np.arange(ends.sum())
    loose = (a + low[:, None] * (b - a))[begins], (a + high[:, None] * (b - a))[ends]
    width = (high - low)[edge]
    part = np.column_stack(((pieces.low - low[edge]) / width, (pieces.high - low[edge]) / width))
    # rounding must not leave a gap at the ends, where most legs arrive
    part[first, 0], part[last, 1] = 0.0, 1.0
    return np.vstack((node_xy, *loose)), new_u, new_v, origin, part


def _part_nodes(
    node_xy: Floats, u: Longs, v: Longs, side_u: Ints, side_v: Ints, walls: Walls
) -> tuple[Floats, Longs, Longs, int]:
    """Give the edges of each side a node of their own where a node on a wall, away from gates, has several sides."""
    node = np.concatenate((u, v))
    side = np.concatenate((side_u, side_v)).astype(np.int64)
    width = len(walls.compounds) + 1
    key, which = np.unique(node * width + side + 1, return_inverse=True)
    key_node, key_side = key // width, key % width - 1
    several = np.bincount(key_node, minlength=len(node_xy))[key_node] > 1
    # all walls that meet here must be open for the edges to stay joined
    shut = several & (key_side != OUTSIDE)
    place = node_xy[key_node[shut]]
    on_wall = shapely.distance(walls.outlines[key_side[shut]], shapely.points(place)) <= 10 * ON_WALL
    shut[shut] = on_wall & ~walls.at_gate(place, key_side[shut])
    barred = np.bincount(key_node[shut], minlength=len(node_xy)) > 0
    first = np.ones(len(key), dtype=np.bool_)
    first[1:] = key_node[1:] != key_node[:-1]
    more = barred[key_node] & ~first
    new = key_node.copy()
    new[more] = len(node_xy) + np.arange(more.sum())
    ends = new[which]
    return np.vstack((node_xy, node_xy[key_node[more]])), ends[: len(u)], ends[len(u) :], int(more.sum())
