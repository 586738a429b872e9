"""Text whose encoding is not stated, or stated wrongly: UTF-8 where it is that, else GB 18030 (which holds GBK)."""

from __future__ import annotations

__all__ = ["decoded", "guessed_encoding"]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def guessed_encoding(data: bytes) -> str | None:
    """The encoding of a whole file: ``"utf-16"``, ``"utf-8"``, ``"gb18030"``, or None where it is none of them.

    Examples
    --------
    >>> guessed_encoding("柳岸".encode("gbk")), guessed_encoding("柳岸".encode())
    ('gb18030', 'utf-8')
    """
    if data[:2] in _UTF16:
        return "utf-16"
    for name in ("utf-8", "gb18030"):
        if _decodes(data, name):
            return name
    return None


def decoded(data: bytes) -> tuple[str, str] | None:
    """The text of a file and its encoding, without a byte order mark; None where it cannot be read."""
    name = guessed_encoding(data)
    if name is None:
        return None
    try:
        return data.decode(name).removeprefix("\ufeff"), name
    except UnicodeDecodeError:
        return None


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True
