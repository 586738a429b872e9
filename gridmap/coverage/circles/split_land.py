"""Split: the land of a circle parted among its facilities, each taking what is nearest to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.coverage.land.contours import Frame

__all__ = ["Shares", "share_land", "split_by_label"]


class Shares(NamedTuple):
    """Which label each cell of a raster has, and the lines between cells of different labels."""

    frame: Frame
    labels: NDArray[np.int32]
    borders: NDArray[np.object_]


def share_land(labels: NDArray[np.int32], frame: Frame, land: Any) -> Shares:
    """Labels of shape (rows, columns), -1 where there is none, as `Shares`; cells without one take the nearest.

    Borders run between cells of different labels: through the middles of the lines that join them, and through the
    middle of four cells where more than two borders meet. Only those that meet `land`, a polygon, are looked for.
    """
    labels = _without_gaps(labels)
    return Shares(frame, labels, _borders(labels, frame, land))


def split_by_label(polygon: Any, shares: Shares, count: int) -> NDArray[np.object_]:
    """Parts of a polygon by the label of the nearest cell; together they are the polygon, without overlap.

    Parameters
    ----------
    polygon
        The land to part.
    shares
        Whose the cells are.
    count
        Labels are 0 to ``count - 1``.

    Returns
    -------
    array
        For each label a MultiPolygon, empty where it has no land.
    """
    parts = np.array([shapely.MultiPolygon() for _ in range(count)], dtype=object)
    if polygon.is_empty:
        return parts
    frame, labels, borders = shares
    if len(borders):
        shapely.prepare(polygon)
        borders = borders[shapely.intersects(polygon, borders)]
    lines = shapely.union_all(np.concatenate([[shapely.boundary(polygon)], borders]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inner = shapely.point_on_surface(faces)
    kept = shapely.intersects(polygon, inner)
    faces, inner = faces[kept], inner[kept]
    row, column = frame.cell_of(shapely.get_coordinates(inner))
    label = labels[np.clip(row, 0, frame.rows - 1), np.clip(column, 0, frame.columns - 1)]
    for index in np.unique(label):
        whole = shapely.get_parts(shapely.union_all(faces[label == index]))
        parts[index] = shapely.multipolygons(whole[shapely.get_type_id(whole) == shapely.GeometryType.POLYGON])
    return parts


def _without_gaps(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels with every cell filled from the nearest that has one."""
    from scipy.ndimage import distance_transform_edt

    gaps = labels < 0
    if not gaps.any() or gaps.all():
        return np.maximum(labels, 0)
    row, column = distance_transform_edt(gaps, return_distances=False, return_indices=True)
    return np.asarray(labels[row, column])


def _borders(labels: NDArray[np.int32], frame: Frame, land: Any) -> NDArray[np.object_]:
    """Lines between cells of different labels, found square of four cells by square."""
    a, b, c, d = labels[:-1, :-1], labels[:-1, 1:], labels[1:, 1:], labels[1:, :-1]
    # whether the border crosses the south, east, north and west side of each square
    crossed = np.stack([a != b, b != c, c != d, d != a])
    middle = np.array([[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]])
    number = crossed.sum(axis=0)
    lines = []
    row, column = np.nonzero(number == 2)
    if len(row):
        side = np.argsort(~crossed[:, row, column], axis=0, kind="stable")[:2]
        lines.append(np.stack([middle[side[0]], middle[side[1]]], axis=1) + np.stack([column, row], axis=1)[:, None])
    for edge in range(4):
        row, column = np.nonzero((number > 2) & crossed[edge])
        if len(row):
            ends = np.tile([middle[edge], [0.5, 0.5]], (len(row), 1, 1))
            lines.append(ends + np.stack([column, row], axis=1)[:, None])
    if not lines:
        return np.empty(0, dtype=object)
    xy = np.concatenate(lines) * frame.side + [frame.left, frame.bottom]
    shapely.prepare(land)
    met = shapely.linestrings(xy)
    # long lines are noded far sooner than many short ones
    merged = shapely.line_merge(shapely.multilinestrings(met[shapely.intersects(land, met)]))
    return np.asarray(shapely.get_parts(merged), dtype=object)
