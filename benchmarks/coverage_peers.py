"""Counting who reaches what, beside other tools, on the same streets and places: one command, one table a place.

    python -m pip install . pandana igraph networkit rustworkx     # graphways reads nothing but its own downloads
    python benchmarks/coverage_peers.py                 # Greater Porto and Las Palmas
    python benchmarks/coverage_peers.py --only porto    # a place whose name holds the word
    python benchmarks/coverage_peers.py --tools scipy   # tools whose name holds the word, and gridmap

Prints Markdown. Porto has no buildings: 300,000 points, and 20 categories of 50 facilities, are drawn with a seed along
its walking edges, 0 to 40 m off. Las Palmas: its buildings and the facilities of its 20 most frequent categories, each
as a point. The tasks are the nearest facility of each category for all nodes, 5,000 searches of 1,200 m, and the table
of which points have a facility of each category within 1,200 m. Each tool runs in a process of its own, with its own
threads; seconds are wall-clock, medians of five (of fewer where a task takes over ten seconds). Where a tool would need
minutes, a share of the work is measured and multiplied: such figures stand after "≈". Ratios count the set-up: set-up
plus task of the tool, over those of gridmap; searches of gridmap need neither its order of nodes nor its index of the
ground, and count what they need. All are given nodes, edges and places in the form that they take, but for
the line "from tables", where gridmap starts from its tables of streets and buildings. How each tool is run is said in
benchmarks/coverage_tools.py.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from coverage_tools import TOOLS, Case

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[1]
PLACES = ("porto", "las_palmas")
#: What cannot be measured, and why.
OTHERS = {"graphways": "takes no graph from outside: it builds its own from what it downloads"}
#: The tools that are given the table of streets.
_FROM_TABLES = ("gridmap, from tables",)
_POINTS, _CATEGORIES, _FACILITIES, _SOURCES = 300_000, 20, 50, 5000
_OFF_METRES, _LONG = 40.0, 10.0
_HEADINGS = (
    "tool", "measures between", "set-up, s", "for searches alone, s", "nearest of 20, all nodes, s", "÷",
    "5,000 searches, s", "÷", "coverage table, s", "÷", "nodes found", "pairs on the wrong side of 1,200 m",
    "peak memory, MB",
)  # fmt: skip


def folder(place: str) -> Path:
    """Where the data of a place lies."""
    return Path(os.environ.get("GRIDMAP_DATA") or REPOSITORY.parent / "shared" / "data") / place


def read_place(place: str) -> Case:
    """The case of a place; the graph is the one gridmap makes of its streets."""
    from gridmap.io.read.readers import read_streets
    from gridmap.network.profiles import usable_streets
    from gridmap.network.streets import StreetNetwork
    from gridmap.tables.crs import to_metric

    streets = to_metric(read_streets(next(folder(place).glob("*.osm.pbf"))))
    streets = streets[usable_streets(streets, "walk")]
    network = StreetNetwork.from_streets(streets)
    rng = np.random.default_rng(1)
    if place == "porto":
        points = _along_edges(network, _POINTS, rng)
        facilities = _along_edges(network, _CATEGORIES * _FACILITIES, rng)
        category = np.repeat(np.arange(_CATEGORIES), _FACILITIES)
    else:
        points, facilities, category = _real_places(place, network.crs)
    graph = network.graph
    sources = rng.choice(graph.n_nodes, _SOURCES, replace=False)
    return Case(
        place, network.crs, streets, graph.node_xy, graph.edge_u, graph.edge_v, graph.edge_length,
        points, facilities, category, sources,
    )  # fmt: skip


def _along_edges(network: Any, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places along the edges, as many by the metre everywhere, and off them to either side."""
    graph = network.graph
    edge = rng.choice(graph.n_edges, count, p=graph.edge_length / graph.edge_length.sum())
    ends = network.edge_xy[edge]
    along = ends[:, 2:] - ends[:, :2]
    across = np.column_stack((-along[:, 1], along[:, 0])) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    off = rng.uniform(-_OFF_METRES, _OFF_METRES, count)
    return network.place_at(edge, rng.random(count)) + off[:, None] * across


def _real_places(place: str, crs: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buildings, facilities, and the categories of these, all as points."""
    import pandas as pd
    import shapely

    from gridmap.io.read.readers import read_buildings, read_facilities

    source = next(folder(place).glob("*.osm.pbf"))
    homes, services = (read(source).to_crs(crs) for read in (read_buildings, read_facilities))
    names = services["category"].value_counts().index[:_CATEGORIES]
    services = services[services["category"].isin(names)]
    points, facilities = (
        shapely.get_coordinates(shapely.point_on_surface(np.asarray(table.geometry.array)))
        for table in (homes, services)
    )
    return points, facilities, pd.Index(names).get_indexer(pd.Index(services["category"]))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its seconds: the median of five, or of one or two where it is long."""
    seconds: list[float] = []
    while not seconds or (len(seconds) < 5 and sum(seconds) < _LONG):
        out = None  # memory is that of one, not of two
        start = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - start)
    return out, median(seconds)


