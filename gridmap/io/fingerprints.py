"""Fingerprints of files and tables: equal content, equal name; so that two runs can be told apart by their inputs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_hash", "table_hash"]

_CHUNK = 1 << 20
_NUMBERS = ("integer", "floating", "mixed-integer-float", "boolean", "decimal")
# Whole numbers up to here are the same as floats.
_EXACT = 2**53


def file_hash(path: Path) -> str:
    """SHA-256 of the content of a file; of a folder (a File Geodatabase), of the names and contents of its files."""
    digest = hashlib.sha256()
    for part in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        if part != path:
            digest.update(f"{part.relative_to(path).as_posix()}\0{part.stat().st_size}\0".encode())
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def table_hash(table: pd.DataFrame) -> str:
    """SHA-256 of a table's columns, geometry and CRS, in the order of its rows.

    It depends on values only: not on the order of columns, the index, ``attrs``, nor on how pandas keeps the values
    (int64, Int64 or Arrow; None, NaN or NA). Geometry counts in two dimensions and vertex by vertex.

    Examples
    --------
    >>> import pandas as pd
    >>> a = pd.DataFrame({"id": ["007", None], "n": [1, 2]})
    >>> table_hash(a) == table_hash(a[["n", "id"]].astype({"n": "Int64", "id": "string"}))
    True
    """
    digest = hashlib.sha256(f"{len(table)}".encode())
    for position in sorted(range(table.shape[1]), key=lambda i: str(table.columns[i])):
        digest.update(json.dumps(str(table.columns[position])).encode())
        _add(digest, table.iloc[:, position])
    return digest.hexdigest()


def _add(digest: Any, values: pd.Series) -> None:
    if isinstance(values.dtype, gpd.array.GeometryDtype):
        return _add_shapes(digest, values)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    missing = values.isna().to_numpy(dtype=bool)
    if missing.all():
        digest.update(b"nothing")
    elif pd.api.types.is_datetime64_any_dtype(values):
        moments = pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
        digest.update(b"moments" + moments.view("i8").astype("<i8").tobytes())
    elif _is_number(values):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        numbers = np.where(missing, np.nan, numbers)
        if (np.abs(numbers[~missing]) <= _EXACT).all():
            # one nought, one kind of nothing
            digest.update(b"numbers" + (numbers + 0.0).astype("<f8").tobytes())
        else:
            _add_words(digest, values.astype(object))
    else:
        _add_words(digest, values.astype(object))
    return None


def _is_number(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return True
    return values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) in _NUMBERS


def _add_words(digest: Any, values: pd.Series) -> None:
    """Each different value once, and which row has which."""
    try:
        codes, words = pd.factorize(values)
    except TypeError:  # lists, arrays and mappings
        codes, words = pd.factorize(pd.Series([None if _missing(v) else _text(v) for v in values], dtype=object))
    text = json.dumps([str(word) for word in words], ensure_ascii=False)
    digest.update(b"words" + codes.astype("<i8").tobytes() + text.encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str:
    content = value.tolist() if isinstance(value, np.ndarray) else sorted(value) if isinstance(value, set) else value
    return json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _add_shapes(digest: Any, shapes: pd.Series) -> None:
    crs = shapes.crs
    digest.update(b"shapes" + ("" if crs is None else ":".join(crs.to_authority() or [crs.to_wkt()])).encode())
    content = shapely.to_wkb(shapes.to_numpy(), byte_order=1, output_dimension=2)
    lengths = np.fromiter((-1 if wkb is None else len(wkb) for wkb in content), dtype="<i8", count=len(content))
    digest.update(lengths.tobytes())
    digest.update(b"".join(wkb for wkb in content if wkb is not None))
