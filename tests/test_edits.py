"""Edits by hand: what they change, what they refuse and why, and what holds after any sequence of them."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import area, union_all
from test_plan import checkerboard

from gridmap.division.plans.assemble import build_plan
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import EditError, ReadError

A, B = "440103001001", "440103001002"


def grid(number, community=A):
    return f"{community}{number:03d}"


def town(households=100, labels=("001122", "001122", "333344"), owners="AAAABB", **options):
    """Atoms of 50 m in three rows; labels and communities by column; grids are numbered row by row."""
    rows = len(labels)
    counts = np.broadcast_to(np.asarray(households, dtype=float), (rows, len(owners)))
    ground, communities, buildings = checkerboard(counts, community_of_column=list(owners))
    by_atom = pd.Series([c for row in labels for c in row], index=ground.atoms["atom_id"])
    return build_plan(ground, by_atom, communities=communities, buildings=buildings, **options)


def grids_of(plan):
    """Grid of each atom, row by row."""
    return plan.atoms.set_index("atom_id")["grid_id"]


def held(plan):
    return plan.grids.set_index("grid_id")["households"].to_dict()


def test_a_move_changes_two_grids_and_nothing_else():
    plan = town()
    after = plan.move(["a0-2"], grid(1))
    assert held(plan) == {grid(1): 400, grid(2): 400, grid(3): 400, grid(1, B): 400, grid(2, B): 200}
    assert held(after) == {grid(1): 500, grid(2): 300, grid(3): 400, grid(1, B): 400, grid(2, B): 200}
    assert after.assignment.set_index("building_id").loc["b0-2", "grid_id"] == grid(1)
    others = [grid(3), grid(1, B), grid(2, B)]
    assert after.grids.set_index("grid_id").loc[others].equals(plan.grids.set_index("grid_id").loc[others])
    assert after.grids.set_index("grid_id").loc[grid(1), "area_m2"] == 5 * 2500
    assert after.findings["message"].tolist() == plan.findings["message"].tolist()
    assert plan.grids["households"].tolist() == [400, 400, 400, 400, 200]


def test_leaving_the_band_is_a_finding():
    after = town().move("a2-0", grid(1)).move("a2-1", grid(1))
    assert after.grids["status"].tolist() == ["above", "legal", "below", "legal", "below"]
    assert [f.split(",")[0] for f in after.findings["message"]] == [
        f"Grid {grid(1)} holds 600 households", f"Grid {grid(3)} holds 200 households",
        f"Grid {grid(2, B)} holds 200 households",
    ]  # fmt: skip


def test_moving_back_gives_the_plan_again():
    plan = town(labels=("001122", "001122", "003344"))
    back = plan.move(["a0-2", "a1-2"], grid(1)).move(["a1-2", "a0-2"], grid(2))
    assert [edit["to"] for edit in back.parameters["edits"]] == [grid(1), grid(2)]
    assert replace(back, parameters=plan.parameters).equals(plan)
    assert back.plan_hash == plan.plan_hash


def test_pairs_that_an_edit_breaks_are_told_until_they_are_kept_again():
    rules = {"together": [["b0-2", "b1-2"]], "apart": [["b0-1", "b0-2"], ["b0-2", "b2-0"]]}
    plan = town(parameters=rules)
    pairs = ["together_impossible", "apart_impossible"]
    assert not set(pairs) & set(plan.findings["rule"])
    after = plan.move("a0-2", grid(1))
    told = after.findings[after.findings["rule"].isin(pairs)].to_dict("records")
    assert [(f["rule"], f["ids"]) for f in told] == list(zip(pairs, (["b0-2", "b1-2"], ["b0-1", "b0-2"]), strict=True))
    assert told[0]["message"] == f"Buildings b0-2, b1-2 should share a grid and are in {grid(1)}, {grid(2)}."
    assert told[1]["message"] == f"Buildings b0-1 and b0-2 share grid {grid(1)}, though they should not."
    further = after.move("a1-2", grid(1)).move("a2-0", grid(1))
    told = further.findings[further.findings["rule"].isin(pairs)]
    assert sorted(told["ids"]) == [["b0-1", "b0-2"], ["b0-2", "b2-0"]]
    assert replace(after.move("a0-2", grid(2)), parameters=plan.parameters).equals(plan)
    gone = after.update(after.buildings[after.buildings["building_id"] != "b0-2"])
    assert not set(pairs) & set(gone.findings["rule"])


def test_a_split_parts_what_must_be_apart():
    plan = town(households=100, labels=("000000", "000000"), owners="AAAAAA", upper=700)
    for first, other in (("b0-0", "b1-0"), ("b0-2", "b0-3")):
        parted = replace(plan, parameters={**plan.parameters, "apart": [[first, other]]}).split(grid(1))
        of = parted.assignment.set_index("building_id")["grid_id"]
        assert of[first] != of[other]
        assert parted.grids["status"].eq("legal").all()


def test_pairs_that_an_update_breaks_are_told():
    """Grids of 400; the second loses 200 and can only be filled by one of the first, of which all are tied."""
    rules = {"together": [["b0-0", "b0-1", "b1-0", "b1-1"]]}
    plan = town(labels=("0011", "0011"), owners="AAAA", parameters=rules)
    counts = plan.buildings.copy()
    counts.loc[counts["building_id"].isin(["b0-3", "b1-3"]), "households"] = 0
    after = plan.update(counts)
    of = after.assignment.set_index("building_id")["grid_id"]
    assert after.grids["status"].eq("legal").all()
    assert of[rules["together"][0]].nunique() == 2
    (found,) = after.findings[after.findings["rule"] == "together_impossible"].to_dict("records")
    assert found["ids"] == rules["together"][0]


@pytest.mark.parametrize(
    ("atoms", "to", "reason"),
    [
        (["a0-0"], 2, r"no border of 3 m or more joins it; .*choose a grid beside it$"),
        (["a2-0", "a2-1"], 2, r"joins them; .*beside them \(they touch \S+001\)$"),
        (["a0-0", "a9-9"], 2, "no atom a9-9; plan.atoms"),
        (["a0-0"], 9, "no grid .*009; plan.grids"),
        (["a0-3", "a0-4"], 2, "a0-4 is in community B, grid .* in A"),
        (["a0-0", "a0-1", "a1-0", "a1-1"], 2, "takes all atoms of grid .*001; .*merge"),
        (["a0-0"], 1, "a0-0 is in grid .*001 already"),
        ([], 1, "atoms is empty"),
        (7, 1, "must be an id or a list"),
    ],
)
def test_moves_that_are_refused(atoms, to, reason):
    with pytest.raises(EditError, match=reason):
        town().move(atoms, grid(to))


def test_a_move_that_tears_its_grid():
    plan = town(labels=("0111", "0000", "2220"), owners="AAAA")
    with pytest.raises(
        EditError, match=r"falls apart: a0-0, a1-0 \(200 households\) would be cut off; move them"
    ) as caught:
        plan.move(["a1-1"], grid(2))
    assert caught.value.ids == ["a0-0", "a1-0"]
    assert held(plan.move(["a1-1", "a1-0", "a0-0"], grid(2)))[grid(2)] == 600


def test_a_border_under_three_metres_does_not_join():
    plan = town()
    short = plan.adjacency.copy()
    across = short["atom_a"].isin(["a0-1", "a1-1"]) & short["atom_b"].isin(["a0-2", "a1-2"])
    assert across.sum() == 2
    short.loc[across, "metres"] = 2.9
    narrow = replace(plan, adjacency=short)
    with pytest.raises(EditError, match="no border of 3 m or more joins it"):
        narrow.move(["a0-2"], grid(1))
    with pytest.raises(EditError, match=r"not joined to .*its neighbours are .*003"):
        narrow.merge([grid(1), grid(2)])
    bridged = replace(plan, adjacency=short.assign(kind=np.where(across, "bridge", "border")))
    assert held(bridged.move(["a0-2"], grid(1)))[grid(1)] == 500


def test_locked_and_dedicated_grids_stay():
    plan = town(dedicated=["3"])
    with pytest.raises(EditError, match="is dedicated, so it stays"):
        plan.move(["a2-0"], grid(1))
    with pytest.raises(EditError, match="is dedicated"):
        plan.split(grid(3))
    locked = replace(plan, parameters={**plan.parameters, "locked": [grid(1)]})
    with pytest.raises(EditError, match=r"is locked, so it stays.*unlock"):
        locked.merge([grid(1), grid(2)])
    with pytest.raises(EditError, match="is locked"):
        locked.move(["a0-2"], grid(1))


def test_a_merged_grid_keeps_the_code_with_most_households_and_the_other_is_retired():
    plan = town(households=[[100] * 6, [100, 100, 120, 100, 100, 100], [100] * 6])
    merged = plan.merge([grid(1), grid(2)])
    assert held(merged) == {grid(2): 820, grid(3): 400, grid(1, B): 400, grid(2, B): 200}
    again = merged.split(grid(2), [["a0-0", "a0-1", "a1-0", "a1-1"], ["a0-2", "a0-3", "a1-2", "a1-3"]])
    assert held(again) == {grid(2): 420, grid(3): 400, grid(4): 400, grid(1, B): 400, grid(2, B): 200}
    assert again.grids.set_index("grid_id").loc[grid(4), "name"] == "槐树社区 004"
    third = again.merge([grid(2), grid(4)]).split(grid(2), 2)
    assert third.grids["grid_id"].tolist()[:3] == [grid(2), grid(3), grid(5)]


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ([grid(1)], "two grids or more"),
        ([grid(1), grid(1)], "two grids or more"),
        ([grid(1), grid(8)], "no grid .*008"),
        ([grid(2), grid(1, B)], "several communities .*002 in A, .*001 in B"),
    ],
)
def test_merges_that_are_refused(ids, reason):
    with pytest.raises(EditError, match=reason):
        town().merge(ids)


def test_a_split_within_the_band():
    plan = town(labels=("000000", "000000", "000000"), owners="AAAAAA")
    parts = plan.split(grid(1))
    assert 4 <= len(parts.grids) <= 6
    assert parts.grids["status"].eq("legal").all()
    assert grid(1) not in set(parts.grids["grid_id"])
    with pytest.raises(EditError, match=r"holds 400 and cannot be split.*no two grids or more of 300-500"):
        town().split(grid(1))
    tower = town(households=[[812, 100]], labels=("00",), owners="AA")
    with pytest.raises(EditError, match="atom a0-0 alone holds 812"):
        tower.split(grid(1))


@pytest.mark.parametrize("parts", range(2, 9))
def test_a_split_by_number_is_even(parts):
    plan = town(labels=("000000", "000000", "000000", "000000"), owners="AAAAAA")
    after = plan.split(grid(1), parts)
    assert len(after.grids) == parts
    # 24 lots of 100: no share need be more than one lot from the mean
    assert (after.grids["households"] - 2400 / parts).abs().max() <= 100


def test_lumps_are_split_as_fairly_as_they_can():
    plan = town(households=[[400, 10, 10, 10, 10, 10]], labels=("000000",), owners="AAAAAA")
    assert sorted(plan.split(grid(1), 2).grids["households"]) == [50, 400]
    assert sorted(plan.split(grid(1), 6).grids["households"]) == [10] * 5 + [400]
    nothing = town(households=0, labels=("000000",), owners="AAAAAA").split(grid(1), 2)
    assert nothing.grids["area_m2"].tolist() == [7500, 7500]
    assert nothing.findings["ids"].tolist() == [nothing.grids["grid_id"].tolist()]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (1, "changes nothing"),
        (5, "has 4 atoms"),
        ("a0-0", "a number or lists"),
        ([["a0-0", "a0-1"]], "changes nothing"),
        ([["a0-0", "a1-1"], ["a0-1", "a1-0"]], "a part would fall apart"),
        ([["a0-0", "a0-1"], ["a1-0"]], "a1-1 are in no part|a1-1 is in no part"),
        ([["a0-0", "a0-1"], ["a1-0", "a1-1", "a0-0"]], "a0-0 is in two parts|a0-0 are in two parts"),
        ([["a0-0", "a0-1", "a0-2"], ["a1-0", "a1-1"]], "a0-2 is not in grid|a0-2 are not in grid"),
        ([["a0-0", "zz"], ["a1-0", "a1-1"]], "no atom zz"),
    ],
)
def test_splits_that_are_refused(parts, reason):
    with pytest.raises(EditError, match=reason):
        town().split(grid(1), parts)


def test_undivided_communities_in_the_twenty_digit_scheme():
    plan = town(labels=("0000", "0000"), owners="AAAA", code="CJ/T 349")
    whole = "000000" + A + "00"
    assert plan.grids["grid_id"].tolist() == [whole]
    split = plan.split(whole, 2)
    assert split.grids["grid_id"].tolist() == ["000000" + A + "01", "000000" + A + "02"]
    assert split.merge(split.grids["grid_id"]).grids["grid_id"].tolist() == [whole]
    last = split.merge(split.grids["grid_id"]).split(whole, 2)
    assert last.grids["grid_id"].tolist() == ["000000" + A + "03", "000000" + A + "04"]


EDITS = [
    {"op": "move", "atoms": ["a0-2"], "to": grid(1)},
    {"op": "split", "grid_id": grid(1), "parts": 2},
    {"op": "merge", "grid_ids": [grid(2), grid(3)]},
]


def test_all_edits_or_one_by_one(tmp_path):
    plan = town()
    each = plan.move(["a0-2"], grid(1)).split(grid(1), 2).merge([grid(2), grid(3)])
    assert plan.apply(EDITS).equals(each)
    assert plan.apply({"plan_hash": plan.plan_hash, "edits": EDITS}).equals(each)
    (tmp_path / "edits.json").write_text(json.dumps({"plan_hash": plan.plan_hash, "edits": EDITS}), encoding="utf-8")
    assert plan.apply(tmp_path / "edits.json").equals(each)
    each.save(tmp_path / "plan.gpkg")
    loaded = GridPlan.load(tmp_path / "plan.gpkg")
    assert loaded.equals(each)
    assert loaded.merge(loaded.grids["grid_id"][:2]).equals(each.merge(each.grids["grid_id"][:2]))
    assert plan.apply([]).plan_hash == plan.plan_hash


def test_one_wrong_edit_refuses_all():
    plan = town()
    with pytest.raises(EditError, match=r"^edit 3 of 4: there is no grid .*007") as caught:
        plan.apply([*EDITS[:2], {"op": "merge", "grid_ids": [grid(2), grid(7)]}, EDITS[2]])
    assert caught.value.ids == [grid(7)]
    assert plan.equals(town())


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ({"plan_hash": "0" * 16, "edits": EDITS}, "made on plan 0000000000000000, this is plan .*load that plan"),
        ({"edits": EDITS}, "no plan_hash"),
        ([{"op": "paint"}], "edit 1 of 1: op 'paint' is no edit; use 'move', 'merge', 'split'"),
        ([{"op": "move", "atoms": ["a0-2"]}], "move lacks to; write"),
        ([{"op": "move", "atoms": ["a0-2"], "to": grid(1), "by": "me"}], "has by, which it does not take"),
        ([*EDITS, "move"], "edit 4 of 4: not a mapping"),
    ],
)
def test_edits_that_are_not_understood(edits, reason):
    with pytest.raises(EditError, match=reason):
        town().apply(edits)


def test_files_that_are_no_edits(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        town().apply(tmp_path / "absent.json")
    (tmp_path / "edits.json").write_text("not json")
    with pytest.raises(ReadError, match="not a file of edits"):
        town().apply(tmp_path / "edits.json")


def test_edits_in_degrees_keep_borders_shared():
    plan = town(labels=("001122", "001122", "003344"))
    tables = {
        name: getattr(plan, name).to_crs(4326) for name in ("grids", "atoms", "communities", "buildings", "findings")
    }
    after = replace(plan, **tables).move(["a0-2", "a1-2"], grid(1))
    own = after.grids[after.grids["community_id"] == "A"]
    assert area(own.geometry.to_numpy()).sum() == pytest.approx(own.union_all().area, rel=1e-12)
    vertices = set(map(tuple, tables["atoms"].geometry.get_coordinates().to_numpy()))
    assert set(map(tuple, after.grids.geometry.get_coordinates().to_numpy())) <= vertices
    assert after.grids["area_m2"].tolist()[:2] == pytest.approx([8 * 2500, 2 * 2500], rel=1e-3)


def check_invariants(before, after):
    """What every edit must keep."""
    assert after.grids["households"].sum() == before.grids["households"].sum()
    assert after.assignment.drop(columns="grid_id").equals(before.assignment.drop(columns="grid_id"))
    assert after.atoms.drop(columns="grid_id").equals(before.atoms.drop(columns="grid_id"))
    by_atom = grids_of(after)
    assert (after.assignment["atom_id"].map(by_atom) == after.assignment["grid_id"]).all()
    assert not after.atoms[["grid_id", "community_id"]].drop_duplicates()["grid_id"].duplicated().any()
    assert after.grids["grid_id"].is_unique
    assert set(after.grids["grid_id"]) == set(by_atom)
    touching = nx.Graph(after.adjacency[["atom_a", "atom_b"]].to_numpy().tolist())
    touching.add_nodes_from(by_atom.index)
    for row in after.grids.itertuples():
        atoms = by_atom.index[by_atom == row.grid_id]
        assert nx.is_connected(touching.subgraph(atoms))
        shape = union_all(after.atoms.set_index("atom_id").loc[atoms].geometry.to_numpy())
        assert shape.equals(row.geometry)
        assert row.households == after.atoms.set_index("atom_id").loc[atoms, "households"].sum()
        within = 300 <= row.households <= 500
        assert row.status == ("legal" if within else "above" if row.households > 500 else "below")
    out = after.grids.loc[after.grids["status"] != "legal", "grid_id"]
    assert [ids[0] for ids in after.findings["ids"]] == out.tolist()


@given(
    st.lists(st.tuples(st.sampled_from(["move", "merge", "split"]), st.integers(0, 99), st.integers(0, 99)), max_size=6)
)
@settings(max_examples=25, deadline=None)
def test_any_sequence_of_edits(draws):
    plan = current = town(households=[[70, 90, 130, 160, 200, 110]] * 3)
    done, ids = [], set(plan.grids["grid_id"])
    for op, i, j in draws:
        names, atoms = current.grids["grid_id"], current.atoms["atom_id"]
        edit = {
            "move": {"op": "move", "atoms": [atoms[i % len(atoms)]], "to": names[j % len(names)]},
            "merge": {"op": "merge", "grid_ids": [names[i % len(names)], names[j % len(names)]]},
            "split": {"op": "split", "grid_id": names[i % len(names)], "parts": 2 + j % 2},
        }[op]
        retired = ids - set(current.grids["grid_id"])
        try:
            current = current.apply([edit])
        except EditError:
            continue
        done.append(edit)
        check_invariants(plan, current)
        assert not retired & set(current.grids["grid_id"])
        ids |= set(current.grids["grid_id"])
    assert plan.apply(done).equals(current) or not done
    assert plan.equals(town(households=[[70, 90, 130, 160, 200, 110]] * 3))


def test_codes_that_a_split_names_are_checked():
    plan = town(labels=("0000", "0000"), owners="AAAA", upper=900)
    halves = [["a0-0", "a0-1", "a1-0", "a1-1"], ["a0-2", "a0-3", "a1-2", "a1-3"]]
    edit = {"op": "split", "grid_id": grid(1), "parts": halves}
    for codes in ([grid(1), grid(2)], [grid(2), grid(1)], [grid(2), grid(3)], [grid(3), grid(2)]):
        of = grids_of(plan.apply([edit | {"codes": codes}]))
        assert [of["a0-0"], of["a0-3"]] == codes
    for codes, reason in (
        ([grid(1), grid(9)], "the next codes there are .*002"),
        ([grid(1)], "2 parts and 1 codes"),
        ([grid(1), grid(1)], "2 parts and 1 codes"),
    ):
        with pytest.raises(EditError, match=reason):
            plan.apply([edit | {"codes": codes}])
    with pytest.raises(EditError, match="codes only with parts"):
        plan.apply([edit | {"parts": 2, "codes": [grid(1), grid(2)]}])
