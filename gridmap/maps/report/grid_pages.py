"""Grids in a report: those out of the band with the reason and the cure, all of them, and the other findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.maps.classes import STATUSES
from gridmap.maps.drawn import findings_in_order
from gridmap.maps.finding_words import finding_text
from gridmap.maps.report import blocks as b
from gridmap.view.colours import STATUS_COLOURS

if TYPE_CHECKING:
    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.report_words import Say

__all__ = ["all_grids_blocks", "finding_blocks", "grid_findings", "out_of_band_blocks", "status_cell", "why_words"]

_SHOWN = 40
_RULES_OF_BAND = ("household_band", "band")


def out_of_band_blocks(ground: Ground, say: Say) -> list[Block]:
    """Each grid out of its band: what is so, why it can't be otherwise or that this is not proved, and the cure."""
    grids = ground.layers["grids"].table
    out = np.flatnonzero(grids["status"].isin(["above", "below"]))
    blocks = [b.heading(say("section.out"))]
    if not len(out):
        return [*blocks, b.text(say("out.none"))]
    found = grid_findings(ground)
    rows: list[list[Cell]] = []
    for row in out.tolist():
        own = found.get(str(grids["grid_id"].iloc[row]), [])
        texts = [finding_text(finding, ground.lang, ground.labels) for finding in own]
        sentences = " ".join(text for text, _ in texts)
        cures = " ".join(dict.fromkeys(cure for _, cure in texts if cure))
        reason = " ".join(dict.fromkeys(filter(None, (why_words(finding, say) for finding in own))))
        rows.append(
            [
                b.cell(str(grids["grid_id"].iloc[row]), bold=True),
                ground.community_of(row),
                say.number(float(grids["households"].iloc[row])) if "households" in grids else "",
                status_cell(ground, str(grids["status"].iloc[row])),
                f"{sentences} {reason}".strip(),
                cures,
            ]
        )
    head = [say(f"column.{c}") for c in ("grid", "community", "households", "status", "why", "cure")]
    return [*blocks, b.table(head, rows, (27, 24, 15, 20, 48, 46), "llrlll", small=True)]


def all_grids_blocks(ground: Ground, say: Say) -> list[Block]:
    """One row a grid, in the order of communities and codes."""
    grids = ground.layers["grids"].table
    names = ground.grid_names
    ids = grids["grid_id"].astype(str).tolist()
    order = sorted(range(len(ids)), key=lambda row: (ground.community_of(row), ids[row]))
    counts = [c for c in ("households", "residents", "buildings") if c in grids and grids[c].notna().any()]
    area = grids.get("area_m2", grids.geometry.area)
    numbers = {c: pd.to_numeric(grids[c], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for c in counts}
    rows: list[list[Cell]] = [
        [
            ids[row],
            names[row],
            ground.community_of(row),
            *(say.number(numbers[c][row]) for c in counts),
            say.number(float(area.iloc[row]) / 10_000, 1),
            status_cell(ground, str(grids["status"].iloc[row])),
        ]
        for row in order
    ]
    head = [say(f"column.{c}") for c in ("grid", "name", "community", *counts, "area", "status")]
    widths, align = (32, 36, 30, *[18] * len(counts), 20, 24), "lll" + "r" * len(counts) + "rl"
    if not any(names):
        rows, head, widths, align = (
            [r[:1] + r[2:] for r in rows],
            head[:1] + head[2:],
            widths[:1] + widths[2:],
            align[1:],
        )
    return [b.heading(say("section.grids")), b.table(head, rows, widths, align, small=True)]


def finding_blocks(ground: Ground, say: Say) -> list[Block]:
    """All findings but those about the band, gravest first."""
    table = ground.content.tables.get("findings")
    if table is None:
        return []
    others = table[~table["rule"].isin(_RULES_OF_BAND)]
    ordered = others.iloc[findings_in_order(others)]
    if not len(ordered):
        return []
    rows: list[list[Cell]] = [
        [ground.words[f"severity.{row['severity']}"], *finding_text(row, ground.lang, ground.labels)]
        for row in ordered.head(_SHOWN).to_dict("records")
    ]
    head = [say(f"column.{c}") for c in ("severity", "finding", "cure")]
    blocks = [b.heading(say("section.findings")), b.table(head, rows, (16, 92, 72), "lll", small=True)]
    left = len(ordered) - _SHOWN
    return [*blocks, b.text(say("more.findings", n=say.number(left)), small=True)] if left > 0 else blocks


def grid_findings(ground: Ground) -> dict[str, list[dict[str, Any]]]:
    """Findings about the band by the id of the grid they name first."""
    table = ground.content.tables.get("findings")
    out: dict[str, list[dict[str, Any]]] = {}
    if table is None:
        return out
    for row in table[table["rule"].isin(_RULES_OF_BAND)].to_dict("records"):
        ids = row["ids"] if isinstance(row["ids"], list | tuple) else []
        for own in ids[:1]:
            out.setdefault(str(own), []).append(row)
    return out


def why_words(finding: dict[str, Any], say: Say) -> str:
    """The certificate of a finding as a sentence: why the grid is out of the band, or that this is not proved."""
    try:
        proof = json.loads(finding.get("certificate") or "{}")
    except ValueError:
        return ""
    kind = str(proof.get("kind", ""))
    if not say.has(f"why.{kind}"):
        return ""
    return say(
        f"why.{kind}",
        total=say.number(float(proof.get("total", float("nan")))),
        weight=say.number(float(proof.get("atom_weight", proof.get("weight", float("nan"))))),
        atom=str(proof.get("atom", say("none"))),
        root=str(proof.get("root", say("none"))),
        n=say.number(len(proof.get("atoms", []))),
    )


def status_cell(ground: Ground, status: str) -> Cell:
    """The status in words on its colour."""
    known = status if status in STATUSES else "unknown"
    # what is as it should be needs no colour
    return b.cell(ground.words[f"status.{known}"], fill="" if known == "legal" else STATUS_COLOURS[known])
