"""Other tools on the same streets and the same places, for benchmarks/coverage_peers.py.

A tool makes its graph once (`setup`) and then answers three questions: the distance from every node to the nearest
facility of each category (`nearest`), the nodes within a limit of some nodes (`bounded`), and which points have a
facility of each category within the limit (`table`). gridmap measures between places on edges, over all edges within
50 m; the others know nodes alone, so that points and facilities are moved to the nearest one. Where a tool knows one
source but not several, the facilities of a category hang on a node of their own, by arcs of no length.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIMIT", "TOOLS", "Case", "Tool"]

#: 15 minutes at 4.8 km/h, metres.
LIMIT = 1200.0
_FAR = 1e5
_CHUNK = 64


class Case(NamedTuple):
    """A place: streets as a table and as arrays, points, facilities with their category (from 0), and nodes to search.

    `u`, `v`, `length` are the edges; the coordinates are in metres. `shapes` are points and facilities once more, as
    geometries, for the tool that takes these.
    """

    name: str
    crs: Any
    streets: Any
    xy: np.ndarray
    u: np.ndarray
    v: np.ndarray
    length: np.ndarray
    points: np.ndarray
    facilities: np.ndarray
    category: np.ndarray
    sources: np.ndarray
    shapes: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))

    @property
    def categories(self) -> int:
        """How many there are."""
        return int(self.category.max()) + 1


class Tool(NamedTuple):
    """How a tool is run, what it measures, and of what share of the work where the whole would take minutes.

    `for_searches` is the part of the set-up that bounded searches need, where it is not the whole.
    """

    package: str
    setup: Callable[[Case], Any]
    nearest: Callable[[Case, Any, int], np.ndarray]
    bounded: Callable[[Case, Any, np.ndarray], int]
    table: Callable[[Case, Any], np.ndarray]
    says: str
    share_nearest: float = 1.0
    share_bounded: float = 1.0
    for_searches: Callable[[Case], Any] | None = None


def nearest_nodes(case: Case, places: np.ndarray) -> np.ndarray:
    """The node nearest to each place as the crow flies."""
    from scipy.spatial import KDTree

    return KDTree(case.xy).query(places)[1]


def node_table(case: Case, state: Any, nearest: Callable[..., np.ndarray]) -> np.ndarray:
    """Which points have a facility of each category within the limit, by their nearest nodes."""
    within = nearest(case, state, case.categories, limit=LIMIT) <= LIMIT
    return within[nearest_nodes(case, case.points)]


def facility_nodes(case: Case, count: int) -> list[np.ndarray]:
    """Nodes of the facilities of the first categories."""
    node = nearest_nodes(case, case.facilities)
    return [np.unique(node[case.category == c]) for c in range(count)]


# gridmap


def gridmap_setup(case: Case) -> Any:
    """A network, its order of nodes and its index of the ground."""
    return _complete(gridmap_graph(case))


def _complete(network: Any) -> Any:
    from gridmap.workers import map_tasks

    map_tasks(lambda pair: getattr(*pair), [(network.graph, "by_metres"), (network, "piece_index")])
    return network


def gridmap_graph(case: Case) -> Any:
    """A network of the same nodes and edges that the others get."""
    import geopandas as gpd
    import pandas as pd

    from gridmap.network.graph import build_graph
    from gridmap.network.profiles import as_profile
    from gridmap.network.streets import StreetNetwork
    from gridmap.network.walls import OUTSIDE, Walls
    from gridmap.tables.findings import findings_table

    m = len(case.u)
    street, open_ways = np.zeros(m, dtype=np.int64), np.ones(m, dtype=bool)
    graph, _ = build_graph(
        case.xy, case.u.astype(np.int64), case.v.astype(np.int64), case.length, case.length / (4.8 / 3.6), street,
        open_ways, open_ways,
    )  # fmt: skip
    none = np.empty(0, dtype=object)
    network = StreetNetwork(
        crs=case.crs, graph=graph, streets=pd.DataFrame({"metres": [case.length.sum()]}), profile=as_profile("adult"),
        access_metres=50.0, walls=Walls(none, none, np.empty((0, 2)), np.empty(0, dtype=np.int32), none),
        pieces=(np.arange(m, dtype=np.int32), np.tile((0.0, 1.0), (m, 1)), np.full(m, OUTSIDE, dtype=np.int32)),
        findings=findings_table([]), entrances=None, lines=gpd.GeoDataFrame(geometry=[], crs=case.crs),
        edge_position=np.arange(m),
    )  # fmt: skip
    _ = network.graph.arcs
    return network


def tables_setup(case: Case) -> Any:
    """From the table of streets."""
    return _complete(tables_graph(case))


def tables_graph(case: Case) -> Any:
    """A network from the table of streets."""
    from gridmap.network.streets import StreetNetwork

    network = StreetNetwork.from_streets(case.streets)
    _ = network.graph.arcs
    return network


def gridmap_nearest(case: Case, network: Any, count: int) -> np.ndarray:
    """Snapping of the facilities included."""
    from gridmap.network.search import node_costs_of_each_kind

    kept = case.category < count
    targets = network.access(case.shapes[1][kept], kind="facility")
    return node_costs_of_each_kind(network, targets, case.category[kept], kinds=count, by="metres").cost


def gridmap_bounded(_case: Case, network: Any, sources: np.ndarray) -> int:
    """How many nodes are found."""
    from gridmap.network.bounded import nodes_within

    return len(nodes_within(network, sources, by="metres", limit=LIMIT).node)


def gridmap_table(case: Case, network: Any) -> np.ndarray:
    """Snapping of points and facilities included; the distances themselves are found as well, and then compared."""
    from gridmap.network.search import nearest_of_each_kind

    homes, targets = network.access(case.shapes[0]), network.access(case.shapes[1], kind="facility")
    found = nearest_of_each_kind(network, targets, case.category, homes, kinds=case.categories, by="metres")
    return found.metres[:, :, 0] <= LIMIT


def tables_cover(case: Case, network: Any) -> np.ndarray:
    """`gridmap.cover` as anybody calls it: tables checked, places snapped, findings made, rates counted."""
    import geopandas as gpd

    import gridmap as gm

    homes = gpd.GeoDataFrame(
        {"building_id": np.arange(len(case.points)).astype(str), "households": 1},
        geometry=case.shapes[0], crs=network.crs,
    )  # fmt: skip
    services = gpd.GeoDataFrame(
        {"facility_id": np.arange(len(case.facilities)).astype(str), "category": [f"{c:02d}" for c in case.category]},
        geometry=case.shapes[1], crs=network.crs,
    )  # fmt: skip
    cover = gm.cover(homes, services, network, metres=LIMIT)
    cover.rate()
    return cover.covered


# pandana


def pandana_setup(case: Case) -> Any:
    """Its contraction hierarchy."""
    import pandana
    import pandas as pd

    x, y = (pd.Series(values) for values in case.xy.T)
    ends = pd.Series(case.u.astype(np.int64)), pd.Series(case.v.astype(np.int64))
    return pandana.Network(x, y, *ends, pd.DataFrame({"metres": case.length}))


def pandana_nearest(case: Case, network: Any, count: int, limit: float = _FAR) -> np.ndarray:
    """`set_pois` and `nearest_pois`."""
    import pandas as pd

    out = np.empty((len(case.xy), count))
    for c in range(count):
        x, y = (pd.Series(values) for values in case.facilities[case.category == c].T)
        network.set_pois(str(c), limit, 1, x, y)
        found = network.nearest_pois(limit, str(c), num_pois=1, max_distance=np.inf)
        out[:, c] = found[1].to_numpy()
    return out


def pandana_bounded(_case: Case, network: Any, sources: np.ndarray) -> int:
    """`nodes_in_range`."""
    return len(network.nodes_in_range(sources.tolist(), LIMIT))


# scipy


def scipy_setup(case: Case) -> Any:
    """A sparse matrix; of parallel edges the shortest."""
    from scipy.sparse import csr_array

    order = np.lexsort((case.length, np.maximum(case.u, case.v), np.minimum(case.u, case.v)))
    u, v = case.u[order], case.v[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.minimum(u, v)[1:] != np.minimum(u, v)[:-1]) | (np.maximum(u, v)[1:] != np.maximum(u, v)[:-1])
    u, v, length = u[first], v[first], np.maximum(case.length[order][first], 1e-9)
    n = len(case.xy)
    return csr_array((np.r_[length, length], (np.r_[u, v], np.r_[v, u])), shape=(n, n))


def scipy_nearest(case: Case, graph: Any, count: int, limit: float = np.inf) -> np.ndarray:
    """`dijkstra` with `min_only`, once a category."""
    from scipy.sparse.csgraph import dijkstra

    found = [dijkstra(graph, indices=nodes, min_only=True, limit=limit) for nodes in facility_nodes(case, count)]
    return np.column_stack(found)


def scipy_bounded(_case: Case, graph: Any, sources: np.ndarray) -> int:
    """`dijkstra` with `limit`, 64 rows at a time, since its result is a full matrix."""
    from scipy.sparse.csgraph import dijkstra

    chunks = (sources[i : i + _CHUNK] for i in range(0, len(sources), _CHUNK))
    return sum(int(np.isfinite(dijkstra(graph, indices=chunk, limit=LIMIT)).sum()) for chunk in chunks)


# igraph, networkit, rustworkx: directed, with a node for each category behind the others


def _with_categories(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arcs of the streets both ways, and from a node a category to its facilities."""
    n, nodes = len(case.xy), facility_nodes(case, case.categories)
    hub = n + np.repeat(np.arange(case.categories), [len(some) for some in nodes])
    u, v = np.r_[case.u, case.v, hub], np.r_[case.v, case.u, np.concatenate(nodes)]
    return u, v, np.r_[case.length, case.length, np.zeros(len(hub))]


