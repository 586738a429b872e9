"""Households on buildings that nobody lives in, by their use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.tables.check.layers import numbers
from gridmap.tables.findings import finding
from gridmap.tables.households.uses import is_non_residential

if TYPE_CHECKING:
    from gridmap.tables.check.layers import Layer

__all__ = ["check_uses"]


def check_uses(buildings: Layer) -> list[dict[str, Any]]:
    """One finding a use, with all its buildings that have households; uses are those of `estimate_households`."""
    if not {"use", "households"} <= set(buildings.table.columns):
        return []
    households = np.nan_to_num(numbers(buildings.table, "households"))
    rows = np.flatnonzero(is_non_residential(buildings.table) & (households > 0))
    use = buildings.table["use"].to_numpy(dtype=object)[rows].astype(str)
    found = []
    for word in np.unique(use).tolist():
        own = rows[use == word]
        total = float(households[own].sum())
        place = shapely.union_all(shapely.point_on_surface(buildings.shapes[own])) if len(buildings.shapes) else None
        found.append(
            finding(
                "warning", "households_not_residential",
                f"{buildings.name}: {total:,.0f} households are in {len(own):,} with the use {word}.",
                status=word, ids=buildings.ids[own], geometry=place,
                certificate={"table": buildings.name, "use": word, "rows": len(own), "households": total},
                cure="Correct the use or the households; if people do live there, name that use residential.",
            )
        )  # fmt: skip
    return found
