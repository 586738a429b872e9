"""The fewest new places that cover 90 % and 95 % of the households of Las Palmas: one command, one table.

    python benchmarks/siting_las_palmas.py                     # 15, 10 and 5 minutes on foot, and 500 m
    python benchmarks/siting_las_palmas.py --only kindergarten # a category whose name holds the word
    python benchmarks/siting_las_palmas.py --targets 0.8 1     # other shares

Prints Markdown. Demand: all buildings with households; candidates: every tenth of them, in id order; existing
facilities count. `most` is the share that is covered when every candidate is built: where it is below the target no
choice reaches the target, and the sites are the fewest that reach `most`. Seconds are those of the choice, wall-clock,
from the pairs of candidate and building on, and of the processor, which others on the machine do not lengthen; those of
finding the pairs stand above the table. `bound`: fewer sites cannot do.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.network.streets import StreetNetwork
    from gridmap.siting.solve.pairs import Pairs

REPOSITORY = Path(__file__).resolve().parents[1]
CATEGORIES = ("supermarket", "pharmacy", "school", "kindergarten", "park")
TARGETS = (0.9, 0.95)
REACHES = (("minutes", 15.0), ("minutes", 10.0), ("minutes", 5.0), ("metres", 500.0))
_HEADINGS = ("category", "within", "covered", "most", "target", "sites", "bound", "outcome", "how", "s", "CPU s")


class City(NamedTuple):
    """Buildings with households in id order, those that are candidates, what exists, and the streets."""

    homes: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    existing: gpd.GeoDataFrame
    network: StreetNetwork


def read_city(folder: Path) -> City:
    """Las Palmas; candidates are facilities of the buildings' ids and outlines."""
    import pandas as pd

    import gridmap as gm

    source = next(folder.glob("*.osm.pbf"))
    counts = pd.read_csv(folder / "households.csv", dtype={"building_id": str}).set_index("building_id")["households"]
    buildings = gm.read_buildings(source)
    buildings["households"] = buildings["building_id"].map(counts)
    homes = buildings[buildings["households"] > 0].sort_values("building_id", ignore_index=True)
    candidates = homes[["building_id", "geometry"]].iloc[::10].rename(columns={"building_id": "facility_id"})
    facilities = gm.read_facilities(source)
    existing = facilities[facilities["category"].isin(CATEGORIES)]
    return City(homes, candidates, existing, gm.StreetNetwork.from_streets(gm.read_streets(source)))


def find_pairs(city: City, by: str, limit: float) -> Pairs:
    """Which buildings each candidate reaches."""
    from gridmap.network.bounded import within
    from gridmap.siting.solve.pairs import make_pairs

    homes = city.network.access(city.homes, kind="building")
    candidates = city.network.access(city.candidates, kind="facility")
    found = within(city.network, candidates, homes, by=by, limit=limit)
    return make_pairs(found.origin, found.target, found.cost, len(homes), len(candidates))


def covered_homes(city: City, facilities: gpd.GeoDataFrame, by: str, limit: float) -> Any:
    """Who reaches what: a row a building, in order, and a column a category."""
    import gridmap as gm

    measure: dict[str, Any] = {by: limit}
    reach = gm.cover(city.homes, facilities, city.network, **measure).reach
    table = reach.pivot_table(index="building_id", columns="category", values="covered")
    return table.loc[city.homes["building_id"]] > 0


def row(pairs: Pairs, weight: np.ndarray, covered: np.ndarray, target: float) -> list[str]:
    """What stands in the table after category and distance."""
    from gridmap.siting.solve.set_cover import reachable_weight, set_cover

    total, have = weight.sum(), weight[covered].sum()
    missing = np.where(covered, 0.0, weight)
    start, worked = time.perf_counter(), time.process_time()
    most = have + reachable_weight(pairs, missing)[0]
    found = set_cover(pairs, missing, target * total - have)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    reached = np.zeros(len(weight), dtype=bool)
    reached[pairs.demand[np.repeat(found.chosen, np.diff(pairs.site_ptr))]] = True
    assert have + missing[reached].sum() >= min(target * total, most) - 1e-6  # noqa: S101
    outcome = "proved" if found.proved else f"gap {found.gap:.1%}"
    if most < target * total - 1e-6:
        outcome = f"target out of reach; {outcome} for the most"
    shares = [f"{share / total:.2%}" for share in (have, most)]
    return [
        *shares,
        f"{target:.0%}",
        f"{found.value:.0f}",
        f"{found.bound:.0f}",
        outcome,
        found.method,
        f"{seconds:.2f}",
        f"{worked:.2f}",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="categories whose name holds the word")
    parser.add_argument("--targets", type=float, nargs="+", default=TARGETS, metavar="SHARE")
    arguments = parser.parse_args()
    sys.path.insert(0, str(REPOSITORY))
    folder = Path(os.environ.get("GRIDMAP_DATA") or REPOSITORY.parent / "shared" / "data") / "las_palmas"
    if not folder.is_dir():
        sys.exit("the data of Las Palmas is absent; set GRIDMAP_DATA")
    busy = f"; load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    city = read_city(folder)
    weight = city.homes["households"].to_numpy(np.float64)
    print(
        f"{os.cpu_count()} cores{busy}. {len(city.homes):,} buildings with {weight.sum():,.0f} households, "
        f"{len(city.candidates):,} candidates, {len(city.existing):,} existing facilities."
    )
    for word in ("first", *REACHES):
        if word == "first":  # compile everything, and let the network make its order
            row(find_pairs(city, "metres", 50.0), weight, np.zeros(len(weight), dtype=bool), 0.01)
            continue
        by, limit = word
        start = time.perf_counter()
        pairs = find_pairs(city, by, limit)
        print(f"\n{limit:.0f} {by}: {len(pairs.site):,} pairs in {time.perf_counter() - start:.1f} s\n")
        print("| " + " | ".join(_HEADINGS) + " |\n|---|---|---:|---:|---:|---:|---:|---|---|---:|---:|", flush=True)
        covered = covered_homes(city, city.existing, by, limit)
        for category in CATEGORIES:
            if arguments.only in category:
                for target in arguments.targets:
                    cells = row(pairs, weight, covered[category].to_numpy(), target)
                    print("| " + " | ".join([category, f"{limit:.0f} {by}", *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
