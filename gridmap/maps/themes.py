"""Themes: by what the grids of a page can be coloured, each with its classes and their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.maps import classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.maps.bands import Bands
    from gridmap.maps.facts import Rates
    from gridmap.maps.sheet import Sheet

__all__ = ["make_themes"]


def make_themes(
    sheet: Sheet, bands: Bands | None, rates: Rates | None, words: Mapping[str, str], labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The themes of a page in one language, the first of which it opens with.

    Parameters
    ----------
    sheet
        The page.
    bands
        What each grid counts against its band; None without grids.
    rates
        Coverage of the grids; None where it was not counted.
    words, labels
        Words of the language, and labels of the categories by their names in the data.
    """
    grids = sheet.content.tables.get("grids")
    if bands is None or grids is None:
        return []
    themes = []
    if "households" in grids:
        themes.append(classes.band_theme(bands, grids["status"].astype(str).tolist(), words))
    if rates is not None:
        measured = set(sheet.measured)
        for i, category in enumerate(sheet.categories):
            if category in measured:
                label = words["theme.coverage"].format(category=labels[category])
                themes.append(classes.rate_theme(f"rate:{i}", label, rates.rate[:, i], words) | {"category": i})
    return themes
