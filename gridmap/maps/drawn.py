"""Drawn: the tables that the page knows, each as geometry and the columns that no language changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.maps import classes, facts
from gridmap.maps.backdrop import barrier_kinds, street_ranks
from gridmap.maps.columns import coded, is_private, numbers, plain_values, rows_of, sequence, texts
from gridmap.maps.encode import encode_shapes, pack_changes, pack_varints
from gridmap.maps.grid_names import short_codes
from gridmap.maps.themes import own_columns

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.maps.sheet import Sheet

__all__ = ["draw_own", "draw_tables", "findings_in_order"]

# The page draws secondary and tertiary streets alike, and has a digit for each of the others.
_STREET_DIGITS = np.array(list("011234"))
# How a facility is drawn by its status; all others stand today.
_STAGES = {"planned": 1, "candidate": 2, "chosen": 3}
# What a page says of a plain layer, at most so many columns; photographs and long JSON do not belong in a panel.
_OWN_COLUMNS = 12


def draw_tables(sheet: Sheet) -> dict[str, Any]:
    """Every known table of the sheet, by its name."""
    return {kind: maker(sheet) for kind, maker in _MAKERS.items() if kind in sheet.content.tables}


def draw_own(sheet: Sheet, number: int) -> dict[str, Any]:
    """One other layer of the sheet, with its columns; who is responsible for a grid is left out."""
    table = sheet.own[number][1]
    columns = [c for c in table.columns if c != table.geometry.name and not is_private(str(c))][:_OWN_COLUMNS]
    return {
        **sheet.shapes(table),
        "colour": classes.OWN_COLOURS[number % len(classes.OWN_COLOURS)],
        "columns": [str(c) for c in columns],
        "values": [plain_values(table[c]) for c in columns],
        # a second set of grids lies over the first: outlines that the reader switches on
        "outline": "grid_id" in columns and "grids" in sheet.content.tables,
    }


def _grids(sheet: Sheet) -> dict[str, Any]:
    table, shown = sheet.content.tables["grids"], sheet.degrees["grids"]
    owner = rows_of(table.get("community_id"), sheet.content.tables.get("communities"), "community_id", len(table))
    return {
        **sheet.shapes_of("grids"),
        "id": texts(table["grid_id"]),
        "label": short_codes(table, sheet.content.tables.get("communities")),
        "kind": coded(table.get("kind")),
        "status": coded(table["status"]),
        "community": owner.tolist(),
        "spot": _spots(sheet, shown),
        **facts.grid_facts(table),
        "own": {
            name: plain_values(column)
            for name, column in own_columns(table).items()
            if name not in ("residents", "buildings")
        },
    }


def _communities(sheet: Sheet) -> dict[str, Any]:
    table, shown = sheet.content.tables["communities"], sheet.degrees["communities"]
    grids = sheet.content.tables.get("grids")
    owner = None if grids is None else rows_of(grids.get("community_id"), table, "community_id", len(grids))
    return {
        **sheet.shapes_of("communities"),
        "id": texts(table["community_id"]),
        "kind": coded(table.get("kind")),
        "spot": _spots(sheet, shown),
        **facts.community_facts(table, grids, owner),
    }


def _compounds(sheet: Sheet) -> dict[str, Any]:
    table = sheet.content.tables["compounds"]
    return {
        **sheet.shapes_of("compounds"),
        "id": texts(table["compound_id"]),
        "households": numbers(table, "households"),
    }


def _entrances(sheet: Sheet) -> dict[str, Any]:
    shown = sheet.degrees["entrances"]
    return {
        **sheet.shapes_of("entrances"),
        "of": coded(shown.get("of")),
        "of_id": texts(shown.get("of_id"), len(shown)),
    }


def _buildings(sheet: Sheet) -> dict[str, Any]:
    order = sheet.building_order
    table = sheet.content.tables["buildings"].iloc[order]
    ids = table["building_id"].astype(str)
    out = {
        **sheet.shapes_of("buildings"),
        "id": texts(ids),
        "households": numbers(table, "households", 2),
        "use": coded(table.get("use")),
        "floors": numbers(table, "floors"),
    }
    assignment, grids = getattr(sheet.content.plan, "assignment", None), sheet.content.tables.get("grids")
    if assignment is not None and grids is not None:
        first = assignment.dropna(subset=["grid_id"]).drop_duplicates("building_id")
        grid_of = pd.Series(first["grid_id"].astype(str).to_numpy(), index=first["building_id"].astype(str))
        row = pd.Index(grids["grid_id"].astype(str)).get_indexer(pd.Index(ids.map(grid_of)))
        out["grid"] = pack_varints(row + 1)
    compounds = sheet.content.tables.get("compounds")
    if compounds is not None and "compound_id" in table:
        out["compound"] = pack_varints(rows_of(table["compound_id"], compounds, "compound_id", len(table)) + 1)
    if sheet.content.cover is not None:
        facility_ids = pd.Index([] if sheet.facilities is None else sheet.facilities["facility_id"].astype(str))
        codes = facts.reach_codes(sheet.content.cover, pd.Index(ids), facility_ids, sheet.categories)
        # the sign of what is not covered goes last, so that neighbours have like numbers
        out["reach"] = [pack_changes(((code << 1) | (code >> 15)) & 0xFFFF) for code, _ in codes]
        out["nearest"] = [pack_changes(nearest) for _, nearest in codes]
    return out


def _facilities(sheet: Sheet) -> dict[str, Any]:
    table, shown = sheet.content.tables["facilities"], sheet.degrees["facilities"]
    points = shapely.point_on_surface(np.asarray(shown.geometry.array))
    out = {
        **encode_shapes(points, sheet.frame),
        "id": texts(table["facility_id"]),
        "category": pd.Index(sheet.categories).get_indexer(pd.Index(table["category"].astype(str))).tolist(),
    }
    if any(sheet.photos[0]):
        out["photo"] = sheet.photos[0]
    if "status" in table:
        out["status"] = texts(table["status"])
        stage = table["status"].astype(object).fillna("").astype(str).str.strip().str.lower()
        out["stage"] = "".join(map(str, stage.map(_STAGES).fillna(0).astype(int)))
    for column in ("site_rank", "site_gain"):
        if column in table:
            out[column] = facts.listed(table[column])
    return out


def _circles(sheet: Sheet) -> dict[str, Any]:
    shown = sheet.degrees["circles"]
    measure = "minutes" if "minutes" in shown and shown["minutes"].notna().any() else "metres"
    limit = pd.to_numeric(shown[measure], errors="coerce")
    # the largest first, so that smaller ones are drawn over it
    shown = shown.assign(_limit=limit).sort_values("_limit", ascending=False, kind="stable")
    of = rows_of(shown.get("facility_id"), sheet.facilities, "facility_id", len(shown))
    return {
        **sheet.shapes(shown, "circles"),
        **({"facility": of.tolist()} if (of >= 0).any() else {}),
        "measure": measure,
        "limit": facts.listed(shown["_limit"]),
        "category": pd.Index(sheet.categories).get_indexer(pd.Index(shown["category"].astype(str))).tolist(),
        "deviation": facts.listed(shown["deviation"], 4) if "deviation" in shown else [],
    }


def _gaps(sheet: Sheet) -> dict[str, Any]:
    shown = sheet.degrees["gaps"]
    return {
        **sheet.shapes_of("gaps"),
        "category": pd.Index(sheet.categories).get_indexer(pd.Index(shown["category"].astype(str))).tolist(),
    }


def _streets(sheet: Sheet) -> dict[str, Any]:
    shown = sheet.degrees["streets"]
    return {**sheet.shapes_of("streets"), "rank": "".join(_STREET_DIGITS[street_ranks(shown)])}


def _barriers(sheet: Sheet) -> dict[str, Any]:
    shown = sheet.degrees["barriers"]
    return {**sheet.shapes_of("barriers"), "code": "".join(map(str, barrier_kinds(shown)))}


def _plain(kind: str) -> Any:
    def make(sheet: Sheet) -> dict[str, Any]:
        return sheet.shapes_of(kind)

    return make


def findings_in_order(findings: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Rows of the findings, the gravest first."""
    rank = {"error": 0, "warning": 1, "info": 2}
    return np.argsort([rank.get(str(s), 1) for s in findings["severity"]], kind="stable")


