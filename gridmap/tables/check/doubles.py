"""Buildings that are there twice: the same footprint, nearly the same one, one stacked on another, the same point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.check.measures import size_words
from gridmap.tables.findings import finding
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_doubles", "same_outline"]

_KINDS = {
    "same_footprint": ("building_double", "have the same footprint"),
    "near_same": ("building_double", "have nearly the same footprint"),
    "stacked": ("building_stacked", "lie on one another"),
    "same_point": ("building_same_point", "are at the same point"),
}
_CURES = {
    "same_footprint": "Keep one; repair(table) does so where nothing that is known of them differs.",
    "near_same": "Keep the better outline, and add their households up if they are two buildings.",
    "stacked": "If they are parts or floors of one building, keep one; else correct the outlines.",
    "same_point": "Place each where it stands; buildings listed at the centre of their compound cannot be told apart.",
}


def check_doubles(layer: Layer, tolerances: Tolerances) -> list[dict[str, Any]]:
    """One finding for each set of buildings that may be one, with the households that may be counted twice."""
    # rows without a shape are nowhere, not at one place: the contract tells them
    drawn = ~shapely.is_empty(layer.shapes)
    areal = np.flatnonzero((shapely.get_dimensions(layer.shapes) == 2) & drawn)
    points = np.flatnonzero((shapely.get_dimensions(layer.shapes) == 0) & drawn)
    found = _told(layer, "same_footprint", same_outline(layer.shapes[areal]), areal)
    first, second, shared, share = _overlapping(layer.shapes[areal], tolerances)
    near = shared >= tolerances.same_share
    # what has the same outline is told already
    same = shapely.equals(layer.shapes[areal[first]], layer.shapes[areal[second]])
    groups = _joined(first[near & ~same], second[near & ~same], len(areal))
    found += _told(layer, "near_same", groups, areal)
    stacked = ~near & (share >= tolerances.stacked_share)
    found += _told(layer, "stacked", _joined(first[stacked], second[stacked], len(areal)), areal)
    return found + _told(layer, "same_point", _labels(shapely.to_wkb(layer.shapes[points])), points)


def same_outline(shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """A number for each shape, the same for those with the same vertices, wherever a ring starts or how it runs."""
    return _labels(shapely.to_wkb(shapely.normalize(shapes)))


def _labels(keys: NDArray[np.object_]) -> NDArray[np.intp]:
    return np.asarray(pd.factorize(keys)[0], dtype=np.intp)


def _overlapping(
    shapes: NDArray[np.object_], tolerances: Tolerances
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Pairs that share much land: the two rows, what they share of all their land, and of the smaller one's."""
    first, second = shapely.STRtree(shapes).query(shapes)
    once = first < second
    first, second = first[once], second[once]
    area, bounds = shapely.area(shapes), shapely.bounds(shapes)
    smaller = np.minimum(area[first], area[second])
    # the boxes share at least as much as the shapes: most neighbours are told apart without an overlay
    low, high = np.maximum(bounds[first, :2], bounds[second, :2]), np.minimum(bounds[first, 2:], bounds[second, 2:])
    likely = np.prod(np.clip(high - low, 0, None), axis=1) >= tolerances.stacked_share * smaller
    first, second, smaller = first[likely], second[likely], smaller[likely]
    common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    share = np.divide(common, smaller, out=np.zeros(len(common)), where=smaller > 0)
    much = share >= tolerances.stacked_share
    first, second, common, share = first[much], second[much], common[much], share[much]
    order = np.lexsort((second, first))
    first, second, common, share = first[order], second[order], common[order], share[order]
    return first, second, common / (area[first] + area[second] - common), share


def _joined(first: NDArray[np.intp], second: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """A number for each row, the same for rows that pairs lead to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(pairs, directed=False)[1], dtype=np.intp)


def _told(layer: Layer, kind: str, group: NDArray[np.intp], rows: NDArray[np.intp]) -> list[dict[str, Any]]:
    several = np.bincount(group)[group] > 1 if len(group) else np.zeros(0, dtype=bool)
    households = number_column(layer.table, "households")
    counted = "households" in layer.table.columns
    found = []
    for _, members in pd.Series(rows[several]).groupby(group[several], sort=False):
        own = members.to_numpy()
        known = households[own][np.isfinite(households[own])]
        twice = float(known.sum() - known.max()) if len(known) else 0.0
        place = shapely.union_all(layer.shapes[own])
        area = float(shapely.area(place))
        sizes: dict[str, Any] = {"table": layer.name, "buildings": len(own), "area_m2": round(area, 2)}
        size = f" ({size_words(area)})" if area else ""
        if counted:
            sizes |= {"households": float(known.sum()), "households_twice": twice}
            size += f": {known.sum():,.0f} households, of which {twice:,.0f} may be counted twice"
        rule, words = _KINDS[kind]
        found.append(
            finding(
                "warning" if twice > 0 or kind == "same_footprint" else "info", rule,
                f"{layer.name}: {len(own):,} rows {words}{size}.",
                status=kind, ids=layer.ids[own], certificate=sizes, geometry=place, cure=_CURES[kind],
            )
        )  # fmt: skip
    return found
