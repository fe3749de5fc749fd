"""The store on PostgreSQL: threads with synchronous connections; every wait has a limit.

TCP notices a server that has gone away. One that stays silent (a proxy that stopped passing bytes
on, a frozen machine) is noticed by time only: a transaction that takes too long has its connection
cut, so that its thread is free again. The caller gets an error; whether the transaction was
committed is unknown then.
"""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from callserver import outbox
from callserver.database import races
from callserver.database.direct_connection import DirectConnection
from callserver.database.pooling import connecting, refuse_pooler
from callserver.database.timelines import refuse_former
from callserver.database.unavailable import named
from callserver.database.workers import Workers
from callserver.outbox import Send, send_nothing
from callserver.ports import Tx

T = TypeVar("T")

CONNECTIONS = 8
MOST_S = 12.0
"""A transaction that has not ended by then, including its wait for a thread, is cut off."""

CLOSE_S = 3.0
"""How long transactions may go on when the store closes."""

_PREPARED_AFTER = 2
_MOST_PREPARED = 400
"""How often a connection runs a statement before it prepares it, and how many stay prepared: more than the
frequent ones, which would otherwise displace each other."""

POOLED = "pooled"
"""The execution option of an engine whose connections lead through a pooler."""

WAITS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_IDLE = "idle_in_transaction_session_timeout=10000"
_OF_A_SERVER = ("statement_timeout=10000", "lock_timeout=5000")
"""Not for commands and long work beside the server: a million rows take longer."""


def postgres_engine(url: str, *, server: bool = False, pooled: bool = False) -> Engine:
    """An engine whose connections have timeouts. `pooled`: through a pooler, for a server's short transactions."""
    options = (_IDLE, *_OF_A_SERVER) if server else (_IDLE,)
    if pooled:
        return _pooled_engine(url, options)
    engine = _engine(url, {"options": " ".join(f"-c {option}" for option in options)})
    kind = DirectConnection if server else psycopg.Connection
    event.listen(engine, "do_connect", connecting(kind))
    event.listen(engine, "first_connect", refuse_pooler)
    event.listen(engine, "connect", refuse_former)

    @event.listens_for(engine, "connect")
    def _connected(connection: psycopg.Connection, _: Any) -> None:
        connection.prepare_threshold = _PREPARED_AFTER
        connection.prepared_max = _MOST_PREPARED

    return engine


