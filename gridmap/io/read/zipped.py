"""Vector files in a zip: Shapefile, File Geodatabase, KMZ or any other, unpacked safely and read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gridmap.errors import ReadError
from gridmap.io.read.archives import unpacked
from gridmap.io.read.vector_kinds import FORMATS, VECTOR_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["opened"]


@contextmanager
def opened(path: Path, layer: str | None, table: str) -> Iterator[tuple[Path, str | None]]:
    """The vector file in a zip, unpacked for as long as the ``with`` lasts, and the layer still to look for in it.

    Of several files the one is taken that is called as `layer`, or as the table. In messages the temporary folder is
    called as the zip is.

    Raises
    ------
    ReadError
        When the zip is unsafe (`gridmap.io.read.archives`), or holds no or several vector files, none of them meant.
    """
    with unpacked(path) as folder:
        inside, layer = _chosen(path, folder, layer, table)
        try:
            yield inside, layer
        except ReadError as error:
            raise ReadError(str(error).replace(f"{folder}{os.sep}", f"{path}{os.sep}")) from error


def _chosen(path: Path, folder: Path, layer: str | None, table: str) -> tuple[Path, str | None]:
    found = sorted(_vector_files(folder))
    if path.suffix.lower() == ".kmz":
        # the standard (OGC 12-007r2, C.3) has the first KML file at the top taken; the others are its links
        found = [f for f in found if f.suffix.lower() == ".kml"]
        found = [f for f in found if f == folder / "doc.kml"] or found[:1]
    if len(found) == 1:
        return found[0], None if layer == found[0].stem else layer
    for name in (layer, table):
        called = [f for f in found if name is not None and name in (f.stem, f.relative_to(folder).as_posix())]
        if len(called) == 1:
            return called[0], None
    names = ", ".join(f.relative_to(folder).as_posix() for f in found)
    if not found:
        raise ReadError(f"{path}: there is no vector file in it. Zip a {FORMATS.partition(';')[0]}.")
    raise ReadError(
        f"{path}: holds {len(found)} vector files ({names}), none of them called {table!r}. "
        f"Say which one: '{path.name}|layer={found[0].stem}'."
    )


def _vector_files(folder: Path) -> Iterator[Path]:
    """Files that can be read; a geodatabase is a folder, in which nothing else is looked for."""
    for entry in folder.iterdir():
        # what a Mac adds to a zip
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.suffix.lower() in VECTOR_SUFFIXES:
            yield entry
        elif entry.is_dir():
            yield from _vector_files(entry)
