"""Geometry and numbers as short text: whole steps, differences, variable-length bytes, deflate, base64."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

__all__ = [
    "Frame",
    "encode_lines",
    "encode_shapes",
    "frame_of",
    "pack_bytes",
    "pack_changes",
    "pack_places",
    "pack_varints",
    "signed",
    "simplify_tiles",
    "squeeze",
]

#: Metres of one whole step of the coordinates in the page.
STEP = 0.1
_METRES_PER_DEGREE = 111_320.0
POINT, LINE, POLYGON = 0, 1, 2
#: What begins a text that is deflated, and from which length on that is tried.
DEFLATED, LONG = "~", 1024
_DIMENSION_TYPES = {POINT: (0, 4), LINE: (1, 2, 5), POLYGON: (3, 6)}


@dataclass(frozen=True)
class Frame:
    """How the whole numbers in the page become degrees: ``lon = lon0 + x * dlon``, ``lat = lat0 + y * dlat``."""

    lon0: float
    lat0: float
    dlon: float
    dlat: float

    def to_metres(self, lonlat: np.ndarray) -> np.ndarray:
        """Degrees, shape (n, 2), as metres east and north of the frame's corner."""
        return (lonlat - (self.lon0, self.lat0)) / (self.dlon, self.dlat) * STEP


def frame_of(bounds: np.ndarray) -> Frame:
    """The frame of data within `bounds` (west, south, east, north in degrees)."""
    west, south, _, north = (float(b) for b in bounds)
    dlat = STEP / _METRES_PER_DEGREE
    shrink = max(0.05, float(np.cos(np.radians((south + north) / 2))))
    return Frame(round(west, 6), round(south, 6), dlat / shrink, dlat)


def simplify_tiles(shapes: np.ndarray, tolerance: float) -> np.ndarray:
    """Polygons in metres with fewer vertices, those side by side still side by side; as they are where they overlap.

    Parameters
    ----------
    shapes
        Array of polygons in metres.
    tolerance
        Largest shift in metres.
    """
    polygons = np.isin(shapely.get_type_id(shapes), _DIMENSION_TYPES[POLYGON]) & ~shapely.is_empty(shapes)
    if len(shapes) > 1 and polygons.all() and shapely.coverage_is_valid(shapes):
        return shapely.coverage_simplify(shapes, tolerance)
    return shapes


def encode_shapes(shapes: np.ndarray, frame: Frame, *, tolerance: float = 0.0) -> dict[str, Any]:
    """Geometries in degrees as the mapping that the page decodes.

    Parameters
    ----------
    shapes
        Array of geometries in EPSG:4326; missing ones become features without rings.
    frame
        Corner and step of the whole numbers.
    tolerance
        Simplification of each line and ring for display, in metres. Rings that would collapse stay as they are.

    Returns
    -------
    dict
        ``n`` features; ``shape`` 0 point, 1 line, 2 polygon, one number or a text of one digit a feature; ``rings``
        (rings a feature), ``sizes`` (vertices a ring) and ``xy`` (differences) as base64 of variable-length integers.
        Closing vertices are left out; rings of one feature are filled by the even-odd rule.
    """
    count = len(shapes)
    metres = shapely.transform(shapes, frame.to_metres)
    parts, owner = shapely.get_parts(metres, return_index=True)
    while (shapely.get_type_id(parts) >= 4).any():  # multi parts inside collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    kinds = _kinds(parts, owner, count)
    own_kind = np.select([np.isin(shapely.get_type_id(parts), _DIMENSION_TYPES[k]) for k in (0, 1, 2)], [0, 1, 2], -1)
    keep = own_kind == kinds[owner]
    rings, owner, own_kind = _rings(parts[keep], owner[keep], own_kind[keep])
    if tolerance > 0:
        rings = _thinned(rings, tolerance)
    xy, ring_of = shapely.get_coordinates(rings, return_index=True)
    steps = np.rint(xy / STEP).astype(np.int64)
    same_ring = ring_of[1:] == ring_of[:-1]
    last = np.r_[~same_ring, True] if len(ring_of) else np.zeros(0, dtype=bool)
    repeated = np.r_[False, same_ring & (steps[1:] == steps[:-1]).all(axis=1)] if len(ring_of) else last
    drop = repeated | (last & (own_kind[ring_of] == POLYGON))
    steps, ring_of = steps[~drop], ring_of[~drop]
    sizes = np.bincount(ring_of, minlength=len(rings))
    return {
        "n": count,
        "shape": int(kinds[0]) if count and (kinds == kinds[0]).all() else "".join(map(str, kinds)),
        "rings": pack_varints(np.bincount(owner, minlength=count)),
        "sizes": pack_varints(sizes),
        "xy": pack_places(steps),
    }


