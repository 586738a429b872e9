"""Totals of zones spread over the buildings in them, to the last household.

Dasymetric mapping (Wright, 1936; with buildings: Lwin and Murayama, 2009): the total of a zone, a census polygon or a
cell of a population raster, goes to its buildings in proportion to what each may hold, here the plain estimate from
floor area. Where no building of a zone may hold anyone by that (points that nothing is known of, as in a list), those
that someone may live in share alike. Whole households come from the largest remainders, first among zones, then within
each zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.tables.households.overlaps import overlapping
from gridmap.tables.largest_remainder import largest_remainder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Spread", "spread_over_zones", "zone_table"]

_EXAMPLES = 20
_IDS = ("zone_id", "cell_id", "community_id", "code")


@dataclass(frozen=True)
class Spread:
    """Households by building, NaN for those in no zone; which of them share alike; and what to tell of it."""

    households: Array
    alike: NDArray[np.bool_]
    told: dict[str, Any]


def zone_table(zones: gpd.GeoDataFrame, persons_per_household: float | None) -> gpd.GeoDataFrame:
    """Zones by id with a column `total`: their households, or residents ÷ persons per household.

    Raises
    ------
    OptionError
        When there is neither column, or residents without `persons_per_household`.
    TableError
        When an id is repeated, a count negative, or a polygon invalid.
    """
    name = next((n for n in _IDS if n in zones.columns), None)
    ids = zones.index.astype(str) if name is None else zones[name]
    table = check_table(zones.assign(zone_id=ids), "zones")
    column = next((c for c in ("households", "residents") if c in table.columns), None)
    if column is None:
        present = ", ".join(map(str, zones.columns))
        raise OptionError(f"zones need a column 'households' or 'residents'; the columns are: {present}")
    total = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if column == "residents":
        if persons_per_household is None:
            raise OptionError(
                "the zones have residents: say how many make a household, persons_per_household=, from the census of "
                "the place"
            )
        total = total / persons_per_household
    table["total"] = total
    return table.sort_values("zone_id", kind="stable").reset_index(drop=True)


def spread_over_zones(
    buildings: gpd.GeoDataFrame,
    capacities: Mapping[str, Array],
    known: Array,
    zones: gpd.GeoDataFrame,
    *,
    shared: bool,
    otherwise: Sequence[NDArray[np.bool_]] = (),
) -> Spread:
    """Each zone's total, less the households known in it, over its buildings without a count.

    Parameters
    ----------
    buildings
        In metres, with ``building_id``.
    capacities
        What each building may hold, by what is known of it, the best first; only proportions matter.
    known
        Households where they are known, else NaN.
    zones
        As `zone_table` gives them.
    shared
        Whether a building is shared out among the zones it lies in, by footprint (cells of a raster), or belongs to
        the one that holds its point on surface, of several the first by id (census polygons).
    otherwise
        Which buildings share alike in a zone where nothing has a capacity: the first of these with any building there.
    """
    zones = to_crs(zones, buildings.crs)
    by_id = np.argsort(buildings["building_id"].to_numpy(dtype=str), kind="stable")
    shapes = np.asarray(buildings.geometry.array)[by_id]
    areas = np.asarray(zones.geometry.array)
    stated = np.isfinite(zones["total"].to_numpy())
    row, zone, share = _shares(shapes, areas) if shared else _inside(shapes, areas)
    reached = np.bincount(zone, minlength=len(zones))
    if not shared:
        row, first = np.unique(row, return_index=True)
        zone, share = zone[first], share[first]
    elsewhere = reached > np.bincount(zone, minlength=len(zones))
    row, zone, share = (a[stated[zone]] for a in (row, zone, share))
    building = by_id[row]
    total = np.where(stated, zones["total"].to_numpy(), 0.0)

    capacity = np.sum(list(capacities.values()), axis=0)
    has_count = np.isfinite(known)
    counted = has_count[building]
    held: Array = np.bincount(zone[counted], known[building[counted]] * share[counted], len(total)).astype(np.float64)
    weight = np.where(counted, 0.0, capacity[building] * share)
    room = np.bincount(zone, weight, len(total))
    by_capacity = room > 0
    for alike in otherwise:
        instead = np.where(counted | (room > 0)[zone], 0.0, alike[building] * share)
        weight += instead
        room += np.bincount(zone, instead, len(total))
    rest = np.maximum(total - held, 0.0)
    whole = np.zeros(len(total), dtype=np.int64)
    gets = (room > 0) & (rest > 0)
    open_zones = np.flatnonzero(gets)
    whole[open_zones] = largest_remainder(rest[open_zones], np.zeros(len(open_zones), dtype=np.int64))
    parts = largest_remainder(weight, zone, whole)
    given = np.bincount(building, parts, len(buildings))
    if int(given.sum()) != int(whole.sum()):
        raise AssertionError(f"{given.sum()} households in the buildings, {whole.sum()} in the zones")

    inside = np.bincount(building, minlength=len(buildings)) > 0
    households = np.where(has_count, known, np.where(inside, given, np.nan))
    ids = zones["zone_id"].to_numpy(dtype=object)
    lost = (room <= 0) & (rest > 0)
    pairs = overlapping(areas, ids)
    # what stands there is in another zone that has the same land
    taken = lost & elsewhere & np.isin(ids, [name for a, b, _ in pairs for name in (a, b)])
    lost &= ~taken
    over = held > total + 0.5
    outside = ~inside[by_id] & ~has_count[by_id]
    told = {
        "count": len(zones),
        "total": float(total.sum()),
        "known": float(np.minimum(held, total).sum()),
        "spread": int(whole.sum()),
        "shared_by": _shared_by(
            gets, {name: np.where(counted, 0.0, own[building] * share) for name, own in capacities.items()}, zone
        ),
        "alike": _told(ids, gets & ~by_capacity, rest),
        "without_floor_area": _told(ids, lost, rest),
        "overlapping": {**_told(ids, taken, rest), "pairs": pairs},
        "known_above_total": _told(ids, over & stated, held - total),
        "without_total": {"count": int((~stated).sum()), "ids": ids[~stated][:_EXAMPLES].tolist()},
        "buildings_in_no_zone": {
            "count": int(outside.sum()),
            "ids": buildings["building_id"].to_numpy(dtype=object)[by_id][outside][:_EXAMPLES].tolist(),
        },
    }
    by_share = np.zeros(len(buildings), dtype=bool)
    by_share[building[(weight > 0) & ~by_capacity[zone]]] = True
    return Spread(households, by_share, told)


def _inside(shapes: NDArray[Any], areas: NDArray[Any]) -> tuple[Ints, Ints, Array]:
    """Building, zone and share (1) of each building and each zone that it is in, by building and zone."""
    # the tree holds the points: what is asked for is prepared, and zones have far more corners
    zone, row = shapely.STRtree(shapely.point_on_surface(shapes)).query(areas, predicate="intersects")
    order = np.lexsort((zone, row))
    return row[order], zone[order], np.ones(len(row))


def _shares(shapes: NDArray[Any], areas: NDArray[Any]) -> tuple[Ints, Ints, Array]:
    """Building, zone and share of the footprint of each pair that overlaps, by building and zone."""
    tree = shapely.STRtree(shapes)
    zone, row = tree.query(areas, predicate="intersects")
    order = np.lexsort((zone, row))
    row, zone = row[order], zone[order]
    footprint = shapely.area(shapes)[row]
    flat = footprint == 0
    cut = ~flat & ~shapely.contains_properly(areas[zone], shapes[row])
    share = np.ones(len(row))
    share[cut] = shapely.area(shapely.intersection(shapes[row[cut]], areas[zone[cut]])) / footprint[cut]
    # a point on a border lies in the first zone only; a footprint that only touches a zone is not in it
    starts = np.ones(len(row), dtype=bool)
    starts[1:] = row[1:] != row[:-1]
    keep = np.where(flat, starts, share > 0)
    return row[keep], zone[keep], share[keep]


def _shared_by(gets: NDArray[np.bool_], weights: Mapping[str, Array], zone: Ints) -> dict[str, int]:
    """How many zones are shared by what: the best that is known of any of their buildings."""
    out, left = {}, gets.copy()
    for name, weight in weights.items():
        has = left & (np.bincount(zone, weight, len(left)) > 0)
        out[name] = int(has.sum())
        left &= ~has
    return {**out, "alike": int(left.sum())}


def _told(ids: NDArray[Any], which: NDArray[np.bool_], households: Array) -> dict[str, Any]:
    named = {
        str(i): round(float(h), 3) for i, h in zip(ids[which][:_EXAMPLES], households[which][:_EXAMPLES], strict=True)
    }
    return {"count": int(which.sum()), "households": float(households[which].sum()), "ids": named}
