"""Service circles: the land from which a facility is within reach, as polygons that nest and state their deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.contours import Frame, frame_around, polygons_below
from gridmap.coverage.cover import as_prepared, is_existing, rows_by_category
from gridmap.coverage.homes import Homes, find_homes
from gridmap.coverage.land import Ground, Land, NodeTable, lay_ground, paint_land, search_nodes
from gridmap.coverage.split_land import split_by_label
from gridmap.coverage.thresholds import read_several
from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["service_circles"]

DEFAULT_MINUTES = (5.0, 10.0, 15.0)
# A raster has at most so many cells, and at most so many values are painted at once.
_MOST_CELLS = 16_000_000
_MOST_VALUES = 48_000_000
_OVERLAPS = ("overlap", "dissolve", "split")


def service_circles(
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    buildings: gpd.GeoDataFrame | None = None,
    minutes: Any = None,
    metres: Any = None,
    profile: Any = None,
    overlap: str = "dissolve",
    cell_metres: float = 10.0,
    far_metres: float = 150.0,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Draw the land from which facilities are within reach.

    A circle is the level set, over the land, of the very distance that `cover` counts with: at each cell of a raster
    the least, over all edges within the `access_metres` of the network that a straight leg reaches without crossing a
    barrier or wall, of the leg plus the way; where no edge is so near, by the nearest edge, up to `far_metres`. The
    borders run between the cells. Circles of one category nest by threshold. Coverage is never counted from them.

    Parameters
    ----------
    facilities
        Those whose ``status`` is planned or candidate are left out; ``.attrs["left_out"]`` says how many.
    streets
        Streets, or a `StreetNetwork` prepared from them.
    buildings
        With ``households``. When given, holes without uncovered households are filled, and each circle states its
        deviation. The contour itself does not look at them.
    minutes, metres
        Thresholds: a number, several, or a mapping from category to one or several; at most one of the two, none
        means 5, 10 and 15 minutes.
    profile
        Named speed set; None means that of the prepared network, else ``"adult"``.
    overlap
        ``"overlap"`` (one polygon a facility), ``"dissolve"`` (one a category) or ``"split"`` (one a facility, the
        land that is nearest to it).
    cell_metres
        Side of a cell of the raster; taken larger, and said in ``.attrs["cell_metres"]``, where the land is so wide
        that the raster would not fit in memory.
    far_metres
        Land farther than this from every street is never drawn.
    barriers, compounds, entrances
        For streets that are not prepared yet; see `StreetNetwork.from_streets`.

    Returns
    -------
    GeoDataFrame
        ``category``, ``minutes`` or ``metres``, ``facility_id`` (not for ``"dissolve"``), ``facilities`` (how many it
        is drawn around), ``area_m2``, ``covered`` (households counted as covered), ``covered_outside``,
        ``uncovered_inside`` and ``deviation``, which is the sum of these two over ``covered`` (NaN without buildings,
        or when nobody is covered), and the polygon, empty where nothing is reached; in the CRS of the facilities.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When arguments contradict each other.
    """
    if overlap not in _OVERLAPS:
        raise OptionError(f"overlap must be one of {', '.join(map(repr, _OVERLAPS))}, not {overlap!r}.")
    if not (np.isfinite(cell_metres) and cell_metres > 0 and np.isfinite(far_metres) and far_metres >= 0):
        raise OptionError("cell_metres must be a number above 0 and far_metres one of 0 or more.")
    services = check_table(facilities, "facilities")
    homes = None if buildings is None else check_table(buildings, "buildings", needs=("households",))
    existing = is_existing(services)
    offered = services.loc[existing, "category"].unique()
    measure, limits = read_several(minutes, metres, offered, default_minutes=DEFAULT_MINUTES)
    network = as_prepared(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    rows = rows_by_category(services, existing, list(limits))
    counted = np.concatenate([*rows, np.empty(0, dtype=np.int64)])
    shapes = np.asarray(to_crs(services, network.crs).geometry.array)
    access = network.access(shapes, kind="facility", ids=services["facility_id"].to_numpy())
    job = _Job(
        network=network,
        measure=measure,
        limits=limits,
        rows=rows,
        access=access,
        homes=None if homes is None else find_homes(network, to_crs(homes, network.crs)),
        cell_metres=float(cell_metres),
        far_metres=float(far_metres),
    )
    draw = {"dissolve": _draw_dissolved, "overlap": _draw_overlapping, "split": _draw_split}[overlap]
    table = _table(list(draw(job)), services, measure, dissolved=overlap == "dissolve")
    out = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(table.pop("geometry").tolist(), crs=network.crs))
    out = to_crs(out, services.crs)
    out.attrs.update(
        cell_metres=job.side,
        far_metres=float(far_metres),
        left_out={"facilities": len(services) - len(counted), "not_existing": int((~existing).sum())},
    )
    return out


