"""Rasters of population, such as WorldPop's: the cells as polygons, each with its count."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer

from gridmap.errors import OptionError, ReadError
from gridmap.io.read.record import Reading
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["read_raster"]

# A country has a hundred million cells of 100 m; a city a few hundred thousand.
_MOST_CELLS = 5_000_000
_COUNTS = ("residents", "households")


def read_raster(
    path: str | PathLike[str], *, within: gpd.GeoDataFrame | None = None, count: str = "residents", band: int = 1
) -> gpd.GeoDataFrame:
    """The cells of a GeoTIFF of counts as a table for ``estimate_households(buildings, cells=...)``.

    Parameters
    ----------
    path
        A raster whose values are counts a cell, not densities: WorldPop's "population count" is one.
    within
        Read only the cells around this table; needed for a raster of a whole country.
    count
        What is counted, ``"residents"`` or ``"households"``: the name of the column.
    band
        Which band, from 1.

    Returns
    -------
    GeoDataFrame
        ``zone_id`` (row and column in the raster, from 0, as ``r12c7``) and the count, with the outline of each cell,
        in the CRS of the raster. Cells without data are left out, and so are negative ones; ``attrs["reading"]``
        counts both.

    Raises
    ------
    ReadError
        When the file is missing, no raster, has no CRS or no such band, lies elsewhere than `within`, is too large to
        be read whole, or rasterio is not installed.
    """
    if count not in _COUNTS:
        raise OptionError(f"count={count!r}: cells hold 'residents' or 'households'")
    path = Path(path)
    if not path.exists():
        raise ReadError(f"{path}: there is no such file. Check the path.")
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError as error:
        raise ReadError(
            f"{path}: reading rasters needs rasterio. Install it with: pip install 'gridmap-planner[raster]'."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(path) as raster:
                _check(raster, path, band)
                window = _window(raster, within, path)
                values = raster.read(band, window=window).astype(np.float64)
                data = raster.read_masks(band, window=window) != 0
                crs, transform = CRS.from_wkt(raster.crs.to_wkt()), raster.transform
        except RasterioError as error:
            raise ReadError(f"{path}: not a raster that can be read ({error}). Download or export it again.") from error
    row, column = np.indices(values.shape)
    row, column = row + int(window.row_off), column + int(window.col_off)
    reading = Reading(str(path), {"format": "raster", "band": band, "crs_from": "the raster"})
    ids = np.char.add(np.char.add("r", row.astype(str)), np.char.add("c", column.astype(str)))
    none = ~data | ~np.isfinite(values)
    negative = ~none & (values < 0)
    reading.leave_out("cell without data", ids[none])
    reading.leave_out("negative count", ids[negative])
    keep = ~none & ~negative
    cells = _outlines(transform, row[keep], column[keep])
    table = gpd.GeoDataFrame({"zone_id": ids[keep], count: values[keep]}, geometry=cells, crs=crs)
    table = check_table(table, "zones", allow_empty=True)
    table.attrs["reading"] = reading.as_dict(len(table))
    return table


def _check(raster: Any, path: Path, band: int) -> None:
    if raster.crs is None:
        raise ReadError(f"{path}: the raster does not say where it lies. Export it as GeoTIFF with its CRS.")
    if not 1 <= band <= raster.count:
        raise ReadError(f"{path}: there is no band {band}; the raster has {raster.count}.")


def _window(raster: Any, within: gpd.GeoDataFrame | None, path: Path) -> Any:
    """The part of the raster that covers a table, one cell wider all round."""
    from rasterio.windows import Window

    rows, columns = (0, raster.height), (0, raster.width)
    if within is not None:
        if within.crs is None:
            raise OptionError("within= has no CRS; use .set_crs() when you know which one it is")
        way = Transformer.from_crs(within.crs, CRS.from_wkt(raster.crs.to_wkt()), always_xy=True)
        west, south, east, north = way.transform_bounds(*within.total_bounds)
        at = _moved(~raster.transform, np.array([west, west, east, east]), np.array([south, north, south, north]))
        if not np.isfinite(at).all():
            raise ReadError(f"{path}: within= cannot be placed in the CRS of the raster. Check the CRS of both.")
        low, high = np.floor(at.min(axis=0)).astype(int) - 1, np.ceil(at.max(axis=0)).astype(int) + 1
        columns = (max(low[0], 0), min(high[0], raster.width))
        rows = (max(low[1], 0), min(high[1], raster.height))
        if columns[0] >= columns[1] or rows[0] >= rows[1]:
            raise ReadError(f"{path}: the raster lies elsewhere than within=. Check the CRS of both.")
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    if height * width > _MOST_CELLS:
        raise ReadError(
            f"{path}: {height * width:,} cells are too many to read at once (at most {_MOST_CELLS:,}). "
            "Give within= a table of the place, for example the buildings."
        )
    return Window(columns[0], rows[0], width, height)


def _outlines(transform: Any, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[Any]:
    corners = [_moved(transform, column + right, row + down) for right, down in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return np.asarray(shapely.polygons(np.stack(corners, axis=1)), dtype=object)


def _moved(affine: Any, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Points through the six numbers of an affine transform (its operators differ between versions of the package)."""
    return np.column_stack([affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f])
