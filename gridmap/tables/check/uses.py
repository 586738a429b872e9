"""Households on buildings that nobody lives in, by their use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.findings import finding
from gridmap.tables.households.uses import is_non_residential
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from gridmap.tables.check.layers import Layer

__all__ = ["check_uses"]


# Uses that a message names; the certificate has them all.
_NAMED = 3


def check_uses(buildings: Layer) -> list[dict[str, Any]]:
    """One finding with all these buildings and their uses, the most households first; uses as `estimate_households`."""
    if not {"use", "households"} <= set(buildings.table.columns):
        return []
    households = np.nan_to_num(number_column(buildings.table, "households"))
    rows = np.flatnonzero(is_non_residential(buildings.table) & (households > 0))
    if not len(rows):
        return []
    by_use = pd.Series(households[rows]).groupby(buildings.table["use"].astype(str).to_numpy()[rows]).sum()
    uses = {str(use): float(count) for use, count in by_use.sort_values(ascending=False, kind="stable").items()}
    named = [f"{use} ({count:,.0f})" for use, count in list(uses.items())[:_NAMED]]
    more = [f"{len(uses) - _NAMED} more uses"] if len(uses) > _NAMED else []
    total = float(households[rows].sum())
    place = shapely.union_all(shapely.point_on_surface(buildings.shapes[rows])) if len(buildings.shapes) else None
    return [
        finding(
            "warning", "households_not_residential",
            f"{buildings.name}: {total:,.0f} households are in {len(rows):,} buildings of uses that nobody lives in: "
            f"{', '.join([*named, *more])}.",
            status=buildings.name, ids=buildings.ids[rows], geometry=place,
            certificate={"table": buildings.name, "uses": uses, "rows": len(rows), "households": total},
            cure="Correct the use or the households; if people do live there, name that use residential.",
        )
    ]  # fmt: skip
