"""Noding: lines become nodes and straight edges; what shares a vertex joins, what only crosses does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["JOIN_METRES", "Segments", "components", "layer_text", "node_lines", "read_node_ids", "same_place"]

# Vertices this close are one; DESIGN and issue texts say 1 mm.
JOIN_METRES = 1e-3


class Segments(NamedTuple):
    """Nodes, and the straight edges between consecutive vertices of the lines.

    `node_xy` (n, 2) metres; `u`, `v` (m,) node of each end, in the direction of the line; `line` (m,) row of the line.
    `mismatched` holds the rows whose node ids did not fit their vertices; they were joined by coordinates instead.
    """

    node_xy: npt.NDArray[np.float64]
    u: npt.NDArray[np.int64]
    v: npt.NDArray[np.int64]
    line: npt.NDArray[np.int64]
    mismatched: npt.NDArray[np.int64]


def node_lines(
    lines: npt.NDArray[np.object_],
    node_ids: Sequence[npt.NDArray[np.int64] | str | None] | None = None,
    layers: npt.NDArray[np.object_] | None = None,
) -> Segments:
    """Nodes and edges of lines in metres.

    Vertices with the same node id are one node, wherever they lie; vertices with different ids never join. Vertices of
    lines without ids join at equal places (to 1 mm), inner ones too, unless their layers differ. A layer that would end
    in the air there joins all the same: at a place where just one vertex of the layer lies and this is the end of its
    line, as where a footbridge comes down on a pavement; two ends of one layer continue each other above the others.

    Parameters
    ----------
    lines
        LineStrings and MultiLineStrings in a metric CRS.
    node_ids
        For each line one integer per vertex, as an array or as text separated by blanks; None for lines without.
    layers
        Layer of each line; only equality counts.
    """
    parts, part_line = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    line = part_line[part]
    ids, has_id, mismatched = _vertex_ids(node_ids, line, len(lines))
    end = np.zeros(len(xy), dtype=bool)
    change = np.flatnonzero(np.diff(part))
    end[change] = end[change + 1] = True
    if len(xy):
        end[[0, -1]] = True
    node = _join(xy, ids, has_id, end, _codes(layers, len(lines))[line])
    same_part = part[:-1] == part[1:]
    u, v, line = node[:-1][same_part], node[1:][same_part], line[:-1][same_part]
    moving = u != v
    used, ends = np.unique(np.concatenate((u[moving], v[moving])), return_inverse=True)
    half = len(ends) // 2
    return Segments(_places(xy, node)[used], ends[:half], ends[half:], line[moving], mismatched)


def _vertex_ids(
    node_ids: Sequence[npt.NDArray[np.int64] | str | None] | None, line: npt.NDArray[np.int64], n_lines: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Id of each vertex, whether it has one, and the lines whose ids do not fit their vertices."""
    ids = np.zeros(len(line), dtype=np.int64)
    has = np.zeros(len(line), dtype=bool)
    if node_ids is None:
        return ids, has, np.empty(0, dtype=np.int64)
    count = np.bincount(line, minlength=n_lines)
    read = [read_node_ids(value) for value in node_ids]
    size = np.array([len(r) for r in read], dtype=np.int64)
    fits = (size == count) & (size > 0)
    has = fits[line]
    if has.any():
        ids[has] = np.concatenate([r for r, fit in zip(read, fits, strict=True) if fit])
    return ids, has, np.flatnonzero(~fits & (size > 0))


def read_node_ids(value: object) -> npt.NDArray[np.int64]:
    """Node ids of one line, from an array, a list or text; none where there are none."""
    if isinstance(value, np.ndarray):
        return value.astype(np.int64, copy=False)
    if isinstance(value, str):
        return np.array(value.split(), dtype=np.int64)
    if isinstance(value, (list, tuple)):
        return np.array(value, dtype=np.int64)
    return np.empty(0, dtype=np.int64)


def _codes(layers: npt.NDArray[np.object_] | None, n_lines: int) -> npt.NDArray[np.int64]:
    """Layers as whole numbers; a missing layer is the ground, 0."""
    if layers is None:
        return np.zeros(n_lines, dtype=np.int64)
    text = [layer_text(value) for value in layers]
    names = {name: code for code, name in enumerate(sorted(set(text)))}
    return np.array([names[t] for t in text], dtype=np.int64)


def layer_text(value: object) -> str:
    """The name of a layer, however it was written; the ground, ``"0"``, where it is missing."""
    if value is None or value != value:  # noqa: PLR0124  (NaN is the value that differs from itself)
        return "0"
    text = str(value).strip().removesuffix(".0")
    return text or "0"


def _join(
    xy: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    has_id: npt.NDArray[np.bool_],
    end: npt.NDArray[np.bool_],
    layer: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Node of each vertex."""
    node = np.empty(len(xy), dtype=np.int64)
    known, node[has_id] = np.unique(ids[has_id], return_inverse=True)
    if has_id.all():
        return node
    place = same_place(xy)
    layers = int(layer.max()) + 1
    # one group for each layer at each place where a vertex without id lies
    here = np.flatnonzero(np.isin(place, place[~has_id]))
    groups, group = np.unique(place[here] * layers + layer[here], return_inverse=True)
    loose = np.bincount(group, weights=~has_id[here]) > 0
    tied = has_id[here] & loose[group]
    ending = np.flatnonzero((np.bincount(group) == 1) & (np.bincount(group, weights=end[here]) == 1))
    partner = _other_group(groups // layers, ending)
    ending, partner = ending[partner >= 0], partner[partner >= 0]
    one = np.concatenate((node[here[tied]], len(known) + ending))
    other = np.concatenate((len(known) + group[tied], len(known) + partner))
    component = components(one, other, len(known) + len(groups))
    node[here[~has_id[here]]] = component[len(known) + group[~has_id[here]]]
    node[has_id] = component[node[has_id]]
    return node


def _other_group(group_place: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each of some groups another one at its place, -1 where it has the place for itself; groups by place."""
    first = np.searchsorted(group_place, group_place[groups])
    count = np.searchsorted(group_place, group_place[groups], side="right") - first
    return np.where(count > 1, first + (first == groups), -1)


def same_place(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """One number for all vertices within 1 mm of one another, in chains."""
    from scipy.spatial import cKDTree

    places, place = np.unique(xy, axis=0, return_inverse=True)
    pairs = cKDTree(places).query_pairs(JOIN_METRES, output_type="ndarray")
    return components(pairs[:, 0], pairs[:, 1], len(places))[place.reshape(-1)]


def components(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Which of n things hang together, given pairs that do."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))
    return np.asarray(connected_components(pairs, directed=False)[1], dtype=np.int64)


def _places(xy: npt.NDArray[np.float64], node: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Place of each node: of its vertices the first by x, then y, whatever the order of the lines."""
    if not len(node):
        return np.empty((0, 2))
    order = np.lexsort((xy[:, 1], xy[:, 0], node))
    first = np.concatenate(([0], np.flatnonzero(np.diff(node[order])) + 1))
    place = np.full((int(node.max()) + 1, 2), np.nan)
    place[node[order[first]]] = xy[order[first]]
    return place
