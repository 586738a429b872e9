"""The land as a raster: which streets each cell steps onto, and what it costs from there to reach a facility."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.walls import OUTSIDE
from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.land.contours import Frame
    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]
    Longs = NDArray[np.int64]

__all__ = ["Ground", "Legs", "lay_ground", "leg_cost", "paint_land"]

# Legs are sought so many cells at a time, whatever the number of workers.
_ROOM = 2_000_000
# Cells at the borders of a window are left out of what is drawn, hence the rectangle around what is reached is wider.
_FRINGE = 2


@dataclass(frozen=True, eq=False)
class Legs:
    """Legs from the centres of cells to edges: those to edge e are ``ptr[e]:ptr[e + 1]``.

    `cell` (int32) is the number of the cell, row by row; `t` (float32) where along the edge the leg ends, 0 to 1;
    `leg` (float32) its length in metres.
    """

    ptr: NDArray[np.int64]
    cell: NDArray[np.int32]
    t: NDArray[np.float32]
    leg: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ground:
    """What does not depend on facilities: where the raster lies, and how its cells get onto the streets.

    The legs are those of a building that stood at the centre of the cell: to every edge within the access distance of
    the network that no wall hides, else to the nearest; from walled compounds through their gates. Cost of each whole
    edge from its u to its v and back, `ahead` and `back`, and of a metre on a leg are in one measure.
    """

    frame: Frame
    legs: tuple[Legs, ...]
    ahead: NDArray[np.float64]
    back: NDArray[np.float64]
    leg_cost: float


def lay_ground(
    network: StreetNetwork, frame: Frame, far_metres: float, measure: str, *, executor: Any = None
) -> Ground:
    """The legs of every cell; the nearest street is looked for up to `far_metres` away.

    Parameters
    ----------
    network, frame, far_metres
        The streets, the raster, metres.
    measure
        ``"metres"`` or ``"minutes"``: what costs are in.
    executor
        Anything with a `map` whose workers share memory.
    """
    from gridmap.coverage.land.circle_kernel import mark_nearest, spread_nearest

    edges = network.graph.n_edges
    walls = _wall_arrays(network)
    shut = np.zeros(frame.cells, dtype=np.bool_)
    walled = _walled_cells(network, frame)
    shut[walled] = True
    access = float(network.access_metres)
    # wide enough that every street leaves its mark on the cells it runs through
    near = max(access, 1.5 * frame.side)
    xy, part, edge = _pieces_outside(network)
    ptr, cell, t, leg = _legs_within(network, near, frame, shut, (xy, part, edge), walls, executor)
    piece = np.full(frame.cells, -1, dtype=np.int32)
    metres = np.full(frame.cells, np.inf, dtype=np.float32)
    mark_nearest(ptr, cell, leg, np.arange(len(edge), dtype=np.int32), piece, metres)
    spread_nearest(xy, part, near, far_metres, *_frame_arrays(frame), shut, piece, metres, *walls)
    if near > access:
        ptr, (cell, t, leg) = _only((leg <= access) & (access > 0), ptr, (cell, t, leg))
    # where nothing is in range the nearest street will do, up to `far_metres`
    alone = np.flatnonzero(((metres > access) | (access == 0)) & (metres <= far_metres))
    along = _fractions(xy[piece[alone]], _centres(frame, alone))
    rest: list[tuple[NDArray[Any], ...]] = [(edge[piece[alone]], alone, along, metres[alone])]
    snapped = np.concatenate((walled, _shaded(network, frame, piece, metres, far_metres, shut)))
    if len(snapped):
        # names that no entrance of a building can have
        names = [f"cell {number} of the raster" for number in snapped]
        doors = network.access(shapely.points(_centres(frame, snapped)), kind="building", ids=names)
        kept = shut[snapped[doors.owner]] | (doors.leg <= far_metres)
        rest.append((doors.edge[kept], snapped[doors.owner][kept], doors.t0[kept], doors.leg[kept]))
    legs = (Legs(_by_edge(ptr, edge, edges), cell, t, leg), _sorted_legs(rest, edges))
    return Ground(frame, legs, *_edge_costs(network, measure), leg_cost(network, measure))


def paint_land(
    network: StreetNetwork,
    ground: Ground,
    targets: Access,
    cost: NDArray[np.float64],
    target: NDArray[np.int32],
    *,
    margin: float = 0.0,
    labelled: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.int32], Frame]:
    """What it costs from each cell to reach the nearest of some facilities, around all that reaches one.

    Parameters
    ----------
    network, ground
        The streets, and the raster over them.
    targets
        How the facilities get onto the streets.
    cost, target
        What it costs from every node to reach a facility, infinite where none is, in the measure of the ground; which.
    margin
        Metres around the streets from which a facility is reached.
    labelled
        Whether to tell which facility it is.

    Returns
    -------
    values
        Costs, infinite where nothing is reached, shape (rows, columns).
    labels
        Index of the facility, -1 for none, in the same shape; without rows where not asked for.
    frame
        Where these cells lie.
    """
    from gridmap.coverage.land.circle_kernel import paint

    graph, frame = network.graph, ground.frame
    rows, columns = _window(network, frame, targets, cost, margin)
    # a stripe over all columns, so that cells keep their numbers but for where they begin
    shape = (rows.stop - rows.start, frame.columns)
    values = np.full(shape, np.inf, dtype=np.float32)
    labels = np.full(shape if labelled else (0, frame.columns), -1, dtype=np.int32)
    reached = np.isfinite(cost)
    live = np.flatnonzero(reached[graph.edge_u] | reached[graph.edge_v])
    for legs in ground.legs:
        paint(
            legs.ptr, legs.cell, legs.t, legs.leg, live,
            graph.edge_u, graph.edge_v, ground.ahead, ground.back, cost, target,
            targets.edge, targets.t0, targets.t1, targets.leg * ground.leg_cost, targets.owner.astype(np.int32),
            ground.leg_cost, rows.start * frame.columns, values.reshape(-1), labels.reshape(-1),
        )  # fmt: skip
    return values[:, columns], labels[:, columns], frame.part(rows, columns)


def _edge_costs(network: StreetNetwork, measure: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cost of each whole edge from its u to its v and back, infinite where it is closed."""
    graph = network.graph
    whole = graph.edge_length if measure == "metres" else graph.edge_seconds / 60
    return np.where(graph.edge_forward, whole, np.inf), np.where(graph.edge_backward, whole, np.inf)


