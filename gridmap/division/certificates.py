"""Certificates: why a part is outside the band, in terms that someone else can check by adding up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gridmap.division.engine import Band, Lots

__all__ = ["certify"]


def certify(labels: np.ndarray, lots: Lots, band: Band, names: np.ndarray) -> dict[int, dict[str, Any]]:
    """A certificate for each part outside the band.

    Parameters
    ----------
    labels
        int (n,), part of each atom.
    lots, band
        What was divided, and the limits.
    names
        (n,), id of each atom, as the certificate shall name it.

    Returns
    -------
    dict
        By part: ``kind``, ``lower``, ``upper``, ``weight`` of the part, and the evidence. ``atom_above_upper``: an atom
        of the part exceeds the limit by itself (``atom``, ``atom_weight``). ``component_total``: no number of parts
        within the band adds up to the ``total`` of the ``atoms`` that are connected with it. ``not_found`` claims
        nothing: the engine found no better plan.
    """
    weights = np.bincount(labels, lots.weight)
    _, component = lots.components()
    totals = np.bincount(component, lots.weight)
    out: dict[int, dict[str, Any]] = {}
    for part in np.flatnonzero((weights < band.lower) | (weights > band.upper)):
        atoms = np.flatnonzero(labels == part)
        if len(atoms) == 0:
            continue
        heaviest = atoms[np.argmax(lots.weight[atoms])]
        total = float(totals[component[atoms[0]]])
        certificate: dict[str, Any] = {"lower": band.lower, "upper": band.upper, "weight": float(weights[part])}
        if lots.weight[heaviest] > band.upper:
            certificate |= {
                "kind": "atom_above_upper",
                "atom": str(names[heaviest]),
                "atom_weight": float(lots.weight[heaviest]),
            }
        elif not band.feasible(total):
            members = np.flatnonzero(component == component[atoms[0]])
            certificate |= {"kind": "component_total", "total": total, "atoms": [str(n) for n in names[members]]}
        else:
            certificate |= {"kind": "not_found"}
        out[int(part)] = certificate
    return out
