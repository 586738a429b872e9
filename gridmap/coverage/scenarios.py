"""Scenarios: what a cover becomes when facilities, streets, walls or walkers change, counted where it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.along_network import nearest_by_category
from gridmap.coverage.cover_findings import (
    category_findings,
    join_rows,
    snapping_findings,
    table_findings,
    unreachable_findings,
)
from gridmap.coverage.reach import Nearest
from gridmap.errors import OptionError
from gridmap.network.resnap import Places, join_access, prepare_places, snap_again, snap_gates_again, snap_near
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import join_findings
from gridmap.tables.join import put_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.cover import Cover
    from gridmap.network.access import Access
    from gridmap.network.changes import Change
    from gridmap.network.streets import StreetNetwork

    Longs = NDArray[np.int64]

__all__ = ["change_cover", "find_again", "place_tables"]


class _Facilities(NamedTuple):
    """The table after the change; new row of each old one, -1 for closed ones; and rows that are new."""

    table: gpd.GeoDataFrame
    rank: Longs
    added: Longs


class _Ground(NamedTuple):
    """Streets and everything on them, after the change.

    `origins`, `targets`: access of buildings and of all facilities.
    """

    change: Change | None
    network: StreetNetwork
    origins: Access
    targets: Access


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
    from gridmap.coverage.cover import is_counted, rows_by_category

    ground = _change_ground(cover, facilities, (add_streets, close_streets, open_gates) if streets_change else None)
    if profile is not None:
        ground = ground._replace(network=ground.network.with_profile(profile))
    counts = is_counted(facilities.table)
    thresholds = _thresholds(cover, facilities.table.loc[counts, "category"])
    counted = counts & facilities.table["category"].isin(list(thresholds)).to_numpy()
    rows = rows_by_category(facilities.table, counted, list(thresholds))
    anew = profile is not None and ground.network.profile != cover.network.profile
    nearest = _nearest(cover, facilities, ground, rows, anew=anew)
    return replace(
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
    change = None
    if streets is not None:
        from gridmap.network.changes import change_network

        change = change_network(network, *streets)
        homes, services = cover.places
        compounds = snap_gates_again(network, change)
        origins, _ = snap_again(network, change, origins, homes, compounds)
        targets, _ = snap_again(network, change, targets, services, compounds)
        network = change.network
    stays = np.flatnonzero(facilities.rank >= 0)
    if len(stays) < len(targets):
        targets = targets.take(stays)
    if len(facilities.added):
        table = facilities.table.iloc[facilities.added]
        shapes = np.asarray(to_crs(table, network.crs).geometry.array, dtype=object)
        ids = table["facility_id"].to_numpy(dtype=object)
        targets = join_access(
            network, targets, snap_near(network, prepare_places(network, shapes, ids, "facility"), np.arange(len(ids)))
        )
    return _Ground(change, network, origins, targets)


def _nearest(cover: Cover, facilities: _Facilities, ground: _Ground, rows: list[Longs], *, anew: bool) -> Nearest:
    """What is found after the change; with `anew`, as when the speeds are others, every category is searched again.

    `rows` are those of the facilities of each category; the first categories are those of the cover.
    """
    from gridmap.coverage.cover import rows_by_category

    before, name = cover.nearest, np.append(facilities.rank, -1).astype(np.int32)
    old = [facilities.rank[row] for row in rows_by_category(cover.facilities, cover.counted, list(cover.thresholds))]
    nearest = Nearest.none(len(cover.buildings), len(rows), cover.k)
    nearest.facility[:, : len(old)] = name[before.facility]
    nearest.metres[:, : len(old)] = before.metres
    nearest.minutes[:, : len(old)] = before.minutes
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


def find_again(cover: Cover) -> gpd.GeoDataFrame:
    """The findings of a changed cover, as counting it anew would have them."""
    from gridmap.coverage.cover import is_counted, rows_by_category

    network, (origins, targets) = _parts(cover)
    services, homes = cover.facilities, cover.buildings
    counts = is_counted(services)
    rows = rows_by_category(services, cover.counted, list(cover.thresholds))
    counted = np.concatenate([*rows, np.empty(0, dtype=np.int64)])
    found = [
        *table_findings(homes, services),
        *category_findings(services, counts, cover.thresholds),
        *snapping_findings(services.iloc[counted], targets.take(counted), network.access_metres),
        *snapping_findings(homes, origins, network.access_metres),
        *unreachable_findings(homes, cover.nearest, cover.snapped, list(cover.thresholds)),
    ]
    return join_findings([join_rows(found, homes.crs), network.findings], crs=homes.crs)


def _count_anew(
    cover: Cover, facilities: gpd.GeoDataFrame, add: Any, close: Any, open_gates: Any, profile: Any
) -> Cover:
    """The whole cover counted again, for straight lines, several ranks and rules."""
    from gridmap.coverage.cover import cover as count
    from gridmap.coverage.cover import is_counted

    network = cover.network
    if network is not None and not (add is None and close is None and open_gates is None):
        network = network.with_changes(add, close, open_gates=open_gates)
    given = {name: cover.parameters.get(name) for name in ("minutes", "metres", "rules")}
    if given["rules"] is None:
        given[cover.measure] = _thresholds(cover, facilities.loc[is_counted(facilities), "category"])
    speeds = cover.parameters.get("profile") if profile is None else profile
    return count(cover.buildings, facilities, network, how=cover.how, k=cover.k, profile=speeds, **given)
