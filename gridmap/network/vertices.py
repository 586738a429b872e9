"""Vertices of streets: which of them could be joined with which, so that a change knows whom it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from gridmap.network.noding import JOIN_METRES, components, read_node_ids, same_place

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

__all__ = ["Vertices", "read_vertices", "touched_knots"]


class Vertices(NamedTuple):
    """Vertices of streets, street by street.

    `xy` (n, 2) metres; `street` (n,) row of the street; `known` those with a node id, `ids` these ids. Vertices of one
    *knot* share a place (to 1 mm) or an id, in chains: only within a knot can anything be joined. `tree` finds vertices
    by place.
    """

    xy: Floats
    street: Longs
    known: Longs
    ids: Longs
    knot: Longs
    tree: Any

    @property
    def lowest_id(self) -> int:
        """The lowest node id, 0 at most: ids below it are free."""
        return min(int(self.ids.min()), 0) if len(self.ids) else 0


def read_vertices(streets: gpd.GeoDataFrame) -> Vertices:
    """The vertices of streets in a metric CRS."""
    from scipy.spatial import cKDTree

    xy, street, known, ids = _plain(streets)
    place = same_place(xy)
    # vertices and ids are the things that hang together
    first_id, code = np.unique(ids, return_inverse=True)
    knot = components(place[known], place.max(initial=-1) + 1 + code, int(place.max(initial=-1)) + 1 + len(first_id))
    return Vertices(xy, street, known, ids, knot[place], cKDTree(xy))


def touched_knots(vertices: Vertices, streets: gpd.GeoDataFrame) -> Longs:
    """The knots that vertices of some more streets could be joined with."""
    if not len(streets):
        return np.empty(0, dtype=np.int64)
    xy, _, _, ids = _plain(streets)
    near = vertices.tree.query_ball_point(xy, JOIN_METRES * (1 + 1e-9))
    found = np.array(sorted({i for some in near for i in some}), dtype=np.int64)
    same = vertices.known[np.isin(vertices.ids, ids)]
    return np.unique(vertices.knot[np.concatenate((found, same))])


def _plain(streets: gpd.GeoDataFrame) -> tuple[Floats, Longs, Longs, Longs]:
    """Vertices, their streets, those that have a node id, and these ids."""
    xy, street = shapely.get_coordinates(np.asarray(streets.geometry.array, dtype=object), return_index=True)
    street = street.astype(np.int64)
    if "node_ids" not in streets:
        return xy, street, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    read = [read_node_ids(value) for value in streets["node_ids"]]
    count = np.bincount(street, minlength=len(streets))
    fits = np.array([len(r) for r in read], dtype=np.int64) == count
    return (
        xy,
        street,
        np.flatnonzero(fits[street]),
        np.concatenate([r for r, fit in zip(read, fits, strict=True) if fit] or [np.empty(0, dtype=np.int64)]),
    )
