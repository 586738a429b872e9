"""How units of one level tile the land: gaps, overlaps, slivers, and borders that are not drawn alike on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.check.measures import by_pair, mean_width, narrow, polygonal, size_words, sizes_words
from gridmap.tables.check.open_gaps import open_gaps
from gridmap.tables.findings import finding
from gridmap.tables.mouths import near_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.measures import Homes
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_tiling", "gaps", "overlaps"]

# m. Borders this near to each other touch but for the rounding of coordinates; the walking network joins streets so.
_TOUCH = 1e-3
# An edge runs along a neighbour when its middle lies no farther from it than this part of its length: about 1 degree.
_ALIKE = 0.01
_SLIVERS = {
    "overlap": "overlap in",
    "gap": "leave between them",
    "open_gap": "run side by side without touching and leave between them, open to the outside,",
}


def check_tiling(
    layer: Layer, homes: Homes | None, tolerances: Tolerances, *, apart: bool = False
) -> list[dict[str, Any]]:
    """Findings on land of two units, land of none between them, slivers of both kinds, and unmatched borders.

    Of units that may stand `apart`, such as compounds, only overlaps are told.
    """
    first, second, common = overlaps(layer.shapes, tolerances.least_area)
    thin = narrow(common, tolerances.sliver_width)
    found = _overlaps(layer, first[~thin], second[~thin], common[~thin], homes)
    pairs = list(zip(first[thin].tolist(), second[thin].tolist(), strict=True))
    found += _slivers(layer, "overlap", pairs, common[thin])
    if apart:
        return found
    land = union(layer.shapes)
    holes = gaps(land, tolerances.least_area)
    thin_holes = narrow(holes, tolerances.sliver_width)
    found += _gaps(layer, holes[~thin_holes], homes)
    found += _slivers(layer, "gap", _beside(layer.shapes, holes[thin_holes]), holes[thin_holes])
    cracks = np.empty(0, dtype=object)
    edges = _parted_edges(layer.shapes, tolerances.sliver_width)
    if shapely.length(edges).any():
        cracks = open_gaps(layer.shapes, land, tolerances.least_area, tolerances.sliver_width)
        found += _slivers(layer, "open_gap", _beside(layer.shapes, cracks), cracks)
    if not thin.any() and not thin_holes.any() and not len(cracks):
        # slivers say where the borders part; only without them is it news that they do
        found += _unmatched(layer, np.union1d(first, second), tolerances.sliver_width)
    return found


def overlaps(
    shapes: NDArray[np.object_], least: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.object_]]:
    """Every connected piece of land that two polygons share, from `least` m² on: which two, and the piece."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    order = np.lexsort((second[once], first[once]))
    first, second = first[once][order], second[once][order]
    pieces, pair = shapely.get_parts(polygonal(shapely.intersection(shapes[first], shapes[second])), return_index=True)
    large = shapely.area(pieces) >= least
    return first[pair[large]], second[pair[large]], pieces[large]


def gaps(land: Any, least: float) -> NDArray[np.object_]:
    """The holes in the union of polygons: land enclosed by units that belongs to none. Bays of the rim are no gaps."""
    rings, of = shapely.get_rings(shapely.get_parts(land), return_index=True)
    inner = np.r_[False, of[1:] == of[:-1]] if len(of) else np.zeros(0, dtype=bool)
    holes = np.asarray(shapely.polygons(rings[inner]), dtype=object)
    return holes[shapely.area(holes) >= least]


def union(shapes: NDArray[np.object_]) -> Any:
    """The land of all polygons; in a tenth of the time where they tile it without a fault."""
    present = shapes[~shapely.is_empty(shapes)]
    try:
        tiled = len(present) > 0 and shapely.coverage_is_valid(present)
        return shapely.coverage_union_all(present) if tiled else shapely.union_all(present)
    except shapely.GEOSException:
        # shapes of half a continent fold when they are projected: on a grid their union never fails
        return shapely.union_all(present, grid_size=_TOUCH)


def _overlaps(
    layer: Layer,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    pieces: NDArray[np.object_],
    homes: Homes | None,
) -> list[dict[str, Any]]:
    """One finding for each two units, with all the land that both have."""
    found = []
    for a, b, rows in by_pair(first, second):
        place = shapely.multipolygons(polygonal(pieces[rows]))
        sizes = _sizes(layer, place, homes)
        found.append(
            finding(
                "error", "units_overlap",
                f"{layer.name}: {layer.names[a]} and {layer.names[b]} both have {sizes_words(sizes)}.",
                status=layer.name, ids=[layer.ids[a], layer.ids[b]], certificate=sizes, geometry=place,
                cure="Ask which of the two it belongs to and take it from the other; this is not decided by repair.",
            )
        )  # fmt: skip
    return found


