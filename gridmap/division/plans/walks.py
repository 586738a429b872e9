"""What the worker of a grid feels: the tour of all doors, the longest walk, doors that no way inside leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]

__all__ = ["Walks", "street_walks", "tours"]

# A street along the border is walked on either side: streets this far outside still belong to the grid.
_PAVEMENT = 10.0
# Streets are cut into steps of at most this, so that a door finds a node near it.
_STEP = 15.0
# A door reaches the streets of its grid that pass within this of it (the default of access_metres).
_DOORSTEP = 50.0
_WINDOW, _ROUNDS = 1000, 50


class Walks(NamedTuple):
    """For each grid the longest walk between two of its doors in metres, and how many doors the others cannot reach."""

    longest: Floats
    unreachable: Ints


def tours(xy: Floats, grid: Ints, n_grids: int) -> Floats:
    """Length in metres of a closed tour through all doors of each grid, in straight lines from door to door.

    The order is that of a Hilbert curve, then improved by 2-opt: typically 5 % above the shortest tour. It is the same
    for every plan, so that plans can be compared; it is no route.
    """
    from gridmap.division.plans.tour_kernel import shorten_tours

    if not len(xy):
        return np.zeros(n_grids)
    # equal doors once: a tower of many entrances is one stop
    xy, grid = _distinct(xy, grid)
    order = np.lexsort((_hilbert(xy), grid)).astype(np.int64)
    start = np.searchsorted(grid[order], np.arange(n_grids + 1)).astype(np.int64)
    return np.asarray(shorten_tours(xy[:, 0].copy(), xy[:, 1].copy(), start, order, _WINDOW, _ROUNDS))


def _hilbert(xy: Floats) -> npt.NDArray[np.uint32]:
    """Place of each point on a Hilbert curve over all of them."""
    import geopandas as gpd

    return gpd.GeoSeries.from_xy(*xy.T).hilbert_distance().to_numpy()


def street_walks(xy: Floats, grid: Ints, shapes: Shapes, streets: gpd.GeoDataFrame) -> Walks:
    """Longest walk between two doors of each grid without leaving it, and the doors that cannot be reached so.

    Walked are the streets open to walkers, in the grid or within 10 m of it, for a border often runs along the middle
    of a street. A door lies in a straight line from the streets: from the grid's longest connected stretch of them
    where that passes within 50 m, else from the nearest. Doors that are then not on that longest stretch cannot be
    reached from the others.

    The longest walk is that between the ends of three sweeps (the farthest door from any one, the farthest from that,
    and once more): exact where streets form a tree, else seldom a few per cent too short.

    Parameters
    ----------
    xy, grid
        Doors in metres, (n, 2), and the position of their grid.
    shapes
        Grids, in metres.
    streets
        In metres, with the columns of the table streets.
    """
    n_grids = len(shapes)
    node_xy, u, v = _steps(streets)
    land = shapely.buffer(shapes, _PAVEMENT)
    owner, node = shapely.STRtree(shapely.points(node_xy)).query(land, predicate="intersects")
    copy = {"owner": owner, "node": node}
    tail, head = _inside(copy, u, v, len(node_xy))
    metres = np.hypot(*(node_xy[node[tail]] - node_xy[node[head]]).T)

    part, main = _main_parts(owner, tail, head, metres, n_grids)
    place = np.column_stack((node_xy[node], owner * _far(node_xy)))
    door = np.column_stack((xy, grid * _far(node_xy)))
    leg, stop = _nearest(door, place, grid, owner)
    on_main = main[part] if len(part) else np.zeros(0, dtype=bool)
    main_leg, main_stop = _nearest(door, place[on_main], grid, owner[on_main])
    near = main_leg <= _DOORSTEP
    leg[near], stop[near] = main_leg[near], np.flatnonzero(on_main)[main_stop[near]]
    reached = (stop >= 0) & (on_main[stop] if len(on_main) else False)

    alone = np.bincount(grid, minlength=n_grids) < 2
    unreachable = np.where(alone, 0, np.bincount(grid[~reached], minlength=n_grids))
    legs = _legs(xy[reached], stop[reached], tail, head, node_xy[node])
    longest = _longest(len(owner), (tail, head, metres), legs, grid[reached], n_grids)
    return Walks(longest, unreachable)


def _distinct(xy: Floats, grid: Ints) -> tuple[Floats, Ints]:
    rows = np.unique(np.column_stack((grid, xy)), axis=0)
    return np.asarray(rows[:, 1:], dtype=np.float64), rows[:, 0].astype(np.intp)


def _steps(streets: gpd.GeoDataFrame) -> tuple[Floats, Ints, Ints]:
    """Nodes and edges of the streets open to walkers, edges cut into short steps."""
    from gridmap.network.noding import node_lines
    from gridmap.network.profiles import usable_streets

    open_ = streets[usable_streets(streets, "walk")]
    lines = node_lines(
        open_.geometry.to_numpy(),
        open_["node_ids"].tolist() if "node_ids" in open_ else None,
        open_["layer"].to_numpy(dtype=object) if "layer" in open_ else None,
    )
    a, b = lines.node_xy[lines.u], lines.node_xy[lines.v]
    count = np.maximum(1, np.ceil(np.hypot(*(b - a).T) / _STEP)).astype(np.intp)
    edge = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    new = np.flatnonzero(step > 0)
    number = len(lines.node_xy) + np.arange(len(new))
    share = (step[new] / count[edge[new]])[:, None]
    node_xy = np.concatenate((lines.node_xy, a[edge[new]] * (1 - share) + b[edge[new]] * share))
    u, v = lines.u[edge].astype(np.intp), lines.v[edge].astype(np.intp)
    u[new], v[new - 1] = number, number
    return node_xy, u, v


def _inside(copy: dict[str, Ints], u: Ints, v: Ints, n_nodes: int) -> tuple[Ints, Ints]:
    """Edges between copies of nodes of one grid: each grid has its own copy of every node that lies in it."""
    owner, node = copy["owner"], copy["node"]
    order = np.argsort(node, kind="stable")
    first = np.searchsorted(node[order], np.arange(n_nodes + 1))
    size = first[u + 1] - first[u]
    edge = np.repeat(np.arange(len(u)), size)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(size) - size, size)
    tail = order[first[u[edge]] + within]
    key = owner * np.int64(n_nodes) + node
    rank = np.argsort(key, kind="stable")
    wanted = owner[tail] * np.int64(n_nodes) + v[edge]
    at = np.minimum(np.searchsorted(key[rank], wanted), max(len(key) - 1, 0))
    head = rank[at] if len(key) else at
    hit = key[head] == wanted if len(key) else np.zeros(0, dtype=bool)
    return tail[hit], head[hit]


def _main_parts(owner: Ints, tail: Ints, head: Ints, metres: Floats, n_grids: int) -> tuple[Ints, Any]:
    """Connected part of each node copy, and which parts are the longest of their grid."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(owner)
    if not n:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=bool)
    graph = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(n, n))
    count, part = connected_components(graph, directed=False)
    length = np.bincount(part[tail], metres, count)
    grid_of = np.zeros(count, dtype=np.intp)
    grid_of[part] = owner
    order = np.lexsort((np.arange(count), -length, grid_of))
    which, first = np.unique(grid_of[order], return_index=True)
    main = np.zeros(count, dtype=bool)
    main[order[first]] = which < n_grids
    return part.astype(np.intp), main


