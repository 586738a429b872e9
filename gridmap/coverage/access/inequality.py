"""Inequality between units: how evenly a rate, an access value or a provision is spread over the households.

A unit counts as often as it has households (or whatever the weight is), so that joining two units of equal level
changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import clean_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["inequality", "location_quotient", "lorenz"]

#: Where the level of a unit, and the count behind it, are looked for when they are not named.
VALUES = ("rate", "value", "per_1000")
WEIGHTS = ("total", "households")
IDS = ("unit_id", "building_id")
# The Palma ratio: what the best-served tenth has over what the worst-served four tenths have (A. Cobham, A. Sumner,
# "Is it all about the tails? The Palma measure of income inequality", Center for Global Development, 2013).
_WORST, _BEST = 0.4, 0.9


class _Levels(NamedTuple):
    """The units of one category that have households and a level, from the worst served to the best."""

    category: object
    ids: NDArray[np.object_]
    level: Floats
    weight: Floats
    group: NDArray[np.object_] | None
    left_out: int


def inequality(
    table: pd.DataFrame, *, value: str | None = None, weight: str | pd.Series | None = None, group: Any = None
) -> pd.DataFrame:
    """How unequal units are, category by category: Gini, Theil, the worst and the best served, Palma ratio.

    Parameters
    ----------
    table
        One row a unit and category (or one a unit): what `Cover.rate`, `mean_by_unit` or `provision` return, or any
        table with `unit_id` or `building_id`.
    value
        The column with the level of each unit; None means the first of ``rate``, ``value``, ``per_1000`` it has.
    weight
        How often each unit counts: a column, or a Series indexed by unit id; None means ``total``, else ``households``.
    group
        The zone of each unit, a column or a Series indexed by unit id: the Theil index is then split into what lies
        between zones and what lies within them, and lowest and highest are those of the zones' means.

    Returns
    -------
    DataFrame
        One row a category: ``units`` counted, ``left_out`` (units with households but without a level), ``total``,
        ``mean`` (of the levels, weighted), ``gini`` (0 equal, towards 1 unequal; half the mean difference of two
        households over the mean), ``theil`` (0 equal; natural logarithm), ``theil_between`` and ``theil_within`` (they
        add up to it; NaN without groups), ``lowest_id``, ``lowest``, ``highest_id``, ``highest``, ``ratio`` (highest
        over lowest, infinite where the lowest is 0) and ``palma`` (what the best-served 10 % of households have over
        what the worst-served 40 % have; 0.25 where all are equal). NaN where the mean is 0.

    Raises
    ------
    OptionError
        When a column is absent or holds no numbers, or a value is negative.

    Notes
    -----
    C. Gini, *Variabilità e mutabilità*, 1912; H. Theil, *Economics and Information Theory*, 1967; the decomposition
    after F. Bourguignon, "Decomposable income inequality measures", Econometrica 47, 1979.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"unit_id": ["a", "b"], "total": [300, 100], "rate": [0.5, 1.0]})
    >>> inequality(rates)[["mean", "gini", "lowest_id", "ratio"]]
        mean  gini lowest_id  ratio
    0  0.625  0.15         a    2.0
    """
    rows = []
    for levels in _by_category(table, value, weight, group):
        between, within = _split_theil(levels)
        rows.append(
            {
                "category": levels.category,
                "units": len(levels.ids),
                "left_out": levels.left_out,
                "total": levels.weight.sum(),
                "mean": _mean(levels.level, levels.weight),
                "gini": _gini(levels.level, levels.weight),
                "theil": _theil(levels.level, levels.weight),
                "theil_between": between,
                "theil_within": within,
                **_extremes(levels),
                "palma": _palma(levels.level, levels.weight),
            }
        )
    out = pd.DataFrame(rows)
    return out if "category" in table.columns else out.drop(columns="category")


def lorenz(table: pd.DataFrame, *, value: str | None = None, weight: str | pd.Series | None = None) -> pd.DataFrame:
    """Points of the Lorenz curve: which share of all that is there the worst-served share of households has.

    Parameters
    ----------
    table, value, weight
        As for `inequality`.

    Returns
    -------
    DataFrame
        By category the origin (no unit) and then one row a unit, the worst served first: ``unit_id`` (or
        ``building_id``), the level, ``households_share`` and ``value_share``, both from 0 to 1 (NaN where nobody has
        anything). Twice the area between the curve and the diagonal is the Gini index.

    Notes
    -----
    M. O. Lorenz, "Methods of measuring the concentration of wealth", Publications of the American Statistical
    Association 9, 1905.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"unit_id": ["a", "b"], "total": [300, 100], "rate": [0.5, 1.0]})
    >>> lorenz(rates)
      unit_id  rate  households_share  value_share
    0    None   NaN              0.00          0.0
    1       a   0.5              0.75          0.6
    2       b   1.0              1.00          1.0
    """
    name, unit = _first(table, value, VALUES, "value"), _first(table, None, IDS, "unit_id")
    parts = []
    for levels in _by_category(table, value, weight, None):
        households, has = _curve(levels.level, levels.weight)
        part = pd.DataFrame(
            {
                "category": levels.category,
                unit: pd.Series([None, *levels.ids], dtype=object),
                name: np.r_[np.nan, levels.level],
                "households_share": households,
                "value_share": has,
            }
        )
        parts.append(part)
    out = pd.concat(parts, ignore_index=True)
    return out if "category" in table.columns else out.drop(columns="category")


def location_quotient(
    table: pd.DataFrame, *, value: str | None = None, weight: str | pd.Series | None = None
) -> pd.DataFrame:
    """The table with each unit's level over the level of all: above 1 better served than the whole, below 1 worse.

    A unit's share of all that is there, over its share of the households (W. Isard, *Methods of Regional Analysis*,
    1960, chapter 7).

    Parameters
    ----------
    table, value, weight
        As for `inequality`.

    Returns
    -------
    DataFrame
        The table with a column ``quotient``, NaN where a unit has no level or nobody has anything.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"unit_id": ["a", "b"], "total": [300, 100], "rate": [0.5, 1.0]})
    >>> location_quotient(rates)["quotient"].tolist()
    [0.8, 1.6]
    """
    levels, weights, _ = _read(table, value, weight, None)
    known = ~np.isnan(levels) & (weights > 0)
    category = _categories(table)
    count = category.max(initial=-1) + 1
    has = np.bincount(category[known], weights=(levels * weights)[known], minlength=count)
    of = np.bincount(category[known], weights=weights[known], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(has > 0, has / of, np.nan)
    out = table.copy()
    out["quotient"] = levels / mean[category]
    return out


def _by_category(table: pd.DataFrame, value: str | None, weight: Any, group: Any) -> Iterator[_Levels]:
    level, weights, groups = _read(table, value, weight, group)
    ids = clean_ids(table[_first(table, None, IDS, "unit_id")]).to_numpy(dtype=object)
    category = _categories(table)
    names = table["category"].to_numpy(dtype=object) if "category" in table.columns else np.full(len(table), "")
    for one in range(category.max(initial=-1) + 1):
        rows = np.flatnonzero(category == one)
        counted = rows[(weights[rows] > 0) & ~np.isnan(level[rows])]
        order = counted[np.lexsort((ids[counted].astype(str), level[counted]))]
        yield _Levels(
            names[rows[0]],
            ids[order],
            level[order],
            weights[order],
            None if groups is None else groups[order],
            int((weights[rows] > 0).sum()) - len(order),
        )


def _read(
    table: pd.DataFrame, value: str | None, weight: Any, group: Any
) -> tuple[Floats, Floats, NDArray[np.object_] | None]:
    """Level, weight and group of each row."""
    if not isinstance(table, pd.DataFrame) or table.empty:
        raise OptionError("table has no rows; give a table of units, such as cover.rate(by=...) returns.")
    name = _first(table, value, VALUES, "value")
    level = _numbers(table[name], name)
    given = _first(table, None, WEIGHTS, "weight") if weight is None else weight
    weights = np.nan_to_num(_numbers(_column(table, given, "weight"), "weight"), nan=0.0)
    if group is None:
        return level, weights, None
    groups = clean_ids(pd.Series(_column(table, group, "group").to_numpy()))
    if groups[(weights > 0) & ~np.isnan(level)].isna().any():
        raise OptionError("group has units without a group; give every unit with households one.")
    return level, weights, groups.to_numpy(dtype=object)


def _categories(table: pd.DataFrame) -> NDArray[np.int64]:
    """The number of each row's category, in order of first appearance."""
    if "category" not in table.columns:
        return np.zeros(len(table), dtype=np.int64)
    return np.asarray(pd.factorize(table["category"])[0], dtype=np.int64)


