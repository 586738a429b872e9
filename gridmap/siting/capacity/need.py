"""Need: how many places a unit needs for its people, has and lacks, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.counting.amounts import amounts_of
from gridmap.coverage.counting.cover_findings import category_findings, join_rows
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted, is_planned, is_public
from gridmap.coverage.counting.units import find_units
from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.findings import AttachedFindings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["capacity_need"]

# A need this little above a whole number of places is that number: what is left of adding up shares.
_WHOLE = 1e-6


class _Places(NamedTuple):
    """Places of each facility that stands today, and of each that is planned; 0 for all others."""

    present: Floats
    planned: Floats


def capacity_need(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    category: str,
    by: Any = None,
    weight: str = "children",
    per_1000: float | None = None,
    share: float | None = None,
    capacity: str = "capacity",
    default_capacity: float | None = None,
    growth: float | str | Mapping[int, float] = 0.0,
    years: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Places of a category that each unit needs, has and lacks in each year.

    What stands in a unit counts for that unit alone, as in `provision`; `catchments` says who finds a place where.

    Parameters
    ----------
    buildings
        The buildings, with the weight, counted in the first of the `years`.
    facilities
        Existing ones count as present and planned ones apart; candidates and those that are not public not at all.
    category
        Of the facilities.
    by
        Units as for `provision`.
    weight
        Who needs places: ``"children"``, ``"elderly"``, ``"residents"``, ...; empty cells count as 0.
    per_1000, share
        Places needed for 1,000 of them, or for each; exactly one of the two.
    capacity
        Column of facilities with their places.
    default_capacity
        What a facility with an empty cell has; None means that none may be empty.
    growth
        A rate a year, for example 0.02, compounded from the first year on; a column of buildings with such a rate for
        each; or a mapping from year to the factor on today's counts (1 for a first year that it leaves out).
    years
        Which, rising; None means one row a unit without growth, its year missing.

    Returns
    -------
    DataFrame
        One row a unit and year, none left out: ``unit_id``, ``year``, ``people``, ``needed`` (places, rounded up to
        whole ones in each unit), ``present``, ``planned`` (places), ``shortfall`` (needed less present, at least 0),
        ``spare`` (present less needed, at least 0), ``shortfall_with_planned``. ``.attrs``: ``denominator``, ``share``,
        ``outside`` (people of the first year and places in no unit), ``rows_without_count``, ``findings``.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option has an impossible value, a capacity is missing, or the units have no place.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame({"building_id": ["a"], "children": [300]}, geometry=[Point(0, 0)], crs=32650)
    >>> schools = gpd.GeoDataFrame(
    ...     {"facility_id": ["s"], "category": ["school"], "capacity": [250]}, geometry=[Point(3, 4)], crs=32650
    ... )
    >>> need = capacity_need(homes, schools, category="school", share=0.8, growth=0.05, years=(2026, 2030))
    >>> need[["year", "people", "needed", "present", "shortfall"]].round(1)
       year  people  needed  present  shortfall
    0  2026   300.0   240.0    250.0        0.0
    1  2030   364.7   292.0    250.0       42.0
    """
    each = _share(per_1000, share)
    homes = check_table(buildings, "buildings")
    services = check_table(facilities, "facilities")
    counts, missing = weights_of(homes, weight)
    asked, factor = _factors(homes, growth, years)
    places = _places(services, category, capacity, default_capacity)
    units = find_units(by, homes, services)
    if units.facilities is None:
        raise OptionError("by gives units without a place, so nobody knows what stands in them; give polygons.")
    people = units.total(counts[:, None] * factor)
    present, planned = (_by_unit(units.facilities, values, len(units.ids))[:, None] for values in places)
    needed = np.ceil(people * each - _WHOLE).clip(min=0)
    out = pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(units.ids, dtype=object), len(asked)),
            "year": pd.array(list(asked) * len(units.ids), dtype="Int64" if asked == [None] else "int64"),
            **{
                name: np.broadcast_to(values, people.shape).ravel()
                for name, values in (
                    ("people", people),
                    ("needed", needed),
                    ("present", present),
                    ("planned", planned),
                    ("shortfall", np.maximum(needed - present, 0)),
                    ("spare", np.maximum(present - needed, 0)),
                    ("shortfall_with_planned", np.maximum(needed - present - planned, 0)),
                )
            },
        }
    )
    lost = units.facilities < 0
    own = is_counted(services) & services["category"].eq(category).to_numpy()
    out.attrs.update(
        denominator=denominator_of(homes, weight),
        share=each,
        outside={
            "buildings": len(units.outside),
            weight: float(counts[units.outside].sum()),
            "present": float(places.present[lost].sum()),
            "planned": float(places.planned[lost].sum()),
        },
        rows_without_count=missing,
        findings=AttachedFindings(join_rows(category_findings(services, own, {category: 0.0}), services.crs)),
    )
    return out


