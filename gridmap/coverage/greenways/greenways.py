"""Greenways: slow streets of each community, the piece of network they belong to, and what that links it to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.counting.along_network import nearest_along_network
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.coverage.counting.units import find_units
from gridmap.coverage.greenways.greenway_findings import greenway_findings
from gridmap.coverage.greenways.slow_streets import SLOW_CLASSES, costs, is_greenway, is_slow, slow_network
from gridmap.coverage.permeability.shared_ground import share_lines
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import AttachedFindings, AttachedTable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.counting.units import Units
    from gridmap.coverage.greenways.slow_streets import SlowNetwork
    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

__all__ = ["Asked", "greenways", "read_asked"]


class Asked(NamedTuple):
    """What is asked: checked tables with buildings in order of ids, counts, thresholds, and facilities by category."""

    homes: gpd.GeoDataFrame
    services: gpd.GeoDataFrame
    counted: Flags
    weight: Floats
    measure: str
    thresholds: dict[str, float]
    rows: list[NDArray[np.int64]]


def greenways(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    categories: Sequence[str] | None = None,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    weight: str = "households",
    classes: Collection[str] = SLOW_CLASSES,
    profile: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Slow streets and greenways of each community, and which share of it they link to parks, stations and others.

    A home is linked to a category when it has a slow street within `access_metres` of the network, a facility of the
    category has one too, and the way between them on slow streets alone is within the threshold. Slow streets join
    where streets join: a footway that ends at a carriageway goes on beyond it only where a crossing is drawn, or where
    another slow street begins at the same place.

    Parameters
    ----------
    communities
        Polygons with ``community_id``.
    buildings, streets, facilities
        As for `cover`. Streets need a ``class``, or a column ``greenway`` that says yes of those that are.
    categories
        Places to be linked to, for example ``["park", "rail_station"]``; None means all that facilities offer.
    minutes, metres
        Threshold as for `cover`; a mapping chooses the categories.
    weight
        Column of buildings to count, and the denominator of the metres a head.
    classes
        Classes of slow streets; greenways always count.
    profile
        Who goes: None or a walking one means on foot, where cycleways are not walked on; ``"cyclist"`` by bicycle.
    barriers, compounds, entrances
        As for `cover`.

    Returns
    -------
    GeoDataFrame
        One row a community in order of the ids:

        - ``community_id``, ``total`` (of the denominator);
        - ``slow_metres`` of slow streets for walking or cycling (what lies on a border is shared), and of these
          ``greenway_metres`` (NaN where streets do not say); ``slow_metres_each``, ``greenway_metres_each``: by total;
        - ``near_slow``: share of the total with a slow street of the mode within range;
        - ``piece``: the connected piece of slow network, 1 the longest of all, on which most of its slow metres of the
          mode lie, ``piece_metres`` its whole length, ``pieces`` how many it has a part in, ``isolated_metres`` its
          metres on pieces where no facility of the categories stands;
        - for each category ``<category>_slow``: share of the total that is linked, and ``<category>_any``: share that
          reaches it on any street of the mode, as `cover` counts;
        - the polygon.

        Shares are NaN where the total is 0. ``.attrs``: ``denominator``, ``measure``, ``thresholds``, ``classes``,
        ``linked`` (long: community_id, category, total, slow, any), ``outside`` (buildings in no community and their
        count), ``findings``.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option has an impossible value, or streets do not say which are slow.

    Examples
    --------
    >>> from shapely import LineString, Point, box
    >>> lines = [[(500000, 0), (500200, 0)], [(500200, 0), (500400, 0)], [(500000, 60), (500400, 60)]]
    >>> streets = gpd.GeoDataFrame(
    ...     {"class": ["footway", "residential", "cycleway"]}, geometry=[LineString(line) for line in lines], crs=32650
    ... )
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 10]},
    ...     geometry=[Point(500010, 5), Point(500390, 5)], crs=32650,
    ... )
    >>> parks = gpd.GeoDataFrame(
    ...     {"facility_id": ["p"], "category": ["park"]}, geometry=[Point(500190, -5)], crs=32650
    ... )
    >>> area = gpd.GeoDataFrame({"community_id": ["c"]}, geometry=[box(500000, -50, 500400, 90)], crs=32650)
    >>> found = greenways(area, homes, streets, parks, metres=300)
    >>> found[["slow_metres", "slow_metres_each", "park_slow", "park_any"]]
       slow_metres  slow_metres_each  park_slow  park_any
    0        600.0              15.0       0.75       1.0
    """
    areas = check_table(communities, "communities")
    asked = read_asked(buildings, facilities, categories, minutes, metres, weight)
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    slow = slow_network(network, asked.homes, asked.services, classes)
    units = find_units(areas[["community_id", areas.geometry.name]], asked.homes, asked.services)
    order = np.argsort(areas["community_id"].to_numpy(dtype=str), kind="stable")
    areas = areas.iloc[order]
    shapes = np.asarray(to_crs(areas, network.crs).geometry.array)
    total = units.total(asked.weight)
    linked = _linked(network, slow, asked, units, total)
    columns = {
        "community_id": np.array(units.ids, dtype=object),
        "total": total,
        **_lengths(network.lines, shapes, total, classes),
        "near_slow": _share(units.total(asked.weight * (slow.near_homes if slow else 0.0)), total),
        **_pieces(slow, asked, shapes),
        **{
            f"{name}_{how}": _share(linked[how][:, i], total)
            for i, name in enumerate(asked.thresholds)
            for how in linked
        },
    }
    out = gpd.GeoDataFrame(columns, geometry=np.asarray(areas.geometry.array), crs=areas.crs)
    table = _long(units.ids, asked, total, linked)
    out.attrs.update(
        denominator=denominator_of(asked.homes, weight),
        measure=asked.measure,
        thresholds=asked.thresholds,
        classes=sorted(classes),
        linked=AttachedTable(table),
        outside={"buildings": len(units.outside), weight: float(asked.weight[units.outside].sum())},
        findings=AttachedFindings(greenway_findings(out, table, asked, units.outside)),
    )
    return out


