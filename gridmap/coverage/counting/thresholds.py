"""Thresholds: how far counts as reached, in minutes or metres, for all categories or for each its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridmap.errors import OptionError

__all__ = ["Thresholds", "read_several", "read_thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """A measure (``"minutes"`` or ``"metres"``) and its limit: one number, or one a category."""

    measure: str
    limit: float | dict[str, float]

    def by_category(self, offered: Iterable[str]) -> dict[str, float]:
        """The limit of each category: those offered in order of name, or those of the mapping in its own order."""
        if isinstance(self.limit, dict):
            return dict(self.limit)
        return dict.fromkeys(sorted(offered), self.limit)


def read_thresholds(
    minutes: float | Mapping[str, float] | None,
    metres: float | Mapping[str, float] | None,
    rules: object = None,
    *,
    default_minutes: float = 15.0,
) -> Thresholds:
    """The one measure asked for; 15 minutes when none is, also beside rules, which say their own.

    Raises
    ------
    OptionError
        When more than one of the three is given, a limit is not a positive number, or a mapping is empty.
    """
    given = [name for name, value in (("minutes", minutes), ("metres", metres), ("rules", rules)) if value is not None]
    if len(given) > 1:
        raise OptionError(f"Give at most one of minutes, metres and rules, not {' and '.join(given)}.")
    if metres is not None:
        return Thresholds("metres", _read_limit("metres", metres))
    return Thresholds("minutes", _read_limit("minutes", default_minutes if minutes is None else minutes))


def read_several(
    minutes: Any, metres: Any, offered: Iterable[str], *, default_minutes: tuple[float, ...]
) -> tuple[str, dict[str, list[float]]]:
    """The measure asked for, and for each category its thresholds in rising order.

    Parameters
    ----------
    minutes, metres
        A number, several, or a mapping from category to one or several; at most one of the two.
    offered
        The categories to take where no mapping names them.
    default_minutes
        What none of the two means.

    Raises
    ------
    OptionError
        When both are given, a threshold is not a positive number, or there is none.
    """
    if minutes is not None and metres is not None:
        raise OptionError("Give at most one of minutes and metres, not both.")
    measure, value = ("metres", metres) if metres is not None else ("minutes", minutes)
    value = default_minutes if value is None else value
    if not isinstance(value, Mapping):
        value = dict.fromkeys(sorted(offered), value)
        if not value:
            return measure, {}
    limits = {}
    for category, given in value.items():
        several = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        limits[str(category)] = sorted({_positive(measure, limit, category) for limit in several})
        if not limits[str(category)]:
            raise OptionError(f"{measure} of category {category!r} is empty; give at least one threshold.")
    if not limits:
        raise OptionError(f"{measure} is an empty mapping; name at least one category, or give one number.")
    return measure, limits


def _read_limit(measure: str, value: Any) -> float | dict[str, float]:
    if isinstance(value, Mapping):
        if not value:
            raise OptionError(f"{measure} is an empty mapping; name at least one category, or give one number.")
        return {str(category): _positive(measure, limit, category) for category, limit in value.items()}
    return _positive(measure, value)


def _positive(measure: str, value: Any, category: object = None) -> float:
    of = "" if category is None else f" of category {category!r}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if isinstance(value, bool) or not np.isfinite(number) or number <= 0:
        raise OptionError(f"{measure}{of} must be a number above 0, not {value!r}.")
    return number
