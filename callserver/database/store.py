"""Running transactions: plain functions of a Tx, on SQLite or PostgreSQL.

SQLite: one connection writes and checkpoints; functions that wait at the same time share a commit, each
in its own savepoint. With virtual time they run in the caller's thread.
PostgreSQL: a small pool of threads with synchronous connections.
Returning commits, raising rolls back; nothing is acknowledged before it is durable. What a function
adds to the outbox is sent after its commit.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine

from callserver import outbox
from callserver.database.engines import (
    BUSY_MS,
    make_engine,
    reading,
    sqlite_engine,
)
from callserver.database.inline_store import InlineStore
from callserver.database.postgres import PostgresStore
from callserver.database.sqlite_connection import (
    Opened,
    checkpoint,
    data_version,
    is_locked,
    wait_at_most,
)
from callserver.database.unavailable import named
from callserver.database.workers import Workers
from callserver.outbox import FollowUp, Send, send_nothing
from callserver.ports import Tx

T = TypeVar("T")

MOST_SHARING = 64
"""How many functions may share one commit; it limits how long the first of them waits."""

SPACING_S = 0.005
"""The least time from a commit of a busy server to its next transaction, in which more functions come to share it, as
with PostgreSQL's commit_delay: a commit costs a write and a flush of the disk, however many share it."""

BUSY_FROM = 4
"""A server is busy if so many functions share a commit or come while it lasts. Otherwise nobody waits."""

LOCKED_S = 0.02
"""How soon a lock that another program holds is tried again."""


