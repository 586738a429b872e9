"""Classes and colours: one place that decides what is drawn in which colour, for the map and its legend alike.

Colours keep apart under the common kinds of colour blindness: blue below the band, orange above it (ColorBrewer's
diverging pair), pale green-grey within it, and never colour alone: hatching, arrows in labels or glyphs go with it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.view import colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gridmap.maps.bands import Bands

__all__ = [
    "OWN_COLOURS",
    "RATE_BREAKS",
    "SCHEMES",
    "STATUSES",
    "band_theme",
    "category_symbol",
    "circle_colours",
    "kind_theme",
    "rate_theme",
    "status_of",
    "value_theme",
]

#: Status of a grid in the order of the legend.
STATUSES = ("legal", "above", "below", "empty", "dedicated", "unknown")
RATE_BREAKS = colours.RATE_BREAKS
#: Colours of layers that gridmap knows nothing about, in order of appearance.
OWN_COLOURS = ("#3f6fa3", "#8a5a9e", "#2f7f79", "#a3663f", "#5f6f2f", "#9e4f6b")

_RATES, _EMPTY, _UNKNOWN = colours.RATES, colours.EMPTY, colours.UNKNOWN
# Lightness falls evenly, so that the order is seen without colour.
_VALUES = ("#fdf3dc", "#f8dfb3", "#f0c68d", "#e5a96c", "#d58a53", "#bf6a43", "#a04f3b")
_KINDS = ("#9cc4dc", "#f2cb8a", "#b3d3a6", "#d9aac6", "#cfc8ab", "#e6ab98", "#a6b1da", "#c4c4c4")
#: Classifiers of mapclassify by which numbers can be classed, and of how many values breaks are sought at most.
SCHEMES = ("Quantiles", "EqualInterval", "FisherJenks", "NaturalBreaks", "BoxPlot", "HeadTailBreaks", "StdMean")
_SOUGHT = 2000
#: From the nearest circle to the farthest.
_CIRCLES = colours.CIRCLES

#: Glyph and colour of a category by a word in its name; the first word that is found decides.
_SYMBOLS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("kindergarten", "childcare", "nursery", "幼儿", "托育"), "blocks", "#2f6aa8"),
    (("school", "college", "小学", "中学", "学校"), "cap", "#28527f"),
    (("hospital", "医院"), "hospital", "#a3262e"),
    (("pharmac", "药"), "pill", "#b8555a"),
    (("clinic", "health", "doctor", "卫生", "诊所"), "cross", "#b23a3f"),
    (("elder", "养老", "老年", "senior"), "elder", "#74509a"),
    (("canteen", "restaurant", "食堂", "餐"), "fork", "#a86a1c"),
    (("convenience", "便利"), "shop", "#8c6414"),
    (("supermarket", "超市", "shop", "store"), "bag", "#8f5a2a"),
    (("market", "菜", "市场"), "basket", "#9a7416"),
    (("parcel", "快递"), "box", "#7d6340"),
    (("post", "邮"), "mail", "#6b6350"),
    (("library", "图书"), "book", "#6a4c7d"),
    (("cultur", "文化"), "note", "#8a4677"),
    (("bus", "transport", "公交"), "bus", "#1f737a"),
    (("parking", "停车"), "letter:P", "#4a5f8a"),
    (("sport", "fitness", "体育", "健身", "运动"), "dumbbell", "#3c7a57"),
    (("playground", "儿童"), "swing", "#4d8a3c"),
    (("park", "green", "garden", "公园", "绿地"), "tree", "#39763b"),
    (("police", "派出", "警"), "shield", "#33506b"),
    (("rail", "metro", "地铁", "轨道"), "rail", "#235f78"),
    (("community", "service", "社区", "party", "党群"), "hall", "#4a5964"),
    (("bank", "银行"), "coin", "#5d6330"),
    (("toilet", "厕"), "drop", "#4c7f9c"),
)


def category_symbol(category: str, label: str) -> tuple[str, str]:
    """Name of the glyph (or ``"letter:X"``) and colour of a category."""
    text = f"{category} {label}".lower()
    for needles, glyph, colour in _SYMBOLS:
        if any(word in text for word in needles):
            return glyph, colour
    return f"letter:{(label.strip() or category or '?')[0].upper()}", "#5d5a52"


def circle_colours(steps: int) -> list[str]:
    """Colours of nested circles, the nearest first."""
    if steps <= 3:
        return list(_CIRCLES[:3][3 - steps :]) if steps < 3 else list(_CIRCLES[:3])
    picks = np.linspace(0, len(_CIRCLES) - 1, steps).round().astype(int)
    return [_CIRCLES[i] for i in picks]


def status_of(bands: Bands) -> NDArray[Any]:
    """Status by the band alone, for grids that come without one; an unknown count is ``"unknown"``."""
    held = bands.held
    return np.select(
        [np.isnan(held), held == 0, held < bands.lower, held > bands.upper],
        ["unknown", "empty", "below", "above"],
        "legal",
    )


def band_theme(bands: Bands, statuses: Sequence[str], words: Mapping[str, str]) -> dict[str, Any]:
    """Classes of grids by what they count against their band: legend rows and the class of each grid."""
    held, lower, upper = np.nan_to_num(bands.held), bands.lower, bands.upper
    far_below, far_above = np.round(lower * 2 / 3), np.round(upper * 4 / 3)
    middle = np.round((lower + upper) / 2)
    if bands.differ or not len(held):
        labels = [words["class.band_" + key] for key in ("far_below", "below", "low", "high", "above", "far_above")]
        label = words["theme.bands"]
    else:
        labels = _spans([float(v[0]) for v in (far_below, lower, middle, upper, far_above)], words)
        label = words["theme.households"].format(lower=_number(float(lower[0])), upper=_number(float(upper[0])))
    fills = (
        colours.FAR_BELOW, colours.BELOW, colours.LEGAL_LOW, colours.LEGAL_HIGH, colours.ABOVE, colours.FAR_ABOVE,
    )  # fmt: skip
    marks: tuple[dict[str, str], ...] = ({"mark": "below"},) * 2 + ({},) * 2 + ({"mark": "above"},) * 2
    classes: list[dict[str, Any]] = [
        *({"label": text, "fill": fill} | mark for text, fill, mark in zip(labels, fills, marks, strict=True)),
        {"label": words["status.dedicated"], "fill": colours.DEDICATED, "pattern": "hatch"},
        {"label": words["status.empty"], "fill": _EMPTY, "pattern": "dots"},
        {"label": words["status.unknown"], "fill": colours.UNKNOWN},
    ]
    status = np.asarray(statuses, dtype=object)
    of = np.select(
        [
            status == "dedicated",
            status == "empty",
            status == "unknown",
            status == "below",
            status == "above",
        ],
        [6, 7, 8, np.where(held < far_below, 0, 1), np.where(held > far_above, 5, 4)],
        np.where(held > middle, 3, 2),
    )
    return _theme("households", label, classes, of)


def _spans(limits: list[float], words: Mapping[str, str]) -> list[str]:
    """Labels of the classes of one band, in numbers; `limits` are far below, lower, middle, upper and far above."""
    far_below, lower, middle, upper, far_above = limits

    def span(low: float, high: float) -> str:
        return words["class.range"].format(low=_number(low), high=_number(high))

    return [
        words["class.under"].format(high=_number(far_below)),
        span(far_below, lower - 1),
        span(lower, middle),
        span(middle + 1, upper),
        span(upper + 1, far_above),
        words["class.over"].format(low=_number(far_above)),
    ]


def rate_theme(key: str, label: str, rates: NDArray[np.float64], words: Mapping[str, str]) -> dict[str, Any]:
    """Classes of grids by a coverage rate: fixed fifths, so that maps of different categories compare."""
    edges = [0, *(round(b * 100) for b in RATE_BREAKS), 100]
    classes: list[dict[str, Any]] = [
        {"label": words["class.rate"].format(low=low, high=high), "fill": fill}
        for low, high, fill in zip(edges[:-1], edges[1:], _RATES, strict=True)
    ]
    classes.append({"label": words["class.no_households"], "fill": _EMPTY, "pattern": "dots"})
    of = np.where(np.isnan(rates), len(_RATES), np.searchsorted(RATE_BREAKS, np.nan_to_num(rates), side="left"))
    return _theme(key, label, classes, of)


def _breaks(values: NDArray[np.float64], scheme: str, k: int) -> NDArray[np.float64]:
    """Upper ends of the classes of some numbers.

    Quantiles, which most maps ask for, are those of mapclassify without loading it, which takes three seconds.
    """
    if scheme == "Quantiles":
        return np.quantile(values, np.arange(1, k + 1) / k)
    import mapclassify

    takes = {} if scheme in ("BoxPlot", "HeadTailBreaks", "StdMean") else {"k": k}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer classes than asked for is no news
        return np.asarray(mapclassify.classify(values, scheme, **takes).bins, dtype=np.float64)


def value_theme(
    key: str,
    label: str,
    values: NDArray[np.float64],
    words: Mapping[str, str],
    *,
    scheme: str = "Quantiles",
    k: int = 5,
) -> dict[str, Any]:
    """Classes of any numbers, by a classifier of mapclassify; of many values, its breaks of 2,000 evenly spaced ones.

    Parameters
    ----------
    key, label
        Name of the theme in the page, and for the reader.
    values
        A number for each grid, NaN where there is none.
    words
        Words of the language.
    scheme, k
        One of `SCHEMES`, and how many classes those make that take it.
    """
    known = np.sort(values[~np.isnan(values)])
    sample = known[np.linspace(0, len(known) - 1, min(len(known), _SOUGHT)).astype(int)]
    # more classes than different values would be empty
    k = max(2, min(k, len(_VALUES), len(np.unique(sample))))
    bins = np.unique(_breaks(sample, scheme, k))
    ends = np.append(bins[(bins >= known[0]) & (bins < known[-1])], known[-1])[-len(_VALUES) :]
    whole = bool((known == np.floor(known)).all())
    starts = np.concatenate(([known[0]], np.floor(ends[:-1]) + 1 if whole else ends[:-1]))
    between = words["class.span"], words["class.span" if whole else "class.over_to"]
    fills = np.array(_VALUES)[np.linspace(0, len(_VALUES) - 1, len(ends)).round().astype(int)]
    classes: list[dict[str, Any]] = [
        {"label": between[i > 0].format(low=_short(low), high=_short(np.floor(high) if whole else high)), "fill": fill}
        for i, (low, high, fill) in enumerate(zip(starts, ends, fills.tolist(), strict=True))
    ]
    classes.append({"label": words["status.unknown"], "fill": _UNKNOWN, "pattern": "dots"})
    of = np.where(np.isnan(values), len(ends), np.searchsorted(ends, np.nan_to_num(values), side="left"))
    return _theme(key, label, classes, np.minimum(of, len(ends)))


def kind_theme(key: str, label: str, values: Sequence[str], words: Mapping[str, str]) -> dict[str, Any]:
    """Classes of a few different texts, in their order; an empty one is not known."""
    kinds = sorted({v for v in values if v})
    classes: list[dict[str, Any]] = [
        {"label": kind, "fill": _KINDS[i % len(_KINDS)]} | ({"pattern": "hatch"} if i >= len(_KINDS) // 2 else {})
        for i, kind in enumerate(kinds)
    ]
    classes.append({"label": words["status.unknown"], "fill": _UNKNOWN, "pattern": "dots"})
    place = {kind: i for i, kind in enumerate(kinds)} | {"": len(kinds)}
    return _theme(key, label, classes, np.array([place[v] for v in values]))


def _theme(key: str, label: str, classes: list[dict[str, Any]], of: NDArray[Any]) -> dict[str, Any]:
    counts = np.bincount(of.astype(int), minlength=len(classes))
    kept = np.flatnonzero(counts)
    position = np.cumsum(counts > 0) - 1
    return {
        "key": key,
        "label": label,
        "classes": [classes[i] | {"count": int(counts[i]), "rank": int(i)} for i in kept],
        "of": position[of.astype(int)].tolist(),
    }


def _short(value: float) -> str:
    """A number with three figures that count, or all of a whole one."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.{max(0, 2 - int(np.floor(np.log10(abs(value)))))}f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
