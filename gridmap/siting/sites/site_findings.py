"""What a reader of a `SitePlan` should know: who stays out of reach, what was not proved, which places are odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.coverage.counting.cover_findings import join_rows, snapping_findings
from gridmap.siting.sites.answer import still_needed
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.siting.sites.answer import Standing
    from gridmap.siting.sites.gains import Gains
    from gridmap.siting.sites.site_plan import Siting

__all__ = ["find_of_sites"]


def find_of_sites(siting: Siting, now: Standing, gains: Gains, weight: str) -> gpd.GeoDataFrame:
    """The findings of a choice, the most severe first."""
    rows = [
        *_out_of_reach(siting, weight),
        *_too_few(siting),
        *_targets(siting, now, weight),
        *_counts(siting, gains),
        *_other_use(siting),
    ]
    if not siting.choice.proved:
        rows.append(
            finding(
                "info", "sites_not_proved",
                f"The choice of sites is within {siting.choice.gap:.2%} of the best possible, and not proved optimal.",
                cure="Call locate with exact=True for a proof, which may take long.",
                certificate={"value": siting.choice.value, "bound": siting.choice.bound, "gap": siting.choice.gap},
            )
        )  # fmt: skip
    for table, access in ((siting.buildings, siting.ground.homes), (siting.candidates.table, siting.ground.candidates)):
        rows += snapping_findings(table, access, siting.ground.network.access_metres)
    return join_rows(rows, siting.buildings.crs)


def _out_of_reach(siting: Siting, weight: str) -> list[dict[str, Any]]:
    """Demand that neither an existing facility nor any candidate reaches."""
    demand, question = siting.demand, siting.question
    today = demand.base <= question.reach[demand.category]
    lost = (np.diff(demand.pairs.demand_ptr) == 0) & ~(today & np.isfinite(demand.base))
    rows = []
    for column, name in enumerate(question.categories):
        here = np.flatnonzero(lost & (demand.category == column))
        if not len(here):
            continue
        held = float(demand.weight[here].sum())
        rows.append(
            finding(
                "warning", "demand_out_of_reach",
                f"{len(here)} buildings with {held:,.0f} {weight} are within the limit of no candidate and no existing "
                f"facility of category {name!r}.",
                cure="Add candidates near them, or accept that they stay uncovered.",
                status=name,
                ids=siting.buildings["building_id"].iloc[demand.building[here]],
                certificate={"buildings": len(here), "demand": held},
            )
        )  # fmt: skip
    return rows


def _too_few(siting: Siting) -> list[dict[str, Any]]:
    """Nobody can be left out when the longest way counts, and so few sites always leave somebody out."""
    if np.isfinite(siting.choice.value):
        return []
    return [
        finding(
            "error", "sites_too_few",
            "No choice of so few sites gives everybody a way who could have one; the sites serve many of them.",
            cure="Ask for more sites, or for objective='p_median' or 'max_coverage', which may leave somebody out.",
        )
    ]  # fmt: skip


def _targets(siting: Siting, now: Standing, weight: str) -> list[dict[str, Any]]:
    """Targets that not even all candidates together reach."""
    question = siting.question
    if question.target is None:
        return []
    asked = np.array(list(question.target.values())) * now.total
    short = np.flatnonzero(asked * (1 - 1e-9) - now.covered > still_needed(question, now) + 1e-6 * now.total)
    return [
        finding(
            "error", "target_out_of_reach",
            f"{question.target[name]:.1%} of category {name!r} cannot be reached: with every candidate built it is "
            f"{now.reachable[c] / now.total[c]:.2%} of {now.total[c]:,.0f} {weight}. The sites reach that.",
            cure="Add candidates near those who stay out of reach, or lower the target.",
            status=name,
            certificate={"reachable": float(now.reachable[c]), "total": float(now.total[c])},
        )
        for c, name in enumerate(question.categories)
        if c in short
    ]  # fmt: skip


def _counts(siting: Siting, gains: Gains) -> list[dict[str, Any]]:
    """Fewer sites than asked for."""
    asked = siting.question.count
    if asked is None or len(gains.site) >= asked:
        return []
    return [
        finding(
            "info", "fewer_sites_than_asked",
            f"{len(gains.site)} sites are chosen, though {asked} were asked for: no other candidate brings more.",
            cure="Add candidates, or ask for fewer sites.",
            certificate={"asked": asked, "chosen": len(gains.site)},
        )
    ]  # fmt: skip


def _other_use(siting: Siting) -> list[dict[str, Any]]:
    """Candidates that the table marks for something else."""
    left = siting.candidates.left_out
    if not left:
        return []
    return [
        finding(
            "info", "candidates_for_other_categories",
            f"{len(left)} candidates are marked for other categories and were left out.",
            cure="Give them another status than 'candidate' if anything may be built there.",
            ids=left,
        )
    ]  # fmt: skip
