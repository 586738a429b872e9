"""Payload: everything a page shows, as one value that JSON can hold."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap._version import __version__
from gridmap.maps import classes, facts
from gridmap.maps.bands import bands_of
from gridmap.maps.encode import encode_shapes, frame_of, pack_changes, pack_varints, simplify_tiles
from gridmap.maps.finding_words import finding_text
from gridmap.maps.words import category_labels, words
from gridmap.tables.crs import to_crs, to_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gridmap.maps.bands import Bands
    from gridmap.maps.encode import Frame
    from gridmap.maps.layers import Content

__all__ = ["build_payload"]

#: Simplification for display, in metres: of polygons that lie side by side, and of single lines and rings. Tables not
#: named here are drawn as they are.
TILINGS = {"grids": 1.0, "communities": 1.0, "blocks": 1.0}
TOLERANCES = {"circles": 1.0, "gaps": 1.0, "findings": 1.0, "streets": 0.5, "barriers": 0.5}
_STREET_RANKS = {
    0: ("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"),
    1: ("secondary", "tertiary", "secondary_link", "tertiary_link"),
    3: (
        "footway", "path", "steps", "pedestrian", "cycleway", "track", "service", "corridor", "bridleway",
    ),
    4: ("rail", "railway", "light_rail", "subway", "tram"),
}  # fmt: skip
_WATER = ("river", "water", "canal", "stream", "lake", "waterway", "riverbank", "drain", "reservoir", "sea")
_RAIL = ("rail", "railway", "light_rail", "subway", "tram", "metro")
# What a page says of a plain layer, at most so many columns; photographs and long JSON do not belong in a panel.
_OWN_COLUMNS = 12


class _Page:
    """The things that every table of one page needs: frame, words, language, tables in degrees."""

    def __init__(self, content: Content, lang: str) -> None:
        self.content, self.lang, self.words = content, lang, words(lang)
        self.degrees = {kind: _display(table, kind) for kind, table in content.tables.items()}
        self.own = [(name, to_crs(_frame(table), 4326)) for name, table in content.own]
        shown = [*self.degrees.values(), *(table for _, table in self.own)]
        core = [
            self.degrees[k] for k in ("grids", "communities", "circles", "buildings", "facilities") if k in self.degrees
        ]
        self.bounds = _bounds(core[:1] or shown)
        self.frame: Frame = frame_of(_bounds(shown))
        self.facilities = content.tables.get("facilities")
        self.categories = _categories(content)
        self.labels = category_labels(self.categories, lang)


def build_payload(
    content: Content,
    *,
    lang: str = "en",
    title: str | None = None,
    date: str | None = None,
    notes: Sequence[str] = (),
    attribution: str | None = None,
    lower: float = 300,
    upper: float = 500,
    online_map: bool = False,
) -> dict[str, Any]:
    """The payload of a page; see `gridmap.maps.explore`."""
    page = _Page(content, lang)
    lower, upper = _band(content, lower, upper)
    bands = _bands(content, lower, upper)
    _settle_statuses(content, bands)
    layers = {kind: maker(page) for kind, maker in _MAKERS.items() if kind in content.tables}
    payload: dict[str, Any] = {
        "lang": lang,
        "words": page.words,
        "title": title or page.words[_default_title(content)],
        "date": date or dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat(),
        "frame": [page.frame.lon0, page.frame.lat0, page.frame.dlon, page.frame.dlat],
        "bounds": [round(float(b), 6) for b in page.bounds],
        "band": [lower, upper],
        "categories": _category_rows(page),
        "layers": layers,
        "own": [_own_layer(page, i, name, table) for i, (name, table) in enumerate(page.own)],
        "city": facts.city_facts(content, lower, upper) | {"bands_differ": bands is not None and bands.differ},
        "themes": [],
        "online": online_map,
    }
    if "circles" in layers:
        payload["circleColours"] = classes.circle_colours(len({v for v in layers["circles"]["limit"] if v is not None}))
    if bands is not None:
        _add_themes(page, payload, bands)
    if content.cover is not None:
        _add_coverage(page, payload)
    payload["notes"] = _notes(page, notes, attribution, online_map=online_map)
    return payload


# -- tables ----------------------------------------------------------------------------------------------------------


def _grids(page: _Page) -> dict[str, Any]:
    table, shown = page.content.tables["grids"], page.degrees["grids"]
    owner = _rows_of(table.get("community_id"), page.content.tables.get("communities"), "community_id", len(table))
    return {
        **_shapes(page, shown),
        "id": _texts(table["grid_id"]),
        "name": _grid_names(page, table, owner),
        "label": _short_codes(table, page.content.tables.get("communities")),
        "kind": _coded(table.get("kind")),
        "status": _coded(table["status"]),
        "community": owner.tolist(),
        "spot": _spots(page, shown),
        **facts.grid_facts(table),
    }


def _communities(page: _Page) -> dict[str, Any]:
    table, shown = page.content.tables["communities"], page.degrees["communities"]
    grids = page.content.tables.get("grids")
    owner = None if grids is None else _rows_of(grids.get("community_id"), table, "community_id", len(grids))
    return {
        **_shapes(page, shown),
        "id": _texts(table["community_id"]),
        "name": _names(page, table),
        "kind": _coded(table.get("kind")),
        "spot": _spots(page, shown),
        **facts.community_facts(table, grids, owner),
    }


def _compounds(page: _Page) -> dict[str, Any]:
    table = page.content.tables["compounds"]
    return {
        **_shapes(page, page.degrees["compounds"]),
        "id": _texts(table["compound_id"]),
        "name": _names(page, table),
        "households": _numbers(table, "households"),
    }


def _entrances(page: _Page) -> dict[str, Any]:
    shown = page.degrees["entrances"]
    return {
        **_shapes(page, shown),
        "of": _coded(shown.get("of")),
        "of_id": _texts(shown.get("of_id"), len(shown)),
    }


def _buildings(page: _Page) -> dict[str, Any]:
    # in an order that follows the ground, neighbours differ little, and little is written
    order = np.argsort(page.degrees["buildings"].hilbert_distance().to_numpy(), kind="stable")
    table, shown = page.content.tables["buildings"].iloc[order], page.degrees["buildings"].iloc[order]
    ids = table["building_id"].astype(str)
    out = {
        **_shapes(page, shown),
        "id": _texts(ids),
        "households": _numbers(table, "households", 2),
        "use": _coded(table.get("use")),
        "floors": _numbers(table, "floors"),
    }
    names = _names(page, table)
    if any(names):
        out["name"] = names
    assignment, grids = getattr(page.content.plan, "assignment", None), page.content.tables.get("grids")
    if assignment is not None and grids is not None:
        first = assignment.dropna(subset=["grid_id"]).drop_duplicates("building_id")
        grid_of = pd.Series(first["grid_id"].astype(str).to_numpy(), index=first["building_id"].astype(str))
        row = pd.Index(grids["grid_id"].astype(str)).get_indexer(pd.Index(ids.map(grid_of)))
        out["grid"] = pack_varints(row + 1)
    compounds = page.content.tables.get("compounds")
    if compounds is not None and "compound_id" in table:
        out["compound"] = pack_varints(_rows_of(table["compound_id"], compounds, "compound_id", len(table)) + 1)
    if page.content.cover is not None:
        facility_ids = pd.Index([] if page.facilities is None else page.facilities["facility_id"].astype(str))
        codes = facts.reach_codes(page.content.cover, pd.Index(ids), facility_ids, page.categories)
        # the sign of what is not covered goes last, so that neighbours have like numbers
        out["reach"] = [pack_changes(((code << 1) | (code >> 15)) & 0xFFFF) for code, _ in codes]
        out["nearest"] = [pack_changes(nearest) for _, nearest in codes]
    return out


def _facilities(page: _Page) -> dict[str, Any]:
    table, shown = page.content.tables["facilities"], page.degrees["facilities"]
    points = shapely.point_on_surface(np.asarray(shown.geometry.array))
    out = {
        **encode_shapes(points, page.frame),
        "id": _texts(table["facility_id"]),
        "name": _names(page, table),
        "category": pd.Index(page.categories).get_indexer(pd.Index(table["category"].astype(str))).tolist(),
    }
    for column in ("address", "phone", "opening_hours", "status"):
        own = _in_language(page, table, column)
        if own is not None and own.notna().any():
            out[column] = _texts(own)
    if "status" in table:
        out["planned"] = "".join("0" if s in ("", "existing") else "1" for s in _texts(table["status"]))
    return out


def _circles(page: _Page) -> dict[str, Any]:
    shown = page.degrees["circles"]
    measure = "minutes" if "minutes" in shown and shown["minutes"].notna().any() else "metres"
    limit = pd.to_numeric(shown[measure], errors="coerce")
    # the largest first, so that smaller ones are drawn over it
    shown = shown.assign(_limit=limit).sort_values("_limit", ascending=False, kind="stable")
    return {
        **_shapes(page, shown, "circles"),
        "measure": measure,
        "limit": facts.listed(shown["_limit"]),
        "category": pd.Index(page.categories).get_indexer(pd.Index(shown["category"].astype(str))).tolist(),
        "deviation": facts.listed(shown["deviation"], 4) if "deviation" in shown else [],
    }


def _gaps(page: _Page) -> dict[str, Any]:
    shown = page.degrees["gaps"]
    return {
        **_shapes(page, shown, "gaps"),
        "category": pd.Index(page.categories).get_indexer(pd.Index(shown["category"].astype(str))).tolist(),
    }


def _streets(page: _Page) -> dict[str, Any]:
    shown = page.degrees["streets"]
    name = "class" if "class" in shown else "highway" if "highway" in shown else None
    rank = {c: r for r, names in _STREET_RANKS.items() for c in names}
    ranks = np.full(len(shown), 2) if name is None else shown[name].map(rank).fillna(2).to_numpy(dtype=int)
    return {
        **_shapes(page, shown, "streets"),
        "rank": "".join(map(str, ranks)),
        "name": _coded(_in_language(page, shown, "name")),
    }


def _barriers(page: _Page) -> dict[str, Any]:
    shown = page.degrees["barriers"]
    kinds = shown.get("kind", pd.Series("", index=shown.index)).fillna("").astype(str).str.lower()
    code = np.where(kinds.isin(_WATER), 0, np.where(kinds.isin(_RAIL), 1, 2))
    return {**_shapes(page, shown, "barriers"), "code": "".join(map(str, code))}


def _plain(kind: str) -> Any:
    def make(page: _Page) -> dict[str, Any]:
        return _shapes(page, page.degrees[kind])

    return make


def _findings(page: _Page) -> dict[str, Any]:
    table, shown = page.content.tables["findings"], page.degrees["findings"]
    rank = {"error": 0, "warning": 1, "info": 2}
    order = np.argsort([rank.get(str(s), 1) for s in table["severity"]], kind="stable")
    table, shown = table.iloc[order], shown.iloc[order]
    texts = [finding_text(row, page.lang, page.labels) for row in table.to_dict("records")]
    ids = [[str(i) for i in _sequence(row)] for row in table["ids"]]
    grids = page.content.tables.get("grids")
    index = pd.Index([]) if grids is None else pd.Index(grids["grid_id"].astype(str))
    return {
        **_shapes(page, shown, "findings"),
        "severity": _coded(table["severity"]),
        "text": [text for text, _ in texts],
        "cure": [cure for _, cure in texts],
        "ids": [own[:20] for own in ids],
        "grid": [
            [int(i) for i in index.get_indexer(pd.Index(own)) if i >= 0] if len(index) and own else [] for own in ids
        ],
    }


def _own_layer(page: _Page, number: int, name: str, table: gpd.GeoDataFrame) -> dict[str, Any]:
    columns = [c for c in table.columns if c != table.geometry.name][:_OWN_COLUMNS]
    return {
        **_shapes(page, table),
        "name": name or page.words["layer.own"].format(n=number + 1),
        "colour": classes.OWN_COLOURS[number % len(classes.OWN_COLOURS)],
        "columns": [str(c) for c in columns],
        "values": [[_plain_value(v) for v in table[c].tolist()] for c in columns],
        # a second set of grids lies over the first: outlines that the reader switches on
        "outline": "grid_id" in columns and "grids" in page.content.tables,
    }


_MAKERS = {
    "grids": _grids,
    "communities": _communities,
    "compounds": _compounds,
    "entrances": _entrances,
    "buildings": _buildings,
    "facilities": _facilities,
    "circles": _circles,
    "gaps": _gaps,
    "streets": _streets,
    "barriers": _barriers,
    "blocks": _plain("blocks"),
    "atoms": _plain("atoms"),
    "findings": _findings,
}


# -- coverage, themes, notes -----------------------------------------------------------------------------------------


def _add_themes(page: _Page, payload: dict[str, Any], bands: Bands) -> None:
    grids = page.content.tables["grids"]
    if "households" not in grids:
        return
    payload["themes"].append(classes.band_theme(bands, grids["status"].astype(str).tolist(), page.words))
    if bands.differ:
        counted = pd.Series(bands.counted).map(lambda name: page.words.get("counted." + str(name), str(name)))
        payload["layers"]["grids"] |= {
            "held": facts.listed(bands.held, 2),
            "lower": facts.listed(bands.lower, 2),
            "upper": facts.listed(np.where(np.isfinite(bands.upper), bands.upper, np.nan), 2),
            "counted": _coded(counted),
        }


def _add_coverage(page: _Page, payload: dict[str, Any]) -> None:
    cover, categories = page.content.cover, page.categories
    measured = [c for c in categories if c in set(cover.thresholds)] if hasattr(cover, "thresholds") else categories
    limits = dict(getattr(cover, "thresholds", {}))
    coverage: dict[str, Any] = {
        "measure": str(getattr(cover, "measure", "minutes")),
        "straight": getattr(cover, "how", "network") == "straight",
        "measured": [c in measured for c in categories],
        "limits": [float(limits[c]) if c in limits else None for c in categories],
        "city": facts.rates_by(cover, None, ["all"], categories).columns(),
    }
    grids = page.content.tables.get("grids")
    if page.content.plan is not None and grids is not None:
        ids = grids["grid_id"].astype(str).tolist()
        rates = facts.rates_by(cover, page.content.plan, ids, categories)
        coverage["grids"] = rates.columns()
        for i, category in enumerate(categories):
            if category in measured:
                label = page.words["theme.coverage"].format(category=page.labels[category])
                theme = classes.rate_theme(f"rate:{i}", label, rates.rate[:, i], page.words)
                payload["themes"].append(theme | {"category": i})
        communities = page.content.tables.get("communities")
        if communities is not None:
            owner = _rows_of(grids.get("community_id"), communities, "community_id", len(grids))
            names = communities["community_id"].astype(str).tolist()
            coverage["communities"] = rates.summed(owner, len(names), names).columns()
    payload["coverage"] = coverage


def _category_rows(page: _Page) -> list[dict[str, Any]]:
    rows = []
    counts = {} if page.facilities is None else page.facilities["category"].astype(str).value_counts().to_dict()
    for category in page.categories:
        label = page.labels[category]
        glyph, colour = classes.category_symbol(category, label)
        rows.append(
            {"id": category, "label": label, "glyph": glyph, "colour": colour, "count": counts.get(category, 0)}
        )
    return rows


def _notes(page: _Page, given: Sequence[str], attribution: str | None, *, online_map: bool) -> list[str]:
    content, say = page.content, page.words
    tables = [*content.tables.values(), *(table for _, table in content.own)]
    own = [str(n) for t in tables for n in _sequence(t.attrs.get("notes") or t.attrs.get("note"))]
    sources = [str(s) for t in tables for s in _sequence(t.attrs.get("attribution") or t.attrs.get("licence"))]
    notes = [
        *given,
        *([say["note.synthetic"]] if any(t.attrs.get("synthetic") for t in tables) else []),
        *([say["note.estimated"]] if facts.is_estimated(content) else []),
        *([say["note.counted"]] if content.cover is not None else []),
        *own,
        say["note.display"].format(tolerance=f"{max(*TILINGS.values(), *TOLERANCES.values()):g}"),
        *([say["note.basemap"]] if online_map else []),
    ]
    source = attribution or "; ".join(dict.fromkeys(sources))
    if source:
        notes.append(say["note.source"].format(source=source))
    leaflet = _leaflet_version()
    notes.append(say["note.made"].format(version=__version__, leaflet=leaflet))
    return list(dict.fromkeys(notes))


def _leaflet_version() -> str:
    head = resources.files("js_lib_leaflet").joinpath("static/js_lib_leaflet/leaflet.js").read_text("utf-8")[:200]
    return head.split("Leaflet ", 1)[1].split(",", 1)[0] if "Leaflet " in head else "1.9"


# -- helpers ---------------------------------------------------------------------------------------------------------


def _frame(table: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    return table.to_frame("geometry") if isinstance(table, gpd.GeoSeries) else table


def _bounds(tables: Iterable[gpd.GeoDataFrame]) -> NDArray[np.float64]:
    boxes = np.array([t.total_bounds for t in tables if len(t)]).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if len(boxes) == 0:
        return np.array([73.0, 18.0, 135.0, 54.0])  # nothing to show: China
    return np.r_[boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]


def _categories(content: Content) -> list[str]:
    """Categories in the order of the cover, then of facilities and circles."""
    seen: dict[str, None] = dict.fromkeys(str(c) for c in getattr(content.cover, "thresholds", {}))
    for kind in ("facilities", "circles", "gaps"):
        if kind in content.tables:
            seen |= dict.fromkeys(sorted(content.tables[kind]["category"].dropna().astype(str).unique()))
    return list(seen)


def _band(content: Content, lower: float, upper: float) -> tuple[float, float]:
    parameters = getattr(content.plan, "parameters", None) or {}
    low, high = parameters.get("lower", lower), parameters.get("upper", upper)
    return (_whole(low), _whole(high))


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _bands(content: Content, lower: float, upper: float) -> Bands | None:
    grids = content.tables.get("grids")
    parameters = getattr(content.plan, "parameters", None) or {}
    return None if grids is None else bands_of(grids, lower, upper, str(parameters.get("weight", "households")))


def _settle_statuses(content: Content, bands: Bands | None) -> None:
    if bands is not None and "status" not in content.tables["grids"]:
        content.tables["grids"] = content.tables["grids"].assign(status=classes.status_of(bands))


def _default_title(content: Content) -> str:
    grids, cover = "grids" in content.tables, content.cover is not None or "circles" in content.tables
    return (
        "title.default" if grids and cover else "title.grids" if grids else "title.cover" if cover else "title.default"
    )


def _display(table: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
    """The table in degrees; polygons that lie side by side are simplified together."""
    if kind not in TILINGS:
        return to_crs(table, 4326)
    metric = to_metric(table)
    shapes = simplify_tiles(np.asarray(metric.geometry.array), TILINGS[kind])
    return to_crs(metric.set_geometry(gpd.GeoSeries(shapes, index=metric.index, crs=metric.crs)), 4326)


def _shapes(page: _Page, table: gpd.GeoDataFrame, kind: str = "") -> dict[str, Any]:
    return encode_shapes(np.asarray(table.geometry.array), page.frame, tolerance=TOLERANCES.get(kind, 0.0))


def _spots(page: _Page, table: gpd.GeoDataFrame) -> list[list[int]]:
    """Where the label of each polygon stands, in whole steps: well inside the largest part."""
    shapes = shapely.transform(np.asarray(table.geometry.array), page.frame.to_metres)
    if len(shapes) <= 2_000:
        points = shapely.get_point(shapely.maximum_inscribed_circle(shapes, tolerance=5.0), 0)
    else:
        points = shapely.point_on_surface(shapes)
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    return np.rint(np.nan_to_num(xy) * 10).astype(int).tolist()


def _short_codes(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None) -> list[str]:
    """What is left of a grid's code when the code of its community is taken from its front; else the whole code."""
    ids = grids["grid_id"].astype(str)
    start: dict[str, str] = {}
    if communities is not None:
        own = communities["community_id"].astype(str)
        code = communities.get("code", own).fillna("").astype(str)
        start = dict(zip(own, code, strict=True))
    owners = grids["community_id"].astype(str) if "community_id" in grids else pd.Series("", index=grids.index)
    out = []
    for grid, owner in zip(ids, owners, strict=True):
        lead = next((s for s in (start.get(owner, ""), owner) if s and grid.startswith(s) and len(grid) > len(s)), "")
        out.append(grid[len(lead) :].lstrip("-_ ") or grid)
    return out


