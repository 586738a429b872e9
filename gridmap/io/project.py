"""Projects: PROJECT.toml names what goes in and how it is worked on; one GeoPackage holds what came out."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmap.errors import OptionError, ReadError
from gridmap.io.database import Address, dotted, is_database, transaction
from gridmap.io.provenance import LAYER as PROVENANCE
from gridmap.io.provenance import provenance
from gridmap.io.read.building_counts import read_building_counts
from gridmap.io.read.failures import is_there
from gridmap.io.read.osm import is_osm, read_osm
from gridmap.io.read.postgis import database_tables
from gridmap.io.read.readers import read_plain_table, read_table, refuse_empty_osm, refuse_for_osm
from gridmap.io.write.postgis import write_postgis
from gridmap.io.write.qgis_styles import layer_styles
from gridmap.io.write.tables import STYLES_LAYER, flat, write_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

__all__ = ["INPUTS", "Project", "read_project", "write_project"]

_SECTIONS = ("project", "inputs", "divide", "cover", "compliance", "locate", "outputs")
_PROJECT_KEYS = ("name", "title", "lang")
_INPUT_KEYS = ("path", "columns", "crs", "layer", "counts", "categories")
_LANGUAGES = ("en", "zh")
# Areas that `divide` makes grids of their own are drawn as the bureau's grids are.
_SAME_AS = {"dedicated": "grids"}
_WITHOUT_GEOMETRY = ("units", "households", "bands")
#: What [inputs] may name. `grids` are the bureau's present ones, `households` counts by building_id.
INPUTS = (
    "communities", "buildings", "compounds", "entrances", "barriers", "facilities", "streets", "grids", "dedicated",
    "candidates",
    *_WITHOUT_GEOMETRY,
)  # fmt: skip


@dataclass(frozen=True)
class Project:
    """A project as it was read.

    Attributes
    ----------
    name, title, lang
        What it is called, the heading of its outputs (or one a language), and their language (None: not said).
    tables
        The inputs by name; those that OpenStreetMap held nothing for are left out.
    divide, cover, compliance, locate, outputs
        The sections of these names, as they are.
    path
        The file.
    readings
        What each reader did, also for tables left out: source, rows read and kept, what was left out and why.
    others
        Layers of the GeoPackage, or tables of the schema, that are no inputs and were not read.
    """

    name: str
    tables: dict[str, Any]
    divide: dict[str, Any] = field(default_factory=dict)
    cover: dict[str, Any] = field(default_factory=dict)
    compliance: dict[str, Any] = field(default_factory=dict)
    locate: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None
    title: str | Mapping[str, str] = ""
    lang: str | None = None
    readings: dict[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def read_project(path: str | PathLike[str], *, checked: bool = True) -> Project:
    """Read a PROJECT.toml and every table it names; or a GeoPackage whose layers are called as the tables are.

    Parameters
    ----------
    path
        A .toml with sections ``[project]`` (name, title, lang), ``[inputs]`` (table = path, or table = {path, columns,
        crs, layer}; ``facilities`` may have ``categories``, as in `read_facilities`; ``buildings`` may have
        ``counts``, a sheet of households by building_id, or by compound and number), ``[divide]``, ``[cover]``,
        ``[compliance]``, ``[locate]``, ``[outputs]``. A lang of ``"both"`` may have a title in each,
        ``title = {en = "...", zh = "..."}``. Paths are relative to the file; ``${NAME}`` is an environment variable.
        Tables that come from one OpenStreetMap extract are read in one pass. What may stand in the last three:
        see `run_project`. Or
        ``"postgresql://user@host/city|schema=plan"``, a schema of a PostGIS database whose tables are called so.
    checked
        Whether tables that break their contract are refused; False lets them through, for `gridmap.check` to tell.

    Raises
    ------
    ReadError
        When a file is missing or broken, a key is unknown (the nearest known one is named), or a variable is not set.
    TableError
        When a table breaks its contract.
    """
    if is_database(path):
        return _read_schema(path, checked=checked)
    path = Path(path)
    if not is_there(path):
        raise ReadError(f"{path}: there is no such project file. Check the path; `gridmap demo` shows an example.")
    if path.suffix.lower() == ".gpkg":
        return _read_geopackage(path, checked=checked)
    settings = _parse(path)
    _known_keys(path, settings, _SECTIONS, "a section", "")
    for section in settings:
        if not isinstance(settings[section], dict):
            raise ReadError(f"{path}: {section} must be a section, written [{section}].")
    about, inputs = settings.get("project", {}), settings.get("inputs", {})
    _known_keys(path, about, _PROJECT_KEYS, "a key of [project]", "project.")
    _known_keys(path, inputs, INPUTS, "a table", "inputs.")
    if about.get("lang") not in (None, *_LANGUAGES, "both"):
        raise ReadError(f"{path}: project.lang is {about['lang']!r}; it is one of {', '.join(_LANGUAGES)}, both.")
    if not inputs:
        raise ReadError(
            f"{path}: [inputs] is missing or empty. Name the tables there, for example buildings = 'x.gpkg'."
        )
    tables = _read_inputs(path, {name: _input(path, name, value) for name, value in inputs.items()}, checked=checked)
    outputs = dict(settings.get("outputs", {}))
    if about.get("lang"):
        outputs.setdefault("lang", about["lang"])
    name = str(about.get("name", path.stem))
    return Project(
        name=name,
        tables={n: t for n, t in tables.items() if len(t)},
        divide=settings.get("divide", {}),
        cover=settings.get("cover", {}),
        compliance=settings.get("compliance", {}),
        locate=settings.get("locate", {}),
        outputs=outputs,
        path=path,
        title=_title(path, about.get("title", name)),
        lang=about.get("lang"),
        readings={n: t.attrs["reading"] for n, t in tables.items()},
    )


def write_project(
    path: str | PathLike[str],
    *,
    plan: Any = None,
    cover: Any = None,
    sites: Any = None,
    tables: Mapping[str, pd.DataFrame | None] | None = None,
    lang: str = "en",
) -> Path | str:
    """Write results as the layers of one GeoPackage, or the tables of a PostGIS schema, whole or not at all.

    Layers: of a plan ``grids``, ``assignment``, ``buildings`` (with grid_id), ``communities``, ``atoms``,
    ``adjacency``, ``areas`` and the ground it was made on; of a cover ``reach`` (a point a building, with what
    the nearest facility of each category takes), ``facilities``, ``rates`` (of all), ``rates_by_grid``; of site plans
    their tables; ``findings`` of all; ``provenance``, what they were made of (`gridmap.compare_runs`); then `tables`,
    which replace layers of the same name. ``layer_styles`` holds styles, with which QGIS opens the layers: grids by
    status, circles by minutes, facilities by category.

    Parameters
    ----------
    path
        The .gpkg file; or ``"postgresql://user@host/city|schema=plan"``: a schema, made where it is absent, whose
        tables of these names are replaced in one transaction (without styles).
    plan, cover, sites
        Results; each may be left out.
    tables
        Further layers by name.
    lang
        Language of the legends in QGIS, ``"en"`` or ``"zh"``.

    Raises
    ------
    WriteError
        When the folder is missing or cannot be written; a former file is then unchanged.
    OptionError
        When the suffix is not .gpkg, there is no such language, or a file of `tables` alone would hold none that
        `read_project` reads.
    """
    address = Address.parse(path) if is_database(path) else None
    path = Path(path)
    if address is not None and address.schema is None:
        raise OptionError(f"{address.shown}: name the schema to write to: |schema=plan")
    if address is None and path.suffix.lower() != ".gpkg":
        raise OptionError(f"{path.name}: a project is written as one GeoPackage; end the name in .gpkg")
    if lang not in _LANGUAGES:
        raise OptionError(f"lang={lang!r}; it is one of {', '.join(_LANGUAGES)}")
    layers = _result_layers(plan, cover, sites)
    if layers and PROVENANCE not in (tables or {}):
        layers[PROVENANCE] = provenance(plan=plan, cover=cover)
    layers.update(tables or {})
    written = {name: table for name, table in layers.items() if table is not None}
    for name, table in written.items():
        if not isinstance(table, pd.DataFrame):
            raise OptionError(f"tables={{{name!r}: ...}} is a table, not {type(table).__name__}: read a file first")
    if address is not None:
        write_postgis(written, address, flat)
        return address.shown
    if plan is None and cover is None and sites is None:
        _refuse_unreadable(path, written)
    styles = layer_styles(written, lang)
    write_layers({**written, STYLES_LAYER: styles} if len(styles) else written, path)
    return path


def _refuse_unreadable(path: Path, tables: Iterable[str]) -> None:
    """Refuse to write tables of which none is called as `read_project` looks for it."""
    names = list(tables)
    if not set(names) & set(INPUTS):
        near = [(name, difflib.get_close_matches(name, INPUTS, n=1, cutoff=0.5)) for name in names]
        hint = "".join(f" Did you mean {found[0]!r} by {name!r}?" for name, found in near if found)
        raise OptionError(
            f"{path.name}: none of its tables ({', '.join(names) or 'none given'}) is one that read_project reads: "
            f"{', '.join(INPUTS)}.{hint} Single tables are written with gridmap.write_table."
        )


def _title(path: Path, title: Any) -> str | dict[str, str]:
    if not isinstance(title, dict):
        return str(title)
    if unknown := sorted(set(title) - set(_LANGUAGES)):
        raise ReadError(f"{path}: project.title is given in {unknown[0]!r}; it is one of {', '.join(_LANGUAGES)}.")
    return {lang: str(text) for lang, text in title.items()}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ReadError(f"{path}: not valid TOML: {error}. Texts stand in quotes, one key a line.") from error
    except (UnicodeDecodeError, OSError) as error:
        raise ReadError(f"{path}: cannot be read ({error}). Save it again as UTF-8 text.") from error


def _known_keys(path: Path, given: Iterable[str], known: tuple[str, ...], what: str, prefix: str) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(known)}."
            raise ReadError(f"{path}: {prefix}{key} is not {what}; {hint}")


def _input(path: Path, name: str, value: Any) -> dict[str, Any]:
    """One entry of [inputs] as a mapping, its paths complete."""
    entry = {"path": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise ReadError(f"{path}: inputs.{name} must be a path, or a mapping with a path: {{path = 'x.gpkg'}}.")
    _known_keys(path, entry, _INPUT_KEYS, "a key of an input", f"inputs.{name}.")
    if "counts" in entry and name != "buildings":
        raise ReadError(f"{path}: inputs.{name}.counts: only buildings take counts. Leave it out.")
    if "categories" in entry and name != "facilities":
        raise ReadError(f"{path}: inputs.{name}.categories: only facilities take categories. Leave it out.")
    paths = [key for key in ("path", "counts", "categories") if isinstance(entry.get(key), str)]
    return {**entry, **{key: _complete(path, entry[key]) for key in paths}}


def _complete(project: Path, text: str) -> str:
    """A path with its variables filled in, relative ones taken from the project file's folder."""

    def fill(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            shown = Address.parse(text).shown if is_database(text) else text
            raise ReadError(
                f"{project}: {shown!r} needs the environment variable {match[1]}, which is not set. "
                f"Set it to the folder meant, or write the path out."
            )
        return value

    filled = re.sub(r"\$\{(\w+)\}", fill, text)
    return filled if is_database(filled) or Path(filled).is_absolute() else str(project.parent / filled)


def _read_inputs(path: Path, inputs: Mapping[str, dict[str, Any]], *, checked: bool) -> dict[str, Any]:
    counts = inputs.get("buildings", {}).get("counts")
    if counts is not None and "households" in inputs:
        raise ReadError(f"{path}: both inputs.households and inputs.buildings.counts are given. Keep one of them.")
    tables = _read_extracts(path, {name: entry for name, entry in inputs.items() if is_osm(Path(entry["path"]))})
    for name, entry in inputs.items():
        if name not in tables:
            options: dict[str, Any] = {key: entry.get(key) for key in ("columns", "layer")}
            if name in _WITHOUT_GEOMETRY:
                tables[name] = read_plain_table(name, entry["path"], **options)
            else:
                options |= {key: entry.get(key) for key in ("crs", "categories")}
                options["checked"] = checked
                tables[name] = read_table(_SAME_AS.get(name, name), entry["path"], **options)
    if counts is not None:
        tables["households"], tables["buildings"] = read_building_counts(
            counts, tables["buildings"], tables.get("compounds")
        )
    return {name: tables[name] for name in INPUTS if name in tables}


def _read_extracts(path: Path, inputs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The tables that come from OpenStreetMap, each extract read once."""
    extracts: dict[str, list[str]] = {}
    for name, entry in inputs.items():
        if name in (*_WITHOUT_GEOMETRY, *_SAME_AS, "grids"):
            raise ReadError(f"{path}: OpenStreetMap holds no {name}. Name a sheet or a vector file for inputs.{name}.")
        refuse_for_osm(Path(entry["path"]), **{k: entry.get(k) for k in ("crs", "columns", "categories")})
        extracts.setdefault(entry["path"], []).append(name)
    tables: dict[str, Any] = {}
    for extract, names in extracts.items():
        tables.update(read_osm(extract, names))
        for name in names:
            refuse_empty_osm(Path(extract), name, tables[name])
    return tables


def _read_geopackage(path: Path, *, checked: bool) -> Project:
    import pyogrio

    try:
        layers = {str(name) for name in pyogrio.list_layers(path)[:, 0]}
    except (RuntimeError, ValueError) as error:
        raise ReadError(f"{path}: not a GeoPackage that can be read ({error}). Export it again.") from error
    names = [name for name in INPUTS if name in layers]
    if not names:
        raise ReadError(
            f"{path}: no layer is called as a table is ({', '.join(INPUTS)}); the layers are {_named(layers)}. Rename "
            "them, or read one alone: 'file.gpkg|layer=name'."
        )
    tables = _read_inputs(path, {name: {"path": str(path), "layer": name} for name in names}, checked=checked)
    readings = {n: t.attrs["reading"] for n, t in tables.items()}
    others = tuple(sorted(layers - {*names, STYLES_LAYER}))
    return Project(path.stem, tables, path=path, title=path.stem, readings=readings, others=others)


def _named(layers: Iterable[str]) -> str:
    return ", ".join(sorted(name for name in layers if name != STYLES_LAYER)) or "none"


def _read_schema(source: str | PathLike[str], *, checked: bool) -> Project:
    address = Address.parse(source)
    if address.schema is None:
        raise ReadError(f"{address.shown}: name the schema that holds the project: |schema=plan")
    with transaction(address, ReadError) as cursor:
        present = {name for schema, name, _ in database_tables(cursor) if schema == address.schema}
    names = [name for name in INPUTS if name in present]
    if not names:
        raise ReadError(f"{address.shown}: no table there is called as ours are ({', '.join(INPUTS)}). Check the name.")
    inputs = {name: {"path": str(source), "layer": dotted(address.schema, name)} for name in names}
    tables = _read_inputs(Path(address.shown), inputs, checked=checked)
    readings = {n: t.attrs["reading"] for n, t in tables.items()}
    others = tuple(sorted(present - set(names)))
    return Project(address.schema, tables, title=address.schema, readings=readings, others=others)


def _result_layers(plan: Any, cover: Any, sites: Any) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    findings = []
    if plan is not None:
        layers.update(_plan_layers(plan))
        findings.append(plan.findings)
    if cover is not None:
        layers.update(_cover_layers(cover, plan))
        findings.append(cover.findings)
    if sites is not None:
        layers["sites"] = sites.sites
        layers |= {f"sites_{name}": getattr(sites, name) for name in ("rates", "newly_covered", "assignment")}
        findings.append(getattr(sites, "findings", None))
    known = [f for f in findings if f is not None]
    if known:
        layers["findings"] = _below_one_another(known)
    return layers


def _plan_layers(plan: Any) -> dict[str, Any]:
    layers = {
        name: getattr(plan, name, None)
        for name in ("grids", "communities", "buildings", "assignment", "atoms", "adjacency", "areas", "compounds",
                     "barriers", "entrances", "streets")
    }  # fmt: skip
    whole = plan.assignment.drop_duplicates("building_id").set_index("building_id")["grid_id"]
    layers["buildings"] = plan.buildings.assign(grid_id=plan.buildings["building_id"].map(whole))
    return layers


def _cover_layers(cover: Any, plan: Any) -> dict[str, Any]:
    layers = {"reach": _nearest(cover), "facilities": cover.facilities, "rates": cover.rate()}
    if plan is not None:
        layers["rates_by_grid"] = cover.rate(by=plan)
    return layers


def _nearest(cover: Any) -> Any:
    """One point a building, with what it takes to the nearest facility of each category: a map layer.

    The whole reach table has a row for each building, category and rank; ten times the size, and nothing to look at.
    """
    places = cover.buildings[["building_id", "geometry"]].set_geometry(cover.buildings.representative_point())
    names = [f"{category}_{cover.measure}" for category in cover.thresholds]
    return places.join(pd.DataFrame(cover.distance, columns=names, index=places.index))


def _below_one_another(findings: list[Any]) -> Any:
    crs = next((f.crs for f in findings if getattr(f, "crs", None) is not None), None)
    from gridmap.tables.findings import join_findings

    return join_findings(findings, crs=crs)
