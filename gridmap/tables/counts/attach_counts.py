"""Counts joined to buildings: by id, by compound and number, by likeness of the compound's name; totals conserved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import GridmapError, OptionError
from gridmap.tables.contracts import check_table, clean_ids
from gridmap.tables.counts.listed import known_buildings, listed_rows
from gridmap.tables.counts.matching import REASONS, match_buildings, match_compounds
from gridmap.tables.counts.names import compound_name, each, unit_number
from gridmap.tables.counts.spread import spread
from gridmap.tables.crs import to_metric
from gridmap.tables.findings import AttachedFindings, AttachedTable, finding, findings_table
from gridmap.tables.households.uses import is_non_residential
from gridmap.tables.number_column import number_column
from gridmap.tables.typed_numbers import number_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["attach_counts"]

# From the surest to the least sure.
_HOW = ("id", "exact", "normalised", "shared", "fuzzy")
_SHOWN = 20


def attach_counts(
    buildings: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    *,
    on: Mapping[str, str] | str | None = None,
    totals: Mapping[str, float | str] | pd.Series | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    names: Mapping[str, str] | None = None,
    minimum_score: float = 82.0,
    margin: float = 8.0,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give buildings the households of a list that has no coordinates.

    Rows of one building (its units, as a rule) are summed. A row with a compound and no number is a total, shared out
    over the compound's buildings in whole households: by dwellings where all have them, else by floor area, footprint
    × floors, footprint, or alike; buildings that nobody lives in get none. What is not certain is not attached.

    Parameters
    ----------
    buildings
        Points or polygons with building_id, and what the list names them by: see `names`.
    counts
        The list, one row a building, a unit, or a compound, as `gridmap.read_counts` reads it. Numbers typed as text
        (1,020户, 约30, １２) are read as in any file.
    on
        Not needed for columns that are called as below.
        ``"id"`` for columns building_id and households (and unit_id); or the list's columns by what they say:
        ``building_id``, ``compound``, ``building`` (its number), ``unit``, ``name`` (all in one, such as
        阳光花园3号楼2单元), ``community``, ``households`` (by default the column of that name).
    totals
        Stated totals by name of compound or community. Where the list says otherwise, that is a finding; nothing is
        corrected.
    compounds
        Compounds with their names, for buildings that only have a compound_id or lie inside one.
    names
        Columns of `buildings` that hold ``compound``, ``building`` (the number) or ``name``, where they are not called
        as in a list (小区名称, 楼号, compound_name, number); otherwise a building's name or address is taken apart.
    minimum_score, margin
        How alike, 0 to 100, the names of two compounds must be, and by how much more than the second best, to be taken
        for one. Their numbers, letters and words like 东 and 新 must be the same, and numbers of buildings are never
        matched by likeness. ``minimum_score=101`` allows no likeness.

    Returns
    -------
    buildings
        A copy. ``households`` of those in the list are the list's; others keep theirs (missing where there was no such
        column). ``count_match`` says how: id, exact, normalised (the same once spelt alike), shared (of a compound's
        total), fuzzy; the least sure of its rows. ``count_score`` is the likeness, 100 where it is none.
        ``attrs["units"]``: building_id, unit_id, households of rows that name units. ``attrs["counts"]``: rows and
        households given, attached and unmatched, by how they matched, and ``numbers_read`` from text.
        ``attrs["findings"]``.
    unmatched
        The rows without a building: row, community, compound, number, unit, households, status, reason, and candidates
        (ids of buildings, or names of compounds).

    Raises
    ------
    OptionError
        When `on` or `names` says what is not there, `counts` is no table, or a stated total is no number.
    TableError
        When buildings break their contract, or a number of households is not one.

    Notes
    -----
    Households attached and unmatched are asserted to be those given. The likeness is the normalised Indel similarity
    (twice the longest common subsequence over the length of both), as `rapidfuzz.fuzz.ratio` has it.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> from shapely import box
    >>> houses = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b", "c"], "name": ["阳光花园3号楼", "阳光花园4号楼", "翠湖居1栋"]},
    ...     geometry=[box(x, 0, x + 10, 10) for x in (0, 20, 40)], crs=32650,
    ... )
    >>> listed = pd.DataFrame(
    ...     {"小区": ["阳光花园", "阳光花园", "翠湖居", "翠湖居"], "楼号": ["第三栋", "四幢", "1#", "2#"],
    ...      "户数": [24, 30, 12, 18]}
    ... )
    >>> on = {"compound": "小区", "building": "楼号", "households": "户数"}
    >>> attached, unmatched = attach_counts(houses, listed, on=on)
    >>> attached["households"].tolist(), attached["count_match"].tolist()
    ([24.0, 30.0, 12.0], ['normalised', 'normalised', 'normalised'])
    >>> unmatched[["number", "households", "reason"]].values.tolist()
    [['2#', 18.0, 'the compound has no building of this number']]
    """
    out = check_table(buildings, "buildings")
    stated = _stated_totals(totals)
    rows = listed_rows(counts, on)
    known = known_buildings(out, compounds, names)
    _match(rows, known, minimum_score, margin)
    shares = _share_totals(rows, known, out)
    direct = rows[rows["position"] >= 0]
    given = _pieces(direct, shares)
    households = given.groupby("position")["households"].sum()
    _assert_conserved(rows, households)
    position = households.index.to_numpy()
    before = out["households"] if "households" in out.columns else pd.Series(np.nan, index=out.index)
    numbers = pd.to_numeric(before).to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    numbers[position] = households.to_numpy()
    out["households"] = numbers
    best = given.groupby("position")[["rank", "score"]].agg({"rank": "max", "score": "min"})
    how, score = np.full(len(out), None, dtype=object), np.full(len(out), np.nan)
    how[position] = np.array(_HOW, dtype=object)[best["rank"].to_numpy()]
    score[position] = best["score"].to_numpy()
    out["count_match"], out["count_score"] = how, score
    unmatched = _unmatched(rows)
    out.attrs = {
        **buildings.attrs,
        "units": _units(direct, known),
        "counts": _summary(rows, out),
        "findings": AttachedFindings(
            findings_table([*_findings(rows, out, unmatched), *_check_totals(rows, known, stated)], crs=out.crs)
        ),
    }
    return out, unmatched