def igraph_setup(case: Case) -> Any:
    """An igraph."""
    import igraph

    u, v, length = _with_categories(case)
    graph = igraph.Graph(n=len(case.xy) + case.categories, edges=np.column_stack((u, v)), directed=True)
    return graph, length.tolist()


def igraph_nearest(case: Case, state: Any, count: int, limit: float = np.inf) -> np.ndarray:
    """`distances`, once a category; it knows no limit."""
    del limit
    graph, length = state
    n = len(case.xy)
    return np.column_stack([graph.distances(source=[n + c], weights=length, mode="out")[0][:n] for c in range(count)])


def igraph_bounded(case: Case, state: Any, sources: np.ndarray) -> int:
    """`distances` to all nodes, since it knows no limit."""
    graph, length = state
    n = len(case.xy)
    found = (graph.distances(source=[int(s)], weights=length, mode="out")[0][:n] for s in sources)
    return sum(int((np.array(row) <= LIMIT).sum()) for row in found)


def networkit_setup(case: Case) -> Any:
    """A networkit graph."""
    import networkit

    u, v, length = _with_categories(case)
    arcs = length, (u.astype(np.uint64), v.astype(np.uint64))
    return networkit.GraphFromCoo(arcs, n=len(case.xy) + case.categories, weighted=True, directed=True)


