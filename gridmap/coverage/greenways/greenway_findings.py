"""Findings about greenways: who is not linked though it could be, and what the tables do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.coverage.counting.cover_findings import category_findings, join_rows
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.coverage.greenways.greenways import Asked

__all__ = ["greenway_findings"]


def greenway_findings(
    table: gpd.GeoDataFrame, linked: pd.DataFrame, asked: Asked, outside: NDArray[np.int64]
) -> gpd.GeoDataFrame:
    """What a user should know about a table of greenways.

    Parameters
    ----------
    table, linked
        The result by community, and by community and category.
    asked
        What was asked.
    outside
        Rows of the buildings in no community.
    """
    rows: list[dict[str, Any]] = []
    bare = table[(table["slow_metres"] == 0) & (table["total"] > 0)]
    if len(bare):
        rows.append(
            finding(
                "warning", "community_without_slow_streets",
                f"{len(bare):,} communities have no slow street: no footway, path or cycleway is drawn there.",
                cure="Draw the footways, or name the calm streets' classes (classes=).", ids=bare["community_id"],
                geometry=bare.union_all(),
            )
        )  # fmt: skip
    for category, own in linked.groupby("category", sort=True):
        cut = own[(own["slow"] == 0) & (own["any"] > 0)]
        if len(cut):
            where = table[table["community_id"].isin(cut["community_id"])]
            rows.append(
                finding(
                    "warning", "community_not_linked",
                    f"{len(cut):,} communities reach {category} only along streets with motor traffic.",
                    cure="See which connector would link most (missing_connectors).", status=str(category),
                    ids=cut["community_id"], certificate={"reach_it": float(cut["any"].sum())},
                    geometry=where.union_all(),
                )
            )  # fmt: skip
    if table["greenway_metres"].isna().all():
        rows.append(
            finding(
                "info", "greenways_unknown",
                "Streets have neither a column greenway nor that class, so the metres of greenway are not known.",
                cure="Add a column greenway that says yes of those that are.",
            )
        )  # fmt: skip
    if len(outside):
        homes = asked.homes.iloc[outside]
        rows.append(
            finding(
                "warning", "building_outside",
                f"{len(outside):,} buildings with {asked.weight[outside].sum():,.0f} counted lie in no community.",
                cure="Add the community they belong to, or leave them out.", ids=homes["building_id"],
            )
        )  # fmt: skip
    chosen = asked.counted & asked.services["category"].isin(list(asked.thresholds)).to_numpy()
    return join_rows([*rows, *category_findings(asked.services, chosen, asked.thresholds)], table.crs)