def _first(table: pd.DataFrame, given: str | None, names: tuple[str, ...], what: str) -> str:
    """The column named, else the first of some names that the table has."""
    found = next((n for n in ([given] if given is not None else names) if n in table.columns), None)
    if found is None:
        present = ", ".join(map(str, table.columns))
        wanted = repr(given) if given is not None else " or ".join(names)
        raise OptionError(f"The table has no column {wanted} for {what}; there are: {present}.")
    return found


def _column(table: pd.DataFrame, given: Any, what: str) -> pd.Series:
    """A column of the table, or a Series indexed by unit id brought into its rows."""
    if not isinstance(given, pd.Series):
        return table[_first(table, str(given), (), what)]
    index = pd.Index(clean_ids(pd.Series(given.index)))
    if index.has_duplicates:
        raise OptionError(f"{what} has {index[index.duplicated()][0]!r} more than once; give each unit one value.")
    place = index.get_indexer(pd.Index(clean_ids(table[_first(table, None, IDS, "unit_id")])))
    if (place < 0).any():
        missing = table[_first(table, None, IDS, "unit_id")].to_numpy()[place < 0]
        raise OptionError(f"{what} says nothing of {len(missing)} rows, {missing[0]!r} the first; index it by unit id.")
    return given.iloc[place]


