"""Locate: where the next facilities go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.coverage.counting.rates import weights_of
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.errors import OptionError
from gridmap.network.streets import as_network
from gridmap.siting.sites.answer import answer, standing
from gridmap.siting.sites.candidates import amounts_by_site, read_candidates, rows_of_ids
from gridmap.siting.sites.demand import find_demand
from gridmap.siting.sites.ground import find_ground, nearest_of
from gridmap.siting.sites.limited_room import locate_with_room, read_room
from gridmap.siting.sites.question import read_question
from gridmap.siting.sites.results import make_plan
from gridmap.siting.sites.site_plan import Siting
from gridmap.siting.solve.pairs import Choice
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.division.plans.plan import GridPlan
    from gridmap.network.streets import StreetNetwork
    from gridmap.siting.sites.site_plan import SitePlan

__all__ = ["locate"]


def locate(
    buildings: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame | GridPlan,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    category: str | Iterable[str],
    existing: gpd.GeoDataFrame | None = None,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    count: int | None = None,
    target: float | Mapping[str, float] | None = None,
    budget: float | None = None,
    objective: str = "max_coverage",
    weight: str | Mapping[str, float] = "households",
    capacity: float | str | pd.Series | None = None,
    cost: float | str | pd.Series | None = None,
    fixed: Iterable[object] | None = None,
    together: str | None = None,
    profile: Any = None,
    exact: bool | None = None,
    seed: int = 0,
    executor: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> SitePlan:
    """Where the next facilities go, what they gain, and how far that is from the best possible.

    Distances are those of `gridmap.cover`, from the buildings to the candidates along the streets.

    Parameters
    ----------
    buildings
        With the column of `weight`; those of weight 0 ask for nothing.
    candidates
        Places on which something may be built: facilities, shops, parcels, compounds or buildings with an id, or a
        plan, whose every atom is one. Each may take all the categories asked for, whatever category it has now; rows of
        status ``"candidate"`` alone are meant for their own category, and left out of others where there are any else.
    streets
        Streets, or a `StreetNetwork` prepared from them.
    category
        What is to be built; several share each site (a service complex), and each counts for itself.
    existing
        Facilities there are; those of the categories that exist and are public serve already.
    minutes, metres
        How far counts as reached, one number or one a category; at most one of the two. None means 15 minutes; for
        ``"p_median"`` and ``"p_center"``, which ask how far it is, it means without limit.
    count, target, budget
        Exactly one: how many sites; the share of the weight that is to be covered (0.9, or one a category), existing
        facilities counted; or what the sites may cost together.
    objective
        ``"max_coverage"``: most weight covered by `count` sites or within `budget` (R. Church, C. ReVelle, "The maximal
        covering location problem", Papers of the Regional Science Association 32, 1974). ``"set_cover"``: fewest sites,
        or least cost, that reach `target` (C. Toregas et al., "The location of emergency service facilities",
        Operations Research 19, 1971); a target alone means this. ``"p_median"``: least sum of weight times way to the
        nearest facility; who has none within the limit counts as standing at the limit. ``"p_center"``: least greatest
        way (S. L. Hakimi, "Optimum locations of switching centers", Operations Research 12, 1964, for both).
    weight
        The column of buildings that counts: households, elderly, children ...; or several with a factor each,
        ``{"elderly": 2, "children": 1}``. Empty cells count as 0.
    capacity
        How much of the weight each site holds: a number, a column of candidates, or a Series by id; existing facilities
        hold what the same column of theirs, else their ``capacity``, says. Then nobody is sent where no place is left,
        a building's weight may be split between sites, and gains are counted in weight served. For one category.
    cost
        Of each site: a number, a column of candidates, or a Series by id.
    fixed
        Ids of candidates that are built in any case; they count towards `count` and `budget`.
    together
        A column of candidates: rows of one value are one site with several places, "one centre, several places". The id
        of the site is that value; its places' costs add up.
    profile
        Who goes and how; see `gridmap.cover`.
    exact
        None: proved where that takes moderate work; True: insist; False: the heuristic alone. The gap is always stated.
    seed
        Of the heuristic.
    executor
        Anything with a `map`; the result is the same.
    barriers, compounds, entrances
        For streets that are not prepared yet; see `StreetNetwork.from_streets`.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When arguments contradict each other, or there is no candidate.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(500000, 0), (502000, 0)])], crs=32650)
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b", "c"], "households": [30, 10, 20]},
    ...     geometry=[Point(500100, 0), Point(501000, 0), Point(501400, 0)], crs=32650,
    ... )
    >>> shops = gpd.GeoDataFrame(
    ...     {"facility_id": ["w", "m", "e"]}, geometry=[Point(500050, 0), Point(501200, 0), Point(501990, 0)], crs=32650
    ... )
    >>> plan = locate(homes, shops, street, category="clinic", metres=500, count=1)
    >>> plan.sites["facility_id"].tolist(), plan.summary["proved"]
    (['w'], True)
    >>> locate(homes, shops, street, category="clinic", metres=500, target=0.9).rates["rate_after"].tolist()
    [1.0]
    """
    question = read_question(
        category=category, objective=objective, count=count, target=target, budget=budget, minutes=minutes,
        metres=metres, cost=cost,
    )  # fmt: skip
    homes, mass = _weighed(buildings, weight)
    places = read_candidates(candidates, question.categories, together)
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    services = _serving(existing, question.categories, homes)
    ground = find_ground(network, homes, places.table, services)
    rows = rows_by_category(services, np.ones(len(services), dtype=np.bool_), question.categories)
    today = nearest_of(ground, ground.existing, rows, question.measure, executor)
    base = today.cost(question.measure)
    apart = question.covers and capacity is None
    wanting = ~(base <= question.reach) if apart else np.ones(base.shape, dtype=np.bool_)
    demand = find_demand(question, ground, places, mass, base, wanting=wanting, executor=executor)
    prices = None if cost is None else amounts_by_site(places, cost, "cost")
    built = rows_of_ids(places, fixed)
    _refuse_fixed(question.count, question.budget, prices, built)
    nothing = Choice(built, 0.0, 0.0, proved=False, method="")
    siting = Siting(question, homes, places, services, ground, demand, nothing, mass, base, prices, built, seed)
    asked = {
        "category": category, "minutes": minutes, "metres": metres, "count": count, "target": target, "budget": budget,
        "objective": question.objective, "weight": weight, "capacity": capacity, "cost": cost, "fixed": fixed,
        "together": together, "profile": network.profile.name, "exact": exact, "seed": seed,
    }  # fmt: skip
    told = {name: value for name, value in asked.items() if value is not None}
    named = weight if isinstance(weight, str) else "weight"
    if capacity is not None:
        room = read_room(question, places, services, capacity)
        return locate_with_room(siting, room, named, told, exact=exact, executor=executor)
    now = standing(question, demand, mass, base)
    choice = answer(question, demand, now, cost=prices, fixed=built, exact=exact, seed=seed)
    return make_plan(replace(siting, choice=choice), today, now, named, told, executor=executor)


def _weighed(
    buildings: gpd.GeoDataFrame, weight: str | Mapping[str, float]
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64]]:
    """The buildings, checked, and how much each counts."""
    factors = dict(weight) if isinstance(weight, Mapping) else {weight: 1.0}
    if not factors or not all(np.isfinite(f) and f >= 0 for f in factors.values()):
        raise OptionError(f"weight={weight!r} must be a column, or columns with a factor of 0 or more each.")
    homes = check_table(buildings, "buildings", needs=("households",) if "households" in factors else ())
    parts = [factor * weights_of(homes, str(column))[0] for column, factor in factors.items()]
    return homes, np.sum(parts, axis=0)


def _serving(existing: gpd.GeoDataFrame | None, categories: list[str], homes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The facilities of the categories that exist and are public."""
    import geopandas as gpd

    if existing is None or not len(existing):
        empty = {"facility_id": np.array([], dtype=object), "category": np.array([], dtype=object)}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=homes.crs))
    table = check_table(existing, "facilities")
    return table[is_counted(table) & table["category"].isin(categories).to_numpy()].reset_index(drop=True)


def _refuse_fixed(
    count: int | None, budget: float | None, cost: NDArray[np.float64] | None, fixed: NDArray[np.bool_]
) -> None:
    if count is not None and fixed.sum() > count:
        raise OptionError(f"fixed names {fixed.sum()} sites, more than count={count}; they count towards it.")
    if budget is not None and cost is not None and cost[fixed].sum() > budget:
        raise OptionError(f"the fixed sites cost {cost[fixed].sum():,.0f}, more than budget={budget:,.0f}.")
