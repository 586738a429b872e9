"""What a reader would refuse: repeated ids and other violations of a table's contract, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.errors import TableError
from gridmap.tables.contracts import CONTRACTS, check_table, clean_ids
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.tables.check.layers import Layer

__all__ = ["check_contract", "check_ids"]

# These have checks of their own, which say more.
_ELSEWHERE = ("a valid geometry", "an id that no other row has")


def check_ids(layer: Layer) -> list[dict[str, Any]]:
    """Ids that several rows have: one finding a table."""
    if layer.id_column is None or layer.name == "units":
        return []
    text = clean_ids(layer.table[layer.id_column])
    twice = (text.duplicated(keep=False) & text.notna() & (text != "")).to_numpy(dtype=bool)
    if not twice.any():
        return []
    ids = sorted(set(text[twice]))
    rows = np.flatnonzero(twice)
    return [
        finding(
            "error", "id_repeated",
            f"{layer.name}: {len(rows):,} rows share their {layer.id_column} with another, first {ids[0]}.",
            status=layer.name, ids=ids, geometry=_place(layer, rows),
            certificate={"table": layer.name, "column": layer.id_column, "ids": len(ids), "rows": len(rows)},
            cure="Rename the rows that are different things, and merge those that are one.",
        )
    ]  # fmt: skip


def check_contract(layer: Layer) -> list[dict[str, Any]]:
    """Every other violation of the table's contract, one finding for each column and kind."""
    if layer.name not in CONTRACTS:
        return []
    try:
        # by position: labels may repeat, and the ids of rows without one count from 1
        check_table(layer.table.reset_index(drop=True), layer.name, allow_empty=True)
    except TableError as error:
        wrong = error.violations[~error.violations["expected"].isin(_ELSEWHERE)]
    else:
        return []
    found = []
    for (column, expected), rows in wrong.groupby(["column", "expected"], sort=False):
        at = rows["row"].dropna().to_numpy(dtype=np.intp)
        first = rows.iloc[0]
        which = ""
        if len(at):
            which = f"{layer.ids[at[0]]}: " if len(at) == 1 else f"{len(at):,} rows, first {layer.ids[at[0]]}: "
        found.append(
            finding(
                "error", "contract",
                f"{layer.name}.{column}: {which}{first['value']}; expected {expected}.",
                status=layer.name, ids=layer.ids[at], geometry=_place(layer, at), cure=str(first["remedy"]),
                certificate={"table": layer.name, "column": str(column), "rows": len(at), "expected": str(expected)},
            )
        )  # fmt: skip
    return found


def _place(layer: Layer, rows: NDArray[np.intp]) -> Any:
    if not len(layer.shapes) or not len(rows):
        return None
    return shapely.union_all(shapely.point_on_surface(layer.shapes[rows]))
