"""Themes: by what the grids of a page can be coloured, each with its classes and their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.maps import classes
from gridmap.maps.columns import is_private, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from gridmap.maps.bands import Bands
    from gridmap.maps.facts import Rates
    from gridmap.maps.sheet import Sheet

__all__ = ["make_themes", "own_columns"]

# What has its place in the page.
_KNOWN = {
    "grid_id", "community_id", "kind", "name", "households", "area_m2", "status", "previous_id", "lower",
    "upper", "counted", "weight", "code", "object_code", "households_estimated",
}  # fmt: skip
_MOST_KINDS = 8


def make_themes(
    sheet: Sheet,
    bands: Bands | None,
    rates: Rates | None,
    words: Mapping[str, str],
    labels: Mapping[str, str],
    scheme: str = "Quantiles",
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
    scheme
        How other numbers are classed; see `gridmap.maps.classes.SCHEMES`.
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
    return themes + _other_themes(grids, words, scheme)


def _other_themes(grids: gpd.GeoDataFrame, words: Mapping[str, str], scheme: str) -> list[dict[str, Any]]:
    """Themes of density and of all columns that the page knows nothing about and that tell grids apart."""
    columns = own_columns(grids)
    if "households" in grids and "area_m2" in grids:
        columns["density_per_ha"] = (grids["households"] * 10_000 / grids["area_m2"]).astype(float).round(1)
    themes = []
    for name, column in columns.items():
        key, label = f"column:{name}", words.get(f"fact.{name}") or str(name).replace("_", " ")
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values = column.to_numpy(dtype=float, na_value=np.nan, copy=True)
            values[np.isinf(values)] = np.nan
            if len(np.unique(values[~np.isnan(values)])) > 1:
                themes.append(classes.value_theme(key, label, values, words, scheme=scheme))
        else:
            kinds = [_kind(value, words) for value in texts(column)]
            if 1 < len(set(kinds) - {""}) <= _MOST_KINDS:
                themes.append(classes.kind_theme(key, label, kinds, words))
    return themes


def own_columns(grids: gpd.GeoDataFrame) -> dict[str, pd.Series]:
    """Columns of grids that the page has no place of its own for, by their names; who is responsible is left out."""
    named = [str(c) for c in grids.columns if c != grids.geometry.name and c not in _KNOWN]
    shown = (name for name in named if not (name.startswith("name_") or name.endswith("_id") or is_private(name)))
    return {name: grids[name] for name in shown}


def _kind(value: str, words: Mapping[str, str]) -> str:
    return words["yes"] if value == "True" else words["no"] if value == "False" else value
