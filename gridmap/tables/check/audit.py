"""The audit: every check that the tables given allow, in one table of findings."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.tables.check.contract import check_contract, check_ids
from gridmap.tables.check.doubles import check_doubles
from gridmap.tables.check.gates import check_gates
from gridmap.tables.check.islands import check_islands
from gridmap.tables.check.layers import LEVELS, Layer, layers_of
from gridmap.tables.check.measures import homes_of, polygonal
from gridmap.tables.check.outside import check_outside
from gridmap.tables.check.parents import check_parents
from gridmap.tables.check.pieces import check_enclaves, check_multipart
from gridmap.tables.check.places import check_places
from gridmap.tables.check.rings import check_repeated_vertices, check_rings
from gridmap.tables.check.tiling import check_tiling
from gridmap.tables.check.tolerances import Tolerances
from gridmap.tables.check.totals import check_totals
from gridmap.tables.check.uses import check_uses
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import SEVERITIES, findings_table

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["check"]

# What is looked for in units, smallest level first.
_THINGS = ("buildings", "compounds", "facilities")
# Polygons that do not tile the land: units that may stand apart, and what is no unit at all.
_APART = ("compounds", "dedicated")
_NOT_UNITS = ("buildings", "barriers", "facilities", "streets", "entrances", "units", "households", "bands")


def check(
    *tables: Any,
    sliver_width: float = 1.0,
    least_area: float = 0.01,
    border_metres: float = 1.0,
    same_share: float = 0.9,
    stacked_share: float = 0.5,
    **named_tables: Any,
) -> gpd.GeoDataFrame:
    """Find what is wrong within tables and between them; nothing is changed, and nothing is refused for being wrong.

    Each table alone: ids that several rows have, other violations of its contract, coordinates that its CRS cannot
    have, invalid rings, repeated vertices.
    Units of one level (communities, grids, compounds, or any polygons under a name of yours): gaps, overlaps, slivers,
    unmatched borders, units in pieces, enclaves. Levels: children that do not tile their parent (grids in communities,
    communities in subdistricts, subdistricts in districts; the next larger one given). Buildings: the same one twice,
    one upon another, households where nobody lives. Buildings, compounds and facilities outside every unit of the
    smallest level, or cut by its borders. Compounds without gates, gates away from their wall (given entrances).
    Facilities on streets cut off from the others (given streets). Households that do not add up: units to buildings,
    buildings to compounds and to units of land, grids to communities.

    Parameters
    ----------
    *tables
        GeoDataFrames and DataFrames, told by their columns (a ``building_id`` makes buildings, and so on).
    sliver_width
        m. Land narrower than this everywhere is a sliver of drawing, not land that someone lives on.
    least_area
        m². Smaller overlaps and gaps are the rounding of coordinates and not told.
    border_metres
        m. Points this near to two units are told as on their border, gates farther from a wall as away from it.
    same_share
        Two footprints are the same building when they share this part of the land of both together (Jaccard index).
    stacked_share
        Two footprints are stacked when they share this part of the smaller one.
    **named_tables
        Tables by name: a table of the design, ``subdistricts``, ``districts``, or any name for other polygons.

    Returns
    -------
    GeoDataFrame
        Findings, gravest first, then in the order of the checks, larger ones first: severity, rule, status, message,
        cure, ids, certificate (JSON with the sizes: ``area_m2``, ``width_m``, ``length_m``, ``households``), geometry
        (the place) in the CRS of the first table that has one. Sizes are taken in the metric CRS of that table.

    Raises
    ------
    OptionError
        When a table is not recognised, two are taken for the same, or a tolerance is not positive.
    TableError
        When a table with geometry has no CRS, or a table has two columns of one name.

    Notes
    -----
    The tolerances are choices of this library and not of a standard; `gridmap.tables.check.tolerances` says why they
    are what they are. Invalid shapes take part in the other checks as GEOS mends them by their structure.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> units = gpd.GeoDataFrame(
    ...     {"community_id": ["a", "b"]}, geometry=[box(500000, 0, 500100, 100), box(500090, 0, 500200, 100)],
    ...     crs=32650,
    ... )
    >>> found = check(units)
    >>> found[["severity", "rule"]].values.tolist(), found.message[0]
    ([['error', 'units_overlap']], 'communities: a and b both have 1,000 m², about 9.1 m wide.')
    """
    limits = Tolerances(sliver_width, least_area, border_metres, same_share, stacked_share)
    layers, crs = layers_of(tables, named_tables)
    homes = homes_of(layers.get("buildings"))
    found: list[dict[str, Any]] = []
    for layer in layers.values():
        found += check_ids(layer)
        found += check_contract(layer)
    for layer in layers.values():
        if crs is not None and len(layer.shapes):
            found += check_places(layer)
            found += check_rings(layer, crs)
            found += check_repeated_vertices(layer)
    for layer in _levels(layers):
        apart = layer.name in _APART
        found += check_tiling(layer, homes, limits, apart=apart)
        found += check_multipart(layer, homes, limits)
        found += [] if apart else check_enclaves(layer, homes)
    found += _between(layers, homes, limits)
    if "buildings" in layers:
        found += check_doubles(layers["buildings"], limits)
        found += check_uses(layers["buildings"])
    found += check_totals(layers, limits)
    if {"compounds", "entrances"} <= set(layers):
        found += check_gates(layers["compounds"], layers["entrances"], limits)
    if {"facilities", "streets"} <= set(layers):
        found += check_islands(layers["facilities"], layers["streets"])
    out = findings_table(_in_order(found), crs=crs)
    first = next((layer.table for layer in layers.values() if len(layer.shapes)), None)
    return to_crs(out, first.crs) if first is not None and crs is not None else out


def _levels(layers: dict[str, Layer]) -> list[Layer]:
    """The layers whose rows must not share land: small levels first, then the others as they were given."""
    units = [_land(layer) for layer in layers.values() if layer.polygons and layer.name not in _NOT_UNITS]
    return sorted(units, key=lambda layer: LEVELS.index(layer.name) if layer.name in LEVELS else len(LEVELS))


def _land(layer: Layer) -> Layer:
    """The layer with its polygons alone; points and lines among them break its contract, and tile nothing."""
    return replace(layer, shapes=polygonal(layer.shapes))


def _between(layers: dict[str, Layer], homes: Any, limits: Tolerances) -> list[dict[str, Any]]:
    """Each level against the next larger one, and what stands on the ground against the smallest."""
    levels = [_land(layers[name]) for name in LEVELS if name in layers and layers[name].polygons]
    found = []
    for children, parents in pairwise(levels):
        found += check_parents(children, parents, homes, limits)
    for name in _THINGS:
        if levels and name in layers and len(layers[name].shapes):
            found += check_outside(layers[name], levels[0], limits)
    return found


def _in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gravest first; within a severity rules in the order of the checks, and within a rule larger places first."""
    rules = list(dict.fromkeys(row["rule"] for row in found))
    area = [0.0 if row["geometry"] is None else float(row["geometry"].area) for row in found]
    keys = [
        (SEVERITIES.index(row["severity"]), rules.index(row["rule"]), -size)
        for row, size in zip(found, area, strict=True)
    ]
    order = np.array(sorted(range(len(found)), key=lambda i: keys[i]), dtype=int)
    return [found[i] for i in order.tolist()]
