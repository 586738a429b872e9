"""Edits by hand: atoms moved, grids merged and split, each checked first and refused with the reason.

An edit is worked out on a `Sketch`, a grid for each atom; only the last one of a list is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.division.plans.codes import next_codes, reading_order, undivided_code
from gridmap.division.plans.outlines import outlines
from gridmap.division.plans.plan_arrays import PlanArrays, band_in, fixed_grids, plan_arrays, text_ids
from gridmap.division.plans.redraw import redraw
from gridmap.division.plans.shares import equal_shares
from gridmap.division.search.partition import partition_lots
from gridmap.errors import EditError, OptionError, ReadError
from gridmap.tables.crs import metric_crs, to_crs

if TYPE_CHECKING:
    from os import PathLike

    from gridmap.division.plans.plan import GridPlan

__all__ = ["apply_edits", "edit_plan"]

_SHOWN = 5
_ARGUMENTS = {"move": ("atoms", "to"), "merge": ("grid_ids",), "split": ("grid_id", "parts", "codes")}
_OPTIONAL = ("parts", "codes")
# Household numbers may be sums of shares, and another program may add them up in another order.
_DIGITS = 6


@dataclass(frozen=True)
class Sketch:
    """A plan while it is edited: the grid of each atom, by id (None: in no grid), and the highest number given out.

    `fixed` says by grid id why a grid may not be touched.
    """

    arrays: PlanArrays
    grid: np.ndarray
    highest: Mapping[str, int]
    fixed: Mapping[str, str]

    def atoms_of(self, grid_id: str) -> np.ndarray:
        """Positions of the atoms in a grid."""
        return np.flatnonzero(self.grid == grid_id)

    def community_of(self, grid_id: str) -> str:
        """Community of a grid: a grid drawn by hand may have atoms in another too."""
        table = self.arrays.plan.grids
        known = table.loc[table["grid_id"] == grid_id, "community_id"]
        return str(known.iloc[0] if len(known) else self.arrays.community[self.atoms_of(grid_id)[0]])

    def names(self, atoms: np.ndarray) -> str:
        """The first ids of some atoms, as a message shows them."""
        return _some(self.arrays.ids[atoms].tolist())

    def refuse(self, message: str, *atoms: np.ndarray) -> EditError:
        """The error that names these atoms."""
        return EditError(message, ids=[i for each in atoms for i in self.arrays.ids[each].tolist()])


def edit_plan(plan: GridPlan, edit: Mapping[str, Any]) -> GridPlan:
    """The plan after one edit; see `apply_edits`."""
    return _drawn(plan, _edited(_sketch(plan), edit), [edit])


def apply_edits(
    plan: GridPlan, edits: str | PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any]]
) -> GridPlan:
    """The plan after all edits of a list, or an error and no new plan.

    Parameters
    ----------
    plan
        To be edited.
    edits
        A list of edits; or ``{"plan_hash": ..., "edits": [...]}``, or a JSON file of that, which are refused where
        the hash is not that of the plan. An edit is ``{"op": "move", "atoms": [...], "to": grid_id}``,
        ``{"op": "merge", "grid_ids": [...]}`` or ``{"op": "split", "grid_id": ..., "parts": None, number or lists}``.
        With lists of atoms a split may say which part gets which code, ``"codes": [...]``: that of the grid, at most
        once, and the next ones of its community.

    Raises
    ------
    EditError
        When an edit is refused; the message begins with its number, from 1.
    ReadError
        When there is no such file, or it is not JSON.
    """
    listed = _listed(plan, edits)
    sketch = _sketch(plan)
    for number, edit in enumerate(listed, start=1):
        try:
            sketch = _edited(sketch, edit)
        except EditError as error:
            raise EditError(f"edit {number} of {len(listed)}: {error}", ids=error.ids) from error
    return _drawn(plan, sketch, listed)


def _listed(plan: GridPlan, edits: Any) -> list[Mapping[str, Any]]:
    """The edits as a list, once it is known that they were made on this plan."""
    if isinstance(edits, (str, Path)) or hasattr(edits, "__fspath__"):
        edits = _read(Path(edits))
    if isinstance(edits, Mapping):
        missing = [key for key in ("plan_hash", "edits") if key not in edits]
        if missing:
            raise EditError(
                f"edits: no {' and no '.join(missing)}; give {{'plan_hash': ..., 'edits': [...]}}, or a list"
            )
        if edits["plan_hash"] != plan.plan_hash:
            raise EditError(
                f"these edits were made on plan {edits['plan_hash']}, this is plan {plan.plan_hash}: load that plan, "
                "or make the edits again on this one (a bare list of edits is applied to any plan)"
            )
        edits = edits["edits"]
    listed = list(edits)
    wrong = [k for k, edit in enumerate(listed, start=1) if not isinstance(edit, Mapping)]
    if wrong:
        raise EditError(f"edit {wrong[0]} of {len(listed)}: not a mapping; write it as {{'op': 'move', ...}}")
    return listed


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReadError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise ReadError(f"{path.name} is not a file of edits in JSON: {error}") from error


def _sketch(plan: GridPlan) -> Sketch:
    arrays = plan_arrays(plan)
    return Sketch(
        arrays, text_ids(arrays.atoms["grid_id"]), dict(plan.parameters.get("highest_numbers") or {}), fixed_grids(plan)
    )


def _drawn(plan: GridPlan, sketch: Sketch, edits: Sequence[Mapping[str, Any]]) -> GridPlan:
    """The plan of a sketch, with the edits in its history."""
    history = [*(plan.parameters.get("edits") or []), *map(_plain, edits)]
    return redraw(sketch.arrays, sketch.grid, {"highest_numbers": dict(sketch.highest), "edits": history})


def _plain(edit: Mapping[str, Any]) -> dict[str, Any]:
    """An edit as JSON holds it."""
    return {key: value if isinstance(value, (str, int, type(None))) else _nested(value) for key, value in edit.items()}


def _nested(values: Any) -> list[Any]:
    return [v if isinstance(v, str) else _nested(v) for v in values]


def _edited(sketch: Sketch, edit: Mapping[str, Any]) -> Sketch:
    op = edit.get("op")
    if op not in _ARGUMENTS:
        raise EditError(f"op {op!r} is no edit; use {', '.join(map(repr, _ARGUMENTS))}")
    needed = [name for name in _ARGUMENTS[op] if name not in _OPTIONAL]
    missing = [name for name in needed if edit.get(name) is None]
    odd = sorted(set(edit) - {"op", *_ARGUMENTS[op]})
    if missing or odd:
        fault = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(map(str, odd))}, which it does not take"
        raise EditError(f"{op} {fault}; write {{'op': {op!r}, {', '.join(f'{n!r}: ...' for n in _ARGUMENTS[op])}}}")
    if op == "move":
        return _move(sketch, _as_ids(edit["atoms"], "atoms"), str(edit["to"]))
    if op == "merge":
        return _merge(sketch, _as_ids(edit["grid_ids"], "grid_ids"))
    return _split(sketch, str(edit["grid_id"]), edit.get("parts"), edit.get("codes"))


def _as_ids(values: Any, what: str) -> list[str]:
    """One id or several, each once, in their order."""
    if isinstance(values, str):
        values = [values]
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise EditError(f"{what} must be an id or a list of ids, not {values!r}")
    ids = list(dict.fromkeys(map(str, values)))
    if not ids:
        raise EditError(f"{what} is empty; name at least one")
    return ids


def _move(sketch: Sketch, atom_ids: list[str], to: str) -> Sketch:
    atoms = _positions(sketch, atom_ids)
    _check_grids(sketch, [to])
    atoms = atoms[sketch.grid[atoms] != to]
    if not len(atoms):
        raise EditError(f"nothing to move: {_some(atom_ids)} {_are(atom_ids)} in grid {to} already", ids=atom_ids)
    sources = [g for g in pd.unique(sketch.grid[atoms]) if g is not None]
    _check_free(sketch, [to, *sources])
    target = sketch.atoms_of(to)
    home = sketch.community_of(to)
    strangers = atoms[sketch.arrays.community[atoms] != home]
    if len(strangers):
        raise sketch.refuse(
            f"{sketch.names(strangers)} {_are(strangers)} in community {sketch.arrays.community[strangers[0]]}, grid "
            f"{to} in {home}; a grid lies in one community: move {_them(strangers)} to a "
            "grid of their own community",
            strangers,
        )
    for source in sources:
        _check_source(sketch, source, atoms)
    _check_target(sketch, to, target, atoms)
    grid = sketch.grid.copy()
    grid[atoms] = to
    return replace(sketch, grid=grid)


def _check_source(sketch: Sketch, source: str, atoms: np.ndarray) -> None:
    """Refuse a move that empties a grid or tears it."""
    before = sketch.atoms_of(source)
    rest = before[~np.isin(before, atoms)]
    if not len(rest):
        raise EditError(f"the move takes all atoms of grid {source}; to dissolve a grid, merge it", ids=[source])
    off = _torn(sketch.arrays, before, rest)
    if len(off):
        held = sketch.arrays.households[off].sum()
        raise sketch.refuse(
            f"without these atoms grid {source} falls apart: {sketch.names(off)} ({held:,.0f} households) would be "
            f"cut off; move {_them(off)} too, or leave what joins {_them(off)} to the rest",
            off,
        )


def _check_target(sketch: Sketch, to: str, target: np.ndarray, atoms: np.ndarray) -> None:
    """Refuse a move of atoms that nothing joins to the grid they go to."""
    members = np.r_[target, atoms]
    piece = sketch.arrays.pieces(members)
    alone = atoms[~np.isin(piece[len(target) :], piece[: len(target)])]
    if len(alone):
        beside = _grids_beside(sketch, alone)
        tail = f" ({_touch(alone)} {_some(beside)})" if beside else ""
        raise sketch.refuse(
            f"{sketch.names(alone)} would not hang together with grid {to}: no border of 3 m or more joins "
            f"{_them(alone)}; move what lies between too, or choose a grid beside {_them(alone)}{tail}",
            alone,
        )


def _torn(arrays: PlanArrays, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Atoms cut off from the largest part of the piece that they were in before; empty when all still hangs together.

    A grid may be in several pieces before: an edit must not make it worse.
    """
    was = arrays.pieces(before)[np.searchsorted(before, after)]
    now = arrays.pieces(after)
    size = pd.DataFrame({"was": was, "now": now, "held": arrays.weight[after] + 1e-9})
    total = size.groupby(["was", "now"])["held"].sum().reset_index()
    largest = total.sort_values(["held", "now"], ascending=[False, True]).drop_duplicates("was")["now"]
    return after[~np.isin(now, largest)]


