"""Findings of a compliance table: what could not be judged, why, and what would change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.coverage.compliance.holdings import sizes_of
from gridmap.coverage.compliance.offers import one_key
from gridmap.standards.rules import RULES, parse_per
from gridmap.tables.findings import finding, findings_table
from gridmap.view.compliance_words import category_words, column_word

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.coverage.compliance.offers import Offers
    from gridmap.coverage.compliance.people import People
    from gridmap.coverage.counting.cover import Cover
    from gridmap.coverage.counting.units import Units

__all__ = ["findings_of"]

# More ids than this in a finding help nobody.
_SHOWN = 20


def findings_of(
    cover: Cover, asked: pd.DataFrame, offers: Offers, units: Units, people: People, table: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Everything that a reader of the table should know, the gravest first.

    Parameters
    ----------
    cover
        With the facilities.
    asked
        The requirements, in order.
    offers, units, people
        What was counted.
    table
        The compliance table.
    """
    judged = cover.facilities
    rows = [
        *_columns(judged, asked, offers),
        *_people(asked, people, units),
        *_areas(asked, table),
        *_tiers(judged, asked, offers),
        *_categories(judged, asked, offers),
        *_places(asked, units),
        *_verification(asked),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return findings_table(sorted(rows, key=lambda row: order[row["severity"]]), crs=cover.buildings.crs)


def _columns(facilities: gpd.GeoDataFrame, asked: pd.DataFrame, offers: Offers) -> list[dict[str, Any]]:
    """Sizes that requirements ask for and facilities do not have."""
    columns = [RULES[rule].column for rule in asked["rule"]]
    found = []
    for column in dict.fromkeys(filter(None, columns)):
        of = [i for i, own in enumerate(columns) if own == column]
        wanted = offers.maybe[of].any(axis=0)
        blank = wanted & np.isnan(sizes_of(facilities, column))
        if blank.any():
            found.append(
                finding(
                    "warning", "compliance_size_missing",
                    f"{blank.sum():,} of {wanted.sum():,} facilities do not say their {column_word(column, 'en')}, "
                    f"which {len(of):,} requirements ask for; units that hang on them are not judged.",
                    cure=f"Fill in the {column_word(column, 'en')} of facilities (column {column}).", status=column,
                    ids=facilities.loc[blank, "facility_id"].head(_SHOWN),
                    certificate={"column": column, "facilities": int(blank.sum()), "requirements": len(of)},
                )
            )  # fmt: skip
    return found


def _people(asked: pd.DataFrame, people: People, units: Units) -> list[dict[str, Any]]:
    """Counts that requirements ask for and buildings do not have."""
    wanted: dict[str, set[str]] = {}
    for requirement, text in zip(asked["requirement_id"], asked["per"], strict=True):
        per = parse_per(text)
        if per is not None:
            wanted.setdefault(per[1], set()).add(requirement)
    # whether the tier is reached goes by residents, else by dwellings
    by_tier = asked.loc[(asked["tier"] != "") & (asked["rule"] != "reach"), "requirement_id"]
    unsaid = np.isnan(people.of("residents")) & np.isnan(people.of("dwellings"))
    if len(by_tier) and unsaid.any():
        wanted.setdefault("residents", set()).update(by_tier)
    found = []
    for column, requirements in wanted.items():
        unknown = np.isnan(people.of(column))
        if unknown.any():
            named = column_word(column, "en")
            persons = ", or say how many persons a household has (persons_per_household=number)"
            found.append(
                finding(
                    "warning", "compliance_people_missing",
                    f"{named.capitalize()} are not known in {unknown.sum():,} of {len(unknown):,} units; "
                    f"{len(requirements):,} requirements that go by them are not judged there.",
                    cure=f"Give every building that is lived in its {named} (column {column})"
                    f"{persons if column == 'residents' else ''}.",
                    status=column, ids=np.array(units.ids, dtype=object)[unknown][:_SHOWN],
                    certificate={"column": column, "units": int(unknown.sum()), "requirements": len(requirements)},
                )
            )  # fmt: skip
    return found


def _areas(asked: pd.DataFrame, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Requirements of some areas, in units of which nobody says what they are."""
    conditional = asked.loc[asked["applies_to"] != "", ["requirement_id", "applies_to"]]
    untold = table["requirement_id"].isin(conditional["requirement_id"]) & (table["status"] == "no_data")
    ids = table.loc[untold, "requirement_id"].unique()
    if not len(ids):
        return []
    kinds = sorted(set(conditional["applies_to"]))
    return [
        finding(
            "info", "compliance_area_unknown",
            f"{len(ids):,} requirements hold in certain areas alone ({', '.join(kinds)}), and may hang on which a unit "
            "is in.",
            cure="Say in which area the units are, or each of them (areas=text).", ids=ids,
            certificate={"requirements": len(ids)},
        )
    ]  # fmt: skip


def _tiers(facilities: gpd.GeoDataFrame, asked: pd.DataFrame, offers: Offers) -> list[dict[str, Any]]:
    """Facilities without a tier that several tiers ask for, and tiers that are no words for one."""
    found = []
    unknown = offers.tierless.any(axis=0)
    if unknown.any():
        ids = asked["requirement_id"].to_numpy(dtype=object)[offers.tierless.any(axis=1)]
        found.append(
            finding(
                "warning", "compliance_tier_missing",
                f"{unknown.sum():,} facilities have no tier, and several tiers ask for their category. They count for "
                f"none of the {len(ids):,} requirements; where they would change the answer, it is left open.",
                cure="Fill in the tier of facilities (column tier): 15min, 10min, 5min or block.",
                ids=facilities.loc[unknown, "facility_id"].head(_SHOWN),
                certificate={"facilities": int(unknown.sum()), "requirements": sorted(ids)},
            )
        )  # fmt: skip
    if len(offers.strange):
        words = sorted(set(facilities["tier"].iloc[offers.strange].astype(str)))
        found.append(
            finding(
                "warning", "compliance_tier_unread",
                f"{len(offers.strange):,} facilities have a tier that is none ({', '.join(words[:5])}); they were "
                "taken as without one.",
                cure="Write 15min, 10min, 5min or block.",
                ids=facilities["facility_id"].iloc[offers.strange[:_SHOWN]],
                certificate={"facilities": len(offers.strange)},
            )
        )  # fmt: skip
    return found


def _categories(facilities: gpd.GeoDataFrame, asked: pd.DataFrame, offers: Offers) -> list[dict[str, Any]]:
    """Categories that a standard asks for and no facility has."""
    kinds = set(facilities["category"].map(one_key))
    found = []
    for category in dict.fromkeys(asked["category"]):
        rows: NDArray[np.int64] = np.flatnonzero((asked["category"] == category).to_numpy())
        near = offers.wider[rows[0]]
        if offers.sure[rows].any() or kinds & {one_key(c) for c in category.split("|")}:
            continue
        named, status = category_words(category, "en"), category.split("|")[0]
        ids = asked.loc[rows, "requirement_id"]
        if near:
            message = (
                f"No facility is called {named}; some are {category_words('|'.join(near), 'en')}, and which of them "
                "are meant cannot be told."
            )
            cure = "Give those their own category, or say which ones are meant (categories=mapping)."
            certificate = {"wider": list(near)}
            found.append(
                finding(
                    "warning", "compliance_category_unclear", message,
                    cure=cure, status=status, ids=ids, certificate=certificate,
                )
            )  # fmt: skip
        else:
            message = f"No facility is called {named}; what asks for one is not met anywhere."
            cure = "If there are some under another name, say which ones (categories=mapping); else it is so."
            found.append(finding("warning", "compliance_category_absent", message, cure=cure, status=status, ids=ids))
    return found


def _places(asked: pd.DataFrame, units: Units) -> list[dict[str, Any]]:
    inside = int((asked["rule"] != "reach").sum())
    if units.facilities is not None or not inside:
        return []
    return [
        finding(
            "warning", "compliance_units_without_place",
            f"The units have no place on the map: {inside:,} requirements of what stands in them are not judged.",
            cure="Give the units as polygons or a plan (by=polygons).", certificate={"requirements": inside},
        )
    ]  # fmt: skip


def _verification(asked: pd.DataFrame) -> list[dict[str, Any]]:
    """Requirements whose number nobody reliable confirms."""
    weak = asked[asked["verification"].isin(("unverified", "conflict"))]
    if not len(weak):
        return []
    return [
        finding(
            "info", "compliance_unverified",
            f"{len(weak):,} of {len(asked):,} requirements have numbers that are not verified or that sources differ "
            "on; they are judged all the same, and marked.",
            cure="Check them in the standard, and give a file of your own beside it, or leave them out (states=text).",
            ids=weak["requirement_id"], certificate={"requirements": len(weak), "all": len(asked)},
        )
    ]  # fmt: skip
