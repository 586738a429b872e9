"""GridPlan and its assembly: households conserved, status, findings, saved and loaded without loss."""

from __future__ import annotations

import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

import gridmap as gm
from gridmap.division.plans.assemble import build_plan
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import GridmapError, ReadError, WriteError
from gridmap.tables.findings import findings_table

CRS = "EPSG:32650"
SIDE = 50.0
WEST, NORTH = 500_000.0, 4_400_000.0  # where EPSG:32650 is true to scale


def checkerboard(households, *, community_of_column=None):
    """A ground of square atoms of 50 m with one building each; the row index counts southwards."""
    households = np.asarray(households, dtype=float)
    rows, columns = households.shape
    owner = community_of_column or ["A"] * columns
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    corners = [(WEST + c * SIDE, NORTH - r * SIDE) for r, c in cells]
    shapes = [box(x, y - SIDE, x + SIDE, y) for x, y in corners]
    ids = [f"{r}-{c}" for r, c in cells]
    atoms = gpd.GeoDataFrame(
        {
            "atom_id": [f"a{i}" for i in ids],
            "kind": "building",
            "community_id": [owner[c] for _, c in cells],
            "compound_id": None,
            "households": [households[r, c] for r, c in cells],
        },
        geometry=shapes,
        crs=CRS,
    )
    pairs = [(f"a{r}-{c}", f"a{r + 1}-{c}") for r, c in cells if r + 1 < rows]
    pairs += [(f"a{r}-{c}", f"a{r}-{c + 1}") for r, c in cells if c + 1 < columns and owner[c] == owner[c + 1]]
    adjacency = pd.DataFrame(pairs, columns=["atom_a", "atom_b"]).assign(metres=SIDE, on_street=0.0)
    buildings = gpd.GeoDataFrame(
        {"building_id": [f"b{i}" for i in ids], "households": atoms["households"], "residents": 2.0},
        geometry=atoms.geometry.centroid.buffer(10, cap_style="square"),
        crs=CRS,
    )
    assignment = pd.DataFrame(
        {"building_id": buildings["building_id"], "atom_id": atoms["atom_id"], "households": atoms["households"]}
    ).assign(community_id=atoms["community_id"])
    communities = atoms.dissolve("community_id").reset_index()[["community_id", "geometry"]]
    communities["code"] = [f"44010300100{i}" for i in range(1, len(communities) + 1)]
    communities["name"] = "槐树社区"
    ground = SimpleNamespace(atoms=atoms, adjacency=adjacency, assignment=assignment, findings=findings_table([]))
    return ground, communities, buildings


def by_column(ground):
    return pd.Series(ground.atoms["atom_id"].str.split("-").str[1].to_numpy(), index=ground.atoms["atom_id"])


def test_grids_hold_what_their_atoms_hold():
    ground, communities, buildings = checkerboard([[100, 200, 300, 0], [200, 350, 100, 90]])
    plan = build_plan(ground, by_column(ground), communities=communities, buildings=buildings)
    assert plan.grids["grid_id"].tolist() == [f"440103001001{n:03d}" for n in (1, 2, 3, 4)]
    assert plan.grids["households"].tolist() == [300, 550, 400, 90]
    assert plan.grids["status"].tolist() == ["legal", "above", "legal", "below"]
    assert plan.grids["residents"].tolist() == [4, 4, 4, 4]
    assert plan.grids["area_m2"].tolist() == pytest.approx([2 * SIDE**2] * 4)
    assert plan.grids["name"].tolist()[1] == "槐树社区 002"
    assert plan.assignment["households"].sum() == 1340
    assert set(plan.atoms.loc[plan.atoms["households"] == 90, "grid_id"]) == {"440103001001004"}


