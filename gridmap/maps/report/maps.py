"""Small maps of a report: all grids, and where the households of a blind spot live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.maps.report.ground import MAIN, PATH, STREET, Ground
from gridmap.view.colours import UNCOVERED
from gridmap.view.drawing import (
    Frame,
    Labels,
    arrow_place,
    footprints,
    frame_below_arrow,
    frame_for,
    north_arrow,
    outline,
    path,
    picture,
    scale_bar,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["bar", "community_map", "draw_backdrop", "gap_map", "grid_fills", "overview_map", "swatch"]

WATER, PAPER, STREET_EDGE = "#cfe2ec", "#fbfaf6", "#d8d2c4"
#: A pattern of lines, for what colour alone does not tell.
_HATCH = (
    '<pattern id="gm-hatch" width="22" height="22" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0h22" stroke="#6d5a86" stroke-width="4"/></pattern>'
)
_DOTS = (
    '<pattern id="gm-dots" width="22" height="22" patternUnits="userSpaceOnUse">'
    '<circle cx="11" cy="11" r="2.6" fill="#8a8371"/></pattern>'
)
PATTERNS = f"<defs>{_HATCH}{_DOTS}</defs>"
_PATTERN_FILLS = {"hatch": "url(#gm-hatch)", "dots": "url(#gm-dots)"}
_ARROWS = {"above": "l10 -18l10 18z", "below": "m0 -18l10 18l10 -18z"}


def overview_map(ground: Ground, title: str) -> str:
    """All grids by their households, communities and main streets; labels that would overlap are left out."""
    return _grids_map(ground, np.arange(len(ground.layers["grids"].shapes)), title, (MAIN,), 24, names=True)


def community_map(ground: Ground, rows: NDArray[np.int64], title: str) -> str:
    """The grids of one community, in larger letters and with all streets; `rows` are those of its grids."""
    return _grids_map(ground, rows, title, (MAIN, STREET), 30, names=False)


def _grids_map(
    ground: Ground, rows: NDArray[np.int64], title: str, streets: Sequence[int], size: int, *, names: bool
) -> str:
    shapes = ground.layers["grids"].shapes[rows]
    west, south, east, north = shapely.total_bounds(shapes)
    height = int(np.clip(1800 * (north - south) / max(east - west, 1), 900, 1750))
    frame = frame_below_arrow(shapes, 1800, height, margin=0.03)
    # the borders of small grids would else hide their colours
    thin = float(np.clip(np.sqrt(np.median(shapely.area(shapes))) * frame.scale / 25, 1, 3))
    parts = [PATTERNS, *grid_fills(ground, rows, frame), *draw_backdrop(ground, frame, streets, width=0.8)]
    parts.append(path(outline(shapes, frame, tolerance=1), stroke="#77716a", width=thin))
    if "communities" in ground.layers:
        borders = outline(ground.layers["communities"].shapes, frame, tolerance=1)
        parts.append(path(borders, stroke="#3a4750", width=2 * thin + 1))
    labels = Labels(frame)
    labels.free(*arrow_place(frame))
    parts += _grid_labels(ground, rows, frame, labels, size)
    parts += _community_labels(ground, frame, labels) if names else []
    parts += [north_arrow(frame, ground.words["north"]), bar(frame, ground)]
    return picture(parts, frame, title)


def grid_fills(ground: Ground, rows: NDArray[np.int64], frame: Frame) -> list[str]:
    """Grids in the colours of their classes, one path a class."""
    of, shapes = np.asarray(ground.theme["of"])[rows], ground.layers["grids"].shapes[rows]
    parts = []
    for number, kind in enumerate(ground.theme["classes"]):
        data = outline(shapes[of == number], frame, tolerance=1)
        parts.append(path(data, fill=kind["fill"]))
        if kind.get("pattern"):
            parts.append(path(data, fill=_PATTERN_FILLS[kind["pattern"]]))
    return parts


def gap_map(ground: Ground, gap: Any, category: str) -> str:
    """One blind spot: its area, the buildings there that are out of reach, and facilities nearby."""
    cover, homes = ground.content.cover, ground.layers["homes"]
    west, south, east, north = gap.bounds
    grow = max(0.0, 350 - (east - west)) / 2, max(0.0, 250 - (north - south)) / 2
    frame = frame_for((west - grow[0], south - grow[1], east + grow[0], north + grow[1]), 570, 400, margin=0.1)
    rows = homes.within(frame.bounds)
    out = ~cover.met[rows, cover.names.index(category)]
    parts = draw_backdrop(ground, frame, (MAIN, STREET, PATH), width=0.7)
    parts.append(path(outline(np.array([gap]), frame, tolerance=1), fill="#f3c7b8", more='fill-opacity="0.6"'))
    parts.append(path(footprints(homes.shapes[rows[~out]], frame), fill="#d3cec3"))
    parts.append(path(footprints(homes.shapes[rows[out]], frame), fill=UNCOVERED))
    parts += _facilities(ground, frame, category)
    return picture([*parts, bar(frame, ground)], frame, ground.labels.get(category, category))


def draw_backdrop(ground: Ground, frame: Frame, kinds: Sequence[int], width: float = 1) -> list[str]:
    """Water and streets; `width` is a factor on the breadth of the lines."""
    parts = []
    if "barriers" in ground.layers:
        layer = ground.layers["barriers"]
        rows = layer.within(frame.bounds)
        flat = shapely.get_dimensions(layer.shapes[rows]) == 2
        water = ground.water[rows]
        parts.append(path(outline(layer.shapes[rows[flat & water]], frame, tolerance=1), fill=WATER))
        parts.append(
            path(outline(layer.shapes[rows[~flat & water]], frame, tolerance=1), stroke=WATER, width=12 * width)
        )
        parts.append(
            path(outline(layer.shapes[rows[~water]], frame, tolerance=1), stroke="#8f897d", width=4 * width,
                 more='stroke-dasharray="16 8"')
        )  # fmt: skip
    if "streets" in ground.layers:
        layer = ground.layers["streets"]
        rows = layer.within(frame.bounds)
        for kind, breadth, colour in ((PATH, 4, "#e2ddd0"), (STREET, 9, STREET_EDGE), (MAIN, 14, "#c9c1af")):
            if kind in kinds:
                lines = layer.shapes[rows[ground.street_kinds[rows] == kind]]
                parts.append(path(outline(lines, frame, tolerance=1), stroke=colour, width=breadth * width))
    return parts


def bar(frame: Frame, ground: Ground) -> str:
    """The scale bar in the words of the page."""
    return scale_bar(frame, ground.words["unit.m"], ground.words["unit.km"])


def swatch(kind: dict[str, Any]) -> str:
    """A small picture of a class for a legend: its colour, its pattern, or the arrow that marks it on the map."""
    pattern = _PATTERN_FILLS.get(kind.get("pattern", ""), "")
    over = f'<rect width="104" height="60" fill="{pattern}"/>' if pattern else ""
    mark = _ARROWS.get(kind.get("mark", ""), "")
    arrow = path(f"M42 39{mark}", fill="#1f2d35") if mark else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 104 60">{PATTERNS if pattern else ""}'
        f'<rect width="104" height="60" fill="{kind["fill"]}" stroke="#77716a" stroke-width="4"/>{over}{arrow}</svg>'
    )


def _grid_labels(ground: Ground, rows: NDArray[np.int64], frame: Frame, labels: Labels, size: int) -> list[str]:
    """Short codes, the largest grids first, with an arrow up or down on grids above or below the band."""
    layer = ground.layers["grids"]
    shapes = layer.shapes[rows]
    spots = shapely.get_point(shapely.maximum_inscribed_circle(shapes, tolerance=5.0), 0)
    xy = frame.units(shapely.get_coordinates(spots))
    status = ground.statuses
    parts = []
    for i in np.argsort(-shapely.area(shapes), kind="stable").tolist():
        x, y = (int(v) for v in xy[i])
        row = int(rows[i])
        written = labels.write(x, y, ground.codes[row], size, colour="#2c3940")
        mark = _ARROWS.get(status[row])
        if mark and (written or labels.free(x, y - 30, 24, 24)):
            parts.append(path(f"M{x - 10} {y - 18}{mark}", fill="#1f2d35", stroke="#fff", width=3))
        parts.append(written)
    return parts


def _community_labels(ground: Ground, frame: Frame, labels: Labels) -> list[str]:
    if "communities" not in ground.layers:
        return []
    shapes = ground.layers["communities"].shapes
    spots = frame.units(shapely.get_coordinates(shapely.point_on_surface(shapes)))
    parts = []
    for row in np.argsort(-shapely.area(shapes), kind="stable").tolist():
        x, y = (int(v) for v in spots[row])
        tries = (labels.write(x, y + dy, ground.community_names[row], 32, bold=True) for dy in (0, 50, -60, 90, -100))
        parts.append(next(filter(None, tries), ""))
    return parts


def _facilities(ground: Ground, frame: Frame, category: str) -> list[str]:
    """Facilities of the category in sight, those not counted left white."""
    layer, cover = ground.layers["facilities"], ground.content.cover
    rows = layer.within(frame.bounds)
    rows = rows[(layer.table["category"].astype(str) == category).to_numpy()[rows]]
    counted = dict(zip(cover.facilities["facility_id"].astype(str), cover.counted.tolist(), strict=True))
    xy = frame.units(shapely.get_coordinates(shapely.point_on_surface(layer.shapes[rows])))
    ids = layer.table["facility_id"].astype(str).iloc[rows].tolist()
    return (
        [
            f'<circle cx="{x}" cy="{y}" r="11" fill="{"#0b4f6c" if counted.get(own) else "#fff"}" stroke="#0b4f6c" '
            'stroke-width="4"/>'
            for (x, y), own in zip(xy.tolist(), ids, strict=True)
        ]
        if len(rows)
        else []
    )
