"""Damaged files of every kind: an error of ours that names the file, or a table that keeps its contract; never more.

Each example takes a sound file, damages it, and reads it. GRIDMAP_FUZZ multiplies the examples.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import shutil
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import box

from gridmap.errors import GridmapError
from gridmap.io.read.readers import read_buildings, read_facilities, read_plain_table
from gridmap.io.write.tables import write_table
from gridmap.tables.contracts import check_table

CRS = 4548
X, Y = 500_000.0, 4_400_000.0
OSM = """<?xml version="1.0"?><osm version="0.6">{}<way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>
<tag k="building" v="yes"/><tag k="name" v="柳岸"/></way></osm>"""
NODES = "".join(f'<node id="{i}" lat="40.{i}" lon="116.{i * i}"/>' for i in (1, 2, 3))
WRITTEN = ["gpkg", "geojson", "fgb", "parquet", "shp", "kml", "kmz", "dxf", "csv", "xlsx"]
MADE = ["gdb.zip", "shp.zip", "osm", "osm.gz", "osm.bz2", "osm.pbf"]
# Errors, not tables, come of files whose checks find every change.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def houses(count=30) -> gpd.GeoDataFrame:
    shapes = [box(X + 20 * i, Y, X + 20 * i + 10, Y + 10) for i in range(count)]
    data = {
        "building_id": [f"{i:03}" for i in range(count)],
        "name": [["柳岸小区", None, "=1+1", "😀", 'O\'Hara; "x", y'][i % 5] for i in range(count)],
        "households": np.arange(count),
        "score": np.linspace(0, 1, count),
    }
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def pack(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, file.relative_to(folder))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """One sound file of each kind, by its suffix."""
    folder = tmp_path_factory.mktemp("sound")
    out = {}
    for suffix in WRITTEN:
        (folder / suffix).mkdir()
        out[suffix] = write_table(
            houses(), folder / suffix / f"a.{suffix}", **({"geometry": "ewkt"} if suffix in ("csv", "xlsx") else {})
        )
    for name, driver in (("gdb", "OpenFileGDB"), ("shp", "ESRI Shapefile")):
        inner = folder / f"{name}_source"
        inner.mkdir()
        # a geodatabase keeps no 64-bit integers unless told to
        houses().rename(columns={"building_id": "id"}).astype({"households": "int32"}).to_file(
            inner / f"a.{name}", driver=driver
        )
        out[f"{name}.zip"] = folder / f"a.{name}.zip"
        pack(out[f"{name}.zip"], inner)
    text = OSM.format(NODES).encode()
    for suffix, data in (("osm", text), ("osm.gz", gzip.compress(text)), ("osm.bz2", bz2.compress(text))):
        out[suffix] = folder / f"a.{suffix}"
        out[suffix].write_bytes(data)
    import osmium

    out["osm.pbf"] = folder / "a.osm.pbf"
    with osmium.SimpleWriter(str(out["osm.pbf"])) as writer:
        for element in osmium.FileProcessor(str(out["osm"])):
            writer.add(element)
    return out


def read_or_refuse(path, reader=read_buildings):
    """A sound table, or None where an error of ours says which file it is about."""
    try:
        table = reader(path)
    except GridmapError as error:
        message = str(error)
    else:
        message = None
    if message is not None:
        assert path.name in message
        return None
    name = "buildings" if reader is read_buildings else "facilities"
    check_table(table, name)
    reading = table.attrs["reading"]
    assert reading["rows_kept"] == len(table)
    assert reading["rows_read"] == len(table) + sum(entry["count"] for entry in reading["left_out"])
    return table


def damaged(data: bytes, kind: str, at: float, more: bytes) -> bytes:
    place = int(at * len(data))
    if kind == "cut":
        return data[:place]
    if kind == "insert":
        return data[:place] + more + data[place:]
    if kind == "overwrite":
        return data[:place] + more + data[place + len(more) :]
    if kind == "drop":
        return data[:place] + data[place + len(more) :]
    if kind == "zero":
        return data[:place] + bytes(len(more) * 40) + data[place + len(more) * 40 :]
    out = bytearray(data)
    for byte in more:
        out[(place * 31 + byte * 7919) % len(out)] ^= 1 << (byte % 8)
    return bytes(out)


damage = st.lists(
    st.tuples(
        st.sampled_from(["cut", "insert", "overwrite", "drop", "zero", "flip", "flip"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("suffix", [*WRITTEN, *MADE])
@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
@given(changes=damage, part=st.integers(0, 5))
def test_damaged_bytes(sound, suffix, changes, part):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in sound[suffix].parent.glob(f"a.{suffix.partition('.')[0]}*" if suffix in MADE else "a*"):
            shutil.copy(file, folder)
        path = folder / sound[suffix].name
        # of a Shapefile any part may be damaged
        parts = sorted(folder.iterdir()) if suffix == "shp" else [path]
        target = parts[part % len(parts)]
        data = target.read_bytes()
        for change in changes:
            data = damaged(data, *change) or b"\0"
        target.write_bytes(data)
        read_or_refuse(path)


texts = st.text(
    st.one_of(st.sampled_from("=+-@'\"\t,;|<>&%\\/😀柳"), st.characters(exclude_categories=("Cs",))), max_size=30
)
places = st.sampled_from(
    [0.0, 1.0, 40.0, 116.3, -181.0, 91.0, 4.4e6, 5e5, 1e308, float("nan"), float("inf"), -float("inf")]
)


@pytest.mark.filterwarnings(
    "ignore:invalid value encountered:RuntimeWarning", "ignore:overflow encountered:RuntimeWarning"
)
@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "parquet", "shp", "kml", "csv", "xlsx"])
@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
@given(
    xy=st.lists(st.tuples(places, places), min_size=1, max_size=4),
    names=st.lists(texts, min_size=4, max_size=4),
    heading=texts,
    crs=st.sampled_from([4326, 4490, 4548, None]),
)
def test_odd_places_and_names(suffix, xy, names, heading, crs):
    """NaN and infinite coordinates, exchanged axes, degrees for metres, names of any characters."""
    shapes = np.array([shapely.Point(*p) for p in xy], dtype=object)
    data = {"building_id": [str(i) for i in range(len(xy))], "name": names[: len(xy)], heading or "x": 1}
    table = gpd.GeoDataFrame(data, geometry=shapes, crs=crs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        try:
            write_table(table, path, **({"geometry": "wkt"} if suffix in ("csv", "xlsx") else {}))
        except GridmapError:
            assert list(Path(folder).iterdir()) == []
            return
        read = read_or_refuse(path)
        if read is not None:
            assert len(read) + sum(e["count"] for e in read.attrs["reading"]["left_out"]) == len(table)


cells = st.one_of(
    texts,
    st.sampled_from(["", "nan", "inf", "-1", "1e999", "１２３", "1,200", "x" * 5000, "\ufeff", "\0", "\x1a", "116.3°"]),
)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "latin-1", "mixed"])
@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=5), min_size=1, max_size=6), separator=st.sampled_from(",;\t")
)
def test_odd_sheets(encoding, rows, separator):
    """Rows of unequal length, cells of anything, encodings mixed."""
    lines = [separator.join(["id", "经度", "纬度", "户数", "名称"]), *(separator.join(row) for row in rows)]
    codes = ["utf-8", "gb18030"] * len(lines) if encoding == "mixed" else [encoding] * len(lines)
    joined = "\n".join(lines)
    data = (
        b"\n".join(line.encode(code) for line, code in zip(lines, codes, strict=False))
        if encoding == "mixed"
        else joined.encode(encoding, errors="replace")
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(data)
        read_or_refuse(path)
        read_or_refuse(path, read_facilities)
        with contextlib.suppress(GridmapError):
            read_plain_table("households", path)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(
    st.recursive(
        st.one_of(texts.map(escape), st.sampled_from(["1,2", "1,2 3,4 5,0 1,2", "nan,inf", "1,2,3 4"])),
        lambda inner: st.tuples(
            st.sampled_from(
                ["Folder", "Placemark", "name", "Point", "Polygon", "outerBoundaryIs", "LinearRing", "coordinates",
                 "MultiGeometry", "ExtendedData", "Data", "value", "description", "NetworkLink", "gx:Track"]
            ),
            st.lists(inner, max_size=4),
        ).map(lambda pair: f"<{pair[0]} name='a'>{''.join(pair[1])}</{pair[0]}>"),
        max_leaves=30,
    )
)  # fmt: skip
def test_kml_of_any_elements(body):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.kml"
        path.write_text(f"<kml xmlns:gx='x'><Document>{body}</Document></kml>", encoding="utf-8")
        read_or_refuse(path)


def test_names_as_long_as_files(tmp_path):
    """A name of a million characters comes back whole, or is refused."""
    table = houses(2).assign(name=["柳" * 10**6, "b"])
    for suffix in ("gpkg", "geojson", "fgb", "parquet", "kml", "csv"):
        options = {"geometry": "ewkt"} if suffix == "csv" else {}
        read = read_buildings(write_table(table, tmp_path / f"a.{suffix}", **options))
        assert read["name"].tolist() == ["柳" * 10**6, "b"]
    for suffix in ("shp", "xlsx"):
        with pytest.raises(GridmapError, match=r"254 bytes|32,767 characters"):
            write_table(table, tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("suffix", [*WRITTEN, *MADE])
def test_the_sound_files_are_sound(sound, suffix):
    table = read_or_refuse(sound[suffix])
    if suffix.startswith("osm"):
        assert table["building_id"].tolist() == ["way/9"]
    else:
        assert len(table) == 30
        assert pd.notna(table["building_id"]).all()
