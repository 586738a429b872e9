"""Units: which unit each building, or each part of a split building, belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.tables.contracts import clean_ids
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Units", "find_units", "unit_polygons"]

#: The unit id of a table of polygons is the first of these columns that it has, else its index.
ID_COLUMNS = (
    "grid_id", "area_id", "community_id", "unit_id", "compound_id", "subdistrict_id", "subdistrict", "district_id",
    "district", "code", "id",
)  # fmt: skip


@dataclass(frozen=True)
class Units:
    """Who belongs where.

    Attributes
    ----------
    ids
        Unit ids in the order of their rows in results.
    building, unit, share
        One entry a building, or a part of one that is split between units: row of the building, row of the unit in
        `ids`, and the part of the building's count that goes there. The shares of a building add up to 1.
    outside
        Rows of the buildings that belong to no unit.
    facilities
        Number of facilities in each unit by row of the facility: row of its unit, -1 where it lies in none; None
        where units have no place on the map (a Series, or a column that facilities lack).
    """

    ids: list[str]
    building: NDArray[np.int64]
    unit: NDArray[np.int64]
    share: NDArray[np.float64]
    outside: NDArray[np.int64]
    facilities: NDArray[np.int64] | None

    def total(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Counts of buildings, shape (buildings,) or (buildings, columns), summed by unit; nothing gets lost.

        Raises
        ------
        AssertionError
            When the units and the buildings outside them do not add up to all buildings.
        """
        parts = counts[self.building] * (self.share if counts.ndim == 1 else self.share[:, None])
        out = np.zeros((len(self.ids), *counts.shape[1:]))
        np.add.at(out, self.unit, parts)
        whole, got = counts.sum(axis=0), out.sum(axis=0) + counts[self.outside].sum(axis=0)
        if not np.allclose(whole, got, rtol=1e-9, atol=1e-6):
            raise AssertionError(f"units hold {got} of {whole}")
        return out


