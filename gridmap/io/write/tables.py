"""Write one table: whole or not at all."""

from __future__ import annotations

import json
import os
import re
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError, WriteError
from gridmap.io.database import Address, is_database
from gridmap.io.write.postgis import write_postgis
from gridmap.io.write.whole import writing, writing_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

__all__ = [
    "STYLES_LAYER", "flat", "flat_shapes", "refuse_infinite", "write_layers", "write_table", "writing", "writing_set",
]  # fmt: skip

#: The table of a GeoPackage in which QGIS keeps and finds the styles of its layers.
STYLES_LAYER = "layer_styles"


def write_table(
    frame: pd.DataFrame, path: str | PathLike[str], *, layer: str | None = None, geometry: str | None = None
) -> Path | str:
    """Write a table to one file, by its suffix, or to PostGIS.

    The file is complete or not there: it is written under another name in the same folder and then renamed, so that
    a failure leaves a former file as it was. Columns that hold arrays, lists or mappings (node ids, the ids of
    findings) are written as text.

    ================== =====================================================================================
    suffix             what it keeps
    ================== =====================================================================================
    .gpkg, .parquet    everything; .fgb (FlatGeobuf) as well
    .geojson           longitude and latitude, as its standard (RFC 7946) wants, to 9 decimals (1 mm)
    .shp               `gridmap.io.write.shapefile`: refuses long texts and mixed shapes, shortens headings
    .kml, .kmz         longitude and latitude to 9 decimals; cells as text; no rows without a shape
    .dxf               `gridmap.io.write.dxf`: outlines, ids and households, in metres
    .csv, .tsv, .xlsx  cells, never formulas; shapes only with `geometry`
    ================== =====================================================================================

    Parameters
    ----------
    frame
        The table.
    path
        The file; its folder must be there. Or a table of a database, as in `gridmap.read_buildings`:
        ``"postgresql://user@host/city|layer=schema.table"``, which is replaced in one transaction.
    layer
        Name of the layer of a GeoPackage, of the sheet of an Excel file, of the layer of a drawing, or title of a KML
        file, by default the name of the file; or of the table in a database.
    geometry
        How a .csv, .tsv or .xlsx holds shapes: ``"wkt"``, ``"ewkt"`` (with the EPSG code before it, by which the
        readers know the CRS), or None for not at all.

    Raises
    ------
    WriteError
        When the folder is missing or cannot be written, or the table does not fit the format.
    OptionError
        When the suffix is none of the above.
    """
    if is_database(path):
        address = Address.parse(path, layer=layer)
        if address.layer is None:
            raise OptionError(f"{address.shown}: name the table to write: |layer=schema.table")
        write_postgis({address.layer: frame}, address, flat)
        return address.shown
    if not isinstance(frame, pd.DataFrame):
        raise OptionError(f"a table is written, not {type(frame).__name__}: give it first, then the file")
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".gpkg", *_WRITERS, ".shp"):
        known = ", ".join((".gpkg", *_WRITERS, ".shp"))
        folder = " A File Geodatabase is a folder, which cannot be replaced whole: ArcGIS opens .gpkg as well."
        raise OptionError(
            f"{path.name}: tables are written as {known}; choose one of these suffixes."
            + (folder if suffix == ".gdb" else "")
        )
    title = layer or path.stem
    if suffix == ".gpkg":
        return write_layers({title: frame}, path)
    if suffix == ".shp":
        from gridmap.io.write.shapefile import write_shapefile

        write_shapefile(frame, path)
        return path
    with writing(path) as temporary, _without_crs_warning():
        _WRITERS[suffix](frame, temporary, title, geometry)
    return path


def write_layers(layers: Mapping[str, pd.DataFrame], path: str | PathLike[str]) -> Path:
    """Write several tables as the layers of one GeoPackage, whole or not at all; tables without geometry too.

    Raises
    ------
    WriteError
        When the folder is missing or cannot be written, or a table does not fit the format.
    """
    import pyogrio

    path = Path(path)
    if not layers:
        raise WriteError(f"{path}: nothing to write: give a plan, a cover or tables")
    with writing(path) as temporary, _unhurried():
        for name, frame in layers.items():
            table = flat(frame)
            _refuse_alike(table, path, name)
            with _without_crs_warning():
                # QGIS looks for the key of its table of styles under this name
                options = {"FID": "id"} if name == STYLES_LAYER else {}
                pyogrio.write_dataframe(
                    table, temporary, layer=name, driver="GPKG", append=temporary.exists(), layer_options=options
                )
    return path


def _refuse_alike(table: pd.DataFrame, path: Path, layer: str) -> None:
    """Refuse columns whose names differ in case alone, which to a GeoPackage are one."""
    seen: dict[str, str] = {}
    for name in map(str, table.columns):
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise WriteError(
                f"{path}: the columns {other!r} and {name!r} of {layer} differ in case alone, which a GeoPackage does "
                "not tell apart. Rename one of them."
            )


