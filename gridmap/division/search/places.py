"""Places where every division has a part outside the band, and divisions within it that the engine did not meet.

An atom above the upper limit is outside the band wherever it goes, so no legal part holds one: such towers are taken
out first, and each connected *rest* between them is looked at by itself. Of a place it is shown that every division of
the rest has a part outside the band that holds some of its atoms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gridmap.division.search.covers import MOST_REGION, border_of, cover_region
from gridmap.division.search.engine import NO_PAIRS
from gridmap.division.search.pendants import Scale, forced_pendants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gridmap.division.search.engine import Band, Lots

__all__ = ["Place", "explain", "forced_places", "legal_rest", "pendant_places", "rests"]

# Regions are grown at most so often, and at most so many atoms that hardly fit anywhere are looked at one by one.
_GROWTH, _TIGHT = 30, 60


@dataclass(frozen=True)
class Place:
    """Atoms of which in every division at least one is in a part outside the band, and how that is known.

    `border` are the atoms around them that a legal part may hold; `root` is the cut atom that the tree of a
    ``"pendant"`` hangs on; `sets` and `steps` are as in `covers.Cover`.
    """

    kind: Literal["component_total", "pendant", "exhaustive", "mip"]
    atoms: list[int]
    border: list[int]
    root: int | None = None
    sets: int = 0
    steps: int = 0


def rests(lots: Lots, band: Band, free: np.ndarray | None = None) -> list[dict[int, list[int]]]:
    """What is connected by joining borders when towers, and atoms that are not free, are taken out.

    Returns
    -------
    list
        Of each rest, the neighbours within it by atom.
    """
    plain = lots.weight <= band.upper
    if free is not None:
        plain &= free
    keep = lots.joins & plain[lots.source] & plain[lots.neighbour]
    near: dict[int, list[int]] = {a: [] for a in np.flatnonzero(plain).tolist()}
    for a, b in zip(lots.source[keep].tolist(), lots.neighbour[keep].tolist(), strict=True):
        near[a].append(b)
    found, seen = [], set()
    for first in near:
        if first in seen:
            continue
        seen.add(first)
        members = [first]
        for a in members:
            fresh = [b for b in near[a] if b not in seen]
            seen.update(fresh)
            members += fresh
        found.append({a: near[a] for a in sorted(members)})
    return found


def legal_rest(
    near: Mapping[int, Collection[int]], weight: np.ndarray, band: Band, apart: np.ndarray = NO_PAIRS
) -> list[list[int]] | None:
    """Legal parts of a small rest, when there are such and the search finds them."""
    return cover_region(list(near), near, weight, band, apart).parts if len(near) <= MOST_REGION else None


def forced_places(
    near: Mapping[int, Collection[int]],
    weight: np.ndarray,
    band: Band,
    outside: Iterable[Collection[int]],
    apart: np.ndarray = NO_PAIRS,
) -> list[Place]:
    """Places of one rest, no atom in two of them.

    Parameters
    ----------
    near
        Neighbours by atom, connected.
    weight
        By atom.
    band
        The limits.
    outside
        Parts outside the band that a division has here: what they hold is looked at first.
    apart
        Pairs of atoms that may not share a part.
    """
    parts = [set(p) for p in outside]
    total = float(weight[list(near)].sum())
    if len(parts) == 1 and not band.feasible(total):
        return [Place("component_total", sorted(near), [])]
    places = pendant_places(near, weight, band)
    for part in parts:
        if not any(part.intersection(p.atoms) for p in places):
            _add(places, _around(_light(part, weight), near, weight, band, apart))
    if len(places) < len(parts):
        for atom in _tight(near, weight, band):
            _add(places, _around([atom], near, weight, band, apart))
    if not places and not band.feasible(total):
        return [Place("component_total", sorted(near), [])]
    if not places and len(near) <= MOST_REGION:
        _add(places, _proved(list(near), near, weight, band, apart)[0])
    return places


def explain(outside: Iterable[Collection[int]], places: Iterable[Place]) -> list[Place | None]:
    """For each part outside the band a place of its own that it holds atoms of; None where there is none left."""
    parts, waiting = [set(p) for p in outside], list(places)
    why: list[Place | None] = [None] * len(parts)
    # Places that few parts meet choose first.
    waiting.sort(key=lambda p: sum(not part.isdisjoint(p.atoms) for part in parts))
    for place in waiting:
        met = [k for k, part in enumerate(parts) if why[k] is None and not part.isdisjoint(place.atoms)]
        if met:
            why[met[0]] = place
    return why


def pendant_places(near: Mapping[int, Collection[int]], weight: np.ndarray, band: Band) -> list[Place]:
    """Places of a rest that its tree of blocks and cut atoms shows; quick, whatever its size."""
    scale = Scale.of(weight, band)
    # Hung up where most other atoms are, so that what hangs is small.
    root = max(near, key=lambda a: (len(near[a]), weight[a], -a))
    found = forced_pendants(near, scale, root)
    return [Place("pendant", atoms, border_of(atoms, near), top) for atoms, top in found]


def _add(places: list[Place], place: Place | None) -> None:
    if place is not None and not any(set(place.atoms).intersection(p.atoms) for p in places):
        places.append(place)


def _around(
    seed: Collection[int], near: Mapping[int, Collection[int]], weight: np.ndarray, band: Band, apart: np.ndarray
) -> Place | None:
    """Grow a region until it can't be covered; where its cover leaves it, it has to grow."""
    region = set(seed)
    for _ in range(_GROWTH):
        place, more = _proved(sorted(region), near, weight, band, apart)
        if place is not None or not more:
            return place
        region.update(more)
    return None


def _proved(
    region: list[int], near: Mapping[int, Collection[int]], weight: np.ndarray, band: Band, apart: np.ndarray
) -> tuple[Place | None, list[int]]:
    """The region as a place when it is one; else the atoms around it that it may be covered with, none to give up."""
    border = border_of(region, near)
    if len(region) + len(border) > MOST_REGION:
        return None, []
    cover = cover_region(region, near, weight, band, apart)
    if cover.possible is None:
        return None, []
    if cover.possible:
        used = {a for part in cover.parts for a in part}
        return None, sorted(used.difference(region)) or border
    return Place(cover.how, region, border, sets=cover.sets, steps=cover.steps), []


def _light(part: Collection[int], weight: np.ndarray) -> list[int]:
    """Where to begin in a part: with all of it when it is small, else with its lightest atom that has any weight."""
    if len(part) <= MOST_REGION // 3:
        return sorted(part)
    return [min((a for a in part if weight[a] > 0), key=lambda a: (weight[a], a))]


def _tight(near: Mapping[int, Collection[int]], weight: np.ndarray, band: Band) -> list[int]:
    """Atoms below the band that go together with few of their neighbours, those with fewest first."""
    partners = {
        a: sum(weight[a] + weight[b] <= band.upper for b in near[a]) for a in near if 0 < weight[a] < band.lower
    }
    return sorted(partners, key=lambda a: (partners[a], -weight[a], a))[:_TIGHT]
