"""Rasters of population: cells with and without data, other systems of coordinates, and what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from pyproj import CRS
from rasterio import open as open_raster
from rasterio.transform import Affine
from shapely import box

from gridmap.errors import OptionError, ReadError
from gridmap.io.read.rasters import read_raster
from gridmap.tables.households.estimate import estimate_households

X, Y = 500_000.0, 4_400_000.0
# WorldPop's mark of no data
NO_DATA = -99999.0


def from_origin(west, north, width, height):
    return Affine(width, 0, west, 0, -height, north)


def raster(path, values, *, crs=32650, transform=None, nodata=NO_DATA):
    values = np.atleast_3d(np.array(values, dtype="float32")).transpose(2, 0, 1)
    bands, height, width = values.shape
    transform = transform or from_origin(X, Y + 100 * height, 100, 100)
    profile = {"driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": "float32"}
    with open_raster(path, "w", crs=crs, transform=transform, nodata=nodata, **profile) as out:
        out.write(values)
    return path


def test_cells_are_squares_with_counts(tmp_path):
    cells = read_raster(raster(tmp_path / "p.tif", [[1.5, 2], [0, 4]]))
    assert cells["zone_id"].tolist() == ["r0c0", "r0c1", "r1c0", "r1c1"]
    assert cells["residents"].tolist() == [1.5, 2, 0, 4]
    assert cells.crs == 32650
    assert cells.geometry.iloc[1].equals(box(X + 100, Y + 100, X + 200, Y + 200))
    assert cells.geometry.iloc[2].equals(box(X, Y, X + 100, Y + 100))
    assert cells.is_valid.all()
    assert read_raster(tmp_path / "p.tif", count="households")["households"].sum() == 7.5


def test_cells_without_data_and_below_zero_are_counted(tmp_path):
    cells = read_raster(raster(tmp_path / "p.tif", [[NO_DATA, np.nan, 3], [-2, np.inf, 0]]))
    assert cells["residents"].tolist() == [3, 0]
    reading = cells.attrs["reading"]
    assert (reading["rows_read"], reading["rows_kept"]) == (6, 2)
    assert [(e["reason"], e["count"], e["ids"]) for e in reading["left_out"]] == [
        ("cell without data", 3, ["r0c0", "r0c1", "r1c1"]),
        ("negative count", 1, ["r1c0"]),
    ]
    # without a mark of no data, it is a negative number like others
    bare = read_raster(raster(tmp_path / "q.tif", [[NO_DATA, 3]], nodata=None))
    assert [e["reason"] for e in bare.attrs["reading"]["left_out"]] == ["negative count"]


def test_only_what_is_asked_for_is_read(tmp_path):
    path = raster(tmp_path / "p.tif", np.arange(10_000).reshape(100, 100))
    place = gpd.GeoDataFrame(geometry=[box(X + 5010, Y + 5010, X + 5090, Y + 5090)], crs=32650).to_crs(4326)
    cells = read_raster(path, within=place)
    # the cell, one more all round, and one more where the edge in degrees leans over
    assert 9 <= len(cells) <= 25
    assert "r49c50" in set(cells["zone_id"])
    assert cells.set_index("zone_id").loc["r49c50", "residents"] == 4950
    whole = read_raster(path).set_index("zone_id")
    assert cells.set_index("zone_id").geometry.equals(whole.geometry.loc[cells["zone_id"]])
    with pytest.raises(ReadError, match="lies elsewhere than within="):
        read_raster(path, within=place.set_geometry([box(2, 48, 2.1, 48.1)], crs=4326))
    with pytest.raises(OptionError, match="no CRS"):
        read_raster(path, within=place.set_crs(None, allow_override=True))


def test_a_raster_of_a_country_is_not_read_whole(tmp_path):
    path = tmp_path / "china.tif"
    profile = {"driver": "GTiff", "height": 4000, "width": 4000, "count": 1, "dtype": "uint8", "compress": "deflate"}
    with open_raster(path, "w", crs=4326, transform=from_origin(73, 54, 1 / 1200, 1 / 1200), sparse_ok=True, **profile):
        pass
    with pytest.raises(ReadError, match=r"16,000,000 cells are too many.*within="):
        read_raster(path)


def test_cells_in_degrees_and_turned_cells(tmp_path):
    house = gpd.GeoDataFrame({"building_id": ["a"]}, geometry=[box(X + 10, Y + 10, X + 30, Y + 30)], crs=32650)
    lon, lat = house.to_crs(4326).geometry[0].centroid.coords[0]
    degrees = raster(
        tmp_path / "d.tif", [[30]], crs=4326, transform=from_origin(lon - 0.001, lat + 0.001, 0.002, 0.002)
    )
    # cells of 200 m, turned by 45 degrees about the point south of the house
    side = 200 * 0.5**0.5
    turn = Affine(side, -side, X + 20, side, side, Y - 100)
    turned = raster(tmp_path / "t.tif", [[30]], transform=turn)
    for path in (degrees, turned):
        cells = read_raster(path)
        done = estimate_households(house, cells=cells, persons_per_household=3)
        assert done["households"].tolist() == [10]
        assert done.attrs["assumptions"]["zones"]["buildings_in_no_zone"]["count"] == 0


def test_households_of_a_raster_are_conserved(tmp_path):
    rng = np.random.default_rng(1)
    values = np.where(rng.random((12, 12)) < 0.2, NO_DATA, rng.uniform(0, 90, (12, 12)))
    cells = read_raster(raster(tmp_path / "p.tif", values))
    xy = rng.uniform(0, 1150, (150, 2))
    shapes = [box(X + x, Y + y, X + x + 30, Y + y + 12) for x, y in xy]
    table = gpd.GeoDataFrame({"building_id": [f"b{i:03}" for i in range(150)]}, geometry=shapes, crs=32650)
    done = estimate_households(table, cells=cells, persons_per_household=2.6)
    told = done.attrs["assumptions"]["zones"]
    assert told["total"] == pytest.approx(cells["residents"].sum() / 2.6)
    assert told["spread"] + told["without_floor_area"]["households"] == pytest.approx(told["total"], abs=0.51)
    outside = told["buildings_in_no_zone"]["count"]
    assert 0 < outside < 40
    union = cells.union_all()
    inside = done.geometry.intersection(union).area > 0
    assert int((~inside).sum()) == outside
    assert done["households"][inside].sum() == told["spread"]


def test_what_is_no_raster_is_refused(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read_raster(tmp_path / "p.tif")
    (tmp_path / "p.tif").write_bytes(b"II*\0 cut short")
    with pytest.raises(ReadError, match=r"p\.tif: not a raster that can be read"):
        read_raster(tmp_path / "p.tif")
    path = raster(tmp_path / "q.tif", [[1, 2]])
    with pytest.raises(ReadError, match="no band 2; the raster has 1"):
        read_raster(path, band=2)
    with pytest.raises(OptionError, match="'residents' or 'households'"):
        read_raster(path, count="density")
    nowhere = raster(tmp_path / "n.tif", [[1, 2]], crs=None)
    with pytest.raises(ReadError, match="does not say where it lies"):
        read_raster(nowhere)
    whole = raster(tmp_path / "w.tif", np.ones((300, 300)))
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    with pytest.raises(ReadError, match="not a raster that can be read"):
        read_raster(whole)


def test_the_crs_is_known_by_its_code(tmp_path):
    assert CRS(read_raster(raster(tmp_path / "p.tif", [[1]])).crs).to_epsg() == 32650
