"""XML from elsewhere: a document type, and with it every entity, is refused before anything is expanded.

No file that is read here (KML, the parts of an Excel file) has a use for a document type. Without one there are no
entities but the five of XML itself: none that a billion laughs could be made of, and none that fetches another file.
OpenStreetMap files need no such care: osmium refuses entities itself.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from gridmap.errors import ReadError

if TYPE_CHECKING:
    from typing import Any

__all__ = ["refuse_document_type", "safe_parser"]

_CHUNK = 65536


class _RootReached(Exception):  # noqa: N818  # not an error, only the way out of the parser
    pass


def safe_parser(name: object) -> Any:
    """An expat parser that raises `ReadError` at a document type; `name` stands in the message.

    Examples
    --------
    >>> parser = safe_parser("a.kml")
    >>> parser.Parse('<!DOCTYPE kml [<!ENTITY a "ha">]><kml>&a;</kml>', True)
    Traceback (most recent call last):
    gridmap.errors.ReadError: a.kml: the XML declares a document type ('kml'), which may hold entities that swell or \
fetch other files, so it is not read. Export the file again; no program writes one into such files.
    """

    def refuse(kind: str, *_: object) -> None:
        raise ReadError(
            f"{name}: the XML declares a document type ({kind[:40]!r}), which may hold entities that swell or fetch "
            "other files, so it is not read. Export the file again; no program writes one into such files."
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser


def refuse_document_type(stream: IO[bytes], name: object) -> None:
    """Read an XML stream up to its first element; what is broken is left to whoever reads the whole.

    Raises
    ------
    ReadError
        When there is a document type.
    """
    parser = safe_parser(name)

    def stop(*_: object) -> None:
        raise _RootReached

    parser.StartElementHandler = stop
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
    except (_RootReached, expat.ExpatError, ValueError):
        # a document type stands before the first element, or nowhere
        return
