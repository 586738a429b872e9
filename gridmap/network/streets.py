"""StreetNetwork: streets made ready once for any number of questions about who reaches what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.network.access import Access, access
from gridmap.network.doors import read_walls
from gridmap.network.edges import make_edges
from gridmap.network.graph import Graph, build_graph
from gridmap.network.ground_index import GroundIndex, index_segments
from gridmap.network.profiles import Profile, as_profile, street_pace, usable_streets
from gridmap.network.snapping import snap_gates
from gridmap.network.street_findings import island_findings, street_findings
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs, to_metric
from gridmap.tables.findings import findings_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import numpy.typing as npt
    from pyproj import CRS

    from gridmap.network.points import Points
    from gridmap.network.route import Route
    from gridmap.network.vertices import Vertices
    from gridmap.network.walls import Cut, Walls

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["StreetNetwork", "as_lines", "as_network"]

_CELL_METRES = 50.0
# What a network remembers of its streets: who they are, and what speeds depend on.
KEPT_COLUMNS = ("street_id", "name", "class", "stairs", "speed_kmh", "crossing_delay_s")


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
        The streets that the mode may use: `street_id`, `name`, `class` as far as known, and `metres`; `edge_street` of
        the graph is a row of this table.
    profile
        The speeds.
    access_metres
        Edges within this distance of a place are reached from it; with 0 the nearest alone.
    walls
        Walls with gates, and hard barriers.
    pieces
        Edge, part of it, and compound of each piece of an edge, sorted by edge and part; see `gridmap.network.walls`.
    findings
        What a user should know about the input.
    entrances
        The entrances: gates of compounds, doors of buildings and facilities.
    lines
        All streets it was made from, those too that the mode may not use: they bound grids.
    edge_position
        The place of each edge along its street, 0 for the first.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> from gridmap.network.search import nearest
    >>> lines = [LineString([(500000, 0), (500100, 0)]), LineString([(500100, 0), (500100, 80)])]
    >>> network = StreetNetwork.from_streets(gpd.GeoDataFrame(geometry=lines, crs=32650))
    >>> network
    <StreetNetwork: walk (adult), 3 nodes, 2 edges, 0.2 km, EPSG:32650>
    >>> home = network.access([Point(500010, 5)])
    >>> shop = network.access([Point(500103, 80)], kind="facility")
    >>> float(nearest(network, shop, home, by="metres").metres[0, 0])
    178.0
    """

    crs: CRS
    graph: Graph
    streets: pd.DataFrame
    profile: Profile
    access_metres: float
    walls: Walls
    pieces: tuple[Ints, Floats, Ints]
    findings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame | None
    lines: gpd.GeoDataFrame
    edge_position: npt.NDArray[np.int64]

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
        """Make streets ready for questions of reach.

        Streets join where they share a node (column `node_ids`, one integer a vertex, as the OSM reader gives them) or,
        without node ids, a vertex (to 1 mm, unless the `layer` differs); crossing alone joins nothing.

        Parameters
        ----------
        streets
            The streets table; of its columns `class`, `access`, `foot`, `bicycle`, `motor_vehicle`, `service`, `area`
            and `oneway` decide what may be used, `speed_kmh` and `crossing_delay_s` how long it takes, `layer` what
            joins.
        mode
            ``"walk"`` (one-way does not count, `oneway:foot` does), ``"cycle"`` or ``"drive"``.
        profile
            A name of `gridmap.network.profiles.PROFILES` or a mapping with its fields.
        barriers
            What no access leg crosses, unless `hard` is false. A street that crosses one goes on being a street (a
            mapped way over a river is a bridge); those that say neither bridge, tunnel nor ford are counted.
        entrances
            Gates of compounds and doors of buildings and facilities; only open ones count.
        compounds
            A compound that has gates has a wall: no access leg crosses it, and streets that cross it more than 1 m from
            an open gate are cut there. One without gates is ignored and counted.
        access_metres
            Access legs reach all edges within this distance, and the nearest where there is none; 0 means the nearest
            edge always.

        Raises
        ------
        TableError
            When a table breaks its contract.
        OptionError
            When an argument has an impossible value, or no street may be used by the mode.
        """
        speeds = as_profile(profile, mode)
        if not (isinstance(access_metres, (int, float)) and 0 <= access_metres < np.inf):
            raise OptionError(f"access_metres={access_metres!r} must be a number of metres, 0 or more")
        table = to_metric(check_table(streets, "streets"))
        usable = table[usable_streets(table, mode)]
        if usable.empty:
            raise OptionError(
                f"none of the {len(table):,} streets may be used by mode {mode!r}; check their class and access"
            )
        walls, doors, rows = read_walls(compounds, entrances, barriers, mode, table.crs)
        return _prepare(table, usable, speeds, float(access_metres), walls, doors, rows)

    @classmethod
    def from_networkx(
        cls,
        graph: Any,
        *,
        mode: str | None = None,
        profile: str | Profile | Mapping[str, object] | None = None,
        barriers: gpd.GeoDataFrame | None = None,
        entrances: gpd.GeoDataFrame | None = None,
        compounds: gpd.GeoDataFrame | None = None,
        access_metres: float = 50,
    ) -> StreetNetwork:
        """A network from a networkx graph, such as OSMnx or `to_networkx` make; see `gridmap.network.interchange`.

        Parameters
        ----------
        graph
            Graph with `x` and `y` on its nodes and ``graph.graph["crs"]``. An edge is a straight line, or its
            `geometry`; `length` (metres, else measured) and `seconds` (else by the profile) are spread evenly along it.
            Every edge counts as usable. A directed graph is one-way unless the mode is ``"walk"``.
        mode, profile
            As for `from_streets`; None takes what the graph says, else walking adults. With a profile given, `seconds`
            of the graph are not used.
        barriers, entrances, compounds, access_metres
            As for `from_streets`.

        Raises
        ------
        OptionError
            When the graph has no CRS, no edges, or a node without a place.
        """
        from gridmap.network.interchange import streets_of_graph

        given = graph.graph.get("profile") if profile is None else profile
        mode = mode or (graph.graph.get("mode", "walk") if profile is None else as_profile(profile).mode)
        speeds = as_profile("adult" if given is None else given, mode)
        table = to_metric(streets_of_graph(graph, mode, keep_seconds=profile is None))
        walls, doors, rows = read_walls(compounds, entrances, barriers, mode, table.crs)
        return _prepare(table, table, speeds, float(access_metres), walls, doors, rows)

    def to_networkx(self) -> Any:
        """The graph as a networkx MultiGraph, or MultiDiGraph where a street is one-way; see `from_networkx`."""
        from gridmap.network.interchange import graph_of_network

        return graph_of_network(self)

    def __repr__(self) -> str:
        graph = self.graph
        return (
            f"<StreetNetwork: {self.mode} ({self.profile.name}), {graph.n_nodes:,} nodes, {graph.n_edges:,} edges, "
            f"{graph.edge_length.sum() / 1000:,.1f} km, {_crs_name(self.crs)}>"
        )

    @property
    def mode(self) -> str:
        """``"walk"``, ``"cycle"`` or ``"drive"``."""
        return self.profile.mode

    @property
    def summary(self) -> dict[str, Any]:
        """Counts for a report: nodes, edges, km, islands, share of the longest island, gates, cuts."""
        graph = self.graph
        length = graph.component_length
        return {
            "mode": self.mode,
            "profile": self.profile.name,
            "crs": _crs_name(self.crs),
            "nodes": graph.n_nodes,
            "edges": graph.n_edges,
            "km": round(float(length.sum()) / 1000, 3),
            "islands": len(length),
            "longest_island_share": round(float(length.max(initial=0) / max(length.sum(), 1e-9)), 4),
            "walled_compounds": len(self.walls.compounds),
            "open_gates": len(self.walls.gate_xy),
            "hard_barriers": len(self.walls.barriers),
        }

    def access(self, places: Any, kind: str = "building", ids: Iterable[object] | None = None) -> Access:
        """Where places touch the network: points on edges, each with its leg; DESIGN, section 6, "Coverage".

        From a place, or from each of its open entrances where `entrances` lists any, legs go to every edge within
        `access_metres`, and to the nearest edge where there is none. A leg ends at the nearest place of the edge and
        crosses no barrier and no wall. From a compound with gates legs go to edges inside it, and straight to each of
        its open gates and on from there as from a point outside.

        Parameters
        ----------
        places
            GeoDataFrame or GeoSeries (any CRS), or an array of geometries in the CRS of the network. A building without
            entrances stands for its point on surface; a polygon facility is reached at its outline, or, where an edge
            enters it, on that edge.
        kind
            ``"building"`` or ``"facility"``: whose entrances count.
        ids
            Id of each place, by which entrances name it; default is the column ``building_id`` or ``facility_id``,
            else the index.
        """
        return access(self, places, kind=kind, ids=ids)

    def route(self, origin: Any, destination: Any, *, by: str = "minutes") -> Route:
        """The way from one place to another: its line, the streets in order, metres and minutes.

        Parameters
        ----------
        origin, destination
            A geometry in the CRS of the network, or a GeoSeries or GeoDataFrame of one row in any CRS.
        by
            ``"minutes"`` or ``"metres"``: what is least.

        Raises
        ------
        OptionError
            When there is no way.
        """
        from gridmap.network.route import find_route

        return find_route(self, origin, destination, by=by)

    def with_profile(self, profile: str | Profile | Mapping[str, object]) -> StreetNetwork:
        """The same network with other speeds of the same mode.

        Raises
        ------
        OptionError
            When the profile is of another mode.
        """
        speeds = as_profile(profile, self.mode)
        if speeds == self.profile:
            return self
        pace = street_pace(self.streets, speeds, self.streets["metres"].to_numpy(dtype=float))
        graph = replace(self.graph, edge_seconds=self.graph.edge_length * pace[self.graph.edge_street])
        return replace(self, graph=graph, profile=speeds)

    def with_changes(
        self, add: gpd.GeoDataFrame | None = None, close: Iterable[object] | None = None, *, open_gates: Any = None
    ) -> StreetNetwork:
        """The network with streets added, streets closed and walls opened; this one stays as it is.

        Only what changes is made anew, and every distance is that of a network made from the changed streets, which
        are `lines` of the result.

        Parameters
        ----------
        add
            Streets to add, such as new lanes and footbridges, in any CRS. They join at equal vertices and node ids as
            all streets do; besides, an end of one that lies within 1 m of a street that the mode may use, or of another
            added one, is moved there and that street gets a vertex. Ends that join nothing are counted in `findings`.
        close
            `street_id` of the streets to take away.
        open_gates
            Gates to open in the walls of compounds: an entrances table, or ids of shut gates (`entrance_id`) that the
            network was made with.

        Raises
        ------
        TableError
            When a table breaks its contract.
        OptionError
            When an id is unknown, a gate belongs to no wall of the network, or no street is left.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import LineString
        >>> lines = [LineString([(500000, 0), (500100, 0)]), LineString([(500000, 80), (500100, 80)])]
        >>> streets = gpd.GeoDataFrame({"street_id": ["a", "b"]}, geometry=lines, crs=32650)
        >>> bridge = gpd.GeoDataFrame(geometry=[LineString([(500050, 0.4), (500050, 79.5)])], crs=32650)
        >>> StreetNetwork.from_streets(streets).with_changes(add=bridge)
        <StreetNetwork: walk (adult), 6 nodes, 5 edges, 0.3 km, EPSG:32650>
        """
        from gridmap.network.changes import change_network

        return change_network(self, add, close, open_gates).network

    def with_streets(self, streets: gpd.GeoDataFrame) -> StreetNetwork:
        """Other streets, or some of these alone, with the walls, doors and speeds of this network.

        Parameters
        ----------
        streets
            A streets table, such as some rows of `lines`.

        Raises
        ------
        OptionError
            When no street may be used by the mode.
        """
        table = to_crs(check_table(streets, "streets"), self.crs)
        usable = table[usable_streets(table, self.mode)]
        if usable.empty:
            raise OptionError(f"none of the {len(table):,} streets may be used by mode {self.mode!r}")
        return _prepare(table, usable, self.profile, self.access_metres, self.walls, self.entrances, [])

    @cached_property
    def gates(self) -> tuple[Points, npt.NDArray[np.int8]]:
        """Access points of the open gates, as points outside their compounds, and their status."""
        return snap_gates(self)

    @cached_property
    def usable_rows(self) -> npt.NDArray[np.int64]:
        """Row of `lines` that each row of `streets` is."""
        if len(self.lines) == len(self.streets):
            return np.arange(len(self.streets))
        return np.flatnonzero(usable_streets(self.lines, self.mode))

    @property
    def _usable(self) -> gpd.GeoDataFrame:
        """The streets that the mode may use, as they were given."""
        return self.lines.iloc[self.usable_rows]

    @cached_property
    def vertices(self) -> Vertices:
        """The vertices of `streets`, and which of them could be joined."""
        from gridmap.network.vertices import read_vertices

        return read_vertices(self._usable)

    @cached_property
    def street_tree(self) -> shapely.STRtree:
        """Tree over the lines of `streets`."""
        return shapely.STRtree(np.asarray(self._usable.geometry.array, dtype=object))

    @cached_property
    def edge_xy(self) -> Floats:
        """Both ends of every edge, (m, 4): x and y of u, x and y of v."""
        graph = self.graph
        return np.hstack((graph.node_xy[graph.edge_u], graph.node_xy[graph.edge_v]))

    @cached_property
    def piece_arrays(self) -> tuple[Floats, Floats, Ints, Ints]:
        """The pieces as kernels take them: both ends of the whole edge (p, 4), part (p, 2), edge, side."""
        edge, part, side = self.pieces
        # without compounds the pieces are the edges
        return self.edge_xy if len(edge) == self.graph.n_edges else self.edge_xy[edge], part, edge, side

    @cached_property
    def piece_index(self) -> GroundIndex:
        """Ground index over the pieces."""
        xy, part, _, _ = self.piece_arrays
        a, b = xy[:, :2], xy[:, 2:]
        return index_segments(a + part[:, :1] * (b - a), a + part[:, 1:] * (b - a), _CELL_METRES)

    @cached_property
    def edge_lines(self) -> npt.NDArray[np.object_]:
        """The edges as LineStrings."""
        return np.asarray(shapely.linestrings(self.edge_xy.reshape(-1, 2, 2)), dtype=object)

    @cached_property
    def edge_tree(self) -> shapely.STRtree:
        """Tree over the edges."""
        return shapely.STRtree(self.edge_lines)

    def side_at(self, edge: npt.NDArray[np.integer], t: Floats) -> Ints:
        """The walled compound at a place on each edge, t from 0 to 1 along it."""
        piece_edge, part, side = self.pieces
        at = np.searchsorted(piece_edge + part[:, 0], edge + np.minimum(t, 1 - 1e-9), side="right") - 1
        return side[at]

    def place_at(self, edge: npt.NDArray[np.integer], t: Floats) -> Floats:
        """Coordinates (n, 2) of a place on each edge, t from 0 to 1 along it."""
        graph = self.graph
        a, b = graph.node_xy[graph.edge_u[edge]], graph.node_xy[graph.edge_v[edge]]
        return a + t[:, None] * (b - a)

    def fraction(self, edge: npt.NDArray[np.integer], xy: Floats) -> Floats:
        """How far along each edge, 0 to 1, the place nearest to a point is."""
        graph = self.graph
        a, b = graph.node_xy[graph.edge_u[edge]], graph.node_xy[graph.edge_v[edge]]
        square = ((b - a) ** 2).sum(axis=1)
        share = ((xy - a) * (b - a)).sum(axis=1)
        t: Floats = np.clip(np.divide(share, square, out=np.zeros(len(square)), where=square > 0), 0.0, 1.0)
        return t


