"""Places that no legal division can do right, read off the tree of blocks and cut atoms.

A *block* is a largest set of atoms that hangs together even when any one of them is taken away; blocks meet in *cut
atoms*, and together they form a tree (Hopcroft and Tarjan 1973). What hangs on a cut atom can only be divided within
itself, or pass some of its weight up into the part of the cut atom. Walking up the tree, the amounts that can be passed
up are worked out as a set: two atoms and the border between them exactly, larger blocks as if they could be divided
freely, which only makes the set larger than it is. Where nothing is left in it that the cut atom's part can hold, some
part that takes in what hangs there is outside the band in every division.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gridmap.division.search.engine import Band

__all__ = ["Scale", "forced_pendants"]

# Weights that are not whole numbers are rounded outward to so many steps up to the upper limit.
_STEPS = 2000
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Scale:
    """The band and the weights as whole numbers; each weight as the lowest and the highest it may stand for."""

    lower: int
    upper: int
    low: list[int]
    high: list[int]

    @classmethod
    def of(cls, weight: np.ndarray, band: Band) -> Scale:
        """Whole weights as they are; others rounded outward, so that nothing possible is ruled out."""
        whole = bool(np.array_equal(weight, np.round(weight))) and band.upper <= 10 * _STEPS
        step = 1.0 if whole else _STEPS / band.upper
        low, high = np.floor(weight * step + _ROUNDING), np.ceil(weight * step - _ROUNDING)
        if whole:
            lower, upper = math.ceil(band.lower - _ROUNDING), math.floor(band.upper + _ROUNDING)
        else:
            lower, upper = math.floor(band.lower * step), math.ceil(band.upper * step)
        return cls(lower, upper, low.astype(np.int64).tolist(), high.astype(np.int64).tolist())


def forced_pendants(near: Mapping[int, Collection[int]], scale: Scale, root: int) -> list[tuple[list[int], int]]:
    """Places in a connected graph where a part must lie outside the band.

    Parameters
    ----------
    near
        Neighbours of each atom, connected.
    scale
        Band and weights.
    root
        Where the tree is hung up; any atom will do, a heavy one in the largest block proves most.

    Returns
    -------
    list
        Atoms of the place, and the cut atom they hang on, which is not one of them; of the last place it may be the
        root itself, and then it is. In every division at least one part that holds an atom of the place is outside the
        band. No atom is in two places.
    """
    full = _run(0, scale.upper)
    legal = _run(scale.lower, scale.upper)
    amounts: dict[int, int] = {}  # what an atom's part may hold from the atom down, as the bits of a number
    room: dict[int, int] = {}  # what the part of a cut atom above a place may still take in
    hung: dict[int, list[tuple[int, int]]] = {}
    order: list[int] = []
    taken: set[int] = set()
    places = []
    for top, members, below in _blocks(near, root, order):
        passed = _passed_up(members, amounts, room, scale, to_outlet=top in room)
        hung.setdefault(top, []).append(below)
        if top in room:
            least = (passed & -passed).bit_length() - 1
            fits = 0 <= least <= room[top]
            room[top] -= least if fits else 0
        else:
            own = amounts.get(top, _run(scale.low[top], scale.high[top]))
            amounts[top] = _sums(own, passed) & full
            fits = amounts[top] > 0
        if not fits:
            alone = not passed & _run(0, scale.upper - scale.low[top])
            place = [a for piece in ([below] if alone else hung[top]) for a in order[slice(*piece)] if a not in taken]
            places.append((place, top))
            # Nothing is claimed of this cut atom from here on, an outlet: its part may hold what it likes of the place.
            taken.update(place, [top])
            room[top], hung[top] = scale.upper - scale.low[top], []
    if root not in room and not amounts.get(root, _run(scale.low[root], scale.high[root])) & legal:
        places.append(([a for a in near if a not in taken], root))
    return [(sorted(place), top) for place, top in places if place]


def _passed_up(
    members: list[int], amounts: dict[int, int], room: dict[int, int], scale: Scale, *, to_outlet: bool
) -> int:
    """Amounts that the part of a block's top atom may take out of the block, as bits."""
    full = _run(0, scale.upper)
    held = [amounts.get(a, _run(scale.low[a], scale.high[a])) for a in members if a not in room]
    if len(members) == 1:
        if held:
            return held[0] | (1 if held[0] & _run(scale.lower, scale.upper) else 0)
        # The part of the top atom goes on through the outlet, with any weight from the outlet's own.
        return 1 | _run(scale.upper - room[members[0]], scale.upper)
    if len(held) < len(members) and not to_outlet:
        return full
    least = sum((h & -h).bit_length() - 1 for h in held)
    if least >= _all_from(scale.lower, scale.upper) + scale.upper:
        return full
    bits = 1 << least
    for h in held:
        spread = h // (h & -h)
        if spread != 1:
            bits = _sums(bits, spread)
    return _left_over(bits, sum(room[a] for a in members if a in room), scale)


def _left_over(bits: int, spare: int, scale: Scale) -> int:
    """What may be left of any of the amounts after whole parts, and up to `spare`, are taken off; at most `upper`."""
    full = _run(0, scale.upper)
    most = bits.bit_length() - 1
    # Bit most - t for every t that can be taken off.
    off = 0
    for parts in range(most // (scale.lower or scale.upper) + 2):
        off |= _run(most - min(parts * scale.upper + spare, most), most - parts * scale.lower)
    left = 0
    for at in _bit_positions(bits):
        left |= off >> (most - at)
        if left & full == full:
            break
    return left & full


def _run(first: int, last: int) -> int:
    """Every whole number from `first` to `last`, none when there is none, as bits."""
    return ((1 << (last - first + 1)) - 1) << first if last >= first else 0


def _all_from(lower: int, upper: int) -> int:
    """The total from which on every whole number is a sum of parts within the band."""
    return 0 if lower == 0 else lower * max(math.ceil((lower - 1) / (upper - lower + 1)), 0)


def _sums(a: int, b: int) -> int:
    """Sums of one amount of each of two sets."""
    if b.bit_count() > a.bit_count():
        a, b = b, a
    total = 0
    for at in _bit_positions(b):
        total |= a << at
    return total


def _bit_positions(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


def _blocks(
    near: Mapping[int, Collection[int]], root: int, order: list[int]
) -> Iterator[tuple[int, list[int], tuple[int, int]]]:
    """Each block from the leaves up: its top atom, its other atoms, and where in `order` all that hangs on it is."""
    number, low = {root: 0}, {root: 0}
    order.append(root)
    waiting = [root]
    path = [(root, -1, iter(near[root]))]
    while path:
        atom, above, rest = path[-1]
        for other in rest:
            if other not in number:
                number[other] = low[other] = len(order)
                order.append(other)
                waiting.append(other)
                path.append((other, atom, iter(near[other])))
                break
            if other != above:
                low[atom] = min(low[atom], number[other])
        else:
            path.pop()
            if above < 0:
                return
            low[above] = min(low[above], low[atom])
            if low[atom] >= number[above]:
                at = len(waiting) - 1
                while waiting[at] != atom:
                    at -= 1
                members = waiting[at:]
                del waiting[at:]
                yield above, members, (number[atom], len(order))
