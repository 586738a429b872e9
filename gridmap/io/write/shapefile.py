"""Shapefiles: what they cannot hold is refused, and all parts are there together or not at all.

Only a program killed while the parts take their places (a few milliseconds) leaves parts of two writings: a GeoPackage
does not know that moment.
"""

from __future__ import annotations

import csv
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.errors import WriteError, first_line
from gridmap.io.write.all_files import all_or_nothing
from gridmap.io.write.tables import flat_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FIELDS_SUFFIX", "short_names", "write_shapefile"]

#: Ends the name of the file beside a Shapefile that says which heading each of its fields stands for.
FIELDS_SUFFIX = ".fields.csv"
# The dBASE format: 10 bytes a name, 254 a text; GDAL writes numbers with 24 digits, 15 of them behind the point.
_NAME_BYTES, _TEXT_BYTES, _LARGEST = 10, 254, 1e15
_KINDS = ({"Point"}, {"MultiPoint"}, {"LineString", "MultiLineString"}, {"Polygon", "MultiPolygon"})
_PARTS = (".cpg", ".prj", FIELDS_SUFFIX, ".dbf", ".shx", ".shp")
# Indexes of the former shapes, which the new ones must not have.
_STALE = (".sbn", ".sbx", ".qix", ".fix")


def write_shapefile(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as .shp, .shx, .dbf, .prj and .cpg (UTF-8), whole or not at all.

    Names of more than 10 bytes are shortened, and ``NAME.fields.csv`` beside it says what each stands for; the readers
    of gridmap give them back. Texts that are empty and texts that are missing become the same, which is missing.

    Raises
    ------
    WriteError
        When the table has no geometry, or shapes of several kinds, texts of more than 254 bytes, numbers of more than
        15 digits or infinite ones; or when the folder cannot be written. A former Shapefile is as it was, then.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        raise WriteError(f"{path}: a table without geometry cannot be a Shapefile. Write it as .csv, .xlsx or .gpkg.")
    table = flat_shapes(frame)
    _check_shapes(table, path)
    columns = [c for c in table.columns if c != "geometry"]
    names = short_names(columns)
    fields = {names[str(c)]: _field(table[c], path) for c in columns}
    out = gpd.GeoDataFrame(fields, geometry=table.geometry.to_numpy(), crs=table.crs, index=table.index)
    if not path.parent.is_dir():
        raise WriteError(f"{path}: there is no folder {path.parent}. Make it first, or choose another path.")
    with all_or_nothing(path.parent) as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        target = folder / path.with_suffix(".shp").name
        try:
            out.to_file(target, driver="ESRI Shapefile", engine="pyogrio", encoding="UTF-8", index=False)
            if any(short != long for long, short in names.items()):
                _write_names(folder / f"{path.stem}{FIELDS_SUFFIX}", names)
            _settle(folder)
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise WriteError(
                f"{path}: could not be written ({first_line(error)}). A former file of that name is unchanged; is the "
                "disk full?"
            ) from error
        made = {file.name for file in folder.iterdir()}
    for part in (*_PARTS, *_STALE):
        if f"{path.stem}{part}" not in made:
            path.with_name(f"{path.stem}{part}").unlink(missing_ok=True)


def short_names(names: Iterable[str]) -> dict[str, str]:
    """A name of at most 10 bytes for each, of letters and digits alone, no two alike but for their case.

    Examples
    --------
    >>> short_names(["grid_id", "community_id", "community_name", "社区名称"])
    {'grid_id': 'grid_id', 'community_id': 'community_', 'community_name': 'communit_2', '社区名称': '社区名'}
    """
    out: dict[str, str] = {}
    taken: set[str] = set()
    names = [str(n) for n in names]
    for name in sorted(names, key=lambda n: len(n.encode()) > _NAME_BYTES):
        plain = re.sub(r"\W", "_", name.strip())
        short, nth = _cut(plain, _NAME_BYTES) or "field", 1
        while short.casefold() in taken:
            nth += 1
            end = f"_{nth}"
            short = _cut(plain, _NAME_BYTES - len(end)) + end
        taken.add(short.casefold())
        out[name] = short
    return {name: out[name] for name in names}


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def _check_shapes(table: gpd.GeoDataFrame, path: Path) -> None:
    kinds = set(table.geom_type.dropna())
    if not any(kinds <= known for known in _KINDS):
        raise WriteError(
            f"{path}: a Shapefile holds one kind of shapes; this table has {', '.join(sorted(kinds))}. Write each kind "
            "to a file of its own, or all as .gpkg."
        )
    if table.columns.duplicated().any():
        raise WriteError(f"{path}: two columns have the same name. Rename one of them.")


def _field(values: pd.Series, path: Path) -> Any:
    """A column as the format can hold it."""
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64).abs()
        _refuse(values, numbers >= _LARGEST, path, "a number of more than 15 digits", "Give it as text")
        return values
    if values.dtype.kind == "b":
        return values
    texts = [None if pd.isna(v) else str(v) for v in values]
    size = np.array([0 if t is None else len(t.encode()) for t in texts])
    _refuse(values, size > _TEXT_BYTES, path, "a text of more than 254 bytes in UTF-8", "Shorten it")
    return pd.Series(texts, index=values.index, dtype="str")


def _refuse(values: pd.Series, wrong: Any, path: Path, what: str, remedy: str) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise WriteError(
            f"{path}: row {values.index[at]}, {values.name!r} holds {what}, which a Shapefile cannot keep "
            f"({int(wrong.sum())} rows). {remedy}, or write .gpkg."
        )


def _write_names(path: Path, names: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("field", "heading"), *((short, long) for long, short in names.items())])


def _settle(folder: Path) -> None:
    """Wait until all parts are on the disk."""
    for file in folder.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
