"""PDF: the same blocks set by Typst, which comes as a wheel for every system and embeds the fonts it uses.

Other ways were weighed: matplotlib sets no flowing text and makes a figure a page; reportlab does not put its own
Chinese font into the file and embeds no OpenType ones; WeasyPrint needs libraries that have no wheels; fpdf2 and
PyMuPDF are not under a permissive licence; a browser is not always there.
"""

from __future__ import annotations

import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from gridmap.errors import OptionError, WriteError
from gridmap.view.fonts import CHINESE_FONTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridmap.maps.report.blocks import Block

__all__ = ["pdf_pages"]

_LATIN_FONTS = ("Segoe UI", "Helvetica Neue", "Noto Sans", "Arial", "Liberation Sans", "DejaVu Sans")


def pdf_pages(blocks: Iterable[Block], *, title: str, lang: str) -> bytes:
    """The blocks as a PDF document, its fonts in it.

    Raises
    ------
    OptionError
        When Typst is not installed.
    WriteError
        When there are Chinese words and no font for them, or Typst fails.
    """
    try:
        import typst
    except ImportError as error:
        raise OptionError(
            "a PDF needs the package typst; install it with: pip install 'gridmap-planner[pdf]', or end the name in "
            ".html and print that page from a browser"
        ) from error
    content = json.dumps(list(blocks), ensure_ascii=False)
    families = set(typst.Fonts(include_system_fonts=True).families())
    chinese = [font for font in CHINESE_FONTS if font in families]
    if not chinese and any("\u4e00" <= letter <= "\u9fff" for letter in content):
        raise WriteError(
            "no font with Chinese letters was found for the PDF; install one, for example the package fonts-noto-cjk, "
            "or end the name in .html"
        )
    latin = [font for font in _LATIN_FONTS if font in families]
    setup = {"title": title, "lang": lang, "fonts": chinese + latin if lang == "zh" else latin + chinese}
    template = resources.files("gridmap.maps.report").joinpath("print.typ").read_bytes()
    files = {
        "print.typ": template,
        "blocks.json": content.encode("utf-8", errors="replace"),
        "setup.json": json.dumps(setup).encode(),
    }
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
            # tags of every letter of every map would take six times as long and twice the space
            return bytes(typst.compile(str(Path(folder, "print.typ")), format="pdf", pdf_tags=False))
    except (RuntimeError, OSError) as error:
        raise WriteError(f"the PDF could not be made: {str(error).splitlines()[0]}; end the name in .html") from error
