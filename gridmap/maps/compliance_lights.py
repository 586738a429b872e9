"""Compliance on the map: for each grid, each community and the whole area what is met, and what is not in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.maps.classes import rate_theme
from gridmap.maps.columns import rows_of
from gridmap.view.compliance_table import requirements_of
from gridmap.view.compliance_words import requirement_words, unmet_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridmap.maps.layers import Content
    from gridmap.maps.sheet import Sheet

__all__ = ["compliance_theme", "said_compliance"]

_JUDGED = ("met", "partly", "not_met")
_ID_COLUMNS = {"grids": "grid_id", "communities": "community_id"}
# The whole area is one unit of this name.
_ALL = "all"


def said_compliance(sheet: Sheet, lang: str) -> dict[str, Any]:
    """By kind of unit, for each row how much is met and judged, and what is not met, in a language.

    Returns
    -------
    dict
        ``{"grids": {"met": [...], "judged": [...], "open": [...], "unmet": [[[requirement, what, severity], ...]]}}``,
        a list entry a row of that table; ``open`` counts what the data do not tell. Empty without a compliance table.
    """
    table = sheet.content.compliance
    if table is None:
        return {}
    words = [requirement_words(row, lang) for row in requirements_of(table).to_dict("records")]
    said = dict(zip(table["requirement_id"].unique(), words, strict=True))
    missing = table[table["status"].isin(("not_met", "partly"))]
    by_unit: dict[str, list[list[str]]] = {}
    # what is not there at all before what is there in part
    ordered = missing.iloc[np.argsort(missing["status"] == "partly", kind="stable")]
    for row in ordered.to_dict("records"):
        severity = "error" if row["status"] == "not_met" else "warning"
        entry = [said[row["requirement_id"]], unmet_words(row, lang), severity]
        by_unit.setdefault(str(row["unit_id"]), []).append(entry)
    counts = _counts(table)
    return {
        kind: {
            **{
                name: counts[name].reindex(ids, fill_value=0).astype(int).tolist() for name in ("met", "judged", "open")
            },
            "unmet": [by_unit.get(unit, []) for unit in ids],
        }
        for kind, ids in _units(sheet.content, set(counts.index)).items()
    }


def compliance_theme(sheet: Sheet, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """The theme that colours grids by the share of requirements they meet, or their community meets; none without."""
    table, grids = sheet.content.compliance, sheet.content.tables.get("grids")
    if table is None or grids is None:
        return []
    counts = _counts(table)
    share = (counts["met"] / counts["judged"]).where(counts["judged"] > 0)
    kinds = _units(sheet.content, set(counts.index))
    if "grids" in kinds:
        rates = share.reindex(kinds["grids"]).to_numpy()
    elif "communities" in kinds:
        owner = rows_of(grids.get("community_id"), sheet.content.tables["communities"], "community_id", len(grids))
        rates = np.append(share.reindex(kinds["communities"]).to_numpy(), np.nan)[owner]
    else:
        return []
    # a unit without a share is one of which nothing could be judged
    named = {**words, "class.no_households": words["class.not_judged"]}
    return [rate_theme("compliance", words["theme.compliance"], _floats(rates), named)]


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many requirements each unit meets, of how many judged, and how many are open."""
    status = table["status"]
    flags = pd.DataFrame({"met": status == "met", "judged": status.isin(_JUDGED), "open": status == "no_data"})
    return flags.groupby(table["unit_id"].astype(str), sort=False).sum()


def _units(content: Content, known: set[str]) -> dict[str, list[str]]:
    """Ids of the rows of the tables that the units are rows of.

    Raises
    ------
    OptionError
        When they are rows of none.
    """
    found: dict[str, list[str]] = {"city": [_ALL]} if known == {_ALL} else {}
    for kind, column in _ID_COLUMNS.items():
        table = content.tables.get(kind)
        if table is not None:
            ids = table[column].astype(str).tolist()
            if known & set(ids):
                found[kind] = ids
    if not found:
        raise OptionError(
            f"the units of the compliance table ({', '.join(sorted(known)[:3])}, ...) are no grids or communities of "
            "the map; give the plan or the communities it was counted by as well"
        )
    return found


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