def _gaps(layer: Layer, holes: NDArray[np.object_], homes: Homes | None) -> list[dict[str, Any]]:
    found = []
    for hole, beside in zip(holes, _beside(layer.shapes, holes), strict=True):
        sizes = _sizes(layer, hole, homes)
        lived_in = sizes.get("households", 0) > 0
        found.append(
            finding(
                "error" if lived_in else "warning", "units_gap",
                f"{layer.name}: {sizes_words(sizes)}, enclosed by {_listed(layer.names[list(beside)])}, belong to "
                "none.",
                status=layer.name, ids=layer.ids[list(beside)], certificate=sizes, geometry=hole,
                cure="Add the unit that is missing, or extend a neighbour; repair leaves land this wide alone.",
            )
        )  # fmt: skip
    return found


def _slivers(
    layer: Layer, kind: str, owners: Sequence[tuple[int, ...]], pieces: NDArray[np.object_]
) -> list[dict[str, Any]]:
    """One finding for each set of neighbours, with all slivers between them."""
    found = []
    for units in sorted(set(owners)):
        own = pieces[[i for i, owner in enumerate(owners) if owner == units]]
        area, width = float(shapely.area(own).sum()), float(mean_width(own).max())
        length = area / max(float(mean_width(shapely.multipolygons(own))), 1e-9)
        found.append(
            finding(
                "warning", "units_sliver",
                f"{layer.name}: {_listed(layer.names[list(units)])} {_SLIVERS[kind]} {_count(len(own))}, together "
                f"{size_words(area, width)} at most and {length:,.0f} m long.",
                status=kind, ids=layer.ids[list(units)], geometry=shapely.multipolygons(own),
                certificate={
                    "table": layer.name, "area_m2": round(area, 4), "width_m": round(width, 4),
                    "length_m": round(length, 2), "pieces": len(own),
                },
                cure="Draw the common border once: repair(table) gives each sliver to one neighbour.",
            )
        )  # fmt: skip
    return found


def _parted_edges(shapes: NDArray[np.object_], width: float) -> NDArray[np.object_]:
    """The edges of each polygon that lie within `width` of another's without being the same."""
    return np.asarray(shapely.coverage_invalid_edges(shapes, gap_width=width), dtype=object)


def _unmatched(layer: Layer, told: NDArray[np.intp], width: float) -> list[dict[str, Any]]:
    """Borders that run along a neighbour's for `width` or more but lack its vertices, but of rows `told` already."""
    lines, row = shapely.get_parts(_parted_edges(layer.shapes, _TOUCH), return_index=True)
    ends, line = shapely.get_coordinates(lines, return_index=True)
    start = np.flatnonzero(line[1:] == line[:-1])
    edges = shapely.linestrings(np.stack([ends[start], ends[start + 1]], axis=1))
    # an edge of the rim that only meets a neighbour in a corner is none of these
    middle = shapely.points((ends[start] + ends[start + 1]) / 2)
    edge, unit = near_pairs(middle, layer.shapes, _TOUCH)
    beside = shapely.distance(middle[edge], layer.shapes[unit]) <= _ALIKE * shapely.length(edges[edge])
    along = np.bincount(edge[beside], minlength=len(edges)) > 1
    owner = row[line[start]]
    along &= ~np.isin(owner, told)
    # nor are stretches so short that they may be all corner
    length = np.where(along, shapely.length(edges), 0)
    along &= np.bincount(owner, length, len(layer.shapes))[owner] >= width
    if not along.any():
        return []
    metres = float(length[along].sum())
    ids = layer.ids[np.unique(owner[along])]
    return [
        finding(
            "info", "borders_unmatched",
            f"{layer.name}: {metres:,.1f} m of border of {len(ids):,} units run along a neighbour's without the same "
            "vertices.",
            status=layer.name, ids=ids, geometry=shapely.union_all(edges[along]),
            certificate={"table": layer.name, "length_m": round(metres, 2), "units": len(ids)},
            cure="Give both sides of a border the same vertices: repair(table) does so.",
        )
    ]  # fmt: skip


def _beside(shapes: NDArray[np.object_], holes: NDArray[np.object_]) -> list[tuple[int, ...]]:
    """The units that touch each hole, in order of their rows."""
    hole, unit = shapely.STRtree(shapes).query(holes, predicate="dwithin", distance=_TOUCH)
    return [tuple(sorted(unit[hole == i].tolist())) for i in range(len(holes))]


def _sizes(layer: Layer, place: Any, homes: Homes | None) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        "table": layer.name,
        "area_m2": round(float(shapely.area(place)), 2),
        "width_m": round(float(mean_width(place)), 2),
    }
    if homes is not None:
        sizes["households"] = float(homes.within(np.array([place], dtype=object))[0])
    return sizes


def _count(slivers: int) -> str:
    return "1 sliver" if slivers == 1 else f"{slivers:,} slivers"


def _listed(ids: Any) -> str:
    """Up to four ids in words."""
    names = [str(i) for i in ids]
    shown = names[:4] if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
