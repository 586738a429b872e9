"""Kernels that carry the cost of reaching a facility from the streets out over the land, as a raster.

Plain arrays, the same in all of them:

- ``piece_xy`` (m, 4) float64: ax, ay, bx, by of the edge that a piece is of, metres; ``piece_part`` (m, 2) float64:
  from where to where along it (0 to 1) the piece goes; ``piece_edge`` (m,) int32. Only pieces outside walled compounds.
- ``edge_u``, ``edge_v`` (e,) int32 nodes; ``ahead``, ``back`` (e,) float32: cost of the whole edge from u to v and from
  v to u, infinite where it is closed that way.
- ``cost`` (n, c) float32: cost from each node to a facility of each category, infinite where there is no way;
  ``target`` (n, c) int32: which facility; or (0, 0) where labels are not wanted.
- ``beside_ptr`` (e + 1,) int64, ``beside`` (r, 5) float64: facilities beside each edge: fractions t0 <= t1 where they
  are entered, cost of their leg, category, facility.
- ``frame`` (3,) float64: x and y of the centre of cell (0, 0), side of a cell; ``shape`` (2,) int64: rows and columns.
  Cell (row, column) is number ``row * columns + column``.
- ``place`` (cells,) int32: the row of each cell in ``values`` (land, c) float32 and ``labels`` (land, c) int32 or
  (0, 0), -1 for cells that have none. Values are lowered in place; a label is the facility that the value belongs to.
- ``piece``, ``metres`` (cells,) int32, float32: the nearest piece in reach, -1 for none, and its distance, infinite for
  none; cells with a negative distance are passed over when it is sought.
- ``wall_...``: what no leg crosses, as in `gridmap.network.snap_kernel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.compiled import compiled
from gridmap.network.snap_kernel import crosses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]

__all__ = ["find_nearest", "paint_far_land", "paint_near_land", "spread_nearest"]


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
def _lower(
    at: int,
    e: int,
    t: float,
    leg: float,
    edge_u: Ints,
    edge_v: Ints,
    ahead: Singles,
    back: Singles,
    cost: Singles,
    target: Ints,
    beside_ptr: Longs,
    beside: Floats,
    values: Singles,
    labels: Ints,
) -> None:
    """Lower the values in row `at` to what it costs to step onto edge e at fraction t and go on from there."""
    u, v = edge_u[e], edge_v[e]
    # nothing of an edge costs nothing, also where it is closed
    to_v = np.float32(leg + (1.0 - t) * ahead[e]) if t < 1.0 else np.float32(leg)
    to_u = np.float32(leg + t * back[e]) if t > 0.0 else np.float32(leg)
    labelled = labels.shape[0] > 0
    if labelled:
        for c in range(values.shape[1]):
            by_v = to_v + cost[v, c]
            by_u = to_u + cost[u, c]
            if by_v < values[at, c]:
                values[at, c] = by_v
                labels[at, c] = target[v, c]
            if by_u < values[at, c]:
                values[at, c] = by_u
                labels[at, c] = target[u, c]
    else:
        for c in range(values.shape[1]):
            values[at, c] = min(values[at, c], to_v + cost[v, c], to_u + cost[u, c])
    for i in range(beside_ptr[e], beside_ptr[e + 1]):
        c = int(beside[i, 3])
        way = 0.0
        if t < beside[i, 0]:
            way = (beside[i, 0] - t) * ahead[e]
        elif t > beside[i, 1]:
            way = (t - beside[i, 1]) * back[e]
        value = np.float32(leg + way + beside[i, 2])
        if value < values[at, c]:
            values[at, c] = value
            if labelled:
                labels[at, c] = int(beside[i, 4])


@compiled
def _box(
    piece_xy: Floats,
    m: int,
    reach: float,
    left: float,
    bottom: float,
    side: float,
    rows: int,
    columns: int,
) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the cells that piece m may reach."""
    low_x, high_x = min(piece_xy[m, 0], piece_xy[m, 2]) - reach, max(piece_xy[m, 0], piece_xy[m, 2]) + reach
    low_y, high_y = min(piece_xy[m, 1], piece_xy[m, 3]) - reach, max(piece_xy[m, 1], piece_xy[m, 3]) + reach
    return (
        max(int(np.ceil((low_y - bottom) / side)), 0),
        min(int(np.floor((high_y - bottom) / side)), rows - 1),
        max(int(np.ceil((low_x - left) / side)), 0),
        min(int(np.floor((high_x - left) / side)), columns - 1),
    )


