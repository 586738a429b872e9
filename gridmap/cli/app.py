"""The application that the commands belong to, and how it ends."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gridmap._version import __version__
from gridmap.cli.screen import print_error
from gridmap.errors import OptionError, ReadError, TableError

__all__ = ["app", "main"]

app = typer.Typer(
    name="gridmap",
    help="Divide communities into grids of 300-500 households, measure 15-minute service circles, draw an offline map.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
        print_error(error)
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
