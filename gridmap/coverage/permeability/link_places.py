"""Places of the network that a new link could join, and the pairs of them with free ground between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.network.access import Access
from gridmap.network.snapping import blocked
from gridmap.network.walls import Walls
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Shapes = NDArray[np.object_]

__all__ = [
    "OBSTACLES",
    "Places",
    "count_drawn",
    "far_by_foot",
    "find_obstacles",
    "find_places",
    "free_ground",
    "near_pairs",
    "same_side",
]

#: What a link does not cross unless it is told that it may.
OBSTACLES = ("streets", "buildings", "walls", "barriers")
# Side of a gate: not only one.
BOTH = -2
# Links tested, and places looked around from, at a time: what is found is held in memory.
_BATCH, _PLACES = 50_000, 8_000


@dataclass(frozen=True)
class Places:
    """Places on streets: (n, 2) metres, and their access, without legs.

    `side` is the walled compound that each lies in, `OUTSIDE`, or `BOTH` at a gate. At a wall that cuts a street there
    are two places, one on either side.
    """

    xy: Floats
    access: Access
    side: NDArray[np.int32]


def find_obstacles(network: StreetNetwork, buildings: Shapes, across: Collection[str], others: Shapes) -> Walls:
    """What a link may not cross, as walls without gates.

    Parameters
    ----------
    network
        With its walls and barriers.
    buildings
        Footprints in the CRS of the network; points are no obstacle.
    across
        Kinds of `OBSTACLES` that it may cross.
    others
        More lines and polygons that it may not cross.
    """
    walls, none = network.walls, np.empty(0, dtype=object)
    kinds = {
        "streets": network.edge_lines,
        "buildings": buildings[shapely.get_dimensions(buildings) == 2],
        "walls": walls.outlines,
        "barriers": walls.barriers,
    }
    shapes = np.concatenate([kinds[kind] for kind in OBSTACLES if kind not in across] + [others])
    return Walls(none, none, np.empty((0, 2)), np.empty(0, dtype=np.int32), shapes)


def free_ground(xy: Floats, u: Longs, v: Longs, obstacles: Walls) -> Flags:
    """Whether the straight line between two places crosses nothing; to touch with an end is not to cross."""
    parts = [slice(first, first + _BATCH) for first in range(0, len(u), _BATCH)]
    met = [blocked(obstacles, xy[u[rows]], xy[v[rows]]) for rows in parts]
    return ~np.concatenate([*met, np.empty(0, dtype=np.bool_)])


def find_places(network: StreetNetwork, spacing: float) -> Places:
    """All nodes of the network, and places along its edges no further apart than a spacing."""
    graph = network.graph
    node_edge, node_t = np.empty(graph.n_nodes, dtype=np.int64), np.empty(graph.n_nodes)
    edges = np.arange(graph.n_edges)
    # the last edge written wins: any one will do, as long as it is always the same
    for end, at in ((graph.edge_v, 1.0), (graph.edge_u, 0.0)):
        node_edge[end[::-1]], node_t[end[::-1]] = edges[::-1], at
    parts = np.maximum(np.ceil(graph.edge_length / spacing), 1).astype(np.int64)
    inner = np.repeat(edges, parts - 1)
    step = np.arange(len(inner)) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    edge = np.concatenate((node_edge, inner))
    t = np.concatenate((node_t, step / parts[inner])).astype(np.float64)
    count = len(edge)
    access = Access(
        np.arange(count).astype(str).astype(object), "facility", np.arange(count + 1), edge.astype(np.int32), t, t,
        np.zeros(count), np.zeros(count, dtype=np.int8), np.zeros(count, dtype=np.bool_),
    )  # fmt: skip
    return Places(network.place_at(edge, t), access, _sides(network, edge, t))


def _sides(network: StreetNetwork, edge: Longs, t: Floats) -> NDArray[np.int32]:
    """The side of each place; the nodes come first."""
    graph = network.graph
    side = network.side_at(edge, t).copy()
    for node, at in ((graph.edge_u, 0.0), (graph.edge_v, 1.0)):
        of_edge = network.side_at(np.arange(graph.n_edges), np.full(graph.n_edges, at))
        side[np.unique(node[of_edge != side[node]])] = BOTH
    return side


def same_side(places: Places, u: Longs, v: Longs) -> Flags:
    """Whether no wall stands between two places that may both lie on it."""
    a, b = places.side[u], places.side[v]
    return (a == b) | (a == BOTH) | (b == BOTH)


def near_pairs(xy: Floats, metres: float) -> Iterator[tuple[Longs, Longs]]:
    """All pairs of places no further apart than some metres, each once, some thousands of places at a time."""
    from scipy.spatial import cKDTree

    every = cKDTree(xy)
    for first in range(0, len(xy), _PLACES):
        part = cKDTree(xy[first : first + _PLACES])
        found = part.sparse_distance_matrix(every, metres, output_type="ndarray")
        u, v = found["i"].astype(np.int64) + first, found["j"].astype(np.int64)
        yield u[u < v], v[u < v]


def far_by_foot(network: StreetNetwork, places: Places, u: Longs, v: Longs, times: float) -> tuple[Flags, Floats]:
    """Whether the way between two places is at least so many times the straight line, and its metres.

    The metres are infinite where the way is longer than any that is asked about.
    """
    from gridmap.network.bounded import within

    straight = np.hypot(*(places.xy[u] - places.xy[v]).T)
    way = np.full(len(u), np.inf)
    if len(u):
        order = np.lexsort((v, u))
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            starts, start = np.unique(u[rows], return_inverse=True)
            ends, end = np.unique(v[rows], return_inverse=True)
            found = within(
                network, places.access.take(ends), places.access.take(starts),
                by="metres", limit=float(times * straight[rows].max()) + 1.0,
            )  # fmt: skip
            key = found.origin.astype(np.int64) * len(ends) + found.target
            at = np.minimum(np.searchsorted(key, start * len(ends) + end), max(len(key) - 1, 0))
            hit = (key[at] == start * len(ends) + end) if len(key) else np.zeros(len(rows), dtype=np.bool_)
            way[rows[hit]] = found.cost[at[hit]]
    # two places may be one on the ground: the ends of a street that a wall cuts, a bridge and what is below it
    return (way >= times * straight) & (way > straight), way


def count_drawn(network: StreetNetwork, links: Shapes, *tables: gpd.GeoDataFrame) -> Longs:
    """How many buildings and facilities have no street in range, and are nearer to each link than to any street."""
    out = np.zeros(len(links), dtype=np.int64)
    if not len(links):
        return out
    for kind, table in zip(("building", "facility"), tables, strict=True):
        access = network.access(to_crs(table, network.crs), kind=kind)
        shapes = np.asarray(to_crs(table, network.crs).geometry.array, dtype=object)
        if kind == "building":
            shapes = shapely.point_on_surface(shapes)
        for row in np.flatnonzero(access.status == "far"):
            leg = access.leg[access.owner_ptr[row] : access.owner_ptr[row + 1]].min()
            out += shapely.distance(links, shapes[row]) < leg
    return out
