"""Engines: how a process connects to SQLite or PostgreSQL."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from callserver.errors import ConfigurationProblem

__all__ = ["Engine"]  # and what is defined here

WAL_RESET_FIXED = (3, 51, 3)
"""SQLite before this version may corrupt a WAL that two connections write and checkpoint at the same time."""

SERVER_KEY = "server_key"
"""The execution option that carries the server's key (database/pseudonymous_keys.py)."""

BEGUN_BY_STORE = "begun_by_store"
"""The execution option of a connection whose transactions the store begins itself."""

STATEMENTS = 512
"""How many compiled statements SQLite keeps: more than the frequent ones. The driver's own limit is 128."""

CHECKPOINT_PAGES = 4000
"""A server copies its write-ahead log into the file after so many pages, 16 MB. A busy hour writes the same pages
again and again: SQLite's own 1,000 copy them several times a second. More than 4,062 need a second index."""

BUSY_MS = 30_000
"""How long a statement waits for another process."""

_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database; None: it has no file, or the address cannot be read."""
    if kind_of(url) != "sqlite":
        return None
    file = make_url(url).database
    return None if file in (None, "", ":memory:") else Path(file)


def _create_private(url: str) -> None:
    """Create the file, readable by its owner only. A file that exists is never opened here: closing it would
    drop this process's locks on it, and then another process that closes its last connection removes the
    write-ahead log of a running server (https://www.sqlite.org/howtocorrupt.html, 2.2)."""
    if (path := sqlite_path(url)) is not None:
        with contextlib.suppress(OSError):  # SQLite reports what is wrong with the path
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def sqlite_engine(url: str, *, durable: bool = True, server: bool = False) -> Engine:
    """An engine on a SQLite file. Only the server checkpoints; commands beside it do not.

    Only its owner can read a new file, and the files that SQLite puts beside it.
    """
    _create_private(url)
    # A server keeps one connection (StaticPool); a command beside it takes the file's own pool.
    engine = (
        create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "cached_statements": STATEMENTS},
            hide_parameters=True,
        )
        if server
        else create_engine(url, hide_parameters=True)
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transaction by itself
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        cursor.execute("PRAGMA secure_delete = ON")  # what is deleted leaves no bytes behind
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if server else 0}")
        if server:  # savepoints keep the pages they change: in a file that costs more than a commit
            cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begins(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(BEGUN_BY_STORE):
            return
        raw: Any = connection.connection.dbapi_connection
        mode = "DEFERRED" if options.get("reads_only") else "IMMEDIATE"
        raw.execute(f"BEGIN {mode}")  # on the driver directly: this runs in every transaction

    return engine


def make_engine(
    url: str,
    *,
    pooler: str = "",
    durable: bool = True,
    server: bool = False,
    secret: bytes = b"",
) -> Engine:
    """An engine for either database. `secret`: the server's key, for pseudonymous keys in the log.

    `pooler`: the URL of a pooler before this PostgreSQL, through which the engine connects.

    Raises:
        ConfigurationProblem: a URL cannot be read, or names another kind of database.
    """
    check_urls(url, pooler)
    if kind_of(url) == "sqlite":
        engine = sqlite_engine(url, durable=durable, server=server)
    else:
        # Here, because the driver takes a tenth of a command's start.
        from callserver.database.postgres import postgres_engine

        engine = postgres_engine(pooler or url, server=server, pooled=bool(pooler))
    engine.update_execution_options(**{SERVER_KEY: secret})
    return engine


def check_urls(url: str, pooler: str) -> None:
    """Whether they name databases that we use. They are not repeated: they may hold a password.

    Raises:
        ConfigurationProblem: a URL cannot be read, or names another kind of database.
    """
    kind = kind_of(url)
    if not kind:
        right = "sqlite:///var/callserver.db or postgresql+psycopg://user:word@host/name"
        raise ConfigurationProblem(f"CALLSERVER_DATABASE: should be like {right}")
    if pooler and {kind, kind_of(pooler)} != {"postgresql"}:
        right = "postgresql+psycopg://user:word@host:6432/name, before a PostgreSQL"
        raise ConfigurationProblem(f"CALLSERVER_POOLER: should be like {right}")


def kind_of(url: str) -> str:
    """`sqlite` or `postgresql`; empty if the URL cannot be read, or needs another database or driver."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        return ""
    return parsed.get_backend_name() if parsed.drivername in _DRIVERS else ""


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads everything as it is at one instant, on either database."""
    options: dict[str, Any] = (
        {"reads_only": True}
        if engine.dialect.name == "sqlite"
        else {"isolation_level": "REPEATABLE READ"}
    )
    with engine.connect() as connection, connection.execution_options(**options).begin():
        yield connection


def reading(engine: Engine) -> Connection:
    """A connection that only reads: no writer waits for it."""
    return engine.connect().execution_options(reads_only=True)
