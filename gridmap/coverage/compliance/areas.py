"""Areas: some requirements hold in new areas alone, or inside a ring; which a unit is in, only the caller can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import clean_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["applies_here"]


def applies_here(
    applies_to: str, areas: str | Mapping[str, str] | pd.Series | None, ids: list[str]
) -> NDArray[np.float64]:
    """1 where a requirement applies, 0 where not, NaN where nobody says what the unit is.

    Parameters
    ----------
    applies_to
        Where the requirement applies, empty: everywhere.
    areas
        What all units are, or each by its id: ``"new"``, ``"built"``, or several parted by ``|``.
    ids
        The units.

    Raises
    ------
    OptionError
        When `areas` is none of these.
    """
    if not applies_to:
        return np.ones(len(ids))
    if areas is None:
        return np.full(len(ids), np.nan)
    if isinstance(areas, str):
        return np.full(len(ids), float(applies_to in _parts(areas)))
    if not isinstance(areas, Mapping | pd.Series):
        raise OptionError(
            f"areas is a text such as 'built', or a text for each unit by its id, not {type(areas).__name__}"
        )
    given = pd.Series(areas)
    keys = clean_ids(pd.Series(given.index))
    said = {str(key): text for key, text in zip(keys, given.tolist(), strict=True)}
    texts = [said.get(unit) for unit in ids]
    return np.array([np.nan if pd.isna(text) or not text else float(applies_to in _parts(str(text))) for text in texts])


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split("|")}