def _findings(sheet: Sheet) -> dict[str, Any]:
    order = findings_in_order(sheet.content.tables["findings"])
    table, shown = sheet.content.tables["findings"].iloc[order], sheet.degrees["findings"].iloc[order]
    ids = [[str(i) for i in sequence(row)] for row in table["ids"]]
    grids = sheet.content.tables.get("grids")
    index = pd.Index([]) if grids is None else pd.Index(grids["grid_id"].astype(str))
    return {
        **sheet.shapes(shown, "findings"),
        "severity": coded(table["severity"]),
        "ids": [own[:20] for own in ids],
        "grid": [
            [int(i) for i in index.get_indexer(pd.Index(own)) if i >= 0] if len(index) and own else [] for own in ids
        ],
    }


def _spots(sheet: Sheet, table: gpd.GeoDataFrame) -> list[list[int]]:
    """Where the label of each polygon stands, in whole steps: well inside the largest part."""
    shapes = shapely.transform(np.asarray(table.geometry.array), sheet.frame.to_metres)
    if len(shapes) <= 2_000:
        points = shapely.get_point(shapely.maximum_inscribed_circle(shapes, tolerance=5.0), 0)
    else:
        points = shapely.point_on_surface(shapes)
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    return np.rint(np.nan_to_num(xy) * 10).astype(int).tolist()


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
