"""Changes of a prepared network: streets added and closed, walls opened, with only what they touch made anew."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.network.doors import onto_walls, open_doors
from gridmap.network.edges import Edges, make_edges
from gridmap.network.graph import Graph
from gridmap.network.hand_drawn import JoinedEnds, join_ends
from gridmap.network.profiles import usable_streets
from gridmap.network.street_findings import island_findings, street_findings
from gridmap.network.streets import KEPT_COLUMNS, StreetNetwork
from gridmap.network.vertices import touched_knots
from gridmap.network.walls import GATE_METRES, Walls
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import finding, findings_table
from gridmap.tables.join import put_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["Change", "change_network"]


class Change(NamedTuple):
    """A changed network, and what became of the old one.

    `node_rank`, `edge_rank`: new number of each old node and edge, -1 for what is gone; `removed`: old numbers of the
    edges that are gone; `added`: new numbers of the new edges; `opened`: rows of the compounds with new gates.
    """

    network: StreetNetwork
    node_rank: Longs
    edge_rank: Longs
    removed: Longs
    added: Longs
    opened: Longs

    @property
    def keeps_nodes(self) -> bool:
        """Whether all old nodes are there, under their old numbers."""
        return bool(self.node_rank.min(initial=0) >= 0)


class _Streets(NamedTuple):
    """All streets after the change, and the usable ones among them.

    `usable` are rows of `lines`; `rank` the new row among the usable ones of each old usable street, -1 where it is
    closed; `old`, `new` the old and new usable rows whose edges change of themselves.
    """

    lines: gpd.GeoDataFrame
    usable: Longs
    rank: Longs
    old: Longs
    new: Longs
    findings: list[dict[str, Any]]


def change_network(
    network: StreetNetwork, add: gpd.GeoDataFrame | None, close: Iterable[object] | None, open_gates: Any
) -> Change:
    """The changed network; see `StreetNetwork.with_changes`.

    Streets that change, and those that share a knot with them, are noded and cut again together with those that share a
    knot with the latter, so that every node on the former is as it would be in the whole; edges that come out as they
    were stay.
    """
    walls, entrances, opened = network.walls, network.entrances, np.empty(0, dtype=np.int64)
    fresh_gates = np.empty((0, 2))
    if open_gates is not None:
        walls, entrances, opened, fresh_gates = _open(network, open_gates)
    streets = _change_streets(network, add, close, fresh_gates)
    vertices = network.vertices
    lines, usable = streets.lines, streets.usable
    changed = np.isin(vertices.street, streets.old)
    knots = np.union1d(vertices.knot[changed], touched_knots(vertices, lines.iloc[usable[streets.new]]))
    beside = np.setdiff1d(vertices.street[np.isin(vertices.knot, knots)], streets.old)
    around = np.isin(vertices.knot, vertices.knot[np.isin(vertices.street, beside)])
    further = np.setdiff1d(vertices.street[around], np.union1d(streets.old, beside))
    own = np.concatenate((streets.rank[beside], streets.new))
    local_rows = np.sort(np.concatenate((own, streets.rank[further])))
    edges = make_edges(lines.iloc[usable[local_rows]], network.profile, walls)
    kept_places = vertices.xy[around & ~np.isin(vertices.knot, knots)]
    local = _local_edges(edges, local_rows, own)
    local, old_edge = _number_ends(network, local, streets.rank, streets.old, beside, kept_places)
    change = _exchange(network, local, old_edge, streets.rank)
    if not change.network.graph.n_edges:
        raise OptionError("no street is left; close fewer")
    rows = [
        *streets.findings,
        *street_findings(lines.iloc[usable[streets.new]], _only(edges, local_rows, streets.new), walls),
    ]
    old_rows = network.findings[network.findings["rule"] != "street_islands"].to_dict("records")
    new = replace(
        change.network,
        streets=_describe(network, streets),
        walls=walls,
        entrances=entrances,
        lines=streets.lines,
        findings=findings_table([*old_rows, *rows, *island_findings(change.network.graph)], crs=network.crs),
    )
    vars(new)["usable_rows"] = streets.usable
    return change._replace(network=new, opened=opened)


def _open(network: StreetNetwork, gates: Any) -> tuple[Walls, gpd.GeoDataFrame, Longs, Floats]:
    """Walls with more open gates, all entrances, the compounds that got one, and the places of the new gates.

    Raises
    ------
    OptionError
        When an id is no shut gate of the network, or a gate belongs to no wall.
    """
    entrances = network.entrances
    if isinstance(gates, gpd.GeoDataFrame):
        more = to_crs(check_table(gates, "entrances"), network.crs)
        more = more.assign(
            of=more["of"].str.lower(), x=more.geometry.x, y=more.geometry.y, usable=open_doors(more, network.mode)
        )
        entrances = more if entrances is None else pd.concat([entrances, more], ignore_index=True)
        chosen = np.arange(len(entrances) - len(more), len(entrances))[more["usable"].to_numpy(dtype=bool)]
    else:
        ids = _ids(gates)
        known = [] if entrances is None else entrances["entrance_id"].tolist()
        _refuse_unknown(ids, known, "open_gates", "entrances")
        if entrances is None:
            return network.walls, None, np.empty(0, dtype=np.int64), np.empty((0, 2))
        shut = ~entrances["usable"].to_numpy(dtype=bool)
        chosen = np.flatnonzero(shut & entrances["entrance_id"].isin(ids).to_numpy())
        usable = entrances["usable"].to_numpy(dtype=bool).copy()
        usable[chosen] = True
        entrances = entrances.assign(usable=usable)
    rows = entrances.iloc[chosen]
    walls = network.walls
    compound = pd.Index(walls.compound_ids).get_indexer(pd.Index(rows["of_id"]))
    stray = (rows["of"] != "compound").to_numpy() | (compound < 0)
    if stray.any():
        raise OptionError(
            f"open_gates: {', '.join(map(str, rows['entrance_id'][stray]))} belong to no compound with a wall; only "
            "compounds whose gates the network was made with have one"
        )
    xy, _ = onto_walls(rows[["x", "y"]].to_numpy(dtype=float), walls.compounds[compound])
    return walls.with_gates(xy, compound.astype(np.int32)), entrances, np.unique(compound).astype(np.int64), xy


def _change_streets(
    network: StreetNetwork, add: gpd.GeoDataFrame | None, close: Iterable[object] | None, gates: Floats
) -> _Streets:
    lines, rows = network.lines, network.usable_rows
    findings: list[dict[str, Any]] = []
    closed = np.zeros(len(lines), dtype=np.bool_)
    if close is not None:
        ids = _ids(close)
        known = lines["street_id"].astype(str) if "street_id" in lines else pd.Series(dtype=str)
        _refuse_unknown(ids, known, "close", "streets")
        closed = known.isin(ids).to_numpy()
    rank = np.where(closed[rows], -1, np.cumsum(~closed[rows]) - 1)
    table = lines[~closed] if closed.any() else lines
    place = np.cumsum(~closed) - 1
    usable = place[rows[~closed[rows]]]
    recut = np.empty(0, dtype=np.int64)
    if len(gates):
        near = network.street_tree.query(shapely.points(gates), predicate="dwithin", distance=2 * GATE_METRES)[1]
        recut = np.setdiff1d(near, np.flatnonzero(rank < 0))
    split = new = np.empty(0, dtype=np.int64)
    if add is not None and len(add):
        more = to_crs(check_table(add, "streets"), network.crs)
        may = usable_streets(more, network.mode)
        findings += _unusable(more, may, network.mode)
        first = len(usable)
        usable = np.concatenate((usable, len(table) + np.flatnonzero(may)))
        new = np.arange(first, len(usable))
        table = put_below(table, more)
        if may.any():
            free = network.vertices.lowest_id - 1
            node_ids, layers = (
                table[name].to_numpy(dtype=object)[usable] if name in table else None for name in ("node_ids", "layer")
            )
            joined = join_ends(_shapes(table)[usable], node_ids, layers, first, network.street_tree, rank, free)
            table = _written(table, usable, joined, np.union1d(joined.split, new))
            split = joined.split[joined.split < first]
            findings += _loose(_names(more)[may][joined.loose - first])
    moved = np.union1d(split, rank[recut])
    old = np.union1d(np.flatnonzero(rank < 0), np.flatnonzero(np.isin(rank, moved)))
    return _Streets(table, usable, rank, old, np.union1d(moved, new), findings)


def _ids(values: Any) -> list[str]:
    """Ids as tables have them."""
    return clean_ids(pd.Series([values] if isinstance(values, str) else list(values), dtype=object)).tolist()


def _refuse_unknown(ids: list[str], known: Iterable[str], option: str, table: str) -> None:
    unknown = sorted(set(ids) - set(known))
    if unknown:
        shown = ", ".join(unknown[:10])
        raise OptionError(f"{option}: {len(unknown)} ids are not among the {table} of the network: {shown}")


def _written(table: gpd.GeoDataFrame, usable: Longs, joined: JoinedEnds, rows: Longs) -> gpd.GeoDataFrame:
    """The table with the shapes and node ids of some usable rows."""
    shapes = _shapes(table).copy()
    shapes[usable[rows]] = joined.shapes[rows]
    columns = {table.geometry.name: gpd.array.GeometryArray(shapes, crs=table.crs)}
    if joined.ids is not None:
        ids = table["node_ids"].to_numpy(dtype=object).copy()
        ids[usable[rows]] = joined.ids[rows]
        columns["node_ids"] = ids
    return table.assign(**columns)


def _unusable(more: gpd.GeoDataFrame, may: Flags, mode: str) -> list[dict[str, Any]]:
    if may.all():
        return []
    return [
        finding(
            "warning", "added_street_unusable",
            f"{(~may).sum():,} added streets may not be used by mode {mode!r}; they join nothing.",
            cure="Check their class and access.", ids=_names(more)[~may],
        )
    ]  # fmt: skip


def _loose(names: npt.NDArray[np.object_]) -> list[dict[str, Any]]:
    if not len(names):
        return []
    return [
        finding(
            "warning", "added_street_loose_end",
            f"{len(names):,} added streets have an end that joins nothing: no vertex at its place, no street within "
            "1 m.",
            cure="Draw them up to the street, unless they are dead ends.", ids=names,
        )
    ]  # fmt: skip


def _names(streets: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Ids of streets, their row labels where they have none."""
    index = streets.index.to_numpy(dtype=object)
    if "street_id" not in streets:
        return index
    return np.where(streets["street_id"].notna(), streets["street_id"].to_numpy(dtype=object), index)


