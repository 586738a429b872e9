"""Units that do not tile the unit above them: a grid that leaves its community, land of a community without a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.check.measures import mean_width, narrow, polygonal, sizes_words
from gridmap.tables.check.tiling import union
from gridmap.tables.contracts import clean_ids
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer
    from gridmap.tables.check.measures import Homes
    from gridmap.tables.check.tolerances import Tolerances

__all__ = ["check_parents", "parent_of"]


def check_parents(children: Layer, parents: Layer, homes: Homes | None, tolerances: Tolerances) -> list[dict[str, Any]]:
    """Findings on children that reach out of their parent, and on land of a parent that no child has.

    What a sliver is wide is told as a sliver, and less than the least area not at all. Gaps that the children enclose
    are findings of their own level, also where they are told here.
    """
    parent, stated = parent_of(children, parents)
    found = _unknown(children, parents, stated)
    known = np.flatnonzero(parent >= 0)
    out = polygonal(shapely.difference(children.shapes[known], parents.shapes[parent[known]]))
    for i in np.flatnonzero(shapely.area(out) >= tolerances.least_area).tolist():
        child, of = children.ids[known[i]], parents.ids[parent[known[i]]]
        sizes, thin = _sizes(children, out[i], homes, tolerances)
        found.append(
            finding(
                "warning" if thin else "error", "child_outside_parent",
                f"{children.name}: {child} reaches out of {of} ({parents.name}) by {sizes_words(sizes)}.",
                status="sliver" if thin else "land", ids=[child, of], certificate=sizes, geometry=out[i],
                cure="Cut it at the border of the unit above, or correct that border.",
            )
        )  # fmt: skip
    # only what lies near a parent can cover it: one union of all children serves for every parent
    left = polygonal(shapely.difference(parents.shapes, union(children.shapes)))
    empty = np.bincount(parent[known], minlength=len(parents.ids)) == 0
    for i in np.flatnonzero(shapely.area(left) >= tolerances.least_area).tolist():
        sizes, thin = _sizes(children, left[i], homes, tolerances)
        sizes["table"] = parents.name
        what = f"has no {children.name}" if empty[i] else f"is not wholly covered by {children.name}"
        found.append(
            finding(
                "warning" if thin or not sizes.get("households", 1) else "error", "parent_not_covered",
                f"{parents.name}: {parents.ids[i]} {what}; left over: {sizes_words(sizes)}.",
                status="sliver" if thin else "land", ids=[parents.ids[i]], certificate=sizes, geometry=left[i],
                cure=f"Add the {children.name} that are missing, or extend those beside it.",
            )
        )  # fmt: skip
    return found


def parent_of(children: Layer, parents: Layer) -> tuple[NDArray[np.intp], NDArray[np.object_] | None]:
    """Row of the parent of each child (-1 for none), and the ids or names that the children state, where they do.

    What a child states counts where it names a parent by id, code or name; else its parent is the one that holds most
    of it.
    """
    column = _key(children, parents)
    by_place = _largest_share(children.shapes, parents.shapes)
    if column is None:
        return by_place, None
    stated = clean_ids(children.table[column]).to_numpy(dtype=object, copy=True)
    rows = pd.Series(_row_of(parents, stated), dtype=np.intp).to_numpy()
    stated[rows >= 0] = None
    return np.where(rows >= 0, rows, by_place), stated


def _key(children: Layer, parents: Layer) -> str | None:
    """The column of the children that names their parents."""
    single = parents.name.removesuffix("ies") + "y" if parents.name.endswith("ies") else parents.name.removesuffix("s")
    for column in (f"{single}_id", single):
        if column in children.table.columns:
            stated = clean_ids(children.table[column]).to_numpy(dtype=object)
            if (_row_of(parents, stated) >= 0).any():
                return column
    return None


def _row_of(parents: Layer, stated: NDArray[np.object_]) -> NDArray[np.intp]:
    best = np.full(len(stated), -1, dtype=np.intp)
    own = [c for c in ("code", "name") if c in parents.table.columns]
    for names in (pd.Index(parents.ids), *(pd.Index(clean_ids(parents.table[c])) for c in own)):
        if names.is_unique:
            rows = names.get_indexer(pd.Index(stated))
            best = np.where(best < 0, np.where(pd.isna(stated), -1, rows), best)
    return best


def _unknown(children: Layer, parents: Layer, stated: NDArray[np.object_] | None) -> list[dict[str, Any]]:
    if stated is None:
        return []
    rows = np.flatnonzero(~pd.isna(stated))
    if not len(rows):
        return []
    return [
        finding(
            "warning", "parent_unknown",
            f"{children.name}: {len(rows):,} rows name a unit that is not in {parents.name}, first {stated[rows[0]]}; "
            "they were judged by where they lie.",
            status=children.name, ids=children.ids[rows], geometry=shapely.union_all(children.shapes[rows]),
            certificate={"table": children.name, "rows": len(rows), "named": sorted(set(stated[rows].tolist()))},
            cure="Correct the code of the unit above, or add that unit.",
        )
    ]  # fmt: skip


def _largest_share(shapes: NDArray[np.object_], land: NDArray[np.object_]) -> NDArray[np.intp]:
    """Row of the land that holds most of each shape, ties by row; -1 where none holds any."""
    shape, owner = shapely.STRtree(land).query(shapes, predicate="intersects")
    lone = np.bincount(shape, minlength=len(shapes))[shape] == 1
    area = np.where(lone, 1.0, 0.0)
    area[~lone] = shapely.area(shapely.intersection(shapes[shape[~lone]], land[owner[~lone]]))
    order = np.lexsort((owner, -area, shape))
    order = order[area[order] > 0]
    best = np.full(len(shapes), -1, dtype=np.intp)
    which, first = np.unique(shape[order], return_index=True)
    best[which] = owner[order[first]]
    return best


def _sizes(layer: Layer, place: Any, homes: Homes | None, tolerances: Tolerances) -> tuple[dict[str, Any], bool]:
    sizes: dict[str, Any] = {
        "table": layer.name,
        "area_m2": round(float(shapely.area(place)), 2),
        "width_m": round(float(mean_width(shapely.get_parts(place)).max()), 4),
    }
    if homes is not None:
        sizes["households"] = float(homes.within(np.array([place], dtype=object))[0])
    return sizes, bool(narrow(shapely.get_parts(place), tolerances.sliver_width).all())
