"""The audit of a plan: what it is worth, measured on its polygons, whoever drew them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import SHORTEST_JOIN, along, guide_lines, inner_borders
from gridmap.division.plans.cuts import footprints_cut, split_compounds
from gridmap.division.plans.tiling import extra_pieces, gaps, overlaps
from gridmap.division.plans.walks import street_walks, tours
from gridmap.errors import OptionError
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.division.plans.plan import GridPlan

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["COUNTED", "MEASURES", "audit_plan", "polsby_popper"]

#: Status of the grids that count towards the share in the band.
COUNTED = ("legal", "above", "below")
#: Unit and meaning of each measure.
MEASURES = {
    "grids": ("grids", "all grids, with empty and dedicated ones"),
    "grids_counted": ("grids", "grids that the band applies to: neither empty nor dedicated"),
    "in_band_share": ("share", "of the counted grids, those within the band"),
    "outside_band": ("weight", "what the counted grids lack or have too many, summed"),
    "balance": ("share", "coefficient of variation of the households of the counted grids; 0 is all equal"),
    "extra_pieces": ("pieces", "pieces of grids beyond those their communities force"),
    "grids_not_joined": ("grids", "whose atoms do not hang together over borders of at least 3 m, bridges or pieces"),
    "compounds_split": ("compounds", "split between grids of one community, though they would fit in one"),
    "large_compounds_split": ("compounds", "split between grids of one community, above the band on their own"),
    "footprints_cut": ("buildings", "cut by a border between two grids of one community"),
    "footprints_split": ("buildings", "cut by such a border where a building is split by unit; not among those cut"),
    "households": ("households", "in grids"),
    "households_in_no_grid": ("households", "of buildings in gaps or outside every community"),
    "households_lost": ("households", "of buildings, neither in a grid nor counted in none; must be 0"),
    "buildings_outside_grid": ("buildings", "whose point on surface is in no grid they are assigned to"),
    "gap_share": ("share", "of the area of the communities, in no grid; up to 1e-6 is rounding"),
    "overlap_share": ("share", "of the area of the communities, in two grids; up to 1e-6 is rounding"),
    "inner_border": ("m", "common border of grids of one community"),
    "street_border_share": ("share", "of the inner border, within 3 m of a street, a compound's wall or a barrier"),
    "polsby_popper": ("4πA/P²", "compactness, mean over all grids; 1 is a circle, 0.785 a square"),
    "tour_mean": ("m", "tour of all doors, mean over grids; straight lines, Hilbert curve improved by 2-opt, no route"),
    "longest_walk_mean": ("m", "longest walk between two doors on the streets of the grid, mean over grids"),
    "longest_walk_max": ("m", "the same in the grid where it is longest"),
    "doors_unreachable_share": ("share", "doors that the others of the grid cannot reach on the streets of the grid"),
}


def audit_plan(plan: GridPlan, *, by: str | None = None) -> pd.DataFrame:
    """Measures of a plan.

    Parameters
    ----------
    plan
        Any plan. Borders are measured against its streets, compounds and barriers; walks against its streets. What it
        does not carry is not measured and stands as NaN.
    by
        None or ``"grid"``.

    Returns
    -------
    DataFrame
        With `by` None one row a measure: measure, value, unit, meaning. With ``"grid"`` one row a grid.

    Raises
    ------
    OptionError
        When `by` is something else.

    Notes
    -----
    Lengths and areas are measured in the CRS that `gridmap.tables.crs.metric_crs` chooses for the communities.
    """
    if by not in (None, "grid"):
        raise OptionError(f"by={by!r} is unknown; use None for the plan as a whole, or 'grid'")
    ground = _Metric(plan)
    table = _by_grid(plan, ground)
    if by == "grid":
        return table
    values = (
        _band_values(plan, table) | _tiling_values(plan, ground, table) | _shape_values(table) | _walk_values(table)
    )
    counted = _unit(plan, plan.grids)
    rows = [
        (name, float(values[name]), counted if unit == "weight" else unit, meaning)
        for name, (unit, meaning) in MEASURES.items()
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "unit", "meaning"])


def polsby_popper(shapes: Any) -> npt.NDArray[np.float64]:
    """Compactness of polygons, 4πA/P²: 1 for a circle, 0.785 for a square.

    Examples
    --------
    >>> polsby_popper([shapely.box(0, 0, 3, 3)]).round(3).tolist()
    [0.785]
    """
    area, length = shapely.area(shapes), shapely.length(shapes)
    value: npt.NDArray[np.float64] = 4 * np.pi * area / np.where(length > 0, length, 1) ** 2
    return value


class _Metric:
    """The geometry of a plan in metres, and positions in place of ids."""

    def __init__(self, plan: GridPlan) -> None:
        crs = metric_crs(plan.communities)
        self.grids: Shapes = to_crs(plan.grids, crs).geometry.to_numpy()
        self.land: Shapes = to_crs(plan.communities, crs).geometry.to_numpy()
        self.footprints: Shapes = to_crs(plan.buildings, crs).geometry.to_numpy()
        self.points: Shapes = shapely.point_on_surface(self.footprints)
        self.streets, self.compounds, self.barriers, self.entrances = (
            None if table is None or not len(table) else to_crs(table, crs)
            for table in (plan.streets, plan.compounds, plan.barriers, plan.entrances)
        )
        self.owner = _positions(plan.grids["community_id"], plan.communities["community_id"])
        self.row_grid = _positions(plan.assignment["grid_id"], plan.grids["grid_id"])
        self.row_building = _positions(plan.assignment["building_id"], plan.buildings["building_id"])


def _positions(values: pd.Series, ids: pd.Series) -> Ints:
    """Position of each value among the ids; -1 where it is missing or unknown."""
    where = pd.Series(np.arange(len(ids)), index=ids.astype(object))
    found: Ints = values.astype(object).map(where).fillna(-1).to_numpy(dtype=np.intp)
    return found


def _by_grid(plan: GridPlan, ground: _Metric) -> pd.DataFrame:
    """One row a grid."""
    table = pd.DataFrame(plan.grids[["grid_id", "community_id", "status", "households", "buildings"]])
    table["area_m2"] = shapely.area(ground.grids)
    table["polsby_popper"] = polsby_popper(ground.grids)
    table["extra_pieces"] = extra_pieces(ground.grids, ground.land, ground.owner)

    borders = inner_borders(ground.grids, ground.owner, ground.land)
    size = len(table)
    # a stretch beside two neighbours is in the list twice, with its length shared out
    table["inner_border_m"] = np.bincount(borders.grid, borders.length, size)
    lines = guide_lines(ground.streets, ground.compounds, ground.barriers)
    if lines is None:
        table["street_border_m"] = np.nan
    else:
        near = along(borders.middle, lines)
        table["street_border_m"] = np.bincount(borders.grid, borders.length * near, size)

    home = _homes(ground)
    cut = footprints_cut(ground.footprints, home, ground.grids, ground.owner)
    by_unit = _split_by_unit(plan, ground)
    table["footprints_split"] = np.bincount(home[cut & by_unit], minlength=size)
    cut &= ~by_unit
    table["footprints_cut"] = np.bincount(home[cut], minlength=size)

    xy, grid = _doors(plan, ground)
    table["doors"] = np.bincount(grid, minlength=size)
    table["tour_m"] = tours(xy, grid, size)
    table["longest_walk_m"] = np.nan
    table["doors_unreachable"] = np.nan
    if ground.streets is not None:
        table["longest_walk_m"], table["doors_unreachable"] = street_walks(xy, grid, ground.grids, ground.streets)
    return table


def _homes(ground: _Metric) -> Ints:
    """Grid of each building; of one that is split between grids, the last of them."""
    home = np.full(len(ground.footprints), -1, dtype=np.intp)
    known = ground.row_building >= 0
    home[ground.row_building[known]] = ground.row_grid[known]
    return home


def _split_by_unit(plan: GridPlan, ground: _Metric) -> npt.NDArray[np.bool_]:
    """Which buildings are split by unit (`split_large`), or lie over one that is."""
    rows = plan.assignment
    unit = rows["unit_id"].notna() if "unit_id" in rows else pd.Series(data=False, index=rows.index)
    if "atom_id" in rows:
        unit |= rows["atom_id"].isin(rows.loc[unit, "atom_id"].dropna())
    out = np.zeros(len(ground.footprints), dtype=bool)
    out[ground.row_building[(unit & (ground.row_building >= 0)).to_numpy()]] = True
    return out


def _doors(plan: GridPlan, ground: _Metric) -> tuple[npt.NDArray[np.float64], Ints]:
    """Where the worker calls: entrances of the buildings with households, else the building itself; with the grid."""
    rows = (ground.row_grid >= 0) & (ground.row_building >= 0) & (plan.assignment["households"].to_numpy() > 0)
    pairs = np.unique(np.column_stack((ground.row_building[rows], ground.row_grid[rows])), axis=0)
    building, grid = pairs[:, 0], pairs[:, 1]
    points = ground.points[building]
    doors = ground.entrances
    if doors is None:
        return shapely.get_coordinates(points), grid
    of_building = (doors["of"] == "building").to_numpy()
    if "open" in doors:
        is_open = doors["open"].map(lambda value: value is not False and value != "no").to_numpy(dtype=bool)
        of_building = of_building & is_open
    doors = doors[of_building]
    at = _positions(doors["of_id"], plan.buildings["building_id"])
    known = pd.DataFrame({"building": at, "door": doors.geometry.to_numpy()})
    plain = pd.DataFrame({"building": building, "grid": grid, "point": points})
    met = plain.merge(known[known["building"] >= 0], on="building", how="left")
    where = met["door"].where(met["door"].notna(), met["point"]).to_numpy(dtype=object)
    return shapely.get_coordinates(where), met["grid"].to_numpy(dtype=np.intp)


def _band_values(plan: GridPlan, table: pd.DataFrame) -> dict[str, float]:
    counted = table[table["status"].isin(COUNTED)]
    lower, upper = _limits(plan, plan.grids.loc[counted.index])
    weight = plan.grids.loc[counted.index, _unit(plan, plan.grids)]
    off = (lower - weight).clip(lower=0) + (weight - upper).clip(lower=0)
    mean = counted["households"].mean() if len(counted) else np.nan
    return {
        "grids": len(table),
        "grids_counted": len(counted),
        "in_band_share": (counted["status"] == "legal").mean() if len(counted) else np.nan,
        "outside_band": off.sum(),
        "balance": counted["households"].std(ddof=0) / mean if len(counted) and mean > 0 else np.nan,
    }


def _tiling_values(plan: GridPlan, ground: _Metric, table: pd.DataFrame) -> dict[str, float]:
    rows = plan.assignment["households"].to_numpy(dtype="float64")
    homeless = rows[ground.row_grid < 0].sum()
    area = shapely.area(ground.land).sum()
    split, large = _split_counts(plan, ground)
    return {
        "extra_pieces": table["extra_pieces"].sum(),
        "grids_not_joined": _not_joined(plan),
        "compounds_split": split,
        "large_compounds_split": large,
        "footprints_cut": table["footprints_cut"].sum(),
        "footprints_split": table["footprints_split"].sum(),
        "households": table["households"].sum(),
        "households_in_no_grid": homeless,
        "households_lost": _total_households(plan) - homeless - table["households"].sum(),
        "buildings_outside_grid": _outside_their_grid(ground),
        "gap_share": shapely.area(gaps(ground.land, ground.grids)).sum() / area,
        "overlap_share": shapely.area(overlaps(ground.grids).shape).sum() / area,
    }


def _shape_values(table: pd.DataFrame) -> dict[str, float]:
    # each grid has its own side of a border
    inner = table["inner_border_m"].sum() / 2
    follows = table["street_border_m"].sum(min_count=1) / 2
    return {
        "inner_border": inner,
        "street_border_share": follows / inner if inner > 0 else np.nan,
        "polsby_popper": table["polsby_popper"].mean(),
    }


def _walk_values(table: pd.DataFrame) -> dict[str, float]:
    living = table[table["doors"] > 0]
    doors = living["doors"].sum()
    return {
        "tour_mean": living["tour_m"].mean(),
        "longest_walk_mean": living["longest_walk_m"].mean(),
        "longest_walk_max": living["longest_walk_m"].max(),
        "doors_unreachable_share": living["doors_unreachable"].sum(min_count=1) / doors if doors else np.nan,
    }


def _limits(plan: GridPlan, grids: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Band of each grid: its own where bands differ, else the plan's; no ceiling is infinite."""
    upper = plan.parameters.get("upper", 500)
    lower = pd.Series(float(plan.parameters.get("lower", 300)), index=grids.index)
    limit = pd.Series(np.inf if upper is None else float(upper), index=grids.index)
    if "lower" in grids and "upper" in grids:
        return grids["lower"].astype(float), grids["upper"].astype(float).fillna(np.inf)
    return lower, limit


