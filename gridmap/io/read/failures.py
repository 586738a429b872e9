"""What libraries raise on damaged files: told as an error of ours, never shown as it is."""

from __future__ import annotations

from shapely.errors import ShapelyError

__all__ = ["FOREIGN", "first_line"]

#: Found by damaging files of every kind: GDAL, Arrow, PROJ and GEOS raise nearly all there is.
FOREIGN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NameError, OSError, RuntimeError, ShapelyError,
    TypeError, ValueError,
)  # fmt: skip


def first_line(error: object) -> str:
    """The first line of a message, which may have none."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]
