"""Places: coordinates, shapes and reference systems that cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from gridmap.errors import OptionError, ReadError, TableError
from museum.exhibits import exhibit, geojson, houses, square, table_message, text

if TYPE_CHECKING:
    from pathlib import Path

_SHEET = "row of the sheet"
_BY_ID = "building_id"
_NO_CRS = "geometry: no CRS ({place}); expected a coordinate reference system. Pass crs= to the reader. "
_NO_ZONE = (
    "They look like metres; without a zone in them they cannot tell the central meridian: ask for it. Consistent are "
    "EPSG:4534 to EPSG:{gauss} (CGCS2000 3-degree, central meridian 75 to {meridian}) and EPSG:32643 to EPSG:326{utm} "
    "(WGS 84 UTM zone 43 to {utm}). gridmap.propose_crs(table, streets) tells them apart."
)
_BY_HAND = (
    "Exchange the axes of the table, table.geometry = table.geometry.transform(lambda xy: xy[:, ::-1]) (a file: read "
    "it with geopandas first), and read that."
)
_NO_PLACE = "geometry = missing; expected a geometry. Give each row a geometry, or leave the row out."
_LONGITUDE = "a longitude, such as 116.305 or 116°18′18″E. Correct the cell, or leave it empty."
_LATITUDE = "a latitude, such as 39.905 or 39°54′18″N. Correct the cell, or leave it empty."
_RING = "Draw the ring again, or mend the table: table.geometry = table.geometry.make_valid()."


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _SHEET,
        _NO_CRS.format(place="x from 39500100 to 39500100, y from 4429000 to 4429000")
        + "The coordinates look like CGCS2000 3-degree zone 39, with the zone in the easting: crs='EPSG:4527'.",
    ),
)
def metres_of_an_unnamed_zone(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,x,y,户数\n1,39500100,4429000,12\n")


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        "building_id",
        _NO_CRS.format(place="x from 442785.8864 to 444536.8855, y from 4429731.105 to 4429799.581")
        + _NO_ZONE.format(gauss=4554, meridian=135, utm=53),
    ),
)
def shapefile_without_its_prj(folder: Path) -> Path:
    path = folder / "buildings.shp"
    houses().rename(columns={"households": "hh"}).to_crs(4548).to_file(path)
    path.with_suffix(".prj").unlink()
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: coordinates from (40, 116.3) to (40, 116.3) are not degrees. Longitude and latitude look exchanged. "
    "Exchange them: columns={'x': '纬度', 'y': '经度'}.",
)
def longitude_and_latitude_exchanged(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,经度,纬度\n1,40.0,116.3\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: coordinates from (40, 116.33) to (40.0005, 116.35) are not degrees. Longitude and latitude look "
    "exchanged. " + _BY_HAND,
)
def drawing_with_latitude_first(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    drawn = houses()
    drawn.set_geometry(drawn.geometry.transform(lambda xy: xy[:, ::-1])).to_file(path)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: crs= says EPSG:4548, but the numbers, from (116.3, 40) to (116.3, 40), are degrees. They look like "
    "degrees: crs='EPSG:4326' or 'EPSG:4490', or 'GCJ-02' (Amap), 'BD-09' (Baidu).",
    crs=4548,
)
def degrees_stated_as_metres(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,x,y\n1,116.3,40\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: crs= says EPSG:4548, which is used from 115.5 to 118.5 degrees east and 22.6 to 49.88 north, but that is "
    "not where it puts coordinates from (4429000, 500100) to (4429000, 500100). The coordinates look like CGCS2000 / "
    "3-degree Gauss-Kruger CM 117E, as stated, with north and east exchanged: crs='EPSG:4548'. Exchange them: "
    "columns={'x': 'y', 'y': 'x'}.",
    crs="EPSG:4548",
)
def north_called_x(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,x,y\n1,4429000,500100\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: coordinates from (500100, 4.429e+06) to (500100, 4.429e+06) are not degrees. "
    + _NO_ZONE.format(gauss=4553, meridian=132, utm=52),
)
def metres_headed_as_degrees(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,lon,lat\n1,500100,4429000\n")


@exhibit(
    "buildings",
    OptionError,
    "crs='北京地方坐标系' is not a coordinate reference system; give for example 'EPSG:4490', 'EPSG:32650', "
    "'CGCS2000 3度带 117' or 'GCJ-02'.",
    crs="北京地方坐标系",
)
def reference_system_of_no_register(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,x,y\n1,500100,4429000\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: crs= says EPSG:4326, but the source says it is in EPSG:4548. crs= states what the coordinates are in; it "
    "does not convert them. Leave it out, and use .to_crs() on the result.",
    crs=4326,
)
def reference_system_against_the_files_own(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    houses().to_crs(4548).to_file(path)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: the source says it is in EPSG:4548, which is used from 115.5 to 118.5 degrees east and 22.6 to 49.88 "
    "north, but that is not where it puts coordinates from (39500100, 4429000) to (39500120, 4429010). The coordinates "
    "look like CGCS2000 3-degree zone 39, with the zone in the easting: crs='EPSG:4527'.",
)
def zone_in_the_easting_that_the_prj_does_not_have(folder: Path) -> Path:
    path = folder / "buildings.shp"
    shape = shapely.box(39_500_100, 4_429_000, 39_500_120, 4_429_010)
    gpd.GeoDataFrame({"id": ["001"]}, geometry=[shape], crs=4548).to_file(path)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: the source says it is in EPSG:4548, but the numbers, from (116.33, 40) to (116.3505, 40.0005), are "
    "degrees. They look like degrees: crs='EPSG:4326' or 'EPSG:4490', or 'GCJ-02' (Amap), 'BD-09' (Baidu).",
)
def degrees_that_the_file_calls_metres(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    houses().set_crs(4548, allow_override=True).to_file(path)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: crs='GCJ-02' is in degrees, but the source says it is in EPSG:4548. Leave crs= out.",
    crs="GCJ-02",
)
def shifted_degrees_in_a_file_of_metres(folder: Path) -> Path:
    path = folder / "buildings.gpkg"
    houses().to_crs(4548).to_file(path)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: row 2, 'wkt': 'POINT 116.3 40' is not well-known text (WKT), nor WKB in hexadecimal digits (<why>). "
    "It must read like 'POINT (116.3 40.0)'.",
)
def well_known_text_that_is_none(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,wkt\n1,POINT 116.3 40\n")


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", _SHEET, f"row 3: {_NO_PLACE}"),
)
def building_without_a_place(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,lon,lat\n1,116.3,40\n2,,\n")


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", _SHEET, f"row 3: lon = '东经'; expected {_LONGITUDE}"),
)
def longitude_in_words(folder: Path) -> Path:
    return text(folder / "buildings.csv", "编号,lon,lat\n1,116.3,40\n2,东经,40\n")


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _SHEET,
        f"row 3: 经度 = '116°75′00″'; expected {_LONGITUDE}",
        f"row 4: 经度 = 'N39°54′18″'; expected {_LONGITUDE}",
        f"row 4: 纬度 = 'E116°18′18″'; expected {_LATITUDE}",
    ),
)
def minutes_above_sixty_and_a_latitude_for_a_longitude(folder: Path) -> Path:
    rows = "1,116°18′18″,39°54′18″\n2,116°75′00″,39°54′18″\n3,N39°54′18″,E116°18′18″\n"
    return text(folder / "buildings.csv", f"编号,经度,纬度\n{rows}")


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _SHEET,
        "row 2: x = '500,123'; expected a number, east. Correct the cell, or leave it empty.",
    ),
    crs=4548,
)
def comma_that_may_be_a_point_or_part_thousands(folder: Path) -> Path:
    return text(folder / "buildings.csv", '编号,x,y\n1,"500,123",4429000\n2,500100,4429000\n')


@exhibit(
    "entrances",
    TableError,
    table_message(
        "entrances", _SHEET,
        "row 2: open = '看情况'; expected yes or no (是, 否). Write one of them, or leave the cell empty.",
    ),
)  # fmt: skip
def gate_of_which_nobody_knows(folder: Path) -> Path:
    return text(folder / "entrances.csv", "lon,lat,of,of_id,open\n116.3,40,compound,c,看情况\n116.3,40,compound,c,关\n")


@exhibit(
    "communities",
    TableError,
    table_message(
        "communities", "community_id",
        "row 002: geometry = Point; expected Polygon or MultiPolygon. Convert it, or leave the row out.",
    ),
)  # fmt: skip
def community_that_is_a_point(folder: Path) -> Path:
    return geojson(folder / "communities.geojson", square(), {"type": "Point", "coordinates": [116.3, 40.0]})


@exhibit(
    "communities",
    TableError,
    table_message(
        "communities", "community_id",
        "row 1: geometry = LineString; expected Polygon or MultiPolygon. Close the line in the drawing, or draw it as "
        "an area there; or leave the row out.",
    ),
)  # fmt: skip
def community_whose_outline_was_never_closed(folder: Path) -> Path:
    line = "<LineString><coordinates>116,40 116.01,40 116.01,40.01 116,40.01</coordinates></LineString>"
    mark = f"<Placemark><name>柳岸社区</name>{line}</Placemark>"
    return text(folder / "communities.kml", f'<kml xmlns="http://www.opengis.net/kml/2.2">{mark}</kml>')


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _BY_ID,
        f"row 002: geometry = Self-intersection[116.345 40.005]; expected a valid geometry. {_RING}",
    ),
)
def ring_that_crosses_itself(folder: Path) -> Path:
    bow = [[116.34, 40.0], [116.35, 40.01], [116.35, 40.0], [116.34, 40.01], [116.34, 40.0]]
    return geojson(folder / "buildings.geojson", square(), {"type": "Polygon", "coordinates": [bow]})


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _BY_ID,
        f"row 001: geometry = Hole lies outside shell[116.401 40]; expected a valid geometry. {_RING}",
    ),
)
def hole_outside_its_polygon(folder: Path) -> Path:
    rings = [square()["coordinates"][0], square(lon=116.4)["coordinates"][0]]
    return geojson(folder / "buildings.geojson", {"type": "Polygon", "coordinates": rings})


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", _BY_ID, f"row 002: {_NO_PLACE}"),
)
def building_of_no_shape(folder: Path) -> Path:
    return geojson(folder / "buildings.geojson", square(), None)


@exhibit(
    "buildings",
    TableError,
    table_message("buildings", _BY_ID, f"row 002: {_NO_PLACE}"),
)
def building_of_an_empty_shape(folder: Path) -> Path:
    return geojson(folder / "buildings.geojson", square(), {"type": "Polygon", "coordinates": []})


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings", _BY_ID,
        "row 001: geometry = infinite or NaN coordinates; expected finite coordinates. Correct the coordinates.",
    ),
)  # fmt: skip
def building_at_infinity(folder: Path) -> Path:
    path = folder / "buildings.parquet"
    shape = shapely.points([[float("inf"), 40.0], [116.3, 40.0]])
    gpd.GeoDataFrame({"id": ["001", "002"]}, geometry=shape, crs=4326).to_parquet(path)
    return path


@exhibit(
    "streets",
    TableError,
    table_message(
        "streets", "position in the file, from 1",
        "row 1: geometry = Polygon; expected LineString or MultiLineString. Convert it, or leave the row out.",
    ),
)  # fmt: skip
def street_that_is_an_area(folder: Path) -> Path:
    return geojson(folder / "streets.geojson", square())


@exhibit(
    "buildings",
    TableError,
    table_message(
        "buildings",
        _BY_ID,
        _NO_CRS.format(place="x from 116.33 to 116.3505, y from 40 to 40.0005")
        + "They look like degrees: crs='EPSG:4326' or 'EPSG:4490', or 'GCJ-02' (Amap), 'BD-09' (Baidu).",
    ),
)
def parquet_without_a_crs(folder: Path) -> Path:
    path = folder / "buildings.parquet"
    houses().set_crs(None, allow_override=True).to_parquet(path)
    return path