@dataclass(eq=False)
class _Job:
    """Everything a drawing needs; `side` is the side of a cell once a raster has been laid."""

    network: StreetNetwork
    measure: str
    limits: dict[str, list[float]]
    rows: list[NDArray[np.int64]]
    access: Access
    homes: Homes | None
    cell_metres: float
    far_metres: float
    side: float = 0.0

    @property
    def per_metre(self) -> float:
        """Cost of a metre on foot, in the measure."""
        return 1.0 if self.measure == "metres" else 0.06 / self.network.profile.leg_kmh

    @property
    def margin(self) -> float:
        """How much farther than a threshold to search, so that its border lies between known values."""
        return 3 * self.cell_metres * self.per_metre

    @property
    def limit(self) -> float:
        """How far to search: the last threshold and the margin."""
        return max((limit for several in self.limits.values() for limit in several), default=0.0) + self.margin

    @property
    def surely(self) -> float:
        """Land with a cost below this is inside every circle."""
        least = min((limit for several in self.limits.values() for limit in several), default=0.0)
        return least - self.margin

    def targets(self) -> list[Access]:
        """Places on the streets of the facilities of each category."""
        return [self.access.take(rows) for rows in self.rows]

    def lay(self, nodes: NodeTable) -> Ground | None:
        """The raster over all that was reached; None when nothing was."""
        live = np.asarray(np.any(np.isfinite(nodes.cost), axis=1))
        edges = np.concatenate([access.edge for access in nodes.targets])
        live[self.network.graph.edge_u[edges]] = True
        live[self.network.graph.edge_v[edges]] = True
        if not live.any():
            return None
        xy = self.network.graph.node_xy[live]
        bounds = (*xy.min(axis=0), *xy.max(axis=0))
        margin = min(max(self.far_metres, self.network.access_metres), self.limit / self.per_metre)
        self.side = self.cell_metres
        frame = frame_around(bounds, self.side, margin + self.side)
        while frame.cells > _MOST_CELLS:
            self.side *= 1.25
            frame = frame_around(bounds, self.side, margin + self.side)
        return lay_ground(self.network, frame, self.far_metres)


@dataclass(frozen=True, eq=False)
class _Circle:
    """One row of the result: its polygon in the CRS of the network, and which facilities it is drawn around."""

    category: str
    limit: float
    rows: NDArray[np.int64]
    geometry: Any
    counts: tuple[float, float, float]


