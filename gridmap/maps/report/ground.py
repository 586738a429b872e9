"""Ground: the tables of a plan and a cover in one metric CRS, with an index, as the small maps of a page need them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from gridmap.maps import classes
from gridmap.maps.backdrop import WATER, barrier_kinds, street_ranks
from gridmap.maps.bands import bands_of
from gridmap.maps.columns import rows_of, texts_in
from gridmap.maps.grid_names import short_codes, short_names
from gridmap.maps.layers import sort_layers
from gridmap.maps.words import category_labels, words
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.maps.bands import Bands
    from gridmap.maps.layers import Content

__all__ = ["Ground", "Layer", "ground_of"]

#: Kinds of streets and barriers, as `Ground.kinds` names them.
MAIN, STREET, PATH = 0, 1, 2
# Through streets and secondary ones are the main ones on paper; a railway among the streets is drawn as one.
_STREET_KINDS = np.array([MAIN, MAIN, STREET, STREET, PATH, STREET])


class Layer(NamedTuple):
    """A table, its shapes in metres, and an index of them."""

    table: pd.DataFrame
    shapes: NDArray[Any]
    tree: shapely.STRtree

    def within(self, bounds: Sequence[float]) -> NDArray[np.int64]:
        """Rows whose box touches `bounds` (west, south, east, north in metres), in the order of the table."""
        return np.sort(self.tree.query(shapely.box(*bounds)))


@dataclass
class Ground:
    """All that the pages of one document draw and name.

    Attributes
    ----------
    content
        Plan, cover and tables, as the interactive map sorts them.
    lang
        Language of the pages.
    layers
        Tables by name: grids, communities, compounds, entrances, buildings, facilities, streets, barriers, and
        ``homes``, the buildings of the cover.
    lower, upper
        The band of households.
    """

    content: Content
    lang: str
    layers: dict[str, Layer]
    lower: float
    upper: float

    @cached_property
    def words(self) -> dict[str, str]:
        """The words of the interactive map, for what has the same name here."""
        return words(self.lang)

    @cached_property
    def bands(self) -> Bands:
        """What each grid counts against which limits."""
        parameters = getattr(self.content.plan, "parameters", None) or {}
        grids = self.content.tables["grids"]
        return bands_of(grids, self.lower, self.upper, str(parameters.get("weight", "households")))

    @cached_property
    def theme(self) -> dict[str, Any]:
        """Classes of the grids by the band, and the class of each, as on the interactive map."""
        return classes.band_theme(self.bands, self.statuses, self.words)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Categories as a person reads them."""
        names = [str(name) for name in getattr(self.content.cover, "names", [])]
        facilities = self.content.tables.get("facilities")
        others = [] if facilities is None else sorted(facilities["category"].dropna().astype(str).unique())
        return category_labels(dict.fromkeys([*names, *others]), self.lang)

    @cached_property
    def street_kinds(self) -> NDArray[np.int64]:
        """`MAIN`, `STREET` or `PATH` of each street."""
        return _STREET_KINDS[street_ranks(self.layers["streets"].table)]

    @cached_property
    def water(self) -> NDArray[np.bool_]:
        """Which barriers are water."""
        return barrier_kinds(self.layers["barriers"].table) == WATER

    @cached_property
    def grid_ids(self) -> list[str]:
        """The id of each grid."""
        return self.layers["grids"].table["grid_id"].astype(str).tolist()

    @cached_property
    def statuses(self) -> list[str]:
        """The status of each grid."""
        return self.layers["grids"].table["status"].astype(str).tolist()

    @cached_property
    def places(self) -> list[str]:
        """District, subdistrict and name of each community, as far as they are known."""
        if "communities" not in self.layers:
            return []
        table = self.layers["communities"].table
        columns = [texts_in(table, c, self.lang) for c in ("district", "subdistrict") if c in table]
        return [" ".join(filter(None, parts)) for parts in zip(*columns, self.community_names, strict=True)]

    @cached_property
    def codes(self) -> list[str]:
        """The short code of each grid: what follows the code of its community."""
        return short_codes(self.layers["grids"].table, self._communities)

    @cached_property
    def community_rows(self) -> NDArray[np.int64]:
        """Row of the community of each grid, -1 for none."""
        grids = self.layers["grids"].table
        return rows_of(grids.get("community_id"), self._communities, "community_id", len(grids))

    @cached_property
    def community_names(self) -> list[str]:
        """The name of each community, or its id."""
        if "communities" not in self.layers:
            return []
        table = self.layers["communities"].table
        names = texts_in(table, "name", self.lang)
        return [name or str(own) for name, own in zip(names, table["community_id"], strict=True)]

    @cached_property
    def grid_names(self) -> list[str]:
        """Names of the grids, without the name of their community, which stands beside them, and without their code."""
        compounds = getattr(self.content.plan, "compounds", None)
        names = short_names(self.layers["grids"].table, self._communities, self.lang, compounds)
        return ["" if name == code else name for name, code in zip(names, self.codes, strict=True)]

    @property
    def _communities(self) -> pd.DataFrame | None:
        return self.layers["communities"].table if "communities" in self.layers else None

    def community_of(self, grid: int) -> str:
        """The name of the community of a grid; empty when it is not known."""
        row = int(self.community_rows[grid])
        return self.community_names[row] if row >= 0 else ""


def ground_of(
    plan: Any,
    cover: Any,
    lang: str,
    findings: gpd.GeoDataFrame | None = None,
    *,
    sites: Any = None,
    compliance: pd.DataFrame | None = None,
) -> Ground:
    """The ground of a plan, a cover, a plan of sites, a compliance table, or several; `findings` in place of theirs."""
    content = sort_layers([part for part in (plan, cover, sites, compliance) if part is not None])
    if findings is not None:
        content.tables["findings"] = findings
    tables = dict(content.tables)
    if cover is not None or sites is not None:
        tables["homes"] = sites.buildings if cover is None else cover.buildings
    crs = metric_crs(tables["grids"] if "grids" in tables else tables["homes"])
    parameters = getattr(plan, "parameters", None) or {}
    lower, upper = float(parameters.get("lower", 300)), float(parameters.get("upper", 500))
    return Ground(content, lang, {name: _layer(table, crs) for name, table in tables.items()}, lower, upper)


def _layer(table: gpd.GeoDataFrame, crs: Any) -> Layer:
    known = table.geometry.notna()
    placed = table if known.all() else table[known.to_numpy()]
    moved = placed if placed.crs is None else to_crs(placed, crs)
    shapes = np.asarray(moved.geometry.array)
    return Layer(moved.reset_index(drop=True), shapes, shapely.STRtree(shapes))
