"""Route: the way from one place to another, as a line with the names of its streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString

from gridmap.errors import OptionError
from gridmap.network.access import KINDS, find_doors
from gridmap.network.search import node_costs
from gridmap.network.walls import OUTSIDE
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Floats = npt.NDArray[np.float64]

__all__ = ["Place", "Route", "find_route", "one_place", "route_along"]


@dataclass(frozen=True, eq=False)
class Route:
    """The way from one place to another.

    Parameters
    ----------
    geometry
        The way, legs included, in the CRS of the network.
    streets
        Names of the streets in order; unnamed stretches are left out.
    metres, minutes
        Length and time, legs included.
    steps
        One row a stretch of one street, in order: `street_id`, `name`, `class` as far as known, `metres`, `minutes`.
    """

    geometry: LineString
    streets: tuple[str, ...]
    metres: float
    minutes: float
    steps: pd.DataFrame

    def __repr__(self) -> str:
        return f"<Route: {self.metres:,.0f} m, {self.minutes:.1f} min, {' > '.join(self.streets) or 'unnamed streets'}>"


def find_route(network: StreetNetwork, origin: Any, destination: Any, *, by: str) -> Route:
    """The way from origin to destination; see `StreetNetwork.route`."""
    start, end = one_place(network, origin, "building"), one_place(network, destination, "facility")
    origins = network.access([start.shape], kind=start.kind, ids=[start.id])
    targets = network.access([end.shape], kind=end.kind, ids=[end.id])
    return route_along(network, (start, origins), (end, targets), *_best_way(network, origins, targets, by))


def route_along(
    network: StreetNetwork,
    start: tuple[Place, Access],
    end: tuple[Place, Access],
    first: int,
    last: int,
    nodes: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
) -> Route:
    """The route that is known: its line, its streets, how long it is.

    Parameters
    ----------
    network
        The network.
    start, end
        Both places, and accesses that have their access points.
    first, last
        The access points to leave from and to arrive at.
    nodes, edges
        The nodes between, and the edges between these; none where the way leads along one edge.
    """
    (here_is, origins), (there_is, targets) = start, end
    from_t, to_t = _clamp(origins, first, targets, last, nodes, network)
    edge = np.concatenate(([origins.edge[first]], edges, [targets.edge[last]]))
    if len(nodes):
        here = network.graph.edge_u[edge[[0, -1]]] == np.array([nodes[0], nodes[-1]])
        share = np.concatenate(
            ([from_t if here[0] else 1 - from_t], np.ones(len(edges)), [to_t if here[1] else 1 - to_t])
        )
    else:
        edge, share = edge[:1], np.array([abs(to_t - from_t)])
    places = network.place_at(np.array([origins.edge[first], targets.edge[last]]), np.array([from_t, to_t]))
    before = _leg_line(network, here_is, places[0], float(origins.leg[first]))
    after = _leg_line(network, there_is, places[1], float(targets.leg[last]))[::-1]
    line = np.vstack((before, network.graph.node_xy[nodes], after))
    steps = _steps(network, edge, share)
    legs = float(origins.leg[first] + targets.leg[last])
    named = steps["name"] if "name" in steps else pd.Series(dtype=object)
    names = [str(n) for n in named if isinstance(n, str) and n]
    return Route(
        LineString(line),
        tuple(n for i, n in enumerate(names) if i == 0 or names[i - 1] != n),
        float(steps["metres"].sum()) + legs,
        float(steps["minutes"].sum()) + legs * 0.06 / network.profile.leg_kmh,
        steps,
    )


class Place(NamedTuple):
    """One end of a route: its shape, and the kind and id that entrances name it by."""

    shape: Any
    kind: str
    id: str


def one_place(network: StreetNetwork, place: Any, kind: str) -> Place:
    """A place given as a geometry or as a table of one row."""
    if isinstance(place, (gpd.GeoDataFrame, gpd.GeoSeries)):
        if len(place) != 1:
            raise OptionError(f"a route has one place at each end, not a table of {len(place)} rows")
        table = place if isinstance(place, gpd.GeoDataFrame) else place.to_frame("geometry")
        kind = next((k for k in KINDS if f"{k}_id" in table), kind)
        name = str(table[f"{kind}_id"].iloc[0]) if f"{kind}_id" in table else ""
        return Place(to_crs(table, network.crs).geometry.iloc[0], kind, name)
    if not isinstance(place, shapely.Geometry) or place.is_empty:
        raise OptionError("give each end of a route as a geometry in the CRS of the network, or a table of one row")
    return Place(place, kind, "")


def _best_way(
    network: StreetNetwork, origins: Access, targets: Access, by: str
) -> tuple[int, int, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Access points to leave from and arrive at, the nodes between, and the edges between these nodes."""
    graph = network.graph
    cost = node_costs(network, targets, by=by).cost
    measure = graph.edge_length if by == "metres" else graph.edge_seconds / 60
    pace = 1.0 if by == "metres" else 0.06 / network.profile.leg_kmh
    edge, leg = origins.edge, origins.leg * pace
    u, v = graph.edge_u[edge], graph.edge_v[edge]
    whole = measure[edge]
    along_u = np.where(graph.edge_backward[edge] | (origins.t0 == 0), origins.t0 * whole, np.inf)
    along_v = np.where(graph.edge_forward[edge] | (origins.t1 == 1), (1 - origins.t1) * whole, np.inf)
    by_node = np.stack((leg + along_u + cost[u], leg + along_v + cost[v]))
    direct = np.full((len(edge), len(targets.edge)), np.inf)
    for i, j in zip(*np.nonzero(edge[:, None] == targets.edge[None, :]), strict=True):
        gap = max(targets.t0[j] - origins.t1[i], origins.t0[i] - targets.t1[j], 0.0)
        forward = targets.t0[j] > origins.t1[i]
        open_way = gap == 0 or (graph.edge_forward if forward else graph.edge_backward)[edge[i]]
        direct[i, j] = leg[i] + gap * measure[edge[i]] + targets.leg[j] * pace if open_way else np.inf
    best = min(by_node.min(initial=np.inf), direct.min(initial=np.inf))
    if not np.isfinite(best):
        raise OptionError(
            "there is no way from origin to destination on this network; see network.findings for islands"
        )
    none = np.empty(0, dtype=np.int64)
    if direct.min(initial=np.inf) <= best:
        i, j = np.unravel_index(int(direct.argmin()), direct.shape)
        return int(i), int(j), none, none
    side, i = np.unravel_index(int(by_node.argmin()), by_node.shape)
    nodes, edges, last = _walk(network, targets, int((u, v)[side][i]), cost, measure, pace)
    return int(i), last, nodes, edges


