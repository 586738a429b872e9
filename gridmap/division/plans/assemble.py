"""From atoms with grid labels to a plan: codes, ledger, polygons, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap._version import __version__
from gridmap.division.ground.borders import SHORTEST_JOIN
from gridmap.division.ledger import COUNTS, building_weights, grid_status, grid_sums, row_shares
from gridmap.division.plans.codes import SCHEMES, grid_codes, kept_codes
from gridmap.division.plans.locked_outlines import locked_shapes, with_shapes, with_walls
from gridmap.division.plans.outlines import straight_outlines
from gridmap.division.plans.plan import GridPlan
from gridmap.division.search.cures import band_findings
from gridmap.errors import GridmapError
from gridmap.tables.crs import metric_crs, to_crs
from gridmap.tables.findings import finding, findings_table, join_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "BUILDING_COLUMNS",
    "COMMUNITY_COLUMNS",
    "Ground",
    "build_plan",
    "building_table",
    "empty_finding",
    "ground_tables",
    "kept_columns",
    "largest_rows",
    "out_of_band",
    "versions",
]

#: Columns of the input that a plan carries on.
BUILDING_COLUMNS = (
    "building_id", "households", "households_estimated", *COUNTS, "floors", "use", "compound_id", "group",
)  # fmt: skip
COMMUNITY_COLUMNS = (
    "community_id", *(f"{name}{lang}" for name in ("name", "subdistrict", "district") for lang in ("", "_en", "_zh")),
    "kind", "code",
)  # fmt: skip


class Ground(Protocol):
    """What the ground step hands over: atoms, which of them touch, and which building lies in which."""

    @property
    def atoms(self) -> gpd.GeoDataFrame:
        """atom_id, kind, community_id, compound_id, households, geometry."""

    @property
    def adjacency(self) -> pd.DataFrame:
        """atom_a, atom_b, metres, on_street."""

    @property
    def assignment(self) -> pd.DataFrame:
        """building_id, atom_id, households, community_id, and unit_id, area_id, weight where there are such."""

    @property
    def findings(self) -> gpd.GeoDataFrame:
        """What the ground step found."""


def build_plan(
    ground: Ground,
    labels: pd.Series,
    *,
    communities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    lower: float = 300,
    upper: float = 500,
    weight: str | pd.Series = "households",
    limits: pd.DataFrame | None = None,
    code: str = "15",
    object_code: str = "000000",
    parameters: Mapping[str, Any] | None = None,
    extra_findings: Iterable[Mapping[str, Any]] = (),
    certificates: Mapping[Any, Mapping[str, Any]] | None = None,
    dedicated: Iterable[Any] = (),
    names: Mapping[Any, str] | None = None,
    locked: Mapping[Any, str] | None = None,
    previous: GridPlan | None = None,
    streets: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> GridPlan:
    """Assemble a plan.

    Parameters
    ----------
    ground
        Atoms and all that belongs to them; see `Ground`.
    labels
        Grid label of each atom, index = atom_id; no label in two communities.
    communities, buildings
        As checked tables. Results come back in the CRS of `communities`.
    lower, upper, weight
        The band and what it counts: a column of `buildings`, or a Series by building id.
    limits
        By grid label, where bands differ: lower, upper (NaN for no ceiling), counted (what it counts).
    code, object_code
        Scheme of the grid codes; see `gridmap.division.plans.codes.grid_codes`.
    parameters
        What else to write down: seed, effort, versions.
    extra_findings
        Rows made by `gridmap.tables.findings.finding`, geometry in the CRS of the communities; told after the
        findings of the ground, before those of the band.
    certificates
        By grid label, why a grid is out of the band: a mapping with ``kind`` and whatever proves it.
    dedicated
        Labels of dedicated grids.
    names
        Names by grid label; else the community's name and the grid's number.
    locked
        By label, id of the grid of `previous` that keeps its code and its outline as they are.
    previous
        An earlier plan, whose codes are kept for grids that keep most of their households.
    streets, compounds, barriers, entrances
        Kept with the plan for its audit.

    Raises
    ------
    GridmapError
        When an atom has no label, a label lies in two communities, or households are lost: a fault inside gridmap.
    """
    atoms = ground.atoms.assign(label=labels.reindex(ground.atoms["atom_id"]).to_numpy())
    _check_labels(atoms)
    rows = _assignment_rows(ground.assignment, atoms, buildings)
    _conserved("atoms", atoms["households"].sum(), rows["households"].sum())

    weights = building_weights(buildings, weight)
    unit = weight if isinstance(weight, str) else "weight"
    sums = grid_sums(rows, rows["label"], buildings, weights)
    kept = ground_tables(communities.crs, streets=streets, compounds=compounds, barriers=barriers, entrances=entrances)
    before = None if previous is None or not locked else locked_shapes(locked, previous)
    grids = _outlines(atoms, buildings, with_walls(kept, before)).join(sums)
    grids[["households", "weight", "buildings"]] = grids[["households", "weight", "buildings"]].fillna(0)
    grids["buildings"] = grids["buildings"].astype("int64")
    grids["kind"] = np.where(grids.index.isin(list(dedicated)), "dedicated", "basic")
    if limits is not None:
        grids = grids.join(limits)
    grids["status"] = grid_status(
        grids["weight"],
        lower if limits is None else grids["lower"],
        upper if limits is None else grids["upper"],
        community_weight=grids.groupby("community_id")["weight"].transform("sum"),
        dedicated=dedicated,
    )

    metric = to_crs(grids, metric_crs(grids))
    grids["area_m2"] = metric.area
    old = None if previous is None else _previous_ids(previous, rows)
    codes = grid_codes(
        metric,
        communities,
        scheme=code,
        object_code=object_code,
        kept=None if old is None else kept_codes(old, rows["label"], rows["households"]) | dict(locked or {}),
        highest=None if previous is None else previous.parameters.get("highest_numbers"),
    )
    grids["grid_id"] = codes.codes.where(
        ~codes.codes.index.isin(list(locked or ())), codes.codes.index.map(locked or {})
    )
    grids["name"] = _names(grids, communities, names or {}, SCHEMES[code])
    grids = to_crs(grids, communities.crs)
    if before is not None:
        grids = with_shapes(grids, before)

    ids = grids["grid_id"]
    assignment = _assignment(rows, ids, buildings)
    _conserved("assignment", assignment["households"].sum(), _households(buildings, rows).sum())
    grid_of_atom = atoms["label"].map(ids)
    if unit not in grids:
        grids[unit] = grids["weight"]
    found = out_of_band(
        grids,
        ground.adjacency,
        pd.Series(grid_of_atom.to_numpy(), index=atoms["atom_id"]),
        rows.assign(grid_id=rows["label"].map(ids)),
        weights,
        communities,
        lower=lower,
        upper=upper,
        unit=unit,
        certificates={ids[label]: value for label, value in (certificates or {}).items()},
    )
    empty = grids.loc[grids["status"] == "empty", "grid_id"]
    if len(empty):
        found.append(empty_finding(grids.loc[empty.index, "community_id"], empty))
    crs = communities.crs
    tables = [ground.findings, *(findings_table(list(f), crs=crs) for f in (codes.findings, extra_findings, found))]
    findings = join_findings(tables, crs=crs)

    return GridPlan(
        grids=_grid_table(grids, unit),
        assignment=assignment,
        findings=findings,
        communities=kept_columns(communities, COMMUNITY_COLUMNS),
        buildings=building_table(buildings, weights, unit, crs),
        parameters={
            "lower": lower,
            "upper": upper,
            "weight": unit,
            "code": code,
            "object_code": object_code,
            "highest_numbers": codes.highest,
            "versions": versions(),
        }
        | dict(parameters or {}),
        atoms=_atom_table(to_crs(atoms, crs), grid_of_atom),
        adjacency=ground.adjacency.reset_index(drop=True),
        **kept,
    )


def out_of_band(
    grids: gpd.GeoDataFrame,
    adjacency: pd.DataFrame,
    grid_of_atom: pd.Series,
    rows: pd.DataFrame,
    weights: pd.Series,
    communities: gpd.GeoDataFrame,
    *,
    lower: float,
    upper: float,
    unit: str,
    certificates: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Findings for the grids out of the band.

    Parameters
    ----------
    grids
        The grids of whole communities: grid_id, community_id, status, geometry, and the column `unit`.
    adjacency, grid_of_atom
        Borders between their atoms, and grid id by atom_id.
    rows
        Their assignment: building_id, households, grid_id.
    weights
        What the band counts, by building id.
    communities
        All of them: which one a community could be joined with.
    lower, upper, unit
        The band, and what it counts.
    certificates
        By grid id.
    """
    return band_findings(
        grids,
        _neighbours(adjacency, grid_of_atom),
        lower=lower,
        upper=upper,
        unit=unit,
        largest=largest_rows(rows, rows["grid_id"], weights),
        certificates=certificates,
        next_community=_next_communities(communities, grids, certificates),
    )


