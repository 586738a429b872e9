"""Swipe data: a second state of the same ground for the page, and who gained between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.maps.facts import RATE_DIGITS, listed
from gridmap.maps.layers import recognise
from gridmap.maps.swipe_words import side_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gridmap.coverage.counting.cover import Cover
    from gridmap.division.plans.plan import GridPlan
    from gridmap.maps.layers import Content

__all__ = ["two_sides", "with_before"]

#: What there may be two of: the first before, the second after. All other layers are on both sides.
PAIRED = ("plan", "cover", "circles", "gaps")
# What of a payload is drawn or counted, and so may differ between the sides.
_STATE = ("frame", "band", "layers", "own", "city", "circleColours", "coverage", "categories", "themes", "counted")
_GAINS = ("total", "covered_before", "covered_after", "gained", "lost")


def two_sides(layers: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The layers before, and those after.

    Raises
    ------
    OptionError
        When there are not two plans or two covers, or more than two of anything that comes in pairs.
    """
    layers = list(layers)
    kinds = ["own" if isinstance(layer, tuple) else recognise(layer) for layer in layers]
    several = [kind for kind in PAIRED if kinds.count(kind) > 2]
    if several:
        raise OptionError(f"swipe=True compares two; there are {kinds.count(several[0])} of {several[0]}")
    if kinds.count("plan") < 2 and kinds.count("cover") < 2:
        raise OptionError("swipe=True needs two plans or two covers: the first is before, the second after")
    twice = {kind for kind in PAIRED if kinds.count(kind) == 2}
    first = {kind: kinds.index(kind) for kind in twice}
    before = [one for k, one in enumerate(layers) if kinds[k] not in twice or first[kinds[k]] == k]
    after = [one for k, one in enumerate(layers) if kinds[k] not in twice or first[kinds[k]] != k]
    return before, after


def with_before(
    payload: dict[str, Any],
    earlier: dict[str, Any],
    before: Content,
    after: Content,
    *,
    names: Sequence[Any],
    languages: Sequence[str],
) -> dict[str, Any]:
    """The payload of the state after, with what is not the same before, and the tables of who gained.

    Parameters
    ----------
    payload, earlier
        The payloads of `after` and of `before`.
    before, after
        The layers of both sides.
    names
        What the sides are called, each a text or a mapping from language to text; none for "Before" and "After".
    languages
        Of the page.
    """
    old = {key: _unlike(earlier[key], payload.get(key)) for key in _STATE if earlier.get(key) != payload.get(key)}
    # a kind of layer that there was none of is there no more
    old["gone"] = [kind for kind in payload["layers"] if kind not in earlier["layers"]]
    out = payload | {"before": old, "gains": _gains(before, after, payload)}
    out["words"] = payload["words"] | side_words(languages[0], names)
    if "other" in payload:
        other = dict(payload["other"])
        other["words"] = other.get("words", {}) | side_words(languages[1], names)
        other["before"] = _within(earlier.get("other", {}), old)
        out["other"] = other
    return out


def _unlike(value: Any, other: Any) -> Any:
    """What of a mapping is not the same in the other; anything else as a whole."""
    if not isinstance(value, dict) or not isinstance(other, dict):
        return value
    return {key: _unlike(inner, other.get(key)) for key, inner in value.items() if inner != other.get(key)}


def _within(value: dict[str, Any], frame: Any) -> dict[str, Any]:
    """What of a nested mapping has a place in the frame."""
    out = {}
    for key, inner in value.items():
        if key in frame:
            out[key] = _within(inner, frame[key]) if isinstance(inner, dict) and isinstance(frame[key], dict) else inner
    return out


def _gains(before: Content, after: Content, payload: dict[str, Any]) -> dict[str, Any]:
    """Tables of who gained: of the covers, of the plans, where there are two."""
    communities = payload["layers"].get("communities", {}).get("id", [])
    out: dict[str, Any] = {}
    if before.cover is not None and after.cover is not None and before.cover is not after.cover:
        categories = [row["id"] for row in payload["categories"]]
        out["covers"] = _cover_gains(before.cover, after.cover, after, communities, categories)
    if before.plan is not None and after.plan is not None and before.plan is not after.plan:
        grids = payload["layers"]["grids"]["id"]
        out["plans"] = _plan_changes(before.plan, after.plan, communities, grids)
    return out


