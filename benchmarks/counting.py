"""Counting in Las Palmas: seconds to prepare, to count, and to answer what one change would change.

    python benchmarks/counting.py

Prints Markdown. The 20 most frequent categories, barriers, compounds and gates included; households are estimates.
Everything is compiled before the clock starts; medians of five.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
from circles import las_palmas
from runs import environment
from shapely import LineString, Point

import gridmap as gm

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES, _CATEGORIES, _SEED = 5, 20, 1
_MINUTES = (5, 10, 15)
_LINK_METRES = (30.0, 150.0)


def seconds(work: Callable[[], Any]) -> float:
    """Median of some runs, after one that compiles."""
    work()
    taken = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def link(network: gm.StreetNetwork, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """A footbridge between two nodes of the network that are not far apart."""
    xy = network.graph.node_xy
    one = rng.integers(len(xy))
    apart = np.hypot(*(xy - xy[one]).T)
    other = rng.choice(np.flatnonzero((apart > _LINK_METRES[0]) & (apart < _LINK_METRES[1])))
    return gpd.GeoDataFrame({"class": ["footway"]}, geometry=[LineString([xy[one], xy[other]])], crs=network.crs)


def shop(network: gm.StreetNetwork, category: str, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """A facility at some node."""
    place = Point(network.graph.node_xy[rng.integers(network.graph.n_nodes)])
    return gpd.GeoDataFrame({"facility_id": ["new"], "category": [category]}, geometry=[place], crs=network.crs)


def count_three(cover: gm.Cover) -> None:
    """Coverage by three thresholds, from one search."""
    for minutes in _MINUTES:
        cover.with_thresholds(minutes=minutes).rate()


def main() -> None:
    """Measure and print."""
    environment()
    tables = las_palmas()
    facilities = tables["facilities"]
    frequent = facilities["category"].value_counts().index[:_CATEGORIES]
    facilities = facilities[facilities["category"].isin(frequent)].reset_index(drop=True)
    walls = {name: tables[name] for name in ("barriers", "compounds", "entrances")}
    prepare = partial(gm.StreetNetwork.from_streets, tables["streets"], **walls)
    network = prepare()
    count = partial(gm.cover, tables["buildings"], facilities, network, minutes=15)
    cover = count()
    rng = np.random.default_rng(_SEED)
    rows = {
        "prepare the network": seconds(prepare),
        f"snap {len(cover.buildings):,} buildings and {len(facilities):,} facilities, count {_CATEGORIES} categories":
            seconds(count),
        "rates by three thresholds": seconds(lambda: count_three(cover)),
        "one new facility, with rates": seconds(
            lambda: cover.with_changes(add_facilities=shop(network, str(frequent[0]), rng)).rate()
        ),
        "one footbridge, with rates": seconds(lambda: cover.with_changes(add_streets=link(network, rng)).rate()),
    }  # fmt: skip
    print("| Las Palmas | seconds |\n|---|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:.3f} |")


if __name__ == "__main__":
    main()
