"""Running transactions: plain functions of a Tx, on SQLite or PostgreSQL.

SQLite: one connection that writes and checkpoints, in one thread; functions that wait together share
a commit, each in a savepoint of its own. Under virtual time the same runs in line.
PostgreSQL: a small pool of threads with synchronous connections.
Returning commits, raising rolls back; nothing is acknowledged before it is durable.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from callserver.ports import Tx

T = TypeVar("T")
log = structlog.get_logger(__name__)

WAL_RESET_MENDED = (3, 51, 3)
"""SQLite below this may corrupt a WAL that two connections write and checkpoint at one instant."""

MOST_SHARING = 64
"""Functions that may share one commit: bounds how long the first of them waits."""


def sqlite_engine(url: str, *, durable: bool = True, server: bool = False) -> Engine:
    """An engine on a SQLite file. Only the server checkpoints; commands beside it do not."""
    # A server keeps one connection (StaticPool); a command beside it takes the file's own pool.
    engine = (
        create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        if server
        else create_engine(url)
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
    """An engine for either database."""
    if make_url(url).get_backend_name() == "sqlite":
        return sqlite_engine(url, durable=durable, server=server)
    return create_engine(
        url,
        pool_size=8,
        connect_args={"options": "-c idle_in_transaction_session_timeout=10000"},
    )


def reading(engine: Engine) -> Connection:
    """A connection that only reads: however long it takes, no server waits for it."""
    return engine.connect().execution_options(reads_only=True)


class InlineStore:
    """SQLite in the caller's own thread: for virtual time, commands and tests."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ran = 0  # transactions so far: whether anything has happened

    async def run(self, work: Callable[[Tx], T]) -> T:
        self.ran += 1
        with self.engine.begin() as tx:
            return work(tx)

    def close(self) -> None:
        self.engine.dispose()


class SqliteStore:
    """One writer thread; waiting functions share a commit."""

    def __init__(self, engine: Engine) -> None:
        if sqlite3.sqlite_version_info < WAL_RESET_MENDED:
            log.warning(
                "sqlite_old",
                version=sqlite3.sqlite_version,
                advice="below 3.51.3: keep to one server process, which is how this store works",
            )
        self.engine = engine
        self._waiting: queue.SimpleQueue[tuple[Callable[[Tx], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._write, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Tx], T]) -> T:
        future: Future[T] = Future()
        self._waiting.put((work, future))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what waits, then close."""
        self._waiting.put(None)
        self._thread.join()
        self.engine.dispose()

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = self._gather(first)
            self._commit(batch)
            if last:
                return

    def _gather(
        self, first: tuple[Callable[[Tx], Any], Future[Any]]
    ) -> tuple[list[tuple[Callable[[Tx], Any], Future[Any]]], bool]:
        batch = [first]
        while len(batch) < MOST_SHARING:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return batch, False
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _commit(self, batch: list[tuple[Callable[[Tx], Any], Future[Any]]]) -> None:
        """Run each in a savepoint, commit once, and only then let anybody know."""
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self.engine.begin() as tx:
                raw: Any = tx.connection.dbapi_connection
                for work, future in batch:
                    raw.execute("SAVEPOINT one")
                    try:
                        done.append((future, work(tx)))
                        raw.execute("RELEASE one")
                    except Exception as error:  # noqa: BLE001 - it goes to whoever asked
                        raw.execute("ROLLBACK TO one")
                        raw.execute("RELEASE one")
                        future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the commit failed: nothing of this is durable
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)


class PostgresStore:
    """Threads with synchronous connections; a deadlock is tried again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="postgres")

    async def run(self, work: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    def _run(self, work: Callable[[Tx], T]) -> T:
        for _ in range(4):
            try:
                with self.engine.begin() as tx:
                    return work(tx)
            except (psycopg.Error, DBAPIError) as error:  # prepared statements raise the driver's
                if not _deadlock(error):
                    raise
        with self.engine.begin() as tx:
            return work(tx)

    def close(self) -> None:
        self._threads.shutdown()
        self.engine.dispose()


def _deadlock(error: Exception) -> bool:
    return getattr(getattr(error, "orig", error), "sqlstate", None) in {"40P01", "40001"}


AnyStore = InlineStore | SqliteStore | PostgresStore


def open_store(url: str, *, inline: bool = False, durable: bool = True) -> AnyStore:
    """The store for a URL. `inline` (SQLite only) runs in the caller's thread."""
    engine = make_engine(url, durable=durable, server=True)
    if engine.dialect.name != "sqlite":
        return PostgresStore(engine)
    return InlineStore(engine) if inline else SqliteStore(engine)
