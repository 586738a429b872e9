"""Facts: the numbers of the side panel, taken from the tables; the page shows them and computes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover
    from gridmap.maps.layers import Content

__all__ = [
    "RATE_DIGITS",
    "Rates",
    "city_facts",
    "community_facts",
    "grid_facts",
    "ranks_within",
    "rates_by",
    "reach_codes",
]

#: Digits that a page holds of a share. It shows one of the per cent: to round before, to a few more than that, moves
#: shares such as 10.34998 % to the next one.
RATE_DIGITS = 9
#: Codes of one building and category in the page: minutes in tenths, plus NOT_COVERED where it is not covered.
NOT_COVERED = 0x8000
_NO_ROW, _UNSNAPPED, _UNREACHABLE = 0x7FFF, 0xFFFE, 0xFFFF
_LONGEST = 0x7FFD


class Rates:
    """Coverage of some units as matrices (units, categories): households in all, covered, and institutions."""

    def __init__(self, units: Sequence[str], categories: Sequence[str], table: pd.DataFrame) -> None:
        shape = (len(units), len(categories))
        self.total, self.covered, self.rate = (np.full(shape, np.nan) for _ in range(3))
        self.facilities = np.full(shape, np.nan)
        row = pd.Index(units).get_indexer(pd.Index(table["unit_id"].astype(str)))
        column = pd.Index(categories).get_indexer(pd.Index(table["category"].astype(str)))
        known = (row >= 0) & (column >= 0)
        for name in ("total", "covered", "rate", "facilities"):
            if name in table:
                values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
                getattr(self, name)[row[known], column[known]] = values[known]

    def summed(self, groups: NDArray[np.int64], count: int, units: Sequence[str]) -> Rates:
        """Rates of larger units that are made of these, whole: totals and covered households add up."""
        columns = self.total.shape[1]
        out = Rates(units, [str(i) for i in range(columns)], pd.DataFrame({"unit_id": [], "category": []}))
        known = groups >= 0
        for name in ("total", "covered", "facilities"):
            sums = np.zeros((count, columns))
            values = getattr(self, name)[known]
            np.add.at(sums, groups[known], np.nan_to_num(values))
            missing = np.zeros((count, columns), dtype=bool)
            np.logical_or.at(missing, groups[known], np.isnan(values))
            setattr(out, name, np.where(missing, np.nan, sums))
        out.rate = np.divide(out.covered, out.total, out=np.full(out.total.shape, np.nan), where=out.total > 0)
        return out

    def columns(self) -> dict[str, list[list[float | None]]]:
        """The matrices as lists by category, missing values as None."""
        return {
            name: [listed(values, RATE_DIGITS if name == "rate" else 4) for values in getattr(self, name).T]
            for name in ("total", "covered", "rate", "facilities")
        }


def rates_by(cover: Any, by: Any, units: Sequence[str], categories: Sequence[str]) -> Rates:
    """Coverage of named units, as the cover counts it.

    Parameters
    ----------
    by
        What `Cover.rate` takes; None is the whole area, one unit.
    """
    table = cover.rate(by=by)
    if by is None:
        table = table.assign(unit_id=units[0])
    return Rates(units, categories, table)


def city_facts(content: Content, lower: float, upper: float) -> dict[str, Any]:
    """Totals of the whole area: only those that the tables hold."""
    facts: dict[str, Any] = {}
    grids, buildings = content.tables.get("grids"), content.tables.get("buildings")
    communities = content.tables.get("communities")
    counted = grids if grids is not None and "households" in grids else buildings
    if counted is not None and "households" in counted:
        facts["households"] = _sum(counted["households"])
        facts["estimated"] = is_estimated(content)
    if counted is not None and "residents" in counted and counted["residents"].notna().any():
        facts["residents"] = _sum(counted["residents"])
    if communities is not None:
        facts["communities"] = len(communities)
    if grids is not None:
        facts["grids"] = len(grids)
        status = grids["status"].astype(str)
        facts["statuses"] = status.value_counts().to_dict()
        judged = int(status.isin(["legal", "above", "below"]).sum())
        facts["in_band"], facts["judged"] = int((status == "legal").sum()), judged
        facts["in_band_share"] = facts["in_band"] / judged if judged else None
        facts["lower"], facts["upper"] = lower, upper
    ground = grids if grids is not None else communities
    if ground is not None:
        facts["area_m2"] = float(areas(ground).sum())
    if buildings is not None:
        facts["buildings"] = len(buildings)
    if "facilities" in content.tables:
        facts["facilities"] = len(content.tables["facilities"])
    return facts


def grid_facts(grids: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    """Columns of numbers of the grids: households, residents, area, density, buildings."""
    area = grids["area_m2"].to_numpy(dtype=float) if "area_m2" in grids else areas(grids)
    return _unit_facts(grids, area)


def ranks_within(values: Any, groups: NDArray[np.int64]) -> list[int | None]:
    """Place of each value in its group, 1 for the largest, equal ones alike; None without value or group."""
    table = pd.DataFrame({"value": np.asarray(values, dtype=float), "group": groups})
    rank = table.groupby("group")["value"].rank(method="min", ascending=False)
    return listed(rank.where(table["group"] >= 0))


def community_facts(
    communities: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None, owner: NDArray[np.int64] | None
) -> dict[str, list[Any]]:
    """Columns of numbers of the communities; households and residents are the sums of their grids where there are any.

    Parameters
    ----------
    owner
        Row of the community of each grid, -1 for none.
    """
    table = communities
    if grids is not None and owner is not None:
        sums = {}
        for column in ("households", "residents", "buildings"):
            if column in grids:
                values = pd.to_numeric(grids[column], errors="coerce").groupby(owner).sum(min_count=1)
                sums[column] = values.reindex(range(len(communities))).to_numpy()
        sums["grids"] = np.bincount(owner[owner >= 0], minlength=len(communities))
        legal = (grids["status"] == "legal").to_numpy()
        sums["in_band"] = np.bincount(owner[(owner >= 0) & legal], minlength=len(communities))
        table = communities.assign(**sums)
    facts = _unit_facts(table, areas(communities))
    for column in ("grids", "in_band"):
        if column in table:
            facts[column] = listed(table[column].to_numpy(dtype=float))
    return facts


def reach_codes(cover: Cover, buildings: pd.Index, facilities: pd.Index, categories: Sequence[str]) -> list[Any]:
    """By category: the code of each building (see `NOT_COVERED`) and the row of its nearest facility plus one.

    Parameters
    ----------
    cover
        Who reaches what; only the nearest facility is shown.
    buildings, facilities
        Ids in the order of the page.
    """
    row = pd.Index(cover.buildings["building_id"].astype(str)).get_indexer(buildings)
    known = row >= 0
    # the last entry is what the row -1 finds
    shown = np.append(facilities.get_indexer(pd.Index(cover.facilities["facility_id"].astype(str))) + 1, 0)
    names = [str(name) for name in cover.thresholds]
    out = []
    for category in categories:
        code = np.full(len(buildings), _NO_ROW, dtype=np.int64)
        nearest = np.zeros(len(buildings), dtype=np.int64)
        if category in names:
            column, rows = names.index(category), row[known]
            facility = cover.nearest.facility[rows, column, 0]
            found = facility >= 0
            minutes = np.where(found, cover.nearest.minutes[rows, column, 0], 0)
            values = np.clip(np.rint(minutes * 10), 0, _LONGEST).astype(np.int64)
            values += np.where(cover.covered[rows, column], 0, NOT_COVERED)
            values[~found] = _UNREACHABLE
            values[~cover.snapped[rows]] = _UNSNAPPED
            code[known] = values
            nearest[known] = shown[facility]
        out.append((code, nearest))
    return out


def is_estimated(content: Content) -> bool:
    """Whether any household number of the page is an estimate."""
    tables = [*content.tables.values(), getattr(content.cover, "buildings", None)]
    flags = [t["households_estimated"] for t in tables if t is not None and "households_estimated" in t]
    return any(bool(flag.fillna(value=False).astype(bool).any()) for flag in flags)


def areas(table: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Areas in m² on the ellipsoid's plane that fits the data."""
    from gridmap.tables.crs import to_metric

    return np.asarray(to_metric(table).geometry.area, dtype=float)


def listed(values: Any, digits: int | None = None) -> list[Any]:
    """Numbers as a list for JSON: whole ones without a point, missing ones as None."""
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if digits is not None:
        numbers = np.round(numbers, digits)
    finite = np.isfinite(numbers)
    whole = finite & (numbers == np.floor(numbers))
    out = numbers.astype(object)
    out[whole] = numbers[whole].astype(np.int64)
    out[~finite] = None
    return out.tolist()


def _unit_facts(table: pd.DataFrame, area: NDArray[np.float64]) -> dict[str, list[Any]]:
    facts = {"area_m2": listed(area, 1)}
    for column in ("households", "residents", "buildings"):
        if column in table:
            facts[column] = listed(table[column], 2)
    if "households" in table:
        households = pd.to_numeric(table["households"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        density = np.divide(households * 10_000, area, out=np.full(len(area), np.nan), where=area > 0)
        facts["density"] = listed(density, 1)
    return facts


def _sum(values: pd.Series) -> float:
    total = float(pd.to_numeric(values, errors="coerce").sum())
    return int(total) if total.is_integer() else round(total, 2)
