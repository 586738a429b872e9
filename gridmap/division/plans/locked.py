"""Locked grids: grids of an earlier plan that stay as they are, with the rest divided around them.

A locked grid is laid over the land like a compound that is never opened. What stands on it belongs to it, and nothing
else does: buildings that the earlier plan put there are looked for on its land, others are cut at its outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.division.ledger import row_shares
from gridmap.errors import OptionError
from gridmap.tables.crs import to_crs
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridmap.division.plans.plan import GridPlan

__all__ = ["Locked", "lock_grids", "with_units"]

# A locked grid may stick out of its community by this part of its area: the last digits of a projection.
_OUTSIDE = 1e-6
# Between the id of a building and the grid that holds some of its units.
_MARK = "\x1f"


@dataclass(frozen=True)
class Locked:
    """Locked grids as compounds, and the buildings as the ground step shall see them.

    Attributes
    ----------
    compounds
        compound_id, geometry and sealed (true): the locked grids.
    grid_of
        Grid id by compound_id.
    dedicated, names
        Grid ids of the dedicated ones among them, and the name of each by grid id.
    buildings
        All buildings; a building with units in a locked grid and elsewhere is in it once for each, see `units`.
    units
        building_id, part (its id in `buildings`), unit_id, households, share (of the building): of these buildings.
    findings
        Rows for the findings.
    """

    compounds: gpd.GeoDataFrame
    grid_of: dict[str, str]
    dedicated: list[str]
    names: dict[str, str]
    buildings: gpd.GeoDataFrame
    units: pd.DataFrame
    findings: list[dict[str, Any]]

    def part_weights(self, weights: pd.Series) -> pd.Series:
        """What every row of `buildings` counts, from what every building does."""
        held = self.units.groupby(["part", "building_id"])["share"].sum().reset_index()
        parts = pd.Series((held["building_id"].map(weights) * held["share"]).to_numpy(), index=held["part"])
        whole = weights[~weights.index.isin(held["building_id"])]
        return pd.concat([whole, parts]) if len(parts) else weights

    def part_units(self, units: pd.DataFrame | None) -> pd.DataFrame | None:
        """The units that a split goes by: of buildings in parts, those that the part still has."""
        if self.units.empty:
            return units
        mine = self.units[["part", "unit_id", "households"]].rename(columns={"part": "building_id"})
        rest = [] if units is None else [units[~units["building_id"].isin(self.units["building_id"])]]
        return pd.concat([*rest, mine], ignore_index=True)


def lock_grids(
    locked: Iterable[str], previous: GridPlan | None, communities: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame
) -> Locked:
    """Locked grids of an earlier plan.

    Parameters
    ----------
    locked
        Ids of its grids.
    previous
        The earlier plan.
    communities, buildings
        Checked tables, as they are now.

    Raises
    ------
    OptionError
        When there is no earlier plan, no such grid in it, or a grid does not lie in its community any more.
    """
    wanted = sorted({str(g) for g in ([locked] if isinstance(locked, str) else locked)})
    if previous is None:
        raise OptionError("locked names grids of an earlier plan; give that plan as previous=")
    unknown = sorted(set(wanted) - set(previous.grids["grid_id"]))
    if unknown:
        raise OptionError(
            f"locked names {len(unknown)} grids that the previous plan does not have: {', '.join(unknown[:10])}"
        )
    grids = to_crs(previous.grids[previous.grids["grid_id"].isin(wanted)], communities.crs)
    grids = grids.sort_values("grid_id").reset_index(drop=True)
    _check_place(grids, communities)
    rows = previous.assignment.assign(share=row_shares(previous.assignment))
    placed, units, found = _placed(to_crs(buildings, communities.crs), rows, grids)
    compounds = grids[["grid_id", "geometry"]].rename(columns={"grid_id": "compound_id"})
    compounds["compound_id"] = "locked:" + compounds["compound_id"]
    compounds["sealed"] = True
    return Locked(
        compounds,
        dict(zip(compounds["compound_id"], grids["grid_id"], strict=True)),
        grids.loc[grids["kind"] == "dedicated", "grid_id"].tolist(),
        {g: str(n) for g, n in zip(grids["grid_id"], grids.get("name", grids["grid_id"]), strict=True) if pd.notna(n)},
        placed,
        units,
        found,
    )


def with_units(assignment: pd.DataFrame, locked: Locked) -> pd.DataFrame:
    """The assignment of the ground step with the parts of a building under its own id again, unit by unit."""
    if locked.units.empty:
        return assignment
    part = assignment["building_id"].isin(locked.units["part"]) & assignment["unit_id"].isna()
    units = locked.units.merge(
        assignment.loc[part].drop(columns=["unit_id", "households"]).rename(columns={"building_id": "part"}), on="part"
    ).drop(columns="part")
    # A part that was split anew has units of its own.
    rest = assignment[~part].copy()
    of = dict(zip(locked.units["part"], locked.units["building_id"], strict=True))
    rest["building_id"] = rest["building_id"].map(lambda name: of.get(name, name))
    return pd.concat([rest, units[list(rest.columns)]], ignore_index=True)


def _check_place(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> None:
    land = communities.set_index("community_id").geometry
    gone = grids.loc[~grids["community_id"].isin(land.index), "grid_id"].tolist()
    if gone:
        raise OptionError(f"locked grids {', '.join(gone[:10])} lie in communities that there are not any more")
    home = land.reindex(grids["community_id"]).to_numpy()
    shapes = grids.geometry.to_numpy()
    out = shapely.area(shapely.difference(shapes, home)) > _OUTSIDE * shapely.area(shapes)
    if out.any():
        raise OptionError(
            f"locked grids {', '.join(grids.loc[out, 'grid_id'].tolist()[:10])} stick out of their communities; "
            "a border was redrawn since: unlock them"
        )


def _placed(
    buildings: gpd.GeoDataFrame, rows: pd.DataFrame, grids: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[dict[str, Any]]]:
    """Buildings, each on the land of the locked grid that holds it and off that of the others."""
    walls = grids.geometry.to_numpy()
    number = pd.Series(np.arange(len(grids)), index=grids["grid_id"])
    rows = rows[rows["building_id"].isin(buildings["building_id"])]
    inside = rows["grid_id"].map(number).fillna(-1).astype(int)
    several = inside.groupby(rows["building_id"]).transform("nunique") > 1
    home = pd.Series(inside[~several].to_numpy(), index=rows.loc[~several, "building_id"])
    home = home[~home.index.duplicated()]

    parts, units = _parts(buildings, rows[several], inside[several])
    whole = buildings[~buildings["building_id"].isin(parts["of"])]
    table = gpd.GeoDataFrame(pd.concat([whole.assign(of=whole["building_id"]), parts]), crs=buildings.crs)
    wanted = table.pop("at").to_numpy(dtype=float) if "at" in table else np.full(len(table), np.nan)
    of = table.pop("of")
    wanted = np.where(np.isnan(wanted), table["building_id"].map(home).fillna(-1).to_numpy(dtype=float), wanted)
    shapes, strangers = _moved(np.asarray(table.geometry.array), wanted.astype(int), walls)
    table = table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))
    found = []
    if strangers.any():
        found.append(
            finding(
                "warning", "locked_land",
                f"{strangers.sum():,} buildings that were not in a locked grid stand on the land of one and are now "
                "counted in it.",
                cure="Unlock the grid, or leave the buildings out.", ids=of[strangers].tolist(),
            )
        )  # fmt: skip
    return table, units, found


def _moved(shapes: np.ndarray, home: np.ndarray, walls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapes on the land of their home and off that of other locked grids; which ones have no other land."""
    out = shapes.copy()
    for i in np.flatnonzero(home >= 0):
        if not shapely.intersects(walls[home[i]], shapely.point_on_surface(out[i])):
            part = shapely.intersection(out[i], walls[home[i]])
            solid = shapely.area(part) > 0
            out[i] = part if solid else shapely.point_on_surface(walls[home[i]])
    others = np.flatnonzero(home < 0)
    over = np.unique(shapely.STRtree(walls).query(out[others], predicate="intersects")[0])
    strangers = np.zeros(len(out), dtype=bool)
    cover = shapely.union_all(walls)
    for i in others[over]:
        if shapely.area(out[i]) == 0:
            strangers[i] = True
            continue
        rest = shapely.difference(out[i], cover)
        if shapely.area(rest) > 0.01 * shapely.area(out[i]):
            out[i] = rest
        else:
            strangers[i] = shapely.relate_pattern(out[i], cover, "T********")
    return out, strangers


