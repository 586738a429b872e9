"""Both coordinates in one cell: 116.305,39.905 or 39.905 116.305, (116.305；39.905), N39°54′18″ E116°18′18″.

Which comes first is said by the heading (latlng, 纬度经度), by letters in the cell, or by the range of China, where no
longitude can be a latitude. Nothing is exchanged on a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gridmap.errors import ReadError
from gridmap.io.datums.readings import in_china
from gridmap.io.read import headings
from gridmap.io.read.typed_degrees import plain_marks, typed_coordinate
from gridmap.tables.typed_numbers import MISSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ORDERS", "Pairs", "is_paired", "looks_paired", "pair_heading", "split_pairs"]

#: What `columns=` and headings call a cell of both coordinates: longitude or east first, latitude or north first.
ORDERS = ("lnglat", "latlng")
_LOOKED_AT = 200
# Tables from JSON hold [116.305, 39.905] or {"lng": 116.305, "lat": 39.905}.
_KINDS = (str, list, tuple, dict, np.ndarray)
# Two coordinates in minutes and seconds with labels take 60 characters; an address may take many.
_LONGEST = 200
_WELL_KNOWN = re.compile(
    r"\s*(?:SRID\s*=\s*\d+\s*;\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*Z?\s*\(", re.IGNORECASE
)
_BRACKETS = "()[]{}<>【】「」"
_SEPARATORS = (";", "|", ",", "、", "/")
_NUMBER = r"[-+]?\d+(?:[.,]\d+)?\s*(?:°\s*(?:\d+(?:\.\d+)?\s*'\s*(?:\d+(?:\.\d+)?\s*\")?)?)?"
_BLANK = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+({_NUMBER}))?")
_BEFORE, _AFTER = re.compile(r"[NSEWΛΦ][^NSEWΛΦ]+"), re.compile(r"[^NSEW]+[NSEW]")
_FIRST = {"lon": "lnglat", "lat": "latlng"}


class Pairs(NamedTuple):
    """Cells taken apart: east and north, rows that are unreadable, the order found, and what it was told by."""

    x: Array
    y: Array
    unreadable: pd.Index
    order: str
    because: str


def is_paired(place: dict[str, str]) -> bool:
    """Whether the coordinates stand in one column of pairs."""
    return bool({"pair", *ORDERS} & set(place))


def looks_paired(cells: pd.Series) -> bool:
    """Whether most of a column's cells are two coordinates each, by the first 200 of them."""
    some = [cell for cell in cells[cells.notna()].head(_LOOKED_AT) if str(cell).strip().lower() not in MISSING]
    return sum(isinstance(cell, _KINDS) and _pair(str(cell)) is not None for cell in some) > len(some) / 2


def pair_heading(frame: pd.DataFrame, shifted: str | None) -> dict[str, str]:
    """The column of pairs and whether its heading says the order; of several that of the datum `shifted`, or of none.

    A heading alone is not enough: 位置 may as well be an address, so the cells must be pairs, or well-known text.
    """
    for datum in dict.fromkeys((shifted, None, "WGS 84", "GCJ-02", "BD-09")):
        for key, known in (("lnglat", headings.LNGLAT), ("latlng", headings.LATLNG), ("pair", headings.PAIR)):
            for at, name in enumerate(map(str, frame.columns)):
                ours = headings.stated_datum(name) == datum and not set(known).isdisjoint(headings.pair_names(name))
                if not ours:
                    continue
                if looks_paired(frame.iloc[:, at]):
                    return {key: name}
                if _looks_well_known(frame.iloc[:, at]):
                    return {"wkt": name}
    return {}


def _looks_well_known(cells: pd.Series) -> bool:
    some = cells.dropna().head(1).astype(str)
    return bool(some.str.match(_WELL_KNOWN).any())


def split_pairs(cells: pd.Series, order: str, source: str) -> Pairs:
    """A column of pairs as east and north.

    Parameters
    ----------
    cells
        Text; words for nothing are NaN.
    order
        ``"lnglat"``, ``"latlng"``, or ``"pair"`` where that is to be found.
    source
        Named in messages.

    Raises
    ------
    ReadError
        When the order is not told, or not one.
    """
    xy, said, unreadable = _numbers(cells)
    because = "its heading or columns="
    if order == "pair":
        order, because = _order(xy, said == "", cells, source)
    swapped = np.where(said == "", order, said) == "latlng"
    x, y = np.where(swapped, xy[:, 1], xy[:, 0]), np.where(swapped, xy[:, 0], xy[:, 1])
    return Pairs(x, y, unreadable, order, because)


