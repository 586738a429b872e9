"""Findings for grids outside the band: what is wrong in plain words, and what would cure it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

__all__ = ["band_findings", "parts_within", "proof_cures"]

#: Certificates that prove nothing about what else could be done, so that cures by numbers are worth proposing.
_OPEN = ("audit", "not_found")


def parts_within(total: float, lower: float, upper: float) -> int:
    """Fewest parts, all within the band, that a freely divisible total can be cut into; 0 when there are none.

    Examples
    --------
    >>> parts_within(548, 300, 500), parts_within(700, 300, 500), parts_within(160, 300, 500)
    (0, 2, 0)
    """
    if total < lower:
        return 0
    parts = max(1, math.ceil(total / upper - 1e-9)) if math.isfinite(upper) and upper > 0 else 1
    return parts if lower <= 0 or total / parts >= lower * (1 - 1e-9) else 0


def band_findings(
    grids: gpd.GeoDataFrame,
    neighbours: pd.DataFrame,
    *,
    lower: float,
    upper: float,
    unit: str = "households",
    largest: pd.DataFrame | None = None,
    certificates: Mapping[str, Mapping[str, Any]] | None = None,
    next_community: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """One finding for each grid with status ``"above"`` or ``"below"``.

    Parameters
    ----------
    grids
        grid_id, community_id, status, geometry, and a column `unit` that the band counts.
    neighbours
        grid_a, grid_b, metres: grids of one community with a common border, each pair once or twice.
    lower, upper
        The band.
    unit
        What the band counts, as a column of `grids` and as a word in the messages.
    largest
        Largest building of each grid, index = grid_id, columns building_id and weight.
    certificates
        By grid_id, a mapping with at least ``kind``; ``cure`` in it, if any, is told first. Without one the
        certificate says ``not_found``.
    next_community
        By community_id the community it could be joined with, told where the total of a component is the reason.
    """
    weights = dict(zip(grids["grid_id"], grids[unit], strict=True))
    beside: dict[str, list[str]] = {}
    for a, b in zip(neighbours["grid_a"], neighbours["grid_b"], strict=True):
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    rows = []
    for grid in grids[grids["status"].isin(["above", "below"])].sort_values("grid_id").to_dict("records"):
        name, weight = grid["grid_id"], grid[unit]
        # Where bands differ, a grid carries its own.
        low, high, counted = grid.get("lower", lower), grid.get("upper", upper), grid.get("counted", unit)
        high = math.inf if high is None or math.isnan(high) else high
        given = dict((certificates or {}).get(name, {"kind": "not_found"}))
        cures = [str(given.pop("cure"))] if "cure" in given else []
        if largest is not None and name in largest.index and largest.loc[name, "weight"] > high:
            cures.append(f"split building {largest.loc[name, 'building_id']} by unit (split_large=True)")
        elif given.get("kind") in _OPEN:
            cures += _cures_by_numbers(weight, {b: weights[b] for b in sorted(set(beside.get(name, [])))}, low, high)
        elif given.get("kind") == "component_total" and grid["community_id"] in (next_community or {}):
            cures.append(f"join community {grid['community_id']} with {(next_community or {})[grid['community_id']]}")
        else:
            cures += proof_cures(given)
        cures.append(f"accept {_number(weight)}, or make it a dedicated grid")
        limit, off = ("above", weight - high) if grid["status"] == "above" else ("below", low - weight)
        bound = _number(high if limit == "above" else low)
        rows.append(
            finding(
                "error",
                "household_band" if counted == "households" else "band",
                f"Grid {name} holds {_number(weight)} {counted}, {_number(off)} {limit} {bound}.",
                status=limit,
                cure=_sentence("; or ".join(cures)),
                ids=[name],
                certificate={"lower": low, "upper": _finite(high), "weight": weight} | given,
                geometry=grid["geometry"],
            )
        )
    return rows


def proof_cures(certificate: Mapping[str, Any], noun: str = "atom") -> list[str]:
    """What would make a certificate void: the atom to split, or the place to give another border.

    Parameters
    ----------
    certificate
        As `gridmap.division.search.certificates.certify` makes it.
    noun
        What its atoms are called.

    Examples
    --------
    >>> proof_cures({"kind": "pendant", "atoms": ["a7", "a9"], "border": ["a4"], "root": "a4"})
    ['open a border or bridge from a7, a9 to more than a4', 'split atom a4']
    """
    kind, atoms = certificate.get("kind"), certificate.get("atoms", [])
    if kind == "atom_above_upper" and "atom" in certificate:
        return [f"split {noun} {certificate['atom']}"]
    around = [*certificate.get("border", []), *certificate.get("towers", [])]
    if kind not in ("component_total", "pendant", "exhaustive", "mip") or not atoms:
        return []
    cures = [f"open a border or bridge from {_some(atoms)} to more than {_some(around) if around else 'that'}"]
    if certificate.get("root") in around:
        cures.append(f"split {noun} {certificate['root']}")
    return cures


def _some(names: list[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    more = f" (+{len(names) - most})" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _cures_by_numbers(weight: float, beside: Mapping[str, float], lower: float, upper: float) -> list[str]:
    """What the totals of the grid and its neighbours allow; whether the ground allows it is for `divide` to find."""
    cures = []
    merged = [b for b in beside if parts_within(weight + beside[b], lower, upper) == 1]
    if weight < lower and merged:
        best = min(merged, key=lambda b: (beside[b], b))
        cures.append(f"merge it with {best} (together {_number(weight + beside[best])})")
    parts = parts_within(weight, lower, upper)
    if parts > 1:
        cures.append(f"split it into {parts} of about {_number(round(weight / parts))}")
    shared = [b for b in beside if parts_within(weight + beside[b], lower, upper) == 2]
    if not cures and shared:
        # the neighbour with most to give, or most room to take
        best = min(shared, key=lambda b: (beside[b] if weight > upper else -beside[b], b))
        cures.append(f"redraw its border with {best} (together {_number(weight + beside[best])})")
    return cures


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
