"""Archives, unpacked safely: nothing outside the folder meant for it, and no more than stated limits.

A zip may be made so that a few kilobytes unpack to fill a disk, or that a member lands in another folder. Here a zip is
looked through before a byte is unpacked: paths that lead out of the folder, links, encrypted members, more than 10,000
members, more than 4 GiB in all, and more than 200 times the size of the zip (where that is above 64 MiB) are refused.
Real data compresses 5 to 30 times. ``GRIDMAP_MAX_UNPACKED``, in GiB, raises the limit on the size and lifts that on
the ratio.
"""

from __future__ import annotations

import bz2
import gzip
import math
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gridmap.errors import GridmapError, OptionError, ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIMIT_VARIABLE", "check_compressed", "check_zip", "unpacked"]

#: Environment variable with the largest size that may come out of one archive, in GiB.
LIMIT_VARIABLE = "GRIDMAP_MAX_UNPACKED"
_GIB = 2**30
_LIMIT = 4 * _GIB
_MEMBERS = 10_000
_RATIO, _RATIO_FROM = 200, 64 * 2**20
_CHUNK = 2**20
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with what is in a zip, there as long as the ``with`` lasts.

    Raises
    ------
    ReadError
        When the file is no zip, or breaks one of the limits above; nothing is unpacked then.
    """
    with tempfile.TemporaryDirectory(prefix="gridmap-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                for member, inside in check_zip(archive, path).items():
                    target = folder.joinpath(*PurePosixPath(inside).parts)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    # zipfile gives no more bytes than the member declares, which were counted
                    with archive.open(member) as source, target.open("xb") as copy:
                        shutil.copyfileobj(source, copy, _CHUNK)
        except GridmapError:
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
            raise _bad_zip(path, error) from error
        except (OSError, ValueError) as error:
            raise ReadError(
                f"{path}: could not be unpacked into {folder.parent} ({error}). Unpack it by hand, and read "
                "what is in it."
            ) from error
        yield folder


def check_zip(archive: zipfile.ZipFile, path: Path) -> dict[zipfile.ZipInfo, str]:
    """The files of a zip under the names they unpack to, after looking for traps; folders are no files.

    Raises
    ------
    ReadError
        When a member leads out of the folder, is a link or encrypted, or when a limit is broken.
    """
    members = [m for m in archive.infolist() if not m.is_dir()]
    names = {m: _name(m) for m in members}
    for member, name in names.items():
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or ":" in name or "\0" in name:
            raise ReadError(f"{path}: {name[:80]!r} would be unpacked outside its folder. Do not trust this file.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ReadError(f"{path}: {name[:80]!r} is a link to another file. Zip the file itself.")
        if member.flag_bits & 1:
            raise ReadError(f"{path}: {name[:80]!r} is encrypted. Unpack it with its password, and read what is in it.")
    if len(members) > _MEMBERS:
        raise ReadError(f"{path}: holds {len(members):,} files, more than {_MEMBERS:,}. Unpack what is needed by hand.")
    if len({n.casefold() for n in names.values()}) < len(names):
        raise ReadError(f"{path}: two files in it have the same name. Zip them again.")
    _check_size(path, sum(m.file_size for m in members))
    return names


def check_compressed(path: Path) -> None:
    """Count what a .gz or .bz2 file unpacks to, without keeping it; any other file passes.

    Raises
    ------
    ReadError
        When it is broken, or unpacks to more than the limits.
    """
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        return
    total = 0
    try:
        with opener(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                total += len(chunk)
                _check_size(path, total)
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(f"{path}: not a whole {path.suffix} file ({error}). Download it again.") from error


def _check_size(path: Path, size: int) -> None:
    said = os.environ.get(LIMIT_VARIABLE)
    limit = _said_limit(said) if said else _LIMIT
    if not said:
        limit = min(limit, max(_RATIO_FROM, _RATIO * path.stat().st_size))
    if size > limit:
        raise ReadError(
            f"{path}: unpacks to more than {limit / _GIB:.3g} GiB. If the file is to be trusted, unpack it by hand, "
            f"or set {LIMIT_VARIABLE} to the GiB that may come out."
        )


def _said_limit(text: str) -> float:
    try:
        limit = float(text) * _GIB
    except ValueError:
        limit = math.nan
    if not (limit > 0):
        raise OptionError(f"{LIMIT_VARIABLE}={text!r} is not a number of GiB; set it to a number such as 16")
    return limit


def _name(member: zipfile.ZipInfo) -> str:
    """The name of a member: zips made on a Chinese Windows name their files in GBK, and do not say so."""
    name = member.filename
    if not member.flag_bits & 0x800 and not name.isascii():
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/")


def _bad_zip(path: Path, error: Exception) -> ReadError:
    return ReadError(f"{path}: not a whole zip file ({error}). Zip or download it again.")
