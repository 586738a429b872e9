"""Rings that break the rules of polygons, with GEOS's reason and place, and vertices drawn twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.tables.contracts import finite
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import finding
from gridmap.tables.rings import mend_rings

if TYPE_CHECKING:
    from pyproj import CRS

    from gridmap.tables.check.layers import Layer

__all__ = ["check_repeated_vertices", "check_rings"]

_PLACE = re.compile(r"\[(\S+) (\S+)[^\]]*\]$")


def check_rings(layer: Layer, crs: CRS) -> list[dict[str, Any]]:
    """One finding for each invalid shape: what GEOS says is wrong, where, and whether it can be mended safely."""
    shapes = _own_shapes(layer)
    wrong = np.flatnonzero(~shapely.is_valid(shapes) & finite(shapes))
    if not len(wrong):
        return []
    mended = mend_rings(shapes[wrong])
    reasons = shapely.is_valid_reason(shapes[wrong])
    places = _places(reasons, layer, crs)
    found = []
    for row, reason, place, new in zip(wrong, reasons, places, mended, strict=True):
        words = _PLACE.sub("", reason).strip()
        x, y = (place.x, place.y) if place is not None else (float("nan"), float("nan"))
        sizes = {"table": layer.name, "reason": words, "x": round(x, 3), "y": round(y, 3), "crs": crs.to_string()}
        sizes["area_m2"] = round(float(shapely.area(layer.shapes[row])), 2)
        cure = (
            "repair(table) mends it without a change of area."
            if new is not None
            else "Draw it again: it can be read in more than one way, which repair does not decide."
        )
        found.append(
            finding(
                "error", "ring_invalid", f"{layer.name}: {layer.ids[row]} is not a valid polygon: {words}.",
                status="mendable" if new is not None else "ambiguous", ids=[layer.ids[row]], certificate=sizes,
                cure=cure, geometry=place if place is not None else layer.shapes[row],
            )
        )  # fmt: skip
    return found


def check_repeated_vertices(layer: Layer) -> list[dict[str, Any]]:
    """Shapes that have the same vertex twice running; harmless to most, but some programs refuse it."""
    shapes = _own_shapes(layer)
    shapes = shapes.copy()
    shapes[(shapely.get_dimensions(shapes) < 1) | ~finite(shapes)] = None
    more = shapely.get_num_coordinates(shapes) - shapely.get_num_coordinates(shapely.remove_repeated_points(shapes))
    rows = np.flatnonzero(more > 0)
    if not len(rows):
        return []
    return [
        finding(
            "info", "vertices_repeated",
            f"{layer.name}: {int(more[rows].sum()):,} vertices of {len(rows):,} rows repeat the one before them.",
            status=layer.name, ids=layer.ids[rows], geometry=shapely.union_all(shapely.envelope(layer.shapes[rows])),
            certificate={"table": layer.name, "vertices": int(more[rows].sum()), "rows": len(rows)},
            cure="repair(table) drops them.",
        )
    ]  # fmt: skip


def _own_shapes(layer: Layer) -> Any:
    return np.asarray(layer.table.geometry.array, dtype=object)


def _places(reasons: Any, layer: Layer, crs: CRS) -> list[Any]:
    """The places that GEOS names, in the audit's CRS; None where it names none."""
    named = [_PLACE.search(reason) for reason in reasons]
    points = [None if at is None else shapely.Point(float(at[1]), float(at[2])) for at in named]
    table = gpd.GeoDataFrame(geometry=gpd.GeoSeries(points, crs=layer.table.crs))
    return list(to_crs(table, crs).geometry)