def kept_columns(table: gpd.GeoDataFrame, columns: Iterable[str]) -> gpd.GeoDataFrame:
    """Those of the columns that the table has, and its geometry: a plan carries no more of its input than it needs."""
    present = [c for c in dict.fromkeys(columns) if c in table.columns]
    return gpd.GeoDataFrame(table[present], geometry=table.geometry.array, crs=table.crs).reset_index(drop=True)


def building_table(buildings: gpd.GeoDataFrame, weights: pd.Series, unit: str, crs: Any) -> gpd.GeoDataFrame:
    """The buildings as a plan keeps them, with what the band counts in the column `unit`."""
    known = buildings if unit in buildings else buildings.assign(**{unit: weights.to_numpy()})
    return kept_columns(to_crs(known, crs), (*BUILDING_COLUMNS, unit))


def versions() -> dict[str, str]:
    """Of what the result depends on besides its input."""
    return {
        "gridmap": __version__,
        "geos": shapely.geos_version_string,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "shapely": shapely.__version__,
    }


def ground_tables(crs: Any, *, streets: Any, **tables: gpd.GeoDataFrame | None) -> dict[str, gpd.GeoDataFrame | None]:
    """The ground that a plan keeps for its audit, in its CRS; of a prepared street network, its streets."""
    lines = _network_lines(streets) if hasattr(streets, "graph") else streets
    return {
        name: None if table is None else to_crs(table, crs).reset_index(drop=True)
        for name, table in {"streets": lines, **tables}.items()
    }


