"""Edit rules: what edits may break, and the page must tell: buildings to be together or apart, and villager groups.

They are those that `gridmap.division.plans.redraw` tells after an edit: none for grids drawn by hand. Compounds the
page knows by itself.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.division.plans.plan_arrays import rule_in
from gridmap.maps.encode import pack_varints

if TYPE_CHECKING:
    from gridmap.division.plans.plan_arrays import PlanArrays

__all__ = ["edit_rules"]


def edit_rules(arrays: PlanArrays) -> dict[str, Any]:
    """Rules on atoms, only those there are.

    Returns
    -------
    dict
        ``together``: lists of building ids and of their atoms; ``apart``: pairs of building ids, and the atoms of
        each; ``groups``: names of villager groups, and by atom the number of its group from 1, 0 for none. An atom of
        -1 stands for what is in no grid and stays so.
    """
    plan = arrays.plan
    if plan.parameters.get("source") == "grids":
        return {}
    together, apart = ([list(ids) for ids in plan.parameters.get(key) or ()] for key in ("together", "apart"))
    of = _atoms_of(arrays, {i for ids in (*together, *apart) for i in ids})
    pairs = sorted({pair for ids in apart for pair in combinations(ids, 2)})
    out = {
        "together": [{"ids": ids, "atoms": sorted({a for i in ids for a in of.get(i, ())})} for ids in together],
        "apart": [{"ids": list(pair), "atoms": [of.get(i, []) for i in pair]} for pair in pairs],
        "groups": _groups(arrays),
    }
    return {key: rules for key, rules in out.items() if rules}


def _atoms_of(arrays: PlanArrays, buildings: set[str]) -> dict[str, list[int]]:
    """Positions of the atoms that hold something of each building."""
    rows = arrays.plan.assignment
    rows = rows[rows["building_id"].isin(buildings)]
    at = arrays.ids.get_indexer(pd.Index(rows["atom_id"]))
    out: dict[str, list[int]] = {}
    for building, atom in sorted(set(zip(rows["building_id"], at.tolist(), strict=True))):
        out.setdefault(building, []).append(atom)
    return out


def _groups(arrays: PlanArrays) -> dict[str, Any]:
    """Villager groups of the communities whose grids are made of whole ones; groups of two communities are two."""
    if "group" not in arrays.atoms:
        return {}
    group = arrays.atoms["group"]
    lived = [c for c in pd.unique(arrays.community[group.notna()]) if rule_in(arrays.plan, c).open]
    whole = group.notna().to_numpy() & np.isin(arrays.community, lived)
    if not whole.any():
        return {}
    keys = pd.MultiIndex.from_arrays([arrays.community[whole], group[whole].astype(str)])
    code, names = pd.factorize(keys, sort=True)
    number = np.zeros(len(whole), np.int64)
    number[whole] = code + 1
    return {"names": [name for _, name in names], "of": pack_varints(number)}
