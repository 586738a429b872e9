"""What a command shows on the screen: a spinner while it works, then tables, findings and paths; or one error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from gridmap.errors import GridmapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gridmap.job import JobResult

__all__ = ["print_error", "print_parts", "print_result", "progress"]


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A spinner that names the stage, on a terminal; elsewhere silence."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("start") as status:
        yield status.update


def print_result(result: JobResult) -> None:
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
    print_parts(
        "\n".join(lines),
        *tables,
        result.findings,
        console.stages_overview(result.seconds, result.peak_mb),
    )
    if result.changes is not None:
        typer.echo("\n".join(console.changes_overview(result.changes)))
    for kind in sorted(result.files, key=lambda kind: kind == "map"):
        typer.echo(result.files[kind])


def print_parts(*parts: Any) -> None:
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


def print_error(error: Exception) -> None:
    """An error of ours as a message; any other as a defect."""
    if isinstance(error, GridmapError):
        typer.echo(f"gridmap: {error}", err=True)
    else:
        typer.echo(
            f"gridmap: {type(error).__name__}: {error}\n"
            "This is a defect of gridmap. Run the command again with --debug and report what it prints.",
            err=True,
        )
