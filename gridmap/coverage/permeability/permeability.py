"""Permeability: how finely streets divide the land of each unit, and how directly people get about in it.

The aim of small blocks and a dense network (小街区、密路网) in figures, by grid, community or district.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.coverage.counting.units import unit_polygons
from gridmap.coverage.permeability.city_blocks import block_sizes, city_blocks
from gridmap.coverage.permeability.detours import LONGEST, Places, detours
from gridmap.coverage.permeability.shared_ground import share_lines, share_points
from gridmap.errors import OptionError
from gridmap.network.noding import components
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gridmap.coverage.permeability.shared_ground import Parts
    from gridmap.network.graph import Graph
    from gridmap.network.streets import StreetNetwork

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["NORMS", "ROAD_CLASSES", "permeability"]

#: What norms say of some columns, each with how well its wording is known.
NORMS: tuple[dict[str, Any], ...] = (
    {
        "column": "road_km_per_km2", "at_least": 8.0, "source": "GB 50180-2018, 6.0.2", "mark": "text (OCR)",
        "quote": "路网密度不应小于8km/km²",
    },
    {
        "column": None, "item": "spacing of city roads, metres", "at_most": 300.0, "preferred": (150.0, 250.0),
        "source": "GB 50180-2018, 6.0.2", "mark": "text (OCR)", "quote": "城市道路间距不应超过300m,宜为150～250m",
    },
    {
        "column": None, "item": "spacing of the pedestrian network, metres", "preferred": (100.0, 180.0),
        "source": "Shanghai 15-minute community life circle guideline (trial), 2016", "mark": "secondary",
        "quote": "间距宜为100-180米",
    },
)  # fmt: skip

#: Classes that count as roads: those of the city's road network, not footways, paths, tracks and service ways.
ROAD_CLASSES = frozenset(
    f"{name}{link}"
    for name in ("motorway", "trunk", "primary", "secondary", "tertiary")
    for link in ("", "_link")
) | {"unclassified", "residential", "living_street", "pedestrian", "road"}  # fmt: skip


def permeability(
    streets: gpd.GeoDataFrame | StreetNetwork,
    by: Any,
    *,
    buildings: gpd.GeoDataFrame | None = None,
    least_width: float = 20.0,
    join_metres: float = 10.0,
    detour_metres: tuple[float, float] = (100.0, 500.0),
    detour_origins: int | None = 50,
    seed: int = 0,
    profile: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Block size, street and intersection density, dead ends and detours of each unit, on the walking network.

    What lies on the border of two units, within 1 m, counts half in each: units end in the middle of streets.

    Parameters
    ----------
    streets
        Streets, or a `StreetNetwork` prepared from them.
    by
        Units with an area: polygons, or a plan (its grids).
    buildings
        With them detours are measured from building to building, access legs and gates included; without, between
        intersections and dead ends.
    least_width
        A block is a face of the walking network in which a circle of this diameter fits, metres: what is narrower
        (between a pavement and its carriageway) is road.
    join_metres
        Intersections this near to one another, in chains, are one (G. Boeing, "OSMnx: New methods for acquiring,
        constructing, analyzing, and visualizing complex street networks", Computers, Environment and Urban Systems 65,
        2017, joins them likewise); 0 counts each.
    detour_metres
        Least and greatest straight distance of the pairs whose ways are measured.
    detour_origins
        From how many places of each unit, drawn at random, ways are measured; None means from all.
    seed
        Of that draw.
    profile, barriers, compounds, entrances
        As for `cover`.

    Returns
    -------
    GeoDataFrame
        One row a unit in order of the ids, with its polygon:

        - ``unit_id``, ``area_km2``;
        - ``walk_km``, ``walk_km_per_km2``: length of the walking network; ``road_km``, ``road_km_per_km2``: of that the
          roads (`ROAD_CLASSES`; carriageways drawn apart count each), NaN where streets have no class;
        - ``blocks`` (a block that units divide counts by its share of land in each), ``block_ha_mean``,
          ``block_ha_median``, ``block_ha_largest`` (hectares, of whole blocks), ``block_land_share`` (of the unit's
          land);
        - ``intersections`` (nodes where three or more streets meet) and ``intersections_per_km2``; ``dead_ends`` and
          ``dead_end_share`` (of dead ends and intersections);
        - ``detour_mean``, ``detour_median``: way along the streets over straight line (pedestrian route directness,
          T. A. Randall, B. W. Baetz, "Evaluating pedestrian connectivity for suburban sustainability", Journal of Urban
          Planning and Development 127, 2001), where more than 3, or no way at all, counts as 3; ``detour_far_share``
          (of such pairs) and ``detour_pairs``. Small pieces cut off from the network are not measured.

        ``.attrs`` holds ``norms`` (of `NORMS`), the number of ``narrow_faces`` that are no blocks, and the parameters.

    Raises
    ------
    OptionError
        When units have no area or an option an impossible value.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, box
    >>> lines = [LineString([(x, 0), (x, 100), (x, 200)]) for x in (500000, 500100, 500200)]
    >>> lines += [LineString([(500000, y), (500100, y), (500200, y)]) for y in (0, 100, 200)]
    >>> unit = gpd.GeoDataFrame({"grid_id": ["g"]}, geometry=[box(500000, 0, 500200, 200)], crs=32650)
    >>> figures = permeability(gpd.GeoDataFrame(geometry=lines, crs=32650), unit)
    >>> figures[["walk_km", "blocks", "block_ha_mean", "intersections", "dead_ends"]]
       walk_km  blocks  block_ha_mean  intersections  dead_ends
    0      1.2     4.0            1.0            5.0        0.0
    """
    ring = _check(least_width, join_metres, detour_metres, detour_origins)
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    areas = _areas(by)
    ids, units = unit_polygons(areas, network.crs)
    if not (shapely.area(units) > 0).all():
        raise OptionError("by has units without an area; give polygons.")
    km2 = shapely.area(units) / 1e6
    blocks, narrow = city_blocks(network.edge_lines, least_width)
    places, parts = _places(network, units, buildings)
    columns = {
        **_lengths(network, units, km2),
        **block_sizes(blocks, units),
        **_crossings(network.graph, units, km2, join_metres),
        **detours(network, places, parts, ids, ring=ring, origins=detour_origins, seed=seed),
    }
    geometry = gpd.GeoSeries(units, crs=network.crs).to_crs(areas.crs)
    out = gpd.GeoDataFrame({"unit_id": np.array(ids, dtype=object), "area_km2": km2, **columns}, geometry=geometry)
    out.attrs.update(
        norms=[dict(norm) for norm in NORMS],
        narrow_faces=narrow,
        parameters={
            "least_width": least_width, "join_metres": join_metres, "detour_metres": ring,
            "detour_origins": detour_origins, "detour_longest": LONGEST, "seed": seed,
        },
    )  # fmt: skip
    return out


