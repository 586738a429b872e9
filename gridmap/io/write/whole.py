"""Files whole or not at all: written under another name, looked at, and put in the place of the former ones."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gridmap.errors import GridmapError, WriteError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TEMPORARY", "sweep", "take_places", "writing", "writing_set"]

#: How names of what is being written begin; hidden, and ours alone.
TEMPORARY = ".gridmap-"
# No run takes this long: what is older was left by one that was killed.
_STALE_SECONDS = 24 * 3600
# What a GeoPackage may have beside itself while it is written.
_JOURNALS = ("-journal", "-wal", "-shm")


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; the file written there takes the place of `path` when all went well.

    The new file is on the disk (fsync) before it takes the former one's name, so that even a power cut leaves one of
    the two whole; that the folder's entry is on the disk as well is not waited for, as until then it is the former
    file that stands there. Links are followed; the rights of a former file are kept.

    Raises
    ------
    WriteError
        When the folder is missing or cannot be written, the former file is read-only or held by another program, or
        what writes the file fails.
    """
    with writing_set([path]) as (temporary,):
        yield temporary


@contextmanager
def writing_set(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """`writing` for files that belong together: all take their places when all went well, else none does.

    A run that is killed in the moment they do leaves some former files and some new ones, each of them whole.

    Raises
    ------
    WriteError
        As in `writing`.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    for path, target in zip(paths, targets, strict=True):
        _refuse_place(path, target)
    for folder in {target.parent for target in targets}:
        sweep(folder)
    drafts: list[Path] = []
    try:
        drafts += [_free_name(target) for target in targets]
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            _refuse_unfinished(draft)
            # mkstemp keeps a file to its owner; the result is as readable as the former one, or as any new file
            draft.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
        take_places(drafts, targets)
    except WriteError as error:
        # who writes knows the temporary names only
        told = str(error)
        for draft, path in zip(drafts, paths, strict=False):
            told = told.replace(str(draft), str(path)).replace(draft.name, path.name)
        raise WriteError(told) from error
    except GridmapError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, sqlite3.Error, ImportError) as error:
        one = len(paths) == 1
        name = str(paths[0]) if one else f"{paths[0]} and {len(paths) - 1} more of its set"
        former = "A former file of that name is" if one else "Former files of these names are"
        raise WriteError(
            f"{name}: could not be written ({first_line(error)}). {former} unchanged; is it open elsewhere, or the "
            "disk full?"
        ) from error
    finally:
        for draft in drafts:
            _remove(draft, *_beside(draft))


def take_places(drafts: Sequence[Path], targets: Sequence[Path]) -> None:
    """Rename each draft to its target; when one cannot be, those before it give way to the former files again."""
    formers: list[Path | None] = []
    placed = 0
    try:
        if len(targets) > 1:
            for target in targets:
                # one at a time, so that those there are go again when the next cannot be made
                formers.append(_second_name(target) if target.exists() else None)  # noqa: PERF401
        for draft, target in zip(drafts, targets, strict=True):
            _settle_former(target)
            draft.replace(target)
            placed += 1
    except BaseException:
        for target, former in zip(targets[:placed], formers, strict=False):
            if former is None:
                target.unlink()
            else:
                former.replace(target)
        raise
    finally:
        _remove(*(former for former in formers if former is not None))


def sweep(folder: Path) -> None:
    """Remove what runs that were killed have left in a folder; what is younger than a day may still be in use."""
    oldest = time.time() - _STALE_SECONDS
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(TEMPORARY):
                continue
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime > oldest:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink()


def _refuse_unfinished(path: Path) -> None:
    """Refuse a GeoPackage that is not complete: GDAL does not tell when closing a file fails, as on a full disk."""
    if path.suffix.lower() != ".gpkg":
        return
    with closing(sqlite3.connect(path)) as file:
        if not _whole_geopackage(file):
            raise OSError("the disk took only a part of it")


def _whole_geopackage(file: sqlite3.Connection) -> bool:
    """Whether the database is sound, with all rows of all tables, each layer's spatial index, and what counts rows."""
    if file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        return False
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")}
    if "gpkg_ogr_contents" not in tables:
        # made by something else than GDAL, or without features
        return True
    rows = file.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents").fetchall()
    counted = all(
        count is None or file.execute(f'SELECT count(*) FROM "{_quoted(name)}"').fetchone() == (count,)  # noqa: S608
        for name, count in rows
    )
    shapes = file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
    # the last that GDAL makes of a layer: where the others have it, so has the last one
    triggers = {f"trigger_insert_feature_count_{name}" in tables for name, _ in rows}
    return counted and len(triggers) < 2 and all(f"rtree_{name}_{column}" in tables for name, column in shapes)


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _settle_former(path: Path) -> None:
    """Let a former GeoPackage take in its journals, which SQLite would else play into the new file.

    QGIS keeps changes in such a journal while it has the file open, and leaves it there when it is killed.
    """
    journals = [journal for journal in _beside(path) if journal.exists()]
    if not journals or not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=5)) as former:
            former.execute("SELECT count(*) FROM sqlite_master").fetchone()
            busy = former.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        busy = True
    except sqlite3.DatabaseError:
        # the former file is no database: nothing can be taken in, and nobody is working on it
        busy = False
    if busy:
        raise WriteError(f"{path}: another program is working on the former file. Close it there first.")
    for journal in journals:
        journal.unlink(missing_ok=True)


def _refuse_place(path: Path, target: Path) -> None:
    folder = target.parent
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror}). Shorten or correct the path.") from error
    if not folder.is_dir():
        raise WriteError(f"{path}: there is no folder {folder}. Make it first, or choose another path.")
    if target.is_dir():
        raise WriteError(f"{path}: this is a folder. Name a file in it.")
    if target.exists() and not os.access(target, os.W_OK):
        raise WriteError(f"{path}: the former file is read-only. Allow writing to it, or choose another name.")


def _free_name(target: Path) -> Path:
    """A name beside a file that no other file has."""
    try:
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise WriteError(f"{target}: the folder cannot be written ({error.strerror}). Choose another one.") from error
    os.close(handle)
    Path(name).unlink()
    return Path(name)


def _second_name(path: Path) -> Path:
    """Another name for a file, which costs no space; a copy of it where a disk knows no such names."""
    other = _free_name(path)
    try:
        os.link(path, other)
    except OSError:
        shutil.copy2(path, other)
    return other


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + journal) for journal in _JOURNALS]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
