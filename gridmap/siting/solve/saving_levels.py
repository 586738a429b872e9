"""The sites that save most, exactly: an integer program that knows how near each demand is served, not by whom.

A demand is served at a level when one of the sites that save it that much, or more, is chosen. There are as many
levels as different savings, and levels of different demands with the same sites are one: far fewer variables than
pairs, and a bound as good (S. Elloumi (2010), Journal of Combinatorial Optimization 19, 69-83; S. Garcia, M. Labbe,
A. Marin (2011), INFORMS Journal on Computing 23 (4), 546-556).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.solve.saving_search import Savings
    from gridmap.siting.solve.spending import Spending

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["Saved", "most_saved"]

# Counts, so that answers do not change: what is solved unasked, and branches of the solver.
_LARGEST, _BRANCHES = 10_000, 2_000
# HiGHS stops at this share between the best choice and the bound; both are stated.
_GAP = 1e-9


class Saved(NamedTuple):
    """Chosen sites, a bound on what can be saved, and whether nothing saves more."""

    chosen: Bools
    bound: float
    proved: bool


class _Levels(NamedTuple):
    """`gain` of each level, the level `above` it (-1 at the top), and the (level, site) entries that it adds."""

    gain: Floats
    above: Longs
    level: Longs
    site: Longs


def most_saved(savings: Savings, means: Spending, free: Bools, sure: Bools, *, anyway: bool) -> Saved | None:
    """Choose among the free sites, beside those that are sure, what saves most in all.

    Parameters
    ----------
    savings
        What each pair saves.
    means
        What may be spent, on the sure sites too.
    free, sure
        (sites,).
    anyway
        Solve it however large it is; else None is returned above 10,000 levels.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    among = np.flatnonzero(free)
    left = means.budget - means.cost[sure].sum()
    if left < 0:
        return Saved(sure, -np.inf, proved=True)
    already, levels = _levels(savings, free, sure)
    n, m = len(among), len(levels.gain)
    if m == 0:
        return Saved(sure, already, proved=True)
    if m > _LARGEST and not anyway:
        return None
    lower = np.flatnonzero(levels.above >= 0)
    number = np.cumsum(free) - 1
    rows = np.concatenate([np.arange(m), lower, levels.level, np.full(n, m)])
    columns = np.concatenate([n + np.arange(m), n + levels.above[lower], number[levels.site], np.arange(n)])
    price = means.cost[among]
    entries = np.concatenate([np.ones(m), -np.ones(len(lower)), -np.ones(len(levels.level)), price])
    result = milp(
        np.concatenate([np.zeros(n), -levels.gain]),
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            coo_array((entries, (rows, columns)), shape=(m + 1, n + m)).tocsr(),
            -np.inf,
            np.concatenate([np.zeros(m), [left]]),
        ),
        options={"node_limit": _BRANCHES, "mip_rel_gap": _GAP},
    )
    chosen = sure.copy()
    if result.x is not None:
        chosen[among[result.x[:n] > 0.5]] = True
    bound = -result.mip_dual_bound if result.mip_dual_bound is not None else np.inf
    return Saved(chosen, already + bound, proved=result.status == 0)


def _levels(savings: Savings, free: Bools, sure: Bools) -> tuple[float, _Levels]:
    """What the sure sites save, and the levels above that."""
    pairs = savings.pairs
    demand = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))
    floor = np.zeros(pairs.demands)
    there = sure[pairs.site]
    np.maximum.at(floor, demand[there], savings.here[there])
    more = free[pairs.site] & (savings.here > floor[demand])
    demand, site, saving = demand[more], pairs.site[more].astype(np.int64), savings.here[more] - floor[demand[more]]
    order = np.lexsort((site, -saving, demand))
    demand, site, saving = demand[order], site[order], saving[order]
    starts = np.diff(demand, prepend=-1) != 0
    starts[1:] |= saving[1:] != saving[:-1]
    at = np.flatnonzero(starts)
    # What a level gains over the next one below, or over nothing.
    first = np.diff(demand[at], prepend=-1) != 0
    below = np.where(np.append(first, True)[1:], 0.0, np.append(saving[at], 0.0)[1:])
    above = np.where(first, -1, np.arange(len(at)) - 1)
    gain = saving[at] - below
    return float(floor.sum()), _merged(_Levels(gain, above, np.cumsum(starts) - 1, site), pairs.sites)


def _merged(levels: _Levels, sites: int) -> _Levels:
    """Levels with the same sites, down to and including them, as one.

    They are told apart by sums of random numbers of 64 bits: that two sums agree by chance is less likely than an error
    of the machine.
    """
    number = np.random.default_rng(0).integers(1, 2**63, sites, dtype=np.uint64)
    running = np.append(np.zeros(1, np.uint64), np.cumsum(number[levels.site], dtype=np.uint64))
    each = np.arange(len(levels.gain))
    last = np.searchsorted(levels.level, each, side="right")
    top = np.maximum.accumulate(np.where(levels.above < 0, each, 0))
    key = running[last] - running[np.searchsorted(levels.level, top)]
    _, first, member = np.unique(key, return_index=True, return_inverse=True)
    kept = np.zeros(len(levels.gain), dtype=np.bool_)
    kept[first] = True
    above = np.where(levels.above[first] >= 0, member[levels.above[first]], -1)
    entry = kept[levels.level]
    return _Levels(
        np.bincount(member, weights=levels.gain, minlength=len(first)).astype(np.float64),
        above,
        member[levels.level[entry]],
        levels.site[entry],
    )
