"""The connections of SQLite's stores, and what is done on the driver itself."""

import contextlib
import sqlite3
from typing import Any

from sqlalchemy import Connection

from callserver.database.engines import BEGUN_BY_STORE


class Opened:
    """A connection whose transactions the store begins and ends on the driver.

    SQLAlchemy's own transaction stays open and sends nothing: its layers cost as much as several statements.
    """

    __slots__ = ("raw", "tx")

    def __init__(self, connection: Connection) -> None:
        self.tx = connection.execution_options(**{BEGUN_BY_STORE: True})
        self.tx.begin()
        self.raw: Any = self.tx.connection.dbapi_connection

    def undo(self) -> None:
        """Roll back the transaction that is open, if any."""
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")


def checkpoint(raw: Any) -> None:
    """Empty the write-ahead log, unless a reader still needs it. Nothing that is committed depends on it."""
    (usual_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
    with contextlib.suppress(sqlite3.Error):
        wait_at_most(raw, 200)  # a writer must not wait long for a reader
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    wait_at_most(raw, usual_ms)


def wait_at_most(raw: Any, milliseconds: int) -> None:
    """How long one statement waits for a lock that another program holds."""
    raw.execute(f"PRAGMA busy_timeout = {milliseconds}")


def is_locked(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # or one of its kinds


def data_version(raw: Any) -> int:
    """Differs from its last value on this connection if another connection has committed since."""
    (version,) = raw.execute("PRAGMA data_version").fetchone()
    return int(version)