def _numbers(values: pd.Series, what: str) -> Floats:
    if not pd.api.types.is_numeric_dtype(values):
        raise OptionError(f"{what} must be numbers; it holds {values.dtype}.")
    out = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if (out < 0).any() or np.isinf(out).any():
        raise OptionError(f"{what} has negative or infinite values; give finite ones of 0 or more.")
    return out


def _mean(level: Floats, weight: Floats) -> float:
    return float(level @ weight / weight.sum()) if len(level) else np.nan


def _curve(level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Share of the households, and of what they have, up to each unit; levels rise. Begins with 0."""
    has = np.r_[0.0, np.cumsum(level * weight)]
    households = np.r_[0.0, np.cumsum(weight)]
    with np.errstate(invalid="ignore"):
        return households / households[-1], has / has[-1]


def _gini(level: Floats, weight: Floats) -> float:
    households, has = _curve(level, weight)
    return float(1 - np.diff(households) @ (has[1:] + has[:-1])) if len(level) else np.nan


def _palma(level: Floats, weight: Floats) -> float:
    if not len(level):
        return np.nan
    households, has = _curve(level, weight)
    worst, best = np.interp([_WORST, _BEST], households, has)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(1 - best, worst))


def _theil(level: Floats, weight: Floats) -> float:
    mean = _mean(level, weight)
    if not mean > 0:
        return np.nan
    ratio = level / mean
    # who has nothing adds nothing: x log x goes to 0 with x
    terms = ratio * np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
    return float(terms @ weight / weight.sum())


def _split_theil(levels: _Levels) -> tuple[float, float]:
    """The Theil index between the groups' means, and the rest: that within groups, weighted by what they have."""
    if levels.group is None or not _mean(levels.level, levels.weight) > 0:
        return np.nan, np.nan
    _, mean, weight = _group_means(levels)
    between = _theil(mean, weight)
    return between, _theil(levels.level, levels.weight) - between


def _group_means(levels: _Levels) -> tuple[NDArray[np.object_], Floats, Floats]:
    """Groups in order of their ids, with weighted mean and weight."""
    ids, group = np.unique(np.asarray(levels.group, dtype=str), return_inverse=True)
    weight = np.bincount(group, weights=levels.weight).astype(np.float64)
    has = np.bincount(group, weights=levels.level * levels.weight).astype(np.float64)
    return np.asarray(ids, dtype=object), has / weight, weight


def _extremes(levels: _Levels) -> dict[str, Any]:
    """Worst and best served, of the groups where there are any, the first id of equals; and how many times better."""
    if not len(levels.ids):
        return {"lowest_id": None, "lowest": np.nan, "highest_id": None, "highest": np.nan, "ratio": np.nan}
    ids, mean = (levels.ids, levels.level) if levels.group is None else _group_means(levels)[:2]
    low, high = mean.argmin(), mean.argmax()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.divide(mean[high], mean[low]))
    return {
        "lowest_id": ids[low], "lowest": mean[low], "highest_id": ids[high], "highest": mean[high], "ratio": ratio,
    }  # fmt: skip
