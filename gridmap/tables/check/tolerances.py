"""Tolerances of the audit and of the repair, and why they are what they are."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gridmap.errors import OptionError

__all__ = ["Tolerances"]


@dataclass(frozen=True)
class Tolerances:
    """What is too small to matter. All are choices of this library, none comes from a standard.

    Attributes
    ----------
    sliver_width
        m. Land narrower than this everywhere is a sliver: a border drawn twice, not land that someone lives on. An
        alley or a wall with its footing is wider than 1 m.
    least_area
        m². Smaller overlaps and gaps are the rounding of coordinates: a border of 10 km kept to 1 µm makes 0.01 m².
    border_metres
        m. Points this near to a border may lie on either side of it, and gates this near to a wall stand in it. The
        walking network takes the same 1 m for gates.
    same_share
        Two footprints are one building drawn twice when the land they share is at least this part of the land they
        cover together (Jaccard index); their symmetric difference is then at most the rest. 0.9 lets the outlines of
        a house of 10 m × 10 m differ by half a metre along one side, and tells terraced houses apart.
    stacked_share
        Two footprints are stacked when they share at least this part of the smaller one. Roofs that project over a
        neighbour's wall share far less than half.
    households
        Counts that differ by no more than this agree: half a household is the rounding of shares.
    """

    sliver_width: float = 1.0
    least_area: float = 0.01
    border_metres: float = 1.0
    same_share: float = 0.9
    stacked_share: float = 0.5
    households: float = 0.5

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not (np.isfinite(value) and value > 0):
                raise OptionError(f"{item.name}={value!r}: give a positive number")
        for name in ("same_share", "stacked_share"):
            if getattr(self, name) > 1:
                raise OptionError(f"{name}={getattr(self, name)!r}: give a share between 0 and 1")
