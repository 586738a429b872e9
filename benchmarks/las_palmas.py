"""Las Palmas from the .pbf to the HTML map: seconds by stage, memory, grids and coverage, and a part of the city.

    python benchmarks/las_palmas.py            # the whole city, warm
    python benchmarks/las_palmas.py --all      # and cold (empty compilation cache), a quarter and half of the city

Prints Markdown. A quarter and half are the communities nearest to the southernmost one that hold that share of the
households; buildings, streets and facilities are cut to within 1,000 m of them, so input shrinks with the city.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd
from runs import HERE, environment, measure, rate_rows, result_rows, stage_rows

PROJECT = HERE / "las_palmas.toml"
# Streets and facilities this far outside the part still serve it: 15 minutes at 4.8 km/h are 1,200 m.
_AROUND = 1200.0


def part_of_city(share: float, folder: Path) -> Path:
    """A project with the given share of the city: its communities, and the other tables cut to around them."""
    import gridmap as gm

    data = Path(environment()["GRIDMAP_DATA"]) / "las_palmas"
    pbf = data / "las_palmas_20230221.osm.pbf"
    communities = gm.read_communities(data / "communities_4000.gpkg")
    counts = pd.read_csv(data / "households.csv", dtype={"building_id": str})
    buildings = gm.read_buildings(pbf).to_crs(communities.crs)
    buildings["households"] = buildings.building_id.map(counts.set_index("building_id").households).fillna(0)
    centres = communities.representative_point()
    order = centres.distance(centres.loc[centres.y.idxmin()]).sort_values().index
    points = buildings.assign(geometry=buildings.representative_point())[["households", "geometry"]]
    joined = points.sjoin(communities[["community_id", "geometry"]])
    total = joined.groupby("community_id").households.sum().reindex(communities.community_id[order]).cumsum()
    chosen = communities[communities.community_id.isin(total.index[total <= share * total.iloc[-1]])]
    around = chosen.union_all().buffer(_AROUND)
    tables = {
        "communities": chosen,
        "buildings": buildings[buildings.intersects(chosen.union_all())],
        "compounds": gm.read_compounds(data / "compounds.gpkg"),
        "entrances": gm.read_entrances(data / "entrances.gpkg"),
    }
    tables |= {
        name: getattr(gm, f"read_{name}")(pbf).to_crs(communities.crs) for name in ("streets", "facilities", "barriers")
    }
    for name in ("streets", "facilities", "barriers", "compounds", "entrances"):
        tables[name] = tables[name][tables[name].intersects(around)]
    path = folder / f"part_{share:.2f}.gpkg"
    gm.write_project(path, tables=tables)
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also a cold run, and a quarter and half of the city")
    parser.add_argument("--out", type=Path, default=None, help="folder for the results; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cache, out = str(folder / "cache"), arguments.out or folder / "out"
        # the first run compiles into an empty cache, which the second one finds filled
        cold = measure(PROJECT, out, NUMBA_CACHE_DIR=cache)
        warm = measure(PROJECT, out, NUMBA_CACHE_DIR=cache)
        print(stage_rows({"compiled": warm, "cold": cold}), end="\n\n")
        runs = {"Las Palmas": warm}
        if arguments.all:
            for name, share in (("half", 0.5), ("a quarter", 0.25)):
                runs[name] = measure(part_of_city(share, folder), out / name, NUMBA_CACHE_DIR=cache)
        print(result_rows(runs), end="\n\n")
        print(rate_rows(warm), end="\n\n")
        print("\n".join(f"- {severity}: {rule}: {count}" for severity, rule, count in warm["findings"]))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
