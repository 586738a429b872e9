"""The reach table: each building's way to its nearest facilities of each category, and whether that is near enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["COLUMNS", "STATUSES", "Nearest", "reach_table"]

COLUMNS = ("building_id", "category", "rank", "facility_id", "metres", "minutes", "covered", "status")
#: ok: within the threshold; beyond: reached, but too far; unreachable: no way there, or nobody offers it;
#: unsnapped: the building found no street.
STATUSES = ("ok", "beyond", "unreachable", "unsnapped")


@dataclass(frozen=True)
class Nearest:
    """Nearest facilities as arrays of shape (buildings, categories, ranks).

    `facility` is the row of the facility, -1 where there is none; `metres` and `minutes` are inf there.
    """

    facility: NDArray[np.int32]
    metres: NDArray[np.float64]
    minutes: NDArray[np.float64]

    @classmethod
    def none(cls, buildings: int, categories: int, ranks: int) -> Nearest:
        """Nothing found yet, to be filled by category."""
        shape = (buildings, categories, ranks)
        return cls(np.full(shape, -1, dtype=np.int32), np.full(shape, np.inf), np.full(shape, np.inf))

    def columns(self, columns: list[int]) -> Nearest:
        """The same for some of the categories."""
        return Nearest(self.facility[:, columns], self.metres[:, columns], self.minutes[:, columns])

    def cost(self, measure: str) -> NDArray[np.float64]:
        """`metres` or `minutes`."""
        return self.metres if measure == "metres" else self.minutes

    def covered(self, thresholds: Mapping[str, float], measure: str | Sequence[str]) -> NDArray[np.bool_]:
        """Whether each facility found is within the threshold of its category, shape (buildings, categories, ranks).

        `measure` is one for all, or that of each category.
        """
        limit = np.fromiter(thresholds.values(), dtype=np.float64, count=len(thresholds))
        if isinstance(measure, str):
            cost = self.cost(measure)
        else:
            in_minutes = np.array(measure) == "minutes"
            cost = np.where(in_minutes[:, None], self.minutes, self.metres)
        within: NDArray[np.bool_] = cost <= limit[:, None]
        return within


def reach_table(
    building_ids: pd.Series,
    facility_ids: pd.Series,
    nearest: Nearest,
    thresholds: Mapping[str, float],
    measure: str | Sequence[str],
    snapped: NDArray[np.bool_],
) -> pd.DataFrame:
    """The table with the columns of `COLUMNS`: by building in input order, then category, then rank; none left out.

    Parameters
    ----------
    building_ids, facility_ids
        Ids by row.
    nearest
        What was found.
    thresholds, measure
        Limit of each category in ``"minutes"`` or ``"metres"``, one for all or that of each, in the order of the
        categories of `nearest`.
    snapped
        Which buildings found a street.
    """
    count, categories, ranks = nearest.facility.shape
    found = nearest.facility >= 0
    covered = nearest.covered(thresholds, measure)
    code = np.where(covered, 0, np.where(found, 1, 2))
    code[~snapped] = 3
    each = categories * ranks
    names = np.array(list(thresholds), dtype=object)
    # the last entry is what the row -1 finds
    ids = np.array([*facility_ids, None], dtype=object)
    facility = ids[nearest.facility.ravel()]
    return pd.DataFrame(
        {
            "building_id": np.repeat(building_ids.to_numpy(dtype=object), each),
            "category": np.tile(np.repeat(names, ranks), count),
            "rank": np.tile(np.arange(1, ranks + 1), count * categories),
            "facility_id": facility,
            "metres": np.where(found, nearest.metres, np.nan).ravel(),
            "minutes": np.where(found, nearest.minutes, np.nan).ravel(),
            "covered": covered.ravel(),
            "status": np.array(STATUSES, dtype=object)[code.ravel()],
        }
    )
