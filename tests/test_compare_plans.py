"""The crosswalk between two plans: all households of both are in it, and it says who moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edits import grid, town


def pairs(table):
    names = table["grid_from"].str[-3:].fillna("-") + ">" + table["grid_to"].str[-3:].fillna("-")
    return dict(zip(names, table["households"], strict=True))


def test_what_a_move_and_a_merge_do():
    plan = town(owners="AAAAAA", labels=("001122", "001122", "333344"))
    after = plan.move(["a0-2"], grid(1)).merge([grid(4), grid(5)])
    table = plan.compare(after)
    assert pairs(table) == {
        "001>001": 400, "002>001": 100, "002>002": 300, "003>003": 400, "004>004": 400, "005>004": 200,
    }  # fmt: skip
    assert table["moved"].tolist() == [False, True, False, False, False, True]
    assert table["share"].tolist() == [1, 0.25, 0.75, 1, 1, 1]
    assert table["buildings"].tolist() == [4, 1, 3, 4, 4, 2]
    assert table.attrs["summary"] == {
        "households": 1800.0, "households_moved": 300.0, "share_moved": 300 / 1800, "buildings_moved": 3,
        "grids_untouched": 1, "grids_changed": 3, "grids_new": 0, "grids_gone": 1,
    }  # fmt: skip


def test_households_are_those_of_the_new_plan():
    plan = town(labels=("0011",), owners="AAAA")
    rows = plan.assignment
    grown = replace(plan, assignment=rows.assign(households=np.where(rows["building_id"] == "b0-0", 150.0, 100.0)))
    table = plan.compare(grown)
    assert pairs(table) == {"001>001": 250, "002>002": 200}
    assert table["households_before"].tolist() == [200, 200]
    assert table.attrs["summary"]["grids_untouched"] == 2


def test_buildings_that_came_and_went():
    plan = town(labels=("0011",), owners="AAAA")
    less = replace(plan, assignment=plan.assignment.iloc[1:])
    gone, come = plan.compare(less), less.compare(plan)
    assert pairs(gone) == {"001>001": 100, "001>-": 0, "002>002": 200}
    assert gone["share"].tolist() == [0.5, 0.5, 1]
    assert pairs(come) == {"001>001": 100, "->001": 100, "002>002": 200}
    assert not gone["moved"].any()
    assert not come["moved"].any()
    assert come.attrs["summary"]["grids_changed"] == 1


def test_a_building_split_in_one_plan_only():
    plan = town(households=[[300, 300]], labels=("01",), owners="AA")
    units = pd.DataFrame(
        {
            "building_id": ["b0-0", "b0-0", "b0-1"], "unit_id": ["1", "2", None],
            "grid_id": [grid(1), grid(2), grid(2)], "area_id": None, "households": [100.0, 200.0, 300.0],
        }
    )  # fmt: skip
    split = replace(plan, assignment=units)
    assert pairs(plan.compare(split)) == {"001>001": 100, "001>002": 200, "002>002": 300}
    assert pairs(split.compare(plan)) == {"001>001": 100, "002>001": 200, "002>002": 300}
    swapped = replace(plan, assignment=units.assign(grid_id=[grid(2), grid(1), grid(2)]))
    assert pairs(split.compare(swapped)) == {"001>002": 100, "002>001": 200, "002>002": 300}
    assert plan.compare(split).attrs["summary"]["buildings_moved"] == 1


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.lists(st.integers(0, 5), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
def test_nothing_is_lost(labels, counts):
    plan = town(households=[[90, 20, 0, 130, 70, 200]], labels=("001122",), owners="AAAAAA")
    other = town(households=[[40 * c for c in counts]], labels=("".join(map(str, labels)),), owners="AAAAAA")
    table = plan.compare(other)
    assert table["households"].sum() == other.assignment["households"].sum()
    assert table["households_before"].sum() == plan.assignment["households"].sum()
    assert table.groupby("grid_to")["households"].sum().to_dict() == pytest.approx(
        other.grids.set_index("grid_id")["households"].to_dict()
    )
    summary = table.attrs["summary"]
    assert summary["grids_untouched"] + summary["grids_changed"] + summary["grids_gone"] == len(plan.grids)
    assert summary["grids_untouched"] + summary["grids_changed"] + summary["grids_new"] == len(other.grids)
    before, after = (p.assignment.set_index("building_id") for p in (plan, other))
    moved = before["grid_id"] != after["grid_id"]
    assert summary["households_moved"] == after.loc[moved, "households"].sum()
    same = plan.compare(plan)
    assert not same["moved"].any()
    assert (same["share"].dropna() == 1).all()
