"""Provenance: what a result was made of, and how; and what differs between two runs.

A record is a table of four texts: ``part`` (input, parameter, version or result), ``name`` (of the table, section or
library), ``item`` and ``value``. It is kept in the results themselves: as the layer ``provenance`` of a GeoPackage, and
as ``provenance.json`` in the folder of a run. It names no user, machine, folder, password or time: the same run twice
gives the same record.
"""

from __future__ import annotations

import json
import platform
import sqlite3
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap._version import __version__
from gridmap.errors import OptionError, ReadError
from gridmap.io.database import is_database
from gridmap.io.fingerprints import file_hash, table_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

__all__ = ["LAYER", "NAME", "compare_runs", "provenance", "provenance_json", "read_provenance", "versions"]

#: Name of the layer, and of the file in the folder of a run.
LAYER, NAME = "provenance", "provenance.json"
COLUMNS = ["part", "name", "item", "value"]
_FORMAT = 1
_LIBRARIES = ("geopandas", "numba", "numpy", "pandas", "pyogrio", "pyproj", "scipy", "shapely")
# Of a plan's parameters, those that follow from the rest or are told elsewhere.
_NOT_GIVEN = ("versions", "highest_numbers")


def versions() -> dict[str, str]:
    """The versions a result depends on: gridmap, Python, the libraries, and GEOS, PROJ and GDAL behind them."""
    import pyogrio
    import pyproj
    import shapely

    own = {"gridmap": __version__, "python": platform.python_version()}
    behind = {
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "GDAL": pyogrio.__gdal_version_string__,
    }
    return own | {name: metadata.version(name) for name in _LIBRARIES} | behind


