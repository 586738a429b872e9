"""Area rates: which share of each unit's land is within reach, whoever lives there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.coverage.counting.services import rows_by_category
from gridmap.coverage.counting.straight import speed_of
from gridmap.coverage.counting.units import unit_polygons
from gridmap.coverage.land.contours import Frame, frame_around
from gridmap.errors import OptionError
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

    Floats = NDArray[np.float64]

__all__ = ["covered_areas"]

# Cells of the raster that the land is counted on, in metres, larger where the land is so wide that it has more cells.
_CELL_METRES, _MOST_CELLS = 10.0, 16_000_000
# Land farther than this from every street is out of reach, as in the circles that are drawn. Metres.
_FAR_METRES = 150.0
_OFF_ROUND = 0.382


def covered_areas(cover: Cover, by: Any) -> tuple[list[str], Floats, Floats]:
    """Land of each unit, and how much of it is within the threshold of each category.

    Counted on the cells of a raster by the distance that buildings are counted with: a cell is within reach when a
    building at its centre would be. Land under hard barriers, such as water, counts neither here nor there.

    Parameters
    ----------
    cover
        Its facilities, network, thresholds and measure.
    by
        A plan, or a GeoDataFrame of polygons.

    Returns
    -------
    ids, area, covered
        Unit ids; their land in m², shape (units,); what is within reach of it, shape (units, categories).

    Raises
    ------
    OptionError
        When `by` has no polygons.
    """
    table = getattr(by, "grids", by)
    if not isinstance(table, gpd.GeoDataFrame):
        raise OptionError("weight='area' counts land; give by= a plan or a GeoDataFrame of polygons.")
    crs = metric_crs(table) if cover.network is None else cover.network.crs
    ids, shapes = unit_polygons(table, crs)
    land = _dry(shapes, cover)
    area = shapely.area(land)
    frame = _frame(land)
    cell, unit = _cells_of(land, frame)
    in_all = np.bincount(unit, minlength=len(ids))
    covered = np.zeros((len(ids), len(cover.thresholds)))
    for column, reached in enumerate(_reached(cover, frame, cell, crs)):
        inside = np.bincount(unit, weights=reached, minlength=len(ids))
        covered[:, column] = area * np.divide(inside, in_all, out=np.zeros(len(ids)), where=in_all > 0)
    return ids, area, covered


def _dry(shapes: NDArray[np.object_], cover: Cover) -> NDArray[np.object_]:
    """The units without hard barriers that are areas."""
    barriers = np.empty(0, dtype=object) if cover.network is None else cover.network.walls.barriers
    water = barriers[shapely.get_dimensions(barriers) == 2]
    if not len(water):
        return shapes
    tree = shapely.STRtree(water)
    unit, barrier = tree.query(shapes, predicate="intersects")
    out = shapes.copy()
    for row in np.unique(unit):
        out[row] = shapely.difference(shapes[row], shapely.union_all(water[barrier[unit == row]]))
    return out


def _frame(land: NDArray[np.object_]) -> Frame:
    side = _CELL_METRES
    bounds = shapely.total_bounds(land)
    while (frame := frame_around(bounds, side, side)).cells > _MOST_CELLS:
        side *= 1.25
    # off the round numbers that borders drawn by hand lie on: a centre on a border would count for one side alone
    return replace(frame, left=frame.left + _OFF_ROUND * side, bottom=frame.bottom + _OFF_ROUND * side)


def _cells_of(land: NDArray[np.object_], frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells with their centre in a unit, and that unit, the first where several hold it.

    A unit too small for any gets the one in which a point of it lies.
    """
    row, column = np.divmod(np.arange(frame.cells), frame.columns)
    x, y = frame.left + column * frame.side, frame.bottom + row * frame.side
    unit, cell = shapely.STRtree(shapely.points(x, y)).query(land, predicate="intersects")
    order = np.lexsort((unit, cell))
    cell, unit = cell[order], unit[order]
    once = np.r_[True, cell[1:] != cell[:-1]] if len(cell) else np.empty(0, dtype=bool)
    cell, unit = cell[once], unit[once]
    small = np.setdiff1d(np.flatnonzero(shapely.area(land) > 0), unit)
    at = frame.cell_of(shapely.get_coordinates(shapely.point_on_surface(land[small])))
    return np.r_[cell, at[0] * frame.columns + at[1]], np.r_[unit, small]


def _reached(cover: Cover, frame: Frame, cell: NDArray[np.int64], crs: Any) -> Iterator[NDArray[np.bool_]]:
    """For each category, which of the cells are within its threshold."""
    services = to_crs(cover.facilities, crs)
    rows = rows_by_category(services, cover.counted, list(cover.thresholds))
    shapes = np.asarray(services.geometry.array)
    limits = cover.thresholds.values()
    if cover.how == "straight" or cover.network is None:
        centre = _centres(frame, cell)
        for row, limit in zip(rows, limits, strict=True):
            yield _near(centre, shapes[row], limit if cover.measure == "metres" else limit * _metres_a_minute(cover))
        return
    from gridmap.coverage.land.land import lay_ground, paint_land
    from gridmap.network.search import node_costs

    access = cover.network.access(services, kind="facility")
    ground = lay_ground(cover.network, frame, _FAR_METRES, cover.measure)
    for row, limit in zip(rows, limits, strict=True):
        targets = access.take(row)
        found = node_costs(cover.network, targets, by=cover.measure, limit=limit)
        margin = max(_FAR_METRES, cover.network.access_metres)
        values, _, part = paint_land(cover.network, ground, targets, found.cost, found.target, margin=margin)
        whole = np.zeros((frame.rows, frame.columns), dtype=bool)
        low, left = round((part.bottom - frame.bottom) / frame.side), round((part.left - frame.left) / frame.side)
        whole[low : low + part.rows, left : left + part.columns] = values <= limit
        yield whole.ravel()[cell]


def _metres_a_minute(cover: Cover) -> float:
    return speed_of(cover.network, cover.parameters.get("profile")).kmh * 1000 / 60


def _near(centre: NDArray[np.object_], facilities: NDArray[np.object_], metres: float) -> NDArray[np.bool_]:
    out = np.zeros(len(centre), dtype=bool)
    if len(facilities):
        _, row = shapely.STRtree(centre).query(facilities, predicate="dwithin", distance=metres)
        out[row] = True
    return out


def _centres(frame: Frame, cell: NDArray[np.int64]) -> NDArray[np.object_]:
    row, column = np.divmod(cell, frame.columns)
    return np.asarray(shapely.points(frame.left + column * frame.side, frame.bottom + row * frame.side), dtype=object)
