"""Drawing: whole layers of geometry as a few lines of SVG, by arrays; for printed pages and notebooks.

Lengths in a picture are whole units: tenths of a millimetre on paper, or tenths of a pixel on a screen. Coordinates are
rounded to them, for display only.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Frame",
    "Labels",
    "arrow_place",
    "footprints",
    "frame_below_arrow",
    "frame_for",
    "north_arrow",
    "outline",
    "outlines",
    "path",
    "picture",
    "round_length",
    "scale_bar",
    "text",
    "text_width",
]

# Width of a letter beside its height: what a label takes, estimated, since nothing measures text here.
_LATIN, _WIDE = 0.56, 1.0
# A building narrower than this many units is drawn as a square of this size.
_SPECK = 5
_FONTS = "Segoe UI, Helvetica Neue, Noto Sans, Arial, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"


class Frame(NamedTuple):
    """The part of the ground that a picture shows: `scale` is units a metre, `width` and `height` are in units."""

    west: float
    north: float
    scale: float
    width: int
    height: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of what is shown, in metres."""
        return (
            self.west,
            self.north - self.height / self.scale,
            self.west + self.width / self.scale,
            self.north,
        )

    def units(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Metres east and north, shape (n, 2), as whole units right and down."""
        return np.rint((xy - (self.west, self.north)) * (self.scale, -self.scale)).astype(np.int64)


def frame_for(bounds: Sequence[float], width: int, height: int, margin: float = 0.04) -> Frame:
    """The frame that shows all of `bounds` (metres) in its middle, with a margin on each side as a share of its size.

    Examples
    --------
    >>> frame_for((0, 0, 100, 50), 1000, 1000, margin=0).bounds
    (0.0, -25.0, 100.0, 75.0)
    """
    west, south, east, north = (float(b) for b in bounds)
    across, up = max(east - west, 1.0), max(north - south, 1.0)
    room = 1 - 2 * margin
    scale = min(width * room / across, height * room / up)
    return Frame((west + east - width / scale) / 2, (south + north + height / scale) / 2, scale, width, height)


def frame_below_arrow(shapes: NDArray[Any], width: int, height: int, margin: float) -> Frame:
    """The frame that shows all shapes (in metres), lowered where one of them would lie under the north arrow."""
    bounds = shapely.total_bounds(shapes).tolist()
    frame = frame_for(bounds, width, height, margin)
    x, y, wide, high = arrow_place(frame)
    band = y + high // 2
    corner = frame.west + (x - wide / 2) / frame.scale, frame.north - band / frame.scale
    if not shapely.intersects(shapes, shapely.box(*corner, frame.bounds[2], frame.north)).any():
        return frame
    lower = frame_for(bounds, width, height - band, margin)
    return lower._replace(north=lower.north + band / lower.scale, height=height)


def outline(shapes: NDArray[Any], frame: Frame, *, tolerance: float = 0.0) -> str:
    """All shapes as the data of one SVG path; see `outlines`."""
    return "".join(outlines(shapes, frame, tolerance=tolerance))


def outlines(shapes: NDArray[Any], frame: Frame, *, tolerance: float = 0.0) -> list[str]:
    """Each line or polygon as the data of an SVG path, cut off at the frame; empty where nothing of it is seen.

    Parameters
    ----------
    shapes
        Lines and polygons in metres; points are left out.
    frame
        What is shown.
    tolerance
        Simplification in units, for display.
    """
    if len(shapes) == 0:
        return []
    west, south, east, north = frame.bounds
    rim = 20 / frame.scale  # the ends of cut outlines lie out of sight
    shown = shapely.clip_by_rect(np.asarray(shapes), west - rim, south - rim, east + rim, north + rim)
    if tolerance > 0:
        shown = shapely.simplify(shown, tolerance / frame.scale, preserve_topology=False)
    rings, owner = _rings(shown)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    steps = frame.units(xy)
    kept = np.ones(len(ring), dtype=bool)
    kept[1:] = (ring[1:] != ring[:-1]) | (steps[1:] != steps[:-1]).any(axis=1)
    steps, ring = steps[kept], ring[kept]
    if len(ring) == 0:
        return [""] * len(shapes)
    start = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    delta = np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    delta[start] = steps[start]
    numbers = list(map(str, delta.ravel().tolist()))
    ends = [*start[1:].tolist(), len(ring)]
    closed = shapely.get_type_id(rings) == 2
    out = [""] * len(shapes)
    for a, b in zip(start.tolist(), ends, strict=True):
        if b - a < 2:
            continue
        r = ring[a]
        # the last vertex of a ring is its first
        last = b - 1 if closed[r] and b - a > 2 else b
        steps_text = " ".join(numbers[2 * a + 2 : 2 * last]).replace(" -", "-")
        out[owner[r]] += f"M{' '.join(numbers[2 * a : 2 * a + 2])}l{steps_text}{'z' * bool(closed[r])}"
    return out


def footprints(shapes: NDArray[Any], frame: Frame) -> str:
    """Buildings as the data of one SVG path: outlines, or a speck where one is too small to have a shape.

    Polygons narrower than `_SPECK` units, and points, are squares of that size on a raster, one where several share it.
    """
    if len(shapes) == 0:
        return ""
    box = shapely.bounds(shapes)
    side = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) * frame.scale
    tiny = side < _SPECK
    xy = frame.units(np.column_stack([box[tiny, 0] + box[tiny, 2], box[tiny, 1] + box[tiny, 3]]) / 2)
    inside = (xy > -_SPECK).all(axis=1) & (xy < (frame.width, frame.height)).all(axis=1)
    # by row and column; squares that follow one another in a row are one rectangle
    cells = np.unique(xy[inside, ::-1] // _SPECK, axis=0)
    if len(cells) == 0:
        return outline(np.asarray(shapes)[~tiny], frame, tolerance=1)
    first = np.flatnonzero(np.r_[True, (np.diff(cells, axis=0) != (0, 1)).any(axis=1)])
    long = np.diff(np.r_[first, len(cells)])
    runs = np.column_stack([cells[first, ::-1], long]) * _SPECK
    specks = "".join(f"M{x} {y}h{w}v{_SPECK}h-{w}z" for x, y, w in runs.tolist())
    return outline(np.asarray(shapes)[~tiny], frame, tolerance=1) + specks


def path(data: str, *, fill: str = "none", stroke: str = "", width: float = 0, more: str = "") -> str:
    """A path element; empty without data. `width` is in units; `more` are further attributes as they are."""
    if not data:
        return ""
    line = f' stroke="{stroke}" stroke-width="{width:g}" stroke-linejoin="round"' if stroke else ""
    rule = ' fill-rule="evenodd"' if fill != "none" else ""
    return f'<path d="{data}" fill="{fill}"{rule}{line}{" " + more if more else ""}/>'


def text(
    x: float, y: float, words: str, size: float, *, colour: str = "#1f2d35", halo: str = "#fff", angle: float = 0,
    anchor: str = "middle", bold: bool = False,
) -> str:  # fmt: skip
    """Words, escaped, with a pale edge so that they are read over lines; `y` is their middle."""
    turn = f' transform="rotate({angle:.0f} {x:.0f} {y:.0f})"' if angle else ""
    edge = f' stroke="{halo}" stroke-width="{size / 5:.0f}" stroke-linejoin="round" paint-order="stroke"'
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.0f}" y="{y + size * 0.36:.0f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"'
        f"{weight}{edge if halo else ''}{turn}>{escape(words)}</text>"
    )


def text_width(words: str, size: float) -> float:
    """About how wide words are, in the unit of `size`."""
    return size * sum(_WIDE if ord(letter) > 0x2E7F else _LATIN for letter in words)


class Labels:
    """Places that labels have taken, so that none covers another."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._taken: list[tuple[float, float, float, float]] = []

    def free(self, x: float, y: float, width: float, height: float) -> bool:
        """Whether a label of this size fits at its middle `x`, `y`; then the place is taken."""
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        inside = box[0] > 0 and box[1] > 0 and box[2] < self._frame.width and box[3] < self._frame.height
        clash = any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in self._taken)
        if not inside or clash:
            return False
        self._taken.append(box)
        return True

    def write(self, x: float, y: float, words: str, size: float, *, angle: float = 0, **style: Any) -> str:
        """The label where it fits, else nothing."""
        long, turn = text_width(words, size) + size / 2, math.radians(angle)
        across = abs(long * math.cos(turn)) + abs(size * math.sin(turn))
        up = abs(long * math.sin(turn)) + abs(size * 1.2 * math.cos(turn))
        return text(x, y, words, size, angle=angle, **style) if self.free(x, y, across, up) else ""