def _draw_dissolved(job: _Job) -> Iterator[_Circle]:
    nodes = search_nodes(job.network, job.targets(), job.measure, job.limit) if job.rows else None
    ground = None if nodes is None else job.lay(nodes)
    if nodes is None or ground is None:
        yield from _nothing(job, each=False)
        return
    at_once = max(1, _MOST_VALUES // max(int(np.isfinite(ground.metres).sum()), 1))
    categories = list(job.limits)
    for first in range(0, len(categories), at_once):
        part = slice(first, first + at_once)
        land = paint_land(job.network, ground, nodes.part(part), surely=job.surely)
        for column, category in enumerate(categories[part]):
            costs = None if job.homes is None else job.homes.costs(nodes.targets[first + column], job.measure)
            yield from _circles(job, category, job.limits[category], job.rows[first + column], land, column, costs)


def _draw_overlapping(job: _Job) -> Iterator[_Circle]:
    if not job.rows:
        return
    nodes = search_nodes(job.network, job.targets(), job.measure, job.limit)
    ground = job.lay(nodes)
    if ground is None:
        yield from _nothing(job, each=True)
        return
    for (category, limits), rows in zip(job.limits.items(), job.rows, strict=True):
        for row in rows:
            targets = job.access.take(np.array([row]))
            one = search_nodes(job.network, [targets], job.measure, max(limits) + job.margin)
            window = _window(job, ground.frame, one)
            land = paint_land(job.network, ground, one, window=window, surely=job.surely)
            costs = None if job.homes is None else job.homes.costs(targets, job.measure, limit=max(limits))
            yield from _circles(job, category, limits, np.array([row]), land, 0, costs)


def _draw_split(job: _Job) -> Iterator[_Circle]:
    if not job.rows:
        return
    nodes = search_nodes(job.network, job.targets(), job.measure, job.limit)
    ground = job.lay(nodes)
    if ground is None:
        yield from _nothing(job, each=True)
        return
    for column, (category, limits) in enumerate(job.limits.items()):
        rows = job.rows[column]
        land = paint_land(job.network, ground, nodes.part(slice(column, column + 1)), labelled=True)
        labels = land.label_raster(0)
        raster, frame = land.raster(0, limits[-1])
        costs = target = None
        if job.homes is not None:
            costs, target = job.homes.nearest(nodes.targets[column], job.measure)
        for limit in limits:
            whole = _polygon(job, raster, frame, limit, None if costs is None else costs > limit)
            parts = split_by_label(whole, labels, ground.frame, len(rows))
            for index, row in enumerate(rows):
                counts = (np.nan,) * 3
                if job.homes is not None and costs is not None and target is not None:
                    counts = job.homes.deviation(parts[index], (costs <= limit) & (target == index))
                yield _Circle(category, limit, np.array([row]), parts[index], counts)


def _circles(
    job: _Job,
    category: str,
    limits: list[float],
    rows: NDArray[np.int64],
    land: Land,
    column: int,
    costs: NDArray[np.float64] | None,
) -> Iterator[_Circle]:
    """The circles of one category, or of one facility, for each of its thresholds."""
    raster, frame = land.raster(column, limits[-1])
    for limit in limits:
        polygon = _polygon(job, raster, frame, limit, None if costs is None else costs > limit)
        counts = (np.nan,) * 3
        if job.homes is not None and costs is not None:
            counts = job.homes.deviation(polygon, costs <= limit)
        yield _Circle(category, limit, rows, polygon, counts)


def _polygon(
    job: _Job, raster: NDArray[np.float32], frame: Frame, limit: float, uncovered: NDArray[np.bool_] | None
) -> Any:
    """The land within the limit: contour, holes filled where nobody is uncovered in them, barriers cut out.

    Where the cost leaps, by a wall or where a street comes into reach, nobody knows where between two cells it does;
    the border runs midway there. A cell's walk of leap leaves it exact everywhere else.
    """
    parts = polygons_below(raster, frame, limit, leap=1.5 * job.side * job.per_metre)
    if job.homes is not None and uncovered is not None:
        parts = job.homes.fill_holes(parts, uncovered)
    return _without_barriers(job, shapely.multipolygons(parts))


def _without_barriers(job: _Job, polygon: Any) -> Any:
    barriers = job.network.walls.barriers
    areas = barriers[shapely.get_dimensions(barriers) == 2] if len(barriers) else barriers
    areas = areas[shapely.intersects(areas, polygon)] if len(areas) else areas
    if len(areas) == 0:
        return polygon
    rest = shapely.get_parts(shapely.difference(polygon, shapely.union_all(areas)))
    return shapely.multipolygons(rest[shapely.get_type_id(rest) == shapely.GeometryType.POLYGON])


def _window(job: _Job, frame: Frame, nodes: NodeTable) -> tuple[slice, slice]:
    """Rows and columns of the raster that one facility can reach."""
    graph = job.network.graph
    live = np.flatnonzero(np.isfinite(nodes.cost[:, 0]))
    edge = nodes.targets[0].edge
    xy = graph.node_xy[np.concatenate([live, graph.edge_u[edge], graph.edge_v[edge]])]
    if len(xy) == 0:
        return slice(0, 1), slice(0, 1)
    margin = min(max(job.far_metres, job.network.access_metres), nodes.limit / job.per_metre) + 2 * frame.side
    rows, columns = frame.cell_of(np.array([xy.min(axis=0) - margin, xy.max(axis=0) + margin]))
    return (
        slice(int(max(rows[0], 0)), int(min(rows[1] + 1, frame.rows))),
        slice(int(max(columns[0], 0)), int(min(columns[1] + 1, frame.columns))),
    )


def _nothing(job: _Job, *, each: bool) -> Iterator[_Circle]:
    """Empty polygons, when no facility finds a street: for each of them, or one a category."""
    counts = (np.nan,) * 3 if job.homes is None else (0.0, 0.0, 0.0)
    for (category, limits), rows in zip(job.limits.items(), job.rows, strict=True):
        for some in rows[:, None] if each else [rows]:
            for limit in limits:
                yield _Circle(category, limit, some, shapely.MultiPolygon(), counts)


def _table(circles: list[_Circle], services: gpd.GeoDataFrame, measure: str, *, dissolved: bool) -> pd.DataFrame:
    ids = services["facility_id"].to_numpy()
    covered, outside, inside = np.array([c.counts for c in circles], dtype=np.float64).reshape(-1, 3).T
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.where(covered > 0, (outside + inside) / covered, np.nan)
    columns: dict[str, Any] = {
        "category": np.array([c.category for c in circles], dtype=object),
        measure: [c.limit for c in circles],
        "facility_id": np.array([None if dissolved else ids[c.rows[0]] for c in circles], dtype=object),
        "facilities": [len(c.rows) for c in circles],
        "area_m2": [c.geometry.area for c in circles],
        "covered": covered,
        "covered_outside": outside,
        "uncovered_inside": inside,
        "deviation": deviation,
        "geometry": [c.geometry for c in circles],
    }
    if dissolved:
        del columns["facility_id"]
    return pd.DataFrame(columns)
