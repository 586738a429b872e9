"""Drawings (KML, DXF) hold areas, lines, labels side by side: the shapes a table can hold, the others counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from gridmap.io.read.record import Reading

__all__ = ["shapes_of_table"]

# Areas before points: the point beside an area is where its label stands.
_SINGLE = {"Polygon": 3, "LineString": 1, "Point": 0}
_COLLECTION = 7


def shapes_of_table(frame: gpd.GeoDataFrame, table: str, reading: Reading) -> gpd.GeoDataFrame:
    """The rows whose shape the table holds; of a collection its parts of that kind. What is left out is counted.

    Where no row has such a shape all are kept, so that the contract of the table says what they are instead.
    """
    wanted = CONTRACTS[table].geometry
    if not wanted or frame.empty:
        return frame
    shapes = np.array(frame.geometry.array, dtype=object)
    mixed = shapely.get_type_id(shapes) == _COLLECTION
    parts = [_parts(shape, wanted) for shape in shapes[mixed]]
    shapes[mixed] = np.array([*parts, None], dtype=object)[:-1]
    known = ~shapely.is_missing(shapes)
    kinds = gpd.GeoSeries(shapes, crs=frame.crs).geom_type.to_numpy()
    fits = known & np.isin(kinds, wanted)
    if not fits.any():
        return frame
    rows = frame.index.to_numpy()
    reading.mended("parts of other kinds beside the shape in a collection", rows[mixed & fits])
    for kind in sorted({str(k) for k in kinds[known & ~fits]}):
        hint = ": close it in the drawing to have it" if "Line" in kind and "Polygon" in wanted else ""
        reading.leave_out(f"{kind}, which {table} cannot be{hint}", rows[known & ~fits & (kinds == kind)])
    reading.leave_out("entry of a drawing without a shape", rows[~known])
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))[fits]


def _parts(collection: shapely.Geometry, wanted: tuple[str, ...]) -> shapely.Geometry:
    """The parts of a collection that are as wanted, together; the collection itself where there are none."""
    parts = shapely.get_parts(shapely.get_parts(collection))
    for name, number in _SINGLE.items():
        chosen = parts[shapely.get_type_id(parts) == number]
        if name in wanted and len(chosen) == 1:
            return chosen[0]
        if f"Multi{name}" in wanted and len(chosen):
            return {1: shapely.multilinestrings, 3: shapely.multipolygons}[number](chosen)
    return collection
