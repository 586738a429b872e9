"""The workbook's sheet of blind spots: where households do not reach a category, the most households first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from gridmap.io.write.workbook_sheet import Column
from gridmap.io.write.workbook_words import category_word, word
from gridmap.tables.crs import to_crs
from gridmap.tables.number_column import as_numbers

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["gap_columns"]


def gap_columns(gaps: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None, lang: str) -> list[Column]:
    """One row a blind spot: category, community where it lies, households, buildings, how far they have to go.

    Parameters
    ----------
    gaps
        As `Cover.gaps` gives them.
    communities
        By which the place is named, where given.
    lang
        ``"en"`` or ``"zh"``.
    """
    measure = "minutes" if "minutes" in gaps else "metres"
    columns = [
        Column(word("rank", lang), as_numbers(gaps["rank"]).tolist(), "count"),
        Column(word("category", lang), [category_word(str(c), lang) for c in gaps["category"]]),
    ]
    if communities is not None:
        columns.append(Column(word("community", lang), _places(gaps, communities)))
    columns += [
        Column(word("uncovered", lang), as_numbers(gaps["households"]).tolist(), "count"),
        Column(word("buildings", lang), as_numbers(gaps["buildings"]).tolist(), "count"),
        Column(word(f"{measure}_median", lang), as_numbers(gaps[measure]).tolist(), "decimal"),
        Column(word(f"{measure}_max", lang), as_numbers(gaps[f"{measure}_max"]).tolist(), "decimal"),
    ]
    return columns


def _places(gaps: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> list[str]:
    """The name of the community that holds a point of each area; empty where none does."""
    table = communities if gaps.crs is None or not len(gaps) else to_crs(communities, gaps.crs)
    ids = table["community_id"].astype(str)
    names = (table["name"].where(table["name"].notna(), ids) if "name" in table else ids).astype(str).tolist()
    points = shapely.point_on_surface(gaps.geometry.to_numpy())
    spot, community = shapely.STRtree(table.geometry.to_numpy()).query(points, predicate="intersects")
    found = dict(zip(reversed(spot.tolist()), reversed(community.tolist()), strict=True))
    return [names[found[i]] if i in found else "" for i in range(len(gaps))]
