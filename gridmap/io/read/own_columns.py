"""Columns of our own that a source leaves out or writes its own way: ids, owners of entrances, flags, node ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.io.read import headings
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.io.read.record import Reading

__all__ = ["with_ids", "with_owner", "with_types"]

_OTHER_IDS = {"streets": "street_id", "barriers": "barrier_id"}
_FALSE = {"0", "false", "f", "no", "n", "否", "无", "关", "-1"}
# What a flag is where nothing is said: gates are open, barriers hard.
_FLAG_DEFAULTS = {"open": True, "hard": True, "public": True}


def with_ids(frame: gpd.GeoDataFrame, table: str, reading: Reading) -> gpd.GeoDataFrame:
    """Where a source has no id of its own, take a column that clearly is one, else number the rows."""
    name = _OTHER_IDS.get(table) or CONTRACTS[table].id
    if name is None or name in frame.columns:
        return frame
    out = frame.copy(deep=False)
    for heading in headings.id_candidates(frame.columns):
        values = frame[heading]
        if headings.plain(heading) == "osmid" and "osm_type" in frame.columns:
            values = frame["osm_type"].astype(str) + "/" + values.astype(str)
        # a column called id with a few repeated ones is a fault to be told; one that says the same everywhere is no id
        certain = headings.plain(heading) in headings.CERTAIN_IDS and len(values.dropna().unique()) > 1
        if certain or (values.notna().all() and values.is_unique):
            out[name] = values
            reading.note(ids_from=heading)
            return out
    out[name] = [str(i) for i in range(1, len(frame) + 1)]
    reading.note(ids_from="position in the source, from 1: there is no column of ids")
    return out


def with_owner(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Entrances with ``of`` and ``of_id`` where the only column of an owner's ids says them."""
    owners = [of for of in ("compound", "building", "facility") if f"{of}_id" in frame.columns]
    if "of" in frame.columns or "of_id" in frame.columns or len(owners) != 1:
        return frame
    return frame.assign(of=owners[0], of_id=frame[f"{owners[0]}_id"])


def with_types(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Flags as booleans, node ids as arrays."""
    out = frame.copy(deep=False)
    for column in CONTRACTS[table].columns:
        if column.kind == "flag" and column.name in out.columns:
            out[column.name] = _flags(out[column.name], default=_FLAG_DEFAULTS.get(column.name, False))
    if table == "barriers" and "hard" not in out.columns:
        out["hard"] = True
    if table == "streets" and "node_ids" in out.columns:
        out["node_ids"] = pd.Series([_node_ids(v) for v in out["node_ids"]], index=out.index, dtype=object)
    return out


def _flags(values: pd.Series, *, default: bool) -> pd.Series:
    """True or false; what is missing takes the default. A word that is neither, such as bridge=viaduct, is a yes."""
    if pd.api.types.is_bool_dtype(values) and not values.isna().any():
        return values.astype(bool)
    text = values.astype(str).str.strip().str.lower().str.removesuffix(".0")
    flags = ~text.isin(_FALSE)
    return flags.where(values.notna() & (text != ""), default).astype(bool)


def _node_ids(value: Any) -> Any:
    if isinstance(value, str):
        return np.array(value.split(), dtype=np.int64)
    return value if isinstance(value, np.ndarray) else None
