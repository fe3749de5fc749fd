"""Running transactions: plain functions of a Tx, on SQLite or PostgreSQL.

SQLite: one connection that writes and checkpoints; functions that wait together share a commit, each
in a savepoint of its own. Under virtual time the same runs in line.
PostgreSQL: a small pool of threads with synchronous connections.
Returning commits, raising rolls back; nothing is acknowledged before it is durable. What a function
added to the outbox is sent after its commit.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import StaticPool

from callserver import outbox
from callserver.database.postgres import PostgresStore, postgres_engine
from callserver.errors import ConfigurationProblem
from callserver.outbox import FollowUp, Send, send_nothing
from callserver.ports import Tx

__all__ = ["Engine"]  # and what is defined here
T = TypeVar("T")
log = structlog.get_logger(__name__)

UNAVAILABLE = (
    *(OperationalError, InterfaceError, NoConnection, TimeoutError),
    *(sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError),
)
"""What a store raises that cannot be reached, is locked, is full, or does not answer in time."""

WAL_RESET_MENDED = (3, 51, 3)
"""SQLite below this may corrupt a WAL that two connections write and checkpoint at one instant."""

MOST_SHARING = 64
"""Functions that may share one commit: bounds how long the first of them waits."""


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database; None: it has no file, or the address cannot be read."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _create_private(url: str) -> None:
    if (path := sqlite_path(url)) is not None:
        with contextlib.suppress(OSError):  # SQLite itself says what is wrong with the path
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def sqlite_engine(url: str, *, durable: bool = True, server: bool = False) -> Engine:
    """An engine on a SQLite file. Only the server checkpoints; commands beside it do not.

    A new file is its own account's only, and so are those that SQLite puts beside it.
    """
    _create_private(url)
    # A server keeps one connection (StaticPool); a command beside it takes the file's own pool.
    engine = (
        create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        if server
        else create_engine(url, hide_parameters=True)
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {1000 if server else 0}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begins(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        mode = "DEFERRED" if connection.get_execution_options().get("reads_only") else "IMMEDIATE"
        raw.execute(f"BEGIN {mode}")  # past SQLAlchemy: this runs in every transaction

    return engine


def make_engine(url: str, *, durable: bool = True, server: bool = False) -> Engine:
    """An engine for either database.

    Raises:
        ConfigurationProblem: the URL cannot be read, or names another kind of database.
    """
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        kind = ""  # the URL itself is not repeated: it may hold a password
    if kind not in ("sqlite", "postgresql"):
        right = "sqlite:///var/callserver.db or postgresql+psycopg://user:word@host/name"
        raise ConfigurationProblem(f"CALLSERVER_DATABASE: should be like {right}")
    if kind == "sqlite":
        return sqlite_engine(url, durable=durable, server=server)
    return postgres_engine(url, server=server)


def reading(engine: Engine) -> Connection:
    """A connection that only reads: however long it takes, no server waits for it."""
    return engine.connect().execution_options(reads_only=True)


class InlineStore:
    """SQLite in the caller's own thread: for virtual time, commands and tests."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.send: Send = send_nothing
        self.ran = 0  # transactions so far: whether anything has happened
        self._tx: Connection | None = None

    async def run(self, work: Callable[[Tx], T]) -> T:
        self.ran += 1
        return await self.read(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        self._tx = self._tx or self.engine.connect()  # kept: connecting costs more than most work
        with outbox.collecting(self._tx) as follow_ups, self._tx.begin():
            result = work(self._tx)
        self.send(follow_ups)
        return result

    def close(self) -> None:
        if self._tx is not None:
            self._tx.close()
        self.engine.dispose()


class SqliteStore:
    """One connection; waiting functions share a commit, each in a savepoint of its own.

    The functions run in the event loop's own thread: a second thread of Python would fight it for
    the interpreter at every statement. What may wait for the disk or for another process, the
    beginning and the commit, is done in a thread beside it.
    """

    def __init__(self, engine: Engine) -> None:
        if sqlite3.sqlite_version_info < WAL_RESET_MENDED:
            log.warning(
                "sqlite_old",
                version=sqlite3.sqlite_version,
                advice="below 3.51.3: keep to one server process, which is how this store works",
            )
        self.engine = engine
        self.send: Send = send_nothing
        self._waiting: deque[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="sqlite-reader")
        self._reading = sqlite_engine(str(engine.url))
        self._tx: Connection | None = None
        self._at_work: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Tx], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((work, future))
        if self._at_work is None:
            self._at_work = loop.create_task(self._work(loop))
        return await future

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Callable[[Tx], T]) -> T:
        with reading(self._reading) as connection, connection.begin():
            return work(connection)

    def close(self) -> None:
        """Close, after the commit that is under way; functions that wait get an error."""
        self._readers.shutdown()
        self._reading.dispose()
        self._thread.shutdown()
        if self._tx is not None:
            self._tx.close()
        self.engine.dispose()

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Batch after batch, until nobody waits. Whatever happens, nobody is left waiting."""
        begun: Connection | None = None
        done: _Done = []
        try:
            while begun is not None or self._waiting:
                try:
                    turn = loop.run_in_executor(self._thread, self._turn, begun, done, loop)
                    begun, done = await turn, []
                    if begun is not None and not self._apply(begun, done):
                        begun = None
                except Exception as error:  # noqa: BLE001 - locked by another process, or closed
                    begun = None
                    self._tell_all(done, error)
                    while self._waiting:
                        _tell(self._waiting.popleft()[1], None, error)
        finally:
            self._at_work = None
            for future in (*(told[0] for told in done), *(future for _, future in self._waiting)):
                future.cancel()  # the loop ends
            self._waiting.clear()

    def _turn(
        self, begun: Connection | None, done: "_Done", loop: asyncio.AbstractEventLoop
    ) -> Connection | None:
        """In the thread: commit what was begun, and begin again if somebody waits.

        `done` is told between the two: the beginning may have to wait for another process.
        """
        if begun is not None:
            lost: Exception | None = None
            try:
                begun.commit()
            except Exception as error:  # noqa: BLE001 - it goes to all who hoped for this commit
                lost = error
            loop.call_soon_threadsafe(self._tell_all, done, lost)
            if lost is not None:
                _undo(begun)
        if not self._waiting:
            return None
        self._tx = self._tx or self.engine.connect()
        if self._tx.get_transaction() is not None:  # left by a loop that ended, or not to be undone
            _undo(self._tx)
        self._tx.begin()
        return self._tx

    def _apply(self, tx: Tx, done: "_Done") -> bool:
        """Run what waits. Who fails is told at once, `done` the others: not durable yet.

        False: the whole transaction is gone (SQLite gives it up when the disk is full).
        """
        raw: Any = tx.connection.dbapi_connection
        for _ in range(min(len(self._waiting), MOST_SHARING)):
            work, future = self._waiting.popleft()
            if future.done():  # nobody waits for it any more
                continue
            result, failed = None, None
            follow_ups: list[FollowUp] = []
            try:
                raw.execute("SAVEPOINT one")
                try:
                    with outbox.collecting(tx) as follow_ups:
                        result = work(tx)
                except Exception as error:  # noqa: BLE001 - it goes to the caller
                    failed = error
                    raw.execute("ROLLBACK TO one")
                raw.execute("RELEASE one")
            except sqlite3.Error as error:
                self._tell_all([*done, (future, None, [])], failed or error)
                done.clear()
                _undo(tx)
                return False
            if failed is None:
                done.append((future, result, follow_ups))
            else:
                _tell(future, None, failed)
        return True

    def _tell_all(self, done: "_Done", error: Exception | None) -> None:
        """The commit succeeded or failed. Follow-ups leave even if nobody waits for the result."""
        for future, result, follow_ups in done:
            _tell(future, result, error)
            if error is None:
                self.send(follow_ups)


_Done = list[tuple[asyncio.Future[Any], Any, list[FollowUp]]]
"""Who waits for a commit, the result they get then, and what is sent then."""


def _tell(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():  # nobody waits for it any more
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _undo(tx: Connection) -> None:
    """End a transaction that cannot be committed, whatever is left of it."""
    raw: Any = tx.connection.dbapi_connection
    tx.rollback()
    if raw.in_transaction:
        raw.execute("ROLLBACK")


AnyStore = InlineStore | SqliteStore | PostgresStore


def open_store(url: str, *, inline: bool = False, durable: bool = True) -> AnyStore:
    """The store for a URL. `inline` (SQLite only) runs in the caller's thread."""
    engine = make_engine(url, durable=durable, server=True)
    if engine.dialect.name != "sqlite":
        return PostgresStore(engine)
    return InlineStore(engine) if inline else SqliteStore(engine)
