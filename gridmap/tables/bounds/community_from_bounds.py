"""`community_from_bounds`: the polygons that a description by four bounds may mean, ranked, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np

from gridmap.errors import OptionError
from gridmap.tables.bounds.sides import COMPASS, read_sides, readings
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs, to_metric
from gridmap.tables.findings import AttachedFindings, finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry import Polygon

    from gridmap.tables.bounds.enclose import Gap, Ring
    from gridmap.tables.bounds.sides import Reading

__all__ = ["community_from_bounds"]

# Rings of which one covers this share of their union are the same answer told twice.
_SAME = 0.9
# An area stated in a document is round: a quarter off is still that community.
_AREA_TOLERANCE = 0.25
_ORDER = ("east", "west", "south", "north")


class _Fit(NamedTuple):
    """A ring, the reading it comes from, and what speaks for and against it."""

    ring: Ring
    legs: Reading
    area: float
    gap: float
    misplaced: tuple[str, ...]
    score: float


def community_from_bounds(
    streets: Any,
    *,
    east: str | Iterable[str] | None = None,
    west: str | Iterable[str] | None = None,
    south: str | Iterable[str] | None = None,
    north: str | Iterable[str] | None = None,
    text: str | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    area_m2: float | None = None,
    area_km2: float | None = None,
    max_gap: float = 100.0,
    crossing: float = 60.0,
    alternatives: int = 5,
    community_id: str = "1",
) -> gpd.GeoDataFrame:
    """The polygon that a written description by four bounds (四至) encloses, with other polygons it may mean.

    The border runs along the lines of the streets named; where a street has separate carriageways, along the inner
    ones. A street of one name is one street in however many pieces. What does not quite meet is joined by the shortest
    line, up to `max_gap`, and reported.

    Parameters
    ----------
    streets
        Lines with ``name`` (and ``name_en``, ``alt_name`` ... where there are), or a prepared network.
    east, west, south, north
        The street that bounds the community on that side, or several in order. Spelling, width of characters,
        traditional characters, the word for "street" and a section (北段) may differ; see Notes.
    text
        The whole description in place of the four: ``"东至黑甲山前街，西至金银路，南至…，北至…"``.
    barriers
        Rivers, railways and walls, lines or polygons with ``name``, that may be sides as well.
    area_m2, area_km2
        The area stated for the community, in one unit or the other. Polygons that differ from it by more than a
        quarter rank behind those that do not.
    max_gap
        Longest gap in metres that is bridged, in a street or where two should meet.
    crossing
        Two streets with separate carriageways meet in several points; those no farther apart than this, in metres,
        count as one crossing.
    alternatives
        Most rows returned.
    community_id
        Id of the first row; the others add ``-2``, ``-3`` ... to it.

    Returns
    -------
    GeoDataFrame
        One row a polygon, best first, in the CRS of `streets`: community_id, rank, area_m2, area_ratio (to the area
        stated, else NaN), gap_m (all gaps bridged), gaps (their number), east, west, south, north (the names
        found), east_score ... (how well they agree, 0 to 1), misplaced (sides that do not lie where the description
        has them), findings (messages, one a line). ``attrs["findings"]`` is a findings table. The first row,
        ``.head(1)``, is ready for `gridmap.divide`.

    Raises
    ------
    OptionError
        When a name agrees with none in the tables (the nearest are named), the sides do not enclose anything (which
        do not meet is told, and how far apart they are), or an option cannot work.
    TableError
        When a table breaks its contract.

    Notes
    -----
    Polygons are ranked by, in this order: sides that lie where they should; area within a quarter of the one stated;
    agreement of names; gaps bridged, in steps of 5 % of the outline; how near the area is to the one stated, else
    the smaller first. A name agrees fully (1) when only spelling, case or accents differ, 0.97 for another section of
    the street, 0.9 when the word for "street" differs, 0.75 when a direction (学院南路, 学院路) differs, else by its
    letters. What agrees at less than 0.97 is tried only where nothing agrees better.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> names = ["金银路", "黑甲山前街", "和平路", "北环路"]
    >>> lines = [[(0, -9), (0, 309)], [(400, -9), (400, 309)], [(-9, 0), (409, 0)], [(-9, 300), (409, 300)]]
    >>> shapes = gpd.GeoSeries([LineString(line) for line in lines]).translate(5e5, 4.4e6)
    >>> streets = gpd.GeoDataFrame({"name": names}, geometry=shapes, crs="EPSG:4548")
    >>> found = community_from_bounds(streets, text="东至黑甲山前街，西至金银大街，南至和平路，北至北环路东段")
    >>> found[["rank", "area_m2", "gap_m", "west", "west_score"]].to_dict("records")
    [{'rank': 1, 'area_m2': 120000.0, 'gap_m': 0.0, 'west': '金银路', 'west_score': 0.9}]
    """
    sides = read_sides(text, {"east": east, "west": west, "south": south, "north": north})
    stated = _stated_area(area_m2, area_km2)
    for name, value in (("max_gap", max_gap), ("crossing", crossing)):
        if not (np.isfinite(value) and value >= 0):
            raise OptionError(f"{name}={value!r} must be a length in metres, 0 or more.")
    if alternatives < 1:
        raise OptionError(f"alternatives={alternatives!r} must be 1 or more.")
    # a prepared network keeps the lines it was made from
    lines = check_table(getattr(streets, "lines", streets), "streets")
    metric = to_metric(lines)
    tables = [metric]
    if barriers is not None:
        tables.append(to_crs(check_table(barriers, "barriers"), metric.crs))
    fits = _fits(list(readings(sides, tables)), max_gap, crossing)
    ranked = _apart(sorted(fits, key=lambda fit: _key(fit, stated)))[:alternatives]
    return _table(ranked, sides, stated, metric, lines.crs, community_id)


def _stated_area(area_m2: float | None, area_km2: float | None) -> float | None:
    if area_m2 is not None and area_km2 is not None:
        raise OptionError("give area_m2= or area_km2=, not both.")
    area = area_m2 if area_km2 is None else area_km2 * 1e6
    if area is not None and not (np.isfinite(area) and area > 0):
        raise OptionError(f"the area stated, {area!r} m², must be above 0.")
    return area


def _fits(ways: list[Reading], max_gap: float, crossing: float) -> list[_Fit]:
    """All rings of all readings."""
    from gridmap.tables.bounds.enclose import enclose

    fits = [
        _fit(ring, legs)
        for legs in ways
        for ring in enclose([leg.lines for leg in legs], max_gap=max_gap, crossing=crossing)
    ]
    if fits:
        return fits
    legs = ways[0]
    far = enclose([leg.lines for leg in legs], max_gap=np.inf, crossing=crossing)
    if not far:
        told = "、".join(leg.wanted for leg in legs)
        raise OptionError(f"{told} enclose nothing: they meet in one place at most. Name a street for each side.")
    # with every gap bridged another choice of crossings may turn out to need none that is too long
    near = [ring for ring in far if max((gap.line.length for gap in ring.gaps), default=0.0) <= max_gap]
    if near:
        return [_fit(ring, legs) for ring in near]
    raise OptionError(_why_not(min(far, key=lambda ring: sum(gap.line.length for gap in ring.gaps)), legs, max_gap))


def _why_not(ring: Ring, legs: Reading, max_gap: float) -> str:
    told = []
    for gap in ring.gaps:
        if gap.line.length > max_gap:
            a, b = (f"{'/'.join(legs[k].sides)} {legs[k].wanted!r}" for k in gap.legs)
            length = f"{gap.line.length:,.0f} m"
            told.append(
                f"{a} has a gap of {length}" if gap.legs[0] == gap.legs[1] else f"{a} and {b} are {length} apart"
            )
    return (
        f"the sides enclose nothing: {'; '.join(told)}. Bridged are gaps of up to max_gap={max_gap:g} m; name the "
        "streets in between too, as a list in order, or raise max_gap."
    )


def _fit(ring: Ring, legs: Reading) -> _Fit:
    centre = np.array(ring.polygon.centroid.coords[0])
    # a side of several streets lies where they lie together
    pull = dict.fromkeys(COMPASS, 0.0)
    for leg, path in zip(legs, ring.paths, strict=True):
        way = np.array(path.centroid.coords[0]) - centre
        toward = np.sum([COMPASS[side] for side in leg.sides], axis=0)
        for side in leg.sides:
            pull[side] += float(way @ toward) * path.length if toward.any() else np.inf
    misplaced = tuple(side for side in _ORDER if pull[side] <= 0)
    return _Fit(
        ring, legs, float(ring.polygon.area), float(sum(gap.line.length for gap in ring.gaps)), misplaced,
        min(leg.score for leg in legs),
    )  # fmt: skip


def _key(fit: _Fit, stated: float | None) -> tuple[Any, ...]:
    off = 0.0 if stated is None else abs(float(np.log(fit.area / stated)))
    return (
        len(fit.misplaced),
        stated is not None and abs(fit.area / stated - 1) > _AREA_TOLERANCE,
        -round(sum(leg.score for leg in fit.legs) / len(fit.legs), 3),
        round(20 * fit.gap / fit.ring.polygon.length),
        round(off, 6),
        round(fit.area, 3),
        fit.ring.polygon.wkb,
    )


def _apart(fits: list[_Fit]) -> list[_Fit]:
    """Fits without those that nearly repeat a better one."""
    kept: list[_Fit] = []
    for fit in fits:
        if not any(_alike(fit.ring.polygon, other.ring.polygon) for other in kept):
            kept.append(fit)
    return kept


def _alike(a: Polygon, b: Polygon) -> bool:
    if min(a.area, b.area) < _SAME * max(a.area, b.area):
        return False
    common = float(a.intersection(b).area)
    return common >= _SAME * (a.area + b.area - common)


def _table(
    fits: list[_Fit],
    sides: dict[str, list[str]],
    stated: float | None,
    metric: gpd.GeoDataFrame,
    crs: object,
    community_id: str,
) -> gpd.GeoDataFrame:
    rows, found = [], []
    for rank, fit in enumerate(fits, 1):
        own = community_id if rank == 1 else f"{community_id}-{rank}"
        told = _findings(fit, own, stated)
        found += told
        rows.append(
            {
                "community_id": own,
                "rank": rank,
                "area_m2": round(fit.area, 1),
                "area_ratio": np.nan if stated is None else fit.area / stated,
                "gap_m": round(fit.gap, 2),
                "gaps": len(fit.ring.gaps),
                **{side: "、".join(_names(fit, side)) for side in _ORDER},
                **{f"{side}_score": min(leg.score for leg in fit.legs if side in leg.sides) for side in _ORDER},
                "misplaced": "、".join(fit.misplaced),
                "findings": "\n".join(row["message"] for row in told),
            }
        )
    if len(fits) > 1:
        found.append(
            finding(
                "warning", "bounds_several",
                f"{len(fits)} polygons fit the description, of {', '.join(f'{fit.area:,.0f}' for fit in fits)} m².",
                cure="Look at each on the map; state the area, or name the streets in between.",
                ids=[row["community_id"] for row in rows],
                certificate={"areas_m2": [round(fit.area, 1) for fit in fits]},
            )
        )  # fmt: skip
    shapes = gpd.GeoSeries([fit.ring.polygon for fit in fits], crs=metric.crs)
    table = gpd.GeoDataFrame(rows, geometry=to_crs(shapes.to_frame("geometry"), crs).geometry)
    findings = findings_table(found, crs=metric.crs)
    table.attrs["findings"] = AttachedFindings(
        to_crs(findings, crs) if len(findings) else findings.set_crs(crs, allow_override=True)
    )
    table.attrs["sides"] = sides
    return table


def _names(fit: _Fit, side: str) -> list[str]:
    return list(dict.fromkeys(name for leg in fit.legs if side in leg.sides for name in leg.names))


def _findings(fit: _Fit, own: str, stated: float | None) -> list[dict[str, Any]]:
    found = [
        finding(
            "warning" if leg.score < 0.97 else "info", "bounds_name",
            f"{leg.wanted} in the {' and the '.join(leg.sides)} is read as {', '.join(leg.names)} ({leg.score:.2f}).",
            cure="Correct the name if another street is meant.",
            ids=[own],
            certificate={"wanted": leg.wanted, "names": list(leg.names), "score": leg.score},
        )
        for leg in fit.legs
        if leg.score < 1
    ]  # fmt: skip
    found += [_gap_finding(gap, fit.legs, own) for gap in fit.ring.gaps]
    if fit.misplaced:
        found.append(
            finding(
                "warning", "bounds_side",
                f"What is told as the {' and the '.join(fit.misplaced)} does not lie there.",
                cure="Check whether sides are exchanged.",
                ids=[own], certificate={"sides": list(fit.misplaced)}, geometry=fit.ring.polygon,
            )
        )  # fmt: skip
    if stated is not None and abs(fit.area / stated - 1) > _AREA_TOLERANCE:
        found.append(
            finding(
                "warning", "bounds_area",
                f"The polygon has {fit.area:,.0f} m², {fit.area / stated:.2f} times the {stated:,.0f} m² stated.",
                cure="Check the sides and the area stated.",
                ids=[own], certificate={"area_m2": round(fit.area, 1), "stated_m2": stated},
                geometry=fit.ring.polygon,
            )
        )  # fmt: skip
    return found


def _gap_finding(gap: Gap, legs: Reading, own: str) -> dict[str, Any]:
    a, b = (legs[k].wanted for k in gap.legs)
    length = gap.line.length
    what = f"{a} is interrupted for" if gap.legs[0] == gap.legs[1] else f"{a} and {b} do not meet; bridged are"
    return finding(
        "info" if length <= 30 else "warning", "bounds_gap",
        f"{what} {length:,.1f} m.",
        cure="Look at the place; draw the street on where it is incomplete.",
        ids=[own], certificate={"legs": [a, b], "metres": round(length, 2)}, geometry=gap.line,
    )  # fmt: skip
