"""Rules of a division through the project file, the command line, and what they write."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from test_cli import gridmap
from test_job import run, tiny_town, write_town
from test_rules import RURAL, village

import gridmap as gm
from gridmap.errors import OptionError
from gridmap.io.write.workbook import write_workbook
from gridmap.job import run_project


def with_tower():
    tables = tiny_town()
    tables["buildings"].loc[60, "households"] = 700
    return tables


def test_a_project_splits_large_buildings_and_ties_pairs(tmp_path):
    more = """
[divide]
split_large = true
together = [["b000", "b005"]]
apart = [["b001", "b099"]]
"""
    result = run(tmp_path, with_tower(), more)
    assert result.plan.grids["status"].eq("legal").all()
    of = result.plan.assignment.drop_duplicates("building_id").set_index("building_id")["grid_id"]
    assert of["b000"] == of["b005"]
    assert "split_large" in set(result.findings["rule"])


def test_a_project_takes_bands_as_a_sheet_or_in_place(tmp_path):
    tables = tiny_town()
    tables["communities"]["kind"] = ["urban", "rural"]
    (tmp_path / "bands.csv").write_text("kind,lower,upper,weight,level\nrural,100,150,,grid\n", encoding="utf-8")
    path = Path(write_town(tmp_path, tables))
    plain = path.read_text(encoding="utf-8")
    path.write_text(plain.replace("[inputs]", '[inputs]\nbands = "bands.csv"'), encoding="utf-8")
    by_sheet = run_project(path, tmp_path / "a").plan
    rural = by_sheet.grids[by_sheet.grids["upper"] == 150]
    assert rural["households"].between(100, 150).all()
    assert len(rural) >= 5
    path.write_text(plain + '\n[[divide.bands]]\nkind = "rural"\nlower = 100\nupper = 150\n', encoding="utf-8")
    in_place = run_project(path, tmp_path / "b").plan
    assert (in_place.assignment["grid_id"] == by_sheet.assignment["grid_id"]).all()


def test_a_project_locks_grids_of_a_saved_plan(tmp_path):
    first = run(tmp_path, tiny_town()).plan
    first.save(tmp_path / "old.gpkg")
    keep = first.grids["grid_id"][0]
    again = run(tmp_path, tiny_town(), f'\n[divide]\nprevious = "old.gpkg"\nlocked = ["{keep}"]\n').plan
    before, after = (p.grids.set_index("grid_id").geometry[keep] for p in (first, again))
    assert before.symmetric_difference(after).area <= 1e-6
    with pytest.raises(OptionError, match="does not have: moon"):
        run(tmp_path, tiny_town(), '\n[divide]\nprevious = "old.gpkg"\nlocked = ["moon"]\n')


def test_divide_on_the_command_line_splits_by_units(tmp_path):
    tables = with_tower()
    write_town(tmp_path, tables)
    units = pd.DataFrame({"building_id": "b060", "unit_id": ["1", "2", "3", "4"], "households": [175] * 4})
    units.to_csv(tmp_path / "units.csv", index=False)
    words = ("divide", "communities.gpkg", "buildings.gpkg", "--streets", "streets.gpkg", "--units", "units.csv")
    done = gridmap(*words, "--split-large", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = gpd.read_file(tmp_path / "grids.gpkg", layer="assignment")
    assert rows.loc[rows["building_id"] == "b060", "unit_id"].tolist() == ["1", "2", "3", "4"]
    grids = gpd.read_file(tmp_path / "grids.gpkg", layer="grids")
    assert grids["status"].eq("legal").all()


def test_a_plan_with_bands_and_areas_is_drawn_and_written(tmp_path):
    communities, houses, streets = village()
    plan = gm.divide(communities, houses, streets, bands=RURAL)
    gm.write_project(tmp_path / "plan.gpkg", plan=plan)
    assert len(gpd.read_file(tmp_path / "plan.gpkg", layer="areas")) == len(plan.areas)
    gm.explore(plan).save(str(tmp_path / "map.html"))
    assert (tmp_path / "map.html").stat().st_size > 10_000
    write_workbook(tmp_path / "ledger.xlsx", plan=plan)
    cells = pd.concat(pd.read_excel(tmp_path / "ledger.xlsx", sheet_name=None, header=None).values()).astype(str)
    assert cells.isin(["households ≥ 150; households 300–500"]).any().any()
