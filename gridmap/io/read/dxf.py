"""DXF drawings: closed polylines as areas, with the labels inside them as columns.

A drawing has no columns and no CRS. What it has are layers, outlines and texts: a text that lies in one outline only
says something of it, and the layer the text is on says what. So the texts of a layer ``grid_id`` become a column
``grid_id``, those of 户数 a column 户数; and where an outline holds one text in all, that is its ``name``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import ReadError
from gridmap.io.read.drawn_kinds import shapes_of_table
from gridmap.io.read.text_encoding import guessed_encoding
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gridmap.io.read.record import Reading

__all__ = ["drawing_encoding", "read_outlines"]

# From AutoCAD 2007 on (AC1021) drawings are UTF-8, whatever code page they name (DXF reference, HEADER, $DWGCODEPAGE).
_UTF8_FROM = 1021
_HEADER = 65536


def drawing_encoding(path: Path) -> dict[str, str]:
    """The option by which GDAL reads the texts of a drawing aright; empty where the drawing says it itself."""
    version = re.search(rb"\$ACADVER\s+1\s+AC(\d{4})", _header(path))
    if version is not None and int(version[1]) >= _UTF8_FROM:
        return {"ENCODING": "UTF-8"}
    page = re.search(rb"\$DWGCODEPAGE\s+3\s+(\w+)", _header(path))
    data = path.read_bytes()
    stated = page is not None and page[1].upper() not in (b"ANSI_1252", b"ASCII")
    guess = None if stated or data.isascii() else guessed_encoding(data)
    return {} if guess is None else {"ENCODING": guess.upper()}


def read_outlines(
    entities: gpd.GeoDataFrame, path: Path, layer: str | None, table: str, reading: Reading
) -> gpd.GeoDataFrame:
    """The entities of a drawing, as GDAL gives them, as the rows of a table.

    Parameters
    ----------
    entities
        With columns ``Layer``, ``Text`` and ``SubClasses``.
    path
        Named in messages.
    layer
        The layer of the drawing that holds the outlines; texts may be on any.
    table
        Name of the table: says whether closed lines are areas.
    reading
        Where is noted what was left out, and which labels were used.

    Raises
    ------
    ReadError
        When there is no such layer.
    """
    entities = _with_texts(entities, path).assign(geometry=shapely.force_2d(entities.geometry.array))
    entities.index = pd.RangeIndex(1, len(entities) + 1)
    paper = entities["PaperSpace"].eq(1) if "PaperSpace" in entities.columns else pd.Series(0, entities.index).eq(1)
    reading.leave_out("entity of the sheet (paper space), not of the drawing", entities.index[paper])
    entities = entities[~paper]
    is_text = entities["Text"].notna() & (entities.geom_type == "Point")
    texts, shapes = entities[is_text], entities[~is_text]
    layers = sorted(set(entities["Layer"].dropna().astype(str)))
    reading.note(format="dxf", layer=layer, drawing_layers=layers)
    if layer is not None:
        shapes = shapes[shapes["Layer"] == layer]
    if shapes.empty:
        where = f"on layer {layer!r}" if layer is not None else "in it"
        raise ReadError(f"{path}: nothing is drawn {where}; the layers are: {', '.join(layers) or 'none'}.")
    out = gpd.GeoDataFrame({"drawing_layer": shapes["Layer"]}, geometry=_areas(shapes, table), index=shapes.index)
    noted = re.search(rb"\$CUSTOMPROPERTYTAG\s+1\s+CRS\s+9\s+\$CUSTOMPROPERTY\s+1\s+(EPSG:\d{4,6})", _header(path))
    if noted is not None:
        out = out.set_crs(noted[1].decode())
        reading.note(crs_from="the property CRS of the drawing")
    out = _without_fillings(out, shapes, table, reading)
    return _labelled(shapes_of_table(out, table, reading), texts, reading)


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER)


def _with_texts(entities: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """The entities with their texts as they were written: GDAL takes those of a drawing without a header for Latin."""
    data = path.read_bytes()
    name = None if data.isascii() or b"HEADER" in data[:_HEADER] else guessed_encoding(data)
    if name is None:
        return entities
    texts = [c for c in ("Layer", "Text") if c in entities.columns]
    return entities.assign(
        **{c: entities[c].str.encode("latin-1", "replace").str.decode(name, "replace") for c in texts}
    )


def _areas(shapes: gpd.GeoDataFrame, table: str) -> NDArray[Any]:
    """Closed lines as polygons, for tables of areas."""
    drawn = np.array(shapes.geometry.array, dtype=object)
    wanted = CONTRACTS[table].geometry
    if "Polygon" in wanted and "LineString" not in wanted:
        line = shapely.get_type_id(drawn) == 1
        ring = np.zeros(len(drawn), dtype=bool)
        ring[line] = shapely.is_closed(drawn[line]) & (shapely.get_num_coordinates(drawn[line]) >= 4)
        drawn[ring] = [shapely.Polygon(shapely.get_coordinates(s)) for s in drawn[ring]]
    return drawn


def _without_fillings(
    out: gpd.GeoDataFrame, shapes: gpd.GeoDataFrame, table: str, reading: Reading
) -> gpd.GeoDataFrame:
    """Drop hatches where outlines are drawn as well: they fill what is there already."""
    hatch = shapes["SubClasses"].astype(str).str.contains("AcDbHatch").to_numpy()
    outline = out.geom_type.isin(set(CONTRACTS[table].geometry) - {"Point"}).to_numpy() & ~hatch
    if not outline.any():
        return out
    reading.leave_out("filling (HATCH), not an outline", out.index[hatch])
    return out[~hatch]


def _labelled(outlines: gpd.GeoDataFrame, texts: gpd.GeoDataFrame, reading: Reading) -> gpd.GeoDataFrame:
    """The outlines with a column for each layer of texts, where it is clear which text is meant."""
    areas = outlines[outlines.geom_type.isin(("Polygon", "MultiPolygon")).to_numpy()]
    if texts.empty or areas.empty:
        return outlines
    at, area = areas.sindex.query(texts.geometry, predicate="intersects")
    labels = pd.DataFrame({
        "text_layer": texts["Layer"].astype(str).to_numpy()[at],
        "text": texts["Text"].astype(str).str.strip().to_numpy()[at],
        "row": areas.index.to_numpy()[area],
    })  # fmt: skip
    several = pd.Series(at).duplicated(keep=False).to_numpy()
    used = labels[~several & (labels["text"] != "").to_numpy()]
    out = outlines.copy(deep=False)
    own = {"0", *outlines["drawing_layer"].dropna().astype(str)}
    for name in sorted(set(used["text_layer"]) - own):
        out[name] = _only(used[used["text_layer"] == name]).reindex(out.index)
    if "name" not in out.columns:
        out["name"] = _only(used).reindex(out.index)
    reading.note(
        labels={
            "texts": len(texts),
            "in_no_outline": len(texts) - len(np.unique(at)),
            "in_several_outlines": len(np.unique(at[several])),
        }
    )
    reading.text_cells = True
    return out


def _only(labels: pd.DataFrame) -> pd.Series:
    """The text of each row that has one."""
    return labels[~labels["row"].duplicated(keep=False)].set_index("row")["text"].astype(object)