def _pooled_engine(url: str, options: Iterable[str]) -> Engine:
    """Nothing outlives its transaction there: no prepared statement, and each transaction sets its timeouts."""
    engine = _engine(url, {"prepare_threshold": None})
    engine.update_execution_options(**{POOLED: True})
    timeouts = ";".join(f"SET LOCAL {option}" for option in options)

    @event.listens_for(engine, "begin")
    def _begins(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        if not raw.autocommit:
            raw.execute(timeouts)  # on the driver directly: this runs in every transaction

    return engine


def _engine(url: str, arguments: dict[str, Any]) -> Engine:
    return create_engine(
        url,
        pool_size=CONNECTIONS,
        pool_use_lifo=True,  # few connections do most of the work, and have its statements prepared
        pool_timeout=5,
        hide_parameters=True,  # they hold names and numbers, and errors are logged
        connect_args={**WAITS, **arguments},
    )


class _Use:
    """One transaction's use of a connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self.late = False

    def take(self, tx: Tx) -> None:
        with self._lock:
            if self.late:
                raise TimeoutError("no thread was free in time")
            self._connection = tx.connection.dbapi_connection

    def release(self) -> None:
        with self._lock:
            self._connection = None

    def cut(self) -> None:
        """End this connection, so that its waiter gets an error."""
        with self._lock:
            self.late = True
            if self._connection is not None:
                with (
                    contextlib.suppress(OSError, psycopg.Error),
                    socket.socket(fileno=os.dup(self._connection.fileno())) as twin,
                ):
                    twin.shutdown(socket.SHUT_RDWR)


class _Connections:
    """Connections at rest, the one used last first: few do most of the work, and have its statements prepared.

    SQLAlchemy's own pool costs about as much as two statements, each time that a connection is taken from it
    and given back.
    """

    def __init__(self, engine: Engine, *, kept: bool = True) -> None:
        self._engine = engine
        self._kept = kept
        self._at_rest: list[Connection] = []

    @contextlib.contextmanager
    def one(self) -> Iterator[Connection]:
        """One for this block. After an error it is given up; if it was lost, so are those at rest."""
        try:
            tx = self._at_rest.pop()
        except IndexError:
            tx = self._engine.connect()
        raw: Any = tx.connection.dbapi_connection
        try:
            yield tx
        except BaseException:
            if raw.closed:
                self.close()
            tx.close()
            raise
        if self._kept:
            self._at_rest.append(tx)
        else:
            tx.close()

    def close(self) -> None:
        """Close those at rest."""
        with contextlib.suppress(IndexError):
            while True:
                tx = self._at_rest.pop()
                tx.invalidate()
                tx.close()


class PostgresStore:
    """Runs functions in threads; one that another transaction got in the way of runs again (races.py)."""

    def __init__(self, engine: Engine, direct_url: str) -> None:
        """`direct_url`: of PostgreSQL itself, where the engine connects through a pooler."""
        self.engine = engine
        self.direct_url = direct_url
        self._connections = _Connections(engine)
        self.send: Send = send_nothing
        self._threads = Workers(CONNECTIONS, "postgres")
        self._peeking = (
            _Connections(engine.execution_options(isolation_level="AUTOCOMMIT"), kept=False)
            if engine.get_execution_options().get(POOLED)
            else None
        )
        self._under_way: set[_Use] = set()

    @property
    def busy_threads(self) -> int:
        """Threads at work, including those whose caller has given up."""
        return len(self._under_way)

    async def run(self, work: Callable[[Tx], T]) -> T:
        return await self._in_thread(work, self._connections)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """READ COMMITTED shows each statement the newest commits: reading needs no transaction around it."""
        return await self._in_thread(lambda tx: _reading(tx, work), self._connections)

    async def peek(self, work: Callable[[Tx], T]) -> T:
        if self._peeking is not None:
            return await self._in_thread(work, self._peeking)
        return await self.read(work)

    async def _in_thread(self, work: Callable[[Tx], T], connections: _Connections) -> T:
        loop = asyncio.get_running_loop()
        use = _Use()
        cutting = loop.call_later(MOST_S, use.cut)
        try:
            result = await self._threads.run(lambda: self._run(work, use, connections, loop))
        except asyncio.CancelledError:
            raise  # the thread goes on, and is cut at its limit
        except Exception as error:
            cutting.cancel()
            if (told := named(error)) is error:
                raise
            raise told from error
        cutting.cancel()
        return result

    async def checkpoint(self) -> None:
        """PostgreSQL does this itself: its vacuum frees what was deleted, its log is recycled."""

    def _run(
        self,
        work: Callable[[Tx], T],
        use: _Use,
        connections: _Connections,
        loop: asyncio.AbstractEventLoop,
    ) -> T:
        self._under_way.add(use)
        try:
            for _ in range(races.TIMES - 1):
                try:
                    return self._once(work, use, connections, loop)
                except (psycopg.Error, DBAPIError) as error:
                    if not races.lost(error):
                        raise
            return self._once(work, use, connections, loop)
        finally:
            self._under_way.discard(use)

    def _once(
        self,
        work: Callable[[Tx], T],
        use: _Use,
        connections: _Connections,
        loop: asyncio.AbstractEventLoop,
    ) -> T:
        if use.late:
            raise TimeoutError("no thread was free in time")
        with connections.one() as tx:
            use.take(tx)
            try:
                with outbox.collecting(tx) as follow_ups, tx.begin():
                    result = work(tx)
            finally:
                use.release()
        if follow_ups:  # also when the caller was cancelled
            # The loop has ended: the scheduler does the work.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.send, follow_ups)
        return result

    def close(self) -> None:
        """Close after the open transactions; one that takes too long is aborted."""
        self._threads.withdraw()
        end = time.monotonic() + CLOSE_S
        while self.busy_threads and time.monotonic() < end:
            time.sleep(0.02)
        for use in list(self._under_way):
            use.cut()
        self._threads.stop()
        self._connections.close()
        self.engine.dispose()


def _reading(tx: Tx, work: Callable[[Tx], T]) -> T:
    """Its prepared statements begin no transaction, except behind a pooler; SQLAlchemy's do."""
    raw: Any = tx.connection.dbapi_connection
    if not isinstance(raw, DirectConnection):
        return work(tx)
    raw.statements.begins = False
    try:
        return work(tx)
    finally:
        raw.statements.begins = True
