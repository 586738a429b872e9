"""The section [compliance] of a project: which standards, by which units, with which options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridmap.errors import OptionError
from gridmap.standards.read import read_standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["BY", "Section", "read_section"]

#: What the units may be.
BY = ("communities", "grids")


class Section(NamedTuple):
    """The requirements, the units (one of `BY`), and the other options as they are."""

    standard: pd.DataFrame
    by: str
    options: dict[str, Any]


def read_section(section: Mapping[str, Any], folder: Path) -> Section | None:
    """The section, its standards read; None where it is empty.

    Parameters
    ----------
    section
        ``standard`` (a name, a path, or a list of these), ``by`` (communities unless it says grids), and options of
        `Cover.compliance`.
    folder
        From which relative paths are taken.

    Raises
    ------
    OptionError
        When there is no standard, or the units are none.
    ReadError, TableError
        When a standard is not there, or has rows that are wrong.

    Examples
    --------
    >>> section = read_section({"standard": "GB 50180-2018", "share": 0.9}, Path())
    >>> section.by, section.options
    ('communities', {'share': 0.9})
    """
    if not section:
        return None
    rest = dict(section)
    named, by = rest.pop("standard", None), rest.pop("by", BY[0])
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise OptionError(
            "[compliance] needs standard: a name or a file, or a list of these, such as "
            "standard = ['GB 50180-2018', 'local.csv']"
        )
    if by not in BY:
        raise OptionError(f"[compliance] by = {by!r}; it is one of {', '.join(BY)}")
    return Section(read_standard([_here(name, folder) for name in names]), by, rest)


def _here(name: str, folder: Path) -> str:
    """A path taken from the folder of the project; a name of a standard stays."""
    return str(folder / name) if Path(name).suffix.lower() in (".csv", ".xlsx") else name
