"""Missing connectors: short new links between slow streets that would link most people to parks and other places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.coverage.greenways.greenways import read_asked
from gridmap.coverage.greenways.slow_streets import SLOW_CLASSES, SlowNetwork, is_slow, slow_network
from gridmap.coverage.permeability.missing_links import missing_links
from gridmap.network.streets import as_network
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from gridmap.network.streets import StreetNetwork

__all__ = ["missing_connectors"]

_COLUMNS = (
    "rank", "metres", "way_metres", "gained", "people", "categories", "saved", "from_street", "to_street", "from_piece",
    "to_piece", "crosses",
)  # fmt: skip


def missing_connectors(
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    categories: Sequence[str] | None = None,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    weight: str = "households",
    classes: Collection[str] = SLOW_CLASSES,
    max_gap: float = 100.0,
    detour: float = 3.0,
    across: Collection[str] = (),
    obstacles: gpd.GeoDataFrame | None = None,
    apart: float | None = None,
    count: int = 10,
    spacing: float = 25.0,
    profile: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """The short connectors between slow streets, not there today, that would link most people, as `greenways` counts.

    They are the `missing_links` of the slow streets alone: a connector may cross streets with motor traffic, where it
    is a crossing or a bridge (``crosses`` names their classes). Homes and facilities without a slow street within
    `access_metres` stay unlinked; people step onto a connector at its ends alone.

    Parameters
    ----------
    buildings, streets, facilities, categories, minutes, metres, weight, classes
        As for `greenways`.
    max_gap
        Connectors are no longer than this, metres.
    detour, across, obstacles, apart, count, spacing
        As for `missing_links`; ``"streets"`` in `across` are the slow ones, others never bar it.
    profile, barriers, compounds, entrances
        As for `greenways`.

    Returns
    -------
    GeoDataFrame
        As of `missing_links`, the best first, without ``draws`` (who has no slow street in range is not on one), but
        with ``from_piece`` and ``to_piece``: the pieces of slow network that each end lies on, 1 the longest.
        ``way_metres`` is today's way between the ends on slow streets, NaN where the pieces are apart.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option has an impossible value, or streets do not say which are slow.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> lines = [[(500000, 0), (500180, 0)], [(500200, 0), (500400, 0)], [(500190, -90), (500190, 90)]]
    >>> streets = gpd.GeoDataFrame(
    ...     {"class": ["footway", "footway", "primary"]}, geometry=[LineString(line) for line in lines], crs=32650
    ... )
    >>> home = gpd.GeoDataFrame({"building_id": ["a"], "households": [9]}, geometry=[Point(500010, 5)], crs=32650)
    >>> park = gpd.GeoDataFrame({"facility_id": ["p"], "category": ["park"]}, geometry=[Point(500390, 5)], crs=32650)
    >>> found = missing_connectors(home, streets, park, metres=500)
    >>> found[["metres", "gained", "from_piece", "to_piece", "crosses"]]
       metres  gained  from_piece  to_piece  crosses
    0    20.0     9.0           2         1  primary
    """
    asked = read_asked(buildings, facilities, categories, minutes, metres, weight)
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    slow = slow_network(network, asked.homes, asked.services, classes)
    near = slow is not None and slow.near_homes.any() and slow.near_services.any()
    if slow is None or not near or not asked.thresholds:
        return _none(asked.homes.crs)
    limits: dict[str, Any] = {asked.measure: asked.thresholds}
    links = missing_links(
        asked.homes[slow.near_homes], asked.services[slow.near_services], slow.network,
        **limits, weight=weight, longest=max_gap, detour=detour, across=across,
        obstacles=_obstacles(slow, asked.homes, across, obstacles), apart=apart, count=count, spacing=spacing,
    )  # fmt: skip
    if links.empty:
        return _none(asked.homes.crs, **links.attrs)
    lines = np.asarray(to_crs(links, network.crs).geometry.array, dtype=object)
    ends = {name: _pieces(slow, shapely.get_point(lines, at)) for name, at in (("from_piece", 0), ("to_piece", -1))}
    out = links.assign(**ends, crosses=_crossed(network.lines, lines, classes))
    return gpd.GeoDataFrame(out[[*_COLUMNS, out.geometry.name]])


def _obstacles(
    slow: SlowNetwork, homes: gpd.GeoDataFrame, across: Collection[str], others: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Other obstacles, and the footprints of homes that are not on slow streets: these bar the way all the same."""
    crs = slow.network.crs
    far = np.asarray(to_crs(homes, crs).geometry.array, dtype=object)[~slow.near_homes]
    shapes = far[shapely.get_dimensions(far) == 2] if "buildings" not in across else far[:0]
    if others is not None:
        shapes = np.concatenate((shapes, np.asarray(to_crs(others, crs).geometry.array, dtype=object)))
    return gpd.GeoDataFrame(geometry=shapes, crs=crs)


def _none(crs: object, **attrs: Any) -> gpd.GeoDataFrame:
    out = gpd.GeoDataFrame({name: [] for name in _COLUMNS}, geometry=[], crs=crs)
    out.attrs.update(attrs)
    return out


def _pieces(slow: SlowNetwork, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """The piece of slow network that each point lies on, from 1."""
    graph = slow.network.graph
    edge = slow.network.edge_tree.nearest(points)
    return graph.component[graph.edge_u[edge]].astype(np.int64) + 1


def _crossed(streets: gpd.GeoDataFrame, lines: NDArray[np.object_], classes: Collection[str]) -> NDArray[np.object_]:
    """Classes of the other streets that each line crosses."""
    other = streets[~is_slow(streets, classes)]
    out = np.full(len(lines), "", dtype=object)
    if "class" not in other:
        return out
    line, street = other.sindex.query(lines, predicate="intersects")
    names = other["class"].fillna("").astype(str).to_numpy(dtype=object)
    for row in np.unique(line):
        out[row] = ", ".join(sorted(set(names[street[line == row]]) - {""}))
    return out
