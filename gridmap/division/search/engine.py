"""The division engine: plain arrays of weighted, adjacent atoms in, a label for each atom out.

Each connected component is divided on its own: cut a random spanning tree as well as it can be cut (which finds a plan
within the band in nearly every component that has one), repair what is still outside by cutting a few touching parts
anew, then anneal the shape without giving legality back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from gridmap.division.search.shape import BALANCE, NO_STOPS, STREETS, TOURS, compact, shape_cost
from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NO_PAIRS", "Band", "Effort", "Lots", "among", "divide_component", "outside_band", "shape_cost"]

Effort = Literal["low", "normal", "high"]

#: Iterations by effort: annealing proposals for each atom, starts of which the best is kept, and spanning trees tried
#: for a start.
_EFFORT = {"low": (40, 1, 8), "normal": (400, 3, 8), "high": (1600, 6, 24)}
# A tree is cut by whole weights; finer ones are scaled to at most this many steps up to the upper limit.
_WEIGHT_STEPS = 2000
_HOT, _COLD = 0.1, 0.004
# A component of more atoms than `_LARGE` is annealed region by region, each of about `_REGION` atoms, so that what one
# proposal touches stays in the processor's cache; the regions change `_PASSES` times, as what lies between two does.
_LARGE, _REGION, _PASSES = 8000, 3000, 3
# Rounds of repair, trees tried for each group of parts, and how often a cut that is merely no worse is taken.
_SIDEWAYS = (False, False, True, True, False, True, True, True, False, True, True, True, True, False)
_TREES = 4
# Components of more atoms start from one tree.
_MANY = 1000
# Of so many parts as many turn out well from one start as from another: one is then cooled as slowly as all together.
_MANY_PARTS = 100
# Sums of weights may be off in the last bit.
_ROUNDING = 1e-9
_WANDER = 0.3


#: No two atoms that may not share a part.
NO_PAIRS = np.empty((0, 2), np.int32)


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
    `neighbour` int32, `border` and `off_street` float64 (m), and `joins` bool are one an arc. `apart`, int32 (k, 2),
    are pairs of atoms that may not share a part. `stops`, float64 (n, 4), is what a worker calls at in each atom
    (`shape.stops_at`), or has no rows: then no tours count.
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
    apart: np.ndarray = field(default_factory=NO_PAIRS.copy)
    stops: np.ndarray = field(default_factory=NO_STOPS.copy)

    @property
    def source(self) -> np.ndarray:
        """First end of each arc."""
        return np.repeat(np.arange(len(self.weight), dtype=np.int32), np.diff(self.indptr))

    @property
    def twin(self) -> np.ndarray:
        """The other arc of each arc's border."""
        source, n = self.source.astype(np.int64), len(self.weight)
        twin = np.empty(len(source), np.int32)
        # Arcs are in order of source, then neighbour.
        twin[np.argsort(self.neighbour * np.int64(n) + source, kind="stable")] = np.argsort(
            source * n + self.neighbour, kind="stable"
        )
        return twin

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
            among(local[self.apart]),
            self.stops[atoms] if len(self.stops) else self.stops,
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
    proposals, starts, trees = _EFFORT[effort]
    if total > _MANY_PARTS * band.target:
        proposals, starts = proposals * starts, 1
    rng = np.random.default_rng(seed)
    cutter = _Cutter(lots, band, rng)
    best, best_cost = np.zeros(len(lots.weight), np.int32), (np.inf, np.inf, np.inf)
    for _ in range(starts):
        label = _repair(lots, band, cutter, cutter.start(trees))
        label = _anneal_all(lots, band, label, proposals, rng)
        label = _repair(lots, band, cutter, label)
        cost = (*outside_band(label, lots.weight, band, lots.apart), shape_cost(lots, label, band))
        if cost < best_cost:
            best, best_cost = label, cost
    return compact(best)


