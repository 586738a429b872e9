"""SitePlan: the chosen sites, who they newly cover, and how far the choice is from the best possible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.siting.sites.candidates import Candidates
    from gridmap.siting.sites.demand import Demand
    from gridmap.siting.sites.ground import Ground
    from gridmap.siting.sites.question import Question
    from gridmap.siting.solve.pairs import Choice

__all__ = ["SitePlan", "Siting"]


@dataclass(frozen=True, eq=False)
class Siting:
    """What a `SitePlan` was made of, for questions that come after: tables as checked, and arrays."""

    question: Question
    buildings: gpd.GeoDataFrame
    candidates: Candidates
    existing: gpd.GeoDataFrame
    ground: Ground
    demand: Demand
    choice: Choice
    weight: NDArray[np.float64]
    base: NDArray[np.float64]
    cost: NDArray[np.float64] | None
    fixed: NDArray[np.bool_]
    seed: int


@dataclass(frozen=True, repr=False, eq=False)
class SitePlan:
    """Where the next facilities go, what they gain, and how far that is from the best possible.

    Attributes
    ----------
    sites
        One row a place to build on, by rank: ``rank`` (1 gains most; fixed ones first), ``facility_id``, ``category``
        (several joined by ``, ``), ``gain`` (after those before it), ``alone`` (without the others), ``fixed``, what
        else candidates tell, and the geometry. ``attrs["unit"]`` says what a gain is.
    rates
        One row a category: ``total``, ``covered_before``, ``covered_after``, ``reachable`` (if every candidate were
        built), and as shares ``rate_before``, ``rate_after``, ``rate_reachable``.
    newly_covered
        Who is covered that was not: ``building_id``, ``category``, the weight, ``facility_id``, ``metres``,
        ``minutes``.
    assignment
        Where everyone goes afterwards: one row a building and category, none left out, with ``facility_id`` (empty
        where there is no way), ``metres``, ``minutes``, ``covered``, ``new`` (whether to a chosen site).
    facilities
        The chosen sites as planned facilities, one row a place and category.
    findings
        What a reader should know; columns as everywhere in gridmap.
    summary
        ``objective``, ``sites``, ``value``, ``bound`` (what no choice can surpass), ``gap`` (share by which the value
        may fall short of the best), ``proved``, ``method``, ``unit``.
    parameters
        What was asked for: the arguments of `gridmap.locate` that were given.
    siting, order
        What it was made of, and the rows of the chosen sites among its candidates, by rank.
    """

    sites: gpd.GeoDataFrame
    rates: pd.DataFrame
    newly_covered: pd.DataFrame
    assignment: pd.DataFrame
    facilities: gpd.GeoDataFrame
    findings: gpd.GeoDataFrame
    summary: dict[str, Any]
    parameters: dict[str, Any]
    siting: Siting
    order: NDArray[np.int64]

    @property
    def buildings(self) -> gpd.GeoDataFrame:
        """The buildings as given, checked."""
        return self.siting.buildings

    @cached_property
    def curve(self) -> pd.DataFrame:
        """What every further site would bring: the marginal-gain curve.

        One row for each number of sites ``k`` from 0: ``facility_id`` of the k-th, ``gain``, ``covered``, ``rate``;
        the chosen ones first in their order, then those that bring most after them, up to twice as many.
        """
        from gridmap.siting.sites.curve import gain_curve

        return gain_curve(self)

    def robustness(
        self, *, speeds: Iterable[float] = (0.8, 0.9, 1.1, 1.2), counts: float = 0.2, draws: int = 20, seed: int = 0
    ) -> pd.DataFrame:
        """Which sites stay when people walk faster or slower, or when counts are not what was thought.

        Parameters
        ----------
        speeds
            Factors of the walking speed: each is one scenario, in which everyone gets so much farther within the limit.
        counts, draws
            In each of so many scenarios every building's weight is multiplied by a random factor between 1 less
            `counts` and 1 plus `counts`.
        seed
            Of the random factors.

        Returns
        -------
        DataFrame
            One row a chosen site, in their order: ``rank``, ``facility_id``, ``stays`` (share of all scenarios in which
            it is chosen again), ``stays_speed``, ``stays_counts``. ``attrs["scenarios"]``: one row a scenario with
            what the present choice is worth in it, the best found, and the share that is kept.
        """
        from gridmap.siting.sites.robustness import stress_choice

        return stress_choice(self, speeds=tuple(speeds), counts=counts, draws=draws, seed=seed)

    def after(self, cover: Cover) -> Cover:
        """A cover as it would be with the chosen sites built; see `gridmap.compare`.

        A site that stands where a facility of the cover has its id gets `` (new)`` behind its own.
        """
        taken = self.facilities["facility_id"].isin(cover.facilities["facility_id"])
        ids = self.facilities["facility_id"].where(~taken, self.facilities["facility_id"] + " (new)")
        return cover.with_changes(add_facilities=self.facilities.assign(facility_id=ids, status="existing"))

    def __repr__(self) -> str:
        s = self.summary
        proof = "proved optimal" if s["proved"] else f"within {s['gap']:.2%} of the best"
        told = self.rates[["category", "rate_before", "rate_after"]].itertuples(index=False, name=None)
        rates = ", ".join(
            f"{name}: nobody to serve" if isnan(before) else f"{name} {before:.1%} -> {after:.1%}"
            for name, before, after in told
        )
        return f"<SitePlan: {s['sites']} sites by {s['objective']}, {proof}; {rates}>"

    def _repr_html_(self) -> str:
        """The sites and rates as tables; the map is `gridmap.explore`'s."""
        from gridmap.view.summaries import sites_html

        return sites_html(self.sites, self.rates, self.summary["unit"], repr(self)[1:-1])
