"""Snapping: legs from points to edges, and through the gates of the compounds that the points lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.orders import ground_order
from gridmap.network.points import UNSNAPPED, Points, join_points
from gridmap.network.put_back import put_back
from gridmap.network.walls import OUTSIDE, Walls
from gridmap.workers import deal, map_tasks

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.streets import StreetNetwork

    Codes = npt.NDArray[np.int8]
    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["USUAL_METRES", "blocked", "nearest_reach", "snap_gates", "snap_points", "through_gates"]

# With access_metres=0 the nearest edge is meant; beyond the usual range it is far all the same. Metres.
USUAL_METRES = 50.0


def snap_points(
    network: StreetNetwork, xy: Floats, side: Ints, reach: Floats, gate_of: Ints | None = None
) -> tuple[Points, Codes]:
    """Every edge within range of each point, else the nearest one; and the status of each point.

    Parameters
    ----------
    network
        The network; its `access_metres` is the range.
    xy
        (n, 2) in its CRS.
    side
        The walled compound that each point lies in, or `OUTSIDE`.
    reach
        Metres: how far the nearest edge is looked for; 0 for not at all.
    gate_of
        For gates their compound; else None.
    """
    gate_of = np.full(len(xy), OUTSIDE, dtype=np.int32) if gate_of is None else gate_of
    # in the order of the ground, in which neighbours find in the cache what they share
    order = ground_order(xy)
    # made once, and not by every worker
    _ = network.piece_arrays, network.piece_index, network.walls.segments, network.walls.index
    tasks = [
        (network, xy[rows], side[rows], gate_of[rows], reach[rows])
        for rows in (order[first:last] for first, last in deal(len(order), 4096))
    ]
    *parts, statuses = zip(*map_tasks(_snap_some, tasks), strict=True)
    status = np.empty(len(xy), dtype=np.int8)
    status[order] = np.concatenate(statuses)
    ptr, edge, t, leg = put_back(order, list(zip(*parts, strict=True)))
    return Points(np.repeat(np.arange(len(xy)), np.diff(ptr)), edge, t, t, leg), status


def _snap_some(task: Any) -> tuple[Any, ...]:
    """Some of the points: a pointer, the edges that each reaches, how far along them, the legs; and the status."""
    from gridmap.network.snap_kernel import snap_points as kernel

    network, xy, side, gate_of, reach = task
    graph, walls = network.graph, network.walls
    wall_xy, wall_of = walls.segments
    radius = network.access_metres
    arguments: tuple[Any, ...] = (
        np.ascontiguousarray(xy), side, gate_of, reach, radius, radius if radius > 0 else USUAL_METRES,
        graph.edge_u, graph.edge_v, graph.n_nodes,
        *network.piece_arrays, *index_arrays(network.piece_index),
        wall_xy, wall_of, *index_arrays(walls.index),
    )  # fmt: skip
    ptr, edge, t, leg, status = kernel(*arguments)
    # what a kernel leaves of its room the next one can use
    return ptr, *(values[: ptr[-1]].copy() for values in (edge, t, leg)), status


def nearest_reach(walls: Walls, side: Ints, metres: float) -> Floats:
    """How far the nearest edge is looked for where none is in range.

    Anywhere from outside; not at all from a compound with open gates, since its people leave by these; across the
    compound where its gates are shut. With `metres`, the range, of 0 the nearest edge is always meant.
    """
    reach = np.full(len(side), np.inf)
    inner = side != OUTSIDE
    opened = np.isin(side, walls.gate_compound)
    reach[inner] = np.where(opened[inner] & (metres > 0), 0.0, walls.diameter[side[inner]])
    return reach


def snap_gates(network: StreetNetwork) -> tuple[Points, Codes]:
    """Legs of the open gates, each as a point outside its compound.

    A gate may lie within another compound; from there it goes on through the gates of that one.
    """
    walls = network.walls
    gates = np.asarray(shapely.points(walls.gate_xy), dtype=object)
    gate, compound = walls.inside(gates)
    others = compound != walls.gate_compound[gate]
    side = walls.innermost(len(gates), gate[others], compound[others])
    reach = nearest_reach(walls, side, network.access_metres)
    found, status = snap_points(network, walls.gate_xy, side, reach, walls.gate_compound)
    # what holds another is larger, so with the largest first every outer gate is ready when it is needed
    outer = np.unique(side[side != OUTSIDE])
    for one in outer[np.argsort(-shapely.area(walls.compounds[outer]), kind="stable")]:
        inner = np.flatnonzero(side == one)
        more, better = through_gates(walls, gates[inner], side[inner], found, status)
        found = join_points((found, more.of(inner)))
        status[inner] = np.minimum(status[inner], better)
    return found, status


def through_gates(
    walls: Walls, shapes: npt.NDArray[np.object_], side: Ints, gate_points: Points, gate_status: Codes
) -> tuple[Points, Codes]:
    """Legs that go in a straight line to each open gate of the compound around, and on from there.

    The straight line stands for the paths inside, so the compound's own wall does not bar it; barriers do.

    Parameters
    ----------
    walls
        The walls and gates.
    shapes
        Points or polygons.
    side
        The compound that each lies in, or `OUTSIDE`.
    gate_points, gate_status
        What `snap_gates` returns.

    Returns
    -------
    Points whose owner is the row of the shape, and the status of each shape.
    """
    status = np.full(len(shapes), UNSNAPPED, dtype=np.int8)
    first = np.searchsorted(walls.gate_compound, side)
    count = np.searchsorted(walls.gate_compound, side, side="right") - first
    shape, gate = _spans(first, count)
    if not len(shape):
        return Points.none(), status
    line = shapely.get_coordinates(shapely.shortest_line(shapes[shape], shapely.points(walls.gate_xy[gate])))
    a, b = line[::2], line[1::2]
    free = ~blocked(walls.only_barriers, a, b)
    shape, gate, inner_leg = shape[free], gate[free], np.hypot(*(b - a)[free].T)
    np.minimum.at(status, shape, gate_status[gate])
    order = np.argsort(gate_points.owner, kind="stable")
    start = np.searchsorted(gate_points.owner[order], np.arange(len(walls.gate_xy) + 1))
    pair, row = _spans(start[gate], start[gate + 1] - start[gate])
    onward = gate_points.take(order[row])
    return onward._replace(owner=shape[pair], leg=inner_leg[pair] + onward.leg), status


def blocked(walls: Walls, a: Floats, b: Floats) -> Flags:
    """Whether each straight leg a[i] to b[i], both (n, 2) metres, crosses a wall or barrier."""
    from gridmap.network.snap_kernel import blocked_legs

    wall_xy, wall_of = walls.segments
    if not len(wall_of) or not len(a):
        return np.zeros(len(a), dtype=np.bool_)
    crossing: Flags = blocked_legs(
        np.ascontiguousarray(a), np.ascontiguousarray(b), wall_xy, wall_of, *index_arrays(walls.index)
    )
    return crossing


def index_arrays(index: Any) -> tuple[Floats, Longs, Longs, Ints]:
    """A ground index as the kernels take it."""
    return np.array([index.x0, index.y0, index.side]), np.array([index.nx, index.ny]), index.start, index.item


def _spans(first: npt.NDArray[np.integer], count: npt.NDArray[np.integer]) -> tuple[Longs, Longs]:
    """All numbers of spans that begin at `first`: which span each is of, and the number itself."""
    span = np.repeat(np.arange(len(first)), count)
    return span, np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count) + first[span]
