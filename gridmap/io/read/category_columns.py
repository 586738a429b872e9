"""Categories that stand in several columns: 大类, 中类 and 小类 of Amap, its type codes, the tags of Baidu."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gridmap.io.read import headings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["category_columns", "joined"]


def category_columns(names: Iterable[object]) -> list[list[str]]:
    """Headings that say a category, each group one text when joined: classes from whole to fine, tags, codes.

    Examples
    --------
    >>> category_columns(["名称", "小类", "大类", "中类", "typecode"])
    [['大类', '中类', '小类'], ['typecode']]
    """
    free = {headings.plain(name): str(name) for name in reversed(list(names))}
    # of several headings for one level the first that is listed is taken
    levels = (next((free[h] for h in known if h in free), None) for known in headings.CATEGORY_LEVELS)
    path = [name for name in levels if name is not None]
    return [group for group in (path, *([free[h]] for h in headings.CATEGORY_TAGS if h in free)) if group]


def joined(frame: pd.DataFrame, group: list[str]) -> pd.Series:
    """The columns of a group as one text a row, parted by semicolons as Amap writes types; missing where all are."""
    cells = frame[group].astype("string").apply(lambda column: column.str.strip())
    text = pd.Series("", index=frame.index, dtype="string")
    for name in group:
        more = cells[name].fillna("")
        text = text.where(more == "", text.where(text == "", text + ";") + more)
    return text.astype(object).where(text != "", None)
