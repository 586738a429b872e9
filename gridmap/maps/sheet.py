"""Sheet: the ground that everything of one page lies on: its tables in degrees, its frame, its categories."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import OptionError
from gridmap.io.datums import shifted_name, wgs84_to_bd09, wgs84_to_gcj02
from gridmap.maps.encode import encode_shapes, frame_of, simplify_tiles
from gridmap.maps.photos import read_photos
from gridmap.tables.crs import to_crs, to_metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gridmap.maps.encode import Frame
    from gridmap.maps.layers import Content

__all__ = ["TILINGS", "TOLERANCES", "Sheet"]

#: Simplification for display, in metres: of polygons that lie side by side, and of single lines and rings. Tables not
#: named here are drawn as they are.
TILINGS = {"grids": 1.0, "communities": 1.0, "blocks": 1.0}
TOLERANCES = {"circles": 1.0, "gaps": 1.0, "findings": 1.0, "streets": 0.5, "barriers": 0.5}
# What leads from WGS 84 to each shifted datum.
_SHIFTS = {"GCJ-02": wgs84_to_gcj02, "BD-09": wgs84_to_bd09}


class Sheet:
    """What every table of one page needs.

    Attributes
    ----------
    content
        The layers; its tables may get further columns.
    given
        The known tables as they were given.
    degrees
        The known tables in EPSG:4326, simplified for display.
    datum
        The shifted datum of what is drawn, None for WGS 84.
    own
        The other layers in EPSG:4326.
    bounds, frame
        What the page opens on, and how its whole numbers become degrees.
    categories
        Categories in the order of the cover, then of facilities and circles.

    Parameters
    ----------
    beside
        The sheet of another state of the same page: of a table that is in both, all is made once.
    """

    def __init__(self, content: Content, datum: str = "WGS 84", beside: Sheet | None = None) -> None:
        self.content = content
        self.datum = _shifted(datum)
        self.given = dict(content.tables)
        self._beside, self._shapes = beside, dict[str, dict[str, Any]]()
        self.degrees = {kind: self._in_degrees(table, kind) for kind, table in content.tables.items()}
        self.own = [(name, self.moved(to_crs(_frame(table), 4326))) for name, table in content.own]
        shown = [*self.degrees.values(), *(table for _, table in self.own)]
        core = [
            self.degrees[k] for k in ("grids", "communities", "circles", "buildings", "facilities") if k in self.degrees
        ]
        self.bounds = _bounds(core[:1] or shown)
        self.frame: Frame = frame_of(_bounds(shown))
        self.facilities = content.tables.get("facilities")
        self.categories = _categories(content)

    def _in_degrees(self, table: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
        beside = self._beside
        if beside is not None and beside.given.get(kind) is table:
            return beside.degrees[kind]
        return self.moved(_display(table, kind))

    @property
    def measured(self) -> list[str]:
        """The categories that the cover counted."""
        thresholds = getattr(self.content.cover, "thresholds", None)
        return list(self.categories) if thresholds is None else [c for c in self.categories if c in thresholds]

    @cached_property
    def building_order(self) -> NDArray[np.int64]:
        """Rows of the buildings in an order that follows the ground, so that neighbours differ little."""
        if self._beside is not None and self.degrees["buildings"] is self._beside.degrees.get("buildings"):
            return self._beside.building_order
        return np.argsort(self.degrees["buildings"].hilbert_distance().to_numpy(), kind="stable")

    @cached_property
    def photos(self) -> tuple[list[str], int]:
        """Photos of the facilities, and how many were left out; see `read_photos`."""
        column = None if self.facilities is None else self.facilities.get("photo")
        return ([], 0) if column is None else read_photos(column)

    def place(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of WGS 84, shape (n, 2), in the datum of the page."""
        if self.datum is None:
            return lonlat
        return np.column_stack(_SHIFTS[self.datum](lonlat[:, 0], lonlat[:, 1]))

    def moved(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """A table in EPSG:4326 in the datum of the page."""
        if self.datum is None:
            return table
        moved = shapely.transform(np.asarray(table.geometry.array), self.place)
        return table.set_geometry(gpd.GeoSeries(moved, index=table.index, crs=4326))

    def shapes_of(self, kind: str) -> dict[str, Any]:
        """Geometries of a known table in the order of the page, as it decodes them."""
        shown, beside = self.degrees[kind], self._beside
        if beside is not None and beside.frame == self.frame and beside.degrees.get(kind) is shown:
            return beside.shapes_of(kind)
        if kind not in self._shapes:
            ordered = shown.iloc[self.building_order] if kind == "buildings" else shown
            self._shapes[kind] = self.shapes(ordered, kind)
        return self._shapes[kind]

    def shapes(self, table: gpd.GeoDataFrame, kind: str = "") -> dict[str, Any]:
        """Geometries as the page decodes them; `kind` says how far they are simplified."""
        return encode_shapes(np.asarray(table.geometry.array), self.frame, tolerance=TOLERANCES.get(kind, 0.0))


def _shifted(datum: str) -> str | None:
    name = shifted_name(datum)
    if name is None and str(datum).upper().replace(" ", "").replace("-", "") not in ("WGS84", "CGCS2000"):
        raise OptionError(f"datum={datum!r} is none that a map is drawn in; use 'WGS 84', 'GCJ-02' or 'BD-09'")
    return name


def _frame(table: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    return table.to_frame("geometry") if isinstance(table, gpd.GeoSeries) else table


def _bounds(tables: Iterable[gpd.GeoDataFrame]) -> NDArray[np.float64]:
    boxes = np.array([t.total_bounds for t in tables if len(t)]).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if len(boxes) == 0:
        return np.array([73.0, 18.0, 135.0, 54.0])  # nothing to show: China
    return np.r_[boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]


def _categories(content: Content) -> list[str]:
    """Categories in the order of the cover, then of facilities and circles."""
    seen: dict[str, None] = dict.fromkeys(str(c) for c in getattr(content.cover, "thresholds", {}))
    for kind in ("facilities", "circles", "gaps"):
        if kind in content.tables:
            seen |= dict.fromkeys(sorted(content.tables[kind]["category"].dropna().astype(str).unique()))
    return list(seen)


def _display(table: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
    """The table in degrees; polygons that lie side by side are simplified together."""
    if kind not in TILINGS:
        return to_crs(table, 4326)
    metric = to_metric(table)
    shapes = simplify_tiles(np.asarray(metric.geometry.array), TILINGS[kind])
    return to_crs(metric.set_geometry(gpd.GeoSeries(shapes, index=metric.index, crs=metric.crs)), 4326)