def outside_band(label: np.ndarray, weight: np.ndarray, band: Band, apart: np.ndarray = NO_PAIRS) -> tuple[int, float]:
    """Violation of the band in lexicographic order: number of parts outside, and weight outside.

    An atom above the upper limit by itself counts as one part outside even where several of them share a part: two
    towers are never put together to save a grid. Each pair that shares a part though it may not counts as more parts
    than there can be: such pairs come before the band.

    Parameters
    ----------
    label, weight
        Part (0, 1, 2 ...) and weight of each atom.
    band
        Limits of a part's weight.
    apart
        int (k, 2), pairs of atoms that may not share a part.
    """
    torn = int((label[apart[:, 0]] == label[apart[:, 1]]).sum()) * len(label)
    giants = np.bincount(label, weight > band.upper)
    short = _short(np.bincount(label, weight), band)
    return int(np.maximum(short > _ROUNDING, giants).sum()) + torn, float(short.sum())


def among(pairs: np.ndarray) -> np.ndarray:
    """The pairs of positions that are both there: -1 is nowhere."""
    return pairs[(pairs >= 0).all(axis=1)]


def _short(weights: np.ndarray, band: Band) -> np.ndarray:
    return np.maximum(band.lower - weights, 0) + np.maximum(weights - band.upper, 0)


def _closing_costs(lower: int, upper: int, target: int) -> np.ndarray:
    """Cost of closing a part by its state: weight 0 ... upper, above it, and above it with giants (paid for before)."""
    from gridmap.division.search.tree_kernel import ILLEGAL, OUTSIDE

    weight = np.arange(upper + 1)
    balance = np.floor(100.0 * (weight - target) ** 2 / max(upper - lower, 1) ** 2)
    return np.r_[np.where(weight < lower, ILLEGAL + OUTSIDE * (lower - weight), balance), ILLEGAL, 0.0]


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

    def cut(self, atoms: np.ndarray, outside: float) -> tuple[np.ndarray, float]:
        """Parts of the atoms listed by one random tree, and their cost; `outside` is that of weight above the band."""
        from gridmap.division.search.tree_kernel import cut_tree, spanning_tree

        self.local[atoms] = np.arange(len(atoms), dtype=np.int32)
        arcs = arcs_of(self.first, atoms)
        left, right = self.local[self.left[arcs]], self.local[self.right[arcs]]
        inside = np.flatnonzero(right >= 0)
        inside = inside[np.argsort(self.rng.random(len(inside)) + self.ease[arcs[inside]])]
        self.local[atoms] = -1
        order, parent = spanning_tree(left[inside], right[inside], len(atoms))
        part, cost, _ = cut_tree(order, parent, self.weight[atoms], self.upper, self.close, outside)
        return part, cost

    def start(self, trees: int) -> np.ndarray:
        """Best of several random cuts of the whole component; the first one as good as can be will do.

        In a large component a cut has faults in a few places, which repair mends at less cost than another cut.
        """
        from gridmap.division.search.tree_kernel import ILLEGAL

        # One part that holds all that is in the way would be few illegal parts, and nothing that repair can start from:
        # weight above the band costs here what as many parts would.
        outside = ILLEGAL / self.upper
        giants = self.weight[self.weight > self.upper].astype(np.float64)
        least = (ILLEGAL + outside * (giants - self.upper)).sum()
        atoms = np.arange(self.count, dtype=np.int32)
        best, best_cost = self.cut(atoms, outside)
        for _ in range(trees - 1 if self.count <= _MANY else 0):
            if best_cost < least + ILLEGAL:
                break
            part, cost = self.cut(atoms, outside)
            if cost < best_cost:
                best, best_cost = part, cost
        return best


def _anneal(
    lots: Lots, band: Band, label: np.ndarray, proposals: int, rng: np.random.Generator, hot: float, cold: float
) -> np.ndarray:
    """Labels of better shape; `proposals` for each atom, temperatures from hot to cold."""
    from gridmap.division.search.anneal_kernel import anneal

    label = compact(label)
    # The kernel's generator must not start at 0.
    state = rng.integers(1, 2**63, 1).astype(np.uint64)
    foe = np.r_[lots.apart, lots.apart[:, ::-1]].astype(np.int32)
    foe = foe[np.argsort(foe[:, 0], kind="stable")]
    first_foe = np.r_[0, np.cumsum(np.bincount(foe[:, 0], minlength=len(label)))].astype(np.int32)
    anneal(
        label, int(label.max()) + 1, lots.weight, lots.area, lots.perimeter, lots.indptr, lots.source, lots.neighbour,
        lots.twin, lots.border, lots.off_street, lots.joins, lots.block, lots.stops, first_foe,
        np.ascontiguousarray(foe[:, 1]), float(band.lower), float(band.upper),
        band.target, BALANCE, STREETS, TOURS, proposals * len(label), hot, cold, state,
    )  # fmt: skip
    return label


