"""Buildings, facilities, compounds and entrances outside every unit, and those that a border runs through or by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.check.measures import narrow, polygonal
from gridmap.tables.findings import finding
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_outside"]


def check_outside(things: Layer, units: Layer, tolerances: Tolerances) -> list[dict[str, Any]]:
    """What of a table lies in no unit of a level, and what lies in two or within a hair of two."""
    inside = np.zeros(len(things.shapes), dtype=bool)
    tree = shapely.STRtree(things.shapes)
    # nearly everything lies well inside one unit, which a prepared polygon tells quickly
    inside[tree.query(units.shapes, predicate="contains_properly")[1]] = True
    doubtful = np.flatnonzero(~inside & ~shapely.is_empty(things.shapes))
    shapes = things.shapes[doubtful]
    anchor = shapely.point_on_surface(shapes)
    held = np.zeros(len(doubtful), dtype=bool)
    held[shapely.STRtree(units.shapes).query(anchor, predicate="intersects")[0]] = True
    found = _told(things, units, doubtful[~held], "outside_units", tolerances)
    areal = shapely.get_dimensions(shapes) == 2
    cut = held & areal
    cut[cut] = _cut(shapes[cut], units.shapes, tolerances.sliver_width)
    found += _told(things, units, doubtful[cut], "across_border", tolerances)
    found += _told(things, units, _on_border(things, units, tolerances.border_metres), "on_border", tolerances)
    return found


def _cut(shapes: NDArray[np.object_], units: NDArray[np.object_], width: float) -> NDArray[np.bool_]:
    """Whether two units each hold a part of a shape that is wider than a sliver."""
    shape, unit = shapely.STRtree(units).query(shapes, predicate="intersects")
    part = polygonal(shapely.intersection(shapes[shape], units[unit]))
    wide = ~narrow(part, width)
    return np.asarray(np.bincount(shape[wide], minlength=len(shapes)) > 1)


def _on_border(things: Layer, units: Layer, metres: float) -> NDArray[np.intp]:
    """Points so near to the border between units that they may lie on either side."""
    points = np.flatnonzero((shapely.get_dimensions(things.shapes) == 0) & ~shapely.is_empty(things.shapes))
    point = shapely.STRtree(units.shapes).query(things.shapes[points], predicate="dwithin", distance=metres)[0]
    return points[np.bincount(point, minlength=len(points)) > 1]


def _told(
    things: Layer, units: Layer, rows: NDArray[np.intp], rule: str, tolerances: Tolerances
) -> list[dict[str, Any]]:
    if not len(rows):
        return []
    place = shapely.union_all(shapely.point_on_surface(things.shapes[rows]))
    sizes: dict[str, Any] = {"table": things.name, "units": units.name, "rows": len(rows)}
    lived = ""
    if "households" in things.table.columns:
        households = float(np.nansum(number_column(things.table, "households")[rows]))
        sizes["households"] = households
        lived = f", with {households:,.0f} households,"
    common = {"status": things.name, "ids": things.ids[rows], "certificate": sizes, "geometry": place}
    count = f"{len(rows):,} of {len(things.ids):,} rows{lived}"
    if rule == "outside_units":
        return [
            finding(
                "warning" if sizes.get("households", 1) else "info", "outside_units",
                f"{things.name}: {count} lie in none of the {units.name}.",
                cure="Add the unit that is missing, correct the places, or leave the rows out.", **common,
            )
        ]  # fmt: skip
    if rule == "across_border":
        return [
            finding(
                "warning" if sizes.get("households", 1) else "info", "across_border",
                f"{things.name}: {count} are cut by a border of {units.name}, more than "
                f"{tolerances.sliver_width:g} m wide on either side.",
                cure="Lead the border around them.", **common,
            )
        ]  # fmt: skip
    return [
        finding(
            "info", "on_border",
            f"{things.name}: {count} lie within {tolerances.border_metres:g} m of the border between two "
            f"{units.name}.",
            cure="Check on which side they are.", **common,
        )
    ]  # fmt: skip