def _share(per_1000: float | None, share: float | None) -> float:
    if (per_1000 is None) == (share is None):
        raise OptionError("Give exactly one of per_1000 (places for 1,000 people) and share (places for each).")
    value = per_1000 if share is None else share
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
        raise OptionError(f"{'share' if per_1000 is None else 'per_1000'}={value!r} must be a number of 0 or more.")
    return value / 1000 if share is None else float(value)


def _places(services: gpd.GeoDataFrame, category: str, capacity: str, default: float | None) -> _Places:
    """Places of the facilities of the category."""
    own = services["category"].eq(category).to_numpy() & is_public(services)
    existing, planned = own & is_counted(services), own & is_planned(services)
    amounts = amounts_of(services, capacity, default, counted=existing | planned)
    return _Places(np.where(existing, amounts, 0.0), np.where(planned, amounts, 0.0))


def _by_unit(unit: NDArray[np.int64], values: Floats, count: int) -> Floats:
    inside = unit >= 0
    return np.bincount(unit[inside], weights=values[inside], minlength=count).astype(np.float64)


def _factors(
    homes: gpd.GeoDataFrame, growth: float | str | Mapping[int, float], years: Sequence[int] | None
) -> tuple[list[Any], Floats]:
    """The years, and by which factor the counts of each building have grown in each: (buildings or 1, years)."""
    if years is None:
        if growth != 0.0:
            raise OptionError(f"growth={growth!r} needs years, the first of which is that of the counts.")
        return [None], np.ones((1, 1))
    asked = [int(year) for year in years]
    if not asked or asked != sorted(set(asked)):
        raise OptionError(f"years={years!r} must be years in rising order, at least one.")
    since = np.array(asked) - asked[0]
    if isinstance(growth, Mapping):
        return asked, _given_factors(growth, asked)
    rate = np.array([growth], dtype=np.float64) if not isinstance(growth, str) else _rates(homes, growth)
    if not (np.isfinite(rate) & (rate > -1)).all():
        raise OptionError(f"growth={growth!r} must be rates a year above -1, for example 0.02 for two in a hundred.")
    return asked, (1 + rate[:, None]) ** since


def _given_factors(growth: Mapping[int, float], asked: list[int]) -> Floats:
    given = {asked[0]: 1.0, **{int(year): float(factor) for year, factor in growth.items()}}
    absent = [str(year) for year in asked if year not in given]
    if absent:
        raise OptionError(f"growth has no factor for {', '.join(absent)}; give one for each of the years.")
    factor = np.array([[given[year] for year in asked]])
    if not (np.isfinite(factor) & (factor >= 0)).all():
        raise OptionError(f"growth={dict(growth)!r} must hold factors of 0 or more.")
    return factor


def _rates(homes: gpd.GeoDataFrame, column: str) -> Floats:
    if column not in homes.columns or not pd.api.types.is_numeric_dtype(homes[column]):
        raise OptionError(f"growth={column!r} is no column of numbers of buildings.")
    return homes[column].to_numpy(dtype=np.float64, na_value=np.nan)
