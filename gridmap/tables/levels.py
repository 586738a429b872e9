"""Levels above the community: subdistricts, districts and the city, put together from their communities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.errors import GridmapError, OptionError
from gridmap.tables.contracts import CONTRACTS, check_table
from gridmap.tables.crs import to_crs, to_metric
from gridmap.tables.findings import AttachedFindings, finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["dissolve_communities"]

# The levels of the design, from below; a unit is told apart by the names of those above it too.
_LEVELS = ("subdistrict", "district", "city")
_COUNTS = tuple(c.name for c in CONTRACTS["buildings"].columns if c.kind == "count" and c.name != "floors")


def dissolve_communities(
    communities: gpd.GeoDataFrame,
    level: str | None = "subdistrict",
    *,
    counts: Iterable[str] | None = None,
    crack: float = 0.5,
) -> gpd.GeoDataFrame:
    """The units of a level above the community, each the land and the sums of its communities.

    Borders inside a unit disappear, all others stay as they are, vertex by vertex, so that units share them as the
    communities did. Holes stay holes.

    Parameters
    ----------
    communities
        Polygons with ``community_id`` and a column that names the unit of each.
    level
        That column: ``"subdistrict"``, ``"district"`` or any other. None makes one unit of all.
    counts
        Columns to add up; by default those of households, residents and the other counts of the design.
    crack
        Cracks between two communities of a unit are closed up to this width in metres, where no other unit lies.

    Returns
    -------
    GeoDataFrame
        One row a unit in order of its id, in the CRS of `communities`: unit_id (its name, with the names above it
        where that name is used twice), level, name, the names of the levels above, communities (number), the counts,
        pieces, holes, area_m2. Communities without a name in the column make a unit called ``"without <level>"``.
        ``attrs["findings"]``: units in several pieces, cracks closed, communities without a unit, counts not known.

    Raises
    ------
    OptionError
        When a column does not exist or holds no numbers.
    TableError
        When the communities break their contract.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> communities = gpd.GeoDataFrame(
    ...     {"community_id": ["1", "2", "3"], "subdistrict": ["东街", "东街", "西街"], "households": [900, 1100, 700]},
    ...     geometry=[box(0, 0, 9, 9), box(9, 0, 18, 9), box(0, 9, 18, 18)], crs=32650,
    ... )
    >>> dissolve_communities(communities, "subdistrict")[["unit_id", "communities", "households"]].to_dict("list")
    {'unit_id': ['东街', '西街'], 'communities': [2, 1], 'households': [2000.0, 700.0]}
    """
    table = check_table(communities, "communities")
    columns = _count_columns(table, counts)
    if level is not None and level not in table.columns:
        raise OptionError(
            f"level={level!r} is no column of communities; there are: {', '.join(map(str, table.columns))}."
        )
    names, ids = _units(table, level)
    order = sorted(set(ids))
    unit = pd.Categorical(ids, categories=order).codes
    shapes, closed = _land(table, unit, len(order), crack)
    first = np.array([int(np.flatnonzero(unit == k)[0]) for k in range(len(order))])
    out = pd.DataFrame({"unit_id": order, "level": level or "city"})
    out["name"] = None if level is None else names[level].to_numpy()[first]
    for above in [c for c in names.columns if c != level]:
        out[above] = names[above].to_numpy()[first]
    out["communities"] = np.bincount(unit, minlength=len(order))
    for column in columns:
        values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
        out[column] = np.bincount(unit, weights=np.nan_to_num(values), minlength=len(order))
        if not np.isclose(out[column].sum(), np.nansum(values)):
            raise GridmapError(
                f"internal: units hold {out[column].sum()} {column} of {np.nansum(values)}; please report this"
            )
    out["pieces"] = shapely.get_num_geometries(shapes)
    out["holes"] = [sum(len(part.interiors) for part in shapely.get_parts(shape)) for shape in shapes]
    units = gpd.GeoDataFrame(out, geometry=shapes, crs=table.crs)
    units.insert(len(units.columns) - 1, "area_m2", to_metric(units).area.round(1))
    found = _findings(units, table, unit, closed, columns, level)
    units.attrs["findings"] = AttachedFindings(findings_table(found, crs=table.crs))
    return units


def _count_columns(table: gpd.GeoDataFrame, counts: Iterable[str] | None) -> list[str]:
    if counts is None:
        return [c for c in _COUNTS if c in table.columns and pd.api.types.is_numeric_dtype(table[c])]
    chosen = list(counts)
    wrong = [c for c in chosen if c not in table.columns or not pd.api.types.is_numeric_dtype(table[c])]
    if wrong:
        raise OptionError(f"counts={chosen!r}: {', '.join(map(str, wrong))} are no columns of numbers of communities.")
    return chosen


def _units(table: gpd.GeoDataFrame, level: str | None) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Names of the level and of those above it, and the id of the unit of each community."""
    if level is None:
        return pd.DataFrame(index=table.index), np.full(len(table), "city", dtype=object)
    above = [c for c in _LEVELS[_LEVELS.index(level) + 1 :] if c in table.columns] if level in _LEVELS else []
    names = pd.DataFrame(
        {
            c: table[c].map(lambda v: None if pd.isna(v) or not str(v).strip() else str(v).strip())
            for c in [level, *above]
        },
        dtype=object,
    )
    own = names[level].fillna(f"without {level}")
    full = own.copy()
    for column in above:
        full = full.where(names[column].isna(), full + "/" + names[column].fillna(""))
    twice = full.groupby(own).transform("nunique") > 1
    return names, own.where(~twice, full).to_numpy(dtype=object)


