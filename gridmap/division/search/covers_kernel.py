"""Compiled: whether a region of up to 62 atoms can be covered by legal parts, by trying all of them.

A set of atoms is a whole number whose bit i says whether atom i is in it. The first atoms are the region; those after
them are on its border: they belong to the rest of the graph, and the part that holds one may have any further weight
there.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

_TABLE = 1 << 17


@compiled
def legal_sets(
    near: np.ndarray, weight: np.ndarray, inside: int, lower: float, upper: float, most: int, visits: int
) -> np.ndarray:
    """Connected sets that may be what a legal part has of the region.

    Parameters
    ----------
    near
        int64 (n,), neighbours of each atom as a set.
    weight
        float64 (n,).
    inside
        Number of atoms of the region; the others are on its border.
    lower, upper
        The band.
    most, visits
        How many sets may be found, and looked at; beyond that the answer is a single 0.

    Returns
    -------
    ndarray
        int64, the sets: within the band, or with one border atom and not above `upper`. A part with several border
        atoms falls into sets with one each.
    """
    n = len(near)
    found = np.empty(most, np.int64)
    count, visited = 0, 0
    border = np.int64(0)
    for i in range(inside, n):
        border |= np.int64(1) << i
    chosen, ways, shut = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    held = np.zeros(n + 1, np.float64)
    for first in range(inside):
        # Sets whose lowest atom is this one.
        chosen[0] = np.int64(1) << first
        shut[0] = (np.int64(1) << first) - 1
        ways[0] = near[first] & ~shut[0]
        held[0] = weight[first]
        depth = 0
        if held[0] > upper:
            continue
        fresh = True
        while depth >= 0:
            if fresh:
                visited += 1
                if visited > visits:
                    return np.zeros(1, np.int64)
                if (chosen[depth] & border) != 0 or held[depth] >= lower:
                    if count == most:
                        return np.zeros(1, np.int64)
                    found[count] = chosen[depth]
                    count += 1
            fresh = False
            if ways[depth] == 0:
                depth -= 1
                continue
            bit = ways[depth] & -ways[depth]
            i = 0
            while (bit >> i) != 1:
                i += 1
            ways[depth] ^= bit
            shut[depth] |= bit
            if held[depth] + weight[i] > upper:
                continue
            chosen[depth + 1] = chosen[depth] | bit
            shut[depth + 1] = shut[depth] | (border if i >= inside else 0)
            ways[depth + 1] = (ways[depth] | near[i]) & ~chosen[depth + 1] & ~shut[depth + 1]
            held[depth + 1] = held[depth] + weight[i]
            depth += 1
            fresh = True
    return found[:count]


@compiled
def exact_cover(sets: np.ndarray, n: int, inside: int, most: int) -> tuple[np.ndarray, int]:
    """Disjoint sets that hold every atom of the region, if there are such.

    Always the atom with the fewest sets left is covered next; what has been covered in vain is remembered.

    Parameters
    ----------
    sets
        int64, as `legal_sets` returns them.
    n, inside
        Number of atoms, and of those in the region.
    most
        Number of steps after which the search is given up.

    Returns
    -------
    chosen, steps
        int64, positions of the sets chosen, empty when there are none; the steps taken, more than `most` when the
        search was given up.
    """
    region = (np.int64(1) << inside) - 1
    failed = np.full(_TABLE, -1, np.int64)
    covered = np.zeros(inside + 1, np.int64)
    picked, atom = np.zeros(inside + 1, np.int64), np.zeros(inside + 1, np.int64)
    tally = np.zeros(n, np.int64)
    depth, steps, remembered = 0, 0, 0
    fresh = True
    while depth >= 0:
        if fresh:
            if (covered[depth] & region) == region:
                return picked[:depth].copy(), steps
            steps += 1
            if steps > most:
                return picked[:0].copy(), steps
            tally[:] = 0
            for k in range(len(sets)):
                if (sets[k] & covered[depth]) == 0:
                    rest = sets[k] & region
                    i = 0
                    while rest != 0:
                        if (rest & 1) != 0:
                            tally[i] += 1
                        rest >>= 1
                        i += 1
            least = -1
            for i in range(inside):
                if ((covered[depth] >> i) & 1) == 0 and (least < 0 or tally[i] < tally[least]):
                    least = i
            atom[depth] = np.int64(1) << least
            picked[depth] = -1
        fresh = False
        k = picked[depth] + 1
        while k < len(sets) and ((sets[k] & covered[depth]) != 0 or (sets[k] & atom[depth]) == 0):
            k += 1
        if k == len(sets):
            if remembered < _TABLE // 2:
                failed[_slot(failed, covered[depth])] = covered[depth]
                remembered += 1
            depth -= 1
            continue
        picked[depth] = k
        after = covered[depth] | sets[k]
        if failed[_slot(failed, after)] == after:
            continue
        depth += 1
        covered[depth] = after
        fresh = True
    return picked[:0].copy(), steps


@compiled
def _slot(table: np.ndarray, key: int) -> int:
    """Where a key is, or would be put."""
    mixed = key * np.int64(-7046029254386353131)
    at = (mixed ^ (mixed >> 29)) & (len(table) - 1)
    while table[at] != -1 and table[at] != key:
        at = (at + 1) & (len(table) - 1)
    return int(at)
