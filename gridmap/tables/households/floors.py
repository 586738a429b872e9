"""Floors that nobody stated: from a height, from the neighbours, and only when told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["STOREY_METRES", "infer_floors"]

#: Height of a storey with its slab (m). An assumption, no standard: dwellings are mostly built with 2.8 to 3.0 m.
STOREY_METRES = 3.0
# The floors of a building are the median of the nearest buildings with known floors; fewer or farther ones say nothing.
_NEIGHBOURS, _FEWEST, _FARTHEST = 5, 3, 100.0
_WAYS = ("height", "neighbours")


def infer_floors(
    buildings: gpd.GeoDataFrame, floors: Array, how: str | Sequence[str] | None
) -> tuple[Array, dict[str, int]]:
    """Floors of each building, NaN where still unknown, and how many rows each way gave.

    Parameters
    ----------
    buildings
        In metres, with ``building_id``; a column ``height`` (m) is used where present.
    floors
        As stated; NaN where unknown.
    how
        ``"height"`` (metres ÷ 3), ``"neighbours"`` (median of the 5 nearest buildings with stated floors, at least 3 of
        them within 100 m), both in the order to be tried, or None for neither.

    Raises
    ------
    OptionError
        When `how` names another way.
    """
    ways = () if how is None else (how,) if isinstance(how, str) else tuple(how)
    unknown = sorted(set(ways) - set(_WAYS))
    if unknown:
        raise OptionError(
            f"infer_floors={how!r}: {unknown[0]!r} is no way to infer floors; known are 'height', 'neighbours'"
        )
    stated = np.isfinite(floors)
    counts: dict[str, int] = {"stated": int(stated.sum())}
    out = floors.copy()
    for way in ways:
        found = _from_height(buildings) if way == "height" else _from_neighbours(buildings, floors)
        new = ~np.isfinite(out) & np.isfinite(found)
        out[new] = found[new]
        counts[way] = int(new.sum())
    counts["unknown"] = int((~np.isfinite(out)).sum())
    return out, counts


def _from_height(buildings: gpd.GeoDataFrame) -> Array:
    if "height" not in buildings.columns:
        return np.full(len(buildings), np.nan)
    metres = pd.to_numeric(buildings["height"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    metres = np.where(np.isfinite(metres) & (metres > 0), metres, np.nan)
    return np.asarray(np.maximum(np.floor(metres / STOREY_METRES + 0.5), 1.0))


def _from_neighbours(buildings: gpd.GeoDataFrame, floors: Array) -> Array:
    from scipy.spatial import KDTree

    out = np.full(len(buildings), np.nan)
    # by id, so that of two neighbours equally far the same one is taken whatever the order of the rows
    by_id: NDArray[Any] = np.argsort(buildings["building_id"].to_numpy(dtype=str), kind="stable")
    known = by_id[np.isfinite(floors[by_id])]
    asked = by_id[~np.isfinite(floors[by_id])]
    if len(known) < _FEWEST or not len(asked):
        return out
    xy = shapely.get_coordinates(shapely.centroid(np.asarray(buildings.geometry.array)))
    metres, nearest = KDTree(xy[known]).query(xy[asked], k=_NEIGHBOURS, distance_upper_bound=_FARTHEST)
    near = np.isfinite(metres)
    values = np.where(near, np.r_[floors[known], np.nan][nearest], np.nan)
    enough = near.sum(axis=1) >= _FEWEST
    out[asked[enough]] = np.floor(np.nanmedian(values[enough], axis=1) + 0.5)
    return out
