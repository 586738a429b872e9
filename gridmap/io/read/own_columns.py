"""Columns of our own that a source leaves out or writes its own way: ids, owners of entrances, flags, node ids."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.io.read import headings
from gridmap.tables.contracts import CONTRACTS
from gridmap.tables.typed_numbers import MISSING

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.io.read.record import Reading

__all__ = ["with_ids", "with_owner", "with_types"]

_OTHER_IDS = {"streets": "street_id", "barriers": "barrier_id"}
_NO = frozenset(("0", "-1", "false", "f", "no", "n", "否", "无", "不", "不是", "没有", "×", "✗"))
_YES = frozenset(("1", "true", "t", "yes", "y", "是", "有", "√", "✓", "✔"))
# Words of one flag: (no, yes). Where a word is in neither it is told, as a closed gate read as open moves people
# through a wall; of bridge, tunnel and stairs any other word, such as bridge=viaduct, is a yes.
_WORDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "open": (
        frozenset(("closed", "close", "shut", "locked", "blocked", "关", "关闭", "常闭", "封", "封闭", "封堵", "封锁",
                   "锁", "锁闭", "上锁", "已锁", "不开", "不开放", "未开放", "停用", "不通", "不通行", "禁止通行",
                   "不可通行")),
        frozenset(("open", "opened", "开", "开放", "开启", "打开", "常开", "已开放", "通行", "可通行", "全天",
                   "全天开放", "24小时", "24小时开放")),
    ),
    "hard": (
        frozenset(("soft", "软", "软性", "可穿越", "可穿过", "可通过", "可跨越")),
        frozenset(("hard", "硬", "硬性", "不可穿越", "不可穿过", "不可通过", "不可跨越")),
    ),
    "public": (
        frozenset(("private", "民办", "民营", "私", "私立", "私人", "私营", "私有", "不对外", "不对外开放", "非公共")),
        frozenset(("public", "公", "公办", "公立", "公共", "公有", "公营", "公益", "国有", "对外", "对外开放")),
    ),
}  # fmt: skip
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


def with_types(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Flags as booleans, node ids as arrays; and words that are neither yes nor no, as violations of the contract.

    Where such words are let through, the gate is closed, the barrier hard, the facility not public.
    """
    wrong: list[dict[str, Any]] = []
    out = frame.copy(deep=False)
    for column in CONTRACTS[table].columns:
        if column.kind == "flag" and column.name in out.columns:
            out[column.name], unknown = _flags(out[column.name], column.name)
            wrong += [
                {
                    "row": row, "column": column.name, "value": repr(word), "expected": "yes or no (是, 否)",
                    "remedy": "Write one of them, or leave the cell empty.",
                }
                for row, word in unknown.items()
            ]  # fmt: skip
    if table == "barriers" and "hard" not in out.columns:
        out["hard"] = True
    if table == "streets" and "node_ids" in out.columns:
        out["node_ids"] = pd.Series([_node_ids(v) for v in out["node_ids"]], index=out.index, dtype=object)
    return out, wrong


def _flags(values: pd.Series, name: str) -> tuple[pd.Series, pd.Series]:
    """True or false, and the words that are neither; what is missing takes the default."""
    if pd.api.types.is_bool_dtype(values) and not values.isna().any():
        return values.astype(bool), values.iloc[:0]
    found = {word: _answer(word, name) for word in values.dropna().astype(str).unique()}
    # a word that is not known is a yes of a bridge; of a barrier it is the careful answer
    unknown_is = name not in _WORDS or name == "hard"
    default = _FLAG_DEFAULTS.get(name, False)
    told = {word: answer if answer is not None else unknown_is for word, answer in found.items()}
    told |= {word: default for word in found if _plain(word) in MISSING - _NO}
    text = values.astype(str)
    flags = text.map(told).where(values.notna(), default).astype(bool)
    unread = [w for w, answer in found.items() if name in _WORDS and answer is None and _plain(w) not in MISSING]
    return flags, values[values.notna() & text.isin(unread)]


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().lower().removesuffix(".0")


def _answer(word: str, name: str) -> bool | None:
    no, yes = _WORDS.get(name, (frozenset(), frozenset()))
    plain = _plain(word)
    return False if plain in _NO | no else True if plain in _YES | yes else None


def _node_ids(value: Any) -> Any:
    if isinstance(value, str):
        return np.array(value.split(), dtype=np.int64)
    return value if isinstance(value, np.ndarray) else None
