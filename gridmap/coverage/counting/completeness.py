"""Completeness: how many of n categories a household reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.counting.rates import weights_of
from gridmap.coverage.counting.units import find_units

if TYPE_CHECKING:
    from gridmap.coverage.counting.cover import Cover

__all__ = ["complete_cover"]


def complete_cover(cover: Cover, by: Any = None, weight: str = "households") -> pd.DataFrame:
    """Completeness by building or by unit; see `Cover.completeness`."""
    # with combined rules these are what there is to be met
    met = cover.met[:, len(cover.thresholds) :] if cover.rules is not None else cover.covered
    reached, categories = met.sum(axis=1), met.shape[1]
    counts, _ = weights_of(cover.buildings, weight)
    if by is None:
        return pd.DataFrame(
            {
                "building_id": cover.buildings["building_id"].to_numpy(),
                weight: counts,
                "reached": reached,
                "categories": categories,
                "share": reached / max(categories, 1),
            }
        )
    units = find_units(by, cover.buildings, cover.facilities)
    # one column a number of categories reached, 0 ... n
    spread = units.total(counts[:, None] * (reached[:, None] == np.arange(categories + 1)))
    total = spread.sum(axis=1)
    safe = np.where(total > 0, total, np.nan)
    table = pd.DataFrame(
        {
            "unit_id": units.ids,
            "total": total,
            "categories": categories,
            "mean": spread @ np.arange(categories + 1) / safe,
            "all": spread[:, -1],
            "all_rate": spread[:, -1] / safe,
        }
    )
    return table.join(pd.DataFrame(spread, columns=[f"reach_{n}" for n in range(categories + 1)]))
