"""The question: how many sites, of which categories, within what, and what makes one choice better than another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OBJECTIVES", "Question", "read_question"]

#: What may be asked for, and what limits the number of sites in each.
OBJECTIVES = {
    "max_coverage": ("count", "budget"),
    "set_cover": ("target",),
    "p_median": ("count", "budget"),
    "p_center": ("count", "budget"),
}


@dataclass(frozen=True)
class Question:
    """What `gridmap.locate` was asked, read.

    Attributes
    ----------
    categories
        In the order given.
    objective
        One of `OBJECTIVES`.
    count, budget
        How many sites, or what they may cost together.
    target
        Share of the weight to be covered, by category.
    measure
        ``"minutes"`` or ``"metres"``.
    limits
        How far counts as reached, by category; inf where all ways count.
    """

    categories: list[str]
    objective: str
    count: int | None
    budget: float | None
    target: dict[str, float] | None
    measure: str
    limits: dict[str, float]

    @property
    def covers(self) -> bool:
        """Whether it is about who is covered, rather than how far everyone has to go."""
        return self.objective in ("max_coverage", "set_cover")

    @property
    def reach(self) -> NDArray[np.float64]:
        """The limits as an array, in the order of the categories."""
        return np.array([self.limits[name] for name in self.categories], dtype=np.float64)


def read_question(
    *,
    category: str | Iterable[str],
    objective: str,
    count: Any,
    target: Any,
    budget: Any,
    minutes: Any,
    metres: Any,
    cost: Any,
) -> Question:
    """The question that the arguments of `gridmap.locate` ask.

    Raises
    ------
    OptionError
        When they contradict each other.
    """
    categories = _categories(category)
    given = [name for name, value in (("count", count), ("target", target), ("budget", budget)) if value is not None]
    if len(given) != 1:
        raise OptionError(f"Give exactly one of count, target and budget, not {' and '.join(given) or 'none of them'}.")
    if objective not in OBJECTIVES:
        raise OptionError(f"objective={objective!r} is unknown; there are {', '.join(OBJECTIVES)}.")
    if objective == "max_coverage" and target is not None:
        # to reach a share with the fewest sites is what a target asks for
        objective = "set_cover"
    if given[0] not in OBJECTIVES[objective]:
        raise OptionError(f"objective={objective!r} goes with {' or '.join(OBJECTIVES[objective])}, not {given[0]}.")
    if budget is not None and cost is None:
        raise OptionError("budget= needs cost=: what each site costs, a column of candidates or one number.")
    wide = objective in ("p_median", "p_center") and minutes is None and metres is None
    limits = read_thresholds(minutes, metres)
    by_category = dict.fromkeys(categories, np.inf) if wide else limits.by_category(categories)
    missing = [name for name in categories if name not in by_category]
    if missing:
        raise OptionError(f"{limits.measure} has no limit for {', '.join(missing)}; give one for each category.")
    return Question(
        categories=categories,
        objective=objective,
        count=None if count is None else _whole("count", count),
        budget=None if budget is None else _positive("budget", budget),
        target=None if target is None else _shares(target, categories),
        measure=limits.measure,
        limits={name: float(by_category[name]) for name in categories},
    )


def _categories(category: str | Iterable[str]) -> list[str]:
    given = [category] if isinstance(category, str) else category
    names = [str(name) for name in given] if isinstance(given, Iterable) else []
    if not names or not all(name.strip() for name in names):
        raise OptionError("category= names no category; give one, or a list of those that share a site.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise OptionError(f"category= names {', '.join(repeated)} more than once.")
    return names


def _shares(target: Any, categories: list[str]) -> dict[str, float]:
    by_category = dict(target) if isinstance(target, Mapping) else dict.fromkeys(categories, target)
    if set(by_category) != set(categories):
        raise OptionError(
            f"target= needs a share for each of {', '.join(categories)}, and has {', '.join(by_category)}."
        )
    for name, share in by_category.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise OptionError(f"target= of {name} must be a share above 0 and up to 1, such as 0.9, not {share!r}.")
    return {name: float(by_category[name]) for name in categories}


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise OptionError(f"{name}= must be a whole number of at least 1, not {value!r}.")
    return int(value)


def _positive(name: str, value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not (np.isfinite(value) and value > 0)
    ):
        raise OptionError(f"{name}= must be a number above 0, not {value!r}.")
    return float(value)