def _land(
    table: gpd.GeoDataFrame, unit: NDArray[np.integer], count: int, crack: float
) -> tuple[NDArray[np.object_], dict[int, BaseGeometry]]:
    """The land of each unit, and the cracks closed in it."""
    shapes = np.asarray(table.geometry.array)
    width = crack if table.crs.is_projected else crack / 111_320  # metres of a degree of latitude
    out, closed = np.empty(count, dtype=object), {}
    tree = shapely.STRtree(shapes)
    for k in range(count):
        own = shapes[unit == k]
        if shapely.coverage_is_valid(own, gap_width=width):
            out[k] = shapely.coverage_union_all(own)
            continue
        whole = shapely.union_all(own)
        cracks = _cracks(whole, own, width)
        near = tree.query(whole, predicate="intersects")
        others = shapely.union_all(shapes[near[unit[near] != k]])
        cracks = shapely.difference(cracks, others)
        if cracks.area > 0:
            closed[k] = cracks
            whole = shapely.union_all([whole, cracks])
        out[k] = whole
    return out, closed


def _cracks(whole: BaseGeometry, own: NDArray[np.object_], width: float) -> BaseGeometry:
    """Narrow land between two of the shapes: what is filled when the outline is widened and drawn in again."""
    wide = whole.buffer(width / 2, join_style="mitre").buffer(-width / 2, join_style="mitre")
    parts = shapely.get_parts(shapely.difference(wide, whole))
    touching = np.array([int((shapely.distance(own, part) <= width / 100).sum()) for part in parts], dtype=np.int64)
    return shapely.union_all(parts[touching >= 2])


def _findings(
    units: gpd.GeoDataFrame,
    table: gpd.GeoDataFrame,
    unit: NDArray[np.integer],
    closed: dict[int, BaseGeometry],
    columns: list[str],
    level: str | None,
) -> list[dict[str, Any]]:
    found = []
    for row in units[units["pieces"] > 1].itertuples():
        parts = sorted(shapely.get_parts(row.geometry), key=lambda part: -part.area)
        found.append(
            finding(
                "info", "unit_in_pieces", f"{row.unit_id} is in {row.pieces} pieces.",
                cure="Check the unit of the communities in the smaller pieces.",
                ids=[row.unit_id], geometry=shapely.multipolygons(parts[1:]),
            )
        )  # fmt: skip
    metric = to_metric(table).crs
    for k, cracks in closed.items():
        area = float(to_crs(gpd.GeoDataFrame(geometry=[cracks], crs=table.crs), metric).area.sum())
        name = units["unit_id"].iloc[k]
        found.append(
            finding(
                "info", "unit_cracks", f"Cracks of {area:,.1f} m² between communities of {name} are closed.",
                cure="Let the communities share their borders.",
                ids=[name], certificate={"area_m2": round(area, 2)}, geometry=cracks,
            )
        )  # fmt: skip
    if level is not None:
        nameless = table["community_id"][units["name"].isna().to_numpy()[unit]].tolist()
        if nameless:
            found.append(
                finding(
                    "warning", "community_without_unit", f"{len(nameless)} communities name no {level}.",
                    cure=f"Fill in the column {level} of the communities.", ids=nameless,
                )
            )  # fmt: skip
    for column in columns:
        unknown = table["community_id"][table[column].isna()].tolist()
        if unknown:
            found.append(
                finding(
                    "warning", "unit_counts_missing",
                    f"{len(unknown)} communities have no {column}; they add nothing to their unit.",
                    cure="Fill in the count.", status=column, ids=unknown,
                )
            )  # fmt: skip
    return found
