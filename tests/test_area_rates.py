"""Area rates: against circles that can be computed, and against buildings put down at random."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from small_towns import CRS, random_town
from test_rates import squares

from gridmap.coverage.counting.cover import cover
from gridmap.errors import OptionError
from gridmap.network.streets import StreetNetwork


def test_a_radius_covers_the_area_of_its_disc():
    homes, services, _ = random_town(3)
    result = cover(homes, services, metres=150, how="straight")
    units = squares()
    table = result.rate(by=units, weight="area").set_index(["unit_id", "category"])
    assert table.attrs["denominator"] == "area in m²"
    for category, of in services.groupby("category"):
        discs = of.geometry.buffer(150, quad_segs=64).union_all()
        for name, shape in zip(units["grid_id"], units.geometry, strict=True):
            row = table.loc[(name, category)]
            assert row["total"] == pytest.approx(shape.area)
            assert row["rate"] == pytest.approx(shape.intersection(discs).area / shape.area, abs=0.02)
            inside = int(of.geometry.intersects(shape).sum())
            assert (row["facilities"], row["institutional"]) == (inside, inside > 0)


@pytest.mark.parametrize("measure", ["metres", "minutes"])
def test_land_is_within_reach_when_a_building_there_would_be(measure):
    """2,000 buildings of one household at random places: their rate is that of the land, but for chance."""
    homes, services, streets = random_town(5)
    units = squares()
    lake = units.geometry.iloc[1].centroid.buffer(40)
    barriers = gpd.GeoDataFrame({"kind": ["lake"]}, geometry=[lake], crs=CRS)
    network = StreetNetwork.from_streets(streets, barriers=barriers)
    limit = {measure: 300.0 if measure == "metres" else 4.0}
    table = cover(homes, services, network, **limit).rate(by=units, weight="area").set_index(["unit_id", "category"])
    rng = np.random.default_rng(1)
    for name, shape in zip(units["grid_id"], units.geometry, strict=True):
        low_x, low_y, high_x, high_y = shape.bounds
        points = shapely.points(rng.uniform(low_x, high_x, 2000), rng.uniform(low_y, high_y, 2000))
        points = points[~shapely.intersects(lake, points)]
        table_of = gpd.GeoDataFrame({"building_id": np.arange(len(points)).astype(str), "households": 1.0},
                                    geometry=points, crs=CRS)  # fmt: skip
        expected = cover(table_of, services, network, **limit).rate().set_index("category")["rate"]
        for category, rate in expected.items():
            row = table.loc[(name, category)]
            assert row["total"] == pytest.approx(shape.difference(lake).area)
            # three standard deviations of a share of 2,000, and half a cell around the border
            assert row["rate"] == pytest.approx(rate, abs=3 * np.sqrt(0.25 / len(points)) + 0.02)


def test_land_needs_polygons_and_a_small_unit_counts_too():
    homes, services, _ = random_town(3)
    result = cover(homes, services, metres=150, how="straight")
    with pytest.raises(OptionError, match="plan or a GeoDataFrame of polygons"):
        result.rate(weight="area")
    at = services.geometry.iloc[0].centroid
    small = gpd.GeoDataFrame({"grid_id": ["s"]}, geometry=[at.buffer(1.0)], crs=CRS)
    rate = result.rate(by=small, weight="area").set_index("category")
    assert rate.loc[services["category"].iloc[0], "rate"] == 1
