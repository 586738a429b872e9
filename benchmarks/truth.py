"""Ways of saying which homes are within so many metres of a facility, as tools do it, to be held against the count.

Each takes a `Town` and metres and says for every home whether it is covered. None looks at legs: a facility and a home
stand at their nearest node, or at the straight line, or inside a polygon drawn around what is reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.network.streets import StreetNetwork

# How near to convex a concave hull is: 1 is convex, 0 the tightest (Shapely's `concave_hull`).
RATIO = 0.3
_AT_ONCE = 32


@dataclass(frozen=True)
class Town:
    """A network, points of homes, and shapes of the facilities of one category, all in its CRS."""

    network: StreetNetwork
    homes: np.ndarray
    facilities: np.ndarray

    @cached_property
    def node_tree(self) -> cKDTree:
        """Tree over the nodes."""
        return cKDTree(self.network.graph.node_xy)

    @cached_property
    def home_tree(self) -> shapely.STRtree:
        """Tree over the homes."""
        return shapely.STRtree(self.homes)

    @cached_property
    def matrix(self) -> csr_array:
        """Metres between neighbouring nodes, the least of parallel edges."""
        graph = self.network.graph
        order = np.lexsort((graph.edge_length, graph.edge_v, graph.edge_u))
        u, v, metres = (values[order] for values in (graph.edge_u, graph.edge_v, graph.edge_length))
        first = np.ones(len(u), dtype=bool)
        first[1:] = (u[1:] != u[:-1]) | (v[1:] != v[:-1])
        # scipy takes an entry of 0 for no edge
        metres = np.maximum(metres[first], 1e-9)
        return csr_array((metres, (u[first], v[first])), shape=(graph.n_nodes, graph.n_nodes))

    @cached_property
    def sources(self) -> np.ndarray:
        """The node nearest to each facility."""
        points = shapely.get_coordinates(shapely.point_on_surface(self.facilities))
        return self.node_tree.query(points)[1]

    def nodes_of_each(self, metres: float) -> Iterator[np.ndarray]:
        """Nodes within so many metres of the node of each facility."""
        for first in range(0, len(self.sources), _AT_ONCE):
            some = self.sources[first : first + _AT_ONCE]
            for row in dijkstra(self.matrix, directed=False, indices=some, limit=metres):
                yield np.flatnonzero(np.isfinite(row))

    def inside(self, shapes: np.ndarray) -> np.ndarray:
        """Homes inside any of some shapes."""
        covered = np.zeros(len(self.homes), dtype=bool)
        covered[self.home_tree.query(shapes, predicate="intersects")[1]] = True
        return covered


def straight_circles(town: Town, metres: float) -> np.ndarray:
    """Within a straight line of the facility's outline."""
    covered = np.zeros(len(town.homes), dtype=bool)
    covered[town.home_tree.query(town.facilities, predicate="dwithin", distance=metres)[1]] = True
    return covered


def node_snapping(town: Town, metres: float) -> np.ndarray:
    """From the node nearest to the home to that nearest to the facility, without the ways to them."""
    reached = dijkstra(town.matrix, directed=False, indices=town.sources, limit=metres, min_only=True)
    return np.isfinite(reached[town.node_tree.query(shapely.get_coordinates(town.homes))[1]])


def convex_hulls(town: Town, metres: float) -> np.ndarray:
    """Inside the convex hull of the nodes reached from any one facility."""
    xy = town.network.graph.node_xy
    return town.inside(np.array([shapely.convex_hull(shapely.multipoints(xy[n])) for n in town.nodes_of_each(metres)]))


def concave_hulls(town: Town, metres: float) -> np.ndarray:
    """Inside the concave hull of the nodes reached from any one facility."""
    xy = town.network.graph.node_xy
    return town.inside(
        np.array([shapely.concave_hull(shapely.multipoints(xy[n]), ratio=RATIO) for n in town.nodes_of_each(metres)])
    )


def buffered_edges(town: Town, metres: float, around: float) -> np.ndarray:
    """Within so many metres around the edges, and parts of edges, that are reached from any facility."""
    graph = town.network.graph
    left = metres - dijkstra(town.matrix, directed=False, indices=town.sources, limit=metres, min_only=True)
    parts = []
    for one, other in ((graph.edge_u, graph.edge_v), (graph.edge_v, graph.edge_u)):
        from_here = np.flatnonzero(left[one] >= 0)
        share = np.minimum(left[one[from_here]] / np.maximum(graph.edge_length[from_here], 1e-9), 1.0)[:, None]
        a, b = graph.node_xy[one[from_here]], graph.node_xy[other[from_here]]
        parts.append(np.stack([a, a + share * (b - a)], axis=1))
    lines = shapely.linestrings(np.concatenate(parts))
    covered = np.zeros(len(town.homes), dtype=bool)
    covered[shapely.STRtree(lines).query(town.homes, predicate="dwithin", distance=around)[0]] = True
    return covered


WAYS = {
    "straight circles": straight_circles,
    "node snapping": node_snapping,
    "convex hulls of reached nodes": convex_hulls,
    f"concave hulls of reached nodes (ratio {RATIO})": concave_hulls,
    "reached edges, 25 m around": lambda town, metres: buffered_edges(town, metres, 25.0),
    "reached edges, 50 m around": lambda town, metres: buffered_edges(town, metres, 50.0),
}
