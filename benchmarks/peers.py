"""gridmap beside other tools, on the same atoms and the same borders: one command, one table an instance.

    python -m pip install . pymetis spopt gerrychain kahip
    python benchmarks/peers.py                        # every place and all lots: two hours
    python benchmarks/peers.py --only "3,000 easy"    # instances whose name holds the words
    python benchmarks/peers.py --tools METIS          # tools whose name holds the word, and gridmap

Prints Markdown. Every tool runs on one core in a process of its own, which ends after --limit processor seconds. Its
seconds are processor seconds within its own calls, all tries together (gridmap's hold everything but the certificates),
once loaded and compiled. How each tool is run is said in benchmarks/peer_tools.py. Of all tries the best is kept, by
the order that gridmap itself minimises.
"""

from __future__ import annotations

import argparse
import multiprocessing
import pickle
import tempfile
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from division import divide_instance, machine, table, warm_up
from instances import LOTS, PLACES, Absent, Instance, cut, instance, synthetic, tables_of
from measures import measure_labels
from peer_tools import TOOLS, divide_with

INSTANCES = (*PLACES, *LOTS)
_BEST = "gridmap, effort high"
OURS = {"gridmap": "normal", "gridmap, effort low": "low", _BEST: "high"}
COLUMNS = {
    "name": ("tool", ""), "grids": ("grids", ",d"), "out_of_band": ("out of band", "d"),
    "in_band": ("in band", ".1%"),
    "outside": ("households outside", ",.0f"), "legal": ("communities legal", ".1%"),
    "but_for_towers": ("but for towers", ".1%"), "extra_pieces": ("extra pieces", "d"),
    "compounds_split": ("compounds split", "d"), "footprints_cut": ("footprints cut", "d"),
    "polsby_popper": ("Polsby–Popper", ".3f"), "on_street": ("border on streets", ".3f"),
    "tour": ("tour, m a door", ".1f"), "seconds": ("seconds", ".2f"),
    "shape_ratio": ("Polsby–Popper ÷ gridmap", ".2f"), "street_ratio": ("streets ÷ gridmap", ".2f"),
    "time_ratio": ("seconds ÷ gridmap", ".2f"),
}  # fmt: skip
#: Columns of quality, and whether more is better. The share in band also grows with the number of grids, as what can't
#: be helped stays the same: here grids out of band are counted.
_QUALITY = {
    "out_of_band": False, "legal": True, "but_for_towers": True, "outside": False, "extra_pieces": False,
    "polsby_popper": True, "on_street": True, "tour": False,
}  # fmt: skip
# A busy machine gives a process its processor time late; SIGXCPU ends it when it has had it.
_PATIENCE, _OUT_OF_TIME = 6.0, 24
# A tool of many tries begins no other one after this share of the time.
_MOST_TRIES = 0.7
_SHOWN = {key: COLUMNS[key][0] for key in _QUALITY}


def child(tool: str, case_path: str, out_path: str, limit: float) -> None:
    """Divide an instance with a tool, and write labels, seconds and what else there is to say."""
    case: Instance = pickle.loads(Path(case_path).read_bytes())  # noqa: S301  # written by the parent just now
    note = ""
    _limit_processor(limit)
    try:
        if tool in OURS:
            warm_up()
            start = time.process_time()
            label = divide_instance(case, effort=OURS[tool])
            seconds = time.process_time() - start
        else:
            from gridmap.division.rules.empty_land import attach_empty_land

            label, seconds, note = divide_with(TOOLS[tool], case, _MOST_TRIES * limit)
            if case.has_streets:
                label = attach_empty_land(label, case.lots, case.community, case.community < 0)
        out: tuple[Any, ...] = (label, seconds, note)
    except Exception as error:  # noqa: BLE001  # a peer that fails is a line of the table
        traceback.print_exc()
        out = (None, 0.0, f"failed: {type(error).__name__}: {error}".splitlines()[0][:120])
    Path(out_path).write_bytes(pickle.dumps(out))


