"""Readers of files and frames: what is recognised, what is refused and with which words, and shifted coordinates."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString, MultiPoint, Point, Polygon, box

from gridmap.errors import GridmapError, OptionError, ReadError, TableError, WriteError
from gridmap.io.datums import (
    bd09_to_wgs84,
    gcj02_to_wgs84,
    shifted_name,
    to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from gridmap.io.project import read_project
from gridmap.io.read.readers import (
    read_barriers,
    read_buildings,
    read_communities,
    read_compounds,
    read_entrances,
    read_facilities,
    read_plain_table,
    read_streets,
    read_table,
)
from gridmap.io.write.tables import write_table
from gridmap.tables.categories import recognise

CRS = 32650
X, Y = 500_000.0, 4_400_000.0


def houses(count=3, **columns) -> gpd.GeoDataFrame:
    shapes = [box(X + 20 * i, Y, X + 20 * i + 10, Y + 10) for i in range(count)]
    data = {"building_id": [f"00{i}" for i in range(count)], "households": [10 * i for i in range(count)], **columns}
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def sheet(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# ---- vector files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.fgb", "a.parquet"])
def test_vector_files_come_back_as_they_went(tmp_path, name):
    table = houses(name=["柳岸小区 1 号楼", "b", None]).rename(columns={"building_id": "id"})
    path = tmp_path / name
    if name.endswith("parquet"):
        table.to_parquet(path)
    else:
        table.to_file(path)
    # FlatGeobuf sorts by place
    read = read_buildings(path).sort_values("building_id")
    assert read["building_id"].tolist() == ["000", "001", "002"]
    assert read["households"].tolist() == [0, 10, 20]
    assert read["name"].iloc[0] == "柳岸小区 1 号楼"
    want = table if read.crs == table.crs else table.to_crs(read.crs)
    assert shapely.equals_exact(
        shapely.normalize(read.geometry.to_numpy()), shapely.normalize(want.geometry.to_numpy()), 1e-6
    ).all()
    reading = read.attrs["reading"]
    assert (reading["rows_read"], reading["rows_kept"], reading["ids_from"]) == (3, 3, "id")
    assert reading["households_from"] == "households"


def test_layers_are_named_or_called_as_the_table(tmp_path):
    path = tmp_path / "city.gpkg"
    houses(2).to_file(path, layer="houses")
    houses(3).to_file(path, layer="other")
    with pytest.raises(ReadError, match=r"2 layers \(houses, other\).*layer=houses"):
        read_buildings(path)
    assert len(read_buildings(f"{path}|layer=houses")) == 2
    assert len(read_buildings(path, layer="other")) == 3
    houses(1).to_file(path, layer="buildings")
    assert len(read_buildings(path)) == 1
    with pytest.raises(ReadError, match="city"):
        read_buildings(path, layer="absent")


def test_rows_without_an_id_are_numbered_and_it_is_said(tmp_path):
    path = tmp_path / "a.geojson"
    houses().drop(columns="building_id").to_file(path)
    read = read_buildings(path)
    assert read["building_id"].tolist() == ["1", "2", "3"]
    assert "no column of ids" in read.attrs["reading"]["ids_from"]
    # an id column that repeats is no id
    houses(osm_id=[5, 5, 6]).drop(columns="building_id").to_file(path)
    assert read_buildings(path)["building_id"].tolist() == ["1", "2", "3"]
    houses(id=0).drop(columns="building_id").to_file(path)
    assert read_buildings(path)["building_id"].tolist() == ["1", "2", "3"]
    both = houses(osm_id=[5, 5, 6], osm_type=["way", "relation", "way"]).drop(columns="building_id")
    assert read_buildings(both)["building_id"].tolist() == ["way/5", "relation/5", "way/6"]


def test_shapefile_without_encoding_is_read_as_chinese(tmp_path):
    path = tmp_path / "a.shp"
    houses(1, name=["柳岸小区"]).rename(columns={"building_id": "id"}).to_file(path, encoding="gb18030")
    path.with_suffix(".cpg").unlink()
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    dbf[29] = 0
    path.with_suffix(".dbf").write_bytes(dbf)
    assert read_buildings(path)["name"].tolist() == ["柳岸小区"]


def test_heights_and_single_parts_are_flattened():
    points = gpd.GeoDataFrame(
        {"entrance_id": ["g"], "of": ["compound"], "of_id": ["c"]}, geometry=[MultiPoint([Point(X, Y, 5)])], crs=CRS
    )
    read = read_entrances(points)
    assert read.geom_type.tolist() == ["Point"]
    assert not read.geometry.has_z.any()


def test_frames_keep_their_index_and_are_not_changed():
    table = houses().set_index(pd.Index([7, 8, 9]))
    before = table.copy()
    read = read_buildings(table)
    assert read.index.tolist() == [7, 8, 9]
    pd.testing.assert_frame_equal(table, before)
    renamed = table.rename_geometry("shape")
    assert read_buildings(renamed).geometry.name == "geometry"


def test_node_ids_survive_a_file(tmp_path):
    lines = [LineString([(X, Y), (X + 5, Y), (X + 9, Y)]), LineString([(X, Y), (X, Y + 5)])]
    ids = [np.array([3, 9_000_000_001, 7]), np.array([3, 4])]
    streets = gpd.GeoDataFrame({"class": ["residential"] * 2, "node_ids": ids}, geometry=lines, crs=CRS)
    for name in ("s.gpkg", "s.geojson", "s.parquet"):
        read = read_streets(write_table(streets, tmp_path / name))
        assert [a.tolist() for a in read["node_ids"]] == [a.tolist() for a in ids]
        assert all(a.dtype == np.int64 for a in read["node_ids"])
    missing = streets.assign(node_ids=[ids[0], None])
    assert read_streets(missing)["node_ids"].tolist()[1] is None


def test_flags_are_true_or_false(tmp_path):
    text = "x,y,of,of_id,open\n1,2,compound,c,是\n1,3,compound,c,no\n1,4,compound,c,\n"
    gates = read_entrances(sheet(tmp_path / "g.csv", text), crs=CRS)
    assert gates["open"].tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("table", "column", "no", "yes"),
    [
        ("entrances", "open", "closed 关闭 常闭 封闭 不开放 锁 Ｎｏ 0 0.0", "open 开放 常开 1 √"),
        ("barriers", "hard", "soft 软 可穿越 false", "hard 硬 不可穿越 TRUE"),
        ("facilities", "public", "private 民办 私 否", "public 公办 公立 是"),
    ],
)
def test_words_of_a_flag_are_yes_no_or_told(table, column, no, yes):
    words = [*no.split(), *yes.split(), "", "未知"]
    shape = box(116.3, 40, 116.4, 40.1) if table == "barriers" else Point(116.3, 40)
    rows = gpd.GeoDataFrame({column: words}, geometry=[shape] * len(words), crs=4326)
    rows = rows.assign(of="compound", of_id="c", category="park")
    read = read_table(table, rows)[column]
    assert read.dtype == bool
    assert read.tolist() == [False] * len(no.split()) + [True] * (len(yes.split()) + 2)
    rows.loc[1, column] = "看情况"
    with pytest.raises(TableError, match=f"row 1: {column} = '看情况'; expected yes or no"):
        read_table(table, rows)
    # where it is let through, nobody walks through it
    loose = read_table(table, rows, checked=False)
    assert loose[column].iloc[1] == (column == "hard")
    assert loose.attrs["reading"]["neither_yes_nor_no"]["cells"] == [f"row 1: {column} = '看情况'"]


@pytest.mark.parametrize("suffix", [".gpkg", ".csv", ".osm.pbf"])
def test_a_path_that_is_too_long_is_told(tmp_path, suffix):
    for path in (tmp_path / f"{'a' * 300}{suffix}", tmp_path / ("b" * 300) / f"a{suffix}"):
        with pytest.raises(ReadError, match=r"cannot be looked up \(.+\). Shorten or correct the path"):
            read_buildings(path)
        with pytest.raises(ReadError, match="Shorten or correct the path"):
            read_project(path)
        if suffix != ".osm.pbf":
            with pytest.raises(WriteError, match="Shorten or correct the path"):
                write_table(houses(), path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_word_is_told_beside_all_else(tmp_path):
    path = sheet(tmp_path / "a.csv", "x,y,of,of_id,open\n5,6,compound,c,maybe\n")
    with pytest.raises(TableError, match=r"2 violations[^|]*\n  geometry: no CRS[^|]*\n  row 2: open = 'maybe'"):
        read_entrances(path)


def test_any_word_makes_a_bridge():
    lines = [LineString([(116.3, 40), (116.4, 40)])] * 4
    streets = gpd.GeoDataFrame({"bridge": ["viaduct", "no", None, "-"]}, geometry=lines, crs=4326)
    assert read_streets(streets)["bridge"].tolist() == [True, False, False, False]
    walls = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[LineString([(X, Y), (X + 9, Y)])], crs=CRS)
    assert read_barriers(walls)["hard"].tolist() == [True]
    assert read_barriers(walls.assign(hard=[0]))["hard"].tolist() == [False]
    streets = gpd.GeoDataFrame(
        {"highway": ["primary"] * 3, "bridge": ["viaduct", None, "no"]}, geometry=[walls.geometry[0]] * 3, crs=CRS
    )
    read = read_streets(streets)
    assert read["bridge"].tolist() == [True, False, False]
    assert read["class"].tolist() == ["primary"] * 3


def test_owner_of_entrances_from_the_only_id():
    gates = gpd.GeoDataFrame({"entrance_id": ["g"], "compound_id": ["c"]}, geometry=[Point(X, Y)], crs=CRS)
    assert read_entrances(gates)[["of", "of_id"]].to_numpy().tolist() == [["compound", "c"]]
    with pytest.raises(TableError, match="of: no such column"):
        read_entrances(gates.assign(building_id="b"))


# ---- sheets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_sheets_are_recognised(tmp_path, encoding):
    text = "楼栋编号,经度,纬度,总户数,层数\n007,116.33,40.0,96,6\n008,116.34,40.0,48,\n"
    read = read_buildings(sheet(tmp_path / "houses.csv", text, encoding))
    assert read["building_id"].tolist() == ["007", "008"]
    assert read["households"].tolist() == [96, 48]
    assert read.crs == 4326
    assert read.geometry.x.tolist() == [116.33, 116.34]
    reading = read.attrs["reading"]
    assert reading["households_from"] == "总户数"
    assert reading["columns"]["building_id"] == "楼栋编号"
    assert "headings" in reading["crs_from"]


def test_different_household_counts_are_never_one(tmp_path):
    head, row = "id,经度,纬度,户籍户数,常住户数,住宅套数", "a,116.3,40,10,20,30"
    read = read_buildings(sheet(tmp_path / "a.csv", f"{head}\n{row}\n"))
    assert (read["households"].iloc[0], read["dwellings"].iloc[0]) == (20, 30)
    assert read.attrs["reading"]["households_from"] == "常住户数"
    assert read["户籍户数"].tolist() == [10]
    read = read_buildings(sheet(tmp_path / "a.csv", f"{head},总户数\n{row},40\n"))
    assert (read["households"].iloc[0], read.attrs["reading"]["households_from"]) == (40, "总户数")
    assert read["常住户数"].tolist() == [20]
    only = "id,经度,纬度,户籍户数\na,116.3,40,10\n"
    assert "households" not in read_buildings(sheet(tmp_path / "a.csv", only)).columns
    said = read_buildings(sheet(tmp_path / "a.csv", only), columns={"households": "户籍户数"})
    assert (said["households"].iloc[0], said.attrs["reading"]["households_from"]) == (10, "户籍户数")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(tmp_path, separator):
    text = "id,x,y,households\na,500000,4400000,3\n".replace(",", separator)
    read = read_buildings(sheet(tmp_path / "a.csv", text), crs="EPSG:32650")
    assert read["households"].tolist() == [3]


def test_excel_keeps_leading_zeros_and_names_its_sheets(tmp_path):
    path = tmp_path / "a.xlsx"
    rows = pd.DataFrame({"楼栋编号": ["007", "008"], "lon": [116.3, 116.4], "lat": [40.0, 40.0], "户数": [5, 6]})
    with pd.ExcelWriter(path) as book:
        rows.to_excel(book, sheet_name="楼栋", index=False)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="other", index=False)
    read = read_buildings(path)
    assert read["building_id"].tolist() == ["007", "008"]
    assert read["households"].tolist() == [5, 6]
    assert len(read_buildings(f"{path}|layer=楼栋")) == 2
    with pytest.raises(ReadError, match=r"no sheet '单元'; the sheets are 楼栋, other"):
        read_buildings(path, layer="单元")


def test_well_known_text(tmp_path):
    text = 'id,wkt\na,"POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))"\n'
    read = read_communities(sheet(tmp_path / "a.csv", text), crs=CRS)
    assert read.geometry.area.tolist() == [81]
    with pytest.raises(ReadError, match="well-known text"):
        read_communities(sheet(tmp_path / "a.csv", "id,wkt\na,POLYGON 0 0\n"), crs=CRS)


def test_columns_always_win_and_absent_headings_are_errors(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,lon,lat,households,surveyed\na,116.3,40,5,9\n")
    read = read_buildings(path, columns={"households": "surveyed"})
    assert read["households"].tolist() == [9]
    assert read["households (source)"].tolist() == [5]
    with pytest.raises(ReadError, match=r"'hh' for households.*id, .*surveyed"):
        read_buildings(path, columns={"households": "hh"})
    with pytest.raises(ReadError, match=r"'east'.*lon, lat"):
        read_buildings(path, columns={"x": "east", "y": "lat"})
    points = sheet(tmp_path / "b.csv", "id,gx,gy\na,116.3,40\n")
    assert read_buildings(points, columns={"x": "gx", "y": "gy"}, crs=4326).geometry.x.tolist() == [116.3]


def test_two_headings_for_one_column_must_be_told_apart(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,lon,lat,总户数,总户数(户)\na,116.3,40,5,9\n")
    with pytest.raises(ReadError, match=r"'总户数', '总户数\(户\)' could all be households"):
        read_buildings(path)
    assert read_buildings(path, columns={"households": "总户数"})["households"].tolist() == [5]


def test_other_columns_become_numbers_but_codes_stay_text(tmp_path):
    text = "id,lon,lat,score,zip,parent_id\na,116.3,40,1.5,007,12\nb,116.3,40.1,,008,13\n"
    read = read_buildings(sheet(tmp_path / "a.csv", text))
    assert read["score"].iloc[0] == 1.5
    assert read["zip"].tolist() == ["007", "008"]
    assert read["parent_id"].tolist() == ["12", "13"]


def test_blank_rows_are_left_out_and_counted(tmp_path):
    read = read_buildings(sheet(tmp_path / "a.csv", "id,lon,lat\na,116.3,40\n,,\n\nb,116.4,40\n"))
    assert read["building_id"].tolist() == ["a", "b"]
    assert read.attrs["reading"]["left_out"] == [{"reason": "blank row", "count": 2, "ids": ["3", "4"]}]
    assert read.attrs["reading"]["rows_read"] == 4


def test_counts_need_no_place(tmp_path):
    path = sheet(tmp_path / "c.csv", "楼栋编号,户数\n007,12\n008,0\n")
    assert read_plain_table("households", path).to_numpy().tolist() == [["007", 12], ["008", 0]]
    with pytest.raises(TableError, match=r"c\.csv; row = row of the sheet.*\n.*row 3: households = missing"):
        read_plain_table("households", sheet(tmp_path / "c.csv", "楼栋编号,户数\n007,12\n008,\n"))
    with pytest.raises(TableError, match="households: no such column"):
        read_plain_table("households", sheet(tmp_path / "c.csv", "楼栋编号,name\n007,12\n"))
    units = sheet(tmp_path / "u.csv", "building_id,unit_id,households\nb,1,12\nb,2,13\n")
    assert read_plain_table("units", units)["unit_id"].tolist() == ["1", "2"]


# ---- coordinates -----------------------------------------------------------------------------------------------------

degrees = st.tuples(st.floats(73.0, 135.0), st.floats(3.0, 54.0))


@pytest.mark.parametrize(("there", "back"), [(wgs84_to_gcj02, gcj02_to_wgs84), (wgs84_to_bd09, bd09_to_wgs84)])
@settings(max_examples=60, deadline=None)
@given(places=st.lists(degrees, min_size=1, max_size=20))
def test_shifted_coordinates_come_back_to_a_millimetre(there, back, places):
    lon, lat = np.array(places).T
    off = np.array(Geod(ellps="WGS84").inv(lon, lat, *back(*there(lon, lat)))[2])
    assert (off < 1e-3).all()


def test_shift_has_the_published_size_and_direction():
    # Tian'anmen: WGS 84 116.391349, 39.907375 is shown by Amap at 116.397592, 39.908778 (to a few metres)
    lon, lat = wgs84_to_gcj02(np.array([116.391349]), np.array([39.907375]))
    assert abs(lon[0] - 116.397592) < 3e-5
    assert abs(lat[0] - 39.908778) < 3e-5
    moved = Geod(ellps="WGS84").inv(116.391349, 39.907375, lon[0], lat[0])[2]
    assert 300 < moved < 700
    abroad = wgs84_to_gcj02(np.array([-15.4]), np.array([28.1]))
    assert (abroad[0][0], abroad[1][0]) == (-15.4, 28.1)


@pytest.mark.parametrize(
    ("name", "there"), [("GCJ-02", wgs84_to_gcj02), ("gcj02", wgs84_to_gcj02), ("bd_09", wgs84_to_bd09)]
)
def test_readers_undo_the_shift(tmp_path, name, there):
    lon, lat = there(np.array([116.33]), np.array([40.0]))
    text = f"id,lng,lat\na,{lon[0]!r},{lat[0]!r}\n".replace("np.float64(", "").replace(")", "")
    read = read_buildings(sheet(tmp_path / "a.csv", text), crs=name)
    assert read.crs == 4326
    assert abs(read.geometry.x.iloc[0] - 116.33) < 1e-8
    assert abs(read.geometry.y.iloc[0] - 40.0) < 1e-8
    assert shifted_name(name) in read.attrs["reading"]["crs_from"]


def test_shifted_polygons_keep_their_rings():
    ring = gpd.GeoDataFrame({"community_id": ["c"]}, geometry=[box(116.3, 40, 116.31, 40.01)], crs=4326)
    moved = read_communities(ring, crs="GCJ-02")
    assert shapely.get_num_coordinates(moved.geometry).tolist() == [5]
    off = shapely.get_coordinates(moved.geometry) - shapely.get_coordinates(ring.geometry)
    assert (np.abs(off) > 1e-3).all()
    assert (np.abs(off) < 1e-2).all()
    with pytest.raises(OptionError, match="GCJ-02, BD-09"):
        to_wgs84(ring, "WGS-72")


def test_coordinates_without_a_crs_are_refused(tmp_path):
    path = sheet(tmp_path / "a.csv", "id,x,y\na,116.3,40\n")
    with pytest.raises(TableError, match=r"no CRS.*\n?.*Pass crs="):
        read_buildings(path)
    with pytest.raises(OptionError, match="crs='EPSG:99999'"):
        read_buildings(path, crs="EPSG:99999")
    with pytest.raises(TableError, match="no CRS"):
        read_buildings(houses().set_crs(None, allow_override=True))


def test_crs_states_and_does_not_convert(tmp_path):
    houses().to_file(tmp_path / "a.gpkg")
    with pytest.raises(ReadError, match=r"EPSG:4326, but the source says it is in EPSG:32650.*to_crs"):
        read_buildings(tmp_path / "a.gpkg", crs=4326)
    with pytest.raises(ReadError, match="in degrees, but the source says"):
        read_buildings(tmp_path / "a.gpkg", crs="BD-09")
    assert read_buildings(tmp_path / "a.gpkg", crs=CRS).crs == CRS
    # GeoJSON always claims to be WGS 84, whatever is in it
    houses().set_crs(4326, allow_override=True).to_file(tmp_path / "a.geojson")
    with pytest.raises(ReadError, match=r"are not degrees.*EPSG:4534 to EPSG:4553"):
        read_buildings(tmp_path / "a.geojson")
    assert read_buildings(tmp_path / "a.geojson", crs=CRS).crs == CRS


def test_exchanged_coordinates_are_noticed(tmp_path):
    with pytest.raises(ReadError, match="Longitude and latitude look exchanged"):
        read_buildings(sheet(tmp_path / "a.csv", "id,经度,纬度\na,40,116.3\n"))
    with pytest.raises(ReadError, match="look like metres"):
        read_buildings(sheet(tmp_path / "a.csv", "id,lon,lat\na,500000,4400000\n"))


def test_exchanged_axes_are_mended_as_the_message_says(tmp_path):
    degrees = sheet(tmp_path / "a.csv", "id,经度,纬度\na,40,116.3\n")
    assert read_buildings(degrees, columns={"x": "纬度", "y": "经度"}).geometry.iloc[0] == shapely.Point(116.3, 40)
    metres = sheet(tmp_path / "b.csv", "id,x,y\na,4429000,500100\n")
    for crs in ("EPSG:4548", "EPSG:4499"):
        with pytest.raises(ReadError, match=r"north and east exchanged.*columns=\{'x': 'y', 'y': 'x'\}"):
            read_buildings(metres, crs=crs)
    read = read_buildings(metres, crs=4548, columns={"x": "y", "y": "x"})
    assert read.geometry.iloc[0] == shapely.Point(500100, 4429000)
    table = gpd.GeoDataFrame(geometry=[shapely.Point(4429000, 500100)])
    with pytest.raises(ReadError, match=r"table.geometry = table.geometry.transform\(lambda xy: xy\[:, ::-1\]\)"):
        read_buildings(table, crs=4548)
    table.geometry = table.geometry.transform(lambda xy: xy[:, ::-1])
    assert read_buildings(table, crs=4548).geometry.iloc[0] == shapely.Point(500100, 4429000)


@pytest.mark.parametrize("crs", [4548, 4527, 32650, 3857, "CGCS2000 3度带 114"])
def test_a_stated_projected_crs_must_fit_the_numbers(tmp_path, crs):
    with pytest.raises(ReadError, match=r"are degrees. They look like degrees: crs='EPSG:4326'"):
        read_buildings(sheet(tmp_path / "a.csv", "id,x,y\na,116.3,40\n"), crs=crs)


def test_a_city_may_keep_to_the_zone_beside_its_own(tmp_path):
    for crs, lon in ((4548, 112.5), (4548, 121.5), (32650, 112.0), (4499, 118.0), (3857, 116.3)):
        there = gpd.GeoSeries([shapely.Point(lon, 40)], crs=4326).to_crs(crs).iloc[0]
        path = sheet(tmp_path / "a.csv", f"id,x,y\na,{there.x},{there.y}\n")
        assert read_buildings(path, crs=crs).crs == crs
    # further away it is refused
    far = gpd.GeoSeries([shapely.Point(104, 30.6)], crs=4326).to_crs(4548).iloc[0]
    with pytest.raises(ReadError, match=r"used from 115.5 to 118.5 degrees east"):
        read_buildings(sheet(tmp_path / "a.csv", f"id,x,y\na,{far.x},{far.y}\n"), crs=4548)


# ---- bad input -------------------------------------------------------------------------------------------------------

READERS = {".gpkg": b"GPKG", ".geojson": b'{"type": "Feat', ".shp": b"x", ".fgb": b"fgb", ".parquet": b"PAR1",
           ".xlsx": b"PK\3\4 cut", ".csv": b"\0\1\2", ".xls": b"\xd0\xcf"}  # fmt: skip


@pytest.mark.parametrize("suffix", READERS)
def test_bad_files_never_show_the_library_below(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(ReadError, match="no such file"):
        read_buildings(path)
    with pytest.raises(ReadError, match="nor a folder"):
        read_buildings(tmp_path / "absent" / f"a{suffix}")
    path.write_bytes(b"")
    with pytest.raises(ReadError, match=r"empty \(0 bytes\)"):
        read_buildings(path)
    path.write_bytes(READERS[suffix])
    with pytest.raises(ReadError, match=r"again|Save|Open") as caught:
        read_buildings(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.fgb", "a.parquet", "a.xlsx"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_files_cut_short_are_refused(tmp_path, name, part):
    path = tmp_path / name
    table = houses(300)
    if name.endswith("xlsx"):
        pd.DataFrame({"id": range(300), "lon": 116.3, "lat": 40.0}).to_excel(path, index=False)
    else:
        write_table(table, path) if not name.endswith("fgb") else table.to_file(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(GridmapError) as caught:
        read_buildings(path)
    assert name in str(caught.value)


def test_sheets_without_rows_or_headings_are_refused(tmp_path):
    with pytest.raises(ReadError, match="no text"):
        read_buildings(sheet(tmp_path / "a.csv", " \n \n"))
    with pytest.raises(TableError, match="no rows"):
        read_buildings(sheet(tmp_path / "a.csv", "id,lon,lat\n"))
    with pytest.raises(TableError, match="no geometry column"):
        read_buildings(sheet(tmp_path / "a.csv", "id,name\na,b\n"))
    pd.DataFrame().to_excel(tmp_path / "a.xlsx")
    with pytest.raises(ReadError, match="no headings"):
        read_buildings(tmp_path / "a.xlsx")
    houses().iloc[:0].to_file(tmp_path / "a.gpkg")
    with pytest.raises(TableError, match="no rows"):
        read_buildings(tmp_path / "a.gpkg")


def test_one_error_lists_all_violations_by_row(tmp_path):
    text = "id,lon,lat,households\na,116.3,40,5\nb,116.3,40,-3\nb,116.3,,x\n"
    with pytest.raises(TableError) as caught:
        read_buildings(sheet(tmp_path / "houses.csv", text))
    message = str(caught.value)
    assert message.startswith("buildings (")
    assert "houses.csv; row = row of the sheet): 4 violations" in message
    assert "row 3: households = '-3'" in message
    assert "row 4: building_id = 'b'" in message
    assert "row 4: households = 'x'" in message
    assert "row 4: geometry = missing" in message
    assert caught.value.table == "buildings"
    assert set(caught.value.violations.columns) == {"row", "column", "value", "expected", "remedy"}


def test_rows_of_vector_files_are_called_by_their_ids(tmp_path):
    table = houses()
    table.loc[1, "households"] = -3
    table.geometry = [table.geometry[0], table.geometry[1], Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)])]
    table.to_file(tmp_path / "a.gpkg")
    with pytest.raises(TableError) as caught:
        read_buildings(tmp_path / "a.gpkg")
    message = str(caught.value)
    assert "row 001: households = -3" in message
    assert "row 002: geometry = Self-intersection" in message
    assert "make_valid" in message
    table["building_id"] = ["a", "b", "b"]
    table.to_file(tmp_path / "a.gpkg")
    with pytest.raises(TableError, match=r"position in the file(.|\n)*row 2: households"):
        read_buildings(tmp_path / "a.gpkg")


def test_missing_households_are_allowed_until_they_are_needed(tmp_path):
    read = read_buildings(sheet(tmp_path / "a.csv", "id,lon,lat,households\na,116.3,40,\nb,116.3,40,4\n"))
    assert read["households"].isna().tolist() == [True, False]


@pytest.mark.parametrize("source", [None, 5, [1, 2]])
def test_sources_that_are_none(source):
    with pytest.raises(OptionError, match="path, a GeoDataFrame or a DataFrame"):
        read_facilities(source)


def test_wrong_geometry_type_is_named():
    points = gpd.GeoDataFrame({"compound_id": ["c"]}, geometry=[Point(X, Y)], crs=CRS)
    with pytest.raises(TableError, match="geometry = Point; expected Polygon or MultiPolygon"):
        read_compounds(points)


def test_facilities_need_a_category():
    table = gpd.GeoDataFrame({"facility_id": ["f"]}, geometry=[Point(X, Y)], crs=CRS)
    with pytest.raises(TableError, match=r"category: no such column.*columns="):
        read_facilities(table)
    assert read_facilities(table.assign(类别="花市"))["category"].tolist() == ["花市"]


# ---- real files ------------------------------------------------------------------------------------------------------


def test_las_palmas_fixtures(data_dir):
    folder = data_dir / "las_palmas"
    assert len(read_communities(folder / "communities_4000.gpkg")) == 31
    assert len(read_compounds(folder / "compounds.gpkg")) == 185
    gates = read_entrances(folder / "entrances.gpkg")
    assert set(gates["of"]) == {"compound"}
    counts = read_plain_table("households", folder / "households.csv")
    assert (len(counts), counts["households"].sum()) == (22_218, 128_421)


def test_shanghai_pois_by_their_tags(data_dir):
    path = data_dir / "shanghai_pois" / "shanghai_osm_pois.gpkg"
    places = read_facilities(path)
    assert len(places) == 53_259
    assert places["facility_id"].str.fullmatch(r"(node|way|relation)/\d+").all()
    told = places.attrs["reading"]["categories"]
    assert sum(told["recognised"].values()) + told["own_words_rows"] == 53_259
    of = places.groupby(["key", "value"])["category"].agg(["nunique", "first"])
    assert (of["nunique"] == 1).all()
    assert of.loc[("amenity", "marketplace"), "first"] == "market"
    assert of.loc[("public_transport", "platform"), "first"] == "bus_stop"
    # what is no service of ours, or may be several, keeps its own word
    assert of.loc[("amenity", "atm"), "first"] == "atm"
    assert of.loc[("public_transport", "station"), "first"] == "station"
    assert told["own_words"]["garden"] == 852


def test_shanghai_names_say_what_the_tags_say(data_dir):
    path = data_dir / "shanghai_pois" / "shanghai_osm_pois.gpkg"
    places = read_facilities(path)
    named = places[places["name"].notna()]
    by_name = recognise(named["name"])
    # kinds of one thing: what a tag calls a school or hospital, a name calls more exactly
    same = {
        "school": {"school", "primary_school", "middle_school"},
        "hospital": {"hospital", "clinic", "health_centre", "health_station"},
        "clinic": {"hospital", "clinic", "health_centre", "health_station"},
        "park": {"park", "green"},
        "market": {"market", "supermarket"},
        "supermarket": {"market", "supermarket", "convenience"},
        "convenience": {"supermarket", "convenience"},
        "post": {"post", "parcel"},
        "kindergarten": {"kindergarten"},
        "bank": {"bank"},
        "sports": {"sports", "fitness"},
    }
    said = named[by_name != ""]
    agrees = [name in same[tag] for name, tag in zip(by_name[said.index], said["category"], strict=True) if tag in same]
    assert len(agrees) > 5000
    assert np.mean(agrees) > 0.97
    # what names end with: most schools, kindergartens and banks say what they are
    for tag in ("school", "kindergarten", "bank"):
        assert (by_name[named["category"] == tag] != "").mean() > 0.8, tag
