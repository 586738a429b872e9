"""Homes: buildings as points with households, to say how far a drawn circle is from what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.network.search import nearest

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["Homes", "find_homes"]


@dataclass(frozen=True, eq=False)
class Homes:
    """Buildings with households: their points, how many live there, how they get onto the streets."""

    network: StreetNetwork
    points: NDArray[np.object_]
    tree: shapely.STRtree
    households: NDArray[np.float64]
    access: Access

    def nearest(
        self, targets: Access, measure: str, limit: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Cost of reaching the nearest target from each home, infinite beyond the limit, and which one it is."""
        found = nearest(self.network, targets, self.access, by=measure, limit=limit)
        return getattr(found, measure)[:, 0], found.target[:, 0]

    def costs(self, targets: Access, measure: str, limit: float | None = None) -> NDArray[np.float64]:
        """Cost of reaching the nearest target from each home, infinite beyond the limit."""
        return self.nearest(targets, measure, limit)[0]

    def deviation(self, polygon: Any, covered: NDArray[np.bool_]) -> tuple[float, float, float]:
        """Households covered; of these outside a polygon; and those inside it that are not covered."""
        inside = np.zeros(len(self.points), dtype=bool)
        inside[self.tree.query(shapely.get_parts(polygon), predicate="contains")[1]] = True
        return (
            float(self.households[covered].sum()),
            float(self.households[covered & ~inside].sum()),
            float(self.households[inside & ~covered].sum()),
        )

    def fill_holes(self, polygons: NDArray[np.object_], uncovered: NDArray[np.bool_]) -> NDArray[np.object_]:
        """The polygons with their holes filled, but for those that hold uncovered households."""
        rings, owner = shapely.get_rings(polygons, return_index=True)
        if len(rings) == len(polygons):
            return polygons
        # the first ring of each polygon is its outline
        outline = np.r_[True, owner[1:] != owner[:-1]]
        holes = shapely.polygons(rings[~outline])
        hole, point = self.tree.query(holes, predicate="intersects")
        kept = np.zeros(len(holes), dtype=bool)
        kept[hole[uncovered[point]]] = True
        if kept.all():
            return polygons
        rest = np.flatnonzero(~outline)[kept]
        part = np.sort(np.concatenate([np.flatnonzero(outline), rest]))
        start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings[part]))])
        first = np.concatenate([np.flatnonzero(outline[part]), [len(part)]])
        filled = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, shapely.get_coordinates(rings[part]), (start, first)
        )
        # what stood in a hole that is filled has become part of what is around it
        island = shapely.STRtree(filled).query(holes[~kept], predicate="contains_properly")[1]
        return np.delete(np.asarray(filled, dtype=object), np.unique(island))


def find_homes(network: StreetNetwork, buildings: gpd.GeoDataFrame) -> Homes:
    """The buildings, in the CRS of the network, where somebody lives."""
    lived_in = buildings[buildings["households"] > 0]
    points = shapely.point_on_surface(np.asarray(lived_in.geometry.array))
    return Homes(
        network,
        points,
        shapely.STRtree(points),
        lived_in["households"].to_numpy(dtype=np.float64),
        network.access(np.asarray(lived_in.geometry.array), kind="building", ids=lived_in["building_id"].to_numpy()),
    )