@contextmanager
def _without_crs_warning() -> Iterator[None]:
    """A table without geometry has no CRS, which is as it should be; others are refused where they are read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        yield


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let SQLite leave the disk to `writing`, which waits for it once: 15 layers take a quarter of the time."""
    import pyogrio

    name = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def flat(frame: pd.DataFrame) -> Any:
    """The table with every cell a file can hold: arrays as numbers apart by blanks, lists and mappings as JSON."""
    out = frame.copy(deep=False)
    out.attrs = {}
    geometry = frame._geometry_column_name if isinstance(frame, gpd.GeoDataFrame) else None  # noqa: SLF001
    for name in frame.columns:
        if name != geometry and frame[name].dtype == object:
            out[name] = pd.Series([_cell(v) for v in frame[name]], index=frame.index, dtype=object)
    return out


def flat_shapes(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table as `flat` gives it, its geometry in the column of that name."""
    table: gpd.GeoDataFrame = flat(frame)
    return table if table.geometry.name == "geometry" else table.rename_geometry("geometry")


def refuse_infinite(table: gpd.GeoDataFrame, path: Path, kind: str) -> None:
    """Refuse shapes with infinite or NaN coordinates, also those that only a projection made so."""
    wrong = np.zeros(len(table), dtype=bool)
    xy, row = shapely.get_coordinates(table.geometry.array, return_index=True)
    wrong[row[~np.isfinite(xy).all(axis=1)]] = True
    if wrong.any():
        raise WriteError(
            f"{path}: row {table.index[wrong.argmax()]} has infinite or NaN coordinates ({int(wrong.sum())} rows), "
            f"which {kind} cannot hold. Correct the shape, or the CRS of the table."
        )


def _cell(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return " ".join(map(str, value.tolist()))
    if isinstance(value, (list, tuple, dict, set)):
        content = sorted(value) if isinstance(value, set) else value
        return json.dumps(content, ensure_ascii=False, default=str)
    return None if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value


def _spatial(frame: pd.DataFrame, path: Path, kind: str) -> gpd.GeoDataFrame:
    if not isinstance(frame, gpd.GeoDataFrame):
        raise WriteError(f"{path}: a table without geometry cannot be {kind}. Write it as .csv, .parquet or .gpkg.")
    return flat(frame)


def _write_sheet(frame: pd.DataFrame, path: Path, title: str, geometry: str | None) -> None:
    from gridmap.io.write.sheets import write_csv, write_excel

    if path.suffix.lower() in (".csv", ".tsv"):
        write_csv(frame, path, geometry=geometry, separator="," if path.suffix.lower() == ".csv" else "\t")
    else:
        write_excel(frame, path, geometry=geometry, sheet=title)


def _write_kml(frame: pd.DataFrame, path: Path, title: str, _: str | None) -> None:
    from gridmap.io.write.kml import write_kml

    write_kml(frame, path, title=title)


def _write_drawing(frame: pd.DataFrame, path: Path, title: str, _: str | None) -> None:
    from gridmap.io.write.dxf import write_drawing

    write_drawing(frame, path, layer=title)


def _write_flatgeobuf(frame: pd.DataFrame, path: Path, title: str, _: str | None) -> None:
    table = _spatial(frame, path, "FlatGeobuf")
    # without an index the rows keep their order
    table.to_file(path, driver="FlatGeobuf", engine="pyogrio", layer=title, SPATIAL_INDEX="NO")


def _write_geojson(frame: pd.DataFrame, path: Path, title: str, _: str | None) -> None:
    table = _spatial(frame, path, "GeoJSON")
    if table.crs is None and table.geometry.notna().any():
        raise WriteError(
            f"{path}: GeoJSON is in longitude and latitude, and the table has no CRS. Use .set_crs() first."
        )
    if table.crs is not None and len(table):
        table = table.to_crs(4326)
    refuse_infinite(table, path, "GeoJSON")
    # the name stands in the file, where that of a temporary file would differ each time
    # with 7 decimals GDAL takes 117.0000002 for a slip of rounding, and writes 117
    options = {"RFC7946": "YES", "COORDINATE_PRECISION": 9}
    table.to_file(path, driver="GeoJSON", engine="pyogrio", layer=title, **options)
    with path.open("rb") as text:
        text.seek(-min(path.stat().st_size, 16), os.SEEK_END)
        if re.search(rb"\n\]\s*\}\s*\Z", text.read()) is None:
            # GDAL does not tell when closing a file fails
            raise OSError("the disk took only a part of it")


def _write_parquet(frame: pd.DataFrame, path: Path, _: str, __: str | None) -> None:
    try:
        flat(frame).to_parquet(path, index=False)
    except ImportError as error:
        raise WriteError(
            f"{path.name}: Parquet needs pyarrow. Install it with: pip install 'gridmap-planner[parquet]'."
        ) from error


_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path, str, str | None], None]] = {
    ".geojson": _write_geojson,
    ".json": _write_geojson,
    ".fgb": _write_flatgeobuf,
    ".parquet": _write_parquet,
    ".geoparquet": _write_parquet,
    ".kml": _write_kml,
    ".kmz": _write_kml,
    ".dxf": _write_drawing,
    ".csv": _write_sheet,
    ".tsv": _write_sheet,
    ".xlsx": _write_sheet,
}