def _unit(plan: GridPlan, table: pd.DataFrame) -> str:
    """The column that the band counts."""
    unit = str(plan.parameters.get("weight", "households"))
    return unit if unit in table else "households"


def _not_joined(plan: GridPlan) -> float:
    """Grids whose atoms do not hang together; NaN for a plan without atoms.

    Land of nobody that no atom of another grid joins either, behind a railway for one, has to be in some grid and does
    not count.
    """
    if not plan.has_atoms or plan.atoms is None or plan.adjacency is None:
        return np.nan
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = (_positions(plan.adjacency[c], plan.atoms["atom_id"]) for c in ("atom_a", "atom_b"))
    grid = _positions(plan.atoms["grid_id"], plan.grids["grid_id"])
    joined = (plan.adjacency["metres"] >= SHORTEST_JOIN).to_numpy()
    if "kind" in plan.adjacency:
        joined = joined | plan.adjacency["kind"].isin(["piece", "bridge"]).to_numpy()
    within = joined & (grid[a] == grid[b]) & (grid[a] >= 0)
    size = len(plan.atoms)
    graph = coo_array((np.ones(within.sum(), dtype=np.int8), (a[within], b[within])), shape=(size, size))
    part = connected_components(graph, directed=False)[1]
    counts = np.bincount(part, plan.atoms["households"].to_numpy()) > 0
    across = joined & (grid[a] != grid[b])
    counts[part[np.r_[a[across], b[across]]]] = True
    held = (grid >= 0) & counts[part]
    parts = np.bincount(np.unique(np.column_stack((grid, part))[held], axis=0)[:, 0])
    return int((parts > 1).sum())


