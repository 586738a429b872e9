"""The two sides of a join by name: the rows of a list, and the buildings, each with compound and number as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.errors import OptionError, TableError
from gridmap.tables.contracts import clean_ids
from gridmap.tables.counts.names import compound_name, split_name
from gridmap.tables.crs import to_crs
from gridmap.tables.typed_numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROLES", "known_buildings", "listed_rows"]

#: What the columns of a list may say.
ROLES = ("building_id", "community", "compound", "building", "unit", "name", "households")
_BY_ID = {"building_id": "building_id", "households": "households"}
# Where the buildings' own table says it, unless the caller does.
_COMPOUND = ("compound_name", "compound", "小区名称", "小区", "院落名称", "院落")
_NUMBER = ("building_number", "number", "楼号", "楼栋", "栋号", "幢号")
_NAME = ("name", "address")


def listed_rows(counts: pd.DataFrame, on: Mapping[str, str] | str | None) -> pd.DataFrame:
    """The rows of a list as ``row`` (their label), ``building_id``, community, compound, number, unit, households.

    Raises
    ------
    OptionError
        When `on` names a role or a column there is none of, or says too little.
    TableError
        When a number of households is not a number, negative or infinite.
    """
    if not isinstance(counts, pd.DataFrame):
        raise OptionError(
            f"counts= is a table, not {type(counts).__name__}: read a file with gridmap.read_counts(path)"
        )
    roles = _roles(counts, on)
    out = pd.DataFrame({"row": counts.index})
    for role in ("building_id", "community", "compound", "building", "unit", "name"):
        values = counts[roles[role]] if role in roles else pd.Series("", index=counts.index)
        out[role] = clean_ids(values).fillna("").astype(str).str.strip().to_numpy(object)
    out = out.rename(columns={"building": "number"})
    out["households"], spelt = _numbers(counts[roles["households"]])
    out = _taken_apart(out)
    out.attrs["numbers_read"] = spelt
    return out


def known_buildings(
    buildings: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame | None, names: Mapping[str, str] | None
) -> pd.DataFrame:
    """The buildings as ``building_id``, ``compound`` and ``number``.

    The compound's name is taken from the column `names` says, else from one called as in a list, else from `compounds`
    (by compound_id, or by which outline holds the building), else from the building's name or address, else it is the
    compound_id. The number alike.

    Raises
    ------
    OptionError
        When `names` names a column there is none of.
    """
    said = dict(names or {})
    unknown = sorted(set(said) - {"compound", "building", "name"})
    if unknown:
        raise OptionError(f"names={unknown[0]!r} is not known; known are compound, building, name")
    absent = [heading for heading in said.values() if heading not in buildings.columns]
    if absent:
        present = ", ".join(map(str, buildings.columns))
        raise OptionError(f"names= says {absent[0]!r}, but the buildings have the columns: {present}")
    compound = _text(buildings, [said["compound"]] if "compound" in said else _COMPOUND)
    number = _text(buildings, [said["building"]] if "building" in said else _NUMBER)
    whole = _text(buildings, [said["name"]] if "name" in said else _NAME)
    if compounds is not None and "compound" not in said:
        compound = _first(compound, _compound_names(buildings, compounds))
    out = pd.DataFrame({"compound": compound, "number": number, "name": whole})
    out = _taken_apart(out)
    out["compound"] = _first(out["compound"], _text(buildings, ["compound_id"]))
    out.insert(0, "building_id", buildings["building_id"].to_numpy(object))
    return out


def _roles(counts: pd.DataFrame, on: Mapping[str, str] | str | None) -> dict[str, str]:
    present = ", ".join(map(str, counts.columns))
    if on is None:
        roles = {"households": "households", **{role: role for role in ROLES if role in counts.columns}}
    elif isinstance(on, str):
        if on not in ("id", "building_id"):
            raise OptionError(
                f"on={on!r}: give 'id', or a mapping such as {{'compound': '小区名称', 'building': '楼号'}}"
            )
        roles = {**_BY_ID, **({"unit": "unit_id"} if "unit_id" in counts.columns else {})}
    elif isinstance(on, Mapping):
        roles = {"households": "households", **on}
    else:
        raise OptionError(f"on= is 'id' or a mapping of columns, not {type(on).__name__}")
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise OptionError(f"on= names {unknown[0]!r}; known are {', '.join(ROLES)}")
    absent = {role: heading for role, heading in roles.items() if heading not in counts.columns}
    if absent:
        role, heading = next(iter(absent.items()))
        raise OptionError(f"on= takes {role} from {heading!r}, but the columns of the counts are: {present}")
    if not {"building_id", "compound", "building", "name"} & set(roles):
        raise OptionError(
            f"on= must name at least one of building_id, compound, building and name; the columns of the counts are: "
            f"{present}"
        )
    return roles


def _numbers(values: pd.Series) -> tuple[np.ndarray, dict[str, int]]:
    """Households, read as the readers read cells, and how many cells took what to read."""
    # labels may be there twice: cells are told apart by their place
    labels, values = values.index, values.reset_index(drop=True)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    text = values[numbers.isna() & values.notna()].astype(str)
    read = {one: number_of(one, "households") for one in text.unique()}
    remark = text.map({one: how for one, (_, how) in read.items()})
    done = remark[~remark.isin(("no number", "percent"))]
    numbers[done.index] = text[done.index].map({one: value for one, (value, _) in read.items()}).astype("float64")
    wrong = (numbers < 0) | np.isinf(numbers)
    wrong[remark.index.difference(done.index)] = True
    if wrong.any():
        found = [
            {
                "row": labels[int(at)],
                "column": values.name,
                "value": repr(value),
                "expected": "a number, 0 or more",
                "remedy": "Correct the value, or leave the cell empty.",
            }
            for at, value in zip(np.flatnonzero(wrong), values[wrong], strict=True)
        ]
        raise TableError("counts", pd.DataFrame(found))
    spelt = done[~done.isin(("", "missing"))].value_counts().sort_index()
    return numbers.to_numpy(dtype=np.float64), {str(how): int(n) for how, n in spelt.items()}


def _taken_apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Compound, number and unit also from a name that says them in one, or a number that says more than a number."""
    out = rows.drop(columns="name")
    said = list(zip(rows["compound"], rows["number"], rows["name"], strict=True))
    parts = {key: _parts(*key) for key in set(said)}
    compound, number, unit = (
        pd.Series([parts[key][i] for key in said], index=rows.index, dtype=object) for i in range(3)
    )
    out["compound"], out["number"] = compound, number
    if "unit" in rows:
        out["unit"] = _first(rows["unit"], unit)
    return out


