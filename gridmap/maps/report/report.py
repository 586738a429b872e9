"""Report: what a plan, a cover and a choice of sites come to, for leaders, on paper or on a screen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmap.errors import OptionError
from gridmap.io.write.tables import writing
from gridmap.maps.words import check_language

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import geopandas as gpd
    import pandas as pd

    from gridmap.maps.report.blocks import Block

__all__ = ["page_content", "page_path", "report", "today"]

_SUFFIXES = (".html", ".htm", ".pdf")


def report(
    path: str | PathLike[str],
    *,
    plan: Any = None,
    cover: Any = None,
    sites: Any = None,
    lang: str = "en",
    title: str | None = None,
    date: str | None = None,
    notes: Sequence[str] = (),
    findings: gpd.GeoDataFrame | None = None,
    compliance: pd.DataFrame | None = None,
) -> Path:
    """Write a report for leaders: headline figures, maps, coverage, blind spots, the grids, and how it was made.

    The page prints on A4 upright and opens without a network; it has no script. Its figures are those of the tables and
    of the interactive map.

    Parameters
    ----------
    path
        The file, whole or not at all: .html, or .pdf (needs the extra ``pdf``).
    plan
        A `GridPlan`.
    cover
        A `Cover`.
    sites
        A `SitePlan`.
    lang
        ``"en"`` or ``"zh"``.
    title, date
        Heading, and date of the report; by default what is shown, and today. Give the date for a page that is the
        same bytes again.
    notes
        Sentences to print under "Notes".
    findings
        In place of those of the plan, the cover and the sites.
    compliance
        As `Cover.compliance` gives it: pages with each requirement, its clause, and a traffic light for each unit.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OptionError
        When there is nothing to report, the language or the suffix is unknown, or a PDF is asked for without its extra.
    WriteError
        When the file cannot be written; a former one is then unchanged.

    Notes
    -----
    Shapes are drawn with coordinates rounded to 0.1 mm on paper, which the page states; nothing is counted on them.
    """
    from gridmap.maps.layers import recognise
    from gridmap.maps.report.ground import ground_of
    from gridmap.maps.report.report_pages import report_blocks, report_title

    check_language(lang)
    if plan is None and cover is None and sites is None:
        raise OptionError("nothing to report: give plan=, cover=, sites= or several")
    if sites is not None and recognise(sites) != "sites":
        raise OptionError(f"sites= takes a SitePlan, what gridmap.locate gives, not a {type(sites).__name__}")
    target = page_path(path)
    ground = ground_of(plan, cover, lang, findings, sites=sites, compliance=compliance)
    shown = title or report_title(ground)
    when = date or today()
    blocks = report_blocks(ground, title=shown, date=when, notes=notes, name=target.name)
    content = page_content(target, blocks, title=shown, lang=lang)
    with writing(target) as temporary:
        temporary.write_bytes(content)
    return target


def page_path(path: str | PathLike[str]) -> Path:
    """The path of a page, when its suffix is one of ours.

    Raises
    ------
    OptionError
        When it is not.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise OptionError(f"{target.name}: a page is written as .html or .pdf; end the name in one of these")
    return target


def today() -> str:
    """The date of today, as it is where the page is made."""
    return dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()


def page_content(path: Path, blocks: Sequence[Block], *, title: str, lang: str) -> bytes:
    """Blocks as HTML or PDF, by the suffix of the file that is to hold them."""
    from gridmap.maps.report.html_pages import html_pages
    from gridmap.maps.report.pdf_pages import pdf_pages

    if path.suffix.lower() == ".pdf":
        return pdf_pages(blocks, title=title, lang=lang)
    return html_pages(blocks, title=title, lang=lang).encode("utf-8", errors="replace")
