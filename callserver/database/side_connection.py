"""A connection of its own, for long work beside the server: it takes none from the store's few."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, make_url

from callserver.database.store import WAL_RESET_MENDED, make_engine


def two_writers_may_fail(url: str) -> bool:
    """Whether a second connection that writes may, rarely, harm the file (docs/running.md)."""
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    return is_sqlite and sqlite3.sqlite_version_info < WAL_RESET_MENDED


@contextmanager
def engine_aside(url: str) -> Iterator[Engine]:
    """An engine of its own: for what writes in transactions of its own, in a thread of its own."""
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def aside(url: str, *, at_once: bool = False) -> Iterator[Connection]:
    """A connection that reads, statement by statement on PostgreSQL: no long transaction there.

    `at_once`: everything as it is at one instant, and streamed; there as well.

    Use it in one thread only. Temporary tables may be written through it on either database.
    """
    with engine_aside(url) as engine, engine.connect() as connection:
        if at_once or engine.dialect.name == "sqlite":
            yield connection.execution_options(reads_only=True)
        else:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")


def for_writing(connection: Connection) -> Connection:
    """The same connection with its temporary tables, for one transaction that writes."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        return connection.execution_options(reads_only=False)
    return connection.execution_options(isolation_level="READ COMMITTED")
