"""Facilities on streets that no other street leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer

__all__ = ["check_islands", "street_components"]

# m. Vertices this close are one, and a street this near is within reach of a door, as for the walking network.
_JOIN, _ACCESS = 1e-3, 50.0


def check_islands(facilities: Layer, streets: Layer) -> list[dict[str, Any]]:
    """One finding with all facilities whose nearest street is cut off from the main body, which is not within reach.

    The main body is the longest; it is within reach in 50 m. Whatever may be walked or not counts as a street here, so
    that what is found is cut off for everybody. Where streets meet but for their vertices nothing is joined.
    """
    places = np.flatnonzero(~shapely.is_empty(facilities.shapes))
    lines = np.flatnonzero(~shapely.is_empty(streets.shapes))
    if not len(places) or not len(lines):
        return []
    component = street_components(streets)[lines]
    metres = np.bincount(component, shapely.length(streets.shapes[lines]))
    # the least row among the nearest, so that ties do not hang on the tree
    place, line = shapely.STRtree(streets.shapes[lines]).query_nearest(facilities.shapes[places])
    order = np.lexsort((line, place))
    place, line = place[order], line[order]
    place, first = np.unique(place, return_index=True)
    nearest = component[line[first]]
    main = int(np.argmax(metres))
    near = np.zeros(len(facilities.shapes), dtype=bool)
    body = shapely.STRtree(streets.shapes[lines[component == main]])
    near[body.query(facilities.shapes, predicate="dwithin", distance=_ACCESS)[0]] = True
    cut_off = (nearest != main) & ~near[places[place]]
    if not cut_off.any():
        return []
    rows = places[place[cut_off]]
    longest = float(metres[nearest[cut_off]].max())
    return [
        finding(
            "warning", "facility_on_island",
            f"{facilities.name}: {len(rows):,} of {len(facilities.ids):,} stand on streets that do not hang together "
            f"with the others, the longest of them {longest:,.0f} m.",
            ids=facilities.ids[rows], geometry=shapely.union_all(shapely.point_on_surface(facilities.shapes[rows])),
            certificate={
                "table": facilities.name, "rows": len(rows), "islands": len(np.unique(nearest[cut_off])),
                "length_m": round(longest, 1),
            },
            cure="Join the streets there to the others, or correct the places.",
        )
    ]  # fmt: skip


def street_components(streets: Layer) -> NDArray[np.intp]:
    """Number of the connected body of streets that each line belongs to.

    Lines join where they share a node of ``node_ids``; lines without join where they share a vertex (to 1 mm). A line
    with node ids and one without never join.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    parts, row = shapely.get_parts(streets.shapes, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    line = row[part]
    ids = streets.table.get("node_ids")
    read = [_numbers(value) for value in ids] if ids is not None else [None] * len(streets.ids)
    count = np.bincount(line, minlength=len(streets.ids))
    named = np.array([own is not None and len(own) == n for own, n in zip(read, count, strict=True)], dtype=bool)
    by_place = ~named[line]
    keys = np.zeros((len(line), 3), dtype=np.int64)
    keys[by_place, 1:] = np.round(xy[by_place] / _JOIN)
    keys[~by_place, 0] = 1
    known = [own for own, is_named in zip(read, named, strict=True) if is_named and own is not None]
    keys[~by_place, 1] = np.concatenate(known) if known else np.zeros(0, dtype=np.int64)
    node = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    size = len(streets.ids) + int(node.max(initial=-1)) + 1
    joins = coo_array((np.ones(len(line), dtype=bool), (line, len(streets.ids) + node)), shape=(size, size))
    label = connected_components(joins, directed=False)[1][: len(streets.ids)]
    return np.asarray(label, dtype=np.intp)


def _numbers(value: Any) -> NDArray[np.int64] | None:
    if isinstance(value, str):
        value = value.split()
    return np.asarray(value, dtype=np.int64) if isinstance(value, list | tuple | np.ndarray) else None