def test_each_grid_out_of_band_has_a_finding_with_a_cure():
    ground, communities, buildings = checkerboard([[100, 274, 300, 0], [200, 274, 100, 90]])
    certificate = {"kind": "pendant", "atoms": ["a0-3"]}
    plan = build_plan(
        ground, by_column(ground), communities=communities, buildings=buildings, certificates={"3": certificate}
    )
    above, below = plan.findings.to_dict("records")
    assert above["message"] == "Grid 440103001001002 holds 548 households, 48 above 500."
    assert above["rule"] == "household_band"
    assert above["status"] == "above"
    assert above["cure"].startswith("Redraw its border with 440103001001001 (together 848)")
    assert '"kind": "not_found"' in above["certificate"]
    assert below["message"] == "Grid 440103001001004 holds 90 households, 210 below 300."
    assert '"pendant"' in below["certificate"]
    assert "merge" not in below["cure"].lower(), "what is proved impossible is not proposed"


def test_both_ends_of_the_band_are_legal():
    ground, communities, buildings = checkerboard([[299, 300, 500, 501, 500 + 1e-10]])
    plan = build_plan(ground, by_column(ground), communities=communities, buildings=buildings)
    assert plan.grids["status"].tolist() == ["below", "legal", "legal", "above", "legal"]


def test_a_total_that_no_number_of_grids_can_hold_is_for_the_neighbouring_community():
    households = [[274, 200, 400], [274, 200, 0]]
    ground, communities, buildings = checkerboard(households, community_of_column=["A", "B", "C"])
    certificate = {"kind": "component_total", "total": 548.0}
    plan = build_plan(
        ground, by_column(ground), communities=communities, buildings=buildings, certificates={"0": certificate}
    )
    assert plan.findings["cure"].tolist() == [
        "Join community A with B; or accept 548, or make it a dedicated grid.",
    ]


def test_status_empty_and_dedicated():
    ground, communities, buildings = checkerboard([[0, 0, 900, 400]], community_of_column=["A", "A", "B", "B"])
    labels = pd.Series(["x", "x", "y", "z"], index=ground.atoms["atom_id"])
    plan = build_plan(ground, labels, communities=communities, buildings=buildings, dedicated=["y"])
    assert plan.grids["status"].tolist() == ["empty", "dedicated", "legal"]
    assert plan.grids["kind"].tolist() == ["basic", "dedicated", "basic"]
    assert plan.findings["rule"].tolist() == ["empty_community"]
    assert "1 of 1" in repr(plan)


def test_a_building_outside_stays_in_the_assignment_without_a_grid():
    ground, communities, buildings = checkerboard([[300, 400]])
    stray = gpd.GeoDataFrame({"building_id": ["stray"], "households": [7.0]}, geometry=[Point(1e4, 0)], crs=CRS)
    buildings = pd.concat([buildings, stray], ignore_index=True)
    plan = build_plan(ground, by_column(ground), communities=communities, buildings=buildings)
    assert plan.assignment["households"].sum() == 707
    assert plan.assignment.set_index("building_id")["grid_id"].isna().to_dict() == {
        "b0-0": False,
        "b0-1": False,
        "stray": True,
    }


def test_faults_of_the_caller_are_internal_errors():
    ground, communities, buildings = checkerboard([[300, 400]], community_of_column=["A", "B"])
    with pytest.raises(GridmapError, match="two communities"):
        build_plan(ground, by_column(ground).replace({"1": "0"}), communities=communities, buildings=buildings)
    with pytest.raises(GridmapError, match="without a grid"):
        build_plan(ground, by_column(ground).iloc[:1], communities=communities, buildings=buildings)
    ground.atoms.loc[0, "households"] = 299
    with pytest.raises(GridmapError, match="not 700"):
        build_plan(ground, by_column(ground), communities=communities, buildings=buildings)


