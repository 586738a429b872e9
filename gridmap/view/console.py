"""Tables for a terminal: stages of a run, grids by community, coverage by category, findings by rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

__all__ = [
    "changes_overview",
    "findings_count",
    "findings_overview",
    "grids_overview",
    "in_band_share",
    "rates_overview",
    "shares_overview",
    "sites_overview",
    "stages_overview",
]

# What a grid's status counts as: in the band, out of it, or outside the rule (empty land, a campus of its own).
_IN, _OUT = ("legal",), ("above", "below")
_FINGERPRINTS = ("sha256", "hash")
# Lines of what differs between two runs.
_SHOWN = 20
_SITES = 20
_FINDING_HEADINGS = {
    "en": ("severity", "finding", ">count", "the first of them"),
    "zh": ("程度", "规则", ">数量", "其中第一个"),
}
_SEVERITIES: dict[str, dict[str, str]] = {"en": {}, "zh": {"error": "错误", "warning": "警告", "info": "提示"}}
_STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def in_band_share(grids: pd.DataFrame) -> float:
    """Share of grids within the household band, among those the band applies to; NaN when there are none."""
    judged = grids["status"].isin(_IN + _OUT)
    return float(grids["status"].isin(_IN)[judged].mean()) if judged.any() else float("nan")


def stages_overview(seconds: Mapping[str, float], peak_mb: float | None = None) -> Table:
    """Seconds and share of each stage, their sum, and peak memory where it is known."""
    total = sum(seconds.values())
    memory = "" if peak_mb is None else f"peak memory {peak_mb:,.0f} MB"
    table = _table("stage", ">seconds", ">share", caption=memory)
    for name, spent in seconds.items():
        table.add_row(name, f"{spent:.1f}", f"{spent / total:.0%}" if total else "")
    table.add_section()
    table.add_row("all", f"{total:.1f}", "")
    return table


def grids_overview(grids: pd.DataFrame, communities: pd.DataFrame, lang: str = "en") -> Table:
    """Grids, households and grids by status for each community, and for all; names in `lang` where they are known."""
    columns = [c for c in (f"name_{lang}", "name", "community_id") if c in communities]
    names = communities[columns].bfill(axis=1).iloc[:, 0]
    named = dict(zip(communities["community_id"], names, strict=True))
    table = _table("community", ">grids", ">households", ">in band", ">above", ">below", ">other")
    for community, rows in grids.groupby("community_id", sort=True):
        table.add_row(str(named.get(community) or community), *_grid_cells(rows))
    table.add_section()
    table.add_row("all", *_grid_cells(grids))
    return table


def rates_overview(rates: pd.DataFrame) -> Table:
    """Covered households and the coverage rate of each category, as `Cover.rate()` gives them for one unit."""
    table = _table("category", ">households", ">covered", ">rate")
    for row in rates.sort_values("category").to_dict("records"):
        rate = "-" if math.isnan(row["rate"]) else f"{row['rate']:.1%}"
        table.add_row(str(row["category"]), f"{row['total']:,.0f}", f"{row['covered']:,.0f}", rate)
    return table


def sites_overview(sites: pd.DataFrame, summary: Mapping[str, Any]) -> Table:
    """The chosen sites by rank, what each gains, and how far the choice may be from the best."""
    proof = "proved optimal" if summary["proved"] else f"at most {summary['gap']:.2%} from the best"
    table = _table(">rank", "site", "name", f">{summary['unit']}", ">alone", caption=proof)
    names = sites["name"] if "name" in sites else pd.Series("", index=sites.index)
    for row, name in zip(sites.head(_SITES).to_dict("records"), names, strict=False):
        shown = "" if pd.isna(name) else str(name)
        table.add_row(str(row["rank"]), str(row["facility_id"]), shown, f"{row['gain']:,.0f}", f"{row['alone']:,.0f}")
    if len(sites) > _SITES:
        table.add_row("", f"and {len(sites) - _SITES:,} more", "", "", "")
    return table


def shares_overview(rates: pd.DataFrame) -> Table:
    """Coverage of each category today, with the chosen sites, and if every candidate were built."""
    table = _table("category", ">in all", ">covered today", ">with the sites", ">with every candidate")
    for row in rates.to_dict("records"):
        shares = [
            "-" if math.isnan(row[c]) else f"{row[c]:.1%}" for c in ("rate_before", "rate_after", "rate_reachable")
        ]
        table.add_row(str(row["category"]), f"{row['total']:,.0f}", *shares)
    return table


def findings_overview(findings: pd.DataFrame, lang: str = "en") -> Table:
    """How often each rule was found, gravest first, with the first message of each; headings in `lang`."""
    table = _table(*_FINDING_HEADINGS[lang])
    ranked = findings.assign(rank=findings["severity"].map({name: rank for rank, name in enumerate(_STYLES)}))
    for _, rows in ranked.groupby(["rank", "rule"], sort=True):
        first = rows.iloc[0]
        severity = str(first["severity"])
        cells = (_SEVERITIES[lang].get(severity, severity), str(first["rule"]), str(len(rows)), str(first["message"]))
        table.add_row(*cells, style=_STYLES[severity])
    return table


def changes_overview(changes: pd.DataFrame) -> list[str]:
    """What differs from the last run, a line each; fingerprints are only said to differ."""
    if not len(changes):
        return ["nothing differs from the last run into this folder"]
    lines = ["what differs from the last run into this folder:"]
    for row in changes.head(_SHOWN).to_dict("records"):
        what = f"  {row['part']} {row['name']}, {row['item']}: "
        if row["change"] != "changed":
            lines.append(what + row["change"])
        elif row["item"].endswith(_FINGERPRINTS):
            lines.append(what + "another one")
        else:
            lines.append(f"{what}{row['before']} -> {row['after']}")
    if len(changes) > _SHOWN:
        lines.append(f"  and {len(changes) - _SHOWN} more; gridmap.compare_runs lists all")
    return lines


def findings_count(findings: pd.DataFrame, lang: str = "en") -> str:
    """How many findings there are of each severity, in one line.

    Examples
    --------
    >>> import pandas as pd
    >>> findings_count(pd.DataFrame({"severity": ["error", "info", "info"]}))
    '3 findings: 1 error, 0 warning, 2 info'
    """
    counts = findings["severity"].value_counts()
    each = [(_SEVERITIES[lang].get(name, name), int(counts.get(name, 0))) for name in _STYLES]
    if lang == "zh":
        return f"共 {len(findings)} 项：" + "、".join(f"{name} {count}" for name, count in each)
    noun = "finding" if len(findings) == 1 else "findings"
    return f"{len(findings)} {noun}: " + ", ".join(f"{count} {name}" for name, count in each)


def _grid_cells(grids: pd.DataFrame) -> list[str]:
    status = grids["status"]
    counts = [status.isin(_IN).sum(), (status == "above").sum(), (status == "below").sum()]
    return [str(len(grids)), f"{grids['households'].sum():,.0f}", *map(str, counts), str(len(grids) - sum(counts))]


def _table(*headings: str, caption: str = "") -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, caption=caption or None, caption_justify="left", pad_edge=False)
    for heading in headings:
        table.add_column(heading.lstrip(">"), justify="right" if heading.startswith(">") else "left", overflow="fold")
    return table
