"""Compliance as tables for people: a traffic light a unit and requirement (达标表), and how many of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gridmap.errors import OptionError
from gridmap.view.compliance_words import requirement_words, status_word

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIGHTS", "STATUSES", "compliance_table", "lights", "requirements_of", "summarise"]

#: Statuses from good to bad, then those that are none.
STATUSES = ("met", "partly", "not_met", "no_data", "does_not_apply")

#: Colours of the traffic light, as six hexadecimal digits.
LIGHTS = {"met": "BFE0C8", "partly": "FBE7A3", "not_met": "F2B8A0", "no_data": "E6E9EB"}


def summarise(compliance: pd.DataFrame) -> pd.DataFrame:
    """One row a requirement, in order: how many units have each status, and the share met of those judged."""
    counts = pd.crosstab(compliance["requirement_id"], compliance["status"])
    counts = counts.reindex(index=compliance["requirement_id"].unique(), columns=list(STATUSES), fill_value=0)
    judged = counts[["met", "partly", "not_met"]].sum(axis=1)
    counts["met_share"] = (counts["met"] / judged).where(judged > 0)
    counts.columns.name = None
    return counts.rename_axis("requirement_id").reset_index()


def requirements_of(compliance: pd.DataFrame) -> pd.DataFrame:
    """The requirements of a compliance table, one row each, in order."""
    return compliance.drop_duplicates("requirement_id").reset_index(drop=True)


def lights(compliance: pd.DataFrame) -> pd.DataFrame:
    """The statuses, a row a unit and a column a requirement, both in order."""
    wide = compliance.set_index(["unit_id", "requirement_id"])["status"].unstack()  # noqa: PD010
    return wide.reindex(index=compliance["unit_id"].unique(), columns=compliance["requirement_id"].unique())


def compliance_table(
    compliance: pd.DataFrame, lang: str = "en", *, names: Mapping[str, str] | pd.Series | None = None
) -> pd.DataFrame:
    """The traffic-light table (达标表) of a compliance table, in words.

    Parameters
    ----------
    compliance
        What `Cover.compliance` returns.
    lang
        ``"en"`` or ``"zh"``.
    names
        What units are called, by their id, as a mapping or a Series; by default the id itself.

    Returns
    -------
    DataFrame
        One row a unit, one column a requirement, named by what it asks for, and words for the status in the cells.

    Raises
    ------
    OptionError
        When the language is unknown.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import gridmap as gm
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a"], "households": [30]}, geometry=[Point(0, 0)], crs=32650
    ... )
    >>> schools = gpd.GeoDataFrame(
    ...     {"facility_id": ["f"], "category": ["primary_school"]}, geometry=[Point(300, 0)], crs=32650
    ... )
    >>> own = {"requirement_id": ["s"], "category": ["primary_school"], "rule": ["reach"], "value": [500]}
    >>> standard = pd.DataFrame({**own, "unit": ["metres"]})
    >>> met = gm.cover(homes, schools, minutes=15, how="straight").compliance(standard)
    >>> compliance_table(met).to_dict("list")
    {'Primary school: within 500 m': ['met']}
    """
    if lang not in ("en", "zh"):
        raise OptionError(f"lang={lang!r}; it is one of en, zh")
    wide = lights(compliance)
    named = [requirement_words(row, lang) for row in requirements_of(compliance).to_dict("records")]
    out = wide.map(lambda status: status_word(status, lang))
    # two standards may ask for the same: pandas takes columns of one name, readers do not
    out.columns = pd.Index(_apart(named))
    called = {} if names is None else names
    out.index = pd.Index([called.get(unit, unit) for unit in wide.index], name=wide.index.name)
    return out


def _apart(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
