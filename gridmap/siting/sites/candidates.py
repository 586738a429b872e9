"""Candidates: where something may be built, from whatever table holds such places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table, clean_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Candidates", "amounts_by_site", "read_candidates", "rows_of_ids"]

#: The id of a candidate is the first of these columns that the table has: what it is before what it belongs to.
ID_COLUMNS = ("facility_id", "candidate_id", "site_id", "parcel_id", "atom_id", "building_id", "compound_id", "id")
# More ids than this in a message help nobody.
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places on which something may be built, and which of them are one site.

    Attributes
    ----------
    table
        One row a place: ``facility_id``, all other columns as given, and the geometry.
    site
        Row of the site of each place; a site with several places opens them together.
    ids
        Id of each site.
    left_out
        Ids of places that are marked for other categories.
    """

    table: gpd.GeoDataFrame
    site: NDArray[np.int64]
    ids: NDArray[np.object_]
    left_out: list[str]

    def __len__(self) -> int:
        return len(self.ids)


def read_candidates(candidates: Any, categories: list[str], together: str | None = None) -> Candidates:
    """The candidates of a table, or the atoms of a plan.

    Parameters
    ----------
    candidates
        Facilities, shops, parcels, compounds, buildings: points or polygons with an id, the first column of
        `ID_COLUMNS`; or a plan, whose every atom is one.
    categories
        What is to be built. Rows whose status is ``"candidate"`` are meant for their own category alone; they are left
        out when there are others.
    together
        A column whose rows of one value are one site with several places.

    Raises
    ------
    OptionError
        When there is no candidate, no id, or no such column.
    TableError
        When an id is repeated or empty, or a geometry is wrong.
    """
    table = getattr(candidates, "atoms", candidates)
    if not isinstance(table, gpd.GeoDataFrame):
        raise OptionError(
            f"candidates must be a GeoDataFrame of places, or a GridPlan, not {type(candidates).__name__}."
        )
    if not len(table):
        raise OptionError("there is no candidate; give at least one place to build on.")
    column = next((c for c in ID_COLUMNS if c in table.columns), None)
    if column is None:
        raise OptionError(
            f"candidates have no id; call the column that names each place one of {', '.join(ID_COLUMNS)}."
        )
    own = table if column == "facility_id" else table.assign(facility_id=table[column])
    places = check_table(own, "candidates")
    if places.geometry.name != "geometry":
        places = places.rename_geometry("geometry")
    meant = _meant_for(places, categories)
    left_out = places.loc[~meant, "facility_id"].tolist()
    places = places[meant].reset_index(drop=True)
    if together is None:
        return Candidates(places, np.arange(len(places)), places["facility_id"].to_numpy(dtype=object), left_out)
    if together not in places.columns:
        raise OptionError(
            f"together={together!r} is no column of candidates; name the one that says which are one site."
        )
    named = clean_ids(places[together])
    # a place that belongs to none is a site of its own
    key = named.fillna(places["facility_id"])
    site, ids = pd.factorize(key)
    return Candidates(places, site.astype(np.int64), np.asarray(ids, dtype=object), left_out)


def _meant_for(places: gpd.GeoDataFrame, categories: list[str]) -> NDArray[np.bool_]:
    """Which places may take the categories; all where none is marked for them and none is free."""
    every = np.ones(len(places), dtype=np.bool_)
    if "status" not in places.columns or "category" not in places.columns:
        return every
    marked = places["status"].astype(object).eq("candidate").to_numpy() & places["category"].notna().to_numpy()
    meant = ~marked | places["category"].isin(categories).to_numpy()
    return meant if meant.any() else every


def amounts_by_site(candidates: Candidates, given: Any, option: str) -> NDArray[np.float64]:
    """What each site costs or holds: one number, a column of candidates, or a Series by id of the site.

    The places of one site add up.

    Raises
    ------
    OptionError
        When there is no such column, or a value is missing, negative or no number.
    """
    table, count = candidates.table, len(candidates)
    if isinstance(given, pd.Series):
        by_id = pd.Series(pd.to_numeric(given, errors="coerce").to_numpy(), index=clean_ids(pd.Series(given.index)))
        values = by_id.reindex(pd.Index(candidates.ids)).to_numpy(dtype=np.float64)
    elif isinstance(given, str):
        if given not in table.columns:
            names = ", ".join(str(c) for c in table.columns if c != "geometry")
            raise OptionError(f"{option}={given!r} is no column of candidates; there are: {names}.")
        each = pd.to_numeric(table[given], errors="coerce").to_numpy(dtype=np.float64)
        values = np.bincount(candidates.site, weights=each, minlength=count)
    elif isinstance(given, int | float | np.number) and not isinstance(given, bool):
        values = np.full(count, float(given))
    else:
        raise OptionError(f"{option} must be a number, a column of candidates or a Series by id, not {given!r}.")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise OptionError(
            f"{option} is missing or no number of 0 or more for {wrong.sum():,} of {count:,} candidates: "
            f"{', '.join(map(str, candidates.ids[wrong][:_SHOWN]))}. Fill it in, or leave them out."
        )
    return values


def rows_of_ids(candidates: Candidates, ids: Iterable[object] | None) -> NDArray[np.bool_]:
    """Which sites some ids name.

    Raises
    ------
    OptionError
        When an id is not among the candidates.
    """
    chosen = np.zeros(len(candidates), dtype=np.bool_)
    if ids is None:
        return chosen
    names = clean_ids(pd.Series([ids] if isinstance(ids, str) else list(ids), dtype=object))
    rows = pd.Index(candidates.ids).get_indexer(pd.Index(names))
    unknown = names[rows < 0].tolist()
    if unknown:
        raise OptionError(f"fixed: {len(unknown)} ids are not among the candidates: {', '.join(unknown[:_SHOWN])}.")
    chosen[rows] = True
    return chosen
