"""The land as a raster: which street each cell steps onto, and what it costs from there to reach a facility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.search import nearest, node_costs
from gridmap.network.walls import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.contours import Frame
    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["Ground", "Land", "NodeTable", "lay_ground", "paint_land", "search_nodes"]

_NO_LABELS = np.zeros((0, 0), dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Ground:
    """What does not depend on facilities: the nearest street of every cell, and the cells in walled compounds.

    Attributes
    ----------
    frame
        Where the raster lies.
    piece, metres
        Shape (rows, columns): nearest piece of a street that a leg reaches, -1 for none; its distance, inf for none,
        -1 for cells in a compound with gates.
    walled, access
        Numbers of these cells, row by row, and how they get onto the streets: through their gates, as buildings do.
    """

    frame: Frame
    piece: NDArray[np.int32]
    metres: NDArray[np.float32]
    walled: NDArray[np.int64]
    access: Access | None


@dataclass(frozen=True, eq=False)
class NodeTable:
    """What it costs to reach a facility of each category from the nodes; and from beside the facilities' own edges.

    `cost` (nodes, categories) float32, infinite beyond the limit; `target` likewise, the index of the facility.
    `targets` are the facilities' places on the streets, one `Access` a category.
    """

    measure: str
    limit: float
    targets: Sequence[Access]
    cost: NDArray[np.float32]
    target: NDArray[np.int32]

    def part(self, columns: slice) -> NodeTable:
        """The table of some categories."""
        return NodeTable(
            self.measure,
            self.limit,
            self.targets[columns],
            np.ascontiguousarray(self.cost[:, columns]),
            np.ascontiguousarray(self.target[:, columns]),
        )


def search_nodes(network: StreetNetwork, targets: Sequence[Access], measure: str, limit: float) -> NodeTable:
    """One sweep a category over the streets, up to a limit."""
    found = [node_costs(network, access, by=measure, limit=limit) for access in targets]
    return NodeTable(
        measure,
        limit,
        targets,
        np.column_stack([f.cost for f in found]).astype(np.float32),
        np.column_stack([f.target for f in found]).astype(np.int32),
    )


def lay_ground(network: StreetNetwork, frame: Frame, far_metres: float) -> Ground:
    """The nearest street of every cell, up to `far_metres` away."""
    from gridmap.coverage.circle_kernel import find_nearest, spread_nearest

    piece = np.full(frame.cells, -1, dtype=np.int32)
    metres = np.full(frame.cells, np.inf, dtype=np.float32)
    walled = _walled_cells(network, frame)
    metres[walled] = -1
    streets, walls = _Streets.of(network, "metres"), _wall_arrays(network)
    # wide enough that every street leaves its mark on the cells it runs through
    near = max(float(network.access_metres), 1.5 * frame.side)
    find_nearest(streets.xy, streets.part, near, *_frame_arrays(frame), piece, metres, *walls)
    spread_nearest(streets.xy, streets.part, near, far_metres, *_frame_arrays(frame), piece, metres, *walls)
    # a street that is near enough for a leg is drawn from, whatever `far_metres` says
    metres[metres > max(far_metres, float(network.access_metres))] = np.inf
    piece[np.isinf(metres)] = -1
    access = None
    if len(walled):
        # names that no entrance of a building can have
        names = [f"cell {number} of the raster" for number in walled]
        access = network.access(shapely.points(_centres(frame, walled)), kind="building", ids=names)
    shape = (frame.rows, frame.columns)
    return Ground(frame, piece.reshape(shape), metres.reshape(shape), walled, access)


@dataclass(frozen=True, eq=False)
class Land:
    """What it costs to reach a facility from the cells of a window that have a street near enough.

    `row`, `column` of each such cell in `frame`; `costs` (categories, cells), infinite where nothing is reached;
    `labels` likewise, index of the facility, -1 for none; or empty.
    """

    frame: Frame
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    costs: NDArray[np.float32]
    labels: NDArray[np.int32]

    def raster(self, category: int, most: float) -> tuple[NDArray[np.float32], Frame]:
        """Costs of a category, infinite where nothing is reached, over the rectangle where they are below `most`."""
        values = self.costs[category]
        below = values < most
        if not below.any():
            return np.full((1, 1), np.inf, dtype=np.float32), self.frame.part(slice(0, 1), slice(0, 1))
        rows, columns = _span(self.row[below], self.frame.rows), _span(self.column[below], self.frame.columns)
        whole = np.full((self.frame.rows, self.frame.columns), np.inf, dtype=np.float32)
        whole[self.row, self.column] = values
        return whole[rows, columns], self.frame.part(rows, columns)

    def label_raster(self, category: int) -> NDArray[np.int32]:
        """Labels over the whole frame, shape (rows, columns), -1 for none."""
        raster = np.full((self.frame.rows, self.frame.columns), -1, dtype=np.int32)
        raster[self.row, self.column] = self.labels[category]
        return raster


def paint_land(
    network: StreetNetwork,
    ground: Ground,
    nodes: NodeTable,
    *,
    window: tuple[slice, slice] | None = None,
    labelled: bool = False,
    surely: float = 0.0,
) -> Land:
    """What it costs from each cell to reach a facility.

    Parameters
    ----------
    network, ground, nodes
        The streets, the raster, and what the sweeps found.
    window
        Rows and columns to paint; None for all.
    labelled
        Whether to tell which facility it is.
    surely
        Costs below this need not be exact: a facility beside a cell's own edge is then reached over the edge's ends,
        which spares the most of the work.
    """
    from gridmap.coverage.circle_kernel import paint_far_land, paint_near_land

    whole = (slice(0, ground.frame.rows), slice(0, ground.frame.columns))
    window = whole if window is None else window
    frame = ground.frame.part(*window)
    piece = np.ascontiguousarray(ground.piece[window]).ravel()
    metres = np.ascontiguousarray(ground.metres[window]).ravel()
    land = np.flatnonzero(metres < np.inf)
    place = np.full(frame.cells, -1, dtype=np.int32)
    place[land] = np.arange(len(land), dtype=np.int32)
    values = np.full((len(land), nodes.cost.shape[1]), np.inf, dtype=np.float32)
    labels = np.full(values.shape, -1, dtype=np.int32) if labelled else _NO_LABELS
    target = nodes.target if labelled else _NO_LABELS
    streets, reach = _Streets.of(network, nodes.measure), float(network.access_metres)
    beside_ptr, beside = _beside(network, nodes, -np.inf if labelled else surely, float(metres[land].max(initial=0)))
    used = streets.reached(nodes.cost, beside_ptr)
    leg_cost = _leg_cost(network, nodes.measure)
    fixed: tuple[Any, ...] = (
        *streets.costs, nodes.cost, target, beside_ptr, beside, leg_cost, reach,
        *_frame_arrays(frame), place, values, labels,
    )  # fmt: skip
    if reach > 0:
        paint_near_land(streets.xy[used], streets.part[used], streets.edge[used], *fixed, *_wall_arrays(network))
    paint_far_land(streets.xy, streets.edge, piece, metres, *fixed)
    _paint_walled(network, ground, nodes, window, place, values, labels)
    row, column = np.divmod(land, frame.columns)
    return Land(frame, row, column, _turned(values), _turned(labels))


def _turned(table: NDArray[Any]) -> NDArray[Any]:
    """The transposed table, block by block, which memory likes better."""
    out = np.empty(table.shape[::-1], dtype=table.dtype)
    for first in range(0, len(table), 4096):
        out[:, first : first + 4096] = table[first : first + 4096].T
    return out


def _span(numbers: NDArray[np.int64], end: int) -> slice:
    """From the least to the most, and one more on each side, within 0 and the end."""
    return slice(max(int(numbers.min()) - 1, 0), min(int(numbers.max()) + 2, end))


@dataclass(frozen=True, eq=False)
class _Streets:
    """Pieces of streets outside walled compounds, and the edges they are of, as the kernels take them."""

    xy: NDArray[np.float64]
    part: NDArray[np.float64]
    edge: NDArray[np.int32]
    costs: tuple[NDArray[Any], ...]

    @classmethod
    def of(cls, network: StreetNetwork, measure: str) -> _Streets:
        xy, part, edge, side = network.piece_arrays
        graph = network.graph
        outside = side == OUTSIDE
        whole = graph.edge_length if measure == "metres" else graph.edge_seconds / 60
        ahead = np.where(graph.edge_forward, whole, np.inf).astype(np.float32)
        back = np.where(graph.edge_backward, whole, np.inf).astype(np.float32)
        return cls(xy[outside], part[outside], edge[outside], (graph.edge_u, graph.edge_v, ahead, back))

    def reached(self, cost: NDArray[np.float32], beside_ptr: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which pieces lead anywhere: a facility is in reach of an end of their edge, or beside it."""
        live = np.any(np.isfinite(cost), axis=1)
        edge_u, edge_v = self.costs[:2]
        useful = live[edge_u] | live[edge_v] | (np.diff(beside_ptr) > 0)
        return np.asarray(useful[self.edge])