def _anneal_all(lots: Lots, band: Band, label: np.ndarray, proposals: int, rng: np.random.Generator) -> np.ndarray:
    """Anneal a component: as a whole, or region by region where it is large."""
    if len(label) <= _LARGE:
        return _anneal(lots, band, label, proposals, rng, _HOT, _COLD)
    for k in range(_PASSES):
        hot, cold = (_HOT * (_COLD / _HOT) ** (step / _PASSES) for step in (k, k + 1))
        label = compact(label)
        region = _regions(lots, label, rng)[label]
        for r in range(int(region.max()) + 1):
            atoms = np.flatnonzero(region == r)
            part = _anneal(lots.part(atoms), band, label[atoms], proposals // _PASSES, rng, hot, cold)
            # A part may have been given up, none is new.
            label[atoms] = np.unique(label[atoms])[part]
    return label


def _regions(lots: Lots, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random connected region of each part, of about `_REGION` atoms."""
    parts = int(label.max()) + 1
    most = max(2, round(_REGION * parts / len(label)))
    return _Cutter(_contract(lots, label), Band(most / 2, most), rng).start(1)


def _contract(lots: Lots, label: np.ndarray) -> Lots:
    """Parts as atoms of weight 1; shapes are left out."""
    parts = int(label.max()) + 1
    a, b = label[lots.source], label[lots.neighbour]
    between = lots.joins & (a != b)
    key, first = np.unique(a[between] * np.int64(parts) + b[between], return_index=True)
    count = np.bincount(key // parts, minlength=parts)
    border, nothing = lots.border[between][first], np.zeros(parts)
    return Lots(
        np.ones(parts), nothing, nothing, nothing.astype(np.int32), np.r_[0, np.cumsum(count)].astype(np.int32),
        (key % parts).astype(np.int32), border, lots.off_street[between][first], np.ones(len(key), bool),
    )  # fmt: skip


def _repair(lots: Lots, band: Band, cutter: _Cutter, label: np.ndarray) -> np.ndarray:
    """Cut each part outside the band anew with parts around it, until that helps no more.

    In later rounds a cut that is no worse is taken too: what is outside the band then wanders through the component
    until it meets parts that can take it in. The best labels met are returned.
    """
    label = compact(label)
    best, best_outside = label, outside_band(label, lots.weight, band, lots.apart)
    for sideways in _SIDEWAYS:
        if best_outside[0] == 0:
            break
        parts = _Parts(lots, label)
        # What a lone giant holds too much can't be helped.
        giant = np.bincount(label, np.where(lots.weight > band.upper, lots.weight - band.upper, 0))
        short = _short(np.bincount(label, lots.weight), band)
        torn = label[lots.apart[label[lots.apart[:, 0]] == label[lots.apart[:, 1]], 0]]
        for p in np.union1d(np.flatnonzero((short > _ROUNDING) & (short != giant)), torn):
            _recut(lots, band, cutter, parts, int(p), sideways=sideways)
        label = compact(parts.label)
        now = outside_band(label, lots.weight, band, lots.apart)
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
        """The part, with one neighbour, with two, three and four; near ones first."""
        yield [part]
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
    from gridmap.division.search.tree_kernel import OUTSIDE

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
        weight, apart = lots.weight[atoms], _pairs_of(atoms, lots)
        now = outside_band(shares, weight, band, apart)
        for _ in range(_TREES):
            cut, _ = cutter.cut(atoms, OUTSIDE)
            new = outside_band(cut, weight, band, apart)
            if new < now or (sideways and new == now and cutter.rng.random() < _WANDER):
                parts.replace(group, atoms, cut)
                return


def _pairs_of(atoms: np.ndarray, lots: Lots) -> np.ndarray:
    """Pairs that may not share a part among some atoms, as positions among these."""
    if not len(lots.apart):
        return NO_PAIRS
    local = np.full(len(lots.weight), -1)
    local[atoms] = np.arange(len(atoms))
    return among(local[lots.apart])


def arcs_of(indptr: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Positions of the arcs that leave the atoms listed, in their order."""
    first, count = indptr[atoms], indptr[atoms + 1] - indptr[atoms]
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)
