"""Household estimates, for cities without counts: by floor area and use, or from the totals of zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_metric
from gridmap.tables.households.findings import estimate_findings
from gridmap.tables.households.floors import STOREY_METRES
from gridmap.tables.households.floors import infer_floors as _infer_floors
from gridmap.tables.households.spread import Spread, spread_over_zones, zone_table
from gridmap.tables.households.uses import BY_USE, is_listed, is_non_residential, number_by_use, uses_of
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["estimate_households"]


def estimate_households(
    buildings: gpd.GeoDataFrame,
    *,
    floor_area_per_household: float = 110.0,
    default_floors: float = 3.0,
    by_use: Mapping[str, Mapping[str, float]] | None = None,
    non_residential: Collection[str] | None = None,
    households_per_dwelling: float = 1.0,
    households_per_floor: float = 2.0,
    minimum_footprint: float = 25.0,
    overwrite: bool = False,
    infer_floors: str | Sequence[str] | None = None,
    zones: gpd.GeoDataFrame | None = None,
    cells: gpd.GeoDataFrame | None = None,
    persons_per_household: float | None = None,
) -> gpd.GeoDataFrame:
    """Give every building households: those it has, or an estimate, with a column that says which.

    A row without households gets, in this order: 0 where its use is not residential; dwellings × households per
    dwelling where dwellings are known; 0 for footprints below the minimum; else footprint × floors ÷ floor area per
    household, rounded, at least 1. A point without dwellings gets floors × households per floor where floors are known.

    With `zones` or `cells` these numbers are proportions only: the total of each zone, less the households known in it,
    is spread over the buildings without a count, and kept to the last household. Where these numbers are 0 for all of
    a zone's buildings, as for a list of points, those not said to be other than residential share alike.

    Parameters
    ----------
    buildings
        Points or polygons; columns use, floors, dwellings and households are used where present.
    floor_area_per_household
        Gross floor area per household in m², where `by_use` says nothing else.
    default_floors
        Floors of a building whose floors are unknown, where `by_use` says nothing else.
    by_use
        ``{use: {"floors": ..., "floor_area": ...}}``, added to, and before, `BY_USE`.
    non_residential
        Uses with 0 households, in place of `NON_RESIDENTIAL`.
    households_per_dwelling, households_per_floor
        For rows with dwellings, and for points with floors.
    minimum_footprint
        m²; smaller footprints are sheds and the like, with 0 households.
    overwrite
        Estimate every row, also those that have households.
    infer_floors
        ``"height"`` (column height in metres ÷ 3), ``"neighbours"`` (median of the 5 nearest buildings with stated
        floors, at least 3 within 100 m), or both in the order to be tried. Without it unknown floors are not guessed
        from anything but the use.
    zones
        Census polygons with households or residents, and zone_id or community_id. A building belongs to the zone that
        holds its point on surface.
    cells
        The same for the cells of a population raster (`gridmap.read_raster`): a building is shared out among the cells
        it lies in, by footprint. One of `zones` and `cells`, not both.
    persons_per_household
        For zones with residents: residents ÷ this are the households. There is no default; take it from the census.

    Returns
    -------
    GeoDataFrame
        A copy with `households` filled and `households_estimated` (true or false). ``attrs["assumptions"]`` holds
        every number used, how many rows each rule gave, where floors came from, uses that were not recognised (they
        count as residential), and the points that nothing was known of (0 households). With zones,
        ``attrs["assumptions"]["zones"]`` holds the total, what was known and what was spread; how many zones are
        ``shared_by`` what; the zones whose buildings share ``alike``; those ``without_floor_area`` or ``overlapping``
        another one, with the households that could go nowhere; those whose buildings hold more than the total; and the
        buildings in no zone, which keep the plain estimate. ``attrs["findings"]`` says the same for a planner, below
        the findings that the buildings had.

    Raises
    ------
    OptionError
        When an argument is not a positive number, `by_use` has an unknown key, zones have neither households nor
        residents, or residents come without `persons_per_household`.
    TableError
        When the buildings or zones break their contract, for example by negative households.

    Notes
    -----
    All defaults are assumptions of this library, made to be overruled by local knowledge; none is a standard. Results
    that rest on them must say so.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> houses = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b", "c"], "use": ["apartments", "school", None], "households": [None, None, 7]},
    ...     geometry=[box(0, 0, 50, 11), box(0, 20, 50, 30), box(0, 40, 50, 50)], crs=32650,
    ... )
    >>> estimate_households(houses)[["households", "households_estimated"]].values.tolist()
    [[30.0, True], [0.0, True], [7.0, False]]
    >>> census = gpd.GeoDataFrame({"zone_id": ["z"], "households": [50]}, geometry=[box(0, 0, 60, 60)], crs=32650)
    >>> estimate_households(houses, zones=census)["households"].tolist()
    [43.0, 0.0, 7.0]
    """
    numbers = {
        "floor_area_per_household": floor_area_per_household,
        "default_floors": default_floors,
        "households_per_dwelling": households_per_dwelling,
        "households_per_floor": households_per_floor,
        "minimum_footprint": minimum_footprint,
    }
    if persons_per_household is not None:
        numbers["persons_per_household"] = persons_per_household
    table = {**BY_USE, **(by_use or {})}
    _check_numbers(numbers, table)
    if zones is not None and cells is not None:
        raise OptionError("give zones= or cells=, not both: each of them has the whole of the households")
    for name, areas, reader in (("zones", zones, "read_communities"), ("cells", cells, "read_raster")):
        if areas is not None and not isinstance(areas, pd.DataFrame):
            raise OptionError(
                f"{name}= is a GeoDataFrame, not {type(areas).__name__}: read a file with gridmap.{reader}(path)"
            )
    out = check_table(buildings, "buildings", allow_empty=True)
    metric = to_metric(out) if len(out) else out
    uses = uses_of(out)
    living = ~is_non_residential(out, non_residential)
    floor_area = number_by_use(uses, table, "floor_area", floor_area_per_household)
    stated = number_column(out, "floors")
    floors, from_where = _infer_floors(metric, np.where(stated > 0, stated, np.nan), infer_floors)
    stacked = np.where(np.isfinite(floors), floors, number_by_use(uses, table, "floors", default_floors))
    dwellings = number_column(out, "dwellings")
    polygon = np.isin(out.geom_type.to_numpy(), ("Polygon", "MultiPolygon"))
    area = metric.area.to_numpy() if len(out) else np.zeros(0)

    rules = [
        ("non_residential", ~living, np.zeros(len(out))),
        ("dwellings", np.isfinite(dwellings), dwellings * households_per_dwelling),
        ("small_footprint", polygon & (area < minimum_footprint), np.zeros(len(out))),
        ("floor_area", polygon, np.maximum(area * stacked / floor_area, 1.0)),
        ("floors_of_a_point", np.isfinite(floors), floors * households_per_floor),
        ("unknown_point", np.ones(len(out), dtype=bool), np.zeros(len(out))),
    ]
    names = np.select([mask for _, mask, _ in rules], [name for name, *_ in rules], "")
    capacity = np.select([mask for _, mask, _ in rules], [value for *_, value in rules], 0.0)
    estimate = np.floor(capacity + 0.5)

    given = np.full(len(out), np.nan) if overwrite else number_column(out, "households")
    known = np.isfinite(given)
    unknown = names == "unknown_point"
    # a building of which only its place is known, before one that is small or said to have no dwelling
    otherwise = (unknown, living)
    best_first = {"floor_area": "floor_area", "dwellings": "dwellings", "floors": "floors_of_a_point"}
    capacities = {name: np.where(names == rule, capacity, 0.0) for name, rule in best_first.items()}
    spread = _spread(metric, capacities, given, zones, cells, persons_per_household, otherwise)
    if spread is not None:
        estimate = np.where(np.isfinite(spread.households), spread.households, estimate)
    out["households"] = np.where(known, given, estimate)
    out["households_estimated"] = ~known
    lost = ~known & unknown & ~(spread.alike if spread is not None else np.zeros(len(out), dtype=bool))
    odd = ~known & living & (uses != "") & ~is_listed(uses, table)
    out.attrs = dict(buildings.attrs)
    out.attrs["assumptions"] = {
        **numbers,
        "storey_metres": STOREY_METRES,
        "by_use": {use: dict(values) for use, values in table.items()},
        "rows": {name: int((~known & (names == name)).sum()) for name, *_ in rules},
        "floors": from_where,
        "kept": int(known.sum()),
        "estimated": int((~known).sum()),
        "estimated_households": float(estimate[~known].sum()),
        "unrecognised_uses": {str(u): int(n) for u, n in pd.Series(uses[odd]).value_counts().head(20).items()},
        "unknown_points": {"count": int(lost.sum()), "ids": out["building_id"][lost].head(20).tolist()},
        **({} if spread is None else {"zones": spread.told}),
    }
    out.attrs["findings"] = estimate_findings(out)
    return out


def _spread(
    metric: gpd.GeoDataFrame,
    capacities: Mapping[str, NDArray[np.float64]],
    given: NDArray[np.float64],
    zones: gpd.GeoDataFrame | None,
    cells: gpd.GeoDataFrame | None,
    persons_per_household: float | None,
    otherwise: Sequence[NDArray[np.bool_]],
) -> Spread | None:
    areas = zones if cells is None else cells
    if areas is None:
        return None
    table = zone_table(areas, persons_per_household)
    return spread_over_zones(metric, capacities, given, table, shared=cells is not None, otherwise=otherwise)


def _check_numbers(numbers: Mapping[str, float], table: Mapping[str, Mapping[str, float]]) -> None:
    for name, value in numbers.items():
        if not (np.isfinite(value) and (value > 0 or (value == 0 and name == "minimum_footprint"))):
            raise OptionError(f"{name}={value!r}: give a positive number")
    for use, values in table.items():
        unknown = sorted(set(values) - {"floors", "floor_area"})
        if unknown:
            raise OptionError(f"by_use[{use!r}] has unknown keys {', '.join(unknown)}; known are floors, floor_area")
        wrong = [key for key, value in values.items() if not (np.isfinite(value) and value > 0)]
        if wrong:
            raise OptionError(f"by_use[{use!r}][{wrong[0]!r}]={values[wrong[0]]!r}: give a positive number")
