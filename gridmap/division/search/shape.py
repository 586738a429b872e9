"""What the shape of a division costs where its parts are as legal as those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gridmap.division.search.engine import Band, Lots

__all__ = ["BALANCE", "NO_STOPS", "STREETS", "TOURS", "compact", "shape_cost", "stops_at"]

#: Weights of balance, borders off the streets, and tours, against 1 - Polsby-Popper.
BALANCE, STREETS, TOURS = 0.1, 0.75, 0.2
#: Stops where it is not known what is called at.
NO_STOPS = np.empty((0, 4))


def stops_at(weight: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """What a worker calls at: each atom that holds something is one stop.

    Parameters
    ----------
    weight
        (n,), by atom.
    xy
        (n, 2), a point in each atom, metres.

    Returns
    -------
    ndarray
        float64 (n, 4): number of stops, their x, y and x² + y², which may be added up over atoms. In whole metres from
        the south-western corner, so that sums are exact, in whatever order.
    """
    stop = weight > 0
    x, y = np.where(stop, np.round(xy.T - np.floor(xy.min(axis=0, initial=np.inf))[:, None]), 0.0)
    return np.column_stack((stop, x, y, x**2 + y**2)).astype(np.float64)


def shape_cost(lots: Lots, label: np.ndarray, band: Band) -> float:
    """Mean over the parts of the energy that is annealed (see anneal_kernel); comparable over numbers of parts.

    A tour of n stops on an area A is about 0.7124 √(n A) long (Beardwood, Halton and Hammersley 1959). A is taken as
    the area of the disc with the moment of inertia of the stops, M = Σ (distance from their mean)²: n A = 2 π M. It is
    counted as a share of the tour of a mean part with stops spread evenly.
    """
    label = compact(label)
    source = lots.source
    inner = label[source] == label[lots.neighbour]
    perimeter = np.bincount(label, lots.perimeter) - np.bincount(
        label[source[inner]], lots.border[inner], label.max() + 1
    )
    area = np.bincount(label, lots.area)
    roundness = 4 * np.pi * area / np.maximum(perimeter, 1e-9) ** 2
    unbalance = (np.bincount(label, lots.weight) - band.target) / max(band.upper - band.lower, 1)
    off = lots.off_street[~inner].sum() / 2 / np.sqrt(area.mean())
    shape = (1 - roundness + BALANCE * unbalance**2).mean() + STREETS * off / len(area)
    return float(shape + TOURS * _tours(lots.stops, label, area.mean()))


def compact(label: np.ndarray) -> np.ndarray:
    """The same parts, numbered 0, 1, 2 ... without gaps."""
    return np.unique(label, return_inverse=True)[1].astype(np.int32)


def _tours(stops: np.ndarray, label: np.ndarray, mean_area: float) -> float:
    """Mean tour of the parts over that of an even one; 0 where stops are not known."""
    total = stops[:, 0].sum()
    if total <= 0 or mean_area <= 0:
        return 0.0
    count, x, y, squares = (np.bincount(label, column) for column in stops.T)
    inertia = np.maximum(squares - (x**2 + y**2) / np.maximum(count, 1), 0)
    return float(np.sqrt(2 * np.pi * inertia).mean() / np.sqrt(total / len(count) * mean_area))
