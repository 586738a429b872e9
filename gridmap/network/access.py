"""Access: the places of a table as points on the edges of the network, each with the leg that leads there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.network.points import UNSNAPPED, Points, gather_points, join_points
from gridmap.network.snapping import nearest_reach, snap_points, through_gates
from gridmap.network.walls import OUTSIDE
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from gridmap.network.graph import Graph
    from gridmap.network.streets import StreetNetwork

    Codes = npt.NDArray[np.int8]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["KINDS", "STATUS", "Access", "Doors", "access", "find_doors", "isolated_owners"]

STATUS = ("ok", "far", "unsnapped")
KINDS = ("building", "facility")


@dataclass(frozen=True, eq=False)
class Access:
    """Where places touch the network.

    Access points of owner i are ``owner_ptr[i]:owner_ptr[i + 1]`` of `edge`, `t0`, `t1` and `leg`.

    Parameters
    ----------
    ids
        Id of each owner.
    kind
        ``"building"`` or ``"facility"``.
    owner_ptr
        (n + 1,) int64.
    edge
        Edge of each access point.
    t0, t1
        From where to where along the edge, 0 at its u and 1 at its v; equal but for an edge that runs inside a polygon
        or beside it at one distance.
    leg
        Metres between the place and that part of the edge.
    status_code
        For each owner the place in `STATUS`: ``ok``; ``far``, when nothing is within range and the nearest edge was
        taken; ``unsnapped``, when no edge can be reached at all.
    isolated
        Whether all access points of an owner lie on small isolated pieces of the network.
    """

    ids: npt.NDArray[np.object_]
    kind: str
    owner_ptr: Longs
    edge: Ints
    t0: Floats
    t1: Floats
    leg: Floats
    status_code: npt.NDArray[np.int8]
    isolated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.owner_ptr) - 1

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{n:,} {s}" for s, n in zip(STATUS, np.bincount(self.status_code, minlength=3), strict=True)
        )
        return f"<Access: {len(self):,} of kind {self.kind!r} ({counts}), {len(self.edge):,} access points>"

    @property
    def status(self) -> npt.NDArray[np.object_]:
        """For each owner ``"ok"``, ``"far"`` or ``"unsnapped"``."""
        return np.array(STATUS, dtype=object)[self.status_code]

    @property
    def owner(self) -> Longs:
        """Row of the owner of each access point."""
        return np.repeat(np.arange(len(self)), np.diff(self.owner_ptr))

    def take(self, rows: npt.NDArray[np.integer]) -> Access:
        """The access of some of the owners, in the order of `rows`."""
        rows = np.asarray(rows)
        size = np.diff(self.owner_ptr)[rows]
        ptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(size, out=ptr[1:])
        at = np.arange(ptr[-1]) + np.repeat(self.owner_ptr[rows] - ptr[:-1], size)
        return Access(
            self.ids[rows], self.kind, ptr, self.edge[at], self.t0[at], self.t1[at], self.leg[at],
            self.status_code[rows], self.isolated[rows],
        )  # fmt: skip

    @property
    def findings(self) -> gpd.GeoDataFrame:
        """What a user should know: places that are far from any street, off the network, or on isolated pieces."""
        rows = []
        for mask, severity, rule, what, cure in (
            (
                self.status_code == STATUS.index("far"), "warning", f"{self.kind}_far",
                "lie further from any street than access legs reach; the nearest one was taken",
                "Check their coordinates, or add the missing paths.",
            ),
            (
                self.status_code == STATUS.index("unsnapped"), "warning", f"{self.kind}_unsnapped",
                "reach no street without crossing a barrier or a wall",
                "Check their coordinates, the gates of their compounds and the barriers.",
            ),
            (
                self.isolated, "warning", f"{self.kind}_isolated",
                "touch only small pieces of the network that are cut off from the rest",
                "Check whether the streets there join the others; mend them or leave the places out.",
            ),
        ):  # fmt: skip
            if mask.any():
                noun = {"building": "buildings", "facility": "facilities"}.get(self.kind, self.kind)
                rows.append(finding(severity, rule, f"{mask.sum():,} {noun} {what}.", cure=cure, ids=self.ids[mask]))
        return findings_table(rows)


def access(network: StreetNetwork, places: Any, *, kind: str, ids: Iterable[object] | None) -> Access:
    """Access of places to a network; see `StreetNetwork.access`."""
    if kind not in KINDS:
        raise OptionError(f"kind={kind!r} is unknown; use {' or '.join(map(repr, KINDS))}")
    shapes, names = _read_places(network, places, kind, ids)
    doors = find_doors(network, shapes, names, kind)
    walls = network.walls
    areal = shapely.get_dimensions(doors.shape) == 2
    side = walls.side_of(_as_points(doors.shape))
    reach = nearest_reach(walls, side, network.access_metres)
    status = np.full(len(doors.shape), UNSNAPPED, dtype=np.int8)
    parts = []
    for rows, method in ((np.flatnonzero(~areal), _snap_points), (np.flatnonzero(areal), _snap_areas)):
        if len(rows):
            found, status[rows] = method(network, doors.shape[rows], side[rows], reach[rows])
            parts.append(found.of(rows))
    inner = np.flatnonzero(side != OUTSIDE)
    if len(inner):
        found, by_gate = through_gates(walls, doors.shape[inner], side[inner], *network.gates)
        parts.append(found.of(inner))
        status[inner] = np.minimum(status[inner], by_gate)
    best = np.full(len(shapes), UNSNAPPED, dtype=np.int8)
    np.minimum.at(best, doors.owner, status)
    points = join_points(parts).of(doors.owner)
    # without several ways to one place, those of points come sorted by owner and there is nothing to gather
    plain = len(parts) == 1 and not doors.several and not areal.any()
    return _collect(network, names, kind, points if plain else gather_points(points), best)


def _snap_points(network: StreetNetwork, shapes: Shapes, side: Ints, reach: Floats) -> tuple[Points, Codes]:
    return snap_points(network, shapely.get_coordinates(shapes), side, reach)


def _snap_areas(network: StreetNetwork, shapes: Shapes, side: Ints, reach: Floats) -> tuple[Points, Codes]:
    from gridmap.network.area_access import snap_areas

    return snap_areas(network, shapes, side, reach)


def _read_places(network: StreetNetwork, places: Any, kind: str, ids: Iterable[object] | None) -> tuple[Shapes, Shapes]:
    """Geometries in the CRS of the network, and their ids as text."""
    if isinstance(places, (gpd.GeoDataFrame, gpd.GeoSeries)):
        table = places if isinstance(places, gpd.GeoDataFrame) else places.to_frame("geometry")
        if ids is None:
            ids = table.get(f"{kind}_id", table.index)
        shapes = np.asarray(to_crs(table, network.crs).geometry.array, dtype=object)
    else:
        shapes = np.asarray(places, dtype=object).reshape(-1)
    names = np.array(list(map(str, range(len(shapes)) if ids is None else ids)), dtype=object)
    if len(names) != len(shapes):
        raise OptionError(f"ids has {len(names)} values for {len(shapes)} places; give one each")
    return shapes, names


class Doors(NamedTuple):
    """Where owners are entered: row of the owner and shape; and whether any owner has several."""

    owner: Longs
    shape: Shapes
    several: bool


def find_doors(network: StreetNetwork, shapes: Shapes, names: Shapes, kind: str) -> Doors:
    """The open entrances of those that have entrances; else a building's point on surface, a facility as it is."""
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    placed &= np.isfinite(shapely.bounds(shapes).reshape(-1, 4)).all(axis=1)
    owner = np.flatnonzero(placed)
    own = shapes[owner]
    if kind == "building":
        own = _as_points(own)
    else:
        linear = shapely.get_dimensions(own) == 1
        own[linear] = shapely.point_on_surface(own[linear])
    entrances = network.entrances
    if entrances is None or not (entrances["of"] == kind).any():
        return Doors(owner, own, several=False)
    table = entrances[entrances["of"] == kind]
    listed = pd.Index(table["of_id"])
    row = pd.DataFrame({"of_id": names, "row": np.arange(len(names))}).merge(
        pd.DataFrame({"of_id": listed, "door": np.arange(len(table))}), on="of_id"
    )
    row = row[table["usable"].to_numpy()[row["door"]]]
    without = ~np.isin(names[owner], listed)
    shape = np.asarray(table.geometry.array, dtype=object)[row["door"]]
    return Doors(np.concatenate((owner[without], row["row"])), np.concatenate((own[without], shape)), several=True)


def _as_points(shapes: Shapes) -> Shapes:
    """A point on the surface of each; what is a point stays."""
    points = shapes.copy()
    other = shapely.get_type_id(shapes) != shapely.GeometryType.POINT
    points[other] = shapely.point_on_surface(shapes[other])
    return points


def _collect(network: StreetNetwork, names: Shapes, kind: str, points: Points, status: Codes) -> Access:
    """Access points, sorted by owner, as an `Access`."""
    graph = network.graph
    n = len(names)
    ptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(points.owner, minlength=n), out=ptr[1:])
    isolated = isolated_owners(graph, ptr, points.edge)
    return Access(names, kind, ptr, points.edge, points.t0, points.t1, points.leg, status, isolated)


def isolated_owners(graph: Graph, owner_ptr: Longs, edge: Ints) -> npt.NDArray[np.bool_]:
    """Owners that touch streets, and all of them on small isolated pieces; arguments as in `Access`."""
    touching = np.diff(owner_ptr) > 0
    isolated = np.zeros(len(touching), dtype=np.bool_)
    if len(edge):
        adrift = graph.on_small_island[graph.edge_u][edge]
        isolated[touching] = np.logical_and.reduceat(adrift, owner_ptr[:-1][touching])
    return isolated
