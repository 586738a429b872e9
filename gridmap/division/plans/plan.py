"""GridPlan: grids, which building lies in which, and what was found: one value that no one changes in place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    import geopandas as gpd
    import pandas as pd

__all__ = ["GridPlan"]


class _MadeWhenAsked:
    """A table of a plan that is made when it is first asked for, where it was not given."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, plan: GridPlan | None, owner: type | None = None) -> Any:
        if plan is None:
            return None
        if vars(plan)[self._name] is None and plan.parameters.get("source") == "grids":
            from gridmap.division.plans.drawn_atoms import with_atoms

            return vars(with_atoms(plan))[self._name]
        return vars(plan)[self._name]

    def __set__(self, plan: GridPlan, value: Any) -> None:
        vars(plan)[self._name] = value


_ATOMS: Any = _MadeWhenAsked("atoms")
_ADJACENCY: Any = _MadeWhenAsked("adjacency")


@dataclass(frozen=True, eq=False, repr=False)
class GridPlan:
    """Communities divided into grids.

    Made by `gridmap.divide`, or by `GridPlan.from_grids` from grids drawn by hand. All geometry is in the CRS of the
    communities. Tables are not meant to be changed: every edit returns a new plan.

    Parameters
    ----------
    grids
        One row a grid: grid_id, community_id, kind (basic, dedicated, responsibility), households, residents and
        other counts where known, buildings (number), area_m2, status (legal, above, below, empty, dedicated), name.
    assignment
        One row a building, or a unit where a building is split: building_id, unit_id, grid_id (missing where the
        building lies in no grid), area_id, households, and atom_id where the plan has atoms.
    findings
        What to know about the plan: severity, rule, status, message, cure, ids, certificate, geometry.
    communities, buildings
        What was divided.
    parameters
        How: lower, upper, weight, code, object_code, seed, effort, versions. Values that JSON can hold.
    atoms
        The pieces that are never cut: atom_id, kind, grid_id, community_id, compound_id, households, geometry. Those
        of grids drawn by hand are made when first asked for, which takes as long as in `divide`.
    adjacency
        Which atoms touch: atom_a, atom_b, metres of common border, on_street of it.
    streets, compounds, barriers, entrances
        The ground the plan was made on, where given: what `audit` measures the borders and the walks against.
    areas
        Responsibility areas, where a rule makes them; they tile the grids they lie in: area_id, grid_id,
        community_id, kind, households, buildings, area_m2, name (of the villager group).
    """

    grids: gpd.GeoDataFrame
    assignment: pd.DataFrame
    findings: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    parameters: Mapping[str, Any] = field(default_factory=dict)
    atoms: gpd.GeoDataFrame | None = _ATOMS
    adjacency: pd.DataFrame | None = _ADJACENCY
    streets: gpd.GeoDataFrame | None = None
    compounds: gpd.GeoDataFrame | None = None
    barriers: gpd.GeoDataFrame | None = None
    entrances: gpd.GeoDataFrame | None = None
    areas: gpd.GeoDataFrame | None = None

    @classmethod
    def from_grids(
        cls,
        grids: gpd.GeoDataFrame,
        communities: gpd.GeoDataFrame,
        buildings: gpd.GeoDataFrame,
        streets: Any = None,
        *,
        lower: float = 300,
        upper: float = 500,
        weight: str | pd.Series = "households",
        compounds: gpd.GeoDataFrame | None = None,
        barriers: gpd.GeoDataFrame | None = None,
        entrances: gpd.GeoDataFrame | None = None,
        code: str = "15",
        object_code: str = "000000",
    ) -> Self:
        """A plan from grids drawn by hand, which stay as they are, with a finding for each fault.

        Parameters
        ----------
        grids
            grid_id and geometry; community_id, name, kind, responsible, previous_id and others where known.
        communities, buildings
            As for `gridmap.divide`.
        streets
            Streets, or a prepared network; kept for the audit.
        lower, upper, weight
            The band and what it counts: a column of `buildings`, or a Series by building id.
        compounds, barriers, entrances
            Kept for the audit; a finding tells which compounds are split.
        code, object_code
            Scheme of the codes of grids that edits add; those drawn keep their ids.

        Raises
        ------
        TableError
            When a table breaks its contract so that nothing can be audited. Overlaps, gaps, pieces, polygons that
            cross themselves and the like are findings instead.
        OptionError
            When `lower` and `upper` are no band, or there is no such code scheme.

        See Also
        --------
        gridmap.division.plans.from_grids.plan_from_grids :
            Which faults are found, and who gets a building in an overlap.
        """
        from gridmap.division.plans.from_grids import plan_from_grids

        fields = plan_from_grids(
            grids, communities, buildings, streets, lower=lower, upper=upper, weight=weight, compounds=compounds,
            barriers=barriers, entrances=entrances, code=code, object_code=object_code,
        )  # fmt: skip
        return cls(**fields)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """A plan as `save` wrote it.

        Raises
        ------
        ReadError
            When the file is absent, or not a plan.
        """
        from gridmap.division.plans.plan_file import read_plan

        return cls(**read_plan(path))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the whole plan as one GeoPackage that `load` reads back as an equal plan.

        The file is complete or not there: it is written under another name in the same folder and then renamed.

        Raises
        ------
        WriteError
            When it cannot be written; a former file of that name is then untouched.
        """
        from gridmap.division.plans.plan_file import write_plan

        write_plan(self, path)

    def move(self, atoms: Iterable[str] | str, to: str) -> GridPlan:
        """A new plan with some atoms in another grid.

        Parameters
        ----------
        atoms
            Ids of `plan.atoms`, of one grid or several.
        to
            Id of a grid of the same community. All grids keep their codes.

        Raises
        ------
        EditError
            When a grid would fall apart or lose all its atoms, when the atoms do not hang together with the grid they
            go to, lie in another community, or in a grid that is locked or dedicated, or when there is no such atom or
            grid. A grid that leaves the band is a finding, not an error.
        """
        from gridmap.division.plans.edits import edit_plan

        return edit_plan(self, {"op": "move", "atoms": atoms, "to": to})

    def merge(self, grid_ids: Iterable[str]) -> GridPlan:
        """A new plan with two grids or more as one, which keeps the code of that with most households.

        Raises
        ------
        EditError
            When the grids are not neighbours, lie in several communities, or are locked or dedicated.
        """
        from gridmap.division.plans.edits import edit_plan

        return edit_plan(self, {"op": "merge", "grid_ids": grid_ids})

    def split(self, grid_id: str, parts: int | Iterable[Iterable[str]] | None = None) -> GridPlan:
        """A new plan with one grid cut into several.

        A part with more than half of the households keeps the code; the others get numbers that no grid ever had.

        Parameters
        ----------
        grid_id
            Which one.
        parts
            How many, of about equal weight; or lists of atom ids; by default as many as the band asks for.

        Raises
        ------
        EditError
            When there is no such split, or the grid is locked or dedicated.
        """
        from gridmap.division.plans.edits import edit_plan

        return edit_plan(self, {"op": "split", "grid_id": grid_id, "parts": parts})

    def apply(self, edits: str | PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> GridPlan:
        """A new plan after a list of edits: all of them, or none.

        Parameters
        ----------
        edits
            ``[{"op": "move", "atoms": [...], "to": "..."}, {"op": "merge", "grid_ids": [...]},
            {"op": "split", "grid_id": "...", "parts": 2}]``; or a mapping with ``plan_hash`` and ``edits``; or the path
            of a JSON file of that, such as a page of ``explore(plan, edit=True)`` saves. Each edit refers to the grids
            as the edits before it left them; a split into lists of atoms may say which gets which code, ``"codes"``.

        Raises
        ------
        EditError
            When an edit is refused, with its number; or when `plan_hash` says that they were made on another plan.
        ReadError
            When there is no such file, or it is not JSON.
        """
        from gridmap.division.plans.edits import apply_edits

        return apply_edits(self, edits)

    def update(self, buildings: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None = None) -> GridPlan:
        """A new plan with new counts: grids that these put outside the band are mended, all others stay.

        Of the ways to bring a grid into the band that are found, one is taken that moves few households and touches few
        other grids. A grid in the band that helps no other keeps its atoms and its code; its outline changes only where
        that of a neighbour does. Without changes, a plan whose grids are in the band comes back as it is.

        Parameters
        ----------
        buildings
            All buildings as they are now. A building keeps its atom; a new one is in the atom that it stands in; one
            that is gone leaves its atom as land.
        communities
            All communities as they are now, where borders changed: there atoms are made anew, and each starts in the
            grid that held most of it. A grid keeps its code in its own community only.

        Raises
        ------
        TableError
            When the buildings break their contract, or lack the column that the band counts.
        """
        from gridmap.division.plans.update import update_plan

        return update_plan(self, buildings, communities)

    def compare(self, other: GridPlan) -> pd.DataFrame:
        """The crosswalk from this plan to another: which households of each grid are where in the other.

        Parameters
        ----------
        other
            The new plan. Buildings, and units where a building is split, are matched by id; households are counted as
            the new plan has them.

        Returns
        -------
        DataFrame
            grid_from, grid_to, households, households_before (as this plan has them), buildings, share (of the
            households of grid_from), moved; ``.attrs["summary"]`` has the totals: households moved, grids untouched,
            changed, new and gone.
        """
        from gridmap.division.plans.compare import crosswalk

        return crosswalk(self, other)

    def audit(self, *, by: str | None = None) -> Any:
        """What the plan is worth, measured on its polygons; see `gridmap.division.plans.audit`.

        Parameters
        ----------
        by
            None for one row a measure (measure, value, unit, meaning); ``"grid"`` for one row a grid.
        """
        from gridmap.division.plans.audit import audit_plan

        return audit_plan(self, by=by)

    def equals(self, other: object) -> bool:
        """Whether another plan has the same tables, types and parameters, to the last digit."""
        from gridmap.division.plans.plan_file import same_plan

        return isinstance(other, GridPlan) and same_plan(self, other)

    @property
    def has_atoms(self) -> bool:
        """Whether `atoms` are there; those of grids drawn by hand are made when first asked for."""
        return vars(self)["atoms"] is not None

    @property
    def plan_hash(self) -> str:
        """Name of the state of a plan, by which edits made elsewhere know what they were made on.

        It covers the grids (id, community, kind, shape), the assignment and the atoms (but of grids drawn by hand);
        not the findings, the parameters or the order of rows. Saving and loading keep it.
        """
        digest = hashlib.sha256()
        shapes = shapely.to_wkb(shapely.normalize(self.grids.geometry.to_numpy()), byte_order=1, output_dimension=2)
        columns = [self.grids[c].astype(str) for c in ("grid_id", "community_id", "kind")]
        digest.update(_rows(*columns, [hashlib.sha256(wkb).hexdigest() for wkb in shapes]))
        rows = self.assignment
        households = [float(v).hex() for v in rows["households"]]
        digest.update(_rows(*(_text(rows[c]) for c in ("building_id", "unit_id", "grid_id", "area_id")), households))
        if self.parameters.get("source") != "grids" and self.atoms is not None:
            digest.update(_rows(_text(self.atoms["atom_id"]), _text(self.atoms["grid_id"])))
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        """The plan in one line."""
        return f"<GridPlan: {'; '.join(f'{value} {what}' for what, value in self._summary())}>"

    def plot(self, *, labels: bool = False, ax: Any = None) -> Any:
        """A figure of the grids by status, for papers and slides, drawn by matplotlib.

        Parameters
        ----------
        labels
            Write the last three digits of each code on its grid.
        ax
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
            With legend and scale bar; north is at the top where the CRS has it there.

        Raises
        ------
        OptionError
            When matplotlib is not installed.
        """
        from gridmap.view.figures import plot_grids

        codes = self.grids["grid_id"].astype(str).str[-3:].tolist() if labels else None
        return plot_grids(self.grids, self.communities, labels=codes, ax=ax)

    def _repr_html_(self) -> str:
        """Figures and a small picture; the map is `gridmap.explore`'s."""
        from gridmap.view.summaries import plan_html

        hint = "plan.grids, plan.findings, plan.audit(), plan.plot(), gridmap.explore(plan)"
        return plan_html(self.grids, self.communities, self._summary(), hint)

    def _summary(self) -> list[tuple[str, str]]:
        status = self.grids["status"]
        counted = status.isin(["legal", "above", "below"])
        findings = self.findings["severity"].value_counts()
        told = ", ".join(f"{findings[s]} {s}" for s in ("error", "warning", "info") if s in findings)
        return [
            ("grids", f"{len(self.grids):,}"),
            ("in the band", f"{(status == 'legal').sum():,} of {counted.sum():,}"),
            ("communities", f"{len(self.communities):,}"),
            ("buildings", f"{len(self.buildings):,}"),
            ("households", f"{self.grids['households'].sum():,.0f}"),
            ("findings", f"{len(self.findings):,}" + (f" ({told})" if told else "")),
        ]


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "").astype(str)


def _rows(*columns: Any) -> bytes:
    """The rows in sorted order as JSON, so that neither row order nor a separator inside an id matters."""
    return json.dumps(sorted(zip(*columns, strict=True)), ensure_ascii=False).encode()
