"""The store on PostgreSQL: threads with synchronous connections, and no wait without an end.

A server that is gone is noticed by TCP; one that says nothing (a proxy that stopped passing bytes on, a
frozen machine) only by the clock: whatever takes too long has its connection cut, so that its thread is
free again. The caller hears of it; whether the transaction was committed, nobody knows then.
"""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from callserver import outbox
from callserver.outbox import Send, send_nothing
from callserver.ports import Tx

T = TypeVar("T")

CONNECTIONS = 8
MOST_S = 12.0
"""A transaction that has not ended by then, its wait for a thread included, is cut off."""

CLOSE_S = 3.0
"""What is under way when the store closes has so long to end."""

_WAITS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_IDLE = "idle_in_transaction_session_timeout=10000"
_OF_A_SERVER = ("statement_timeout=10000", "lock_timeout=5000")
"""Not for commands and long work beside the server: a million rows take as long as they take."""


def postgres_engine(url: str, *, server: bool = False) -> Engine:
    """An engine whose connections wait for nothing for ever."""
    options = (_IDLE, *_OF_A_SERVER) if server else (_IDLE,)
    return create_engine(
        url,
        pool_size=CONNECTIONS,
        pool_timeout=5,
        hide_parameters=True,  # they hold names and numbers, and errors are logged
        connect_args={**_WAITS, "options": " ".join(f"-c {option}" for option in options)},
    )


class _Held:
    """One transaction's connection while it is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self.late = False

    def take(self, tx: Tx) -> None:
        with self._lock:
            if self.late:
                raise TimeoutError("too late to begin")
            self._connection = tx.connection.dbapi_connection

    def let_go(self) -> None:
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


class PostgresStore:
    """Runs functions in threads; a deadlock is tried again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.send: Send = send_nothing
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="postgres")
        self._under_way: set[_Held] = set()

    async def run(self, work: Callable[[Tx], T]) -> T:
        loop = asyncio.get_running_loop()
        held = _Held()
        cutting = loop.call_later(MOST_S, held.cut)
        try:
            result = await loop.run_in_executor(self._threads, self._run, work, held, loop)
        except asyncio.CancelledError:
            raise  # the thread goes on: it is cut when its time is over
        except BaseException:
            cutting.cancel()
            raise
        cutting.cancel()
        return result

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.run(work)

    def _run(self, work: Callable[[Tx], T], held: _Held, loop: asyncio.AbstractEventLoop) -> T:
        self._under_way.add(held)
        try:
            for _ in range(4):
                try:
                    return self._once(work, held, loop)
                except (psycopg.Error, DBAPIError) as error:  # prepared ones raise the driver's
                    if not _deadlock(error):
                        raise
            return self._once(work, held, loop)
        finally:
            self._under_way.discard(held)

    def _once(self, work: Callable[[Tx], T], held: _Held, loop: asyncio.AbstractEventLoop) -> T:
        if held.late:
            raise TimeoutError("too late to begin")
        with self.engine.connect() as tx:
            held.take(tx)
            try:
                with outbox.collecting(tx) as follow_ups, tx.begin():
                    result = work(tx)
            finally:
                held.let_go()
        if follow_ups:  # they leave though the caller may have been cancelled
            with contextlib.suppress(RuntimeError):  # the loop has ended: the scheduler does it
                loop.call_soon_threadsafe(self.send, follow_ups)
        return result

    def close(self) -> None:
        """Close after what is under way; what lasts too long is cut off."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        end = time.monotonic() + CLOSE_S
        while self._under_way and time.monotonic() < end:
            time.sleep(0.02)
        for held in list(self._under_way):
            held.cut()
        self._threads.shutdown()
        self.engine.dispose()


def _deadlock(error: Exception) -> bool:
    return getattr(getattr(error, "orig", error), "sqlstate", None) in {"40P01", "40001"}
