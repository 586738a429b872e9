"""Other tools on the arrays of the division engine: each divides one connected component into a number of parts.

A tool is a function of a component, a number of parts and a random seed; it returns labels, or None where it gave up.
What none of them can do is done for all of them: an atom above the limit is a part by itself (the rest of its component
is divided without it, and what is then too small for a part goes with it), components are divided one by one, the
numbers of parts are those nearest to the total / 400 that the band allows, and of all tries the best is kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from measures import LOWER, UPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from instances import Instance

    from gridmap.division.search.engine import Lots

#: What a metre of border on a street or wall counts where a metre off them counts 1.
ON_STREET = 0.2
# Weights of borders are whole numbers. METIS balances ill when they are large: in decimetres it leaves half of the
# parts of the hard lots out of band, with this median two in a thousand.
_MEDIAN = 7.0


@dataclass(frozen=True)
class Component:
    """A connected component: arrays, a point in each atom in metres, and its polygons."""

    lots: Lots
    xy: np.ndarray
    shapes: np.ndarray


@dataclass(frozen=True)
class Tool:
    """How a peer is run.

    Its call, the package it needs, how many random seeds, the most atoms of a component, whether it weighs streets, and
    whether it tries every number of parts or the first one that works.
    """

    call: Callable[[Component, int, int], np.ndarray | None]
    package: str
    tries: int = 1
    most: int = 1_000_000
    streets: bool = False
    every_count: bool = True


def graph(part: Component, on_street: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Borders that join, as CSR: first, neighbour, and whole-number weight."""
    lots = part.lots
    joins = lots.joins
    first = np.r_[0, np.cumsum(np.bincount(lots.source[joins], minlength=len(lots.weight)))]
    metres = lots.off_street + on_street * (lots.border - lots.off_street)
    usual = max(float(np.median(lots.border[joins])), 1e-9) if joins.any() else 1.0
    weight = np.maximum(np.round(_MEDIAN * metres[joins] / usual), 1)
    return first.astype(np.int32), lots.neighbour[joins], weight.astype(np.int32)


def metis(part: Component, parts: int, seed: int, *, on_street: float) -> np.ndarray | None:
    """METIS k-way with contiguous parts; some seeds recursive bisection instead, which can't keep them whole."""
    import pymetis

    first, near, weight = graph(part, on_street)
    recursive = seed // 3 % 4 == 3
    tolerance = TOLERANCES[(seed + 2) % 3]
    # Seeds 0 and 1 are one and the same.
    options = pymetis.Options(ufactor=round(1000 * tolerance), seed=seed + 1, niter=20, contig=not recursive)
    _, label = pymetis.part_graph(
        parts, pymetis.CSRAdjacency(first, near), vweights=part.lots.weight.astype(np.int32), eweights=weight,
        recursive=recursive, options=options,
    )  # fmt: skip
    return np.asarray(label)


def kahip(part: Component, parts: int, seed: int, *, on_street: float, mode: int) -> np.ndarray:
    """KaHIP (kaffpa): 1 is its mode eco, 2 strong. It knows no contiguity."""
    import kahip as package

    first, near, weight = graph(part, on_street)
    whole = part.lots.weight.astype(int).tolist()
    _, label = package.kaffpa(
        whole, first.tolist(), weight.tolist(), near.tolist(), parts, TOLERANCES[seed % 3], True, seed, mode
    )  # fmt: skip
    return np.asarray(label)


def gerrychain(part: Component, parts: int, seed: int) -> np.ndarray | None:
    """GerryChain, `recursive_tree_part`: epsilon as wide as the band; trees stay in blocks (region_surcharge)."""
    import networkx as nx
    from gerrychain import Graph
    from gerrychain.partition import recursive_tree_part
    from gerrychain.tree import bipartition_tree

    lots = part.lots
    ends = lots.joins & (lots.source < lots.neighbour)
    plain = nx.Graph()
    plain.add_nodes_from(
        (i, {"households": float(w), "block": int(b)})
        for i, (w, b) in enumerate(zip(lots.weight, lots.block, strict=True))
    )
    plain.add_edges_from(zip(lots.source[ends].tolist(), lots.neighbour[ends].tolist(), strict=True))
    target = lots.weight.sum() / parts
    epsilon = max(min(1 - LOWER / target, UPPER / target - 1), 0.01)
    blocks = {"region_surcharge": {"block": 0.5}} if lots.off_street.any() else {}
    cut = partial(bipartition_tree, max_attempts=500, warn_attempts=10**9, **blocks)
    try:
        found = recursive_tree_part(
            Graph.from_networkx(plain), list(range(parts)), target, "households", epsilon,
            bipartition_tree_fn=cut, rng=seed,
        )  # fmt: skip
    except Exception:  # noqa: BLE001  # it gives up with several kinds
        return None
    return np.array([found[i] for i in range(len(lots.weight))])


