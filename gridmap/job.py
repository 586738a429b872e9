"""The main job: a project in; grids, coverage, service circles, a map, a workbook and a GeoPackage out.

Each stage is one of the library's public functions; this file puts them in order, times them, and writes all results
or none.
"""

from __future__ import annotations

import inspect
import logging
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from shapely import box

from gridmap.coverage.circles.circles import service_circles
from gridmap.coverage.counting.cover import Cover, cover
from gridmap.division.divide import divide
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import OptionError, ReadError
from gridmap.io.project import Project, read_project
from gridmap.io.provenance import NAME as PROVENANCE_FILE
from gridmap.io.provenance import compare_runs, provenance
from gridmap.io.write.all_files import all_or_nothing
from gridmap.network.streets import StreetNetwork
from gridmap.outputs import Results, Text, chosen_outputs, draw_map, print_pages, write_tables
from gridmap.standards.section import Section, read_section
from gridmap.tables.contracts import clean_ids
from gridmap.tables.crs import to_metric
from gridmap.tables.findings import finding, findings_table, join_findings
from gridmap.tables.households.estimate import estimate_households

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["JobResult", "community_around", "complete_households", "run_project"]

log = logging.getLogger(__name__)

# Tables of a project that `divide` and `StreetNetwork` take under the same name.
_GROUND = ("compounds", "units", "barriers", "entrances", "dedicated", "bands")
_WALLS = ("compounds", "barriers", "entrances")
# A community made from the data's bounds gets this much land around the outermost buildings, in metres.
_MARGIN = 20.0


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
    report then have the result.

    The section ``[outputs]`` of a project names the files: ``map``, ``geopackage``, ``workbook`` and ``provenance``,
    the record of the run, which are written unless they are ``false``; ``report``, ``atlas`` (with ``atlas_by``, see
    `atlas`), ``geojson``, ``parquet``, and ``swipe``, a map with the bureau's present grids on one side and the new
    ones on the other. ``true`` takes the usual name. ``edit = true`` makes grids negotiable on the map, and ``lang`` is
    as above.
    """
    stage = _Stages(on_stage)
    with stage("read"):
        loaded = project if isinstance(project, Project) else read_project(project)
        chosen = _settings(loaded, options or {})
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
    present = reach = circles = gaps = compliance = None
    if "grids" in tables:
        with stage("audit"):
            present = _audit_present(tables, chosen.divide)
    if "facilities" in tables and "streets" in tables:
        inside = _inside(tables["buildings"], plan)
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
    else:
        found.append(_no_cover(tables, complied=chosen.compliance is not None))
    later = [plan.findings, *([] if reach is None else [reach.findings]), *_findings_of(compliance)]
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
    )
    with stage("provenance"):
        record = _record(loaded, chosen, plan, reach)
        changes = _changes(Path(out) / outputs.files.get("provenance", PROVENANCE_FILE), record)
    results = Results(
        plan, present, reach, circles, gaps, own, result.findings, loaded.readings, record, compliance
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


def _record(project: Project, chosen: _Settings, plan: GridPlan, reach: Cover | None) -> pd.DataFrame:
    """What the run was made of: the files as they were read, before anything was estimated or left out."""
    options = {
        "divide": {key: value for key, value in chosen.divide.items() if key != "previous"},
        "cover": {**chosen.network, **chosen.cover},
        "circles": chosen.circles,
        "compliance": {} if chosen.compliance is None else _stated(chosen.compliance),
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


@dataclass(frozen=True)
class _Settings:
    """A project's options, checked and parted by the function that takes them."""

    divide: dict[str, Any]
    network: dict[str, Any]
    cover: dict[str, Any]
    circles: dict[str, Any]
    compliance: Section | None
    outputs: dict[str, Any]


def _settings(project: Project, options: Mapping[str, Mapping[str, Any]]) -> _Settings:
    sections = ("divide", "cover", "compliance", "outputs")
    divided, covered, complied, outputs = ({**getattr(project, name), **options.get(name, {})} for name in sections)
    _refuse_unknown(divided, divide, "divide")
    here = Path() if project.path is None else project.path.parent
    compliance = read_section(complied, here)
    if compliance is not None:
        _refuse_unknown(compliance.options, Cover.compliance, "compliance")
    if isinstance(divided.get("previous"), str):
        divided["previous"] = GridPlan.load(here / divided["previous"])
    network, covered, circles = _cover_options(covered)
    return _Settings(divided, network, covered, circles, compliance, outputs)


def _divide(tables: Mapping[str, Any], options: Mapping[str, Any]) -> GridPlan:
    ground = _present(tables, _GROUND)
    return divide(tables["communities"], tables["buildings"], tables.get("streets"), **{**ground, **options})


