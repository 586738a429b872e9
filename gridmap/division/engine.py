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

__all__ = ["Band", "Effort", "Lots", "divide_component", "outside_band", "shape_cost"]

Effort = Literal["low", "normal", "high"]

#: Iterations by effort: annealing proposals for each atom and round, rounds, spanning trees tried at the start.
_EFFORT = {"low": (300, 1, 4), "normal": (1500, 1, 8), "high": (6000, 3, 24)}
# A tree is cut by whole weights; finer ones are scaled to at most this many steps up to the upper limit.
_WEIGHT_STEPS = 2000
# Weights of the shape terms against 1 - Polsby-Popper; see anneal_kernel.
_BALANCE, _STREETS = 0.1, 0.35
_HOT, _COLD = 0.25, 0.002
# Rounds of repair, trees tried for each group of parts, and how often a cut that is merely no worse is taken.
_SIDEWAYS = (False, False, True, True, False, True, True, True, False, True, True, True, True, False)
_TREES = 4
# Sums of weights may be off in the last bit.
_ROUNDING = 1e-9
_WANDER = 0.3


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
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.weight)
        ends = (self.source[self.joins], self.neighbour[self.joins])
        return connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(n, n)), directed=False)

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
    rng = np.random.default_rng(seed)
    cutter = _Cutter(lots, band, rng)
    label = _repair(lots, band, cutter, cutter.start(trees))
    best, best_cost = label, (*outside_band(label, lots.weight, band), np.inf)
    for _ in range(rounds):
        label = _anneal(lots, band, label, proposals * len(label), rng)
        label = _repair(lots, band, cutter, label)
        cost = (*outside_band(label, lots.weight, band), shape_cost(lots, label, band))
        if cost < best_cost:
            best, best_cost = label, cost
    return _compact(best)


def outside_band(label: np.ndarray, weight: np.ndarray, band: Band) -> tuple[int, float]:
    """Violation of the band in lexicographic order: number of parts outside, and weight outside.

    An atom above the upper limit by itself counts as one part outside even where several of them share a part: two
    towers are never put together to save a grid.

    Parameters
    ----------
    label, weight
        Part (0, 1, 2 ...) and weight of each atom.
    band
        Limits of a part's weight.
    """
    giants = np.bincount(label, weight > band.upper)
    short = _short(np.bincount(label, weight), band)
    return int(np.maximum(short > _ROUNDING, giants).sum()), float(short.sum())


def _short(weights: np.ndarray, band: Band) -> np.ndarray:
    return np.maximum(band.lower - weights, 0) + np.maximum(weights - band.upper, 0)


def _closing_costs(lower: int, upper: int, target: int) -> np.ndarray:
    """Cost of closing a part by its state: weight 0 ... upper, above it, and above it with giants (paid for before)."""
    from gridmap.division.tree_kernel import ILLEGAL, OUTSIDE

    weight = np.arange(upper + 1)
    balance = np.floor(100.0 * (weight - target) ** 2 / max(upper - lower, 1) ** 2)
    return np.r_[np.where(weight < lower, ILLEGAL + OUTSIDE * (lower - weight), balance), ILLEGAL, 0.0]


def shape_cost(lots: Lots, label: np.ndarray, band: Band) -> float:
    """Mean over the parts of the energy that is annealed (see anneal_kernel); comparable over numbers of parts."""
    label = _compact(label)
    source = lots.source
    inner = label[source] == label[lots.neighbour]
    perimeter = np.bincount(label, lots.perimeter) - np.bincount(
        label[source[inner]], lots.border[inner], label.max() + 1
    )
    area = np.bincount(label, lots.area)
    roundness = 4 * np.pi * area / np.maximum(perimeter, 1e-9) ** 2
    unbalance = (np.bincount(label, lots.weight) - band.target) / max(band.upper - band.lower, 1)
    off = lots.off_street[~inner].sum() / 2 / np.sqrt(area.mean())
    return float((1 - roundness + _BALANCE * unbalance**2).mean() + _STREETS * off / len(area))


class _Cutter:
    """Cuts of spanning trees of one component: holds the whole-number weights and the arcs, each pair once."""

    def __init__(self, lots: Lots, band: Band, rng: np.random.Generator) -> None:
        self.rng = rng
        self.count = len(lots.weight)
        whole = np.array_equal(lots.weight, np.round(lots.weight)) and band.upper <= _WEIGHT_STEPS
        scale = 1.0 if whole else _WEIGHT_STEPS / band.upper
        self.weight = np.round(lots.weight * scale).astype(np.int32)
        self.upper = int(np.floor(band.upper * scale + 1e-9))
        self.close = _closing_costs(int(np.ceil(band.lower * scale - 1e-9)), self.upper, round(band.target * scale))
        once = lots.joins & (lots.source < lots.neighbour)
        self.left, self.right = lots.source[once], lots.neighbour[once]
        self.first = np.r_[0, np.cumsum(np.bincount(self.left, minlength=self.count))]
        self.local = np.full(self.count, -1, np.int32)
        # A tree that takes borders off the streets first leaves those on streets to be cut.
        off = np.divide(lots.off_street, lots.border, out=np.ones_like(lots.border), where=lots.border > 0)
        self.ease = 0.5 * (1 - off[once])

    def cut(self, atoms: np.ndarray) -> tuple[np.ndarray, float]:
        """Parts of the atoms listed by one random tree, and their cost."""
        from gridmap.division.tree_kernel import cut_tree, spanning_tree

        self.local[atoms] = np.arange(len(atoms), dtype=np.int32)
        arcs = arcs_of(self.first, atoms)
        left, right = self.local[self.left[arcs]], self.local[self.right[arcs]]
        inside = np.flatnonzero(right >= 0)
        inside = inside[np.argsort(self.rng.random(len(inside)) + self.ease[arcs[inside]])]
        self.local[atoms] = -1
        order, parent = spanning_tree(left[inside], right[inside], len(atoms))
        part, cost, _ = cut_tree(order, parent, self.weight[atoms], self.upper, self.close)
        return part, cost

    def start(self, trees: int) -> np.ndarray:
        """Best of several random cuts of the whole component; the first one within the band will do."""
        from gridmap.division.tree_kernel import ILLEGAL

        atoms = np.arange(self.count, dtype=np.int32)
        best, best_cost = self.cut(atoms)
        for _ in range(trees - 1):
            if best_cost < ILLEGAL:
                break
            part, cost = self.cut(atoms)
            if cost < best_cost:
                best, best_cost = part, cost
        return best


