"""Outlines: grids tile their community and share every vertex of their borders."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, box

from gridmap.division.ground.atoms import make_atoms
from gridmap.division.plans.outlines import outlines
from gridmap.errors import OptionError


@pytest.fixture(scope="module")
def atoms():
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 280, (60, 2)).round(2)
    houses = [box(x, y, x + 9, y + 12) for x, y in corners]
    streets = [LineString([(100, 0), (110, 300)]), LineString([(0, 150), (300, 140)])]
    return make_atoms(
        gpd.GeoDataFrame({"community_id": ["K"]}, geometry=[box(0, 0, 300, 300) - box(120, 200, 160, 260)], crs=32650),
        gpd.GeoDataFrame({"building_id": [str(i) for i in range(60)], "households": 1}, geometry=houses, crs=32650),
        gpd.GeoDataFrame({"class": "residential"}, geometry=streets, crs=32650, index=[0, 1]),
    ).atoms  # fmt: skip


@pytest.mark.parametrize("parts", [1, 2, 7, 40])
def test_outlines_tile_and_share_vertices(atoms, parts):
    labels = np.random.default_rng(parts).integers(0, parts, len(atoms))
    found = outlines(atoms, labels)
    assert found.index.tolist() == sorted(set(labels.tolist()))
    assert shapely.coverage_is_valid(found.to_numpy())
    assert found.is_valid.all()
    assert found.area.sum() == pytest.approx(atoms.area.sum(), rel=1e-12)
    for label, shape in found.items():
        assert shape.area == pytest.approx(atoms.area[labels == label].sum(), rel=1e-12)


def test_labels_may_be_a_series_by_atom_id(atoms):
    labels = pd.Series(np.where(np.arange(len(atoms)) < 5, "one", "two"), index=atoms["atom_id"]).sample(
        frac=1, random_state=1
    )
    found = outlines(atoms, labels)
    assert found["one"].area == pytest.approx(atoms.area.head(5).sum())
    assert found.crs == atoms.crs


def test_an_atom_without_label_is_an_error(atoms):
    with pytest.raises(OptionError, match=r"labels: 1 of \d+ atoms have none"):
        outlines(atoms, pd.Series(0, index=atoms["atom_id"].iloc[1:]))
    with pytest.raises(OptionError, match="have none"):
        outlines(atoms, np.zeros(3))
