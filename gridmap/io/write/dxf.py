"""DXF: outlines as closed polylines, their ids and households as texts inside; in metres, as CAD programs expect.

Written with ezdxf: GDAL can draw outlines, but takes texts only from style strings that no data frame can give it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import WriteError
from gridmap.io.write.tables import refuse_infinite
from gridmap.tables.contracts import CONTRACTS
from gridmap.tables.crs import to_metric

if TYPE_CHECKING:
    from pathlib import Path

    from shapely import Geometry

__all__ = ["CRS_PROPERTY", "write_drawing"]

#: The custom property of a drawing in which its CRS is noted; a DXF file has no other place for it.
CRS_PROPERTY = "CRS"
# What a layer's name must not hold (DXF reference, symbol table names).
_NOT_IN_NAMES = re.compile(r'[<>/\\":;?*|=`,\x00-\x1f]')
_METRES = 6
_FONT = "simsun.ttc"
# A text is this share of the side of a square as large as its outline, between these heights (m).
_TEXT_SHARE, _TEXT_LOWEST, _TEXT_HIGHEST = 1 / 15, 0.5, 30.0


def write_drawing(frame: pd.DataFrame, path: Path, *, layer: str) -> None:
    """Write a table as DXF 2010.

    Each value of a column ``kind`` has a layer (``grids_basic`` ...), rows without one are on `layer` itself; rings of
    holes are on layers that end in ``_holes``. The id of the row and its ``households`` stand at the point on surface,
    on layers called as the columns. All other columns are lost, and parts of a shape become shapes: a drawing has no
    rows.

    Raises
    ------
    WriteError
        When ezdxf is not installed, or the table has no geometry or no CRS.
    """
    try:
        import ezdxf
    except ImportError as error:
        raise WriteError(
            f"{path.name}: DXF needs ezdxf. Install it with: pip install 'gridmap-planner[dxf]'."
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise WriteError(f"{path}: a table without geometry cannot be drawn. Write it as .csv, .xlsx or .gpkg.")
    if frame.crs is None:
        raise WriteError(f"{path}: the table has no CRS, and a drawing is in metres. Use .set_crs() first.")
    known = ~(shapely.is_missing(frame.geometry.array) | shapely.is_empty(frame.geometry.array))
    if not known.all():
        raise WriteError(
            f"{path}: {int((~known).sum())} rows have no shape: they cannot be drawn. Leave them out, or write .gpkg."
        )
    refuse_infinite(frame, path, "a drawing")
    table = to_metric(frame) if len(frame) else frame
    refuse_infinite(table, path, "a drawing")
    fixed = ezdxf.options.write_fixed_meta_data_for_testing
    # the same table gives the same bytes: no times, no random ids
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        document = ezdxf.new("R2010", units=_METRES)
        document.header.custom_vars.append(CRS_PROPERTY, table.crs.to_string())
        document.styles.get("Standard").dxf.font = _FONT
        _draw(document.modelspace(), table, layer)
        document.saveas(path)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = fixed


def _draw(space: Any, table: gpd.GeoDataFrame, layer: str) -> None:
    labels = _label_columns(table)
    kinds = table["kind"] if "kind" in table.columns else pd.Series(None, table.index, dtype=object)
    points = shapely.point_on_surface(table.geometry.array)
    heights = np.clip(np.sqrt(table.geometry.area) * _TEXT_SHARE, _TEXT_LOWEST, _TEXT_HIGHEST).tolist()
    columns = [table[c].tolist() for c in labels]
    for shape, kind, point, height, *texts in zip(table.geometry, kinds, points, heights, *columns, strict=True):
        name = _layer_name(layer if pd.isna(kind) else f"{layer}_{kind}")
        for part in getattr(shape, "geoms", [shape]):
            _outline(space, part, name)
        for line, (column, text) in enumerate(zip(labels, texts, strict=True)):
            if not pd.isna(text):
                place = (point.x, point.y - 1.5 * height * line)
                # a label must stay inside its outline, by which it is known again
                place = place if shape.intersects(shapely.Point(place)) else (point.x, point.y)
                written = (
                    str(int(text)) if isinstance(text, float) and text.is_integer() else " ".join(str(text).split())
                )
                space.add_text(written, height=height, dxfattribs={"layer": _layer_name(column)}).set_placement(place)


def _label_columns(table: gpd.GeoDataFrame) -> list[str]:
    """The id of the table, and its households."""
    own = [c.id for c in CONTRACTS.values() if c.id is not None and c.id in table.columns]
    first = next((str(c) for c in table.columns if c in own), None)
    return [c for c in (first, "households") if c is not None and c in table.columns]


def _outline(space: Any, part: Geometry, layer: str) -> None:
    if part.geom_type == "Point":
        space.add_point((part.x, part.y), dxfattribs={"layer": layer})
        return
    if part.geom_type != "Polygon":
        space.add_lwpolyline(shapely.get_coordinates(part).tolist(), dxfattribs={"layer": layer})
        return
    for number, ring in enumerate([part.exterior, *part.interiors]):
        name = layer if number == 0 else f"{layer}_holes"
        space.add_lwpolyline(shapely.get_coordinates(ring)[:-1].tolist(), close=True, dxfattribs={"layer": name})


def _layer_name(text: object) -> str:
    return _NOT_IN_NAMES.sub("_", str(text)).strip() or "0"
