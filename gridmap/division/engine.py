"""The division engine: plain arrays of weighted, adjacent atoms in, a label for each atom out.

Each connected component is divided on its own: cut a random spanning tree as well as it can be cut (which finds a plan
within the band in nearly every component that has one), repair what is still outside by cutting a few touching parts
anew, then anneal the shape without giving legality back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Band", "Effort", "Lots", "divide_component", "outside_band"]

Effort = Literal["low", "normal", "high"]

#: Iterations by effort: annealing proposals for each atom and round, rounds, spanning trees tried at the start.
_EFFORT = {"low": (300, 1, 4), "normal": (1500, 1, 8), "high": (6000, 3, 24)}
# A tree is cut by whole weights; finer ones are scaled to at most this many steps up to the upper limit.
_WEIGHT_STEPS = 2000
# Weights of the shape terms against 1 - Polsby-Popper; see anneal_kernel.
_BALANCE, _STREETS = 0.1, 0.35
_HOT, _COLD = 0.25, 0.002


@dataclass(frozen=True)
class Band:
    """Lower and upper limit of a part's weight; the target in between is what balance is measured from."""

    lower: float
    upper: float

    @property
    def target(self) -> float:
        """Middle of the band."""
        return (self.lower + self.upper) / 2

    def feasible(self, total: float) -> bool:
        """Whether some whole number of parts within the band adds up to the total."""
        return int(total // self.lower) * self.upper >= total if self.lower > 0 else True


@dataclass(frozen=True)
class Lots:
    """Atoms and their borders as arrays; arcs are in CSR order, each border twice.

    `weight`, `area` (m²) and `perimeter` (m) are float64 (n,), `block` int32 (n,); `indptr` int32 (n + 1,);
    `neighbour` int32, `border` and `off_street` float64 (m), and `joins` bool are one an arc.
    """

    weight: np.ndarray
    area: np.ndarray
    perimeter: np.ndarray
    block: np.ndarray
    indptr: np.ndarray
    neighbour: np.ndarray
    border: np.ndarray
    off_street: np.ndarray
    joins: np.ndarray

    @property
    def source(self) -> np.ndarray:
        """First end of each arc."""
        return np.repeat(np.arange(len(self.weight), dtype=np.int32), np.diff(self.indptr))

    def components(self) -> tuple[int, np.ndarray]:
        """Number of connected components, and the component of each atom."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.weight)
        matrix = csr_array((self.joins.astype(np.int8), self.neighbour, self.indptr), shape=(n, n))
        matrix.eliminate_zeros()
        return connected_components(matrix, directed=False)

    def part(self, atoms: np.ndarray) -> Lots:
        """The atoms listed, with the arcs between them; borders to atoms outside stay in the perimeter."""
        local = np.full(len(self.weight), -1, np.int32)
        local[atoms] = np.arange(len(atoms), dtype=np.int32)
        source = self.source
        keep = (local[source] >= 0) & (local[self.neighbour] >= 0)
        arcs = np.flatnonzero(keep)
        arcs = arcs[np.argsort(local[source[arcs]], kind="stable")]
        count = np.bincount(local[source[arcs]], minlength=len(atoms))
        return Lots(
            self.weight[atoms],
            self.area[atoms],
            self.perimeter[atoms],
            self.block[atoms],
            np.r_[0, np.cumsum(count)].astype(np.int32),
            local[self.neighbour[arcs]],
            self.border[arcs],
            self.off_street[arcs],
            self.joins[arcs],
        )


def divide_component(lots: Lots, band: Band, *, effort: Effort = "normal", seed: int = 0) -> np.ndarray:
    """Divide connected atoms into connected parts.

    Parameters
    ----------
    lots
        Atoms that are connected by their joining borders.
    band
        Limits of a part's weight.
    effort
        How many iterations: ``"low"``, ``"normal"`` or ``"high"``.
    seed
        Of the random numbers; the same seed gives the same parts.

    Returns
    -------
    ndarray
        int32 (n,), the part of each atom, 0, 1, 2 ...

    Raises
    ------
    OptionError
        When the effort is not one of the three.
    """
    if effort not in _EFFORT:
        raise OptionError(f"effort must be one of {', '.join(_EFFORT)}, not {effort!r}")
    total = lots.weight.sum()
    if len(lots.weight) == 1 or total <= 0 or total < 2 * band.lower:
        return np.zeros(len(lots.weight), np.int32)
    proposals, rounds, trees = _EFFORT[effort]
    state = _random_state(seed)
    cutter = _Cutter(lots, band)
    label = cutter.start(state, trees)
    label = _repair(lots, band, cutter, label, state)
    for _ in range(rounds):
        label = _anneal(lots, band, label, proposals * len(label), state)
        label = _repair(lots, band, cutter, label, state)
    return _compact(label)


def outside_band(weights: np.ndarray, band: Band) -> tuple[int, float]:
    """Violation of the band in lexicographic order: number of parts outside, and weight outside."""
    short = np.maximum(band.lower - weights, 0) + np.maximum(weights - band.upper, 0)
    return int((short > 1e-9).sum()), float(short.sum())


def _random_state(seed: int) -> np.ndarray:
    # The generator must not start at 0; SeedSequence spreads near seeds far apart.
    return np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)


class _Cutter:
    """Cuts of spanning trees of one component: holds the whole-number weights and the scratch arrays."""

    def __init__(self, lots: Lots, band: Band) -> None:
        from gridmap.division.tree_kernel import closing_costs

        self.lots = lots
        whole = np.array_equal(lots.weight, np.round(lots.weight)) and band.upper <= _WEIGHT_STEPS
        scale = 1.0 if whole else _WEIGHT_STEPS / band.upper
        self.weight = np.round(lots.weight * scale).astype(np.int32)
        self.lower, self.upper = int(np.ceil(band.lower * scale - 1e-9)), int(np.floor(band.upper * scale + 1e-9))
        self.close = closing_costs(self.lower, self.upper, round(band.target * scale))
        # A tree that takes borders off the streets first leaves those on streets to be cut.
        share = np.divide(lots.off_street, lots.border, out=np.ones_like(lots.border), where=lots.border > 0)
        self.ease = (0.5 * (1 - share)).astype(np.float32)
        self.local = np.full(len(lots.weight), -1, np.int32)

    def cut(self, atoms: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, float]:
        """Parts of the atoms listed by one random tree, and their cost."""
        from gridmap.division.tree_kernel import cut_tree, spanning_tree

        lots = self.lots
        self.local[atoms] = np.arange(len(atoms), dtype=np.int32)
        order, parent = spanning_tree(atoms, self.local, lots.indptr, lots.neighbour, lots.joins, self.ease, state)
        self.local[atoms] = -1
        part, cost, _ = cut_tree(order, parent, self.weight[atoms], self.lower, self.upper, self.close)
        return part, cost

    def start(self, state: np.ndarray, trees: int) -> np.ndarray:
        """Best of several random cuts of the whole component; the first one within the band will do."""
        from gridmap.division.tree_kernel import ILLEGAL

        atoms = np.arange(len(self.lots.weight), dtype=np.int32)
        best, best_cost = self.cut(atoms, state)
        for _ in range(trees - 1):
            if best_cost < ILLEGAL:
                break
            part, cost = self.cut(atoms, state)
            if cost < best_cost:
                best, best_cost = part, cost
        return best


def _anneal(lots: Lots, band: Band, label: np.ndarray, steps: int, state: np.ndarray) -> np.ndarray:
    from gridmap.division.anneal_kernel import anneal

    label = _compact(label)
    anneal(
        label, int(label.max()) + 1, lots.weight, lots.area, lots.perimeter, lots.indptr, lots.source, lots.neighbour,
        lots.border, lots.off_street, lots.joins, lots.block, float(band.lower), float(band.upper), band.target,
        _BALANCE, _STREETS, steps, _HOT, _COLD, state,
    )  # fmt: skip
    return label


def _repair(lots: Lots, band: Band, cutter: _Cutter, label: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Cut each part outside the band anew together with one, two and three parts around it, while that helps."""
    label = _compact(label)
    for _ in range(8):
        weights = np.bincount(label, lots.weight)
        bad = np.flatnonzero((weights < band.lower - 1e-9) | (weights > band.upper + 1e-9))
        if len(bad) == 0:
            break
        helped = False
        for p in bad:
            helped |= _recut(lots, band, cutter, label, int(p), state)
        label = _compact(label)
        if not helped:
            break
    return label


def _recut(lots: Lots, band: Band, cutter: _Cutter, label: np.ndarray, part: int, state: np.ndarray) -> bool:
    for group in _groups_around(lots, label, part):
        atoms = np.flatnonzero(np.isin(label, group)).astype(np.int32)
        if len(atoms) == 0:
            continue
        now = outside_band(np.bincount(label[atoms], lots.weight[atoms])[np.unique(label[atoms])], band)
        if now[0] == 0:
            return False
        for _ in range(4):
            cut, _ = cutter.cut(atoms, state)
            new = outside_band(np.bincount(cut, lots.weight[atoms]), band)
            if new < now:
                label[atoms] = np.where(cut == 0, label[atoms[0]], label.max() + cut)
                return True
    return False


def _groups_around(lots: Lots, label: np.ndarray, part: int) -> Iterator[list[int]]:
    """The part with one neighbour, with two, then with three; nearest (by weight of border) first."""
    source = lots.source[lots.joins]
    a, b, metres = label[source], label[lots.neighbour[lots.joins]], lots.border[lots.joins]
    touching = a != b

    def around(group: list[int]) -> list[int]:
        rows = touching & np.isin(a, group) & ~np.isin(b, group)
        near = np.bincount(b[rows], metres[rows] + 1e-3)
        return [int(q) for q in np.argsort(-near, kind="stable") if near[q] > 0]

    first = around([part])
    yield from ([part, q] for q in first)
    for q in first[:6]:
        for r in around([part, q])[:4]:
            yield [part, q, r]
    for q in first[:3]:
        for r in around([part, q])[:3]:
            for s in around([part, q, r])[:3]:
                yield [part, q, r, s]


def _compact(label: np.ndarray) -> np.ndarray:
    return np.unique(label, return_inverse=True)[1].astype(np.int32)