class SqliteStore:
    """One connection; waiting functions share a commit, each in its own savepoint.

    The functions run in the event loop's thread: a second Python thread would compete with it for the
    interpreter at every statement. What may wait, for the disk or for another process, runs in a
    second thread: a commit with changes, and a begin while another process holds the lock.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.send: Send = send_nothing
        self._waiting: deque[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = deque()
        self._thread = Workers(1, "sqlite")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="sqlite-reader")
        self._reading = sqlite_engine(str(engine.url))
        self._peeking: Opened | None = None
        self._writing: Opened | None = None
        self._changes = 0  # that the connection had made when its transaction began
        self._at_work: asyncio.Task[None] | None = None
        self._in_use = False  # the connection that writes: by a transaction, or by the thread
        self._next_at = 0.0  # when the next transaction may begin, by time.monotonic()
        self._checkpoint_wanted = False
        self._version = 0  # of the file, as others have written it
        self._closing = False

    async def run(self, work: Callable[[Tx], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((work, future))
        if self._at_work is None:
            self._at_work = loop.create_task(self._work())
        return await future

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def peek(self, work: Callable[[Tx], T]) -> T:
        """In the event loop's thread: changing threads would take several times as long."""
        if self._writing is None or self._peeking is None or self._closing:
            return await self.read(work)
        is_busy = self._in_use or self._writing.raw.in_transaction
        opened = self._peeking if is_busy else self._writing  # which has the newest pages in memory
        try:
            opened.raw.execute("BEGIN")
            try:
                return work(opened.tx)
            finally:
                opened.undo()
        except Exception as error:
            if not (isinstance(error, sqlite3.OperationalError) and is_locked(error)):
                raise named(error) from error
        return await self.read(work)

    async def checkpoint(self) -> None:
        """After a commit, on the connection that writes: no other may (see `_commit`)."""
        self._checkpoint_wanted = True
        await self.run(lambda _: None)

    def written_elsewhere(self) -> bool:
        """Whether another process has committed since the last question; False while this one writes."""
        if self._writing is None or self._in_use or self._closing:
            return False
        before, self._version = self._version, data_version(self._writing.raw)
        return before != self._version

    def _read(self, work: Callable[[Tx], T]) -> T:
        try:
            with reading(self._reading) as connection, connection.begin():
                return work(connection)
        except Exception as error:
            raise named(error) from error

    def close(self) -> None:
        """Close after the commit that is under way; waiting functions get an error.

        A lock that another program holds is not waited for any longer.
        """
        self._closing = True
        self._readers.shutdown()
        if self._peeking is not None:
            self._peeking.tx.close()
        self._reading.dispose()
        self._thread.stop()
        if self._writing is not None:
            self._writing.tx.close()
        self.engine.dispose()

    async def _work(self) -> None:
        """Run batches until no function waits. In the end every waiting caller has an answer."""
        begun: Opened | None = None
        done: _Done = []
        try:
            while begun is not None or self._waiting:
                try:
                    begun, done = await self._next(begun, done), []
                    if begun is not None and not self._apply(begun, done):
                        begun, self._in_use = None, False
                except Exception as error:  # noqa: BLE001 - locked by another process, or closed
                    begun, self._in_use = None, False
                    self._answer_all(done, error)
                    while self._waiting:
                        _answer(self._waiting.popleft()[1], None, error)
        finally:
            self._at_work = None
            for future in (*(told[0] for told in done), *(future for _, future in self._waiting)):
                future.cancel()  # the loop ends
            self._waiting.clear()

    async def _next(self, begun: "Opened | None", done: "_Done") -> "Opened | None":
        """Commit the transaction, and begin the next one if a function waits."""
        if begun is not None:
            if self._checkpoint_wanted or begun.raw.total_changes != self._changes:
                error = await self._thread.run(partial(self._commit, begun))
                if len(done) + len(self._waiting) >= BUSY_FROM:
                    self._next_at = time.monotonic() + SPACING_S
            else:
                error = self._commit(begun)
            self._in_use = False
            self._answer_all(done, error)
            await asyncio.sleep(0)  # they go on, and what they ask now joins the next commit
        if not self._waiting:
            return None
        if (early := self._next_at - time.monotonic()) > 0:
            await asyncio.sleep(early)
        self._in_use = True
        if self._begun_at_once():
            return self._writing
        return await self._thread.run(self._wait_and_begin)

    def _commit(self, begun: "Opened") -> Exception | None:
        """Commit, and checkpoint where that is wanted. Returns the error, which all callers get."""
        try:
            if not begun.raw.in_transaction:  # commit() would do nothing then
                raise sqlite3.OperationalError("the transaction has ended already")
            begun.raw.commit()
            if self._checkpoint_wanted:
                self._checkpoint_wanted = False
                checkpoint(begun.raw)
        except Exception as error:  # noqa: BLE001 - all callers of this commit get it
            begun.undo()
            return error
        return None

    def _begun_at_once(self) -> bool:
        """Begin a transaction in the event loop's thread, unless there is something to wait for."""
        if self._writing is None or self._closing or self._writing.raw.in_transaction:
            return False
        try:
            self._begin(self._writing)
        except sqlite3.OperationalError:
            return False  # the thread waits, or meets the same error
        return True

    def _begin(self, opened: "Opened") -> None:
        opened.raw.execute("BEGIN IMMEDIATE")
        self._changes = opened.raw.total_changes

    def _wait_and_begin(self) -> "Opened":
        """In the thread: begin a transaction, waiting up to BUSY_MS for another program's lock.

        SQLite's own wait cannot be interrupted by a server that stops.
        """
        if self._writing is None:
            self._writing = Opened(self.engine.connect())
            self._version = data_version(self._writing.raw)
            self._peeking = Opened(reading(self._reading))
            for opened in (self._writing, self._peeking):
                wait_at_most(opened.raw, 0)
        self._writing.undo()  # what a loop that ended, or a failed rollback, left open
        end = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                self._begin(self._writing)
            except sqlite3.OperationalError as error:
                if not is_locked(error) or self._closing or time.monotonic() >= end:
                    raise
                time.sleep(LOCKED_S)
            else:
                return self._writing

    def _apply(self, begun: "Opened", done: "_Done") -> bool:
        """Run the waiting functions. A failure is answered at once; the others are added to `done`,
        because nothing is durable yet. A function that shares the commit with nobody needs no savepoint.

        False: nothing is left to commit: the only function failed, or the disk is full and SQLite rolled back.
        """
        raw, shares = begun.raw, len(self._waiting) > 1
        for _ in range(min(len(self._waiting), MOST_SHARING)):
            work, future = self._waiting.popleft()
            if future.done():  # the caller was cancelled
                continue
            result, failed = None, None
            follow_ups: list[FollowUp] = []
            try:
                if shares:
                    raw.execute("SAVEPOINT work")
                try:
                    with outbox.collecting(begun.tx) as follow_ups:
                        result = work(begun.tx)
                except Exception as error:  # noqa: BLE001 - the caller gets it
                    failed = error
                    raw.execute("ROLLBACK TO work" if shares else "ROLLBACK")
                if shares:
                    raw.execute("RELEASE work")
            except sqlite3.Error as error:
                self._answer_all([*done, (future, None, [])], failed or error)
                done.clear()
                begun.undo()
                return False
            if failed is None:
                done.append((future, result, follow_ups))
            else:
                _answer(future, None, failed)
        return bool(raw.in_transaction)

    def _answer_all(self, done: "_Done", error: Exception | None) -> None:
        """The commit succeeded or failed. Follow-ups are sent even if the caller was cancelled."""
        for future, result, follow_ups in done:
            _answer(future, result, error)
            if error is None:
                self.send(follow_ups)


_Done = list[tuple[asyncio.Future[Any], Any, list[FollowUp]]]
"""For each caller of a commit: the future, its result, and the follow-ups to send."""


def _answer(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():  # the caller was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(named(error))


AnyStore = InlineStore | SqliteStore | PostgresStore


def open_store(
    url: str, *, pooler: str = "", inline: bool = False, durable: bool = True, secret: bytes = b""
) -> AnyStore:
    """The store for a URL, or for its pooler's. `inline` (SQLite only) runs in the caller's thread."""
    engine = make_engine(url, pooler=pooler, durable=durable, server=True, secret=secret)
    if engine.dialect.name != "sqlite":
        return PostgresStore(engine, url)
    return InlineStore(engine) if inline else SqliteStore(engine)
