"""The command line: `gridmap demo | check | divide | cover | map | report | atlas | run`, shells over the library."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap._version import __version__
from gridmap.errors import GridmapError, OptionError, ReadError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gridmap.job import JobResult

__all__ = ["app", "main"]

app = typer.Typer(
    name="gridmap",
    help="Divide communities into grids of 300-500 households, measure 15-minute service circles, draw an offline map.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

OutFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made when absent.")]
OutFile = Annotated[Path, typer.Option("--out", "-o", help="File to write; its suffix says the format.")]
Lang = Annotated[
    str | None, typer.Option(help="Language: en, zh or both (the map with a switch, other files one each).")
]
Effort = Annotated[str | None, typer.Option(help="How long the division searches: low, normal or high.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the division's search.")]
Table = Annotated[
    Path | None, typer.Option(help="A vector file, a CSV or Excel sheet with coordinates, or an OSM .pbf.")
]

Sheet = Annotated[Path | None, typer.Option(help="A CSV or Excel sheet.")]
Crs = Annotated[
    list[str] | None,
    typer.Option("--crs", metavar="[TABLE=]CRS", help="What coordinates are in, such as buildings=GCJ-02; repeatable."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="TABLE.COLUMN=HEADING",
        help="A heading that is not recognised, such as buildings.households=总户数; repeatable.",
    ),
]

# The files of the main job that a command for one other file leaves out.
_NO_FILES = dict.fromkeys(
    ("map", "geopackage", "workbook", "geojson", "parquet", "report", "atlas", "swipe", "provenance"), False
)
_SYNTHETIC = {
    "en": ("Jinhe: a synthetic town", "The town is synthetic: a script made it, no real place or person is in it."),
    "zh": ("金河街道（虚构示例）", "本示例为虚构：由脚本生成，不涉及任何真实地点或个人。"),
}


def main() -> None:
    """Run the command line; an error of gridmap is a message and exit code 2 (input) or 1 (anything else)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that cannot show Chinese shows "?" instead of failing
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    sys.argv[1:] = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(prog_name="gridmap")
    except Exception as error:
        if debug:
            raise
        _print_error(error)
        sys.exit(2 if isinstance(error, OptionError | ReadError | TableError) else 1)


