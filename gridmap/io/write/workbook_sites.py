"""The workbook's sheets of chosen sites: what they bring by category, and the sites by rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.io.write.workbook_sheet import Column
from gridmap.io.write.workbook_words import category_word, word
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["site_columns", "site_rate_columns"]


def site_columns(sites: Any, lang: str) -> list[Column]:
    """One row a place by the rank of its site: what it gains after those before it, and alone.

    Parameters
    ----------
    sites
        A `SitePlan`.
    lang
        ``"en"`` or ``"zh"``.
    """
    table = sites.sites
    names = next((table[c] for c in (f"name_{lang}", "name") if c in table), None)
    unit = word("newly_covered" if "covered" in str(sites.summary["unit"]) else "way_saved", lang)
    columns = [
        Column(word("rank", lang), number_column(table, "rank").tolist(), "count"),
        Column(word("site", lang), table["facility_id"].astype(str).tolist()),
    ]
    if names is not None:
        columns.append(Column(word("name", lang), _texts(names)))
    columns += [
        Column(word("category", lang), [_categories(cell, lang) for cell in table["category"]]),
        Column(unit, number_column(table, "gain").tolist(), "count"),
        Column(word("alone", lang), number_column(table, "alone").tolist(), "count"),
    ]
    if "address" in table and table["address"].notna().any():
        columns.append(Column(word("address", lang), _texts(table["address"])))
    if "cost" in table:
        columns.append(Column(word("cost", lang), number_column(table, "cost").tolist(), "count"))
    return columns


def site_rate_columns(sites: Any, lang: str) -> list[Column]:
    """One row a category: covered before and after, and if every candidate were built."""
    rates = sites.rates
    columns = [Column(word("category", lang), [category_word(str(c), lang) for c in rates["category"]])]
    columns += [
        Column(word(heading, lang), number_column(rates, name).tolist(), "count")
        for name, heading in (
            ("total", "total"), ("covered_before", "covered_before"), ("covered_after", "covered_after"),
            ("reachable", "covered_by_all"),
        )
    ]  # fmt: skip
    columns += [
        Column(word(name, lang), number_column(rates, name).tolist(), "percent", scale=True)
        for name in ("rate_before", "rate_after", "rate_reachable")
    ]
    return columns


def _categories(cell: str, lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(category_word(name, lang) for name in str(cell).split(", "))


def _texts(values: pd.Series) -> list[str]:
    return values.where(values.notna(), "").astype(str).tolist()