def _numbers(cells: pd.Series) -> tuple[Array, NDArray[np.object_], pd.Index]:
    """Both numbers of each cell, the order that its letters say, and the rows that are unreadable."""
    text = cells.map(lambda cell: cell if isinstance(cell, str) else str(cell), na_action="ignore")
    text = text.astype("string").str.strip()
    halves = text.str.replace("，", ",").str.split(",", n=1, expand=True).reindex(columns=[0, 1])
    # plain pairs at once, all others one by one
    xy = halves.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan).copy()
    plain = np.isfinite(xy).all(axis=1)
    xy[~plain] = np.nan
    said = np.full(len(cells), "", dtype=object)
    odd = text[~plain].dropna()
    found = {one: _pair(one) for one in odd.unique()}
    at = np.flatnonzero(~plain & text.notna().to_numpy(dtype=bool))
    known = odd.map({one: pair is not None for one, pair in found.items()}).to_numpy(dtype=bool)
    pairs = [pair for pair in (found[one] for one in odd[known]) if pair is not None]
    if pairs:
        xy[at[known]] = [pair[0] for pair in pairs]
        said[at[known]] = [pair[1] for pair in pairs]
    nothing = odd.str.lower().isin(MISSING).to_numpy(dtype=bool)
    return xy, said, odd.index[~known & ~nothing]


def _pair(cell: str) -> tuple[tuple[float, float], str] | None:
    """The numbers of a cell as they stand, and the order that letters beside them say (``""``: none)."""
    if len(cell) > _LONGEST:
        return None
    plain = plain_marks(cell).strip(_BRACKETS + " ")
    for parts in _ways_apart(plain):
        if len(parts) not in (2, 3):
            continue
        typed = [typed_coordinate(part.strip(_BRACKETS + " ")) for part in parts]
        if any(one is None for one in typed):
            continue
        # a third number is a height
        first, second = (one for one in typed[:2] if one is not None)
        axes = first.axis or {"lon": "lat", "lat": "lon", "": ""}[second.axis], second.axis
        if axes[0] and axes[0] == axes[1]:
            return None
        return (first.value, second.value), _FIRST.get(axes[0], "")
    return None


def _ways_apart(plain: str) -> list[list[str]]:
    letters = re.findall(r"[NSEWΛΦ]", plain)
    if len(letters) == 2:
        parts = (_BEFORE if plain[0] in "NSEWΛΦ" else _AFTER).findall(plain)
        return [[part.strip(" ,;|、/") for part in parts]]
    ways = [plain.split(separator) for separator in _SEPARATORS if separator in plain]
    blank = _BLANK.fullmatch(plain)
    return [*ways, [part for part in blank.groups() if part]] if blank else ways


def _order(xy: Array, open_: NDArray[np.bool_], cells: pd.Series, source: str) -> tuple[str, str]:
    """Which coordinate comes first in cells without letters, and what tells it."""
    known = open_ & np.isfinite(xy).all(axis=1)
    if not known.any():
        return "lnglat", "letters beside the numbers"
    if np.abs(xy[known]).max() > 180:
        return "lnglat", "metres: east first, unless columns={'latlng': ...} says north first"
    lon_first = known & (in_china(xy) | ((np.abs(xy[:, 0]) > 90) & (np.abs(xy[:, 1]) <= 90)))
    lat_first = known & (in_china(xy[:, ::-1]) | ((np.abs(xy[:, 1]) > 90) & (np.abs(xy[:, 0]) <= 90)))
    name = str(cells.name)
    if lon_first.any() and lat_first.any():
        rows = [f"row {cells.index[mask][0]}: {cells[mask].iloc[0]}" for mask in (lon_first, lat_first)]
        raise ReadError(
            f"{source}: {name!r} has longitude first in {lon_first.sum()} rows ({rows[0]}) and latitude first in "
            f"{lat_first.sum()} ({rows[1]}). Write all of them in one order."
        )
    if not (lon_first.any() or lat_first.any()):
        row, cell = cells.index[known][0], cells[known].iloc[0]
        raise ReadError(
            f"{source}: {name!r} does not say whether longitude or latitude comes first (row {row}: {cell}). Pass "
            f"columns={{'lnglat': {name!r}}} for longitude first, {{'latlng': {name!r}}} for latitude first."
        )
    count = int((lon_first | lat_first).sum())
    return ("lnglat" if lon_first.any() else "latlng"), f"the range of {count} of {known.sum()} pairs"
