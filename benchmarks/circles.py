"""Service circles in Las Palmas: seconds, deviations, what other ways get wrong, and another router's isochrones.

    python benchmarks/circles.py                         # all of it
    python benchmarks/circles.py --only speed            # or: truth, router

Prints Markdown. Households are estimates (see the README of the data). The router is Valhalla, from the package
pyvalhalla-weekly; without it that part is left out and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from runs import REPOSITORY, environment
from truth import WAYS, Town

import gridmap as gm

sys.path.insert(0, str(REPOSITORY / "tests"))

SEED = 20230221
METRES = (400, 800, 1200)
TRUTH_METRES = (300, 500, 1000)
MINUTES = (5, 10, 15)
#: Every-day services of few enough places that a hull can be drawn around each of them.
SERVICES = (
    "clinic", "pharmacy", "supermarket", "school", "kindergarten", "elderly_care", "library", "market", "culture",
    "hospital",
)  # fmt: skip
_WALLS = ("barriers", "compounds", "entrances")
# For the share on the wrong side only categories count that cover so many households.
_COUNTED = 500
_ROUTER = "pyvalhalla-weekly"


def las_palmas() -> dict[str, gpd.GeoDataFrame]:
    """The tables, in one metric CRS; households are those of the shared estimate."""
    data = Path(environment()["GRIDMAP_DATA"]) / "las_palmas"
    pbf = data / "las_palmas_20230221.osm.pbf"
    tables = {
        "compounds": gm.read_compounds(data / "compounds.gpkg"),
        "entrances": gm.read_entrances(data / "entrances.gpkg"),
    }
    for name in ("buildings", "facilities", "streets", "barriers"):
        tables[name] = getattr(gm, f"read_{name}")(pbf).to_crs(tables["compounds"].crs)
    counts = pd.read_csv(data / "households.csv", dtype={"building_id": str}).set_index("building_id")["households"]
    tables["buildings"]["households"] = tables["buildings"]["building_id"].map(counts).fillna(0)
    return tables


def network_of(tables: dict[str, gpd.GeoDataFrame], *, walls: bool) -> gm.StreetNetwork:
    """The prepared network, with barriers, compounds and gates or without."""
    return gm.StreetNetwork.from_streets(tables["streets"], **{name: tables[name] for name in _WALLS if walls})


def twenty_categories(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The facilities of the 20 categories that have most."""
    return facilities[facilities["category"].isin(facilities["category"].value_counts().index[:20])]


