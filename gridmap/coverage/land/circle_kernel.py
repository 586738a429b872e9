"""Kernels that carry the cost of reaching a facility from the streets out over the land, as a raster.

Plain arrays, the same in all of them:

- ``piece_xy`` (m, 4) float64: ax, ay, bx, by of the edge that a piece is of, metres; ``piece_part`` (m, 2) float64:
  from where to where along it (0 to 1) the piece goes; ``piece_edge`` (m,) int32. Only pieces outside walled compounds.
- ``frame`` (3,) float64: x and y of the centre of cell (0, 0), side of a cell; ``shape`` (2,) int64: rows and columns.
  Cell (row, column) is number ``row * columns + column``.
- ``shut`` (cells,) bool: cells that are passed over, since they lie in walled compounds.
- ``piece``, ``metres`` (cells,) int32, float32: the nearest piece that a leg reaches, -1 for none, and its distance,
  infinite for none.
- ``wall_...``: what no leg crosses, as in `gridmap.network.snap_kernel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.snap_kernel import crosses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["find_legs", "mark_nearest", "paint", "spread_nearest"]

# What walls take for a leg that begins at no gate; of the type that gates have.
_NO_GATE = np.int32(-1)

# Fractions of an edge that are one place but for the rounding of a cell's: both may come from one gate, and on a
# one-way street a hair's breadth back is no way at all.
_SAME_PLACE = 1e-6


@compiled
def _foot(
    x: float,
    y: float,
    piece_xy: Floats,
    m: int,
) -> tuple[float, float, float, float]:
    """Nearest point to (x, y) of the edge of piece m: its fraction along the edge, its place and its distance."""
    ax, ay = piece_xy[m, 0], piece_xy[m, 1]
    dx, dy = piece_xy[m, 2] - ax, piece_xy[m, 3] - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(max(((x - ax) * dx + (y - ay) * dy) / square, 0.0), 1.0)
    fx, fy = ax + t * dx, ay + t * dy
    return t, fx, fy, np.sqrt((x - fx) ** 2 + (y - fy) ** 2)


@compiled
def _any_wall(
    low_x: float,
    low_y: float,
    high_x: float,
    high_y: float,
    wall_xy: Floats,
    wall_frame: Floats,
    wall_shape: Longs,
    wall_start: Longs,
    wall_item: Ints,
) -> bool:
    """Whether the box of any wall meets a box."""
    x0, y0, side = wall_frame[0], wall_frame[1], wall_frame[2]
    nx, ny = wall_shape[0], wall_shape[1]
    for j in range(max(int(np.floor((low_y - y0) / side)), 0), min(int(np.floor((high_y - y0) / side)), ny - 1) + 1):
        for i in range(
            max(int(np.floor((low_x - x0) / side)), 0), min(int(np.floor((high_x - x0) / side)), nx - 1) + 1
        ):
            for k in range(wall_start[j * nx + i], wall_start[j * nx + i + 1]):
                w = wall_item[k]
                if (
                    min(wall_xy[w, 0], wall_xy[w, 2]) <= high_x
                    and max(wall_xy[w, 0], wall_xy[w, 2]) >= low_x
                    and min(wall_xy[w, 1], wall_xy[w, 3]) <= high_y
                    and max(wall_xy[w, 1], wall_xy[w, 3]) >= low_y
                ):
                    return True
    return False


@compiled
def _told_before(
    x: float,
    y: float,
    node: int,
    arc: int,
    arc_ptr: Longs,
    arc_node: Ints,
    arc_open: Flags,
    node_xy: Floats,
) -> bool:
    """Whether an earlier arc at a node has the node for its nearest place to (x, y) too: one leg to it is enough."""
    ux, uy = node_xy[node, 0], node_xy[node, 1]
    for a in range(arc_ptr[node], arc):
        if arc_open[a]:
            wx, wy = node_xy[arc_node[a], 0] - ux, node_xy[arc_node[a], 1] - uy
            if (x - ux) * wx + (y - uy) * wy <= 0.0:
                return True
    return False


@compiled
def find_legs(
    first: int,
    last: int,
    room: int,
    piece_xy: Floats,
    piece_part: Floats,
    piece_edge: Ints,
    edge_u: Ints,
    edge_v: Ints,
    node_xy: Floats,
    arc_ptr: Longs,
    arc_node: Ints,
    arc_open: Flags,
    arc_of_end: Longs,
    reach: float,
    frame: Floats,
    shape: Longs,
    shut: Flags,
    wall_xy: Floats,
    wall_of: Ints,
    wall_frame: Floats,
    wall_shape: Longs,
    wall_start: Longs,
    wall_item: Ints,
) -> tuple[Longs, Ints, Singles, Singles]:
    """Every leg of at most `reach` metres that leads from the centre of a cell to pieces `first` to `last`.

    Parameters
    ----------
    room
        No more legs than this can be found: cells in the boxes of the pieces and `reach` around them.
    edge_u, edge_v, node_xy
        (e,), (e,) int32 and (n, 2) float64: the nodes of each edge, and where they are.
    arc_ptr, arc_node, arc_open
        Arcs at each node, those of node i being ``arc_ptr[i]:arc_ptr[i + 1]``; the neighbour, and whether the edge
        begins here with a piece outside walled compounds.
    arc_of_end
        (2 * e,) int64: the arc at u of every edge, then those at v.

    Returns
    -------
    How many legs lead to each piece, (last - first,) int64; and for each leg, piece by piece, the cell, int32, where
    along the edge it ends (0 to 1) and its length, float32. A node is reached over one of its edges only.
    """
    left, bottom, side = frame[0], frame[1], frame[2]
    rows, columns = shape[0], shape[1]
    n_edges = len(edge_u)
    count = np.zeros(last - first, dtype=np.int64)
    cell_out = np.empty(room, dtype=np.int32)
    t_out = np.empty(room, dtype=np.float32)
    leg_out = np.empty(room, dtype=np.float32)
    total = 0
    for m in range(first, last):
        e, before = piece_edge[m], total
        low_x, high_x = min(piece_xy[m, 0], piece_xy[m, 2]) - reach, max(piece_xy[m, 0], piece_xy[m, 2]) + reach
        low_y, high_y = min(piece_xy[m, 1], piece_xy[m, 3]) - reach, max(piece_xy[m, 1], piece_xy[m, 3]) + reach
        walled = _any_wall(
            low_x, low_y, high_x, high_y, wall_xy, wall_frame, wall_shape, wall_start, wall_item
        )  # fmt: skip
        for row in range(
            max(int(np.ceil((low_y - bottom) / side)), 0), min(int(np.floor((high_y - bottom) / side)), rows - 1) + 1
        ):
            y = bottom + row * side
            for column in range(
                max(int(np.ceil((low_x - left) / side)), 0),
                min(int(np.floor((high_x - left) / side)), columns - 1) + 1,
            ):
                cell = row * columns + column
                if shut[cell]:
                    continue
                x = left + column * side
                t, fx, fy, leg = _foot(x, y, piece_xy, m)
                if leg > reach or t < piece_part[m, 0] or t > piece_part[m, 1]:
                    continue
                if t == 0.0 or t == 1.0:
                    node, arc = (edge_u[e], arc_of_end[e]) if t == 0.0 else (edge_v[e], arc_of_end[n_edges + e])
                    if _told_before(x, y, node, arc, arc_ptr, arc_node, arc_open, node_xy):
                        continue
                if walled and crosses(
                    x, y, fx, fy, _NO_GATE, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item
                ):
                    continue
                cell_out[total], t_out[total], leg_out[total] = cell, t, leg
                total += 1
        count[m - first] = total - before
    return count, cell_out[:total].copy(), t_out[:total].copy(), leg_out[:total].copy()


@compiled
def mark_nearest(
    ptr: Longs,
    cell: Ints,
    leg: Singles,
    number: Ints,
    piece: Ints,
    metres: Singles,
) -> None:
    """Note the nearest piece of every cell; legs of piece ``number[m]`` are ``ptr[m]:ptr[m + 1]``.

    `piece` and `metres` are filled in place.
    """
    for m in range(len(number)):
        for i in range(ptr[m], ptr[m + 1]):
            if leg[i] < metres[cell[i]]:
                metres[cell[i]] = leg[i]
                piece[cell[i]] = number[m]


@compiled
def spread_nearest(
    piece_xy: Floats,
    piece_part: Floats,
    reach: float,
    limit: float,
    frame: Floats,
    shape: Longs,
    shut: Flags,
    piece: Ints,
    metres: Singles,
    wall_xy: Floats,
    wall_of: Ints,
    wall_frame: Floats,
    wall_shape: Longs,
    wall_start: Longs,
    wall_item: Ints,
) -> None:
    """Find the nearest piece, up to `limit` metres, of the cells that have none within `reach`.

    It spreads from neighbour to neighbour, there and back over the raster, with exact distances; `piece` and `metres`
    hold the nearest piece within `reach` and are filled in place.
    """
    left, bottom, side = frame[0], frame[1], frame[2]
    rows, columns = shape[0], shape[1]
    near = np.float32(reach)
    for sweep in range(4):
        forth = sweep % 2 == 0
        step = 1 if forth else -1
        for i in range(rows):
            row = i if forth else rows - 1 - i
            y = bottom + row * side
            for j in range(columns):
                column = j if forth else columns - 1 - j
                cell = row * columns + column
                if metres[cell] <= near or shut[cell]:
                    continue
                x = left + column * side
                for k in range(4):
                    # the four neighbours that this sweep has passed already
                    beside_row = row if k == 0 else row - step
                    beside_column = column - step if k == 0 else column + k - 2
                    if beside_row < 0 or beside_row >= rows or beside_column < 0 or beside_column >= columns:
                        continue
                    m = piece[beside_row * columns + beside_column] + 0  # int64, or _foot is compiled twice
                    if m < 0 or m == piece[cell]:
                        continue
                    t, fx, fy, leg = _foot(x, y, piece_xy, m)
                    if leg >= metres[cell] or leg > limit or t < piece_part[m, 0] or t > piece_part[m, 1]:
                        continue
                    if crosses(x, y, fx, fy, _NO_GATE, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item):
                        continue
                    metres[cell] = leg
                    piece[cell] = m


@compiled
def paint(
    ptr: Longs,
    cell: Ints,
    t: Singles,
    leg: Singles,
    live: Longs,
    edge_u: Ints,
    edge_v: Ints,
    ahead: Floats,
    back: Floats,
    cost: Floats,
    target: Ints,
    at_edge: Ints,
    at_t0: Floats,
    at_t1: Floats,
    at_cost: Floats,
    at_target: Ints,
    leg_cost: float,
    begin: int,
    values: Singles,
    labels: Ints,
) -> None:
    """Lower the value of every cell to what it costs to reach a facility over each of its legs.

    Parameters
    ----------
    ptr, cell, t, leg
        Legs to edge e are ``ptr[e]:ptr[e + 1]``: the cell, where along the edge it ends, metres.
    live
        The edges to look at: those from which something is reached.
    edge_u, edge_v, ahead, back
        Nodes of each edge, and cost of the whole edge from u to v and from v to u, infinite where it is closed.
    cost, target
        (n,) float64 and int32: cost from each node to a facility, infinite where there is no way; which one.
    at_edge, at_t0, at_t1, at_cost, at_target
        Where facilities are entered from edges: edge, from where to where along it, cost of their leg, which one.
    leg_cost
        Cost of a metre on a leg.
    begin, values, labels
        Values of the cells from number `begin` on, lowered in place, and the facility that each belongs to; `labels`
        may be empty where it is not asked for.
    """
    labelled = len(labels) > 0
    for e in live:
        u, v = edge_u[e], edge_v[e]
        for i in range(ptr[e], ptr[e + 1]):
            at = cell[i] - begin
            if at < 0 or at >= len(values):
                continue
            # nothing of an edge costs nothing, also where it is closed
            by_v = leg[i] * leg_cost + cost[v]
            by_u = leg[i] * leg_cost + cost[u]
            if t[i] < 1.0:
                by_v += (1.0 - t[i]) * ahead[e]
            if t[i] > 0.0:
                by_u += t[i] * back[e]
            value, owner = (by_v, target[v]) if by_v < by_u else (by_u, target[u])
            if value < values[at]:
                values[at] = value
                if labelled:
                    labels[at] = owner
    for r in range(len(at_edge)):
        e = at_edge[r]
        for i in range(ptr[e], ptr[e + 1]):
            at = cell[i] - begin
            if at < 0 or at >= len(values):
                continue
            value = leg[i] * leg_cost + at_cost[r]
            if t[i] < at_t0[r] - _SAME_PLACE:
                value += (at_t0[r] - t[i]) * ahead[e]
            elif t[i] > at_t1[r] + _SAME_PLACE:
                value += (t[i] - at_t1[r]) * back[e]
            if value < values[at]:
                values[at] = value
                if labelled:
                    labels[at] = at_target[r]
