"""PROJECT.toml and the project GeoPackage."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely import LineString, Point, box

from gridmap.errors import OptionError, ReadError, TableError
from gridmap.io.fingerprints import table_hash
from gridmap.io.project import INPUTS, read_project, write_project

CRS = 32650
X, Y = 500_000.0, 4_400_000.0
OSM = """<osm version="0.6">
<node id="1" lon="116.3" lat="40.0"/><node id="2" lon="116.301" lat="40.0"/><node id="3" lon="116.301" lat="40.001"/>
<node id="4" lon="116.3" lat="40.001"/><node id="5" lon="116.3005" lat="40.0"><tag k="shop" v="supermarket"/></node>
<way id="6"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="building" v="yes"/></way>
<way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>
</osm>"""


@pytest.fixture
def town(tmp_path):
    houses = gpd.GeoDataFrame({"building_id": ["a", "b"]}, geometry=[Point(X, Y), Point(X + 9, Y)], crs=CRS)
    area = gpd.GeoDataFrame({"community_id": ["c"]}, geometry=[box(X - 9, Y - 9, X + 99, Y + 99)], crs=CRS)
    (tmp_path / "data").mkdir()
    houses.to_file(tmp_path / "data" / "houses.gpkg")
    area.to_file(tmp_path / "data" / "area.gpkg")
    (tmp_path / "data" / "counts.csv").write_text("building_id,户数\na,3\nb,4\n", encoding="utf-8")
    (tmp_path / "data" / "town.osm").write_text(OSM, encoding="utf-8")
    return tmp_path


def project(folder, text):
    path = folder / "PROJECT.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_and_sections(town):
    path = project(
        town,
        """
        [project]
        name = "柳岸"
        title = "柳岸社区网格"
        lang = "zh"
        [inputs]
        communities = "data/area.gpkg"
        buildings = {path = "data/houses.gpkg", columns = {building_id = "building_id"}}
        households = "data/counts.csv"
        [divide]
        upper = 400
        [cover]
        minutes = 10
        [outputs]
        map = "x.html"
        """,
    )
    read = read_project(path)
    assert (read.name, read.title, read.lang, read.path) == ("柳岸", "柳岸社区网格", "zh", path)
    assert list(read.tables) == ["communities", "buildings", "households"]
    assert read.tables["households"]["households"].tolist() == [3, 4]
    assert read.divide == {"upper": 400}
    assert read.cover == {"minutes": 10}
    assert read.outputs == {"map": "x.html", "lang": "zh"}
    assert read.readings["households"]["households_from"] == "户数"
    assert Path(read.readings["communities"]["source"]).is_absolute()


def test_counts_of_buildings_by_name(town):
    houses = gpd.GeoDataFrame(
        {"building_id": ["a", "b"], "name": ["柳岸小区1号楼", "柳岸小区2号楼"]},
        geometry=[box(0, 0, 9, 9), box(20, 0, 29, 9)], crs=32650,
    )  # fmt: skip
    houses.to_file(town / "data" / "named.gpkg")
    listed = "小区名称,楼号,单元,户数\n柳岸,第一栋,1,5\n柳岸,1#,2,6户\n柳岸,3幢,,4\n合计,,,15\n"
    (town / "data" / "counts.csv").write_text(listed, encoding="utf-8")
    head = '[inputs.buildings]\npath = "data/named.gpkg"\ncounts = "data/counts.csv"\n'
    read = read_project(project(town, head))
    assert read.tables["households"].to_numpy().tolist() == [["a", 11]]
    assert read.tables["buildings"]["count_match"].fillna("").tolist() == ["normalised", ""]
    reading = read.readings["households"]
    assert (reading["rows_read"], reading["rows_kept"]) == (4, 2)
    assert [(e["reason"], e["count"], e["ids"]) for e in reading["left_out"]] == [
        ("row of totals", 1, ["5"]),
        ("the compound has no building of this number (4 households)", 1, ["柳岸 3幢"]),
    ]
    assert reading["counts"]["households"] == 15
    (town / "data" / "counts.csv").write_text("小区名称,楼号\n柳岸,1\n", encoding="utf-8")
    with pytest.raises(ReadError, match="no column of households among: compound, building"):
        read_project(project(town, head))


def test_counts_of_buildings(town):
    head = '[inputs.buildings]\npath = "data/houses.gpkg"\ncounts = "data/counts.csv"\n'
    assert len(read_project(project(town, head)).tables["households"]) == 2
    both = head + '[inputs.households]\npath = "data/counts.csv"\n'
    with pytest.raises(ReadError, match=r"both inputs.households and inputs.buildings.counts"):
        read_project(project(town, both))
    with pytest.raises(ReadError, match="only buildings take counts"):
        read_project(project(town, '[inputs.streets]\npath = "a"\ncounts = "b"\n'))


def test_one_extract_is_read_once(town, monkeypatch):
    import gridmap.io.project as module

    calls = []
    real = module.read_osm
    monkeypatch.setattr(module, "read_osm", lambda path, kinds: calls.append(list(kinds)) or real(path, kinds))
    names = ("buildings", "streets", "facilities", "compounds")
    path = project(town, "[inputs]\n" + "\n".join(f'{n} = "data/town.osm"' for n in names))
    read = read_project(path)
    assert calls == [list(names)]
    # nothing is tagged as a compound: the table is left out, its record stays
    assert set(read.tables) == {"buildings", "streets", "facilities"}
    assert read.readings["compounds"]["rows_read"] == 0
    with pytest.raises(ReadError, match=r"no communities in this extract"):
        read_project(project(town, '[inputs]\ncommunities = "data/town.osm"'))
    with pytest.raises(ReadError, match=r"OpenStreetMap holds no grids"):
        read_project(project(town, '[inputs]\ngrids = "data/town.osm"'))


def test_variables_are_filled_in(town, monkeypatch):
    path = project(town, '[inputs]\nbuildings = "${GRIDMAP_TEST_TOWN}/data/houses.gpkg"')
    monkeypatch.delenv("GRIDMAP_TEST_TOWN", raising=False)
    with pytest.raises(ReadError, match="environment variable GRIDMAP_TEST_TOWN, which is not set"):
        read_project(path)
    monkeypatch.setenv("GRIDMAP_TEST_TOWN", str(town))
    assert len(read_project(path).tables["buildings"]) == 2
    monkeypatch.setenv("GRIDMAP_TEST_TOWN", ".")
    assert len(read_project(path).tables["buildings"]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[input]\nbuildings = 'a'", "input is not a section; did you mean inputs?"),
        ("[inputs]\nbuilding = 'a'", "inputs.building is not a table; did you mean inputs.buildings?"),
        ("[inputs]\nxyz = 'a'", "inputs.xyz is not a table; known are communities"),
        (
            "[inputs]\nbuildings = {path = 'a', column = {}}",
            "inputs.buildings.column is not .*inputs.buildings.columns",
        ),
        ("[inputs]\nbuildings = 3", "inputs.buildings must be a path"),
        ("[inputs]\nbuildings = {crs = 'GCJ-02'}", "inputs.buildings must be a path"),
        ("[project]\nnmae = 'x'\n[inputs]\nbuildings = 'a'", "project.nmae .*project.name"),
        ("[project]\nlang = 'fr'\n[inputs]\nbuildings = 'a'", "project.lang is 'fr'; it is one of en, zh"),
        ("[project]\nname = 'x'", r"\[inputs\] is missing or empty"),
        ("inputs = 3", r"inputs must be a section"),
        ("[inputs\n", "not valid TOML"),
        ("[inputs]\nbuildings = 'absent.gpkg'", "absent.gpkg: there is no such file"),
        ("[inputs]\nstreets = 'absent.osm.pbf'", "absent.osm.pbf: there is no such file"),
    ],
)
def test_mistakes_are_named_with_the_nearest_word(town, text, words):
    with pytest.raises(ReadError, match=words):
        read_project(project(town, text))


def test_a_broken_table_is_a_table_error(town):
    (town / "data" / "counts.csv").write_text("building_id,户数\na,-3\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"counts.csv.*\n.*row 2: households = -3"):
        read_project(project(town, '[inputs]\nhouseholds = "data/counts.csv"'))


def test_files_that_are_no_project(tmp_path):
    with pytest.raises(ReadError, match="no such project file"):
        read_project(tmp_path / "PROJECT.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ReadError, match="UTF-8"):
        read_project(tmp_path / "a.toml")
    (tmp_path / "a.gpkg").write_bytes(b"x")
    with pytest.raises(ReadError, match="not a GeoPackage"):
        read_project(tmp_path / "a.gpkg")


# ---- the GeoPackage --------------------------------------------------------------------------------------------------


def test_tables_go_out_and_come_back_as_a_project(tmp_path):
    tables = {
        "buildings": gpd.GeoDataFrame({"building_id": ["007"], "households": [5]}, geometry=[Point(X, Y)], crs=CRS),
        "streets": gpd.GeoDataFrame({"class": ["primary"]}, geometry=[LineString([(X, Y), (X + 9, Y)])], crs=CRS),
        "households": pd.DataFrame({"building_id": ["007"], "households": [5]}),
        "nothing": None,
    }
    path = write_project(tmp_path / "p.gpkg", tables=tables)
    assert sorted(pyogrio.list_layers(path)[:, 0].tolist()) == [*("buildings", "households", "layer_styles", "streets")]
    read = read_project(path)
    assert read.name == "p"
    assert list(read.tables) == ["buildings", "streets", "households"]
    assert read.tables["buildings"]["building_id"].tolist() == ["007"]
    with pytest.raises(OptionError, match=r"\(house\) is one that read_project reads.*mean 'households' by 'house'"):
        write_project(path, tables={"house": tables["buildings"], "nothing": None})
    tables["buildings"].to_file(path, layer="house")
    assert read_project(path).others == ("house",)
    tables["buildings"].to_file(tmp_path / "other.gpkg", layer="house")
    with pytest.raises(ReadError, match=f"no layer is called as a table is.*{INPUTS[0]}.*the layers are house"):
        read_project(tmp_path / "other.gpkg")
    with pytest.raises(OptionError, match=r"end the name in \.gpkg"):
        write_project(tmp_path / "p.zip", tables=tables)


@pytest.mark.parametrize("city", ["las_palmas", "beijing_cau", "beijing_tsinghua"])
def test_real_projects(data_dir, monkeypatch, city):
    from conftest import REPOSITORY

    monkeypatch.setenv("GRIDMAP_DATA", str(data_dir))
    read = read_project(REPOSITORY / "benchmarks" / f"{city}.toml")
    assert {"buildings", "streets", "facilities", "barriers"} <= set(read.tables)
    assert all(len(table) for table in read.tables.values())


def test_reach_is_a_map_layer_with_one_point_a_building(tmp_path):
    from types import SimpleNamespace

    from gridmap.tables.findings import finding, findings_table

    shapes = [box(X, Y, X + 9, Y + 9), box(X + 50, Y, X + 59, Y + 9)]
    buildings = gpd.GeoDataFrame({"building_id": ["b", "a"]}, geometry=shapes, crs=CRS)
    rates = pd.DataFrame({"unit_id": ["all"], "category": ["bank"], "rate": [1.0]})
    facilities = gpd.GeoDataFrame({"facility_id": ["f"], "category": ["bank"]}, geometry=[Point(X, Y)], crs=CRS)
    cover = SimpleNamespace(
        distance=np.array([[3.5, np.nan], [4.0, 1.0]]),
        thresholds={"bank": 15.0, "park": 10.0},
        buildings=buildings,
        facilities=facilities,
        measure="minutes",
        how="network",
        k=1,
        profile="adult",
        rate=lambda: rates,
        findings=findings_table([finding("info", "rule", "so")], crs=CRS),
    )
    path = write_project(tmp_path / "p.gpkg", cover=cover)
    layer = gpd.read_file(path, layer="reach").set_index("building_id")
    assert layer.geom_type.tolist() == ["Point", "Point"]
    assert layer.geometry.within(buildings.set_index("building_id").geometry).all()
    assert layer["bank_minutes"].to_dict() == {"b": 3.5, "a": 4.0}
    assert layer["park_minutes"].isna().to_dict() == {"b": True, "a": False}
    assert len(gpd.read_file(path, layer="findings")) == 1
    # tables given take the place of layers of the same name
    write_project(path, cover=cover, tables={"findings": rates})
    assert gpd.read_file(path, layer="findings")["category"].tolist() == ["bank"]


def test_the_tables_of_the_sample_town_come_back_from_one_geopackage(tmp_path, sample_dir):
    given = read_project(sample_dir / "project.toml").tables
    back = read_project(write_project(tmp_path / "town.gpkg", tables=given)).tables
    assert set(back) == set(given)
    assert {name: table_hash(table) for name, table in back.items()} == {
        name: table_hash(table) for name, table in given.items()
    }
    assert all(list(back[name].columns) == list(given[name].columns) for name in given)
