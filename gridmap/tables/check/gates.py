"""Compounds without gates, gates away from their wall, and gates of no known compound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.contracts import clean_ids
from gridmap.tables.findings import finding
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_gates"]


def check_gates(compounds: Layer, entrances: Layer, tolerances: Tolerances) -> list[dict[str, Any]]:
    """Findings on the gates (entrances of compounds) as the walking network would meet them."""
    if not {"of", "of_id"} <= set(entrances.table.columns) or not len(entrances.shapes):
        return []
    is_gate = (entrances.table["of"].astype(str).str.lower() == "compound").to_numpy(dtype=bool)
    gates = np.flatnonzero(is_gate)
    owner_ids = clean_ids(entrances.table["of_id"]).to_numpy(dtype=object)[gates]
    first = pd.Series(range(len(compounds.ids)), index=compounds.ids)
    owner = pd.Series(owner_ids).map(first[~first.index.duplicated()]).fillna(-1).to_numpy(dtype=np.intp)
    lonely = np.flatnonzero(np.bincount(owner[owner >= 0], minlength=len(compounds.ids)) == 0)
    found = []
    if len(lonely):
        households = float(np.nansum(number_column(compounds.table, "households")[lonely]))
        found.append(
            finding(
                "info", "compound_without_gates",
                f"{len(lonely):,} compounds have no known gate; their walls do not count, so people leave them "
                "anywhere.",
                ids=compounds.ids[lonely], geometry=shapely.union_all(compounds.shapes[lonely]),
                certificate={"table": compounds.name, "rows": len(lonely), "households": households},
                cure="Give their gates in `entrances` (of = compound, of_id = their id).",
            )
        )  # fmt: skip
    stray = gates[owner < 0]
    if len(stray):
        found.append(
            finding(
                "warning", "gate_without_compound",
                f"{len(stray):,} gates name a compound that is not in {compounds.name}.",
                ids=entrances.ids[stray], geometry=shapely.union_all(entrances.shapes[stray]),
                certificate={"table": entrances.name, "rows": len(stray)},
                cure="Correct `of_id`, or add the compound.",
            )
        )  # fmt: skip
    known = owner >= 0
    off = shapely.distance(entrances.shapes[gates[known]], shapely.boundary(compounds.shapes[owner[known]]))
    away = np.flatnonzero(off > tolerances.border_metres)
    if len(away):
        rows = gates[known][away]
        found.append(
            finding(
                "warning", "gate_away_from_wall",
                f"{len(rows):,} gates lie more than {tolerances.border_metres:g} m from the wall of their compound, "
                f"the farthest {off[away].max():,.1f} m.",
                ids=entrances.ids[rows], geometry=shapely.union_all(entrances.shapes[rows]),
                certificate={
                    "table": entrances.name, "rows": len(rows),
                    "distance_m": dict(zip(entrances.ids[rows].tolist(), off[away].round(2).tolist(), strict=True)),
                },
                cure="Correct their places, or the outline of the compound.",
            )
        )  # fmt: skip
    return found
