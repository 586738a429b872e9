"""Figures for papers and slides: plans and covers drawn by matplotlib, with legend and scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.errors import OptionError
from gridmap.tables.crs import to_crs, to_metric
from gridmap.view.colours import RATE_BREAKS, RATES, STATUS_COLOURS, STATUS_WORDS, UNCOVERED
from gridmap.view.drawing import round_length
from gridmap.view.fonts import CHINESE_FONTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["plot_grids", "plot_reach"]

# Hatching goes with the colours, for prints in black and white.
_HATCHES = {"above": "////", "below": "....", "dedicated": "xx"}


def plot_grids(
    grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, *, labels: Sequence[str] | None = None, ax: Any = None
) -> Any:
    """Grids by status, with the borders of the communities; the axes.

    Parameters
    ----------
    grids, communities
        Tables of a plan.
    labels
        A text for each grid, or None.
    ax
        Axes to draw on; new ones by default.

    Raises
    ------
    OptionError
        When matplotlib is not installed.
    """
    ax = _axes(ax)
    metric = to_metric(grids)
    status = metric["status"].astype(str).to_numpy()
    entries = []
    for name, colour in STATUS_COLOURS.items():
        own = metric[status == name]
        if len(own):
            own.plot(ax=ax, color=colour, edgecolor="#77716a", linewidth=0.5, hatch=_HATCHES.get(name))
            entries.append((colour, f"{STATUS_WORDS[name].capitalize()} ({len(own):,})", _HATCHES.get(name)))
    if communities.crs is not None:
        to_crs(communities, metric.crs).boundary.plot(ax=ax, color="#3a4750", linewidth=1.2)
    if labels is not None:
        for point, text in zip(metric.geometry.representative_point(), labels, strict=True):
            ax.annotate(text, (point.x, point.y), ha="center", va="center", fontsize=7, fontproperties=_font(7))
    return _finish(ax, entries)


def plot_reach(
    buildings: gpd.GeoDataFrame,
    reached: NDArray[np.float64],
    facilities: gpd.GeoDataFrame | None = None,
    *,
    title: str = "",
    ax: Any = None,
) -> Any:
    """Buildings by what they reach; the axes.

    Parameters
    ----------
    buildings
        Where people live.
    reached
        Whether each building reaches a category (0 or 1) where `facilities` are given; else the share of all that it
        reaches.
    facilities
        Those of the category.
    title
        Heading.
    ax
        Axes to draw on; new ones by default.

    Raises
    ------
    OptionError
        When matplotlib is not installed.
    """
    ax = _axes(ax)
    metric = to_metric(buildings)
    if facilities is not None:
        of = np.where(reached > 0, 0, 1)
        classes = [("#b9c4c2", "Within reach"), (UNCOVERED, "Out of reach")]
    else:
        of = np.searchsorted(RATE_BREAKS, reached, side="left")
        edges = [0, *(round(100 * b) for b in RATE_BREAKS), 100]
        classes = [
            (colour, f"{low}–{high} % of the categories")
            for colour, low, high in zip(RATES, edges[:-1], edges[1:], strict=True)
        ]
    entries: list[tuple[str, str, str | None]] = []
    for number, (colour, name) in enumerate(classes):
        own = metric[of == number]
        if len(own):
            # an outline of another colour is all that is seen of small buildings in a large city
            own.plot(ax=ax, color=colour, markersize=3, edgecolor="face", linewidth=0.2)
            entries.append((colour, f"{name} ({len(own):,} buildings)", None))
    if facilities is not None and len(facilities):
        points = to_crs(facilities, metric.crs).representative_point()
        ax.scatter(points.x, points.y, s=26, c="#0b4f6c", edgecolors="white", linewidths=0.8, zorder=5)
        entries.append(("#0b4f6c", f"Facility ({len(facilities):,})", None))
    if title:
        ax.set_title(title, fontproperties=_font(11))
    return _finish(ax, entries)


def _axes(ax: Any) -> Any:
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise OptionError(
            "a figure needs matplotlib; install it with: pip install 'gridmap-planner[plot]', or draw a map with "
            "gridmap.explore"
        ) from error
    return plt.subplots(figsize=(7, 7), layout="constrained")[1] if ax is None else ax


def _finish(ax: Any, entries: Sequence[tuple[str, str, str | None]]) -> Any:
    """Legend, scale bar and equal axes without numbers."""
    from matplotlib.patches import Patch

    ax.set_aspect("equal")
    ax.set_axis_off()
    handles = [Patch(facecolor=c, edgecolor="#77716a", label=name, hatch=hatch) for c, name, hatch in entries]
    if handles:
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False, prop=_font(8))
    west, east = ax.get_xlim()
    south, north = ax.get_ylim()
    length = round_length((east - west) / 4)
    x, y, tick = west + 0.02 * (east - west), south + 0.02 * (north - south), 0.012 * (north - south)
    ax.plot([x, x, x + length, x + length], [y + tick, y, y, y + tick], color="#1f2d35", linewidth=1.5, zorder=6)
    words = f"{length:g} m" if length < 1000 else f"{length / 1000:g} km"
    ax.annotate(words, (x + length / 2, y + tick), ha="center", va="bottom", fontsize=8)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    return ax


def _font(size: float) -> Any:
    """A font that has Chinese letters where one is installed, after the usual one."""
    from matplotlib import font_manager, rcParams

    installed = {font.name for font in font_manager.fontManager.ttflist}
    chinese = [name for name in CHINESE_FONTS if name in installed]
    return font_manager.FontProperties(family=[*rcParams["font.family"], *chinese[:1]], size=size)
