"""Map of one grid for the atlas: its buildings with their numbers, streets with names, compounds, gates, neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.maps.classes import category_symbol
from gridmap.maps.columns import texts_in
from gridmap.maps.report.ground import MAIN, PATH, STREET
from gridmap.maps.report.maps import PATTERNS, bar, draw_backdrop
from gridmap.view.drawing import (
    Frame,
    Labels,
    arrow_place,
    footprints,
    frame_below_arrow,
    north_arrow,
    outline,
    path,
    picture,
    text_width,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.roster import Roster

__all__ = ["GridMaps"]

_OWN, _HOME, _NO_HOME, _OTHER = "#fdf4dc", "#d9a96a", "#e9dcc4", "#dcd8cf"
_BORDER, _SOFT = "#0b4f6c", "#7b766b"


class GridMaps:
    """Draws the map of any grid of a plan; what all maps need is worked out once."""

    def __init__(self, ground: Ground, lists: list[Roster]) -> None:
        self._ground, self._lists = ground, lists
        layers = ground.layers
        self._names = {
            name: texts_in(layers[name].table, "name", ground.lang)
            for name in ("streets", "compounds", "facilities")
            if name in layers
        }
        buildings = layers["buildings"].shapes
        self._categories = layers["facilities"].table["category"].astype(str).tolist() if "facilities" in layers else []
        self._middle = shapely.get_coordinates(shapely.point_on_surface(buildings))
        box = shapely.bounds(buildings)
        self._side = np.nan_to_num(np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]))

    def frame(self, grid: int, height: int) -> Frame:
        """What the map of a grid shows, `height` units high."""
        return frame_below_arrow(self._ground.layers["grids"].shapes[[grid]], 1800, height, margin=0.07)

    def draw(self, grid: int, frame: Frame, title: str) -> str:
        """The map of a grid as SVG."""
        ground, shape = self._ground, self._ground.layers["grids"].shapes[grid]
        roster = self._lists[grid]
        labels = Labels(frame)
        labels.free(*arrow_place(frame))
        labels.free(frame.width / 8 + 30, frame.height - 50, frame.width / 4, 90)
        own = np.array([shape])
        parts = [PATTERNS, path(outline(own, frame), fill=_OWN)]
        parts += draw_backdrop(ground, frame, (MAIN, STREET, PATH))
        parts += self._compounds(frame) + self._buildings(roster, frame)
        parts += self._borders(grid, frame)
        parts.append(path(outline(own, frame), stroke=_BORDER, width=11))
        parts += self._gates(frame) + self._numbers(roster, frame, labels)
        parts += self._facilities(frame, labels) + self._street_names(frame, labels)
        parts += self._compound_names(frame, labels) + self._neighbours(grid, frame, labels)
        parts += [north_arrow(frame, ground.words["north"]), bar(frame, ground)]
        return picture(parts, frame, title)

    def _buildings(self, roster: Roster, frame: Frame) -> list[str]:
        layer = self._ground.layers["buildings"]
        seen = layer.within(frame.bounds)
        lived = roster.row[roster.number > 0]
        own = np.isin(seen, roster.row)
        homes = np.isin(seen, lived)
        return [
            path(footprints(layer.shapes[rows], frame), fill=fill, stroke=edge, width=2)
            for rows, fill, edge in (
                (seen[~own], _OTHER, ""),
                (seen[own & ~homes], _NO_HOME, "#b9a888"),
                (seen[homes], _HOME, "#8f6530"),
            )
        ]

    def _numbers(self, roster: Roster, frame: Frame, labels: Labels) -> list[str]:
        """Numbers of the roster on their buildings, those with most households first where they would overlap."""
        order = np.argsort(-roster.households, kind="stable")[: roster.lived_in]
        rows = roster.row[order]
        xy = frame.units(self._middle[rows]).tolist()
        size = np.clip(self._side[rows] * frame.scale * 0.6, 17, 26).round().tolist()
        written = [
            f'<text x="{x}" y="{y + big * 0.36:.0f}" font-size="{big:g}">{number}</text>'
            for (x, y), number, big in zip(xy, roster.number[order].tolist(), size, strict=True)
            if labels.free(x, y, text_width(str(number), big) + big / 3, big * 1.1)
        ]
        return ['<g fill="#2b1d08" text-anchor="middle">', *written, "</g>"]

    def _borders(self, grid: int, frame: Frame) -> list[str]:
        layers = self._ground.layers
        rows = layers["grids"].within(frame.bounds)
        parts = [
            path(outline(layers["grids"].shapes[rows[rows != grid]], frame, tolerance=1), stroke=_SOFT, width=4,
                 more='stroke-dasharray="14 9"')
        ]  # fmt: skip
        if "communities" in layers:
            own = layers["communities"].within(frame.bounds)
            parts.append(
                path(outline(layers["communities"].shapes[own], frame, tolerance=1), stroke="#3a4750", width=7)
            )
        return parts

    def _neighbours(self, grid: int, frame: Frame, labels: Labels) -> list[str]:
        """Codes of the grids around, in the middle of what is seen of them, and the name of another community."""
        layer = self._ground.layers["grids"]
        rows = layer.within(frame.bounds)
        rows = rows[rows != grid]
        seen = shapely.clip_by_rect(layer.shapes[rows], *frame.bounds)
        rows, seen = rows[~shapely.is_empty(seen)], seen[~shapely.is_empty(seen)]
        xy = frame.units(shapely.get_coordinates(shapely.point_on_surface(seen))).tolist()
        home = self._ground.community_of(grid)
        parts = []
        for (x, y), row in zip(xy, rows.tolist(), strict=True):
            community = self._ground.community_of(row)
            words = self._ground.codes[row] if community == home else f"{community} {self._ground.codes[row]}"
            tries = (labels.write(x, y + dy, words, 26, colour=_SOFT) for dy in (0, 36, -36, 72, -72))
            parts.append(next(filter(None, tries), ""))
        return parts

    def _compounds(self, frame: Frame) -> list[str]:
        if "compounds" not in self._ground.layers:
            return []
        layer = self._ground.layers["compounds"]
        data = outline(layer.shapes[layer.within(frame.bounds)], frame, tolerance=1)
        return [path(data, fill="#c9a7d8", stroke="#7c5295", width=4, more='fill-opacity="0.16"')]

    def _compound_names(self, frame: Frame, labels: Labels) -> list[str]:
        if "compounds" not in self._ground.layers:
            return []
        layer, names = self._ground.layers["compounds"], self._names["compounds"]
        rows = layer.within(frame.bounds)
        seen = shapely.clip_by_rect(layer.shapes[rows], *frame.bounds)
        xy = frame.units(shapely.get_coordinates(shapely.centroid(seen))).tolist() if len(rows) else []
        parts = []
        kept = rows[~shapely.is_empty(seen)]
        for (x, y), row in zip(xy, kept.tolist(), strict=True):
            tries = (labels.write(x, y + dy, names[row][:24], 24, colour="#5d3a75") for dy in (0, 34, -34, 68, -68))
            parts.append(next(filter(None, tries), "") if names[row] else "")
        return parts

    def _gates(self, frame: Frame) -> list[str]:
        if "entrances" not in self._ground.layers:
            return []
        layer = self._ground.layers["entrances"]
        rows = layer.within(frame.bounds)
        xy = frame.units(shapely.get_coordinates(shapely.point_on_surface(layer.shapes[rows]))).tolist()
        return [path(f"M{x - 12} {y + 11}l12 -22l12 22z", fill="#7c5295", stroke="#fff", width=3) for x, y in xy]

    def _facilities(self, frame: Frame, labels: Labels) -> list[str]:
        if "facilities" not in self._ground.layers:
            return []
        layer, names = self._ground.layers["facilities"], self._names["facilities"]
        rows = layer.within(frame.bounds)
        xy = frame.units(shapely.get_coordinates(shapely.point_on_surface(layer.shapes[rows]))).tolist()
        parts = ['<g stroke="#fff" stroke-width="4">', "</g>"]
        for (x, y), row in zip(xy, rows.tolist(), strict=True):
            category = self._categories[row]
            name = (names[row] or self._ground.labels.get(category, category))[:20]
            colour = category_symbol(category, self._ground.labels.get(category, category))[1]
            parts.insert(1, f'<circle cx="{x}" cy="{y}" r="10" fill="{colour}"/>')
            tries = (labels.write(x, y + dy, name, 20, colour=colour) for dy in (-26, 28))
            parts.append(next(filter(None, tries), ""))
        return parts

    def _street_names(self, frame: Frame, labels: Labels) -> list[str]:
        """Each name once, along the longest piece of its street in sight."""
        if "streets" not in self._ground.layers:
            return []
        layer, names = self._ground.layers["streets"], self._names["streets"]
        pieces: dict[str, list[int]] = {}
        for row in layer.within(frame.bounds).tolist():
            if names[row]:
                pieces.setdefault(names[row], []).append(row)
        parts = []
        for name, rows in pieces.items():
            seen = shapely.clip_by_rect(shapely.union_all(layer.shapes[rows]), *frame.bounds)
            lines = shapely.get_parts(shapely.line_merge(seen))
            lines = lines[shapely.get_type_id(lines) == 1]
            if len(lines):
                parts.append(_along(lines[np.argmax(shapely.length(lines))], name[:30], frame, labels))
        return parts


def _along(line: NDArray[np.object_], name: str, frame: Frame, labels: Labels) -> str:
    """A name on a line where it fits: in its middle, else a quarter before or after."""
    size = 23
    length, need = shapely.length(line), text_width(name, size) / frame.scale
    if length < need * 1.1:
        return ""
    for share in (0.5, 0.3, 0.7):
        ends = np.clip(share * length + np.array([-0.5, 0.0, 0.5]) * need, 0, length)
        a, middle, b = frame.units(shapely.get_coordinates(shapely.line_interpolate_point(line, ends))).tolist()
        angle = float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0])))
        upright = (angle + 90) % 180 - 90
        written = labels.write(middle[0], middle[1], name, size, angle=upright, colour="#5c564a")
        if written:
            return written
    return ""
