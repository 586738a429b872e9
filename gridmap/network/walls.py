"""Walls: what a leg may not cross, the gates in it, and the edges that it cuts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.network.ground_index import GroundIndex, index_segments

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["OUTSIDE", "Cut", "Walls", "cut_edges"]

OUTSIDE = -1
# A gate opens its wall this far around it; DESIGN, section 6. Metres.
GATE_WIDTH = 1.0
# What lies this close to a wall lies on it, which is outside. Metres.
ON_WALL = 1e-3
_CELL = 50.0


@dataclass(frozen=True, eq=False)
class Walls:
    """The walls of compounds with gates, their open gates, and hard barriers.

    Parameters
    ----------
    compound_ids, compounds
        The compounds that have gates; only these have walls.
    gate_xy, gate_compound
        The open gates, (g, 2) metres, and the row of the compound each belongs to.
    barriers
        Lines and polygons; of a polygon the outline bars.
    """

    compound_ids: Shapes
    compounds: Shapes
    gate_xy: Floats
    gate_compound: npt.NDArray[np.int32]
    barriers: Shapes

    @cached_property
    def segments(self) -> tuple[Floats, npt.NDArray[np.int32]]:
        """All walls as straight pieces, (w, 4), and the compound of each, `OUTSIDE` for a barrier."""
        areal = shapely.get_dimensions(self.barriers) == 2
        lines = np.concatenate(
            (shapely.boundary(self.compounds), shapely.boundary(self.barriers[areal]), self.barriers[~areal])
        )
        owner = np.full(len(lines), OUTSIDE, dtype=np.int32)
        owner[: len(self.compounds)] = np.arange(len(self.compounds))
        parts, part_line = shapely.get_parts(lines, return_index=True)
        xy, part = shapely.get_coordinates(parts, return_index=True)
        joined = part[:-1] == part[1:]
        pieces = np.hstack((xy[:-1], xy[1:]))[joined]
        return pieces, owner[part_line[part[:-1][joined]]]

    @cached_property
    def index(self) -> GroundIndex:
        """Ground index over the pieces of `segments`."""
        xy, _ = self.segments
        return index_segments(xy[:, :2], xy[:, 2:], _CELL)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree over the compounds."""
        return shapely.STRtree(self.compounds)

    @cached_property
    def diameter(self) -> Floats:
        """Length of the diagonal of each compound's box, metres: no leg inside it is longer."""
        low_x, low_y, high_x, high_y = shapely.bounds(self.compounds).T
        return np.hypot(high_x - low_x, high_y - low_y)

    def compound_of(self, points: Shapes) -> npt.NDArray[np.int32]:
        """The compound that each point lies in, the smallest where several do; `OUTSIDE` on the wall and beyond it."""
        found = np.full(len(points), OUTSIDE, dtype=np.int32)
        if not len(self.compounds):
            return found
        point, compound = self.tree.query(points, predicate="within")
        deep = shapely.distance(shapely.boundary(self.compounds)[compound], points[point]) > ON_WALL
        return _smallest(found, point[deep], compound[deep], shapely.area(self.compounds))

    def near_gate(self, xy: Floats, compound: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Whether an open gate of the compound named for each place is within `GATE_WIDTH` of it."""
        near = np.zeros(len(xy), dtype=bool)
        if not len(xy) or not len(self.gate_xy):
            return near
        gates = shapely.STRtree(shapely.points(self.gate_xy))
        place, gate = gates.query(shapely.points(xy), predicate="dwithin", distance=GATE_WIDTH)
        near[place[self.gate_compound[gate] == compound[place]]] = True
        return near


class Cut(NamedTuple):
    """Edges after the walls have cut them.

    `node_xy`, `u`, `v` as before with the loose ends at walls added; `origin` (m,) which edge each was part of. Where
    an edge passes a gate it is one edge in two compounds; so the compounds are told by pieces: `piece_edge` (p,),
    `piece_part` (p, 2) from where to where along it, `piece_side` (p,) the compound or `OUTSIDE`.
    """

    node_xy: Floats
    u: Longs
    v: Longs
    origin: Longs
    piece_edge: Longs
    piece_part: Floats
    piece_side: npt.NDArray[np.int32]
    cuts: int


def cut_edges(node_xy: Floats, u: Longs, v: Longs, walls: Walls) -> Cut:
    """Cut every edge where it crosses the wall of a compound more than 1 m from an open gate of it.

    Both parts stay, with loose ends that do not join. At a node that lies on a wall, away from gates, the edges inside
    and those outside come apart likewise.
    """
    n = len(u)
    if not len(walls.compounds):
        whole = np.tile((0.0, 1.0), (n, 1))
        return Cut(node_xy, u, v, np.arange(n), np.arange(n), whole, np.full(n, OUTSIDE, dtype=np.int32), 0)
    raise NotImplementedError


def _smallest(found, point, compound, area):
    order = np.lexsort((-area[compound], point))
    found[point[order]] = compound[order]
    return found
