"""The whole town in order: streets, blocks, houses, people, facilities, present grids; tables by name come back."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from town import blocks, facilities, ground, names, people, plan, present, quarter, village

#: Class of a street by how it was drawn.
_CLASS = {"lane": "living_street", "village": "residential"}
_SPEED = {
    "primary": 50, "secondary": 40, "tertiary": 30, "residential": 20, "living_street": 15, "service": 10, "track": 15,
}  # fmt: skip
_BUILDING = [
    "building_id", "name", "name_en", "community_id", "compound_id", "group", "use", "floors", "households",
    "residents", "registered", "dwellings", "elderly", "elderly_80", "children", "shops", "enterprises",
]  # fmt: skip
_STREET = [
    "street_id", "class", "name", "name_en", "oneway", "lanes", "speed_kmh", "layer", "bridge", "tunnel", "stairs",
]  # fmt: skip
_ABUTMENT = 3.0  # metres that a bridge reaches beyond the water on each side
_UNDERPASS = 9.0
_SHUT = ("C03", "C13", "C27")  # compounds that keep their side gate shut


def build() -> dict[str, pd.DataFrame]:
    """All tables of the town, in `plan.CRS`, coordinates in whole centimetres."""
    drawn = ground.drawn_streets()
    drawn = pd.concat([drawn, village.lanes(drawn)], ignore_index=True)
    middle, water = ground.river()
    rail = ground.railway()
    limits = [middle, rail, ground.smooth(plan.RURAL_BORDER, 40), *(shapely.linestrings(p) for p in plan.LIMITS)]
    pieces = ground.node(drawn, limits)
    noded = pieces[pieces["kind"].notna()]
    lines = ground.merge(noded, ["name", "name_en", "kind", "lanes", "level"])
    land = ground.faces(pieces[pieces["level"] != 1])
    wet = shapely.union_all([water.buffer(8), rail.buffer(14)])
    taken = ground.right_of_way(noded[noded["level"] == 0]) | wet

    town = blocks.Town()
    for number, block in enumerate(plan.BLOCKS):
        blocks.fill(town, block, lines, land, taken, _random(number))
    quarter.fill(town, land, taken, _random(100))
    rural = shapely.union_all(land.geometry[land.community_id == plan.VILLAGE].to_numpy())
    village.fill(town, rural, ground.right_of_way(noded) | wet, _random(101))

    buildings = names.name(gpd.GeoDataFrame(town.buildings, geometry="geometry"), lines)
    buildings = _communities_first(people.count(buildings, _random(102)))
    streets = _streets(drawn, town, water, rail)
    communities = _communities(land, buildings)
    found = facilities.table(town.grounds, buildings, lines)
    compounds = _compounds(town, buildings)
    tables = {
        "communities": communities,
        "buildings": buildings,
        "units": people.units(buildings),
        "compounds": compounds,
        "entrances": _entrances(town, found),
        "streets": streets,
        "barriers": _barriers(water, rail, lines),
        "facilities": found.drop(columns="key"),
        "dedicated": _dedicated(land),
        "grids": present.table(communities, land),
    }
    tables["buildings"] = buildings.drop(columns="units")
    return {name: _placed(table) for name, table in tables.items()}


def _random(part: int) -> np.random.Generator:
    """Random numbers of one part of the town, so that a change to one part leaves the others as they are."""
    return np.random.default_rng([plan.SEED, part])


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """The table moved from the local origin to the CRS, on whole centimetres."""
    if not isinstance(table, gpd.GeoDataFrame):
        return table
    x, y = plan.ORIGIN
    shapes = shapely.set_precision(table.geometry.to_numpy(), ground.CENTIMETRE, mode="pointwise")
    shapes = shapely.transform(shapes, lambda c: (c + np.array([x, y])).round(2))
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=plan.CRS))


def _communities_first(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Buildings by community, in the order built, with their ids and columns."""
    order = {c.id: i for i, c in enumerate(plan.COMMUNITIES)}
    out = buildings.sort_values("community_id", key=lambda s: s.map(order), kind="stable").reset_index(drop=True)
    out.insert(0, "building_id", [f"B{i:05d}" for i in range(1, len(out) + 1)])
    return out[[*_BUILDING, "units", "geometry"]]


