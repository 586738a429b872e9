"""OpenStreetMap extracts (.pbf, .osm): all tables that are asked for in one pass over the file.

Read with osmium, which keeps node ids: streets join where they share a node, not where they cross, so a bridge is not a
crossroads. Coordinates go through flat arrays; no geometry is made one by one in Python but areas of relations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import ReadError
from gridmap.io.database import is_database
from gridmap.io.read.archives import check_compressed
from gridmap.io.read.failures import is_there
from gridmap.io.read.osm_tags import KEYS, RULES, LeftOut
from gridmap.io.read.record import Reading
from gridmap.tables.contracts import CONTRACTS, check_table
from gridmap.tables.crs import to_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["OSM_SUFFIXES", "is_osm", "read_osm"]

OSM_SUFFIXES = (".pbf", ".osm", ".osm.bz2", ".osm.gz", ".o5m")

# osmium gives coordinates as whole 1e-7 degrees, and this where a way's node is not in the file.
_DEGREE = 1e-7
_UNKNOWN = 2147483647
#: A residential area larger than this is a quarter of the town, not a compound (m2).
COMPOUND_LIMIT = 500_000.0
#: An entrance belongs to the outline it lies on, within this (m).
ENTRANCE_TOLERANCE = 1.0

_LINE_TABLES = ("streets", "barriers")
_POINT_TABLES = ("entrances", "facilities")
_WAY_AREA_TABLES = ("buildings", "compounds", "facilities", "communities", "barriers")
_RELATION_TABLES = ("buildings", "compounds", "facilities", "communities", "barriers")
_ID = {"streets": "street_id", "barriers": "barrier_id"}


def is_osm(path: Path) -> bool:
    """Whether a file is an OpenStreetMap extract, by its name."""
    return path.name.lower().endswith(OSM_SUFFIXES) and not is_database(path)


def read_osm(path: str | Path, kinds: Iterable[str]) -> dict[str, gpd.GeoDataFrame]:
    """Several tables from one OpenStreetMap extract, in one pass.

    Parameters
    ----------
    path
        A .pbf or .osm file (also .osm.gz, .osm.bz2).
    kinds
        Names of tables: ``"streets"``, ``"buildings"``, ``"compounds"``, ``"entrances"``, ``"barriers"``,
        ``"facilities"``, ``"communities"``.

    Returns
    -------
    dict of GeoDataFrame
        In EPSG:4326, one for each name; empty where the file holds nothing of the kind. Ids are ``node/1``, ``way/2``,
        ``relation/3``. Streets carry ``node_ids``, an int64 array with the OSM id of each vertex. What was left out or
        mended is in ``attrs["reading"]``.

    Raises
    ------
    ReadError
        When the file is missing, empty, cut short or no OpenStreetMap file.

    Notes
    -----
    *Compounds* are residential areas with a name or a barrier of their own, up to 0.5 km²: OpenStreetMap does not say
    which areas are walled, so check them. *Entrances* are gates and doors on the outline of a compound, building or
    facility, within 1 m; others are left out and counted. *Communities* are the administrative areas of the highest
    level in the file, or, where there are none, named places drawn as areas.
    """
    path = Path(path)
    wanted = tuple(dict.fromkeys(kinds))
    needed = dict.fromkeys(wanted)
    if "entrances" in needed:
        needed.update(dict.fromkeys(("compounds", "buildings", "facilities")))
    found = _collect(path, tuple(needed))
    lines, rings, areas, points = found.lines(), found.rings(), found.areas(), found.points()
    tables: dict[str, gpd.GeoDataFrame] = {}
    for name in sorted(needed, key="entrances".__eq__):
        reading = Reading(str(path), {"format": "OpenStreetMap"})
        for reason, ids in found.left_out[name].items():
            reading.leave_out(reason, ids)
        frame = _table(name, found, reading, lines=lines, rings=rings, areas=areas, points=points)
        if name == "buildings":
            frame = _without_outlines(frame, found.outlines, reading)
        elif name == "communities":
            frame = _highest_level(frame, reading)
        elif name == "compounds":
            frame = _small_enough(frame, reading)
        elif name == "entrances":
            frame = _belonging(frame, tables, reading)
        tables[name] = check_table(frame, name, allow_empty=True)
        tables[name].attrs["reading"] = reading.as_dict(len(frame))
    return {name: tables[name] for name in wanted}


@dataclass
class _Found:
    """What one pass over a file collects: rows by table, and the shapes they point to."""

    rows: dict[str, list[tuple[str, int, dict[str, Any]]]]
    left_out: dict[str, dict[str, list[str]]]
    way_ids: list[int] = field(default_factory=list)
    way_lengths: list[int] = field(default_factory=list)
    refs: list[int] = field(default_factory=list)
    xs: list[int] = field(default_factory=list)
    ys: list[int] = field(default_factory=list)
    area_ids: list[int] = field(default_factory=list)
    area_wkb: list[str] = field(default_factory=list)
    node_ids: list[int] = field(default_factory=list)
    node_xs: list[int] = field(default_factory=list)
    node_ys: list[int] = field(default_factory=list)
    relations: dict[int, dict[str, None]] = field(default_factory=dict)
    outlines: set[str] = field(default_factory=set)

    def lines(self) -> tuple[NDArray[Any], NDArray[np.int64], list[NDArray[np.int64]]]:
        """Lines of the ways, the way of each, and the node ids along each; a way is cut where nodes are unknown."""
        refs, xy = np.array(self.refs, dtype=np.int64), self._way_xy()
        way = np.repeat(np.arange(len(self.way_ids)), self.way_lengths)
        known = np.isfinite(xy[:, 0])
        begins = np.ones(len(way), dtype=bool)
        begins[1:] = (way[1:] != way[:-1]) | ~known[:-1]
        # a node named twice in a row is one vertex
        known[1:] &= begins[1:] | (refs[1:] != refs[:-1])
        run = np.cumsum(begins)[known]
        refs, xy, way = refs[known], xy[known], way[known]
        first = np.flatnonzero(np.r_[True, run[1:] != run[:-1]]) if len(run) else np.empty(0, dtype=np.int64)
        length = np.diff(np.r_[first, len(run)])
        keep = np.repeat(length >= 2, length)
        index = np.repeat(np.arange(len(first)), length)[keep]
        index = np.unique(index, return_inverse=True)[1]
        lines = shapely.linestrings(xy[keep], indices=index) if len(index) else np.empty(0, dtype=object)
        long = length >= 2
        return lines, way[first[long]], np.split(refs[keep], np.cumsum(length[long])[:-1]) if long.any() else []

    def rings(self) -> NDArray[Any]:
        """One polygon for each way, None where the way is not closed or nodes are unknown."""
        xy = self._way_xy()
        lengths = np.array(self.way_lengths, dtype=np.int64)
        out = np.full(len(lengths), None, dtype=object)
        if not len(lengths):
            return out
        end = np.cumsum(lengths)
        refs = np.array(self.refs, dtype=np.int64)
        whole = np.logical_and.reduceat(np.isfinite(xy[:, 0]), end - lengths)
        closed = (lengths >= 4) & (refs[end - lengths] == refs[end - 1]) & whole
        picked = np.repeat(closed, lengths)
        index = np.repeat(np.cumsum(closed) - 1, lengths)[picked]
        if closed.any():
            out[closed] = shapely.polygons(shapely.linearrings(xy[picked], indices=index))
        return out

    def areas(self) -> NDArray[Any]:
        """The areas that relations make."""
        return np.asarray(shapely.from_wkb(np.array(self.area_wkb, dtype=object)), dtype=object)

    def points(self) -> NDArray[Any]:
        """The nodes."""
        xy = _degrees(np.array([self.node_xs, self.node_ys], dtype=np.int64).T)
        return np.asarray(shapely.points(xy), dtype=object).reshape(-1)

    def _way_xy(self) -> NDArray[np.float64]:
        return _degrees(np.array([self.xs, self.ys], dtype=np.int64).T)


def _degrees(whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole == _UNKNOWN, np.nan, whole * _DEGREE)


def _collect(path: Path, kinds: tuple[str, ...]) -> _Found:
    found = _Found({name: [] for name in kinds}, {name: {} for name in kinds})
    rules = {name: RULES[name] for name in kinds}
    for element in _elements(path, kinds):
        tags = dict(element.tags)
        if element.is_way():
            _take_way(element, tags, rules, found)
        elif element.is_node():
            _take_node(element, tags, rules, found)
        elif element.is_area():
            _take_area(element, tags, rules, found)
        else:
            _take_relation(element, tags, rules, found)
    _count_broken(found)
    return found


def _elements(path: Path, kinds: tuple[str, ...]) -> Iterator[Any]:
    """The elements that may belong to a table; areas of relations come as elements of their own."""
    import osmium

    if not is_there(path):
        raise ReadError(f"{path}: there is no such file. Check the path; OpenStreetMap extracts end in .pbf or .osm.")
    if path.stat().st_size == 0:
        raise ReadError(f"{path}: the file is empty. Download or export the extract again.")
    check_compressed(path)
    keys = osmium.filter.KeyFilter(*dict.fromkeys(key for name in kinds for key in KEYS[name]))
    try:
        processor = osmium.FileProcessor(str(path)).with_locations()
        if any(name in _RELATION_TABLES for name in kinds):
            processor = processor.with_areas(keys)
        elif not any(name in _POINT_TABLES for name in kinds):
            processor = processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        yield from processor.with_filter(keys)
    except RuntimeError as error:
        raise ReadError(
            f"{path}: not a whole OpenStreetMap file ({error}). Download or export it again, as .osm.pbf or .osm."
        ) from error


def _take_way(element: Any, tags: dict[str, str], rules: dict[str, Any], found: _Found) -> None:
    taken = False
    name = f"way/{element.id}"
    for table, rule in rules.items():
        if table == "entrances":
            continue
        row = rule(tags)
        if isinstance(row, LeftOut):
            found.left_out[table].setdefault(row.reason, []).append(name)
        elif row is not None:
            found.rows[table].append(("way", len(found.way_ids), row))
            taken = True
    if taken:
        before = len(found.refs)
        for node in element.nodes:
            place = node.location
            found.refs.append(node.ref)
            found.xs.append(place.x)
            found.ys.append(place.y)
        found.way_ids.append(element.id)
        found.way_lengths.append(len(found.refs) - before)


def _take_node(element: Any, tags: dict[str, str], rules: dict[str, Any], found: _Found) -> None:
    place = element.location
    taken = False
    for table in _POINT_TABLES:
        row = rules[table](tags) if table in rules else None
        if row is not None and not place.valid():
            found.left_out[table].setdefault("node without a place", []).append(f"node/{element.id}")
        elif row is not None:
            found.rows[table].append(("node", len(found.node_ids), row))
            taken = True
    if taken:
        found.node_ids.append(element.id)
        found.node_xs.append(place.x)
        found.node_ys.append(place.y)


def _take_area(element: Any, tags: dict[str, str], rules: dict[str, Any], found: _Found) -> None:
    # areas of closed ways are made from the ways themselves, which keeps those whose ring crosses itself
    if element.from_way() or element.num_rings()[0] == 0:
        return
    taken = False
    for table in _RELATION_TABLES:
        row = rules[table](tags) if table in rules else None
        if isinstance(row, dict):
            found.rows[table].append(("relation", len(found.area_ids), row))
            taken = True
    if taken:
        found.area_ids.append(element.orig_id())
        found.area_wkb.append(_factory().create_multipolygon(element))


def _take_relation(element: Any, tags: dict[str, str], rules: dict[str, Any], found: _Found) -> None:
    if tags.get("type") not in ("multipolygon", "boundary"):
        return
    made = {table: None for table in _RELATION_TABLES if table in rules and isinstance(rules[table](tags), dict)}
    found.relations.setdefault(element.id, {}).update(made)
    if "buildings" in made:
        found.outlines.update(f"way/{m.ref}" for m in element.members if m.type == "w" and m.role != "inner")


def _count_broken(found: _Found) -> None:
    """Relations that osmium could make no area of."""
    made = set(found.area_ids)
    for relation, tables in found.relations.items():
        if relation not in made:
            for table in tables:
                reason = "relation whose rings do not close or whose members are not all in the file"
                found.left_out[table].setdefault(reason, []).append(f"relation/{relation}")


def _factory() -> Any:
    import osmium

    return osmium.geom.WKBFactory()


def _table(
    name: str,
    found: _Found,
    reading: Reading,
    *,
    lines: tuple[NDArray[Any], NDArray[np.int64], list[NDArray[np.int64]]],
    rings: NDArray[Any],
    areas: NDArray[Any],
    points: NDArray[Any],
) -> gpd.GeoDataFrame:
    """Rows of one table with their shapes, in the order of the file."""
    ids = {"way": found.way_ids, "relation": found.area_ids, "node": found.node_ids}
    rows = found.rows[name]
    frame = pd.DataFrame([row for *_, row in rows], columns=_columns(name))
    names = pd.Series([f"{kind}/{ids[kind][i]}" for kind, i, _ in rows], index=frame.index, dtype="str")
    frame.insert(0, _ID.get(name) or CONTRACTS[name].id or "id", names)
    kind = np.array([kind for kind, *_ in rows], dtype=object)
    index = np.array([i for _, i, _ in rows], dtype=np.int64)
    shape = np.full(len(rows), None, dtype=object)
    for source, shapes in (("relation", areas), ("node", points)):
        shape[kind == source] = shapes[index[kind == source]]
    way = kind == "way"
    as_line = way & _drawn_as_line(name, frame)
    shape[way & ~as_line] = rings[index[way & ~as_line]]
    keep = np.arange(len(rows))
    node_ids: list[NDArray[np.int64] | None] = [None] * len(rows)
    if as_line.any():
        keep, shape, node_ids = _with_lines(as_line, index, shape, lines, len(found.way_ids))
        frame = frame.iloc[keep].reset_index(drop=True)
    if name == "streets":
        frame["node_ids"] = pd.Series(node_ids, dtype=object, index=frame.index)
    out = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shape, index=frame.index, crs=4326))
    return _sound(out, reading, absent=frame.iloc[:, 0].to_numpy())


def _columns(name: str) -> list[str] | None:
    """Columns of a table of which the file has no row, so that an empty table looks like a full one."""
    samples = {
        "streets": {"highway": "x"}, "buildings": {"building": "x"}, "entrances": {"entrance": "x"},
        "compounds": {"landuse": "residential", "name": ""}, "barriers": {"railway": "rail"},
        "facilities": {"amenity": "school"}, "communities": {"boundary": "administrative", "admin_level": "1"},
    }  # fmt: skip
    row = RULES[name](samples[name])
    return list(row) if isinstance(row, dict) else None


def _drawn_as_line(name: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    if name == "streets":
        return np.ones(len(frame), dtype=bool)
    if name == "barriers":
        return np.asarray(frame["kind"] != "water", dtype=bool)
    return np.zeros(len(frame), dtype=bool)


def _with_lines(
    as_line: NDArray[np.bool_],
    index: NDArray[np.int64],
    shape: NDArray[Any],
    lines: tuple[NDArray[Any], NDArray[np.int64], list[NDArray[np.int64]]],
    ways: int,
) -> tuple[NDArray[np.int64], NDArray[Any], list[NDArray[np.int64] | None]]:
    """Repeat each row that is a line once for every piece of its way; a row without any piece keeps no shape."""
    pieces, piece_way, piece_refs = lines
    first = np.searchsorted(piece_way, np.arange(ways))
    count = np.bincount(piece_way, minlength=ways)
    times = np.where(as_line, np.maximum(count[index], 1), 1) if len(index) else np.empty(0, dtype=np.int64)
    keep = np.repeat(np.arange(len(index)), times)
    nth = np.arange(len(keep)) - np.repeat(np.cumsum(times) - times, times)
    out = shape[keep]
    drawn = as_line[keep] & (count[index[keep]] > 0)
    piece = first[index[keep]] + nth
    out[drawn] = pieces[piece[drawn]]
    refs = [piece_refs[p] if d else None for p, d in zip(piece, drawn, strict=True)]
    return keep, out, refs


def _sound(frame: gpd.GeoDataFrame, reading: Reading, *, absent: NDArray[Any]) -> gpd.GeoDataFrame:
    """Leave out rows without a shape and mend rings that cross themselves; count both."""
    shape = np.array(frame.geometry.array, dtype=object)
    missing = shapely.is_missing(shape)
    reading.leave_out("way that is not closed, too short, or not all in the file", absent[missing])
    broken = ~missing & ~shapely.is_valid(shape)
    shape[broken] = [_polygons(s) for s in shapely.make_valid(shape[broken])]
    flat = broken & shapely.is_empty(shape)
    reading.leave_out("ring without any area", absent[flat])
    reading.mended("ring that crossed itself", absent[broken & ~flat])
    frame = frame.set_geometry(gpd.GeoSeries(shape, index=frame.index, crs=frame.crs))
    return frame[~missing & ~flat].reset_index(drop=True)


def _polygons(shape: Any) -> Any:
    """The polygons of what `make_valid` gives; lines left over from spikes go."""
    parts = shapely.get_parts(shape)
    parts = np.r_[parts, shapely.get_parts(parts)] if shape.geom_type == "GeometryCollection" else parts
    return shapely.union_all(parts[shapely.get_type_id(parts) == 3])


def _without_outlines(frame: gpd.GeoDataFrame, outlines: set[str], reading: Reading) -> gpd.GeoDataFrame:
    """Drop ways that are the outer ring of a building relation: the relation is the building."""
    made = frame["building_id"].str.startswith("relation/").any()
    twice = frame["building_id"].isin(outlines) if made else pd.Series(data=False, index=frame.index)
    reading.leave_out("outer ring of a building that is there as a relation", frame["building_id"][twice])
    return frame[~twice].reset_index(drop=True)


def _highest_level(frame: gpd.GeoDataFrame, reading: Reading) -> gpd.GeoDataFrame:
    if frame.empty:
        return frame
    top = frame["admin_level"].max()
    reading.note(admin_level=int(top))
    other = frame["admin_level"] != top
    reading.leave_out("area of a level above the lowest communities", frame["community_id"][other])
    return frame[~other].reset_index(drop=True)


def _small_enough(frame: gpd.GeoDataFrame, reading: Reading) -> gpd.GeoDataFrame:
    large = to_metric(frame).area > COMPOUND_LIMIT if len(frame) else pd.Series(dtype=bool)
    reading.leave_out("residential area above 0.5 km2: a quarter, not a compound", frame["compound_id"][large])
    return frame[~large].reset_index(drop=True)


def _belonging(frame: gpd.GeoDataFrame, tables: dict[str, gpd.GeoDataFrame], reading: Reading) -> gpd.GeoDataFrame:
    """Give each entrance the outlines it lies on: gates those of compounds and facilities, doors those of buildings.

    Where that finds none the other kind is tried; where several match, each is a row, the further ones with ``#2`` ...
    after their id.
    """
    blank = frame.assign(of=pd.Series(dtype=object), of_id=pd.Series(dtype=object)).iloc[:0]
    if frame.empty:
        return blank
    metric = to_metric(frame)
    matches = []
    for name, of in (("compounds", "compound"), ("buildings", "building"), ("facilities", "facility")):
        table = tables[name]
        areas = table[np.isin(table.geom_type, ("Polygon", "MultiPolygon"))]
        walls = areas.to_crs(metric.crs).boundary.reset_index(drop=True)
        at, wall = walls.sindex.query(metric.geometry, predicate="dwithin", distance=ENTRANCE_TOLERANCE)
        ids = areas[CONTRACTS[name].id].to_numpy()[wall]
        matches.append(pd.DataFrame({"row": at, "of": of, "of_id": ids}))
    match = pd.concat(matches, ignore_index=True)
    door = frame["kind"].to_numpy()[match["row"]] == "door"
    match["second"] = np.where(door, match["of"] == "compound", match["of"] == "building")
    match["second"] &= match.groupby("row")["second"].transform(lambda s: not s.all())
    match = match[~match["second"]].sort_values(["row", "of", "of_id"])
    lost = ~frame.index.isin(match["row"])
    reading.leave_out("gate or door on no outline of a compound, building or facility", frame["entrance_id"][lost])
    if match.empty:
        return blank
    out = frame.iloc[match["row"]].reset_index(drop=True)
    out["of"], out["of_id"] = match["of"].to_numpy(), match["of_id"].to_numpy()
    nth = match.groupby("row").cumcount().to_numpy() + 1
    out["entrance_id"] = [i if n == 1 else f"{i}#{n}" for i, n in zip(out["entrance_id"], nth, strict=True)]
    return out
