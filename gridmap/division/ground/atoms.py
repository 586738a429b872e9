"""Atoms: the smallest pieces that the division never cuts, and which of them touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.adjacency import borders
from gridmap.division.ground.blocks import Blocks, find_blocks, on_lines
from gridmap.division.ground.borders import SHORTEST_JOIN
from gridmap.division.ground.cells import find_sites, nearest_owner, ridges
from gridmap.division.ground.faces import Faces, dissolve, enclosed
from gridmap.division.ground.land import Compounds, Land, Lines, Owners, lay_out, place
from gridmap.division.ground.settle import absorb_unjoined, settle
from gridmap.division.ground.shared_vertices import share_vertices
from gridmap.division.ground.sides import Sides, node_lines
from gridmap.division.ground.slices import split_large
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table
from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Executor

    from gridmap.division.ground.slices import Splitting

__all__ = ["Ground", "make_atoms"]

# Empty pieces below this area are slivers, not land.
_SLIVER_M2 = 25.0


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
        and barrier (metres on a soft and on a hard barrier; the latter are not among `metres`), kind (border; piece
        where two pieces of a community count as adjacent; bridge where a street leads across a hard barrier).
    assignment
        building_id, unit_id, atom_id, households, community_id: one row a building inside a community, or a unit of
        one that is split.
    findings
        What was found on the way.
    """

    atoms: gpd.GeoDataFrame
    adjacency: pd.DataFrame
    assignment: pd.DataFrame
    findings: gpd.GeoDataFrame


@dataclass(frozen=True)
class _Tiles:
    """Atoms of one community as arrays: shapes, segments on its border, atom of each owner, pairs that touch."""

    shapes: np.ndarray
    rim: Sides
    atom_of_owner: np.ndarray
    pairs: pd.DataFrame