def child(name: str, case_path: str, out_path: str) -> None:
    """Measure one tool, and write what there is to say."""
    tool = TOOLS[name]
    case: Case = pickle.loads(Path(case_path).read_bytes())  # noqa: S301  # written by the parent just now
    if name in _FROM_TABLES:
        streets: Any = pickle.loads(Path(case_path).with_suffix(".streets").read_bytes())  # noqa: S301
        case = case._replace(streets=streets)
    if tool.package == "gridmap":
        import shapely

        case = case._replace(shapes=(shapely.points(case.points), shapely.points(case.facilities)))
    out: dict[str, Any] = {}
    _warm_up(tool, case)
    state, out["setup"] = timed(lambda: tool.setup(case))
    make = tool.for_searches
    out["setup for bounded"] = out["setup"] if make is None else timed(lambda: make(case))[1]
    count = max(int(tool.share_nearest * case.categories), 1)
    nearest, seconds = timed(lambda: tool.nearest(case, state, count))
    out["nearest"] = seconds * case.categories / count
    out["reached"] = float(np.isfinite(nearest).mean())
    del nearest  # memory is that of the tool, not of answers kept here
    sources = case.sources[: int(tool.share_bounded * len(case.sources))]
    out["found"], seconds = timed(lambda: tool.bounded(case, state, sources))
    out["bounded"] = seconds * len(case.sources) / len(sources)
    table, out["table"] = timed(lambda: tool.table(case, state))
    out["covered"] = np.packbits(np.ascontiguousarray(table))
    out["peak_mb"] = _peak_megabytes()
    Path(out_path).write_bytes(pickle.dumps(out))


def _warm_up(tool: Any, case: Case) -> None:
    """Load and compile everything, on a corner of the place."""
    near = np.hypot(*(case.xy - case.xy[case.u[0]]).T) < 1500
    row = np.cumsum(near) - 1
    inside = near[case.u] & near[case.v]
    streets = None if case.streets is None else case.streets.iloc[:2000]
    few = case._replace(
        streets=streets, xy=case.xy[near], u=row[case.u[inside]].astype(np.int32),
        v=row[case.v[inside]].astype(np.int32), length=case.length[inside], points=case.points[:100],
        shapes=(case.shapes[0][:100], case.shapes[1]),
    )  # fmt: skip
    state = tool.setup(few)
    tool.nearest(few, state, 2)
    tool.bounded(few, state, np.arange(5))
    tool.table(few, state)


def _peak_megabytes() -> float:
    """Peak resident memory of this process; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():  # what `resource` tells on Linux may be the parent's
        peak = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 2**10
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def run(name: str, case_path: Path, temporary: Path) -> dict[str, Any] | str:
    """What one tool says, in a process of its own; or why it says nothing."""
    if find_spec(TOOLS[name].package) is None:
        return "not installed here"
    out = temporary / "out.pickle"
    out.unlink(missing_ok=True)
    path = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "benchmarks"), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, __file__, "--child", name, str(case_path), str(out)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False, stdout=subprocess.DEVNULL)
    return pickle.loads(out.read_bytes()) if out.is_file() else f"failed with exit code {done.returncode}"  # noqa: S301


def row(name: str, found: dict[str, Any] | str, ours: dict[str, Any], case: Case) -> str:
    """A line of the table."""
    if isinstance(found, str):
        return f"| {name} | {found} |" + " – |" * (len(_HEADINGS) - 2)
    tool = TOOLS[name]
    cells = [name, tool.says, f"{found['setup']:.2f}", f"{found['setup for bounded']:.2f}"]
    shares = {"nearest": tool.share_nearest, "bounded": tool.share_bounded, "table": 1.0}
    for task, share in shares.items():
        about = "" if share == 1.0 else "≈ "
        setup = "setup for bounded" if task == "bounded" else "setup"
        ratio = (found[setup] + found[task]) / (ours[setup] + ours[task])
        cells += [f"{about}{found[task]:.2f}", f"{ratio:.1f}"]
    cells.append(f"{found['found']:,}" if tool.share_bounded == 1.0 else "–")
    pairs = len(case.points) * case.categories
    wrong = int(np.bitwise_count(found["covered"] ^ ours["covered"]).sum())
    cells += ["0" if wrong == 0 else f"{wrong / pairs:.2%}", f"{found['peak_mb']:,.0f}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="places whose name holds the word")
    parser.add_argument("--tools", default="", metavar="WORD", help="tools whose name holds the word, and gridmap")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    sys.path.insert(0, str(REPOSITORY))
    busy = f"; load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{os.cpu_count()} cores{busy}.", end="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        for place in PLACES:
            if arguments.only not in place:
                continue
            if not folder(place).is_dir():
                print(f"{place}: its data is absent; set GRIDMAP_DATA\n")
                continue
            case = read_place(place)
            (temporary / "case.streets").write_bytes(pickle.dumps(case.streets))
            case = case._replace(streets=None)
            (temporary / "case.pickle").write_bytes(pickle.dumps(case))
            print(
                f"{place}: {len(case.xy):,} nodes, {len(case.u):,} edges, {len(case.points):,} points, "
                f"{len(case.facilities):,} facilities of {case.categories} categories\n"
            )
            print("| " + " | ".join(_HEADINGS) + " |\n|---|---|" + "---:|" * (len(_HEADINGS) - 2))
            ours = run("gridmap", temporary / "case.pickle", temporary)
            if isinstance(ours, str):
                sys.exit(f"gridmap: {ours}")
            print(row("gridmap", ours, ours, case), flush=True)
            for tool in TOOLS:
                if tool != "gridmap" and (arguments.tools in tool or tool in _FROM_TABLES):
                    print(row(tool, run(tool, temporary / "case.pickle", temporary), ours, case), flush=True)
            for tool, reason in OTHERS.items():
                if find_spec(tool) is None:
                    print(row(tool, f"not installed here; {reason}", ours, case))
                else:
                    print(row(tool, reason, ours, case))
            print()


if __name__ == "__main__":
    main()
