"""What libraries raise on damaged files: told as an error of ours, never shown as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shapely.errors import ShapelyError

from gridmap.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOREIGN", "is_there"]

#: Found by damaging files of every kind: GDAL, Arrow, PROJ and GEOS raise nearly all there is.
FOREIGN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NameError, OSError, RuntimeError, ShapelyError,
    TypeError, ValueError,
)  # fmt: skip


def is_there(path: Path) -> bool:
    """Whether a file or folder is there; a path that the system refuses to look up, such as one too long, is told."""
    try:
        return path.exists()
    except OSError as error:
        raise ReadError(f"{path}: cannot be looked up ({error.strerror}). Shorten or correct the path.") from error