def as_lines(streets: gpd.GeoDataFrame | StreetNetwork | None) -> gpd.GeoDataFrame | None:
    """The streets as lines, walkable or not: a table as it is, those that a prepared network was made from."""
    return streets.lines if isinstance(streets, StreetNetwork) else streets


def as_network(
    streets: gpd.GeoDataFrame | StreetNetwork,
    profile: str | Profile | Mapping[str, object] | None = None,
    **options: Any,
) -> StreetNetwork:
    """A prepared network as it is; a table of streets made into one.

    Parameters
    ----------
    streets
        Streets, or a network.
    profile
        Speeds; None means those of the prepared network, else ``"adult"``; its mode is that of the network made.
    **options
        As for `StreetNetwork.from_streets`.

    Raises
    ------
    OptionError
        When a prepared network is given together with a profile of another mode or options that no longer apply.
    """
    if not isinstance(streets, StreetNetwork):
        speeds = as_profile("adult" if profile is None else profile)
        return StreetNetwork.from_streets(streets, **{"mode": speeds.mode, "profile": speeds, **options})
    given = sorted(name for name, value in options.items() if value is not None)
    if given:
        raise OptionError(
            f"the network is prepared already, so {', '.join(given)} come too late; give them to "
            "StreetNetwork.from_streets, or give the table of streets"
        )
    return streets if profile is None else streets.with_profile(profile)


