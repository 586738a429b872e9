"""Compliance: every unit held against every requirement of a standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.coverage.compliance.areas import applies_here
from gridmap.coverage.compliance.compliance_findings import findings_of
from gridmap.coverage.compliance.holdings import count_in, largest_in, sizes_of, sum_in
from gridmap.coverage.compliance.offers import Offers, find_offers
from gridmap.coverage.compliance.people import People
from gridmap.coverage.compliance.reached import reached
from gridmap.coverage.counting.rates import denominator_of, weights_of
from gridmap.coverage.counting.units import Units, find_units
from gridmap.errors import OptionError
from gridmap.standards.read import read_standard, standard_titles
from gridmap.standards.rules import RULES, STATES, parse_per
from gridmap.tables.findings import AttachedFindings, AttachedTable
from gridmap.view.compliance_table import summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from gridmap.coverage.counting.cover import Cover

__all__ = ["Question", "check_compliance"]

# A share of households that rounding alone keeps below its target.
_TOLERANCE = 1e-9
_CARRIED = ("standard", "category", "tier", "rule", "unit", "per", "applies_to")
_CITED = ("verification", "clause", "source")
_SHOWN = 20


@dataclass(frozen=True)
class Question:
    """One requirement put to all units.

    Attributes
    ----------
    limit
        The number that is judged: of a distance the farthest that is allowed, else the least.
    needed, low, high
        What each unit needs, has for certain, and has at most if all that might count does. NaN where nobody knows.
    applies
        1 where the requirement applies, 0 where it does not, NaN where that cannot be told.
    """

    limit: float
    needed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    applies: NDArray[np.float64]

    def statuses(self) -> NDArray[np.object_]:
        """Status of each unit."""
        worst, best = _level(self.low, self.needed), _level(self.high, self.needed)
        unknown = np.isnan(self.needed) | np.isnan(self.low) | np.isnan(self.applies) | (worst != best)
        return np.select([self.applies == 0, unknown], ["does_not_apply", "no_data"], worst).astype(object)


def check_compliance(
    cover: Cover,
    standard: Any,
    by: Any = None,
    *,
    share: float = 1.0,
    weight: str = "households",
    states: Iterable[str] | None = None,
    persons_per_household: float | None = None,
    areas: str | Mapping[str, str] | pd.Series | None = None,
    categories: Mapping[str, str | Iterable[str]] | None = None,
) -> pd.DataFrame:
    """Every unit held against every requirement; see `Cover.compliance`."""
    if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 < share <= 1:
        raise OptionError(f"share must be a number above 0 and at most 1, not {share!r}")
    whole = read_standard(standard)
    asked = _asked(whole, states)
    counts, missing = weights_of(cover.buildings, weight)
    units = find_units(by, cover.buildings, cover.facilities)
    people = People(cover.buildings, units, persons_per_household)
    offers = find_offers(cover.facilities, asked, categories)
    lived_in = units.total(counts) > 0
    questions: list[Question] = []
    within = _reached_by(cover, asked, offers, whole)
    for i, row in enumerate(asked.to_dict("records")):
        applies = np.where(lived_in, applies_here(row["applies_to"], areas, units.ids), 0.0)
        if row["rule"] == "reach":
            low, high = (units.total(counts[:, None] * part[i][:, None])[:, 0] for part in within)
            questions.append(Question(_limit(row, whole), share * units.total(counts), low, high, applies))
        else:
            applies = np.where(applies == 1, _tier_reached(row["tier"], whole, people, len(units.ids)), applies)
            questions.append(_held(row, i, cover, units, offers, people, applies))
    table = _table(asked, questions, units.ids, units.total(counts), share)
    found = findings_of(cover, asked, offers, units, people, table)
    table.attrs.update(
        share=float(share),
        weight=weight,
        parameters=_given(share, weight, states, persons_per_household, areas, categories),
        denominator=denominator_of(cover.buildings, weight),
        standards={name: standard_titles(name) for name in dict.fromkeys(asked["standard"])},
        states=sorted(set(asked["verification"])),
        outside={
            "buildings": len(units.outside),
            weight: float(counts[units.outside].sum()),
            "ids": cover.buildings["building_id"].iloc[units.outside[:_SHOWN]].tolist(),
        },
        rows_without_count=missing,
        summary=AttachedTable(summarise(table)),
        findings=AttachedFindings(found),
    )
    return table


def _given(
    share: float, weight: str, states: Any, persons: float | None, areas: Any, categories: Any
) -> dict[str, Any]:
    """The options that are not as they are by default, as plain values."""
    given = {
        "share": None if share == 1 else float(share),
        "weight": None if weight == "households" else weight,
        "states": states if states is None or isinstance(states, str) else list(states),
        "persons_per_household": persons,
        "areas": areas if areas is None or isinstance(areas, str) else dict(areas),
        "categories": None if categories is None else dict(categories),
    }
    return {name: value for name, value in given.items() if value is not None}


def _asked(whole: pd.DataFrame, states: Iterable[str] | None) -> pd.DataFrame:
    """The requirements that ask for facilities, in the states of verification asked for."""
    rows = whole[[RULES[rule].of_facilities for rule in whole["rule"]]]
    if states is not None:
        wanted = [states] if isinstance(states, str) else list(states)
        unknown = [state for state in wanted if state not in STATES]
        if unknown or not wanted:
            raise OptionError(f"states={wanted!r}: they are {', '.join(STATES)}")
        rows = rows[rows["verification"].isin(wanted)]
    if not len(rows):
        raise OptionError("the standard has no requirement of facilities in these states; allow more states=.")
    return rows.reset_index(drop=True)


def _limit(row: Mapping[Any, Any], whole: pd.DataFrame) -> float:
    """The farthest that a requirement of distance allows; without one of its own, that of its tier."""
    numbers = [row["value_max"], row["value"]]
    if np.isnan(row["value"]):
        tier = whole[(whole["rule"] == "tier_distance") & (whole["tier"] == row["tier"])]
        if not len(tier):
            raise OptionError(
                f"requirement {row['requirement_id']} names no distance, and the standard has no tier_distance of tier "
                f"{row['tier']}; fill in value and unit."
            )
        numbers = [tier["value_max"].iloc[0], tier["value"].iloc[0]]
    return float(next(n for n in numbers if not np.isnan(n)))


def _reached_by(
    cover: Cover, asked: pd.DataFrame, offers: Offers, whole: pd.DataFrame
) -> tuple[dict[int, NDArray[np.bool_]], dict[int, NDArray[np.bool_]]]:
    """By requirement of distance, which buildings reach a facility that counts, and one that might."""
    rows = [i for i, rule in enumerate(asked["rule"]) if rule == "reach"]
    measures = [asked["unit"].iloc[i] or "metres" for i in rows]
    limits = [_limit(asked.loc[i].to_dict(), whole) for i in rows]
    sets = [*(offers.sure[i] for i in rows), *(offers.maybe[i] for i in rows)]
    found = reached(cover, sets, measures * 2, limits * 2)
    sure, maybe = found[:, : len(rows)], found[:, len(rows) :]
    return dict(zip(rows, sure.T, strict=True)), dict(zip(rows, maybe.T, strict=True))


def _held(
    row: Mapping[Any, Any],
    number: int,
    cover: Cover,
    units: Units,
    offers: Offers,
    people: People,
    applies: NDArray[np.float64],
) -> Question:
    """A requirement of what stands in the unit: how many, how large the largest, or how large all together."""
    size, value = len(units.ids), float(row["value"])
    sure, maybe = offers.sure[number], offers.maybe[number]
    needed = np.full(size, value)
    per = parse_per(row["per"])
    if per is not None:
        needed = value * people.of(per[1]) / per[0]
    if units.facilities is None:
        # units without a place, such as a Series, hold no facilities that could be told
        nobody = np.full(size, np.nan)
        return Question(value, needed, nobody, nobody, applies)
    where = units.facilities
    if row["rule"] == "count":
        # a part of a facility is a whole one
        needed = np.ceil(needed - _TOLERANCE)
        return Question(value, needed, count_in(where, sure, size), count_in(where, maybe, size), applies)
    sizes = sizes_of(cover.facilities, RULES[row["rule"]].column)
    take = sum_in if row["rule"].endswith("_norm") else largest_in
    low = take(where, sure, sizes, size)
    blank = count_in(where, maybe & np.isnan(sizes), size) > 0
    high = np.where(blank, np.inf, take(where, maybe, sizes, size))
    return Question(value, needed, low, high, applies)


def _tier_reached(tier: str, whole: pd.DataFrame, people: People, units: int) -> NDArray[np.float64]:
    """Whether each unit has the people of a tier: then it needs the facilities of that tier and of all lower ones.

    By residents, else by dwellings; NaN where neither is known. A standard that does not say what the tier is asks for
    it everywhere.
    """
    out = np.full(units, np.nan)
    stated = False
    for rule, column in (("tier_population", "residents"), ("tier_dwellings", "dwellings")):
        least = whole.loc[(whole["rule"] == rule) & (whole["tier"] == tier) & (tier != ""), "value"]
        if len(least):
            stated = True
            held = people.of(column)
            out = np.where(np.isnan(out) & ~np.isnan(held), (held >= least.iloc[0]).astype(float), out)
    return out if stated else np.ones(units)


def _level(present: NDArray[np.float64], needed: NDArray[np.float64]) -> NDArray[np.object_]:
    met = present >= needed - _TOLERANCE * np.maximum(1.0, np.abs(needed))
    return np.select([met, present > 0], ["met", "partly"], "not_met").astype(object)


def _table(
    asked: pd.DataFrame, questions: list[Question], ids: list[str], total: NDArray[np.float64], share: float
) -> pd.DataFrame:
    """One row a unit and requirement, in the order of the units and of the standard."""
    rules = asked["rule"].to_numpy(dtype=object)

    def by_unit(values: list[NDArray[Any]]) -> NDArray[Any]:
        return np.stack(values, axis=1).ravel()

    needed, low = (by_unit([getattr(q, name) for q in questions]) for name in ("needed", "low"))
    repeated = {name: np.tile(asked[name].to_numpy(dtype=object), len(ids)) for name in (*_CARRIED, *_CITED)}
    rule = np.tile(rules, len(ids))
    people = np.repeat(total, len(asked))
    is_reach = rule == "reach"
    short = np.maximum(needed - low, 0.0)
    in_area = np.isin(rule.astype(str), [name for name, of in RULES.items() if "m2" in of.units])
    with np.errstate(invalid="ignore", divide="ignore"):
        reachable = np.where(is_reach & (people > 0), np.clip(low / people, 0, 1), np.nan)
    return pd.DataFrame(
        {
            "unit_id": np.repeat(np.array(ids, dtype=object), len(asked)),
            "requirement_id": np.tile(asked["requirement_id"].to_numpy(dtype=object), len(ids)),
            **{name: repeated[name] for name in ("standard", "category", "tier", "rule")},
            "limit": np.tile([q.limit for q in questions], len(ids)),
            **{name: repeated[name] for name in ("unit", "per", "applies_to")},
            "needed": needed,
            "present": low,
            "reachable": reachable,
            "share": np.where(is_reach, share, np.nan),
            "area_short_m2": np.where(in_area, short, np.nan),
            "places_short": np.where(np.isin(rule.astype(str), ("count", "classes")), short, np.nan),
            "status": by_unit([q.statuses() for q in questions]),
            **{name: repeated[name] for name in _CITED},
        }
    )