def _walk(
    network: StreetNetwork, targets: Access, node: int, cost: Floats, measure: Floats, pace: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Follow falling costs from a node to where a target touches the graph."""
    graph = network.graph
    arcs = graph.arcs
    at_end: dict[int, list[tuple[float, int]]] = {}
    for j, edge in enumerate(targets.edge.tolist()):
        leg = targets.leg[j] * pace
        if graph.edge_forward[edge] or targets.t0[j] == 0:
            at_end.setdefault(int(graph.edge_u[edge]), []).append((leg + targets.t0[j] * measure[edge], j))
        if graph.edge_backward[edge] or targets.t1[j] == 1:
            at_end.setdefault(int(graph.edge_v[edge]), []).append((leg + (1 - targets.t1[j]) * measure[edge], j))
    goes = arcs.metres_out < np.inf
    # arcs of no length may lead into a blind end, hence a stack and not a simple descent
    came: dict[int, tuple[int, int]] = {node: (-1, -1)}
    stack = [node]
    while stack:
        here = stack.pop()
        slack = 1e-9 * max(1.0, cost[here])
        done = [j for c, j in at_end.get(here, []) if c <= cost[here] + slack]
        if done:
            return *_trace(came, here), done[0]
        for a in range(int(arcs.indptr[here]), int(arcs.indptr[here + 1])):
            there = int(arcs.node[a])
            if goes[a] and there not in came and measure[arcs.edge[a]] + cost[there] <= cost[here] + slack:
                came[there] = (here, int(arcs.edge[a]))
                stack.append(there)
    raise AssertionError("costs of a sweep fall to a target from every node")


def _trace(came: dict[int, tuple[int, int]], node: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    nodes, edges = [node], []
    while came[nodes[-1]][0] >= 0:
        node, edge = came[nodes[-1]]
        nodes.append(node)
        edges.append(edge)
    return np.array(nodes[::-1], dtype=np.int64), np.array(edges[::-1], dtype=np.int64)


def _clamp(
    origins: Access, i: int, targets: Access, j: int, nodes: npt.NDArray[np.int64], network: StreetNetwork
) -> tuple[float, float]:
    """Where on their stretches the way leaves the edge of the origin and arrives on that of the target."""
    if not len(nodes):
        start = float(np.clip(targets.t0[j], origins.t0[i], origins.t1[i]))
        return start, float(np.clip(start, targets.t0[j], targets.t1[j]))
    graph = network.graph
    from_u = nodes[0] == graph.edge_u[origins.edge[i]]
    to_u = nodes[-1] == graph.edge_u[targets.edge[j]]
    return float((origins.t0 if from_u else origins.t1)[i]), float((targets.t0 if to_u else targets.t1)[j])


def _leg_line(network: StreetNetwork, place: Place, at: Floats, leg: float) -> Floats:
    """Coordinates of the leg from a place to a point on an edge, by the door and gate that make it this long."""
    walls = network.walls
    ways = []
    shape, name = np.array([place.shape], dtype=object), np.array([place.id], dtype=object)
    for door in find_doors(network, shape, name, place.kind).shape:
        ways.append(shapely.get_coordinates(shapely.shortest_line(door, shapely.Point(at))))
        side = walls.side_of(np.array([shapely.point_on_surface(door)], dtype=object))[0]
        if side != OUTSIDE:
            for gate in walls.gate_xy[walls.gate_compound == side]:
                inner = shapely.get_coordinates(shapely.shortest_line(door, shapely.Point(gate)))
                ways.append(np.vstack((inner, at)))
    lengths = [np.hypot(*np.diff(way, axis=0).T).sum() for way in ways]
    return ways[int(np.argmin(np.abs(np.array(lengths) - leg)))]


def _steps(network: StreetNetwork, edge: npt.NDArray[np.int64], share: Floats) -> pd.DataFrame:
    graph = network.graph
    street = graph.edge_street[edge]
    stretch = np.cumsum(np.concatenate(([True], street[1:] != street[:-1]))) - 1
    rows = network.streets.iloc[street[np.flatnonzero(np.diff(stretch, prepend=-1))]]
    named = rows[[c for c in ("street_id", "name", "class") if c in rows]].reset_index(drop=True)
    return named.assign(
        metres=np.bincount(stretch, weights=share * graph.edge_length[edge]),
        minutes=np.bincount(stretch, weights=share * graph.edge_seconds[edge]) / 60,
    )
