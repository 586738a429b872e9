"""Counts that do not add up: units to their building, buildings to their compound, community or grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.contracts import clean_ids
from gridmap.tables.findings import finding
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_totals"]

# Parts, wholes, and the column of the parts that names their whole.
_PAIRS = (
    ("units", "buildings", "building_id"),
    ("buildings", "compounds", "compound_id"),
    ("buildings", "grids", "grid_id"),
    ("buildings", "communities", "community_id"),
    ("buildings", "subdistricts", "subdistrict_id"),
    ("grids", "communities", "community_id"),
)


def check_totals(layers: Mapping[str, Layer], tolerances: Tolerances) -> list[dict[str, Any]]:
    """One finding for each whole that states other households than its parts add up to."""
    found = []
    for parts, wholes, column in _PAIRS:
        if parts in layers and wholes in layers:
            found += _differences(layers[parts], layers[wholes], column, tolerances)
    return found


def _differences(parts: Layer, wholes: Layer, column: str, tolerances: Tolerances) -> list[dict[str, Any]]:
    """Wholes without a count, or without any part, state nothing that could be wrong here."""
    if not all("households" in layer.table.columns for layer in (parts, wholes)):
        return []
    whole = _whole_of(parts, wholes, column)
    if whole is None:
        return []
    counts, stated = number_column(parts.table, "households"), number_column(wholes.table, "households")
    known = (whole >= 0) & np.isfinite(counts)
    members = np.bincount(whole[known], minlength=len(stated))
    total = np.bincount(whole[known], counts[known], minlength=len(stated))
    more = total - stated
    wrong = np.flatnonzero(np.isfinite(stated) & (members > 0) & (np.abs(more) > tolerances.households))
    guessed = _estimated(parts)
    found = []
    for i in wrong.tolist():
        side = "more" if more[i] > 0 else "fewer"
        found.append(
            finding(
                # an estimate is not meant to add up
                "info" if guessed else "warning", "total_differs",
                f"{wholes.name}: {wholes.ids[i]} states {stated[i]:,.0f} households; its {members[i]:,} {parts.name} "
                f"add up to {total[i]:,.0f}, {abs(more[i]):,.0f} {side}{' (estimated)' if guessed else ''}.",
                status=parts.name, ids=[wholes.ids[i]], geometry=wholes.shapes[i] if len(wholes.shapes) else None,
                certificate={
                    "table": wholes.name, "parts": parts.name, "stated": float(stated[i]), "sum": float(total[i]),
                    "difference": float(more[i]), "members": int(members[i]),
                },
                cure="Find the rows that are missing, doubled or out of date, or correct the total.",
            )
        )  # fmt: skip
    return found


def _whole_of(parts: Layer, wholes: Layer, column: str) -> NDArray[np.intp] | None:
    """Row of the whole that each part belongs to, by its key, else by where its point on surface lies; -1 for none."""
    by_key = np.full(len(parts.ids), -1, dtype=np.intp)
    if column in parts.table.columns and wholes.id_column is not None:
        index = pd.Index(clean_ids(wholes.table[wholes.id_column]))
        first = pd.Series(range(len(index)), index=index)[~index.duplicated()]
        keys = clean_ids(parts.table[column])
        by_key = keys.map(first).fillna(-1).to_numpy(dtype=np.intp)
        if keys.notna().all() or not len(parts.shapes):
            return by_key
    if not len(parts.shapes) or not len(wholes.shapes):
        return by_key if (by_key >= 0).any() else None
    rest = np.flatnonzero(by_key < 0)
    part, whole = shapely.STRtree(wholes.shapes).query(
        shapely.point_on_surface(parts.shapes[rest]), predicate="intersects"
    )
    order = np.lexsort((whole, part))
    which, first_at = np.unique(part[order], return_index=True)
    by_key[rest[which]] = whole[order[first_at]]
    return by_key


def _estimated(layer: Layer) -> bool:
    flags = layer.table.get("households_estimated")
    return flags is not None and bool(flags.fillna(value=False).astype(bool).any())
