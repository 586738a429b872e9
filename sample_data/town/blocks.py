"""Blocks: compounds, schools, parks and shop-houses on the land that the streets leave free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from town import plan, rows

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import LineString, Polygon

_SETBACK = 3.0


@dataclass
class Town:
    """The town while it is being built: rows of the tables to come."""

    buildings: list[dict[str, Any]] = field(default_factory=list)
    compounds: list[dict[str, Any]] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    roads: list[dict[str, Any]] = field(default_factory=list)
    grounds: list[dict[str, Any]] = field(default_factory=list)  # schools, parks: facilities with land

    def add_building(self, shape: Polygon, **columns: object) -> None:
        """Note a building."""
        self.buildings.append({"geometry": shape, **columns})

    def add_road(self, line: LineString, kind: str, name: str | None = None, name_en: str | None = None) -> None:
        """Note a road or path inside a block."""
        if line.length > 0.5:
            self.roads.append({"name": name, "name_en": name_en, "kind": kind, "geometry": line})


def fill(
    town: Town,
    block: plan.Block,
    streets: gpd.GeoDataFrame,
    land: gpd.GeoDataFrame,
    taken: Polygon,
    rng: np.random.Generator,
) -> None:
    """Build one block: first what its plots say, then shop-houses along its fronts."""
    face = land[land.geometry.contains(shapely.Point(block.at))].iloc[0]
    parcel = rows.largest((face.geometry - taken).buffer(-1.5, join_style="mitre"))
    angle = rows.angle_of(parcel)
    around = streets[streets.intersects(face.geometry.buffer(0.05)) & (streets["level"] == 0)]
    edge = shapely.line_merge(shapely.union_all(around.geometry.to_numpy()) & face.geometry.buffer(0.05))
    fronts = around[around.name.isin(block.front)]
    half = fronts["kind"].map(plan.HALF_WIDTH).to_numpy(dtype="float64")
    strips = shapely.buffer(fronts.geometry.to_numpy(), half + _SETBACK + block.depth + 2.5, cap_style="flat")
    inside = rows.largest(parcel - shapely.union_all(strips)) if len(strips) and block.plots else parcel
    first = len(town.roads)
    walls: list[Polygon] = []
    for plot in block.plots:
        piece = rows.part_of(inside, plot.part, angle).buffer(-2.2, join_style="mitre")
        piece = rows.largest(piece.simplify(0.8)) if plot.use == "compound" else rows.largest(piece)
        walls.append(piece)
        _PLOTS[plot.use](town, plot, piece, face.community_id, angle, edge, rng)
    roads = [r["geometry"].buffer(3.2) for r in town.roads[first:]]
    free = parcel - shapely.union_all([w.buffer(2.0) for w in walls] + roads)
    if block.rows > 1:
        free = _yard_roads(town, fronts, half, block, free, edge)
    for street, h in zip(fronts.itertuples(), half, strict=True):
        for row in range(block.rows):
            offset = h + _SETBACK + row * (block.depth + 9)
            free = frontage(town, street.geometry, offset, block, free, face.community_id, rng)


def _yard_roads(
    town: Town, fronts: gpd.GeoDataFrame, half: np.ndarray, block: plan.Block, free: Polygon, edge: LineString
) -> Polygon:
    """A road between the rows of sheds, joined to the street at both ends; the land still free comes back."""
    for street, h in zip(fronts.geometry, half, strict=True):
        for side in (1, -1):
            line = street.offset_curve(side * (h + _SETBACK + block.depth + 4.5)) & free.buffer(-4)
            if line.length < 40:
                continue
            line = max(shapely.get_parts(line), key=shapely.length)
            ends = [shapely.shortest_line(shapely.get_point(line, i), edge) for i in (0, -1)]
            for road in (line, *ends):
                town.add_road(road, "service")
                free -= road.buffer(3.2)
    return free


def frontage(
    town: Town,
    line: LineString,
    offset: float,
    block: plan.Block,
    free: Polygon,
    community: str,
    rng: np.random.Generator,
) -> Polygon:
    """Shop-houses along a street, on whatever side of it the free land lies; the land still free comes back."""
    for side in (1, -1):
        at = rng.uniform(0, 6)
        while at < line.length - 10:
            width = rng.uniform(1.3, 2.6) * block.depth
            shape = _along(line, at, width, side * offset, side * (offset + block.depth + rng.uniform(-1.0, 0.6)))
            if shape is None or not free.contains(shape):
                at += 3.0
                continue
            floors = int(rng.integers(block.floors[0], block.floors[1] + 1))
            works = block.depth > 15
            town.add_building(
                shape,
                community_id=community,
                use="industrial" if works else "mixed",
                floors=floors,
                units=1,
                dwellings=0 if works else int(width // 9) * (floors - 1),
                shops=0 if works else int(width // 4.2),
            )
            free -= shape.buffer(0.8)
            at += width + (rng.uniform(1.0, 3.0) if rng.random() < 0.8 else rng.uniform(5, 9))
    return free


def _along(line: LineString, at: float, width: float, near: float, far: float) -> Polygon | None:
    if at + width > line.length:
        return None
    a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [at, at + width]))
    along = (b - a) / np.hypot(*(b - a))
    normal = np.array([-along[1], along[0]])
    return shapely.polygons(
        [a + normal * near, a + along * width + normal * near, a + along * width + normal * far, a + normal * far]
    )


def _compound(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    made = rows.build(
        parcel,
        style=plot.style,
        floors=plot.floors,
        gates=plot.gates,
        angle=angle,
        streets=streets,
        rng=rng,
        lines=plot.lines,
    )
    key = f"C{len(town.compounds) + 1:02d}"
    town.compounds.append(
        {
            "compound_id": key,
            "name": plot.name,
            "name_en": plot.name_en,
            "community_id": community,
            "geometry": made.wall,
        }
    )
    order = sorted(
        range(len(made.buildings)),
        key=lambda i: (-round(made.buildings[i].centroid.y / 12), made.buildings[i].centroid.x),
    )
    for number, i in enumerate(order, start=1):
        floors = plot.floors + (int(rng.integers(-1, 2)) if plot.floors > 8 else 0)
        town.add_building(
            made.buildings[i],
            community_id=community,
            compound_id=key,
            use="residential",
            floors=floors,
            units=made.units[i],
            dwellings=made.units[i] * floors * rows.STYLES[plot.style].flats,
            shops=0,
            name=f"{plot.name}{number}号楼",
            name_en=f"{plot.name_en} No. {number}",
        )
    _roads(town, made, key)


def _roads(town: Town, made: rows.Compound, key: str, of: str = "compound") -> None:
    for line in made.roads:
        town.add_road(line, "service")
    for line in made.paths:
        town.add_road(line, "footway")
    for number, gate in enumerate(made.gates, start=1):
        town.gates.append({"of": of, "of_id": key, "kind": "main" if number == 1 else "side", "geometry": gate})


def _ground(town: Town, plot: plan.Plot, parcel: Polygon, category: str) -> str:
    key = f"G{len(town.grounds) + 1:02d}"
    town.grounds.append(
        {"key": key, "category": category, "name": plot.name, "name_en": plot.name_en, "geometry": parcel}
    )
    return key


def _school(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    key = _ground(town, plot, parcel, plot.use)
    inner = parcel.buffer(-6, join_style="mitre")
    bars = [(0.06, 0.72, 0.8, 0.86), (0.22, 0.5, 0.94, 0.63), (0.04, 0.46, 0.17, 0.68)]
    for number, part in enumerate(bars, start=1):
        shape = rows.part_of(inner, part, angle)
        town.add_building(
            shape,
            community_id=community,
            use="school",
            floors=plot.floors,
            units=1,
            dwellings=0,
            shops=0,
            name=f"{plot.name}{number}号教学楼",
            name_en=f"{plot.name_en} Hall {number}",
        )
    _gate(town, parcel, streets, key)
    pitch = rows.part_of(inner, (0.08, 0.02, 0.92, 0.42), angle).buffer(-8).buffer(8, quad_segs=4)
    town.grounds.append(
        {
            "key": f"{key}S",
            "category": "sports",
            "name": f"{plot.name}操场",
            "name_en": f"{plot.name_en} Sports Ground",
            "geometry": rows.largest(pitch),
        }
    )
    del rng


def _gate(town: Town, parcel: Polygon, streets: LineString, key: str) -> None:
    way = shapely.shortest_line(parcel.exterior, streets)
    town.add_road(way, "service")
    town.gates.append({"of": "facility", "of_id": key, "kind": "main", "geometry": shapely.get_point(way, 0)})


def _kindergarten(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    del rng
    key = _ground(town, plot, parcel, "kindergarten")
    inner = parcel.buffer(-5, join_style="mitre")
    wing = rows.part_of(inner, (0.04, 0.58, 0.96, 0.92), angle) | rows.part_of(inner, (0.04, 0.3, 0.34, 0.6), angle)
    town.add_building(
        rows.largest(wing),
        community_id=community,
        use="kindergarten",
        floors=plot.floors,
        units=1,
        dwellings=0,
        shops=0,
        name=plot.name,
        name_en=plot.name_en,
    )
    _gate(town, parcel, streets, key)


def _park(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    del community, rng
    _ground(town, plot, parcel, "park")
    ring = rows.largest(parcel.buffer(-20).buffer(10, quad_segs=3)).simplify(0.6).exterior
    town.add_road(ring, "footway")
    middle = parcel.centroid
    turn = np.array([np.cos(np.radians(angle + 25)), np.sin(np.radians(angle + 25))])
    across = shapely.linestrings([np.array(middle.coords[0]) - 300 * turn, np.array(middle.coords[0]) + 300 * turn])
    for piece in shapely.get_parts(across & shapely.Polygon(ring)):
        town.add_road(piece, "footway")
    for street in shapely.get_parts(streets):
        if street.distance(parcel) < 30 and ring.distance(street) < 60:
            town.add_road(shapely.shortest_line(ring, street), "footway")


def _landmark(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    """One tower above a podium, three units, more households than any grid may hold."""
    del rng
    c = parcel.centroid
    half = 34.0
    shape = shapely.affinity.rotate(shapely.box(c.x - half, c.y - 11, c.x + half, c.y + 11), angle, c)
    town.add_building(
        shape,
        community_id=community,
        use="mixed",
        floors=plot.floors,
        units=3,
        dwellings=3 * 32 * 6,
        shops=14,
        name=plot.name,
        name_en=plot.name_en,
    )
    town.add_road(shapely.shortest_line(shape.buffer(4), streets), "service")


def _open(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    """A square with the community centre on it."""
    _park(town, plot, parcel, community, angle, streets, rng)


def _campus(
    town: Town,
    plot: plan.Plot,
    parcel: Polygon,
    community: str,
    angle: float,
    streets: LineString,
    rng: np.random.Generator,
) -> None:
    stadium = rows.part_of(parcel, (0.03, 0.55, 0.3, 0.95), angle)
    lake = rows.part_of(parcel, (0.46, 0.1, 0.62, 0.42), angle)
    track = shapely.centroid(stadium).buffer(40, quad_segs=4)
    made = rows.build(
        parcel,
        style="campus",
        floors=5,
        gates=plot.gates,
        angle=angle,
        streets=streets,
        rng=rng,
        keep_out=[stadium, lake.centroid.buffer(24)],
        lines=2,
    )
    key = f"C{len(town.compounds) + 1:02d}"
    town.compounds.append(
        {
            "compound_id": key,
            "name": plot.name,
            "name_en": plot.name_en,
            "community_id": community,
            "geometry": made.wall,
        }
    )
    town.grounds.append(
        {"key": "stadium", "category": "sports", "name": "师院体育场", "name_en": "College Stadium", "geometry": track}
    )
    x0, y0, x1, y1 = parcel.bounds
    for number, shape in enumerate(made.buildings, start=1):
        u, v = (shape.centroid.x - x0) / (x1 - x0), (shape.centroid.y - y0) / (y1 - y0)
        use = "dormitory" if u > 0.68 and v > 0.4 else "school"
        staff = u > 0.68 and v < 0.2
        label, label_en = ("宿舍", "Dormitory") if use == "dormitory" else ("教学楼", "Hall")
        if staff:
            use, label, label_en = "residential", "教工楼", "Staff House"
        town.add_building(
            shape,
            community_id=community,
            compound_id=key,
            use=use,
            floors=6 if use != "school" else 5,
            units=3,
            dwellings=36 if staff else 0,
            shops=0,
            name=f"师院{label}{number}号",
            name_en=f"College {label_en} {number}",
        )
    _roads(town, made, key)


_PLOTS = {
    "compound": _compound,
    "school": _school,
    "kindergarten": _kindergarten,
    "park": _park,
    "landmark": _landmark,
    "open": _open,
    "campus": _campus,
}
