"""Atoms: the smallest pieces that the division never cuts, and which of them touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.blocks import Blocks, Land, find_blocks, is_block_street, on_lines, place
from gridmap.division.adjacency import metres_near, sum_by_pair
from gridmap.division.borders import NEAR, STREET_CLASSES
from gridmap.division.cells import find_sites, nearest_owner, ridges
from gridmap.division.settle import absorb_unjoined, settle
from gridmap.division.sides import Sides, node_lines, sides
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Ground", "make_atoms"]

# Footprints that lie over each other deeper than this on average are one atom; less is inaccurate drawing.
_OVERLAP_METRES = 0.02
# Points closer than this cannot be told apart.
_COINCIDENT_METRES = 0.01
# Empty pieces below this area are slivers, not land.
_SLIVER_M2 = 25.0
# Atoms are joined by borders of at least this length (DESIGN, section 6).
_JOINED_METRES = 3.0


@dataclass(frozen=True)
class Ground:
    """Atoms of one or more communities, which of them touch, and which building lies in which.

    Attributes
    ----------
    atoms
        atom_id, kind (building, compound, land), community_id, compound_id, households, geometry. Those of a community
        tile it; neighbours share every vertex of their border.
    adjacency
        atom_a, atom_b (a < b), metres of common border, on_street (metres of it within 3 m of a street or wall), soft
        and barrier (metres on a soft and on a hard barrier; the latter are not among `metres`), kind (border, or piece
        where two pieces of a community count as adjacent).
    assignment
        building_id, atom_id, households, community_id: one row a building inside a community.
    findings
        What was found on the way.
    """

    atoms: gpd.GeoDataFrame
    adjacency: pd.DataFrame
    assignment: pd.DataFrame
    findings: gpd.GeoDataFrame


@dataclass(frozen=True)
class _Task:
    """One community: its land, and the lines that its borders are measured against."""

    land: Land
    closed: np.ndarray
    streets: np.ndarray
    hard: np.ndarray
    soft: np.ndarray


@dataclass(frozen=True)
class _Tiles:
    """Atoms of one community as arrays: shape and owner of each, atom of each owner, adjacency."""

    shapes: np.ndarray
    atom_of_owner: np.ndarray
    adjacency: pd.DataFrame


def make_atoms(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    compounds: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    upper: float = 500,
    weight: str | pd.Series = "households",
    executor: Executor | None = None,
) -> Ground:
    """Cut communities into the pieces that a division never cuts.

    A compound is one atom, unless it holds more than `upper`; elsewhere each building is one, with the land that is
    nearer to it than to any other building of its block. Large empty land becomes atoms of its own. No footprint is
    cut, except by the border of a community.

    Parameters
    ----------
    communities, buildings, streets, compounds, barriers
        Tables as `check_table` returns them. Work is done in the metric CRS of the communities, and the result is in
        it. Without streets a community is one block.
    upper
        A compound above this is not one atom; its buildings are.
    weight
        What `upper` counts: a column of buildings, or a Series by building_id.
    executor
        Where communities are worked on; in order, one after another, without one.
    """
    crs = metric_crs(communities)
    communities = _sorted(to_crs(communities, crs), "community_id")
    buildings = _sorted(to_crs(buildings, crs), "building_id")
    streets = None if streets is None else to_crs(streets, crs)
    compounds = None if compounds is None else _sorted(to_crs(compounds, crs), "compound_id")
    barriers = None if barriers is None else to_crs(barriers, crs)
    found: list[dict[str, Any]] = _overlapping(communities)
    buildings["_community"] = place(_points(buildings), np.asarray(communities.geometry.array))
    found += _outside(buildings)
    buildings = buildings[buildings["_community"] >= 0].reset_index(drop=True)
    buildings["_weight"] = _weights(buildings, weight)
    if "households" not in buildings:
        buildings["households"] = 0.0

    lines = _Lines.of(streets, barriers)
    walls = _Walls.of(compounds)
    groups = buildings.groupby("_community").indices
    tasks, rosters = [], []
    for number, area in enumerate(communities.geometry.array):
        rows = buildings.iloc[groups.get(number, np.empty(0, dtype=np.int64))]
        task, roster = _task(area, communities["community_id"].iloc[number], rows, walls, lines, upper, found)
        tasks.append(task)
        rosters.append(roster)
    results = list(executor.map(_tile, tasks)) if executor is not None else [_tile(task) for task in tasks]
    return _ground(communities, rosters, results, found, crs)


@dataclass(frozen=True)
class _Lines:
    """Lines of the whole city, found by tree: those that bound blocks, and which of them are what."""

    streets: np.ndarray
    on_street: np.ndarray
    hard: np.ndarray
    soft: np.ndarray
    water: np.ndarray

    @classmethod
    def of(cls, streets: gpd.GeoDataFrame | None, barriers: gpd.GeoDataFrame | None) -> _Lines:
        none = np.empty(0, dtype=object)
        bounding = counted = hard = soft = water = none
        if streets is not None and len(streets):
            shapes = np.asarray(streets.geometry.array)
            bounding = shapes[is_block_street(streets)]
            counted = shapes[streets["class"].isin(STREET_CLASSES).to_numpy()] if "class" in streets else bounding
        if barriers is not None and len(barriers):
            shapes = np.asarray(barriers.geometry.array)
            is_hard = np.ones(len(barriers), dtype=bool)
            if "hard" in barriers:
                is_hard = ~barriers["hard"].astype(str).str.lower().isin(("false", "no", "0", "0.0")).to_numpy()
            polygon = np.isin(shapely.get_type_id(shapes), (3, 6))
            outline = np.where(polygon, shapely.boundary(shapes), shapes)
            hard, soft, water = outline[is_hard], outline[~is_hard], shapes[is_hard & polygon]
        return cls(bounding, counted, hard, soft, water)


@dataclass(frozen=True)
class _Walls:
    """Compounds of the whole city."""

    shapes: np.ndarray
    ids: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, compounds: gpd.GeoDataFrame | None) -> _Walls:
        if compounds is None or not len(compounds):
            return cls(np.empty(0, dtype=object), np.empty(0, dtype=object), np.empty(0))
        known = compounds["households"] if "households" in compounds else pd.Series(np.nan, index=compounds.index)
        # A compound inside another comes first, so that it keeps its land.
        order = np.argsort(compounds.area.to_numpy(), kind="stable")
        return cls(
            np.asarray(compounds.geometry.array)[order],
            compounds["compound_id"].to_numpy(dtype=object)[order],
            known.to_numpy(dtype=float)[order],
        )


@dataclass(frozen=True)
class _Roster:
    """Who owns what in one community: building ids and weights, owner of each, and what each owner is."""

    community_id: str
    building_id: np.ndarray
    households: np.ndarray
    owner: np.ndarray
    atom_id: np.ndarray
    kind: np.ndarray
    compound_id: np.ndarray


def _sorted(table: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    return table.sort_values(column, kind="stable").reset_index(drop=True)


def _points(table: gpd.GeoDataFrame) -> np.ndarray:
    return np.asarray(shapely.point_on_surface(np.asarray(table.geometry.array)))


def _weights(buildings: gpd.GeoDataFrame, weight: str | pd.Series) -> np.ndarray:
    if isinstance(weight, pd.Series):
        return np.nan_to_num(weight.reindex(buildings["building_id"]).to_numpy(dtype=float))
    if weight not in buildings:
        return np.zeros(len(buildings))
    return np.nan_to_num(buildings[weight].to_numpy(dtype=float))


def _overlapping(communities: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    shapes, ids = np.asarray(communities.geometry.array), communities["community_id"].to_numpy()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    common = shapely.intersection(shapes[a], shapes[b])
    area = shapely.area(common)
    limit = np.maximum(1e-6 * np.minimum(shapely.area(shapes[a]), shapely.area(shapes[b])), 0.01)
    return [
        finding(
            "warning", "communities_overlap",
            f"Communities {ids[a[k]]} and {ids[b[k]]} overlap by {area[k]:,.0f} m²; "
            f"buildings there were given to {ids[a[k]]}.",
            cure="Correct the border of one of them.", ids=(ids[a[k]], ids[b[k]]), geometry=common[k],
        )
        for k in np.flatnonzero(area > limit)
    ]  # fmt: skip


def _outside(buildings: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    out = buildings[buildings["_community"] < 0]
    if out.empty:
        return []
    lost = f", {out['households'].sum():,.0f} households" if "households" in out else ""
    return [
        finding(
            "warning", "building_outside_communities",
            f"{len(out):,} buildings{lost} lie outside every community and are in no grid.", status="left out",
            cure="Extend a community over them, or leave them out of the input.", ids=out["building_id"],
        )
    ]  # fmt: skip


def _task(
    area: shapely.Geometry,
    community_id: str,
    rows: gpd.GeoDataFrame,
    walls: _Walls,
    lines: _Lines,
    upper: float,
    found: list[dict[str, Any]],
) -> tuple[_Task, _Roster]:
    """Arrays of one community: footprints and compounds cut at its border, and who owns each."""
    shapely.prepare(area)
    footprints = _cut(np.asarray(rows.geometry.array), area)
    wall, wall_of = _compounds_in(area, walls)
    ids = rows["building_id"].to_numpy(dtype=object)
    weights, households = rows["_weight"].to_numpy(), np.nan_to_num(rows["households"].to_numpy(dtype=float))
    within = place(_points(rows), wall)
    load = np.bincount(within[within >= 0], weights=weights[within >= 0], minlength=len(wall))
    closed = load <= upper
    _check_known(walls, wall_of, within, households, rows, found)

    stack = _stacks(footprints)
    free = within < 0
    free[~free] = ~closed[within[~free]]
    owner = np.full(len(rows), -1)
    heads, owner[free] = np.unique(stack[free], return_inverse=True)
    new_number = np.cumsum(closed) - 1 + len(heads)
    owner[~free] = new_number[within[~free]]
    cut = shapely.area(wall) < 0.999999 * shapely.area(walls.shapes[wall_of]) if len(wall) else closed
    compound_names = np.array(
        [f"c:{walls.ids[w]}" + (f"@{community_id}" if c else "") for w, c in zip(wall_of, cut, strict=True)],
        dtype=object,
    )
    of_head = within[heads]
    roster = _Roster(
        community_id,
        ids,
        households,
        owner,
        np.r_[np.array([f"b:{i}" for i in ids[heads]], dtype=object), compound_names[closed]],
        np.r_[np.full(len(heads), "building", dtype=object), np.full(int(closed.sum()), "compound", dtype=object)],
        np.r_[
            np.array([walls.ids[wall_of[w]] if w >= 0 else None for w in of_head], dtype=object),
            walls.ids[wall_of[closed]],
        ],
    )
    hard, soft = _within(lines.hard, area), _within(lines.soft, area)
    land = Land(
        area,
        footprints,
        owner,
        wall[closed],
        new_number[closed],
        len(roster.atom_id),
        np.r_[_within(lines.streets, area), soft],
        np.r_[hard, np.atleast_1d(shapely.boundary(wall[~closed]))],
        _polygons_within(lines.water, area),
    )
    counted = np.r_[_near(lines.on_street, area), shapely.boundary(wall), hard, soft]
    return _Task(land, closed, counted, hard, soft), roster


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


def _within(lines: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Lines cut at the community border."""
    near = _near(lines, area, 0.0)
    inside = shapely.contains_properly(area, near)
    pieces = shapely.get_parts(shapely.get_parts(shapely.intersection(near[~inside], area)))
    return np.r_[near[inside], pieces[shapely.get_type_id(pieces) == 1]]