def _networkit_row(graph: Any, source: int, n: int) -> np.ndarray:
    import networkit

    search = networkit.distance.Dijkstra(graph, source, storePaths=False)
    search.run()
    return np.asarray(search.getDistances(asarray=True))[:n]


def networkit_nearest(case: Case, graph: Any, count: int, limit: float = np.inf) -> np.ndarray:
    """`distance.Dijkstra`, once a category; it knows no limit."""
    del limit
    n = len(case.xy)
    return np.column_stack([_networkit_row(graph, n + c, n) for c in range(count)])


def networkit_bounded(case: Case, graph: Any, sources: np.ndarray) -> int:
    """`distance.Dijkstra` to all nodes, since it knows no limit."""
    n = len(case.xy)
    return sum(int((_networkit_row(graph, int(s), n) <= LIMIT).sum()) for s in sources)


def rustworkx_setup(case: Case) -> Any:
    """A rustworkx graph."""
    import rustworkx

    u, v, length = _with_categories(case)
    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from([None] * (len(case.xy) + case.categories))
    graph.add_edges_from(list(zip(u.tolist(), v.tolist(), length.tolist(), strict=True)))
    return graph


def _rustworkx_row(graph: Any, source: int, n: int) -> np.ndarray:
    import rustworkx

    found = rustworkx.dijkstra_shortest_path_lengths(graph, source, float)
    out = np.full(n, np.inf)
    node, cost = np.fromiter(found.keys(), np.int64, len(found)), np.fromiter(found.values(), float, len(found))
    out[node[node < n]] = cost[node < n]
    return out


