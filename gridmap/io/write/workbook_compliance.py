"""The workbook's sheets of compliance: a traffic light a unit and requirement, what is asked for, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.io.write.workbook_sheet import Column
from gridmap.io.write.workbook_words import word
from gridmap.tables.number_column import number_column
from gridmap.view.compliance_table import LIGHTS, STATUSES, compliance_table, requirements_of, summarise
from gridmap.view.compliance_words import (
    amount_word,
    category_words,
    clause_words,
    requirement_words,
    state_word,
    status_word,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["community_names", "compliance_sheets", "unit_names"]


def compliance_sheets(
    compliance: pd.DataFrame, names: Mapping[str, str], lang: str
) -> list[tuple[str, list[Column], int]]:
    """The sheets: word for the name, columns, and how many of these stay in sight.

    Parameters
    ----------
    compliance
        As `Cover.compliance` gives it.
    names
        What units are called, by their id; others by the id alone.
    lang
        ``"en"`` or ``"zh"``.
    """
    lit, frozen = _lights(compliance, names, lang)
    return [
        ("compliance", lit, frozen),
        ("requirements", _requirements(compliance, lang), 2),
        ("compliance_detail", _figures(compliance, names, lang), 2),
    ]


def _lights(compliance: pd.DataFrame, names: Mapping[str, str], lang: str) -> tuple[list[Column], int]:
    """Units and requirements against one another, the more numerous of them as rows; how many columns stay in sight."""
    fills = {status_word(status, lang): fill for status, fill in LIGHTS.items()}
    wide = compliance_table(compliance, lang)
    ids = [str(unit) for unit in wide.index]
    if len(wide) < len(wide.columns):
        asked = Column(word("requirement", lang), wide.columns.tolist(), wrap=True)
        units = [names.get(unit) or unit for unit in ids]
        rows = wide.to_numpy(dtype=object).tolist()
        return [asked, *(Column(unit, row, fills=fills, narrow=True) for unit, row in zip(units, rows, strict=True))], 1
    head = [Column(word("unit_id", lang), ids)]
    named = [names.get(unit, "") for unit in ids]
    if any(named):
        head.append(Column(word("unit", lang), named))
    lit = [Column(str(what), wide[what].tolist(), fills=fills, narrow=True) for what in wide.columns]
    return [*head, *lit], len(head)


def community_names(plan: Any) -> dict[str, str]:
    """What communities are called, by their id."""
    table = plan.communities
    ids = table["community_id"].astype(str)
    names = table["name"].where(table["name"].notna(), "").astype(str) if "name" in table.columns else ids
    return dict(zip(ids, names, strict=True))


def unit_names(plan: Any) -> dict[str, str]:
    """What communities and grids are called, by their id."""
    grids = plan.grids
    named = grids["name"].where(grids["name"].notna(), "").astype(str) if "name" in grids else [""] * len(grids)
    return {**dict(zip(grids["grid_id"].astype(str), named, strict=True)), **community_names(plan)}


def _requirements(compliance: pd.DataFrame, lang: str) -> list[Column]:
    rows, summary = requirements_of(compliance), summarise(compliance)
    titles = compliance.attrs.get("standards", {})
    records = rows.to_dict("records")
    return [
        Column(word("category", lang), [category_words(row["category"], lang) for row in records]),
        Column(word("requirement", lang), [requirement_words(row, lang, category=False) for row in records]),
        *(Column(word(status, lang), summary[status].astype(float).tolist(), "count") for status in STATUSES),
        Column(word("met_share", lang), summary["met_share"].astype(float).tolist(), "percent", scale=True),
        Column(word("standard", lang), [titles.get(own, {}).get(lang, own) for own in rows["standard"]], wrap=True),
        Column(word("clause", lang), [clause_words(clause, lang) for clause in rows["clause"]]),
        Column(word("verification", lang), [state_word(state, lang) for state in rows["verification"]]),
        Column(word("number_from", lang), rows["source"].tolist()),
    ]


def _figures(compliance: pd.DataFrame, names: Mapping[str, str], lang: str) -> list[Column]:
    """One row a unit and requirement."""
    words = {
        row["requirement_id"]: requirement_words(row, lang) for row in requirements_of(compliance).to_dict("records")
    }
    units = compliance["unit_id"].astype(str)
    fills = {status_word(status, lang): fill for status, fill in LIGHTS.items()}

    def numbers(column: str) -> list[float]:
        return number_column(compliance, column).tolist()

    return [
        Column(word("unit", lang), [names.get(unit) or unit for unit in units]),
        Column(word("requirement", lang), [words[own] for own in compliance["requirement_id"]], wrap=True),
        Column(word("status", lang), [status_word(status, lang) for status in compliance["status"]], fills=fills),
        Column(word("needed", lang), numbers("needed"), "count"),
        Column(word("present", lang), numbers("present"), "count"),
        Column(word("counted_in", lang), [amount_word(rule, lang) for rule in compliance["rule"]]),
        Column(word("reachable", lang), numbers("reachable"), "percent"),
        Column(word("area_short", lang), numbers("area_short_m2"), "count"),
        Column(word("places_short", lang), numbers("places_short"), "count"),
    ]
