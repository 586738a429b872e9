"""Within reach: from one home, every facility that can be reached, and the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.coverage.counting.cover_findings import join_rows, snapping_findings
from gridmap.coverage.counting.services import is_counted
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.network.route import Place, one_place, route_along
from gridmap.network.route_tree import find_ways
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import AttachedFindings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["within_reach"]


def within_reach(
    place: Any,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    profile: Any = None,
    nearest_only: bool = False,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """From one home, every facility within reach, the nearest first, with the way there.

    One search finds all. Distances are those of `cover`; a one-way street counts in the direction from home.

    Parameters
    ----------
    place
        The home: a table of one row in any CRS (with ``building_id``, its entrances count), or a geometry in the metric
        CRS of the streets.
    facilities
        Facilities; planned ones and those that are not public do not count, as in `cover`.
    streets
        Streets, or a `StreetNetwork` prepared from them, which knows its mode.
    minutes, metres
        Limit, one number or a mapping from category to number; at most one of the two, none means 15 minutes.
    profile
        Who goes and how: ``"adult"``, ``"elderly"``, ``"child"``, ``"cyclist"``, ``"car"`` or a mapping; None means
        that of the prepared network, else ``"adult"``.
    nearest_only
        Only the nearest of each category.
    barriers, compounds, entrances
        For streets that are not prepared yet; see `StreetNetwork.from_streets`.

    Returns
    -------
    GeoDataFrame
        One row a facility: ``facility_id``, ``category``, ``name`` (where facilities have one), ``metres``,
        ``minutes``, ``streets`` (their names along the way, joined by `` > ``; unnamed ones are left out), and the way
        as a line, in the CRS of the facilities. ``.attrs["findings"]`` says which of the places, that of the home among
        them, are far from any street, find none, or stand on streets apart from the main network.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When arguments contradict each other.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> street = LineString([(500000, 0), (500400, 0)])
    >>> streets = gpd.GeoDataFrame({"name": ["Main Street"]}, geometry=[street], crs=32650)
    >>> shops = gpd.GeoDataFrame(
    ...     {"facility_id": ["near", "far"], "category": "shop"},
    ...     geometry=[Point(500100, 5), Point(500390, 0)], crs=32650,
    ... )
    >>> found = within_reach(Point(500000, 0), shops, streets, metres=200)
    >>> found[["facility_id", "metres", "streets"]].to_dict("records")
    [{'facility_id': 'near', 'metres': 105.0, 'streets': 'Main Street'}]
    """
    limits = read_thresholds(minutes, metres)
    services = check_table(facilities, "facilities")
    counts = is_counted(services)
    thresholds = limits.by_category(services.loc[counts, "category"].unique())
    services = services[counts & services["category"].isin(list(thresholds)).to_numpy()]
    # equally near ones in the order of their ids, whatever that of the rows
    services = services.iloc[np.argsort(services["facility_id"].to_numpy(dtype=str), kind="stable")]
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    home = one_place(network, place, "building")
    shapes = np.asarray(to_crs(services, network.crs).geometry.array, dtype=object)
    ids = services["facility_id"].to_numpy(dtype=object)
    origin = network.access([home.shape], kind=home.kind, ids=[home.id])
    targets = network.access(shapes, kind="facility", ids=ids)
    category = services["category"].to_numpy(dtype=object)
    rows, routes = [], []
    seen = set()
    for way in find_ways(network, origin, targets, by=limits.measure, limit=max(thresholds.values(), default=0.0)):
        kind = str(category[way.target])
        if way.cost > thresholds[kind] or (nearest_only and kind in seen):
            continue
        seen.add(kind)
        there = Place(shapes[way.target], "facility", str(ids[way.target]))
        rows.append(way.target)
        routes.append(route_along(network, (home, origin), (there, targets), *way[2:]))
    known = services[[c for c in ("facility_id", "category", "name") if c in services]]
    table = pd.DataFrame(known).iloc[rows].reset_index(drop=True)
    table = table.assign(
        metres=np.array([route.metres for route in routes], dtype=np.float64),
        minutes=np.array([route.minutes for route in routes], dtype=np.float64),
        streets=[" > ".join(route.streets) for route in routes],
    )
    lines = gpd.GeoSeries([route.geometry for route in routes], crs=network.crs).to_crs(facilities.crs)
    found = gpd.GeoDataFrame(table, geometry=lines)
    found.attrs["findings"] = _findings(network, services, home, origin, targets)
    return found


def _findings(
    network: StreetNetwork, services: gpd.GeoDataFrame, home: Place, origin: Access, targets: Access
) -> AttachedFindings:
    """How the places got onto the streets, where that is odd."""
    place = gpd.GeoDataFrame({"building_id": [home.id]}, geometry=[home.shape], crs=network.crs).to_crs(services.crs)
    rows = [
        *snapping_findings(services, targets, network.access_metres),
        *snapping_findings(place, origin, network.access_metres),
    ]
    return AttachedFindings(join_rows(rows, services.crs))
