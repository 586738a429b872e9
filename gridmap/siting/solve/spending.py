"""What may be spent on sites: a count of them is a budget at the cost of one each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Spending", "spending"]

# Sums of costs round: what surpasses a budget by less than this share of it is within it.
_ROUNDING = 1e-9


class Spending(NamedTuple):
    """`cost` (sites,) of each site, `budget` for them all, `fixed` (sites,): chosen in any case, and paid as well."""

    cost: Floats
    budget: float
    fixed: Bools

    def allows(self, chosen: Bools) -> bool:
        """Whether these sites can be paid and hold those that are fixed."""
        return bool(self.cost[chosen].sum() <= self.budget and chosen[self.fixed].all())


def spending(
    sites: int,
    *,
    count: int | None = None,
    cost: Floats | None = None,
    budget: float | None = None,
    fixed: Bools | None = None,
) -> Spending:
    """One rule for a count of sites and for a budget.

    Parameters
    ----------
    sites
        How many there are.
    count
        How many may be chosen at most, those that are fixed among them.
    cost
        (sites,), for a budget: what each costs, those that are fixed too.
    budget
        What the chosen sites may cost together.
    fixed
        (sites,), which are chosen in any case.

    Raises
    ------
    OptionError
        Where not exactly one of `count` and `budget` is given, or it does not pay for what is fixed.
    """
    must = np.zeros(sites, dtype=np.bool_) if fixed is None else np.asarray(fixed, dtype=np.bool_)
    if (count is None) == (budget is None):
        raise OptionError("Give either count= or budget=, and cost= with a budget.")
    if count is not None:
        if count < 0:
            raise OptionError(f"count={count} must be 0 or more.")
        if count < must.sum():
            raise OptionError(
                f"count={count} is less than the {must.sum()} fixed sites; raise it or free some of them."
            )
        return Spending(np.ones(sites), float(min(count, sites)), must)
    if cost is None or budget is None:
        raise OptionError("A budget needs cost=, what each site costs.")
    price = np.asarray(cost, dtype=np.float64)
    if not np.isfinite(price).all() or (price < 0).any():
        raise OptionError("Costs of sites must be numbers of 0 or more.")
    if price[must].sum() > budget * (1 + _ROUNDING):
        raise OptionError(
            f"The fixed sites cost {price[must].sum():g}, more than budget={budget:g}; raise it or free some of them."
        )
    return Spending(price, float(budget) * (1 + _ROUNDING), must)
