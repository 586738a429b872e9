"""Detours: how much longer the way along the streets is than the straight line, between places that are near."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.coverage.permeability.shared_ground import Parts
    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["LONGEST", "Places", "detours"]

# A way of more than so many times the straight line, or none at all, counts as so many: the mean stays a mean of what
# people do, and the search stays near.
LONGEST = 3.0
# Origins searched from at a time: what is found for them is held in memory.
_BATCH = 256


class Places(NamedTuple):
    """Places between which ways are measured: (n, 2) metres, and the node of each, or its access to the streets."""

    xy: Floats
    way_in: Longs | Access


def detours(
    network: StreetNetwork,
    places: Places,
    parts: Parts,
    unit_ids: Sequence[str],
    *,
    ring: tuple[float, float],
    origins: int | None,
    seed: int,
) -> dict[str, Floats]:
    """Way over straight line from places of each unit to all places some distance around them.

    Parameters
    ----------
    network
        The prepared streets.
    places, parts
        The places, and which of them lie in which unit.
    unit_ids
        Id of each unit: which places are drawn hangs on it and the seed alone, not on the other units.
    ring
        The least and the greatest straight distance, metres.
    origins
        From how many places of a unit, drawn at random; None means from all.
    seed
        Of the draw.

    Returns
    -------
    ``detour_mean``, ``detour_median`` (ways beyond `LONGEST` count as that), ``detour_far_share`` (the share of such
    pairs), ``detour_pairs``, each (units,), NaN without pairs.
    """
    drawn = [
        _draw(parts.thing[parts.unit == unit], origins, [seed, crc32(name.encode())])
        for unit, name in enumerate(unit_ids)
    ]
    every = np.unique(np.concatenate([*drawn, np.empty(0, dtype=np.int64)]))
    found = [_ratios(network, places, every[i : i + _BATCH], ring) for i in range(0, len(every), _BATCH)]
    origin = np.concatenate([*(f[0] for f in found), np.empty(0, dtype=np.int64)])
    ratio = np.concatenate([*(f[1] for f in found), np.empty(0)])
    start = np.searchsorted(origin, np.arange(len(places.xy) + 1))
    out = {name: np.full(len(unit_ids), np.nan) for name in ("detour_mean", "detour_median", "detour_far_share")}
    pairs = np.zeros(len(unit_ids), dtype=np.int64)
    for unit, chosen in enumerate(drawn):
        own = np.concatenate([*(ratio[start[place] : start[place + 1]] for place in chosen), np.empty(0)])
        pairs[unit] = len(own)
        if len(own):
            out["detour_mean"][unit] = own.mean()
            out["detour_median"][unit] = np.median(own)
            out["detour_far_share"][unit] = (own >= LONGEST).mean()
    return {**out, "detour_pairs": pairs}


def _draw(places: Longs, count: int | None, seed: list[int]) -> Longs:
    if count is None or len(places) <= count:
        return np.sort(places)
    return np.sort(np.random.default_rng(seed).choice(np.sort(places), count, replace=False))


def _ratios(network: StreetNetwork, places: Places, origins: Longs, ring: tuple[float, float]) -> tuple[Longs, Floats]:
    """Origin (rising) and detour of each pair, from some places to all others in the ring around them."""
    from scipy.spatial import cKDTree

    near = cKDTree(places.xy).query_ball_point(places.xy[origins], ring[1], return_sorted=True)
    origin = np.repeat(np.arange(len(origins)), [len(n) for n in near])
    target = np.concatenate([*near, np.empty(0)]).astype(np.int64)
    straight = np.hypot(*(places.xy[target] - places.xy[origins[origin]]).T)
    kept = (straight >= ring[0]) & (straight > 0)
    origin, target, straight = origin[kept], target[kept], straight[kept]
    way = _ways(network, places, origins, LONGEST * ring[1])[origin, target]
    return origins[origin], np.clip(way / straight, 1.0, LONGEST)


def _ways(network: StreetNetwork, places: Places, origins: Longs, limit: float) -> Floats:
    """Metres along the streets from some places to all places, (origins, places), infinite beyond the limit."""
    from gridmap.network.bounded import nodes_within, within

    out = np.full((len(origins), len(places.xy)), np.inf)
    if not isinstance(places.way_in, np.ndarray):
        pairs = within(network, places.way_in, places.way_in.take(origins), by="metres", limit=limit)
        out[pairs.origin, pairs.target] = pairs.cost
        return out
    found = nodes_within(network, places.way_in[origins], by="metres", limit=limit)
    place = np.full(network.graph.n_nodes, -1)
    place[places.way_in] = np.arange(len(places.way_in))
    origin = np.repeat(np.arange(len(origins)), np.diff(found.origin_ptr))
    kept = place[found.node] >= 0
    out[origin[kept], place[found.node[kept]]] = found.cost[kept]
    return out
