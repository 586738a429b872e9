"""Styles of the layers of a GeoPackage, in the table that QGIS reads them from: layers open as the map shows them.

The table `layer_styles` and the QML in it are those that QGIS itself writes ("Save style to database").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import geopandas as gpd
import pandas as pd

from gridmap.io.write.workbook_words import category_word, word
from gridmap.view.colours import ABOVE, BELOW, CIRCLES, EMPTY, STATUS_COLOURS, UNCOVERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["layer_styles"]

#: Okabe and Ito's colours for all kinds of colour vision (jfly.uni-koeln.de/color, 2008); shapes tell further ones.
_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#444444")
_SHAPES = ("circle", "square", "triangle", "diamond", "pentagon", "star")
_KINDS = {"Point": "marker", "MultiPoint": "marker", "LineString": "line", "MultiLineString": "line",
          "Polygon": "fill", "MultiPolygon": "fill"}  # fmt: skip
_GEOMETRY_TYPES = {"marker": 0, "line": 1, "fill": 2}
_SEVERITIES = {"error": ABOVE, "warning": BELOW, "info": EMPTY}
_EDGE = "#77716a"
# QGIS takes the latest of several styles; a fixed time keeps the same input the same file. GeoPackage wants the
# milliseconds written out.
_WRITTEN = pd.Timestamp("2000-01-01T00:00:00.001Z")

Entry = tuple[Any, str, str]  # value, label, symbol


def layer_styles(layers: Mapping[str, pd.DataFrame], lang: str = "en") -> pd.DataFrame:
    """Styles of the layers that have one, as the rows of QGIS's table.

    Parameters
    ----------
    layers
        Layers by name, as they are written; those without geometry or without rows have no style, those of mixed kinds
        one for the most frequent kind.
    lang
        Language of the legends.
    """
    rows = []
    for name, table in layers.items():
        maker = _MAKERS.get(name)
        if maker is None or not isinstance(table, gpd.GeoDataFrame) or not len(table):
            continue
        kinds = table.geom_type.map(_KINDS).value_counts(sort=True)
        if not len(kinds):
            continue
        # QGIS opens a layer of mixed kinds as one of each, and takes one style for all of them
        kind = str(kinds.index[0])
        body = maker(table, kind, lang)
        qml = (
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
            f'<qgis version="3.28.0" styleCategories="Symbology|Labeling" labelsEnabled="{int("<labeling" in body)}">'
            f"{body}<layerGeometryType>{_GEOMETRY_TYPES[kind]}</layerGeometryType></qgis>"
        )
        rows.append(
            {
                # QGIS compares with empty words, not with nothing
                "f_table_catalog": "", "f_table_schema": "", "f_table_name": name, "f_geometry_column": "geom",
                "styleName": "gridmap", "styleQML": qml, "styleSLD": "", "useAsDefault": True,
                "description": "gridmap", "owner": "gridmap", "ui": "", "update_time": _WRITTEN,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _grids(table: gpd.GeoDataFrame, _: str, lang: str) -> str:
    entries = [
        (
            status,
            word(status, lang),
            _fill(colour, _EDGE, 0.3, "f_diagonal" if status == "dedicated" else "solid", alpha=150),
        )
        for status, colour in STATUS_COLOURS.items()
        if "status" in table and (table["status"] == status).any()
    ]
    return (_categories("status", entries) if entries else _single(_fill(EMPTY, _EDGE, 0.3))) + _labels(
        'right("grid_id", 3)', 8
    )


def _atoms(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_fill("", "#a9a397", 0.1, "no"))


def _present_grids(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_fill("", "#8a5a9e", 0.5, "no"))


def _communities(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del kind
    own = next((c for c in (f"name_{lang}", "name", "community_id") if c in table), "")
    return _single(_fill("", "#3a4750", 0.7, "no")) + (_labels(f'"{own}"', 10) if own else "")


def _buildings(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, lang
    return _single(_fill("#d3cec3", "#b1aa9b", 0.1) if kind == "fill" else _marker("#a79f8f", "circle", 1.2))


def _compounds(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_fill("", "#7c5295", 0.4, "no"))


def _gates(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_marker("#7c5295", "triangle", 2.2))


def _streets(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_line("#c9c1af", 0.4))


def _barriers(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, lang
    return _single(_line("#8f897d", 0.4, "dash") if kind == "line" else _fill("#cfe2ec", "#a9c8d8", 0.2))


def _facilities(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    entries = []
    for i, category in enumerate(sorted(table["category"].dropna().astype(str).unique())):
        colour, shape = _PALETTE[i % len(_PALETTE)], _SHAPES[i // len(_PALETTE) % len(_SHAPES)]
        symbol = _marker(colour, shape, 2.6) if kind == "marker" else _fill(colour, _EDGE, 0.2)
        entries.append((category, category_word(category, lang), symbol))
    return _categories("category", entries)


def _circles(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del kind
    measure = "minutes" if "minutes" in table and table["minutes"].notna().any() else "metres"
    limits = sorted(table[measure].dropna().unique())
    label = word(f"within_{measure}", lang)
    entries = [
        (float(limit), label.format(limit), _fill(CIRCLES[min(i, len(CIRCLES) - 1)], "#5d4c96", 0.2, alpha=60))
        for i, limit in enumerate(limits)
    ]
    return _categories(measure, entries, largest_first=True)


def _gaps(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    # those of many categories lie over one another: the darker, the more are out of reach
    return _single(_fill(UNCOVERED, UNCOVERED, 0.3, alpha=30))


def _reach(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table, kind, lang
    return _single(_marker("#8a9aa1", "circle", 1.0))


def _findings(table: gpd.GeoDataFrame, kind: str, lang: str) -> str:
    del table
    symbols: dict[str, Callable[[str], str]] = {
        "marker": lambda c: _marker(c, "circle", 2.5),
        "line": lambda c: _line(c, 0.8),
        "fill": lambda c: _fill(c, _EDGE, 0.4, "b_diagonal"),
    }
    return _categories("severity", [(s, word(s, lang), symbols[kind](c)) for s, c in _SEVERITIES.items()])


_MAKERS: dict[str, Callable[[gpd.GeoDataFrame, str, str], str]] = {
    "grids": _grids,
    "atoms": _atoms,
    "present_grids": _present_grids,
    "communities": _communities,
    "buildings": _buildings,
    "compounds": _compounds,
    "entrances": _gates,
    "streets": _streets,
    "barriers": _barriers,
    "facilities": _facilities,
    "circles": _circles,
    "gaps": _gaps,
    "reach": _reach,
    "findings": _findings,
    "present_findings": _findings,
}


def _single(symbol: str) -> str:
    return (
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0"><symbols>'
        f"{symbol.format(name='0')}</symbols></renderer-v2>"
    )


def _categories(column: str, entries: Sequence[Entry], *, largest_first: bool = False) -> str:
    """Classes by the values of a column; `largest_first` draws rows with a smaller value over those with a larger."""
    kinds = {str: "string", float: "double"}
    rows = "".join(
        f'<category render="true" symbol="{i}" type="{kinds[type(value)]}" value={quoteattr(_text(value))} '
        f"label={quoteattr(label)}/>"
        for i, (value, label, _) in enumerate(entries)
    )
    symbols = "".join(symbol.format(name=i) for i, (*_, symbol) in enumerate(entries))
    order = (
        f'<orderby><orderByClause asc="0" nullsFirst="0">"{column}"</orderByClause></orderby>' if largest_first else ""
    )
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(column)} symbollevels="0" '
        f'enableorderby="{int(largest_first)}" forceraster="0"><categories>{rows}</categories>'
        f"<symbols>{symbols}</symbols>{order}</renderer-v2>"
    )


def _labels(expression: str, size: int) -> str:
    # no layer is an obstacle: else communities keep the labels of the grids in them from being drawn
    return (
        '<labeling type="simple"><settings calloutType="simple">'
        f'<text-style fieldName={quoteattr(expression)} isExpression="1" fontSize="{size}" fontSizeUnit="Point" '
        'fontWeight="63" textColor="31,45,53,255" textOpacity="1"><text-buffer bufferDraw="1" bufferSize="0.8" '
        'bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="1"/></text-style>'
        '<placement placement="4" fitInPolygonOnly="0"/><rendering obstacle="0" drawLabels="1"/></settings></labeling>'
    )


def _fill(colour: str, edge: str, width: float, style: str = "solid", *, alpha: int = 255) -> str:
    return _symbol(
        "fill", "SimpleFill",
        color=_rgb(colour or "#ffffff", alpha), style=style, outline_color=_rgb(edge), outline_width=f"{width:g}",
        outline_style="solid", outline_width_unit="MM",
    )  # fmt: skip


def _line(colour: str, width: float, style: str = "solid") -> str:
    return _symbol(
        "line", "SimpleLine", line_color=_rgb(colour), line_width=f"{width:g}", line_style=style, line_width_unit="MM"
    )


def _marker(colour: str, shape: str, size: float) -> str:
    return _symbol(
        "marker", "SimpleMarker",
        name=shape, color=_rgb(colour), size=f"{size:g}", size_unit="MM", outline_color="255,255,255,255",
        outline_width="0.2", outline_width_unit="MM",
    )  # fmt: skip


def _symbol(kind: str, layer: str, **options: str) -> str:
    """A symbol of one layer; its name is filled in where it is used."""
    rows = "".join(f'<Option name="{key}" type="QString" value="{value}"/>' for key, value in options.items())
    return (
        f'<symbol name="{{name}}" type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="{layer}" '
        f'enabled="1" locked="0" pass="0"><Option type="Map">{rows}</Option></layer></symbol>'
    )


def _rgb(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + f",{alpha}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
