"""--crs and --columns: what a planner states of files on the command line, by table."""

from __future__ import annotations

import doctest

import geopandas as gpd
import pytest
from test_cli import gridmap
from test_job import tiny_town, write_town

from gridmap.errors import OptionError, ReadError
from gridmap.io import stated
from gridmap.io.audit_sources import read_audit_sources
from gridmap.io.stated import stated_options

TABLES = ("communities", "buildings", "units")


def test_examples_run():
    failed, tried = doctest.testmod(stated)
    assert tried
    assert not failed


def test_a_crs_without_a_table_is_that_of_all_others():
    found = stated_options(["buildings=GCJ-02", "EPSG:4490"], None, TABLES)
    assert found == {"communities": {"crs": "EPSG:4490"}, "buildings": {"crs": "GCJ-02"}}
    assert stated_options(["+proj=utm +zone=50"], None, ["buildings"])["buildings"]["crs"] == "+proj=utm +zone=50"
    assert found["streets"] == {}


@pytest.mark.parametrize(
    ("crs", "columns", "message"),
    [
        (["building=GCJ-02"], None, "none is called 'building'; did you mean buildings?"),
        (["units=4490"], None, "units have no coordinates"),
        (None, ["总户数"], "write TABLE.COLUMN=HEADING"),
        (None, ["buildings.=总户数"], "write TABLE.COLUMN=HEADING"),
        (None, ["streets.name=路"], "Leave it out, or name the file of that table"),
    ],
)
def test_what_is_not_written_so_is_refused(crs, columns, message):
    with pytest.raises(OptionError) as caught:
        stated_options(crs, columns, TABLES)
    assert message in str(caught.value)


def test_divide_and_check_read_files_as_stated(tmp_path):
    town = tiny_town()
    write_town(tmp_path, town)
    houses = town["buildings"]
    points = houses.representative_point()
    rows = [
        f"{name},{x:.2f},{y:.2f},{count:.0f}"
        for name, x, y, count in zip(houses["building_id"], points.x, points.y, houses["households"], strict=True)
    ]
    (tmp_path / "buildings.csv").write_text("\n".join(["楼栋编号,x,y,核实数", *rows]), encoding="utf-8")
    words = ("--crs", f"buildings=EPSG:{houses.crs.to_epsg()}", "--columns", "buildings.households=核实数")
    done = gridmap("divide", "communities.gpkg", "buildings.csv", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    grids = gpd.read_file(tmp_path / "grids.gpkg", layer="grids")
    assert grids["households"].sum() == houses["households"].sum()
    done = gridmap("check", "communities.gpkg", "buildings.csv", *words, cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    assert gridmap("check", "buildings.csv", cwd=tmp_path).returncode == 2
    done = gridmap("divide", "communities.gpkg", "buildings.csv", "--crs", "building=4490", cwd=tmp_path)
    assert (done.returncode, "did you mean buildings?" in done.stderr) == (2, True)


def test_what_is_stated_of_a_project_or_of_other_layers_is_refused(tmp_path):
    write_town(tmp_path, tiny_town())
    source = f"quarters={tmp_path}/communities.gpkg"
    with pytest.raises(OptionError, match="quarters are read as they are"):
        read_audit_sources([source], columns=["quarters.name=a"])
    with pytest.raises(ReadError, match="crs= says EPSG:4326, but the source says"):
        read_audit_sources([source], crs=["quarters=EPSG:4326"])
    with pytest.raises(OptionError, match="none is called 'buildings'"):
        read_audit_sources([source], crs=["buildings=GCJ-02"])
