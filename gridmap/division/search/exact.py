"""The best division of a small component, exactly: what the engine's answer is measured by where it is out of band.

Atoms without weight that only pass a connection on are taken out first, so that a component with many of them is still
small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.division.search.engine import outside_band

if TYPE_CHECKING:
    from gridmap.division.search.engine import Band, Lots

__all__ = ["MOST_ATOMS", "better_division", "divide_exactly", "without_idle_atoms"]

#: Subsets of more atoms are too many.
MOST_ATOMS = 15
_ROUNDING = 1e-9


def divide_exactly(lots: Lots, band: Band) -> np.ndarray | None:
    """Divide connected atoms at the least cost: illegal parts, weight outside the band, number of parts, shape.

    Parameters
    ----------
    lots
        Atoms that are connected by their joining borders.
    band
        Limits of a part's weight. An atom above the upper one counts as one illegal part, as in `outside_band`.

    Returns
    -------
    ndarray or None
        int32 (n,), the part of each atom; None for more than `MOST_ATOMS` atoms, not counting those that
        `without_idle_atoms` takes out.
    """
    near, idle = without_idle_atoms(lots)
    atoms = np.array(sorted(near), np.int64)
    if len(atoms) > MOST_ATOMS:
        return None
    from gridmap.division.search.exact_kernel import best_division, connected_subsets

    at = {int(a): i for i, a in enumerate(atoms)}
    subsets = np.array([sum(1 << at[b] for b in near[int(a)]) for a in atoms], np.int64)
    weight = _subset_sums(lots.weight[atoms])
    giants = _subset_sums((lots.weight[atoms] > band.upper).astype(np.int64))
    outside = np.maximum(band.lower - weight, 0) + np.maximum(weight - band.upper, 0)
    illegal = np.maximum((outside > _ROUNDING).astype(np.int64), giants)
    every = np.arange(len(illegal))
    for a, b in lots.apart.tolist():
        illegal += (every >> at[a] & every >> at[b] & 1) * len(lots.weight)
    shape = _subset_shapes(lots, atoms, weight, band)
    chosen = best_division(connected_subsets(subsets), illegal, outside, shape)

    label = np.full(len(lots.weight), -1, np.int32)
    left, part = (1 << len(atoms)) - 1, 0
    while left:
        label[atoms[[i for i in range(len(atoms)) if chosen[left] >> i & 1]]] = part
        left ^= int(chosen[left])
        part += 1
    return _with_idle_atoms(label, idle)


def better_division(lots: Lots, band: Band, label: np.ndarray) -> np.ndarray:
    """The exact division of a component where it violates the band less than the labels given, else those labels."""
    violation = outside_band(label, lots.weight, band, lots.apart)
    exact = divide_exactly(lots, band) if violation[0] else None
    return label if exact is None or outside_band(exact, lots.weight, band, lots.apart) >= violation else exact


def without_idle_atoms(lots: Lots) -> tuple[dict[int, set[int]], list[tuple[int, tuple[int, ...]]]]:
    """Neighbours of each atom by joining borders, without the atoms that weigh nothing and only pass on a connection.

    An atom without weight that has one neighbour, two, or any number that are all neighbours of each other changes
    nothing when it is taken out and its two neighbours are joined. Returned with these atoms and what was around each,
    in the order in which they were taken out.
    """
    near: dict[int, set[int]] = {a: set() for a in range(len(lots.weight))}
    for a, b in zip(lots.source[lots.joins].tolist(), lots.neighbour[lots.joins].tolist(), strict=True):
        near[a].add(b)
    idle: list[tuple[int, tuple[int, ...]]] = []
    bound = set(lots.apart.ravel().tolist())
    waiting = [a for a in near if lots.weight[a] == 0 and a not in bound]
    while waiting and len(near) > 1:
        a = waiting.pop()
        around = sorted(near[a])
        if len(around) > 2 and any(c not in near[b] for i, b in enumerate(around) for c in around[i + 1 :]):
            continue
        del near[a]
        for b in around:
            near[b].discard(a)
            near[b].update(c for c in around if c != b)
        idle.append((a, tuple(around)))
        # What was around it may have become such an atom itself.
        waiting += [b for b in around if lots.weight[b] == 0 and b not in bound and b not in waiting]
    return near, idle


def _with_idle_atoms(label: np.ndarray, idle: list[tuple[int, tuple[int, ...]]]) -> np.ndarray:
    """Put atoms taken out back: into the part that may need their connection, else into the first one around."""
    for atom, around in reversed(idle):
        parts = [int(label[b]) for b in around]
        label[atom] = max(parts, key=parts.count)
    return label


def _subset_sums(values: np.ndarray) -> np.ndarray:
    """Sum over each subset."""
    sums = np.zeros(1, values.dtype)
    for value in values:
        sums = np.concatenate((sums, sums + value))
    return sums


def _subset_shapes(lots: Lots, atoms: np.ndarray, weight: np.ndarray, band: Band) -> np.ndarray:
    """1 - Polsby-Popper of each subset, and its imbalance as in the engine."""
    bits = np.arange(1 << len(atoms))
    perimeter = _subset_sums(lots.perimeter[atoms])
    at = {int(a): i for i, a in enumerate(atoms)}
    # Each border is in the arcs twice, and inside a subset it is taken off either side.
    for a, b, metres in zip(lots.source.tolist(), lots.neighbour.tolist(), lots.border.tolist(), strict=True):
        if a in at and b in at:
            perimeter -= np.where((bits >> at[a]) & (bits >> at[b]) & 1, metres, 0.0)
    roundness = 4 * np.pi * _subset_sums(lots.area[atoms]) / np.maximum(perimeter, 1e-9) ** 2
    if not np.isfinite(band.upper):
        return 1 - roundness
    return 1 - roundness + 0.1 * ((weight - band.target) / max(band.upper - band.lower, 1)) ** 2