class _LocalEdges(NamedTuple):
    """Edges made anew, street by street; `rows` of `edges` that count, `street` their new usable rows, both ends."""

    edges: Edges
    rows: Longs
    street: Longs
    u: Longs
    v: Longs


def _local_edges(edges: Edges, local_rows: Longs, own: Longs) -> _LocalEdges:
    street = local_rows[edges.street]
    rows = np.flatnonzero(np.isin(street, own))
    return _LocalEdges(edges, rows, street[rows], edges.cut.u[rows], edges.cut.v[rows])


def _number_ends(
    network: StreetNetwork, local: _LocalEdges, rank: Longs, old: Longs, beside: Longs, kept_places: Floats
) -> tuple[_LocalEdges, Longs]:
    """The local edges numbered as the old nodes where these go on, and above; and the old edges they stand for.

    At a place that no change touches, the edges of the streets beside keep their ends. Elsewhere any numbering is right
    so long as no number is given twice; nodes that stay where they were keep theirs, so that little changes.
    """
    graph, position = network.graph, network.edge_position
    old_edge = np.flatnonzero(np.isin(graph.edge_street, np.concatenate((old, beside))))
    old_edge = old_edge[np.lexsort((position[old_edge], rank[graph.edge_street[old_edge]]))]
    paired = np.isin(graph.edge_street[old_edge], beside)
    same = np.isin(local.street, rank[beside])
    ends = np.stack((local.u, local.v))
    before = np.stack((graph.edge_u[old_edge], graph.edge_v[old_edge])).astype(np.int64)
    if paired.sum() != same.sum():
        raise AssertionError("streets beside a change keep their edges")
    still = np.zeros(ends.shape, dtype=np.bool_)
    still[:, same] = _at(graph.node_xy[before[:, paired]], kept_places)
    kept_before = np.zeros(before.shape, dtype=np.bool_)
    kept_before[:, paired] = still[:, same]
    number = np.empty(ends.shape, dtype=np.int64)
    number[:, same] = before[:, paired]
    number[~still] = _numbers(
        np.unique(ends[~still]), local.edges.cut.node_xy, np.unique(before[~kept_before]), graph.node_xy, ends[~still]
    )
    return local._replace(u=number[0], v=number[1]), old_edge


