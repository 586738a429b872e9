"""Gaps: where households reach no facility of a category, as areas ranked by how many live there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.counting.medians import weighted_medians
from gridmap.coverage.counting.rates import weights_of
from gridmap.coverage.counting.units import find_units
from gridmap.coverage.land.contours import frame_around, polygons_below
from gridmap.tables.crs import metric_crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["gaps_of_cover"]


def gaps_of_cover(
    cover: Cover, by: Any = None, weight: str = "households", *, reach_metres: float = 60.0
) -> gpd.GeoDataFrame:
    """Blind spots of each category; see `Cover.gaps`."""
    counts, _ = weights_of(cover.buildings, weight)
    crs = metric_crs(cover.buildings)
    points = shapely.point_on_surface(np.asarray(cover.buildings.geometry.to_crs(crs).array))
    xy = shapely.get_coordinates(points)
    units = find_units(by, cover.buildings, cover.facilities)
    met = cover.met
    # how far it is to meet a rule nobody can say
    nearest = np.full(met.shape, np.nan)
    nearest[:, : cover.distance.shape[1]] = cover.distance
    names, id_rank = np.unique(cover.buildings["building_id"].to_numpy(dtype=str), return_inverse=True)
    tables = []
    for column, category in enumerate(cover.names):
        # parts of buildings that are uncovered, with their unit and their share of the count
        part = np.flatnonzero(~met[units.building, column])
        building, unit = units.building[part], units.unit[part]
        held = counts[building] * units.share[part]
        building, unit, held = building[held > 0], unit[held > 0], held[held > 0]
        if len(building) == 0:
            continue
        spot = _spots(xy[building], unit, 2 * reach_metres)
        table = _describe(spot, unit, held, nearest[building, column], xy[building], reach_metres)
        table.insert(0, "category", category)
        table["first_id"] = names[
            np.minimum.reduceat(id_rank[building][np.argsort(spot, kind="stable")], _starts(spot))
        ]
        tables.append(table)
    columns = ["rank", "category", "unit_id", weight, "buildings", cover.measure, f"{cover.measure}_max"]
    if not tables:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=gpd.GeoSeries([], crs=cover.buildings.crs))
    joined = pd.concat(tables, ignore_index=True)
    joined = joined.sort_values(
        ["held", "category", "first_id"], ascending=[False, True, True], kind="stable", ignore_index=True
    )
    joined["rank"] = np.arange(1, len(joined) + 1)
    joined["unit_id"] = np.array(units.ids, dtype=object)[joined["unit"].to_numpy()]
    joined = joined.rename(columns={"held": weight, "nearest": cover.measure, "farthest": f"{cover.measure}_max"})
    areas = gpd.GeoSeries(joined["geometry"].tolist(), crs=crs).to_crs(cover.buildings.crs)
    return gpd.GeoDataFrame(joined[columns], geometry=areas)


def _spots(xy: NDArray[np.float64], unit: NDArray[np.int64], metres: float) -> NDArray[np.int64]:
    """Number of the cluster of each point: points of one unit are together when a chain of short steps joins them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    # points are first put together on squares of a third of the step, so that dense quarters stay few pairs
    side = metres / 3
    square, of = np.unique(np.column_stack([unit, np.floor(xy / side).astype(np.int64)]), axis=0, return_inverse=True)
    of = of.ravel()
    size = np.bincount(of)
    centre = np.column_stack([np.bincount(of, weights=xy[:, axis]) / size for axis in (0, 1)])
    pairs = KDTree(centre).query_pairs(metres, output_type="ndarray")
    pairs = pairs[square[pairs[:, 0], 0] == square[pairs[:, 1], 0]]
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(square), len(square)))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)[of]


def _describe(
    spot: NDArray[np.int64],
    unit: NDArray[np.int64],
    held: NDArray[np.float64],
    nearest: NDArray[np.float64],
    xy: NDArray[np.float64],
    metres: float,
) -> pd.DataFrame:
    """One row a spot: who lives there, how far they have to go (median and most, NaN where there is no way)."""
    order = np.lexsort((nearest, spot))
    spot, unit, held, nearest, xy = spot[order], unit[order], held[order], nearest[order], xy[order]
    start = _starts(spot)
    end = np.r_[start[1:], len(spot)]
    middle = weighted_medians(np.repeat(np.arange(len(start)), end - start), nearest, held, len(start))
    known = np.where(np.isnan(nearest), -np.inf, nearest)
    farthest = np.maximum.reduceat(known, start)
    return pd.DataFrame(
        {
            "unit": unit[start],
            "held": np.add.reduceat(held, start),
            "buildings": end - start,
            "nearest": middle,
            "farthest": np.where(np.isfinite(farthest), farthest, np.nan),
            "geometry": [_area(xy[a:b], metres) for a, b in zip(start, end, strict=True)],
        }
    )


def _starts(spot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each spot begins once its points are sorted by number."""
    return np.searchsorted(np.sort(spot), np.unique(spot))


def _area(xy: NDArray[np.float64], metres: float) -> Any:
    """The land about so many metres around points; half the step of a chain, so that a spot is one area.

    Drawn on a raster with cells of a quarter of the distance, which takes a hundredth of the time of joining discs.
    """
    from scipy.ndimage import distance_transform_edt

    side = metres / 4
    frame = frame_around((*xy.min(axis=0), *xy.max(axis=0)), side, metres + side)
    apart = np.ones((frame.rows, frame.columns), dtype=bool)
    apart[frame.cell_of(xy)] = False
    distance = distance_transform_edt(apart, sampling=side)
    parts = polygons_below(distance, frame, metres)
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
