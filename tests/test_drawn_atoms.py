"""Edits of grids drawn by hand: atoms that respect the drawing, made only when they are asked for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box
from test_from_grids import TOWN, at, audit, frame, houses, rules

from gridmap.division.ground.shared_vertices import share_vertices
from gridmap.division.ground.sides import sides
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import EditError

# 02 laps over 03 by 5 m; between 01 and 02 are 4 m of no one's land; the far end of A is in no grid and inhabited.
DRAWN = {
    "01": box(0, 0, 98, 100), "02": box(102, 0, 205, 100), "03": box(200, 0, 340, 100), "04": box(400, 0, 800, 100),
}  # fmt: skip
PLACES = [(30, 30), (60, 60), (130, 30), (170, 70), (230, 30), (300, 50), (370, 50), (450, 50), (600, 50), (750, 50)]
HELD = [200, 160, 150, 170, 200, 180, 90, 120, 150, 160]


def drawing():
    return audit(frame("grid_id", DRAWN), houses(PLACES, HELD))


def held(plan):
    return plan.grids.set_index("grid_id")["households"].to_dict()


def test_an_audit_makes_no_atoms(tmp_path):
    plan = drawing()
    plan.audit()
    plan.save(tmp_path / "plan.gpkg")
    assert not plan.has_atoms
    loaded = GridPlan.load(tmp_path / "plan.gpkg")
    assert loaded.equals(plan)
    assert not loaded.has_atoms
    assert loaded.atoms["atom_id"].tolist() == plan.atoms["atom_id"].tolist()
    assert loaded.plan_hash == plan.plan_hash


def test_atoms_tile_the_communities_and_follow_the_drawing():
    plan = drawing()
    atoms = plan.atoms
    for community, shape in TOWN.set_index("community_id").geometry.items():
        own = atoms[atoms["community_id"] == community]
        assert own.area.sum() == pytest.approx(shape.area, rel=1e-9)
        assert shapely.coverage_is_valid(own.geometry.to_numpy())
    by_grid = atoms.groupby(atoms["grid_id"].fillna("none"))["households"].sum()
    assert by_grid.to_dict() == {"01": 360, "02": 320, "03": 380, "04": 430, "none": 90}
    # the lap is the lower grid's; what is between 01 and 02 went to one of them
    drawn = atoms.dissolve("grid_id").area
    assert drawn["03"] == pytest.approx((340 - 205) * 100)
    assert drawn["01"] + drawn["02"] == pytest.approx(205 * 100)
    touching = plan.adjacency[plan.adjacency["metres"] >= 3]
    of = atoms.set_index("atom_id")["grid_id"]
    ends = [touching[c].map(of).fillna("none") for c in ("atom_a", "atom_b")]
    pairs = {tuple(sorted(pair)) for pair in zip(*ends, strict=True)}
    assert {("01", "02"), ("02", "03"), ("03", "none")} <= pairs
    assert ("03", "04") not in pairs


def test_a_gap_is_closed_by_a_move():
    plan = drawing()
    assert rules(plan) == ["overlap", "gap"]
    lost = plan.atoms.loc[plan.atoms["grid_id"].isna(), "atom_id"].tolist()
    assert lost == ["b:b6"]
    after = plan.move(lost, "03")
    assert held(after) == {"01": 360, "02": 320, "03": 470, "04": 430}
    assert after.assignment["grid_id"].notna().all()
    # 03 lies beside 02 now, and reaches to the end; the strip beside 01 is as it was drawn
    assert rules(after) == ["gap"]
    assert after.findings["message"][0].startswith("Community A: 400 m²")
    assert (
        after.grids.set_index("grid_id")
        .geometry[["01", "02", "04"]]
        .equals(plan.grids.set_index("grid_id").geometry[["01", "02", "04"]])
    )
    with pytest.raises(EditError, match="a grid of their own community"):
        plan.move(lost, "04")


def test_merge_split_and_new_codes(tmp_path):
    plan = drawing()
    merged = plan.merge(["01", "02"])
    assert held(merged) == {"01": 680, "03": 380, "04": 430}
    # A has a code of twelve digits and had three grids; "04" of B is its one, so the next number is 2
    split = merged.split("01")
    assert held(split) == {"01": 360, "03": 380, "04": 430, "440103001001004": 320}
    assert held(plan.split("04", 2)).keys() == {"01", "02", "03", "04", "X-B-002"}
    assert split.grids.set_index("grid_id").loc["440103001001004", "name"] == "A 004"
    split.save(tmp_path / "plan.gpkg")
    loaded = GridPlan.load(tmp_path / "plan.gpkg")
    assert loaded.equals(split)
    assert loaded.merge(["01", "440103001001004"]).equals(split.merge(["01", "440103001001004"]))


def test_a_covered_grid_has_no_land_to_edit():
    plan = audit(frame("grid_id", DRAWN | {"05": box(0, 0, 90, 90)}), houses(PLACES, HELD))
    with pytest.raises(EditError, match="05 is covered by other grids"):
        plan.split("05", 2)


def test_a_grid_drawn_out_of_its_community_is_cut_back_when_it_is_edited():
    drawn = {"01": box(-50, 0, 200, 100), "02": box(200, 0, 400, 100), "04": box(400, 0, 800, 100)}
    plan = audit(frame("grid_id", drawn), houses([(-20, 50), (150, 50), (190, 50), (300, 50), (500, 50)], 100))
    assert held(plan) == {"01": 300, "02": 100, "04": 100}
    after = plan.move(["b:b2"], "02")
    assert held(after) == {"01": 100, "02": 200, "04": 100}
    assert after.assignment.set_index("building_id").loc["b0", "grid_id"] is None
    assert after.assignment["households"].sum() == 500
    assert "outside_community" in rules(plan)
    assert "outside_community" not in rules(after)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_neighbours_share_their_vertices(seed):
    """Two rows of boxes with other corners on either side of a bent line: all of the line is shared afterwards."""
    rng = np.random.default_rng(seed)
    bend = np.sort(rng.integers(1, 999, 3)) / 10
    line = [(0, 0), *((x, y) for x, y in zip(bend, rng.integers(-50, 50, 3) / 10, strict=True)), (100, 0)]
    along = np.interp

    def row(far):
        cuts = np.unique(np.r_[0, np.sort(rng.integers(1, 99, 3)) + 0.5, 100])
        out = []
        for a, b in pairwise(cuts):
            inner = [p for p in line if a < p[0] < b]
            xs = [a, *(p[0] for p in inner), b]
            near = [(x, along(x, *zip(*line, strict=True))) for x in xs]
            out.append(Polygon([*np.round(near, 5).tolist(), (b, far), (a, far)]))
        return out

    below = row(-60.0)
    shapes = np.array([*row(60.0), *below], dtype=object)
    shared = share_vertices(shapes)
    assert shapely.is_valid(shared).all()
    assert np.allclose(shapely.area(shared), shapely.area(shapes), atol=0.01)
    split = len(shapes) - len(below)
    parts = sides(shared)
    seam = (parts.right >= 0) & ((parts.left < split) != (parts.right < split))
    full = shapely.length(shapely.LineString(line))
    assert parts.length[seam].sum() == pytest.approx(full, abs=0.01)


def test_nothing_changes_where_all_is_shared():
    shapes = np.array([at(box(0, 0, 10, 10)), at(box(10, 0, 20, 10))])
    assert shapely.equals_identical(share_vertices(shapes), shapes).all()


@pytest.mark.parametrize("tip", [[(0, 0), (1e-5, 0)], [(0, 0)]])
def test_a_needle_does_not_touch_itself_where_vertices_are_shared(tip):
    """Its tip is no wider than two steps of the grid: a vertex there lies beside the segments on both sides."""
    needle = shapely.Polygon([*tip, (0.002, 20), (-10, 20), (-0.001, 10)])
    beside = shapely.Polygon([(0, 0.00002), (1e-5, 0), (30, -10), (30, 30), (0.002, 20)])
    shared = share_vertices(np.array([needle, beside]))
    assert shapely.is_valid(shared[0])


def test_a_vertex_on_the_inner_border_of_two_atoms_is_not_passed_twice():
    """The outer border ends 0.01 mm before a vertex that a neighbour of another community has too."""
    left = shapely.Polygon([(-10, 0), (0, 0), (0, 1e-5), (0, 10), (-10, 10)])
    right = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 1e-5)])
    below = shapely.Polygon([(-10, 0), (-10, -10), (10, -10), (10, 0), (0, 1e-5)])
    shared = share_vertices(np.array([left, right, below]))
    assert shapely.is_valid(shared[:2]).all()
