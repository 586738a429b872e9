"""Catchments: which facility each building's people go to when places are few, at the least total distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.counting.amounts import amounts_of
from gridmap.coverage.counting.cover_findings import category_findings, join_rows, snapping_findings
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.errors import OptionError
from gridmap.network.bounded import within
from gridmap.network.streets import as_network
from gridmap.siting.capacity.local_moves import Question, settle
from gridmap.siting.capacity.pieces import Pieces, atoms_of, buildings_alone, pairs_of_pieces
from gridmap.siting.capacity.transport import Flows, least_cost, penalty_of, whole_at_least_cost
from gridmap.siting.solve.pairs import Pairs, make_pairs
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import AttachedFindings, AttachedTable, finding

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.division.plans.plan import GridPlan
    from gridmap.network.streets import StreetNetwork

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["STATUSES", "catchments"]

#: placed; no_place: facilities within reach have no place left (or none whose catchment lies beside has); beyond: none
#: is within reach; unsnapped: the building found no street.
STATUSES = ("placed", "no_place", "beyond", "unsnapped")


class _Town(NamedTuple):
    """Checked tables in order of ids, who reaches whom (in metres and minutes), and what each is and offers."""

    homes: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    pairs: Pairs
    other: Floats
    snapped: NDArray[np.bool_]
    counts: Floats
    capacity: Floats
    findings: list[dict[str, Any]]
    crs: Any


class _Answer(NamedTuple):
    """How many of each pair go, how that was found, whether nothing is better, and the site of each piece of ground."""

    flow: Floats
    method: str
    proved: bool
    pieces: pd.DataFrame | None


def catchments(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    category: str,
    capacity: str = "capacity",
    default_capacity: float | None = None,
    weight: str = "children",
    minutes: float | None = None,
    metres: float | None = None,
    split: bool = False,
    contiguous: bool = False,
    plan: GridPlan | None = None,
    profile: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Everybody to a facility with a place for them: as many as possible, and these at the least total distance.

    No facility takes more than its capacity; who finds no place is a row as well. Without `contiguous`, split buildings
    are the optimum of the transport problem (HiGHS), and whole ones are solved exactly where there are few pairs, else
    rounded from it and improved by local moves. With `contiguous`, the catchment of each facility hangs together: what
    does not is cut from that solution, taken by catchments beside it, and improved by local moves. What is not proved
    is a good solution, and its gap to the transport problem, which no assignment can beat, is stated.

    Parameters
    ----------
    buildings, facilities, streets
        As for `cover`; facilities that are planned or not public take nobody.
    category
        Of the facilities.
    capacity, default_capacity
        Column with the places of each, and what one with an empty cell has; None means that none may be empty.
    weight
        Who goes: a column of buildings.
    minutes, metres
        How far at most, one number; at most one of the two, none means 15 minutes. It is also what is least in sum.
    split
        Whether the people of a building may go to several facilities.
    contiguous
        Whether catchments hang together: over the atoms of `plan` that join, each atom as a whole; without a plan over
        buildings that are neighbours in a Delaunay triangulation of their places. Land and buildings without people
        belong to catchments then, to join them.
    plan
        A plan with atoms. Where its atoms do not join, as between communities, no catchment goes on.
    profile, barriers, compounds, entrances
        As for `cover`.

    Returns
    -------
    DataFrame
        One row a building and facility, in order of the ids: ``building_id``, ``facility_id`` (missing without place),
        ``count``, ``metres``, ``minutes``, ``status`` (`STATUSES`); the counts of a building add up to all its people.
        ``.attrs``:

        - ``facilities``: facility_id, capacity, assigned, spare; ``denominator``, ``measure``, ``limit``, ``method``;
        - ``placed`` and ``most_placed``: how many find a place, and how many can at most;
        - ``cost``: people times measure, ``bound``: its least value with `most_placed`, buildings split at will;
          ``gap``: how much the cost is above the bound, as a share of the cost, NaN where fewer than `most_placed` are
          placed; ``proved``: nothing that keeps to what is asked is better;
        - ``pieces`` (with `contiguous`): facility of each atom or building; ``findings``.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option has an impossible value or a capacity is missing.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> streets = gpd.GeoDataFrame(geometry=[LineString([(500000, 0), (500400, 0)])], crs=32650)
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b", "c"], "children": [20, 10, 15]},
    ...     geometry=[Point(500050, 0), Point(500100, 0), Point(500350, 0)], crs=32650,
    ... )
    >>> schools = gpd.GeoDataFrame(
    ...     {"facility_id": ["s", "t"], "category": "school", "capacity": [20, 30]},
    ...     geometry=[Point(500060, 0), Point(500300, 0)], crs=32650,
    ... )
    >>> found = catchments(homes, schools, streets, category="school", metres=500)
    >>> found[["building_id", "facility_id", "count", "metres"]]
      building_id facility_id  count  metres
    0           a           s   20.0    10.0
    1           b           t   10.0   200.0
    2           c           t   15.0    50.0
    """
    limits = read_thresholds(minutes, metres)
    if isinstance(limits.limit, dict):
        raise OptionError(f"{limits.measure} must be one number here: catchments are of one category.")
    if contiguous and split:
        raise OptionError("contiguous catchments are of whole buildings; give split or contiguous, not both.")
    if plan is not None and not contiguous:
        raise OptionError("plan= says which ground joins, so it needs contiguous=True.")
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    town = _read(
        buildings, facilities, network, limits.measure, limits.limit, (category, capacity, default_capacity, weight)
    )
    best = least_cost(town.pairs, town.counts, town.capacity)
    answer = _answer(town, best, split=split, contiguous=contiguous, plan=plan)
    out = _table(town, answer.flow, limits.measure)
    out.attrs.update(
        _quality(town, answer, best),
        denominator=denominator_of(town.homes, weight),
        measure=limits.measure,
        limit=limits.limit,
        facilities=AttachedTable(_loads(town, answer.flow)),
        findings=AttachedFindings(join_rows([*town.findings, *_unplaced(out, weight)], town.homes.crs)),
    )
    if answer.pieces is not None:
        out.attrs["pieces"] = AttachedTable(answer.pieces)
    return out


