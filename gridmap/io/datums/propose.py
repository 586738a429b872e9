"""What a table's coordinates may be in, best reading first: proposed with the evidence, never applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gridmap.errors import OptionError
from gridmap.io.datums.readings import DATUMS_ALIKE, Reading, readings_of, to_lonlat
from gridmap.io.datums.registration import FEWEST, Registration, StreetDistance, sample_points
from gridmap.io.datums.shifted import SHIFTED
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["COLUMNS", "EXCHANGE", "proposals_in_words", "propose_crs"]

COLUMNS = (
    "verdict", "crs", "reading", "swapped", "lon", "lat", "inside", "on_street", "on_street_moved", "evidence",
    "remedy",
)  # fmt: skip
# Of a large table so many points are read, the same ones each time, and the nearest shapes to its middle are tested.
_POINTS, _SHAPES = 5_000, 500
# Metres round the middle of the table within which streets are looked at, and round the streets what counts as inside.
_WINDOW, _MARGIN = 2_500.0, 1_000.0
# A polygon larger than this is no building (m2).
_BUILDING = 20_000.0
_VERDICTS = ("likely", "possible", "unlikely")
#: What exchanges the axes of any table.
EXCHANGE = "table.geometry = table.geometry.transform(lambda xy: xy[:, ::-1])"
_AS_STATED = ", as stated"


def propose_crs(
    table: gpd.GeoDataFrame | gpd.GeoSeries,
    streets: gpd.GeoDataFrame | None = None,
    communities: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Ways to read a table's coordinates, best first, each with its evidence and what to pass to a reader.

    The numbers alone tell degrees from metres, exchanged axes and a zone in front of the easting. They cannot tell the
    zone of an easting of six digits, nor degrees that are shifted (GCJ-02, BD-09): for that, give `streets` or
    `communities` of the place whose system is known.

    Parameters
    ----------
    table
        Any table, with or without a CRS; one that is stated is doubted as well. Buildings, as polygons, tell most: at
        least 20 of them, better 100.
    streets
        Streets of the same place in a system that is certain, such as OpenStreetMap's. Readings are tested by where
        they put the table, and for polygons by how many would stand on a street, there and when moved by 40 to 160 m.
    communities
        Areas of the same place in a system that is certain.

    Returns
    -------
    DataFrame
        ``verdict`` (likely, possible, unlikely), ``crs`` and ``swapped`` (north comes first), ``reading``, the middle
        of the table as ``lon`` and ``lat``, ``inside`` (share of points within 1 km of the bounds of streets and
        communities), ``on_street`` and ``on_street_moved`` (shares of the shapes), ``evidence`` and ``remedy`` in
        words. Empty where no reading lies in China. ``attrs["advice"]`` says what would make it certain.

    Raises
    ------
    OptionError
        When streets or communities have no CRS.

    Notes
    -----
    Nothing is moved. Readers take a proposal as ``crs=``; the axes of a sheet are exchanged with ``columns=``, those of
    a table with ``table.geometry.transform(lambda xy: xy[:, ::-1])``. The shift is
    recognised by its own formula: undoing it must make the buildings register, and the coordinates as they are must
    not. Points, lines and large areas lie too loosely among streets for that test and are only placed.

    Examples
    --------
    >>> import geopandas as gpd
    >>> houses = gpd.GeoDataFrame(geometry=gpd.points_from_xy([39500123.0, 39500456.0], [4419800.0, 4419900.0]))
    >>> propose_crs(houses)[["verdict", "crs"]].values.tolist()
    [['likely', 'EPSG:4527']]
    """
    if not isinstance(table, (gpd.GeoDataFrame, gpd.GeoSeries)):
        raise OptionError(f"propose_crs takes a GeoDataFrame, not {type(table).__name__}")
    context = [t for t in (streets, communities) if t is not None and len(t)]
    if any(t.crs is None for t in context):
        raise OptionError("streets and communities must have a CRS that is certain; use .set_crs() if you know it")
    shapes, xy = _sample(table)
    found = readings_of(xy, table.crs)
    inside = _inside(found, context)
    hidden = _hidden_shifts([r for r, share in zip(found, inside, strict=True) if share >= 0.5])
    found, inside = found + hidden, inside + _inside(hidden, context)
    tests: list[Registration | None] = [None] * len(found)
    if streets is not None and len(streets) and found and _are_buildings(shapes, found[0]):
        tests = _tests(shapes, found, inside, streets)
    rows = _rows(found, inside, tests)
    out = pd.DataFrame(rows, columns=list(COLUMNS))
    out.attrs["advice"] = _advice(out, context=bool(context), tested=any(t is not None for t in tests))
    return out