def make_atoms(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    compounds: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    upper: float | Mapping[str, float] = 500,
    weight: str | pd.Series = "households",
    whole: Collection[str] = (),
    splitting: Mapping[str, Splitting] | None = None,
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
        A compound above this is not one atom; its buildings are. One limit, or one by community_id.
    weight
        What `upper` counts: a column of buildings, or a Series by building_id.
    whole
        Compounds that are one atom whatever they hold.
    splitting
        By community_id, how a building above `upper` is split; by default it is not.
    executor
        Where communities are worked on; None for as many threads as processors.
    """
    crs = metric_crs(communities)
    communities = _sorted(to_crs(communities, crs), "community_id")
    areas = np.asarray(communities.geometry.array)
    buildings = _sorted(to_crs(buildings, crs), "building_id")
    if "households" not in buildings:
        buildings["households"] = 0.0
    loads = _loads(buildings, weight)
    home = place(shapely.point_on_surface(np.asarray(buildings.geometry.array)), areas)
    walls = Compounds.of(None if compounds is None else _sorted(to_crs(compounds, crs), "compound_id"), whole)
    lines = Lines.of(*(table if table is None else to_crs(table, crs) for table in (streets, barriers)))

    lands, owners = [], []
    for number, community_id in enumerate(communities["community_id"]):
        rows = np.flatnonzero(home == number)
        limit = upper[community_id] if isinstance(upper, Mapping) else upper
        inside, load = buildings.iloc[rows], loads[rows]
        land, who = lay_out(areas[number], community_id, inside, load, walls, lines, limit)
        if splitting is not None:
            land, who = split_large(land, who, inside, load, limit, splitting[community_id])
        lands.append(land)
        owners.append(who)
    tiles = _joined(_tile_all(lands, executor))
    found = [
        *_overlapping(communities),
        *_outside(buildings[home < 0]),
        *_across(buildings, areas, home),
        *_stacked(owners),
        *_compound_findings(buildings, walls, owners),
    ]
    atoms, adjacency, assignment = (
        pd.concat(tables, ignore_index=True) for tables in zip(*map(_tables, owners, tiles), strict=True)
    )
    return Ground(
        gpd.GeoDataFrame(atoms, geometry="geometry", crs=crs), adjacency, assignment, findings_table(found, crs=crs)
    )


def _sorted(table: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    return table.sort_values(column, kind="stable").reset_index(drop=True)


def _loads(buildings: gpd.GeoDataFrame, weight: str | pd.Series) -> np.ndarray:
    if isinstance(weight, pd.Series):
        values = weight.reindex(buildings["building_id"]).to_numpy(dtype=float)
    else:
        values = buildings[weight].to_numpy(dtype=float) if weight in buildings else np.zeros(len(buildings))
    return np.nan_to_num(values)


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
    if buildings.empty:
        return []
    return [
        finding(
            "warning", "building_outside_communities",
            f"{len(buildings):,} buildings with {buildings['households'].sum():,.0f} households lie outside every "
            "community and are in no grid.",
            status="left out", cure="Extend a community over them, or leave them out of the input.",
            ids=buildings["building_id"],
        )
    ]  # fmt: skip


def _across(buildings: gpd.GeoDataFrame, areas: np.ndarray, home: np.ndarray) -> list[dict[str, Any]]:
    inside = np.flatnonzero(home >= 0)
    shapes = np.asarray(buildings.geometry.array)[inside]
    shapely.prepare(areas)
    over = inside[~shapely.covers(areas[home[inside]], shapes) & (shapely.get_type_id(shapes) != 0)]
    if not len(over):
        return []
    return [
        finding(
            "info", "footprint_across_communities",
            f"{len(over):,} footprints cross the border of their community and were cut there; each building belongs "
            "to the community that holds its point on surface.",
            cure="Draw the border around them.", ids=buildings["building_id"].iloc[over],
        )
    ]  # fmt: skip


def _stacked(owners: list[Owners]) -> list[dict[str, Any]]:
    ids: list[str] = []
    for who in owners:
        building = who.kind[who.owner] == "building"
        shared = np.bincount(who.owner, minlength=len(who.kind))[who.owner] > 1
        whole = pd.isna(who.unit_id)
        ids += who.building_id[building & shared & whole].tolist()
    if not ids:
        return []
    return [
        finding(
            "info", "footprints_overlap",
            f"{len(ids):,} buildings lie over one another, or at the same point, and share an atom.",
            cure="Correct the footprints where they are not storeys of one building.", ids=ids,
        )
    ]  # fmt: skip


def _compound_findings(buildings: gpd.GeoDataFrame, walls: Compounds, owners: list[Owners]) -> list[dict[str, Any]]:
    """What compounds are said to hold and do not, and buildings that name a compound they do not lie in."""
    there = pd.Series(
        np.concatenate([who.compound for who in owners]),
        index=np.concatenate([who.building_id for who in owners]),
    )
    there = there[~there.index.duplicated()].reindex(buildings["building_id"])
    inside = there.notna().to_numpy()
    total = buildings["households"].fillna(0)[inside].groupby(there[inside].to_numpy()).sum()
    said = pd.Series(walls.known, index=walls.ids).sort_index()
    missing = said - total.reindex(said.index, fill_value=0.0)
    missing = missing[missing > 0.5]
    found = []
    if len(missing):
        found.append(
            finding(
                "warning", "compound_households",
                f"{len(missing):,} compounds are said to hold {missing.sum():,.0f} households more than the buildings"
                " in them (or the part of them inside the communities) do; the buildings were counted.",
                cure="Correct the households of their buildings or of the compounds.", ids=missing.index,
            )
        )  # fmt: skip
    if "compound_id" in buildings:
        named = buildings["compound_id"].astype(object)
        other = (named.isin(walls.ids) & (named.to_numpy() != there.to_numpy(dtype=object))).to_numpy()
        if other.any():
            found.append(
                finding(
                    "warning", "compound_elsewhere",
                    f"{other.sum():,} buildings name a compound that they do not lie in; their place was believed.",
                    cure="Correct compound_id, or the outline of the compound.",
                    ids=buildings["building_id"][other],
                )
            )  # fmt: skip
    return found


def _tile_all(lands: list[Land], executor: Executor | None) -> list[_Tiles]:
    """Atoms of every community; the largest are begun first, so that no worker is left with one at the end."""
    order = sorted(range(len(lands)), key=lambda i: (-len(lands[i].footprints), i))
    done = dict(zip(order, map_tasks(_tile, [lands[i] for i in order], executor), strict=True))
    return [done[i] for i in range(len(lands))]


def _joined(tiles: list[_Tiles]) -> list[_Tiles]:
    """The same with every vertex of the common border of two communities on both sides of it."""
    count = np.array([len(each.shapes) for each in tiles])
    first = np.cumsum(count) - count
    start, end, left, right = (
        np.concatenate([getattr(each.rim, name) for each in tiles]) for name in ("start", "end", "left", "right")
    )
    left = left + np.repeat(first, [len(each.rim.left) for each in tiles])
    shapes = np.concatenate([each.shapes for each in tiles])
    shapes = share_vertices(shapes, Sides(start, end, left, right))
    return [replace(each, shapes=part) for each, part in zip(tiles, np.split(shapes, first[1:]), strict=True)]


def _tile(land: Land) -> _Tiles:
    """Atoms of one community."""
    blocks = find_blocks(land)
    sites = find_sites(land, blocks)
    found, face_of = _faces(blocks, ridges(sites, blocks))
    faces, parts = found.shapes, found.sides
    owner = blocks.owner[face_of]
    anchored = owner >= 0
    bare = np.flatnonzero(~anchored)
    at = shapely.get_coordinates(shapely.point_on_surface(faces[bare]))
    owner[bare] = nearest_owner(sites, at, blocks.block[face_of[bare]])
    anchored |= _holds_point(land, faces, owner)
    crossing, dead_end = _crosses(blocks, face_of, parts), _dead_ends(land, blocks, face_of, parts)
    label = settle(owner, anchored, shapely.area(faces), parts, crossing, dead_end, _SLIVER_M2)
    label = _absorb(land, label, parts)
    used, atom = np.unique(label, return_inverse=True)
    cells = dissolve(parts, atom.ravel())
    wet = np.zeros(len(used), dtype=bool)
    wet[atom.ravel()[blocks.wet[face_of]]] = True
    wet &= used >= land.owners
    rim = cells.sides.take(cells.sides.right < 0)
    return _Tiles(cells.shapes, rim, _atom_of_owner(land, faces, owner, atom.ravel(), used), borders(land, cells, wet))


def _faces(blocks: Blocks, lines: np.ndarray) -> tuple[Faces, np.ndarray]:
    """Faces of the blocks cut along the lines, and the face of `blocks` that each lies in."""
    edges = node_lines(np.append(lines, blocks.edges), on_grid=False) if len(lines) else blocks.edges
    found = enclosed(edges)
    face_of = place(shapely.point_on_surface(found.shapes), blocks.faces)
    return found.take(face_of >= 0), face_of[face_of >= 0]


def _holds_point(land: Land, faces: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whether a face holds a building of its owner that is known as a point."""
    out = np.zeros(len(faces), dtype=bool)
    is_point = shapely.get_type_id(land.footprints) == 0
    if is_point.any():
        point, face = shapely.STRtree(faces).query(land.footprints[is_point], predicate="intersects")
        out[face[owner[face] == land.owner[is_point][point]]] = True
    return out


def _crosses(blocks: Blocks, face_of: np.ndarray, parts: Sides) -> np.ndarray:
    """Which segments part open land of two blocks."""
    a, b = face_of[parts.left], face_of[parts.right]
    open_ = (parts.right >= 0) & (blocks.owner[a] < 0) & (blocks.owner[b] < 0)
    return np.asarray(open_ & (blocks.block[a] != blocks.block[b]))


def _dead_ends(land: Land, blocks: Blocks, face_of: np.ndarray, parts: Sides) -> np.ndarray:
    """Which segments lie on a street that ends within open land."""
    a = face_of[parts.left]
    out = (parts.right >= 0) & (a == face_of[parts.right]) & (blocks.owner[a] < 0)
    out[out] = on_lines(parts.take(out), land.followed)
    return np.asarray(out)


def _absorb(land: Land, label: np.ndarray, parts: Sides) -> np.ndarray:
    """Labels after atoms that nothing joins have gone to a neighbour: empty land to any, a building to another."""
    # an owner without land of its own has no label
    count = max(int(label.max()) + 1, land.owners)
    anything = np.ones(count, dtype=bool)
    no_compound = anything.copy()
    no_compound[land.wall_owner] = False
    joins = ~on_lines(parts, land.hard)
    label = absorb_unjoined(label, parts, joins, np.arange(count) >= land.owners, anything, SHORTEST_JOIN)
    return absorb_unjoined(label, parts, joins, no_compound, no_compound, SHORTEST_JOIN)


def _atom_of_owner(land: Land, faces: np.ndarray, owner: np.ndarray, atom: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Atom of each owner; one that has none, being too small or under another's footprint, is in the atom there."""
    out = np.full(land.owners, -1)
    mine = owner < land.owners
    out[owner[mine]] = atom[mine]
    kept = used < land.owners
    out[used[kept]] = np.flatnonzero(kept)
    for lost in np.flatnonzero(out < 0):
        shape = np.r_[land.footprints[land.owner == lost], land.walls[land.wall_owner == lost]][:1]
        out[lost] = atom[place(shapely.point_on_surface(shape), faces)[0]]
    return out


def _tables(owners: Owners, tiles: _Tiles) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Atoms, adjacency and assignment of one community."""
    n = len(tiles.shapes)
    names, kind, compound = (np.full(n, value, dtype=object) for value in (None, "land", None))
    # The last one written stays: an atom is named after its compound, else after its first building.
    for which in ("building", "compound"):
        at = np.flatnonzero(owners.kind == which)[::-1]
        atom = tiles.atom_of_owner[at]
        names[atom], kind[atom], compound[atom] = owners.atom_id[at], which, owners.compound_id[at]
    bare = np.flatnonzero(kind == "land")
    middle = shapely.get_coordinates(shapely.point_on_surface(tiles.shapes[bare]))
    from_north = bare[np.lexsort((middle[:, 0], -middle[:, 1]))]
    names[from_north] = [f"l:{owners.community_id}-{i}" for i in range(1, len(bare) + 1)]

    of = tiles.atom_of_owner[owners.owner]
    atoms = pd.DataFrame(
        {
            "atom_id": names,
            "kind": kind,
            "community_id": owners.community_id,
            "compound_id": compound,
            "households": np.bincount(of, weights=owners.households, minlength=n),
            "geometry": tiles.shapes,
        }
    )
    one, other = names[tiles.pairs["a"].to_numpy()], names[tiles.pairs["b"].to_numpy()]
    adjacency = tiles.pairs.drop(columns=["a", "b"])
    adjacency.insert(0, "atom_a", np.where(one < other, one, other))
    adjacency.insert(1, "atom_b", np.where(one < other, other, one))
    assignment = pd.DataFrame(
        {
            "building_id": owners.building_id,
            "unit_id": owners.unit_id,
            "atom_id": names[of],
            "households": owners.households,
            "community_id": owners.community_id,
        }
    )
    return atoms, adjacency, assignment