def _anneal(lots: Lots, band: Band, label: np.ndarray, steps: int, rng: np.random.Generator) -> np.ndarray:
    from gridmap.division.anneal_kernel import anneal

    label = _compact(label)
    # The kernel's generator must not start at 0.
    state = rng.integers(1, 2**63, 1).astype(np.uint64)
    anneal(
        label, int(label.max()) + 1, lots.weight, lots.area, lots.perimeter, lots.indptr, lots.source, lots.neighbour,
        lots.border, lots.off_street, lots.joins, lots.block, float(band.lower), float(band.upper), band.target,
        _BALANCE, _STREETS, steps, _HOT, _COLD, state,
    )  # fmt: skip
    return label


def _repair(lots: Lots, band: Band, cutter: _Cutter, label: np.ndarray) -> np.ndarray:
    """Cut each part outside the band anew with parts around it, until that helps no more.

    In later rounds a cut that is no worse is taken too: what is outside the band then wanders through the component
    until it meets parts that can take it in. The best labels met are returned.
    """
    label = _compact(label)
    best, best_outside = label, outside_band(label, lots.weight, band)
    for sideways in _SIDEWAYS:
        if best_outside[0] == 0:
            break
        parts = _Parts(lots, label)
        # What a lone giant holds too much can't be helped.
        giant = np.bincount(label, np.where(lots.weight > band.upper, lots.weight - band.upper, 0))
        short = _short(np.bincount(label, lots.weight), band)
        for p in np.flatnonzero((short > _ROUNDING) & (short != giant)):
            _recut(lots, band, cutter, parts, int(p), sideways=sideways)
        label = _compact(parts.label)
        now = outside_band(label, lots.weight, band)
        if now < best_outside:
            best, best_outside = label, now
    return best


class _Parts:
    """Parts while they are being recut: labels, and the atoms of each part."""

    def __init__(self, lots: Lots, label: np.ndarray) -> None:
        self.lots = lots
        self.label = label.copy()
        order = np.argsort(label, kind="stable")
        self.atoms = dict(enumerate(np.split(order.astype(np.int32), np.cumsum(np.bincount(label))[:-1])))
        self.unused = len(self.atoms)

    def around(self, group: list[int]) -> list[int]:
        """Parts that touch a group of parts, those with the longest border first."""
        lots = self.lots
        arcs = arcs_of(lots.indptr, np.concatenate([self.atoms[p] for p in group]))
        arcs = arcs[lots.joins[arcs]]
        other = self.label[lots.neighbour[arcs]]
        near, at = np.unique(other, return_inverse=True)
        metres = np.bincount(at, lots.border[arcs])
        return [int(p) for p in near[np.argsort(-metres, kind="stable")] if p not in group]

    def groups(self, part: int) -> Iterator[list[int]]:
        """The part with one neighbour, with two, three and four; near ones first."""
        first = self.around([part])
        yield from ([part, q] for q in first)
        for q in first[:6]:
            second = self.around([part, q])
            for r in second[:4]:
                yield [part, q, r]
        for q in first[:3]:
            for r in self.around([part, q])[:3]:
                group = [part, q, r]
                for s in self.around(group)[:3]:
                    yield [*group, s]
                    yield [*group, s, *self.around([*group, s])[:1]]

    def replace(self, group: list[int], atoms: np.ndarray, cut: np.ndarray) -> None:
        """Give the atoms of a group their new parts."""
        for p in group:
            del self.atoms[p]
        for k in range(int(cut.max()) + 1):
            self.atoms[self.unused] = atoms[cut == k]
            self.label[self.atoms[self.unused]] = self.unused
            self.unused += 1


def _recut(lots: Lots, band: Band, cutter: _Cutter, parts: _Parts, part: int, *, sideways: bool) -> None:
    if part not in parts.atoms:
        return
    tried = set()
    for group in parts.groups(part):
        key = frozenset(group)
        if key in tried:
            continue
        tried.add(key)
        atoms = np.concatenate([parts.atoms[p] for p in group])
        shares = np.repeat(np.arange(len(group)), [len(parts.atoms[p]) for p in group])
        now = outside_band(shares, lots.weight[atoms], band)
        for _ in range(_TREES):
            cut, _ = cutter.cut(atoms)
            new = outside_band(cut, lots.weight[atoms], band)
            if new < now or (sideways and new == now and cutter.rng.random() < _WANDER):
                parts.replace(group, atoms, cut)
                return


def arcs_of(indptr: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Positions of the arcs that leave the atoms listed, in their order."""
    first, count = indptr[atoms], indptr[atoms + 1] - indptr[atoms]
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)


def _compact(label: np.ndarray) -> np.ndarray:
    return np.unique(label, return_inverse=True)[1].astype(np.int32)