def _merge(sketch: Sketch, grid_ids: list[str]) -> Sketch:
    if len(grid_ids) < 2:
        raise EditError(f"merge needs two grids or more, not {_some(grid_ids)} alone", ids=grid_ids)
    _check_grids(sketch, grid_ids)
    _check_free(sketch, grid_ids)
    arrays, members = sketch.arrays, [sketch.atoms_of(g) for g in grid_ids]
    owners = [sketch.community_of(g) for g in grid_ids]
    if len(set(owners)) > 1:
        told = ", ".join(f"{g} in {c}" for g, c in zip(grid_ids[:_SHOWN], owners, strict=False))
        raise EditError(
            f"these grids lie in several communities ({told}); a grid lies in one: merge within one", grid_ids
        )
    _check_adjacent(sketch, grid_ids, members)
    held = [round(float(arrays.households[atoms].sum()), _DIGITS) for atoms in members]
    kept = min(zip(held, grid_ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[1]
    grid = sketch.grid.copy()
    grid[np.concatenate(members)] = kept
    return _named_if_alone(replace(sketch, grid=grid), kept, owners[0])


def _check_adjacent(sketch: Sketch, grid_ids: list[str], members: list[np.ndarray]) -> None:
    """Refuse grids that do not form one group of neighbours."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    arrays, n = sketch.arrays, len(members)
    of = np.full(len(arrays.ids), -1)
    for k, atoms in enumerate(members):
        of[atoms] = k
    a, b = of[arrays.a[arrays.joins]], of[arrays.b[arrays.joins]]
    both = (a >= 0) & (b >= 0)
    graph = coo_array((np.ones(both.sum(), np.int8), (a[both], b[both])), shape=(n, n))
    group = connected_components(graph, directed=False)[1]
    apart = [g for g, k in zip(grid_ids, group, strict=True) if k != group[0]]
    if apart:
        beside = _grids_beside(sketch, members[0])
        near = f": its neighbours are {_some(beside)}" if beside else ""
        raise EditError(
            f"{_some(apart)} {_are(apart)} not joined to {grid_ids[0]} by a border of 3 m or more; merge "
            f"neighbours, or add the grids between{near}",
            ids=apart,
        )


def _named_if_alone(sketch: Sketch, grid_id: str, community: str) -> Sketch:
    """The last grid of a community gets the code of one that is not divided, where the scheme has such."""
    here = sketch.arrays.community == community
    code = undivided_code(community, sketch.arrays.plan.communities, **_scheme(sketch))
    ids = pd.unique(sketch.grid[here])
    if code is None or [g for g in ids if g is not None] != [grid_id] or len(grid_id) != len(code):
        return sketch
    grid = sketch.grid.copy()
    grid[here & (grid == grid_id)] = code
    return replace(sketch, grid=grid)


def _split(sketch: Sketch, grid_id: str, parts: Any, codes: Any) -> Sketch:
    _check_grids(sketch, [grid_id])
    _check_free(sketch, [grid_id])
    atoms = sketch.atoms_of(grid_id)
    if codes is not None and (parts is None or isinstance(parts, (int, np.integer))):
        raise EditError("split takes codes only with parts that are lists of atoms, one code each", ids=[grid_id])
    if parts is None:
        label = _split_within_band(sketch, grid_id, atoms)
    elif isinstance(parts, (int, np.integer)) and not isinstance(parts, bool):
        label = _split_by_number(sketch, grid_id, atoms, int(parts))
    else:
        label = _split_as_told(sketch, grid_id, atoms, parts)
    return _renamed(sketch, grid_id, atoms, label, None if codes is None else _as_ids(codes, "codes"))


def _split_within_band(sketch: Sketch, grid_id: str, atoms: np.ndarray) -> np.ndarray:
    arrays, plan = sketch.arrays, sketch.arrays.plan
    band = band_in(plan, sketch.community_of(grid_id))
    lots = arrays.lots(atoms, whole=True)
    total = lots.weight.sum()
    label = partition_lots(lots, band, seed=int(plan.parameters.get("seed", 0)))
    if label.max() == 0:
        heaviest = atoms[lots.weight.argmax()]
        if lots.weight.max() > band.upper:
            why = f"atom {arrays.ids[heaviest]} alone holds {lots.weight.max():g}, and atoms are never cut"
        elif total < 2 * band.lower or not band.feasible(total):
            why = f"no two grids or more of {band.lower:g}-{band.upper:g} add up to that"
        else:
            why = "the ground does not allow it"
        raise EditError(
            f"grid {grid_id} holds {total:g} and cannot be split within the band: {why}; name the number of parts to "
            "split it all the same",
            ids=[grid_id],
        )
    return label


def _split_by_number(sketch: Sketch, grid_id: str, atoms: np.ndarray, parts: int) -> np.ndarray:
    if parts < 2:
        raise EditError(f"split into {parts} changes nothing; name 2 parts or more", ids=[grid_id])
    if parts > len(atoms):
        raise EditError(
            f"grid {grid_id} cannot be split into {parts}: it has {len(atoms)} atoms, which are never cut; "
            f"name {len(atoms)} parts or fewer",
            ids=[grid_id],
        )
    plan = sketch.arrays.plan
    return equal_shares(sketch.arrays.lots(atoms, whole=True), parts, seed=int(plan.parameters.get("seed", 0)))


def _split_as_told(sketch: Sketch, grid_id: str, atoms: np.ndarray, parts: Any) -> np.ndarray:
    """Parts given as lists of atom ids, checked."""
    if isinstance(parts, (str, Mapping)) or not isinstance(parts, Iterable):
        raise EditError(f"parts must be a number or lists of atom ids, not {parts!r}", ids=[grid_id])
    members = [_positions(sketch, _as_ids(part, "a part")) for part in parts]
    if len(members) < 2:
        raise EditError(f"split into {len(members)} changes nothing; name 2 parts or more", ids=[grid_id])
    named = np.concatenate(members)
    times = np.bincount(named, minlength=len(sketch.grid))
    faults = {
        f"are not in grid {grid_id}": np.setdiff1d(named, atoms),
        "are in two parts": np.flatnonzero(times > 1),
        "are in no part": np.setdiff1d(atoms, named),
    }
    for fault, wrong in faults.items():
        if len(wrong):
            raise sketch.refuse(f"{sketch.names(wrong)} {fault}; list each atom of the grid once", wrong)
    for part in members:
        off = _torn(sketch.arrays, atoms, np.sort(part))
        if len(off):
            raise sketch.refuse(
                f"a part would fall apart: {sketch.names(off)} would be cut off from the rest of it; give "
                f"{_them(off)} to another part",
                off,
            )
    label = np.empty(len(atoms), np.intp)
    for k, part in enumerate(members):
        label[np.searchsorted(atoms, part)] = k
    return label


def _renamed(
    sketch: Sketch, grid_id: str, atoms: np.ndarray, label: np.ndarray, told: list[str] | None = None
) -> Sketch:
    """The parts of a grid named: one with most of its households keeps the code, the others get new ones.

    Which part keeps the code, and which gets which, may be told.
    """
    arrays, community = sketch.arrays, sketch.community_of(grid_id)
    held = np.bincount(label, arrays.households[atoms])
    plan = arrays.plan
    undivided = grid_id == undivided_code(community, plan.communities, **_scheme(sketch))
    most = round(float(2 * held.max() - held.sum()), _DIGITS) > 0
    keeps = int(held.argmax()) if most and not undivided else -1
    if told is not None:
        if len(told) != len(held):
            raise EditError(f"split has {len(held)} parts and {len(told)} codes; give one a part", ids=[grid_id])
        keeps = told.index(grid_id) if grid_id in told else -1
    table = to_crs(arrays.atoms.iloc[atoms], metric_crs(plan.communities))
    shapes = outlines(table, label)
    order = reading_order(gpd.GeoDataFrame({"community_id": community}, index=shapes.index, geometry=shapes))
    new = [int(k) for k in order if k != keeps]
    taken = {g for g in pd.unique(sketch.grid) if g is not None} | set(plan.grids["grid_id"])
    top = sketch.highest.get(community, 0)
    try:
        codes, top = next_codes(community, len(new), plan.communities, highest=top, taken=taken, **_scheme(sketch))
    except OptionError as error:
        raise EditError(f"grid {grid_id} cannot be split: {error}", ids=[grid_id]) from error
    if told is not None and sorted(told) != sorted([*codes, *([grid_id] if keeps >= 0 else [])]):
        raise EditError(
            f"split of {grid_id} names {_some(told)}; the next codes there are {_some(codes)}", ids=[grid_id]
        )
    name = np.full(len(held), grid_id, dtype=object)
    name[new] = codes if told is None else [told[k] for k in new]
    grid = sketch.grid.copy()
    grid[atoms] = name[label]
    return replace(sketch, grid=grid, highest={**sketch.highest, community: top})


def _scheme(sketch: Sketch) -> dict[str, str]:
    parameters = sketch.arrays.plan.parameters
    return {"scheme": parameters.get("code", "15"), "object_code": parameters.get("object_code", "000000")}


def _positions(sketch: Sketch, atom_ids: list[str]) -> np.ndarray:
    at = sketch.arrays.ids.get_indexer(pd.Index(atom_ids))
    unknown = [name for name, k in zip(atom_ids, at, strict=True) if k < 0]
    if unknown:
        raise EditError(f"there is no atom {_some(unknown)}; plan.atoms lists them", ids=unknown)
    return np.sort(at)


def _check_grids(sketch: Sketch, grid_ids: list[str]) -> None:
    known = set(pd.unique(sketch.grid))
    unknown = [g for g in grid_ids if g not in known]
    if unknown:
        landless = [g for g in unknown if g in set(sketch.arrays.plan.grids["grid_id"])]
        if len(landless) == len(unknown):
            raise EditError(
                f"{_some(landless)} {_are(landless)} covered by other grids; draw {_them(landless)} again", ids=unknown
            )
        raise EditError(f"there is no grid {_some(unknown)}; plan.grids lists them", ids=unknown)


def _check_free(sketch: Sketch, grid_ids: list[str]) -> None:
    for grid_id in grid_ids:
        if grid_id in sketch.fixed:
            why = sketch.fixed[grid_id]
            cure = (
                "unlock it first" if why == "locked" else "its land is given by the input: change that and divide again"
            )
            raise EditError(f"grid {grid_id} is {why}, so it stays as it is; leave it out, or {cure}", ids=[grid_id])


def _grids_beside(sketch: Sketch, atoms: np.ndarray) -> list[str]:
    """Grids joined to some atoms, sorted."""
    arrays = sketch.arrays
    inside = np.zeros(len(arrays.ids), bool)
    inside[atoms] = True
    a, b = arrays.a[arrays.joins], arrays.b[arrays.joins]
    across = np.r_[b[inside[a] & ~inside[b]], a[inside[b] & ~inside[a]]]
    own = set(sketch.grid[atoms])
    return sorted({g for g in sketch.grid[across] if g is not None and g not in own})


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")


def _are(rows: Sequence[Any] | np.ndarray) -> str:
    return "is" if len(rows) == 1 else "are"


def _them(rows: Sequence[Any] | np.ndarray) -> str:
    return "it" if len(rows) == 1 else "them"


def _touch(rows: Sequence[Any] | np.ndarray) -> str:
    return "it touches" if len(rows) == 1 else "they touch"
