"""Units in several pieces, and units that lie within another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.check.measures import by_pair, narrow, size_words
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.measures import Homes
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_enclaves", "check_multipart"]


def check_multipart(layer: Layer, homes: Homes | None, tolerances: Tolerances) -> list[dict[str, Any]]:
    """Units of several pieces that do not touch along a border; pieces narrower than a sliver are told apart."""
    parts, row = shapely.get_parts(layer.shapes, return_index=True)
    several = np.flatnonzero(np.bincount(row, minlength=len(layer.shapes)) > 1)
    crumb = narrow(parts, tolerances.sliver_width)
    area = shapely.area(parts)
    found = []
    for unit in several.tolist():
        own = np.flatnonzero(row == unit)
        rest = own[np.argsort(-area[own], kind="stable")[1:]]
        crumbs = int(crumb[rest].sum())
        place = shapely.multipolygons(parts[rest])
        sizes: dict[str, Any] = {
            "table": layer.name, "pieces": len(own), "crumbs": crumbs, "area_m2": round(float(area[rest].sum()), 2),
            "share": round(float(area[rest].sum() / area[own].sum()), 4),
        }  # fmt: skip
        if homes is not None:
            sizes["households"] = float(homes.within(np.array([place], dtype=object))[0])
        words = size_words(float(area[rest].sum()), households=sizes.get("households"))
        thin = f"; {crumbs} of these are narrower than {tolerances.sliver_width:g} m" if crumbs else ""
        found.append(
            finding(
                # a worker cannot walk a grid in pieces; sub-districts and communities are what they are
                "warning" if layer.name == "grids" or crumbs else "info", "unit_multipart",
                f"{layer.name}: {layer.names[unit]} is in {len(own):,} pieces; all but the largest are together "
                f"{words}{thin}.",
                status="crumbs" if crumbs else "pieces", ids=[layer.ids[unit]], certificate=sizes, geometry=place,
                cure="Give the smaller pieces to the units around them, or confirm that they belong here.",
            )
        )  # fmt: skip
    return found


def check_enclaves(layer: Layer, homes: Homes | None) -> list[dict[str, Any]]:
    """Units, or pieces of them, that lie in a hole of one other unit: one finding for each outer and inner unit.

    A hole that nobody fills is a gap and not told here.
    """
    bodies, body_row = shapely.get_parts(layer.shapes, return_index=True)
    rings, body = shapely.get_rings(bodies, return_index=True)
    inner = np.r_[False, body[1:] == body[:-1]] if len(body) else np.zeros(0, dtype=bool)
    if not inner.any():
        return []
    holes, outer = np.asarray(shapely.polygons(rings[inner]), dtype=object), body_row[body[inner]]
    hole, part = shapely.STRtree(shapely.point_on_surface(bodies)).query(holes, predicate="contains")
    # a hole may hold a piece that has a hole of its own: a piece is told once, with the smallest hole around it
    order = np.lexsort((shapely.area(holes)[hole], part))
    _, first = np.unique(part[order], return_index=True)
    hole, part = hole[order][first], part[order][first]
    other = outer[hole] != body_row[part]
    hole, part = hole[other], part[other]
    found = []
    for around, unit, rows in by_pair(outer[hole], body_row[part]):
        pieces = bodies[part[rows]]
        whole = len(pieces) == int((body_row == unit).sum())
        place = shapely.multipolygons(pieces)
        area = float(shapely.area(pieces).sum())
        sizes: dict[str, Any] = {
            "table": layer.name, "pieces": len(pieces), "whole": whole, "area_m2": round(area, 2),
            "holes": len(np.unique(hole[rows])),
        }  # fmt: skip
        if homes is not None:
            sizes["households"] = float(homes.within(np.array([place], dtype=object))[0])
        what = "lies wholly" if whole else f"has {len(pieces):,} {'piece' if len(pieces) == 1 else 'pieces'}"
        found.append(
            finding(
                "info", "unit_enclave",
                f"{layer.name}: {layer.names[unit]} {what} inside {layer.names[around]}: "
                f"{size_words(area, households=sizes.get('households'))}.",
                status="whole" if whole else "piece", ids=[layer.ids[unit], layer.ids[around]],
                certificate=sizes, geometry=place,
                cure="Confirm it, or give the enclave to the unit around it.",
            )
        )  # fmt: skip
    return found
