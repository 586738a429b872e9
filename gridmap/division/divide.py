"""`divide`: communities cut into grids, from checked tables to a plan, one step after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.division.ground.atoms import make_atoms
from gridmap.division.ground.slices import Splitting, free_room, split_findings
from gridmap.division.plans.areas import with_areas
from gridmap.division.plans.assemble import build_plan
from gridmap.division.plans.codes import check_scheme
from gridmap.division.plans.locked import lock_grids, with_units
from gridmap.division.rules.bands import check_bands
from gridmap.division.rules.dedicated import dedicated_compounds, over
from gridmap.division.rules.labels import label_atoms
from gridmap.division.rules.pairs import building_groups
from gridmap.errors import TableError
from gridmap.network.streets import as_lines
from gridmap.tables.contracts import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor

    import geopandas as gpd

    from gridmap.division.plans.locked import Locked
    from gridmap.division.plans.plan import GridPlan
    from gridmap.division.rules.bands import Rules
    from gridmap.division.search.engine import Effort
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
    bands
        Other bands by kind of community: kind, lower, upper, weight, level, one row each. An empty kind stands for
        every other kind. An empty `upper` sets no ceiling: grids then follow the villager groups (column ``group`` of
        the buildings), each grid one or several whole groups, as many grids as there can be of `lower` or more. An
        empty `weight` is the `weight` below. A row of level ``"area"`` makes each villager group of a grid a
        responsibility area (``plan.areas``); ``"grid"``, or empty, is the usual level.
    weight
        What the band counts: a column of `buildings`, or a Series by building id.
    compounds
        Polygons that stay whole unless one alone exceeds `upper`.
    units
        Households by unit of a building: what `split_large` splits by. They are checked against the buildings.
    barriers
        Lines or polygons; no grid crosses one that is ``hard``.
    entrances
        Kept with the plan for its audit.
    dedicated
        Grids of their own, outside the band: ids of compounds, or polygons with a name.
    locked
        Ids of grids of `previous` that stay as they are, in the band or not: buildings, code and outline. The rest is
        divided around them.
    together
        Groups of building ids, each to be in one grid. Where the buildings of a group do not touch, what joins them
        by the fewest households is in that grid too. A group that cannot be kept together is a finding.
    apart
        Groups of building ids, no two of a group in one grid.
    split_large
        Whether a building above `upper` is split: by its `units`, else into bands of its ``floors``, else into equal
        parts, with a finding that says which. The assignment then has a row for each unit, the map slices of the
        footprint.
    previous
        An earlier plan: a grid that keeps most of its households keeps its code.
    code, object_code
        Scheme of the grid codes, ``"15"`` or ``"CJ/T 349"``, and the object part of the latter.
    effort
        ``"low"``, ``"normal"`` or ``"high"``: a number of iterations, never of seconds.
    seed
        Of the random numbers. Same input, seed and library versions: same plan, on any number of workers.
    executor
        Where communities are cut into atoms and components are divided; by default as many threads as processors.

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
    column = [weight] if isinstance(weight, str) else []
    communities = check_table(communities, "communities")
    buildings = check_table(buildings, "buildings", needs=("households", *column))
    if units is not None:
        units = check_table(units, "units")
        _check_units(units, buildings)
    rules = check_bands(bands, communities, buildings, lower=lower, upper=upper, weight=weight)
    check_scheme(code, object_code)
    together = building_groups(together, "together", buildings["building_id"])
    apart = building_groups(apart, "apart", buildings["building_id"])
    streets, compounds, barriers, entrances = (
        table if table is None else check_table(table, name, allow_empty=True)
        for name, table in (
            ("streets", as_lines(streets)), ("compounds", compounds), ("barriers", barriers), ("entrances", entrances),
        )
    )  # fmt: skip
    compounds, own = dedicated_compounds(compounds, dedicated, communities)
    locks = None if locked is None else lock_grids(locked, previous, communities, buildings)
    ground = _ground(
        communities, buildings, streets, compounds, barriers, rules, locks,
        whole=list(own), units=units, split=split_large, executor=executor,
    )  # fmt: skip
    kept = {} if locks is None else locks.grid_of
    compound = ground.atoms["compound_id"].to_numpy(dtype=object)
    fixed = np.full(len(compound), None, dtype=object)
    chosen = np.isin(compound.astype(str), [*own, *kept])
    fixed[chosen] = compound[chosen]
    done = label_atoms(
        ground, buildings, rules, fixed,
        together=together, apart=apart, effort=effort, seed=seed, executor=executor,
    )  # fmt: skip
    atoms = ground.atoms.assign(group=done.group) if any(r.areas for r in rules.rules) else ground.atoms
    by_label: dict[int, str] = dict(zip(done.labels[chosen].tolist(), fixed[chosen].tolist(), strict=True))
    lock_of = {label: kept[c] for label, c in by_label.items() if c in kept}
    names = {label: name for label, c in by_label.items() if (name := own.get(c)) is not None}
    is_own = [label for label, c in by_label.items() if c in own]
    if locks is not None:
        names |= {label: locks.names[g] for label, g in lock_of.items() if g in locks.names}
        is_own += [label for label, g in lock_of.items() if g in locks.dedicated]
    main = rules.main
    plan = build_plan(
        replace(ground, atoms=atoms),
        pd.Series(done.labels, index=atoms["atom_id"].to_numpy(dtype=object)),
        communities=communities,
        buildings=buildings,
        lower=main.lower,
        upper=main.upper,
        weight=weight if bands is None else rules.weight if rules.weight in buildings else rules.weights,
        limits=None if bands is None else rules.limits(done.labels, atoms["community_id"]),
        code=code,
        object_code=object_code,
        parameters={"effort": effort, "seed": seed}
        | _given(
            bands=rules.table, locked=list(kept.values()), together=together, apart=apart, split_large=split_large
        ),
        extra_findings=[
            *rules.findings,
            *(() if locks is None else locks.findings),
            *split_findings(ground.assignment, buildings, units),
            *done.findings,
        ],
        certificates=done.certificates,
        dedicated=is_own,
        names=names,
        locked=lock_of,
        previous=previous,
        streets=streets,
        compounds=compounds,
        barriers=barriers,
        entrances=entrances,
    )
    return with_areas(plan)


def _given(**options: Any) -> dict[str, Any]:
    """The options that say something."""
    return {name: value for name, value in options.items() if value}


def _ground(
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    compounds: gpd.GeoDataFrame | None,
    barriers: gpd.GeoDataFrame | None,
    rules: Rules,
    locks: Locked | None,
    *,
    whole: list[str],
    units: pd.DataFrame | None,
    split: bool,
    executor: Executor | None,
) -> Any:
    """Atoms, with locked grids among the compounds and the units of each building in its own row."""
    weights = rules.weights
    if locks is not None:
        compounds = locks.compounds if compounds is None else over(compounds, locks.compounds)
        whole = [*whole, *locks.grid_of]
        buildings = locks.buildings
        weights, units = locks.part_weights(weights), locks.part_units(units)
    limits = {c: rules.rule_of(c) for c in communities["community_id"]}
    ground = make_atoms(
        communities,
        buildings,
        streets,
        compounds=compounds,
        barriers=barriers,
        upper={c: rule.upper for c, rule in limits.items()},
        weight=weights,
        whole=whole,
        splitting={c: Splitting(free_room(r.lower, r.upper), units) for c, r in limits.items()} if split else None,
        executor=executor,
    )
    return ground if locks is None else replace(ground, assignment=with_units(ground.assignment, locks))


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
