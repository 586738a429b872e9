"""Update: counts change, few households move, grids in the band stay."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from test_edits import grid, grids_of, held, town
from test_from_grids import audit, frame, houses, rules

from gridmap.division.divide import divide as gm_divide
from gridmap.division.plans.mend import mend
from gridmap.division.search.engine import Band
from gridmap.division.search.partition import lots_from_borders
from gridmap.errors import TableError


def counts(plan, **changes):
    """The buildings of a plan, some with other households; keys as ``b0_1``."""
    table = plan.buildings.copy()
    for name, households in changes.items():
        table.loc[table["building_id"] == name.replace("_", "-"), "households"] = households
    return table


def three_by_six(households=100):
    return town(households=households, labels=("001122", "001122", "001122"), owners="AAAAAA", upper=700)


def test_without_changes_it_is_the_same_plan():
    plan = three_by_six()
    assert plan.grids["status"].eq("legal").all()
    assert plan.update(plan.buildings).equals(plan)
    order = plan.buildings.sample(frac=1, random_state=1)
    assert plan.update(order).equals(plan)


def test_counts_within_the_band_move_nobody():
    plan = three_by_six()
    after = plan.update(counts(plan, b0_0=150, b1_4=20))
    assert held(after) == {grid(1): 650, grid(2): 600, grid(3): 520}
    assert grids_of(after).equals(grids_of(plan))
    assert after.grids.geometry.equals(plan.grids.geometry)
    assert after.atoms.set_index("atom_id").loc["a0-0", "households"] == 150
    assert rules(after) == []
    assert not plan.compare(after)["moved"].any()


def test_a_grid_above_the_band_gives_as_little_as_it_can():
    plan = three_by_six()
    after = plan.update(counts(plan, b0_0=180, b1_0=130, b2_1=20, b1_1=60))
    # 590 is within the band
    assert grids_of(after).equals(grids_of(plan))
    full = plan.update(counts(plan, b0_0=190, b1_0=150, b2_1=20, b1_1=250))
    # 810 in the first: 110 must go, and 120 is the least that can. The second takes 100, so 100 go on to the third.
    assert full.grids["status"].eq("legal").all()
    assert full.grids["grid_id"].tolist() == [grid(1), grid(2), grid(3)]
    summary = plan.compare(full).attrs["summary"]
    assert summary["households_moved"] == 220
    told = full.findings[full.findings["rule"] == "grids_mended"]
    assert f"{summary['households_moved']:,.0f} households" in told["message"].iloc[0]


def test_a_grid_below_the_band_is_filled_up_or_merged():
    plan = three_by_six()
    after = plan.update(counts(plan, b0_0=0, b1_0=0, b2_0=0, b0_1=50))
    # 250 in the first, 600 in the second: one building of 100 comes over
    assert held(after) == {grid(1): 350, grid(2): 500, grid(3): 600}
    assert plan.compare(after).attrs["summary"]["households_moved"] == 100


def test_units_keep_their_shares_and_unknown_columns_are_asked_for():
    plan = town(households=[[300, 300]], labels=("01",), owners="AA")
    rows = pd.concat([plan.assignment.iloc[[0, 0]], plan.assignment.iloc[1:]], ignore_index=True)
    rows["unit_id"] = ["1", "2", None]
    rows["households"] = [100.0, 200.0, 300.0]
    split = replace(plan, assignment=rows)
    after = split.update(counts(split, b0_0=450))
    assert after.assignment["households"].tolist() == [150, 300, 300]
    with pytest.raises(TableError, match="households"):
        plan.update(plan.buildings.drop(columns="households"))


def test_buildings_come_and_go():
    plan = three_by_six()
    new = gpd.GeoDataFrame(
        {"building_id": ["new", "far"], "households": [40.0, 7.0]},
        geometry=[plan.atoms.geometry.iloc[4].centroid.buffer(3), box(0, 0, 1, 1)],
        crs=plan.buildings.crs,
    )
    after = plan.update(pd.concat([plan.buildings.iloc[1:], new], ignore_index=True))
    rows = after.assignment.set_index("building_id")
    assert rows.loc["new", ["grid_id", "atom_id", "households"]].tolist() == [grid(3), "a0-4", 40]
    assert rows.loc["far", ["grid_id", "atom_id"]].tolist() == [None, None]
    assert "b0-0" not in rows.index
    assert held(after) == {grid(1): 500, grid(2): 600, grid(3): 640}
    told = after.findings.set_index("rule")["message"]
    assert told["building_new"].startswith("2 buildings with 47 households are new")
    assert told["building_gone"].startswith("1 buildings with 100 households are gone")
    assert told["building_outside_communities"].startswith("1 buildings with 7 households")
    assert after.grids["area_m2"].tolist() == plan.grids["area_m2"].tolist()


def test_only_bad_drawn_grids_are_mended(tmp_path):
    drawn = {f"{k:02d}": box(100 * k, 0, 100 * k + 100, 100) for k in range(8)}
    places = [(100 * k + x, y) for k in range(8) for x in (20, 50, 80) for y in (30, 70)]
    heavy = [60.0] * 6 + [100.0] * 6 + [40.0] * 6 + [60.0] * 30
    plan = audit(frame("grid_id", drawn), houses(places, heavy))
    assert plan.grids["status"].tolist() == ["legal", "above", "below"] + ["legal"] * 5
    after = plan.update(plan.buildings)
    assert after.grids["status"].eq("legal").all()
    # 600 and 240: 100 over and 60 short, and the one is the other's neighbour
    assert plan.compare(after).attrs["summary"]["households_moved"] == 100
    unchanged = [f"{k:02d}" for k in (0, 3, 4, 5, 6, 7)]
    for table in (plan, after):
        assert set(unchanged) < set(table.grids["grid_id"])
    assert after.grids.set_index("grid_id").loc[unchanged].equals(plan.grids.set_index("grid_id").loc[unchanged])
    after.save(tmp_path / "plan.gpkg")
    assert type(after).load(tmp_path / "plan.gpkg").equals(after)


@given(st.lists(st.integers(0, 260), min_size=18, max_size=18))
@settings(max_examples=10, deadline=None)
def test_any_counts(households):
    plan = town(households=110, labels=("001122", "001122", "001122"), owners="AAAAAA", upper=700)
    table = plan.buildings.assign(households=np.array(households, dtype=float))
    after = plan.update(table)
    assert after.grids["households"].sum() == sum(households)
    by_atom, before = grids_of(after), grids_of(plan)
    touching = nx.Graph(after.adjacency[["atom_a", "atom_b"]].to_numpy().tolist())
    weights = after.atoms.set_index("atom_id")["households"]
    for name in after.grids["grid_id"]:
        assert nx.is_connected(touching.subgraph(by_atom.index[by_atom == name]))

    def outside(of):
        sums = weights.groupby(of).sum()
        short = np.maximum(300 - sums, 0) + np.maximum(sums - 700, 0)
        return (int((short > 0).sum()), float(short.sum()))

    if outside(before) == (0, 0.0):
        assert by_atom.equals(before)
    assert outside(by_atom) <= outside(before)
    assert weights.sum() == sum(households)
    assert after.update(table).equals(after) or outside(by_atom) > (0, 0.0)


def brute_force(weight, pairs, band, home):
    """Fewest illegal parts, weight outside and weight moved of all ways to label a small graph, at most 3 labels."""
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(len(weight)))
    best = (99, 0.0, 0.0)
    for label in product(range(3), repeat=len(weight)):
        parts = [[i for i, k in enumerate(label) if k == part] for part in set(label)]
        if all(nx.is_connected(graph.subgraph(part)) for part in parts):
            sums = np.array([sum(weight[i] for i in part) for part in parts])
            short = np.maximum(band[0] - sums, 0) + np.maximum(sums - band[1], 0)
            moved = sum(w for w, k, h in zip(weight, label, home, strict=True) if k != h)
            best = min(best, (int((short > 0).sum()), float(short.sum()), float(moved)))
    return best


@given(st.lists(st.integers(1, 9), min_size=7, max_size=7), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_mending_against_all_labels(weight, seed):
    """On small graphs with a legal plan near by, mending finds one, and moves little more than the least."""
    rng = np.random.default_rng(seed)
    pairs = [(i, i + 1) for i in range(6)] + [tuple(sorted(rng.choice(7, 2, replace=False))) for _ in range(4)]
    pairs = sorted(set(pairs))
    home = np.repeat([0, 1, 2], [2, 3, 2])
    band = (6, 14)
    best = brute_force(weight, pairs, band, home)
    a, b = np.array(pairs).T
    one = np.ones(len(a))
    lots = lots_from_borders(np.array(weight, float), np.ones(7), 4 * np.ones(7), a, b, one, one, one > 0)
    label = mend(lots, Band(*band), home, np.array(weight, float))
    sums = np.bincount(label, weight)
    sums = sums[np.bincount(label) > 0]
    short = np.maximum(band[0] - sums, 0) + np.maximum(sums - band[1], 0)
    before = np.bincount(home, weight)
    off = np.maximum(band[0] - before, 0) + np.maximum(before - band[1], 0)
    assert (int((short > 0).sum()), short.sum()) <= (int((off > 0).sum()), off.sum())
    if best[0] == 0:
        assert (short == 0).all()
        moved = sum(w for w, k, h in zip(weight, label, home, strict=True) if k != h)
        assert moved <= best[2] + 9


def test_a_border_between_communities_that_moved():
    """Two communities of 400 m by 100 m; a strip of 100 m with two houses goes from the first to the second."""
    lots = {"A": box(0, 0, 400, 100), "B": box(400, 0, 800, 100)}
    codes = {"A": "440103001001", "B": "440103001002"}
    communities = frame("community_id", lots, code=list(codes.values()))
    places = [(50 * k + 25, y) for k in range(16) for y in (25, 75)]
    plan = gm_divide(communities, houses(places, 50))
    assert plan.grids["households"].sum() == 1600
    moved = frame("community_id", {"A": box(0, 0, 300, 100), "B": box(300, 0, 800, 100)}, code=list(codes.values()))
    after = plan.update(plan.buildings, moved)
    assert after.grids["households"].sum() == 1600
    assert after.grids["status"].eq("legal").all()
    assert after.grids.groupby("community_id")["households"].sum().to_dict() == {"A": 600, "B": 1000}
    for name, shape in moved.set_index("community_id").geometry.items():
        own = after.grids[after.grids["community_id"] == name]
        assert own.area.sum() == pytest.approx(shape.area, rel=1e-6)
        assert own["grid_id"].str.startswith(codes[name]).all()
    assert set(after.communities["community_id"]) == {"A", "B"}
    assert plan.update(plan.buildings, communities).equals(plan)


def test_a_community_whose_border_stayed_keeps_its_atoms():
    communities = frame(
        "community_id", {"A": box(0, 0, 400, 100), "B": box(400, 0, 800, 100), "C": box(800, 0, 900, 100)}
    )
    places = [(50 * k + 25, y) for k in range(18) for y in (25, 75)]
    plan = gm_divide(communities, houses(places, 50))
    joined = frame("community_id", {"A": box(0, 0, 400, 100), "B": box(400, 0, 900, 100)})
    after = plan.update(plan.buildings, joined)
    of_a = [t.atoms[t.atoms["community_id"] == "A"].reset_index(drop=True) for t in (plan, after)]
    assert of_a[0].equals(of_a[1])
    assert set(after.grids["community_id"]) == {"A", "B"}
    assert after.grids["status"].eq("legal").all()
    assert after.assignment["grid_id"].notna().all()
    left = after.update(plan.buildings, joined.iloc[:1])
    assert set(left.grids["community_id"]) == {"A"}
    assert left.grids.equals(after.grids[after.grids["community_id"] == "A"].reset_index(drop=True))
    assert left.assignment["grid_id"].isna().sum() == 20


def test_mending_keeps_apart_what_must_be_apart():
    # the third lacks 100, and any of three neighbours in the second would do: the one that may not, must not
    plan = three_by_six()
    light = counts(plan, b0_4=0, b1_4=0, b2_4=0, b0_5=0)
    free = plan.update(light)
    before, after = (p.assignment.set_index("building_id")["grid_id"] for p in (plan, free))
    moved = before.index[before != after].tolist()
    assert free.grids["status"].eq("legal").all()
    assert moved
    foes = [[name, "b1-5"] for name in moved]
    kept = replace(plan, parameters={**plan.parameters, "apart": foes}).update(light)
    assert kept.grids["status"].eq("legal").all()
    of = kept.assignment.set_index("building_id")["grid_id"]
    assert all(of[a] != of[b] for a, b in foes)
    assert "apart_impossible" not in rules(kept)
