"""Writing: what goes in comes back, and a failure leaves the former file and no other."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely import LineString, Point

from gridmap.errors import OptionError, WriteError
from gridmap.io.write.tables import flat, write_layers, write_table, writing, writing_set
from gridmap.tables.findings import finding, findings_table

CRS = 32650
SPATIAL = ["a.gpkg", "a.geojson", "a.parquet"]


@pytest.fixture
def table():
    return gpd.GeoDataFrame(
        {"id": ["001", "002"], "name": ["柳岸", None], "n": [1.5, np.nan], "open": [True, False]},
        geometry=[Point(500_000, 4_400_000), Point(500_010, 4_400_000)],
        crs=CRS,
    )


def read(path):
    return gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)


@pytest.mark.parametrize("name", SPATIAL)
def test_tables_come_back(tmp_path, table, name):
    path = write_table(table, tmp_path / name)
    back = read(path)
    assert back["id"].tolist() == ["001", "002"]
    assert back["name"].iloc[0] == "柳岸"
    assert back["name"].isna().tolist() == [False, True]
    assert back["n"].isna().tolist() == [False, True]
    assert back["open"].tolist() == [True, False]
    assert back.to_crs(CRS).geometry.distance(table.geometry).max() < 0.01
    assert back.crs == (4326 if name.endswith("geojson") else CRS)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert "reading" not in table.attrs


@pytest.mark.parametrize("name", [*SPATIAL, "a.csv"])
def test_arrays_lists_and_mappings_become_text(tmp_path, table, name):
    odd = table.assign(node_ids=[np.array([1, 2]), None], ids=[["a", "b"], []], extra=[{"k": "值"}, None])
    path = write_table(odd, tmp_path / name)
    back = pd.read_csv(path) if name.endswith("csv") else read(path)
    assert back["node_ids"].iloc[0] == "1 2"
    assert pd.isna(back["node_ids"].iloc[1])
    if name.endswith("geojson"):
        # GeoJSON knows lists and mappings itself
        assert [list(ids) for ids in back["ids"]] == [["a", "b"], []]
        assert back["extra"].iloc[0] == {"k": "值"}
    else:
        assert back["ids"].tolist() == ['["a", "b"]', "[]"]
        assert back["extra"].iloc[0] == '{"k": "值"}'
    assert isinstance(odd["ids"].iloc[0], list)


def test_findings_without_places_are_written(tmp_path):
    found = findings_table([finding("error", "grid_size", "too large", ids=["g1"], certificate={"a": 1})], crs=CRS)
    back = gpd.read_file(write_table(found, tmp_path / "f.gpkg"))
    assert back["ids"].tolist() == ['["g1"]']
    assert back["rule"].tolist() == ["grid_size"]


@pytest.mark.parametrize("name", SPATIAL)
def test_tables_without_rows_are_written(tmp_path, table, name):
    assert len(read(write_table(table.iloc[:0], tmp_path / name))) == 0


def test_mixed_geometry_and_missing_geometry_are_written(tmp_path, table):
    table.geometry = [LineString([(0, 0), (1, 1)]), None]
    for name in SPATIAL:
        assert read(write_table(table, tmp_path / name)).geometry.isna().tolist() == [False, True]


def test_layers_of_one_file(tmp_path, table):
    plain = pd.DataFrame({"a": [1, 2, 3]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write_layers({"places": table, "plain": plain}, tmp_path / "all.gpkg")
    assert sorted(pyogrio.list_layers(path)[:, 0].tolist()) == ["places", "plain"]
    assert len(gpd.read_file(path, layer="plain")) == 3
    with pytest.raises(WriteError, match="nothing to write"):
        write_layers({}, tmp_path / "none.gpkg")
    # a second writing replaces the file, layers of the first do not stay
    write_layers({"other": plain}, path)
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["other"]


def test_suffix_says_the_format(tmp_path, table):
    with pytest.raises(OptionError, match=r"written as \.gpkg, \.geojson"):
        write_table(table, tmp_path / "a.dwg")
    with pytest.raises(WriteError, match="cannot be GeoJSON"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.geojson")


@pytest.mark.parametrize("name", [*SPATIAL, "a.csv"])
def test_failure_leaves_the_former_file_and_no_other(tmp_path, table, name, monkeypatch):
    path = write_table(table, tmp_path / name)
    before = path.read_bytes()

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError, match=r"No space left.*former file of that name is unchanged"):
        write_table(table.assign(n=0), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_failure_in_a_later_layer_leaves_nothing_behind(tmp_path, table):
    path = write_layers({"a": table}, tmp_path / "a.gpkg")
    before = path.read_bytes()
    broken = pd.DataFrame({"a": [1 + 2j]})
    with pytest.raises(WriteError, match=r"a\.gpkg"):
        write_layers({"a": table, "b": broken}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_interrupt_removes_the_temporary_file(tmp_path):
    def write():
        with writing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails_at", ["b.txt", "c.txt"])
def test_a_set_takes_its_places_as_a_whole_or_not_at_all(tmp_path, monkeypatch, fails_at):
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    paths[0].write_text("former a")
    paths[2].write_text("former c")

    def write(text):
        with writing_set(paths) as drafts:
            for draft in drafts:
                draft.write_text(text)

    replace, failed = Path.replace, []

    def fail_once(self, target):
        if Path(target).name == fails_at and not failed:
            failed.append(self)
            raise PermissionError(13, "open elsewhere")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(WriteError, match=r"a\.txt and 2 more of its set: .*open elsewhere.*Former files of these"):
        write("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.txt": "former a", "c.txt": "former c"}
    write("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == dict.fromkeys(["a.txt", "b.txt", "c.txt"], "new")


def test_places_that_cannot_be_written(tmp_path, table, monkeypatch):
    with pytest.raises(WriteError, match=r"no folder .*absent. Make it first"):
        write_table(table, tmp_path / "absent" / "a.gpkg")
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(WriteError, match="this is a folder"):
        write_table(table, tmp_path / "folder.gpkg")

    def refuse(**_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(WriteError, match=r"Permission denied.*another"):
        write_table(table, tmp_path / "a.gpkg")


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_files_are_as_readable_as_any_other(tmp_path, table):
    (tmp_path / "plain").touch()
    path = write_table(table, tmp_path / "a.gpkg")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_flat_keeps_the_table_as_it_was(table):
    table.attrs["reading"] = {"source": "x"}
    assert flat(table).attrs == {}
    assert table.attrs == {"reading": {"source": "x"}}
