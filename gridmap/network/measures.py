"""Measures: metres and minutes, of which a search minimises one and carries the other along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import OptionError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["as_measures", "as_told", "bound_of", "check_measure"]

# Sums of lengths in two orders differ in their last digits; a limit must not decide by these.
_SLACK = 1e-9


def as_measures(by: str, metres: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Cost and other measure; undoes itself."""
    return (seconds, metres) if by == "minutes" else (metres, seconds)


def as_told(by: str, cost: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Cost and other measure in metres and minutes, which they are turned into where they stand."""
    seconds = cost if by == "minutes" else other
    np.divide(seconds, 60, out=seconds)
    return cost, other


def check_measure(by: str, limit: float | None) -> None:
    """Refuse a measure or a limit that is none.

    Raises
    ------
    OptionError
        When `by` is unknown or `limit` not a number of 0 or more.
    """
    if by not in ("minutes", "metres"):
        raise OptionError(f"by={by!r} is unknown; use 'minutes' or 'metres'")
    if limit is not None and not limit >= 0:
        raise OptionError(f"limit={limit!r} must be 0 or more, or None")


def bound_of(by: str, limit: float | None) -> float:
    """The limit in metres or seconds."""
    if limit is None:
        return np.inf
    return float(limit) * (60 if by == "minutes" else 1) * (1 + _SLACK) + _SLACK