def _comply(reach: Cover, plan: GridPlan, section: Section) -> pd.DataFrame:
    """Units held against the standards."""
    return reach.compliance(section.standard, by=plan if section.by == "grids" else plan.communities, **section.options)


def _findings_of(compliance: pd.DataFrame | None) -> list[gpd.GeoDataFrame]:
    return [] if compliance is None else [compliance.attrs["findings"]]


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


def left_out(readings: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the readers left out of each table, as findings: the reason, how many rows, and the first ids."""
    return [
        finding(
            "info",
            "rows_left_out",
            f"{name}: {_rows(entry['count'])} left out: {entry['reason']}.",
            status=name,
            ids=entry.get("ids", ()),
        )
        for name, reading in readings.items()
        for entry in reading.get("left_out", ())
    ]


def complete_households(
    buildings: gpd.GeoDataFrame, counts: pd.DataFrame | None = None
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Buildings with households in every row, from counts by building id, else estimated; and findings on both.

    Parameters
    ----------
    buildings
        The buildings; a `households` column of theirs is used as it is when no counts are given.
    counts
        Columns building_id and households. A building without a row has 0 households.

    Raises
    ------
    ReadError
        When `counts` lacks one of its columns.
    """
    if counts is not None:
        return _with_counts(buildings, counts)
    if "households" in buildings.columns and buildings["households"].notna().all():
        return buildings, []
    estimated = estimate_households(buildings)
    rows = estimated["households_estimated"].to_numpy(dtype=bool)
    message = (
        f"{int(rows.sum())} of {len(rows)} buildings have no count of households; "
        f"{estimated['households'][rows].sum():.0f} households were estimated for them from footprint, floors and use."
    )
    ids = estimated["building_id"][rows].head(20)
    cure = "Give counts: a households column, or [inputs] households = 'counts.csv' with building_id and households."
    told_before = len(buildings.attrs.get("findings", ()))
    of_the_estimate = estimated.attrs["findings"].iloc[told_before:].to_dict("records")
    return estimated, [finding("info", "households_estimated", message, cure=cure, ids=ids), *of_the_estimate]


def community_around(buildings: gpd.GeoDataFrame, name: str) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """One community over the bounds of the buildings, and the finding that says so."""
    metric = to_metric(buildings)
    west, south, east, north = metric.total_bounds
    area = box(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    columns = {"community_id": ["area"], "name": [name]}
    community = gpd.GeoDataFrame(columns, geometry=[area], crs=metric.crs).to_crs(buildings.crs)
    message = "The project has no communities: the bounds of its buildings were taken as one community."
    cure = "Give communities in [inputs] for grids that keep to real borders."
    return community, [finding("warning", "community_from_bounds", message, cure=cure, ids=["area"])]


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


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count} rows were"


def _with_counts(buildings: gpd.GeoDataFrame, counts: pd.DataFrame) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    lacking = [c for c in ("building_id", "households") if c not in counts.columns]
    if lacking:
        present = ", ".join(map(str, counts.columns))
        raise ReadError(f"the counts of households have no column {' and no column '.join(lacking)} among: {present}")
    numbers = pd.Series(counts["households"].to_numpy(), index=clean_ids(counts["building_id"]).to_numpy())
    numbers = numbers.groupby(level=0).sum(min_count=1)
    ids = clean_ids(buildings["building_id"])
    households = ids.map(numbers)
    blank, unknown = households.isna(), numbers.index.difference(pd.Index(ids))
    out = buildings.assign(households=households.fillna(0).astype("float64"))
    found = []
    if blank.any():
        message = f"{int(blank.sum())} of {len(blank)} buildings are not in the counts and have 0 households."
        found.append(finding("info", "buildings_without_count", message, ids=ids[blank].head(20)))
    if len(unknown):
        message = f"{numbers[unknown].sum():.0f} households of {len(unknown)} rows of the counts have no building."
        cure = "Correct the building ids of the counts, or add the buildings."
        found.append(finding("warning", "counts_without_building", message, cure=cure, ids=unknown[:20]))
    return out, found


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


def _refuse_unknown(options: Mapping[str, Any], function: Callable[..., Any], section: str) -> None:
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise OptionError(f"[{section}] has unknown options {', '.join(unknown)}; known are {', '.join(known)}")


def _bands(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say what a legal grid is, for the audit of present grids."""
    return {name: options[name] for name in ("lower", "upper", "weight") if name in options}


def _cover_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The `[cover]` section parted into options of the network, of `cover` and of `service_circles`."""
    rest = dict(options)
    network: dict[str, Any] = {name: rest.pop(name) for name in ("mode", "profile", "access_metres") if name in rest}
    circles = {"minutes": rest.pop("circles")} if "circles" in rest else {}
    if not circles:
        circles = {name: rest[name] for name in ("minutes", "metres") if name in rest}
    _refuse_unknown(rest, cover, "cover")
    return network, rest, circles
