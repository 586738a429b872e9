"""A PostgreSQL with PostGIS of the tests' own: a temporary data folder, a free local port, gone at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEDY = "install the packages postgresql and postgis (on Debian postgresql-15-postgis-3, or the version it has)"
#: Letters that must be escaped in an address, so that every test meets them.
PASSWORD = "p@ss/w:rd %25#?"  # noqa: S105 - of a server that lives as long as the tests
# Debian keeps the server's programs off the path
_FOLDERS = "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"


@dataclass(frozen=True)
class Server:
    """Where the server listens, and the folder of its programs."""

    port: int
    programs: Path

    def address(self, database: str = "town", *, user: str = "planner", password: str | None = PASSWORD) -> str:
        from urllib.parse import quote

        secret = "" if password is None else ":" + quote(password, safe="")
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "town") -> list[Any]:
        """Run statements as the owner of the server; the rows of the last one."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.address(database), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def programs() -> Path | None:
    """The folder of initdb and pg_ctl where PostGIS is installed beside them; None where it is not."""
    found = [Path(p).resolve().parent for p in [shutil.which("pg_ctl")] if p]
    for pattern in _FOLDERS:
        found += sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    for folder in found:
        config = folder / "pg_config"
        if (folder / "initdb").exists() and config.exists():
            shared = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=True).stdout.strip()
            if Path(shared, "extension", "postgis.control").exists():
                return folder
    return None


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with a database ``town`` that has PostGIS, and a user ``planner``; stopped and removed at the end."""
    # PostgreSQL refuses to run as root, and pytest's own folders are closed to other users
    someone = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    home = Path(tempfile.mkdtemp(prefix="gridmap-postgis-"))
    try:
        secret = home / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if someone:
            for path in (home, secret):
                shutil.chown(path, someone["user"], someone["group"])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def call(program: str, *words: object) -> None:
            # output to a file: the server keeps it open
            with (home / "log").open("ab") as log:
                subprocess.run(
                    [folder / program, *map(str, words)], cwd=home, stdout=log, stderr=log, check=True, **someone
                )

        data = home / "data"
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off -c jit=off"
        call("initdb", "-D", data, "-U", "planner", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8",
             "--locale=C", "--no-sync")  # fmt: skip
        call("pg_ctl", "-D", data, "-w", "-o", options, "start")
        try:
            server = Server(port, folder)
            server.run("CREATE DATABASE town", database="postgres")
            # not in `public`, so that nothing is taken for granted about where it is
            server.run(
                "CREATE SCHEMA postgis",
                "CREATE EXTENSION postgis SCHEMA postgis",
                "ALTER DATABASE town SET search_path = public, postgis",
            )
            yield server
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
