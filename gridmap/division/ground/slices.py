"""Slices: a building above the limit becomes several pieces, by its units, its storeys, or in equal parts.

A piece is a slice of the footprint across its long axis, as large as its share of the weight. The slices are footprints
of their own from then on, so that the cells around them, their borders and their neighbours come out as for any
building. What is a slice on the map is an entrance stack, or a band of storeys, in the house.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.tables.findings import finding

if TYPE_CHECKING:
    import geopandas as gpd

    from gridmap.division.ground.land import Land, Owners

__all__ = ["Splitting", "free_room", "slice_across", "split_findings", "split_large", "tie_slices"]

# A building known as a point is drawn as a square of this half side, or less where others are near, to be sliced.
_POINT_METRES = 5.0
# A slice is at least this part of an even share, so that a unit without households has land to stand on.
_LEAST_SHARE = 0.25
# The footprint is measured in so many strips to find where the cuts go.
_STRIPS = 256


@dataclass(frozen=True)
class Splitting:
    """How large buildings are split in one community: the weight a piece should not exceed, and the known units."""

    room: float
    units: pd.DataFrame | None = None


def free_room(lower: float, upper: float) -> float:
    """Weight up to which a piece leaves the division free: grown piece by piece, a grid can always stop in the band.

    A grid below `lower` that takes in one more piece of at most ``upper - lower`` is not above `upper`. A narrow band
    would ask for crumbs: then it is a tenth of `upper`.

    Examples
    --------
    >>> free_room(300, 500), free_room(0, 500), free_room(400, 400)
    (200, 500, 40.0)
    """
    return max(upper - lower, upper / 10)


def split_large(
    land: Land, owners: Owners, buildings: gpd.GeoDataFrame, loads: np.ndarray, upper: float, how: Splitting
) -> tuple[Land, Owners]:
    """Cut the owners above `upper` into as few pieces of at most `how.room` as their units allow.

    Parameters
    ----------
    land, owners
        One community, as `lay_out` returns it. Compounds stay as they are: those above `upper` are open already.
    buildings, loads
        The buildings in it, and what each of them counts.
    upper
        The limit. An owner above it that has a single unit stays whole.
    how
        See `Splitting`.

    Returns
    -------
    Land, Owners
        With slices in place of the footprints of each such owner, and a row for each unit. The first piece keeps the
        number of the owner.
    """
    load = np.bincount(owners.owner, loads, minlength=land.owners)
    large = (load > upper * (1 + 1e-9)) & (owners.kind == "building")
    cuts: list[_Cut] = []
    for one in np.flatnonzero(large):
        rows = np.flatnonzero(owners.owner == one)
        units = _units_of(rows, buildings, loads, how)
        piece = _in_bins(units["load"].to_numpy(), how.room)
        if piece[-1] > 0:
            around = np.delete(land.footprints, rows)
            ground = _ground_of(land.footprints[rows], around, land.area)
            number = np.r_[one, land.owners + sum(len(cut.number) - 1 for cut in cuts) + np.arange(piece[-1])]
            slices, of = slice_across(ground, np.bincount(piece, units["load"]))
            piece = _where_they_stand(piece, units, land.footprints, slices, of, upper)
            cuts.append(_Cut(number, units.assign(owner=number[piece]), slices, number[of]))
    return (_cut_land(land, owners, cuts), _cut_owners(owners, cuts)) if cuts else (land, owners)


def slice_across(shape: shapely.Geometry, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a polygon across its long axis into slices whose areas are as the weights.

    Parameters
    ----------
    shape
        Polygon or MultiPolygon.
    weight
        Of each slice, from west to east along the axis (from south to north when it runs due north).

    Returns
    -------
    slices, of
        Polygons that tile the shape, and the slice each belongs to. Where the shape is no simple bar, a stray part of
        a slice goes to the slice it borders on, so that a slice hangs together wherever the shape does.

    Examples
    --------
    >>> slices, of = slice_across(shapely.box(0, 0, 40, 10), np.array([1.0, 3.0]))
    >>> shapely.area(slices).round(1).tolist(), of.tolist()
    ([100.0, 300.0], [0, 1])
    """
    cosine, sine = _long_axis(shape)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array(shapely.get_coordinates(shapely.centroid(shape))[0])
    laid = shapely.transform(shape, lambda xy: (xy - middle) @ turn)
    left, bottom, right, top = shapely.bounds(laid)
    strips = np.linspace(left, right, _STRIPS + 1)
    areas = shapely.area(shapely.intersection(laid, shapely.box(strips[:-1], bottom - 1, strips[1:], top + 1)))
    share = np.maximum(weight, _LEAST_SHARE * weight.mean()) if weight.sum() > 0 else np.ones(len(weight))
    cuts = np.interp(
        np.cumsum(share)[:-1] / share.sum(), np.r_[0.0, np.cumsum(areas)] / max(areas.sum(), 1e-12), strips
    )
    ends = np.r_[left - 1, cuts, right + 1]
    parts, of = shapely.get_parts(
        shapely.intersection(laid, shapely.box(ends[:-1], bottom - 1, ends[1:], top + 1)), return_index=True
    )
    # A collection where a cut runs along a wall: its polygons are what counts.
    parts, inner = shapely.get_parts(parts, return_index=True)
    solid = (shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > 0)
    parts, of = parts[solid], _stray_to_neighbours(parts[solid], of[inner[solid]])
    return shapely.transform(parts, lambda xy: xy @ turn.T + middle), of


