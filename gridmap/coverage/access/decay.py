"""Decay: how much a facility counts that is some way off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["DECAYS", "ZONES", "decay_weights", "read_decays"]

# At the threshold an exponential and a power weight have fallen to this: what lies beyond would count for little.
_AT_THRESHOLD = 0.01
# A power has no value at 0: up to this share of the threshold nothing is lost. Squared it is what is left at the end.
_NEAR = 0.1

#: W. Luo, Y. Qi, "An enhanced two-step floating catchment area (E2SFCA) method", Health & Place 15, 2009: three zones
#: of equal width (10 minutes each there) with the slower of their two sets of weights; the sharper is 1, 0.42, 0.09.
ZONES = ((1 / 3, 1.0), (2 / 3, 0.68), (1.0, 0.22))


def _gaussian(share: Floats) -> Floats:
    """D. Dai, "Black residential segregation, disparities in spatial access ...", Health & Place 16, 2010."""
    edge = np.exp(-0.5)
    return np.asarray((np.exp(-0.5 * share**2) - edge) / (1 - edge))


#: Weight by the distance as a share of the threshold, 0 to 1.
DECAYS: dict[str, Callable[[Floats], Floats]] = {
    "exponential": lambda share: _AT_THRESHOLD**share,
    "gaussian": _gaussian,
    "linear": lambda share: 1 - share,
    "power": lambda share: (np.maximum(share, _NEAR) / _NEAR) ** -2,
    "zones": lambda share: _steps(share, ZONES),
}


def read_decays(decay: Any, categories: Sequence[str]) -> dict[str, Any]:
    """The decay of each category: a name, a function or zones; one for all, or a mapping that names every category.

    Raises
    ------
    OptionError
        When a name is unknown, zones are not pairs with rising limits, or the mapping lacks a category.
    """
    given = decay if isinstance(decay, Mapping) else dict.fromkeys(categories, decay)
    missing = [c for c in categories if c not in given]
    if missing:
        raise OptionError(f"decay says nothing of category {missing[0]!r}; name every category, or give one decay.")
    return {category: _check(given[category]) for category in categories}


def decay_weights(decay: Any, cost: Floats, limit: float) -> Floats:
    """The weight of facilities at some distances, none beyond the threshold.

    Parameters
    ----------
    decay
        A name of `DECAYS`; a function of an array of distances (minutes or metres, as the threshold); or zones, pairs
        of the distance up to which a weight holds, and the weight; None for 1.
    cost, limit
        Distances of at most the threshold, and the threshold.

    Raises
    ------
    OptionError
        When a function does not return one finite weight of 0 or more for each distance.
    """
    if decay is None:
        return np.ones(len(cost))
    if isinstance(decay, str):
        return DECAYS[decay](cost / limit)
    if not callable(decay):
        return _steps(cost, decay)
    weights = np.asarray(decay(cost.copy()), dtype=np.float64)
    if weights.shape != cost.shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise OptionError("The function given as decay must return one finite weight of 0 or more for each distance.")
    return weights


def _steps(cost: Floats, zones: Sequence[tuple[float, float]]) -> Floats:
    """The weight of the first zone that reaches as far, 0 beyond the last."""
    limits, weights = np.array(zones, dtype=np.float64).T
    # thirds of a threshold are no round numbers: a hair's breadth must not decide
    return np.append(weights, 0.0)[np.searchsorted(limits * (1 + 1e-12), cost, side="left")]


def _check(decay: Any) -> Any:
    if decay is None or callable(decay):
        return decay
    if isinstance(decay, str):
        if decay not in DECAYS:
            raise OptionError(f"decay={decay!r} is unknown; use one of {', '.join(DECAYS)}, a function, or zones.")
        return decay
    try:
        pairs = np.array(decay, dtype=np.float64)
    except (TypeError, ValueError):
        pairs = np.empty(0)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (np.diff(pairs[:, 0]) <= 0).any() or not (pairs >= 0).all():
        raise OptionError(
            f"decay={decay!r} is no list of zones; give pairs of limit and weight with rising limits, for example "
            "[(5, 1), (10, 0.68), (15, 0.22)]."
        )
    return decay