def _check(
    least_width: float, join_metres: float, detour_metres: Iterable[float], detour_origins: int | None
) -> tuple[float, float]:
    for name, value in (("least_width", least_width), ("join_metres", join_metres)):
        if not 0 <= value < np.inf:
            raise OptionError(f"{name}={value!r} must be a number of metres, 0 or more.")
    ring = tuple(float(value) for value in detour_metres)
    if len(ring) != 2 or not 0 <= ring[0] < ring[1] < np.inf:
        raise OptionError(f"detour_metres={detour_metres!r} must be the least and the greatest distance, in metres.")
    if detour_origins is not None and (isinstance(detour_origins, bool) or detour_origins < 1):
        raise OptionError(f"detour_origins={detour_origins!r} must be a whole number of at least 1, or None for all.")
    return ring[0], ring[1]


def _areas(by: Any) -> gpd.GeoDataFrame:
    areas = getattr(by, "grids", by)
    if not isinstance(areas, gpd.GeoDataFrame):
        raise OptionError(f"by must be polygons or a plan, not {type(by).__name__}: permeability is of land.")
    return areas


def _lengths(network: StreetNetwork, units: NDArray[np.object_], km2: Floats) -> dict[str, Floats]:
    """Kilometres of walking network and of roads, and how dense they are."""
    parts = share_lines(network.edge_lines, network.edge_tree, units)
    graph = network.graph
    walk = parts.total(graph.edge_length / 1000, len(units))
    road = np.full(len(units), np.nan)
    if "class" in network.streets:
        is_road = network.streets["class"].isin(ROAD_CLASSES).to_numpy()[graph.edge_street]
        road = parts.total(graph.edge_length * is_road / 1000, len(units))
    return {"walk_km": walk, "walk_km_per_km2": walk / km2, "road_km": road, "road_km_per_km2": road / km2}


def _crossings(graph: Graph, units: NDArray[np.object_], km2: Floats, join_metres: float) -> dict[str, Floats]:
    """Intersections, joined where they are near, and dead ends.

    A node where two streets meet is none of both, so the degree is that of the graph without such nodes.
    """
    degree = _degree(graph)
    parts = share_points(_join_near(graph.node_xy[degree >= 3], join_metres), units)
    crossing = np.bincount(parts.unit, weights=parts.share, minlength=len(units)).astype(np.float64)
    parts = share_points(graph.node_xy[degree == 1], units)
    dead = np.bincount(parts.unit, weights=parts.share, minlength=len(units)).astype(np.float64)
    both = crossing + dead
    return {
        "intersections": crossing,
        "intersections_per_km2": crossing / km2,
        "dead_ends": dead,
        "dead_end_share": np.divide(dead, both, out=np.full(len(units), np.nan), where=both > 0),
    }


def _degree(graph: Graph) -> Longs:
    """How many ends of edges meet at each node."""
    return np.bincount(graph.edge_u, minlength=graph.n_nodes) + np.bincount(graph.edge_v, minlength=graph.n_nodes)


def _join_near(xy: Floats, metres: float) -> Floats:
    """The middles of points that chains of steps of at most so many metres join."""
    if metres == 0 or not len(xy):
        return xy
    from scipy.spatial import cKDTree

    pairs = cKDTree(xy).query_pairs(metres, output_type="ndarray").astype(np.int64)
    group = components(pairs[:, 0], pairs[:, 1], len(xy))
    size = np.bincount(group)
    return np.column_stack([np.bincount(group, weights=values) / size for values in xy.T])


def _places(
    network: StreetNetwork, units: NDArray[np.object_], buildings: gpd.GeoDataFrame | None
) -> tuple[Places, Parts]:
    """Where ways are measured: buildings, or intersections and dead ends; none on small pieces cut off."""
    graph = network.graph
    if buildings is not None:
        homes = to_crs(check_table(buildings, "buildings"), network.crs)
        # in order of ids, so that which ones are drawn does not depend on the order of rows
        homes = homes.iloc[np.argsort(homes["building_id"].to_numpy(dtype=str), kind="stable")]
        shapes = np.asarray(homes.geometry.array)
        access = network.access(shapes, kind="building", ids=homes["building_id"].to_numpy())
        rows = np.flatnonzero(~access.isolated & (access.status != "unsnapped"))
        xy = shapely.get_coordinates(shapely.point_on_surface(shapes[rows]))
        return Places(xy, access.take(rows)), share_points(xy, units)
    degree = _degree(graph)
    nodes = np.flatnonzero((degree != 2) & (degree > 0) & ~graph.on_small_island)
    return Places(graph.node_xy[nodes], nodes), share_points(graph.node_xy[nodes], units)