def test_a_column_or_a_series_can_be_what_the_band_counts():
    ground, communities, buildings = checkerboard([[300, 400]])
    people = buildings.assign(people=[350.0, 20.0])
    by_name = build_plan(ground, by_column(ground), communities=communities, buildings=people, weight="people")
    assert by_name.grids["people"].tolist() == [350, 20]
    assert by_name.grids["status"].tolist() == ["legal", "below"]
    assert by_name.grids["households"].tolist() == [300, 400]
    series = pd.Series([350.0, 20.0], index=["b0-0", "b0-1"])
    by_series = build_plan(ground, by_column(ground), communities=communities, buildings=buildings, weight=series)
    assert by_series.grids["weight"].tolist() == [350, 20]
    assert by_series.buildings["weight"].tolist() == [350, 20]
    assert by_series.audit().set_index("measure").loc["outside_band", ["value", "unit"]].tolist() == [280, "weight"]
    assert by_series.findings["message"].tolist() == ["Grid 440103001001002 holds 20 weight, 280 below 300."]


def test_a_split_building_is_shared_out_by_households():
    ground, communities, buildings = checkerboard([[300, 100]])
    tower = ground.assignment.assign(building_id="b0-0", unit_id=["1", "2"])
    ground.assignment = tower
    buildings = buildings.iloc[:1].assign(households=400.0, residents=800.0)
    plan = build_plan(ground, by_column(ground), communities=communities, buildings=buildings)
    assert plan.grids["residents"].tolist() == [600, 200]
    assert plan.assignment["unit_id"].tolist() == ["1", "2"]


def test_a_grid_that_keeps_most_households_keeps_its_code():
    ground, communities, buildings = checkerboard([[300, 100, 200, 400]])
    first = build_plan(
        ground, pd.Series(list("aabb"), index=ground.atoms["atom_id"]), communities=communities, buildings=buildings
    )
    again = build_plan(
        ground,
        pd.Series(list("xyyz"), index=ground.atoms["atom_id"]),
        communities=communities,
        buildings=buildings,
        previous=first,
    )
    assert again.assignment["grid_id"].str[-3:].tolist() == ["001", "003", "003", "002"]
    last = build_plan(
        ground,
        pd.Series(list("xxzw"), index=ground.atoms["atom_id"]),
        communities=communities,
        buildings=buildings,
        previous=again,
    )
    # 003 went: its 100 households are with 001 and its 200 keep it, for 200 is more than half of 300
    assert last.assignment["grid_id"].str[-3:].tolist() == ["001", "001", "003", "002"]


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_every_household_in_exactly_one_grid(rows, columns, parts, random):
    households = [[random.choice([0, 1, 90, 300, 499, 640]) for _ in range(columns)] for _ in range(rows)]
    ground, communities, buildings = checkerboard(households)
    labels = pd.Series([random.randrange(parts) for _ in range(rows * columns)], index=ground.atoms["atom_id"])
    order = list(range(rows * columns))
    random.shuffle(order)
    plan = build_plan(ground, labels, communities=communities, buildings=buildings)
    assert plan.grids["households"].sum() == np.sum(households)
    assert plan.assignment["building_id"].is_unique
    assert plan.assignment["grid_id"].notna().all()
    assert plan.grids["area_m2"].sum() == pytest.approx(rows * columns * SIDE**2)
    expected = labels.groupby(labels).apply(
        lambda s: ground.atoms.set_index("atom_id").loc[s.index, "households"].sum()
    )
    assert sorted(plan.grids["households"]) == sorted(expected)
    out = ~plan.grids["households"].between(300, 500)
    assert set(plan.grids.loc[out, "status"]) <= {"above", "below", "empty"}
    ground.atoms = ground.atoms.iloc[order]
    ground.assignment = ground.assignment.iloc[order]
    shuffled = build_plan(ground, labels, communities=communities, buildings=buildings)
    assert shuffled.plan_hash == plan.plan_hash


