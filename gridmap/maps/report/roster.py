"""Roster: the buildings of each grid with their households, and the nearest facilities, for all grids at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from gridmap.maps.columns import texts_in
from gridmap.maps.facts import rates_by
from gridmap.maps.served import nearest_of_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.maps.report.ground import Ground

__all__ = ["Nearest", "Roster", "nearest_by_grid", "rosters"]


class Roster(NamedTuple):
    """Buildings of one grid, numbered compound by compound and from north to south; arrays of the same length.

    `row` of the building in the layer; `number`, 0 for buildings without households, which come last; `label`, name or
    id; `households`, those in this grid where a building is split; `residents`, NaN where not known; `split`, whether
    the building lies in several grids.
    """

    row: NDArray[np.int64]
    number: NDArray[np.int64]
    label: NDArray[Any]
    households: NDArray[np.float64]
    residents: NDArray[np.float64]
    split: NDArray[np.bool_]

    @property
    def lived_in(self) -> int:
        """How many buildings have households."""
        return int(np.count_nonzero(self.number))


class Nearest(NamedTuple):
    """What is nearest to each grid by category, shape (grids, categories).

    `distance` and `facility` are those of `gridmap.maps.served.NearestOfUnits`; `rate` is the coverage rate;
    `facilities` are the names of all.
    """

    categories: list[str]
    facilities: list[str]
    distance: NDArray[np.float64]
    facility: NDArray[np.int64]
    rate: NDArray[np.float64]


def rosters(ground: Ground) -> list[Roster]:
    """The roster of each grid, in the order of the grids."""
    layer, assignment = ground.layers["buildings"], ground.content.plan.assignment
    table = layer.table
    ids = table["building_id"].astype(str)
    placed = assignment[assignment["grid_id"].notna()]
    parts = (
        pd.DataFrame(
            {
                "row": pd.Index(ids).get_indexer(pd.Index(placed["building_id"].astype(str))),
                "grid": pd.Index(ground.grid_ids).get_indexer(pd.Index(placed["grid_id"].astype(str))),
                "households": pd.to_numeric(placed["households"], errors="coerce").to_numpy(dtype=float),
            }
        )
        .groupby(["grid", "row"], as_index=False)
        .sum()
    )
    parts = parts[(parts["row"] >= 0) & (parts["grid"] >= 0)]
    split = parts["row"].duplicated(keep=False)
    rows = parts["row"].to_numpy()
    names = np.array([name or own for name, own in zip(texts_in(table, "name", ground.lang), ids, strict=True)])
    middle = shapely.get_coordinates(shapely.centroid(layer.shapes))
    compound = table["compound_id"].fillna("").astype(str) if "compound_id" in table else pd.Series("", table.index)
    parts = parts.assign(
        label=names[rows], split=split, compound=compound.to_numpy()[rows], x=middle[rows, 0], y=-middle[rows, 1],
        none=parts["households"] <= 0,
    )  # fmt: skip
    if "residents" in table and table["residents"].notna().any():
        known = pd.to_numeric(table["residents"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)[rows]
        parts["residents"] = np.where(split, np.nan, known)
    # rows of 25 m, as one reads a page
    parts["line"] = np.floor(parts["y"] / 25)
    ordered = parts.sort_values(["grid", "none", "compound", "line", "x", "row"], kind="stable")
    ordered["number"] = np.where(ordered["none"], 0, ordered.groupby("grid").cumcount() + 1)
    columns = {name: ordered[name].to_numpy() for name in Roster._fields if name in ordered}
    ends = np.searchsorted(ordered["grid"].to_numpy(), np.arange(len(ground.layers["grids"].table) + 1))
    none = np.full(len(ordered), np.nan)
    return [
        Roster(*(columns.get(name, none)[a:b] for name in Roster._fields))
        for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def nearest_by_grid(ground: Ground) -> Nearest | None:
    """What the households of each grid have to go to the nearest facility of each category; None without a cover."""
    cover, plan = ground.content.cover, ground.content.plan
    if cover is None:
        return None
    categories = [str(name) for name in cover.thresholds]
    found = nearest_of_units(cover, plan.assignment, ground.grid_ids)
    rates = rates_by(cover, plan, ground.grid_ids, categories)
    names = texts_in(cover.facilities, "name", ground.lang)
    return Nearest(categories, names, found.distance, found.facility, rates.rate)
