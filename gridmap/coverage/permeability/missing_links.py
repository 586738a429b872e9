"""Missing links: which single short link between streets would bring most households within reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from gridmap.coverage.counting.along_network import nearest_by_category
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.coverage.permeability.link_gains import Gain, Links, Today, bounds, could_gain, gains, helpful
from gridmap.coverage.permeability.link_places import (
    OBSTACLES,
    count_drawn,
    far_by_foot,
    find_obstacles,
    find_places,
    free_ground,
    near_pairs,
    same_side,
)
from gridmap.errors import OptionError
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from gridmap.network.streets import StreetNetwork
    from gridmap.network.walls import Walls

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]

__all__ = ["missing_links"]

OBJECTIVES = ("covered", "saved")
# Links whose gain is worked out at a time.
_BATCH = 64


class _Evaluated(NamedTuple):
    """A link with its gain: row among the candidates, what it is ranked by, and all that it brings."""

    row: int
    score: float
    gain: Gain


def missing_links(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork,
    *,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    objective: str = "covered",
    weight: str = "households",
    longest: float = 100.0,
    detour: float = 3.0,
    across: Collection[str] = (),
    obstacles: gpd.GeoDataFrame | None = None,
    apart: float | None = None,
    count: int = 10,
    spacing: float = 25.0,
    profile: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """The short links between streets, not there today, that would bring most households within reach.

    A candidate is a straight line between two places of the network that are near as the crow flies and far by foot. A
    bound leaves out what cannot come near the top, and for the others the households are counted on shortest paths.
    People step onto a link at its ends alone, as on a footbridge; `StreetNetwork.with_changes` with the rows of the
    result as `add` also lets the homes beside it out onto it.

    Parameters
    ----------
    buildings, facilities, streets
        As for `cover`; footprints are obstacles.
    minutes, metres
        Threshold as for `cover`; a mapping chooses the categories.
    objective
        What links are ranked by: ``"covered"``, people newly within reach, summed over the categories, or ``"saved"``,
        minutes (metres) that they are nearer, counted up to the threshold.
    weight
        The column of buildings to count.
    longest
        Links are no longer than this, metres.
    detour
        A link is missing where the way by foot between its ends is at least so many times its length.
    across
        What links may cross: any of ``"streets"`` (walkable ones), ``"buildings"``, ``"walls"``, ``"barriers"``. One
        through a wall stands for a new gate; `StreetNetwork.with_changes` needs that gate as `open_gates` too.
    obstacles
        More lines and polygons that no link crosses, though they bar no access leg: cliffs, railways, fences. Heights
        are not known.
    apart
        A link is left out where a better one lies within this distance, metres; None means `longest`.
    count
        How many links to list at most.
    spacing
        Links begin and end at nodes, and at places along streets no further apart than this, metres.
    profile, barriers, compounds, entrances
        As for `cover`.

    Returns
    -------
    GeoDataFrame
        One row a link, the best first, in the CRS of the buildings: ``rank``, ``metres`` (its length), ``way_metres``
        (today's way between its ends, NaN where there is none), ``gained`` (people newly within reach, summed over the
        categories), ``people`` (of these each once), ``categories`` (gained by category, as text), ``saved``,
        ``from_street``, ``to_street``, ``crosses`` (classes of streets crossed that nobody may walk on), ``draws``
        (buildings and facilities without a street within `access_metres`, to which the link would be the nearest one:
        on streets with it they get out onto it alone, and may lose by that) and the line.
        ``.attrs``: ``weight``, ``measure``, ``thresholds``, ``candidates`` and how many of them were ``evaluated``.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option has an impossible value.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> lines = [[(500000, 0), (500400, 0)], [(500000, 60), (500400, 60)], [(500000, 0), (500000, 60)]]
    >>> streets = gpd.GeoDataFrame(geometry=[LineString(line) for line in lines], crs=32650)
    >>> home = gpd.GeoDataFrame({"building_id": ["a"], "households": [9]}, geometry=[Point(500400, 65)], crs=32650)
    >>> shop = gpd.GeoDataFrame({"facility_id": ["s"], "category": ["shop"]}, geometry=[Point(500400, -5)], crs=32650)
    >>> missing_links(home, shop, streets, metres=300)[["rank", "metres", "gained", "way_metres"]].round(1)
       rank  metres  gained  way_metres
    0     1    60.0     9.0       860.0
    """
    _check(objective, across, count, longest=longest, detour=detour, spacing=spacing)
    limits = read_thresholds(minutes, metres)
    homes = check_table(buildings, "buildings", needs=("households",) if weight == "households" else ())
    services = check_table(facilities, "facilities")
    network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    existing = is_counted(services)
    thresholds = limits.by_category(services.loc[existing, "category"].unique())
    # in order of ids, so that sums do not depend on the order of rows
    homes = homes.iloc[np.argsort(homes["building_id"].to_numpy(dtype=str), kind="stable")]
    people, _ = weights_of(homes, weight)
    today = _stand(network, homes, services, existing, thresholds, limits.measure, people, spacing)
    shapes = np.asarray(to_crs(homes, network.crs).geometry.array)
    others = np.empty(0, dtype=object)
    if obstacles is not None:
        others = np.asarray(to_crs(obstacles, network.crs).geometry.array, dtype=object)
    barred = find_obstacles(network, shapes, across, others)
    links, way = _candidates(today, shapes, objective == "saved", longest, detour, barred, walls="walls" not in across)
    best, evaluated = _rank(today, links, objective, longest if apart is None else apart, count)
    chosen = links.take(np.array([one.row for one in best], dtype=np.int64))
    out = _describe(today, chosen, way[[one.row for one in best]], [one.gain for one in best], list(thresholds))
    asked = existing & services["category"].isin(list(thresholds)).to_numpy()
    out.insert(len(out.columns) - 1, "draws", count_drawn(network, _lines(today, chosen), homes, services[asked]))
    out.attrs.update(
        weight=denominator_of(homes, weight),
        measure=limits.measure,
        thresholds=thresholds,
        candidates=len(links.u),
        evaluated=evaluated,
    )
    return gpd.GeoDataFrame(out.to_crs(homes.crs))


def _check(objective: str, across: Collection[str], count: int, **numbers: float) -> None:
    if objective not in OBJECTIVES:
        raise OptionError(f"objective={objective!r} is unknown; use {' or '.join(map(repr, OBJECTIVES))}.")
    unknown = [kind for kind in ([across] if isinstance(across, str) else across) if kind not in OBSTACLES]
    if unknown or isinstance(across, str):
        raise OptionError(f"across={across!r} must be a list of {', '.join(OBSTACLES)}.")
    if isinstance(count, bool) or count < 1:
        raise OptionError(f"count={count!r} must be a whole number of at least 1.")
    for name, value in numbers.items():
        if isinstance(value, bool) or not 0 < value < np.inf:
            raise OptionError(f"{name}={value!r} must be a number above 0.")


def _stand(
    network: StreetNetwork,
    homes: gpd.GeoDataFrame,
    services: gpd.GeoDataFrame,
    existing: NDArray[np.bool_],
    thresholds: dict[str, float],
    measure: str,
    weight: Floats,
    spacing: float,
) -> Today:
    """Costs from homes and places to each category today."""
    rows = rows_by_category(services, existing, list(thresholds))
    origins = network.access(to_crs(homes, network.crs), kind="building")
    targets = network.access(to_crs(services, network.crs), kind="facility")
    places = find_places(network, spacing)
    limits = np.fromiter(thresholds.values(), dtype=np.float64, count=len(rows))
    costs = []
    for access in (origins, places.access):
        found = nearest_by_category(network, access, targets, rows, measure=measure, k=1).cost(measure)[:, :, 0]
        costs.append(np.where(found <= limits, found, np.inf))
    return Today(network, measure, origins, weight, costs[0], places, costs[1], limits)


def _candidates(
    today: Today,
    shapes: NDArray[np.object_],
    saving: bool,
    longest: float,
    detour: float,
    barred: Walls,
    *,
    walls: bool,
) -> tuple[Links, Floats]:
    """Links that shorten some way for somebody, cross nothing they may not and are far by foot; and that way."""
    network, places = today.network, today.places
    pace = 1.0 if today.measure == "metres" else 0.06 / network.profile.kmh
    slack = _slack(today, shapes, saving)
    found = []
    for u, v in near_pairs(places.xy, longest):
        links = Links(u, v, np.hypot(*(places.xy[u] - places.xy[v]).T) * pace)
        links = links.take(helpful(today, links, slack))
        if walls:
            links = links.take(same_side(places, links.u, links.v))
        found.append(links.take(free_ground(places.xy, links.u, links.v, barred)))
    links = Links(*(np.concatenate(values) for values in zip(*found, strict=True)))
    far, way = far_by_foot(network, places, links.u, links.v, detour)
    return links.take(far), way[far]


def _slack(today: Today, shapes: NDArray[np.object_], saving: bool) -> Floats:
    """Least cost, (p, c), from each place to a home that has anything to gain: straight there, at the best pace."""
    from scipy.spatial import cKDTree

    network = today.network
    graph, moving = network.graph, network.graph.edge_length > 0
    pace = 1.0
    if today.measure == "minutes":
        best = (graph.edge_seconds[moving] / graph.edge_length[moving]).min()
        pace = min(float(best), 3.6 / network.profile.leg_kmh) / 60
    out = np.full(today.place_cost.shape, np.inf)
    points = shapely.get_coordinates(shapely.point_on_surface(shapes))
    gaining = could_gain(today, saving=saving)
    for column in range(len(today.limit)):
        rows = np.flatnonzero(gaining[:, column])
        # homes entered at doors or gates elsewhere than their point: no straight line to go by
        if len(rows) and network.entrances is None:
            out[:, column] = cKDTree(points[rows]).query(today.places.xy)[0] * pace
        elif len(rows):
            out[:, column] = 0.0
    return out


def _rank(today: Today, links: Links, objective: str, apart: float, count: int) -> tuple[list[_Evaluated], int]:
    """The best links that have no better one near them, best first; and how many were worked out.

    Links are taken in order of their bounds. One is left alone where a better one within `apart` is known; the end is
    reached when enough links are known whose gain no bound that is left exceeds.
    """
    bound = bounds(today, links, saving=objective == "saved")
    order = np.lexsort((links.v, links.u, links.cost, -bound))
    order = order[bound[order] > 0]
    lines = _lines(today, links)
    # a line without length is near nothing
    lines = np.where(shapely.length(lines) > 0, lines, shapely.points(today.places.xy[links.u]))
    known: list[_Evaluated] = []
    waiting: list[int] = []
    at, evaluated = 0, 0
    while True:
        peaks = _peaks(known, lines, apart)
        enough = at == len(order) or sum(_beats(one, order[at], links, bound) for one in peaks) >= count
        # one left alone may still be better than a link that would be listed near it
        rows = _rivals(peaks[:count], waiting, links, bound, lines, apart) if enough else []
        if enough and not rows:
            return peaks[:count], evaluated
        if not enough:
            for row in order[at : at + _BATCH].tolist():
                (waiting if _outdone(row, known, links, bound, lines, apart) else rows).append(row)
            at = min(at + _BATCH, len(order))
        waiting = [row for row in waiting if row not in rows]
        found = gains(today, links.take(np.array(rows, dtype=np.int64))) if rows else []
        evaluated += len(rows)
        scores = [gain.saved if objective == "saved" else float(gain.by_category.sum()) for gain in found]
        known += [_Evaluated(r, s, g) for r, s, g in zip(rows, scores, found, strict=True) if s > 0]
        known.sort(key=lambda one: (-one.score, links.cost[one.row], links.u[one.row], links.v[one.row]))


def _rivals(
    peaks: list[_Evaluated],
    rows: list[int],
    links: Links,
    bound: Floats,
    lines: NDArray[np.object_],
    apart: float,
) -> list[int]:
    """Those of some links that may be better than one of the peaks near them."""
    near = [one.row for one in peaks]
    out = []
    for row in rows:
        close = shapely.distance(lines[near], lines[row]) < apart
        if any(not _beats(one, row, links, bound) for one, by in zip(peaks, close, strict=True) if by):
            out.append(row)
    return out


def _beats(one: _Evaluated, row: int, links: Links, bound: Floats) -> bool:
    """Whether a link that is known is better than another can be: more gained, or as much and no longer."""
    return one.score > bound[row] or (one.score == bound[row] and links.cost[one.row] <= links.cost[row])


def _outdone(
    row: int, known: list[_Evaluated], links: Links, bound: Floats, lines: NDArray[np.object_], apart: float
) -> bool:
    """Whether a link that is known to be better than this one can be lies near it."""
    better = [one.row for one in known if _beats(one, row, links, bound)]
    return bool(better) and bool((shapely.distance(lines[better], lines[row]) < apart).any())


def _peaks(known: list[_Evaluated], lines: NDArray[np.object_], apart: float) -> list[_Evaluated]:
    """Links, sorted best first, that have no better one near them."""
    rows = np.array([one.row for one in known], dtype=np.int64)
    if not len(rows) or apart == 0:
        return known
    one, other = shapely.STRtree(lines[rows]).query(lines[rows], predicate="dwithin", distance=apart)
    beaten = np.zeros(len(rows), dtype=np.bool_)
    beaten[one[other < one]] = True
    return [link for link, out in zip(known, beaten, strict=True) if not out]


def _describe(today: Today, links: Links, way: Floats, found: list[Gain], categories: list[str]) -> gpd.GeoDataFrame:
    """The table of the links chosen."""
    network, lines = today.network, _lines(today, links)
    columns = {
        "rank": np.arange(1, len(lines) + 1),
        "metres": shapely.length(lines),
        "way_metres": _today(today, links, way),
        "gained": np.array([gain.by_category.sum() for gain in found], dtype=np.float64),
        "people": np.array([gain.people for gain in found], dtype=np.float64),
        "categories": np.array([_by_name(gain, categories) for gain in found], dtype=object),
        "saved": np.array([gain.saved for gain in found], dtype=np.float64),
        "from_street": _street_names(network, today, links.u),
        "to_street": _street_names(network, today, links.v),
        "crosses": _crossed(network, lines),
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=network.crs)


def _lines(today: Today, links: Links) -> NDArray[np.object_]:
    xy = today.places.xy
    lines = shapely.linestrings(np.stack([xy[links.u], xy[links.v]], axis=1).reshape(-1, 2, 2))
    return np.asarray(lines, dtype=object)


def _today(today: Today, links: Links, way: Floats) -> Floats:
    """Metres by foot between the ends of each link, NaN where there is no way; one search each where not known."""
    from gridmap.network.search import nearest

    out = way.copy()
    for row in np.flatnonzero(np.isinf(way)):
        ends = (today.places.access.take(np.array([end])) for end in (links.v[row], links.u[row]))
        out[row] = nearest(today.network, *ends, by="metres").metres[0, 0]
    return np.where(np.isfinite(out), out, np.nan)


def _by_name(gain: Gain, categories: list[str]) -> str:
    order = np.argsort(-gain.by_category, kind="stable")
    return ", ".join(f"{categories[i]} {gain.by_category[i]:,.0f}" for i in order if gain.by_category[i] > 0)


def _street_names(network: StreetNetwork, today: Today, places: Longs) -> NDArray[np.object_]:
    """Name, else class, of the street that each place lies on."""
    street = network.streets.iloc[network.graph.edge_street[today.places.access.edge[places]]]
    out = np.full(len(places), "", dtype=object)
    for column in ("class", "name"):
        if column in street:
            known = street[column].notna().to_numpy()
            out[known] = street[column].astype(object).to_numpy()[known]
    return out


def _crossed(network: StreetNetwork, lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Classes of the streets that each line crosses though nobody may walk on them: there it must be a bridge."""
    out = np.full(len(lines), "", dtype=object)
    if network.lines is None or not len(lines) or "class" not in network.lines:
        return out
    from gridmap.network.profiles import usable_streets

    shut = network.lines[~usable_streets(network.lines, network.mode)]
    line, street = shut.sindex.query(lines, predicate="crosses")
    classes = shut["class"].fillna("").astype(str).to_numpy(dtype=object)
    for row in np.unique(line):
        out[row] = ", ".join(sorted(set(classes[street[line == row]]) - {""}))
    return out
