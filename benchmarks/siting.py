"""Maximum coverage on two synthetic lots: gridmap, greedy choice, HiGHS on the same rows, and spopt with CBC.

    python benchmarks/siting.py                              # gridmap, greedy and HiGHS: some minutes
    python benchmarks/siting.py --no-proof --limit 0         # the quick ones alone
    python benchmarks/siting.py --peers PYTHON --limit 1500  # and spopt, in an interpreter that has it

Prints Markdown. Sites cover what lies within 800 m in a straight line. Seconds are wall-clock, the median of `--runs`
runs for what is quick, one for proofs and solvers, which end after `--limit` seconds each; all of them hold the
distances. The gap is that between what a tool reached and what it proved, as a share of the latter; "÷ proof" sets the
seconds beside those of gridmap's proof on the same lot.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from runs import environment
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack
from scipy.spatial import cKDTree

from gridmap.siting.solve import max_cover_kernel
from gridmap.siting.solve.max_cover import covered_by, max_cover, reduce_cover
from gridmap.siting.solve.pairs import make_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridmap.siting.solve.pairs import Choice, Pairs

METRES = 800.0
#: Demands, sites, sites to open; whether a proof is tried.
LOTS = ((3_000, 400, 20, True), (20_000, 2_000, 20, False), (20_000, 2_000, 100, False))
# Run by another interpreter; prints one line of JSON.
_SPOPT = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import pulp, sites
from scipy.spatial.distance import cdist
from spopt.locate import MCLP
demand, weight, site = sites.make(int(sys.argv[2]), int(sys.argv[3]))
start = time.perf_counter()
model = MCLP.from_cost_matrix(cdist(demand, site), weight, float(sys.argv[5]), int(sys.argv[4]))
model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=float(sys.argv[6])))
seconds = time.perf_counter() - start
print(json.dumps([seconds, pulp.value(model.problem.objective), model.problem.sol_status == 1]))
"""


def bench() -> Path:
    """The folder of the generator of lots, beside that of real cities."""
    return Path(environment()["GRIDMAP_DATA"]).parent / "bench"


def lot(demands: int, sites: int) -> tuple[Any, Any, Any]:
    """Points of demand, their weights, points of sites."""
    path = bench() / "sites.py"
    if not path.exists():
        sys.exit("bench/sites.py beside the folder of real cities is absent")
    spec = importlib.util.spec_from_file_location("sites", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make(demands, sites)


def reach(demand: Any, sites: Any) -> Pairs:
    """Which demand lies within reach of each site."""
    lists = cKDTree(demand).query_ball_point(sites, METRES)
    which = np.concatenate([np.asarray(near, dtype=np.int64) for near in lists])
    site = np.repeat(np.arange(len(sites)), [len(near) for near in lists])
    return make_pairs(which, site, np.zeros(len(which)), len(demand), len(sites))


def greedy(demand: Any, weight: Any, sites: Any, count: int) -> float:
    """Weight that greedy choice covers."""
    pairs = reach(demand, sites)
    every = np.zeros(len(sites), dtype=bool)
    kept, problem = reduce_cover(pairs, weight.astype(float), np.ones(len(sites)), count, every)
    every[kept[max_cover_kernel.greedy(float(count), False, *problem)]] = True
    return float(weight[covered_by(pairs, every)].sum())


def highs(demand: Any, weight: Any, sites: Any, count: int, limit: float) -> tuple[float, float]:
    """What HiGHS reaches and proves on one row a demand, all of them at once; nan where it reaches nothing."""
    pairs = reach(demand, sites)
    n, m = len(demand), len(sites)
    covers = csr_array((np.ones(len(pairs.site)), pairs.site, pairs.demand_ptr), shape=(n, m))
    spends = csr_array(np.concatenate([np.ones(m), np.zeros(n)])[None, :])
    rows = vstack([hstack([-covers, eye_array(n)]), spends]).tocsr()
    out = milp(
        np.concatenate([np.zeros(m), -weight]),
        constraints=LinearConstraint(rows, -np.inf, np.append(np.zeros(n), count)),
        bounds=Bounds(0, 1), integrality=np.concatenate([np.ones(m), np.zeros(n)]),
        options={"time_limit": limit, "mip_rel_gap": 0.0},
    )  # fmt: skip
    bound = getattr(out, "mip_dual_bound", None)
    return (np.nan if out.fun is None else -out.fun), (np.nan if bound is None else -bound)


def spopt(python: str, demands: int, sites: int, count: int, limit: float) -> tuple[float, float, bool]:
    """Seconds of spopt with CBC in another interpreter, what it reaches, and whether that is proved."""
    numbers = [str(number) for number in (demands, sites, count, METRES, limit)]
    done = subprocess.run([python, "-c", _SPOPT, str(bench()), *numbers], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} cannot run spopt: {done.stderr.strip().splitlines()[-1]}")
    seconds, value, proved = json.loads(done.stdout.splitlines()[-1])
    return seconds, value, proved


def timed(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Median seconds of some runs, and what the last one gave."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), out


def row(name: str, seconds: float, value: float, bound: float, proof: float) -> None:
    """Print one row; a bound of nan is none that is told."""
    gap = "proved" if bound == value else "–" if np.isnan(bound) else f"{(bound - value) / bound:.2%}"
    ratio = f"{seconds / proof:.2f}" if proof else ""
    told = "–" if np.isnan(bound) else f"{bound:,.0f}"
    print(f"| {name} | {seconds:.2f} | {value:,.0f} | {told} | {gap} | {ratio} |", flush=True)


def measure(demands: int, sites: int, count: int, arguments: argparse.Namespace, proves: bool) -> None:
    """Print the table of one lot."""
    demand, weight, site = lot(demands, sites)

    def choose(exact: bool) -> Choice:
        return max_cover(reach(demand, site), weight, count=count, exact=exact)

    print(f"\n{demands:,} demands, {sites:,} sites, {count} to open\n")
    print("| tool | seconds | covered | bound | gap | ÷ proof |\n|---|---:|---:|---:|---:|---:|")
    proof = 0.0
    if proves and not arguments.no_proof:
        proof, best = timed(lambda: choose(exact=True), 1)
        row("gridmap, proof", proof, best.value, best.bound, proof)
    seconds, quick = timed(lambda: choose(exact=False), arguments.runs)
    row("gridmap, swaps", seconds, quick.value, quick.bound, proof)
    seconds, value = timed(lambda: greedy(demand, weight, site, count), arguments.runs)
    row("greedy", seconds, value, np.nan, proof)
    if arguments.limit:
        seconds, (value, bound) = timed(lambda: highs(demand, weight, site, count, arguments.limit), 1)
        row(f"HiGHS, {arguments.limit:g} s", seconds, value, bound, proof)
    if arguments.limit and arguments.peers and proves:
        seconds, value, sure = spopt(arguments.peers, demands, sites, count, arguments.limit)
        row(f"spopt with CBC, {arguments.limit:g} s", seconds, value, value if sure else np.nan, proof)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=120, help="seconds of each solver; 0 to leave them out")
    parser.add_argument("--runs", type=int, default=5, help="runs of what is quick")
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter that has spopt and PuLP")
    parser.add_argument("--no-proof", action="store_true", help="no search for the proof")
    arguments = parser.parse_args()
    demand, weight, site = lot(3_000, 400)
    max_cover(reach(demand[:300], site[:40]), weight[:300], count=4, exact=True)  # compiled from here on
    for demands, sites, count, proves in LOTS:
        measure(demands, sites, count, arguments, proves)


if __name__ == "__main__":
    main()
