"""Scenarios: what a cover becomes when facilities, streets, walls or walkers change, counted where it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.counting.along_network import nearest_by_category
from gridmap.coverage.counting.reach import Nearest
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.errors import OptionError
from gridmap.network.repair import Labels, join_labels, label_nodes, repair_labels
from gridmap.network.resnap import Places, join_access, prepare_places, snap_again, snap_gates_again, snap_near
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.crs import to_crs
from gridmap.tables.join import put_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.network.access import Access
    from gridmap.network.changes import Change
    from gridmap.network.streets import StreetNetwork

    Longs = NDArray[np.int64]

__all__ = ["change_cover", "label_cover", "place_tables"]


class _Facilities(NamedTuple):
    """The table after the change; new row of each old one, -1 for closed ones; and rows that are new."""

    table: gpd.GeoDataFrame
    rank: Longs
    added: Longs


class _Ground(NamedTuple):
    """Streets and everything on them, before and after.

    `origins`, `targets`: access of buildings and of all facilities; `snapped`, `moved` their rows that touch the
    streets otherwise than before.
    """

    change: Change | None
    network: StreetNetwork
    origins: Access
    targets: Access
    snapped: Longs
    moved: Longs


def change_cover(
    cover: Cover,
    *,
    add_facilities: gpd.GeoDataFrame | None,
    open_facilities: Iterable[object] | None,
    close_facilities: Iterable[object] | None,
    add_streets: gpd.GeoDataFrame | None,
    close_streets: Iterable[object] | None,
    open_gates: Any,
    profile: Any,
) -> Cover:
    """The cover after a change; see `Cover.with_changes`."""
    facilities = _change_facilities(cover, add_facilities, open_facilities, close_facilities)
    streets_change = not (add_streets is None and close_streets is None and open_gates is None)
    if cover.network is None and (streets_change or profile is not None):
        raise OptionError("this cover is counted in a straight line without streets; only facilities can change.")
    if cover.accesses is None or cover.network is None:
        return _count_anew(cover, facilities.table, add_streets, close_streets, open_gates, profile)
    ground = _change_ground(cover, facilities, (add_streets, close_streets, open_gates) if streets_change else None)
    if profile is not None:
        ground = ground._replace(network=ground.network.with_profile(profile))
    counts = is_counted(facilities.table)
    thresholds = _thresholds(cover, facilities.table.loc[counts, "category"])
    counted = counts & facilities.table["category"].isin(list(thresholds)).to_numpy()
    rows = rows_by_category(facilities.table, counted, list(thresholds))
    anew = profile is not None and ground.network.profile != cover.network.profile
    labels = None
    if anew or cover.k > 1:
        nearest = _search_anew(cover, facilities, ground, rows, anew=anew)
    else:
        nearest, labels = _nearest(cover, facilities, ground, list(thresholds), rows)
    new = replace(
        cover,
        nearest=nearest,
        snapped=ground.origins.status != "unsnapped",
        facilities=facilities.table,
        counted=counted,
        network=ground.network,
        thresholds=thresholds,
        profile=ground.network.profile.name,
        stated=None,
        accesses=(ground.origins, ground.targets),
        parameters={**cover.parameters, "profile": cover.parameters.get("profile") if profile is None else profile},
    )
    if labels is not None:
        vars(new)["labels"] = labels
    return new


def label_cover(cover: Cover) -> list[Labels]:
    """The labels of all nodes for each category of a cover along streets."""
    network, (_, targets) = _parts(cover)
    rows = rows_by_category(cover.facilities, cover.counted, list(cover.thresholds))
    return [label_nodes(network, targets.take(row), cover.measure) for row in rows]


def place_tables(cover: Cover) -> tuple[Places, Places]:
    """Buildings and facilities of a cover as they stand on the ground."""
    network, _ = _parts(cover)
    tables = ((cover.buildings, "building"), (cover.facilities, "facility"))
    homes, services = (
        prepare_places(
            network,
            np.asarray(to_crs(table, network.crs).geometry.array, dtype=object),
            table[f"{kind}_id"].to_numpy(dtype=object),
            kind,
        )
        for table, kind in tables
    )
    return homes, services


def _parts(cover: Cover) -> tuple[StreetNetwork, tuple[Access, Access]]:
    if cover.network is None or cover.accesses is None:
        raise OptionError("this cover was not counted along streets")
    return cover.network, cover.accesses


def _change_facilities(
    cover: Cover,
    add: gpd.GeoDataFrame | None,
    opened: Iterable[object] | None,
    closed: Iterable[object] | None,
) -> _Facilities:
    """The facilities after the change.

    Raises
    ------
    OptionError
        When an id is unknown, or an added one is there already.
    """
    table = cover.facilities
    ids = pd.Index(table["facility_id"])
    stays = np.ones(len(table), dtype=np.bool_)
    if closed is not None:
        stays[_rows(ids, closed, "close_facilities")] = False
    if opened is not None:
        rows = _rows(ids, opened, "open_facilities")
        for column, value in (("status", "existing"), ("public", True)):
            if column in table:
                values = table[column].copy()
                values.iloc[rows] = value
                table = table.assign(**{column: values})
    rank = np.where(stays, np.cumsum(stays) - 1, -1)
    if not stays.all():
        table = table[stays].reset_index(drop=True)
    added = np.empty(0, dtype=np.int64)
    if add is not None and len(add):
        more = to_crs(check_table(add, "facilities"), table.crs)
        twice = more["facility_id"][more["facility_id"].isin(table["facility_id"])]
        if len(twice):
            raise OptionError(
                f"add_facilities: {', '.join(twice.iloc[:10])} are there already; give new ids, or use open_facilities "
                "for planned ones"
            )
        added = len(table) + np.arange(len(more))
        table = put_below(table, more)
    return _Facilities(table, rank, added)


def _rows(known: pd.Index, ids: Iterable[object], option: str) -> Longs:
    names = clean_ids(pd.Series([ids] if isinstance(ids, str) else list(ids), dtype=object))
    rows = known.get_indexer(pd.Index(names))
    unknown = names[rows < 0].tolist()
    if unknown:
        raise OptionError(f"{option}: {len(unknown)} ids are not among the facilities: {', '.join(unknown[:10])}")
    return rows.astype(np.int64)


def _thresholds(cover: Cover, offered: pd.Series) -> dict[str, float]:
    """The thresholds of the cover, with that of a category offered for the first time where one number goes for all."""
    limit = cover.parameters.get(cover.measure)
    if isinstance(limit, Mapping) or (limit is None and cover.parameters.get("rules") is not None):
        return cover.thresholds
    new = sorted(set(offered) - set(cover.thresholds))
    number = 15.0 if limit is None else float(limit)
    return {**cover.thresholds, **dict.fromkeys(new, number)}


def _change_ground(cover: Cover, facilities: _Facilities, streets: tuple[Any, Any, Any] | None) -> _Ground:
    network, (origins, targets) = _parts(cover)
    change, none = None, np.empty(0, dtype=np.int64)
    snapped = moved = none
    if streets is not None:
        from gridmap.network.changes import change_network

        change = change_network(network, *streets)
        homes, services = cover.places
        compounds = snap_gates_again(network, change)
        origins, snapped = snap_again(network, change, origins, homes, compounds)
        targets, moved = snap_again(network, change, targets, services, compounds)
        network = change.network
    stays = np.flatnonzero(facilities.rank >= 0)
    if len(stays) < len(targets):
        targets = targets.take(stays)
        moved = facilities.rank[moved]
        moved = moved[moved >= 0]
    if len(facilities.added):
        table = facilities.table.iloc[facilities.added]
        shapes = np.asarray(to_crs(table, network.crs).geometry.array, dtype=object)
        ids = table["facility_id"].to_numpy(dtype=object)
        targets = join_access(
            network, targets, snap_near(network, prepare_places(network, shapes, ids, "facility"), np.arange(len(ids)))
        )
    return _Ground(change, network, origins, targets, snapped, moved)


def _nearest(
    cover: Cover,
    facilities: _Facilities,
    ground: _Ground,
    categories: list[str],
    rows: list[Longs],
) -> tuple[Nearest, list[Labels]]:
    """What is found after the change, and the labels of each category.

    The labels are repaired, and the buildings joined again that lie beside a node or a facility with which something
    happened.
    """
    network, (_, old_targets) = _parts(cover)
    measure, old_names = cover.measure, list(cover.thresholds)
    nearest = _carried(cover, facilities, len(categories))
    old_rows = rows_by_category(cover.facilities, cover.counted, old_names)
    snapped = np.zeros(len(cover.buildings), dtype=np.bool_)
    snapped[ground.snapped] = True
    labels, touched = [], []
    every = np.arange(ground.network.graph.n_edges)
    for column, row in enumerate(rows):
        targets = ground.targets.take(row)
        if column >= len(old_names):
            labels.append(label_nodes(ground.network, targets, measure))
            touched.append(every)
            continue
        rank, moved = _ranks(old_rows[column], row, facilities.rank, ground.moved)
        if ground.change is None and len(rank) == len(row) and np.array_equal(rank, np.arange(len(row))):
            labels.append(cover.labels[column])
            touched.append(every[:0])
            continue
        old = old_targets.take(old_rows[column])
        repaired, nodes = repair_labels(
            network, ground.change, cover.labels[column], (old, targets), rank, moved, measure
        )
        labels.append(repaired)
        touched.append(_touched_edges(ground, nodes, old, targets, rank, moved))
    _join_again(nearest, ground, rows, labels, touched, snapped, measure)
    return nearest, labels


def _search_anew(cover: Cover, facilities: _Facilities, ground: _Ground, rows: list[Longs], *, anew: bool) -> Nearest:
    """What is found when whole categories are searched again, on the places snapped before.

    With `anew`, as when the speeds are others, that is every category; else those whose facilities change, and all when
    streets do. `rows` are those of the facilities of each category; the first categories are those of the cover.
    """
    old = [facilities.rank[row] for row in rows_by_category(cover.facilities, cover.counted, list(cover.thresholds))]
    nearest = _carried(cover, facilities, len(rows))
    again = [
        column
        for column, row in enumerate(rows)
        if anew or ground.change is not None or column >= len(old) or not np.array_equal(row, old[column])
    ]
    found = nearest_by_category(
        ground.network, ground.origins, ground.targets, [rows[column] for column in again],
        measure=cover.measure, k=cover.k,
    )  # fmt: skip
    nearest.facility[:, again], nearest.metres[:, again], nearest.minutes[:, again] = (
        found.facility, found.metres, found.minutes,
    )  # fmt: skip
    return nearest


def _carried(cover: Cover, facilities: _Facilities, categories: int) -> Nearest:
    """What was found before, by the new rows of the facilities, and nothing yet for categories that come after."""
    before, known = cover.nearest, len(cover.thresholds)
    nearest = Nearest.none(len(cover.buildings), categories, cover.k)
    nearest.facility[:, :known] = np.append(facilities.rank, -1).astype(np.int32)[before.facility]
    nearest.metres[:, :known], nearest.minutes[:, :known] = before.metres, before.minutes
    return nearest


def _join_again(
    nearest: Nearest,
    ground: _Ground,
    rows: list[Longs],
    labels: list[Labels],
    touched: list[Longs],
    snapped: NDArray[np.bool_],
    measure: str,
) -> None:
    """Put into `nearest` what the buildings find that were snapped again or lie on edges touched in a category."""
    origins = ground.origins
    edge_touched = np.zeros(ground.network.graph.n_edges, dtype=np.bool_)
    edge_touched[np.concatenate([*touched, np.empty(0, dtype=np.int64)])] = True
    points = np.flatnonzero(edge_touched[origins.edge])
    owner, edge = np.searchsorted(origins.owner_ptr, points, side="right") - 1, origins.edge[points]
    for column, row in enumerate(rows):
        edge_touched[:] = False
        edge_touched[touched[column]] = True
        again = snapped.copy()
        again[owner[edge_touched[edge]]] = True
        who = np.flatnonzero(again)
        if len(who):
            targets = ground.targets.take(row)
            found, metres, minutes = join_labels(ground.network, labels[column], targets, origins.take(who), measure)
            facility = np.append(row, -1)[found]
            cost = metres if measure == "metres" else minutes
            # sums in another order differ in their last digits; what is the same stays to the last one
            old = nearest.cost(measure)[who, column, 0]
            same = (facility == nearest.facility[who, column, 0]) & np.isclose(cost, old, rtol=0, atol=1e-9)
            who = who[~same]
            nearest.facility[who, column, 0] = facility[~same]
            nearest.metres[who, column, 0] = metres[~same]
            nearest.minutes[who, column, 0] = minutes[~same]


def _ranks(old: Longs, new: Longs, rank: Longs, moved: Longs) -> tuple[Longs, Longs]:
    """New index of each old target of a category, -1 for those gone; and the indices of those that moved."""
    place = np.full(max(int(new.max(initial=-1)), int(rank.max(initial=-1))) + 2, -1, dtype=np.int64)
    place[new] = np.arange(len(new))
    # the last place is that of a facility that is gone
    indices = place[rank[old]]
    stayed = np.isin(new, moved) & np.isin(np.arange(len(new)), indices)
    return indices, np.flatnonzero(stayed)


def _touched_edges(ground: _Ground, nodes: Longs, old: Access, new: Access, rank: Longs, moved: Longs) -> Longs:
    """Edges with a changed node at an end, or on which a target came, went or moved."""
    arcs = ground.network.graph.arcs
    count = arcs.indptr[nodes + 1] - arcs.indptr[nodes]
    at = np.arange(count.sum()) + np.repeat(arcs.indptr[nodes] - np.cumsum(count) + count, count)
    stayed = np.zeros(len(new), dtype=np.bool_)
    stayed[rank[rank >= 0]] = True
    stayed[moved] = False
    went = np.append(~stayed, True)[rank]
    gone = old.edge[went[old.owner]].astype(np.int64)
    if ground.change is not None:
        gone = ground.change.edge_rank[gone]
    return np.concatenate((arcs.edge[at], new.edge[~stayed[new.owner]], gone[gone >= 0]))


def _count_anew(
    cover: Cover, facilities: gpd.GeoDataFrame, add: Any, close: Any, open_gates: Any, profile: Any
) -> Cover:
    """The whole cover counted again, for straight lines and rules."""
    from gridmap.coverage.counting.cover import cover as count

    network = cover.network
    if network is not None and not (add is None and close is None and open_gates is None):
        network = network.with_changes(add, close, open_gates=open_gates)
    given = {name: cover.parameters.get(name) for name in ("minutes", "metres", "rules")}
    if given["rules"] is None:
        given[cover.measure] = _thresholds(cover, facilities.loc[is_counted(facilities), "category"])
    speeds = cover.parameters.get("profile") if profile is None else profile
    return count(cover.buildings, facilities, network, how=cover.how, k=cover.k, profile=speeds, **given)
