"""Summaries for a notebook: a table of figures and a small picture, light enough that twenty stay under a few MB."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.crs import metric_crs, to_crs
from gridmap.view.colours import RATES, STATUS_COLOURS, STATUS_WORDS, UNCOVERED
from gridmap.view.drawing import footprints, frame_for, outline, path, picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["cover_html", "plan_html", "sites_html"]

# More grids than this are drawn as specks of their colour; a picture is so many units wide then.
_MANY, _WIDTH, _SMALL_WIDTH = 800, 560, 360
_LISTED = 5
_SITES = 10


def plan_html(
    grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, figures: Iterable[tuple[str, str]], hint: str
) -> str:
    """A plan as HTML: figures, the first grids out of their band, and a picture of all grids by status.

    Parameters
    ----------
    grids, communities
        Tables of the plan.
    figures
        What and how many, in order.
    hint
        What to call for more.
    """
    out = grids[grids["status"].isin(["above", "below"])]
    worst = [
        f"<li>{escape(str(row.grid_id))}: {row.households:,.0f} households, {escape(str(row.status))}</li>"
        for row in out.head(_LISTED).itertuples()
    ]
    if len(out) > _LISTED:
        worst.append(f"<li>and {len(out) - _LISTED:,} more</li>")
    listed = (
        f"<p style='margin:6px 0 0'>Out of the band:</p><ul style='margin:0'>{''.join(worst)}</ul>" if worst else ""
    )
    counts = grids["status"].astype(str).value_counts()
    legend = [(STATUS_COLOURS[s], f"{STATUS_WORDS[s]} ({counts[s]:,})") for s in STATUS_COLOURS if s in counts.index]
    table = _table([], [[what, value] for what, value in figures], "lr")
    return _side_by_side("GridPlan", table + listed, _plan_picture(grids, communities), legend, hint)


def cover_html(
    rates: pd.DataFrame, limits: Sequence[str], buildings: gpd.GeoDataFrame, reached: NDArray[np.float64], about: str
) -> str:
    """A cover as HTML: rate of each category, and a picture of who reaches all, some or none of them.

    Parameters
    ----------
    rates
        category, facilities, covered, total, rate, one row each.
    limits
        The limit of each row in words.
    buildings
        Where people live.
    reached
        Share of the categories that each building reaches.
    about
        A sentence above the table.
    """
    rows = [
        [
            str(row["category"]),
            limit,
            # rules have no facilities of their own
            "" if pd.isna(row["facilities"]) else f"{row['facilities']:,.0f}",
            f"{row['covered']:,.0f}",
            f"{row['total']:,.0f}",
            "–" if row["total"] == 0 else f"{row['rate']:.1%}",
        ]
        for row, limit in zip(rates.to_dict("records"), limits, strict=True)
    ]
    head = ["category", "within", "facilities", "households covered", "of", "rate"]
    classes = np.select([reached >= 1, reached <= 0], [0, 2], 1)
    shades = (RATES[3], "#d9b44a", UNCOVERED)
    names = ("reach every category", "some", "none")
    counts = np.bincount(classes, minlength=3)
    legend = [(shade, f"{name} ({n:,} buildings)") for shade, name, n in zip(shades, names, counts, strict=True) if n]
    svg = ""
    if len(buildings):
        shapes = np.asarray(to_crs(buildings, metric_crs(buildings)).geometry.array)
        frame = frame_for(shapely.total_bounds(shapes), _SMALL_WIDTH, _SMALL_WIDTH)
        parts = [path(footprints(shapes[classes == k], frame), fill=shades[k]) for k in range(3)]
        svg = picture(parts, frame, "who reaches the categories", border=False)
    return _side_by_side("Cover", f"<p>{escape(about)}</p>{_table(head, rows, 'llrrrr')}", svg, legend, "cover.plot()")


def sites_html(sites: pd.DataFrame, rates: pd.DataFrame, unit: str, about: str) -> str:
    """Chosen sites as HTML: coverage of each category before and after, and the first sites by rank.

    Parameters
    ----------
    sites, rates
        Tables of the plan of sites.
    unit
        What a gain is a number of.
    about
        A sentence above the tables.
    """
    shares = [
        [str(row.category), f"{row.rate_before:.1%}", f"{row.rate_after:.1%}", f"{row.rate_reachable:.1%}"]
        for row in rates.itertuples()
    ]
    head = ["category", "covered today", "with the sites", "with every candidate"]
    shown = sites.head(_SITES)
    rows = [
        [str(row.rank), str(row.facility_id), f"{row.gain:,.0f}", f"{row.alone:,.0f}"] for row in shown.itertuples()
    ]
    more = "" if len(sites) <= _SITES else f"<p>and {len(sites) - _SITES:,} more</p>"
    tables = _table(head, shares, "lrrr") + _table(["rank", "site", unit, "alone"], rows, "rlrr") + more
    return _side_by_side("SitePlan", f"<p>{escape(about)}</p>{tables}", "", [], "gridmap.explore(cover, plan)")


def _plan_picture(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> str:
    if not len(grids):
        return ""
    crs = metric_crs(grids)
    shapes = np.asarray(to_crs(grids, crs).geometry.array)
    status = grids["status"].astype(str).to_numpy()
    many = len(grids) > _MANY
    side = _SMALL_WIDTH if many else _WIDTH
    frame = frame_for(shapely.total_bounds(shapes), side, side)
    spots = shapely.point_on_surface(shapes) if many else shapes
    parts = []
    for name, colour in STATUS_COLOURS.items():
        own = spots[status == name]
        data = footprints(own, frame) if many else outline(own, frame, tolerance=1)
        parts.append(path(data, fill=colour, stroke="" if many else "#77716a", width=1))
    if communities.crs is not None and len(communities) <= _MANY:
        borders = np.asarray(to_crs(communities, crs).geometry.array)
        parts.append(path(outline(borders, frame, tolerance=1), stroke="#3a4750", width=2))
    return picture(parts, frame, "grids by status", border=False)


def _side_by_side(title: str, words: str, svg: str, legend: Iterable[tuple[str, str]], hint: str) -> str:
    keys = "".join(
        f"<span style='white-space:nowrap;margin-right:10px'><span style='display:inline-block;width:10px;height:10px;"
        f"background:{colour};border:1px solid #77716a'></span> {escape(name)}</span>"
        for colour, name in legend
    )
    drawn = (
        f"<div style='width:280px'>{svg}<p style='margin:2px 0;font-size:11px;line-height:1.5'>{keys}</p></div>"
        if svg
        else ""
    )
    return (
        f"<div><strong>{escape(title)}</strong><div style='display:flex;gap:20px;align-items:flex-start'>"
        f"<div>{words}</div>{drawn}</div><p style='font-size:11px;margin:2px 0;opacity:.7'>{escape(hint)}</p></div>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    sides = {"l": "left", "r": "right"}
    top = "".join(f"<th style='text-align:{sides[a]}'>{escape(h)}</th>" for h, a in zip(head, align, strict=False))
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:{sides[a]}'>{escape(c)}</td>" for c, a in zip(row, align, strict=True))
        + "</tr>"
        for row in rows
    )  # fmt: skip
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