def tie_slices(
    ids: np.ndarray, rows: pd.DataFrame, cluster: np.ndarray, weight: np.ndarray, limit: np.ndarray
) -> np.ndarray:
    """Nodes after the slices of each split building have become as few as there must be, of about equal weight.

    Slices are fine, so that a division may cut where it needs to; the fewest pieces are tried first.

    Parameters
    ----------
    ids
        Names of the atoms; a slice is named ``...#1``, ``...#2`` and so on.
    rows
        atom_id and unit_id, one row a building or unit.
    cluster
        Node of each atom so far.
    weight, limit
        Of each atom, and what a node there may weigh.
    """
    named = pd.Series(ids).str.fullmatch(r"b:.*#\d+").to_numpy()
    slices = np.flatnonzero(named & np.isin(ids, rows.loc[rows["unit_id"].notna(), "atom_id"].unique()))
    if not len(slices):
        return cluster
    whole = np.array([ids[i].rpartition("#")[0] for i in slices], dtype=object)
    out = cluster.copy()
    for name in np.unique(whole):
        mine = slices[whole == name]
        mine = mine[np.argsort([int(ids[i].rpartition("#")[2]) for i in mine])]
        piece = _even_bins(weight[mine], limit[mine[0]])
        for one in np.unique(piece):
            together = np.isin(out, out[mine[piece == one]])
            if weight[together].sum() <= limit[mine[0]] * (1 + 1e-9):
                out[together] = out[together].min()
    return out


def _even_bins(weight: np.ndarray, limit: float) -> np.ndarray:
    """Bin of each item, in order: as few bins of at most `limit` as there can be, the heaviest as light as possible."""
    fewest = int(_in_bins(weight, limit).max())
    runs = np.concatenate([np.cumsum(weight[i:]) for i in range(len(weight))])
    for room in np.unique(runs[runs <= limit]):
        piece = _in_bins(weight, room)
        if int(piece.max()) <= fewest and np.bincount(piece, weight).max() <= room * (1 + 1e-9):
            return piece
    return _in_bins(weight, limit)


def split_findings(
    assignment: pd.DataFrame, buildings: pd.DataFrame, units: pd.DataFrame | None
) -> list[dict[str, Any]]:
    """What was split and by what, and units that do not add up to their building.

    Parameters
    ----------
    assignment
        building_id and unit_id, one row a building or unit.
    buildings
        building_id, households, and floors where known.
    units
        The units given.
    """
    named = pd.Series([] if units is None else units["building_id"].unique(), dtype=object)
    split = np.sort(assignment.loc[assignment["unit_id"].notna(), "building_id"].unique())
    by_unit = np.isin(split, named)
    floors = buildings.set_index("building_id")["floors"] if "floors" in buildings else pd.Series(dtype=float)
    by_floor = ~by_unit & floors.reindex(split).notna().to_numpy()
    found = []
    for chosen, by, cure in (
        (by_unit, "by the units given", ""),
        (by_floor, "into bands of storeys, having no units", "Give their units (building_id, unit_id, households)."),
        (
            ~by_unit & ~by_floor,
            "into equal parts, having neither units nor a number of floors",
            "Give their units, or their floors.",
        ),
    ):
        if chosen.any():
            found.append(
                finding(
                    "info" if not cure else "warning", "split_large",
                    f"{_buildings(chosen.sum())} above the limit {'was' if chosen.sum() == 1 else 'were'} split {by}.",
                    status="split", cure=cure, ids=split[chosen],
                )
            )  # fmt: skip
    if units is not None:
        given = units.groupby("building_id")["households"].sum()
        held = buildings.set_index("building_id")["households"].reindex(given.index).fillna(0)
        off = given[(given - held).abs() > 0.5]
        if len(off):
            found.append(
                finding(
                    "warning", "unit_households",
                    f"{_buildings(len(off))}: {held[off.index].sum():,.0f} households, but "
                    f"{off.sum():,.0f} in the units; the former was believed, and shared out as the units are.",
                    cure="Correct the households of the units or of the buildings.", ids=off.index,
                )
            )  # fmt: skip
    return found


