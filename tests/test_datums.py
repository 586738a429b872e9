"""Datums: the shifted ones against published values and a slow formula, the projected ones by name, what is said."""

from __future__ import annotations

import math
import re

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from shapely import Point

from gridmap.errors import OptionError
from gridmap.io.datums import bd09_to_wgs84, gcj02_to_wgs84, shifted_name, wgs84_to_bd09, wgs84_to_gcj02
from gridmap.io.datums.accuracy import datum_remark
from gridmap.io.datums.names import gauss_kruger, known_crs
from gridmap.io.datums.readings import parameter
from gridmap.io.read.readers import read_buildings

# wgs84 -> gcj02 -> bd09 of 116.404, 39.915, the example of the coordtransform library in five languages, and the cities
# of eviltransform's tests; the latter takes 6,378,137 m for the radius, which moves a point by less than 1 cm.
COORDTRANSFORM = ((116.404, 39.915), (116.41024449916938, 39.91640428150164))
EVILTRANSFORM = (
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
)
# wgs84 -> gcj02 -> bd09 of geotool's tests, with the radius of eviltransform
GEOTOOL = ((121.0917077, 30.6107779), (121.09626935575027, 30.608604331756705), (121.10271732371203, 30.61484572185035))


def by_hand(lon, lat):
    """The published formula, term by term."""
    x, y = lon - 105.0, lat - 35.0
    pi, sin = math.pi, math.sin
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    a, ee = 6378245.0, 0.00669342162296594323
    magic = 1 - ee * sin(math.radians(lat)) ** 2
    lat_off = north * 180 / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    lon_off = east * 180 / (a / math.sqrt(magic) * math.cos(math.radians(lat)) * pi)
    return lon + lon_off, lat + lat_off


def bd_by_hand(lon, lat):
    """Baidu's addition to it."""
    k = math.pi * 3000 / 180
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * k)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * k)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def test_shifts_have_their_published_values():
    (lon, lat), want = COORDTRANSFORM
    assert np.allclose(wgs84_to_gcj02(lon, lat), want, rtol=0, atol=1e-11)
    for (lon, lat), want in EVILTRANSFORM:
        assert np.allclose(wgs84_to_gcj02(lon, lat), want, rtol=0, atol=2e-7)
    # the same example again, gcj02 -> bd09
    baidu = wgs84_to_bd09(*gcj02_to_wgs84(*COORDTRANSFORM[0]))
    assert np.allclose(baidu, (116.41036949371029, 39.92133699351021), rtol=0, atol=1e-9)
    assert np.allclose(wgs84_to_gcj02(*GEOTOOL[0]), GEOTOOL[1], rtol=0, atol=2e-7)
    assert np.allclose(wgs84_to_bd09(*GEOTOOL[0]), GEOTOOL[2], rtol=0, atol=2e-7)
    # Beijing railway station as geoChina's manual has it, to its five digits
    assert np.allclose(wgs84_to_bd09(*gcj02_to_wgs84(116.42703, 39.90245)), (116.43351, 39.90851), rtol=0, atol=1.5e-5)


places = st.tuples(st.floats(73.0, 135.0), st.floats(3.0, 54.0))


@settings(max_examples=60, deadline=None)
@given(at=st.lists(places, min_size=1, max_size=20))
def test_arrays_are_the_formula_point_by_point_and_come_back(at):
    lon, lat = np.array(at).T
    shifted = [by_hand(*p) for p in at]
    baidu = [bd_by_hand(*p) for p in shifted]
    assert np.allclose(np.column_stack(wgs84_to_gcj02(lon, lat)), shifted, rtol=0, atol=1e-11)
    assert np.allclose(np.column_stack(wgs84_to_bd09(lon, lat)), baidu, rtol=0, atol=1e-11)
    geod = Geod(ellps="WGS84")
    for back, there in ((gcj02_to_wgs84, shifted), (bd09_to_wgs84, baidu)):
        off = np.array(geod.inv(lon, lat, *back(*np.array(there).T))[2])
        assert (off < 0.5e-3).all()


