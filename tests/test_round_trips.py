"""What a writer writes, the reader reads: rows, ids, counts, names, gaps and shapes, for every pair of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon

from gridmap.io.read.readers import read_buildings, read_communities
from gridmap.io.write.tables import write_table

CRS = 4548
X, Y = 500_000.0, 4_400_000.0
# Name of the file, how write_table is called, and how exact the places are in metres.
PAIRS = [
    ("a.gpkg", {}, 0.0),
    ("a.parquet", {}, 0.0),
    ("a.fgb", {}, 0.0),
    ("a.shp", {}, 0.0),
    ("a.csv", {"geometry": "ewkt"}, 0.0),
    ("a.xlsx", {"geometry": "ewkt"}, 0.0),
    ("a.geojson", {}, 0.002),
    ("a.kml", {}, 0.001),
    ("a.kmz", {}, 0.001),
]
FORMULAS = ["=1+1", "+a", "-a", "@sum", "'=x", "''+", "-1", "+1.5e3", "="]
NAMES = [
    "柳岸小区 1 号楼",
    "😀🏠",
    "a,b;\tc",
    'say "x"',
    "<b>&amp;</b>",
    "龘䶮𠀀",
    "%d %%",
    "007",
    "1e5",
    "NULL",
    "nan",
    "x" * 254,
]

# blanks at the ends go when cells are read; control characters have tests of their own
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp", "Zs")), min_size=1, max_size=12)
names = st.one_of(st.none(), st.sampled_from(NAMES), st.sampled_from(FORMULAS), words)
ids = st.one_of(
    st.from_regex(r"0{0,3}[1-9][0-9]{0,4}", fullmatch=True), st.from_regex(r"[A-Z]-[0-9]{1,3}", fullmatch=True)
)


@st.composite
def shapes(draw):
    """A point, a polygon with or without a hole, or two of them, on whole centimetres."""
    x = X + draw(st.integers(0, 10**6)) / 100
    y = Y + draw(st.integers(0, 10**6)) / 100
    ring = [(x, y), (x + 30, y), (x + 30, y + 20), (x, y + 20)]
    hole = [(x + 5, y + 5), (x + 9, y + 5), (x + 9, y + 9)]
    kind = draw(st.sampled_from(["polygon", "hole", "multi"]))
    if kind == "polygon":
        return Polygon(ring)
    if kind == "hole":
        return Polygon(ring, [hole])
    return shapely.multipolygons([Polygon(ring), shapely.affinity.translate(Polygon(ring, [hole]), 100)])


@st.composite
def tables(draw):
    count = draw(st.integers(1, 6))
    keys = draw(st.lists(ids, min_size=count, max_size=count, unique=True))
    data = {
        "building_id": keys,
        "name": draw(st.lists(names, min_size=count, max_size=count)),
        "households": draw(st.lists(st.integers(0, 10**9), min_size=count, max_size=count)),
        "residents": draw(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=count, max_size=count)),
        "所属街道的名称": draw(st.lists(st.one_of(st.none(), words.map("街".__add__)), min_size=count, max_size=count)),
    }
    data["residents"] = np.array([np.nan if v is None else v for v in data["residents"]], dtype=np.float64)
    return gpd.GeoDataFrame(data, geometry=draw(st.lists(shapes(), min_size=count, max_size=count)), crs=CRS)


def same_texts(read, written):
    return [None if pd.isna(v) else v for v in read] == [None if pd.isna(v) else v for v in written]


def single(table):
    """Shapes in one spelling: GeoPackage and FlatGeobuf make multiparts of all shapes where one is."""
    shapes = [s.geoms[0] if s.geom_type.startswith("Multi") and len(s.geoms) == 1 else s for s in table.geometry]
    return gpd.GeoSeries(shapes).normalize()


@pytest.mark.parametrize(("name", "options", "exact"), PAIRS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_tables_come_back(name, options, exact, table):
    with tempfile.TemporaryDirectory() as folder:
        path = write_table(table, Path(folder) / name, **options)
        read = read_buildings(path)
    assert read["building_id"].tolist() == table["building_id"].tolist()
    assert same_texts(read["name"], table["name"])
    assert read["households"].tolist() == table["households"].tolist()
    assert read.get("residents", table["residents"]).fillna(-1).tolist() == table["residents"].fillna(-1).tolist()
    long = "所属街道的名称"
    if table[long].notna().any() or long in read.columns:
        assert same_texts(read[long], table[long])
    assert read.attrs["reading"]["left_out"] == []
    back, want = single(read.to_crs(CRS)), single(table)
    if exact == 0:
        assert read.crs == CRS
        assert shapely.equals_exact(back.array, want.array, 0).all()
    else:
        assert shapely.hausdorff_distance(back.array, want.array).max() < exact
        assert (back.count_coordinates() == want.count_coordinates()).all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_drawings_come_back_as_outlines(table):
    """A drawing keeps outlines, ids and households; a multipart shape becomes several, its labels stay in one."""
    table = table.rename(columns={"building_id": "community_id"})
    table.geometry = [
        shapely.affinity.translate(shape.geoms[0] if hasattr(shape, "geoms") else shape, 1e5 * i)
        for i, shape in enumerate(table.geometry)
    ]
    metric = table.set_crs(CRS)
    with tempfile.TemporaryDirectory() as folder:
        path = write_table(
            metric.assign(geometry=metric.geometry.translate(-25e4)), Path(folder) / "a.dxf", layer="community"
        )
        read = read_communities(f"{path}|layer=community")
    assert read["community_id"].tolist() == table["community_id"].tolist()
    assert read["households"].tolist() == table["households"].tolist()


@pytest.mark.parametrize(("name", "options", "exact"), PAIRS)
def test_points_come_back(tmp_path, name, options, exact):
    shapes = [Point(X + i / 3, Y + i / 7) for i in range(50)]
    table = gpd.GeoDataFrame({"building_id": [f"{i:03}" for i in range(50)]}, geometry=shapes, crs=CRS)
    read = read_buildings(write_table(table, tmp_path / name, **options))
    assert read["building_id"].tolist() == table["building_id"].tolist()
    assert read.to_crs(CRS).geometry.distance(table.geometry, align=False).max() <= exact


@pytest.mark.parametrize(
    "name", ["a.gpkg", "a.parquet", "a.fgb", "a.shp", "a.csv", "a.geojson", "a.kml", "a.kmz", "a.dxf"]
)
def test_the_same_table_gives_the_same_bytes(tmp_path, name):
    table = gpd.GeoDataFrame({"building_id": ["007"], "households": [3]}, geometry=[Point(X, Y).buffer(9)], crs=CRS)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_table(table, folder / name)
    parts = sorted(p.name for p in first.iterdir())
    assert parts == sorted(p.name for p in second.iterdir())
    if name != "a.gpkg":
        # a GeoPackage notes when it was last changed
        assert all((first / p).read_bytes() == (second / p).read_bytes() for p in parts)