def _buildings(count: int) -> str:
    return f"{count:,} building{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class _Cut:
    """One owner in pieces: their numbers, the first being its own, and its units (row, unit_id, households, owner)."""

    number: np.ndarray
    units: pd.DataFrame
    slices: np.ndarray
    slice_owner: np.ndarray


def _cut_land(land: Land, owners: Owners, cuts: list[_Cut]) -> Land:
    whole = ~np.isin(owners.owner, [cut.number[0] for cut in cuts])
    return replace(
        land,
        footprints=np.concatenate([land.footprints[whole], *(cut.slices for cut in cuts)]),
        owner=np.concatenate([land.owner[whole], *(cut.slice_owner for cut in cuts)]),
        owners=land.owners + sum(len(cut.number) - 1 for cut in cuts),
    )


def _cut_owners(owners: Owners, cuts: list[_Cut]) -> Owners:
    units = pd.concat([cut.units for cut in cuts])
    whole = np.flatnonzero(~np.isin(owners.owner, [cut.number[0] for cut in cuts]))
    row = np.r_[whole, units["row"].to_numpy()]
    order = np.argsort(row, kind="stable")
    row = row[order]
    names = owners.atom_id.copy()
    for cut in cuts:
        names[cut.number[0]] += "#1"
    added = [f"{owners.atom_id[cut.number[0]]}#{k + 1}" for cut in cuts for k in range(1, len(cut.number))]
    like = np.repeat([cut.number[0] for cut in cuts], [len(cut.number) - 1 for cut in cuts])
    return replace(
        owners,
        building_id=owners.building_id[row],
        unit_id=np.r_[np.full(len(whole), None), units["unit_id"].to_numpy(dtype=object)][order],
        households=np.r_[owners.households[whole], units["households"].to_numpy()][order],
        owner=np.r_[owners.owner[whole], units["owner"].to_numpy()][order],
        compound=owners.compound[row],
        atom_id=np.r_[names, np.array(added, dtype=object)],
        kind=np.r_[owners.kind, owners.kind[like]],
        compound_id=np.r_[owners.compound_id, owners.compound_id[like]],
    )


def _units_of(rows: np.ndarray, buildings: gpd.GeoDataFrame, loads: np.ndarray, how: Splitting) -> pd.DataFrame:
    """row, unit_id, households, load: the units of some buildings, one after another."""
    floors = buildings["floors"].to_numpy(dtype=float) if "floors" in buildings else np.full(len(buildings), np.nan)
    found = []
    for row in rows.tolist():
        name = buildings["building_id"].iloc[row]
        items = [] if how.units is None else _known_units(how.units[how.units["building_id"] == name])
        items = items or _storeys(loads[row], floors[row], how.room)
        held = _whole_numbers(buildings["households"].iloc[row], np.array([share for _, share in items]))
        total = held.sum()
        shares = held / total if total > 0 else [share for _, share in items]
        found += [
            (row, unit, part, loads[row] * share) for (unit, _), part, share in zip(items, held, shares, strict=True)
        ]
    return pd.DataFrame(found, columns=["row", "unit_id", "households", "load"])


def _known_units(units: pd.DataFrame) -> list[tuple[str | None, float]]:
    """Name and share of each of the units given, unit 2 before unit 10."""
    held = units["households"].to_numpy(dtype=float)
    share = held / held.sum() if held.sum() > 0 else np.full(len(held), 1 / max(len(held), 1))
    return sorted(zip(units["unit_id"], share.tolist(), strict=True), key=lambda unit: _natural(unit[0]))


