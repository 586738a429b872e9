"""Results: what a choice of sites means, as the tables of a `SitePlan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.siting.sites.gains import Gains, order_by_gain, worth_of
from gridmap.siting.sites.ground import nearest_of
from gridmap.siting.sites.site_findings import find_of_sites
from gridmap.siting.sites.site_plan import SitePlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.sites.answer import Standing
    from gridmap.siting.sites.ground import Nearest
    from gridmap.siting.sites.question import Question
    from gridmap.siting.sites.site_plan import Siting

__all__ = ["make_plan", "plan_of"]

# Columns of candidates that a chosen site does not carry on: they say what the place was.
_DROPPED = ("status", "rank", "gain", "alone", "fixed", "category", "households")


def make_plan(
    siting: Siting, today: Nearest, now: Standing, weight: str, parameters: dict[str, Any], *, executor: Any = None
) -> SitePlan:
    """The tables of a choice whose sites hold as many as come.

    Parameters
    ----------
    siting
        The choice, and what it was made of.
    today
        The nearest existing facility of each building and category.
    now
        Where each category stands.
    weight
        What the weight is called.
    parameters
        What was asked for.
    executor
        Anything with a `map`.
    """
    question, demand = siting.question, siting.demand
    chosen = siting.choice.chosen
    tier = np.where(chosen, np.where(siting.fixed, 0, 1), -1).astype(np.int8)
    gains = order_by_gain(demand.pairs, demand.weight, worth_of(question, demand), tier, int(chosen.sum()))
    gains = _useful(gains, siting.fixed)
    assignment = _assignment(siting, today, gains, executor)
    covered = assignment["covered"].to_numpy().reshape(-1, len(question.categories))
    mass = siting.weight
    was = (siting.base <= question.reach) & np.isfinite(siting.base)
    rows = np.flatnonzero((covered & ~was).ravel() & np.repeat(mass > 0, covered.shape[1]))
    newly = assignment.iloc[rows][["building_id", "category", "facility_id", "metres", "minutes"]]
    newly.insert(2, weight, np.repeat(mass, covered.shape[1])[rows])
    newly = newly.reset_index(drop=True)
    return plan_of(siting, now, gains, weight, parameters, assignment, newly, mass @ covered)


def plan_of(
    siting: Siting,
    now: Standing,
    gains: Gains,
    weight: str,
    parameters: dict[str, Any],
    assignment: pd.DataFrame,
    newly: pd.DataFrame,
    after: NDArray[np.float64],
) -> SitePlan:
    """A plan from who goes where; `after` is what is covered of each category."""
    sites = _sites(siting, gains, weight)
    return SitePlan(
        sites=sites,
        rates=_rates(siting.question, now, after),
        newly_covered=newly,
        assignment=assignment,
        facilities=_facilities(sites, siting.question.categories),
        findings=find_of_sites(siting, now, gains, weight),
        summary=_summary(siting, gains, weight),
        parameters=parameters,
        siting=siting,
        order=gains.site,
    )


def _useful(gains: Gains, fixed: NDArray[np.bool_]) -> Gains:
    """Without the sites that bring nothing after the others, unless they are fixed."""
    keep = fixed[gains.site] | (gains.gain > 0)
    return Gains(gains.site[keep], gains.gain[keep], gains.alone[keep])


def _sites(siting: Siting, gains: Gains, weight: str) -> gpd.GeoDataFrame:
    """One row a place, by the rank of its site."""
    places = siting.candidates
    rank = np.zeros(len(places), dtype=np.int64)
    rank[gains.site] = np.arange(1, len(gains.site) + 1)
    row = rank[places.site] - 1
    table = places.table[row >= 0]
    row = row[row >= 0]
    own = table.drop(columns=[c for c in _DROPPED if c in table.columns])
    front = pd.DataFrame(
        {
            "rank": row + 1,
            "facility_id": own["facility_id"].to_numpy(),
            "category": ", ".join(siting.question.categories),
            "gain": gains.gain[row],
            "alone": gains.alone[row],
            "fixed": siting.fixed[gains.site[row]],
        },
        index=own.index,
    )
    rest = own.drop(columns=["facility_id", "geometry"])
    if siting.cost is not None:
        rest = rest.assign(cost=siting.cost[gains.site[row]])
    out = gpd.GeoDataFrame(pd.concat((front, rest), axis=1), geometry=own.geometry, crs=own.crs)
    out = out.sort_values("rank", kind="stable").reset_index(drop=True)
    out.attrs = {"unit": unit_of(siting.question, weight)}
    return out


def unit_of(question: Question, weight: str) -> str:
    """What a gain is a number of."""
    return f"{weight} newly covered" if question.covers else f"{weight} x {question.measure} saved"


def _assignment(siting: Siting, today: Nearest, gains: Gains, executor: Any) -> pd.DataFrame:
    """Where everyone goes afterwards: to the nearest of the existing facilities and the chosen sites."""
    question, places = siting.question, siting.candidates
    rows = np.flatnonzero(np.isin(places.site, gains.site))
    there = nearest_of(
        siting.ground, siting.ground.candidates.take(rows), [np.arange(len(rows))], question.measure, executor
    )
    nearer = there.cost(question.measure) < today.cost(question.measure)
    metres = np.where(nearer, there.metres, today.metres)
    minutes = np.where(nearer, there.minutes, today.minutes)
    cost = metres if question.measure == "metres" else minutes
    # the last entries are what the row -1 finds
    new_ids = np.array([*places.table["facility_id"].iloc[rows], None], dtype=object)
    old_ids = np.array([*siting.existing["facility_id"], None], dtype=object)
    facility = np.where(nearer, new_ids[there.facility], old_ids[today.facility])
    found, count = np.isfinite(cost), len(question.categories)
    return pd.DataFrame(
        {
            "building_id": np.repeat(siting.buildings["building_id"].to_numpy(dtype=object), count),
            "category": np.tile(np.array(question.categories, dtype=object), len(siting.buildings)),
            "facility_id": facility.ravel(),
            "metres": np.where(found, metres, np.nan).ravel(),
            "minutes": np.where(found, minutes, np.nan).ravel(),
            "covered": (found & (cost <= question.reach)).ravel(),
            "new": (nearer & found).ravel(),
        }
    )


def _rates(question: Question, now: Standing, after: NDArray[np.float64]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "category": question.categories,
            "total": now.total,
            "covered_before": now.covered,
            "covered_after": after,
            "reachable": now.reachable,
        }
    )
    for name, column in (("before", "covered_before"), ("after", "covered_after"), ("reachable", "reachable")):
        share = table[column] / table["total"].where(table["total"] > 0)
        table[f"rate_{name}"] = share.clip(0, 1)
    return table


def _facilities(sites: gpd.GeoDataFrame, categories: list[str]) -> gpd.GeoDataFrame:
    """The sites as planned facilities, one row a place and category."""
    keep = [c for c in sites.columns if c not in ("rank", "gain", "alone", "fixed", "category")]
    parts = []
    for name in categories:
        part = sites[keep].assign(category=name, status="planned")
        if len(categories) > 1:
            part["facility_id"] = part["facility_id"] + "/" + name
        parts.append(part)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=sites.crs)


def _summary(siting: Siting, gains: Gains, weight: str) -> dict[str, Any]:
    choice, question = siting.choice, siting.question
    return {
        "objective": question.objective,
        "sites": len(gains.site),
        "cost": None if siting.cost is None else float(siting.cost[gains.site].sum()),
        "value": float(choice.value),
        "bound": float(choice.bound),
        "gap": choice.gap,
        "proved": bool(choice.proved),
        "method": choice.method,
        "unit": unit_of(question, weight),
    }
