"""Pieces of ground that catchments are made of: the atoms of a plan, or the buildings; and which lie side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ledger import row_shares
from gridmap.division.plans.plan_arrays import plan_arrays
from gridmap.siting.solve.pairs import Pairs, make_pairs
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.division.plans.plan import GridPlan

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

# Land without people joins the catchments of so many sites around it.
_BARE_SITES = 8

__all__ = ["Pieces", "atoms_of", "buildings_alone", "pairs_of_pieces"]


class Pieces(NamedTuple):
    """Pieces of ground and the parts of buildings on them.

    `building`, `piece`, `share`: one entry a part; the shares of a building add up to 1. `beside`: neighbours of each
    piece. `xy`: (pieces, 2) a place on each, metres. `names`: id of each piece.
    """

    building: Longs
    piece: Longs
    share: Floats
    beside: list[list[int]]
    xy: Floats
    names: NDArray[np.object_]


def buildings_alone(xy: Floats, names: NDArray[np.object_]) -> Pieces:
    """Each building a piece; those that a Delaunay triangulation of their places joins lie side by side.

    Parameters
    ----------
    xy
        (n, 2) metres; buildings at one place are neighbours of each other, and one of them of those around.
    names
        Their ids.
    """
    every = np.arange(len(xy))
    return Pieces(every, every, np.ones(len(xy)), _lists(*_delaunay(xy), len(xy)), xy, names)


def atoms_of(plan: GridPlan, homes: gpd.GeoDataFrame, crs: object) -> Pieces:
    """The atoms of a plan, with the buildings of a table that lie on them; a building may be split between several.

    Buildings that are not in the plan are on no piece.
    """
    arrays = plan_arrays(plan)
    rows = plan.assignment.dropna(subset=["atom_id"])
    building = pd.Index(homes["building_id"]).get_indexer(pd.Index(rows["building_id"].astype(str)))
    known = building >= 0
    share = np.asarray(row_shares(rows), dtype=np.float64)
    whole = np.bincount(building[known], weights=share[known], minlength=len(homes))
    shapes = np.asarray(to_crs(arrays.atoms, crs).geometry.array, dtype=object)
    return Pieces(
        building[known].astype(np.int64),
        arrays.ids.get_indexer(pd.Index(rows["atom_id"]))[known].astype(np.int64),
        share[known] / whole[building[known]],
        _lists(arrays.a[arrays.joins], arrays.b[arrays.joins], len(arrays.ids)),
        shapely.get_coordinates(shapely.point_on_surface(shapes)),
        arrays.ids.to_numpy(dtype=object),
    )


def pairs_of_pieces(pieces: Pieces, pairs: Pairs, counts: Floats, sites_xy: Floats) -> tuple[Pairs, Floats]:
    """Which sites a whole piece reaches at which mean cost for its people, and how many they are.

    A piece reaches the sites that all its people reach who reach any. Land without people reaches the sites nearest to
    it, at the straight distance: it joins what lies around it.
    """
    served = np.diff(pairs.demand_ptr) > 0
    part = counts[pieces.building] * pieces.share * served[pieces.building]
    count = len(pieces.beside)
    weight = np.bincount(pieces.piece, weights=part, minlength=count).astype(np.float64)
    own = np.flatnonzero(part > 0)
    size = np.diff(pairs.demand_ptr)[pieces.building[own]]
    at = np.repeat(pairs.demand_ptr[pieces.building[own]], size) + _counted(size)
    piece, people = np.repeat(pieces.piece[own], size), np.repeat(part[own], size)
    key = piece * pairs.sites + pairs.site[at]
    keys, slot = np.unique(key, return_inverse=True)
    met = np.bincount(slot, weights=people, minlength=len(keys))
    cost = np.bincount(slot, weights=people * pairs.cost[at], minlength=len(keys))
    all_met = met >= weight[keys // pairs.sites] * (1 - 1e-9) if len(keys) else np.zeros(0, dtype=np.bool_)
    keys, cost, met = keys[all_met], cost[all_met], met[all_met]
    bare = np.flatnonzero(weight == 0)
    sites, far = _nearest_sites(pieces.xy[bare], sites_xy)
    whole = make_pairs(
        np.concatenate((keys // pairs.sites, np.repeat(bare, sites.shape[1]))),
        np.concatenate((keys % pairs.sites, sites.ravel())),
        np.concatenate((cost / met, far.ravel())), count, pairs.sites,
    )  # fmt: skip
    return whole, weight


def _nearest_sites(xy: Floats, sites_xy: Floats) -> tuple[Longs, Floats]:
    """The sites nearest to each place, and how far they are; both (places, some)."""
    from scipy.spatial import cKDTree

    some = min(_BARE_SITES, len(sites_xy))
    far, sites = cKDTree(sites_xy).query(xy, k=np.arange(1, some + 1))
    return np.asarray(sites, dtype=np.int64).reshape(-1, some), np.asarray(far, dtype=np.float64).reshape(-1, some)


def _counted(size: Longs) -> Longs:
    """0, 1, ... within each run of the given sizes."""
    return np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)


def _delaunay(xy: Floats) -> tuple[Longs, Longs]:
    from scipy.spatial import Delaunay, QhullError

    places, first, back = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    back = back.reshape(-1)
    twin = np.flatnonzero(first[back] != np.arange(len(xy)))
    try:
        corners = Delaunay(places).simplices if len(places) > 3 else _chain(len(places))
    except QhullError:
        # all in one line
        corners = _chain(len(places))
    a = np.concatenate([corners[:, i] for i in range(corners.shape[1])])
    b = np.concatenate([np.roll(corners, -1, axis=1)[:, i] for i in range(corners.shape[1])])
    return np.concatenate((first[a], twin)), np.concatenate((first[b], first[back[twin]]))


def _chain(count: int) -> Longs:
    """Each place with the next one, in order of their coordinates."""
    return np.column_stack((np.arange(count - 1), np.arange(1, count))).reshape(-1, 2)


def _lists(a: NDArray[np.integer], b: NDArray[np.integer], count: int) -> list[list[int]]:
    beside: list[set[int]] = [set() for _ in range(count)]
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        if one != other:
            beside[one].add(other)
            beside[other].add(one)
    return [sorted(own) for own in beside]
