"""House names: numbers along the street or lane for what stands alone, odd on its left and even on its right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from town.plan import OLD_QUARTER, VILLAGE

if TYPE_CHECKING:
    import geopandas as gpd


def name(buildings: gpd.GeoDataFrame, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The buildings with `name` and `name_en` filled."""
    out = buildings.copy()
    bare = out["name"].isna()
    _along_streets(out, streets, out.index[bare & (out["community_id"] != VILLAGE)])
    for group in out.loc[bare & (out["community_id"] == VILLAGE), "group"].unique():
        rows = out.index[(out["group"] == group) & bare]
        out.loc[rows, "name"] = [f"{group}{i}号" for i in range(1, len(rows) + 1)]
        english = out.loc[rows[0], "group_en"]
        out.loc[rows, "name_en"] = [f"{english} No. {i}" for i in range(1, len(rows) + 1)]
    return out


def _along_streets(out: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, rows: object) -> None:
    """Name the rows after the nearest street of their kind, numbered along it."""
    middles = shapely.point_on_surface(out.geometry[rows].to_numpy())
    old = (out.loc[rows, "community_id"] == OLD_QUARTER).to_numpy()
    lanes = streets[streets["kind"].isin(["lane", "living_street"])]
    others = streets[streets["kind"].isin(["primary", "secondary", "tertiary", "residential"])]
    for chosen, lines in ((old, lanes), (~old, others)):
        if not chosen.any():
            continue
        shapes = lines.geometry.to_numpy()
        points = middles[chosen]
        line = shapely.STRtree(shapes).nearest(points)
        at = shapely.line_locate_point(shapes[line], points)
        near = shapely.get_coordinates(shapely.line_interpolate_point(shapes[line], at))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(shapes[line], at + 1.0))
        back = shapely.get_coordinates(shapely.line_interpolate_point(shapes[line], np.maximum(at - 1.0, 0)))
        along, out_of = ahead - back, shapely.get_coordinates(points) - near
        left = along[:, 0] * out_of[:, 1] - along[:, 1] * out_of[:, 0] > 0
        labels = lines["name"].to_numpy()[line]
        english = lines["name_en"].to_numpy()[line]
        order = np.lexsort((at, line))
        seen: dict[tuple[str, bool], int] = {}
        names = {"name": [""] * len(line), "name_en": [""] * len(line)}
        for i in order:
            key = (labels[i], bool(left[i]))
            seen[key] = seen.get(key, 0) + 1
            number = 2 * seen[key] - (1 if left[i] else 0)
            names["name"][i] = f"{labels[i]}{number}号"
            names["name_en"][i] = f"No. {number} {english[i]}"
        index = np.asarray(rows)[chosen]
        for column, values in names.items():
            out.loc[index, column] = values
