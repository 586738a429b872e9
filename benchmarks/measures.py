"""What a division is worth, measured on its labels: the same figures for every tool, from the same arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from instances import Instance

LOWER, UPPER = 300.0, 500.0


def measure_labels(case: Instance, label: np.ndarray) -> dict[str, Any]:
    """Figures of one division.

    Empty parts count in no share of the band. `legal` and `but_for_towers` are shares of the communities: those of
    which every part is in the band and in one piece, and those where what is not holds an atom above the upper limit.
    """
    lots = case.lots
    label = np.unique(label, return_inverse=True)[1]
    n = int(label.max()) + 1
    weight = np.bincount(label, lots.weight, n)
    counted = weight > 0
    good = (weight >= LOWER) & (weight <= UPPER)
    tower = np.bincount(label, lots.weight > UPPER, n) > 0
    pieces = pieces_of_parts(case, label)
    area, outline, inner, on_street = borders_of_parts(case, label)
    return {
        "grids": int(counted.sum()),
        "out_of_band": int((counted & ~good).sum()),
        "in_band": float(good[counted].mean()),
        "outside": float(np.maximum(LOWER - weight, 0)[counted].sum() + np.maximum(weight - UPPER, 0).sum()),
        "communities": len(np.unique(case.community)),
        "legal": _communities(case, label, (good | ~counted) & (pieces == 1)),
        "but_for_towers": _communities(case, label, (good | tower | ~counted) & (pieces == 1)),
        "extra_pieces": int((pieces - 1).sum()),
        "compounds_split": compounds_split(case, label),
        "footprints_cut": _split(case.building, label[case.building_atom]),
        "polsby_popper": float((4 * np.pi * area / outline**2)[counted].mean()),
        "on_street": on_street / inner if case.has_streets and inner > 0 else float("nan"),
        "tour": tour_of_a_door(case, label),
    }


def pieces_of_parts(case: Instance, label: np.ndarray) -> np.ndarray:
    """Connected pieces of each part that hold households (at least 1): land of nobody counts for no tool."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lots, n = case.lots, len(label)
    same = lots.joins & (label[lots.source] == label[lots.neighbour])
    ends = (lots.source[same], lots.neighbour[same])
    count, piece = connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(n, n)), directed=False)
    part = np.zeros(count, np.int64)
    part[piece] = label
    lived = np.bincount(piece, lots.weight) > 0
    return np.maximum(np.bincount(part, lived, int(label.max()) + 1), 1).astype(np.int64)


def borders_of_parts(case: Instance, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Area and outline of each part; metres of border between parts, and of those on a street or wall."""
    lots, n = case.lots, int(label.max()) + 1
    source = lots.source
    within = label[source] == label[lots.neighbour]
    outline = np.bincount(label, lots.perimeter, n) - np.bincount(label[source[within]], lots.border[within], n)
    inner, off = lots.border[~within].sum() / 2, lots.off_street[~within].sum() / 2
    return np.bincount(label, lots.area, n), outline, float(inner), float(inner - off)


def compounds_split(case: Instance, label: np.ndarray) -> int:
    """Compounds that fit into a part and lie in several of one community."""
    if case.compound is None:
        return 0
    inside = np.flatnonzero(case.compound >= 0)
    key = case.compound[inside] * np.int64(len(label)) + case.community[inside]
    piece = np.unique(key, return_inverse=True)[1]
    fits = np.bincount(piece, case.lots.weight[inside]) <= UPPER
    kept = fits[piece]
    return _split(piece[kept], label[inside][kept])


def tour_of_a_door(case: Instance, label: np.ndarray) -> float:
    """Metres of the tours of all parts for each door: parts differ in number, doors do not."""
    from gridmap.division.plans.walks import tours

    return float(tours(case.doors, label[case.door_atom], int(label.max()) + 1).sum() / max(len(case.doors), 1))


def _communities(case: Instance, label: np.ndarray, good: np.ndarray) -> float:
    """Share of the communities of which every part is good; NaN for lots, which have none."""
    if not case.has_streets:
        return float("nan")
    bad = np.unique(case.community[~good[label]])
    return 1 - len(bad) / len(np.unique(case.community))


def _split(thing: np.ndarray, part: np.ndarray) -> int:
    """How many things lie in more than one part."""
    pairs = np.unique(np.column_stack((thing, part)), axis=0) if len(thing) else np.zeros((0, 2), np.int64)
    return int((np.bincount(pairs[:, 0]) > 1).sum()) if len(pairs) else 0