def _polygons_within(polygons: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    near = _near(polygons, area, 0.0)
    pieces = shapely.get_parts(shapely.get_parts(shapely.intersection(near, area)))
    return np.asarray(pieces[shapely.get_type_id(pieces) == 3])


def _near(shapes: np.ndarray, area: shapely.Geometry, distance: float = NEAR) -> np.ndarray:
    if not len(shapes):
        return shapes
    reach = shapely.box(*(np.asarray(shapely.bounds(area)) + np.array([-1, -1, 1, 1]) * distance))
    near = shapes[np.sort(shapely.STRtree(shapes).query(reach))]
    return np.asarray(near[shapely.intersects(area, near)] if distance == 0 else near)


def _compounds_in(area: shapely.Geometry, walls: _Walls) -> tuple[np.ndarray, np.ndarray]:
    """Polygons of the compounds in a community, none over another, and the row of each."""
    if not len(walls.shapes):
        return walls.shapes, np.empty(0, dtype=np.int64)
    of = np.sort(shapely.STRtree(walls.shapes).query(area, predicate="intersects"))
    shapes = _cut(walls.shapes[of], area)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for one, other in sorted(zip(a[a < b].tolist(), b[a < b].tolist(), strict=True), key=lambda pair: pair[::-1]):
        if shapely.area(shapely.intersection(shapes[one], shapes[other])) > 0:
            shapes[other] = _only_polygons(np.array([shapely.difference(shapes[other], shapes[one])]))[0]
    keep = shapely.area(shapes) > 1.0
    return shapes[keep], of[keep]


def _check_known(
    walls: _Walls,
    wall_of: np.ndarray,
    within: np.ndarray,
    households: np.ndarray,
    rows: gpd.GeoDataFrame,
    found: list[dict[str, Any]],
) -> None:
    total = np.bincount(within[within >= 0], weights=households[within >= 0], minlength=len(wall_of))
    for k in np.flatnonzero(walls.known[wall_of] > total + 0.5):
        found.append(
            finding(
                "warning", "compound_households",
                f"Compound {walls.ids[wall_of[k]]} is said to hold {walls.known[wall_of[k]]:,.0f} households, "
                f"its buildings here hold {total[k]:,.0f}; the buildings were counted.",
                cure="Correct the households of its buildings or of the compound.", ids=[walls.ids[wall_of[k]]],
            )
        )  # fmt: skip
    if "compound_id" in rows and len(rows):
        named = rows["compound_id"].notna().to_numpy()
        there = np.append(walls.ids[wall_of], None)[within]
        other = named & (rows["compound_id"].to_numpy(dtype=object) != there)
        other &= np.isin(rows["compound_id"].to_numpy(dtype=object).astype(str), walls.ids.astype(str))
        if other.any():
            found.append(
                finding(
                    "warning", "compound_elsewhere",
                    f"{other.sum():,} buildings name a compound that they do not lie in; their place was believed.",
                    cure="Correct compound_id, or the outline of the compound.", ids=rows["building_id"][other],
                )
            )  # fmt: skip


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
    deep = 2 * shapely.area(common) > _OVERLAP_METRES * shapely.length(common)
    deep |= is_point[a] | is_point[b]
    points = np.flatnonzero(is_point)
    near = shapely.STRtree(footprints[points]).query(footprints[points], "dwithin", _COINCIDENT_METRES)
    a, b = np.r_[a[deep], points[near[0]]], np.r_[b[deep], points[near[1]]]
    label = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)[1]
    return np.asarray(np.unique(label, return_index=True)[1][label])


