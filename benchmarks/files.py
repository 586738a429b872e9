"""Files: how long a million buildings, a large extract and an audit take, and in how much memory.

    python benchmarks/files.py

Prints Markdown. Each row is the median of three runs, each in a process of its own; memory is the highest that such a
process held. The million buildings are made here: squares 25 m apart with an id, households, floors and a use.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from runs import HERE, environment

_RUNS = 3
_MILLION = 1_000_000
_CHILD = """
import json, resource, sys, time
import gridmap as gm
{setup}
started = time.perf_counter()
{work}
seconds = time.perf_counter() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]))
"""


def buildings(path: Path) -> None:
    """Write a million buildings as GeoParquet and as a GeoPackage into a folder."""
    i = np.arange(_MILLION)
    x, y = 400_000 + i % 1000 * 25.0, 4_400_000 + i // 1000 * 25.0
    rng = np.random.default_rng(0)
    table = gpd.GeoDataFrame(
        {
            "building_id": np.char.zfill(i.astype(str), 7),
            "households": rng.integers(0, 60, _MILLION),
            "floors": rng.integers(1, 30, _MILLION),
            "use": rng.choice(["住宅", "商业", "学校"], _MILLION),
        },
        geometry=shapely.box(x, y, x + 12, y + 12),
        crs=32650,
    )
    table.to_parquet(path / "buildings.parquet")
    table.to_file(path / "buildings.gpkg")


def timed(name: str, work: str, setup: str = "") -> None:
    """Print a row: the median seconds and the highest memory of some runs of this work."""
    found = []
    for _ in range(_RUNS):
        command = [sys.executable, "-c", _CHILD.format(setup=setup, work=work)]
        done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    seconds = statistics.median(s for s, _ in found)
    print(f"| {name} | {seconds:.1f} | {max(mb for _, mb in found):,.0f} |", flush=True)


def main() -> None:
    """Measure and print."""
    data = Path(environment()["GRIDMAP_DATA"])
    print("| task | seconds | highest memory (MB) |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        # in a process of its own: what this one held would count as memory of its children
        maker = get_context("spawn").Process(target=buildings, args=(Path(folder),))
        maker.start()
        maker.join()
        for suffix, name in (("parquet", "GeoParquet"), ("gpkg", "GeoPackage")):
            timed(
                f"a million buildings, {name}, read and checked",
                f"gm.read_buildings({folder!r} + '/buildings.{suffix}')",
            )
    city = str(HERE / "las_palmas.toml")
    setup = f"tables = {{n: t for n, t in gm.read_project({city!r}).tables.items() if n != 'households'}}"
    timed("Las Palmas audited, 22,000 buildings and all else", "gm.check(**tables)", setup)
    file = str(data / "beijing_subdistricts" / "beijing_subdistricts_worldpop.gpkg")
    setup = f"units = gm.read_communities({file!r})"
    timed("331 sub-districts of Beijing audited", "gm.check(subdistricts=units)", setup)
    timed("331 sub-districts of Beijing repaired", "gm.repair(units, name='subdistricts')", setup)
    porto = str(data / "porto" / "porto_portugal.osm.pbf")
    timed("Greater Porto, .osm.pbf to walking network", f"gm.StreetNetwork.from_streets(gm.read_streets({porto!r}))")


if __name__ == "__main__":
    main()
