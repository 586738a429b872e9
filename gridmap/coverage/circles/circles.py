"""Service circles: the land from which a facility is within reach, as polygons that nest and state their deviation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.coverage.circles.homes import Homes, find_homes
from gridmap.coverage.circles.split_land import share_land, split_by_label
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.coverage.counting.thresholds import read_several
from gridmap.coverage.land.contours import Frame, frame_around, polygons_below
from gridmap.coverage.land.land import Ground, lay_ground, leg_cost, paint_land
from gridmap.errors import OptionError
from gridmap.network.bounded import nodes_within
from gridmap.network.search import node_costs_of_each_kind
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs
from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gridmap.network.access import Access
    from gridmap.network.streets import StreetNetwork

__all__ = ["service_circles"]

DEFAULT_MINUTES = (5.0, 10.0, 15.0)
# A raster has at most so many cells.
_MOST_CELLS = 16_000_000
# What so many facilities reach is held at once.
_AT_ONCE = 256
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
    executor: Any = None,
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
    executor
        Anything with a `map` whose workers share memory, such as a ThreadPoolExecutor; the circles do not depend on it.

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
    existing = is_counted(services)
    offered = services.loc[existing, "category"].unique()
    measure, limits = read_several(minutes, metres, offered, default_minutes=DEFAULT_MINUTES)
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    rows = rows_by_category(services, existing, list(limits))
    shapes = np.asarray(to_crs(services, network.crs).geometry.array)
    access = network.access(shapes, kind="facility", ids=services["facility_id"].to_numpy())
    job = _Job(
        network=network,
        measure=measure,
        homes=None if homes is None else find_homes(network, to_crs(homes, network.crs)),
        areas=_barred(network),
        cell_metres=float(cell_metres),
        far_metres=float(far_metres),
    )
    tasks = _by_category(job, limits, rows, access, executor)
    job = replace(job, ground=_lay(job, tasks, executor))
    draw = partial(_draw, job, split=overlap == "split")
    parts = _by_facility(job, tasks, executor) if overlap == "overlap" else [tasks]
    drawn = [circles for part in parts for circles in map_tasks(draw, part, executor)]
    table = _table(
        [circle for circles in drawn for circle in circles], services, measure, dissolved=overlap == "dissolve"
    )
    out = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(table.pop("geometry").tolist(), crs=network.crs))
    out = to_crs(out, services.crs)
    out.attrs.update(
        cell_metres=job.side,
        far_metres=float(far_metres),
        left_out={"facilities": len(services) - sum(map(len, rows)), "not_existing": int((~existing).sum())},
    )
    return out


@dataclass(frozen=True, eq=False)
class _Job:
    """What all drawings share; `areas` are the polygons that bar the way, and without `ground` nothing is reached."""

    network: StreetNetwork
    measure: str
    homes: Homes | None
    areas: shapely.STRtree
    cell_metres: float
    far_metres: float
    ground: Ground | None = None

    @property
    def per_metre(self) -> float:
        """Cost of a metre on foot, in the measure."""
        return leg_cost(self.network, self.measure)

    @property
    def side(self) -> float:
        """Side of a cell; 0 when no raster was laid."""
        return 0.0 if self.ground is None else self.ground.frame.side

    def bound(self, limits: list[float]) -> float:
        """How far to search: beyond the last threshold, so that its border lies between known values."""
        return limits[-1] + 3 * self.cell_metres * self.per_metre

    def margin(self, limits: list[float]) -> float:
        """How far from the streets that are reached land may be in reach, in metres."""
        return min(max(self.far_metres, self.network.access_metres), self.bound(limits) / self.per_metre)


class _Costs(NamedTuple):
    """What it costs to reach a facility from some nodes or homes: their numbers, the costs, and which facility."""

    row: NDArray[np.integer[Any]]
    cost: NDArray[np.float64]
    target: NDArray[np.int32]

    @classmethod
    def within(cls, limit: float, cost: NDArray[np.float64], target: NDArray[np.int32], first: int) -> _Costs:
        """Of the costs of all those within a limit; targets are numbered from `first`."""
        row = np.flatnonzero(cost <= limit)
        return cls(row, cost[row], target[row] - np.int32(first))

    def spread(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Cost and facility for all, infinite and -1 where there is none."""
        cost, target = np.full(count, np.inf), np.full(count, -1, dtype=np.int32)
        cost[self.row], target[self.row] = self.cost, self.target
        return cost, target


@dataclass(frozen=True, eq=False)
class _Task:
    """What is drawn at once: facilities of one category, or one facility, and what they cost from nodes and homes."""

    category: str
    limits: list[float]
    rows: NDArray[np.int64]
    targets: Access
    nodes: _Costs
    homes: _Costs | None


@dataclass(frozen=True, eq=False)
class _Circle:
    """One row of the result: its polygon in the CRS of the network, and which facilities it is drawn around."""

    category: str
    limit: float
    rows: NDArray[np.int64]
    geometry: Any
    counts: tuple[float, float, float]


def _lay(job: _Job, tasks: list[_Task], executor: Any) -> Ground | None:
    """The raster over all that is reached; None when nothing is."""
    graph = job.network.graph
    live = np.zeros(graph.n_nodes, dtype=np.bool_)
    for task in tasks:
        live[task.nodes.row] = True
        live[graph.edge_u[task.targets.edge]] = True
        live[graph.edge_v[task.targets.edge]] = True
    if not live.any():
        return None
    xy = graph.node_xy[live]
    bounds = (*xy.min(axis=0), *xy.max(axis=0))
    margin = max(job.margin(task.limits) for task in tasks)
    side = job.cell_metres
    frame = frame_around(bounds, side, margin + side)
    while frame.cells > _MOST_CELLS:
        side *= 1.25
        frame = frame_around(bounds, side, margin + side)
    return lay_ground(job.network, frame, job.far_metres, job.measure, executor=executor)


