"""One connected component: what can't be done right is set apart, the engine divides the rest, small ones are exact.

A place that no division can do right would spoil the search: with one part outside the band anyway, the fewest parts
outside are had by putting everything else that is difficult into that part too. So such places are found first, and
the atoms that cost least outside the band are made a part by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.division.search.engine import divide_component, outside_band
from gridmap.division.search.exact import MOST_ATOMS, better_division, divide_exactly
from gridmap.division.search.places import explain, forced_places, legal_rest, pendant_places, rests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gridmap.division.search.engine import Band, Effort, Lots
    from gridmap.division.search.places import Place

__all__ = ["divide_connected"]

# Where a part is outside the band and nothing shows that one must be, it is divided anew with the parts around it: in
# so many rings of parts, with so many different random numbers each.
_RINGS, _TRIES = 4, 2
# Most parts that are treated so.
_MENDED = 40


def divide_connected(lots: Lots, band: Band, *, effort: Effort = "normal", seed: int = 0) -> np.ndarray:
    """Divide connected atoms into connected parts, within the band wherever that can be done.

    Parameters and result are those of `gridmap.division.search.engine.divide_component`.
    """
    label = np.empty(len(lots.weight), np.int32)
    used = 0
    for atoms in _set_apart(lots, band):
        part = divide_component(lots.part(atoms), band, effort=effort, seed=seed)
        label[atoms] = part + used
        used += int(part.max()) + 1
    label = _legal_where_small(lots, band, better_division(lots, band, label))
    for _ in range(_MENDED):
        odd = _unexplained(lots, band, label)
        new = None if odd is None else _anew_around(lots, band, label, odd, effort, seed)
        if new is None:
            break
        label = new
    return label


def _anew_around(lots: Lots, band: Band, label: np.ndarray, part: int, effort: Effort, seed: int) -> np.ndarray | None:
    """Divide a part and ever more parts around it anew, until that makes fewer, or less, be outside the band."""
    inside = label == part
    for ring in range(_RINGS):
        across = lots.joins & inside[lots.source]
        inside = np.isin(label, label[lots.neighbour[across]]) | inside
        atoms = np.flatnonzero(inside)
        region = lots.part(atoms)
        before = outside_band(np.unique(label[atoms], return_inverse=True)[1], region.weight, band, region.apart)
        for more in range(_TRIES):
            anew = divide_component(region, band, effort=effort, seed=seed + 1 + ring * _TRIES + more)
            if outside_band(anew, region.weight, band, region.apart) < before:
                new = label.copy()
                new[atoms] = anew + label.max() + 1
                return np.unique(new, return_inverse=True)[1].astype(np.int32)
    return None


def _legal_where_small(lots: Lots, band: Band, label: np.ndarray) -> np.ndarray:
    """Divide each small rest between the towers by itself where that is within the band and the labels are not."""
    for near in _rests_outside(lots, band, label):
        parts = legal_rest(near, lots.weight, band, lots.apart)
        if parts:
            new = label.copy()
            for k, part in enumerate(parts):
                new[part] = label.max() + 1 + k
            new = _connected_labels(lots, new)
            if outside_band(new, lots.weight, band, lots.apart) < outside_band(label, lots.weight, band, lots.apart):
                label = new
    return label


def _rests_outside(lots: Lots, band: Band, label: np.ndarray) -> list[dict[int, list[int]]]:
    """Rests between the towers some of whose atoms are in a part outside the band."""
    weights = np.bincount(label, lots.weight)
    outside = ((weights < band.lower) | (weights > band.upper))[label]
    return [near for near in rests(lots, band) if outside[list(near)].any()] if outside.any() else []


def _unexplained(lots: Lots, band: Band, label: np.ndarray) -> int | None:
    """A part outside the band that neither holds a tower nor is where there must be one."""
    weights, towers = np.bincount(label, lots.weight), np.bincount(label, lots.weight > band.upper)
    for near in _rests_outside(lots, band, label):
        parts = [
            p for p in np.unique(label[list(near)]) if not towers[p] and not band.lower <= weights[p] <= band.upper
        ]
        outside = [np.flatnonzero(label == p).tolist() for p in parts]
        if not parts:
            continue
        why = explain(outside, forced_places(near, lots.weight, band, outside, lots.apart))
        for part, place in zip(parts, why, strict=True):
            if place is None:
                return int(part)
    return None


def _connected_labels(lots: Lots, label: np.ndarray) -> np.ndarray:
    """Labels 0, 1, 2 ... of the connected pieces of parts."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    same = lots.joins & (label[lots.source] == label[lots.neighbour])
    ends = (lots.source[same], lots.neighbour[same])
    n = len(label)
    return connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(n, n)), directed=False)[1]


def _set_apart(lots: Lots, band: Band) -> list[np.ndarray]:
    """Atoms of each piece to divide by itself: forced parts, and what is connected without them."""
    everything = np.arange(len(lots.weight))
    if len(everything) <= MOST_ATOMS:
        return [everything]
    chosen: list[list[int]] = []
    beside_tower = set(lots.neighbour[lots.joins & (lots.weight[lots.source] > band.upper)].tolist())
    for near in rests(lots, band):
        if not band.feasible(float(lots.weight[list(near)].sum())):
            continue
        for place in pendant_places(near, lots.weight, band):
            # What is beside a tower can be taken into the tower's part, which is outside the band as it is.
            if beside_tower.isdisjoint(place.atoms):
                chosen += _cheapest_part(place, near, lots, band, [a for part in chosen for a in part])
    if not chosen:
        return [everything]
    piece = np.zeros(len(everything), np.int64)
    for k, atoms in enumerate(chosen):
        piece[atoms] = k + 1
    piece = _connected_labels(lots, piece)
    return [np.flatnonzero(piece == p) for p in range(piece.max() + 1)]


def _cheapest_part(
    place: Place, near: Mapping[int, Collection[int]], lots: Lots, band: Band, gone: list[int]
) -> list[list[int]]:
    """Atoms of the place to set apart, at the least weight outside the band; none when what is left would suffer."""
    pieces = _pieces(place.atoms, near)
    above = [] if place.root is None or place.root in place.atoms else [place.root]
    options = [*pieces, *([*piece, *above] for piece in pieces if above)]
    costs = []
    for option in options:
        rest = set(near).difference(option, gone)
        if set(option).isdisjoint(gone) and all(
            band.feasible(float(lots.weight[p].sum())) for p in _pieces(rest, near)
        ):
            costs.append((_violation(lots, band, option), len(option), option))
    return [min(costs)[2]] if costs else []


def _pieces(atoms: Iterable[int], near: Mapping[int, Collection[int]]) -> list[list[int]]:
    """Connected pieces of some of the atoms."""
    left = set(atoms)
    pieces = []
    for first in sorted(left):
        if first in left:
            left.discard(first)
            piece = [first]
            for a in piece:
                fresh = [b for b in near[a] if b in left]
                left.difference_update(fresh)
                piece += fresh
            pieces.append(piece)
    return pieces


def _violation(lots: Lots, band: Band, atoms: list[int]) -> tuple[int, float]:
    """Of a part set apart: exactly when it is small, else by its total, as if it could be divided freely."""
    part = lots.part(np.sort(np.array(atoms)))
    exact = divide_exactly(part, band)
    if exact is not None:
        return outside_band(exact, part.weight, band, part.apart)
    total = float(part.weight.sum())
    parts = total // band.upper
    return 1, max(min(total - parts * band.upper, (parts + 1) * band.lower - total), 0.0)
