"""Several files of one run: all of them or none."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gridmap.errors import WriteError
from gridmap.io.write.whole import TEMPORARY, sweep, take_places

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["all_or_nothing"]


@contextmanager
def all_or_nothing(out: Path) -> Iterator[Path]:
    """A temporary folder in `out`; what was written to it is moved to `out` at the end, if all went well.

    A run that is killed while it moves them leaves some former files and some new ones, each of them whole.

    Raises
    ------
    WriteError
        When the folder cannot be written, or one of the files cannot take its place; nothing is then changed there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        sweep(out)
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=out))
    except OSError as error:
        raise WriteError(f"cannot write to {out}: {error.strerror}; choose another folder with --out") from error
    try:
        yield folder
        made = sorted(path for path in folder.iterdir() if path.is_file())
        take_places(made, [out / path.name for path in made])
    except WriteError as error:
        raise WriteError(str(error).replace(str(folder), str(out))) from error
    except OSError as error:
        raise WriteError(f"cannot write to {out}: {error}; nothing was changed there") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
