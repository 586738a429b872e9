"""Hand-drawn streets: their ends are joined to the streets that they nearly touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from gridmap.network.noding import JOIN_METRES, layer_text, read_node_ids

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Shapes = npt.NDArray[np.object_]

__all__ = ["END_METRES", "JoinedEnds", "join_ends"]

# An end drawn by hand this close to a street is meant to meet it. Metres.
END_METRES = 1.0


class JoinedEnds(NamedTuple):
    """Streets of which the added ones are joined.

    `shapes` with ends moved and vertices put in, and their `ids` likewise; `split` rows of the streets that got a
    vertex; `loose` rows of those with an end that joins nothing.
    """

    shapes: Shapes
    ids: Shapes | None
    split: Longs
    loose: Longs


def join_ends(
    shapes: Shapes,
    ids: Shapes | None,
    layers: Shapes | None,
    first_added: int,
    tree: shapely.STRtree,
    rows: Longs,
    free: int,
) -> JoinedEnds:
    """Join the ends of added streets to the streets within 1 m.

    An end that has a vertex of another street at its place stays. Else it is moved to the nearest place on another
    street within 1 m (of equally near ones on a street of its own layer), which gets a vertex there.

    Parameters
    ----------
    shapes, ids, layers
        Lines of the streets in metres, those from row `first_added` on being new; their node ids and layers if known.
    first_added
        Row of the first added street.
    tree, rows
        Tree over old streets, and the row of `shapes` that each entry is, -1 for one that is no more.
    free
        A node id below all others.
    """
    shapes = shapes.copy()
    added = np.arange(first_added, len(shapes))
    parts, part_row = shapely.get_parts(shapes[added], return_index=True)
    vertex, xy_part = shapely.get_coordinates(parts, return_index=True)
    first = np.searchsorted(xy_part, np.arange(len(parts)))
    last = np.searchsorted(xy_part, np.arange(len(parts)), side="right") - 1
    end = np.column_stack((first, last)).ravel()
    closed = np.repeat((vertex[first] == vertex[last]).all(axis=1), 2)
    end_row = np.repeat(added[part_row], 2)
    points = shapely.points(vertex[end])
    near_end, near_row = _near(points, end_row, shapes, added, tree, rows)
    place = shapely.get_coordinates(shapely.shortest_line(shapes[near_row], points[near_end]))[::2]
    gap = np.hypot(*(place - vertex[end[near_end]]).T)
    is_vertex = _vertex_gap(shapes[near_row], vertex[end[near_end]]) <= JOIN_METRES
    joined = np.zeros(len(end), dtype=np.bool_)
    joined[near_end[is_vertex]] = True
    other_layer = _differ(layers, near_row, end_row[near_end])
    order = np.lexsort((near_row, place[:, 1], place[:, 0], other_layer,
                        np.round(gap, 9), near_end))  # fmt: skip
    order = order[~joined[near_end[order]]]
    best = order[np.concatenate(([True], np.diff(near_end[order]) > 0))] if len(order) else order
    joined[near_end[best]] = True
    loose = np.unique(end_row[~joined & ~closed])
    moved = vertex.copy()
    moved[end[near_end[best]]] = place[best]
    for part in np.unique(xy_part[end[near_end[best]]]):
        parts[part] = shapely.linestrings(moved[xy_part == part])
    for row in np.unique(part_row[xy_part[end[near_end[best]]]]):
        own = parts[part_row == row]
        shapes[added[row]] = own[0] if len(own) == 1 else shapely.multilinestrings(own)
    ids = None if ids is None else ids.copy()
    split = np.unique(near_row[best])
    for row in split.tolist():
        for at in place[best][near_row[best] == row]:
            known = None if ids is None else read_node_ids(ids[row])
            shapes[row], known, free = _with_vertex(shapes[row], at, known, free)
            if ids is not None and known is not None and len(known):
                ids[row] = known
    return JoinedEnds(shapes, ids, split, loose)


def _near(
    points: Shapes, own: Longs, shapes: Shapes, added: Longs, tree: shapely.STRtree, rows: Longs
) -> tuple[Longs, Longs]:
    """Pairs of an end and a row of a street within 1 m of it that is not its own."""
    end, old = tree.query(points, predicate="dwithin", distance=END_METRES)
    row = rows[old]
    new_end, new = shapely.STRtree(shapes[added]).query(points, predicate="dwithin", distance=END_METRES)
    end, row = np.concatenate((end, new_end)), np.concatenate((row, added[new]))
    good = (row >= 0) & (row != own[end])
    return end[good].astype(np.int64), row[good].astype(np.int64)


def _vertex_gap(lines: Shapes, xy: Floats) -> Floats:
    """Metres from each place to the nearest vertex of the line paired with it."""
    vertices = np.array([shapely.multipoints(shapely.get_coordinates(line)) for line in lines], dtype=object)
    return np.asarray(shapely.distance(vertices, shapely.points(xy)), dtype=np.float64)


def _differ(layers: Shapes | None, one: Longs, other: Longs) -> npt.NDArray[np.bool_]:
    """Whether streets paired by their rows have different layers."""
    if layers is None:
        return np.zeros(len(one), dtype=np.bool_)
    pairs = zip(layers[one], layers[other], strict=True)
    return np.array([layer_text(a) != layer_text(b) for a, b in pairs], dtype=np.bool_)


def _with_vertex(line: object, at: Floats, ids: Longs | None, fresh: int) -> tuple[object, Longs | None, int]:
    """A line with a vertex at a place on it, unless it has one within 1 mm there; its node ids; the next free id."""
    parts = shapely.get_parts(line)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    a, b = xy[:-1], xy[1:]
    square = ((b - a) ** 2).sum(axis=1)
    t = np.clip(np.divide(((at - a) * (b - a)).sum(axis=1), square, out=np.zeros(len(a)), where=square > 0), 0, 1)
    off = np.hypot(*(a + t[:, None] * (b - a) - at).T)
    off[part[:-1] != part[1:]] = np.inf
    after = int(off.argmin()) + 1
    if np.hypot(*(xy - at).T).min() <= JOIN_METRES:
        return line, ids, fresh
    fits = ids is not None and len(ids) == len(xy)
    xy, part = np.insert(xy, after, at, axis=0), np.insert(part, after, part[after - 1])
    pieces = [shapely.linestrings(xy[part == p]) for p in range(len(parts))]
    ids = np.insert(ids, after, fresh) if fits and ids is not None else ids
    return pieces[0] if len(pieces) == 1 else shapely.multilinestrings(pieces), ids, fresh - fits
