"""The atoms of a plan as plain arrays: which of them join, what each weighs, and any of them as lots of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import SHORTEST_JOIN
from gridmap.division.ledger import building_weights, row_shares
from gridmap.division.plans.drawn_atoms import with_atoms
from gridmap.division.rules.bands import Rule
from gridmap.division.rules.pairs import apart_pairs
from gridmap.division.search.partition import lots_from_borders
from gridmap.division.search.shape import stops_at
from gridmap.errors import OptionError
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.division.plans.plan import GridPlan
    from gridmap.division.search.engine import Band, Lots

__all__ = ["PlanArrays", "band_in", "fixed_grids", "plan_arrays", "plan_unit", "rule_in", "text_ids"]


@dataclass(frozen=True)
class PlanArrays:
    """Atoms and borders of a plan.

    Attributes
    ----------
    plan, atoms, borders
        Where the arrays come from (with atoms, where grids were drawn by hand), and its atoms and adjacency.
    ids
        Index of atom_id, in the order of `plan.atoms`; all arrays follow it.
    community
        Community id of each atom, object (n,).
    households, weight
        float64 (n,): households, and what the band counts.
    a, b
        Positions of the two atoms of each border, intp (m,).
    metres
        Length of each border, float64 (m,).
    joins
        Whether one can walk across it, bool (m,).
    apart
        Positions of atoms with buildings that must not share a grid, int32 (k, 2).
    """

    plan: GridPlan
    atoms: gpd.GeoDataFrame
    borders: pd.DataFrame
    ids: pd.Index
    community: np.ndarray
    households: np.ndarray
    weight: np.ndarray
    a: np.ndarray
    b: np.ndarray
    metres: np.ndarray
    joins: np.ndarray
    apart: np.ndarray

    def pieces(self, atoms: np.ndarray) -> np.ndarray:
        """Number of the connected piece that each of the atoms listed lies in, counting only joins between them."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n, local = len(atoms), self._local(atoms)
        arcs = np.flatnonzero(self.joins & (local[self.a] >= 0) & (local[self.b] >= 0))
        ends = (local[self.a[arcs]], local[self.b[arcs]])
        graph = coo_array((np.ones(len(arcs), np.int8), ends), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1])

    def lots(self, atoms: np.ndarray, *, whole: bool = False) -> Lots:
        """The atoms listed as lots of the engine; with `whole`, pieces of them count as joined.

        Pieces that nothing joins are then strung together, each to the one before it.
        """
        local = self._local(atoms)
        shapes = to_crs(self.atoms.iloc[atoms], metric_crs(self.plan.communities))
        arcs = np.flatnonzero((local[self.a] >= 0) & (local[self.b] >= 0))
        a, b = local[self.a[arcs]], local[self.b[arcs]]
        metres, joins = self.metres[arcs], self.joins[arcs]
        on_street = self.borders["on_street"].to_numpy(np.float64)[arcs]
        if whole:
            first = np.unique(self.pieces(atoms), return_index=True)[1]
            a, b = np.r_[a, first[:-1]], np.r_[b, first[1:]]
            metres, on_street = (np.r_[v, np.zeros(len(first) - 1)] for v in (metres, on_street))
            joins = np.r_[joins, np.ones(len(first) - 1, bool)]
        apart = local[self.apart]
        middle = shapely.get_coordinates(shapely.point_on_surface(np.asarray(shapes.geometry.array)))
        return lots_from_borders(
            self.weight[atoms], shapes.area.to_numpy(), shapes.length.to_numpy(), a, b, metres, on_street, joins,
            apart[(apart >= 0).all(axis=1)].astype(np.int32), stops_at(self.weight[atoms], middle),
        )  # fmt: skip

    def _local(self, atoms: np.ndarray) -> np.ndarray:
        local = np.full(len(self.ids), -1, np.intp)
        local[atoms] = np.arange(len(atoms))
        return local


def text_ids(column: pd.Series) -> np.ndarray:
    """Ids as object (n,), None where there is none, whatever type the column has."""
    return column.astype(object).where(column.notna(), None).to_numpy(dtype=object, copy=True)


def plan_unit(plan: GridPlan) -> str:
    """The column of grids and buildings that the band counts."""
    return str(plan.parameters.get("weight", "households"))


def rule_in(plan: GridPlan, community_id: str) -> Rule:
    """The limits that hold in a community."""
    lower, upper, counted = plan.parameters["lower"], plan.parameters["upper"], plan_unit(plan)
    if "lower" in plan.grids:
        here = plan.grids[plan.grids["community_id"] == community_id].iloc[0]
        lower, upper, counted = here["lower"], here["upper"], here.get("counted", counted)
    return Rule(lower, upper if np.isfinite(upper) else np.inf, counted)


def band_in(plan: GridPlan, community_id: str) -> Band:
    """The band that holds in a community, for the engine: without a ceiling up to twice its lower limit."""
    return rule_in(plan, community_id).band


def fixed_grids(plan: GridPlan) -> dict[str, str]:
    """Why grids may not be touched, by grid id: ``"dedicated"`` or ``"locked"``."""
    grids = plan.grids
    fixed = dict.fromkeys(grids.loc[grids["kind"] == "dedicated", "grid_id"], "dedicated")
    if "locked" in grids:
        fixed |= dict.fromkeys(grids.loc[grids["locked"].fillna(False).astype(bool), "grid_id"], "locked")
    return fixed | dict.fromkeys(plan.parameters.get("locked") or (), "locked")


def plan_arrays(plan: GridPlan) -> PlanArrays:
    """Atoms and borders of a plan as arrays.

    Raises
    ------
    OptionError
        When the plan has no atoms.
    """
    plan = with_atoms(plan)
    atoms, borders = plan.atoms, plan.adjacency
    if atoms is None or borders is None:
        raise OptionError("this plan has no atoms, so nothing in it can be moved; make it with divide or from_grids")
    ids = pd.Index(atoms["atom_id"])
    metres = borders["metres"].to_numpy(np.float64)
    joins = metres >= SHORTEST_JOIN
    if "kind" in borders:
        joins |= borders["kind"].isin(["piece", "bridge"]).to_numpy()
    rows = plan.assignment.dropna(subset=["atom_id"])
    held = row_shares(rows) * rows["building_id"].map(building_weights(plan.buildings, plan_unit(plan)))
    at = ids.get_indexer(rows["atom_id"])
    return PlanArrays(
        plan,
        atoms,
        borders,
        ids,
        text_ids(atoms["community_id"]),
        atoms["households"].to_numpy(np.float64),
        np.bincount(at, held.to_numpy(np.float64), len(ids)),
        ids.get_indexer(borders["atom_a"]),
        ids.get_indexer(borders["atom_b"]),
        metres,
        joins,
        _apart(plan, rows["building_id"], at),
    )


def _apart(plan: GridPlan, buildings: pd.Series, atom: np.ndarray) -> np.ndarray:
    """Atoms that must not share a grid, int32 (k, 2); buildings that are gone, or in one atom, count no longer."""
    pairs = apart_pairs(list(map(list, plan.parameters.get("apart") or ())), buildings.to_frame(), atom)
    ends = pairs[["atom_a", "atom_b"]].to_numpy(np.int32)
    return ends[ends[:, 0] != ends[:, 1]]