def max_p(part: Component, _parts: int, seed: int) -> np.ndarray:
    """Package spopt, MaxPHeuristic: at least 300 households a part, alike in x and y; it has no upper limit."""
    from spopt.region import MaxPHeuristic

    np.random.seed(seed)  # noqa: NPY002  # the package draws from there
    model = MaxPHeuristic(
        _frame(part), _weights(part), ["x", "y"], "households", LOWER,
        max_iterations_construction=3, max_iterations_sa=3,
    )  # fmt: skip
    model.solve()
    return np.asarray(model.labels_)


def skater(part: Component, parts: int, _seed: int) -> np.ndarray:
    """Package spopt, Skater on x and y; its floor counts atoms, not households, so it has none here."""
    from spopt.region import Skater

    model = Skater(_frame(part), _weights(part), ["x", "y"], n_clusters=parts)
    model.solve()
    return np.asarray(model.labels_)


def azp(part: Component, parts: int, seed: int) -> np.ndarray:
    """Package spopt, AZP on x and y; it knows no households."""
    from spopt.region import AZP

    model = AZP(_frame(part), _weights(part), ["x", "y"], n_clusters=parts, random_state=seed)
    model.solve()
    return np.asarray(model.labels_)


#: Shares by which parts may exceed the mean; a try is one of them and a random seed, 20 of each for METIS.
TOLERANCES = (0.1, 0.18, 0.25)
TOOLS: dict[str, Tool] = {
    "METIS, border lengths": Tool(partial(metis, on_street=1.0), "pymetis", tries=60),
    "METIS, streets cheaper": Tool(partial(metis, on_street=ON_STREET), "pymetis", tries=60, streets=True),
    "METIS, border lengths, one try": Tool(partial(metis, on_street=1.0), "pymetis", every_count=False),
    "METIS, streets cheaper, one try": Tool(
        partial(metis, on_street=ON_STREET), "pymetis", streets=True, every_count=False
    ),
    "KaHIP eco, border lengths": Tool(partial(kahip, on_street=1.0, mode=1), "kahip", tries=6),
    "KaHIP eco, streets cheaper": Tool(partial(kahip, on_street=ON_STREET, mode=1), "kahip", tries=6, streets=True),
    "KaHIP strong, border lengths": Tool(partial(kahip, on_street=1.0, mode=2), "kahip", tries=3),
    "GerryChain": Tool(gerrychain, "gerrychain", every_count=False),
    "spopt MaxPHeuristic": Tool(max_p, "spopt", most=6000, every_count=False),
    "spopt Skater": Tool(skater, "spopt", most=6000, every_count=False),
    "spopt AZP": Tool(azp, "spopt", most=6000, every_count=False),
}


@dataclass
class _Best:
    """The best labels of a component so far, and what they cost: nothing yet, where `cost` is None."""

    atoms: np.ndarray
    part: Component
    counts: list[int]
    label: np.ndarray
    cost: tuple[float, float, float] | None = None


def divide_with(tool: Tool, case: Instance, limit: float = np.inf) -> tuple[np.ndarray, float, str]:
    """Labels of all atoms, processor seconds within the tool's own calls, and what else there is to say.

    One try for every component, then the next for every component, as many as there are; after so many processor
    seconds none is begun.
    """
    found = [
        _Best(
            atoms, Component(lots, _points(case.shapes[atoms]), case.shapes[atoms]), counts, np.zeros(len(atoms), int)
        )
        for atoms, lots in _components(case.lots)
        for counts in [numbers_of_parts(float(lots.weight.sum()))]
    ]
    begun, seconds, tries = time.process_time(), 0.0, 0
    while tries < tool.tries and (not tries or time.process_time() - begun < limit):
        seconds += sum(_try(tool, best, tries) for best in found if best.counts != [1])
        tries += 1
    label = np.zeros(len(case.lots.weight), np.int64)
    for best in found:
        label[best.atoms] = np.unique(best.label, return_inverse=True)[1] + label.max() + 1
    given_up = sum(best.cost is None and best.counts != [1] for best in found)
    notes = [f"{tries} of {tool.tries} tries"] if tries < tool.tries else []
    notes += [f"gave up on {given_up} components, which stay whole"] if given_up else []
    return _with_towers(case, label), seconds, ", ".join(notes)


