"""Outlines: polygons of grids from the atoms in them, sharing borders vertex by vertex."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError

__all__ = ["outlines"]


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
    by_row = labels.reindex(atoms["atom_id"]).to_numpy() if isinstance(labels, pd.Series) else np.asarray(labels)
    if len(by_row) != len(atoms) or pd.isna(by_row).any():
        missing = int(pd.isna(by_row).sum()) if len(by_row) == len(atoms) else len(atoms) - len(by_row)
        raise OptionError(f"labels: {missing} of {len(atoms)} atoms have none; give one label for each atom_id")
    number, names = pd.factorize(by_row, sort=True)
    shapes = np.asarray(atoms.geometry.array)
    order = np.argsort(number, kind="stable")
    groups = np.split(shapes[order], np.cumsum(np.bincount(number, minlength=len(names)))[:-1])
    union = [shapely.coverage_union_all(group) for group in groups]
    return gpd.GeoSeries(union, index=pd.Index(names, name="label"), crs=atoms.crs)
