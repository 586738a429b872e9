"""Edges: streets that may all be used, noded and cut by walls, with what each edge costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.network.noding import node_lines
from gridmap.network.profiles import street_directions, street_pace
from gridmap.network.walls import Cut, Walls, cut_edges

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from gridmap.network.profiles import Profile

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

__all__ = ["Edges", "make_edges"]


class Edges(NamedTuple):
    """Straight edges, street by street and along each, before the graph puts them in its own order.

    `cut` holds nodes, both ends and pieces; `length` and `seconds` (m,) along each edge; `street` (m,) row of its
    street and `position` (m,) its place along that, 0 for the first; `forward`, `backward` (m,) whether it may be used
    from u to v and back; `mismatched` the rows whose node ids did not fit; `metres` the length of each street.
    """

    cut: Cut
    length: Floats
    seconds: Floats
    street: Longs
    position: Longs
    forward: Flags
    backward: Flags
    mismatched: Longs
    metres: Floats


def make_edges(usable: gpd.GeoDataFrame, profile: Profile, walls: Walls) -> Edges:
    """The edges of streets that are all usable, in a metric CRS.

    Columns that `StreetNetwork.from_networkx` adds: `length_metres` and `length_seconds`, which go before what is
    measured.
    """
    lines = np.asarray(usable.geometry.array, dtype=object)
    layers = usable["layer"].to_numpy(dtype=object) if "layer" in usable else None
    segments = node_lines(lines, usable["node_ids"].tolist() if "node_ids" in usable else None, layers)
    cut = cut_edges(segments.node_xy, segments.u, segments.v, walls if len(segments.u) else walls.only_barriers)
    street = segments.line[cut.origin]
    length = np.hypot(*(cut.node_xy[cut.u] - cut.node_xy[cut.v]).T)
    measured = shapely.length(lines)
    pace = street_pace(usable, profile, measured)
    if "length_metres" in usable:
        told = _told(usable, "length_metres")
        share = np.divide(told, measured, out=np.ones(len(lines)), where=(measured > 0) & np.isfinite(told))
        length = length * share[street]
    seconds = length * pace[street]
    if "length_seconds" in usable:
        told = _told(usable, "length_seconds")
        whole = np.bincount(street, weights=length, minlength=len(lines))
        known = np.isfinite(told)
        share = np.divide(told, whole, out=np.zeros(len(lines)), where=(whole > 0) & known)
        seconds = np.where(known[street], length * share[street], seconds)
    forward, backward = street_directions(usable, profile.mode)
    first = np.searchsorted(street, np.arange(len(lines)))
    return Edges(
        cut, length, seconds, street, np.arange(len(street)) - first[street],
        forward[street], backward[street], segments.mismatched, measured,
    )  # fmt: skip


def _told(usable: gpd.GeoDataFrame, column: str) -> Floats:
    """What the table says of each street, NaN where it says nothing, as of streets added by hand."""
    return usable[column].to_numpy(dtype=np.float64, na_value=np.nan)
