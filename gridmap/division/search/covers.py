"""Whether a region can be covered by legal parts: every set that may be a part is listed, then the sets are fitted.

What lies around the region is let go: a part that leaves the region over an atom on its border may have any further
weight there. So where no cover is found there is none in any division of the whole, and that stays true whatever the
rest is like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gridmap.division.search.engine import NO_PAIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gridmap.division.search.engine import Band

__all__ = ["MOST_REGION", "Cover", "border_of", "cover_region"]

#: Atoms of a region and its border together: sets are the bits of a 64-bit number.
MOST_REGION = 62
# Sets to list and to look at, steps of the search, branches of the solver: counts, so that answers do not change.
_SETS, _VISITS, _STEPS, _BRANCHES = 20_000, 1_000_000, 3_000, 500
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Cover:
    """Answer to whether a region can be covered by legal parts.

    `possible` is None when that was not found out; `parts` are the atoms of the parts of one cover, those on the border
    included; `how` is ``"exhaustive"`` or ``"mip"``; `sets` is the number of sets that may be a part, `steps` how many
    the search took (of the solver: branches).
    """

    possible: bool | None
    parts: list[list[int]]
    how: Literal["exhaustive", "mip"] = "exhaustive"
    sets: int = 0
    steps: int = 0


def border_of(region: Collection[int], near: Mapping[int, Collection[int]]) -> list[int]:
    """Neighbours of a region that are not in it, in order."""
    inside = set(region)
    return sorted({b for a in inside for b in near[a]} - inside)


def cover_region(
    region: Collection[int],
    near: Mapping[int, Collection[int]],
    weight: np.ndarray,
    band: Band,
    apart: np.ndarray = NO_PAIRS,
) -> Cover:
    """Cover a region by legal parts, or show that it can't be done.

    Parameters
    ----------
    region
        Atoms, together with those around them at most `MOST_REGION`.
    near
        Neighbours of each atom; atoms above the upper limit are not in it.
    weight
        By atom.
    band
        The limits.
    apart
        Pairs of atoms that may not share a part.
    """
    from gridmap.division.search.covers_kernel import exact_cover, legal_sets

    border = border_of(region, near)
    atoms = [*sorted(region), *border]
    if len(atoms) > MOST_REGION:
        return Cover(possible=None, parts=[])
    at = {a: i for i, a in enumerate(atoms)}
    subsets = np.array([sum(1 << at[b] for b in near[a] if b in at) for a in atoms], np.int64)
    inside = len(atoms) - len(border)
    sets = legal_sets(
        subsets, weight[atoms].astype(np.float64), inside,
        float(band.lower - _ROUNDING), float(band.upper + _ROUNDING), _SETS, _VISITS,
    )  # fmt: skip
    if len(sets) and sets[0] == 0:
        return Cover(possible=None, parts=[])
    for a, b in apart.tolist():
        if a in at and b in at:
            sets = sets[(sets >> at[a] & sets >> at[b] & 1) == 0]
    if len(sets) == 0:
        return Cover(possible=False, parts=[])
    chosen, steps = exact_cover(sets, len(atoms), inside, _STEPS)
    how: Literal["exhaustive", "mip"] = "exhaustive"
    possible: bool | None = len(chosen) > 0
    if steps > _STEPS:
        how = "mip"
        possible, chosen, steps = _solve(sets, len(atoms), inside)
    parts = [[a for a in atoms if sets[k] >> at[a] & 1] for k in chosen]
    return Cover(possible=possible, parts=parts, how=how, sets=len(sets), steps=int(steps))


def _solve(sets: np.ndarray, n: int, inside: int) -> tuple[bool | None, np.ndarray, int]:
    """The same by integer programming: each atom of the region in one set, each on the border in one at most."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    holds = csr_array((sets[None, :] >> np.arange(n)[:, None] & 1).astype(np.float64))
    least = np.r_[np.ones(inside), np.zeros(n - inside)]
    result = milp(
        np.zeros(len(sets)),
        integrality=np.ones(len(sets)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(holds, least, np.ones(n)),
        # Presolving alone may take a minute: most sets look alike.
        options={"node_limit": _BRANCHES, "presolve": False},
    )
    # Status 0: solved, 2: proved infeasible, anything else: limit reached.
    possible = {0: True, 2: False}.get(result.status)
    chosen = np.flatnonzero(result.x > 0.5) if possible else np.empty(0, np.int64)
    return possible, chosen, int(result.mip_node_count or 0)