def _rows_of(keys: pd.Series | None, table: pd.DataFrame | None, column: str, length: int) -> NDArray[np.int64]:
    if keys is None or table is None:
        return np.full(length, -1)
    return pd.Index(table[column].astype(str)).get_indexer(pd.Index(keys.astype(str)))


def _in_language(page: _Page, table: pd.DataFrame, column: str) -> pd.Series | None:
    """A column in the language of the page where the data has it (name_en, name_zh), else the column itself."""
    plain, own = table.get(column), table.get(f"{column}_{page.lang}")
    if own is None or plain is None:
        return plain if own is None else own
    return own.where(own.notna() & (own != ""), plain)


def _names(page: _Page, table: pd.DataFrame) -> list[str]:
    return _texts(_in_language(page, table, "name"), len(table))


def _grid_names(page: _Page, grids: gpd.GeoDataFrame, owner: NDArray[np.int64]) -> list[str]:
    """Names of grids without the name of their community in front: the map shows that anyway."""
    names = _names(page, grids)
    communities = page.content.tables.get("communities")
    if communities is None:
        return names
    leads = [_texts(communities.get(column), len(communities)) for column in ("name", f"name_{page.lang}")]
    out = []
    for name, row in zip(names, owner, strict=True):
        lead = next((of[row] for of in leads if row >= 0 and of[row] and name.startswith(of[row])), "")
        out.append(name[len(lead) :].strip(" -_·") or name)
    return out


def _texts(values: pd.Series | None, length: int = 0) -> list[str]:
    """Text of each row, empty where missing."""
    if values is None:
        return [""] * length
    return ["" if missing else str(value) for value, missing in zip(values.tolist(), values.isna(), strict=True)]


def _coded(values: pd.Series | None) -> dict[str, Any]:
    """Repeated texts as a list of the different ones and a number for each row; 0 is none."""
    if values is None:
        return {"of": [], "code": ""}
    codes, different = pd.factorize(values.where(values.notna(), None).map(lambda v: v if v is None else str(v)))
    return {"of": [str(d) for d in different], "code": pack_varints(codes + 1)}


def _numbers(table: pd.DataFrame, column: str, digits: int | None = None) -> list[Any]:
    return facts.listed(table[column], digits) if column in table and table[column].notna().any() else []


def _plain_value(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        number = facts.listed([value])[0]
        return "" if number is None else number
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value)[:500]


def _sequence(value: Any) -> list[Any]:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return []
    if isinstance(value, str):
        return [value] if value else []
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
