"""The log of a repair: one row for each change, with what stood there before, so that it can be undone."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LOG_COLUMNS", "as_text", "from_text", "log_table", "undo_repair"]

#: Columns of the log; all but the numbers are text, so that any file keeps them.
LOG_COLUMNS = (
    "step", "rule", "what", "id", "position", "column", "before", "after", "area_change_m2", "households_change",
)  # fmt: skip

_MISSING: dict[str, Any] = {"None": None, "NaN": float("nan"), "NaT": pd.NaT, "<NA>": pd.NA}


def log_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of a log as a table, numbered in the order in which the changes were made."""
    table = pd.DataFrame(list(rows), columns=list(LOG_COLUMNS[1:]))
    table.insert(0, "step", np.arange(1, len(table) + 1))
    types = {"position": "int64", "area_change_m2": "float64", "households_change": "float64"}
    return table.astype(types | dict.fromkeys(("rule", "what", "id", "column", "before", "after"), object))


def undo_repair(table: gpd.GeoDataFrame, log: pd.DataFrame) -> gpd.GeoDataFrame:
    """The table as it was before `repair`, to the last bit of every coordinate.

    Parameters
    ----------
    table
        What `repair` returned, its rows in the same order.
    log
        The log that came with it; read from a file with every cell as text (``dtype=str, keep_default_na=False``) it
        will do too.

    Raises
    ------
    OptionError
        When `log` is no log, or does not belong to the table: a row is not as the repair left it.

    Examples
    --------
    >>> from gridmap.tables.repair.repair import repair
    >>> from shapely import Polygon
    >>> bow_tie = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    >>> drawn = gpd.GeoDataFrame({"community_id": ["a"]}, geometry=[bow_tie], crs=32650)
    >>> mended, log = repair(drawn)
    >>> mended.geometry.is_valid.all(), undo_repair(mended, log).geometry[0].wkt == bow_tie.wkt
    (np.True_, True)
    """
    absent = [c for c in LOG_COLUMNS if c not in getattr(log, "columns", ())]
    if absent:
        raise OptionError(
            f"log= is the table of changes that repair returned beside the mended one; this {type(log).__name__} has "
            f"no {', '.join(absent)}"
        )
    ordered = log.assign(step=log["step"].astype("int64")).sort_values("step", ascending=False)
    steps: list[Any] = ordered.to_dict("records")
    out = _put_back(table, [s for s in steps if _whole_row(s)])
    columns: dict[str, Any] = {}
    geometry = out.geometry.name
    for s in steps:
        if _whole_row(s):
            continue
        name, at = str(s["column"]), int(s["position"])
        if name not in out.columns or at >= len(out):
            raise OptionError(f"step {s['step']} of the log changed {name} of row {at}, which the table does not have")
        cells = columns.setdefault(name, list(out[name]))
        now = _wkb(cells[at]) if name == geometry else as_text(cells[at])
        if now != s["after"]:
            raise OptionError(
                f"step {s['step']} of the log does not fit: {name} of row {at} ({s['id']}) is not as repair left it. "
                "Undo a table with its own log, before anything else is done to it."
            )
        cells[at] = shapely.from_wkb(s["before"]) if name == geometry else from_text(s["before"])
    for name, cells in columns.items():
        if name == geometry:
            out[name] = gpd.GeoSeries(cells, index=out.index, crs=out.crs)
        else:
            out[name] = pd.Series(cells, index=out.index, dtype=out[name].dtype)
    out.attrs = dict(table.attrs)
    return out


def as_text(value: Any) -> str:
    """One cell as JSON from which `from_text` makes it again.

    Raises
    ------
    TypeError
        When it holds something that text cannot say.
    """
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return json.dumps({"missing": "NaN" if isinstance(value, float) else str(value)})
    if isinstance(value, pd.Timestamp):
        return json.dumps({"time": value.isoformat()})
    if isinstance(value, np.ndarray):
        return json.dumps({"array": value.tolist(), "dtype": str(value.dtype)})
    if isinstance(value, list | dict):
        return json.dumps({"json": value}, ensure_ascii=False)
    return json.dumps(value.item() if isinstance(value, np.generic) else value, ensure_ascii=False)


def from_text(text: str) -> Any:
    """The cell that `as_text` wrote.

    Examples
    --------
    >>> [from_text(as_text(value)) for value in ("007", 0.1, None, [1, 2])]
    ['007', 0.1, None, [1, 2]]
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        return value
    if "missing" in value:
        return _MISSING[value["missing"]]
    if "time" in value:
        return pd.Timestamp(value["time"])
    return np.array(value["array"], dtype=value["dtype"]) if "array" in value else value["json"]


def _whole_row(step: Mapping[str, Any]) -> bool:
    return step["rule"] == "row_removed"


def _put_back(table: gpd.GeoDataFrame, removed: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """The table with the rows that were removed, each at its place and with its label."""
    if not removed:
        return table.copy()
    removed = sorted(removed, key=lambda s: int(s["position"]))
    texts = [json.loads(s["before"]) for s in removed]
    geometry = table.geometry.name
    total = len(table) + len(removed)
    back = np.array([int(s["position"]) for s in removed])
    if back.max() >= total or {c for t in texts for c in t["cells"]} != {str(c) for c in table.columns}:
        raise OptionError("the log does not fit the table: rows were removed from a table of other columns or length")
    order = np.empty(total, dtype=np.intp)
    order[back] = len(table) + np.arange(len(removed))
    order[np.setdiff1d(np.arange(total), back)] = np.arange(len(table))
    columns = {}
    for name in table.columns:
        if name == geometry:
            old = gpd.array.from_wkb([bytes.fromhex(t["cells"][str(name)]) for t in texts], crs=table.crs)
            columns[name] = pd.concat([table[name], gpd.GeoSeries(old, crs=table.crs)])
        else:
            cells = [from_text(t["cells"][str(name)]) for t in texts]
            columns[name] = pd.concat([table[name], pd.Series(cells, dtype=table[name].dtype)])
    labels = [*table.index, *(from_text(t["label"]) for t in texts)]
    index = pd.Index([labels[i] for i in order.tolist()], dtype=table.index.dtype, name=table.index.name)
    frame = pd.DataFrame({name: values.array.take(order) for name, values in columns.items()}, index=index)
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=table.crs)


def _wkb(shape: Any) -> str:
    return "" if shape is None else shapely.to_wkb(shape, hex=True, include_srid=True)
