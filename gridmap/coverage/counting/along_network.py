"""Distance along the streets, category by category, from every building to its nearest facilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.coverage.counting.reach import Nearest
from gridmap.network import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["Found", "nearest_along_network", "nearest_by_category"]


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
        Anything with a `map`; the searches run in it, else in threads.
    """
    origins = network.access(
        np.asarray(buildings.geometry.array), kind="building", ids=buildings["building_id"].to_numpy()
    )
    targets = network.access(
        np.asarray(facilities.geometry.array), kind="facility", ids=facilities["facility_id"].to_numpy()
    )
    nearest = nearest_by_category(network, origins, targets, rows, measure=measure, k=k, executor=executor)
    return Found(nearest, origins, targets)


def nearest_by_category(
    network: StreetNetwork,
    origins: Access,
    targets: Access,
    rows: Sequence[NDArray[np.int64]],
    *,
    measure: str,
    k: int,
    executor: Any = None,
) -> Nearest:
    """The nearest targets of each category from every origin.

    Parameters
    ----------
    network, rows, measure, k, executor
        As for `nearest_along_network`; `rows` are indices of the targets.
    origins, targets
        Places on the network.
    """
    order = np.concatenate([*rows, np.empty(0, dtype=np.int64)])
    kind = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    answer = search.nearest_of_each_kind(
        network, targets.take(order), kind, origins, kinds=len(rows), by=measure, k=k, executor=executor
    )
    # the last entry is what the target -1 finds
    facility = np.append(order, -1).astype(np.int32)[answer.target]
    return Nearest(facility, answer.metres, answer.minutes)