@app.callback(invoke_without_command=True)
def common(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """Options that stand before any command."""
    if version:
        typer.echo(f"gridmap {__version__}")
        raise typer.Exit


@app.command()
def demo(out: OutFolder = Path("gridmap-demo"), lang: Lang = "en") -> None:
    """Run the main job on the synthetic town that comes with gridmap."""
    title, note = ({own: told[k] for own, told in _SYNTHETIC.items()} for k in (0, 1))
    _run(sample_project(), out, lang=lang, title=title, notes=[note])


@app.command()
def run(
    project: Annotated[Path, typer.Argument(metavar="PROJECT.toml", help="Inputs, options and outputs.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results; default: NAME-out.")] = None,
    lang: Lang = None,
    effort: Effort = None,
    seed: Seed = None,
) -> None:
    """Run the main job on a project: read, divide, measure coverage, draw and write."""
    folder = out if out is not None else Path(f"{project.stem}-out")
    _run(project, folder, lang=lang, options={"divide": _given(effort=effort, seed=seed)})


@app.command()
def report(
    project: Annotated[Path, typer.Argument(metavar="PROJECT.toml", help="Inputs and options.")],
    out: OutFile = Path("report.html"),
    lang: Lang = None,
) -> None:
    """Run the main job on a project and write the report for leaders alone: .html or .pdf."""
    _run(project, out.parent, lang=lang, options={"outputs": {**_NO_FILES, "report": out.name}})


@app.command()
def atlas(
    project: Annotated[Path, typer.Argument(metavar="PROJECT.toml", help="Inputs and options.")],
    by: Annotated[str, typer.Option(help="What one file holds: grid (all in one), community or subdistrict.")] = "grid",
    out: OutFile = Path("atlas.html"),
    lang: Lang = None,
) -> None:
    """Run the main job on a project and write one page a grid alone: .html or .pdf."""
    _run(project, out.parent, lang=lang, options={"outputs": {**_NO_FILES, "atlas": out.name, "atlas_by": by}})


@app.command()
def check(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PROJECT.toml|FILES...",
            help="A project, or files; NAME=FILE says what a file holds (communities, buildings, subdistricts ...).",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File for the findings: .xlsx, .csv, .gpkg, .geojson.")
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the findings: en or zh.")] = "en",
    sliver_width: Annotated[float, typer.Option(help="m; land narrower than this is a slip of drawing.")] = 1.0,
    crs: Crs = None,
    columns: Columns = None,
) -> None:
    """Find what is wrong within and between tables: gaps, overlaps, doubled buildings, totals and more.

    The exit code is 0 when nothing found is an error, 3 when something is, and 2 when a source cannot be read.
    """
    import gridmap as gm
    from gridmap.io.audit_sources import read_audit_sources
    from gridmap.io.reading_findings import reading_findings
    from gridmap.io.write.tables import write_table
    from gridmap.job import complete_households
    from gridmap.maps.finding_words import told_findings
    from gridmap.tables.findings import findings_sheet, findings_table, join_findings
    from gridmap.view import console

    if lang not in ("en", "zh"):
        raise OptionError(f"--lang {lang}: the findings are told in en or zh")
    with _progress() as stage:
        stage("read")
        tables = read_audit_sources(sources, crs=crs, columns=columns)
        found = reading_findings(tables)
        if {"buildings", "households"} <= set(tables):
            tables["buildings"], unmatched = complete_households(tables["buildings"], tables.pop("households"))
            found += unmatched
        stage("check")
        audit = gm.check(sliver_width=sliver_width, **tables)
        told = told_findings(join_findings([audit, findings_table(found)], crs=audit.crs), lang, {})
        if out is not None:
            stage("write")
            write_table(findings_sheet(told) if out.suffix.lower() in (".xlsx", ".csv") else told, out)
    if len(told):
        _print(console.findings_overview(told, lang))
    typer.echo(console.findings_count(told, lang))
    if out is not None:
        typer.echo(str(out))
    if (told["severity"] == "error").any():
        raise typer.Exit(code=3)


@app.command()
def divide(
    communities: Annotated[Path, typer.Argument(help="Community polygons.")],
    buildings: Annotated[Path, typer.Argument(help="Buildings; households are estimated when they have none.")],
    streets: Table = None,
    compounds: Table = None,
    barriers: Table = None,
    entrances: Table = None,
    units: Sheet = None,
    bands: Sheet = None,
    lower: Annotated[int, typer.Option(help="Fewest households of a grid.")] = 300,
    upper: Annotated[int, typer.Option(help="Most households of a grid.")] = 500,
    weight: Annotated[str | None, typer.Option(help="Column of the buildings that the band counts.")] = None,
    split_large: Annotated[bool, typer.Option("--split-large", help="Split buildings above the upper limit.")] = False,
    effort: Effort = None,
    seed: Seed = None,
    crs: Crs = None,
    columns: Columns = None,
    out: OutFile = Path("grids.gpkg"),
) -> None:
    """Divide communities into grids: a .gpkg gets the whole plan, .geojson, .shp, .dxf, .kml ... the grids alone."""
    import gridmap as gm
    from gridmap.io.project import write_project
    from gridmap.io.write.tables import write_table
    from gridmap.job import complete_households
    from gridmap.tables.findings import findings_table, join_findings
    from gridmap.view import console

    with _progress() as stage:
        stage("read")
        tables = _read_all(
            crs, columns, communities=communities, buildings=buildings, streets=streets, compounds=compounds,
            barriers=barriers, entrances=entrances, units=units, bands=bands,
        )  # fmt: skip
        tables["buildings"], found = complete_households(tables["buildings"])
        stage("divide")
        options = _given(effort=effort, seed=seed, weight=weight, split_large=split_large or None)
        plan = gm.divide(**tables, lower=lower, upper=upper, **options)
        stage("write")
        if out.suffix.lower() == ".gpkg":
            write_project(out, plan=plan)
        else:
            write_table(plan.grids, out)
    _print(
        console.grids_overview(plan.grids, plan.communities),
        join_findings([findings_table(found), plan.findings]),
    )
    typer.echo(str(out))


@app.command()
def cover(
    buildings: Annotated[Path, typer.Argument(help="Buildings; households are estimated when they have none.")],
    facilities: Annotated[Path, typer.Argument(help="Facilities with a category.")],
    streets: Annotated[Path, typer.Argument(help="Streets.")],
    compounds: Table = None,
    barriers: Table = None,
    entrances: Table = None,
    by: Annotated[Path | None, typer.Option(help="Polygons (grids or communities) to report rates by.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Walking minutes within which a facility is reached.")] = None,
    metres: Annotated[float | None, typer.Option(help="Metres, instead of minutes.")] = None,
    profile: Annotated[str, typer.Option(help="Who walks: adult, elderly, child.")] = "adult",
    crs: Crs = None,
    columns: Columns = None,
    out: OutFile = Path("coverage.xlsx"),
) -> None:
    """Measure who reaches which category of facility: .xlsx gets all sheets, .csv the rates, .gpkg all layers."""
    import gridmap as gm
    from gridmap.io.project import write_project
    from gridmap.io.write.tables import write_table
    from gridmap.io.write.workbook import write_workbook
    from gridmap.job import complete_households
    from gridmap.tables.findings import findings_table, join_findings
    from gridmap.view import console

    with _progress() as stage:
        stage("read")
        tables = _read_all(
            crs, columns, buildings=buildings, facilities=facilities, streets=streets, compounds=compounds,
            barriers=barriers, entrances=entrances,
        )  # fmt: skip
        houses, found = complete_households(tables.pop("buildings"))
        places, lines = tables.pop("facilities"), tables.pop("streets")
        units = None if by is None else _units(by)
        stage("network")
        network = gm.StreetNetwork.from_streets(lines, profile=profile, **tables)
        stage("cover")
        limits = _given(minutes=minutes, metres=metres)
        result = gm.cover(houses, places, network, **limits)
        rates = result.rate(by=units)
        stage("write")
        if out.suffix.lower() == ".xlsx":
            write_workbook(out, cover=result, gaps=result.gaps())
        elif out.suffix.lower() == ".gpkg":
            write_project(out, cover=result)
        else:
            write_table(rates, out)
    _print(console.rates_overview(result.rate()), join_findings([findings_table(found), result.findings]))
    typer.echo(str(out))


@app.command(name="map")
def draw(
    files: Annotated[list[Path], typer.Argument(help="A project GeoPackage that gridmap wrote, or any vector files.")],
    lang: Lang = None,
    out: OutFile = Path("map.html"),
) -> None:
    """Draw files as one HTML page that opens without a network."""
    import gridmap as gm

    with _progress() as stage:
        stage("read")
        layers = [layer for path in files for layer in _layers(path)]
        stage("map")
        gm.explore(*layers, lang=lang or "en").save(str(out))
    typer.echo(str(out))


def _layers(path: Path) -> list[Any]:
    """What a file holds to be drawn: the tables of a project GeoPackage, or the one layer of any other file."""
    import geopandas as gpd

    from gridmap.io.project import read_project

    if path.suffix.lower() in (".gpkg", ".toml"):
        return list(read_project(path).tables.values())
    return [gpd.read_file(path)]


def _read_all(crs: list[str] | None, columns: list[str] | None, **paths: Path | None) -> dict[str, Any]:
    """The tables of the files given, each as the options state it."""
    from gridmap.io.read.readers import read_plain_table, read_table
    from gridmap.io.stated import WITHOUT_PLACE, stated_options

    given = _given(**paths)
    stated = stated_options(crs, columns, list(given))
    return {
        name: (read_plain_table if name in WITHOUT_PLACE else read_table)(name, path, **stated[name])
        for name, path in given.items()
    }


def _units(path: Path) -> Any:
    """Polygons to report by: grids where they have a grid_id, else communities."""
    from gridmap.io.read.readers import read_table

    try:
        return read_table("grids", path)
    except TableError:
        return read_table("communities", path)


def sample_project() -> Path:
    """Path of the synthetic town's project: installed beside the package, or in the checkout."""
    from importlib.util import find_spec

    installed = find_spec("gridmap.sample_data")
    folders = list(installed.submodule_search_locations or []) if installed else []
    folders.append(str(Path(__file__).resolve().parents[1] / "sample_data"))
    for folder in folders:
        if (path := Path(folder) / "project.toml").is_file():
            return path
    raise ReadError("the sample data is absent from this installation: reinstall gridmap, or run from a checkout")


def _run(project: Path, out: Path, **options: Any) -> None:
    with _progress() as stage:
        from gridmap.job import run_project

        result = run_project(project, out, on_stage=stage, **options)
    _print_result(result)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A spinner that names the stage, on a terminal; elsewhere silence."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("start") as status:
        yield status.update


def _print_result(result: JobResult) -> None:
    """What a run made, in a page: the last line is the path of the map, or of the folder when there is no map."""
    from gridmap.view import console

    grids = result.plan.grids
    lines = [f"{result.name}: {len(grids)} grids, {console.in_band_share(grids):.1%} of those judged in band"]
    if (present := result.present) is not None:
        share = console.in_band_share(present.grids)
        lines.append(
            f"present grids: {len(present.grids)}, {share:.1%} in band, {len(present.findings)} findings "
            "(layers present_grids, present_findings)"
        )
    tables = [console.grids_overview(grids, result.plan.communities, result.lang)]
    if result.cover is not None:
        tables.append(console.rates_overview(result.cover.rate()))
    _print(
        "\n".join(lines),
        *tables,
        result.findings,
        console.stages_overview(result.seconds, result.peak_mb),
    )
    if result.changes is not None:
        typer.echo("\n".join(console.changes_overview(result.changes)))
    for kind in sorted(result.files, key=lambda kind: kind == "map"):
        typer.echo(result.files[kind])


def _print(*parts: Any) -> None:
    """Print texts and tables; a table of findings as its overview, and not at all when it is empty."""
    from rich.console import Console
    from rich.table import Table

    from gridmap.view.console import findings_overview

    screen = Console()
    for part in parts:
        if isinstance(part, str | Table):
            screen.print(part, highlight=False, markup=False)
        elif len(part):
            screen.print(findings_overview(part))


def _print_error(error: Exception) -> None:
    if isinstance(error, GridmapError):
        typer.echo(f"gridmap: {error}", err=True)
    else:
        typer.echo(
            f"gridmap: {type(error).__name__}: {error}\n"
            "This is a defect of gridmap. Run the command again with --debug and report what it prints.",
            err=True,
        )
