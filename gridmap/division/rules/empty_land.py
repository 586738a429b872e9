"""Empty land: pieces without households that nothing joins go to a grid beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from gridmap.division.search.engine import Lots

__all__ = ["attach_empty_land"]


def attach_empty_land(labels: np.ndarray, lots: Lots, community: np.ndarray, is_own: np.ndarray) -> np.ndarray:
    """Land of no households that nothing joins goes to the grid of its community that it borders on longest.

    It may lie behind a hard barrier, or be joined by less than 3 m. A community without any households is one grid.
    """
    inhabited = pd.Series(lots.weight).groupby(community).transform("sum").to_numpy() > 0
    first = pd.Series(labels).groupby(community).transform("min").to_numpy()
    labels = np.where(inhabited | is_own, labels, first)
    while True:
        held = np.bincount(labels, lots.weight)
        idle = (held[labels] <= 0) & inhabited & ~is_own
        if not idle.any():
            return labels
        out = idle[lots.source] & ~idle[lots.neighbour] & (community[lots.source] == community[lots.neighbour])
        out &= ~is_own[lots.neighbour]
        arcs = np.flatnonzero(out)
        if len(arcs) == 0:
            return _attach_to_any(labels, idle, community, is_own)
        pairs = pd.DataFrame(
            {"idle": labels[lots.source[arcs]], "grid": labels[lots.neighbour[arcs]], "metres": lots.border[arcs]}
        )
        borders = pairs.groupby(["idle", "grid"])["metres"].sum().reset_index()
        borders = borders.sort_values(by=["metres", "grid"], ascending=[False, True], kind="stable")
        longest = borders.drop_duplicates("idle")
        to = dict(zip(longest["idle"], longest["grid"], strict=True))
        labels = np.array([to.get(label, label) for label in labels])


def _attach_to_any(labels: np.ndarray, idle: np.ndarray, community: np.ndarray, is_own: np.ndarray) -> np.ndarray:
    """Empty land that borders on no grid of its community joins the first; where there is none it is one grid."""
    for name in np.unique(community[idle]):
        inside = community == name
        others = labels[inside & ~idle & ~is_own]
        labels[inside & idle] = (others if len(others) else labels[inside & idle]).min()
    return labels