def _limit_processor(seconds: float) -> None:
    """End this process after so much processor time, with ten seconds for imports; where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 10, int(seconds) + 11))


def run(tool: str, case: Instance, folder: Path, limit: float) -> dict[str, Any]:
    """A line of the table."""
    settings = TOOLS.get(tool)
    if settings is not None and find_spec(settings.package) is None:
        return {"name": f"{tool}: not installed here"}
    if settings is not None and max_atoms(case) > settings.most:
        return {"name": f"{tool}: not run, its memory grows with the square of the atoms"}
    out = folder / "labels.pickle"
    out.unlink(missing_ok=True)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=child, args=(tool, str(folder / "case.pickle"), str(out), limit), daemon=True)
    process.start()
    process.join(_PATIENCE * limit)
    late = process.is_alive()
    if late:
        process.kill()
        process.join()
    if late or process.exitcode == -_OUT_OF_TIME:
        return {"name": f"{tool}: not finished in {limit:.0f} s"}
    if not out.is_file():
        return {"name": f"{tool}: crashed with exit code {process.exitcode}"}
    label, seconds, note = pickle.loads(out.read_bytes())  # noqa: S301  # written by the child just now
    if label is None:
        return {"name": f"{tool}: {note}"}
    return {"name": f"{tool} ({note})" if note else tool, **measure_labels(case, label), "seconds": seconds}


def max_atoms(case: Instance) -> int:
    """Atoms of the largest component."""
    import numpy as np

    return int(np.bincount(case.lots.components()[1]).max())


def with_ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with each peer's shape, streets and seconds as shares of gridmap's in the first row."""
    ours = rows[0]
    pairs = {"shape_ratio": "polsby_popper", "street_ratio": "on_street", "time_ratio": "seconds"}
    return [
        row | {ratio: row[key] / ours[key] for ratio, key in pairs.items() if key in row and ours.get(key)}
        for row in rows
    ]


def better_than_ours(rows: list[dict[str, Any]], *, communities: bool) -> list[str]:
    """What peers do better than gridmap's first row, with at least 95 % of communities legal but for towers.

    Of lots, which have no communities, with at least 95 % of parts in the band.
    """
    ours = rows[0]
    lines = []
    for row in rows:
        if row["name"].startswith("gridmap") or row.get("but_for_towers" if communities else "in_band", 0) < 0.95:
            continue
        for key, more in _QUALITY.items():
            gain = (row[key] - ours[key]) * (1 if more else -1)
            if gain > 1e-9:
                best = "".join(f"; {own['name']} {own[key]:.3f}" for own in rows if own["name"] == _BEST and key in own)
                lines.append(f"- {row['name']}: {_SHOWN[key]} {row[key]:.3f} against {ours[key]:.3f}{best}")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORDS", help="instances whose name holds the words")
    parser.add_argument("--tools", default="", metavar="WORD", help="tools whose name holds the word")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="for a tool and an instance")
    arguments = parser.parse_args()
    print(machine(1), end="\n\n", flush=True)
    tools = [*OURS, *(name for name in TOOLS if arguments.tools in name)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in INSTANCES:
            if arguments.only not in name:
                continue
            try:
                case = _case(name)
            except Absent as reason:
                print(f"{name}: {reason}\n")
                continue
            (folder / "case.pickle").write_bytes(pickle.dumps(case))
            wanted = [tool for tool in tools if case.has_streets or tool in OURS or not TOOLS[tool].streets]
            rows = [run(tool, case, folder, arguments.limit) for tool in wanted]
            heading = f"{name}: {len(case.lots.weight):,} atoms"
            print(f"{heading}\n\n{table(with_ratios(rows), COLUMNS)}\n", flush=True)
            found = better_than_ours(rows, communities=case.has_streets)
            legal = "communities legal but for towers" if case.has_streets else "parts in band"
            print(f"Better than gridmap (normal effort) on a column of quality, with at least 95 % of {legal}:")
            print("\n".join(["", *found]) if found else "none.", end="\n\n", flush=True)


def _case(name: str) -> Instance:
    if name in LOTS:
        return synthetic(name)
    tables = tables_of(name)
    return instance(name, tables, cut(tables))


if __name__ == "__main__":
    main()
