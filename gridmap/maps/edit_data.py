"""Edit data: what a page needs to negotiate grids on it: the atoms, who joins whom, the bands, and the next codes.

What may be done and what it gives must be the same in the page as in `GridPlan.apply`: both go by the arrays of
`gridmap.division.plans.plan_arrays`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.division.plans.codes import SCHEMES, code_starts, undivided_code
from gridmap.division.plans.plan_arrays import fixed_grids, plan_arrays, rule_in, text_ids
from gridmap.errors import OptionError
from gridmap.maps.edit_arcs import encode_arcs
from gridmap.maps.edit_rules import edit_rules
from gridmap.maps.encode import pack_bytes, pack_varints
from gridmap.maps.facts import listed
from gridmap.tables.crs import to_crs
from gridmap.view.colours import STATUS_COLOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.division.plans.plan import GridPlan
    from gridmap.division.plans.plan_arrays import PlanArrays
    from gridmap.maps.sheet import Sheet

__all__ = ["edit_payload"]

#: Simplification of the borders of atoms for display, in metres.
TOLERANCE = 0.5
_KINDS = ("building", "compound", "land")
# Household numbers may be sums of shares: less than this is rounding.
_ROUNDING = 1e-6


def edit_payload(sheet: Sheet) -> dict[str, Any]:
    """What the page needs for edits of the plan on the sheet.

    Raises
    ------
    OptionError
        When there is no plan, or the page shows other grids than its own.
    """
    plan = sheet.content.plan
    if plan is None:
        raise OptionError(
            "edit=True needs a plan: give the GridPlan that is to be negotiated, explore(plan, edit=True)"
        )
    tables = dict(sheet.content.tables)
    if "buildings" in tables:
        tables["buildings"] = tables["buildings"].iloc[sheet.building_order]
    rows = pd.Index(tables["grids"]["grid_id"].astype(str))
    if not rows.equals(pd.Index(plan.grids["grid_id"].astype(str))):
        raise OptionError("edit=True works on the grids of the plan; leave out the other table of grids")
    arrays = plan_arrays(plan)
    communities = pd.Index(pd.unique(pd.Series([*arrays.plan.grids["community_id"], *arrays.community], dtype=object)))
    land, pairs = encode_arcs(
        np.asarray(sheet.moved(to_crs(arrays.atoms, 4326)).geometry.array), sheet.frame, tolerance=TOLERANCE
    )
    return {
        "plan_hash": plan.plan_hash,
        "atoms": _atoms(arrays, tables, communities),
        "arcs": land,
        **_joins(arrays, pairs),
        "grids": _grids(arrays, rows, communities),
        "communities": _communities(arrays.plan, communities),
        "rules": edit_rules(arrays),
        "colours": STATUS_COLOURS,
        "digits": SCHEMES[arrays.plan.parameters.get("code", "15")],
    }


def _atoms(arrays: PlanArrays, tables: dict[str, Any], communities: pd.Index) -> dict[str, Any]:
    atoms, ids = arrays.atoms, arrays.ids.astype(str)
    grids = pd.Index(arrays.plan.grids["grid_id"].astype(str))
    building, count = _buildings(arrays, tables)
    compound = _rows(tables.get("compounds"), "compound_id", text_ids(atoms["compound_id"]))
    guess = _guessed_ids(arrays, tables, building, compound)
    out = {
        "n": len(ids),
        "id": [_told(own, guessed) for own, guessed in zip(ids, guess, strict=True)],
        "kind": "".join(str(_KINDS.index(k)) if k in _KINDS else "2" for k in atoms["kind"]),
        "grid": pack_varints(grids.get_indexer(pd.Index(text_ids(atoms["grid_id"]))) + 1),
        "community": pack_varints(communities.get_indexer(pd.Index(arrays.community))),
        "building": pack_varints(building + 1),
        "buildings": pack_varints(count),
        "compound": pack_varints(compound + 1),
        "households": listed(arrays.households),
    }
    if not np.allclose(arrays.weight, arrays.households, rtol=0, atol=_ROUNDING):
        out["weight"] = listed(arrays.weight)
    return out


def _guessed_ids(
    arrays: PlanArrays, tables: dict[str, Any], building: NDArray[np.intp], compound: NDArray[np.intp]
) -> NDArray[Any]:
    """The id that an atom has where it says no more than its building or compound does, or how that of land begins."""
    kind = arrays.atoms["kind"].to_numpy(object)
    guess = "l:" + arrays.community.astype(str).astype(object) + "-"
    for name, table, row in (("building", "buildings", building), ("compound", "compounds", compound)):
        if table in tables:
            names = np.append((f"{name[0]}:" + tables[table][f"{name}_id"].astype(str)).to_numpy(object), "")
            guess = np.where(kind == name, names[row], guess)
    return guess


def _told(atom_id: str, guess: str) -> str | int:
    """What the page is told of an id: nothing where it guesses it, the number of a piece of land, or all of it."""
    number = atom_id.removeprefix(guess)
    if number == "":
        return ""
    return (
        int(number)
        if guess.startswith("l:") and number != atom_id and re.fullmatch("[1-9][0-9]{0,8}", number)
        else atom_id
    )


def _buildings(arrays: PlanArrays, tables: dict[str, Any]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Row in the page of a building of each atom, the one with most households, -1 for none; and how many it has."""
    rows = arrays.plan.assignment.dropna(subset=["atom_id"])
    rows = rows.sort_values("households", ascending=False, kind="stable")
    at = arrays.ids.get_indexer(pd.Index(rows["atom_id"]))
    count = rows.groupby(at)["building_id"].nunique().reindex(range(len(arrays.ids)), fill_value=0)
    first = ~pd.Series(at).duplicated().to_numpy()
    building = np.full(len(arrays.ids), -1, dtype=np.intp)
    building[at[first]] = _rows(tables.get("buildings"), "building_id", rows["building_id"].to_numpy(object)[first])
    return building, np.asarray(count, dtype=np.int64)


