"""HTML: blocks as one page that prints on A4, asks the network for nothing and runs no script."""

from __future__ import annotations

import re
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridmap.maps.report.blocks import Block

__all__ = ["html_pages"]

# The browser itself is told to refuse what is not in the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"


def html_pages(blocks: Iterable[Block], *, title: str, lang: str) -> str:
    """The blocks as an HTML document."""
    style = resources.files("gridmap.maps.report").joinpath("print.css").read_text("utf-8")
    foot = f'@page {{ @bottom-left {{ content: "{_css_text(title)}"; }} }}'
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<title>{escape(title)}</title>\n'
        f'<link rel="icon" href="data:,">\n<style>\n{style}{foot}\n</style>\n</head>\n<body>\n<main>\n'
        + _pages(blocks)
        + "\n</main>\n</body>\n</html>\n"
    )


def _pages(blocks: Iterable[Block]) -> str:
    pages: list[list[str]] = [[]]
    for block in blocks:
        if block["kind"] == "page":
            pages.append([])
        else:
            pages[-1].append(_html(block))
    return "\n".join(f"<section>\n{chr(10).join(page)}\n</section>" for page in pages if page)


def _html(block: Block) -> str:
    return str(_MAKERS[block["kind"]](block))


def _title(block: Block) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in block["lines"])
    return f"<header><h1>{escape(block['text'])}</h1>{lines}</header>"


def _heading(block: Block) -> str:
    level = block["level"] + 1
    return f"<h{level}>{escape(block['text'])}</h{level}>"


def _text(block: Block) -> str:
    return f"<p{' class=small' if block['small'] else ''}>{escape(block['text'])}</p>"


def _list(block: Block) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block['items'])}</ul>"


def _code(block: Block) -> str:
    return f'<pre dir="ltr">{escape(block["text"])}</pre>'


def _figures(block: Block) -> str:
    items = "".join(
        f"<div><strong>{escape(i['value'])}</strong><span>{escape(i['label'])}</span><small>{escape(i['note'])}</small></div>"
        for i in block["items"]
    )
    return f'<div class="figures" style="--columns:{block["columns"]}">{items}</div>'


def _picture(block: Block) -> str:
    caption = f"<figcaption>{escape(block['text'])}</figcaption>" if block["text"] else ""
    return f"<figure>{block['svg']}{caption}</figure>"


def _legend(block: Block) -> str:
    items = "".join(f"<span>{item['svg']}{escape(item['text'])}</span>" for item in block["items"])
    return f'<p class="legend">{items}</p>'


def _cards(block: Block) -> str:
    items = "".join(
        f"<div>{i['svg']}<h4>{escape(i['title'])}</h4>{''.join(f'<p>{escape(line)}</p>' for line in i['lines'])}</div>"
        for i in block["items"]
    )
    return f'<div class="cards" style="--columns:{block["columns"]}">{items}</div>'


def _table(block: Block) -> str:
    whole = sum(block["widths"])
    columns = "".join(f'<col style="width:{width / whole:.2%}">' for width in block["widths"])
    head = "".join(f'<th class="{a}">{escape(h)}</th>' for h, a in zip(block["head"], block["align"], strict=True))
    rows = "".join(
        "<tr>" + "".join(_cell(c, a) for c, a in zip(row, block["align"], strict=True)) + "</tr>"
        for row in block["rows"]
    )
    kind = ' class="small"' if block["small"] else ""
    return f"<table{kind}><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"


def _cell(cell: dict[str, Any], align: str) -> str:
    words = escape(cell["text"])
    if cell.get("bold"):
        words = f"<b>{words}</b>"
    if cell.get("bar") is not None:
        words = f'<i style="width:{100 * cell["bar"]:.1f}%"></i>'
        return f'<td class="bar">{words}</td>'
    fill = f' style="background:{cell["fill"]}"' if cell.get("fill") else ""
    return f'<td class="{align}"{fill}>{words}</td>'


def _css_text(words: str) -> str:
    """Words inside quotes of a style sheet: whatever is not a letter or a digit as its number."""
    return re.sub(r"[^0-9A-Za-z\u4e00-\u9fff ]", lambda m: f"\\{ord(m[0]):x} ", words[:80])


_MAKERS = {
    "title": _title,
    "heading": _heading,
    "text": _text,
    "list": _list,
    "code": _code,
    "figures": _figures,
    "picture": _picture,
    "legend": _legend,
    "cards": _cards,
    "table": _table,
}
