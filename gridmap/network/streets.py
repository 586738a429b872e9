"""StreetNetwork: streets made ready once for any number of questions about who reaches what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.network.access import Access, access
from gridmap.network.graph import Graph, build_graph
from gridmap.network.ground_index import GroundIndex, index_segments
from gridmap.network.noding import node_lines
from gridmap.network.profiles import Profile, as_profile, street_directions, street_pace, usable_streets
from gridmap.network.walls import Walls, cut_edges
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs, to_metric
from gridmap.tables.findings import finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    from pyproj import CRS

__all__ = ["StreetNetwork", "as_network"]


@dataclass(frozen=True, eq=False, repr=False)
class StreetNetwork:
    """Streets as a graph, with walls and gates, for one mode and one profile. It never changes once made.

    Make it with `from_streets` or `from_networkx`; the fields are for reading.

    Parameters
    ----------
    crs
        The metric CRS of everything in it.
    graph
        Nodes and straight edges.
    streets
        The streets it was made from that the mode may use: `street_id`, `name` and `class`; `edge_street` of the graph
        is a row of it.
    profile
        The speeds.
    access_metres
        Edges within this distance of a place are reached from it; 0 means the nearest alone.
    walls
        Walls with gates, and hard barriers.
    pieces
        Edge, part and compound of each piece of an edge; see `walls.Cut`.
    findings
        What a user should know about the input.
    """

    crs: CRS
    graph: Graph
    streets: pd.DataFrame
    profile: Profile
    access_metres: float
    walls: Walls
    pieces: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int32]]
    findings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame | None = field(default=None)

    @classmethod
    def from_streets(
        cls,
        streets: gpd.GeoDataFrame,
        *,
        mode: str = "walk",
        profile: str | Profile | Mapping[str, object] = "adult",
        barriers: gpd.GeoDataFrame | None = None,
        entrances: gpd.GeoDataFrame | None = None,
        compounds: gpd.GeoDataFrame | None = None,
        access_metres: float = 50,
    ) -> StreetNetwork:
        """A network from a table of streets."""
        speeds = as_profile(profile, mode)
        if not (isinstance(access_metres, (int, float)) and 0 <= access_metres < np.inf):
            raise OptionError(f"access_metres={access_metres!r} must be a number of metres, 0 or more")
        streets = to_metric(check_table(streets, "streets"))
        usable = streets[usable_streets(streets, mode)]
        if usable.empty:
            raise OptionError(
                f"none of the {len(streets):,} streets may be used by mode {mode!r}; check class and access"
            )
        walls = Walls(
            np.empty(0, object), np.empty(0, object), np.empty((0, 2)), np.empty(0, np.int32), np.empty(0, object)
        )
        ids = usable["node_ids"].tolist() if "node_ids" in usable else None
        layers = usable["layer"].to_numpy(dtype=object) if "layer" in usable else None
        lines = np.asarray(usable.geometry.array, dtype=object)
        segments = node_lines(lines, ids, layers)
        cut = cut_edges(segments.node_xy, segments.u, segments.v, walls)
        street = segments.line[cut.origin]
        length = np.hypot(*(cut.node_xy[cut.u] - cut.node_xy[cut.v]).T)
        pace = street_pace(usable, speeds, shapely.length(lines))
        forward, backward = street_directions(usable, mode)
        graph, order = build_graph(
            cut.node_xy, cut.u, cut.v, length, length * pace[street], street, forward[street], backward[street]
        )
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        columns = [c for c in ("street_id", "name", "class") if c in usable]
        return cls(
            crs=usable.crs,
            graph=graph,
            streets=pd.DataFrame(usable[columns]).reset_index(drop=True),
            profile=speeds,
            access_metres=float(access_metres),
            walls=walls,
            pieces=(rank[cut.piece_edge], cut.piece_part, cut.piece_side),
            findings=findings_table([], crs=usable.crs),
        )

    def __repr__(self) -> str:
        graph = self.graph
        return (
            f"<StreetNetwork: {self.mode} ({self.profile.name}), {graph.n_nodes:,} nodes, {graph.n_edges:,} edges, "
            f"{graph.edge_length.sum() / 1000:,.1f} km, EPSG:{self.crs.to_epsg()}>"
        )

    @property
    def mode(self) -> str:
        """``"walk"``, ``"cycle"`` or ``"drive"``."""
        return self.profile.mode

    def access(self, places: Any, kind: str = "building", ids: Iterable[object] | None = None) -> Access:
        """Where places touch the network."""
        return access(self, places, kind=kind, ids=ids)

    @cached_property
    def piece_arrays(self) -> tuple[Any, ...]:
        """The pieces as the snapping kernel takes them."""
        edge, part, side = self.pieces
        graph = self.graph
        ends = np.hstack((graph.node_xy[graph.edge_u[edge]], graph.node_xy[graph.edge_v[edge]]))
        return ends, part, edge, side

    @cached_property
    def piece_index(self) -> GroundIndex:
        """Ground index over the pieces."""
        xy, part, _, _ = self.piece_arrays
        a, b = xy[:, :2], xy[:, 2:]
        return index_segments(a + part[:, :1] * (b - a), a + part[:, 1:] * (b - a), 50.0)


def as_network(streets: gpd.GeoDataFrame | StreetNetwork, profile: Any = None, **options: Any) -> StreetNetwork:
    """A prepared network as it is; a table of streets made into one."""
    if isinstance(streets, StreetNetwork):
        return streets
    speeds = as_profile("adult" if profile is None else profile)
    return StreetNetwork.from_streets(streets, mode=speeds.mode, profile=speeds, **options)
