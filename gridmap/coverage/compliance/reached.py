"""Reached: who is within the distance of a requirement, each with its own facilities, measure and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridmap.coverage.counting.along_network import nearest_along_network, nearest_by_category
from gridmap.coverage.counting.straight import speed_of, straight_by_category
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.coverage.counting.reach import Nearest

__all__ = ["reached"]


def reached(
    cover: Cover, offers: Sequence[NDArray[np.bool_]], measures: Sequence[str], limits: Sequence[float]
) -> NDArray[np.bool_]:
    """Whether each building is within the limit of a facility, for each of several questions.

    Parameters
    ----------
    cover
        Its buildings, facilities and streets are searched again, each set of facilities once a measure.
    offers
        By question, which facilities will do.
    measures
        By question ``"minutes"``, ``"metres"`` (along the streets, where the cover was counted so), or ``"radius"``:
        metres in a straight line.
    limits
        By question, in that measure.

    Returns
    -------
    ndarray
        Shape (buildings, questions).
    """
    out = np.zeros((len(cover.buildings), len(offers)), dtype=bool)
    order = np.argsort(cover.facilities["facility_id"].to_numpy(dtype=str), kind="stable")
    for measure in dict.fromkeys(measures):
        asked = [i for i, own in enumerate(measures) if own == measure and offers[i].any()]
        sets: dict[bytes, NDArray[np.int64]] = {}
        for i in asked:
            # in order of ids, so that ties do not hang on the order of rows
            sets.setdefault(offers[i].tobytes(), order[offers[i][order]])
        if not sets:
            continue
        cost = _nearest(cover, list(sets.values()), measure).cost("minutes" if measure == "minutes" else "metres")
        place = {key: number for number, key in enumerate(sets)}
        for i in asked:
            out[:, i] = cost[:, place[offers[i].tobytes()], 0] <= limits[i]
    return out


def _nearest(cover: Cover, rows: list[NDArray[np.int64]], measure: str) -> Nearest:
    """The nearest facility of each set, as the cover measures."""
    if cover.how == "straight" or measure == "radius" or cover.network is None:
        kmh = speed_of(cover.network, cover.parameters.get("profile")).kmh
        return straight_by_category(cover.buildings, cover.facilities, rows, 1, kmh)
    if cover.accesses is not None:
        return nearest_by_category(cover.network, *cover.accesses, rows, measure=measure, k=1)
    homes, services = (to_crs(table, cover.network.crs) for table in (cover.buildings, cover.facilities))
    return nearest_along_network(cover.network, homes, services, rows, measure=measure, k=1).nearest
