"""Rules of a division: bands by kind, weights, dedicated and locked grids, pairs that belong together or apart."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from certificate_verifier import RefusedError, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from test_divide import CRS, EAST, line, rectangle, town

import gridmap as gm
from gridmap.division.rules.pairs import Joins, tie
from gridmap.tables.findings import finding, findings_table


def bands(*rows):
    return pd.DataFrame(rows, columns=["kind", "lower", "upper", "weight", "level"])


def kinds(communities, *names):
    return communities.assign(kind=list(names))


def tiles(plan, communities):
    for name, land in zip(communities["community_id"], communities.geometry, strict=True):
        grids = plan.grids[plan.grids["community_id"] == name].geometry
        assert shapely.union_all(grids.to_numpy()).symmetric_difference(land).area < 1e-6 * land.area


def conserved(plan, houses):
    assert plan.grids["households"].sum() == houses["households"].sum()
    assert plan.assignment["households"].sum() == houses["households"].sum()


# --- bands


def test_each_kind_has_its_own_band_and_weight():
    communities, houses, streets = town(1)
    communities = kinds(communities, "urban", "resettlement")
    houses["residents"] = houses["households"] * 3 + 7
    rules = bands(("urban", 300, 500, None, None), ("resettlement", 1600, 2000, "residents", "grid"))
    plan = gm.divide(communities, houses, streets, bands=rules)
    grids = plan.grids.set_index("community_id")
    assert grids.loc["A", "households"].between(300, 500).all()
    assert grids.loc["B", "residents"].between(1600, 2000).all()
    assert not grids.loc["B", "households"].between(300, 500).all()
    assert set(grids.loc["B", "counted"]) == {"residents"}
    assert plan.grids["status"].eq("legal").all()
    audit = plan.audit().set_index("measure")["value"]
    assert audit["in_band_share"] == 1
    assert audit["outside_band"] == 0
    assert plan.parameters["bands"][1]["weight"] == "residents"
    conserved(plan, houses)
    tiles(plan, communities)


def test_a_grid_out_of_its_own_band_is_told_with_that_band():
    communities, houses, streets = town(2)
    communities = kinds(communities, "urban", "rural")
    houses["residents"] = 2 * houses["households"]
    whole = houses.loc[houses.representative_point().x > EAST + 180, "residents"].sum()
    rules = bands(("rural", whole + 1, 2 * whole, "residents", "grid"))
    plan = gm.divide(communities, houses, streets, bands=rules)
    (found,) = plan.findings[plan.findings["rule"].isin(["band", "household_band"])].to_dict("records")
    assert found["rule"] == "band"
    assert f"holds {whole:,.0f} residents, 1 below {whole + 1:,.0f}" in found["message"]
    assert json.loads(found["certificate"])["lower"] == whole + 1
    assert plan.audit().set_index("measure")["value"]["outside_band"] == 1
    urban = plan.grids[plan.grids["community_id"] == "A"]
    assert urban["households"].between(300, 500).all()


def test_an_update_counts_what_the_band_of_each_community_counts():
    communities, houses, streets = town(1)
    communities = kinds(communities, "urban", "resettlement")
    houses["residents"] = houses["households"] * 3 + 7
    rules = bands(("urban", 300, 500, None, None), ("resettlement", 1600, 2000, "residents", "grid"))
    plan = gm.divide(communities, houses, streets, bands=rules)
    east = houses.representative_point().x > EAST + 180
    more = houses.assign(residents=houses["residents"].where(~east, houses["residents"] + 2))
    after = plan.update(more)
    grids = after.grids[after.grids["community_id"] == "B"]
    assert grids["residents"].sum() == more.loc[east, "residents"].sum()
    assert grids["weight"].tolist() == grids["residents"].tolist()
    west = after.grids[after.grids["community_id"] == "A"]
    assert west["weight"].tolist() == west["households"].tolist()
    with pytest.raises(gm.TableError, match="residents"):
        plan.update(houses.drop(columns="residents"))


def test_a_band_of_every_other_kind_and_one_for_no_kind_at_all():
    communities, houses, streets = town(3)
    plan = gm.divide(communities, houses, streets, bands=bands((None, 150, 250, None, None)))
    assert plan.grids["households"].between(150, 250).all()
    same = gm.divide(communities, houses, streets, lower=150, upper=250)
    assert (same.assignment["grid_id"] == plan.assignment["grid_id"]).all()
    unused = gm.divide(communities, houses, streets, bands=bands(("moon", 1, 2, None, None)))
    (found,) = unused.findings[unused.findings["rule"] == "band_unused"].to_dict("records")
    assert found["ids"] == ["moon"]


def test_every_wrong_row_of_bands_is_named():
    communities, houses, streets = town(3)
    wrong = bands(
        ("a", "many", 500, None, "grid"),
        ("b", 500, 300, None, "grid"),
        ("c", 300, 500, "minutes", "grid"),
        ("d", 300, 500, None, "floor"),
        ("e", 300, 500, None, "grid"),
        ("e", 300, 500, None, "grid"),
        ("f", None, None, None, "area"),
        ("g", -1, 500, None, "grid"),
    )
    with pytest.raises(gm.TableError) as caught:
        gm.divide(communities, houses, streets, bands=wrong)
    named = {(v.row, v.column) for v in caught.value.violations.itertuples()}
    assert named == {
        (0, "lower"), (1, "upper"), (2, "weight"), (3, "level"), (5, "kind"), (6, "level"), (7, "lower"),
    }  # fmt: skip
    with pytest.raises(gm.TableError, match="no such column"):
        gm.divide(communities, houses, streets, bands=pd.DataFrame({"kind": ["a"], "lowest": [3]}))


def test_a_band_names_the_buildings_that_its_weight_lacks():
    communities, houses, streets = town(3)
    communities = kinds(communities, "urban", "rural")
    houses["residents"] = 3.0 * houses["households"]
    west = houses.index[houses.representative_point().x < EAST + 180][0]
    east = houses.index[houses.representative_point().x > EAST + 180][:2]
    houses.loc[[west, *east], "residents"] = [np.nan, np.nan, -1]
    with pytest.raises(gm.TableError) as caught:
        gm.divide(communities, houses, streets, bands=bands(("rural", 1000, 1500, "residents", "grid")))
    assert set(caught.value.violations["row"]) <= {west, *east}
    assert east[1] in set(caught.value.violations["row"])


def village(seed=4, groups=6):
    """A rural community of hamlets along a road, one villager group each, and an urban one beside it."""
    communities, houses, streets = town(seed, heavy=30)
    communities = kinds(communities, "rural", "urban")
    x = houses.representative_point().x - EAST
    houses["group"] = [f"G{int(v // (180 / groups))}" if v < 180 else None for v in x]
    return communities, houses, streets


RURAL = bands(("rural", 150, None, None, "grid"), ("rural", None, None, None, "area"))


def test_rural_grids_are_whole_villager_groups_and_areas_tile_them():
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    rows = plan.assignment.merge(houses[["building_id", "group"]], on="building_id")
    rural = rows[rows["group"].notna()]
    per_group = rural.groupby("group")["grid_id"].nunique()
    assert (per_group == 1).all()
    grids = plan.grids[plan.grids["community_id"] == "A"]
    held = rural.groupby("group")["households"].sum()
    assert (grids["households"] >= 150).all()
    # as many as can be: groups stand in a row, so the most is what a sweep along the row makes
    most, running = 0, 0.0
    for households in held.sort_index():
        running += households
        if running >= 150:
            most, running = most + 1, 0.0
    assert most - 1 <= len(grids) <= most
    assert grids["upper"].isna().all()
    assert grids["status"].eq("legal").all()
    # areas: one group each, tiling the grids
    areas = plan.areas
    assert sorted(areas["name"]) == sorted(held.index)
    assert rural.groupby("area_id")["group"].nunique().eq(1).all()
    assert rows.loc[rows["group"].isna(), "area_id"].isna().all()
    sums = areas.set_index("name")["households"]
    assert (sums.sort_index() == held.sort_index()).all()
    for name, shape in zip(grids["grid_id"], grids.geometry, strict=True):
        mine = areas.loc[areas["grid_id"] == name].geometry.to_numpy()
        assert shapely.union_all(mine).symmetric_difference(shape).area < 1e-6 * shape.area
        assert shapely.area(mine).sum() == pytest.approx(shape.area, rel=1e-9)
    conserved(plan, houses)
    tiles(plan, communities)


def test_an_update_joins_whole_grids_where_there_is_no_ceiling():
    communities, houses, streets = village(groups=3)
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    rural = plan.grids[plan.grids["community_id"] == "A"].set_index("grid_id")["households"]
    assert (rural > 300).any(), "more than twice the least is no reason to cut a grid"
    in_urban = houses["building_id"].isin(houses["building_id"][houses["group"].isna()])
    more = houses.assign(households=houses["households"] + in_urban.astype(int))
    moved = plan.compare(plan.update(more)).query("moved")
    assert not moved["grid_from"].isin(rural.index).any()
    small = plan.assignment.loc[plan.assignment["grid_id"] == rural.idxmin(), "building_id"]
    fewer = houses.assign(households=houses["households"].where(~houses["building_id"].isin(small), 1))
    after = plan.update(fewer)
    assert after.grids["status"].eq("legal").all()
    pairs = plan.compare(after).dropna()[["grid_from", "grid_to"]]
    assert not pairs[pairs["grid_from"].isin(rural.index)].duplicated("grid_from").any()
    tiles(after, communities)


def test_a_group_cut_by_hand_is_told_until_it_is_whole_again():
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    assert not plan.findings["rule"].eq("group_parted").any()
    atoms = plan.atoms[plan.atoms["community_id"] == "A"]
    grid = atoms["grid_id"].iloc[0]
    cut = plan.split(grid, parts=2 * atoms.loc[atoms["grid_id"] == grid, "group"].nunique())
    per_group = cut.atoms[cut.atoms["group"].notna()].groupby("group")["grid_id"].nunique()
    (found,) = cut.findings[cut.findings["rule"] == "group_parted"].to_dict("records")
    assert sorted(found["ids"]) == sorted(per_group.index[per_group > 1])
    new = [g for g in cut.grids["grid_id"] if g == grid or g not in set(plan.grids["grid_id"])]
    assert not cut.merge(new).findings["rule"].eq("group_parted").any()


def test_a_group_cut_by_hand_is_told_beside_one_of_its_name_that_a_barrier_cuts():
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    atoms = plan.atoms[plan.atoms["community_id"] == "A"]
    grid = atoms["grid_id"].iloc[0]
    mine = atoms.loc[atoms["grid_id"] == grid, "group"]
    barrier = finding("warning", "group_cut", "as a barrier cut it elsewhere", ids=list(mine.unique()))
    told = replace(plan, findings=findings_table([barrier], crs=plan.findings.crs))
    cut = told.split(grid, parts=2 * mine.nunique())
    (found,) = cut.findings[cut.findings["rule"] == "group_parted"].to_dict("records")
    assert set(found["ids"]) & set(mine)


def test_areas_survive_saving(tmp_path):
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    plan.save(tmp_path / "plan.gpkg")
    assert gm.GridPlan.load(tmp_path / "plan.gpkg").equals(plan)


def test_a_group_in_two_places_is_kept_in_one_grid():
    communities, houses, streets = village()
    # two houses of the first group stand at the other end
    far = houses.index[houses["group"] == "G5"][:2]
    houses.loc[far, "group"] = "G0"
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    rows = plan.assignment.merge(houses[["building_id", "group"]], on="building_id").dropna(subset=["group"])
    assert len(rows[["group", "grid_id"]].drop_duplicates()) == len(rows["group"].unique())
    assert plan.audit().set_index("measure")["value"]["grids_not_joined"] == 0


def test_a_group_cut_by_a_railway_is_told():
    communities, houses, _ = village()
    houses.loc[houses["group"].notna(), "group"] = "all"
    railway = gpd.GeoDataFrame({"hard": [True]}, geometry=[line((0, 150), (360, 150))], crs=CRS)
    # no street crosses the railway: one that does would join what it leads to
    plan = gm.divide(communities, houses, barriers=railway, bands=RURAL)
    (found,) = plan.findings[plan.findings["rule"] == "group_cut"].to_dict("records")
    assert found["ids"] == ["all"]


def test_without_villager_groups_no_ceiling_still_gives_grids_of_the_least_size():
    communities, houses, streets = town(5)
    plan = gm.divide(communities, houses, streets, bands=bands((None, 300, None, None, "grid")))
    assert (plan.grids["households"] >= 300).all()
    assert len(plan.grids) > 2
    (found,) = plan.findings[plan.findings["rule"] == "without_group"].to_dict("records")
    assert f"{(houses['households'] > 0).sum():,} lived-in buildings" in found["message"]


def test_a_rural_community_too_small_for_one_grid_is_certified():
    communities, houses, streets = village()
    total = houses.loc[houses["group"].notna(), "households"].sum()
    plan = gm.divide(communities, houses, streets, bands=bands(("rural", total + 5, None, None, "grid")))
    (found,) = plan.findings[plan.findings["rule"] == "household_band"].to_dict("records")
    proof = json.loads(found["certificate"])
    assert proof["kind"] == "component_total"
    assert proof["total"] == total
    held = plan.atoms.set_index("atom_id")["households"]
    assert held[proof["atoms"]].sum() == total
    mine = plan.atoms.loc[plan.atoms["grid_id"] == found["ids"][0], "atom_id"]
    verify(proof, plan.atoms, plan.adjacency, mine, band=(total + 5, None))
    with pytest.raises(RefusedError, match="another band"):
        verify(proof, plan.atoms, plan.adjacency, mine, band=(total + 5, 10 * total))
    with pytest.raises(RefusedError, match="the grid is in the band"):
        verify(proof | {"lower": total - 5}, plan.atoms, plan.adjacency, mine)
    with pytest.raises(RefusedError, match="no ceiling"):
        verify(proof | {"kind": "mip", "border": [], "sets": 0, "steps": 0}, plan.atoms, plan.adjacency, mine)


def test_an_edit_that_leaves_a_rural_grid_too_small_claims_no_proof():
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    rural = plan.grids[plan.grids["community_id"] == "A"]
    assert len(rural) > 1
    after = plan.split(rural["grid_id"].iloc[0], 3)
    told = after.findings[after.findings["rule"] == "household_band"]
    assert len(told)
    for proof in map(json.loads, told["certificate"]):
        assert (proof["kind"], proof["lower"], proof["upper"]) == ("not_found", 150, None)


# --- weights


def test_a_weight_is_a_column_or_a_series():
    communities, houses, streets = town(6)
    houses["shops"] = np.arange(len(houses)) % 5
    both = pd.Series((houses["households"] + houses["shops"]).to_numpy(), index=houses["building_id"])
    plan = gm.divide(communities, houses, streets, weight=both)
    assert plan.grids["weight"].between(300, 500).all()
    assert plan.grids["weight"].sum() == both.sum()
    minutes = gm.divide(communities, houses.assign(minutes=both.to_numpy()), streets, weight="minutes")
    assert (minutes.assignment["grid_id"] == plan.assignment["grid_id"]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.drop("b003"), "1 buildings, first b003"),
        (lambda w: w.where(w.index != "b003"), "first b003"),
        (lambda w: w.where(w.index != "b003", -1), "first b003"),
        (lambda w: w.where(w.index != "b003", np.inf), "first b003"),
        (lambda w: pd.concat([w, w.loc[["b003"]] + 1]), "b003 twice"),
    ],
)
def test_a_series_that_lacks_a_number_is_refused(change, said):
    communities, houses, streets = town(6)
    series = pd.Series(houses["households"].to_numpy(float), index=houses["building_id"])
    with pytest.raises(gm.OptionError, match=said):
        gm.divide(communities, houses, streets, weight=change(series))


@pytest.mark.parametrize("value", [np.nan, -3.0, np.inf, "many"])
def test_a_column_that_lacks_a_number_is_refused(value):
    communities, houses, streets = town(6)
    houses["minutes"] = houses["households"].astype(object)
    houses.loc[3, "minutes"] = value
    with pytest.raises(gm.TableError, match=r"row 3: (minutes|households)"):
        gm.divide(communities, houses, streets, weight="minutes")
    with pytest.raises(gm.TableError, match="seconds: no such column"):
        gm.divide(communities, houses, streets, weight="seconds")


# --- dedicated


@pytest.mark.parametrize("form", ["id", "ids", "polygon", "polygon over compounds"])
def test_a_dedicated_area_is_a_grid_of_its_own_in_every_form(form):
    communities, houses, streets = town(7)
    campus = rectangle(2, 2, 88, 88)
    table = gpd.GeoDataFrame({"compound_id": ["campus"], "name": ["Campus"]}, geometry=[campus], crs=CRS)
    # one compound inside it, one that reaches over its wall
    others = gpd.GeoDataFrame(
        {"compound_id": ["in", "over"], "name": ["in", "over"]},
        geometry=[rectangle(4, 4, 28, 28), rectangle(64, 64, 118, 118)],
        crs=CRS,
    )
    options = {
        "id": {"compounds": table, "dedicated": "campus"},
        "ids": {"compounds": table, "dedicated": ["campus"]},
        "polygon": {"dedicated": table[["name", "geometry"]].to_crs(4326)},
        "polygon over compounds": {"dedicated": table, "compounds": others},
    }[form]
    plan = gm.divide(communities, houses, streets, **options)
    (own,) = plan.grids[plan.grids["kind"] == "dedicated"].to_dict("records")
    assert own["status"] == "dedicated"
    assert own["name"] == "Campus"
    # with the land around it, up to halfway to the neighbours
    assert campus.difference(own["geometry"]).area < 0.1
    assert own["geometry"].within(campus.buffer(10))
    inside = houses.loc[houses.representative_point().within(campus), "building_id"]
    assert sorted(plan.assignment.loc[plan.assignment["grid_id"] == own["grid_id"], "building_id"]) == sorted(inside)
    conserved(plan, houses)
    tiles(plan, communities)


def test_a_dedicated_area_across_two_communities_is_a_grid_in_each():
    communities, houses, streets = town(7)
    campus = gpd.GeoDataFrame({"name": ["Campus"]}, geometry=[rectangle(122, 122, 238, 238)], crs=CRS)
    plan = gm.divide(communities, houses, streets, dedicated=campus)
    own = plan.grids[plan.grids["kind"] == "dedicated"]
    assert sorted(own["community_id"]) == ["A", "B"]
    conserved(plan, houses)


# --- locked


def grids_of(plan):
    return plan.grids.set_index("grid_id")


def members(plan, grid):
    rows = plan.assignment[plan.assignment["grid_id"] == grid]
    return sorted(zip(rows["building_id"], rows["unit_id"].fillna(""), rows["households"], strict=True))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_locked_grids_stay_as_they_are(seed, choice):
    communities, houses, streets = town(seed % 50)
    plan = gm.divide(communities, houses, streets)
    keep = sorted(np.random.default_rng(choice).choice(plan.grids["grid_id"], 2, replace=False))
    changed = houses.assign(households=(houses["households"] * 1.3).round())
    again = gm.divide(communities, changed, streets, previous=plan, locked=keep, seed=choice)
    for name in keep:
        before, after = grids_of(plan).loc[name], grids_of(again).loc[name]
        assert before.geometry.symmetric_difference(after.geometry).area <= 1e-6
        assert [b for b, _, _ in members(again, name)] == [b for b, _, _ in members(plan, name)]
        assert after["name"] == before["name"]
        # its land is what it was, not only its drawing
        land = again.atoms[again.atoms["grid_id"] == name].union_all()
        assert land.symmetric_difference(before.geometry).area < 1e-4 * before.geometry.area
    conserved(again, changed)
    tiles(again, communities)
    audit = again.audit().set_index("measure")["value"]
    assert audit["gap_share"] < 1e-6
    assert audit["overlap_share"] < 1e-6
    assert audit["buildings_outside_grid"] == 0
    assert sorted(again.parameters["locked"]) == keep


def test_a_locked_grid_out_of_band_stays_and_is_told():
    communities, houses, streets = town(8)
    plan = gm.divide(communities, houses, streets)
    keep = plan.grids["grid_id"][0]
    inside = houses["building_id"].isin([b for b, _, _ in members(plan, keep)])
    more = houses.assign(households=houses["households"].where(~inside, houses["households"] * 3))
    again = gm.divide(communities, more, streets, previous=plan, locked=[keep])
    assert grids_of(again).loc[keep, "status"] == "above"
    (found,) = again.findings[again.findings["rule"] == "household_band"].to_dict("records")
    assert found["ids"] == [keep]


def test_a_locked_grid_that_holds_half_a_tower_keeps_its_units():
    communities, houses, streets = town(8)
    houses["households"] = houses["households"].astype(float)
    houses.loc[40, "households"] = 1200.0
    plan = gm.divide(communities, houses, streets, split_large=True)
    rows = plan.assignment[plan.assignment["building_id"] == "b040"]
    assert len(rows["grid_id"].unique()) > 1
    keep = min(rows["grid_id"])
    again = gm.divide(communities, houses, streets, previous=plan, locked=[keep], split_large=True)
    assert members(again, keep) == members(plan, keep)
    assert grids_of(again).loc[keep].geometry.symmetric_difference(grids_of(plan).loc[keep].geometry).area <= 1e-6
    units = again.assignment[again.assignment["building_id"] == "b040"]
    assert sorted(units["unit_id"]) == sorted(rows["unit_id"])
    conserved(again, houses)
    tiles(again, communities)


def test_locked_wants_a_previous_plan_that_has_the_grids():
    communities, houses, streets = town(8)
    with pytest.raises(gm.OptionError, match="give that plan as previous="):
        gm.divide(communities, houses, streets, locked=["x"])
    plan = gm.divide(communities, houses, streets)
    with pytest.raises(gm.OptionError, match="locked names 1 grids that the previous plan does not have: x"):
        gm.divide(communities, houses, streets, locked=["x"], previous=plan)
    moved = communities.assign(geometry=communities.translate(30, 0))
    with pytest.raises(gm.OptionError, match="stick out of their communities"):
        gm.divide(moved, houses, streets, locked=plan.grids["grid_id"], previous=plan)


def test_hand_drawn_grids_can_be_locked_and_a_new_house_on_their_land_is_told():
    communities, houses, streets = town(9)
    drawn = gpd.GeoDataFrame(
        {"grid_id": ["hand-1"], "community_id": ["A"]}, geometry=[rectangle(0, 0, 95.5, 131.3)], crs=CRS
    )
    plan = gm.GridPlan.from_grids(drawn, communities, houses, streets)
    new = gpd.GeoDataFrame({"building_id": ["new"], "households": [4]}, geometry=[rectangle(24.5, 50, 28, 54)], crs=CRS)
    more = pd.concat([houses, new], ignore_index=True)
    again = gm.divide(communities, more, streets, previous=plan, locked=["hand-1"])
    after = grids_of(again).loc["hand-1"].geometry
    assert after.symmetric_difference(drawn.geometry[0]).area <= 1e-6
    was, now = ({b for b, _, _ in members(p, "hand-1")} for p in (plan, again))
    assert now - was == {"new"}
    assert was <= now
    (found,) = again.findings[again.findings["rule"] == "locked_land"].to_dict("records")
    assert found["ids"] == ["new"]
    conserved(again, more)


# --- together, apart


def test_buildings_together_share_a_grid():
    communities, houses, streets = town(10)
    plan = gm.divide(communities, houses, streets)
    of = plan.assignment.set_index("building_id")["grid_id"]
    first = houses["building_id"][0]
    # a building of another grid of that community that is near
    point = houses.representative_point()
    others = houses["building_id"][(point.x < EAST + 180) & (houses["building_id"].map(of) != of[first])]
    near = others.loc[point[others.index].distance(point[0]).idxmin()]
    again = gm.divide(communities, houses, streets, together=[(near, first)])
    of = again.assignment.set_index("building_id")["grid_id"]
    assert of[first] == of[near]
    assert again.grids["status"].eq("legal").all()
    assert "together_impossible" not in set(again.findings["rule"])
    assert again.audit().set_index("measure")["value"]["grids_not_joined"] == 0


def test_groups_that_cannot_be_together_are_told_with_the_reason():
    communities, houses, streets = town(10)
    point = houses.representative_point()
    west, east = (houses["building_id"][side] for side in (point.x < EAST + 180, point.x > EAST + 180))
    railway = gpd.GeoDataFrame({"hard": [True]}, geometry=[line((0, 150), (360, 150))], crs=CRS)
    groups = [
        (west.iloc[0], east.iloc[0]),
        tuple(west),
        (west.iloc[0], west.iloc[-1]),
    ]
    plan = gm.divide(communities, houses, barriers=railway, together=groups)
    told = plan.findings[plan.findings["rule"] == "together_impossible"]
    reasons = {tuple(ids): message for ids, message in zip(told["ids"], told["message"], strict=True)}
    assert "in communities A, B" in reasons[tuple(sorted(groups[0]))]
    assert "nothing joins them" in reasons[tuple(sorted(groups[2]))]
    assert len(reasons) == 3
    far = gm.divide(communities, houses, streets, together=[tuple(west)])
    (found,) = far.findings[far.findings["rule"] == "together_impossible"].to_dict("records")
    assert "more than 500" in found["message"]
    with pytest.raises(gm.OptionError, match="together names 1 buildings that there are not: moon"):
        gm.divide(communities, houses, streets, together=[("moon", west.iloc[0])])
    with pytest.raises(gm.OptionError, match="takes groups of building ids"):
        gm.divide(communities, houses, streets, together=["b000"])


def test_together_and_apart_at_once_is_told():
    communities, houses, streets = town(10)
    plan = gm.divide(communities, houses, streets, together=[("b000", "b001")], apart=[("b001", "b000")])
    (found,) = plan.findings[plan.findings["rule"] == "together_impossible"].to_dict("records")
    assert "must be apart" in found["message"]


def test_buildings_of_one_compound_cannot_be_apart():
    communities, houses, streets = town(10)
    yard = gpd.GeoDataFrame({"compound_id": ["yard"]}, geometry=[rectangle(2, 2, 58, 28)], crs=CRS)
    plan = gm.divide(communities, houses, streets, compounds=yard, apart=[("b000", "b001")])
    (found,) = plan.findings[plan.findings["rule"] == "apart_impossible"].to_dict("records")
    assert "one atom" in found["message"]
    assert found["ids"] == ["b000", "b001"]


def row_of(*households):
    """Houses in a row, each joined to the next alone."""
    houses = gpd.GeoDataFrame(
        {"building_id": [f"b{i}" for i in range(len(households))], "households": households},
        geometry=[rectangle(30 * i + 5, 5, 30 * i + 25, 25) for i in range(len(households))],
        crs=CRS,
    )
    land = gpd.GeoDataFrame({"community_id": ["A"]}, geometry=[rectangle(0, 0, 30 * len(households), 30)], crs=CRS)
    return land, houses


def test_a_tie_that_leaves_no_legal_plan_is_part_of_the_proof():
    communities, houses = row_of(250, 150, 200, 100)
    assert gm.divide(communities, houses).grids["status"].eq("legal").all()
    plan = gm.divide(communities, houses, together=[("b1", "b2")])
    of = plan.assignment.set_index("building_id")["grid_id"]
    assert of["b1"] == of["b2"]
    found = plan.findings[plan.findings["rule"] == "household_band"]
    assert len(found) > 0
    for ids, certificate in zip(found["ids"], found["certificate"], strict=True):
        mine = plan.atoms.loc[plan.atoms["grid_id"] == ids[0], "atom_id"]
        verify(json.loads(certificate), plan.atoms, plan.adjacency, mine, tied=[("b:b1", "b:b2")])
        with pytest.raises(RefusedError, match="said to be tied"):
            verify(json.loads(certificate), plan.atoms, plan.adjacency, mine)


def test_buildings_apart_are_in_two_grids_or_it_is_told():
    communities, houses = row_of(200, 200, 200, 200)
    free = gm.divide(communities, houses)
    assert sorted(free.grids["households"]) == [400, 400]
    # only b0 b1 | b2 b3 is legal
    plan = gm.divide(communities, houses, apart=[("b1", "b2")])
    assert plan.grids["status"].eq("legal").all()
    assert "apart_impossible" not in set(plan.findings["rule"])
    torn = gm.divide(communities, houses, apart=[("b0", "b1")])
    of = torn.assignment.set_index("building_id")["grid_id"]
    told = torn.findings["rule"]
    assert of["b0"] != of["b1"] or "apart_impossible" in set(told)
    assert {"apart_impossible", "household_band"} & set(told)


def test_counts_that_change_keep_the_reason_of_a_pair_that_cannot_be_kept():
    communities, houses, streets = town(10)
    yard = gpd.GeoDataFrame({"compound_id": ["yard"]}, geometry=[rectangle(2, 2, 58, 28)], crs=CRS)
    plan = gm.divide(communities, houses, streets, compounds=yard, apart=[("b000", "b001")])
    after = plan.update(houses.assign(households=houses["households"] + (houses["building_id"] == "b002")))
    (found,) = after.findings[after.findings["rule"] == "apart_impossible"].to_dict("records")
    assert "one atom" in found["message"]
    gone = plan.update(houses[houses["building_id"] != "b001"])
    assert "apart_impossible" not in set(gone.findings["rule"])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**6))
def test_pairs_are_kept_apart_in_a_town(seed, choice):
    communities, houses, streets = town(seed)
    rng = np.random.default_rng(choice)
    groups = [tuple(rng.choice(houses["building_id"], 2, replace=False)) for _ in range(4)]
    plan = gm.divide(communities, houses, streets, apart=groups)
    of = plan.assignment.set_index("building_id")["grid_id"]
    shared = {tuple(sorted(pair)) for pair in groups if of[pair[0]] == of[pair[1]]}
    told = plan.findings.loc[plan.findings["rule"] == "apart_impossible", "ids"]
    assert {tuple(ids) for ids in told} == shared
    assert shared == set()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_a_tie_of_two_adds_the_fewest_households(seed):
    rng = np.random.default_rng(seed)
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, 5))
    graph.remove_edges_from([e for e in graph.edges if rng.random() < 0.2])
    n = len(graph)
    weight = rng.integers(0, 60, n).astype(float)
    xy = np.array([(i // 5, i % 5) for i in range(n)], dtype=float)
    a, b = np.array(list(graph.edges)).T
    joins = Joins(a, b, weight, xy, np.zeros(n, dtype=bool), np.full(n, "A", dtype=object))
    cluster = np.arange(n)
    cluster[[0, 1] if graph.has_edge(0, 1) else [0]] = 0
    start, end = 0, n - 1
    tied = tie(np.array([start, end]), cluster, joins)
    # by brute force: every simple path in the graph of the nodes, by what its inner nodes hold
    small = nx.quotient_graph(graph, [set(np.flatnonzero(cluster == c)) for c in np.unique(cluster)], relabel=False)
    held = {node: weight[list(node)].sum() for node in small}
    source, target = (next(node for node in small if v in node) for v in (start, end))
    if not nx.has_path(small, source, target):
        assert tied is None
        return
    best = nx.dijkstra_path_length(small, source, target, weight=lambda _u, v, _d: held[v])
    got = weight[tied == tied[start]].sum() - held[source]
    assert got == pytest.approx(best, abs=0.1)
    assert tied[start] == tied[end]
    assert nx.is_connected(graph.subgraph(np.flatnonzero(tied == tied[start])))


def test_rules_do_not_depend_on_row_order():
    communities, houses, streets = village()
    options = {"together": [("b000", "b030")], "apart": [("b003", "b004")], "bands": RURAL}
    plan = gm.divide(communities, houses, streets, **options)
    mixed = houses.sample(frac=1, random_state=3)
    again = gm.divide(communities[::-1], mixed, streets[::-1], **{**options, "bands": RURAL[::-1]})
    pd.testing.assert_frame_equal(plan.assignment, again.assignment)


# --- codes


@pytest.mark.parametrize("scheme", [{}, {"code": "CJ/T 349", "object_code": "010203"}])
def test_a_grid_that_keeps_most_of_its_households_keeps_its_code(scheme):
    communities, houses, streets = town(11)
    old = gm.divide(communities, houses, streets, **scheme)
    changed = houses.assign(households=(houses["households"] * 1.2).round())
    new = gm.divide(communities, changed, streets, previous=old, seed=5, **scheme)
    rows = old.assignment.merge(new.assignment, on="building_id", suffixes=("_old", "_new"))
    kept = 0
    for code, mine in rows.groupby("grid_id_old"):
        # by households as they are now; the grid that holds most of it, unless it holds more of another old grid
        held = mine.groupby("grid_id_new")["households_new"].sum()
        heir = held.idxmax()
        if held.max() > held.sum() / 2:
            rivals = rows[rows["grid_id_new"] == heir].groupby("grid_id_old")["households_new"].sum()
            if rivals.idxmax() == code:
                assert heir == code
                kept += 1
    assert kept >= 3
    lead = "010203" if scheme else ""
    assert new.grids["grid_id"].str.startswith(lead + "11010100100").all()
    assert set(new.grids["grid_id"].str.len()) == ({20} if scheme else {15})
    # a retired number does not come back: new grids are numbered after all that there were
    fresh = set(new.grids["grid_id"]) - set(old.grids["grid_id"])
    for code in fresh:
        assert code > max(g for g in old.grids["grid_id"] if g[: len(lead) + 12] == code[: len(lead) + 12])
