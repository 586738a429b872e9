"""`gridmap check`: files and projects with faults in, a short table and a file of findings out."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from test_check import at, buildings, communities, table
from test_cli import gridmap

from gridmap.errors import OptionError, ReadError, TableError
from gridmap.io.audit_sources import read_audit_sources
from gridmap.io.project import read_project


@pytest.fixture
def faulty(tmp_path):
    """Two communities that overlap, and a building list in which an id stands twice."""
    communities(at(0, 0, 110, 100), at(100, 0, 200, 100)).to_file(tmp_path / "communities_2024.gpkg")
    houses = buildings(at(102, 10, 108, 20), at(150, 10, 160, 20), households=[7, 50])
    houses["building_id"] = "007"
    houses.to_file(tmp_path / "buildings.geojson")
    (tmp_path / "town.toml").write_text(
        "[inputs]\ncommunities = 'communities_2024.gpkg'\nbuildings = 'buildings.geojson'\n", "utf-8"
    )
    return tmp_path


def test_files_with_errors_end_in_3_and_a_table_a_planner_understands(faulty):
    done = gridmap("check", "communities_2024.gpkg", "buildings.geojson", "--out", "found.xlsx", cwd=faulty)
    assert done.returncode == 3, done.stderr
    assert "units_overlap" in done.stdout
    assert "id_repeated" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["2 findings: 2 error, 0 warning, 0 info", "found.xlsx"]
    sheet = pd.read_excel(faulty / "found.xlsx")
    row = sheet[sheet["rule"] == "units_overlap"].iloc[0]
    assert row["households"] == 7
    assert row["area_m2"] == pytest.approx(1000, abs=1)
    # the town lies on the meridian of 117° E, 105 m east of it is the middle of the strip
    assert (row["lon"], row["lat"]) == (pytest.approx(117.00123, abs=1e-4), pytest.approx(39.749, abs=1e-2))


def test_a_project_in_chinese_with_places_for_a_map(faulty):
    done = gridmap("check", "town.toml", "--lang", "zh", "--out", "found.gpkg", cwd=faulty)
    assert done.returncode == 3, done.stderr
    assert "社区「c1」与「c2」都包含同一块土地：1,000 平方米" in done.stdout.replace("\n", "")
    assert "共 2 项：错误 2、警告 0、提示 0" in done.stdout
    assert "error" not in done.stdout
    found = gpd.read_file(faulty / "found.gpkg")
    assert found["rule"].tolist() == ["id_repeated", "units_overlap"]
    assert found.geometry.notna().all()


def test_what_is_sound_ends_in_0_and_what_cannot_be_read_in_2(tmp_path):
    communities(at(0, 0, 100, 100), at(100, 0, 200, 100)).to_file(tmp_path / "a.gpkg")
    done = gridmap("check", "a.gpkg", cwd=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "0 findings: 0 error, 0 warning, 0 info")
    done = gridmap("check", "b.gpkg", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no such file" in done.stderr


def test_files_are_known_by_name_by_columns_or_by_what_is_said(faulty):
    table([at(0, 0, 200, 100)], subdistrict=["方庄镇"]).to_file(faulty / "x.gpkg")
    table([at(0, 0, 200, 100)], foo=["a"]).to_file(faulty / "y.gpkg")
    tables = read_audit_sources(
        [str(faulty / "communities_2024.gpkg"), str(faulty / "x.gpkg"), f"zones={faulty}/y.gpkg"]
    )
    assert list(tables) == ["communities", "subdistricts", "zones"]
    with pytest.raises(ReadError, match=r"y.gpkg: neither its name nor its columns.*gridmap check buildings="):
        read_audit_sources([str(faulty / "y.gpkg")])
    with pytest.raises(OptionError, match="communities were read already"):
        read_audit_sources([str(faulty / "communities_2024.gpkg")] * 2)


def test_readers_go_on_refusing(faulty):
    with pytest.raises(TableError, match="an id that no other row has"):
        read_project(faulty / "town.toml")
    assert len(read_project(faulty / "town.toml", checked=False).tables["buildings"]) == 2


@pytest.mark.parametrize(
    ("headings", "table"),
    [
        (["楼栋编号", "经度", "纬度", "总户数"], "buildings"),
        (["名称", "类型", "经度", "纬度"], "facilities"),
        (["楼栋编号", "户数"], "households"),
        (["楼栋编号", "单元编号", "户数"], "units"),
    ],
)
def test_sheets_are_known_by_their_headings(tmp_path, headings, table):
    row = {"经度": 116.3, "纬度": 40.0, "总户数": 3, "户数": 3, "类型": "药店"}
    pd.DataFrame([{name: row.get(name, "1") for name in headings}]).to_excel(tmp_path / "a2.xlsx", index=False)
    tables = read_audit_sources([str(tmp_path / "a2.xlsx")])
    assert {name: len(rows) for name, rows in tables.items()} == {table: 1}
    (tmp_path / "b.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    with pytest.raises(ReadError, match=r"b.csv: neither its name nor its columns.*its headings are 甲, 乙"):
        read_audit_sources([str(tmp_path / "b.csv")])


def test_cells_that_are_neither_yes_nor_no_and_no_coordinates_are_found(tmp_path):
    rows = [
        "lon,lat,of,of_id,open",
        "117.001,39.9,compound,c,看情况",
        "117.002,39.9,compound,c,否",
        "东经,39.9,compound,c,是",
    ]
    (tmp_path / "entrances.csv").write_text("\n".join(rows), encoding="utf-8")
    done = gridmap("check", "entrances.csv", "--lang", "zh", "--out", "found.csv", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    found = pd.read_csv(tmp_path / "found.csv").set_index("rule")
    assert found.loc["neither_yes_nor_no", "message"].startswith("出入口：1 个单元格既不是“是”也不是“否”")
    assert found.loc["unreadable_coordinates", ["severity", "ids"]].tolist() == ["error", 4]
    assert found.loc["neither_yes_nor_no", "ids"] == 2
