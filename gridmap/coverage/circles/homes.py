"""Homes: buildings as points with households, to say how far a drawn circle is from what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.bounded import within
from gridmap.network.search import nearest_of_each_kind

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

    Flags = NDArray[np.bool_]

__all__ = ["Homes", "find_homes"]


@dataclass(frozen=True, eq=False)
class Homes:
    """Buildings with households, sorted by y: their places, how many live there, how they get onto the streets."""

    network: StreetNetwork
    xy: NDArray[np.float64]
    households: NDArray[np.float64]
    access: Access

    def nearest(
        self,
        targets: Access,
        kind: NDArray[np.integer[Any]],
        kinds: int,
        measure: str,
        limit: float,
        executor: Any = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Cost of reaching the nearest target of each kind from each home, and which: (kinds, homes); inf for none."""
        found = nearest_of_each_kind(
            self.network, targets, kind, self.access, kinds=kinds, by=measure, limit=limit, executor=executor
        )
        return getattr(found, measure)[:, :, 0].T, found.target[:, :, 0].T

    def within(
        self, targets: Access, measure: str, limit: float, executor: Any = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Homes within the limit of each target, and their costs: those of target i are ``ptr[i]:ptr[i + 1]``."""
        found = within(self.network, targets, self.access, by=measure, limit=limit, executor=executor)
        order = np.argsort(found.target, kind="stable")
        ptr = np.append(0, np.cumsum(np.bincount(found.target, minlength=len(targets))))
        return ptr, found.origin[order], found.cost[order]

    def deviation(self, polygon: Any, covered: Flags) -> tuple[float, float, float]:
        """Households covered; of these outside a polygon; and those inside it that are not covered."""
        from gridmap.coverage.circles.inside_kernel import points_in_rings

        vertices, start, _ = _rings(polygon)
        inside, _ = points_in_rings(vertices, start, self.xy, covered)
        return (
            float(self.households[covered].sum()),
            float(self.households[covered & ~inside].sum()),
            float(self.households[inside & ~covered].sum()),
        )

    def fill_holes(self, polygons: NDArray[np.object_], uncovered: Flags) -> NDArray[np.object_]:
        """The polygons with their holes filled, but for those that hold uncovered households."""
        from gridmap.coverage.circles.inside_kernel import points_in_rings

        vertices, start, owner = _rings(polygons)
        if len(owner) == len(polygons):
            return polygons
        _, kept = points_in_rings(vertices, start, self.xy, uncovered)
        # the first ring of each polygon is its outline
        first = np.searchsorted(owner, np.arange(len(polygons) + 1))
        kept[first[:-1]] = True
        if kept.all():
            return polygons
        size = np.diff(start)
        filled = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON,
            vertices[np.repeat(kept, size)],
            (np.append(0, np.cumsum(size[kept])), np.append(0, np.cumsum(kept))[first]),
        )
        # what stood in a hole that is filled has become part of what is around it
        gone = np.flatnonzero(~kept)
        parts, part = np.repeat(~kept, size), np.repeat(np.arange(len(gone)), size[gone])
        holes = shapely.polygons(shapely.linearrings(vertices[parts], indices=part))
        island = shapely.STRtree(filled).query(holes, predicate="contains_properly")[1]
        return np.delete(np.asarray(filled, dtype=object), np.unique(island))


def find_homes(network: StreetNetwork, buildings: gpd.GeoDataFrame) -> Homes:
    """The buildings, in the CRS of the network, where somebody lives."""
    lived_in = buildings[buildings["households"] > 0]
    points = shapely.point_on_surface(np.asarray(lived_in.geometry.array))
    xy = shapely.get_coordinates(points)
    order = np.lexsort((lived_in["building_id"].to_numpy(dtype=str), xy[:, 0], xy[:, 1]))
    return Homes(
        network,
        np.ascontiguousarray(xy[order]),
        lived_in["households"].to_numpy(dtype=np.float64)[order],
        network.access(points[order], kind="building", ids=lived_in["building_id"].to_numpy()[order]),
    )


def _rings(polygons: Any) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Vertices of all rings of polygons, where those of each ring begin, and which polygon it is of."""
    rings, owner = shapely.get_rings(shapely.get_parts(polygons), return_index=True)
    start = np.append(0, np.cumsum(shapely.get_num_coordinates(rings))).astype(np.int64)
    return shapely.get_coordinates(rings), start, owner
