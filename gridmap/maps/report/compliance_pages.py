"""Compliance in a report: requirement by requirement with its clause, and a traffic light for each unit (达标表)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.maps.report import blocks as b
from gridmap.maps.report.maps import swatch
from gridmap.view.compliance_table import LIGHTS, STATUSES, lights, requirements_of, summarise
from gridmap.view.compliance_words import clause_words, requirement_words, state_word, status_word

if TYPE_CHECKING:
    import pandas as pd

    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.report_words import Say

__all__ = ["compliance_blocks", "unit_names"]

#: Units side by side in one table, and how many get a column at all.
_SIDE_BY_SIDE, _MOST_UNITS = 7, 42
_JUDGED = ("met", "partly", "not_met")


def compliance_blocks(ground: Ground, say: Say) -> list[Block]:
    """What is asked for and how many units have it, then every unit; nothing without a compliance table."""
    table = ground.content.compliance
    if table is None:
        return []
    rows = requirements_of(table)
    wide, summary = lights(table), summarise(table)
    applies = (wide != "does_not_apply").any().to_numpy()
    names = [requirement_words(row, ground.lang) for row in rows.to_dict("records")]
    marked = [name + (say("none_verified") if weak else "") for name, weak in zip(names, _weak(rows), strict=True)]
    out = [
        b.new_page(),
        b.heading(say("section.compliance")),
        b.text(say("compliance.of", share=_target(table, say))),
        *([b.text(say("compliance.weak"), small=True)] if any(_weak(rows)) else []),
        _legend(table, say),
    ]
    titles = table.attrs.get("standards", {})
    for standard in rows["standard"].unique():
        kept = np.flatnonzero(applies & (rows["standard"] == standard).to_numpy())
        if len(kept):
            title = titles.get(standard, {}).get(ground.lang, standard)
            out += [b.heading(title, level=2), _summary(rows, summary, kept, marked, say)]
    if not applies.all():
        left = [name for name, any_unit in zip(names, applies, strict=True) if not any_unit]
        out.append(b.text(say("compliance.left", n=len(left), names=say("semicolon").join(left)), small=True))
    out += [b.heading(say("section.compliance_units"))]
    if len(wide) > _MOST_UNITS:
        return [*out, b.text(say("compliance.many", n=say.number(len(wide))))]
    out.append(b.text(say("compliance.cells"), small=True))
    shown = _cells(table, say)
    units = unit_names(ground, wide.index.astype(str).tolist(), say)
    for first in range(0, len(units), _SIDE_BY_SIDE):
        some = slice(first, first + _SIDE_BY_SIDE)
        body = [[names[i], *shown[i][some]] for i in np.flatnonzero(applies).tolist()]
        out.append(_wide_table(units[some], body, say))
    return out


def unit_names(ground: Ground, units: list[str], say: Say) -> list[str]:
    """What units are called: grids by their short code and name, communities by their name, others by their id."""
    known: dict[str, str] = {}
    if "grids" in ground.layers:
        named = zip(ground.grid_ids, ground.codes, ground.grid_names, strict=True)
        known |= {own: f"{code} {name}".strip() for own, code, name in named}
    if "communities" in ground.layers:
        ids = ground.layers["communities"].table["community_id"].astype(str)
        known |= dict(zip(ids, ground.community_names, strict=True))
    if units == ["all"]:
        return [say("compliance.all")]
    return [known.get(unit, unit) for unit in units]


def _summary(rows: pd.DataFrame, summary: pd.DataFrame, kept: Any, names: list[str], say: Say) -> Block:
    """One row a requirement: clause, how well it is verified, and how many units have each status."""
    body: list[list[Cell]] = []
    for i in kept.tolist():
        counts = [int(summary[status].iloc[i]) for status in (*_JUDGED, "no_data")]
        body.append(
            [
                names[i],
                clause_words(rows["clause"].iloc[i], say.lang),
                state_word(rows["verification"].iloc[i], say.lang),
                *(
                    b.cell(say.number(n) if n else "", fill=f"#{LIGHTS[status]}" if n else "")
                    for n, status in zip(counts, (*_JUDGED, "no_data"), strict=True)
                ),
                b.cell(say.share(summary["met_share"].iloc[i], 0), bold=True),
            ]
        )
    head = [
        say("column.requirement"), say("column.clause"), say("column.verification"),
        *(status_word(status, say.lang) for status in (*_JUDGED, "no_data")), say("column.met_share"),
    ]  # fmt: skip
    return b.table(head, body, (71, 16, 24, 13, 13, 13, 14, 16), "lllrrrrr", small=True)


def _cells(table: pd.DataFrame, say: Say) -> list[list[Cell]]:
    """By requirement, a cell a unit: on the colour of its status the share that is there of what is needed."""
    requirements, units = table["requirement_id"].unique(), table["unit_id"].unique()
    share = np.where(table["rule"] == "reach", table["reachable"], table["present"] / table["needed"])
    words = []
    for status, part in zip(table["status"], np.clip(share, 0, 1).tolist(), strict=True):
        shown = say.share(1.0 if status == "met" and part >= 1 else part, 0) if status in _JUDGED else ""
        shown = say("compliance.unknown") if status == "no_data" else shown or say("none")
        words.append(b.cell(shown, fill=f"#{LIGHTS[status]}" if status in LIGHTS else ""))
    by_unit = [words[i : i + len(requirements)] for i in range(0, len(words), len(requirements))]
    if len(by_unit) != len(units):
        raise AssertionError(f"{len(words)} cells are not {len(units)} units of {len(requirements)} requirements")
    return [list(column) for column in zip(*by_unit, strict=True)]


def _wide_table(units: list[str], body: list[list[Cell]], say: Say) -> Block:
    # columns that are not there leave their room at the right, so that tables below one another line up
    spare = _SIDE_BY_SIDE - len(units)
    blank: list[Cell] = [""] * spare
    return b.table(
        [say("column.requirement"), *units, *[""] * spare],
        [[*row, *blank] for row in body],
        (60, *[17.2] * _SIDE_BY_SIDE),
        "l" + "c" * _SIDE_BY_SIDE,
        small=True,
    )


def _legend(table: pd.DataFrame, say: Say) -> Block:
    counts = table["status"].value_counts()
    return b.legend(
        [
            (
                swatch({"fill": f"#{LIGHTS.get(status, 'ffffff')}"}),
                say("compliance.legend", label=status_word(status, say.lang), n=say.number(int(counts[status]))),
            )
            for status in STATUSES
            if status in counts
        ]
    )


def _weak(rows: pd.DataFrame) -> list[bool]:
    return rows["verification"].isin(("conflict", "unverified")).tolist()


def _target(table: pd.DataFrame, say: Say) -> str:
    return say.share(float(table.attrs.get("share", 1.0)), 0)