def _by_category(
    job: _Job, limits: dict[str, list[float]], rows: list[NDArray[np.int64]], access: Access, executor: Any
) -> list[_Task]:
    """One task a category."""
    if not limits:
        return []
    targets = access.take(np.concatenate(rows))
    kind = np.repeat(np.arange(len(rows)), [len(of) for of in rows])
    first = np.searchsorted(kind, np.arange(len(rows)))
    bound = max(job.bound(several) for several in limits.values())
    found = node_costs_of_each_kind(
        job.network, targets, kind, kinds=len(rows), by=job.measure, limit=bound, executor=executor
    )
    at_home = None
    if job.homes is not None:
        at_home = job.homes.nearest(targets, kind, len(rows), job.measure, bound, executor)
    tasks = []
    for column, ((category, several), of) in enumerate(zip(limits.items(), rows, strict=True)):
        begin = int(first[column])
        nodes = _Costs.within(job.bound(several), found.cost[:, column], found.target[:, column], begin)
        homes = None
        if at_home is not None:
            homes = _Costs.within(several[-1], at_home[0][column], at_home[1][column], begin)
        tasks.append(_Task(category, several, of, access.take(of), nodes, homes))
    return tasks


def _by_facility(job: _Job, tasks: list[_Task], executor: Any) -> Iterator[list[_Task]]:
    """One task a facility, some of them at a time."""
    for task in tasks:
        for first in range(0, len(task.rows), _AT_ONCE):
            some = np.arange(first, min(first + _AT_ONCE, len(task.rows)))
            targets = task.targets.take(some)
            found = nodes_within(
                job.network, targets, by=job.measure, limit=job.bound(task.limits), inwards=True, executor=executor
            )
            nodes = _parted(found.origin_ptr, found.node, found.cost)
            homes: list[_Costs | None] = [None] * len(some)
            if job.homes is not None:
                homes = list(_parted(*job.homes.within(targets, job.measure, task.limits[-1], executor)))
            yield [
                _Task(task.category, task.limits, task.rows[[i]], task.targets.take(some[[j]]), nodes[j], homes[j])
                for j, i in enumerate(some)
            ]


def _parted(ptr: NDArray[np.int64], row: NDArray[np.int32], cost: NDArray[np.float64]) -> list[_Costs]:
    """Costs of single facilities, those of facility i being ``ptr[i]:ptr[i + 1]``."""
    none = np.zeros(len(row), dtype=np.int32)
    return [_Costs(row[a:b], cost[a:b], none[a:b]) for a, b in pairwise(ptr.tolist())]


def _draw(job: _Job, task: _Task, *, split: bool = False) -> list[_Circle]:
    """The circles of one task, for each of its thresholds; parted among its facilities where they are split."""
    each = [np.array([row]) for row in task.rows] if split else [task.rows]
    if job.ground is None:
        counts = (np.nan,) * 3 if job.homes is None else (0.0, 0.0, 0.0)
        return [
            _Circle(task.category, limit, rows, shapely.MultiPolygon(), counts)
            for limit in task.limits
            for rows in each
        ]
    nodes = task.nodes.spread(job.network.graph.n_nodes)
    margin = job.margin(task.limits)
    values, labels, frame = paint_land(job.network, job.ground, task.targets, *nodes, margin=margin, labelled=split)
    homes = None if job.homes is None or task.homes is None else task.homes.spread(len(job.homes.xy))
    covered = [None if homes is None else homes[0] <= limit for limit in task.limits]
    whole = [
        _polygon(job, values, frame, limit, None if there is None else ~there)
        for limit, there in zip(task.limits, covered, strict=True)
    ]
    shares = share_land(labels, frame, whole[-1]) if split else None
    out = []
    for limit, there, polygon in zip(task.limits, covered, whole, strict=True):
        parts = [polygon] if shares is None else split_by_label(polygon, shares, len(each))
        for index, (rows, part) in enumerate(zip(each, parts, strict=True)):
            counts = (np.nan,) * 3
            if job.homes is not None and homes is not None and there is not None:
                counts = job.homes.deviation(part, there & (homes[1] == index) if split else there)
            out.append(_Circle(task.category, limit, rows, part, counts))
    return out


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


def _barred(network: StreetNetwork) -> shapely.STRtree:
    """Polygons of the hard barriers, apart from one another."""
    barriers = network.walls.barriers
    areas = shapely.union_all(barriers[shapely.get_dimensions(barriers) == 2])
    return shapely.STRtree(shapely.get_parts(areas))


def _without_barriers(job: _Job, polygon: Any) -> Any:
    """The polygon less the areas that bar the way."""
    areas = job.areas.geometries[np.sort(job.areas.query(polygon))]
    shapely.prepare(polygon)
    areas = areas[shapely.intersects(polygon, areas)]
    if len(areas) == 0:
        return polygon
    rest = shapely.get_parts(shapely.difference(polygon, shapely.multipolygons(areas)))
    return shapely.multipolygons(rest[shapely.get_type_id(rest) == shapely.GeometryType.POLYGON])


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
