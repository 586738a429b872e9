"""The Excel workbook: grid ledger, coverage by category and unit, findings, assumptions and sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.io.write.tables import writing
from gridmap.io.write.workbook_compliance import community_names, compliance_sheets, unit_names
from gridmap.io.write.workbook_gaps import gap_columns
from gridmap.io.write.workbook_sheet import Column, add_table, clean, put
from gridmap.io.write.workbook_sites import site_columns, site_rate_columns
from gridmap.io.write.workbook_words import category_word, word
from gridmap.tables.number_column import as_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    import geopandas as gpd

__all__ = ["write_workbook"]

_LANGUAGES = ("en", "zh")
_STATUS_FILLS = {
    "legal": "DDEFE3", "above": "F6C79A", "below": "FBE7A3", "empty": "E6E9EB", "dedicated": "D6E4F5",
}  # fmt: skip
_SEVERITY_FILLS = {"error": "F6C79A", "warning": "FBE7A3", "info": "E6E9EB"}
_COUNTS = ("residents", "registered", "dwellings", "elderly", "elderly_80", "children", "shops", "enterprises")
_SHOWN_IDS = 20


def write_workbook(
    path: str | PathLike[str],
    *,
    plan: Any = None,
    cover: Any = None,
    lang: str = "en",
    title: str | None = None,
    findings: pd.DataFrame | None = None,
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    gaps: gpd.GeoDataFrame | None = None,
    compliance: pd.DataFrame | None = None,
    sites: Any = None,
) -> Path:
    """Write a plan and a cover as a workbook for people, whole or not at all.

    Sheets: summary; grid ledger; coverage by grid, by community and over all; facilities by community (institutional
    coverage, apart from the rates); findings; assumptions and sources. The summary says which part of the households is
    an estimate, and the ledger how many in each grid. No cell is a formula, whatever the data holds.

    Parameters
    ----------
    path
        The .xlsx file; its folder must be there.
    plan
        A `GridPlan`.
    cover
        A `Cover`.
    lang
        ``"en"`` or ``"zh"``.
    title
        Heading of the summary and of printed pages.
    findings
        In place of those of the plan and the cover.
    sources
        What the readers did, by table (``attrs["reading"]``); by default those still on the tables.
    gaps
        Blind spots, as `Cover.gaps` gives them; they get a sheet of their own.
    compliance
        As `Cover.compliance` gives it: a traffic-light sheet (达标表), the requirements with clauses, the figures.
    sites
        A `SitePlan`: the chosen sites by rank, and what they bring by category.

    Raises
    ------
    OptionError
        When there is nothing to write, the language is unknown or the suffix is not .xlsx.
    WriteError
        When the file cannot be written; a former one is then unchanged.
    """
    import openpyxl

    path = Path(path)
    if lang not in _LANGUAGES:
        raise OptionError(f"lang={lang!r}; it is one of {', '.join(_LANGUAGES)}")
    if path.suffix.lower() != ".xlsx":
        raise OptionError(f"{path.name}: a workbook is written as .xlsx")
    if plan is None and cover is None and sites is None:
        raise OptionError("nothing to write: give plan=, cover=, sites= or several")
    title = clean(title or word("title", lang))
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = title, "gridmap"
    summary = book.create_sheet(word("summary", lang))
    estimated = _estimated_share(plan, sites if cover is None else cover)
    note = _estimate_note(estimated, lang)
    header = f"{title} – {note}"
    sheets = _results(plan, cover, gaps, compliance, findings, lang)
    if sites is not None:
        sheets += [("sites", site_columns(sites, lang), 2), ("site_rates", site_rate_columns(sites, lang), 1)]
    for name, columns, frozen in sheets:
        add_table(book, word(name, lang), columns, lang=lang, frozen=frozen, header=header)
    found = _findings(plan, cover, compliance, sites) if findings is None else findings
    add_table(book, word("findings", lang), _finding_columns(found, lang), lang=lang, header=header)
    about = _assumptions(plan, cover, sources, lang)
    add_table(book, word("assumptions", lang), about, lang=lang, frozen=2, header=header)
    notes = [note, *([word("rate_note", lang).format(sheet=word("institutions", lang))] if cover is not None else [])]
    if compliance is not None:
        share = f"{100 * compliance.attrs.get('share', 1.0):.4g}%"
        notes.append(word("compliance_note", lang).format(share=share, sheet=word("requirements", lang)))
    _fill_summary(summary, title, notes, _figures(plan, cover, estimated, found, lang), book.sheetnames[1:], lang)
    with writing(path) as temporary:
        book.save(temporary)
    return path


def _results(
    plan: Any,
    cover: Any,
    gaps: gpd.GeoDataFrame | None,
    compliance: pd.DataFrame | None,
    findings: pd.DataFrame | None,
    lang: str,
) -> list[tuple[str, list[Column], int]]:
    """The sheets of results: word for the name, columns, and how many of these stay in sight."""
    sheets: list[tuple[str, list[Column], int]] = []
    if plan is not None:
        estimated = _estimated_by_grid(plan, cover)
        sheets.append(("ledger", _ledger(plan, estimated, plan.findings if findings is None else findings, lang), 2))
    if cover is not None:
        sheets += _coverage(plan, cover, lang)
    if gaps is not None:
        sheets.append(("gaps", gap_columns(gaps, getattr(plan, "communities", None), lang), 2))
    if compliance is not None:
        sheets += compliance_sheets(compliance, {} if plan is None else unit_names(plan), lang)
    return sheets


def _ledger(plan: Any, estimated: pd.Series, findings: pd.DataFrame, lang: str) -> list[Column]:
    """One row a grid."""
    grids = plan.grids
    names = community_names(plan)
    columns = [Column(word("grid_id", lang), _texts(grids["grid_id"]))]
    if "name" in grids.columns:
        columns.append(Column(word("name", lang), _texts(grids["name"])))
    columns += [
        Column(word("community_id", lang), _texts(grids["community_id"])),
        Column(word("community", lang), _texts(grids["community_id"].map(names))),
        Column(word("kind", lang), _words(grids["kind"], lang)),
        Column(word("status", lang), _words(grids["status"], lang), fills=_named(_STATUS_FILLS, lang)),
        Column(word("households", lang), as_numbers(grids["households"]).tolist(), "count"),
        Column(word("estimated", lang), as_numbers(grids["grid_id"].map(estimated).fillna(0)).tolist(), "count"),
    ]
    columns += [
        Column(word(c, lang), as_numbers(grids[c]).tolist(), "count")
        for c in _COUNTS
        if c in grids.columns and grids[c].notna().any()
    ]
    remarks = _remarks(findings)
    columns += [
        Column(word("buildings", lang), as_numbers(grids["buildings"]).tolist(), "count"),
        Column(word("area_ha", lang), as_numbers(grids["area_m2"] / 10_000).tolist(), "decimal"),
        Column(word("remark", lang), [remarks.get(g, "") for g in grids["grid_id"].astype(str)], wrap=True),
    ]
    return columns


def _coverage(plan: Any, cover: Any, lang: str) -> list[tuple[str, list[Column], int]]:
    """Tables of coverage: by grid, by community, facilities by community, over all."""
    tables: list[tuple[str, list[Column], int]] = []
    if plan is not None:
        names = community_names(plan)
        of = plan.grids.set_index(plan.grids["grid_id"].astype(str))
        grids = cover.rate(by=plan)
        units = pd.Index(grids["unit_id"].unique()).astype(str)
        head = [
            Column(word("grid_id", lang), list(units)),
            Column(word("community", lang), _texts(of["community_id"].reindex(units).map(names))),
        ]
        tables.append(("by_grid", [*head, *_rates(grids, lang)], 2))
        communities = cover.rate(by=plan.communities)
        units = pd.Index(communities["unit_id"].unique()).astype(str)
        head = [
            Column(word("community_id", lang), list(units)),
            Column(word("community", lang), [names.get(u, "") for u in units]),
        ]
        tables.append(("by_community", [*head, *_rates(communities, lang)], 2))
        wide = _wide(communities, "facilities")
        counts = [
            Column(category_word(c, lang), as_numbers(wide[c]).tolist(), "count", narrow=True) for c in wide.columns
        ]
        tables.append(("institutions", [*head, *counts], 2))
    tables.append(("overall", _overall(cover, lang), 1))
    return tables


def _rates(rates: pd.DataFrame, lang: str) -> list[Column]:
    """The households of each unit, and a column of rates for each category."""
    wide = _wide(rates, "rate")
    total = rates.drop_duplicates("unit_id")["total"]
    return [
        Column(word("total", lang), as_numbers(total).tolist(), "count"),
        *(
            Column(category_word(c, lang), as_numbers(wide[c]).tolist(), "percent", scale=True, narrow=True)
            for c in wide.columns
        ),
    ]


def _wide(rates: pd.DataFrame, values: str) -> pd.DataFrame:
    """One row a unit and one column a category, both in the order they come in."""
    units, categories = rates["unit_id"].unique(), rates["category"].unique()
    return rates.pivot_table(
        index="unit_id", columns="category", values=values, aggfunc="first", dropna=False, observed=True
    ).reindex(index=units, columns=categories)


def _overall(cover: Any, lang: str) -> list[Column]:
    rates = cover.rate()
    columns = [
        Column(word("category", lang), [category_word(c, lang) for c in rates["category"]]),
        Column(word(cover.measure, lang), [float(cover.thresholds.get(c, np.nan)) for c in rates["category"]], "count"),
        Column(word("total", lang), as_numbers(rates["total"]).tolist(), "count"),
        Column(word("covered", lang), as_numbers(rates["covered"]).tolist(), "count"),
        Column(word("rate", lang), as_numbers(rates["rate"]).tolist(), "percent", scale=True),
    ]
    if "facilities" in rates.columns:
        columns.append(Column(word("facilities", lang), as_numbers(rates["facilities"]).tolist(), "count"))
    return columns


def _finding_columns(findings: pd.DataFrame, lang: str) -> list[Column]:
    order = {"error": 0, "warning": 1, "info": 2}
    rows = findings.iloc[np.argsort(findings["severity"].map(order).fillna(3).to_numpy(), kind="stable")]
    return [
        Column(word("severity", lang), _words(rows["severity"], lang), fills=_named(_SEVERITY_FILLS, lang)),
        Column(word("rule", lang), _texts(rows["rule"])),
        Column(word("status", lang), _words(rows["status"], lang)),
        Column(word("message", lang), _texts(rows["message"]), wrap=True),
        Column(word("cure", lang), _texts(rows["cure"]), wrap=True),
        Column(word("ids", lang), [_ids(ids) for ids in rows["ids"]], wrap=True),
    ]


def _assumptions(plan: Any, cover: Any, sources: Mapping[str, Mapping[str, Any]] | None, lang: str) -> list[Column]:
    """What the figures rest on: parameters, thresholds, estimates, where each table came from."""
    rows: list[tuple[str, str, Any]] = []
    if plan is not None:
        rows += [(word("division", lang), k, v) for k, v in plan.parameters.items()]
    if cover is not None:
        rows += [
            (word("coverage", lang), f"{word(cover.measure, lang)}: {category_word(c, lang)}", v)
            for c, v in cover.thresholds.items()
        ]
        parameters = {
            k: v for k, v in cover.parameters.items() if v is not None and k not in ("minutes", "metres", "rules")
        }
        rows += [(word("coverage", lang), k, v) for k, v in parameters.items()]
        denominator = cover.rate().attrs.get("denominator")
        rows += [(word("coverage", lang), word("denominator", lang), denominator)] if denominator else []
    tables = _tables(plan, cover)
    buildings = tables.get("buildings")
    if buildings is not None:
        rows += [(word("estimate", lang), k, v) for k, v in buildings.attrs.get("assumptions", {}).items()]
    readings = sources or {n: t.attrs["reading"] for n, t in tables.items() if "reading" in t.attrs}
    for name, reading in readings.items():
        # the folders of whoever made the workbook are nobody's business
        shown = {**reading, "source": Path(str(reading["source"])).name}
        rows += [(f"{word('source', lang)}: {word(name, lang)}", k, v) for k, v in shown.items()]
    split = [(about, item, value) for about, key, whole in rows for item, value in _parts(key, whole, lang)]
    return [
        Column(word("about", lang), [r[0] for r in split]),
        Column(word("item", lang), [r[1] for r in split]),
        Column(word("value", lang), [_plain(r[2]) for r in split], wrap=True),
    ]


def _parts(key: str, value: Any, lang: str) -> list[tuple[str, Any]]:
    """One line for each entry of a mapping or of a list of counts; none for what is empty."""
    name = word(key, lang)
    if isinstance(value, dict):
        return [(f"{name}: {word(str(k), lang)}", v) for k, v in value.items() if v not in ([], {}, None)]
    if isinstance(value, list) and value and all(isinstance(v, dict) and "count" in v for v in value):
        return [(f"{name}: {v.get('reason', v.get('what', ''))}", v["count"]) for v in value]
    return [] if value in ([], None) else [(name, value)]


def _bands(plan: Any) -> str:
    """The band, or each of several with what it counts."""
    grids = plan.grids
    if "lower" not in grids or "counted" not in grids:
        return "{}–{}".format(plan.parameters.get("lower", "?"), plan.parameters.get("upper", "?"))
    each = grids[["lower", "upper", "counted"]].drop_duplicates().sort_values(["counted", "lower"])
    return "; ".join(
        f"{counted} {f'≥ {lower:g}' if pd.isna(upper) else f'{lower:g}–{upper:g}'}"
        for lower, upper, counted in each.itertuples(index=False)
    )


def _figures(
    plan: Any, cover: Any, estimated: tuple[float, float], findings: pd.DataFrame, lang: str
) -> list[tuple[str, Any, str]]:
    """Label, value and format of the key figures."""
    figures: list[tuple[str, Any, str]] = []
    if plan is not None:
        status = plan.grids["status"].value_counts()
        judged = sum(int(status.get(s, 0)) for s in ("legal", "above", "below"))
        figures += [
            ("communities", len(plan.communities), "count"),
            ("grids", len(plan.grids), "count"),
            ("band", _bands(plan), "text"),
            ("in_band", int(status.get("legal", 0)), "count"),
            ("in_band_share", status.get("legal", 0) / judged if judged else None, "percent"),
        ]
        figures += [
            (f"{s}_count", int(status[s]), "count") for s in ("above", "below", "dedicated", "empty") if s in status
        ]
        figures += [
            ("buildings", plan.assignment["building_id"].nunique(), "count"),
            ("households", float(plan.assignment["households"].sum()), "count"),
        ]
    figures += [("estimated_share", estimated[0] / estimated[1] if estimated[1] else 0.0, "percent")]
    figures += [("n_findings", len(findings), "count")]
    named = [(word(key, lang), value, kind) for key, value, kind in figures]
    if cover is not None:
        rates = cover.rate()
        limit = word(f"within_{cover.measure}", lang)
        named += [
            (
                ", ".join(
                    (
                        f"{word('rate', lang)}: {category_word(c, lang)}",
                        *((limit.format(cover.thresholds[c]),) if c in cover.thresholds else ()),
                    )
                ),
                r,
                "percent",
            )
            for c, r in zip(rates["category"], rates["rate"], strict=True)
        ]
    return named


def _fill_summary(
    sheet: Any,
    title: str,
    notes: Sequence[str],
    figures: Sequence[tuple[str, Any, str]],
    others: Iterable[str],
    lang: str,
) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side

    font = "Microsoft YaHei" if lang == "zh" else "Calibri"
    line = Border(bottom=Side(style="thin", color="D0D7DB"))
    put(sheet, 1, 1, title).font = Font(name=font, size=16, bold=True, color="1F4E5F")
    sheet.row_dimensions[1].height = 28
    row = 2
    for text in notes:
        cell = put(sheet, row, 1, text)
        cell.font = Font(name=font, size=10, italic=True, color="555555")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=4)
        sheet.row_dimensions[row].height = 30
        row += 1
    row += 1
    top = row
    for label, value, kind in figures:
        name, cell = put(sheet, row, 1, label), put(sheet, row, 2, value, kind=kind)
        name.font, cell.font = Font(name=font, size=10), Font(name=font, size=10, bold=True)
        name.border = cell.border = line
        cell.alignment = Alignment(horizontal="right")
        row += 1
    put(sheet, top, 4, word("contents", lang)).font = Font(name=font, size=10, bold=True)
    for at, other in enumerate(others, start=top + 1):
        cell = put(sheet, at, 4, other)
        cell.hyperlink = f"#'{other}'!A1"
        cell.font = Font(name=font, size=10, color="1F4E9F", underline="single")
    for letter, width in (("A", 52), ("B", 16), ("C", 3), ("D", 30)):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _estimated_by_grid(plan: Any, cover: Any) -> pd.Series:
    """Households that are estimates, by grid; what says so is a column of the buildings of either."""
    tables = [part.buildings for part in (plan, cover) if part is not None]
    known = next((t for t in tables if "households_estimated" in t.columns), None)
    if plan is None or known is None:
        return pd.Series(dtype=float)
    guessed = known["building_id"][known["households_estimated"].astype(bool)]
    rows = plan.assignment["building_id"].isin(guessed)
    return plan.assignment[rows].groupby("grid_id")["households"].sum()


def _estimated_share(plan: Any, other: Any) -> tuple[float, float]:
    """Households that are estimates, and all households, of a plan, or of what else has buildings."""
    if plan is not None:
        return float(_estimated_by_grid(plan, other).sum()), float(plan.assignment["households"].sum())
    households = pd.to_numeric(other.buildings.get("households", pd.Series(0.0, other.buildings.index)))
    flags = other.buildings.get("households_estimated", pd.Series(data=False, index=other.buildings.index))
    return float(households[flags.astype(bool)].sum()), float(households.sum())


def _estimate_note(estimated: tuple[float, float], lang: str) -> str:
    part, whole = estimated
    key = "not_estimated" if part == 0 else "all_estimated" if part >= whole else "some_estimated"
    return word(key, lang).format(
        sheet=word("assumptions", lang), column=word("estimated", lang), share=f"{part / whole if whole else 0:.1%}",
        n=f"{part:,.0f}", total=f"{whole:,.0f}",
    )  # fmt: skip


def _remarks(findings: pd.DataFrame) -> dict[str, str]:
    """For each grid, what the findings that name it say."""
    out: dict[str, list[str]] = {}
    for ids, message in zip(findings["ids"], findings["message"], strict=True):
        for one in ids if isinstance(ids, list) else []:
            out.setdefault(str(one), []).append(str(message))
    return {grid: " ".join(dict.fromkeys(texts)) for grid, texts in out.items()}


def _findings(plan: Any, cover: Any, compliance: pd.DataFrame | None = None, sites: Any = None) -> pd.DataFrame:
    tables = [part.findings for part in (plan, cover, sites) if part is not None and part.findings is not None]
    if compliance is not None and "findings" in compliance.attrs:
        tables.append(compliance.attrs["findings"])
    return pd.concat([pd.DataFrame(t).drop(columns="geometry", errors="ignore") for t in tables], ignore_index=True)


def _tables(plan: Any, cover: Any) -> dict[str, Any]:
    names = ("communities", "buildings", "streets", "compounds", "barriers", "entrances", "facilities")
    found = {n: getattr(part, n, None) for part in (cover, plan) if part is not None for n in names}
    return {n: found[n] for n in names if isinstance(found.get(n), pd.DataFrame)}


def _texts(values: pd.Series) -> list[Any]:
    return ["" if pd.isna(v) else str(v) for v in values]


def _words(values: pd.Series, lang: str) -> list[str]:
    return ["" if pd.isna(v) else word(str(v), lang) for v in values]


def _named(fills: Mapping[str, str], lang: str) -> dict[str, str]:
    return {word(key, lang): fill for key, fill in fills.items()}


def _ids(ids: Any) -> str:
    if not isinstance(ids, (list, tuple)):
        return "" if ids is None else str(ids)
    more = f" … +{len(ids) - _SHOWN_IDS}" if len(ids) > _SHOWN_IDS else ""
    return ", ".join(map(str, ids[:_SHOWN_IDS])) + more


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.10g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return json.dumps(value, ensure_ascii=False, default=str)