def provenance(
    *,
    plan: Any = None,
    cover: Any = None,
    inputs: Mapping[str, pd.DataFrame] | None = None,
    readings: Mapping[str, Mapping[str, Any]] | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """The record of a result.

    Parameters
    ----------
    plan, cover
        Results; their parameters and fingerprints are recorded.
    inputs
        Tables it was made of; by default those that the results keep.
    readings
        What the readers noted of each table; by default what hangs in the tables' ``attrs["reading"]``.
    parameters
        Further parameters by section.

    Returns
    -------
    DataFrame
        part, name, item, value; sorted, all of them texts.

    Examples
    --------
    >>> import pandas as pd
    >>> record = provenance(inputs={"units": pd.DataFrame({"households": [3]})}, parameters={"divide": {"seed": 0}})
    >>> record[record["part"] == "parameter"].values.tolist()
    [['parameter', 'divide', 'seed', '0']]
    """
    tables = dict(inputs) if inputs is not None else {**_kept_by(cover), **_kept_by(plan)}
    for name, table in tables.items():
        if not isinstance(table, pd.DataFrame):
            raise OptionError(f"inputs={{{name!r}: ...}} is a table, not {type(table).__name__}: read a file first")
    notes = {name: table.attrs["reading"] for name, table in tables.items() if table.attrs.get("reading")}
    notes |= dict(readings or {})
    rows: list[tuple[str, str, str, Any]] = []
    hashes: dict[Path, str] = {}
    for name in {**tables, **notes}:
        rows += [("input", name, *entry) for entry in _input_rows(tables.get(name), notes.get(name, {}), hashes)]
    sections = {"divide": _parameters(plan), "cover": _cover_parameters(cover)}
    for section, further in (parameters or {}).items():
        sections[section] = {**sections.get(section, {}), **further}
    rows += [("parameter", section, key, _text(v)) for section, given in sections.items() for key, v in given.items()]
    rows += [("version", library, "version", version) for library, version in versions().items()]
    rows += [("result", *entry) for entry in _result_rows(plan, cover)]
    frame = pd.DataFrame([tuple(map(str, row)) for row in rows], columns=COLUMNS)
    order = pd.Categorical(frame["part"], ["input", "parameter", "version", "result"])
    frame = frame.assign(order=order).sort_values(["order", "name", "item"], kind="stable")
    return frame[COLUMNS].reset_index(drop=True)


def provenance_json(record: pd.DataFrame) -> str:
    """A record as JSON: part, name, item and value within one another."""
    nested: dict[str, Any] = {"format": _FORMAT}
    for part, name, item, value in record[COLUMNS].to_numpy(object).tolist():
        nested.setdefault(part, {}).setdefault(name, {})[item] = value
    return json.dumps(nested, ensure_ascii=False, indent=1) + "\n"


def read_provenance(source: str | PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """The record in the folder of a run, a ``provenance.json``, a GeoPackage that gridmap wrote, or a frame.

    Raises
    ------
    ReadError
        When there is none, or it is broken.
    """
    if isinstance(source, pd.DataFrame):
        if not set(COLUMNS) <= set(source.columns):
            raise OptionError(f"a record of provenance has the columns {', '.join(COLUMNS)}; read one from a run")
        return source[COLUMNS].astype(str)
    if is_database(source):
        raise OptionError("the record of a run is read from its folder or its GeoPackage, not from a database")
    path = Path(source) / NAME if Path(source).is_dir() else Path(source)
    if not path.is_file():
        raise ReadError(f"{path}: there is no such record of a run. Name the folder that `gridmap run` wrote to.")
    try:
        rows = _from_geopackage(path) if path.suffix.lower() == ".gpkg" else _from_json(path)
        return pd.DataFrame(rows, columns=COLUMNS).astype(str)
    except (OSError, ValueError, TypeError, AttributeError, sqlite3.Error) as error:
        raise ReadError(
            f"{path}: holds no record of a run that can be read ({error}). Run the project again."
        ) from error


def compare_runs(before: str | PathLike[str] | pd.DataFrame, after: str | PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """What differs between two runs: inputs, rows, parameters, versions and results.

    Parameters
    ----------
    before, after
        The folder of a run, its ``provenance.json``, a GeoPackage that gridmap wrote (a project or a saved plan), or a
        record.

    Returns
    -------
    DataFrame
        part, name, item, before, after (missing where one run has no such item), change (``"added"``, ``"removed"``,
        ``"changed"``). No rows: nothing differs.

    Raises
    ------
    ReadError
        When there is no record, or it is broken.

    Examples
    --------
    >>> import pandas as pd
    >>> one, two = (provenance(inputs={}, parameters={"divide": {"upper": upper}}) for upper in (500, 450))
    >>> compare_runs(one, two)[["name", "item", "before", "after", "change"]].values.tolist()
    [['divide', 'upper', '500', '450', 'changed']]
    """
    keys = COLUMNS[:3]
    old, new = (read_provenance(source).drop_duplicates(keys, keep="last") for source in (before, after))
    both = old.rename(columns={"value": "before"}).merge(
        new.rename(columns={"value": "after"}), on=keys, how="outer", indicator=True, sort=False
    )
    changes = {"left_only": "removed", "right_only": "added", "both": "changed"}
    both["change"] = both.pop("_merge").astype(str).map(changes)
    both = both[(both["change"] != "changed") | (both["before"] != both["after"])]
    order = pd.Categorical(both["part"], ["input", "parameter", "version", "result"])
    both = both.assign(order=order).sort_values(["order", "name", "item"], kind="stable").drop(columns="order")
    return both.astype(object).where(both.notna(), None).reset_index(drop=True)


def _kept_by(result: Any) -> dict[str, pd.DataFrame]:
    names = ("communities", "buildings", "compounds", "barriers", "entrances", "streets", "facilities")
    kept = {name: getattr(result, name, None) for name in names}
    return {name: table for name, table in kept.items() if isinstance(table, pd.DataFrame)}


def _input_rows(
    table: pd.DataFrame | None, reading: Mapping[str, Any], hashes: dict[Path, str]
) -> Iterable[tuple[str, Any]]:
    source = str(reading.get("source", ""))
    if source:
        # where a file lies differs from desk to desk, and is nobody's business
        path = Path(source)
        known = not is_database(source) and path.exists()
        yield "source", path.name if known else source
        if known:
            if path not in hashes:
                hashes[path] = file_hash(path)
            yield "file sha256", hashes[path]
    if "rows_read" in reading:
        yield "rows read", reading["rows_read"]
        yield "rows kept", reading["rows_kept"]
    for entry in reading.get("left_out", ()):
        yield f"rows left out: {entry['reason']}", entry["count"]
    if table is not None:
        if "rows_read" not in reading:
            yield "rows", len(table)
        yield "content sha256", table_hash(table)


def _parameters(plan: Any) -> dict[str, Any]:
    given = {} if plan is None else plan.parameters
    return {key: value for key, value in given.items() if key not in _NOT_GIVEN}


def _cover_parameters(cover: Any) -> dict[str, Any]:
    if cover is None:
        return {}
    limits = {f"{cover.measure} for {category}": limit for category, limit in cover.thresholds.items()}
    return {**limits, "how": cover.how, "k": cover.k, "profile": cover.profile}


def _result_rows(plan: Any, cover: Any) -> Iterable[tuple[str, str, Any]]:
    if plan is not None:
        yield "plan", "plan hash", plan.plan_hash
        for name in ("grids", "assignment", "findings"):
            table = getattr(plan, name)
            yield name, "rows", len(table)
            yield name, "content sha256", table_hash(table)
    if cover is not None:
        # made of the arrays, as the reach table of a city is ten times their size
        distances = pd.DataFrame(np.asarray(cover.distance), columns=list(cover.thresholds))
        yield "distances", "rows", len(distances)
        yield "distances", "content sha256", table_hash(distances)
        yield "rates", "content sha256", table_hash(cover.rate())


def _text(value: Any) -> str:
    plain = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(plain, pd.Series | pd.DataFrame):
        return f"a table of {len(plain)} rows, sha256 {table_hash(pd.DataFrame(plain))}"
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True, default=str)


def _from_json(path: Path) -> list[tuple[str, str, str, str]]:
    nested = json.loads(path.read_text(encoding="utf-8"))
    return [
        (part, name, item, value)
        for part, names in nested.items()
        if part != "format"
        for name, items in names.items()
        for item, value in items.items()
    ]


def _from_geopackage(path: Path) -> list[tuple[str, str, str, str]]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
        return file.execute(f"SELECT {', '.join(COLUMNS)} FROM {LAYER}").fetchall()  # noqa: S608 - names of our own
