"""Vector files (GeoPackage, GeoJSON, Shapefile, GeoParquet, KML, File Geodatabase, DXF ...): one layer as a frame."""

from __future__ import annotations

import csv
import re
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from gridmap.errors import ReadError, first_line
from gridmap.io.read.dxf import drawing_encoding, read_outlines
from gridmap.io.read.failures import FOREIGN
from gridmap.io.read.kml import read_kml
from gridmap.io.read.vector_kinds import ARCHIVE_SUFFIXES, FORMATS, PARQUET_SUFFIXES, refuse_disguise
from gridmap.io.read.zipped import opened
from gridmap.io.write.shapefile import FIELDS_SUFFIX
from gridmap.io.write.tables import STYLES_LAYER

if TYPE_CHECKING:
    from pathlib import Path

    from gridmap.io.read.record import Reading

__all__ = ["read_vector"]

_ADVICE = re.compile(r"\s*Set [A-Z_]+ config option[^.]*\.?")


def read_vector(path: Path, layer: str | None, table: str, reading: Reading) -> pd.DataFrame:
    """One layer of a vector file; a GeoDataFrame, or a DataFrame where the layer has no geometry.

    Without a `layer` the only one is taken, or the one that is called as the table is.

    Raises
    ------
    ReadError
        When the file is broken, of a kind that cannot be read, or has several layers none of which is clearly meant.
    """
    suffix = path.suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        with opened(path, layer, table) as (inside, inner_layer):
            return read_vector(inside, inner_layer, table, reading)
    if suffix in PARQUET_SUFFIXES:
        return _read_parquet(path)
    refuse_disguise(path)
    if suffix == ".kml":
        return read_kml(path, layer, table, reading)
    if suffix == ".dxf":
        return read_outlines(_read_by_gdal(path, None, table, reading), path, layer, table, reading)
    frame = _read_by_gdal(path, layer, table, reading)
    return frame.rename(columns=_headings(path, frame)) if suffix == ".shp" else frame


def _read_by_gdal(path: Path, layer: str | None, table: str, reading: Reading) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            layer = _named_layer(path, layer) if layer else _only_layer(path, table)
            frame: pd.DataFrame = gpd.read_file(path, layer=layer, engine="pyogrio", **_encoding(path))
        except FOREIGN as error:
            parts = " A Shapefile needs its .shx and .dbf beside it." if path.suffix.lower() == ".shp" else ""
            raise ReadError(
                f"{path}: not a vector file that can be read ({_reason(error)}). Export it again, as {FORMATS}.{parts}"
            ) from error
    remarks = sorted({first_line(w.message) for w in caught if not issubclass(w.category, DeprecationWarning)})
    if remarks:
        reading.note(remarks=remarks)
    reading.note(format=path.suffix.lower().lstrip(".") or "folder", layer=layer)
    return frame


def _reason(error: object) -> str:
    """What GDAL says, without the settings of its own that it advises."""
    return _ADVICE.sub("", first_line(error)).strip(" .")


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = gpd.read_parquet(path)
    except ImportError as error:
        raise ReadError(
            f"{path}: reading Parquet needs pyarrow. Install it with: pip install 'gridmap-planner[parquet]'."
        ) from error
    except ValueError:
        frame = _read_plain_parquet(path)
    except FOREIGN as error:
        raise _bad_parquet(path, error) from error
    return frame


def _read_plain_parquet(path: Path) -> pd.DataFrame:
    """Parquet without geometry: a plain table, whose coordinates may stand in columns."""
    try:
        return pd.read_parquet(path)
    except FOREIGN as error:
        raise _bad_parquet(path, error) from error


def _bad_parquet(path: Path, error: Exception) -> ReadError:
    return ReadError(f"{path}: not a Parquet file that can be read ({first_line(error)}). Write it again.")


def _named_layer(path: Path, layer: str) -> str:
    import pyogrio

    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    # GDAL looks for names without regard to case as well
    if layer.casefold() not in {name.casefold() for name in layers}:
        there = ", ".join(name for name in layers if name != STYLES_LAYER)
        raise ReadError(f"{path}: there is no layer {layer!r}; the layers are {there}. Name one of them.")
    return layer


def _only_layer(path: Path, table: str) -> str:
    import pyogrio

    # a GeoPackage that was styled in QGIS holds the styles as well
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0] if name != STYLES_LAYER]
    if len(layers) == 1:
        return layers[0]
    if table in layers:
        return table
    if not layers:
        raise ReadError(f"{path}: the file has no layer. Export it again.")
    names = ", ".join(layers)
    raise ReadError(
        f"{path}: the file has {len(layers)} layers ({names}), none of them called {table!r}. "
        f"Say which one: '{path.name}|layer={layers[0]}'."
    )


def _encoding(path: Path) -> dict[str, str]:
    """How texts are to be read. Shapefiles that do not state it are most often GBK when they are Chinese."""
    if path.suffix.lower() == ".dxf":
        return drawing_encoding(path)
    texts = path.with_suffix(".dbf")
    if path.suffix.lower() != ".shp" or path.with_suffix(".cpg").exists() or not texts.exists():
        return {}
    data = texts.read_bytes()
    # byte 29 of a .dbf names the code page; 0 says nothing
    if data[29:30] != b"\0" and data[29:30] != b"\x57":
        return {}
    body = data[32:]
    if body.isascii():
        return {}
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return {"encoding": "gb18030"}
    return {"encoding": "utf-8"}


def _headings(path: Path, frame: pd.DataFrame) -> dict[str, str]:
    """The headings that the short names of a Shapefile stand for, where gridmap noted them beside it."""
    noted = path.with_name(f"{path.stem}{FIELDS_SUFFIX}")
    if not noted.exists():
        return {}
    try:
        rows = list(csv.reader(noted.read_text(encoding="utf-8").splitlines(keepends=True)))
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    known = {row[0]: row[1] for row in rows[1:] if len(row) == 2 and row[0] in frame.columns}
    return known if len(set(known.values())) == len(known) else {}
