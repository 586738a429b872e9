"""Places: which headings hold the coordinates, the shapes they make, and what they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gridmap.errors import ReadError
from gridmap.io.datums import shifted_name, to_wgs84
from gridmap.io.datums.accuracy import datum_remark
from gridmap.io.datums.names import known_crs
from gridmap.io.datums.propose import EXCHANGE, proposals_in_words
from gridmap.io.datums.within import why_doubtful, why_not_there
from gridmap.io.read import headings
from gridmap.io.read.paired_cells import ORDERS, is_paired, looks_paired, pair_heading, split_pairs
from gridmap.io.read.typed_degrees import parts_thousands, read_coordinates
from gridmap.io.read.vector_kinds import GEOJSON_SUFFIXES
from gridmap.io.read.well_known import shapes_from_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.io.read.record import Reading

    Array = NDArray[np.float64]

__all__ = ["PLACE_KEYS", "coordinate_headings", "with_crs", "with_geometry", "with_proposals"]

#: What `columns=` calls coordinates: one column each, a geometry in text, or both in one cell.
PLACE_KEYS = ("x", "y", "geometry", *ORDERS)
# Columns of places as the web service of Amap gives them (its documentation, "搜索POI"), plain; two of them are enough.
_AMAP = frozenset(
    ("typecode", "adcode", "adname", "pname", "pcode", "cityname", "citycode", "businessarea", "poiweight")
)
_ENOUGH_MARKS = 2
_EXPECTED = {
    "lon": "a longitude, such as 116.305 or 116°18′18″E", "lat": "a latitude, such as 39.905 or 39°54′18″N",
    "x": "a number, east", "y": "a number, north",
}  # fmt: skip


def with_proposals(violations: pd.DataFrame, frame: Any, place: dict[str, str]) -> pd.DataFrame:
    """A missing CRS with what the coordinates look like."""
    nameless = violations["value"].astype(str).str.startswith("no CRS")
    words = proposals_in_words(frame, _exchange(place)) if nameless.any() else ""
    if not words:
        return violations
    out = violations.copy()
    out.loc[nameless, "remedy"] = f"Pass crs= to the reader. {words}"
    return out


def coordinate_headings(frame: pd.DataFrame, said: dict[str, str], source: str, crs: Any = None) -> dict[str, str]:
    """Which headings hold the coordinates: as the user said, lon and lat, x and y, WKT, or both in one cell.

    Of several pairs of lon and lat, those of the datum that `crs` names are taken, else those that name none.
    """
    names = list(frame.columns)
    wanted = {key: said[key] for key in PLACE_KEYS if key in said}
    if wanted:
        return _as_said(frame, wanted, source)
    pair = _degrees(names, shifted_name(crs))
    if pair:
        return pair
    by_name = {headings.plain(n): str(n) for n in reversed(names)}
    found = [next((by_name[h] for h in known if h in by_name), None) for known in (headings.X, headings.Y)]
    if found[0] is not None and found[1] is not None:
        return {"x": found[0], "y": found[1]}
    wkt = next((by_name[h] for h in headings.WKT if h in by_name), None)
    if wkt is not None:
        return {_in_a_cell(frame, wkt): wkt}
    return pair_heading(frame, shifted_name(crs))


def _as_said(frame: pd.DataFrame, wanted: dict[str, str], source: str) -> dict[str, str]:
    """The headings of coordinates that the user named."""
    names = list(frame.columns)
    absent = [heading for heading in wanted.values() if heading not in names]
    if absent:
        raise ReadError(
            f"{source}: columns= names {', '.join(map(repr, absent))} for coordinates, but the headings present are: "
            f"{', '.join(map(str, names)) or 'none'}. Correct the name."
        )
    if len({"x", "y"} & set(wanted)) == 1:
        given, other = ("x", "y") if "x" in wanted else ("y", "x")
        raise ReadError(
            f"{source}: columns= names {given} but not {other}. Name both, columns={{'x': 'east or longitude heading', "
            "'y': 'north or latitude heading'}."
        )
    order = next((order for order in ORDERS if order in wanted), None)
    if order is not None:
        return {order: wanted[order]}
    if "geometry" in wanted:
        return {_in_a_cell(frame, wanted["geometry"]): wanted["geometry"]}
    if wanted["x"] == wanted["y"]:
        return {"pair": wanted["x"]}
    # as degrees are headed, whichever is called which: what is said wins
    degrees = {headings.plain(h) for h in wanted.values()} <= {*headings.LONGITUDE, *headings.LATITUDE}
    return dict(zip(("lon", "lat") if degrees else ("x", "y"), (wanted["x"], wanted["y"]), strict=True))


def _in_a_cell(frame: pd.DataFrame, heading: str) -> str:
    """Whether a column said to hold the place holds well-known text or pairs."""
    return "pair" if looks_paired(frame[heading]) else "wkt"


def _degrees(names: list[Any], shifted: str | None) -> dict[str, str]:
    """The headings of longitude and latitude, both in one datum."""
    texts = [str(name) for name in reversed(names)]
    for datum in dict.fromkeys((shifted, None, "WGS 84", "GCJ-02", "BD-09")):
        by_name = {headings.without_datum(text): text for text in texts if headings.stated_datum(text) == datum}
        known = (headings.LONGITUDE, headings.LATITUDE)
        lon, lat = (next((by_name[h] for h in among if h in by_name), None) for among in known)
        if lon is not None and lat is not None:
            return {"lon": lon, "lat": lat}
    return {}


class Placed(NamedTuple):
    """A frame with geometry, its headings of coordinates in the order found, and unreadable ones as violations."""

    frame: gpd.GeoDataFrame
    place: dict[str, str]
    unreadable: list[dict[str, Any]]


def with_geometry(frame: pd.DataFrame, place: dict[str, str], reading: Reading) -> Placed:
    """The frame with flat, single-part points where it can; rows without coordinates keep no geometry."""
    srid: int | None = None
    unreadable: list[dict[str, Any]] = []
    if "wkt" in place:
        shape, srid = shapes_from_text(frame[place["wkt"]], reading.source)
        frame = frame.drop(columns=place["wkt"])
    elif place:
        if is_paired(place):
            x, y, place, unreadable = _points_of_pairs(frame, place, reading)
        else:
            x, y, unreadable = _points_of_columns(frame, place, reading)
        shape = np.asarray(shapely.points(x, y), dtype=object)
        shape[~(np.isfinite(x) & np.isfinite(y))] = None
        frame = frame.drop(columns=list(place.values()))
    elif isinstance(frame, gpd.GeoDataFrame) and "geometry" in frame.columns:
        shape = frame.geometry.to_numpy().copy()
    else:
        # check_table says what is missing, beside all else that is wrong
        return Placed(gpd.GeoDataFrame(frame), place, unreadable)
    shape = shapely.force_2d(shape)
    single = (shapely.get_type_id(shape) == 4) & (shapely.get_num_geometries(shape) == 1)
    shape[single] = shapely.get_geometry(shape[single], 0)
    crs = frame.crs if isinstance(frame, gpd.GeoDataFrame) else srid
    plain = pd.DataFrame(frame).drop(columns="geometry", errors="ignore")
    out = gpd.GeoDataFrame(plain, geometry=gpd.GeoSeries(shape, index=frame.index, crs=crs))
    return Placed(out, place, unreadable)


def _points_of_columns(
    frame: pd.DataFrame, place: dict[str, str], reading: Reading
) -> tuple[Array, Array, list[dict[str, Any]]]:
    """Coordinates of two columns, and those that are unreadable."""
    thousands = "x" in place and any(parts_thousands(frame[heading]) for heading in place.values())
    numbers, unreadable = [], []
    for axis, heading in place.items():
        column = read_coordinates(frame[heading], axis, thousands=thousands)
        for words, rows in column.remarks.items():
            reading.mended(f"{heading}: {words}", rows)
        numbers.append(column.numbers)
        unreadable += _told(frame[heading][column.unreadable], _EXPECTED[axis])
    return numbers[0], numbers[1], unreadable


def _points_of_pairs(
    frame: pd.DataFrame, place: dict[str, str], reading: Reading
) -> tuple[Array, Array, dict[str, str], list[dict[str, Any]]]:
    """Coordinates of one column of pairs, their order and the cells that are unreadable; what was found is noted."""
    ((order, heading),) = place.items()
    pairs = split_pairs(frame[heading], order, reading.source)
    first = "longitude or east" if pairs.order == "lnglat" else "latitude or north"
    reading.note(coordinates={"from": heading, "first": first, "told_by": pairs.because})
    unreadable = _told(frame[heading].loc[pairs.unreadable], "two coordinates, such as 116.305,39.905")
    return pairs.x, pairs.y, {pairs.order: heading}, unreadable


def _told(cells: pd.Series, expected: str) -> list[dict[str, Any]]:
    remedy = "Correct the cell, or leave it empty."
    return [
        {"row": row, "column": cells.name, "value": repr(cell), "expected": expected, "remedy": remedy}
        for row, cell in cells.items()
    ]


def with_crs(frame: gpd.GeoDataFrame, crs: Any, place: dict[str, str], reading: Reading) -> gpd.GeoDataFrame:
    """State, or check, what the coordinates are in."""
    source = reading.source
    if "geometry" not in frame.columns:
        return frame
    frame = _without_wrong_crs(frame, crs, place, reading)
    shifted = shifted_name(crs)
    _refuse_other_datum(place, crs, source)
    if crs is None and frame.crs is None and ("lon" in place or _pairs_of_degrees(frame, place)):
        _refuse_stated_datum(place, source)
        reading.note(crs_from="headings of longitude and latitude" if "lon" in place else "pairs of degrees")
        _doubt_web_map(frame, place, reading)
        frame = frame.set_crs(4326)
    elif shifted:
        if frame.crs is not None and not frame.crs.is_geographic:
            raise ReadError(
                f"{source}: crs={crs!r} is in degrees, but the source says it is in {_name(frame.crs)}. Leave crs= out."
            )
        _check_degrees(frame, place, source)
        reading.note(crs_from=f"{shifted}, turned into WGS 84")
        return to_wgs84(frame, shifted)
    elif crs is not None:
        stated = known_crs(crs)
        if frame.crs is not None and frame.crs != stated and not source.lower().endswith(GEOJSON_SUFFIXES):
            raise ReadError(
                f"{source}: crs= says {_name(stated)}, but the source says it is in {_name(frame.crs)}. crs= states "
                "what the coordinates are in; it does not convert them. Leave it out, and use .to_crs() on the result."
            )
        reading.note(crs_from="crs=")
        frame = frame.set_crs(stated, allow_override=True)
        _check_stated(frame, place, source)
    if frame.crs is not None:
        if frame.crs.is_geographic:
            _check_degrees(frame, place, source)
        _note_remarks(frame, reading)
    return frame


def _note_remarks(frame: gpd.GeoDataFrame, reading: Reading) -> None:
    remark, doubt = datum_remark(frame), why_doubtful(frame)
    if remark is not None:
        reading.note(datum=remark)
    if doubt:
        reading.note(crs_doubt=f"{_name(frame.crs)} {doubt}")


def _without_wrong_crs(frame: gpd.GeoDataFrame, crs: Any, place: dict[str, str], reading: Reading) -> gpd.GeoDataFrame:
    """Refuse the source's own CRS where it cannot be, or leave it out where `crs` says another; that is noted."""
    why = why_not_there(frame)
    if not why and (crs is None or frame.crs is None or not frame.crs.is_geographic or _are_degrees(frame)):
        return frame
    if crs is not None:
        reading.note(crs_left_out=f"the source says {_name(frame.crs)}, {why or 'but the numbers are no degrees'}")
        return frame.set_crs(None, allow_override=True)
    words = proposals_in_words(frame, _exchange(place)) or "Ask whoever made it what the coordinates are in."
    raise ReadError(f"{reading.source}: the source says it is in {_name(frame.crs)}, {why}. {words}")