def round_length(longest: float) -> float:
    """The greatest of 1, 2 and 5 times a power of ten that is at most `longest`: what a scale bar shows.

    Examples
    --------
    >>> round_length(420.0), round_length(1.9)
    (200, 1)
    """
    power = 10 ** math.floor(math.log10(longest))
    return max(step * power for step in (1, 2, 5) if step * power <= longest)


def scale_bar(frame: Frame, metres: str, kilometres: str) -> str:
    """A bar of a round length at the lower left; `metres` and `kilometres` say a length, as in ``"{n} m"``."""
    length = round_length(frame.width / frame.scale / 4)
    words = metres.format(n=f"{length:g}") if length < 1000 else kilometres.format(n=f"{length / 1000:g}")
    x, y, size = 30, frame.height - 30, 24
    end = x + length * frame.scale
    bar = f"M{x} {y - 12}v12H{end:.0f}v-12"
    drawn = path(bar, stroke="#1f2d35", width=4) + text((x + end) / 2, y - 28, words, size)
    return _ground(x - 14, y - 52, end - x + 28, 66) + drawn


def arrow_place(frame: Frame) -> tuple[int, int, int, int]:
    """Middle, width and height of what the north arrow takes at the upper right, in units, with room around it."""
    return frame.width - 60, 80, 100, 140


