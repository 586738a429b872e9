"""Certificates: why a part is outside the band, in terms that someone else can check from the atoms and their borders.

Every certificate but ``not_found`` names atoms of which, in every division, at least one is in a part outside the band.
No two certificates of one division name the same atom, except that of the rest as a whole (``component_total``), which
explains one part alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.division.search.places import explain, forced_places, rests

if TYPE_CHECKING:
    from gridmap.division.search.engine import Band, Lots
    from gridmap.division.search.places import Place

__all__ = ["certify"]


def certify(
    labels: np.ndarray, lots: Lots, band: Band, names: np.ndarray, *, free: np.ndarray | None = None
) -> dict[int, dict[str, Any]]:
    """A certificate for each part outside the band.

    Parameters
    ----------
    labels
        int (n,), part of each atom.
    lots, band
        What was divided, and the limits.
    names
        (n,), id of each atom, as the certificate shall name it.
    free
        bool (n,), atoms that the division was free to put into parts; the others are dedicated or locked and no part
        outside the band is explained by them. By default all are free.

    Returns
    -------
    dict
        By part: ``kind``, ``lower``, ``upper``, ``weight`` of the part, and ``atoms``, the ids of the place. Atoms
        above the upper limit (towers) and those that are not free are taken out first; ``towers`` and ``fixed`` name
        the ones beside the place, and ``border`` the other atoms around it, which a legal part may hold as well.
        ``apart`` are pairs of these that may not share a part, if there are any.

        ``atom_above_upper``: an atom of the part exceeds the limit by itself (``atom``, ``atom_weight``).

        ``component_total``: no number of parts within the band adds up to the ``total`` of the atoms, which are all
        that is connected.

        ``pendant``: what hangs on the cut atom ``root`` can't be divided even when all that is connected in more than
        one way could be cut freely; see `gridmap.division.search.pendants`.

        ``exhaustive``: of the ``sets`` sets that a legal part may have of the place no choice covers it; found by
        trying all, in ``steps`` steps. ``mip``: the same, found by integer programming, with ``steps`` branches.

        ``not_found`` claims nothing: the engine found no better plan.
    """
    weights = np.bincount(labels, lots.weight)
    off = (weights < band.lower) | (weights > band.upper)
    parts = np.flatnonzero(off & (np.bincount(labels) > 0))
    if free is not None:
        parts = np.intersect1d(parts, labels[free])
    if not len(parts):
        return {}
    heaviest = {int(p): _heaviest(labels, lots, int(p)) for p in parts}
    out: dict[int, dict[str, Any]] = {}
    why = _places(labels, lots, band, [p for p, a in heaviest.items() if lots.weight[a] <= band.upper], free)
    for part, atom in heaviest.items():
        out[part] = {"lower": band.lower, "upper": band.upper, "weight": float(weights[part])}
        if lots.weight[atom] > band.upper:
            out[part] |= {
                "kind": "atom_above_upper",
                "atom": str(names[atom]),
                "atom_weight": float(lots.weight[atom]),
                "atoms": [str(names[atom])],
            }
        elif (place := why.get(part)) is not None:
            out[part] |= _evidence(place, lots, band, names, free)
        else:
            out[part] |= {"kind": "not_found"}
    return out


def _heaviest(labels: np.ndarray, lots: Lots, part: int) -> int:
    atoms = np.flatnonzero(labels == part)
    return int(atoms[np.argmax(lots.weight[atoms])])


def _places(
    labels: np.ndarray, lots: Lots, band: Band, parts: list[int], free: np.ndarray | None
) -> dict[int, Place | None]:
    """The place that explains each of the parts that hold no tower."""
    why: dict[int, Place | None] = {}
    for near in rests(lots, band, free) if parts else []:
        here = np.intersect1d(parts, labels[list(near)]).tolist()
        if here:
            outside = [np.flatnonzero(labels == p).tolist() for p in here]
            places = forced_places(near, lots.weight, band, outside, lots.apart)
            why |= dict(zip(here, explain(outside, places), strict=True))
    return why


def _evidence(place: Place, lots: Lots, band: Band, names: np.ndarray, free: np.ndarray | None) -> dict[str, Any]:
    """What a certificate says of a place."""
    around = np.unique(lots.neighbour[lots.joins & np.isin(lots.source, place.atoms)])
    fixed = around[~free[around]] if free is not None else around[:0]
    towers = np.setdiff1d(around[lots.weight[around] > band.upper], fixed)
    evidence: dict[str, Any] = {"kind": place.kind, "atoms": [str(n) for n in names[place.atoms]]}
    if len(towers):
        evidence["towers"] = [str(n) for n in names[towers]]
    if len(fixed):
        evidence["fixed"] = [str(n) for n in names[fixed]]
    if place.kind == "component_total":
        return evidence | {"total": float(lots.weight[place.atoms].sum())}
    pairs = lots.apart[np.isin(lots.apart, [*place.atoms, *place.border]).all(axis=1)]
    if len(pairs):
        evidence["apart"] = [[str(a), str(b)] for a, b in names[pairs]]
    evidence["border"] = [str(n) for n in names[place.border]]
    if place.kind == "pendant":
        return evidence | {"root": str(names[place.root])}
    return evidence | {"sets": place.sets, "steps": place.steps}