def _are_degrees(frame: gpd.GeoDataFrame) -> bool:
    """Whether all coordinates may be degrees; without any there is nothing to say."""
    bounds = np.abs(np.nan_to_num(frame.total_bounds, posinf=0.0, neginf=0.0)) if len(frame) else np.zeros(4)
    return bool(bounds[[0, 2]].max() <= 180 and bounds[[1, 3]].max() <= 90)


def _doubt_web_map(frame: gpd.GeoDataFrame, place: dict[str, str], reading: Reading) -> None:
    """Note that the columns are those of a web map, which shifts its coordinates, where no heading says a datum."""
    names = [*map(str, frame.columns), *reading.notes.get("columns", {}).values()]
    marks = [name for name in dict.fromkeys(names) if headings.plain(name) in _AMAP]
    if len(marks) >= _ENOUGH_MARKS and not _stated(place)[1]:
        reading.note(
            crs_doubt=f"the columns {', '.join(marks[:4])} are those of an Amap export, whose coordinates are GCJ-02, "
            "300 to 700 m off; they were taken for WGS 84. Pass crs='GCJ-02' if they were not converted"
        )


def _pairs_of_degrees(frame: gpd.GeoDataFrame, place: dict[str, str]) -> bool:
    return is_paired(place) and bool(np.nanmax(np.abs(frame.total_bounds), initial=0.0) <= 180)


