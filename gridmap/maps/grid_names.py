"""Grid names: what a grid is called beside its community: its code and its name without what both begin with."""

from __future__ import annotations

import pandas as pd

from gridmap.maps.columns import rows_of, texts, texts_in
from gridmap.maps.words import LANGUAGES

__all__ = ["short_codes", "short_names"]


def short_codes(grids: pd.DataFrame, communities: pd.DataFrame | None) -> list[str]:
    """What is left of a grid's code when the code of its community is taken from its front; else the whole code.

    The code of a community is its column `code`, or its id.
    """
    ids = grids["grid_id"].astype(str)
    start: dict[str, str] = {}
    if communities is not None:
        own = communities["community_id"].astype(str)
        code = communities.get("code", own).fillna("").astype(str)
        start = dict(zip(own, code, strict=True))
    owners = grids["community_id"].astype(str) if "community_id" in grids else pd.Series("", index=grids.index)
    out = []
    for grid, owner in zip(ids, owners, strict=True):
        lead = next((s for s in (start.get(owner, ""), owner) if s and grid.startswith(s) and len(grid) > len(s)), "")
        out.append(grid[len(lead) :].lstrip("-_ ") or grid)
    return out


def short_names(
    grids: pd.DataFrame, communities: pd.DataFrame | None, lang: str, compounds: pd.DataFrame | None = None
) -> list[str]:
    """Names of grids without the name of their community in front, in whichever language it has that.

    A grid called as one of the `compounds`, as dedicated grids are, has the name that it has in the language.
    """
    names = texts_in(grids, "name", lang)
    if compounds is not None and "name" in compounds:
        known = dict(zip(texts(compounds["name"]), texts_in(compounds, "name", lang), strict=True))
        names = [name and known.get(name, name) for name in names]
    if communities is None:
        return names
    owner = rows_of(grids.get("community_id"), communities, "community_id", len(grids)).tolist()
    columns = ("name", *(f"name_{one}" for one in LANGUAGES))
    leads = [texts(communities.get(column), len(communities)) for column in columns]
    out = []
    for name, row in zip(names, owner, strict=True):
        lead = next((of[row] for of in leads if row >= 0 and of[row] and name.startswith(of[row])), "")
        out.append(name[len(lead) :].strip(" -_·") or name)
    return out