def _numbers(fresh: Longs, fresh_xy: Floats, free: Longs, free_xy: Floats, ends: Longs) -> Longs:
    """Number of each end: that of a free old node at the same place, each given once, else one above all old ones."""
    at = defaultdict(list)
    for node, place in zip(free[::-1].tolist(), map(tuple, free_xy[free[::-1]].tolist()), strict=True):
        at[place].append(node)
    given, above = {}, len(free_xy)
    for node, place in zip(fresh.tolist(), map(tuple, fresh_xy[fresh].tolist()), strict=True):
        if at[place]:
            given[node] = at[place].pop()
        else:
            given[node], above = above, above + 1
    return np.array([given[node] for node in ends.tolist()], dtype=np.int64)


def _at(xy: Floats, places: Floats) -> Flags:
    """Whether each of some places (..., 2) is among others, to the last digit."""
    return np.isin(xy[..., 0] + 1j * xy[..., 1], places[:, 0] + 1j * places[:, 1])


def _exchange(network: StreetNetwork, local: _LocalEdges, old_edge: Longs, rank: Longs) -> Change:
    """The network with the local edges in place of old ones; those that are the same stay."""
    graph, edges = network.graph, local.edges
    before = _keys(
        graph.edge_u[old_edge], graph.edge_v[old_edge], graph.edge_length[old_edge], graph.edge_seconds[old_edge],
        graph.edge_forward[old_edge], graph.edge_backward[old_edge], rank[graph.edge_street[old_edge]],
    )  # fmt: skip
    rows = local.rows
    after = _keys(
        local.u, local.v, edges.length[rows], edges.seconds[rows], edges.forward[rows], edges.backward[rows],
        local.street,
    )  # fmt: skip
    waiting = defaultdict(list)
    for key, edge in zip(reversed(before), old_edge[::-1].tolist(), strict=True):
        waiting[key].append(edge)
    stays = np.array([waiting[key].pop() if waiting[key] else -1 for key in after], dtype=np.int64)
    removed = np.sort(np.array([edge for some in waiting.values() for edge in some], dtype=np.int64))
    kept = np.ones(graph.n_edges, dtype=np.bool_)
    kept[removed] = False
    new = stays < 0
    position = network.edge_position.copy()
    position[stays[~new]] = edges.position[rows[~new]]
    edge_rank = np.where(kept, np.cumsum(kept) - 1, -1)
    added = kept.sum() + np.arange(new.sum())
    u = np.concatenate((graph.edge_u[kept].astype(np.int64), local.u[new]))
    v = np.concatenate((graph.edge_v[kept].astype(np.int64), local.v[new]))
    xy = np.vstack((graph.node_xy, _places_above(local, graph.n_nodes)))
    used = np.zeros(len(xy), dtype=np.bool_)
    used[u], used[v] = True, True
    node_rank = np.where(used, np.cumsum(used) - 1, -1)
    which = rows[new]
    changed = Graph(
        xy[used],
        node_rank[u].astype(np.int32),
        node_rank[v].astype(np.int32),
        np.concatenate((graph.edge_length[kept], edges.length[which])),
        np.concatenate((graph.edge_seconds[kept], edges.seconds[which])),
        np.concatenate((rank[graph.edge_street[kept]], local.street[new])).astype(np.int32),
        np.concatenate((graph.edge_forward[kept], edges.forward[which])),
        np.concatenate((graph.edge_backward[kept], edges.backward[which])),
    )
    return Change(
        replace(
            network,
            graph=changed,
            pieces=_pieces(network, edge_rank, edges, which, added),
            edge_position=np.concatenate((position[kept], edges.position[which])),
        ),
        node_rank[: graph.n_nodes], edge_rank, removed, added, np.empty(0, dtype=np.int64),
    )  # fmt: skip


