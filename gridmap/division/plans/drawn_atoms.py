"""Atoms of grids drawn by hand: each grid is cut into atoms by itself, so that it stays what its atoms make up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.adjacency import gather, metres_near, piece_pairs, sum_by_pair
from gridmap.division.ground.atoms import make_atoms
from gridmap.division.ground.borders import NEAR
from gridmap.division.ground.land import Lines
from gridmap.division.ground.shared_vertices import share_vertices
from gridmap.division.ground.sides import GRID, Sides, sides
from gridmap.division.plans.tiling import polygonal
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from gridmap.division.plans.plan import GridPlan

__all__ = ["with_atoms"]

_ALONG = 0.01
# What overlaps leave over is given to a neighbour below this, unless someone lives there.
_SLIVER_M2 = 25.0
_made: WeakKeyDictionary[GridPlan, GridPlan] = WeakKeyDictionary()


def with_atoms(plan: GridPlan) -> GridPlan:
    """The plan with atoms, their adjacency, and atom_id in its assignment; itself when it has them.

    Atoms of grids drawn by hand are made when first needed, and once for a plan: an audit does without, and they take
    as long as those of `divide`. The land of each community is parted among its grids first: where two overlap it
    belongs to the lower grid id, land in no grid goes with the neighbour of the longest border where nobody lives, and
    else stays in no grid, as an atom that can be moved into one. Each part is cut into atoms by itself, footprints and
    compounds that a border runs through included.
    """
    if plan.has_atoms:
        return plan
    if plan not in _made:
        _made[plan] = _cut(plan)
    return _made[plan]


def _cut(plan: GridPlan) -> GridPlan:
    metric = metric_crs(plan.communities)
    unit = str(plan.parameters.get("weight", "households"))
    buildings = to_crs(plan.buildings, metric)
    streets, compounds, barriers = (
        None if table is None else to_crs(table, metric) for table in (plan.streets, plan.compounds, plan.barriers)
    )
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    parts = _parts(to_crs(plan.grids, metric), to_crs(plan.communities, metric), points)
    ground = make_atoms(
        gpd.GeoDataFrame({"community_id": parts.index}, geometry=parts.geometry.to_numpy(), crs=metric),
        buildings,
        streets,
        compounds=compounds,
        barriers=barriers,
        upper=plan.parameters["upper"],
        weight=unit,
    )
    atoms, part = ground.atoms, ground.atoms["community_id"].to_numpy()
    names = pd.Series(_names(atoms["atom_id"], part, parts["title"]), index=atoms["atom_id"])
    atoms = atoms.assign(
        atom_id=names.to_numpy(),
        community_id=parts["community_id"].reindex(part).to_numpy(),
        grid_id=parts["grid_id"].reindex(part).to_numpy(),
    )
    inner = ground.adjacency[ground.adjacency["kind"] != "piece"]
    inner = inner.assign(atom_a=inner["atom_a"].map(names), atom_b=inner["atom_b"].map(names))
    atoms, across = _across(atoms, part, plan, Lines.of(streets, barriers), compounds)
    adjacency = pd.concat([inner, across[inner.columns]], ignore_index=True)
    swap = (adjacency["atom_a"] > adjacency["atom_b"]).to_numpy()
    adjacency.loc[swap, ["atom_a", "atom_b"]] = adjacency.loc[swap, ["atom_b", "atom_a"]].to_numpy()
    of = pd.Series(ground.assignment["atom_id"].map(names).to_numpy(), index=ground.assignment["building_id"])
    first = ["atom_id", "kind", "grid_id", "community_id", "compound_id", "households", "geometry"]
    return replace(
        plan,
        assignment=plan.assignment.assign(atom_id=plan.assignment["building_id"].map(of).astype(object)),
        atoms=to_crs(atoms[first], plan.communities.crs).sort_values("atom_id", ignore_index=True),
        adjacency=adjacency.sort_values(["atom_a", "atom_b"], ignore_index=True),
    )


def _names(atom_ids: pd.Series, part: np.ndarray, title: pd.Series) -> list[str]:
    """Atom ids that name the grid where those of `make_atoms` name the part."""
    out = []
    for name, number, grid in zip(atom_ids, part, title.reindex(part), strict=True):
        if name.startswith(f"l:{number}-"):
            name = f"l:{grid}-{name.rsplit('-', 1)[1]}"  # noqa: PLW2901
        out.append(f"{name.removesuffix('@' + number)}@{grid}" if name.endswith("@" + number) else name)
    return out


def _parts(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, points: np.ndarray) -> gpd.GeoDataFrame:
    """The land of each community parted among the grids: community_id, grid_id (None for none), title, geometry.

    The index numbers them so that a building on a common border goes to the part that an audit gives it to: of the
    lower community, then the lower grid id of its own grids.
    """
    grids = grids.sort_values("grid_id", ignore_index=True)
    rows: list[tuple[str, str | None, Any]] = []
    for community in communities.sort_values("community_id").itertuples():
        own = (grids["community_id"] == community.community_id).to_numpy()
        order = np.r_[np.flatnonzero(own), np.flatnonzero(~own)]
        shapes = grids.geometry.to_numpy()[order]
        near = np.sort(shapely.STRtree(shapes).query(community.geometry, predicate="intersects"))
        of, land = _parted(community.geometry, shapes[near], points)
        ids = grids["grid_id"].to_numpy()[order[near]]
        rows += [(community.community_id, ids[k] if k >= 0 else None, g) for k, g in zip(of, land, strict=True)]
    table = gpd.GeoDataFrame(rows, columns=["community_id", "grid_id", "geometry"], crs=grids.crs)
    number = table.groupby("community_id").cumcount().astype(str)
    home = table["grid_id"].map(grids.set_index("grid_id")["community_id"])
    table["title"] = table["grid_id"].where(
        home == table["community_id"], table["grid_id"].fillna(number) + "@" + table["community_id"]
    )
    table.index = pd.Index([f"{k:06d}" for k in range(len(table))])
    return table


def _parted(area: Any, shapes: np.ndarray, points: np.ndarray) -> tuple[list[int], list[Any]]:
    """Land of one community as position of the grid (-1: none, but someone lives there) and polygon, grids first."""
    rims = shapely.intersection(shapely.boundary(shapes), area)
    edges = shapely.union_all(np.r_[shapely.boundary(area), rims], grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize([edges]))
    middle = shapely.point_on_surface(faces)
    shapely.prepare(area)
    inside = shapely.intersects(area, middle)
    faces, middle = faces[inside], middle[inside]
    holder = np.full(len(faces), len(shapes))
    shape, face = shapely.STRtree(middle).query(shapes, predicate="intersects")
    np.minimum.at(holder, face, shape)
    held = np.unique(shapely.STRtree(points).query(faces, predicate="intersects")[0])
    settled = (holder < len(shapes)) & (shapely.area(faces) >= _SLIVER_M2)
    settled[held] = True
    sliver = sides(faces)
    sliver = sliver.take((sliver.right >= 0) & (sliver.left != sliver.right))
    low, high, metres = sum_by_pair(sliver.left, sliver.right, sliver.length)
    root, _ = gather(settled, shapely.area(faces), np.r_[low, high], np.r_[high, low], np.r_[metres, metres])
    holder = holder[root]
    # inhabited land in no grid: faces that touch are one part
    open_ = holder == len(shapes)
    group = np.where(open_, len(shapes) + _touching(low, high, open_), holder)
    names = np.unique(group)
    land = [shapely.coverage_union_all(faces[group == k]) for k in names]
    return [int(k) if k < len(shapes) else -1 for k in names], land


def _touching(low: np.ndarray, high: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    both = chosen[low] & chosen[high]
    ends = (low[both], high[both])
    graph = coo_array((np.ones(both.sum(), np.int8), ends), shape=(len(chosen), len(chosen)))
    return np.asarray(connected_components(graph, directed=False)[1])


def _across(
    atoms: gpd.GeoDataFrame, part: np.ndarray, plan: GridPlan, lines: Lines, compounds: gpd.GeoDataFrame | None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Atoms that share their vertices over the borders of grids too, and the borders there."""
    metric = atoms.crs
    walls = np.empty(0, dtype=object) if compounds is None else shapely.boundary(compounds.geometry.to_numpy())
    hard, soft_lines = lines.hard.geometries, lines.soft.geometries
    followed = np.r_[lines.followed.geometries, hard, soft_lines, walls]
    shapes = atoms.geometry.to_numpy().copy()
    # drawn borders that all but coincide leave needles, at which an atom may touch itself
    crossed = ~shapely.is_valid(shapes)
    shapes[crossed] = polygonal(shapely.make_valid(shapes[crossed], method="structure", keep_collapsed=False))
    land = to_crs(plan.communities, metric).set_index("community_id").geometry
    seams, found = [], []
    for name, rows in atoms.reset_index(drop=True).groupby("community_id", sort=True).groups.items():
        at = rows.to_numpy()
        shapes[at] = share_vertices(shapes[at])
        edges = sides(shapes[at])
        seam = edges.take((edges.right >= 0) & (part[at][edges.left] != part[at][edges.right]))
        seams.append(Sides(seam.start, seam.end, at[seam.left], at[seam.right]))
        pieces = piece_pairs(SimpleNamespace(area=land[name], hard=hard), shapes[at])  # type: ignore[arg-type]
        if len(pieces):
            found.append(pieces.assign(a=at[pieces["a"].astype(int)], b=at[pieces["b"].astype(int)]))
    # all communities at once: the lines are those of the whole city
    seam = Sides(*(np.concatenate([getattr(s, name) for s in seams]) for name in ("start", "end", "left", "right")))
    barred = metres_near(seam, hard, _ALONG)
    along = np.clip(metres_near(seam, followed, NEAR) - barred, 0.0, seam.length - barred)
    a, b, length, along, soft, barred = sum_by_pair(
        seam.left, seam.right, seam.length, along, metres_near(seam, soft_lines, _ALONG), barred
    )
    table = pd.DataFrame(
        {"a": a, "b": b, "metres": length - barred, "on_street": along, "soft": soft, "barrier": barred}
    ).assign(kind="border")
    table = pd.concat([table, *found], ignore_index=True).drop_duplicates(["a", "b"], keep="last")
    ids = atoms["atom_id"].to_numpy()
    table = table.assign(atom_a=ids[table["a"].astype(int)], atom_b=ids[table["b"].astype(int)])
    return atoms.set_geometry(gpd.GeoSeries(shapes, index=atoms.index, crs=metric)), table