def test_a_point_does_not_depend_on_its_company():
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(75, 130, 40_000), rng.uniform(18, 52, 40_000)
    for formula in (wgs84_to_gcj02, wgs84_to_bd09):
        whole = np.column_stack(formula(lon, lat))
        assert np.array_equal(whole[-5:], np.column_stack(formula(lon[-5:], lat[-5:])))
    assert np.asarray(gcj02_to_wgs84(lon.reshape(4, -1), lat.reshape(4, -1))).shape == (2, 4, 10_000)
    assert [len(a) for a in bd09_to_wgs84(np.empty(0), np.empty(0))] == [0, 0]
    nowhere = np.array([np.nan, np.inf, 116.0])
    out = np.column_stack(bd09_to_wgs84(nowhere, np.array([1.0, 1.0, np.nan])))
    assert np.isnan(out).any(axis=1).all()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("WGS 84", 4326), ("EPSG:4548", 4548), (4548, 4548),
        ("CGCS2000", 4490), ("国家2000", 4490), ("2000国家大地坐标系", 4490), ("cgcs 2000", 4490),
        ("北京54", 4214), ("Beijing 1954", 4214), ("西安80", 4610), ("Xi'an 80", 4610), ("1980西安坐标系", 4610),
        ("CGCS2000 / 3-degree Gauss-Kruger zone 39", 4527), ("CGCS2000 3度带 39", 4527), ("CGCS2000 39带", 4527),
        ("CGCS2000 3度带 117", 4548), ("CGCS2000 中央经线 117°E", 4548), ("CGCS2000 高斯克吕格 3度带 第39带", 4527),
        ("CGCS2000_3_Degree_GK_CM_117E", 4548), ("CGCS2000_GK_Zone_20", 4498), ("CGCS2000 6度带 117", 4509),
        ("CGCS2000 / Gauss-Kruger CM 117E", 4509), ("北京54 6度带 20带", 21420), ("西安80 3度带 中央经线117", 2384),
    ],
)  # fmt: skip
def test_names_of_systems(name, code):
    assert known_crs(name).to_epsg() == code


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CGCS2000 3度带 118", "central meridians 75, 78, ... 135 in China; 118 is none"),
        ("CGCS2000 zone 50", "3-degree zones 25 to 45 and 6-degree zones 13 to 23, not 50"),
        ("北京54 6度带 39", "6-degree Gauss-Krüger has zones 13 to 23"),
        ("地方坐标系", "not a coordinate reference system"),
        ("EPSG:99999", "not a coordinate reference system"),
    ],
)
def test_names_that_are_none(name, words):
    with pytest.raises(OptionError, match=words):
        known_crs(name)


@pytest.mark.parametrize("datum", ["CGCS2000", "Beijing 1954", "Xian 1980"])
def test_every_zone_of_china_lies_where_its_number_says(datum):
    """On its meridian the easting is 500 km, after the zone where there is one; and a zone is its meridian moved."""
    for width, zones in ((3, range(25, 46)), (6, range(13, 24))):
        for zone in zones:
            meridian = 3 * zone if width == 3 else 6 * zone - 3
            with_zone = gauss_kruger(datum, width, zone, prefix=True)
            without = gauss_kruger(datum, width, meridian, prefix=False)
            for crs, east in ((with_zone, zone * 1e6 + 500_000), (without, 500_000)):
                x, y = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(meridian, 40.0)
                assert abs(x - east) < 1e-4
                assert 4.42e6 < y < 4.44e6
            assert with_zone.geodetic_crs.equals(CRS(known_crs(datum)))
            assert gauss_kruger(datum, width, zone, prefix=True) == known_crs(f"{datum} {width}度带 {zone}")


def test_cgcs2000_comes_back_to_a_millimetre():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(115.5, 118.5, 1000), rng.uniform(22, 50, 1000)
    there = Transformer.from_crs(4326, known_crs("CGCS2000 3度带 39"), always_xy=True)
    back = there.transform(*there.transform(lon, lat), direction="INVERSE")
    assert max(Geod(ellps="WGS84").inv(lon, lat, *back)[2]) < 1e-3


def table(lon, lat, crs):
    return gpd.GeoDataFrame({"building_id": ["b"]}, geometry=[Point(lon, lat)], crs=4326).to_crs(crs)


def test_what_projection_parameters_are_lacking_is_said():
    assert datum_remark(table(116.4, 39.9, 4326)) is None
    assert datum_remark(table(116.4, 39.9, 4548)) is None
    old = gpd.GeoDataFrame({"building_id": ["b"]}, geometry=[Point(500_000, 4_420_000)])
    for name in ("北京54 3度带 117", "西安80 3度带 117"):
        read = read_buildings(old, crs=name)
        remark = read.attrs["reading"]["datum"]
        assert "no public parameters" in remark
        assert "some 100 m off" in remark
    # for the Ordos basin and the coast of the Yellow Sea there are parameters, of 1 m and of 15 m
    assert datum_remark(gpd.GeoDataFrame(geometry=[Point(108.5, 37.5)], crs=4214)) is None
    coast = gpd.GeoDataFrame(geometry=[Point(120.5, 33)], crs=4214)
    assert "about 15 m, by PROJ's Beijing 1954 to WGS 84 (2)" in datum_remark(coast)
    # a table that reaches beyond their area is not half as good, but torn
    beyond = gpd.GeoDataFrame(geometry=[Point(120.5, 33), Point(116.4, 39.9)], crs=4214)
    assert "no public parameters" in datum_remark(beyond)
    assert "datum" not in read_buildings(old, crs="CGCS2000 3度带 117").attrs["reading"]
    empty = gpd.GeoDataFrame({"building_id": []}, geometry=[], crs=4214)
    assert datum_remark(empty) is None


def test_names_of_shifted_datums():
    assert [shifted_name(n) for n in ("gcj02", "GCJ-02", "火星坐标系", "BD_09", "bd09ll", "CGCS2000", None)] == [
        "GCJ-02", "GCJ-02", "GCJ-02", "BD-09", "BD-09", None, None,
    ]  # fmt: skip


def test_a_damaged_projection_that_lacks_a_parameter_has_none():
    whole = CRS.from_epsg(4527).to_wkt("WKT1_ESRI")
    assert parameter(CRS.from_wkt(whole), "False easting") == 39_500_000
    damaged = re.sub(r'PARAMETER\["False_Easting",[^]]*\],', "", whole)
    assert parameter(CRS.from_wkt(damaged), "False easting") in (None, 0.0)
    other = whole.replace("False_Easting", "Fblse_Easting")
    assert parameter(CRS.from_wkt(other), "False easting") is None
