"""A PostgreSQL database with PostGIS: its address, one transaction in it, and its errors in our words.

The driver is ADBC's (Apache licence, wheels for Linux, macOS and Windows). It speaks through libpq, so that
``~/.pgpass``, ``PGPASSWORD``, ``PGHOST`` and the like work as they do in psql, and hands rows over in bounded batches
of Arrow columns. GDAL's own PostgreSQL driver is not in pyogrio's wheels, psycopg is LGPL, and pg8000 takes rows one
by one.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from gridmap.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.errors import ReadError, WriteError

__all__ = ["Address", "dotted", "identifier", "is_database", "postgis_schema", "said", "transaction"]

# a Path makes one slash of the two
_SCHEME = re.compile(r"postgres(?:ql)?:(?://|/(?!/))")
# the password reaches to the last @ before the host, so that one with @ or / in it is neither cut nor shown
_PARTS = re.compile(r"(?:(?P<user>[^:/]*?)(?::(?P<password>.*))?@)?(?P<place>[^@?]*)(?:\?(?P<query>.*))?", re.DOTALL)
_CHOICE = re.compile(r"\|(layer|sql|schema)=")
_FORM = "postgresql://user@host:5432/database|layer=schema.table"
# PostgreSQL cuts longer names without an error
_LONGEST_NAME = 63
#: Seconds to wait for a server that does not answer, and for a table that another session holds.
_PATIENCE = 15


@dataclass(frozen=True)
class Address:
    """Where a table is: what the driver is given, and the same without the password, which is all that is ever shown.

    Attributes
    ----------
    uri
        For the driver; holds the password where one was given.
    shown
        For messages and records.
    layer, sql, schema
        What stands behind ``|layer=``, ``|sql=`` or ``|schema=``.
    """

    uri: str = field(repr=False)
    shown: str
    layer: str | None = None
    sql: str | None = None
    schema: str | None = None

    @classmethod
    def parse(cls, text: object, *, layer: str | None = None) -> Address:
        """An address from ``postgresql://user:password@host:port/database|layer=schema.table``.

        Every part may be absent and is then taken as libpq takes it, from ``PG...`` variables and ``~/.pgpass``.

        Raises
        ------
        OptionError
            When it is no such address; the message does not repeat it, as it may hold a password.

        Examples
        --------
        >>> Address.parse("postgresql://ann:s3cret@db.example/city|layer=gis.houses").shown
        'postgresql://ann@db.example/city|layer=gis.houses'
        """
        place, chosen = _split_choice(str(text))
        if layer:
            chosen = {"layer": layer}
        parts = _PARTS.fullmatch(_SCHEME.sub("", place, count=1))
        if parts is None:
            raise OptionError(f"the address of the database cannot be understood; it must read like {_FORM}")
        query = dict(parse_qsl(parts["query"] or "", keep_blank_values=True))
        user = unquote(parts["user"] or query.pop("user", ""))
        password = query.pop("password", None) if parts["password"] is None else unquote(parts["password"])
        account = quote(user, safe="")
        secret = "" if password is None else ":" + quote(password, safe="")
        at = "@" if user or secret else ""
        # a server behind a firewall that swallows packets would be waited for without end
        query.setdefault("connect_timeout", str(_PATIENCE))
        uri = f"postgresql://{account}{secret}{at}{parts['place']}?{urlencode(query, quote_via=quote)}"
        shown = f"postgresql://{account}{'@' if account else ''}{parts['place']}"
        for key, value in chosen.items():
            shown += f"|{key}={value}"
        return cls(uri, shown, **chosen)

    def relation(self, default: str) -> tuple[str | None, str]:
        """Schema (None where not said) and name of the table meant; names with a dot stand in double quotes."""
        text = self.layer or default
        parts = [m[0] for m in re.finditer(r'"(?:[^"]|"")+"|[^."]+', text)]
        if not 1 <= len(parts) <= 2 or ".".join(parts) != text:
            raise OptionError(
                f"{self.shown}: {text!r} does not name a table. Write schema.table; put a name that holds a dot or a "
                'quotation mark in double quotes: "my.schema"."table".'
            )
        names = [p[1:-1].replace('""', '"') if p.startswith('"') else p for p in parts]
        return (names[0], names[1]) if len(names) == 2 else (None, names[0])


def is_database(source: object) -> bool:
    """Whether a source is the address of a database."""
    return _SCHEME.match(str(source)) is not None


def identifier(*names: str) -> str:
    """Names as PostgreSQL quotes them, whatever letters they hold.

    Raises
    ------
    OptionError
        When a name is empty, too long or holds a zero byte.

    Examples
    --------
    >>> identifier("gis", 'a"; DROP TABLE b')
    '"gis"."a""; DROP TABLE b"'
    """
    for name in names:
        if not 0 < len(name.encode()) <= _LONGEST_NAME or "\0" in name:
            raise OptionError(
                f"{name[:80]!r} cannot be a name in PostgreSQL, which takes 1 to {_LONGEST_NAME} bytes of UTF-8 (21 "
                "Chinese characters). Shorten it."
            )
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def dotted(*names: str) -> str:
    """Names as `Address` takes them, quoted only where they must be."""
    return ".".join(name if re.fullmatch(r'[^."]+', name) else identifier(name) for name in names)


@contextmanager
def transaction(address: Address, error: type[ReadError | WriteError]) -> Iterator[Any]:
    """A cursor in one transaction, kept when all went well and else undone as a whole.

    Raises
    ------
    ReadError, WriteError
        As `error` says: no driver, no server, wrong password, or what the server refuses.
    """
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
        from pyarrow import ArrowException
    except ImportError as absent:
        raise error(
            f"{address.shown}: PostGIS needs a driver. Install it with: pip install 'gridmap-planner[postgis]'."
        ) from absent
    try:
        connection = dbapi.connect(address.uri)
    except Error as refused:
        # not chained: what the driver says may repeat the address
        raise error(f"{address.shown}: {_why_not_connected(address, refused)}") from None
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
            yield cursor
            connection.commit()
        except (Error, ArrowException, OSError) as refused:
            # what goes wrong while rows come in, such as a cut connection, is told by Arrow
            raise error(f"{address.shown}: {said(refused)}. {_remedy(refused, error.__name__)}") from None
        finally:
            # closing alone would undo as well, but only when the server notices
            _undo(connection, Error)


def postgis_schema(cursor: Any) -> str | None:
    """The schema that PostGIS is installed in, quoted; None where the database has no PostGIS."""
    cursor.execute(
        "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'postgis'"
    )
    row = cursor.fetchone()
    return None if row is None else identifier(row[0])


def said(error: object) -> str:
    """What the server said, in one line, without the query."""
    text = str(error).partition("\n\nQuery was")[0]
    text = re.sub(
        r"^([A-Z_]+: )?(\[libpq\] )?(Failed to [a-z ]+: )?(\[libpq\] )?(Execution error \[\w+\]: )?(ERROR:\s+)?",
        "",
        text,
    )
    lines = [line.strip() for line in text.splitlines() if line.strip() and not re.fullmatch(r"\s*\^\s*", line)]
    kept = [line for line in lines if not re.match(r"LINE \d+:", line)]
    return re.sub(r"\.? SQLSTATE: \w+$", "", " ".join(kept)).rstrip(".")


def _split_choice(text: str) -> tuple[str, dict[str, str]]:
    match = _CHOICE.search(text)
    if match is None:
        return text, {}
    value = text[match.end() :].strip()
    return text[: match.start()], {match[1]: value} if value else {}


def _why_not_connected(address: Address, error: object) -> str:
    text = said(error)
    secret = re.match(r"postgresql://[^:@/?]*(:[^@/?]*)@", address.uri)
    if secret:
        text = text.replace(secret[1] + "@", "@")
    if "password" in text.lower() or "authentication" in text.lower():
        return (
            f"the server refuses this user or password ({text}). Correct them in the address, in PGPASSWORD or in "
            "~/.pgpass; letters such as @ : / # % in a password are written %40 %3A %2F %23 %25."
        )
    if "does not exist" in text:
        return f"the server knows no such database or role ({text}). Correct the name in the address."
    return f"the database cannot be reached ({text}). Check host and port, and that the server is running."


def _remedy(error: Any, kind: str) -> str:
    """What to do about an error, by the five letters in which PostgreSQL tells what it is."""
    state = str(getattr(error, "sqlstate", "") or "")
    both = {
        "42501": "Ask the owner of the database for the right to do so.",
        "55P03": "Another session holds the table. Close it there, or try again later.",
        "57014": "The server stopped the query. Ask for less at a time.",
    }
    if state in both:
        return both[state]
    if kind == "ReadError":
        return "What stands behind |sql= must be one SELECT, with names as the database spells them. Correct it."
    if state in ("2BP01", "0A000"):
        return "Nothing was changed. Remove what depends on the table first, or write to another name."
    return "Nothing was changed. Is the server's disk full, or the connection cut?"


def _undo(connection: Any, error: type[Exception]) -> None:
    try:
        connection.rollback()
    except error:
        # the connection is gone, and with it what was not kept
        return
