"""Land: the tables of a city as plain arrays, one community at a time: what lies in it and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import NEAR, STREET_CLASSES, pieces
from gridmap.network.profiles import usable_streets

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd

__all__ = ["Compounds", "Land", "Lines", "Owners", "lay_out", "place"]

# Footprints that lie over each other deeper than this on average are one atom; less is inaccurate drawing.
OVERLAP_METRES = 0.02
# So are those that share more than this, however long and thin: the border between two atoms would cut one of them by
# as much as the audit counts (0.1 m²; half of it, as there may be neighbours on two sides).
OVERLAP_M2 = 0.05
# Streets and barriers this close to the border of the community run on it: between them there is no land.
ON_BORDER_METRES = 0.02
# Points closer than this cannot be told apart.
COINCIDENT_METRES = 0.01

# Drawn as a line in the streets table, but nothing on the ground that one walks along, or under it.
_NO_LINE = ("construction", "proposed", "abandoned", "razed", "raceway", "bus_stop", "corridor", "elevator", "platform")
_NO_TUNNEL = ("", "no", "none", "false", "0", "0.0", "building_passage")


@dataclass(frozen=True)
class Land:
    """One community as plain arrays in metres: what the land is made of and whose it is.

    Attributes
    ----------
    area
        Polygon or MultiPolygon of the community.
    footprints, owner
        Buildings cut at the community border (Polygon, MultiPolygon or Point), and the number of the owner of each.
        Buildings of one owner (a compound, footprints on top of each other) are never parted.
    walls, wall_owner
        Polygons of compounds that stay whole, and the owner of each.
    owners
        How many owners there are; their numbers run from 0.
    cuts
        Lines that bound blocks, and that a strip of empty land may be joined across: streets.
    fixed
        Lines that bound blocks and are never crossed: barriers, outlines of other compounds.
    water
        Polygons of hard barriers.
    hard, soft, followed
        Lines that borders are measured along: hard barriers, soft ones, streets and walls of all kinds.
    ways, rivers
        Lines that people may walk along and that meet a hard barrier, and hard barriers that are polygons; neither cut
        at the border of the community.
    """

    area: shapely.Geometry
    footprints: np.ndarray
    owner: np.ndarray
    walls: np.ndarray
    wall_owner: np.ndarray
    owners: int
    cuts: np.ndarray
    fixed: np.ndarray
    water: np.ndarray
    hard: np.ndarray
    soft: np.ndarray
    followed: np.ndarray
    ways: np.ndarray
    rivers: np.ndarray


@dataclass(frozen=True)
class Owners:
    """Who owns what in one community.

    Attributes
    ----------
    community_id
        Of the community.
    building_id, unit_id, households, owner, compound
        By building: its id, None, its households, the number of its owner, the compound it lies in (None outside). A
        building split by `slices.split_large` has a row for each unit.
    atom_id, kind, compound_id
        By owner: the name of its atom, ``"building"`` or ``"compound"``, and the compound it is or lies in.
    """

    community_id: str
    building_id: np.ndarray
    unit_id: np.ndarray
    households: np.ndarray
    owner: np.ndarray
    compound: np.ndarray
    atom_id: np.ndarray
    kind: np.ndarray
    compound_id: np.ndarray


@dataclass(frozen=True)
class Lines:
    """Lines of the whole city, in search trees: streets that bound blocks, streets and barriers a border may follow.

    `water` are the hard barriers that are polygons; their outlines are among `hard`. `ways` are the streets that people
    may walk along, bridges and tunnels too.
    """

    streets: shapely.STRtree
    followed: shapely.STRtree
    hard: shapely.STRtree
    soft: shapely.STRtree
    water: shapely.STRtree
    ways: shapely.STRtree

    @classmethod
    def of(cls, streets: gpd.GeoDataFrame | None, barriers: gpd.GeoDataFrame | None) -> Lines:
        """Lines of two tables."""
        none = np.empty(0, dtype=object)
        bounding = followed = hard = soft = water = ways = none
        if streets is not None and len(streets):
            shapes = np.asarray(streets.geometry.array)
            bounding = shapes[_on_the_ground(streets)]
            ways = shapes[usable_streets(streets, "walk")]
            followed = shapes[streets["class"].isin(STREET_CLASSES).to_numpy()] if "class" in streets else bounding
        if barriers is not None and len(barriers):
            shapes = np.asarray(barriers.geometry.array)
            is_soft = _text(barriers, "hard").isin(("false", "no", "0", "0.0")).to_numpy()
            polygon = np.isin(shapely.get_type_id(shapes), (3, 6))
            outline = np.where(polygon, shapely.boundary(shapes), shapes)
            hard, soft, water = outline[~is_soft], outline[is_soft], shapes[~is_soft & polygon]
        return cls(*map(shapely.STRtree, (bounding, followed, hard, soft, water, ways)))


@dataclass(frozen=True)
class Compounds:
    """Compounds of the whole city, those inside another first, so that they keep their land.

    `known` are the households they are said to hold, NaN where nothing is said; `whole` those never opened; `sealed`
    those that take no land outside their outline (column ``sealed``), as others do up to halfway to the neighbours.
    """

    shapes: np.ndarray
    ids: np.ndarray
    known: np.ndarray
    whole: np.ndarray
    tree: shapely.STRtree
    sealed: np.ndarray

    @classmethod
    def of(cls, compounds: gpd.GeoDataFrame | None, whole: Collection[str]) -> Compounds:
        """Compounds of a table sorted by id."""
        if compounds is None or not len(compounds):
            none = np.empty(0, dtype=object)
            no = np.empty(0, dtype=bool)
            return cls(none, none, np.empty(0), no, shapely.STRtree(none), no)
        known = compounds["households"] if "households" in compounds else pd.Series(np.nan, index=compounds.index)
        order = np.argsort(compounds.area.to_numpy(), kind="stable")
        shapes = np.asarray(compounds.geometry.array)[order]
        return cls(
            shapes,
            compounds["compound_id"].to_numpy(dtype=object)[order],
            known.to_numpy(dtype=float)[order],
            compounds["compound_id"].isin(list(whole)).to_numpy()[order],
            shapely.STRtree(shapes),
            (compounds["sealed"].eq(True).to_numpy() if "sealed" in compounds else np.zeros(len(order), bool))[order],
        )


def lay_out(
    area: shapely.Geometry,
    community_id: str,
    buildings: gpd.GeoDataFrame,
    loads: np.ndarray,
    compounds: Compounds,
    lines: Lines,
    upper: float,
) -> tuple[Land, Owners]:
    """Arrays of one community: footprints and compounds cut at its border, and who owns each.

    Parameters
    ----------
    area, community_id
        The community.
    buildings
        Those that belong to it, sorted by id.
    loads
        What each of them counts towards `upper`.
    compounds, lines
        Of the whole city.
    upper
        A compound that counts more is open: its buildings are owners, not the compound.
    """
    shapely.prepare(area)
    at = shapely.point_on_surface(np.asarray(buildings.geometry.array))
    footprints = _cut(np.asarray(buildings.geometry.array), area)
    wall, wall_of = _compounds_in(area, compounds)
    within = place(at, wall)
    load = np.bincount(within[within >= 0], weights=loads[within >= 0], minlength=len(wall))
    closed = (load <= upper) | compounds.whole[wall_of]

    held_by = np.where(np.append(closed, False)[within], within, -1)
    stack = _stacks(footprints)
    held_by = np.where(held_by < 0, _lowest(held_by, stack)[stack], held_by)
    free = held_by < 0
    owner = np.full(len(buildings), -1, dtype=np.int64)
    heads, owner[free] = np.unique(stack[free], return_inverse=True)
    number = np.cumsum(closed) - 1 + len(heads)
    owner[~free] = number[held_by[~free]]

    ids = buildings["building_id"].to_numpy(dtype=object)
    named = np.r_[compounds.ids[wall_of], np.array([None], dtype=object)]
    cut = shapely.area(wall) < 0.999999 * shapely.area(compounds.shapes[wall_of])
    suffix = np.where(cut, f"@{community_id}", "").astype(object)
    owners = Owners(
        community_id,
        ids,
        np.full(len(ids), None),
        np.nan_to_num(buildings["households"].to_numpy(dtype=float)),
        owner,
        named[within],
        np.r_["b:" + ids[heads], ("c:" + named[:-1] + suffix)[closed]],
        np.repeat(np.array(["building", "compound"], dtype=object), [len(heads), closed.sum()]),
        np.r_[named[within[heads]], named[:-1][closed]],
    )
    # Not cut at the border of the community: a barrier may lie between two of its pieces.
    hard, soft, followed = (_near(each, area, NEAR) for each in (lines.hard, lines.soft, lines.followed))
    rivers = _near(lines.water, area, NEAR)
    land = Land(
        area=area,
        footprints=footprints,
        owner=owner,
        walls=wall[closed],
        wall_owner=number[closed],
        owners=len(owners.atom_id),
        cuts=_drawn_to_border(_lines_within(_near(lines.streets, area, 0.0), area), area),
        fixed=np.r_[
            _drawn_to_border(_lines_within(hard, area), area),
            _drawn_to_border(_lines_within(soft, area), area),
            shapely.boundary(wall[~closed | compounds.sealed[wall_of]]),
        ],
        water=_polygons_within(_near(lines.water, area, 0.0), area),
        hard=hard,
        soft=soft,
        followed=np.r_[followed, hard, soft, shapely.boundary(wall)],
        ways=_meeting(_near(lines.ways, area, NEAR), np.r_[hard, rivers]),
        rivers=rivers,
    )
    return land, owners


def place(points: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """Index of the first polygon that each point lies in or on, -1 where there is none."""
    out = np.full(len(points), len(polygons), dtype=np.int64)
    if len(polygons):
        polygon, point = shapely.STRtree(points).query(polygons, predicate="intersects")
        np.minimum.at(out, point, polygon)
    out[out == len(polygons)] = -1
    return out


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as lower-case text, empty where nothing is said."""
    if column not in table:
        return pd.Series("", index=table.index)
    return table[column].astype(object).where(table[column].notna(), "").astype(str).str.lower()


