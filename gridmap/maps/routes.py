"""Routes: the walking routes of a page, packed so that it only has to follow pointers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.coverage.access.route_forest import END, NO_WAY, grow_forest
from gridmap.maps.columns import rows_of
from gridmap.maps.encode import STEP, pack_changes, pack_places, pack_varints, signed
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.access.route_forest import Forest
    from gridmap.maps.sheet import Sheet
    from gridmap.network.graph import Graph

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["MOST", "pack_routes"]

#: More nodes times categories than this are left out unless asked for: some 3 MB.
MOST = 6_000_000
# A leg this much longer than straight, in metres, leads through a gate: one of so many that are nearest to the street.
_BEND, _GATES_NEAR = 0.5, 8


def pack_routes(sheet: Sheet, *, wanted: bool | None) -> dict[str, Any] | None:
    """The ways from the buildings of a page to their nearest facility of each category.

    Parameters
    ----------
    sheet
        The page.
    wanted
        True always, False never, None where they are not too many (see `MOST`).

    Returns
    -------
    dict or None
        ``xy``: places of the nodes that any way passes. ``degree`` and ``next``: how many different nodes follow each
        of them, and which. ``starts``, ``u``, ``v``, ``along``: how many places on streets each building leaves from;
        of each the nodes at the ends of its edge, and how far along it that is; ``gate``: by which of `gates`, from 1,
        one goes there, 0 for none. ``trees``, one a category of the page,
        or None: ``follow`` (a node: 0 no way, 1 the end, 2 + i the i-th of those that follow), ``ends`` (where the
        facility is left for, of each end in order), ``start`` (a building: which of its starts, from 1, 0 for no way),
        ``side`` (0 to u, 1 to v, 2 along the edge to the facility), ``goal`` (how far along the edge, of each 2 in
        order).
    """
    cover = sheet.content.cover
    if wanted is False or cover is None or "buildings" not in sheet.content.tables or cover.network is None:
        return None
    if wanted is None and cover.network.graph.n_nodes * len(cover.thresholds) > MOST:
        return None
    forest = grow_forest(cover)
    if forest is None or not forest.trees:
        return None
    graph = cover.network.graph
    table = sheet.content.tables["buildings"].iloc[sheet.building_order]
    row = rows_of(table["building_id"], cover.buildings, "building_id", len(table))
    starts, start_of, point = _starts(forest, row)
    edge = forest.origins.edge[point]
    used = _used(forest, row[row >= 0], graph)
    used[graph.edge_u[edge]] = used[graph.edge_v[edge]] = True
    number, nodes = np.cumsum(used) - 1, np.flatnonzero(used)
    steps, degree, after = _branches([tree.follow[nodes] for tree in forest.trees], number)
    names = list(cover.thresholds)
    trees: list[dict[str, Any] | None] = []
    place = _placer(sheet, cover.network.crs)
    for category in sheet.categories:
        if category in names:
            k = names.index(category)
            trees.append(_pack_tree(forest, k, steps[k], start_of[k], row, nodes, graph, place))
        else:
            trees.append(None)
    u, v = number[graph.edge_u[edge]], number[graph.edge_v[edge]]
    gate = _gates(sheet, forest, point, np.repeat(row, starts))
    return {
        "xy": pack_places(place(graph.node_xy[nodes])),
        "degree": pack_varints(degree),
        "next": pack_varints(signed(after - np.repeat(np.arange(len(nodes)), degree))),
        "starts": pack_varints(starts),
        "u": pack_changes(u),
        "v": pack_varints(signed(v - u)),
        "along": pack_varints(_share(forest.origins.t0[point])),
        "gate": pack_varints(gate + 1),
        "gates": pack_places(place(cover.network.walls.gate_xy)),
        "trees": trees,
    }


def _pack_tree(
    forest: Forest, k: int, steps: Longs, start: Longs, row: Longs, nodes: Longs, graph: Graph, place: Any
) -> dict[str, Any]:
    tree, targets = forest.trees[k], forest.targets
    side = np.where(start > 0, tree.side[row], 0)
    ends = nodes[steps == 1]
    point = tree.end[ends]
    from_u = graph.edge_u[targets.edge[point]] == ends
    share = np.where(from_u, targets.t0[point], targets.t1[point])
    u, v = graph.node_xy[graph.edge_u[targets.edge[point]]], graph.node_xy[graph.edge_v[targets.edge[point]]]
    return {
        "follow": pack_varints(steps),
        "ends": pack_places(place(u + share[:, None] * (v - u))),
        "start": pack_varints(start),
        "side": pack_varints(side),
        "goal": pack_varints(_share(tree.goal[row[side == 2]])),
    }


def _share(along: Floats) -> Longs:
    """Parts of an edge in steps of 1/4096, a few centimetres of it."""
    return np.rint(along * 4096).astype(np.int64)


def _used(forest: Forest, buildings: Longs, graph: Graph) -> NDArray[np.bool_]:
    """Which nodes any way passes; what no way of a tree passes is struck from it."""
    used = np.zeros(graph.n_nodes, dtype=bool)
    ends = np.column_stack((graph.edge_u, graph.edge_v)).astype(np.int64)
    for tree in forest.trees:
        passed = np.zeros(len(used), dtype=bool)
        begin = buildings[(tree.start[buildings] >= 0) & (tree.side[buildings] < 2)]
        front = ends[forest.origins.edge[tree.start[begin]], tree.side[begin]]
        while len(front):
            front = front[~passed[front]]
            passed[front] = True
            front = tree.follow[front]
            front = front[front >= 0]
        tree.follow[~passed] = NO_WAY
        used |= passed
    return used


def _branches(follows: list[Longs], number: Longs) -> tuple[list[Longs], Longs, Longs]:
    """The different nodes that follow each node in any tree, and each tree as positions among them."""
    count = len(follows[0]) if follows else 0
    tail = np.concatenate([np.flatnonzero(follow >= 0) for follow in follows] or [np.empty(0, dtype=np.int64)])
    head = np.concatenate([follow[follow >= 0] for follow in follows] or [np.empty(0, dtype=np.int64)])
    size = len(number)
    key, times = np.unique(tail * size + head, return_counts=True)
    # the most frequent first, so that nearly all positions are alike
    key = key[np.lexsort((-times, key // size))]
    degree = np.bincount(key // size, minlength=count)
    begin = np.cumsum(degree) - degree
    order = np.argsort(key)
    steps = []
    for follow in follows:
        here = np.flatnonzero(follow >= 0)
        at = order[np.searchsorted(key, here * size + follow[here], sorter=order)]
        out = np.where(follow == END, 1, 0)
        out[here] = at - begin[here] + 2
        steps.append(out)
    return steps, degree, number[key % size]


def _starts(forest: Forest, row: Longs) -> tuple[Longs, list[Longs], Longs]:
    """How many access points the ways of each building leave from; by tree which of them, from 1; and all of them."""
    start = np.stack([np.where(row >= 0, tree.start[row], -1) for tree in forest.trees], axis=1)
    building, _ = np.nonzero(start >= 0)
    points, size = start[start >= 0], len(forest.origins.edge)
    key, times = np.unique(building * size + points, return_counts=True)
    # the most frequent first, so that nearly all numbers are alike
    order = np.lexsort((-times, key // size))
    count = np.bincount(key // size, minlength=len(row))
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key))
    which = np.zeros(start.shape, dtype=np.int64)
    which[start >= 0] = rank[np.searchsorted(key, building * size + points)] - (np.cumsum(count) - count)[building] + 1
    return count, list(which.T), (key % size)[order]


def _gates(sheet: Sheet, forest: Forest, point: Longs, row: Longs) -> Longs:
    """The gate by which a leg leaves its compound, -1 where it is straight: the one that makes it as long as it is."""
    from scipy.spatial import cKDTree

    cover = sheet.content.cover
    network, out = cover.network, np.full(len(point), -1)
    gates = np.asarray(network.walls.gate_xy).reshape(-1, 2)
    if not len(gates):
        return out
    homes = to_crs(cover.buildings, network.crs).geometry.array
    home = shapely.get_coordinates(shapely.point_on_surface(np.asarray(homes)))[row]
    graph, edge = network.graph, forest.origins.edge[point]
    u, v = graph.node_xy[graph.edge_u[edge]], graph.node_xy[graph.edge_v[edge]]
    street = u + forest.origins.t0[point, None] * (v - u)
    leg = forest.origins.leg[point]
    bent = np.flatnonzero(leg > np.hypot(*(street - home).T) + _BEND)
    away, near = cKDTree(gates).query(street[bent], k=range(1, min(_GATES_NEAR, len(gates)) + 1))
    through = away + np.hypot(*np.moveaxis(gates[near] - home[bent, None], -1, 0))
    off = np.abs(through - leg[bent, None])
    best = off.argmin(axis=1)
    fits = off[np.arange(len(bent)), best] < _BEND
    out[bent[fits]] = near[np.arange(len(bent)), best][fits]
    return out


def _placer(sheet: Sheet, crs: Any) -> Any:
    """Places of a CRS as whole steps of the page."""
    from pyproj import Transformer

    turn = Transformer.from_crs(crs, 4326, always_xy=True)

    def place(xy: Floats) -> Longs:
        lonlat = np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))
        return np.rint(sheet.frame.to_metres(sheet.place(lonlat)) / STEP).astype(np.int64)

    return place