def leg_cost(network: StreetNetwork, measure: str) -> float:
    """Metres, or minutes, of a metre on a leg."""
    return 1.0 if measure == "metres" else 0.06 / network.profile.leg_kmh


def _window(
    network: StreetNetwork, frame: Frame, targets: Access, cost: NDArray[np.float64], margin: float
) -> tuple[slice, slice]:
    """Rows and columns of the raster around the nodes that reach a facility, and the facilities' own edges."""
    graph = network.graph
    live = np.flatnonzero(np.isfinite(cost))
    xy = graph.node_xy[np.concatenate([live, graph.edge_u[targets.edge], graph.edge_v[targets.edge]])]
    if len(xy) == 0:
        return slice(0, 1), slice(0, 1)
    margin += _FRINGE * frame.side
    rows, columns = frame.cell_of(np.array([xy.min(axis=0) - margin, xy.max(axis=0) + margin]))
    return (
        slice(int(max(rows[0], 0)), int(min(rows[1] + 1, frame.rows))),
        slice(int(max(columns[0], 0)), int(min(columns[1] + 1, frame.columns))),
    )


def _pieces_outside(
    network: StreetNetwork,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Pieces of streets outside walled compounds: both ends of the whole edge, the part of it, the edge."""
    xy, part, edge, side = network.piece_arrays
    outside = side == OUTSIDE
    return xy[outside], part[outside], edge[outside]


def _legs_within(
    network: StreetNetwork,
    reach: float,
    frame: Frame,
    shut: Flags,
    pieces: tuple[NDArray[Any], ...],
    walls: tuple[NDArray[Any], ...],
    executor: Any,
) -> tuple[Longs, NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """All legs of at most `reach` metres to the pieces, piece by piece: where each one's begin, cell, t, leg."""
    from gridmap.coverage.land.circle_kernel import find_legs

    graph = network.graph
    arcs = graph.arcs
    xy = pieces[0]
    # cells in the box around each piece, at most; and how many in all the pieces before
    width = np.abs(xy[:, 2:] - xy[:, :2]) + 2 * reach
    before = np.append(0, np.cumsum(np.prod(np.floor(width / frame.side) + 2, axis=1).astype(np.int64)))
    starts = np.unique(np.searchsorted(before, np.arange(0, max(before[-1], 1), _ROOM)))
    fixed: tuple[Any, ...] = (
        *pieces, graph.edge_u, graph.edge_v, graph.node_xy,
        arcs.indptr, arcs.node, *_arc_arrays(network), reach, *_frame_arrays(frame), shut, *walls,
    )  # fmt: skip

    def find(span: tuple[int, int]) -> tuple[NDArray[Any], ...]:
        first, last = span
        return find_legs(first, last, int(before[last] - before[first]), *fixed)

    found = map_tasks(find, list(pairwise([*starts.tolist(), len(xy)])), executor)
    count, cell, t, leg = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return np.append(0, np.cumsum(count)), cell, t, leg


def _arc_arrays(network: StreetNetwork) -> tuple[Flags, Longs]:
    """Whether each arc begins with a piece outside walled compounds; and the arc at u, then at v, of every edge."""
    graph = network.graph
    _, part, edge, side = network.piece_arrays
    begins = np.zeros(2 * graph.n_edges, dtype=np.bool_)
    begins[edge[(side == OUTSIDE) & (part[:, 0] == 0)]] = True
    # the only nearest place of an edge without length is its u
    longer = np.any(graph.node_xy[graph.edge_u] != graph.node_xy[graph.edge_v], axis=1)
    ends = (side == OUTSIDE) & (part[:, 1] == 1) & longer[edge]
    begins[graph.n_edges + edge[ends]] = True
    order = np.argsort(np.concatenate((graph.edge_u, graph.edge_v)), kind="stable")
    arc_of_end = np.empty(len(order), dtype=np.int64)
    arc_of_end[order] = np.arange(len(order))
    return begins[order], arc_of_end


def _fractions(xy: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where along each edge, xy (n, 4), the place nearest to a centre (n, 2) lies."""
    ahead = xy[:, 2:] - xy[:, :2]
    square = (ahead**2).sum(axis=1)
    along = ((centre - xy[:, :2]) * ahead).sum(axis=1)
    return np.clip(np.divide(along, square, out=np.zeros(len(xy)), where=square > 0), 0.0, 1.0)


def _only(kept: Flags, ptr: Longs, values: tuple[NDArray[Any], ...]) -> tuple[Longs, tuple[NDArray[Any], ...]]:
    """Some of the values that stand one span after the other, and where the spans then begin."""
    before = np.concatenate([[0], np.cumsum(kept)])
    return before[ptr].astype(np.int64), tuple(v[kept] for v in values)


def _by_edge(ptr: Longs, edge: NDArray[np.int32], n_edges: int) -> Longs:
    """Where the legs of each edge begin, from where those of its pieces do; pieces stand in the order of edges."""
    count = np.bincount(edge, weights=np.diff(ptr), minlength=n_edges).astype(np.int64)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


def _sorted_legs(parts: list[tuple[NDArray[Any], ...]], n_edges: int) -> Legs:
    """Legs, each part as (edge, cell, t, leg), sorted by edge."""
    edge, cell, t, leg = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(edge, kind="stable")
    ptr = np.concatenate([[0], np.cumsum(np.bincount(edge, minlength=n_edges))]).astype(np.int64)
    return Legs(ptr, cell[order].astype(np.int32), t[order].astype(np.float32), leg[order].astype(np.float32))


def _shaded(
    network: StreetNetwork,
    frame: Frame,
    piece: NDArray[np.int32],
    metres: NDArray[np.float32],
    far_metres: float,
    shut: Flags,
) -> Longs:
    """Cells near streets on which none was found, since a wall hides from them what their neighbours see."""
    if not len(network.walls.segments[1]) or not np.isfinite(metres).any():
        return np.empty(0, dtype=np.int64)
    from scipy.ndimage import distance_transform_edt

    # cells that a street runs through: every street has some, so what is farther from all of them has none in reach
    on_street = (metres <= 0.75 * frame.side).reshape(frame.rows, frame.columns)
    close = distance_transform_edt(~on_street, sampling=frame.side).ravel() <= far_metres + frame.side
    cells = np.flatnonzero(close & (piece < 0) & ~shut)
    barriers = network.walls.barriers
    water = barriers[shapely.get_dimensions(barriers) == 2]
    drowned = shapely.STRtree(shapely.points(_centres(frame, cells))).query(water, predicate="intersects")[1]
    return np.setdiff1d(cells, cells[drowned])


def _walled_cells(network: StreetNetwork, frame: Frame) -> Longs:
    """Numbers of the cells whose centre lies in a compound with gates."""
    compounds = network.walls.compounds
    if len(compounds) == 0:
        return np.empty(0, dtype=np.int64)
    found = []
    for low_x, low_y, high_x, high_y in shapely.bounds(compounds):
        corners, far = frame.cell_of(np.array([[low_x, low_y], [high_x, high_y]]))
        rows = np.arange(max(corners[0], 0), min(corners[1] + 1, frame.rows))
        columns = np.arange(max(far[0], 0), min(far[1] + 1, frame.columns))
        found.append((rows[:, None] * frame.columns + columns).ravel())
    cells = np.unique(np.concatenate(found))
    inside = network.walls.side_of(shapely.points(_centres(frame, cells))) != OUTSIDE
    return cells[inside]


def _centres(frame: Frame, cells: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    row, column = np.divmod(cells, frame.columns)
    return np.column_stack([frame.left + column * frame.side, frame.bottom + row * frame.side])


def _frame_arrays(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.array([frame.left, frame.bottom, frame.side]), np.array([frame.rows, frame.columns], dtype=np.int64)


def _wall_arrays(network: StreetNetwork) -> tuple[NDArray[Any], ...]:
    xy, owner = network.walls.segments
    index = network.walls.index
    return (
        xy, owner, np.array([index.x0, index.y0, index.side]), np.array([index.nx, index.ny]), index.start, index.item,
    )  # fmt: skip
