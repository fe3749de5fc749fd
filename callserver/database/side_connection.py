"""A side connection for long work beside the server: it takes none of the store's few connections."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from callserver.database.engines import WAL_RESET_FIXED, kind_of, make_engine

LEAST_PAUSE_S = 0.05
"""Longer than a server waits before it tries SQLite's lock again."""


def two_writers_may_fail(url: str) -> bool:
    """Whether a second writing connection may, rarely, corrupt the file (docs/running.md)."""
    return kind_of(url) == "sqlite" and sqlite3.sqlite_version_info < WAL_RESET_FIXED


@contextmanager
def side_engine(url: str, secret: bytes) -> Iterator[Engine]:
    """An engine for work that writes in its own thread and transactions. `secret`: as in make_engine."""
    engine = make_engine(url, secret=secret)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def side_connection(
    url: str, *, snapshot: bool = False, secret: bytes = b""
) -> Iterator[Connection]:
    """A connection that reads. On PostgreSQL each statement is its own transaction.

    `snapshot`: one transaction there too, so that everything is read as it is at one instant.

    Use it in one thread only. It may write temporary tables on either database.
    """
    with side_engine(url, secret) as engine, engine.connect() as connection:
        if snapshot:
            yield connection.execution_options(reads_only=True)
        else:
            yield for_reading(connection)


def for_reading(connection: Connection) -> Connection:
    """The connection as `side_connection` gives it."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        return connection.execution_options(reads_only=True)
    return connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def one_part(engine: Engine) -> Iterator[Connection]:
    """One transaction of work that has many, then a pause."""
    with pause_after(), engine.begin() as tx:
        yield tx


@contextmanager
def pause_after() -> Iterator[None]:
    """One part of work, then a pause for as long as it took.

    Without the pause the next part takes SQLite's lock before a server that waits for it looks again.
    """
    began = time.monotonic()
    yield
    time.sleep(max(time.monotonic() - began, LEAST_PAUSE_S))


def for_writing(connection: Connection) -> Connection:
    """The same connection, with its temporary tables, for one writing transaction."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        return connection.execution_options(reads_only=False)
    return connection.execution_options(isolation_level="READ COMMITTED")
