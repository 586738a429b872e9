"""Geometry in a cell: well-known text (WKT), text with an SRID (EWKT), and both in hexadecimal bytes (WKB, EWKB)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from gridmap.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["shapes_from_text"]

_SRID = re.compile(r"^SRID\s*=\s*(\d{1,9})\s*;\s*", re.IGNORECASE)
_HEX = re.compile(r"0[01][0-9A-Fa-f]{8,}")
_SHOWN = 40


def shapes_from_text(cells: pd.Series, source: str) -> tuple[NDArray[Any], int | None]:
    """The shapes of a column of text, and the SRID (EPSG code) they state, if any; empty cells are None.

    Raises
    ------
    ReadError
        When a cell is neither text nor hexadecimal bytes of a geometry, naming its row; when cells state several SRIDs,
        or one that is no EPSG code.

    Examples
    --------
    >>> shapes, srid = shapes_from_text(pd.Series(["SRID=4490;POINT (116.3 40)", None]), "a.csv")
    >>> shapes[0], shapes[1] is None, srid
    (<POINT (116.3 40)>, True, 4490)
    """
    out = np.full(len(cells), None, dtype=object)
    if any(isinstance(cell, bytes) for cell in cells):
        # a Parquet file without its note on geometry holds the bytes themselves
        cells = cells.map(lambda cell: cell.hex() if isinstance(cell, bytes) else cell)
    known = cells.notna().to_numpy(dtype=bool) & (cells.astype(str).str.strip() != "").to_numpy(dtype=bool)
    text = cells[known].astype(str).str.strip()
    plain = text.str.replace(_SRID, "", regex=True)
    is_hex = plain.str.fullmatch(_HEX).to_numpy(dtype=bool)
    shapes = np.full(len(text), None, dtype=object)
    shapes[~is_hex] = _read_all(plain[~is_hex], shapely.from_wkt, source)
    shapes[is_hex] = _read_all(plain[is_hex], shapely.from_wkb, source)
    stated = pd.to_numeric(text.str.extract(_SRID, expand=False)).fillna(0).to_numpy(dtype=np.int64)
    srids = np.unique(np.where(is_hex, shapely.get_srid(shapes), stated))
    if len(srids) > 1:
        named = ", ".join(str(s) if s else "none" for s in srids)
        raise ReadError(
            f"{source}: {cells.name!r} states several coordinate reference systems (SRID {named}). Split the table by "
            "SRID, and read each part."
        )
    out[known] = shapes
    return out, _known(int(srids[0]), source) if len(srids) and srids[0] else None


def _read_all(texts: pd.Series, read: Callable[[Any], Any], source: str) -> NDArray[Any]:
    try:
        return np.asarray(read(texts.to_numpy(dtype=object)), dtype=object)
    except (shapely.errors.ShapelyError, ValueError):
        # which one is looked for only when there is one
        for row, text in texts.items():
            try:
                read(text)
            except (shapely.errors.ShapelyError, ValueError) as error:
                raise ReadError(
                    f"{source}: row {row}, {texts.name!r}: {text[:_SHOWN]!r} is not well-known text (WKT), nor WKB in "
                    f"hexadecimal digits ({str(error)[:80]}). It must read like 'POINT (116.3 40.0)'."
                ) from error
        raise


def _known(srid: int, source: str) -> int:
    try:
        CRS.from_epsg(srid)
    except CRSError as error:
        raise ReadError(
            f"{source}: SRID={srid} is not a known EPSG code. Correct it, or take it out and pass crs=."
        ) from error
    return srid
