"""KML: placemarks as rows, with the folders they lie in and the columns of their data and description tables.

GDAL's readers of KML rename columns that are not ASCII and split a file by folder; one of them is not in every wheel.
So the few elements that make a table are read here, in one pass, with document types refused (`xml_safety`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import ReadError
from gridmap.io.read.drawn_kinds import shapes_of_table
from gridmap.io.read.text_encoding import decoded
from gridmap.io.read.xml_safety import safe_parser

if TYPE_CHECKING:
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["read_kml"]

_DEEPEST = 200
_FOLDERS = ("Folder", "Document")
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry")
# What a placemark is drawn as but no table can hold.
_OTHER_SHAPES = ("Track", "MultiTrack", "Model")
_TEXTS = ("name", "address", "phoneNumber")


@dataclass
class _Node:
    """An element below a placemark."""

    tag: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    children: list[_Node] = field(default_factory=list)

    def content(self) -> str:
        return "".join(self.text).strip()


@dataclass
class _Found:
    """What one pass over a file collects."""

    path: Path
    placemarks: list[tuple[tuple[str, ...], _Node]] = field(default_factory=list)
    links: int = 0
    tags: list[str] = field(default_factory=list)
    folders: list[list[str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    open: list[_Node] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self.tags.append(tag)
        if len(self.tags) > _DEEPEST:
            raise ReadError(f"{self.path}: elements lie more than {_DEEPEST} deep in each other. Export it again.")
        if self.open or tag == "Placemark":
            node = _Node(tag, attributes)
            if self.open:
                self.open[-1].children.append(node)
            self.open.append(node)
        elif tag in _FOLDERS:
            self.folders.append([])
        elif tag == "NetworkLink":
            self.links += 1

    def end(self, _: str) -> None:
        tag = self.tags.pop()
        if self.open:
            node = self.open.pop()
            if not self.open:
                self.placemarks.append((self.folder(), node))
        elif tag in _FOLDERS:
            self.names.update(self.folder()[-1:])
            self.folders.pop()

    def text(self, text: str) -> None:
        if self.open:
            self.open[-1].text.append(text)
        elif self.tags[-2:] == ["Folder", "name"]:
            self.folders[-1].append(text)

    def folder(self) -> tuple[str, ...]:
        return tuple("".join(parts).strip() for parts in self.folders if parts)


def read_kml(path: Path, layer: str | None, table: str, reading: Reading) -> gpd.GeoDataFrame:
    """The placemarks of a KML file, in EPSG:4326; heights are dropped.

    Columns are ``name``, ``folder``, those of ``ExtendedData``, and those of a table with two columns in the
    description (as ArcGIS and others write it); any other description is kept as text. A `layer` is a folder; without
    one all folders are taken, or the one that is called as the table.

    Raises
    ------
    ReadError
        When the file is no whole KML, holds no placemark or no such folder, or coordinates are not numbers.
    """
    found = _parsed(path, reading)
    chosen = layer or (table if table in found.names else None)
    marks = [(f, n) for f, n in found.placemarks if chosen is None or chosen in f or chosen == "/".join(f)]
    if not marks:
        folders = ", ".join(sorted(found.names)) or "none"
        what = "placemark" if chosen is None else f"placemark in a folder {chosen!r}"
        raise ReadError(f"{path}: there is no {what}; the folders are: {folders}. Check the layer, or export it again.")
    frame = pd.DataFrame([_row(folder, node) for folder, node in marks])
    shapes = np.full(len(marks), None, dtype=object)
    shapes[:] = [_placed(path, number, node) for number, (_, node) in enumerate(marks, start=1)]
    reading.note(format="kml", layer=chosen)
    reading.text_cells = True
    if found.links:
        reading.note(remarks=[f"{found.links} links to other files (NetworkLink) were not followed"])
    out = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=4326))
    out.index = pd.RangeIndex(1, len(out) + 1)
    return shapes_of_table(out, table, reading)


def _parsed(path: Path, reading: Reading) -> _Found:
    text = decoded(path.read_bytes())
    if text is None:
        raise ReadError(f"{path}: neither UTF-8 nor GB 18030 text. Export it again as KML.")
    found = _Found(path)
    parser = safe_parser(path)
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.text
    try:
        # as str: what the first line says of the encoding no longer matters, and expat does not know GBK
        parser.Parse(text[0], True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise ReadError(f"{path}: not a whole KML file ({error}). Export or copy it again.") from error
    reading.note(encoding=text[1])
    return found


def _row(folder: tuple[str, ...], mark: _Node) -> dict[str, str | None]:
    row: dict[str, str | None] = {"name": None}
    for node in mark.children:
        if node.tag in _TEXTS:
            row[node.tag] = node.content() or None
    if folder:
        row["folder"] = "/".join(folder)
    for node in mark.children:
        if node.tag == "ExtendedData":
            for key, value in _data(node):
                row.setdefault(key, value)
        elif node.tag == "description":
            described = _described(node.content())
            for key, value in described:
                row.setdefault(key, value)
            if not described and node.content():
                row.setdefault("description", node.content())
    return row


def _data(extended: _Node) -> list[tuple[str, str | None]]:
    """The values of <Data> and of <SimpleData>, by name."""
    nodes = [n for n in extended.children if n.tag == "Data"]
    found = [(n.attributes, next((c.content() for c in n.children if c.tag == "value"), "")) for n in nodes]
    for schema in extended.children:
        if schema.tag == "SchemaData":
            found += [(n.attributes, n.content()) for n in schema.children if n.tag == "SimpleData"]
    return [(a["name"], value or None) for a, value in found if a.get("name")]


class _Rows(HTMLParser):
    """The rows of two cells of an HTML table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str | None]] = []
        self.cells: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "tr":
            self.flush()
        elif tag in ("td", "th"):
            self.cells.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("tr", "table"):
            self.flush()

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1].append(data)

    def flush(self) -> None:
        texts = ["".join(c).strip() for c in self.cells]
        self.cells = []
        if len(texts) == 2 and texts[0]:
            self.rows.append((texts[0].rstrip(":："), texts[1] or None))


