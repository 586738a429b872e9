"""How a table looks in a workbook: headings, number formats, widths, colours; and no cell that is ever a formula."""

from __future__ import annotations

import math
import re
import unicodedata
from copy import copy
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from gridmap.io.write.formulas import FORMULA_STARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Column", "add_table", "clean", "put"]

_FORMATS = {"text": "@", "count": "#,##0", "decimal": "#,##0.00", "percent": "0.0%"}
_HEAD_FILL, _HEAD_TEXT, _RULE = "1F4E5F", "FFFFFF", "D0D7DB"
_LOW, _HIGH = "F6C79A", "8FC1A9"
_WIDEST, _NARROWEST, _NARROWEST_RATE = 60, 9, 6
# Height of a line in points, and how many a row may have.
_LINE, _MOST_LINES = 14.0, 12
_FONT = {"en": "Calibri", "zh": "Microsoft YaHei"}
# Excel takes no control characters, and no more than this in a cell.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST = 32_767


@dataclass(frozen=True)
class Column:
    """A heading, its cells, how they are shown, and the fill of certain texts; `wrap` breaks long texts.

    `scale` colours shares from low to high; `narrow` is for a matrix of many columns.
    """

    heading: str
    cells: Sequence[Any]
    kind: str = "text"
    fills: Mapping[str, str] = field(default_factory=dict)
    wrap: bool = False
    scale: bool = False
    narrow: bool = False


def add_table(book: Any, title: str, columns: Sequence[Column], *, lang: str, frozen: int = 1, header: str = "") -> Any:
    """A sheet with one table: headings in row 1, which stay in sight, and a filter.

    Parameters
    ----------
    book
        openpyxl Workbook.
    title
        Name of the sheet.
    columns
        The table.
    lang
        Chooses the font.
    frozen
        How many columns stay in sight.
    header
        Line printed at the top of each page.
    """
    from openpyxl.formatting.rule import ColorScaleRule
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    font, line = _FONT[lang], Border(bottom=Side(style="thin", color=_RULE))
    fills = {c: PatternFill("solid", fgColor=c) for column in columns for c in column.fills.values()}
    for at, column in enumerate(columns, start=1):
        cell = put(sheet, 1, at, column.heading)
        cell.font = Font(name=font, size=10, bold=True, color=_HEAD_TEXT)
        cell.fill = PatternFill("solid", fgColor=_HEAD_FILL)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(at)].width = _width(column)
    body = Font(name=font, size=10)
    upright = "top" if any(c.wrap for c in columns) else "center"
    text, wrapped = Alignment(vertical=upright), Alignment(vertical=upright, wrap_text=True)
    widths = [_width(c) for c in columns]
    styles: dict[tuple[Any, ...], Any] = {}
    for row, cells in enumerate(zip_longest(*(c.cells for c in columns)), start=2):
        for at, (column, value) in enumerate(zip(columns, cells, strict=True), start=1):
            cell = put(sheet, row, at, value, kind=column.kind)
            fill = column.fills.get(value) if isinstance(value, str) else None
            key = (cell.number_format, bool(cell.quotePrefix), column.wrap, fill)
            if key in styles:
                # to look up four properties for each cell takes most of the time of a large workbook
                cell._style = copy(styles[key])  # noqa: SLF001
                continue
            cell.font, cell.border = body, line
            cell.alignment = wrapped if column.wrap else text
            if fill is not None:
                cell.fill = fills[fill]
            styles[key] = cell._style  # noqa: SLF001
        lines = [_lines(v, w) for v, w, c in zip(cells, widths, columns, strict=True) if c.wrap]
        if max(lines, default=1) > 1:
            sheet.row_dimensions[row].height = _LINE * min(max(lines), _MOST_LINES)
    last = max((len(c.cells) for c in columns), default=0) + 1
    for at, column in enumerate(columns, start=1):
        if column.scale and last > 1:
            letter = get_column_letter(at)
            rule = ColorScaleRule(
                start_type="num", start_value=0, start_color=_LOW, mid_type="num", mid_value=0.8, mid_color="FFFFFF",
                end_type="num", end_value=1, end_color=_HIGH,
            )  # fmt: skip
            sheet.conditional_formatting.add(f"{letter}2:{letter}{last}", rule)
    # of a matrix, headings may be whole phrases
    tall = max((_lines(c.heading, _width(c)) for c in columns if c.narrow), default=0)
    sheet.row_dimensions[1].height = _LINE * (2.3 if tall == 0 else min(max(tall, 3), _MOST_LINES) + 0.2)
    sheet.freeze_panes = sheet.cell(2, frozen + 1)
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(len(columns), 1))}{last}"
    sheet.sheet_view.showGridLines = False
    _for_print(sheet, header, lang)
    return sheet


def put(sheet: Any, row: int, column: int, value: Any, *, kind: str = "text") -> Any:
    """A cell with a value: numbers as numbers, missing ones empty, and text as text whatever it begins with."""
    cell = sheet.cell(row, column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return cell
    if kind == "text" or isinstance(value, str):
        text = clean(str(value))
        cell.value = text
        # openpyxl takes "=..." for a formula; a sheet that travels as CSV would take the others for one
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(FORMULA_STARTS)
    else:
        number = float(value)
        cell.value = round(number) if kind == "count" and number.is_integer() else number
        cell.number_format = _FORMATS[kind]
    return cell


def clean(text: str) -> str:
    """A text without what Excel does not take, and no longer than it takes."""
    return _CONTROL.sub("", text)[:_LONGEST]


def _for_print(sheet: Any, header: str, lang: str) -> None:
    from gridmap.io.write.workbook_words import word

    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    # & begins a code in headers
    sheet.oddHeader.center.text = header.replace("&", "&&")
    sheet.oddFooter.center.text = word("page", lang)


def _width(column: Column) -> float:
    """Wide enough for nearly all cells; headings may break."""
    sizes = sorted(_extent(_shown(v, column.kind)) for v in column.cells)
    # a few long names may be cut off; where texts break, the longest one says how wide
    body = sizes[-1 if column.wrap else int(0.98 * (len(sizes) - 1))] if sizes else 0
    longest_word = max((_extent(w) for w in column.heading.split()), default=0)
    heading = max(float(longest_word), _extent(column.heading) / 2)
    if column.narrow:
        # a matrix of many columns: headings may take three lines, Chinese ones break anywhere
        heading = float(longest_word) if column.heading.isascii() else _extent(column.heading) / 3
        return max(body, heading, _NARROWEST_RATE) + 1.5
    return float(min(max(body, heading, _NARROWEST) + 2.5, _WIDEST if column.wrap else _WIDEST / 1.5))


def _lines(value: Any, width: float) -> int:
    """How many lines a text takes in a column of that width; generous, since words do not break."""
    return sum(math.ceil(_extent(part) * 1.1 / width) or 1 for part in str(value or "").split("\n"))


def _shown(value: Any, kind: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if kind == "text" or isinstance(value, str):
        return str(value)
    return {"count": f"{value:,.0f}", "percent": f"{value:.1%}"}.get(kind, f"{value:,.2f}")


def _extent(text: Iterable[str]) -> int:
    """Columns that a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
