"""Commands that run a whole project: demo, run, report, atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gridmap.cli.app import app
from gridmap.cli.options import Effort, Lang, OutFile, OutFolder, Seed, given
from gridmap.cli.screen import print_result, progress
from gridmap.errors import ReadError

__all__ = ["atlas", "demo", "report", "run", "sample_project"]

# The files of the main job that a command for one other file leaves out.
_NO_FILES = dict.fromkeys(
    ("map", "geopackage", "workbook", "geojson", "parquet", "report", "atlas", "swipe", "provenance"), False
)
_SYNTHETIC = {
    "en": ("Jinhe: a synthetic town", "The town is synthetic: a script made it, no real place or person is in it."),
    "zh": ("金河街道（虚构示例）", "本示例为虚构：由脚本生成，不涉及任何真实地点或个人。"),
}


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
    _run(project, folder, lang=lang, options={"divide": given(effort=effort, seed=seed)})


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


def sample_project() -> Path:
    """Path of the synthetic town's project: installed beside the package, or in the checkout."""
    from importlib.util import find_spec

    installed = find_spec("gridmap.sample_data")
    folders = list(installed.submodule_search_locations or []) if installed else []
    folders.append(str(Path(__file__).resolve().parents[2] / "sample_data"))
    for folder in folders:
        if (path := Path(folder) / "project.toml").is_file():
            return path
    raise ReadError("the sample data is absent from this installation: reinstall gridmap, or run from a checkout")


def _run(project: Path, out: Path, **options: Any) -> None:
    with progress() as stage:
        from gridmap.job import run_project

        result = run_project(project, out, on_stage=stage, **options)
    print_result(result)
