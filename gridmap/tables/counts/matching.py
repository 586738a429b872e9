"""Matching: which building a row of a list means, by compound and number; when in doubt, none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.tables.counts.names import building_number, compound_name, each, loose_name, signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["REASONS", "match_buildings", "match_compounds"]

#: What is said of a row that found no building, by status.
REASONS = {
    "no_compound": "no compound of this name",
    "ambiguous_compound": "several compounds could be meant",
    "no_number": "the compound has no building of this number",
    "ambiguous_number": "several buildings of the compound have this number",
    "no_id": "no building of this id",
    "no_count": "the row has no number of households",
    "beside_buildings": "a total of a compound whose buildings are listed as well; give it as totals=",
}
_CANDIDATES = 5
# Names that share less than half are no candidates.
_ALIKE = 50.0


def match_compounds(
    listed: Sequence[str], known: Sequence[str], *, minimum_score: float, margin: float
) -> pd.DataFrame:
    """The known compound that each listed name means.

    First the same name once both are spelt alike (`compound_name`); then without a 小区 that only says what it is,
    where one known name fits; then the name most alike, if it scores `minimum_score`, no other known name comes within
    `margin` of it, both have the same numbers, letters and words like 东 and 新, it is not itself in the list, and no
    other listed name wants it.

    Parameters
    ----------
    listed, known
        Names in any spelling.
    minimum_score, margin
        Of the similarity of two names, 0 to 100: twice the characters in common over the characters of both.

    Returns
    -------
    DataFrame
        By listed name: ``compound`` (as `compound_name` spells the known one; ``""`` for none), ``how`` (normalised,
        fuzzy), ``score``, ``status`` (of `REASONS`, ``""`` where found), ``candidates``.
    """
    names = pd.Index(pd.unique(pd.Series(list(listed), dtype=object)))
    plain = each(names.to_series(), compound_name).to_numpy(object)
    ours = sorted(set(each(pd.Series(list(known), dtype=object), compound_name)))
    loose: dict[str, list[str]] = {}
    for name in ours:
        loose.setdefault(loose_name(name), []).append(name)
    shown = _shown(known)
    found: dict[str, tuple[str, str, float, str, list[str]]] = {}
    strange = []
    for name in sorted(set(plain)):
        others = loose.get(loose_name(name), [])
        if name in loose.get(loose_name(name), ()):
            found[name] = (name, "normalised", 100.0, "", [])
        elif len(others) == 1:
            found[name] = (others[0], "normalised", 100.0, "", [])
        elif others:
            found[name] = ("", "", np.nan, "ambiguous_compound", [shown[o] for o in others])
        else:
            strange.append(name)
    taken = {compound for compound, *_ in found.values()}
    found.update(_alike(strange, ours, taken, shown, minimum_score, margin))
    rows = [found[name] for name in plain]
    return pd.DataFrame(rows, index=names, columns=["compound", "how", "score", "status", "candidates"])


def match_buildings(
    listed: pd.DataFrame, known: pd.DataFrame, *, minimum_score: float = 82.0, margin: float = 8.0
) -> pd.DataFrame:
    """The building that each row of a list means.

    Parameters
    ----------
    listed, known
        Columns ``compound`` and ``number`` as text; `known` also ``building_id``.
    minimum_score, margin
        As in `match_compounds`; numbers are never matched by likeness.

    Returns
    -------
    DataFrame
        A row for each of `listed`, in its order: ``position`` in `known` (-1 for none), ``how`` (exact, normalised,
        fuzzy), ``score``, ``status`` (of `REASONS`), ``candidates`` (ids of buildings, or names of compounds).
    """
    raw, ours = _spelt(listed, ("compound", "number")), _spelt(known, ("compound", "number"))
    compounds = match_compounds(
        raw["compound"].tolist(), ours["compound"].tolist(), minimum_score=minimum_score, margin=margin
    )
    out = compounds.loc[raw["compound"]].reset_index(drop=True)
    keys = pd.MultiIndex.from_arrays([out["compound"], each(raw["number"], building_number)])
    there = pd.MultiIndex.from_arrays([each(ours["compound"], compound_name), each(ours["number"], building_number)])
    out["position"] = np.where(out["status"] == "", _only(keys, there), -1)
    exact = _only(pd.MultiIndex.from_frame(raw), pd.MultiIndex.from_frame(ours))
    out.loc[exact >= 0, "how"], out.loc[exact >= 0, "score"] = "exact", 100.0
    out.loc[exact >= 0, "status"] = ""
    out["position"] = np.where(exact >= 0, exact, out["position"]).astype(np.int64)
    of_compound = pd.Series(there.get_level_values(0)).groupby(there.get_level_values(0)).indices
    numbers, ids = np.asarray(there.get_level_values(1), dtype=object), known["building_id"].to_numpy(object)
    lost = np.flatnonzero((out["position"] < 0).to_numpy() & (out["status"] == "").to_numpy())
    told = [_nearest(number, numbers[here], ids[here]) for (_, number), here in
            ((key, of_compound[key[0]]) for key in keys[lost])]  # fmt: skip
    out.loc[lost, "status"] = [status for status, _ in told]
    out.loc[lost, "candidates"] = pd.Series([near for _, near in told], index=lost, dtype=object)
    nothing = (out["position"] < 0).to_numpy()
    out.loc[nothing, "how"], out.loc[nothing, "score"] = "", np.nan
    found = np.flatnonzero(~nothing).tolist()
    out["candidates"] = out["candidates"].where(nothing, pd.Series([[] for _ in found], index=found, dtype=object))
    return out[["position", "how", "score", "status", "candidates"]]


def _alike(
    names: list[str], known: list[str], taken: set[str], shown: dict[str, str], minimum_score: float, margin: float
) -> dict[str, tuple[str, str, float, str, list[str]]]:
    """What names that no known one equals may mean, by likeness; see `match_compounds`."""
    from rapidfuzz import fuzz, process

    rivals: dict[tuple[str, ...], list[str]] = {}
    for other in known:
        rivals.setdefault(signature(other), []).append(other)
    found: dict[str, tuple[str, str, float, str, list[str]]] = {}
    wanted: dict[str, list[str]] = {}
    for name in names:
        near = process.extract(name, known, scorer=fuzz.ratio, limit=_CANDIDATES, score_cutoff=_ALIKE)
        candidates = [shown[other] for other, *_ in near]
        same = process.extract(
            name, rivals.get(signature(name), []), scorer=fuzz.ratio, limit=2, score_cutoff=minimum_score - margin
        )
        likely = [(float(score), other) for other, score, _ in same]
        if not likely or likely[0][0] < minimum_score or likely[0][1] in taken:
            found[name] = ("", "", np.nan, "no_compound", candidates)
        elif len(likely) == 2 and likely[0][0] - likely[1][0] < margin:
            found[name] = ("", "", np.nan, "ambiguous_compound", candidates)
        else:
            found[name] = (likely[0][1], "fuzzy", round(likely[0][0], 1), "", candidates)
            wanted.setdefault(likely[0][1], []).append(name)
    for both in wanted.values():
        if len(both) > 1:
            found.update({n: ("", "", np.nan, "ambiguous_compound", found[n][4]) for n in both})
    return found


def _shown(known: Sequence[str]) -> dict[str, str]:
    """How a known compound is written, by its plain name: of several spellings the first in order."""
    return {compound_name(name): name for name in sorted({str(n) for n in known}, reverse=True)}


def _spelt(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({c: each(frame[c], str.strip).to_numpy(object) for c in columns})


def _only(wanted: pd.MultiIndex, there: pd.MultiIndex) -> np.ndarray:
    """Position of each key among those there, -1 where it is absent or stands several times."""
    once = ~there.duplicated(keep=False)
    at = there[once].get_indexer(wanted)
    return np.where(at >= 0, np.flatnonzero(once)[at], -1) if once.any() else np.full(len(wanted), -1)


def _nearest(number: str, numbers: NDArray[Any], ids: NDArray[Any]) -> tuple[str, list[str]]:
    """Why a number has no building in its compound, and the buildings there that may be meant."""
    same = numbers == number
    if same.any():
        return "ambiguous_number", sorted(ids[same].tolist())[:_CANDIDATES]
    parts = set(number.split("-"))
    shared = [-len(parts & set(str(other).split("-"))) for other in numbers]
    best = sorted((s, str(i)) for s, i in zip(shared, ids, strict=True) if s < 0)
    return "no_number", [i for _, i in best[:_CANDIDATES]]