def _tile(task: _Task) -> _Tiles:
    """Atoms of one community."""
    land = task.land
    blocks = find_blocks(land)
    sites = find_sites(land, blocks)
    faces, face_of = _faces(blocks, ridges(sites, blocks))
    owner = blocks.owner[face_of]
    open_ = owner < 0
    anchored = ~open_
    at = shapely.get_coordinates(shapely.point_on_surface(faces[open_]))
    owner[open_] = nearest_owner(sites, at, blocks.block[face_of[open_]])
    _anchor_points(land, faces, owner, anchored)
    parts = sides(faces)
    crossing = np.zeros(len(parts.left), dtype=bool)
    inner = parts.right >= 0
    crossing[inner] = _crosses(blocks, face_of[parts.left[inner]], face_of[parts.right[inner]])
    label = settle(owner, anchored, shapely.area(faces), parts, crossing, _SLIVER_M2)
    label = _absorb(task, label, parts)
    return _tiles(task, blocks, faces, face_of, label, owner)


def _faces(blocks: Blocks, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces of the blocks cut along the lines, and the face of `blocks` that each lies in."""
    edges = node_lines(np.r_[blocks.edges, lines]) if len(lines) else blocks.edges
    faces = shapely.get_parts(shapely.polygonize(edges))
    face_of = place(shapely.point_on_surface(faces), blocks.faces)
    return faces[face_of >= 0], face_of[face_of >= 0]


def _anchor_points(land: Land, faces: np.ndarray, owner: np.ndarray, anchored: np.ndarray) -> None:
    is_point = shapely.get_type_id(land.footprints) == 0
    if is_point.any():
        point, face = shapely.STRtree(faces).query(land.footprints[is_point], predicate="intersects")
        own = owner[face] == land.owner[is_point][point]
        anchored[face[own]] = True


def _crosses(blocks: Blocks, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    open_ = (blocks.owner[a] < 0) & (blocks.owner[b] < 0)
    return np.asarray(open_ & (blocks.block[a] != blocks.block[b]))


def _absorb(task: _Task, label: np.ndarray, parts: Sides) -> np.ndarray:
    count = int(label.max()) + 1
    is_compound = np.zeros(count, dtype=bool)
    is_compound[task.land.wall_owner] = True
    is_land = np.arange(count) >= task.land.owners
    joins = ~on_lines(parts, task.hard)
    label = absorb_unjoined(label, parts, joins, is_land, np.ones(count, dtype=bool), _JOINED_METRES)
    return absorb_unjoined(label, parts, joins, ~is_compound, ~is_compound, _JOINED_METRES)


def _tiles(
    task: _Task, blocks: Blocks, faces: np.ndarray, face_of: np.ndarray, label: np.ndarray, owner: np.ndarray
) -> _Tiles:
    land = task.land
    order = np.argsort(label, kind="stable")
    used, first, count = np.unique(label[order], return_index=True, return_counts=True)
    shapes = faces[order[first]].copy()
    for i in np.flatnonzero(count > 1):
        shapes[i] = shapely.coverage_union_all(faces[order[first[i] : first[i] + count[i]]])
    atom_of_label = np.full(int(max(label.max(), owner.max(), land.owners)) + 1, -1)
    atom_of_label[used] = np.arange(len(used))
    atom_of_owner = _atom_of_owner(land, faces, label, owner, atom_of_label)
    wet = np.zeros(len(used), dtype=bool)
    wet[atom_of_label[label[blocks.wet[face_of]]]] = True
    return _Tiles(shapes, atom_of_owner, _adjacency(task, shapes, wet))


def _atom_of_owner(
    land: Land, faces: np.ndarray, label: np.ndarray, owner: np.ndarray, atom_of_label: np.ndarray
) -> np.ndarray:
    """Atom of each owner: where its faces went; an owner without a face lies under another one's."""
    out = np.full(land.owners, -1)
    mine = owner < land.owners
    out[owner[mine]] = atom_of_label[label[mine]]
    kept = np.flatnonzero(atom_of_label[: land.owners] >= 0)
    out[kept] = atom_of_label[kept]
    for lost in np.flatnonzero(out < 0):
        shape = land.footprints[land.owner == lost]
        at = shape if len(shape) else land.walls[land.wall_owner == lost]
        face = place(shapely.point_on_surface(at[:1]), faces)[0]
        out[lost] = atom_of_label[label[face]]
    return out


def _adjacency(task: _Task, shapes: np.ndarray, wet: np.ndarray) -> pd.DataFrame:
    parts = sides(shapes)
    inner = parts.take((parts.right >= 0) & (parts.left != parts.right))
    barred = metres_near(inner, task.hard, 0.01)
    soft = metres_near(inner, task.soft, 0.01)
    street = np.maximum(metres_near(inner, task.streets, NEAR) - barred, 0.0)
    a, b, metres, on_street, soft, barred = sum_by_pair(
        inner.left, inner.right, inner.length - barred, street, soft, barred
    )
    table = pd.DataFrame(
        {"a": a, "b": b, "metres": metres, "on_street": on_street, "soft": soft, "barrier": barred, "kind": "border"}
    )
    return pd.concat([table, _piece_pairs(task, shapes)], ignore_index=True)


def _piece_pairs(task: _Task, shapes: np.ndarray) -> pd.DataFrame:
    """The nearest atoms of each two pieces of a community, unless a hard barrier lies between them."""
    pieces = shapely.get_parts(task.land.area)
    piece = place(shapely.point_on_surface(shapes), pieces)
    rows = []
    for one in range(len(pieces)):
        for other in range(one + 1, len(pieces)):
            a, b = np.flatnonzero(piece == one), np.flatnonzero(piece == other)
            if not len(a) or not len(b):
                continue
            left, right = shapely.STRtree(shapes[b]).query_nearest(shapes[a])
            gap = shapely.distance(shapes[a[left]], shapes[b[right]])
            best = np.lexsort((b[right], a[left], gap))[0]
            low, high = sorted((int(a[left[best]]), int(b[right[best]])))
            between = shapely.shortest_line(shapes[low], shapes[high])
            if not shapely.intersects(task.hard, between).any():
                rows.append((low, high, 0.0, 0.0, 0.0, 0.0, "piece"))
    return pd.DataFrame(rows, columns=["a", "b", "metres", "on_street", "soft", "barrier", "kind"])


def _ground(
    communities: gpd.GeoDataFrame, rosters: list[_Roster], results: list[_Tiles], found: list[dict[str, Any]], crs: Any
) -> Ground:
    atoms, adjacency, assignment = [], [], []
    for roster, tiles in zip(rosters, results, strict=True):
        table, pairs, rows = _tables(roster, tiles)
        atoms.append(table)
        adjacency.append(pairs)
        assignment.append(rows)
    frame = pd.concat(atoms, ignore_index=True)
    return Ground(
        gpd.GeoDataFrame(frame, geometry="geometry", crs=crs),
        pd.concat(adjacency, ignore_index=True),
        pd.concat(assignment, ignore_index=True),
        findings_table(found, crs=crs),
    )


def _tables(roster: _Roster, tiles: _Tiles) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    n = len(tiles.shapes)
    atom_of_building = tiles.atom_of_owner[roster.owner]
    # Named after its compound, else its first building, else its place among the empty land of the community.
    names, kind = np.empty(n, dtype=object), np.full(n, "land", dtype=object)
    compound = np.full(n, None, dtype=object)
    rank = np.lexsort((np.arange(len(roster.atom_id)), roster.kind == "compound"))[::-1]
    for owner in [o for o in rank.tolist() if roster.kind[o] == "building"] + [
        o for o in rank.tolist() if roster.kind[o] == "compound"
    ]:
        atom = tiles.atom_of_owner[owner]
        names[atom], kind[atom], compound[atom] = roster.atom_id[owner], roster.kind[owner], roster.compound_id[owner]
    bare = np.flatnonzero(kind == "land")
    at = shapely.get_coordinates(shapely.point_on_surface(tiles.shapes[bare]))
    for number, atom in enumerate(bare[np.lexsort((at[:, 0], -at[:, 1]))], start=1):
        names[atom] = f"l:{roster.community_id}-{number}"
    atoms = pd.DataFrame(
        {
            "atom_id": names,
            "kind": kind,
            "community_id": roster.community_id,
            "compound_id": compound,
            "households": np.bincount(atom_of_building, weights=roster.households, minlength=n),
            "geometry": tiles.shapes,
        }
    )
    pairs = tiles.adjacency
    one, other = names[pairs["a"].to_numpy(dtype=int)], names[pairs["b"].to_numpy(dtype=int)]
    swap = (one > other).astype(bool)
    adjacency = pd.DataFrame(
        {
            "atom_a": np.where(swap, other, one),
            "atom_b": np.where(swap, one, other),
            **{c: pairs[c].to_numpy() for c in ("metres", "on_street", "soft", "barrier", "kind")},
        }
    )
    assignment = pd.DataFrame(
        {
            "building_id": roster.building_id,
            "atom_id": names[atom_of_building],
            "households": roster.households,
            "community_id": roster.community_id,
        }
    )
    return atoms, adjacency, assignment
