"""Grids drawn by hand as a plan: which building lies in which, and a finding for each fault; nothing is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import inner_borders, neighbour_table
from gridmap.division.ledger import COUNTS, building_weights, grid_status, grid_sums
from gridmap.division.plans.assemble import (
    COMMUNITY_COLUMNS,
    building_table,
    ground_tables,
    kept_columns,
    largest_rows,
    versions,
)
from gridmap.division.plans.codes import check_scheme, highest_numbers
from gridmap.division.plans.cuts import footprints_cut, split_compounds
from gridmap.division.plans.tiling import extra_pieces, gaps, largest_share, outside, overlaps, polygonal
from gridmap.division.search.cures import band_findings
from gridmap.errors import OptionError
from gridmap.network.streets import StreetNetwork, as_lines
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["drawn_findings", "plan_from_grids"]

# Overlaps, gaps and excess below this are the last digits of a drawing.
_LEAST_M2 = 1.0
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
    building_owner = _first_holder(point, land, _rank(communities["community_id"]))
    home = _homes(point, building_owner, grid_shapes, owner, _rank(grids["grid_id"]))
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


def drawn_findings(
    grids: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    assignment: pd.DataFrame,
    compounds: gpd.GeoDataFrame | None,
    lower: float,
    upper: float,
    unit: str,
) -> list[dict[str, Any]]:
    """What is wrong with grids drawn by hand, from the tables of their plan; rows for `findings_table`."""
    metric, crs = metric_crs(communities), communities.crs
    shapes, land, footprints = (to_crs(t, metric).geometry.to_numpy() for t in (grids, communities, buildings))
    sign = _Sign(grids["grid_id"].to_numpy(), metric, crs)
    owner = pd.Index(communities["community_id"]).get_indexer(pd.Index(grids["community_id"].astype(object)))
    point = shapely.point_on_surface(footprints)
    building_owner = _first_holder(point, land, _rank(communities["community_id"]))
    rows = assignment.set_index("building_id").reindex(buildings["building_id"]).reset_index()
    home = pd.Index(grids["grid_id"]).get_indexer(pd.Index(rows["grid_id"].astype(object)))
    weights = building_weights(buildings, unit)
    inside = home >= 0

    found = _tiling_findings(sign, shapes, communities, land, rows, point, building_owner)
    found += _outside_findings(sign, shapes, owner, communities, land, home, building_owner)
    found += _piece_findings(sign, shapes, owner, land)
    found += band_findings(
        grids,
        neighbour_table(inner_borders(shapes, owner, land, step=5.0), sign.ids),
        lower=lower,
        upper=upper,
        unit=unit,
        largest=largest_rows(rows[inside], rows.loc[inside, "grid_id"], weights),
        certificates={name: {"kind": "audit"} for name in grids["grid_id"]},
    )
    cut = footprints_cut(footprints, home, shapes, owner)
    found += _cut_findings(buildings["building_id"][cut])
    if compounds is not None:
        found += _compound_findings(sign, to_crs(compounds, metric), shapes, owner, land)
    found += _stray_findings(buildings, building_owner, home)
    return found


class _Sign:
    """What findings need to say which grid and where: grid ids, and the way back to the CRS of the result."""

    def __init__(self, ids: npt.NDArray[np.object_], metric: Any, crs: Any) -> None:
        self.ids = ids
        self._metric, self._crs = metric, crs

    def place(self, shape: Any) -> Any:
        """A geometry in the CRS of the result."""
        return gpd.GeoSeries([shape], crs=self._metric).to_crs(self._crs).iloc[0]


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
        f"{len(ids)} {_plural(len(ids), 'grid crosses itself', 'grids cross themselves')}; mended for this audit.",
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
                f"{len(ids)} {_plural(len(ids), 'grid names a community', 'grids name communities')} that "
                f"communities does not have; the place decided.",
                status="unknown",
                cure="Correct community_id in grids.",
                ids=ids,
            )
        )
    return grids, owner, found


def _rank(ids: pd.Series) -> Ints:
    """Place of each id in sorted order."""
    rank = np.empty(len(ids), dtype=np.intp)
    rank[np.argsort(ids.to_numpy(dtype=str), kind="stable")] = np.arange(len(ids))
    return rank


def _first_holder(point: Shapes, shapes: Shapes, rank: Ints) -> Ints:
    """Position of the polygon that holds each point, the one of lowest rank where several do; -1 for none."""
    shape, row = shapely.STRtree(point).query(shapes, predicate="intersects")
    return _first(len(point), row, shape, rank[shape])


def _homes(point: Shapes, building_owner: Ints, shapes: Shapes, owner: Ints, rank: Ints) -> Ints:
    """Position of the grid of each point: of its own community first, then the lower grid id; -1 for none."""
    grid, row = shapely.STRtree(point).query(shapes, predicate="intersects")
    stranger = owner[grid] != building_owner[row]
    return _first(len(point), row, grid, stranger * len(shapes) + rank[grid])


def _first(size: int, row: Ints, value: Ints, rank: Ints) -> Ints:
    order = np.lexsort((rank, row))
    which, first = np.unique(row[order], return_index=True)
    out = np.full(size, -1, dtype=np.intp)
    out[which] = value[order[first]]
    return out


def _area_ids(areas: gpd.GeoDataFrame, point: Shapes, metric: Any) -> pd.Series:
    if not len(areas):
        return _ids_at(areas["grid_id"], np.full(len(point), -1, dtype=np.intp))
    holder = _first_holder(point, to_crs(areas, metric).geometry.to_numpy(), _rank(areas["grid_id"]))
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


def _tiling_findings(
    sign: _Sign,
    shapes: Shapes,
    communities: gpd.GeoDataFrame,
    land: Shapes,
    assignment: pd.DataFrame,
    point: Shapes,
    building_owner: Ints,
) -> list[dict[str, Any]]:
    """Overlaps of grids, gaps in communities, overlaps of communities."""
    names = communities["community_id"].to_numpy()
    households = assignment["households"].to_numpy()
    found = []
    common = overlaps(shapes, least=_LEAST_M2)
    pair, held = shapely.STRtree(point).query(common.shape, predicate="intersects")
    for k, i, j in zip(range(len(common.first)), common.first, common.second, strict=True):
        a, b = sorted((str(sign.ids[i]), str(sign.ids[j])))
        inside = held[pair == k]
        found.append(
            finding(
                "error",
                "overlap",
                f"Grids {a} and {b} overlap by {_area(common.shape[k])}; "
                + (
                    f"{_held(len(inside), households[inside].sum())} there count for one of them only."
                    if len(inside)
                    else "no building there."
                ),
                cure=f"Take the land from {a} or from {b}.",
                ids=[a, b],
                certificate={"kind": "audit", "area_m2": round(float(shapely.area(common.shape[k])), 2)},
                geometry=sign.place(common.shape[k]),
            )
        )
    open_land = gaps(land, shapes)
    homeless = assignment["grid_id"].isna().to_numpy()
    for k in np.flatnonzero(shapely.area(open_land) > _LEAST_M2).tolist():
        inside = homeless & (building_owner == k)
        ids = assignment["building_id"].to_numpy()[inside]
        parts = shapely.area(shapely.get_parts(open_land[k]))
        number = max(1, int((parts > _LEAST_M2).sum()))
        found.append(
            finding(
                "error" if inside.any() else "warning",
                "gap",
                f"Community {names[k]}: {_area(open_land[k])} in {number} {_plural(number, 'place', 'places')} "
                f"{_plural(number, 'lies', 'lie')} in no grid; "
                + (f"{_held(len(ids), households[inside].sum())} there." if len(ids) else "no building there."),
                cure="Extend the neighbouring grids over it.",
                ids=[names[k], *ids],
                certificate={"kind": "audit", "area_m2": round(float(shapely.area(open_land[k])), 2)},
                geometry=sign.place(open_land[k]),
            )
        )
    common = overlaps(land, least=_LEAST_M2)
    for i, j, shape in zip(*common, strict=True):
        a, b = sorted((str(names[i]), str(names[j])))
        found.append(
            finding(
                "error",
                "communities_overlap",
                f"Communities {a} and {b} overlap by {_area(shape)}; buildings there count for {a}.",
                cure="Correct the border between the two communities.",
                ids=[a, b],
                geometry=sign.place(shape),
            )
        )
    return found


def _outside_findings(
    sign: _Sign,
    shapes: Shapes,
    owner: Ints,
    communities: gpd.GeoDataFrame,
    land: Shapes,
    home: Ints,
    building_owner: Ints,
) -> list[dict[str, Any]]:
    """Grids that stick out of their community, or have none."""
    names = communities["community_id"].to_numpy()
    excess = outside(shapes, land, owner)
    size = shapely.area(excess)
    stranger = (home >= 0) & (building_owner != owner[home])
    strangers = np.bincount(home[stranger], minlength=len(shapes))
    found = []
    for k in np.flatnonzero((size > _LEAST_M2) | (owner < 0)):
        whole = owner[k] < 0 or size[k] > (1 - 1e-9) * shapely.area(shapes[k])
        where = "every community" if owner[k] < 0 else f"its community {names[owner[k]]}"
        part = "lies" if whole else f"lies with {_area(excess[k])}"
        found.append(
            finding(
                "error" if whole or strangers[k] else "warning",
                "outside_community",
                f"Grid {sign.ids[k]} {part} outside {where}; buildings of its that belong elsewhere: {strangers[k]}.",
                status="whole" if whole else "part",
                cure="Cut the grid at the community border.",
                ids=[sign.ids[k]],
                certificate={"kind": "audit", "area_m2": round(float(size[k]), 2)},
                geometry=sign.place(excess[k]),
            )
        )
    return found


def _piece_findings(sign: _Sign, shapes: Shapes, owner: Ints, land: Shapes) -> list[dict[str, Any]]:
    extra = extra_pieces(shapes, land, owner)
    return [
        finding(
            "error",
            "extra_pieces",
            f"Grid {sign.ids[k]} is in {shapely.get_num_geometries(shapes[k])} pieces, {extra[k]} more than its "
            "community forces.",
            cure="Give the smaller pieces to the grids around them.",
            ids=[sign.ids[k]],
            geometry=sign.place(shapes[k]),
        )
        for k in np.flatnonzero(extra)
    ]


def _cut_findings(ids: pd.Series) -> list[dict[str, Any]]:
    if not len(ids):
        return []
    verb = _plural(len(ids), "building is cut by a border", "buildings are cut by borders")
    return [
        finding(
            "warning",
            "footprint_cut",
            f"{len(ids)} {verb} between two grids of one community.",
            cure="Move the border to the wall of the building or to the street.",
            ids=sorted(ids),
        )
    ]


def _compound_findings(
    sign: _Sign, compounds: gpd.GeoDataFrame, shapes: Shapes, owner: Ints, land: Shapes
) -> list[dict[str, Any]]:
    names = compounds["compound_id"].to_numpy()
    split = split_compounds(compounds.geometry.to_numpy(), shapes, owner, land)
    return [
        finding(
            "warning",
            "compound_split",
            f"Compound {names[row['compound']]} is split between grids {', '.join(sign.ids[row['grids']])}.",
            cure="Give the whole compound to one of them, unless it alone is above the band.",
            ids=[names[row["compound"]], *sign.ids[row["grids"]]],
            geometry=sign.place(row["geometry"]),
        )
        for row in split.to_dict("records")
    ]


def _stray_findings(buildings: gpd.GeoDataFrame, building_owner: Ints, home: Ints) -> list[dict[str, Any]]:
    stray = building_owner < 0
    if not stray.any():
        return []
    held = _held(int(stray.sum()), buildings.loc[stray, "households"].sum())
    some = int((stray & (home >= 0)).sum())
    tail = f"; {some} of them lie in a grid that sticks out" if some else ""
    return [
        finding(
            "warning",
            "building_outside_communities",
            f"{held} {_plural(int(stray.sum()), 'lies', 'lie')} outside every community{tail}.",
            cure="Add the community they belong to, or leave them out.",
            ids=sorted(buildings.loc[stray, "building_id"]),
        )
    ]


def _plural(number: float, one: str, many: str) -> str:
    return one if number == 1 else many


def _held(number: int, households: float) -> str:
    return f"{number:,} {_plural(number, 'building', 'buildings')} with {households:,.0f} households"


def _area(shape: Any) -> str:
    return f"{shapely.area(shape):,.0f} m²"
