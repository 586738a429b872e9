"""`gridmap locate` on files as a planner has them."""

from __future__ import annotations

import geopandas as gpd
import pytest
from conftest import REPOSITORY
from test_cli import gridmap
from test_locate import homes_at, sites_at, streets

import gridmap as gm
from gridmap.job import run_project as gm_run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("locate")
    homes = homes_at([(0, 0), (800, 800), (400, 400)], [30, 20, 10])
    homes.to_file(folder / "buildings.gpkg")
    streets().to_file(folder / "streets.gpkg")
    there = sites_at([(400, 400)], category="clinic").assign(facility_id="c0")
    there.to_file(folder / "clinics.gpkg")
    plots = sites_at([(0, 0), (800, 700)], 费用=[3, 2]).rename(columns={"facility_id": "地块编号"})
    plots.to_crs(4326).to_file(folder / "plots.geojson")
    return folder


def locate(folder, *words):
    tables = ("buildings.gpkg", "plots.geojson", "streets.gpkg")
    return gridmap("locate", *tables, "--category", "clinic", *words, cwd=folder)


def test_the_map_and_what_the_terminal_says(files):
    done = locate(files, "--existing", "clinics.gpkg", "--count", 1, "--metres", 300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "sites.html"
    assert "proved optimal" in done.stdout
    assert "s0" in done.stdout
    # of 60 households 10 are covered today, and 40 with the site
    assert "16.7%" in done.stdout
    assert "66.7%" in done.stdout
    assert "Chosen sites" in (files / "sites.html").read_text("utf-8")


def test_a_target_by_cost_into_a_workbook_and_a_file(files):
    words = ("--target", 0.5, "--cost", "cost", "--metres", 300, "--out")
    done = locate(files, *words, "sites.xlsx")
    assert done.returncode == 0, done.stderr
    done = locate(files, *words, "sites.gpkg")
    assert done.returncode == 0, done.stderr
    chosen = gpd.read_file(files / "sites.gpkg", layer="sites")
    # 30 of 60 households are enough, and s0 alone has them
    assert chosen["facility_id"].tolist() == ["s0"]
    assert chosen["cost"].tolist() == [3]
    done = locate(files, *words, "sites.geojson")
    assert done.returncode == 0, done.stderr
    assert gpd.read_file(files / "sites.geojson")["facility_id"].tolist() == ["s0"]


def test_what_is_wrong_is_a_message(files):
    done = locate(files, "--count", 1, "--target", 0.9)
    assert done.returncode == 2
    assert "exactly one of count, target and budget" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_extract_is_no_list_of_candidates(tmp_path):
    from gridmap.io.read.readers import read_table

    (tmp_path / "city.osm.pbf").write_bytes(b"")
    with pytest.raises(gm.ReadError, match="does not say where to build"):
        read_table("candidates", tmp_path / "city.osm.pbf")


def test_a_project_asks_for_sites(tmp_path):
    project = tmp_path / "town.toml"
    tables = ("communities.geojson", "buildings.gpkg", "streets.geojson", "facilities.geojson")
    inputs = "\n".join(f'{name.split(".")[0]} = "{(REPOSITORY / "sample_data" / name).as_posix()}"' for name in tables)
    project.write_text(
        f'[inputs]\n{inputs}\n[cover]\nminutes = 5\n[locate]\ncategory = "elderly_care"\nminutes = 5\ncount = 1\n'
        "[outputs]\nreport = true\n",
        encoding="utf-8",
    )
    result = gm_run(project, tmp_path / "out", options={"divide": {"effort": "low"}})
    facilities = gm.read_facilities(REPOSITORY / "sample_data" / "facilities.geojson")
    marked = facilities[(facilities["status"] == "candidate") & (facilities["category"] == "elderly_care")]
    assert set(result.sites.sites["facility_id"]) <= set(marked["facility_id"])
    assert len(result.sites.sites) == 1
    # the reader of each file finds the site
    name = str(result.sites.sites["name"].iloc[0])
    assert gpd.read_file(tmp_path / "out" / "grids.gpkg", layer="sites")["name"].tolist() == [name]
    assert "Chosen sites" in (tmp_path / "out" / "report.html").read_text("utf-8")
    with pytest.raises(gm.OptionError, match=r"\[locate\] has unknown options sites"):
        gm_run(project, tmp_path / "out", options={"locate": {"sites": 3}})
