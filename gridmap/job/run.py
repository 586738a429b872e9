"""The main job: a project in; grids, coverage, service circles, a map, a workbook and a GeoPackage out.

Each stage is one of the library's public functions; this file puts them in order, times them, and writes all results
or none.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridmap.coverage.circles.circles import service_circles
from gridmap.coverage.counting.cover import cover
from gridmap.division.divide import divide
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import ReadError
from gridmap.io.project import Project, read_project
from gridmap.io.provenance import NAME as PROVENANCE_FILE
from gridmap.io.provenance import compare_runs, provenance
from gridmap.io.write.all_files import all_or_nothing
from gridmap.job.inputs import community_around, complete_households, left_out
from gridmap.job.settings import read_settings
from gridmap.network.streets import StreetNetwork
from gridmap.outputs import Results, Text, chosen_outputs, draw_map, print_pages, write_tables
from gridmap.siting.sites.locate import locate
from gridmap.tables.contracts import clean_ids
from gridmap.tables.findings import finding, findings_table, join_findings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from gridmap.coverage.counting.cover import Cover
    from gridmap.job.settings import Settings
    from gridmap.siting.sites.site_plan import SitePlan
    from gridmap.standards.section import Section

__all__ = ["JobResult", "peak_megabytes", "run_project"]

log = logging.getLogger(__name__)

# Tables of a project that `divide` and `StreetNetwork` take under the same name.
_GROUND = ("compounds", "units", "barriers", "entrances", "dedicated", "bands")
_WALLS = ("compounds", "barriers", "entrances")


@dataclass(frozen=True)
class JobResult:
    """What a run made, what it found, and what it took.

    Attributes
    ----------
    name, lang
        The project's name, and the language of its results; the first of two.
    plan
        The new grids.
    present
        The bureau's present grids as a plan; None when the project has none.
    cover, circles, gaps
        Reach, service circles and blind spots; None when the project has no facilities or no streets.
    findings
        The findings of all stages, in order.
    files
        Kind of output (``"map"``, ``"geopackage"``, ...) and its path; of a file in a second language ``"report_en"``.
    seconds
        Stage and wall-clock seconds, in order.
    peak_mb
        Largest resident memory of this process so far, in MB; None where the system does not tell (Windows).
    compliance
        Units against the standards of the section ``[compliance]``, see `Cover.compliance`; None without.
    sites
        The sites that the section ``[locate]`` asks for, see `gridmap.locate`; None without.
    changes
        What differs from the last run into the same folder, see `gridmap.compare_runs`; None where there was none.
    """

    name: str
    lang: str
    plan: GridPlan
    present: GridPlan | None
    cover: Cover | None
    circles: gpd.GeoDataFrame | None
    gaps: gpd.GeoDataFrame | None
    findings: gpd.GeoDataFrame
    files: dict[str, Path]
    seconds: dict[str, float]
    peak_mb: float | None
    changes: pd.DataFrame | None = None
    compliance: pd.DataFrame | None = None
    sites: SitePlan | None = None


def run_project(
    project: str | os.PathLike[str] | Project,
    out: str | os.PathLike[str],
    *,
    lang: str | None = None,
    title: Text | None = None,
    notes: Sequence[Text] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    on_stage: Callable[[str], None] | None = None,
) -> JobResult:
    """Run the main job: read, divide, measure who reaches what, draw, and write all results or none.

    Parameters
    ----------
    project
        A ``PROJECT.toml`` or a project GeoPackage, or what `read_project` made of one.
    out
        Folder for the results; made when absent. Files of the same names are replaced once all new ones are complete.
    lang
        Language of the results, ``"en"``, ``"zh"`` or ``"both"``; by default the project's own, else English. In both,
        the map has a switch and opens in Chinese; report, atlas and workbook are in Chinese, with a second file each
        in English, ``report-en.html``; the GeoPackage has Chinese legends.
    title
        Heading of map, report and workbook, or one a language, ``{"en": ..., "zh": ...}``; by default the project's
        own where that is in the same language.
    notes
        Sentences for the map's "About this map", each a text or one a language.
    options
        Sections that overrule the project's, for example ``{"divide": {"effort": "high"}}``.
    on_stage
        Called with the name of each stage as it begins.

    Raises
    ------
    GridmapError
        When an input breaks its contract, an option is unknown or a result cannot be written; nothing is then written.

    Notes
    -----
    The section ``[compliance]`` holds units against standards: ``standard`` (names of shipped ones and files of one's
    own), ``by`` (``"communities"`` or ``"grids"``) and the options of `Cover.compliance`. Map, workbook, GeoPackage and
    report then have the result. The section ``[locate]`` asks where the next facilities go: ``category``, ``count`` or
    ``target``, and the other options of `gridmap.locate`; the candidates are those of [inputs], else the facilities
    whose status is candidate.

    The section ``[outputs]`` of a project names the files: ``map``, ``geopackage``, ``workbook`` and ``provenance``,
    the record of the run, which are written unless they are ``false``; ``report``, ``atlas`` (with ``atlas_by``, see
    `atlas`), ``geojson``, ``parquet``, and ``swipe``, a map with the bureau's present grids on one side and the new
    ones on the other. ``true`` takes the usual name. ``edit = true`` makes grids negotiable on the map, and ``lang`` is
    as above.
    """
    stage = _Stages(on_stage)
    with stage("read"):
        loaded = project if isinstance(project, Project) else read_project(project)
        chosen = read_settings(loaded, options or {})
        outputs = chosen_outputs(loaded, chosen.outputs, lang=lang, title=title, notes=notes)
        tables = dict(loaded.tables)
        if "buildings" not in tables:
            raise ReadError(
                "the project has no buildings: name their file in [inputs], for example buildings = 'x.gpkg'"
            )
    with stage("households"):
        tables["buildings"], counted = complete_households(tables["buildings"], tables.pop("households", None))
        found = left_out(loaded.readings) + counted
        if "communities" not in tables:
            tables["communities"], made = community_around(tables["buildings"], loaded.name)
            found += made
    with stage("divide"):
        plan = _divide(tables, chosen.divide)
    present = None
    if "grids" in tables:
        with stage("audit"):
            present = _audit_present(tables, chosen.divide)
    measured = _Measured()
    if "facilities" in tables and "streets" in tables:
        measured = _measure(stage, tables, plan, chosen)
    else:
        found.append(_no_cover(tables, complied=chosen.compliance is not None))
    reach, circles, gaps, compliance, sites = measured
    later = [plan.findings, *(part.findings for part in (reach, sites) if part is not None)]
    later += [] if compliance is None else [compliance.attrs["findings"]]
    own = _not_told(found, *later)
    result = JobResult(
        name=loaded.name,
        lang=outputs.languages[0],
        plan=plan,
        present=present,
        cover=reach,
        circles=circles,
        gaps=gaps,
        findings=join_findings([own, *later], crs=plan.grids.crs),
        files={
            # an atlas of several files is told by its folder
            kind: Path(out) if kind.startswith("atlas") and outputs.atlas_by != "grid" else Path(out) / name
            for kind, name in outputs.files.items()
        },
        seconds=stage.seconds,
        peak_mb=None,
        compliance=compliance,
        sites=sites,
    )
    with stage("provenance"):
        record = _record(loaded, chosen, plan, reach)
        changes = _changes(Path(out) / outputs.files.get("provenance", PROVENANCE_FILE), record)
    results = Results(
        plan, present, reach, circles, gaps, own, result.findings, loaded.readings, record, compliance,
        sites,
    )  # fmt: skip
    with all_or_nothing(Path(out)) as folder:
        with stage("map"):
            draw_map(folder, results, outputs)
        if outputs.has("report", "atlas"):
            with stage("pages"):
                print_pages(folder, results, outputs)
        with stage("write"):
            write_tables(folder, results, outputs)
    return replace(result, changes=changes, peak_mb=peak_megabytes())


class _Measured(NamedTuple):
    """What was measured along the streets; nothing of it without streets and facilities."""

    cover: Cover | None = None
    circles: gpd.GeoDataFrame | None = None
    gaps: gpd.GeoDataFrame | None = None
    compliance: pd.DataFrame | None = None
    sites: SitePlan | None = None


def _measure(stage: _Stages, tables: Mapping[str, Any], plan: GridPlan, chosen: Settings) -> _Measured:
    """Who reaches what, and the answers that the project asks for."""
    inside = _inside(tables["buildings"], plan)
    compliance = sites = None
    with stage("network"):
        network = StreetNetwork.from_streets(tables["streets"], **_present(tables, _WALLS), **chosen.network)
    with stage("cover"):
        reach = cover(inside, tables["facilities"], network, **chosen.cover)
        gaps = reach.gaps()
    with stage("circles"):
        circles = service_circles(tables["facilities"], network, buildings=inside, **chosen.circles)
    if chosen.compliance is not None:
        with stage("compliance"):
            compliance = _comply(reach, plan, chosen.compliance)
    if chosen.locate:
        with stage("locate"):
            sites = _locate(inside, tables, network, chosen.locate)
    return _Measured(reach, circles, gaps, compliance, sites)


def _record(project: Project, chosen: Settings, plan: GridPlan, reach: Cover | None) -> pd.DataFrame:
    """What the run was made of: the files as they were read, before anything was estimated or left out."""
    options = {
        "divide": {key: value for key, value in chosen.divide.items() if key != "previous"},
        "cover": {**chosen.network, **chosen.cover},
        "circles": chosen.circles,
        "compliance": {} if chosen.compliance is None else _stated(chosen.compliance),
        "locate": chosen.locate,
    }
    if "previous" in chosen.divide:
        options["divide"]["previous"] = chosen.divide["previous"].plan_hash
    return provenance(plan=plan, cover=reach, inputs=project.tables, readings=project.readings, parameters=options)


def _changes(path: Path, record: pd.DataFrame) -> pd.DataFrame | None:
    """What differs from the record of a former run; None where there is none that can be read."""
    try:
        return compare_runs(path, record)
    except ReadError:
        return None


def _divide(tables: Mapping[str, Any], options: Mapping[str, Any]) -> GridPlan:
    ground = _present(tables, _GROUND)
    return divide(tables["communities"], tables["buildings"], tables.get("streets"), **{**ground, **options})


def _comply(reach: Cover, plan: GridPlan, section: Section) -> pd.DataFrame:
    """Units held against the standards."""
    return reach.compliance(section.standard, by=plan if section.by == "grids" else plan.communities, **section.options)


def _locate(
    buildings: gpd.GeoDataFrame, tables: Mapping[str, Any], network: StreetNetwork, options: Mapping[str, Any]
) -> SitePlan:
    """The sites, among the candidates of the project, else among the facilities that are marked so."""
    facilities = tables["facilities"]
    candidates = tables.get("candidates")
    if candidates is None:
        marked = facilities.get("status")
        candidates = facilities.iloc[:0] if marked is None else facilities[marked.astype(object).eq("candidate")]
    return locate(buildings, candidates, network, existing=facilities, **options)


def _stated(section: Section) -> dict[str, Any]:
    return {"standard": list(section.standard["standard"].unique()), "by": section.by, **section.options}


def _audit_present(tables: Mapping[str, Any], options: Mapping[str, Any]) -> GridPlan:
    """The bureau's present grids as a plan, judged by the same rules as the new ones."""
    rules = {**_present(tables, _WALLS), **_bands(options)}
    return GridPlan.from_grids(
        tables["grids"], tables["communities"], tables["buildings"], tables.get("streets"), **rules
    )


