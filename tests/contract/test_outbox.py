"""Follow-ups leave with the commit, on every store: once, in order, and never without it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg.errors
import pytest
from sqlalchemy import Engine, insert, select, text

from callserver import outbox
from callserver.database.engines import make_engine
from callserver.database.inline_store import InlineStore
from callserver.database.store import AnyStore, SqliteStore, open_store
from callserver.database.tables import campaign_places
from callserver.outbox import CheckPhonerLeg, DialSeat, EndCalls, FollowUp, HangUpLeg
from callserver.ports import Tx


@pytest.fixture(params=["sqlite", "inline", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[AnyStore]:
    inline = request.param == "inline"
    url = request.getfixturevalue("postgres_url" if request.param == "postgres" else "sqlite_url")
    opened = open_store(url, inline=inline)
    if isinstance(opened, SqliteStore):
        with opened.engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys = ON")
    yield opened
    opened.close()


class Sent:
    """What a store has sent, and what was durable then."""

    def __init__(self, store: AnyStore) -> None:
        self.follow_ups: list[FollowUp] = []
        self.durable: list[list[str]] = []
        self.came = asyncio.Event()
        self._elsewhere: Engine = make_engine(store.engine.url.render_as_string(False))
        store.send = self._send

    def _send(self, follow_ups: Sequence[FollowUp]) -> None:
        if follow_ups:
            self.follow_ups += follow_ups
            with self._elsewhere.connect() as connection:
                rows = connection.execute(select(campaign_places.c.campaign)).scalars()
                self.durable.append(sorted(rows))
            self._elsewhere.dispose()
            self.came.set()


def writes(name: str, *follow_ups: FollowUp) -> Callable[[Tx], str]:
    """A transaction that writes a row and has follow-ups."""

    def work(tx: Tx) -> str:
        for follow_up in follow_ups:
            outbox.add(tx, follow_up)
        tx.execute(insert(campaign_places).values(campaign=name, place="DK Europe/Copenhagen"))
        return name

    return work


def fails(tx: Tx) -> None:
    outbox.add(tx, DialSeat(99))
    raise ValueError("undone")


async def test_they_leave_after_the_commit_once_and_in_order(store: AnyStore) -> None:
    sent = Sent(store)
    follow_ups = HangUpLeg("CA1"), EndCalls(), CheckPhonerLeg("CA2"), DialSeat(1), EndCalls()
    assert await store.run(writes("a", *follow_ups)) == "a"
    await asyncio.wait_for(sent.came.wait(), 10)
    assert sent.follow_ups == list(follow_ups[:4])  # the same one twice is sent once
    assert sent.durable == [["a"]]
    await store.run(writes("b"))
    assert len(sent.follow_ups) == 4


async def test_a_rollback_sends_nothing_then_or_later(store: AnyStore) -> None:
    sent = Sent(store)
    with pytest.raises(ValueError, match="undone"):
        await store.run(fails)
    await store.run(writes("a"))
    assert sent.follow_ups == []


async def test_transactions_side_by_side_send_only_their_own(store: AnyStore) -> None:
    """On SQLite they share a commit."""
    sent = Sent(store)
    await asyncio.gather(
        store.run(writes("a", DialSeat(1))),
        store.run(fails),
        store.run(writes("b", DialSeat(2))),
        return_exceptions=True,
    )
    assert sorted(sent.follow_ups, key=str) == [DialSeat(1), DialSeat(2)]


async def test_a_commit_that_fails_sends_nothing(store: AnyStore) -> None:
    if isinstance(store, InlineStore):
        pytest.skip("it is for virtual time, whose disk does not fail")
    sent = Sent(store)
    await store.run(_deferring)

    def orphan(tx: Tx) -> None:
        outbox.add(tx, DialSeat(1))
        tx.execute(text("INSERT INTO two VALUES (9)"))  # refused by the commit, not before

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await store.run(orphan)
    assert await store.run(writes("b", DialSeat(2))) == "b"
    await asyncio.wait_for(sent.came.wait(), 10)
    assert sent.follow_ups == [DialSeat(2)]
    assert sent.durable == [["b"]]


def _deferring(tx: Tx) -> None:
    """Two tables, the second of which may refer to nothing until the commit."""
    tx.execute(text("CREATE TABLE one (id INTEGER PRIMARY KEY)"))
    tx.execute(text("CREATE TABLE two (one INTEGER REFERENCES one DEFERRABLE INITIALLY DEFERRED)"))


async def test_a_retry_starts_with_an_empty_outbox(postgres_url: str) -> None:
    store = open_store(postgres_url)
    sent, tries = Sent(store), iter([True, True, False])

    def deadlocks_twice(tx: Tx) -> None:
        outbox.add(tx, DialSeat(1))
        if next(tries):
            raise psycopg.errors.DeadlockDetected

    await store.run(deadlocks_twice)
    await asyncio.wait_for(sent.came.wait(), 10)
    await store.run(writes("a"))
    assert sent.follow_ups == [DialSeat(1)]
    store.close()


async def test_they_leave_though_the_caller_waits_no_longer(store: AnyStore) -> None:
    """A request may be given up while its transaction is being committed."""
    if isinstance(store, InlineStore):
        pytest.skip("nothing is awaited in an inline transaction")
    sent, loop = Sent(store), asyncio.get_running_loop()

    def cancelled(tx: Tx) -> None:
        writes("a", DialSeat(1))(tx)
        loop.call_soon_threadsafe(request.cancel)

    request = asyncio.ensure_future(store.run(cancelled))
    with pytest.raises(asyncio.CancelledError):
        await request
    await asyncio.wait_for(sent.came.wait(), 10)
    assert sent.follow_ups == [DialSeat(1)]
    assert sent.durable == [["a"]]


async def test_taken_out_again_they_are_the_callers(store: AnyStore) -> None:
    sent = Sent(store)

    def takes(tx: Tx) -> list[DialSeat]:
        writes("a", DialSeat(1), EndCalls(), DialSeat(2))(tx)
        return outbox.take(tx, DialSeat)

    assert await store.run(takes) == [DialSeat(1), DialSeat(2)]
    await asyncio.wait_for(sent.came.wait(), 10)
    assert sent.follow_ups == [EndCalls()]


def test_a_transaction_without_a_store_sends_nothing(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with engine.begin() as tx:
        writes("a", DialSeat(1))(tx)
        assert outbox.take(tx, DialSeat) == []
    engine.dispose()
