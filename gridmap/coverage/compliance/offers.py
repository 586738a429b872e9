"""Offers: which facilities count for a requirement for certain, and which might."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridmap.coverage.counting.services import is_counted
from gridmap.errors import OptionError
from gridmap.standards.rules import TIERS, clean_tier
from gridmap.tables.categories import facility_categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Offers", "find_offers", "one_key"]

#: Categories that may hold facilities of a narrower one: a school may be a primary school, or not.
_WIDER = {
    "primary_school": ("school",), "middle_school": ("school",), "health_station": ("clinic",),
    "health_centre": ("clinic",), "cultural": ("culture",), "fitness": ("sports",), "green": ("park",),
    "canteen": ("restaurant",), "elderly_canteen": ("canteen", "restaurant"),
    "community_service": ("community_centre",),
}  # fmt: skip


@dataclass(frozen=True)
class Offers:
    """Facilities by requirement.

    Attributes
    ----------
    sure, maybe
        Which facilities count for each requirement, and which might as well, shape (requirements, facilities); all of
        `sure` are in `maybe`.
    tierless
        Facilities of each requirement of whose tier nothing is known although several tiers ask for them.
    wider
        For each requirement of a category that no facility has, the wider categories that were taken as might-be.
    strange
        Rows of facilities whose tier is no word for one.
    """

    sure: NDArray[np.bool_]
    maybe: NDArray[np.bool_]
    tierless: NDArray[np.bool_]
    wider: list[tuple[str, ...]]
    strange: NDArray[np.int64]


def find_offers(
    facilities: gpd.GeoDataFrame, requirements: pd.DataFrame, also: Mapping[str, str | Iterable[str]] | None
) -> Offers:
    """Which facilities count for each requirement.

    A facility counts when it stands today, is open to the public, and is of a category asked for. Tiers do not stand in
    for one another (GB 50180-2018, notes on chapter 5): one with a tier counts for requirements of that tier alone, and
    for those that name none. One without a tier counts where a single tier asks for its category; where several do, it
    might count.

    Parameters
    ----------
    facilities
        Checked table.
    requirements
        Rows of a standard that ask for facilities.
    also
        Further categories of the facilities that serve a category of the standard.

    Raises
    ------
    OptionError
        When `also` names no category of the standard or of the facilities.
    """
    kinds = facilities["category"].map(one_key).to_numpy(dtype=object)
    counted = is_counted(facilities)
    asked = [{one_key(c) for c in several.split("|")} for several in requirements["category"]]
    wanted = [own | extra for own, extra in zip(asked, _further(asked, kinds, also), strict=True)]
    tiers = facilities["tier"].fillna("").map(clean_tier) if "tier" in facilities.columns else None
    tier = np.full(len(facilities), "", dtype=object) if tiers is None else tiers.to_numpy(dtype=object)
    strange = np.flatnonzero(~np.isin(tier.astype(str), ("", *TIERS)))
    tier[strange] = ""
    shape = (len(asked), len(facilities))
    sure, maybe, tierless = (np.zeros(shape, dtype=bool) for _ in range(3))
    wider: list[tuple[str, ...]] = []
    own_tiers = requirements["tier"].tolist()
    for i, of in enumerate(wanted):
        among = np.isin(kinds.astype(str), sorted(of))
        offered = counted & among
        rivals = {t for t, other in zip(own_tiers, asked, strict=True) if t and other & asked[i]}
        same = offered & ((tier == own_tiers[i]) | (own_tiers[i] == ""))
        unknown = offered & (tier == "") & (own_tiers[i] != "")
        sure[i] = same | unknown if len(rivals) == 1 else same
        tierless[i] = unknown & ~sure[i]
        maybe[i] = sure[i] | unknown
        near = () if among.any() else tuple(sorted(_wider(asked[i]) & set(kinds)))
        maybe[i] |= counted & np.isin(kinds.astype(str), near)
        wider.append(near)
    return Offers(sure, maybe, tierless, wider, strange)


def one_key(category: str) -> str:
    """The first of several keys for the same thing, so that ``secondary_school`` is ``middle_school``.

    Examples
    --------
    >>> one_key("secondary_school"), one_key("food_market"), one_key("tea_house")
    ('middle_school', 'market', 'tea_house')
    """
    known = facility_categories()[0]
    named = known.get(str(category))
    if named is None:
        return str(category)
    return next(key for key, other in known.items() if other.name_zh == named.name_zh)


def _wider(asked: set[str]) -> set[str]:
    return {wide for category in asked for wide in _WIDER.get(category, ())} - asked


def _further(
    asked: list[set[str]], kinds: NDArray[np.object_], also: Mapping[str, str | Iterable[str]] | None
) -> list[set[str]]:
    """Further categories by requirement."""
    further: dict[str, set[str]] = {}
    every = set().union(*asked)
    for category, given in (also or {}).items():
        names = {one_key(name) for name in ([given] if isinstance(given, str) else given)}
        if one_key(category) not in every:
            raise OptionError(f"categories={category!r}: the standard asks for none such; {', '.join(sorted(every))}.")
        unknown = sorted(names - set(kinds) - set(facility_categories()[0]))
        if unknown:
            raise OptionError(
                f"categories: facilities have no {unknown[0]!r}; there are: {', '.join(sorted(map(str, set(kinds))))}."
            )
        further[one_key(category)] = names
    return [set().union(*(further.get(category, set()) for category in own)) for own in asked]
