"""People: how many live in each unit, by what a requirement counts, and where nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import OptionError
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.units import Units

__all__ = ["People", "checked_persons"]


class People:
    """Counts of units, NaN where a building that is lived in has none.

    Parameters
    ----------
    buildings
        Checked, with households.
    units
        Who belongs where.
    persons_per_household
        What stands in for residents that are not known; None: nothing does.
    """

    def __init__(self, buildings: gpd.GeoDataFrame, units: Units, persons_per_household: float | None) -> None:
        self._buildings = buildings
        self._units = units
        self._persons = checked_persons(persons_per_household)
        self._known: dict[str, NDArray[np.float64]] = {}

    def of(self, column: str) -> NDArray[np.float64]:
        """The total of a column in each unit; residents may come from households."""
        if column not in self._known:
            self._known[column] = self._total(column)
        return self._known[column]

    def _total(self, column: str) -> NDArray[np.float64]:
        households = number_column(self._buildings, "households")
        counts = number_column(self._buildings, column)
        if column == "residents" and self._persons is not None:
            counts = np.where(np.isnan(counts), households * self._persons, counts)
        unknown = np.isnan(counts) & (households > 0)
        total = self._units.total(np.nan_to_num(counts))
        return np.where(self._units.total(unknown.astype(float)) > 0, np.nan, total)


def checked_persons(persons: float | None) -> float | None:
    """The argument, when it can be one.

    Raises
    ------
    OptionError
        When it is no number above 0.
    """
    if persons is None:
        return None
    if isinstance(persons, bool) or not isinstance(persons, int | float | np.number) or not 0 < persons < np.inf:
        raise OptionError(f"persons_per_household must be a number above 0, not {persons!r}")
    return float(persons)
