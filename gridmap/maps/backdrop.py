"""Backdrop: what the streets and barriers behind a map are, by the words of their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOCAL", "OTHER", "PATH", "RAIL", "RAILWAY", "SECONDARY", "TERTIARY", "THROUGH", "WATER", "barrier_kinds",
           "street_ranks"]  # fmt: skip

#: Ranks of streets, the widest first; what has no class that is known is a local street.
THROUGH, SECONDARY, TERTIARY, LOCAL, PATH, RAIL = range(6)
#: Kinds of barriers.
WATER, RAILWAY, OTHER = range(3)

_RANKS = {
    THROUGH: ("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"),
    SECONDARY: ("secondary", "secondary_link"),
    TERTIARY: ("tertiary", "tertiary_link"),
    PATH: ("footway", "path", "steps", "pedestrian", "cycleway", "track", "service", "corridor", "bridleway"),
    RAIL: ("rail", "railway", "light_rail", "subway", "tram"),
}
_RANK_OF = {name: rank for rank, names in _RANKS.items() for name in names}
_WATER = ("river", "water", "canal", "stream", "lake", "waterway", "riverbank", "drain", "reservoir", "sea")
_RAILWAYS = (*_RANKS[RAIL], "metro")


def street_ranks(streets: pd.DataFrame) -> NDArray[np.int64]:
    """Rank of each street, by its class or, in its place, highway."""
    name = next((c for c in ("class", "highway") if c in streets), None)
    if name is None:
        return np.full(len(streets), LOCAL)
    return np.asarray(streets[name].map(_RANK_OF).fillna(LOCAL).to_numpy(dtype=np.int64))


def barrier_kinds(barriers: pd.DataFrame) -> NDArray[np.int64]:
    """Kind of each barrier."""
    named = barriers.get("kind", pd.Series("", index=barriers.index)).fillna("").astype(str).str.lower()
    return np.select([named.isin(_WATER), named.isin(_RAILWAYS)], [WATER, RAILWAY], OTHER)
