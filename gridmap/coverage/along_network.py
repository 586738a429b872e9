"""Distance along the streets, category by category, from every building to its nearest facilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.coverage.reach import Nearest
from gridmap.network import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["Found", "nearest_along_network"]


class Found(NamedTuple):
    """What the streets say, and how buildings and facilities (row by row of their tables) got onto them."""

    nearest: Nearest
    buildings: Access
    facilities: Access


def nearest_along_network(
    network: StreetNetwork,
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    rows: Sequence[NDArray[np.int64]],
    *,
    measure: str,
    k: int,
    executor: Any = None,
) -> Found:
    """The nearest facilities of each category from every building.

    Parameters
    ----------
    network
        The prepared streets.
    buildings, facilities
        Checked tables in the CRS of the network.
    rows
        Rows of the facilities of each category, in order of their ids, so that ties do not depend on row order.
    measure
        ``"minutes"`` or ``"metres"``: what the search minimises.
    k
        How many facilities of each category.
    executor
        Anything with a `map`; the searches run in it, one task a category.
    """
    origins = network.access(
        np.asarray(buildings.geometry.array), kind="building", ids=buildings["building_id"].to_numpy()
    )
    targets = network.access(
        np.asarray(facilities.geometry.array), kind="facility", ids=facilities["facility_id"].to_numpy()
    )
    found = Nearest.none(len(buildings), len(rows), k)
    asked = [column for column, row in enumerate(rows) if len(row)]
    tasks = [(network, targets.take(rows[column]), origins, measure, k) for column in asked]
    for column, answer in zip(asked, (map if executor is None else executor.map)(_search, tasks), strict=True):
        reached = answer.target >= 0
        found.facility[:, column] = np.where(reached, rows[column][answer.target], -1)
        found.metres[:, column] = np.where(reached, answer.metres, np.inf)
        found.minutes[:, column] = np.where(reached, answer.minutes, np.inf)
    return Found(found, origins, targets)


def _search(task: tuple[StreetNetwork, Access, Access, str, int]) -> search.Nearest:
    """One category; a function of one argument at the top of a file, so that any executor can carry it."""
    network, targets, origins, measure, k = task
    return search.nearest(network, targets, origins, by=measure, k=k)