def _cover_gains(
    before: Cover, after: Cover, content: Content, communities: list[str], categories: list[str]
) -> dict[str, Any]:
    """By category, of the whole area and of each community: who is covered before and after, who gained and lost."""
    from gridmap.coverage.counting.compare import compare

    whole = compare(before, after).assign(row=0)
    out = {"city": _by_category(whole, categories, 1)}
    grids = content.plan.grids if content.plan is not None else None
    by = content.plan if grids is not None else content.tables.get("communities")
    if by is not None and communities:
        table = compare(before, after, by=by)
        owner = table["unit_id"].astype(str)
        if grids is not None:  # grids are whole parts of communities: their numbers add up
            owner = owner.map(dict(zip(grids["grid_id"].astype(str), grids["community_id"].astype(str), strict=True)))
        table["row"] = pd.Index(communities).get_indexer(pd.Index(owner))
        out["communities"] = _by_category(table[table["row"] >= 0], categories, len(communities))
    return out


def _by_category(table: pd.DataFrame, categories: list[str], rows: int) -> dict[str, list[list[Any]]]:
    """Sums by category and row, as lists of rows by category; None where nothing was compared."""
    sums = table.groupby(["category", "row"])[list(_GAINS)].sum()
    sums = sums.reindex(pd.MultiIndex.from_product([categories, range(rows)]))
    for when in ("before", "after"):
        sums[f"rate_{when}"] = sums[f"covered_{when}"] / sums["total"].where(sums["total"] > 0)
    return {
        str(name): [listed(values, RATE_DIGITS) for values in sums[name].to_numpy().reshape(len(categories), rows)]
        for name in sums
    }


def _plan_changes(before: GridPlan, after: GridPlan, communities: list[str], grids: list[str]) -> dict[str, Any]:
    """How many households and grids changed, by community too, and from where each grid after has its households."""
    table = before.compare(after)
    owner_before, owner_after = (_owners(plan) for plan in (before, after))
    moved = table[table["moved"]]
    at = pd.Index(communities)
    rows = at.get_indexer(pd.Index(moved["grid_to"].map(owner_after)))
    households = np.bincount(rows[rows >= 0], moved["households"].to_numpy()[rows >= 0], len(communities))
    sides = {}
    for name, plan in (("before", before), ("after", after)):
        row = at.get_indexer(pd.Index(plan.grids["community_id"].astype(str)))
        legal = plan.grids["status"].eq("legal").to_numpy()
        sides[f"grids_{name}"] = np.bincount(row[row >= 0], minlength=len(communities)).tolist()
        sides[f"in_band_{name}"] = np.bincount(row[(row >= 0) & legal], minlength=len(communities)).tolist()
    summary = {key: listed([value], 6)[0] for key, value in table.attrs["summary"].items()}
    came = table[(table["grid_from"] != table["grid_to"]) & table["grid_to"].notna() & (table["households"] > 0)]
    known = set(owner_before)
    return {
        "summary": summary,
        "communities": sides | {"moved": listed(households, 2)},
        "from": _came_from(came, pd.Index(grids), known),
    }


def _owners(plan: GridPlan) -> dict[str, str]:
    return dict(zip(plan.grids["grid_id"].astype(str), plan.grids["community_id"].astype(str), strict=True))


def _came_from(came: pd.DataFrame, grids: pd.Index, known: set[str]) -> list[list[Any]]:
    """``[row of the grid after, id of the grid before or "", households]``, the largest first."""
    came = came.assign(row=grids.get_indexer(pd.Index(came["grid_to"])))
    came = came[came["row"] >= 0].sort_values(["row", "households"], ascending=[True, False], kind="stable")
    source = [str(g) if isinstance(g, str) and g in known else "" for g in came["grid_from"]]
    return [list(t) for t in zip(came["row"].tolist(), source, listed(came["households"], 2), strict=True)]
