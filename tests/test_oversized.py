"""Oversized communities: who is, in which order, and what they could be divided into."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

import gridmap as gm

X, Y, SIDE = 500_000, 4_400_000, 1000
PARTS = ("load_part", "manageability_part", "outside_part")


def communities_table(sides=(SIDE, SIDE)):
    """Communities in a row, as wide as told and 1000 m high."""
    ends = np.cumsum([0, *sides])
    return gpd.GeoDataFrame(
        {
            "community_id": [f"10{k}" for k in range(len(sides))],
            "name": [f"社区{k}" for k in range(len(sides))],
            "subdistrict": "东街",
            "code": [f"11010100100{k}" for k in range(len(sides))],
        },
        geometry=[box(X + a, Y, X + b, Y + SIDE) for a, b in itertools.pairwise(ends)],
        crs="EPSG:4548",
    )


def homes(rows):
    """Buildings from (x, y, households)."""
    return gpd.GeoDataFrame(
        {"building_id": [f"b{k:04d}" for k in range(len(rows))], "households": [float(h) for *_, h in rows]},
        geometry=[Point(X + x, Y + y) for x, y, _ in rows],
        crs="EPSG:4548",
    )


def dense_town():
    """Two communities of 100 homes each: 9,000 and 3,000 households, with a street every 100 m."""
    places = [(x, y) for x in range(50, 2 * SIDE, 100) for y in range(50, SIDE, 100)]
    lines = [[(x, 0), (x, SIDE)] for x in range(0, 2 * SIDE + 1, 100)] + [
        [(0, y), (2 * SIDE, y)] for y in range(0, SIDE + 1, 100)
    ]
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * len(lines)},
        geometry=[LineString(np.add(line, (X, Y))) for line in lines],
        crs="EPSG:4548",
    )
    return communities_table(), homes([(x, y, 90 if x < SIDE else 30) for x, y in places]), streets


def test_parts_of_the_index_are_what_the_formula_says():
    table = communities_table((500, 2000))
    town = homes([(250, 100, 3000), (250, 900, 3000), (600, 500, 1000), (2400, 500, 1000)])
    found = gm.mismatch(table, town, workers=pd.Series({"100": 10.0, "101": 2.0})).set_index("community_id")
    first, second = found.loc["100"], found.loc["101"]
    assert found["households"].tolist() == [6000, 2000]
    assert found["compactness"].tolist() == pytest.approx([4 * np.pi * 5e5 / 3000**2, 4 * np.pi * 2e6 / 6000**2])
    assert found["distance_m"].tolist() == pytest.approx([400, 900])
    assert found["households_per_worker"].tolist() == [600, 1000]
    assert first["load_part"] == pytest.approx(1 - 4000 / 6000)
    assert second["load_part"] == 0
    burden = (1 - 4 * np.pi * 5e5 / 3000**2 + 400 / 900 + 1 - 500 / 600) / 3
    assert first["manageability_part"] == pytest.approx(burden)
    assert np.isnan(first["outside"])
    assert first["index"] == pytest.approx((1 - 4000 / 6000 + burden) / 2)
    weighted = gm.mismatch(
        table, town, workers=pd.Series({"100": 10, "101": 2}), weights={"load": 3, "manageability": 1}
    )
    assert weighted["index"].iloc[0] == pytest.approx((3 * (1 - 4000 / 6000) + burden) / 4)
    assert "load_part = max(0, 1 - limit / households)" in found.attrs["formula"]


def test_the_centre_given_is_what_distances_are_taken_from():
    table, town = communities_table((500,)), homes([(250, 100, 3000), (250, 900, 1000)])
    centre = gpd.GeoDataFrame({"community_id": ["100"]}, geometry=[Point(X + 250, Y + 900)], crs="EPSG:4548")
    assert gm.mismatch(table, town)["distance_m"].iloc[0] == pytest.approx((3 * 200 + 600) / 4)
    assert gm.mismatch(table, town, centres=centre.to_crs(4326))["distance_m"].iloc[0] == pytest.approx(600, abs=0.01)


def test_the_share_outside_is_that_of_the_cover():
    table = communities_table((500, 500))
    town = homes([(100, 500, 30), (400, 500, 70), (600, 500, 50), (900, 500, 50)])
    shops = gpd.GeoDataFrame(
        {"facility_id": ["f1", "f2"], "category": ["market", "clinic"]},
        geometry=[Point(X + 100, Y + 500), Point(X + 600, Y + 500)],
        crs="EPSG:4548",
    )
    cover = gm.cover(town, shops, None, how="straight", metres=250)
    found = gm.mismatch(table, town, cover=cover)
    # market reaches 30 of 100 and none; clinic 70 of 100 and 50 of 100
    assert found["outside"].tolist() == pytest.approx([((1 - 0.3) + (1 - 0.7)) / 2, (1 + 0.5) / 2])
    assert found["index"].tolist() == pytest.approx(found[list(PARTS)].mean(axis=1).tolist())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2999), st.integers(1, 999), st.integers(0, 3000)), min_size=1, max_size=12),
    st.integers(100, 9000),
)
def test_index_is_a_share_and_grows_with_the_load(rows, limit):
    town = homes(rows)
    found = gm.mismatch(communities_table((SIDE, SIDE, SIDE)), town, limit=limit)
    on_border = [k for k, (x, _, _) in enumerate(rows) if x % SIDE == 0]
    assert found["households"].sum() == town["households"].sum()
    for k, row in found.iterrows():
        own = sum(h for j, (x, _, h) in enumerate(rows) if x // SIDE == k and j not in on_border)
        assert row["households"] >= own
    assert found["index"].between(0, 1).all()
    # twice the households in the same places: the same distances, more load
    more = gm.mismatch(
        communities_table((SIDE, SIDE, SIDE)), town.assign(households=2 * town["households"]), limit=limit
    )
    assert (more["index"] >= found["index"] - 1e-12).all()
    big = gm.oversized_communities(communities_table((SIDE, SIDE, SIDE)), town, households=limit)
    assert set(big["community_id"]) == set(found.loc[found["households"] >= limit, "community_id"])
    assert big["index"].is_monotonic_decreasing
    assert big["rank"].tolist() == list(range(1, len(big) + 1))


def test_an_empty_community_and_homes_outside_are_told():
    found = gm.mismatch(communities_table(), homes([(500, 500, 10), (-500, 500, 7)]))
    assert found["households"].tolist() == [10, 0]
    assert np.isnan(found["distance_m"].iloc[1])
    assert found["load_part"].tolist() == [0, 0]
    told = found.attrs["findings"].iloc[0]
    assert (told["rule"], told["ids"]) == ("building_outside", ["b0001"])
    assert "1 buildings with 7 households" in told["message"]


def test_an_oversized_community_is_proposed_in_legal_parts_along_streets():
    communities, buildings, streets = dense_town()
    communities = communities.assign(area_m2=1.0, phone=["1", "2"]).rename_geometry("shape")
    found = gm.propose_communities(communities, buildings, streets, effort="low")
    assert found["community_id"].tolist()[-1] == "101"
    assert found["phone"].dropna().tolist() == ["2"]
    assert found["area_m2"].tolist() == pytest.approx(found.area.tolist(), rel=0.01)
    parts = found[found["proposed"]]
    assert parts["previous_id"].unique().tolist() == ["100"]
    assert 3 <= len(parts) <= 6
    assert parts["households"].between(1500, 3999).all()
    assert set(parts["status"]) == {"legal"}
    assert found["households"].sum() == buildings["households"].sum()
    # what is proposed is counted again from where the buildings lie
    counted = gm.mismatch(found, buildings).set_index("community_id")["households"]
    assert counted.to_dict() == found.set_index("community_id")["households"].to_dict()
    # the parts tile the former community, and their inner borders run on the streets
    assert shapely.union_all(parts.geometry.array).symmetric_difference(communities.geometry[0]).area < 1e-3
    assert parts.area.sum() == pytest.approx(communities.area[0])
    inner = shapely.union_all(parts.boundary.array).difference(communities.geometry[0].boundary.buffer(0.01))
    assert inner.intersection(streets.union_all().buffer(3)).length > 0.8 * inner.length
    kept = found[~found["proposed"]].iloc[0]
    assert kept[["community_id", "name", "code", "status", "subdistrict"]].tolist() == [
        "101", "社区1", "110101001001", "kept", "东街",
    ]  # fmt: skip
    assert parts["code"].isna().all()
    assert parts["name"].tolist() == [f"社区0-{k}" for k in range(1, len(parts) + 1)]
    assert set(parts["subdistrict"]) == {"东街"}
    assert len(gm.oversized_communities(found, buildings)) == 0
    assert found.attrs["findings"]["rule"].tolist()[0] == "community_divided"


def test_only_buildings_in_no_community_are_told_to_be_outside():
    communities, buildings, streets = dense_town()
    buildings.loc[len(buildings) - 1, "geometry"] = Point(X - 500, Y)
    units = pd.DataFrame(
        {"building_id": buildings["building_id"], "unit_id": "1", "households": buildings["households"]}
    )
    last = buildings["building_id"].tolist()[-3:]
    found = gm.propose_communities(
        communities, buildings, streets, units=units, together=[last[:2], buildings["building_id"][:2]], effort="low"
    )
    told = found.attrs["findings"].set_index("rule")["ids"]
    assert told["building_outside"] == last[-1:]
    assert not [rule for rule in told.index if rule.startswith("building_outside_")]
    assert found["households"].sum() == buildings["households"].sum() - 30


def test_a_proposal_can_be_divided_into_grids():
    communities, buildings, streets = dense_town()
    found = gm.propose_communities(communities, buildings, streets, effort="low")
    plan = gm.divide(found, buildings, streets, effort="low")
    assert plan.grids["households"].sum() == buildings["households"].sum()
    assert set(plan.grids["status"]) == {"legal"}
    assert set(plan.grids["community_id"]) == set(found["community_id"])


def test_what_cannot_be_in_the_band_is_told_with_its_certificate():
    table = communities_table((SIDE,))
    town = homes([(500, 500, 6000), (400, 500, 100)])
    found = gm.propose_communities(table, town, effort="low")
    told = found.attrs["findings"].set_index("rule").loc[["community_out_of_band"]]
    assert found["community_id"].tolist() == ["100"]
    assert found["status"].tolist() == ["above"]
    assert not found["proposed"].any()
    assert found.attrs["findings"]["rule"].tolist() == ["community_undivided", "community_out_of_band"]
    assert told["ids"].tolist() == [["100"]]
    assert '"atom_above_upper"' in told["certificate"].iloc[0]
    assert told["message"].tolist() == ["Community 100 would have 6,100 households, above 3,999."]


def test_which_chooses_and_nothing_oversized_changes_nothing():
    communities, buildings, streets = dense_town()
    same = gm.propose_communities(communities, buildings, streets, households=20_000)
    assert same["community_id"].tolist() == ["100", "101"]
    assert not same["proposed"].any()
    assert len(same.attrs["findings"]) == 0
    other = gm.propose_communities(communities, buildings, streets, which=["101"], lower=1000, upper=2000, effort="low")
    assert other.loc[other["proposed"], "previous_id"].unique().tolist() == ["101"]
    assert other.loc[other["proposed"], "households"].between(1000, 2000).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda c, b: gm.propose_communities(c, b, which=["999"]), "there is no community '999'"),
        (lambda c, b: gm.propose_communities(c, b, lower=5000), "no band"),
        (lambda c, b: gm.oversized_communities(c, b, limit=3), "give households="),
        (lambda c, b: gm.mismatch(c, b, weights={"size": 1}), "size is no part of the index"),
        (lambda c, b: gm.mismatch(c, b, weights={"load": 0, "manageability": 0, "outside": 0}), "above 0"),
        (lambda c, b: gm.mismatch(c, b, radius=0), "radius=0"),
        (lambda c, b: gm.mismatch(c, b, workers="staff"), "workers='staff' is no column"),
        (lambda c, b: gm.mismatch(c, b, centres=b), "community_id"),
    ],
)
def test_options_that_cannot_work_are_refused(call, said):
    communities, buildings, _ = dense_town()
    with pytest.raises(gm.OptionError, match=said):
        call(communities, buildings)


# a whole city


@pytest.fixture(scope="module")
def las_palmas(data_dir):
    folder = data_dir / "las_palmas"
    source = folder / "las_palmas_20230221.osm.pbf"
    counts = pd.read_csv(folder / "households.csv", dtype={"building_id": str}).set_index("building_id")["households"]
    buildings = gm.read_buildings(source)
    buildings = buildings[buildings["building_id"].isin(counts.index)].reset_index(drop=True)
    buildings["households"] = buildings["building_id"].map(counts)
    return gm.read_communities(folder / "communities_8000.gpkg"), buildings, gm.read_streets(source), source


def check_proposal(found, communities, buildings, streets, *, upper=3999):
    """Households conserved, each part in the band or with a certificate, and the borders inside on streets."""
    parts = found[found["proposed"]]
    homes = buildings.to_crs(found.crs)
    out = parts[~parts["households"].between(1500, upper)]
    told = found.attrs["findings"]
    certified = {i for ids in told.loc[told["rule"] == "community_out_of_band", "ids"] for i in ids}
    assert set(out["community_id"]) <= certified
    inside = homes.set_geometry(homes.representative_point()).sjoin(communities[["geometry"]].to_crs(found.crs))
    assert found["households"].sum() == inside["households"].sum()
    plan = gm.GridPlan.from_grids(
        parts.rename(columns={"community_id": "grid_id", "previous_id": "community_id"})[
            ["grid_id", "community_id", "geometry"]
        ],
        communities[communities["community_id"].isin(parts["previous_id"])], buildings, streets,
        lower=1500, upper=upper,
    )  # fmt: skip
    return plan.audit().set_index("measure")["value"], len(out) / len(parts)


def test_two_communities_of_las_palmas_are_divided_on_streets(las_palmas):
    communities, buildings, streets, _ = las_palmas
    which = communities["community_id"].iloc[[2, 11]].tolist()
    found = gm.propose_communities(communities, buildings, streets, which=which, effort="low")
    audit, out = check_proposal(found, communities, buildings, streets)
    assert out == 0
    assert audit["footprints_cut"] == 0
    assert audit["street_border_share"] > 0.8


@pytest.mark.full
def test_every_community_of_las_palmas_is_ranked_and_divided(las_palmas):
    communities, buildings, streets, source = las_palmas
    facilities = gm.read_facilities(source)
    facilities = facilities[facilities["category"].isin(["supermarket", "pharmacy", "school"])]
    cover = gm.cover(buildings, facilities, streets, minutes=10)
    worst = gm.oversized_communities(communities, buildings, cover=cover)
    assert len(worst) == 16
    assert worst["outside"].between(0, 1).all()
    found = gm.propose_communities(communities, buildings, streets, effort="low")
    audit, out = check_proposal(found, communities, buildings, streets)
    assert found["households"].sum() == 128_421
    assert out <= 0.02
    assert audit["street_border_share"] > 0.85
