"""How far off the estimates are: known households are hidden, estimated, and compared."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.households.estimate import estimate_households
from gridmap.tables.number_column import number_column

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["household_error"]

# Lower ends of the classes of size, in households a building.
_CLASSES = (0, 1, 10, 30, 100, 300)
_NEAR = 0.2


def household_error(buildings: gpd.GeoDataFrame, *, folds: int = 5, seed: int = 0, **options: Any) -> pd.DataFrame:
    """Error of `estimate_households`, measured on the buildings whose households are known.

    Their households are hidden, one fold after the other, estimated with the same `options` as the others would be, and
    compared with what was known.

    Parameters
    ----------
    buildings
        With `households`, known for at least `folds` buildings; others take part as they do in the estimate.
    folds
        Into how many parts the known buildings are dealt. 1 hides all of them at once: the error where nothing but
        zones is known.
    seed
        Of the dealing; the same for any order of rows.
    options
        Of `estimate_households`, for example `zones`.

    Returns
    -------
    DataFrame
        One row ``"all"`` and one for each class of size (known households a building), with ``buildings``,
        ``households`` (known), ``estimated``, ``mae`` and ``bias`` (mean of the absolute, and of the signed error,
        households a building), and ``within_20`` (share of buildings within ±20 %).

    Raises
    ------
    OptionError
        When fewer buildings than `folds` have households.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> houses = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 20]},
    ...     geometry=[box(0, 0, 110, 10), box(0, 20, 110, 30)], crs=32650,
    ... )
    >>> household_error(houses, folds=2).loc["all", ["estimated", "mae", "bias", "within_20"]].tolist()
    [60.0, 5.0, 5.0, 0.5]
    """
    table = check_table(buildings, "buildings").reset_index(drop=True)
    if "overwrite" in options:
        raise OptionError("household_error hides what is known by itself: leave overwrite= out")
    known = number_column(table, "households")
    with_count = np.flatnonzero(np.isfinite(known))
    if folds < 1 or len(with_count) < folds:
        raise OptionError(f"folds={folds!r}: {len(with_count)} buildings have households; give 1 to as many folds")
    by_id = with_count[np.argsort(table["building_id"].to_numpy(dtype=str)[with_count], kind="stable")]
    dealt = np.random.default_rng(seed).permutation(by_id)
    estimated = np.full(len(table), np.nan)
    for hidden in np.array_split(dealt, folds):
        counts = known.copy()
        counts[hidden] = np.nan
        done = estimate_households(table.assign(households=counts), **options)
        estimated[hidden] = done["households"].to_numpy()[hidden]
    out = _by_class(known[with_count], estimated[with_count])
    out.attrs["folds"], out.attrs["seed"] = folds, seed
    return out


def _by_class(known: np.ndarray, estimated: np.ndarray) -> pd.DataFrame:
    off = estimated - known
    near = np.abs(off) <= _NEAR * known
    size = np.searchsorted(_CLASSES, known, side="right") - 1
    names = [f"{a}-{b - 1}" if b - a > 1 else str(a) for a, b in pairwise(_CLASSES)]
    names.append(f"{_CLASSES[-1]}+")
    rows = {"all": np.ones(len(known), dtype=bool), **{name: size == i for i, name in enumerate(names)}}
    measures = {
        name: (
            int(which.sum()), known[which].sum(), estimated[which].sum(), np.abs(off[which]).mean(), off[which].mean(),
            near[which].mean(),
        )
        for name, which in rows.items()
        if which.any()
    }  # fmt: skip
    columns = ["buildings", "households", "estimated", "mae", "bias", "within_20"]
    return pd.DataFrame.from_dict(measures, orient="index", columns=columns).rename_axis("known_households")
