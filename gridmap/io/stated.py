"""What a command line states of its files: ``--crs buildings=GCJ-02``, ``--columns buildings.households=总户数``."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["WITHOUT_PLACE", "Stated", "stated_options"]

#: Tables without geometry, which have no crs.
WITHOUT_PLACE = ("units", "households", "bands")


class Stated(dict[str, dict[str, Any]]):
    """Options of readers by table: ``stated["buildings"]`` is ``{"crs": ..., "columns": {...}}``, or what there is."""

    def __missing__(self, table: str) -> dict[str, Any]:
        return {}


def stated_options(crs: Iterable[str] | None, columns: Iterable[str] | None, tables: Collection[str]) -> Stated:
    """The options of each table's reader.

    Parameters
    ----------
    crs
        Each ``TABLE=CRS``; without a table it is that of all that have no other.
    columns
        Each ``TABLE.COLUMN=HEADING``.
    tables
        Those that are read.

    Raises
    ------
    OptionError
        When one is not written so, or names a table that is not read.

    Examples
    --------
    >>> stated_options(["GCJ-02"], ["buildings.households=总户数"], ["buildings", "units"])
    {'buildings': {'crs': 'GCJ-02', 'columns': {'households': '总户数'}}}
    """
    out = Stated()
    named = [_of_table(text, tables) for text in crs or ()]
    for table, value in sorted(named, key=lambda pair: pair[0] != ""):
        for name in [table] if table else [name for name in tables if name not in WITHOUT_PLACE]:
            out.setdefault(name, {})["crs"] = value
    for text in columns or ():
        left, equals, heading = text.partition("=")
        table, dot, column = left.partition(".")
        if not (equals and dot and column and heading):
            raise OptionError(f"--columns {text}: write TABLE.COLUMN=HEADING, such as buildings.households=总户数")
        _known(table, tables, f"--columns {text}")
        out.setdefault(table, {}).setdefault("columns", {})[column] = heading
    return out


def _of_table(text: str, tables: Collection[str]) -> tuple[str, str]:
    """Table and CRS; a CRS may hold an equals sign itself, as +proj=utm does."""
    table, equals, value = text.partition("=")
    if not equals or not table.isidentifier():
        return "", text
    _known(table, tables, f"--crs {text}")
    if table in WITHOUT_PLACE:
        raise OptionError(f"--crs {text}: {table} have no coordinates. Leave it out.")
    return table, value


def _known(table: str, tables: Collection[str], option: str) -> None:
    if table not in tables:
        near = difflib.get_close_matches(table, tables, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "Leave it out, or name the file of that table."
        raise OptionError(f"{option}: of the tables read ({', '.join(tables)}) none is called {table!r}; {hint}")
