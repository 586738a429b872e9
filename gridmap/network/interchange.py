"""Interchange: networks to networkx graphs and back, OSMnx's among them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString

from gridmap.errors import OptionError
from gridmap.network.profiles import PROFILES

if TYPE_CHECKING:
    from gridmap.network.streets import StreetNetwork

__all__ = ["graph_of_network", "streets_of_graph"]


def graph_of_network(network: StreetNetwork) -> Any:
    """The graph of a network: nodes with `x` and `y`, edges with `length`, `seconds`, and what is known of the street.

    Edges are straight, so they carry no geometry. ``graph.graph`` holds `crs`, `mode` and `profile`.
    """
    import networkx as nx

    graph = network.graph
    out = nx.MultiDiGraph() if graph.directed else nx.MultiGraph()
    profile = network.profile
    out.graph.update(
        crs=network.crs.to_string(),
        mode=network.mode,
        profile=profile.name if PROFILES.get(profile.name) == profile else asdict(profile),
    )
    out.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in enumerate(graph.node_xy.tolist()))
    known = network.streets[[c for c in ("street_id", "name", "class") if c in network.streets]]
    about = [
        {key: value for key, value in row.items() if value is not None and value == value}  # noqa: PLR0124  (NaN)
        for row in known.astype(object).to_dict("records")
    ]
    rows = zip(
        graph.edge_u.tolist(), graph.edge_v.tolist(), graph.edge_length.tolist(), graph.edge_seconds.tolist(),
        graph.edge_street.tolist(), graph.edge_forward.tolist(), graph.edge_backward.tolist(), strict=True,
    )  # fmt: skip
    for u, v, length, seconds, street, forward, backward in rows:
        data = {"length": length, "seconds": seconds, **about[street]}
        if forward or not graph.directed:
            out.add_edge(u, v, **data)
        if backward and graph.directed:
            out.add_edge(v, u, **data)
    return out


def streets_of_graph(graph: Any, mode: str, *, keep_seconds: bool) -> gpd.GeoDataFrame:
    """The edges of a networkx graph as streets, with `node_ids`, `length_metres`, `length_seconds` and `oneway`.

    Of the two edges that a directed graph has for a street open both ways one is kept. When walking, all are open both
    ways.

    Raises
    ------
    OptionError
        When the graph has no CRS or no edges, or a node has no place.
    """
    crs = graph.graph.get("crs")
    if crs is None:
        raise OptionError("the graph has no CRS; set graph.graph['crs'], for example to 'EPSG:4326'")
    if graph.number_of_edges() == 0:
        raise OptionError("the graph has no edges")
    lost = [n for n, data in graph.nodes(data=True) if not {"x", "y"} <= set(data)]
    if lost:
        raise OptionError(f"{len(lost):,} nodes have no x and y, among them {lost[:5]}; set both on every node")
    number = {node: i for i, node in enumerate(graph.nodes)}
    rows = [_row(graph, number, *edge) for edge in graph.edges(data=True)]
    table = pd.DataFrame(rows)
    if not (keep_seconds and "seconds" in table and table["seconds"].notna().all()):
        table = table.drop(columns="seconds", errors="ignore")
    lines = np.array(table.pop("line").tolist(), dtype=object)
    measured = gpd.GeoSeries(lines, crs=crs)
    table = table.rename(columns={"seconds": "length_seconds"})
    if table["length_metres"].isna().any():
        table = table.drop(columns="length_metres")
    table["node_ids"] = _inner_ids(lines, table, len(number))
    table["oneway"] = None
    if graph.is_directed():
        table["oneway"] = "yes"
        table, measured = _fold(table, measured, mode)
    return gpd.GeoDataFrame(table, geometry=measured.to_numpy(), crs=crs)


def _row(graph: Any, number: dict[Any, int], u: Any, v: Any, data: dict[str, Any]) -> dict[str, Any]:
    a, b = ((graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v))
    line = data.get("geometry")
    if line is None:
        line = LineString([a, b])
    elif np.hypot(*np.subtract(line.coords[0], a)) > np.hypot(*np.subtract(line.coords[0], b)):
        # an undirected edge does not say which of its ends its geometry begins at
        line = line.reverse()
    kind = data.get("class", data.get("highway"))
    return {
        "u": number[u],
        "v": number[v],
        "line": line,
        "street_id": str(data.get("street_id", data.get("osmid", f"{u}-{v}"))),
        "name": _first(data.get("name")),
        "class": _first(kind),
        "length_metres": data.get("length"),
        "seconds": data.get("seconds"),
    }


def _first(value: Any) -> Any:
    """OSMnx lists the values of merged streets; the first stands for them."""
    return value[0] if isinstance(value, (list, tuple)) and value else value


def _inner_ids(lines: np.ndarray, table: pd.DataFrame, n_nodes: int) -> pd.Series:
    """Node ids of every vertex: those of the graph at the ends, new ones between."""
    count = shapely.get_num_coordinates(lines)
    ids = np.arange(n_nodes, n_nodes + int(count.sum()))
    first = np.cumsum(count) - count
    ids[first], ids[first + count - 1] = table["u"], table["v"]
    return pd.Series(np.split(ids, first[1:]), index=table.index, dtype=object)


def _fold(table: pd.DataFrame, lines: gpd.GeoSeries, mode: str) -> tuple[pd.DataFrame, gpd.GeoSeries]:
    """One row for the two directions of a street."""
    same = pd.DataFrame(
        {
            "low": table[["u", "v"]].min(axis=1),
            "high": table[["u", "v"]].max(axis=1),
            "shape": shapely.to_wkb(shapely.normalize(lines.to_numpy())),
            "seconds": table.get("length_seconds", pd.Series(0.0, index=table.index)).round(6),
        }
    )
    group = same.groupby(list(same.columns), sort=False).ngroup()
    against = table["u"] > table["v"]
    both = against.groupby(group).transform("nunique") == 2
    first = ~group.duplicated()
    oneway = table["oneway"].mask(both | (mode == "walk"))
    return table.assign(oneway=oneway)[first].reset_index(drop=True), lines[first].reset_index(drop=True)
