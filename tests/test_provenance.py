"""Provenance: fingerprints of values only, records that are kept with results, and what differs between two runs."""

from __future__ import annotations

import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPoint, Point, Polygon, box
from test_job import frame, tiny_town, write_town
from typer.testing import CliRunner

import gridmap as gm
from gridmap.cli import app
from gridmap.errors import OptionError, ReadError
from gridmap.io.fingerprints import file_hash, table_hash
from gridmap.io.project import write_project
from gridmap.io.provenance import LAYER, provenance, provenance_json, read_provenance, versions
from gridmap.job import run_project

CELLS = st.one_of(st.none(), st.integers(-(2**53), 2**53), st.text(st.characters(codec="utf-8"), max_size=4))


def values(record):
    return {(part, name, item): value for part, name, item, value in record.to_numpy(object).tolist()}


@pytest.fixture
def houses():
    return gpd.GeoDataFrame(
        {
            "id": ["007", "8", None], "n": [1, 2, 3], "share": [0.5, np.nan, 2.0], "open": [True, False, True],
            "node_ids": [np.array([1, 2]), None, np.array([], dtype=int)], "ids": [["a"], [], ["a", "b"]],
            "seen": pd.to_datetime(["2024-01-01 08:00", None, "2024-01-02 00:00"]),
        },
        geometry=[Point(1, 2), None, box(0, 0, 1, 1)],
        crs=4490,
    )  # fmt: skip


def test_the_same_values_have_the_same_fingerprint_however_they_are_kept(houses):
    usual = table_hash(houses)
    kept = {
        "columns in another order": houses[[*reversed(houses.columns)]],
        "another index": houses.set_index(pd.Index([5, 5, 7])),
        "nullable": houses.astype({"n": "Int64", "share": "Float64", "open": "boolean", "id": "string"}),
        "arrow": houses.astype({"n": "int64[pyarrow]", "share": "double[pyarrow]", "open": "bool[pyarrow]"}),
        "objects": houses.astype({"n": object, "share": object, "open": object, "id": object}),
        "floats": houses.astype({"n": float, "open": float}),
        "categories": houses.astype({"id": "category", "n": "category"}),
        "other moments": houses.assign(seen=houses["seen"].dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")),
        "lists": houses.assign(node_ids=[[1, 2], None, []]),
        "heights": houses.set_geometry([Point(1, 2, 9), None, box(0, 0, 1, 1)], crs=4490),
    }
    assert {name: table_hash(table) for name, table in kept.items()} == dict.fromkeys(kept, usual)
    houses.attrs["reading"] = {"source": "x"}
    assert table_hash(houses) == usual


def test_other_values_have_another_fingerprint(houses):
    other = {
        "rows in another order": houses.iloc[::-1],
        "one row less": houses.iloc[:2],
        "a number": houses.assign(n=[1, 2, 4]),
        "a letter": houses.assign(id=["07", "8", None]),
        "an empty text for nothing": houses.assign(id=["007", "8", ""]),
        "nought for nothing": houses.assign(share=[0.5, 0, 2]),
        "a name": houses.rename(columns={"n": "m"}),
        "a vertex": houses.set_geometry([Point(1, 2), None, Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])], crs=4490),
        "a type": houses.set_geometry([MultiPoint([(1, 2)]), None, box(0, 0, 1, 1)], crs=4490),
        "a CRS": houses.set_crs(4326, allow_override=True),
        "a list": houses.assign(ids=[["a"], [], ["a", "c"]]),
        "values of another row": houses.assign(id=["8", "007", None]),
        "columns exchanged": houses.rename(columns={"n": "open", "open": "n"}),
        "great numbers": houses.assign(n=[2**60, 2**60 + 1, 0]),
        "other great numbers": houses.assign(n=[2**60, 2**60 + 2, 0]),
    }
    hashes = {table_hash(houses), *(table_hash(table) for table in other.values())}
    assert len(hashes) == len(other) + 1


