"""Grids drawn by hand as a plan: which building lies in which, and a finding for each fault; nothing is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ledger import COUNTS, building_weights, grid_status, grid_sums
from gridmap.division.plans.assemble import (
    COMMUNITY_COLUMNS,
    building_table,
    ground_tables,
    kept_columns,
    versions,
)
from gridmap.division.plans.codes import check_scheme, highest_numbers
from gridmap.division.plans.drawn_findings import drawn_findings, plural
from gridmap.division.plans.holders import first_holder, homes, rank
from gridmap.division.plans.tiling import largest_share, polygonal
from gridmap.errors import OptionError
from gridmap.network.streets import StreetNetwork, as_lines
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["plan_from_grids"]

_KINDS = ("basic", "dedicated", "responsibility")


def plan_from_grids(
    grids: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork | None = None,
    *,
    lower: float = 300,
    upper: float = 500,
    weight: str | pd.Series = "households",
    compounds: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
    code: str = "15",
    object_code: str = "000000",
) -> dict[str, Any]:
    """The fields of a `GridPlan` made of the bureau's own grids, which stay as they are.

    A building belongs to the grid that holds its point on surface. Where grids overlap it goes to one of its own
    community before others, then to the lower grid id. A building in no grid stays in the assignment without one, so
    that households are conserved. Faults are findings, never refusals:

    ``geometry`` (a polygon that crosses itself, mended), ``overlap``, ``gap`` (land of a community in no grid, and the
    buildings there), ``outside_community`` (a grid sticks out of its community, or lies in none), ``community_id``
    (unknown, taken from the place), ``extra_pieces``, ``household_band``, ``compound_split``, ``footprint_cut``,
    ``building_outside_communities`` (buildings outside every community), ``communities_overlap``.

    Parameters
    ----------
    grids
        grid_id and geometry; community_id, name, kind (basic, dedicated, responsibility), responsible, previous_id and
        others where known. ids stay as given. A grid without community_id belongs to the community that holds most of
        it. Rows of kind responsibility lie below the grids and become area_id of the assignment.
    communities, buildings
        Buildings need `weight` and households.
    streets
        Streets, or a prepared network; kept for the audit.
    lower, upper, weight
        The band and what it counts: a column of `buildings`, or a Series by building id.
    compounds, barriers, entrances
        Compounds are checked for being split; all are kept for the audit.
    code, object_code
        Scheme of the codes of grids that edits add.

    Raises
    ------
    TableError
        When a table breaks its contract in a way that leaves nothing to audit: ids missing or repeated, no CRS,
        negative households.
    OptionError
        When `lower` and `upper` are no band.
    """
    check_scheme(code, object_code)
    if not 0 <= lower <= upper:
        raise OptionError(f"lower={lower} and upper={upper} are no band; give 0 <= lower <= upper")
    communities = check_table(communities, "communities")
    needs = {"households", weight} if isinstance(weight, str) else {"households"}
    buildings = check_table(buildings, "buildings", needs=needs)
    streets, compounds, barriers, entrances = (
        table if table is None else check_table(table, name, allow_empty=True)
        for name, table in (
            ("streets", as_lines(streets)), ("compounds", compounds), ("barriers", barriers), ("entrances", entrances),
        )
    )  # fmt: skip
    metric = metric_crs(communities)
    grids, mended = _valid_grids(grids)
    grids = check_table(grids, "grids")
    found = [_mended_finding(grids, mended, communities.crs)] if mended.any() else []

    grids, areas = _levels(to_crs(grids, communities.crs))
    grid_shapes = to_crs(grids, metric).geometry.to_numpy()
    land = to_crs(communities, metric).geometry.to_numpy()
    point = shapely.point_on_surface(to_crs(buildings, metric).geometry.to_numpy())
    grids, owner, derived = _owners(grids, grid_shapes, communities, land)
    building_owner = first_holder(point, land, rank(communities["community_id"]))
    home = homes(point, building_owner, grid_shapes, owner, rank(grids["grid_id"]))
    assignment = pd.DataFrame({"building_id": buildings["building_id"].to_numpy(), "unit_id": None})
    assignment["grid_id"] = _ids_at(grids["grid_id"], home)
    assignment["area_id"] = _area_ids(areas, point, metric)
    assignment["households"] = buildings["households"].to_numpy(dtype="float64")

    unit = weight if isinstance(weight, str) else "weight"
    weights = building_weights(buildings, weight)
    ledger = _ledger(grids, grid_shapes, assignment, buildings, weights, building_owner, owner, lower, upper, unit)
    crs = communities.crs
    kept = kept_columns(communities, COMMUNITY_COLUMNS)
    houses = building_table(buildings, weights, unit, crs)
    ground = ground_tables(crs, streets=streets, compounds=compounds, barriers=barriers, entrances=entrances)
    ledger = ledger.sort_values("grid_id", kind="stable").reset_index(drop=True)
    judged = drawn_findings(ledger, kept, houses, assignment, ground["compounds"], lower, upper, unit)
    return {
        "grids": ledger,
        "assignment": assignment.sort_values("building_id", kind="stable").reset_index(drop=True),
        "findings": findings_table([*found, *derived, *judged], crs=crs),
        "communities": kept,
        "buildings": houses,
        "parameters": {
            "lower": lower, "upper": upper, "weight": unit, "source": "grids", "code": code,
            "object_code": object_code,
            "highest_numbers": highest_numbers(ledger, communities, scheme=code, object_code=object_code),
            "versions": versions(),
        },
        **ground,
    }  # fmt: skip


def _valid_grids(grids: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_]]:
    """Grids with polygons that cross themselves mended, and which those were."""
    if not isinstance(grids, gpd.GeoDataFrame):
        return grids, np.zeros(0, dtype=bool)
    shapes = grids.geometry.to_numpy()
    wrong = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes) & (shapely.get_dimensions(shapes) == 2)
    if wrong.any():
        shapes = shapes.copy()
        shapes[wrong] = polygonal(shapely.make_valid(shapes[wrong]))
        grids = grids.set_geometry(gpd.GeoSeries(shapes, index=grids.index, crs=grids.crs))
    return grids, wrong


def _mended_finding(grids: gpd.GeoDataFrame, mended: npt.NDArray[np.bool_], crs: Any) -> dict[str, Any]:
    ids = grids.loc[mended, "grid_id"].tolist()
    return finding(
        "warning",
        "geometry",
        f"{len(ids)} {plural(len(ids), 'grid crosses itself', 'grids cross themselves')}; mended for this audit.",
        status="mended",
        cure="Draw the outline again without crossing itself.",
        ids=ids,
        geometry=shapely.union_all(to_crs(grids[mended], crs).geometry.to_numpy()),
    )


def _levels(grids: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Grids proper, and the responsibility areas below them."""
    kind = grids["kind"] if "kind" in grids else pd.Series(None, index=grids.index, dtype=object)
    grids = grids.assign(kind=kind.where(kind.isin(_KINDS), "basic").astype(object))
    lowest = (grids["kind"] == "responsibility") & ~(grids["kind"] == "responsibility").all()
    return grids[~lowest].reset_index(drop=True), grids[lowest].reset_index(drop=True)