def _match(rows: pd.DataFrame, known: pd.DataFrame, minimum_score: float, margin: float) -> None:
    """Give each row its building (``position``), how sure that is, and the compound that a total belongs to."""
    ids = pd.Index(known["building_id"])
    by_id = ids.get_indexer(pd.Index(clean_ids(rows["building_id"])))
    rows["position"], rows["compound_known"] = by_id, ""
    rows["how"] = np.where(by_id >= 0, "id", "")
    rows["score"] = np.where(by_id >= 0, 100.0, np.nan)
    named = (rows["compound"] != "") | (rows["number"] != "")
    rows["status"] = np.where(by_id >= 0, "", np.where(named, "no_compound", "no_id"))
    rows["candidates"] = [[] for _ in range(len(rows))]
    _put(rows, rows["households"].isna(), position=-1, how="", score=np.nan, status="no_count")
    rest = (rows["position"] < 0) & (rows["status"] != "no_count") & named
    _fill(rows, rest & (rows["number"] != ""), ["compound", "number"], lambda pairs: match_buildings(
        pairs, known, minimum_score=minimum_score, margin=margin
    ))  # fmt: skip
    _fill(rows, rest & (rows["number"] == ""), ["compound"], lambda pairs: match_compounds(
        pairs["compound"].tolist(), known["compound"].tolist(), minimum_score=minimum_score, margin=margin
    ).rename(columns={"compound": "compound_known"}))  # fmt: skip


def _put(rows: pd.DataFrame, which: pd.Series, **values: Any) -> None:
    for column, value in values.items():
        rows.loc[which, column] = value


def _fill(rows: pd.DataFrame, which: pd.Series, by: list[str], rule: Any) -> None:
    """Put what a rule finds for each distinct pair of names into the rows that have it."""
    if not which.any():
        return
    key = rows.loc[which, by[0]].str.cat([rows.loc[which, name] for name in by[1:]], sep="\0")
    first = ~key.duplicated()
    found = rule(rows.loc[first.index[first], by].reset_index(drop=True))
    at = pd.Index(key[first]).get_indexer(pd.Index(key))
    for column in found.columns:
        rows.loc[which, column] = pd.Series(found[column].to_numpy()[at], index=key.index)