def full_plan():
    ground, communities, buildings = checkerboard([[100, 274, 300, 0], [200, 274, 100, 90]])
    streets = gpd.GeoDataFrame(
        {
            "class": ["residential", None],
            "name": ["一街", None],
            "node_ids": [np.array([1, 2], dtype="int64"), None],
            "tunnel": [True, False],
            "Name": ["a", "b"],
        },
        geometry=gpd.GeoSeries.from_wkt(["LINESTRING (0 0, 0.1 -100)", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"]),
        crs=CRS,
    )
    parameters = {"seed": 0, "effort": "normal", "bands": None, "nested": {"a": [1, 2.5]}}
    return build_plan(
        ground, by_column(ground), communities=communities, buildings=buildings, parameters=parameters, streets=streets
    )


def test_a_saved_plan_loads_as_an_equal_plan(tmp_path):
    plan = full_plan()
    plan.save(tmp_path / "plan.gpkg")
    loaded = GridPlan.load(tmp_path / "plan.gpkg")
    assert loaded.equals(plan)
    assert loaded.plan_hash == plan.plan_hash
    assert loaded.findings["ids"].tolist() == plan.findings["ids"].tolist()
    assert loaded.streets["node_ids"][0].dtype == "int64"
    assert loaded.compounds is None
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]
    layer = gpd.read_file(tmp_path / "plan.gpkg", layer="grids")
    assert layer["households"].tolist() == [300, 548, 400, 90]


def test_plans_that_differ_are_not_equal():
    plan = full_plan()
    other = GridPlan(**{**vars(plan), "assignment": plan.assignment.assign(area_id="1")})
    assert not plan.equals(other)
    assert other.plan_hash != plan.plan_hash
    assert not plan.equals(GridPlan(**{**vars(plan), "parameters": {"lower": 1}}))
    assert not plan.equals(None)


def test_saving_fails_whole(tmp_path):
    plan = full_plan()
    with pytest.raises(WriteError, match="GeoPackage"):
        plan.save(tmp_path / "plan.shp")
    with pytest.raises(WriteError, match="there is no folder"):
        plan.save(tmp_path / "absent" / "plan.gpkg")
    plan.save(tmp_path / "plan.gpkg")
    former = (tmp_path / "plan.gpkg").read_bytes()
    broken = GridPlan(**{**vars(plan), "grids": plan.grids.assign(wrong=[object()] * len(plan.grids))})
    with pytest.raises(WriteError, match="could not be written"):
        broken.save(tmp_path / "plan.gpkg")
    assert (tmp_path / "plan.gpkg").read_bytes() == former
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


def test_loading_what_is_not_a_plan(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        GridPlan.load(tmp_path / "absent.gpkg")
    (tmp_path / "text.gpkg").write_text("not a database")
    with pytest.raises(ReadError, match="can be read"):
        GridPlan.load(tmp_path / "text.gpkg")
    full_plan().grids.to_file(tmp_path / "other.gpkg", layer="grids")
    with pytest.raises(ReadError, match=r"not a saved plan.*plan.save\(path\)\.$"):
        GridPlan.load(tmp_path / "other.gpkg")


def test_the_grids_of_a_project_become_a_plan_as_the_message_says(tmp_path):
    ground, communities, buildings = checkerboard([[100, 274, 300, 0], [200, 274, 100, 90]])
    plan = build_plan(ground, by_column(ground), communities=communities, buildings=buildings)
    path = gm.write_project(tmp_path / "project.gpkg", plan=plan)
    with pytest.raises(ReadError, match=r"not a saved plan.*It holds the grids of one") as caught:
        GridPlan.load(path)
    call = re.search(r"tables = (gridmap.*?), then (gridmap.*)\.$", str(caught.value))
    tables = eval(call[1], {"gridmap": gm})  # noqa: S307 (our own text)
    again = eval(call[2], {"gridmap": gm, "tables": tables})  # noqa: S307
    assert (
        again.grids.set_index("grid_id")["households"].to_dict()
        == plan.grids.set_index("grid_id")["households"].to_dict()
    )


def test_it_prints_itself_in_a_few_words():
    plan = full_plan()
    assert repr(plan) == (
        "<GridPlan: 4 grids; 2 of 4 in the band; 1 communities; 8 buildings; 1,338 households; 2 (2 error) findings>"
    )
    html = plan._repr_html_()
    assert "1,338" in html
    assert "<svg" in html
    assert len(html) < 4000