def _keys(*columns: npt.NDArray[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _places_above(local: _LocalEdges, first: int) -> Floats:
    """Places of the nodes numbered from `first` on."""
    number = np.concatenate((local.u, local.v))
    xy = local.edges.cut.node_xy[np.concatenate((local.edges.cut.u[local.rows], local.edges.cut.v[local.rows]))]
    above, at = np.unique(number, return_index=True)
    return xy[at[above >= first]]


def _pieces(
    network: StreetNetwork, edge_rank: Longs, edges: Edges, which: Longs, added: Longs
) -> tuple[Ints, Floats, Ints]:
    edge, part, side = network.pieces
    stays = edge_rank[edge] >= 0
    rank = np.full(len(edges.street), -1, dtype=np.int64)
    rank[which] = added
    cut = edges.cut
    new = np.flatnonzero(rank[cut.piece_edge] >= 0)
    by = new[np.lexsort((cut.piece_part[new, 0], rank[cut.piece_edge[new]]))]
    pieces = (
        np.concatenate((edge_rank[edge[stays]], rank[cut.piece_edge[by]])).astype(np.int32),
        np.concatenate((part[stays], cut.piece_part[by])),
        np.concatenate((side[stays], cut.piece_side[by])).astype(np.int32),
    )
    for values in pieces:
        values.setflags(write=False)
    return pieces


def _describe(network: StreetNetwork, streets: _Streets) -> pd.DataFrame:
    """What the network remembers of its streets."""
    metres = np.empty(len(streets.usable))
    stays = streets.rank >= 0
    metres[streets.rank[stays]] = network.streets["metres"].to_numpy(dtype=float)[stays]
    metres[streets.new] = shapely.length(_shapes(streets.lines)[streets.usable[streets.new]])
    columns = [c for c in KEPT_COLUMNS if c in streets.lines]
    known = pd.DataFrame(streets.lines[columns]).iloc[streets.usable].reset_index(drop=True)
    return known.assign(metres=metres)


def _shapes(table: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    return np.asarray(table.geometry.array, dtype=object)


def _only(edges: Edges, local_rows: Longs, streets: Longs) -> Edges:
    """The edges of some of the streets alone, for findings."""
    rank = np.full(int(local_rows.max(initial=-1)) + 1, -1, dtype=np.int64)
    rank[streets] = np.arange(len(streets))
    street = rank[local_rows[edges.street]]
    mine = street >= 0
    mismatched = rank[local_rows[edges.mismatched]]
    cut = edges.cut._replace(u=edges.cut.u[mine], v=edges.cut.v[mine], places=0)
    return edges._replace(cut=cut, street=street[mine], mismatched=mismatched[mismatched >= 0])