def north_arrow(frame: Frame, letter: str) -> str:
    """An arrow to the north at the upper right; the maps here have north at the top."""
    x, middle, _, _ = arrow_place(frame)
    y = middle - 42
    arrow = f"M{x} {y}l20 56l-20 -14l-20 14z"
    return _ground(x - 36, y - 16, 72, 118) + path(arrow, fill="#1f2d35") + text(x, y + 78, letter, 26)


def _ground(x: float, y: float, width: float, height: float) -> str:
    """The own ground of an arrow or a bar: nothing behind it is taken for a part of it."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.0f}" height="{height:g}" fill="#fff" fill-opacity="0.85"/>'


def picture(parts: Iterable[str], frame: Frame, title: str, *, border: bool = True) -> str:
    """The SVG element with these parts; `title` says what it shows to who cannot see it."""
    edge = (
        f'<rect width="{frame.width}" height="{frame.height}" fill="none" stroke="#b9b4a8" stroke-width="4"/>'
        if border
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width} {frame.height}" role="img" '
        f'aria-label="{escape(title)}" font-family="{_FONTS}"><rect width="{frame.width}" height="{frame.height}" '
        f'fill="#fbfaf6"/>{"".join(parts)}{edge}</svg>'
    )


def _rings(shapes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Rings and lines of shapes, and the row of the shape of each."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) >= 4).any():  # multi parts inside collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    kinds = shapely.get_type_id(parts)
    rings, of = shapely.get_rings(parts[kinds == 3], return_index=True)
    # a polygon's ring has type 2, an open line type 1
    lines = kinds == 1
    return np.concatenate([rings, parts[lines]]), np.concatenate([owner[kinds == 3][of], owner[lines]])
