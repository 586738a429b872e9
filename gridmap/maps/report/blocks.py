"""Blocks: what a printed page is made of, as plain values that JSON can hold; words in them are text, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Block",
    "Cell",
    "cards",
    "cell",
    "code",
    "figures",
    "heading",
    "legend",
    "listed",
    "new_page",
    "picture",
    "table",
    "text",
    "title",
]

Block = dict[str, Any]
Cell = str | dict[str, Any]


def title(words: str, lines: Sequence[str] = ()) -> Block:
    """The title of a page, and lines below it."""
    return {"kind": "title", "text": words, "lines": list(lines)}


def heading(words: str, level: int = 1) -> Block:
    """A heading, which stays with what follows it."""
    return {"kind": "heading", "text": words, "level": level}


def text(words: str, *, small: bool = False) -> Block:
    """A paragraph."""
    return {"kind": "text", "text": words, "small": small}


def listed(items: Sequence[str]) -> Block:
    """A list with a dot before each item."""
    return {"kind": "list", "items": list(items)}


def code(words: str) -> Block:
    """Lines of a program as they are."""
    return {"kind": "code", "text": words}


def figures(items: Sequence[tuple[str, str, str]], columns: int = 4) -> Block:
    """Headline figures: value, what it is, and a note."""
    return {
        "kind": "figures",
        "columns": columns,
        "items": [{"value": v, "label": label, "note": note} for v, label, note in items],
    }


def picture(svg: str, caption: str = "") -> Block:
    """A picture over the whole width."""
    return {"kind": "picture", "svg": svg, "text": caption}


def legend(items: Sequence[tuple[str, str]]) -> Block:
    """Legend in one line: a small picture (SVG), and what it means."""
    return {"kind": "legend", "items": [{"svg": svg, "text": words} for svg, words in items]}


def cards(items: Sequence[tuple[str, str, Sequence[str]]], columns: int = 3) -> Block:
    """Small pictures side by side: picture, title, lines below it."""
    return {
        "kind": "cards",
        "columns": columns,
        "items": [{"svg": svg, "title": words, "lines": list(lines)} for svg, words, lines in items],
    }


def cell(words: str, *, fill: str = "", bold: bool = False, bar: float | None = None) -> Cell:
    """A cell of a table with a ground of a colour, or a bar whose length is a share of the cell."""
    return {"text": words, "fill": fill, "bold": bold, "bar": bar}


def table(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[float], align: str, *, small: bool = False
) -> Block:
    """A table whose head comes again on every page.

    Parameters
    ----------
    head
        Names of the columns.
    rows
        Cells by row.
    widths
        Share of the width of each column, in any unit.
    align
        A letter a column: ``l`` words, ``r`` numbers, ``c`` in the middle.
    small
        Small letters, for long tables.
    """
    cells = [[value if isinstance(value, dict) else {"text": value} for value in row] for row in rows]
    return {
        "kind": "table", "head": list(head), "rows": cells, "widths": list(widths), "align": align, "small": small,
    }  # fmt: skip


def new_page() -> Block:
    """What follows begins on a new page."""
    return {"kind": "page"}
