"""The marginal-gain curve: what every further site would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.siting.sites.gains import order_by_gain, worth_of

if TYPE_CHECKING:
    from gridmap.siting.sites.site_plan import SitePlan

__all__ = ["gain_curve", "refuse_room"]


def refuse_room(plan: SitePlan, what: str) -> None:
    """Refuse a question that is only answered where sites hold as many as come.

    Raises
    ------
    OptionError
        When the plan was made with capacities.
    """
    if "capacity" in plan.parameters:
        raise OptionError(f"{what} does not know of capacities; call locate without capacity= for it.")


def gain_curve(plan: SitePlan) -> pd.DataFrame:
    """See `SitePlan.curve`."""
    refuse_room(plan, "the curve")
    siting = plan.siting
    demand, chosen = siting.demand, siting.choice.chosen
    # fixed ones, then the other chosen ones, then those that nobody has chosen
    tier = np.where(siting.fixed, 0, np.where(chosen, 1, 2)).astype(np.int8)
    most = max(2 * int(chosen.sum()), 1)
    gains = order_by_gain(demand.pairs, demand.weight, worth_of(siting.question, demand), tier, most)
    useful = chosen[gains.site] | (gains.gain > 0)
    site, gain = gains.site[useful], gains.gain[useful]
    table = pd.DataFrame(
        {
            "k": np.arange(len(site) + 1),
            "facility_id": np.concatenate((np.array([""], dtype=object), siting.candidates.ids[site])),
            "gain": np.concatenate(([0.0], gain)),
            "chosen": np.concatenate(([True], chosen[site])),
        }
    )
    if siting.question.covers:
        total = float(plan.rates["total"].sum())
        covered = float(plan.rates["covered_before"].sum()) + table["gain"].cumsum()
        table = table.assign(covered=covered, rate=covered / total if total else np.nan)
    table.attrs["unit"] = plan.summary["unit"]
    return table
