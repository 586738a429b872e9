"""Levels above the community: the same land and the same sums, with fewer borders."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

import gridmap as gm

X, Y = 500_000, 4_400_000


def squares(names, *, width=4, side=100.0, **columns):
    """Communities in rows of `width`, each with the name of its subdistrict."""
    places = [(k % width, k // width) for k in range(len(names))]
    return gpd.GeoDataFrame(
        {"community_id": [f"{k:03d}" for k in range(len(names))], "subdistrict": names, **columns},
        geometry=[box(X + side * i, Y + side * j, X + side * (i + 1), Y + side * (j + 1)) for i, j in places],
        crs="EPSG:4548",
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.integers(0, 9000)), min_size=1, max_size=20))
def test_land_and_counts_are_conserved_and_units_do_not_overlap(rows):
    names, households = zip(*rows, strict=True)
    table = squares(list(names), households=list(households))
    units = gm.dissolve_communities(table)
    assert units["unit_id"].tolist() == sorted(set(names))
    for row in units.itertuples():
        own = table[table["subdistrict"] == row.unit_id]
        assert row.communities == len(own)
        assert row.households == own["households"].sum()
        assert row.geometry.equals(shapely.union_all(own.geometry.array))
        assert row.pieces == shapely.get_num_geometries(shapely.union_all(own.geometry.array))
    assert shapely.coverage_is_valid(units.geometry.array)
    assert units.area.sum() == pytest.approx(table.area.sum())
    city = gm.dissolve_communities(table, None)
    assert (city["households"].sum(), len(city)) == (sum(households), 1)


def test_a_hole_stays_and_the_unit_in_it_fits():
    units = gm.dissolve_communities(squares(list("甲甲甲甲乙甲甲甲甲"), width=3)).set_index("unit_id")
    assert units["holes"].to_dict() == {"乙": 0, "甲": 1}
    assert units.geometry["甲"].interiors[0].equals(units.geometry["乙"].exterior)


def test_a_unit_in_pieces_is_told_with_its_smaller_pieces():
    table = squares(list("甲甲乙甲"))
    found = gm.dissolve_communities(table).attrs["findings"]
    assert found["rule"].tolist() == ["unit_in_pieces"]
    assert found["ids"].tolist() == [["甲"]]
    assert found.geometry[0].equals(table.geometry[3])


def test_a_name_used_in_two_districts_is_two_units():
    table = squares(["城关", "城关", "河东", "城关"], district=["南区", "南区", "南区", "北区"])
    units = gm.dissolve_communities(table)
    assert units["unit_id"].tolist() == ["城关/北区", "城关/南区", "河东"]
    assert units["name"].tolist() == ["城关", "城关", "河东"]
    assert units["district"].tolist() == ["北区", "南区", "南区"]
    assert gm.dissolve_communities(table, "district")["communities"].tolist() == [1, 3]


def test_cracks_in_a_unit_are_closed_and_those_to_another_are_not():
    table = squares(list("甲甲乙"), households=[1, 2, 3])
    table.loc[0, "geometry"] = box(X, Y, X + 99.8, Y + 100)
    table.loc[1, "geometry"] = box(X + 100, Y, X + 199.8, Y + 100)
    units = gm.dissolve_communities(table).set_index("unit_id")
    whole = box(X, Y, X + 199.8, Y + 100)
    assert units.geometry["甲"].symmetric_difference(whole).area == pytest.approx(0, abs=1e-6)
    assert units.geometry["乙"].equals(table.geometry[2])
    found = units.attrs["findings"]
    assert found["rule"].tolist() == ["unit_cracks"]
    assert "20.0 m²" in found["message"][0]


def test_land_of_another_unit_is_no_crack():
    table = squares(list("甲甲乙"))
    table.geometry = [
        box(X, Y, X + 99.8, Y + 100), box(X + 100, Y, X + 200, Y + 100), box(X + 99.8, Y + 20, X + 100, Y + 100),
    ]  # fmt: skip
    units = gm.dissolve_communities(table).set_index("unit_id")
    assert units.geometry["乙"].intersection(units.geometry["甲"]).area == pytest.approx(0, abs=1e-6)
    assert units.area.sum() == pytest.approx(2e4)


def test_communities_without_a_unit_and_counts_not_known_are_told():
    table = squares(["甲", None, " "], households=[1.0, 2.0, np.nan])
    units = gm.dissolve_communities(table)
    assert units.set_index("unit_id")["households"].to_dict() == {"without subdistrict": 2, "甲": 1}
    found = gm.dissolve_communities(table).attrs["findings"].set_index("rule")["ids"].to_dict()
    assert found == {"community_without_unit": ["001", "002"], "unit_counts_missing": ["002"]}


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(gm.OptionError, match="level='township' is no column"):
        gm.dissolve_communities(squares(["甲"]), "township")
    with pytest.raises(gm.OptionError, match="shops"):
        gm.dissolve_communities(squares(["甲"]), counts=["shops"])


def test_units_of_las_palmas_tile_the_city(data_dir):
    table = gpd.read_file(data_dir / "las_palmas" / "communities_2000.gpkg")
    table["subdistrict"] = [f"{k % 5}" for k in range(len(table))]
    units = gm.dissolve_communities(table)
    city = gm.dissolve_communities(table, None)
    assert units.area.sum() == pytest.approx(table.area.sum())
    assert units.area.sum() == pytest.approx(city.area.sum())
    assert shapely.coverage_is_valid(units.geometry.array)


def test_units_of_beijing_keep_their_land(data_dir):
    table = gpd.read_file(data_dir / "beijing_subdistricts" / "beijing_subdistricts_worldpop.gpkg")
    table = table.assign(community_id=[str(k) for k in range(len(table))], geometry=table.geometry.make_valid())
    city = gm.dissolve_communities(table, None)
    whole = shapely.union_all(table.geometry.array)
    assert city.geometry[0].symmetric_difference(whole).area <= 1e-6 * whole.area
