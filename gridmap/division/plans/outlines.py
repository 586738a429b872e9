"""Outlines: polygons of grids from the atoms in them, sharing borders vertex by vertex, drawn straight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import guide_lines
from gridmap.division.ground.sides import GRID
from gridmap.division.plans.straighten import straighten
from gridmap.errors import OptionError
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]

__all__ = ["outlines", "straight_outlines"]


def outlines(atoms: gpd.GeoDataFrame, labels: Any) -> gpd.GeoSeries:
    """Union of the atoms of each label.

    Parameters
    ----------
    atoms
        Atoms as `make_atoms` returns them.
    labels
        Label of each atom: a Series whose index is atom_id, or an array in the order of `atoms`.

    Returns
    -------
    GeoSeries
        One Polygon or MultiPolygon a label, index = label, sorted. Neighbours share each vertex of their border.

    Raises
    ------
    OptionError
        When an atom has no label.
    """
    by_row = _by_row(atoms, labels)
    number, names = pd.factorize(by_row, sort=True)
    shapes = np.asarray(atoms.geometry.array)
    order = np.argsort(number, kind="stable")
    groups = np.split(shapes[order], np.cumsum(np.bincount(number, minlength=len(names)))[:-1])
    union = [_union(group) for group in groups]
    return gpd.GeoSeries(union, index=pd.Index(names, name="label"), crs=atoms.crs)


def straight_outlines(
    atoms: gpd.GeoDataFrame,
    labels: Any,
    *,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
) -> gpd.GeoSeries:
    """Union of the atoms of each label, with the borders between grids of one community drawn straight.

    Atoms are cut where buildings are nearest, which leaves saw teeth between two grids: no one would draw them, and
    nobody lives in them. The atoms stay as they are, so that a grid's outline and the union of its atoms differ by such
    teeth, but never by a building, a compound, a wall or a street; see `gridmap.division.plans.straighten`.

    Parameters
    ----------
    atoms
        As for `outlines`, in metres, all of a community; with community_id and kind.
    labels
        As for `outlines`. No label is in two communities.
    buildings, streets, compounds, barriers
        What the borders must respect, in any CRS.

    Returns
    -------
    GeoSeries
        As from `outlines`. The outer borders of communities are kept, and so is a place where three grids meet.
    """
    by_row = _by_row(atoms, labels)
    exact = outlines(atoms, by_row)
    owner = pd.Series(pd.factorize(atoms["community_id"])[0]).groupby(by_row).first().reindex(exact.index)
    buildings = _beside(buildings, atoms)
    streets, compounds, barriers = (
        None if table is None else _beside(table, atoms) for table in (streets, compounds, barriers)
    )
    none = np.empty(0, dtype=object)
    # among the atoms are compounds that the tables lack: dedicated areas, locked grids
    whole = atoms[atoms["kind"] == "compound"]
    walls = [none if table is None else table.geometry.to_numpy() for table in (whole, compounds, barriers)]
    drawn = straighten(
        exact.to_numpy(),
        owner.to_numpy(),
        solid=buildings.geometry.to_numpy(),
        walls=_outlined(np.concatenate(walls)),
        lines=none if streets is None else streets.geometry.to_numpy(),
        guides=guide_lines(streets, compounds, barriers),
    )
    return gpd.GeoSeries(drawn, index=exact.index, crs=exact.crs)


def _beside(table: gpd.GeoDataFrame, atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows of a table that are near the atoms, in their CRS."""
    west, south, east, north = atoms.total_bounds
    around = gpd.GeoSeries([shapely.box(west - 50, south - 50, east + 50, north + 50)], crs=atoms.crs)
    if table.crs != atoms.crs:
        around = around.segmentize(1000).to_crs(table.crs)
    return to_crs(table.iloc[np.sort(table.sindex.query(around.iloc[0]))], atoms.crs)


def _outlined(shapes: Shapes) -> Shapes:
    return np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)


def _union(shapes: Shapes) -> Any:
    """Union of polygons that share their borders, or miss each other there by the last digits."""
    try:
        return shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        return shapely.union_all(shapely.make_valid(shapes), grid_size=GRID)


def _by_row(atoms: gpd.GeoDataFrame, labels: Any) -> Any:
    """The label of each atom."""
    by_row = labels.reindex(atoms["atom_id"]).to_numpy() if isinstance(labels, pd.Series) else np.asarray(labels)
    if len(by_row) != len(atoms) or pd.isna(by_row).any():
        missing = int(pd.isna(by_row).sum()) if len(by_row) == len(atoms) else len(atoms) - len(by_row)
        raise OptionError(f"labels: {missing} of {len(atoms)} atoms have none; give one label for each atom_id")
    return by_row
