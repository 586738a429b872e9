"""Measures of pieces of land: area, mean width, whether they are slivers, and who lives there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer

__all__ = ["Homes", "by_pair", "homes_of", "mean_width", "narrow", "polygonal", "size_words", "sizes_words"]

# Shapes this much thinner on average than the width asked for are narrow without a look.
_HAIR = 1e-5
# m². Larger areas are told in square kilometres.
_SQUARE_KM = 1e6


@dataclass(frozen=True)
class Homes:
    """Where households live: a point on the surface of each building, and its households."""

    points: NDArray[np.object_]
    households: NDArray[np.float64]

    def within(self, shapes: NDArray[np.object_]) -> NDArray[np.float64]:
        """Households in each shape; a building counts where its point on surface lies, the border included."""
        shape, home = shapely.STRtree(self.points).query(shapes, predicate="intersects")
        return np.asarray(np.bincount(shape, self.households[home], minlength=len(shapes)), dtype=np.float64)


def homes_of(buildings: Layer | None) -> Homes | None:
    """The homes of a layer of buildings; None without one, or without households."""
    if buildings is None or "households" not in buildings.table.columns or not len(buildings.shapes):
        return None
    points = shapely.point_on_surface(buildings.shapes)
    return Homes(points, np.nan_to_num(number_column(buildings.table, "households"), posinf=0.0, neginf=0.0))


def by_pair(first: NDArray[np.intp], second: NDArray[np.intp]) -> list[tuple[int, int, NDArray[np.intp]]]:
    """The rows of each two numbers that occur together, in order of these numbers."""
    if not len(first):
        return []
    order = np.lexsort((second, first))
    new = np.flatnonzero((np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)) + 1
    return [(int(first[rows[0]]), int(second[rows[0]]), rows) for rows in np.split(order, new)]


def mean_width(shapes: Any) -> NDArray[np.float64]:
    """Twice the area by the perimeter, in metres: the width of a strip, half the side of a square."""
    length = shapely.length(shapes)
    return np.divide(2 * shapely.area(shapes), length, out=np.zeros(np.shape(length)), where=length > 0)


def narrow(shapes: Any, width: float) -> NDArray[np.bool_]:
    """Whether no circle of that diameter fits into a polygon.

    No shape is wider than it says on average, so that only those with a small `mean_width` need be shrunk to see.
    """
    shapes = np.asarray(shapes, dtype=object)
    across = mean_width(shapes)
    thin = across < width
    # what is a hair's breadth may have folded onto itself when it was projected
    doubtful = thin & (across > _HAIR * width)
    thin[doubtful] = shapely.is_empty(shapely.buffer(shapes[doubtful], -width / 2, quad_segs=2))
    return np.asarray(thin, dtype=bool)


def polygonal(shapes: Any) -> NDArray[np.object_]:
    """The polygons in each shape, without the lines and points that an overlay leaves where borders only touch."""
    shapes = np.array(shapes, dtype=object)
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    shapes[(shapely.get_dimensions(shapes) < 2) | shapely.is_missing(shapes)] = shapely.Polygon()
    for i in mixed:
        parts = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shapes


def size_words(area: float, width: float | None = None, households: float | None = None) -> str:
    """Size as it stands in a message: ``"1,234 m², about 3.2 m wide, with 57 households"``."""
    words = f"{_number(area)} m²" if area < _SQUARE_KM else f"{area / _SQUARE_KM:,.1f} km²"
    if width is not None:
        words += f", about {_number(width)} m wide"
    return words if households is None else f"{words}, with {households:,.0f} households"


def sizes_words(sizes: Mapping[str, Any]) -> str:
    """The same of the sizes in a certificate: ``area_m2``, ``width_m``, and ``households`` where known."""
    return size_words(sizes["area_m2"], sizes["width_m"], sizes.get("households"))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
