"""What coordinates may be in: each reading of bare numbers, shifts told by the streets, and few false alarms."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Point, box

from gridmap.errors import OptionError, ReadError, TableError
from gridmap.io.datums import wgs84_to_bd09, wgs84_to_gcj02
from gridmap.io.datums.propose import COLUMNS, propose_crs
from gridmap.io.read.readers import read_buildings, read_facilities, read_streets

SHIFTS = {"EPSG:4326": None, "GCJ-02": wgs84_to_gcj02, "BD-09": wgs84_to_bd09}


def bare(table, crs=None, *, swapped=False, stated=None):
    """The table with the numbers of another system, and nothing (or something else) said of it."""
    shapes = np.asarray((table if crs is None else table.to_crs(crs)).geometry.array)
    if swapped:
        shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    return gpd.GeoDataFrame(geometry=shapes, crs=stated)


def shifted(table, there):
    if there is None:
        return bare(table)
    shapes = shapely.transform(np.asarray(table.geometry.array), lambda xy: np.column_stack(there(xy[:, 0], xy[:, 1])))
    return gpd.GeoDataFrame(geometry=shapes)


def moved(table, metres, bearing):
    metric = table.to_crs(32650)
    off = metres * np.array([np.sin(np.radians(bearing)), np.cos(np.radians(bearing))])
    return metric.set_geometry(metric.geometry.translate(*off)).to_crs(4326)


PLACES = {  # longitude, latitude, 3-degree zone, its meridian, 6-degree zone, its meridian, UTM zone
    "Beijing": (116.4, 39.9, 39, 117, 20, 117, 50),
    "Shanghai": (121.5, 31.2, 41, 123, 21, 123, 51),
    "Urumqi": (87.6, 43.8, 29, 87, 15, 87, 45),
    "Sanya": (109.5, 18.3, 37, 111, 19, 111, 49),
    "Harbin": (126.6, 45.8, 42, 126, 21, 123, 52),
}


@pytest.mark.parametrize("place", PLACES)
def test_numbers_tell_all_but_the_zone(place):
    lon, lat, zone, meridian, wide, _, utm = PLACES[place]
    table = gpd.GeoDataFrame(geometry=[Point(lon, lat), Point(lon + 0.01, lat)], crs=4326)
    for swapped in (False, True):
        degrees = propose_crs(bare(table, swapped=swapped))
        assert degrees["crs"].tolist() == ["EPSG:4326", "GCJ-02", "BD-09"]
        assert (degrees["verdict"] == "possible").all()
        assert (degrees["swapped"] == swapped).all()
        # the zone of eight digits is certain
        for crs in (f"EPSG:{4513 + zone - 25}", f"EPSG:{4491 + wide - 13}"):
            found = propose_crs(bare(table, crs, swapped=swapped))
            # eastings of the most western wide zones are those of Web Mercator in the east
            likely = found[found["crs"] != "EPSG:3857"]
            assert likely["crs"].tolist() == [crs]
            assert likely["swapped"].tolist() == [swapped]
            assert abs(likely["lon"].iloc[0] - lon - 0.005) < 1e-3
            assert abs(likely["lat"].iloc[0] - lat) < 1e-3
        # without it every meridian in China is consistent, and listed
        found = propose_crs(bare(table, f"EPSG:{4534 + (meridian - 75) // 3}", swapped=swapped))
        assert {f"EPSG:{4534 + i}" for i in range(1, 20)} <= set(found["crs"])
        assert f"EPSG:{32600 + utm}" in set(found["crs"])
        assert "cannot tell the central meridian" in found.attrs["advice"]
        assert "some 100 m" in found.attrs["advice"]
    assert propose_crs(bare(table, 3857))["crs"].iloc[-1] == "EPSG:3857"
    assert list(degrees.columns) == list(COLUMNS)


def test_communities_tell_the_zone():
    lon, lat, _, meridian, *_ = PLACES["Shanghai"]
    table = gpd.GeoDataFrame(geometry=[Point(lon, lat), Point(lon + 0.01, lat)], crs=4326)
    town = gpd.GeoDataFrame(geometry=[box(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)], crs=4326)
    found = propose_crs(bare(table, 4550), communities=town.to_crs(32651))
    assert meridian == 123
    inside = found[found["inside"] == 1]
    # of 1.7 km between UTM and Gauss-Krüger the wide bounds know nothing
    assert set(inside["crs"][inside["verdict"] == "possible"]) == {"EPSG:4550", "EPSG:32651"}
    assert (found["verdict"][found["inside"] == 0] == "unlikely").all()


def test_what_is_stated_is_doubted():
    table = gpd.GeoDataFrame(geometry=[Point(116.4, 39.9)], crs=4326)
    # the zone is said to be in the easting but is not: its meridian comes first
    lacking = propose_crs(bare(table, 4548, stated=4527))
    assert lacking["crs"].iloc[0] == "EPSG:4548"
    assert "EPSG:4527" not in set(lacking["crs"])
    superfluous = propose_crs(bare(table, 4527, stated=4548))
    assert superfluous[["verdict", "crs"]].to_numpy().tolist() == [["likely", "EPSG:4527"]]
    right = propose_crs(bare(table, 4548, stated=4548))
    assert right["crs"].iloc[0] == "EPSG:4548"
    assert right["reading"].iloc[0].endswith("as stated")
    metres = propose_crs(bare(table, 4527, stated=4326))
    assert metres["crs"].tolist() == ["EPSG:4527"]


def test_what_lies_nowhere_has_no_proposal():
    for shapes in ([Point(5, 6)], [Point(1e9, 1e9)], [Point(np.nan, 3)], [None], []):
        found = propose_crs(gpd.GeoDataFrame(geometry=shapes))
        assert found.empty
        assert "local system" in found.attrs["advice"]
    with pytest.raises(OptionError, match="takes a GeoDataFrame"):
        propose_crs([1, 2])
    good = gpd.GeoDataFrame(geometry=[Point(116.4, 39.9)])
    with pytest.raises(OptionError, match="streets and communities must have a CRS"):
        propose_crs(good, good)


def test_stray_rows_do_not_hide_the_others():
    points = [Point(39_500_123 + i, 4_419_800) for i in range(60)]
    found = propose_crs(gpd.GeoDataFrame(geometry=[*points, Point(0, 0), None]))
    assert found["crs"].tolist() == ["EPSG:4527"]


def test_readers_name_what_it_looks_like(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,x,y\na,39500123,4419800\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"CGCS2000 3-degree zone 39, with the zone in the easting: crs='EPSG:4527'"):
        read_buildings(path)
    path.write_text("id,x,y\na,4419800,500123\n", encoding="utf-8")
    with pytest.raises(
        TableError, match=r"with north and east exchanged.*central meridian: ask for it.*EPSG:4534 to EPSG:4553"
    ):
        read_buildings(path)
    path.write_text("id,x,y\na,116.4,39.9\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"crs='EPSG:4326' or 'EPSG:4490', or 'GCJ-02'"):
        read_buildings(path)
    path.write_text("id,lon,lat\na,39500123,4419800\n", encoding="utf-8")
    with pytest.raises(ReadError, match=r"are not degrees.*crs='EPSG:4527'"):
        read_buildings(path)
    # Shanghai in Web Mercator has the numbers of a zone in the far west
    path.write_text("id,x,y\na,13520000,3660000\n", encoding="utf-8")
    with pytest.raises(
        TableError, match=r"look like metres, of EPSG:3857 \(Web Mercator\) or EPSG:4491 \(CGCS2000 6-deg"
    ):
        read_buildings(path)
    # abroad nothing is proposed
    path.write_text("id,x,y\na,5,6\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"Pass crs= to the reader, for example crs='EPSG:4490'"):
        read_buildings(path)


# ---- shifts, by the streets ------------------------------------------------------------------------------------------


def town(seed=1, blocks=9):
    """Streets at uneven distances, and two houses in each block between them, in Beijing."""
    rng = np.random.default_rng(seed)
    x, y = (at + np.cumsum(np.r_[0, rng.uniform(60, 170, blocks)]) for at in (442_000, 4_427_000))
    streets = [LineString([(a, y[0]), (a, y[-1])]) for a in x] + [LineString([(x[0], b), (x[-1], b)]) for b in y]
    houses = [
        box(x[i] + 8, low, x[i + 1] - 8, high)
        for i in range(blocks)
        for j in range(blocks)
        for middle in [(y[j] + y[j + 1]) / 2]
        for low, high in ((y[j] + 8, middle - 4), (middle + 4, y[j + 1] - 8))
    ]
    frames = (gpd.GeoDataFrame(geometry=g, crs=32650) for g in (houses, streets))
    return [f.to_crs(4326) for f in frames]


@pytest.mark.parametrize("datum", SHIFTS)
def test_a_made_town_tells_its_shift(datum):
    houses, streets = town()
    found = propose_crs(shifted(houses, SHIFTS[datum]), streets.to_crs(4548))
    assert found["verdict"].tolist() == ["likely", "unlikely", "unlikely"]
    assert found["crs"].iloc[0] == datum
    assert found["on_street"].iloc[0] == 0
    assert "fits the streets" in found["evidence"].iloc[0]
    # the same however the rows are ordered
    again = propose_crs(shifted(houses, SHIFTS[datum]).sample(frac=1, random_state=3), streets)
    assert again["crs"].tolist() == found["crs"].tolist()


def test_points_and_large_areas_are_placed_and_not_judged():
    houses, streets = town()
    points = houses.set_geometry(houses.representative_point())
    area = gpd.GeoDataFrame(geometry=[houses.union_all().convex_hull] * 30, crs=4326)
    for table in (points, area):
        found = propose_crs(bare(table), streets)
        assert found["verdict"].tolist() == ["possible"] * 3
        assert found["on_street"].isna().all()
    few = propose_crs(bare(houses.head(10)), streets)
    assert few["verdict"].iloc[0] == "possible"
    assert "likely" not in few["verdict"].tolist()


@pytest.mark.parametrize("city", ["beijing_tsinghua", "beijing_cau"])
def test_beijing_tells_its_shift(data_dir, city):
    """All buildings of an extract as they are, shifted, projected, exchanged, and off by what is no datum."""
    path = data_dir / city / "map.osm.pbf"
    houses, streets = read_buildings(path), read_streets(path)
    for datum, there in SHIFTS.items():
        found = propose_crs(shifted(houses, there), streets)
        assert found[["verdict", "crs"]].iloc[0].tolist() == ["likely", datum]
        assert (found["verdict"].iloc[1:] == "unlikely").all()
    # degrees shifted first, projected afterwards
    hidden = shifted(houses, wgs84_to_gcj02).set_crs(4326)
    found = propose_crs(bare(hidden, 4527), streets)
    assert found[["verdict", "crs"]].iloc[0].tolist() == ["likely", "EPSG:4527"]
    assert "projected from GCJ-02 degrees" in found["reading"].iloc[0]
    assert found["remedy"].iloc[0] == "read with crs='EPSG:4527', .to_crs(4326), and read that again with crs='GCJ-02'"
    # the meridian, Gauss-Krüger from UTM (1.7 km apart), and exchanged axes
    for crs, swapped in ((4548, True), (32650, False)):
        found = propose_crs(bare(houses, crs, swapped=swapped), streets)
        assert found[["verdict", "crs", "swapped"]].iloc[0].tolist() == ["likely", f"EPSG:{crs}", swapped]
    for bearing in (0, 130):
        found = propose_crs(bare(moved(houses, 50, bearing)), streets)
        assert (found["verdict"] == "possible").all()
        assert "No reading fits the streets" in found.attrs["advice"]


def test_a_few_buildings_are_mostly_enough(data_dir):
    """100 buildings at random: of 12 tables most are told, and of 8 without a shift none is called shifted."""
    path = data_dir / "beijing_tsinghua" / "map.osm.pbf"
    houses, streets = read_buildings(path), read_streets(path)
    hits = alarms = 0
    for seed in range(4):
        some = houses.sample(100, random_state=seed)
        for datum, there in SHIFTS.items():
            found = propose_crs(shifted(some, there), streets)
            likely = found["crs"][found["verdict"] == "likely"].tolist()
            hits += likely == [datum]
            alarms += there is None and bool(set(likely) - {datum})
        off = propose_crs(bare(moved(some, 50, 90 * seed)), streets)
        alarms += bool((off["verdict"] == "likely").any())
    assert hits >= 11
    assert alarms == 0


def test_shanghai_is_placed_without_streets(data_dir):
    places = read_facilities(data_dir / "shanghai_pois" / "shanghai_osm_pois.gpkg", columns={"category": "value"})
    for datum, there in SHIFTS.items():
        found = propose_crs(shifted(places, there))
        # points alone cannot be told apart, so none is called likely
        assert datum in found["crs"].tolist()
        assert (found["verdict"] == "possible").all()
    for crs in (4529, 4528, 4499):
        found = propose_crs(bare(places, crs, swapped=True))
        assert found["crs"].iloc[0] == f"EPSG:{crs}"
        assert found["swapped"].iloc[0]