def _parts(compound: str, number: str, name: str) -> tuple[str, str, str]:
    """Compound, number and unit of one row."""
    if number == "":
        in_name = split_name(name)
        return compound or in_name[0], in_name[1], in_name[2]
    before, own, after = split_name(number)
    # 阳光花园3号楼2单元 as a number: 3号楼, where the rest is the compound, or nothing
    if own and (before == "" or compound == "" or compound_name(before) == compound_name(compound)):
        return compound or before, own if before or after else number, after
    return compound, number, ""


def _first(values: pd.Series, others: pd.Series) -> pd.Series:
    """The values, and the others where there are none."""
    return values.where(values != "", others.fillna("").to_numpy())


def _text(buildings: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The first of the columns that says something, row by row."""
    out = pd.Series("", index=pd.RangeIndex(len(buildings)), dtype=object)
    for column in columns:
        if column in buildings.columns:
            out = _first(out, clean_ids(buildings[column]).fillna("").astype(str).reset_index(drop=True))
    return out


def _compound_names(buildings: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame) -> pd.Series:
    """Name of the compound of each building, by its compound_id or by the outline that holds it."""
    ids = clean_ids(compounds["compound_id"])
    names = compounds["name"] if "name" in compounds.columns else ids
    by_id = dict(zip(ids, names.fillna("").astype(str), strict=True))
    of: Any = _text(buildings, ["compound_id"])
    lost = (~of.isin(by_id)).to_numpy()
    if lost.any():
        points = gpd.GeoDataFrame(geometry=buildings.geometry[lost].representative_point(), crs=buildings.crs)
        rows, outlines = to_crs(compounds, buildings.crs).sindex.query(points.geometry, predicate="intersects")
        first = pd.Series(outlines, index=rows).groupby(level=0).min()
        of[np.flatnonzero(lost)[first.index.to_numpy()]] = ids.to_numpy(object)[first.to_numpy()]
    return of.map(by_id).fillna("")
