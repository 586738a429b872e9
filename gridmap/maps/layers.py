"""Layers: what each thing given to `explore` is, told by its type and columns, in any number and order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from gridmap.errors import OptionError
from gridmap.maps.chosen_sites import NEWLY, newly_covered, with_sites
from gridmap.tables.findings import join_findings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Content", "recognise", "sort_layers"]

#: Tables that the page draws in a way of their own.
KNOWN = (
    "grids", "communities", "compounds", "entrances", "buildings", "facilities", "circles", "gaps", "blocks", "atoms",
    "streets", "barriers", "findings",
)  # fmt: skip
#: Name of the layer of the routes given.
ROUTES = {"en": "Routes", "zh": "路线"}
_ACCEPTED = (
    "a GridPlan, a Cover, a SitePlan, what Cover.compliance returns, a Route, service circles, a table of gridmap "
    "(communities, buildings, compounds, entrances, streets, barriers, facilities, grids, findings), any "
    'GeoDataFrame, or ("name", GeoDataFrame)'
)
# A plan and a cover carry what they were made from; a table given by itself goes before theirs. The atoms of a plan are
# drawn on request only, explore(plan, plan.atoms): they are as many as the buildings.
_OF_PLAN = ("grids", "communities", "buildings", "compounds", "entrances", "streets", "barriers")
_OF_COVER = ("buildings", "facilities", "entrances", "compounds", "barriers")


# The table of `Cover.compliance` has no geometry; its units lend it theirs.
_OF_COMPLIANCE = {"unit_id", "requirement_id", "status", "verification"}
# Results are told by what they have.
_BY_ATTRIBUTES = {
    "plan": ("grids", "assignment"),
    "cover": ("thresholds", "rate"),
    "sites": ("sites", "newly_covered", "siting"),
    "route": ("geometry", "steps", "streets"),
    "project": ("tables", "outputs"),
}


@dataclass
class Content:
    """What a page is made of.

    Attributes
    ----------
    plan, cover, sites, compliance
        The plan, the cover, the plan of sites and the compliance table, or None.
    tables
        Known tables by name, each with at least one row.
    own
        Other layers in order: name and table.
    """

    plan: Any = None
    cover: Any = None
    sites: Any = None
    compliance: pd.DataFrame | None = None
    tables: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    own: list[tuple[str | Mapping[str, str], gpd.GeoDataFrame]] = field(default_factory=list)


def sort_layers(layers: Iterable[Any]) -> Content:
    """Layers sorted into what the page knows and what it just draws.

    Raises
    ------
    OptionError
        When something is not a layer, or a plan or a cover is given twice.
    """
    content = Content()
    several: dict[str, list[gpd.GeoDataFrame]] = {"findings": [], "circles": []}
    routes: list[Any] = []
    for layer in layers:
        name, thing = layer if _is_named(layer) else (None, layer)
        kind = recognise(thing) if name is None else "own"
        if kind in several:
            several[kind].append(thing)
        elif kind == "route":
            routes.append(thing)
        elif kind == "project":
            _add_tables(content, thing.tables)
        else:
            _add(content, kind, name, thing)
    if routes:
        content.own.append((ROUTES, _as_table(routes, content.cover)))
    _add_from(content, content.plan, _OF_PLAN)
    _add_from(content, content.cover, _OF_COVER)
    if content.sites is not None:
        _add_sites(content)
    found = [getattr(source, "findings", None) for source in (content.plan, content.cover, content.sites)]
    found.append(None if content.compliance is None else content.compliance.attrs.get("findings"))
    several["findings"] += [table for table in found if table is not None]
    if several["findings"]:
        crs = next((f.crs for f in several["findings"] if f.crs is not None), None)
        joined = join_findings(several["findings"], crs=crs)
        content.tables["findings"] = joined[~joined.duplicated(["severity", "rule", "message"])]
    if several["circles"]:
        crs = several["circles"][0].crs
        moved = [circles if circles.crs == crs else circles.to_crs(crs) for circles in several["circles"]]
        content.tables["circles"] = pd.concat(moved, ignore_index=True) if len(moved) > 1 else moved[0]
    content.tables = {kind: table for kind, table in content.tables.items() if len(table)}
    return content


def _as_table(routes: list[Any], cover: Any) -> gpd.GeoDataFrame:
    """Routes of a network as lines; they lie in its CRS, which the cover tells.

    Raises
    ------
    OptionError
        When there is no cover to tell it.
    """
    network = getattr(cover, "network", None)
    if network is None:
        raise OptionError(
            "a route does not say in which CRS it lies; give the cover of the same network as well, or the route as "
            "GeoDataFrame(geometry=[route.geometry], crs=network.crs)"
        )
    columns = {
        "metres": [round(route.metres, 1) for route in routes],
        "minutes": [round(route.minutes, 1) for route in routes],
        "streets": [", ".join(route.streets) for route in routes],
    }
    return gpd.GeoDataFrame(columns, geometry=[route.geometry for route in routes], crs=network.crs)


def _add(content: Content, kind: str, name: str | Mapping[str, str] | None, thing: Any) -> None:
    if kind in ("plan", "cover", "sites", "compliance"):
        if getattr(content, kind) is not None:
            kind = "plan of sites" if kind == "sites" else kind
            raise OptionError(f"explore takes one {kind}; with swipe=True it takes two, before and after")
        setattr(content, kind, thing)
    elif kind == "own" or kind in content.tables:
        content.own.append((name or _own_name(thing, kind), thing))
    else:
        content.tables[kind] = thing


def _add_sites(content: Content) -> None:
    """The chosen sites among the facilities, and who is newly covered as a layer of its own."""
    sites = content.sites
    content.tables.setdefault("buildings", sites.buildings)
    content.tables.setdefault("streets", sites.siting.ground.network.lines)
    content.tables["facilities"] = with_sites(content.tables.get("facilities"), sites)
    new = newly_covered(sites)
    if len(new):
        content.own.append((NEWLY, new))


def recognise(thing: Any) -> str:
    """Kind of a layer: one of the results (``"plan"``, ``"cover"`` ...), one of the tables, or ``"own"``.

    Raises
    ------
    OptionError
        When it is none of these.
    """
    if isinstance(thing, gpd.GeoSeries):
        return "own"
    if isinstance(thing, pd.DataFrame) and set(thing.columns) >= _OF_COMPLIANCE:
        return "compliance"
    if not isinstance(thing, gpd.GeoDataFrame):
        for kind, names in _BY_ATTRIBUTES.items():
            if all(hasattr(thing, name) for name in names):
                return kind
        raise OptionError(f"{type(thing).__name__} is not a layer of a map; explore takes {_ACCEPTED}")
    named = thing.attrs.get("layer")
    if named in KNOWN:
        return str(named)
    return "own" if named else _by_columns(thing)


def _by_columns(table: gpd.GeoDataFrame) -> str:
    columns = set(table.columns)
    kinds = set(table.geom_type.dropna().unique())
    polygons, lines = bool(kinds & {"Polygon", "MultiPolygon"}), bool(kinds & {"LineString", "MultiLineString"})
    rules: tuple[tuple[str, bool], ...] = (
        ("findings", {"severity", "rule", "message"} <= columns),
        ("gaps", {"category", "buildings", "rank"} <= columns and "facility_id" not in columns),
        ("circles", "category" in columns and bool({"minutes", "metres"} & columns) and polygons),
        ("facilities", {"facility_id", "category"} <= columns),
        ("entrances", "entrance_id" in columns),
        ("atoms", {"atom_id", "kind"} <= columns),
        ("buildings", "building_id" in columns),
        ("grids", "grid_id" in columns and polygons),
        ("compounds", "compound_id" in columns and polygons),
        ("blocks", "block_id" in columns and polygons),
        ("communities", "community_id" in columns and polygons),
        ("barriers", "hard" in columns and "class" not in columns),
        ("streets", lines and not polygons and bool({"class", "street_id", "highway", "node_ids"} & columns)),
        ("barriers", lines and "kind" in columns),
    )
    return next((kind for kind, holds in rules if holds), "own")


def _is_named(layer: Any) -> bool:
    return (
        isinstance(layer, tuple)
        and len(layer) == 2
        and isinstance(layer[0], str | Mapping)
        and isinstance(layer[1], gpd.GeoDataFrame | gpd.GeoSeries)
    )


def _own_name(table: Any, kind: str) -> str:
    return str(getattr(table, "attrs", {}).get("layer") or ("" if kind == "own" else kind))


def _add_tables(content: Content, tables: Mapping[str, Any]) -> None:
    for name, table in tables.items():
        if name in KNOWN and isinstance(table, gpd.GeoDataFrame):
            content.tables.setdefault(name, table)


def _add_from(content: Content, source: Any, names: Iterable[str]) -> None:
    for name in names:
        table = getattr(source, name, None)
        if isinstance(table, gpd.GeoDataFrame):
            content.tables.setdefault(name, table)
