"""Wakes this process when another one has written something that is to be done at once.

A command's transaction sends no follow-ups (callserver/outbox.py). PostgreSQL tells the servers; on SQLite the
version of the file is looked at, which takes microseconds. A lost call costs no more than the scheduler's
safety net.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable

import psycopg
from sqlalchemy import make_url

from callserver.database.postgres import WAITS, PostgresStore
from callserver.database.store import AnyStore, SqliteStore
from callserver.outbox import WAKE_UP

LOOK_S = 0.05
AGAIN_S = 1.0
"""The wait after a lost connection."""


async def watch(store: AnyStore, wake: Callable[[], None]) -> None:
    """Call `wake` whenever another process has written, until cancelled."""
    if isinstance(store, SqliteStore):
        await _watch_file(store, wake)
    elif isinstance(store, PostgresStore):
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                await _listen(store, wake)
            await asyncio.sleep(AGAIN_S)


async def _watch_file(store: SqliteStore, wake: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        with contextlib.suppress(sqlite3.Error):  # locked: the next look tells
            if store.written_elsewhere():
                wake()


async def _listen(store: PostgresStore, wake: Callable[[], None]) -> None:
    """On a connection of its own, to PostgreSQL itself: behind a pooler nothing outlives a transaction."""
    url = make_url(store.direct_url)
    words, arguments = store.engine.dialect.create_connect_args(url)
    connection = await psycopg.AsyncConnection.connect(
        *words, **{**arguments, **WAITS}, autocommit=True
    )
    async with connection:
        await connection.execute(f"LISTEN {WAKE_UP}")
        wake()  # for what was written before
        async for _ in connection.notifies():
            wake()