def read_asked(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    categories: Sequence[str] | None,
    minutes: float | Mapping[str, float] | None,
    metres: float | Mapping[str, float] | None,
    weight: str,
) -> Asked:
    """The tables checked, and who asks for what within which distance."""
    limits = read_thresholds(minutes, metres)
    homes = check_table(buildings, "buildings", needs=("households",) if weight == "households" else ())
    services = check_table(facilities, "facilities")
    # in order of ids, so that sums do not depend on the order of rows
    homes = homes.iloc[np.argsort(homes["building_id"].to_numpy(dtype=str), kind="stable")]
    counted = is_counted(services)
    offered = services.loc[counted, "category"].unique() if categories is None else [str(c) for c in categories]
    thresholds = limits.by_category(offered)
    if categories is not None:
        thresholds = {name: limit for name, limit in thresholds.items() if name in set(offered)}
    rows = rows_by_category(services, counted, list(thresholds))
    return Asked(homes, services, counted, weights_of(homes, weight)[0], limits.measure, thresholds, rows)


def _share(part: Floats, total: Floats) -> Floats:
    return np.clip(np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0), 0, 1)


def _linked(
    network: StreetNetwork, slow: SlowNetwork | None, asked: Asked, units: Units, total: Floats
) -> dict[str, Floats]:
    """Of each unit and category what is linked on slow streets, and on any; (units, categories)."""
    limit = np.fromiter(asked.thresholds.values(), dtype=np.float64, count=len(asked.rows))
    homes, services = (to_crs(table, network.crs) for table in (asked.homes, asked.services))
    found = nearest_along_network(network, homes, services, asked.rows, measure=asked.measure, k=1)
    met = {"slow": np.zeros((len(homes), len(limit)), dtype=np.bool_)}
    if slow is not None:
        met["slow"] = costs(slow, asked.rows, asked.measure) <= limit
    met["any"] = found.nearest.cost(asked.measure)[:, :, 0] <= limit
    out = {how: units.total(asked.weight[:, None] * flags) for how, flags in met.items()}
    if any((part > total[:, None] * (1 + 1e-9) + 1e-6).any() for part in out.values()):
        raise AssertionError("more are linked than live there")
    return out


def _lengths(lines: gpd.GeoDataFrame, units: Shapes, total: Floats, classes: Collection[str]) -> dict[str, Floats]:
    """Metres of slow streets and of greenways in each unit, and for each that is counted."""
    slow = lines[is_slow(lines, classes)]
    geometry = np.asarray(slow.geometry.array, dtype=object)
    length = shapely.length(geometry)
    parts = share_lines(geometry, shapely.STRtree(geometry), units)
    green = is_greenway(lines)
    metres = {"slow": parts.total(length, len(units)), "greenway": np.full(len(units), np.nan)}
    if green is not None:
        own = green[is_slow(lines, classes)]
        metres["greenway"] = parts.total(np.where(own, length, 0.0), len(units))
    out = {}
    for name, values in metres.items():
        out[f"{name}_metres"] = values
        out[f"{name}_metres_each"] = np.divide(values, total, out=np.full(len(total), np.nan), where=total > 0)
    return out


def _pieces(slow: SlowNetwork | None, asked: Asked, units: Shapes) -> dict[str, Any]:
    """On which piece of the slow network each unit lies, and how much of its streets lead to no facility."""
    count = len(units)
    if slow is None:
        none = pd.array([pd.NA] * count, dtype="Int64")
        zero = np.zeros(count)
        return {
            "piece": none,
            "piece_metres": np.full(count, np.nan),
            "pieces": zero.astype(int),
            "isolated_metres": zero,
        }
    graph = slow.network.graph
    parts = share_lines(slow.network.edge_lines, slow.network.edge_tree, units)
    piece = graph.component[graph.edge_u]
    table = pd.DataFrame(
        {"unit": parts.unit, "piece": piece[parts.thing], "metres": parts.share * graph.edge_length[parts.thing]}
    )
    table = table.groupby(["unit", "piece"], sort=True)["metres"].sum().reset_index()
    table = table[table["metres"] >= 1.0]
    asked_for = np.concatenate([*asked.rows, np.empty(0, dtype=np.int64)])
    stands = slow.services.take(np.unique(asked_for[slow.near_services[asked_for]]))
    dead = ~table["piece"].isin(np.unique(piece[stands.edge])).to_numpy()
    main = table.sort_values(["unit", "metres", "piece"], ascending=[True, False, True], kind="stable")
    first = main.drop_duplicates("unit").set_index("unit")["piece"].reindex(range(count)).astype("Int64")
    whole = pd.Series(graph.component_length).reindex(first.fillna(-1).to_numpy(dtype=np.int64))
    return {
        "piece": (first + 1).array,
        "piece_metres": whole.to_numpy(dtype=np.float64),
        "pieces": np.bincount(table["unit"], minlength=count),
        "isolated_metres": np.bincount(table["unit"], weights=table["metres"] * dead, minlength=count),
    }


def _long(ids: list[str], asked: Asked, total: Floats, linked: dict[str, Floats]) -> pd.DataFrame:
    each = len(asked.thresholds)
    return pd.DataFrame(
        {
            "community_id": np.repeat(np.array(ids, dtype=object), each),
            "category": np.tile(np.array(list(asked.thresholds), dtype=object), len(ids)),
            "total": np.repeat(total, each),
            **{how: values.ravel() for how, values in linked.items()},
        }
    )
