"""The errors that gridmap raises: few, named, and each with the remedy in its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["EditError", "GridmapError", "OptionError", "ReadError", "TableError", "WriteError", "first_line"]

# A message that lists thousands of rows is read by nobody; the whole list stays in `violations`.
_SHOWN = 20
_FIELDS = ["row", "column", "value", "expected", "remedy"]


class GridmapError(Exception):
    """Base class of every error that gridmap raises on purpose."""


class OptionError(GridmapError, ValueError):
    """An argument has a value, or a combination of values, that cannot work."""


class EditError(GridmapError):
    """An edit of a plan is refused; the message says what would break, and what to do instead.

    Parameters
    ----------
    message
        Reason and remedy.
    ids
        Ids of the atoms and grids concerned.
    """

    def __init__(self, message: str, ids: Iterable[str] = ()) -> None:
        self.ids = list(ids)
        super().__init__(message)


class ReadError(GridmapError):
    """A source cannot be read: absent, empty, or not what its name says."""


class WriteError(GridmapError):
    """A result cannot be written; the former file, if any, is untouched."""


class TableError(GridmapError):
    """A table breaks its contract; the message lists the violations, `violations` holds all of them.

    Parameters
    ----------
    table
        Name of the table, for example ``"buildings"``.
    violations
        One row each, with columns ``row``, ``column``, ``value``, ``expected``, ``remedy``.
    """

    def __init__(self, table: str, violations: pd.DataFrame) -> None:
        self.table = table
        self.violations = violations
        lines = [
            f"  {column}: {value}; expected {expected}. {remedy}"
            if row is None
            else f"  row {row}: {column} = {value}; expected {expected}. {remedy}"
            for row, column, value, expected, remedy in violations.head(_SHOWN)[_FIELDS].to_numpy(object).tolist()
        ]
        if len(violations) > _SHOWN:
            lines.append(f"  ... and {len(violations) - _SHOWN} more (all of them in .violations)")
        noun = "violation" if len(violations) == 1 else "violations"
        super().__init__(f"{table}: {len(violations)} {noun} of the table's contract\n" + "\n".join(lines))


def first_line(error: object) -> str:
    """The first line of a message, which may have none."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]
