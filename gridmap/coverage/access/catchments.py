"""Catchments: what is offered, shared out among all who reach it (two-step and three-step floating catchment areas)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.integer]

__all__ = ["Shares", "float_catchments", "within_reach"]


class Shares(NamedTuple):
    """What each origin gets of all that is offered, and who asks for each target: the demand, weighted."""

    value: Floats
    demand: Floats


def within_reach(origin: Ints, target: Ints, weight: Floats, supply: Floats, origins: int) -> Floats:
    """What each origin reaches, near things counting more: the sum of supply times weight.

    W. G. Hansen, "How accessibility shapes land use", Journal of the American Institute of Planners 25, 1959; with a
    weight of 1 the cumulative opportunities of M. Wachs, T. G. Kumagai, Socio-Economic Planning Sciences 7, 1973.

    Parameters
    ----------
    origin, target, weight
        Pairs within reach.
    supply
        Of each target.
    origins
        How many origins there are.
    """
    return np.bincount(origin, weights=weight * supply[target], minlength=origins).astype(np.float64)


def float_catchments(
    origin: Ints, target: Ints, weight: Floats, supply: Floats, demand: Floats, *, choose: bool = False
) -> Shares:
    """Supply per head of those who share it, summed over all targets within reach.

    First each target's supply is divided by the demand of all origins that reach it, near ones counting more; then
    each origin adds up these ratios, near ones counting more. What is shared out is what is offered: the values times
    the demand add up to the supply of all targets that have any demand.

    W. Luo, F. Wang, "Measures of spatial accessibility to health care in a GIS environment", Environment and Planning B
    30, 2003 (weight 1); W. Luo, Y. Qi, Health & Place 15, 2009 (zones); D. Dai, Health & Place 16, 2010 (Gaussian).

    Parameters
    ----------
    origin, target, weight
        Pairs within reach.
    supply, demand
        Of each target; of each origin.
    choose
        Whether an origin spreads its demand over the targets that it reaches, near ones more, instead of asking for
        each of them in full: the third step of N. Wan, B. Zou, T. Sternberg, "A three-step floating catchment area
        method", International Journal of Geographical Information Science 26, 2012.
    """
    if choose:
        reached = np.bincount(origin, weights=weight, minlength=len(demand))
        weight = weight * np.divide(weight, reached[origin], out=np.zeros_like(weight), where=weight > 0)
    asked = np.bincount(target, weights=weight * demand[origin], minlength=len(supply)).astype(np.float64)
    ratio = np.divide(supply, asked, out=np.zeros(len(supply)), where=asked > 0)
    return Shares(within_reach(origin, target, weight, ratio, len(demand)), asked)
