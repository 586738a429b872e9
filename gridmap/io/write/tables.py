"""Write one table: whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.errors import GridmapError, OptionError, WriteError
from gridmap.io.database import Address, is_database
from gridmap.io.write.postgis import write_postgis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

__all__ = ["STYLES_LAYER", "flat", "write_layers", "write_table", "writing", "writing_set"]

#: The table of a GeoPackage in which QGIS keeps and finds the styles of its layers.
STYLES_LAYER = "layer_styles"
SUFFIXES = (".gpkg", ".geojson", ".json", ".parquet", ".geoparquet", ".csv")
# What a GeoPackage may leave beside itself while it is written.
_JOURNALS = ("-journal", "-wal", "-shm")


def write_table(frame: pd.DataFrame, path: str | PathLike[str], *, layer: str | None = None) -> Path | str:
    """Write a table to one file, by its suffix, or to PostGIS.

    Suffixes: .gpkg, .geojson, .parquet, or .csv for a table without geometry.
    The file is complete or not there: it is written under another name in the same folder and then renamed, so that
    a failure leaves a former file as it was. Columns that hold arrays, lists or mappings (node ids, the ids of
    findings) are written as text. GeoJSON is in longitude and latitude, as its standard (RFC 7946) wants.

    Parameters
    ----------
    frame
        The table.
    path
        The file; its folder must be there. Or a table of a database, as in `gridmap.read_buildings`:
        ``"postgresql://user@host/city|layer=schema.table"``, which is replaced in one transaction.
    layer
        Name of the layer of a GeoPackage, by default the name of the file; or of the table in a database.

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
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OptionError(f"{path.name}: tables are written as {', '.join(SUFFIXES)}; choose one of these suffixes")
    if suffix == ".gpkg":
        return write_layers({layer or path.stem: frame}, path)
    with writing(path) as temporary:
        if suffix in (".geojson", ".json"):
            _write_geojson(_spatial(frame, path), temporary)
        elif suffix == ".csv":
            flat(pd.DataFrame(frame)).to_csv(temporary, index=False, encoding="utf-8-sig")
        else:
            _write_parquet(frame, temporary)
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
            with warnings.catch_warnings():
                # a table without geometry has no CRS, which is as it should be
                warnings.filterwarnings("ignore", message="'crs' was not provided")
                # QGIS looks for the key of its table of styles under this name
                options = {"FID": "id"} if name == STYLES_LAYER else {}
                pyogrio.write_dataframe(
                    table, temporary, layer=name, driver="GPKG", append=temporary.exists(), layer_options=options
                )
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; the file written there takes the place of `path` when all went well.

    Raises
    ------
    WriteError
        When the folder is missing or cannot be written, or what writes the file fails.
    """
    with writing_set([path]) as (temporary,):
        yield temporary


@contextmanager
def writing_set(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """`writing` for files that belong together: all take their places when all went well, else none does.

    Raises
    ------
    WriteError
        When a folder is missing or cannot be written, or what writes a file fails.
    """
    drafts = [_draft(path) for path in paths]
    try:
        yield drafts
        for draft in drafts:
            # mkstemp keeps a file to its owner; the result is as readable as any other new file
            draft.chmod(0o666 & ~_umask())
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
        _take_places(drafts, paths)
    except GridmapError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, sqlite3.Error, ImportError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        one = len(paths) == 1
        name = str(paths[0]) if one else f"{paths[0]} and {len(paths) - 1} more of its set"
        former = "A former file of that name is" if one else "Former files of these names are"
        raise WriteError(
            f"{name}: could not be written ({reason}). {former} unchanged; is it open elsewhere, or the disk full?"
        ) from error
    finally:
        for draft in drafts:
            for leftover in (draft, *(draft.with_name(draft.name + journal) for journal in _JOURNALS)):
                leftover.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    """A name beside `path` that no other file has."""
    folder = path.parent
    if not folder.is_dir():
        raise WriteError(f"{path}: there is no folder {folder}. Make it first, or choose another path.")
    if path.is_dir():
        raise WriteError(f"{path}: this is a folder. Name a file in it.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=folder)
    except OSError as error:
        raise WriteError(f"{path}: the folder cannot be written ({error.strerror}). Choose another one.") from error
    os.close(handle)
    draft = Path(name)
    draft.unlink()
    return draft


def _take_places(drafts: Sequence[Path], paths: Sequence[Path]) -> None:
    """Rename each draft to its path; when one cannot be, those before it give way to the former files again."""
    if len(paths) == 1:
        drafts[0].replace(paths[0])
        return
    formers: list[Path | None] = []
    placed = 0
    try:
        for path in paths:
            formers.append(_draft(path) if path.exists() else None)
            if formers[-1] is not None:
                shutil.copy2(path, formers[-1])
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
            placed += 1
    except BaseException:
        for path, former in zip(paths[:placed], formers, strict=False):
            if former is None:
                path.unlink()
            else:
                former.replace(path)
        raise
    finally:
        for former in formers:
            if former is not None:
                former.unlink(missing_ok=True)


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


def _cell(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return " ".join(map(str, value.tolist()))
    if isinstance(value, (list, tuple, dict, set)):
        content = sorted(value) if isinstance(value, set) else value
        return json.dumps(content, ensure_ascii=False, default=str)
    return None if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value


def _spatial(frame: pd.DataFrame, path: Path) -> gpd.GeoDataFrame:
    if not isinstance(frame, gpd.GeoDataFrame):
        raise WriteError(f"{path}: a table without geometry cannot be GeoJSON. Write it as .csv, .parquet or .gpkg.")
    return frame


def _write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    table = flat(frame)
    if table.crs is not None and len(table):
        table = table.to_crs(4326)
    table.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    try:
        flat(frame).to_parquet(path, index=False)
    except ImportError as error:
        raise WriteError(
            f"{path.name}: Parquet needs pyarrow. Install it with: pip install 'gridmap-planner[parquet]'."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
