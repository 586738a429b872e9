"""Commands that work on single files: check, divide, cover, locate, map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridmap.cli.app import app
from gridmap.cli.options import Columns, Crs, Effort, Lang, OutFile, Seed, Sheet, Table, given, read_all, read_units
from gridmap.cli.screen import print_parts, progress
from gridmap.errors import OptionError

__all__ = ["check", "cover", "divide", "draw", "locate"]


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
    with progress() as stage:
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
            write_table(findings_sheet(told) if out.suffix.lower() in (".xlsx", ".csv", ".tsv") else told, out)
    if len(told):
        print_parts(console.findings_overview(told, lang))
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

    with progress() as stage:
        stage("read")
        tables = read_all(
            crs, columns, communities=communities, buildings=buildings, streets=streets, compounds=compounds,
            barriers=barriers, entrances=entrances, units=units, bands=bands,
        )  # fmt: skip
        tables["buildings"], found = complete_households(tables["buildings"])
        stage("divide")
        options = given(effort=effort, seed=seed, weight=weight, split_large=split_large or None)
        plan = gm.divide(**tables, lower=lower, upper=upper, **options)
        stage("write")
        if out.suffix.lower() == ".gpkg":
            write_project(out, plan=plan)
        else:
            write_table(plan.grids, out)
    print_parts(
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

    with progress() as stage:
        stage("read")
        tables = read_all(
            crs, columns, buildings=buildings, facilities=facilities, streets=streets, compounds=compounds,
            barriers=barriers, entrances=entrances,
        )  # fmt: skip
        houses, found = complete_households(tables.pop("buildings"))
        places, lines = tables.pop("facilities"), tables.pop("streets")
        areas = None if by is None else read_units(by)
        stage("network")
        network = gm.StreetNetwork.from_streets(lines, profile=profile, **tables)
        stage("cover")
        limits = given(minutes=minutes, metres=metres)
        result = gm.cover(houses, places, network, **limits)
        rates = result.rate(by=areas)
        stage("write")
        if out.suffix.lower() == ".xlsx":
            write_workbook(out, cover=result, gaps=result.gaps())
        elif out.suffix.lower() == ".gpkg":
            write_project(out, cover=result)
        else:
            write_table(rates, out)
    print_parts(console.rates_overview(result.rate()), join_findings([findings_table(found), result.findings]))
    typer.echo(str(out))


@app.command()
def locate(
    buildings: Annotated[Path, typer.Argument(help="Buildings; households are estimated when they have none.")],
    candidates: Annotated[Path, typer.Argument(help="Places to build on: points or polygons with an id.")],
    streets: Annotated[Path, typer.Argument(help="Streets.")],
    category: Annotated[list[str], typer.Option(help="What is to be built; repeat for several that share a site.")],
    existing: Annotated[Path | None, typer.Option(help="Facilities there are, with a category.")] = None,
    count: Annotated[int | None, typer.Option(help="How many sites.")] = None,
    target: Annotated[float | None, typer.Option(help="Share of the households to be covered, such as 0.9.")] = None,
    budget: Annotated[float | None, typer.Option(help="What the sites may cost together; needs --cost.")] = None,
    cost: Annotated[str | None, typer.Option(help="Column of the candidates, or one number for all.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Walking minutes within which a site is reached.")] = None,
    metres: Annotated[float | None, typer.Option(help="Metres, instead of minutes.")] = None,
    objective: Annotated[
        str, typer.Option(help="max_coverage, set_cover (with --target), p_median or p_center.")
    ] = "max_coverage",
    weight: Annotated[str, typer.Option(help="Column of the buildings that counts.")] = "households",
    fixed: Annotated[list[str] | None, typer.Option(help="Id of a candidate that is built anyway; repeatable.")] = None,
    profile: Annotated[str, typer.Option(help="Who walks: adult, elderly, child.")] = "adult",
    compounds: Table = None,
    barriers: Table = None,
    entrances: Table = None,
    crs: Crs = None,
    columns: Columns = None,
    lang: Annotated[str, typer.Option(help="Language of the file: en or zh.")] = "en",
    out: OutFile = Path("sites.html"),
) -> None:
    """Choose where the next facilities go: .html gets the map, .xlsx the tables, .gpkg all layers, others the sites."""
    import gridmap as gm
    from gridmap.io.project import write_project
    from gridmap.io.write.tables import write_table
    from gridmap.io.write.workbook import write_workbook
    from gridmap.job import complete_households
    from gridmap.tables.findings import findings_table, join_findings
    from gridmap.view import console

    with progress() as stage:
        stage("read")
        tables = read_all(
            crs, columns, buildings=buildings, streets=streets, facilities=existing, candidates=candidates,
            compounds=compounds, barriers=barriers, entrances=entrances,
        )  # fmt: skip
        houses, found = complete_households(tables.pop("buildings"))
        lines, places, there = tables.pop("streets"), tables.pop("candidates"), tables.pop("facilities", None)
        stage("network")
        network = gm.StreetNetwork.from_streets(lines, profile=profile, **tables)
        stage("locate")
        plan = gm.locate(
            houses, places, network, category=category, existing=there, minutes=minutes, metres=metres, count=count,
            target=target, budget=budget, objective=objective, weight=weight, cost=_number_or_name(cost), fixed=fixed,
        )  # fmt: skip
        stage("write")
        if out.suffix.lower() in (".html", ".htm"):
            gm.explore(plan, *([] if there is None else [there]), lang=lang).save(str(out))
        elif out.suffix.lower() == ".xlsx":
            write_workbook(out, sites=plan, lang=lang)
        elif out.suffix.lower() == ".gpkg":
            write_project(out, sites=plan)
        else:
            write_table(plan.sites, out)
    print_parts(console.sites_overview(plan.sites, plan.summary), console.shares_overview(plan.rates))
    print_parts(join_findings([findings_table(found), plan.findings]))
    typer.echo(str(out))


def _number_or_name(text: str | None) -> float | str | None:
    """A cost as it was written: one number, or the name of a column."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


@app.command(name="map")
def draw(
    files: Annotated[list[Path], typer.Argument(help="A project GeoPackage that gridmap wrote, or any vector files.")],
    lang: Lang = None,
    out: OutFile = Path("map.html"),
) -> None:
    """Draw files as one HTML page that opens without a network."""
    import gridmap as gm

    with progress() as stage:
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
