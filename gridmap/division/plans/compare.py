"""The crosswalk between two plans: where the households of each old grid are in the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridmap.division.plans.plan_arrays import text_ids

if TYPE_CHECKING:
    from gridmap.division.plans.plan import GridPlan

__all__ = ["crosswalk"]

_KEY = ["building_id", "unit_id"]
_COLUMNS = ("grid_from", "grid_to", "households", "households_before", "buildings", "share", "moved")


def crosswalk(old: GridPlan, new: GridPlan) -> pd.DataFrame:
    """Each pair of an old and a new grid with buildings in common.

    Parameters
    ----------
    old, new
        Two plans; buildings (and units, where a building is split) are matched by id.

    Returns
    -------
    DataFrame
        One row a pair, sorted; missing `grid_from`: new buildings, or ones that were in no grid; missing `grid_to`:
        buildings that are gone, or are in no grid. ``households`` as the new plan counts them, ``households_before``
        as the old one did, ``buildings``, ``share`` (of the households the old grid had, by its own count), ``moved``
        (whether they are in a grid of another id now). ``.attrs["summary"]`` counts: households, households_moved,
        share_moved, buildings_moved, grids_untouched, grids_changed (the same id, other buildings), grids_new,
        grids_gone.
    """
    pairs = _matched(_rows(old), _rows(new))
    table = pairs.groupby(["grid_from", "grid_to"], dropna=False, sort=True).agg(
        households=("households", "sum"), households_before=("before", "sum"), buildings=("building_id", "nunique")
    )
    table = table.reset_index()
    total = table.groupby("grid_from")["households_before"].transform("sum")
    table["share"] = table["households_before"] / total.where(total > 0)
    both = table["grid_from"].notna() & table["grid_to"].notna()
    table["moved"] = both & (table["grid_from"] != table["grid_to"])
    table = table[list(_COLUMNS)]
    table.attrs["summary"] = _summary(old, new, table, pairs)
    return table


def _rows(plan: GridPlan) -> pd.DataFrame:
    rows = plan.assignment
    table = pd.DataFrame({c: text_ids(rows[c]) for c in (*_KEY, "grid_id")}, dtype=object)
    table["unit_id"] = table["unit_id"].where(table["unit_id"].notna(), "")
    return table.assign(households=rows["households"].to_numpy(np.float64))


def _matched(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand for the same households: building_id, grid_from, grid_to, before, households.

    Where a building is whole in one plan and split in the other, or split otherwise, its households are shared out.
    """
    old = old.rename(columns={"grid_id": "grid_from", "households": "before"})
    new = new.rename(columns={"grid_id": "grid_to"})
    exact = old.merge(new, on=_KEY)
    old, new = (_without(rows, exact) for rows in (old, new))
    crossed = old.assign(part=_part(old, "before")).merge(
        new.assign(other_part=_part(new, "households")), on="building_id"
    )
    crossed["before"] *= crossed["other_part"]
    crossed["households"] *= crossed["part"]
    gone, come = (rows[~rows["building_id"].isin(crossed["building_id"])] for rows in (old, new))
    out = pd.concat([exact, crossed, gone.assign(households=0.0), come.assign(before=0.0)], ignore_index=True)
    return out.reindex(columns=["building_id", "grid_from", "grid_to", "before", "households"])


def _without(rows: pd.DataFrame, matched: pd.DataFrame) -> pd.DataFrame:
    found = pd.MultiIndex.from_frame(rows[_KEY]).isin(pd.MultiIndex.from_frame(matched[_KEY]))
    return rows[~found]


def _part(rows: pd.DataFrame, column: str) -> pd.Series:
    """Share of its building that each row holds: by households, or even where there are none."""
    by = rows.groupby("building_id")[column]
    total = by.transform("sum")
    return (rows[column] / total.where(total > 0)).fillna(1 / by.transform("size"))


def _summary(old: GridPlan, new: GridPlan, table: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, float | int]:
    moved = table["moved"]
    before, after = set(old.grids["grid_id"]), set(new.grids["grid_id"])
    # a grid has changed when a building came or went
    other = table["grid_from"].astype(object).fillna("") != table["grid_to"].astype(object).fillna("")
    stirred = set(table.loc[other, "grid_from"].dropna()) | set(table.loc[other, "grid_to"].dropna())
    went = pairs["grid_from"].notna() & pairs["grid_to"].notna() & (pairs["grid_from"] != pairs["grid_to"])
    households = float(table["households"].sum())
    return {
        "households": households,
        "households_moved": float(table.loc[moved, "households"].sum()),
        "share_moved": float(table.loc[moved, "households"].sum()) / households if households else 0.0,
        "buildings_moved": int(pairs.loc[went, "building_id"].nunique()),
        "grids_untouched": len((before & after) - stirred),
        "grids_changed": len(before & after & stirred),
        "grids_new": len(after - before),
        "grids_gone": len(before - after),
    }
