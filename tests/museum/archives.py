"""Archives, drawings and marks: zips made to harm or not whole, KML and DXF that hold nothing of use."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from gridmap.errors import ReadError
from museum.exhibits import exhibit, houses, text

if TYPE_CHECKING:
    from pathlib import Path

_KML = '<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'


def _zip(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: '../../buildings.geojson' would be unpacked outside its folder. Do not trust this file.",
)
def zip_that_reaches_out_of_its_folder(folder: Path) -> Path:
    return _zip(folder / "town.zip", **{"../../buildings.geojson": "{}"})


@exhibit(
    "buildings",
    ReadError,
    "<path>: unpacks to more than 0.0625 GiB. If the file is to be trusted, unpack it by hand, or set "
    "GRIDMAP_MAX_UNPACKED to the GiB that may come out.",
)
def zip_that_would_fill_the_disk(folder: Path) -> Path:
    return _zip(folder / "town.zip", **{"buildings.csv": bytes(100_000_000)})


@exhibit(
    "buildings",
    ReadError,
    "<path>: not a whole zip file (<why>). Zip or download it again.",
)
def zip_cut_short(folder: Path) -> Path:
    path = _zip(folder / "town.zip", **{"buildings.csv": "id,lon,lat\n" * 1000})
    path.write_bytes(path.read_bytes()[:60])
    return path


@exhibit(
    "buildings",
    ReadError,
    "<path>: there is no vector file in it. Zip a GeoPackage (.gpkg), GeoJSON, Shapefile, FlatGeobuf "
    "(.fgb), GeoParquet, KML, File Geodatabase (.gdb) or DXF.",
)
def zip_of_pictures(folder: Path) -> Path:
    return _zip(folder / "town.zip", **{"a.jpg": b"\xff\xd8", "b.jpg": b"\xff\xd8"})


@exhibit(
    "buildings",
    ReadError,
    "<path>: holds 2 vector files (east.shp, west.shp), none of them called 'buildings'. Say which one: "
    "'town.zip|layer=east'.",
)
def zip_of_two_shapefiles(folder: Path) -> Path:
    for name in ("east", "west"):
        houses().rename(columns={"households": "hh"}).to_file(folder / f"{name}.shp")
    parts = {p.name: p.read_bytes() for p in folder.iterdir()}
    return _zip(folder / "town.zip", **parts)


@exhibit(
    "buildings",
    ReadError,
    "<path>: there is no vector file in it. Zip a GeoPackage (.gpkg), GeoJSON, Shapefile, FlatGeobuf "
    "(.fgb), GeoParquet, KML, File Geodatabase (.gdb) or DXF.",
)
def kmz_without_marks(folder: Path) -> Path:
    return _zip(folder / "town.kmz", **{"files/icon.png": b"png"})


@exhibit(
    "buildings",
    ReadError,
    "<path>: the coordinates of placemark 1 ('三号楼') cannot be read (<why>). They must be "
    "longitude,latitude in degrees, apart by blanks; draw or export it again.",
)
def marks_with_words_for_coordinates(folder: Path) -> Path:
    mark = "<Placemark><name>三号楼</name><Point><coordinates>东经,北纬</coordinates></Point></Placemark>"
    return text(folder / "town.kml", _KML.format(head="", body=mark))


@exhibit(
    "buildings",
    ReadError,
    "<path>: the XML declares a document type ('k'), which may hold entities that swell or fetch other "
    "files, so it is not read. Export the file again; no program writes one into such files.",
)
def marks_with_a_laughing_entity(folder: Path) -> Path:
    head = '<!DOCTYPE k [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    return text(folder / "town.kml", _KML.format(head=head, body="<name>&c;</name>"))


@exhibit(
    "streets",
    ReadError,
    "<path>: not a whole OpenStreetMap file (<why>). Download or export it again, as .osm.pbf or .osm.",
)
def extract_that_asks_for_another_file(folder: Path) -> Path:
    head = '<?xml version="1.0"?><!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    return text(folder / "town.osm", head + '<osm version="0.6"><node id="1" lat="40" lon="116" user="&x;"/></osm>')


@exhibit(
    "communities",
    ReadError,
    "<path>: nothing is drawn on layer '社区界'; the layers are: 道路.",
    layer="社区界",
)
def drawing_without_the_layer_named(folder: Path) -> Path:
    line = "0\nLINE\n8\n道路\n10\n0.0\n20\n0.0\n11\n9.0\n21\n9.0\n"
    return text(folder / "town.dxf", f"0\nSECTION\n2\nENTITIES\n{line}0\nENDSEC\n0\nEOF\n")


@exhibit(
    "buildings",
    ReadError,
    "<path>: not a whole .gz file (<why>). Download it again.",
)
def compressed_extract_cut_short(folder: Path) -> Path:
    path = folder / "town.osm.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab")
    return path
