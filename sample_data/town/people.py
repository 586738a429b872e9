"""Counts: households, residents, the old and the young of every building, from its dwellings and its community."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Share of dwellings lived in, people a household, registered a resident, share of 60+, of 0-14.
_COMMUNITY = {
    "990101001001": (0.945, 2.58, 0.74, 0.205, 0.140),
    "990101001002": (1.000, 2.21, 0.83, 0.338, 0.085),
    "990101001003": (0.940, 2.92, 0.91, 0.226, 0.172),
    "990101001004": (0.935, 2.47, 0.66, 0.184, 0.146),
    "990101001205": (1.000, 2.64, 1.21, 0.372, 0.104),
}
_OVER_80 = 0.135  # of those aged 60 and over
_DORMITORY = 96  # students a floor


def count(buildings: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The buildings with household and people columns; a dormitory has residents and no household."""
    out = buildings.copy()
    lived_in, size, registered, old, young = (
        out.community_id.map({c: v[i] for c, v in _COMMUNITY.items()}).to_numpy(dtype="float64") for i in range(5)
    )
    dwellings = out["dwellings"].to_numpy(dtype="int64")
    vacant = np.clip(1 - lived_in + rng.normal(0, 0.015, len(out)), 0, 0.2) * (lived_in < 1)
    households = dwellings - np.rint(dwellings * vacant).astype("int64")
    given = out["households"].notna().to_numpy()
    households[given] = out.loc[given, "households"].astype("int64")
    people = np.rint(households * size + rng.normal(0, 0.55, len(out)) * np.sqrt(households)).astype("int64")
    people = np.maximum(people, households)
    dormitory = (out["use"] == "dormitory").to_numpy()
    people[dormitory] = _DORMITORY * out.loc[dormitory, "floors"].astype("int64")
    old, young = np.where(dormitory, 0.0, old), np.where(dormitory, 0.0, young)
    out["households"] = households
    out["residents"] = people
    here = np.where(dormitory, 0.3, registered + rng.normal(0, 0.03, len(out)))
    out["registered"] = np.rint(people * here).astype("int64")
    out["elderly"] = rng.binomial(people, old)
    out["elderly_80"] = rng.binomial(out["elderly"], _OVER_80)
    out["children"] = rng.binomial(people - out["elderly"], young / (1 - old))
    shops = out["shops"].to_numpy(dtype="int64")
    works = (out["use"] == "industrial").to_numpy()
    out["enterprises"] = np.where(works, rng.integers(1, 4, len(out)), rng.binomial(shops, 0.25))
    return out


def units(buildings: pd.DataFrame) -> pd.DataFrame:
    """The households of each entrance stack of slabs and towers; they add up to the building's."""
    stacked = buildings[((buildings["units"] > 1) | (buildings["floors"] > 7)) & (buildings["households"] > 0)]
    n = stacked["units"].to_numpy(dtype="int64")
    number = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    whole, left = np.divmod(stacked["households"].to_numpy(dtype="int64"), n)
    return pd.DataFrame(
        {
            "building_id": np.repeat(stacked["building_id"].to_numpy(), n),
            "unit_id": [f"{k + 1}单元" for k in number],
            "households": np.repeat(whole, n) + (number < np.repeat(left, n)),
        }
    )
