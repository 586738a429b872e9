"""Limited room: sites and existing facilities that hold only so many, and who then goes where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.counting.amounts import amounts_of
from gridmap.errors import OptionError
from gridmap.siting.sites.answer import Standing
from gridmap.siting.sites.candidates import amounts_by_site
from gridmap.siting.sites.gains import Gains
from gridmap.siting.sites.ground import reach_within
from gridmap.siting.sites.results import plan_of
from gridmap.siting.solve.pairs import Pairs, make_pairs

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.siting.sites.candidates import Candidates
    from gridmap.siting.sites.question import Question
    from gridmap.siting.sites.site_plan import SitePlan, Siting
    from gridmap.siting.solve.capacitated import Assignment
    from gridmap.siting.solve.pairs import Choice

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["locate_with_room", "read_room"]


def read_room(question: Question, candidates: Candidates, existing: gpd.GeoDataFrame, capacity: Any) -> Floats:
    """What each candidate site and then each existing facility holds.

    Raises
    ------
    OptionError
        When one says nothing of it, or the question is one that knows no capacities.
    """
    if len(question.categories) > 1 or question.objective == "p_center":
        raise OptionError(
            "capacity= goes with one category, and with max_coverage, set_cover or p_median; leave it out, or ask for "
            "one category at a time."
        )
    sites = amounts_by_site(candidates, capacity, "capacity")
    column = capacity if isinstance(capacity, str) and capacity in existing.columns else "capacity"
    default = float(capacity) if isinstance(capacity, int | float) else None
    every = np.ones(len(existing), dtype=np.bool_)
    there = amounts_of(existing, column, default, counted=every, option="capacity") if len(existing) else np.zeros(0)
    return np.concatenate((sites, there))


def locate_with_room(
    siting: Siting, room: Floats, weight: str, parameters: dict[str, Any], *, exact: bool | None, executor: Any = None
) -> SitePlan:
    """The plan of a siting that has no choice yet, made with capacities.

    Parameters
    ----------
    siting
        Its demand is that of all buildings; its choice is not looked at.
    room
        Of each site and existing facility, as `read_room` gives it.
    weight, parameters
        As for `gridmap.siting.sites.results.make_plan`.
    exact, executor
        As for `gridmap.locate`.
    """
    question, count = siting.question, len(siting.candidates)
    pairs = _all_pairs(siting, executor)
    there = np.arange(pairs.sites) >= count
    price = np.concatenate((np.ones(count) if siting.cost is None else siting.cost, np.zeros(len(siting.existing))))
    built = np.concatenate((siting.fixed, there[count:]))
    today = _served(siting, pairs, room, there)
    most = _served(siting, pairs, room, np.ones(pairs.sites, dtype=np.bool_))
    now = Standing(*(np.array([of.sum()]) for of in (siting.weight, today.served, most.served)))
    choice, assignment = _choose(question, siting, pairs, room, price, built, float(now.total[0]), exact=exact)
    siting = replace(siting, choice=choice._replace(chosen=choice.chosen[:count]))
    gains = _gains(siting, pairs, room, there, assignment)
    table = _assignment(siting, pairs, assignment, question)
    newly = _newly(siting, table, today, assignment, weight)
    plan = plan_of(siting, now, gains, weight, parameters, table, newly, np.array([assignment.served.sum()]))
    load = pd.Series(assignment.load[:count], index=siting.candidates.ids)
    held = pd.Series(room[:count], index=siting.candidates.ids)
    ids = siting.candidates.ids[gains.site][plan.sites["rank"].to_numpy() - 1]
    plan.sites["capacity"], plan.sites["load"] = held.loc[ids].to_numpy(), load.loc[ids].to_numpy()
    return plan


def _all_pairs(siting: Siting, executor: Any) -> Pairs:
    """Pairs of the demand with the sites, and behind them with the existing facilities."""
    demand, question, count = siting.demand, siting.question, len(siting.candidates)
    limit = float(question.reach.max())
    ptr, target, cost = reach_within(
        siting.ground, siting.ground.existing, demand.building, question.measure, limit, executor=executor
    )
    near = cost <= limit
    own, other = (
        np.repeat(np.arange(demand.pairs.demands), np.diff(pointers)) for pointers in (demand.pairs.demand_ptr, ptr)
    )
    return make_pairs(
        np.concatenate((own, other[near])),
        np.concatenate((demand.pairs.site, target[near] + count)),
        np.concatenate((demand.pairs.cost, cost[near])),
        demand.pairs.demands,
        count + len(siting.existing),
    )


def _served(siting: Siting, pairs: Pairs, room: Floats, opened: Bools) -> Assignment:
    """Who is served when these are open and no others."""
    from gridmap.siting.solve.capacitated import capacitated_coverage

    price = np.where(opened, 0.0, 1.0)
    return capacitated_coverage(pairs, siting.demand.weight, room, cost=price, budget=0.0, fixed=opened, exact=False)[1]


def _choose(
    question: Question, siting: Siting, pairs: Pairs, room: Floats, price: Floats, built: Bools, total: float,
    *, exact: bool | None,
) -> tuple[Choice, Assignment]:  # fmt: skip
    from gridmap.siting.solve import capacitated

    weight = siting.demand.weight
    if question.target is not None:
        needed = question.target[question.categories[0]] * total
        return capacitated.capacitated_cover(pairs, weight, room, needed, cost=price, fixed=built, exact=exact)
    spend: dict[str, Any] = {"cost": price, "budget": question.budget, "fixed": built, "exact": exact}
    if question.count is not None:
        spend |= {"cost": np.where(np.arange(pairs.sites) < len(siting.candidates), 1.0, 0.0)}
        spend |= {"budget": float(question.count)}
    if question.objective == "max_coverage":
        return capacitated.capacitated_coverage(pairs, weight, room, **spend)
    limit = float(question.reach[0]) if np.isfinite(question.reach[0]) else float(pairs.cost.max(initial=1.0))
    return capacitated.capacitated_median(pairs, weight, room, limit=limit, **spend)


def _gains(siting: Siting, pairs: Pairs, room: Floats, there: Bools, assignment: Assignment) -> Gains:
    """The chosen sites, fixed ones first and then by what they hold in the end; what each adds to who is served."""
    rows = np.flatnonzero(siting.choice.chosen)
    rows = rows[np.lexsort((-assignment.load[rows], ~siting.fixed[rows]))]
    opened, gains, alone = there.copy(), [], []
    before = first = _served(siting, pairs, room, opened).served.sum()
    for row in rows:
        opened[row] = True
        after = _served(siting, pairs, room, opened).served.sum()
        single = there.copy()
        single[row] = True
        gains.append(after - before)
        alone.append(_served(siting, pairs, room, single).served.sum() - first)
        before = after
    more = np.array(gains, dtype=np.float64)
    keep = siting.fixed[rows] | (more > 1e-9) if siting.question.covers else np.ones(len(rows), dtype=np.bool_)
    return Gains(rows[keep], more[keep], np.array(alone, dtype=np.float64)[keep])


def _assignment(siting: Siting, pairs: Pairs, assignment: Assignment, question: Question) -> pd.DataFrame:
    """Who goes where, one row a building and facility, and one for those of a building who find no place."""
    demand, count = siting.demand, len(siting.candidates)
    used = np.flatnonzero(assignment.flow > 0)
    row = np.repeat(np.arange(pairs.demands), np.diff(pairs.demand_ptr))[used]
    left = np.flatnonzero(demand.weight - assignment.served > 1e-9 * np.maximum(demand.weight, 1.0))
    ids = np.concatenate((siting.candidates.ids, siting.existing["facility_id"].to_numpy(dtype=object)))
    building = siting.buildings["building_id"].to_numpy(dtype=object)[demand.building]
    cost = np.concatenate((pairs.cost[used], np.full(len(left), np.nan)))
    other = "minutes" if question.measure == "metres" else "metres"
    table = pd.DataFrame(
        {
            "building_id": np.concatenate((building[row], building[left])),
            "category": question.categories[0],
            "facility_id": np.concatenate((ids[pairs.site[used]], np.full(len(left), None))),
            question.measure: cost,
            other: np.nan,
            "covered": np.concatenate((np.ones(len(used), dtype=np.bool_), np.zeros(len(left), dtype=np.bool_))),
            "new": np.concatenate((pairs.site[used] < count, np.zeros(len(left), dtype=np.bool_))),
            "count": np.concatenate((assignment.flow[used], (demand.weight - assignment.served)[left])),
        }
    )
    order = np.argsort(np.concatenate((demand.building[row], demand.building[left])), kind="stable")
    return table.iloc[order].reset_index(drop=True)[
        ["building_id", "category", "facility_id", "metres", "minutes", "covered", "new", "count"]
    ]


def _newly(siting: Siting, table: pd.DataFrame, today: Assignment, assignment: Assignment, weight: str) -> pd.DataFrame:
    """How many more of each building are served than today, and the new site that most of the building go to."""
    more = assignment.served - today.served
    rows = np.flatnonzero(more > 1e-9 * np.maximum(siting.demand.weight, 1.0))
    ids = siting.buildings["building_id"].to_numpy(dtype=object)[siting.demand.building[rows]]
    largest = table[table["new"]].sort_values("count", ascending=False, kind="stable").drop_duplicates("building_id")
    there = largest.set_index("building_id").reindex(ids)
    return pd.DataFrame(
        {
            "building_id": ids,
            "category": siting.question.categories[0],
            weight: more[rows],
            "facility_id": there["facility_id"].to_numpy(),
            "metres": there["metres"].to_numpy(),
            "minutes": there["minutes"].to_numpy(),
        }
    )