def proposals_in_words(table: gpd.GeoDataFrame, exchange: str = "") -> str:
    """How the coordinates may be read, for an error message; nothing where no reading fits.

    What the table itself states is what the message doubts: it is proposed only with its axes exchanged. `exchange`
    says how that is done, by default on a table in memory.
    """
    if not len(table):
        return ""
    found = propose_crs(table)
    found = found[found["swapped"] | ~found["reading"].str.endswith(_AS_STATED)]
    if found.empty:
        return ""
    words = _in_words(found)
    if not found["swapped"].iloc[0]:
        return words
    return f"{words} {exchange or f'Exchange the axes: {EXCHANGE}.'}"


def _in_words(found: pd.DataFrame) -> str:
    first = found.iloc[0]
    axes = ", with north and east exchanged" if first["swapped"] else ""
    if len(found) == 1 or first["verdict"] == "likely" or first["reading"].endswith(_AS_STATED):
        return f"The coordinates look like {first['reading']}{axes}: crs={first['crs']!r}."
    if first["crs"] == "EPSG:4326":
        return f"They look like degrees{axes}: crs='EPSG:4326' or 'EPSG:4490', or 'GCJ-02' (Amap), 'BD-09' (Baidu)."
    runs = " and ".join(_runs(found[found["crs"].str.startswith("EPSG:")]))
    apart = "gridmap.propose_crs(table, streets) tells them apart."
    if "central meridian" not in first["reading"]:
        return f"They look like metres{axes}, of {runs.replace(' and ', ' or ')}. {apart}"
    return (
        f"They look like metres{axes}; without a zone in them they cannot tell the central meridian: ask for it. "
        f"Consistent are {runs}. {apart}"
    )


def _runs(found: pd.DataFrame) -> list[str]:
    """Readings in few words, codes that follow each other as ``"EPSG:4534 to EPSG:4554 (... meridian 75 to 135)"``."""
    codes = found["crs"].str.removeprefix("EPSG:").astype(int).to_numpy()
    order = np.argsort(codes, kind="stable")
    words = []
    for run in np.split(order, np.flatnonzero(np.diff(codes[order]) != 1) + 1):
        first, last = found.iloc[run[0]], found.iloc[run[-1]]
        if len(run) == 1:
            words.append(f"{first['crs']} ({first['reading']})")
        else:
            words.append(f"{first['crs']} to {last['crs']} ({first['reading']} to {last['reading'].split()[-1]})")
    return words


