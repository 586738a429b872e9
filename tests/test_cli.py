"""The command line as a planner meets it: the demo, its map in a browser, single commands, and errors as messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from conftest import REPOSITORY
from test_explore import payload_of
from test_job import tiny_town, write_town

from gridmap import cli


def gridmap(*words, cwd) -> subprocess.CompletedProcess:
    """`gridmap WORDS` in a process of its own, output as UTF-8."""
    import os

    code = "from gridmap.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", "COLUMNS": "150"}
    command = [sys.executable, "-W", "error", "-c", code, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = gridmap("demo", cwd=folder)
    assert done.returncode == 0, done.stderr
    return done, folder


def test_demo_writes_its_files_and_ends_with_the_map(demo):
    done, folder = demo
    last = Path(done.stdout.splitlines()[-1])
    assert (folder / last).resolve() == (folder / "gridmap-demo" / "map.html").resolve()
    assert {p.name for p in (folder / "gridmap-demo").iterdir()} == {
        *("map.html", "grids.gpkg", "ledger.xlsx", "provenance.json")
    }
    assert (folder / last).stat().st_size > 50_000


def test_demo_prints_grids_rates_findings_and_seconds(demo):
    done, _ = demo
    for heading in ("community", "in band", "category", "rate", "finding", "stage", "seconds"):
        assert heading in done.stdout
    assert done.stderr == ""  # no spinner outside a terminal, no warnings


def test_demo_grids_keep_the_band_and_tile_the_town(demo):
    _, folder = demo
    grids = gpd.read_file(folder / "gridmap-demo" / "grids.gpkg", layer="grids")
    judged = grids[grids.status.isin(["legal", "above", "below"])]
    assert len(judged) >= 20
    assert (judged.status == "legal").mean() >= 0.9
    assert judged.households[judged.status == "legal"].between(300, 500).all()
    assert grids.geometry.is_valid.all()
    overlap = grids.area.sum() - grids.union_all().area
    assert overlap <= 1e-6 * grids.area.sum()


def test_demo_map_opens_without_a_network(demo, browser):
    _, folder = demo
    browser.get((folder / "gridmap-demo" / "map.html").as_uri())
    assert browser.find_elements("css selector", ".leaflet-container")
    errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert errors == []
    requests = [e["message"] for e in browser.get_log("performance") if 'Network.requestWillBeSent"' in e["message"]]
    assert not [r for r in requests if '"url":"http' in r]


def test_demo_speaks_chinese(tmp_path):
    done = gridmap("demo", "--lang", "zh", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sheets = pd.read_excel(tmp_path / "out" / "ledger.xlsx", sheet_name=None, header=None)
    assert any("网格" in name for name in sheets)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    write_town(folder, tiny_town())
    return folder


def test_run_writes_beside_the_caller(town, tmp_path):
    done = gridmap("run", town / "PROJECT.toml", "--effort", "low", "--seed", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "PROJECT-out" / "map.html").is_file()


def test_divide_then_cover_then_map(town, tmp_path):
    done = gridmap(
        "divide", town / "communities.gpkg", town / "buildings.gpkg", "--streets", town / "streets.gpkg",
        "--lower", 200, "--upper", 300, "--out", "grids.geojson", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    grids = gpd.read_file(tmp_path / "grids.geojson")
    assert grids.households.between(200, 300).all()
    assert grids.households.sum() == 1200
    done = gridmap(
        "cover", town / "buildings.gpkg", town / "facilities.gpkg", town / "streets.gpkg",
        "--metres", 500, "--by", "grids.geojson", "--out", "rates.csv", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rates = pd.read_csv(tmp_path / "rates.csv", dtype={"unit_id": str})
    assert set(rates.unit_id) == set(grids.grid_id)
    assert rates.groupby("category").total.sum().tolist() == [1200, 1200]
    assert 0 < rates.covered.sum() < 2400
    done = gridmap("map", "grids.geojson", town / "facilities.gpkg", "--out", "map.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "map.html").stat().st_size > 50_000


def test_map_draws_a_project(town, tmp_path):
    assert gridmap("run", town / "PROJECT.toml", "--out", "out", cwd=tmp_path).returncode == 0
    done = gridmap("map", Path("out") / "grids.gpkg", "--lang", "both", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = payload_of((tmp_path / "map.html").read_text("utf-8"))
    assert (page["lang"], page["other"]["lang"]) == ("zh", "en")
    assert (tmp_path / "map.html").stat().st_size > 50_000


def test_report_and_atlas_write_their_page_alone(town, tmp_path):
    done = gridmap("report", town / "PROJECT.toml", "--lang", "zh", "--out", "pages/report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(Path("pages") / "report.html")
    assert [p.name for p in (tmp_path / "pages").iterdir()] == ["report.html"]
    assert "1,200 户" in (tmp_path / "pages" / "report.html").read_text("utf-8")
    done = gridmap("atlas", town / "PROJECT.toml", "--by", "community", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = sorted(tmp_path.glob("atlas-*.html"))
    assert len(made) == 2
    assert all("<svg" in page.read_text("utf-8") for page in made)


def call(monkeypatch, capsys, *words):
    """`gridmap WORDS` in this process; exit code, standard output and error."""
    monkeypatch.setattr(sys, "argv", ["gridmap", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_errors_are_messages(monkeypatch, capsys, tmp_path):
    code, _, err = call(monkeypatch, capsys, "run", tmp_path / "absent.toml")
    assert code == 2
    assert "absent.toml" in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_wrong_table_names_rows_and_remedy(monkeypatch, capsys, tmp_path):
    tables = tiny_town()
    tables["buildings"].loc[3, "households"] = -1
    path = write_town(tmp_path, tables)
    code, _, err = call(monkeypatch, capsys, "run", path, "--out", tmp_path / "out")
    assert code == 2
    assert "row b003: households = -1" in err
    assert "Correct the value" in err
    assert "Traceback" not in err


def test_defects_are_said_to_be_defects(monkeypatch, capsys, town, tmp_path):
    def broken(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("gridmap.job.run_project", broken)
    code, _, err = call(monkeypatch, capsys, "run", town / "PROJECT.toml", "--out", tmp_path / "out")
    assert code == 1
    assert "ZeroDivisionError: oops" in err
    assert "--debug" in err
    monkeypatch.setattr(sys, "argv", ["gridmap", "run", str(town / "PROJECT.toml"), "--debug"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_wrong_usage_and_help(monkeypatch, capsys):
    code, _, err = call(monkeypatch, capsys, "run")
    assert code == 2
    assert "PROJECT" in err
    code, out, _ = call(monkeypatch, capsys, "--help")
    assert code == 0
    assert all(command in out for command in ("demo", "divide", "cover", "map", "report", "atlas", "run"))
    code, out, _ = call(monkeypatch, capsys, "--version")
    assert code == 0
    assert out.startswith("gridmap 0.")
