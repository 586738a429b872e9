"""Reading standards: a shipped one by its name, a planner's own file, or several in which later rows win."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError, ReadError, TableError, first_line
from gridmap.standards.rules import COLUMNS, RULES, STATES, TIERS, clean_tier, parse_per

__all__ = ["list_standards", "read_standard", "standard_titles"]

_NEEDED = ("requirement_id", "rule")
_LISTED = ("standard", "title_en", "title_zh", "number", "year", "in_force", "kind", "note")


def list_standards() -> pd.DataFrame:
    """The standards that gridmap brings along, and how well their requirements are verified.

    Returns
    -------
    DataFrame
        One row a standard: ``standard`` (its name for `read_standard`), ``title_en``, ``title_zh``, ``number``,
        ``year``, ``in_force`` (date; empty where unknown), ``kind``, ``note`` (what was not found), ``requirements``,
        and how many of these are ``text`` (the standard's own wording was seen), ``secondary`` (a paper, a notice or
        an encyclopedia says so), ``conflict`` (sources differ) and ``unverified``.

    Examples
    --------
    >>> listed = list_standards().set_index("standard")
    >>> bool(listed.loc["GB 50180-2018", ["text", "secondary", "conflict", "unverified"]].sum() > 0)
    True
    """
    listed = _shipped()
    states = [_read_shipped(name)["verification"].value_counts() for name in listed["standard"]]
    out = listed[list(_LISTED)].copy()
    out["requirements"] = [int(counts.sum()) for counts in states]
    for state in STATES:
        out[state] = [int(counts.get(state, 0)) for counts in states]
    return out


def standard_titles(name: str) -> dict[str, str]:
    """Title of a standard by language, with its number; of one's own its name.

    Examples
    --------
    >>> standard_titles("GB 50180-2018")["zh"], standard_titles("own")["zh"]
    ('GB 50180-2018 城市居住区规划设计标准', 'own')
    """
    found = _shipped().set_index("standard")
    if name not in found.index:
        return {"en": name, "zh": name}
    number = str(found["number"][name])
    return {lang: f"{number} {found[f'title_{lang}'][name]}".strip() for lang in ("en", "zh")}


def read_standard(source: Any) -> pd.DataFrame:
    """Requirements as a table, from a standard that gridmap brings along, a file of one's own, or several.

    Parameters
    ----------
    source
        The name of a shipped standard (``"GB 50180-2018"``; see `list_standards`), a .csv or .xlsx file, a table, or a
        list of these: a later row replaces an earlier one of the same ``requirement_id``, and other rows are added.

    Returns
    -------
    DataFrame
        One row a requirement: ``standard``, ``requirement_id``, ``category`` (several that will do are parted by
        ``|``), ``tier`` (``15min``, ``10min``, ``5min``, ``block`` or empty), ``rule``, ``value`` and ``value_max`` (of
        a range the second end, else NaN), ``unit``, ``per`` (such as ``100 households``), ``applies_to`` (such as
        ``new``; empty: everywhere), ``clause``, ``source`` and ``row`` (where the number is from), ``quote``,
        ``verification`` (``text``, ``secondary``, ``conflict`` or ``unverified``), ``conflicting`` (what other sources
        say), ``note``. The rules are told in `gridmap.standards.rules.RULES`. A file needs ``requirement_id`` and
        ``rule``, and what its rules need; without ``verification`` a row is unverified.

    Raises
    ------
    ReadError
        When there is no such standard or file, or it cannot be read.
    TableError
        When rows are wrong; the message lists each with its remedy.
    OptionError
        When `source` is none of these.

    Examples
    --------
    >>> own = pd.DataFrame(
    ...     {"requirement_id": ["own-library"], "rule": ["reach"], "category": ["library"], "value": [15],
    ...      "unit": ["minutes"]}
    ... )
    >>> table = read_standard(["GB 50180-2018", own])
    >>> table.iloc[-1][["standard", "requirement_id", "rule", "verification"]].tolist()
    ['own', 'own-library', 'reach', 'unverified']
    """
    if isinstance(source, pd.DataFrame):
        return _checked(source, "own")
    if isinstance(source, str | Path):
        return _by_name(source)
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise OptionError(
            f"a standard is the name of a shipped one, a path, a table or a list of these, not {type(source).__name__}"
        )
    parts = [read_standard(part) for part in source]
    if not parts:
        raise OptionError("the list of standards is empty; name at least one, such as 'GB 50180-2018'")
    joined = pd.concat(parts, ignore_index=True)
    # a row that replaces another one stands in its place
    last = joined.drop_duplicates("requirement_id", keep="last")
    place = {own: i for i, own in enumerate(joined["requirement_id"].unique())}
    order = np.argsort(last["requirement_id"].map(place).to_numpy(dtype=np.int64), kind="stable")
    return last.iloc[order].reset_index(drop=True)


def _by_name(source: str | Path) -> pd.DataFrame:
    listed = _shipped()
    for column in ("standard", "number", "title_zh", "title_en"):
        same = listed[column].map(_plain) == _plain(str(source))
        if _plain(str(source)) and same.any():
            return _read_shipped(str(listed.loc[same, "standard"].iloc[0])).copy()
    path = Path(source)
    if path.suffix.lower() in (".csv", ".xlsx") and path.is_file():
        return _checked(_read_file(path), path.stem)
    names = listed["standard"].tolist()
    near = difflib.get_close_matches(str(source), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}."
    raise ReadError(f"{source}: neither a shipped standard nor a .csv or .xlsx file that is there; {hint}")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


@cache
def _shipped() -> pd.DataFrame:
    with resources.files("gridmap.standards").joinpath("standards.csv").open("rb") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


@cache
def _read_shipped(name: str) -> pd.DataFrame:
    listed = _shipped().set_index("standard")
    with resources.files("gridmap.standards").joinpath(f"{listed['file'].astype(str)[name]}.csv").open("rb") as file:
        return _checked(pd.read_csv(file, dtype=str, keep_default_na=False), name)


def _read_file(path: Path) -> pd.DataFrame:
    """A planner's file, all cells as text."""
    try:
        if path.suffix.lower() == ".xlsx":
            return pd.read_excel(path, dtype=str, keep_default_na=False)
        try:
            return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        except UnicodeDecodeError:
            # what a Chinese Excel writes as CSV
            return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="gb18030")
    except Exception as error:
        raise ReadError(
            f"{path}: cannot be read as a table ({first_line(error)}). Save it again as CSV (UTF-8) or .xlsx."
        ) from error


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table with every column of a standard, or one error that lists all rows that are wrong."""
    absent = [column for column in _NEEDED if column not in table.columns]
    unknown = [str(c) for c in table.columns if c not in (*COLUMNS, "standard")]
    text = pd.DataFrame({c: _texts(table, c) for c in ("standard", *COLUMNS)})
    text["standard"] = text["standard"].where(text["standard"] != "", name)
    text["verification"] = text["verification"].str.casefold().where(text["verification"] != "", "unverified")
    text["tier"] = text["tier"].map(clean_tier)
    wrong: list[tuple[Any, ...]] = [(None, column, "no such column", "this column", "Add it.") for column in absent]
    wrong += [
        (None, column, "no column of a standard", f"one of {', '.join(COLUMNS)}", "Rename it, or leave it out.")
        for column in unknown
    ]
    if not absent:
        numbers = {c: pd.to_numeric(text[c].replace("", np.nan), errors="coerce") for c in ("value", "value_max")}
        repeated = text["requirement_id"].duplicated()
        for at, row in enumerate(text.to_dict("records")):
            wrong += [(at + 1, *fault) for fault in _faults(row, repeated=bool(repeated.iloc[at]))]
        text = text.assign(**numbers)
    if wrong:
        columns = ["row", "column", "value", "expected", "remedy"]
        raise TableError(f"standard {name}", pd.DataFrame(wrong, columns=columns, dtype=object))
    # texts are objects, whichever type of text pandas prefers
    return text.astype({column: object for column in text.columns if not column.startswith("value")})


def _texts(table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table.columns:
        return pd.Series("", index=range(len(table)), dtype=object)
    values = table[column].astype(object).where(table[column].notna(), "")
    return values.map(lambda value: str(value).strip()).reset_index(drop=True)


def _faults(row: dict[Any, Any], *, repeated: bool) -> list[tuple[str, str, str, str]]:
    """What is wrong with one row: column, value, expected, remedy."""
    found = []
    if not row["requirement_id"] or repeated:
        value = "repeated" if repeated else "missing"
        found.append(("requirement_id", value, "an id that no other row has", "Give each row an id of its own."))
    if row["verification"] not in STATES:
        found.append(("verification", row["verification"], f"one of {', '.join(STATES)}", "Correct it."))
    if row["tier"] not in ("", *TIERS):
        found.append(("tier", row["tier"], f"one of {', '.join(TIERS)}, or nothing", "Correct it."))
    rule = RULES.get(row["rule"])
    if rule is None:
        return [*found, ("rule", row["rule"] or "missing", f"one of {', '.join(RULES)}", "Correct it.")]
    if rule.of_facilities and not row["category"]:
        found.append(("category", "missing", "a category of facilities", "Name the category that is asked for."))
    if row["rule"].startswith("tier_") and not row["tier"]:
        found.append(("tier", "missing", f"one of {', '.join(TIERS)}", "Say which tier the row describes."))
    if rule.units:
        found += _number_faults(row, rule.units)
    if (row["per"] and (not rule.per or parse_per(row["per"]) is None)) or (rule.per == "must" and not row["per"]):
        expected = "a number and whom it counts, such as '100 households'" if rule.per else "nothing"
        found.append(("per", row["per"] or "missing", expected, "Correct it."))
    return found


def _number_faults(row: dict[Any, Any], units: tuple[str, ...]) -> list[tuple[str, str, str, str]]:
    found = []
    by_tier = row["rule"] == "reach" and not row["value"] and row["tier"]
    for column in ("value", "value_max"):
        number = pd.to_numeric(row[column] or "nan", errors="coerce")
        if row[column] or (column == "value" and not by_tier):
            good = np.isfinite(number) and number > 0
            if not good:
                found.append(
                    (column, row[column] or "missing", "a number above 0", "Correct it, or leave the row out.")
                )
    low, high = (pd.to_numeric(row[c] or "nan", errors="coerce") for c in ("value", "value_max"))
    if high < low:
        found.append(("value_max", row["value_max"], "no less than value", "Swap the two."))
    if row["unit"] not in units and not (by_tier and not row["unit"]):
        found.append(("unit", row["unit"] or "missing", f"one of {', '.join(units)}", "Correct it."))
    return found