def _network_lines(network: Any) -> gpd.GeoDataFrame:
    """The edges of a prepared network as a table of streets that join where the network joins."""
    graph = network.graph
    ends = np.column_stack((graph.edge_u, graph.edge_v)).astype(np.int64)
    kinds = network.streets["class"].to_numpy(dtype=object) if "class" in network.streets else None
    return gpd.GeoDataFrame(
        {"class": None if kinds is None else kinds[graph.edge_street], "node_ids": list(ends)},
        geometry=shapely.linestrings(graph.node_xy[ends]),
        crs=network.crs,
    )


def _check_labels(atoms: gpd.GeoDataFrame) -> None:
    if atoms["label"].isna().any():
        missing = atoms.loc[atoms["label"].isna(), "atom_id"].tolist()
        raise GridmapError(f"internal: {len(missing)} atoms without a grid, first {missing[:5]}; please report this")
    owners = atoms.groupby("label")["community_id"].nunique()
    if (owners > 1).any():
        shared = owners.index[owners > 1].tolist()
        raise GridmapError(f"internal: grids in two communities, first {shared[:5]}; please report this")


def _conserved(step: str, got: float, expected: float) -> None:
    if not np.isclose(got, expected, rtol=1e-9, atol=1e-6):
        raise GridmapError(f"internal: {step} hold {got} households, not {expected}; please report this")


