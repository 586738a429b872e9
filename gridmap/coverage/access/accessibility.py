"""Accessibility: how much of each category the people of a building reach, beyond yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gridmap.coverage.access.catchments import float_catchments, within_reach
from gridmap.coverage.access.decay import decay_weights, read_decays
from gridmap.coverage.counting.amounts import amounts_of
from gridmap.coverage.counting.cover_findings import category_findings, join_rows, snapping_findings, table_findings
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.errors import OptionError
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.findings import AttachedFindings, join_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["METHODS", "accessibility"]


@dataclass(frozen=True)
class _Method:
    """What a method says in words, whether demand shares the supply, and its decay.

    With `fixed` no other decay may be given.
    """

    words: str
    shared: bool
    decay: str | None
    fixed: bool = True
    choose: bool = False


METHODS = {
    "cumulative": _Method("{supply} within {limit}", shared=False, decay=None),
    "gravity": _Method(
        "{supply} within {limit}, near ones counting more", shared=False, decay="exponential", fixed=False
    ),
    "2sfca": _Method("{supply} per {per} {demand} of all who have it within {limit}", shared=True, decay=None),
    "e2sfca": _Method(
        "{supply} per {per} {demand} of all who have it within {limit}, near ones counting more",
        shared=True, decay="zones", fixed=False,
    ),
    "gaussian_2sfca": _Method(
        "{supply} per {per} {demand} of all who have it within {limit}, near ones counting more",
        shared=True, decay="gaussian",
    ),
    "3sfca": _Method(
        "{supply} per {per} {demand} of all who choose it within {limit}, near ones counting more",
        shared=True, decay="zones", fixed=False, choose=True,
    ),
}  # fmt: skip


class _Pairs(NamedTuple):
    """Buildings and facilities of one category within the threshold: rows, and the way in the measure asked for."""

    building: NDArray[np.integer]
    facility: NDArray[np.integer]
    cost: NDArray[np.float64]


def accessibility(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    method: str = "2sfca",
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    decay: Any = None,
    capacity: str | float | None = None,
    default_capacity: float | Mapping[str, float] | None = None,
    weight: str = "households",
    per: float = 1000,
    profile: Any = None,
    executor: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """How much of each category each building reaches, on the distances that `cover` counts with.

    Parameters
    ----------
    buildings
        With the column that `weight` names, where demand counts.
    facilities
        Those whose ``status`` is planned or candidate, or that are not public, are left out and counted in the
        findings.
    streets
        Streets, or a `StreetNetwork` prepared from them.
    method
        ``"cumulative"``: what lies within the threshold, added up. ``"gravity"``: the same, near things counting more.
        ``"2sfca"``: what is offered divided among all who have it within the threshold, added up over what a building
        has there (two-step floating catchment area); ``"e2sfca"``: the same, near ones counting more by zones;
        ``"gaussian_2sfca"``: by a bell curve; ``"3sfca"``: people also spread their demand over what they reach, so
        that many facilities nearby do not each meet all of it.
    minutes, metres
        Threshold, one number or a mapping from category to number; at most one of the two, none means 15 minutes.
        A category without a threshold is not counted.
    decay
        For ``"gravity"``, ``"e2sfca"`` and ``"3sfca"``: ``"exponential"`` and ``"power"`` (inverse square beyond a
        tenth of the threshold), both down to 0.01 at the threshold, ``"gaussian"`` and ``"linear"``, down to 0 there,
        ``"zones"`` (thirds of the threshold with weights 1, 0.68 and 0.22); pairs of limit and weight; a function of an
        array of distances, in the measure of the threshold; or a mapping from category to one of these. None is
        exponential for gravity, else zones.
    capacity
        What a facility offers: a column of numbers of facilities, or one number for each of them. None counts
        facilities for ``"cumulative"`` and ``"gravity"``, and takes the column ``capacity`` for the others.
    default_capacity
        What a facility with an empty cell offers, one number or one a category; None means that none may be empty.
    weight
        Who shares what is offered: a column of buildings; empty cells count as 0.
    per
        Where it is shared, the value is what so many of them have.
    profile
        Named speed set; None means that of the prepared network, else ``"adult"``.
    executor
        Anything with a `map`, such as a `concurrent.futures` pool. The result is the same.
    barriers, compounds, entrances
        For streets that are not prepared yet; see `StreetNetwork.from_streets`.

    Returns
    -------
    DataFrame
        One row a building and category, in this order, none left out: ``building_id``, ``category``, ``facilities``
        (how many lie within the threshold), ``value`` (0 where nothing is reached). `mean_by_unit` averages it by
        unit. ``.attrs``: ``method``, ``meaning`` of the value, ``measure``, ``thresholds``, ``demand``, ``findings``
        and ``supply``, by category: how much is ``offered``, how much of that somebody reaches (``reached``), and
        the ids of the facilities that nobody does (``unreached``). Where it is shared, the values times the demand
        add up to `per` times what is reached.

    Raises
    ------
    TableError
        When a table breaks its contract; the message lists every row and the remedy.
    OptionError
        When arguments contradict each other, or a capacity is missing.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(500000, 0), (501000, 0)])], crs=32650)
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 10]},
    ...     geometry=[Point(500000, 0), Point(500900, 0)],
    ...     crs=32650,
    ... )
    >>> schools = gpd.GeoDataFrame(
    ...     {"facility_id": ["s", "t"], "category": "school", "capacity": [20, 6]},
    ...     geometry=[Point(500300, 0), Point(501000, 0)],
    ...     crs=32650,
    ... )
    >>> accessibility(homes, schools, street, metres=700)
      building_id category  facilities   value
    0           a   school           1   500.0
    1           b   school           2  1100.0
    """
    how = _read_method(method, decay)
    if isinstance(per, bool) or not np.isfinite(per) or per <= 0:
        raise OptionError(f"per={per!r} must be a number above 0.")
    limits = read_thresholds(minutes, metres)
    homes = check_table(buildings, "buildings", needs=("households",) if how.shared and weight == "households" else ())
    services = check_table(facilities, "facilities")
    existing = is_counted(services)
    thresholds = limits.by_category(services.loc[existing, "category"].unique())
    counted = existing & services["category"].isin(list(thresholds)).to_numpy()
    supply, offered = _read_supply(services, capacity, default_capacity, how, counted)
    demand = weights_of(homes, weight)[0] if how.shared else np.ones(len(homes))
    decays = read_decays(how.decay if decay is None else decay, list(thresholds))
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    # in order of ids, so that sums do not depend on the order of rows
    order = np.argsort(homes["building_id"].to_numpy(dtype=str), kind="stable")
    rows = rows_by_category(services, counted, list(thresholds))
    origins, targets = network.access(homes, kind="building"), network.access(services, kind="facility")
    value, number = np.zeros((len(homes), len(rows))), np.zeros((len(homes), len(rows)), dtype=np.int64)
    supplies = {}
    for column, (category, limit) in enumerate(thresholds.items()):
        row = rows[column]
        pairs = _pairs(network, origins.take(order), targets.take(row), limits.measure, limit, executor)
        weights = decay_weights(decays[category], pairs.cost, limit)
        near = (pairs.building, pairs.facility, weights, supply[row])
        if how.shared:
            shares = float_catchments(*near, demand[order], choose=how.choose)
            value[order, column], used = per * shares.value, shares.demand > 0
        else:
            value[order, column] = within_reach(*near, len(homes))
            used = np.bincount(pairs.facility, minlength=len(row)) > 0
        number[order, column] = np.bincount(pairs.building, minlength=len(homes))
        supplies[category] = {
            "offered": float(supply[row].sum()),
            "reached": float(supply[row][used].sum()),
            "unreached": services["facility_id"].to_numpy()[row[~used]].tolist(),
        }
    table = pd.DataFrame(
        {
            "building_id": np.repeat(homes["building_id"].to_numpy(dtype=object), len(rows)),
            "category": np.tile(np.array(list(thresholds), dtype=object), len(homes)),
            "facilities": number.ravel(),
            "value": value.ravel(),
        }
    )
    found = [
        *table_findings(homes, services),
        *category_findings(services, existing, thresholds),
        *snapping_findings(services.loc[counted], targets.take(np.flatnonzero(counted)), network.access_metres),
        *snapping_findings(homes, origins, network.access_metres),
    ]
    people = denominator_of(homes, weight) if how.shared else ""
    table.attrs.update(
        method=method,
        meaning=how.words.format(
            supply=offered, per=f"{per:,g}", demand=people, limit=_words(thresholds, limits.measure)
        ),
        measure=limits.measure,
        thresholds=thresholds,
        demand=people,
        supply=supplies,
        findings=AttachedFindings(join_findings([join_rows(found, homes.crs), network.findings], crs=homes.crs)),
    )
    return table


def _read_method(method: str, decay: Any) -> _Method:
    if method not in METHODS:
        raise OptionError(f"method={method!r} is unknown; use one of {', '.join(METHODS)}.")
    how = METHODS[method]
    if how.fixed and decay is not None:
        other = "'e2sfca' or '3sfca'" if how.shared else "'gravity'"
        raise OptionError(f"method={method!r} has a decay of its own; give decay= with method={other}.")
    return how


def _read_supply(
    facilities: gpd.GeoDataFrame,
    capacity: str | float | None,
    default: float | Mapping[str, float] | None,
    how: _Method,
    counted: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], str]:
    """What each facility offers, and what that is called."""
    if capacity is None:
        capacity = "capacity" if how.shared else 1
    if isinstance(capacity, str):
        return amounts_of(facilities, capacity, default, counted=counted), capacity
    if default is not None:
        raise OptionError("default_capacity fills the empty cells of a column; name it with capacity=.")
    if isinstance(capacity, bool) or not np.isfinite(capacity) or capacity <= 0:
        raise OptionError(f"capacity={capacity!r} must be a column of facilities or a number above 0.")
    return np.full(len(facilities), float(capacity)), "facilities" if capacity == 1 else f"{capacity:g} a facility"


def _pairs(
    network: StreetNetwork, origins: Access, targets: Access, measure: str, limit: float, executor: Any
) -> _Pairs:
    from gridmap.network.bounded import within

    found = within(network, targets, origins, by=measure, limit=limit, executor=executor)
    # a search goes a hair's breadth beyond its limit; what counts as reached is what `cover` counts
    kept = found.cost <= limit
    return _Pairs(found.origin[kept], found.target[kept], found.cost[kept])


def _words(thresholds: dict[str, float], measure: str) -> str:
    limits = sorted(set(thresholds.values()))
    span = "-".join(f"{limit:g}" for limit in (limits[0], limits[-1])[: len(limits)]) if limits else "0"
    return f"{span} {measure}"
