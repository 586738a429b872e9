"""The ground: homes, existing facilities and candidates on the streets, and who reaches which within a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.coverage.counting.along_network import nearest_by_category
from gridmap.errors import OptionError
from gridmap.network.bounded import within
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Ground", "Nearest", "find_ground", "nearest_of", "reach_within"]

# All ways between all homes and candidates are a product; beyond so many pairs a limit is asked for.
_MOST_PAIRS = 100_000_000
# Longer than any way, in minutes and metres.
_EVERYWHERE = 1e9


class Ground(NamedTuple):
    """Places on the streets: rows of buildings, candidates and existing facilities."""

    network: StreetNetwork
    homes: Access
    candidates: Access
    existing: Access


class Nearest(NamedTuple):
    """The nearest facility of each building and category: its row (-1: none), metres and minutes (inf)."""

    facility: NDArray[np.int32]
    metres: Floats
    minutes: Floats

    def cost(self, measure: str) -> Floats:
        """`metres` or `minutes`."""
        return self.metres if measure == "metres" else self.minutes


def find_ground(
    network: StreetNetwork, homes: gpd.GeoDataFrame, candidates: gpd.GeoDataFrame, existing: gpd.GeoDataFrame
) -> Ground:
    """Three checked tables on the streets; candidates are entered as facilities are."""
    places = []
    for table, kind in ((homes, "building"), (candidates, "facility"), (existing, "facility")):
        shapes = np.asarray(to_crs(table, network.crs).geometry.array, dtype=object)
        places.append(network.access(shapes, kind=kind, ids=table[f"{kind}_id"].to_numpy()))
    return Ground(network, *places)


def nearest_of(ground: Ground, targets: Access, rows: list[Longs], measure: str, executor: Any = None) -> Nearest:
    """The nearest of some targets from every building, by category: arrays (buildings, categories).

    Parameters
    ----------
    ground
        Where the buildings are.
    targets, rows
        Places, and which of them offer each category.
    measure
        What is minimised.
    executor
        Anything with a `map`.
    """
    found = nearest_by_category(ground.network, ground.homes, targets, rows, measure=measure, k=1, executor=executor)
    return Nearest(found.facility[:, :, 0], found.metres[:, :, 0], found.minutes[:, :, 0])


def reach_within(
    ground: Ground, targets: Access, buildings: Longs, measure: str, limit: float, executor: Any = None
) -> tuple[Longs, NDArray[np.int32], Floats]:
    """Every target within a limit of some buildings: pointers by place in `buildings`, targets rising, and cost.

    The memory is that of the pairs found.

    Raises
    ------
    OptionError
        When there is no limit and the pairs would be too many.
    """
    if not np.isfinite(limit):
        if len(buildings) * len(targets) > _MOST_PAIRS:
            raise OptionError(
                f"{len(buildings):,} buildings and {len(targets):,} candidates without a limit are too many pairs; "
                "give minutes= or metres= beyond which a way no longer counts."
            )
        limit = _EVERYWHERE
    found = within(ground.network, targets, ground.homes.take(buildings), by=measure, limit=limit, executor=executor)
    return found.origin_ptr, found.target, found.cost