def _parts(buildings: gpd.GeoDataFrame, rows: pd.DataFrame, inside: pd.Series) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Buildings with units both in a locked grid and elsewhere, once for each; and their units."""
    table = buildings.set_index("building_id", drop=False)
    counted = [c for c in table.select_dtypes("number").columns if c != "floors"]
    parts, units = [], []
    keys = pd.MultiIndex.from_arrays([rows["building_id"], inside])
    for name, at in sorted(set(keys)):
        mine = rows[keys == (name, at)]
        share = float(mine["share"].sum())
        part = name if at < 0 else f"{name}{_MARK}{at}"
        row = table.loc[[name]].assign(building_id=part, of=name, at=at)
        row[counted] = row[counted] * share
        parts.append(row)
        held = table.at[name, "households"] * mine["share"]  # noqa: PD008
        units.append(pd.DataFrame({"building_id": name, "part": part, "unit_id": mine["unit_id"], "households": held}))
        units[-1]["share"] = mine["share"]
    columns = ["building_id", "part", "unit_id", "households", "share"]
    return (
        gpd.GeoDataFrame(pd.concat(parts), crs=buildings.crs) if parts else buildings.iloc[:0].assign(of="", at=0.0),
        pd.concat(units, ignore_index=True) if units else pd.DataFrame(columns=columns),
    )