def _assignment_rows(assignment: pd.DataFrame, atoms: gpd.GeoDataFrame, buildings: pd.DataFrame) -> pd.DataFrame:
    """The ground's rows, each with the grid label of its atom."""
    rows = assignment.reset_index(drop=True).copy()
    rows["building_id"] = rows["building_id"].astype(str)
    unknown = ~rows["building_id"].isin(buildings["building_id"].astype(str))
    if unknown.any():
        raise GridmapError(f"internal: assignment names unknown buildings, first {rows[unknown].iloc[0].to_dict()}")
    rows["label"] = rows["atom_id"].map(pd.Series(atoms["label"].to_numpy(), index=atoms["atom_id"]))
    return rows


def _outlines(
    atoms: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, ground: Mapping[str, gpd.GeoDataFrame | None]
) -> gpd.GeoDataFrame:
    """One row a grid, index = label: community_id and the outline of its atoms."""
    shapes = straight_outlines(
        atoms,
        atoms["label"].to_numpy(),
        buildings=buildings,
        **{name: ground[name] for name in ("streets", "compounds", "barriers")},
    )
    owner = atoms.groupby("label")["community_id"].first()
    frame = gpd.GeoDataFrame({"community_id": owner.reindex(shapes.index)}, geometry=shapes, crs=atoms.crs)
    frame.index.name = None
    return frame