def _owners(
    grids: gpd.GeoDataFrame, shapes: Shapes, communities: gpd.GeoDataFrame, land: Shapes
) -> tuple[gpd.GeoDataFrame, Ints, list[dict[str, Any]]]:
    """Community of each grid as given, else the one that holds most of it, and what was found about that."""
    names = communities["community_id"].to_numpy()
    position = pd.Series(np.arange(len(names)), index=names)
    given = grids["community_id"] if "community_id" in grids else pd.Series(None, index=grids.index, dtype=object)
    owner = given.map(position).fillna(-1).to_numpy(dtype=np.intp, copy=True)
    unknown = owner < 0
    owner[unknown] = largest_share(shapes[unknown], land)
    wrong = unknown & given.notna().to_numpy()
    grids = grids.assign(community_id=_ids_at(communities["community_id"], owner))
    found = []
    if wrong.any():
        ids = grids.loc[wrong, "grid_id"].tolist()
        found.append(
            finding(
                "warning",
                "community_id",
                f"{len(ids)} {plural(len(ids), 'grid names a community', 'grids name communities')} that "
                f"communities does not have; the place decided.",
                status="unknown",
                cure="Correct community_id in grids.",
                ids=ids,
            )
        )
    return grids, owner, found


def _area_ids(areas: gpd.GeoDataFrame, point: Shapes, metric: Any) -> pd.Series:
    if not len(areas):
        return _ids_at(areas["grid_id"], np.full(len(point), -1, dtype=np.intp))
    holder = first_holder(point, to_crs(areas, metric).geometry.to_numpy(), rank(areas["grid_id"]))
    return _ids_at(areas["grid_id"], holder)


def _ids_at(ids: pd.Series, position: Ints) -> pd.Series:
    """The id at each position; None where that is -1."""
    out = np.full(len(position), None, dtype=object)
    known = position >= 0
    out[known] = ids.to_numpy()[position[known]]
    return pd.Series(out, dtype=object)


def _ledger(
    grids: gpd.GeoDataFrame,
    shapes: Shapes,
    assignment: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    weights: pd.Series,
    building_owner: Ints,
    owner: Ints,
    lower: float,
    upper: float,
    unit: str,
) -> gpd.GeoDataFrame:
    """The grids as given, with what they hold and whether that is in the band."""
    sums = grid_sums(assignment, assignment["grid_id"], buildings, weights).reindex(grids["grid_id"])
    table = grids.drop(columns=[c for c in ("households", *COUNTS, unit, "weight", "buildings") if c in grids])
    table = table.drop(columns=[c for c in ("area_m2", "status") if c in table])
    for column in ("households", "weight", "buildings"):
        sums[column] = sums[column].fillna(0)
    table = table.assign(**{c: sums[c].to_numpy() for c in ("households", *COUNTS) if c in sums})
    table[unit] = sums["weight"].to_numpy()
    table["buildings"] = sums["buildings"].to_numpy(dtype="int64")
    table["area_m2"] = shapely.area(shapes)
    known = building_owner >= 0
    total = np.bincount(building_owner[known], weights.to_numpy()[known], max(owner.max(initial=-1) + 1, 1))
    status = grid_status(
        pd.Series(sums["weight"].to_numpy(), index=table["grid_id"]),
        lower,
        upper,
        # a grid beside its community may hold households that the community does not
        community_weight=pd.Series(np.where(owner >= 0, total[owner], 1) + sums["weight"].to_numpy(), table["grid_id"]),
        dedicated=table.loc[table["kind"] == "dedicated", "grid_id"],
    )
    table["status"] = status.to_numpy()
    names = table["name"] if "name" in table else pd.Series(None, index=table.index, dtype=object)
    table["name"] = names.where(names.notna(), table["grid_id"])
    first = ["grid_id", "community_id", "kind", "households", *(c for c in COUNTS if c in table), unit]
    first = [*dict.fromkeys(first), "buildings", "area_m2", "status", "name"]
    shape = table.geometry.name
    rest = [c for c in table.columns if c not in (*first, shape)]
    table = table[[*first, *rest, shape]]
    return table if shape == "geometry" else table.rename_geometry("geometry")