def _name(crs: Any) -> str:
    known = CRS.from_user_input(crs)
    authority = known.to_authority()
    return ":".join(authority) if authority else str(known.name)


def _exchange(place: dict[str, str]) -> str:
    """How the axes of a source are exchanged: by its headings, or by hand."""
    if len(place) == 2:
        x, y = place.values()
        return f"Exchange them: columns={{'x': {y!r}, 'y': {x!r}}}."
    for order, other in zip(ORDERS, reversed(ORDERS), strict=True):
        if order in place:
            return f"Exchange them: columns={{{other!r}: {place[order]!r}}}."
    return f"Exchange the axes of the table, {EXCHANGE} (a file: read it with geopandas first), and read that."


def _check_stated(frame: gpd.GeoDataFrame, place: dict[str, str], source: str) -> None:
    """Refuse a projected system that puts the table where it is not used."""
    why = why_not_there(frame)
    if why:
        words = proposals_in_words(frame, _exchange(place)) or "Ask whoever made it what the coordinates are in."
        raise ReadError(f"{source}: crs= says {_name(frame.crs)}, {why}. {words}")


def _check_degrees(frame: gpd.GeoDataFrame, place: dict[str, str], source: str) -> None:
    low_x, low_y, high_x, high_y = frame.total_bounds if len(frame) else (0, 0, 0, 0)
    if not np.isfinite([low_x, low_y, high_x, high_y]).all():
        return
    if max(-low_x, high_x) > 180 or max(-low_y, high_y) > 90:
        swapped = max(-low_x, high_x) <= 90 and max(-low_y, high_y) <= 180
        remedy = (
            f"Longitude and latitude look exchanged. {_exchange(place)}"
            if swapped
            else proposals_in_words(frame, _exchange(place))
            or "They look like metres: pass the projected crs=, for example 'EPSG:4548'."
        )
        raise ReadError(
            f"{source}: coordinates from ({low_x:g}, {low_y:g}) to ({high_x:g}, {high_y:g}) are not degrees. {remedy}"
        )


def _stated(place: dict[str, str]) -> tuple[str, str]:
    """The first heading of coordinates that names a datum, and the datum."""
    said = ((heading, headings.stated_datum(heading)) for heading in place.values())
    return next(((heading, datum) for heading, datum in said if datum), ("", ""))


def _refuse_stated_datum(place: dict[str, str], source: str) -> None:
    heading, datum = _stated(place)
    if datum and datum != "WGS 84":
        raise ReadError(f"{source}: the heading {heading!r} says {datum}. Pass crs={datum!r} if that is so.")


def _refuse_other_datum(place: dict[str, str], crs: Any, source: str) -> None:
    heading, datum = _stated(place)
    shifted = shifted_name(crs)
    if crs is not None and datum and (shifted or "WGS 84") != datum:
        remedy = f"Pass crs={datum!r}" if datum != "WGS 84" else "Leave crs= out"
        raise ReadError(
            f"{source}: the heading {heading!r} says {datum}, crs= says {crs}. {remedy}, or correct the heading."
        )
