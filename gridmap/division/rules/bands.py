"""Bands: which limits hold in which community, and what they count, from a table or from `lower` and `upper`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.land import place
from gridmap.division.ledger import building_weights
from gridmap.division.search.engine import Band
from gridmap.division.search.partition import check_band
from gridmap.errors import TableError
from gridmap.tables.contracts import violation
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd

__all__ = ["LEVELS", "Rule", "Rules", "check_bands", "rule_weights"]

LEVELS = ("grid", "area")
_COLUMNS = ("kind", "lower", "upper", "weight", "level")


@dataclass(frozen=True)
class Rule:
    """What a legal grid is in some communities.

    Attributes
    ----------
    lower, upper
        The band; an `upper` of infinity sets no ceiling: grids are then as many as there can be of `lower` or more,
        made of whole villager groups where these are known.
    weight
        Name of what the band counts.
    areas
        Whether each villager group of a grid is a responsibility area.
    """

    lower: float
    upper: float
    weight: str
    areas: bool = False

    @property
    def open(self) -> bool:
        """Whether there is no ceiling."""
        return math.isinf(self.upper)

    @property
    def band(self) -> Band:
        """The band for the engine. Without a ceiling a grid of twice `lower` is worth cutting once more."""
        return Band(self.lower, 2 * self.lower if self.open else self.upper)


@dataclass(frozen=True)
class Rules:
    """The rules of a division.

    Attributes
    ----------
    rules, of
        The rules, and the number of the rule of each community by community_id.
    default
        The rule where no row says otherwise.
    weights
        What every building counts, by building_id.
    findings
        Rows for the findings.
    table
        The table they were read from, as rows that JSON holds.
    """

    rules: tuple[Rule, ...]
    of: pd.Series
    default: Rule
    weights: pd.Series
    findings: list[dict[str, Any]]
    table: list[dict[str, Any]]

    @property
    def weight(self) -> str:
        """What all bands count, ``"weight"`` where they count different things."""
        names = {self.rules[r].weight for r in self.of.unique()}
        return names.pop() if len(names) == 1 else "weight"

    @property
    def main(self) -> Rule:
        """The rule with a ceiling that most communities have, else the default."""
        held = np.bincount(self.of, minlength=len(self.rules)) * [not rule.open for rule in self.rules]
        return self.rules[int(np.argmax(held))] if held.any() else self.default

    def rule_of(self, community_id: str) -> Rule:
        """The rule of a community."""
        return self.rules[int(self.of[community_id])]

    def limits(self, labels: np.ndarray, community_ids: Iterable[str]) -> pd.DataFrame:
        """lower, upper and counted (what the band counts) by grid label, from one row an atom."""
        owner = pd.Series(list(community_ids), index=labels)
        owner = owner[~owner.index.duplicated()]
        rules = [self.rule_of(c) for c in owner]
        columns = {
            "lower": [r.lower for r in rules],
            "upper": [np.nan if r.open else r.upper for r in rules],
            "counted": [r.weight for r in rules],
        }
        return pd.DataFrame(columns, index=owner.index)


def check_bands(
    bands: pd.DataFrame | Iterable[Mapping[str, Any]] | None,
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    lower: float,
    upper: float,
    weight: str | pd.Series,
) -> Rules:
    """The rule of each community.

    Parameters
    ----------
    bands
        kind, lower, upper, weight, level: one row a kind of community. An empty kind stands for every other kind; an
        empty `upper` for no ceiling, an empty `lower` for 0, an empty `weight` for the `weight` argument, an empty
        level for ``"grid"``. A row of level ``"area"`` needs nothing else: it makes responsibility areas.
    communities, buildings
        Checked tables.
    lower, upper, weight
        What holds in communities that no row is for.

    Raises
    ------
    TableError
        For `bands`, with every row that is wrong; for `buildings`, with every building in a community whose band
        counts a column that has no number there.
    OptionError
        When `lower` and `upper` are no band, or `weight` does not give every building a number.
    """
    check_band(lower, upper)
    default = weight if isinstance(weight, str) else "weight"
    table = _checked(bands, buildings, default)
    grids = table[table["level"] == "grid"].set_index("kind")
    areas = set(table.loc[table["level"] == "area", "kind"])
    bands_of = {
        str(kind): (float(low), float(high), str(counted))
        for kind, low, high, counted in grids[["lower", "upper", "weight"]].itertuples()
    }
    kinds = _kinds(communities)
    rules: list[Rule] = []
    numbers = []
    for kind in kinds:
        row = kind if kind in grids.index else ""
        with_areas = kind in areas or ("" in areas and kind not in grids.index)
        if row in grids.index:
            rule = Rule(*bands_of[row], with_areas)
        else:
            rule = Rule(float(lower), float(upper), default, with_areas)
        if rule not in rules:
            rules.append(rule)
        numbers.append(rules.index(rule))
    of = pd.Series(numbers, index=communities["community_id"].to_numpy())
    unused = sorted((set(grids.index) | areas) - set(kinds) - {""})
    return Rules(
        tuple(rules),
        of,
        Rule(float(lower), float(upper), default),
        rule_weights(rules, of, communities, buildings, weight),
        [_unused_finding(unused, kinds)] if unused else [],
        [{str(k): None if v == np.inf else v for k, v in row.items()} for row in table.to_dict("records")],
    )


def _kinds(communities: pd.DataFrame) -> list[str]:
    if "kind" not in communities:
        return [""] * len(communities)
    values = communities["kind"]
    return values.astype(object).where(values.notna(), "").astype(str).str.strip().tolist()


def _unused_finding(unused: list[str], kinds: list[str]) -> dict[str, Any]:
    known = ", ".join(sorted(set(kinds) - {""})) or "none"
    return finding(
        "warning",
        "band_unused",
        f"No community is of the kind {', '.join(unused)}, which bands name; the kinds there are: {known}.",
        cure="Correct the kind in bands, or in communities.",
        ids=unused,
    )


def _checked(bands: Any, buildings: pd.DataFrame, default: str) -> pd.DataFrame:
    """The table with all columns and types: kind "" for every other, upper infinite for none."""
    if bands is None:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in _COLUMNS})
    given = pd.DataFrame(bands if isinstance(bands, pd.DataFrame) else list(bands))
    wrong = [
        violation(None, c, "no such column", f"columns among {', '.join(_COLUMNS)}", "Rename it, or leave it out.")
        for c in given.columns
        if c not in _COLUMNS
    ]
    if "lower" not in given and "upper" not in given and "level" not in given:
        wrong.append(violation(None, "lower", "no such column", "lower or upper, or level", "Add it."))
    table = pd.DataFrame({c: given.get(c, pd.Series(index=given.index, dtype=object)) for c in _COLUMNS})
    for column in ("kind", "weight", "level"):
        text = table[column].astype(object)
        table[column] = text.where(text.notna(), "").astype(str).str.strip()
    table["level"] = table["level"].replace("", "grid")
    for column, empty in (("lower", 0.0), ("upper", np.inf)):
        numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
        blank = table[column].isna() | (table[column].astype(str).str.strip() == "")
        bad = (numbers.isna() & ~blank) | (numbers < 0)
        wrong += [
            violation(row, column, repr(value), "a number, 0 or more, or empty", "Correct it.")
            for row, value in table.loc[bad, column].items()
        ]
        table[column] = numbers.where(~blank, empty)
    wrong += _faults(table, buildings, default)
    if wrong:
        raise TableError("bands", pd.DataFrame(wrong))
    table["weight"] = table["weight"].replace("", default)
    return table


def _faults(table: pd.DataFrame, buildings: pd.DataFrame, default: str) -> list[dict[str, Any]]:
    """What is wrong in a table whose types are right."""
    wrong = []
    for row, lower, upper, weight, level in table[["lower", "upper", "weight", "level"]].itertuples():
        if level not in LEVELS:
            wrong.append(
                violation(row, "level", repr(level), "grid or area", "Correct it, or leave it empty for grid.")
            )
        if level == "area" and (lower > 0 or np.isfinite(upper) or weight):
            wrong.append(
                violation(
                    row, "level", "area with a band", "kind and level alone",
                    "Leave lower, upper and weight empty: an area is one villager group, however large.",
                )
            )  # fmt: skip
        if upper < lower or upper == 0:
            wrong.append(
                violation(row, "upper", f"{upper:g}", f"more than 0, and at least lower ({lower:g})", "Correct it.")
            )
        if weight and weight != default and weight not in buildings:
            wrong.append(
                violation(row, "weight", repr(weight), "a column of buildings", "Add it to buildings, or name another.")
            )
        if level == "area" and "group" not in buildings:
            wrong.append(
                violation(
                    row, "level", "area", "buildings with a column group",
                    "Fill the column group of buildings with the villager group of each.",
                )
            )  # fmt: skip
    twice = table.duplicated(["kind", "level"])
    wrong += [
        violation(
            row, "kind", repr(kind), f"one row a kind and level; {level} has one already", "Leave one of them out."
        )
        for row, kind, level in table.loc[twice, ["kind", "level"]].itertuples()
    ]
    return wrong


def rule_weights(
    rules: list[Rule],
    of: pd.Series,
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    weight: str | pd.Series,
) -> pd.Series:
    """What every building counts, by id; outside every community, what the argument `weight` says."""
    default = weight if isinstance(weight, str) else "weight"
    names = {rule.weight for rule in rules}
    if names == {default}:
        return building_weights(buildings, weight)
    crs = metric_crs(communities)
    land = to_crs(communities, crs).sort_values("community_id", kind="stable")
    home = place(
        shapely.point_on_surface(np.asarray(to_crs(buildings, crs).geometry.array)), np.asarray(land.geometry.array)
    )
    rule = of.reindex(land["community_id"]).to_numpy()
    counted = np.array([rules[r].weight for r in rule] + [default], dtype=object)[home]
    out = building_weights(buildings, weight).to_numpy().copy() if default in counted else np.zeros(len(buildings))
    wrong = []
    for name in sorted(names - {default}):
        inside = counted == name
        numbers = pd.to_numeric(buildings[name], errors="coerce").to_numpy(dtype=float)
        bad = inside & ~(np.isfinite(numbers) & (numbers >= 0))
        wrong += [
            violation(row, name, repr(value), "a number, 0 or more, as a band counts it", "Fill it in, 0 for none.")
            for row, value in buildings.loc[bad, name].items()
        ]
        out[inside] = numbers[inside]
    if wrong:
        raise TableError("buildings", pd.DataFrame(wrong))
    return pd.Series(out, index=buildings["building_id"].astype(str).tolist())
