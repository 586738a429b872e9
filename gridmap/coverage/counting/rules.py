"""Rules: what a household must reach, of several categories together, each by its own measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridmap.coverage.counting.cover_findings import category_findings
from gridmap.coverage.counting.services import is_counted
from gridmap.errors import OptionError
from gridmap.tables.findings import findings_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["Criterion", "Rules", "cover_by_rules", "read_rules"]

_MEASURES = {"minutes": "min", "metres": "m", "radius": "m straight"}
_SHAPE = (
    "write it as {category, minutes | metres | radius}, {all = [...]}, {any = [...]}, or {at_least = n, of = [...]}"
)


class Criterion(NamedTuple):
    """One category within a limit: ``"minutes"`` or ``"metres"`` along the network, or ``"radius"`` in metres."""

    category: str
    measure: str
    limit: float


class _Count(NamedTuple):
    """At least so many of some parts, each a criterion's column or another one of these."""

    least: int
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Rules:
    """Combined rules, read.

    Attributes
    ----------
    criteria
        By name, in the order of the rules. The name is the category where a category has one limit alone, else it says
        the limit too.
    expressions
        By name of the rule: at least so many of which criteria.
    """

    criteria: dict[str, Criterion]
    expressions: dict[str, Any]

    @property
    def measures(self) -> list[str]:
        """Which measure of `Nearest` each criterion is in."""
        return ["minutes" if c.measure == "minutes" else "metres" for c in self.criteria.values()]

    def met(self, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rules are met, (buildings, rules), given which criteria are, (buildings, criteria)."""
        columns = [_met(expression, covered) for expression in self.expressions.values()]
        return np.stack(columns, axis=1)


def read_rules(rules: Any) -> Rules:
    """Rules from plain data, as TOML holds it.

    Parameters
    ----------
    rules
        By name of the rule an expression: ``{"category": "clinic", "minutes": 15}`` (or ``metres`` along the network,
        or ``radius`` as the crow flies), ``{"all": [...]}``, ``{"any": [...]}``, or ``{"at_least": 2, "of": [...]}``,
        with expressions in the lists again.

    Raises
    ------
    OptionError
        When an expression is none of these; the message says where.

    Examples
    --------
    >>> clinic, canteen = {"category": "clinic", "minutes": 15}, {"category": "canteen", "minutes": 10}
    >>> rules = read_rules({"daily": {"all": [clinic, canteen]}, "food": {"any": [canteen]}})
    >>> list(rules.criteria), list(rules.expressions)
    (['clinic', 'canteen'], ['daily', 'food'])
    """
    if not isinstance(rules, Mapping) or not rules:
        raise OptionError(f"rules must map the name of each rule to an expression; {_SHAPE}.")
    found: list[Criterion] = []
    expressions = {str(name): _read(expression, f"rules[{name!r}]", found) for name, expression in rules.items()}
    limits: dict[str, int] = {}
    for criterion in found:
        limits[criterion.category] = limits.get(criterion.category, 0) + 1
    criteria = {
        c.category if limits[c.category] == 1 else f"{c.category} ({c.limit:g} {_MEASURES[c.measure]})": c
        for c in found
    }
    both = sorted(set(criteria) & set(expressions))
    if both:
        raise OptionError(f"rules {', '.join(both)} are called like a category; give them names of their own.")
    return Rules(criteria, expressions)


def cover_by_rules(count: Callable[..., Cover], facilities: gpd.GeoDataFrame, rules: Rules, *, straight: bool) -> Cover:
    """One cover of all criteria of some rules.

    Parameters
    ----------
    count
        `cover` without its measure: takes ``minutes=`` or ``metres=``, and ``how=``.
    facilities
        Checked.
    rules
        The rules.
    straight
        Whether all limits are meant in a straight line.
    """
    parts: dict[tuple[str, str], Cover] = {}
    for criterion in rules.criteria.values():
        search = _search_of(criterion, straight=straight)
        if search not in parts:
            own = {c.category: c.limit for c in rules.criteria.values() if _search_of(c, straight=straight) == search}
            parts[search] = count(**{search[0]: own}, how=search[1])
    columns = []
    for criterion in rules.criteria.values():
        part = parts[_search_of(criterion, straight=straight)]
        columns.append(part.nearest.columns([list(part.thresholds).index(criterion.category)]))
    # where one part goes along streets and another does not, the former knows who found one
    first = next((part for part in parts.values() if part.how == "network"), next(iter(parts.values())))
    categories = {c.category: c.limit for c in rules.criteria.values()}
    asked = category_findings(facilities, is_counted(facilities), categories)
    stated = first.findings[~first.findings["rule"].isin(("category_not_asked", "category_not_offered"))]
    measures = set(rules.measures)
    return replace(
        first,
        nearest=type(first.nearest)(
            *(np.concatenate([getattr(c, n) for c in columns], axis=1) for n in ("facility", "metres", "minutes"))
        ),
        counted=np.any([part.counted for part in parts.values()], axis=0),
        thresholds={name: criterion.limit for name, criterion in rules.criteria.items()},
        measure=measures.pop() if len(measures) == 1 else "metres",
        stated=findings_table([*asked, *stated.to_dict("records")], crs=first.findings.crs),
        rules=rules,
        # distances of several measures are not to be repaired as if they were of one
        accesses=None,
    )


def _search_of(criterion: Criterion, *, straight: bool) -> tuple[str, str]:
    """By which measure, and how, a criterion is searched."""
    measure = "minutes" if criterion.measure == "minutes" else "metres"
    return measure, "straight" if straight or criterion.measure == "radius" else "network"


def _met(expression: Any, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if isinstance(expression, int):
        column: NDArray[np.bool_] = covered[:, expression]
        return column
    enough: NDArray[np.bool_] = np.sum([_met(part, covered) for part in expression.parts], axis=0) >= expression.least
    return enough


def _read(expression: Any, where: str, found: list[Criterion]) -> Any:
    """The expression, its criteria as their places in `found`, which grows."""
    if not isinstance(expression, Mapping):
        raise OptionError(f"{where} is {expression!r}; {_SHAPE}.")
    keys = set(expression)
    if "category" in keys:
        criterion = _criterion(expression, where)
        if criterion not in found:
            found.append(criterion)
        return found.index(criterion)
    if keys in ({"all"}, {"any"}):
        (key,) = keys
        parts = _parts(expression[key], f"{where}.{key}", found)
        return _Count(len(parts) if key == "all" else 1, parts)
    if keys == {"at_least", "of"}:
        parts, least = _parts(expression["of"], f"{where}.of", found), expression["at_least"]
        if isinstance(least, bool) or not isinstance(least, int) or not 1 <= least <= len(parts):
            raise OptionError(f"{where}.at_least must be a whole number from 1 to {len(parts)}, not {least!r}.")
        return _Count(least, parts)
    raise OptionError(f"{where} has {', '.join(sorted(map(str, keys))) or 'nothing'}; {_SHAPE}.")


def _parts(parts: Any, where: str, found: list[Criterion]) -> tuple[Any, ...]:
    if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
        raise OptionError(f"{where} must be a list of at least one expression, not {parts!r}.")
    return tuple(_read(part, f"{where}[{i}]", found) for i, part in enumerate(parts))


def _criterion(expression: Mapping[str, Any], where: str) -> Criterion:
    measures = sorted(set(expression) - {"category"})
    if len(measures) != 1 or measures[0] not in _MEASURES:
        raise OptionError(
            f"{where} needs exactly one of minutes, metres and radius beside its category, and has "
            f"{', '.join(measures) or 'none'}."
        )
    limit = expression[measures[0]]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not (np.isfinite(limit) and limit > 0):
        raise OptionError(f"{where}.{measures[0]} must be a number above 0, not {limit!r}.")
    return Criterion(str(expression["category"]), measures[0], float(limit))
