"""`divide`: communities cut into grids, from checked tables to a plan, one step after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.division.assemble import build_plan
from gridmap.division.atoms import make_atoms
from gridmap.division.borders import SHORTEST_JOIN
from gridmap.division.certificates import certify
from gridmap.division.codes import check_scheme
from gridmap.division.ledger import building_weights, row_shares
from gridmap.division.partition import check_band, lots_from_borders, partition_lots
from gridmap.division.slices import Splitting, free_room, split_findings
from gridmap.errors import OptionError, TableError
from gridmap.network.streets import as_lines
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor

    from gridmap.division.engine import Band, Effort, Lots
    from gridmap.division.plan import GridPlan
    from gridmap.network.streets import StreetNetwork

__all__ = ["divide"]


def divide(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork | None = None,
    *,
    lower: float = 300,
    upper: float = 500,
    bands: pd.DataFrame | None = None,
    weight: str | pd.Series = "households",
    compounds: gpd.GeoDataFrame | None = None,
    units: pd.DataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
    dedicated: Iterable[str] | gpd.GeoDataFrame | None = None,
    locked: Iterable[str] | None = None,
    together: Iterable[Iterable[str]] | None = None,
    apart: Iterable[Iterable[str]] | None = None,
    split_large: bool = False,
    previous: GridPlan | None = None,
    code: str = "15",
    object_code: str = "000000",
    effort: Effort = "normal",
    seed: int = 0,
    executor: Executor | None = None,
) -> GridPlan:
    """Divide communities into contiguous grids whose households lie within a band.

    Grids tile their community, follow streets where they can, keep compounds whole and cut no footprint. In order of
    importance: few grids outside the band, few households outside it, then compact shape, borders on streets and
    balance. A grid that stays outside the band has a finding that says why, with a certificate.

    Parameters
    ----------
    communities
        Polygons with ``community_id``; ``code`` (12 digits) for grid codes. A building belongs to the community that
        holds its point on surface.
    buildings
        Points or polygons with ``building_id`` and ``households``.
    streets
        Lines that bound blocks, walkable or not, or a prepared network; without them a community is one block.
    lower, upper
        The band, both ends included. 300-500 households is common practice, not a national standard.
    weight
        What the band counts: a column of `buildings`, or a Series by building id.
    compounds
        Polygons that stay whole unless one alone exceeds `upper`.
    units
        Households by unit of a building; checked against the buildings. See `split_large`.
    barriers
        Lines or polygons; no grid crosses one that is ``hard``.
    entrances
        Kept with the plan for its audit.
    dedicated
        Grids of their own, outside the band: ids of compounds, or polygons with a name.
    bands, locked, together, apart, split_large
        Not accepted yet: further rules, and buildings above `upper` split by unit.
    previous
        An earlier plan: a grid that keeps most of its households keeps its code.
    code, object_code
        Scheme of the grid codes, ``"15"`` or ``"CJ/T 349"``, and the object part of the latter.
    effort
        ``"low"``, ``"normal"`` or ``"high"``: a number of iterations, never of seconds.
    seed
        Of the random numbers. Same input, seed and library versions: same plan, on any number of workers.
    executor
        Where communities are cut into atoms and components are divided; by default here, one after another.

    Returns
    -------
    GridPlan
        In the CRS of `communities`.

    Raises
    ------
    TableError
        When a table breaks its contract.
    OptionError
        When an option cannot work.
    """
    _refuse_unbuilt(bands=bands, locked=locked, together=together, apart=apart)
    band = check_band(lower, upper)
    check_scheme(code, object_code)
    column = [weight] if isinstance(weight, str) else []
    communities = check_table(communities, "communities")
    buildings = check_table(buildings, "buildings", needs=("households", *column))
    if units is not None:
        units = check_table(units, "units")
        _check_units(units, buildings)
    streets, compounds, barriers, entrances = (
        table if table is None else check_table(table, name, allow_empty=True)
        for name, table in (
            ("streets", as_lines(streets)), ("compounds", compounds), ("barriers", barriers), ("entrances", entrances),
        )
    )  # fmt: skip
    compounds, own = _dedicated_compounds(compounds, dedicated, communities)
    ground = make_atoms(
        communities, buildings, streets,
        compounds=compounds, barriers=barriers, upper=upper, whole=own, executor=executor,
        splitting=dict.fromkeys(communities["community_id"], Splitting(free_room(lower, upper), units))
        if split_large
        else None,
    )  # fmt: skip
    atoms = ground.atoms
    lots = _lots(ground, building_weights(buildings, weight))
    is_own = atoms["compound_id"].isin(list(own)).to_numpy()
    labels = _labels(lots, ground, is_own, band, effort=effort, seed=seed, executor=executor)
    ids = atoms["atom_id"].to_numpy(dtype=object)
    return build_plan(
        ground,
        pd.Series(labels, index=ids),
        communities=communities,
        buildings=buildings,
        lower=lower,
        upper=upper,
        weight=weight,
        code=code,
        object_code=object_code,
        parameters={"effort": effort, "seed": seed},
        extra_findings=split_findings(ground.assignment, buildings, units),
        certificates=certify(labels, lots, band, ids),
        dedicated=np.unique(labels[is_own]).tolist(),
        names={
            label: name
            for label, c in zip(labels[is_own], atoms["compound_id"][is_own], strict=True)
            if (name := own[c]) is not None
        },
        previous=previous,
        streets=streets,
        compounds=compounds,
        barriers=barriers,
        entrances=entrances,
    )


def _refuse_unbuilt(**options: object) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise OptionError(
            f"divide does not accept {', '.join(given)} yet; leave {'it' if len(given) == 1 else 'them'} out"
        )


def _check_units(units: pd.DataFrame, buildings: gpd.GeoDataFrame) -> None:
    """Refuse units of buildings that there are not."""
    unknown = ~units["building_id"].isin(buildings["building_id"])
    if unknown.any():
        rows = [
            {
                "row": row, "column": "building_id", "value": repr(value), "expected": "an id of the buildings table",
                "remedy": "Correct the id, add the building, or leave the unit out.",
            }
            for row, value in units.loc[unknown, "building_id"].items()
        ]  # fmt: skip
        raise TableError("units", pd.DataFrame(rows))


def _dedicated_compounds(
    compounds: gpd.GeoDataFrame | None,
    dedicated: Iterable[str] | gpd.GeoDataFrame | None,
    communities: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame | None, dict[str, str | None]]:
    """The compounds, with dedicated areas among them, and the ids of the dedicated ones with their names.

    A dedicated area is a compound that is never opened and never joined with its neighbours. Compounds that it covers
    by more than half are part of it.
    """
    if dedicated is None:
        return compounds, {}
    if not isinstance(dedicated, gpd.GeoDataFrame):
        wanted = [str(d) for d in ([dedicated] if isinstance(dedicated, str) else dedicated)]
        known = {} if compounds is None else _names(compounds)
        unknown = sorted(set(wanted) - set(known))
        if unknown:
            raise OptionError(f"dedicated names compounds that there are not: {', '.join(unknown[:10])}")
        return compounds, {c: known[c] for c in wanted}
    areas = dedicated.to_crs(communities.crs).reset_index(drop=True)
    given = next((areas[c] for c in ("compound_id", "grid_id") if c in areas), areas.index.astype(str))
    areas = check_table(areas.assign(compound_id=[f"dedicated:{i}" for i in given]), "compounds")
    if compounds is None or compounds.empty:
        return areas, _names(areas)
    others = compounds.to_crs(communities.crs)
    covered = others.geometry.intersection(areas.union_all()).area > others.area / 2
    return pd.concat([others[~covered], areas], ignore_index=True), _names(areas)


def _names(compounds: gpd.GeoDataFrame) -> dict[str, str | None]:
    names = compounds["name"] if "name" in compounds else pd.Series(None, index=compounds.index, dtype=object)
    return dict(zip(compounds["compound_id"], names, strict=True))


def _lots(ground: Any, weights: pd.Series) -> Lots:
    """The ground as arrays of the engine."""
    atoms, pairs = ground.atoms, ground.adjacency
    position = pd.Series(np.arange(len(atoms)), index=atoms["atom_id"])
    rows = ground.assignment
    held = row_shares(rows) * rows["building_id"].map(weights)
    weight = held.groupby(rows["atom_id"]).sum().reindex(atoms["atom_id"], fill_value=0.0).to_numpy()
    metres = pairs["metres"].to_numpy(np.float64)
    joins = (metres >= SHORTEST_JOIN) | (pairs["kind"] == "piece").to_numpy()
    a, b = (position[pairs[c]].to_numpy() for c in ("atom_a", "atom_b"))
    return lots_from_borders(
        weight,
        atoms.area.to_numpy(),
        atoms.length.to_numpy(),
        a,
        b,
        metres,
        pairs["on_street"].to_numpy(np.float64),
        joins,
    )


def _labels(
    lots: Lots,
    ground: Any,
    is_own: np.ndarray,
    band: Band,
    *,
    effort: Effort,
    seed: int,
    executor: Executor | None,
) -> np.ndarray:
    """A grid label for each atom: dedicated areas first, then the engine, then land that nothing joins."""
    labels = np.full(len(lots.weight), -1, np.int64)
    own = np.flatnonzero(is_own)
    labels[own] = pd.factorize(ground.atoms["compound_id"].iloc[own])[0]
    rest = np.flatnonzero(~is_own)
    if len(rest):
        part = partition_lots(lots.part(rest), band, effort=effort, seed=seed, executor=executor)
        labels[rest] = part + labels.max() + 1
    return _attach_empty_land(labels, lots, ground.atoms["community_id"].to_numpy(), is_own)


def _attach_empty_land(labels: np.ndarray, lots: Lots, community: np.ndarray, is_own: np.ndarray) -> np.ndarray:
    """Land of no households that nothing joins goes to the grid of its community that it borders on longest.

    It may lie behind a hard barrier, or be joined by less than 3 m. A community without any households is one grid.
    """
    inhabited = pd.Series(lots.weight).groupby(community).transform("sum").to_numpy() > 0
    first = pd.Series(labels).groupby(community).transform("min").to_numpy()
    labels = np.where(inhabited | is_own, labels, first)
    while True:
        held = np.bincount(labels, lots.weight)
        idle = (held[labels] <= 0) & inhabited & ~is_own
        if not idle.any():
            return labels
        out = idle[lots.source] & ~idle[lots.neighbour] & (community[lots.source] == community[lots.neighbour])
        out &= ~is_own[lots.neighbour]
        arcs = np.flatnonzero(out)
        if len(arcs) == 0:
            return _attach_to_any(labels, idle, community, is_own)
        pairs = pd.DataFrame(
            {"idle": labels[lots.source[arcs]], "grid": labels[lots.neighbour[arcs]], "metres": lots.border[arcs]}
        )
        borders = pairs.groupby(["idle", "grid"])["metres"].sum().reset_index()
        borders = borders.sort_values(by=["metres", "grid"], ascending=[False, True], kind="stable")
        longest = borders.drop_duplicates("idle")
        to = dict(zip(longest["idle"], longest["grid"], strict=True))
        labels = np.array([to.get(label, label) for label in labels])


def _attach_to_any(labels: np.ndarray, idle: np.ndarray, community: np.ndarray, is_own: np.ndarray) -> np.ndarray:
    """Empty land that borders on no grid of its community joins the first; where there is none it is one grid."""
    for name in np.unique(community[idle]):
        inside = community == name
        others = labels[inside & ~idle & ~is_own]
        labels[inside & idle] = (others if len(others) else labels[inside & idle]).min()
    return labels