def _rows(table: pd.DataFrame | None, column: str, ids: NDArray[Any]) -> NDArray[np.intp]:
    """Row of each id in a table of the page, -1 for none."""
    if table is None:
        return np.full(len(ids), -1)
    return np.asarray(pd.Index(table[column].astype(str)).get_indexer(pd.Index(ids, dtype=object)))


def _joins(arrays: PlanArrays, pairs: NDArray[np.intp]) -> dict[str, Any]:
    """Which pairs that share an arc join (a bit each, lowest first), and what joins without one: pieces, bridges."""
    low, high = np.minimum(arrays.a, arrays.b)[arrays.joins], np.maximum(arrays.a, arrays.b)[arrays.joins]
    n = len(arrays.ids)
    key, known = low * n + high, pairs[:, 0] * n + pairs[:, 1]
    bits = np.packbits(np.isin(known, key), bitorder="little")
    far = np.unique(key[~np.isin(key, known)])
    return {
        "joined": pack_bytes(bits.tobytes()),
        "far": [pack_varints(np.diff(far // n, prepend=0)), pack_varints(far % n)],
    }


def _grids(arrays: PlanArrays, rows: pd.Index, communities: pd.Index) -> dict[str, Any]:
    """By grid: community, limits, why it is fixed, and households that lie in none of its atoms."""
    grids, fixed = arrays.plan.grids, fixed_grids(arrays.plan)
    owner = communities.get_indexer(pd.Index(grids["community_id"]))
    at = rows.get_indexer(pd.Index(text_ids(arrays.atoms["grid_id"])))
    inside = np.bincount(at[at >= 0], arrays.households[at >= 0], len(rows))
    other = grids["households"].to_numpy(np.float64) - inside
    return {
        "community": owner.tolist(),
        "fixed": {int(k): fixed[grid] for k, grid in enumerate(rows) if grid in fixed},
        "other": {int(k): round(float(other[k]), 6) for k in np.flatnonzero(abs(other) > _ROUNDING)},
    }


def _communities(plan: GridPlan, ids: pd.Index) -> list[dict[str, Any]]:
    """Limits of each community, and what its next code is made of."""
    parameters = plan.parameters
    scheme = {"scheme": parameters.get("code", "15"), "object_code": parameters.get("object_code", "000000")}
    starts = code_starts(plan.communities, **scheme)
    return [_community(plan, str(c), str(starts[c]), scheme) for c in ids]


def _community(plan: GridPlan, community_id: str, start: str, scheme: dict[str, str]) -> dict[str, Any]:
    ruled = (plan.grids["community_id"] == community_id).any()
    rule = rule_in(plan, community_id) if ruled else None  # one without a grid takes part in no edit
    return {
        "id": community_id,
        "lower": 0 if rule is None else listed([rule.lower])[0],
        "upper": None if rule is None else listed([rule.upper])[0],
        "counted": "households" if rule is None else rule.weight,
        "start": start,
        "undivided": undivided_code(community_id, plan.communities, **scheme),
        "highest": int((plan.parameters.get("highest_numbers") or {}).get(community_id, 0)),
    }
