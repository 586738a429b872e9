"""The village: houses in loose rows along the lanes of each villager group."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from town import ground, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely import Polygon
    from town.blocks import Town

_ROWS = (6.5, 24.5)  # metres from the lane's middle to the front of the first and the second row


def fill(town: Town, border: Polygon, taken: Polygon, rng: np.random.Generator) -> None:
    """Houses of all groups; a group's houses stand along its lanes, most of them facing south."""
    free = border.buffer(-6) - taken
    shapely.prepare(free)
    placed: list[Polygon] = []
    for hamlet in plan.HAMLETS:
        full = len(placed) + hamlet.houses
        for shape in _sites(hamlet, rng):
            if len(placed) >= full or not free.contains(shape) or rng.random() < 0.06:
                continue
            if shapely.dwithin(placed, shape, 1.6).any():
                continue
            placed.append(shape)
            town.add_building(
                shape,
                community_id=plan.VILLAGE,
                use="residential",
                floors=int(rng.choice([1, 2, 2, 2, 3])),
                units=1,
                dwellings=int(rng.choice([1, 1, 2, 2])),
                shops=0,
                group=hamlet.name,
                group_en=hamlet.name_en,
            )


def _sites(hamlet: plan.Hamlet, rng: np.random.Generator) -> Iterator[Polygon]:
    """Where houses may stand: rows on both sides of each lane."""
    for number, line in enumerate(hamlet.lanes):
        lane = ground.smooth(line)
        back = 7.0 if number == 0 else 0.0  # the first line of a group is a road, wider than a lane
        for side, offset in product((1, -1), _ROWS[: hamlet.rows]):
            at = rng.uniform(2, 9)
            while at < lane.length - 4:
                yield _house(lane, at, side, offset + back, rng)
                at += rng.uniform(13.5, 18.5)


def lanes(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lanes of the groups, each starting on the nearest drawn road; the first line of a group is that road."""
    net = shapely.union_all(roads.geometry.to_numpy())
    rows = []
    lanes = [(h, i, points) for h in plan.HAMLETS for i, points in enumerate(h.lanes[1:])]
    for hamlet, i, points in lanes:
        start = shapely.get_coordinates(shapely.shortest_line(net, shapely.Point(points[0])))[0]
        name, name_en = f"{hamlet.name}{plan.chinese_number(i + 1)}路", f"{hamlet.name_en} Lane {i + 1}"
        rows.append(
            {
                "name": name,
                "name_en": name_en,
                "kind": "village",
                "lanes": 1,
                "level": 1,
                "geometry": ground.smooth([tuple(start.round(2)), *points[1:]]),
            }
        )
    return gpd.GeoDataFrame(rows, geometry="geometry")


def _house(lane: object, at: float, side: int, offset: float, rng: np.random.Generator) -> Polygon:
    a, b = shapely.get_coordinates(shapely.line_interpolate_point(lane, [at, at + 4]))
    along = (b - a) / max(np.hypot(*(b - a)), 1e-9)
    normal = np.array([-along[1], along[0]]) * side
    width, depth = rng.uniform(9.5, 13.5), rng.uniform(8.5, 11.5)
    middle = a + normal * (offset + depth / 2 + rng.uniform(0, 1.2))
    turn = np.degrees(np.arctan2(along[1], along[0]))
    turn = (turn + 45) % 90 - 45 + rng.normal(0, 2.5)
    if rng.random() < 0.2:  # with a side wing
        box = shapely.union_all(
            [
                shapely.box(-width / 2, -depth / 2, width / 2, depth / 2 - 3),
                shapely.box(-width / 2, -depth / 2, -width / 2 + 4.5, depth / 2),
            ]
        )
    else:
        box = shapely.box(-width / 2, -depth / 2, width / 2, depth / 2)
    return shapely.affinity.translate(shapely.affinity.rotate(box, turn, (0, 0)), *middle)