def _on_the_ground(streets: gpd.GeoDataFrame) -> np.ndarray:
    """Which streets bound blocks: all that lie on the ground, lanes and paths too."""
    tunnel = ~_text(streets, "tunnel").isin(_NO_TUNNEL)
    return np.asarray(~(tunnel | _text(streets, "class").isin(_NO_LINE)))


def _cut(shapes: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Shapes cut at the community border; what is left of a polygon is polygons."""
    out = shapes.copy()
    over = ~shapely.covers(area, shapes)
    over &= shapely.get_type_id(shapes) != 0
    out[over] = _only_polygons(shapely.intersection(shapes[over], area))
    return out


def _only_polygons(shapes: np.ndarray) -> np.ndarray:
    out = shapes.copy()
    for i in np.flatnonzero(~np.isin(shapely.get_type_id(shapes), (3, 6))):
        parts = shapely.get_parts(shapes[i])
        out[i] = shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])
    return out


def _lines_within(lines: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Lines cut at the community border."""
    inside = shapely.contains_properly(area, lines)
    pieces = shapely.get_parts(shapely.get_parts(shapely.intersection(lines[~inside], area)))
    return np.r_[lines[inside], pieces[shapely.get_type_id(pieces) == 1]]


def _drawn_to_border(lines: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Lines that run along the community border within 2 cm, drawn on it: no hair of land is left between the two."""
    border = pieces(np.atleast_1d(shapely.boundary(area)))
    tree = shapely.STRtree(border)
    near = np.unique(tree.query(lines, predicate="dwithin", distance=ON_BORDER_METRES)[0])
    if not len(near):
        return lines
    drawn = _through(lines[near], shapely.get_point(border, 0))
    xy, line = shapely.get_coordinates(drawn, return_index=True)
    at, segment = tree.query(shapely.points(xy), predicate="dwithin", distance=ON_BORDER_METRES)
    start, end = (shapely.get_coordinates(shapely.get_point(border, k))[segment] for k in (0, 1))
    way = end - start
    along = np.clip(((xy[at] - start) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-24), 0.0, 1.0)
    place = start + along[:, None] * way
    order = np.lexsort((segment, np.hypot(*(place - xy[at]).T), at))
    moved, first = np.unique(at[order], return_index=True)
    xy[moved] = place[order[first]]
    out = lines.copy()
    out[near] = shapely.remove_repeated_points(shapely.linestrings(xy, indices=line))
    return np.asarray(out[shapely.length(out) > 0])


def _through(lines: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Lines with a vertex at each corner that they pass within 2 cm."""
    line, corner = shapely.STRtree(corners).query(lines, predicate="dwithin", distance=ON_BORDER_METRES)
    order = np.argsort(line, kind="stable")
    passing, row = np.unique(line[order], return_inverse=True)
    out = lines.copy()
    out[passing] = shapely.snap(
        lines[passing], shapely.multipoints(corners[corner[order]], indices=row), ON_BORDER_METRES
    )
    return out


def _polygons_within(polygons: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    pieces = shapely.get_parts(shapely.get_parts(shapely.intersection(polygons, area)))
    return np.asarray(pieces[shapely.get_type_id(pieces) == 3])


def _near(shapes: shapely.STRtree, area: shapely.Geometry, distance: float) -> np.ndarray:
    """Shapes within a distance of an area: exactly at 0, else at least those."""
    left, bottom, right, top = shapely.bounds(area)
    reach = shapely.box(left - distance, bottom - distance, right + distance, top + distance)
    near = shapes.geometries[np.sort(shapes.query(reach))]
    return np.asarray(near[shapely.intersects(area, near)] if distance == 0 else near)


def _meeting(ways: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """Ways that lead to hard barriers or across them."""
    return np.asarray(ways[np.unique(shapely.STRtree(ways).query(hard, predicate="dwithin", distance=NEAR)[1])])


def _compounds_in(area: shapely.Geometry, compounds: Compounds) -> tuple[np.ndarray, np.ndarray]:
    """Polygons of the compounds in a community, none over another, and the row of each."""
    if not len(compounds.shapes):
        return compounds.shapes, np.empty(0, dtype=np.int64)
    of = np.sort(compounds.tree.query(area, predicate="intersects"))
    shapes = _cut(compounds.shapes[of], area)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for one, other in sorted(zip(a[a < b].tolist(), b[a < b].tolist(), strict=True), key=lambda pair: pair[::-1]):
        if shapely.area(shapely.intersection(shapes[one], shapes[other])) > 0:
            shapes[other] = _only_polygons(np.array([shapely.difference(shapes[other], shapes[one])]))[0]
    keep = shapely.area(shapes) > 1.0
    return shapes[keep], of[keep]


def _lowest(value: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Lowest value of each group that is not -1; -1 where there is none."""
    out = np.full(group.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(out, group[value >= 0], value[value >= 0])
    return np.where(out == np.iinfo(np.int64).max, -1, out)


def _stacks(footprints: np.ndarray) -> np.ndarray:
    """For each building the first of those that lie over or under it, itself where there is none."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(footprints)
    if not n:
        return np.empty(0, dtype=np.int64)
    is_point = shapely.get_type_id(footprints) == 0
    tree = shapely.STRtree(footprints)
    a, b = tree.query(footprints, predicate="intersects")
    a, b = a[a < b], b[a < b]
    common = shapely.intersection(footprints[a], footprints[b])
    deep = 2 * shapely.area(common) > OVERLAP_METRES * shapely.length(common)
    deep |= shapely.area(common) > OVERLAP_M2
    deep |= is_point[a] | is_point[b]
    points = np.flatnonzero(is_point)
    near = shapely.STRtree(footprints[points]).query(footprints[points], "dwithin", COINCIDENT_METRES)
    a, b = np.r_[a[deep], points[near[0]]], np.r_[b[deep], points[near[1]]]
    label = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)[1]
    return np.asarray(np.unique(label, return_index=True)[1][label])