def _beside(
    network: StreetNetwork, nodes: NodeTable, surely: float, longest_leg: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Facilities by the edges they are entered from, as the kernels take them.

    Left out are those that every cell at their edge reaches for less than `surely` even over the edge's ends.
    """
    leg_cost = _leg_cost(network, nodes.measure)
    graph = network.graph
    whole = graph.edge_length if nodes.measure == "metres" else graph.edge_seconds / 60
    edges, rows = [], []
    for column, access in enumerate(nodes.targets):
        most = (access.leg + longest_leg) * leg_cost + 2 * whole[access.edge]
        if graph.directed:
            most[:] = np.inf
        kept = most >= surely
        legs = access.leg[kept] * leg_cost
        rows.append(
            np.column_stack([access.t0[kept], access.t1[kept], legs, np.full(len(legs), column), access.owner[kept]])
        )
        edges.append(access.edge[kept])
    edge = np.concatenate(edges)
    ptr = np.zeros(graph.n_edges + 1, dtype=np.int64)
    np.cumsum(np.bincount(edge, minlength=graph.n_edges), out=ptr[1:])
    return ptr, np.ascontiguousarray(np.concatenate(rows)[np.argsort(edge, kind="stable")])


def _paint_walled(
    network: StreetNetwork,
    ground: Ground,
    nodes: NodeTable,
    window: tuple[slice, slice],
    place: NDArray[np.int32],
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
) -> None:
    """Cells in compounds with gates: what `cover` would count for a building there."""
    if ground.access is None:
        return
    row, column = np.divmod(ground.walled, ground.frame.columns)
    inside = (row >= window[0].start) & (row < window[0].stop)
    inside &= (column >= window[1].start) & (column < window[1].stop)
    if not inside.any():
        return
    width = window[1].stop - window[1].start
    at = place[(row[inside] - window[0].start) * width + column[inside] - window[1].start]
    access = ground.access.take(np.flatnonzero(inside))
    for c, targets in enumerate(nodes.targets):
        found = nearest(network, targets, access, by=nodes.measure, limit=nodes.limit)
        values[at, c] = getattr(found, nodes.measure)[:, 0]
        if len(labels):
            labels[at, c] = found.target[:, 0]


def _walled_cells(network: StreetNetwork, frame: Frame) -> NDArray[np.int64]:
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


def _centres(frame: Frame, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    row, column = np.divmod(cells, frame.columns)
    return np.column_stack([frame.left + column * frame.side, frame.bottom + row * frame.side])


def _leg_cost(network: StreetNetwork, measure: str) -> float:
    """Metres, or minutes, of a metre on a leg."""
    return 1.0 if measure == "metres" else 0.06 / network.profile.leg_kmh


def _frame_arrays(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.array([frame.left, frame.bottom, frame.side]), np.array([frame.rows, frame.columns], dtype=np.int64)


def _wall_arrays(network: StreetNetwork) -> tuple[NDArray[Any], ...]:
    xy, owner = network.walls.segments
    index = network.walls.index
    return (
        xy, owner, np.array([index.x0, index.y0, index.side]), np.array([index.nx, index.ny]), index.start, index.item,
    )  # fmt: skip
