"""Robustness: which chosen sites stay when speeds or counts are not what was thought."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.siting.sites.answer import answer, standing
from gridmap.siting.sites.curve import refuse_room
from gridmap.siting.sites.demand import find_demand
from gridmap.siting.sites.gains import order_by_gain, worth_of
from gridmap.tables.findings import AttachedTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.siting.sites.site_plan import SitePlan, Siting

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["stress_choice"]


def stress_choice(plan: SitePlan, *, speeds: tuple[float, ...], counts: float, draws: int, seed: int) -> pd.DataFrame:
    """See `SitePlan.robustness`."""
    refuse_room(plan, "robustness")
    siting = plan.siting
    if not all(np.isfinite(factor) and factor > 0 for factor in speeds):
        raise OptionError(f"speeds={speeds!r} must be factors above 0, such as 0.8.")
    if not 0 <= counts < 1 or draws < 0:
        raise OptionError(f"counts={counts!r} must be from 0 to below 1, and draws={draws!r} at least 0.")
    rng = np.random.default_rng(seed)
    present = np.zeros(len(siting.candidates), dtype=np.bool_)
    present[plan.order] = True
    rows, again = [], []
    for factor in speeds:
        limits = {name: factor * limit for name, limit in siting.question.limits.items()}
        chosen, worth = _choose_again(replace(siting, question=replace(siting.question, limits=limits)), present)
        again.append(chosen)
        rows.append({"kind": "speed", "factor": factor, **worth})
    for _ in range(draws):
        factors = rng.uniform(1 - counts, 1 + counts, len(siting.weight))
        chosen, worth = _choose_again(replace(siting, weight=siting.weight * factors), present)
        again.append(chosen)
        rows.append({"kind": "counts", "factor": np.nan, **worth})
    scenarios = pd.DataFrame(rows, columns=["kind", "factor", "present", "best", "kept"])
    stays = np.array(again, dtype=np.float64).reshape(len(rows), len(present))[:, plan.order]
    table = pd.DataFrame({"rank": np.arange(1, len(plan.order) + 1), "facility_id": siting.candidates.ids[plan.order]})
    for name, kinds in (("stays", ("speed", "counts")), ("stays_speed", ("speed",)), ("stays_counts", ("counts",))):
        of = scenarios["kind"].isin(kinds).to_numpy()
        table[name] = stays[of].mean(axis=0) if of.any() else np.nan
    table.attrs["scenarios"] = AttachedTable(scenarios)
    return table


def _choose_again(siting: Siting, present: Bools) -> tuple[Bools, dict[str, float]]:
    """What would be chosen in a scenario, and what the present choice is worth beside it."""
    question = siting.question
    wanting = np.ones(siting.base.shape, dtype=np.bool_)
    if question.covers:
        wanting = ~(siting.base <= question.reach)
    demand = find_demand(question, siting.ground, siting.candidates, siting.weight, siting.base, wanting=wanting)
    now = standing(question, demand, siting.weight, siting.base)
    choice = answer(question, demand, now, cost=siting.cost, fixed=siting.fixed, exact=False, seed=siting.seed)
    worth = worth_of(question, demand)
    before = float(now.covered.sum()) if question.covers else 0.0
    values = []
    for chosen in (present, choice.chosen):
        tier = np.where(chosen, 0, -1).astype(np.int8)
        gains = order_by_gain(demand.pairs, demand.weight, worth, tier, int(chosen.sum()))
        values.append(before + float(gains.gain.sum()))
    best = max(values)
    return choice.chosen, {"present": values[0], "best": best, "kept": values[0] / best if best else np.nan}