def _far(node_xy: Floats) -> float:
    """A third coordinate this far apart keeps the grids from finding one another's streets."""
    return 10.0 * float(np.ptp(node_xy, axis=0).max() + 1) if len(node_xy) else 1.0


def _nearest(door: Floats, place: Floats, grid: Ints, owner: Ints) -> tuple[Floats, Ints]:
    """Distance and position of the nearest node of each door's own grid; infinite and -1 where it has none."""
    from scipy.spatial import cKDTree

    if not len(place) or not len(door):
        return np.full(len(door), np.inf), np.full(len(door), -1, dtype=np.intp)
    leg, stop = cKDTree(place).query(door)
    own = owner[stop] == grid
    return np.where(own, leg, np.inf), np.where(own, stop, -1).astype(np.intp)


def _legs(xy: Floats, stop: Ints, tail: Ints, head: Ints, place: Floats) -> tuple[Ints, Ints, Floats]:
    """Door, node, metres: from each door straight to the nearest step at its stop, then along it to either end."""
    a, b = np.concatenate((tail, head)), np.concatenate((head, tail))
    order = np.argsort(a, kind="stable")
    first = np.searchsorted(a[order], np.arange(len(place) + 1))
    size = first[stop + 1] - first[stop]
    door = np.repeat(np.arange(len(stop)), size)
    within = np.arange(len(door)) - np.repeat(np.cumsum(size) - size, size)
    end = b[order[first[stop[door]] + within]]
    start, along = place[stop[door]], place[end] - place[stop[door]]
    share = ((xy[door] - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
    foot = start + np.clip(share, 0, 1)[:, None] * along
    off = np.hypot(*(xy[door] - foot).T)
    best = np.lexsort((end, off, door))
    best = best[np.unique(door[best], return_index=True)[1]]
    door, end, foot, off = door[best], end[best], foot[best], off[best]
    lone = np.flatnonzero(size == 0)
    to_stop = off + np.hypot(*(foot - place[stop[door]]).T)
    to_end = off + np.hypot(*(foot - place[end]).T)
    straight = np.hypot(*(xy[lone] - place[stop[lone]]).T)
    return (
        np.concatenate((door, door, lone)),
        np.concatenate((stop[door], end, stop[lone])),
        np.concatenate((to_stop, to_end, straight)),
    )


def _longest(
    n: int, edges: tuple[Ints, Ints, Floats], legs: tuple[Ints, Ints, Floats], grid: Ints, n_grids: int
) -> Floats:
    """Three sweeps from door to farthest door, in all grids at once: their streets are not connected to each other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    longest = np.zeros(n_grids)
    doors = len(grid)
    if not doors:
        return longest
    rows = np.concatenate((edges[0], n + legs[0]))
    columns = np.concatenate((edges[1], legs[1]))
    # a stored zero would be no edge
    values = np.maximum(np.concatenate((edges[2], legs[2])), 1e-9)
    # of parallel edges the shortest: a sparse matrix would add them up
    order = np.lexsort((values, columns, rows))
    pair = np.column_stack((rows[order], columns[order]))
    order = order[np.r_[True, (pair[1:] != pair[:-1]).any(axis=1)]]
    graph = coo_array((values[order], (rows[order], columns[order])), shape=(n + doors, n + doors)).tocsr()
    which, source = np.unique(grid, return_index=True)
    for _ in range(3):
        far = dijkstra(graph, directed=False, indices=n + source, min_only=True)[n:]
        by = np.lexsort((np.arange(doors), -far, grid))
        source = by[np.unique(grid[by], return_index=True)[1]]
        longest[which] = np.maximum(longest[which], far[source])
    return longest