def _described(html: str) -> list[tuple[str, str | None]]:
    if "<t" not in html.lower():
        return []
    rows = _Rows()
    rows.feed(html)
    rows.close()
    rows.flush()
    return rows.rows


def _placed(path: Path, number: int, mark: _Node) -> Any:
    name = next((n.content() for n in mark.children if n.tag == "name"), "")
    try:
        shapes = [_shape(n) for n in mark.children if n.tag in _SHAPES]
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise ReadError(
            f"{path}: the coordinates of placemark {number} ({name[:40]!r}) cannot be read ({str(error)[:80]}). They "
            "must be longitude,latitude in degrees, apart by blanks; draw or export it again."
        ) from error
    return shapes[0] if shapes else None


def _shape(node: _Node) -> Any:
    if node.tag == "MultiGeometry":
        return _together([_shape(n) for n in node.children if n.tag in _SHAPES])
    if node.tag == "Polygon":
        outer = [_ring(n) for n in node.children if n.tag == "outerBoundaryIs"]
        inner = [_ring(n) for n in node.children if n.tag == "innerBoundaryIs"]
        if len(outer) != 1:
            raise ValueError("a polygon has one outer ring")
        return shapely.Polygon(outer[0], inner)
    xy = _coordinates(node)
    return shapely.Point(xy[0]) if node.tag == "Point" else shapely.LineString(xy)


def _together(parts: list[Any]) -> Any:
    """One shape of several: multipart where all are of a kind, else a collection."""
    parts = [p for part in parts for p in (part.geoms if hasattr(part, "geoms") else [part])]
    if len(parts) == 1:
        return parts[0]
    makers = {"Point": shapely.MultiPoint, "LineString": shapely.MultiLineString, "Polygon": shapely.MultiPolygon}
    kinds = {p.geom_type for p in parts}
    return (makers[kinds.pop()] if len(kinds) == 1 else shapely.GeometryCollection)(parts)


def _ring(boundary: _Node) -> Any:
    rings = [n for n in boundary.children if n.tag == "LinearRing"]
    if len(rings) != 1:
        raise ValueError("a boundary is one ring")
    return _coordinates(rings[0])


def _coordinates(node: _Node) -> Any:
    text = next((n.content() for n in node.children if n.tag == "coordinates"), "")
    # blanks after the commas are a common fault; they would make two places of one
    places = re.sub(r"\s*,\s*", ",", text).split()
    if not places:
        raise ValueError("no coordinates")
    pairs = [p.split(",")[:2] for p in places]
    if any(len(p) < 2 for p in pairs):
        raise ValueError("a place without latitude")
    return np.array(pairs, dtype=np.float64)