def _storeys(load: float, floors: float, room: float) -> list[tuple[str | None, float]]:
    """Name and share of bands of storeys of at most `room`, or of equal parts where no floors are known."""
    parts = int(np.ceil(load / room - 1e-9))
    if parts <= 1 or floors < 2:
        return [(None, 1.0)]
    if not np.isfinite(floors):
        return [(f"part {i + 1}", 1 / parts) for i in range(parts)]
    storeys = int(floors)
    deep = max(int(room * storeys / load + 1e-9), 1)
    ends = np.round(np.linspace(0, storeys, -(-storeys // deep) + 1)).astype(int).tolist()
    return [
        (f"F{low + 1}" if high == low + 1 else f"F{low + 1}-{high}", (high - low) / storeys)
        for low, high in pairwise(ends)
    ]


def _whole_numbers(households: float, share: np.ndarray) -> np.ndarray:
    """Households of each unit: whole numbers where they are of a building that holds enough to go round."""
    if not (float(households).is_integer() and households >= len(share)):
        return np.nan_to_num(households) * share
    held: np.ndarray = np.diff(np.round(np.r_[0.0, np.cumsum(share)] * households))
    return held


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Key that sorts unit 2 before unit 10."""
    return [(not t.isdecimal(), int(t) if t.isdecimal() else 0, t) for t in re.split(r"(\d+)", name) if t]


def _in_bins(weight: np.ndarray, room: float) -> np.ndarray:
    """Bin of each item, in order: as few bins as neighbours of at most `room` together can share; more alone is one."""
    out = np.zeros(len(weight), dtype=np.int64)
    held, bin_ = 0.0, 0
    for i, w in enumerate(weight):
        if i and held + w > room * (1 + 1e-9):
            bin_, held = bin_ + 1, 0.0
        held += w
        out[i] = bin_
    return out


def _where_they_stand(
    piece: np.ndarray, units: pd.DataFrame, footprints: np.ndarray, slices: np.ndarray, of: np.ndarray, upper: float
) -> np.ndarray:
    """Piece of each unit, after buildings that stay whole have gone to the slice they stand on, if that takes them."""
    whole = units["unit_id"].isna().to_numpy()
    at = shapely.point_on_surface(footprints[units["row"]])
    nearest = of[np.argmin(shapely.distance(at[:, None], slices[None, :]), axis=1)]
    moved = np.where(whole, nearest, piece)
    held = np.bincount(moved, units["load"], minlength=int(of.max()) + 1)
    return moved if held.max() <= upper and (held > 0).all() else piece


def _ground_of(shapes: np.ndarray, others: np.ndarray, area: shapely.Geometry) -> shapely.Geometry:
    """The land that an owner stands on: its footprints, or a square around its point."""
    solid = shapes[shapely.area(shapes) > 0]
    if len(solid):
        return shapely.union_all(solid)
    x, y = shapely.get_coordinates(shapes[0])[0]
    gap = shapely.distance(shapes[0], others).min(initial=np.inf)
    half = min(_POINT_METRES, 0.4 * gap)
    return shapely.intersection(shapely.box(x - half, y - half, x + half, y + half), area)


def _long_axis(shape: shapely.Geometry) -> tuple[float, float]:
    """Cosine and sine of the direction of the long side of the smallest rectangle around a shape."""
    ring = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    sides = np.diff(ring[:3], axis=0)
    length = np.hypot(*sides.T)
    # A square has no long side: the one nearer to west-east, so that the last digit does not decide.
    flat = np.abs(sides[:, 0]) / np.maximum(length, 1e-12)
    side = int(np.argmax(length)) if abs(length[0] - length[1]) > 0.01 else int(np.argmax(flat))
    cosine, sine = sides[side] / max(length[side], 1e-12)
    back = cosine < -1e-9 or (abs(cosine) <= 1e-9 and sine < 0)
    return (-cosine, -sine) if back else (cosine, sine)


def _stray_to_neighbours(parts: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Slice of each part, after the parts that are not the largest of their slice joined the one they border on."""
    of = of.copy()
    area = shapely.area(parts)
    largest = np.zeros(len(parts), dtype=bool)
    for one in np.unique(of):
        largest[np.flatnonzero(of == one)[np.argmax(area[of == one])]] = True
    if largest.all():
        return of
    a, b = shapely.STRtree(parts).query(parts, predicate="intersects")
    metres = shapely.length(shapely.intersection(shapely.boundary(parts[a]), shapely.boundary(parts[b])))
    settled = largest.copy()
    while True:
        can = ~settled[a] & settled[b] & (metres > 0)
        if not can.any():
            return of
        at = np.flatnonzero(can)[np.lexsort((b[can], -metres[can]))[0]]
        of[a[at]] = of[b[at]]
        settled[a[at]] = True