def _total_households(plan: GridPlan) -> float:
    if "households" in plan.buildings:
        return float(plan.buildings["households"].sum())
    return float(plan.assignment["households"].sum())


def _outside_their_grid(ground: _Metric) -> int:
    rows = (ground.row_grid >= 0) & (ground.row_building >= 0)
    building, grid = ground.row_building[rows], ground.row_grid[rows]
    shapely.prepare(ground.grids)
    inside = shapely.intersects(ground.grids[grid], ground.points[building])
    return len(np.setdiff1d(building, building[inside]))


def _split_counts(plan: GridPlan, ground: _Metric) -> tuple[float, float]:
    """Split sides of compounds that would fit in one grid, and of those that would not; NaN without compounds."""
    if ground.compounds is None:
        return np.nan, np.nan
    split = split_compounds(ground.compounds.geometry.to_numpy(), ground.grids, ground.owner, ground.land)
    if split.empty:
        return 0, 0
    weight = plan.buildings[_unit(plan, plan.buildings)].to_numpy(dtype="float64")
    side, point = shapely.STRtree(ground.points).query(split["geometry"].to_numpy(), predicate="intersects")
    # the grids of one community have one band
    limit = _limits(plan, plan.grids)[1].to_numpy()[[grids[0] for grids in split["grids"]]]
    large = np.bincount(side, weight[point], len(split)) > limit
    return int((~large).sum()), int(large.sum())
