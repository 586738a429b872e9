"""What is odd about streets made into a network, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.network.noding import JOIN_METRES
from gridmap.network.profiles import flag
from gridmap.network.snapping import blocked
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.network.edges import Edges
    from gridmap.network.graph import Graph
    from gridmap.network.walls import Walls

__all__ = ["island_findings", "street_findings"]

# Streets that may lead over or through what bars the ground.
_CARRIED = ("bridge", "tunnel", "ford")


def street_findings(usable: gpd.GeoDataFrame, edges: Edges, walls: Walls) -> list[dict[str, Any]]:
    """What is odd about streets: node ids, length, walls and barriers over them."""
    cut, street, mismatched = edges.cut, edges.street, edges.mismatched
    ids = usable["street_id"].to_numpy() if "street_id" in usable else usable.index.to_numpy()
    rows = []
    if len(mismatched):
        rows.append(
            finding(
                "warning", "street_node_ids",
                f"{len(mismatched):,} streets have not one node id a vertex; they join at equal vertices instead.",
                cure="Do not cut or simplify streets that carry node ids.", ids=ids[mismatched],
            )
        )  # fmt: skip
    point = np.setdiff1d(np.arange(len(usable)), street)
    if len(point):
        rows.append(
            finding(
                "info", "street_without_length",
                f"{len(point):,} streets are shorter than {JOIN_METRES * 1000:.0f} mm and were left out.",
                cure="Check their geometry.", ids=ids[point],
            )
        )  # fmt: skip
    if cut.places:
        rows.append(
            finding(
                "info", "street_cut_by_wall",
                f"Walls of compounds cut the streets at {cut.places:,} places away from open gates.",
                cure="Where people pass, add the gate to `entrances`.",
            )
        )  # fmt: skip
    over = blocked(walls.only_barriers, cut.node_xy[cut.u], cut.node_xy[cut.v])
    carried = np.zeros(len(usable), dtype=np.bool_)
    for column in _CARRIED:
        carried |= flag(usable, column)
    over = np.unique(street[over & ~carried[street]])
    if len(over):
        rows.append(
            finding(
                "info", "street_over_barrier",
                f"{len(over):,} streets cross a hard barrier and say neither bridge, tunnel nor ford; "
                "they were taken for bridges.",
                cure="Correct those that do not pass.", ids=ids[over],
            )
        )  # fmt: skip
    return rows


def island_findings(graph: Graph) -> list[dict[str, Any]]:
    """That the network is in several pieces, if it is."""
    islands = len(graph.component_length) - 1
    if islands < 1:
        return []
    share = 1 - graph.component_length.max() / max(graph.component_length.sum(), 1e-9)
    return [
        finding(
            "info", "street_islands",
            f"{islands:,} pieces of the network, {share:.1%} of its length, are cut off from the longest one.",
            cure="Places that touch only a small piece are reported.",
        )
    ]  # fmt: skip
