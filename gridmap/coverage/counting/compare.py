"""Compare: who gains and who loses between two covers, by unit and category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.counting.rates import weights_of
from gridmap.coverage.counting.units import find_units
from gridmap.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["compare"]

# A distance that changed by less than this is the same: sums in another order differ in their last digits.
_SAME = 1e-6


class _Columns(NamedTuple):
    """What one cover says of the buildings and categories compared, (buildings, categories)."""

    covered: Flags
    distance: Floats


def compare(before: Cover, after: Cover, *, by: Any = None, weight: str = "households") -> pd.DataFrame:
    """Who gains and who loses between two covers, by unit and category.

    Parameters
    ----------
    before, after
        Two covers of the same buildings by the same measure: `after` may come from `Cover.with_changes`, have other
        thresholds or be counted for other walkers. A category that one of them lacks counts there as reached by nobody.
    by, weight
        Units and count, as in `Cover.rate`; both are read from the buildings of `before`.

    Returns
    -------
    DataFrame
        One row a unit and category, none left out: ``unit_id``, ``category``, ``total``, ``covered_before``,
        ``covered_after``, ``gained`` (covered after and not before), ``lost``, ``net`` (gained less lost, which is
        covered after less before), ``rate_before``, ``rate_after`` (NaN where the total is 0), ``nearer`` and
        ``farther`` (who has a shorter or a longer way, whether or not it crosses the threshold; a way where there was
        none is shorter), and ``saved`` (mean of the minutes or metres saved by those who have a way both before and
        after and of another length, negative where it got longer; NaN where there are none).
        ``.attrs``: ``measure``, ``weight``, ``outside`` (what lies outside all units), ``only_before`` and
        ``only_after`` (categories that the other cover lacks), ``left_out`` (buildings that one of the covers lacks).

    Raises
    ------
    OptionError
        When the covers are by different measures, share no building, or differ in the counts of those they share.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> import gridmap as gm
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 10]},
    ...     geometry=[Point(500000, 0), Point(500900, 0)], crs=32650,
    ... )
    >>> clinics = gpd.GeoDataFrame(
    ...     {"facility_id": ["f", "g"], "category": "clinic", "status": ["existing", "planned"]},
    ...     geometry=[Point(500300, 400), Point(500900, 9)], crs=32650,
    ... )
    >>> today = gm.cover(homes, clinics, metres=500, how="straight")
    >>> built = today.with_changes(open_facilities=["g"])
    >>> compare(today, built)[["category", "gained", "lost", "net", "rate_before", "rate_after", "saved"]].round(1)
      category  gained  lost   net  rate_before  rate_after  saved
    0   clinic    10.0   0.0  10.0          0.8         1.0  712.1
    """
    for name, cover in (("before", before), ("after", after)):
        if not hasattr(cover, "nearest"):
            raise OptionError(f"{name} must be a Cover, not {type(cover).__name__}")
    if before.measure != after.measure:
        raise OptionError(
            f"one cover is by {before.measure} and the other by {after.measure}; count both by the same measure"
        )
    rows = _shared_rows(before, after)
    homes = before.buildings.iloc[rows[0]]
    counts, missing = weights_of(homes, weight)
    other, _ = weights_of(after.buildings.iloc[rows[1]], weight)
    differ = np.abs(counts - other) > _SAME * np.maximum(1.0, counts)
    if differ.any():
        raise OptionError(
            f"{differ.sum():,} buildings have another {weight} in one cover than in the other, among them "
            f"{', '.join(homes['building_id'][differ].iloc[:5])}; compare covers of the same counts"
        )
    categories = list(dict.fromkeys([*before.names, *after.names]))
    old, new = (_columns(cover, row, categories) for cover, row in zip((before, after), rows, strict=True))
    units = find_units(by, homes, before.facilities)
    total = units.total(counts)
    sums = {name: units.total(counts[:, None] * what) for name, what in _changes(old, new).items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = {
            f"rate_{when}": np.clip(sums[f"covered_{when}"] / total[:, None], 0, 1) for when in ("before", "after")
        }
        saved = sums.pop("saved") / sums.pop("affected")
    if not np.allclose(sums["gained"] - sums["lost"], sums["covered_after"] - sums["covered_before"], atol=_SAME):
        raise AssertionError("gained less lost is not what is covered after less before")
    sums["net"] = sums["gained"] - sums["lost"]
    order = ("covered_before", "covered_after", "gained", "lost", "net")
    table = pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(units.ids, dtype=object), len(categories)),
            "category": np.tile(np.array(categories, dtype=object), len(units.ids)),
            "total": np.repeat(total, len(categories)),
            **{name: sums[name].ravel() for name in order},
            **{name: values.ravel() for name, values in rates.items()},
            **{name: sums[name].ravel() for name in ("nearer", "farther")},
            "saved": saved.ravel(),
        }
    )
    table.attrs.update(
        measure=before.measure,
        weight=weight,
        outside={"buildings": len(units.outside), weight: float(counts[units.outside].sum())},
        only_before=[c for c in categories if c not in after.names],
        only_after=[c for c in categories if c not in before.names],
        left_out={"before": len(before.buildings) - len(homes), "after": len(after.buildings) - len(homes)},
        rows_without_count=missing,
    )
    return table


def _shared_rows(before: Cover, after: Cover) -> tuple[Longs, Longs]:
    """Rows of the buildings that both covers have, in the order of the first."""
    ids = [cover.buildings["building_id"] for cover in (before, after)]
    if ids[0] is ids[1] or ids[0].equals(ids[1]):
        every = np.arange(len(ids[0]))
        return every, every
    place = pd.Index(ids[1]).get_indexer(pd.Index(ids[0]))
    rows = np.flatnonzero(place >= 0)
    if not len(rows):
        raise OptionError("the two covers have no building in common")
    return rows, place[rows].astype(np.int64)


def _columns(cover: Cover, rows: Longs, categories: list[str]) -> _Columns:
    """What a cover says of some buildings; nobody reaches a category that it lacks."""
    shape = (len(rows), len(categories))
    found = _Columns(np.zeros(shape, dtype=np.bool_), np.full(shape, np.nan))
    at = [categories.index(name) for name in cover.names]
    found.covered[:, at] = cover.met[rows]
    # rules, which come last, have no distance of their own
    found.distance[:, at[: len(cover.thresholds)]] = cover.distance[rows]
    return found


def _changes(before: _Columns, after: _Columns) -> dict[str, Any]:
    """What is summed by unit, each (buildings, categories)."""
    old = np.where(np.isnan(before.distance), np.inf, before.distance)
    new = np.where(np.isnan(after.distance), np.inf, after.distance)
    nearer, farther = new < old - _SAME, new > old + _SAME
    both = np.isfinite(old) & np.isfinite(new)
    affected = both & (nearer | farther)
    saved = np.zeros(old.shape)
    saved[affected] = old[affected] - new[affected]
    return {
        "covered_before": before.covered,
        "covered_after": after.covered,
        "gained": after.covered & ~before.covered,
        "lost": before.covered & ~after.covered,
        "nearer": nearer,
        "farther": farther,
        "affected": affected,
        "saved": saved,
    }