def find_units(by: Any, buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> Units:
    """The units that `by` names, and who belongs to each.

    Parameters
    ----------
    by
        None (one unit ``"all"``); a plan with an `assignment` table; the name of a column of `buildings`; a Series
        indexed by building_id; or a GeoDataFrame of polygons (a building belongs to the one that holds its point on
        surface; where several do, to the one whose id comes first).
    buildings, facilities
        Checked tables.

    Raises
    ------
    OptionError
        When `by` is none of these, or names a column that buildings lack.
    """
    count = len(buildings)
    if by is None:
        every = np.zeros(count, dtype=np.int64)
        return _one_each(["all"], every, np.zeros(len(facilities), dtype=np.int64))
    if isinstance(by, str):
        return _by_column(by, buildings, facilities)
    if hasattr(by, "assignment"):
        return _by_plan(by, buildings, facilities)
    if isinstance(by, gpd.GeoDataFrame):
        return _by_polygons(by, buildings, facilities)
    if isinstance(by, pd.Series):
        return _by_series(by, buildings)
    raise OptionError(
        f"by must be a GridPlan, a column of buildings, a Series indexed by building_id or a GeoDataFrame of "
        f"polygons, not {type(by).__name__}."
    )


def _one_each(ids: list[str], unit: NDArray[np.int64], facilities: NDArray[np.int64] | None) -> Units:
    """Units of whole buildings; `unit` is -1 for a building that belongs to none."""
    building = np.flatnonzero(unit >= 0)
    return Units(ids, building, unit[building], np.ones(len(building)), np.flatnonzero(unit < 0), facilities)


def _by_column(name: str, buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> Units:
    if name not in buildings.columns:
        present = ", ".join(str(c) for c in buildings.columns if c != buildings.geometry.name)
        raise OptionError(f"by={name!r} is no column of buildings; there are: {present}.")
    values = clean_ids(buildings[name])
    ids = sorted(values.dropna().unique())
    row = pd.Index(ids)
    located = row.get_indexer(pd.Index(clean_ids(facilities[name]))) if name in facilities.columns else None
    return _one_each(ids, row.get_indexer(pd.Index(values)), located)


def _by_series(by: pd.Series, buildings: gpd.GeoDataFrame) -> Units:
    index = pd.Index(clean_ids(pd.Series(by.index)))
    if index.has_duplicates:
        repeated = index[index.duplicated()][0]
        raise OptionError(f"by has building {repeated!r} more than once in its index; give each building one unit.")
    values = clean_ids(by)
    ids = sorted(values.dropna().unique())
    place = index.get_indexer(pd.Index(buildings["building_id"]))
    if (place < 0).all():
        raise OptionError("by has no building of this cover in its index; index the Series by building_id.")
    unit = np.full(len(buildings), -1, dtype=np.int64)
    unit[place >= 0] = pd.Index(ids).get_indexer(pd.Index(values))[place[place >= 0]]
    return _one_each(ids, unit, None)


def _by_polygons(by: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> Units:
    ids, shapes = unit_polygons(by, buildings.crs)
    return _one_each(ids, _locate(buildings, shapes), _locate(facilities.to_crs(buildings.crs), shapes))


def _by_plan(plan: Any, buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> Units:
    rows = pd.DataFrame(
        {
            "building": pd.Index(buildings["building_id"]).get_indexer(
                pd.Index(clean_ids(plan.assignment["building_id"]))
            ),
            "grid": clean_ids(plan.assignment["grid_id"]),
            "households": plan.assignment["households"].astype("float64"),
        }
    )
    rows = rows[(rows["building"] >= 0) & rows["grid"].notna()]
    rows = rows.groupby(["building", "grid"], sort=True)[["households"]].sum().reset_index()
    whole = rows.groupby("building")["households"].transform("sum")
    parts = rows.groupby("building")["households"].transform("size")
    # a split building without households is shared out evenly, so that its other counts are not lost
    share = np.where(whole > 0, rows["households"] / whole.where(whole > 0, 1.0), 1.0 / parts)
    grids = getattr(plan, "grids", None)
    located = None
    if isinstance(grids, gpd.GeoDataFrame):
        ids, shapes = unit_polygons(grids, buildings.crs)
        located = _locate(facilities.to_crs(buildings.crs), shapes)
    else:
        ids = sorted(rows["grid"].unique())
    unit = pd.Index(ids).get_indexer(pd.Index(rows["grid"]))
    if (unit < 0).any():
        missing = rows["grid"][unit < 0].iloc[0]
        raise OptionError(f"The plan assigns buildings to grid {missing!r}, which is not among its grids.")
    building = rows["building"].to_numpy(dtype=np.int64)
    outside = np.setdiff1d(np.arange(len(buildings)), building)
    return Units(ids, building, unit.astype(np.int64), np.asarray(share, dtype=np.float64), outside, located)


def unit_polygons(table: gpd.GeoDataFrame, crs: object) -> tuple[list[str], NDArray[np.object_]]:
    """Ids in order and the polygons, rows of one id put together."""
    if not table.geom_type.isin(("Polygon", "MultiPolygon")).all():
        raise OptionError("by holds other geometries than polygons; give the areas of the units.")
    column = next((c for c in ID_COLUMNS if c in table.columns), None)
    keys = clean_ids(table[column] if column is not None else pd.Series(table.index, index=table.index))
    if keys.isna().any():
        raise OptionError(f"by has rows without {column}; give each unit an id.")
    shapes = np.asarray(to_crs(table, crs).geometry.array)
    order = np.argsort(keys.to_numpy(dtype=str), kind="stable")
    ids, first = np.unique(keys.to_numpy(dtype=str)[order], return_index=True)
    if len(ids) == len(order):
        return [str(i) for i in ids], shapes[order]
    groups = np.split(shapes[order], first[1:])
    return [str(i) for i in ids], np.array([shapely.union_all(group) for group in groups], dtype=object)


def _locate(table: gpd.GeoDataFrame, shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Row of the first polygon that holds each row's point on surface; -1 where none does."""
    points = shapely.point_on_surface(np.asarray(table.geometry.array))
    # the tree is over the points, so that the outlines, of many vertices, are the prepared ones
    shape, point = shapely.STRtree(points).query(shapes, predicate="intersects")
    unit = np.full(len(points), len(shapes), dtype=np.int64)
    np.minimum.at(unit, point, shape)
    return np.where(unit == len(shapes), -1, unit)
