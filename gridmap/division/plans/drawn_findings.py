"""Findings on grids drawn by hand: land of two or of none, pieces, what sticks out, what is cut; nothing is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import inner_borders, neighbour_table
from gridmap.division.ledger import building_weights
from gridmap.division.plans.assemble import (
    largest_rows,
)
from gridmap.division.plans.cuts import footprints_cut, split_compounds
from gridmap.division.plans.holders import first_holder, rank
from gridmap.division.plans.tiling import extra_pieces, gaps, outside, overlaps
from gridmap.division.search.cures import band_findings
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["drawn_findings", "plural"]

# Overlaps, gaps and excess below this are the last digits of a drawing.
_LEAST_M2 = 1.0


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
    building_owner = first_holder(point, land, rank(communities["community_id"]))
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
                f"Community {names[k]}: {_area(open_land[k])} in {number} {plural(number, 'place', 'places')} "
                f"{plural(number, 'lies', 'lie')} in no grid; "
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
    verb = plural(len(ids), "building is cut by a border", "buildings are cut by borders")
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
            f"{held} {plural(int(stray.sum()), 'lies', 'lie')} outside every community{tail}.",
            cure="Add the community they belong to, or leave them out.",
            ids=sorted(buildings.loc[stray, "building_id"]),
        )
    ]


def plural(number: float, one: str, many: str) -> str:
    """The word for one, or for many."""
    return one if number == 1 else many


def _held(number: int, households: float) -> str:
    return f"{number:,} {plural(number, 'building', 'buildings')} with {households:,.0f} households"


def _area(shape: Any) -> str:
    return f"{shapely.area(shape):,.0f} m²"
