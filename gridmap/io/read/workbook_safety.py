"""Excel files before they are read: limits on what they unpack to, no document types, no cells at the end of the world.

An Excel file is a zip of XML. One cell in the last row and column of a sheet makes it 17 billion cells large when it is
read as a table: that is refused with where it reaches, since an empty cell that was once formatted does it too.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from gridmap.errors import GridmapError, ReadError
from gridmap.io.read.archives import check_zip
from gridmap.io.read.xml_safety import refuse_document_type

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_workbook"]

#: The most cells, filled or not, that a sheet may span: 1 million rows of 50 columns.
MOST_CELLS = 50_000_000
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_CHUNK = 2**20
_OVERLAP = 64
_CELL = re.compile(rb'<(?:\w+:)?c [^>]{0,40}?r="([A-Z]{1,3})\d')
_ROW = re.compile(rb'<(?:\w+:)?row [^>]{0,40}?r="(\d{1,9})"')


def check_workbook(path: Path) -> None:
    """Refuse an Excel file that is none, or that was made to exhaust memory.

    Raises
    ------
    ReadError
        With the reason and the remedy.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head == _OLD_EXCEL:
        raise ReadError(
            f"{path}: this is an old Excel file under a new name, or one with a password. Open it in Excel and save it "
            "as .xlsx without a password, or as CSV."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            for member, name in check_zip(archive, path).items():
                if not name.lower().endswith((".xml", ".rels", ".vml")):
                    continue
                with archive.open(member) as stream:
                    refuse_document_type(stream, f"{path} ({name})")
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    with archive.open(member) as stream:
                        _check_extent(stream, path, name)
    except GridmapError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise ReadError(f"{path}: not an Excel file that can be read ({error}). Save it again as .xlsx.") from error


def _check_extent(stream: IO[bytes], path: Path, name: str) -> None:
    """How far the cells of a sheet reach, found without parsing it."""
    columns: set[bytes] = set()
    rows, tail = 0, b""
    while chunk := stream.read(_CHUNK):
        text = tail + chunk
        columns.update(_CELL.findall(text))
        rows = max(rows, max(map(int, _ROW.findall(text)), default=0))
        tail = text[-_OVERLAP:]
    last = max(columns, key=lambda c: (len(c), c), default=b"A").decode()
    width = 0
    for letter in last:
        width = 26 * width + ord(letter) - ord("A") + 1
    if rows * width > MOST_CELLS:
        sheet = name.rpartition("/")[2]
        raise ReadError(
            f"{path}: {sheet} reaches to {last}{rows}, {rows * width:,} cells. Press Ctrl+End in Excel, delete the "
            "empty rows and columns beyond the table, and save it; or save the sheet as CSV."
        )
