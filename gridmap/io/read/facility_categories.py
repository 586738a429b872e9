"""Categories of facilities as they are read: from words, type codes or tags, by the list and what the user adds."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gridmap.errors import OptionError, ReadError
from gridmap.io.read.category_columns import category_columns, joined
from gridmap.io.read.record import Reading
from gridmap.io.read.sheets import SHEET_SUFFIXES, read_sheet
from gridmap.tables.categories import Categories, categories, recognise, recognise_tags

if TYPE_CHECKING:
    from gridmap.tables.categories import Rows

__all__ = ["categories_with", "with_categories"]

_EXAMPLES = 20
# Half of the rows of a table of tags have a key that OpenStreetMap's services have; else `key` is some other column.
_SHARE = 0.5


def categories_with(source: Mapping[str, str] | str | PathLike[str] | pd.DataFrame | None) -> Categories:
    """The list of categories, with the rows of a sheet or of a mapping ``{word: category}`` that win over it.

    A sheet has the columns ``category`` and ``value``, and may have ``scheme`` (else ``word``), as categories.csv has.

    Raises
    ------
    ReadError, OptionError
        When the sheet cannot be read, lacks a column, or has a scheme there is none of.
    """
    if source is None:
        return categories()
    if isinstance(source, Mapping):
        return categories(tuple((str(key), "word", str(word)) for word, key in source.items()))
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if not path.exists() or path.suffix.lower() not in SHEET_SUFFIXES:
            raise ReadError(f"{path}: categories= is a CSV or Excel sheet with the columns category and value.")
        frame = read_sheet(path, None, Reading(str(path)), said=("category", "value"))
    elif isinstance(source, pd.DataFrame):
        frame = source
    else:
        raise OptionError(f"categories= is a path, a DataFrame or a mapping of words, not {type(source).__name__}")
    return categories(_rows(frame, source if isinstance(source, (str, PathLike)) else "categories="))


def with_categories(frame: pd.DataFrame, listed: Categories, reading: Reading, *, said: bool = False) -> pd.DataFrame:
    """Facilities with the categories of the list in ``category``; what is not recognised keeps its own words.

    Where there is no such column it is made from the columns that say a category together (大类, 中类, 小类), or from
    tags: columns ``key`` and ``value``, or one called as a key of OpenStreetMap (amenity, shop ...). Unless the user
    `said` which column it is, rows that it does not tell are looked up in the other columns that say a category.
    ``reading`` holds how many rows each category has, by what, and what was not recognised.
    """
    out = frame.copy(deep=False)
    tags = None if "category" in frame.columns else _tags(frame, listed)
    if tags is None:
        told = _told(frame, listed, said=said)
        if not told:
            return frame
        found, own, source = _first_known(told)
    else:
        found = recognise_tags(tags, listed)
        own = tags.bfill(axis=1).iloc[:, 0].astype(object)
        source = "tags: " + ", ".join(map(str, tags.columns))
    known = (found != "").to_numpy()
    out["category"] = found.where(known, own)
    kept = own[~known & own.notna().to_numpy()].astype(str)
    reading.note(
        categories={
            "from": source,
            "recognised": {str(k): int(n) for k, n in found[known].value_counts(sort=False).sort_index().items()},
            "own_words_rows": len(kept),
            "own_words": {str(k): int(n) for k, n in _common(kept).items()},
        }
    )
    return out


def _told(frame: pd.DataFrame, listed: Categories, *, said: bool) -> dict[str, tuple[pd.Series, pd.Series]]:
    """What each column, or each group of them, says and what is recognised in it; ``words`` is the category column."""
    groups = [] if said else category_columns(frame.columns)
    texts = (
        {"words": frame["category"].astype(object).where(frame["category"].notna(), None)}
        if "category" in frame
        else {}
    )
    texts |= {";".join(group): joined(frame, group) for group in groups}
    return {name: (text, recognise(text, listed)) for name, text in texts.items()}


def _first_known(told: dict[str, tuple[pd.Series, pd.Series]]) -> tuple[pd.Series, pd.Series, str]:
    """Of each row the first category that is recognised, the first own words, and which columns told how many rows."""
    (_, (own, found)), *others = told.items()
    counts = {next(iter(told)): int((found != "").sum())}
    for name, (text, more) in others:
        new = (found == "") & (more != "")
        counts[name] = int(new.sum())
        found, own = found.where(~new, more), own.where(own.notna(), text)
    if len(counts) == 1:
        return found, own, next(iter(counts))
    return found, own, ", ".join(f"{name} ({rows} rows)" for name, rows in counts.items())


def _rows(frame: pd.DataFrame, source: object) -> Rows:
    absent = [name for name in ("category", "value") if name not in frame.columns]
    if absent:
        present = ", ".join(map(str, frame.columns))
        raise ReadError(f"{source}: no column {' and no column '.join(absent)} among: {present}. Head them so.")
    text = frame.reindex(columns=["category", "scheme", "value"]).astype(object)
    text = text.where(text.notna(), "").astype(str).apply(lambda column: column.str.strip())
    text["scheme"] = text["scheme"].replace("", "word")
    return tuple((row[0], row[1], row[2]) for row in text.to_numpy().tolist())


def _tags(frame: pd.DataFrame, listed: Categories) -> pd.DataFrame | None:
    """The tags of a table that holds some: a column a key."""
    keys = list(dict.fromkeys(key for key, _ in listed.tags))
    if {"key", "value"} <= set(frame.columns) and frame["key"].isin(keys).mean() >= _SHARE:
        return pd.DataFrame({
            str(key): frame["value"].where(frame["key"] == key) for key in frame["key"].dropna().unique()
        }, index=frame.index)  # fmt: skip
    present = [key for key in keys if key in frame.columns]
    return frame[present].astype(object) if present else None


def _common(words: pd.Series) -> pd.Series:
    """The most frequent words, of equal ones the first by name."""
    counts = words.value_counts(sort=False).sort_index()
    return counts.sort_values(ascending=False, kind="stable").head(_EXAMPLES)
