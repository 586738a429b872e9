"""Snapping again: after a change of streets, the places that it may concern, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from gridmap.network.access import Access, find_doors, isolated_owners
from gridmap.network.graph import Graph
from gridmap.network.points import UNSNAPPED, Points, join_points
from gridmap.network.snapping import nearest_reach, snap_gates, snap_points
from gridmap.network.walls import OUTSIDE

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.changes import Change
    from gridmap.network.streets import StreetNetwork

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["Places", "join_access", "prepare_places", "snap_again", "snap_gates_again", "snap_near"]


class Places(NamedTuple):
    """Places as they stand on the ground: shapes and ids by owner, and their doors.

    `door`, `owner`, `box` (d, 4), `side` by door: its shape, row of its owner, bounds, and the walled compound around.
    `several` by owner: whether it has more than one door.
    """

    shapes: Shapes
    ids: Shapes
    kind: str
    door: Shapes
    owner: Longs
    box: Floats
    side: npt.NDArray[np.int32]
    several: Flags


def prepare_places(network: StreetNetwork, shapes: Shapes, ids: Shapes, kind: str) -> Places:
    """Doors of places in the CRS of the network."""
    doors = find_doors(network, shapes, ids, kind)
    areal = shapely.get_dimensions(doors.shape) == 2
    side = network.walls.side_of(np.where(areal, shapely.point_on_surface(doors.shape), doors.shape))
    several = np.bincount(doors.owner, minlength=len(shapes)) > 1
    return Places(
        shapes, ids, kind, doors.shape, doors.owner, shapely.bounds(doors.shape).reshape(-1, 4), side, several
    )


def snap_gates_again(before: StreetNetwork, change: Change) -> Longs:
    """Give the changed network its gates; returns the compounds whose gates touch the streets otherwise than before."""
    network, walls = change.network, change.network.walls
    if not len(walls.gate_xy):
        return np.empty(0, dtype=np.int64)
    compounds = np.arange(len(walls.compounds))
    if len(change.opened):
        vars(network)["gates"] = snap_gates(network)
        return compounds
    points, status = before.gates
    shapes = np.asarray(shapely.points(walls.gate_xy), dtype=object)
    ptr = np.searchsorted(np.sort(points.owner, kind="stable"), np.arange(len(shapes) + 1))
    order = np.argsort(points.owner, kind="stable")
    sorted_points = points.take(order)
    box = np.hstack((walls.gate_xy, walls.gate_xy))
    reach = _reach(network, ptr, sorted_points.leg, np.zeros(len(shapes), dtype=np.bool_))
    affected = _concerned(before, change, ptr, sorted_points.edge, np.arange(len(shapes)), box, shapes, reach)
    if not affected.any():
        vars(network)["gates"] = _renumbered(points, change), status
        return np.empty(0, dtype=np.int64)
    gate, compound = walls.inside(shapes)
    if (compound != walls.gate_compound[gate]).any():
        # gates that lead on through others hang together; they are few
        vars(network)["gates"] = snap_gates(network)
        return compounds
    rows = np.flatnonzero(affected)
    metres = network.access_metres + 1.0
    near, edges = _around(network, box[rows], metres)
    side = np.full(len(rows), OUTSIDE, dtype=np.int32)
    found, found_status = snap_points(
        near, walls.gate_xy[rows], side, nearest_reach(walls, side, network.access_metres), walls.gate_compound[rows]
    )
    longest = np.full(len(rows), np.inf)
    np.minimum.at(longest, found.owner, found.leg)
    if (longest > metres).any():
        vars(network)["gates"] = snap_gates(network)
        return np.unique(walls.gate_compound[rows]).astype(np.int64)
    found = found._replace(edge=edges[found.edge].astype(np.int32)).of(rows)
    status = status.copy()
    status[rows] = found_status
    kept = _renumbered(points.take(~affected[points.owner]), change)
    vars(network)["gates"] = join_points((kept, found)), status
    return np.unique(walls.gate_compound[rows]).astype(np.int64)


def snap_again(
    before: StreetNetwork, change: Change, access: Access, places: Places, compounds: Longs
) -> tuple[Access, Longs]:
    """The access of places to a changed network, as if all had been snapped anew; and the owners that were.

    Those are snapped again that touch an edge that is gone, that have a new edge within range or no further than what
    they touch, or that lie in a compound of which the gates changed.

    Parameters
    ----------
    before, change
        The old network, and the change; the new one has its gates.
    access
        Access to the old network.
    places
        The places it is of.
    compounds
        What `snap_gates_again` returns.
    """
    network = change.network
    reach = _reach(network, access.owner_ptr, access.leg, places.several)
    owners = _concerned(before, change, access.owner_ptr, access.edge, places.owner, places.box, places.door, reach)
    inside = places.owner[np.isin(places.side, compounds)]
    owners[inside] = True
    # few have a reach beyond the range; what the new edges alone cannot offer them is no concern of theirs
    usual = np.full(len(reach), network.access_metres + 1e-6)
    sure = _concerned(before, change, access.owner_ptr, access.edge, places.owner, places.box, places.door, usual)
    sure[inside] = True
    far = np.flatnonzero(owners & ~sure)
    if len(far):
        offered = _part(network, change.added).access(places.shapes[far], kind=places.kind, ids=places.ids[far])
        nearer = np.zeros(len(far), dtype=np.bool_)
        nearer[offered.owner[offered.leg <= reach[far][offered.owner]]] = True
        owners[far[~nearer]] = False
    rows = np.flatnonzero(owners)
    fresh = snap_near(network, places, rows)
    return _merged(network, change, access, fresh, owners), rows


def _reach(network: StreetNetwork, ptr: Longs, leg: Floats, several: Flags) -> Floats:
    """How far from each owner a new edge may lie to concern it."""
    owner = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    longest = np.zeros(len(ptr) - 1)
    np.maximum.at(longest, owner, leg)
    # what is in range of everything it touches is concerned by what comes into range
    reach = np.maximum(longest, network.access_metres)
    reach[(np.diff(ptr) == 0) | several] = np.inf
    return reach + 1e-6


def _concerned(
    before: StreetNetwork,
    change: Change,
    ptr: Longs,
    edge: npt.NDArray[np.integer],
    door_owner: Longs,
    box: Floats,
    doors: Shapes,
    reach: Floats,
) -> Flags:
    """Which owners touch an edge that is gone, or have a door near enough to a new one."""
    found = np.zeros(len(ptr) - 1, dtype=np.bool_)
    gone = np.zeros(before.graph.n_edges, dtype=np.bool_)
    gone[change.removed] = True
    touching = np.flatnonzero(gone[edge])
    found[np.searchsorted(ptr, touching, side="right") - 1] = True
    if not len(change.added) or not len(doors):
        return found
    ends = change.network.edge_xy[change.added]
    new = shapely.multilinestrings(shapely.linestrings(ends.reshape(-1, 2, 2)))
    west, south, east, north = shapely.bounds(new)
    far = reach[door_owner]
    near = (box[:, 0] <= east + far) & (box[:, 2] >= west - far)
    near &= (box[:, 1] <= north + far) & (box[:, 3] >= south - far)
    rows = np.flatnonzero(near)
    shapely.prepare(new)
    rows = rows[shapely.distance(doors[rows], new) <= far[rows]]
    found[door_owner[rows]] = True
    return found


def snap_near(network: StreetNetwork, places: Places, rows: Longs) -> Access:
    """Access of some of the owners, snapped on the edges around them alone where these settle it.

    Whether they are `isolated` is not settled by that.
    """
    doors = np.flatnonzero(np.isin(places.owner, rows))
    if not len(doors):
        return network.access(places.shapes[rows], kind=places.kind, ids=places.ids[rows])
    metres = network.access_metres + 1.0
    near, edges = _around(network, places.box[doors], metres)
    found = near.access(places.shapes[rows], kind=places.kind, ids=places.ids[rows])
    found = replace(found, edge=edges[found.edge].astype(np.int32))
    # what leaves by a gate alone, and what has edges in range, asks for no edge further off
    settled = np.zeros(len(places.shapes), dtype=np.bool_)
    settled[places.owner] = True
    opened = np.isin(places.side, network.walls.gate_compound) & (network.access_metres > 0)
    owner_leg = np.full(len(places.shapes), np.inf)
    np.minimum.at(owner_leg, rows[found.owner], found.leg)
    by_door = opened | ((owner_leg[places.owner] <= metres) & ~places.several[places.owner])
    settled[places.owner[~by_door]] = False
    again = np.flatnonzero(~settled[rows])
    if not len(again):
        return found
    whole = network.access(places.shapes[rows[again]], kind=places.kind, ids=places.ids[rows[again]])
    return _put(found, whole, again)


def _around(network: StreetNetwork, boxes: Floats, metres: float) -> tuple[StreetNetwork, Longs]:
    """The network of the edges near some boxes and those that gates touch, and the numbers of these edges."""
    low, high = boxes[:, :2].min(axis=0) - metres, boxes[:, 2:].max(axis=0) + metres
    ends = network.edge_xy
    near = (np.minimum(ends[:, 0], ends[:, 2]) <= high[0]) & (np.maximum(ends[:, 0], ends[:, 2]) >= low[0])
    near &= (np.minimum(ends[:, 1], ends[:, 3]) <= high[1]) & (np.maximum(ends[:, 1], ends[:, 3]) >= low[1])
    gates = vars(network).get("gates")
    if gates is not None:
        near[gates[0].edge] = True
    if not near.any():
        near[0] = True
    rows = np.flatnonzero(near)
    small = _part(network, rows)
    if gates is not None:
        points, status = gates
        rank = np.cumsum(near) - 1
        vars(small)["gates"] = points._replace(edge=rank[points.edge].astype(np.int32)), status
    return small, rows


def _part(network: StreetNetwork, rows: Longs) -> StreetNetwork:
    """The network of some of the edges, in rising order; its gates lead nowhere."""
    graph = network.graph
    nodes, ends = np.unique(np.concatenate((graph.edge_u[rows], graph.edge_v[rows])), return_inverse=True)
    part = Graph(
        graph.node_xy[nodes], ends[: len(rows)].astype(np.int32), ends[len(rows) :].astype(np.int32),
        graph.edge_length[rows], graph.edge_seconds[rows], graph.edge_street[rows], graph.edge_forward[rows],
        graph.edge_backward[rows],
    )  # fmt: skip
    edge, share, side = network.pieces
    first, last = np.searchsorted(edge, rows), np.searchsorted(edge, rows, side="right")
    count = last - first
    pieces = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    number = np.repeat(np.arange(len(rows), dtype=np.int32), count)
    small = replace(network, graph=part, pieces=(number, share[pieces], side[pieces]))
    shut = np.full(len(network.walls.gate_xy), UNSNAPPED, dtype=np.int8)
    vars(small)["gates"] = Points.none(), shut
    return small


def _renumbered(points: Points, change: Change) -> Points:
    return points._replace(edge=change.edge_rank[points.edge].astype(np.int32))


def _merged(network: StreetNetwork, change: Change, access: Access, fresh: Access, owners: Flags) -> Access:
    """The old access on the new edges, and the fresh one of the owners that were snapped again."""
    carried = replace(access, edge=change.edge_rank[access.edge].astype(np.int32))
    merged = _put(carried, fresh, np.flatnonzero(owners))
    return replace(merged, isolated=isolated_owners(network.graph, merged.owner_ptr, merged.edge))


def _put(access: Access, fresh: Access, rows: Longs) -> Access:
    """Access with some of its owners taken from another one."""
    size = np.diff(access.owner_ptr)
    mine = np.ones(len(access), dtype=np.bool_)
    mine[rows] = False
    size[rows] = np.diff(fresh.owner_ptr)
    ptr = np.zeros(len(access) + 1, dtype=np.int64)
    np.cumsum(size, out=ptr[1:])
    kept = np.repeat(mine, np.diff(access.owner_ptr))
    to = np.ones(int(ptr[-1]), dtype=np.bool_)
    to[np.repeat(ptr[rows] - np.cumsum(size[rows]) + size[rows], size[rows]) + np.arange(size[rows].sum())] = False
    columns: dict[str, Any] = {}
    for name in ("edge", "t0", "t1", "leg"):
        values = np.empty(len(to), dtype=getattr(access, name).dtype)
        values[to], values[~to] = getattr(access, name)[kept], getattr(fresh, name)
        columns[name] = values
    status, isolated = access.status_code.copy(), access.isolated.copy()
    status[rows], isolated[rows] = fresh.status_code, fresh.isolated
    return replace(access, owner_ptr=ptr, status_code=status, isolated=isolated, **columns)


def join_access(network: StreetNetwork, access: Access, more: Access) -> Access:
    """The owners of two accesses of one kind below one another; which are isolated is looked at anew."""
    columns: dict[str, Any] = {
        name: np.concatenate((getattr(access, name), getattr(more, name)))
        for name in ("ids", "edge", "t0", "t1", "leg", "status_code", "isolated")
    }
    ptr = np.concatenate((access.owner_ptr, access.owner_ptr[-1] + more.owner_ptr[1:]))
    joined = replace(access, owner_ptr=ptr, **columns)
    return replace(joined, isolated=isolated_owners(network.graph, joined.owner_ptr, joined.edge))