def _not_told(found: list[dict[str, Any]], *tables: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The job's own findings, less those of a rule that a later stage reports itself."""
    told = set().union(*(table["rule"] for table in tables))
    return findings_table([row for row in found if row["rule"] not in told])


def _present(tables: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tables[name] for name in names if name in tables}


def _inside(buildings: gpd.GeoDataFrame, plan: GridPlan) -> gpd.GeoDataFrame:
    """The buildings that the plan assigns to a grid; those outside every community are a finding of the plan."""
    placed = plan.assignment.loc[plan.assignment["grid_id"].notna(), "building_id"]
    return buildings[clean_ids(buildings["building_id"]).isin(placed)]


def _no_cover(tables: Mapping[str, Any], *, complied: bool) -> dict[str, Any]:
    lacking = " and no ".join(name for name in ("facilities", "streets") if name not in tables)
    what = "Coverage and compliance were" if complied else "Coverage was"
    message = f"{what} not measured: the project has no {lacking}."
    return finding("warning", "no_coverage", message, cure=f"Name their file in [inputs]: {lacking}.")


def _bands(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say what a legal grid is, for the audit of present grids."""
    return {name: options[name] for name in ("lower", "upper", "weight") if name in options}


def peak_megabytes() -> float | None:
    """Largest resident memory of this process so far in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@dataclass
class _Stages:
    """Seconds by stage; tells a listener which stage has begun."""

    on_stage: Callable[[str], None] | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        log.info("%s", name)
        if self.on_stage is not None:
            self.on_stage(name)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