def _read(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    network: StreetNetwork,
    measure: str,
    limit: float,
    asked: tuple[str, str, float | None, str],
) -> _Town:
    category, column, default, weight = asked
    homes, services = check_table(buildings, "buildings"), check_table(facilities, "facilities")
    homes = homes.iloc[np.argsort(homes["building_id"].to_numpy(dtype=str), kind="stable")]
    services = services.iloc[np.argsort(services["facility_id"].to_numpy(dtype=str), kind="stable")]
    counts, _ = weights_of(homes, weight)
    own = services["category"].eq(category).to_numpy() & is_counted(services)
    offer = amounts_of(services, column, default, counted=own)[own]
    rows = category_findings(services, own, {category: limit})
    sites = services[own]
    origins = network.access(to_crs(homes, network.crs), kind="building")
    targets = network.access(to_crs(sites, network.crs), kind="facility")
    for table, access in ((sites, targets), (homes, origins)):
        rows += snapping_findings(table, access, network.access_metres)
    found = within(network, targets, origins, by=measure, limit=limit)
    pairs = make_pairs(found.origin, found.target, found.cost, len(homes), len(sites))
    snapped = origins.status != "unsnapped"
    # `within` gives pairs once each, by origin and target, as pairs are
    return _Town(homes, sites, pairs, found.other, np.asarray(snapped), counts, offer, rows, network.crs)


def _answer(town: _Town, best: Flows, *, split: bool, contiguous: bool, plan: GridPlan | None) -> _Answer:
    pairs = town.pairs
    if split:
        return _Answer(best.flow, "transport", True, None)
    if not contiguous:
        site, proved = whole_at_least_cost(pairs, town.counts, town.capacity, best)
        if not proved:
            site = settle(Question(pairs, town.counts, town.capacity, None, penalty_of(pairs)), site)
        every = np.arange(pairs.demands)
        flow = _flow(pairs, every, site, town.counts)
        return _Answer(flow, "exact" if proved else "transport, rounded to whole buildings", proved, None)
    shapes = np.asarray(to_crs(town.homes, town.crs).geometry.array, dtype=object)
    if plan is None:
        xy = shapely.get_coordinates(shapely.point_on_surface(shapes))
        pieces = buildings_alone(xy, town.homes["building_id"].to_numpy(dtype=object))
    else:
        pieces = atoms_of(plan, town.homes, town.crs)
    return _contiguous(town, pieces)


def _contiguous(town: _Town, pieces: Pieces) -> _Answer:
    sites = np.asarray(to_crs(town.sites, town.crs).geometry.array, dtype=object)
    places = shapely.get_coordinates(shapely.point_on_surface(sites))
    site = np.full(len(pieces.beside), -1, dtype=np.int64)
    if len(places):
        pairs, weight = pairs_of_pieces(pieces, town.pairs, town.counts, places)
        start, _ = whole_at_least_cost(pairs, weight, town.capacity)
        bare = np.flatnonzero((weight == 0) & (np.diff(pairs.demand_ptr) > 0))
        nearest = [
            first + np.argmin(pairs.cost[first:last])
            for first, last in zip(pairs.demand_ptr[bare], pairs.demand_ptr[bare + 1], strict=True)
        ]
        start[bare] = pairs.site[nearest]
        site = settle(Question(pairs, weight, town.capacity, pieces.beside, penalty_of(pairs)), start)
    flow = _flow(town.pairs, pieces.building, site[pieces.piece], town.counts[pieces.building] * pieces.share)
    ids = np.array([*town.sites["facility_id"], None], dtype=object)
    table = pd.DataFrame({"piece_id": pieces.names, "facility_id": ids[site]})
    return _Answer(flow, "transport, made contiguous", False, table)


