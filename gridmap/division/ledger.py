"""The ledger of a plan: what each grid holds, and whether that is within the band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COUNTS", "STATUSES", "building_weights", "grid_status", "grid_sums", "row_shares"]

#: Counts of a building that are summed over a grid where the buildings table has them.
COUNTS = ("residents", "registered", "dwellings", "elderly", "elderly_80", "children", "shops", "enterprises")
#: What the status of a grid can be. "empty" and "dedicated" grids do not count towards the share in the band.
STATUSES = ("legal", "above", "below", "empty", "dedicated")
# Weights may be sums of shares such as 0.1: a grid of 300 must not be "below" for the last bit.
_ROUNDING = 1e-9


def building_weights(buildings: pd.DataFrame, weight: str | pd.Series) -> pd.Series:
    """What the band counts, by building id: a column of `buildings`, or a Series by building id or by its index.

    Raises
    ------
    OptionError
        When there is no such column, or the Series lacks a building, has one twice, or holds what is not a number of 0
        or more.
    TableError
        When the column holds what is not a number of 0 or more, with each row.
    """
    ids = buildings["building_id"].astype(str).tolist()
    if isinstance(weight, str):
        return pd.Series(_numbers(buildings, weight), index=ids)
    named = pd.Series(pd.to_numeric(weight, errors="coerce").to_numpy(dtype="float64"), index=weight.index)
    if weight.index.equals(buildings.index):
        named.index = pd.Index(ids)
    else:
        named.index = named.index.astype(str)
        twice = named.index[named.index.duplicated() & named.index.isin(ids)]
        if len(twice):
            raise OptionError(f"weight has {twice[0]} twice, and {len(twice) - 1:,} others; give one number a building")
        named = named[~named.index.duplicated()].reindex(ids)
    wrong = ~(np.isfinite(named) & (named >= 0))
    if wrong.any():
        raise OptionError(
            f"weight has no number of 0 or more for {wrong.sum():,} buildings, first "
            f"{', '.join(named.index[wrong][:5])}; give one for each building_id, 0 for what does not count"
        )
    return named


def _numbers(buildings: pd.DataFrame, column: str) -> np.ndarray:
    """A column of finite numbers, 0 or more; a `TableError` names each row that is not."""
    if column not in buildings:
        raise OptionError(f"weight={column!r} is no column of buildings; there are {', '.join(map(str, buildings))}")
    numbers: np.ndarray = pd.to_numeric(buildings[column], errors="coerce").to_numpy(dtype="float64")
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        rows = [
            {
                "row": row, "column": column, "value": repr(value), "expected": "a number, 0 or more, as weight",
                "remedy": "Fill it in, 0 for what does not count.",
            }
            for row, value in buildings.loc[wrong, column].items()
        ]  # fmt: skip
        raise TableError("buildings", pd.DataFrame(rows))
    return numbers


def row_shares(assignment: pd.DataFrame) -> pd.Series:
    """Share of its building that each row of an assignment stands for: by households, or even where there are none.

    Examples
    --------
    >>> rows = pd.DataFrame({"building_id": ["a", "a", "b"], "households": [30, 10, 0]})
    >>> row_shares(rows).tolist()
    [0.75, 0.25, 1.0]
    """
    by = assignment.groupby("building_id")["households"]
    total, rows = by.transform("sum"), by.transform("size")
    return (assignment["households"] / total.where(total > 0)).fillna(1 / rows)


def grid_sums(assignment: pd.DataFrame, labels: pd.Series, buildings: pd.DataFrame, weights: pd.Series) -> pd.DataFrame:
    """Households, weight, number of buildings and the known `COUNTS` by grid label.

    Parameters
    ----------
    assignment
        ``building_id`` and ``households``, one row for each building or unit.
    labels
        Grid label of each of these rows; rows without one are left out of the sums.
    buildings
        With ``building_id`` and any of `COUNTS`. A count that is missing for every building of a grid is missing for
        the grid; one that is missing for some is the sum of the others.
    weights
        Weight by building id; a building in several rows is shared out as `row_shares` says.

    Notes
    -----
    A building counts once in each grid that has a row of it.
    """
    share = row_shares(assignment)
    rows = pd.DataFrame({"building_id": assignment["building_id"], "households": assignment["households"]})
    rows["weight"] = share * assignment["building_id"].map(weights).astype("float64")
    known = [c for c in COUNTS if c in buildings]
    for column in known:
        values = pd.Series(buildings[column].to_numpy(dtype="float64"), index=buildings["building_id"].astype(str))
        rows[column] = share * assignment["building_id"].map(values).astype("float64")
    by = rows.groupby(labels.to_numpy(), sort=True)
    sums = by[["households", "weight"]].sum()
    sums["buildings"] = by["building_id"].nunique()
    for column in known:
        sums[column] = by[column].sum(min_count=1)
    return sums


def grid_status(
    weight: pd.Series,
    lower: float | pd.Series,
    upper: float | pd.Series,
    *,
    community_weight: pd.Series,
    dedicated: Iterable[object] = (),
) -> pd.Series:
    """Status of each grid, one of `STATUSES`.

    Parameters
    ----------
    weight
        Weight of each grid.
    lower, upper
        The band, for all grids or by grid; an `upper` of infinity or NaN sets no limit.
    community_weight
        Weight of the whole community of each grid: where it is 0 the grid is ``"empty"``.
    dedicated
        Labels of dedicated grids.
    """
    tolerance = _ROUNDING * np.maximum(1, np.abs(weight))
    status = pd.Series("legal", index=weight.index, dtype=object)
    status[weight < lower - tolerance] = "below"
    status[weight > upper + tolerance] = "above"
    status[community_weight == 0] = "empty"
    status[weight.index.isin(list(dedicated))] = "dedicated"
    return status