def rustworkx_nearest(case: Case, graph: Any, count: int, limit: float = np.inf) -> np.ndarray:
    """`dijkstra_shortest_path_lengths`, once a category; it knows no limit."""
    del limit
    n = len(case.xy)
    return np.column_stack([_rustworkx_row(graph, n + c, n) for c in range(count)])


def rustworkx_bounded(case: Case, graph: Any, sources: np.ndarray) -> int:
    """`dijkstra_shortest_path_lengths` to all nodes, since it knows no limit."""
    n = len(case.xy)
    return sum(int((_rustworkx_row(graph, int(s), n) <= LIMIT).sum()) + 1 for s in sources)


# networkx


def networkx_setup(case: Case) -> Any:
    """A networkx graph; of parallel edges the last."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(len(case.xy)))
    order = np.argsort(-case.length, kind="stable")
    rows = zip(case.u[order].tolist(), case.v[order].tolist(), case.length[order].tolist(), strict=True)
    graph.add_weighted_edges_from(rows)
    return graph


def networkx_nearest(case: Case, graph: Any, count: int, limit: float | None = None) -> np.ndarray:
    """`multi_source_dijkstra_path_length`, once a category."""
    import networkx as nx

    out = np.full((len(case.xy), count), np.inf)
    for c, nodes in enumerate(facility_nodes(case, count)):
        found = nx.multi_source_dijkstra_path_length(graph, set(nodes.tolist()), cutoff=limit)
        out[np.fromiter(found, np.int64, len(found)), c] = np.fromiter(found.values(), float, len(found))
    return out


def networkx_bounded(_case: Case, graph: Any, sources: np.ndarray) -> int:
    """`single_source_dijkstra_path_length` with a cutoff."""
    import networkx as nx

    return sum(len(nx.single_source_dijkstra_path_length(graph, int(s), cutoff=LIMIT)) for s in sources)


def _of_nodes(package: str, setup: Any, nearest: Any, bounded: Any, says: str, **shares: float) -> Tool:
    return Tool(package, setup, nearest, bounded, partial(node_table, nearest=nearest), says, **shares)


TOOLS = {
    "gridmap": Tool(
        "gridmap", gridmap_setup, gridmap_nearest, gridmap_bounded, gridmap_table, "places on edges, all within 50 m",
        for_searches=gridmap_graph,
    ),
    "gridmap, from tables": Tool(
        "gridmap", tables_setup, gridmap_nearest, gridmap_bounded, tables_cover, "the same, by `cover`",
        for_searches=tables_graph,
    ),
    "pandana": _of_nodes("pandana", pandana_setup, pandana_nearest, pandana_bounded, "nearest nodes"),
    "scipy": _of_nodes("scipy", scipy_setup, scipy_nearest, scipy_bounded, "nearest nodes", share_bounded=0.1),
    "igraph": _of_nodes(
        "igraph", igraph_setup, igraph_nearest, igraph_bounded, "nearest nodes, no limit", share_bounded=0.002
    ),
    "networkit": _of_nodes(
        "networkit", networkit_setup, networkit_nearest, networkit_bounded, "nearest nodes, no limit",
        share_bounded=0.002,
    ),
    "rustworkx": _of_nodes(
        "rustworkx", rustworkx_setup, rustworkx_nearest, rustworkx_bounded, "nearest nodes, no limit",
        share_bounded=0.002,
    ),
    "networkx": _of_nodes(
        "networkx", networkx_setup, networkx_nearest, networkx_bounded, "nearest nodes",
        share_nearest=0.1, share_bounded=0.02,
    ),
}  # fmt: skip