def _share_totals(rows: pd.DataFrame, known: pd.DataFrame, buildings: gpd.GeoDataFrame) -> pd.DataFrame:
    """The totals of compounds shared out: position, households and likeness, one row a building."""
    plain = each(known["compound"], compound_name)
    by_building = set(plain.iloc[rows.loc[rows["position"] >= 0, "position"]])
    total = rows["compound_known"] != ""
    beside = total & rows["compound_known"].isin(by_building)
    _put(rows, beside, status="beside_buildings", compound_known="", how="", score=np.nan)
    asked = rows[total & ~beside].groupby("compound_known", sort=True).agg({"households": "sum", "score": "min"})
    rows.loc[total & ~beside, "how"] = "shared"
    rows["shared_by"] = ""
    if asked.empty:
        return pd.DataFrame({"position": [], "households": [], "score": [], "rank": []}).astype({"position": int})
    # equal remainders go by id, so that the order of rows plays no part
    member = np.argsort(known["building_id"].to_numpy(str), kind="stable")
    member = member[plain.isin(asked.index).to_numpy()[member]]
    group = asked.index.get_indexer(pd.Index(plain.iloc[member]))
    weight, basis = _weights(buildings.iloc[member], group, len(asked))
    shares = spread(asked["households"].to_numpy(), group, weight)
    rows["shared_by"] = rows["compound_known"].map(dict(zip(asked.index, basis, strict=True))).fillna("")
    return pd.DataFrame({
        "position": member, "households": shares, "score": asked["score"].to_numpy()[group],
        "rank": _HOW.index("shared"),
    })  # fmt: skip


