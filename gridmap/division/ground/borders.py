"""Borders between grids: which grids are neighbours, and how much of the common border follows a street or a wall."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]

__all__ = [
    "SHORTEST_JOIN",
    "STREET_CLASSES",
    "InnerBorders",
    "along",
    "guide_lines",
    "inner_borders",
    "neighbour_table",
    "pieces",
]

#: Atoms, lots and grids are joined by a common border of at least this length, in metres (DESIGN, section 6).
SHORTEST_JOIN = 3.0
#: Classes of street that a border may follow (DESIGN, section 6).
STREET_CLASSES = (
    "residential", "primary", "secondary", "tertiary", "unclassified", "living_street", "pedestrian",
)  # fmt: skip
#: A border follows a line that is no farther than this, in metres.
NEAR = 3.0
_STEP = 2.5
# Hand-drawn neighbours that miss each other by less than this are still neighbours.
_SLACK = 1.0
_ON_EDGE = 0.1


class InnerBorders(NamedTuple):
    """Short stretches of grid outline that have another grid of the same community on the other side.

    `grid`, `other` are positions of grids; `length` metres; `middle` points. A border is in it twice, once from either
    side. A stretch beside two other grids (near a corner) is in it once for each in `grid`/`other`, with its length
    shared out.
    """

    grid: Ints
    other: Ints
    length: Floats
    middle: Shapes


def inner_borders(shapes: Shapes, owner: Ints, land: Shapes, *, step: float = _STEP) -> InnerBorders:
    """The outlines of grids in short stretches, where they border a grid of the same community.

    Parameters
    ----------
    shapes
        Grids, in metres.
    owner
        Position of each grid's community in `land`; -1 for none, such grids have no inner border.
    land
        Communities.
    step
        Longest stretch, metres.

    Notes
    -----
    A stretch counts when a grid of the same community has the very same stretch, or when its middle is within 1 m of
    such a grid and not within 0.1 m of the community's own outline. The first is so for grids that share their borders
    exactly; grids drawn by hand may miss or overlap each other a little.
    """
    rings, ring_grid = shapely.get_parts(shapely.boundary(shapes), return_index=True)
    xy, ring = shapely.get_coordinates(shapely.segmentize(rings, step), return_index=True)
    within = ring[1:] == ring[:-1]
    middle = (xy[1:] + xy[:-1])[within] / 2
    length = np.hypot(*(xy[1:] - xy[:-1])[within].T)
    grid = ring_grid[ring[:-1][within]]

    twin = _twins(middle, grid)
    shared = np.flatnonzero(twin >= 0)
    shared = shared[(owner[grid[shared]] == owner[grid[twin[shared]]]) & (owner[grid[shared]] >= 0)]
    alone = np.flatnonzero(twin < 0)
    near, other = _beside(middle[alone], grid[alone], shapes, owner, land)
    stretch = np.concatenate((shared, alone[near]))
    other = np.concatenate((grid[twin[shared]], other))
    order = np.lexsort((other, stretch))
    stretch, other = stretch[order], other[order]
    share = np.bincount(stretch, minlength=len(middle))
    return InnerBorders(grid[stretch], other, length[stretch] / share[stretch], shapely.points(middle[stretch]))


def _twins(middle: Floats, grid: Ints) -> Ints:
    """For each stretch the one of another grid at the same place to 1 mm; -1 where there is not just one."""
    place = np.round(middle * 1000)
    order = np.lexsort((grid, place[:, 1], place[:, 0]))
    same = (place[order[1:]] == place[order[:-1]]).all(axis=1) & (grid[order[1:]] != grid[order[:-1]])
    pair = same & ~np.r_[False, same[:-1]] & ~np.r_[same[1:], False]
    twin = np.full(len(middle), -1, dtype=np.intp)
    twin[order[:-1][pair]], twin[order[1:][pair]] = order[1:][pair], order[:-1][pair]
    return twin


def _beside(middle: Floats, grid: Ints, shapes: Shapes, owner: Ints, land: Shapes) -> tuple[Ints, Ints]:
    """Stretches off the community's outline, each with every other grid of the community within 1 m of it."""
    points = shapely.points(middle)
    # which points lie in a buffer is found five times sooner than how far each one is
    side, edge = shapely.STRtree(points).query(shapely.buffer(shapely.boundary(land), _ON_EDGE), predicate="intersects")
    on_edge = np.zeros(len(points), dtype=bool)
    on_edge[edge[side == owner[grid[edge]]]] = True
    off = np.flatnonzero(~on_edge & (owner[grid] >= 0))
    other, stretch = shapely.STRtree(points[off]).query(shapely.buffer(shapes, _SLACK), predicate="intersects")
    stretch = off[stretch]
    keep = (grid[stretch] != other) & (owner[grid[stretch]] == owner[other])
    return stretch[keep], other[keep]


def neighbour_table(borders: InnerBorders, ids: npt.NDArray[np.object_]) -> pd.DataFrame:
    """grid_a, grid_b, metres: pairs of neighbouring grids by id, each once, with at least 3 m of common border."""
    a, b = ids[borders.grid].astype(object), ids[borders.other].astype(object)
    table = pd.DataFrame({"grid_a": np.minimum(a, b), "grid_b": np.maximum(a, b), "metres": borders.length / 2})
    table = table.groupby(["grid_a", "grid_b"], sort=True)["metres"].sum().reset_index()
    return table[table["metres"] >= NEAR].reset_index(drop=True)


def guide_lines(
    streets: gpd.GeoDataFrame | None, compounds: gpd.GeoDataFrame | None, barriers: gpd.GeoDataFrame | None
) -> Shapes | None:
    """What a border should follow: streets of `STREET_CLASSES`, outlines of compounds, barriers; None without any.

    Tables in one CRS in metres. Streets without a column class are all taken.
    """
    found: list[Shapes] = []
    if streets is not None:
        wanted = streets["class"].isin(STREET_CLASSES).to_numpy() if "class" in streets else slice(None)
        found.append(streets.geometry.to_numpy()[wanted])
    if compounds is not None:
        found.append(shapely.boundary(compounds.geometry.to_numpy()))
    if barriers is not None:
        found.append(barriers.geometry.to_numpy())
    return np.concatenate(found) if found else None


def along(middle: Shapes, lines: Shapes) -> npt.NDArray[np.bool_]:
    """Which points lie within 3 m of any of the lines."""
    near = np.zeros(len(middle), dtype=bool)
    near[shapely.STRtree(pieces(lines)).query(middle, predicate="dwithin", distance=NEAR)[0]] = True
    return near


def pieces(shapes: Shapes) -> Shapes:
    """Lines in pieces of two points, and polygons: a tree of short lines finds what is near far sooner."""
    flat = shapely.get_dimensions(shapes) == 2
    parts = shapely.get_parts(shapes[~flat])
    xy, part = shapely.get_coordinates(parts, return_index=True)
    within = np.flatnonzero(part[1:] == part[:-1])
    return np.concatenate((shapely.linestrings(np.stack((xy[within], xy[within + 1]), axis=1)), shapes[flat]))