def encode_lines(lines: np.ndarray) -> dict[str, str]:
    """Lines in metres of a frame: ``sizes`` (points a line) and ``xy`` (differences), as `encode_shapes` has them."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    steps = np.rint(xy / STEP).astype(np.int64)
    return {
        "sizes": pack_varints(np.bincount(line, minlength=len(lines))),
        "xy": pack_places(steps),
    }


def squeeze(value: Any) -> Any:
    """A value for JSON with its long lists and texts deflated: ``{"z": text}`` in place of each, for the page to undo.

    Short ones stay readable, and so does what would not get shorter.
    """
    if isinstance(value, dict):
        return {key: squeeze(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [squeeze(inner) for inner in value]
    if not isinstance(value, list | str) or len(value) < (LONG if isinstance(value, str) else LONG // 4):
        return value
    first = value if isinstance(value, str) else value[0]
    if isinstance(first, str) and first[:1] == DEFLATED:
        return value
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = pack_bytes(text.encode("utf-8", "replace"))
    return {"z": packed} if packed[0] == DEFLATED else value


def pack_bytes(raw: bytes) -> str:
    """Bytes as base64; long ones deflated before, where that is shorter: a sign in front and their length tell."""
    if len(raw) >= LONG:
        press = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        small = len(raw).to_bytes(4, "little") + press.compress(raw) + press.flush()
        if len(small) < 0.97 * len(raw):
            return DEFLATED + base64.b64encode(small).decode("ascii")
    return base64.b64encode(raw).decode("ascii")


def pack_changes(values: np.ndarray) -> str:
    """Whole numbers of which neighbours are alike: `pack_varints` of what changes from one to the next."""
    return pack_varints(signed(np.diff(np.asarray(values, dtype=np.int64), prepend=0)))


def pack_places(steps: np.ndarray) -> str:
    """Places in whole steps, int64 (n, 2), as `pack_varints` of what changes from one to the next."""
    return pack_varints(signed(np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))).ravel())


def pack_varints(values: np.ndarray) -> str:
    """Whole numbers, 0 or more, as `pack_bytes` of variable-length integers (7 bits a byte, lowest first)."""
    numbers = np.asarray(values, dtype=np.uint64)
    lengths = np.ones(len(numbers), dtype=np.int64)
    for bits in (7, 14, 21, 28):
        lengths += numbers >= (1 << bits)
    start = np.cumsum(lengths) - lengths
    out = np.zeros(int(lengths.sum()), dtype=np.uint8)
    for k in range(5):
        has = lengths > k
        more = (lengths[has] > k + 1).astype(np.uint8) << 7
        out[start[has] + k] = ((numbers[has] >> np.uint64(7 * k)) & np.uint64(127)).astype(np.uint8) | more
    return pack_bytes(out.tobytes())


def signed(values: np.ndarray) -> np.ndarray:
    """Signed whole numbers, int64, as unsigned ones, small ones staying small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return (values << 1) ^ (values >> 63)


def _thinned(rings: np.ndarray, tolerance: float) -> np.ndarray:
    # ring by ring: keeping the topology of whole circles takes twenty times as long, and nothing is counted on them
    thin = shapely.simplify(rings, tolerance, preserve_topology=False)
    collapsed = shapely.get_num_coordinates(thin) < np.where(shapely.get_type_id(rings) == 2, 4, 1)
    return np.where(collapsed, rings, thin)


def _kinds(parts: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Kind of each feature: of its parts the one of highest dimension, since a page draws one kind a feature."""
    kinds = np.zeros(count, dtype=np.int64)
    np.maximum.at(kinds, owner, np.clip(shapely.get_dimensions(parts), 0, 2))
    return kinds


def _rings(parts: np.ndarray, owner: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rings of polygons beside lines and points, in the order of their owners."""
    polygon = kinds == POLYGON
    rings, ring_part = shapely.get_rings(parts[polygon], return_index=True)
    all_rings = np.concatenate([rings, parts[~polygon]])
    position = np.concatenate([np.flatnonzero(polygon)[ring_part], np.flatnonzero(~polygon)])
    order = np.argsort(position, kind="stable")
    position = position[order]
    return all_rings[order], owner[position], kinds[position]
