"""Which vector files are read, and whether a file is what its name says.

GDAL goes by the content of a file: a text called town.geojson that holds a virtual layer, or a GDAL pipeline, would
have it open any other file or address. So the first bytes are looked at before GDAL sees the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ARCHIVE_SUFFIXES", "FORMATS", "GEOJSON_SUFFIXES", "PARQUET_SUFFIXES", "VECTOR_SUFFIXES", "refuse_disguise"]

PARQUET_SUFFIXES = (".parquet", ".geoparquet", ".pq")
GEOJSON_SUFFIXES = (".geojson", ".json", ".geojsonl", ".geojsons")
ARCHIVE_SUFFIXES = (".zip", ".kmz")
#: What is read once it is unpacked.
VECTOR_SUFFIXES = (".gpkg", *GEOJSON_SUFFIXES, ".fgb", ".shp", ".kml", ".gdb", ".dxf", *PARQUET_SUFFIXES)
#: As messages name them.
FORMATS = (
    "GeoPackage (.gpkg), GeoJSON, Shapefile, FlatGeobuf (.fgb), GeoParquet, KML, File Geodatabase (.gdb) or DXF; "
    "Shapefiles and geodatabases zipped, too"
)
# How files begin (each format's specification).
_HEADS = {".gpkg": b"SQLite format 3\0", ".fgb": b"fgb", ".shp": b"\0\0\x27\x0a"}
_LOOKED_AT = 65536


def refuse_disguise(path: Path) -> None:
    """Refuse a file whose content is not what its suffix says, and suffixes that are not known.

    Raises
    ------
    ReadError
        With what it should be.
    """
    suffix = path.suffix.lower()
    if path.is_dir() and not suffix and not _is_folder_of_shapefiles(path):
        raise ReadError(f"{path}: a folder, in which no vector file is named. Name the file in it.")
    if suffix not in VECTOR_SUFFIXES and not _is_folder_of_shapefiles(path):
        raise ReadError(f"{path}: files ending in {suffix or 'nothing'!r} are not read. Export it as {FORMATS}.")
    if path.is_dir():
        if suffix == ".gdb" and not any(path.glob("*.gdbtable")):
            raise ReadError(f"{path}: a folder without any table of a File Geodatabase. Copy the whole .gdb folder.")
        return
    if suffix == ".gdb":
        raise ReadError(f"{path}: a File Geodatabase is a folder, this is a file. Copy the folder, or zip it.")
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    begins = _HEADS.get(suffix, b"")
    if not head.startswith(begins) or (suffix in GEOJSON_SUFFIXES and not _is_json_data(head)):
        raise ReadError(
            f"{path}: not a vector file that can be read (what is in it is not what {suffix} says). Export it "
            f"again, as {FORMATS}."
        )


def _is_json_data(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")
    # a GDAL pipeline is JSON as well
    return text.startswith((b"{", b"[")) and b"gdal_streamed_alg" not in head and b"command_line" not in head


def _is_folder_of_shapefiles(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.[sS][hH][pP]"))