def _try(tool: Tool, best: _Best, seed: int) -> float:
    """Divide a component into each number of parts, or the first that works; processor seconds of the calls."""
    seconds = 0.0
    for parts in best.counts:
        start = time.process_time()
        label = tool.call(best.part, parts, seed)
        seconds += time.process_time() - start
        if label is None:
            continue
        cost = _cost(best.part.lots, label)
        if best.cost is None or cost < best.cost:
            best.label, best.cost = label, cost
        if not tool.every_count:
            break
    return seconds


def numbers_of_parts(total: float) -> list[int]:
    """Total / 400, rounded, and one more and one less, where the band allows them; else the nearest."""
    middle = max(round(total / 400), 1)
    allowed = [k for k in (middle, middle + 1, middle - 1) if k >= 1 and LOWER * k <= total <= UPPER * k]
    return allowed or [middle]


def _components(lots: Lots) -> Iterator[tuple[np.ndarray, Lots]]:
    """Components without towers."""
    rest = np.flatnonzero(lots.weight <= UPPER)
    inside = lots.part(rest)
    count, component = inside.components()
    order = np.argsort(component, kind="stable")
    for atoms in np.split(order, np.cumsum(np.bincount(component, minlength=count))[:-1]):
        yield rest[atoms], inside.part(atoms)


def _with_towers(case: Instance, label: np.ndarray) -> np.ndarray:
    """Each tower a part by itself; a part beside one that is too small and all of its component goes with it."""
    lots = case.lots
    towers = np.flatnonzero(lots.weight > UPPER)
    label = label.copy()
    label[towers] = label.max() + 1 + np.arange(len(towers))
    held = np.bincount(label, lots.weight)
    is_tower = lots.weight > UPPER
    between = lots.joins & ~is_tower[lots.source] & (label[lots.source] != label[lots.neighbour])
    elsewhere = np.zeros(len(held), bool)
    elsewhere[label[lots.source[between & ~is_tower[lots.neighbour]]]] = True
    for arc in np.flatnonzero(between & is_tower[lots.neighbour]):
        mine = label[lots.source[arc]]
        if held[mine] < LOWER and not elsewhere[mine] and not is_tower[label == mine].any():
            label[label == mine] = label[lots.neighbour[arc]]
    return np.unique(label, return_inverse=True)[1]


def _cost(lots: Lots, label: np.ndarray) -> tuple[float, float, float]:
    """Parts outside the band and pieces too many, households outside, and the shape that gridmap itself minimises."""
    from gridmap.division.search.engine import Band, outside_band, shape_cost

    label = np.unique(label, return_inverse=True)[1]
    band = Band(LOWER, UPPER)
    number, households = outside_band(label, lots.weight, band)
    return number + _pieces(lots, label) - (label.max() + 1), households, shape_cost(lots, label, band)


def _pieces(lots: Lots, label: np.ndarray) -> int:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    same = lots.joins & (label[lots.source] == label[lots.neighbour])
    ends = (lots.source[same], lots.neighbour[same])
    n = len(label)
    return connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(n, n)), directed=False)[0]


def _points(shapes: np.ndarray) -> np.ndarray:
    return shapely.get_coordinates(shapely.point_on_surface(shapes))


def _frame(part: Component) -> Any:
    import geopandas as gpd

    x, y = part.xy.T
    return gpd.GeoDataFrame({"x": x, "y": y, "households": part.lots.weight}, geometry=part.shapes)


def _weights(part: Component) -> Any:
    from libpysal.weights import W

    lots = part.lots
    source, near = lots.source[lots.joins], lots.neighbour[lots.joins]
    first = np.r_[0, np.cumsum(np.bincount(source, minlength=len(lots.weight)))]
    neighbours = {i: near[first[i] : first[i + 1]].tolist() for i in range(len(lots.weight))}
    return W(neighbours, silence_warnings=True)