def _households(buildings: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Households of the buildings table; where it has none, those of the rows."""
    if "households" in buildings:
        return buildings["households"].fillna(0)
    return rows["households"]


def _assignment(rows: pd.DataFrame, ids: pd.Series, buildings: pd.DataFrame) -> pd.DataFrame:
    """The assignment: all rows of the ground, then the buildings that it has no atom for, without a grid."""
    table = pd.DataFrame({"building_id": rows["building_id"]})
    table["unit_id"] = rows.get("unit_id", None)
    table["grid_id"] = rows["label"].map(ids)
    table["area_id"] = rows.get("area_id", None)
    table["households"] = rows["households"].astype("float64")
    table["atom_id"] = rows["atom_id"]
    names = buildings["building_id"].astype(str)
    outside = ~names.isin(rows["building_id"])
    if outside.any():
        rest = pd.DataFrame({"building_id": names[outside]})
        rest["households"] = buildings.loc[outside, "households"].fillna(0) if "households" in buildings else 0.0
        table = pd.concat([table, rest])
    for column in ("unit_id", "grid_id", "area_id", "atom_id"):
        table[column] = table[column].astype(object).where(table[column].notna(), None)
    return table.sort_values(["building_id", "unit_id"], kind="stable").reset_index(drop=True)


def _previous_ids(previous: GridPlan, rows: pd.DataFrame) -> pd.Series:
    """Grid id of each row in the previous plan: by building and unit, else by building where that was whole."""
    old = previous.assignment.dropna(subset=["grid_id"])
    whole = old.drop_duplicates("building_id", keep=False).set_index("building_id")["grid_id"]
    before = rows["building_id"].map(whole)
    if "unit_id" in rows:
        keys = pd.MultiIndex.from_frame(old[["building_id", "unit_id"]].astype(str))
        units = pd.Series(old["grid_id"].to_numpy(), index=keys)
        units = units[~units.index.duplicated()]
        exact = units.reindex(pd.MultiIndex.from_frame(rows[["building_id", "unit_id"]].astype(str))).to_numpy()
        before = before.where(before.notna(), exact)
    return before


def _names(grids: gpd.GeoDataFrame, communities: pd.DataFrame, names: Mapping[Any, str], digits: int) -> pd.Series:
    ids = communities["community_id"].astype(str)
    titles = communities.get("name", ids)
    title = pd.Series(titles.where(titles.notna(), ids).to_numpy(), index=ids)
    made = grids["community_id"].map(title).astype(str) + " " + grids["grid_id"].str[-digits:]
    given = pd.Series({label: names.get(label) for label in grids.index}, dtype=object)
    return given.where(given.notna(), made)


def _neighbours(adjacency: pd.DataFrame, grid_of: pd.Series) -> pd.DataFrame:
    """Pairs of grids of one community and the metres of their common border; `grid_of` is by atom_id."""
    pairs = pd.DataFrame(
        {
            "grid_a": adjacency["atom_a"].map(grid_of),
            "grid_b": adjacency["atom_b"].map(grid_of),
            "metres": adjacency["metres"],
        }
    )
    if "kind" in adjacency:
        # pieces of a community that count as adjacent without touching
        pairs.loc[adjacency["kind"].isin(["piece", "bridge"]).to_numpy(), "metres"] = SHORTEST_JOIN
    pairs = pairs[(pairs["grid_a"] != pairs["grid_b"]) & pairs["grid_a"].notna() & pairs["grid_b"].notna()]
    swap = pairs["grid_a"] > pairs["grid_b"]
    pairs.loc[swap, ["grid_a", "grid_b"]] = pairs.loc[swap, ["grid_b", "grid_a"]].to_numpy()
    sums = pairs.groupby(["grid_a", "grid_b"])["metres"].sum().reset_index()
    return sums[sums["metres"] >= SHORTEST_JOIN].reset_index(drop=True)


def largest_rows(rows: pd.DataFrame, grid_ids: pd.Series, weights: pd.Series) -> pd.DataFrame:
    """Heaviest single row of each grid, index = grid_id: what cannot be split without splitting a building."""
    table = pd.DataFrame({"grid_id": grid_ids, "building_id": rows["building_id"]})
    table["weight"] = row_shares(rows) * rows["building_id"].map(weights).astype("float64")
    table = table.sort_values(["weight", "building_id"], ascending=[False, True], kind="stable")
    return table.dropna(subset=["grid_id"]).drop_duplicates("grid_id").set_index("grid_id")


def _next_communities(
    communities: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, certificates: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """For each community whose total cannot be divided the one with the longest common border, ties by id."""
    stuck = [name for name, value in certificates.items() if value.get("kind") == "component_total"]
    wanted = grids.loc[grids["grid_id"].isin(stuck), "community_id"].unique()
    if not len(wanted):
        return {}
    land = to_crs(communities, metric_crs(communities))[["community_id", "geometry"]]
    land = land.sort_values("community_id").reset_index(drop=True)
    shapes = land.geometry.to_numpy()
    own, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=1.0)
    chosen = (own != other) & land["community_id"].isin(wanted).to_numpy()[own]
    own, other = own[chosen], other[chosen]
    metres = shapely.length(shapely.intersection(shapely.boundary(shapes[own]), shapely.buffer(shapes[other], 1.0)))
    order = np.lexsort((other, -metres, own))
    which, first = np.unique(own[order], return_index=True)
    names = land["community_id"].to_numpy()
    return dict(zip(names[which], names[other[order[first]]], strict=True))


def empty_finding(communities: pd.Series, ids: pd.Series) -> dict[str, Any]:
    """The finding for communities of no households, given the community and the id of each of their grids."""
    names = sorted(set(communities))
    have = "community has" if len(names) == 1 else "communities have"
    return finding(
        "info",
        "empty_community",
        f"{len(names)} {have} no households ({', '.join(names[:5])}{' ...' if len(names) > 5 else ''}); each is one "
        "grid with status empty.",
        status="empty",
        cure="Check the counts, or leave these communities out.",
        ids=sorted(ids),
    )


def _grid_table(grids: gpd.GeoDataFrame, unit: str) -> gpd.GeoDataFrame:
    known = [c for c in COUNTS if c in grids]
    columns = ["grid_id", "community_id", "kind", "households", *known, unit]
    limits = [c for c in ("lower", "upper", "counted") if c in grids]
    columns = [*dict.fromkeys(columns), "buildings", "area_m2", *limits, "status", "name", "geometry"]
    return grids[columns].sort_values("grid_id", kind="stable").reset_index(drop=True)


def _atom_table(atoms: gpd.GeoDataFrame, grid_ids: pd.Series) -> gpd.GeoDataFrame:
    table = atoms.drop(columns="label").assign(grid_id=grid_ids.to_numpy())
    first = ["atom_id", "kind", "grid_id", "community_id", "compound_id", "households"]
    rest = [c for c in table.columns if c not in first]
    return table[[c for c in first if c in table] + rest].reset_index(drop=True)
