"""The old quarter: the land between its lanes cut into many small lots, and two markets on lots of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from town import rows
from town.plan import MARKETS, OLD_QUARTER, Market

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import Polygon
    from town.blocks import Town

_HOUSEHOLDS = 1671
_LOT = 118.0  # m², above which a lot is cut again


def fill(town: Town, land: gpd.GeoDataFrame, taken: Polygon, rng: np.random.Generator) -> None:
    """Houses and markets on every cell between the lanes."""
    cells = land[land.community_id == OLD_QUARTER].geometry
    houses: list[Polygon] = []
    for cell in sorted(cells, key=lambda c: c.centroid.coords[0]):
        free = cell - taken
        if free.area < 150:
            continue
        market = next((m for m in MARKETS if cell.contains(shapely.Point(m.at))), None)
        for part in shapely.get_parts(free):
            piece = part.buffer(-0.4, join_style="mitre")
            if piece.area < 40:
                continue
            if market is not None and piece.contains(shapely.Point(market.at)):
                rest = _market(town, market, piece)
                houses += [h for r in shapely.get_parts(rest) if r.area > 60 for h in _lots(r, rng)]
            else:
                houses += _lots(piece, rng)
    floors = rng.choice([1, 2, 2, 2, 3, 3, 4], len(houses))
    room = shapely.area(houses) * floors
    households = _share(np.clip(room / room.mean(), 0.35, 2.2), _HOUSEHOLDS, low=1, high=8)
    for shape, floor, count in zip(houses, floors, households, strict=True):
        town.add_building(
            shape,
            community_id=OLD_QUARTER,
            use="residential",
            floors=int(floor),
            units=1,
            dwellings=int(count),
            households=int(count),
            shops=0,
            lane=True,
        )


def _market(town: Town, market: Market, piece: Polygon) -> Polygon:
    """A market: its ground, and parallel halls that share its shopfronts; the rest of the cell comes back."""
    angle = rows.angle_of(piece)
    ground = rows.part_of(piece, market.part, angle).buffer(-0.5, join_style="mitre")
    town.grounds.append(
        {
            "key": market.key,
            "category": "market",
            "name": market.name,
            "name_en": market.name_en,
            "geometry": ground,
            "shops": market.shops,
        }
    )
    inner = ground.buffer(-1.5, join_style="mitre")
    x0, y0, x1, y1 = shapely.affinity.rotate(inner, -angle, inner.centroid).bounds
    upright = y1 - y0 > x1 - x0
    n = max(2, round(max(y1 - y0, x1 - x0) / 17))
    gap = 0.06
    parts = [(0.0, (k + gap) / n, 1.0, (k + 1 - gap) / n) for k in range(n)]
    halls = [rows.part_of(inner, p if upright else (p[1], p[0], p[3], p[2]), angle) for p in parts]
    shops = _share(shapely.area(halls), market.shops, low=1, high=market.shops)
    for letter, hall, count in zip("ABCDEFGH", halls, shops, strict=False):
        town.add_building(
            hall,
            community_id=OLD_QUARTER,
            use="market",
            floors=2,
            units=1,
            dwellings=0,
            households=0,
            shops=int(count),
            name=f"{market.name}{letter}区",
            name_en=f"{market.name_en} Hall {letter}",
        )
    return piece - ground.buffer(1.0, join_style="mitre")


def _lots(piece: Polygon, rng: np.random.Generator) -> list[Polygon]:
    """Footprints of houses: the piece halved across its length until the lots are small; some keep a courtyard."""
    if piece.area < 26:
        return []
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(piece))
    edges = np.diff(box[:3], axis=0)
    lengths = np.hypot(*edges.T)
    long = int(np.argmax(lengths))
    if piece.area < _LOT * rng.uniform(0.75, 1.5) and lengths.max() < 2.6 * max(lengths.min(), 1):
        return _house(piece, rng)
    direction = edges[long] / lengths[long]
    at = box[0 if long == 0 else 1] + edges[long] * rng.uniform(0.4, 0.6)
    turn = rng.normal(0, 0.05)
    across = np.array([-direction[1], direction[0]]) + turn * direction
    knife = shapely.linestrings([at - 500 * across, at + 500 * across])
    gap = 1.3 if rng.random() < 0.08 else 0.22
    halves = shapely.get_parts(piece - knife.buffer(gap, cap_style="flat"))
    return [house for half in halves for house in _lots(half, rng)]


def _house(lot: Polygon, rng: np.random.Generator) -> list[Polygon]:
    shape = lot.simplify(0.3)
    if rng.random() < 0.04:
        return []  # an open yard
    if rng.random() < 0.22 and lot.area > 70:  # a corner left open as a courtyard
        box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(lot))[:4]
        corner = box[rng.integers(4)]
        inward = box.mean(axis=0) * 0.75 + corner * 0.25
        yard = shapely.box(*np.minimum(corner, inward), *np.maximum(corner, inward))
        cut = rows.largest(shape - yard)
        shape = cut if cut.area > 0.55 * lot.area else shape
    shape = rows.largest(shape.buffer(-0.05, join_style="mitre"))
    return [shape] if shape.area > 18 else []


def _share(weight: np.ndarray, total: int, *, low: int, high: int) -> np.ndarray:
    """Whole numbers from low to high that follow the weights and add up to the total."""
    weight = np.asarray(weight, dtype="float64")
    scale = total / weight.sum()
    for _ in range(60):
        exact = np.clip(weight * scale, low, high)
        scale *= total / exact.sum()
    counts = np.clip(np.floor(exact), low, high).astype("int64")
    order = np.argsort(-(exact - counts), kind="stable")
    for i in order[: total - counts.sum()]:
        counts[i] += 1
    if counts.sum() != total:
        raise ValueError(f"cannot share {total} over {len(weight)} with {low} to {high} each")
    return counts