def _streets(
    drawn: gpd.GeoDataFrame, town: blocks.Town, water: shapely.Polygon, rail: shapely.LineString
) -> gpd.GeoDataFrame:
    """Drawn streets and roads in blocks, noded together; bridges and the underpass as rows of their own."""
    inner = gpd.GeoDataFrame(town.roads, geometry="geometry").assign(lanes=1, level=2)
    raw = pd.concat([drawn, inner], ignore_index=True)
    over, under = water.buffer(_ABUTMENT), rail.buffer(_UNDERPASS, cap_style="flat")
    rows = []
    for row in raw.to_dict("records"):
        line = row["geometry"]
        for part, extra in (
            (line - over - under, {}),
            (line & over, {"bridge": True}),
            ((line & under) - over, {"tunnel": True}),
        ):
            rows += [{**row, **extra, "geometry": p} for p in shapely.get_parts(part) if p.length > 0.3]
    cut = gpd.GeoDataFrame(rows, geometry="geometry")
    cut["bridge"] = cut["bridge"].eq(True)
    cut["tunnel"] = cut["tunnel"].eq(True)
    pieces = ground.node(cut)
    out = ground.merge(pieces, ["name", "name_en", "kind", "lanes", "bridge", "tunnel"])
    # what overshoots into the water or under the railway without crossing it is no bridge and no tunnel
    out = out[~((out["bridge"] & (out.geometry.length < 30)) | (out["tunnel"] & (out.geometry.length < 15)))]
    out["class"] = out["kind"].replace(_CLASS)
    out["oneway"] = "no"
    out["layer"] = np.select([out["bridge"], out["tunnel"]], ["1", "-1"], "0")
    out["speed_kmh"] = out["class"].map(_SPEED)
    out["stairs"] = out["class"] == "steps"
    out = out.reset_index(drop=True)
    out.insert(0, "street_id", [f"S{i:04d}" for i in range(1, len(out) + 1)])
    return out[[*_STREET, "geometry"]]


def _communities(land: gpd.GeoDataFrame, buildings: pd.DataFrame) -> gpd.GeoDataFrame:
    households = buildings.groupby("community_id")["households"].sum()
    rows = [
        {
            "community_id": c.id,
            "code": c.id,
            "name": c.name,
            "name_en": c.name_en,
            "kind": c.kind,
            "subdistrict": "金河街道",
            "subdistrict_en": "Jinhe Subdistrict",
            "district": "示例区",
            "district_en": "Example District",
            "city": "示例市",
            "households": int(households[c.id]),
            "geometry": shapely.coverage_union_all(land.geometry[land.community_id == c.id].to_numpy()),
        }
        for c in plan.COMMUNITIES
    ]
    return gpd.GeoDataFrame(rows, geometry="geometry")


def _compounds(town: blocks.Town, buildings: pd.DataFrame) -> gpd.GeoDataFrame:
    households = buildings.groupby("compound_id")["households"].sum()
    out = gpd.GeoDataFrame(town.compounds, geometry="geometry")
    out.insert(4, "households", out["compound_id"].map(households).fillna(0).astype("int64"))
    return out


def _entrances(town: blocks.Town, found: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Gates of compounds and of schools; some side gates are kept shut."""
    out = gpd.GeoDataFrame(town.gates, geometry="geometry")
    ids = dict(zip(found["key"], found["facility_id"], strict=True))
    out["of_id"] = [ids.get(i, i) for i in out["of_id"]]
    number = out.groupby("of_id").cumcount()
    out["modes"] = np.where(out["kind"] == "main", "foot;car", "foot")
    out["open"] = (number < 2) & ~((number == 1) & out["of_id"].isin(_SHUT))
    out.insert(0, "entrance_id", [f"E{i:03d}" for i in range(1, len(out) + 1)])
    return out


def _barriers(water: shapely.Polygon, rail: shapely.LineString, lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    road = shapely.line_merge(shapely.union_all(lines.geometry[lines["name"] == "金河路"].to_numpy()))
    rows = [
        ("R1", "river", "金河", "Jin River", True, water),
        ("R2", "railway", "金柳铁路", "Jinliu Railway", True, rail),
        ("R3", "primary_road", "金河路", "Jinhe Road", False, road),
    ]
    return gpd.GeoDataFrame(rows, columns=["barrier_id", "kind", "name", "name_en", "hard", "geometry"])


def _dedicated(land: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    campus = land[land.geometry.contains(shapely.Point(239, 1270))].iloc[0]
    row = {
        "grid_id": "990101001004900",
        "community_id": campus.community_id,
        "kind": "dedicated",
        "name": "金河师范学院专属网格",
        "name_en": "Jinhe Normal College Dedicated Grid",
        "geometry": campus.geometry,
    }
    return gpd.GeoDataFrame([row], geometry="geometry")
