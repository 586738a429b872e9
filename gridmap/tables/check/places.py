"""Coordinates that are nowhere in the CRS of their table: no other check can judge such rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from gridmap.tables.contracts import finite
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer

__all__ = ["check_places"]

# Degrees: the largest latitude, and the largest longitude in use (0 to 360 east of Greenwich).
_POLE, _TURN = 90.0, 360.0


def check_places(layer: Layer) -> list[dict[str, Any]]:
    """One finding for rows beyond the poles or not to be projected, one for degrees in a table said to be in metres."""
    shapes = np.asarray(layer.table.geometry.array, dtype=object)
    bounds = shapely.bounds(shapes)
    drawn = finite(shapes)
    crs = CRS.from_user_input(layer.table.crs)
    lost = drawn & shapely.is_empty(layer.shapes)
    # what is flat or folded may be empty once it is mended: the rings tell that
    lost &= ~finite(np.asarray(layer.table.geometry.to_crs(4326).array, dtype=object))
    if crs.is_geographic:
        lost |= drawn & (np.abs(bounds[:, [1, 3]]) > _POLE).any(axis=1)
    elif drawn.any() and (np.abs(bounds[drawn]) <= [_TURN, _POLE, _TURN, _POLE]).all():
        return [
            _told(
                layer, np.flatnonzero(drawn), bounds,
                f"look like degrees, but the table is said to be in {crs.name}",
                "Take the CRS that they are in: table.set_crs(4326, allow_override=True), or 4490 for CGCS2000.",
            )
        ]  # fmt: skip
    if not lost.any():
        return []
    cure = "Correct the CRS of the table, or swap x and y where they are the wrong way round."
    return [_told(layer, np.flatnonzero(lost), bounds, f"do not exist in {crs.name}; no other check sees them", cure)]


def _told(layer: Layer, rows: NDArray[np.intp], bounds: NDArray[np.float64], what: str, cure: str) -> dict[str, Any]:
    west, south = bounds[rows, :2].min(axis=0)
    east, north = bounds[rows, 2:].max(axis=0)
    return finding(
        "error", "coordinates_not_in_crs",
        f"{layer.name}: the coordinates of {len(rows):,} rows, first {layer.ids[rows[0]]}, {what}: x from {west:.10g} "
        f"to {east:.10g}, y from {south:.10g} to {north:.10g}.",
        status=layer.name, ids=layer.ids[rows], cure=cure,
        certificate={
            "table": layer.name, "rows": len(rows), "west": west, "south": south, "east": east, "north": north,
        },
    )  # fmt: skip