@given(st.lists(CELLS, min_size=1, max_size=6), st.lists(CELLS, min_size=1, max_size=6))
def test_fingerprints_are_equal_where_the_values_are(one, two):
    a, b = (pd.DataFrame({"a": pd.Series(values, dtype=object)}) for values in (one, two))
    # a column of texts that read like numbers, and one of those numbers, are two different columns
    same = [(type(v).__name__, v) for v in one] == [(type(v).__name__, v) for v in two]
    assert (table_hash(a) == table_hash(b)) == same


def test_files_and_folders(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_hash(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    for name in ("x.gdb", "y.gdb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t").write_bytes(b"abc")
    assert file_hash(tmp_path / "x.gdb") == file_hash(tmp_path / "y.gdb")
    (tmp_path / "y.gdb" / "t").rename(tmp_path / "y.gdb" / "u")
    assert file_hash(tmp_path / "x.gdb") != file_hash(tmp_path / "y.gdb")


def test_versions_name_all_that_a_result_depends_on():
    known = versions()
    assert {"gridmap", "python", "geopandas", "shapely", "numpy", "GEOS", "PROJ", "GDAL"} <= set(known)
    assert known["gridmap"] == gm.__version__
    assert all(value[0].isdigit() for value in known.values())


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run of the tiny town, from files of which one holds rows that are left out."""
    folder = tmp_path_factory.mktemp("town")
    project = write_town(folder, tiny_town())
    return folder, project, run_project(project, folder / "out")


def test_a_run_records_inputs_rows_parameters_versions_and_results(first):
    folder, _, result = first
    assert result.changes is None, "there was no run before"
    record = read_provenance(folder / "out")
    value = values(record)
    assert value["input", "buildings", "source"] == "buildings.gpkg", "without the folder, which is nobody's business"
    assert value["input", "buildings", "file sha256"] == file_hash(folder / "buildings.gpkg")
    assert value["input", "buildings", "content sha256"] == table_hash(gm.read_buildings(folder / "buildings.gpkg"))
    assert (value["input", "buildings", "rows read"], value["input", "buildings", "rows kept"]) == ("100", "100")
    assert value["parameter", "divide", "seed"] == "0"
    assert value["parameter", "divide", "upper"] == "500"
    assert value["parameter", "cover", "minutes for pharmacy"] == "15"
    assert value["version", "GEOS", "version"] == versions()["GEOS"]
    assert value["result", "plan", "plan hash"] == result.plan.plan_hash
    assert value["result", "grids", "content sha256"] == table_hash(result.plan.grids)
    assert str(folder) not in (folder / "out" / "provenance.json").read_text(encoding="utf-8")
    layer = read_provenance(folder / "out" / "grids.gpkg")
    pd.testing.assert_frame_equal(layer, record, check_dtype=False)


def test_the_same_run_again_differs_in_nothing(first, tmp_path):
    folder, project, _ = first
    shutil.copytree(folder / "out", tmp_path / "out")
    said = CliRunner().invoke(app, ["run", str(project), "--out", str(tmp_path / "out")]).output
    assert "nothing differs from the last run into this folder" in said
    again, before = ((where / "provenance.json").read_bytes() for where in (tmp_path / "out", folder / "out"))
    assert again == before
    assert gm.compare_runs(folder / "out", tmp_path / "out").empty


def test_a_run_on_other_inputs_says_what_differs(first, tmp_path):
    folder, _, _ = first
    shutil.copytree(folder, tmp_path / "town")
    town = tmp_path / "town"
    tables = tiny_town()
    tables["buildings"] = tables["buildings"].iloc[:-1].assign(households=13)
    project = write_town(town, tables, "[divide]\nupper = 480")
    said = CliRunner().invoke(app, ["run", str(project), "--out", str(town / "out")]).output
    assert "what differs from the last run into this folder:" in said
    assert "  input buildings, rows kept: 100 -> 99" in said
    assert "  parameter divide, upper: 500 -> 480" in said
    assert "  input buildings, content sha256: another one" in said
    changes = gm.compare_runs(folder / "out", town / "out")
    keys = set(map(tuple, changes[["part", "name", "item"]].to_numpy().tolist()))
    assert ("result", "grids", "content sha256") in keys
    # a GeoPackage says when it was written: another file, and the same content
    assert {item for _, name, item in keys if name in ("streets", "communities")} <= {"file sha256"}
    assert "version" not in {part for part, _, _ in keys}
    assert set(changes["change"]) == {"changed"}
    back = gm.compare_runs(town / "out", folder / "out")
    assert changes[["before", "after"]].to_numpy().tolist() == back[["after", "before"]].to_numpy().tolist()


def test_rows_left_out_are_counted_with_their_reason(tmp_path):
    (tmp_path / "houses.csv").write_text("building_id,lon,lat\na,116.3,40\n,,\nb,116.3,40\n", encoding="utf-8")
    houses = gm.read_buildings(tmp_path / "houses.csv")
    record = values(provenance(inputs={"buildings": houses}))
    assert record["input", "buildings", "rows left out: blank row"] == "1"
    assert (record["input", "buildings", "rows read"], record["input", "buildings", "rows kept"]) == ("3", "2")


def test_saved_plans_and_projects_carry_their_record(first, tmp_path):
    _, _, result = first
    result.plan.save(tmp_path / "plan.gpkg")
    saved = values(read_provenance(tmp_path / "plan.gpkg"))
    assert saved["result", "plan", "plan hash"] == gm.GridPlan.load(tmp_path / "plan.gpkg").plan_hash
    write_project(tmp_path / "all.gpkg", plan=result.plan, cover=result.cover)
    whole = gpd.read_file(tmp_path / "all.gpkg", layer=LAYER)
    assert whole["part"].unique().tolist() == ["input", "parameter", "version", "result"]
    merged = result.plan.merge(result.plan.grids["grid_id"].iloc[1:3])
    changes = gm.compare_runs(provenance(plan=result.plan), provenance(plan=merged))
    assert set(changes["part"]) <= {"parameter", "result"}
    assert "plan hash" in set(changes["item"])


def test_a_record_of_nothing_special_changes_no_result(first):
    _, _, result = first
    before = result.plan.plan_hash, table_hash(result.plan.buildings), dict(result.plan.buildings.attrs)
    provenance(plan=result.plan, cover=result.cover)
    assert before == (result.plan.plan_hash, table_hash(result.plan.buildings), dict(result.plan.buildings.attrs))


def test_json_holds_the_record_in_order():
    record = provenance(inputs={"units": pd.DataFrame({"n": [1]})}, parameters={"divide": {"upper": 500.0, "b": None}})
    nested = json.loads(provenance_json(record))
    assert list(nested) == ["format", "input", "parameter", "version"]
    assert nested["parameter"] == {"divide": {"b": "null", "upper": "500"}}
    assert nested["input"]["units"]["rows"] == "1"


def test_items_that_one_run_lacks():
    one, two = (provenance(inputs={}, parameters={"divide": given}) for given in ({"a": 1, "b": 2}, {"b": 2, "c": "3"}))
    rows = gm.compare_runs(one, two)[["item", "before", "after", "change"]].to_numpy(object).tolist()
    assert rows == [["a", "1", None, "removed"], ["c", None, "3", "added"]]


def test_records_that_are_not_there_or_broken(tmp_path):
    with pytest.raises(ReadError, match="no such record of a run"):
        read_provenance(tmp_path)
    for text in ("{", "[]", '{"input": 3}', '{"input": {"a": 3}}'):
        (tmp_path / "provenance.json").write_text(text, encoding="utf-8")
        with pytest.raises(ReadError, match="holds no record of a run"):
            read_provenance(tmp_path)
    frame([box(0, 0, 1, 1)], a=[1]).to_file(tmp_path / "a.gpkg")
    with pytest.raises(ReadError, match="holds no record of a run"):
        read_provenance(tmp_path / "a.gpkg")
    with pytest.raises(OptionError, match="has the columns part, name, item, value"):
        read_provenance(pd.DataFrame({"a": [1]}))