def print_table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Markdown: a heading, and the rows with numbers to the right."""
    print("| " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def best_of(times: int, work: Any) -> tuple[float, float, Any]:
    """Least wall-clock and processor seconds of several runs, and what the last one gave."""
    wall, processor, result = np.inf, np.inf, None
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        result = work()
        wall, processor = min(wall, time.perf_counter() - began), min(processor, time.process_time() - used)
    return wall, processor, result


def speed(tables: dict[str, gpd.GeoDataFrame]) -> None:
    """Seconds of the drawing on a prepared network, and the shares of households on the wrong side."""
    facilities, buildings = twenty_categories(tables["facilities"]), tables["buildings"]
    some = facilities.sample(50, random_state=SEED)
    print(
        f"{len(facilities):,} facilities of 20 categories at {', '.join(map(str, METRES))} m, {len(buildings):,} "
        f"buildings given; {os.cpu_count()} processors, best of three, snapping included, network prepared before.\n"
    )
    seconds, shares = [], []
    for name, walls in (("streets alone", False), ("with barriers, compounds and gates", True)):
        network = network_of(tables, walls=walls)
        for overlap, times in (("dissolve", 3), ("split", 1), ("overlap", 1)):
            gm.service_circles(some, network, buildings=buildings, metres=METRES, overlap=overlap)  # compiled, warm
            wall, processor, circles = best_of(
                times,
                lambda overlap=overlap, network=network: gm.service_circles(
                    facilities, network, buildings=buildings, metres=METRES, overlap=overlap
                ),
            )
            seconds.append((name, overlap, f"{len(circles):,}", f"{wall:.1f}", f"{processor:.1f}"))
            if overlap == "dissolve":
                shares += _shares(name, circles)
    print_table(("network", "overlap", "polygons", "seconds", "processor seconds"), seconds)
    print_table(("network", "metres", "categories", "median deviation", "worst deviation", "which"), shares)


def _shares(name: str, circles: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    rows = []
    for metres, some in circles[circles["covered"] >= _COUNTED].groupby("metres"):
        worst = some.loc[some["deviation"].idxmax()]
        rows.append(
            (
                name, f"{metres:.0f}", len(some), f"{some['deviation'].median():.2%}", f"{worst['deviation']:.2%}",
                worst["category"],
            )
        )  # fmt: skip
    return rows


def truth(tables: dict[str, gpd.GeoDataFrame]) -> None:
    """Households wrongly covered and missed by each way of drawing, in shares of those that are covered."""
    buildings = tables["buildings"][tables["buildings"]["households"] > 0]
    facilities = tables["facilities"][tables["facilities"]["category"].isin(SERVICES)]
    households = buildings["households"].to_numpy()
    homes = shapely.point_on_surface(buildings.geometry.to_numpy())
    for name, walls in (("Streets alone", False), ("With barriers, compounds and gates", True)):
        network = network_of(tables, walls=walls)
        wrong: dict[tuple[str, int], np.ndarray] = {}
        for metres in TRUTH_METRES:
            cover = gm.cover(buildings, facilities, network, metres=dict.fromkeys(SERVICES, metres))
            for column, category in enumerate(SERVICES):
                covered = cover.covered[:, column]
                of = facilities.geometry[facilities["category"] == category].to_numpy()
                for way, drawn in ((way, draw(Town(network, homes, of), metres)) for way, draw in WAYS.items()):
                    figures = [households[drawn & ~covered].sum(), households[covered & ~drawn].sum()]
                    wrong[way, metres] = wrong.get((way, metres), 0) + np.array([*figures, households[covered].sum()])
        circles = gm.service_circles(
            facilities, network, buildings=buildings, metres=dict.fromkeys(SERVICES, TRUTH_METRES)
        )
        for metres, some in circles.groupby("metres"):
            wrong["**gridmap's polygon**", int(metres)] = (
                some[["uncovered_inside", "covered_outside", "covered"]].sum().to_numpy()
            )
        print(f"{name}: households wrongly covered / missed, of those covered, {len(SERVICES)} categories together.\n")
        rows = []
        for way in dict.fromkeys(way for way, _ in wrong):
            figures = [wrong[way, metres] for metres in TRUTH_METRES]
            rows.append((way, *(f"+{over / of:.1%} / −{missed / of:.1%}" for over, missed, of in figures)))
        rows.append(("**gridmap's count**", *["0 / 0"] * len(TRUTH_METRES)))
        print_table(("way", *(f"{metres:,} m" for metres in TRUTH_METRES)), rows)
    _check_count(tables, buildings)


def _check_count(tables: dict[str, gpd.GeoDataFrame], buildings: gpd.GeoDataFrame) -> None:
    """Distances by gridmap against networkx on edges split at every foot, streets alone, from a sample."""
    from small_towns import coordinates, plain_distances

    from gridmap.network.profiles import usable_streets

    facilities = tables["facilities"]
    facilities = facilities[facilities.geom_type == "Point"]
    services = facilities[facilities["category"].isin(("market", "library", "post"))].reset_index(drop=True)
    services = services.assign(category=services["facility_id"])
    homes = buildings.sample(400, random_state=SEED)
    streets = tables["streets"][usable_streets(tables["streets"], "walk")]
    lines = [shapely.get_coordinates(line) for line in streets.geometry]
    slow = plain_distances(
        coordinates(homes), coordinates(services), lines, node_ids=streets["node_ids"].tolist(), access_metres=50.0
    )
    cover = gm.cover(homes, services, network_of(tables, walls=False), metres=1e9)
    quick = cover.reach.set_index(["building_id", "category"])["metres"].unstack()  # noqa: PD010
    quick = quick.loc[homes["building_id"], services["facility_id"]].fillna(np.inf).to_numpy()
    both = np.isfinite(slow) & np.isfinite(quick)
    apart = np.abs(slow[both] - quick[both]).max()
    print(
        f"gridmap's count beside networkx on split edges: {slow.size:,} pairs of {len(homes)} homes and "
        f"{len(services)} facilities, greatest difference {apart:.1e} m; "
        f"reached by one alone: {(np.isfinite(slow) != np.isfinite(quick)).sum()}.\n"
    )


def router(tables: dict[str, gpd.GeoDataFrame]) -> None:
    """Circles of single facilities beside the isochrones that Valhalla draws for the same places."""
    if find_spec("valhalla") is None:
        print(f"The router is absent: python -m pip install {_ROUTER}\n")
        return
    buildings = tables["buildings"][tables["buildings"]["households"] > 0]
    points = gpd.GeoSeries(shapely.point_on_surface(buildings.geometry.to_numpy()), crs=buildings.crs)
    households = buildings["households"].to_numpy()
    some = tables["facilities"][tables["facilities"].geom_type == "Point"].sample(30, random_state=SEED)
    some = some.sort_values("facility_id")
    network = network_of(tables, walls=False)
    draw = lambda: gm.service_circles(some, network, minutes=MINUTES, overlap="overlap")  # noqa: E731
    draw()
    ours_seconds, _, ours = best_of(3, draw)
    ours = ours.set_index(["facility_id", "minutes"]).geometry
    with tempfile.TemporaryDirectory() as folder:
        actor, built = _valhalla(Path(folder))
        seconds, _, theirs = best_of(3, lambda: _isochrones(actor, some))
        pairs = _matrix(actor, some, points, network)
    rows = []
    tree = shapely.STRtree(points.to_numpy())
    for minutes in MINUTES:
        share, only, other, area = [], [], [], []
        for facility in some["facility_id"]:
            a, b = ours[facility, minutes], theirs[facility, minutes]
            union = shapely.union(a, b).area
            share.append(shapely.intersection(a, b).area / union)
            area.append((a.area / union, b.area / union))
            inside = np.zeros((2, len(points)), dtype=bool)
            for row, shape in enumerate((a, b)):
                inside[row, tree.query(shape, predicate="intersects")] = True
            either = max(households[inside.any(axis=0)].sum(), 1)
            only.append(households[inside[0] & ~inside[1]].sum() / either)
            other.append(households[inside[1] & ~inside[0]].sum() / either)
        ratio = np.array(area)
        rows.append(
            (
                f"{minutes} min", f"{np.median(share):.2f}", f"{np.min(share):.2f}",
                f"{np.median(ratio[:, 1] / ratio[:, 0]):.2f}", f"{np.median(only):.1%}", f"{np.median(other):.1%}",
            )
        )  # fmt: skip
    print(
        f"{len(some)} facilities at 4.8 km/h, streets alone. Valhalla: tiles built in {built:.1f} s, isochrones in "
        f"{seconds:.2f} s. gridmap: circles in {ours_seconds:.2f} s. Medians over the facilities.\n"
    )
    print_table(
        (
            "within", "intersection over union", "least", "area, Valhalla ÷ gridmap", "households in gridmap's alone",
            "households in Valhalla's alone",
        ),
        rows,
    )  # fmt: skip
    away, legs = pairs
    print(
        f"The same ways without drawing, {len(away):,} pairs of these facilities and homes, gridmap less Valhalla: "
        f"median {np.median(away):+.2f} min, half of them between {np.quantile(away, 0.25):+.2f} and "
        f"{np.quantile(away, 0.75):+.2f}; the legs from the doors to the streets, which Valhalla does not count, take "
        f"{np.median(legs):.2f} min in the median.\n"
    )


def _valhalla(folder: Path) -> tuple[Any, float]:
    """The router on tiles of the extract, and the seconds it took to build them."""
    import valhalla

    config = valhalla.get_config(tile_extract="", tile_dir=str(folder))
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    pbf = Path(environment()["GRIDMAP_DATA"]) / "las_palmas" / "las_palmas_20230221.osm.pbf"
    program = Path(valhalla.PYVALHALLA_DIR) / "bin" / "valhalla_build_tiles"
    began = time.perf_counter()
    # it leaves a list where it is run
    subprocess.run([program, "-c", path, pbf.resolve()], check=True, capture_output=True, cwd=folder)
    return valhalla.Actor(str(path)), time.perf_counter() - began


def _asked(facilities: gpd.GeoDataFrame) -> list[tuple[str, dict[str, float]]]:
    places = facilities.geometry.to_crs(4326)
    return [(i, {"lon": p.x, "lat": p.y}) for i, p in zip(facilities["facility_id"], places, strict=True)]


_PEDESTRIAN = {"costing": "pedestrian", "costing_options": {"pedestrian": {"walking_speed": 4.8}}}


def _isochrones(actor: Any, facilities: gpd.GeoDataFrame) -> dict[tuple[str, int], Any]:
    """Polygons by facility and minutes: every part, nothing simplified."""
    found: dict[tuple[str, int], Any] = {}
    for facility, place in _asked(facilities):
        contours = [{"time": minutes} for minutes in MINUTES]
        answer = actor.isochrone(
            {"locations": [place], "contours": contours, "polygons": True, "denoise": 0, "generalize": 0, **_PEDESTRIAN}
        )
        for feature in answer["features"]:
            found[facility, int(feature["properties"]["contour"])] = shapely.make_valid(
                shapely.geometry.shape(feature["geometry"])
            )
    shapes = gpd.GeoSeries(list(found.values()), crs=4326).to_crs(facilities.crs)
    return dict(zip(found, shapes, strict=True))


def _matrix(
    actor: Any, facilities: gpd.GeoDataFrame, points: gpd.GeoSeries, network: gm.StreetNetwork
) -> tuple[np.ndarray, np.ndarray]:
    """Minutes from homes to facilities, gridmap's less Valhalla's, where both are within 20; minutes of the legs."""
    from gridmap.network.search import nearest

    homes = points.sample(300, random_state=SEED)
    asked = [{"lon": p.x, "lat": p.y} for p in homes.to_crs(4326)]
    access = network.access(homes.to_numpy())
    differences, legs = [], []
    per_minute = network.profile.leg_kmh * 1000 / 60
    shortest = np.minimum.reduceat(access.leg, access.owner_ptr[:-1])
    for (_, place), shape in zip(_asked(facilities), facilities.geometry, strict=True):
        answer = actor.matrix({"sources": asked, "targets": [place], **_PEDESTRIAN})
        theirs = (
            np.array([row[0]["time"] if row[0]["time"] is not None else np.inf for row in answer["sources_to_targets"]])
            / 60
        )
        target = network.access(np.array([shape]), kind="facility")
        ours = nearest(network, target, access, by="minutes").minutes[:, 0]
        near = (ours <= 20) & (theirs <= 20)
        differences.append(ours[near] - theirs[near])
        legs.append((shortest[near] + target.leg.min()) / per_minute)
    return np.concatenate(differences), np.concatenate(legs)


PARTS = {"speed": speed, "truth": truth, "router": router}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, default=None, help="one part of it")
    only = parser.parse_args().only
    tables = las_palmas()
    for name, part in PARTS.items():
        if only in (None, name):
            part(tables)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