@compiled
def find_nearest(
    piece_xy: Floats,
    piece_part: Floats,
    reach: float,
    frame: Floats,
    shape: Longs,
    piece: Ints,
    metres: Singles,
    wall_xy: Floats,
    wall_of: Ints,
    wall_frame: Floats,
    wall_shape: Longs,
    wall_start: Longs,
    wall_item: Ints,
) -> None:
    """Find the nearest piece of every cell within `reach` metres; `piece` and `metres` are filled in place."""
    left, bottom, side = frame[0], frame[1], frame[2]
    rows, columns = shape[0], shape[1]
    for m in range(len(piece_xy)):
        first_row, last_row, first_column, last_column = _box(piece_xy, m, reach, left, bottom, side, rows, columns)
        for row in range(first_row, last_row + 1):
            y = bottom + row * side
            for column in range(first_column, last_column + 1):
                cell = row * columns + column
                # a cell that has a nearer piece needs no look at the walls
                if metres[cell] < 0.0:
                    continue
                x = left + column * side
                t, fx, fy, leg = _foot(x, y, piece_xy, m)
                if leg > reach or leg >= metres[cell] or t < piece_part[m, 0] or t > piece_part[m, 1]:
                    continue
                if crosses(x, y, fx, fy, -1, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item):
                    continue
                metres[cell] = leg
                piece[cell] = m


@compiled
def paint_near_land(
    piece_xy: Floats,
    piece_part: Floats,
    piece_edge: Ints,
    edge_u: Ints,
    edge_v: Ints,
    ahead: Singles,
    back: Singles,
    cost: Singles,
    target: Ints,
    beside_ptr: Longs,
    beside: Floats,
    leg_cost: float,
    reach: float,
    frame: Floats,
    shape: Longs,
    place: Ints,
    values: Singles,
    labels: Ints,
    wall_xy: Floats,
    wall_of: Ints,
    wall_frame: Floats,
    wall_shape: Longs,
    wall_start: Longs,
    wall_item: Ints,
) -> None:
    """Give every cell within `reach` metres of an edge the least cost over all such edges.

    `leg_cost` is the cost of a metre on a leg.
    """
    left, bottom, side = frame[0], frame[1], frame[2]
    rows, columns = shape[0], shape[1]
    for m in range(len(piece_xy)):
        first_row, last_row, first_column, last_column = _box(piece_xy, m, reach, left, bottom, side, rows, columns)
        for row in range(first_row, last_row + 1):
            y = bottom + row * side
            for column in range(first_column, last_column + 1):
                cell = row * columns + column
                if place[cell] < 0:
                    continue
                x = left + column * side
                t, fx, fy, leg = _foot(x, y, piece_xy, m)
                if leg > reach or t < piece_part[m, 0] or t > piece_part[m, 1]:
                    continue
                if crosses(x, y, fx, fy, -1, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item):
                    continue
                _lower(
                    place[cell], piece_edge[m], t, leg * leg_cost, edge_u, edge_v, ahead, back, cost, target,
                    beside_ptr, beside, values, labels,
                )  # fmt: skip


@compiled
def spread_nearest(
    piece_xy: Floats,
    piece_part: Floats,
    reach: float,
    limit: float,
    frame: Floats,
    shape: Longs,
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
    hold what `find_nearest` left in them and are filled in place.
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
                if metres[cell] <= near:
                    continue
                x = left + column * side
                for k in range(4):
                    # the four neighbours that this sweep has passed already
                    beside_row = row if k == 0 else row - step
                    beside_column = column - step if k == 0 else column + k - 2
                    if beside_row < 0 or beside_row >= rows or beside_column < 0 or beside_column >= columns:
                        continue
                    m = piece[beside_row * columns + beside_column]
                    if m < 0 or m == piece[cell]:
                        continue
                    t, fx, fy, leg = _foot(x, y, piece_xy, m)
                    if leg >= metres[cell] or leg > limit or t < piece_part[m, 0] or t > piece_part[m, 1]:
                        continue
                    if crosses(x, y, fx, fy, -1, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item):
                        continue
                    metres[cell] = leg
                    piece[cell] = m


@compiled
def paint_far_land(
    piece_xy: Floats,
    piece_edge: Ints,
    piece: Ints,
    metres: Singles,
    edge_u: Ints,
    edge_v: Ints,
    ahead: Singles,
    back: Singles,
    cost: Singles,
    target: Ints,
    beside_ptr: Longs,
    beside: Floats,
    leg_cost: float,
    reach: float,
    frame: Floats,
    shape: Longs,
    place: Ints,
    values: Singles,
    labels: Ints,
) -> None:
    """Give the cells beyond `reach` metres of every edge the cost by their nearest one, where there is one."""
    left, bottom, side = frame[0], frame[1], frame[2]
    columns = shape[1]
    near = np.float32(reach)
    for cell in range(len(piece)):
        m = piece[cell]
        if m >= 0 and metres[cell] > near and place[cell] >= 0:
            t, _, _, leg = _foot(left + (cell % columns) * side, bottom + (cell // columns) * side, piece_xy, m)
            _lower(
                place[cell], piece_edge[m], t, leg * leg_cost, edge_u, edge_v, ahead, back, cost, target,
                beside_ptr, beside, values, labels,
            )  # fmt: skip
