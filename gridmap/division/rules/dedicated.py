"""Dedicated areas: compounds or polygons that are grids of their own, outside the band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dedicated_compounds", "over"]


def dedicated_compounds(
    compounds: gpd.GeoDataFrame | None,
    dedicated: Iterable[str] | gpd.GeoDataFrame | None,
    communities: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame | None, dict[str, str | None]]:
    """The compounds, with dedicated areas among them, and the ids of the dedicated ones with their names.

    A dedicated area is a compound that is never opened and never joined with its neighbours. Compounds that it covers
    by more than half are part of it.

    Raises
    ------
    OptionError
        When an id is no compound's.
    """
    if dedicated is None:
        return compounds, {}
    if not isinstance(dedicated, gpd.GeoDataFrame):
        wanted = [str(d) for d in ([dedicated] if isinstance(dedicated, str) else dedicated)]
        known = {} if compounds is None else _names(compounds)
        unknown = sorted(set(wanted) - set(known))
        if unknown:
            raise OptionError(f"dedicated names compounds that there are not: {', '.join(unknown[:10])}")
        return compounds, {c: known[c] for c in wanted}
    areas = dedicated.to_crs(communities.crs).reset_index(drop=True)
    given = next((areas[c] for c in ("compound_id", "grid_id") if c in areas), areas.index.astype(str))
    areas = check_table(areas.assign(compound_id=[f"dedicated:{i}" for i in given]), "compounds")
    if compounds is None or compounds.empty:
        return areas, _names(areas)
    return over(compounds, areas), _names(areas)


def over(compounds: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Compounds with some areas laid over them: gone where covered by more than half, else cut there."""
    others = compounds.to_crs(areas.crs)
    whole = areas.union_all()
    covered = others.geometry.intersection(whole).area > others.area / 2
    others = others[~covered]
    cut = shapely.relate_pattern(others.geometry.to_numpy(), whole, "T********")
    others = others.assign(geometry=others.geometry.where(~cut, others.geometry.difference(whole)))
    return gpd.GeoDataFrame(pd.concat([others, areas], ignore_index=True), crs=areas.crs)


def _names(compounds: gpd.GeoDataFrame) -> dict[str, str | None]:
    names = compounds["name"] if "name" in compounds else pd.Series(None, index=compounds.index, dtype=object)
    return dict(zip(compounds["compound_id"], names, strict=True))
