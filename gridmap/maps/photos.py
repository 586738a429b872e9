"""Photos: pictures of facilities from files beside the project, put into the page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_BYTES", "read_photos"]

#: A file larger than this stays out, and so does all beyond the sum: the page is to open on an old machine.
MOST_BYTES, MOST_TOGETHER = 300_000, 3_000_000
# The first bytes tell what a file is, whatever its name says.
_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


def read_photos(column: pd.Series) -> tuple[list[str], int]:
    """Photos as data addresses, or as the web address that the table gives; empty for none.

    Parameters
    ----------
    column
        Paths of image files, or addresses that begin with ``http``.

    Returns
    -------
    list of str and int
        One a row, and how many files were left out because they are absent, no picture or too large.
    """
    out, left_out, together = [], 0, 0
    for value, missing in zip(column.tolist(), column.isna(), strict=True):
        text = "" if missing else str(value).strip()
        if not text or text.startswith(("http://", "https://")):
            out.append(text)
            continue
        content = _read(text)
        kind = next((name for start, name in _KINDS if content.startswith(start)), None)
        together += len(content)
        if kind is None or together > MOST_TOGETHER:
            left_out += 1
            out.append("")
        else:
            out.append(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")
    return out, left_out


def _read(text: str) -> bytes:
    """The bytes of a file; none where it cannot be read or is too large."""
    try:
        path = Path(text)
        return path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except (OSError, ValueError):
        return b""