def _weights(
    members: gpd.GeoDataFrame, group: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """What a total is shared by, and what that is in each group: the first measure that all who live there have."""
    living = ~is_non_residential(members)
    nobody = np.bincount(group, living, count) == 0
    living |= nobody[group]
    area = to_metric(members).area.to_numpy() if len(members) else np.zeros(0)
    measures = {
        "dwellings": number_column(members, "dwellings"),
        "floor_area_m2": number_column(members, "floor_area_m2"),
        "footprint × floors": area * number_column(members, "floors"),
        "footprint": area,
    }
    weight, basis = living.astype(np.float64), np.full(count, "alike", dtype=object)
    for name in reversed(measures):
        value = np.where(living, measures[name], 0.0)
        usable = np.isfinite(value) & ((value > 0) | ~living | (name == "dwellings"))
        whole = (np.bincount(group, ~usable, count) == 0) & (np.bincount(group, np.nan_to_num(value), count) > 0)
        weight = np.where(whole[group], value, weight)
        basis[whole] = name
    return weight, basis


def _pieces(direct: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """All that buildings are given, by row or by share."""
    rank = direct["how"].map({name: i for i, name in enumerate(_HOW)}).astype(np.int64)
    rows = direct[["position", "households", "score"]].assign(rank=rank)
    return pd.concat([table for table in (rows, shares) if len(table)] or [rows], ignore_index=True)


def _assert_conserved(rows: pd.DataFrame, attached: pd.Series) -> None:
    lost = rows.loc[(rows["position"] < 0) & (rows["how"] == ""), "households"].sum()
    given = rows["households"].sum()
    if not np.isclose(attached.sum() + lost, given, rtol=1e-12, atol=1e-6):
        raise GridmapError(
            f"internal: of {given} households {attached.sum()} are attached and {lost} unmatched; please report this"
        )


def _unmatched(rows: pd.DataFrame) -> pd.DataFrame:
    left = rows[rows["how"] == ""]
    return left.assign(reason=left["status"].map(REASONS))[
        ["row", "community", "compound", "number", "unit", "households", "status", "reason", "candidates"]
    ].reset_index(drop=True)


def _units(direct: pd.DataFrame, known: pd.DataFrame) -> AttachedTable:
    """Households by building and unit, of the rows that name a unit."""
    rows = direct[direct["unit"] != ""]
    units = pd.DataFrame({
        "building_id": known["building_id"].to_numpy(object)[rows["position"].to_numpy()],
        "unit_id": each(rows["unit"], unit_number).to_numpy(object),
        "households": rows["households"].to_numpy(),
    })  # fmt: skip
    return AttachedTable(units.groupby(["building_id", "unit_id"], as_index=False)["households"].sum())


def _summary(rows: pd.DataFrame, buildings: pd.DataFrame) -> dict[str, Any]:
    left = rows["how"] == ""
    by_how = rows[~left].groupby("how")["households"].agg(["size", "sum"])
    shared = rows.loc[rows["shared_by"] != "", "shared_by"].value_counts().sort_index()
    return {
        "rows": len(rows),
        "households": float(rows["households"].sum()),
        "numbers_read": rows.attrs["numbers_read"],
        "unmatched_rows": int(left.sum()),
        "unmatched_households": float(rows.loc[left, "households"].sum()),
        "matched": {how: {"rows": int(by_how["size"][how]), "households": float(by_how["sum"][how])}
                    for how in _HOW if how in by_how.index},
        "shared_by": {str(basis): int(n) for basis, n in shared.items()},
        "buildings": int(buildings["count_match"].notna().sum()),
        "buildings_without": int(buildings["count_match"].isna().sum()),
    }  # fmt: skip


def _findings(rows: pd.DataFrame, buildings: pd.DataFrame, unmatched: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    ids = buildings["building_id"].to_numpy(object)
    if len(unmatched):
        message = (
            f"{len(unmatched)} rows of the counts, with {unmatched['households'].sum():g} households, have no building."
        )
        cure = "Look at the candidates of each row; correct the names or numbers, or add the buildings."
        evidence = {str(status): int(n) for status, n in unmatched["status"].value_counts().sort_index().items()}
        found.append(finding(
            "warning", "counts_unmatched", message, cure=cure, ids=unmatched["row"].head(_SHOWN), certificate=evidence
        ))  # fmt: skip
    fuzzy = rows[(rows["how"] != "") & (rows["score"] < 100.0)]
    if len(fuzzy):
        told = fuzzy.drop_duplicates("compound").head(_SHOWN)
        message = f"{len(fuzzy)} rows of the counts were attached by the likeness of the compound's name."
        likeness = dict(zip(told["compound"].tolist(), told["score"].tolist(), strict=True))
        cure = "Check the names listed, and correct those that are wrong."
        found.append(
            finding("info", "counts_by_likeness", message, cure=cure, ids=told["compound"], certificate=likeness)
        )
    direct = rows[rows["position"] >= 0]
    key = direct.assign(unit=each(direct["unit"], unit_number))
    twice = key[key.duplicated(["position", "unit"], keep=False)]["position"].unique()
    if len(twice):
        message = (
            f"{len(twice)} buildings have several rows in the counts for the same unit, or for none; they were summed."
        )
        cure = "Remove rows that are there twice, or name their units."
        found.append(
            finding("warning", "counts_repeated", message, cure=cure, ids=sorted(ids[twice].tolist())[:_SHOWN])
        )
    shared = rows[rows["how"] == "shared"]
    if len(shared):
        message = f"{len(shared)} totals of compounds were shared out over their buildings."
        cure = "Give households by building where they are known."
        names = shared["compound"].drop_duplicates().head(_SHOWN)
        found.append(finding("info", "counts_shared", message, cure=cure, ids=names))
    return found


def _stated_totals(totals: Mapping[str, float | str] | pd.Series | None) -> dict[str, float]:
    """Stated totals as numbers, read as cells are."""
    if not isinstance(totals, Mapping | pd.Series | None):
        raise OptionError(f"totals= is a mapping of names to households, not {type(totals).__name__}")
    out: dict[str, float] = {}
    for name, stated in ({} if totals is None else totals).items():
        value, how = number_of(str(stated), "households")
        if value is None or how == "percent":
            raise OptionError(
                f"totals[{name!r}]={stated!r}: give a number of households, 0 or more, or leave it out where unknown"
            )
        out[str(name)] = value
    return out


def _check_totals(rows: pd.DataFrame, known: pd.DataFrame, totals: Mapping[str, float]) -> list[dict[str, Any]]:
    """Where the list sums to another number than stated, and totals of what is not in the list."""
    if not totals:
        return []
    of = each(rows["compound"], compound_name)
    by_building = each(known["compound"], compound_name).to_numpy(object)[rows["position"].to_numpy()]
    of = of.where((of != "") | (rows["position"] < 0), by_building)
    sums = {}
    for keys in (each(rows["community"], compound_name), of):
        sums.update(rows.groupby(keys)["households"].sum().drop("", errors="ignore").to_dict())
    found, missing = [], []
    for name, stated in totals.items():
        listed = sums.get(compound_name(str(name)))
        if listed is None:
            missing.append(str(name))
        elif not np.isclose(listed, stated, rtol=0, atol=1e-6):
            message = f"{name}: the rows of the counts sum to {listed:g} households, the stated total is {stated:g}."
            cure = "Find the rows that are missing, or there twice; or correct the total."
            evidence = {"listed": float(listed), "stated": stated}
            found.append(
                finding("warning", "counts_differ_from_total", message, cure=cure, ids=[name], certificate=evidence)
            )
    if missing:
        message = f"{len(missing)} stated totals are of compounds or communities that the counts do not name."
        cure = "Correct the names, or add their rows to the counts."
        found.append(finding("warning", "total_of_unknown", message, cure=cure, ids=missing[:_SHOWN]))
    return found