def _prepare(
    lines: gpd.GeoDataFrame,
    usable: gpd.GeoDataFrame,
    profile: Profile,
    access_metres: float,
    walls: Walls,
    doors: gpd.GeoDataFrame | None,
    rows: list[dict[str, Any]],
) -> StreetNetwork:
    """The network of streets that are all usable, in a metric CRS."""
    edges = make_edges(usable, profile, walls)
    if not len(edges.street):
        raise OptionError("every street is shorter than 1 mm; check the CRS of the streets")
    cut = edges.cut
    graph, order = build_graph(
        cut.node_xy, cut.u, cut.v, edges.length, edges.seconds, edges.street, edges.forward, edges.backward
    )
    rows = [*rows, *street_findings(usable, edges, walls), *island_findings(graph)]
    columns = [c for c in KEPT_COLUMNS if c in usable]
    return StreetNetwork(
        crs=usable.crs,
        graph=graph,
        streets=pd.DataFrame(usable[columns]).assign(metres=edges.metres).reset_index(drop=True),
        profile=profile,
        access_metres=access_metres,
        walls=walls,
        pieces=sorted_pieces(cut, order),
        findings=findings_table(rows, crs=usable.crs),
        entrances=doors,
        lines=lines,
        edge_position=edges.position[order],
    )


def sorted_pieces(cut: Cut, order: npt.NDArray[np.int64]) -> tuple[Ints, Floats, Ints]:
    """The pieces with the edges as the graph numbers them, sorted by edge and part."""
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    edge = rank[cut.piece_edge]
    by = np.lexsort((cut.piece_part[:, 0], edge))
    pieces = edge[by], np.ascontiguousarray(cut.piece_part[by]), cut.piece_side[by]
    for values in pieces:
        values.setflags(write=False)
    return pieces


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.name)