def _sample(table: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[NDArray[Any], Array]:
    """Shapes round the middle of the table, to be tested among streets, and points from all over it, to be placed."""
    shapes = np.asarray(table.geometry.array)
    shapes = shapely.force_2d(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
    xy = shapely.get_coordinates(shapely.centroid(shapes))
    finite = np.isfinite(xy).all(axis=1)
    shapes, xy = shapes[finite], xy[finite]
    if len(xy) > _SHAPES:
        far = np.abs(xy - np.median(xy, axis=0)).max(axis=1)
        shapes = shapes[np.sort(np.argsort(far, kind="stable")[:_SHAPES])]
    if len(xy) > _POINTS:
        xy = xy[np.random.default_rng(0).choice(len(xy), _POINTS, replace=False)]
    return shapes, xy


def _hidden_shifts(found: list[Reading]) -> list[Reading]:
    """Projected readings whose degrees were shifted before they were projected."""
    return [
        replace(r, name=f"{r.name}, projected from {datum} degrees", lonlat=to_lonlat(r.lonlat, datum), hidden=datum)
        for r in found
        if _is_projected(r.crs)
        for datum in SHIFTED
    ]


def _is_projected(crs: str) -> bool:
    return crs not in SHIFTED and CRS.from_user_input(crs).is_projected


def _inside(found: list[Reading], context: Iterable[gpd.GeoDataFrame]) -> list[float]:
    """Share of the points of each reading within 1 km of the bounds of what is known; NaN without it."""
    boxes = [np.asarray(to_crs(t, 4326).total_bounds) for t in context]
    if not boxes:
        return [np.nan] * len(found)
    bounds = np.array(boxes)
    west, south = bounds[:, 0].min(), bounds[:, 1].min()
    east, north = bounds[:, 2].max(), bounds[:, 3].max()
    lat_margin = _MARGIN / 111_000
    lon_margin = lat_margin / max(np.cos(np.radians((south + north) / 2)), 0.1)
    shares = []
    for reading in found:
        lon, lat = reading.lonlat.T
        near = (lon >= west - lon_margin) & (lon <= east + lon_margin)
        shares.append(float((near & (lat >= south - lat_margin) & (lat <= north + lat_margin)).mean()))
    return shares


def _are_buildings(shapes: NDArray[Any], reading: Reading) -> bool:
    """Whether most shapes are polygons of the size of a building."""
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
    if not len(shapes) or polygons.mean() < 0.5:
        return False
    some = gpd.GeoSeries(shapely.transform(shapes[polygons], reading.place), crs=4326).to_frame("geometry")
    return bool(np.median(some.to_crs(metric_crs(some)).area) < _BUILDING)


def _tests(
    shapes: NDArray[Any], found: list[Reading], inside: list[float], streets: gpd.GeoDataFrame
) -> list[Registration | None]:
    """The registration of each reading that lies among the streets."""
    crs = metric_crs(streets)
    lines = np.asarray(to_crs(streets, crs).geometry.array)
    areas = shapes[np.isin(shapely.get_type_id(shapes), (3, 6))]
    tests: list[Registration | None] = []
    grids: dict[tuple[float, ...], StreetDistance] = {}
    for reading, share in zip(found, inside, strict=True):
        if not share >= 0.5:
            tests.append(None)
            continue
        placed = np.asarray(gpd.GeoSeries(shapely.transform(areas, reading.place), crs=4326).to_crs(crs).array)
        middle = np.median(shapely.get_coordinates(shapely.centroid(placed)), axis=0)
        # readings of one place share a window, so that they are measured alike
        key = tuple((middle // _WINDOW * _WINDOW).tolist())
        if key not in grids:
            west, south = key
            window = (west - _WINDOW, south - _WINDOW, west + 2 * _WINDOW, south + 2 * _WINDOW)
            near = lines[shapely.STRtree(lines).query(shapely.box(*window))]
            grids[key] = StreetDistance(near, window)
        tests.append(grids[key].registration(*sample_points(placed)))
    return tests


def _rows(found: list[Reading], inside: list[float], tests: list[Registration | None]) -> list[dict[str, Any]]:
    good = [i for i, test in enumerate(tests) if test is not None and test.good]
    best = min(good, key=lambda i: tests[i].on_street / tests[i].moved, default=None)  # type: ignore[union-attr]
    placed = [i for i, share in enumerate(inside) if share >= 0.5]
    plain = [i for i in placed if found[i].hidden is None] if best is None else []
    rows = []
    for i, (reading, share, test) in enumerate(zip(found, inside, tests, strict=True)):
        if best is not None:
            verdict = "likely" if i == best else "possible" if i in good else "unlikely"
        elif np.isnan(share):
            verdict = "likely" if len(found) == 1 else "possible"
        else:
            # where it lies is right, but the streets do not confirm it
            doubtful = test is not None and test.things >= FEWEST
            verdict = "unlikely" if i not in plain else "likely" if plain == [i] and not doubtful else "possible"
        lon, lat = np.median(reading.lonlat, axis=0)
        rows.append({
            "verdict": verdict, "crs": reading.crs, "reading": reading.name, "swapped": reading.swapped,
            "lon": round(float(lon), 6), "lat": round(float(lat), 6), "inside": share,
            "on_street": np.nan if test is None else test.on_street,
            "on_street_moved": np.nan if test is None else test.moved,
            "evidence": _evidence(share, test), "remedy": _remedy(reading),
        })  # fmt: skip
    order = sorted(range(len(rows)), key=lambda i: (_VERDICTS.index(rows[i]["verdict"]), i))
    return [rows[i] for i in order]


def _evidence(share: float, test: Registration | None) -> str:
    words = ["lies in China"]
    if not np.isnan(share):
        words.append(f"{share:.0%} within the place")
    if test is not None and test.things:
        fit = "fits" if test.good else "does not fit"
        words.append(f"{fit} the streets: {test.on_street:.0%} of {test.things} on one, {test.moved:.0%} when moved")
    return "; ".join(words)


def _remedy(reading: Reading) -> str:
    axes = (
        f"exchange the axes, {EXCHANGE}, or of a sheet columns={{'x': ..., 'y': ...}}, and " if reading.swapped else ""
    )
    if reading.hidden:
        return f"{axes}read with crs={reading.crs!r}, .to_crs(4326), and read that again with crs={reading.hidden!r}"
    return f"{axes}crs={reading.crs!r}"


def _advice(found: pd.DataFrame, *, context: bool, tested: bool) -> str:
    if found.empty:
        return "No reading puts the table into China. It may be in a local system; ask whoever made it."
    first = found.iloc[0]
    projected = _is_projected(first["crs"])
    if tested and np.isfinite(first["on_street"]) and first["verdict"] == "likely":
        words = "Take the first if you can confirm it."
    elif tested:
        words = "No reading fits the streets: the table may lie elsewhere, or be off by what no formula gives."
    elif len(found) == 1:
        words = "One reading only."
    elif projected and not context:
        words = "Without a zone the numbers cannot tell the central meridian: ask for it, or give streets."
    else:
        words = "What is possible differs by a shift or a scale: give streets, and buildings as polygons, to tell."
    return f"{words} {DATUMS_ALIKE}." if projected else words
