"""KML and KMZ: one placemark a row, its columns as extended data; in longitude and latitude to 0.1 mm."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pandas as pd
import shapely

from gridmap.errors import WriteError
from gridmap.io.write.tables import flat_shapes, refuse_infinite

if TYPE_CHECKING:
    from pathlib import Path

    from shapely import Geometry

__all__ = ["write_kml"]

# What XML 1.0 cannot hold, escaped or not.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
_END = "</Document>\n</kml>\n"
# The earliest date a zip can bear: the same table gives the same bytes.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def write_kml(frame: pd.DataFrame, path: Path, *, title: str) -> None:
    """Write a table to `path` as KML, or as KMZ where the suffix is that. Cells that are missing are left out.

    Raises
    ------
    WriteError
        When the table has no geometry or no CRS, a row no shape, or a text a character that XML cannot hold.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        raise WriteError(f"{path}: a table without geometry cannot be KML. Write it as .csv, .xlsx or .gpkg.")
    if frame.crs is None:
        raise WriteError(f"{path}: KML is in longitude and latitude, and the table has no CRS. Use .set_crs() first.")
    table = flat_shapes(frame).to_crs(4326)
    absent = (shapely.is_missing(table.geometry.array) | shapely.is_empty(table.geometry.array)).nonzero()[0]
    if len(absent):
        raise WriteError(
            f"{path}: row {table.index[absent[0]]} has no shape ({len(absent)} rows): KML would lose it. "
            "Leave such rows out, or write .gpkg."
        )
    refuse_infinite(table, path, "KML")
    text = f"{_HEAD}<name>{_escaped(title, path)}</name>\n{''.join(_placemarks(table, path))}{_END}"
    if path.suffix.lower() != ".kmz":
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml", _NO_DATE), text, compress_type=zipfile.ZIP_DEFLATED)


def _placemarks(table: gpd.GeoDataFrame, path: Path) -> list[str]:
    columns = [c for c in table.columns if c not in ("geometry", "name")]
    keys = [quoteattr(_checked(str(c), path)) for c in columns]
    cells = [table[c].tolist() for c in columns]
    names = table["name"].tolist() if "name" in table.columns else [None] * len(table)
    out = []
    for name, shape, *row in zip(names, table.geometry, *cells, strict=True):
        label = "" if pd.isna(name) else f"<name>{_escaped(name, path)}</name>"
        data = "".join(
            f"<Data name={key}><value>{_escaped(value, path)}</value></Data>"
            for key, value in zip(keys, row, strict=True)
            if not pd.isna(value)
        )
        extended = f"<ExtendedData>{data}</ExtendedData>" if data else ""
        out.append(f"<Placemark>{label}{extended}{_shape(shape)}</Placemark>\n")
    return out


def _escaped(value: Any, path: Path) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # a carriage return would come back as a line feed
    return escape(_checked(str(value), path), {"\r": "&#13;"})


def _checked(text: str, path: Path) -> str:
    if _UNWRITABLE.search(text):
        raise WriteError(f"{path}: {text[:40]!r} holds a control character, which KML cannot. Take it out.")
    return text


def _shape(shape: Geometry) -> str:
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(map(_shape, shape.geoms))}</MultiGeometry>"
    if shape.geom_type == "Polygon":
        inner = "".join(f"<innerBoundaryIs>{_ring(r)}</innerBoundaryIs>" for r in shape.interiors)
        return f"<Polygon><outerBoundaryIs>{_ring(shape.exterior)}</outerBoundaryIs>{inner}</Polygon>"
    kind = "Point" if shape.geom_type == "Point" else "LineString"
    return f"<{kind}>{_coordinates(shape)}</{kind}>"


def _ring(ring: Geometry) -> str:
    return f"<LinearRing>{_coordinates(ring)}</LinearRing>"


def _coordinates(shape: Geometry) -> str:
    places = " ".join(f"{x:.9f},{y:.9f}" for x, y in shapely.get_coordinates(shape).tolist())
    return f"<coordinates>{places}</coordinates>"
