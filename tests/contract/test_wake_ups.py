"""A server notices at once what another process has written, on both databases."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert

from callserver import outbox
from callserver.database import wake_ups
from callserver.database.engines import make_engine
from callserver.database.postgres import PostgresStore
from callserver.database.store import AnyStore, SqliteStore
from callserver.database.tables import campaign_places
from callserver.outbox import EndCalls
from callserver.ports import Tx
from tests.harness.waiting import PATIENCE_S


def to_end_calls(tx: Tx) -> None:
    tx.execute(insert(campaign_places).values(campaign="a", place="DK Europe/Copenhagen"))
    outbox.add(tx, EndCalls())


@pytest.fixture
async def woken(store: AnyStore) -> AsyncIterator[asyncio.Event]:
    """Set whenever the watch calls; it watches already."""
    event = asyncio.Event()
    await store.run(lambda _: None)
    watching = asyncio.ensure_future(wake_ups.watch(store, event.set))
    if isinstance(store, PostgresStore):
        await asyncio.wait_for(event.wait(), PATIENCE_S)  # it listens
        event.clear()
    yield event
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def test_a_command_wakes_a_server(
    store: AnyStore, database_url: str, woken: asyncio.Event
) -> None:
    engine = make_engine(database_url)
    with engine.begin() as tx:
        to_end_calls(tx)
    engine.dispose()
    await asyncio.wait_for(woken.wait(), PATIENCE_S)


async def test_a_servers_own_commits_do_not(store: AnyStore, woken: asyncio.Event) -> None:
    await store.run(to_end_calls)
    if isinstance(store, SqliteStore):
        assert not store.written_elsewhere()
    assert not woken.is_set()


async def test_a_lost_connection_is_made_again(
    store: AnyStore, database_url: str, woken: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(store, PostgresStore):
        pytest.skip("a file has no connection to lose")
    monkeypatch.setattr(wake_ups, "AGAIN_S", 0.01)
    engine = make_engine(database_url)
    with engine.begin() as tx:
        tx.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
    engine.dispose()
    await asyncio.wait_for(woken.wait(), PATIENCE_S)  # it listens again