def _flow(pairs: Pairs, demand: Longs, site: Longs, count: Floats) -> Floats:
    """Flow of each pair where some of a demand go to a site; what has no such pair goes nowhere."""
    key = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr)) * max(pairs.sites, 1) + pairs.site
    wanted = demand * max(pairs.sites, 1) + site
    at = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
    hit = (site >= 0) & (key[at] == wanted) if len(key) else np.zeros(len(site), dtype=np.bool_)
    return np.bincount(at[hit], weights=count[hit], minlength=len(key)).astype(np.float64)


def _table(town: _Town, flow: Floats, measure: str) -> pd.DataFrame:
    """Rows of those placed and of those without, by building and facility; nobody gets lost."""
    pairs = town.pairs
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    goes = np.flatnonzero(flow > 0)
    rest = town.counts - np.bincount(demand, weights=flow, minlength=pairs.demands)
    left = np.flatnonzero((rest > 1e-9 * np.maximum(town.counts, 1.0)) | (town.counts == 0))
    reached = np.diff(pairs.demand_ptr)[left] > 0
    why = np.where(~town.snapped[left], 3, np.where(reached, 1, 2))
    building = np.concatenate((demand[goes], left))
    site = np.concatenate((pairs.site[goes].astype(np.int64), np.full(len(left), -1)))
    cost, other = (np.concatenate((values[goes], np.full(len(left), np.nan))) for values in (pairs.cost, town.other))
    order = np.lexsort((np.where(site < 0, pairs.sites, site), building))
    in_minutes = measure == "minutes"
    ids = np.array([*town.sites["facility_id"], None], dtype=object)
    out = pd.DataFrame(
        {
            "building_id": town.homes["building_id"].to_numpy(dtype=object)[building],
            "facility_id": ids[site],
            "count": np.concatenate((flow[goes], rest[left])),
            "metres": other if in_minutes else cost,
            "minutes": cost if in_minutes else other,
            "status": np.array(STATUSES, dtype=object)[np.concatenate((np.zeros(len(goes), dtype=np.int64), why))],
        }
    ).iloc[order]
    if not np.isclose(out["count"].sum(), town.counts.sum()):
        raise AssertionError(f"{out['count'].sum()} of {town.counts.sum()} are assigned or told")
    # whoever is not there needs no place
    return out[out["count"] > 0].reset_index(drop=True)


def _loads(town: _Town, flow: Floats) -> pd.DataFrame:
    load = np.bincount(town.pairs.site, weights=flow, minlength=town.pairs.sites).astype(np.float64)
    if (load > town.capacity * (1 + 1e-9) + 1e-6).any():
        raise AssertionError("a facility takes more than it has places for")
    return pd.DataFrame(
        {
            "facility_id": town.sites["facility_id"].to_numpy(dtype=object),
            "capacity": town.capacity,
            "assigned": load,
            "spare": np.maximum(town.capacity - load, 0.0),
        }
    )


def _quality(town: _Town, answer: _Answer, best: Flows) -> dict[str, Any]:
    placed, cost = float(answer.flow.sum()), float((answer.flow * town.pairs.cost).sum())
    full = placed >= best.placed - 1e-6 * max(best.placed, 1.0)
    gap = max(cost - best.cost, 0.0) / cost if cost > 0 else 0.0
    return {
        "placed": placed,
        "most_placed": best.placed,
        "cost": cost,
        "bound": best.cost,
        "gap": gap if full else np.nan,
        "proved": answer.proved or (full and gap <= 1e-9),
        "method": answer.method,
    }


def _unplaced(table: pd.DataFrame, weight: str) -> list[dict[str, Any]]:
    rows = []
    for status, rule, text, cure in (
        (
            "no_place", "no_place_left", "reach a facility but find no place in it",
            "Add places or facilities there, allow longer ways, or let buildings be split.",
        ),
        (
            "beyond", "no_facility_in_reach", "have no facility within reach", "Add one there, or allow longer ways.",
        ),
    ):  # fmt: skip
        own = table[table["status"] == status]
        if len(own):
            many = float(own["count"].sum())
            rows.append(
                finding(
                    "warning", rule, f"{many:,.0f} ({weight}) in {len(own):,} buildings {text}.", cure=cure,
                    ids=own["building_id"], certificate={"count": many},
                )
            )  # fmt: skip
    return rows
