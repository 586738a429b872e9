"""Outputs: what a run writes, under which names, and in which languages.

A map can be in both languages; of a report, an atlas and a workbook each file is in one, so that both are two files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmap.errors import OptionError
from gridmap.io.project import Project, write_project
from gridmap.io.provenance import LAYER as PROVENANCE
from gridmap.io.provenance import NAME as PROVENANCE_FILE
from gridmap.io.provenance import provenance_json
from gridmap.io.write.tables import write_table, writing
from gridmap.io.write.workbook import write_workbook
from gridmap.maps.explore import explore
from gridmap.maps.finding_words import told_findings
from gridmap.maps.report.atlas import atlas
from gridmap.maps.report.report import page_path, report
from gridmap.maps.words import category_labels, languages_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gridmap.coverage.counting.cover import Cover
    from gridmap.division.plans.plan import GridPlan
    from gridmap.siting.sites.site_plan import SitePlan

__all__ = ["Outputs", "Results", "Text", "chosen_outputs", "draw_map", "print_pages", "write_tables"]

#: What a run writes when the project does not say: kind of output and name of the file.
DEFAULT_OUTPUTS = {
    "map": "map.html", "geopackage": "grids.gpkg", "workbook": "ledger.xlsx", "provenance": PROVENANCE_FILE,
}  # fmt: skip
# And what it writes besides where the project says so: ``true`` is this name.
_FURTHER = {
    "swipe": "swipe.html", "report": "report.html", "atlas": "atlas.html", "geojson": "grids.geojson",
    "parquet": "grids.parquet",
}  # fmt: skip
_TABLES = ("geojson", "parquet")
_PAGES = ("report", "atlas")
# Those of which a file is in one language.
_ONE_LANGUAGE = (*_PAGES, "workbook")
_OSM = "© OpenStreetMap contributors, ODbL 1.0"  # their licence asks for it
_PRESENT = {"en": "Present grids", "zh": "现有网格"}
_NEW = {"en": "New grids", "zh": "新划网格"}

#: A text, or one a language.
Text = str | Mapping[str, str]


@dataclass(frozen=True)
class Outputs:
    """What to write.

    Attributes
    ----------
    files
        Kind of output and name of its file; of a second language, kind and language, ``"report_en"``.
    atlas_by
        What one file of the atlas holds.
    edit
        Whether grids can be negotiated on the map.
    languages
        Those of the results, the first one that of what has only one.
    title, notes
        Heading and sentences, as one text or by language; without a title what is shown says it.
    """

    files: dict[str, str]
    atlas_by: str
    edit: bool
    languages: tuple[str, ...]
    title: Text | None
    notes: Sequence[Text]

    def of(self, kind: str) -> list[tuple[str, str]]:
        """Language and name of each file of a kind, none where it is not asked for."""
        names = [(lang, _key(kind, lang, self.languages)) for lang in self.languages]
        return [(lang, self.files[key]) for lang, key in names if key in self.files]

    def has(self, *kinds: str) -> bool:
        """Whether anything of these kinds is asked for."""
        return any(kind in self.files for kind in kinds)


@dataclass(frozen=True)
class Results:
    """What there is to write: `own` are the findings of the run itself, `findings` those of all stages.

    `record` is the provenance of the run; see `gridmap.io.provenance`.
    """

    plan: GridPlan
    present: GridPlan | None
    cover: Cover | None
    circles: gpd.GeoDataFrame | None
    gaps: gpd.GeoDataFrame | None
    own: gpd.GeoDataFrame
    findings: gpd.GeoDataFrame
    readings: Mapping[str, Any]
    record: pd.DataFrame
    compliance: pd.DataFrame | None = None
    sites: SitePlan | None = None

    @property
    def source(self) -> str | None:
        """Whom the data asks to name."""
        from_osm = any(reading.get("format") == "OpenStreetMap" for reading in self.readings.values())
        return _OSM if from_osm else None


def chosen_outputs(
    project: Project, outputs: Mapping[str, Any], *, lang: str | None, title: Text | None, notes: Sequence[Text]
) -> Outputs:
    """The outputs of a project, checked.

    Parameters
    ----------
    project
        For its title, which heads the pages in its own language unless `title` is given.
    outputs
        The section ``[outputs]``.
    lang, title, notes
        As `run_project` takes them.

    Raises
    ------
    OptionError
        When an option or a language is unknown, a name is not one of a file, or there are no present grids to swipe.
    """
    rest = dict(outputs)
    own = rest.pop("lang", None)
    languages = languages_of(lang or own or "en")
    atlas_by, edit = rest.pop("atlas_by", "grid"), rest.pop("edit", False)
    if not isinstance(edit, bool):
        raise OptionError(f"[outputs] edit = {edit!r}; write true for a map on which grids can be negotiated, or false")
    if title is None:
        # a heading in another language than its page would be worse than none; one of no said language is a name
        heading = {one: _text(project.title, one) for one in languages if own is None or one in languages_of(own)}
        title = {one: text for one, text in heading.items() if text} or None
    files = _names(rest, languages)
    if "swipe" in files and "grids" not in project.tables:
        raise OptionError(
            "[outputs] swipe lays the present grids beside the new ones, and the project has none: name their file in "
            "[inputs], grids = 'present.gpkg', or leave swipe out"
        )
    return Outputs(files, atlas_by, edit, languages, title, notes)


def draw_map(folder: Path, results: Results, chosen: Outputs) -> None:
    """The interactive map, and that of the present grids beside the new ones, where they are asked for."""
    parts = (results.plan, results.cover, results.circles, results.gaps, results.own)
    layers: list[Any] = [layer for layer in parts if layer is not None]
    about: dict[str, Any] = {"lang": chosen.languages, "title": chosen.title, "notes": chosen.notes}
    about["attribution"] = results.source
    if "map" in chosen.files:
        present = [] if results.present is None else [(_PRESENT, results.present.grids)]
        answers = [part for part in (results.compliance, results.sites) if part is not None]
        page = explore(*layers, *answers, *present, edit=chosen.edit, **about)
        page.save(str(folder / chosen.files["map"]))
    if "swipe" in chosen.files:
        page = explore(results.present, *layers, swipe=(_PRESENT, _NEW), **about)
        page.save(str(folder / chosen.files["swipe"]))


def print_pages(folder: Path, results: Results, chosen: Outputs) -> None:
    """The report and the atlas, where they are asked for."""
    plan, reach = results.plan, results.cover
    for lang, name in chosen.of("report"):
        notes = [*(_text(note, lang) for note in chosen.notes), *([results.source] if results.source else [])]
        title = _text(chosen.title, lang) or None
        report(
            folder / name, plan=plan, cover=reach, sites=results.sites, compliance=results.compliance, lang=lang,
            title=title, notes=notes, findings=results.findings,
        )  # fmt: skip
    for lang, name in chosen.of("atlas"):
        atlas(folder / name, plan, by=chosen.atlas_by, cover=reach, lang=lang)


def write_tables(folder: Path, results: Results, chosen: Outputs) -> None:
    """The workbook, the GeoPackage and the files of grids, where they are asked for."""
    plan, reach, files = results.plan, results.cover, chosen.files
    categories = [] if reach is None else [*reach.names, *reach.facilities["category"].astype(str).unique()]
    for lang, name in chosen.of("workbook"):
        told = told_findings(results.findings, lang, category_labels(categories, lang))
        write_workbook(
            folder / name, plan=plan, cover=reach, lang=lang, title=_text(chosen.title, lang) or None, findings=told,
            sources=results.readings, gaps=results.gaps, compliance=results.compliance, sites=results.sites,
        )  # fmt: skip
    if "geopackage" in files:
        tables = {"circles": results.circles, "gaps": results.gaps, "findings": results.findings}
        tables |= {PROVENANCE: results.record, "compliance": results.compliance}
        if results.present is not None:
            tables |= {"present_grids": results.present.grids, "present_findings": results.present.findings}
        write_project(
            folder / files["geopackage"], plan=plan, cover=reach, sites=results.sites, tables=tables,
            lang=chosen.languages[0],
        )  # fmt: skip
    for kind in _TABLES:
        if kind in files:
            write_table(plan.grids, folder / files[kind])
    if "provenance" in files:
        with writing(folder / files["provenance"]) as draft:
            draft.write_text(provenance_json(results.record), encoding="utf-8")


def _text(text: Text | None, lang: str) -> str:
    """A text in one language; empty where there is none."""
    return text.get(lang, "") if isinstance(text, Mapping) else text or ""


def _key(kind: str, lang: str, languages: Sequence[str]) -> str:
    return kind if lang == languages[0] else f"{kind}_{lang}"


def _names(outputs: Mapping[str, Any], languages: Sequence[str]) -> dict[str, str]:
    """Kind of output and file name; ``false`` leaves one out."""
    known = {**DEFAULT_OUTPUTS, **_FURTHER}
    unknown = sorted(set(outputs) - set(known))
    if unknown:
        raise OptionError(
            f"[outputs] has unknown options {', '.join(unknown)}; known are {', '.join(known)}, atlas_by, edit, lang"
        )
    asked = {kind: name for kind, name in {**DEFAULT_OUTPUTS, **outputs}.items() if name is not False}
    names = {kind: known[kind] if name is True else name for kind, name in asked.items()}
    wrong = [name for name in names.values() if not isinstance(name, str) or Path(name).name != name]
    if wrong:
        raise OptionError(f"[outputs] takes plain file names, which go to the output folder, not {wrong[0]!r}")
    for kind in _PAGES:
        if kind in names:
            page_path(names[kind])
    for kind in _ONE_LANGUAGE:
        for lang in languages[1:] if kind in names else ():
            first = Path(names[kind])
            names[_key(kind, lang, languages)] = f"{first.stem}-{lang}{first.suffix}"
    return names
