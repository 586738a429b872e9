"""Slow streets: those for people on foot and bicycles, and the network that they alone make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.coverage.counting.along_network import nearest_by_category
from gridmap.errors import OptionError
from gridmap.network.profiles import flag, usable_streets
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["SLOW_CLASSES", "SlowNetwork", "costs", "is_greenway", "is_slow", "slow_network"]

#: Classes of streets where motor traffic is shut out or a guest.
SLOW_CLASSES = frozenset(
    ("bridleway", "cycleway", "footway", "greenway", "living_street", "path", "pedestrian", "steps")
)


class SlowNetwork(NamedTuple):
    """The network of slow streets, and how buildings and facilities (row by row) get onto it.

    `near_homes`, `near_services`: which of them have a slow street within range; what has none is not on it.
    """

    network: StreetNetwork
    homes: Access
    services: Access

    @property
    def near_homes(self) -> Flags:
        """Which buildings have a slow street within range."""
        return np.asarray(self.homes.status == "ok", dtype=np.bool_)

    @property
    def near_services(self) -> Flags:
        """Which facilities have a slow street within range."""
        return np.asarray(self.services.status == "ok", dtype=np.bool_)


def is_greenway(streets: gpd.GeoDataFrame) -> Flags | None:
    """Which streets are greenways, by a column `greenway` or that class; None where streets say neither."""
    named = streets["class"].eq("greenway").to_numpy(dtype=np.bool_) if "class" in streets else None
    if "greenway" in streets:
        marked = flag(streets, "greenway")
        return marked if named is None else marked | named
    return named if named is not None and named.any() else None


def is_slow(streets: gpd.GeoDataFrame, classes: Collection[str]) -> Flags:
    """Which streets are slow ones that somebody may use, on foot or by bicycle."""
    if "class" not in streets and "greenway" not in streets:
        raise OptionError("streets have neither class nor greenway, so nobody knows which are slow; fill in class.")
    slow = np.zeros(len(streets), dtype=np.bool_)
    if "class" in streets:
        slow |= streets["class"].isin(set(classes)).to_numpy(dtype=np.bool_)
    green = is_greenway(streets)
    if green is not None:
        slow |= green
    return slow & (usable_streets(streets, "walk") | usable_streets(streets, "cycle"))


def slow_network(
    network: StreetNetwork, homes: gpd.GeoDataFrame, services: gpd.GeoDataFrame, classes: Collection[str]
) -> SlowNetwork | None:
    """The slow streets that the mode of the network may use; None where there are none."""
    usable = network.lines.iloc[network.usable_rows]
    slow = usable[is_slow(usable, classes)]
    if slow.empty:
        return None
    alone = network.with_streets(slow)
    return SlowNetwork(
        alone,
        alone.access(to_crs(homes, network.crs), kind="building"),
        alone.access(to_crs(services, network.crs), kind="facility"),
    )


def costs(slow: SlowNetwork, rows: Sequence[Longs], measure: str) -> Floats:
    """Cost, (buildings, categories), to the nearest facility of each category on slow streets alone, else infinite.

    `rows` are those of the facilities of each category.
    """
    out = np.full((len(slow.homes), len(rows)), np.inf)
    near, there = np.flatnonzero(slow.near_homes), slow.near_services
    kept = [row[there[row]] for row in rows]
    if len(near):
        found = nearest_by_category(slow.network, slow.homes.take(near), slow.services, kept, measure=measure, k=1)
        out[near] = found.cost(measure)[:, :, 0]
    return out
