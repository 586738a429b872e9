"""Bands: what each grid counts, and between which limits it is to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Bands", "bands_of"]


class Bands(NamedTuple):
    """By grid, float64 (n,): what is counted (NaN where unknown), the lower limit, and the upper one or infinity.

    `differ` says whether there are several bands, or one that counts something else than households; `counted` names
    what each grid counts.
    """

    held: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    counted: NDArray[Any]
    differ: bool


def bands_of(grids: gpd.GeoDataFrame, lower: float, upper: float, unit: str = "households") -> Bands:
    """The bands of a table of grids.

    Parameters
    ----------
    grids
        Where it has `lower`, `upper` and `counted`, these hold; else one band holds for all.
    lower, upper
        That one band.
    unit
        The column that is counted.
    """
    n = len(grids)
    column = unit if unit in grids else "households"
    held = _numbers(grids[column]) if column in grids else np.full(n, np.nan)
    if "lower" not in grids or "upper" not in grids:
        same = np.full(n, lower, dtype=float), np.full(n, upper, dtype=float)
        return Bands(held, *same, np.full(n, column, dtype=object), differ=column != "households")
    low, high = _numbers(grids["lower"]), np.nan_to_num(_numbers(grids["upper"]), nan=np.inf)
    counted = grids["counted"] if "counted" in grids else pd.Series(column, index=grids.index)
    table = pd.DataFrame({"low": low, "high": high, "counted": counted.to_numpy(dtype=object)})
    differ = len(table.drop_duplicates()) > 1 or bool((table["counted"] != "households").any())
    return Bands(held, low, high, table["counted"].to_numpy(dtype=object), differ)


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))
