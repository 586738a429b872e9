"""Access points in rows, before they are gathered by owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["FAR", "OK", "UNSNAPPED", "Points", "gather_points", "join_points"]

OK, FAR, UNSNAPPED = 0, 1, 2


class Points(NamedTuple):
    """Access points: row of the owner, edge, from where to where along it (0 to 1), and the leg in metres."""

    owner: npt.NDArray[np.int64]
    edge: npt.NDArray[np.int32]
    t0: Floats
    t1: Floats
    leg: Floats

    @classmethod
    def none(cls) -> Points:
        """No access points."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0), np.empty(0))

    def take(self, rows: npt.NDArray[np.generic]) -> Points:
        """Some of the rows, by number or by flag."""
        return Points(self.owner[rows], self.edge[rows], self.t0[rows], self.t1[rows], self.leg[rows])

    def of(self, owners: npt.NDArray[np.int64]) -> Points:
        """The same with other owners: ``owners[i]`` where it was i."""
        return self._replace(owner=owners[self.owner])


def join_points(parts: Iterable[Points]) -> Points:
    """Several sets of access points below one another."""
    parts = [p for p in parts if len(p.owner)]
    if len(parts) == 1:
        return parts[0]
    return Points(*map(np.concatenate, zip(*parts, strict=True))) if parts else Points.none()


def gather_points(points: Points) -> Points:
    """Sorted by owner, edge and place; of several legs to one place the shortest."""
    order = np.lexsort((points.leg, points.t1, points.t0, points.edge, points.owner))
    points = points.take(order)
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = False
    for values in points[:4]:
        first[1:] |= values[1:] != values[:-1]
    return points.take(first)
